"""What a citizen budget says on the page of its process: the next thing to do, the rules in plain words, the result."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import District, EligibilityRule
from budgets import charts, counting, results
from budgets.counting import Decision, Election, Outcome, Rule, approval
from budgets.election import rule_in
from budgets.models import BallotType, CitizenBudget
from dkfds.wording import kroner, number
from participation import phases
from participation.formats import NextStep
from participation.models import Process

IDEAS, VOTE = "ideas", "vote"  # phase kinds (budgets.format)


def next_step(process: Process, at: datetime) -> NextStep | None:
    phase = phases.phase_at(process, at)
    if phase is not None and phase.kind == IDEAS:
        return NextStep(
            label=gettext_lazy("Propose a project"),
            url=reverse("participation:contribute", args=[process.slug]),
            takes=(gettext_lazy("about 15 minutes"), gettext_lazy("needs MitID")),
            until=phase.interval.upper,
        )
    if phase is not None and phase.kind == VOTE:
        return NextStep(
            label=gettext_lazy("Vote"),
            url=reverse("budgets:vote", args=[process.slug]),
            takes=(gettext_lazy("about 5 minutes"), gettext_lazy("needs MitID")),
            until=phase.interval.upper,
        )
    return None


def _budget(process: Process) -> CitizenBudget | None:
    names = District.objects.defer("geometry")
    return (
        CitizenBudget.objects.filter(process=process)
        .select_related("propose_rule", "vote_rule")
        .prefetch_related(*(Prefetch(f"{rule}__districts", names) for rule in ("propose_rule", "vote_rule")))
        .first()
    )


def rules(process: Process, at: datetime) -> dict[str, Any] | None:
    """Everything that decides who wins, from the settings themselves, so that page and count can't part ways."""
    budget = _budget(process)
    if budget is None:
        return None
    rule = rule_in(budget, budget.counting_rule)
    return {
        "budget": budget,
        "limits": limits(budget),
        "who_may_propose": who_may(budget.propose_rule),
        "who_may_vote": who_may(budget.vote_rule),
        "ballot": ballot(budget),
        "rule": results.rule_text(rule, budget.min_votes),
        "example": example(rule, with_points=budget.ballot_type == BallotType.CUMULATIVE),
        "ties": results.tie_rule_text(),
        "left_over": left_over(rule),
        "phase_now": getattr(phases.phase_at(process, at), "kind", ""),
    }


def result(process: Process, at: datetime) -> dict[str, Any] | None:
    """What the vote said, from the moment the ballots are sealed."""
    found = results.result_for(process)
    if found is None:
        return None
    return {"result": found, "chart": charts.of_projects(found)}


def limits(budget: CitizenBudget) -> str:
    """What one project may cost."""
    most = budget.max_cost if budget.max_cost is not None else budget.total
    if budget.min_cost:
        return _("A project may cost from %(least)s to %(most)s.") % {
            "least": kroner(budget.min_cost),
            "most": kroner(most),
        }
    return _("A project may cost %(most)s at most.") % {"most": kroner(most)}


def who_may(rule: EligibilityRule) -> str:
    """An eligibility rule as a sentence to the reader."""
    where = {
        EligibilityRule.Residence.ANYONE: "",
        EligibilityRule.Residence.MUNICIPALITY: _("live in %(place)s")
        % {"place": settings.MUNICIPALITY["name"]},
        EligibilityRule.Residence.DISTRICTS: _("live in %(place)s")
        % {"place": _either(sorted(district.name for district in rule.districts.all()))},
    }[EligibilityRule.Residence(rule.residence)]
    if not rule.min_age:
        age = ""
    elif rule.age_on:
        age = _("be %(age)d or older on %(day)s") % {
            "age": rule.min_age,
            "day": date_format(rule.age_on, "DATE_FORMAT"),
        }
    else:
        age = _("be %(age)d or older on the day you do it") % {"age": rule.min_age}
    if age and where:
        text = _("You must %(age)s and %(where)s.") % {"age": age, "where": where}
    elif age or where:
        text = _("You must %(one)s.") % {"one": age or where}
    else:
        text = _("Everyone may, whatever their age and wherever they live.")
    if rule.organisations:
        text += " " + _("Businesses and associations may too.")
    return text


def _either(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(some)s or %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]}


def ballot(budget: CitizenBudget) -> str:
    """What a voter is asked to fill in."""
    match budget.ballot_type:
        case BallotType.CHOOSE_ONE:
            text = _("You choose one project.")
        case BallotType.CUMULATIVE:
            text = ngettext(
                "You have %(points)s point to give.",
                "You have %(points)s points and share them among the projects as you like.",
                budget.points or 0,
            ) % {"points": budget.points}
        case BallotType.KNAPSACK:
            text = _("You choose the projects you want, as long as they cost %(total)s at most in all.") % {
                "total": kroner(budget.total)
            }
        case BallotType.ORDINAL:
            text = _("You rank the projects.")
        case _:
            text = ngettext(
                "You choose one project.",
                "You choose up to %(most)s projects. Each counts as one vote.",
                budget.max_choices or 0,
            ) % {"most": number(budget.max_choices or 0)}
    if budget.min_choices > 1 and budget.ballot_type != BallotType.CHOOSE_ONE:
        text += " " + _("You must choose at least %(least)s.") % {"least": number(budget.min_choices)}
    return text


def left_over(rule: Rule) -> str:
    if rule is Rule.EQUAL_SHARES:
        return _(
            "When no more projects can be paid for, everyone's part is raised a little at a time and the count is made "
            "again, as long as the projects fit within the money. What is left in the end goes back to the council."
        )
    if rule is Rule.GREEDY_NO_SKIP:
        return _(
            "Whatever is left when the count stops goes back to the council, which decides what happens to it."
        )
    return _(
        "Whatever is left when nothing more fits goes back to the council, which decides what happens to it."
    )


@dataclass(frozen=True)
class ExampleRow:
    title: Any
    cost: int
    votes: int
    won: bool
    why: str


EXAMPLE_MONEY = 100_000
EXAMPLE_VOTERS = 10
EXAMPLE_LEAST = 2
_EXAMPLE = (
    (gettext_lazy("Playground"), 60_000),
    (gettext_lazy("Open-air stage"), 50_000),
    (gettext_lazy("Benches"), 20_000),
    (gettext_lazy("Fruit trees"), 10_000),
)


@cache
def _example_outcome(rule: Rule) -> Outcome:
    """Ten voters and four projects, counted by the very code that counts the real votes."""
    ballots = {approval(("0", "1")): 5, approval(("0",)): 1, approval(("2",)): 3, approval(("2", "3")): 1}
    projects = tuple(
        counting.Project(str(place), cost, str(place)) for place, (_title, cost) in enumerate(_EXAMPLE)
    )
    return counting.count(Election(projects, ballots, EXAMPLE_MONEY, EXAMPLE_LEAST), rule)


def example(rule: Rule, *, with_points: bool) -> dict[str, Any]:
    """A small worked example: the money, the voters, and each decision in order."""
    rows = []
    for step in _example_outcome(rule).steps:
        title, cost = _EXAMPLE[int(step.project)]
        values = {"cost": kroner(cost), "before": kroner(int(step.before)), "after": kroner(int(step.after))}
        values |= {"least": number(EXAMPLE_LEAST)}
        why = {
            Decision.FUNDED: _("There is %(before)s left, so it wins. Now %(after)s is left."),
            Decision.DOES_NOT_FIT: _("There is only %(before)s left, so it is passed over."),
            Decision.AFTER_STOP: _("The count has stopped, so it doesn't win."),
            Decision.BELOW_THRESHOLD: _("It has fewer votes than %(least)s, so it can't win."),
            Decision.TOO_LITTLE_SUPPORT: _("Its voters haven't enough of their parts left to pay for it."),
        }[step.decision] % values
        if rule is Rule.GREEDY_NO_SKIP and step.decision is Decision.DOES_NOT_FIT:
            why = _("There is only %(before)s left, so it doesn't win, and the count stops.") % values
        if rule is Rule.EQUAL_SHARES and step.decision is Decision.FUNDED:
            why = ngettext(
                "%(payers)s voter pays for it, so it wins.",
                "%(payers)s voters pay for it together, so it wins.",
                step.votes,
            ) % {"payers": number(step.votes)}
        rows.append(ExampleRow(title, cost, int(step.votes), step.decision is Decision.FUNDED, why))
    intro = _("Say there is %(money)s, and %(voters)s people vote.") % {
        "money": kroner(EXAMPLE_MONEY),
        "voters": number(EXAMPLE_VOTERS),
    }
    if rule is Rule.GREEDY_THRESHOLD:
        intro += " " + _("In the example a project must have at least %(least)s votes.") % {
            "least": number(EXAMPLE_LEAST)
        }
    if rule is Rule.EQUAL_SHARES:
        intro += " " + _(
            "Each of them has %(part)s to begin with; in the end the parts are raised so far that no more would fit."
        ) % {"part": kroner(EXAMPLE_MONEY // EXAMPLE_VOTERS)}
    if with_points:
        intro += " " + _("Here each gives one point to each project they choose.")
    return {"intro": intro, "rows": rows}
