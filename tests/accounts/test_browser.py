"""Sign-in and my page in a real browser: axe, 320 px, no script, the keyboard, a passkey, and MitID's way round."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import BrowserContext, Page

from accounts.models import User
from tests.accounts import broker
from tests.accounts.factories import make_district, make_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PASSWORD = "en lang og god adgangskode"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with broker.running(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture(autouse=True)
def _broker(settings, issuer, live_server):
    settings.SOCIALACCOUNT_PROVIDERS = broker.apps(issuer)
    settings.SITE_URL = live_server.url
    cache.clear()


def through_mitid(page: Page, name: str) -> None:
    """From the sign-in page, through the stand-in, back."""
    page.locator("main form[action$='/konto/mitid/'] button").click()
    page.wait_for_url(re.compile("/oauth2/authorize"))
    page.get_by_role("button", name=re.compile(name)).first.click()


@pytest.mark.parametrize("script", [True, False])
def test_a_citizen_signs_in_sees_my_page_and_signs_out(
    new_context: Callable[..., BrowserContext], live_server: Any, script: bool
) -> None:
    page = new_context(java_script_enabled=script).new_page()
    page.goto("/min-side/indstillinger/")
    through_mitid(page, "Karen")
    page.wait_for_url(f"{live_server.url}/min-side/indstillinger/")
    page.goto("/min-side/")
    assert "Karen" in page.locator("h1").inner_text()
    page.goto("/konto/log-ud/")
    page.locator("main form button").click()
    page.wait_for_url(f"{live_server.url}/konto/logget-ud/")
    page.goto("/min-side/")
    assert "/konto/log-ind/" in page.url


def test_axe_and_320_px(page: Page, axe: Callable[..., Any]) -> None:
    make_district()
    page.set_viewport_size({"width": 320, "height": 800})
    for path in ("/konto/log-ind/", "/en/konto/log-ind/", "/om/persondata/", "/konto/logget-ud/"):
        page.goto(path)
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, path
    page.goto("/konto/log-ind/?medarbejder=1")
    page.locator("main form[action$='/konto/log-ind/'] button").first.click()
    axe(page)
    page.goto("/konto/mitid/tilbage/?state=x&code=y")
    axe(page)
    page.goto("/konto/log-ind/")
    through_mitid(page, "Karen")
    page.wait_for_url(re.compile("/min-side/$"))
    for path in (
        "/min-side/",
        "/min-side/indstillinger/",
        "/min-side/slet/",
        "/konto/e-mail/",
        "/konto/log-ud/",
    ):
        page.goto(path)
        axe(page)
        assert page.evaluate(SIDEWAYS) == 0, path
    page.goto("/min-side/slet/")
    page.locator("main form button").click()
    axe(page)
    assert User.objects.get().is_active


def test_mitid_by_keyboard_alone(page: Page, live_server: Any) -> None:
    page.goto("/konto/log-ind/")
    for _press in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('form')?.action.endsWith('/konto/mitid/')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/oauth2/authorize"))


def test_a_colleague_adds_a_passkey_and_signs_in_with_it(page: Page, axe: Callable[..., Any]) -> None:
    """Chromium's own virtual authenticator; the strict policy is on, and the page fixture fails on any breach."""
    user = make_staff(password=PASSWORD, factor=False)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    page.goto("/konto/log-ind/?medarbejder=1")
    page.locator("#id_login").fill(user.email)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main form[action$='/konto/log-ind/'] button").first.click()
    page.wait_for_url(re.compile("/konto/to-trin/$"))
    axe(page)
    page.goto("/konto/to-trin/app/")
    axe(page)
    page.goto("/konto/noegle/tilfoej/")
    axe(page)
    page.locator("#id_name").fill("Min nøgle")
    page.locator("#id_passwordless").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(re.compile("/konto/(to-trin/koder/.*|noegle/)$"))
    axe(page)
    assert user.authenticator_set.filter(type="webauthn").exists()
    page.goto("/konto/log-ud/")
    page.locator("main form button").click()
    page.goto("/konto/log-ind/?medarbejder=1")
    page.locator("#passkey_login").click()
    page.wait_for_url(re.compile("/admin/"))
