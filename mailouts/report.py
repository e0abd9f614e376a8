"""A mailout in numbers: asked of the deliveries as they stand, or of what was kept when they were deleted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import RegisterExtract
from audit import clock
from mailouts import health, recipients
from mailouts.choices import ARRIVED, WAITING, Channel, Stage, State
from mailouts.models import Campaign, Delivery, GatewayHealth

# What each reason means, and what to do about it.
REASONS: dict[str, tuple[Any, Any]] = {
    "gone": (gettext_lazy("Died or moved away"), gettext_lazy("Nothing: the newest register says so.")),
    "not_registered": (
        gettext_lazy("Not registered for this channel"),
        gettext_lazy("Send it another way."),
    ),
    recipients.NOT_FILLED: (
        gettext_lazy("What the letter promises couldn't be made"),
        gettext_lazy("Read the reason. When it is put right, send them again."),
    ),
    "print_lost": (
        gettext_lazy("Fetched for printing, and lost"),
        gettext_lazy("Send them again: they are printed with new codes, and the old ones are blocked."),
    ),
    "print_not_fetched": (
        gettext_lazy("Nobody fetched the letters for printing within a week"),
        gettext_lazy(
            "Send them again when somebody is there to fetch them. They are printed with new codes."
        ),
    ),
    "no_address": (
        gettext_lazy("There is no address to send to"),
        gettext_lazy("Correct the list, and make a new mailout for those."),
    ),
    "recipient_refused": (
        gettext_lazy("The mailbox doesn't exist"),
        gettext_lazy("The address is out of use until its owner confirms it again."),
    ),
    "bounced": (
        gettext_lazy("The e-mail came back"),
        gettext_lazy("The address is out of use until its owner confirms it again."),
    ),
    "refused": (
        gettext_lazy("The gateway refused the letter"),
        gettext_lazy("Read the reason. When it is put right, send them again."),
    ),
    "gave_up": (
        gettext_lazy("Tried five times without luck"),
        gettext_lazy("See whether the gateway works again, and send them again."),
    ),
    "unanswered": (
        gettext_lazy("The gateway didn't answer"),
        gettext_lazy("Wait for the receipt. They may have arrived: ask the operator before you send again."),
    ),
    "interrupted": (
        gettext_lazy("We were interrupted while sending"),
        gettext_lazy("Wait for the receipt. They may have arrived: ask the operator before you send again."),
    ),
}
OTHER = (gettext_lazy("The gateway says that it failed"), gettext_lazy("Read the reason, and decide."))


@dataclass(frozen=True)
class Report:
    """`rows`: a line for each channel, its cells by state in the order of `states`."""

    total: int
    arrived: int
    ended: int
    waiting: int
    uncertain: int
    failed: int
    left_out: int
    states: Sequence[tuple[str, str]]
    rows: list[dict[str, Any]]
    moving: bool

    @property
    def share(self) -> int:
        """Per cent that need nothing more, never 100 before the last."""
        if not self.total:
            return 100
        return self.ended * 100 // self.total


def report_of(campaign: Campaign) -> Report:
    counts: dict[tuple[str, str], int]
    if campaign.content_deleted_at is not None:
        counts = {(channel, state): count for channel, state, count in campaign.totals.get("states", [])}
    else:
        counts = Delivery.objects.filter(campaign=campaign).numbers()
    by_state: dict[str, int] = defaultdict(int)
    for (_channel, state), count in counts.items():
        by_state[state] += count
    shown = [
        (state, str(label))
        for state, label in (
            (State.QUEUED, _("In the queue")),
            (State.PRINTED, State.PRINTED.label),
            (State.SENT, State.SENT.label),
            (State.DELIVERED, State.DELIVERED.label),
            (State.UNCERTAIN, State.UNCERTAIN.label),
            (State.FAILED, State.FAILED.label),
            (State.LEFT_OUT, State.LEFT_OUT.label),
            (State.CANCELLED, State.CANCELLED.label),
        )
    ]
    folded: dict[tuple[str, str], int] = defaultdict(int)
    for (channel, state), count in counts.items():
        folded[channel, State.QUEUED if state in WAITING else state] += count
    kept = [
        (state, label)
        for state, label in shown
        if state in {State.QUEUED, State.SENT, State.DELIVERED}
        or any(folded[channel, state] for channel in Channel.values)
    ]
    rows = [
        {
            "label": Channel(channel).label,
            "cells": [folded[channel, state] for state, _label in kept],
            "total": sum(count for (each, _state), count in folded.items() if each == channel),
        }
        for channel in Channel.values
        if any(each == channel for each, _state in counts)
    ]
    total = sum(counts.values())
    waiting = sum(by_state[state] for state in WAITING) + by_state[State.PRINTED]
    return Report(
        total=total,
        arrived=sum(by_state[state] for state in ARRIVED),
        ended=total - waiting,
        waiting=waiting,
        uncertain=by_state[State.UNCERTAIN],
        failed=by_state[State.FAILED],
        left_out=by_state[State.LEFT_OUT],
        states=kept,
        rows=rows,
        moving=campaign.stage in {Stage.APPROVED, Stage.SENDING},
    )


def troubles(campaign: Campaign) -> list[str]:
    """Why a mailout that is being sent doesn't move on one of its roads."""
    if campaign.stage != Stage.SENDING:
        return []
    ways = {
        health.circuit(channel, campaign.paper_route)
        for channel in campaign.deliveries.filter(state__in=WAITING)
        .order_by()
        .values_list("channel", flat=True)
        .distinct()
    }
    words = []
    people = campaign.deliveries.filter(state__in=WAITING, person__isnull=False)
    if not RegisterExtract.objects.counting_on(clock.today()).exists() and people.exists():
        words.append(_("There is no valid register extract. The letters wait until one is imported."))
    for row in GatewayHealth.objects.filter(channel__in=ways, failures__gte=health.OPENS_AT):
        words.append(
            _("%(channel)s doesn't answer as it should. We rest and try again by ourselves.")
            % {"channel": Channel(row.channel).label}
        )
    return words


def left_out(campaign: Campaign) -> list[dict[str, Any]]:
    """Who was left out when the letters left, by reason: how many, and why."""
    known = {code: meaning for code, (meaning, _advice) in REASONS.items()} | recipients.reasons()
    rows = (
        campaign.deliveries.filter(state=State.LEFT_OUT)
        .order_by("failure_code")
        .values("failure_code")
        .annotate(count=Count("pk"))
    )
    return [
        {"label": known.get(row["failure_code"], row["failure_code"]), "count": row["count"]} for row in rows
    ]


def meaning_of(code: str) -> tuple[Any, Any]:
    """What a reason means, and what to do."""
    return REASONS.get(code, OTHER)


def failures(campaign: Campaign) -> list[dict[str, Any]]:
    """What failed or is uncertain, by reason: how many, what it means, what to do, and the gateway's own first words."""
    rows = (
        campaign.deliveries.filter(state__in=[State.FAILED, State.UNCERTAIN])
        .order_by("state", "failure_code", "channel")
        .values("state", "failure_code", "channel")
        .annotate(count=Count("pk"), words=Min("failure"))
    )
    found = []
    for row in rows:
        meaning, advice = meaning_of(row["failure_code"])
        found.append(
            row
            | {
                "meaning": meaning,
                "advice": advice,
                "channel_label": Channel(row["channel"]).label,
                "state_label": State(row["state"]).label,
            }
        )
    return found
