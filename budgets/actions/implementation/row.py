"""The row that every write locks, its line in the audit log, and what amounts and days must be."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from budgets.models import Implementation


def locked(implementation: Implementation) -> Implementation:
    return (
        Implementation.objects.select_for_update(of=("self",))
        .select_related("project__contribution__process", "project__contribution__author", "accounts_sent_by")
        .get(pk=implementation.pk)
    )


def log(
    action: str,
    by: User | None,
    one: Implementation,
    *,
    obj: Model | None = None,
    changed: Iterable[str] = (),
    values: dict[str, Any] | None = None,
) -> None:
    """`obj` where it is about a row that hangs on the project, not about the project itself."""
    record(
        action=f"budgets.{action}",
        by=by,
        obj=obj or one,
        changed=changed,
        values=values,
        process_id=one.project.contribution.process_id,
    )


def above_zero(amount: Decimal | int) -> Decimal:
    """Kroner and øre, above zero."""
    value = Decimal(amount)
    if not value.is_finite() or value <= 0:
        raise Refused("amount", _("Write an amount above zero."), "amount")
    if value >= Decimal(10) ** 12 or value != value.quantize(Decimal("0.01")):
        raise Refused("amount", _("Write the amount in kroner and øre."), "amount")
    return value


def check_day(on: date, field: str, at: datetime) -> None:
    if on > timezone.localdate(at):
        raise Refused("in_future", _("The day can't be in the future."), field)
