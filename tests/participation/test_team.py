"""Co-authors: who may ask, say yes and leave, and that they count as authors everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts import actions as accounts
from accounts import personal_data, persons
from accounts.models import EligibilityRule, Person, User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, notices, team
from participation.actions import contributions as giving
from participation.actions import outcomes
from participation.actions import team as actions
from participation.choices import Moderation, NameShown
from participation.models import CoAuthor, Contribution, Notice, Process
from participation.permissions import contributions as may
from participation.tasks import forget_expired_invitations
from tests.participation.conftest import NOW
from tests.participation.mailed import mailed
from tests.participation.test_races import at_once

pytestmark = pytest.mark.usefixtures("noon", "fresh_pages")


@pytest.fixture
def given(process: Process, citizen: User) -> Contribution:
    return giving.give_contribution(process=process, by=citizen, title="Træer", body="Flere træer", at=NOW)


@pytest.fixture
def ole(person: Callable[..., User]) -> User:
    return person("Ole", email="ole@example.dk", last_name="Berg")


def join(given: Contribution, by: User, name_shown: str = NameShown.FIRST) -> Contribution:
    _row, token = actions.invite(contribution=given, by=given.author)
    return actions.accept(token=token, by=by, name_shown=name_shown)


def code_of(act: Callable[[], Any]) -> str:
    try:
        with transaction.atomic():
            act()
    except Refused as refused:
        return refused.code
    return "ok"


def address(name: str, *args: Any) -> str:
    return reverse(f"participation:{name}", args=args)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# Asking and answering.


def test_the_letter_goes_to_the_address_and_both_are_forgotten_when_it_is_answered(
    given: Contribution, citizen: User, ole: User
) -> None:
    row, token = actions.invite(contribution=given, by=citizen, email="Ole.B@Example.dk")
    letter = Notice.objects.get(address="ole.b@example.dk")
    assert token in letter.url
    assert "Maja" in letter.title
    assert "Træer" in letter.title
    assert token not in row.token_hash
    actions.accept(token=token, by=ole)
    row.refresh_from_db()
    assert (row.state, row.user, row.email, row.token_hash) == ("accepted", ole, "", "")
    assert not Notice.objects.filter(address="ole.b@example.dk").exists()
    assert "ole.b" not in str(list(Entry.objects.values()))
    assert Notice.objects.filter(user=citizen, event=f"co-author:{row.pk}:accepted").exists()


def test_an_invitation_is_the_same_whether_the_address_has_an_account_or_not(
    given: Contribution, citizen: User, ole: User
) -> None:
    seen = []
    for email in ("ole@example.dk", "ukendt@example.dk"):
        actions.invite(contribution=given, by=citizen, email=email)
        letter = Notice.objects.get(address=email)
        seen.append((letter.title, letter.text, letter.delivery.state, letter.user))
    assert seen[0] == seen[1]
    assert not Notice.objects.filter(user=ole).exists()


def test_no_thanks_is_forgotten_and_can_be_said_without_logging_in(
    given: Contribution, citizen: User
) -> None:
    row, token = actions.invite(contribution=given, by=citizen, email="ole@example.dk")
    actions.decline(token=token)
    row.refresh_from_db()
    assert (row.state, row.user, row.email, row.token_hash) == ("declined", None, "", "")
    assert not Notice.objects.exclude(address="").exists()
    assert code_of(lambda: actions.decline(token=token)) == "gone"


def test_an_invitation_nobody_answers_is_forgotten_after_a_month(given: Contribution, citizen: User) -> None:
    _row, token = actions.invite(contribution=given, by=citizen, email="ole@example.dk")
    with clock.frozen(NOW + timedelta(days=actions.DAYS, minutes=-1)):
        assert forget_expired_invitations() == 0
        assert actions.by_token(token) is not None
    with clock.frozen(NOW + timedelta(days=actions.DAYS)):
        assert actions.by_token(token) is None
        assert forget_expired_invitations() == 1
    assert not CoAuthor.objects.exists()
    assert not Notice.objects.filter(address="ole@example.dk").exists()


def test_who_may_ask(given: Contribution, citizen: User, ole: User, caseworker: User, manager: User) -> None:
    for other in (ole, caseworker, manager):
        assert code_of(lambda other=other: actions.invite(contribution=given, by=other)) == "not_own"
    join(given, ole)
    assert code_of(lambda: actions.invite(contribution=given, by=ole)) == "ok"


def test_the_same_address_is_asked_once_and_nonsense_is_refused(given: Contribution, citizen: User) -> None:
    def ask(email: str) -> str:
        return code_of(lambda: actions.invite(contribution=given, by=citizen, email=email))

    assert ask("ole@example.dk") == "ok"
    assert ask("OLE@example.dk") == "invited_already"
    assert ask("ole") == "not_an_address"
    assert ask("ole@example.dk\x00") == "unprintable"
    assert ask("o" * 300 + "@example.dk") == "too_long"


def test_eight_at_most_and_twenty_invitations_a_day(
    given: Contribution, citizen: User, person: Callable[..., User]
) -> None:
    for number in range(3):
        join(given, person(f"Nr{number}"))
    rows = [actions.invite(contribution=given, by=citizen)[0] for _ in range(4)]
    assert code_of(lambda: actions.invite(contribution=given, by=citizen)) == "full"
    for row in rows:
        actions.take_back(invitation=row, by=citizen)
    for number in range(13):
        row, _token = actions.invite(contribution=given, by=citizen, email=f"n{number}@example.dk")
        actions.decline(token=_token)
    # Seven joined or taken back left no row or a joined one: 3 + 13 stand in the table.
    for number in range(4):
        row, token = actions.invite(contribution=given, by=citizen, email=f"m{number}@example.dk")
        actions.decline(token=token)
    assert code_of(lambda: actions.invite(contribution=given, by=citizen)) == "too_often"


def test_whoever_stands_behind_it_could_have_given_it(
    given: Contribution, citizen: User, ole: User, caseworker: User, adults_only: EligibilityRule
) -> None:
    _row, token = actions.invite(contribution=given, by=citizen)
    assert code_of(lambda: actions.accept(token=token, by=caseworker)) == "staff"
    assert code_of(lambda: actions.accept(token=token, by=citizen)) == "already"
    assert code_of(lambda: actions.accept(token=token, by=ole)) != "ok"  # no birth date is known of him
    ole.person = Person.objects.create(birth_date=(NOW - timedelta(days=365 * 30)).date())
    ole.save(update_fields=["person"])
    assert code_of(lambda: actions.accept(token=token, by=ole)) == "ok"


@pytest.mark.parametrize("how", ["withdrawn", "answered", "rejected"])
def test_nobody_joins_what_no_longer_stands(
    given: Contribution, citizen: User, ole: User, caseworker: User, how: str
) -> None:
    _row, token = actions.invite(contribution=given, by=citizen)
    if how == "withdrawn":
        giving.withdraw_contribution(contribution=given, by=citizen)
    elif how == "answered":
        giving.answer_contributions(contributions=[given], by=caseworker, outcome="noted", answer="Tak.")
    else:
        giving.moderate(contribution=given, by=caseworker, publish=False, reason="Nej.")
    given.refresh_from_db()
    expected = "answered" if how == "answered" else "not_standing"
    assert code_of(lambda: actions.accept(token=token, by=ole)) == expected
    assert code_of(lambda: actions.invite(contribution=given, by=citizen)) == expected


@pytest.mark.parametrize("state", ["withdrawn", "rejected"])
def test_the_link_does_not_show_what_was_taken_away(given: Contribution, citizen: User, state: str) -> None:
    _row, token = actions.invite(contribution=given, by=citizen)
    url = address("co-author-invitation", token)
    Contribution.objects.update(moderation="pending")
    assert "Flere træer" in Client().get(url).content.decode()  # read before it is public, by who was asked
    Contribution.objects.update(moderation=state, moderation_reason="Nej.")
    page = Client().get(url)
    assert page.status_code == 404
    assert "Flere træer" not in page.content.decode()


# Being one of its authors.


def test_a_co_author_may_what_the_author_may(given: Contribution, citizen: User, ole: User) -> None:
    assert not may.can_edit(ole, given)
    assert not may.can_withdraw(ole, given)
    assert may.can_report(ole, given)
    join(given, ole)
    given = Contribution.objects.get()
    assert may.can_edit(ole, given)
    assert may.can_withdraw(ole, given)
    assert may.can_report(ole, given).code == "own"
    assert list(Contribution.objects.of_author(ole)) == [given]
    assert ole in notices.audience(given.process)
    client = signed_in(ole)
    for name in ("contribution-receipt", "contribution-edit", "contribution-withdraw", "contribution-team"):
        assert client.get(address(name, given.process.slug, given.public_id)).status_code == 200, name
    assert (
        client.get(address("contribution-receipt-pdf", given.process.slug, given.public_id)).status_code
        == 200
    )


def test_a_stranger_finds_none_of_it(given: Contribution, ole: User) -> None:
    client = signed_in(ole)
    for name in ("contribution-receipt", "contribution-edit", "contribution-team", "contribution-leave"):
        assert client.get(address(name, given.process.slug, given.public_id)).status_code == 404, name
    assert client.post(address("contribution-team", given.process.slug, given.public_id)).status_code == 404


def test_a_co_author_sees_what_waits_to_be_read(given: Contribution, ole: User, person: Any) -> None:
    join(given, ole)
    Contribution.objects.update(moderation=Moderation.PENDING)
    url = given.get_absolute_url()
    assert signed_in(ole).get(url).status_code == 200
    assert signed_in(person("Ida")).get(url).status_code == 404


def test_each_chooses_their_own_name_also_when_a_co_author_corrects_it(
    given: Contribution, citizen: User, ole: User
) -> None:
    join(given, ole, NameShown.FULL)
    given = Contribution.objects.get()
    assert team.shown_names(given, clock.today()) == ["Maja", "Ole Berg"]
    page = signed_in(ole).get(address("contribution-edit", given.process.slug, given.public_id))
    assert page.context["form"]["name_shown"].value() == NameShown.FULL
    giving.edit_contribution(
        contribution=given, by=ole, version=1, title="Træer og buske", name_shown=NameShown.NONE, at=NOW
    )
    given = Contribution.objects.get()
    assert (given.title, given.name_shown) == ("Træer og buske", NameShown.FIRST)
    assert team.shown_names(given, clock.today())[0] == "Maja"
    assert "Ole" not in str(team.shown_names(given, clock.today()))


def test_everyone_behind_it_hears_the_answer_and_nobody_is_forgotten(
    given: Contribution, citizen: User, ole: User, caseworker: User, person: Callable[..., User]
) -> None:
    join(given, ole)
    ida = person("Ida")  # no address: she must be told another way, or read it on My page
    join(given, ida)
    giving.answer_contributions(contributions=[given], by=caseworker, outcome="noted", answer="Tak for det.")
    answers = Notice.objects.filter(kind=Notice.Kind.ANSWER)
    assert {row.user for row in answers} == {citizen, ole, ida}
    mailed(answers.filter(user__in=[citizen, ole]))
    assert list(outcomes.untold(given.process)) == [given]
    answers.filter(user=ida).update(read_at=NOW)
    assert not outcomes.untold(given.process).exists()


def test_a_theme_is_told_once_to_each(
    given: Contribution, citizen: User, ole: User, caseworker: User
) -> None:
    join(given, ole)
    other = giving.give_contribution(process=given.process, by=ole, title="Buske", body="Ja", at=NOW)
    theme = giving.create_theme(process=given.process, by=caseworker, title="Grønt")
    giving.put_in_theme(contributions=[given, other], by=caseworker, theme=theme)
    giving.answer_theme(theme=theme, by=caseworker, outcome="adopted", answer="Ja.")
    assert sorted(row.user.first_name for row in Notice.objects.filter(kind="answer")) == ["Maja", "Ole"]


# Leaving.


def test_a_co_author_leaves_and_is_no_longer_there(given: Contribution, citizen: User, ole: User) -> None:
    join(given, ole)
    actions.leave(contribution=given, by=ole)
    given = Contribution.objects.get()
    assert not team.is_author(ole, given)
    assert team.is_author(citizen, given)
    row = CoAuthor.objects.get()
    assert (row.state, row.user, row.age_band) == ("left", None, "")
    assert code_of(lambda: actions.leave(contribution=given, by=ole)) == "not_own"


def test_when_the_author_leaves_the_first_to_join_takes_over(
    given: Contribution, citizen: User, ole: User, person: Callable[..., User]
) -> None:
    with clock.frozen(NOW + timedelta(minutes=1)):
        join(given, ole, NameShown.FULL)
    with clock.frozen(NOW + timedelta(minutes=2)):
        join(given, person("Ida"))
    actions.leave(contribution=given, by=citizen)
    given = Contribution.objects.get()
    assert (given.author, given.name_shown) == (ole, NameShown.FULL)
    assert team.shown_names(given, clock.today()) == ["Ole Berg", "Ida"]
    assert not team.is_author(citizen, given)


def test_the_last_one_stays(given: Contribution, citizen: User, ole: User) -> None:
    assert code_of(lambda: actions.leave(contribution=given, by=citizen)) == "last"
    join(given, ole)
    actions.leave(contribution=given, by=citizen)
    assert code_of(lambda: actions.leave(contribution=given, by=ole)) == "last"


def test_an_erased_author_leaves_it_to_the_others(given: Contribution, citizen: User, ole: User) -> None:
    join(given, ole)
    accounts.delete_account(user=citizen, by=citizen)
    given.refresh_from_db()
    assert given.author == ole
    assert given.title == "Træer"
    assert not CoAuthor.objects.exists()
    accounts.delete_account(user=ole, by=ole)
    given.refresh_from_db()
    assert given.author is None


def test_an_erased_co_author_is_gone_and_an_export_holds_what_they_stood_behind(
    given: Contribution, ole: User
) -> None:
    join(given, ole)
    found = personal_data.export(ole)
    assert "Træer" in str(found)
    accounts.delete_account(user=ole, by=ole)
    assert not CoAuthor.objects.filter(user=ole).exists()
    assert team.shown_names(Contribution.objects.get(), clock.today()) == ["Maja"]


def test_two_persons_who_are_one_are_an_author_once(
    process: Process, citizen: User, ole: User, person: Callable[..., User]
) -> None:
    ida = person("Ida")
    for user in (citizen, ole):
        user.person = Person.objects.create()
        user.save(update_fields=["person"])
    his, hers, theirs = (
        giving.give_contribution(process=process, by=by, title="T", body="b", at=NOW)
        for by in (citizen, ole, ida)
    )
    join(his, ole)
    join(hers, citizen)
    join(theirs, citizen)
    join(theirs, ole)
    persons.merge(keep=citizen.person, gone=ole.person, by=None)
    for contribution in Contribution.objects.all():
        everyone = [one.pk for one in team.authors(contribution)]
        assert everyone.count(citizen.pk) == 1
        assert ole.pk not in everyone


# The database.


def test_the_table_holds_what_it_must(given: Contribution, citizen: User, ole: User) -> None:
    join(given, ole)
    row = CoAuthor.objects.get()
    for wrong in (
        {"state": "left"},  # with a user still on it
        {"user": None},
        {"email": "ole@example.dk"},
        {"state": "invited"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            CoAuthor.objects.filter(pk=row.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        CoAuthor.objects.create(
            contribution=given, user=ole, state="accepted", invited_at=NOW, answered_at=NOW
        )


# Pages.


def test_by_link_from_the_page_to_yes_without_javascript(
    given: Contribution, citizen: User, ole: User
) -> None:
    page = signed_in(citizen).post(
        address("contribution-team", given.process.slug, given.public_id), {"link": "1"}
    )
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    token = page.context["link"].rsplit("/", 2)[1]
    url = address("co-author-invitation", token)
    stranger = Client().get(url)
    assert stranger.status_code == 200
    assert "Træer" in stranger.content.decode()
    assert f"next={url}".replace("/", "%2F") in stranger.content.decode()
    guest = signed_in(ole)
    assert guest.get(url).status_code == 200
    assert not CoAuthor.objects.accepted().exists()  # looking is not saying yes
    done = guest.post(url, {"accept": "1", "name_shown": "first"})
    assert done["Location"] == given.get_absolute_url()
    assert "Ole" in Client().get(given.get_absolute_url()).content.decode()
    assert guest.get(url).status_code == 404
    mine = guest.get(reverse("accounts:my-page")).content.decode()
    assert "Træer" in mine


def test_by_e_mail_from_the_page_and_taken_back(given: Contribution, citizen: User, ole: User) -> None:
    client, url = signed_in(citizen), address("contribution-team", given.process.slug, given.public_id)
    assert client.post(url, {"invite": "1", "email": "ikke en adresse"}).status_code == 422
    assert client.post(url, {"invite": "1", "email": "ole@example.dk"}).status_code == 302
    assert client.post(url, {"invite": "1", "email": "ole@example.dk"}).status_code == 409
    assert "ole@example.dk" in client.get(url).content.decode()
    join(given, ole)
    assert "ole@example.dk" not in signed_in(ole).get(url).content.decode()
    row = CoAuthor.objects.invited().get()
    for nonsense in ("", "x", "٣", "9" * 30, str(row.pk + 1000)):
        assert client.post(url, {"take_back": nonsense}).status_code == 302
    assert CoAuthor.objects.invited().exists()
    client.post(url, {"take_back": row.pk})
    assert not CoAuthor.objects.invited().exists()


def test_no_and_leaving_from_the_pages(given: Contribution, citizen: User, ole: User) -> None:
    _row, token = actions.invite(contribution=given, by=citizen)
    url = address("co-author-invitation", token)
    assert Client().post(url, {"decline": "1"}).status_code == 200
    assert Client().get(url).status_code == 404
    join(given, ole)
    leave = address("contribution-leave", given.process.slug, given.public_id)
    client = signed_in(ole)
    assert client.get(leave).status_code == 200
    assert client.post(leave).status_code == 302
    assert not CoAuthor.objects.accepted().exists()
    assert client.get(leave).status_code == 404


def test_an_employee_is_told_why_not(given: Contribution, citizen: User, caseworker: User) -> None:
    _row, token = actions.invite(contribution=given, by=citizen)
    client = Client()
    client.force_login(caseworker)
    assert caseworker.role == Role.CASEWORKER
    assert code_of(lambda: actions.accept(token=token, by=caseworker)) == "staff"


@pytest.mark.parametrize("name", ["contribution-list", "contribution-detail"])
def test_as_many_queries_with_teams_of_eight_as_without(
    process: Process,
    citizen: User,
    person: Callable[..., User],
    django_assert_num_queries: Any,
    name: str,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    people = [person(f"Nr{number}") for number in range(7)]
    for number in range(200):
        given = giving.give_contribution(
            process=process, by=citizen, title=f"Idé {number}", body="Tekst", at=NOW
        )
    arguments = [process.slug] if name == "contribution-list" else [process.slug, given.public_id]
    url, client = address(name, *arguments), Client()
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as alone:
        client.get(url)
    CoAuthor.objects.bulk_create(
        CoAuthor(contribution=each, user=user, state="accepted", invited_at=NOW, answered_at=NOW)
        for each in Contribution.objects.all()
        for user in people
    )
    with CaptureQueriesContext(connection) as together:
        page = client.get(url)
    assert len(together) == len(alone)
    assert ("7" if name == "contribution-list" else "Nr6") in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_who_use_one_link_at_once_are_one(
    given: Contribution, citizen: User, ole: User, person: Callable[..., User]
) -> None:
    _row, token = actions.invite(contribution=given, by=citizen)
    ida = person("Ida")
    results = at_once(
        lambda: actions.accept(token=token, by=ole), lambda: actions.accept(token=token, by=ida)
    )
    assert results == ["done", "gone"]
    assert CoAuthor.objects.accepted().count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_last_two_who_leave_at_once_leave_one(given: Contribution, citizen: User, ole: User) -> None:
    join(given, ole)
    results = at_once(
        lambda: actions.leave(contribution=given, by=ole),
        lambda: actions.leave(contribution=given, by=citizen),
    )
    assert results == ["done", "last"]
    given = Contribution.objects.get()
    assert len(team.authors(given)) == 1


@pytest.mark.django_db(transaction=True)
def test_one_with_two_links_joins_once(given: Contribution, citizen: User, ole: User) -> None:
    tokens = [actions.invite(contribution=given, by=citizen)[1] for _ in range(2)]
    results = at_once(
        lambda: actions.accept(token=tokens[0], by=ole), lambda: actions.accept(token=tokens[1], by=ole)
    )
    assert results == ["already", "done"]


def test_names_of_co_authors_disappear_with_the_others(given: Contribution, ole: User) -> None:
    join(given, ole, NameShown.FULL)
    Process.objects.filter(pk=given.process_id).update(names_until=clock.today())
    assert giving.remove_names(process=given.process) == 2
    assert CoAuthor.objects.get().name_shown == NameShown.NONE
    assert "Ole" not in Client().get(given.get_absolute_url()).content.decode()
