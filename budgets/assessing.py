"""What a citizen budget asks of its caseworkers, beside what every process does."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from budgets.format import ASSESSMENT, MEETING, SHORTLIST
from budgets.models import Assessment, Project, Round
from participation import clock
from participation.choices import BEFORE_DECISION, Moderation
from participation.duties import Duty
from participation.models import Process


def duties(processes: Iterable[Process]) -> Iterator[Duty]:
    """Projects to assess, a first round to count, a meeting to write down. A constant number of queries for all of them."""
    running = {process.pk: process for process in processes if process.status in BEFORE_DECISION}
    rounds = list(Round.objects.filter(process__in=running).select_related("phase", "count"))
    waiting = _to_assess(running, rounds)
    now = clock.now()
    uncounted = {
        one.process_id
        for one in rounds
        if one.kind == Round.Kind.SHORTLIST
        and one.state in {Round.State.VOTING, Round.State.SEALED}
        and one.phase is not None
        and one.phase.interval.upper <= now
    }
    held = {one.process_id for one in rounds if one.kind == Round.Kind.MEETING}
    for process in (
        Process.objects.filter(pk__in=running)
        .select_related("owner", "deputy", "unit")
        .prefetch_related("phases")
    ):
        phases = {phase.kind: phase.interval for phase in process.phases.all()}
        if process.pk in waiting and ASSESSMENT.key in phases:
            yield Duty("assess", process, _last_day(phases[ASSESSMENT.key].upper), waiting[process.pk])
        if process.pk in uncounted:
            ahead = [span.lower for span in phases.values() if span.lower >= phases[SHORTLIST.key].upper]
            yield Duty("count_first_round", process, timezone.localdate(min(ahead, default=now)))
        if MEETING.key in phases and phases[MEETING.key].lower <= now and process.pk not in held:
            yield Duty("record_meeting", process, _last_day(phases[MEETING.key].upper))


def _to_assess(running: Iterable[int], rounds: Iterable[Round]) -> dict[int, int]:
    """How many projects wait, for each process. What a first round left behind is not assessed."""
    unvoted = Q(number="")
    for one in rounds:
        count = getattr(one, "count", None)
        if one.kind == Round.Kind.SHORTLIST and one.state == Round.State.COUNTED and count is not None:
            unvoted |= Q(contribution__process=one.process_id, number__in=count.winners or ())
    return dict(
        Project.objects.filter(
            unvoted,
            contribution__process__in=running,
            contribution__moderation=Moderation.PUBLISHED,
            assessment=Assessment.UNDECIDED,
        )
        .values_list("contribution__process")
        .annotate(projects=Count("pk"))
        .order_by()
    )


def _last_day(ends: datetime) -> date:
    return timezone.localdate(ends - timedelta(microseconds=1))
