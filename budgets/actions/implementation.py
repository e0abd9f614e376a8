"""Carrying out a project that got the money: the plan, what became of each promise, the money, and telling about it.

What the public was told is never rewritten: each change of a published plan is a new line of the project's diary
(`ProgressNote`), and money is corrected by counter-entries. Every function locks the project's row first, so that two
colleagues, or two payments, at once are one after the other.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from budgets import carrying_out as may
from budgets.models import (
    AccountEntry,
    Carrier,
    ExtraGrant,
    Implementation,
    Milestone,
    Payment,
    Progress,
    ProgressNote,
    Project,
    ProjectDecision,
    Promise,
)
from budgets.models.implementation import ENDED
from dkfds.wording import kroner
from participation import clock, notices, team
from participation.actions.writing import check_colleague
from participation.models import Contribution, Notice, Process, StoredFile, Support
from participation.texts import clean

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MOST_PROMISES, MOST_MILESTONES = 60, 30
FORGET_CONTACT_AFTER = timedelta(days=365)
Kind = ProgressNote.Kind


# From the council's decision


def begin_implementations(
    *, process: Process, by: User | None, at: datetime | None = None
) -> list[Implementation]:
    """An implementation for each project that got the money, with what it promised as a first list. May run again: what
    is there stays, and follows a decision that was recorded anew. Returns the new ones."""
    at = at or clock.now()
    with transaction.atomic():
        Process.objects.select_for_update().get(pk=process.pk)
        decisions = list(
            ProjectDecision.objects.filter(project__contribution__process=process).select_related(
                "project__contribution"
            )
        )
        there = Implementation.objects.select_for_update(of=("self",)).in_bulk(
            [decision.project_id for decision in decisions]
        )
        new = []
        for decision in decisions:
            known = there.get(decision.project_id)
            if known is not None:
                _follow_decision(known, decision, by, at)
            elif decision.funded:
                new.append(_begin(decision, process, by, at))
    return new


def _begin(decision: ProjectDecision, process: Process, by: User | None, at: datetime) -> Implementation:
    project = decision.project
    granted = decision.amount if decision.amount is not None else project.price or Decimal(0)
    implementation = Implementation.objects.create(
        project=project,
        created_at=at,
        granted_on=_decided_on(process, at),
        planned=project.price if project.price is not None else granted,
        granted=granted,
        carried_out_by=Carrier.CITIZENS if project.carried_out_by_citizens else Carrier.MUNICIPALITY,
        told_at=at,
    )
    lines = list(project.cost_lines.values_list("text", flat=True)) or [project.contribution.title]
    _write_promises(implementation, [line[:300] for line in lines if line.strip()], at)
    _record("begin_implementation", by, implementation, values={"granted": granted})
    return implementation


def _decided_on(process: Process, at: datetime) -> date:
    known = process.decisions.order_by("-decided_on").values_list("decided_on", flat=True).first()
    decided = process.transitions.filter(name="decide").values_list("at", flat=True).first()
    return known or timezone.localdate(decided or at)


def _follow_decision(
    implementation: Implementation, decision: ProjectDecision, by: User | None, at: datetime
) -> None:
    """The council's decision was recorded again."""
    if not decision.funded:
        if implementation.promised_at is None and not implementation.payments.exists():
            _record("drop_implementation", by, implementation)
            implementation.delete()
        elif not implementation.ended:
            _change_status(implementation, Progress.GIVEN_UP, decision.reason, None, by, at)
        return
    granted = decision.amount if decision.amount is not None else implementation.granted
    if granted == implementation.granted or implementation.ended:
        return
    if granted + implementation.extra < implementation.paid:
        raise Refused(
            "already_paid",
            _("%(paid)s has already been paid for “%(project)s”.")
            % {"paid": kroner(implementation.paid), "project": decision.project.contribution.title},
        )
    implementation.granted = granted
    implementation.save(update_fields=["granted"])
    _record("follow_decision", by, implementation, changed=["granted"], values={"granted": granted})


# The plan


def plan_implementation(
    *,
    implementation: Implementation,
    by: User,
    carried_out_by: str,
    carrier: str,
    owner: User | None = None,
    deputy: User | None = None,
    agreement: str = "",
    agreement_file: StoredFile | None = None,
    agreement_signed_on: date | None = None,
    agreement_signed_by: str = "",
    contact_name: str = "",
    contact_how: str = "",
    expected_on: date | None = None,
    at: datetime | None = None,
) -> Implementation:
    """Who carries it out, the agreement with a group, and who answers for it in the house (none: the process's own)."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_plan(by, one)
        if carried_out_by not in Carrier.values:
            raise Refused("carried_out_by", _("Choose who carries it out."), "carried_out_by")
        _check_answerable(one, owner, deputy)
        before = (one.carried_out_by, one.carrier)
        one.carried_out_by = carried_out_by
        one.carrier = clean(carrier, "carrier", longest=160)
        one.owner, one.deputy = owner, deputy
        one.agreement = clean(agreement, "agreement", longest=6000, required=False)
        if agreement_file is not None:
            one.agreement_file = agreement_file
        if agreement_signed_on is not None and agreement_signed_on > timezone.localdate(at):
            raise Refused("in_future", _("The day can't be in the future."), "agreement_signed_on")
        if one.by_citizens and one.paid and agreement_signed_on is None:
            raise Refused(
                "no_agreement", _("Money is paid: the agreement must be signed."), "agreement_signed_on"
            )
        if carried_out_by != before[0] and one.paid:
            raise Refused(
                "already_paid",
                _("Money is paid to the one who carries it out now. Have it paid back first."),
                "carried_out_by",
            )
        one.agreement_signed_on = agreement_signed_on
        one.agreement_signed_by = clean(
            agreement_signed_by, "agreement_signed_by", longest=200, required=False
        )
        if agreement_signed_on is not None and not one.agreement_signed_by:
            raise Refused("signed_by", _("Write who signed for the group."), "agreement_signed_by")
        one.contact_name = clean(contact_name, "contact_name", longest=200, required=False)
        one.contact_how = clean(contact_how, "contact_how", longest=200, required=False)
        if one.status != Progress.DELAYED:
            one.expected_on = expected_on
        changed = [
            *("agreement", "agreement_file", "agreement_signed_by", "agreement_signed_on", "carried_out_by"),
            *("carrier", "contact_how", "contact_name", "deputy", "expected_on", "owner"),
        ]
        one.save(update_fields=changed)
        _record("plan_implementation", by, one, changed=changed, values={"carried_out_by": carried_out_by})
        if one.promised_at is not None and before != (one.carried_out_by, one.carrier):
            _note(one, Kind.CARRIER, one.carrier, by=by, at=at)
    return one


def _check_answerable(one: Implementation, owner: User | None, deputy: User | None) -> None:
    unit = one.project.contribution.process.unit_id
    for field, user in (("owner", owner), ("deputy", deputy)):
        if user is not None:
            check_colleague(user, unit, field)
    if deputy is not None and owner is not None and deputy.pk == owner.pk:
        raise Refused("same_person", _("The deputy must be somebody else."), "deputy")


def write_promises(
    *, implementation: Implementation, by: User, promises: Iterable[str], at: datetime | None = None
) -> Implementation:
    """The whole list, one line each, until it is published."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_write_promises(by, one)
        lines = [clean(line, "promises", longest=300) for line in promises if line.strip()]
        if not lines:
            raise Refused("no_promises", _("Write at least one thing that is promised."), "promises")
        if len(lines) > MOST_PROMISES:
            raise Refused("too_many", _("Use at most %(most)s lines.") % {"most": MOST_PROMISES}, "promises")
        _write_promises(one, lines, at)
        _record("write_promises", by, one, changed=["promises"], values={"number": len(lines)})
    return one


def _write_promises(one: Implementation, lines: list[str], at: datetime) -> None:
    one.promises.all().delete()
    Promise.objects.bulk_create(
        Promise(implementation=one, text=line, position=position, added_on=timezone.localdate(at))
        for position, line in enumerate(lines)
    )


def add_milestone(
    *, implementation: Implementation, by: User, title: str, planned_on: date, at: datetime | None = None
) -> Milestone:
    with transaction.atomic():
        one = _locked(implementation)
        may.check_plan(by, one)
        if one.milestones.count() >= MOST_MILESTONES:
            raise Refused("too_many", _("Use at most %(most)s lines.") % {"most": MOST_MILESTONES}, "title")
        milestone = Milestone.objects.create(
            implementation=one,
            title=clean(title, "title", longest=120),
            planned_on=planned_on,
            first_planned_on=planned_on,
        )
        _record("add_milestone", by, one, changed=["milestones"], values={"planned_on": planned_on})
    return milestone


def remove_milestone(*, milestone: Milestone, by: User) -> None:
    """Only before the plan is published; later it is moved."""
    with transaction.atomic():
        one = _locked(milestone.implementation)
        may.check_write_promises(by, one)
        one.milestones.filter(pk=milestone.pk).delete()
        _record("remove_milestone", by, one, changed=["milestones"])


def move_milestone(
    *, milestone: Milestone, by: User, planned_on: date, because: str, at: datetime | None = None
) -> Milestone:
    """To another day. Once the plan is published it leaves a trace with its reason."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(milestone.implementation)
        may.check_plan(by, one)
        milestone = Milestone.objects.get(pk=milestone.pk, implementation=one)
        if milestone.reached_on is not None:
            raise Refused("reached", _("The milestone has been reached."))
        published = one.promised_at is not None
        because = clean(because, "because", longest=1000, required=published)
        milestone.planned_on = planned_on
        milestone.save(update_fields=["planned_on"])
        _record("move_milestone", by, one, changed=["milestones"], values={"planned_on": planned_on})
        if published:
            _note(one, Kind.MILESTONE_MOVED, milestone.title, because, by=by, at=at, milestone=milestone)
    return milestone


def publish_plan(*, implementation: Implementation, by: User, at: datetime | None = None) -> Implementation:
    """From here everyone can read what is promised, and nothing of it is rewritten."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_publish_plan(by, one)
        one.promised_at = at
        one.save(update_fields=["promised_at"])
        _record("publish_plan", by, one, changed=["promised_at"])
        text = "\n".join(f"– {promise.text}" for promise in one.promises.all())
        note = _note(one, Kind.PLAN, str(_("The plan is ready")), text, by=by, at=at)
        _tell_supporters(note, gettext_lazy("The plan is ready"), by)
    return one


# What became of each promise


def add_promise(
    *, implementation: Implementation, by: User, text: str, because: str, at: datetime | None = None
) -> Promise:
    """Promised later than the rest, and why."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
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
        _record("add_promise", by, one, changed=["promises"])
        _note(one, Kind.PROMISE_ADDED, promise.text, because, by=by, at=at)
    return promise


def deliver_promise(*, promise: Promise, by: User, on: date, at: datetime | None = None) -> Promise:
    at = at or clock.now()
    with transaction.atomic():
        promise = _settle(promise, Promise.State.DELIVERED, by, on, "", at)
        _note(promise.implementation, Kind.PROMISE_DELIVERED, promise.text, by=by, at=at)
    return promise


def drop_promise(
    *, promise: Promise, by: User, because: str, on: date | None = None, at: datetime | None = None
) -> Promise:
    """It will not come, and everyone reads why."""
    at = at or clock.now()
    with transaction.atomic():
        because = clean(because, "because", longest=1000)
        promise = _settle(promise, Promise.State.DROPPED, by, on or timezone.localdate(at), because, at)
        note = _note(promise.implementation, Kind.PROMISE_DROPPED, promise.text, because, by=by, at=at)
        _tell_supporters(note, gettext_lazy("Something that was promised is dropped"), by)
    return promise


def take_out_promise(*, promise: Promise, by: User, because: str, at: datetime | None = None) -> Promise:
    """It stood in the list by mistake: it no longer counts, but stays readable with its reason."""
    at = at or clock.now()
    with transaction.atomic():
        because = clean(because, "because", longest=1000)
        promise = _settle(promise, Promise.State.TAKEN_OUT, by, timezone.localdate(at), because, at)
        _note(promise.implementation, Kind.PROMISE_TAKEN_OUT, promise.text, because, by=by, at=at)
    return promise


def _settle(promise: Promise, state: str, by: User, on: date, because: str, at: datetime) -> Promise:
    one = _locked(promise.implementation)
    may.check_follow_up(by, one)
    promise = Promise.objects.get(pk=promise.pk, implementation=one)
    promise.implementation = one
    if promise.state != Promise.State.PROMISED:
        raise Refused("settled", _("It has already been said what became of it."))
    if on > timezone.localdate(at):
        raise Refused("in_future", _("The day can't be in the future."), "on")
    promise.state, promise.settled_on, promise.reason = state, on, because
    promise.save(update_fields=["state", "settled_on", "reason"])
    _record("settle_promise", by, one, changed=["promises"], values={"state": str(state), "on": on})
    return promise


def reach_milestone(
    *, milestone: Milestone, by: User, on: date, text: str = "", at: datetime | None = None
) -> Milestone:
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(milestone.implementation)
        may.check_follow_up(by, one)
        milestone = _reach(one, milestone, on, at)
        _record("reach_milestone", by, one, changed=["milestones"], values={"reached_on": on})
        text = clean(text, "text", longest=4000, required=False)
        note = _note(one, Kind.MILESTONE, milestone.title, text, by=by, at=at, milestone=milestone)
        _tell_supporters(note, gettext_lazy("A milestone is reached"), by)
    return milestone


def _reach(one: Implementation, milestone: Milestone, on: date, at: datetime) -> Milestone:
    milestone = Milestone.objects.get(pk=milestone.pk, implementation=one)
    if milestone.reached_on is not None:
        raise Refused("reached", _("The milestone has been reached."))
    if on > timezone.localdate(at):
        raise Refused("in_future", _("The day can't be in the future."), "on")
    milestone.reached_on = on
    milestone.save(update_fields=["reached_on"])
    return milestone


# How it goes


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
        one = _locked(implementation)
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
        _change_status(one, status, why, expected_on, by, at)
    return one


def _change_status(
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
    _record("change_status", by, one, changed=changed, values={"status": status, "returned": one.returned})
    label = Progress(status).label
    note = _note(
        one,
        Kind.STATUS,
        str(label),
        why,
        by=by,
        at=at,
        status=status,
        expected_on=one.expected_on if status == Progress.DELAYED else None,
    )
    _tell_supporters(note, label, by)


# The money


def record_payment(
    *,
    implementation: Implementation,
    by: User,
    amount: Decimal | int,
    paid_on: date,
    text: str,
    at: datetime | None = None,
) -> Payment:
    """Money out of the grant, never more than is left of it."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_pay(by, one)
        amount = _amount(amount)
        _check_day(paid_on, "paid_on", at)
        if amount > one.left:
            raise Refused(
                "over_grant",
                _("Only %(left)s is left of the grant. Record a later grant first, with its reason.")
                % {"left": kroner(one.left)},
                "amount",
            )
        payment = _pay(one, Payment.Kind.PAYMENT, amount, paid_on, text, by, at)
    return payment


def correct_payment(*, payment: Payment, by: User, text: str, at: datetime | None = None) -> Payment:
    """A wrong payment is met by its exact opposite; the right one is then recorded as new."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(payment.implementation)
        may.check_pay(by, one)
        payment = Payment.objects.get(pk=payment.pk, implementation=one)
        if payment.kind == Payment.Kind.CORRECTION or Payment.objects.filter(corrects=payment).exists():
            raise Refused("corrected", _("It has already been corrected."))
        if -payment.amount > one.left:
            raise Refused("over_grant", _("Only %(left)s is left of the grant.") % {"left": kroner(one.left)})
        return _pay(
            one, Payment.Kind.CORRECTION, -payment.amount, timezone.localdate(at), text, by, at, payment
        )


def record_repayment(
    *,
    implementation: Implementation,
    by: User,
    amount: Decimal | int,
    paid_on: date,
    text: str,
    at: datetime | None = None,
) -> Payment:
    """Money that came back from the one it was paid to."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_pay(by, one)
        amount = _amount(amount)
        _check_day(paid_on, "paid_on", at)
        if amount > one.paid:
            raise Refused(
                "over_paid", _("Only %(paid)s has been paid.") % {"paid": kroner(one.paid)}, "amount"
            )
        return _pay(one, Payment.Kind.REPAYMENT, -amount, paid_on, text, by, at)


def _pay(
    one: Implementation,
    kind: str,
    amount: Decimal,
    paid_on: date,
    text: str,
    by: User,
    at: datetime,
    corrects: Payment | None = None,
) -> Payment:
    payment = Payment.objects.create(
        implementation=one,
        kind=kind,
        amount=amount,
        paid_on=paid_on,
        text=clean(text, "text", longest=200),
        corrects=corrects,
        recorded_by=by,
        recorded_at=at,
    )
    record(
        action="budgets.record_payment",
        by=by,
        obj=payment,
        values={"amount": amount, "kind": str(kind), "project": one.pk},
        process_id=one.project.contribution.process_id,
    )
    return payment


def grant_extra(
    *,
    implementation: Implementation,
    by: User,
    amount: Decimal | int,
    reason: str,
    decided_on: date,
    at: datetime | None = None,
) -> ExtraGrant:
    """More money than the council first gave, with its reason for everyone to read."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_follow_up(by, one)
        amount = _amount(amount)
        _check_day(decided_on, "decided_on", at)
        reason = clean(reason, "reason", longest=1000)
        grant = ExtraGrant.objects.create(
            implementation=one,
            amount=amount,
            reason=reason,
            decided_on=decided_on,
            recorded_by=by,
            recorded_at=at,
        )
        record(
            action="budgets.grant_extra",
            by=by,
            obj=grant,
            values={"amount": amount, "project": one.pk},
            process_id=one.project.contribution.process_id,
        )
        _note(one, Kind.EXTRA_GRANT, kroner(amount), reason, by=by, at=at)
    return grant


def _amount(amount: Decimal | int) -> Decimal:
    """Kroner and øre, above zero."""
    value = Decimal(amount)
    if not value.is_finite() or value <= 0:
        raise Refused("amount", _("Write an amount above zero."), "amount")
    if value != value.quantize(Decimal("0.01")) or value >= Decimal(10) ** 12:
        raise Refused("amount", _("Write the amount in kroner and øre."), "amount")
    return value


def _check_day(on: date, field: str, at: datetime) -> None:
    if on > timezone.localdate(at):
        raise Refused("in_future", _("The day can't be in the future."), field)


# The accounts of those who carry it out themselves


def enter_spending(
    *,
    implementation: Implementation,
    by: User,
    amount: Decimal | int,
    spent_on: date,
    text: str,
    receipt: StoredFile | None = None,
    at: datetime | None = None,
) -> AccountEntry:
    """A line with its receipt: from the group it waits for a caseworker, from a caseworker it counts at once."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        from_group = may.is_carrier(by, one)
        if from_group:
            may.check_report_spending(by, one)
        else:
            may.check_keep_accounts(by, one)
        if from_group and receipt is None:
            raise Refused("no_receipt", _("Add the receipt: a photo of it is enough."), "receipt")
        _check_day(spent_on, "spent_on", at)
        entry = AccountEntry.objects.create(
            implementation=one,
            amount=_amount(amount),
            spent_on=spent_on,
            text=clean(text, "text", longest=200),
            receipt=receipt,
            author=by if from_group else None,
            recorded_at=at,
            **{} if from_group else _settled(AccountEntry.State.CONFIRMED, by, at),
        )
        _record_entry("enter_spending", by, entry, one)
    return entry


def settle_spending(
    *,
    entry: AccountEntry,
    by: User,
    confirm: bool,
    because: str = "",
    receipt_public: bool = False,
    at: datetime | None = None,
) -> AccountEntry:
    """A caseworker confirms what the group entered, or says why not. The group is told when it is not."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(entry.implementation)
        entry = AccountEntry.objects.select_related("author").get(pk=entry.pk, implementation=one)
        entry.implementation = one
        may.check_settle_entry(by, entry)
        entry.refused_because = "" if confirm else clean(because, "because", longest=500)
        state = AccountEntry.State.CONFIRMED if confirm else AccountEntry.State.REFUSED
        for name, value in _settled(state, by, at).items():
            setattr(entry, name, value)
        entry.receipt_public = confirm and receipt_public and entry.receipt_id is not None
        entry.save(update_fields=["refused_because", "state", "settled_by", "settled_at", "receipt_public"])
        _record_entry("settle_spending", by, entry, one)
        if not confirm:
            _tell_author(entry.author, one, f"entry:{entry.pk}", entry.text, entry.refused_because, by)
    return entry


def correct_spending(*, entry: AccountEntry, by: User, text: str, at: datetime | None = None) -> AccountEntry:
    """A confirmed line that is wrong is met by its exact opposite."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(entry.implementation)
        may.check_keep_accounts(by, one)
        entry = AccountEntry.objects.get(pk=entry.pk, implementation=one)
        done = entry.corrects_id is not None or AccountEntry.objects.filter(corrects=entry).exists()
        if entry.state != AccountEntry.State.CONFIRMED or done:
            raise Refused("corrected", _("Only a confirmed line is corrected, and only once."))
        correction = AccountEntry.objects.create(
            implementation=one,
            amount=-entry.amount,
            spent_on=timezone.localdate(at),
            text=clean(text, "text", longest=200),
            corrects=entry,
            recorded_at=at,
            **_settled(AccountEntry.State.CONFIRMED, by, at),
        )
        _record_entry("correct_spending", by, correction, one)
    return correction


def _settled(state: str, by: User, at: datetime) -> dict[str, Any]:
    return {"state": state, "settled_by": by, "settled_at": at}


def send_accounts(*, implementation: Implementation, by: User, at: datetime | None = None) -> Implementation:
    """Everything is in: a colleague approves."""
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_send_accounts(by, one)
        one.accounts_sent_at, one.accounts_sent_by = at, by
        one.save(update_fields=["accounts_sent_at", "accounts_sent_by"])
        _record("send_accounts", by, one, changed=["accounts_sent_at"])
    return one


def approve_accounts(
    *, implementation: Implementation, by: User, at: datetime | None = None
) -> Implementation:
    at = at or clock.now()
    with transaction.atomic():
        one = _locked(implementation)
        may.check_approve_accounts(by, one)
        one.accounts_approved_at, one.accounts_approved_by = at, by
        one.save(update_fields=["accounts_approved_at", "accounts_approved_by"])
        _record("approve_accounts", by, one, changed=["accounts_approved_at"])
        _note(one, Kind.ACCOUNTS, str(_("The accounts are approved")), by=by, at=at)
    return one


def send_back_accounts(
    *, implementation: Implementation, by: User, because: str, at: datetime | None = None
) -> Implementation:
    """Something is missing: the accounts are open again, and whoever sent them reads why in the history."""
    with transaction.atomic():
        one = _locked(implementation)
        may.check_work(by, one)
        if one.accounts_sent_at is None or one.ended:
            raise Refused("accounts_not_sent", _("The accounts have not been sent to approval yet."))
        because = clean(because, "because", longest=500)
        sender = one.accounts_sent_by
        one.accounts_sent_at = one.accounts_sent_by = None
        one.accounts_approved_at = one.accounts_approved_by = None
        changed = ["accounts_approved_at", "accounts_approved_by", "accounts_sent_at", "accounts_sent_by"]
        one.save(update_fields=changed)
        _record("send_back_accounts", by, one, changed=changed)
        _tell_author(sender, one, f"accounts:{clock.now().timestamp():.6f}", _("The accounts"), because, by)
    return one


# Telling about it


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
        one = _locked(implementation)
        may.check_tell(by, one)
        title, text = clean(title, "title", longest=160), clean(text, "text", longest=4000)
        note = _note(one, Kind.NEWS, title, text, by=by, at=at, photo=photo)
        record(
            action="budgets.tell_news",
            by=by,
            obj=note,
            process_id=one.project.contribution.process_id,
        )
        _tell_supporters(note, None, by)
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
        one = _locked(implementation)
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
        record(
            action="budgets.report_news",
            by=by,
            obj=note,
            process_id=one.project.contribution.process_id,
        )
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
        one = _locked(note.implementation)
        note = ProgressNote.objects.select_related("author", "milestone").get(pk=note.pk, implementation=one)
        note.implementation = one
        may.check_settle_note(by, note)
        note.by = by
        note.state = ProgressNote.State.SHOWN if show else ProgressNote.State.REFUSED
        note.refused_because = "" if show else clean(because, "because", longest=500)
        changed = ["by", "refused_because", "state"]
        if show:
            if note.milestone is not None and note.milestone.reached_on is None and not one.ended:
                _reach(one, note.milestone, on or timezone.localdate(note.at), at)
            note.at = at
            changed.append("at")
        note.save(update_fields=changed)
        record(
            action="budgets.settle_note",
            by=by,
            obj=note,
            changed=changed,
            values={"state": str(note.state)},
            process_id=one.project.contribution.process_id,
        )
        if show:
            _told(one, at)
            _tell_supporters(note, None, by)
        else:
            _tell_author(note.author, one, f"note:{note.pk}", note.title, note.refused_because, by)
    return note


def forget_contacts(*, at: datetime | None = None) -> int:
    """A year after a project has ended, nobody needs the group's contact and who signed any more."""
    at = at or clock.now()
    named = ~Q(contact_name="", contact_how="", agreement_signed_by="")
    old = Implementation.objects.filter(
        named, status__in=ENDED, ended_on__lte=timezone.localdate(at - FORGET_CONTACT_AFTER)
    ).select_related("project__contribution")
    forgotten = 0
    for one in old:
        with transaction.atomic():
            one.contact_name = one.contact_how = one.agreement_signed_by = ""
            changed = ["agreement_signed_by", "contact_how", "contact_name"]
            one.save(update_fields=changed)
            _record("forget_contact", None, one, changed=changed)
            forgotten += 1
    return forgotten


def supporters(project: Project) -> QuerySet[User]:
    """Who hears news of a project: those behind it, those who support it, and those who follow the process."""
    wanted = team.among_authors(Contribution.objects.filter(pk=project.pk))
    wanted |= Q(pk__in=Support.objects.filter(contribution=project.pk).exclude(user=None).values("user"))
    wanted |= Q(pk__in=project.contribution.process.follows.values("user"))
    return User.objects.filter(wanted, is_active=True)


def _note(
    one: Implementation,
    kind: str,
    title: str,
    text: str = "",
    *,
    by: User | None,
    at: datetime,
    status: str = "",
    expected_on: date | None = None,
    milestone: Milestone | None = None,
    photo: StoredFile | None = None,
) -> ProgressNote:
    """A line of the public diary: from this moment nobody can say that nothing was told."""
    note = ProgressNote.objects.create(
        implementation=one,
        kind=kind,
        title=title[:300],
        text=text,
        status=status,
        expected_on=expected_on,
        milestone=milestone,
        photo=photo,
        at=at,
        by=by,
    )
    _told(one, at)
    return note


def _told(one: Implementation, at: datetime) -> None:
    one.told_at = at
    one.save(update_fields=["told_at"])


def _tell_supporters(note: ProgressNote, what: "_StrPromise | str | None", by: User | None) -> None:
    project = note.implementation.project
    title = project.contribution.title
    notices.tell(
        users=supporters(project),
        event=f"implementation:{project.pk}:note:{note.pk}",
        kind=Notice.Kind.NEWS,
        title=format_lazy("{}: {}", title, what if what is not None else note.title),
        text="\n\n".join(filter(None, [note.title if what is not None else "", note.text])),
        url=f"{project.contribution.get_absolute_url()}#gennemfoerelse",
        process=project.contribution.process,
        by=by,
    )


def _tell_author(
    user: User | None, one: Implementation, event: str, what: str, because: str, by: User
) -> None:
    if user is None:
        return
    contribution = one.project.contribution
    notices.tell(
        users=[user],
        event=f"implementation:{one.pk}:{event}",
        kind=Notice.Kind.ANSWER,
        title=format_lazy("{}: {}", gettext_lazy("Something must be changed"), contribution.title),
        text=format_lazy("{}\n\n{}", what, because),
        url=f"{contribution.get_absolute_url()}#gennemfoerelse",
        process=contribution.process,
        by=by,
    )


def _locked(implementation: Implementation) -> Implementation:
    return (
        Implementation.objects.select_for_update(of=("self",))
        .select_related("project__contribution__process", "project__contribution__author", "accounts_sent_by")
        .get(pk=implementation.pk)
    )


def _record(
    action: str,
    by: User | None,
    one: Implementation,
    *,
    changed: Iterable[str] = (),
    values: dict[str, Any] | None = None,
) -> None:
    record(
        action=f"budgets.{action}",
        by=by,
        obj=one,
        changed=changed,
        values=values,
        process_id=one.project.contribution.process_id,
    )


def _record_entry(action: str, by: User, entry: AccountEntry, one: Implementation) -> None:
    record(
        action=f"budgets.{action}",
        by=by,
        obj=entry,
        changed=["state"],
        values={"amount": entry.amount, "state": str(entry.state), "project": one.pk},
        process_id=one.project.contribution.process_id,
    )
