"""Processes and connections are killed while forty vote: nothing lost, nothing twice, nobody thanked without a vote."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta
from http.client import HTTPException
from urllib.parse import urlencode

import psutil
import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from budgets import actions, tasks
from budgets.models import Ballot, CountedBallot, Roll
from participation import clock
from tests.budgets.factories import again, close, make_round, make_voter
from tests.patience import PATIENCE
from tests.services import with_path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

PROCESSES, THREADS, VOTERS = 4, 10, 400
CSRF = "a" * 32


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
    process.wait(PATIENCE)
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


def thanks():
    """The receipt's heading in each language."""
    words = []
    for language in ("da", "en"):
        with translation.override(language):
            words.append(gettext("Thank you. Your vote has been cast."))
    return tuple(words)


def cookies_of(voter):
    client = Client()
    client.force_login(voter)
    return f"sessionid={client.cookies['sessionid'].value}; csrftoken={CSRF}"


def send(web, path, cookies):
    """One vote as the form sends it; what the voter sees: `thanks`, `refused` (with its page), or `cut`."""
    body = urlencode({"step": "cast", "choice": "1", "code": "no", "csrfmiddlewaretoken": CSRF})
    request = urllib.request.Request(
        web.url + path,
        body.encode(),
        {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            page = " ".join(answer.read().decode().split())
            return "thanks" if any(words in page for words in thanks()) else f"odd {answer.status}"
    except urllib.error.HTTPError as error:
        page = " ".join(error.read().decode().split())
        assert not any(words in page for words in thanks())
        return "refused" if error.code in {409, 422} else "cut"
    except (OSError, HTTPException):
        return "cut"


def test_over_http_with_a_web_worker_killed_and_connections_cut(web_process):
    """Forty browsers against gunicorn: what is thanked for on the screen is what is on the roll and in the urn."""
    round = make_round()
    voters = [make_voter() for _ in range(200)]
    path = reverse("budgets:vote", args=[round.process.slug])
    work = [(voter.person_id, cookies_of(voter)) for voter in voters]
    web = web_process(workers=3, threads=4)
    said, waiting, lock = {}, iter(work), threading.Lock()

    def browse():
        while True:
            with lock:
                person, cookies = next(waiting, (None, None))
            if person is None:
                return
            said[person] = send(web, path, cookies)

    browsers = [threading.Thread(target=browse) for _ in range(40)]
    for browser in browsers:
        browser.start()
    while len(said) < 20:
        time.sleep(0.01)
    victim = psutil.Process(web.pid).children()[0]
    victim.send_signal(signal.SIGKILL)
    broken, answered = 0, 0
    while len(said) < 190 and any(browser.is_alive() for browser in browsers):
        if (
            len(said) < answered + 12
        ):  # by answers, not by the clock: a slow machine has as many cut as a fast one
            time.sleep(0.01)
            continue
        answered = len(said)
        broken += cut_connections(connection.settings_dict["NAME"], times=1, pause=0)
    for browser in browsers:
        browser.join(PATIENCE)

    assert len(said) == len(voters)
    assert set(said.values()) <= {"thanks", "cut"}
    thanked = {person for person, answer in said.items() if answer == "thanks"}
    cut = said.keys() - thanked
    assert len(thanked) > 100
    assert cut
    on_roll = set(Roll.objects.values_list("person", flat=True))
    assert Roll.objects.count() == Ballot.objects.count() == len(on_roll)
    assert on_roll == thanked | (on_roll & cut)
    assert thanked <= on_roll

    # whoever was cut tries again, and is told the truth
    for person, cookies in work:
        if person in cut:
            assert send(web, path, cookies) == ("refused" if person in on_roll else "thanks")
    assert Roll.objects.count() == Ballot.objects.count() == len(voters)


def test_a_real_worker_seals_by_the_moved_clock_also_when_it_was_down_at_the_close(celery_worker_process):
    round = make_round()
    for _ in range(3):
        actions.cast_ballot(round=round, by=make_voter(), choices=[("1", 1)], tracker=None)
    tasks.seal_rounds.delay()  # too early: nothing to do
    clock.move(f"+{9 * 86400}")  # the close came and went two days ago, with no worker alive
    tasks.seal_rounds.delay()
    worker = celery_worker_process()
    worker.wait_until(lambda: again(round).state == "sealed", "The round was not sealed")
    sealed = again(round)
    assert sealed.ballot_count == CountedBallot.objects.count() == 3
    assert sealed.sealed_at - round.phase.interval.upper > timedelta(days=1)
