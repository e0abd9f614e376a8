"""What the stand-in Digital Post keeps (a SQLite file) and how it reads what it was sent. No Django, flat memory.

A letter is written before the answer goes out, so a stand-in that is killed has what it said it had. CPR numbers are in
the file because the portal asks for them by number in tests; pages show and link none.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

MEMO = "https://DigitalPost.dk/MeMo-1"
PRINT = "urn:oio:fjernprint:1.0.0"
M, P = f"{{{MEMO}}}", f"{{{PRINT}}}"
NOBODY = "0000000000"

_FACTS = {
    "kombi_request/KombiValgKode": "choice",
    "kombi_request/Message/MessageHeader/messageType": "kind",
    "kombi_request/Message/MessageHeader/messageUUID": "uuid",
    "kombi_request/Message/MessageHeader/label": "label",
    "kombi_request/Message/MessageHeader/Sender/label": "sender",
    "kombi_request/Message/MessageHeader/Recipient/recipientID": "number",
    "kombi_request/Message/MessageHeader/Recipient/idType": "id_type",
    "kombi_request/Message/MessageHeader/Recipient/label": "name",
    "kombi_request/ForsendelseISamling/ForsendelseI/AfsendelseIdentifikator": "identifier",
    "kombi_request/ForsendelseISamling/ForsendelseI/FilformatNavn": "format",
    "kombi_request/ForsendelseISamling/ForsendelseI/ForsendelseModtager/AfsendelseModtager/CPRnummerIdentifikator": "printed_number",
}
_MEMO = "kombi_request/Message"
_PDF = "kombi_request/ForsendelseISamling/ForsendelseI/MeddelelseIndholdData"


class Unreadable(Exception):
    """It is no kombi_request; the text says why."""


@dataclass(slots=True)
class Request:
    """One kombi_request, read in one pass that copies no content."""

    body: bytes
    facts: dict[str, str]
    memo: bytes
    pdf: tuple[int, int] = (0, 0)  # where the base64 of the paper letter lies in the body

    def fact(self, name: str) -> str:
        return self.facts.get(name, "").strip()

    def pdf_base64(self) -> bytes:
        return self.body[self.pdf[0] : self.pdf[1]].strip()


def read_request(body: bytes) -> Request:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    path: list[str] = []
    facts: dict[str, str] = {}
    spans: dict[str, tuple[int, int]] = {}
    begun = [0]

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name.rpartition(" ")[2])
        if len(path) > 6:
            return
        where = "/".join(path)
        if where in _FACTS:
            known = _FACTS[where]
            parser.CharacterDataHandler = lambda text: facts.__setitem__(known, facts.get(known, "") + text)
        elif where == _MEMO:
            begun[0] = parser.CurrentByteIndex
        elif where == _PDF:
            begun[0] = body.index(b">", parser.CurrentByteIndex) + 1

    def end(name: str) -> None:
        if len(path) <= 6:
            parser.CharacterDataHandler = None
            where = "/".join(path)
            if where == _MEMO:
                spans[where] = (begun[0], body.index(b">", parser.CurrentByteIndex) + 1)
            elif where == _PDF:
                spans[where] = (begun[0], parser.CurrentByteIndex)
        path.pop()

    def refuse(*_: Any) -> None:
        raise Unreadable("En DOCTYPE er ikke tilladt.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Unreadable(f"Ikke læsbar XML: {error}") from None
    if _MEMO not in spans:
        raise Unreadable("kombi_request har ingen Message.")
    first, last = spans[_MEMO]
    return Request(body, facts, body[first:last], spans.get(_PDF, (0, 0)))


# The file


@dataclass(frozen=True, slots=True)
class Receipt:
    id: int
    letter: int
    transaction: str
    status: str
    error: str
    tries: int
    uuid: str
    identifier: str
    channel: str


TABLES = """
CREATE TABLE IF NOT EXISTS recipient (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL, recipient INTEGER NOT NULL, channel TEXT NOT NULL,
    label TEXT NOT NULL, sender TEXT NOT NULL, identifier TEXT NOT NULL, at REAL NOT NULL, failed TEXT NOT NULL,
    opened INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS letter_uuid ON letter (uuid);
CREATE INDEX IF NOT EXISTS letter_recipient ON letter (recipient, id);
CREATE TABLE IF NOT EXISTS receipt (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, letter INTEGER NOT NULL, "transaction" TEXT NOT NULL,
    status TEXT NOT NULL, error TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS receipt_due ON receipt (due);
"""
SHOWN = (
    "letter.id, uuid, recipient, channel, letter.label, sender, at, failed, opened, number, name "
    "FROM letter JOIN recipient ON recipient.id = letter.recipient"
)


class Box:
    """One connection writes, one reads; each under its lock, held for a statement or two."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file = folder / "letters.sqlite3"
        self._write, self._write_lock = self._open(), threading.Lock()
        self._write.executescript(TABLES)
        self._read, self._read_lock = self._open(), threading.Lock()

    def _open(self) -> sqlite3.Connection:
        made = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=30)
        made.row_factory = sqlite3.Row
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; only a power cut would
        made.execute("PRAGMA cache_size = -4000")
        return made

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._write.close()
            self._read.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock:
            self._write.execute("BEGIN IMMEDIATE")
            try:
                yield self._write
            except BaseException:
                self._write.execute("ROLLBACK")
                raise
            self._write.execute("COMMIT")

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._read_lock:
            return [dict(row) for row in self._read.execute(query, values)]

    def take(
        self,
        request: Request,
        *,
        channel: str,
        at: float,
        failed: str,
        deduplicate: bool,
        keep: bool,
        receipts: Iterable[tuple[float, str, str, str]],
    ) -> bool:
        """False when a message with this UUID is there and a second one is dropped. Receipts: when, transaction,
        status, error."""
        uuid = request.fact("uuid").lower()
        with self._writing() as file:
            if deduplicate and file.execute("SELECT 1 FROM letter WHERE uuid = ?", (uuid,)).fetchone():
                return False
            number, name = request.fact("number"), request.fact("name")
            found = file.execute("SELECT id FROM recipient WHERE number = ?", (number,)).fetchone()
            recipient = (
                found["id"]
                if found
                else file.execute(
                    "INSERT INTO recipient (number, name) VALUES (?, ?)", (number, name)
                ).lastrowid
            )
            letter = file.execute(
                "INSERT INTO letter (uuid, recipient, channel, label, sender, identifier, at, failed, body) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    uuid, recipient, channel, request.fact("label"), request.fact("sender"),
                    request.fact("identifier"), at, failed, request.body if keep else b"",
                ),
            ).lastrowid  # fmt: skip
            file.executemany(
                'INSERT INTO receipt (due, "transaction", status, error, letter) VALUES (?, ?, ?, ?, ?)',
                [(*each, letter) for each in receipts],
            )
        return True

    def forget(self) -> None:
        with self._writing() as file:
            for table in ("receipt", "letter", "recipient"):
                file.execute(f"DELETE FROM {table}")  # noqa: S608 one of three names

    # Receipts

    def due(self, now: float, limit: int) -> list[Receipt]:
        return [
            Receipt(**row)
            for row in self.rows(
                'SELECT receipt.id, letter, "transaction", status, error, tries, uuid, identifier, channel '
                "FROM receipt JOIN letter ON letter.id = letter WHERE due <= ? ORDER BY due LIMIT ?",
                now,
                limit,
            )
        ]

    def next_due(self) -> float | None:
        found: float | None = self.rows("SELECT MIN(due) AS due FROM receipt")[0]["due"]
        return found

    def sent(self, receipt: int) -> None:
        with self._writing() as file:
            file.execute("DELETE FROM receipt WHERE id = ?", (receipt,))

    def again(self, receipt: int, due: float) -> None:
        with self._writing() as file:
            file.execute("UPDATE receipt SET due = ?, tries = tries + 1 WHERE id = ?", (due, receipt))

    # Looking

    def numbers(self) -> dict[str, Any]:
        """The sums that tests and measurements go by. A letter that failed reached nobody."""
        total = self.rows(
            "SELECT COUNT(*) AS letters, COUNT(DISTINCT uuid) AS uuids, COUNT(DISTINCT recipient) AS recipients, "
            "COALESCE(SUM(failed <> ''), 0) AS failed FROM letter"
        )[0]
        several = self.rows(
            "SELECT COUNT(*) AS number FROM "
            "(SELECT 1 FROM letter WHERE failed = '' GROUP BY recipient HAVING COUNT(*) > 1)"
        )[0]["number"]
        channels = {
            row["channel"]: row["number"]
            for row in self.rows("SELECT channel, COUNT(*) AS number FROM letter GROUP BY channel")
        }
        waiting = self.rows("SELECT COUNT(*) AS number FROM receipt")[0]["number"]
        return {
            **total,
            "recipients_with_several": several,
            "channels": channels,
            "receipts_waiting": waiting,
        }

    def letters(self, *, number: str = "", after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Oldest first, after an id."""
        which, values = ("AND number = ? ", [number]) if number else ("", [])
        return self.rows(
            f"SELECT {SHOWN} WHERE letter.id > ? {which}ORDER BY letter.id LIMIT ?", after, *values, limit
        )

    def newest(self, limit: int) -> list[dict[str, Any]]:
        return self.rows(f"SELECT {SHOWN} ORDER BY letter.id DESC LIMIT ?", limit)

    def inbox(self, recipient: int, limit: int) -> list[dict[str, Any]]:
        return self.rows(
            f"SELECT {SHOWN} WHERE recipient = ? AND failed = '' ORDER BY letter.id DESC LIMIT ?",
            recipient,
            limit,
        )

    def recipient(self, recipient: int) -> dict[str, Any] | None:
        found = self.rows("SELECT * FROM recipient WHERE id = ?", recipient)
        return found[0] if found else None

    def recipient_of(self, number: str) -> int | None:
        found = self.rows("SELECT id FROM recipient WHERE number = ?", number)
        return found[0]["id"] if found else None

    def letter(self, letter: int) -> tuple[dict[str, Any], Letter] | None:
        found = self.rows(f"SELECT {SHOWN} WHERE letter.id = ?", letter)
        if not found:
            return None
        body = self.rows("SELECT body FROM letter WHERE id = ?", letter)[0]["body"]
        return found[0], Letter.read(body)

    def open_letter(self, letter: int) -> None:
        with self._writing() as file:
            file.execute("UPDATE letter SET opened = 1 WHERE id = ?", (letter,))


# A letter for the pages


@dataclass(frozen=True, slots=True)
class File:
    kind: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Action:
    label: str
    code: str
    url: str = ""
    meeting: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything of the message that a person sees, read when somebody looks."""

    facts: Sequence[tuple[str, str]] = ()
    text: str = ""  # of a NemSMS
    main: Sequence[File] = ()
    more: Sequence[File] = ()
    actions: Sequence[Action] = ()
    paper: bytes = b""

    @classmethod
    def read(cls, body: bytes) -> Letter:
        if not body:
            return cls()
        request = read_request(body)
        memo = ElementTree.fromstring(request.memo)  # noqa: S314 read_request refused a doctype
        header = memo.find(f"{M}MessageHeader")
        if header is None:
            return cls()
        names = (
            ("Type", "messageType"), ("Besked-UUID", "messageUUID"), ("Besked-id", "messageID"), ("Kode", "messageCode"),
            ("Besked om brevet", "notification"), ("Kan besvares", "reply"), ("Svar senest", "replyByDateTime"),
            ("Vises tidligst", "doNotDeliverUntilDate"), ("Obligatorisk", "mandatory"),
            ("Juridisk forkyndelse", "legalNotification"), ("Posttype", "postType"),
        )  # fmt: skip
        facts = [
            (shown, text) for shown, name in names if (text := (header.findtext(f"{M}{name}") or "").strip())
        ]
        facts.insert(0, ("KombiValgKode", request.fact("choice")))
        facts += [
            ("Afsender-id", header.findtext(f"{M}Sender/{M}senderID") or ""),
            ("Oprettet", memo.findtext(f"{M}MessageBody/{M}createdDateTime") or ""),
        ]
        if case := header.findtext(f"{M}ContentData/{M}CaseID/{M}caseID"):
            facts.append(("Sag", case))
        if request.fact("identifier"):
            facts.append(("AfsendelseIdentifikator", request.fact("identifier")))
        main = [_file(each) for each in memo.findall(f"{M}MessageBody/{M}MainDocument/{M}File")]
        more = [
            _file(each)
            for kind in ("AdditionalDocument", "TechnicalDocument")
            for each in memo.findall(f"{M}MessageBody/{M}{kind}/{M}File")
        ]
        return cls(
            facts=[(name, text) for name, text in facts if text],
            text=(header.findtext(f"{M}notification") or "").strip(),
            main=main,
            more=more,
            actions=[_action(each) for each in memo.iter(f"{M}Action")],
            paper=decoded(request.pdf_base64()) or b"",
        )


def _file(element: ElementTree.Element) -> File:
    def text(name: str) -> str:
        return (element.findtext(f"{M}{name}") or "").strip()

    return File(text("encodingFormat"), text("filename"), decoded(text("content").encode()) or b"")


def _action(element: ElementTree.Element) -> Action:
    def text(path: str) -> str:
        return (element.findtext("/".join(f"{M}{each}" for each in path.split("/"))) or "").strip()

    meeting = element.find(f"{M}Reservation")
    said = (
        {}
        if meeting is None
        else {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in meeting}
    )
    return Action(text("label"), text("actionCode"), text("EntryPoint/url"), said)


def decoded(content: bytes) -> bytes | None:
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
