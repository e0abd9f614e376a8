"""What anyone can see: each page says what it should, and asks the database no more for a thousand rows than for ten."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar

from participation import clock
from participation.actions import process as setting_up
from participation.choices import Status
from tests.site import crowd
from tests.site.world import World

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def _english(settings: Any) -> None:
    """The words of the code, whatever the catalogue says today."""
    settings.LANGUAGE_CODE = "en"


def page(path: str, world: World | None = None, role: str = "anonymous") -> str:
    client = world.client(role) if world else Client()
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(response.content.decode().split())


def listed(text: str) -> list[str]:
    return re.findall(r'class="process-card-title"><a href="([^"]+)"', text)


def url(world: World, key: str) -> str:
    return world.processes[key].get_absolute_url()


# Front page and lists


def test_the_front_page_leads_with_what_is_open_and_tells_how_it_went(world: World) -> None:
    text = page("/")
    cards = listed(text)
    assert {url(world, "open"), url(world, "vote")} <= set(cards)
    assert url(world, "approved") in cards
    assert cards.index(url(world, "open")) < cards.index(url(world, "approved"))
    assert "Byrådet sagde ja." in text
    assert "Der kom en bænk ved søen." in text
    assert "“Forslag 1”." in text
    for hidden in ("draft", "in_review"):
        assert f"/{world.processes[hidden].slug}/" not in text


def test_what_closes_within_a_week_stands_apart(world: World) -> None:
    with clock.frozen(world.processes["vote"].closes_at - timedelta(days=2)):
        text = page("/")
    soon = text[text.index("Closing soon") :]
    assert listed(soon)[0] == url(world, "vote")


def test_the_front_page_of_someone_with_a_district_shows_what_touches_it(world: World) -> None:
    assert listed(page("/", world, "citizen"))


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("status=open", {"open", "vote"}, {"approved", "closed", "decided"}),
        ("status=coming", {"approved"}, {"open", "decided"}),
        ("status=working", {"closed"}, {"open", "decided"}),
        ("status=over", {"decided", "concluded", "informed"}, {"open", "closed"}),
        ("format=citizen_budget", {"open", "decided"}, {"draft", "in_review"}),
        ("q=solbyens", {"open", "decided"}, {"draft", "in_review"}),
        ("q=findesikke", set(), {"open"}),
        # what nobody offers is as if it was not asked
        ("status=x&format=y&district=z", {"open", "decided"}, {"draft"}),
        ("district=999999999999999999999999", {"open"}, {"draft"}),
        ("q=" + "a" * 5000, {"open"}, {"draft"}),
        ("q=%00&status=%00&format=%00&district=%00&side=%00", {"open"}, {"draft"}),
        ("side=-1", {"open"}, {"draft"}),
        ("side=99999999999999999999", {"open"}, {"draft"}),
        ("side=%F0%9F%98%80&q=", {"open"}, {"draft"}),
        ("status=open&status=over", {"decided"}, {"open"}),
        ("q=%FF%FE", set(), {"draft"}),
    ],
)
def test_the_list_and_its_filters(world: World, query: str, there: set[str], gone: set[str]) -> None:
    found = set(listed(page(f"/forloeb/?{query}")))
    assert {url(world, key) for key in there} <= found
    assert not {url(world, key) for key in gone} & found


def test_the_list_by_district(world: World) -> None:
    """What touches the whole municipality touches every district."""
    crowd.processes(world, 2, Status.OPEN)
    text = page(f"/forloeb/?district={world.district.pk}")
    assert url(world, "open") in listed(text)
    assert not [one for one in listed(text) if "/mange-" in one]


def test_an_empty_list_says_what_to_do(world: World) -> None:
    assert "Nothing fits" in page("/forloeb/?q=findesikke")


# The page of a process


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("approved", "Opens soon"),
        ("open", "Propose a project"),
        ("vote", "Vote"),
        ("closed", "Being worked on"),
        ("decided", "Byrådet sagde ja."),
        ("concluded", "Der kom en bænk ved søen."),
        ("cancelled", "Pengene er brugt."),
        ("informed", "Pengene er brugt."),
    ],
)
def test_the_page_of_a_process_in_every_status(world: World, key: str, word: str) -> None:
    process = world.processes[key]
    text = page(process.get_absolute_url())
    assert process.question in text
    assert word in text


def test_what_can_be_influenced_stands_beside_what_is_fixed_and_why(world: World) -> None:
    text = page(url(world, "open"))
    for words in (
        "Hvad der skal laves",
        "Beløbet",
        "Byrådet har afsat det i budgettet.",
        "Byrådet",
        "Brugsen",
    ):
        assert words in text


def test_a_process_that_is_over_leads_with_what_came_of_it(world: World) -> None:
    text = page(url(world, "decided"))
    assert text.index("Byrådet sagde ja.") < text.index("Hvad der skal laves")
    assert "Det fik ikke stemmer nok." in text
    assert "Propose a project" not in text


def test_changes_are_shown_openly_and_corrections_only_when_confirmed(world: World) -> None:
    process, worker = world.processes["open"], world.people["worker"]
    assert "En slåfejl." not in page(process.get_absolute_url())
    setting_up.confirm_correction(change=world.change, by=worker)
    assert "En slåfejl." in page(f"{process.get_absolute_url()}?again")


@pytest.mark.parametrize("key", ["draft", "in_review"])
def test_a_draft_is_not_there(world: World, key: str) -> None:
    assert Client().get(url(world, key)).status_code == 404
    assert world.processes[key].question not in Client().get(url(world, key)).content.decode()


def test_between_two_runs_of_the_clock_the_dates_say_what_is_true(world: World) -> None:
    """The worker has been down since before it opened, and since before it closed."""
    process = world.processes["approved"]
    with clock.frozen(process.opens_at + timedelta(seconds=1)):
        assert "Propose a project" in page(process.get_absolute_url())
        assert process.get_absolute_url() in listed(page("/forloeb/?status=open"))
    with clock.frozen(process.closes_at + timedelta(seconds=1)):
        assert "Being worked on" in page(f"{process.get_absolute_url()}?later")
        assert process.get_absolute_url() in listed(page("/forloeb/?status=working"))


# The other pages


def test_results_say_what_was_decided_and_what_it_changed(world: World) -> None:
    text = page("/resultater/")
    assert "Byrådet sagde ja." in text
    assert "Der kom en bænk ved søen." in text
    assert f"/{world.processes['open'].slug}/" not in text


def test_a_programme_shows_its_steps(world: World) -> None:
    text = page(f"/samlet/{world.programme.slug}/")
    assert listed(text) == [url(world, "open")]
    assert "Den grønne midtby" in text


def test_an_idea_finds_what_is_open_for_ideas(world: World) -> None:
    assert reverse("participation:contribute", args=[world.processes["open"].slug]) in page("/har-du-en-ide/")


@pytest.mark.parametrize("path", ["/om/", "/was/", "/debatregler/", "/aabne-data/", "/om/persondata/"])
def test_statements_stand_in_both_languages(world: World, settings: Any, path: str) -> None:
    settings.LANGUAGE_CODE = "da"
    for address in (path, f"/en{path}"):
        assert "<h1" in page(address)


def test_english_lives_under_en(world: World, settings: Any) -> None:
    settings.LANGUAGE_CODE = "da"
    danish, english = Client().get("/forloeb/"), Client().get("/en/forloeb/")
    assert (danish["Content-Language"], english["Content-Language"]) == ("da", "en")
    assert '<html lang="da"' in danish.content.decode()
    assert '<html lang="en"' in english.content.decode()
    assert 'href="/en/forloeb/' in english.content.decode()
    accept = Client().get("/forloeb/?x", headers={"Accept-Language": "en"})
    assert accept["Content-Language"] == "da"


def names_shown(world: World) -> Iterator[str]:
    opened, decided = world.processes["open"], world.processes["decided"]
    yield reverse("participation:contribution-list", args=[opened.slug])
    yield reverse("participation:contribution-map", args=[opened.slug])
    yield world.project.get_absolute_url()
    yield reverse("budgets:projects", args=[opened.slug])
    yield "/soeg/?q=b%C3%A6nk"
    yield reverse("participation:contribution-list", args=[decided.slug])


def test_pages_that_show_names_are_not_indexed_and_the_others_are(world: World) -> None:
    noindex = '<meta name="robots" content="noindex'
    for path in names_shown(world):
        assert noindex in page(path), path
    for path in ("/", "/forloeb/", url(world, "open"), url(world, "decided"), "/resultater/", "/om/"):
        text = page(path)
        assert noindex not in text, path
        assert "Karen" not in text, path


# What other programs read


def test_the_feeds_are_valid_atom(world: World) -> None:
    news = reverse("participation:process-news-feed", args=[world.processes["open"].slug])
    for path, least in (("/forloeb.atom", 5), (news, 1)):
        response = Client().get(path)
        assert response["Content-Type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(response.content)
        assert feed.tag == f"{ATOM}feed"
        entries = feed.findall(f"{ATOM}entry")
        assert len(entries) >= least
        for part in (feed, *entries):
            for needed in ("id", "title", "updated"):
                assert part.findtext(f"{ATOM}{needed}"), (path, needed)
            links = [link.get("href", "") for link in part.findall(f"{ATOM}link")]
            assert links
            assert all(link.startswith("http") for link in links)
        assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    assert f"/{world.processes['draft'].slug}/" not in Client().get("/forloeb.atom").content.decode()


def test_the_calendar_has_every_phase_and_the_decision(world: World) -> None:
    process = world.processes["open"]
    response = Client().get(reverse("participation:process-calendar", args=[process.slug]))
    assert response["Content-Type"].startswith("text/calendar")
    events = Calendar.from_ical(response.content).walk("VEVENT")
    assert len(events) == process.phases.count() + 1
    assert [event["DTSTART"].dt for event in events[:-1]] == [
        phase.interval.lower for phase in process.phases.all()
    ]
    assert events[-1]["DTSTART"].dt == process.decision_on
    assert len({str(event["UID"]) for event in events}) == len(events)


@pytest.mark.parametrize("name", ["process-news-feed", "process-calendar"])
@pytest.mark.parametrize("key", ["draft", "in_review"])
def test_a_draft_is_in_no_feed_and_no_calendar(world: World, name: str, key: str) -> None:
    path = reverse(f"participation:{name}", args=[world.processes[key].slug])
    assert Client().get(path).status_code == 404


# Queries

# page → most queries an anonymous visitor costs when nothing is kept
LIMITS = {
    "/": 4,
    "/forloeb/": 8,
    "/forloeb/?q=legeplads": 8,
    "/forloeb/?status=over": 8,
    "/resultater/": 8,
    "/har-du-en-ide/": 8,
    "/om/": 1,
    "/was/": 0,
    "/forloeb.atom": 2,
    "/soeg/?q=legeplads": 8,
    "/soeg/?q=legeplasd": 8,
    "{open}": 10,
    "{decided}": 18,  # with the result of the vote
    "{open}bidrag/": 8,
    "{open}spoergsmaal/": 4,
    "{open}nyt.atom": 2,
    "{project}": 10,
    "{project}argumenter/": 8,
    "{programme}": 5,
    "/borgerbudget/{open_slug}/projekter/": 8,
    "/borgerbudget/{decided_slug}/resultat/": 11,  # one of them how the projects that won are carried out
}
SIGNED_IN = {"/": 8, "/forloeb/": 10, "{open}": 14, "{open}bidrag/": 10}


def filled_in(path: str, world: World) -> str:
    return path.format(
        open=url(world, "open"),
        decided=url(world, "decided"),
        open_slug=world.processes["open"].slug,
        decided_slug=world.processes["decided"].slug,
        project=world.project.get_absolute_url(),
        programme=reverse("participation:programme-detail", args=[world.programme.slug]),
    )


def asked(world: World, role: str, path: str) -> list[str]:
    """Each time an address of its own, so that no page was kept."""
    asked.number = getattr(asked, "number", 0) + 1  # type: ignore[attr-defined]
    mark = f"{'&' if '?' in path else '?'}n={asked.number}"  # type: ignore[attr-defined]
    client = world.client(role)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path + mark).status_code == 200
    return [query["sql"] for query in queries]


@pytest.fixture(scope="module")
def counts(built: World, django_db_blocker: Any) -> dict[tuple[int, str, str], list[str]]:
    """What each page asked at ten rows and at a thousand."""
    from tests.site.world import rolled_back

    found = {}
    with django_db_blocker.unblock():
        for rows in (10, 1000):
            with rolled_back():
                crowd.processes(built, rows, Status.OPEN)
                crowd.processes(built, min(rows, 100), Status.DECIDED)
                for key in ("open", "decided"):
                    crowd.contributions(built, rows, built.processes[key])
                    crowd.around(built, rows, built.processes[key])
                for role, pages in (("anonymous", LIMITS), ("citizen", SIGNED_IN)):
                    for path in pages:
                        found[rows, role, path] = asked(built, role, filled_in(path, built))
    return found


@pytest.mark.parametrize(
    ("role", "path", "most"),
    [("anonymous", *item) for item in LIMITS.items()] + [("citizen", *item) for item in SIGNED_IN.items()],
)
def test_queries_are_few_and_as_many_for_a_thousand_rows(
    counts: dict[tuple[int, str, str], list[str]], role: str, path: str, most: int
) -> None:
    few, many = counts[10, role, path], counts[1000, role, path]
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= most, "\n".join(many)
