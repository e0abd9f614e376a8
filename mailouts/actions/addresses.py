"""E-mail addresses that bounce."""

from django.db import transaction

from audit import clock
from audit.actions import record
from mailouts.models import DisabledAddress


@transaction.atomic
def disable(*, email: str, reason: str) -> None:
    """Nothing more is sent there until somebody confirms the address again. Twice is once."""
    row, created = DisabledAddress.objects.get_or_create(
        email=email.casefold(), defaults={"since": clock.now(), "reason": reason[:200]}
    )
    if created:
        record(action="mailouts.disable_address", by=None, obj=row)


@transaction.atomic
def enable(*, email: str) -> None:
    """Its owner has confirmed it again."""
    for row in DisabledAddress.objects.select_for_update().filter(email=email.casefold()):
        record(action="mailouts.enable_address", by=None, obj=row)
        row.delete()
