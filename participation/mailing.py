"""What the shared process adds to mailouts: whom letters can be for, and what an invitation led to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailouts.about import About
from mailouts.about import register as register_about
from mailouts.choices import ARRIVED
from mailouts.models import Campaign, Source
from mailouts.sources import Candidate, SourceKind, register
from participation import breadth, formats
from participation.models import Contribution, Phase, Process, ProcessCampaign
from participation.notices import audience

TOOK_PART, FOLLOWERS = "took_part", "followers"
WHO = ((TOOK_PART, gettext_lazy("Those who took part")), (FOLLOWERS, gettext_lazy("Those who follow it")))


def _words(params: Mapping[str, Any]) -> str:
    process = Process.objects.filter(pk=params["process"]).first()
    who = " · ".join(str(label) for key, label in WHO if key in params["who"])
    where = process.title if process else "–"
    if params.get("phase"):
        phase = Phase.objects.filter(pk=params["phase"], process=params["process"]).first()
        if phase is not None:
            where = _("%(process)s, in the phase %(phase)s") % {
                "process": where,
                "phase": phase_words(phase),
            }
    return f"{who}: {where}"


def phase_words(phase: Phase) -> str:
    kind = formats.get(phase.process.format).phase_kind(phase.kind)
    return str(kind.label if kind else phase.kind)


def _candidates(source: Source) -> Iterator[Candidate]:
    """Persons where they are known as such, else accounts. Businesses and associations are among those who gave something."""
    process = Process.objects.get(pk=source.params["process"])
    who = source.params["who"]
    if TOOK_PART in who:
        phase = Phase.objects.filter(pk=source.params.get("phase"), process=process).first()
        for person, user, *_facts in breadth.rows(process, phase, to_write_to=True):
            if person is not None or user is not None:
                yield Candidate(person_id=person) if person is not None else Candidate(user_id=user)
        if phase is None:
            given = Contribution.objects.filter(process=process).exclude(organisation=None)
            for pk in given.exclude(author=None).values_list("author", flat=True).distinct():
                yield Candidate(user_id=pk)
    if FOLLOWERS in who:
        for pk in (
            audience(process).filter(Q(follows__process=process)).values_list("pk", flat=True).distinct()
        ):
            yield Candidate(user_id=pk)


PROCESS_SOURCE = SourceKind(
    "process",
    gettext_lazy("Those in a process"),
    _words,
    _candidates,
    "participation.admin.mailing.ProcessSourceForm",
)


def about(campaign: Campaign) -> About | None:
    """The process that a mailout is about, and where its letters are."""
    tie = ProcessCampaign.objects.filter(campaign=campaign).select_related("process").first()
    if tie is None:
        return None
    return About(tie.process.title, reverse("admin:process-breadth", args=[tie.process_id]))


def register_sources() -> None:
    register(PROCESS_SOURCE)
    register_about(about)


@dataclass(frozen=True)
class Effect:
    """What an invitation to a group that was missing led to, so far."""

    tie: ProcessCampaign
    label: str
    sent: int
    came: int
    before: float
    now: float
    reference: float


def effects(process: Process) -> list[Effect]:
    """For each invitation that has been sent: how many of those invited have taken part since, and the group's share then and
    now. Who it was is not kept."""
    ties = list(
        ProcessCampaign.objects.filter(process=process, campaign__started_at__isnull=False)
        .exclude(group="")
        .select_related("campaign")
        .order_by("campaign__started_at")
    )
    if not ties:
        return []
    measured = breadth.measured(process)
    took_part = {person for person, *_rest in breadth.rows(process) if person is not None}
    found = []
    for tie in ties:
        deliveries = tie.campaign.deliveries.filter(state__in=ARRIVED)
        invited = set(deliveries.exclude(person=None).values_list("person", flat=True))
        group = measured.group(tie.group)
        found.append(
            Effect(
                tie=tie,
                label=tie.before.get("label", tie.group),
                sent=deliveries.count(),
                came=len(invited & took_part),
                before=float(tie.before.get("share", 0)),
                now=group.share if group else 0.0,
                reference=float(tie.before.get("reference", 0)),
            )
        )
    return found
