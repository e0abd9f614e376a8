"""Every page of the sweep, and every kind of error: the headers that protect it, and clean HTML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from config.check import PRODUCTION
from config.services import ROOT
from tests.patience import PATIENCE
from tests.site.addresses import behind, body_of, path_of, query_of
from tests.site.markup import faults
from tests.site.test_url_by_role import ADDRESSES, TABLE
from tests.site.world import World, rolled_back

SHOWN = {name: [role for role, got in row.items() if got == "200"] for name, (_method, row) in TABLE.items()}
DIRECTIVES = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "font-src": {"'self'"},
    "connect-src": {"'self'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}


def shown(world: World, name: str, role: str) -> HttpResponse:
    method, _row = TABLE[name]
    address = ADDRESSES.get(name)
    with rolled_back():
        client = world.client(role)
        if address is None:
            return client.get(name)
        path = path_of(address, behind(world)(address)) + query_of(address, world)
        return client.post(path, body_of(address, world)) if method == "POST" else client.get(path)


# A made-up e-mail that our own page shows in a frame. It is not a page of ours: nothing in it may load, run or be sent.
FRAMED = "admin:notice-sample-html"


def check_frame(response: HttpResponse) -> None:
    policy = [part.strip() for part in response["Content-Security-Policy"].split(";")]
    assert {"sandbox", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert not [part for part in policy if part.startswith(("script-src", "style-src", "sandbox "))]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["X-Content-Type-Options"] == "nosniff"


def check_headers(response: HttpResponse, what: Any) -> None:
    policy = {
        words[0]: set(words[1:])
        for words in (part.split() for part in response["Content-Security-Policy"].split(";"))
        if words
    }
    for directive, allowed in DIRECTIVES.items():
        falls_back = directive.endswith("-src")  # what a policy doesn't name follows its default
        given = policy.get(directive, policy["default-src"]) if falls_back else policy[directive]
        extra = {word for word in given - allowed - {"'none'"} if not word.startswith("'nonce-")}
        if is_editor(what):
            extra = {word for word in extra if not word.startswith("'sha256-")}
        assert not extra, (what, directive, extra)
    for directive, words in policy.items():
        assert not [word for word in words if "unsafe" in word or "*" in word], (what, directive)
    assert response["X-Content-Type-Options"] == "nosniff", what
    assert response["Referrer-Policy"] == "same-origin", what
    assert response["X-Frame-Options"] == "DENY", what
    assert response["Cross-Origin-Opener-Policy"] == "same-origin", what


def is_editor(what: Any) -> bool:
    """The editor for formatted text, on staff pages, has one style of its own, known by its hash."""
    return str(what).lstrip("(").lstrip("'").startswith("admin:")


@pytest.mark.parametrize("name", sorted(name for name, roles in SHOWN.items() if roles))
def test_every_page_is_protected_and_well_made(world: World, name: str) -> None:
    """As the first and the last of those who get it see it."""
    roles = SHOWN[name]
    for role in {roles[0], roles[-1]}:
        response = shown(world, name, role)
        assert response.status_code == 200
        if name in {"/healthz", "/readyz"}:  # for machines, answered before everything else
            continue
        if name == FRAMED:
            check_frame(response)
            continue
        check_headers(response, (name, role))
        if response["Content-Type"].startswith("text/html"):
            assert faults(response.content.decode()) == [], (name, role)


@pytest.mark.parametrize(
    "key", ["approved", "vote", "closed", "decided", "concluded", "cancelled", "informed"]
)
def test_a_process_in_every_status_is_well_made(world: World, key: str) -> None:
    for role in ("anonymous", "citizen", "worker"):
        page = world.client(role).get(world.processes[key].get_absolute_url()).content.decode()
        assert faults(page) == [], role


@pytest.mark.parametrize(
    "key", ["draft", "in_review", "approved", "vote", "closed", "decided", "concluded", "cancelled"]
)
def test_staff_pages_of_a_process_in_every_status_are_well_made(world: World, key: str) -> None:
    for name in (
        "process-overview",
        "process-setup",
        "process-result",
        "process-contributions",
        "budget-vote",
    ):
        path = reverse(f"admin:{name}", args=[world.processes[key].pk])
        for role in ("worker", "manager"):
            response = world.client(role).get(path)
            assert faults(response.content.decode()) == [], (name, role)


# What forms say when they are wrong: the same page again, with the faults named.
FORMS = (
    ("citizen", "participation:contribute", "open"),
    ("citizen", "participation:question-ask", "open"),
    ("citizen", "accounts:my-settings", None),
    ("citizen", "accounts:delete-account", None),
    ("citizen", "budgets:vote", "vote"),
    ("anonymous", "budgets:tracker", "decided"),
    ("anonymous", "account_login", None),
    ("anonymous", "account_reset_password", None),
    ("worker", "admin:process-setup", "draft"),
    ("worker", "admin:process-copy", "open"),
    ("worker", "admin:process-news", "open"),
    ("worker", "admin:process-extend", "open"),
    ("manager", "admin:process-amend", "open"),
    ("worker", "admin:process-record", "open"),
    ("worker", "admin:process-decide", "closed"),
    ("worker", "admin:budget-decide", "decided"),
    ("administrator", "admin:accounts_user_add", None),
    ("administrator", "admin:accounts_registerextract_add", None),
)


@pytest.mark.parametrize(("role", "name", "key"), FORMS)
def test_a_form_sent_back_is_well_made(world: World, role: str, name: str, key: str | None) -> None:
    values = behind(world)(ADDRESSES[name])
    if key:
        values |= {"slug": world.processes[key].slug, "pk": world.processes[key].pk}
    with rolled_back():
        response = world.client(role).post(path_of(ADDRESSES[name], values), {"title": "<b>"})
    assert response.status_code in {200, 302, 409, 422}
    if response.status_code != 302:
        check_headers(response, (name, role))
        assert faults(response.content.decode()) == []


def errors(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, HttpResponse]:
    strict = Client(enforce_csrf_checks=True)
    found = {
        "404": Client().get("/findes-ikke/"),
        "400": Client().get("/", headers={"host": "fremmed.example"}),
        "403": world.client("citizen").get("/admin/"),
        "403 without a token": strict.post(reverse("account_login"), {"login": "x"}),
        "405": Client().post("/soeg/"),
        "302": Client().get("/min-side/"),
        "redirect for a slash": Client().get("/om"),
        "english 404": Client().get("/en/findes-ikke/"),
        "an unknown process": Client().get("/forloeb/findes-ikke/"),
    }

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("participation.views.search.search.find", broken)
    found["500"] = Client(raise_request_exception=False).get("/soeg/?q=bro")
    return found


def test_every_kind_of_error_is_protected_and_well_made(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for what, response in errors(world, monkeypatch).items():
        check_headers(response, what)
        if what[:3].isdigit():
            assert response.status_code == int(what[:3]), what
        if response.content and response["Content-Type"].startswith("text/html"):
            assert faults(response.content.decode()) == [], what
    assert "broken on purpose" in caplog.text


def test_a_kept_page_is_protected_as_the_one_that_was_built(world: World) -> None:
    for _time in ("built", "kept"):
        check_headers(Client().get("/"), "/")


# In production

NAMES = [
    "DEBUG",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "CSRF_COOKIE_SECURE",
    "CSRF_COOKIE_HTTPONLY",
    "CSRF_COOKIE_SAMESITE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "SECURE_CONTENT_TYPE_NOSNIFF",
    "SECURE_REFERRER_POLICY",
    "X_FRAME_OPTIONS",
]


@pytest.fixture(scope="module")
def production() -> dict[str, Any]:
    """The settings as a process of its own reads them from an operator's environment."""
    program = (
        "import json; from django.conf import settings;"
        f"print(json.dumps({{name: getattr(settings, name) for name in {NAMES!r}}}))"
    )
    env = os.environ | PRODUCTION | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_production_speaks_only_https_and_says_so_for_a_year(
    world: World, production: dict[str, Any], settings: Any
) -> None:
    for name, value in production.items():
        setattr(settings, name, value)
    settings.ALLOWED_HOSTS = ["testserver"]
    assert Client().get("/om/")["Location"] == "https://testserver/om/"
    response = Client().get("/om/", secure=True)
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    check_headers(response, "/om/")


def test_cookies_are_secure_and_out_of_reach_of_script(
    world: World, production: dict[str, Any], settings: Any
) -> None:
    for name, value in production.items():
        setattr(settings, name, value)
    client = world.client("worker")
    opened = world.processes["open"]
    responses = [
        client.post(reverse("account_logout"), secure=True),
        Client().get(reverse("account_login"), secure=True),
        Client().post(
            reverse("participation:contribute", args=[opened.slug]),
            {"title": "En bro", "save": "1"},
            secure=True,
        ),
    ]
    seen = set()
    for response in responses:
        for name, cookie in response.cookies.items():
            if cookie["max-age"] == 0:
                continue
            seen.add(name)
            assert cookie["secure"], name
            assert cookie["httponly"], name
            assert cookie["samesite"] in {"Lax", "Strict"}, name
    assert {configured.CSRF_COOKIE_NAME, f"kladde-{opened.pk}"} <= seen
    assert production["SESSION_COOKIE_SECURE"]
    assert production["SESSION_COOKIE_HTTPONLY"]
    assert production["DEBUG"] is False
