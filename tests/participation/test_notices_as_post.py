"""The migration that made deliveries of notices, on a database with something in it, there and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from audit.grants import grant_application_role
from mailouts.listing import email_key
from mailouts.models import Delivery
from tests.databases import as_owner

DENMARK = ZoneInfo("Europe/Copenhagen")
BEFORE, AFTER = [("participation", "0013_similar")], [("participation", "0016_notice_without_state")]
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=DENMARK)
THEN = datetime(2026, 3, 2, 16, 0, 30, tzinfo=DENMARK)

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(to: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    return MigrationExecutor(connection).loader.project_state(to).apps


@pytest.fixture
def before() -> Iterator[Any]:
    with as_owner(connection) as unhindered:
        if not unhindered:
            pytest.skip("needs the owner of the database")
        with connection.cursor() as cursor:
            cursor.execute("RESET session_replication_role")  # the checks and triggers are what is tried
        yield migrate(BEFORE)
        # All of them: what stands on these went back with them, in whichever room.
        migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
        grant_application_role()


def tell(apps: Any, event: str, state: str, user: Any = None, **more: Any) -> int:
    values = {
        "user": user,
        "event": event,
        "kind": "news",
        "title": event,
        "text": "x",
        "url": "/",
        "created_at": NOW,
        "due_at": NOW,
        "state": state,
    } | more
    pk: int = apps.get_model("participation", "Notice").objects.create(**values).pk
    return pk


def test_there_and_back(before: Any) -> None:
    people = before.get_model("accounts", "User").objects
    maja, bo, eva = (people.create(first_name=name, date_joined=NOW) for name in ("Maja", "Bo", "Eva"))
    left = {"claimed_at": THEN, "attempts": 1}
    digest = {"digest": True}
    told = {
        "waits": tell(before, "waits", "waiting", maja),
        "tried": tell(before, "tried", "waiting", maja, attempts=2, failure="SMTP 451"),
        "sending": tell(before, "sending", "sending", maja, **left),
        "sent": tell(before, "sent", "sent", maja, sent_at=THEN, **left),
        "uncertain": tell(before, "uncertain", "uncertain", maja, failure="TimeoutError", **left),
        "interrupted": tell(before, "interrupted", "uncertain", maja, failure="interrupted", **left),
        "failed": tell(before, "failed", "failed", maja, failure="recipient refused", **left),
        "shown": tell(before, "shown", "shown", maja),
        "no trace": tell(before, "no trace", "sent", maja),
        "address": tell(before, "address", "sent", address="Ida@example.dk", sent_at=THEN, **left),
        "one": tell(before, "one", "sent", bo, sent_at=THEN, **left, **digest),
        "two": tell(before, "two", "sent", bo, sent_at=THEN, **left, **digest),
        "next": tell(before, "next", "waiting", bo, due_at=NOW + timedelta(hours=4), **digest),
        "after": tell(before, "after", "waiting", bo, due_at=NOW + timedelta(hours=28), **digest),
        "refused": tell(before, "refused", "failed", eva, failure="gone", **left, **digest),
        "today": tell(before, "today", "sent", eva, claimed_at=NOW, sent_at=NOW, **digest),
        "had one": tell(before, "had one", "waiting", eva, due_at=NOW + timedelta(hours=4), **digest),
    }
    now = migrate(AFTER)
    rows = now.get_model("participation", "Notice").objects.select_related("delivery")
    found = {row.event: row.delivery for row in rows}
    expected = {
        "waits": ("queued", "", "notice:waits"),
        "tried": ("queued", "not_taken", "notice:tried"),
        "sending": ("uncertain", "interrupted", "notice:sending"),
        "sent": ("sent", "", "notice:sent"),
        "uncertain": ("uncertain", "unanswered", "notice:uncertain"),
        "interrupted": ("uncertain", "interrupted", "notice:interrupted"),
        "failed": ("failed", "recipient_refused", "notice:failed"),
        "no trace": ("sent", "", "notice:no trace"),
        "address": ("sent", "", "notice:address"),
        "one": ("sent", "", "digest:2026-03-02"),
        "two": ("sent", "", "digest:2026-03-02"),
        "next": ("queued", "", "digest:2026-03-04"),
        "after": ("queued", "", "digest:2026-03-04"),
        "refused": ("failed", "refused", "digest:2026-03-02:failed"),
        "today": ("sent", "", "digest:2026-03-04"),
        "had one": ("queued", "", "digest:2026-03-05"),
    }
    assert found.pop("shown") is None
    assert {event: (row.state, row.failure_code, row.purpose) for event, row in found.items()} == expected
    assert found["one"].pk == found["two"].pk
    assert found["next"].pk == found["after"].pk
    assert found["next"].due_at == NOW + timedelta(hours=4)
    assert found["had one"].due_at == datetime(2026, 3, 5, 16, 0, tzinfo=DENMARK)
    assert found["sent"].left_at == found["sent"].sent_at == THEN
    assert found["address"].recipient_key == email_key("ida@example.dk")
    assert (found["waits"].recipient_key, found["waits"].user_id) == (f"u:{maja.pk}", maja.pk)

    back = migrate(BEFORE)
    again = {row.event: row for row in back.get_model("participation", "Notice").objects.all()}
    assert {event: row.pk for event, row in again.items()} == told
    states = {event: row.state for event, row in again.items()}
    assert states == {
        **{event: state.replace("queued", "waiting") for event, (state, _code, _purpose) in expected.items()},
        "shown": "shown",
    }
    assert again["one"].digest
    assert not again["sent"].digest
    assert again["sent"].claimed_at == THEN
    assert not Delivery.objects.exists()


def test_a_large_one_is_quick(before: Any) -> None:
    user = before.get_model("accounts", "User")
    user.objects.bulk_create(user(first_name="N", date_joined=NOW) for _each in range(1000))
    pks = list(user.objects.values_list("pk", flat=True))
    notice = before.get_model("participation", "Notice")
    notice.objects.bulk_create(
        notice(
            user_id=pk, event=f"e{number}", kind="news", title="x", text="x", url="/", created_at=NOW, due_at=NOW,
            state=("sent", "waiting", "shown")[number % 3], digest=pk % 2 == 0, claimed_at=NOW - timedelta(days=number),
        )
        for pk in pks for number in range(12)
    )  # fmt: skip
    started = time.monotonic()
    now = migrate(AFTER)
    assert time.monotonic() - started < 30
    shown = now.get_model("participation", "Notice").objects.filter(delivery=None).count()
    assert shown == len(pks) * 4
