"""What each answer of the gateway lets us know. Whoever gets this wrong sends a letter twice, or never."""

import base64
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.services import free_port
from mailouts.gateway import Choice, NotTaken, Paper, Service, Unanswered, open_gateway
from mailouts.sf1601 import UNSIGNED, KombiPost, discreet, read, request_body
from tests.letters import BO, PDF, letter

UUID_ = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
TAKEN = b"<kombi_response><Result>true</Result><TransmissionID>x</TransmissionID></kombi_response>"
TOKEN = b'{"access_token": "t%d", "token_type": "Holder-of-key", "expires_in": 3600}'


def said(result: str, text: str = "Ugyldig modtager") -> bytes:
    return (
        f"<kombi_response><Result>{result}</Result><HovedoplysningerSvarREST><SvarReaktion><Fejl><FejlId>F1</FejlId>"
        f"<FejlTekst>{text}</FejlTekst></Fejl></SvarReaktion></HovedoplysningerSvarREST></kombi_response>"
    ).encode()


REFUSED = said("false")


def http(status: int, body: bytes = b"", head: str = "") -> bytes:
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


Answer = bytes | Callable[[socket.socket], None]


class Gateway:
    """Answers letters and questions from a list, and hands out tokens t1, t2, …"""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers: list[Answer] = []
        self.token: Answer | None = None
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = self.tokens = 0
        self.open: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            with connection, connection.makefile("rb") as stream:
                while line := stream.readline():
                    headers = {}
                    while (header := stream.readline().decode().strip()) != "":
                        name, _, value = header.partition(":")
                        headers[name.lower()] = value.strip()
                    body = stream.read(int(headers.get("content-length", "0")))
                    self.requests.append((line.decode().strip(), headers, body))
                    answer = self.next(line)
                    if callable(answer):
                        answer(connection)
                        return
                    connection.sendall(answer)
        except (OSError, ValueError):  # gone, or not HTTP
            return

    def next(self, line: bytes) -> Answer:
        if b"AccessTokenService" in line:
            if self.token is not None:
                return self.token
            self.tokens += 1
            return http(200, TOKEN % self.tokens)
        return self.answers.pop(0)

    def close(self) -> None:
        self.listener.close()
        for each in self.open:
            each.close()

    @property
    def letters(self) -> list[tuple[str, dict[str, str], bytes]]:
        return [each for each in self.requests if "KombiPost" in each[0]]


def configured(settings: Any, url: str, **more: Any) -> KombiPost:
    settings.DIGITAL_POST = {**settings.DIGITAL_POST, "url": url, "timeout": 0.4, **more}
    gateway = open_gateway()
    assert isinstance(gateway, KombiPost)
    return gateway


@pytest.fixture
def server() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.close()


@pytest.fixture
def gateway(server: Gateway, settings: Any) -> Iterator[KombiPost]:
    made = configured(settings, f"http://127.0.0.1:{server.port}/vej")
    yield made
    made.close()


def send(gateway: KombiPost) -> None:
    gateway.send(letter(uuid=UUID_), uuid=UUID_, choice=Choice.DIGITAL)


# What is sent


def test_a_letter_goes_as_the_service_wants_it_on_one_connection(server: Gateway, gateway: KombiPost) -> None:
    server.answers = [http(200, TAKEN), http(202, TAKEN)]
    send(gateway)
    send(gateway)
    assert server.connections == 1
    assert server.tokens == 1
    line, headers, body = server.letters[0]
    assert line == "POST /vej/service/KombiPostAfsend_1/kombi HTTP/1.1"
    assert headers["authorization"] == "Holder-of-key t1"
    assert headers["x-transaktionsid"] == str(UUID_)
    assert headers["content-type"] == "application/xml"
    moment = datetime.fromisoformat(headers["x-transaktionstid"])
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)
    root = ElementTree.fromstring(body)
    assert [root.tag, root[0].tag, root[0].text] == ["kombi_request", "KombiValgKode", "Digital Post"]
    assert root[1].tag == "{https://DigitalPost.dk/MeMo-1}Message"
    form = parse_qs(server.requests[0][2].decode())
    assert base64.b64decode(form["saml-token"][0]) == UNSIGNED


def test_paper_comes_after_the_message_and_names_nobody() -> None:
    message = b'\xef\xbb\xbf<?xml version="1.0"?>\n' + letter().partition(b"?>")[2]
    root = ElementTree.fromstring(request_body(message, Choice.PHYSICAL, Paper("A&1", PDF), "265"))
    p = "{urn:oio:fjernprint:1.0.0}"
    item = root.find(f"{p}ForsendelseISamling/{p}ForsendelseI")
    assert item is not None
    assert [each.tag.removeprefix(p) for each in item] == [
        "AfsendelseIdentifikator",
        "ForsendelseTypeIdentifikator",
        "ForsendelseModtager",
        "FilformatNavn",
        "MeddelelseIndholdData",
        "DokumentParametre",
    ]
    assert item.findtext(f"{p}AfsendelseIdentifikator") == "A&1"
    assert base64.b64decode(item.findtext(f"{p}MeddelelseIndholdData") or "") == PDF
    (number,) = [each.text for each in item.iter() if each.tag.endswith("CPRnummerIdentifikator")]
    assert number == "0000000000"


def test_an_identifier_that_is_too_long_never_leaves() -> None:
    with pytest.raises(NotTaken) as refused:
        request_body(letter(), Choice.PHYSICAL, Paper("x" * 39, PDF))
    assert refused.value.final


# What is answered

FINAL, GATEWAY, AGAIN = (True, False), (False, True), (False, False)
ANSWERS: list[tuple[int, bytes, tuple[bool, bool] | None]] = [
    (200, REFUSED, AGAIN),
    (200, b"", None),
    (200, b"<html>Velkommen</html>", None),
    (200, b"<svar><Result>true</Result></svar>", None),
    (200, b"<!DOCTYPE x>" + TAKEN, None),
    (204, b"", None),
    (400, REFUSED, FINAL),
    (413, REFUSED, FINAL),
    (422, REFUSED, FINAL),
    (400, b"<kombi_response><Fejl><FejlTekst>Nej</FejlTekst></Fejl></kombi_response>", FINAL),
    (400, b"<html><hr>Bad request</html>", AGAIN),
    (422, b"", AGAIN),
    (413, b"<html>", FINAL),
    (400, TAKEN, None),
    (404, b"", GATEWAY),
    (405, b"", GATEWAY),
    (429, b"", GATEWAY),
    (308, b"", GATEWAY),
    (302, b"", None),
    (408, b"", None),
    (409, REFUSED, None),
    (500, REFUSED, AGAIN),
    (502, REFUSED, AGAIN),
    (500, b"", None),
    (500, said("", "Noget gik galt"), None),
    (500, TAKEN, None),
    (502, b"<html>Bad gateway</html>", None),
    (504, b"", None),
    (503, b"", GATEWAY),
    (503, REFUSED, GATEWAY),
    (
        503,
        b"upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        None,
    ),
    (503, TAKEN, None),
]


@pytest.mark.parametrize(("status", "body", "not_taken"), ANSWERS, ids=lambda each: str(each)[:40])
def test_what_an_answer_lets_us_know(
    server: Gateway, gateway: KombiPost, status: int, body: bytes, not_taken: tuple[bool, bool] | None
) -> None:
    server.answers = [http(status, body, "Retry-After: 0\r\nLocation: /andet\r\n")]
    with pytest.raises(NotTaken if not_taken else Unanswered) as told:
        send(gateway)
    if isinstance(told.value, NotTaken):
        assert (told.value.final, told.value.gateway) == not_taken
    assert len(server.letters) == 1  # never by itself a second time


def close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def half(connection: socket.socket) -> None:
    connection.sendall(http(200, TAKEN)[:-20])
    connection.shutdown(socket.SHUT_RDWR)


def half_a_refusal(connection: socket.socket) -> None:
    connection.sendall(http(400, REFUSED)[:-20])
    connection.shutdown(socket.SHUT_RDWR)


def silence(connection: socket.socket) -> None:
    connection.recv(1)  # until the client has had enough


def nonsense(connection: socket.socket) -> None:
    connection.sendall(b"hvad?\r\n\r\n")
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("answer", [close, half, half_a_refusal, silence, nonsense])
def test_a_connection_that_breaks_after_the_request_began_tells_nothing(
    server: Gateway, gateway: KombiPost, answer: Answer
) -> None:
    server.answers = [answer, http(200, TAKEN)]
    with pytest.raises(Unanswered):
        send(gateway)
    assert len(server.letters) == 1
    send(gateway)
    assert server.connections == 2
    assert server.tokens == 2  # it began with what may fail without harm


def test_an_outage_leaves_one_letter_unanswered(server: Gateway, gateway: KombiPost) -> None:
    server.answers = [http(200, TAKEN), silence]
    send(gateway)
    with pytest.raises(Unanswered):
        send(gateway)
    server.token = silence
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert told.value.gateway
    assert len(server.letters) == 2


@pytest.mark.parametrize(
    "answer",
    [
        close,
        half,
        silence,
        http(500),
        http(400, b"{}"),
        http(200, b"[]"),
        http(200, b'{"access_token": "a\\nb"}'),
    ],
)
def test_without_a_token_nothing_was_sent(server: Gateway, gateway: KombiPost, answer: Answer) -> None:
    server.token = answer
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert told.value.gateway
    assert not server.letters


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://localhost",
        "http://[",
        "http://127.0.0.1:{free}",
        "http://findes-ikke.invalid",
        "https://127.0.0.1:{plain}",
    ],
)
def test_without_a_connection_nothing_was_sent(
    server: Gateway, settings: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror("Name or service not known")

    if "invalid" in url:
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    gateway = configured(settings, url.format(free=free_port(), plain=server.port))
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert (told.value.final, told.value.gateway) == GATEWAY
    gateway.close()


def test_time_that_runs_out_while_connecting_is_no_connection(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = []
        for _ in range(4):  # more than the queue of a listener that accepts nobody
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        gateway = configured(settings, f"http://127.0.0.1:{full.getsockname()[1]}")
        with pytest.raises(NotTaken, match="No connection") as told:
            send(gateway)
        for one in waiting:
            one.close()
        gateway.close()
    assert told.value.gateway


# Access


@pytest.mark.parametrize("status", [401, 403])
def test_an_old_token_is_renewed_once_and_the_letter_sent_again(
    server: Gateway, gateway: KombiPost, status: int
) -> None:
    server.answers = [http(200, TAKEN), http(status), http(200, TAKEN)]
    send(gateway)
    send(gateway)
    assert [headers["authorization"][-2:] for _, headers, _ in server.letters] == ["t1", "t1", "t2"]


@pytest.mark.parametrize("status", [401, 403])
def test_no_access_with_a_new_token_is_the_gateways_fault(
    server: Gateway, gateway: KombiPost, status: int
) -> None:
    server.answers = [http(200, TAKEN), http(status), http(status)]
    send(gateway)
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert (told.value.final, told.value.gateway) == GATEWAY
    assert server.tokens == 2


def test_a_token_is_renewed_before_it_expires(
    server: Gateway, gateway: KombiPost, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [http(200, TAKEN)] * 3
    send(gateway)
    began = time.monotonic()
    monkeypatch.setattr("mailouts.sf1601.time.monotonic", lambda: began + 3500)
    send(gateway)
    assert server.tokens == 1
    monkeypatch.setattr("mailouts.sf1601.time.monotonic", lambda: began + 3550)
    send(gateway)
    assert server.tokens == 2


def test_the_assertion_is_read_anew_for_each_service(server: Gateway, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "kombipostafsend.xml").write_text(" <a/>\n")
    (tmp_path / "postforespoerg.xml").write_text("PGIvPg==")
    gateway = configured(
        settings, f"http://127.0.0.1:{server.port}", saml_token=f"{tmp_path}/{{service}}.xml"
    )
    server.answers = [http(200, TAKEN), http(200, b'{"result": true}')]
    send(gateway)
    gateway.is_registered(BO, Service.NEMSMS)
    asked = [parse_qs(body.decode())["saml-token"][0] for line, _, body in server.requests if "Token" in line]
    assert [base64.b64decode(each) for each in asked] == [b"<a/>", b"<b/>"]
    gateway.close()
    gateway = configured(settings, f"http://127.0.0.1:{server.port}", saml_token=f"{tmp_path}/ingen")
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert told.value.gateway
    gateway.close()


def test_the_assertion_can_be_fetched(server: Gateway, settings: Any) -> None:
    base = f"http://127.0.0.1:{server.port}"
    gateway = configured(settings, base, saml_token=f"{base}/saml")
    server.answers = [http(200, b"<a/>", "Connection: close\r\n"), http(200, TAKEN)]
    send(gateway)
    assert parse_qs(server.requests[1][2].decode())["saml-token"] == [base64.b64encode(b"<a/>").decode()]
    gateway.close()


# Who is registered


@pytest.mark.parametrize(
    ("number", "asked"), [(BO, f"digitalpost?cprNumber={BO}"), ("11110002", "digitalpost?cvrNumber=11110002")]
)
def test_asking_names_the_kind_of_number(
    server: Gateway, gateway: KombiPost, number: str, asked: str
) -> None:
    server.answers = [http(200, b'{"result": true}'), http(200, b'{"result": false}')]
    assert gateway.is_registered(number, Service.DIGITAL_POST) is True
    assert gateway.is_registered(number, Service.DIGITAL_POST) is False
    assert server.requests[1][0] == f"GET /vej/service/PostForespoerg_1/{asked} HTTP/1.1"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(http(200, b'{"result": "ja"}'), GATEWAY), (http(400, b"{}"), FINAL), (http(500), GATEWAY), (close, GATEWAY), (silence, GATEWAY)],
)  # fmt: skip
def test_a_question_without_an_answer_is_not_taken_and_the_number_is_not_told(
    server: Gateway,
    gateway: KombiPost,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    expected: tuple[bool, bool],
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [answer]
    with pytest.raises(NotTaken) as told:
        gateway.is_registered(BO, Service.NEMSMS)
    assert (told.value.final, told.value.gateway) == expected
    assert BO not in str(told.value) + caplog.text


def test_a_number_of_the_wrong_length_is_not_asked_about(gateway: KombiPost) -> None:
    with pytest.raises(NotTaken) as told:
        gateway.is_registered("020202020", Service.NEMSMS)
    assert told.value.final
    assert "020202020" not in str(told.value)


# What is told


@pytest.mark.parametrize(
    "number", ["0202020202", "020202-0202", "020202 0202", "020202–0202", "9902020202020202"]
)
def test_a_fault_never_carries_a_cpr_number(
    server: Gateway, gateway: KombiPost, caplog: pytest.LogCaptureFixture, number: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [http(400, said("false", f"Modtager {number} er ukendt"))]
    with pytest.raises(NotTaken, match=r"400: F1 Modtager \[…\] er ukendt") as told:
        send(gateway)
    assert number not in str(told.value) + repr(told.value.__cause__) + caplog.text


def test_a_fault_is_one_short_line() -> None:
    assert discreet("a\n\tb\x00c  d" + "x" * 1000) == ("a b c d" + "x" * 1000)[:300]
    assert (
        read(b"<Fault xmlns='x'><faultcode>Client</faultcode><faultstring>Nej</faultstring></Fault>").fault
        == "Client Nej"
    )


# Mutual TLS


def certificate(folder: Path, name: str, issuer: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signing = issuer[1] if issuer else key
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
    else:
        usage = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only", "content_commitment"),
            False,
        )  # fmt: skip
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True
        )
    made = builder.sign(signing, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made, key


@pytest.fixture
def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    authority = certificate(tmp_path, "authority")
    certificate(tmp_path, "server", authority)
    certificate(tmp_path, "client", authority)
    certificate(tmp_path, "stranger")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    context.load_verify_locations(tmp_path / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    made = Gateway(context)
    yield made
    made.close()


def test_our_certificate_is_shown(tls_server: Gateway, settings: Any, tmp_path: Path) -> None:
    tls_server.answers = [http(200, TAKEN)]
    gateway = configured(
        settings, f"https://localhost:{tls_server.port}", certificate=str(tmp_path / "client.pem")
    )
    send(gateway)
    gateway.close()


@pytest.mark.parametrize("name", ["", "stranger", "ingen"])
def test_a_certificate_that_is_refused_is_the_gateways_fault_also_while_a_token_lasts(
    tls_server: Gateway, settings: Any, tmp_path: Path, name: str
) -> None:
    """TLS 1.3 refuses it only after the request went out."""
    where = f"https://localhost:{tls_server.port}"
    tls_server.answers = [http(200, TAKEN)]
    gateway = configured(settings, where, certificate=str(tmp_path / "client.pem"))
    send(gateway)
    gateway.close()
    gateway._certificate = str(tmp_path / f"{name}.pem") if name else ""
    with pytest.raises((NotTaken, Unanswered)):
        send(gateway)  # whether the alert or the end of the connection is seen first is chance
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert (told.value.final, told.value.gateway) == GATEWAY
    assert len(tls_server.letters) == 1
    gateway.close()


def test_a_server_we_dont_trust_gets_nothing(
    tls_server: Gateway, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "stranger.pem"))
    gateway = configured(
        settings, f"https://localhost:{tls_server.port}", certificate=str(tmp_path / "client.pem")
    )
    with pytest.raises(NotTaken) as told:
        send(gateway)
    assert told.value.gateway
    assert not tls_server.requests
    gateway.close()


def test_a_connection_that_was_idle_is_not_trusted(
    server: Gateway, gateway: KombiPost, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [http(200, TAKEN)] * 2
    send(gateway)
    began = time.monotonic()
    monkeypatch.setattr("mailouts.sf1601.time.monotonic", lambda: began + 5)
    send(gateway)
    assert server.connections == 2
