"""What the clock does: right also when it comes late, and harmless when it comes twice."""

from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.test import override_settings

from budgets import actions, checks, results, tasks
from budgets.models import Began, Count, Roll, Round
from participation import clock
from participation.choices import Status
from participation.models import Notice, Process
from tests.budgets.factories import (
    close,
    make_budget,
    make_project,
    make_round,
    make_voter,
    put_in,
    seal,
    vote,
)

pytestmark = pytest.mark.django_db


def later(**delta):
    return clock.frozen(clock.now() + timedelta(**delta))


def test_votes_open_by_the_clock_once():
    process = make_budget()
    make_budget()  # has no project yet: refused, and doesn't keep the other from opening
    make_project(process)
    assert tasks.open_rounds() == 1
    assert tasks.open_rounds() == 0
    assert Round.objects.get().process == process


def test_votes_are_not_opened_before_their_phase():
    now = clock.now()
    make_project(make_budget(vote_from=now + timedelta(hours=1), vote_to=now + timedelta(days=2)))
    assert tasks.open_rounds() == 0
    with later(hours=2):
        assert tasks.open_rounds() == 1


def test_votes_are_sealed_after_the_last_moment_also_days_late():
    round = make_round()
    vote(round, "1", times=2)
    assert tasks.seal_rounds() == 0
    with later(days=7, minutes=4):
        assert tasks.seal_rounds() == 0
    with later(days=20):
        assert tasks.seal_rounds() == 1
        assert tasks.seal_rounds() == 0
    round = Round.objects.get()
    assert (round.state, round.ballot_count, round.sealed_by) == (Round.State.SEALED, 2, None)


def test_one_round_that_cannot_be_sealed_does_not_stop_the_next(caplog):
    broken, whole = make_round(), make_round()
    vote(broken, "1")
    vote(whole, "1")
    Roll.objects.filter(round=broken).delete()
    close(broken)
    close(whole)
    assert tasks.seal_rounds() == 1
    assert "roll_and_ballots_differ" in caplog.text
    whole.refresh_from_db()
    assert whole.state == Round.State.SEALED


def test_counts_are_compared_once():
    round = make_round()
    vote(round, "1")
    actions.count_round(round=seal(round), by=None)
    assert tasks.compare_counts() == 1
    assert Count.objects.get().comparison["pots"][0]["winners"] == ["1"]
    assert tasks.compare_counts() == 0


def test_a_comparison_that_takes_too_long_is_given_up_for_good(monkeypatch):
    round = make_round()
    vote(round, "1")
    actions.count_round(round=seal(round), by=None)

    def too_long(*args):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("budgets.actions.counting.counting.count", too_long)
    assert tasks.compare_counts() == 1
    monkeypatch.undo()
    assert tasks.compare_counts() == 0
    result = results.result_for(round.process)
    assert not result.compared
    assert "1" in {row.number for row in result.winners}


def test_those_who_began_are_reminded_once_and_only_if_they_have_not_voted():
    round = make_round()
    forgot, voted, new = make_voter(), make_voter(), make_voter()
    with clock.frozen(clock.now() - timedelta(hours=23)):
        actions.begin(round=round, by=forgot)
        actions.begin(round=round, by=voted)
    actions.cast_ballot(round=round, by=voted, choices=[("1", 1)], tracker=None)
    assert tasks.remind_unfinished() == 0  # seven days are left
    with later(days=6):
        actions.begin(round=round, by=new)  # today: still at it
        assert tasks.remind_unfinished() == 1
        assert tasks.remind_unfinished() == 0
    notice = Notice.objects.get()
    assert (notice.user, notice.kind) == (forgot, "reminder")
    with later(days=8):
        assert tasks.remind_unfinished() == 0
    seal(round)
    assert not Began.objects.exists()


def test_the_roll_forgets_who_when_the_complaint_period_is_over():
    round = make_round()
    vote(round, "1", times=3)
    with later(days=8):
        tasks.seal_rounds()
    with later(days=40):
        assert tasks.anonymise_rolls() == 0  # not decided yet
    put_in(Process.objects.get(), Status.DECIDED)
    with later(days=30):
        assert tasks.anonymise_rolls() == 0
    with later(days=40):
        assert tasks.anonymise_rolls() == 1
        assert tasks.anonymise_rolls() == 0
    assert Roll.objects.filter(person=None).count() == 3


@pytest.mark.parametrize("key", ["", "short", "Ø" * 32, "A" * 43])
def test_a_missing_or_wrong_ballot_key_is_said_at_start(key):
    with override_settings(BALLOT_KEY=key):
        (error,) = checks.ballot_key_is_set(None)
    assert error.id == "budgets.E001"


def test_a_right_ballot_key_is_silent():
    assert checks.ballot_key_is_set(None) == []


def test_the_database_of_the_tests_logs_no_values():
    assert checks.values_stay_out_of_the_database_log(None) == []
