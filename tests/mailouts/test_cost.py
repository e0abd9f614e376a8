"""A letter costs a worker little more than what can't be spared: base64 and one request."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
    storm.make_residents(600)
    found = cost.measure(storm.make_letter(stage=Stage.SENDING), gateway, rounds=5)
    print(found, f"CPU {found.cpu:.2f}, wall {found.wall:.2f}")
    assert found.cpu <= GOAL
    assert found.wall <= GOAL
