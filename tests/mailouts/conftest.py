"""The gateway of tests without one of their own: in this process, and obedient."""

from collections.abc import Iterator

import pytest

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
