"""Paris' year: 158,000 ballots and 100 projects, from the urn to the recount; a large city in seven pots. Figures are printed with `-s`."""

import json
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
from budgets.models import Ballot, Pot, Roll
from participation import clock
from tests.accounts.factories import make_district
from tests.budgets.factories import again, close, make_budget, make_project, make_round
from tests.patience import PATIENCE, seconds_here

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.load]

BALLOTS, IN_POTS, PROJECTS = 158_000, 40_000, 100
ROOT = Path(__file__).resolve().parents[2]


def fill(round, times):
    """Roll and urn as if so many had voted, written in bulk."""
    liked = {entry["number"]: random.random() ** 2 for entry in round.paper}
    paper = ballots.round_paper(round)
    districts = [part.key for part in paper.of_districts]

    def ballot(pot):
        chosen = set()
        for part in paper.for_pot(pot):
            numbers = list(part.prices)
            chosen |= set(random.choices(numbers, [liked[n] for n in numbers], k=10))
        return ballots.encrypt(tuple(sorted((n, 1) for n in chosen)), round=round, channel="web", pot=pot)

    people = [uuid.uuid4() for _ in range(times)]
    pots = [random.choice(districts) if districts else "" for _ in people]
    with connection.cursor() as cursor, cursor.copy("COPY accounts_person (id) FROM STDIN") as copy:
        for person in people:
            copy.write_row((person,))
    day = clock.today()
    _copy(
        Roll,
        ("id", "round_id", "person_id", "channel", "pot", "day", "age_band", "sex"),
        (
            (uuid.uuid4(), round.pk, person, "web", pot, day, "25-34", "F")
            for person, pot in zip(people, pots, strict=True)
        ),
    )
    _copy(
        Ballot,
        ("id", "round_id", "channel", "pot", "choices", "tracker"),
        ((uuid.uuid4(), round.pk, "web", pot, ballot(pot), "") for pot in pots),
    )
    assert Person.objects.count() >= times


def one_sum():
    return make_round(
        [random.randint(5, 300) * 1000 for _ in range(PROJECTS)],
        total=5_000_000,
        max_choices=10,
        counting_rule="greedy",
    )


def in_pots():
    """Forty projects for the whole city and ten in each of six districts, whose leftovers go to the city."""
    pots = [{"name": "Hele byen", "district": None, "total": 2_000_000}]
    pots += [
        {"name": f"Distrikt {n}", "district": make_district(name=f"Distrikt {n}").pk, "total": 500_000}
        for n in range(1, 7)
    ]
    process = make_budget(
        pots=pots,
        total=5_000_000,
        max_cost=300_000,
        max_choices=10,
        district_vote="chosen",
        leftover="to_city",
        part_funding=True,
    )
    for pot in Pot.objects.filter(budget=process.pk):
        for _ in range(40 if pot.district_id is None else 10):
            make_project(process, price=random.randint(5, 300) * 1000, pot=pot)
    return actions.open_round(process=process, by=None)


@pytest.mark.parametrize(("opened", "cast"), [(one_sum, BALLOTS), (in_pots, IN_POTS)])
def test_a_year_of_paris_is_sealed_counted_and_recounted(opened, cast, tmp_path):
    round = opened()
    fill(round, cast)
    close(round)
    started = time.monotonic()
    sealed = actions.seal_round(round=again(round), by=None)
    sealing = time.monotonic() - started
    assert sealed.ballot_count == cast

    started, cpu = time.monotonic(), time.process_time()
    counted = actions.count_round(round=sealed, by=None)
    counting, of_cpu = time.monotonic() - started, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{cast} ballots: sealed in {sealing:.1f} s, counted in {counting:.1f} s ({of_cpu:.1f} s of CPU here), "
        f"{memory:.0f} MB at most"
    )
    assert of_cpu < seconds_here(10)
    assert memory < 1024
    assert sealing < min(seconds_here(90), 120)  # what a task may take

    published = election.published_files(again(round))
    assert [file.sha256 for file in published.values()] == [row["sha256"] for row in sealed.files]
    for file in published.values():
        (tmp_path / file.name).write_bytes(file.content)
        assert sum(pabulib.parse(file.content).election.ballots.values()) == file.ballots
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "budgets" / "recount.py"),
            *(file.name for file in published.values()),
            "--json",
        ],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    print(f"{len(published)} files, recounted in {time.monotonic() - started:.1f} s")
    assert json.loads(done.stdout)["winners"] == counted.winners
