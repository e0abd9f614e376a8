"""The one source of time, read as `participation.clock.now()` in the rooms above.

It lies in the lowest room because accounts and audit need it too (docs/decisions/0002). In the demo and in tests
CLOCK_FILE names a file that every process reads: empty or missing is real time, `+3600` an offset in seconds, an ISO
time with zone a clock that stands still. In production CLOCK_FILE is empty and time can't be moved.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)
_read: tuple[int, str] = (-1, "")


def now() -> datetime:
    """The present moment, aware, UTC."""
    frozen = _frozen.get()
    if frozen is not None:
        return frozen
    real = datetime.now(UTC)
    moved = _moved() if settings.CLOCK_FILE else ""
    if not moved:
        return real
    if moved[0] in "+-":
        return real + timedelta(seconds=float(moved))
    return datetime.fromisoformat(moved).astimezone(UTC)


def today() -> date:
    """The present day in the municipality's time zone."""
    return timezone.localdate(now())


def move(to: str) -> None:
    """Move the clock of every process (demo and tests): "", "+seconds", "-seconds" or an ISO time with zone."""
    if not settings.CLOCK_FILE:
        raise RuntimeError("The clock can only be moved where CLOCK_FILE is set.")
    path = Path(settings.CLOCK_FILE)
    fresh = path.with_suffix(".new")
    fresh.write_text(to)
    os.replace(fresh, path)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """This thread's clock stands still at `at`."""
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)


def _moved() -> str:
    global _read
    try:
        changed = os.stat(settings.CLOCK_FILE).st_mtime_ns
    except FileNotFoundError:
        return ""
    if _read[0] != changed:
        _read = (changed, Path(settings.CLOCK_FILE).read_text().strip())
    return _read[1]
