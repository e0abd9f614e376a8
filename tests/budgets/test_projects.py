"""A project from idea to ballot."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.verdict import Refused
from budgets import actions
from budgets.actions.projects import update_project
from budgets.assessing import duties
from budgets.models import CostLine, Project
from participation import clock
from participation.models import InternalComment, Notice, Process
from tests.accounts.factories import make_citizen
from tests.budgets.factories import make_budget, make_project, make_round, make_staff

pytestmark = pytest.mark.django_db


def code_of(call, **kwargs):
    with pytest.raises(Refused) as caught, transaction.atomic():
        call(**kwargs)
    assert caught.value.reason
    return caught.value.code


def test_the_cost_is_the_sum_of_its_lines():
    project = make_project(make_budget(), assessment="undecided")
    update_project(
        project.contribution,
        cost_lines=[
            {"text": "Bænke", "amount": 40_000},
            {"text": "", "amount": None},
            {"text": "Træer", "amount": 2_500},
        ],
        why="Vi mangler et sted at sidde.",
    )
    project.refresh_from_db()
    assert project.cost == 42_500
    assert [line.text for line in project.cost_lines.all()] == ["Bænke", "Træer"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "no_cost"),
        ([{"text": "", "amount": None}], "no_cost"),
        ([{"text": "Alt", "amount": 600_000}], "over_total"),
        ([{"text": "Alt", "amount": 200_000}, {"text": "Mere", "amount": 150_000}], "too_dear"),
        ([{"text": "Lidt", "amount": 900}], "too_cheap"),
        ([{"text": "", "amount": 5_000}], "cost_line"),
        ([{"text": "x" * 121, "amount": 5_000}], "cost_line"),
        ([{"text": "Bænk", "amount": -5}], "cost_line"),
        ([{"text": "Bænk", "amount": 0}], "cost_line"),
        ([{"text": "Bænk", "amount": "5000"}], "cost_line"),
        ([{"text": "Bænk", "amount": 5000.5}], "cost_line"),
        ([{"text": "Bænk", "amount": True}], "cost_line"),
        ([{"text": "Bænk", "amount": 5_000}] * 21, "too_many_lines"),
    ],
)
def test_costs_are_held_against_the_budget(lines, code):
    project = make_project(make_budget(min_cost=1_000), assessment="undecided")
    assert code_of(update_project, contribution=project.contribution, cost_lines=lines) == code
    assert CostLine.objects.count() == 1


def assess(project, **fields):
    return actions.assess_project(
        project=project,
        **{
            "by": project.contribution.process.owner,
            "assessment": "feasible",
            "explanation": "",
            "price": 100_000,
            "municipal_matter": True,
        }
        | fields,
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"assessment": "not_feasible"}, "explanation"),
        ({"assessment": "not_feasible", "explanation": "  "}, "explanation"),
        ({"assessment": "great"}, "assessment"),
        ({"municipal_matter": None}, "municipal_matter"),
        ({"municipal_matter": False}, "not_municipal"),
        ({"municipal_matter": False, "assessment": "undecided"}, "explanation"),
        ({"price": None}, "price"),
        ({"price": 0}, "price"),
        ({"price": Decimal("NaN")}, "price"),
        ({"price": Decimal("1000.005")}, "price"),
        ({"price": 600_000}, "over_total"),
        ({"price": 300_001}, "too_dear"),
    ],
)
def test_an_assessment_says_why_not_or_what_it_costs(fields, code):
    project = make_project(make_budget(), assessment="undecided")
    assert code_of(assess, project=project, **fields) == code
    project.refresh_from_db()
    assert project.assessment == "undecided"


def test_the_tables_refuse_it_too():
    project = make_project(make_budget(), assessment="undecided")
    for fields in (
        {"assessment": "not_feasible"},
        {"assessment": "feasible", "price": None, "municipal_matter": True},
        {"assessment": "feasible", "price": 100_000, "municipal_matter": None},
        {"assessment": "feasible", "price": 100_000, "municipal_matter": False},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Project.objects.filter(pk=project.pk).update(**fields)


def test_who_may_assess():
    process = make_budget()
    author = make_staff(unit=process.unit)
    project = make_project(process, author=author, assessment="undecided")
    assert code_of(assess, project=project, by=author) == "own_project"
    assert code_of(assess, project=project, by=make_staff()) == "other_unit"
    assert code_of(assess, project=project, by=make_citizen()) == "role"
    assess(project)


def test_the_author_is_told_and_may_adjust_once_within_the_deadline():
    author = make_citizen()
    project = make_project(make_budget(), author=author, assessment="undecided")
    adjust = {"project": project, "by": author, "title": "En bedre bænk"}
    assert code_of(actions.adjust_project, **adjust) == "not_assessed"
    assess(project, assessment="not_feasible", explanation="Der ligger et kabel.", price=None)
    assert "Der ligger et kabel." in Notice.objects.get(user=author).text
    project.refresh_from_db()
    late = project.adjust_until
    assert late - clock.now() > timedelta(days=6)
    assert code_of(actions.adjust_project, **adjust, at=late) == "too_late"
    assert code_of(actions.adjust_project, **adjust | {"by": make_citizen()}) == "not_author"
    assert code_of(actions.adjust_project, **adjust | {"title": " "}) == "empty"
    assert code_of(actions.adjust_project, **adjust | {"title": "x" * 121}) == "too_long"
    actions.adjust_project(**adjust, cost_lines=[{"text": "Bænk", "amount": 50_000}])
    project.refresh_from_db()
    assert (project.assessment, project.price, project.cost) == ("undecided", None, 50_000)
    assert project.contribution.title == "En bedre bænk"
    assess(project)
    assert code_of(actions.adjust_project, **adjust) == "adjusted_already"
    assert Notice.objects.filter(user=author).count() == 2


def test_nothing_on_the_ballot_is_assessed_or_adjusted():
    round = make_round()
    project = Project.objects.get(number="1")
    assert code_of(assess, project=project) == "on_ballot"
    assert code_of(update_project, contribution=project.contribution, why="x") == "on_ballot"
    author = make_citizen()
    type(project.contribution).objects.filter(pk=project.pk).update(author=author)
    assert code_of(actions.adjust_project, project=project, by=author, body="x") == "on_ballot"
    assert round.paper[0]["number"] == "1"


def test_comments_between_colleagues():
    project = make_project(make_budget(), assessment="undecided")
    owner = project.contribution.process.owner
    actions.comment_on_project(project=project, by=owner, text=" Spørg Vej og Park ")
    assert InternalComment.objects.get().text == "Spørg Vej og Park"
    assert code_of(actions.comment_on_project, project=project, by=owner, text=" ") == "empty"
    assert code_of(actions.comment_on_project, project=project, by=make_citizen(), text="x") == "role"


def test_projects_to_assess_are_a_duty_until_assessed():
    process = make_budget()
    project = make_project(process, assessment="undecided")
    make_project(process, assessment="undecided", moderation="pending")
    make_project(process)
    (duty,) = duties(Process.objects.all())
    assert (duty.kind, duty.process, duty.count) == ("assess", process, 1)
    assess(project)
    assert list(duties(Process.objects.all())) == []


def test_winners_carry_out_their_own_projects_where_the_budget_says_so():
    process = make_budget(winners_carry_out=True)
    assert make_project(process).carried_out_by_citizens
    assert not make_project(make_budget()).carried_out_by_citizens
