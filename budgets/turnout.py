"""How many have voted while voting is open: numbers only, at most once an hour, and never so small a step that it points
someone out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from budgets.models import Roll, Round, TurnoutHour, VoteChannel
from dkfds import wording
from participation import clock
from participation.models import Phase, Process

SMALLEST_STEP = 3  # a number that has grown by less than this is shown as it was


def took_part(process: Process, phase: Phase | None) -> QuerySet[Roll]:
    """The voters as `participation.breadth` counts them, from the day after they voted: whoever watches the numbers from
    hour to hour learns of nobody."""
    votes = Roll.objects.filter(round__process=process, day__lt=clock.today())
    if phase is not None:
        votes = votes.filter(round__phase=phase)
    return votes.order_by().annotate(
        took_person=F("person"),
        took_user=Value(None, output_field=IntegerField()),
        took_band=F("age_band"),
        took_sex=F("sex"),
        took_home=F("district"),
    )


def full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def step(counted: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    """What is shown per channel: what was counted, where that is at least three more than what was shown before."""
    return {
        channel: number
        for channel in sorted(counted.keys() | before.keys())
        if (
            number := counted.get(channel, 0)
            if counted.get(channel, 0) - before.get(channel, 0) >= SMALLEST_STEP
            else before.get(channel, 0)
        )
    }


def on_roll(round: Round) -> dict[str, int]:
    """Voters per channel as the roll says now. For the snapshot and for accounts after the close, never for a page."""
    lines = Roll.objects.filter(round=round).values_list("channel").annotate(voters=Count("pk"))
    return dict(lines.order_by())


def shown_voters() -> Coalesce:
    """How many are on a round's roll; while its vote is open, as many as at the last full hour."""
    last_hour = TurnoutHour.objects.filter(round=OuterRef("pk")).order_by("-hour").values("voters")[:1]
    roll = (
        Roll.objects.filter(round=OuterRef("pk"))
        .order_by()
        .values("round")
        .annotate(voters=Count("pk"))
        .values("voters")
    )
    return Coalesce(
        Case(
            When(state=Round.State.VOTING, then=Subquery(last_hour)),
            default=Subquery(roll),
            output_field=IntegerField(),
        ),
        0,
    )


def participants(process_ids: Iterable[int]) -> dict[int, int]:
    """How many have voted in each process, in one query."""
    rounds = Round.objects.filter(process__in=list(process_ids)).annotate(voters=shown_voters())
    found: dict[int, int] = {}
    for process, voters in rounds.values_list("process", "voters"):
        found[process] = max(found.get(process, 0), voters)
    return found


@dataclass(frozen=True)
class Turnout:
    """What is shown of a round: the number, when it was counted, per channel, and how it grew."""

    voters: int
    counted_at: datetime | None
    channels: tuple[tuple[str, int], ...]
    days: tuple[dict[str, object], ...]
    hours: tuple[dict[str, object], ...]

    @property
    def day(self) -> str:
        return formats.date_format(timezone.localtime(self.counted_at), "l j. F") if self.counted_at else ""


def turnout_of(process: Process) -> Turnout | None:
    """Of the newest round of a process; None before voting opens and after the ballots are sealed."""
    round = Round.objects.filter(process=process).order_by("-number").first()
    if round is None or round.state not in {Round.State.VOTING, Round.State.PAPER}:
        return None
    hours = list(TurnoutHour.objects.filter(round=round))
    last = hours[-1] if hours else None
    shown = last.shown if last else {}
    labels = dict(VoteChannel.choices)
    return Turnout(
        voters=last.voters if last else 0,
        counted_at=last.hour if last else None,
        channels=tuple((str(labels[channel]), number) for channel, number in shown.items()),
        days=_per_day(hours),
        hours=_per_hour(hours),
    )


def _per_day(hours: list[TurnoutHour]) -> tuple[dict[str, object], ...]:
    """The last number of each day that is over or running."""
    # A snapshot at midnight is the number of the day that just ended.
    by_day = {timezone.localdate(one.hour - timedelta(minutes=1)): one for one in hours}
    return tuple(
        {"label": formats.date_format(day, _("l j F")), "value": one.voters} for day, one in by_day.items()
    )


def _per_hour(hours: list[TurnoutHour]) -> tuple[dict[str, object], ...]:
    """The hours of the newest day."""
    if not hours:
        return ()
    today = timezone.localdate(hours[-1].hour - timedelta(minutes=1))
    here = [one for one in hours if timezone.localdate(one.hour - timedelta(minutes=1)) == today]
    return tuple({"label": wording.clock(timezone.localtime(one.hour)), "value": one.voters} for one in here)


def due(at: datetime | None = None) -> Iterable[Round]:
    """Open rounds whose last full hour has not been counted yet."""
    hour = full_hour(at or clock.now())
    return (
        Round.objects.filter(state=Round.State.VOTING, opened_at__lte=hour)
        .exclude(turnout_hours__hour__gte=hour)
        .order_by("pk")
    )
