"""E-mails that come back (RFC 3464): what the other mail server says of them, believed only as far as it knows our letter.

Anybody may write to the address that bounces go to. What proves a bounce is the Message-ID of the mail that it is about: it is
made of the delivery's UUID, which nobody but its recipient and the mail servers on the way has seen. And the address put out
of use is always one that the letter went to, whatever the bounce says.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from mailouts.actions.addresses import disable
from mailouts.choices import State
from mailouts.listing import email_key
from mailouts.models import Delivery

MOST_BYTES = 1_000_000
MOST_PARTS = 50
BOUNCED = "bounced"
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS = re.compile(r"\s*(?:rfc822|utf-8)\s*;\s*<?([^\s<>;]{1,254}@[^\s<>;]{1,253})>?\s*", re.IGNORECASE)
_UUID = re.compile(
    r"\s*<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([a-z0-9.-]{1,253})>\s*", re.IGNORECASE
)
# What is wrong with the letter or with us, or will pass, is no fault of the address (RFC 3463): a full mailbox, a letter that is
# too large, a system that is full, content, and security and policy. One wrong setting of ours must not disable everyone.
NOT_THE_ADDRESS = {("2", "2"), ("2", "3")}
NOT_THE_ADDRESS_CLASSES = {"3", "6", "7"}


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient who never gets it. `status` as in "5.1.1"."""

    addresses: tuple[str, ...]
    status: str

    @property
    def is_the_address(self) -> bool:
        _permanent, subject, detail = self.status.split(".")
        return subject not in NOT_THE_ADDRESS_CLASSES and (subject, detail) not in NOT_THE_ADDRESS


@dataclass(frozen=True, slots=True)
class Bounce:
    message_uuid: UUID
    failures: tuple[Failure, ...]


def read(raw: bytes) -> Bounce | None:
    """What a mail says, when it is a report that a letter of ours has failed for good; None for everything else."""
    if len(raw) > MOST_BYTES:
        return None
    try:
        return _read(message_from_bytes(raw))
    except Exception:  # whatever can be sent is sent one day: nested without end, headers that are no text
        return None


def _read(mail: Message) -> Bounce | None:
    if mail.get_content_type() != "multipart/report" or not mail.is_multipart():
        return None
    if str(mail.get_param("report-type", "")).casefold() != "delivery-status":
        return None
    failures: list[Failure] = []
    found: UUID | None = None
    for part in _parts(mail)[:MOST_PARTS]:
        kind = part.get_content_type()
        if kind == "message/delivery-status" and not failures:
            failures = _failures(part)
        elif kind in {"message/rfc822", "message/rfc822-headers", "text/rfc822-headers"} and found is None:
            found = _our_uuid(part)
    return Bounce(found, tuple(failures)) if found is not None and failures else None


def _parts(mail: Message) -> list[Message]:
    payload = mail.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _failures(part: Message) -> list[Failure]:
    """The blocks after the first are about one recipient each."""
    found = []
    for block in _parts(part)[1:MOST_PARTS]:
        status = _STATUS.match(str(block.get("Status", "")))
        action = str(block.get("Action", "")).strip().casefold()
        if status is None or status[1] != "5" or action != "failed":
            continue
        given = (
            _ADDRESS.fullmatch(str(block.get(name, ""))) for name in ("Original-Recipient", "Final-Recipient")
        )
        addresses = tuple(each[1].casefold() for each in given if each is not None)
        found.append(Failure(addresses, ".".join(status.groups())))
    return found


def _our_uuid(part: Message) -> UUID | None:
    inside = _parts(part)
    if inside:
        original = inside[0]
    else:
        headers = part.get_payload(decode=True)
        original = message_from_bytes(headers if isinstance(headers, bytes) else b"")
    named = _UUID.fullmatch(str(original.get("Message-ID", "")))
    ours = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].casefold()
    return UUID(named[1]) if named is not None and named[2].casefold() == ours else None


@transaction.atomic
def take_in(raw: bytes) -> bool:
    """Notes that a letter came back, and puts its address out of use when the address is what is wrong. Returns whether it was
    about a letter of ours that had left; anything else changes nothing."""
    bounce = read(raw)
    if bounce is None:
        return False
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("listed")
        .filter(
            message_uuid=bounce.message_uuid,
            channel="email",
            state__in=[State.SENDING, State.SENT, State.UNCERTAIN],
        )
        .first()
    )
    if delivery is None:
        return False
    status = bounce.failures[0].status
    delivery.state, delivery.failure_code, delivery.failure = State.FAILED, BOUNCED, status
    delivery.save(update_fields=["state", "failure_code", "failure"])
    for failure in bounce.failures:
        for address in failure.addresses:
            if failure.is_the_address and _went_to(delivery, address):
                disable(email=address, reason=f"bounced {failure.status}")
    return True


def _went_to(delivery: Delivery, address: str) -> bool:
    if delivery.recipient_key == email_key(address):
        return True
    if delivery.listed is not None and delivery.listed.email.casefold() == address:
        return True
    if delivery.user_id is None:
        return False
    emails = EmailAddress.objects.filter(user=delivery.user_id).values_list("email", flat=True)
    return address in {email.casefold() for email in emails}
