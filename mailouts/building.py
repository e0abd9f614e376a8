"""Making the list: who of all the candidates gets the letter, once each, and which way it goes.

Nobody who has died or moved away by the newest extract; nobody twice, however many sources name them; one for each household
where that is chosen; and, unless it is chosen otherwise, nobody who has had the very same letter before.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models.functions import Lower

from accounts import eligibility
from accounts.models import Organisation, RegisterExtract, Resident, User
from mailouts import channels, content, listing, recipients, sources
from mailouts.channels import Reach
from mailouts.choices import Earlier, Policy, Stage, State
from mailouts.models import Campaign, Delivery, DisabledAddress, ListedRecipient
from mailouts.sources import Candidate

BATCH = 2000


@dataclass
class Numbers:
    """What building the list found. `letters` by channel; `left_out` by reason."""

    channels: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    protected: int = 0
    earlier: int = 0
    english: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "letters": sum(self.channels.values()),
            "channels": dict(self.channels),
            "left_out": {reason: count for reason, count in self.left_out.items() if count},
            "protected": self.protected,
            "earlier": self.earlier,
            "english": self.english,
        }


@dataclass(slots=True)
class _Found:
    """Somebody on the way to the list."""

    key: str
    reach: Reach
    person_id: UUID | None = None
    user_id: int | None = None
    organisation_id: int | None = None
    listed_id: int | None = None
    born: date | None = None
    protected: bool = False
    english: bool = False


class Builder:
    """One run. Call `build` in a transaction that holds the campaign's row."""

    def __init__(self, campaign: Campaign, *, at: datetime) -> None:
        self.campaign = campaign
        self.at = at
        self.numbers = Numbers()
        self.extract = RegisterExtract.objects.counting_on(at.date()).first()
        written = () if campaign.policy == Policy.NEMSMS else content.letters_of(campaign)
        fields = {name for letter in written if letter is not None for name in letter.fields}
        self.fillers = [recipients.filler(name) for name in sorted(fields & recipients.given_when_leaving())]

    def build(self) -> Numbers:
        self.campaign.deliveries.all().delete()
        for source in self.campaign.sources.all():
            candidates = iter(sources.get(source.kind).candidates(source))
            while batch := list(islice(candidates, BATCH)):
                self._add(batch)
        return self.numbers

    def _add(self, batch: list[Candidate]) -> None:
        named = self._known_again(batch)
        batch = list(dict.fromkeys(named))
        self.numbers.left_out["overlap"] += len(named) - len(batch)
        found = [
            *self._persons(batch),
            *self._organisations(batch),
            *self._listed(batch),
            *self._users(batch),
        ]
        once: dict[str, _Found] = {}
        for one in found:
            if one.key in once:
                self.numbers.left_out["overlap"] += 1
            else:
                once[one.key] = one
        there = set(
            self.campaign.deliveries.filter(recipient_key__in=list(once)).values_list(
                "recipient_key", flat=True
            )
        )
        again = [once[key] for key in there]
        self.numbers.left_out["overlap"] += sum(not one.key.startswith("h:") for one in again)
        self.numbers.left_out["household"] += sum(one.key.startswith("h:") for one in again)
        fresh = [one for key, one in once.items() if key not in there]
        fresh += self._older([one for one in again if one.key.startswith("h:")])
        fresh = self._who_can_have(fresh)
        had_it = self._had_it(fresh)
        self.numbers.earlier += len(had_it)
        rows = []
        for one in fresh:
            if one.key in had_it and self.campaign.earlier == Earlier.LEAVE_OUT:
                self.numbers.left_out["earlier"] += 1
                continue
            channel = channels.choose(self.campaign.policy, one.reach)
            if channel is None:
                self.numbers.left_out["no_way"] += 1
                continue
            self._count(channel, one.protected, one.english, 1)
            rows.append(
                Delivery(
                    campaign=self.campaign,
                    recipient_key=one.key,
                    person_id=one.person_id,
                    user_id=one.user_id,
                    organisation_id=one.organisation_id,
                    listed_id=one.listed_id,
                    protected=one.protected,
                    english=one.english,
                    channel=channel,
                    message_uuid=uuid4(),
                    state=State.QUEUED,
                    due_at=self.at,
                )
            )
        Delivery.objects.bulk_create(rows, batch_size=1000)

    def _count(self, channel: str, protected: bool, english: bool, letters: int) -> None:
        self.numbers.channels[channel] += letters
        self.numbers.protected += letters * protected
        self.numbers.english += letters * english

    def _older(self, again: list[_Found]) -> list[_Found]:
        """Of those whose household stands on the list already: who is older than the one that does, and takes their place."""
        if not again:
            return []
        there = {
            row.recipient_key: row
            for row in self.campaign.deliveries.filter(recipient_key__in=[one.key for one in again])
        }
        born = dict(
            Resident.objects.filter(
                extract=self.extract, person__in=[row.person_id for row in there.values()]
            ).values_list("person_id", "birth_date")
        )
        older = []
        for one in again:
            row = there[one.key]
            if row.person_id is None or (one.born, one.person_id) >= (born[row.person_id], row.person_id):
                continue
            self._count(row.channel, row.protected, row.english, -1)
            row.delete()
            older.append(one)
        return older

    def _known_again(self, batch: list[Candidate]) -> list[Candidate]:
        """A listed e-mail that is the confirmed one of an account is that account, and so its person: one letter, not two."""
        listed = [one.listed_id for one in batch if one.listed_id is not None]
        if not listed:
            return batch
        lines = ListedRecipient.objects.filter(pk__in=listed, key__startswith="e:")
        emails = {row.email: row.pk for row in lines.only("email")}
        rows = EmailAddress.objects.annotate(folded=Lower("email")).filter(
            folded__in=list(emails), verified=True, user__is_active=True
        )
        accounts = {emails[folded]: user for folded, user in rows.values_list("folded", "user_id")}
        people = {
            user.pk: user
            for user in User.objects.filter(
                pk__in=list(accounts.values()), person__isnull=False
            ).select_related("person")
        }
        # Whoever has left the register can still be written to where the list says.
        known = set(
            Resident.objects.filter(
                extract=self.extract, person__in=[user.person_id for user in people.values()]
            ).values_list("person_id", flat=True)
        )
        accounts = {
            line: pk
            for line, pk in accounts.items()
            if pk not in people or people[pk].person_id in known or _lives_elsewhere(people[pk])
        }
        return [
            Candidate(user_id=accounts[one.listed_id]) if one.listed_id in accounts else one for one in batch
        ]

    def _who_can_have(self, found: list[_Found]) -> list[_Found]:
        """Without those who can't be given what the letter says it gives."""
        for filler in self.fillers:
            persons = {one.person_id for one in found if one.person_id is not None}
            allowed = filler.allowed(self.campaign.pk, persons)
            able = [one for one in found if one.person_id in allowed]
            self.numbers.left_out[filler.reason] += len(found) - len(able)
            found = able
        return found

    def _persons(self, batch: Iterable[Candidate]) -> Iterator[_Found]:
        """Those with a line in the newest extract who live here. One account may follow: its language and e-mail."""
        ids = {one.person_id for one in batch if one.person_id is not None}
        ids |= set(self._persons_behind(batch).values())
        if not ids:
            return
        if self.extract is None:
            self.extract = sources.newest_extract()
        rows = Resident.objects.filter(extract=self.extract, person__in=ids).values_list(
            "person_id", "status", "municipality_code", "household", "protected", "digital_post", "birth_date"
        )
        accounts = User.objects.filter(person__in=ids, is_active=True).select_related("person")
        users = {user.person_id: user for user in accounts}
        emails = _addresses(users.values())
        known = set()
        households: dict[str, _Found] = {}
        for person, status, municipality, household, protected, digital, born in sorted(
            rows, key=lambda row: (row[6], row[0])
        ):
            known.add(person)
            if status not in eligibility.LIVES_HERE or municipality != settings.MUNICIPALITY["code"]:
                self.numbers.left_out["gone"] += 1
                continue
            user = users.get(person)
            shared = self.campaign.per_household and household
            one = _Found(
                key=f"h:{household}" if shared else f"p:{person}",
                reach=Reach(
                    digital=digital and eligibility.age_on(born, self.at.date()) >= sources.YOUNGEST,
                    address=True,
                    email=user is not None and user.pk in emails,
                    number=True,
                ),
                person_id=person,
                user_id=user.pk if user else None,
                born=born,
                protected=protected,
                english=user is not None and user.language == "en",
            )
            if shared and household in households:
                self.numbers.left_out["household"] += 1
                continue
            if shared:
                households[household] = one
            yield one
        for person in ids - known:
            user = users.get(person)
            # The sign-in broker says when somebody who has an account lives elsewhere; others have left the register.
            if user is not None and user.pk in emails and _lives_elsewhere(user):
                yield _Found(
                    f"p:{person}",
                    Reach(email=True),
                    person_id=person,
                    user_id=user.pk,
                    english=user.language == "en",
                )
            else:
                self.numbers.left_out["gone"] += 1

    def _persons_behind(self, batch: Iterable[Candidate]) -> dict[int, UUID]:
        """Accounts and lines that turn out to be persons: candidate key → person."""
        ids = [one.user_id for one in batch if one.user_id is not None]
        listed = [one.listed_id for one in batch if one.listed_id is not None]
        found: dict[int, UUID] = {}
        if ids:
            rows = User.objects.filter(pk__in=ids, person__isnull=False).values_list("pk", "person_id")
            found |= {pk: person for pk, person in rows if person is not None}
        if listed:
            keys = ListedRecipient.objects.filter(pk__in=listed, key__startswith="p:").values_list(
                "pk", "key"
            )
            found |= {-pk: UUID(key[2:]) for pk, key in keys}
        return found

    def _organisations(self, batch: Iterable[Candidate]) -> Iterator[_Found]:
        ids = [one.organisation_id for one in batch if one.organisation_id is not None]
        if ids:
            for pk, cvr in Organisation.objects.filter(pk__in=ids).values_list("pk", "cvr"):
                yield _Found(f"c:{cvr}", Reach(digital=bool(cvr), number=bool(cvr)), organisation_id=pk)

    def _listed(self, batch: Iterable[Candidate]) -> Iterator[_Found]:
        ids = [one.listed_id for one in batch if one.listed_id is not None]
        if not ids:
            return
        rows = list(ListedRecipient.objects.filter(pk__in=ids).exclude(key__startswith="p:"))
        disabled = _disabled(row.email for row in rows if row.email)
        for row in rows:
            is_number = row.key.startswith("c:")
            yield _Found(
                row.key,
                Reach(
                    digital=is_number,
                    number=is_number,
                    address=bool(row.address),
                    email=bool(row.email) and row.email not in disabled,
                ),
                listed_id=row.pk,
            )

    def _users(self, batch: Iterable[Candidate]) -> Iterator[_Found]:
        """Accounts without a person: businesses, boards, and whoever was never told apart."""
        ids = [one.user_id for one in batch if one.user_id is not None]
        if not ids:
            return
        users = list(
            User.objects.filter(pk__in=ids, person=None, is_active=True).select_related("organisation")
        )
        emails = _addresses(users)
        for user in users:
            cvr = user.organisation.cvr if user.organisation else None
            if cvr:
                yield _Found(
                    f"c:{cvr}",
                    Reach(digital=True, number=True, email=user.pk in emails),
                    organisation_id=user.organisation_id,
                    user_id=user.pk,
                )
            else:
                key = listing.email_key(emails[user.pk]) if user.pk in emails else f"u:{user.pk}"
                yield _Found(
                    key, Reach(email=user.pk in emails), user_id=user.pk, english=user.language == "en"
                )

    def _had_it(self, found: list[_Found]) -> set[str]:
        """Who stands on another mailout's list with the very same words, one that has begun or waits to."""
        words = {"subject": self.campaign.subject, "text": self.campaign.text}
        same = Campaign.objects.exclude(stage=Stage.DRAFT).exclude(pk=self.campaign.pk)
        if self.campaign.policy == Policy.NEMSMS:
            words = {"sms_text": self.campaign.sms_text}
            same = same.filter(policy=Policy.NEMSMS)
        else:
            same = same.exclude(policy=Policy.NEMSMS)
        pks = list(same.filter(**words).values_list("pk", flat=True))
        if not pks or not all(words.get(name) for name in words if name != "subject"):
            return set()
        earlier = Delivery.objects.filter(campaign__in=pks).exclude(
            state__in=[State.CANCELLED, State.LEFT_OUT, State.FAILED]
        )
        keys = set(
            earlier.filter(recipient_key__in=[one.key for one in found]).values_list(
                "recipient_key", flat=True
            )
        )
        persons = {one.person_id: one.key for one in found if one.person_id is not None}
        rows = earlier.filter(person__in=list(persons)).values_list("person_id", flat=True)
        return keys | {persons[person] for person in rows if person is not None}


def _addresses(users: Iterable[User]) -> dict[int, str]:
    """The verified e-mail of each account, the primary one first, without those that bounce."""
    ids = [user.pk for user in users]
    rows = EmailAddress.objects.filter(user__in=ids, verified=True).order_by("primary")
    found = {row.user_id: row.email for row in rows}
    disabled = _disabled(found.values())
    return {pk: email for pk, email in found.items() if email.casefold() not in disabled}


def _disabled(emails: Iterable[str]) -> set[str]:
    wanted = [email.casefold() for email in emails]
    return set(DisabledAddress.objects.filter(email__in=wanted).values_list("email", flat=True))


def _lives_elsewhere(user: User) -> bool:
    return user.person is not None and user.person.birth_date is not None
