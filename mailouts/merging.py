"""Two persons turn out to be one while letters are under way: one letter, not two."""

from collections import defaultdict

from django.db import connection

from accounts.models import Person
from mailouts.choices import State
from mailouts.models import Delivery

NOT_LEFT = frozenset({State.QUEUED, State.CLAIMED})  # what is printed lies in a PDF, and leaves with it


def settle(keep: Person, gone: Person) -> None:
    """Of two letters of one mailout the one that has not left is left out; the database is told that the rest may be pointed at
    another person, which it else refuses (0002_safety)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('mailouts.merging', 'on', true)")
    found: dict[int, list[Delivery]] = defaultdict(list)
    rows = Delivery.objects.select_for_update(of=("self",)).filter(
        person__in=[keep.pk, gone.pk], campaign__isnull=False, purpose="letter"
    )
    for row in rows.exclude(state__in=[State.LEFT_OUT, State.CANCELLED]).order_by("pk"):
        found[row.campaign_id or 0].append(row)
    for letters in found.values():
        waiting = [row for row in letters if row.state in NOT_LEFT]
        if len(waiting) == len(letters):
            waiting = waiting[1:]
        for row in waiting:
            row.state, row.failure_code, row.claim = State.LEFT_OUT, "same_person", None
            row.save(update_fields=["state", "failure_code", "claim"])
