"""Who may do what in a citizen budget, now. Voting itself is asked in `budgets.voting`."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.permissions import EVERY_UNIT, Permission
from accounts.verdict import Refused, Verdict, verdict
from budgets.models import Assessment, BallotProject, DecidedBy, PollingPlace, Project, ProjectDecision, Round
from budgets.voting import LAST_MOMENT
from participation import clock
from participation.choices import BEFORE_DECISION, Status
from participation.models import Contribution, Phase, Process
from participation.phases import moment
from participation.team import is_author

if TYPE_CHECKING:
    from accounts.models import User

MEETING, IMPROVE = "meeting", "improve"  # phase kinds (budgets.format)

INCIDENTS_IN = frozenset({Status.APPROVED, Status.OPEN, Status.CLOSED})


def check_own_work(user: "User | None", process: Process, permission: Permission) -> None:
    """The role may, and the process belongs to the user's unit. None is the system's own clock."""
    if user is None:
        return
    if not user.is_authenticated or not user.may(permission):
        raise Refused("role", _("Your role doesn't let you do this."))
    if process.unit_id not in user.unit_ids() and user.role not in EVERY_UNIT:
        raise Refused("other_unit", _("This process belongs to another unit."))


def check_may_handle_codes(user: "User | None", process: Process) -> None:
    """Fetching, blocking and unlocking voting codes: the caseworkers of the unit."""
    check_own_work(user, process, Permission.COUNT_VOTES)


def check_may_make_codes(user: "User", process: Process, phase: Phase, *, at: datetime | None = None) -> None:
    check_may_handle_codes(user, process)
    check_takes_codes(process, phase, at=at)


def check_takes_codes(process: Process, phase: Phase, *, at: datetime | None = None) -> None:
    """From the rules are frozen until the vote closes."""
    at = at or clock.now()
    if process.status not in {Status.APPROVED, Status.OPEN}:
        raise Refused(
            "not_approved", _("Voting codes are made when the budget is approved: then its rules stand fast.")
        )
    if phase.process_id != process.pk or at >= phase.interval.upper:
        raise Refused("closed", _("This vote is over."))


def can_make_codes(user: "User", process: Process, phase: Phase, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_make_codes, user, process, phase, at=at)


def check_may_seal(user: "User | None", round: Round, *, at: datetime | None = None) -> None:
    check_own_work(user, round.process, Permission.COUNT_VOTES)
    if round.state == Round.State.DROPPED:
        raise Refused("dropped", _("The vote was called off, and its ballots are destroyed."))
    if round.state != Round.State.VOTING:
        raise Refused("already_sealed", _("The ballots are already sealed."))
    at = at or clock.now()
    closes = round.phase.interval.upper if round.phase else None
    if closes is not None and at < closes + LAST_MOMENT:
        raise Refused(
            "still_voting",
            _("The ballots can be sealed from %(when)s, when voting is over and the last votes have come in.")
            % {"when": moment(closes + LAST_MOMENT)},
        )


def can_seal(user: "User | None", round: Round, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_seal, user, round, at=at)


def check_may_count(user: "User | None", round: Round, *, at: datetime | None = None) -> None:
    check_own_work(user, round.process, Permission.COUNT_VOTES)
    if round.state == Round.State.PAPER:
        raise Refused(
            "paper_waits",
            _(
                "The count waits for the polling places: each must enter its paper ballots and sign its account."
            ),
        )
    if round.state not in Round.OPENED:
        raise Refused("not_sealed", _("The ballots must be sealed before they can be counted."))


def can_count(user: "User | None", round: Round, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_count, user, round, at=at)


def check_may_ask_for_count(user: "User | None", round: Round, *, at: datetime | None = None) -> None:
    check_may_count(user, round, at=at)
    if round.count_asked_at is not None:
        raise Refused(
            "being_counted",
            _("The votes are being counted (asked for %(when)s). Look here again in a minute or two.")
            % {"when": moment(round.count_asked_at)},
        )


def can_ask_for_count(user: "User | None", round: Round, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_ask_for_count, user, round, at=at)


def check_may_record_lot(user: "User", round: Round, pot: str = "", *, at: datetime | None = None) -> None:
    check_may_ask_for_count(user, round)
    count = getattr(round, "count", None)
    parts = count.outcome["pots"] if count is not None and count.winners is None else []
    if not any(part["pot"] == pot and part["winners"] is None and not part["waits_for"] for part in parts):
        raise Refused("no_tie", _("No tie waits for a lot."))


def can_record_lot(user: "User", round: Round, pot: str = "", *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_record_lot, user, round, pot, at=at)


def check_may_decide_projects(user: "User", process: Process, *, at: datetime | None = None) -> None:
    check_own_work(user, process, Permission.RECORD_DECISION)
    if process.status not in {Status.CLOSED, Status.DECIDED}:
        raise Refused(
            "not_closed", _("The decision is recorded when voting is over and the process is closed.")
        )
    last = Round.objects.filter(process=process).exclude(kind=Round.Kind.SHORTLIST)
    if not last.filter(state=Round.State.COUNTED).exists():
        if process.citizenbudget.decided_by == DecidedBy.MEETING:
            raise Refused("no_meeting", _("Write down first how the meeting shared the money out."))
        raise Refused("not_counted", _("The votes must be counted first."))


def can_decide_projects(user: "User", process: Process, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_decide_projects, user, process, at=at)


def check_may_record_meeting(user: "User", process: Process, *, at: datetime | None = None) -> None:
    """From the meeting's phase began, until the council has decided; only where the procedure was public beforehand."""
    at = at or clock.now()
    check_own_work(user, process, Permission.COUNT_VOTES)
    if process.citizenbudget.decided_by != DecidedBy.MEETING:
        raise Refused("by_vote", _("The projects of this budget are chosen by a vote."))
    if process.status not in {Status.APPROVED, Status.OPEN, Status.CLOSED}:
        raise Refused("over", _("The process is over, or not open yet."))
    phase = process.phases.filter(kind=MEETING).first()
    if phase is None or at < phase.interval.lower:
        raise Refused(
            "too_early",
            _("It is written down when the meeting has been held, from %(when)s.")
            % {"when": moment(phase.interval.lower)}
            if phase is not None
            else _("The meeting has no date yet."),
        )
    if ProjectDecision.objects.filter(project__contribution__process=process).exists():
        raise Refused("decided", _("The council has decided on it, so it can't be changed."))


def can_record_meeting(user: "User", process: Process, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_record_meeting, user, process, at=at)


def check_may_assess(user: "User", project: Project, *, at: datetime | None = None) -> None:
    process = project.contribution.process
    check_own_work(user, process, Permission.ASSESS)
    if is_author(user, project.contribution):
        raise Refused("own_project", _("A colleague must assess a project that you wrote yourself."))
    if process.status not in BEFORE_DECISION:
        raise Refused("over", _("The process is over."))
    check_not_on_ballot(project)


def can_assess(user: "User", project: Project, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_assess, user, project, at=at)


def check_not_on_ballot(project: Project) -> None:
    """Once voting has opened, what stands on the ballot stays as it is; after a first round it may be improved."""
    shown = BallotProject.objects.filter(project=project.pk)
    if shown.exclude(Q(round__kind=Round.Kind.SHORTLIST) & ~Q(round__state=Round.State.VOTING)).exists():
        raise Refused("on_ballot", _("Voting has opened, so the projects on the ballot can't be changed."))


def check_may_gather(kept: Contribution, gone: "list[Contribution]") -> None:
    """Projects become one only when they mean the same for the vote: assessed alike, in one pot, on no ballot."""
    projects = list(
        Project.objects.filter(contribution__in=[kept, *gone]).select_related("contribution__process")
    )
    for project in projects:
        check_not_on_ballot(project)
    if len({project.assessment for project in projects}) > 1:
        raise Refused(
            "assessed_differently",
            _("They are assessed differently. Give them the same assessment first, or let them stand."),
        )
    if len({project.pot_id for project in projects}) > 1:
        raise Refused("other_pot", _("They belong to different pots."))


def improvable_until(contribution: Contribution, at: datetime) -> datetime | None:
    """Between the two rounds: the authors of what went on from the first one, until the time for it is over."""
    phase = contribution.process.phases.filter(kind=IMPROVE, interval__contains=at).first()
    if phase is None:
        return None
    went_on = Round.objects.filter(
        process=contribution.process_id,
        kind=Round.Kind.SHORTLIST,
        state=Round.State.COUNTED,
        count__winners__contains=[contribution.project.number],
    )
    return phase.interval.upper if went_on.exists() else None


def check_may_adjust(user: "User", project: Project, *, at: datetime | None = None) -> None:
    """Once, by its author, until the day the author was told."""
    at = at or clock.now()
    if not is_author(user, project.contribution):
        raise Refused("not_author", _("Only the person who proposed the project can adjust it."))
    if project.adjusted_at is not None:
        raise Refused("adjusted_already", _("You have already adjusted the project once."))
    if project.assessment == Assessment.UNDECIDED or project.adjust_until is None:
        raise Refused("not_assessed", _("You can adjust the project when it has been assessed."))
    if at >= project.adjust_until:
        raise Refused(
            "too_late",
            _("The project could be adjusted until %(when)s.") % {"when": moment(project.adjust_until)},
        )
    check_not_on_ballot(project)


def can_adjust(user: "User", project: Project, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_adjust, user, project, at=at)


def check_may_set_up_places(user: "User | None", process: Process, *, at: datetime | None = None) -> None:
    check_own_work(user, process, Permission.SET_UP_PROCESS)
    if process.status not in BEFORE_DECISION:
        raise Refused("over", _("The process is over."))


def can_set_up_places(user: "User | None", process: Process, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_set_up_places, user, process, at=at)


def check_may_record_incident(
    user: "User", process: Process, place: PollingPlace | None = None, *, at: datetime | None = None
) -> None:
    """An officer tells of their own place; a caseworker of anything in the vote."""
    if user.is_authenticated and user.may(Permission.MARK_ROLL):
        if place is None or not place.officers.filter(pk=user.pk).exists():
            raise Refused("other_place", _("You are not an officer at this polling place."))
    else:
        check_own_work(user, process, Permission.COUNT_VOTES)
    if place is not None and place.process_id != process.pk:
        raise Refused("other_place", _("The polling place belongs to another process."))
    if process.status not in INCIDENTS_IN:
        raise Refused("not_running", _("Incidents are told while there is a vote, and until it is decided."))


def can_record_incident(
    user: "User", process: Process, place: PollingPlace | None = None, *, at: datetime | None = None
) -> Verdict:
    return verdict(check_may_record_incident, user, process, place, at=at)


def check_may_handle_paper(user: "User", place: PollingPlace, *, at: datetime | None = None) -> None:
    """Enter and reconcile paper ballots: the place's own officers, and caseworkers of the unit."""
    if user.is_authenticated and user.may(Permission.MARK_ROLL):
        if not place.officers.filter(pk=user.pk).exists():
            raise Refused("other_place", _("You are not an officer at this polling place."))
    else:
        check_own_work(user, place.process, Permission.COUNT_VOTES)


def check_may_enter_paper(
    user: "User", place: PollingPlace, round: Round | None, *, at: datetime | None = None
) -> None:
    """Nobody opens the box before voting has closed everywhere, nor after the account is signed."""
    check_may_handle_paper(user, place)
    if round is None or round.state == Round.State.VOTING:
        raise Refused("still_voting", _("The box is opened when voting has closed everywhere."))
    if round.state != Round.State.PAPER:
        raise Refused("paper_done", _("The paper ballots are counted."))
    account = getattr(place, "account", None)
    if account is not None and account.first_signed_by_id is not None:
        raise Refused("signed", _("The account is signed. Open it again, with a reason, to change anything."))


def can_enter_paper(
    user: "User", place: PollingPlace, round: Round | None, *, at: datetime | None = None
) -> Verdict:
    return verdict(check_may_enter_paper, user, place, round, at=at)
