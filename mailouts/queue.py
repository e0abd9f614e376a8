"""The deliveries as a queue: claimed in batches with SKIP LOCKED, by any number of workers on any number of machines.

    queued → claimed      in somebody's batch; nothing has left the house. Given up after `CLAIM_LASTS`: queued again
    claimed → sending     committed before anything leaves, one at a time, and only while the mailout is being sent
    sending → …           what the gateway answered; without an answer, or when the worker died: uncertain

Noting what came of one letter and letting the next one leave is one statement, one commit.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef

from audit import clock
from mailouts.choices import Stage, State
from mailouts.models import Campaign, Delivery

BATCH = 100
# Longer than any request and any wait for the database; whoever has claimed a row for longer is dead.
CLAIM_LASTS = timedelta(minutes=5)
MOST_ATTEMPTS = 5
RECONNECT_FOR = 60  # seconds
WORK_FOR = 80  # seconds of one task's work; a task is ended after 120

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Note:
    """What came of one letter. `due_at` only for one that goes back to the queue."""

    delivery_id: int
    state: str
    at: datetime
    failure_code: str = ""
    failure: str = ""
    due_at: datetime | None = None


def sent(delivery_id: int, at: datetime) -> Note:
    return Note(delivery_id, State.SENT, at)


def unanswered(delivery_id: int, at: datetime, why: str) -> Note:
    return Note(delivery_id, State.UNCERTAIN, at, "unanswered", why[:300])


def not_taken(
    delivery_id: int, at: datetime, why: str, *, attempts: int, final: bool, code: str = ""
) -> Note:
    """Back to the queue for a while that doubles each time; failed when it is no use or has been tried often."""
    if final or attempts >= MOST_ATTEMPTS:
        return Note(delivery_id, State.FAILED, at, code or ("refused" if final else "gave_up"), why[:300])
    pause = timedelta(seconds=settings.MAILOUT_RETRY_SECONDS) * 2 ** max(attempts - 1, 0)
    return Note(delivery_id, State.QUEUED, at, "not_taken", why[:300], due_at=at + pause)


def patiently(do: Callable[[], T]) -> T:
    """Again on a new connection when the old one was cut: what a worker knows of a letter must not be lost with it."""
    until = time.monotonic() + RECONNECT_FOR
    while True:
        try:
            return do()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > until:
                raise
            connection.close()
            time.sleep(0.2)


def claim(
    campaign: Campaign | None, *, most: int = BATCH, channels: frozenset[str] | None = None
) -> tuple[UUID, list[int]]:
    """A batch of one mailout's due letters, or of the letters that belong to none (notices); its claim and their ids."""
    claimed_by = uuid4()
    return claimed_by, patiently(lambda: _claim(campaign, claimed_by, most, channels))


def _claim(
    campaign: Campaign | None, claimed_by: UUID, most: int, channels: frozenset[str] | None
) -> list[int]:
    now = clock.now()
    # Two conditions and not IS NOT DISTINCT FROM, which the index of the queue doesn't serve.
    its = "campaign_id IS NULL" if campaign is None else "campaign_id = %(campaign)s"
    with transaction.atomic(), connection.cursor() as cursor:
        if campaign is not None and campaign.per_minute is not None:
            most = min(most, _take_pace(campaign.pk, now, most))
            if most == 0:
                return []
        # ARRAY: carried out once. As IN (…) the planner may carry it out for every row, and each time it takes other rows.
        cursor.execute(
            f"""
            UPDATE mailouts_delivery SET state = 'claimed', claim = %(claim)s, claimed_at = %(now)s
            WHERE id = ANY (ARRAY(
                SELECT id FROM mailouts_delivery
                WHERE {its} AND state = 'queued' AND due_at <= %(now)s
                    AND (%(channels)s::text[] IS NULL OR channel = ANY (%(channels)s::text[]))
                ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
            )) RETURNING id
            """,  # noqa: S608 one of the two conditions above
            {
                "claim": claimed_by,
                "now": now,
                "campaign": campaign.pk if campaign else None,
                "channels": sorted(channels) if channels is not None else None,
                "most": most,
            },
        )
        return sorted(pk for (pk,) in cursor.fetchall())


def _take_pace(campaign_id: int, now: datetime, most: int) -> int:
    """How many letters the speed limit allows now, taken from the campaign's row so that all workers share it.

    `next_free_at` is when the next letter may go; a tenth of a minute's letters may be caught up with.
    """
    row = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
    if row.per_minute is None:
        return most
    apart = timedelta(minutes=1) / row.per_minute
    free = max(row.next_free_at or now, now - max(apart, timedelta(seconds=6)))
    if free > now:
        return 0
    allowed = min(most, int((now - free) / apart) + 1)
    row.next_free_at = free + apart * allowed
    row.save(update_fields=["next_free_at"])
    return allowed


_STEP = """
WITH noted AS (
    UPDATE mailouts_delivery SET
        state = %(state)s::text,
        claim = CASE WHEN %(state)s::text = 'queued' THEN NULL ELSE claim END,
        sent_at = CASE WHEN %(state)s::text = 'sent' THEN %(noted_at)s::timestamptz ELSE sent_at END,
        failure_code = %(code)s::text,
        failure = %(failure)s::text,
        due_at = coalesce(%(due_at)s::timestamptz, due_at)
    WHERE id = %(noted)s::bigint AND state = 'sending' AND claim = %(claim)s::uuid
)
UPDATE mailouts_delivery d SET state = 'sending', left_at = %(now)s::timestamptz, claimed_at = %(now)s::timestamptz,
    attempts = CASE WHEN d.state = 'claimed' THEN attempts + 1 ELSE attempts END
WHERE d.id = %(leaves)s::bigint AND d.claim = %(claim)s::uuid
    AND (d.state = 'claimed' OR (d.state = 'sending' AND d.left_at = %(now)s::timestamptz))
    AND (d.campaign_id IS NULL
        OR EXISTS (SELECT 1 FROM mailouts_campaign c WHERE c.id = d.campaign_id AND c.stage = 'sending'))
RETURNING d.id
"""


def step(claimed_by: UUID, *, note: Note | None, leaves: int | None) -> bool:
    """Notes what came of one letter of this claim and lets the next one leave. Returns whether it may.

    Asked again after a cut connection it says the same: the moment of leaving is this call's own. A receipt that was
    faster than the note has the last word.
    """
    now = clock.now()
    known: dict[str, Any] = {
        "claim": claimed_by,
        "leaves": leaves,
        "now": now,
        "noted": note.delivery_id if note else None,
        "state": note.state if note else "",
        "noted_at": note.at if note else None,
        "code": note.failure_code if note else "",
        "failure": note.failure if note else "",
        "due_at": note.due_at if note else None,
    }

    return patiently(lambda: _planned(_STEP, known))


def _planned(statement: str, known: Mapping[str, Any]) -> bool:
    """Whether it gives a row. PostgreSQL keeps the plan for as long as the connection lasts: making one for each letter
    would take longer than carrying it out. Django's own cursors can't ask for that."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.connection.prepare_threshold = 0
        return cursor.execute(statement, known, prepare=True).fetchone() is not None


def let_go(claimed_by: UUID) -> None:
    """The rest of a batch goes back to the queue: nothing of it has left."""
    patiently(
        lambda: Delivery.objects.filter(claim=claimed_by, state=State.CLAIMED).update(
            state=State.QUEUED, claim=None, claimed_at=None
        )
    )


def give_up_interrupted() -> tuple[int, int]:
    """Of claims whose worker is dead: what had not left goes back to the queue, what had left is uncertain. Returns how
    many of each."""
    before = clock.now() - CLAIM_LASTS
    back = Delivery.objects.filter(state=State.CLAIMED, claimed_at__lt=before).update(
        state=State.QUEUED, claim=None, claimed_at=None
    )
    lost = Delivery.objects.filter(state=State.SENDING, claimed_at__lt=before).update(
        state=State.UNCERTAIN, failure_code="interrupted", failure=""
    )
    return back, lost


def cancel_stopped() -> int:
    """A letter that was in a worker's hand when its mailout was stopped, and was not taken, would wait for ever."""
    return Delivery.objects.filter(
        campaign__stage=Stage.STOPPED, state__in=[State.QUEUED, State.CLAIMED]
    ).update(state=State.CANCELLED, claim=None)


def under_way() -> list[Campaign]:
    """Mailouts with something to send now."""
    due = Delivery.objects.due(clock.now()).filter(campaign=OuterRef("pk"))
    return list(Campaign.objects.filter(Exists(due), stage=Stage.SENDING).order_by("started_at", "pk"))
