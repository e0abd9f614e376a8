"""How a check answers: passed, a warning, or blocking, with the reason and the field to mend."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    PASSED = "passed"
    WARNING = "warning"
    BLOCKING = "blocking"


class Principle(StrEnum):
    FRAMING = "framing"
    LISTENING = "listening"
    TIMING = "timing"
    TIME = "time"
    BREADTH = "breadth"
    FORMAT = "format"


class Gate(StrEnum):
    """Which step the finding speaks to: `approve` needs promises, `conclude` needs them kept."""

    APPROVE = "approve"
    CONCLUDE = "conclude"


@dataclass(frozen=True)
class Finding:
    """One check's answer. `key` is stable (overrides refer to it).

    `required`: the page can't be shown without it, so it can't be overridden; `statutory`: law, never overridden.
    """

    key: str
    principle: Principle
    level: Level
    message: Any
    field: str | None = None
    gate: Gate = Gate.APPROVE
    required: bool = False
    statutory: bool = False

    @property
    def may_be_overridden(self) -> bool:
        return self.level is Level.BLOCKING and not self.required and not self.statutory
