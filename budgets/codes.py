"""Voting codes: what they look like, how they are known again, and who may vote with one.

A code is 12 random letters and figures and a thirteenth that tells a slip of the finger: 59 bits, so that guessing is
hopeless, and a typo is no guess. Stored is only its HMAC under CODE_KEY, which lies outside the database. The clear code
stands on paper and in the body of a request, nowhere else.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import eligibility
from accounts.eligibility import Facts
from accounts.models import EligibilityRule, RegisterExtract, Resident
from accounts.verdict import Refused, Verdict, verdict
from budgets import names, voting
from budgets.models import CitizenBudget, CodeBatch, Roll, Round, VoteChannel, VotingCode

if TYPE_CHECKING:
    from participation.models import Phase, Process

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # 31, a prime; nothing that looks like something else
RANDOM = 12  # 31^12: 59 bits
LENGTH = RANDOM + 1
GROUPS = (4, 4, 5)
LONGEST_TYPED = 60
_NONCE_BYTES = 12
_VALUE = {letter: value for value, letter in enumerate(LETTERS)}


class Unreadable(Exception):
    """What was stored for printing doesn't open with this key."""


def new_code() -> str:
    """Thirteen signs without hyphens."""
    random = "".join(secrets.choice(LETTERS) for _i in range(RANDOM))
    return random + _check_letter(random)


def shown(code: str) -> str:
    """As it is printed: in groups."""
    parts, start = [], 0
    for length in GROUPS:
        parts.append(code[start : start + length])
        start += length
    return "-".join(parts)


def plain(typed: str) -> str:
    """What was typed without hyphens, spaces and small letters."""
    return "".join(sign for sign in typed[:LONGEST_TYPED].upper() if sign.isalnum())


def is_well_formed(code: str) -> bool:
    """Whether the last sign fits the others. One wrong sign, or two that changed places, never does: the weights differ
    and 31 is a prime."""
    return len(code) == LENGTH and set(code) <= set(LETTERS) and code[-1] == _check_letter(code[:-1])


def _check_letter(random: str) -> str:
    total = sum(weight * _VALUE[sign] for weight, sign in enumerate(random, start=2))
    return LETTERS[-total % len(LETTERS)]


def stored_as(code: str) -> str:
    """The HMAC that stands in the database."""
    return hmac.new(_key("codes"), code.encode(), hashlib.sha256).hexdigest()


def address_key(address: str) -> str:
    """An address that guessed, as it may be stored."""
    return hmac.new(_key("addresses"), address.encode(), hashlib.sha256).hexdigest()


def code_key() -> bytes:
    """CODE_KEY as 32 bytes, or a sentence of what to set."""
    try:
        key = base64.urlsafe_b64decode(settings.CODE_KEY.encode())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("Set CODE_KEY to 32 random bytes in URL-safe base64.")
    return key


def _key(purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"budgets {purpose}".encode()).derive(code_key())


def lock_up(content: bytes, *, batch: CodeBatch) -> bytes:
    """The PDF as it waits to be fetched."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key("prints")).encrypt(nonce, content, str(batch.pk).encode())


def unlock(stored: bytes, *, batch: CodeBatch) -> bytes:
    try:
        return AESGCM(_key("prints")).decrypt(
            stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], str(batch.pk).encode()
        )
    except (InvalidTag, ValueError):
        raise Unreadable from None


def find(code: str, process: "Process") -> VotingCode | None:
    """The code of this process; one query, the same for codes that are blocked, used or unknown."""
    return (
        VotingCode.objects.select_related("batch__phase", "person")
        .filter(hmac=stored_as(code), batch__process=process)
        .first()
    )


def check_code(code: VotingCode, round: Round, *, at: datetime) -> voting.Voter:
    """Whether this code gives a vote in this round now, but for whether it has voted, which only the roll can say."""
    voting.check_taking_votes(round, at)
    batch = code.batch
    if code.phase_id != round.phase_id:
        raise Refused("other_round", _("This code is for another round of voting."))
    if batch.blocked_at is not None:
        raise Refused(
            "blocked",
            _("This code has been blocked: %(reason)s") % {"reason": batch.blocked_reason},
        )
    if code.blocked:
        raise Refused("replaced", _("This code has been replaced by a newer one. Use the newest letter."))
    budget = round.process.citizenbudget
    if batch.kind == CodeBatch.Kind.CLASS:
        check_class_band(budget)
        known = Facts(age_band=class_age_band(budget))
        voting.check_has_pot(round, known)
        return voting.Voter(VoteChannel.CODE, code_id=code.pk, facts=known, valid_code=code.pk)
    known = eligibility.facts(code.person, at)
    voting.check_not_in_class(budget, known, at)
    eligibility.check_eligible(budget.vote_rule, code.person, at=at, act=voting.VOTE, known=known)
    voting.check_has_pot(round, known)
    return voting.Voter(VoteChannel.CODE, person_id=code.person_id, facts=known, valid_code=code.pk)


def check_may_vote(code: VotingCode, round: Round, *, at: datetime) -> voting.Voter:
    voter = check_code(code, round, at=at)
    if has_voted(code, round):
        raise Refused("used", used(code))
    return voter


def has_voted(code: VotingCode, round: Round) -> bool:
    """A class code stands on the roll itself; of a personal one the person, who may have voted in another way."""
    roll = Roll.objects.filter(round=round)
    if code.person_id is None:
        return roll.filter(code=code.pk).exists()
    return roll.filter(person=code.person_id).exists()


def used(code: VotingCode) -> str:
    if code.person_id is None:
        return _("This code has been used. Each code gives one vote.")
    return voting.already_voted()


def class_age_band(budget: CitizenBudget) -> str:
    """The band of the roll that all of the class ages belong to; empty when they span two."""
    if budget.class_age_from is None or budget.class_age_to is None:
        return ""
    first, last = eligibility.age_band(budget.class_age_from), eligibility.age_band(budget.class_age_to)
    return first if first == last else ""


def check_class_band(budget: CitizenBudget) -> None:
    """Codes that are tied to nobody are safe only for ages that vote in no other way, all through the round. Without a day
    that ages are reckoned on, a child has a birthday, grows out of the band, and could vote once more with MitID."""
    if budget.class_age_from is None or budget.class_age_to is None:
        raise Refused(
            "no_class_band",
            _(
                "The rules don't say which ages vote in class. It must be decided before the budget is approved: those ages "
                "can't vote in any other way."
            ),
        )
    rule = budget.vote_rule
    grows_out_into = budget.class_age_to + 1
    if rule.age_on is None and rule.min_age <= grows_out_into:
        raise Refused(
            "birthdays",
            _(
                "The rules must say on which day the age counts. Else someone who turns %(age)s during the vote could vote "
                "twice: first with a class code, then with MitID."
            )
            % {"age": grows_out_into},
        )


def can_class_vote(budget: CitizenBudget) -> Verdict:
    return verdict(check_class_band, budget)


@dataclass(frozen=True)
class Chosen:
    """Whom letters are for: everyone who may vote, or fewer. Ages are those on the day that the rules reckon ages on."""

    age_from: int | None = None
    age_to: int | None = None
    districts: tuple[int, ...] = ()
    without_digital_post: bool = False

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"districts": list(self.districts)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Chosen":
        return cls(**stored | {"districts": tuple(stored.get("districts", ()))})


def residents(
    budget: CitizenBudget, phase: "Phase", chosen: Chosen, *, again: bool = False
) -> models.QuerySet[Resident]:
    """Who is in the register extract that counts when voting ends, may vote by the rules in another way than in class, is
    among those chosen, and has no code for this round yet (`again`: or has one)."""
    rule = budget.vote_rule
    last_day = timezone.localdate(phase.interval.upper - timedelta(microseconds=1))
    extract = RegisterExtract.objects.counting_on(last_day).first()
    if extract is None:
        raise Refused("no_register", _("There is no register extract that is valid until voting ends."))
    day = rule.age_on or last_day
    found = Resident.objects.filter(
        extract=extract,
        status__in=eligibility.LIVES_HERE,
        municipality_code=settings.MUNICIPALITY["code"],
        birth_date__lte=_born_by(day, max(rule.min_age, chosen.age_from or 0)),
    )
    if chosen.age_to is not None:
        found = found.filter(birth_date__gt=_born_by(day, chosen.age_to + 1))
    if budget.class_age_from is not None and budget.class_age_to is not None:
        found = found.exclude(
            birth_date__lte=_born_by(day, budget.class_age_from),
            birth_date__gt=_born_by(day, budget.class_age_to + 1),
        )
    if rule.residence == EligibilityRule.Residence.DISTRICTS:
        found = _living_in(found, [district.pk for district in rule.districts.all()])
    if chosen.districts:
        found = _living_in(found, chosen.districts)
    if chosen.without_digital_post:
        found = found.filter(digital_post=False)
    if not again:
        live = VotingCode.objects.filter(phase=phase, person=OuterRef("person"), blocked=False)
        found = found.filter(~models.Exists(live))
    return found


def _living_in(found: models.QuerySet[Resident], districts: Iterable[int]) -> models.QuerySet[Resident]:
    districts = list(districts)
    return found.filter(Q(school_district__in=districts) | Q(polling_district__in=districts))


def _born_by(day: date, age: int) -> date:
    """The last birth date of those who are `age` or older on that day. As `eligibility.birthday`: 29 February turns on
    1 March."""
    try:
        return day.replace(year=day.year - age)
    except ValueError:
        return date(day.year - age, 2, 28)


def named(budget: CitizenBudget, phase: "Phase", *, name: str, birth_date: date) -> list[Resident]:
    """Who of those with this birth date has a name that fits what was typed, as at a polling place. Names are encrypted, so
    the few of that day are read and compared here."""
    words = names.folded(name).split()
    if not words:
        return []
    sought = residents(budget, phase, Chosen(), again=True).filter(birth_date=birth_date)
    return [
        resident
        for resident in sought.select_related("school_district", "polling_district").order_by("pk")
        if names.fits(resident.name, words)
    ]


@dataclass(frozen=True)
class Tally:
    """One batch in numbers, for the reconciliation. `unused` can still vote while the round is open."""

    batch: CodeBatch
    made: int
    used: int
    blocked: int

    @property
    def unused(self) -> int:
        return self.made - self.used - self.blocked


def tally(round: Round) -> list[Tally]:
    """Each batch of the round: made = used + blocked + unused. Codes used before their batch was blocked count as used."""
    batches = (
        CodeBatch.objects.with_numbers()
        .filter(phase=round.phase_id, state=CodeBatch.State.READY)
        .order_by("made_at", "pk")
    )
    return [numbers(batch) for batch in batches]


def tally_by_kind(round: Round) -> list[Tally]:
    """As everyone may see it: letters together and cards together. A batch by itself can be one person's letter."""
    sums: dict[str, Tally] = {}
    for one in tally(round):
        so_far = sums.get(one.batch.kind, Tally(one.batch, 0, 0, 0))
        sums[one.batch.kind] = Tally(
            so_far.batch, so_far.made + one.made, so_far.used + one.used, so_far.blocked + one.blocked
        )
    return list(sums.values())


def numbers(batch: CodeBatch) -> Tally:
    """From a batch read by `CodeBatch.objects.with_numbers()`."""
    used: int = batch.used  # type: ignore[attr-defined]
    replaced: int = batch.replaced  # type: ignore[attr-defined]
    blocked = batch.amount - used if batch.blocked_at is not None else replaced
    return Tally(batch, made=batch.amount, used=used, blocked=blocked)
