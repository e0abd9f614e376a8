"""At the polling place: who stands before the officer, whether they may vote here, and when not, why.

What is said to the officer is said so that it can be read aloud to the voter. A person's address and CPR number are never
shown, and neither is the district of someone whose address is protected.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Prefetch
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import eligibility
from accounts.eligibility import Facts
from accounts.models import Person, RegisterExtract, Resident, User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from budgets import ballots, codes, names, voting
from budgets.models import Incident, PollingPlace, Roll, Round, VoteChannel
from participation import clock
from participation.choices import PUBLIC
from participation.models import Process

MOST_FOUND = 6
SHORTEST_NAME = 2

_VOTED = {
    VoteChannel.WEB: gettext_lazy("Has already voted, with MitID, on %(day)s."),
    VoteChannel.CODE: gettext_lazy("Has already voted, with a voting code, on %(day)s."),
}


@dataclass(frozen=True)
class Candidate:
    """Someone in the register extract, as an officer may see them."""

    person_id: UUID
    name: str
    birth_date: date
    district: str


def check_officer(user: User, place: PollingPlace) -> None:
    """Only the officers of the place look people up and mark the roll: not their colleagues elsewhere, not caseworkers."""
    if not user.is_authenticated or not user.may(Permission.MARK_ROLL):
        raise Refused("role", _("Your role doesn't let you do this."))
    if not place.officers.filter(pk=user.pk).exists():
        raise Refused("other_place", _("You are not an officer at this polling place."))


def look_up(
    place: PollingPlace, *, name: str, birth_date: date, at: datetime | None = None
) -> list[Candidate]:
    """Those born that day in the newest valid extract whose name has every word that was typed (or begins with it).

    Names are encrypted, so only those with the birth date are decrypted and compared. Raises `Refused` when the name is
    too short, or when it fits too many.
    """
    words = names.folded(name).split()
    if sum(len(word) for word in words) < SHORTEST_NAME:
        raise Refused("name_short", _("Write at least two letters of the name."), "name")
    extract = RegisterExtract.objects.counting_on(timezone.localdate(at or clock.now())).first()
    if extract is None:
        raise Refused(
            "no_register",
            _("There is no valid register extract, so nobody can be found. Call the municipality."),
        )
    lines = Resident.objects.filter(extract=extract, birth_date=birth_date).select_related(
        "school_district", "polling_district"
    )
    found = [
        _candidate(line)
        for line in lines.only(
            "person_id",
            "name",
            "birth_date",
            "protected",
            "school_district__name",
            "polling_district__name",
        )
        if names.fits(line.name, words)
    ]
    if len(found) > MOST_FOUND:
        raise Refused(
            "too_many", _("Too many have that name and birth date. Write more of the name."), "name"
        )
    return sorted(found, key=lambda candidate: names.folded(candidate.name))


def candidate_of(person_id: UUID, at: datetime | None = None) -> Candidate | None:
    """The same person again, from the newest valid extract."""
    extract = RegisterExtract.objects.counting_on(timezone.localdate(at or clock.now())).first()
    line = (
        Resident.objects.filter(extract=extract, person=person_id)
        .select_related("school_district", "polling_district")
        .first()
        if extract
        else None
    )
    return _candidate(line) if line else None


def by_code(typed: str, round: Round, *, at: datetime) -> Candidate:
    """Whose personal voting code this is. A code that was handed out in class belongs to nobody, and votes on the site."""
    # A scanner types the whole address that the letter's QR code holds; the code stands after its #.
    code = codes.plain(typed.rpartition("#")[2])
    if not codes.is_well_formed(code):
        raise Refused("typo", _("This is not a voting code. Look it over, sign by sign."), "code")
    found = codes.find(code, round.process)
    if found is None:
        raise Refused("unknown_code", _("There is no such voting code in this vote."), "code")
    if found.person_id is None:
        raise Refused(
            "class_code",
            _("This code was handed out in class. With it one votes here on the site, not on paper."),
            "code",
        )
    if found.batch.blocked_at is not None or found.blocked or found.phase_id != round.phase_id:
        codes.check_code(found, round, at=at)
    candidate = candidate_of(found.person_id, at)
    if candidate is None:
        raise Refused("not_in_register", _("The code's owner is no longer in the register extract."), "code")
    return candidate


def _candidate(line: Resident) -> Candidate:
    district = line.school_district or line.polling_district
    shown = str(district) if district and not line.protected else ""
    return Candidate(line.person_id, line.name, line.birth_date, shown)  # type: ignore[arg-type]


def check_open_here(round: Round, *, at: datetime) -> None:
    """Somebody may be marked at all now."""
    voting.check_taking_votes(round, at)


def check_person(person: Person, place: PollingPlace, round: Round, *, at: datetime) -> Facts:
    """Everything that decides whether this person may vote here now. Raises `Refused` with the reason to say; returns what
    is frozen on the roll."""
    voting.check_taking_votes(round, at)
    if round.process_id != place.process_id or round.kind != place.round_kind:
        raise Refused("other_round", _("This polling place is not open in the vote that runs now."))
    voted = Roll.objects.filter(round=round, person=person).select_related("place").first()
    if voted is not None:
        raise Refused("already_voted", how_they_voted(voted, place))
    known = eligibility.facts(person, at)
    budget = round.process.citizenbudget
    voting.check_not_in_class(budget, known, at)
    eligibility.check_eligible(budget.vote_rule, person, at=at, act=voting.VOTE, known=known)
    voting.check_has_pot(round, known)
    if place.district_id is not None and place.district_id not in known.district_ids:
        raise Refused(
            "other_place",
            _("This polling place is for those who live in %(district)s. %(others)s")
            % {"district": place.district, "others": _where_instead(place, round, known)},
        )
    return known


def can_vote_here(person: Person, place: PollingPlace, round: Round, *, at: datetime) -> Verdict:
    return verdict(check_person, person, place, round, at=at)


def how_they_voted(voted: Roll, here: PollingPlace | None = None) -> str:
    """By which way and which day: never what."""
    day = formats.date_format(voted.day, "j. F")
    if voted.place is None:
        return str(_VOTED[VoteChannel(voted.channel)]) % {"day": day}
    if here is not None and voted.place_id == here.pk:
        return _("Is already marked on the roll, here at this polling place, on %(day)s.") % {"day": day}
    return _("Is already marked on the roll, at %(place)s, on %(day)s.") % {"place": voted.place, "day": day}


def _where_instead(place: PollingPlace, round: Round, known: Facts) -> str:
    others = PollingPlace.objects.of_round(round).exclude(pk=place.pk)
    near = [
        f"{other.name}, {other.address}"
        for other in others
        if other.district_id is None or other.district_id in known.district_ids
    ]
    if not near:
        return _("They can vote here on the site with MitID or with a voting code.")
    return _("They can vote at: %(places)s.") % {"places": "; ".join(near)}


@dataclass(frozen=True)
class Sheets:
    """Which ballot paper is handed out: `own` where the rules give it ("" is the one for everyone), else one of `choices`,
    (key, name) of each."""

    own: str | None
    name: str
    choices: tuple[tuple[str, str], ...] = ()


def sheets_for(round: Round, known: Facts) -> Sheets:
    paper = ballots.round_paper(round)
    if voting.may_choose_pot(round, paper):
        choices = [(part.key, part.name) for part in paper.of_districts]
        if paper.for_all:
            choices.append(("", _("Only the pot for everyone")))
        return Sheets(None, "", tuple(choices))
    own = voting.home_pot(paper, known)
    return Sheets(own, sheet_name(round, own))


def sheet_name(round: Round, pot: str) -> str:
    """As it stands on the printed ballot: the district's pot, or nothing where there is only one ballot."""
    paper = ballots.round_paper(round)
    if not paper.of_districts:
        return ""
    return next((part.name for part in paper.of_districts if part.key == pot), _("Only the pot for everyone"))


def sheets_of(round: Round) -> list[tuple[str, str]]:
    """Every kind of ballot paper of a round: (key, name)."""
    paper = ballots.round_paper(round)
    found = [(part.key, part.name) for part in paper.of_districts]
    if paper.for_all or not found:
        found.append(("", sheet_name(round, "")))
    return found


def incidents_of(process: Process) -> list[Incident]:
    """What happened, newest first, each with its corrections in order."""
    return list(
        Incident.objects.filter(process=process, corrects=None)
        .select_related("place")
        .prefetch_related(Prefetch("corrections", Incident.objects.order_by("recorded_at", "pk")))
    )


def openness(process: Process) -> list[dict[str, object]]:
    """Incidents as lines of "Open about the process", in one query."""
    return [
        {
            "when": one.happened_at,
            "what": _("Incident at %(place)s") % {"place": one.place}
            if one.place
            else _("Incident in the vote"),
            "reason": _("Correction: %(text)s") % {"text": one.text} if one.corrects_id else one.text,
        }
        for one in Incident.objects.filter(process=process).select_related("place")
    ]


def officers_of(process: Process) -> list[User]:
    """Those who stand at its polling places, and must know when something about the vote changes."""
    return list(User.objects.filter(polling_places__process=process, is_active=True).distinct())


def on_my_page(user: User, request: object) -> dict[str, object] | None:
    """For a polling officer: the way to where they stand."""
    if not user.may(Permission.MARK_ROLL):
        return None
    places = (
        PollingPlace.objects.of_officer(user).filter(process__status__in=PUBLIC).select_related("process")
    )
    return {"places": list(places)} if places else None
