"""Year by year: how many took part, what they proposed, what won, how much of it was carried out and for how much money,
for the whole municipality and by district.

A citizen budget belongs to the year its money was granted; until then to the year it closes. Those who took part are the
voters on the roll of the vote that decided, frozen when it was sealed, or those who came to the meeting that shared the
money out; a first round decides nothing. A group of fewer than three voters is not shown, nor so much beside it that it
can be worked out (`budgets.results.hide_small`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import ExtractYear
from django.utils.translation import gettext as _

from budgets.models import CitizenBudget, Implementation, Project, Roll, Round
from budgets.models.implementation import Progress
from budgets.money import district_names
from budgets.results import hide_small
from participation.choices import PUBLIC, Moderation

NOWHERE = 0  # the key of what belongs to no district


@dataclass
class Year:
    """One year in one place. `voters` None: not shown. `voted`, `decided`: something was, somewhere, that year; `voted`
    only where it is known where the voters live."""

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
            cells[key] = Year(
                year, voted=year in (on_rolls if district else voters), decided=year in granted_in
            )
        return cells[key]

    money = list(_money(year_of))
    granted_in = {year_of[row["process"]] for row in money}
    voters, by_district = _voters(year_of)
    on_rolls = {year for year, district in by_district if district is not None}
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
    used = {district for _year, district in cells}
    names = district_names(used) | ({NOWHERE: _("Not in one district")} if NOWHERE in used else {})
    return YearByYear(
        Place(_("The whole municipality"), whole),
        tuple(Place(name, [cell(year, pk) for year in years]) for pk, name in names.items()),
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
        Implementation.objects.listed()
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
    result page can't be worked out from here. Nobody knows where those live who came to a meeting, or who voted in an
    election held elsewhere: they count in no district."""
    rounds = (
        Round.objects.sealed()
        .filter(process__in=year_of)
        .exclude(kind=Round.Kind.SHORTLIST)
        .order_by("process", "number")
        .values("pk", "process", "ballot_count", "meeting__participants")
    )
    deciding = {row["process"]: row for row in rounds}
    on_roll: dict[int, dict[int | None, int]] = defaultdict(dict)
    rows = Roll.objects.filter(round__in=[row["pk"] for row in deciding.values()]).order_by()
    for pk, district, number in rows.values_list("round", "district").annotate(number=Count("pk")):
        on_roll[pk][district] = number
    whole: dict[int, int] = defaultdict(int)
    by_district: dict[tuple[int, int | None], int | None] = {}
    for process, row in deciding.items():
        year = year_of[process]
        found = on_roll[row["pk"]]
        counts = hide_small(list(found.values()))
        if not found:
            found = {None: row["meeting__participants"] or row["ballot_count"]}
            counts = [*found.values()]
        whole[year] += sum(found.values())
        for district, count in zip(found, counts, strict=True):
            known = by_district.get((year, district), 0)
            by_district[year, district] = None if count is None or known is None else known + count
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
