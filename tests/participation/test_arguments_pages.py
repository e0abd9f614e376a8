from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import District, EligibilityRule, User
from accounts.permissions import Role
from accounts.verdict import Refused
from participation import clock, duties
from participation.actions import arguments as actions
from participation.choices import Moderation
from participation.models import Argument, ArgumentRating, Contribution, Draft, Process
from tests.accounts.factories import make_resident_citizen, make_staff
from tests.factories import make_process
from tests.participation.conftest import NOW
from tests.participation.debate import an_organisation, drifted, idea, many_arguments, somebody
from tests.site.world import give

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "fresh_pages")]

WRITTEN = {"side": "for", "text": "Der er langt mellem bænkene.", "name_shown": "first", "go_on": "1"}


@pytest.fixture
def contribution(process: Process) -> Contribution:
    return idea(process)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(name: str, contribution: Contribution, *more: Any) -> str:
    return reverse(f"participation:{name}", args=[contribution.process.slug, contribution.public_id, *more])


def write(
    contribution: Contribution, by: User | None = None, side: str = "for", text: str = "Fordi."
) -> Argument:
    return actions.write_argument(contribution=contribution, by=by or somebody(), side=side, text=text)


def words(page: Any) -> str:
    return " ".join(page.content.decode().split())


# Writing


def test_what_was_typed_is_there_after_mitid_also_in_another_browser(contribution: Contribution) -> None:
    url = address("argument-write", contribution)
    first = Client()
    sent = first.post(url, WRITTEN)
    assert sent.status_code == 302
    assert sent["Location"].startswith(reverse("accounts:mitid-login"))
    back = re.search(r"next=([^&]+)", sent["Location"])
    assert back is not None
    here = unquote(back[1])
    assert not Argument.objects.exists()
    other = client_of(somebody("Karla"))
    page = other.get(here).content.decode()
    assert "Der er langt mellem bænkene." in page
    assert re.search(r'value="for"[^>]*checked', page)
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    assert seen is not None
    done = other.post(here, WRITTEN | {"seen": seen[1]}, follow=True)
    argument = Argument.objects.get()
    assert done.redirect_chain[-1][0] == argument.get_absolute_url()
    assert "Der er langt mellem bænkene." in done.content.decode()
    assert not Draft.objects.exists()


def test_the_same_draft_sent_twice_is_one_argument(contribution: Contribution) -> None:
    by = somebody()
    one, other = client_of(by), client_of(by)
    url = address("argument-write", contribution)
    here = one.post(url, {**WRITTEN, "save": "1"})["Location"]
    draft = Draft.objects.get()
    assert one.post(here, WRITTEN | {"seen": draft.saved_at.isoformat()}).status_code == 302
    with pytest.raises(Refused) as found:
        actions.write_argument(contribution=contribution, by=by, side="for", text="a", draft=draft)
    assert found.value.code == "draft_gone"
    assert other.get(here).status_code == 200
    assert Argument.objects.count() == 1


def test_a_draft_of_an_argument_is_not_a_draft_of_a_contribution(contribution: Contribution) -> None:
    by = somebody()
    client = client_of(by)
    kept = client.post(address("argument-write", contribution), {**WRITTEN, "save": "1"})
    page = client.get(reverse("participation:contribute", args=[contribution.process.slug]))
    assert "Der er langt" not in page.content.decode()
    mine = client.get(reverse("accounts:my-page")).content.decode()
    assert address("argument-write", contribution) in mine
    elsewhere = client_of(by)
    found = elsewhere.get(address("argument-write", contribution), follow=True)
    assert "Der er langt mellem bænkene." in found.content.decode()
    assert client_of(somebody()).get(kept["Location"]).content.decode().count("Der er langt") == 0
    gone = elsewhere.post(found.redirect_chain[-1][0], {"forget": "1"})
    assert gone.status_code == 302
    assert not Draft.objects.exists()


def test_a_page_opened_before_the_phase_closed_lets_nobody_in_afterwards(contribution: Contribution) -> None:
    client = client_of(somebody())
    client.get(address("argument-write", contribution))
    with clock.frozen(NOW + timedelta(days=11)):
        late = client.post(address("argument-write", contribution), WRITTEN)
        assert late.status_code == 409
        assert "Der er langt mellem bænkene." in late.content.decode()
    assert not Argument.objects.exists()
    assert Draft.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", [{"side": ""}, {"side": "maybe"}, {"text": " "}, {"text": "x" * 1001}, {"text": "a\x00b"}]
)
def test_what_cannot_be_kept_gets_a_message(contribution: Contribution, wrong: dict[str, str]) -> None:
    page = client_of(somebody()).post(address("argument-write", contribution), WRITTEN | wrong)
    assert page.status_code == 422
    assert "error-summary" in page.content.decode()
    assert not Argument.objects.exists()


def test_html_is_only_text(contribution: Contribution, caseworker: User) -> None:
    evil = "<script>alert(1)</script><b onclick=x>"
    by = somebody(evil)
    argument = write(contribution, by, text=evil)
    actions.reply(parent=argument, by=by, text=evil)
    client = client_of(somebody())
    for name, more in (
        ("contribution-detail", ()),
        ("argument-list", ()),
        ("argument-detail", (argument.public_id,)),
        ("argument-reply", (argument.public_id,)),
        ("argument-rate", (argument.public_id,)),
        ("argument-report", (argument.public_id,)),
    ):
        html = client.get(address(name, contribution, *more)).content.decode()
        assert "&lt;script&gt;" in html
        assert "<script>alert" not in html
        assert "<b onclick" not in html


# Rating and replying


def test_rating_works_with_plain_forms_and_lands_where_one_was(contribution: Contribution) -> None:
    argument = write(contribution)
    client, url = client_of(somebody()), address("argument-rate", contribution, argument.public_id)
    page = contribution.get_absolute_url()
    assert "Nyttigt (0)" in words(client.get(page))
    done = client.post(url, {"useful": "ja", "next": page})
    assert done["Location"] == f"{page}#{argument.anchor}"
    html = words(client.get(page))
    assert "Nyttigt (1)" in html
    assert 'value="fortryd"' in html
    client.post(url, {"useful": "nej", "next": page})
    assert "Ikke nyttigt (1)" in words(client.get(page))
    client.post(url, {"useful": "fortryd"})
    assert not ArgumentRating.objects.exists()
    assert client.post(url, {"useful": "måske"}).status_code == 409
    for outside in (
        "https://example.com/",
        "//example.com",
        "/\\example.com",
        "javascript:alert(1)",
        "/a\nb",
    ):
        assert client.post(url, {"useful": "ja", "next": outside})["Location"].startswith(page), outside
    assert drifted() == []


def test_anonymous_pages_hold_no_form_but_a_way_in(contribution: Contribution) -> None:
    argument = write(contribution)
    for page in (
        contribution.get_absolute_url(),
        address("argument-list", contribution),
        argument.get_absolute_url(),
    ):
        response = Client().get(page)
        html = response.content.decode()
        assert "csrfmiddlewaretoken" not in html
        assert address("argument-rate", contribution, argument.public_id) in html
        assert not response.cookies
    way_in = Client().get(address("argument-rate", contribution, argument.public_id), {"next": "/forloeb/"})
    assert "Log ind med MitID" in way_in.content.decode()
    assert (
        Client()
        .post(address("argument-rate", contribution, argument.public_id), {"useful": "ja"})
        .status_code
        == 409
    )


def test_replies_stand_under_what_they_reply_to(contribution: Contribution) -> None:
    argument = write(contribution)
    client = client_of(somebody())
    for number in range(3):
        sent = client.post(
            address("argument-reply", contribution, argument.public_id),
            {"text": f"Svar nummer {number}", "name_shown": "none"},
        )
        assert sent.status_code == 302
    page = Client().get(contribution.get_absolute_url()).content.decode()
    assert "Svar nummer 0" in page
    assert "Svar nummer 2" not in page
    assert "Se alle 3 svar" in page
    every = Client().get(argument.get_absolute_url()).content.decode()
    assert every.index("Svar nummer 0") < every.index("Svar nummer 2")
    reply = Argument.objects.filter(parent=argument).first()
    assert Client().get(address("argument-reply", contribution, reply.public_id)).status_code == 404
    assert (
        Client()
        .get(address("argument-detail", contribution, reply.public_id))["Location"]
        .endswith(reply.anchor)
    )


# Who sees what


def test_what_waits_is_seen_by_its_author_and_the_unit(contribution: Contribution, caseworker: User) -> None:
    Process.objects.filter(pk=contribution.process_id).update(moderate_first=True)
    by = somebody()
    sent = client_of(by).post(address("argument-write", contribution), WRITTEN, follow=True)
    argument = Argument.objects.get()
    assert argument.moderation == Moderation.PENDING
    assert "Den venter" in sent.content.decode() or "venter på at blive læst" in sent.content.decode()
    url = argument.get_absolute_url()
    assert client_of(by).get(url).status_code == 200
    for client in (Client(), client_of(somebody()), client_of(make_staff(Role.CASEWORKER))):
        for name in ("argument-detail", "argument-reply", "argument-rate", "argument-report"):
            assert client.get(address(name, contribution, argument.public_id)).status_code == 404
    assert "Der er langt" not in Client().get(contribution.get_absolute_url()).content.decode()


def test_only_its_author_corrects_and_withdraws(contribution: Contribution) -> None:
    by = somebody()
    argument = write(contribution, by)
    edit, withdraw = (
        address(name, contribution, argument.public_id) for name in ("argument-edit", "argument-withdraw")
    )
    for url in (edit, withdraw):
        assert client_of(somebody()).get(url).status_code == 404
        assert client_of(somebody()).post(url, {"text": "a", "version": 1}).status_code == 404
    client = client_of(by)
    change = {"text": "Bedre sagt.", "name_shown": "none", "version": 1}
    assert client.post(edit, change).status_code == 302
    stale = client.post(edit, change | {"text": "Mit andet forsøg."})
    assert stale.status_code == 409
    assert "Mit andet forsøg." in stale.content.decode()
    html = Client().get(argument.get_absolute_url()).content.decode()
    assert "Bedre sagt." in html
    assert "rettet" in html
    assert client.post(withdraw).status_code == 302
    assert Client().get(argument.get_absolute_url()).status_code == 404


def test_an_organisation_is_shown_as_what_it_is(contribution: Contribution) -> None:
    house = an_organisation()
    write(contribution, house)
    html = Client().get(contribution.get_absolute_url()).content.decode()
    assert house.organisation.name in html
    assert str(house.organisation.get_kind_display()) in html
    theirs = client_of(house).get(contribution.get_absolute_url()).content.decode()
    assert "Her tæller vi kun mennesker." in theirs
    assert "Skriv et argument" in theirs


def test_reporting_and_the_way_back(contribution: Contribution) -> None:
    argument = write(contribution)
    url = address("argument-report", contribution, argument.public_id)
    assert Client().post(url, {"reason": ""}).status_code == 422
    done = Client().post(url, {"reason": "Det er en reklame."})
    assert done["Location"] == argument.get_absolute_url()
    assert argument.reports.get().by is None


# Staff


def test_contributions_and_arguments_wait_in_one_queue(contribution: Contribution, process: Process) -> None:
    Process.objects.filter(pk=process.pk).update(moderate_first=True)
    process.refresh_from_db()
    by = somebody()
    waiting = write(contribution, by, text="Argument der venter.")
    other = idea(process, title="Bidrag der venter")
    colleague = make_staff(Role.CASEWORKER, units=[process.unit])
    client, url = client_of(colleague), reverse("admin:moderation")
    html = client.get(url).content.decode()
    assert html.index("Argument der venter.") < html.index("Bidrag der venter")
    stranger = client_of(make_staff(Role.CASEWORKER))
    assert "Argument der venter." not in stranger.get(url).content.decode()
    stranger.post(url, {"argument": [waiting.pk], "publish": "1"})
    waiting.refresh_from_db()
    assert waiting.moderation == Moderation.PENDING
    client.post(url, {"argument": [waiting.pk], "chosen": [other.pk], "publish": "1"})
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert waiting.moderation == other.moderation == Moderation.PUBLISHED
    actions.report_argument(argument=waiting, by=somebody(), reason="Grimt sprog.")
    assert "Argument der venter." in client.get(url).content.decode()


def test_staff_turn_away_keep_and_talk_about_one(db: None) -> None:
    by, process = make_resident_citizen(), make_process(status="open", phase="ideas")
    argument = write(give(process, make_resident_citizen(), "Bænke"), by, text="Skældsord.")
    actions.report_argument(argument=argument, by=somebody(), reason="Grimt sprog.")
    client = client_of(make_staff(Role.CASEWORKER, units=[process.unit]))

    def act(name: str, **data: str) -> Any:
        url = reverse(f"admin:argument-{name}", args=[process.pk, argument.public_id])
        return client.post(url, data, follow=True)

    page = client.get(
        reverse("admin:process-argument", args=[process.pk, argument.public_id])
    ).content.decode()
    assert "Grimt sprog." in page
    assert "Kollegaord" in act("comment", **{"comment-text": "Kollegaord"}).content.decode()
    assert argument.reports.filter(handled_at=None).count() == 1
    act("dismiss")
    assert not argument.reports.filter(handled_at=None).exists()
    assert act("moderate", publish="0", **{"moderate-reason": ""}).status_code == 200
    argument.refresh_from_db()
    assert argument.moderation == Moderation.PUBLISHED
    act("moderate", publish="0", **{"moderate-reason": "Hold den gode tone."})
    argument.refresh_from_db()
    assert argument.moderation == Moderation.REJECTED
    mine = client_of(by).get(argument.get_absolute_url()).content.decode()
    assert "Hold den gode tone." in mine
    listed = client.get(reverse("admin:process-arguments", args=[process.pk]), {"state": "rejected"})
    assert "Skældsord." in listed.content.decode()


def test_what_waits_is_somebodys_duty(contribution: Contribution, process: Process, caseworker: User) -> None:
    Process.objects.filter(pk=process.pk).update(moderate_first=True)
    for _each in range(2):
        write(contribution)
    duty = next(one for one in duties.for_user(caseworker) if one.kind == "moderate_arguments")
    assert (duty.process, duty.count) == (process, 2)


# As many questions at 10 as at 1,000


def pages_of(contribution: Contribution) -> dict[str, str]:
    most = contribution.arguments.filter(parent=None).order_by("-reply_count", "pk").first()
    return {
        "contribution": contribution.get_absolute_url(),
        "list": address("argument-list", contribution),
        "one side": address("argument-list", contribution) + "?side=imod&sorter=nyeste",
        "argument": most.get_absolute_url(),
    }


def questions(client: Client, path: str) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as asked:
        response = client.get(path)
    assert response.status_code == 200
    return len(asked), len(response.content)


def test_the_same_questions_at_ten_as_at_a_thousand(
    process: Process, districts: list[District], adults_only: EligibilityRule
) -> None:
    adults_only.min_age = 0
    adults_only.save()
    ten, fifty, many = (idea(process) for _each in range(3))
    citizen = somebody()
    for one, number in ((ten, 10), (fifty, 50), (many, 1_000)):
        many_arguments(one, number, districts)
        actions.give_support(contribution=one, by=citizen)
    assert drifted() == []
    for name in pages_of(ten):
        for client in (Client(), client_of(citizen)):
            client.get(pages_of(ten)[name])
            asked, sizes = zip(
                *(questions(client, pages_of(one)[name]) for one in (ten, fifty, many)), strict=True
            )
            assert len(set(asked)) == 1, (name, asked)
            assert asked[0] <= 10, (name, asked)
            assert sizes[2] < sizes[1] * 1.1, (name, sizes)
    html = Client().get(many.get_absolute_url()).content.decode()
    assert "Se alle 1.000 argumenter" in html
    assert html.count('class="argument"') == 10


def test_every_argument_is_on_exactly_one_page(contribution: Contribution, districts: list[District]) -> None:
    many_arguments(contribution, 65, districts)
    seen: list[str] = []
    for page in range(1, 5):
        html = Client().get(address("argument-list", contribution), {"page": page}).content.decode()
        seen += re.findall(r'class="argument"\s+id="(argument-[0-9a-f-]+)"', html)
    assert len(seen) == len(set(seen)) == 65
    alone = Client().get(address("argument-list", contribution), {"side": "for", "page": 2})
    assert len(alone.context["columns"][0].arguments) == 12
    for nonsense in ({"side": "x"}, {"sorter": "y"}, {"page": "0"}, {"page": "9999"}, {"page": "\x00"}):
        assert Client().get(address("argument-list", contribution), nonsense).status_code == 200
