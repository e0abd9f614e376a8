"""What comes back, and what only looks as if it did."""

from __future__ import annotations

import io
import random
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.core.management import call_command
from django.db import OperationalError

from accounts.models import User
from audit import clock
from audit.models import Entry
from mailouts import bounces
from mailouts.choices import State
from mailouts.listing import email_key
from mailouts.models import Delivery, DisabledAddress
from tests.mailouts.bounced import exchange, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db: None) -> User:
    user = User.objects.create_user(first_name="Maja", email="maja@example.dk")
    EmailAddress.objects.create(user=user, email="Maja@example.dk", verified=True, primary=True)
    return user


def left(user: User | None, state: str = State.SENT, **more: Any) -> Delivery:
    return Delivery.objects.create(
        **{
            "purpose": "notice:x",
            "recipient_key": f"u:{user.pk}" if user else "e:x",
            "user": user,
            "channel": "email",
            "state": state,
            "due_at": clock.now(),
            "left_at": clock.now(),
        }
        | more
    )


@pytest.fixture
def delivery(user: User) -> Delivery:
    return left(user)


def disabled() -> set[str]:
    return set(DisabledAddress.objects.values_list("email", flat=True))


def standing(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.failure_code


@pytest.mark.parametrize(
    "raw",
    [
        lambda uuid: report(uuid),
        lambda uuid: report(uuid).replace(b"\n", b"\r\n"),
        lambda uuid: report(uuid, returned="text/rfc822-headers", headers_only="Headers"),
        lambda uuid: report(uuid, final="MAJA@Example.dk"),
        lambda uuid: report(str(uuid).upper()),
        lambda uuid: exchange(uuid, "maja@example.dk"),
        lambda uuid: report(uuid, final="gone@forwarded.example", original="Original-Recipient: rfc822;maja@example.dk\n"),
    ],
)  # fmt: skip
def test_what_comes_back_has_failed_and_its_address_is_put_out_of_use(raw: Any, delivery: Delivery) -> None:
    assert bounces.take_in(raw(delivery.message_uuid))
    assert standing(delivery) == (State.FAILED, "bounced")
    assert disabled() == {"maja@example.dk"}
    assert Entry.objects.filter(action="mailouts.disable_address").count() == 1
    assert not bounces.take_in(raw(delivery.message_uuid)), "twice is once"
    assert Entry.objects.filter(action="mailouts.disable_address").count() == 1


@pytest.mark.parametrize("state", [State.SENDING, State.UNCERTAIN])
def test_it_may_be_faster_than_our_own_note(user: User, state: str) -> None:
    delivery = left(user, State.CLAIMED)
    Delivery.objects.update(state=state)
    assert bounces.take_in(report(delivery.message_uuid))
    assert standing(delivery) == (State.FAILED, "bounced")


@pytest.mark.parametrize(
    "state", [State.QUEUED, State.CLAIMED, State.DELIVERED, State.CANCELLED, State.LEFT_OUT]
)
def test_what_has_not_left_or_has_arrived_cannot_come_back(user: User, state: str) -> None:
    delivery = left(user, state)
    assert not bounces.take_in(report(delivery.message_uuid))
    assert standing(delivery) == (state, "")
    assert disabled() == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "4.2.2"},
        {"status": "4.4.1", "action": "delayed"},
        {"status": "5.1.1", "action": "delayed"},
        {"status": "2.0.0", "action": "delivered"},
        {"status": "2.1.5", "action": "relayed"},
        {"status": "5"},
        {"status": "5.1"},
        {"status": "nonsense"},
        {"status": ""},
    ],
)
def test_what_is_not_over_is_not_noted(delivery: Delivery, changes: dict[str, str]) -> None:
    assert not bounces.take_in(report(delivery.message_uuid, **changes))
    assert standing(delivery) == (State.SENT, "")
    assert disabled() == set()


@pytest.mark.parametrize("status", ["5.2.2", "5.2.3", "5.3.4", "5.6.1", "5.7.1", "5.7.26"])
def test_a_full_mailbox_or_a_policy_is_no_fault_of_the_address(delivery: Delivery, status: str) -> None:
    """It did not arrive, and that is noted; but one wrong setting of ours must not put everybody out of use."""
    assert bounces.take_in(report(delivery.message_uuid, status=status))
    assert standing(delivery) == (State.FAILED, "bounced")
    assert disabled() == set()


def test_the_address_of_somebody_else_is_never_put_out_of_use(delivery: Delivery) -> None:
    """Whoever got a letter knows its number: it may be used against nobody but themselves."""
    other = User.objects.create_user(first_name="Bo", email="bo@example.dk")
    EmailAddress.objects.create(user=other, email="bo@example.dk", verified=True, primary=True)
    forged = report(
        delivery.message_uuid, final="bo@example.dk", original="Original-Recipient: rfc822;bo@example.dk\n"
    )
    assert bounces.take_in(forged)
    assert disabled() == set()


def test_without_an_account_the_address_is_known_by_its_hash(db: None) -> None:
    delivery = left(None, recipient_key=email_key("ida@example.dk"))
    assert bounces.take_in(report(delivery.message_uuid, final="Ida@example.dk"))
    assert disabled() == {"ida@example.dk"}
    other = left(None, recipient_key=email_key("eva@example.dk"))
    assert bounces.take_in(report(other.message_uuid, final="bo@example.dk"))
    assert disabled() == {"ida@example.dk"}


def nested(levels: int) -> bytes:
    return b"".join(
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b%d"\n\n--b%d\n' % (n, n)
        for n in range(levels)
    )


def hostile(good: bytes, known: str) -> list[bytes]:
    return [
        b"",
        b"\x00" * 1000,
        good.replace(b"multipart/report", b"multipart/mixed"),
        good.replace(b"report-type=delivery-status;", b"report-type=disposition-notification;"),
        good.replace(b"report-type=delivery-status;", b""),
        good.replace(b"Content-Type: message/delivery-status", b"Content-Type: text/plain"),
        good.replace(b"Content-Type: message/rfc822", b"Content-Type: text/plain"),
        good.replace(known.encode(), str(uuid.uuid4()).encode()),
        good.replace(f"{known}@example.dk".encode(), f"{known}@evil.example".encode()),
        good.replace(f"{known}@example.dk".encode(), f"{known}@example.dk.evil.example".encode()),
        good.replace(f"<{known}@example.dk>".encode(), f"<x@y> <{known}@example.dk>".encode()),
        good.replace(b"Message-ID: ", b"X-Message-ID: "),
        good.replace(b"Message-ID: ", b"References: "),
        good.replace(b"Reporting-MTA: dns; mx.example.net\n", b"").replace(b"Final-Recipient", b"\n\n\nFinal", 1)[:900],
        good[: good.index(b"Final-Recipient")],
        good.replace(b"Status: 5.1.1", b"Status: =?utf-8?b?NS4xLjE=?="),
        good.replace(b"Status: 5.1.1", b"Status: \xff\xfe5.1.1"),
        good.replace(b"Action: failed", b"Action: \xc3\xa5"),
        b"Subject: =?utf-8?b?" + b"A" * 100_000 + b"?=\n\nhej",
        good + b"x" * bounces.MOST_BYTES,
        nested(5000),
        b"Content-Type: multipart/report; report-type*0=delivery; report-type*1=-status\n\n" + good,
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(22))
def test_what_only_looks_like_a_bounce_changes_nothing(delivery: Delivery, number: int) -> None:
    raw = hostile(report(delivery.message_uuid), str(delivery.message_uuid))[number]
    assert not bounces.take_in(raw)
    assert standing(delivery) == (State.SENT, "")
    assert disabled() == set()


def test_there_are_as_many_as_are_tried() -> None:
    assert len(hostile(b"Final-Recipient", "x")) == 22


def test_whatever_is_piped_in_nothing_is_raised(delivery: Delivery) -> None:
    chance = random.Random(3464)
    good = report(uuid.uuid4())
    for _each in range(300):
        raw = bytearray(good)
        for _change in range(chance.randint(1, 30)):
            where = chance.randrange(len(raw))
            if chance.random() < 0.5:
                raw[where] = chance.randrange(256)
            else:
                del raw[where : where + chance.randint(1, 20)]
        assert not bounces.take_in(bytes(raw))
    assert standing(delivery) == (State.SENT, "")


def piped(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    call_command("take_in_bounce")


def test_the_pipe_of_a_mail_server(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    piped(monkeypatch, b"hej")
    assert standing(delivery) == (State.SENT, "")
    piped(monkeypatch, report(delivery.message_uuid))
    assert standing(delivery) == (State.FAILED, "bounced")
    assert capfd.readouterr().out == "", "what is said goes to whoever sent the mail"


def test_a_mail_server_comes_back_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(raw: bytes) -> bool:
        raise OperationalError

    monkeypatch.setattr(bounces, "take_in", away)
    with pytest.raises(SystemExit) as ended:
        piped(monkeypatch, b"hej")
    assert ended.value.code == 75


def test_confirming_the_address_puts_it_to_use_again(user: User, delivery: Delivery) -> None:
    bounces.take_in(report(delivery.message_uuid))
    address = EmailAddress.objects.get()
    email_confirmed.send(sender=EmailAddress, request=None, email_address=address)
    assert disabled() == set()
    assert Entry.objects.filter(action="mailouts.enable_address").count() == 1
