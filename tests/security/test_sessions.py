"""Sessions: a new one at sign-in, an end however busy, nothing left behind for the next one at the computer."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import actions
from accounts.middleware import SIGNED_IN_AT
from accounts.permissions import Role
from audit.models import Entry
from tests.accounts.factories import make_citizen, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
PASSWORD = "a long and quiet sentence"


@pytest.fixture
def staff() -> Any:
    return make_staff(Role.ADMINISTRATOR, password=PASSWORD, factor=False)


def sign_in(client: Client, user: Any) -> Any:
    return client.post("/konto/log-ind/", {"login": user.email, "password": PASSWORD})


def test_a_session_planted_before_sign_in_is_worth_nothing_after(client: Client, staff: Any) -> None:
    client.get("/konto/log-ind/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = session.session_key
    assert sign_in(client, staff).status_code == 302
    fresh = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert fresh != planted
    assert not Session.objects.filter(session_key=planted).exists()
    attacker = Client()
    attacker.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert attacker.get("/min-side/").status_code == 302


def test_the_cookie_ends_with_the_browser_and_scripts_cant_read_it(client: Client, staff: Any) -> None:
    sign_in(client, staff)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["max-age"]
    assert not cookie["expires"]


def test_mitid_s_cookie_ends_with_the_browser_too() -> None:
    """allauth sets it for passwords only."""
    assert settings.SESSION_EXPIRE_AT_BROWSER_CLOSE
    assert settings.SESSION_COOKIE_AGE <= settings.SESSION_LONGEST <= 12 * 3600


@pytest.mark.parametrize("make", [make_citizen, lambda: make_staff(Role.CASEWORKER)])
def test_it_ends_however_busy(client: Client, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make())
    assert client.get("/min-side/").status_code == 200
    began = client.session[SIGNED_IN_AT]
    monkeypatch.setattr("accounts.middleware.time.time", lambda: began + settings.SESSION_LONGEST - 60)
    assert client.get("/min-side/").status_code == 200
    monkeypatch.setattr("accounts.middleware.time.time", lambda: began + settings.SESSION_LONGEST + 60)
    assert client.get("/min-side/").status_code == 302
    monkeypatch.setattr("accounts.middleware.time.time", time.time)
    assert client.get("/min-side/").status_code == 302, "it is gone, not asleep"


def test_signing_out_ends_it_on_the_server(client: Client) -> None:
    client.force_login(make_citizen())
    key = client.session.session_key
    client.post("/konto/log-ud/")
    assert not Session.objects.filter(session_key=key).exists()


def test_a_page_that_only_links_to_sign_out_signs_nobody_out(client: Client) -> None:
    client.force_login(make_citizen())
    client.get("/konto/log-ud/")
    assert client.get("/min-side/").status_code == 200


def test_a_new_password_ends_the_other_sessions(staff: Any) -> None:
    here, elsewhere = Client(), Client()
    sign_in(here, staff)
    sign_in(elsewhere, staff)
    staff.refresh_from_db()
    staff.set_password("another long and quiet sentence")
    staff.save()
    assert elsewhere.get("/konto/to-trin/").status_code == 302


def test_a_closed_account_is_out_at_once(client: Client) -> None:
    user = make_staff(Role.CASEWORKER)
    client.force_login(user)
    assert client.get("/admin/").status_code == 200
    actions.end_sessions(user)
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("path", ["/", "/forloeb/", "/min-side/", "/om/", "/soeg/?q=bus"])
def test_what_a_signed_in_person_sees_is_kept_nowhere(client: Client, path: str) -> None:
    client.force_login(make_citizen())
    response = client.get(path)
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


def test_signing_out_everywhere_takes_every_browser_of_this_person_only() -> None:
    user, other = make_citizen(), make_citizen()
    here, elsewhere, others = Client(), Client(), Client()
    here.force_login(user)
    elsewhere.force_login(user)
    others.force_login(other)
    assert Client().post("/min-side/log-ud-overalt/").status_code == 302
    assert here.get("/min-side/log-ud-overalt/").status_code == 405
    assert here.post("/min-side/log-ud-overalt/").status_code == 302
    assert [client.get("/min-side/").status_code for client in (here, elsewhere, others)] == [302, 302, 200]
    assert Entry.objects.filter(action="user.signed_out_everywhere", actor_id=user.pk).count() == 1


def test_sign_ins_are_logged_without_what_was_typed(client: Client, staff: Any, caplog: Any) -> None:
    with caplog.at_level("INFO", logger="accounts.sign_in_log"):
        client.post("/konto/log-ind/", {"login": staff.email, "password": "wrong and long enough"})
        sign_in(client, staff)
        client.post("/konto/log-ud/")
        client.force_login(make_citizen())
    assert [record.getMessage() for record in caplog.records] == [
        "A sign-in with a password failed",
        "Signed in",
        "Signed out",
        "Signed in",
    ]
    assert [getattr(record, "staff_id", None) for record in caplog.records] == [
        None,
        staff.pk,
        staff.pk,
        None,
    ]
    assert staff.email not in caplog.text
    assert "wrong and long" not in caplog.text


def test_what_makes_the_codes_lies_encrypted() -> None:
    secret = generate_totp_secret()
    user = make_staff(Role.CASEWORKER, factor=False)
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    stored = str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))
    assert secret not in stored
    assert stored.count("gAAAA") == 2
    authenticator = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert authenticator.wrap().validate_code(code)
    assert not authenticator.wrap().validate_code(code), "each code once"
