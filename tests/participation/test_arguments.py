from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import persons
from accounts.actions import delete_account
from accounts.models import EligibilityRule, Person, User
from accounts.permissions import Role
from accounts.personal_data import export
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, merging
from participation.actions import arguments as actions
from participation.actions import contributions as giving
from participation.actions import merging as gathering
from participation.choices import Moderation, NameShown
from participation.models import Argument, ArgumentRating, Contribution, Merge, Notice, Process, Support
from participation.models.arguments import BEST_FIRST
from participation.names import shown_name
from participation.permissions import arguments as may
from tests.factories import make_staff
from tests.participation.conftest import NOW
from tests.participation.debate import an_organisation, counters, drifted, idea, somebody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def contribution(process: Process) -> Contribution:
    return idea(process)


def write(contribution: Contribution, by: User | None = None, side: str = "for", **fields: Any) -> Argument:
    return actions.write_argument(
        contribution=contribution, by=by or somebody(), side=side, **{"text": "Fordi.", **fields}
    )


def refused(code: str, act: Callable[..., Any], **kwargs: Any) -> None:
    with pytest.raises(Refused) as found, transaction.atomic():
        act(**kwargs)
    assert found.value.code == code
    assert found.value.reason


# Writing


def test_an_argument_stands_on_its_side_with_who_wrote_it_frozen(contribution: Contribution) -> None:
    by = somebody("Karla")
    argument = write(contribution, by, "against", text="  Der er ikke plads.\r\n")
    argument.refresh_from_db()
    assert (argument.side, argument.text, argument.person) == ("against", "Der er ikke plads.", by.person)
    assert argument.moderation == Moderation.PUBLISHED
    assert shown_name(argument, clock.today()) == "Karla"
    assert counters(contribution) == {"support": 0, "for": 0, "against": 1}
    entry = Entry.objects.get(action="argument.write")
    assert (entry.process_id, entry.values) == (contribution.process_id, {"moderation": "published"})


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"side": "maybe"}, "unknown_choice", "side"),
        ({"side": ""}, "unknown_choice", "side"),
        ({"text": " \n "}, "empty", "text"),
        ({"text": "x" * 1001}, "too_long", "text"),
        ({"text": "a\x00b"}, "unprintable", "text"),
        ({"name_shown": "all"}, "unknown_choice", "name_shown"),
    ],
)
def test_what_cannot_be_kept(
    contribution: Contribution, fields: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(Refused) as found, transaction.atomic():
        write(contribution, **fields)
    assert (found.value.code, found.value.field) == (code, field)
    assert not Argument.objects.exists()


def test_who_may_argue(contribution: Contribution, caseworker: User, adults_only: EligibilityRule) -> None:
    refused("staff", write, contribution=contribution, by=caseworker)
    refused("staff", write, contribution=contribution, by=make_staff(Role.COUNCILLOR))
    refused("age_unknown", write, contribution=contribution, by=somebody())
    house = an_organisation()
    argument = write(contribution, house)
    assert shown_name(argument, clock.today()) == house.organisation.name
    assert argument.person is None
    from django.contrib.auth.models import AnonymousUser

    assert may.can_argue(AnonymousUser(), contribution).code == "sign_in"  # type: ignore[arg-type]


def test_the_phase_decides_to_the_microsecond(contribution: Contribution) -> None:
    ends = contribution.process.phases.get(kind="ideas").interval.upper
    by = somebody()
    write(contribution, by, at=ends - timedelta(microseconds=1))
    refused("closed", write, contribution=contribution, by=by, at=ends)
    reply = {"parent": Argument.objects.get(), "text": "Nej.", "by": somebody(), "at": ends}
    refused("closed", actions.reply, **reply)
    refused("closed", actions.rate, argument=Argument.objects.get(), by=somebody(), useful=True, at=ends)


def test_nobody_argues_about_what_is_not_shown(contribution: Contribution, caseworker: User) -> None:
    giving.moderate(contribution=contribution, by=caseworker, publish=False, reason="Grimt.")
    refused("not_public", write, contribution=contribution)


def test_a_reply_has_no_side_and_no_replies(contribution: Contribution) -> None:
    argument = write(contribution)
    reply = actions.reply(parent=argument, by=somebody(), text="Det mener du ikke.")
    assert (reply.side, reply.contribution_id) == ("", contribution.pk)
    refused("reply", actions.reply, parent=reply, by=somebody(), text="Jo.")
    refused("reply", actions.rate, argument=reply, by=somebody(), useful=True)
    argument.refresh_from_db()
    assert argument.reply_count == 1
    assert counters(contribution)["for"] == 1


def test_the_database_holds_one_level_and_one_contribution(
    process: Process, contribution: Contribution
) -> None:
    argument, other = write(contribution), write(idea(process))
    reply = actions.reply(parent=argument, by=somebody(), text="Nå.")
    base = {"text": "a", "created_at": NOW}

    def create(**fields: Any) -> None:
        Argument.objects.create(**base, **fields)

    for wrong in (
        lambda: create(contribution=contribution, parent=reply),  # a reply to a reply
        lambda: create(contribution=contribution, parent=other),  # under another contribution
        lambda: create(contribution=contribution, side="for", parent=argument),  # a reply that takes sides
        lambda: create(contribution=contribution),  # neither
        lambda: create(contribution=contribution, side="maybe"),
        lambda: Argument.objects.filter(pk=argument.pk).update(parent=write(contribution), side=""),
        lambda: Argument.objects.filter(pk=reply.pk).update(contribution=other.contribution),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


def test_correcting_within_the_minutes_and_withdrawing(contribution: Contribution) -> None:
    by = somebody()
    argument = write(contribution, by)
    edit = {"argument": argument, "by": by, "version": 1, "text": "Bedre sagt."}
    refused("not_own", actions.edit_argument, **{**edit, "by": somebody()})
    late = NOW + timedelta(minutes=contribution.process.edit_minutes)
    refused("too_late", actions.edit_argument, **edit, at=late)
    edited = actions.edit_argument(**edit, at=late - timedelta(seconds=1))
    assert (edited.text, edited.version) == ("Bedre sagt.", 2)
    refused("stale", actions.edit_argument, **edit)
    refused("not_own", actions.withdraw_argument, argument=argument, by=somebody())
    actions.withdraw_argument(argument=argument, by=by)
    assert counters(contribution)["for"] == 0
    refused("withdrawn", actions.withdraw_argument, argument=argument, by=by)
    assert drifted() == []


# Ratings


def test_a_rating_is_one_and_can_be_changed_and_taken_back(contribution: Contribution) -> None:
    argument, by = write(contribution), somebody()

    def said() -> tuple[int, int]:
        row = Argument.objects.get(pk=argument.pk)
        return row.useful, row.not_useful

    for useful, expected in ((True, (1, 0)), (True, (1, 0)), (False, (0, 1)), (None, (0, 0)), (None, (0, 0))):
        actions.rate(argument=argument, by=by, useful=useful)
        assert said() == expected
    assert drifted() == []


def test_who_may_rate(contribution: Contribution, caseworker: User) -> None:
    by = somebody()
    argument = write(contribution, by)
    refused("own", actions.rate, argument=argument, by=by, useful=True)
    refused("staff", actions.rate, argument=argument, by=caseworker, useful=True)
    refused("organisation", actions.rate, argument=argument, by=an_organisation(), useful=True)
    refused("no_person", actions.rate, argument=argument, by=User.objects.create_user(), useful=True)


def wilson(useful: int, not_useful: int) -> float:
    """Wilson (1927), in another order of arithmetic than the database's."""
    number, z = useful + not_useful, 1.96
    if useful == 0:
        return 0.0
    share = useful / number
    middle = share + z * z / (2 * number)
    spread = z * ((share * (1 - share) + z * z / (4 * number)) / number) ** 0.5
    return (middle - spread) / (1 + z * z / number)


def test_the_best_first_is_wilsons_lower_bound(contribution: Contribution) -> None:
    people = [somebody() for _each in range(12)]
    said = [(0, 0), (1, 0), (2, 0), (10, 0), (9, 1), (8, 4), (0, 5), (5, 5), (1, 5)]
    for useful, not_useful in said:
        argument = write(contribution)
        for place, person in enumerate(people[: useful + not_useful]):
            actions.rate(argument=argument, by=person, useful=place < useful)
    rows = list(Argument.objects.order_by(*BEST_FIRST))
    assert [(row.useful, row.not_useful) for row in rows] == sorted(
        said, key=lambda pair: (-wilson(*pair), pair[1])
    )
    for row in rows:
        assert float(row.score) == pytest.approx(wilson(row.useful, row.not_useful), abs=1e-8)
    assert wilson(9, 1) == pytest.approx(0.5958, abs=1e-4)  # the worked figure of many tables


# Moderation


def test_looked_at_first_when_the_process_says_so(contribution: Contribution, caseworker: User) -> None:
    process = contribution.process
    Process.objects.filter(pk=process.pk).update(moderate_first=True)
    by = somebody(email="asta@example.dk")
    argument = write(contribution, by)
    assert argument.moderation == Moderation.PENDING
    assert counters(contribution)["for"] == 0
    assert not Notice.objects.filter(user=contribution.author).exists()
    assert may.may_see(by, argument)
    assert not may.may_see(somebody(), argument)
    actions.moderate_argument(argument=argument, by=caseworker, publish=True)
    assert counters(contribution)["for"] == 1
    assert Notice.objects.filter(user=by, kind="moderation").count() == 1
    assert Notice.objects.filter(user=contribution.author, kind="news").count() == 1
    argument.refresh_from_db()
    refused("empty", actions.moderate_argument, argument=argument, by=caseworker, publish=False)
    actions.moderate_argument(argument=argument, by=caseworker, publish=False, reason="Skældsord.")
    told = Notice.objects.filter(user=by, kind="moderation").order_by("pk").last()
    assert "Skældsord." in told.text
    assert counters(contribution)["for"] == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        Argument.objects.filter(pk=argument.pk).update(moderation_reason="")


def test_only_the_unit_moderates(contribution: Contribution, caseworker: User) -> None:
    argument = write(contribution)
    stranger = make_staff(Role.CASEWORKER)
    for by, code in ((somebody(), "no_permission"), (stranger, "other_unit")):
        refused(code, actions.moderate_argument, argument=argument, by=by, publish=True)
        refused(code, actions.comment_on_argument, argument=argument, by=by, text="a")
        refused(code, actions.dismiss_argument_reports, argument=argument, by=by)


def test_a_report_reaches_the_caseworker_and_is_closed(contribution: Contribution, caseworker: User) -> None:
    by, reporter = somebody(), somebody()
    argument = write(contribution, by)
    refused("own", actions.report_argument, argument=argument, by=by, reason="Nå")
    actions.report_argument(argument=argument, by=reporter, reason="Det er en reklame.")
    actions.report_argument(argument=argument, by=reporter, reason="Igen.")
    actions.report_argument(argument=argument, by=None, reason="Uden navn.")
    assert argument.reports.count() == 2
    assert Notice.objects.filter(user=caseworker, kind="duty").count() == 2
    assert actions.dismiss_argument_reports(argument=argument, by=caseworker) == 2
    actions.comment_on_argument(argument=argument, by=caseworker, text="Set på.")
    assert argument.internal_comments.get().text == "Set på."


def test_withdrawn_is_withdrawn(contribution: Contribution, caseworker: User) -> None:
    by = somebody()
    argument = write(contribution, by)
    actions.withdraw_argument(argument=argument, by=by)
    refused("withdrawn", actions.moderate_argument, argument=argument, by=caseworker, publish=True)


def test_replies_of_what_is_not_shown_are_not_shown(contribution: Contribution, caseworker: User) -> None:
    argument = write(contribution)
    reply = actions.reply(parent=argument, by=somebody(), text="Enig.")
    actions.moderate_argument(argument=argument, by=caseworker, publish=False, reason="Nej.")
    reply = Argument.objects.get(pk=reply.pk)
    assert not reply.is_public
    assert not Argument.objects.public().exists()


# Telling


def test_the_author_hears_once_a_day_and_the_one_replied_to_each_time(contribution: Contribution) -> None:
    author = contribution.author
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=author, email="bodil@example.dk", verified=True, primary=True)
    arguer = somebody()
    for _each in range(3):
        argument = write(contribution, arguer)
    told = Notice.objects.get(user=author)
    assert told.delivery.purpose.startswith("digest:")
    assert told.delivery.due_at > clock.now()
    with clock.frozen(NOW + timedelta(days=1)):
        write(contribution, arguer)
    assert Notice.objects.filter(user=author).count() == 2
    actions.reply(parent=argument, by=author, text="Tak.")
    assert Notice.objects.get(user=arguer).url.endswith(Argument.objects.get(text="Tak.").anchor)
    actions.reply(parent=argument, by=arguer, text="Selv tak.")
    assert Notice.objects.filter(user=arguer).count() == 1
    write(contribution, author)
    assert Notice.objects.filter(user=author).count() == 2


# Counters


def test_no_counter_can_be_written(contribution: Contribution) -> None:
    argument = write(contribution)
    stale = Contribution.objects.get(pk=contribution.pk)
    write(contribution)
    stale.support_count = 41
    stale.save()
    Contribution.objects.filter(pk=contribution.pk).update(arguments_for=99, arguments_against=7)
    Argument.objects.filter(pk=argument.pk).update(useful=5, not_useful=4, reply_count=3)
    new = Argument.objects.create(
        contribution=contribution, side="for", text="a", created_at=NOW, useful=9, reply_count=9
    )
    new.refresh_from_db()
    assert (new.useful, new.reply_count) == (0, 0)
    assert drifted() == []
    assert counters(contribution)["for"] == 2


def test_counters_follow_everything_that_can_happen(process: Process, caseworker: User) -> None:
    """A long random life of two contributions; after each step every counter is what the rows say."""
    dice = random.Random(7)
    ideas = [idea(process), idea(process)]
    people = [somebody() for _each in range(6)]
    for _step in range(150):
        one, by = dice.choice(ideas), dice.choice(people)
        shown = list(Argument.objects.filter(parent=None))
        row = dice.choice(shown) if shown else None
        act = dice.randrange(11)
        with pytest.MonkeyPatch.context(), transaction.atomic():
            try:
                if act == 0 or row is None:
                    write(one, by, dice.choice(["for", "against"]))
                elif act == 1:
                    actions.reply(parent=row, by=by, text="Svar")
                elif act in {2, 3}:
                    actions.rate(argument=row, by=by, useful=dice.choice([True, False, None]))
                elif act == 4:
                    actions.give_support(contribution=one, by=by)
                elif act == 5:
                    actions.take_support_back(contribution=one, by=by)
                elif act in {6, 7}:
                    any_one = dice.choice(list(Argument.objects.all()))
                    actions.moderate_argument(
                        argument=any_one, by=caseworker, publish=dice.random() < 0.6, reason="Nej."
                    )
                elif act == 8:
                    actions.withdraw_argument(argument=row, by=row.author)
                elif act == 9 and dice.random() < 0.3:
                    row.delete()
                elif act == 10 and dice.random() < 0.1:
                    merging.move_all(kept=ideas[1], gone=ideas[0])
            except Refused:
                pass
        assert drifted() == []
    assert Argument.objects.count() > 10


@pytest.mark.parametrize("trigger", ["support_counts", "argument_counts", "argument_rating_counts"])
def test_without_its_trigger_a_counter_drifts(contribution: Contribution, trigger: str) -> None:
    """The same check is red when the database doesn't count: it can fail."""
    from tests.databases import as_owner

    table = {
        "support_counts": "participation_support",
        "argument_counts": "participation_argument",
        "argument_rating_counts": "participation_argumentrating",
    }[trigger]
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger} ON {table}")
    argument = write(contribution)
    actions.give_support(contribution=contribution, by=somebody())
    actions.rate(argument=argument, by=somebody(), useful=True)
    assert len(drifted()) == 1


def test_gathering_moves_everything_counts_each_supporter_once_and_can_be_undone(
    process: Process, caseworker: User
) -> None:
    one, other = idea(process), idea(process)
    both, only = somebody(), somebody()
    for target, by in ((one, both), (other, both), (one, only)):
        actions.give_support(contribution=target, by=by)
    argument = write(one, both)
    actions.reply(parent=argument, by=only, text="Ja.")
    gathering.merge_contributions(keep=other, gone=[one], by=caseworker, reason="Det er det samme.")
    assert counters(other) == {"support": 2, "for": 1, "against": 0}
    argument.refresh_from_db()
    actions.reply(parent=argument, by=both, text="Svar efter.")
    gathering.split_contribution(merge=Merge.objects.get(), by=caseworker)
    assert counters(one) == {"support": 2, "for": 1, "against": 0}
    assert counters(other) == {"support": 1, "for": 0, "against": 0}
    assert set(Argument.objects.values_list("contribution", flat=True)) == {one.pk}
    assert drifted() == []


# Persons


def test_two_persons_who_turn_out_to_be_one_count_once(contribution: Contribution) -> None:
    keep, gone = somebody(), somebody()
    argument = write(contribution)
    for by in (keep, gone):
        actions.give_support(contribution=contribution, by=by)
        actions.rate(argument=argument, by=by, useful=by is keep)
    persons.merge(keep=keep.person, gone=gone.person, by=None)
    assert Support.objects.count() == ArgumentRating.objects.count() == 1
    argument.refresh_from_db()
    assert (argument.useful, argument.not_useful) == (1, 0)
    assert drifted() == []


def test_a_deleted_account_leaves_words_and_counts_and_no_name(contribution: Contribution) -> None:
    by = somebody("Gorm")
    argument = write(contribution, by, text="Mine ord.")
    other = write(contribution)
    actions.rate(argument=other, by=by, useful=True)
    actions.give_support(contribution=contribution, by=by)
    exported = str(export(by))
    assert "Mine ord." in exported
    person = by.person
    delete_account(user=by, by=by)
    argument.refresh_from_db()
    assert (argument.author, argument.person, argument.text) == (None, None, "Mine ord.")
    assert "Gorm" not in shown_name(argument, clock.today())
    support = Support.objects.get()
    assert (support.user, support.person) == (None, person)
    assert drifted() == []
    persons.purge_unneeded()
    assert Person.objects.filter(pk=person.pk).exists()  # the process is open: nobody supports twice
    again = User.objects.create_user(first_name="Gorm", person=person)
    assert not actions.give_support(contribution=contribution, by=again)
    assert Support.objects.get().user == again  # and hears of it again
    assert counters(contribution)["support"] == 1


def test_names_disappear_with_the_others(contribution: Contribution) -> None:
    argument = write(contribution, somebody("Gorm"))
    Process.objects.filter(pk=contribution.process_id).update(names_until=clock.today())
    giving.remove_names(process=contribution.process)
    argument.refresh_from_db()
    assert argument.name_shown == NameShown.NONE
