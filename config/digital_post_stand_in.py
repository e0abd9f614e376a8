"""A stand-in for SF1601 (Digital Post, NemSMS, fjernprint) in `make run`, tests and measurements. Never in production:
its letters reach nobody.

It checks each message against the facts (mailouts.memo_rules), keeps it, shows it as its recipient would see it, and sends
receipts (PKO_PostStatus) back to the portal. `/styring` makes it as bad as a real gateway on a bad day; see `Control`.

    GET  /tal.json                             the sums
    GET  /breve.json?modtager=&efter=&antal=   letters, oldest first, after an id
    GET  /styring  POST /styring               what it does wrong; JSON or a form
    POST /glem                                 forgets every letter, receipt and setting
    POST /tom                                  reads the body and answers, no more: what measurements compare with
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import secrets
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

import urllib3

from config import digital_post_pages as pages
from config.digital_post_letters import NOBODY, Box, Receipt, Request, Unreadable, read_request
from config.services import LOCAL
from mailouts import memo_rules
from mailouts.signatures import MOMENT_HEADER, SIGNATURE_HEADER, signature

FOLDER = LOCAL / "digital-post"
RECEIPTS = "/digital-post/kvitteringer/"
LARGEST = 140_000_000  # bytes; 99.5 MB of content in base64, and what is around it
AT_ONCE = 4  # receipts
LONGEST_PAUSE = 30  # seconds between two attempts at a receipt

# SF1601's "Beskedfordeler - PKO_PostStatus"
STATUSES = {
    "received": ("eb866ca2-b871-4387-b501-12cde577bd58", "Modtaget Digital Post"),
    "delivered": ("f7161a89-5068-4023-bc80-d7f4daad2a2e", "Afleveret Digital Post"),
    "failed": ("e225a75c-4b63-46c4-9423-77f5c8762445", "Fejlet"),
}
CHANNELS = {"Digital Post": "digital", "NemSMS": "nemsms", "Fysisk Post": "paper"}


@dataclass
class Control:
    """What is asked of it. Shares lie between 0 and 1 and add up: one message meets one mishap."""

    seed: int = 1  # of all chances; setting it begins them again
    fail: float = 0.0  # share answered 500 with a readable fault, not taken
    lose: float = 0.0  # share neither taken nor answered
    time_out: float = 0.0  # share taken and never answered
    cut: float = 0.0  # share taken, the connection broken in the middle of the answer
    hold: float = 60.0  # seconds that the two above keep the connection, at most
    busy: bool = False  # answers 503 to everything
    answer_delay: float = 0.0  # seconds
    deduplicate: bool = (
        True  # a second message with the same UUID is dropped; otherwise it is a second letter
    )
    keep_contents: bool = True  # otherwise only the sums and headers are kept
    token_lasts: int = 3600  # seconds
    unregistered: list[str] = field(default_factory=list)  # numbers without Digital Post
    no_sms: list[str] = field(
        default_factory=list
    )  # numbers without NemSMS, besides those that end in an odd digit
    receipts: str = "both"  # received and delivered; "last": only how it ended; "none"
    receipt_delay: float = 1.0  # seconds before the first, and between the two
    receipt_spread: float = 0.0  # up to so many seconds later, each by chance
    late: float = 0.0  # share of receipts that come `late_by` seconds later
    late_by: float = 30.0
    out_of_order: float = 0.0  # share of letters whose receipts change places
    twice: float = 0.0  # share of receipts that are sent twice, with the same TransaktionsId
    fail_receipts: float = 0.0  # share of letters that end as failed
    fail_reason: str = "Modtagerens postkasse er lukket"
    fail_recipients: dict[str, str] = field(default_factory=dict)  # number: reason, always
    status_as: str = "uuid"  # or "text": what TransaktionsStatusKode holds

    def chance(self) -> random.Random:
        return random.Random(self.seed)  # noqa: S311 chances of mishaps that can be repeated, no secrets


def changed(control: Control, asked: Mapping[str, Any]) -> Control:
    """The control with some values replaced. Raises ValueError with a sentence."""
    now = asdict(control)
    for name, value in asked.items():
        if name not in now:
            raise ValueError(f"{name} findes ikke.")
        kind = type(now[name])
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f"{name} skal være af typen {kind.__name__}.")
        if kind is float and value < 0:
            raise ValueError(f"{name} må ikke være negativ.")
        now[name] = value
    made = Control(**now)
    if made.fail + made.lose + made.time_out + made.cut > 1:
        raise ValueError("fail, lose, time_out og cut må tilsammen højst være 1.")
    if made.receipts not in ("both", "last", "none") or made.status_as not in ("uuid", "text"):
        raise ValueError("receipts er both, last eller none; status_as er uuid eller text.")
    return made


def moved_now(file: str) -> datetime:
    """The demo's moment (its file is described in audit/clock.py), for what letters and receipts say of time."""
    real = datetime.now(UTC)
    try:
        to = Path(file).read_text().strip() if file else ""
    except OSError:
        to = ""
    if not to:
        return real
    if to[0] in "+-":
        return real + timedelta(seconds=float(to))
    return datetime.fromisoformat(to).astimezone(UTC)


def problems_of(request: Request, now: datetime) -> list[str]:
    """What the gateway would refuse it for."""
    _, problems = memo_rules.problems_in(request.memo, now=now)
    found = [f"{problem.where}: {problem.text}" for problem in problems]
    choice, kind = request.fact("choice"), request.fact("kind")
    if choice not in (*CHANNELS, "Automatisk Valg"):
        found.append("KombiValgKode er ukendt.")
    if (choice == "NemSMS") != (kind == "NEMSMS"):
        found.append("KombiValgKode og messageType passer ikke sammen.")
    try:
        UUID(request.fact("uuid"))
    except ValueError:
        found.append("messageUUID er ikke en UUID.")
    if request.pdf_base64() or choice == "Fysisk Post":
        found += _paper_problems(request)
    return found


def _paper_problems(request: Request) -> list[str]:
    found = []
    if not 0 < len(request.fact("identifier")) <= 38:
        found.append("AfsendelseIdentifikator skal have 1 til 38 tegn.")
    if request.fact("format").lower() != "pdf" or not request.pdf_base64().startswith(b"JVBER"):
        found.append("MeddelelseIndholdData skal være en PDF.")
    if request.fact("printed_number") not in ("", NOBODY):
        found.append("CPRnummerIdentifikator skal være 0000000000.")
    return found


def fault(code: str, text: str) -> bytes:
    return (
        "<kombi_response><Result>false</Result><HovedoplysningerSvarREST><SvarReaktion><Fejl>"
        f"<FejlId>{escape(code)}</FejlId><FejlTekst>{escape(text)}</FejlTekst>"
        "</Fejl></SvarReaktion></HovedoplysningerSvarREST></kombi_response>"
    ).encode()


def taken() -> bytes:
    return (
        f"<kombi_response><Result>true</Result><TransmissionID>{uuid4()}</TransmissionID><HovedoplysningerSvarREST>"
        "<SvarReaktion><Advis><AdvisId>Besked</AdvisId><AdvisTekst>Received</AdvisTekst></Advis></SvarReaktion>"
        "</HovedoplysningerSvarREST></kombi_response>"
    ).encode()


def receipt_xml(receipt: Receipt, *, at: datetime, status_as: str = "uuid") -> bytes:
    """PKO_PostStatus. A real one lies in an envelope whose BeskedId tells two of them apart; ours says TransaktionsId."""
    code = STATUSES[receipt.status][0 if status_as == "uuid" else 1]
    shown = next((name for name, channel in CHANNELS.items() if channel == receipt.channel), "")
    number, _, text = receipt.error.partition(" ")
    details = (
        f"<FejlDetaljer><FejlKode>{escape(number)}</FejlKode><FejlTekst>{escape(text)}</FejlTekst></FejlDetaljer>"
        if receipt.error
        else ""
    )
    paper = (
        f"<AfsendelseIdentifikator>{escape(receipt.identifier)}</AfsendelseIdentifikator>"
        if receipt.identifier
        else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<PKO_PostStatus xmlns="http://serviceplatformen.dk/xml/print/PKO_PostStatus/1/types">'
        f"<MessageUUID>{receipt.uuid}</MessageUUID>{paper}<KanalKode>{shown}</KanalKode>"
        f"<TransaktionsId>{receipt.transaction}</TransaktionsId>"
        f"<TransaktionsDatoTid>{at.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}</TransaktionsDatoTid>"
        f"<TransaktionsStatusKode>{code}</TransaktionsStatusKode>{details}</PKO_PostStatus>"
    ).encode()


class Receipts:
    """Sends what is due, a few at once on connections that stay open; again later whatever the portal doesn't take."""

    def __init__(self, stand_in: StandIn, portal: str, secret: str) -> None:
        self.stand_in = stand_in
        self.secret = secret
        where = urllib3.util.parse_url(portal)
        self.path = (where.path or "").rstrip("/") + RECEIPTS
        self.pool = urllib3.connection_from_url(portal, maxsize=AT_ONCE, timeout=10, retries=False)
        self.work: queue.SimpleQueue[Receipt | None] = queue.SimpleQueue()
        self.claimed: set[int] = set()  # the dispatcher's alone
        self.done: set[int] = set()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(AT_ONCE)]
        self.threads.append(threading.Thread(target=self._dispatch, daemon=True))
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        for _ in range(AT_ONCE):
            self.work.put(None)
        for thread in self.threads:
            thread.join(15)
        self.pool.close()

    def _dispatch(self) -> None:
        box, room = self.stand_in.box, AT_ONCE * 16
        while not self.stand_in.stopping.wait(0.02):
            with self.lock:  # before looking, so that none is found again that was sent meanwhile
                self.claimed -= self.done
                self.done.clear()
            waiting = len(self.claimed)
            if waiting > room // 2:
                continue
            due = box.next_due()
            if due is None or due > time.time():
                self.stand_in.stopping.wait(min(0.1, max(0.0, due - time.time())) if due else 0.1)
                continue
            for receipt in box.due(time.time(), waiting + room):
                if receipt.id not in self.claimed:
                    self.claimed.add(receipt.id)
                    self.work.put(receipt)

    def _send_all(self) -> None:
        box = self.stand_in.box
        while (receipt := self.work.get()) is not None:
            if self.stand_in.stopping.is_set():
                continue
            if self._send(receipt):
                box.sent(receipt.id)
            else:
                box.again(receipt.id, time.time() + min(LONGEST_PAUSE, 0.5 * 2 ** min(receipt.tries, 10)))
            with self.lock:
                self.done.add(receipt.id)

    def _send(self, receipt: Receipt) -> bool:
        control = self.stand_in.control
        body = receipt_xml(receipt, at=self.stand_in.now(), status_as=control.status_as)
        moment = int(time.time())
        headers = {
            "Content-Type": "application/xml",
            "X-TransaktionsId": receipt.transaction,
            MOMENT_HEADER: str(moment),
            SIGNATURE_HEADER: signature(body, moment=moment, secret=self.secret),
        }
        try:
            status = self.pool.urlopen(
                "POST", self.path, body=body, headers=headers, retries=False, redirect=False
            ).status
        except (urllib3.exceptions.HTTPError, OSError):
            return False
        return 200 <= status < 300 or status == 409


class StandIn(ThreadingHTTPServer):
    """The server; `stop()` ends it with its connections and receipts."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, where: tuple[str, int], folder: Path, *, portal: str, secret: str) -> None:
        super().__init__(where, Handler)
        self.box = Box(folder)
        self.control = Control()
        self.chance = self.control.chance()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.tokens: dict[str, float] = {}
        self.open: set[socket.socket] = set()
        self.counts: dict[str, int] = {}
        self.portal = portal
        self.clock_file = os.environ.get("CLOCK_FILE", "")
        self.receipts = Receipts(self, portal, secret) if portal and secret else None
        self.url = f"http://{where[0]}:{self.server_address[1]}"

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        with self.lock:
            left = list(self.open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 5
        while self.open and time.monotonic() < deadline:
            time.sleep(0.005)
        if self.receipts:
            self.receipts.close()
        self.server_close()
        self.box.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.lock:
            self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self.lock:
            self.open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to tell; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def now(self) -> datetime:
        return moved_now(self.clock_file)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def change(self, asked: Mapping[str, Any]) -> None:
        with self.lock:
            self.control = changed(self.control, asked)
            if "seed" in asked:
                self.chance = self.control.chance()

    def forget(self) -> None:
        with self.lock:
            self.control, self.counts = Control(), {}
            self.chance = self.control.chance()
            self.tokens.clear()
        self.box.forget()

    def draw(self) -> float:
        with self.lock:
            return self.chance.random()

    def mishap(self) -> str:
        """Which one this message meets; "" is none."""
        control, drawn = self.control, self.draw()
        for name in ("fail", "lose", "time_out", "cut"):
            share: float = getattr(control, name)
            if drawn < share:
                return name
            drawn -= share
        return ""

    def new_token(self) -> str:
        made = secrets.token_urlsafe(24)
        with self.lock:
            while len(self.tokens) >= 100:
                del self.tokens[next(iter(self.tokens))]
            self.tokens[made] = time.monotonic() + self.control.token_lasts
        return made

    def has_token(self, header: str) -> bool:
        kind, _, token = header.partition(" ")
        return kind == "Holder-of-key" and self.tokens.get(token, 0.0) > time.monotonic()

    def is_registered(self, number: str, service: str) -> bool:
        control = self.control
        if service == "nemsms":
            return number not in control.no_sms and number[-1:] in "02468"
        return number not in control.unregistered

    def take(self, request: Request) -> None:
        """Keeps the letter and plans its receipts."""
        choice, number = request.fact("choice"), request.fact("number")
        channel = CHANNELS.get(choice, "")
        if choice == "Automatisk Valg":
            digital = self.is_registered(number, "digitalpost") or not request.pdf_base64()
            channel = "digital" if digital else "paper"
        error = self._error(channel, number)
        is_new = self.box.take(
            request,
            channel=channel,
            at=self.now().timestamp(),
            failed=error,
            deduplicate=self.control.deduplicate,
            keep=self.control.keep_contents,
            receipts=self._planned(error) if self.receipts else (),
        )
        if not is_new:
            self.count("dropped")

    def _error(self, channel: str, number: str) -> str:
        """Why the letter will end as failed: "code text"; empty when it won't."""
        control = self.control
        if number in control.fail_recipients:
            return f"100 {control.fail_recipients[number]}"
        if control.fail_receipts and self.draw() < control.fail_receipts:
            return f"100 {control.fail_reason}"
        if channel != "paper" and not self.is_registered(
            number, "nemsms" if channel == "nemsms" else "digitalpost"
        ):
            return "101 Modtageren er ikke tilmeldt"
        return ""

    def _planned(self, error: str) -> list[tuple[float, str, str, str]]:
        control, now = self.control, time.time()
        if control.receipts == "none":
            return []
        steps = [("failed", error)] if error else [("delivered", "")]
        if control.receipts == "both":
            steps.insert(0, ("received", ""))
        if control.out_of_order and self.draw() < control.out_of_order:
            steps.reverse()
        planned = []
        for place, (status, why) in enumerate(steps, start=1):
            due = now + control.receipt_delay * place
            if control.receipt_spread:
                due += control.receipt_spread * self.draw()
            if control.late and self.draw() < control.late:
                due += control.late_by
            one = (due, str(uuid4()), status, why)
            planned.append(one)
            if control.twice and self.draw() < control.twice:
                planned.append(one)
        return planned


class Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            self.xml(fault("BELD-413", "Beskeden er for stor."), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        match [part for part in address.path.split("/") if part]:
            case ["service", "KombiPostAfsend_1", "kombi"]:
                self.kombi(body)
            case ["service", "AccessTokenService_1", "token"]:
                self.token(body)
            case _ if self.is_foreign():
                self.json({"fejl": "Kun herfra."}, HTTPStatus.FORBIDDEN)
            case ["styring"]:
                self.change(body)
            case ["glem"]:
                self.server.forget()
                self.json({"glemt": True})
            case ["tom"]:
                self.xml(b"")
            case ["indbakke"]:
                number = "".join(
                    each for each in parse_qs(body.decode()).get("nummer", [""])[0] if each.isdecimal()
                )
                found = self.server.box.recipient_of(number)
                self.go(f"/indbakke/{found}" if found else "/indbakke/0")
            case _:
                self.missing()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        box = self.server.box
        match [part for part in address.path.split("/") if part]:
            case []:
                self.page(pages.front(box.newest(pages.SHOWN), box.numbers()))
            case ["style.css"]:
                self.reply(pages.STYLE.encode(), "text/css; charset=utf-8")
            case ["service", "PostForespoerg_1", ("digitalpost" | "nemsms") as service]:
                self.registered(query, service)
            case ["tal.json"]:
                self.json({**box.numbers(), "counts": self.server.counts})
            case ["breve.json"]:
                self.json(
                    box.letters(
                        number=query.get("modtager", ""),
                        after=_number(query.get("efter", ""), 0),
                        limit=min(_number(query.get("antal", ""), 100), 10_000),
                    )
                )
            case ["styring"]:
                if "text/html" in self.headers.get("Accept", ""):
                    self.page(pages.control(asdict(self.server.control)))
                else:
                    self.json(asdict(self.server.control))
            case ["indbakke", who] if who.isdecimal() and (person := box.recipient(int(who))):
                self.page(pages.inbox(person, box.inbox(int(who), pages.SHOWN)))
            case ["brev", which, *rest] if which.isdecimal() and (found := box.letter(int(which))):
                self.letter(*found, rest)
            case _:
                self.missing()

    # The gateway

    def kombi(self, body: bytes) -> None:
        server = self.server
        control = server.control
        if control.answer_delay:
            server.stopping.wait(control.answer_delay)
        if control.busy:
            server.count("busy")
            self.xml(fault("BELD-503", "Prøv igen senere."), HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if not server.has_token(self.headers.get("Authorization", "")):
            server.count("unauthorised")
            self.xml(fault("BELD-401", "Adgangstoken mangler eller er udløbet."), HTTPStatus.UNAUTHORIZED)
            return
        mishap = server.mishap()
        if mishap:
            server.count(mishap)
        if mishap == "fail":
            self.xml(
                fault("BELD-500", "Intern fejl; beskeden er ikke modtaget."), HTTPStatus.INTERNAL_SERVER_ERROR
            )
            return
        if mishap == "lose":
            self.fall_silent()
            return
        try:
            request = read_request(body)
            problems = problems_of(request, server.now())
        except Unreadable as error:
            problems = [str(error)]
        if problems:
            server.count("refused")
            self.xml(fault("BELD-400", " | ".join(problems)), HTTPStatus.BAD_REQUEST)
            return
        server.take(request)
        if mishap == "time_out":
            self.fall_silent()
        elif mishap == "cut":
            self.close_connection = True
            said = taken()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(said)}\r\n\r\n"
            self.wfile.write(head.encode() + said[: len(said) // 2])
        else:
            self.xml(taken())

    def fall_silent(self) -> None:
        """Until the client gives up, or `hold` is over."""
        self.close_connection = True
        deadline = time.monotonic() + self.server.control.hold
        while time.monotonic() < deadline and not self.server.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.1)
            if readable:
                return

    def token(self, body: bytes) -> None:
        if self.server.control.busy:
            self.json({"error": "temporarily_unavailable"}, HTTPStatus.SERVICE_UNAVAILABLE)
        elif not parse_qs(body.decode("ascii", "replace")).get("saml-token", [""])[0]:
            self.json({"error": "invalid_request"}, HTTPStatus.BAD_REQUEST)
        else:
            self.json(
                {
                    "access_token": self.server.new_token(),
                    "token_type": "Holder-of-key",
                    "expires_in": self.server.control.token_lasts,
                }
            )

    def registered(self, query: Mapping[str, str], service: str) -> None:
        number = query.get("cprNumber") or query.get("cvrNumber") or ""
        if self.server.control.busy:
            self.json({"error": "temporarily_unavailable"}, HTTPStatus.SERVICE_UNAVAILABLE)
        elif not self.server.has_token(self.headers.get("Authorization", "")):
            self.json({"error": "unauthorized"}, HTTPStatus.UNAUTHORIZED)
        elif not number.isdecimal() or len(number) != (10 if "cprNumber" in query else 8):
            self.json({"error": "invalid_request"}, HTTPStatus.BAD_REQUEST)
        else:
            self.json({"result": self.server.is_registered(number, service)})

    # Pages

    def letter(self, row: Any, letter: Any, rest: list[str]) -> None:
        match rest:
            case []:
                self.server.box.open_letter(row["id"])
                self.page(pages.letter(row, letter, self.server.portal))
            case ["dokument", number] if (file := pages.document(letter, number)) and pages.is_html(file):
                self.reply(
                    pages.framed(file.content, self.server.portal),
                    "text/html; charset=utf-8",
                    policy=pages.LETTER_POLICY,
                )
            case ["fil", number] if file := pages.document(letter, number):
                self.download(file.content, file.name or "fil")
            case ["papir"] if letter.paper:
                self.download(letter.paper, f"brev-{row['id']}.pdf")
            case ["kalender", number] if calendar := pages.calendar(letter, number):
                self.download(calendar, "aftale.ics", "text/calendar")
            case _:
                self.missing()

    def change(self, body: bytes) -> None:
        as_form = not body.lstrip().startswith((b"{", b"["))  # clients call JSON by many names
        try:
            asked = form_values(body.decode(), self.server.control) if as_form else json.loads(body)
            if not isinstance(asked, dict):
                raise ValueError("Send et JSON-objekt.")
            self.server.change(asked)
        except ValueError as error:
            if as_form:
                self.page(pages.control(asdict(self.server.control), str(error)), HTTPStatus.BAD_REQUEST)
            else:
                self.json({"fejl": str(error)}, HTTPStatus.BAD_REQUEST)
            return
        if as_form:
            self.go("/styring")
        else:
            self.json(asdict(self.server.control))

    def is_foreign(self) -> bool:
        """A page of somebody else's in the same browser may not steer it."""
        origin = self.headers.get("Origin", "")
        return bool(origin) and urlsplit(origin).netloc != self.headers.get("Host", "")

    # Answers, each in one piece

    def reply(
        self,
        body: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        policy: str = pages.PAGE_POLICY,
        more: str = "",
    ) -> None:
        closing = "Connection: close\r\n" if self.close_connection else ""
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\n"
            f"Cache-Control: no-store\r\n{closing}{more}\r\n"
        )
        self.wfile.write(head.encode("latin-1") + body)

    def xml(self, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        closing = "Connection: close\r\n" if self.close_connection else ""
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\n{closing}\r\n"
        )
        self.wfile.write(head.encode("latin-1") + body)

    def json(self, content: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.reply(json.dumps(content, ensure_ascii=False).encode(), "application/json", status)

    def page(self, content: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.reply(content.encode(), "text/html; charset=utf-8", status)

    def download(self, content: bytes, name: str, kind: str = "application/octet-stream") -> None:
        self.reply(
            content,
            kind,
            more=f"Content-Disposition: attachment; filename*=UTF-8''{quote(name, safe='')}\r\n",
        )

    def go(self, where: str) -> None:
        self.reply(b"", "text/plain", HTTPStatus.SEE_OTHER, more=f"Location: {where}\r\n")

    def missing(self) -> None:
        self.page(pages.missing(), HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """A line for each letter would drown the rest."""


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() else otherwise


def form_values(text: str, control: Control) -> dict[str, Any]:
    """The form's fields as JSON would have them. An unticked box isn't sent; lists have a line for each number."""
    sent = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
    made: dict[str, Any] = {}
    for each in fields(Control):
        now, value = getattr(control, each.name), sent.get(each.name, "")
        lines = [line.strip() for line in value.splitlines() if line.strip()]
        read: Callable[[], Any] = {
            bool: lambda value=value: value == "on",
            int: lambda value=value: int(value),
            float: lambda value=value: float(value.replace(",", ".")),
            list: lambda lines=lines: lines,
            dict: lambda lines=lines: {
                number: reason.strip() or control.fail_reason
                for number, _, reason in (line.partition(" ") for line in lines)
            },
            str: lambda value=value: value,
        }[type(now)]
        try:
            made[each.name] = read()
        except ValueError:
            raise ValueError(f"{each.name} skal være et tal.") from None
    if made["seed"] == control.seed:
        del made["seed"]  # so that sending the form doesn't begin the chances again
    return made


def serve(host: str, port: int, folder: Path = FOLDER, *, portal: str = "", secret: str = "") -> StandIn:
    """Running in a thread; port 0 takes a free one (`.url`). Without portal or secret it sends no receipts."""
    made = StandIn((host, port), folder, portal=portal.rstrip("/"), secret=secret)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return made


def main() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    made = serve(
        os.environ.get("HOST", "127.0.0.1"),
        int(os.environ["POST_PORT"]),
        Path(os.environ.get("POST_FOLDER", FOLDER)),
        portal=os.environ.get("SITE_URL", ""),
        secret=os.environ.get("DIGITAL_POST_RECEIPT_SECRET", ""),
    )
    stop.wait()
    made.stop()


if __name__ == "__main__":
    main()
