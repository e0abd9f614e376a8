"""Paper: every public form as a blank with its QR code, and the receipt in large print. Tagged PDF/UA, made by typst.

What people wrote goes to typst as data, never as source, so nothing in it can be mistaken for markup.
"""

import io
from datetime import datetime
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from dkfds.printing import compile_pdf
from dkfds.wording import day, deadline, number
from participation import clock, formats, phases
from participation.choices import Moderation
from participation.formats import Act
from participation.models import Contribution, Process
from participation.principles.timing import decision_date

_BLANK = """
#set page(paper: "a4", margin: (x: 2.2cm, y: 2cm), footer: context [
  #set text(9pt)
  #data.municipality · #data.title #h(1fr) #counter(page).display("1 / 1", both: true)
])
#set text(size: 12pt, lang: data.lang)
#grid(columns: (1fr, auto), gutter: 1cm,
  [#title() #v(0.3em) #strong(data.heading) #linebreak() #data.intro],
  [#image(bytes(data.qr), format: "svg", width: 3.2cm, alt: data.qr_alt)
   #set text(8pt)
   #box(width: 3.2cm, data.qr_words)])
#let box_for(lines) = rect(width: 100%, height: lines * 0.85cm, stroke: 0.6pt + luma(90))
#let tick = box(rect(width: 0.42cm, height: 0.42cm, stroke: 0.8pt))
#for question in data.questions {
  block(breakable: false, width: 100%)[
    #heading(level: 1, question.label + if question.required { "" } else { " (" + data.optional + ")" })
    #if question.help != "" { text(10.5pt, question.help); v(0.2em) }
    #if question.choices.len() > 0 {
      for choice in question.choices [#tick #h(0.3cm) #choice #linebreak()]
    } else { box_for(question.lines) }
  ]
}
#heading(level: 1, data.you)
#for label in data.about_you [#label #box_for(1) #v(0.2em)]
#heading(level: 1, data.send_heading)
#data.send
"""

_RECEIPT = """
#set page(paper: "a4", margin: 2.2cm, footer: context [
  #set text(12pt)
  #data.municipality #h(1fr) #counter(page).display("1 / 1", both: true)
])
#set text(size: 18pt, lang: data.lang)
#title()
#data.intro
#for part in data.parts {
  heading(level: 1, part.label)
  for line in part.text.split("\\n") { if line != "" { par(line) } }
}
"""


def blank_form(
    form: forms.Form, *, title: str, heading: str, address: str, send_to: str, deadline: str = ""
) -> bytes:
    """The form's questions on paper. Works from any Django form: a new format prints its own without more code."""
    buffer = io.BytesIO()
    segno.make(address, error="m", micro=False).save(buffer, kind="svg", scale=4, border=2)
    municipality = settings.MUNICIPALITY
    where = [send_to, municipality["name"], municipality["address"]]
    send = _("Hand the form in at the library or at Borgerservice, or send it to:") + "\n"
    send += "\n".join(line for line in where if line)
    if deadline:
        send += "\n" + _("We must have it %(when)s.") % {"when": deadline}
    phone = _("Do you want help? Call %(phone)s.") % {"phone": municipality["phone"]}
    return compile_pdf(
        _BLANK,
        {
            "title": title,
            "heading": heading,
            "intro": _(
                "Write clearly and use one form for each idea. You can also answer on the web. %(phone)s"
            )
            % {"phone": phone},
            "qr": list(buffer.getvalue()),
            "qr_alt": _("QR code that leads to %(address)s") % {"address": address},
            "qr_words": address,
            "optional": _("you may leave it out"),
            "questions": [
                _question(field) for field in form.visible_fields() if getattr(field.field, "paper", True)
            ],
            "you": _("About you"),
            "about_you": [_("Name"), _("Address"), _("Telephone or e-mail for the answer")],
            "send_heading": _("Send it"),
            "send": send,
        },
    )


def receipt(contribution: Contribution, at: datetime) -> bytes:
    """The author's receipt in 18 points."""
    parts = [
        {"label": contribution.title, "text": contribution.body},
        *(
            {"label": str(step["label"]), "text": f"{step['when']}\n{step['text']}".strip()}
            for step in what_happens_next(contribution, at)
        ),
    ]
    return large_print(
        title=_("Receipt"),
        intro=_("We received your contribution %(day)s. It is about: %(process)s")
        % {"day": day(contribution.received_on, clock.today()), "process": contribution.process.heading},
        parts=parts,
    )


def pdf_response(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def large_print(*, title: str, intro: str, parts: list[dict[str, str]]) -> bytes:
    """A page in 18 points: `parts` are {"label", "text"}."""
    return compile_pdf(_RECEIPT, {"title": title, "intro": intro, "parts": parts})


def what_happens_next(contribution: Contribution, at: datetime) -> list[dict[str, str]]:
    """In order: shown, the next phase, decided, answered; each with its day. We promise only what the process promises."""
    process, today = contribution.process, clock.today()
    steps = []
    if contribution.moderation == Moderation.PENDING:
        steps.append(
            {
                "label": _("We look at it"),
                "when": "",
                "text": _(
                    "A caseworker reads it before it is shown. You hear from us if something must be changed."
                ),
            }
        )
    coming = phases.next_phase(process, at)
    if coming is not None:
        kind = formats.get(process.format).phase_kind(coming.kind)
        steps.append(
            {
                "label": str(kind.label if kind else coming.kind),
                "when": day(timezone.localdate(coming.interval.lower), today),
                "text": coming.description,
            }
        )
    decided_on = decision_date(process)
    if decided_on is not None:
        steps.append({"label": _("Decision"), "when": day(decided_on, today), "text": process.who_decides})
    if process.answers_due_on is not None:
        steps.append(
            {
                "label": _("You get an answer"),
                "when": _("at the latest %(day)s") % {"day": day(process.answers_due_on, today)},
                "text": process.who_answers,
            }
        )
    return steps


def send_before(process: Process) -> str:
    """The last moment a form on paper is in time: the end of the phase that takes contributions."""
    fmt = formats.get(process.format)
    ends = [
        phase.interval.upper
        for phase in process.phases.all()
        if (kind := fmt.phase_kind(phase.kind)) is not None and Act.CONTRIBUTE in kind.allows
    ]
    return _("no later than %(moment)s") % {"moment": deadline(max(ends), clock.now())} if ends else ""


def _question(bound: forms.BoundField) -> dict[str, Any]:
    field = bound.field
    choices: list[str] = []
    if isinstance(field, forms.ModelChoiceField):
        choices = [str(one) for one in field.queryset] if field.queryset is not None else []
        choices = choices if len(choices) <= 12 else []
    elif isinstance(field, forms.ChoiceField):
        offered: Any = field.choices
        choices = [str(label) for value, label in offered if value != ""]
    elif isinstance(field, forms.BooleanField):
        choices = [_("Yes")]
    elif words := getattr(field, "paper", ""):
        choices = [str(words)]
    longest = getattr(field, "max_length", None) or 100
    lines = 10 if longest > 1000 else 3 if longest > 200 else 1
    label = str(bound.label)
    help_text = "" if getattr(field, "paper", "") else str(bound.help_text)
    if longest > 1000:
        help_text += " " + _("Use more paper if you need it; at most %(count)s characters.") % {
            "count": number(longest)
        }
    return {
        "label": label,
        "help": help_text.strip(),
        "required": field.required,
        "choices": choices,
        "lines": lines,
    }
