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
    search: str = ""
    district: str = ""
    only_chosen: bool = False
    refused: Refused | None = None
    in_error: list[str] = field(default_factory=list)

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

    @sensitive_variables()
    def check(self) -> tuple[tuple[str, int], ...]:
        """The choices as the urn takes them; raises `Refused` with what is wrong."""
        wrong = [card for card in self.cards if card.typed]
        if wrong:
            self.in_error = [card.number for card in wrong]
            raise Refused("points_typed", _("Write the points in whole numbers."), "choices")
        return self.paper.check((card.number, card.points) for card in self.chosen)


def projects_of(round: "Round") -> list[Project]:
    """What stands on the ballot, with what a card shows; one query and one for the cost lines."""
    return list(
        Project.objects.on_ballot()
        .filter(contribution__process=round.process_id)
        .select_related("contribution__district")
        .defer("contribution__search_vector", "contribution__district__geometry")
        .prefetch_related("cost_lines")
    )


def in_own_order(projects: Iterable[Project], *, round: "Round", by: "User") -> list[Project]:
    """Random for each voter, so that no project stands first for everyone, and the same each time the same voter comes
    back, though no order is stored anywhere."""
    salt = f"budgets.ballot_order:{round.pk}:{by.pk}"
    return sorted(projects, key=lambda project: salted_hmac(salt, project.number).digest())


@sensitive_variables()
def read(paper: Paper, projects: Iterable[Project], posted: QueryDict | None = None) -> Choosing:
    """The ballot as it was sent. What isn't on the ballot is left for `check` to refuse, never dropped in silence."""
    posted = posted if posted is not None else QueryDict()
    cards = [Card(project) for project in projects]
    by_number = {card.number: card for card in cards}
    choosing = Choosing(
        paper,
        cards,
        search=posted.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        district=posted.get("district", "")[:20],
        only_chosen="only_chosen" in posted,
    )
    if choosing.with_points:
        _read_points(by_number, posted)
    else:
        numbers = posted.getlist("choice")[:MOST_READ]
        for number in numbers[-1:] if choosing.one else numbers:
            if number in by_number:
                by_number[number].points = 1
            else:
                choosing.refused = Refused(
                    "unknown_project", _("One of the projects you chose isn't on the ballot."), "choices"
                )
    _show(choosing)
    return choosing


@sensitive_variables()
def _read_points(by_number: dict[str, Card], posted: QueryDict) -> None:
    for name in list(posted)[:MOST_READ]:
        card = by_number.get(name.removeprefix(POINTS)) if name.startswith(POINTS) else None
        if card is None:
            continue
        text = posted.get(name, "").strip()
        if text.isascii() and text.isdecimal() and len(text) <= 6:
            card.points = int(text)
        else:
            card.typed = text[:20]


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
