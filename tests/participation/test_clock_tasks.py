"""What the clock does, also after it has stood still; and what it does when it is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail

from accounts.verdict import Refused
from participation import clock, duties, formats
from participation.actions import process as actions
from participation.choices import Moderation, Status
from participation.models import Contribution, Follow, Notice, Process, ProcessQuestion, Transition
from participation.tasks.clock import move_by_the_clock, remind_of_overdue, tell_of_phases
from tests.accounts.factories import make_citizen, make_unit
from tests.factories import make_manager, make_process, make_worker

pytestmark = pytest.mark.django_db


def status(process: Process) -> str:
    return Process.objects.get(pk=process.pk).status


def test_opens_and_closes_on_the_second() -> None:
    process = make_process(status=Status.APPROVED)
    with clock.frozen(process.opens_at - timedelta(seconds=1)):
        assert move_by_the_clock() == 0
    with clock.frozen(process.opens_at):
        assert move_by_the_clock() == 1
        assert move_by_the_clock() == 0
    assert status(process) == Status.OPEN
    with clock.frozen(process.closes_at):
        assert move_by_the_clock() == 1
    assert status(process) == Status.CLOSED


def test_a_worker_that_slept_through_it_all_makes_up_for_it() -> None:
    process = make_process(status=Status.APPROVED)
    waiting = make_process(status=Status.APPROVED, opens_at=process.closes_at + timedelta(days=30))
    with clock.frozen(process.closes_at + timedelta(days=3)):
        assert move_by_the_clock() == 2
    assert (status(process), status(waiting)) == (Status.CLOSED, Status.APPROVED)
    steps = Transition.objects.filter(process=process, by=None).order_by("pk").values_list("name", flat=True)
    assert list(steps) == ["open", "close"]


def test_a_refused_opening_is_told_once_a_day_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = make_process(status=Status.APPROVED)
    free = make_process(status=Status.APPROVED)

    def not_ready(process: Process, *, name: str, **rest: object) -> None:
        if name == "open" and process.pk == stuck.pk:
            raise Refused("no_register", "Der mangler et registerudtræk.")

    stopped = replace(formats.get("citizen_budget"), before_transition=not_ready)
    monkeypatch.setitem(formats._formats, "citizen_budget", stopped)
    with clock.frozen(stuck.opens_at):
        assert move_by_the_clock() == 1
        assert move_by_the_clock() == 0
    assert (status(stuck), status(free)) == (Status.APPROVED, Status.OPEN)
    told = Notice.objects.filter(user=stuck.owner, event__contains="refused")
    assert told.count() == 1
    assert "registerudtræk" in told.get().text
    with clock.frozen(stuck.opens_at + timedelta(days=1)):
        move_by_the_clock()
    assert told.count() == 2


def test_followers_hear_once_that_a_phase_has_begun() -> None:
    process = make_process(status=Status.OPEN)
    follower = make_citizen()
    Follow.objects.create(user=follower, process=process, since=clock.now())
    vote = process.phases.get(kind="vote")
    assert tell_of_phases() == 0  # the first phase is told of when the process opens
    with clock.frozen(vote.interval.lower + timedelta(hours=5)):
        assert tell_of_phases() == 1
        assert tell_of_phases() == 0
    with clock.frozen(vote.interval.lower + timedelta(days=3)):
        assert tell_of_phases() == 0
    assert Notice.objects.filter(user=follower, event=f"phase:{vote.pk}:began").count() == 1


# Duties


def contribution(process: Process, **fields: object) -> Contribution:
    now = clock.now()
    return Contribution.objects.create(
        **{
            "process": process,
            "title": "En bænk",
            "body": "Ved søen.",
            "received_on": clock.today(),
            "created_at": now,
            "moderation": Moderation.PUBLISHED,
        }
        | fields
    )


def kinds(user: object) -> list[str]:
    return [duty.kind for duty in duties.for_user(user)]


def test_duties_belong_to_owner_and_deputy_and_move_with_the_process() -> None:
    process = make_process(status=Status.CLOSED)
    contribution(process)
    contribution(process, moderation=Moderation.PENDING)
    question = {"asked_at": clock.now(), "due_on": clock.today(), "text": "Hvornår?"}
    ProcessQuestion.objects.create(process=process, **question)
    mine = kinds(process.owner)
    assert sorted(mine) == ["answer", "decide", "moderate", "question"]
    colleague = make_worker(process.unit)
    assert kinds(colleague) == []
    deputy, owner = colleague, make_worker(process.unit)
    actions.hand_over(process=process, by=process.author, owner=owner, deputy=deputy)
    assert sorted(kinds(owner)) == sorted(kinds(deputy)) == sorted(mine)
    assert kinds(process.author) == []
    assert {duty.kind for duty in duties.of_unit(process.unit_id)} >= set(mine)


def test_what_waits_for_approval_is_a_managers_duty() -> None:
    process = make_process(status=Status.IN_REVIEW)
    assert kinds(make_manager(process.unit)) == ["approve"]
    assert kinds(make_manager(make_unit())) == []
    assert kinds(process.author) == []


def test_a_correction_is_a_duty_of_any_colleague() -> None:
    process = make_process(status=Status.OPEN)
    change = actions.propose_correction(
        process=process, by=process.author, fields={"question": "Hvad vil I?"}, reason="Kort."
    )
    colleague = make_worker(process.unit)
    assert kinds(colleague) == ["confirm_correction"]
    actions.confirm_correction(change=change, by=colleague)
    assert kinds(colleague) == []


def test_duties_take_a_constant_number_of_queries(django_assert_max_num_queries) -> None:
    owner = make_worker()
    unit = owner.units.get()
    for _number in range(6):
        process = make_process(status=Status.CLOSED, unit=unit, author=owner)
        contribution(process)
        contribution(process, moderation=Moderation.PENDING)
    owner.unit_ids()
    with django_assert_max_num_queries(12):
        found = duties.for_user(owner)
        assert [(duty.label, duty.owner, duty.process.unit.email) for duty in found]
    assert len(found) == 18


def test_the_overdue_reaches_the_manager_once() -> None:
    process = make_process(status=Status.CLOSED)
    contribution(process)
    manager = make_manager(process.unit)
    with clock.frozen(process.closes_at):
        assert remind_of_overdue() == 0
    with clock.frozen(clock.now() + timedelta(days=200)):
        remind_of_overdue()
        first = Notice.objects.filter(user=manager, event__startswith="duty:").count()
        remind_of_overdue()
        assert Notice.objects.filter(user=manager, event__startswith="duty:").count() == first >= 2


def test_where_there_is_no_manager_the_units_inbox_gets_it_once() -> None:
    process = make_process(status=Status.CLOSED)
    process.unit.people.filter(role="manager").update(is_active=False)
    with clock.frozen(clock.now() + timedelta(days=200)):
        remind_of_overdue()
        sent = len(mail.outbox)
        remind_of_overdue()
    assert sent == len(mail.outbox) >= 1
    assert mail.outbox[0].to == [process.unit.email]
