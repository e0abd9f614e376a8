"""SF1601 KombiPostAfsend: the municipal gateway to Digital Post, NemSMS and fjernprint (Serviceplatformen).

Sources: digitaliseringskataloget.dk/integration/sf1601 (Programmer's Guide, Feltbeskrivelse), and what two open clients
do: github.com/itk-dev/serviceplatformen and PyPI python-serviceplatformen.

The heart is what each outcome lets us know. A letter that was perhaps taken is never sent again by itself, so `NotTaken`
is said only where the message certainly went nowhere:

| outcome | raised | because |
|---|---|---|
| no connection (refused, no such host, TLS, time ran out while connecting) | NotTaken(gateway) | not a byte of it was sent |
| our certificate refused by an alert after the handshake (TLS 1.3) | NotTaken(gateway) | the server reads nothing of such a client |
| no token | NotTaken(gateway) | the letter comes after it |
| 2xx, Result true | | taken |
| 2xx, Result false | NotTaken | the gateway's own word |
| 400, 413, 422 with a fault | NotTaken(final) | refused for what it is, and would be again |
| 413 without | NotTaken(final) | too large for whoever stands in front |
| 400, 422 without | NotTaken | refused before it was read, by somebody who doesn't say why |
| 401, 403, also with a new token | NotTaken(gateway) | our access, not the letter |
| 404, 405, 301, 307, 308 | NotTaken(gateway) | there is no such service at that address |
| 429, 503 | NotTaken(gateway) | too busy; but see the next |
| 503 of a proxy that lost the connection behind it | Unanswered | it had passed the message on |
| other 5xx, Result false | NotTaken | the gateway's own word |
| any answer but 2xx with Result true | Unanswered | it contradicts itself |
| everything else: other answers, 409 (is it there already?), a 2xx that can't be read, a connection that broke or went silent after the request began | Unanswered | nobody knows |

After a connection that failed, broke or fell silent the token is forgotten: the next letter begins by asking for one, and where the gateway is
gone, that fails before the letter is sent. So an outage leaves one letter unanswered for each run, not all that follow.
"""

import base64
import json
import logging
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, SSLError
from urllib3.response import BaseHTTPResponse

from mailouts.gateway import Choice, NotTaken, Paper, Service, Unanswered

KOMBI = "/service/KombiPostAfsend_1/kombi"
REGISTERED = "/service/PostForespoerg_1/"
TOKEN = "/service/AccessTokenService_1/token"  # noqa: S105 an address
UNSIGNED = (
    b'<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="unsigned"/>'  # only the stand-in takes it
)
NOBODY = "0000000000"  # fjernprint: the address is printed in the PDF, the number is always this one
IDLE = 4  # seconds; servers close what is idle for longer, and a request on such a connection would end unanswered
TOLD = 300  # characters of a fault's text

# urllib3 logs addresses when it is asked for details; PostForespoerg's holds a CPR or CVR number.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: "umber=" not in record.getMessage())


class _NotConnected(Exception):
    """Not one of urllib3's, so that it passes through its handling: nothing of the request was sent."""


class _Plain(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _NotConnected(str(error)) from error


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _NotConnected(str(error)) from error


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


@dataclass(frozen=True, slots=True)
class Answer:
    """What could be read: `taken` None when it says neither."""

    taken: bool | None
    fault: str


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    until: float  # time.monotonic()


class KombiPost:
    """The gateway for one run: one connection, one access token for each service; not shared between threads.

    Tokens are bound to a service, so the SAML assertion may be one for each: `{service}` in DIGITAL_POST_SAML_TOKEN
    becomes `kombipostafsend` or `postforespoerg`.
    """

    def __init__(self) -> None:
        chosen: Mapping[str, Any] = settings.DIGITAL_POST
        self._url: str = chosen["url"]
        self._saml: str = chosen["saml_token"]
        self._certificate: str = chosen["certificate"]
        self._print_type: str = chosen.get("print_type", "")
        seconds = chosen["timeout"]
        self._timeout = urllib3.Timeout(connect=seconds, read=seconds)
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._prefix = ""
        self._used = 0.0
        self._tokens: dict[str, _Token] = {}

    def send(self, memo: bytes, *, uuid: UUID, choice: Choice, paper: Paper | None = None) -> None:
        body = request_body(memo, choice, paper, self._print_type)
        judge(self._authorised("POST", KOMBI, "kombipostafsend", body, {"X-TransaktionsId": str(uuid)}))

    def is_registered(self, number: str, service: Service) -> bool:
        """The number is in the address, as the service wants it; so nothing of the address is ever told."""
        if not number.isdecimal() or len(number) not in (8, 10):
            raise NotTaken("A number has 10 digits (CPR) or 8 (CVR).", final=True)
        query = urlencode({"cprNumber" if len(number) == 10 else "cvrNumber": number})
        path = f"{REGISTERED}{service.value}?{query}"
        try:
            answer = self._authorised("GET", path, "postforespoerg", None, {"X-TransaktionsId": str(uuid4())})
        except Unanswered as error:  # a question may be asked again
            raise NotTaken(str(error), gateway=True) from None
        if answer.status == 200:
            found = _json(answer.data)
            if isinstance(found.get("result"), bool):
                return bool(found["result"])
        raise NotTaken(
            f"PostForespoerg answered {answer.status}. {fault_of(answer.data)}".strip(),
            final=answer.status in (400, 422),
            gateway=answer.status not in (400, 422),
        )

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    # Access

    def _authorised(
        self, method: str, path: str, service: str, body: bytes | None, headers: dict[str, str]
    ) -> BaseHTTPResponse:
        """The answer, asked once more with a new token when an older one was refused."""
        source = self._saml.replace("{service}", service)
        known = self._tokens.get(source)
        token = known if known and time.monotonic() < known.until else self._new_token(source)
        headers |= {
            "Authorization": token.header,
            "Accept": "application/xml" if body else "application/json",
            "X-TransaktionsTid": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }
        if body:
            headers["Content-Type"] = "application/xml"
        try:
            answer = self._exchange(method, path, body, headers)
            if answer.status in (401, 403) and token is known:
                headers["Authorization"] = self._new_token(source).header
                answer = self._exchange(method, path, body, headers)
        except (NotTaken, Unanswered):
            self._tokens.pop(source, None)  # the next letter begins with a token, which may fail without harm
            raise
        if answer.status in (401, 403):
            self._tokens.pop(source, None)
        return answer

    def _new_token(self, source: str) -> _Token:
        self._tokens.pop(source, None)
        form = urlencode({"saml-token": self._assertion(source)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = self._exchange("POST", TOKEN, form, headers)
        except Unanswered as error:
            raise NotTaken(f"No access token: {error}", gateway=True) from None
        found = _json(answer.data) if answer.status == 200 else {}
        token, lasts = found.get("access_token"), found.get("expires_in")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise NotTaken(f"No access token: {answer.status}. {fault_of(answer.data)}".strip(), gateway=True)
        seconds = float(lasts) if isinstance(lasts, int | float) else 0.0
        made = _Token(f"Holder-of-key {token}", time.monotonic() + seconds - min(60.0, seconds / 10))
        self._tokens[source] = made
        return made

    def _assertion(self, source: str) -> str:
        """Base64. Read again for each new token: whoever renews it writes the same file or serves the same address."""
        try:
            if not source:
                raw = UNSIGNED
            elif source.startswith(("http://", "https://")):
                with urllib3.PoolManager(timeout=self._timeout, retries=False, **self._tls()) as manager:
                    answer = manager.request("GET", source)
                if answer.status != 200:
                    raise NotTaken(f"The SAML assertion's address answered {answer.status}.", gateway=True)
                raw = answer.data
            else:
                raw = Path(source).read_bytes()
        except (HTTPError, OSError) as error:
            raise NotTaken(f"No SAML assertion: {type(error).__name__}.", gateway=True) from None
        raw = raw.strip()
        return base64.b64encode(raw).decode() if raw.startswith(b"<") else raw.decode("ascii", "replace")

    def _tls(self) -> dict[str, Any]:
        return {"cert_file": self._certificate} if self._certificate else {}

    # The connection

    def _connection(self) -> urllib3.HTTPConnectionPool:
        if self._pool is not None and time.monotonic() - self._used > IDLE:
            self.close()
        if self._pool is None:
            try:
                where = urllib3.util.parse_url(self._url)
            except HTTPError:
                raise NotTaken("DIGITAL_POST_URL is no address.", gateway=True) from None
            if where.scheme not in ("http", "https") or not where.host:
                raise NotTaken("DIGITAL_POST_URL is not set to an http(s) address.", gateway=True)
            self._prefix = where.path or ""
            if where.scheme == "https":
                self._pool = _SecurePool(
                    where.host, where.port, maxsize=1, timeout=self._timeout, retries=False, **self._tls()
                )
            else:
                self._pool = _PlainPool(
                    where.host, where.port, maxsize=1, timeout=self._timeout, retries=False
                )
        return self._pool

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> BaseHTTPResponse:
        """One request and its whole answer. Raises `NotTaken` when there was no connection, `Unanswered` when there
        was one and no whole answer came."""
        pool = self._connection()
        try:
            answer = pool.urlopen(
                method, self._prefix + path, body=body, headers=headers, retries=False, redirect=False
            )
        except _NotConnected as error:
            raise NotTaken(f"No connection: {discreet(str(error))}", gateway=True) from None
        except SSLError as error:
            if _refuses_us(error):
                raise NotTaken(f"Our certificate was refused: {discreet(str(error))}", gateway=True) from None
            raise Unanswered(f"The connection broke: {discreet(str(error))}") from None
        except (HTTPError, HTTPException, OSError) as error:
            raise Unanswered(f"No whole answer: {discreet(str(error))}") from None
        self._used = time.monotonic()
        return answer


def request_body(memo: bytes, choice: Choice, paper: Paper | None = None, print_type: str = "") -> bytes:
    """The `kombi_request` around a MeMo message: joined, not parsed, since it is made for every letter.

    The gateway wants the prefix `fjernprint`; `print_type` is the ForsendelseTypeIdentifikator agreed with the printer.
    """
    parts: list[bytes | memoryview] = [
        b"<kombi_request><KombiValgKode>",
        choice.value.encode(),
        b"</KombiValgKode>",
        without_declaration(memo),
    ]
    if paper is not None:
        if not 0 < len(paper.identifier) <= 38:
            raise NotTaken("AfsendelseIdentifikator has 1 to 38 characters.", final=True)
        kind = (
            f"<fjernprint:ForsendelseTypeIdentifikator>{escape(print_type)}</fjernprint:ForsendelseTypeIdentifikator>"
            if print_type
            else ""
        )
        parts += [
            '<fjernprint:ForsendelseISamling xmlns:fjernprint="urn:oio:fjernprint:1.0.0"><fjernprint:ForsendelseI>'
            f"<fjernprint:AfsendelseIdentifikator>{escape(paper.identifier)}</fjernprint:AfsendelseIdentifikator>{kind}"
            '<fjernprint:ForsendelseModtager><dkal:AfsendelseModtager xmlns:dkal="urn:oio:dkal:1.0.0">'
            f"<dkal:CPRnummerIdentifikator>{NOBODY}</dkal:CPRnummerIdentifikator></dkal:AfsendelseModtager>"
            "</fjernprint:ForsendelseModtager><fjernprint:FilformatNavn>pdf</fjernprint:FilformatNavn>"
            "<fjernprint:MeddelelseIndholdData>".encode(),
            base64.b64encode(paper.pdf),
            b"</fjernprint:MeddelelseIndholdData><fjernprint:DokumentParametre/>"
            b"</fjernprint:ForsendelseI></fjernprint:ForsendelseISamling>",
        ]
    parts.append(b"</kombi_request>")
    return b"".join(parts)


def without_declaration(memo: bytes) -> memoryview:
    """From the first element on: a declaration (and a byte order mark before it) may only begin a document."""
    begins = memo.find(b"<?xml", 0, 8)
    return memoryview(memo)[memo.index(b"?>", begins) + 2 if begins >= 0 else 0 :]


def judge(answer: BaseHTTPResponse) -> None:
    """Returns when it was taken; the table at the top says what is raised otherwise, and why."""
    status, said = answer.status, read(answer.data)
    if said.taken and 200 <= status < 300:
        return
    text = f"{status}: {said.fault}" if said.fault else f"The gateway answered {status}."
    refused = said.taken is False or (said.taken is None and bool(said.fault))
    if 200 <= status < 300:
        if said.taken is False:
            raise NotTaken(text)
        raise Unanswered(f"The gateway answered {status} with something that can't be read.")
    if said.taken:
        raise Unanswered(f"The gateway answered {status} and that it was taken.")
    if status in (400, 413, 422):
        raise NotTaken(text, final=refused or status == 413)
    if status in (401, 403, 404, 405, 429, 301, 307, 308):
        raise NotTaken(text, gateway=True)
    if status == 503 and b"reset before headers" not in answer.data:
        raise NotTaken(text, gateway=True)
    if status >= 500 and said.taken is False:
        raise NotTaken(text)
    raise Unanswered(text)


def read(data: bytes) -> Answer:
    """`kombi_response` with Result and, in its SvarReaktion, Advis or Fejl; a SOAP fault has its faultstring. By local
    name: the gateway isn't strict with namespaces."""
    if b"<!DOCTYPE" in data:
        return Answer(None, "")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 no doctype, and expat bounds what entities may become
    except (ElementTree.ParseError, ValueError, LookupError):
        return Answer(None, "")
    said: dict[str, str] = {}
    for element in root.iter():
        if text := (element.text or "").strip():
            said.setdefault(element.tag.rpartition("}")[2].lower(), text)
    ours = root.tag.rpartition("}")[2] == "kombi_response"
    result = said.get("result", "").lower() if ours else ""
    taken = {"true": True, "1": True, "false": False, "0": False}.get(result)
    words = [
        said.get("fejlid") or said.get("fejlkode") or said.get("faultcode") or "",
        said.get("fejltekst") or said.get("faultstring") or ("" if taken else said.get("advistekst", "")),
    ]
    fault = " ".join(word for word in words if word)
    return Answer(taken, discreet(fault) if fault else "")


def fault_of(data: bytes) -> str:
    return read(data).fault


def discreet(text: str) -> str:
    """What may be told and kept: one short line in which nothing looks like a CPR number."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return re.sub(r"\d{10,}|\d{6}[-‐‑–− ]\d{4}", "[…]", text)[:TOLD]


def _refuses_us(error: Exception) -> bool:
    """TLS 1.3: a client's certificate is judged after the handshake, so the alert comes when the answer is read."""
    seen: BaseException | None = error
    while seen is not None:
        for each in (seen, *seen.args):
            if isinstance(each, ssl.SSLError) and re.search(
                r"ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|DECRYPT_ERROR)",
                each.reason or "",
            ):
                return True
        seen = seen.__cause__ or seen.__context__
    return False


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
