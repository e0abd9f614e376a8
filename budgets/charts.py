"""The result's numbers as rows for the chart component (templates/components/bars.html)."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from budgets.counting import Rule
from budgets.models import HowItWas, Round
from budgets.results import ProjectResult, Result, TurnoutCell, hide_small
from dkfds.drawings import share
from dkfds.wording import kroner, number, percent


def of_projects(result: Result) -> list[dict[str, Any]]:
    """Votes (or points) for each project, winners marked, and a line where the money was used."""
    rows = [
        {
            "label": row.title,
            "value": row.points if result.with_points else row.votes,
            "marked": bool(row.won),
            "note": _note(row),
        }
        for row in result.projects
    ]
    if result.spent is not None and result.rule is not Rule.EQUAL_SHARES:
        last = max((place for place, row in enumerate(result.projects) if row.won), default=None)
        if last is not None:
            rows[last]["line_below"] = _("The money reached this far: %(spent)s of %(total)s.") % {
                "spent": kroner(result.spent),
                "total": kroner(result.budget.total),
            }
    return rows


def _note(row: ProjectResult) -> str:
    words = {True: _("won"), False: _("didn't win"), None: ""}[row.won]
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
