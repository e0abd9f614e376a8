"""Letters on paper: one, many in one PDF, and the list that goes with them to whoever puts them in envelopes.

Where the address stands is decided by fjernprint's window. The measures (millimetres from the page's upper left corner) are those
that OS2Forms gives for Digitaliseringsstyrelsen's sample sheet (os2forms_digital_post: README and docs/digst_a4_farve_ej_til_
kant_demo_ny_rudeplacering.pdf): the recipient within 21–80 and 41–62, nothing else within 17–132 and 25–114, no text nearer than
17 to the left edge, 25 to the upper and 20 to the lower. An address of up to four lines begins at 45 (inferred), so that it is
also seen in C5 and M65 windows that begin there; a longer one grows upwards.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from dkfds.printing import compile_counted, compile_pdf, forget, qr
from mailouts.letters import Letter

PART: Final = 200  # letters in one PDF; typst holds about 1 MB for each while it works
_LONGEST_LINE: Final = 120
_MOST_LINES: Final = 8

# The address block by itself: `address(lines, returned)` on a page whose text begins at (21 mm, 25 mm).
ADDRESS = """
#let set-lines(lines, size) = {
  set text(size, hyphenate: false, top-edge: 0.93em, bottom-edge: -0.22em)
  set par(leading: 0pt, spacing: 0pt)
  lines.join(linebreak())
}
#let fitting(lines) = {
  let (width, height) = (59mm, 21mm)
  for size in (10pt, 9.5pt, 9pt, 8.5pt, 8pt, 7.5pt) {
    let size-of = measure(set-lines(lines, size))
    if size-of.width <= width and size-of.height <= height { return (size, size-of.height) }
  }
  for size in (7.5pt, 7pt, 6pt, 5pt, 4pt, 3pt, 2pt) {
    let size-of = measure(width: width, set-lines(lines, size))
    if size-of.width <= width and size-of.height <= height { return (size, size-of.height) }
  }
  (1pt, height)
}
#let address(lines, returned) = context {
  let (size, height) = fitting(lines)
  place(top + left, dy: 34.5mm - 25mm, block(width: 100mm, height: 4mm, clip: true, text(7pt, luma(60), returned)))
  place(top + left, dy: calc.min(45.4mm, 62mm - height) - 25mm, block(width: 59mm, set-lines(lines, size)))
}
"""

_LETTER = (
    ADDRESS
    + """
#set text(size: 11pt, font: "IBM Plex Sans", lang: data.lang)
#set par(leading: 0.72em, spacing: 1.15em)
#set list(indent: 0.2em, body-indent: 0.7em, spacing: 0.72em, marker: ([•], [–]))
#set enum(indent: 0.2em, body-indent: 0.6em, spacing: 0.72em)
#show heading: set text(weight: "semibold")
#show heading.where(level: 1): set text(17pt)
#show heading.where(level: 2): set text(12.5pt)
#show heading.where(level: 3): set text(11pt)
#show heading: set block(above: 1.5em, below: 0.75em)

#let broken(words) = if words.len() < 30 { words } else {
  words.replace(regex("\\\\S{30}"), part => part.text + "\\u{200b}")
}
#let run(each) = {
  if "break" in each { linebreak() } else if "address" in each {
    let words = each.runs.map(part => part.at("text", default: " ")).join()
    let shown = each.shown.trim("https://", at: start, repeat: false)
    link(each.address, if words == each.shown { broken(shown) } else { each.runs.map(run).join() })
    if words != each.shown and words != shown [ (#broken(shown))]
  } else {
    let words = [#broken(each.text)]
    if each.italic { words = emph(words) }
    if each.bold { strong(words) } else { words }
  }
}
#let runs(all) = all.map(run).join()
#let render(block) = {
  if block.kind == "paragraph" { par(runs(block.runs)) }
  else if block.kind == "heading" { heading(level: block.level, runs(block.runs)) }
  else if block.kind == "rule" { std.block(above: 1.6em, below: 1.6em, line(length: 100%, stroke: 0.5pt + luma(150))) }
  else {
    let points = block.points.map(point => {
      for (place, inner) in point.enumerate() {
        if inner.kind == "paragraph" { if place > 0 { parbreak() }; runs(inner.runs) } else { render(inner) }
      }
    })
    if block.start == none { list(..points) } else { enum(start: block.start, ..points) }
  }
}
#let code-box(code) = block(breakable: false, width: 100%, above: 1.6em, inset: 5mm, radius: 1.5mm, fill: luma(244), grid(
  columns: (1fr, 30mm), gutter: 6mm, align: horizon,
  if code.code == "" [#strong(code.label) \\ #broken(code.words)] else [#code.label \\
   #v(0.5mm) #text(19pt, weight: "bold", font: "DejaVu Sans Mono", code.code)
   #v(0.5mm) #code.words],
  image(bytes(code.qr), format: "svg", width: 30mm, alt: code.alt)))
#let sheet(index, letter) = {
  let (begins, ends) = (label("begins-" + str(index)), label("ends-" + str(index)))
  page(
    paper: "a4", margin: (left: 21mm, right: 25mm, top: 25mm, bottom: 25mm), footer-descent: 8mm,
    footer: context {
      set text(8.5pt, luma(60))
      let first = locate(begins).page()
      let (this, all) = (here().page() - first + 1, locate(ends).page() - first + 1)
      grid(columns: (1fr, auto), data.sender, data.page_of.replace("{this}", str(this)).replace("{all}", str(all)))
    },
  )[
    #block(height: 90mm, width: 100%, below: 0pt)[
      #place(top + left, dy: -10mm, text(13pt, weight: "semibold", data.municipality))
      #address(letter.lines, data.returned)
      #place(top + left, dx: 117mm, dy: 21.2mm, block(width: 47mm)[
        #set text(9.5pt)
        #letter.day
        #if letter.case != "" [\\ #text(luma(60), data.case_label) \\ #broken(letter.case)]
      ])
      #metadata(0)#begins
    ]
    #block(above: 0pt, below: 7mm, heading(level: 1, broken(letter.heading)))
    #for each in letter.blocks { render(each) }
    #if letter.code != none { code-box(letter.code) }
    #metadata(0)#ends
    #context [#metadata(here().page()) <count>]
  ]
}
#for (index, letter) in data.letters.enumerate() {
  if index > 0 { pagebreak(to: if data.duplex { "odd" }, weak: true) }
  sheet(index, letter)
}
"""
)


@dataclass(frozen=True, slots=True)
class Code:
    """A code in large print, with the square that leads to `address`. `words` stand below it."""

    code: str
    address: str
    label: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one recipient's letter has that others haven't. `lines`: the address below the name; `after`: paragraphs below
    the text, such as when a meeting is."""

    name: str
    lines: Sequence[str]
    day: date
    values: Mapping[str, str] = field(default_factory=dict)
    case_number: str = ""
    code: Code | None = None
    after: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A letter in the list that goes with a PDF. `pages` with the empty back that a letter on both sides may end with."""

    number: int
    first_page: int
    pages: int
    postcode: str
    city: str
    protected: bool = False


def letter_pdf(letter: Letter, sheet: Sheet) -> bytes:
    """One letter, A4, tagged PDF/UA."""
    with translation.override(letter.language):
        return compile_pdf(_LETTER, _data(letter, [sheet], letter.heading(sheet.values), duplex=False))


def batch_pdf(letter: Letter, sheets: Iterable[Sheet], *, duplex: bool = False) -> tuple[bytes, list[int]]:
    """Many letters in one PDF, and the number of pages of each; their sum is the PDF's.

    On both sides of the paper each letter begins on an odd page, and the empty page before it counts with the letter it ends.
    Memory grows with the letters: more than `PART` are made by `batches`.
    """
    with translation.override(letter.language):
        pdf, ends = compile_counted(_LETTER, _data(letter, sheets, letter.subject, duplex=duplex))
    forget()
    ends[:-1] = [end + end % 2 if duplex else end for end in ends[:-1]]
    return pdf, [end - begin for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


def batches(
    letter: Letter, sheets: Iterable[Sheet], *, duplex: bool = False, part: int = PART
) -> Iterator[tuple[bytes, list[int]]]:
    """As `batch_pdf`, in as many PDFs as it takes: two tagged documents can't be joined into one that is still tagged."""
    waiting = iter(sheets)
    while some := list(islice(waiting, part)):
        yield batch_pdf(letter, some, duplex=duplex)


def batch_csv(rows: Iterable[Row]) -> bytes:
    """For a spreadsheet: semicolons, UTF-8 with its mark. Where a protected address is, the list doesn't tell."""
    written = io.StringIO()
    sheet = csv.writer(written, delimiter=";", lineterminator="\r\n")
    sheet.writerow(["nummer", "første side", "sider", "postnummer", "by", "beskyttet adresse"])
    for row in rows:
        where = ("", "") if row.protected else (_cell(row.postcode), _cell(row.city))
        sheet.writerow([row.number, row.first_page, row.pages, *where, "ja" if row.protected else "nej"])
    return written.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula is kept as text by an apostrophe."""
    line = " ".join(text.replace("\x00", "").split())
    return f"'{line}" if line.lstrip("'\"").startswith(("=", "+", "-", "@")) else line


def _data(letter: Letter, sheets: Iterable[Sheet], title: str, *, duplex: bool) -> dict[str, Any]:
    municipality = settings.MUNICIPALITY
    phone = str(municipality["phone"]).replace(" ", "\N{NO-BREAK SPACE}")
    return {
        "title": title or municipality["name"],
        "duplex": duplex,
        "returned": ", ".join(filter(None, [municipality["name"], municipality["address"]])),
        "sender": f"{municipality['name']} · {_('Phone %(number)s') % {'number': phone}}",
        "page_of": _("Page %(this)s of %(all)s") % {"this": "{this}", "all": "{all}"},
        "case_label": pgettext("above a letter", "Case number"),
        "letters": [_letter(letter, sheet) for sheet in sheets],
    }


def _letter(letter: Letter, sheet: Sheet) -> dict[str, Any]:
    code = sheet.code
    return {
        "lines": list(_address(sheet)),
        "day": formats.date_format(sheet.day),
        "case": sheet.case_number,
        "heading": letter.heading(sheet.values) or settings.MUNICIPALITY["name"],
        "blocks": [
            *letter.blocks(sheet.values),
            *(
                {"kind": "paragraph", "runs": [{"text": words, "bold": True, "italic": False}]}
                for words in sheet.after
            ),
        ],
        "code": code
        and {
            "code": code.code,
            "label": code.label or _("Your voting code"),
            "words": code.words,
            "alt": _("QR code that opens the page for voting, with the code filled in")
            if code.code
            else _("QR code that leads to %(address)s") % {"address": code.address},
            "qr": qr(code.address),
        },
    }


def _address(sheet: Sheet) -> Iterator[str]:
    """Lines as they are printed; a word that no line could hold may be broken."""
    for line in [sheet.name, *sheet.lines][:_MOST_LINES]:
        shown = " ".join("".join(sign for sign in line if sign.isprintable()).split())[:_LONGEST_LINE]
        if shown:
            yield re.sub(r"(\S{25})(?=\S)", "\\1\N{ZERO WIDTH SPACE}", shown)
