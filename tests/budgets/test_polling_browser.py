"""A polling place as the officer sees it: eighty voters on a phone, some without script; two who read a hundred papers."""

import random
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from budgets import actions, paper
from budgets.models import PaperEntry, Roll
from tests.accounts.factories import make_citizen, make_staff
from tests.budgets.factories import again, make_round
from tests.budgets.places import make_place, mark, resident, shut
from tests.site.test_browser_sweep import SIDEWAYS

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 320, "height": 640}


@pytest.fixture(autouse=True)
def _english(in_english):
    pass


def sit_down(new_context, user, **options):
    client = Client()
    client.force_login(user)
    context = new_context(**options)
    context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "domain": "localhost",
                "path": "/",
            }
        ]
    )
    return context.new_page()


def come(page, place, who, name):
    page.goto(reverse("polling:place", args=[place.pk]))
    born = who.birth_date
    for part, value in (("day", born.day), ("month", born.month), ("year", born.year)):
        page.fill(f"[name=birth_date_{part}]", str(value))
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Find", exact=True).click()
    page.locator(".candidate button").click()


def test_eighty_voters_at_one_table(new_context, axe):
    """Sixty with script, twenty without; one has voted with MitID, one is too young, and one mark is taken back."""
    place = make_place(make_round(), officers=[make_staff("polling_officer")])
    officer = place.officers.get()
    people = [resident(name=f"Vælger{chr(97 + n // 26)}{chr(97 + n % 26)} Hansen") for n in range(80)]
    voted = resident(name="Mitte Medid")
    actions.cast_ballot(
        round=place.round, by=make_citizen(person=voted.person), choices=[("1", 1)], tracker=None
    )
    with_script = sit_down(new_context, officer, viewport=PHONE)
    without = sit_down(new_context, officer, viewport=PHONE, java_script_enabled=False)
    for number, who in enumerate(people):
        page = without if number % 4 == 0 else with_script
        come(page, place, who, who.name.split()[0])
        page.locator(".mark-button").click()
        page.wait_for_selector(".mark-done")
        assert "Hand out the ballot paper now." in page.inner_text(".mark-done")
        assert who.name in page.inner_text(".mark-done")
        if number == 1:
            expect(page.locator("h1")).to_be_focused()
            axe(page)
            assert page.evaluate(SIDEWAYS) <= 0
    assert Roll.objects.filter(place=place).count() == 80

    page = with_script
    page.goto(reverse("polling:place", args=[place.pk]))
    axe(page)
    come(page, place, voted, "Mitte")
    assert "with MitID" in page.inner_text("main")
    assert not page.locator(".mark-button").count()
    axe(page)
    come(page, place, people[3], people[3].name.split()[0])
    page.locator(".polling-other summary").click()
    page.get_by_label("The wrong person was marked").check()
    page.get_by_role("button", name="Take the mark back").click()
    page.wait_for_url(re.compile(rf"/afstemningssted/{place.pk}/$"))
    assert Roll.objects.filter(place=place).count() == 79
    come(page, place, people[3], people[3].name.split()[0])
    axe(page)
    page.locator(".mark-button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".mark-done")
    assert Roll.objects.filter(place=place).count() == 80


def enter(page, place, papers):
    page.goto(reverse("polling:bundle", args=[place.pk, 1]))
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("[name=typed]")
    for number, typed in enumerate(papers, start=1):
        # Only the keyboard: the field has the focus, and the paper's number is filled in.
        assert page.input_value("[name=position]") == str(number)
        expect(page.locator("[name=typed]")).to_be_focused()
        page.keyboard.type(typed)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    page.get_by_role("button", name="I am finished with the bundle").click()
    page.wait_for_url(re.compile(r"/sedler/$"))


def test_two_officers_enter_a_hundred_papers_with_three_differences(new_context, axe):
    round = make_round()
    staff = [make_staff("polling_officer") for _ in range(3)]
    place = make_place(round, officers=staff)
    for _ in range(100):
        mark(place, resident(), by=staff[0])
    shut(round)
    chance = random.Random(3)
    first = [" ".join(chance.sample("1234", chance.randint(1, 3))) for _ in range(100)]
    first[9], first[10], first[11] = "0", "u", "1 2 3 4"
    second = list(first)
    first[20], second[20] = "1", "2"
    first[50], second[50] = "3", "0"
    first[99], second[99] = "1 2", "1"
    one, two, third = (sit_down(new_context, user) for user in staff)
    one.goto(reverse("polling:bundles", args=[place.pk]))
    axe(one)
    one.get_by_role("button", name="New bundle").click()
    one.wait_for_url(re.compile(r"/sedler/1/$"))
    enter(one, place, first)
    two.goto(reverse("polling:bundle", args=[place.pk, 1]))
    assert "21" not in two.inner_text("main")  # nothing of the other's reading
    enter(two, place, second)
    two.goto(reverse("polling:bundle", args=[place.pk, 1]))
    assert "3 papers differently" in two.inner_text("main")
    assert PaperEntry.objects.count() == 200

    third.goto(reverse("polling:bundle", args=[place.pk, 1]))
    third.get_by_role("button", name="Begin").click()
    third.wait_for_selector("table")
    axe(third)
    assert [cell.inner_text() for cell in third.locator("tbody th").all()] == ["21", "51", "100"]
    for typed in ("2", "0", "1 2"):
        expect(third.locator("[name=typed]")).to_be_focused()
        third.keyboard.type(typed)
        with third.expect_navigation():
            third.keyboard.press("Enter")
    assert "All are settled." in third.inner_text("main")
    assert paper.bundles_of(place)[0].done

    one.goto(reverse("polling:account", args=[place.pk]))
    axe(one)
    one.fill("[name=received]", "120")
    one.fill("[name=left_over]", "19")
    one.get_by_role("button", name="Save").click()
    one.wait_for_selector(".alert-success")
    assert "The ballot papers: 120 against 119, so 1 is missing." in one.inner_text("main")
    assert not one.get_by_role("button", name="Sign: this is how it was").count()
    axe(one)
    one.fill("[name=left_over]", "20")
    one.get_by_role("button", name="Save").click()
    one.get_by_role("button", name="Sign: this is how it was").click()
    one.wait_for_selector("text=You have signed")
    assert not one.get_by_role("button", name="Sign: this is how it was").count()
    two.goto(reverse("polling:account", args=[place.pk]))
    two.get_by_role("button", name="Sign: this is how it was").click()
    two.wait_for_selector(".alert-success")
    assert again(round).state == "sealed"
    assert again(round).ballots_per_channel["polling_place"] == 97 - 1
