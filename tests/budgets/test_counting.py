"""The rules on small elections, ties by brute force, and the real elections that shared data holds."""

import time
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from budgets import counting, pabulib
from budgets.counting import (
    CountingError,
    Decision,
    Election,
    LotError,
    Project,
    Rule,
    approval,
    compare,
    count,
    cumulative,
    ordinal,
    scores,
    votes,
)
from tests.patience import seconds_here

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "pabulib"
real_elections = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real elections (../shared/data) are not here"
)


def election(costs, ballots, budget, threshold=None, shortlist=None):
    """``costs`` by id; ``ballots`` as {"a b": how many}."""
    return Election(
        tuple(Project(project, cost) for project, cost in costs.items()),
        {approval(named.split()): cast for named, cast in ballots.items()},
        budget,
        threshold,
        shortlist=shortlist,
    )


def decisions(outcome):
    return {step.project: step.decision for step in outcome.steps}


class TestGreedy:
    costs = {"a": 60, "b": 50, "c": 40}
    ballots = {"a b": 3, "a": 2, "b c": 1, "c": 1}

    def test_skips_what_no_longer_fits(self):
        outcome = count(election(self.costs, self.ballots, 100), Rule.GREEDY)
        assert outcome.winners == ("a", "c")
        assert outcome.spent == 100
        assert decisions(outcome) == {
            "a": Decision.FUNDED,
            "b": Decision.DOES_NOT_FIT,
            "c": Decision.FUNDED,
        }
        assert [(step.before, step.after) for step in outcome.steps] == [(100, 40), (40, 40), (40, 0)]

    def test_stops_at_the_first_that_does_not_fit(self):
        outcome = count(election(self.costs, self.ballots, 100), Rule.GREEDY_NO_SKIP)
        assert outcome.winners == ("a",)
        assert decisions(outcome)["c"] is Decision.AFTER_STOP

    def test_threshold_leaves_out_those_below(self):
        outcome = count(election(self.costs, self.ballots, 100, threshold=3), Rule.GREEDY_THRESHOLD)
        assert outcome.winners == ("a",)
        assert decisions(outcome)["c"] is Decision.BELOW_THRESHOLD

    def test_threshold_must_be_known(self):
        with pytest.raises(CountingError, match="greedy-threshold"):
            count(election(self.costs, self.ballots, 100), Rule.GREEDY_THRESHOLD)

    def test_fractions_of_a_krone_count(self):
        third = Fraction(100, 3)
        outcome = count(election({"a": third, "b": third, "c": third}, {"a b c": 1}, 100), Rule.GREEDY)
        assert outcome.winners is not None
        assert outcome.spent == 100

    def test_nothing_to_count(self):
        for rule in (Rule.GREEDY, Rule.GREEDY_NO_SKIP, Rule.EQUAL_SHARES):
            outcome = count(Election((), {}, 0), rule)
            assert (outcome.winners, outcome.spent, outcome.ties) == ((), 0, ())


class TestTies:
    def test_lower_cost_first(self):
        outcome = count(election({"a": 60, "b": 50}, {"a b": 2}, 100), Rule.GREEDY)
        assert outcome.winners == ("b",)
        assert [tie.as_dict() for tie in outcome.ties] == [
            {"tied": ["b", "a"], "at": 1, "resolved_by": "cost"}
        ]

    def test_the_lot_decides_between_equal_costs(self):
        tied = election({"a": 60, "b": 60, "c": 10}, {"a b": 2, "c": 3}, 100)
        outcome = count(tied, Rule.GREEDY)
        assert outcome.winners is None
        assert outcome.spent is None
        assert [tie.as_dict() for tie in outcome.undecided] == [
            {"tied": ["a", "b"], "at": 2, "resolved_by": None}
        ]
        assert count(tied, Rule.GREEDY, ["b", "a"]).winners == ("c", "b")
        assert count(tied, Rule.GREEDY, ["a", "b"]).winners == ("c", "a")
        assert count(tied, Rule.GREEDY, ["a", "b"]).ties[0].resolved_by == "lot"

    def test_a_tie_that_changes_nothing_does_not_stop(self):
        for budget in (200, 59):
            outcome = count(election({"a": 60, "b": 60}, {"a b": 2}, budget), Rule.GREEDY)
            assert outcome.ties == ()
            assert outcome.winners == (("a", "b") if budget == 200 else ())

    def test_every_undrawn_tie_is_told_at_once(self):
        costs = {"a": 60, "b": 60, "c": 20, "d": 20}
        outcome = count(election(costs, {"a b": 2, "c d": 1}, 90), Rule.GREEDY)
        assert [tie.tied for tie in outcome.undecided] == [("a", "b"), ("c", "d")]

    def test_a_lot_must_fit(self):
        tied = election({"a": 60, "b": 60}, {"a b": 2}, 100)
        for lot, about in ((["a"], "mangler projekt b"), (["a", "x"], "x"), (["a", "b", "a"], "to gange")):
            for rule in (Rule.GREEDY, Rule.EQUAL_SHARES):
                with pytest.raises(LotError, match=about):
                    count(tied, rule, lot)


@st.composite
def small_elections(draw):
    """Few costs and few voters, so that ties abound."""
    ids = "abcde"[: draw(st.integers(2, 5))]
    costs = {project: draw(st.sampled_from([1, 2, 3, 4, 6])) for project in ids}
    ballots = draw(st.lists(st.sets(st.sampled_from(ids)), min_size=1, max_size=6))
    budget = draw(st.integers(1, sum(costs.values())))
    cast: dict[str, int] = {}
    for named in ballots:
        key = " ".join(sorted(named))
        cast[key] = cast.get(key, 0) + draw(st.integers(1, 2))
    return election(costs, cast, budget, threshold=draw(st.integers(0, 3)), shortlist=draw(st.integers(1, 4)))


@pytest.mark.parametrize("rule", list(Rule))
@settings(max_examples=300, deadline=None)
@given(drawn=small_elections())
def test_winners_are_open_exactly_when_orders_of_the_lot_differ(rule, drawn):
    """Every full order of the lot is tried: the answer without a lot must say whether they agree."""
    ids = [project.id for project in drawn.projects]
    by_lot = {frozenset(count(drawn, rule, lot).winners) for lot in permutations(ids)}
    undrawn = count(drawn, rule)
    if len(by_lot) == 1:
        assert undrawn.winners is not None
        assert frozenset(undrawn.winners) in by_lot
        assert not undrawn.undecided
    else:
        assert undrawn.winners is None
        assert undrawn.undecided


class TestEqualShares:
    def test_a_minority_gets_its_share(self):
        """Greedy gives all to the majority's projects; Equal Shares leaves the minority its part."""
        drawn = election({"a": 49, "b": 51, "c": 50, "d": 50}, {"a b": 6, "c": 4}, 100)
        assert count(drawn, Rule.GREEDY).winners == ("a", "b")
        assert count(drawn, Rule.EQUAL_SHARES).winners == ("a", "c")

    def test_says_how_each_was_paid(self):
        outcome = count(
            election({"a": 60, "b": 30, "c": 50}, {"a": 6, "b": 3, "c": 1}, 100), Rule.EQUAL_SHARES
        )
        first = outcome.steps[0]
        assert (first.project, first.price, first.payers, first.emptied) == ("a", Fraction(10), 6, 0)
        assert first.rho == Fraction(1, 6)
        assert (outcome.round, outcome.share, outcome.overrun) == (39, 49, 140)

    def test_of_free_alternatives_with_as_many_votes_the_lot_chooses(self):
        projects = (Project("1", 0, "", "a"), Project("2", 0, "", "a"), Project("3", 5))
        election = Election(projects, {approval(["1", "2", "3"]): 3}, 10)
        assert count(election, Rule.EQUAL_SHARES).winners is None
        assert count(election, Rule.EQUAL_SHARES, ["2", "1"]).winners == ("2", "3")

    def test_free_projects_with_a_vote_are_funded(self):
        outcome = count(election({"a": 0, "b": 0, "c": 5}, {"a c": 1, "c": 1}, 5), Rule.EQUAL_SHARES)
        assert outcome.winners == ("a", "c")

    def test_all_that_has_a_vote_when_there_is_money(self):
        outcome = count(election({"a": 10, "b": 20, "c": 5}, {"a": 5, "b": 1}, 1_000_000), Rule.EQUAL_SHARES)
        assert set(outcome.winners) == {"a", "b"}
        assert outcome.overrun is None

    def test_points_weigh(self):
        projects = (Project("a", 10), Project("b", 10))
        pointed = {cumulative({"a": 3, "b": 1}): 2, cumulative({"b": 1}): 1}
        plain = {approval("ab"): 2, approval("b"): 1}
        assert count(Election(projects, pointed, 15), Rule.EQUAL_SHARES).winners == ("a",)
        assert count(Election(projects, plain, 15), Rule.EQUAL_SHARES).winners == ("b",)


@st.composite
def busy_elections(draw):
    """Many projects and voters, so that the completion takes many raises and many voters are emptied."""
    chance = draw(st.randoms(use_true_random=False))
    ids = [str(project) for project in range(draw(st.integers(4, 14)))]
    costs = {project: chance.choice([20, 50, chance.randint(10, 400)]) for project in ids}
    ballots: dict[str, int] = {}
    for _ in range(draw(st.integers(5, 40))):
        named = " ".join(sorted(chance.sample(ids, chance.randint(0, 4))))
        ballots[named] = ballots.get(named, 0) + chance.randint(1, 3)
    return election(costs, ballots, chance.randint(50, max(60, sum(costs.values()))))


@settings(max_examples=200, deadline=None)
@given(drawn=busy_elections())
def test_sketching_raises_changes_nothing(drawn):
    """The same outcome in every detail when each raise is counted exactly."""
    sketched = count(drawn, Rule.EQUAL_SHARES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_sketch", lambda shares, raised: None)
        assert count(drawn, Rule.EQUAL_SHARES) == sketched


@settings(max_examples=200, deadline=None)
@given(drawn=busy_elections(), raised=st.integers(0, 60))
def test_a_sketch_buys_what_the_exact_count_buys(drawn, raised):
    shares = counting._EqualShares(drawn)
    sketch = counting._sketch(shares, raised) if shares.voter_count else None
    if sketch is not None:
        exactly = shares._round(raised, frozenset())
        assert {frozenset(end.bought) for end in exactly} == {frozenset().union(*sketch.bought)}
        assert {end.spent for end in exactly} == {sketch.spent}


# At 24 the dearer "10" can be paid for and asks less than "8"; from 28 it asks exactly as much and costs more. So 23 and 28
# make the same purchases, and what lies between them does not.
DEARER_BETWEEN = election(
    {str(project): 20 for project in range(14)} | {"6": 50, "10": 50},
    {"0 10 8": 1, "": 15, "0": 2, "0 10": 1, "1": 1, "0 6 8": 1, "0 6": 2},
    110,
)
# The same with one that "1" excludes.
ALTERNATIVE_BETWEEN = Election(
    (
        Project("0", 30, "", "y"),
        Project("1", 54, "", "x"),
        Project("2", 60, "", "y"),
        Project("3", 30, "", "x"),
    ),
    {
        (): 5,
        cumulative({"0": 3, "1": 2, "2": 3, "3": 3}): 1,
        cumulative({"0": 2, "1": 2, "3": 1}): 1,
        cumulative({"1": 1, "2": 1}): 2,
        cumulative({"2": 1, "3": 2}): 1,
    },
    150,
)


def test_a_raise_between_two_alike_is_not_jumped_over():
    outcome = count(DEARER_BETWEEN, Rule.EQUAL_SHARES)
    assert (outcome.winners, outcome.round, outcome.overrun) == (("0", "6", "8", "1"), 23, 140)


@st.composite
def close_elections(draw):
    """Few voters, few prices and some alternatives: equal and nearly equal offers at every raise."""
    chance = draw(st.randoms(use_true_random=False))
    ids = [str(project) for project in range(draw(st.integers(3, 8)))]
    price = chance.choice([10, 12, 20, 30])
    prices = [price, price, 2 * price, price + chance.randint(1, 40), chance.randint(5, 90)]
    projects = [Project(each, chance.choice(prices), "", chance.choice(["", "", "x", "y"])) for each in ids]
    most = draw(st.sampled_from([1, 3]))
    ballots = Counter({(): chance.choice([0, 0, 5, 15])})
    for _ in range(draw(st.integers(2, 9))):
        named = sorted(chance.sample(ids, chance.randint(1, min(4, len(ids)))))
        ballots[tuple((each, chance.randint(1, most)) for each in named)] += chance.choice([1, 1, 2])
    return Election(tuple(projects), dict(ballots), chance.randint(20, sum(each.cost for each in projects)))


@pytest.mark.parametrize("sketched", [counting._sketch, counting._exact_sketch])
@settings(max_examples=40, deadline=None)
@example(drawn=DEARER_BETWEEN, lot=Random(1))
@example(drawn=ALTERNATIVE_BETWEEN, lot=Random(1))
@given(drawn=close_elections(), lot=st.randoms(use_true_random=False))
def test_what_one_raise_leads_to_is_bought_by_all_between(sketched, drawn, lot):
    """However two raises are chosen, not only the pairs that a count happens to compare."""
    shares = counting._EqualShares(drawn)
    order = list(range(len(drawn.projects)))
    lot.shuffle(order)
    shares.drawn = {project: place for place, project in enumerate(order)}
    raises = range(40)
    sketches = [sketched(shares, raised) for raised in raises]
    before = frozenset(combinations(order, 2))
    bought = [{frozenset(end.bought) for end in shares._round(raised, before)} for raised in raises]
    for low, high in combinations(raises, 2):
        if sketches[low] and sketches[high] and sketches[low].leads_to(sketches[high]):
            assert all(bought[between] == bought[low] for between in range(low, high))


def test_scores_by_kind_of_ballot():
    projects = (Project("a", 1), Project("b", 1), Project("c", 1))
    ranked = Election(projects, {ordinal(["b", "a"], 3): 2, ordinal(["c"], 3): 1}, 1)
    assert scores(ranked) == {"a": 4, "b": 6, "c": 3}
    assert votes(ranked) == {"a": 2, "b": 2, "c": 1}
    assert scores(Election(projects, {cumulative({"a": Fraction(1, 2)}): 4}, 1))["a"] == 2


def test_an_election_refuses_nonsense():
    for projects, ballots, budget in (
        ([("a", 1), ("a", 2)], [], 1),
        ([("a", -1)], [], 1),
        ([("a", 1)], [], -1),
        ([("a", 1)], [approval(["x"])], 1),
        ([("a", 1)], [approval(["a", "a"])], 1),
        ([("a", 1)], [cumulative({"a": -1})], 1),
    ):
        with pytest.raises(CountingError):
            Election(tuple(Project(*each) for each in projects), dict.fromkeys(ballots, 1), budget)


def test_comparing_two_rules():
    drawn = election({"a": 49, "b": 51, "c": 50}, {"a b": 6, "c": 4}, 100)
    compared = compare(drawn, Rule.GREEDY, Rule.EQUAL_SHARES)
    assert (compared.both, compared.only_first, compared.only_second) == (("a",), ("b",), ("c",))


def _with_official_winners():
    for path in sorted(REAL.glob("*.pb")):
        if (
            "selected"
            in path.read_text(encoding="utf-8").split("VOTES")[0].split("PROJECTS")[1].splitlines()[1]
        ):
            yield path.name


@real_elections
@pytest.mark.parametrize("name", list(_with_official_winners()) if REAL.is_dir() else ["none"])
def test_real_elections_have_their_official_winners(name):
    file = pabulib.parse((REAL / name).read_bytes())
    outcome = count(file.election, file.rule)
    assert set(outcome.winners) == set(file.official_winners())


@real_elections
@pytest.mark.parametrize("name", ["Poland_Katowice_2025.pb", "Poland_Wieliczka_2023_Green_Budget.pb"])
def test_real_elections_are_counted_in_two_seconds(name):
    started = time.process_time()
    file = pabulib.parse((REAL / name).read_bytes())
    count(file.election, file.rule)
    assert time.process_time() - started < seconds_here(2)
