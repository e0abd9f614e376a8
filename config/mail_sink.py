"""The mail server of `make run`: takes every mail, sends none on, and shows them on a page. Never in production.

Mails are kept as files in .local/mail, so that a second start still has them. `/koder` shows the codes that demo staff
would read in their authenticator app; their secrets are invented and public.
"""

from __future__ import annotations

import email.policy
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterable
from email.message import EmailMessage
from email.parser import BytesParser
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from aiosmtpd.controller import Controller

from config import people
from config.services import LOCAL

FOLDER = LOCAL / "mail"
SHOWN = 200
STYLE = """
body { font: 18px/1.6 "IBM Plex Sans", system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: #1b2225 }
a { color: #0b5563 } h1 { font-size: 1.8rem } nav a { margin-right: 1.5rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid #d9dfe0; vertical-align: top }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f7f5f0; padding: 1rem }
iframe { width: 100%; height: 40rem; border: 1px solid #d9dfe0 } .code { font-size: 1.6rem; letter-spacing: .15em; font-variant-numeric: tabular-nums }
dt { font-weight: 600 } dd { margin: 0 0 .5rem }
"""
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'"
MAIL_POLICY = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Box:
    """The mails on disk, named so that the newest sorts last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(self, recipients: Iterable[str], content: bytes) -> None:
        with self.lock:
            name = f"{time.time_ns():020d}"
            unfinished = self.folder / f"{name}.new"
            unfinished.write_bytes(
                b"X-Recipients: " + json.dumps(list(recipients)).encode() + b"\r\n" + content
            )
            unfinished.rename(self.folder / f"{name}.eml")

    def names(self) -> list[str]:
        return sorted((file.stem for file in self.folder.glob("*.eml")), reverse=True)

    def get(self, name: str) -> Mail | None:
        if not re.fullmatch(r"\d{20}", name):
            return None
        try:
            content = (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        return Mail(name, BytesParser(policy=email.policy.default).parsebytes(content))

    def mails(self, to: str = "") -> list[Mail]:
        found = (self.get(name) for name in self.names())
        return [mail for mail in found if mail and (not to or to.casefold() in mail.recipients)][:SHOWN]


class Mail:
    def __init__(self, name: str, message: Any) -> None:
        self.name = name
        self.message: EmailMessage = message
        self.recipients = [each.casefold() for each in json.loads(message.get("X-Recipients", "[]"))]

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    def body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""

    def attachments(self) -> list[EmailMessage]:
        return list(self.message.iter_attachments())  # type: ignore[arg-type]

    def arrived(self) -> str:
        return time.strftime("%d.%m.%Y kl. %H.%M.%S", time.localtime(int(self.name) / 1e9))

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.name,
            "to": self.recipients,
            "from": self.header("From"),
            "subject": self.header("Subject"),
            "headers": {name: str(value) for name, value in self.message.items()},
            "text": self.body("plain"),
            "html": self.body("html"),
            "attachments": [part.get_filename() for part in self.attachments()],
        }


class Receiver:
    """What aiosmtpd hands each mail to."""

    def __init__(self, box: Box) -> None:
        self.box = box

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.box.add(envelope.rcpt_tos, envelope.content)
        return "250 Taget imod"


def page(title: str, body: str, *, every: int = 0) -> str:
    refresh = f'<meta http-equiv="refresh" content="{every}">' if every else ""
    return (
        f'<!doctype html><html lang="da"><head><meta charset="utf-8"><title>{escape(title)}</title>{refresh}'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css"></head><body>'
        '<nav aria-label="Sider"><a href="/">Mails</a><a href="/koder">Demo-koder</a></nav>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def list_page(mails: list[Mail], to: str) -> str:
    title = f"Mails til {to}" if to else "Mails fra portalen"
    if not mails:
        return page(
            title,
            "<p>Her kommer de mails, som portalen sender. Ingen af dem forlader denne maskine.</p>",
            every=10,
        )
    rows = "".join(
        f'<tr><td>{mail.arrived()}</td><td>{_people(mail)}</td><td><a href="/mail/{mail.name}">'
        f"{escape(mail.header('Subject')) or '(uden emne)'}</a></td></tr>"
        for mail in mails
    )
    clear = '<p><a href="/">Vis alle</a></p>' if to else ""
    return page(
        title,
        f'{clear}<table><thead><tr><th scope="col">Modtaget</th><th scope="col">Til</th><th scope="col">Emne</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>",
        every=10,
    )


def _people(mail: Mail) -> str:
    return ", ".join(f'<a href="/?til={quote(each)}">{escape(each)}</a>' for each in mail.recipients)


def mail_page(mail: Mail) -> str:
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in mail.message.items()
        if name != "X-Recipients"
    )
    parts = [f"<p>Til {_people(mail)}, {mail.arrived()}</p>"]
    if html := mail.body("html"):
        parts.append(
            f'<h2>Som HTML</h2><iframe src="/mail/{mail.name}/html" title="Mailen som HTML"></iframe>'
        )
    parts.append(f"<h2>Som tekst</h2><pre>{escape(mail.body('plain')) or '(ingen tekst)'}</pre>")
    if not html:
        parts.append("<p>Mailen har ingen HTML-del.</p>")
    for number, part in enumerate(mail.attachments()):
        name = part.get_filename() or f"bilag-{number + 1}"
        parts.append(f'<p>Bilag: <a href="/mail/{mail.name}/bilag/{number}">{escape(name)}</a></p>')
    parts.append(f"<h2>Hoveder</h2><dl>{facts}</dl>")
    return page(mail.header("Subject") or "(uden emne)", "".join(parts))


def codes_page(known: people.People) -> str:
    if not known.staff:
        return page("Demo-koder", "<p>Demoens medarbejdere er her, når demoen er fyldt.</p>", every=10)
    left = 30 - int(time.time() % 30)
    rows = "".join(
        f"<tr><td>{escape(each.name)}<br>{escape(each.role)}</td><td>{escape(each.email)}</td>"
        f"<td>{escape(each.password)}</td>"
        f'<td class="code">{people.code(each.totp_secret) if each.totp_secret else "ingen"}</td></tr>'
        for each in known.staff
    )
    return page(
        "Demo-koder",
        f"<p>Opfundne medarbejdere. Koderne skifter om {left} sekunder, og siden følger selv med.</p>"
        '<table><thead><tr><th scope="col">Hvem</th><th scope="col">E-mail</th><th scope="col">Adgangskode</th>'
        f'<th scope="col">Kode nu</th></tr></thead><tbody>{rows}</tbody></table>',
        every=left + 1,
    )


class Pages(BaseHTTPRequestHandler):
    box: Box
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        to = query.get("til", query.get("to", [""]))[0]
        match [part for part in address.path.split("/") if part]:
            case []:
                self.answer(list_page(self.box.mails(to), to))
            case ["style.css"]:
                self.answer(STYLE, kind="text/css")
            case ["koder"]:
                self.answer(codes_page(people.load()))
            case ["mails.json"]:
                found = [mail.as_json() for mail in self.box.mails(to)]
                self.answer(json.dumps(found, ensure_ascii=False), kind="application/json")
            case ["mail", name] if mail := self.box.get(name):
                self.answer(mail_page(mail))
            case ["mail", name, "html"] if mail := self.box.get(name):
                self.answer(mail.body("html"), policy=MAIL_POLICY)
            case ["mail", name, "bilag", number] if (mail := self.box.get(name)) and number.isdigit():
                self.attachment(mail.attachments(), int(number))
            case _:
                self.answer(page("Findes ikke", "<p>Her er ingenting.</p>"), status=HTTPStatus.NOT_FOUND)

    def attachment(self, parts: list[EmailMessage], number: int) -> None:
        if number >= len(parts):
            self.answer(page("Findes ikke", "<p>Bilaget findes ikke.</p>"), status=HTTPStatus.NOT_FOUND)
            return
        content = parts[number].get_payload(decode=True) or b""
        name = quote(parts[number].get_filename() or "bilag")
        self.answer(
            content, kind="application/octet-stream", disposition=f"attachment; filename*=UTF-8''{name}"
        )

    def answer(
        self,
        content: Any,
        *,
        kind: str = "text/html",
        status: HTTPStatus = HTTPStatus.OK,
        policy: str = PAGE_POLICY,
        disposition: str = "",
    ) -> None:
        body = content if isinstance(content, bytes) else str(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind if isinstance(content, bytes) else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if disposition:
            self.send_header("Content-Disposition", disposition)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Mail pages refresh themselves: a line each time would drown the rest."""


def serve(
    host: str, *, smtp_port: int, page_port: int, folder: Path = FOLDER
) -> tuple[Controller, ThreadingHTTPServer]:
    box = Box(folder)
    receiver = Controller(Receiver(box), hostname=host, port=smtp_port, data_size_limit=50_000_000)
    receiver.start()
    handler = type("BoxPages", (Pages,), {"box": box})
    pages = ThreadingHTTPServer((host, page_port), handler)
    pages.daemon_threads = True
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    return receiver, pages


def main() -> None:
    host = os.environ.get("HOST", "127.0.0.1")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    receiver, pages = serve(
        host, smtp_port=int(os.environ["SMTP_PORT"]), page_port=int(os.environ["MAIL_PORT"])
    )
    stop.wait()
    pages.shutdown()
    receiver.stop()


if __name__ == "__main__":
    main()
