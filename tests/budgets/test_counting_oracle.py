"""Our counting against pabutools, on generated elections: its outcomes over all tie-breakings contain ours, and given
our order it chooses ours. pabutools is slow and general; it shares no code with ours."""

from collections import Counter

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pabutools.election import (
    ApprovalBallot,
    ApprovalProfile,
    Cost_Sat,
    CumulativeBallot,
    CumulativeProfile,
    Instance,
)
from pabutools.election import Project as TheirProject
from pabutools.election.satisfaction import AdditiveSatisfaction
from pabutools.rules import exhaustion_by_budget_increase, greedy_utilitarian_welfare, method_of_equal_shares
from pabutools.tiebreaking import TieBreakingRule

from budgets.counting import Election, Project, Rule, approval, count, cumulative

EXAMPLES = 200


@st.composite
def elections(draw):
    """Up to six projects with few different costs, so that equal scores and equal prices are common."""
    ids = ["1", "2", "10", "11", "3", "9"][: draw(st.integers(3, 6))]
    costs = draw(
        st.one_of(
            st.lists(st.sampled_from([10, 20, 30]), min_size=len(ids), max_size=len(ids)),
            st.lists(st.integers(5, 60), min_size=len(ids), max_size=len(ids)),
        )
    )
    ballots = draw(
        st.lists(st.lists(st.sampled_from(ids), max_size=3, unique=True), min_size=2, max_size=10).filter(any)
    )
    budget = draw(st.integers(min(costs), max(min(costs), sum(costs) * 3 // 4)))
    return Election(
        tuple(Project(project, cost) for project, cost in zip(ids, costs, strict=True)),
        Counter(approval(ballot) for ballot in ballots),
        budget,
    )


def theirs(election):
    projects = {project.id: TheirProject(project.id, project.cost) for project in election.projects}
    instance = Instance(projects.values(), budget_limit=election.budget)
    profile = ApprovalProfile(
        [
            ApprovalBallot([projects[project] for project, _ in ballot])
            for ballot, cast in election.ballots.items()
            for _ in range(cast)
        ],
        instance=instance,
    )
    return instance, profile


def in_order(lot):
    """Lower cost first, then the lot: what our rule publishes before voting."""
    return TieBreakingRule(lambda instance, profile, project: (project.cost, lot.index(project.name)))


def named(allocation):
    return frozenset(project.name for project in allocation)


def generated(check):
    """Run ``check(election, lot)`` on at least 200 elections, the same ones every time."""

    @seed(20261120)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(election=elections(), data=st.data())
    def each(election, data):
        check(election, data.draw(st.permutations([project.id for project in election.projects])))

    each()


def test_greedy_agrees_with_pabutools():
    tally = Counter()

    def check(election, lot):
        instance, profile = theirs(election)
        every = {
            named(allocation)
            for allocation in greedy_utilitarian_welfare(
                instance, profile, sat_class=Cost_Sat, resoluteness=False, is_sat_additive=True
            )
        }
        chosen = greedy_utilitarian_welfare(
            instance, profile, sat_class=Cost_Sat, tie_breaking=in_order(lot), is_sat_additive=True
        )
        ours, undrawn = count(election, Rule.GREEDY, lot), count(election, Rule.GREEDY)
        assert frozenset(ours.winners) == named(chosen)
        assert frozenset(ours.winners) in every
        assert len(every) > 1 or undrawn.winners is not None
        assert bool(ours.ties) == (len(every) > 1)
        tally.update(elections=1, deciding=len(every) > 1, lot=undrawn.winners is None)

    generated(check)
    assert tally["elections"] >= EXAMPLES
    assert tally["deciding"] >= 50
    assert tally["lot"] >= 20


def completed(instance, profile, **asked):
    """pabutools' words for the completion that cities use."""
    return exhaustion_by_budget_increase(
        instance,
        profile,
        method_of_equal_shares,
        {"sat_class": Cost_Sat, **asked},
        budget_step=profile.num_ballots(),
        exhaustive_stop=False,
    )


def test_equal_shares_agrees_with_pabutools():
    """pabutools' irresolute completion ends everywhere as soon as it overspends anywhere, so ours is looked for
    among its irresolute outcomes of the raise that ours ended with."""
    tally = Counter()

    def check(election, lot):
        instance, profile = theirs(election)
        ours, undrawn = count(election, Rule.EQUAL_SHARES, lot), count(election, Rule.EQUAL_SHARES)
        assert frozenset(ours.winners) == named(completed(instance, profile, tie_breaking=in_order(lot)))
        raised = Instance(instance, budget_limit=election.budget + ours.round * profile.num_ballots())
        every = {
            named(allocation)
            for allocation in method_of_equal_shares(raised, profile, sat_class=Cost_Sat, resoluteness=False)
        }
        assert frozenset(ours.winners) in every
        tally.update(elections=1, deciding=len(every) > 1, lot=undrawn.winners is None)

    generated(check)
    assert tally["elections"] >= EXAMPLES
    assert tally["deciding"] >= 50
    assert tally["lot"] >= 20


def points_and_cost(instance, profile, ballot, project, precomputed):
    return ballot.get(project, 0) * project.cost


class PointsCost(AdditiveSatisfaction):
    """Points × cost: what a project is worth to a voter who spreads points."""

    def __init__(self, instance, profile, ballot):
        super().__init__(instance, profile, ballot, points_and_cost)


@settings(max_examples=100, deadline=None)
@given(
    costs=st.lists(st.integers(5, 40), min_size=3, max_size=4),
    given_points=st.lists(
        st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any), min_size=2, max_size=8
    ),
    budget=st.integers(20, 80),
)
def test_equal_shares_with_points_agrees_with_pabutools(costs, given_points, budget):
    ids = ["1", "2", "10", "9"][: len(costs)]
    cast = [
        {project: given for project, given in zip(ids, row, strict=False) if given} for row in given_points
    ]
    projects = {project: TheirProject(project, cost) for project, cost in zip(ids, costs, strict=True)}
    instance = Instance(projects.values(), budget_limit=budget)
    profile = CumulativeProfile(
        [
            CumulativeBallot({projects[project]: given for project, given in ballot.items()})
            for ballot in cast
        ],
        instance=instance,
    )
    election = Election(
        tuple(Project(project, cost) for project, cost in zip(ids, costs, strict=True)),
        Counter(cumulative(ballot) for ballot in cast),
        budget,
    )
    ours = count(election, Rule.EQUAL_SHARES, ids)
    assert frozenset(ours.winners) == named(
        exhaustion_by_budget_increase(
            instance,
            profile,
            method_of_equal_shares,
            {"sat_class": PointsCost, "tie_breaking": in_order(ids), "binary_sat": False},
            budget_step=profile.num_ballots(),
            exhaustive_stop=False,
        )
    )
