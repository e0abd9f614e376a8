import pytest

from participation.choices import Status
from tests.factories import ROAD, make_process

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [*ROAD, Status.CANCELLED, Status.INFORMED])
def test_each_status_is_reached_by_the_real_actions(status: str) -> None:
    process = make_process(status=status)
    assert process.status == status
    process.refresh_from_db()
    assert process.status == status


@pytest.mark.parametrize("size", ["small", "ordinary", "large"])
def test_each_size_can_be_approved(size: str) -> None:
    assert make_process(status=Status.APPROVED, size=size).status == Status.APPROVED
