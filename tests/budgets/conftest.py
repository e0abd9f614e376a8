"""What the tests of a citizen budget share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation


@pytest.fixture
def in_english(settings: Any) -> Iterator[None]:
    """Pages say what the code says, whether or not the catalogue has been compiled."""
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield
