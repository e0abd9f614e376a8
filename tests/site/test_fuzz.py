"""Nonsense in every address and every form: never a 500, and never a row that is only half there.

Hypothesis chooses which fields go wrong and how; the rest of a form stands as the page gave it. `FUZZ=200` looks longer
than the few examples of an ordinary run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.site.addresses import behind, body_of, path_of, query_of
from tests.site.markup import Reader
from tests.site.test_url_by_role import ADDRESSES, SUCCESS, TABLE
from tests.site.world import World, rolled_back

EXAMPLES = int(os.environ.get("FUZZ", "1"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

NONSENSE = (
    "",
    " \t\r\n ",
    "\x00",
    "a\x00b",
    "-1",
    "0",
    "9" * 30,
    "9" * 400,
    "1e400",
    "NaN",
    "-Infinity",
    "1.000.000.000.000.000.000,99",
    "٣٤",
    "²",
    "x" * 20_000,
    "😀" * 300,
    "\u202eolleh\u200b",
    "<script>alert(1)</script><b onclick=x>",
    "' OR 1=1 --",
    "{{ 7 }}{% load %}",
    "../../etc/passwd",
    "[]",
    "null",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "24:61",
    "23:59:59.999999",
    "on",
    "draft",
    "\r\nSet-Cookie: a=b",
    "00000000-0000-4000-8000-000000000000",
)
hostile = st.sampled_from(NONSENSE) | st.text(max_size=40) | st.integers().map(str)
# As it can be sent at all: no lone surrogates.
sendable = hostile.map(lambda text: text.encode("utf-8", "replace").decode())

# Signing out or moving the session on would end the sweep for the role, not the site.
LEFT_OUT = {"account_logout", "accounts:delete-account"}


def roles_for(name: str) -> list[str]:
    """The first who gets in, and the one with the most to break."""
    inside = [role for role, got in TABLE[name][1].items() if got in SUCCESS and role != "half_in"]
    return list(
        dict.fromkeys([*inside[:1], *[role for role in ("citizen", "worker") if role in inside][-1:]])
    )


def check(response: Any, what: Any) -> None:
    assert response.status_code < 500 or response.status_code == 503, (what, response.status_code)


# Addresses

ARGUMENTS = {
    "slug": ["-", "a" * 500, "0", "draft", "_" * 81],
    "pk": ["0", "9" * 18, "9" * 30],
    "public_id": ["00000000-0000-0000-0000-000000000000"],
    "argument": ["00000000-0000-0000-0000-000000000000"],
    "theme": ["0", "9" * 30],
    "change": ["0", "9" * 30],
    "place": ["0", "9" * 30],
    "incident": ["0", "9" * 30],
    "kind": ["x", "meeting", "y" * 300, "list", "organisations"],
    "source": ["0", "9" * 30],
    "delivery": ["0", "9" * 30],
    "number": ["0", "9" * 30],
    "key": ["x", "x" * 500, "%00", "æ", "0-0"],
    "name": ["x", "-", "approve", "y" * 300],
    "token": ["x", "%00", "a:b:c", "é" * 200],
    "format_key": ["x", "citizen-budget"],
    "object_id": ["0", "abc", "%00", "9" * 30, "_5F", "1/2/3", "é"],
    "uidb36": ["0", "zzzzzzzzzzzzzzzzzzzz"],
    "provider_id": ["x", "mitid"],
    "url": ["%00", "x/" * 100, "é"],
}
QUERY = [
    "q",
    "status",
    "format",
    "district",
    "side",
    "page",
    "state",
    "chosen",
    "kladde",
    "pulje",
    "stor",
    "next",
    "distrikt",
    "tema",
    "udfald",
    "sorter",
    "slags",
    "age",
    "lives",
    "medarbejder",
    "vurdering",
    "o",
    "p",
    "all",
    "_popup",
    "_to_field",
    "e",
    "show",
    "app_label",
    "model_name",
    "field_name",
    "term",
    "n",
    "code",
    "error",
]


def variants(name: str, world: World) -> Iterator[str]:
    """The address with each of its parts replaced, as a browser would send it."""
    address = ADDRESSES[name]
    values = behind(world)(address)
    for argument in set(address.arguments) & set(ARGUMENTS):
        identified = {"public_id", "argument"}
        marker = "00000000-0000-4000-8000-00000000abcd" if argument in identified else 87654321
        marked = path_of(address, values | {argument: marker})
        for wrong in ARGUMENTS[argument]:
            yield marked.replace(str(marker), quote(wrong, safe="%/"))


@pytest.mark.parametrize("name", sorted(name for name in ADDRESSES if ADDRESSES[name].arguments))
def test_no_part_of_an_address_breaks_it(world: World, name: str) -> None:
    client = world.client((roles_for(name) or ["anonymous"])[-1])
    for path in variants(name, world):
        with rolled_back():
            check(client.post(path) if TABLE[name][0] == "POST" else client.get(path), path)


@pytest.mark.parametrize(
    "name", sorted(name for name in ADDRESSES if name not in LEFT_OUT and TABLE[name][0] == "GET")
)
def test_no_query_breaks_a_page(world: World, name: str) -> None:
    path = path_of(ADDRESSES[name], behind(world)(ADDRESSES[name]))
    client = world.client((roles_for(name) or ["anonymous"])[-1])

    @fuzz
    @given(st.dictionaries(st.sampled_from(QUERY), sendable | st.lists(sendable, max_size=3), max_size=5))
    def look(query: dict[str, Any]) -> None:
        with rolled_back():
            check(client.get(path, query), (path, query))

    look()
    raw = "?%&%FF=%FE&=&&q[]=1&q[x]=2&__class__=1&" + "a=1&" * 300
    with rolled_back():
        check(client.get(path + raw), (path, raw))


# Forms


TYPED = {"date": "2026-12-01", "time": "12:00", "number": "5", "email": "karen@example.dk"}
# Where the form stands that is posted to an address of its own.
STANDS_ON = {
    "admin:contribution-moderate": "admin:process-contribution",
    "admin:contribution-answer": "admin:process-contribution",
    "admin:contribution-told": "admin:process-contribution",
    "admin:contribution-comment": "admin:process-contribution",
    "admin:argument-moderate": "admin:process-argument",
    "admin:argument-comment": "admin:process-argument",
    "admin:process-go-on": "admin:process-preconditions",
    "admin:mailout-look": "admin:mailout-letter",
    "participation:contribution-after-receipt": "participation:contribution-receipt",
    "participation:notices-rhythm": "accounts:my-page",
    "participation:stop-asking": "accounts:my-page",
}


def form_of(page: str) -> dict[str, list[str]]:
    """Every control of the page with the value it has, or one that somebody might have chosen."""
    reader = Reader()
    reader.feed(page)
    found: dict[str, list[str]] = {}
    choosing = ""
    for element in reader.elements:
        its, name = element.attributes, element.attributes.get("name", "")
        kind = its.get("type", "text")
        if element.tag == "select":
            choosing = name
            found[name] = []
        elif element.tag == "option" and choosing and ("selected" in its or not any(found[choosing])):
            found[choosing] = [its.get("value", "")]
        elif name and element.tag == "textarea":
            found[name] = [element.text.strip() or "Sådan."]
        elif name and element.tag == "button":
            found.setdefault(name, [])
        elif name and element.tag == "input" and kind in {"checkbox", "radio"}:
            found.setdefault(name, [])
            if "checked" in its or (kind == "radio" and not found[name]):
                found[name] = [its.get("value", "on")]
        elif name and element.tag == "input":
            found[name] = [its.get("value") or TYPED.get(kind, "" if kind == "hidden" else "Tekst")]
    found.pop("csrfmiddlewaretoken", None)
    return found


def counted() -> dict[str, int]:
    """How many rows every table has, but for what looking or typing alone may write."""
    written_by_looking = {"django_session", "participation_draft", "budgets_began", "account_emailaddress"}
    tables = sorted({model._meta.db_table for model in apps.get_models()} - written_by_looking)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))
        return dict(cursor.fetchall())


def check_whole() -> None:
    """Each thing of a format has its detail, each counted ballot somebody on the roll, each change a reason."""
    with connection.cursor() as cursor:
        for wrong in (
            "SELECT 1 FROM participation_process p WHERE format = 'citizen_budget'"
            " AND NOT EXISTS (SELECT 1 FROM budgets_citizenbudget b WHERE b.process_id = p.id)",
            "SELECT 1 FROM participation_contribution c JOIN participation_process p ON p.id = c.process_id"
            " WHERE p.format = 'citizen_budget'"
            " AND NOT EXISTS (SELECT 1 FROM budgets_project b WHERE b.contribution_id = c.id)",
            "SELECT 1 FROM budgets_round r WHERE r.state = 'voting' AND"
            " (SELECT count(*) FROM budgets_ballot b WHERE b.round_id = r.id)"
            " <> (SELECT count(*) FROM budgets_roll l WHERE l.round_id = r.id AND l.place_id IS NULL)",
            "SELECT 1 FROM participation_change WHERE reason = ''",
        ):
            cursor.execute(wrong)
            assert cursor.fetchone() is None, wrong


def posted_to(client: Client, path: str, data: Any, what: Any, **options: Any) -> None:
    with rolled_back():
        before = counted()
        response = client.post(path, data, **options)
        check(response, (path, what))
        if response.status_code not in {200, 301, 302, 303}:
            assert counted() == before, (path, what, "refused, and yet something was written")
        check_whole()


def takers() -> list[str]:
    """The addresses that take a POST: found by their not answering 405."""
    return sorted(name for name in ADDRESSES if name not in LEFT_OUT and roles_for(name))


@pytest.mark.parametrize("name", takers())
def test_no_form_breaks(world: World, name: str) -> None:
    address = ADDRESSES[name]
    path = path_of(address, behind(world)(address)) + query_of(address, world)
    client = world.client(roles_for(name)[-1])
    with rolled_back():
        if client.post(path).status_code == 405:
            return
        there = ADDRESSES[STANDS_ON.get(name, name)]
        page = client.get(path_of(there, behind(world)(there)) + query_of(there, world))
    if page.status_code != 200 or not page["Content-Type"].startswith("text/html"):
        page = None
    form = form_of(page.content.decode()) if page else {key: [""] for key in ("title", "text", "topic")}
    form |= {key: [value] for key, value in body_of(address, world).items()}
    names = sorted(form) or ["x"]

    @fuzz
    @given(
        st.dictionaries(
            st.sampled_from(names), st.lists(sendable, min_size=1, max_size=3), min_size=1, max_size=6
        ),
        st.booleans(),
    )
    def send(wrong: dict[str, list[str]], rest: bool) -> None:
        posted_to(client, path, (form if rest else {}) | wrong, wrong)

    send()
    posted_to(client, path, {key: NONSENSE[8] for key in names}, "every field a number too large")
    posted_to(client, path, {key: "a\x00b" for key in names}, "a null byte everywhere")
    posted_to(
        client,
        path,
        {key: SimpleUploadedFile("x.pdf", b"%PDF-1.4 \x00\xff") for key in names},
        "files everywhere",
    )
    posted_to(client, path, b'{"title": [', "broken JSON", content_type="application/json")
    posted_to(
        client, path, b"--x\r\nnot a part", "broken parts", content_type="multipart/form-data; boundary=x"
    )
    posted_to(client, path, b"\xff\xfe=%", "not UTF-8", content_type="application/x-www-form-urlencoded")
    with rolled_back():  # the same twice, as by an impatient finger
        for _time in range(2):
            check(client.post(path, form), (path, "twice"))
        check_whole()
