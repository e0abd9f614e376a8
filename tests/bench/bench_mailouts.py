"""What a mailout costs, at sizes of a parish, a town and a municipality. `make bench` runs it; docs/benchmarks.md tells how
to read it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.services import ROOT
from mailouts import actions, paper, queue, recipients
from mailouts.choices import Stage
from mailouts.content import Prepared
from tests.bench.conftest import Bench
from tests.mailouts import cost, storm
from tests.mailouts.factories import make_campaign
from tests.mailouts.storm import FAIR, Weather
from tests.mailouts.test_storm import check
from tests.processes import Running

pytestmark = [pytest.mark.django_db(transaction=True)]

SIZES = (2_000, 10_000, 40_000)
MB = 1024 * 1024
peaks: dict[int, int] = {}  # letters: bytes of the worker that held most


@pytest.fixture
def send(
    start_process: Callable[..., Running],
    celery_worker_process: Callable[..., Running],
    web_process: Callable[..., Running],
    tmp_path: Path,
) -> Callable[..., storm.Outcome]:
    def run(letters: int, weather: Weather, *, receipts: bool) -> storm.Outcome:
        outcome = storm.run(
            letters,
            start_process=start_process,
            celery_worker_process=celery_worker_process,
            web_process=web_process if receipts else None,
            folder=tmp_path,
            weather=weather,
        )
        peaks[letters] = outcome.peak
        return outcome

    return run


def bench_one_letter(
    bench: Bench, start_process: Callable[..., Running], tmp_path: Path, settings: Any
) -> None:
    gateway = storm.StandIn.start(start_process, tmp_path, deduplicate=False, keep_contents=False)
    settings.DIGITAL_POST = cost.against(gateway)
    settings.CLOCK_FILE = ""  # as in production
    storm.make_residents(21 * queue.BATCH)
    found = cost.measure(storm.make_letter(stage=Stage.SENDING), gateway, rounds=20)
    for against, words, goal in (
        ("gateway", "one letter ÷ base64 and the same request", 3.0),
        ("bare", "one letter ÷ base64 and a request that is only read", None),
    ):
        for what in ("wall", "cpu"):
            bench.line(
                f"{words}, {what}, ms",
                1000 * found.middle("ours", what),
                yardstick=1000 * found.middle(against, what),
                ratio=found.times(against, what),
                goal=goal,
            )


@pytest.mark.parametrize("letters", SIZES[:2])
def bench_fair_weather(bench: Bench, send: Callable[..., storm.Outcome], letters: int) -> None:
    outcome = send(letters, FAIR, receipts=False)
    assert outcome.taken == len(outcome.letters_to) == letters
    bench.line(f"{letters:,} letters, two workers, letters/s", letters / outcome.seconds)


def bench_storm(bench: Bench, send: Callable[..., storm.Outcome]) -> None:
    letters = SIZES[-1]
    weather = Weather(deduplicate=False, pause=(1.0, 6.0))
    outcome = send(letters, weather, receipts=True)
    check(outcome, letters)
    bench.line(f"{letters:,} letters in a storm, letters/s", letters / outcome.seconds)
    bench.line("the workers' CPU, ms a letter", 1000 * outcome.cpu / letters)
    bench.line("uncertain", len(outcome.uncertain), goal=weather.kills)
    bench.line("people with two letters", outcome.numbers["recipients_with_several"], goal=0)
    for size in sorted(peaks):
        bench.line(f"a worker's memory at {size:,} letters, MB", peaks[size] / MB)
    if len(peaks) > 1:
        bench.line(
            "a worker's memory, largest ÷ smallest",
            max(peaks.values()) / MB,
            yardstick=min(peaks.values()) / MB,
            goal=1.15,
        )


def bench_lists(bench: Bench) -> None:
    """One list after the other, each for all who are on the register by then."""
    per_letter: dict[int, float] = {}
    for size in SIZES:
        storm.make_residents(size)
        campaign = make_campaign(source={})
        built = subprocess.run(
            [sys.executable, "-m", "tests.bench.building", str(campaign.pk)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        found = json.loads(built.stdout)
        assert found["letters"] == size
        per_letter[size] = found["seconds"] / size
        bench.line(f"a list of {size:,}, seconds", found["seconds"])
        bench.line(f"a list of {size:,}, MB at most", found["memory"] / MB, goal=100)
    bench.line(
        f"a list of {SIZES[-1]:,} ÷ of {SIZES[0]:,}, ms a letter",
        1000 * per_letter[SIZES[-1]],
        yardstick=1000 * per_letter[SIZES[0]],
        goal=2.0,
    )


def bench_paper(bench: Bench) -> None:
    storm.make_residents(paper.PART)
    campaign = storm.make_letter(stage=Stage.DRAFT, policy="paper")
    actions.build_list(campaign=campaign)
    prepared = Prepared.of(campaign)
    people = recipients.read(campaign.deliveries.values_list("pk", flat=True), fields=prepared.fields)
    sheets = [prepared.sheet(who) for who in people]
    letter = prepared.letter_to(people[0])
    paper.letter_pdf(letter, sheets[0])
    alone = 20
    began = time.perf_counter()
    for sheet in sheets[:alone]:
        paper.letter_pdf(letter, sheet)
    bench.line("a letter on paper by itself, ms", 1000 * (time.perf_counter() - began) / alone)
    began = time.perf_counter()
    paper.batch_pdf(letter, sheets)
    bench.line(f"in a part of {paper.PART}, ms a letter", 1000 * (time.perf_counter() - began) / len(sheets))
