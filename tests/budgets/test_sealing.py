"""Sealing: every ballot out of the urn in random order, and nothing left that ties it to a voter."""

import base64
import random
import secrets
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions, ballots, election, results, tasks
from budgets.models import Ballot, Began, CountedBallot, Roll, Round
from participation import clock, lifecycle
from tests.budgets.factories import again, close, make_round, make_staff, make_voter, seal

pytestmark = pytest.mark.django_db(transaction=True)


def vote(round, times=20, tracker=False):
    """Voters with a different ballot each; returns {person: (numbers, code)}."""
    cast = {}
    numbers = [entry["number"] for entry in round.paper]
    for _ in range(times):
        voter = make_voter()
        chosen = tuple(sorted(random.sample(numbers, 3)))
        code = ballots.new_tracker() if tracker else None
        actions.cast_ballot(round=round, by=voter, choices=[(n, 1) for n in chosen], tracker=code)
        cast[voter.person_id] = (chosen, code)
    return cast


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_what_was_cast_is_what_comes_out():
    round = make_round()
    cast = vote(round, 12, tracker=True)
    actions.begin(round=round, by=make_voter())
    sealed = seal(round)
    assert sealed.state == Round.State.SEALED
    assert (sealed.ballot_count, sealed.ballots_per_channel) == (12, {"web": 12})
    out = {
        ballot.tracker: tuple(number for number, _points in ballot.choices)
        for ballot in CountedBallot.objects.all()
    }
    assert out == {ballots.tracker_hash(code, round=round): chosen for chosen, code in cast.values()}
    assert not Ballot.objects.exists()
    assert not Began.objects.exists()
    assert Roll.objects.count() == 12
    assert len(sealed.files[0]["sha256"]) == 64
    assert sealed.backups_to_destroy
    assert Entry.objects.filter(action="budgets.seal_round").get().values["sha256"] == [
        sealed.files[0]["sha256"]
    ]


def test_sealing_waits_for_the_close_and_the_last_votes():
    round = make_round()
    with pytest.raises(Refused) as caught:
        actions.seal_round(round=round, by=None)
    assert caught.value.code == "still_voting"
    closes = round.phase.interval.upper
    with pytest.raises(Refused):
        actions.seal_round(round=round, by=None, at=closes + timedelta(seconds=30))
    actions.seal_round(round=round, by=None, at=closes + timedelta(minutes=5))
    with pytest.raises(Refused) as caught:
        actions.seal_round(round=round, by=None, at=closes + timedelta(minutes=6))
    assert caught.value.code == "already_sealed"


def test_only_the_own_unit_may_seal():
    round = make_round()
    close(round)
    for by, code in (
        (make_staff(), "other_unit"),
        (make_voter(), "role"),
        (make_staff("councillor"), "role"),
    ):
        with pytest.raises(Refused) as caught:
            actions.seal_round(round=round, by=by)
        assert caught.value.code == code
    actions.seal_round(round=round, by=round.process.owner)
    assert again(round).sealed_by == round.process.owner


@pytest.mark.parametrize("spoil", ["lost ballot", "extra ballot", "another channel", "lost roll line"])
def test_nothing_is_sealed_when_roll_and_ballots_differ(spoil):
    round = make_round()
    vote(round, 5)
    if spoil == "lost ballot":
        Ballot.objects.first().delete()
    elif spoil == "lost roll line":
        Roll.objects.first().delete()
    elif spoil == "another channel":
        Roll.objects.filter(pk=Roll.objects.first().pk).update(channel="library")
    else:
        Ballot.objects.create(
            round=round, channel="web", choices=ballots.encrypt((("1", 1),), round=round, channel="web")
        )
    with pytest.raises(Refused) as caught:
        seal(round)
    assert caught.value.code == "roll_and_ballots_differ"
    assert again(round).state == Round.State.VOTING
    assert not CountedBallot.objects.exists()


@pytest.mark.parametrize("spoil", ["changed", "moved to another round", "another key"])
def test_nothing_is_sealed_when_a_ballot_does_not_open(spoil):
    round, other = make_round(), make_round()
    vote(round, 3)
    ballot = Ballot.objects.first()
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    if spoil == "changed":
        Ballot.objects.filter(pk=ballot.pk).update(
            choices=bytes(ballot.choices)[:-1] + bytes([ballot.choices[-1] ^ 1])
        )
    elif spoil == "moved to another round":
        Roll.objects.update(round=other)
        Ballot.objects.update(round=other)
        round = other
    close(round)
    settings = {"BALLOT_KEY": key} if spoil == "another key" else {}
    with override_settings(**settings), pytest.raises(Refused) as caught:
        actions.seal_round(round=round, by=None)
    assert caught.value.code == "unreadable_ballot"
    assert not CountedBallot.objects.exists()


def test_the_database_itself_no_longer_ties_ballot_to_voter():
    """First the canary: while voting is open a join on transaction ids does find each voter's ballot."""
    round = make_round([10_000] * 40)
    cast = vote(round, 60)
    opener = ballots.Opener(round)
    tied = rows(
        "SELECT r.person_id, b.choices FROM budgets_roll r JOIN budgets_ballot b ON r.xmin::text = b.xmin::text"
    )
    assert len(tied) == 60
    for person, choices in tied:
        found = tuple(number for number, _ in opener.open(bytes(choices), channel="web"))
        assert found == cast[person][0]
    in_order = [
        opener.open(bytes(choices), channel="web")
        for (choices,) in rows("SELECT choices FROM budgets_ballot ORDER BY ctid")
    ]
    roll_order = [cast[person][0] for (person,) in rows("SELECT person_id FROM budgets_roll ORDER BY ctid")]
    assert [tuple(number for number, _ in ballot) for ballot in in_order] == roll_order  # canary: heap order

    other = make_round([10_000] * 40)
    others = vote(other, 60)
    seal(round)

    assert not rows(
        "SELECT 1 FROM budgets_roll r JOIN budgets_countedballot b ON r.xmin::text = b.xmin::text"
    )
    assert len(rows("SELECT DISTINCT xmin::text FROM budgets_countedballot")) == 1
    counted = [
        tuple(number for number, _ in ballot.choices)
        for ballot in CountedBallot.objects.raw("SELECT * FROM budgets_countedballot ORDER BY ctid")
    ]
    assert sorted(counted) == sorted(chosen for chosen, _code in cast.values())
    assert sum(a == b for a, b in zip(counted, roll_order, strict=True)) < 10
    # the ballots of a round that is still open were rewritten too
    assert Ballot.objects.filter(round=other).count() == 60
    assert not rows("SELECT 1 FROM budgets_roll r JOIN budgets_ballot b ON r.xmin::text = b.xmin::text")
    seal(other)
    assert CountedBallot.objects.filter(round=other).count() == len(others)


def test_the_emptied_urn_keeps_no_dead_rows():
    """TRUNCATE gives the table a new file: no page of the old one, with its transaction ids, is left in it."""
    round = make_round()
    vote(round, 30)
    before = rows("SELECT pg_relation_filenode('budgets_ballot'), pg_relation_size('budgets_ballot')")[0]
    assert before[1] > 0
    seal(round)
    after = rows("SELECT pg_relation_filenode('budgets_ballot'), pg_relation_size('budgets_ballot')")[0]
    assert after[0] != before[0]
    assert after[1] == 0


def test_the_roll_forgets_who_after_the_complaint_period():
    round = make_round()
    vote(round, 4)
    with pytest.raises(Refused):
        actions.anonymise_roll(round=round)
    seal(round)
    assert actions.anonymise_roll(round=round) == 4
    assert set(Roll.objects.values_list("person", flat=True)) == {None}
    assert again(round).roll_anonymised_at <= clock.now()


def test_only_the_file_that_was_published_is_served():
    round = make_round()
    vote(round, 6)
    sealed = again(seal(round))
    file = election.served_file(sealed)
    assert file.sha256 == sealed.files[0]["sha256"]
    with CaptureQueriesContext(connection) as captured:
        assert election.served_file(sealed) == file
    assert len(captured) == 0
    cache.clear()
    CountedBallot.objects.filter(pk=CountedBallot.objects.first().pk).delete()
    with pytest.raises(ValueError, match="no longer"):
        election.served_file(sealed)


def test_a_vote_that_is_called_off_is_never_opened():
    round, other = make_round(), make_round()
    vote(round, 4)
    vote(other, 2)
    manager = make_staff("manager", unit=round.process.unit)
    lifecycle.perform(process=round.process, name="cancel", by=manager, comment="Pengene er væk.")
    round = again(round)
    assert round.state == Round.State.DROPPED
    assert not Ballot.objects.filter(round=round).exists()
    assert Ballot.objects.filter(round=other).count() == 2
    assert set(Roll.objects.filter(round=round).values_list("person", flat=True)) == {None}
    assert results.result_for(round.process) is None
    for call in (actions.seal_round, actions.count_round):
        with pytest.raises(Refused):
            call(round=round, by=None)
    with pytest.raises(Refused):
        actions.cast_ballot(round=round, by=make_voter(), choices=[("1", 1)], tracker=None)
    assert tasks.seal_rounds() == 0
