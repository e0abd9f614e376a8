"""Gathering what says the same: nobody is lost, addresses lead on, and a mistake can be undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Unit, User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, formats, merging, search, team
from participation.actions import arguments, outcomes
from participation.actions import contributions as giving
from participation.actions import merging as actions
from participation.actions import team as teams
from participation.choices import LadderStep, Moderation, NameShown, Status
from participation.formats import Act, PhaseKind
from participation.models import Attachment, CoAuthor, Contribution, Merge, Notice, Process, StoredFile
from tests.participation.conftest import NOW
from tests.participation.debate import counters, drifted, idea, somebody
from tests.participation.mailed import mailed
from tests.participation.test_races import at_once

pytestmark = pytest.mark.usefixtures("noon", "fresh_pages")

WHY = "De handler om det samme sted."


@pytest.fixture
def give(process: Process) -> Callable[..., Contribution]:
    def make(by: User, title: str, body: str = "Tekst", **fields: Any) -> Contribution:
        return giving.give_contribution(
            **{"process": process, "by": by, "title": title, "body": body, "at": NOW} | fields
        )

    return make


@pytest.fixture
def ole(person: Callable[..., User]) -> User:
    return person("Ole", email="ole@example.dk", last_name="Berg")


@pytest.fixture
def ida(person: Callable[..., User]) -> User:
    return person("Ida", email="ida@example.dk")


@pytest.fixture
def pair(give: Callable[..., Contribution], citizen: User, ole: User) -> tuple[Contribution, Contribution]:
    return give(citizen, "Træer på torvet"), give(ole, "Flere træer", name_shown=NameShown.FULL)


def merge(keep: Contribution, *gone: Contribution, by: User, **more: Any) -> Contribution:
    return actions.merge_contributions(keep=keep, gone=gone, by=by, reason=WHY, **more)


def code_of(act: Callable[[], Any]) -> str:
    try:
        with transaction.atomic():
            act()
    except Refused as refused:
        return refused.code
    return "ok"


def again(contribution: Contribution) -> Contribution:
    return Contribution.objects.get(pk=contribution.pk)


# What comes of it.


def test_both_stand_behind_it_and_the_old_address_leads_to_it(
    pair: tuple[Contribution, Contribution], citizen: User, ole: User, caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    keep, gone = again(keep), again(gone)
    assert team.authors(keep) == [citizen, ole]
    assert team.shown_names(keep, clock.today()) == ["Maja", "Ole Berg"]
    assert (gone.moderation, gone.merged_into) == (Moderation.MERGED, keep)
    for client in (Client(), _as(ole)):
        answer = client.get(gone.get_absolute_url())
        assert (answer.status_code, answer["Location"]) == (302, keep.get_absolute_url())
    page = Client().get(keep.get_absolute_url()).content.decode()
    assert "Flere træer" in page
    assert "Ole Berg" in page


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_lists_search_and_what_is_owed_leave_the_gone_one_out(
    pair: tuple[Contribution, Contribution], process: Process, caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    page = Client().get(reverse("participation:contribution-list", args=[process.slug])).content.decode()
    assert "Træer på torvet" in page
    assert "Flere træer" not in page
    assert [hit["pk"] for hit in search.search("træer")] == [keep.pk]
    assert list(outcomes.unanswered(process)) == [keep]
    assert list(process.contributions.standing()) == [keep]


def test_the_authors_of_both_are_told_why_once_each(
    pair: tuple[Contribution, Contribution], give: Any, citizen: User, ole: User, caseworker: User
) -> None:
    keep, gone = pair
    third = give(ole, "Et træ mere")
    merge(keep, gone, third, by=caseworker)
    told = Notice.objects.filter(event__startswith="merge:")
    assert sorted(row.user.first_name for row in told) == ["Maja", "Ole"]
    assert all(WHY in row.text for row in told)


def test_the_answer_of_the_kept_one_reaches_everyone_and_the_promise_is_kept(
    pair: tuple[Contribution, Contribution], process: Process, citizen: User, ole: User, caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    assert (
        code_of(
            lambda: giving.answer_contributions(
                contributions=[gone], by=caseworker, outcome="noted", answer="x"
            )
        )
        == "merged"
    )
    giving.answer_contributions(contributions=[keep], by=caseworker, outcome="adopted", answer="Ja.")
    answers = Notice.objects.filter(kind=Notice.Kind.ANSWER)
    assert {row.user for row in answers} == {citizen, ole}
    mailed(answers.filter(user=citizen))
    assert list(outcomes.untold(process)) == [keep]
    mailed(answers)
    assert not outcomes.untold(process).exists()


def test_whoever_wrote_by_letter_must_still_be_told(
    pair: tuple[Contribution, Contribution], process: Process, caseworker: User
) -> None:
    keep, _gone = pair
    letter = giving.record_for_someone(
        process=process,
        by=caseworker,
        channel="letter",
        received_on=clock.today(),
        author_name="Gudrun Mikkelsen",
        author_contact="Kirkevej 14",
        title="Skygge på torvet",
        body="Der mangler træer.",
    )
    merge(keep, letter, by=caseworker)
    mailed(Notice.objects.all())
    giving.answer_contributions(contributions=[keep], by=caseworker, outcome="adopted", answer="Ja.")
    mailed(Notice.objects.all())
    assert letter in outcomes.untold(process)
    giving.mark_told(contribution=letter, by=caseworker, how="Brev")
    assert letter not in outcomes.untold(process)
    assert "Gudrun" in Client().get(keep.get_absolute_url()).content.decode()


def test_the_receipt_still_works_and_says_so(
    pair: tuple[Contribution, Contribution], ole: User, caseworker: User, process: Process
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    client = _as(ole)
    receipt = client.get(reverse("participation:contribution-receipt", args=[process.slug, gone.public_id]))
    assert receipt.status_code == 200
    assert keep.get_absolute_url() in receipt.content.decode()
    for name in ("contribution-edit", "contribution-withdraw"):
        url = reverse(f"participation:{name}", args=[process.slug, gone.public_id])
        assert client.post(
            url, {"title": "x", "body": "x", "name_shown": "first", "version": 2}
        ).status_code in {
            302,
            409,
        }
    assert again(gone).title == "Flere træer"
    assert again(gone).moderation == Moderation.MERGED
    assert "Flere træer" in client.get(reverse("accounts:my-page")).content.decode()


def test_a_team_comes_along_and_who_is_behind_both_is_there_once(
    pair: tuple[Contribution, Contribution], citizen: User, ole: User, ida: User, caseworker: User
) -> None:
    keep, gone = pair
    for user in (citizen, ida):
        _row, token = teams.invite(contribution=gone, by=ole)
        teams.accept(token=token, by=user)
    row, token = teams.invite(contribution=gone, by=ole, email="ny@example.dk")
    merge(keep, gone, by=caseworker)
    assert [user.first_name for user in team.authors(again(keep))] == ["Maja", "Ole", "Ida"]
    row.refresh_from_db()
    assert row.contribution == keep  # who was asked and has not answered joins what is left


def test_more_than_eight_may_come_together(give: Any, person: Any, citizen: User, caseworker: User) -> None:
    keep = give(citizen, "Træer")
    gone = [give(person(f"Nr{number}"), f"Træ {number}") for number in range(9)]
    merge(keep, *gone, by=caseworker)
    assert len(team.authors(again(keep))) == 10
    assert code_of(lambda: teams.invite(contribution=again(keep), by=citizen)) == "full"


def test_comments_reports_impacts_and_theme_go_along(
    pair: tuple[Contribution, Contribution], process: Process, ida: User, caseworker: User
) -> None:
    keep, gone = pair
    for one in pair:
        giving.report_contribution(contribution=one, by=ida, reason="Er det her to gange?")
    giving.report_contribution(contribution=gone, by=None, reason="Uden navn")
    giving.comment_internally(contribution=gone, by=caseworker, text="Spørg Park og Vej.")
    theme = giving.create_theme(process=process, by=caseworker, title="Grønt")
    giving.put_in_theme(contributions=[gone], by=caseworker, theme=theme)
    outcomes.record_impact(process=process, by=caseworker, text="Der kom et træ.", contributions=[gone])
    merge(keep, gone, by=caseworker)
    keep = again(keep)
    assert keep.theme == theme
    assert keep.reports.count() == 2  # hers once, and the nameless
    assert keep.internal_comments.get().text == "Spørg Park og Vej."
    assert keep.impacts.count() == 1


def test_the_combined_wording_replaces_the_kept_ones(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker, title="Skygge\npå torvet", body="Træer, der giver skygge.")
    keep = again(keep)
    assert (keep.title, keep.body) == ("Skygge på torvet", "Træer, der giver skygge.")
    assert keep.edited_at == NOW
    assert "Skygge" in str(Contribution.objects.values_list("search_vector", flat=True).get(pk=keep.pk)) or (
        [hit["pk"] for hit in search.search("skygge")] == [keep.pk]
    )


def test_it_is_written_down_without_words_or_names(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    entry = Entry.objects.get(action="contribution.merge")
    assert entry.values == {"kept": keep.pk, "moved": {"authors": 1}}
    assert entry.actor_id == caseworker.pk


def test_one_of_many_leaves_what_others_are_gathered_in_and_can_not_take_it_away(
    pair: tuple[Contribution, Contribution], citizen: User, ole: User, caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker)
    for user in (citizen, ole):
        taken = code_of(lambda user=user: giving.withdraw_contribution(contribution=keep, by=user))
        assert taken == "gathered"
    teams.leave(contribution=keep, by=citizen)
    assert again(keep).author == ole
    assert code_of(lambda: giving.withdraw_contribution(contribution=keep, by=ole)) == "ok"


# Chains.


def test_a_chain_leads_straight_to_its_end(
    give: Any, citizen: User, ole: User, ida: User, caseworker: User
) -> None:
    first, second, third = give(citizen, "A"), give(ole, "B"), give(ida, "C")
    merge(second, first, by=caseworker)
    merge(third, second, by=caseworker)
    for one in (first, second):
        assert Client().get(one.get_absolute_url())["Location"] == third.get_absolute_url()
    assert {user.first_name for user in team.authors(again(third))} == {"Maja", "Ole", "Ida"}
    assert code_of(lambda: merge(again(first), again(third), by=caseworker)) == "keep_not_public"


def test_the_database_knows_no_circles(give: Any, citizen: User, make_process: Any, caseworker: User) -> None:
    first, second, third = (give(citizen, name) for name in "ABC")
    elsewhere = giving.give_contribution(
        process=make_process("andet"), by=citizen, title="D", body="d", at=NOW
    )
    merge(second, first, by=caseworker)

    def lead(one: Contribution, to: Contribution) -> None:
        with transaction.atomic():
            Contribution.objects.filter(pk=one.pk).update(moderation="merged", merged_into=to)

    for one, to in ((second, first), (third, first), (second, third), (third, third), (third, elsewhere)):
        with pytest.raises(IntegrityError):
            lead(one, to)
    lead(third, second)
    for wrong in ({"moderation": "published"}, {"merged_into": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Contribution.objects.filter(pk=first.pk).update(**wrong)


def test_a_process_can_be_deleted_with_what_was_gathered(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    merge(pair[0], pair[1], by=caseworker)
    Contribution.objects.all().delete()
    assert not Merge.objects.exists()


# Who and when.


def test_who_may(
    pair: tuple[Contribution, Contribution], citizen: User, caseworker: User, manager: User, person: Any
) -> None:
    keep, gone = pair
    other = person("Per", role=Role.CASEWORKER)
    other.units.add(Unit.objects.create(name="Skole", email="skole@lunde.dk"))
    councillor = person("Bo", role=Role.COUNCILLOR)
    for user, expected in (
        (citizen, "no_permission"),
        (councillor, "no_permission"),
        (other, "other_unit"),
        (manager, "ok"),
    ):
        assert code_of(lambda user=user: merge(keep, gone, by=user)) == expected, user
    assert again(gone).merged_into_id == keep.pk


@pytest.mark.parametrize(
    ("state", "expected"), [("withdrawn", "not_standing"), ("rejected", "not_standing"), ("pending", "ok")]
)
def test_what_no_longer_stands_is_not_gathered(
    pair: tuple[Contribution, Contribution], caseworker: User, state: str, expected: str
) -> None:
    keep, gone = pair
    Contribution.objects.filter(pk=gone.pk).update(moderation=state, moderation_reason="x")
    assert code_of(lambda: merge(keep, gone, by=caseworker)) == expected
    if state != "pending":
        assert code_of(lambda: merge(again(gone), keep, by=caseworker)) == "keep_not_public"


def test_what_is_waiting_to_be_read_cant_be_the_one_that_stays(
    pair: tuple[Contribution, Contribution], caseworker: User
) -> None:
    keep, gone = pair
    Contribution.objects.filter(pk=keep.pk).update(moderation="pending")
    assert code_of(lambda: merge(keep, gone, by=caseworker)) == "keep_not_public"


def test_not_after_an_answer_nor_across_processes_nor_with_itself(
    pair: tuple[Contribution, Contribution], make_process: Any, citizen: User, caseworker: User
) -> None:
    keep, gone = pair
    elsewhere = giving.give_contribution(
        process=make_process("andet"), by=citizen, title="D", body="d", at=NOW
    )
    assert code_of(lambda: merge(keep, elsewhere, by=caseworker)) == "other_process"
    assert code_of(lambda: merge(keep, keep, by=caseworker)) == "itself"
    assert code_of(lambda: merge(keep, by=caseworker)) == "too_few"
    assert (
        code_of(lambda: actions.merge_contributions(keep=keep, gone=[gone], by=caseworker, reason="  "))
        == "empty"
    )
    giving.answer_contributions(contributions=[gone], by=caseworker, outcome="noted", answer="Tak.")
    assert code_of(lambda: merge(keep, gone, by=caseworker)) == "answered"


def test_not_once_voting_has_opened(
    pair: tuple[Contribution, Contribution], idea_box: Any, caseworker: User
) -> None:
    keep, gone = pair
    kinds = (
        PhaseKind("ideas", "Idéer", frozenset({Act.CONTRIBUTE})),
        PhaseKind("work", "Valg", frozenset({Act.VOTE})),
    )
    idea_box(phase_kinds=kinds)
    vote = keep.process.phases.get(kind="work").interval.lower
    with clock.frozen(vote):
        assert code_of(lambda: merge(keep, gone, by=caseworker)) == "voting"
    with clock.frozen(vote - timedelta(seconds=1)):
        assert code_of(lambda: merge(keep, gone, by=caseworker)) == "ok"
    with clock.frozen(vote):
        row = Merge.objects.get()
        assert code_of(lambda: actions.split_contribution(merge=row, by=caseworker)) == "voting"


def test_the_format_may_say_no(
    pair: tuple[Contribution, Contribution], idea_box: Any, caseworker: User
) -> None:
    def no(kept: Contribution, gone: list[Contribution], at: Any) -> None:
        raise Refused("assessed_differently", "Nej.")

    idea_box(may_merge=no)
    assert formats.get("idea_box").ladder_steps == frozenset(LadderStep)
    assert code_of(lambda: merge(*pair, by=caseworker)) == "assessed_differently"


def test_not_when_the_process_is_over(
    pair: tuple[Contribution, Contribution], process: Process, caseworker: User
) -> None:
    Process.objects.filter(pk=process.pk).update(status=Status.CLOSED)
    assert code_of(lambda: merge(*(again(one) for one in pair), by=caseworker)) == "ok"
    row = Merge.objects.get()
    Process.objects.filter(pk=process.pk).update(status=Status.DECIDED)
    assert code_of(lambda: actions.split_contribution(merge=row, by=caseworker)) == "over"


# Splitting again.


def test_a_mistake_is_undone(
    pair: tuple[Contribution, Contribution],
    process: Process,
    citizen: User,
    ole: User,
    ida: User,
    caseworker: User,
) -> None:
    keep, gone = pair
    giving.comment_internally(contribution=gone, by=caseworker, text="Spørg Park og Vej.")
    theme = giving.create_theme(process=process, by=caseworker, title="Grønt")
    giving.put_in_theme(contributions=[gone], by=caseworker, theme=theme)
    _row, token = teams.invite(contribution=gone, by=ole)
    merge(keep, gone, by=caseworker, title="Skygge", body="Samlet")
    teams.accept(token=token, by=ida)  # asked by Ole, joined while they were one
    actions.split_contribution(merge=Merge.objects.get(), by=caseworker)
    keep, gone = again(keep), again(gone)
    assert (keep.title, keep.theme) == ("Træer på torvet", None)
    assert (gone.moderation, gone.merged_into, gone.theme) == (Moderation.PUBLISHED, None, theme)
    assert team.authors(keep) == [citizen]
    assert team.authors(gone) == [ole, ida]
    assert gone.internal_comments.count() == 1
    assert Client().get(gone.get_absolute_url()).status_code == 200
    told = Notice.objects.filter(event__endswith=":split")
    assert {each.user for each in told} == {citizen, ole, ida}
    merge(keep, gone, by=caseworker)  # and it can be gathered anew
    assert (
        code_of(lambda: actions.split_contribution(merge=Merge.objects.first(), by=caseworker))
        == "split_already"
    )


def test_a_wording_changed_since_is_kept(
    pair: tuple[Contribution, Contribution], citizen: User, caseworker: User
) -> None:
    keep, gone = pair
    merge(keep, gone, by=caseworker, title="Skygge")
    giving.edit_contribution(
        contribution=keep, by=citizen, version=again(keep).version, title="Mere skygge", at=NOW
    )
    actions.split_contribution(merge=Merge.objects.get(), by=caseworker)
    assert again(keep).title == "Mere skygge"


def test_a_chain_is_split_from_its_end(
    give: Any, citizen: User, ole: User, ida: User, caseworker: User
) -> None:
    first, second, third = give(citizen, "A"), give(ole, "B"), give(ida, "C")
    merge(second, first, by=caseworker)
    merge(third, second, by=caseworker)
    inner, outer = Merge.objects.order_by("pk")
    assert code_of(lambda: actions.split_contribution(merge=inner, by=caseworker)) == "gathered_on"
    actions.split_contribution(merge=outer, by=caseworker)
    assert again(first).merged_into == second
    assert again(second).merged_into is None
    assert [user.first_name for user in team.authors(again(second))] == ["Ole", "Maja"]
    assert [user.first_name for user in team.authors(again(third))] == ["Ida"]
    actions.split_contribution(merge=inner, by=caseworker)
    assert again(first).merged_into is None


def test_splitting_has_its_time_and_its_people(
    pair: tuple[Contribution, Contribution], citizen: User, caseworker: User
) -> None:
    merge(*pair, by=caseworker)
    row = Merge.objects.get()
    assert code_of(lambda: actions.split_contribution(merge=row, by=citizen)) == "no_permission"
    with clock.frozen(NOW + timedelta(days=30)):
        assert code_of(lambda: actions.split_contribution(merge=row, by=caseworker)) == "too_late"
    giving.answer_contributions(contributions=[pair[0]], by=caseworker, outcome="noted", answer="x")
    assert code_of(lambda: actions.split_contribution(merge=row, by=caseworker)) == "answered"


# Two at once.


@pytest.mark.django_db(transaction=True)
def test_gathered_in_both_directions_at_once_one_of_them_stays(
    pair: tuple[Contribution, Contribution], caseworker: User, manager: User
) -> None:
    one, other = pair
    results = at_once(lambda: merge(one, other, by=caseworker), lambda: merge(other, one, by=manager))
    assert results in (["done", "keep_not_public"], ["done", "not_standing"])
    assert Contribution.objects.filter(moderation="published").count() == 1


@pytest.mark.django_db(transaction=True)
def test_gathered_while_its_author_corrects_it(
    pair: tuple[Contribution, Contribution], ole: User, caseworker: User
) -> None:
    keep, gone = pair
    results = at_once(
        lambda: merge(keep, gone, by=caseworker),
        lambda: giving.edit_contribution(contribution=gone, by=ole, version=1, title="Buske", at=NOW),
    )
    assert results in (["done", "done"], ["done", "merged"])
    assert again(gone).moderation == Moderation.MERGED


@pytest.mark.django_db(transaction=True)
def test_gathered_while_it_is_answered_never_both(
    pair: tuple[Contribution, Contribution], caseworker: User, manager: User
) -> None:
    keep, gone = pair
    results = at_once(
        lambda: merge(keep, gone, by=caseworker),
        lambda: giving.answer_contributions(contributions=[gone], by=manager, outcome="noted", answer="Tak."),
    )
    assert results in (["answered", "done"], ["done", "merged"])
    gone = again(gone)
    assert (gone.moderation == Moderation.MERGED) != bool(gone.outcome)


@pytest.mark.django_db(transaction=True)
def test_gathered_while_somebody_joins_loses_nobody(
    pair: tuple[Contribution, Contribution], ole: User, ida: User, caseworker: User
) -> None:
    keep, gone = pair
    _row, token = teams.invite(contribution=gone, by=ole)
    results = at_once(lambda: merge(keep, gone, by=caseworker), lambda: teams.accept(token=token, by=ida))
    assert results == ["done", "done"]
    assert ida in team.authors(again(keep))


@pytest.mark.django_db(transaction=True)
def test_split_twice_at_once_is_split_once(
    pair: tuple[Contribution, Contribution], caseworker: User, manager: User
) -> None:
    merge(*pair, by=caseworker)
    row = Merge.objects.get()
    results = at_once(
        lambda: actions.split_contribution(merge=row, by=caseworker),
        lambda: actions.split_contribution(merge=row, by=manager),
    )
    assert results == ["done", "split_already"]
    assert CoAuthor.objects.count() == 0


def test_photos_come_after_those_that_were_there(
    pair: tuple[Contribution, Contribution], ole: User, caseworker: User
) -> None:
    keep, gone = pair
    for contribution in pair:
        for place in range(2):
            Attachment.objects.create(
                contribution=contribution, file=_file(contribution, place), position=place
            )
    assert [line.split()[0] for line in merging.consequences(keep, [gone])] == ["2"]
    merge(keep, gone, by=caseworker)
    names = [one.file.name for one in again(keep).attachments.select_related("file")]
    assert names == [f"{one.title} {place}" for one in pair for place in range(2)]
    actions.split_contribution(merge=Merge.objects.get(), by=caseworker)
    assert again(keep).attachments.count() == again(gone).attachments.count() == 2


def _file(contribution: Contribution, place: int) -> StoredFile:
    return StoredFile.objects.create(
        kind="file",
        name=f"{contribution.title} {place}",
        content_type="application/pdf",
        size=1,
        sha256="",
        file=f"{contribution.pk}-{place}",
        uploaded_at=NOW,
    )


# Support and arguments.


@pytest.fixture
def debate_open(idea_box: Any) -> None:
    acts = frozenset({Act.CONTRIBUTE, Act.EDIT, Act.SUPPORT, Act.ARGUE})
    idea_box(phase_kinds=(PhaseKind("ideas", "Idéer", acts), PhaseKind("work", "Arbejde")))


def test_nobody_supports_their_own_and_it_comes_back_when_split(
    process: Process, debate_open: None, caseworker: User
) -> None:
    anna, bo, eva = (somebody(name) for name in ("Anna", "Bo", "Eva"))
    keep, gone = idea(process, anna, "Træer"), idea(process, bo, "Buske")
    arguments.give_support(contribution=gone, by=anna)
    arguments.give_support(contribution=keep, by=bo)
    for one in (keep, gone):
        arguments.give_support(contribution=one, by=eva)
    assert [line.split()[0] for line in merging.consequences(keep, [gone])] == []
    merge(keep, gone, by=caseworker)
    assert counters(keep)["support"] == 1
    actions.split_contribution(merge=Merge.objects.get(), by=caseworker)
    assert counters(keep)["support"] == counters(gone)["support"] == 2
    assert drifted() == []


def test_whoever_joins_no_longer_supports(process: Process, debate_open: None) -> None:
    anna, bo = somebody("Anna"), somebody("Bo")
    given = idea(process, anna)
    arguments.give_support(contribution=given, by=bo)
    _row, token = teams.invite(contribution=given, by=anna)
    teams.accept(token=token, by=bo)
    assert counters(given)["support"] == 0


def test_a_gathered_one_takes_no_support(process: Process, debate_open: None, caseworker: User) -> None:
    keep, gone = idea(process), idea(process)
    merge(keep, gone, by=caseworker)
    assert code_of(lambda: arguments.give_support(contribution=gone, by=somebody())) == "not_public"
    assert code_of(lambda: arguments.give_support(contribution=keep, by=gone.author)) == "own"


@pytest.mark.django_db(transaction=True)
def test_supported_and_argued_while_it_is_gathered_nothing_is_left_behind(
    process: Process, debate_open: None, caseworker: User
) -> None:
    for _round in range(3):
        keep, gone = idea(process), idea(process)
        eva, ib = somebody("Eva"), somebody("Ib")
        results = at_once(
            lambda keep=keep, gone=gone: merge(keep, gone, by=caseworker),
            lambda gone=gone, eva=eva: arguments.give_support(contribution=gone, by=eva),
            lambda gone=gone, ib=ib: arguments.write_argument(
                contribution=gone, by=ib, side="for", text="Ja."
            ),
        )
        assert set(results) <= {"done", "not_public"}, results
        assert counters(gone) == {"support": 0, "for": 0, "against": 0}
        assert sum(counters(keep).values()) == results.count("done") - 1
        assert drifted() == []
