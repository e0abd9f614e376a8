"""Search over processes and contributions: stemmed, by prefix, in either spelling, and forgiving a slip.

A word matches by its Danish stem ("legepladserne" finds "legeplads"), by prefix ("lege"), and with å, æ and ø written in
either way ("Aarhus" is "Århus"). Only when nothing is found are titles compared by their letters. Vectors are NULL for
what isn't public (migration 0003), so there is nothing here that could leak.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import BooleanField, CharField, F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Concat

from participation.choices import Moderation
from participation.danish import DaFold
from participation.models import Contribution, Process

PROCESS, CONTRIBUTION = "process", "contribution"
LONGEST, MOST_WORDS, MOST_ALIKE = 200, 8, 20
CLOSE_ENOUGH = 0.45  # pg_trgm's word_similarity: one or two wrong letters in a word of eight
_WORD = re.compile(r"[^\W_]+")


class Likeness(Func):
    """How much the query is like some stretch of the text, 0 to 1."""

    function = "word_similarity"
    output_field = FloatField()


class Alike(Func):
    """`text %> query`: alike above the session's threshold. Answered by the trigram index of migration 0003."""

    template = "(%(expressions)s)"
    arg_joiner = " %%> "
    output_field = BooleanField()


@dataclass(frozen=True)
class Hit:
    kind: str
    obj: Any


def words(query: str) -> list[str]:
    return [word[:60] for word in _WORD.findall(query[:LONGEST])][:MOST_WORDS]


def to_tsquery(query: str) -> Any:
    """Every word must be found, each in any of its ways. None when there are no words."""
    combined: Any = None
    for word in words(query):
        folded = DaFold(Value(word))
        any_way = (
            SearchQuery(word, config="danish")
            | SearchQuery(folded, config="danish")
            | SearchQuery(
                Concat(folded, Value(":*"), output_field=CharField()), config="simple", search_type="raw"
            )
        )
        combined = any_way if combined is None else combined & any_way
    return combined


def matching(rows: QuerySet[Any], query: str) -> QuerySet[Any]:
    """Those rows (of processes or contributions) that hold every word."""
    wanted = to_tsquery(query)
    if wanted is None:
        return rows.none()
    return rows.filter(search_vector=wanted)


def search(
    query: str, *, user: Any = None, filters: Mapping[str, Any] | None = None, forgiving: bool = False
) -> QuerySet[Any]:
    """Rows of {"kind", "pk", "rank"}, best first, ready to be paged; `hits` reads the things themselves.

    `filters`: "kind" (process or contribution), "district" (id). What one may see of one's own is on My page: search is
    the same for everyone.
    """
    filters = filters or {}
    wanted = to_tsquery(query)
    processes = Process.objects.filter(search_vector__isnull=False)
    contributions = Contribution.objects.filter(search_vector__isnull=False, moderation=Moderation.PUBLISHED)
    if filters.get("district"):
        processes = processes.filter(touched_districts=filters["district"])
        contributions = contributions.filter(
            Q(district=filters["district"]) | Q(district=None, home_district=filters["district"])
        )
    if wanted is None:
        processes, contributions = processes.none(), contributions.none()
        rank: Any = Value(0.0, output_field=FloatField())
        process_rank = contribution_rank = rank
    elif forgiving:
        like = DaFold(Value(query[:LONGEST]))
        process_rank = Likeness(like, DaFold(Concat("title", Value(" "), "question")))
        contribution_rank = Likeness(like, DaFold("title"))
        processes = processes.filter(Alike(DaFold(Concat("title", Value(" "), "question")), like))
        contributions = contributions.filter(Alike(DaFold("title"), like))
    else:
        process_rank = contribution_rank = SearchRank(F("search_vector"), wanted)
        processes = processes.filter(search_vector=wanted)
        contributions = contributions.filter(search_vector=wanted)
    found = [
        rows.order_by()
        .annotate(kind=Value(kind, output_field=CharField()), rank=weight)
        .values("kind", "pk", "rank")
        for kind, rows, weight in (
            (PROCESS, processes, process_rank),
            (CONTRIBUTION, contributions, contribution_rank),
        )
        if filters.get("kind") in {None, "", kind}
    ]
    rows = found[0] if len(found) == 1 else found[0].union(found[1], all=True)
    return rows.order_by("-rank", "kind", "-pk")


def find(
    query: str, *, user: Any = None, filters: Mapping[str, Any] | None = None
) -> tuple[QuerySet[Any] | list[Any], bool]:
    """The rows, and whether they are only like what was asked for: then at most `MOST_ALIKE`, already read."""
    exact = search(query, user=user, filters=filters)
    if exact[:1] or not words(query):
        return exact, False
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pg_trgm.word_similarity_threshold = %s", [CLOSE_ENOUGH])
        return list(search(query, user=user, filters=filters, forgiving=True)[:MOST_ALIKE]), True


def hits(rows: Iterable[Mapping[str, Any]]) -> list[Hit]:
    """The things themselves in the order found: one query for each kind."""
    rows = list(rows)
    keys = {kind: [row["pk"] for row in rows if row["kind"] == kind] for kind in (PROCESS, CONTRIBUTION)}
    things: dict[tuple[str, int], Any] = {}
    if keys[PROCESS]:
        for process in Process.objects.filter(pk__in=keys[PROCESS]).defer("search_vector"):
            things[PROCESS, process.pk] = process
    if keys[CONTRIBUTION]:
        for contribution in Contribution.objects.public().for_list().filter(pk__in=keys[CONTRIBUTION]):
            things[CONTRIBUTION, contribution.pk] = contribution
    return [
        Hit(row["kind"], things[row["kind"], row["pk"]]) for row in rows if (row["kind"], row["pk"]) in things
    ]
