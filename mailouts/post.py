"""Letters one at a time: deliveries that belong to no mailout, for example notices and the daily digest.

Whoever has something to say puts a delivery in the queue (`put`) and registers how it is written (`register_post`). It is
written only when it is about to leave, so that what has changed since counts. `purpose` is "kind:what", and a recipient gets
one of each: the database says so (`delivery_once`).
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction

from audit import clock
from mailouts import health, queue
from mailouts.actions.addresses import disable
from mailouts.choices import Channel, State
from mailouts.content import message_id
from mailouts.email import Mail, RecipientRefused
from mailouts.gateway import NotTaken
from mailouts.models import Delivery, GatewayHealth
from mailouts.queue import Note

Compose = Callable[[Delivery], EmailMultiAlternatives | None]
log = logging.getLogger(__name__)

NOTHING_LEFT = "nothing_left"
_BATCH = 2000
_writers: dict[str, Compose] = {}


class Later(Exception):
    """Not now: back to the queue until then."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class LeftOut(Exception):
    """There is nothing to send any more; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def register_post(kind: str, compose: Compose) -> None:
    """`compose(delivery)` writes the e-mail of a delivery whose purpose is "kind:…", to one address. It gives None when there is
    nothing to send any more, or raises `LeftOut` to say why, or `Later`. It may be called again for the same delivery."""
    if _writers.get(kind, compose) is not compose:
        raise ValueError(f"Post of the kind {kind!r} is written twice.")
    _writers[kind] = compose


def key_of(user_id: int) -> str:
    return f"u:{user_id}"


def put(rows: Iterable[Delivery]) -> None:
    """Into the queue, in the order in which everybody puts them. What is there already stands as it is."""
    waiting = sorted(rows, key=lambda row: (row.recipient_key, row.purpose))
    Delivery.objects.bulk_create(waiting, ignore_conflicts=True, batch_size=_BATCH)


def waiting_of_kind(kind: str, keys: Iterable[str]) -> dict[str, int]:
    """Recipient → their oldest delivery of a kind that has not been taken up to be sent, held FOR SHARE: it can't leave before
    this transaction has ended, and what the transaction adds to it goes along."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT recipient_key, id FROM mailouts_delivery
            WHERE campaign_id IS NULL AND recipient_key = ANY (%s) AND state = 'queued' AND purpose LIKE %s
            ORDER BY recipient_key, due_at DESC, id DESC FOR SHARE
            """,
            [sorted(keys), f"{kind}:%"],
        )
        return dict(cursor.fetchall())


def hold_waiting(user_id: int) -> list[Delivery]:
    """What waits for one account, locked: nothing of it leaves before this transaction has ended."""
    found = Delivery.objects.filter(campaign=None, recipient_key=key_of(user_id), state=State.QUEUED)
    return list(found.select_for_update().order_by("pk"))


def withdraw(user_id: int, *, code: str) -> int:
    """Nothing that waits for this account leaves any more, not even what is next in somebody's batch. That is locked first:
    whoever is about to send it may be waiting for the rest."""
    waiting = Delivery.objects.filter(
        campaign=None, recipient_key=key_of(user_id), state__in=[State.CLAIMED, State.QUEUED]
    )
    with transaction.atomic():
        held = [row.pk for row in waiting.select_for_update().order_by("state", "pk")]
        return Delivery.objects.filter(pk__in=held).update(
            state=State.CANCELLED, failure_code=code, claim=None, claimed_at=None
        )


def forget(user_id: int) -> None:
    """Somebody leaves: what we wrote to them one at a time goes with what it said."""
    Delivery.objects.filter(campaign=None, user=user_id).delete()


def hint() -> None:
    """Speeds things up, once per transaction; the sweep every minute is what makes sure."""
    if not any(
        func is _send_soon for _savepoints, func, _robust in transaction.get_connection().run_on_commit
    ):
        transaction.on_commit(_send_soon, robust=True)


def _send_soon() -> None:
    from mailouts.tasks import send_post

    send_post.apply_async(retry=False)


def send_due(seconds: float = queue.WORK_FOR) -> int:
    """Sends what is due until there is nothing more or the time is up. Returns how many were taken."""
    taken, until = 0, time.monotonic() + seconds
    with Mail() as mail:
        while time.monotonic() < until and Channel.EMAIL not in health.resting(clock.now()):
            on_trial = Channel.EMAIL in health.on_trial()
            claimed_by, ids = queue.claim(None, most=1 if on_trial else queue.BATCH)
            if not ids:
                break
            batch = _Batch(claimed_by, mail)
            for pk in ids:
                if batch.stopped or time.monotonic() > until:
                    break
                taken += batch.send(pk)
            queue.let_go(claimed_by)
    return taken


class _Batch:
    """One claim. Each letter's fate is noted before the next is written: writing asks the database and may take a while."""

    def __init__(self, claimed_by: UUID, mail: Mail) -> None:
        self.claimed_by, self.mail = claimed_by, mail
        self.stopped = False
        self._troubled = GatewayHealth.objects.filter(channel=Channel.EMAIL, failures__gt=0).exists()

    def send(self, pk: int) -> bool:
        """Whether it was taken."""
        delivery = queue.patiently(lambda: Delivery.objects.select_related("user").filter(pk=pk).first())
        mail = self._written(delivery) if delivery is not None else None
        if delivery is None or mail is None:
            return False
        if not queue.step(self.claimed_by, note=None, leaves=pk):
            return False  # withdrawn, or given up as dead by others
        refused = ""
        try:
            self.mail.send(mail)
        except NotTaken as error:
            if isinstance(error, RecipientRefused):
                refused = str(error)
            note = queue.not_taken(
                pk,
                clock.now(),
                str(error),
                attempts=delivery.attempts + 1,
                final=error.final,
                code="recipient_refused" if refused else "",
            )
            if error.gateway:
                self._failed(str(error))
                self.stopped = True
        except Exception as error:
            # Nobody knows whether it left. What went wrong is named by its kind alone: a text could hold an address.
            log.error("nobody knows whether an e-mail left: %s", type(error).__name__)
            note = queue.unanswered(pk, clock.now(), type(error).__name__)
            self._failed(type(error).__name__)
            self.stopped = Channel.EMAIL in health.resting(clock.now())
        else:
            note = queue.sent(pk, clock.now())
        queue.step(self.claimed_by, note=note, leaves=None)
        if refused:
            disable(email=mail.to[0], reason=refused)
        if note.state == State.SENT and self._troubled:
            health.worked(Channel.EMAIL, clock.now())
            self._troubled = False
        return note.state == State.SENT

    def _written(self, delivery: Delivery) -> EmailMultiAlternatives | None:
        """None when it doesn't leave now; then what becomes of it has been noted."""
        if delivery.claim != self.claimed_by or delivery.state != State.CLAIMED:
            return None
        now = clock.now()
        try:
            mail = queue.patiently(lambda: _compose(delivery))
        except Later as later:
            self._note(Note(delivery.pk, State.QUEUED, now, due_at=later.until))
            return None
        except LeftOut as why:
            self._note(Note(delivery.pk, State.LEFT_OUT, now, why.code))
            return None
        except Exception as error:
            # Writing sends nothing: it has certainly not left.
            log.error("an e-mail could not be written: %s", type(error).__name__)
            self._note(Note(delivery.pk, State.FAILED, now, "unwritten", type(error).__name__))
            return None
        mail.extra_headers["Message-ID"] = message_id(delivery.message_uuid)
        return mail

    def _note(self, note: Note) -> None:
        """What came of one that has not left."""
        changes: dict[str, Any] = {
            "state": note.state,
            "failure_code": note.failure_code,
            "failure": note.failure,
            "claim": None,
            "claimed_at": None,
        }
        if note.due_at is not None:
            changes["due_at"] = note.due_at
        queue.patiently(
            lambda: Delivery.objects.filter(
                pk=note.delivery_id, claim=self.claimed_by, state=State.CLAIMED
            ).update(**changes)
        )

    def _failed(self, why: str) -> None:
        health.failed(Channel.EMAIL, why, clock.now())
        self._troubled = True


def _compose(delivery: Delivery) -> EmailMultiAlternatives:
    mail = _writers[delivery.purpose.partition(":")[0]](delivery)
    if mail is None:
        raise LeftOut(NOTHING_LEFT)
    return mail
