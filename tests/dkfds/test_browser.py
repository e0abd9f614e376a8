"""The look in a real browser: axe, a narrow screen, no script, the keyboard."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test.utils import override_settings
from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.django_db(transaction=True)
GALLERY = "/stil/"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
def _seen() -> Iterator[None]:
    with override_settings(DEBUG=True):
        yield


@pytest.mark.parametrize("path", [GALLERY, f"{GALLERY}?send=1", f"/en{GALLERY}", "/findes-ikke/"])
def test_axe_finds_nothing(page: Page, axe: Callable[..., Any], path: str) -> None:
    page.goto(path)
    axe(page)


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_sideways_scroll(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{GALLERY}?send=1")
    assert page.evaluate(SIDEWAYS) == 0


def test_focus_moves_to_what_is_wrong_and_on_to_the_field(page: Page) -> None:
    page.goto(f"{GALLERY}?send=1")
    assert page.evaluate("document.activeElement.className").endswith("error-summary")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "id_title"


def test_the_menu_of_a_phone_works_without_script(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(java_script_enabled=False, viewport={"width": 320, "height": 700}).new_page()
    page.goto(GALLERY)
    assert not page.locator(".site-menu-panel").is_visible()
    page.locator(".site-menu summary").press("Enter")
    assert page.locator(".site-menu-panel").is_visible()
    assert not page.locator("[data-copy]").is_visible()


def test_escape_closes_the_menu_and_gives_focus_back(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(GALLERY)
    page.locator(".site-menu summary").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert not page.locator(".site-menu-panel").is_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


@pytest.mark.parametrize(
    ("width", "height"), [(320, 480), (320, 568), (360, 740), (640, 360), (1280, 900), (1280, 500)]
)
def test_the_ballots_bar_never_covers_more_than_a_fifth(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(GALLERY)
    bar = page.locator(".vote-bar")
    sticks = bar.evaluate("element => getComputedStyle(element).position") == "sticky"
    tall = bar.evaluate("element => element.getBoundingClientRect().height")
    assert tall > 20
    assert not sticks or tall <= height / 5


def test_the_ballots_bar_follows_on_an_ordinary_screen(page: Page) -> None:
    page.goto(GALLERY)
    box = page.locator(".vote-bar").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == pytest.approx(900, abs=1)


def test_the_counter_says_how_much_is_left(page: Page) -> None:
    page.goto(GALLERY)
    page.locator("#id_why").press_sequentially("Fordi")
    assert "595" in page.locator("#div_id_why .character-limit").inner_text()


def test_only_two_weights_of_the_typeface_are_fetched(page: Page) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(GALLERY, wait_until="networkidle")
    assert sorted(url.rsplit("-", 2)[1] for url in fetched if url.endswith(".woff2")) == [
        "Regular",
        "SemiBold",
    ]
