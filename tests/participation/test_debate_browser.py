"""Supporting and arguing in a real browser: axe on each page, a narrow screen, no script, keyboard only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page

from accounts.models import District, User
from participation import clock
from participation.actions import arguments as actions
from participation.models import Argument, ArgumentRating, Contribution, Process, Support
from tests.participation.conftest import NOW
from tests.participation.debate import drifted, idea, many_arguments, somebody
from tests.participation.test_giving_browser import SIDEWAYS, _tab_to, sign_in  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[BrowserContext, User], None]


@pytest.fixture(autouse=True)
def _noon_everywhere(fresh_pages: None) -> Iterator[None]:
    """The live server answers in threads of its own: the clock is moved for all of them."""
    clock.move(NOW.isoformat())
    yield
    clock.move("")


@pytest.fixture
def contribution(process: Process) -> Contribution:
    return idea(process)


@pytest.fixture
def asta() -> User:
    return somebody("Asta")


@pytest.fixture
def mine(contribution: Contribution, asta: User, districts: list[District]) -> Argument:
    """A debate of some size with the citizen's own argument in it, answered."""
    many_arguments(contribution, 30, districts)
    argument = actions.write_argument(
        contribution=contribution, by=asta, side="against", text="Der er ikke plads."
    )
    for number in range(3):
        actions.reply(parent=argument, by=somebody(), text=f"Det er der da, sagde den {number}.")
    return argument


def address(name: str, contribution: Contribution, *more: Any) -> str:
    return reverse(f"participation:{name}", args=[contribution.process.slug, contribution.public_id, *more])


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    sign_in: SignIn,  # noqa: F811
    mine: Argument,
    asta: User,
    width: int,
    signed_in: bool,
) -> None:
    contribution = mine.contribution
    context = new_context(viewport={"width": width, "height": 800})
    theirs = Argument.objects.filter(parent=None).exclude(pk=mine.pk).order_by("-reply_count")[0]
    pages = [
        contribution.get_absolute_url(),
        address("argument-list", contribution),
        address("argument-list", contribution) + "?side=imod&sorter=nyeste",
        mine.get_absolute_url(),
        theirs.get_absolute_url(),
        address("argument-write", contribution),
        address("argument-reply", contribution, theirs.public_id),
        address("argument-rate", contribution, theirs.public_id),
        address("argument-report", contribution, theirs.public_id),
        address("support", contribution),
    ]
    if signed_in:
        sign_in(context, asta)
        actions.rate(argument=theirs, by=asta, useful=True)
        pages += [
            address(name, contribution, mine.public_id) for name in ("argument-edit", "argument-withdraw")
        ]
        pages.append(reverse("accounts:my-page"))
    page = context.new_page()
    for one in pages:
        response = page.goto(one)
        assert response is not None
        assert response.status == 200, one
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, one


@pytest.mark.parametrize("width", [320, 1280])
def test_the_two_sides_stand_beside_each_other_where_there_is_room(
    new_context: Callable[..., BrowserContext], mine: Argument, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 800}).new_page()
    page.goto(mine.contribution.get_absolute_url())
    left, right = (page.locator(f".debate-column.is-{side}").bounding_box() for side in ("for", "against"))
    assert left is not None
    assert right is not None
    assert (left["y"] == right["y"]) is (width == 1280)


@pytest.mark.parametrize("script", [True, False])
def test_supporting_arguing_rating_and_replying_on_a_telephone(
    new_context: Callable[..., BrowserContext],
    sign_in: SignIn,  # noqa: F811
    mine: Argument,
    script: bool,
) -> None:
    contribution, by = mine.contribution, somebody("Birk")
    phone = {"viewport": {"width": 320, "height": 700}, "java_script_enabled": script}
    page = new_context(**phone).new_page()
    page.goto(address("argument-write", contribution))
    page.click("button[name=go_on]")
    assert page.locator(".error-summary").is_visible()
    page.check("input[name=side][value=for]")
    page.fill("#id_text", "Det gør godt at sidde ned.")
    page.click("button[name=save]")
    assert "kladde=" in page.url
    context = new_context(**phone)
    sign_in(context, by)  # MitID came back in another browser
    other = context.new_page()
    other.goto(page.url)
    assert other.input_value("#id_text") == "Det gør godt at sidde ned."
    assert other.is_checked("input[name=side][value=for]")
    other.click("button[name=go_on]")
    other.wait_for_url("**/argumenter/**")
    assert Argument.objects.get(author=by).side == "for"

    other.goto(contribution.get_absolute_url())
    other.click(".support-form .button-primary")
    assert other.locator(".support-mine").is_visible()
    assert Support.objects.get().user == by
    other.locator(".rate").first.click()
    assert other.locator(".rate[aria-pressed=true]").count() == 1
    assert "#argument-" in other.url
    assert ArgumentRating.objects.filter(person=by.person).get().useful
    other.goto(address("argument-reply", contribution, mine.public_id))
    other.fill("#id_text", "Der er plads ved træet.")
    other.click("button[name=go_on]")
    assert other.locator(".reply", has_text="Der er plads ved træet.").is_visible()
    assert drifted() == []


def test_by_keyboard_alone(page: Page, sign_in: SignIn, contribution: Contribution, asta: User) -> None:  # noqa: F811
    argument = actions.write_argument(contribution=contribution, by=somebody(), side="for", text="Ja tak.")
    sign_in(page.context, asta)
    page.goto(contribution.get_absolute_url())
    _tab_until(page, "Støt idéen")
    page.keyboard.press("Enter")
    page.locator(".support-mine").wait_for()
    _tab_until(page, "Ikke nyttigt (0)")
    page.keyboard.press("Enter")
    page.locator(".rate[aria-pressed=true]").wait_for()
    argument.refresh_from_db()
    assert argument.not_useful == 1
    page.goto(contribution.get_absolute_url())
    _tab_until(page, "Skriv et argument")
    page.keyboard.press("Enter")
    page.wait_for_url("**/nyt/")
    _tab_to(page, "side")
    page.keyboard.press("Space")
    _tab_to(page, "text")
    page.keyboard.type("Nej tak.")
    _tab_to(page, "go_on")
    page.keyboard.press("Enter")
    page.wait_for_url("**/argumenter/*-*/")
    assert Argument.objects.get(author=asta).text == "Nej tak."


def test_what_is_typed_is_kept_without_a_button(page: Page, contribution: Contribution) -> None:
    page.goto(address("argument-write", contribution))
    page.fill("#id_text", "Et halvt argument")
    page.locator("#kept").wait_for(state="visible")
    page.goto(address("argument-write", contribution))
    assert page.input_value("#id_text") == "Et halvt argument"


def _tab_until(page: Page, words: str) -> None:
    for _press in range(80):
        page.keyboard.press("Tab")
        if words in page.evaluate("document.activeElement.innerText || ''"):
            return
    pytest.fail(f"Tab never came to {words}")
