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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

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
from budgets.models import BallotType

if TYPE_CHECKING:
    from accounts.models import User
    from budgets.models import CitizenBudget, Round

Choices = tuple[tuple[str, int], ...]
"""What one voter chose: (project number, points), sorted, each number once. Points are 1 where none are given."""

NONCE_BYTES = 12
TAG_BYTES = 16
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
_CODE_GROUPS, _CODE_LENGTH = 3, 4  # 31^12: 59 bits


class UnreadableBallot(Exception):
    """A stored ballot doesn't open with this key, for this round and channel."""


@dataclass(frozen=True)
class Paper:
    """The ballot paper: what may be chosen and how. The same rules for the page, the cast and the sealing."""

    ballot_type: str
    prices: dict[str, Decimal]
    total: Decimal
    min_choices: int = 1
    max_choices: int | None = None
    points: int | None = None

    @property
    def most(self) -> int:
        """How many projects one ballot can name."""
        if self.ballot_type == BallotType.CHOOSE_ONE:
            return 1
        most = len(self.prices) if self.max_choices is None else min(self.max_choices, len(self.prices))
        if self.ballot_type == BallotType.CUMULATIVE:
            most = min(most, self.points or 0)
        return most

    @property
    def least(self) -> int:
        return 1 if self.ballot_type == BallotType.CHOOSE_ONE else min(self.min_choices, self.most)

    @property
    def ballot_bytes(self) -> int:
        """How long the longest ballot is, rounded up: every ballot of the round is padded to this."""
        longest = sorted((_entry_length(number, self.points or 1) for number in self.prices), reverse=True)
        return -(-(sum(longest[: self.most]) + 2) // 64) * 64

    def check(self, choices: Iterable[Sequence[object]]) -> Choices:
        """The choices in their canonical form. Raises `Refused` with what is wrong in plain words."""
        chosen: dict[str, int] = {}
        for choice in choices:
            number, points = self._pair(choice)
            if number not in self.prices:
                raise Refused(
                    "unknown_project", _("One of the projects you chose isn't on the ballot."), "choices"
                )
            if number in chosen:
                raise Refused("chosen_twice", _("You chose the same project twice."), "choices")
            chosen[number] = points
        self._check_amount(len(chosen))
        if self.ballot_type == BallotType.CUMULATIVE:
            self._check_points(chosen)
        elif any(points != 1 for points in chosen.values()):
            raise Refused(
                "points_not_used", _("Points can't be given in this vote: only choose projects."), "choices"
            )
        if self.ballot_type == BallotType.KNAPSACK:
            spent = sum(self.prices[number] for number in chosen)
            if spent > self.total:
                raise Refused(
                    "over_budget",
                    _("What you chose costs more than the money there is. Take something out."),
                    "choices",
                )
        return tuple(sorted(chosen.items()))

    def _pair(self, choice: Sequence[object]) -> tuple[str, int]:
        if len(choice) == 2:
            number, points = choice
            if isinstance(number, str) and isinstance(points, int) and not isinstance(points, bool):
                return number, points
        raise Refused("malformed", _("Your choices can't be read. Go back and choose again."), "choices")

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

    def _check_points(self, chosen: dict[str, int]) -> None:
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


def paper_of(budget: "CitizenBudget", prices: dict[str, Decimal]) -> Paper:
    return Paper(
        ballot_type=budget.ballot_type,
        prices=prices,
        total=budget.total,
        min_choices=budget.min_choices,
        max_choices=budget.max_choices,
        points=budget.points if budget.ballot_type == BallotType.CUMULATIVE else None,
    )


def round_paper(round: "Round") -> Paper:
    """The paper of a round read by `Round.objects.for_voting()`."""
    entries = round.paper  # type: ignore[attr-defined]
    return paper_of(
        round.process.citizenbudget, {entry["number"]: Decimal(entry["price"]) for entry in entries}
    )


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


def sign_tracker(code: str, *, round: "Round", by: "User") -> str:
    """For the hidden field of the review page: nobody can bring a code of their own, or another voter's."""
    return _signer(round, by).sign(code)


def unsign_tracker(signed: str, *, round: "Round", by: "User") -> str:
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


def _signer(round: "Round", by: "User") -> Signer:
    return Signer(salt=f"budgets.tracker:{round.pk}:{by.pk}")


def _entry_length(number: str, most_points: int) -> int:
    return len(json.dumps([number, most_points], separators=(",", ":"), ensure_ascii=False).encode()) + 1
