"""From the queue to the gateway: each once, and the truth of what came of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit import clock
from mailouts import actions, memo, queue
from mailouts.choices import Stage, State
from mailouts.memo_rules import problems_in
from mailouts.models import Campaign, Delivery, GatewayHealth
from mailouts.sending import Sender
from mailouts.tasks import send_letters
from tests.accounts.factories import make_resident
from tests.mailouts.factories import Gateway, make_campaign

pytestmark = pytest.mark.django_db


def states(campaign: Campaign) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_channel, state), count in campaign.deliveries.numbers().items():
        found[state] = found.get(state, 0) + count
    return found


def test_everyone_gets_one_letter(gateway: type[Gateway]) -> None:
    residents = [make_resident(name=f"Borger Nummer{number}") for number in range(5)]
    campaign = make_campaign(stage=Stage.APPROVED)

    assert send_letters() == 5

    campaign.refresh_from_db()
    assert campaign.stage == Stage.DONE
    assert states(campaign) == {State.SENT: 5}
    found = {}
    for uuid, _choice, xml in gateway.taken:
        message, wrong = problems_in(xml, now=clock.now())
        assert wrong == []
        assert message is not None
        assert message.uuid == uuid
        found[message.recipient.id] = message
    assert found.keys() == {each.cpr for each in residents}
    one = found[residents[0].cpr]
    assert one.label == f"Et brev til Borger ({campaign.subject[-2]})" or "Borger" in one.label
    assert one.body is not None
    assert "Kære Borger Nummer" in one.body.main.files[0].decoded().decode()
    assert send_letters() == 0


def test_what_failed_is_tried_again_later_with_the_same_uuid(gateway: type[Gateway]) -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    uuid = campaign.deliveries.get().message_uuid
    gateway.answers = ["fail"]
    send_letters()
    delivery = campaign.deliveries.get()
    assert delivery.state == State.QUEUED
    assert delivery.due_at > clock.now() + timedelta(seconds=60)
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert send_letters() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.message_uuid) == (State.SENT, 2, uuid)


def test_what_nobody_answered_for_is_uncertain_and_never_sent_again(gateway: type[Gateway]) -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    gateway.answers = ["silent"]
    send_letters()
    assert states(campaign) == {State.UNCERTAIN: 1}
    for hours in range(1, 50, 7):
        with clock.frozen(clock.now() + timedelta(hours=hours)):
            send_letters()
    assert len(gateway.taken) == 1
    assert states(campaign) == {State.UNCERTAIN: 1}
    with pytest.raises(IntegrityError, match="a new attempt has a new UUID"), transaction.atomic():
        campaign.deliveries.update(state=State.QUEUED)


def test_an_interrupted_send_is_uncertain_and_what_had_not_left_goes_back(gateway: type[Gateway]) -> None:
    for _number in range(3):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign)
    assert len(ids) == 3
    assert queue.step(claimed_by, note=None, leaves=ids[0])
    assert queue.give_up_interrupted() == (0, 0)
    with clock.frozen(clock.now() + queue.CLAIM_LASTS + timedelta(seconds=1)):
        assert queue.give_up_interrupted() == (2, 1)
        assert not queue.step(claimed_by, note=None, leaves=ids[1]), "the dead worker's claim is no claim"
        assert send_letters() == 2
    assert states(campaign) == {State.UNCERTAIN: 1, State.SENT: 2}


def test_leaving_is_asked_twice_and_answered_alike(gateway: type[Gateway]) -> None:
    """A cut connection hides whether the step was taken: asked again with the same moment it says yes again."""
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign)
    with clock.frozen(clock.now()):
        assert queue.step(claimed_by, note=None, leaves=ids[0])
        assert queue.step(claimed_by, note=None, leaves=ids[0])
    assert campaign.deliveries.get().attempts == 1
    assert not queue.step(claimed_by, note=None, leaves=ids[0]), "another moment is another letter"


def test_a_pause_stops_what_is_claimed_already(gateway: type[Gateway]) -> None:
    for _number in range(4):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign)
    assert queue.step(claimed_by, note=None, leaves=ids[0])
    actions.pause(campaign=campaign, by=campaign.created_by)
    note = queue.sent(ids[0], clock.now())
    assert not queue.step(claimed_by, note=note, leaves=ids[1])
    assert states(campaign) == {State.SENT: 1, State.CLAIMED: 3}
    queue.let_go(claimed_by)
    assert send_letters() == 0
    actions.resume(campaign=campaign, by=campaign.created_by)
    assert send_letters() == 3


def test_a_gateway_that_is_down_is_left_alone(gateway: type[Gateway]) -> None:
    for _number in range(20):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    gateway.answers = ["silent"] * 50
    send_letters()
    assert states(campaign)[State.UNCERTAIN] == 5, "after five in a row nothing more is risked"
    health = GatewayHealth.objects.get()
    assert health.open_until is not None
    assert send_letters() == 0
    gateway.answers = ["lost"]
    with clock.frozen(health.open_until + timedelta(seconds=1)):
        send_letters()
        assert states(campaign)[State.UNCERTAIN] == 6, "one letter on trial"
        again = GatewayHealth.objects.get().open_until
        assert again is not None
        assert again - clock.now() > timedelta(seconds=30), "and a longer rest"
    with clock.frozen(again + timedelta(seconds=1)):
        assert send_letters() == 14
    assert GatewayHealth.objects.get().failures == 0


def test_a_speed_limit_is_shared(gateway: type[Gateway]) -> None:
    for _number in range(20):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING, per_minute=60)
    with Sender() as sender:
        start = clock.now()
        went = []
        for second in range(0, 10, 2):
            with clock.frozen(start + timedelta(seconds=second)):
                went.append(sender.send_batch(campaign, until=float("inf")) or 0)
    assert went == [1, 2, 2, 2, 2]


def test_who_has_moved_since_is_left_out(gateway: type[Gateway]) -> None:
    stays, moved = make_resident(), make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    moved.status = "80"
    moved.save(update_fields=["status"])
    send_letters()
    assert states(campaign) == {State.SENT: 1, State.LEFT_OUT: 1}
    assert [problems_in(xml, now=clock.now())[0].recipient.id for _u, _c, xml in gateway.taken] == [stays.cpr]


def test_the_same_person_twice_is_refused_by_the_database() -> None:
    make_resident()
    campaign = actions.build_list(campaign=make_campaign())
    first = campaign.deliveries.get()
    with pytest.raises(IntegrityError, match="delivery_once"), transaction.atomic():
        Delivery.objects.create(
            campaign=campaign, recipient_key=first.recipient_key, channel="digital", due_at=clock.now()
        )


def test_memo_reads_what_is_sent(gateway: type[Gateway]) -> None:
    make_resident(name="Åse <b>Ø</b> & Søn")
    make_campaign(stage=Stage.SENDING, text="Kære {navn}\n\n**Vigtigt**")
    send_letters()
    message = memo.read(gateway.taken[0][2])
    assert message.body is not None
    html = message.body.main.files[0].decoded().decode()
    assert "Åse &lt;b&gt;Ø&lt;/b&gt; &amp; Søn" in html


@pytest.mark.parametrize("off", ["hashjoin", "hashagg, sort", "hashjoin, mergejoin, hashagg, sort, material"])
def test_a_claim_takes_no_more_than_it_may_however_the_database_plans_it(off: str) -> None:
    """A subquery with LIMIT and SKIP LOCKED that is carried out again for every row takes other rows each time."""
    for _number in range(12):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    with connection.cursor() as cursor:
        for each in off.split(", "):
            cursor.execute(f"SET LOCAL enable_{each} = off")
        assert len(queue.claim(campaign, most=2)[1]) == 2
    assert states(campaign) == {State.CLAIMED: 2, State.QUEUED: 10}
