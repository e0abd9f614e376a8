"""A ballot on its way to the urn: checked, sorted, made as long as every other, and encrypted.

AES-256-GCM under keys derived from BALLOT_KEY, which lives outside the database: whoever has only the database can't
peek before the close. Not Fernet, whose tokens carry the time. Nothing here reads the clock, a request or a person.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.verdict import Refused
from budgets.models import BallotType, Round

if TYPE_CHECKING:
    from accounts.models import User
    from budgets.models import VotingCode

Choices = tuple[tuple[str, int], ...]
"""What one voter chose: (project number, points), sorted, each number once. Points are 1 where none are given."""

NONCE_BYTES = 12
TAG_BYTES = 16
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
_CODE_GROUPS, _CODE_LENGTH = 3, 4  # 31^12: 59 bits


class UnreadableBallot(Exception):
    """A stored ballot doesn't open with this key, for this round and channel."""


@dataclass(frozen=True)
class Part:
    """What may be chosen in one pot, and how; all of the paper where the money is one sum. `district_id` is None for
    what everyone votes in. `alternatives` holds the group of each project that excludes others."""

    ballot_type: str
    prices: dict[str, Decimal]
    total: Decimal
    min_choices: int = 1
    max_choices: int | None = None
    points: int | None = None
    key: str = ""
    name: str = ""
    district_id: int | None = None
    alternatives: dict[str, str] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """How many projects one ballot can name here."""
        if self.ballot_type == BallotType.CHOOSE_ONE:
            return 1
        most = len(self.prices) if self.max_choices is None else min(self.max_choices, len(self.prices))
        if self.ballot_type == BallotType.CUMULATIVE:
            most = min(most, self.points or 0)
        return most

    @property
    def least(self) -> int:
        return 1 if self.ballot_type == BallotType.CHOOSE_ONE else min(self.min_choices, self.most)

    def excludes(self, number: str) -> bool:
        """Whether another project here can't win together with this one."""
        group = self.alternatives.get(number)
        return group is not None and list(self.alternatives.values()).count(group) > 1

    @property
    def longest(self) -> int:
        """The bytes of the longest choices here."""
        entries = sorted((_entry_length(number, self.points or 1) for number in self.prices), reverse=True)
        return sum(entries[: self.most])

    def check(self, chosen: Mapping[str, int]) -> None:
        """Raises `Refused` with what is wrong in plain words; under a pot they say which."""
        try:
            self._check(chosen)
        except Refused as refused:
            if not self.name:
                raise
            reason = _("%(pot)s: %(what)s") % {"pot": self.name, "what": refused.reason}
            raise Refused(refused.code, reason, refused.field) from None

    def _check(self, chosen: Mapping[str, int]) -> None:
        self._check_amount(len(chosen))
        if self.ballot_type == BallotType.CUMULATIVE:
            self._check_points(chosen)
        elif any(points != 1 for points in chosen.values()):
            raise Refused(
                "points_not_used", _("Points can't be given in this vote: only choose projects."), "choices"
            )
        if self.ballot_type == BallotType.KNAPSACK:
            self._check_money(chosen)

    def _check_amount(self, amount: int) -> None:
        if amount > self.most:
            raise Refused(
                "too_many",
                ngettext("Choose at most %(most)s project.", "Choose at most %(most)s projects.", self.most)
                % {"most": self.most},
                "choices",
            )
        if amount < self.least:
            raise Refused(
                "too_few",
                ngettext(
                    "Choose at least %(least)s project.", "Choose at least %(least)s projects.", self.least
                )
                % {"least": self.least},
                "choices",
            )

    def _check_points(self, chosen: Mapping[str, int]) -> None:
        if any(points < 1 for points in chosen.values()):
            raise Refused("no_points", _("Give each project you choose at least one point."), "choices")
        points = self.points or 0
        if sum(chosen.values()) > points:
            raise Refused(
                "too_many_points",
                ngettext("You have %(points)s point to give.", "You have %(points)s points to give.", points)
                % {"points": points},
                "choices",
            )

    def _check_money(self, chosen: Mapping[str, int]) -> None:
        """Whoever spends the money can't spend it on two that exclude each other."""
        if sum(self.prices[number] for number in chosen) > self.total:
            raise Refused(
                "over_budget",
                _("What you chose costs more than the money there is. Take something out."),
                "choices",
            )
        groups = [self.alternatives[number] for number in chosen if number in self.alternatives]
        if len(set(groups)) < len(groups):
            raise Refused(
                "alternatives",
                _("You chose two projects that exclude each other. Take one of them out."),
                "choices",
            )


@dataclass(frozen=True)
class Paper:
    """The ballot paper: one part, or one for each pot. A voter fills in the city-wide part and the part of one district.
    The same rules for the page, the cast, the paper ballot and the sealing."""

    parts: tuple[Part, ...]

    @property
    def ballot_type(self) -> str:
        return self.parts[0].ballot_type

    @cached_property
    def prices(self) -> dict[str, Decimal]:
        return {number: price for part in self.parts for number, price in part.prices.items()}

    @property
    def for_all(self) -> tuple[Part, ...]:
        """What everyone votes in: the city-wide pot, or all of a paper without pots."""
        return tuple(part for part in self.parts if part.district_id is None)

    @property
    def of_districts(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.district_id is not None)

    def for_pot(self, pot: str) -> tuple[Part, ...]:
        """What someone fills in who votes in this district's pot ("": in none)."""
        own = tuple(part for part in self.of_districts if part.key == pot)
        if pot and not own:
            raise Refused("unknown_pot", _("There is nothing to vote on in that pot. Choose another."), "pot")
        return self.for_all + own

    @property
    def ballot_bytes(self) -> int:
        """How long the longest ballot is, rounded up: every ballot of the round is padded to this."""
        longest = sum(part.longest for part in self.for_all)
        longest += max((part.longest for part in self.of_districts), default=0)
        return -(-(longest + 2) // 64) * 64

    def check(self, choices: Iterable[Sequence[object]], pot: str = "") -> Choices:
        """The choices in their canonical form. With two parts, one of them may be left blank. Raises `Refused` with
        what is wrong in plain words."""
        parts = self.for_pot(pot)
        chosen: dict[str, int] = {}
        for choice in choices:
            number, points = _pair(choice)
            if number not in self.prices:
                raise Refused(
                    "unknown_project", _("One of the projects you chose isn't on the ballot."), "choices"
                )
            if not any(number in part.prices for part in parts):
                raise Refused(
                    "other_pot",
                    _("One of the projects you chose belongs to a pot that you don't vote in."),
                    "choices",
                )
            if number in chosen:
                raise Refused("chosen_twice", _("You chose the same project twice."), "choices")
            chosen[number] = points
        if len(parts) != 1 and not chosen:
            raise Refused("blank", _("Choose at least one project."), "choices")
        for part in parts:
            here = {number: points for number, points in chosen.items() if number in part.prices}
            if here or len(parts) == 1:
                part.check(here)
        return tuple(sorted(chosen.items()))


def _pair(choice: Sequence[object]) -> tuple[str, int]:
    if len(choice) == 2:
        number, points = choice
        if isinstance(number, str) and isinstance(points, int) and not isinstance(points, bool):
            return number, points
    raise Refused("malformed", _("Your choices can't be read. Go back and choose again."), "choices")


def round_paper(round: "Round") -> Paper:
    """The paper of a round read by `Round.objects.for_voting()`. A pot without projects has no part. In a first round
    projects are only chosen, whatever the last round asks."""
    budget = round.process.citizenbudget
    if round.kind == Round.Kind.SHORTLIST:
        kind, points = BallotType.APPROVAL, None
        least, most = 1, budget.shortlist_choices or budget.max_choices
        if most is None and budget.ballot_type == BallotType.CHOOSE_ONE:
            most = 1
    else:
        kind = BallotType(budget.ballot_type)
        points = budget.points if kind == BallotType.CUMULATIVE else None
        least, most = budget.min_choices, budget.max_choices
    pots: list[dict[str, Any]] = [{"key": "", "name": "", "total": budget.total, "district": None}]
    parts = []
    for pot in round.pots or pots:  # type: ignore[attr-defined]
        here = [entry for entry in round.paper if entry["pot"] == pot["key"]]  # type: ignore[attr-defined]
        if here or not round.pots:  # type: ignore[attr-defined]
            parts.append(
                Part(
                    ballot_type=kind,
                    prices={entry["number"]: Decimal(entry["price"]) for entry in here},
                    total=Decimal(pot["total"]),
                    min_choices=least,
                    max_choices=most,
                    points=points,
                    key=pot["key"],
                    name=pot["name"],
                    district_id=pot["district"],
                    alternatives={e["number"]: e["alternative"] for e in here if e["alternative"]},
                )
            )
    return Paper(tuple(parts))


def encrypt(choices: Choices, *, round: "Round", channel: str, pot: str = "") -> bytes:
    """Nonce, ciphertext and tag: as long for every ballot of the round. Bound to round, channel and pot."""
    plain = json.dumps(choices, separators=(",", ":"), ensure_ascii=False).encode()
    if len(plain) > round.ballot_bytes:
        raise ValueError("The ballot is longer than the round's longest.")
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(round, "ballots")).encrypt(
        nonce, plain.ljust(round.ballot_bytes), _bound_to(round, channel, pot)
    )
    return nonce + sealed


class Opener:
    """Opens the ballots of one round; the key is derived once."""

    def __init__(self, round: "Round") -> None:
        self.round = round
        self.cipher = AESGCM(_key(round, "ballots"))

    def open(self, stored: bytes, *, channel: str, pot: str = "") -> Choices:
        try:
            plain = self.cipher.decrypt(
                stored[:NONCE_BYTES], stored[NONCE_BYTES:], _bound_to(self.round, channel, pot)
            )
        except (InvalidTag, ValueError):
            raise UnreadableBallot from None
        return tuple((number, points) for number, points in json.loads(plain))


def new_tracker() -> str:
    """A code to write down: three groups of four letters and figures."""
    groups = ("".join(secrets.choice(_LETTERS) for _i in range(_CODE_LENGTH)) for _g in range(_CODE_GROUPS))
    return "-".join(groups)


def sign_tracker(code: str, *, round: "Round", by: "User | VotingCode") -> str:
    """For the hidden field of the review page: nobody can bring a code of their own, or another voter's."""
    return _signer(round, by).sign(code)


def unsign_tracker(signed: str, *, round: "Round", by: "User | VotingCode") -> str:
    try:
        return _signer(round, by).unsign(signed)
    except BadSignature:
        raise Refused(
            "tracker", _("The page is no longer valid. Go back to your choices and try again."), "tracker"
        ) from None


def tracker_hash(code: str, *, round: "Round") -> str:
    """What is stored beside the ballot; typed codes may lack hyphens or capitals."""
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return hmac.new(_key(round, "trackers"), plain.encode(), hashlib.sha256).hexdigest()


def ballot_key() -> bytes:
    """BALLOT_KEY as 32 bytes, or a sentence of what to set."""
    try:
        key = base64.urlsafe_b64decode(settings.BALLOT_KEY.encode())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("Set BALLOT_KEY to 32 random bytes in URL-safe base64.")
    return key


def _key(round: "Round", purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"budgets round {round.pk} {purpose}".encode()).derive(
        ballot_key()
    )


def _bound_to(round: "Round", channel: str, pot: str) -> bytes:
    return json.dumps([round.pk, channel, pot]).encode()


def _signer(round: "Round", by: "User | VotingCode") -> Signer:
    return Signer(salt=f"budgets.tracker:{round.pk}:{by.__class__.__name__}:{by.pk}")


def _entry_length(number: str, most_points: int) -> int:
    return len(json.dumps([number, most_points], separators=(",", ":"), ensure_ascii=False).encode()) + 1
