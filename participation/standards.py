"""Visible defaults ("standard – ret"): what a small or ordinary process may leave unwritten.

A standard answer is data (`StandardAnswer`), by format and size, the most particular first. A date is given as
`{"days_after_closing": 14}` and follows the phases until somebody types one. A legal basis is given by its name.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from participation import clock
from participation.models import OpeningMinimum, Process, StandardAnswer
from participation.principles.base import local_date

# Relations with standard rows, and the columns that make two rows the same.
ROWS = {"audiences": ("kind", "name"), "channels": ("name", "digital")}


def answers_for(format_key: str, size: str) -> dict[str, Any]:
    """The standard answer of each field for this format and size."""
    found: dict[str, tuple[int, Any]] = {}
    for answer in StandardAnswer.objects.filter(format__in=["", format_key], size__in=["", size]):
        rank = 2 * bool(answer.format) + bool(answer.size)
        if answer.field not in found or rank > found[answer.field][0]:
            found[answer.field] = (rank, answer.value)
    return {field: value for field, (_rank, value) in found.items()}


def resolved(process: Process, field: str, value: Any) -> Any:
    """A standard answer as the field takes it; None where it can't be known yet."""
    if field == "legal_basis":
        on = local_date(process.opens_at) if process.opens_at else clock.today()
        valid = OpeningMinimum.objects.filter(name=value, valid_from__lte=on).order_by("-valid_from")
        return next((row for row in valid if row.valid_to is None or row.valid_to >= on), None)
    if isinstance(value, dict) and "days_after_closing" in value:
        if process.closes_at is None:
            return None
        return local_date(process.closes_at) + timedelta(days=int(value["days_after_closing"]))
    return value


def fill(process: Process, *, only: Iterable[str] | None = None) -> list[str]:
    """Give the fields (all that are empty, or `only` these) their standard answer on the instance, unsaved, and note
    them in `from_standard`. Rows are the caller's. Returns the names of the columns set."""
    changed = []
    for field, value in answers_for(process.format, process.size).items():
        if field in ROWS or (only is not None and field not in only):
            continue
        if only is None and getattr(process, field) not in (None, "", []):
            continue
        answer = resolved(process, field, value)
        if getattr(process, field) != answer:
            setattr(process, field, answer)
            changed.append(field)
        if field not in process.from_standard:
            process.from_standard = [*process.from_standard, field]
    return changed


def following_dates(process: Process) -> list[str]:
    """The fields still on the standard whose answer follows the phases."""
    return [
        field
        for field, value in answers_for(process.format, process.size).items()
        if field in process.from_standard and (isinstance(value, dict) or field == "legal_basis")
    ]
