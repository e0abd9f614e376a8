"""All the money of all citizen budgets: planned, granted, paid, gone back and left, by year, district, status and project.

Every total of the page is added up from one query's groups (year × district × process × status), so that no sum can differ
from its parts; the list of projects is the same rows one by one. Money is counted in the year it was granted.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.db.models.functions import ExtractYear
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import District
from budgets.implementation import Bar, money_bar
from budgets.models import Implementation, Progress
from budgets.models.implementation import ImplementationQuerySet
from participation.danish import DaSort
from participation.models import Process

PER_PAGE = 50
NO_DISTRICT = "ingen"
# The orders of the list as they stand in its address; a minus turns them around.
ORDERS: dict[str, Any] = {
    "titel": DaSort("project__contribution__title"),
    "aar": F("granted_on"),
    "distrikt": DaSort("project__contribution__district__name"),
    "planlagt": F("planned"),
    "bevilget": F("granted") + F("extra"),
    "udbetalt": F("paid"),
    "retur": F("returned"),
    "rest": F("granted") + F("extra") - F("paid") - F("returned"),
    "status": F("status"),
}
FIRST_ORDER = "-aar"


@dataclass(frozen=True)
class Chosen:
    """The filters of an address; what makes no sense is left out."""

    year: int | None = None
    district: int | None = None
    no_district: bool = False
    status: str = ""
    process: int | None = None
    order: str = FIRST_ORDER

    @property
    def filtered(self) -> bool:
        return bool(self.year or self.district or self.no_district or self.status or self.process)

    def fits(self, group: dict[str, Any]) -> bool:
        return (
            self.year in {None, group["year"]}
            and (self.district is None or group["district"] == self.district)
            and (not self.no_district or group["district"] is None)
            and self.status in {"", group["status"]}
            and self.process in {None, group["process"]}
        )

    def rows(self) -> ImplementationQuerySet:
        found = Implementation.objects.listed()
        if self.year:
            found = found.filter(granted_on__year=self.year)
        if self.district:
            found = found.filter(project__contribution__district=self.district)
        if self.no_district:
            found = found.filter(project__contribution__district=None)
        if self.status:
            found = found.filter(status=self.status)
        if self.process:
            found = found.filter(project__contribution__process=self.process)
        return found


@dataclass
class Sum:
    """What a group of projects comes to."""

    label: str = ""
    key: Any = None
    projects: int = 0
    planned: Decimal = Decimal(0)
    granted: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    bar: Bar | None = None
    query: str = ""

    @property
    def left(self) -> Decimal:
        return self.granted - self.paid - self.returned

    def add(self, group: dict[str, Any]) -> None:
        self.projects += group["projects"]
        self.planned += group["planned_sum"]
        self.granted += group["granted_sum"]
        self.paid += group["paid_sum"]
        self.returned += group["returned_sum"]


@dataclass(frozen=True)
class Money:
    """The whole page. `choices` are what can be filtered by, from all there is."""

    chosen: Chosen
    total: Sum
    by_year: tuple[Sum, ...]
    by_district: tuple[Sum, ...]
    by_process: tuple[Sum, ...]
    by_status: tuple[Sum, ...]
    page: Page[Implementation]
    choices: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)


def groups() -> list[dict[str, Any]]:
    return list(Implementation.objects.listed().money_by_group())


def read(address: QueryDict) -> Money:
    """Five queries, however many projects there are."""
    known = groups()
    whole = _("Whole municipality")
    years = {year: str(year) for year in sorted({one["year"] for one in known}, reverse=True)}
    districts = district_names({one["district"] for one in known})
    processes = dict(
        Process.objects.filter(pk__in={one["process"] for one in known})
        .order_by(DaSort("title"), "pk")
        .values_list("pk", "title")
    )
    statuses = {str(status): str(status.label) for status in Progress}
    chosen = choose(address, known)
    counted = [one for one in known if chosen.fits(one)]

    def summed(key: str, names: Mapping[Any, str]) -> tuple[Sum, ...]:
        """What there is something of, in the order of `names`."""
        sums = {value: Sum(label, value) for value, label in names.items()}
        for one in counted:
            sums[one[key]].add(one)
        found = [one for one in sums.values() if one.projects]
        widest = max((one.granted for one in found), default=Decimal(0))
        for each in found:
            each.bar = money_bar(each.granted, each.paid, each.returned, widest=widest)
        return tuple(found)

    total = Sum(_("In all"))
    for one in counted:
        total.add(one)
    total.bar = money_bar(total.granted, total.paid, total.returned)
    nowhere = any(one["district"] is None for one in known)
    return Money(
        chosen=chosen,
        total=total,
        by_year=summed("year", years),
        by_district=summed("district", districts | {None: whole}),
        by_process=summed("process", processes),
        by_status=summed("status", statuses),
        page=Paginator(in_order(chosen), PER_PAGE).get_page(address.get("page")),
        choices={
            "years": list(years.items()),
            "districts": [*districts.items(), *([(NO_DISTRICT, whole)] if nowhere else [])],
            "statuses": list(statuses.items()),
            "processes": list(processes.items()),
        },
    )


def district_names(keys: Iterable[int | None]) -> dict[int, str]:
    """In Danish order, each with its kind where two share a name."""
    found = list(
        District.objects.filter(pk__in=[key for key in keys if key])
        .defer("geometry")
        .order_by(DaSort("name"), "kind", "pk")
    )
    shared = Counter(one.name for one in found)
    return {one.pk: one.name if shared[one.name] == 1 else one.name_and_kind for one in found}


def choose(address: QueryDict, known: Iterable[dict[str, Any]]) -> Chosen:
    """Only what there is something behind."""
    known = list(known)

    def one_of(name: str, values: set[Any]) -> int | None:
        asked = address.get(name, "")
        return next((value for value in values if str(value) == asked), None)

    order = address.get("sorter", "")
    status = address.get("status", "")
    return Chosen(
        year=one_of("aar", {one["year"] for one in known}),
        district=one_of("distrikt", {one["district"] for one in known}),
        no_district=address.get("distrikt") == NO_DISTRICT,
        status=status if status in Progress.values else "",
        process=one_of("forloeb", {one["process"] for one in known}),
        order=order if order.removeprefix("-") in ORDERS else FIRST_ORDER,
    )


def in_order(chosen: Chosen) -> QuerySet[Implementation]:
    name = chosen.order.removeprefix("-")
    by = ORDERS[name]
    turned = by.desc(nulls_last=True) if chosen.order.startswith("-") else by.asc(nulls_last=True)
    found: QuerySet[Implementation] = (
        chosen.rows()
        .with_project()
        .annotate(year=ExtractYear("granted_on"))
        .order_by(turned, DaSort("project__contribution__title"), "pk")
    )
    return found


# The file, as Danish Excel opens it: semicolons, decimal commas and a byte order mark.

COLUMNS: tuple[tuple[str, Any], ...] = (
    ("aar", gettext_lazy("The year the money was granted.")),
    ("forloeb", gettext_lazy("The citizen budget.")),
    ("projekt", gettext_lazy("The project's title, unless a moderator took it off the page.")),
    ("distrikt", gettext_lazy("The district it is about; empty: the whole municipality.")),
    ("udfoeres_af", gettext_lazy("Who carries it out: kommunen or borgerne.")),
    ("status", gettext_lazy("How it goes: til_tiden, forsinket, faerdigt or opgivet.")),
    ("forventet_faerdig", gettext_lazy("The day it is expected to be done, as year-month-day.")),
    ("afsluttet", gettext_lazy("The day it ended.")),
    ("planlagt_kr", gettext_lazy("The price it was voted on with.")),
    ("bevilget_kr", gettext_lazy("What was granted, with later grants.")),
    ("udbetalt_kr", gettext_lazy("What has been paid, less what was paid back.")),
    ("tilbagefoert_kr", gettext_lazy("What went back to the municipality when it ended.")),
    ("rest_kr", gettext_lazy("What may still be paid: bevilget_kr less udbetalt_kr and tilbagefoert_kr.")),
    ("adresse", gettext_lazy("The project's page; empty where it is off the page.")),
)
_STATUS = {
    Progress.ON_TIME: "til_tiden",
    Progress.DELAYED: "forsinket",
    Progress.DONE: "faerdigt",
    Progress.GIVEN_UP: "opgivet",
}
# What a spreadsheet takes for the beginning of a formula, also in the wide letters of an East Asian keyboard.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def as_csv(address: QueryDict, link: Callable[[str], str]) -> bytes:
    """The same projects in the same order as the page shows, all of them."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow([name for name, _about in COLUMNS])
    for one in in_order(choose(address, groups())).iterator(chunk_size=2000):
        writer.writerow([_harmless(value) for value in _line(one, link)])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _line(one: Implementation, link: Callable[[str], str]) -> Iterator[str]:
    contribution = one.project.contribution
    yield str(one.granted_on.year)
    yield contribution.process.title
    yield one.public_title
    yield contribution.district.name if contribution.district else ""
    yield "borgerne" if one.by_citizens else "kommunen"
    yield _STATUS[Progress(one.status)]
    for day in (one.expected_on, one.ended_on):
        yield day.isoformat() if day else ""
    for amount in (one.planned, one.total_granted, one.paid, one.returned, one.left):
        yield f"{amount:.2f}".replace(".", ",")
    yield link(contribution.get_absolute_url()) if contribution.is_public else ""


def _harmless(text: str) -> str:
    """A title that looks like a formula is text, in whatever program the file is opened."""
    text = text.replace("\r", " ").replace("\n", " ")
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
