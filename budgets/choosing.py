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
from budgets.ballots import Paper
from budgets.models import BallotType, Project

if TYPE_CHECKING:
    from accounts.models import District, User
    from budgets.models import Round

POINTS = "points-"
MOST_READ = 2000  # projects named in one body; more is no ballot
LONGEST_SEARCH = 100


@dataclass
class Choices:
    """What a body says: points for each number, and what was typed that is no number of points."""

    points: dict[str, int] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    unknown: bool = False

    @sensitive_variables()
    def check(self, paper: Paper) -> tuple[tuple[str, int], ...]:
        """The choices as the urn takes them; raises `Refused` with what is wrong."""
        if self.unknown:
            raise Refused(
                "unknown_project", _("One of the projects you chose isn't on the ballot."), "choices"
            )
        if self.typed:
            raise Refused("points_typed", _("Write the points in whole numbers."), "choices")
        return paper.check(self.points.items())


@sensitive_variables()
def choices_in(paper: Paper, posted: QueryDict) -> Choices:
    """The ballot as it was sent. What isn't on the ballot is left for `check` to refuse, never dropped in silence."""
    found = Choices()
    if paper.ballot_type == BallotType.CUMULATIVE:
        for name in list(posted)[:MOST_READ]:
            number = name.removeprefix(POINTS)
            if not name.startswith(POINTS) or number not in paper.prices:
                continue
            text = posted.get(name, "").strip()
            if text.isascii() and text.isdecimal() and len(text) <= 6:
                if int(text):
                    found.points[number] = int(text)
            elif text:
                found.typed[number] = text[:20]
        return found
    numbers = posted.getlist("choice")[:MOST_READ]
    for number in numbers[-1:] if paper.ballot_type == BallotType.CHOOSE_ONE else numbers:
        if number in paper.prices:
            found.points[number] = 1
        else:
            found.unknown = True
    return found


@dataclass
class Card:
    """A project as the ballot shows it."""

    project: Project
    points: int = 0
    typed: str = ""
    shown: bool = True

    @property
    def number(self) -> str:
        return self.project.number

    @property
    def chosen(self) -> bool:
        return bool(self.points or self.typed)


@dataclass
class Choosing:
    """What one voter has chosen so far, and which of the projects they are looking at."""

    paper: Paper
    cards: list[Card]
    choices: Choices
    search: str = ""
    district: str = ""
    only_chosen: bool = False
    refused: Refused | None = None

    @property
    def with_points(self) -> bool:
        return self.paper.ballot_type == BallotType.CUMULATIVE

    @property
    def one(self) -> bool:
        return self.paper.ballot_type == BallotType.CHOOSE_ONE

    @property
    def knapsack(self) -> bool:
        return self.paper.ballot_type == BallotType.KNAPSACK

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
        return sum((card.project.price or Decimal(0) for card in self.chosen), Decimal(0))

    @property
    def points_given(self) -> int:
        return sum(card.points for card in self.chosen)

    @property
    def filtered(self) -> bool:
        return bool(self.search or self.district or self.only_chosen)

    @property
    def districts(self) -> "list[District]":
        found = {}
        for card in self.cards:
            district = card.project.contribution.district
            if district is not None:
                found[district.pk] = district
        return sorted(found.values(), key=lambda district: district.name)

    @property
    def in_error(self) -> list[str]:
        return list(self.choices.typed) if self.refused else []


def projects_of(round: "Round") -> list[Project]:
    """What stands on the ballot, with what a card shows, in one query."""
    return list(
        Project.objects.on_ballot()
        .filter(contribution__process=round.process_id)
        .select_related("contribution__district")
        .defer("contribution__search_vector", "contribution__district__geometry")
    )


def in_own_order(projects: Iterable[Project], *, round: "Round", by: "User") -> list[Project]:
    """Random for each voter, so that no project stands first for everyone, and the same each time the same voter comes
    back, though no order is stored anywhere."""
    salt = f"budgets.ballot_order:{round.pk}:{by.pk}"
    return sorted(projects, key=lambda project: salted_hmac(salt, project.number).digest())


@sensitive_variables()
def read(paper: Paper, projects: Iterable[Project], posted: QueryDict | None = None) -> Choosing:
    """The ballot paper with what was sent filled in."""
    posted = posted if posted is not None else QueryDict()
    choices = choices_in(paper, posted)
    cards = [
        Card(project, choices.points.get(project.number, 0), choices.typed.get(project.number, ""))
        for project in projects
    ]
    choosing = Choosing(
        paper,
        cards,
        choices,
        search=posted.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        district=posted.get("district", "")[:20],
        only_chosen="only_chosen" in posted,
    )
    _show(choosing)
    return choosing


def _show(choosing: Choosing) -> None:
    words = folded(choosing.search).split()
    for card in choosing.cards:
        contribution = card.project.contribution
        text = folded(f"{card.number} {contribution.title} {contribution.body} {contribution.place}")
        card.shown = (
            all(word in text for word in words)
            and (not choosing.district or str(contribution.district_id) == choosing.district)
            and (not choosing.only_chosen or card.chosen)
        )


def folded(text: str) -> str:
    """As words are compared while searching: lower case, å = aa."""
    return text.casefold().replace("å", "aa")
