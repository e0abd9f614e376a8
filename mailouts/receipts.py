"""`PKO_PostStatus`: what the gateway tells of a message, as XML, signed.

Source: SF1601's receipts (namespace below); the event UUIDs are those of Digital Post. The signature is ours: whoever receives
the gateway's push for the municipality signs it with a secret the portal knows (`mailouts.signatures`).
"""

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID
from xml.parsers import expat

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from mailouts import signatures
from mailouts.models import Receipt

NAMESPACE = "http://serviceplatformen.dk/xml/print/PKO_PostStatus/1/types"
STATUSES = {
    "e225a75c-4b63-46c4-9423-77f5c8762445": Receipt.Status.FAILED,
    "eb866ca2-b871-4387-b501-12cde577bd58": Receipt.Status.RECEIVED,
    "f7161a89-5068-4023-bc80-d7f4daad2a2e": Receipt.Status.DELIVERED,
}
# The same in words, which is how some gateways fill in the status.
IN_WORDS = (
    ("fejl", Receipt.Status.FAILED),
    ("afleveret", Receipt.Status.DELIVERED),
    ("modtaget", Receipt.Status.RECEIVED),
)
LARGEST = 100_000  # bytes
_MAYBE_CPR = re.compile(r"(?<!\d)\d{6}[- ]?\d{4}(?!\d)")
_WANTED = frozenset(
    {
        "MessageUUID",
        "AfsendelseIdentifikator",
        "TransaktionsStatusKode",
        "FejlKode",
        "FejlTekst",
        "TransaktionsId",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """`digest` tells whether the very same receipt has come before."""

    digest: str
    message_uuid: UUID
    status: str
    code: str
    text: str


def check_signature(body: bytes, *, moment: str, signed: str, at: float) -> None:
    """Raises `Refused` for what is forged, unsigned or too old to be anything but a replay. `at`: seconds since 1970, of the
    machine's own clock, which is what the other end signs by."""
    secret = settings.DIGITAL_POST["receipt_secret"]
    if not secret:
        raise Refused("closed", _("No receipts are taken in here."))
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12 or not signed:
        raise Refused("unsigned", _("The receipt isn't signed."))
    if not signatures.is_genuine(body, moment=int(moment), signed=signed, secret=secret):
        raise Refused("forged", _("The receipt's signature is not right."))
    if abs(at - int(moment)) > signatures.LASTS:
        raise Refused("too_old", _("The receipt was signed too long ago."))


def read(body: bytes) -> Told:
    """Raises `Refused` when it can't be read."""
    if len(body) > LARGEST:
        raise Refused("too_large", _("The receipt is too large."))
    found = _texts(body)
    try:
        uuid = UUID(found.get("MessageUUID") or found.get("AfsendelseIdentifikator", ""))
    except ValueError:
        raise Refused("unreadable", _("The receipt doesn't say which message it is about.")) from None
    told = found.get("TransaktionsStatusKode", "").casefold()
    status = STATUSES.get(told) or next((each for word, each in IN_WORDS if told.startswith(word)), None)
    if status is None:
        raise Refused("unreadable", _("The receipt has a status we don't know."))
    return Told(
        digest=hashlib.sha256(body).hexdigest(),
        message_uuid=uuid,
        status=status,
        code=_clean(found.get("FejlKode", "")),
        text=_clean(found.get("FejlTekst", "")),
    )


def _texts(body: bytes) -> dict[str, str]:
    """The first text of each element we know, in the receipts' namespace or in none."""
    parser = expat.ParserCreate(namespace_separator=" ")
    found: dict[str, str] = {}
    path: list[str] = []
    collected: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _space, local = name.rpartition(" ")
        path.append(local if namespace in {"", NAMESPACE} else "")
        collected.clear()

    def end(name: str) -> None:
        local = path.pop()
        if local in _WANTED and local not in found:
            found[local] = "".join(collected).strip()
        collected.clear()

    def doctype(*args: object) -> None:
        raise Refused("unreadable", _("The receipt can't be read."))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = collected.append
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):  # LookupError: an encoding nobody knows
        raise Refused("unreadable", _("The receipt can't be read.")) from None
    return found


def _clean(text: str) -> str:
    """Without what might be a CPR number."""
    masked = _MAYBE_CPR.sub("××××××-××××", text)
    return "".join(sign for sign in masked if sign.isprintable())
