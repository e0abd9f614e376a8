"""Puts the embedded services and secrets into the environment, before Django's settings read it.

A pytest session logs in as the owner, who may create databases, and works as the application's role (see conftest.py).
A process that a test starts inherits the environment of its test (`TESTS_DATABASE` is set) and logs in as the
application's role, as in production.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from urllib.parse import urlsplit, urlunsplit

from config import assets
from config.environment import development_environment
from config.services import APP_ROLE, LOCAL, hold

BROKER_DATABASES = 64  # as config/services.py configures Valkey for tests

FIXED = {
    "DEBUG": "0",
    "DEMO": "1",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "SITE_URL": "http://testserver",
    "PLAIN_STATIC": "1",
}
_until_exit = contextlib.ExitStack()


def prepare() -> None:
    os.environ.update(development_environment())
    if started_by_a_test():
        return
    os.environ |= FIXED
    if "PYTEST_XDIST_WORKER" not in os.environ:  # its session has done it
        assets.install(for_tests=True)
        assets.build()
    clock = _until_exit.enter_context(tempfile.TemporaryDirectory(prefix="clock-"))
    os.environ["CLOCK_FILE"] = f"{clock}/clock"
    os.environ["MEDIA_ROOT"] = _until_exit.enter_context(tempfile.TemporaryDirectory(prefix="media-"))
    started = _until_exit.enter_context(hold("test"))
    os.environ.update(started)
    if "REDIS_URL" in started:
        os.environ["TESTS_OWN_BROKER"] = "1"
    if os.environ.get("TESTS_OWN_BROKER"):
        os.environ["REDIS_URL"] = with_path(os.environ["REDIS_URL"], _own_broker_database())
    os.environ.setdefault("MIGRATE_DATABASE_URL", os.environ["DATABASE_URL"])
    os.environ["DATABASE_APP_ROLE"] = app_role()


def started_by_a_test() -> bool:
    return bool(os.environ.get("TESTS_DATABASE"))


def _own_broker_database() -> str:
    """A number that no other test session or xdist worker of this project uses while we live."""
    folder = LOCAL / "brokers"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(BROKER_DATABASES):
        lock = _until_exit.enter_context((folder / str(number)).open("w"))
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return str(number)
        lock.close()
    raise RuntimeError(f"More than {BROKER_DATABASES} test processes at once: end some, or set REDIS_URL.")


def with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def app_role() -> str:
    """The role that tests work as: the one DATABASE_URL logs in with, else the name used everywhere."""
    return urlsplit(os.environ["DATABASE_URL"]).username or APP_ROLE
