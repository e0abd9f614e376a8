"""At the same moment, on real connections: one vote each, and no vote lost or late where the urn is sealed."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.verdict import Refused
from budgets import actions
from budgets.actions import implementation as carrying
from budgets.actions import open_round, record_meeting
from budgets.actions.setup import update_budget
from budgets.models import Ballot, CountedBallot, Grant, Implementation, Roll, Round
from participation import clock
from participation.frozen import amending
from tests.budgets import staged
from tests.budgets.carrying import decided, published
from tests.budgets.factories import make_budget, make_project, make_round, make_voter, seal
from tests.databases import waiting_for_locks
from tests.patience import PATIENCE, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def together(jobs):
    """Run all at once, each on its own connection; what each returned or raised."""
    barrier = threading.Barrier(len(jobs))
    said = [None] * len(jobs)

    def run(place, job):
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE)
            said[place] = job()
        except Exception as error:
            said[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return said


def codes(said):
    return sorted(each.code if isinstance(each, Refused) else repr(each) for each in said)


def test_two_hundred_attempts_by_the_same_person_are_one_vote():
    round, voter = make_round(), make_voter()

    def attempt(number):
        return lambda: actions.cast_ballot(
            round=round, by=voter, choices=[(str(number % 4 + 1), 1)], tracker=None
        )

    said = together([attempt(number) for number in range(200)])
    assert codes(said) == sorted(["None"] + ["already_voted"] * 199)
    assert (Roll.objects.count(), Ballot.objects.count()) == (1, 1)
    assert seal(round).ballot_count == 1


def test_votes_cast_while_the_urn_is_sealed_are_counted_or_refused_never_lost():
    round = make_round()
    voters = [make_voter() for _ in range(30)]
    closes = round.phase.interval.upper
    in_time, sealing = closes - timedelta(seconds=1), closes + timedelta(minutes=6)

    def cast(voter):
        return lambda: actions.cast_ballot(
            round=round, by=voter, choices=[("1", 1)], tracker=None, at=in_time
        )

    jobs = [cast(voter) for voter in voters]
    jobs.insert(15, lambda: actions.seal_round(round=round, by=None, at=sealing) and None)
    said = together(jobs)
    assert set(codes(said)) <= {"None", "closed"}
    told_thanks = codes(said).count("None") - 1  # the sealing itself
    round = Round.objects.get()
    assert round.state == Round.State.SEALED
    assert Roll.objects.count() == CountedBallot.objects.count() == round.ballot_count == told_thanks
    assert not Ballot.objects.exists()


def background(job):
    """Run beside the test on its own connection; `join` gives what it returned or raised."""
    said = []

    def run():
        try:
            said.append(job())
        except Exception as error:
            said.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, said


def test_a_vote_under_way_is_waited_for_by_the_sealing():
    """One step at a time: the cast is held in the middle of its statement while the sealing begins. Red when neither the
    table nor the round is locked: then the urn is emptied of a vote that was never counted."""
    round, voter = make_round(), make_voter()
    closes = round.phase.interval.upper
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(  # the same person on the roll, not committed: ON CONFLICT waits to see what becomes of it
                "INSERT INTO budgets_roll (id, round_id, person_id, channel, pot, day, age_band, sex)"
                " VALUES (gen_random_uuid(), %s, %s, 'web', '', '2026-01-01', '', '')",
                [round.pk, voter.person_id],
            )
            in_time = closes - timedelta(seconds=1)
            casting, cast = background(
                lambda: actions.cast_ballot(
                    round=round, by=voter, choices=[("1", 1)], tracker=None, at=in_time
                )
            )
            wait_for(lambda: waiting_for_locks() == 1)
            sealing, sealed = background(
                lambda: actions.seal_round(round=round, by=None, at=closes + timedelta(minutes=6))
            )
            wait_for(lambda: waiting_for_locks() == 2)
            assert not sealed
            cursor.execute("ROLLBACK")
    finally:
        holder.close()
    casting.join(PATIENCE)
    sealing.join(PATIENCE)
    assert cast == [None]
    assert sealed[0].ballot_count == 1
    assert CountedBallot.objects.count() == Roll.objects.count() == 1


def test_sealing_locks_in_the_order_that_a_cast_does():
    """The table, then the round. The other way round a cast that waits for the round while it holds the table, and a
    sealing that waits for the table while it holds the round, would wait for each other."""
    round = make_round()
    at = round.phase.interval.upper + timedelta(minutes=6)
    with CaptureQueriesContext(connection) as captured:
        actions.seal_round(round=round, by=None, at=at)
    said = [query["sql"] for query in captured]
    table = next(place for place, sql in enumerate(said) if sql.startswith("LOCK TABLE budgets_ballot"))
    row = next(place for place, sql in enumerate(said) if "FOR UPDATE" in sql)
    assert table < row


def test_voters_do_not_wait_for_each_other():
    round, voter = make_round(), make_voter()
    from django.db import transaction

    held, go_on = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT id FROM budgets_round WHERE id = %s FOR SHARE", [round.pk])
                held.set()
                go_on.wait(PATIENCE)
        finally:
            connection.close()

    other = threading.Thread(target=slow)
    other.start()
    assert held.wait(PATIENCE)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    try:
        actions.cast_ballot(round=round, by=voter, choices=[("1", 1)], tracker=None)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        go_on.set()
        other.join(PATIENCE)
    assert Roll.objects.count() == 1


def test_a_round_is_opened_and_sealed_once_however_many_ask():
    process = make_budget()
    for _ in range(3):
        make_project(process)
    said = together([lambda: actions.open_round(process=process).pk for _ in range(8)])
    assert len(set(said)) == 1
    assert Round.objects.count() == 1
    round = Round.objects.for_voting().get()
    at = round.phase.interval.upper + timedelta(minutes=6)
    said = together([lambda: actions.seal_round(round=round, by=None, at=at) and None for _ in range(4)])
    assert codes(said) == sorted(["None"] + ["already_sealed"] * 3)
    assert clock.now() < at


def test_two_payments_at_once_never_pass_the_grant():
    (one, _other) = decided(prices=(100_000, 50_000))
    one = published(one)
    owner = one.project.contribution.process.owner

    def pay():
        return carrying.record_payment(
            implementation=one, by=owner, amount=60_000, paid_on=clock.today(), text="Rate"
        )

    said = together([pay] * 8)
    refused = [each for each in said if isinstance(each, Refused)]
    assert [each.code for each in refused] == ["over_grant"] * 7
    assert Implementation.objects.get(pk=one.pk).paid == 60_000


def test_two_open_the_same_round_at_once_and_there_is_one():
    process = make_budget(pots=[{"name": "Hele byen", "district": None, "total": 500_000}])
    for _number in range(3):
        make_project(process)
    said = together([lambda: open_round(process=process) for _number in range(3)])
    assert [getattr(one, "pk", one) for one in said] == [Round.objects.get().pk] * 3
    assert sorted(Round.objects.get().ballot_projects.values_list("number", flat=True)) == ["1", "2", "3"]


def test_one_voter_in_two_pots_at_once_votes_in_one():
    process, pots, places = staged.two_rounds(district_vote="chosen")
    for key in ("hele-byen", "nord", "syd"):
        staged.propose(process, pots[key], key)
    round, voter = open_round(process=process), staged.voter(places["nord"])
    now = clock.now()
    said = together(
        [
            lambda pot=pot: staged.cast(round, voter, "hele-byen", pot, at=now, pot=pot)
            for pot in ("nord", "syd", "nord")
        ]
    )
    assert [getattr(one, "code", one) for one in said].count(None) == 1
    assert Roll.objects.get().pot == Ballot.objects.get().pot


def test_a_vote_and_a_change_of_the_pots_never_both_go_through():
    process, pots, places = staged.two_rounds()
    for key in ("hele-byen", "nord"):
        staged.propose(process, pots[key], key)

    def change():
        with transaction.atomic(), amending(process):
            type(process).objects.select_for_update().get(pk=process.pk)
            update_budget(process, district_vote="chosen")

    voter = staged.voter(places["nord"])
    said = together(
        [
            change,
            lambda: staged.cast(open_round(process=process), voter, "hele-byen", at=clock.now()),
        ]
    )
    assert said[1] is None
    changed = type(process.citizenbudget).objects.get().district_vote == "chosen"
    assert changed is (said[0] is None)
    assert Roll.objects.get().pot == ("" if changed else "nord")


def test_a_meeting_written_down_twice_at_once_is_one_meeting():
    process = make_budget(
        decided_by="meeting", procedure="Alle kan komme.", total=100_000, max_cost=60_000, last="meeting"
    )
    project = make_project(process, price=60_000)

    def record():
        return record_meeting(
            process=process,
            by=process.owner,
            held_at=clock.now() - timedelta(hours=1),
            place="Salen",
            participants=40,
            how="Med mærker.",
            minutes="Kort.",
            grants={project.pk: 60_000},
        )

    said = together([record, record])
    assert {getattr(one, "pk", one) for one in said} == {Round.objects.get().pk}
    assert Grant.objects.get().amount == 60_000
