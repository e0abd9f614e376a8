"""Voting codes on paper: cards to cut out for a class, and letters with the address where a window envelope shows it.

Tagged PDF/UA by typst. Names and codes go to it as data, never as source. The QR's address carries the code after a #, the
part that browsers keep to themselves: it reaches no server log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Resident
from budgets import codes
from budgets.models import CodeBatch
from dkfds.printing import compile_pdf, qr
from dkfds.wording import number
from participation import clock
from participation.phases import closing_moment, moment

_CARDS = """
#set page(paper: "a4", margin: (x: 1cm, y: 1.1cm))
#set text(size: 10pt, lang: data.lang)
#page(margin: 2.2cm)[
  #set text(13pt)
  #title()
  #for line in data.intro { par(line) }
  #set enum(spacing: 1em)
  #enum(..data.guide.map(step => par(step)))
]
#let card(entry) = block(width: 9.5cm, height: 6.7cm, inset: 0.45cm, breakable: false)[
  #grid(columns: (1fr, 2.5cm), gutter: 0.25cm,
    [#heading(level: 1, text(data.heading_size * 1pt, data.heading))
     #text(8.5pt, data.what)],
    image(bytes(entry.qr), format: "svg", width: 2.5cm, alt: data.qr_alt))
  #v(-0.15cm)
  #text(8.5pt, data.code_label) \\
  #text(17pt, weight: "bold", font: "DejaVu Sans Mono", entry.code)
  #v(-0.1cm)
  #set par(leading: 0.45em, spacing: 0.6em)
  #set enum(spacing: 0.45em)
  #set text(data.steps_size * 1pt)
  #enum(..data.steps.map(step => [#step]))
  #data.until \\ #data.help
]
#let cut = (paint: luma(130), thickness: 0.6pt, dash: "dashed")
#grid(columns: (9.5cm, 9.5cm), stroke: cut, ..data.entries.map(card))
"""

_LETTERS = """
#set page(paper: "a4", margin: (x: 2cm, top: 1.6cm, bottom: 1.8cm), footer: context [
  #set text(9pt)
  #data.municipality · #data.phone
])
#set text(size: 11.5pt, lang: data.lang)
#show heading: set text(1.3em)
#for (index, entry) in data.entries.enumerate() {
  if index > 0 { pagebreak() }
  if entry.protected_first { [#heading(level: 1, data.protected_heading) #data.protected_words #pagebreak()] }
  block(height: 8.2cm, width: 100%)[
    #text(9pt)[#data.municipality #if data.address != "" [· #data.address]]
    #place(top + left, dy: 3cm)[#block(width: 9cm)[#entry.name #for line in entry.lines [ \\ #line]]]
    #place(top + right, dy: 3cm)[#data.day]
  ]
  heading(level: 1, data.heading)
  par(data.intro)
  grid(columns: (1fr, 3cm), gutter: 0.8cm,
    [#data.code_label \\ #text(20pt, weight: "bold", font: "DejaVu Sans Mono", entry.code)
     #v(0.2cm) #enum(..data.steps.map(step => [#step]))],
    image(bytes(entry.qr), format: "svg", width: 3cm, alt: data.qr_alt))
  for line in data.words { par(line) }
}
"""


def printed(batch: CodeBatch, entries: Sequence[tuple[str, Resident | None]], *, at: datetime) -> bytes:
    """The batch's PDF from (code, resident); a class card is nobody's."""
    process = batch.process
    where = settings.SITE_URL + reverse("budgets:code", args=[process.slug])
    common = {
        "title": _("Voting codes: %(name)s") % {"name": batch.name},
        "qr_alt": _("QR code that opens the page for voting, with the code filled in"),
        "code_label": _("Your voting code"),
        "steps": [
            _("Scan the square, or go to %(address)s and type the code.")
            % {"address": where.removeprefix("https://").removeprefix("http://")},
            _("Choose, and look it over."),
            _("Cast your vote. It is secret, and nobody can change it."),
        ],
        "phone": _phone(),
    }
    drawn = [{"code": codes.shown(code), "qr": qr(f"{where}#{codes.shown(code)}")} for code, _who in entries]
    opens, closes = batch.phase.interval.lower, batch.phase.interval.upper
    times = {"opens": moment(opens), "closes": closing_moment(closes)}
    if batch.kind == CodeBatch.Kind.CLASS:
        return compile_pdf(_CARDS, common | _class_words(batch, times) | {"entries": drawn})
    protected_seen = False
    for entry, (_code, resident) in zip(drawn, entries, strict=True):
        assert resident is not None
        entry |= {
            "name": resident.name,
            "lines": [line.strip() for line in resident.address.split(",") if line.strip()],
            "protected_first": resident.protected and not protected_seen and len(entries) > 1,
        }
        protected_seen = protected_seen or resident.protected
    return compile_pdf(_LETTERS, common | _letter_words(batch, times, at) | {"entries": drawn})


def _class_words(batch: CodeBatch, times: dict[str, str]) -> dict[str, Any]:
    process = batch.process
    address = settings.SITE_URL + reverse("budgets:code", args=[process.slug])
    return {
        "heading": process.heading,
        # A card is as large as a card is: what is long is set smaller, and nothing runs over the cut.
        "heading_size": 11 if len(process.heading) <= 100 else 8,
        "steps_size": 8.5 if len(address) <= 70 else 7,
        "what": _("A vote for those who vote in class"),
        "until": _("Vote before %(closes)s.") % times,
        "help": _("Ask your teacher, or call %(phone)s.") % {"phone": _phone()},
        "intro": [
            process.heading,
            _("%(amount)s cards for %(name)s. You can vote from %(opens)s until %(closes)s.")
            % (times | {"amount": number(batch.amount), "name": batch.name}),
        ],
        "guide": [
            _("Cut the cards apart and mix them. Each pupil draws one. Nobody writes down who drew which."),
            _("Each card gives one vote. It can be used once, on any tablet, computer or telephone."),
            _("Tell the class that the vote is secret: nobody looks at another's screen."),
            _(
                "Keep cards that are left over apart, and send them back or destroy them. They are worth a vote each."
            ),
            _(
                "Is a card lost, or are they copied? Call %(phone)s. The cards can be blocked, and you get new ones."
            )
            % {"phone": _phone()},
        ],
    }


def _letter_words(batch: CodeBatch, times: dict[str, str], at: datetime) -> dict[str, Any]:
    return {
        "heading": _("Your voting code: %(process)s") % {"process": batch.process.heading},
        "address": settings.MUNICIPALITY["address"],
        "day": formats.date_format(clock.today()),
        "intro": _("You may vote. This letter has a code, so that you can do it without MitID."),
        "words": [
            _("You can vote from %(opens)s until %(closes)s.") % times,
            _(
                "The code is yours alone and gives one vote. Keep the letter to yourself until you have voted."
            ),
            _("You have one vote, however you cast it: with this code, with MitID or at a polling place."),
            _("Is the code lost, or do you need help? Call %(phone)s.") % {"phone": _phone()},
        ],
        "protected_heading": _("The letters after this page go to protected addresses"),
        "protected_words": _("Let as few as possible handle them, and put them in envelopes at once."),
    }


def _phone() -> str:
    """The number in one piece, never broken between two lines."""
    return str(settings.MUNICIPALITY["phone"]).replace(" ", "\N{NO-BREAK SPACE}")
