<<<<<<< HEAD
"""The gateway of tests without one of their own: in this process, and obedient."""
=======
"""The fields of a letter as the tests know them, and the language their words are read in."""

from __future__ import annotations
>>>>>>> 413cf07 (Tests of letters: whatever is typed gives no tag but ours, and no value becomes a mark)

from collections.abc import Iterator

import pytest
<<<<<<< HEAD

from tests.mailouts.factories import Gateway


@pytest.fixture
def gateway(settings: object) -> Iterator[type[Gateway]]:
    settings.DIGITAL_POST = settings.DIGITAL_POST | {  # type: ignore[attr-defined]
        "adapter": "tests.mailouts.factories.Gateway",
        "sender_cvr": "12345674",
    }
    Gateway.forget()
    yield Gateway
    Gateway.forget()
=======
from django.utils import translation

from mailouts import letters
from mailouts.letters import MergeField, register_field


@pytest.fixture(autouse=True)
def fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_fields", {})
    for name, example in (
        ("navn", "Anna Andersen"),
        ("fornavn", "Anna"),
        ("adresse", "Rådhusvej 14\n4300 Lunde"),
        ("distrikt", "Nordby"),
        ("kode", "7KQM-4X2P-9RTB"),
    ):
        register_field(MergeField(name, name.title(), example))
    register_field(MergeField("link", "Link", "https://deltag.example.dk/stem?a=1&b=2", is_address=True))


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield
>>>>>>> 413cf07 (Tests of letters: whatever is typed gives no tag but ours, and no value becomes a mark)
