"""The map by keyboard alone, with and without script, judged by axe after each step."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import District, User
from demo.geography import AREAS, point_in
from participation import clock
from participation.actions import contributions as actions
from participation.models import Contribution, Process
from tests.participation.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
def _noon_everywhere(fresh_pages: None) -> Iterator[None]:
    clock.move(NOW.isoformat())
    yield
    clock.move("")


@pytest.fixture
def places(process: Process, citizen: User) -> list[Contribution]:
    for area in AREAS:
        District.objects.create(kind="school", code=area.code, name=area.name, geometry=area.geometry)
    return [
        actions.give_contribution(
            process=process,
            by=citizen,
            title=f"Bænk i {area.name}",
            body="I solen.",
            point=point_in(random.Random(area.code), area.code),
        )
        for area in AREAS
    ]


def tab_to(page: Page, selector: str) -> None:
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    pytest.fail(f"Tab never came to {selector}")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_map_and_its_list_by_keyboard(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    process: Process,
    places: list[Contribution],
    width: int,
) -> None:
    page = new_context(viewport={"width": width, "height": 800}).new_page()
    page.goto(reverse("participation:contribution-map", args=[process.slug]))
    said = page.locator(".map-said")
    expect(said).to_have_text("6 af 6 ligger inden for det, du ser på kortet.")
    named = page.locator(".map .map-district:visible")
    assert set(named.all_inner_texts()) <= {area.name for area in AREAS}
    assert named.count() >= 4, "without tiles the districts carry their names, where there is room"
    axe(page)
    tab_to(page, ".map")
    for _press in range(3):
        page.keyboard.press("+")
        page.wait_for_timeout(350)
    expect(said).not_to_have_text(re.compile("^6 af 6"))
    page.keyboard.press("Enter")  # what lies nearest the middle
    link = page.locator(".leaflet-popup a[href^='/forloeb']")
    expect(link).to_be_focused()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.locator(".map")).to_be_focused()
    tab_to(page, "#places button")
    page.keyboard.press("Enter")
    expect(link).to_be_focused()
    title = link.inner_text()
    assert page.evaluate(SIDEWAYS) == 0
    page.keyboard.press("Enter")
    page.wait_for_url("**/bidrag/*-*/")
    assert page.locator("h1").inner_text() == title


def test_the_map_shows_what_the_list_is_narrowed_to(
    page: Page, process: Process, places: list[Contribution]
) -> None:
    page.goto(reverse("participation:contribution-map", args=[process.slug]))
    expect(page.locator(".map-said")).to_have_text(re.compile("^6 af 6"))
    page.select_option("#filter-district", label="Nørrelund")
    page.get_by_role("button", name="Vis", exact=True).click()
    expect(page.locator("#places li")).to_have_count(1)
    expect(page.locator(".map-said")).to_have_text(re.compile("^1 af 1"))


def test_without_script_the_list_and_a_drawing_say_the_same(
    new_context: Callable[..., BrowserContext], process: Process, places: list[Contribution]
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(reverse("participation:contribution-map", args=[process.slug]))
    assert page.locator("#places li").count() == len(AREAS)
    assert page.locator(".map").is_hidden()
    assert page.locator(".map-still svg").is_visible()
    page.select_option("#filter-district", label="Nørrelund")
    page.click("text=Vis")
    assert page.locator("#places li").count() == 1


def test_a_point_is_put_by_keyboard_and_kept(
    page: Page, axe: Callable[..., Any], process: Process, places: list[Contribution]
) -> None:
    page.goto(reverse("participation:contribute", args=[process.slug]))
    page.fill("#id_title", "En bænk til")
    page.fill("#id_body", "Også i solen.")
    tab_to(page, ".place-buttons button")
    page.keyboard.press("Enter")
    expect(page.locator(".place-field .map")).to_be_focused()
    axe(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(400)
    page.keyboard.press("Enter")
    said = page.locator(".place-field [role=status]")
    expect(said).to_have_text(re.compile("^Punktet er sat i "))
    point = page.input_value("#id_point")
    assert re.fullmatch(r"56\.\d{6}, 11\.\d{6}", point)
    axe(page)
    page.click("button[name=go_on]")
    page.wait_for_url("**/gennemse/**")
    assert page.locator("dd", has_text=point[:7]).count() == 1
    page.go_back()
    page.get_by_role("button", name="Fjern punktet").click()
    expect(said).to_have_text("Punktet er fjernet.")
    assert page.input_value("#id_point") == ""


def test_what_lies_at_the_same_spot_is_found(
    page: Page, axe: Callable[..., Any], process: Process, places: list[Contribution], citizen: User
) -> None:
    """Two ideas for the square: one dot, and a way to each."""
    twin = actions.give_contribution(
        process=process, by=citizen, title="Zebrastribe", body="Også her.", point=places[0].point
    )
    page.goto(reverse("participation:contribution-map", args=[process.slug]))
    page.get_by_role("button", name="Vis på kortet: Zebrastribe").click()
    links = page.locator(".leaflet-popup-content a")
    expect(links.first).to_be_focused()
    assert links.all_inner_texts() == [twin.title, places[0].title]
    axe(page)
    page.get_by_role("button", name=f"Vis på kortet: {places[0].title}").click()
    expect(links.first).to_have_text(places[0].title)
    links.nth(1).click()
    assert page.locator("h1").inner_text() == twin.title


def test_what_can_not_be_fetched_leaves_the_words(
    new_context: Callable[..., BrowserContext], process: Process, places: list[Contribution]
) -> None:
    page = new_context().new_page()
    page.route("**/leaflet*.js", lambda route: route.abort())
    page.goto(reverse("participation:contribute", args=[process.slug]))
    page.get_by_role("button", name="Vælg det på et kort").click()
    said = page.locator(".place-field [role=status]")
    expect(said).to_have_text("Kortet kunne ikke hentes. Du kan undvære det: skriv ovenfor, hvor det er.")
    page.unroute("**/leaflet*.js")
    page.get_by_role("button", name="Vælg det på et kort").click()  # the next press tries again
    expect(page.locator(".place-field .map")).to_be_focused()
    page.get_by_role("button", name="Sæt punktet midt på kortet").click()
    page.get_by_role("button", name="Fjern punktet").click()
    expect(page.get_by_role("button", name="Sæt punktet midt på kortet")).to_be_focused()
