"""What the gateway tells: taken in once, signed, in any order, and never the cause of a second letter."""

import logging
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client, TestCase

from audit import clock
from mailouts import actions, queue, receipts, signatures
from mailouts.choices import Channel, Stage, State
from mailouts.models import Attempt, Campaign, Delivery, Receipt
from mailouts.tasks import send_letters
from tests.accounts.factories import make_resident
from tests.mailouts.factories import Gateway, make_campaign

pytestmark = pytest.mark.django_db

SECRET = "hemmelighed-til-kvitteringer"
ADDRESS = "/digital-post/kvitteringer/"
STATUS = {status: uuid for uuid, status in receipts.STATUSES.items()}
RECEIVED, DELIVERED, FAILED = Receipt.Status.RECEIVED, Receipt.Status.DELIVERED, Receipt.Status.FAILED


@pytest.fixture(autouse=True)
def secret(settings: Any, gateway: type[Gateway]) -> None:
    settings.DIGITAL_POST = settings.DIGITAL_POST | {"receipt_secret": SECRET}


def told(uuid: UUID | str, status: str, *, code: str = "", text: str = "", more: str = "") -> bytes:
    return (
        f'<PKO_PostStatus xmlns="{receipts.NAMESPACE}"><TransaktionsId>{uuid4()}</TransaktionsId>'
        f"<MessageUUID>{uuid}</MessageUUID><TransaktionsStatusKode>{STATUS.get(status, status)}</TransaktionsStatusKode>"
        f"<FejlKode>{code}</FejlKode><FejlTekst>{text}</FejlTekst>{more}</PKO_PostStatus>"
    ).encode()


def post(
    body: bytes, *, moment: int | str | None = None, signed: str | None = None, secret: str = SECRET
) -> Any:
    moment = int(time.time()) if moment is None else moment
    if signed is None:
        signed = signatures.signature(body, moment=int(moment), secret=secret)
    headers = {signatures.MOMENT_HEADER: str(moment), signatures.SIGNATURE_HEADER: signed}
    client = Client(enforce_csrf_checks=True)
    return client.post(ADDRESS, body, content_type="application/xml", headers=headers)


def tell(uuid: UUID, status: str, **more: Any) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert post(told(uuid, status, **more)).status_code == 204


def sent(**fields: Any) -> Delivery:
    """One letter, gone to the gateway."""
    if not Delivery.objects.exists():
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING, **fields)
    send_letters()
    return campaign.deliveries.get()


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


# Who may tell


def test_a_signed_receipt_is_taken_in_without_session_or_token() -> None:
    delivery = sent()
    response = post(told(delivery.message_uuid, DELIVERED))
    assert (response.status_code, response.content) == (204, b"")
    assert not response.cookies
    assert state(delivery) == State.DELIVERED
    assert delivery.delivered_at is not None
    assert Receipt.objects.get().delivery == delivery


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"signed": "0" * 64}, 403),
        ({"secret": "en helt anden hemmelighed"}, 403),
        ({"signed": ""}, 403),
        ({"signed": "æøå"}, 403),
        ({"signed": "x" * 5000}, 403),
        ({"moment": "", "signed": "0" * 64}, 403),
        ({"moment": "snart", "signed": "0" * 64}, 403),
        ({"moment": "9" * 13, "signed": "0" * 64}, 403),
        ({"moment": "-5", "signed": "0" * 64}, 403),
        ({"moment": "٣", "signed": "0" * 64}, 403),
        ({"aside": -signatures.LASTS - 5}, 403),
        ({"aside": signatures.LASTS + 500}, 403),
    ],
)
def test_forged_unsigned_and_old_ones_are_refused(how: dict[str, Any], status: int) -> None:
    delivery = sent()
    if "aside" in how:
        how = {"moment": int(time.time()) + how["aside"]}
    assert post(told(delivery.message_uuid, FAILED), **how).status_code == status
    assert state(delivery) == State.SENT
    assert not Receipt.objects.exists()


def test_a_signature_is_for_one_body_and_one_moment() -> None:
    delivery = sent()
    moment = int(time.time())
    signed = signatures.signature(told(delivery.message_uuid, DELIVERED), moment=moment, secret=SECRET)
    assert post(told(delivery.message_uuid, FAILED), moment=moment, signed=signed).status_code == 403
    assert post(told(delivery.message_uuid, DELIVERED), moment=moment + 1, signed=signed).status_code == 403


def test_without_a_secret_the_address_is_closed(settings: Any) -> None:
    settings.DIGITAL_POST = settings.DIGITAL_POST | {"receipt_secret": ""}
    assert post(told(uuid4(), DELIVERED)).status_code == 404


def test_the_very_same_receipt_is_taken_in_once() -> None:
    delivery = sent()
    body = told(delivery.message_uuid, RECEIVED)
    assert [post(body, moment=int(time.time()) - back).status_code for back in (0, 0, 9)] == [204, 409, 409]
    assert Receipt.objects.count() == 1


def test_only_posted(client: Client) -> None:
    for method in ("get", "put", "delete", "patch", "head"):
        assert getattr(client, method)(ADDRESS).status_code == 405


# What can be read

UUID_OF_ALL = "0b6f1e52-2f0f-4c37-8a52-6f4e2a1b7c90"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<PKO_PostStatus>",
        b"\x00" * 40,
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b'<?xml version="1.0" encoding="utf-16"?><a/>',
        '<?xml version="1.0" encoding="big5"?><a>æ</a>'.encode(),
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><PKO_PostStatus><MessageUUID>&x;</MessageUUID></PKO_PostStatus>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        told("ikke-et-uuid", DELIVERED),
        told("", DELIVERED),
        told(UUID_OF_ALL, "noget andet"),
        told(UUID_OF_ALL, ""),
        told(UUID_OF_ALL, "x" * 400),
        told(UUID_OF_ALL, DELIVERED).replace(receipts.NAMESPACE.encode(), b"urn:somebody-else"),
    ],
)
def test_what_cant_be_read_is_refused_and_not_kept(body: bytes) -> None:
    response = post(body)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert not Receipt.objects.exists()


def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    assert post(b" " * (receipts.LARGEST + 1)).status_code == 413
    response = Client().generic("POST", ADDRESS, b"x", CONTENT_LENGTH=str(receipts.LARGEST + 1))
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("words", "becomes"),
    [
        ("Afleveret til modtager", State.DELIVERED),
        ("MODTAGET", State.SENT),
        ("Fejlet", State.FAILED),
        ("fejl i adressen", State.FAILED),
        ("F7161A89-5068-4023-BC80-D7F4DAAD2A2E", State.DELIVERED),
    ],
)
def test_a_status_in_words_or_large_letters_is_understood(words: str, becomes: str) -> None:
    delivery = sent()
    tell(delivery.message_uuid, words)
    assert state(delivery) == becomes


def test_the_identifier_of_a_printed_letter_leads_to_it() -> None:
    delivery = sent(policy="paper")
    body = told("", DELIVERED).replace(
        b"<MessageUUID></MessageUUID>",
        f"<AfsendelseIdentifikator>{delivery.message_uuid.hex}</AfsendelseIdentifikator>".encode(),
    )
    assert post(body).status_code == 204
    assert state(delivery) == State.DELIVERED


def test_one_about_a_message_nobody_knows_is_kept() -> None:
    tell(uuid4(), DELIVERED)
    assert Receipt.objects.get().delivery is None


def test_nothing_personal_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    delivery = sent()
    with caplog.at_level(logging.DEBUG):
        tell(
            delivery.message_uuid,
            FAILED,
            code="x" * 100,
            text="Modtager 010180-1234 og 0101801234 findes ikke",
        )
        post(told(uuid4(), "Åse Ørsted 0101801234"))
    delivery.refresh_from_db()
    receipt = Receipt.objects.get()
    for text in (delivery.failure, receipt.text, caplog.text):
        assert "1234" not in text
        assert "Åse" not in text
    assert "findes ikke" in delivery.failure


# In any order

# before the receipts → after each
ORDERS: list[tuple[list[str], str]] = [
    ([RECEIVED, DELIVERED], State.DELIVERED),
    ([DELIVERED, RECEIVED], State.DELIVERED),
    ([DELIVERED, FAILED], State.DELIVERED),
    ([FAILED, DELIVERED], State.DELIVERED),
    ([FAILED, RECEIVED], State.FAILED),
    ([RECEIVED, FAILED], State.FAILED),
    ([FAILED, RECEIVED, DELIVERED], State.DELIVERED),
    ([DELIVERED, DELIVERED], State.DELIVERED),
]


@pytest.mark.parametrize(("order", "ends"), ORDERS)
def test_they_come_in_any_order(order: list[str], ends: str) -> None:
    delivery = sent()
    for status in order:
        tell(delivery.message_uuid, status, text=str(uuid4()))
    assert state(delivery) == ends
    if ends == State.DELIVERED:
        assert (delivery.failure_code, delivery.failure) == ("", "")
    assert Receipt.objects.count() == len(order)


def test_a_late_receipt_resolves_an_uncertain_letter(gateway: type[Gateway]) -> None:
    make_resident()
    for status, becomes in (
        (RECEIVED, State.SENT),
        (DELIVERED, State.DELIVERED),
        (FAILED, State.FAILED),
    ):
        campaign = make_campaign(stage=Stage.SENDING)
        gateway.answers = ["silent"]
        send_letters()
        delivery = campaign.deliveries.get()
        assert delivery.state == State.UNCERTAIN
        tell(delivery.message_uuid, status)
        assert state(delivery) == becomes


def test_a_receipt_that_is_faster_than_the_workers_note_has_the_last_word() -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign)
    assert queue.step(claimed_by, note=None, leaves=ids[0])
    delivery = campaign.deliveries.get()
    tell(delivery.message_uuid, DELIVERED)
    for note in (
        queue.sent(ids[0], clock.now()),
        queue.unanswered(ids[0], clock.now(), "x"),
        queue.not_taken(ids[0], clock.now(), "x", attempts=1, final=False),
    ):
        queue.step(claimed_by, note=note, leaves=None)
        assert state(delivery) == State.DELIVERED


@pytest.mark.parametrize("status", [RECEIVED, DELIVERED])
def test_what_the_gateway_says_it_has_is_not_sent_again(status: str, gateway: type[Gateway]) -> None:
    """It answered "busy", took the letter all the same and says so: the letter waits in the queue no more."""
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    gateway.answers = ["fail"]
    send_letters()
    delivery = campaign.deliveries.get()
    assert delivery.state == State.QUEUED
    tell(delivery.message_uuid, status)
    assert state(delivery) in {State.SENT, State.DELIVERED}
    with clock.frozen(delivery.due_at):
        assert send_letters() == 0


def test_a_receipt_for_what_never_left_changes_nothing() -> None:
    make_resident()
    delivery = make_campaign(stage=Stage.SENDING).deliveries.get()
    tell(delivery.message_uuid, DELIVERED)
    assert state(delivery) == State.QUEUED


# Another way


def test_who_gets_no_digital_post_gets_paper_by_itself(gateway: type[Gateway]) -> None:
    delivery = sent()
    first = delivery.message_uuid
    assert delivery.campaign is not None
    assert Campaign.objects.get().stage == Stage.DONE
    tell(first, FAILED, code="not_registered", text="Modtager er ikke tilmeldt")
    assert state(delivery) == State.QUEUED
    assert (delivery.channel, delivery.attempts, delivery.left_at) == (Channel.PAPER, 0, None)
    assert delivery.message_uuid != first
    attempt = Attempt.objects.get()
    assert (attempt.message_uuid, attempt.channel, attempt.state) == (first, Channel.DIGITAL, State.FAILED)
    assert Campaign.objects.get().stage == Stage.SENDING
    assert send_letters() == 1
    assert [choice for _uuid, choice, _memo in gateway.taken] == ["Digital Post", "Fysisk Post"]
    assert state(delivery) == State.SENT


@pytest.mark.parametrize("text", ["ikke tilmeldt", "Borgeren er FRITAGET for Digital Post"])
def test_the_gateways_words_for_it_are_understood(text: str) -> None:
    delivery = sent()
    tell(delivery.message_uuid, FAILED, code="17", text=text)
    assert state(delivery) == State.QUEUED


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"policy": "digital"}, {"code": "not_registered"}),
        ({"policy": "automatic"}, {"code": "schema", "text": "Forkert indhold"}),
    ],
)
def test_only_an_automatic_mailout_and_only_for_that_reason(
    fields: dict[str, Any], more: dict[str, str]
) -> None:
    delivery = sent(**fields)
    tell(delivery.message_uuid, FAILED, **more)
    assert state(delivery) == State.FAILED
    assert not Attempt.objects.exists()


def test_paper_is_the_end_of_it() -> None:
    delivery = sent()
    tell(delivery.message_uuid, FAILED, code="not_registered")
    send_letters()
    delivery.refresh_from_db()
    tell(delivery.message_uuid, FAILED, code="not_registered")
    assert state(delivery) == State.FAILED
    assert Attempt.objects.count() == 1


def test_a_stopped_mailout_goes_no_other_way() -> None:
    delivery = sent()
    Campaign.objects.update(stage=Stage.SENDING)
    actions.stop(campaign=delivery.campaign, by=delivery.campaign.created_by, reason="Fejl")
    tell(delivery.message_uuid, FAILED, code="not_registered")
    assert state(delivery) == State.FAILED


def test_a_receipt_counts_though_there_is_no_register() -> None:
    from accounts.models import RegisterExtract

    delivery = sent()
    RegisterExtract.objects.update(valid_until=clock.today())
    from datetime import timedelta

    with clock.frozen(clock.now() + timedelta(days=3)):
        tell(delivery.message_uuid, FAILED, code="not_registered")
    assert state(delivery) == State.FAILED


# Sent anew


def anew(gateway: type[Gateway]) -> tuple[Delivery, UUID]:
    """A letter nobody answered for, in the queue once more."""
    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    gateway.answers = ["silent"]
    send_letters()
    first = campaign.deliveries.get().message_uuid
    assert (
        actions.send_again(
            campaign=campaign, by=campaign.created_by, state=State.UNCERTAIN, uncertain_checked=True
        )
        == 1
    )
    return campaign.deliveries.get(), first


def test_when_the_first_one_arrived_the_second_stays_at_home(gateway: type[Gateway]) -> None:
    delivery, first = anew(gateway)
    tell(first, DELIVERED)
    assert state(delivery) == State.DELIVERED
    assert send_letters() == 0
    assert len(gateway.taken) == 1


def test_when_both_left_both_are_seen(gateway: type[Gateway]) -> None:
    delivery, first = anew(gateway)
    send_letters()
    tell(first, DELIVERED)
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.failure_code) == (State.DELIVERED, "")
    assert state(delivery) == State.SENT
    assert set(Receipt.objects.values_list("delivery", flat=True)) == {delivery.pk}
    for late in (RECEIVED, FAILED):
        tell(first, late)
        attempt.refresh_from_db()
        assert attempt.state == State.DELIVERED


def test_a_failure_of_the_first_is_kept_there(gateway: type[Gateway]) -> None:
    delivery, first = anew(gateway)
    tell(first, FAILED, code="x1", text="Ukendt")
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.failure_code, attempt.failure) == (State.FAILED, "x1", "Ukendt")
    assert state(delivery) == State.QUEUED
    assert send_letters() == 1
