#!/usr/bin/env python3
"""Tæl et borgerbudget op igen: python recount.py FIL.pb [--rule …] [--lot FIL] [--json]

Count a citizen budget again from its published ballots. This one file needs Python 3.11 or newer and nothing else,
and asks nothing of the network. It is put together from the very modules that the portal counts with, so that the
rules are written once; whoever wants a second opinion by other hands can give the same .pb file to pabutools or to
the tools at equalshares.net. Python: counting.py, pabulib.py, recount_command.py.
"""

import argparse
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from io import TextIOWrapper
from itertools import combinations, groupby, pairwise
from math import fsum, gcd, inf, lcm
from operator import itemgetter, lt
from pathlib import Path
from typing import Any, NoReturn

# -------------------- counting.py --------------------
#
# How the votes of a citizen budget become funded projects.
#
# Five rules, all of them asked in the same way: ``count(election, rule, lot)``.
#
# ``greedy``            most points first; a project that no longer fits is passed over.
# ``greedy-no-skip``    the same, but the count stops at the first project that does not fit.
# ``greedy-threshold``  ``greedy`` among the projects that reached ``election.threshold`` points.
# ``equal-shares``      the Method of Equal Shares (Peters, Pierczyński and Skowron, "Proportional
#                       Participatory Budgeting with Additive Utilities", NeurIPS 2021): every voter holds
#                       an equal share of the money, a project is bought by those who voted for it, and the
#                       next one bought is the one that asks least of each of them per krone of project.
#                       What a project is worth to a voter is points × cost, the paper's additive utility; for
#                       a ballot without points that is its cost, which is what the cities that use the rule do.
#                       For ordinal ballots the points are those of the rank (see ``ordinal``).
#                       The rule leaves money over, so it is completed as those cities do ("add1"): everyone's
#                       share is raised by one unit of money, the whole count is made again, and so on, also
#                       past an outcome to which nothing more could be added, until the next outcome would cost
#                       more than there is; the last one that did not is the result. pabutools says it as
#                       ``exhaustion_by_budget_increase(…, budget_step=num_ballots, exhaustive_stop=False)``.
#                       A project that costs nothing and has a vote is funded at once; one that nobody voted
#                       for never is. The greedy rules do fund a project without votes when money is left.
# ``shortlist``         a first round: the ``election.shortlist`` projects with most points go on, and all that stand equal
#                       with the last of them. Nothing is bought, no lot is drawn, and alternatives may go on together.
#
# **Alternatives.** Of the projects with the same ``alternative`` at most one is funded: once one of them is, the others
# leave. An excluded project is passed over; ``greedy-no-skip`` does not stop at it. In Equal Shares the others leave the
# market as soon as one is bought; where that keeps every raise within the budget, the result is the one that no further
# raise changes (the share is then above the cost of all that has a vote together).
#
# **Part funding.** Where ``election.part_funding`` is set (the greedy rules only), the first project in order that there is
# not money for, but whose ``least`` is no more than what is left, gets all that is left, and then nothing is left. A
# project that does not fit and cannot take a part (no ``least``, or too high a one) does not fit: ``greedy`` passes it
# over, ``greedy-no-skip`` stops at it. One that gets a part fits, so the count goes on, with nothing left.
#
# **Pots.** ``count_pots`` counts one election for each pot, and adds what the others leave to the city-wide one.
#
# Every comparison that decides is made on whole numbers or fractions, so a tie is a tie. The completion of Equal Shares
# may take hundreds of raises; those on the way, of which only "within the budget" must be known, are first sketched in
# floats together with a proven bound on their error. A raise that the bound leaves any doubt about, the last one within
# the budget and the first one above it are counted exactly.
#
# **Ties.** Equal points (in Equal Shares: an equal price per krone) are settled by the lower cost, then by a public
# lot: ids in the order they were drawn. ``Outcome.ties`` lists only ties where the order was felt. A tie that needs
# a lot which has not been drawn leaves ``winners`` None. Whether the winners hang on it is exact for the greedy rules
# (``_Greedy.felt`` says why). In Equal Shares it is first asked whether the tied exclude each other, and whether they can
# all be bought at that price from the voters they share (then any order ends the same); where they cannot, every order
# is followed to the end, through all raises, and only different winners count as a decided tie. Following orders is bounded (``EXPLORATION``); past the bound the
# answer is to draw the lot, which is always right, if at times more than was needed.

Amount = int | Fraction
"""Money or points, exact."""

Ballot = tuple[tuple[str, Amount], ...]
"""What one voter gave: (project id, points) for each project named. Build it with ``approval`` and its siblings."""

EXPLORATION = 5_000_000
"""How much is followed at most to see whether an undrawn tie matters: 1,000 and one per different ballot for each order."""

SMALL = 20_000
"""Different ballots times projects up to which Equal Shares may sketch in exact numbers."""


class Rule(StrEnum):
    GREEDY = "greedy"
    GREEDY_NO_SKIP = "greedy-no-skip"
    GREEDY_THRESHOLD = "greedy-threshold"
    EQUAL_SHARES = "equal-shares"
    SHORTLIST = "shortlist"


class Decision(StrEnum):
    """What became of a project, step by step."""

    FUNDED = "funded"
    PART_FUNDED = "part-funded"  # gets what is left: step.before
    EXCLUDED = "excluded"  # another of its alternatives was funded
    SHORTLISTED = "shortlisted"
    NOT_SHORTLISTED = "not-shortlisted"
    DOES_NOT_FIT = "does-not-fit"
    AFTER_STOP = "after-stop"  # greedy-no-skip: an earlier project did not fit
    BELOW_THRESHOLD = "below-threshold"
    TOO_LITTLE_SUPPORT = "too-little-support"  # equal shares: its voters had not money enough left
    UNDECIDED = "undecided"  # waits for a lot


class CountingError(ValueError):
    """The election, the rule and the lot do not go together; the text says why, in Danish, for people."""


class LotError(CountingError):
    """The lot names a project that is not there, or twice, or leaves out one that had to be drawn."""


@dataclass(frozen=True, slots=True)
class Project:
    """Projects with the same ``alternative`` exclude each other. ``least`` is the smallest part of its cost that it can be
    carried out for; None: only for all of it."""

    id: str
    cost: Amount
    name: str = ""
    alternative: str = ""
    least: Amount | None = None


@dataclass(frozen=True, slots=True)
class Election:
    """``ballots`` holds how many cast each different ballot; blank ones count in the number of voters. ``shortlist`` is how
    many go on from a first round."""

    projects: tuple[Project, ...]
    ballots: Mapping[Ballot, int]
    budget: Amount
    threshold: Amount | None = None
    part_funding: bool = False
    shortlist: int | None = None

    def __post_init__(self) -> None:
        ids = {project.id for project in self.projects}
        if len(ids) != len(self.projects):
            raise CountingError("To projekter har samme nummer.")
        if self.budget < 0 or any(project.cost < 0 for project in self.projects):
            raise CountingError("Budgettet eller en pris er under nul.")
        if any(
            project.least is not None and not 0 < project.least <= project.cost for project in self.projects
        ):
            raise CountingError("Et mindstebeløb skal være over nul og højst det, projektet koster.")
        if self.shortlist is not None and self.shortlist < 1:
            raise CountingError("Mindst ét projekt skal gå videre fra første runde.")
        for ballot in self.ballots:
            named = [project for project, _ in ballot]
            if not ids.issuperset(named) or len(set(named)) != len(named):
                raise CountingError(
                    f"En stemmeseddel har et ukendt projekt eller det samme to gange: {named}."
                )
            if any(points < 0 for _, points in ballot):
                raise CountingError("En stemmeseddel giver et projekt mindre end nul point.")


@dataclass(frozen=True, slots=True)
class Tie:
    """Projects that stood equal where the order was felt.

    ``at`` is the number of the step it arose at; ``round`` the raise it arose in (Equal Shares only).
    ``resolved_by`` is "cost", "lot" or, when a lot must still be drawn, None.
    """

    tied: tuple[str, ...]
    at: int
    resolved_by: str | None
    round: int | None = None

    def as_dict(self) -> dict[str, Any]:
        entry = {"tied": list(self.tied), "at": self.at, "resolved_by": self.resolved_by}
        return entry if self.round is None else {**entry, "round": self.round}


@dataclass(frozen=True, slots=True)
class Step:
    """One project's turn. ``before`` and ``after`` are the money left in the budget.

    Equal Shares adds the price per vote (per point, where voters give points), how many paid, how many of them
    gave all they had left, and ``rho``, the price per point and krone by which the next project is chosen.
    """

    number: int
    project: str
    decision: Decision
    score: Amount
    votes: int
    cost: Amount
    before: Amount
    after: Amount
    tie: str | None = None
    price: Fraction | None = None
    rho: Fraction | None = None
    payers: int | None = None
    emptied: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``winners`` in the order they were chosen, or None when ``undecided`` says what must be drawn first.

    ``round`` is how many units every voter's share was raised (Equal Shares only), ``share`` what it then was, and
    ``overrun`` what the next raise would have cost in all (None when everything supported was bought).
    """

    rule: Rule
    winners: tuple[str, ...] | None
    spent: Amount | None
    ties: tuple[Tie, ...]
    steps: tuple[Step, ...]
    round: int | None = None
    share: Fraction | None = None
    overrun: Amount | None = None

    @property
    def undecided(self) -> tuple[Tie, ...]:
        return tuple(tie for tie in self.ties if tie.resolved_by is None)

    @property
    def amounts(self) -> dict[str, Amount]:
        """What each winner gets: its cost, or the part that was left. Empty for a shortlist, which gives nothing."""
        return {
            step.project: exact(step.before - step.after)
            for step in self.steps
            if step.decision in (Decision.FUNDED, Decision.PART_FUNDED)
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same ballots by two rules. The winners are None where a rule waits for a lot."""

    first: Outcome
    second: Outcome
    both: tuple[str, ...] = ()
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()


def exact(value: Amount) -> Amount:
    """A whole number as int, anything else as Fraction: quick to reckon with and equal when equal."""
    return int(value) if value.denominator == 1 else Fraction(value)


def approval(projects: Iterable[str]) -> Ballot:
    """A ballot that names projects (also a choice of one, or a knapsack); a project's points are its votes."""
    return tuple(sorted((project, 1) for project in projects))


def cumulative(points: Mapping[str, Amount]) -> Ballot:
    """A ballot that spreads points."""
    return tuple(sorted((project, exact(given)) for project, given in points.items()))


def ordinal(ranking: Sequence[str], max_length: int) -> Ballot:
    """A ranking: ``max_length`` points to the first, one less to the second, and so on."""
    return tuple(sorted((project, max_length - place) for place, project in enumerate(ranking)))


def votes(election: Election) -> dict[str, int]:
    """How many ballots name each project."""
    tally = dict.fromkeys((project.id for project in election.projects), 0)
    for ballot, cast in election.ballots.items():
        for project, _ in ballot:
            tally[project] += cast
    return tally


def scores(election: Election) -> dict[str, Amount]:
    """How many points each project got in all; equal to ``votes`` where ballots carry no points."""
    tally: dict[str, Amount] = dict.fromkeys((project.id for project in election.projects), 0)
    for ballot, cast in election.ballots.items():
        for project, points in ballot:
            tally[project] += points * cast
    return {project: exact(points) for project, points in tally.items()}


def count(election: Election, rule: Rule, lot: Sequence[str] | None = None) -> Outcome:
    """Count ``election`` by ``rule``; ``lot`` is the drawn order of project ids, at least of those that had to be drawn."""
    if lot is not None:
        _check_lot(election, lot)
    if rule is Rule.EQUAL_SHARES:
        return _EqualShares(election).count(lot)
    if rule is Rule.SHORTLIST:
        return _shortlist(election)
    if rule is Rule.GREEDY_THRESHOLD and election.threshold is None:
        raise CountingError("Reglen greedy-threshold kræver et mindste antal stemmer eller point.")
    return _Greedy(election, rule, lot).count()


def count_with_lots(election: Election, rule: Rule, lots: Sequence[Sequence[str]]) -> Outcome:
    """Count with the lots drawn so far. Where they are not enough, the outcome has no winners and its only tie is the
    next one to draw: found by going on with any order, which changes nothing before that tie."""
    if not lots:
        return count(election, rule)
    drawn = joined_lots(lots)
    known: _Order | None = frozenset()
    for lot in lots:
        known = _joined(known or frozenset(), frozenset(pairwise(lot)))
    try:
        outcome = count(election, rule, drawn)
    except LotError:
        _check_lot(election, drawn)
        rest = [project.id for project in election.projects if project.id not in set(drawn)]
        outcome = count(election, rule, [*drawn, *rest])
    waiting = next(
        (tie for tie in outcome.ties if tie.resolved_by == "lot" and not _settled(tie, known)), None
    )
    if waiting is None:
        return outcome
    steps = tuple(step for step in outcome.steps if step.number < waiting.at)
    return Outcome(rule, None, None, (replace(waiting, resolved_by=None),), steps)


def _settled(tie: Tie, known: "_Order | None") -> bool:
    """Has a lot said, of each two of these, which comes first?"""
    return known is not None and all(
        (one, other) in known or (other, one) in known for one, other in combinations(tie.tied, 2)
    )


def joined_lots(lots: Sequence[Sequence[str]]) -> list[str]:
    """One order that keeps every lot's own. Raises CountingError when two lots say the opposite."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for order in lots:
        for project in order:
            sorter.add(project)
        for earlier, later in pairwise(order):
            sorter.add(later, earlier)
    try:
        return list(sorter.static_order())
    except CycleError:
        raise CountingError(
            "Den trukne rækkefølge er den modsatte af en tidligere lodtrækning mellem de samme projekter."
        ) from None


@dataclass(frozen=True, slots=True)
class PotCount:
    """One pot's count. ``received`` is what other pots left for it; ``outcome`` is None while it waits for those in
    ``waits_for``, whose lot must be drawn before it is known what they leave."""

    election: Election
    received: Mapping[str, Amount]
    outcome: Outcome | None
    waits_for: tuple[str, ...] = ()


def count_pots(
    elections: Mapping[str, Election],
    rule: Rule,
    *,
    leftover_to: str | None = None,
    lots: Mapping[str, Sequence[Sequence[str]]] | None = None,
) -> dict[str, PotCount]:
    """Count one election for each pot; ``lots`` holds the lots drawn in each. ``leftover_to`` is the pot that gets what the
    others do not use (None: it stays theirs, and each pot is counted by itself). That pot is counted last, with what the
    others left added to its budget, and waits as long as one of them waits for its lot. In the order of ``elections``."""
    if leftover_to is not None and leftover_to not in elections:
        raise CountingError(f"Puljen {leftover_to}, som skal have det, andre ikke bruger, er her ikke.")
    drawn = lots or {}
    counted = {
        pot: PotCount(election, {}, count_with_lots(election, rule, drawn.get(pot, ())))
        for pot, election in elections.items()
        if pot != leftover_to
    }
    if leftover_to is not None:
        last = elections[leftover_to]
        waits_for = tuple(pot for pot, one in counted.items() if one.outcome and one.outcome.winners is None)
        left = {
            pot: exact(one.election.budget - one.outcome.spent)
            for pot, one in counted.items()
            if one.outcome is not None and one.outcome.spent is not None
        }
        received = {pot: amount for pot, amount in left.items() if amount and rule is not Rule.SHORTLIST}
        last = replace(last, budget=exact(last.budget + sum(received.values())))
        counted[leftover_to] = PotCount(
            last,
            received,
            None if waits_for else count_with_lots(last, rule, drawn.get(leftover_to, ())),
            waits_for,
        )
    return {pot: counted[pot] for pot in elections}


def compare(election: Election, first: Rule, second: Rule, lot: Sequence[str] | None = None) -> Comparison:
    """What another rule would have chosen from the same ballots."""
    one, other = count(election, first, lot), count(election, second, lot)
    if one.winners is None or other.winners is None:
        return Comparison(one, other)
    return Comparison(
        one,
        other,
        both=tuple(winner for winner in one.winners if winner in other.winners),
        only_first=tuple(winner for winner in one.winners if winner not in other.winners),
        only_second=tuple(winner for winner in other.winners if winner not in one.winners),
    )


def _check_lot(election: Election, lot: Sequence[str]) -> None:
    ids = {project.id for project in election.projects}
    for drawn in lot:
        if drawn not in ids:
            raise LotError(f"Lodtrækningen nævner projekt {drawn}, som ikke findes.")
    if len(set(lot)) != len(lot):
        twice = next(drawn for drawn, times in Counter(lot).items() if times > 1)
        raise LotError(f"Lodtrækningen nævner projekt {twice} to gange.")


def _not_drawn(tied: Iterable[str], lot: Sequence[str]) -> LotError:
    missing = ", ".join(project for project in tied if project not in set(lot))
    return LotError(f"Lodtrækningen mangler projekt {missing}, som står lige med et andet.")


def _shortlist(election: Election) -> Outcome:
    if election.shortlist is None:
        raise CountingError("Reglen shortlist kræver, hvor mange projekter der går videre.")
    score, vote = scores(election), votes(election)
    ranked = sorted(election.projects, key=lambda project: (-score[project.id], project.cost))
    last = [score[project.id] for project in ranked][: election.shortlist][-1:]
    steps = tuple(
        Step(
            place,
            project.id,
            Decision.SHORTLISTED if score[project.id] >= last[0] else Decision.NOT_SHORTLISTED,
            score[project.id],
            vote[project.id],
            project.cost,
            election.budget,
            election.budget,
        )
        for place, project in enumerate(ranked, start=1)
    )
    chosen = tuple(step.project for step in steps if step.decision is Decision.SHORTLISTED)
    return Outcome(Rule.SHORTLIST, chosen, 0, (), steps)


class _Greedy:
    """The rules that take the projects in order of points, cost and lot."""

    def __init__(self, election: Election, rule: Rule, lot: Sequence[str] | None) -> None:
        self.election, self.rule, self.lot = election, rule, lot
        self.score, self.vote = scores(election), votes(election)
        self.drawn = {project: place for place, project in enumerate(lot or ())}
        self.left = exact(election.budget)
        self.won: set[str] = set()  # alternatives of which one is funded
        self.stopped = False
        self.steps: list[Step] = []
        self.ties: list[Tie] = []
        self.winners: list[str] = []
        shared = Counter(project.alternative for project in election.projects)
        self.groups = {alternative for alternative, times in shared.items() if alternative and times > 1}

    def count(self) -> Outcome:
        threshold = self.election.threshold if self.rule is Rule.GREEDY_THRESHOLD else None
        ranked = sorted(
            self.election.projects,
            key=lambda project: (
                -self.score[project.id],
                project.cost,
                self.drawn.get(project.id, len(self.drawn)),
            ),
        )
        open_end = False  # an undrawn tie after which it is not known what is left
        for points, group in groupby(ranked, lambda project: self.score[project.id]):
            equals = list(group)
            if threshold is not None and points < threshold:
                for project in equals:
                    self.take(project, Decision.BELOW_THRESHOLD, None)
                continue
            if open_end:
                for project in equals:
                    self.take(project, Decision.UNDECIDED, None)
                continue
            rivals = self.felt(equals)
            by_cost = bool(rivals) and equals[0].cost != equals[-1].cost
            if by_cost:
                tied = tuple(project.id for project in equals if project.alternative not in self.won)
                self.ties.append(Tie(tied, len(self.steps) + 1, "cost"))
            for _cost, same in groupby(equals, lambda project: project.cost):
                if open_end:
                    for project in same:
                        self.take(project, Decision.UNDECIDED, None)
                else:
                    open_end = self.alike(list(same), "cost" if by_cost else None)
        if any(tie.resolved_by is None for tie in self.ties):
            return Outcome(self.rule, None, None, tuple(self.ties), tuple(self.steps))
        spent = exact(self.election.budget - self.left)
        return Outcome(self.rule, tuple(self.winners), spent, tuple(self.ties), tuple(self.steps))

    def alike(self, projects: list[Project], tie: str | None) -> bool:
        """Take projects of the same points and cost; true when a lot is missing and what comes after hangs on it."""
        rivals = self.felt(projects)
        if rivals:
            tied = tuple(project.id for project in rivals)
            if self.lot is not None and not self.drawn.keys() >= set(tied):
                raise _not_drawn(tied, self.lot)
            tie = None if self.lot is None else "lot"
            self.ties.append(Tie(tied, len(self.steps) + 1, tie))
            if self.lot is None:
                for project in projects:
                    self.take(
                        project, Decision.UNDECIDED if project in rivals else self.decide(project), None
                    )
                cost = projects[0].cost
                if self.election.part_funding or any(
                    project.alternative in self.groups for project in projects
                ):
                    return True
                self.left = exact(
                    self.left - self.left // cost * cost
                )  # whoever is drawn, as many at that cost
                self.stopped = self.rule is Rule.GREEDY_NO_SKIP
                return False
        left_before = frozenset(self.won)
        for project in projects:
            told = not self.stopped and project.alternative not in left_before
            self.take(project, self.decide(project), tie if told else None)
        return False

    def felt(self, tied: list[Project]) -> list[Project]:
        """Those of these equals among whom the order decides who wins or how much; none when it is of no account.

        Those already excluded can't win in any order. Of the others, whoever fits or can take a part now would win if it
        came first. Passing over, the rest never can, as money only gets less; stopping, one of the rest put first would
        stop the count, so they count. Where two exclude each other, whichever comes first wins. Where there is money for
        all, all win. Where there is not, two that cost something can't both get the whole of what they would get first.
        """
        if self.stopped:
            return []
        still = [project for project in tied if project.alternative not in self.won]
        winning = [project for project in still if project.cost <= self.left or self.part(project)]
        if len(still) < 2 or not winning:
            return []
        if self.rule is Rule.GREEDY_NO_SKIP and len(winning) < len(still):
            return still
        excluding = [project.alternative for project in winning if project.alternative]
        crowded = sum(project.cost for project in winning) > self.left
        if len(set(excluding)) < len(excluding) or (
            crowded and sum(project.cost > 0 for project in winning) > 1
        ):
            return winning
        return []

    def part(self, project: Project) -> bool:
        return self.election.part_funding and project.least is not None and project.least <= self.left

    def decide(self, project: Project) -> Decision:
        if self.stopped:
            return Decision.AFTER_STOP
        if project.alternative in self.won:
            return Decision.EXCLUDED
        if project.cost <= self.left:
            return Decision.FUNDED
        return Decision.PART_FUNDED if self.part(project) else Decision.DOES_NOT_FIT

    def take(self, project: Project, decision: Decision, tie: str | None) -> None:
        before = self.left
        if decision in (Decision.FUNDED, Decision.PART_FUNDED):
            self.left = exact(self.left - project.cost) if decision is Decision.FUNDED else 0
            self.winners.append(project.id)
            if project.alternative:
                self.won.add(project.alternative)
        elif decision is Decision.DOES_NOT_FIT:
            self.stopped = self.rule is Rule.GREEDY_NO_SKIP
        points, cast = self.score[project.id], self.vote[project.id]
        self.steps.append(
            Step(
                len(self.steps) + 1, project.id, decision, points, cast, project.cost, before, self.left, tie
            )
        )


_Order = frozenset[tuple[Any, Any]]
"""Pairs (earlier, later) of projects, closed under transitivity: what is known or supposed of the lot."""


def _placing_first(order: _Order, first: int, others: Iterable[int]) -> _Order | None:
    """``order`` with ``first`` drawn before ``others``; None when that contradicts it."""
    return _joined(order, frozenset((first, other) for other in others if other != first))


def _joined(order: _Order, more: _Order) -> _Order | None:
    pairs = set(order)
    for earlier, later in more:
        if (later, earlier) in pairs:
            return None
        if (earlier, later) not in pairs:
            before = {a for a, b in pairs if b == earlier} | {earlier}
            after = {b for a, b in pairs if a == later} | {later}
            pairs.update((a, b) for a in before for b in after)
    return frozenset(pairs)


class _TooManyOrders(Exception):
    """The bound on following orders was reached at this tie."""

    def __init__(self, tie: Tie) -> None:
        self.tie = tie


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a project would cost its voters now: each pays ``due``/``weight`` parts per point, or all they have."""

    project: int
    rho: Fraction
    due: int
    weight: int


class _Purchases:
    """One round under way: what each voter has left and what was bought.

    Ballots whose voters have the same money are one class: ``wallet[group]`` is the class of a group of equal
    ballots, ``money[class]`` what each of its voters has, in parts of 1/``parts`` of a unit of money. Keeping one
    common denominator keeps every sum and comparison on plain whole numbers.
    """

    __slots__ = ("bought", "money", "order", "parts", "queue", "spent", "steps", "swept", "ties", "wallet")

    def __init__(
        self, groups: int, share: int, parts: int, queue: list[tuple[Fraction, int]], order: _Order
    ) -> None:
        self.wallet = [0] * groups
        self.money = [share]
        self.parts = parts
        self.queue = queue
        self.order = order
        self.bought: tuple[int, ...] = ()
        self.spent = 0
        self.swept = 1
        self.ties: tuple[Tie, ...] = ()
        self.steps: list[Step] = []

    def branch(self, order: _Order) -> "_Purchases":
        """The same purchases, to go on with under another order of the lot."""
        other = _Purchases(0, 0, self.parts, self.queue[:], order)
        other.wallet, other.money = self.wallet[:], self.money[:]
        other.bought, other.spent, other.swept = self.bought, self.spent, self.swept
        other.ties, other.steps = self.ties, self.steps[:]
        return other

    def sweep(self) -> None:
        """Forget the classes that nobody is in any more, and join those with the same money."""
        place: dict[int, int] = {}
        moved = {purse: place.setdefault(self.money[purse], len(place)) for purse in set(self.wallet)}
        self.wallet = [moved[purse] for purse in self.wallet]
        self.money = list(place)
        self.swept = len(place)

    def queue_again(self, offers: Iterable[_Offer]) -> None:
        for offer in offers:
            heappush(self.queue, (offer.rho, offer.project))


@dataclass(frozen=True, slots=True)
class _End:
    """One way the completion ends: the last purchases within the budget, the raise they belong to, what the
    next raise would have cost, and the ties met on the way."""

    bought: tuple[int, ...]
    order: _Order
    raised: int
    overrun: int | None
    ties: tuple[Tie, ...]


class _EqualShares:
    """Equal Shares with completion; money inside is whole numbers of the smallest unit in use, points too."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.unit = lcm(
            election.budget.denominator, *(project.cost.denominator for project in election.projects)
        )
        self.costs = [int(project.cost * self.unit) for project in election.projects]
        self.budget = int(election.budget * self.unit)
        self.voter_count = sum(election.ballots.values())
        fineness = lcm(*(points.denominator for ballot in election.ballots for _, points in ballot))
        number = {project.id: index for index, project in enumerate(election.projects)}
        found: list[dict[tuple[int, int], list[int]]] = [{} for _ in election.projects]
        for group, (ballot, cast) in enumerate(election.ballots.items()):
            for project, points in ballot:
                if points and cast:
                    found[number[project]].setdefault((int(points * fineness), cast), []).append(group)
        self.fineness = fineness
        self.groups = len(election.ballots)
        self.supporters = [
            [(points, cast, groups) for (points, cast), groups in each.items()] for each in found
        ]
        self.readers = [[_reader(groups) for _, _, groups in each] for each in self.supporters]
        self.weights = [
            sum(points * cast * len(groups) for points, cast, groups in each) for each in self.supporters
        ]
        self.free = [index for index, cost in enumerate(self.costs) if not cost and self.weights[index]]
        self.first_queue = sorted(
            (Fraction(1, weight), index)
            for index, weight in enumerate(self.weights)
            if weight and self.costs[index]
        )
        self.everything = [*self.free, *(index for _, index in self.first_queue)]
        alike: dict[str, list[int]] = {}
        for index in self.everything:
            if alternative := election.projects[index].alternative:
                alike.setdefault(alternative, []).append(index)
        self.others: dict[int, frozenset[int]] = {
            index: frozenset(group) - {index} for group in alike.values() if len(group) > 1 for index in group
        }
        # what can be spent at most, and a raise from which nobody can be emptied: no further one changes anything
        self.dearest = sum(self.costs[index] for index in self.everything if index not in self.others) + sum(
            max(self.costs[index] for index in group) for group in alike.values() if len(group) > 1
        )
        self.enough = sum(self.costs[index] for index in self.everything) // self.unit + 1
        self.followed = 0
        self.drawn: dict[int, int] = {}  # project: its place in the lot
        self.score, self.votes = scores(election), votes(election)

    def count(self, lot: Sequence[str] | None) -> Outcome:
        number = {project.id: index for index, project in enumerate(self.election.projects)}
        drawn = [number[project] for project in lot or ()]
        self.drawn = {project: place for place, project in enumerate(drawn)}
        order = frozenset((a, b) for place, a in enumerate(drawn) for b in drawn[place + 1 :])
        try:
            ends = list(self._raises(order, 0, [], ()))
        except _TooManyOrders as bound:
            return self._undecided((bound.tie,), lot)
        if len({frozenset(end.bought) for end in ends}) > 1:
            open_ties = {
                tie.tied: tie for end in reversed(ends) for tie in end.ties if tie.resolved_by is None
            }
            return self._undecided(sorted(open_ties.values(), key=lambda tie: (tie.round or 0, tie.at)), lot)
        end = ends[0]
        final = self._round(end.raised, end.order, trace=True)[0]
        ties = (*final.ties, *(tie for tie in end.ties if tie.round != end.raised))
        return Outcome(
            Rule.EQUAL_SHARES,
            tuple(self.election.projects[index].id for index in final.bought),
            self._amount(final.spent),
            tuple(tie for tie in ties if tie.resolved_by is not None),
            tuple(final.steps),
            end.raised,
            self._share(end.raised),
            None if end.overrun is None else self._amount(end.overrun),
        )

    def _undecided(self, ties: Sequence[Tie], lot: Sequence[str] | None) -> Outcome:
        if lot is not None:
            raise _not_drawn((project for tie in ties for project in tie.tied), lot)
        return Outcome(Rule.EQUAL_SHARES, None, None, tuple(ties), ())

    def _amount(self, inside: int) -> Amount:
        return exact(Fraction(inside, self.unit))

    def _share(self, raised: int) -> Fraction | None:
        return Fraction(self.election.budget) / self.voter_count + raised if self.voter_count else None

    def _raises(
        self, order: _Order, raised: int, before: list[_Purchases], met: tuple[Tie, ...]
    ) -> Iterator[_End]:
        """Every way the completion can end under ``order``, from this raise on."""
        if not self.voter_count or self.dearest <= self.budget:
            raised = int(self.election.budget) + 1  # a share above the whole budget buys all that it can
            yield from (
                _End(ends.bought, ends.order, raised, None, ends.ties) for ends in self._round(raised, order)
            )
            return
        # raises in a row that no sketch could tell of, and how many of them are borne: all, where there are so many different
        # ballots that an exact sketch is dear and the raises are few
        few = self.groups * len(self.first_queue) <= SMALL
        alone, patience = 0, 8 if few else inf
        while True:
            proven = self._proven_within(raised, _sketch)
            if proven == raised and alone >= patience:
                proven = self._proven_within(raised, _exact_sketch)
                patience = 8 if proven > raised else 2 * patience
            alone = alone + 1 if proven == raised and alone < patience else 0
            if proven > raised:
                raised, before = proven, []
            ends = self._round(raised, order)
            if any(end.spent > self.budget for end in ends):
                break
            if raised >= self.enough:  # alternatives keep it within the budget for ever
                yield from (_End(end.bought, end.order, raised, None, (*met, *end.ties)) for end in ends)
                return
            before = ends
            raised += 1
        before = before or self._round(raised - 1, order)
        for end in ends:
            ties = (*met, *end.ties)
            if end.spent <= self.budget:
                yield from self._raises(end.order, raised + 1, [end], ties)
                continue
            for kept in before:
                joined = _joined(kept.order, end.order)
                if joined is not None:
                    yield _End(kept.bought, joined, raised - 1, end.spent, (*kept.ties, *ties))

    def _proven_within(self, raised: int, sketched: "Callable[[_EqualShares, int], _Sketch | None]") -> int:
        """The first raise from ``raised`` on that is not proven, whatever the lot, to stay within the budget.

        More money for all, with the same purchases in the same order, leaves everyone with at least as much and
        makes nothing dearer. So where two raises make the same purchases, and each was at the lower raise still
        cheaper than any other project at the higher, every raise between them makes those purchases too.
        """
        sketches: dict[int, _Sketch | None] = {}

        def within(at: int) -> _Sketch | None:
            if at not in sketches:
                sketch = sketched(self, at)
                sketches[at] = sketch if sketch and sketch.spent <= self.budget else None
            return sketches[at]

        stride = 1
        low = within(raised)
        while low is not None and raised < self.enough:
            high = within(raised + stride)
            if high is not None and (stride == 1 or low.leads_to(high)):
                raised, low, stride = raised + stride, high, stride * 2
                sketches = {at: sketch for at, sketch in sketches.items() if at > raised}
            elif stride > 1:
                stride //= 2
            else:
                raised, low = raised + 1, None
        return min(raised, self.enough) if low is not None else raised

    def _round(self, raised: int, order: _Order, *, trace: bool = False) -> list[_Purchases]:
        """One whole count with every share raised by ``raised``: one end for each way its ties can fall."""
        parts = self.voter_count or 1
        share = self.budget + raised * self.unit * parts
        ends = []
        under_way = []
        for free, kept, ties in self._free(order, raised):
            start = _Purchases(self.groups, share, parts, self.first_queue[:], kept)
            start.ties = ties
            for index in free:
                start.bought = (*start.bought, index)
                self._leave(start, index)
                if trace:
                    tie = next((tie.resolved_by for tie in ties if self._id(index) in tie.tied), None)
                    start.steps.append(self._step(start, index, Decision.FUNDED, tie=tie))
            under_way.append(start)
        while under_way:
            state = under_way.pop()
            while offers := self._best(state):
                chosen, ties, (state.order, *others) = self._choose(state, offers, raised)
                state.queue_again(offers)
                for order in others:
                    self.followed += 1000 + self.groups
                    if self.followed > EXPLORATION:
                        raise _TooManyOrders(ties[-1])
                    under_way.append(state.branch(order))
                state.ties += ties
                self._buy(state, chosen, ties[-1].resolved_by if ties else None, trace=trace)
            if trace:
                self._rest(state)
            ends.append(state)
        return ends

    def _free(self, order: _Order, raised: int) -> list[tuple[list[int], _Order, tuple[Tie, ...]]]:
        """The projects with a vote that cost nothing, in each way that the lot can choose among alternatives: of those
        that exclude each other the one with most points."""
        ways: list[tuple[list[int], _Order, tuple[Tie, ...]]] = [([], order, ())]
        settled: set[int] = set()
        for index in self.free:
            if index in settled:
                continue
            group = [index, *(other for other in self.free if other in self.others.get(index, ()))]
            settled.update(group)
            most = max(self.weights[each] for each in group)
            rivals = [each for each in group if self.weights[each] == most]
            further = []
            for chosen, known, ties in ways:
                if len(rivals) > 1:
                    tie = self._tie(
                        rivals, len(chosen) + 1, "lot" if self.drawn.keys() >= {*rivals} else None, raised
                    )
                    ties = (*ties, tie)
                placings = [(first, _placing_first(known, first, rivals)) for first in rivals]
                found = [([*chosen, first], placed, ties) for first, placed in placings if placed is not None]
                self.followed += 1000 * (len(found) - 1)
                if self.followed > EXPLORATION:
                    raise _TooManyOrders(ties[-1])
                further += found
            ways = further
        return ways

    def _leave(self, state: _Purchases, bought: int) -> None:
        """The bought project's alternatives are no longer to be had."""
        if others := self.others.get(bought):
            state.queue = [entry for entry in state.queue if entry[1] not in others]
            heapify(state.queue)

    def _id(self, index: int) -> str:
        return self.election.projects[index].id

    def _best(self, state: _Purchases) -> list[_Offer]:
        """The projects that ask least of their voters now; empty when nobody can buy anything more.

        A price can only rise while money is spent, so one found earlier is a lower bound, and a project whose bound
        is above the best offer need not be looked at. One that can no longer be paid for leaves the queue.
        """
        best: list[_Offer] = []
        while state.queue and (not best or state.queue[0][0] <= best[0].rho):
            offer = self._offer(state, heappop(state.queue)[1])
            if offer is None:
                continue
            if best and offer.rho != best[0].rho:
                dearer = [offer] if offer.rho > best[0].rho else best
                state.queue_again(dearer)
                if dearer is not best:
                    continue
                best = []
            best.append(offer)
        return best

    def _offer(self, state: _Purchases, project: int) -> _Offer | None:
        """The price at which the project's voters can just pay for it: the poorest give all they have."""
        purses: Counter[tuple[int, int]] = Counter()
        for (points, cast, _), read in zip(self.supporters[project], self.readers[project], strict=True):
            for purse, groups in Counter(read(state.wallet)).items():
                purses[purse, points] += cast * groups
        money = state.money
        due = self.costs[project] * state.parts
        weight = self.weights[project]
        level = lcm(*{points for _, points in purses})
        for purse, points in sorted(purses, key=lambda each: money[each[0]] * (level // each[1])):
            if money[purse] * weight >= due * points:
                return _Offer(project, Fraction(due, weight * state.parts * self.costs[project]), due, weight)
            voters = purses[purse, points]
            due -= money[purse] * voters
            weight -= points * voters
        return None

    def _choose(
        self, state: _Purchases, offers: list[_Offer], raised: int
    ) -> tuple[_Offer, tuple[Tie, ...], list[_Order]]:
        """The offer to take, the ties felt in choosing it, and the orders of the lot to follow: first the one
        that takes this offer, then, where the lot is open, those that would take another."""
        if len(offers) == 1:
            return offers[0], (), [state.order]
        cheapest = min(self.costs[offer.project] for offer in offers)
        alike = sorted(
            (offer for offer in offers if self.costs[offer.project] == cheapest),
            key=lambda offer: (sum(later == offer.project for _, later in state.order), offer.project),
        )
        clashes = self._clashes(state, alike)
        clashing = set().union(*clashes)
        ties: tuple[Tie, ...] = ()
        orders = [state.order]
        at = len(state.bought) + 1
        free = [offer for offer in alike if offer.project not in clashing]
        if free:
            chosen = free[0]
        else:
            rivals = clashes[0]
            found = [
                (offer, order)
                for offer in alike
                if offer.project in rivals
                and (order := _placing_first(state.order, offer.project, rivals)) is not None
            ]
            chosen = found[0][0]
            orders = [order for _, order in found]
            ties = (self._tie(rivals, at, "lot" if rivals <= self.drawn.keys() else None, raised),)
        if len(alike) < len(offers):
            for rivals in self._clashes(state, offers):
                if chosen.project in rivals and any(self.costs[rival] > cheapest for rival in rivals):
                    ties = (self._tie(rivals, at, "cost", raised), *ties)
        return chosen, ties, orders

    def _clashes(self, state: _Purchases, offers: list[_Offer]) -> list[set[int]]:
        """Which of these equal offers get in each other's way, in connected sets.

        Offers whose shared voters can pay for all that they support are bought at this price in any order, unless they
        exclude each other.
        """
        rho = offers[0].rho
        asked: dict[int, int] = {}
        wanted: dict[int, list[int]] = {}
        for offer in offers:
            cost = self.costs[offer.project]
            for points, _, groups in self.supporters[offer.project]:
                for group in groups:
                    asked[group] = asked.get(group, 0) + cost * points
                    wanted.setdefault(group, []).append(offer.project)
        offered = {offer.project for offer in offers}
        clashing = [
            {project, *(self.others[project] & offered)} for project in offered if project in self.others
        ]
        clashing += [
            set(projects)
            for group, projects in wanted.items()
            if state.money[state.wallet[group]] * rho.denominator < rho.numerator * state.parts * asked[group]
        ]
        sets: list[set[int]] = []
        for joined in clashing:
            if len(joined) < 2:
                continue
            apart = []
            for other in sets:
                if joined & other:
                    joined |= other
                else:
                    apart.append(other)
            sets = [*apart, joined]
        return sorted(sets, key=min)

    def _tie(self, rivals: Iterable[int], at: int, resolved_by: str | None, raised: int) -> Tie:
        return Tie(
            tuple(self.election.projects[rival].id for rival in sorted(rivals)), at, resolved_by, raised
        )

    def _buy(self, state: _Purchases, offer: _Offer, tie: str | None, *, trace: bool) -> None:
        left = self.others.get(offer.project, frozenset()) | {offer.project}
        state.queue = [entry for entry in state.queue if entry[1] not in left]
        heapify(state.queue)
        factor = offer.weight // gcd(offer.due, offer.weight)
        due = offer.due * factor // offer.weight
        if factor > 1:
            state.parts *= factor
            state.money = [money * factor for money in state.money]
        payers = emptied = 0
        for points, cast, groups in self.supporters[offer.project]:
            moves: dict[int, int] = {}
            for group in groups:
                purse = state.wallet[group]
                if purse not in moves:
                    moves[purse] = len(state.money)
                    state.money.append(max(state.money[purse] - due * points, 0))
                if trace and state.money[purse]:
                    payers += cast
                    emptied += cast * (state.money[moves[purse]] == 0)
                state.wallet[group] = moves[purse]
        if len(state.money) > 2 * state.swept + 1000:
            state.sweep()
        state.bought = (*state.bought, offer.project)
        state.spent += self.costs[offer.project]
        if trace:
            price = Fraction(due * self.fineness, state.parts * self.unit)
            state.steps.append(
                self._step(
                    state,
                    offer.project,
                    Decision.FUNDED,
                    tie=tie,
                    price=price,
                    rho=price / self.election.projects[offer.project].cost,
                    payers=payers,
                    emptied=emptied,
                )
            )

    def _rest(self, state: _Purchases) -> None:
        """The projects that their voters could not buy, best supported first."""
        ids = [project.id for project in self.election.projects]
        rest = [index for index in range(len(ids)) if index not in state.bought]
        for index in sorted(rest, key=lambda index: (-self.score[ids[index]], self.costs[index])):
            excluded = not self.others.get(index, frozenset()).isdisjoint(state.bought)
            state.steps.append(
                self._step(state, index, Decision.EXCLUDED if excluded else Decision.TOO_LITTLE_SUPPORT)
            )

    def _step(self, state: _Purchases, index: int, decision: Decision, **paid: Any) -> Step:
        project = self.election.projects[index]
        after = self._amount(self.budget - state.spent)
        before = exact(after + project.cost) if decision is Decision.FUNDED else after
        return Step(
            len(state.steps) + 1,
            project.id,
            decision,
            self.score[project.id],
            self.votes[project.id],
            project.cost,
            before,
            after,
            **paid,
        )


_PERHAPS = 1e-300
"""Money in a sketch that may be nothing or a little; 0.0 is surely nothing."""


@dataclass(slots=True)
class _Sketch:
    """One round reckoned apart from the count: for each step what was bought, the most its rho can be, and the least that
    any other project's can. Either in floats, and only made when the error bounds leave no doubt about any step; or exactly,
    and then each rho stands with what settles a tie. So it does in floats where the rho is known exactly: a purchase that takes
    as much of everybody who voted for it costs one part in its points, at this raise and every higher one."""

    spent: int = 0
    bought: list[frozenset[int]] = field(default_factory=list)
    most: list[Any] = field(default_factory=list)
    least_other: list[Any] = field(default_factory=list)

    def leads_to(self, higher: "_Sketch") -> bool:
        return self.bought == higher.bought and all(map(lt, self.most, higher.least_other))


def _sketch(shares: _EqualShares, raised: int) -> _Sketch | None:
    """A round in floats, or None where they cannot tell what exact numbers would.

    ``error`` of a group and what is ``common`` to all bound how far its voters' money can be from the exact one,
    ``worst`` the largest of them; money of 0.0 is surely nothing. A price is where what the supporters can
    pay, a function that grows by the points of those not emptied, meets the cost; so an error in the money moves it
    by at most that error's sum over the points that surely are not emptied. Projects that may be tied are bought
    together when their shared voters surely can pay for all; otherwise there is doubt.
    """
    share = (shares.budget + raised * shares.unit * shares.voter_count) / shares.voter_count
    rounding = 1e-14 * share
    money = [share] * shares.groups
    error = [0.0] * shares.groups
    common = worst = rounding
    queue = [(float(bound) * (1 - 1e-14), project) for bound, project in shares.first_queue]
    sketch = _Sketch()
    gone = frozenset().union(*(shares.others.get(project, ()) for project in shares.free))
    queue = [entry for entry in queue if entry[1] not in gone]
    while True:
        offers: dict[int, _Estimate] = {}
        tied: set[int] = set()
        most = inf
        while queue and queue[0][0] <= most:
            bound, project = heappop(queue)
            offer = _estimate(shares, project, bound, money, error, common, worst)
            if offer is None:
                return None
            if offer.price == inf:
                continue
            offers[project] = offer
            tied = {min(offers, key=lambda each: offers[each].most)}
            most = offers[min(tied)].most
            while more := {each for each in offers.keys() - tied if offers[each].least <= most}:
                tied |= more
                most = max(offers[each].most for each in tied)
        if not offers:
            return sketch
        for project in offers.keys() - tied:
            heappush(queue, (offers[project].least, project))
        least_other: tuple[float | Fraction, int] = (queue[0][0] if queue else inf, 0)
        if len(tied) > 1 and (
            any(not tied.isdisjoint(shares.others.get(each, ())) for each in tied)
            or not _surely_paid(shares, {each: offers[each] for each in tied}, money, worst)
        ):
            cheapest = min(tied, key=lambda each: shares.costs[each])
            # when nobody is emptied rho is one part in the project's points: an exact tie, settled by the cost
            if not all(
                offers[each].full
                and shares.weights[each] == shares.weights[cheapest]
                and (each == cheapest or shares.costs[each] > shares.costs[cheapest])
                for each in tied
            ):
                return None
            for project in tied - {cheapest}:
                heappush(queue, (offers[project].least, project))
                least_other = min(least_other, (Fraction(1, shares.weights[project]), shares.costs[project]))
            tied = {cheapest}
        for project in tied:
            offer = offers[project]
            for points, _, groups in shares.supporters[project]:
                due, off = offer.price * points, offer.off * points + rounding
                if offer.full:
                    for group in groups:
                        money[group] -= due
                    common += off
                    worst += off
                    continue
                for group in groups:
                    error[group] += off
                    left = money[group] - due
                    if left > 0:
                        money[group] = left
                    else:
                        money[group] = 0.0 if left < -error[group] - common else _PERHAPS
                worst = max(worst, max(map(error.__getitem__, groups)) + common)
            sketch.spent += shares.costs[project]
        if gone := frozenset().union(*(shares.others.get(project, ()) for project in tied)):
            queue = [entry for entry in queue if entry[1] not in gone]
            heapify(queue)
        sketch.bought.append(frozenset(tied))
        only, *besides = tied
        if offers[only].full and not besides:
            sketch.most.append((Fraction(1, shares.weights[only]), shares.costs[only]))
        else:
            sketch.most.append((most, inf))
        sketch.least_other.append(least_other)


def _exact_sketch(shares: _EqualShares, raised: int) -> _Sketch | None:
    """A round in exact numbers, or None where a lot must still be drawn. Slower than one in floats, but it can tell equal
    prices from nearly equal ones: with few voters and much money they are many, and so are the raises.

    Equal offers that don't get in each other's way are bought together; of others those that cost least, else the one that
    the lot puts first.
    """
    if shares.free:
        return None
    parts = shares.voter_count
    share = shares.budget + raised * shares.unit * parts
    state = _Purchases(shares.groups, share, parts, [], frozenset())
    left = {project for _, project in shares.first_queue}
    sketch = _Sketch()

    def key(offer: _Offer) -> tuple[Fraction, int, int]:
        return offer.rho, shares.costs[offer.project], shares.drawn.get(offer.project, len(shares.drawn))

    while offers := {project: offer for project in left if (offer := shares._offer(state, project))}:
        left = set(offers)  # what can't be paid for now never can
        cheapest = min(offer.rho for offer in offers.values())
        tied = sorted((offer for offer in offers.values() if offer.rho == cheapest), key=key)
        if shares._clashes(state, tied):
            tied = [offer for offer in tied if key(offer)[1] == key(tied[0])[1]]
            if shares._clashes(state, tied):
                if not shares.drawn.keys() >= {offer.project for offer in tied}:
                    return None
                tied = tied[:1]
        bought = frozenset(offer.project for offer in tied)
        left -= bought.union(*(shares.others.get(project, ()) for project in bought))
        sketch.bought.append(bought)
        sketch.most.append(key(tied[-1]))
        sketch.least_other.append(
            min((key(offers[other]) for other in offers.keys() - bought), default=(inf,))
        )
        for project in bought:
            offer = shares._offer(state, project)
            assert offer is not None
            shares._buy(state, offer, None, trace=False)
    sketch.spent = state.spent
    return sketch


@dataclass(frozen=True, slots=True)
class _Estimate:
    """A price per point in floats, at most ``off`` from the exact one; infinite when it surely cannot be paid.
    ``least`` and ``most`` enclose the exact rho; ``full`` says that nobody is emptied by it."""

    price: float
    off: float
    least: float
    most: float
    full: bool = False


def _estimate(
    shares: _EqualShares,
    project: int,
    bound: float,
    money: list[float],
    error: list[float],
    common: float,
    worst: float,
) -> _Estimate | None:
    cost, weight = shares.costs[project], shares.weights[project]
    price = cost / weight
    parts = list(zip(shares.supporters[project], shares.readers[project], strict=True))
    purses_of = [read(money) for _, read in parts]
    if all(
        min(purses) > price * points * (1 + 1e-14) + worst
        for ((points, _, _), _), purses in zip(parts, purses_of, strict=True)
    ):
        return _enclosed(price, price * 1e-14, cost, full=True)
    total = fsum(cast * fsum(purses) for ((_, cast, _), _), purses in zip(parts, purses_of, strict=True))
    if total + weight * worst < cost * (1 - 1e-12):
        return _Estimate(inf, 0, inf, inf)
    rich = [
        (points, cast, purses, read(error))
        for ((points, cast, _), read), purses in zip(parts, purses_of, strict=True)
    ]
    price = max(price, bound * cost)
    due, left = float(cost), weight
    doubt = cost * 1e-13  # how far ``due`` can be from the exact one
    emptied = True
    while emptied:
        emptied = False
        still = []
        for points, cast, purses, errors in rich:
            line = price * points
            if min(purses) < line:
                emptied = True
                poor = [(purse, wrong) for purse, wrong in zip(purses, errors, strict=True) if purse < line]
                due -= cast * fsum(purse for purse, _ in poor)
                left -= points * cast * len(poor)
                doubt += cast * sum(wrong + common for purse, wrong in poor if purse)
                errors = [wrong for purse, wrong in zip(purses, errors, strict=True) if purse >= line]
                purses = [purse for purse in purses if purse >= line]
            if purses:
                still.append((points, cast, purses, errors))
        rich = still
        if not left:
            return _Estimate(inf, 0, inf, inf) if due > 10 * doubt else None
        price = due / left
    margin = 2 * doubt / left
    sure = 0
    for points, cast, purses, errors in rich:
        line = (price + margin) * points
        for purse, wrong in zip(purses, errors, strict=True):
            if purse - wrong - common > line:
                sure += points * cast
            else:
                doubt += cast * (wrong + common)
    if not sure or doubt / sure > margin:
        return None
    return _enclosed(price, doubt / sure, cost, full=left == sure == weight)


def _enclosed(price: float, off: float, cost: int, *, full: bool = False) -> _Estimate:
    return _Estimate(price, off, (price - off) / cost * (1 - 1e-14), (price + off) / cost * (1 + 1e-14), full)


def _surely_paid(
    shares: _EqualShares, offers: Mapping[int, _Estimate], money: list[float], worst: float
) -> bool:
    """Can every voter of two or more of these pay for all of them?"""
    asked: dict[int, float] = {}
    shared: set[int] = set()
    for project, offer in offers.items():
        for points, _, groups in shares.supporters[project]:
            due = (offer.price + offer.off) * points * (1 + 1e-13)
            for group in groups:
                if group in asked:
                    shared.add(group)
                    asked[group] += due
                else:
                    asked[group] = due
    return all(money[group] - worst > asked[group] for group in shared)


def _reader(groups: list[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Reads those places of a list at the speed of C."""
    if len(groups) == 1:
        only = groups[0]
        return lambda wallet: (wallet[only],)
    return itemgetter(*groups)


# -------------------- pabulib.py --------------------
#
# The Pabulib ``.pb`` format: reading an election that anyone may have sent, and writing ours.
#
# A ``.pb`` file is semicolon-separated text in three sections, META, PROJECTS and VOTES (Faliszewski et al.,
# "Participatory Budgeting: Data, Tools, and Analysis", IJCAI 2023; pabulib.org/format). Reading is strict about all
# that a count rests on: ``ParseError`` names the line, has a stable English ``code`` for programs and a Danish text
# for people. What the count does not rest on (a ``votes`` or ``score`` column that our own tally contradicts) becomes
# a warning. Cells are kept as they stand, so ``parse(write(file)) == file``; ``write`` gives the same bytes for the
# same election, whatever the machine, so that its SHA-256 can be published.
#
# Beside the format's own words we write these, which other readers pass over. In META: ``pot``, the key of the pot that the
# file is of (its name stands in ``subunit``), and ``pots``, the keys of all pots of the vote, parted by commas;
# ``leftover_to``, the pot that gets what the others do not use (none: it moves nowhere); ``part_funding``, 1 where the first
# project that does not fit may get what is left; ``shortlist_size``, how many go on by the rule ``shortlist``. In PROJECTS:
# ``alternative``, the same in projects that exclude each other; ``least_cost``, the smallest part of its cost that a project
# takes.
#
# A cell cannot hold a line break: other readers of the format go by lines, so it would be read as something else.

REQUIRED = (
    "description",
    "country",
    "unit",
    "instance",
    "num_projects",
    "num_votes",
    "budget",
    "vote_type",
    "rule",
    "date_begin",
    "date_end",
)

RULES = {
    "greedy": Rule.GREEDY,
    "greedy-no-skip": Rule.GREEDY_NO_SKIP,
    "greedy-threshold": Rule.GREEDY_THRESHOLD,
    "equalshares/add1": Rule.EQUAL_SHARES,
    "equalshares/add1-comparison": Rule.EQUAL_SHARES,
    "shortlist": Rule.SHORTLIST,
}
"""What a file calls its rule. ``add1-comparison`` ends with a published comparison with the greedy outcome."""

RULE_NAMES = {rule: name for name, rule in reversed(RULES.items())}
"""What we call a rule in a file."""

POT, POTS, LEFTOVER_TO = "pot", "pots", "leftover_to"
PART_FUNDING, SHORTLIST_SIZE = "part_funding", "shortlist_size"
ALTERNATIVE, LEAST_COST = "alternative", "least_cost"

_SECTIONS = ("META", "PROJECTS", "VOTES")
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:[.,][0-9]{1,9})?")
_WHOLE = re.compile(r"[0-9]{1,18}")


class VoteType(StrEnum):
    APPROVAL = "approval"
    CHOOSE_ONE = "choose-1"
    CUMULATIVE = "cumulative"
    ORDINAL = "ordinal"


class ParseError(ValueError):
    """The file cannot be counted. ``line`` starts at 1; ``code`` is stable, ``text`` is Danish."""

    def __init__(self, line: int, code: str, text: str) -> None:
        super().__init__(f"{line}: {text}")
        self.line = line
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Remark:
    line: int
    text: str


@dataclass(frozen=True)
class Pabulib:
    """A file as it stands (cells untouched) and the election it tells of."""

    meta: Mapping[str, str]
    project_fields: tuple[str, ...]
    projects: tuple[tuple[str, ...], ...]
    vote_fields: tuple[str, ...]
    votes: tuple[tuple[str, ...], ...]
    election: Election = field(compare=False, repr=False)
    remarks: tuple[Remark, ...] = field(default=(), compare=False)

    @property
    def rule(self) -> Rule | None:
        """The official rule, or None when the file names none that we know."""
        return RULES.get(self.meta["rule"].strip())

    @property
    def vote_type(self) -> VoteType:
        return VoteType(self.meta["vote_type"].strip())

    @property
    def pot(self) -> str:
        """The key of the pot that the file is of; empty where there are none."""
        return self.meta.get(POT, "").strip()

    @property
    def pots(self) -> tuple[str, ...]:
        """The keys of all pots of the vote."""
        return _listed(self.meta.get(POTS, ""))

    @property
    def leftover_to(self) -> str | None:
        """The pot that gets what the others do not use."""
        return self.meta.get(LEFTOVER_TO, "").strip() or None

    def official_winners(self) -> tuple[str, ...] | None:
        """The ids marked as selected, None when the file does not say. A mark of 2 or 3 is an award or the like."""
        if "selected" not in self.project_fields:
            return None
        place = self.project_fields.index("selected")
        return tuple(row[0].strip() for row in self.projects if row[place].strip() == "1")


def parse(data: bytes | str) -> Pabulib:
    """Read a file. Raises ParseError, and nothing else, for anything that is not an election we can count."""
    return _Reader(data).read()


def write(
    meta: Mapping[str, str],
    project_fields: Sequence[str],
    projects: Iterable[Sequence[str]],
    vote_fields: Sequence[str],
    votes: Iterable[Sequence[str]],
) -> str:
    """The text of a ``.pb`` file, in the order given. Raises ValueError for a cell with a line break or a null."""
    rows: list[Sequence[str]] = [("META",), ("key", "value"), *meta.items()]
    rows += [("PROJECTS",), project_fields, *projects, ("VOTES",), vote_fields, *votes]
    return "".join(f"{_line(row)}\n" for row in rows)


def rewrite(file: Pabulib) -> str:
    """The text of a file that was read; equal files give equal text."""
    return write(file.meta, file.project_fields, file.projects, file.vote_fields, file.votes)


def cell(text: str) -> str:
    """Free text made fit for a cell: all white space, line breaks too, becomes single spaces."""
    return " ".join(text.replace("\0", " ").split())


def number(value: Amount) -> str:
    """An amount as a file writes it: whole, or with a decimal point. Raises ValueError for one that never ends."""
    if value.denominator == 1:
        return str(int(value))
    places = next((places for places in range(1, 10) if not (value * 10**places).denominator - 1), None)
    if places is None:
        raise ValueError(f"{value} has no short decimal form")
    digits = f"{abs(int(value * 10**places)):0{places + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _line(row: Sequence[str]) -> str:
    cells = []
    for text in row:
        if "\n" in text or "\r" in text or "\0" in text:
            raise ValueError(f"a cell cannot hold a line break or a null: {text!r}")
        cells.append('"' + text.replace('"', '""') + '"' if ";" in text or '"' in text else text)
    return ";".join(cells)


class _Reader:
    def __init__(self, data: bytes | str) -> None:
        self.lines = _lines(data)
        self.meta: dict[str, str] = {}
        self.meta_line: dict[str, int] = {}
        self.header: dict[str, tuple[str, ...]] = {}
        self.rows: dict[str, list[tuple[str, ...]]] = {"PROJECTS": [], "VOTES": []}
        self.row_line: dict[str, list[int]] = {"PROJECTS": [], "VOTES": []}
        self.section_line: dict[str, int] = {}
        self.remarks: list[Remark] = []

    def read(self) -> Pabulib:
        self._split()
        self._check_meta()
        projects = self._projects()
        election = Election(
            projects,
            self._ballots(projects),
            self._meta_amount("budget") or 0,
            self._meta_amount("min_project_score_threshold"),
            self._meta_flag(PART_FUNDING),
            self._meta_whole(SHORTLIST_SIZE),
        )
        self._compare_tally(election)
        return Pabulib(
            self.meta,
            self.header["PROJECTS"],
            tuple(self.rows["PROJECTS"]),
            self.header["VOTES"],
            tuple(self.rows["VOTES"]),
            election,
            tuple(self.remarks),
        )

    def _split(self) -> None:
        """The rows of each section, each as wide as the section's header."""
        section = ""
        for line, text in enumerate(self.lines, start=1):
            if not text.strip():
                continue
            row = _cells(line, text)
            name = row[0].strip()
            if name.upper() in _SECTIONS and not any(rest.strip() for rest in row[1:]) and len(row) != 2:
                section = name.upper()
                if section in self.section_line:
                    raise ParseError(line, "section-twice", f"Afsnittet {section} står to gange.")
                if section != _SECTIONS[len(self.section_line)]:
                    raise ParseError(
                        line, "section-order", "Afsnittene skal komme som META, PROJECTS, VOTES."
                    )
                self.section_line[section] = line
            elif not section:
                raise ParseError(
                    line, "no-section", "Filen skal begynde med en linje, hvor der kun står META."
                )
            elif section not in self.header:
                self.header[section] = self._headed(line, section, row)
            elif len(row) != len(self.header[section]):
                raise ParseError(
                    line,
                    "cells",
                    f"Linjen har {len(row)} felter, men afsnittet {section} har {len(self.header[section])} kolonner.",
                )
            elif section == "META":
                if name in self.meta:
                    raise ParseError(line, "meta-twice", f"Oplysningen {name} står to gange.")
                self.meta[name] = row[1]
                self.meta_line[name] = line
            else:
                self.rows[section].append(row)
                self.row_line[section].append(line)
        for section in _SECTIONS:
            if section not in self.header:
                raise ParseError(len(self.lines), "section-missing", f"Afsnittet {section} mangler.")

    def _headed(self, line: int, section: str, row: tuple[str, ...]) -> tuple[str, ...]:
        fields = tuple(name.strip() for name in row)
        first = {"META": "key", "PROJECTS": "project_id", "VOTES": "voter_id"}[section]
        needed = {"META": "value", "PROJECTS": "cost", "VOTES": "vote"}[section]
        if fields[0] != first or needed not in fields or (section == "META" and len(fields) != 2):
            raise ParseError(
                line, "header", f"Afsnittet {section} skal have kolonnerne {first} (først) og {needed}."
            )
        if len(set(fields)) != len(fields):
            raise ParseError(line, "column-twice", f"En kolonne står to gange i afsnittet {section}.")
        return fields

    def _check_meta(self) -> None:
        for key in REQUIRED:
            if not self.meta.get(key, "").strip():
                raise ParseError(
                    self.meta_line.get(key, self.section_line["META"]), "meta-missing", f"META mangler {key}."
                )
        kind = self.meta["vote_type"].strip()
        if kind not in list(VoteType):
            raise ParseError(
                self.meta_line["vote_type"], "vote-type", f"Stemmetypen {_shown(kind)} kendes ikke."
            )
        for section, key in (("PROJECTS", "num_projects"), ("VOTES", "num_votes")):
            said, found = self._meta_whole(key), len(self.rows[section])
            if said != found:
                raise ParseError(
                    self.meta_line[key],
                    key.replace("_", "-"),
                    f"{key} er {said}, men der er {found} linjer i {section}.",
                )
        if kind == VoteType.CUMULATIVE and "points" not in self.header["VOTES"]:
            raise ParseError(
                self.section_line["VOTES"] + 1, "header", "Afsnittet VOTES mangler kolonnen points."
            )
        self._check_pots()
        if self.meta["rule"].strip() == RULE_NAMES[Rule.SHORTLIST] and not self._meta_whole(SHORTLIST_SIZE):
            raise ParseError(
                self.meta_line.get(SHORTLIST_SIZE, self.meta_line["rule"]),
                "shortlist-size",
                f"Reglen shortlist kræver, at {SHORTLIST_SIZE} siger, hvor mange der går videre (mindst 1).",
            )

    def _check_pots(self) -> None:
        """The file's own pot and the one that money moves to are among the vote's pots."""
        pots = _listed(self.meta.get(POTS, ""))
        if len(set(pots)) != len(pots):
            raise ParseError(self.meta_line[POTS], "pot-twice", f"En pulje står to gange i {POTS}.")
        for key in (POT, LEFTOVER_TO):
            named = self.meta.get(key, "").strip()
            if named and named not in pots:
                raise ParseError(
                    self.meta_line[key], "unknown-pot", f"{key} er {_shown(named)}, som ikke står i {POTS}."
                )
        if pots and not self.meta.get(POT, "").strip():
            raise ParseError(self.meta_line[POTS], "pot-missing", f"META har {POTS}, men mangler {POT}.")

    def _projects(self) -> tuple[Project, ...]:
        fields = self.header["PROJECTS"]
        cost_at = fields.index("cost")
        name_at, alternative_at, least_at = (
            fields.index(name) if name in fields else None for name in ("name", ALTERNATIVE, LEAST_COST)
        )
        seen: set[str] = set()
        projects = []
        for line, row in zip(self.row_line["PROJECTS"], self.rows["PROJECTS"], strict=True):
            project = row[0].strip()
            if not project or "," in project:
                raise ParseError(line, "project-id", "Et projekts nummer må ikke være tomt eller have komma.")
            if project in seen:
                raise ParseError(line, "project-twice", f"Projekt {_shown(project)} står to gange.")
            seen.add(project)
            cost = _amount(line, "cost", row[cost_at])
            name = row[name_at].strip() if name_at is not None else ""
            alternative = row[alternative_at].strip() if alternative_at is not None else ""
            least = None
            if least_at is not None and row[least_at].strip():
                least = _amount(line, LEAST_COST, row[least_at])
                if not 0 < least <= cost:
                    raise ParseError(
                        line, "least-cost", f"{LEAST_COST} skal være over nul og højst det, projektet koster."
                    )
            projects.append(Project(project, cost, name, alternative, least))
        return tuple(projects)

    def _ballots(self, projects: tuple[Project, ...]) -> dict[Ballot, int]:
        fields = self.header["VOTES"]
        kind = VoteType(self.meta["vote_type"].strip())
        vote_at = fields.index("vote")
        points_at = fields.index("points") if kind is VoteType.CUMULATIVE else None
        costs = {project.id: project.cost for project in projects}
        rules = _BallotRules(self, kind, len(projects))
        known: dict[tuple[str, str], Ballot] = {}
        ballots: dict[Ballot, int] = {}
        voters: set[str] = set()
        for line, row in zip(self.row_line["VOTES"], self.rows["VOTES"], strict=True):
            voter = row[0].strip()
            if not voter:
                raise ParseError(line, "voter-id", "Stemmen mangler voter_id.")
            if voter in voters:
                raise ParseError(line, "voter-twice", f"voter_id {_shown(voter)} står to gange.")
            voters.add(voter)
            vote, points = row[vote_at], row[points_at] if points_at is not None else ""
            ballot = known.get((vote, points))
            if ballot is None:
                ballot = known[vote, points] = rules.ballot(line, vote, points, costs)
            ballots[ballot] = ballots.get(ballot, 0) + 1
        return ballots

    def _compare_tally(self, election: Election) -> None:
        """The file's own ``votes`` and ``score`` columns against ours; the count never uses theirs."""
        for column, tally in (("votes", votes(election)), ("score", scores(election))):
            if column not in self.header["PROJECTS"]:
                continue
            place = self.header["PROJECTS"].index(column)
            for line, row in zip(self.row_line["PROJECTS"], self.rows["PROJECTS"], strict=True):
                ours = number(tally[row[0].strip()])
                if row[place].strip() not in ("", ours, f"{ours}.0"):
                    self.remarks.append(
                        Remark(line, f"{column} er {_shown(row[place])}, men stemmerne giver {ours}.")
                    )

    def _meta_amount(self, key: str) -> Amount | None:
        text = self.meta.get(key, "").strip()
        return _amount(self.meta_line[key], key, text) if text else None

    def _meta_flag(self, key: str) -> bool:
        text = self.meta.get(key, "").strip()
        if text not in ("", "0", "1"):
            raise ParseError(self.meta_line[key], "not-a-flag", f"{key} skal være 0 eller 1.")
        return text == "1"

    def _meta_whole(self, key: str) -> int | None:
        text = self.meta.get(key, "").strip()
        if not text:
            return None
        if not _WHOLE.fullmatch(text):
            raise ParseError(
                self.meta_line[key], "not-a-number", f"{key} skal være et helt tal, ikke {_shown(text)}."
            )
        return int(text)


class _BallotRules:
    """What one ballot may hold, by the file's own META."""

    def __init__(self, reader: _Reader, kind: VoteType, projects: int) -> None:
        self.kind = kind
        self.shortest = reader._meta_whole("min_length")
        self.longest = reader._meta_whole("max_length")
        if kind is VoteType.CHOOSE_ONE:
            self.longest = 1
        self.first_points = self.longest if self.longest is not None else projects
        limits = ("sum_cost", "points", "sum_points")
        self.least = {limit: reader._meta_amount(f"min_{limit}") for limit in limits}
        self.most = {limit: reader._meta_amount(f"max_{limit}") for limit in limits}

    def ballot(self, line: int, vote: str, points: str, costs: Mapping[str, Amount]) -> Ballot:
        named = [project.strip() for project in vote.split(",")] if vote.strip() else []
        for project in named:
            if project not in costs:
                raise ParseError(
                    line, "unknown-project", f"Stemmen nævner projekt {_shown(project)}, som ikke findes."
                )
        if len(set(named)) != len(named):
            twice = next(project for place, project in enumerate(named) if project in named[:place])
            raise ParseError(line, "same-project-twice", f"Stemmen nævner projekt {_shown(twice)} to gange.")
        if self.longest is not None and len(named) > self.longest:
            raise ParseError(
                line, "max-length", f"Stemmen nævner {len(named)} projekter; højst {self.longest} er tilladt."
            )
        if self.shortest is not None and named and len(named) < self.shortest:
            raise ParseError(
                line,
                "min-length",
                f"Stemmen nævner {len(named)} projekter; mindst {self.shortest} er krævet.",
            )
        if named:
            self._within(
                line,
                "sum_cost",
                "Projekterne på stemmen koster i alt",
                sum(costs[project] for project in named),
            )
        if self.kind is VoteType.ORDINAL:
            return ordinal(named, self.first_points)
        if self.kind is not VoteType.CUMULATIVE:
            return approval(named)
        given = [_amount(line, "points", part) for part in points.split(",")] if points.strip() else []
        if len(given) != len(named):
            raise ParseError(
                line, "points", f"Stemmen nævner {len(named)} projekter, men giver {len(given)} tal i points."
            )
        for part in given:
            self._within(line, "points", "Et projekt får point:", part)
        if named:
            self._within(line, "sum_points", "Stemmens point er i alt", sum(given))
        return cumulative(dict(zip(named, given, strict=True)))

    def _within(self, line: int, limit: str, what: str, value: Amount) -> None:
        least, most = self.least[limit], self.most[limit]
        if most is not None and value > most:
            raise ParseError(
                line, f"max-{limit.replace('_', '-')}", f"{what} {value}; højst {most} er tilladt."
            )
        if least is not None and value < least:
            raise ParseError(
                line, f"min-{limit.replace('_', '-')}", f"{what} {value}; mindst {least} er krævet."
            )


def _lines(data: bytes | str) -> list[str]:
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise ParseError(line, "encoding", "Filen skal være tekst i UTF-8.") from None
    lines = data.removeprefix("\ufeff").split("\n")
    return [line.removesuffix("\r") for line in lines]


def _cells(line: int, text: str) -> tuple[str, ...]:
    if "\0" in text:
        raise ParseError(line, "null", "Linjen har et nul-tegn.")
    if "\r" in text:
        raise ParseError(line, "line-break", "Et felt har et linjeskift.")
    if '"' not in text:
        return tuple(text.split(";"))
    try:
        return tuple(next(csv.reader([text], delimiter=";", strict=True)))
    except (csv.Error, StopIteration):
        raise ParseError(
            line, "quotes", "Anførselstegnene passer ikke sammen (et felt kan ikke have linjeskift)."
        ) from None


def _amount(line: int, what: str, text: str) -> Amount:
    """A number of at most 18 digits before and 9 after the decimal sign, not below nought."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise ParseError(line, "not-a-number", f"{what} skal være et almindeligt tal, ikke {_shown(text)}.")
    value = exact(Fraction(text.replace(",", ".")))
    if value < 0:
        raise ParseError(line, "negative", f"{what} er under nul: {_shown(text)}.")
    return value


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _shown(text: str) -> str:
    """A cell inside a message: short, and with odd characters made visible."""
    text = text.strip()
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


# -------------------- recount_command.py --------------------
#
# ``python recount.py FILE.pb``: count an election again, at home. The pots of one vote are given together where what one
# does not use moves to another: ``python recount.py nord.pb syd.pb by.pb``.
#
# Exit codes: 0 counted, 2 something is wrong with the file, the lot or what was asked for, 3 a tie decides and no
# lot has been given.

_RULE_TEXT = {
    Rule.GREEDY: "flest stemmer først; det, der ikke er råd til, springes over",
    Rule.GREEDY_NO_SKIP: "flest stemmer først; optællingen stopper ved det første, der ikke er råd til",
    Rule.GREEDY_THRESHOLD: "flest stemmer først blandt dem, der nåede mindstetallet; det, der ikke er råd til, springes over",
    Rule.EQUAL_SHARES: "lige andele (Equal Shares), fuldført ved at hæve alles andel én krone ad gangen",
    Rule.SHORTLIST: "første runde: dem med flest stemmer går videre, og alle, der står lige med den sidste",
}

_DECISION_TEXT = {
    Decision.FUNDED: "får penge",
    Decision.PART_FUNDED: "får det, der er tilbage",
    Decision.EXCLUDED: "kan ikke få penge sammen med et, der har fået",
    Decision.SHORTLISTED: "går videre",
    Decision.NOT_SHORTLISTED: "går ikke videre",
    Decision.DOES_NOT_FIT: "er der ikke råd til",
    Decision.AFTER_STOP: "kommer efter stoppet",
    Decision.BELOW_THRESHOLD: "nåede ikke mindstetallet",
    Decision.TOO_LITTLE_SUPPORT: "kunne dets vælgere ikke betale",
    Decision.UNDECIDED: "afventer lodtrækning",
}


def main(arguments: list[str] | None = None) -> int:
    """Count as asked, print, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    asked = _parser().parse_args(arguments)
    try:
        files = {name: _read(name) for name in asked.files}
        if len(files) != len(asked.files):
            raise _Refused("Den samme fil er nævnt to gange.")
        lot = None if asked.lot is None else _lot(asked.lot)
        received = dict(asked.received)
        if len(files) == 1 and not received:
            ((name, file),) = files.items()
            return _count_one(name, file, lot, asked)
        return _count_several(files, lot, received, asked)
    except (CountingError, _Refused) as error:
        print(error, file=sys.stderr)
        return 2


def _count_one(name: str, file: Pabulib, lot: list[str] | None, asked: argparse.Namespace) -> int:
    _check_all_there(file, [], {})
    rule = _rule(file, asked.rule, asked.threshold)
    election = _with_threshold(file.election, asked.threshold)
    outcome = count(election, rule, lot)
    if asked.json:
        print(json.dumps(_as_json(file, election, outcome), ensure_ascii=False, indent=1))
    else:
        _print_remarks(name, file)
        print("\n".join([*_of_which_pot(file), *_as_text(file, election, outcome)]))
    return 0 if outcome.winners is not None else 3


def _count_several(
    files: Mapping[str, Pabulib],
    lot: list[str] | None,
    received: dict[str, Amount],
    asked: argparse.Namespace,
) -> int:
    """The pots of one vote, each file one of them; ``received`` is money from pots whose ballots are not published."""
    by_pot = _by_pot(files)
    first = next(iter(by_pot.values()))
    last = first.leftover_to
    rule = _rule(first, asked.rule, asked.threshold)
    if last is not None and rule is not Rule.SHORTLIST:
        _check_all_there(first, list(by_pot), received)
    elif received:
        raise _Refused("--received hører til puljer, hvor penge går videre fra den ene til den anden.")
    elections = {pot: _with_threshold(file.election, asked.threshold) for pot, file in by_pot.items()}
    leftover_to = last if last in elections else None
    if leftover_to is not None and received:
        city = elections[leftover_to]
        elections[leftover_to] = replace(city, budget=exact(city.budget + sum(received.values())))
    counted = count_pots(elections, rule, leftover_to=leftover_to, lots=_lots_of_pots(elections, lot))
    counted = {
        pot: replace(one, received={**received, **one.received}) if pot == leftover_to else one
        for pot, one in counted.items()
    }
    if asked.json:
        print(json.dumps(_pots_as_json(files, by_pot, counted, rule), ensure_ascii=False, indent=1))
    else:
        for name, file in files.items():
            _print_remarks(name, file)
        print("\n".join(_pots_as_text(by_pot, counted)))
    return 0 if all(one.outcome and one.outcome.winners is not None for one in counted.values()) else 3


def _by_pot(files: Mapping[str, Pabulib]) -> dict[str, Pabulib]:
    """The files by the pot they are of, in the order that the vote names its pots."""
    found: dict[str, Pabulib] = {}
    first_name, first = next(iter(files.items()))
    for name, file in files.items():
        if not file.pot:
            raise _Refused(f"{name}: filen siger ikke, hvilken pulje den er. Tæl den for sig selv.")
        if file.pot in found:
            raise _Refused(f"{name}: puljen {file.pot} er også en af de andre filer.")
        for key in ("pots", "leftover_to", "rule", "description", "unit", "instance", "date_end"):
            if file.meta.get(key, "").strip() != first.meta.get(key, "").strip():
                raise _Refused(
                    f"{name} og {first_name} er ikke puljer i den samme afstemning: {key} er forskellig."
                )
        found[file.pot] = file
    return {pot: found[pot] for pot in first.pots if pot in found}


def _check_all_there(file: Pabulib, here: list[str], received: Mapping[str, Amount]) -> None:
    """Money moves to a pot: it can't be counted before it is known what every other pot leaves."""
    last, here = file.leftover_to, here or [file.pot]
    if received and last not in here:
        raise _Refused(f"--received hører til puljen {last}, og den fil er ikke givet.")
    unknown = received.keys() - (set(file.pots) - {last})
    if unknown:
        raise _Refused(
            f"--received nævner {', '.join(sorted(unknown))}, som ikke er en pulje, der giver videre."
        )
    if received.keys() & set(here):
        raise _Refused("--received nævner en pulje, hvis fil også er givet.")
    if last is None or last not in here:
        return
    missing = [pot for pot in file.pots if pot not in here and pot not in received]
    if missing:
        raise _Refused(
            f"Puljen {last} får også det, som de andre puljer ikke bruger, så de skal tælles sammen. "
            f"Der mangler: {', '.join(missing)}. Giv alle filerne på én gang, eller skriv --received PULJE=KRONER "
            "for en pulje, hvis stemmesedler ikke er offentliggjort."
        )


def _lots_of_pots(elections: Mapping[str, Election], lot: list[str] | None) -> dict[str, list[list[str]]]:
    """Numbers are each project's own in the whole vote, so one order serves all pots: each takes its own from it."""
    if lot is None:
        return {}
    ids = {pot: {project.id for project in election.projects} for pot, election in elections.items()}
    unknown = set(lot).difference(*ids.values())
    if unknown:
        raise LotError(f"Lodtrækningen nævner projekt {sorted(unknown)[0]}, som ikke findes.")
    return {pot: [own] for pot in elections if (own := [project for project in lot if project in ids[pot]])}


def _with_threshold(election: Election, threshold: int | None) -> Election:
    return election if threshold is None else replace(election, threshold=threshold)


def _print_remarks(name: str, file: Pabulib) -> None:
    for remark in file.remarks:
        print(f"{name}:{remark.line}: bemærk: {remark.text}", file=sys.stderr)


class _Refused(Exception):
    """What was asked for cannot be done; the text says why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.format_usage()}{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="recount.py",
        description="Tæller et borgerbudget op igen ud fra den offentliggjorte .pb-fil. Har afstemningen puljer, er "
        "der en fil for hver; går penge videre fra den ene til den anden, gives alle filerne på én gang. "
        "Uden --rule bruges filens egen regel. Slutkoder: 0 talt op, 2 fejl i filen eller i det, "
        "der blev bedt om, 3 stemmelighed afgør, og der skal trækkes lod.",
    )
    parser.add_argument(
        "files", metavar="FILE.pb", nargs="+", help="afstemningen i Pabulib-format, en fil for hver pulje"
    )
    parser.add_argument("--rule", choices=[str(rule) for rule in Rule], help="en anden regel end filens egen")
    parser.add_argument(
        "--threshold",
        type=_threshold,
        metavar="N",
        help="mindste antal stemmer eller point (greedy-threshold)",
    )
    parser.add_argument(
        "--lot",
        metavar="FILE",
        help="lodtrækningen: projekternes numre i den trukne rækkefølge, ét pr. linje",
    )
    parser.add_argument(
        "--received",
        metavar="PULJE=KRONER",
        type=_received,
        action="append",
        default=[],
        help="det, en pulje lod gå videre, når dens stemmesedler ikke er offentliggjort",
    )
    parser.add_argument("--json", action="store_true", help="skriv resultatet som JSON")
    return parser


def _threshold(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError("mindstetallet skal være et helt tal")
    return int(text)


def _received(text: str) -> tuple[str, Amount]:
    pot, _, amount = text.partition("=")
    if not pot.strip() or not re.fullmatch(r"[0-9]{1,18}([.,][0-9]{1,2})?", amount.strip()):
        raise argparse.ArgumentTypeError("skriv det som PULJE=KRONER, for eksempel nord=88000")
    return pot.strip(), exact(Fraction(amount.strip().replace(",", ".")))


def _read(name: str) -> Pabulib:
    try:
        data = Path(name).read_bytes()
    except (OSError, ValueError):
        raise _Refused(f"{name}: filen kan ikke læses.") from None
    try:
        return parse(data)
    except ParseError as error:
        raise _Refused(f"{name}:{error.line}: {error.text}") from None


def _rule(file: Pabulib, asked: str | None, threshold: int | None) -> Rule:
    if asked is not None:
        rule = Rule(asked)
    elif threshold is not None:
        rule = Rule.GREEDY_THRESHOLD
    elif file.rule is not None:
        rule = file.rule
    else:
        raise _Refused(
            f"Filen nævner reglen {file.meta['rule'].strip()!r}, som vi ikke kender: der er ingen kendt officiel regel. "
            f"Vælg en med --rule ({', '.join(Rule)})."
        )
    if threshold is not None and rule is not Rule.GREEDY_THRESHOLD:
        raise _Refused(f"--threshold hører til reglen greedy-threshold, ikke {rule}.")
    return rule


def _lot(name: str) -> list[str]:
    try:
        lines = Path(name).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise _Refused(f"{name}: lodtrækningen kan ikke læses som tekst i UTF-8.") from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def _number(value: Amount | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _as_json(file: Pabulib, election: Election, outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "file_rule": file.meta["rule"].strip(),
        "winners": None if outcome.winners is None else list(outcome.winners),
        "spent": _number(outcome.spent),
        "budget": _number(election.budget),
        "threshold": _number(election.threshold) if outcome.rule is Rule.GREEDY_THRESHOLD else None,
        "ballots": sum(election.ballots.values()),
        "amounts": {project: _number(amount) for project, amount in outcome.amounts.items()},
        "ties": [tie.as_dict() for tie in outcome.ties],
        "round": outcome.round,
        "steps": [_step_as_json(step) for step in outcome.steps],
        "remarks": [{"line": remark.line, "text": remark.text} for remark in file.remarks],
    }


def _pots_as_json(
    files: Mapping[str, Pabulib], by_pot: Mapping[str, Pabulib], counted: Mapping[str, PotCount], rule: Rule
) -> dict[str, Any]:
    names = {file.pot: name for name, file in files.items()}
    outcomes = [one.outcome for one in counted.values()]
    winners = [outcome.winners for outcome in outcomes if outcome and outcome.winners is not None]
    whole = len(winners) == len(outcomes)
    return {
        "rule": rule,
        "leftover_to": next(iter(by_pot.values())).leftover_to,
        "not_counted": [pot for pot in next(iter(by_pot.values())).pots if pot not in counted],
        "winners": [project for each in winners for project in each] if whole else None,
        "spent": _number(exact(sum(outcome.spent or 0 for outcome in outcomes if outcome)))
        if whole
        else None,
        "pots": [
            {
                "pot": pot,
                "name": by_pot[pot].meta.get("subunit", ""),
                "file": names[pot],
                "received": {other: _number(amount) for other, amount in one.received.items()},
                "waits_for": list(one.waits_for),
                **(
                    _as_json(by_pot[pot], one.election, one.outcome)
                    if one.outcome
                    else {"winners": None, "spent": None}
                ),
            }
            for pot, one in counted.items()
        ],
    }


def _step_as_json(step: Step) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "project": step.project,
        "decision": step.decision,
        "score": _number(step.score),
        "votes": step.votes,
        "cost": _number(step.cost),
        "before": _number(step.before),
        "after": _number(step.after),
        "tie": step.tie,
    }
    if step.rho is not None:
        entry |= {"rho": str(step.rho), "payers": step.payers, "emptied": step.emptied}
    return entry


def _pots_as_text(by_pot: Mapping[str, Pabulib], counted: Mapping[str, PotCount]) -> list[str]:
    first = next(iter(by_pot.values()))
    names = {pot: _pot_name(file) for pot, file in by_pot.items()}
    if first.leftover_to is not None and first.leftover_to in counted:
        lines = [
            f"Puljerne er talt sammen: det, de andre ikke bruger, går til {names[first.leftover_to]}, som er talt til sidst."
        ]
    else:
        lines = ["Puljerne er talt hver for sig: ingen penge går fra den ene til den anden."]
        if first.leftover_to is not None:
            lines = [
                f"Puljerne er talt hver for sig. Det, de ikke bruger, går til {first.leftover_to}, hvis fil ikke er givet."
            ]
    if missing := [pot for pot in first.pots if pot not in counted]:
        lines.append(f"Ikke talt her, fordi filen mangler: {', '.join(missing)}.")
    for pot, one in counted.items():
        lines += ["", f"=== Pulje: {names[pot]} ==="]
        for other, amount in one.received.items():
            lines.append(f"Har fået {_money(amount)} fra {names.get(other, other)}.")
        if one.outcome is None:
            waits = ", ".join(names[other] for other in one.waits_for)
            lines.append(
                f"Venter på lodtrækningen i {waits}: først da vides det, hvor meget der er i puljen."
            )
        else:
            lines += _as_text(by_pot[pot], one.election, one.outcome)
    return lines


def _of_which_pot(file: Pabulib) -> list[str]:
    """What one pot's file by itself doesn't tell."""
    if not file.pot or len(file.pots) < 2:
        return []
    lines = [f"Pulje: {_pot_name(file)}, en af {len(file.pots)}, talt for sig selv."]
    if file.leftover_to is not None:
        lines.append(f"Det, den ikke bruger, går til puljen {_printable(file.leftover_to)}.")
    return lines


def _pot_name(file: Pabulib) -> str:
    return _printable(file.meta.get("subunit", "").strip() or file.pot)


def _as_text(file: Pabulib, election: Election, outcome: Outcome) -> list[str]:
    names = {project.id: _printable(project.name) for project in election.projects}
    lines = [
        f"Regel: {outcome.rule} ({_RULE_TEXT[outcome.rule]})",
        f"Stemmesedler: {sum(election.ballots.values())}. Budget: {_money(election.budget)}.",
    ]
    if outcome.round is not None and outcome.share is not None and outcome.winners is not None:
        lines.append(
            f"Alles andel blev hævet {outcome.round} gange, til {_money(outcome.share)}. "
            + (
                "Alt, som nogen stemte på, er der råd til."
                if outcome.overrun is None
                else f"Én gang til ville have kostet {_money(outcome.overrun)}."
            )
        )
    lines.append("")
    for step in outcome.steps:
        tie = {"cost": " (stod lige: laveste pris)", "lot": " (stod lige: lodtrækning)"}.get(
            step.tie or "", ""
        )
        decision = _DECISION_TEXT[step.decision]
        if step.decision is Decision.PART_FUNDED:
            decision += f" ({_money(exact(step.before - step.after))})"
        left = "" if outcome.rule is Rule.SHORTLIST else f"; {_money(step.after)} tilbage"
        lines.append(
            f"{step.number:>4}. {_printable(step.project)} {names[step.project]}\n"
            f"      {_money(step.score)} stemmer eller point, pris {_money(step.cost)}: {decision}{tie}{left}"
        )
    lines += ["", *(_tie_text(tie) for tie in outcome.ties)]
    if outcome.winners is None:
        lines.append("Ingen vindere endnu: træk lod mellem dem, der står lige, og tæl igen med --lot.")
    else:
        shortlist = outcome.rule is Rule.SHORTLIST
        lines.append(f"{'Går videre' if shortlist else 'Vindere'}: {', '.join(outcome.winners) or 'ingen'}")
        if not shortlist:
            lines.append(f"Brugt i alt: {_money(outcome.spent or 0)}")
        official = file.official_winners()
        if official is not None and outcome.rule is file.rule:
            same = set(official) == set(outcome.winners)
            lines.append("Det er de samme som i filen." if same else f"Filen siger: {', '.join(official)}")
    return lines


def _printable(text: str) -> str:
    """A name from the file, without characters that could steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _tie_text(tie: Tie) -> str:
    settled = {
        "cost": "afgjort ved laveste pris",
        "lot": "afgjort ved lodtrækning",
        None: "der skal trækkes lod",
    }
    where = f"trin {tie.at}" if tie.round is None else f"trin {tie.at}, hævning {tie.round}"
    return f"Stod lige ({where}): {', '.join(tie.tied)}: {settled[tie.resolved_by]}."


def _money(value: Amount) -> str:
    """A number in Danish form: 158.000 and 12,5."""
    try:
        whole, _, decimals = number(value).partition(".")
    except ValueError:
        whole, _, decimals = number(Fraction(round(value * 100), 100)).partition(".")
    grouped = f"{int(whole):,}".replace(",", ".")
    return f"{grouped},{decimals}" if decimals else grouped


if __name__ == "__main__":
    sys.exit(main())
