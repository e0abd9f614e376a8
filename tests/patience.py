"""How long a test waits, and what a bound in seconds means, on a machine that is slow today.

Waiting costs nothing where what is waited for comes, so one patience serves all. What is *measured* is compared with the
machine: a bound holds for one that does the sum below in the time it took where the bound was set.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 180  # seconds; whoever waits longer waits for nothing
_SUM, _TOOK = 1_000_000, 0.03  # squares, and the seconds of CPU they took


def slowness() -> float:
    """How many times slower this machine is, at least 1."""

    def took() -> float:
        started = time.process_time()
        sum(n * n for n in range(_SUM))
        return time.process_time() - started

    return max(1.0, min(took() for _ in range(3)) / _TOOK)


def seconds_here(seconds: float) -> float:
    """So many seconds of this machine are that many where the bound was set."""
    return seconds * slowness()


def wait_for(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
