"""What a gateway for letters must be able to say: taken, certainly not taken, or nothing at all.

The difference is what keeps anyone from getting a letter twice. An adapter (`settings.DIGITAL_POST["adapter"]`; ours is
`mailouts.sf1601.KombiPost`) raises `NotTaken` only when it is certain that the message went nowhere; whatever else it
raises means that nobody knows, and such a letter waits for its receipt or for a person.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


class Choice(StrEnum):
    """SF1601's KombiValgKode: which road the gateway takes."""

    AUTOMATIC = "Automatisk Valg"
    DIGITAL = "Digital Post"
    PHYSICAL = "Fysisk Post"
    NEMSMS = "NemSMS"


class Service(StrEnum):
    """What somebody may be registered for (PostForespoerg)."""

    DIGITAL_POST = "digitalpost"
    NEMSMS = "nemsms"


class NotTaken(Exception):
    """It was certainly not taken.

    `final`: this letter will never be taken as it is, so trying again is no use. `gateway`: the fault is not the letter's
    (no connection, too busy, our token), so that the next one would fare no better.
    """

    def __init__(self, why: str, *, final: bool = False, gateway: bool = False) -> None:
        super().__init__(why)
        self.final = final
        self.gateway = gateway


class Unanswered(Exception):
    """It may have been taken or not: the connection broke, the time ran out, or the answer made no sense."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A letter for fjernprint in the same request. `identifier`: AfsendelseIdentifikator, at most 38 characters."""

    identifier: str
    pdf: bytes


class Gateway(Protocol):
    """One connection for a whole run; not shared between threads."""

    def send(self, memo: bytes, *, uuid: UUID, choice: Choice, paper: Paper | None = None) -> None:
        """Returns when the gateway said that it has taken the message `memo` (MeMo XML) whose messageUUID is `uuid`.
        Raises `NotTaken` or `Unanswered`."""

    def is_registered(self, number: str, service: Service) -> bool:
        """Whether this CPR (10 digits) or CVR number (8) gets Digital Post or NemSMS. Raises `NotTaken`."""

    def close(self) -> None: ...


def open_gateway() -> Gateway:
    """The municipality's adapter, connected when the first letter goes."""
    made: Gateway = _adapter(settings.DIGITAL_POST["adapter"])()
    return made


@lru_cache(maxsize=4)
def _adapter(path: str) -> type[Gateway]:
    found: type[Gateway] = import_string(path)
    return found
