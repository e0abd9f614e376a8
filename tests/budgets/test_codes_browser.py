"""A class of 12-year-olds votes with cards: two tablets handed round, one with script and the QR, one without, and a telephone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Page, expect

from budgets import actions, codes
from budgets.models import Ballot, CountedBallot, Roll, Round
from tests.browsing import go_back_and_send_again
from tests.budgets import factories as make
from tests.budgets.code_factories import class_round, codes_for_class

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PUPILS = 28


@pytest.fixture
def round(live_server: Any) -> Round:
    return class_round()


def door(round: Round) -> str:
    return f"/borgerbudget/{round.process.slug}/kode/"


def type_code(page: Page, round: Round, code: str) -> None:
    page.goto(door(round))
    page.get_by_label("Your voting code").fill(codes.shown(code).lower())
    page.get_by_role("button", name="Go on").click()


def scan(page: Page, round: Round, code: str) -> None:
    page.goto("about:blank")
    page.goto(f"{door(round)}#{codes.shown(code)}")
    expect(page.get_by_label("Your voting code")).to_have_value(codes.shown(code))
    assert "#" not in page.url
    page.get_by_role("button", name="Go on").click()


def choose_and_cast(page: Page, *numbers: str, look: Callable[[Page], Any] = lambda page: None) -> None:
    look(page)
    for number in numbers:
        page.locator(f"label[for='choice-{number}']").click()
    page.get_by_role("button", name="Look over your vote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look over your vote")
    look(page)
    page.get_by_role("button", name="Cast your vote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your vote has been cast.")
    look(page)


def test_a_class_of_28_votes_on_two_tablets(
    round: Round, new_context: Callable[..., BrowserContext], axe: Callable[..., Any]
) -> None:
    clear = codes_for_class(round, PUPILS + 2)  # two cards are left over
    with_script, without = new_context(), new_context(java_script_enabled=False)
    asked: list[str] = []
    with_script.on("request", lambda request: asked.append(request.url))
    tablet, old_tablet = with_script.new_page(), without.new_page()

    def look(page: Page) -> None:
        axe(page)
        assert page.evaluate(SIDEWAYS) <= 0

    for pupil, code in enumerate(clear[:PUPILS]):
        choices = ("1", "2") if pupil % 3 else ("3",)
        if pupil % 2:
            type_code(old_tablet, round, code)
            choose_and_cast(old_tablet, *choices)
            old_tablet.get_by_role("link", name="Done. The next one can vote").click()
            expect(old_tablet.get_by_label("Your voting code")).to_have_value("")
        else:
            scan(tablet, round, code)
            choose_and_cast(tablet, *choices, **({"look": look} if pupil == 0 else {}))
            tablet.get_by_role("link", name="Done. The next one can vote").click()
            expect(tablet.get_by_label("Your voting code")).to_have_value("")
        assert Roll.objects.count() == pupil + 1
    # the code was in no address that left the browser, and no session was begun
    assert not [url for url in asked if any(codes.shown(code) in url for code in clear)]
    assert not Session.objects.exists()
    assert not [c for context in (with_script, without) for c in context.cookies() if "session" in c["name"]]
    # a used card is told so, and going back shows nothing of the one before
    type_code(tablet, round, clear[0])
    expect(tablet.get_by_text("This code has been used. Each code gives one vote.")).to_be_visible()
    look(tablet)
    tablet.get_by_role("link", name="Type another code").click()
    assert Ballot.objects.count() == PUPILS
    make.close(round)
    sealed = actions.seal_round(round=make.again(round), by=None)
    assert sealed.ballots_per_channel == {"code": PUPILS}
    (tally,) = codes.tally(sealed)
    assert (tally.made, tally.used, tally.unused) == (PUPILS + 2, PUPILS, 2)
    named = [number for ballot in CountedBallot.objects.all() for number, _points in ballot.choices]
    assert (named.count("1"), named.count("3")) == (18, 10)


def test_on_a_telephone_with_a_typo_and_by_keyboard(
    round: Round, new_context: Callable[..., BrowserContext], axe: Callable[..., Any]
) -> None:
    (code,) = codes_for_class(round, 1)
    page = new_context(viewport={"width": 320, "height": 640}).new_page()

    def look() -> None:
        axe(page)
        assert page.evaluate(SIDEWAYS) <= 0

    page.goto(door(round))
    look()
    field = page.get_by_label("Your voting code")
    field.focus()
    page.keyboard.type(code[:-1] + codes.LETTERS[(codes.LETTERS.index(code[-1]) + 1) % 31])
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_contain_text("There is a typo in the code")
    expect(page).to_have_title(re.compile("Vote with a code"))
    look()
    field = page.get_by_label("Your voting code")
    field.fill("")
    field.focus()
    page.keyboard.type(codes.shown(code))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose what the money goes to")
    look()
    choose_and_cast(page, "2", look=lambda page: look())
    assert Roll.objects.get().channel == "code"


def test_back_from_the_receipt_casts_nothing_twice(
    round: Round, new_context: Callable[..., BrowserContext]
) -> None:
    (code,) = codes_for_class(round, 1)
    page = new_context().new_page()
    type_code(page, round, code)
    choose_and_cast(page, "1")
    page.get_by_role("link", name="Done. The next one can vote").click()
    go_back_and_send_again(page)
    assert codes.shown(code) not in page.content()
    assert (Roll.objects.count(), Ballot.objects.count()) == (1, 1)
