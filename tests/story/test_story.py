"""One citizen budget from the first question to the last promise kept, as the people in it live it: in a browser, through
the real web server and worker, with the mail that reaches them. Nothing here calls an action."""

from __future__ import annotations

import pytest

from tests.story.conftest import House
from tests.story.people import Visitor, sign_in_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SET_UP_DAY = "2027-01-11T10:00:00+01:00"


def begin_draft(kirsten: Visitor) -> str:
    """From the start page to the set-up form; returns the address of the process' staff pages."""
    kirsten.goto("/admin/").look("start")
    kirsten.goto("/admin/forloeb/nyt/").look("vælg format")
    kirsten.goto("/admin/forloeb/nyt/citizen_budget/").look("begynd")
    kirsten.fill(title="Søbyens penge", **{"detail-total": "100.000"})
    kirsten.tick("touches", "district").tick("conflict", "no").tick("reversible", "yes")
    kirsten.page.locator("main form button[type=submit]").first.click()
    kirsten.look("er vi klar")
    for question in ("will_listen", "timing_is_right", "there_is_time", "frame_is_clear", "willing_to_try_new"):
        kirsten.tick(question, "yes")
    kirsten.tick("size", "ordinary")
    kirsten.page.locator("main form button[type=submit]").last.click()
    kirsten.page.wait_for_url("**/opsaetning/")
    return kirsten.path.removesuffix("opsaetning/")


def test_from_the_first_question_to_the_last_promise_kept(house: House) -> None:
    house.at(SET_UP_DAY)
    kirsten = sign_in_staff(house.visitor("Kirsten"))
    base = begin_draft(kirsten)
    kirsten.look("opsætning tom")
    print(kirsten.page.content())
