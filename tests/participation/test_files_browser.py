"""Photos in a real browser: a telephone without script, a keyboard, a wide screen; axe after each step."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from PIL import Image
from playwright.sync_api import BrowserContext, Page

from accounts.models import User
from participation import clock
from participation.actions import contributions as giving
from participation.actions import files as actions
from participation.choices import Status
from participation.models import Contribution, Draft, Process, StoredFile
from tests.accounts.factories import make_resident_citizen, make_staff
from tests.factories import make_process
from tests.participation import pictures
from tests.participation.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ADD = "button[name=more][value=photos]"


@pytest.fixture(autouse=True)
def _noon_everywhere(fresh_pages: None, tmp_path: Path) -> Iterator[None]:
    clock.move(NOW.isoformat())
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield
    clock.move("")


def sent(name: str, content: bytes, kind: str = "image/jpeg") -> Any:
    return {"name": name, "mimeType": kind, "buffer": content}


def wait_for_images(page: Page) -> None:
    """Asked from outside: the page's own policy lets no script in that waits there."""
    for _try in range(100):
        if page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"A photo on {page.url} did not come.")


def sign_in(context: BrowserContext, user: User) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "domain": "localhost", "path": "/"}]
    )


@pytest.mark.parametrize(("script", "width"), [(True, 1280), (True, 320), (False, 320)])
def test_from_the_camera_to_the_page(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    process: Process,
    citizen: User,
    script: bool,
    width: int,
) -> None:
    context = new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
    page = context.new_page()

    def looked_at(where: Page) -> None:
        if script:
            axe(where)
            assert where.evaluate(SIDEWAYS) == 0

    page.goto(reverse("participation:contribute", args=[process.slug]))
    looked_at(page)
    page.fill("#id_title", "En bænk ved stranden")
    page.fill("#id_body", "Så kan man hvile sig.")
    page.set_input_files(
        "#id_photos",
        [sent("IMG_0001.JPG", pictures.telltale()), sent("virus.jpg", b"MZ"), sent("to.png", pictures.png())],
    )
    page.click(ADD)
    page.locator("img.arrived-preview").nth(1).wait_for()
    assert page.locator("img.arrived-preview").count() == 2
    assert "virus.jpg" in page.locator(".alert-error").inner_text()
    assert page.input_value("#id_title") == "En bænk ved stranden"
    looked_at(page)
    page.get_by_role("button", name="Gennemse").click()
    problem = page.locator(".alert-error a", has_text="mangler en beskrivelse")
    assert problem.inner_text() == "Billeder: Billede 1 og 2 mangler en beskrivelse."
    looked_at(page)
    problem.click()
    page.keyboard.type("Stranden set fra molen")  # the link led to the words that were missing
    assert page.input_value("#id_photos_alt_1") == "Stranden set fra molen"
    page.get_by_role("button", name="Fjern billedet 2").click()
    page.wait_for_url("**#div_id_photos")
    page.locator("img.arrived-preview").wait_for()
    assert page.locator("img.arrived-preview").count() == 1
    assert page.input_value("#id_photos_alt_1") == "Stranden set fra molen"
    page.set_input_files("#id_documents", [sent("Tilbud.pdf", pictures.pdf(), "application/pdf")])
    page.get_by_role("button", name="Gennemse").click()
    page.wait_for_url("**/gennemse/**")
    assert page.get_by_text("Stranden set fra molen").is_visible()
    assert page.get_by_text("Tilbud.pdf").is_visible()
    looked_at(page)

    elsewhere = new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
    sign_in(elsewhere, citizen)  # MitID came back in another browser
    other = elsewhere.new_page()
    other.goto(page.url)
    other.click("main form .button-large")
    other.wait_for_url("**/kvittering/")
    given = Contribution.objects.get()
    other.goto(given.get_absolute_url())
    shown = other.locator(".gallery-photo img")
    assert shown.get_attribute("alt") == "Stranden set fra molen"
    looked_at(other)
    if script:
        wait_for_images(other)
    with other.expect_download() as download:
        other.get_by_role("link", name="Tilbud.pdf").click()
    assert Path(download.value.path()).read_bytes() == pictures.pdf()
    other.goto(reverse("participation:contribution-list", args=[process.slug]))
    looked_at(other)
    assert other.locator("img.row-photo").count() == 1


def test_enter_in_a_field_goes_on_and_takes_no_photo_off(page: Page, process: Process) -> None:
    page.goto(reverse("participation:contribute", args=[process.slug]))
    page.fill("#id_title", "Et springvand")
    page.fill("#id_body", "Med lys i.")
    page.set_input_files("#id_photos", [sent("a.jpg", pictures.jpeg())])
    page.focus(ADD)
    page.keyboard.press("Enter")
    page.wait_for_selector("img.arrived-preview")
    page.fill("#id_photos_alt_1", "Torvet")
    page.focus("#id_title")
    page.keyboard.press("Enter")
    page.wait_for_url("**/gennemse/**")
    assert page.locator("img.arrived-preview").count() == 1


def test_what_saves_while_one_writes_sends_no_files(page: Page, process: Process) -> None:
    page.goto(reverse("participation:contribute", args=[process.slug]))
    page.set_input_files("#id_photos", [sent("a.jpg", pictures.jpeg())])
    page.fill("#id_title", "Et springvand")
    page.locator("#kept").wait_for(state="visible")
    assert not StoredFile.objects.exists()
    page.click(ADD)
    page.wait_for_selector("img.arrived-preview")
    assert page.input_value("#id_title") == "Et springvand"
    assert StoredFile.objects.count() == 1
    assert Draft.objects.count() == 1


@pytest.mark.parametrize("width", [1280, 320])
def test_staff_see_them_and_remove_one(
    new_context: Callable[..., BrowserContext], axe: Callable[..., Any], width: int
) -> None:
    process = make_process(status=Status.OPEN)
    author = make_resident_citizen()
    hung = [
        actions.Hung(
            actions.store_photo(data=pictures.jpeg(), name="a.jpg", alt="En bænk", by=author), "En bænk"
        ),
        actions.Hung(actions.store_file(data=pictures.pdf(), name="Tilbud på en bænk.pdf", by=author)),
    ]
    given = giving.give_contribution(
        process=process,
        by=author,
        title="En bænk",
        body="Så kan man hvile sig.",
        attached=hung,
        detail={"why": "Der er langt.", "cost_lines": [{"text": "Bænk", "amount": 12000}]},
    )
    context = new_context(viewport={"width": width, "height": 800})
    sign_in(context, make_staff(units=[process.unit]))
    page = context.new_page()
    for name, arguments in (
        ("process-record", [process.pk]),
        ("process-contributions", [process.pk]),
        ("process-contribution", [process.pk, given.public_id]),
    ):
        page.goto(reverse(f"admin:{name}", args=arguments))
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, name
    wait_for_images(page)
    page.get_by_role("link", name="Fjern billedet").click()
    axe(page)
    assert page.evaluate(SIDEWAYS) == 0
    page.fill("textarea", "Naboens børn kan genkendes.")
    page.get_by_role("button", name="Fjern det").click()
    page.get_by_text("Fjernet. Forfatteren får at vide hvorfor.").wait_for()
    assert page.get_by_role("link", name="Fjern billedet").count() == 0
    assert [one.file.name for one in given.attachments.select_related("file")] == ["Tilbud på en bænk.pdf"]


def test_nothing_moves_when_photos_come(page: Page, process: Process, citizen: User) -> None:
    """Room is kept for them: the words below stand still while they load."""
    buffer = io.BytesIO()
    Image.effect_noise((1500, 2000), 90).convert("RGB").save(buffer, "JPEG")
    photo = actions.store_photo(data=buffer.getvalue(), name="a.jpg", alt="Støj", by=citizen)
    given = giving.give_contribution(
        process=process, by=citizen, title="Et", body="To", attached=[actions.Hung(photo, "Støj")]
    )
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries())"
        " window.moved += one.value }).observe({type: 'layout-shift', buffered: true})"
    )
    page.route("**/filer/**", lambda route: (page.wait_for_timeout(300), route.continue_())[1])
    for address in (
        given.get_absolute_url(),
        reverse("participation:contribution-list", args=[process.slug]),
    ):
        page.goto(address)
        wait_for_images(page)
        assert page.evaluate("window.moved") < 0.02, address


def test_a_photo_fills_the_room_it_has(page: Page, process: Process, citizen: User) -> None:
    hung = [
        actions.Hung(
            actions.store_photo(data=pictures.jpeg(*size), name="a.jpg", alt="Grønt", by=citizen), "Grønt"
        )
        for size in ((1800, 1200), (900, 1200), (1800, 600))
    ]
    given = giving.give_contribution(process=process, by=citizen, title="Et", body="To", attached=hung)
    page.goto(given.get_absolute_url())
    for frame in page.locator(".gallery-photo").all():
        room, photo = frame.bounding_box(), frame.locator("img").bounding_box()
        assert room is not None
        assert photo is not None
        assert abs(room["width"] - photo["width"]) < 1
