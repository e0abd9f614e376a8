"""Ideas that look like one another, by the letters they share: pg_trgm over title and the beginning of the text, folded.

Only the beginning (`BEGINNING` characters): long texts share most of their small words whatever they are about. The index of
migration `similar` holds the process and exactly this expression, so that the nearest are found without reading the rest. It
never blocks anybody: it is a hint.
"""

from django.db import connection, transaction
from django.db.models import FloatField, Func, QuerySet, TextField, Value

from participation.choices import Moderation
from participation.danish import DaFold
from participation.models import Contribution, Process

CLOSE = 0.35  # where it is probably the same
THRESHOLD = 0.21  # pg_trgm's similarity; measured on pairs of Danish ideas
MOST = 3
BEGINNING = 400
SHORTEST = 12  # fewer letters say too little


class Beginning(Func):
    """As the index has it, letter by letter."""

    template = "da_fold(%(expressions)s, 400))"
    arg_joiner = " || ' ' || left("
    output_field = TextField()


class Distance(Func):
    """1 minus the similarity; the index answers in this order."""

    template = "(%(expressions)s)"
    arg_joiner = " <-> "
    output_field = FloatField()


def similar_to(
    *,
    process: Process,
    title: str,
    body: str,
    leave_out: Contribution | None = None,
    unpublished: bool = False,
) -> list[Contribution]:
    """At most three in the same process, the most alike first, with `others` and `likeness` (0 to 1).

    What anyone may read; with `unpublished`, for those who look through it, also what waits for a look.
    """
    asked = f"{title} {body[:BEGINNING]}".replace("\x00", "").strip()
    if len(asked) < SHORTEST:
        return []
    shown = [Moderation.PUBLISHED, Moderation.PENDING] if unpublished else [Moderation.PUBLISHED]
    rows: QuerySet[Contribution] = Contribution.objects.filter(process=process, moderation__in=shown)
    if leave_out is not None:
        rows = rows.exclude(pk=leave_out.pk)
    nearest = (
        rows.for_list()  # type: ignore[attr-defined]
        .annotate(distance=Distance(Beginning("title", "body"), DaFold(Value(asked))))
        .order_by("distance")[:MOST]
    )
    found = []
    with transaction.atomic(), connection.cursor() as cursor:
        # The planner takes folding and comparing a text to be free, and would rather do it with all of them and sort.
        cursor.execute("SET LOCAL enable_sort = off")
        rows_found = list(nearest)
        cursor.execute("SET LOCAL enable_sort = on")
    for one in rows_found:
        one.likeness = 1 - one.distance
        one.close = one.likeness >= CLOSE
        if round(one.likeness, 4) >= THRESHOLD:
            found.append(one)
    return found
