"""Casting: who may, what may be chosen, once, and in how many queries."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions, ballots, voting
from budgets.models import Ballot, Began, Roll, Round
from participation import clock
from participation.choices import Status
from participation.models import Process
from tests.accounts.factories import make_citizen, make_district, make_organisation_user
from tests.budgets.factories import again, make_budget, make_project, make_round, make_staff, make_voter

pytestmark = pytest.mark.django_db


def cast(round, voter, *numbers, **options):
    options = {"choices": [(number, 1) for number in numbers], "tracker": None} | options
    actions.cast_ballot(round=round, by=voter, **options)


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.reason
    return caught.value.code


def test_a_vote_is_one_roll_line_and_one_ballot_that_opens_to_what_was_chosen():
    round = make_round()
    voter = make_voter(birth_date=date(1980, 5, 17), sex="F")
    entries = Entry.objects.count()
    cast(round, voter, "3", "1", tracker="ABCD-EFGH-JKMN")
    roll, ballot = Roll.objects.get(), Ballot.objects.get()
    assert (roll.round_id, roll.person_id, roll.channel, roll.day) == (
        round.pk,
        voter.person_id,
        "web",
        clock.today(),
    )
    assert (roll.age_band, roll.sex) == ("45-54", "F")
    assert ballots.Opener(round).open(bytes(ballot.choices), channel="web") == (("1", 1), ("3", 1))
    assert ballot.tracker == ballots.tracker_hash("abcd efgh jkmn", round=round)
    assert Entry.objects.count() == entries  # no audit row


def test_a_second_vote_is_refused_and_changes_nothing():
    round, voter = make_round(), None
    voter = make_voter()
    cast(round, voter, "1")
    assert refused(cast, round, voter, "2") == "already_voted"
    assert refused(voting.check_may_vote, voter, round) == "already_voted"
    assert (Roll.objects.count(), Ballot.objects.count()) == (1, 1)


def test_casting_takes_few_queries():
    """Beside the session, the user and the round that the page reads: eligibility, and the one statement, which Django's
    counter doesn't see because it is bound on the server."""
    round, voter = make_round(), make_voter()
    with CaptureQueriesContext(connection) as captured:
        cast(round, voter, "1")
    assert len([q for q in captured if "SAVEPOINT" not in q["sql"]]) == 1
    with CaptureQueriesContext(connection) as captured:
        again(round)
    assert len(captured) == 1


@pytest.mark.parametrize(
    ("detail", "choices", "code"),
    [
        ({"max_choices": 2}, [("1", 1), ("2", 1), ("3", 1)], "too_many"),
        ({"max_choices": 3, "min_choices": 2}, [("1", 1)], "too_few"),
        ({}, [], "too_few"),
        ({}, [("1", 1), ("1", 1)], "chosen_twice"),
        ({}, [("99", 1)], "unknown_project"),
        ({}, [("1", 2)], "points_not_used"),
        ({}, [("1", "1")], "malformed"),
        ({}, [("1", True)], "malformed"),
        ({}, [("1",)], "malformed"),
        ({}, [(1, 1)], "malformed"),
        ({"ballot_type": "choose_one"}, [("1", 1), ("2", 1)], "too_many"),
        ({"ballot_type": "choose_one"}, [], "too_few"),
        ({"ballot_type": "knapsack", "max_choices": None}, [("1", 1), ("2", 1), ("3", 1), ("4", 1)], None),
        (
            {"ballot_type": "knapsack", "max_choices": None, "total": 450_000},
            [("1", 1), ("2", 1), ("3", 1), ("4", 1)],
            "over_budget",
        ),
        ({"ballot_type": "cumulative", "points": 5}, [("1", 4), ("2", 2)], "too_many_points"),
        ({"ballot_type": "cumulative", "points": 5}, [("1", 0)], "no_points"),
        ({"ballot_type": "cumulative", "points": 5}, [("1", -1), ("2", 6)], "no_points"),
        ({"ballot_type": "cumulative", "points": 5}, [("1", 4), ("2", 1)], None),
        ({"ballot_type": "cumulative", "points": 5, "max_choices": 1}, [("1", 1), ("2", 1)], "too_many"),
    ],
)
def test_choices_are_held_against_the_ballot(detail, choices, code):
    round, voter = make_round(**detail), make_voter()
    if code is None:
        cast(round, voter, choices=choices)
        assert Ballot.objects.count() == 1
    else:
        assert refused(cast, round, voter, choices=choices) == code
        assert (Roll.objects.count(), Ballot.objects.count()) == (0, 0)


def test_who_may_vote():
    here, there = make_district(), make_district()
    round = make_round(vote={"min_age": 15, "residence": "districts", "districts": [here.pk]})
    today = clock.today()
    almost = today.replace(year=today.year - 15) + timedelta(days=1)
    cases = [
        (None, "sign_in"),
        (make_staff(), "role"),
        (make_citizen(), "no_person"),
        (make_organisation_user(), "no_person"),
        (make_voter(birth_date=almost, school_district=here), "too_young"),
        (make_voter(school_district=there), "other_district"),
        (make_voter(school_district=here, municipality_code="0101"), "not_resident"),
        (make_voter(school_district=here, status="90"), "not_resident"),
    ]
    for voter, code in cases:
        assert refused(voting.check_may_vote, voter, round) == code
        assert refused(cast, round, voter, "1") == code
    cast(round, make_voter(birth_date=almost - timedelta(days=1), school_district=here), "1")
    assert Roll.objects.get().district == here


def test_only_within_the_phase_whatever_the_status_says():
    round = make_round()
    voter = make_voter()
    opens, closes = round.phase.interval.lower, round.phase.interval.upper
    second = timedelta(seconds=1)
    assert refused(cast, round, voter, "1", at=opens - second) == "not_open_yet"
    assert refused(cast, round, voter, "1", at=closes) == "closed"
    Process.objects.filter(pk=round.process_id).update(status=Status.CLOSED)
    cast(again(round), voter, "1", at=closes - second)  # came in before the close, handled after it
    assert Roll.objects.count() == 1
    Process.objects.filter(pk=round.process_id).update(status=Status.CANCELLED, public_note="Aflyst.")
    assert refused(cast, again(round), make_voter(), "1") == "cancelled"


def test_a_moved_clock_closes_voting():
    round = make_round()
    cast(round, make_voter(), "1")
    voter = make_voter()
    clock.move(f"+{8 * 86400}")
    assert refused(cast, round, voter, "1") == "closed"


def test_a_vote_from_a_page_opened_before_sealing_is_refused():
    round, voter = make_round(), make_voter()
    Round.objects.filter(pk=round.pk).update(state=Round.State.SEALED)
    assert refused(cast, round, voter, "1") == "closed"  # the page's round still says voting
    assert (Roll.objects.count(), Ballot.objects.count()) == (0, 0)


def test_began_is_remembered_once_and_says_nothing_more():
    round, voter = make_round(), make_voter()
    actions.begin(round=round, by=voter)
    actions.begin(round=round, by=voter)
    assert Began.objects.count() == 1
    assert {field.name for field in Began._meta.get_fields()} == {"id", "round", "user", "day"}


def test_a_round_opens_once_with_what_is_ready_numbered():
    process = make_budget()
    projects = [make_project(process), make_project(process)]
    make_project(process, assessment="undecided")
    make_project(process, assessment="not_feasible")
    first = actions.open_round(process=process)
    assert actions.open_round(process=process) == first
    assert [entry["number"] for entry in first.paper] == ["1", "2"]
    for project, number in zip(projects, ("1", "2"), strict=True):
        project.refresh_from_db()
        assert project.number == number


def test_a_round_does_not_open_without_projects_or_outside_its_phase():
    process = make_budget()
    assert refused(actions.open_round, process=process) == "no_projects"
    make_project(process)
    assert refused(actions.open_round, process=process, at=clock.now() - timedelta(days=2)) == "not_open_yet"
    assert not Round.objects.exists()


def test_no_time_sequence_or_address_on_roll_or_ballot():
    assert {field.name for field in Ballot._meta.get_fields()} == {
        "id",
        "round",
        "channel",
        "pot",
        "choices",
        "tracker",
    }
    assert {field.name for field in Roll._meta.get_fields()} == {
        "id",
        "round",
        "person",
        "code",
        "place",
        "channel",
        "pot",
        "day",
        "age_band",
        "sex",
        "district",
    }
    round, voter = make_round(), make_voter()
    cast(round, voter, "1")
    assert Roll.objects.get().pk.version == 4
    assert Ballot.objects.get().pk.version == 4
