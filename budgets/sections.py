"""What a citizen budget says on the page of its process: the next thing to do, the rules in plain words, the result."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, Exists, OuterRef, Prefetch
from django.db.models.functions import Cast, JSONObject
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import District, EligibilityRule
from budgets import charts, counting, results
from budgets.counting import Decision, Election, Outcome, Rule, approval
from budgets.election import rule_in
from budgets.models import Alternative, BallotType, CitizenBudget, DecidedBy, DistrictVote, Leftover, Pot
from dkfds.wording import kroner, number
from participation import phases
from participation.formats import NextStep
from participation.models import Process

# Phase kinds (budgets.format).
IDEAS, SHORTLIST, IMPROVE, VOTE, MEETING = "ideas", "shortlist", "improve", "vote", "meeting"


def next_step(process: Process, at: datetime) -> NextStep | None:
    phase = phases.phase_at(process, at)
    if phase is not None and phase.kind == IDEAS:
        return NextStep(
            label=gettext_lazy("Propose a project"),
            url=reverse("participation:contribute", args=[process.slug]),
            takes=(gettext_lazy("about 15 minutes"), gettext_lazy("needs MitID")),
            until=phase.interval.upper,
        )
    if phase is not None and phase.kind in {SHORTLIST, VOTE}:
        two_rounds = any(other.kind == SHORTLIST for other in process.phases.all())
        label = gettext_lazy("Vote")
        if two_rounds:
            label = (
                gettext_lazy("Vote in the first round")
                if phase.kind == SHORTLIST
                else gettext_lazy("Vote in the final round")
            )
        return NextStep(
            label=label,
            url=reverse("budgets:vote", args=[process.slug]),
            takes=(gettext_lazy("about 5 minutes"), gettext_lazy("needs MitID")),
            until=phase.interval.upper,
        )
    if phase is not None and phase.kind == IMPROVE:
        return NextStep(
            label=gettext_lazy(
                "Those who proposed what went on make their projects better now. After that comes the final round."
            ),
            until=phase.interval.upper,
        )
    if phase is not None and phase.kind == MEETING:
        return NextStep(
            label=gettext_lazy("A meeting shares the money out. How it does is written further down."),
            until=phase.interval.upper,
        )
    return None


def _budget(process: Process) -> CitizenBudget | None:
    """The rules with their pots (`pot_rows`) and whether projects exclude each other (`alternatives`), in one query beside
    the districts."""
    names = District.objects.defer("geometry")
    pots = (
        Pot.objects.filter(budget=OuterRef("pk"))
        .order_by("position", "pk")
        .values(
            row=JSONObject(key="key", name="name", total=Cast("total", CharField()), district_id="district")
        )
    )
    return (
        CitizenBudget.objects.filter(process=process)
        .select_related("propose_rule", "vote_rule")
        .prefetch_related(*(Prefetch(f"{rule}__districts", names) for rule in ("propose_rule", "vote_rule")))
        .annotate(
            pot_rows=ArraySubquery(pots),
            alternatives=Exists(Alternative.objects.filter(process=OuterRef("pk"))),
        )
        .first()
    )


def _pots(budget: CitizenBudget) -> list[Pot]:
    rows: list[dict[str, Any]] = budget.pot_rows  # type: ignore[attr-defined]
    return [Pot(**row | {"total": Decimal(row["total"])}) for row in rows]


def rules(process: Process, at: datetime) -> dict[str, Any] | None:
    """Everything that decides who wins, from the settings themselves, so that page and count can't part ways."""
    budget = _budget(process)
    if budget is None:
        return None
    rule = rule_in(budget, budget.counting_rule)
    pots = _pots(budget)
    with_points = budget.ballot_type == BallotType.CUMULATIVE
    return {
        "budget": budget,
        "by_meeting": budget.decided_by == DecidedBy.MEETING,
        "pots": pots,
        "which_pot": which_pot(budget, pots),
        "rounds": rounds(budget, several=len(pots) > 1),
        "classes": classes(budget),
        "alternatives": budget.alternatives,  # type: ignore[attr-defined]
        "part_funding": part_funding(budget),
        "limits": limits(budget),
        "who_may_propose": who_may(budget.propose_rule),
        "who_may_vote": who_may(budget.vote_rule),
        "ballot": ballot(budget, several=len(pots) > 1),
        "rule": results.rule_text(rule, budget.min_votes, with_points=with_points),
        "unvoted": unvoted(rule),
        "example": example(rule, with_points=with_points),
        "ties": results.tie_rule_text(),
        "left_over": left_over(rule, budget, pots),
        "phase_now": getattr(phases.phase_at(process, at), "kind", ""),
    }


def result(process: Process, at: datetime) -> dict[str, Any] | None:
    """What the vote said, from the moment the ballots are sealed."""
    found = results.result_for(process)
    if found is None:
        return None
    return {"result": found, "pots": charts.by_pot(found)}


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


def which_pot(budget: CitizenBudget, pots: list[Pot]) -> str:
    """Which pots one votes in."""
    city = next((pot for pot in pots if pot.district_id is None), None)
    districts = [pot for pot in pots if pot.district_id is not None]
    if not districts or budget.decided_by == DecidedBy.MEETING:
        return ""
    own = (
        _("the pot of the district you live in, if it has one")
        if budget.district_vote == DistrictVote.HOME
        else _("the pot of one district that you choose yourself")
    )
    if city is None:
        return _("You vote in %(own)s.") % {"own": own}
    return _(
        "You vote in %(city)s and in %(own)s. You may leave one of them empty. Each pot is counted by itself."
    ) % {
        "city": city.name,
        "own": own,
    }


def how_you_vote(budget: CitizenBudget, age: int, district: District | None) -> str:
    """In class, and in which pots: what someone of this age who lives there is told before signing in."""
    if budget.decided_by == DecidedBy.MEETING:
        return ""
    if budget.class_age_from is not None and budget.class_age_from <= age <= (budget.class_age_to or 0):
        return classes(budget)
    pots = list(budget.pots.all())
    districts = [pot for pot in pots if pot.district_id is not None]
    if not districts:
        return ""
    if budget.district_vote == DistrictVote.CHOSEN:
        return which_pot(budget, pots)
    own = next((pot.name for pot in districts if district is not None and pot.district_id == district.pk), "")
    city = next((pot.name for pot in pots if pot.district_id is None), "")
    if own and city:
        return _("You vote in two pots: %(city)s and %(own)s.") % {"city": city, "own": own}
    if own or city:
        return _("You vote in one pot: %(pot)s.") % {"pot": own or city}
    return _("There is no pot for the district you live in, so there is nothing for you to vote on.")


def rounds(budget: CitizenBudget, *, several: bool) -> str:
    """What happens in the first of two rounds, and who goes on."""
    size = budget.shortlist_size
    if size is None or budget.decided_by == DecidedBy.MEETING:
        return ""
    text = ngettext(
        "In the first round you choose one project.",
        "In the first round you choose up to %(most)s projects.",
        budget.shortlist_choices or budget.max_choices or 1,
    ) % {"most": number(budget.shortlist_choices or budget.max_choices or 1)}
    went = ngettext(
        "The project with the most votes goes on.",
        "The %(size)s projects with the most votes go on.",
        size,
    ) % {"size": number(size)}
    if several:
        went = ngettext(
            "In each pot the project with the most votes goes on.",
            "In each pot the %(size)s projects with the most votes go on.",
            size,
        ) % {"size": number(size)}
    return " ".join(
        [
            text,
            went,
            _("If some stand equal for the last place, all of them go on: no lot is drawn."),
            _(
                "Those who proposed them may then make them better, and we assess them, before the final round decides."
            ),
            _("You can vote in both rounds, also if you missed the first."),
        ]
    )


def classes(budget: CitizenBudget) -> str:
    if budget.class_age_from is None or budget.decided_by == DecidedBy.MEETING:
        return ""
    return _("Those of %(first)s to %(last)s years vote in class, with a code from the school.") % {
        "first": budget.class_age_from,
        "last": budget.class_age_to,
    }


def part_funding(budget: CitizenBudget) -> str:
    if not budget.part_funding or budget.decided_by == DecidedBy.MEETING:
        return ""
    example = {"left": kroner(30_000), "cost": kroner(50_000), "least": kroner(25_000)}
    return (
        _(
            "The first project that there isn't money enough for, but that can be done for what is left, gets all of it. Then "
            "nothing is left. An example: %(left)s is left, and the next project costs %(cost)s but can be done for %(least)s. Then it gets the %(left)s."
        )
        % example
    )


def unvoted(rule: Rule) -> str:
    """Where nothing asks for a fewest number of votes, money can reach what nobody chose."""
    if rule not in {Rule.GREEDY, Rule.GREEDY_NO_SKIP}:
        return ""
    return _("If there is money left for it, a project that nobody chose can win too.")


def ballot(budget: CitizenBudget, *, several: bool = False) -> str:
    """What a voter is asked to fill in."""
    text = _ballot(budget, several)
    return " ".join([text, _("That goes for each of the two pots you vote in.")]) if several else text


def _ballot(budget: CitizenBudget, several: bool) -> str:
    match budget.ballot_type:
        case BallotType.CHOOSE_ONE:
            text = _("You choose one project.")
        case BallotType.CUMULATIVE:
            text = ngettext(
                "You have %(points)s point to give.",
                "You have %(points)s points and share them among the projects as you like.",
                budget.points or 0,
            ) % {"points": budget.points}
        case BallotType.KNAPSACK if several:
            text = _(
                "You choose the projects you want, as long as they cost no more than there is in the pot."
            )
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


def left_over(rule: Rule, budget: CitizenBudget, pots: list[Pot]) -> str:
    """What becomes of money that nothing is chosen for."""
    city = next((pot for pot in pots if pot.district_id is None), None)
    if budget.leftover == Leftover.TO_CITY and city is not None:
        return _(
            "The districts' pots are counted first. What they don't use is added to %(city)s, which is counted last. What is "
            "left there goes back to the council."
        ) % {"city": city.name}
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


def voting_day(process: Process, at: datetime) -> dict[str, Any] | None:
    """Where one can vote on paper, and how many have voted: from a little before voting opens until the ballots are
    counted, in one query."""
    from budgets.models import PollingPlace
    from budgets.voting import KINDS

    phase = phases.phase_at(process, at)
    coming = phases.next_phase(process, at)
    if all(one is None or one.kind not in KINDS for one in (phase, coming)):
        return None
    places = list(PollingPlace.objects.filter(process=process))
    is_open = phase is not None and phase.kind in KINDS
    if not places and not is_open:
        return None
    kind = KINDS[phase.kind] if phase is not None and phase.kind in KINDS else None
    return {"places": [place for place in places if kind in (None, place.round_kind)], "is_open": is_open}
