"""A letter's whole way in a browser: a caseworker writes it, a colleague approves it, it is sent, a citizen reads it where the
stand-in shows it and follows it to vote. Every page of it judged by axe, without sideways scrolling on a telephone."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from budgets import actions as budgets
from budgets.models import Roll
from config import digital_post_stand_in
from mailouts.choices import Stage, State
from mailouts.models import Campaign
from mailouts.tasks import build_lists, send_letters
from tests.accounts.factories import make_citizen, make_resident, make_staff
from tests.budgets import factories as make
from tests.patience import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SECRET = "en hemmelighed til kvitteringer i prøver"
TEXT = """Kære {fornavn}

Du kan være med til at bestemme.

## Sådan gør du

- Se projekterne på {link}
- Stem med MitID"""


@pytest.fixture
def post(live_server: Any, tmp_path: Path, settings: Any) -> Iterator[digital_post_stand_in.StandIn]:
    """The stand-in gateway, which sends its receipts to the live server."""
    settings.SITE_URL = live_server.url
    gateway = digital_post_stand_in.serve(
        "127.0.0.1", 0, tmp_path / "post", portal=live_server.url, secret=SECRET
    )
    settings.DIGITAL_POST = settings.DIGITAL_POST | {
        "url": gateway.url,
        "sender_cvr": "11110002",
        "receipt_secret": SECRET,
    }
    yield gateway
    gateway.stop()


@pytest.fixture
def enter(live_server: Any, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    def open_page(user: User, path: str, **options: Any) -> Page:
        context = new_context(**options)
        sign_in(context, user, live_server.url)
        page = context.new_page()
        page.goto(path)
        return page

    return open_page


def sign_in(context: BrowserContext, user: User, url: str) -> None:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def button(page: Page, words: str) -> Any:
    return page.get_by_role("button", name=words)


def test_from_the_caseworker_to_the_vote(
    post: digital_post_stand_in.StandIn,
    enter: Callable[..., Page],
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    live_server: Any,
) -> None:
    process = make.make_budget(total=400_000)
    make.make_project(process, title="Bænke ved søen", price=100_000)
    budgets.open_round(process=process)
    unit = process.unit
    author, second = make_staff(units=[unit]), make_staff(units=[unit])
    anna = make_resident(
        name="Anna Ågård", address="Nygade 4, 2. tv, 9999 Lunde", birth_date=date(1990, 3, 2)
    )
    make_resident(name="Ole Uden Digital Post", digital_post=False)
    make_resident(name="Hemmelig Person", protected=True)
    vote = f"{live_server.url}/borgerbudget/{process.slug}/stem/"

    # The caseworker writes, chooses, looks, and freezes.
    page = enter(author, "/admin/udsendelser/")
    axe(page)
    page.get_by_role("link", name="Ny udsendelse").click()
    page.get_by_label("Hvad kalder du udsendelsen?").fill("Brev om afstemningen")
    button(page, "Skriv brevet").click()
    page.get_by_label("Emne", exact=True).fill("Stem om 400.000 kroner")
    page.locator("#id_text").fill(TEXT)
    page.locator("label", has_text="En knap, der fører til en side").click()
    page.locator("#id_action_label").fill("Stem her")
    page.locator("#id_action_url").fill(vote)
    expect(page.locator("#look .letter")).to_contain_text("Kære Anna")
    axe(page)
    button(page, "Gem").click()
    page.locator(".staff-tabs a", has_text="Modtagere").click()
    page.get_by_role("link", name="Dem, der bor her").click()
    axe(page)
    button(page, "Tilføj dem").click()
    button(page, "Find modtagerne").click()
    build_lists()
    page.locator(".staff-tabs a", has_text="Modtagere").click()
    expect(page.locator(".list-total")).to_contain_text("3")
    expect(page.locator("main")).not_to_contain_text("Hemmelig")
    axe(page)
    page.locator(".staff-tabs a", has_text="Afsendelse").click()
    page.locator("#id_expected").fill("3")
    axe(page)
    button(page, "Gem").click()
    page.locator(".staff-tabs a", has_text="Læs det som modtager").click()
    page.get_by_role("link", name="Anna Ågård").click()
    expect(page.locator(".letter")).to_contain_text("Kære Anna")
    axe(page)
    page.get_by_role("button", name=re.compile("prøvebrev")).click()
    assert len(mail.outbox) == 1
    assert mail.outbox[0].to == [author.email]
    axe(page)
    page.get_by_role("button", name=re.compile("Frys 3 breve")).click()
    campaign = Campaign.objects.get()
    assert campaign.stage == Stage.FROZEN
    expect(page.locator(".step-off")).to_be_visible()

    # The colleague looks it through on a telephone, types a wrong number, then the right one.
    other = enter(second, "/admin/", viewport={"width": 320, "height": 800})
    other.get_by_role("link", name="Brev om afstemningen").click()
    axe(other)
    other.get_by_role("link", name="Se igennem og godkend").click()
    axe(other)
    assert other.evaluate(SIDEWAYS) <= 0
    other.locator("#id_number").fill("300")
    button(other, "Godkend udsendelsen").click()
    expect(other.locator(".alert-error")).to_be_visible()
    axe(other)
    other.locator("#id_number").fill("3")
    button(other, "Godkend udsendelsen").click()

    # It is sent; the page that the caseworker has open follows by itself.
    page.goto(f"/admin/udsendelser/{campaign.pk}/")
    assert send_letters() == 3
    expect(page.locator(".progress-label")).to_contain_text("3")
    wait_for(lambda: campaign.deliveries.filter(state=State.DELIVERED).count() == 3)
    page.reload()
    axe(page)
    campaign.refresh_from_db()
    assert campaign.stage == Stage.DONE

    # Anna reads it in her inbox, and follows it to vote, without script.
    citizen = new_context(java_script_enabled=False, viewport={"width": 320, "height": 800})
    sign_in(citizen, make_citizen(person=anna.person), live_server.url)
    inbox = citizen.new_page()
    inbox.goto(post.url)
    inbox.get_by_role("link", name=re.compile(f"^{anna.cpr[:6]}")).first.click()
    inbox.get_by_role("link", name="Stem om 400.000 kroner").first.click()
    expect(inbox.frame_locator("iframe").get_by_text("Kære Anna")).to_be_visible()
    inbox.get_by_role("link", name="Stem her").click()
    inbox = citizen.pages[-1]
    inbox.wait_for_url(f"{vote}**")
    inbox.locator(".ballot-choice label", has_text="Bænke ved søen").click()
    inbox.get_by_role("button", name=re.compile("Gennemse")).first.click()
    inbox.get_by_role("button", name=re.compile("Afgiv")).click()
    assert Roll.objects.filter(person=anna.person).count() == 1
