"""What every test stands on: its own database as the application's role, no network, real services beside it."""

from __future__ import annotations

import importlib
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import setting_changed
from django.db import connections
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.test import TransactionTestCase
from django.urls import clear_url_caches
from django.utils import translation

from tests.databases import as_owner, empty, put_back_starting_rows, test_database

pytest_plugins = ["tests.browsing", "tests.processes"]
test_database.__test__ = False  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    # What takes longest begins first, so that at the end nobody waits for one story (see Makefile: no reordering there).
    items.sort(key=lambda item: "browser" not in item.keywords)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    name = f"test_{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock(), test_database(name):
        yield


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """After a test with real transactions the tables are emptied: the owner's work. The next test finds what
    migrations filled in, as in any database."""
    flush = TransactionTestCase._fixture_teardown

    def flush_as_owner(case: TransactionTestCase) -> None:
        for alias in case._databases_names(include_mirrors=False):
            with as_owner(connections[alias]) as unhindered:
                if unhindered:
                    empty(connections[alias])
                else:
                    flush(case)
                put_back_starting_rows(connections[alias])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_as_owner)
        yield


@pytest.fixture(scope="session", autouse=True)
def _every_action_has_words(django_test_environment: None) -> Iterator[None]:
    """Whatever a test does that is audited can be read by people in the history."""
    entry, words = importlib.import_module("audit.models").Entry, importlib.import_module("audit.words")

    def check(instance: Any, **kwargs: Any) -> None:
        assert words.is_named(instance.action) or instance.action == "canary", (
            f"{instance.action} has no words: name it in its app's history.py"
        )

    post_save.connect(check, sender=entry, weak=False)
    yield
    post_save.disconnect(check, sender=entry)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Only this machine answers: a test that needs anybody else fails, with the address in its message."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(caller: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            caller.close()
            pytest.fail(f"A test tried to reach {address[0]}:{address[1]}; tests have no network.")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        yield


@pytest.fixture(autouse=True)
def _danish_again() -> None:
    """A page read in English leaves its language active in the thread."""
    translation.deactivate()


@receiver(setting_changed)
def _forget_addresses(*, setting: str, **kwargs: Any) -> None:
    """Django remembers addresses with the language prefix they had; a test that changes the language must not leave
    its own behind."""
    if setting == "LANGUAGE_CODE":
        clear_url_caches()


@pytest.fixture(autouse=True)
def _real_time_again() -> Iterator[None]:
    """A test that moved every process's clock doesn't move the next one's."""
    yield
    if Path(os.environ["CLOCK_FILE"]).exists():
        Path(os.environ["CLOCK_FILE"]).write_text("")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
