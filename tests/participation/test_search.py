from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import District, User
from participation import search
from participation.choices import Moderation, Status
from participation.models import Contribution, Process
from tests.participation.conftest import NOW

pytestmark = [pytest.mark.usefixtures("noon", "fresh_pages"), pytest.mark.django_db]
CANARY = "kanariefuglen"


def give(process: Process, title: str, body: str = "", **fields: Any) -> Contribution:
    values = {"received_on": NOW.date(), "created_at": NOW, "moderation": Moderation.PUBLISHED}
    return Contribution.objects.create(process=process, title=title, body=body, **{**values, **fields})


def titles(query: str, **filters: Any) -> list[str]:
    rows, _only_like = search.find(query, filters=filters)
    return [hit.obj.title for hit in search.hits(rows)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("legeplads", "Nye legepladser ved skolen"),
        ("legepladserne", "En legeplads ved skolen"),
        ("lege", "En legeplads ved skolen"),
        ("Aarhus", "Letbanen i Århus"),
        ("århus", "Letbanen i Aarhus"),
        ("Køge", "Bad ved Koege"),
        ("koege", "Bad ved Køge"),
        ("aeble", "Æbletræer i parken"),
        ("ÆBLETRÆER", "Æbletræ i parken"),
        ("café", "En cafe på torvet"),
        ("cykelsti skolen", "En cykelsti langs vejen til skolen"),
        ("legepalds", "En legeplads ved skolen"),
        ("cykelsit", "En cykelsti langs vejen"),
    ],
)
def test_found_by_stem_prefix_spelling_and_slip(process: Process, query: str, text: str) -> None:
    give(process, "Noget helt andet om busser")
    give(process, text)
    assert titles(query, kind="contribution") == [text]


def test_every_word_must_be_there_and_nothing_is_nothing(process: Process) -> None:
    give(process, "En cykelsti langs vejen")
    for query in (
        "cykelsti havnefront",
        "xyzzyq",
        "",
        "  ",
        "!&|():*'",
        "½",
        "\\",
        "'; DROP TABLE x --",
        "a:*b",
    ):
        assert titles(query, kind="contribution") == []


def test_a_title_comes_before_a_mention(process: Process) -> None:
    give(process, "Busser", body="Og en cykelsti")
    give(process, "Cykelsti til skolen", body="Til børnene")
    assert titles("cykelsti", kind="contribution") == ["Cykelsti til skolen", "Busser"]


def test_processes_and_contributions_together(process: Process) -> None:
    give(process, "Torvet skal have træer")
    assert set(titles("torvet")) == {"Torvet i Lunde", "Torvet skal have træer"}
    assert titles("torvet", kind="process") == ["Torvet i Lunde"]


def test_by_district(process: Process, districts: list[District]) -> None:
    give(process, "Træer i nord", district=districts[0])
    give(process, "Træer i øst", district=districts[2])
    assert titles("træer", kind="contribution", district=districts[2]) == ["Træer i øst"]


@pytest.mark.parametrize("moderation", [Moderation.PENDING, Moderation.REJECTED, Moderation.WITHDRAWN])
def test_nothing_leaks_from_what_is_not_public(process: Process, moderation: str) -> None:
    canary = give(process, CANARY, body=CANARY)
    assert titles(CANARY) == [CANARY]  # the search finds it
    for change in (
        lambda: Contribution.objects.filter(pk=canary.pk).update(
            moderation=moderation, moderation_reason="x"
        ),
    ):
        change()
        assert titles(CANARY) == []
        assert titles("kanariefglen") == []
        canary.refresh_from_db()
        assert canary.search_vector is None
    page = Client().get(reverse("participation:search"), {"q": CANARY}).content.decode()
    assert "<article" not in page


@pytest.mark.parametrize("hidden", [{"status": Status.CANCELLED, "listed": False}, {"listed": False}])
def test_nothing_leaks_from_a_process_that_is_hidden(
    make_process: Callable[..., Process], hidden: dict[str, Any]
) -> None:
    process = make_process(title=f"{CANARY} sang")
    give(process, f"{CANARY} fløj")
    assert len(titles(CANARY)) == 2
    Process.objects.filter(pk=process.pk).update(public_note="x", **hidden)
    assert titles(CANARY) == []
    assert titles("kanariefglen") == []
    Process.objects.filter(pk=process.pk).update(listed=True)
    assert len(titles(CANARY)) == 2


def test_the_database_refuses_a_vector_from_elsewhere(process: Process) -> None:
    hidden = give(process, CANARY, moderation=Moderation.PENDING)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE participation_contribution SET search_vector = to_tsvector('simple', title) WHERE id = %s",
            [hidden.pk],
        )
    hidden.refresh_from_db()
    assert hidden.search_vector is None


@pytest.mark.parametrize("count", [10, 1000])
def test_at_most_eight_queries_whatever_is_found(
    make_process: Callable[..., Process], districts: list[District], count: int
) -> None:
    process = make_process()
    authors = [User(first_name=f"N{i}", handle=f"h{i}", date_joined=NOW) for i in range(count)]
    User.objects.bulk_create(authors)
    Contribution.objects.bulk_create(
        Contribution(
            process=process,
            title=f"Torvet {i}",
            body="Træer",
            author=authors[i],
            home_district=districts[i % 3],
            received_on=NOW.date(),
            created_at=NOW + timedelta(seconds=i),
            moderation=Moderation.PUBLISHED,
        )
        for i in range(count)
    )
    client = Client()
    client.force_login(authors[0])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = client.get(reverse("participation:search"), {"q": "torvet"})
    assert page.content.decode().count("<article") == min(count + 1, 20)
    assert len(asked) <= 8, [query["sql"][:90] for query in asked]
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("participation:search"), {"q": "torvvet"})
    assert len([one for one in asked if "SAVEPOINT" not in one["sql"]]) <= 8, [
        query["sql"][:90] for query in asked
    ]


def test_addresses_that_make_no_sense_are_answered(process: Process) -> None:
    for odd in ("x" * 5000, "9" * 30, "\x00", "-1", "' OR 1=1", "(((", "a & b", "<->"):
        for name in ("q", "slags", "distrikt", "page"):
            page = Client().get(reverse("participation:search"), {"q": "torvet", name: odd})
            assert page.status_code == 200
