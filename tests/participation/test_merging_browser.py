"""Co-authors, look-alikes and gathering in a real browser: axe wide and narrow, with and without script, by keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.forms import Form
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext

from accounts.models import User
from participation import clock
from participation.actions import contributions as giving
from participation.actions import merging
from participation.actions import team as teams
from participation.admin import registry
from participation.models import CoAuthor, Contribution, Process
from tests.accounts.factories import make_staff
from tests.participation.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
def _noon_everywhere(fresh_pages: None) -> Iterator[None]:
    clock.move(NOW.isoformat())
    yield
    clock.move("")


def sign_in(context: BrowserContext, user: User) -> None:
    client = Client()
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session.save()
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key)}
    context.add_cookies([{**cookie, "domain": "localhost", "path": "/"}])


@pytest.fixture
def pair(process: Process, citizen: User, person: Callable[..., User]) -> list[Contribution]:
    return [
        giving.give_contribution(process=process, by=by, title=title, body=body)
        for by, title, body in (
            (citizen, "En bænk ved dammen", "Sæt en bænk op, hvor de ældre kan hvile sig ved dammen."),
            (person("Ole"), "Bænke rundt om dammen", "Der mangler bænke ved dammen til de ældre."),
        )
    ]


@pytest.fixture
def office(process: Process, monkeypatch: pytest.MonkeyPatch) -> User:
    """Whoever works there, and the tests' own format on the staff pages."""
    known = registry.StaffFormat("idea_box", start_form=Form, detail_forms=lambda *given, **more: [])
    monkeypatch.setitem(registry._formats, "idea_box", known)
    return make_staff(units=[process.unit])


def page_of(name: str, *args: Any) -> str:
    return reverse(name, args=args)


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    process: Process,
    pair: list[Contribution],
    citizen: User,
    office: User,
    width: int,
) -> None:
    keep, gone = pair
    both = f"?chosen={keep.pk}&chosen={gone.pk}"
    _row, token = teams.invite(contribution=keep, by=citizen)
    long = "ole.med.en.meget.lang.adresse@foreningen.example.dk"
    teams.invite(contribution=keep, by=citizen, email=long)
    own = [process.slug, keep.public_id]
    staff = [process.pk, keep.public_id]
    context = new_context(viewport={"width": width, "height": 800})
    page = context.new_page()

    def look(address: str, status: int = 200) -> None:
        response = page.goto(address)
        assert response is not None
        assert response.status == status, address
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, address

    look(page_of("participation:co-author-invitation", token))
    look(page_of("participation:co-author-invitation", "findes-ikke"), 404)
    sign_in(context, citizen)
    look(page_of("participation:contribution-team", *own))
    page.click("button[name=link]")
    axe(page)
    look(page_of("participation:contribution-leave", *own))
    context.clear_cookies()
    sign_in(context, office)
    look(page_of("admin:process-contribution", *staff))
    assert page.locator("#alike-title").count() == 1
    look(page_of("admin:contributions-merge", process.pk) + both)
    page.fill("[name=reason]", "Det er de samme bænke.")
    page.click(".task form .button-primary")
    assert page.locator("button[name=confirm]").count() == 1
    axe(page)
    page.click("button[name=confirm]")
    axe(page)
    context.clear_cookies()
    look(keep.get_absolute_url())
    assert page.locator(".gathered li").count() == 2
    page.goto(gone.get_absolute_url())
    assert page.url.endswith(keep.get_absolute_url())


def test_what_looks_alike_comes_while_one_writes_and_is_said_politely(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    process: Process,
    pair: list[Contribution],
) -> None:
    page = new_context(viewport={"width": 320, "height": 800}).new_page()
    page.goto(page_of("participation:contribute", process.slug))
    page.fill("[name=title]", "Bænk ved dammen")
    page.fill("[name=body]", "De ældre vil gerne hvile sig ved dammen.")
    page.locator(".similar").wait_for(state="visible")
    assert page.locator(".similar a").count() == 2
    assert page.locator("#similar-said[role=status]").inner_text()
    assert page.evaluate("document.activeElement.name") == "body"
    axe(page)
    page.fill("[name=title]", "Skolemad")
    page.fill("[name=body]", "Et varmt måltid til hver elev i frikvarteret, tak.")
    page.locator(".similar").wait_for(state="detached")
    assert page.locator("#similar-said").inner_text() == ""


def test_a_co_author_joins_without_script_by_keyboard(
    new_context: Callable[..., BrowserContext], pair: list[Contribution], citizen: User, person: Any
) -> None:
    keep, _gone = pair
    _row, token = teams.invite(contribution=keep, by=citizen)
    context = new_context(viewport={"width": 320, "height": 800}, java_script_enabled=False)
    sign_in(context, person("Ida"))
    page = context.new_page()
    page.goto(page_of("participation:co-author-invitation", token))
    page.focus("[name=name_shown]:checked")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{keep.get_absolute_url()}")
    joined = CoAuthor.objects.accepted().get()
    assert joined.user is not None
    assert (joined.user.first_name, joined.name_shown) == ("Ida", "full")


def test_a_gathered_receipt_says_so(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    process: Process,
    pair: list[Contribution],
    office: User,
) -> None:
    keep, gone = pair
    merging.merge_contributions(keep=keep, gone=[gone], by=office, reason="Det samme.")
    context = new_context(viewport={"width": 320, "height": 800})
    assert gone.author is not None
    sign_in(context, gone.author)
    page = context.new_page()
    page.goto(page_of("participation:contribution-receipt", process.slug, gone.public_id))
    axe(page)
    page.get_by_role("link", name=keep.title).click()
    assert page.url.endswith(keep.get_absolute_url())
