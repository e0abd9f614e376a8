"""What may not be on where the public comes, and what must be."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from config import checks, production
from config.check import PRODUCTION
from config.services import ROOT
from tests.patience import PATIENCE


def start(**changes: str) -> "subprocess.CompletedProcess[str]":
    """A process of its own, as web and worker begin: the settings are read and the apps are loaded."""
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); print('started')"],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings", **changes},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_portal_for_the_public_starts() -> None:
    assert start().stdout.strip() == "started"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMO", "1"),
        ("CLOCK_FILE", "/tmp/clock"),
        ("MITID_ISSUER", "http://broker.example.dk"),
        ("MITID_ISSUER", "https://localhost:9400"),
        ("STAFF_OIDC_ISSUER", "https://127.0.0.1"),
    ],
)
def test_it_refuses_to_start_with_anything_of_the_demo(name: str, value: str) -> None:
    done = start(**{name: value})
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr
    assert name in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("https://localhost:9400", True),
        ("https://LOCALHOST./x", True),
        ("https://mitid.localhost", True),
        ("https://127.0.0.1", True),
        ("https://127.9.9.9", True),
        ("https://[::1]:9400", True),
        ("https://0.0.0.0", True),
        ("https://broker.example.dk", False),
        ("https://localhost.example.dk", False),
        ("https://10.0.0.5", False),
    ],
)
def test_what_this_machine_is(url: str, here: bool) -> None:
    assert production.is_this_machine(url) is here


def test_check_deploy_names_each(settings: Any) -> None:
    settings.CLOCK_FILE = "/tmp/clock"
    settings.MITID_ISSUER = "https://localhost"
    said = " ".join(str(message.msg) for message in checks.nothing_of_the_demo())
    for name in ("DEMO", "CLOCK_FILE", "MITID_ISSUER"):
        assert name in said


@pytest.mark.parametrize(
    ("database", "redis", "mail", "tls", "warned"),
    [
        ({"HOST": "/run/postgresql"}, "redis://localhost/0", "localhost", False, []),
        ({"HOST": ""}, "unix:///run/redis.sock", "127.0.0.1", False, []),
        ({"HOST": "db.example.dk"}, "redis://localhost", "localhost", False, ["DATABASE_URL"]),
        ({"HOST": "db.example.dk", "OPTIONS": {"sslmode": "prefer"}}, "redis://localhost", "", False, ["DATABASE_URL"]),
        ({"HOST": "db.example.dk", "OPTIONS": {"sslmode": "verify-full"}}, "rediss://x.example.dk", "m.example.dk", True, []),
        ({"HOST": ""}, "redis://10.0.0.7:6379/0", "smtp.example.dk", False, ["REDIS_URL", "E-mail"]),
    ],
)  # fmt: skip
def test_check_deploy_asks_for_tls_to_other_machines(
    monkeypatch: pytest.MonkeyPatch,
    database: dict[str, Any],
    redis: str,
    mail: str,
    tls: bool,
    warned: list[str],
) -> None:
    told = {"DATABASES": {"default": database}, "REDIS_URL": redis, "EMAIL_HOST": mail, "EMAIL_USE_TLS": tls}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**told))
    found = [str(message.msg).split()[0] for message in checks.what_leaves_this_machine_is_encrypted()]
    assert found == warned


@pytest.mark.django_db
def test_check_deploy_sees_a_role_that_may_change_the_audit() -> None:
    def found() -> bool:
        return "audit.W001" in {message.id for message in run_checks(include_deployment_checks=True)}

    assert not found()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")  # the tests log in as the owner
    try:
        assert found()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


def test_cookies_belong_to_this_host_alone() -> None:
    code = (
        "import django; django.setup(); from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_DOMAIN, s.SESSION_COOKIE_PATH, s.SECURE_HSTS_SECONDS)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.split() == [
        "__Host-sessionid", "__Host-csrftoken", "True", "True", "True", "None", "/", "31536000"
    ]  # fmt: skip
