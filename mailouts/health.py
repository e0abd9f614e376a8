"""The circuit breaker: a channel that fails again and again is left alone for a while, then tried with one letter.

A gateway that takes letters without answering would else turn a whole mailout into uncertain ones within minutes. The state
stands in the database, so that all workers on all machines let it rest together. It is asked and told while a worker knows
what became of a letter and has not noted it yet, so a cut connection must not end in an error here.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from mailouts.choices import Channel, PaperRoute
from mailouts.models import GatewayHealth
from mailouts.queue import patiently

OPENS_AT = 5  # failures in a row
FIRST_REST = timedelta(seconds=20)
LONGEST_REST = timedelta(minutes=15)


def circuit(channel: str, paper_route: str = "") -> str:
    """Which circuit a letter hangs on: all that goes through the gateway shares one; our own print needs none."""
    if channel == Channel.EMAIL:
        return Channel.EMAIL
    if channel == Channel.PAPER and paper_route == PaperRoute.BATCH:
        return Channel.PAPER
    return Channel.DIGITAL


def failed(on: str, why: str, at: datetime) -> None:
    """One more in a row; from the fifth on, the rest doubles each time."""
    known: dict[str, Any] = {
        "on": on,
        "why": why[:300],
        "at": at,
        "opens": OPENS_AT,
        "first": FIRST_REST,
        "longest": LONGEST_REST,
    }

    def note() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_FAILED, known)

    patiently(note)


_FAILED = """
INSERT INTO mailouts_gatewayhealth AS h (channel, failures, last_failure, changed_at)
VALUES (%(on)s, 1, %(why)s, %(at)s)
ON CONFLICT (channel) DO UPDATE SET
    failures = CASE WHEN h.open_until > %(at)s THEN h.failures ELSE h.failures + 1 END,
    last_failure = %(why)s,
    changed_at = %(at)s,
    open_until = CASE
        WHEN h.open_until > %(at)s OR h.failures + 1 < %(opens)s THEN h.open_until
        ELSE %(at)s + LEAST(%(first)s * power(2, LEAST(h.failures + 1 - %(opens)s, 20)), %(longest)s)
    END
"""


def worked(on: str, at: datetime) -> None:
    troubled = GatewayHealth.objects.filter(channel=on).exclude(failures=0, open_until=None)
    patiently(lambda: troubled.update(failures=0, open_until=None, changed_at=at))


def resting(at: datetime) -> frozenset[str]:
    """The circuits that nothing may be sent on now."""
    return _channels(GatewayHealth.objects.filter(open_until__gt=at))


def on_trial() -> frozenset[str]:
    """The circuits that have rested and get one letter at a time until one has worked."""
    return _channels(GatewayHealth.objects.filter(failures__gte=OPENS_AT))


def _channels(rows: QuerySet[GatewayHealth]) -> frozenset[str]:
    return patiently(lambda: frozenset(rows.values_list("channel", flat=True)))
