"""Year by year: how many took part, what they proposed, what won, how much of it was carried out and for how much money,
for the whole municipality and by district.

A citizen budget belongs to the year its money was granted; until then to the year it closes. Voters are counted on the
roll of the round that decided, frozen when it was sealed. A group of fewer than three voters is not shown, nor so much
beside it that it can be worked out (`budgets.results.hide_small`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import ExtractYear
from django.utils.translation import gettext as _

from accounts.models import District
from budgets.models import CitizenBudget, Implementation, Project, Roll, Round
from budgets.models.implementation import Progress
from budgets.results import hide_small
from participation.choices import PUBLIC, Moderation

NOWHERE = 0  # the key of what belongs to no district


@dataclass
class Year:
    """One year in one place. `voters` None: not shown. `voted`, `decided`: something was, somewhere, that year."""

    year: int
    voters: int | None = 0
    voted: bool = False
    decided: bool = False
    proposed: int = 0
    on_ballot: int = 0
    won: int = 0
    done: int = 0
    granted: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def share_done(self) -> float | None:
        """How much of what won is carried out; None where nothing won."""
        return self.done / self.won if self.won else None


@dataclass
class Place:
    """A district (or the whole municipality) over all the years, oldest first."""

    name: str
    years: list[Year] = field(default_factory=list)


@dataclass(frozen=True)
class YearByYear:
    whole: Place
    districts: tuple[Place, ...]

    def __bool__(self) -> bool:
        return bool(self.whole.years)


def read() -> YearByYear:
    """Six queries, however many years and districts."""
    year_of = years_of_budgets()
    years = sorted(set(year_of.values()))
    cells: dict[tuple[int, int], Year] = {}

    def cell(year: int, district: int | None) -> Year:
        key = (year, district or NOWHERE)
        if key not in cells:
            cells[key] = Year(year, voted=year in voters, decided=year in granted_in)
        return cells[key]

    money = list(_money(year_of))
    granted_in = {year_of[row["process"]] for row in money}
    voters, by_district = _voters(year_of)
    for row in _projects(year_of):
        one = cell(year_of[row["process"]], row["district"])
        one.proposed += row["proposed"]
        one.on_ballot += row["voted_on"]
    for row in money:
        one = cell(year_of[row["process"]], row["district"])
        one.won += row["won"]
        one.done += row["finished"]
        one.granted += row["granted_sum"]
        one.paid += row["paid_sum"]
    for (year, district), count in by_district.items():
        cell(year, district).voters = count

    whole = []
    for year in years:
        parts = [one for (when, _place), one in cells.items() if when == year]
        total = Year(year, voters=voters.get(year, 0), voted=year in voters, decided=year in granted_in)
        for name in ("proposed", "on_ballot", "won", "done", "granted", "paid"):
            setattr(total, name, sum((getattr(one, name) for one in parts), type(getattr(total, name))(0)))
        if 0 < (total.voters or 0) < 3:
            total.voters = None
        whole.append(total)
    names = dict(
        District.objects.filter(pk__in={district for _year, district in cells}).values_list("pk", "name")
    )
    places = sorted(
        {district for _year, district in cells}, key=lambda pk: (pk == NOWHERE, names.get(pk, ""))
    )
    return YearByYear(
        Place(_("The whole municipality"), whole),
        tuple(
            Place(
                names.get(pk) or _("Not in one district"),
                [cell(year, pk) for year in years],
            )
            for pk in places
        ),
    )


def years_of_budgets() -> dict[int, int]:
    """The year of each public citizen budget."""
    rows = CitizenBudget.objects.filter(process__status__in=PUBLIC, process__listed=True).annotate(
        granted_in=ExtractYear(Min("process__contributions__project__implementation__granted_on")),
        closes_in=ExtractYear("process__closes_at"),
    )
    found = rows.values_list("process", "granted_in", "closes_in")
    return {process: granted or closes for process, granted, closes in found if granted or closes}


def _projects(year_of: dict[int, int]) -> Iterable[Mapping[str, Any]]:
    return (
        Project.objects.filter(
            contribution__process__in=year_of, contribution__moderation=Moderation.PUBLISHED
        )
        .order_by()
        .values(process=F("contribution__process"), district=F("contribution__district"))
        .annotate(proposed=Count("pk"), voted_on=Count("pk", filter=~Q(number="")))
    )


def _money(year_of: dict[int, int]) -> Iterable[Mapping[str, Any]]:
    return (
        Implementation.objects.public()
        .filter(project__contribution__process__in=year_of)
        .order_by()
        .values(
            process=F("project__contribution__process"),
            district=F("project__contribution__district"),
        )
        .annotate(
            won=Count("pk"),
            finished=Count("pk", filter=Q(status=Progress.DONE)),
            granted_sum=Sum(F("granted") + F("extra")),
            paid_sum=Sum("paid"),
        )
    )


def _voters(year_of: dict[int, int]) -> tuple[dict[int, int], dict[tuple[int, int | None], int | None]]:
    """In all, and by district with small numbers hidden within each budget before they are added: what is hidden on its
    result page can't be worked out from here."""
    deciding: dict[int, int] = {}
    whole: dict[int, int] = defaultdict(int)
    sealed = Round.objects.sealed().filter(process__in=year_of).order_by("process", "number")
    counts: dict[int, int] = {}
    for pk, process, ballots in sealed.values_list("pk", "process", "ballot_count"):
        deciding[process], counts[process] = pk, ballots
    for process, ballots in counts.items():
        whole[year_of[process]] += ballots
    process_of = {pk: process for process, pk in deciding.items()}
    on_roll: dict[int, dict[int | None, int]] = defaultdict(dict)
    rows = Roll.objects.filter(round__in=process_of).order_by().values_list("round", "district")
    for pk, district, number in rows.annotate(number=Count("pk")):
        on_roll[pk][district] = number
    by_district: dict[tuple[int, int | None], int | None] = {}
    for pk, found in on_roll.items():
        year = year_of[process_of[pk]]
        for district, shown in zip(found, hide_small(list(found.values())), strict=True):
            known = by_district.get((year, district), 0)
            by_district[year, district] = None if shown is None or known is None else known + shown
    return whole, by_district


@dataclass(frozen=True)
class Panel:
    """One small chart: a bar for each year, at most `HEIGHT` high, with its number above it."""

    title: str
    columns: tuple[dict[str, Any], ...]
    width: int


HEIGHT, COLUMN, BAR = 72, 76, 44
Column = tuple[int, float | None, str]  # the year, its number (None: no bar) and its number in words


def panel(title: str, values: list[Column], *, top: float | None = None) -> Panel:
    """`top`: the number of the highest bar there is room for; None: the highest of these."""
    top = top or max((value for _year, value, _words in values if value is not None), default=0) or 1
    columns = []
    for place, (year, value, words) in enumerate(values):
        height = round(HEIGHT * (value or 0) / top, 1)
        columns.append(
            {
                "year": year,
                "words": words,
                "x": place * COLUMN + (COLUMN - BAR) // 2,
                "middle": place * COLUMN + COLUMN // 2,
                "y": 20 + HEIGHT - height,
                "height": height,
                "label_y": 14 + HEIGHT - height,
            }
        )
    return Panel(title, tuple(columns), max(len(columns), 1) * COLUMN)
