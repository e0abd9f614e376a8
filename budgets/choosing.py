"""The ballot paper while someone fills it in: read from the body of one request, drawn in the next answer, kept nowhere.

Choices stand in POST bodies only. Nothing here writes to a session, a draft, an address or a log, and what holds
choices is kept out of error reports.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.http import QueryDict
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.verdict import Refused
from budgets.ballots import Paper, Part
from budgets.models import BallotType, Project
from participation.models.files import first_photo

if TYPE_CHECKING:
    from accounts.models import District, User
    from budgets.models import Round, VotingCode

POINTS = "points-"
MOST_READ = 2000  # projects named in one body; more is no ballot
LONGEST_SEARCH = 100


@dataclass
class Choices:
    """What a body says: the district's pot voted in, points for each number, and what was typed that is no number of
    points."""

    pot: str = ""
    points: dict[str, int] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    unknown: bool = False

    @sensitive_variables()
    def check(self, paper: Paper) -> tuple[tuple[str, int], ...]:
        """The choices as the urn takes them; raises `Refused` with what is wrong."""
        return paper.check(self.sure(), self.pot)

    @sensitive_variables()
    def sure(self) -> list[tuple[str, int]]:
        """What was sent, when all of it can be read."""
        if self.unknown:
            raise Refused(
                "unknown_project", _("One of the projects you chose isn't on the ballot."), "choices"
            )
        if self.typed:
            raise Refused("points_typed", _("Write the points in whole numbers."), "choices")
        return list(self.points.items())

    @sensitive_variables()
    def keep(self, parts: Iterable[Part]) -> int:
        """Forget what was chosen outside these parts (another district's pot was chosen); says how many projects."""
        known = {number for part in parts for number in part.prices}
        before = len(self.points) + len(self.typed)
        self.points = {number: points for number, points in self.points.items() if number in known}
        self.typed = {number: text for number, text in self.typed.items() if number in known}
        return before - len(self.points) - len(self.typed)


@sensitive_variables()
def choices_in(paper: Paper, posted: QueryDict, pot: str = "") -> Choices:
    """The ballot as it was sent. What isn't on the ballot is left for `check` to refuse, never dropped in silence. Where
    one project is chosen in each pot, each pot's choice has a name of its own: `choice`, `choice-<pot>`."""
    found = Choices(pot)
    if paper.ballot_type == BallotType.CUMULATIVE:
        for name in list(posted)[:MOST_READ]:
            number = name.removeprefix(POINTS)
            if not name.startswith(POINTS):
                continue
            text = posted.get(name, "").strip()
            if number not in paper.prices:
                found.unknown = found.unknown or text not in ("", "0")
            elif text.isascii() and text.isdecimal() and len(text) <= 6:
                if int(text):
                    found.points[number] = int(text)
            elif text:
                found.typed[number] = text[:20]
        return found
    for part in paper.parts:
        numbers = posted.getlist(choice_name(part))[:MOST_READ]
        for number in numbers[-1:] if paper.ballot_type == BallotType.CHOOSE_ONE else numbers:
            if number in part.prices:
                found.points[number] = 1
            elif number:
                found.unknown = True
    return found


def choice_name(part: Part) -> str:
    return f"choice-{part.key}" if part.key else "choice"


@dataclass
class Card:
    """A project as the ballot shows it, with the price it stands there with."""

    project: Project
    price: Decimal
    points: int = 0
    typed: str = ""
    shown: bool = True
    excludes: bool = False

    @property
    def number(self) -> str:
        return self.project.number

    @property
    def chosen(self) -> bool:
        return bool(self.points or self.typed)


@dataclass
class Section:
    """One pot on the page, with its own count of what is chosen; the whole ballot where there are no pots."""

    part: Part
    cards: list[Card]
    refused: Refused | None = None

    @property
    def name(self) -> str:
        return choice_name(self.part)

    @property
    def anchor(self) -> str:
        return f"ballot-list-{self.part.key}" if self.part.key else "ballot-list"

    @property
    def with_points(self) -> bool:
        return self.part.ballot_type == BallotType.CUMULATIVE

    @property
    def one(self) -> bool:
        return self.part.ballot_type == BallotType.CHOOSE_ONE

    @property
    def knapsack(self) -> bool:
        return self.part.ballot_type == BallotType.KNAPSACK

    @property
    def chosen(self) -> list[Card]:
        return [card for card in self.cards if card.chosen]

    @property
    def shown(self) -> list[Card]:
        return [card for card in self.cards if card.shown]

    @property
    def chosen_elsewhere(self) -> list[Card]:
        """Chosen, but not among those the search shows: they stay in the form, and in sight."""
        return [card for card in self.cards if card.chosen and not card.shown]

    @property
    def spent(self) -> Decimal:
        return sum((card.price for card in self.chosen), Decimal(0))

    @property
    def points_given(self) -> int:
        return sum(card.points for card in self.chosen)


@dataclass
class Choosing:
    """The page to choose on: a section for everyone's pot and one for the district's, or a single one."""

    paper: Paper
    sections: list[Section]
    choices: Choices
    may_choose_pot: bool = False
    search: str = ""
    district: str = ""
    only_chosen: bool = False
    refused: Refused | None = None
    other_pot: bool = False
    left_out: int = 0
    districts: "list[District]" = field(default_factory=list)

    @property
    def pots(self) -> bool:
        return bool(self.paper.parts[0].key)

    @property
    def of_district(self) -> Part | None:
        """The district's part that is on the page."""
        return next((s.part for s in self.sections if s.part.district_id is not None), None)

    @property
    def with_points(self) -> bool:
        return self.paper.ballot_type == BallotType.CUMULATIVE

    @property
    def one(self) -> bool:
        return self.paper.ballot_type == BallotType.CHOOSE_ONE

    @property
    def cards(self) -> list[Card]:
        return [card for section in self.sections for card in section.cards]

    @property
    def chosen(self) -> list[Card]:
        return [card for card in self.cards if card.chosen]

    @property
    def shown(self) -> list[Card]:
        return [card for card in self.cards if card.shown]

    @property
    def filtered(self) -> bool:
        return bool(self.search or self.district or self.only_chosen)

    @property
    def refused_in_section(self) -> bool:
        return any(section.refused for section in self.sections)

    @property
    def in_error(self) -> list[str]:
        return list(self.choices.typed) if self.refused else []

    @sensitive_variables()
    def check(self) -> tuple[tuple[str, int], ...]:
        """The choices as the urn takes them; what is wrong stays on the page, beside the section it is about."""
        try:
            return self.choices.check(self.paper)
        except Refused as refused:
            self.refused = refused
            for section in self.sections if not (self.choices.typed or self.choices.unknown) else ():
                here = {card.number: card.points for card in section.chosen}
                section.refused = _wrong(section.part, here) if here else None
            raise


def _wrong(part: Part, chosen: dict[str, int]) -> Refused | None:
    try:
        part.check(chosen)
    except Refused as refused:
        return refused
    return None


def projects_of(round: "Round") -> list[Project]:
    """What stands on the ballot, with what a card shows, in one query."""
    return list(
        Project.objects.in_round(round)
        .select_related("contribution__district", "alternative")
        .defer("contribution__search_vector", "contribution__district__geometry")
        .annotate(first_photo=first_photo("contribution"))
    )


def in_own_order(projects: Iterable[Project], *, round: "Round", by: "User | VotingCode") -> list[Project]:
    """Random for each voter, so that no project stands first for everyone, and the same each time the same voter comes
    back, though no order is stored anywhere."""
    salt = f"budgets.ballot_order:{round.pk}:{by.__class__.__name__}:{by.pk}"
    return sorted(projects, key=lambda project: salted_hmac(salt, project.number).digest())


@sensitive_variables()
def read(
    paper: Paper,
    projects: Iterable[Project],
    posted: QueryDict | None = None,
    *,
    pot: str = "",
    may_choose_pot: bool = False,
) -> Choosing:
    """The ballot paper with what was sent filled in. `pot` is the district's pot that the voter votes in; one who may
    choose it says so in the body. A page that showed another pot than the one chosen now loses only that pot's choices."""
    posted = posted if posted is not None else QueryDict()
    if may_choose_pot:
        asked = posted.get("pot", "")
        pot = asked if any(part.key == asked for part in paper.of_districts) else ""
    parts = paper.for_pot(pot)
    choices = choices_in(paper, posted, pot)
    other_pot = may_choose_pot and posted.get("shown_pot", pot) != pot
    left_out = choices.keep(parts) if other_pot else 0
    by_number = {project.number: project for project in projects}
    sections = [
        Section(
            part,
            [
                Card(
                    project,
                    part.prices[number],
                    choices.points.get(number, 0),
                    choices.typed.get(number, ""),
                    excludes=part.excludes(number),
                )
                for number, project in by_number.items()
                if number in part.prices
            ],
        )
        for part in parts
    ]
    choosing = Choosing(
        paper,
        sections,
        choices,
        may_choose_pot=may_choose_pot,
        search=posted.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        district=posted.get("district", "")[:20],
        only_chosen="only_chosen" in posted,
        other_pot=other_pot,
        left_out=left_out,
    )
    _show(choosing)
    return choosing


@sensitive_variables()
def kept(paper: Paper, projects: Iterable[Project], posted: QueryDict) -> list[Card]:
    """What was chosen, whoever chose it: shown to someone who has been signed out, so that it can be found again."""
    choices = choices_in(paper, posted)
    cards = [
        Card(
            project,
            paper.prices[project.number],
            choices.points.get(project.number, 0),
            choices.typed.get(project.number, ""),
        )
        for project in projects
        if project.number in paper.prices
    ]
    return [card for card in cards if card.chosen]


def _show(choosing: Choosing) -> None:
    words = folded(choosing.search).split()
    districts = {}
    for card in choosing.cards:
        contribution = card.project.contribution
        if contribution.district is not None:
            districts[contribution.district.pk] = contribution.district
        text = folded(f"{card.number} {contribution.title} {contribution.body} {contribution.place}")
        card.shown = (
            all(word in text for word in words)
            and (not choosing.district or str(contribution.district_id) == choosing.district)
            and (not choosing.only_chosen or card.chosen)
        )
    choosing.districts = sorted(districts.values(), key=lambda district: district.name)


def folded(text: str) -> str:
    """As words are compared while searching: lower case, å = aa."""
    return text.casefold().replace("å", "aa")
