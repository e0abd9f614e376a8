"""When what is allowed. The phase's interval is asked at the moment the request came in; status alone never opens.

`opens_at` and `closes_at` of a process are the start of its first and the end of its last phase: `write` is the one
place that derives them, and a deferred trigger holds them together after approval.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.utils import IntegrityError
from django.utils import formats as django_formats
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.verdict import Refused, Verdict, verdict
from participation import clock, formats
from participation.choices import Status
from participation.formats import Act
from participation.models import Phase, Process

# In which phases are asked: not before approval, and not when it was cancelled or already decided.
LONGEST_DESCRIPTION = 200
_RUNNING = frozenset({Status.APPROVED, Status.OPEN, Status.CLOSED})


@dataclass(frozen=True)
class Planned:
    """A phase as it is typed: `starts` ≤ t < `ends`, both aware."""

    kind: str
    starts: datetime
    ends: datetime
    description: str = ""


def phase_at(process: Process, at: datetime) -> Phase | None:
    """The phase this moment lies in."""
    return next(
        (phase for phase in process.phases.all() if phase.interval.lower <= at < phase.interval.upper), None
    )


def next_phase(process: Process, at: datetime) -> Phase | None:
    """The first phase that begins after this moment."""
    return min(
        (phase for phase in process.phases.all() if phase.interval.lower > at),
        key=lambda phase: phase.interval.lower,
        default=None,
    )


def label(phase: Phase) -> str:
    kind = formats.get(phase.process.format).phase_kind(phase.kind)
    return str(kind.label) if kind else phase.kind


def moment(at: datetime) -> str:
    """A moment as people read it: "mandag den 3. marts kl. 9"; a stroke of midnight is the day alone."""
    local = timezone.localtime(at)
    day = django_formats.date_format(local, _("l j F"))
    if (local.hour, local.minute) == (0, 0):
        return day
    return _("%(day)s at %(time)s") % {"day": day, "time": django_formats.date_format(local, _("H:i"))}


def closing_moment(at: datetime) -> str:
    """A closing as people read it: at midnight, the day that ends with it."""
    local = timezone.localtime(at)
    if (local.hour, local.minute) == (0, 0):
        return moment(local - timedelta(days=1))
    return moment(at)


def check_allows(process: Process, act: Act, *, at: datetime | None = None) -> None:
    """Raise `Refused` unless the phase at that moment allows this; the reason says when it opens or closed."""
    at = at or clock.now()
    fmt = formats.get(process.format)
    kinds = {kind.key: kind for kind in fmt.phase_kinds if act in kind.allows}
    if not kinds:
        raise Refused("not_in_format", _("This is not part of this process."))
    if process.status == Status.CANCELLED:
        raise Refused("cancelled", _("The process was cancelled."))
    if process.status in {Status.DECIDED, Status.CONCLUDED}:
        raise Refused("over", _("The process is over."))
    if process.status not in _RUNNING:
        raise Refused("not_public", _("The process is not open."))
    phases = [phase for phase in process.phases.all() if phase.kind in kinds]
    if any(phase.interval.lower <= at < phase.interval.upper for phase in phases):
        if process.status == Status.APPROVED and fmt.before_transition is not None:
            # The clock has not opened it yet: what would stop the opening stops this too.
            fmt.before_transition(process, name="open", by=None, at=at)
        return
    coming = [phase for phase in phases if phase.interval.lower > at]
    if coming:
        first = min(coming, key=lambda phase: phase.interval.lower)
        raise Refused(
            "not_yet",
            _("%(phase)s opens %(when)s.")
            % {"phase": kinds[first.kind].label, "when": moment(first.interval.lower)},
        )
    if phases:
        last = max(phases, key=lambda phase: phase.interval.upper)
        raise Refused(
            "closed",
            _("%(phase)s closed %(when)s.")
            % {"phase": kinds[last.kind].label, "when": closing_moment(last.interval.upper)},
        )
    raise Refused("no_phase", _("It has not been planned yet when this opens."))


def can_allows(process: Process, act: Act, *, at: datetime | None = None) -> Verdict:
    return verdict(check_allows, process, act, at=at)


def planned(process: Process, rows: Iterable[Mapping[str, Any] | Planned]) -> list[Planned]:
    """The phases as typed, in order of time; `Refused` (field "phases") where they make no sense."""
    fmt = formats.get(process.format)
    result: list[Planned] = []
    for row in rows:
        phase = row if isinstance(row, Planned) else _typed(row)
        kind = fmt.phase_kind(phase.kind)
        if kind is None:
            raise Refused(
                "unknown_phase", _("“%(kind)s” is no phase of this format.") % {"kind": phase.kind}, "phases"
            )
        if timezone.is_naive(phase.starts) or timezone.is_naive(phase.ends):
            raise Refused("no_time_zone", _("A phase needs times with a time zone."), "phases")
        if phase.ends <= phase.starts:
            raise Refused(
                "closes_before_opening",
                _("%(phase)s closes before it opens: give a closing after %(opens)s.")
                % {"phase": kind.label, "opens": moment(phase.starts)},
                "phases",
            )
        if len(phase.description) > LONGEST_DESCRIPTION or "\x00" in phase.description:
            raise Refused(
                "invalid",
                _("Say what happens in the phase in at most %(longest)s characters.")
                % {"longest": LONGEST_DESCRIPTION},
                "phases",
            )
        result.append(phase)
    result.sort(key=lambda phase: phase.starts)
    for before, after in pairwise(result):
        if after.starts < before.ends:
            facts = {
                "before": fmt.phase_kind(before.kind).label,  # type: ignore[union-attr]
                "after": fmt.phase_kind(after.kind).label,  # type: ignore[union-attr]
                "ends": moment(before.ends),
            }
            message = _("%(after)s begins before %(before)s ends on %(ends)s.") % facts
            raise Refused("phases_overlap", message, "phases")
    if len({phase.kind for phase in result}) != len(result):
        raise Refused("phase_twice", _("The same phase is there twice."), "phases")
    return result


def _typed(row: Mapping[str, Any]) -> Planned:
    starts, ends = row.get("interval") or (row.get("starts"), row.get("ends"))
    if not isinstance(starts, datetime) or not isinstance(ends, datetime):
        raise Refused(
            "phase_without_dates", _("Each phase needs a time it opens and a time it closes."), "phases"
        )
    return Planned(str(row.get("kind", "")), starts, ends, str(row.get("description", "")))


def write(process: Process, phases: list[Planned]) -> None:
    """Make these the phases of the process and set its opening and closing from them (saved by the caller's
    `update_fields`). Rows keep their identity by kind, because a vote hangs on its phase."""
    there = {phase.kind: phase for phase in process.phases.all()}
    for new in phases:
        interval = DateTimeTZRange(new.starts, new.ends, "[)")
        phase = there.pop(new.kind, None)
        if phase is None:
            Phase.objects.create(
                process=process, kind=new.kind, interval=interval, description=new.description
            )
        elif (phase.interval, phase.description) != (interval, new.description):
            phase.interval, phase.description = interval, new.description
            phase.save(update_fields=["interval", "description"])
    Phase.objects.filter(pk__in=[phase.pk for phase in there.values()]).delete()
    getattr(process, "_prefetched_objects_cache", {}).pop("phases", None)
    process.opens_at = phases[0].starts if phases else None
    process.closes_at = phases[-1].ends if phases else None


def stored(process: Process) -> list[Planned]:
    """The phases of the process as they could be typed again."""
    return [
        Planned(phase.kind, phase.interval.lower, phase.interval.upper, phase.description)
        for phase in sorted(process.phases.all(), key=lambda phase: phase.interval.lower)
    ]


def settle() -> None:
    """Ask the deferred constraints now, so that a refusal belongs to this action and not to the commit.

    Deferred is said before too: what holds when a savepoint is first told is what PostgreSQL goes back to when it is
    rolled back, and that must not be "immediate".
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        raise Refused(
            "phases_overlap", _("The phases overlap or don't match the opening and closing."), "phases"
        ) from error
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
