"""The world is built once per file, inside a transaction that is rolled back when the file is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from tests.site import world as worlds


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[worlds.World]:
    with django_db_blocker.unblock(), worlds.rolled_back():
        yield worlds.build()


@pytest.fixture
def world(built: worlds.World, django_db_blocker: Any) -> Iterator[worlds.World]:
    cache.clear()
    with django_db_blocker.unblock(), worlds.rolled_back():
        yield built
