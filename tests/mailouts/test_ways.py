"""Each way a letter goes: Digital Post, paper by the gateway, paper by our own printer, e-mail, NemSMS."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import translation
from lxml import etree
from pypdf import PdfReader

from accounts.models import Resident
from accounts.verdict import Refused
from audit import clock
from mailouts import actions, memo, recipients, sf1601
from mailouts.choices import Channel, Stage, State
from mailouts.content import Prepared
from mailouts.gateway import Choice, Paper
from mailouts.memo_rules import problems_in
from mailouts.models import Campaign, DisabledAddress, PrintBatch
from mailouts.tasks import finish_done, make_prints, send_letters
from tests.accounts.factories import make_resident
from tests.mailouts.factories import Gateway, make_campaign
from tests.mailouts.test_building import account
from tests.mailouts.test_memo import official, schema

pytestmark = pytest.mark.django_db


class Papers(Gateway):
    """Keeps what is printed too, and the whole request."""

    printed: list[tuple[Paper, bytes]] = []

    def send(self, memo: bytes, *, uuid: Any, choice: Choice, paper: Paper | None = None) -> None:
        super().send(memo, uuid=uuid, choice=choice, paper=paper)
        if paper is not None:
            type(self).printed.append((paper, sf1601.request_body(memo, choice, paper)))


@pytest.fixture
def papers(gateway: type[Gateway], settings: Any) -> Iterator[type[Papers]]:
    settings.DIGITAL_POST = settings.DIGITAL_POST | {"adapter": "tests.mailouts.test_ways.Papers"}
    Papers.forget()
    Papers.printed = []
    yield Papers
    Papers.forget()


def words_in(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def pages(pdf: bytes) -> int:
    return len(PdfReader(io.BytesIO(pdf)).pages)


# Paper by the gateway


def test_paper_goes_with_its_pdf_and_its_address_protected_too(papers: type[Papers]) -> None:
    shown = make_resident(name="Bo Holm", address="Torvet 2, 1. tv, 9999 Lunde")
    hidden = make_resident(name="Ib Skjult", address="Hemmelig Vej 1, 9999 Lunde", protected=True)
    campaign = make_campaign(stage=Stage.SENDING, policy="paper")
    assert send_letters() == 2
    assert {choice for _uuid, choice, _xml in papers.taken} == {Choice.PHYSICAL}
    text = {}
    for (uuid, _choice, xml), (paper, body) in zip(papers.taken, papers.printed, strict=True):
        message, wrong = problems_in(xml, now=clock.now())
        assert wrong == []
        assert message is not None
        assert paper.identifier == uuid.hex
        assert len(paper.identifier) <= 38
        etree.fromstring(body)
        assert pages(paper.pdf) == 1
        text[message.recipient.id] = words_in(paper.pdf)
    for resident in (shown, hidden):
        for line in (resident.name, *resident.address.split(", ")):
            assert line in text[resident.cpr]
        assert resident.cpr not in text[resident.cpr]
    assert "Skjult" not in text[shown.cpr]
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.SENT}


# Our own printer


def printing(**fields: Any) -> Campaign:
    return make_campaign(stage=Stage.SENDING, policy="paper", paper_route="batch", **fields)


def test_a_part_is_a_pdf_and_a_list_and_fetching_it_sends_it_once(gateway: type[Gateway]) -> None:
    make_resident(name="Bo Holm", address="Torvet 2, 9999 Lunde")
    make_resident(name="Ib Holm", address="Torvet 4, 9998 Vester Lunde")
    make_resident(name="Ib Skjult", address="Hemmelig Vej 1, 9997 Gemt", protected=True)
    campaign = printing()
    assert send_letters() == 0, "the worker leaves paper to the printer"
    assert make_prints() == 2
    assert make_prints() == 0
    ours, theirs = PrintBatch.objects.order_by("number")
    assert (ours.protected, ours.letters, theirs.protected, theirs.letters) == (False, 2, True, 1)
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.PRINTED}

    rows = list(csv.reader(io.StringIO(ours.csv), delimiter=";"))
    assert sorted(row[3:] for row in rows[1:]) == [["9998", "Vester Lunde", "nej"], ["9999", "Lunde", "nej"]]
    hidden = list(csv.reader(io.StringIO(theirs.csv), delimiter=";"))
    assert hidden[1][3:] == ["", "", "ja"]
    for word in ("Skjult", "Hemmelig", "9997", "Gemt"):
        assert word not in theirs.csv + ours.csv

    pdf = actions.fetch_print(batch=ours, by=campaign.created_by)
    assert pages(pdf) == ours.pages == 2
    assert "Bo Holm" in words_in(pdf)
    assert "Skjult" not in words_in(pdf)
    sent = campaign.deliveries.filter(state=State.SENT)
    assert sent.count() == 2
    first = set(sent.values_list("sent_at", flat=True))
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert actions.fetch_print(batch=ours, by=campaign.created_by) == pdf
    assert set(sent.values_list("sent_at", flat=True)) == first
    finish_done()
    campaign.refresh_from_db()
    assert campaign.stage == Stage.SENDING, "a part is still to be fetched"
    assert "Ib Skjult" in words_in(actions.fetch_print(batch=theirs, by=campaign.created_by))
    finish_done()
    campaign.refresh_from_db()
    assert campaign.stage == Stage.DONE


def test_who_is_protected_since_the_list_was_made_lies_in_a_part_of_their_own() -> None:
    make_resident()
    make_resident(name="Ib Skjult")
    campaign = printing()
    Resident.objects.filter(person=campaign.deliveries.latest("pk").person).update(protected=True)
    assert make_prints() == 2
    assert sorted(PrintBatch.objects.values_list("protected", "letters")) == [(False, 1), (True, 1)]


def test_who_has_moved_is_left_out_of_the_print_and_no_address_is_a_failure() -> None:
    stays, moved, nowhere = make_resident(), make_resident(), make_resident()
    campaign = printing()
    Resident.objects.filter(pk=moved.pk).update(status="80")
    nowhere.address = ""
    nowhere.save()
    assert make_prints() == 1
    found = {row.person_id: (row.state, row.failure_code) for row in campaign.deliveries.all()}
    assert found == {
        stays.person_id: (State.PRINTED, ""),
        moved.person_id: (State.LEFT_OUT, "gone"),
        nowhere.person_id: (State.FAILED, "no_address"),
    }


def test_a_printer_that_dies_leaves_the_letters_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    make_resident()
    campaign = printing()
    from mailouts.actions import printing as module

    def dies(*args: Any, **kwargs: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(module.paper, "batch_pdf", dies)
        with pytest.raises(MemoryError):
            make_prints()
    assert campaign.deliveries.get().state == State.QUEUED
    assert not PrintBatch.objects.exists()
    assert make_prints() == 1


def test_parts_are_bounded_and_english_letters_are_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    from mailouts.actions import printing as module
    from tests.accounts.factories import make_citizen

    monkeypatch.setattr(module, "PART", 2)
    for _number in range(3):
        make_resident()
    make_citizen(person=make_resident().person, language="en")
    printing(english_text="Dear {navn}", english_subject="Hello")
    assert make_prints() == 3
    assert sorted(PrintBatch.objects.values_list("letters", flat=True)) == [1, 1, 2]


def test_what_is_stopped_or_paused_can_not_be_fetched() -> None:
    make_resident()
    campaign = printing()
    make_prints()
    batch = PrintBatch.objects.get()
    actions.pause(campaign=campaign, by=campaign.created_by)
    with pytest.raises(Refused) as refused:
        actions.fetch_print(batch=batch, by=campaign.created_by)
    assert refused.value.code == "paused"
    actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl")
    with pytest.raises(Refused) as refused:
        actions.fetch_print(batch=batch, by=campaign.created_by)
    assert refused.value.code == "stopped"
    assert campaign.deliveries.get().state == State.CANCELLED
    assert make_prints() == 0


# E-mail


def test_an_email_has_text_html_and_a_message_id_of_its_own(gateway: type[Gateway]) -> None:
    for number in range(2):
        account(f"bo{number}@example.dk", person=make_resident(name=f"Bo <b>{number}</b>").person)
    campaign = make_campaign(
        stage=Stage.SENDING,
        policy="email",
        action_kind="link",
        action_label="Stem <her>",
        action_url="https://example.dk/?a=1&b=2",
    )
    sent_before = len(mail.outbox)
    assert send_letters() == 2
    found = mail.outbox[sent_before:]
    assert {tuple(each.to) for each in found} == {("bo0@example.dk",), ("bo1@example.dk",)}
    uuids = {str(row.message_uuid) for row in campaign.deliveries.all()}
    assert {each.extra_headers["Message-ID"].strip("<>").partition("@")[0] for each in found} == uuids
    for each in found:
        assert "https://example.dk/?a=1&b=2" in each.body
        assert "Kære Bo <b>" in each.body
        ((html, kind),) = each.alternatives
        assert kind == "text/html"
        assert "Kære Bo &lt;b&gt;" in html
        assert 'href="https://example.dk/?a=1&amp;b=2"' in html
        assert "Stem &lt;her&gt;" in html
        assert each.extra_headers["Auto-Submitted"] == "auto-generated"
        assert each.cc == each.bcc == []
        assert "\n" not in each.subject
    assert gateway.taken == []


def test_english_to_those_who_use_the_portal_in_english(gateway: type[Gateway]) -> None:
    account("bo@example.dk", person=make_resident(name="Bo Holm").person, language="en")
    make_campaign(stage=Stage.SENDING, policy="email", english_text="Dear {fornavn}", english_subject="Hello")
    send_letters()
    assert (mail.outbox[-1].subject, "Dear Bo" in mail.outbox[-1].body) == ("Hello", True)


def test_without_an_english_letter_they_get_the_danish_one(gateway: type[Gateway]) -> None:
    account("bo@example.dk", person=make_resident(name="Bo Holm").person, language="en")
    make_campaign(stage=Stage.SENDING, policy="email")
    send_letters()
    assert "Kære Bo" in mail.outbox[-1].body


def test_a_mailbox_that_does_not_exist_is_put_out_of_use(
    gateway: type[Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.mail.backends.locmem import EmailBackend

    account("bo@example.dk", person=make_resident().person)
    campaign = make_campaign(stage=Stage.SENDING, policy="email")
    import smtplib

    def refuse(self: Any, messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({"bo@example.dk": (550, b"no such user 0101801234")})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    assert send_letters() == 0
    delivery = campaign.deliveries.get()
    assert (delivery.state, delivery.failure_code) == (State.FAILED, "recipient_refused")
    assert "0101801234" not in delivery.failure
    assert DisabledAddress.objects.get().email == "bo@example.dk"


# NemSMS


def test_a_nemsms_to_those_who_are_registered(gateway: type[Gateway]) -> None:
    make_resident()
    campaign = make_campaign(
        stage=Stage.SENDING, policy="nemsms", sms_text="Husk at stemme.", subject="Til {navn}"
    )
    assert send_letters() == 1
    ((_uuid, choice, xml),) = gateway.taken
    assert choice == Choice.NEMSMS
    message, wrong = problems_in(xml, now=clock.now())
    assert wrong == []
    assert message is not None
    assert (message.type, message.notification) == (memo.MessageType.NEMSMS, "Husk at stemme.")
    assert "{" not in message.label
    gateway.registered = False
    other = make_campaign(stage=Stage.SENDING, policy="nemsms", sms_text="Husk det nu.")
    assert send_letters() == 0
    delivery = other.deliveries.get()
    assert (delivery.state, delivery.failure_code) == (State.FAILED, "not_registered")
    assert len(gateway.taken) == 1
    assert campaign.deliveries.get().state == State.SENT


@pytest.mark.parametrize("text", ["", " ", "x" * 151, "Kære {fornavn}"])
def test_a_nemsms_that_can_not_be_sent_is_not_frozen(text: str) -> None:
    from mailouts.content import problems

    assert problems(Campaign(policy="nemsms", sms_text=text))
    assert not problems(Campaign(policy="nemsms", sms_text="Kom nu."))


# Digital Post


@official
@pytest.mark.parametrize("version", memo.VERSIONS)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"case_number": "2026-17", "kle": "00.16.00"},
        {"action_kind": "link", "action_label": "Stem her", "action_url": "https://example.dk/?a=1&b=2"},
        {"action_kind": "meeting", "meeting_place": "Rådhuset"},
        {"english_text": "Dear {navn}", "english_subject": "Hello {fornavn}"},
        {"policy": "nemsms", "sms_text": "Husk det."},
    ],
)
def test_what_is_sent_is_valid_in_both_versions(
    fields: dict[str, Any], version: str, gateway: type[Gateway], settings: Any
) -> None:
    settings.DIGITAL_POST = settings.DIGITAL_POST | {"memo_version": version}
    make_resident(name="Åse <Ø> & Søn")
    if fields.get("action_kind") == "meeting":
        starts = clock.now() + timedelta(days=9)
        fields = fields | {"meeting_starts": starts, "meeting_ends": starts + timedelta(hours=2)}
    campaign = make_campaign(stage=Stage.SENDING, **fields)
    assert send_letters() == 1
    xml = gateway.taken[0][2]
    schema(version).assertValid(etree.fromstring(xml))
    message, wrong = problems_in(xml, now=clock.now())
    assert wrong == []
    assert message is not None
    text = xml.decode()
    assert campaign.title not in text, "only colleagues see it"
    assert "{fornavn}" not in text
    if campaign.action_kind == "none" or message.body is None:
        return
    (action,) = message.body.main.actions
    if campaign.action_kind == "link":
        assert action.entry_point is not None
        assert action.entry_point.url == "https://example.dk/?a=1&b=2"
    else:
        assert action.reservation is not None
        assert action.reservation.start == campaign.meeting_starts.replace(microsecond=0)
        assert action.reservation.location == "Rådhuset"
        assert action.reservation.description == message.label


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"action_kind": "link", "action_label": "Se", "action_url": "https://x.dk/"}, True),
        ({"action_kind": "link", "action_label": "Se", "action_url": "http://x.dk/"}, False),
        ({"action_kind": "link", "action_label": "Se", "action_url": "javascript:alert(1)"}, False),
        ({"action_kind": "link", "action_label": "Se", "action_url": "https://x.dk/ y"}, False),
        ({"action_kind": "link", "action_label": "Se", "action_url": "https://"}, False),
        ({"action_kind": "link", "action_label": "", "action_url": "https://x.dk/"}, False),
        ({"action_kind": "meeting"}, False),
        ({"text": "Se {link}"}, False),
        ({"text": "Kære {ukendt}"}, False),
        ({"subject": "a\nb"}, False),
    ],
)
def test_a_button_or_a_field_that_can_not_be_sent_is_not_frozen(fields: dict[str, Any], fits: bool) -> None:
    from mailouts.content import problems

    assert (not problems(Campaign(**{"subject": "Emne", "text": "Tekst."} | fields))) is fits


def test_a_letter_that_can_not_be_written_has_not_left(
    gateway: type[Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailouts import sending

    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)

    def broken(*args: Any, **kwargs: Any) -> bytes:
        raise ValueError("Bo Holm 0101801234")

    monkeypatch.setattr(sending.memo, "write", broken)
    assert send_letters() == 0
    delivery = campaign.deliveries.get()
    assert (delivery.state, delivery.channel) == (State.FAILED, Channel.DIGITAL)
    assert "Holm" not in delivery.failure
    assert gateway.taken == []


def test_a_meeting_is_told_on_paper_and_by_e_mail_too(gateway: type[Gateway]) -> None:
    """Only Digital Post puts it into the calendar; the others read when and where."""
    make_resident(digital_post=False)
    starts = datetime(2027, 2, 3, 16, tzinfo=UTC)
    campaign = make_campaign(
        stage=Stage.SENDING,
        action_kind="meeting",
        action_label="Borgermøde",
        meeting_starts=starts,
        meeting_ends=starts + timedelta(hours=2),
        meeting_place="Rådhuset, lokale 2",
    )
    prepared = Prepared.of(campaign)
    (who,) = recipients.read(list(campaign.deliveries.values_list("pk", flat=True)), numbers=True)
    who.email = "borger@example.dk"
    told = "onsdag den 3. februar 2027 fra 17.00 til 19.00, Rådhuset, lokale 2"
    with translation.override("da"):
        printed = " ".join(PdfReader(io.BytesIO(prepared.pdf(who))).pages[0].extract_text().split())
        sent = prepared.email(who)
    assert told in printed
    assert told in sent.body
    assert told in str(sent.alternatives[0].content)
