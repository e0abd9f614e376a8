"""English pages, and nobody has used up a limit yet."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from tests.accounts.conftest import in_english

__all__ = ["in_english"]


@pytest.fixture(autouse=True)
def _nothing_counted_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
