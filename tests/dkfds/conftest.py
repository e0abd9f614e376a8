"""Danish as the page shows it: every catalogue of the project, compiled for these tests alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import trans_real

HEAD = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
)


def catalogue_text() -> str:
    """The parts while they stand apart, else the one catalogue they were put together into."""
    part = settings.BASE_DIR / "locale" / "parts" / "look.po"
    if part.exists():
        return HEAD + part.read_text()
    return (settings.BASE_DIR / "locale" / "da" / "LC_MESSAGES" / "django.po").read_text()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    target = folder / "da" / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / "django.mo").open("wb") as file:
        write_mo(file, read_po(io.BytesIO(catalogue_text().encode()), locale="da"))
    return folder


@pytest.fixture
def danish(compiled: Path, settings: pytest.FixtureRequest) -> Iterator[None]:
    settings.LOCALE_PATHS = [compiled]  # type: ignore[attr-defined]
    trans_real._translations.pop("da", None)
    with translation.override("da"):
        yield
    trans_real._translations.pop("da", None)


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def plain_icons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Icons without their drawing, which belongs to the design system's version and not to our markup."""
    monkeypatch.setattr("dkfds.icons.sprite", dict)
