"""What carrying out a project asks of caseworkers: a plan, a look at what a group told, four eyes on its accounts, and
news at least every three months until it is done."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from budgets.models import AccountEntry, Implementation, ProgressNote
from participation import clock
from participation.duties import Duty
from participation.models import Process
from participation.principles.base import local_date

if TYPE_CHECKING:
    from accounts.models import User

QUIET_MONTHS = 3
GRACE = timedelta(days=14)


def months_after(day: date, months: int) -> date:
    """The same day some months later, or the last day of that month: 30 November + 3 months is 28 February."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    first = date(year, month + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def silent_from(one: Implementation) -> date:
    """The day it has been quiet for too long."""
    return months_after(timezone.localdate(one.told_at), QUIET_MONTHS)


def tell_by(one: Implementation) -> date:
    return silent_from(one) + GRACE


def quiet(today: date) -> list[Implementation]:
    """Running projects that have been silent for three months by today, with who answers for them."""
    at_least = timedelta(days=28 * QUIET_MONTHS)
    found = (
        _running()
        .quiet_since(_end_of(today) - at_least)
        .select_related(
            "owner",
            "deputy",
            "project__contribution__process__owner",
            "project__contribution__process__deputy",
        )
    )
    return [_named(one) for one in found if silent_from(one) <= today]


def _end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), datetime.min.time()))


def _running() -> Any:
    return Implementation.objects.public().running().with_project()


def _named(one: Implementation) -> Implementation:
    one.process = one.project.contribution.process  # type: ignore[attr-defined]
    return one


def duties(processes: Any) -> Iterator[Duty]:
    """Four kinds, in three queries for all processes. Those of one process for the same people are one duty."""
    running = list(
        _running()
        .filter(project__contribution__process__in=processes)
        .select_related("owner", "deputy", "accounts_sent_by")
        .annotate(
            told=Count("notes", filter=Q(notes__state=ProgressNote.State.WAITING), distinct=True),
            told_first=Min("notes__at", filter=Q(notes__state=ProgressNote.State.WAITING)),
            entered=Count("entries", filter=Q(entries__state=AccountEntry.State.WAITING), distinct=True),
            entered_first=Min("entries__recorded_at", filter=Q(entries__state=AccountEntry.State.WAITING)),
        )
    )
    people = Process.objects.select_related("owner", "deputy", "unit").in_bulk(
        {one.project.contribution.process_id for one in running}
    )
    gathered: dict[tuple[Any, ...], tuple[date, int]] = {}
    for one in running:
        process = one.project.contribution.process_id
        for kind, due, count, answers, stands_in in _of(one):
            key = (kind, process, answers, stands_in)
            before, number = gathered.get(key, (due, 0))
            gathered[key] = (min(before, due), number + count)
    for (kind, process, answers, stands_in), (due, count) in gathered.items():
        yield Duty(kind, people[process], due, count, answers, stands_in)


def _of(one: Any) -> "Iterable[tuple[str, date, int, User | None, User | None]]":
    owner, deputy = one.owner, one.deputy
    today = clock.today()
    if one.promised_at is None:
        yield "plan_project", _after(one.created_at, "plan_project"), 1, owner, deputy
    elif silent_from(one) <= today:
        yield "tell_project", tell_by(one), 1, owner, deputy
    waiting = [moment for moment in (one.told_first, one.entered_first) if moment is not None]
    if waiting:
        yield "confirm_told", _after(min(waiting), "confirm_told"), one.told + one.entered, owner, deputy
    if one.accounts_sent_at is not None and one.accounts_approved_at is None:
        due = _after(one.accounts_sent_at, "approve_accounts")
        yield "approve_accounts", due, 1, one.accounts_sent_by, None


def _after(moment: datetime, kind: str) -> date:
    return local_date(moment) + timedelta(days=settings.DUTY_DAYS[kind])
