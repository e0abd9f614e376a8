"""At the same moment, on real connections: nothing leaves that was stopped, changed or taken by another."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.verdict import Refused
from audit import clock
from mailouts import actions, queue
from mailouts.actions import safety
from mailouts.choices import Stage, State
from mailouts.models import Campaign, Delivery
from mailouts.permissions import can_hold
from tests.accounts.factories import make_resident, make_staff
from tests.databases import waiting_for_locks
from tests.mailouts import tampering
from tests.mailouts.factories import make_campaign
from tests.patience import PATIENCE, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def background(job: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run beside the test on its own connection; the list gets what it returned or raised."""
    said: list[Any] = []

    def run() -> None:
        try:
            said.append(job())
        except Exception as error:
            said.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, said


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """`first` has done its work and not committed when `second` begins and waits; what `second` came to."""
    with transaction.atomic():
        first()
        thread, said = background(second)
        wait_for(lambda: waiting_for_locks() >= 1 or bool(said))
        assert not said, f"it didn't wait: {said}"
    thread.join(PATIENCE)
    assert said
    return said[0]


def residents(number: int) -> None:
    for _number in range(number):
        make_resident()


def test_approving_waits_for_a_thaw_and_is_refused() -> None:
    residents(2)
    campaign = make_campaign(stage=Stage.FROZEN)
    second = make_staff(units=[campaign.unit])
    came = meanwhile(
        lambda: actions.thaw(campaign=campaign, by=campaign.created_by),
        lambda: actions.approve(campaign=campaign, by=second, typed=2),
    )
    assert isinstance(came, Refused)
    assert came.code == "not_frozen"
    campaign.refresh_from_db()
    assert (campaign.stage, campaign.approved_by) == (Stage.DRAFT, None)


def test_a_thaw_waits_for_an_approval_and_undoes_it() -> None:
    residents(2)
    campaign = make_campaign(stage=Stage.FROZEN)
    second = make_staff(units=[campaign.unit])
    came = meanwhile(
        lambda: actions.approve(campaign=campaign, by=second, typed=2),
        lambda: actions.thaw(campaign=campaign, by=campaign.created_by),
    )
    assert came.stage == Stage.DRAFT
    campaign.refresh_from_db()
    assert (campaign.approved_by, campaign.approved_at, campaign.text_hash) == (None, None, "")


def test_the_clock_starts_nothing_that_is_being_thawed() -> None:
    residents(1)
    campaign = make_campaign(stage=Stage.APPROVED)
    came = meanwhile(
        lambda: actions.thaw(campaign=campaign, by=campaign.created_by),
        lambda: actions.start(campaign=campaign),
    )
    assert came.code == "not_approved"


def test_two_clocks_start_it_once() -> None:
    residents(1)
    campaign = make_campaign(stage=Stage.APPROVED)
    came = meanwhile(lambda: actions.start(campaign=campaign), lambda: actions.start(campaign=campaign))
    assert came.code == "not_approved"


def ready() -> Campaign:
    campaign = actions.build_list(campaign=make_campaign(expected=2))
    return actions.send_test(campaign=campaign, by=campaign.created_by)


def test_who_is_added_while_it_is_frozen_is_refused_by_the_database() -> None:
    residents(2)
    campaign = ready()
    came = meanwhile(
        lambda: actions.freeze(campaign=campaign, by=campaign.created_by), lambda: tampering.grow(campaign)
    )
    assert isinstance(came, IntegrityError)
    campaign.refresh_from_db()
    assert campaign.deliveries.count() == campaign.count == 2
    assert can_hold(campaign)


def test_a_freeze_waits_for_who_is_being_added_and_sees_them() -> None:
    residents(2)
    campaign = ready()
    came = meanwhile(
        lambda: tampering.grow(campaign),
        lambda: actions.freeze(campaign=campaign, by=campaign.created_by),
    )
    assert isinstance(came, Refused)
    assert came.code == "list_changed"


def test_a_source_added_while_it_is_frozen_is_refused() -> None:
    residents(2)
    campaign = ready()
    came = meanwhile(
        lambda: actions.freeze(campaign=campaign, by=campaign.created_by),
        lambda: actions.add_source(campaign=campaign, by=campaign.created_by, kind="register", params={}),
    )
    assert came.code == "frozen"


def test_a_text_changed_while_it_is_frozen_is_refused() -> None:
    residents(2)
    campaign = ready()
    for change in (
        lambda: actions.edit_campaign(campaign=campaign, by=campaign.created_by, text="Andet"),
        lambda: tampering.text(campaign),
    ):
        if Campaign.objects.filter(pk=campaign.pk, stage=Stage.FROZEN).exists():
            actions.thaw(campaign=campaign, by=campaign.created_by)
        came = meanwhile(lambda: actions.freeze(campaign=campaign, by=campaign.created_by), change)
        assert isinstance(came, (Refused, IntegrityError))
    assert can_hold(Campaign.objects.get(pk=campaign.pk))


def test_two_workers_never_claim_the_same_letter() -> None:
    residents(12)
    campaign = make_campaign(stage=Stage.SENDING)
    barrier = threading.Barrier(4)

    def work() -> list[int]:
        found: list[int] = []
        connection.ensure_connection()
        barrier.wait(PATIENCE)
        while ids := queue.claim(campaign, most=2)[1]:
            found += ids
        return found

    threads = [background(work) for _worker in range(4)]
    for thread, _said in threads:
        thread.join(PATIENCE)
    taken = [pk for _thread, said in threads for pk in said[0]]
    assert len(taken) == len(set(taken)) == 12


def test_a_claim_under_way_is_passed_over_not_waited_for() -> None:
    residents(4)
    campaign = make_campaign(stage=Stage.SENDING)
    with transaction.atomic():
        _mine, ids = queue.claim(campaign, most=2)
        thread, said = background(lambda: queue.claim(campaign, most=50)[1])
        thread.join(PATIENCE)
    assert len(said[0]) == 2
    assert not set(ids) & set(said[0])


def test_a_stop_waits_for_a_claim_and_cancels_it_too() -> None:
    residents(3)
    campaign = make_campaign(stage=Stage.SENDING)
    claims: list[Any] = []
    came = meanwhile(
        lambda: claims.append(queue.claim(campaign, most=2)),
        lambda: actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl"),
    )
    assert came.stage == Stage.STOPPED
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.CANCELLED}
    claimed_by, ids = claims[0]
    assert not queue.step(claimed_by, note=None, leaves=ids[0])
    queue.let_go(claimed_by)
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.CANCELLED}


def test_a_claim_during_a_stop_takes_nothing() -> None:
    residents(3)
    campaign = make_campaign(stage=Stage.SENDING)
    with transaction.atomic():
        actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl")
        thread, said = background(lambda: queue.claim(campaign)[1])
        thread.join(PATIENCE)
        assert said == [[]]
    assert queue.claim(campaign)[1] == []


@pytest.mark.parametrize("act", ["pause", "stop"])
def test_nothing_leaves_once_a_pause_or_a_stop_has_said_so(act: str) -> None:
    """A letter may be on its way out in the moment of the pause; after its commit no other is."""
    residents(3)
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign)
    more = {"reason": "Fejl"} if act == "stop" else {}
    assert queue.step(claimed_by, note=None, leaves=ids[0])
    getattr(actions, act)(campaign=campaign, by=campaign.created_by, **more)
    threads = [background(lambda pk=pk: queue.step(claimed_by, note=None, leaves=pk)) for pk in ids[1:]]
    for thread, said in threads:
        thread.join(PATIENCE)
        assert said == [False]
    assert Delivery.objects.filter(state=State.SENDING).count() == 1


def test_a_worker_steps_while_somebody_pauses() -> None:
    """The pause holds the mailout's row and has not committed: the worker isn't held up, and its next step says no."""
    residents(3)
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign)
    with transaction.atomic():
        safety.pause(campaign=campaign, by=campaign.created_by)
        thread, said = background(lambda: queue.step(claimed_by, note=None, leaves=ids[0]))
        thread.join(PATIENCE)
        assert said == [True]
    assert not queue.step(claimed_by, note=queue.sent(ids[0], clock.now()), leaves=ids[1])


def test_two_printers_make_each_letter_once() -> None:
    residents(3)
    campaign = make_campaign(stage=Stage.SENDING, policy="paper", paper_route="batch")
    came = meanwhile(
        lambda: actions.make_print_batch(campaign=campaign),
        lambda: actions.make_print_batch(campaign=campaign),
    )
    assert came is None
    assert campaign.print_batches.get().letters == 3


def test_fetching_a_part_waits_for_a_stop_and_is_refused() -> None:
    residents(2)
    campaign = make_campaign(stage=Stage.SENDING, policy="paper", paper_route="batch")
    batch = actions.make_print_batch(campaign=campaign)
    assert batch is not None
    came = meanwhile(
        lambda: actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl"),
        lambda: actions.fetch_print(batch=batch, by=campaign.created_by),
    )
    assert came.code == "stopped"
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.CANCELLED}


def test_sent_again_by_two_is_sent_once() -> None:
    residents(2)
    campaign = make_campaign(stage=Stage.SENDING)
    campaign.deliveries.update(state=State.FAILED, failure_code="refused")

    def again() -> int:
        return actions.send_again(campaign=campaign, by=campaign.created_by, state=State.FAILED)

    assert meanwhile(again, again) == 0
    assert campaign.deliveries.filter(state=State.QUEUED).count() == 2


def test_the_same_receipt_at_the_same_moment_is_taken_in_once() -> None:
    from mailouts.actions.after import AlreadyTaken
    from mailouts.models import Receipt
    from mailouts.receipts import Told

    residents(1)
    delivery = make_campaign(stage=Stage.SENDING).deliveries.get()
    told = Told("d" * 64, delivery.message_uuid, Receipt.Status.DELIVERED, "", "")
    came = meanwhile(lambda: actions.note_receipt(told=told), lambda: actions.note_receipt(told=told))
    assert isinstance(came, AlreadyTaken)
    assert Receipt.objects.count() == 1
