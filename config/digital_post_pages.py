"""The pages of the stand-in Digital Post: what lies in whose inbox, and each letter as its recipient would see it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from config.digital_post_letters import Action, File, Letter

SHOWN = 200
HERE = ZoneInfo("Europe/Copenhagen")
CHANNEL_NAMES = {"digital": "Digital Post", "nemsms": "NemSMS", "paper": "Fysisk post"}
STYLE = """
body { font: 18px/1.6 "IBM Plex Sans", system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: #1b2225; background: #fff }
a { color: #0b5563 } h1 { font-size: 1.8rem } h2 { font-size: 1.3rem } nav a { margin-right: 1.5rem }
table { border-collapse: collapse; width: 100%; margin-top: 1.5rem } th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid #d9dfe0; vertical-align: top; overflow-wrap: anywhere }
tr.unread td { font-weight: 600 }
iframe { width: 100%; height: 40rem; border: 1px solid #d9dfe0 }
dl { display: grid; grid-template-columns: minmax(9rem, auto) 1fr; gap: .25rem 1rem } dt { font-weight: 600 } dd { margin: 0; overflow-wrap: anywhere }
.button, button { display: inline-block; background: #0b5563; color: #fff; padding: .8rem 1.6rem; margin: .25rem .5rem .25rem 0; border: 0; border-radius: 4px; font: inherit; font-weight: 600; text-decoration: none; cursor: pointer }
.box { border: 2px solid #0b5563; border-radius: 4px; padding: 1rem 1.25rem; margin: 1rem 0 } .box h3 { margin-top: 0 }
.phone { max-width: 22rem; border: 10px solid #1b2225; border-radius: 2rem; padding: 2rem 1rem } .bubble { background: #e3ecee; border-radius: 1.2rem; padding: .8rem 1.1rem; margin: .25rem 0; overflow-wrap: anywhere; white-space: pre-line }
label { display: block; font-weight: 600; margin-top: 1rem } .tick label { display: inline; } .tick { margin-top: 1rem } .hint { color: #47545a; margin: 0 }
input[type=text], textarea, select { font: inherit; padding: .4rem; border: 1px solid #5c6b70; width: 100%; max-width: 30rem; box-sizing: border-box } .fault { border-left: 4px solid #a3152a; padding-left: 1rem }
"""
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
LETTER_POLICY = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="da"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/style.css">'
        '</head><body><nav aria-label="Sider"><a href="/">Breve</a><a href="/styring">Styring</a></nav>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, HERE).strftime("%d.%m.%Y kl. %H.%M")


def masked(number: str) -> str:
    """A CPR number's first six digits; a CVR number is public."""
    return f"{number[:6]}-xxxx" if len(number) == 10 else number


def person(row: Mapping[str, Any]) -> str:
    return f"{row['name']}, {masked(row['number'])}" if row["name"] else masked(row["number"])


def table(heads: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def front(rows: Sequence[Any], numbers: Mapping[str, Any]) -> str:
    find = (
        '<form method="post" action="/indbakke"><label for="nummer">Find en indbakke: CPR- eller CVR-nummer</label>'
        '<input type="text" id="nummer" name="nummer" inputmode="numeric" autocomplete="off"> <button>Åbn</button></form>'
    )
    intro = "<p>Her kommer de breve, som portalen sender. Ingen af dem forlader denne maskine.</p>"
    if not rows:
        return page("Digital Post (demo)", f"{intro}<p>Der er ingen breve endnu.</p>")
    sums = (
        f"<p>Breve i alt: {numbers['letters']}. Modtagere: {numbers['recipients']}. "
        f"Modtagere med mere end ét brev: {numbers['recipients_with_several']}. Her er de nyeste {len(rows)}.</p>"
    )
    shown = (
        f'<tr><td>{moment(row["at"])}</td><td><a href="/indbakke/{row["recipient"]}">{escape(person(row))}</a></td>'
        f'<td><a href="/brev/{row["id"]}">{escape(row["label"]) or "(uden emne)"}</a></td>'
        f"<td>{CHANNEL_NAMES[row['channel']]}{_failed(row)}</td></tr>"
        for row in rows
    )
    return page(
        "Digital Post (demo)", intro + sums + find + table(("Modtaget", "Modtager", "Emne", "Kanal"), shown)
    )


def _failed(row: Mapping[str, Any]) -> str:
    return f"<br>Fejlet: {escape(row['failed'].partition(' ')[2])}" if row["failed"] else ""


def inbox(who: Mapping[str, Any], rows: Sequence[Any]) -> str:
    title = f"Indbakke: {person(who)}"
    if not rows:
        return page(title, "<p>Indbakken er tom.</p>")
    shown = (
        f"<tr{'' if row['opened'] else ' class=unread'}><td>{escape(row['sender'])}</td>"
        f'<td><a href="/brev/{row["id"]}">{escape(row["label"]) or "(uden emne)"}</a></td>'
        f"<td>{moment(row['at'])}</td><td>{CHANNEL_NAMES[row['channel']]}</td>"
        f"<td>{'Læst' if row['opened'] else 'Ulæst'}</td></tr>"
        for row in rows
    )
    return page(title, table(("Afsender", "Emne", "Modtaget", "Kanal", "Læst"), shown))


def letter(row: Mapping[str, Any], read: Letter, portal: str = "") -> str:
    where = f"/brev/{row['id']}"
    parts = [
        f'<p>Fra {escape(row["sender"])} til <a href="/indbakke/{row["recipient"]}">{escape(person(row))}</a>, '
        f"{moment(row['at'])}, {CHANNEL_NAMES[row['channel']]}</p>"
    ]
    if row["failed"]:
        parts.append(f'<p class="fault">Ikke afleveret: {escape(row["failed"].partition(" ")[2])}</p>')
    if row["channel"] == "nemsms":
        parts.append(
            f'<div class="phone"><p class="bubble">{escape(read.text or row["label"])}</p></div>'
            f"<p>{len(read.text)} tegn</p>"
        )
    if row["channel"] == "paper":
        if read.paper:
            parts.append(f'<p><a class="button" href="{where}/papir">Hent brevet som PDF</a></p>')
        parts.append("<p>Brevet er printet og sendt med posten.</p>")
    else:
        parts += [_action(each, where, number, portal) for number, each in enumerate(read.actions)]
        parts += [
            f'<iframe src="{where}/dokument/{number}" sandbox="{SANDBOX}" title="Brevet"></iframe>'
            for number, file in enumerate(read.main)
            if is_html(file)
        ]
    files = [
        f'<li><a href="{where}/fil/{number}">{escape(file.name) or "fil"}</a> ({_size(len(file.content))})</li>'
        for number, file in enumerate((*read.main, *read.more))
        if number >= len(read.main) or not is_html(file)
    ]
    if files:
        parts.append(f"<h2>Dokumenter</h2><ul>{''.join(files)}</ul>")
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in read.facts)
    parts.append(f"<h2>Hoved</h2><dl>{facts}</dl>" if facts else "<p>Indholdet er ikke gemt.</p>")
    return page(row["label"] or "(uden emne)", "".join(parts))


def _action(action: Action, where: str, number: int, portal: str) -> str:
    if action.meeting:
        begins, ends = (
            _time(action.meeting.get("startDateTime", "")),
            _time(action.meeting.get("endDateTime", "")),
        )
        when = begins.strftime("%d.%m.%Y kl. %H.%M") if begins else "Tidspunktet mangler"
        until = (
            f" til {ends.strftime('%d.%m.%Y kl. %H.%M' if begins and ends.date() != begins.date() else '%H.%M')}"
            if ends
            else ""
        )
        return (
            f'<section class="box" aria-labelledby="aftale-{number}"><h2 id="aftale-{number}">{escape(action.label)}</h2>'
            f"<p>{escape(action.meeting.get('description', ''))}</p><dl><dt>Tid</dt><dd>{when}{until}</dd>"
            f"<dt>Sted</dt><dd>{escape(action.meeting.get('location', ''))}</dd></dl>"
            f'<a class="button" href="{where}/kalender/{number}">Føj til kalender</a></section>'
        )
    url = action.url
    if portal.startswith("http://"):
        url = url.replace(portal.replace("http://", "https://", 1), portal, 1)
    if not url.startswith(("https://", "http://")):
        return ""
    return f'<p><a class="button" href="{escape(url)}" rel="noopener">{escape(action.label)}</a></p>'


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(HERE)
    except ValueError:
        return None


def _size(length: int) -> str:
    return f"{max(1, round(length / 1000))} kB"


def document(read: Letter, number: str) -> File | None:
    files = (*read.main, *read.more)
    return files[int(number)] if number.isdecimal() and int(number) < len(files) else None


def is_html(file: File) -> bool:
    return file.kind.startswith("text/html")


def framed(html: bytes, portal: str = "") -> bytes:
    """Links lead out of the frame, for the portal doesn't let itself be framed. A letter may only name https addresses;
    the portal of `make run` speaks http."""
    if portal.startswith("http://"):
        html = html.replace(portal.replace("http://", "https://", 1).encode(), portal.encode())
    head = re.search(rb"<head[^>]*>", html, re.IGNORECASE) or re.match(
        rb"\s*<!doctype[^>]*>", html, re.IGNORECASE
    )
    place = head.end() if head else 0
    return html[:place] + b'<base target="_top">' + html[place:]


def calendar(read: Letter, number: str) -> bytes | None:
    """The meeting as iCalendar (RFC 5545)."""
    from icalendar import Calendar, Event, vText

    if not number.isdecimal() or int(number) >= len(read.actions):
        return None
    meeting = read.actions[int(number)].meeting
    begins, ends = _time(meeting.get("startDateTime", "")), _time(meeting.get("endDateTime", ""))
    if not begins:
        return None
    event = Event()
    event.add("uid", meeting.get("reservationUUID", ""))
    event.add("dtstamp", datetime.now(UTC))
    event.add("dtstart", begins.astimezone(UTC))
    if ends:
        event.add("dtend", ends.astimezone(UTC))
    event.add("summary", meeting.get("description", ""))
    event.add("description", meeting.get("abstract", ""))
    event["location"] = vText(meeting.get("location", ""))
    made = Calendar()
    made.add("prodid", "-//Digital Post (demo)//DA")
    made.add("version", "2.0")
    made.add_component(event)
    content: bytes = made.to_ical()
    return content


def missing() -> str:
    return page("Findes ikke", "<p>Her er ingenting.</p>")


# The form of /styring: name, label, hint
FIELDS = {
    "fail": ("Andel, der afvises med fejl 500", "Mellem 0 og 1. Brevet er ikke modtaget."),
    "lose": ("Andel, der forsvinder uden svar", "Brevet er ikke modtaget."),
    "time_out": ("Andel, der aldrig får svar", "Brevet er modtaget."),
    "cut": ("Andel, hvor forbindelsen afbrydes midt i svaret", "Brevet er modtaget."),
    "hold": ("Sekunder, en forbindelse uden svar højst holdes", ""),
    "busy": ("Svar 503 på alt", ""),
    "answer_delay": ("Sekunder før hvert svar", ""),
    "deduplicate": ("Smid en besked med samme UUID væk anden gang", "Ellers bliver den til et brev mere."),
    "keep_contents": ("Gem brevenes indhold", ""),
    "token_lasts": ("Sekunder, et adgangstoken gælder", ""),
    "unregistered": ("Uden Digital Post", "Ét nummer på hver linje."),
    "no_sms": ("Uden NemSMS", "Ét nummer på hver linje, foruden dem, der ender på et ulige ciffer."),
    "receipts": ("Kvitteringer", "both, last eller none."),
    "receipt_delay": ("Sekunder mellem brev og kvittering", ""),
    "receipt_spread": ("Op til så mange sekunder mere, tilfældigt", ""),
    "late": ("Andel af kvitteringer, der er forsinkede", ""),
    "late_by": ("Sekunder, de er forsinkede", ""),
    "out_of_order": ("Andel af breve, hvis kvitteringer bytter plads", ""),
    "twice": ("Andel af kvitteringer, der sendes to gange", ""),
    "fail_receipts": ("Andel af breve, der ender som fejlet", ""),
    "fail_reason": ("Begrundelsen", ""),
    "fail_recipients": (
        "Modtagere, hvis breve altid fejler",
        "Nummer, mellemrum og begrundelse på hver linje.",
    ),
    "status_as": ("TransaktionsStatusKode som", "uuid eller text."),
    "seed": ("Frø for det tilfældige", "Et nyt frø begynder forfra."),
}


def control(values: Mapping[str, Any], fault: str = "") -> str:
    parts = [f'<p class="fault" role="alert">{escape(fault)}</p>'] if fault else []
    parts.append('<form method="post" action="/styring">')
    for name, (label, hint) in FIELDS.items():
        value = values[name]
        told = f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
        tied = f' aria-describedby="{name}-hint"' if hint else ""
        if isinstance(value, bool):
            checked = " checked" if value else ""
            parts.append(
                f'<div class="tick"><input type="checkbox" id="{name}" name="{name}"{checked}{tied}> '
                f'<label for="{name}">{escape(label)}</label>{told}</div>'
            )
            continue
        parts.append(f'<label for="{name}">{escape(label)}</label>{told}')
        if isinstance(value, list | dict):
            lines = value if isinstance(value, list) else [f"{key} {text}" for key, text in value.items()]
            parts.append(
                f'<textarea id="{name}" name="{name}" rows="3"{tied}>{escape(chr(10).join(lines))}</textarea>'
            )
        else:
            shown = f"{value:g}".replace(".", ",") if isinstance(value, float) else str(value)
            parts.append(f'<input type="text" id="{name}" name="{name}" value="{escape(shown)}"{tied}>')
    parts.append("<p><button>Gem</button></p></form>")
    return page("Styring", "".join(parts))
