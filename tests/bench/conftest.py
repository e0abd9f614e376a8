"""What `make bench` measures is said as it comes, one JSON object for each line, and once more as a table at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest


@dataclass(frozen=True)
class Line:
    """`ratio` is ours ÷ yardstick. The goal is the most that the ratio may be, or ours where there is no yardstick; without a
    goal the line only tells."""

    name: str
    ours: float
    yardstick: float | None
    ratio: float | None
    goal: float | None
    met: bool | None


@dataclass
class Bench:
    lines: list[Line] = field(default_factory=list)

    def line(
        self,
        name: str,
        ours: float,
        *,
        yardstick: float | None = None,
        ratio: float | None = None,
        goal: float | None = None,
    ) -> None:
        if yardstick is not None and ratio is None:
            ratio = ours / yardstick
        judged = ours if ratio is None else ratio
        made = Line(
            name,
            float(f"{ours:.4g}"),
            None if yardstick is None else float(f"{yardstick:.4g}"),
            None if ratio is None else float(f"{ratio:.3g}"),
            goal,
            None if goal is None else judged <= goal,
        )
        self.lines.append(made)
        print(json.dumps(asdict(made), ensure_ascii=False), flush=True)


_bench = Bench()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Fails at the end of a benchmark that missed a goal, when all of its lines have been said."""
    begun = len(_bench.lines)
    yield _bench
    missed = [each.name for each in _bench.lines[begun:] if each.met is False]
    if missed:
        pytest.fail("Goals missed: " + "; ".join(missed), pytrace=False)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:g}"

    width = max((len(each.name) for each in _bench.lines), default=0)
    head = f"{'':<{width}} {'ours':>10} {'yardstick':>10} {'ratio':>7} {'goal':>7}"
    terminalreporter.write_line(f"\n{head}")
    for each in _bench.lines:
        met = {True: "met", False: "MISSED", None: ""}[each.met]
        goal = "" if each.goal is None else f"≤ {each.goal:g}"
        terminalreporter.write_line(
            f"{each.name:<{width}} {shown(each.ours):>10} {shown(each.yardstick):>10} {shown(each.ratio):>7} {goal:>7} {met}"
        )
