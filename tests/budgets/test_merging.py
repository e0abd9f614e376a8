"""Projects that say the same: gathered while they mean the same for the vote."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.permissions import Role
from accounts.verdict import Refused
from budgets.actions.setup import create_budget
from budgets.models import Assessment, Pot, Project
from budgets.permissions import check_may_gather
from participation import clock
from participation.actions import merging
from participation.choices import Status
from participation.models import Contribution
from tests.budgets.factories import make_budget, make_process, make_project, make_round, make_staff

pytestmark = pytest.mark.django_db


def code_of(keep: Project, gone: Project) -> str:
    process = keep.contribution.process
    by = make_staff(Role.CASEWORKER, unit=process.unit)
    try:
        merging.merge_contributions(
            keep=keep.contribution, gone=[gone.contribution], by=by, reason="De ligner hinanden."
        )
    except Refused as refused:
        return refused.code
    return "ok"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Assessment.UNDECIDED, Assessment.UNDECIDED, "ok"),
        (Assessment.FEASIBLE, Assessment.FEASIBLE, "ok"),
        (Assessment.FEASIBLE, Assessment.NOT_FEASIBLE, "assessed_differently"),
        (Assessment.UNDECIDED, Assessment.FEASIBLE, "assessed_differently"),
    ],
)
def test_only_what_is_assessed_alike(one: str, other: str, expected: str) -> None:
    process = make_budget(vote_from=clock.now() + timedelta(days=3), vote_to=clock.now() + timedelta(days=10))
    pair = [make_project(process, assessment=assessment) for assessment in (one, other)]
    assert code_of(*pair) == expected
    ready = Project.objects.ready().filter(contribution__process=process)
    if expected == "ok":
        assert ready.count() == (1 if one == Assessment.FEASIBLE else 0)


def test_not_across_pots() -> None:
    process = make_process(status=Status.DRAFT)
    budget = create_budget(process, total=Decimal(500_000), ballot_type="approval", max_choices=3)
    one, other = (make_project(process, assessment=Assessment.UNDECIDED) for _ in range(2))
    pot = Pot.objects.create(budget=budget, key="byen", name="Byen", total=300_000)
    check_may_gather(one.contribution, [other.contribution])
    Project.objects.filter(pk=one.pk).update(pot=pot)
    with pytest.raises(Refused) as refused:
        check_may_gather(one.contribution, [other.contribution])
    assert refused.value.code == "other_pot"


def test_not_what_stands_on_a_ballot() -> None:
    round = make_round()
    keep, gone = Project.objects.filter(contribution__process=round.process)[:2]
    assert code_of(keep, gone) == "voting"
    assert not Contribution.objects.filter(moderation="merged").exists()
