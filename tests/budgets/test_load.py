"""Paris' year: 158,000 ballots and 100 projects, from the urn to the recount. Figures are printed with `-s`."""

import random
import resource
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Person
from budgets import actions, ballots, election, pabulib
from budgets.actions.rounds import _copy
from budgets.counting import count
from budgets.models import Ballot, Roll
from participation import clock
from tests.budgets.factories import again, close, make_round

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.load]

BALLOTS, PROJECTS = 158_000, 100
ROOT = Path(__file__).resolve().parents[2]


def fill(round, times):
    """Roll and urn as if so many had voted, written in bulk."""
    numbers = [entry["number"] for entry in round.paper]
    weights = [random.random() ** 2 for _ in numbers]

    def ballot():
        chosen = set(random.choices(numbers, weights, k=10))
        return ballots.encrypt(tuple(sorted((n, 1) for n in chosen)), round=round, channel="web")

    people = [uuid.uuid4() for _ in range(times)]
    with connection.cursor() as cursor, cursor.copy("COPY accounts_person (id) FROM STDIN") as copy:
        for person in people:
            copy.write_row((person,))
    day = clock.today()
    _copy(
        Roll,
        ("id", "round_id", "person_id", "channel", "day", "age_band", "sex"),
        ((uuid.uuid4(), round.pk, person, "web", day, "25-34", "F") for person in people),
    )
    _copy(
        Ballot,
        ("id", "round_id", "channel", "pot", "choices", "tracker"),
        ((uuid.uuid4(), round.pk, "web", "", ballot(), "") for _ in people),
    )
    assert Person.objects.count() >= times


def test_a_year_of_paris_is_sealed_counted_and_recounted(tmp_path):
    round = make_round(
        [random.randint(5, 300) * 1000 for _ in range(PROJECTS)],
        total=5_000_000,
        max_choices=10,
        counting_rule="greedy",
    )
    fill(round, BALLOTS)
    close(round)
    started = time.monotonic()
    sealed = actions.seal_round(round=again(round), by=None)
    sealing = time.monotonic() - started
    assert sealed.ballot_count == BALLOTS

    started = time.monotonic()
    counted = actions.count_round(round=sealed, by=None)
    counting = time.monotonic() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{BALLOTS} ballots: sealed in {sealing:.1f} s, counted in {counting:.1f} s, {memory:.0f} MB at most"
    )
    assert counting < 10
    assert memory < 1024
    assert sealing < 90  # a task may take 120 s

    file = tmp_path / "paris.pb"
    published = election.published_files(again(round))[""]
    assert published.sha256 == sealed.files[0]["sha256"]
    file.write_bytes(published.content)
    parsed = pabulib.parse(file.read_bytes())
    assert list(count(parsed.election, parsed.rule).winners) == counted.winners
    done = subprocess.run(
        [sys.executable, str(ROOT / "budgets" / "recount.py"), str(file), "--json"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert f'"{counted.winners[0]}"'.encode() in done.stdout
