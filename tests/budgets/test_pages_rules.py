"""The rules in plain words come from the settings, and the worked example from the count itself."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client

from accounts.models import EligibilityRule
from budgets import sections
from budgets.counting import Election, Project, Rule, approval, count
from participation import clock
from tests.accounts.factories import make_district
from tests.budgets import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


POINTS = {"ballot_type": "cumulative", "points": 10}


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.SHORTLIST])
def test_the_example_says_what_each_rule_does(rule: Rule) -> None:
    shown = sections.example(rule, with_points=False)
    won = {str(row.title) for row in shown["rows"] if row.won}
    assert len(shown["rows"]) == 4
    expected = {
        Rule.GREEDY: {"Playground", "Benches", "Fruit trees"},
        Rule.GREEDY_NO_SKIP: {"Playground"},
        Rule.GREEDY_THRESHOLD: {"Playground", "Benches"},
        Rule.EQUAL_SHARES: {"Playground", "Benches", "Fruit trees"},
    }
    assert won == expected[rule]


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"max_choices": 3}, "You choose up to 3 projects"),
        ({"ballot_type": "choose_one"}, "You choose one project."),
        ({"ballot_type": "cumulative", "points": 10}, "You have 10 points and share them"),
        ({"ballot_type": "knapsack", "total": 500_000}, "as long as they cost DKK 500,000 at most"),
        ({"min_choices": 2}, "You must choose at least 2."),
        ({"counting_rule": "greedy-no-skip"}, "The count stops at the first"),
        ({"counting_rule": "equal-shares"}, "Each voter has an equal part of the money"),
        ({"counting_rule": "equal-shares"}, "asks least of each for every krone it costs"),
        ({"min_votes": 25}, "The project with the most votes comes first, if it has at least 25."),
        (POINTS, "The project with the most points comes first."),
        (POINTS | {"min_votes": 25}, "The project with the most points comes first, if it has at least 25."),
        (POINTS | {"counting_rule": "equal-shares"}, "asks least for every point and every krone"),
        ({}, "a project that nobody chose can win too"),
        ({"min_cost": 10_000}, "A project may cost from DKK 10,000 to DKK 300,000."),
        ({"winners_carry_out": True}, "carry their project out themselves"),
        ({"vote": {"min_age": 16, "age_on": date(2031, 5, 1)}}, "be 16 or older on"),
        ({"vote": {"min_age": 0, "residence": "anyone"}}, "Everyone may"),
        ({}, "a public lot decides, with witnesses"),
        ({}, "We keep that you have voted, but not what"),
    ],
)
def test_the_page_of_the_process_explains_the_rules_before_voting(detail: dict[str, Any], words: str) -> None:
    later = clock.now() + timedelta(days=5)
    process = make.make_budget(vote_from=later, vote_to=later + timedelta(days=5), **detail)
    page = " ".join(Client().get(process.get_absolute_url()).content.decode().split())
    assert words in page


@pytest.mark.parametrize(
    ("rule", "zero_wins"),
    [(rule, rule in {Rule.GREEDY, Rule.GREEDY_NO_SKIP}) for rule in Rule if rule is not Rule.SHORTLIST],
)
def test_whether_money_can_reach_what_nobody_chose_is_said(rule: Rule, zero_wins: bool) -> None:
    ballots = {approval(["1"]): 2}
    election = Election((Project("1", 5), Project("2", 5)), ballots, 10, 1)
    assert ("2" in (count(election, rule).winners or ())) == zero_wins
    assert bool(sections.unvoted(rule)) == zero_wins


def test_equal_shares_takes_first_what_asks_least_for_every_krone() -> None:
    """Of a cheap project that few want and a dear one that many do, the first asks least of each voter, the second of each
    for every krone: it is bought first, and then there is too little for the other."""
    few, many = approval(["cheap"]), approval(["cheap", "dear"])
    dear = approval(["dear"])
    election = Election((Project("cheap", 20), Project("dear", 90)), {few: 1, many: 2, dear: 7}, 100)
    steps = count(election, Rule.EQUAL_SHARES).steps
    assert [step.project for step in steps] == ["dear", "cheap"]
    assert steps[0].price > Fraction(20, 3)


def test_districts_are_named() -> None:
    rule = EligibilityRule.objects.create(residence="districts", min_age=13)
    rule.districts.set([make_district(name="Vest"), make_district(name="Nord")])
    assert sections.who_may(rule) == "You must be 13 or older on the day you do it and live in Nord or Vest."


def test_the_next_step_follows_the_phase() -> None:
    process, now = make.make_budget(), clock.now()
    steps = {days: sections.next_step(process, now + timedelta(days=days)) for days in (-15, -5, 0, 30)}
    assert steps[-15] is not None
    assert steps[-15].label == "Propose a project"
    assert steps[-5] is None
    assert steps[0] is not None
    assert steps[0].url.endswith("/stem/")
    assert steps[30] is None
