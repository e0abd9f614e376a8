"""Voting in a real browser: the whole story with script and without, by keyboard, on a narrow screen, judged by axe."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from budgets import actions
from budgets.models import Ballot, Roll, Round
from participation import clock
from tests.accounts.factories import make_district
from tests.browsing import go_back_and_send_again
from tests.budgets import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TITLES = ("Åparken", "Bænke ved søen", "Lys på stien", "Skøjtebane", "Frugttræer")


@pytest.fixture
def round(live_server: Any) -> Round:
    process = make.make_budget(total=400_000)
    districts = [make_district(name="Nordby"), make_district(name="Vestereng")]
    for place, title in enumerate(TITLES):
        make.make_project(
            process,
            title=title,
            price=100_000,
            district=districts[place % 2],
            body="Et sted at sidde i solen og tale med naboen. " * 12,
        )
    return actions.open_round(process=process)


@pytest.fixture
def enter(live_server: Any) -> Callable[..., Page]:
    """A page signed in as this user, at this address."""

    def open_page(context: BrowserContext, user: User, path: str) -> Page:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.goto(path)
        return page

    return open_page


def ballot_of(round: Round) -> str:
    return f"/borgerbudget/{round.process.slug}/stem/"


def choose(page: Page, title: str) -> None:
    page.locator(".ballot-choice label", has_text=title).click()


def counted(round: Round) -> list[list[Any]]:
    make.close(round)
    actions.seal_round(round=make.again(round), by=None)
    return round.counted_ballots.get().choices


def numbers(round: Round, *titles: str) -> list[list[Any]]:
    chosen = make.Project.objects.on_ballot().filter(contribution__title__in=titles)
    return [[project.number, 1] for project in chosen]


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_vote_from_the_ballot_to_the_urn(
    new_context: Callable[..., BrowserContext],
    enter: Callable[..., Page],
    axe: Callable[..., Any],
    round: Round,
    script: bool,
    width: int,
) -> None:
    context = new_context(java_script_enabled=script, viewport={"width": width, "height": 800})
    page = enter(context, make.make_voter(), ballot_of(round))
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)

    def judged() -> None:
        assert page.evaluate(SIDEWAYS) == 0 if script else True
        if script:
            axe(page)

    judged()
    choose(page, "Åparken")
    choose(page, "Skøjtebane")
    if script:
        expect(page.locator("[data-chosen]")).to_have_text("2")
        expect(page.locator("[data-spent]")).to_have_text(re.compile("200,000"))
    page.fill("#q", "baenke soen")
    page.fill("#q", "bænke")
    page.get_by_role("button", name="Search", exact=True).last.click()
    expect(page.locator(".ballot-card:visible")).to_have_count(1 if script else 3)
    choose(page, "Bænke ved søen")
    page.fill("#q", "")
    page.get_by_role("button", name="Look over your vote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look over your vote")
    assert page.locator("tbody th").all_inner_texts() != []
    judged()
    page.get_by_role("button", name="Change your choices").click()
    assert page.locator("[data-choice]:checked").count() == 3
    choose(page, "Skøjtebane")
    page.get_by_role("button", name="Look over your vote").click()
    assert Roll.objects.count() == 0
    page.get_by_role("button", name="Cast your vote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your vote has been cast.")
    code = page.locator(".tracker-code").inner_text()
    assert re.fullmatch(r"(?:[A-Z2-9]{4}-){2}[A-Z2-9]{4}", code)
    assert page.url.endswith(ballot_of(round))
    judged()
    page.reload()  # the browser asks the same again: an honest no, and no code
    expect(page.locator(".tracker-code")).to_have_count(0)
    expect(page.get_by_text("You have voted", exact=True)).to_be_visible()
    assert Ballot.objects.count() == Roll.objects.count() == 1
    assert [text for text in complaints if "409" not in text] == []
    assert counted(round) == numbers(round, "Åparken", "Bænke ved søen")


def test_voting_by_keyboard_alone(
    new_context: Callable[..., BrowserContext], enter: Callable[..., Page], round: Round
) -> None:
    page = enter(new_context(), make.make_voter(), ballot_of(round))

    def to(selector: str) -> None:
        for _press in range(80):
            if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} can't be reached by the keyboard")

    to("[data-choice]")
    page.keyboard.press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("1")
    to(".vote-bar button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look over your vote")
    to("button[value=cast]")
    page.keyboard.press("Enter")
    expect(page.locator(".tracker-code")).to_be_visible()
    assert Roll.objects.count() == 1


def test_too_many_is_said_while_choosing_and_again_when_sent(
    new_context: Callable[..., BrowserContext],
    enter: Callable[..., Page],
    axe: Callable[..., Any],
    round: Round,
) -> None:
    page = enter(new_context(), make.make_voter(), ballot_of(round))
    for title in TITLES[:4]:
        choose(page, title)
    expect(page.locator("[data-not-yet]")).to_have_text("You have chosen 4. You can choose 3 at most.")
    page.get_by_role("button", name="Look over your vote").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("[data-choice]:checked")).to_have_count(4)
    axe(page)
    choose(page, TITLES[0])
    expect(page.locator("[data-not-yet]")).to_have_text("You have not voted yet")


def test_leaving_with_something_chosen_is_warned_of_and_casting_is_not(
    new_context: Callable[..., BrowserContext], enter: Callable[..., Page], round: Round
) -> None:
    page = enter(new_context(), make.make_voter(), ballot_of(round))
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == []
    choose(page, "Åparken")
    page.reload()
    assert asked == ["beforeunload"]
    choose(page, "Åparken")
    page.get_by_role("button", name="Look over your vote").click()
    page.get_by_role("button", name="Cast your vote").click()
    expect(page.locator(".tracker-code")).to_be_visible()
    assert asked == ["beforeunload"]


def test_nothing_is_left_in_the_browser(
    new_context: Callable[..., BrowserContext], enter: Callable[..., Page], round: Round
) -> None:
    context = new_context()
    page = enter(context, make.make_voter(), ballot_of(round))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, "Åparken")
    page.fill("#q", "skøjte")
    page.get_by_role("button", name="Look over your vote").click()
    page.get_by_role("button", name="Cast your vote").click()
    expect(page.locator(".tracker-code")).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert {cookie["name"] for cookie in context.cookies()} <= {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
    }
    assert not any("?" in url for url in asked)
    go_back_and_send_again(page)
    assert page.locator(".tracker-code").count() == 0
    assert page.locator("[data-choice]:checked").count() == 0


def test_points_count_along(
    new_context: Callable[..., BrowserContext],
    enter: Callable[..., Page],
    axe: Callable[..., Any],
    live_server: Any,
) -> None:
    round = make.make_round([100_000, 100_000], ballot_type="cumulative", points=5, max_choices=None)
    page = enter(new_context(), make.make_voter(), ballot_of(round))
    page.fill("#points-1", "4")
    page.fill("#points-2", "2")
    expect(page.locator("[data-chosen]")).to_have_text("6")
    expect(page.locator("[data-not-yet]")).to_have_text("You have given 6 points. You have 5 to give.")
    axe(page)
    page.fill("#points-2", "1")
    page.get_by_role("button", name="Look over your vote").click()
    page.get_by_role("button", name="Cast your vote").click()
    assert counted(round) == [["1", 4], ["2", 1]]


@pytest.mark.parametrize("width", [320, 1280])
def test_every_other_page_is_clean(
    new_context: Callable[..., BrowserContext], axe: Callable[..., Any], round: Round, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 800}).new_page()
    base = f"/borgerbudget/{round.process.slug}/"
    open_paths = ["stem/", "projekter/", "kan-jeg-stemme/", "kan-jeg-stemme/?age=12&lives=elsewhere"]
    for path in open_paths:
        page.goto(base + path)
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, path
    page.goto(round.process.get_absolute_url())
    for summary in page.locator("details.example summary").all():
        summary.click()
    axe(page)
    assert page.evaluate(SIDEWAYS) == 0
    page.goto(round.process.contributions.first().get_absolute_url())
    axe(page)
    for _each in range(4):
        make.vote(round, "1", "2")
    make.vote(round, "3", "4", times=3)
    make.close(round)
    sealed = actions.seal_round(round=make.again(round), by=None)
    actions.compare_count(count=actions.count_round(round=sealed, by=None))
    for path in ("resultat/", "kontrolkode/"):
        page.goto(base + path)
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, path


@pytest.mark.parametrize("script", [True, False])
def test_cost_lines_with_and_without_script(
    new_context: Callable[..., BrowserContext], axe: Callable[..., Any], live_server: Any, script: bool
) -> None:
    later = clock.now() + timedelta(days=15)
    process = make.make_budget(vote_from=later, vote_to=later + timedelta(days=5))
    page = new_context(java_script_enabled=script, viewport={"width": 320, "height": 800}).new_page()
    page.goto(f"/forloeb/{process.slug}/bidrag/nyt/")
    page.fill("#id_title", "Bænke")
    page.fill("#id_body", "Tre bænke i solen.")
    page.fill("#id_why", "Så man kan sidde.")
    rows = page.locator(".cost-table tbody tr")
    for place in range(4):
        rows.nth(place).locator("input").nth(0).fill(f"Ting {place}")
        rows.nth(place).locator("input").nth(1).fill("10.000")
    page.get_by_role("button", name="Add more lines").click()
    expect(rows).to_have_count(5 if script else 7)
    expect(page.locator("[data-sum]")).to_have_text(re.compile("40,000"))
    assert rows.nth(3).locator("input").nth(0).input_value() == "Ting 3"
    rows.nth(4).locator("input").nth(0).fill("Fragt")
    rows.nth(4).locator("input").nth(1).fill("2.500 kr.")
    if script:
        expect(page.locator("[data-sum]")).to_have_text(re.compile("42,500"))
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0
    page.get_by_role("button", name="Look it over").click()
    expect(page.get_by_text("Fragt: DKK 2,500")).to_be_visible()
    expect(page.get_by_text("In all: DKK 42,500")).to_be_visible()
