"""Who takes part, held against whom the process touches: by age, by sex, by home district, each by itself.

"Kredsen af deltagere skal altid se ud over den konkrete opgave" (Ballerup's fifth principle). What people were when they took
part is frozen at that moment; here it is only counted. Each person counts once, however much they do. A group with less than
half of its share is missing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.eligibility import AGE_BANDS, age_band
from accounts.models import District, PopulationFigure, Resident
from participation.choices import Moderation
from participation.models import Argument, CoAuthor, Contribution, Phase, Process, Support

YOUNGEST = 15
FEWEST = 20  # participants: with fewer a share says nothing
MISSING_BELOW = 0.5  # of a group's share of the population
KEPT = 60  # seconds that a count is kept
_COLUMNS = ("took_person", "took_user", "took_band", "took_sex", "took_home")

TookPart = Callable[[Process, Phase | None], QuerySet[Any]]
_sources: dict[TookPart, bool] = {}


def register_participants(source: TookPart, *, only_counted: bool = False) -> None:
    """`source(process, phase)`: rows annotated with `took_person`, `took_user`, `took_band`, `took_sex` and `took_home`; in
    one phase only, where one is given. `only_counted`: nobody is written to for it (who has voted is nobody's business)."""
    _sources[source] = only_counted


def rows(
    process: Process, phase: Phase | None = None, *, to_write_to: bool = False
) -> Iterable[tuple[Any, Any, str, str, int | None]]:
    """(person, account, age band, sex, home district) of all that was given, not each person once."""
    for source, only_counted in _sources.items():
        if not (only_counted and to_write_to):
            yield from source(process, phase).values_list(*_COLUMNS).iterator(chunk_size=5000)


def _within(found: QuerySet[Any], phase: Phase | None, column: str) -> QuerySet[Any]:
    if phase is None:
        return found
    return found.filter(**{f"{column}__gte": phase.interval.lower, f"{column}__lt": phase.interval.upper})


def _contributions(process: Process, phase: Phase | None) -> QuerySet[Any]:
    given = Contribution.objects.filter(process=process, organisation=None).exclude(
        moderation=Moderation.WITHDRAWN
    )
    return (
        _within(given, phase, "created_at")
        .order_by()
        .annotate(
            took_person=Coalesce("author__person", "person"),
            took_user=F("author"),
            took_band=F("age_band"),
            took_sex=F("sex"),
            took_home=F("home_district"),
        )
    )


def _co_authors(process: Process, phase: Phase | None) -> QuerySet[Any]:
    joined = CoAuthor.objects.filter(
        contribution__process=process, state=CoAuthor.State.ACCEPTED, organisation=None
    ).exclude(contribution__moderation=Moderation.WITHDRAWN)
    return (
        _within(joined, phase, "answered_at")
        .order_by()
        .annotate(
            took_person=F("user__person"),
            took_user=F("user"),
            took_band=F("age_band"),
            took_sex=F("sex"),
            took_home=F("home_district"),
        )
    )


def _supports(process: Process, phase: Phase | None) -> QuerySet[Any]:
    """A support knows its day alone."""
    given = Support.objects.filter(contribution__process=process)
    if phase is not None:
        first, last = timezone.localdate(phase.interval.lower), timezone.localdate(phase.interval.upper)
        given = given.filter(day__gte=first, day__lte=last)
    return given.order_by().annotate(
        took_person=F("person"),
        took_user=F("user"),
        took_band=F("age_band"),
        took_sex=F("sex"),
        took_home=F("home_district"),
    )


def _arguments(process: Process, phase: Phase | None) -> QuerySet[Any]:
    written = Argument.objects.filter(contribution__process=process, organisation=None).exclude(
        moderation=Moderation.WITHDRAWN
    )
    return (
        _within(written, phase, "created_at")
        .order_by()
        .annotate(
            took_person=Coalesce("author__person", "person"),
            took_user=F("author"),
            took_band=F("age_band"),
            took_sex=F("sex"),
            took_home=F("home_district"),
        )
    )


for _source in (_contributions, _co_authors, _supports, _arguments):
    register_participants(_source)


@dataclass(frozen=True)
class Group:
    """One group: how many took part, how many that would be had its share been right, and the shares themselves. `key` is "age:15-24", "sex:F", "district:7";
    `params` is what a draw from the register asks for (`mailouts.sources`)."""

    key: str
    label: str
    participants: int
    expected: float
    share: float
    reference: float
    params: Mapping[str, Any]
    missing: bool


@dataclass(frozen=True)
class Measured:
    """`known` is how many of the participants there is anything to say of; tables by age, sex and district."""

    participants: int
    known: int
    ages: tuple[Group, ...] = ()
    sexes: tuple[Group, ...] = ()
    districts: tuple[Group, ...] = ()

    def groups(self) -> tuple[Group, ...]:
        return (*self.ages, *self.sexes, *self.districts)

    def group(self, key: str) -> Group | None:
        return next((one for one in self.groups() if one.key == key), None)

    def missing(self) -> list[Group]:
        return [one for one in self.groups() if one.missing]


def measured(process: Process) -> Measured:
    """The count, kept for a minute: it reads everything that was given."""
    key = f"breadth:{process.pk}"
    found = cache.get(key)
    if found is None:
        found = _counted(process)
        cache.set(key, found, KEPT)
    return _measured(process, found)


def forget(process: Process) -> None:
    cache.delete(f"breadth:{process.pk}")


def _counted(process: Process) -> dict[str, Any]:
    """Each person once, as they were when they first took part."""
    seen: set[Any] = set()
    ages: dict[str, int] = {}
    sexes: dict[str, int] = {}
    homes: dict[str, int] = {}
    participants = known = 0
    for person, user, band, sex, home in rows(process):
        who = person or user
        if who is not None:
            if who in seen:
                continue
            seen.add(who)
        participants += 1
        known += bool(band)
        ages[band] = ages.get(band, 0) + 1
        sexes[sex] = sexes.get(sex, 0) + 1
        homes[str(home or "")] = homes.get(str(home or ""), 0) + 1
    return {"participants": participants, "known": known, "ages": ages, "sexes": sexes, "homes": homes}


def _measured(process: Process, counted: dict[str, Any]) -> Measured:
    touched = list(process.touched_districts.all())
    figures = _population([one.pk for one in touched])
    if not figures:
        return Measured(counted["participants"], counted["known"])
    common: dict[str, Any] = {"districts": [one.pk for one in touched]} if touched else {}
    people = sum(figures.values())
    of_age: dict[str, int] = {}
    of_sex: dict[str, int] = {}
    of_home: dict[int | None, int] = {}
    for (age, sex, district), number in figures.items():
        of_age[age_band(age)] = of_age.get(age_band(age), 0) + number
        of_sex[sex] = of_sex.get(sex, 0) + number
        of_home[district] = of_home.get(district, 0) + number
    bands = [band for band in AGE_BANDS if of_age.get(band)]
    ages = _groups(
        [(f"age:{band}", band_words(band), counted["ages"].get(band, 0), of_age[band], common | _ages(band)) for band in bands],
        people,
    )  # fmt: skip
    sexes = _groups(
        [
            (
                f"sex:{sex}",
                str(label),
                counted["sexes"].get(sex, 0),
                of_sex.get(sex, 0),
                common | {"sex": sex},
            )
            for sex, label in Resident.Sex.choices
        ],
        people,
    )
    districts: tuple[Group, ...] = ()
    homes = {pk: number for pk, number in of_home.items() if pk is not None}
    if len(homes) > 1:
        names = dict(District.objects.filter(pk__in=homes).values_list("pk", "name"))
        districts = _groups(
            [
                (
                    f"district:{pk}",
                    names[pk],
                    counted["homes"].get(str(pk), 0),
                    homes[pk],
                    {"home_district": pk},
                )
                for pk in sorted(homes, key=lambda pk: names[pk])
            ],
            sum(homes.values()),
        )
    return Measured(counted["participants"], counted["known"], ages, sexes, districts)


def _groups(found: list[tuple[str, str, int, int, dict[str, Any]]], people: int) -> tuple[Group, ...]:
    took_part = sum(participants for _key, _label, participants, _number, _params in found)
    groups = []
    for key, label, participants, number, params in found:
        share = participants / took_part if took_part else 0.0
        reference = number / people if people else 0.0
        missing = took_part >= FEWEST and reference > 0 and share < reference * MISSING_BELOW
        groups.append(
            Group(key, label, participants, took_part * reference, share, reference, params, missing)
        )
    return tuple(groups)


def _population(districts: list[int]) -> dict[tuple[int, str, int | None], int]:
    """People of 15 and over by age, sex and home district: of the districts touched, else of the municipality. The whole
    municipality's own figures count where districts have none."""
    figures = PopulationFigure.objects.filter(age__gte=YOUNGEST)
    if districts:
        figures = figures.filter(district__in=districts)
    else:
        by_home = figures.filter(district__in=District.objects.of_home().values("pk"))
        figures = by_home if by_home.exists() else figures.filter(district=None)
    rows = figures.order_by().values_list("age", "sex", "district").annotate(number=Sum("people"))
    return {(age, sex, district): number for age, sex, district, number in rows}


def band_words(band: str) -> str:
    """An age band as people say it; empty where the age isn't known."""
    if not band:
        return ""
    if band.endswith("+"):
        return _("%(age)s years and older") % {"age": band[:-1]}
    first, last = band.split("-")
    if first == "0":
        return _("Under %(age)s years") % {"age": int(last) + 1}
    return _("%(first)s–%(last)s years") % {"first": first, "last": last}


def _ages(band: str) -> dict[str, int | None]:
    if band.endswith("+"):
        return {"age_from": int(band[:-1]), "age_to": None}
    first, last = band.split("-")
    return {"age_from": int(first), "age_to": int(last)}
