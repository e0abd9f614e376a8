"""What Digital Post refuses although a schema would not: said before a letter leaves, when it can still be mended.

Source: Digitaliseringsstyrelsen's descriptions of MeMo (lengths, identities, actions), its notice of 2025-09-10 (file names
and links), the list of file types and the limits of SF1601. No text repeats what the message says, for it may end up in
a log: the place tells where to look.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from mailouts import memo
from mailouts.memo import (
    Action,
    ActionCode,
    Body,
    Child,
    Document,
    File,
    Holds,
    IdType,
    Message,
    MessageType,
    Shape,
)

DENMARK: Final = ZoneInfo("Europe/Copenhagen")
CLOCKS_DIFFER: Final = timedelta(minutes=5)
# 99.5 MB, taken as 99.5 × 1,000,000 and of the message as it is sent, base64 and all: the strictest way to read the limit.
LARGEST: Final = 99_500_000

# encodingFormat, and how the file's name ends
FILE_TYPES: Final = {
    "application/pdf": ".pdf",
    "text/html": ".html",
    "text/plain": ".txt",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
# A technical document is read by machines: the published example holds XML.
TECHNICAL_TYPES: Final = {**FILE_TYPES, "text/xml": ".xml", "application/xml": ".xml"}

_HEADER = "Message/MessageHeader"
_ACTION_CODES = frozenset(code.value for code in ActionCode)
_FORBIDDEN_IN_NAMES = frozenset('<>:"/\\|?*')
_LANGUAGE = re.compile("[A-Za-z]{2}")
_CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 1)
_DIGITS = {"productionUnitNumber": 10, "globalLocationNumber": 13}  # which the schema wants as numbers


@dataclass(frozen=True, slots=True)
class Problem:
    """`where`: the path of elements from the message, siblings counted from 1."""

    code: str
    where: str
    text: str


def problems(message: Message, *, now: datetime, size: int | None = None) -> list[Problem]:
    """All of them. `size`: the message's bytes as written, if they are known already."""
    if now.utcoffset() is None:
        raise ValueError("The present needs a time zone.")
    found = list(_elements(message, memo.MESSAGE, "Message"))
    found += _kinds(message)
    found += _parties(message)
    found += _header_moments(message, now=now)
    if message.body is not None:
        found += _body(message.body, now=now)
    found += _size(message, size)
    return found


def problems_in(xml: bytes, *, now: datetime) -> tuple[Message | None, list[Problem]]:
    """The message, if it can be read at all, and what is wrong with it."""
    try:
        message = memo.read(xml)
    except memo.Unreadable as error:
        return None, [Problem("unreadable", "Message", str(error))]
    return message, problems(message, now=now, size=len(xml))


# What every element is held to


def _elements(value: Any, shape: Shape, where: str) -> Iterator[Problem]:
    for child in shape.children:
        holds, here = child.holds, f"{where}/{child.element}"
        if holds is Holds.FILE:
            continue
        held = getattr(value, child.attribute) if child.attribute else value
        if held is None or held == ():
            if child.required:
                yield Problem("missing", here, "This is required.")
        elif not isinstance(holds, Shape):
            check = _LEAVES.get(holds)
            if check is not None:
                yield from check(held, child, here)
        elif child.most == 1:
            yield from _elements(held, holds, here)
        else:
            if child.most is not None and len(held) > child.most:
                yield Problem("too_many", here, f"There are {len(held)} of these, more than {child.most}.")
            for number, each in enumerate(held, 1):
                yield from _elements(each, holds, f"{here}[{number}]")
    for attribute in memo.misplaced(shape):
        if getattr(value, attribute):
            yield Problem("misplaced", where, f"This element cannot have {attribute}.")


def _text(held: str, child: Child, where: str) -> Iterator[Problem]:
    if not held.strip():
        yield Problem("empty", where, "This is empty: leave it out, or say something.")
    if len(held) > child.limit:
        yield Problem("too_long", where, f"This has {len(held)} characters, more than {child.limit}.")
    if memo.FORBIDDEN.search(held) is not None:
        yield Problem("character", where, "This has a character that XML cannot hold.")
    if child.element in _DIGITS and not _is_number(held, digits=_DIGITS[child.element]):
        yield Problem("number", where, f"This is not a number of {_DIGITS[child.element]} digits.")


def _uuid(held: UUID, _child: Child, where: str) -> Iterator[Problem]:
    if held.version != 4:
        yield Problem("uuid", where, "This UUID is not of version 4.")


def _moment(held: datetime, _child: Child, where: str) -> Iterator[Problem]:
    if held.utcoffset() is None:
        yield Problem("naive_moment", where, "This moment has no time zone, so that nobody knows when it is.")


_LEAVES: Final[dict[Holds, Callable[[Any, Child, str], Iterator[Problem]]]] = {
    Holds.TEXT: _text,
    Holds.UUID: _uuid,
    Holds.MOMENT: _moment,
}


# Letters and text messages, senders and recipients


def _kinds(message: Message) -> Iterator[Problem]:
    if message.type is MessageType.DIGITAL_POST:
        if message.body is None:
            yield Problem("no_body", "Message", "A letter needs a body.")
        return
    if message.body is not None:
        yield Problem("sms_body", "Message/MessageBody", "A text message has no body.")
    if message.notification is None:
        yield Problem("sms_text", f"{_HEADER}/notification", "A text message needs its text here.")


def _parties(message: Message) -> Iterator[Problem]:
    sender, recipient, content = message.sender, message.recipient, message.content
    if sender.id_type != IdType.CVR:
        yield Problem("sender_not_cvr", f"{_HEADER}/Sender/idType", "A sender is known by its CVR number.")
    yield from _identity(sender.id, sender.id_type, f"{_HEADER}/Sender", "senderID")
    if sender.representative is not None:
        representative = sender.representative
        where = f"{_HEADER}/Sender/Representative"
        yield from _identity(representative.id, representative.id_type, where, "representativeID")
    yield from _identity(recipient.id, recipient.id_type, f"{_HEADER}/Recipient", "recipientID")
    if content is not None and content.cpr is not None:
        yield from _identity(content.cpr.id or "", IdType.CPR, f"{_HEADER}/ContentData/CPRdata", "cprNumber")
    if content is not None and content.cvr is not None:
        yield from _identity(content.cvr.id or "", IdType.CVR, f"{_HEADER}/ContentData/CVRdata", "cvrNumber")


def _identity(number: str, id_type: str, where: str, element: str) -> Iterator[Problem]:
    if id_type == IdType.CPR:
        if not is_cpr(number):
            yield Problem(
                "cpr", f"{where}/{element}", "This is not a CPR number: ten digits that begin with a date."
            )
    elif id_type == IdType.CVR:
        if not is_cvr(number):
            yield Problem("cvr", f"{where}/{element}", "This is not a CVR number: eight digits that check.")
    else:
        yield Problem("id_type", f"{where}/idType", "This is neither CPR nor CVR.")


def is_cpr(number: str) -> bool:
    """Ten digits, a date first. The seventh tells the century; the check digit is no longer kept to since 2007. Replacement
    numbers, of those who have none, have 60 added to the day."""
    if not _is_number(number, digits=10):
        return False
    day, month, year, seventh = int(number[:2]), int(number[2:4]), int(number[4:6]), int(number[6])
    if seventh <= 3:
        century = 1900
    elif seventh in (4, 9):
        century = 2000 if year <= 36 else 1900
    else:
        century = 2000 if year <= 57 else 1800
    try:
        date(century + year, month, day - 60 if day > 60 else day)
    except ValueError:
        return False
    return True


def is_cvr(number: str) -> bool:
    """Eight digits whose sum, weighted, is divisible by 11."""
    if not _is_number(number, digits=8):
        return False
    return sum(weight * int(digit) for weight, digit in zip(_CVR_WEIGHTS, number, strict=True)) % 11 == 0


def _is_number(text: str, *, digits: int) -> bool:
    return len(text) == digits and text.isascii() and text.isdigit()


# Moments


def _header_moments(message: Message, *, now: datetime) -> Iterator[Problem]:
    if message.reply_by is not None and not message.reply:
        yield Problem(
            "reply_deadline", f"{_HEADER}/replyByDateTime", "A deadline for replies needs reply to be true."
        )
    until = message.do_not_deliver_until
    if until is not None and until < now.astimezone(DENMARK).date():
        yield Problem("date_past", f"{_HEADER}/doNotDeliverUntilDate", "This date is in the past.")


def _period(start: datetime | None, end: datetime | None, where: str) -> Iterator[Problem]:
    """Moments without a zone are a problem of their own and cannot be compared."""
    if start is None or end is None or start.utcoffset() is None or end.utcoffset() is None:
        return
    if end < start:
        yield Problem("period", f"{where}/endDateTime", "This ends before it begins.")


# Documents


def _body(body: Body, *, now: datetime) -> Iterator[Problem]:
    if body.created.utcoffset() is not None and body.created - now > CLOCKS_DIFFER:
        yield Problem(
            "local_time",
            "Message/MessageBody/createdDateTime",
            "This moment has not come yet: local time has been written as UTC.",
        )
    ids: set[str] = set()
    for document, element, types in _documents(body):
        where = f"Message/MessageBody/{element}"
        if document.id is not None and document.id in ids:
            yield Problem("duplicate_id", where, "Another document of the message has this document's ID.")
        if document.id is not None:
            ids.add(document.id)
        for number, file in enumerate(document.files, 1):
            yield from _file(file, types, f"{where}/File[{number}]")
        for number, action in enumerate(document.actions, 1):
            yield from _action(action, f"{where}/Action[{number}]")


def _documents(body: Body) -> Iterator[tuple[Document, str, dict[str, str]]]:
    yield body.main, "MainDocument", FILE_TYPES
    for number, document in enumerate(body.additional, 1):
        yield document, f"AdditionalDocument[{number}]", FILE_TYPES
    for number, document in enumerate(body.technical, 1):
        yield document, f"TechnicalDocument[{number}]", TECHNICAL_TYPES


def _file(file: File, types: dict[str, str], where: str) -> Iterator[Problem]:
    ending = types.get(file.encoding_format)
    if ending is None:
        yield Problem(
            "file_type", f"{where}/encodingFormat", "Digital Post does not take files of this type."
        )
    elif not file.filename.lower().endswith(ending) or len(file.filename) == len(ending):
        yield Problem(
            "extension", f"{where}/filename", f"A file of this type has a name that ends in {ending}."
        )
    if any(letter in _FORBIDDEN_IN_NAMES or _is_control(letter) for letter in file.filename):
        yield Problem(
            "filename",
            f"{where}/filename",
            'A name has no line break, no control character and none of < > : " / \\ | ? *',
        )
    if _LANGUAGE.fullmatch(file.language) is None:
        yield Problem("language", f"{where}/language", "A language is two letters, such as da.")
    if not file.is_base64:
        yield Problem("base64", f"{where}/content", "This is not base64.")
    elif not file.written:
        yield Problem("empty", f"{where}/content", "This file holds nothing.")


def _is_control(letter: str) -> bool:
    """Line and paragraph separators are line breaks too."""
    return not letter.isprintable() and unicodedata.category(letter) in ("Cc", "Zl", "Zp")


def _action(action: Action, where: str) -> Iterator[Problem]:
    if action.code not in _ACTION_CODES:
        yield Problem("action_code", f"{where}/actionCode", "Digital Post does not know this code.")
    if (action.entry_point is None) == (action.reservation is None):
        yield Problem("action_target", where, "An action has either an EntryPoint or a Reservation.")
    yield from _period(action.start, action.end, where)
    if action.reservation is not None:
        yield from _period(action.reservation.start, action.reservation.end, f"{where}/Reservation")
    if action.entry_point is not None and not is_https(action.entry_point.url):
        yield Problem(
            "link",
            f"{where}/EntryPoint/url",
            "An address begins with https:// and a host, and has no blanks.",
        )


def is_https(url: str) -> bool:
    if any(letter.isspace() or _is_control(letter) for letter in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False


def _size(message: Message, size: int | None) -> Iterator[Problem]:
    if size is None:
        try:
            size = memo.size(message)
        except (
            ValueError
        ):  # it cannot be written, which has been said; its files may be too large all the same
            documents = _documents(message.body) if message.body is not None else ()
            size = sum(len(file.written) for document, *_rest in documents for file in document.files)
    if size > LARGEST:
        yield Problem("too_large", "Message", f"The message has {size} bytes, more than {LARGEST}.")
