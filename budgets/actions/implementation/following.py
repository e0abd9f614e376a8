"""What became of each promise and milestone, and how the whole of it goes."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.verdict import Refused
from budgets import carrying_out as may
from budgets.actions.implementation.diary import tell_supporters, write_note
from budgets.actions.implementation.plan import MOST_PROMISES
from budgets.actions.implementation.row import check_day, locked, log
from budgets.models import Implementation, Milestone, Progress, ProgressNote, Promise
from budgets.models.implementation import ENDED
from participation import clock
from participation.texts import clean

Kind = ProgressNote.Kind


def add_promise(
    *, implementation: Implementation, by: User, text: str, because: str, at: datetime | None = None
) -> Promise:
    """Promised later than the rest, and why."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_follow_up(by, one)
        because = clean(because, "because", longest=1000)
        if one.promises.count() >= MOST_PROMISES:
            raise Refused("too_many", _("Use at most %(most)s lines.") % {"most": MOST_PROMISES}, "text")
        promise = Promise.objects.create(
            implementation=one,
            text=clean(text, "text", longest=300),
            position=one.promises.count(),
            added_on=timezone.localdate(at),
            added_late=True,
            added_because=because,
        )
        log("add_promise", by, one, changed=["promises"])
        write_note(one, Kind.PROMISE_ADDED, promise.text, because, by=by, at=at)
    return promise


def deliver_promise(*, promise: Promise, by: User, on: date, at: datetime | None = None) -> Promise:
    at = at or clock.now()
    with transaction.atomic():
        promise = _settle(promise, Promise.State.DELIVERED, by, on, "", at)
        write_note(promise.implementation, Kind.PROMISE_DELIVERED, promise.text, by=by, at=at)
    return promise


def drop_promise(
    *, promise: Promise, by: User, because: str, on: date | None = None, at: datetime | None = None
) -> Promise:
    """It will not come, and everyone reads why."""
    at = at or clock.now()
    with transaction.atomic():
        because = clean(because, "because", longest=1000)
        promise = _settle(promise, Promise.State.DROPPED, by, on or timezone.localdate(at), because, at)
        note = write_note(promise.implementation, Kind.PROMISE_DROPPED, promise.text, because, by=by, at=at)
        tell_supporters(note, gettext_lazy("Something that was promised is dropped"), by)
    return promise


def take_out_promise(*, promise: Promise, by: User, because: str, at: datetime | None = None) -> Promise:
    """It stood in the list by mistake: it no longer counts, but stays readable with its reason."""
    at = at or clock.now()
    with transaction.atomic():
        because = clean(because, "because", longest=1000)
        promise = _settle(promise, Promise.State.TAKEN_OUT, by, timezone.localdate(at), because, at)
        write_note(promise.implementation, Kind.PROMISE_TAKEN_OUT, promise.text, because, by=by, at=at)
    return promise


def _settle(promise: Promise, state: str, by: User, on: date, because: str, at: datetime) -> Promise:
    one = locked(promise.implementation)
    may.check_follow_up(by, one)
    promise = Promise.objects.get(pk=promise.pk, implementation=one)
    promise.implementation = one
    if promise.state != Promise.State.PROMISED:
        raise Refused("settled", _("It has already been said what became of it."))
    check_day(on, "on", at)
    promise.state, promise.settled_on, promise.reason = state, on, because
    promise.save(update_fields=["state", "settled_on", "reason"])
    log("settle_promise", by, one, changed=["promises"], values={"state": str(state), "on": on})
    return promise


def reach_milestone(
    *, milestone: Milestone, by: User, on: date, text: str = "", at: datetime | None = None
) -> Milestone:
    at = at or clock.now()
    with transaction.atomic():
        one = locked(milestone.implementation)
        may.check_follow_up(by, one)
        milestone = reach(one, milestone, on, at)
        log("reach_milestone", by, one, changed=["milestones"], values={"reached_on": on})
        text = clean(text, "text", longest=4000, required=False)
        note = write_note(one, Kind.MILESTONE, milestone.title, text, by=by, at=at, milestone=milestone)
        tell_supporters(note, gettext_lazy("A milestone is reached"), by)
    return milestone


def reach(one: Implementation, milestone: Milestone, on: date, at: datetime) -> Milestone:
    milestone = Milestone.objects.get(pk=milestone.pk, implementation=one)
    if milestone.reached_on is not None:
        raise Refused("reached", _("The milestone has been reached."))
    check_day(on, "on", at)
    milestone.reached_on = on
    milestone.save(update_fields=["reached_on"])
    return milestone


def change_status(
    *,
    implementation: Implementation,
    by: User,
    status: str,
    why: str = "",
    expected_on: date | None = None,
    at: datetime | None = None,
) -> Implementation:
    """On time, delayed (why, and until when), done, or given up (why). What is left of the money goes back when it ends;
    taking up again what has ended also says why."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_change_status(by, one)
        if status not in Progress.values:
            raise Refused("status", _("Choose how it goes."), "status")
        if status == one.status and status != Progress.DELAYED:
            raise Refused("same", _("That is already how it goes."), "status")
        if status == Progress.DONE:
            may.check_done(one)
        why = clean(
            why,
            "why",
            longest=2000,
            required=status in {Progress.DELAYED, Progress.GIVEN_UP} or one.ended,
        )
        if status == Progress.DELAYED:
            if expected_on is None:
                raise Refused("no_date", _("Write the new day it is expected to be done."), "expected_on")
            if expected_on <= timezone.localdate(at):
                raise Refused("in_past", _("The new day must be in the future."), "expected_on")
        set_status(one, status, why, expected_on, by, at)
    return one


def set_status(
    one: Implementation, status: str, why: str, expected_on: date | None, by: User | None, at: datetime
) -> None:
    reopened = one.ended and status not in ENDED
    one.status, one.why = status, why
    if status in ENDED:
        one.returned, one.ended_on = one.granted + one.extra - one.paid, timezone.localdate(at)
    else:
        one.returned, one.ended_on = Decimal(0), None
        one.expected_on = expected_on or one.expected_on
    if reopened:
        one.accounts_sent_at = one.accounts_sent_by = None
        one.accounts_approved_at = one.accounts_approved_by = None
    changed = [
        *("accounts_approved_at", "accounts_approved_by", "accounts_sent_at", "accounts_sent_by"),
        *("ended_on", "expected_on", "returned", "status", "why"),
    ]
    one.save(update_fields=changed)
    log("change_status", by, one, changed=changed, values={"status": status, "returned": one.returned})
    label = Progress(status).label
    note = write_note(
        one,
        Kind.STATUS,
        str(label),
        why,
        by=by,
        at=at,
        status=status,
        expected_on=one.expected_on if status == Progress.DELAYED else None,
    )
    tell_supporters(note, label, by)
