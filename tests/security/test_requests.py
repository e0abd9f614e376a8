"""Requests made to hurt: where they lead, what they carry, what they cost."""

import time
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.test import Client

from accounts.permissions import Role
from config import logs
from config.uploads import FORM_BYTES, STAFF_BYTES
from tests.accounts.factories import make_citizen, make_staff
from tests.patience import seconds_here

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
PASSWORD = "a long and quiet sentence"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "http:///evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "\x00//evil.example",
    " //evil.example",
    "\t//evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
]


def leads_home(location: str) -> bool:
    parts = urlsplit(location)
    return (
        not parts.netloc
        and parts.scheme in {"", "http"}
        and location.startswith("/")
        and location[1:2] not in {"/", "\\"}
    )


@pytest.mark.parametrize("address", ELSEWHERE)
def test_next_never_leads_elsewhere(address: str) -> None:
    client = Client()
    user = make_staff(Role.CASEWORKER, password=PASSWORD, factor=False)
    for path in ("/konto/mitid/", "/konto/medarbejder/", "/admin/login/"):
        response = client.get(f"{path}?next={quote(address)}")
        assert leads_home(response["Location"]), response["Location"]
    response = client.get(f"/konto/log-ind/?next={quote(address)}")
    assert f'href="{address}' not in response.content.decode()
    response = client.post(
        f"/konto/log-ind/?next={quote(address)}",
        {"login": user.email, "password": PASSWORD, "next": address},
    )
    assert response.status_code == 302
    assert leads_home(response["Location"]), response["Location"]
    for path in ("/konto/mitid/", "/konto/medarbejder/"):
        response = client.post(path, {"next": address})
        assert leads_home(response["Location"]), response["Location"]
    response = client.post(f"/konto/log-ud/?next={quote(address)}", {"next": address})
    assert leads_home(response["Location"]), response["Location"]


@pytest.mark.parametrize("name", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST", "HTTP_X_HOST", "HTTP_FORWARDED"])
def test_another_host_is_refused_or_ignored(name: str) -> None:
    value = "host=evil.example" if name == "HTTP_FORWARDED" else "evil.example"
    response = Client().get("/", **{name: value})
    assert response.status_code == (400 if name == "HTTP_HOST" else 200)
    assert b"evil.example" not in response.content
    assert b"evil.example" not in Client().get("/").content


@pytest.mark.parametrize("path", ["/", "/nope/", "/konto/log-ind/", "/admin/login/", "/om/", "/min-side/"])
def test_every_answer_carries_the_policy(path: str) -> None:
    for client in (Client(), Client(enforce_csrf_checks=True)):
        for response in (client.get(path), client.post(path)):
            policy = response["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "*" not in policy
            assert "frame-ancestors 'none'" in policy
            assert response["X-Content-Type-Options"] == "nosniff"
            assert response["Referrer-Policy"] == "same-origin"
            assert response["X-Frame-Options"] == "DENY"


def test_a_visitor_can_t_fill_the_disk() -> None:
    """Django writes uploaded files to disk before any view is asked."""
    for client, limit in ((Client(), FORM_BYTES), (Client(), FORM_BYTES), (Client(), STAFF_BYTES)):
        if limit == STAFF_BYTES:
            client.force_login(make_staff(Role.ADMINISTRATOR))
        else:
            client.force_login(make_citizen())
        sent: dict[str, Any] = {"CONTENT_TYPE": "multipart/form-data; boundary=x"}
        response = client.generic("POST", "/konto/log-ud/", **sent, CONTENT_LENGTH=str(limit + 1))
        assert response.status_code == 413
        assert "too large" in response.content.decode()
    assert Client().post("/konto/log-ind/", CONTENT_LENGTH=str(10**12)).status_code == 413


def test_a_form_with_very_many_fields_is_refused() -> None:
    body = "&".join(f"a{number}=1" for number in range(2000))
    response = Client().post("/konto/log-ind/", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400


def test_what_is_logged_is_masked_in_time_however_long() -> None:
    for hostile in ("a" * 200_000, "a." * 100_000, "a@" * 100_000, "code=" * 40_000, "010190" * 40_000):
        began = time.process_time()
        logs.mask(hostile)
        assert time.process_time() - began < seconds_here(1)


def test_whether_somebody_works_here_is_told_to_nobody() -> None:
    known = make_staff(Role.CASEWORKER, password=PASSWORD)
    answers = []
    for email in (known.email, "nobody@kommune.example"):
        client = Client()
        wrong = client.post("/konto/log-ind/", {"login": email, "password": "wrong and long enough"})
        reset = client.post("/konto/adgangskode/ny/", {"email": email})
        shown = wrong.content.decode().replace(email, "")
        shown = "".join(line for line in shown.splitlines() if "csrfmiddlewaretoken" not in line)
        answers.append((wrong.status_code, shown, reset.status_code, reset["Location"]))
    assert answers[0] == answers[1]


def test_guessing_a_password_is_slowed_down() -> None:
    user = make_staff(Role.CASEWORKER, password=PASSWORD)
    client = Client()
    for _attempt in range(6):
        client.post("/konto/log-ind/", {"login": user.email, "password": "wrong and long enough"})
    response = client.post("/konto/log-ind/", {"login": user.email, "password": PASSWORD})
    assert response.status_code != 302, "also the right one waits"
