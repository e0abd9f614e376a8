"""Two rounds and two pots in a real browser: the first vote, the improving, the last vote, with script and without."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from budgets import actions
from budgets.models import Project, Roll, Round
from participation import clock
from participation.models import Process
from tests.budgets import staged
from tests.budgets.test_pages_browser import SIDEWAYS, enter  # noqa: F401

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("in_english"),
]


@pytest.fixture
def town(live_server: Any) -> tuple[Process, dict[str, Any]]:
    clock.move("")
    process, pots, places = staged.two_rounds(district_vote="chosen", shortlist_size=2)
    for key, titles in {"hele-byen": ("Torv", "Sti"), "nord": ("Bænk", "Eng"), "syd": ("Have", "Sø")}.items():
        for title in titles:
            staged.propose(process, pots[key], title)
    return process, places


def choose(page: Page, title: str) -> None:
    page.locator(".ballot-choice label", has_text=title).click()


def look(page: Page, axe: Callable[..., Any], script: bool) -> None:
    if script:
        assert page.evaluate(SIDEWAYS) == 0
        axe(page)


def show_pot(page: Page, name: str) -> None:
    page.locator(".choose-pot label", has_text=name).click()
    page.get_by_role("button", name="Show the projects of this pot").click()
    expect(page.locator(".ballot-pot h2", has_text=name)).to_be_visible()


@pytest.mark.parametrize(("script", "width"), [(True, 320), (True, 1280), (False, 320)])
def test_a_voter_in_both_rounds_and_an_author_between_them(
    new_context: Callable[..., BrowserContext],
    enter: Callable[[BrowserContext, User, str], Page],  # noqa: F811
    axe: Callable[..., Any],
    town: tuple[Process, dict[str, Any]],
    script: bool,
    width: int,
) -> None:
    process, places = town
    voter = staged.voter(places["nord"])
    address = f"/borgerbudget/{process.slug}/stem/"
    options = {"java_script_enabled": script, "viewport": {"width": width, "height": 800}}
    page = enter(new_context(**options), voter, address)

    expect(page.get_by_role("heading", level=1)).to_have_text("Choose the projects that should go on")
    expect(page.locator(".ballot-pot")).to_have_count(1)  # the whole town, until a district is chosen
    choose(page, "Torv")
    show_pot(page, "Nord")
    choose(page, "Bænk")
    show_pot(page, "Syd")
    expect(page.locator(".pot-changed")).to_contain_text("no longer counts")
    expect(page.locator(".ballot-choice input:checked")).to_have_count(1)  # the square is kept
    choose(page, "Have")
    if script:
        sums = page.locator(".vote-bar [data-chosen]")
        expect(sums).to_have_text(["1", "1"])
    look(page, axe, script)
    page.get_by_role("button", name="Look over your vote").click()
    expect(page.get_by_role("heading", level=2).filter(has_text="Syd")).to_be_visible()
    look(page, axe, script)
    page.get_by_role("button", name="Cast your vote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Thank you. Your vote in the first round has been cast."
    )
    look(page, axe, script)
    assert Roll.objects.get().pot == "syd"

    first = Round.objects.get()
    staged.cast(first, staged.voter(), "Bænk", at=clock.now(), pot="nord")
    staged.count(first, staged.after(process, "shortlist"))
    improve(new_context(**options), enter, process, axe, script)

    clock.move(staged.on(process, "assessment").isoformat())
    for project in Project.objects.filter(number__in=first.count.winners or ()):
        actions.assess_project(
            project=project,
            by=process.owner,
            assessment="feasible",
            price=project.cost,
            municipal_matter=True,
        )
    clock.move(staged.on(process, "vote").isoformat())
    page = enter(new_context(**options), voter, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose what the money goes to")
    expect(page.get_by_text("This is the final round")).to_be_visible()
    show_pot(page, "Nord")
    expect(page.locator(".ballot-pot").last).to_contain_text("Bænk med tag")
    choose(page, "Bænk med tag")
    page.get_by_role("button", name="Look over your vote").click()
    expect(page.get_by_text("You have chosen nothing here. You may vote like that.")).to_be_visible()
    page.get_by_role("button", name="Cast your vote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your vote has been cast.")
    assert sorted(Roll.objects.filter(person=voter.person).values_list("round__number", "pot")) == [
        (1, "syd"),
        (2, "nord"),
    ]
    clock.move("")


def improve(
    context: BrowserContext,
    enter: Callable[[BrowserContext, User, str], Page],  # noqa: F811
    process: Process,
    axe: Callable[..., Any],
    script: bool,
) -> None:
    """The author of what went on finds the way to change it on the project's own page."""
    clock.move(staged.on(process, "improve").isoformat())
    project = Project.objects.select_related("contribution__author").get(contribution__title="Bænk")
    page = enter(context, project.contribution.author, project.contribution.get_absolute_url())
    page.get_by_role("link", name="Correct it").first.click()
    page.fill("input[name=title]", "Bænk med tag")
    page.fill("textarea[name=why]", "Så kan man også sidde der, når det regner.")
    look(page, axe, script)
    page.locator("main form button.button-primary").last.click()
    expect(page.locator(".error-summary")).to_have_count(0)
    project.contribution.refresh_from_db()
    assert project.contribution.title == "Bænk med tag"


def test_the_district_is_chosen_by_keyboard_alone(
    new_context: Callable[..., BrowserContext],
    enter: Callable[[BrowserContext, User, str], Page],  # noqa: F811
    town: tuple[Process, dict[str, Any]],
) -> None:
    process, places = town
    context = new_context(viewport={"width": 320, "height": 800})
    page = enter(context, staged.voter(places["nord"]), f"/borgerbudget/{process.slug}/stem/")
    page.locator("#pot-nord").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#pot-syd")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".ballot-pot h2", has_text="Syd")).to_be_visible()
    page.locator(".ballot-pot").last.locator("[data-choice]").first.focus()
    page.keyboard.press("Space")
    page.locator(".vote-bar button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look over your vote")
