"""News: from the municipality at once, from those who carry it out when a caseworker has looked at it."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from budgets import carrying_out as may
from budgets.actions.implementation.diary import mark_told, tell_author, tell_supporters, write_note
from budgets.actions.implementation.following import reach
from budgets.actions.implementation.row import locked, log
from budgets.models import Implementation, Milestone, ProgressNote
from participation import clock
from participation.models import StoredFile
from participation.texts import clean

Kind = ProgressNote.Kind


def tell_news(
    *,
    implementation: Implementation,
    by: User,
    title: str,
    text: str,
    photo: StoredFile | None = None,
    at: datetime | None = None,
) -> ProgressNote:
    """News from the municipality, at once to everyone who follows the project."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_tell(by, one)
        title, text = clean(title, "title", longest=160), clean(text, "text", longest=4000)
        note = write_note(one, Kind.NEWS, title, text, by=by, at=at, photo=photo)
        log("tell_news", by, one, obj=note)
        tell_supporters(note, None, by)
    return note


def report_news(
    *,
    implementation: Implementation,
    by: User,
    title: str,
    text: str,
    photo: StoredFile | None = None,
    milestone: Milestone | None = None,
    at: datetime | None = None,
) -> ProgressNote:
    """Those who carry it out tell how it goes; it is shown when a caseworker has confirmed it."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_report(by, one)
        if milestone is not None and not one.milestones.filter(pk=milestone.pk, reached_on=None).exists():
            raise Refused("reached", _("The milestone has been reached."), "milestone")
        note = ProgressNote.objects.create(
            implementation=one,
            kind=Kind.MILESTONE if milestone else Kind.NEWS,
            title=clean(title, "title", longest=160),
            text=clean(text, "text", longest=4000),
            photo=photo,
            milestone=milestone,
            state=ProgressNote.State.WAITING,
            at=at,
            author=by,
        )
        log("report_news", by, one, obj=note)
    return note


def settle_note(
    *,
    note: ProgressNote,
    by: User,
    show: bool,
    because: str = "",
    on: date | None = None,
    at: datetime | None = None,
) -> ProgressNote:
    """Show what the group told (and mark the milestone they reached), or say why not."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(note.implementation)
        note = ProgressNote.objects.select_related("author", "milestone").get(pk=note.pk, implementation=one)
        note.implementation = one
        may.check_settle_note(by, note)
        note.by = by
        note.state = ProgressNote.State.SHOWN if show else ProgressNote.State.REFUSED
        note.refused_because = "" if show else clean(because, "because", longest=500)
        changed = ["by", "refused_because", "state"]
        if show:
            if note.milestone is not None and note.milestone.reached_on is None and not one.ended:
                reach(one, note.milestone, on or timezone.localdate(note.at), at)
            note.at = at
            changed.append("at")
        note.save(update_fields=changed)
        log("settle_note", by, one, obj=note, changed=changed, values={"state": str(note.state)})
        if show:
            mark_told(one, at)
            tell_supporters(note, None, by)
        else:
            tell_author(note.author, one, f"note:{note.pk}", note.title, note.refused_because, by)
    return note


def take_down_note(*, note: ProgressNote, by: User, because: str) -> ProgressNote:
    """News that shouldn't have been shown, with its photo: somebody in it has asked, or it says too much of somebody. What
    was promised, paid and decided stays."""
    with transaction.atomic():
        one = locked(note.implementation)
        note = ProgressNote.objects.get(pk=note.pk, implementation=one)
        note.implementation = one
        may.check_take_down(by, note)
        note.state = ProgressNote.State.REFUSED
        note.refused_because = clean(because, "because", longest=500)
        note.by = by
        changed = ["by", "refused_because", "state"]
        note.save(update_fields=changed)
        log("take_down_note", by, one, obj=note, changed=changed)
    return note
