"""Gathered, lived with for a while, and split again: each is where they chose to be, and old addresses lead on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import persons
from accounts.models import User
from participation import clock, team
from participation.actions import arguments, merging
from participation.actions import contributions as giving
from participation.actions import team as teams
from participation.choices import Moderation
from participation.models import Argument, ArgumentRating, Contribution, Merge, Process, Support
from tests.participation.debate import counters, drifted, idea, somebody
from tests.participation.test_merging import again, code_of, merge

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "fresh_pages")]


@pytest.fixture
def pair(process: Process) -> tuple[Contribution, Contribution]:
    return idea(process, somebody("Anna"), "Træer"), idea(process, somebody("Bo"), "Buske")


def split(gone: Contribution, by: User) -> None:
    merging.split_contribution(merge=Merge.objects.standing().get(gone=gone), by=by)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(name: str, contribution: Contribution, *more: Any) -> str:
    return reverse(f"participation:{name}", args=[contribution.process.slug, contribution.public_id, *more])


def test_a_long_chain_is_split_anywhere_and_each_address_follows(process: Process, caseworker: User) -> None:
    first, second, third, last = (idea(process, title=title) for title in "ABCD")
    eva = somebody("Eva")
    arguments.give_support(contribution=first, by=eva)
    merge(second, first, by=caseworker)
    merge(third, second, by=caseworker)
    merge(last, third, by=caseworker)
    assert {again(one).merged_into_id for one in (first, second, third)} == {last.pk}
    split(third, caseworker)
    assert {again(one).merged_into_id for one in (first, second)} == {third.pk}
    assert counters(third)["support"] == 1
    assert counters(last)["support"] == 0
    split(second, caseworker)
    assert again(first).merged_into_id == second.pk
    split(first, caseworker)
    assert Support.objects.get().contribution_id == first.pk
    assert drifted() == []


def test_support_taken_back_while_they_were_one_does_not_come_back(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    eva = somebody("Eva")
    for one in pair:
        arguments.give_support(contribution=one, by=eva)
    merge(keep, gone, by=caseworker)
    assert arguments.take_support_back(contribution=keep, by=eva)
    split(gone, caseworker)
    assert counters(keep)["support"] == counters(gone)["support"] == 0
    assert drifted() == []


def test_an_author_who_left_and_supports_it_instead_still_does(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    bo = gone.author
    assert bo is not None
    arguments.give_support(contribution=keep, by=bo)
    merge(keep, gone, by=caseworker)
    teams.leave(contribution=keep, by=bo)
    arguments.give_support(contribution=keep, by=bo)
    split(gone, caseworker)
    assert Support.objects.get().contribution == keep
    assert drifted() == []


def test_whoever_is_behind_it_already_is_not_so_twice(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    bo, ida = gone.author, somebody("Ida")
    assert bo is not None
    links = [teams.invite(contribution=gone, by=bo)[1] for _each in range(3)]
    teams.accept(token=links.pop(), by=ida)
    merge(keep, gone, by=caseworker)
    for user in (bo, ida):  # they leave, think better of it, and use the links that came along
        teams.leave(contribution=keep, by=user)
        teams.accept(token=links.pop(), by=user)
    split(gone, caseworker)
    assert [user.first_name for user in team.authors(again(gone))] == ["Bo", "Ida"]
    assert sorted(user.first_name for user in team.authors(again(keep))) == ["Anna", "Bo", "Ida"]


def test_what_was_written_down_for_somebody_is_their_own(process: Process, caseworker: User) -> None:
    eva = somebody("Eva")
    keep = giving.record_for_someone(
        process=process,
        by=caseworker,
        channel="letter",
        received_on=clock.today(),
        author_name="Eva",
        person=eva.person,
        title="Træer",
        body="Flere træer.",
    )
    Contribution.objects.filter(pk=keep.pk).update(author=None)  # she got her account afterwards
    gone = idea(process)
    arguments.give_support(contribution=gone, by=eva)
    merge(again(keep), gone, by=caseworker)
    assert counters(keep)["support"] == 0


def test_nobody_takes_away_what_a_letter_is_gathered_in(process: Process, caseworker: User) -> None:
    keep = idea(process)
    letter = giving.record_for_someone(
        process=process,
        by=caseworker,
        channel="letter",
        received_on=clock.today(),
        author_name="Gudrun Mikkelsen",
        title="Skygge på torvet",
        body="Der mangler træer.",
    )
    merge(keep, letter, by=caseworker)
    assert code_of(lambda: giving.withdraw_contribution(contribution=keep, by=keep.author)) == "gathered"
    assert again(keep).moderation == Moderation.PUBLISHED


def test_two_persons_who_are_one_neither_support_nor_rate_their_own(
    pair: tuple[Contribution, Contribution],
) -> None:
    keep, other = pair
    anna, eva = keep.author, somebody("Eva")
    assert anna is not None
    argument = arguments.write_argument(contribution=other, by=anna, side="for", text="Ja.")
    arguments.rate(argument=argument, by=eva, useful=True)
    for one in pair:
        arguments.give_support(contribution=one, by=eva)
    persons.merge(keep=anna.person, gone=eva.person, by=None)
    assert Support.objects.get().contribution == other
    assert not ArgumentRating.objects.exists()
    assert drifted() == []


def test_a_reply_goes_to_where_the_argument_is_now(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    said = arguments.write_argument(contribution=gone, by=somebody(), side="for", text="Ja.")
    there = Argument.objects.select_related("contribution").get(pk=said.pk)  # as a page has it
    merge(keep, gone, by=caseworker)
    assert arguments.reply(parent=there, by=somebody(), text="Enig.").contribution == keep
    there = Argument.objects.select_related("contribution").get(pk=said.pk)
    split(gone, caseworker)
    assert arguments.reply(parent=there, by=somebody(), text="Enig.").contribution == gone
    arguments.rate(argument=there, by=somebody(), useful=True)
    assert drifted() == []


# Addresses.


def test_every_old_address_of_the_debate_leads_on(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    ida = somebody("Ida")
    argument = arguments.write_argument(contribution=gone, by=ida, side="for", text="Ja.")
    merge(keep, gone, by=caseworker)
    client = as_(ida)
    whole = [("argument-list", ()), ("argument-write", ()), ("support", ())]
    one = [
        (f"argument-{name}", (argument.public_id,))
        for name in ("detail", "reply", "rate", "edit", "withdraw", "report")
    ]
    for name, more in whole + one:
        found = client.get(address(name, gone, *more) + "?side=imod")
        assert found.status_code == 302, name
        assert found["Location"] == address(name, keep, *more) + "?side=imod"
        assert client.get(found["Location"]).status_code == 200, name
    split(gone, caseworker)
    for name, more in one:  # and back again, from where it was in between
        found = client.get(address(name, keep, *more))
        assert found["Location"] == address(name, gone, *more)


def test_of_another_process_or_hidden_there_is_nothing(
    pair: tuple[Contribution, Contribution], make_process: Any, caseworker: User
) -> None:
    keep, gone = pair
    elsewhere = idea(make_process("andet"))
    there = arguments.write_argument(contribution=elsewhere, by=somebody(), side="for", text="Ja.")
    hidden = arguments.write_argument(contribution=gone, by=somebody(), side="for", text="Ja.")
    arguments.moderate_argument(argument=hidden, by=caseworker, publish=False, reason="Nej.")
    for argument in (there, hidden):
        url = address("argument-detail", keep, argument.public_id)
        assert Client().get(url).status_code == 404


def test_what_was_sent_from_a_page_that_was_open_is_not_lost(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    argument = arguments.write_argument(contribution=gone, by=somebody(), side="for", text="Ja.")
    asta = somebody("Asta")
    client = as_(asta)
    written = {"side": "against", "text": "Der er langt.", "name_shown": "first", "save": "1"}
    kept = client.post(address("argument-write", gone), written)["Location"]
    merge(keep, gone, by=caseworker)
    assert "Der er langt." in client.get(kept, follow=True).content.decode()  # MitID came back to it

    def send(name: str, data: dict[str, str], *more: Any) -> None:
        sent = client.post(address(name, gone, *more), data)
        assert sent.status_code == 307, name
        assert client.post(sent["Location"], data).status_code == 302

    send("argument-write", written)
    send("support", {})
    send("argument-rate", {"useful": "ja"}, argument.public_id)
    send("argument-reply", {"text": "Enig.", "name_shown": "first"}, argument.public_id)
    assert Support.objects.get(contribution=keep).user == asta
    assert ArgumentRating.objects.get().useful
    assert Argument.objects.get(parent=argument).contribution == keep


def test_the_team_of_a_gathered_one_is_that_of_the_kept(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    assert gone.author is not None
    found = as_(gone.author).get(address("contribution-team", gone))
    assert found["Location"] == address("contribution-team", keep)
    assert as_(gone.author).get(found["Location"]).status_code == 200
