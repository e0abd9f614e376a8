"""Nobody gets two letters, whatever is killed, cut or silent; and everybody has one or stands on the list of the uncertain."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from config import services
from mailouts.choices import Stage, State
from mailouts.models import Campaign
from tests.mailouts import storm
from tests.mailouts.storm import Weather
from tests.patience import PATIENCE, wait_for
from tests.processes import Running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def check(outcome: storm.Outcome, letters: int) -> None:
    """What holds after any storm."""
    # Nobody has two, by the gateway's own count, and not because it dropped a second one.
    assert outcome.numbers["recipients_with_several"] == 0
    assert outcome.numbers["counts"].get("dropped", 0) == 0
    assert max(outcome.letters_to.values()) == 1
    # Everyone has one, or stands where a person looks.
    assert not outcome.letters_to.keys() & (outcome.uncertain | outcome.failed)
    assert len(outcome.letters_to.keys() | outcome.uncertain | outcome.failed) == letters
    # The report says what the gateway says.
    assert outcome.states.get(State.DELIVERED, 0) == outcome.taken == outcome.numbers["letters"]
    assert sum(outcome.states.values()) == letters
    assert outcome.states.get(State.UNCERTAIN, 0) == len(outcome.uncertain)
    assert outcome.states.keys() <= {State.DELIVERED, State.UNCERTAIN, State.FAILED}
    # Only a death in mid-letter leaves an uncertain one: what is merely cut from the database finds back.
    assert len(outcome.uncertain) <= outcome.kills
    # A letter that failed was refused five times.
    assert len(outcome.failed) <= 1 + letters // 10_000


@pytest.mark.parametrize(
    ("letters", "weather", "env"),
    [
        (2_000, Weather(deduplicate=False), {"DATABASE_POOL": "1"}),
        (600, Weather(deduplicate=True, kills=8, cuts=2), {}),
    ],
    ids=["the gateway takes whatever comes, connections pooled", "the gateway drops a second one"],
)
def test_one_letter_each(
    letters: int,
    weather: Weather,
    env: dict[str, str],
    start_process: Callable[..., Running],
    celery_worker_process: Callable[..., Running],
    web_process: Callable[..., Running],
    tmp_path: Path,
) -> None:
    outcome = storm.run(
        letters,
        start_process=start_process,
        celery_worker_process=celery_worker_process,
        web_process=web_process,
        folder=tmp_path,
        weather=weather,
        env=env,
        log=print,
    )
    assert outcome.cut
    assert outcome.numbers["counts"]["fail"]
    assert outcome.numbers["counts"]["time_out"]
    check(outcome, letters)


def states(campaign: Campaign) -> dict[str, int]:
    return {state: number for (_channel, state), number in campaign.deliveries.numbers().items()}


@pytest.fixture
def sending(
    start_process: Callable[..., Running], celery_worker_process: Callable[..., Running], tmp_path: Path
) -> tuple[Campaign, storm.StandIn, Callable[[], Running]]:
    """300 letters on their way through a slow gateway: the mailout, the gateway, and what starts a worker."""
    gateway = storm.StandIn.start(
        start_process, tmp_path, answer_delay=0.02, deduplicate=False, keep_contents=False
    )
    storm.make_residents(300)
    return (
        storm.make_letter(stage=Stage.SENDING),
        gateway,
        lambda: celery_worker_process(queues="mailouts", env=gateway.settings),
    )


@pytest.mark.parametrize("whole", [False, True], ids=["the parent alone", "every process of the group"])
def test_a_worker_that_is_asked_to_stop_leaves_nothing_uncertain(
    whole: bool, sending: tuple[Campaign, storm.StandIn, Callable[[], Running]]
) -> None:
    campaign, gateway, start_worker = sending
    worker = start_worker()
    with storm.beat():
        worker.wait_until(lambda: gateway.numbers()["letters"] >= 20, "Nothing was sent")
        worker.send(signal.SIGTERM) if whole else os.kill(worker.pid, signal.SIGTERM)
        worker.process.wait(PATIENCE)
    taken = gateway.numbers()["letters"]
    assert 20 <= taken < 300
    assert states(campaign) == {State.SENT: taken, State.QUEUED: 300 - taken}


def test_a_restarted_database_costs_no_letter(
    sending: tuple[Campaign, storm.StandIn, Callable[[], Running]],
) -> None:
    campaign, gateway, start_worker = sending
    if not (server := services.pids("test").get("postgresql")):
        pytest.skip("PostgreSQL is somebody else's")
    worker = start_worker()
    with storm.beat():
        worker.wait_until(lambda: gateway.numbers()["letters"] >= 20, "Nothing was sent")
        connection.close()
        os.kill(server, signal.SIGINT)  # a fast shutdown: connections are ended; its keeper starts it again
        wait_for(lambda: services.pids("test")["postgresql"] != server)
        worker.wait_until(lambda: gateway.numbers()["letters"] == 300, "Not all were sent")
        wait_for(lambda: _states_or_none(campaign) == {State.SENT: 300})
    assert gateway.numbers()["recipients"] == 300


def _states_or_none(campaign: Campaign) -> dict[str, int] | None:
    try:
        return states(campaign)
    except OperationalError:
        connection.close()
        return None
