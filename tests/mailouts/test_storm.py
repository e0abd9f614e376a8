"""Nobody gets two letters, whatever is killed, cut or silent; and everybody has one or stands on the list of the uncertain."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mailouts.choices import State
from tests.mailouts import storm
from tests.mailouts.storm import Weather
from tests.processes import Running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

LETTERS = 2_000


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
    ("deduplicate", "env"),
    [(True, {}), (False, {"DATABASE_POOL": "1"})],
    ids=["the gateway drops a second one", "the gateway takes whatever comes, connections pooled"],
)
def test_one_letter_each(
    deduplicate: bool,
    env: dict[str, str],
    start_process: Callable[..., Running],
    celery_worker_process: Callable[..., Running],
    web_process: Callable[..., Running],
    tmp_path: Path,
) -> None:
    outcome = storm.run(
        LETTERS,
        start_process=start_process,
        celery_worker_process=celery_worker_process,
        web_process=web_process,
        folder=tmp_path,
        weather=Weather(deduplicate=deduplicate),
        env=env,
        log=print,
    )
    assert outcome.cut
    assert outcome.numbers["counts"]["fail"]
    assert outcome.numbers["counts"]["time_out"]
    check(outcome, LETTERS)
