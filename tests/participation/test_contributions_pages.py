from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import District, EligibilityRule, User
from accounts.permissions import Role
from participation import clock
from participation.actions import contributions as actions
from participation.choices import Moderation, NameShown
from participation.models import Contribution, Draft, Process
from tests.factories import make_staff
from tests.participation.conftest import NOW

pytestmark = pytest.mark.usefixtures("noon", "fresh_pages")

WRITTEN = {"title": "Flere træer", "body": "Træer giver skygge.", "name_shown": "first"}


def address(name: str, *args: Any) -> str:
    return reverse(f"participation:{name}", args=args)


def write(client: Client, process: Process, token: str = "", **changes: Any) -> Any:
    url = address("contribute", process.slug) + (f"?kladde={token}" if token else "")
    return client.post(url, {**WRITTEN, "go_on": "1", **changes})


def token_of(response: Any) -> str:
    return response["Location"].split("kladde=")[1]


def test_choose_first_and_sign_in_last_also_in_another_browser(process: Process, citizen: User) -> None:
    first, second = Client(), Client()
    assert first.get(address("contribute", process.slug)).status_code == 200
    review = write(first, process)
    assert review.status_code == 302
    page = first.get(review["Location"])
    assert "kladde%3D" + token_of(review) in page.content.decode()
    second.force_login(citizen)  # MitID came back in another browser, with the same address
    page = second.get(review["Location"])
    assert "Flere træer" in page.content.decode()
    done = second.post(review["Location"])
    given = Contribution.objects.get()
    assert done["Location"] == address("contribution-receipt", process.slug, given.public_id)
    assert (given.title, given.author, given.moderation) == ("Flere træer", citizen, Moderation.PUBLISHED)
    assert given.phase.kind == "ideas"
    assert not Draft.objects.exists()
    assert second.get(done["Location"]).status_code == 200


def test_the_same_draft_sent_from_two_browsers_is_given_once(process: Process, citizen: User) -> None:
    one, other = Client(), Client()
    one.force_login(citizen)
    other.force_login(citizen)
    review = write(one, process)["Location"]
    assert other.get(review).status_code == 200
    assert one.post(review).status_code == 302
    late = other.post(review, follow=True)
    assert Contribution.objects.count() == 1
    assert "Min side" in late.content.decode() or "My page" in late.content.decode()


def test_typing_in_two_windows_loses_nothing(process: Process, citizen: User) -> None:
    client = Client()
    client.force_login(citizen)
    token = token_of(write(client, process))
    seen = (NOW - timedelta(minutes=5)).isoformat()
    write(client, process, token, body="Den anden udgave", seen=seen)
    assert sorted(draft.data["body"][0] for draft in Draft.objects.all()) == [
        "Den anden udgave",
        "Træer giver skygge.",
    ]


def test_a_shared_computer_gives_nobody_away(
    process: Process, citizen: User, person: Callable[..., User]
) -> None:
    mine, theirs = Client(), Client()
    mine.force_login(citizen)
    token = token_of(write(mine, process))
    theirs.force_login(person("Bo"))
    url = address("contribute", process.slug) + f"?kladde={token}"
    assert "Flere træer" not in theirs.get(url).content.decode()
    assert "Flere træer" not in Client().get(url).content.decode()
    assert "Flere træer" in mine.get(url).content.decode()


def test_save_and_go_on_later_checks_nothing_and_finds_it_again(process: Process, citizen: User) -> None:
    client = Client()
    kept = client.post(address("contribute", process.slug), {"title": "", "body": "Halv", "save": "1"})
    assert kept.status_code == 302
    page = client.get(address("contribute", process.slug))  # the cookie knows it
    assert "Halv" in page.content.decode()
    assert "form-error" not in page.content.decode()
    client.force_login(citizen)
    client.post(kept["Location"], {"title": "", "body": "Halv og mere", "save": "1"})
    elsewhere = Client()
    elsewhere.force_login(citizen)
    found = elsewhere.get(address("contribute", process.slug), follow=True)
    assert "Halv og mere" in found.content.decode()


def test_a_page_opened_before_the_phase_closed_lets_nobody_in_afterwards(
    process: Process, citizen: User
) -> None:
    client = Client()
    client.force_login(citizen)
    review = write(client, process)["Location"]
    with clock.frozen(NOW + timedelta(days=11)):
        late = client.post(review)
        assert late.status_code == 409
        assert "Flere træer" in late.content.decode()
        page = write(client, process, title="Endnu en", body="Skrevet for sent")
        assert page.status_code == 409
        assert "Skrevet for sent" in page.content.decode()
    assert not Contribution.objects.exists()
    assert Draft.objects.count() == 2


def test_the_last_moment_counts_and_the_first_after_does_not(process: Process, citizen: User) -> None:
    ends = process.phases.get(kind="ideas").interval.upper
    give = {"process": process, "by": citizen, "title": "a", "body": "b"}
    actions.give_contribution(**give, at=ends - timedelta(microseconds=1))
    with pytest.raises(actions.Refused) as refused:
        actions.give_contribution(**give, at=ends)
    assert refused.value.code == "closed"


@pytest.mark.parametrize("field", ["title", "body", "place"])
@pytest.mark.parametrize(
    ("text", "code"), [("a\x00b", 422), ("a\x07b", 422), ("x" * 7000, 422), ("x" * 200_000, 422)]
)
def test_what_cannot_be_kept_gets_a_message(
    process: Process, citizen: User, field: str, text: str, code: int
) -> None:
    client = Client()
    client.force_login(citizen)
    page = write(client, process, **{field: text})
    assert page.status_code == code
    assert "error-summary" in page.content.decode()
    assert not Contribution.objects.exists()


def test_an_empty_form_says_what_is_missing(process: Process) -> None:
    page = Client().post(address("contribute", process.slug), {"go_on": "1"})
    assert page.status_code == 422
    assert 'href="#id_title"' in page.content.decode()


def test_html_in_every_text_field_is_only_text(
    process: Process, caseworker: User, person: Callable[..., User]
) -> None:
    evil = "<script>alert(1)</script><b onclick=x>"
    author = person(first_name=evil, last_name=evil)
    client = Client()
    client.force_login(author)
    review = write(client, process, title=evil, body=evil, place=evil, name_shown="full")
    pages = [client.get(review["Location"])]
    pages.append(client.post(review["Location"], follow=True))
    given = Contribution.objects.get()
    actions.answer_contributions(contributions=[given], by=caseworker, outcome="noted", answer=evil)
    actions.ask_question(process=process, by=author, text=evil)
    question = process.questions.get()
    actions.answer_question(question=question, by=caseworker, answer=evil)
    theme = actions.create_theme(process=process, by=caseworker, title=evil)
    actions.put_in_theme(contributions=[given], by=caseworker, theme=theme)
    for name, args in (
        ("contribution-detail", (process.slug, given.public_id)),
        ("contribution-list", (process.slug,)),
        ("contribution-receipt", (process.slug, given.public_id)),
        ("contribution-report", (process.slug, given.public_id)),
        ("contribution-edit", (process.slug, given.public_id)),
        ("contribution-withdraw", (process.slug, given.public_id)),
        ("question-list", (process.slug,)),
        ("search", ()),
    ):
        pages.append(client.get(address(name, *args), {"q": "script"}))
    for page in pages:
        html = page.content.decode()
        assert page.status_code == 200
        assert "<script>alert" not in html
        assert "<b onclick" not in html
    assert sum("&lt;script&gt;" in page.content.decode() for page in pages) >= 8
    receipt = client.get(address("contribution-receipt-pdf", process.slug, given.public_id))
    assert receipt.content.startswith(b"%PDF")


def test_a_stale_correction_is_told_so_and_keeps_what_was_typed(process: Process, citizen: User) -> None:
    given = actions.give_contribution(process=process, by=citizen, title="Et", body="To")
    client = Client()
    client.force_login(citizen)
    url = address("contribution-edit", process.slug, given.public_id)
    first = client.post(url, {**WRITTEN, "body": "Første", "version": 1})
    assert first.status_code == 302
    second = client.post(url, {**WRITTEN, "body": "Fra den gamle side", "version": 1})
    assert second.status_code == 409
    assert "Fra den gamle side" in second.content.decode()
    given.refresh_from_db()
    assert (given.body, given.version) == ("Første", 2)
    assert client.post(url, {**WRITTEN, "version": "9" * 40}).status_code == 422


def test_the_edit_window_closes(process: Process, citizen: User, person: Callable[..., User]) -> None:
    given = actions.give_contribution(process=process, by=citizen, title="Et", body="To")
    client = Client()
    client.force_login(citizen)
    url = address("contribution-edit", process.slug, given.public_id)
    with clock.frozen(NOW + timedelta(minutes=29)):
        assert client.post(url, {**WRITTEN, "version": 1}).status_code == 302
    with clock.frozen(NOW + timedelta(minutes=30)):
        late = client.post(url, {**WRITTEN, "body": "For sent", "version": 2})
        assert late.status_code == 409
        assert "For sent" in late.content.decode()
    client.force_login(person("Bo"))
    assert client.get(url).status_code == 404


def test_withdrawn_is_gone_from_everywhere_but_its_author(process: Process, citizen: User) -> None:
    given = actions.give_contribution(process=process, by=citizen, title="Springvand", body="Vand")
    client, anyone = Client(), Client()
    client.force_login(citizen)
    assert "Springvand" in anyone.get(address("contribution-list", process.slug)).content.decode()
    client.post(address("contribution-withdraw", process.slug, given.public_id))
    assert anyone.get(given.get_absolute_url()).status_code == 404
    assert "Springvand" not in anyone.get(address("contribution-list", process.slug)).content.decode()
    assert client.get(given.get_absolute_url()).status_code == 200
    given.refresh_from_db()
    assert given.search_vector is None


def test_moderated_before_it_is_shown_with_the_reason_to_its_author(
    make_process: Callable[..., Process], citizen: User, caseworker: User, person: Callable[..., User]
) -> None:
    process = make_process(moderate_first=True)
    given = actions.give_contribution(process=process, by=citizen, title="Bandeord", body="…")
    assert given.moderation == Moderation.PENDING
    anyone, author = Client(), Client()
    author.force_login(citizen)
    assert anyone.get(given.get_absolute_url()).status_code == 404
    with pytest.raises(actions.Refused) as refused:
        actions.moderate(contribution=given, by=caseworker, publish=False)
    assert refused.value.field == "reason"
    with pytest.raises(actions.Refused):
        actions.moderate(contribution=given, by=person("Bo"), publish=True)
    actions.moderate(contribution=given, by=caseworker, publish=False, reason="Den udstiller en nabo.")
    assert "Den udstiller en nabo." in author.get(given.get_absolute_url()).content.decode()
    assert "Den udstiller en nabo." in citizen.notices.get().text
    actions.moderate(contribution=given, by=caseworker, publish=True)
    assert anyone.get(given.get_absolute_url()).status_code == 200


def test_anyone_can_report_and_only_so_often(process: Process, citizen: User, caseworker: User) -> None:
    given = actions.give_contribution(process=process, by=citizen, title="Et", body="To")
    url = address("contribution-report", process.slug, given.public_id)
    anyone = Client(REMOTE_ADDR="10.1.2.3")
    for _time in range(10):
        assert anyone.post(url, {"reason": "Grimt"}).status_code == 302
    assert anyone.post(url, {"reason": "Grimt"}).status_code == 409
    assert given.reports.count() == 10
    assert caseworker.notices.filter(kind="duty").count() == 10
    author = Client()
    author.force_login(citizen)
    assert author.post(url, {"reason": "Mit eget"}).status_code == 409
    actions.dismiss_reports(contribution=given, by=caseworker)
    assert not given.reports.filter(handled_at=None).exists()


@pytest.mark.parametrize(
    ("age", "lives", "word"),
    [("15", "here", "alert-success"), ("14", "here", "alert-warning"), ("14", "elsewhere", "alert-warning")],
)
def test_can_i_take_part_answers_without_sign_in(
    process: Process, adults_only: EligibilityRule, age: str, lives: str, word: str
) -> None:
    page = Client().get(address("can-i-take-part", process.slug), {"age": age, "lives": lives})
    assert word in page.content.decode()


def test_can_i_take_part_says_perhaps_when_the_birthday_decides(
    process: Process, adults_only: EligibilityRule
) -> None:
    adults_only.age_on = (NOW + timedelta(days=200)).date()
    adults_only.save()
    page = Client().get(address("can-i-take-part", process.slug), {"age": "14", "lives": "here"})
    assert "alert-info" in page.content.decode()
    for odd in ({"age": "x", "lives": "here"}, {"age": "900", "lives": "æ"}, {"age": "15"}):
        assert Client().get(address("can-i-take-part", process.slug), odd).status_code == 200


def test_too_young_chooses_first_and_is_told_at_the_end(
    process: Process, adults_only: EligibilityRule, citizen: User
) -> None:
    client = Client()
    client.force_login(citizen)  # no birth date known: not eligible
    review = write(client, process)["Location"]
    assert "button-large" not in client.get(review).content.decode()
    assert client.post(review).status_code == 409
    assert not Contribution.objects.exists()
    assert Draft.objects.count() == 1


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [(NameShown.FIRST, "Maja"), (NameShown.FULL, "Maja Holm"), (NameShown.NONE, "En borger")],
)
def test_names_as_the_writer_chose_until_they_disappear(
    make_process: Callable[..., Process], citizen: User, districts: list[District], chosen: str, shown: str
) -> None:
    process = make_process(names_until=(NOW + timedelta(days=100)).date())
    given = actions.give_contribution(process=process, by=citizen, title="Et", body="To", name_shown=chosen)
    page = Client().get(given.get_absolute_url()).content.decode()
    assert (f">{shown}<" in page) or chosen == NameShown.NONE
    assert ("Holm" in page) is (chosen == NameShown.FULL)
    assert "noindex" in page
    with clock.frozen(NOW + timedelta(days=100)):
        assert (
            "Maja"
            not in Client(headers={"accept-language": "da"})
            .get(f"{given.get_absolute_url()}?2")
            .content.decode()
        )
        from participation.tasks import remove_names

        remove_names()
        remove_names()
    given.refresh_from_db()
    assert given.name_shown == NameShown.NONE


def test_a_letter_in_time_is_not_late_because_it_was_typed_afterwards(
    process: Process, caseworker: User
) -> None:
    letter = {
        "process": process,
        "by": caseworker,
        "channel": "letter",
        "author_name": "Ejnar Bo",
        "title": "Bænke",
        "body": "Flere bænke",
    }
    late = NOW + timedelta(days=15)
    with clock.frozen(late):
        given = actions.record_for_someone(**letter, received_on=NOW.date())
        assert (given.channel, given.phase.kind, given.author) == ("letter", "ideas", None)
        assert "Ejnar" in Client().get(given.get_absolute_url()).content.decode()
        for wrong, code in (
            ({"received_on": late.date()}, "closed"),
            ({"received_on": (late + timedelta(days=1)).date()}, "in_future"),
            ({"received_on": NOW.date(), "channel": "web"}, "unknown_choice"),
        ):
            with pytest.raises(actions.Refused) as refused:
                actions.record_for_someone(**{**letter, **wrong})
            assert refused.value.code == code


def test_paper_form_and_receipt_are_tagged_documents(
    process: Process, citizen: User, districts: list[District]
) -> None:
    form = Client().get(address("contribution-form-pdf", process.slug))
    assert form["Content-Type"] == "application/pdf"
    assert b"pdfuaid" in form.content
    given = actions.give_contribution(
        process=process, by=citizen, title="#let x = 1", body="*ikke fed* #x $a$"
    )
    client = Client()
    client.force_login(citizen)
    receipt = client.get(address("contribution-receipt-pdf", process.slug, given.public_id))
    assert b"pdfuaid" in receipt.content
    assert Client().get(address("contribution-receipt-pdf", process.slug, given.public_id)).status_code == 302


@pytest.mark.parametrize("count", [10, 1000])
def test_as_many_queries_at_ten_as_at_a_thousand(
    process: Process, districts: list[District], django_assert_num_queries: Any, count: int
) -> None:
    authors = [User(first_name=f"N{i}", handle=f"h{i}", date_joined=NOW) for i in range(count)]
    User.objects.bulk_create(authors)
    Contribution.objects.bulk_create(
        Contribution(
            process=process,
            author=authors[i],
            title=f"Idé {i}",
            body="Tekst",
            district=districts[i % 3],
            home_district=districts[(i + 1) % 3],
            received_on=NOW.date(),
            created_at=NOW + timedelta(seconds=i),
            moderation=Moderation.PUBLISHED,
        )
        for i in range(count)
    )
    with django_assert_num_queries(6):
        page = Client().get(address("contribution-list", process.slug))
    assert page.content.decode().count('<article class="contribution"') == min(count, 20)


def test_filters_take_anything(process: Process, districts: list[District], citizen: User) -> None:
    actions.give_contribution(process=process, by=citizen, title="Et", body="To", district=districts[0])
    url = address("contribution-list", process.slug)
    for odd in ("x" * 5000, "9" * 30, "\x00", "-1", "æøå", "' OR 1=1"):
        for name in ("q", "distrikt", "tema", "udfald", "sorter", "page"):
            assert Client().get(url, {name: odd}).status_code == 200
    found = Client().get(url, {"distrikt": districts[0].pk, "sorter": "titel", "udfald": "intet"})
    assert found.content.decode().count('<article class="contribution"') == 1
    none = Client().get(url, {"distrikt": districts[1].pk})
    assert none.content.decode().count('<article class="contribution"') == 0


def test_who_may_not_send_is_told_before_writing(process: Process, citizen: User) -> None:
    for who, told in ((None, 0), (citizen, 0), (make_staff(Role.CASEWORKER), 1)):
        client = Client()
        if who is not None:
            client.force_login(who)
        page = client.get(address("contribute", process.slug)).content.decode()
        assert 'name="title"' in page
        assert page.count("alert-warning") == told
