"""The gateway of tests without one of their own, in this process; and the fields of a letter as its tests know them."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from mailouts import letters
from mailouts.letters import MergeField, register_field
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


@pytest.fixture
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


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield
