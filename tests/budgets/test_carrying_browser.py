"""A project carried out with accounts and a delay, in a real browser: the group without script and on a narrow screen, the
caseworkers with it, and every page judged by axe."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from budgets.models import Implementation
from participation import clock
from tests.accounts.factories import make_citizen
from tests.accounts.factories import make_staff as make_colleague
from tests.budgets.carrying import decided
from tests.participation.pictures import jpeg
from tests.site.world import session_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NARROW = {"width": 320, "height": 700}


@pytest.fixture
def sit_down(live_server: Any, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    def enter(user: User | None, **options: Any) -> Page:
        context = new_context(**options)
        if user is not None:
            session = session_of(user)
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
            )
        return context.new_page()

    return enter


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill_day(page: Page, name: str, days: int = 0) -> None:
    page.fill(f"[name={name}]", (clock.today() + timedelta(days=days)).isoformat())


def test_a_project_carried_out_with_accounts_and_a_delay(
    sit_down: Callable[..., Page], axe: Callable[..., Any], tmp_path: Path
) -> None:
    cache.clear()
    group = make_citizen(first_name="Karen")
    one = decided(author=group)[0]
    contribution = one.project.contribution
    process = contribution.process
    address = contribution.get_absolute_url()
    staff = f"/admin/forloeb/{process.pk}/gennemfoerelse/{contribution.public_id}"
    (tmp_path / "billede.jpg").write_bytes(jpeg(1200, 800))
    worker = sit_down(make_colleague("caseworker", units=[process.unit]))
    other = sit_down(make_colleague("caseworker", units=[process.unit]))

    # The plan
    worker.goto(f"{staff}/loefter/")
    worker.fill("[name=promises]", "Ten benches\nA ramp to the lake")
    axe(worker)
    press(worker, "Save the list")
    worker.goto(f"{staff}/plan/")
    worker.get_by_label("Those who proposed it").check()
    worker.fill("[name=carrier]", "The group behind the benches")
    worker.fill("[name=agreement]", "They build, we pay for the boards.")
    fill_day(worker, "agreement_signed_on")
    worker.fill("[name=agreement_signed_by]", "Karen Holm")
    fill_day(worker, "expected_on", 40)
    axe(worker)
    press(worker, "Save")
    worker.goto(f"{staff}/milepaele/ny/")
    worker.fill("[name=title]", "The benches stand")
    fill_day(worker, "planned_on", 30)
    press(worker, "Add it")
    axe(worker)
    worker.get_by_role("link", name="Publish the plan").click()
    press(worker, "Publish the plan")
    worker.goto(f"{staff}/udbetaling/")
    worker.fill("[name=amount]", "1.249,50")
    worker.fill("[name=text]", "The group, for boards")
    press(worker, "Record it")

    # The group, without script, on a telephone
    theirs = sit_down(group, java_script_enabled=False, viewport=NARROW)
    theirs.goto(address)
    theirs.get_by_role("link", name="Enter a receipt").click()
    theirs.fill("[name=text]", "Boards and screws")
    theirs.fill("[name=amount]", "1249,50")
    for part, value in zip(("day", "month", "year"), clock.today().timetuple()[2::-1], strict=True):
        theirs.fill(f"[name=spent_on_{part}]", str(value))
    press(theirs, "Enter it")  # without its receipt
    expect(theirs.locator("main")).to_contain_text("Add the receipt")
    assert theirs.input_value("[name=text]") == "Boards and screws"
    theirs.set_input_files("[name=receipt]", tmp_path / "billede.jpg")
    press(theirs, "Enter it")
    expect(theirs.locator("main")).to_contain_text("Waits for the municipality")
    theirs.goto(address)
    theirs.get_by_role("link", name="Tell how it goes").click()
    theirs.fill("[name=title]", "The first bench stands")
    theirs.fill("[name=text]", "Come and sit.")
    theirs.set_input_files("[name=photo]", tmp_path / "billede.jpg")
    press(theirs, "Send it")
    expect(theirs.locator("main")).to_contain_text("We have kept")
    theirs.fill("[name=alt]", "A bench by the lake")
    press(theirs, "Send it")
    assert Implementation.objects.get(pk=one.pk).notes.filter(title="The first bench stands").exists()

    # Confirmed, delayed, settled, done
    worker.goto(f"{staff}/")
    worker.get_by_role("link", name="Look at it").click()
    axe(worker)
    press(worker, "Save")
    worker.get_by_role("link", name="Look at the receipt").first.click()
    axe(worker)
    press(worker, "Save")
    worker.get_by_role("link", name="Change how it goes").click()
    worker.get_by_label("Delayed").check()
    press(worker, "Save, and tell everyone")
    expect(worker.locator("main")).to_contain_text("Say why. Everyone can read it.")
    axe(worker)
    worker.fill("[name=why]", "The frost went deep.")
    fill_day(worker, "expected_on", 90)
    press(worker, "Save, and tell everyone")

    # What everyone sees meanwhile, wide and narrow
    for options in ({}, {"viewport": NARROW}):
        visitor = sit_down(None, **options)
        for path in (address, "/penge/", "/aar-for-aar/", f"/borgerbudget/{process.slug}/resultat/"):
            visitor.goto(path)
            axe(visitor)
            assert visitor.evaluate(SIDEWAYS) <= 0, path
        visitor.goto(address)
        expect(visitor.locator("#gennemfoerelse")).to_contain_text("The frost went deep.")
        expect(visitor.locator("#gennemfoerelse img")).to_have_attribute("alt", "A bench by the lake")
        expect(visitor.locator("#gennemfoerelse")).not_to_contain_text("Karen")

    for promise, became in zip(one.promises.all(), ("Delivered", "Dropped, because …"), strict=True):
        worker.goto(f"{staff}/loefter/{promise.pk}/")
        worker.get_by_label(became, exact=True).check()
        if became != "Delivered":
            worker.fill("[name=because]", "the bank is too steep")
        press(worker, "Save")
    press(worker, "Send the accounts to approval")
    expect(worker.locator("main")).to_contain_text("You sent them: a colleague must approve.")
    other.goto(f"{staff}/")
    axe(other)
    press(other, "Approve the accounts")
    worker.goto(f"{staff}/status/")
    worker.get_by_label("Done", exact=True).check()
    press(worker, "Save, and tell everyone")

    last = sit_down(None)
    last.goto(address)
    section = last.locator("#gennemfoerelse")
    for words in (
        "because the bank is too steep",
        "Approved by the municipality",
        "1 of 2 promises",
        "Gone back",
    ):
        expect(section).to_contain_text(words)
    axe(last)
    done = Implementation.objects.get(pk=one.pk)
    assert (done.status, str(done.paid), done.left) == ("done", "1249.50", 0)


def test_the_money_by_keyboard_and_without_script(sit_down: Callable[..., Page]) -> None:
    cache.clear()
    one = decided()[0]
    page = sit_down(None, java_script_enabled=False, viewport=NARROW)
    page.goto("/penge/")
    page.select_option("[name=forloeb]", str(one.project.contribution.process_id))
    page.locator("[name=forloeb]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**forloeb={one.project.contribution.process_id}*")
    expect(page.locator("main")).to_contain_text("2 projects")
    assert page.evaluate(SIDEWAYS) <= 0
