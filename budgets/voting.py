"""Whether someone may vote, now, and when not, why: the text a page shows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import eligibility
from accounts.eligibility import Facts
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from budgets import ballots
from budgets.ballots import Paper
from budgets.models import CitizenBudget, DistrictVote, Roll, Round, VoteChannel
from participation import clock
from participation.choices import Status
from participation.models import Phase, Process
from participation.phases import closing_moment, moment

if TYPE_CHECKING:
    from accounts.models import User

SHORTLIST, VOTE = "shortlist", "vote"  # phase kinds (budgets.format)
KINDS = {SHORTLIST: Round.Kind.SHORTLIST, VOTE: Round.Kind.FINAL}
"""The phases that vote, and the kind of round each opens."""
# A vote sent in the last second may still be on its way: ballots are sealed a little after the close.
LAST_MOMENT = timedelta(minutes=5)
_RUNNING = frozenset({Status.APPROVED, Status.OPEN, Status.CLOSED})


@dataclass(frozen=True)
class Voter:
    """Who goes on the roll, how they vote, and what is frozen of them. Either a person, or a code that is not tied to
    one. `valid_code` is the voting code shown, which must still be valid when the ballot falls; the roll doesn't keep it."""

    channel: str
    person_id: UUID | None = None
    code_id: int | None = None
    facts: Facts = field(default_factory=Facts)
    valid_code: int | None = None


def round_at(process: Process, at: datetime | None = None) -> Round | None:
    """The round that is open at this moment (`budgets.actions.open_round` makes it when voting begins)."""
    return (
        Round.objects.for_voting()
        .filter(process=process, phase__interval__contains=at or clock.now(), state=Round.State.VOTING)
        .first()
    )


def vote_phase(process: Process, at: datetime) -> Phase | None:
    """The phase with voting that runs, else the one that comes, else the last one there was."""
    phases = sorted(
        (phase for phase in process.phases.all() if phase.kind in KINDS),
        key=lambda phase: phase.interval.lower,
    )
    ahead = [phase for phase in phases if phase.interval.upper > at]
    return ahead[0] if ahead else phases[-1] if phases else None


def check_open(process: Process, phase: Phase | None, at: datetime) -> None:
    """Voting is open at the moment the request came in. The phase says so; status alone never opens or closes."""
    if process.status == Status.CANCELLED:
        raise Refused("cancelled", _("This process has been cancelled."))
    if process.status not in _RUNNING or phase is None:
        raise Refused("not_voting", _("There is nothing to vote on here."))
    if at < phase.interval.lower:
        raise Refused("not_open_yet", _("Voting opens %(when)s.") % {"when": moment(phase.interval.lower)})
    if at >= phase.interval.upper:
        raise Refused("closed", _("Voting closed %(when)s.") % {"when": closing_moment(phase.interval.upper)})


def can_open(process: Process, *, at: datetime) -> Verdict:
    """Whether anyone can vote here now; the reason says when it opens or closed."""
    return verdict(check_open, process, vote_phase(process, at), at)


def check_voter(user: "User | None", round: Round, *, at: datetime) -> Voter:
    """Everything but whether the person has voted, which only the roll itself can say. Returns whom the roll takes."""
    check_taking_votes(round, at)
    if user is None or not user.is_authenticated:
        raise Refused("sign_in", _("Sign in with MitID to vote."))
    if not user.may(Permission.TAKE_PART):
        raise Refused(
            "role", _("You are signed in as staff. Sign in with your own MitID to vote as a citizen.")
        )
    if user.person_id is None or user.organisation_id is not None:
        raise Refused(
            "no_person", _("Only people can vote. Sign in with your private MitID, not one for a business.")
        )
    known = eligibility.facts(user, at)
    budget = round.process.citizenbudget
    check_not_in_class(budget, known, at)
    eligibility.check_eligible(budget.vote_rule, user, at=at, act=VOTE, known=known)
    check_has_pot(round, known)
    return Voter(VoteChannel.WEB, person_id=user.person_id, facts=known)


def check_taking_votes(round: Round, at: datetime) -> None:
    """The round of a phase that is open, whose ballots aren't sealed yet."""
    check_open(round.process, round.phase, at)
    if round.state != Round.State.VOTING:
        raise Refused("closed", _("Voting is over, and the ballots are sealed."))


def check_not_in_class(budget: CitizenBudget, known: Facts, at: datetime) -> None:
    """Ages that vote with a code handed out in class vote in no other way: nothing else could tell that they had."""
    if budget.class_age_from is None or budget.class_age_to is None:
        return
    if known.birth_date is None:
        raise Refused(
            "age_unknown",
            _("We don't know your age, so we can't see how you vote. Call us, and we will help you."),
        )
    age = eligibility.age_on(known.birth_date, budget.vote_rule.age_on or timezone.localdate(at))
    if budget.class_age_from <= age <= budget.class_age_to:
        raise Refused(
            "votes_in_class",
            _("Those of %(first)s to %(last)s years vote in class, with a code from the school.")
            % {"first": budget.class_age_from, "last": budget.class_age_to},
        )


def home_pot(paper: Paper, known: Facts) -> str:
    """The pot of the district someone lives in, where it has one with projects to vote on; else ""."""
    return next((part.key for part in paper.of_districts if part.district_id in known.district_ids), "")


def check_has_pot(round: Round, known: Facts) -> None:
    """Without a city-wide pot, only those whose district has one have anything to vote on."""
    paper = ballots.round_paper(round)
    if not paper.for_all and not may_choose_pot(round, paper) and not home_pot(paper, known):
        raise Refused("no_pot", _("There is no pot for the district you live in."))


def may_choose_pot(round: Round, paper: Paper) -> bool:
    return bool(paper.of_districts) and round.process.citizenbudget.district_vote == DistrictVote.CHOSEN


def pot_of(round: Round, paper: Paper, known: Facts, asked: str | None) -> str:
    """The district's pot that this ballot is for: the voter's own ("" where there is none), or the one asked for, where
    the rules let them choose. Raises `Refused` when another's was asked for."""
    if may_choose_pot(round, paper):
        return asked or ""
    own = home_pot(paper, known)
    if asked is not None and asked != own:
        raise Refused(
            "other_pot",
            _("You vote in the pot of the district you live in, and in no other district's.")
            if own
            else _("There is no pot for the district you live in, so you vote only in the one for everyone."),
            "pot",
        )
    return own


def check_may_vote(user: "User | None", round: Round, *, at: datetime | None = None) -> Voter:
    voter = check_voter(user, round, at=at or clock.now())
    if user is not None and has_voted(user, round):
        raise Refused("already_voted", already_voted())
    return voter


def can_vote(user: "User | None", round: Round, *, at: datetime | None = None) -> Verdict:
    return verdict(check_may_vote, user, round, at=at)


def has_voted(user: "User", round: Round) -> bool:
    return user.person_id is not None and Roll.objects.filter(round=round, person=user.person_id).exists()


def already_voted() -> str:
    return _("You have already voted. Your vote can't be changed, not by us either.")
