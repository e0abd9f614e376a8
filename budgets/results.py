"""All that the result page says: who won, how each decision of the count came about, who voted, what another rule would
have given. Small numbers are hidden so that nobody is pointed out."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count as CountOf
from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.eligibility import AGE_BANDS, age_band
from accounts.models import District, EligibilityRule, PopulationFigure
from budgets import ballots
from budgets.actions.counting import waiting_for_lot
from budgets.counting import Decision, Rule
from budgets.election import other_rule, rule_of
from budgets.models import BallotType, CitizenBudget, Count, CountedBallot, Lot, Project, Roll, Round
from dkfds.wording import kroner, number
from participation.models import Process

SMALLEST_SHOWN = 3
_WITH_POINTS = frozenset({BallotType.CUMULATIVE, BallotType.ORDINAL})


@dataclass(frozen=True)
class ProjectResult:
    """One bar of the chart and one row of the table. `share` is its length, 0 to 1; `left_after` the money left when it
    was its turn."""

    project: Project
    number: str
    title: str
    cost: Decimal
    votes: int
    points: Decimal
    share: float
    won: bool | None
    why: str
    left_after: Decimal | None
    other_rule_won: bool | None
    funded: bool | None
    amount: Decimal | None
    council_reason: str


@dataclass(frozen=True)
class TurnoutCell:
    """`voters` is None where the number is hidden; `share` of those who could vote, where that is known and shown."""

    label: str
    voters: int | None
    people: int | None = None

    @property
    def hidden(self) -> bool:
        return self.voters is None

    @property
    def share(self) -> float | None:
        return self.voters / self.people if self.voters is not None and self.people else None


@dataclass(frozen=True)
class Result:
    """`projects` in the order of the count: the funded line goes after the last winner of a greedy count. `waiting_for_lot`
    names the tied projects while a tie is undecided; then nobody has won yet."""

    round: Round
    budget: CitizenBudget
    rule: Rule | None
    rule_text: str
    count: Count | None
    projects: tuple[ProjectResult, ...]
    ties: tuple[str, ...]
    waiting_for_lot: tuple[ProjectResult, ...]
    lots: tuple[Lot, ...]
    ballot_count: int
    spent: Decimal | None
    left: Decimal | None
    with_points: bool
    other_rule: Rule | None
    other_rule_text: str
    compared: bool
    only_here: tuple[ProjectResult, ...]
    only_by_other_rule: tuple[ProjectResult, ...]
    by_age: tuple[TurnoutCell, ...]
    by_district: tuple[TurnoutCell, ...]
    sha256: str
    ballots_published: bool
    decided: bool

    @property
    def winners(self) -> tuple[ProjectResult, ...]:
        return tuple(row for row in self.projects if row.won)

    @property
    def losers(self) -> tuple[ProjectResult, ...]:
        return tuple(row for row in self.projects if row.won is False)

    @property
    def differs(self) -> tuple[ProjectResult, ...]:
        """Where the council decided otherwise than the vote."""
        return tuple(row for row in self.projects if row.funded is not None and row.funded != row.won)


def result_for(process: Process, *, at: datetime | None = None) -> Result | None:
    """The result of the newest round that has been sealed; None while there is none."""
    round = (
        Round.objects.sealed()
        .filter(process=process)
        .select_related("process__citizenbudget__vote_rule", "count", "phase")
        .prefetch_related("lots")
        .order_by("-number")
        .first()
    )
    if round is None:
        return None
    budget: CitizenBudget = round.process.citizenbudget
    count: Count | None = getattr(round, "count", None)
    rule = Rule(count.rule) if count else rule_of(round)
    projects = _projects(round, budget, count)
    by_number = {row.number: row for row in projects}
    compared = count.comparison if count else {}
    other_winners = compared.get("winners")
    waiting = waiting_for_lot(count) if count and count.winners is None else []
    spent = count.spent if count else None
    by_age, by_district = _turnout(round, budget.vote_rule)
    return Result(
        round=round,
        budget=budget,
        rule=rule,
        rule_text=rule_text(rule, budget.min_votes) if rule else "",
        count=count,
        projects=projects,
        ties=tuple(_tie_text(tie, by_number) for tie in (count.outcome["ties"] if count else ())),
        waiting_for_lot=tuple(by_number[project] for project in waiting),
        lots=tuple(round.lots.all()),
        ballot_count=round.ballot_count,
        spent=spent,
        left=None if spent is None else budget.total - spent,
        with_points=budget.ballot_type in _WITH_POINTS,
        other_rule=other_rule(rule) if rule else None,
        other_rule_text=rule_text(other_rule(rule), 0) if rule else "",
        compared=bool(compared) and other_winners is not None,
        only_here=_only(projects, other_winners, won=True),
        only_by_other_rule=_only(projects, other_winners, won=False),
        by_age=by_age,
        by_district=by_district,
        sha256=round.pb_sha256,
        ballots_published=round.ballot_count >= budget.publish_ballots_from,
        decided=any(row.funded is not None for row in projects),
    )


def tracker_counted(round: Round, code: str) -> bool:
    """Whether the ballot with this tracker code was counted. Only after sealing; before, nobody can look."""
    if round.state not in Round.OPENED or not code.strip() or len(code) > 100:
        return False
    wanted = ballots.tracker_hash(code, round=round)
    stored = (
        CountedBallot.objects.filter(round=round, tracker=wanted).values_list("tracker", flat=True).first()
    )
    return stored is not None and hmac.compare_digest(stored, wanted)


def rule_text(rule: Rule, min_votes: int) -> str:
    """The rule in plain words, as it is also explained before voting opens."""
    if rule is Rule.GREEDY:
        return _(
            "The project with the most votes comes first. What there isn't money left for is passed over."
        )
    if rule is Rule.GREEDY_NO_SKIP:
        return _(
            "The project with the most votes comes first. The count stops at the first that there isn't money left for."
        )
    if rule is Rule.GREEDY_THRESHOLD:
        return _(
            "The project with the most votes comes first, if it has at least %(votes)s. What there isn't money left for "
            "is passed over."
        ) % {"votes": number(min_votes)}
    return _(
        "Each voter has an equal part of the money, and it goes to what that voter chose. A project wins when its voters "
        "can pay for it together; the one that asks least of each comes first."
    )


def tie_rule_text() -> str:
    return _(
        "If projects stand equal, the cheaper comes first. If they cost the same, a public lot decides, with witnesses."
    )


def _projects(round: Round, budget: CitizenBudget, count: Count | None) -> tuple[ProjectResult, ...]:
    steps: dict[str, dict[str, Any]] = (
        {step["project"]: step for step in count.outcome["steps"]} if count else {}
    )
    winners = None if count is None or count.winners is None else set(count.winners)
    other = (count.comparison if count else {}).get("winners")
    projects = (
        Project.objects.on_ballot()
        .filter(contribution__process=round.process_id)
        .select_related("contribution", "decision")
    )
    most = max((Fraction(step["score"]) for step in steps.values()), default=Fraction(0))
    rows = []
    for project in projects:
        project.contribution.process = round.process
        step = steps.get(project.number)
        points = Fraction(step["score"]) if step else Fraction(0)
        decision = getattr(project, "decision", None)
        rows.append(
            ProjectResult(
                project=project,
                number=project.number,
                title=project.contribution.title,
                cost=project.price or Decimal(0),
                votes=step["votes"] if step else 0,
                points=_decimal(points),
                share=float(points / most) if most else 0.0,
                won=None if winners is None else project.number in winners,
                why=_why(step, budget) if step else "",
                left_after=_decimal(Fraction(step["after"])) if step else None,
                other_rule_won=None if other is None else project.number in other,
                funded=decision.funded if decision else None,
                amount=decision.amount if decision else None,
                council_reason=decision.reason if decision else "",
            )
        )
    places = {project: place for place, project in enumerate(steps)}
    return tuple(sorted(rows, key=lambda row: places.get(row.number, len(places))))


def _why(step: dict[str, Any], budget: CitizenBudget) -> str:
    """How the decision on one project came about, in a sentence."""
    before, after, cost = (_decimal(Fraction(step[key])) for key in ("before", "after", "cost"))
    text = {
        Decision.FUNDED: _(
            "There was %(before)s left. It costs %(cost)s, so it wins, and %(after)s is left."
        ),
        Decision.DOES_NOT_FIT: _("There was only %(before)s left, and it costs %(cost)s."),
        Decision.AFTER_STOP: _("It comes after the first project that there wasn't money left for."),
        Decision.BELOW_THRESHOLD: _("It has fewer votes than the %(least)s it takes."),
        Decision.TOO_LITTLE_SUPPORT: _(
            "Its voters together had too little of their parts left to pay for it."
        ),
        Decision.UNDECIDED: _("It stands equal with another: a public lot decides."),
    }[Decision(step["decision"])] % {
        "before": kroner(before),
        "cost": kroner(cost),
        "after": kroner(after),
        "least": number(budget.min_votes),
    }
    if step["payers"]:
        text += " " + ngettext(
            "%(payers)s voter paid for it.", "%(payers)s voters paid for it together.", step["payers"]
        ) % {"payers": number(step["payers"])}
    if step["tie"] == "cost":
        text += " " + _("It stood equal with another, and the cheaper came first.")
    elif step["tie"] == "lot":
        text += " " + _("It stood equal with another, and the lot decided.")
    return text


def _tie_text(tie: dict[str, Any], rows: dict[str, ProjectResult]) -> str:
    tied = ", ".join(rows[project].title for project in tie["tied"] if project in rows)
    text = {
        "cost": _("%(tied)s stood equal: the cheaper came first."),
        "lot": _("%(tied)s stood equal and cost the same: a public lot decided."),
        None: _("%(tied)s stand equal and cost the same: a public lot decides."),
    }[tie["resolved_by"]]
    return text % {"tied": tied}


def _only(
    projects: Sequence[ProjectResult], other_winners: list[str] | None, *, won: bool
) -> tuple[ProjectResult, ...]:
    if other_winners is None:
        return ()
    return tuple(row for row in projects if row.won is won and row.other_rule_won is (not won))


def _turnout(round: Round, rule: EligibilityRule) -> tuple[tuple[TurnoutCell, ...], tuple[TurnoutCell, ...]]:
    """Voters by age band and by home district, each table on its own, so that no person stands in a crossing."""
    if not round.ballot_count or round.imported:
        return (), ()
    votes = list(
        Roll.objects.filter(round=round)
        .values_list("age_band", "district")
        .annotate(voters=CountOf("pk"))
        .order_by()
    )
    people = list(
        PopulationFigure.objects.filter(age__gte=rule.min_age)
        .filter(Q(district=None) | Q(district__in=District.objects.of_home().values("pk")))
        .values_list("age", "district")
        .annotate(people=Sum("people"))
        .order_by()
    )
    by_age: dict[str, int] = dict.fromkeys((band for band in AGE_BANDS if _can_vote(band, rule.min_age)), 0)
    by_district: dict[int | None, int] = {}
    for band, district, voters in votes:
        by_age[band] = by_age.get(band, 0) + voters
        by_district[district] = by_district.get(district, 0) + voters
    whole = [(age, n) for age, district, n in people if district is None]
    parts = [(age, n) for age, district, n in people if district is not None]
    of_age: dict[str, int] = {}
    for age, n in whole or parts:
        of_age[age_band(age)] = of_age.get(age_band(age), 0) + n
    of_district: dict[int | None, int] = {}
    for _age, district, n in people:
        if district is not None:
            of_district[district] = of_district.get(district, 0) + n
    names: dict[int | None, str] = dict(
        District.objects.filter(pk__in=[*filter(None, by_district), *filter(None, of_district)]).values_list(
            "pk", "name"
        )
    )
    for district in of_district:
        by_district.setdefault(district, 0)
    unknown = _("Not known")
    bands = [*(band for band in AGE_BANDS if band in by_age), *([""] if "" in by_age else [])]
    districts = sorted(by_district, key=lambda pk: (pk is None, names.get(pk, "")))
    return (
        _cells([(band_label(band) or unknown, by_age[band], of_age.get(band)) for band in bands]),
        _cells([(names.get(pk) or unknown, by_district[pk], of_district.get(pk)) for pk in districts]),
    )


def _can_vote(band: str, min_age: int) -> bool:
    return band.endswith("+") or int(band.split("-")[1]) >= min_age


def band_label(band: str) -> str:
    if not band:
        return ""
    if band.endswith("+"):
        return _("%(age)s years and older") % {"age": band[:-1]}
    first, last = band.split("-")
    if first == "0":
        return _("Under %(age)s years") % {"age": int(last) + 1}
    return _("%(first)s–%(last)s years") % {"first": first, "last": last}


def _cells(rows: list[tuple[str, int, int | None]]) -> tuple[TurnoutCell, ...]:
    shown = hide_small([voters for _label, voters, _people in rows])
    return tuple(
        TurnoutCell(label, voters, people)
        for (label, _voters, people), voters in zip(rows, shown, strict=True)
    )


def hide_small(counts: Sequence[int]) -> list[int | None]:
    """Numbers under three become None, and so many more that none of the hidden can be worked out from the total.

    The smallest of those still shown are hidden too (all that are equally small), until there are at least two hidden,
    together at least three, and not all the same: then swapping two of them gives the same table, also for someone who
    knows how it was made.
    """
    hidden = {place for place, count in enumerate(counts) if count < SMALLEST_SHOWN}
    while hidden and len(hidden) < len(counts):
        values = [counts[place] for place in hidden]
        if len(set(values)) > 1 and sum(values) >= SMALLEST_SHOWN:
            break
        smallest = min(count for place, count in enumerate(counts) if place not in hidden)
        hidden |= {place for place, count in enumerate(counts) if count == smallest}
    return [None if place in hidden else count for place, count in enumerate(counts)]


def _decimal(value: Fraction) -> Decimal:
    """To the hundredth; money is exact there, a price per voter may be rounded."""
    return Decimal(round(value * 100)).scaleb(-2)
