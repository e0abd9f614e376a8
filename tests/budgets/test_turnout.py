"""Turnout while voting is open: at most once an hour, and never a small step."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from budgets import actions, format, tasks, turnout
from budgets.models import TurnoutHour
from participation import clock
from tests.budgets.factories import again, make_round, seal, vote
from tests.budgets.places import make_place, mark, resident

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


def at_the_hour(hours=1):
    return turnout.full_hour(clock.now()) + timedelta(hours=hours)


def shown(round):
    return format.CITIZEN_BUDGET.participants([round.process_id]).get(round.process_id, 0)


def test_the_number_moves_once_an_hour_and_not_between():
    round = make_round()
    vote(round, "1", times=5)
    assert shown(round) == 0
    hour = at_the_hour()
    with clock.frozen(hour + timedelta(minutes=1)):
        assert tasks.count_turnout() == 1
        assert tasks.count_turnout() == 0
        assert shown(round) == 5
    with clock.frozen(hour + timedelta(minutes=30)):
        vote(round, "1", times=5)
        assert tasks.count_turnout() == 0
    with clock.frozen(hour + timedelta(minutes=59, seconds=59)):
        assert tasks.count_turnout() == 0
        assert shown(round) == 5
    with clock.frozen(hour + timedelta(hours=1, seconds=5)):
        assert tasks.count_turnout() == 1
        assert shown(round) == 10


def test_hours_that_were_missed_are_not_made_up():
    round = make_round()
    vote(round, "1", times=5)
    with clock.frozen(at_the_hour(1)):
        tasks.count_turnout()
    with clock.frozen(at_the_hour(6) + timedelta(minutes=20)):
        tasks.count_turnout()
    assert [one.hour for one in TurnoutHour.objects.all()] == [at_the_hour(1), at_the_hour(6)]


def test_a_small_step_is_not_shown_before_it_has_grown():
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=2)
    mark(place, resident())
    with clock.frozen(at_the_hour(1)):
        tasks.count_turnout()
        assert shown(round) == 0
    for _ in range(2):
        mark(place, resident())
    with clock.frozen(at_the_hour(2)):
        tasks.count_turnout()
    last = TurnoutHour.objects.last()
    assert (last.shown, last.voters) == ({"polling_place": 3}, 3)


@given(st.lists(st.dictionaries(st.sampled_from(["web", "code"]), st.integers(0, 9), max_size=2), max_size=8))
@pytest.mark.django_db(transaction=False)
def test_no_two_numbers_that_are_shown_differ_by_one_or_two(growth):
    counted, before = {}, {}
    for more in growth:
        for channel, number in more.items():
            counted[channel] = counted.get(channel, 0) + number
        after = turnout.step(counted, before)
        for channel in counted:
            grown = after.get(channel, 0) - before.get(channel, 0)
            assert grown == 0 or grown >= turnout.SMALLEST_STEP
            assert after.get(channel, 0) <= counted[channel] < after.get(channel, 0) + turnout.SMALLEST_STEP
        before = after


def test_when_the_ballots_are_sealed_the_whole_number_is_shown():
    round = make_round()
    vote(round, "1", times=4)
    seal(round)
    assert shown(round) == 4
    assert actions.count_turnout(round=again(round), at=at_the_hour(400)) is None


def test_everyone_sees_it_by_the_hour_and_by_way(client):
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=7)
    for _ in range(4):
        mark(place, resident())
    url = reverse("budgets:voting-day", args=[round.process.slug])
    said = " ".join(client.get(url).content.decode().split())
    assert "The first number comes at the next full hour." in said
    with clock.frozen(at_the_hour(1)):
        tasks.count_turnout()
    cache.clear()
    with clock.frozen(at_the_hour(1) + timedelta(minutes=5)):
        said = " ".join(client.get(url).content.decode().split())
    assert '<p class="turnout-number">11</p>' in said
    assert "At a polling place" in said


def test_many_budgets_are_counted_in_one_query(django_assert_num_queries):
    rounds = [make_round() for _ in range(3)]
    for round in rounds:
        vote(round, "1", times=3)
    with django_assert_num_queries(1):
        turnout.participants([round.process_id for round in rounds])
