"""A process is concluded only when what was promised has been kept."""

from typing import Any

import pytest

from accounts.models import User
from mailouts.choices import State
from participation import clock, lifecycle
from participation.actions import outcomes
from participation.actions import process as actions
from participation.choices import Moderation, Status
from participation.models import Contribution, Notice, Process, Theme
from participation.principles import Gate, Level, findings, readiness
from tests.accounts.factories import make_citizen
from tests.factories import conclude_ready, make_manager, make_process
from tests.participation.mailed import mailed

pytestmark = pytest.mark.django_db


@pytest.fixture
def process() -> Process:
    return make_process(status=Status.DECIDED)


def given(process: Process, author: User | None = None, **fields: Any) -> Contribution:
    return Contribution.objects.create(
        **{
            "process": process,
            "author": author or make_citizen(),
            "title": "En bænk",
            "body": "Ved søen.",
            "received_on": clock.today(),
            "created_at": clock.now(),
            "moderation": Moderation.PUBLISHED,
        }
        | fields
    )


def level(process: Process, key: str) -> Level:
    return next(f.level for f in findings(process, gate=Gate.CONCLUDE) if f.key == key)


def tell(contribution: Contribution, state: str) -> None:
    notice = Notice.objects.create(
        user=contribution.author,
        process=contribution.process,
        event=f"contribution:{contribution.pk}:answer:1",
        kind=Notice.Kind.ANSWER,
        title="Svar",
        text="Ja.",
        url="/",
        created_at=clock.now(),
    )
    mailed([notice], state)


def test_every_contribution_has_an_outcome_its_own_or_its_themes(process: Process) -> None:
    one, other = given(process), given(process)
    assert level(process, "listening.outcomes") == Level.BLOCKING
    Contribution.objects.filter(pk=one.pk).update(outcome="adopted", answer="Ja.")
    assert level(process, "listening.outcomes") == Level.BLOCKING
    theme = Theme.objects.create(process=process, title="Bænke")
    Contribution.objects.filter(pk=other.pk).update(theme=theme)
    assert level(process, "listening.outcomes") == Level.BLOCKING
    Theme.objects.filter(pk=theme.pk).update(outcome="noted", answer="Vi har set det.")
    assert level(process, "listening.outcomes") == Level.PASSED


def test_what_nobody_has_looked_at_stands_in_the_way(process: Process) -> None:
    waiting = given(process, moderation=Moderation.PENDING)
    assert level(process, "listening.moderated") == Level.BLOCKING
    Contribution.objects.filter(pk=waiting.pk).update(
        moderation=Moderation.REJECTED, moderation_reason="Reklame."
    )
    assert level(process, "listening.moderated") == Level.PASSED
    assert level(process, "listening.outcomes") == Level.PASSED


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.SENT, Level.PASSED),
        (State.QUEUED, Level.BLOCKING),
        (State.UNCERTAIN, Level.BLOCKING),
        (State.FAILED, Level.BLOCKING),
        (State.DELIVERED, Level.PASSED),
        (State.LEFT_OUT, Level.BLOCKING),
        (State.CANCELLED, Level.BLOCKING),
    ],
)
def test_everyone_who_contributed_was_told(process: Process, state: str, expected: Level) -> None:
    contribution = given(process)
    assert level(process, "listening.told") == Level.BLOCKING
    tell(contribution, state)
    assert level(process, "listening.told") == expected


def test_a_recorded_route_or_none_is_enough(process: Process) -> None:
    contribution = given(process)
    Contribution.objects.filter(pk=contribution.pk).update(told_how="Ingen adresse.", told_at=clock.now())
    assert level(process, "listening.told") == Level.PASSED


def test_an_impact_or_a_plain_statement_that_nothing_changed(process: Process) -> None:
    assert level(process, "listening.impact") == Level.BLOCKING
    outcomes.state_nothing_changed(process=process, by=process.author, reason="Der var ikke penge.")
    assert level(process, "listening.impact") == Level.PASSED


def test_an_impact_is_enough(process: Process) -> None:
    outcomes.record_impact(process=process, by=process.author, text="Der kom en bænk.")
    assert level(process, "listening.impact") == Level.PASSED


def test_the_result_is_told_outside_the_portal(process: Process) -> None:
    assert level(process, "listening.told_outside") == Level.BLOCKING
    outcomes.state_told_outside(process=process, by=process.author, how="Lokalavisen", on=clock.today())
    assert level(process, "listening.told_outside") == Level.PASSED


def test_kept_promises_conclude_it_and_a_broken_one_needs_a_managers_reason(process: Process) -> None:
    given(process)
    conclude_ready(process, by=process.author)
    assert lifecycle.can(process, "conclude", process.author).code == "not_ready"
    manager = make_manager(process.unit)
    for finding in readiness(process).blocking:
        assert finding.may_be_overridden
        actions.override_check(
            process=process, by=manager, check_key=finding.key, reason="Vi nåede det ikke."
        )
    concluded = lifecycle.perform(process=process, name="conclude", by=process.author)
    assert concluded.status == Status.CONCLUDED
    assert concluded.concluded_at is not None


def test_the_count_of_queries_does_not_follow_the_contributions(
    process: Process, django_assert_max_num_queries: Any
) -> None:
    theme = Theme.objects.create(process=process, title="Bænke")
    for number in range(30):
        given(process, theme=theme if number % 2 else None)
    with django_assert_max_num_queries(16):
        readiness(process)
