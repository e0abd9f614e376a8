"""The rules of a budget: what can't be set up, what is asked before approval, and what is frozen when."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import EligibilityRule, RegisterExtract
from accounts.verdict import Refused
from budgets.actions.setup import copy_budget, create_budget, update_budget
from budgets.format import CITIZEN_BUDGET
from budgets.models import CitizenBudget, Project
from budgets.principle_checks import findings
from participation import clock, formats
from participation.choices import Status
from participation.frozen import amending
from participation.models import Contribution, Phase
from participation.principles.base import Level
from tests.accounts.factories import make_district, make_extract
from tests.budgets.factories import make_budget, make_process, make_project, make_round

pytestmark = pytest.mark.django_db

RULES = {"total": 500_000, "max_cost": 300_000, "ballot_type": "approval", "max_choices": 3}


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({"total": 0}, "total"),
        ({"total": None}, "total"),
        ({"total": -1}, "total"),
        ({"total": "mange"}, "total"),
        ({"total": "NaN"}, "total"),
        ({"total": "Infinity"}, "total"),
        ({"total": 10**13}, "total"),
        ({"total": "1.005"}, "total"),
        ({"total": [1]}, "total"),
        ({"max_cost": 600_000}, "max_cost"),
        ({"min_cost": 400_000}, "max_cost"),
        ({"min_cost": 600_000, "max_cost": None}, "min_cost"),
        ({"ballot_type": "ordinal"}, "ballot_type"),
        ({"ballot_type": "loudest"}, "ballot_type"),
        ({"max_choices": None}, "max_choices"),
        ({"max_choices": 2, "min_choices": 3}, "max_choices"),
        ({"max_choices": "x"}, "max_choices"),
        ({"max_choices": -1}, "max_choices"),
        ({"max_choices": 10**9}, "max_choices"),
        ({"max_choices": True}, "max_choices"),
        ({"ballot_type": "cumulative"}, "points"),
        ({"ballot_type": "cumulative", "points": 0}, "points"),
        ({"ballot_type": "cumulative", "points": 5000}, "points"),
        ({"ballot_type": "cumulative", "points": 2, "min_choices": 3}, "points"),
        ({"counting_rule": "loudest"}, "counting_rule"),
        ({"counting_rule": "equal-shares", "min_votes": 5}, "min_votes"),
        ({"vote": {"min_age": 200}}, "vote.min_age"),
        ({"vote": {"min_age": "15"}}, "vote.min_age"),
        ({"vote": {"residence": "moon"}}, "vote.residence"),
        ({"propose": {"residence": "districts"}}, "propose.districts"),
        ({"propose": {"residence": "districts", "districts": []}}, "propose.districts"),
    ],
)
def test_rules_that_make_no_sense_are_refused_at_their_field(detail, field):
    process = make_process(status=Status.DRAFT)
    with pytest.raises(Refused) as caught, transaction.atomic():
        create_budget(process, **RULES | detail)
    assert caught.value.field == field
    assert caught.value.reason
    assert not CitizenBudget.objects.exists()


def test_who_may_propose_and_who_may_vote_are_two_rules():
    here = make_district()
    process = make_process(status=Status.DRAFT)
    budget = create_budget(
        process,
        **RULES,
        propose={"min_age": 10, "residence": "districts", "districts": [here.pk]},
        vote={"min_age": 15},
    )
    assert (budget.propose_rule.min_age, budget.vote_rule.min_age) == (10, 15)
    update_budget(process, total=600_000, vote={"min_age": 16})
    budget = CitizenBudget.objects.get()
    assert (budget.total, budget.vote_rule.min_age) == (600_000, 16)
    copy = copy_budget(process)
    again = create_budget(make_process(status=Status.DRAFT), **copy)
    assert list(again.propose_rule.districts.all()) == [here]
    assert again.propose_rule_id != budget.propose_rule_id
    assert copy_budget(again.process) == copy


def test_an_unknown_field_is_our_own_mistake():
    with pytest.raises(TypeError):
        create_budget(make_process(status=Status.DRAFT), **RULES, colour="green")


def test_the_format_is_registered_with_its_hooks():
    fmt = formats.get("citizen_budget")
    assert fmt is CITIZEN_BUDGET
    process = make_budget()
    assert fmt.money(process) == 500_000
    assert fmt.contribution_rule(process).min_age == 13
    assert fmt.participants([process.pk]) == {}
    rules = {"propose", "vote"}
    assert set(fmt.frozen_fields) - rules <= {field.name for field in CitizenBudget._meta.fields}
    assert set(fmt.describe_detail(process, fmt.frozen_fields)) == set(fmt.frozen_fields) >= rules


def levels(process):
    return {finding.key: finding.level for finding in findings(process)}


def test_what_is_asked_before_approval():
    process = make_budget(extract=False)
    assert levels(process) == {
        "budget_phases": Level.PASSED,
        "budget_costs": Level.PASSED,
        "budget_register": Level.BLOCKING,
    }
    make_extract(valid_until=clock.today() + timedelta(days=3))
    assert levels(process)["budget_register"] == Level.BLOCKING  # voting ends in seven days
    RegisterExtract.objects.update(valid_until=clock.today() + timedelta(days=30))
    assert levels(process)["budget_register"] == Level.PASSED


def test_everyone_may_take_part_needs_no_register():
    anyone = {"residence": "anyone"}
    process = make_budget(extract=False, propose=anyone, vote=anyone, max_cost=None)
    assert levels(process) == {"budget_phases": Level.PASSED, "budget_costs": Level.WARNING}
    CITIZEN_BUDGET.before_transition(process, name="open", by=None, at=clock.now())


def test_opening_without_a_register_is_refused():
    process = make_budget(extract=False)
    with pytest.raises(Refused) as caught:
        CITIZEN_BUDGET.before_transition(process, name="open", by=None, at=clock.now())
    assert caught.value.code == "no_register"


@pytest.mark.parametrize(
    "kinds", [["ideas", "vote"], ["vote", "assessment", "ideas"], ["assessment", "ideas", "vote"], []]
)
def test_phases_come_in_order(kinds):
    process = make_process(status=Status.DRAFT)
    create_budget(process, **RULES)
    start = clock.now()
    for number, kind in enumerate(kinds):
        day = start + timedelta(days=number)
        Phase.objects.create(process=process, kind=kind, interval=(day, day + timedelta(days=1)))
    assert levels(process)["budget_phases"] == Level.BLOCKING


def test_a_process_without_its_rules_is_blocked():
    assert levels(make_process(status=Status.DRAFT)) == {"budget_rules": Level.BLOCKING}


def frozen(query, **changes):
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        query.update(**changes)


def test_the_database_itself_keeps_the_rules_from_approval_on():
    process = make_budget(vote={"residence": "districts", "districts": [make_district().pk]})
    budget = CitizenBudget.objects.get()
    for change in ({"total": 1}, {"counting_rule": "equal-shares"}, {"max_choices": 9}, {"min_votes": 4}):
        frozen(CitizenBudget.objects.all(), **change)
    frozen(EligibilityRule.objects.filter(pk=budget.vote_rule_id), min_age=0)
    frozen(EligibilityRule.objects.filter(pk=budget.propose_rule_id), residence="anyone")
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        budget.vote_rule.districts.add(make_district())
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        budget.vote_rule.districts.clear()
    with transaction.atomic(), amending(process):
        CitizenBudget.objects.update(total=Decimal(600_000))
    with transaction.atomic(), amending(make_process()), pytest.raises(IntegrityError):
        CitizenBudget.objects.update(total=Decimal(700_000))


def test_another_rule_can_still_be_changed():
    make_budget()
    other = create_budget(make_process(status=Status.DRAFT), **RULES)
    EligibilityRule.objects.filter(pk=other.vote_rule_id).update(min_age=18)
    CitizenBudget.objects.filter(pk=other.pk).update(total=1_000_000)


def test_once_voting_has_opened_not_even_an_amendment_changes_rules_or_ballot():
    round = make_round()
    with transaction.atomic(), amending(round.process), pytest.raises(IntegrityError):
        CitizenBudget.objects.update(total=1)
    with transaction.atomic(), amending(round.process), pytest.raises(Refused) as caught:
        update_budget(round.process, total=1_000_000)
    assert caught.value.code == "voting_opened"
    on_ballot = Project.objects.filter(number="1")
    for change in (
        {"price": 1},
        {"number": "7"},
        {"number": ""},
        {"assessment": "undecided"},
        {"cost": 1},
        {"why": "Noget andet"},
    ):
        frozen(on_ballot, **change)
    contribution = Contribution.objects.filter(project__number="1")
    for change in ({"title": "Andet"}, {"body": "Andet"}, {"place": "Andet"}):
        frozen(contribution, **change)
    with pytest.raises(IntegrityError), transaction.atomic():
        contribution.get().delete()
    contribution.update(name_shown="none", author_name="", answer="Tak", outcome="noted")  # not on the ballot
    off_ballot = make_project(round.process)
    Contribution.objects.filter(pk=off_ballot.pk).update(title="Kan rettes")
    Project.objects.filter(pk=off_ballot.pk).update(why="Kan rettes")


def test_the_ballot_can_be_prepared_until_voting_opens():
    project = make_project(make_budget())
    Project.objects.filter(pk=project.pk).update(price=1)
    Contribution.objects.filter(pk=project.pk).update(title="Rettet")
