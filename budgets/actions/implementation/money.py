"""Money out of the grant, back into it, and more of it."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from budgets import carrying_out as may
from budgets.actions.implementation.diary import write_note
from budgets.actions.implementation.row import above_zero, check_day, locked, log
from budgets.models import ExtraGrant, Implementation, Payment, ProgressNote
from dkfds.wording import kroner
from participation import clock
from participation.texts import clean


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
        one = locked(implementation)
        may.check_pay(by, one)
        amount = above_zero(amount)
        check_day(paid_on, "paid_on", at)
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
        one = locked(payment.implementation)
        may.check_pay_back(by, one)
        payment = Payment.objects.get(pk=payment.pk, implementation=one)
        if payment.kind == Payment.Kind.CORRECTION or Payment.objects.filter(corrects=payment).exists():
            raise Refused("corrected", _("It has already been corrected."))
        _check_paid(payment.amount, one)
        left = one.total_granted - one.paid
        if -payment.amount > left:
            raise Refused("over_grant", _("Only %(left)s is left of the grant.") % {"left": kroner(left)})
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
    """Money that came back from the one it was paid to; often when the project has been given up."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_pay_back(by, one)
        amount = above_zero(amount)
        check_day(paid_on, "paid_on", at)
        _check_paid(amount, one)
        return _pay(one, Payment.Kind.REPAYMENT, -amount, paid_on, text, by, at)


def _check_paid(amount: Decimal, one: Implementation) -> None:
    """No more can come back than has gone out, less what came back before."""
    if amount > one.paid:
        raise Refused("over_paid", _("Only %(paid)s has been paid.") % {"paid": kroner(one.paid)}, "amount")


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
    if one.ended and amount > 0:
        _go_back(one, -amount)
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
    if one.ended and amount < 0:
        _go_back(one, -amount)
    values = {"amount": amount, "kind": str(kind), "project": one.pk}
    log("record_payment", by, one, obj=payment, values=values)
    return payment


def _go_back(one: Implementation, amount: Decimal) -> None:
    """Nothing is left of what has ended: what comes back goes on to the municipality, and what didn't come after all is
    taken from there. In the order that never has more paid and gone back than was granted."""
    one.returned += amount
    one.save(update_fields=["returned"])


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
        one = locked(implementation)
        may.check_follow_up(by, one)
        amount = above_zero(amount)
        grant = _change_grant(one, amount, reason, decided_on, by, at)
        write_note(one, ProgressNote.Kind.EXTRA_GRANT, kroner(amount), grant.reason, by=by, at=at)
    return grant


def lower_grant(
    *,
    implementation: Implementation,
    by: User,
    amount: Decimal | int,
    reason: str,
    decided_on: date,
    at: datetime | None = None,
) -> ExtraGrant:
    """Less money, or a later grant that was written wrongly: never below what has been paid."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_follow_up(by, one)
        amount = above_zero(amount)
        if amount > one.left:
            raise Refused(
                "already_paid",
                _("Only %(left)s is left of the grant: what has been paid can't be taken from it.")
                % {"left": kroner(one.left)},
                "amount",
            )
        grant = _change_grant(one, -amount, reason, decided_on, by, at)
        title = _("The grant is lowered by %(money)s") % {"money": kroner(amount)}
        write_note(one, ProgressNote.Kind.NEWS, title, grant.reason, by=by, at=at)
    return grant


def _change_grant(
    one: Implementation, amount: Decimal, reason: str, decided_on: date, by: User, at: datetime
) -> ExtraGrant:
    check_day(decided_on, "decided_on", at)
    grant = ExtraGrant.objects.create(
        implementation=one,
        amount=amount,
        reason=clean(reason, "reason", longest=1000),
        decided_on=decided_on,
        recorded_by=by,
        recorded_at=at,
    )
    action = "grant_extra" if amount > 0 else "lower_grant"
    log(action, by, one, obj=grant, values={"amount": amount, "project": one.pk})
    return grant
