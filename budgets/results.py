"""All that the result page says: who won, how each decision of the count came about, who voted, what another rule would
have given. Small numbers are hidden so that nobody is pointed out."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
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
from budgets.actions.counting import waiting_for_lots
from budgets.counting import Decision, Rule, joined_lots
from budgets.election import leftover_to, other_rule, pots_of, rule_of
from budgets.models import (
    BallotProject,
    BallotType,
    CitizenBudget,
    Count,
    CountedBallot,
    Lot,
    Project,
    Roll,
    Round,
)
from dkfds.wording import kroner, number
from participation.breadth import band_words
from participation.models import Process

SMALLEST_SHOWN = 3
_WITH_POINTS = frozenset({BallotType.CUMULATIVE, BallotType.ORDINAL})


@dataclass(frozen=True)
class ProjectResult:
    """One bar of the chart and one row of the table. `share` is its length, 0 to 1; `left_after` the money left when it
    was its turn; `gets` what the vote gives it, less than `cost` where it was only part of it; `alternatives` those that it
    couldn't win together with, as number and title, and `lost_to` the one of them that won."""

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
    gets: Decimal | None = None
    in_part: bool = False
    alternatives: tuple[str, ...] = ()
    lost_to: str = ""


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
class Received:
    """Money that came from another pot."""

    pot: str
    amount: Decimal


@dataclass(frozen=True)
class PotResult:
    """One pot's result: all of it where the money is one sum (no `key`, no `name`). `projects` in the order of the count: the
    funded line goes after the last winner of a greedy count. `waiting_for_lot` names the tied projects while a tie is
    undecided, `waits_for` the pots whose lot must be drawn first; then nobody has won yet. `total` is its own money,
    `budget` with what it received."""

    key: str
    name: str
    total: Decimal
    budget: Decimal
    received: tuple[Received, ...]
    projects: tuple[ProjectResult, ...]
    counted: bool
    ties: tuple[str, ...]
    waiting_for_lot: tuple[ProjectResult, ...]
    waits_for: tuple[str, ...]
    lots: tuple[Lot, ...]
    lot_order: tuple[str, ...]
    ballots: int
    spent: Decimal | None
    left: Decimal | None
    gives_to: str
    gives_to_key: str
    compared: bool
    only_here: tuple[ProjectResult, ...]
    only_by_other_rule: tuple[ProjectResult, ...]

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

    @property
    def flow(self) -> str:
        """What became of its money, in a sentence or two; empty where nothing moved."""
        sentences = []
        for each in self.received:
            sentences.append(
                _("%(amount)s came from %(pot)s, which didn't use it.")
                % {"amount": kroner(each.amount), "pot": each.pot}
            )
        if self.received:
            sentences.append(
                _("So there was %(budget)s to share out here.") % {"budget": kroner(self.budget)}
            )
        if self.spent is not None and self.left and self.gives_to:
            sentences.append(
                _("%(pot)s used %(spent)s of %(total)s. The %(left)s that was left went on to %(to)s.")
                % {
                    "pot": self.name,
                    "spent": kroner(self.spent),
                    "total": kroner(self.budget),
                    "left": kroner(self.left),
                    "to": self.gives_to,
                }
            )
        return " ".join(sentences)


@dataclass(frozen=True)
class PublishedFile:
    """A file that was published of the round, as it is listed for download."""

    pot: str
    pot_name: str
    name: str
    ballots: int
    with_ballots: bool
    sha256: str


@dataclass(frozen=True)
class Result:
    """A sealed round, pot by pot. `shortlist` says that it was a first round, which gives no money; `by_meeting` that a meeting
    shared the money out, so there are no votes."""

    round: Round
    budget: CitizenBudget
    rule: Rule | None
    rule_text: str
    count: Count | None
    pots: tuple[PotResult, ...]
    files: tuple[PublishedFile, ...]
    ballot_count: int
    with_points: bool
    other_rule: Rule | None
    other_rule_text: str
    by_age: tuple[TurnoutCell, ...]
    by_district: tuple[TurnoutCell, ...]
    by_pot: tuple[TurnoutCell, ...]
    decided: bool
    earlier: tuple[Round, ...]
    newest: bool

    @property
    def shortlist(self) -> bool:
        return self.round.kind == Round.Kind.SHORTLIST

    @property
    def by_meeting(self) -> bool:
        return self.round.kind == Round.Kind.MEETING

    @property
    def has_pots(self) -> bool:
        return bool(self.pots[0].key)

    @property
    def projects(self) -> tuple[ProjectResult, ...]:
        return tuple(row for pot in self.pots for row in pot.projects)

    @property
    def winners(self) -> tuple[ProjectResult, ...]:
        return tuple(row for row in self.projects if row.won)

    @property
    def losers(self) -> tuple[ProjectResult, ...]:
        return tuple(row for row in self.projects if row.won is False)

    @property
    def differs(self) -> tuple[ProjectResult, ...]:
        return tuple(row for row in self.projects if row.funded is not None and row.funded != row.won)

    @property
    def waiting(self) -> tuple[PotResult, ...]:
        return tuple(pot for pot in self.pots if pot.waiting_for_lot)

    @property
    def waiting_for_lot(self) -> tuple[ProjectResult, ...]:
        return tuple(row for pot in self.pots for row in pot.waiting_for_lot)

    @property
    def ties(self) -> tuple[str, ...]:
        return tuple(tie for pot in self.pots for tie in pot.ties)

    @property
    def lots(self) -> tuple[Lot, ...]:
        return tuple(lot for pot in self.pots for lot in pot.lots)

    @property
    def lot_order(self) -> tuple[str, ...]:
        return tuple(project for pot in self.pots for project in pot.lot_order)

    @property
    def total(self) -> Decimal:
        return self.budget.total

    @property
    def spent(self) -> Decimal | None:
        return self.count.spent if self.count else None

    @property
    def left(self) -> Decimal | None:
        return None if self.spent is None else self.total - self.spent

    @property
    def compared(self) -> bool:
        return all(pot.compared for pot in self.pots)

    @property
    def only_here(self) -> tuple[ProjectResult, ...]:
        return tuple(row for pot in self.pots for row in pot.only_here)

    @property
    def only_by_other_rule(self) -> tuple[ProjectResult, ...]:
        return tuple(row for pot in self.pots for row in pot.only_by_other_rule)

    @property
    def ballots_published(self) -> bool:
        return any(file.with_ballots for file in self.files)

    @property
    def recounted(self) -> str:
        """The names of the files, as they stand after `python recount.py`: those that must be counted together in one."""
        return " ".join(file.name for file in self.files if file.with_ballots)

    @property
    def received_unpublished(self) -> tuple[str, ...]:
        """`pot=kroner` of pots that only totals are published of, for whoever recounts the pot that their money moved to.
        Empty where that one's ballots aren't published either."""
        published = {file.pot: file.with_ballots for file in self.files}
        return tuple(
            f"{pot.key}={plain_number(pot.left)}"
            for pot in self.pots
            if pot.gives_to_key and pot.left is not None
            if published.get(pot.gives_to_key) and not published.get(pot.key)
        )


def result_for(process: Process, *, number: int | None = None) -> Result | None:
    """The result of the newest round that has been sealed, or of round `number`; None while there is none."""
    rounds = list(
        Round.objects.for_voting()
        .sealed()
        .filter(process=process)
        .select_related("process__citizenbudget__vote_rule", "count", "phase")
        .prefetch_related("lots")
        .order_by("-number")
    )
    round = next((one for one in rounds if number is None or one.number == number), None)
    if round is None:
        return None
    budget: CitizenBudget = round.process.citizenbudget
    count: Count | None = getattr(round, "count", None)
    by_meeting = round.kind == Round.Kind.MEETING
    rule = None if by_meeting else Rule(count.rule) if count else rule_of(round)
    other = other_rule(rule) if rule else None
    pots = _pots(round, budget, count)
    by_age, by_district, by_pot = _turnout(round, budget.vote_rule)
    with_points = round.kind == Round.Kind.FINAL and budget.ballot_type in _WITH_POINTS
    return Result(
        round=round,
        budget=budget,
        rule=rule,
        rule_text=rule_text(rule, budget.min_votes, shortlist=budget.shortlist_size, with_points=with_points)
        if rule
        else "",
        count=count,
        pots=pots,
        files=_files(round),
        ballot_count=round.ballot_count,
        with_points=with_points,
        other_rule=other,
        other_rule_text=rule_text(other, 0, with_points=with_points) if other else "",
        by_age=by_age,
        by_district=by_district,
        by_pot=by_pot,
        decided=any(row.funded is not None for pot in pots for row in pot.projects),
        earlier=tuple(one for one in rounds if one.number < round.number),
        newest=round is rounds[0],
    )


def _files(round: Round) -> tuple[PublishedFile, ...]:
    names = {pot.key: pot.name for pot in pots_of(round)}
    return tuple(
        PublishedFile(
            row["pot"],
            names.get(row["pot"], row["pot"]),
            row["name"],
            row["ballots"],
            row["with_ballots"],
            row["sha256"],
        )
        for row in round.files
    )


def _pots(round: Round, budget: CitizenBudget, count: Count | None) -> tuple[PotResult, ...]:
    counted = {part["pot"]: part for part in count.outcome["pots"]} if count else {}
    compared = {part["pot"]: part for part in count.comparison.get("pots", ())} if count else {}
    waiting = waiting_for_lots(count) if count and count.winners is None else {}
    rows = _projects(round, budget, counted, compared)
    names = {pot.key: pot.name for pot in pots_of(round)}
    to = leftover_to(round)
    ballots = {row["pot"]: row["ballots"] for row in round.files}
    pots = []
    for pot in pots_of(round):
        part = counted.get(pot.key, {})
        projects = rows.get(pot.key, ())
        by_number = {row.number: row for row in projects}
        spent = None if part.get("spent") is None else in_kroner(part["spent"])
        money = in_kroner(part["budget"]) if part else pot.total
        lots = tuple(lot for lot in round.lots.all() if lot.pot == pot.key)
        other = compared.get(pot.key, {}).get("winners")
        pots.append(
            PotResult(
                key=pot.key,
                name=pot.name,
                total=pot.total,
                budget=money,
                received=tuple(
                    Received(name, in_kroner(part["received"][other]))
                    for other, name in names.items()
                    if other in part.get("received", ())
                ),
                projects=projects,
                counted=bool(part) and part["winners"] is not None,
                ties=tuple(_tie_text(tie, by_number) for tie in part.get("ties", ())),
                waiting_for_lot=tuple(by_number[project] for project in waiting.get(pot.key, ())),
                waits_for=tuple(names.get(other, other) for other in part.get("waits_for", ())),
                lots=lots,
                lot_order=tuple(joined_lots([lot.order for lot in lots])),
                ballots=ballots.get(pot.key, 0),
                spent=spent,
                left=None if spent is None else money - spent,
                gives_to=names[to] if to is not None and to != pot.key else "",
                gives_to_key=to if to is not None and to != pot.key else "",
                compared=other is not None and part.get("winners") is not None,
                only_here=_only(projects, other, won=True),
                only_by_other_rule=_only(projects, other, won=False),
            )
        )
    return tuple(pots)


def tracker_counted(round: Round, code: str) -> bool:
    """Whether the ballot with this tracker code was counted. Only after sealing; before, nobody can look."""
    if round.state not in Round.OPENED or not code.strip() or len(code) > 100:
        return False
    wanted = ballots.tracker_hash(code, round=round)
    stored = (
        CountedBallot.objects.filter(round=round, tracker=wanted).values_list("tracker", flat=True).first()
    )
    return stored is not None and hmac.compare_digest(stored, wanted)


def plain_number(value: Decimal) -> str:
    """Kroner as one types them: 88000 or 88000.50."""
    return str(int(value)) if value == int(value) else str(value)


def rule_text(rule: Rule, min_votes: int, *, shortlist: int | None = None, with_points: bool = False) -> str:
    """The rule in plain words, as it is also explained before voting opens. Where voters give points, points decide, not
    how many gave them."""
    if rule is Rule.SHORTLIST:
        return ngettext(
            "The project with the most votes goes on to the final round, and so do all that stand equal with it.",
            "The %(places)s projects with the most votes go on to the final round, and so do all that stand equal with "
            "the last of them.",
            shortlist or 0,
        ) % {"places": number(shortlist or 0)}
    if with_points:
        return _rule_of_points(rule, min_votes)
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
        "can pay for it together; the one that asks least of each for every krone it costs comes first."
    )


def _rule_of_points(rule: Rule, min_votes: int) -> str:
    return {
        Rule.GREEDY: _(
            "The project with the most points comes first. What there isn't money left for is passed over."
        ),
        Rule.GREEDY_NO_SKIP: _(
            "The project with the most points comes first. The count stops at the first that there isn't money left for."
        ),
        Rule.GREEDY_THRESHOLD: _(
            "The project with the most points comes first, if it has at least %(points)s. What there isn't money left for "
            "is passed over."
        )
        % {"points": number(min_votes)},
        Rule.EQUAL_SHARES: _(
            "Each voter has an equal part of the money, and it goes to what that voter gave points. A project wins when its "
            "voters can pay for it together, each by how many points they gave; the one that asks least for every point and "
            "every krone it costs comes first."
        ),
    }[rule]


def tie_rule_text() -> str:
    return _(
        "If projects stand equal, the cheaper comes first. If they cost the same, a public lot decides, with witnesses."
    )


def _projects(
    round: Round,
    budget: CitizenBudget,
    counted: dict[str, dict[str, Any]],
    compared: dict[str, dict[str, Any]],
) -> dict[str, tuple[ProjectResult, ...]]:
    """By pot, what stood on the ballot of this round, each as it was there."""
    shown: dict[str, list[BallotProject]] = {}
    for row in (
        BallotProject.objects.in_order()
        .filter(round=round)
        .select_related("project__contribution", "project__decision")
    ):
        row.project.contribution.process = round.process
        shown.setdefault(row.pot, []).append(row)
    return {
        pot: _projects_of_pot(
            rows,
            budget,
            counted.get(pot, {}),
            compared.get(pot, {}).get("winners"),
            decided=round.kind != Round.Kind.SHORTLIST,
        )
        for pot, rows in shown.items()
    }


def _projects_of_pot(
    shown: list[BallotProject],
    budget: CitizenBudget,
    part: dict[str, Any],
    other: list[str] | None,
    *,
    decided: bool,
) -> tuple[ProjectResult, ...]:
    """In the order of the count; by number where there is none. The council decides on no first round."""
    steps = {step["project"]: step for step in part.get("steps", ())}
    most = max((Fraction(step["score"]) for step in steps.values()), default=Fraction(0))
    winners, amounts = part.get("winners"), part.get("amounts", {})
    rows = []
    for row in shown:
        step = steps.get(row.number)
        points = Fraction(step["score"]) if step else Fraction(0)
        decision = getattr(row.project, "decision", None) if decided else None
        rivals = {
            each.number: _("no. %(number)s, “%(title)s”") % {"number": each.number, "title": each.title}
            for each in shown
            if row.alternative == each.alternative != "" and each is not row
        }
        funded = next((each for each in winners or () if each in rivals), "")
        rows.append(
            ProjectResult(
                project=row.project,
                number=row.number,
                title=row.title,
                cost=row.price,
                votes=step["votes"] if step else 0,
                points=_decimal(points),
                share=float(points / most) if most else 0.0,
                won=None if winners is None else row.number in winners,
                why=_why(step, budget, part, rivals.get(funded, "")) if step else "",
                left_after=_decimal(Fraction(step["after"])) if step else None,
                other_rule_won=None if other is None else row.number in other,
                funded=decision.funded if decision else None,
                amount=decision.amount if decision else None,
                council_reason=decision.reason if decision else "",
                gets=Decimal(amounts[row.number]) if row.number in amounts else None,
                in_part=step["decision"] == Decision.PART_FUNDED
                if step
                else row.number in amounts and Decimal(amounts[row.number]) < row.price,
                alternatives=tuple(rivals.values()),
                lost_to=rivals.get(funded, ""),
            )
        )
    places = {project: place for place, project in enumerate(steps)}
    return tuple(sorted(rows, key=lambda row: places.get(row.number, len(places))))


def _why(step: dict[str, Any], budget: CitizenBudget, part: dict[str, Any], rival: str) -> str:
    """How the decision on one project came about, in a sentence."""
    before, after, cost = (_decimal(Fraction(step[key])) for key in ("before", "after", "cost"))
    decision = Decision(step["decision"])
    if decision is Decision.UNDECIDED and not any(step["project"] in tie["tied"] for tie in part["ties"]):
        return _("What happens to it depends on the lot.")
    text = {
        Decision.FUNDED: _(
            "There was %(before)s left. It costs %(cost)s, so it wins, and %(after)s is left."
        ),
        Decision.PART_FUNDED: _(
            "It costs %(cost)s, and there was only %(before)s left. It can be done for that, so it gets it all."
        ),
        Decision.EXCLUDED: _("It couldn't win together with %(rival)s, which won."),
        Decision.SHORTLISTED: _("It goes on to the final round."),
        Decision.NOT_SHORTLISTED: _("It doesn't go on."),
        Decision.DOES_NOT_FIT: _("There was only %(before)s left, and it costs %(cost)s."),
        Decision.AFTER_STOP: _("It comes after the first project that there wasn't money left for."),
        Decision.BELOW_THRESHOLD: _("It has fewer points than the %(least)s it takes.")
        if budget.ballot_type in _WITH_POINTS
        else _("It has fewer votes than the %(least)s it takes."),
        Decision.TOO_LITTLE_SUPPORT: _(
            "Its voters together had too little of their parts left to pay for it."
        ),
        Decision.UNDECIDED: _("It stands equal with another: a public lot decides."),
    }[decision] % {
        "before": kroner(before),
        "cost": kroner(cost),
        "after": kroner(after),
        "least": number(budget.min_votes),
        "rival": rival,
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


def _turnout(
    round: Round, rule: EligibilityRule
) -> tuple[tuple[TurnoutCell, ...], tuple[TurnoutCell, ...], tuple[TurnoutCell, ...]]:
    """Voters by age band, by home district and by the district's pot they voted in, each table on its own, so that no person
    stands in a crossing."""
    if not round.ballot_count or round.imported or round.kind == Round.Kind.MEETING:
        return (), (), ()
    votes = list(
        Roll.objects.filter(round=round)
        .values_list("age_band", "district", "pot")
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
    by_pot: dict[str, int] = {pot.key: 0 for pot in pots_of(round) if pot.district_id is not None}
    for band, district, pot, voters in votes:
        by_age[band] = by_age.get(band, 0) + voters
        by_district[district] = by_district.get(district, 0) + voters
        by_pot[pot] = by_pot.get(pot, 0) + voters
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
        _cells([(band_words(band) or unknown, by_age[band], of_age.get(band)) for band in bands]),
        _cells([(names.get(pk) or unknown, by_district[pk], of_district.get(pk)) for pk in districts]),
        _of_pots(round, by_pot),
    )


def _of_pots(round: Round, voters: dict[str, int]) -> tuple[TurnoutCell, ...]:
    """How many voted in each district's pot; who voted in none only voted in what is for all."""
    pots = {pot.key: pot.name for pot in pots_of(round) if pot.district_id is not None}
    if not pots:
        return ()
    rows: list[tuple[str, int, int | None]] = [(name, voters[key], None) for key, name in pots.items()]
    if voters.get(""):
        rows.append((_("In no district's pot"), voters[""], None))
    return _cells(rows)


def _can_vote(band: str, min_age: int) -> bool:
    return band.endswith("+") or int(band.split("-")[1]) >= min_age


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


def in_kroner(stored: str) -> Decimal:
    """An amount as a count keeps it (exact, maybe a fraction), to the hundredth."""
    return _decimal(Fraction(stored))


def _decimal(value: Fraction) -> Decimal:
    """To the hundredth; money is exact there, a price per voter may be rounded."""
    return Decimal(round(value * 100)).scaleb(-2)
