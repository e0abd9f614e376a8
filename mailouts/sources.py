"""Who a letter is for. A source is a kind and its parameters; upper rooms register kinds of their own.

A source names candidates: persons, accounts, organisations or lines of a list. Who of them lives here, is reached how, and
stands there already is asked once for all sources (`mailouts.building`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import eligibility
from accounts.models import District, Organisation, RegisterExtract, Resident
from accounts.verdict import Refused
from audit import clock
from dkfds.wording import number
from mailouts import places
from mailouts.models import ListedRecipient, Source

YOUNGEST = 15  # Digital Post is for those aged 15 and over (Digital Post act § 3)
OLDEST = 120


@dataclass(frozen=True, slots=True)
class Candidate:
    """Exactly one of the four."""

    person_id: UUID | None = None
    user_id: int | None = None
    organisation_id: int | None = None
    listed_id: int | None = None


@dataclass(frozen=True)
class SourceKind:
    """`describe` says in one line who it is; `candidates` names them, in any order and with repeats. `form` is the path of
    the form that asks for the parameters; kinds without one are made by other pages (a list, a draw, a process)."""

    key: str
    label: Any
    describe: Callable[[Mapping[str, Any]], str]
    candidates: Callable[[Source], Iterable[Candidate]]
    form: str = ""


_kinds: dict[str, SourceKind] = {}


def register(kind: SourceKind) -> None:
    if kind.key in _kinds:
        raise ValueError(f"The source {kind.key!r} is registered twice.")
    _kinds[kind.key] = kind


def get(key: str) -> SourceKind:
    return _kinds[key]


def with_form() -> list[SourceKind]:
    return [kind for kind in _kinds.values() if kind.form]


def newest_extract() -> RegisterExtract:
    extract = RegisterExtract.objects.counting_on(clock.today()).first()
    if extract is None:
        raise Refused("no_register", _("There is no valid register extract. Import one first."))
    return extract


def residents(params: Mapping[str, Any]) -> QuerySet[Resident]:
    """Who lives here by the newest extract and is of the ages, districts and sex chosen."""
    found = Resident.objects.filter(
        extract=newest_extract(),
        status__in=eligibility.LIVES_HERE,
        municipality_code=settings.MUNICIPALITY["code"],
        birth_date__lte=born_by(clock.today(), int(params.get("age_from") or YOUNGEST)),
    )
    if params.get("age_to") is not None:
        found = found.filter(birth_date__gt=born_by(clock.today(), int(params["age_to"]) + 1))
    if districts := params.get("districts"):
        found = found.filter(Q(school_district__in=districts) | Q(polling_district__in=districts))
    if params.get("home_district"):
        home = params["home_district"]
        found = found.filter(Q(school_district=home) | Q(school_district=None, polling_district=home))
    if params.get("sex"):
        found = found.filter(sex=params["sex"])
    return found


def born_by(day: date, age: int) -> date:
    """The last birth date of those who are `age` or older on that day; 29 February turns on 1 March."""
    try:
        return day.replace(year=day.year - age)
    except ValueError:
        return date(day.year - age, 2, 28)


def group_words(params: Mapping[str, Any]) -> str:
    """ "15–24 år, kvinder, Vestervang"."""
    low, high = int(params.get("age_from") or YOUNGEST), params.get("age_to")
    ages = (
        _("aged %(low)s and over") % {"low": low}
        if high is None
        else _("aged %(low)s–%(high)s") % {"low": low, "high": high}
    )
    parts = [ages]
    if params.get("sex"):
        parts.append(str(_("women") if params["sex"] == "F" else _("men")))
    districts = list(params.get("districts") or [])
    if params.get("home_district"):
        districts.append(params["home_district"])
    names = District.objects.filter(pk__in=districts).order_by("name").values_list("name", flat=True)
    return ", ".join([*parts, *names])


def _register_words(params: Mapping[str, Any]) -> str:
    return _("Everyone who lives here, %(group)s") % {"group": group_words(params)}


def _register(source: Source) -> Iterator[Candidate]:
    """The oldest of a household first: that is who gets its one letter."""
    found = residents(source.params).order_by("household", "birth_date", "pk")
    ids = found.values_list("person_id", flat=True).iterator(chunk_size=5000)
    return (Candidate(person_id=pk) for pk in ids)


def _lot_words(params: Mapping[str, Any]) -> str:
    return _("%(amount)s drawn by lot: %(group)s") % {
        "amount": number(int(params["amount"])),
        "group": group_words(params),
    }


def rank(seed: str, person_id: UUID) -> bytes:
    """A person's place in a draw: whoever has the seed and the list can draw again and get the same."""
    return sha256(f"{seed}:{person_id}".encode()).digest()


def _lot(source: Source) -> Iterator[Candidate]:
    """The first so many of the group in the order of SHA-256(seed:person), without those drawn for the same process before
    (`params["without"]`: mailouts whose recipients stay out)."""
    from mailouts.models import Delivery

    found = residents(source.params)
    if before := source.params.get("without"):
        invited = Delivery.objects.filter(campaign__in=before, person__isnull=False)
        found = found.exclude(person__in=invited.values("person"))
    ids = sorted(
        found.values_list("person_id", flat=True).iterator(chunk_size=5000),
        key=lambda pk: rank(source.params["seed"], pk),
    )
    return (Candidate(person_id=pk) for pk in ids[: int(source.params["amount"])])


def _organisation_words(params: Mapping[str, Any]) -> str:
    kinds = dict(Organisation.Kind.choices)
    parts = [str(kinds[kind]) for kind in params.get("kinds", []) if kind in kinds]
    if params.get("industries"):
        parts.append(_("industry %(codes)s") % {"codes": ", ".join(params["industries"])})
    if params.get("cvrs"):
        parts.append(_("%(count)s CVR numbers") % {"count": number(len(params["cvrs"]))})
    return _("Businesses and associations: %(which)s") % {"which": "; ".join(parts) or _("all")}


def organisations(params: Mapping[str, Any]) -> QuerySet[Organisation]:
    """By kind and industry, or exactly those numbers."""
    found = Organisation.objects.exclude(cvr=None)
    if kinds := params.get("kinds"):
        found = found.filter(kind__in=kinds)
    if industries := params.get("industries"):
        begins = Q()
        for code in industries:
            begins |= Q(industry_code__startswith=code)
        found = found.filter(begins)
    if cvrs := params.get("cvrs"):
        found = found.filter(cvr__in=cvrs)
    return found


def _organisations(source: Source) -> Iterator[Candidate]:
    found = organisations(source.params).order_by("pk").values_list("pk", flat=True)
    return (Candidate(organisation_id=pk) for pk in found.iterator(chunk_size=5000))


def _address_words(params: Mapping[str, Any]) -> str:
    lines = params["lines"]
    return _("Those who live at %(addresses)s") % {
        "addresses": "; ".join(lines[:3])
        + (_(" and %(more)s more") % {"more": len(lines) - 3} if len(lines) > 3 else "")
    }


def _addresses(source: Source) -> Iterator[Candidate]:
    """Neighbours: addresses lie encrypted, so those who are old enough are read through, a batch at a time."""
    wanted = [places.Span.read(line) for line in source.params["lines"]]
    found = residents(source.params).order_by("pk").only("person_id", "address")
    for resident in found.iterator(chunk_size=2000):
        if places.is_at(resident.address, wanted):
            yield Candidate(person_id=resident.person_id)


def _list_words(params: Mapping[str, Any]) -> str:
    return _("A list with %(count)s lines: %(name)s") % {
        "count": number(params["lines"]),
        "name": params["name"],
    }


def _list(source: Source) -> Iterator[Candidate]:
    found = ListedRecipient.objects.filter(source=source).order_by("line").values_list("pk", flat=True)
    return (Candidate(listed_id=pk) for pk in found.iterator(chunk_size=5000))


_FORMS = "mailouts.admin.forms"
for _kind in (
    SourceKind(
        "register",
        gettext_lazy("Those who live here"),
        _register_words,
        _register,
        f"{_FORMS}.RegisterSourceForm",
    ),
    SourceKind("lot", gettext_lazy("Drawn by lot"), _lot_words, _lot, f"{_FORMS}.LotSourceForm"),
    SourceKind(
        "addresses",
        gettext_lazy("Those who live at certain addresses"),
        _address_words,
        _addresses,
        f"{_FORMS}.AddressSourceForm",
    ),
    SourceKind(
        "organisations",
        gettext_lazy("Businesses and associations"),
        _organisation_words,
        _organisations,
        f"{_FORMS}.OrganisationSourceForm",
    ),
    SourceKind("list", gettext_lazy("A list of our own"), _list_words, _list, f"{_FORMS}.ListSourceForm"),
):
    register(_kind)
