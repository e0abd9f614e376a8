"""The ballot on paper, as a tagged PDF: the projects in the chosen order, how to fill it in, and room for the number that is
written on it when it is counted. One paper for each district's pot: everyone's part and the district's on the same sheet,
so that one voter is one paper.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.verdict import Refused
from budgets import ballots, paper
from budgets.actions.rounds import went_on
from budgets.ballots import Paper, Part
from budgets.models import BallotProject, BallotType, PaperOrder, Pot, Project, Round
from dkfds.printing import compile_pdf
from dkfds.wording import kroner
from participation.models import Process

_BALLOT = """
#let big = data.large
#set page(paper: "a4", margin: (x: 2cm, top: 1.6cm, bottom: 1.8cm),
  background: if data.stamp != "" { place(center + horizon, rotate(-35deg, text(70pt, fill: luma(225), weight: "bold", data.stamp))) },
  footer: context [
    #set text(if big { 13pt } else { 9pt })
    #data.municipality #h(1fr) #counter(page).display("1 / 1", both: true)
  ])
#set text(size: if big { 20pt } else { 13pt }, lang: data.lang)
#let side = if big { 1.1cm } else { 0.72cm }
#let box_here = rect(width: if data.points { side * 2 } else { side }, height: side, stroke: 1.2pt, radius: 1pt)
#title()
#strong(data.heading)
#if data.stamp != "" [ \\ #data.stamp_words ]
#for part in data.parts {
  if part.heading != "" { heading(level: 1, part.heading) }
  par(strong(part.how))
  v(0.3em)
  for row in part.rows {
    block(breakable: false, width: 100%, above: if big { 0.9em } else { 0.75em }, below: 0pt,
      grid(columns: (auto, if big { 1.2cm } else { 0.8cm }, 1fr, auto), column-gutter: 0.45cm, align: horizon,
        box_here, align(right, strong(row.number)), row.title, text(0.9em, row.price)))
  }
}
#v(1fr, weak: true)
#block(breakable: false, above: 1.4em)[
  #line(length: 100%, stroke: 0.5pt)
  #for words in data.rules { par(words) }
  #set text(0.8em)
  #grid(columns: (1fr, auto), gutter: 0.5cm, align: horizon,
    data.counting, rect(width: 3cm, height: 1cm, stroke: 0.5pt))
]
"""


@dataclass(frozen=True)
class Printed:
    """A project as it is printed."""

    number: str
    title: str
    price: Decimal
    pot: str


@dataclass(frozen=True)
class Sheet:
    """One kind of ballot paper. `draft`: voting has not opened, so numbers and projects may still change."""

    process: Process
    key: str
    name: str
    parts: tuple[Part, ...]
    projects: tuple[Printed, ...]
    draft: bool


def order_of(process: Process, round_kind: str) -> PaperOrder | None:
    return PaperOrder.objects.filter(process=process, round_kind=round_kind).first()


def sheets(process: Process, round_kind: str = Round.Kind.FINAL) -> list[Sheet]:
    """Every ballot paper of a vote: what stands on the ballot, or before it opens what would stand there today."""
    round = Round.objects.for_voting().filter(process=process, kind=round_kind).first()
    if round is not None:
        projects = [
            Printed(one.number, one.title, one.price, one.pot)
            for one in BallotProject.objects.in_order().filter(round=round)
        ]
        form = ballots.round_paper(round)
    else:
        projects = _would_stand(process, round_kind)
        form = _would_be(process, round_kind, projects)
    keys = [(part.key, part.name) for part in form.of_districts]
    if form.for_all or not keys:
        keys.append(("", _("Only the pot for everyone") if keys else ""))
    return [
        Sheet(process, key, name, form.for_pot(key), tuple(projects), round is None) for key, name in keys
    ]


def _would_stand(process: Process, round_kind: str) -> list[Printed]:
    """The projects that would stand on the ballot today, with the numbers they would get."""
    mine = Project.objects.filter(contribution__process=process)
    found_ready = mine.may_be_shortlisted() if round_kind == Round.Kind.SHORTLIST else mine.ready()
    if round_kind == Round.Kind.FINAL and process.citizenbudget.shortlist_size is not None:
        with suppress(Refused):  # until the first round is counted nobody knows who goes on
            found_ready = found_ready.filter(number__in=went_on(process))
    ready = list(
        found_ready.select_related("contribution", "pot").order_by("contribution__published_at", "pk")
    )
    taken = Project.objects.filter(contribution__process=process).values_list("number", flat=True)
    last = max((int(number) for number in taken if number.isdecimal()), default=0)
    found = []
    for project in ready:
        number = project.number
        if not number:
            last += 1
            number = str(last)
        price = project.price if project.price is not None else Decimal(project.cost)
        found.append(
            Printed(number, project.contribution.title, price, project.pot.key if project.pot else "")
        )
    return found


def _would_be(process: Process, round_kind: str, projects: Iterable[Printed]) -> Paper:
    """The paper of a round that has not opened: the same rules, on today's projects."""
    unopened = Round(process=process, kind=round_kind)
    unopened.paper = [  # type: ignore[attr-defined]
        {"number": one.number, "price": str(one.price), "pot": one.pot, "alternative": ""} for one in projects
    ]
    unopened.pots = [  # type: ignore[attr-defined]
        {"key": pot.key, "name": pot.name, "total": str(pot.total), "district": pot.district_id}
        for pot in Pot.objects.filter(budget=process.pk)
    ]
    return ballots.round_paper(unopened)


def printed(sheet: Sheet, order: PaperOrder | None, *, large: bool = False, test: bool = False) -> bytes:
    """The PDF of one paper. A test print and a draft are stamped, so that no copy of them can be a ballot."""
    stamp = words = ""
    if sheet.draft:
        stamp = _("DRAFT")
        words = _("Draft: voting has not opened, so projects and numbers may still change.")
    elif test:
        stamp, words = _("TEST"), _("Test print: not a ballot.")
    points = any(part.ballot_type == BallotType.CUMULATIVE for part in sheet.parts)
    return compile_pdf(
        _BALLOT,
        {
            "title": _("Ballot paper"),
            "heading": f"{sheet.process.heading}{f' – {sheet.name}' if sheet.name else ''}",
            "stamp": stamp,
            "stamp_words": words,
            "large": large,
            "points": points,
            "parts": [_part(part, sheet, order) for part in sheet.parts],
            "rules": [
                _("Fold the paper and put it in the box yourself. Nobody may see what you choose."),
                _("Write nothing else on the paper: a name or a mark makes it invalid."),
            ],
            "counting": _("For the count – number in the bundle:"),
        },
    )


def _part(part: Part, sheet: Sheet, order: PaperOrder | None) -> dict[str, Any]:
    mine = [one for one in sheet.projects if one.number in part.prices]
    return {
        "heading": part.name if len(sheet.parts) > 1 or part.name else "",
        "how": how(part),
        "rows": [
            {"number": one.number, "title": one.title, "price": kroner(one.price)}
            for one in paper.in_printed_order(mine, order)
        ],
    }


def how(part: Part) -> str:
    """How the part is filled in, as it is told the voter."""
    match part.ballot_type:
        case BallotType.CUMULATIVE:
            return _(
                "You have %(points)s points. Write how many you give beside each project you choose."
            ) % {"points": part.points}
        case BallotType.KNAPSACK:
            return _(
                "Put a cross beside the projects you want. Together they may cost at most %(total)s."
            ) % {"total": kroner(part.total)}
    if part.most == 1:
        return _("Put one cross.")
    if part.least > 1:
        return _("Put at least %(least)s and at most %(most)s crosses.") % {
            "least": part.least,
            "most": part.most,
        }
    return ngettext("Put at most %(most)s cross.", "Put at most %(most)s crosses.", part.most) % {
        "most": part.most
    }
