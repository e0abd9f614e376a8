"""At the same moment, on real connections: one support, one rating, one draft, and counters that are right afterwards."""

from __future__ import annotations

import importlib
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actions import delete_account
from accounts.models import User
from accounts.verdict import Refused
from participation import clock, lifecycle
from participation.actions import arguments as actions
from participation.actions import contributions as giving
from participation.actions import merging
from participation.actions import team as teams
from participation.choices import Status
from participation.models import Argument, ArgumentRating, Contribution, Merge, Process, Support
from tests.accounts.factories import make_resident_citizen
from tests.databases import as_owner, waiting_for_locks
from tests.factories import make_manager, make_process, starting_data
from tests.participation.debate import counters, drifted, idea, somebody
from tests.participation.test_races import at_once
from tests.patience import PATIENCE, wait_for
from tests.site.world import give

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]

CONNECTIONS, EACH = 12, 30


@pytest.fixture
def contribution(process: Process) -> Contribution:
    return idea(process)


def test_fifty_attempts_to_support_are_one(contribution: Contribution) -> None:
    by, new = somebody(), []
    found = at_once(*[lambda: new.append(actions.give_support(contribution=contribution, by=by))] * 50)
    assert found == ["done"] * 50
    assert new.count(True) == 1
    assert Support.objects.count() == 1
    assert counters(contribution)["support"] == 1


def test_fifty_people_at_once_are_fifty(contribution: Contribution) -> None:
    def support(by: User) -> Callable[[], Any]:
        return lambda: actions.give_support(contribution=contribution, by=by)

    assert at_once(*[support(somebody()) for _each in range(50)]) == ["done"] * 50
    assert counters(contribution)["support"] == 50


def test_support_given_and_taken_back_at_once(contribution: Contribution) -> None:
    by = somebody()
    acts = [actions.give_support, actions.take_support_back] * 10
    assert at_once(*[lambda act=act: act(contribution=contribution, by=by) for act in acts]) == ["done"] * 20
    assert drifted() == []


def test_useful_and_not_useful_at_once_is_one_rating(contribution: Contribution) -> None:
    argument = actions.write_argument(contribution=contribution, by=somebody(), side="for", text="Ja.")
    by = somebody()
    said = [True, False, None, True] * 6
    found = at_once(
        *[lambda useful=useful: actions.rate(argument=argument, by=by, useful=useful) for useful in said]
    )
    assert found == ["done"] * len(said)
    assert ArgumentRating.objects.count() <= 1
    assert drifted() == []


def test_one_draft_sent_from_two_browsers_is_one_argument(contribution: Contribution) -> None:
    by = somebody()
    token = giving.save_draft(
        process=contribution.process, contribution=contribution, by=by, data={"text": ["Ja."]}
    )
    draft = giving.draft_by_token(token, by)

    def send() -> None:
        actions.write_argument(contribution=contribution, by=by, side="for", text="Ja.", draft=draft)

    assert at_once(send, send) == ["done", "draft_gone"]
    assert Argument.objects.count() == 1


def test_support_and_cancelling_at_once(idea_box: Any) -> None:
    starting_data()
    process = make_process(status=Status.OPEN, phase="ideas")
    contribution = give(process, make_resident_citizen(), "Bænke")
    people, manager = [make_resident_citizen() for _each in range(10)], make_manager(process.unit)
    supports = [lambda by=by: actions.give_support(contribution=contribution, by=by) for by in people]
    found = at_once(
        *supports,
        lambda: lifecycle.perform(process=process, name="cancel", by=manager, comment="Pengene er brugt."),
    )
    assert set(found) <= {"done", "cancelled"}
    assert counters(contribution)["support"] == found.count("done") - 1
    assert drifted() == []


def test_a_support_under_way_is_waited_for(idea_box: Any) -> None:
    """One step at a time. Red when the process is not locked: then it is cancelled in the middle of somebody's support."""
    starting_data()
    process = make_process(status=Status.OPEN, phase="ideas")
    contribution = give(process, make_resident_citizen(), "Bænke")
    by, manager, now, said = make_resident_citizen(), make_manager(process.unit), clock.now(), []

    def cancel() -> None:
        try:
            with clock.frozen(now):
                lifecycle.perform(process=process, name="cancel", by=manager, comment="Nej.")
            said.append("done")
        finally:
            connection.close()

    thread = threading.Thread(target=cancel)
    with transaction.atomic():
        actions.give_support(contribution=contribution, by=by)
        thread.start()
        wait_for(lambda: waiting_for_locks() > 0)
        assert not said
    thread.join(PATIENCE)
    assert said == ["done"]
    with pytest.raises(Refused) as found:
        actions.give_support(contribution=contribution, by=make_resident_citizen())
    assert found.value.code == "cancelled"


def test_a_double_click_on_report_is_one_report(contribution: Contribution) -> None:
    argument = actions.write_argument(contribution=contribution, by=somebody(), side="for", text="Ja.")
    by = somebody()
    report = [lambda: actions.report_argument(argument=argument, by=by, reason="Grimt.")] * 8
    assert at_once(*report) == ["done"] * 8
    assert argument.reports.count() == 1
    report = [lambda: giving.report_contribution(contribution=contribution, by=by, reason="Grimt.")] * 8
    assert at_once(*report) == ["done"] * 8
    assert contribution.reports.count() == 1


def test_nobody_supports_what_they_become_an_author_of_at_once(process: Process) -> None:
    for _round in range(8):
        contribution, by = idea(process), somebody()
        _row, token = teams.invite(contribution=contribution, by=contribution.author)
        found = at_once(
            lambda token=token, by=by: teams.accept(token=token, by=by),
            lambda contribution=contribution, by=by: actions.give_support(contribution=contribution, by=by),
        )
        assert found in (["done", "done"], ["done", "own"])
        assert counters(contribution)["support"] == 0


# Hammered


@contextmanager
def without(trigger: str | None) -> Iterator[None]:
    """One of the counting triggers away for a moment, then made again by the migration's own words."""
    if trigger is None:
        yield
        return
    words = importlib.import_module("participation.migrations.0011_arguments").COUNTING
    create = re.search(rf"CREATE TRIGGER {trigger}\n.*?;", words, re.DOTALL)
    assert create is not None
    table = re.search(r"ON (\w+)\n", create[0])
    assert table is not None
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger} ON {table[1]}")
    try:
        yield
    finally:
        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute(create[0])


@pytest.mark.parametrize("missing", [None, "support_counts", "argument_counts", "argument_rating_counts"])
def test_counters_never_drift_however_many_do_whatever_at_once(
    process: Process, caseworker: User, missing: str | None
) -> None:
    """Twelve connections, thirty acts each: supporting, arguing, replying, rating, moderating, withdrawing, deleting an
    account. Afterwards every counter is what its rows say; without one of the triggers, that same question is answered no.
    """
    ideas = [idea(process) for _each in range(2)]
    for one in ideas:
        for side in ("for", "against"):
            actions.write_argument(contribution=one, by=somebody(), side=side, text="Først.")
    people = [[somebody() for _each in range(4)] for _connection in range(CONNECTIONS)]
    problems: list[str] = []

    def live(number: int) -> None:
        dice = random.Random(number)
        for _step in range(EACH):
            try:
                _something(dice, ideas, people[number], caseworker)
            except Refused:
                pass
            except Exception as error:
                problems.append(repr(error))

    with without(missing):
        assert (
            at_once(*[lambda number=number: live(number) for number in range(CONNECTIONS)])
            == ["done"] * CONNECTIONS
        )
        assert problems == []
        assert Support.objects.exists()
        assert ArgumentRating.objects.exists()
        assert Argument.objects.filter(parent__isnull=False).exists()
        assert (drifted() == []) is (missing is None)


def _something(dice: random.Random, ideas: list[Contribution], people: list[User], caseworker: User) -> None:
    contribution, by = dice.choice(ideas), dice.choice(people)
    shown = list(Argument.objects.filter(parent=None).order_by("pk")[:40])
    argument = dice.choice(shown)
    match dice.randrange(10):
        case 0 | 1:
            actions.give_support(contribution=contribution, by=by)
        case 2:
            actions.take_support_back(contribution=contribution, by=by)
        case 3:
            side = dice.choice(["for", "against"])
            actions.write_argument(contribution=contribution, by=by, side=side, text="Mit argument.")
        case 4:
            actions.reply(parent=argument, by=by, text="Mit svar.")
        case 5 | 6 | 7:
            actions.rate(argument=argument, by=by, useful=dice.choice([True, False, None]))
        case 8:
            any_one = dice.choice(list(Argument.objects.order_by("-pk")[:30]))
            actions.moderate_argument(
                argument=any_one, by=caseworker, publish=dice.random() < 0.6, reason="Nej."
            )
        case _ if argument.author in people:
            actions.withdraw_argument(argument=argument, by=argument.author)
        case _ if dice.random() < 0.1:
            delete_account(user=by, by=by)


def test_gathered_and_split_while_everybody_talks_nothing_drifts_and_nothing_stands_still(
    process: Process, caseworker: User, manager: User
) -> None:
    """Two caseworkers gather and split, one groups in themes, one moderates, the rest live as above; some of the authors
    delete their account meanwhile. Nobody is stopped because two wait for each other, and at last, split again, every
    counter is what its rows say."""
    authors = [somebody(f"Nr{number}") for number in range(5)]
    ideas = [idea(process, by, title=f"Idé {by.first_name}") for by in authors]
    for one in ideas:
        for side in ("for", "against"):
            actions.write_argument(contribution=one, by=somebody(), side=side, text="Først.")
    theme = giving.create_theme(process=process, by=caseworker, title="Grønt")
    people = [[*authors, *(somebody() for _each in range(3))] for _connection in range(6)]
    problems: list[str] = []
    done: Counter[str] = Counter()

    def over_and_over(what: Callable[[random.Random], Any], number: int) -> Callable[[], None]:
        def live() -> None:
            dice = random.Random(number)
            for _step in range(EACH):
                try:
                    done[str(what(dice))] += 1
                except Refused:
                    pass
                except Exception as error:
                    problems.append(repr(error))

        return live

    def gather(by: User) -> Callable[[random.Random], Any]:
        def act(dice: random.Random) -> Any:
            standing = list(Merge.objects.standing().order_by("pk"))
            if standing and dice.random() < 0.5:
                merging.split_contribution(merge=dice.choice(standing), by=by)
                return "split"
            keep, *gone = dice.sample(ideas, dice.choice([2, 2, 3]))
            merging.merge_contributions(keep=keep, gone=gone, by=by, reason="Det samme.")
            return "gathered"

        return act

    def group(dice: random.Random) -> Any:
        chosen = dice.sample(ideas, 3)
        giving.put_in_theme(contributions=chosen, by=manager, theme=dice.choice([theme, None]))

    def look_through(dice: random.Random) -> Any:
        any_one = dice.choice(list(Argument.objects.order_by("-pk")[:30]))
        publish = dice.random() < 0.5
        actions.moderate_argument(argument=any_one, by=manager, publish=publish, reason="Nej.")
        one = dice.choice(ideas)
        giving.moderate(contribution=one, by=manager, publish=dice.random() < 0.8, reason="Nej.")

    acts = [gather(caseworker), gather(manager), group, look_through]
    acts += [lambda dice, mine=mine: _something(dice, ideas, mine, caseworker) for mine in people]
    found = at_once(*[over_and_over(act, number) for number, act in enumerate(acts)])
    assert found == ["done"] * len(acts)
    assert problems == []
    assert done["gathered"] > 3
    assert done["split"] > 3
    assert drifted() == []
    Contribution.objects.filter(moderation="rejected").update(moderation="published")
    while merge := Merge.objects.standing().filter(kept__merged_into=None).first():
        merging.split_contribution(merge=merge, by=caseworker)
    assert drifted() == []
    assert not Contribution.objects.exclude(merged_into=None).exists()
