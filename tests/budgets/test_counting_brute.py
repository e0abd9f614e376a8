"""Pots, alternatives, part funding and shortlists against a count by hand (tests/budgets/brute.py) in every order of the
lot, on hundreds of small elections of each rule."""

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budgets import counting
from budgets.counting import (
    CountingError,
    Decision,
    Election,
    Project,
    Rule,
    approval,
    count,
    count_pots,
    count_with_lots,
    cumulative,
    joined_lots,
)
from tests.budgets.brute import RULES, Case, random_case

BULK = 1000


def election_of(case):
    return Election(
        tuple(Project(number, cost, "", group, least) for number, cost, group, least in case.projects),
        Counter(cumulative(ballot) for ballot in case.ballots),
        case.budget,
        case.threshold,
        case.part,
        case.size,
    )


def money(outcome, rule):
    if rule == "shortlist":
        return dict.fromkeys(outcome.winners, 0)
    assert set(outcome.amounts) == set(outcome.winners)
    assert sum(outcome.amounts.values()) == outcome.spent
    return outcome.amounts


def check(case, tally=None):
    election, rule = election_of(case), Rule(case.rule)
    by_hand = {}
    for lot in case.lots():
        outcome = count(election, rule, lot)
        wanted = case.winners(lot)
        assert money(outcome, case.rule) == wanted, lot
        by_hand[frozenset(wanted.items())] = wanted
        if case.rule.startswith("greedy"):
            below = case.threshold if case.rule == "greedy-threshold" else None
            assert [(tie.at, tie.resolved_by) for tie in outcome.ties] == case.felt_ties(lot), lot
            assert below is None or all(
                step.score >= below or step.decision is Decision.BELOW_THRESHOLD for step in outcome.steps
            )
    undrawn = count(election, rule)
    assert len(undrawn.steps) in (0, len(case.projects))
    if len(by_hand) == 1:
        assert undrawn.winners is not None
        assert not undrawn.undecided
        assert money(undrawn, case.rule) in by_hand.values()
    else:
        assert undrawn.winners is None
        assert undrawn.undecided
    lots, outcome = [], undrawn
    chance = random.Random(repr(case))
    while outcome.winners is None:
        assert len(lots) < 12
        tied = list(outcome.undecided[0].tied)
        lots.append(drawn_beside(lots, tied, chance))
        outcome = count_with_lots(election, rule, lots)
    assert money(outcome, case.rule) in by_hand.values()
    if tally is not None:
        excluded = any(step.decision is Decision.EXCLUDED for step in outcome.steps)
        part = any(step.decision is Decision.PART_FUNDED for step in outcome.steps)
        tally.update(cases=1, lot=len(by_hand) > 1, excluded=excluded, part=part, lots=len(lots) > 1)


def drawn_beside(lots, tied, chance):
    """A lot between these that says the opposite of no earlier one."""
    while True:
        lot = chance.sample(tied, len(tied))
        try:
            joined_lots([*lots, lot])
        except CountingError:
            continue
        return lot


@pytest.mark.parametrize("rule", RULES)
def test_every_order_of_the_lot_gives_what_a_count_by_hand_gives(rule):
    chance, tally = random.Random(f"bulk {rule}"), Counter()
    for _ in range(BULK):
        check(random_case(chance, rule), tally)
    assert tally["cases"] == BULK
    if rule != "shortlist":
        assert tally["lot"] > BULK // 12
        assert tally["excluded"] > BULK // 10
    if rule.startswith("greedy"):
        assert tally["part"] > BULK // 12


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), rule=st.sampled_from(RULES))
def test_any_small_election(seed, rule):
    check(random_case(random.Random(seed), rule))


def test_few_voters_and_much_money_are_counted_in_few_rounds_and_as_by_hand(monkeypatch):
    """Everyone's part is raised by one krone at a time, tens of thousands of times: what floats can't tell, because prices
    are equal, is proven in exact numbers, not counted krone by krone."""
    rounds, sketches = [], []
    count_round, sketch = counting._EqualShares._round, counting._exact_sketch
    monkeypatch.setattr(
        counting._EqualShares, "_round", lambda *a, **k: rounds.append(a) or count_round(*a, **k)
    )
    monkeypatch.setattr(counting, "_exact_sketch", lambda *a: sketches.append(a) or sketch(*a))
    chance = random.Random(4)
    for _ in range(60):
        case = random_case(chance, "equal-shares", plain=chance.random() < 0.5)
        large = Case(
            [(number, cost * 30, group, None) for number, cost, group, _least in case.projects],
            case.ballots,
            case.budget * 30,
            rule=case.rule,
        )
        lot = [project[0] for project in large.projects]
        chance.shuffle(lot)
        assert money(count(election_of(large), Rule.EQUAL_SHARES, lot), case.rule) == large.winners(lot)
    assert sketches
    costs = (15, 50, 10, 25, 10, 40, 40, 40, 35, 20, 10, 40)
    projects = tuple(Project(str(number), cost * 10_000) for number, cost in enumerate(costs))
    ballots = {approval(named.split()): 1 for named in ("0 10 6", "0 7 9", "3 4 9")}
    rounds.clear()
    outcome = count(Election(projects, ballots, 1_000_000), Rule.EQUAL_SHARES)
    assert (outcome.round, outcome.winners) == (241_666, ("0", "9", "4", "10", "3"))
    assert len(rounds) < 100


@pytest.mark.parametrize("rule", RULES)
def test_pots_are_counted_apart_and_what_is_left_moves_when_the_rules_say_so(rule):
    chance, moved, waited = random.Random(f"pots {rule}"), 0, 0
    for _ in range(BULK // 2):
        cases = {pot: random_case(chance, rule) for pot in ("nord", "by", "syd")[: chance.randint(2, 3)]}
        size, threshold, part = chance.randint(1, 4), chance.randint(0, 2), chance.random() < 0.5
        for case in cases.values():
            case.part = part and rule.startswith("greedy")
            case.threshold, case.size = threshold, size if rule == "shortlist" else None
        leftover_to = chance.choice([None, "by"])
        elections = {pot: election_of(case) for pot, case in cases.items()}
        undrawn = count_pots(elections, Rule(rule), leftover_to=leftover_to)
        assert list(undrawn) == list(cases)
        lots = {
            pot: chance.sample(ids, len(ids))
            for pot, case in cases.items()
            for ids in [[p[0] for p in case.projects]]
        }
        drawn = count_pots(
            elections, Rule(rule), leftover_to=leftover_to, lots={pot: [lot] for pot, lot in lots.items()}
        )
        by_hand = {pot: case.winners(lots[pot]) for pot, case in cases.items() if pot != leftover_to}
        left = {pot: cases[pot].budget - sum(got.values()) for pot, got in by_hand.items()}
        if leftover_to:
            more = sum(left.values()) if rule != "shortlist" else 0
            by_hand["by"] = cases["by"].with_budget(cases["by"].budget + more).winners(lots["by"])
            moved += more > 0
            assert sum(drawn["by"].received.values()) == more
            open_districts = {
                pot for pot, one in undrawn.items() if pot != "by" and one.outcome.winners is None
            }
            assert set(undrawn["by"].waits_for) == open_districts
            assert (undrawn["by"].outcome is None) == bool(open_districts)
            waited += bool(open_districts)
        assert {pot: money(one.outcome, rule) for pot, one in drawn.items()} == by_hand
        for pot, one in undrawn.items():
            if one.outcome and one.outcome.winners is not None and pot != leftover_to:
                assert money(one.outcome, rule) == by_hand[pot]
    if rule != "shortlist":
        assert moved > BULK // 10
        assert waited > BULK // 40


class TestAlternatives:
    def test_the_excluded_is_passed_over_and_does_not_stop_the_count(self):
        projects = (Project("1", 50, "", "x"), Project("2", 90, "", "x"), Project("3", 40))
        election = Election(projects, {approval("12"): 3, approval("3"): 1, approval("1"): 1}, 100)
        for rule in (Rule.GREEDY, Rule.GREEDY_NO_SKIP, Rule.EQUAL_SHARES):
            outcome = count(election, rule)
            assert set(outcome.winners) == {"1", "3"}
            assert {step.project: step.decision for step in outcome.steps}["2"] is Decision.EXCLUDED

    def test_two_that_exclude_each_other_and_stand_equal_need_a_lot_though_there_is_money_for_both(self):
        projects = (Project("1", 10, "", "x"), Project("2", 10, "", "x"))
        election = Election(projects, {approval("12"): 1}, 100)
        for rule in (Rule.GREEDY, Rule.GREEDY_NO_SKIP, Rule.EQUAL_SHARES):
            assert count(election, rule).winners is None
            assert count(election, rule, ["2", "1"]).winners == ("2",)

    def test_equal_shares_ends_though_no_raise_goes_over_the_budget(self):
        """The cheap one of two alternatives is always bought first; the dear one would have cost more than there is."""
        projects = (Project("1", 50, "", "x"), Project("2", 500_000_000, "", "x"))
        election = Election(projects, {approval("1"): 10, approval("2"): 1}, 100)
        outcome = count(election, Rule.EQUAL_SHARES)
        assert (outcome.winners, outcome.overrun) == (("1",), None)


class TestPartFunding:
    def election(self, *projects, budget=100, part=True):
        ballots = {approval([project.id]): 10 - place for place, project in enumerate(projects)}
        return Election(projects, ballots, budget, part_funding=part)

    def test_the_first_that_does_not_fit_gets_what_is_left(self):
        election = self.election(
            Project("1", 60), Project("2", 50, least=20), Project("3", 45, least=1), Project("4", 10)
        )
        outcome = count(election, Rule.GREEDY)
        assert outcome.amounts == {"1": 60, "2": 40}
        assert [step.decision for step in outcome.steps] == [
            Decision.FUNDED,
            Decision.PART_FUNDED,
            Decision.DOES_NOT_FIT,
            Decision.DOES_NOT_FIT,
        ]
        assert (outcome.spent, outcome.steps[-1].after) == (100, 0)

    def test_one_that_cannot_take_a_part_is_passed_over_or_stops_the_count(self):
        election = self.election(Project("1", 60), Project("2", 50, least=41), Project("3", 45, least=40))
        assert count(election, Rule.GREEDY).amounts == {"1": 60, "3": 40}
        assert count(election, Rule.GREEDY_NO_SKIP).amounts == {"1": 60}

    def test_only_where_the_rules_say_so(self):
        election = self.election(Project("1", 60), Project("2", 50, least=20), part=False)
        assert count(election, Rule.GREEDY).amounts == {"1": 60}
        assert count(replace(election, part_funding=True), Rule.EQUAL_SHARES) == count(
            election, Rule.EQUAL_SHARES
        )

    def test_who_gets_the_rest_may_need_a_lot(self):
        projects = (Project("1", 60, least=5), Project("2", 60, least=5))
        election = Election(projects, {approval("12"): 1}, 50, part_funding=True)
        assert count(election, Rule.GREEDY).winners is None
        assert count(election, Rule.GREEDY, ["2", "1"]).amounts == {"2": 50}


def test_lots_that_say_nothing_of_two_equals_do_not_settle_them():
    """Each was drawn in a lot of its own: which of them comes first, nobody has drawn."""
    projects = tuple(Project(number, 60) for number in "1234")
    election = Election(projects, {approval("12"): 2, approval("34"): 1}, 100)
    waiting = count_with_lots(election, Rule.GREEDY, [["1", "3"], ["2", "4"]])
    assert (waiting.winners, [tie.tied for tie in waiting.undecided]) == (None, [("1", "2")])
    settled = count_with_lots(election, Rule.GREEDY, [["1", "3"], ["2", "4"], ["2", "1"]])
    assert settled.winners == ("2",)


class TestShortlist:
    def test_all_that_stand_equal_with_the_last_go_on(self):
        projects = tuple(Project(number, 10, "", "x") for number in "1234")
        ballots = {approval("1"): 3, approval("23"): 2, approval("4"): 1}
        outcome = count(Election(projects, ballots, 5, shortlist=2), Rule.SHORTLIST)
        assert (outcome.winners, outcome.ties, outcome.spent, outcome.amounts) == (("1", "2", "3"), (), 0, {})
        assert outcome.steps[-1].decision is Decision.NOT_SHORTLISTED

    def test_the_number_must_be_known(self):
        election = Election((Project("1", 1),), {approval("1"): 1}, 1)
        with pytest.raises(CountingError, match="går videre"):
            count(election, Rule.SHORTLIST)

    def test_more_places_than_projects(self):
        election = Election((Project("1", 1),), {approval("1"): 1}, 1, shortlist=5)
        assert count(election, Rule.SHORTLIST).winners == ("1",)


@pytest.mark.parametrize(
    "changes",
    [
        {"projects": (Project("1", 10, least=11),)},
        {"projects": (Project("1", 10, least=0),)},
        {"projects": (Project("1", 10, least=Fraction(-1, 2)),)},
        {"shortlist": 0},
    ],
)
def test_an_election_refuses_nonsense(changes):
    with pytest.raises(CountingError):
        Election(**{"projects": (Project("1", 10),), "ballots": {}, "budget": 10} | changes)


def test_the_pot_that_gets_what_is_left_must_be_there():
    with pytest.raises(CountingError, match="by"):
        count_pots({"nord": Election((), {}, 1)}, Rule.GREEDY, leftover_to="by")


def test_a_case_by_hand_knows_its_own_rule():
    """The count by hand itself, on an election reckoned on paper."""
    projects = [("1", 6, "x", None), ("2", 5, "x", None), ("3", 7, "", 2)]
    ballots = [{"1": 1, "2": 1}, {"1": 1, "3": 1}, {"1": 1}, {"2": 1}]
    case = Case(projects, ballots, 10, rule="greedy", part=True)
    assert case.winners(["1", "2", "3"]) == {"1": 6, "3": 4}
    assert Case(projects, ballots, 10, rule="shortlist", size=1).winners([]) == {"1": 0}
