"""Processes and connections are killed while forty vote: nothing lost, nothing twice, nobody thanked without a vote."""

import json
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from budgets import actions
from budgets.models import Ballot, CountedBallot, Roll
from tests.budgets.factories import again, close, make_round, make_voter
from tests.services import with_path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PROCESSES, THREADS, VOTERS = 4, 10, 400


def start(round, voters):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.budgets.voters", str(THREADS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        start_new_session=True,
    )
    work = {"round": round.pk, "choice": "1", "voters": [voter.handle for voter in voters]}
    process.stdin.write(json.dumps(work).encode() + b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"ready\n", process.stderr.read()[-2000:]
    return process


def go(processes):
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.close()


def lines(process):
    text = process.stdout.read().decode()
    process.stderr.read()
    process.wait(60)
    process.stdout.close()
    process.stderr.close()
    return [line.split() for line in text.splitlines() if line]


def cut_connections(database, times, pause):
    """Break the connections of those who vote right now, some at a time."""
    broken = 0
    server = with_path(os.environ["MIGRATE_DATABASE_URL"], "postgres")
    with psycopg.connect(server, autocommit=True) as owner:
        for _ in range(times):
            broken += len(
                owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend' AND query LIKE %s ORDER BY random() LIMIT 5",
                    [database, "%budgets_ballot%"],
                ).fetchall()
            )
            time.sleep(pause)
    return broken


def test_nothing_is_lost_and_nobody_is_thanked_without_a_vote():
    from django.db import connection

    round = make_round()
    voters = [make_voter() for _ in range(VOTERS)]
    share = VOTERS // PROCESSES
    running = [start(round, voters[n * share : (n + 1) * share]) for n in range(PROCESSES)]
    go(running)
    first = [running[0].stdout.readline().decode().split() for _ in range(THREADS)]
    broken = cut_connections(connection.settings_dict["NAME"], times=3, pause=0)
    os.killpg(running[0].pid, signal.SIGKILL)
    broken += cut_connections(connection.settings_dict["NAME"], times=10, pause=0.02)
    said = [lines(process) for process in running]
    said[0] += first

    by_handle = {voter.handle: voter.person_id for voter in voters}
    thanked = {by_handle[line[1]] for each in said for line in each if line[0] == "thanks"}
    cut = {by_handle[line[1]] for each in said for line in each if line[0] == "cut"}
    assert not [line for each in said for line in each if line[0] == "refused"]
    assert [["done"] in each for each in said] == [False, True, True, True]
    assert broken
    assert cut

    on_roll = set(Roll.objects.values_list("person", flat=True))
    assert Roll.objects.count() == Ballot.objects.count() == len(on_roll)
    assert thanked <= on_roll  # nobody was thanked without a vote
    # whoever is on the roll and was not thanked, was cut before the answer: by the database or with the process
    killed_process = {by_handle[voter.handle] for voter in voters[:share]} - thanked
    in_flight = (on_roll - thanked - cut) & killed_process
    assert on_roll == thanked | (on_roll & cut) | in_flight
    assert len(in_flight) <= THREADS

    # and everyone who was cut can find out: a second attempt votes, or says that the vote is there
    again_for = [voter for voter in voters if voter.person_id not in thanked]
    second = start(round, again_for)
    go([second])
    retry = lines(second)
    refused = {by_handle[line[1]] for line in retry if line[0] == "refused"}
    assert {line[2] for line in retry if line[0] == "refused"} <= {"already_voted"}
    assert refused == on_roll - thanked
    assert Roll.objects.count() == Ballot.objects.count() == VOTERS

    close(round)
    sealed = actions.seal_round(round=again(round), by=None)
    assert sealed.ballot_count == CountedBallot.objects.count() == VOTERS


def test_sealing_that_is_killed_half_way_has_not_happened(monkeypatch):
    """Whatever breaks before the commit, the urn is as it was."""
    round = make_round()
    for _ in range(5):
        actions.cast_ballot(round=round, by=make_voter(), choices=[("1", 1)], tracker=None)
    before = sorted(Ballot.objects.values_list("pk", flat=True))
    close(round)

    def power_cut(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("budgets.actions.rounds.audit.record", power_cut)
    with pytest.raises(KeyboardInterrupt):
        actions.seal_round(round=round, by=None)
    assert sorted(Ballot.objects.values_list("pk", flat=True)) == before
    assert not CountedBallot.objects.exists()
    assert again(round).state == "voting"
    monkeypatch.undo()
    assert actions.seal_round(round=round, by=None).ballot_count == 5
