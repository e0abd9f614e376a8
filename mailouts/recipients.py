"""Who a batch of deliveries goes to, read when it is about to be sent and forgotten with the batch.

This is the only place where a CPR number is decrypted. The newest register extract is asked again: whoever has died or moved
away since the list was made is left out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings

from accounts import eligibility
from accounts.models import RegisterExtract, Resident
from audit import clock
from mailouts.choices import Channel
from mailouts.models import Delivery, DisabledAddress


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


Filler = Callable[[int, list[Recipient]], dict[int, str]]
_fillers: dict[str, Filler] = {}


def register_filler(name: str, fill: Filler) -> None:
    """`fill(campaign_id, recipients)` gives each delivery its value of the merge field `name`. Called only for letters that
    have the field, when they are about to leave."""
    if _fillers.get(name, fill) is not fill:
        raise ValueError(f"The field {name!r} is filled in twice.")
    _fillers[name] = fill


def given_when_leaving() -> frozenset[str]:
    """Fields that are made for one letter when it is about to leave, so that a preview has only an example."""
    return frozenset(_fillers)


def read(ids: Iterable[int], *, fields: frozenset[str] = frozenset()) -> list[Recipient]:
    """In the order of the ids. Four queries for a batch, however large."""
    deliveries = list(
        Delivery.objects.filter(pk__in=list(ids))
        .select_related("organisation", "listed")
        .only(
            *("id", "campaign_id", "message_uuid", "channel", "attempts", "english", "protected"),
            *("person_id", "user_id", "organisation", "listed"),
        )
        .order_by("pk")
    )
    people = {each.person_id for each in deliveries if each.person_id is not None}
    homes: dict[UUID, Resident] = {}
    if people:
        extract = RegisterExtract.objects.counting_on(clock.today()).first()
        rows = Resident.objects.filter(extract=extract, person__in=people)
        if "distrikt" in fields:
            rows = rows.select_related("school_district", "polling_district")
        homes = {row.person_id: row for row in rows}
    users = {each.user_id for each in deliveries if each.user_id is not None and each.channel == "email"}
    emails = _emails(users)
    found = [_recipient(each, homes, emails, district="distrikt" in fields) for each in deliveries]
    for name in fields & _fillers.keys():
        here = [each for each in found if not each.gone]
        campaign_id = deliveries[0].campaign_id if deliveries else None
        if here and campaign_id is not None:
            filled = _fillers[name](campaign_id, here)
            for each in here:
                each.extra[name] = filled.get(each.delivery_id, "")
    return found


def _recipient(
    delivery: Delivery, homes: dict[UUID, Resident], emails: dict[int, str], *, district: bool
) -> Recipient:
    found = Recipient(
        delivery_id=delivery.pk,
        uuid=delivery.message_uuid,
        channel=delivery.channel,
        attempts=delivery.attempts,
        english=delivery.english,
        protected=delivery.protected,
        person_id=delivery.person_id,
    )
    if delivery.user_id is not None:
        found.email = emails.get(delivery.user_id, "")
    if delivery.person_id is not None:
        home = homes.get(delivery.person_id)
        if home is not None and lives_here(home):
            found.name, found.address, found.cpr = home.name, home.address, home.cpr
            found.protected = home.protected
            if district:
                found.district = str(home.school_district or home.polling_district or "")
        elif home is not None or delivery.channel != "email":
            found.gone = True
    if delivery.organisation is not None:
        found.name, found.cvr = delivery.organisation.name, delivery.organisation.cvr or ""
    if delivery.listed is not None:
        line = delivery.listed
        found.name, found.address = found.name or line.name, found.address or line.address
        found.email, found.cvr = found.email or line.email, found.cvr or line.number
    return found


def lives_here(home: Resident) -> bool:
    return home.status in eligibility.LIVES_HERE and home.municipality_code == settings.MUNICIPALITY["code"]


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
