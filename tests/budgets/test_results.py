"""Counting a sealed round, the lot, the council's decision, and what the result page is given."""

import itertools
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import PopulationFigure
from accounts.verdict import Refused
from budgets import actions, ballots, results
from budgets.models import CountedBallot, Lot, ProjectDecision, Round
from budgets.results import SMALLEST_SHOWN, hide_small
from participation import clock
from participation.choices import Status
from tests.accounts.factories import make_district
from tests.budgets.factories import make_project, make_round, make_staff, make_voter, put_in, seal, vote

pytestmark = pytest.mark.django_db


def refused(call, **kwargs):
    with pytest.raises(Refused) as caught:
        call(**kwargs)
    assert caught.value.reason
    return caught.value.code


def counted(round):
    round = seal(round)
    return actions.count_round(round=round, by=round.process.owner)


def record(round, order, **fields):
    return actions.record_lot(
        round=round,
        **{
            "by": round.process.owner,
            "order": order,
            "drawn_at": clock.now(),
            "how": "Kugler i en pose",
            "witnesses": "Borgmesteren og to borgere",
        }
        | fields,
    )


def test_the_count_follows_the_published_rule_and_is_compared_with_the_other():
    round = make_round([300_000, 250_000, 200_000])
    vote(round, "1", times=4)
    vote(round, "2", times=3)
    vote(round, "3", "2", times=2)
    count = counted(round)
    assert count.winners == ["2", "3"]
    assert count.spent == 450_000
    assert count.comparison == {}
    assert actions.compare_count(count=count).comparison["rule"] == "equal-shares"
    assert Round.objects.get().state == Round.State.COUNTED
    result = results.result_for(round.process)
    assert [row.number for row in result.projects] == ["2", "1", "3"]
    assert [row.won for row in result.projects] == [True, False, True]
    assert (result.projects[0].votes, result.projects[0].share) == (5, 1.0)
    assert (result.spent, result.left) == (450_000, 50_000)
    assert all(row.why for row in result.projects)
    assert result.compared


def test_a_minimum_of_votes_is_a_rule_of_its_own():
    round = make_round([100_000, 100_000], min_votes=3)
    vote(round, "1", times=3)
    vote(round, "2", times=2)
    count = counted(round)
    assert (count.rule, count.winners) == ("greedy-threshold", ["1"])


@pytest.mark.parametrize("rule", ["greedy", "greedy-no-skip", "equal-shares"])
def test_every_rule_gives_a_result(rule):
    round = make_round([300_000, 250_000, 100_000], counting_rule=rule)
    vote(round, "1", "2", times=3)
    vote(round, "2", "3", times=2)
    assert counted(round).winners is not None
    assert results.result_for(round.process).rule_text


def test_voting_rounds_are_not_counted_and_have_no_result():
    round = make_round()
    assert refused(actions.count_round, round=round, by=None) == "not_sealed"
    assert results.result_for(round.process) is None


def test_a_tie_that_decides_waits_for_its_lot():
    round = make_round([300_000, 300_000, 100_000])
    vote(round, "1", times=2)
    vote(round, "2", times=2)
    vote(round, "3", times=1)
    count = counted(round)
    round = count.round
    assert count.winners is None
    assert Round.objects.get().state == Round.State.SEALED
    result = results.result_for(round.process)
    assert [row.number for row in result.waiting_for_lot] == ["1", "2"]
    assert [row.won for row in result.projects] == [None] * 3

    staff = make_staff()
    assert refused(record, round=round, order=["2", "1"], by=staff) == "other_unit"
    for order in (["2"], ["2", "2"], ["2", "1", "3"], ["2", "x"], []):
        assert refused(record, round=round, order=order) == "lot_order"
    early = Round.objects.get().sealed_at - timedelta(minutes=1)
    assert refused(record, round=round, order=["2", "1"], drawn_at=early) == "lot_time"
    late = clock.now() + timedelta(hours=1)
    assert refused(record, round=round, order=["2", "1"], drawn_at=late) == "lot_time"
    assert refused(record, round=round, order=["2", "1"], witnesses=" ") == "lot_incomplete"
    assert refused(record, round=round, order=["2", "1"], how="") == "lot_incomplete"
    assert not Lot.objects.exists()

    count = record(round, ["2", "1"])
    assert count.winners == ["2", "3"]
    assert Round.objects.get().state == Round.State.COUNTED
    assert refused(record, round=round, order=["1", "2"]) == "no_tie"
    result = results.result_for(round.process)
    assert result.lots[0].witnesses == "Borgmesteren og to borgere"
    assert "lot" in result.ties[0] or "lod" in result.ties[0]


def test_one_tie_after_another_each_gets_its_lot():
    round = make_round(
        [200_000, 200_000, 200_000, 100_000, 100_000, 100_000], total=700_000, max_cost=200_000
    )
    for number in ("1", "2"):
        vote(round, number, times=3)
    vote(round, "3", times=3)
    for number in ("4", "5", "6"):
        vote(round, number, times=1)
    count = counted(round)  # 600.000 for the first three, then room for one of three
    assert results.waiting_for_lots(count) == {"": ["4", "5", "6"]}
    assert record(count.round, ["6", "4", "5"]).winners == ["1", "2", "3", "6"]


def test_a_second_tie_is_asked_for_after_the_first_lot():
    round = make_round([200_000, 200_000, 100_000, 100_000], total=300_000, max_cost=200_000)
    vote(round, "1", times=2)
    vote(round, "2", times=2)
    vote(round, "3", times=1)
    vote(round, "4", times=1)
    count = counted(round)
    assert results.waiting_for_lots(count) == {"": ["1", "2"]}
    count = record(count.round, ["2", "1"])
    assert count.winners is None
    assert results.waiting_for_lots(count) == {"": ["3", "4"]}
    assert [step["project"] for step in count.outcome["pots"][0]["steps"]][:2] == ["2", "1"]
    assert record(count.round, ["4", "3"]).winners == ["2", "4"]


def test_only_the_own_unit_counts():
    round = seal(make_round())
    for by in (make_staff(), make_voter(), make_staff("polling_officer")):
        assert refused(actions.count_round, round=round, by=by) in {"other_unit", "role"}


def test_a_tracker_can_be_looked_up_only_after_sealing():
    round = make_round()
    code = ballots.new_tracker()
    actions.cast_ballot(round=round, by=make_voter(), choices=[("1", 1)], tracker=code)
    vote(round, "2")
    assert not results.tracker_counted(round, code)
    round = seal(round)
    assert results.tracker_counted(round, code.lower())
    for other in ("", " ", ballots.new_tracker(), "x" * 10_000):
        assert not results.tracker_counted(round, other)
    assert CountedBallot.objects.filter(tracker="").count() == 1


def test_the_council_may_decide_otherwise_only_with_a_reason():
    round = make_round([300_000, 200_000, 100_000])
    vote(round, "1", times=3)
    vote(round, "2", times=2)
    vote(round, "3")
    counted(round)
    process = round.process
    as_voted = [{"project": n, "funded": n != "3"} for n in ("1", "2", "3")]

    def decide(decisions, by=process.owner):
        return actions.decide_projects(process=process, by=by, decisions=decisions)

    assert refused(decide, decisions=as_voted) == "not_closed"
    put_in(process, Status.CLOSED)
    assert refused(decide, decisions=as_voted, by=make_staff()) == "other_unit"
    assert refused(decide, decisions=as_voted[:2]) == "not_all_decided"
    assert refused(decide, decisions=[*as_voted, as_voted[0]]) == "not_all_decided"
    assert refused(decide, decisions=[*as_voted[:2], {"project": "9", "funded": True}]) == "unknown_project"
    otherwise = [{"project": "1", "funded": False, "reason": " "}, *as_voted[1:]]
    assert refused(decide, decisions=otherwise) == "reason_missing"
    assert not ProjectDecision.objects.exists()
    otherwise[0]["reason"] = "Grunden er forurenet."
    decide(otherwise)
    result = results.result_for(process)
    assert [row.number for row in result.differs] == ["1"]
    assert result.differs[0].council_reason == "Grunden er forurenet."
    decide(as_voted)
    assert results.result_for(process).differs == ()
    assert results.result_for(process).projects[0].amount == 300_000


def test_the_table_itself_refuses_a_decision_without_its_reason():
    project = make_project(make_round().process)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectDecision.objects.create(project=project, funded=True, voted_in=False, reason="")


def test_turnout_hides_small_numbers_and_knows_the_population():
    north, south, west = (make_district(name=name) for name in ("Nord", "Syd", "Vest"))
    for district in (north, south, west):
        for age in range(100):
            PopulationFigure.objects.create(district=district, sex="F", age=age, people=10, source="FOLK1A")
    round = make_round()
    today = clock.today()
    for district, age, times in ((north, 30, 6), (south, 30, 5), (west, 50, 1), (north, 70, 4)):
        for _ in range(times):
            voter = make_voter(school_district=district, birth_date=today - timedelta(days=int(age * 365.3)))
            actions.cast_ballot(round=round, by=voter, choices=[("1", 1)], tracker=None)
    seal(round)
    result = results.result_for(round.process)
    districts = {cell.label: cell.voters for cell in result.by_district}
    assert districts == {"Nord": 10, "Syd": None, "Vest": None}
    assert result.by_district[0].people == 850
    assert result.by_district[0].share == 10 / 850
    ages = {cell.label: cell.voters for cell in result.by_age}
    assert 11 in ages.values()
    assert not any(voters is not None and voters < SMALLEST_SHOWN for voters in ages.values())


def test_queries_do_not_grow_with_projects():
    def queries(projects):
        round = make_round([10_000] * projects)
        vote(round, "1", times=3)
        count = counted(round)
        actions.compare_count(count=count)
        with CaptureQueriesContext(connection) as captured:
            assert len(results.result_for(round.process).projects) == projects
        return len(captured)

    assert queries(10) == queries(100) <= 9


tables = st.lists(st.integers(0, 12), min_size=1, max_size=7)


@given(tables)
@settings(max_examples=500, deadline=None)
def test_small_numbers_never_show(counts):
    shown = hide_small(counts)
    assert all(number is None or number >= SMALLEST_SHOWN for number in shown)
    assert all(number is None or number == count for number, count in zip(shown, counts, strict=True))
    if all(count >= SMALLEST_SHOWN for count in counts):
        assert shown == list(counts)
    assert sum(number is None for number in shown) != 1 or len(counts) == 1


def possible(shown, total, known_to):
    """Every table that gives the same page, for someone who knows the total and how numbers are hidden."""
    hidden = [place for place, number in enumerate(shown) if number is None]
    rest = total - sum(number for number in shown if number is not None)
    for values in itertools.product(range(rest + 1), repeat=len(hidden) - 1):
        last = rest - sum(values)
        if last < 0:
            continue
        table = list(shown)
        for place, value in zip(hidden, (*values, last), strict=True):
            table[place] = value
        if known_to(table):
            yield tuple(table)


@given(st.lists(st.integers(0, 8), min_size=2, max_size=5))
@settings(max_examples=300, deadline=None)
def test_no_hidden_number_can_be_worked_out_even_by_who_knows_the_method(counts):
    shown = hide_small(counts)
    hidden = [place for place, number in enumerate(shown) if number is None]
    if not hidden or sum(counts) == 0:
        return
    tables = list(possible(shown, sum(counts), lambda table: hide_small(table) == shown))
    assert tuple(counts) in tables
    for place in hidden:
        assert len({table[place] for table in tables}) > 1, (counts, shown)
