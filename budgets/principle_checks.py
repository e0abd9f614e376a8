"""What a citizen budget asks beside the five principles, before it can be approved."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import eligibility
from accounts.models import EligibilityRule
from accounts.verdict import Refused
from budgets.models import CitizenBudget
from participation import clock
from participation.models import Process
from participation.principles.base import Finding, Level, Principle

IN_ORDER = ("ideas", "assessment", "vote")


def findings(process: Process) -> Iterator[Finding]:
    budget = CitizenBudget.objects.filter(process=process).select_related("propose_rule", "vote_rule").first()
    if budget is None:
        yield _blocking("budget_rules", _("The rules of the money and the vote are missing."), "total")
        return
    yield _phases(process)
    yield _costs(budget)
    yield from _register(process, budget)


def _phases(process: Process) -> Finding:
    phases = sorted(process.phases.all(), key=lambda phase: phase.interval.lower)
    kinds = [phase.kind for phase in phases]
    missing = [kind for kind in IN_ORDER if kind not in kinds]
    if missing:
        return _blocking(
            "budget_phases",
            _("A citizen budget has ideas, assessment and voting, each with its dates."),
            "phases",
        )
    order = [IN_ORDER.index(kind) for kind in kinds if kind in IN_ORDER]
    if order != sorted(order):
        return _blocking(
            "budget_phases", _("Ideas come first, then assessment, then voting: mend the dates."), "phases"
        )
    return _passed("budget_phases", _("Ideas, assessment and voting come in order."), "phases")


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
