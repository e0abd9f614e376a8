"""English pages under the addresses without a prefix, so that these tests read what the code says."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import clear_url_caches
from django.utils import translation


@pytest.fixture
def in_english(settings: Any) -> Iterator[None]:
    settings.LANGUAGE_CODE = "en"
    # The resolver keeps addresses with the prefix they had.
    clear_url_caches()
    with translation.override("en"):
        yield
    clear_url_caches()
