"""The language a test reads the page in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture
def danish() -> Iterator[None]:
    with translation.override("da"):
        yield


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def plain_icons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Icons without their drawing, which belongs to the design system's version and not to our markup."""
    monkeypatch.setattr("dkfds.icons.sprite", dict)
