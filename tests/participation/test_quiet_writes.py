"""What is audited and shown nowhere leaves the kept pages alone; everything else lets go of them."""

import pytest
from django.core.cache import cache

from audit.actions import record
from participation.page_cache import GENERATION, QUIET
from tests.accounts.factories import make_citizen


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", [*sorted(QUIET), "user.deleted", "process.opened"])
def test_only_what_can_be_seen_lets_go_of_pages(action):
    user = make_citizen()
    before = cache.get(GENERATION, 0)
    record(action=action, by=user, obj=user)
    assert (cache.get(GENERATION, 0) == before) is (action in QUIET)
