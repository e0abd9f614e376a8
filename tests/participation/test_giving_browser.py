"""Giving a contribution in a real browser: axe on each page, a narrow screen, no script, keyboard only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page

from accounts.models import District, User
from participation import clock
from participation.actions import contributions as actions
from participation.choices import Moderation
from participation.models import Contribution, Draft, Process
from tests.participation.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
def _noon_everywhere(fresh_pages: None) -> Iterator[None]:
    """The live server answers in threads of its own: the clock is moved for all of them."""
    clock.move(NOW.isoformat())
    yield
    clock.move("")


@pytest.fixture
def sign_in() -> Callable[[BrowserContext, User], None]:
    def put(context: BrowserContext, user: User) -> None:
        client = Client()
        client.force_login(user)
        assert client.session[SESSION_KEY]
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "domain": "localhost", "path": "/"}]
        )

    return put


@pytest.fixture
def full(process: Process, citizen: User, caseworker: User, districts: list[District]) -> Contribution:
    """A process with a bit of everything in it; returns the citizen's answered contribution."""
    for number in range(3):
        actions.give_contribution(
            process=process,
            by=citizen,
            title=f"Flere bænke ved torvet {number}",
            body="De ældre skal kunne hvile sig på vej til bussen. " * 4,
            district=districts[number],
        )
    answered = Contribution.objects.earliest("pk")
    actions.answer_contributions(
        contributions=[answered], by=caseworker, outcome="adopted", answer="Der kommer tre bænke i maj."
    )
    actions.ask_question(process=process, by=citizen, text="Hvem bestemmer til sidst?")
    actions.answer_question(question=process.questions.get(), by=caseworker, answer="Byrådet.")
    actions.save_draft(process=process, by=citizen, data={"title": ["Et springvand"]})
    answered.refresh_from_db()
    return answered


def addresses(contribution: Contribution) -> list[str]:
    slug, key = contribution.process.slug, contribution.public_id
    names: list[tuple[str, list[Any]]] = [
        ("contribute", [slug]),
        ("can-i-take-part", [slug]),
        ("contribution-list", [slug]),
        ("contribution-detail", [slug, key]),
        ("contribution-edit", [slug, key]),
        ("contribution-withdraw", [slug, key]),
        ("contribution-report", [slug, key]),
        ("contribution-receipt", [slug, key]),
        ("question-list", [slug]),
        ("question-ask", [slug]),
        ("follow", [slug]),
    ]
    found = [reverse(f"participation:{name}", args=args) for name, args in names]
    return [*found, "/soeg/", "/soeg/?q=b%C3%A6nk", "/soeg/?q=xyzzy", reverse("accounts:my-page")]


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    sign_in: Callable[[BrowserContext, User], None],
    full: Contribution,
    citizen: User,
    width: int,
) -> None:
    context = new_context(viewport={"width": width, "height": 800})
    sign_in(context, citizen)
    page = context.new_page()
    for address in addresses(full):
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, address


@pytest.mark.parametrize("script", [True, False])
def test_from_blank_page_to_receipt_on_a_telephone(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    sign_in: Callable[[BrowserContext, User], None],
    process: Process,
    citizen: User,
    districts: list[District],
    script: bool,
) -> None:
    context = new_context(viewport={"width": 320, "height": 700}, java_script_enabled=script)
    page = context.new_page()
    page.goto(reverse("participation:contribute", args=[process.slug]))
    page.click("button[name=go_on]")
    assert page.locator(".error-summary").is_visible()
    if script:
        axe(page)
    page.fill("#id_title", "Træer på torvet")
    page.fill("#id_body", "De giver skygge om sommeren.")
    page.click("button[name=go_on]")
    assert "gennemse" in page.url
    assert page.locator("a.button-large").get_attribute("href").startswith("/konto/mitid/?next=")  # type: ignore[union-attr]
    elsewhere = new_context(viewport={"width": 320, "height": 700}, java_script_enabled=script)
    sign_in(elsewhere, citizen)  # MitID came back in another browser
    other = elsewhere.new_page()
    other.goto(page.url)
    assert other.locator("dd", has_text="Træer på torvet").count() == 1
    other.click("main form .button-large")
    assert "kvittering" in other.url
    if script:
        axe(other)
    other.check("#ask-again")
    other.click("main form .button-secondary")
    assert citizen.ask_again.get().topic == process.format
    assert Contribution.objects.get().moderation == Moderation.PUBLISHED


def test_what_is_typed_is_kept_without_a_button(page: Page, process: Process) -> None:
    page.goto(reverse("participation:contribute", args=[process.slug]))
    page.fill("#id_title", "Et springvand")
    page.locator("#kept").wait_for(state="visible")
    page.fill("#id_body", "Med lys i.")
    page.locator("#kept").wait_for(state="hidden")
    page.locator("#kept").wait_for(state="visible")
    page.goto(reverse("participation:contribute", args=[process.slug]))
    assert (page.input_value("#id_title"), page.input_value("#id_body")) == ("Et springvand", "Med lys i.")
    page.fill("#id_body", "Med lys og bænke.")
    page.wait_for_timeout(2000)  # just when it is being saved
    page.click("button[name=go_on]")
    page.wait_for_url("**/gennemse/**")
    assert Draft.objects.count() == 1


def test_by_keyboard_alone(
    page: Page, sign_in: Callable[[BrowserContext, User], None], process: Process, citizen: User
) -> None:
    sign_in(page.context, citizen)
    page.goto(reverse("participation:contribute", args=[process.slug]))
    _tab_to(page, "title")
    page.keyboard.type("Et springvand")
    _tab_to(page, "body")
    page.keyboard.type("Vand er godt.")
    _tab_to(page, "go_on")
    page.keyboard.press("Enter")
    page.wait_for_url("**/gennemse/**")
    _tab_to(page, "BUTTON")
    page.keyboard.press("Enter")
    page.wait_for_url("**/kvittering/")
    assert Contribution.objects.get().title == "Et springvand"


def _tab_to(page: Page, wanted: str) -> None:
    for _press in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "[document.activeElement.name || '', document.activeElement.tagName, !!document.activeElement.closest('main')]"
        )
        if wanted in found[:2] and found[2]:
            return
    pytest.fail(f"Tab never came to {wanted}")
