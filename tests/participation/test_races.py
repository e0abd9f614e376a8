"""Two real connections and a barrier for each step that takes a lock: one wins, the other is told why not."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.verdict import Refused
from participation import clock, lifecycle
from participation.actions import outcomes
from participation.actions import process as actions
from participation.choices import Status
from participation.models import Change, Override, Process, Transition
from participation.tasks.clock import move_by_the_clock
from tests.factories import conclude_ready, make_manager, make_process, make_worker, starting_data
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _data() -> None:
    starting_data()


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Each act on a connection of its own, all let go at the same moment; what came of each."""
    barrier, results = threading.Barrier(len(acts)), [""] * len(acts)
    now = clock.now()

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            with clock.frozen(now):
                barrier.wait(timeout=PATIENCE)
                act()
            results[place] = "done"
        except Refused as refused:
            results[place] = refused.code
        except Exception as error:
            results[place] = repr(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    return sorted(results)


def ready_for(name: str) -> tuple[Process, Any, Any]:
    """A process at the step, who may take it, and when."""
    status = min(lifecycle.BY_NAME[name].sources, key=list(Status).index)
    status = Status.IN_REVIEW if name == "send_back" else status
    process = make_process(status=status)
    moment = {"open": process.opens_at, "close": process.closes_at}.get(name, clock.now())
    if name == "decide":
        outcomes.record_decision(
            process=process, by=process.author, decided_on=clock.today(), body="Byrådet", text="Ja."
        )
    if name == "conclude":
        conclude_ready(process, by=process.author)
    return process, None if name in {"open", "close"} else make_manager(process.unit), moment


@pytest.mark.parametrize("name", sorted(lifecycle.BY_NAME))
def test_a_step_is_taken_once(name: str) -> None:
    process, by, moment = ready_for(name)

    def step() -> None:
        lifecycle.perform(process=process, name=name, by=by, comment="Fordi.", at=moment)

    assert at_once(step, step) == ["done", "wrong_status"]
    assert Transition.objects.filter(process=process, name=name).count() == 1
    assert Process.objects.get(pk=process.pk).status == lifecycle.BY_NAME[name].target


def test_approval_and_sending_back_at_once() -> None:
    process = make_process(status=Status.IN_REVIEW)
    one, other = make_manager(process.unit), make_manager(process.unit)
    results = at_once(
        lambda: lifecycle.perform(process=process, name="approve", by=one),
        lambda: lifecycle.perform(process=process, name="cancel", by=other, comment="Nej."),
    )
    process.refresh_from_db()
    if process.status == Status.CANCELLED:  # approved first, then cancelled: both are lawful in that order
        assert results in (["done", "done"], ["done", "wrong_status"])
    else:
        assert results == ["done", "wrong_status"]


def test_two_colleagues_save_at_once_and_one_is_told() -> None:
    process = make_process()
    other = make_worker(process.unit)

    def save(by: Any, title: str) -> Callable[[], Any]:
        return lambda: actions.update_process(
            process=process, by=by, version=process.version, fields={"title": title}
        )

    assert at_once(save(process.author, "Den ene"), save(other, "Den anden")) == ["done", "stale"]
    assert Process.objects.get(pk=process.pk).version == process.version + 1


def test_saving_and_sending_to_review_at_once_never_changes_what_is_in_review() -> None:
    process = make_process()
    at_once(
        lambda: actions.update_process(
            process=process, by=process.author, version=process.version, fields={"title": "Sent gemt"}
        ),
        lambda: lifecycle.perform(process=process, name="submit", by=process.author, version=process.version),
    )
    process.refresh_from_db()
    assert (process.status, process.title) != (Status.IN_REVIEW, "Sent gemt")


def test_a_check_is_overridden_once() -> None:
    process = make_process(rows={"audiences": [{"kind": "touched", "name": "Alle"}]})
    one, other = make_manager(process.unit), make_manager(process.unit)

    def let_pass(by: Any) -> Callable[[], Any]:
        return lambda: actions.override_check(
            process=process, by=by, check_key="breadth.beyond", reason="Jo."
        )

    assert at_once(let_pass(one), let_pass(other)) == ["done", "not_blocking"]
    assert Override.objects.count() == 1


def test_a_correction_is_confirmed_once() -> None:
    process = make_process(status=Status.OPEN)
    change = actions.propose_correction(
        process=process, by=process.author, fields={"question": "Hvad vil I?"}, reason="Kort."
    )
    one, other = make_worker(process.unit), make_worker(process.unit)
    results = at_once(
        lambda: actions.confirm_correction(change=change, by=one),
        lambda: actions.confirm_correction(change=change, by=other),
    )
    assert results == ["confirmed", "done"]
    assert Change.objects.get().confirmed_at is not None


def test_two_amendments_come_one_after_the_other() -> None:
    process = make_process(status=Status.OPEN)
    manager = make_manager(process.unit)

    def amend(promise: str) -> Callable[[], Any]:
        return lambda: actions.amend(process=process, by=manager, fields={"promise": promise}, reason="Nyt.")

    assert at_once(amend("Det ene."), amend("Det andet.")) == ["done", "done"]
    first, second = Change.objects.order_by("pk")
    assert second.changes[0]["before"] == first.changes[0]["after"]


def test_two_workers_share_the_clock() -> None:
    process = make_process(status=Status.APPROVED)
    with clock.frozen(process.opens_at):
        assert at_once(move_by_the_clock, move_by_the_clock) == ["done", "done"]
    assert list(Transition.objects.filter(process=process, name="open").values_list("by", flat=True)) == [
        None
    ]


def test_the_worker_passes_by_what_another_holds() -> None:
    from django.db import transaction

    held, free = make_process(status=Status.APPROVED), make_process(status=Status.APPROVED)
    with clock.frozen(held.opens_at), transaction.atomic():
        Process.objects.select_for_update().get(pk=held.pk)
        assert at_once(move_by_the_clock) == ["done"]
        assert Process.objects.get(pk=held.pk).status == Status.APPROVED
    assert Process.objects.get(pk=free.pk).status == Status.OPEN
