"""The participation part of My page: what I gave and what came of it, what waits, what I follow, my notices."""

from typing import Any

from django.db.models.functions import Coalesce, TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import my_page
from accounts.models import User
from accounts.permissions import STAFF_ROLES, Role
from participation import clock, formats, notices
from participation.choices import BEFORE_DECISION, UNPUBLISHED, Moderation
from participation.forms.contributions import RhythmForm
from participation.models import (
    Argument,
    Contribution,
    Draft,
    Follow,
    Notice,
    NoticePreference,
    Process,
    Support,
)

SHOWN = 20


def register() -> None:
    for key, order, context in (
        ("council", 4, council),
        ("polling", 5, polling),
        ("given", 10, given),
        ("debated", 15, debated),
        ("unfinished", 20, unfinished),
        ("follows", 30, follows),
        ("notices", 40, my_notices),
    ):
        my_page.register_section(
            key=key, order=order, template=f"participation/my_page/{key}.html", context=context
        )


def council(user: User, request: HttpRequest) -> dict[str, Any] | None:
    """For a councillor: what is to be decided and when, what is open, what is being prepared."""
    if user.role != Role.COUNCILLOR:
        return None
    at = clock.now()
    ahead = Process.objects.filter(status__in=BEFORE_DECISION).select_related("meeting")
    decided_on = Coalesce("decision_on", TruncDate("meeting__held_at"))
    return {
        "to_decide": list(
            ahead.exclude(status__in=UNPUBLISHED)
            .annotate(decided_on=decided_on)
            .filter(decided_on__gte=clock.today())
            .order_by("decided_on", "pk")[:SHOWN]
        ),
        "open_now": list(Process.objects.running(at).order_by("closes_at")[:SHOWN]),
        "prepared": list(ahead.filter(status__in=UNPUBLISHED).order_by("-updated_at")[:SHOWN]),
    }


def polling(user: User, request: HttpRequest) -> dict[str, Any] | None:
    """For a polling officer: what is open, so that they can help those who come and ask."""
    if user.role != Role.POLLING_OFFICER:
        return None
    return {"open_now": list(Process.objects.running(clock.now()).order_by("closes_at")[:SHOWN])}


def given(user: User, request: HttpRequest) -> dict[str, Any] | None:
    rows = list(Contribution.objects.of_author(user).prefetch_related("impacts")[: SHOWN + 1])
    if not rows and user.role in STAFF_ROLES:
        return None
    return {"contributions": rows[:SHOWN], "more": len(rows) > SHOWN}


def debated(user: User, request: HttpRequest) -> dict[str, Any] | None:
    """What I support, as far as it is shown and as what it was gathered into, and what I have argued."""
    supported = (
        Support.objects.filter(user=user, contribution__moderation=Moderation.PUBLISHED)
        .select_related("contribution__process")
        .order_by("-day", "-pk")
    )
    argued = Argument.objects.of_author(user).order_by("-created_at", "-pk")
    found = {"supports": list(supported[: SHOWN + 1]), "arguments": list(argued[: SHOWN + 1])}
    if not any(found.values()):
        return None
    return {
        "supports": found["supports"][:SHOWN],
        "arguments": found["arguments"][:SHOWN],
        "more": any(len(rows) > SHOWN for rows in found.values()),
    }


def unfinished(user: User, request: HttpRequest) -> dict[str, Any] | None:
    """What was begun and not sent."""
    drafts = Draft.objects.filter(user=user, expires_at__gt=clock.now())
    drafts = drafts.select_related("process", "contribution__process", "argument")
    rows = [
        {"title": _title(draft), "url": _goes_on_at(draft), "process": draft.process, "draft": draft}
        for draft in drafts.order_by("-saved_at")[:SHOWN]
    ]
    return {"drafts": rows} if rows else None


def _title(draft: Draft) -> Any:
    if draft.contribution is None:
        return (draft.data.get("title") or [""])[0]
    words = _("A reply about “%(title)s”") if draft.argument_id else _("An argument about “%(title)s”")
    return words % {"title": draft.contribution.title}


def _goes_on_at(draft: Draft) -> str:
    if draft.contribution is None:
        return reverse("participation:contribute", args=[draft.process.slug])
    about = [draft.process.slug, draft.contribution.public_id]
    if draft.argument is None:
        return reverse("participation:argument-write", args=about)
    return reverse("participation:argument-reply", args=[*about, draft.argument.public_id])


def follows(user: User, request: HttpRequest) -> dict[str, Any]:
    rows = Follow.objects.filter(user=user).select_related("process").order_by("-since")
    labels = {each.key: each.label_plural for each in formats.all_formats()}
    topics = [
        {"topic": row.topic, "label": labels.get(row.topic, row.topic)}
        for row in user.ask_again.order_by("-since")
    ]
    return {"follows": rows[:SHOWN], "topics": topics}


def my_notices(user: User, request: HttpRequest) -> dict[str, Any]:
    preference = NoticePreference.objects.filter(user=user).first() or NoticePreference()
    address = notices.verified_addresses([user.pk]).get(user.pk)
    chosen = {"rhythm": preference.rhythm, "digest_hour": preference.digest_hour}
    rows = list(Notice.objects.filter(user=user)[:SHOWN])
    return {
        "notices": rows,
        "unread": sum(row.read_at is None for row in rows),
        "rhythm_form": RhythmForm(initial=chosen, label_suffix=""),
        "address": address,
        "came_back": "" if address else notices.came_back(user),
        "heading": _("My notices"),
    }
