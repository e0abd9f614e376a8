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
    assert set(fmt.frozen_fields) - rules - {"pots"} <= {field.name for field in CitizenBudget._meta.fields}
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


def test_rules_stand_from_the_moment_the_choosing_begins_though_nobody_opened_it_yet():
    later = clock.now() + timedelta(days=3)
    process = make_budget(vote_from=later, vote_to=later + timedelta(days=4))
    with transaction.atomic(), amending(process):
        update_budget(process, max_choices=4)
    with clock.frozen(later), transaction.atomic(), amending(process), pytest.raises(Refused) as caught:
        update_budget(process, max_choices=5)
    assert caught.value.code == "voting_opened"


def test_the_procedure_of_a_meeting_was_public_before_anyone_proposed():
    later = clock.now() + timedelta(days=3)
    process = make_budget(
        decided_by="meeting",
        procedure="Alle kan komme.",
        last="meeting",
        vote_from=later,
        vote_to=later + timedelta(days=4),
    )
    for change in ({"procedure": "Vi bestemmer selv."}, {"decided_by": "vote", "procedure": ""}):
        with transaction.atomic(), amending(process), pytest.raises(Refused) as caught:
            update_budget(process, **change)
        assert (caught.value.code, caught.value.field) == ("told_beforehand", min(change))
    with transaction.atomic(), amending(process):
        update_budget(process, procedure="Alle kan komme.", total=600_000)
    with clock.frozen(later), transaction.atomic(), amending(process), pytest.raises(Refused) as caught:
        update_budget(process, total=700_000)
    assert caught.value.code == "meeting_begun"
    before_ideas = clock.now() - timedelta(days=30)
    with clock.frozen(before_ideas), transaction.atomic(), amending(process):
        update_budget(process, procedure="Alle over 15 kan komme.")
    assert CitizenBudget.objects.get().procedure == "Alle over 15 kan komme."


def test_the_ballot_can_be_prepared_until_voting_opens():
    project = make_project(make_budget())
    Project.objects.filter(pk=project.pk).update(price=1)
    Contribution.objects.filter(pk=project.pk).update(title="Rettet")


# Pots, rounds, meetings and ages that vote in class.


@pytest.fixture
def north_and_south():
    return make_district(name="Nordby"), make_district(name="Sydby")


def pots_of(north_and_south, *amounts):
    north, south = north_and_south
    places = (None, north.pk, south.pk)
    names = ("Hele byen", "Nord", "Syd")
    return [
        {"name": name, "district": place, "total": amount}
        for name, place, amount in zip(names, places, amounts, strict=False)
    ]


def test_pots_hold_all_the_money_each_with_a_key_of_its_own(north_and_south):
    process = make_process(status=Status.DRAFT)
    budget = create_budget(process, **RULES, pots=pots_of(north_and_south, 300_000, 120_000, 80_000))
    assert [(pot.key, pot.district_id, pot.total) for pot in budget.pots.all()] == [
        ("hele-byen", None, 300_000),
        ("nord", north_and_south[0].pk, 120_000),
        ("syd", north_and_south[1].pk, 80_000),
    ]
    said = describe(process, "pots")
    assert all(words in said for words in ("Hele byen: 300.000", "Nord: 120.000", "Syd: 80.000"))
    copied = create_budget(make_process(status=Status.DRAFT), **copy_budget(process))
    assert [pot.total for pot in copied.pots.all()] == [300_000, 120_000, 80_000]


def describe(process, name):
    return CITIZEN_BUDGET.describe_detail(process, [name])[name][1]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (lambda pots: pots[:2], "pots", "80.000"),
        (lambda pots: [*pots, pots[0]], "pots", ""),
        (lambda pots: [*pots[:2], pots[2] | {"district": pots[1]["district"]}], "pots", ""),
        (lambda pots: [*pots[:2], pots[2] | {"name": "Nord"}], "pots", ""),
        (lambda pots: [*pots[:2], pots[2] | {"total": 90_000}], "pots", "10.000"),
        (lambda pots: [*pots[:2], pots[2] | {"total": 0}], "pots", ""),
        (lambda pots: [*pots[:2], pots[2] | {"total": "mange"}], "pots", ""),
        (lambda pots: [*pots[:2], pots[2] | {"district": 10**9}], "pots", ""),
        (lambda pots: [*pots[:2], pots[2] | {"name": "x" * 81}], "pots", ""),
        (lambda pots: [pots[1] | {"total": 420_000}, pots[2]], "leftover", ""),
    ],
)
def test_pots_that_make_no_sense_are_refused(north_and_south, change, field, words):
    process = make_process(status=Status.DRAFT)
    pots = change(pots_of(north_and_south, 300_000, 120_000, 80_000))
    with pytest.raises(Refused) as caught, transaction.atomic():
        create_budget(process, **RULES, leftover="to_city", pots=pots)
    assert (caught.value.field, words in caught.value.reason) == (field, True)
    assert not CitizenBudget.objects.exists()


def test_districts_of_two_kinds_would_give_someone_two_pots(north_and_south):
    polling = make_district(kind="polling")
    pots = pots_of((north_and_south[0], polling), 300_000, 120_000, 80_000)
    with pytest.raises(Refused) as caught:
        create_budget(make_process(status=Status.DRAFT), **RULES, pots=pots)
    assert caught.value.code == "pot_kinds"


def test_a_pot_keeps_its_key_and_projects_when_its_name_and_money_change(north_and_south):
    later = clock.now() + timedelta(days=3)
    process = make_budget(
        pots=pots_of(north_and_south, 300_000, 120_000, 80_000),
        vote_from=later,
        vote_to=later + timedelta(days=4),
    )
    nord = CitizenBudget.objects.get().pots.get(key="nord")
    project = make_project(process, assessment="undecided", pot=nord)
    changed = pots_of(north_and_south, 290_000, 130_000, 80_000)
    changed[1]["name"] = "Det høje nord"
    with transaction.atomic(), amending(process):
        update_budget(process, pots=changed)
    project.refresh_from_db()
    assert (project.pot.key, project.pot.name, project.pot.total) == ("nord", "Det høje nord", 130_000)
    with pytest.raises(Refused) as caught, transaction.atomic(), amending(process):
        update_budget(process, pots=[])
    assert caught.value.code == "pot_in_use"
    with pytest.raises(Refused) as caught, transaction.atomic(), amending(process):
        update_budget(process, total=600_000)
    assert caught.value.code == "pots_sum"


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({"shortlist_size": 0}, "shortlist_size"),
        ({"shortlist_size": 500}, "shortlist_size"),
        ({"shortlist_choices": 3}, "shortlist_size"),
        ({"shortlist_size": 5, "shortlist_choices": 0}, "shortlist_choices"),
        (
            {"shortlist_size": 5, "ballot_type": "knapsack", "max_choices": None},
            "shortlist_choices",
        ),
        ({"decided_by": "meeting"}, "procedure"),
        ({"decided_by": "meeting", "procedure": "  "}, "procedure"),
        ({"decided_by": "meeting", "procedure": "x" * 3001}, "procedure"),
        ({"decided_by": "meeting", "procedure": "Vi mødes.", "shortlist_size": 5}, "shortlist_size"),
        ({"decided_by": "dice"}, "decided_by"),
        ({"part_funding": True, "counting_rule": "equal-shares"}, "part_funding"),
        ({"class_age_from": 12}, "class_age_to"),
        ({"class_age_to": 12}, "class_age_from"),
        ({"class_age_from": 14, "class_age_to": 12, "vote": {"min_age": 10}}, "class_age_to"),
        ({"class_age_from": 10, "class_age_to": 12, "vote": {"min_age": 13}}, "class_age_from"),
    ],
)
def test_rounds_meetings_and_class_ages_that_make_no_sense_are_refused(detail, field):
    with pytest.raises(Refused) as caught, transaction.atomic():
        create_budget(make_process(status=Status.DRAFT), **RULES | detail)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("detail", "kinds", "level"),
    [
        ({"shortlist_size": 3}, ["ideas", "shortlist", "improve", "assessment", "vote"], Level.PASSED),
        ({"shortlist_size": 3}, ["ideas", "shortlist", "assessment", "vote"], Level.PASSED),
        ({"shortlist_size": 3}, ["ideas", "assessment", "vote"], Level.BLOCKING),
        ({"shortlist_size": 3}, ["ideas", "assessment", "vote", "shortlist"], Level.BLOCKING),
        ({"shortlist_size": 3}, ["ideas", "improve", "shortlist", "assessment", "vote"], Level.BLOCKING),
        ({}, ["ideas", "shortlist", "assessment", "vote"], Level.BLOCKING),
        ({}, ["ideas", "assessment", "vote", "meeting"], Level.BLOCKING),
        ({"decided_by": "meeting", "procedure": "Alle."}, ["ideas", "assessment", "meeting"], Level.PASSED),
        ({"decided_by": "meeting", "procedure": "Alle."}, ["ideas", "assessment", "vote"], Level.BLOCKING),
        ({"decided_by": "meeting", "procedure": "Alle."}, ["ideas", "assessment"], Level.BLOCKING),
    ],
)
def test_each_kind_of_budget_has_its_own_phases(detail, kinds, level):
    process = make_process(status=Status.DRAFT)
    create_budget(process, **RULES | detail)
    for number, kind in enumerate(kinds):
        day = clock.now() + timedelta(days=number)
        Phase.objects.create(process=process, kind=kind, interval=(day, day + timedelta(days=1)))
    assert levels(process)["budget_phases"] == level


def test_ages_that_vote_in_class_need_a_day_on_which_the_age_counts():
    classes = {"class_age_from": 11, "class_age_to": 12}
    process = make_budget(**classes, vote={"min_age": 11})
    assert levels(process)["budget_class_ages"] == Level.BLOCKING
    fixed = make_budget(**classes, vote={"min_age": 11, "age_on": clock.today()})
    assert levels(fixed)["budget_class_ages"] == Level.PASSED
