"""Who a batch of deliveries goes to, read when it is about to be sent and forgotten with the batch.

This is the only place where a CPR number is decrypted. The newest register extract is asked again: whoever has died or moved
away since the list was made is left out. Fields that are made for one letter are made here, and whoever can't have one is taken
out of the batch before anything leaves.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings

from accounts import eligibility
from accounts.models import Organisation, Resident
from accounts.verdict import Refused
from mailouts import paper
from mailouts.choices import Channel, State
from mailouts.models import Delivery, DisabledAddress, ListedRecipient
from mailouts.sources import newest_extract

NOT_FILLED = "not_filled"


class NotFilled(Refused):
    """A field can't be made for anybody, and waiting won't help: the letters have failed."""


@dataclass(slots=True)
class Recipient:
    """`gone`: no longer on the newest register. Personal fields stay out of `repr`, and so out of logs."""

    delivery_id: int
    uuid: UUID
    channel: str
    attempts: int
    english: bool = False
    protected: bool = False
    gone: bool = False
    name: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    cpr: str = field(default="", repr=False)
    cvr: str = field(default="", repr=False)
    district: str = field(default="", repr=False)
    person_id: UUID | None = field(default=None, repr=False)
    extra: dict[str, str] = field(default_factory=dict, repr=False)
    square: paper.Code | None = field(default=None, repr=False)

    @property
    def channel_label(self) -> str:
        return str(Channel(self.channel).label)

    def values(self) -> dict[str, str]:
        """The merge fields."""
        first = self.name.split()
        return {
            "navn": self.name,
            "fornavn": first[0] if first else "",
            "distrikt": self.district,
        } | self.extra


@dataclass(frozen=True, slots=True)
class Filled:
    """One letter's value of a field, and the square that goes with it on paper."""

    value: str = field(default="", repr=False)
    square: paper.Code | None = field(default=None, repr=False)


Fill = Callable[[int, list[Recipient]], dict[int, Filled]]
Allowed = Callable[[int, Collection[UUID]], set[UUID]]


@dataclass(frozen=True, slots=True)
class Filler:
    """`reason` is stored with a letter that was left out because its recipient can't have the field; `words` say it."""

    fill: Fill
    allowed: Allowed
    reason: str
    words: Any


_fillers: dict[str, Filler] = {}


def register_filler(name: str, fill: Fill, *, allowed: Allowed, reason: str, words: Any) -> None:
    """`fill(campaign_id, recipients)` gives each delivery its value of the merge field `name`. Called only for letters that
    have the field, when they are about to leave; whoever is not among its answers is left out. When it raises `NotFilled`, all
    have failed; with another `Refused` they wait. `allowed(campaign_id, persons)` says when the list is made who can have it at all."""
    new = Filler(fill, allowed, reason, words)
    if _fillers.get(name, new) != new:
        raise ValueError(f"The field {name!r} is filled in twice.")
    _fillers[name] = new


def given_when_leaving() -> frozenset[str]:
    """Fields that are made for one letter when it is about to leave, so that a preview has only an example."""
    return frozenset(_fillers)


def filler(name: str) -> Filler:
    return _fillers[name]


def reasons() -> dict[str, Any]:
    """Why somebody can't have a field, by what is stored."""
    return {each.reason: each.words for each in _fillers.values()}


def read(
    ids: Iterable[int], *, fields: frozenset[str] = frozenset(), numbers: bool = False
) -> list[Recipient]:
    """In the order of the ids; a handful of queries for a batch, however large. Only the sending task asks for `numbers`: it
    alone decrypts CPR numbers, and addresses only where there is a letter on paper.

    Raises `Refused` when no register extract counts: then nobody knows who has died or moved, which is not the same as that
    everybody has. Letters that can't have one of the `fields` made when they leave are noted as left out, or as failed, and are
    not among the answers."""
    deliveries = list(
        Delivery.objects.filter(pk__in=list(ids))
        .order_by("pk")
        .values_list(
            *("id", "campaign_id", "message_uuid", "channel", "attempts", "english", "protected"),
            *("person_id", "user_id", "organisation_id", "listed_id"),
            named=True,
        )
    )
    addresses = not numbers or any(each.channel == Channel.PAPER for each in deliveries)
    people = {each.person_id for each in deliveries if each.person_id is not None}
    users = {each.user_id for each in deliveries if each.user_id is not None and each.channel == "email"}
    known = _Known(
        homes=_homes(people, numbers=numbers, addresses=addresses, district="distrikt" in fields)
        if people
        else {},
        emails=_emails(users),
        organisations=Organisation.objects.in_bulk({each.organisation_id for each in deliveries} - {None}),
        lines=ListedRecipient.objects.in_bulk({each.listed_id for each in deliveries} - {None}),
    )
    found = [_recipient(each, known) for each in deliveries]
    campaign_id = deliveries[0].campaign_id if deliveries else None
    for name in sorted(fields & _fillers.keys()):
        if campaign_id is not None:
            found = _fill_in(name, campaign_id, found)
    return found


def _fill_in(name: str, campaign_id: int, found: list[Recipient]) -> list[Recipient]:
    """Those whose letter can leave with the field, and those it doesn't concern."""
    here = [each for each in found if not each.gone and each.channel != Channel.NEMSMS]
    if not here:
        return found
    try:
        filled = _fillers[name].fill(campaign_id, here)
    except NotFilled as refused:
        _take_out(here, State.FAILED, NOT_FILLED, refused.reason)
        return [each for each in found if each not in here]
    without = [each for each in here if each.delivery_id not in filled]
    if without:
        _take_out(without, State.LEFT_OUT, _fillers[name].reason, "")
    for each in here:
        if (given := filled.get(each.delivery_id)) is not None:
            each.extra[name], each.square = given.value, given.square or each.square
    return [each for each in found if each not in without]


def _take_out(those: list[Recipient], state: str, code: str, words: str) -> None:
    """Only what has not left: whoever has claimed a letter meanwhile finds it gone from the queue."""
    ids = [each.delivery_id for each in those]
    Delivery.objects.filter(pk__in=ids, state__in=[State.QUEUED, State.CLAIMED]).update(
        state=state, failure_code=code, failure=words[:300]
    )


@dataclass(frozen=True, slots=True)
class _Home:
    is_here: bool
    protected: bool
    name: str = field(repr=False)
    cpr: str = field(repr=False)
    address: str = field(default="", repr=False)
    district: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch's recipients are made of."""

    homes: dict[UUID, _Home]
    emails: dict[int, str]
    organisations: dict[int, Organisation]
    lines: dict[int, ListedRecipient]


def _homes(people: set[UUID], *, numbers: bool, addresses: bool, district: bool) -> dict[UUID, _Home]:
    columns = ["person_id", "status", "municipality_code", "protected", "name"]
    columns += ["cpr"] if numbers else []
    columns += ["address"] if addresses else []
    columns += ["school_district__name", "polling_district__name"] if district else []
    homes = {}
    rows = Resident.objects.filter(extract=newest_extract(), person__in=people).values_list(*columns)
    for person, status, municipality, protected, name, *more in rows:
        cpr = more.pop(0) if numbers else ""
        address = more.pop(0) if addresses else ""
        homes[person] = _Home(
            is_here=status in eligibility.LIVES_HERE and municipality == settings.MUNICIPALITY["code"],
            protected=protected,
            name=name,
            cpr=cpr,
            address=address,
            district=next(filter(None, more), ""),
        )
    return homes


def _recipient(delivery: Any, known: _Known) -> Recipient:
    """`delivery`: a row as `read` asks for it."""
    found = Recipient(
        delivery_id=delivery.id,
        uuid=delivery.message_uuid,
        channel=delivery.channel,
        attempts=delivery.attempts,
        english=delivery.english,
        protected=delivery.protected,
        person_id=delivery.person_id,
    )
    if delivery.user_id is not None:
        found.email = known.emails.get(delivery.user_id, "")
    if delivery.person_id is not None:
        home = known.homes.get(delivery.person_id)
        if home is not None and home.is_here:
            found.name, found.address, found.cpr = home.name, home.address, home.cpr
            found.protected, found.district = home.protected, home.district
        elif home is not None or delivery.channel != "email":
            found.gone = True
    if (organisation := known.organisations.get(delivery.organisation_id)) is not None:
        found.name, found.cvr = organisation.name, organisation.cvr or ""
    if (line := known.lines.get(delivery.listed_id)) is not None:
        found.name, found.address = found.name or line.name, found.address or line.address
        found.email, found.cvr = found.email or line.email, found.cvr or line.number
    return found


def _emails(users: set[int]) -> dict[int, str]:
    if not users:
        return {}
    rows = EmailAddress.objects.filter(user__in=users, verified=True).order_by("primary")
    found = {row.user_id: row.email for row in rows}
    disabled = set(
        DisabledAddress.objects.filter(email__in=[each.casefold() for each in found.values()]).values_list(
            "email", flat=True
        )
    )
    return {pk: email for pk, email in found.items() if email.casefold() not in disabled}
