"""A letter costs a worker little more than what can't be spared: base64 and one request."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailouts import queue
from mailouts.choices import Stage
from tests.mailouts import cost, storm
from tests.processes import Running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.load]

GOAL = 3.0


def test_a_letter_costs_little_more_than_a_request(
    start_process: Callable[..., Running], tmp_path: Path, settings: Any
) -> None:
    gateway = storm.StandIn.start(start_process, tmp_path, deduplicate=False, keep_contents=False)
    settings.DIGITAL_POST = cost.against(gateway)
    settings.CLOCK_FILE = ""  # as in production
    storm.make_residents(4 * queue.BATCH)
    found = cost.measure(storm.make_letter(stage=Stage.SENDING), gateway, rounds=3)
    times = {
        (against, what): found.times(against, what)
        for against in ("gateway", "bare")
        for what in ("cpu", "wall")
    }
    print({key: round(value, 2) for key, value in times.items()})
    assert times["gateway", "wall"] <= GOAL
    assert times["gateway", "cpu"] <= GOAL
