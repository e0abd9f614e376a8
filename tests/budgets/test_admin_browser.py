"""Staff pages in a real browser: nothing for axe to find, no sideways scroll on a phone, and the form's own script."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from participation import clock
from participation.actions import contributions as giving
from participation.choices import Status
from tests.accounts.factories import make_district, make_staff, make_unit
from tests.factories import make_meeting, make_process

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IDEAS = [
    ("Bænke langs søen", "Der er langt mellem bænkene, og mange af os skal hvile undervejs."),
    ("En fælles køkkenhave", "Vi vil gerne dyrke grøntsager sammen ved skolen."),
    ("Lys på stien til stationen", "Det er mørkt om vinteren, og børnene cykler her."),
]


def give(process, title, body):
    return giving.record_for_someone(
        process=process,
        by=process.owner,
        channel="library",
        received_on=clock.today(),
        author_name="Inger Holm",
        author_contact="12 34 56 78",
        title=title,
        body=body,
        detail={"why": "Det er godt for alle.", "cost_lines": [{"text": "Materialer", "amount": 45000}]},
    )


@pytest.fixture
def worker(db):
    unit = make_unit(name="Byliv og Park")
    return make_staff(Role.CASEWORKER, units=[unit], first_name="Anne", last_name="Holm")


@pytest.fixture
def manager(worker):
    return make_staff(Role.MANAGER, units=list(worker.units.all()), first_name="Per", last_name="Lund")


@pytest.fixture
def open_process(worker, manager):
    process = make_process(
        status=Status.OPEN, unit=worker.units.get(), author=worker, manager=manager, title="Solbyens penge"
    )
    for title, body in IDEAS:
        give(process, title, body)
    return process


@pytest.fixture
def draft(worker):
    make_district(name="Nordby Skole")
    make_meeting(clock.now() + timedelta(days=200))
    return make_process(
        unit=worker.units.get(), author=worker, title="Brændkjær bestemmer", ready=False, size="small"
    )


def at_work(new_context, live_server, user, **options):
    """The user's own browser, signed in."""
    client = Client()
    client.force_login(user)
    context = new_context(**options)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return context.new_page()


def addresses(process, draft):
    one = [process.pk]
    given = process.contributions.order_by("pk").first()
    return {
        "start": reverse("admin:index"),
        "list": reverse("admin:process-list"),
        "new": reverse("admin:process-new"),
        "begin": reverse("admin:process-start", args=["citizen_budget"]),
        "ready": reverse("admin:process-preconditions", args=[draft.pk]),
        "setup": reverse("admin:process-setup", args=[draft.pk]),
        "draft": reverse("admin:process-overview", args=[draft.pk]),
        "overview": reverse("admin:process-overview", args=one),
        "contributions": reverse("admin:process-contributions", args=one),
        "contribution": reverse("admin:process-contribution", args=[process.pk, given.public_id]),
        "assess": reverse("admin:budget-assess", args=[process.pk, given.public_id]),
        "projects": reverse("admin:budget-projects", args=one),
        "vote": reverse("admin:budget-vote", args=one),
        "result": reverse("admin:process-result", args=one),
        "decide": reverse("admin:process-decide", args=one),
        "amend": reverse("admin:process-amend", args=one),
        "extend": reverse("admin:process-extend", args=one),
        "record": reverse("admin:process-record", args=one),
        "history": reverse("admin:process-history", args=one),
        "preview": reverse("admin:process-preview", args=[draft.pk]),
        "step": reverse("admin:process-step", args=[draft.pk, "submit"]),
        "moderation": reverse("admin:moderation"),
        "settings": reverse("admin:settings"),
        "committees": reverse("admin:participation_committee_changelist"),
        "committee": reverse("admin:participation_committee_add"),
        "minimums": reverse("admin:participation_openingminimum_changelist"),
        "texts": reverse("admin:participation_principletext_changelist"),
        "notices": reverse("admin:participation_notice_changelist"),
        "audit": reverse("admin:audit_entry_changelist"),
    }


# Django's own pages are looked at too; what its templates do is not ours to mend.
DJANGOS = {"committees", "committee", "minimums", "texts", "notices", "audit"}


@pytest.mark.parametrize("width", [320, 1280])
def test_pages_are_clean_and_fit(width, new_context, live_server, axe, worker, open_process, draft):
    page = at_work(new_context, live_server, worker, viewport={"width": width, "height": 900})
    wrong = []
    refused: list[
        str
    ] = []  # by the security policy; axe's own measuring is refused too, so it is emptied after it
    page.on(
        "console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for name, address in addresses(open_process, draft).items():
        answer = page.goto(address)
        if answer.status != 200:
            wrong.append(f"{name}: {answer.status}")
            continue
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{name}: scrolls sideways at {width}")
        wrong += [f"{name}: {text}" for text in refused]
        try:
            axe(page)
        except AssertionError as found:
            wrong.append(f"{name}: {found}")
        refused.clear()
    assert not wrong, "\n".join(wrong)


def test_without_script_a_draft_is_begun_and_set_up(new_context, live_server, worker):
    page = at_work(new_context, live_server, worker, java_script_enabled=False)
    page.goto(reverse("admin:process-start", args=["citizen_budget"]))
    page.get_by_label("Hvad kalder du det?").fill("Brændkjær bestemmer")
    page.get_by_label("Hvor mange penge er der?").fill("100.000")
    page.get_by_text("En gade, en skole eller ét distrikt", exact=True).click()
    page.get_by_text("Ikke ret meget", exact=True).click()
    page.get_by_text("Ja, uden det store besvær", exact=True).click()
    page.locator("main form button[type=submit]").first.click()
    for number in range(5):
        page.locator("fieldset").nth(number).get_by_text("Ja", exact=True).click()
    page.locator("main form button[type=submit]").last.click()
    page.locator("#id_question").fill("Hvad skal pengene gå til?")
    page.locator("#id_open_points-0-text").fill("Hvad der skal laves")
    page.locator("button[name=add_open_points]").click()
    assert page.locator("#id_open_points-0-text").input_value() == "Hvad der skal laves"
    assert page.locator("#id_open_points-2-text").count() == 1
    assert page.locator("#id_question").input_value() == "Hvad skal pengene gå til?"


def test_the_list_follows_the_typing_and_its_links_open_what_is_folded(
    new_context, live_server, worker, draft, axe
):
    page = at_work(new_context, live_server, worker)
    page.goto(reverse("admin:process-setup", args=[draft.pk]))
    before = page.locator("#readiness a[href='#id_question']").count()
    assert before == 1
    page.locator("#id_question").fill("Hvad skal pengene gå til?")
    page.wait_for_selector("#readiness a[href='#id_question']", state="detached")
    page.locator("button[name=add_open_points]").click()  # a new row, no page load
    assert page.locator("#id_open_points-2-text").count() == 1
    assert page.evaluate("document.activeElement.id") == "id_open_points-2-text"
    axe(page)


def test_a_caseworker_gets_round_by_keyboard(new_context, live_server, worker, open_process):
    page = at_work(new_context, live_server, worker)
    page.goto(reverse("admin:process-contributions", args=[open_process.pk]))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skipnav"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "chosen":
            break
    page.keyboard.press("Space")
    assert page.locator("input[name=chosen]:checked").count() == 1
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("(document.activeElement.getAttribute('formaction') || '').includes('/svar/')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/svar/**")
    assert page.locator("input[name=chosen]:checked").count() == 1
