"""The result's numbers as rows for the chart component (templates/components/bars.html)."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from budgets.counting import Rule
from budgets.models import HowItWas, Round
from budgets.results import PotResult, ProjectResult, Result, TurnoutCell, hide_small
from dkfds.drawings import share
from dkfds.wording import kroner, number, percent


def of_projects(pot: PotResult, result: Result) -> list[dict[str, Any]]:
    """Votes (or points) for each project of a pot, winners marked, and a line where the money was used or the last went on."""
    rows = [
        {
            "label": row.title,
            "value": row.points if result.with_points else row.votes,
            "marked": bool(row.won),
            "note": _note(row, result),
        }
        for row in pot.projects
    ]
    last = max((place for place, row in enumerate(pot.projects) if row.won), default=None)
    if last is None or result.rule is Rule.EQUAL_SHARES:
        return rows
    if result.shortlist:
        rows[last]["line_below"] = _("Those above go on to the final round.")
    elif pot.spent is not None:
        rows[last]["line_below"] = _("The money reached this far: %(spent)s of %(total)s.") % {
            "spent": kroner(pot.spent),
            "total": kroner(pot.budget),
        }
    return rows


def by_pot(result: Result) -> list[tuple[PotResult, list[dict[str, Any]]]]:
    """Each pot with its rows."""
    return [(pot, of_projects(pot, result)) for pot in result.pots]


def _note(row: ProjectResult, result: Result) -> str:
    if result.shortlist:
        words = {True: _("goes on"), False: _("doesn't go on"), None: ""}[row.won]
        return words
    words = {True: _("won"), False: _("didn't win"), None: ""}[row.won]
    if row.lost_to:
        words = _("couldn't win together with %(rival)s") % {"rival": row.lost_to}
    if row.in_part and row.gets is not None:
        words = _("won %(part)s of it") % {"part": kroner(row.gets)}
    return " · ".join(filter(None, [kroner(row.cost), words]))


def of_turnout(cells: Iterable[TurnoutCell]) -> list[dict[str, Any]]:
    """Voters in each group; what is hidden has no bar, and the row says so."""
    cells = list(cells)
    most = max((cell.voters or 0 for cell in cells), default=0) or 1
    return [
        {
            "label": cell.label,
            "length": share(cell.voters or 0, most),
            "shown": _("not shown") if cell.hidden else number(cell.voters or 0),
            "note": ""
            if cell.share is None
            else _("%(share)s of those who could vote") % {"share": percent(cell.share, 1)},
        }
        for cell in cells
    ]


def of_how_it_was(round: Round) -> list[dict[str, Any]]:
    """What voters said of voting, as rows of the same kind; nothing while nobody has said anything."""
    said = dict(round.how_it_was.values_list("answer", "times"))
    counts = [said.get(answer, 0) for answer in HowItWas.Answer.values]
    if not any(counts):
        return []
    cells = zip(HowItWas.Answer.labels, hide_small(counts), strict=True)
    return of_turnout(TurnoutCell(str(label), shown) for label, shown in cells)
