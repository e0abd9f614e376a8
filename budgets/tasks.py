"""What the clock does in a citizen budget. Each job looks back instead of assuming that it ran last time, and may run
twice: a stored fact (the round, its state, the notice) says what has been done."""

import logging
from datetime import timedelta

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Exists, OuterRef
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.verdict import Refused
from budgets import actions, following_up, turnout, voting
from budgets.actions import counting
from budgets.actions import implementation as carrying
from budgets.models import Began, Count, Roll, Round
from participation import clock, notices
from participation.choices import Status
from participation.models import Process
from participation.phases import moment

log = logging.getLogger(__name__)

COMPARE_FOR = 90  # seconds; a task is killed after 120
REMIND_BEFORE_CLOSE = timedelta(days=2)
# How long someone can complain of the vote before the roll forgets who voted (kommunal practice: four weeks).
COMPLAINT_PERIOD = timedelta(days=28)


@shared_task(name="budgets.open_rounds")
def open_rounds() -> int:
    """Open every vote whose phase has begun."""
    now = clock.now()
    due = Process.objects.filter(
        status__in=[Status.APPROVED, Status.OPEN],
        phases__kind__in=voting.KINDS,
        phases__interval__contains=now,
        phases__round__isnull=True,
        citizenbudget__isnull=False,
    ).distinct()
    return sum(_done(actions.open_round, process=process) for process in due)


@shared_task(name="budgets.seal_rounds")
def seal_rounds() -> int:
    """Seal every vote that is over, a little after its close."""
    due = Round.objects.filter(
        state=Round.State.VOTING, phase__interval__endswith__lte=clock.now() - voting.LAST_MOMENT
    ).select_related("process")
    return sum(_done(actions.seal_round, round=round, by=None) for round in due)


@shared_task(name="budgets.count_turnout")
def count_turnout() -> int:
    """Count those who have voted at each full hour of an open vote."""
    return sum(actions.count_turnout(round=round) is not None for round in turnout.due())


@shared_task(name="budgets.count_rounds", soft_time_limit=COMPARE_FOR)
def count_rounds() -> int:
    """Count one round that somebody asked for and that would have kept them waiting."""
    try:
        return int(counting.count_asked_round())
    except Refused as refused:
        log.warning("count_rounds was refused: %s", refused.code)
    except SoftTimeLimitExceeded:
        log.error("a count took more than %s seconds and was given up", COMPARE_FOR)
    return 0


@shared_task(name="budgets.compare_counts", soft_time_limit=COMPARE_FOR)
def compare_counts() -> int:
    """Reckon the other rule for counts that have no comparison yet, one at a time. One that takes too long is given up for
    good, so that it doesn't come back every minute."""
    waiting = Count.objects.filter(comparison={}, winners__isnull=False).exclude(
        round__kind__in=[Round.Kind.SHORTLIST, Round.Kind.MEETING]
    )
    count = waiting.order_by("counted_at").first()
    if count is None:
        return 0
    try:
        actions.compare_count(count=count)
    except SoftTimeLimitExceeded:
        actions.give_up_comparing(count=count)
    return 1


@shared_task(name="budgets.remind_unfinished")
def remind_unfinished() -> int:
    """Once, shortly before the close, to those who opened the ballot on an earlier day and are not on the roll."""
    now = clock.now()
    today = timezone.localdate(now)
    told = 0
    rounds = Round.objects.filter(
        state=Round.State.VOTING,
        phase__interval__endswith__gt=now,
        phase__interval__endswith__lte=now + REMIND_BEFORE_CLOSE,
        process__status__in=[Status.APPROVED, Status.OPEN],
    ).select_related("process", "phase")
    for round in rounds:
        voted = Roll.objects.filter(round=round, person=OuterRef("person"))
        waiting = User.objects.filter(
            ~Exists(voted),
            pk__in=Began.objects.filter(round=round, day__lt=today).values("user"),
            is_active=True,
        )
        told += notices.tell(
            users=waiting,
            event=f"round:{round.pk}:unfinished",
            kind="reminder",
            title=format_lazy(
                _("You have not voted in the first round yet: {title}")
                if round.kind == Round.Kind.SHORTLIST
                else _("You have not voted yet: {title}"),
                title=round.process.title,
            ),
            text=format_lazy(
                _(
                    "You looked at the ballot, but you have not cast your vote. Voting closes {when}. If you have "
                    "changed your mind, you need do nothing."
                ),
                when=lazy(moment, str)(round.phase.interval.upper),
            ),
            url=_vote_url(round.process),
            process=round.process,
        )
    return told


@shared_task(name="budgets.anonymise_rolls")
def anonymise_rolls() -> int:
    """When the complaint period is over, the roll forgets who voted."""
    due = (
        Round.objects.sealed()
        .filter(
            roll_anonymised_at=None,
            phase__interval__endswith__lte=clock.now() - COMPLAINT_PERIOD,
            process__status__in=[Status.DECIDED, Status.CONCLUDED],
        )
        .filter(imported_meta={})
    )
    return sum(_done(actions.anonymise_roll, round=round) for round in due)


@shared_task(name="budgets.make_codes")
def make_codes() -> int:
    """Voting codes that wait to be made, and PDFs that nobody fetched in time."""
    actions.tidy_up_codes()
    return actions.make_due_codes()


@shared_task(name="budgets.begin_carrying_out")
def begin_carrying_out() -> int:
    """Projects that got the money before anybody followed how they went."""
    due = Process.objects.filter(
        contributions__project__decision__funded=True,
        contributions__project__implementation__isnull=True,
        status__in=[Status.DECIDED, Status.CONCLUDED],
    ).distinct()
    return sum(_done(carrying.begin_implementations, process=process, by=None) for process in due)


@shared_task(name="budgets.remind_of_quiet_projects")
def remind_of_quiet_projects() -> int:
    """Nothing was told for three months about a project that isn't done: its owner hears it once and, when nothing has
    come of that two weeks later or the owner has left, its deputy. The managers hear of the duty when it is overdue, as of
    any other."""
    today = clock.today()
    told = 0
    for one in following_up.quiet(today):
        since = following_up.silent_from(one)
        owner, deputy = one.owner or one.process.owner, one.deputy or one.process.deputy
        people = [owner]
        if deputy is not None and (today > following_up.tell_by(one) or not owner.is_active):
            people.append(deputy)
        told += notices.tell(
            users=people,
            event=f"implementation:{one.pk}:quiet:{since.isoformat()}",
            kind="duty",
            title=format_lazy(_("Tell how it goes: {title}"), title=one.project.contribution.title),
            text=format_lazy(
                _(
                    "Nothing has been told about this project since {when}. A few lines are enough, also when "
                    "nothing has happened: say why, and what comes next."
                ),
                when=lazy(date_format, str)(timezone.localtime(one.told_at), "DATE_FORMAT"),
            ),
            url=reverse(
                "admin:budget-implementation", args=[one.process.pk, one.project.contribution.public_id]
            ),
            process=one.process,
        )
    return told


@shared_task(name="budgets.forget_contacts")
def forget_contacts() -> int:
    """A year after a project has ended."""
    return carrying.forget_contacts()


def _done(action, **arguments) -> bool:  # type: ignore[no-untyped-def]
    """One refused round doesn't keep the others from theirs; the log says which, and what is wrong."""
    try:
        action(**arguments)
    except Refused as refused:
        log.warning("%s was refused: %s", action.__name__, refused.code)
        return False
    return True


def _vote_url(process: Process) -> str:
    try:
        return reverse("budgets:vote", args=[process.slug])
    except NoReverseMatch:
        return f"/borgerbudget/{process.slug}/stem/"
