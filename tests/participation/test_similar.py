"""Ideas that look like one another: the pairs are found, the rest is left in peace, and it is quick at 2,000."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from participation.actions import merging
from participation.choices import Moderation
from participation.models import Contribution, Draft, Process
from participation.similar import THRESHOLD, similar_to
from tests.participation.alike import OTHERS, PAIRS, heap
from tests.participation.conftest import NOW
from tests.patience import seconds_here

pytestmark = pytest.mark.usefixtures("noon", "fresh_pages")


def fill(process: Process, by: User, texts: list[tuple[str, str]], **fields: Any) -> list[Contribution]:
    """Straight into the table."""
    values = {"process": process, "author": by, "received_on": NOW.date(), "created_at": NOW}
    values |= {"moderation": Moderation.PUBLISHED, "published_at": NOW} | fields
    return Contribution.objects.bulk_create(
        Contribution(title=title, body=body, **values) for title, body in texts
    )


def titles(process: Process, title: str, body: str, **options: Any) -> list[str]:
    return [one.title for one in similar_to(process=process, title=title, body=body, **options)]


def test_the_same_idea_in_other_words_comes_first_for_all_twenty(process: Process, citizen: User) -> None:
    fill(process, citizen, [first for first, _second in PAIRS] + OTHERS)
    missed = [second[0] for first, second in PAIRS if titles(process, *second)[:1] != [first[0]]]
    assert missed == []


def test_an_idea_of_its_own_looks_like_nearly_nothing(process: Process, citizen: User) -> None:
    fill(process, citizen, [first for first, _second in PAIRS])
    found = [titles(process, *other) for other in OTHERS]
    assert sum(map(bool, found)) <= 1, found


def test_the_title_alone_is_enough_to_begin_with(process: Process, citizen: User) -> None:
    fill(process, citizen, [("En bænk ved Mølledammen", "Sæt en op.")])
    assert titles(process, "Bænk ved Mølledammen", "") == ["En bænk ved Mølledammen"]


def test_spelling_makes_no_difference(process: Process, citizen: User) -> None:
    fill(process, citizen, [("En bænk ved Århusvej på Ærø", "Vi vil gerne sidde.")])
    assert titles(process, "EN BAENK VED AARHUSVEJ PAA AEROE", "VI VIL GERNE SIDDE.")


def test_a_long_text_is_known_by_its_beginning(process: Process, citizen: User) -> None:
    """Compared as a whole, a page of text drowns the wish it begins with."""
    page = " ".join(body for _title, body in heap(60))
    (title, body), second = PAIRS[3]
    fill(process, citizen, [(title, f"{body} {'Det har vi talt om. ' * 16} {page}")])
    assert titles(process, *second) == [title]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT similarity(da_fold(%s), da_fold(%s))", [f"{title} {body} {page}", " ".join(second)]
        )
        assert cursor.fetchone()[0] < THRESHOLD


@pytest.mark.parametrize("title", ["", " ", "a", "\x00\x00", "%_'\"\\", "😀" * 20])
def test_next_to_nothing_and_nonsense_find_nothing(process: Process, citizen: User, title: str) -> None:
    fill(process, citizen, [("En bænk ved Mølledammen", "Sæt en op.")])
    assert titles(process, title, "") == []


def test_three_at_most_and_above_the_threshold(process: Process, citizen: User) -> None:
    fill(process, citizen, [(f"En bænk ved Mølledammen {number}", "Sæt en op.") for number in range(6)])
    found = similar_to(process=process, title="Bænk ved Mølledammen", body="Sæt en op")
    assert len(found) == 3
    assert all(one.likeness >= THRESHOLD for one in found)


def test_only_what_anyone_may_read_in_the_same_process(
    process: Process, make_process: Callable[..., Process], citizen: User
) -> None:
    text = ("En bænk ved Mølledammen", "Sæt en op.")
    for state in (Moderation.PENDING, Moderation.REJECTED, Moderation.WITHDRAWN):
        fill(process, citizen, [text], moderation=state, moderation_reason="x")
    fill(make_process("andet"), citizen, [text])
    assert titles(process, *text) == []
    assert titles(process, *text, unpublished=True) == [text[0]]


def test_itself_and_what_was_gathered_are_left_out(process: Process, citizen: User, caseworker: User) -> None:
    one, other = fill(
        process, citizen, [("En bænk ved dammen", "Sæt en op."), ("Bænk ved dammen", "Ja tak.")]
    )
    assert titles(process, one.title, one.body, leave_out=one) == [other.title]
    merging.merge_contributions(keep=one, gone=[other], by=caseworker, reason="Samme bænk.")
    assert titles(process, one.title, one.body, leave_out=one) == []


def test_quick_at_two_thousand_by_the_index(
    process: Process, make_process: Callable[..., Process], citizen: User
) -> None:
    fill(process, citizen, heap(2000 - len(PAIRS)) + [first for first, _second in PAIRS])
    fill(make_process("andet"), citizen, heap(2000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE participation_contribution")
    taken = []
    for first, second in PAIRS:
        started = time.monotonic()
        found = titles(process, *second)
        taken.append(time.monotonic() - started)
        assert found[0] == first[0]
    taken.sort()
    print(f"median {taken[len(taken) // 2] * 1000:.1f} ms, slowest {taken[-1] * 1000:.1f} ms")
    assert taken[len(taken) // 2] < seconds_here(0.1)
    with CaptureQueriesContext(connection) as queries:
        titles(process, *PAIRS[0][1])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN " + next(one["sql"] for one in queries if "<->" in one["sql"]))
        assert "contribution_alike" in "".join(row[0] for row in cursor.fetchall())


# Pages.


def address(name: str, process: Process) -> str:
    return reverse(f"participation:{name}", args=[process.slug])


MINE = {"title": "Bænk ved Mølledammen", "body": "De ældre vil gerne sidde.", "name_shown": "first"}


@pytest.fixture
def there(process: Process, citizen: User) -> Contribution:
    return fill(process, citizen, [("En bænk ved Mølledammen", "Så de ældre kan sidde.")])[0]


def test_without_javascript_a_button_looks_and_nothing_is_lost(process: Process, there: Contribution) -> None:
    client = Client()
    asked = client.post(address("contribute", process), MINE | {"similar": "1"})
    assert asked.status_code == 302
    page = client.get(asked["Location"])
    text = page.content.decode()
    assert there.get_absolute_url() in text
    assert 'rel="noopener"' in text
    assert MINE["body"] in text
    assert "similar" not in Draft.objects.get().data
    assert there.get_absolute_url() not in client.get(address("contribute", process)).content.decode()


def test_nothing_alike_is_said(process: Process, there: Contribution) -> None:
    client = Client()
    other = {"title": "Skolemad", "body": "Et varmt måltid til alle børn.", "name_shown": "first"}
    page = client.post(address("contribute", process), other | {"similar": "1"}, follow=True)
    assert page.context["similar"] == []
    assert there.get_absolute_url() not in page.content.decode()


def test_the_review_shows_it_and_blocks_nothing(
    process: Process, there: Contribution, person: Callable[..., User]
) -> None:
    client = Client()
    client.force_login(person("Ida"))
    review = client.post(address("contribute", process), MINE | {"go_on": "1"})["Location"]
    assert there.get_absolute_url() in client.get(review).content.decode()
    assert client.post(review).status_code == 302
    assert Contribution.objects.count() == 2


def test_while_writing_a_piece_of_the_page(process: Process, there: Contribution) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(address("contribute", process))
    token = client.cookies["csrftoken"].value
    url = address("contribute-similar", process)
    assert client.post(url, MINE).status_code == 403
    piece = client.post(url, MINE | {"csrfmiddlewaretoken": token})
    assert piece.status_code == 200
    assert "no-store" in piece["Cache-Control"]
    assert there.get_absolute_url() in piece.json()["piece"]
    empty = client.post(url, {"title": "x\x00", "csrfmiddlewaretoken": token})
    assert empty.json() == {"piece": ""}
    assert client.get(url).status_code == 405
    assert not Draft.objects.exists()


def test_asking_too_often_is_quietly_left_unanswered(
    process: Process, there: Contribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.verdict import Refused
    from participation import limits

    def spent(request: Any, what: str, **rate: Any) -> None:
        raise Refused("too_often", what)

    monkeypatch.setattr(limits, "spend", spent)
    assert Client().post(address("contribute-similar", process), MINE).status_code == 204
