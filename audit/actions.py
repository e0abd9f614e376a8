"""The one door into the audit table."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models, transaction

from audit import clock
from audit.models import Entry
from audit.signals import recorded


def record(
    *,
    action: str,
    by: Any,
    obj: models.Model,
    changed: Iterable[str] = (),
    values: Mapping[str, Any] | None = None,
    process_id: int | None = None,
) -> Entry:
    """Write one audit row in the caller's transaction.

    `by` is the acting user or None for the system's clock. `values` may hold only what is not personal.
    `process_id` is found on the object when it has one.
    """
    if process_id is None:
        process_id = (
            obj.pk if obj._meta.label_lower == "participation.process" else getattr(obj, "process_id", None)
        )
    entry = Entry.objects.create(
        at=clock.now(),
        actor_id=getattr(by, "pk", None),
        actor_role=getattr(by, "role", "") or "",
        action=action,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        process_id=process_id,
        changed=sorted(changed),
        values=dict(values or {}),
    )
    transaction.on_commit(lambda: recorded.send(Entry, entry=entry), robust=True)
    return entry
