"""Who may take part: one rule, answered with a reason that can be shown as it stands.

Age is counted in the municipality's own time zone. Whoever is born on 29 February turns a year older on 1 March in the
years without that day: the full year has passed then.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import FilteredRelation, Q
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import District, EligibilityRule, Person, RegisterExtract, User
from accounts.verdict import Refused, Verdict, verdict
from audit import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

AGE_BANDS = ("0-14", "15-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+")

# CPR status codes of people who live in Denmark: 01 with, 03 without a permanent address in the road register.
LIVES_HERE = frozenset({"01", "03", "1", "3"})


@dataclass(frozen=True)
class Facts:
    """What is known of a person at one moment. `district` is the home district: school district, else polling."""

    birth_date: date | None = None
    age: int | None = None
    age_band: str = ""
    sex: str = ""
    district_id: int | None = None
    district_ids: frozenset[int] = field(default_factory=frozenset)
    in_register: bool = False
    has_register: bool = False
    organisation: bool = False

    @property
    def district(self) -> District | None:
        return District.objects.filter(pk=self.district_id).first() if self.district_id else None


def birthday(birth_date: date, age: int) -> date:
    """The day someone turns `age`."""
    year = birth_date.year + age
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def age_on(birth_date: date, day: date) -> int:
    years = day.year - birth_date.year
    return years if day >= birthday(birth_date, years) else years - 1


def age_band(age: int) -> str:
    if age < 15:
        return AGE_BANDS[0]
    return AGE_BANDS[min((age - 15) // 10 + 1, len(AGE_BANDS) - 1)]


def facts(who: User | Person | None, at: datetime | None = None) -> Facts:
    """One query: the person's line in the extract that counts on that day, and whether there is such an extract."""
    if who is None:
        return Facts()
    day = _day(at)
    organisation = isinstance(who, User) and who.organisation_id is not None
    person_id = who.person_id if isinstance(who, User) else who.pk
    if person_id is None:
        return Facts(organisation=organisation)
    row: Any = (
        RegisterExtract.objects.counting_on(day)
        .annotate(
            line=FilteredRelation("residents", condition=Q(residents__person=person_id)),
        )
        .values_list(
            "line__birth_date",
            "line__sex",
            "line__status",
            "line__municipality_code",
            "line__school_district",
            "line__polling_district",
        )
        .first()
    )
    born, sex, status, municipality, school, polling = row or (None,) * 6
    here = born is not None and status in LIVES_HERE and municipality == settings.MUNICIPALITY["code"]
    if born is None:
        born = _birth_date(who)
    age = age_on(born, day) if born is not None else None
    return Facts(
        birth_date=born,
        age=age,
        age_band=age_band(age) if age is not None else "",
        sex=sex or "",
        district_id=(school or polling) if here else None,
        district_ids=frozenset(pk for pk in (school, polling) if pk) if here else frozenset(),
        in_register=here,
        has_register=row is not None,
        organisation=organisation,
    )


def check_eligible(
    rule: EligibilityRule,
    who: User | Person | None,
    *,
    at: datetime | None = None,
    act: str = "",
    known: Facts | None = None,
) -> None:
    """Raises `Refused` with the first reason why not. `act` is a word for the audit of callers; the rule is the same.
    `known` are the person's facts, where the caller has asked for them already."""
    if who is None or (isinstance(who, User) and not who.is_authenticated):
        raise Refused("sign_in", _("Sign in with MitID first."))
    known = known or facts(who, at)
    if known.organisation:
        if rule.organisations:
            return
        raise Refused(
            "organisation", _("Only people can take part in this, not businesses and associations.")
        )
    _check_age(rule, known.birth_date, _day(at))
    if rule.residence == EligibilityRule.Residence.ANYONE:
        return
    if not known.has_register:
        raise Refused(
            "no_register",
            _("We can't see right now where people live. Try again later, or call us."),
        )
    if not known.in_register:
        raise Refused("not_resident", _not_resident())
    _check_district(rule, known.district_ids)


def can_be_eligible(
    rule: EligibilityRule, who: User | Person | None, *, at: datetime | None = None, act: str = ""
) -> Verdict:
    return verdict(check_eligible, rule, who, at=at, act=act)


def answer_for(
    rule: EligibilityRule,
    birth_date: date | None,
    district: District | None,
    *,
    lives_here: bool | None = None,
    at: datetime | None = None,
) -> Verdict:
    """ "Kan jeg være med?" without sign-in: from what someone says. The answer when taking part comes from the register."""

    def check() -> None:
        _check_age(rule, birth_date, _day(at))
        if rule.residence == EligibilityRule.Residence.ANYONE:
            return
        if not (district is not None if lives_here is None else lives_here):
            raise Refused("not_resident", _not_resident())
        _check_district(rule, {district.pk} if district is not None else ())

    return verdict(check)


def check_register_lasts(until: date, *, at: datetime | None = None) -> None:
    """Opening needs an extract that is still valid on the day of the last phase's end."""
    day = _day(at)
    extract = RegisterExtract.objects.counting_on(day).first()
    if extract is None:
        raise Refused(
            "no_register",
            _("There is no valid register extract. Import one before this opens."),
        )
    if extract.valid_until < until:
        raise Refused(
            "register_expires",
            _(
                "The register extract is valid until %(valid)s, but this runs until %(until)s. Import a newer one."
            )
            % {"valid": _date(extract.valid_until), "until": _date(until)},
        )


def _check_age(rule: EligibilityRule, birth_date: date | None, day: date) -> None:
    if rule.min_age == 0:
        return
    if birth_date is None:
        raise Refused(
            "age_unknown",
            _("We don't know your age, and you must be %(age)s or older. Call us, and we will help you.")
            % {"age": rule.min_age},
        )
    turns = birthday(birth_date, rule.min_age)
    on = rule.age_on or day
    if turns <= on:
        return
    if rule.age_on is not None:
        reason = _("You must be %(age)s on %(date)s. You turn %(age)s on %(turns)s.")
    else:
        reason = _("You must be %(age)s. You turn %(age)s on %(turns)s.")
    raise Refused("too_young", reason % {"age": rule.min_age, "date": _date(on), "turns": _date(turns)})


def _check_district(rule: EligibilityRule, district_ids: "Iterable[int]") -> None:
    if rule.residence != EligibilityRule.Residence.DISTRICTS:
        return
    # Prefetched districts cost nothing here; otherwise one query, and only for this kind of rule.
    allowed = {district.pk: district.name for district in rule.districts.all()}
    if allowed.keys().isdisjoint(district_ids):
        raise Refused(
            "other_district",
            _("Only those who live in %(districts)s can take part in this.")
            % {"districts": _spoken_list(sorted(allowed.values()))},
        )


def _not_resident() -> str:
    return _(
        "You must live in %(municipality)s. If you have moved here lately or have no CPR number, call us: we may not be able to see that you live here."
    ) % {"municipality": settings.MUNICIPALITY["name"]}


def _birth_date(who: User | Person) -> date | None:
    person = who.person if isinstance(who, User) else who
    return person.birth_date if person is not None else None


def _day(at: datetime | None) -> date:
    return clock.today() if at is None else timezone.localdate(at)


def _date(day: date) -> str:
    return formats.date_format(day, "DATE_FORMAT")


def _spoken_list(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(some)s or %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]}
