"""What a citizen budget asks of its caseworkers, beside what every process does."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from budgets.format import ASSESSMENT
from budgets.models import Assessment, Project
from participation.choices import BEFORE_DECISION, Moderation
from participation.duties import Duty
from participation.models import Process


def duties(processes: Iterable[Process]) -> Iterator[Duty]:
    """Projects to assess, due on the last day of the assessment phase. Two queries for all of them."""
    running = {process.pk: process for process in processes if process.status in BEFORE_DECISION}
    waiting = dict(
        Project.objects.filter(
            contribution__process__in=running,
            contribution__moderation=Moderation.PUBLISHED,
            assessment=Assessment.UNDECIDED,
            number="",
        )
        .values_list("contribution__process")
        .annotate(projects=Count("pk"))
        .order_by()
    )
    for process in (
        Process.objects.filter(pk__in=waiting)
        .select_related("owner", "deputy", "unit")
        .prefetch_related("phases")
    ):
        phase = next((phase for phase in process.phases.all() if phase.kind == ASSESSMENT.key), None)
        if phase is not None:
            due = timezone.localdate(phase.interval.upper - timedelta(microseconds=1))
            yield Duty("assess", process, due, waiting[process.pk])
