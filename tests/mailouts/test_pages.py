"""The staff pages: what is typed stays, who is protected is nowhere, and a page asks as much at ten as at a thousand."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from audit import clock
from mailouts import actions
from mailouts.choices import Stage, State
from mailouts.models import Campaign, Delivery, ListedRecipient, PrintBatch, Source
from tests.accounts.factories import cpr_for, make_resident, make_staff
from tests.mailouts import tampering
from tests.mailouts.factories import make_campaign
from tests.mailouts.tampering import triggers_off
from tests.mailouts.test_building import account
from tests.site.markup import DATA_SCRIPTS, Reader
from tests.site.world import session_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture(autouse=True)
def in_english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


def desk(user: User) -> Client:
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session_of(user)
    return client


def at(campaign: Campaign, name: str = "", **arguments: Any) -> str:
    return reverse(f"admin:mailout{name}", kwargs={"pk": campaign.pk} | arguments)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


SHOWN = (
    "",
    "-progress",
    "-letter",
    "-recipients",
    "-how",
    "-preview",
    "-approve",
    "-stop",
    "-failures",
    "-delete",
)


def every_page(client: Client, campaign: Campaign) -> dict[str, str]:
    """Each page that can be looked at in this stage, and each answer to its buttons that changes nothing."""
    found = {}
    for name in SHOWN:
        response = client.get(at(campaign, name))
        if response.status_code == 200:
            found[name] = response.content.decode()
    found["list"] = client.get(reverse("admin:mailout-list")).content.decode()
    for row in campaign.deliveries.all()[:20]:
        for name in ("-preview-one", "-preview-pdf"):
            response = client.get(at(campaign, name, delivery=row.pk))
            if response.status_code == 200 and "html" in response["Content-Type"]:
                found[f"{name}{row.pk}"] = response.content.decode()
    for batch in campaign.print_batches.all():
        found[f"csv{batch.number}"] = client.get(
            at(campaign, "-print-list", number=batch.number)
        ).content.decode()
    return found


# Protected


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.FROZEN, Stage.APPROVED, Stage.SENDING, Stage.PAUSED])
def test_who_is_protected_is_on_no_page(stage: str) -> None:
    """The canary: somebody who is not protected is found where the other isn't."""
    shown = make_resident(name="Bo Synlig", address="Torvet 2, 9998 Synligby")
    hidden = make_resident(name="Ib Skjult", address="Hemmelig Vej 1, 9997 Gemt", protected=True)
    account("skjult@example.dk", person=hidden.person)
    campaign = make_campaign(stage=stage, policy="paper", paper_route="batch")
    if stage == Stage.DRAFT:
        campaign = actions.build_list(campaign=campaign)
    if stage == Stage.SENDING:
        while actions.make_print_batch(campaign=campaign):
            pass
        campaign.deliveries.filter(person=shown.person).update(state=State.FAILED, failure_code="refused")
    for user in (campaign.created_by, make_staff(units=[campaign.unit])):
        pages = every_page(desk(user), campaign)
        assert len(pages) >= 4
        if stage in {Stage.DRAFT, Stage.FROZEN, Stage.APPROVED}:
            assert any("Synlig" in page for page in pages.values())
        for name, page in pages.items():
            for word in ("Skjult", "Hemmelig", "9997", "Gemt", "skjult@example.dk", hidden.cpr):
                assert word not in page, (name, word)
    client = desk(campaign.created_by)
    one = campaign.deliveries.get(person=hidden.person)
    for name in ("-preview-one", "-preview-pdf"):
        assert client.get(at(campaign, name, delivery=one.pk)).status_code == 404
    assert client.get(at(campaign, "-preview-one", delivery=campaign.deliveries.get(person=shown.person).pk)).status_code == 200  # fmt: skip


def test_nor_is_their_email() -> None:
    account("skjult@example.dk", person=make_resident(name="Ib Skjult", protected=True).person)
    account("synlig@example.dk", person=make_resident(name="Bo Synlig").person)
    campaign = make_campaign(stage=Stage.FROZEN, policy="email")
    pages = every_page(desk(campaign.created_by), campaign)
    assert any("synlig@example.dk" in page for page in pages.values())
    assert not any("skjult" in page.casefold() for page in pages.values())


def test_who_is_protected_since_is_on_no_page_either() -> None:
    resident = make_resident(name="Ib Skjult")
    campaign = make_campaign(stage=Stage.FROZEN)
    resident.protected = True
    resident.save()
    for name, page in every_page(desk(campaign.created_by), campaign).items():
        assert "Skjult" not in page, name


def test_a_letter_of_another_mailout_is_not_shown_under_this_one() -> None:
    make_resident()
    one, other = make_campaign(stage=Stage.FROZEN), make_campaign(stage=Stage.FROZEN)
    client = desk(one.created_by)
    for name in ("-preview-one", "-preview-pdf"):
        assert client.get(at(one, name, delivery=other.deliveries.get().pk)).status_code == 404
    draft = make_campaign(by=one.created_by)
    assert client.post(at(draft, "-source-remove", source=other.sources.get().pk)).status_code == 404


def test_without_a_register_the_pages_still_open() -> None:
    from accounts.models import RegisterExtract

    make_resident()
    campaign = make_campaign(stage=Stage.FROZEN)
    delivery = campaign.deliveries.get()
    RegisterExtract.objects.update(valid_until=clock.today())
    with clock.frozen(clock.now() + timedelta(days=3)):
        client = desk(make_staff(units=[campaign.unit]))
        for name in ("", "-preview", "-approve"):
            assert client.get(at(campaign, name)).status_code == 200
        assert client.get(at(campaign, "-preview-one", delivery=delivery.pk)).status_code == 404


# As quick with a thousand


def crowd(campaign: Campaign, number: int) -> None:
    template = campaign.deliveries.first()
    assert template is not None
    with triggers_off():
        Delivery.objects.bulk_create(
            [
                Delivery(
                    campaign=campaign,
                    recipient_key=f"x:{uuid4()}",
                    person=template.person if place % 2 else None,
                    channel=["digital", "paper"][place % 2],
                    state=[State.QUEUED, State.FAILED, State.SENT, State.UNCERTAIN][place % 4],
                    failure_code="refused" if place % 4 == 1 else "",
                    left_at=clock.now(),
                    due_at=clock.now(),
                )
                for place in range(number)
            ]
        )


@pytest.mark.parametrize(
    ("name", "stage"),
    [("", Stage.SENDING), ("", Stage.FROZEN), ("-recipients", Stage.DRAFT), ("-failures", Stage.SENDING), ("-approve", Stage.FROZEN), ("-preview", Stage.FROZEN), ("-progress", Stage.SENDING)],
)  # fmt: skip
def test_a_page_asks_as_much_at_ten_as_at_a_thousand(name: str, stage: str) -> None:
    make_resident()
    campaign = make_campaign(stage=stage)
    if stage == Stage.DRAFT:
        campaign = actions.build_list(campaign=campaign)
    client = desk(make_staff(units=[campaign.unit]))

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(at(campaign, name)).status_code == 200
        return len(captured)

    crowd(campaign, 10)
    asked()
    few = asked()
    crowd(campaign, 990)
    assert asked() == few
    assert few <= 40


def test_the_list_of_mailouts_asks_as_much_at_two_as_at_fifty() -> None:
    campaign = make_campaign(kind="list")
    client = desk(campaign.created_by)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("admin:mailout-list")).status_code == 200
        return len(captured)

    asked()
    few = asked()
    for _number in range(49):
        actions.create_campaign(by=campaign.created_by, unit=campaign.unit, title="Endnu en")
    assert asked() == few
    stranger = desk(make_staff(units=[make_campaign(kind="list").unit]))
    assert "Endnu en" not in text_of(stranger.get(reverse("admin:mailout-list")))
    for stage in ("draft", "x", "\x00", "' OR 1=1"):
        assert client.get(reverse("admin:mailout-list"), {"stand": stage, "page": "x"}).status_code == 200


# Nothing inline


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.FROZEN, Stage.SENDING])
def test_no_script_or_style_stands_in_a_page(stage: str) -> None:
    make_resident()
    campaign = make_campaign(
        stage=stage, action_kind="link", action_label="Se <b>", action_url="https://x.dk/?a=1&b=2"
    )
    pages = every_page(desk(make_staff(units=[campaign.unit])), campaign)
    for name, page in pages.items():
        reader = Reader()
        reader.feed(page)
        assert reader.faults == [], name
        for element in reader.elements:
            assert element.tag != "style", name
            assert "style" not in element.attributes, name
            assert not [key for key in element.attributes if key.startswith("on")], name
            if element.tag == "script" and element.attributes.get("type") not in DATA_SCRIPTS:
                assert element.attributes.get("src"), name


# The letter as it will look

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '[x](https://x.dk/"onclick=alert(1))',
    "</article></div><b onclick=x>",
    "{navn",
    "{ukendt} {{ 7 }} {% load x %}",
    "**" * 500,
    "- " * 300,
    "> " * 300,
    "[" * 500,
    "\u202eolleh",
    "a\x00b",
    "&lt;b&gt;",
)


def tags_with_scripts(page: str) -> list[Any]:
    reader = Reader()
    reader.feed(page)
    return [
        element
        for element in reader.elements
        if any(key.startswith("on") for key in element.attributes)
        or any("javascript:" in element.attributes.get(key, "") for key in ("href", "src"))
        or (element.tag == "script" and not element.attributes.get("src"))
        or (element.tag == "img" and element.attributes.get("src") == "x")
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_looks_like_the_text_it_is(hostile: str) -> None:
    campaign = make_campaign(kind="list")
    client = desk(campaign.created_by)
    names = ("title", "subject", "text", "english_subject", "english_text", "sms_text", "action_label", "action_url", "meeting_place", "kle")  # fmt: skip
    typed = dict.fromkeys(names, hostile[:100]) | {"text": hostile, "action_kind": "link"}
    for response in (
        client.post(at(campaign, "-look"), typed),
        client.post(at(campaign, "-letter"), typed | {"look": "1"}),
        client.post(at(campaign, "-letter"), typed | {"kle": "", "title": "x"}, follow=True),
        client.get(at(campaign, "-preview")),
        client.get(at(campaign)),
    ):
        assert response.status_code == 200
        assert tags_with_scripts(response.content.decode()) == []
    assert client.get(at(campaign, "-letter")).status_code == 200


def test_looking_saves_nothing() -> None:
    campaign = make_campaign(kind="list")
    client = desk(campaign.created_by)
    page = text_of(
        client.post(at(campaign, "-look"), {"subject": "Nyt emne", "text": "**Nyt**", "action_kind": "none"})
    )
    assert "Nyt emne" in page
    assert "<strong>Nyt</strong>" in page
    client.post(at(campaign, "-letter"), {"title": "x", "subject": "Nyt emne", "text": "Nyt", "action_kind": "none", "look": "1"})  # fmt: skip
    campaign.refresh_from_db()
    assert "Nyt" not in campaign.text + campaign.subject


# What is typed stays

FORMS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("-letter", {}, {"title": "", "subject": "Mit emne", "text": "Min lange tekst", "action_kind": "none", "kle": "forkert"}),
    ("-letter", {}, {"title": "Navn", "text": "Min lange tekst", "action_kind": "ukendt"}),
    ("-letter", {}, {"title": "Navn", "text": "Min lange tekst", "action_kind": "meeting", "meeting_starts_day": "31", "meeting_starts_month": "2", "meeting_starts_year": "2026", "meeting_starts_time": "10"}),
    ("-how", {}, {"policy": "automatic", "paper_route": "remote", "earlier": "leave_out", "expected": "mange", "keep_days": "180"}),
    ("-how", {}, {"policy": "automatic", "paper_route": "remote", "earlier": "leave_out", "expected": "7", "keep_days": "99999"}),
    ("-source", {"kind": "register"}, {"age_from": "90", "age_to": "18"}),
    ("-source", {"kind": "register"}, {"age_from": "3"}),
    ("-source", {"kind": "lot"}, {"age_from": "18", "amount": "rigtig mange"}),
    ("-source", {"kind": "addresses"}, {"lines": "Torvet 1\n1234567", "age_from": "18"}),
    ("-source", {"kind": "organisations"}, {"industries": "handel"}),
    ("-source", {"kind": "organisations"}, {"cvrs": "12345678"}),
    ("-source", {"kind": "list"}, {"name": "Min liste", "pasted": "email\nbo@"}),
    ("-source", {"kind": "list"}, {"name": "Min liste"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "typed"), FORMS)
def test_what_is_typed_stays_and_what_is_wrong_is_said(
    name: str, arguments: dict[str, Any], typed: dict[str, str]
) -> None:
    campaign = make_campaign(kind="list")
    client = desk(campaign.created_by)
    response = client.post(at(campaign, name, **arguments), typed)
    assert response.status_code == 200
    page = response.content.decode()
    assert "error" in page
    reader = Reader()
    reader.feed(page)
    there = {element.text for element in reader.elements if element.tag == "textarea"}
    there |= {element.attributes.get("value", "") for element in reader.elements}
    for value in typed.values():
        if value in {"ukendt", "31", "2", "2026", "10"}:
            continue
        assert any(value.strip() == each.strip() for each in there), value
    assert not Source.objects.exists()
    campaign.refresh_from_db()
    assert campaign.text != "Min lange tekst"


def test_a_number_typed_as_it_is_shown() -> None:
    campaign = make_campaign(kind="list")
    client = desk(campaign.created_by)
    how = {"policy": "automatic", "paper_route": "remote", "earlier": "leave_out", "keep_days": "180"}
    for typed, expected in (("1.200", 1200), ("12,000", 12000), ("1 200", 1200), ("1200", 1200), ("1.234.567", 1_234_567)):  # fmt: skip
        client.post(at(campaign, "-how"), how | {"expected": typed})
        campaign.refresh_from_db()
        assert campaign.expected == expected
    for typed in ("1.2", "1.20", "12.0000", "-5", "1e3", "٣", "9" * 30):
        assert client.post(at(campaign, "-how"), how | {"expected": typed}).status_code == 200
    campaign.refresh_from_db()
    assert campaign.expected == 1_234_567


def test_an_uploaded_list_and_what_is_wrong_with_it() -> None:
    campaign = make_campaign(kind="list")
    client = desk(campaign.created_by)
    address = at(campaign, "-source", kind="list")

    def upload(content: bytes) -> Any:
        return client.post(address, {"name": "Fil", "file": SimpleUploadedFile("liste.csv", content)})

    number = cpr_for(make_resident().birth_date, 9876)
    for content in (
        b"\xff\xfe\x00",
        b"PK\x03\x04",
        b"",
        b" ",
        b"email\nbo@",
        b"\x00" * 50,
        f"cpr\n{number}".encode(),
    ):
        response = upload(content)
        assert response.status_code == 200
        assert number not in response.content.decode()
    assert not Source.objects.exists()
    assert upload("navn;email\nÅse;aase@example.dk".encode("cp1252")).status_code == 302
    assert ListedRecipient.objects.get().name == "Åse"


PARTS = [f"meeting_{end}_{part}" for end in ("starts", "ends") for part in ("day", "month", "year", "time")]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(
            [*PARTS, "action_url", "text", "subject", "english_text", "sms_text", "action_label", "kle"]
        ),
        st.text(max_size=60) | st.sampled_from(["0", "1", "0001", "9999", "12", "00:00", "23.59", "https://x", "[a](b)", "{navn}"]),
    )
)  # fmt: skip
def test_no_letter_breaks_its_preview(typed: dict[str, str]) -> None:
    campaign = Campaign.objects.first() or make_campaign(kind="list")
    client = desk(campaign.created_by)
    typed = {key: value.encode("utf-8", "replace").decode() for key, value in typed.items()}
    for kind in ("link", "meeting"):
        body = {"title": "x", "action_kind": kind} | typed
        assert client.post(at(campaign, "-look"), body).status_code == 200
        assert client.post(at(campaign, "-letter"), body).status_code in {200, 302}
    for name in ("", "-letter", "-preview"):
        assert client.get(at(campaign, name)).status_code == 200


@pytest.mark.parametrize("year", ["0001", "1", "1583", "1899", "9999", "10000"])
def test_no_moment_breaks_a_page(year: str) -> None:
    make_resident()
    campaign = make_campaign()
    client = desk(campaign.created_by)
    moment = {"day": "31" if year == "9999" else "1", "month": "12" if year == "9999" else "1", "year": year}
    for clock_time in ("0.00", "23.59"):
        parts = moment | {"time": clock_time}
        typed = {
            f"meeting_{end}_{part}": value for end in ("starts", "ends") for part, value in parts.items()
        }
        body = {"title": "x", "text": "Hej", "subject": "Hej", "action_kind": "meeting", "meeting_place": "x"}
        del typed["meeting_ends_day"]
        for name in ("-look", "-letter"):
            assert client.post(at(campaign, name), body | typed).status_code in {200, 302}
        typed = {key: value for key, value in typed.items() if "starts" in key}
        assert client.post(at(campaign, "-letter"), body | typed).status_code in {200, 302}
        how = {"policy": "automatic", "paper_route": "remote", "earlier": "leave_out", "keep_days": "9"}
        how |= {f"start_at_{part}": value for part, value in parts.items()}
        assert client.post(at(campaign, "-how"), how).status_code in {200, 302}
        for name in ("", "-letter", "-how", "-preview"):
            assert client.get(at(campaign, name)).status_code == 200


# The road through the pages


def test_from_the_first_word_to_the_last_letter() -> None:
    make_resident(name="Bo Holm")
    campaign = make_campaign(kind="list", text="", subject="")
    author, second = campaign.created_by, make_staff(units=[campaign.unit])
    client = desk(author)
    assert "The letter has no subject" in text_of(client.get(at(campaign)))
    client.post(at(campaign, "-letter"), {"title": "Brev", "subject": "Til {fornavn}", "text": "Kære {navn}", "action_kind": "none"})  # fmt: skip
    client.post(at(campaign, "-source", kind="register"), {"age_from": "18"})
    client.post(at(campaign, "-how"), {"policy": "automatic", "paper_route": "remote", "earlier": "leave_out", "expected": "1", "keep_days": "30"})  # fmt: skip
    client.post(at(campaign, "-find"))
    actions.build_list(campaign=campaign)
    client.post(at(campaign, "-test"))
    assert "Freeze 1 letter" in text_of(client.get(at(campaign)))
    client.post(at(campaign, "-freeze"))
    page = text_of(client.get(at(campaign)))
    assert "You made or froze this mailout yourself" in page
    assert "Look it through and approve" not in page
    other = desk(second)
    page = text_of(other.get(at(campaign, "-approve")))
    assert "Bo Holm" in page
    wrong = other.post(at(campaign, "-approve"), {"number": "17"})
    assert "That is not the number of letters" in text_of(wrong)
    assert 'value="17"' in text_of(wrong)
    assert client.post(at(campaign, "-approve"), {"number": "1"}).status_code == 200
    assert other.post(at(campaign, "-approve"), {"number": "1"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.stage, campaign.approved_by) == (Stage.APPROVED, second)
    actions.start(campaign=campaign)
    assert client.post(at(campaign, "-stop"), {"reason": ""}).status_code == 200
    assert client.post(at(campaign, "-stop"), {"reason": "Forkert"}).status_code == 302
    assert "Forkert" in text_of(client.get(at(campaign)))


def test_a_list_that_grew_after_the_approval_is_told_on_the_page() -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.APPROVED)
    with triggers_off():
        tampering.grow(campaign)
    assert "The list has grown by 1" in text_of(desk(campaign.created_by).get(at(campaign)))


def test_a_page_of_failures_sends_its_own_line_again() -> None:
    for _number in range(2):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    first = campaign.deliveries.earliest("pk")
    campaign.deliveries.update(state=State.FAILED, failure_code="refused")
    campaign.deliveries.filter(pk=first.pk).update(failure_code="gave_up")
    client = desk(campaign.created_by)
    line = {"state": "failed", "code": "gave_up", "channel": "digital"}
    assert client.post(at(campaign, "-failures"), line).status_code == 302
    assert campaign.deliveries.get(state=State.QUEUED).pk == first.pk
    assert client.post(at(campaign, "-failures"), {}).status_code == 404
    page = text_of(client.post(at(campaign, "-failures"), {"state": "sent"}, follow=True))
    assert "Only failed and uncertain" in page


def test_when_the_content_is_gone_the_numbers_stay_and_nothing_asks_for_it() -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl")
    with clock.frozen(clock.now() + timedelta(days=400)):
        actions.delete_content(campaign=campaign)
    client = desk(campaign.created_by)
    page = text_of(client.get(at(campaign)))
    assert "The numbers stay" in page
    assert "0 of 1 were sent" in page
    for name in ("-failures", "-preview", "-letter", "-copy"):
        assert at(campaign, name) not in page
    for name in ("-failures", "-preview"):
        assert client.get(at(campaign, name)).status_code == 404


def test_a_part_is_fetched_by_a_click_and_kept_by_no_cache() -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING, policy="paper", paper_route="batch")
    actions.make_print_batch(campaign=campaign)
    client = desk(campaign.created_by)
    assert client.get(at(campaign, "-print", number=1)).status_code == 405
    response = client.post(at(campaign, "-print", number=1))
    assert response.content.startswith(b"%PDF")
    assert "no-store" in response["Cache-Control"]
    assert "attachment" in response["Content-Disposition"]
    assert PrintBatch.objects.get().fetched_by == campaign.created_by
    listing = client.get(at(campaign, "-print-list", number=1))
    assert listing.content.startswith(b"\xef\xbb\xbf")
    assert "no-store" in listing["Cache-Control"]
    for number in (0, 2, 10**30):
        assert client.post(f"/admin/udsendelser/{campaign.pk}/print/{number}/").status_code == 404


def test_a_line_of_failures_says_who_they_are_but_for_the_protected(
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(3):
        make_resident(name=f"Borger Bornholm{number}")
    make_resident(name="Hemmelig Hansen", protected=True)
    campaign = make_campaign(stage=Stage.SENDING)
    campaign.deliveries.update(state=State.FAILED, failure_code="refused", failure="ikke sådan")
    client = desk(campaign.created_by)
    where = {"stand": "failed", "grund": "refused", "kanal": "digital"}
    with django_assert_max_num_queries(14):
        page = text_of(client.get(at(campaign, "-failed"), where))
    assert page.count("Borger Bornholm") == 3
    assert "Hansen" not in page
    assert "Bornholm" not in text_of(client.get(at(campaign, "-failed"), where | {"grund": "gave_up"}))
    assert client.get(at(campaign, "-failed"), {"stand": "sent"}).status_code == 404
