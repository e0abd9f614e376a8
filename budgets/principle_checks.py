"""What a citizen budget asks beside the five principles, before it can be approved."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts import eligibility
from accounts.models import EligibilityRule
from accounts.verdict import Refused
from budgets.format import CITIZEN_BUDGET, kinds_in
from budgets.models import CitizenBudget, DecidedBy
from participation import clock
from participation.models import Process
from participation.principles.base import Finding, Level, Principle


def findings(process: Process) -> Iterator[Finding]:
    budget = CitizenBudget.objects.filter(process=process).select_related("propose_rule", "vote_rule").first()
    if budget is None:
        yield _blocking("budget_rules", _("The rules of the money and the vote are missing."), "total")
        return
    yield _phases(process, budget)
    yield _costs(budget)
    yield from _classes(budget)
    yield from _register(process, budget)


def _phases(process: Process, budget: CitizenBudget) -> Finding:
    """The phases that the rules ask for, and no others, in their order."""
    kinds = kinds_in(budget.decided_by, budget.shortlist_size)
    phases = sorted(process.phases.all(), key=lambda phase: phase.interval.lower)
    planned = [phase.kind for phase in phases]
    if any(kind.required and kind.key not in planned for kind in kinds):
        return _blocking("budget_phases", NEEDED[_way(budget)], "phases")
    labels = {kind.key: kind.label for kind in CITIZEN_BUDGET.phase_kinds}
    strange = next((kind for kind in planned if kind not in {known.key for known in kinds}), None)
    if strange is not None:
        return _blocking(
            "budget_phases",
            format_lazy(
                _("“{phase}” is not part of this budget: empty its dates, or change the rules."),
                phase=labels.get(strange, strange),
            ),
            "phases",
        )
    order = [kind.key for kind in kinds]
    if planned != sorted(planned, key=order.index):
        return _blocking(
            "budget_phases",
            format_lazy(
                _("The phases come in this order: {order}. Mend the dates."),
                order=format_lazy(", ".join("{}" for _kind in kinds), *(kind.label for kind in kinds)),
            ),
            "phases",
        )
    return _passed("budget_phases", _("The phases come in order."), "phases")


def _way(budget: CitizenBudget) -> str:
    if budget.decided_by == DecidedBy.MEETING:
        return "meeting"
    return "one_round" if budget.shortlist_size is None else "two_rounds"


NEEDED = {
    "one_round": _("A citizen budget has ideas, assessment and voting, each with its dates."),
    "two_rounds": _(
        "A citizen budget with two rounds has ideas, a first round, assessment and a final round, each with its dates."
    ),
    "meeting": _(
        "A citizen budget that a meeting shares out has ideas, assessment and the meeting, each with its dates."
    ),
}


def _classes(budget: CitizenBudget) -> Iterator[Finding]:
    """Nobody may become another age while voting runs: a child could then vote both in class and with MitID, or in neither way."""
    if budget.class_age_from is None:
        return
    if budget.vote_rule.age_on is None:
        yield _blocking(
            "budget_class_ages",
            _(
                "Some ages vote in class. Say on which day the age counts, so that nobody turns into another age meanwhile."
            ),
            "vote.age_on",
        )
    else:
        yield _passed("budget_class_ages", _("The day on which the age counts is set."), "vote.age_on")


def _costs(budget: CitizenBudget) -> Finding:
    if budget.max_cost is None or budget.max_cost == budget.total:
        return Finding(
            "budget_costs",
            Principle.FORMAT,
            Level.WARNING,
            _("One project can take all the money. Consider a largest cost, so that several can win."),
            "max_cost",
        )
    return _passed("budget_costs", _("There is room for more than one project."), "max_cost")


def check_register_lasts(process: Process, *, at: datetime) -> None:
    """Where it counts who lives here, opening needs a register extract that is valid past the last phase."""
    budget = CitizenBudget.objects.filter(process=process).select_related("propose_rule", "vote_rule").first()
    ends = [phase.interval.upper for phase in process.phases.all()]
    if budget is not None and ends and _asks_where_people_live(budget):
        eligibility.check_register_lasts(timezone.localdate(max(ends)), at=at)


def _asks_where_people_live(budget: CitizenBudget) -> bool:
    rules = (budget.propose_rule, budget.vote_rule)
    return any(rule.residence != EligibilityRule.Residence.ANYONE for rule in rules)


def _register(process: Process, budget: CitizenBudget) -> Iterator[Finding]:
    if not _asks_where_people_live(budget) or not process.phases.all():
        return
    try:
        check_register_lasts(process, at=clock.now())
    except Refused as refused:
        yield _blocking("budget_register", refused.reason, "vote")
    else:
        yield _passed("budget_register", _("The register extract is valid until voting is over."), "vote")


def _blocking(key: str, message: object, field: str) -> Finding:
    return Finding(key, Principle.FORMAT, Level.BLOCKING, message, field, required=True)


def _passed(key: str, message: object, field: str) -> Finding:
    return Finding(key, Principle.FORMAT, Level.PASSED, message, field)
