"""The caseworker's pages: what looks alike, side by side, what comes of it, and back again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Unit, User
from accounts.permissions import Role
from participation.choices import Moderation, Status
from participation.models import Contribution, Merge, Process
from tests.accounts.factories import make_citizen, make_staff, make_unit
from tests.factories import make_process
from tests.participation.test_admin_pages import give, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit() -> Unit:
    return make_unit()


@pytest.fixture
def worker(unit: Unit) -> User:
    return make_staff(Role.CASEWORKER, units=[unit])


@pytest.fixture
def process(unit: Unit, worker: User) -> Process:
    return make_process(status=Status.OPEN, unit=unit, author=worker)


@pytest.fixture
def office(worker: User) -> Client:
    return signed_in(worker)


@pytest.fixture
def pair(process: Process) -> list[Contribution]:
    given = [
        give(process, number, author=make_citizen(first_name=name))
        for number, name in ((1, "Bo"), (2, "Eva"))
    ]
    for one, title in zip(given, ("Bænk ved søen", "En bænk ved den lille sø"), strict=True):
        Contribution.objects.filter(pk=one.pk).update(
            title=title, body="Sæt en bænk, hvor man kan se vandet."
        )
        one.refresh_from_db()
    return given


def page_of(process: Process) -> str:
    return reverse("admin:contributions-merge", args=[process.pk])


def ticked(*contributions: Contribution) -> dict[str, Any]:
    return {"chosen": [one.pk for one in contributions]}


def test_from_the_list_to_one(office: Client, process: Process, pair: list[Contribution]) -> None:
    keep, gone = pair
    listed = office.get(reverse("admin:process-contributions", args=[process.pk])).content.decode()
    assert page_of(process) in listed
    side = office.get(page_of(process), ticked(*pair)).content.decode()
    assert all(one.title in side for one in pair)
    answers = ticked(*pair) | {"keep": keep.pk, "title": "", "body": "", "reason": "Det er samme bænk."}
    before = office.post(page_of(process), answers)
    assert before.status_code == 200
    assert not Merge.objects.exists()  # only told what comes of it
    assert before.context["consequences"]
    changed = office.post(page_of(process), answers | {"change": "1"})
    assert changed.context["form"]["reason"].value() == "Det er samme bænk."
    done = office.post(page_of(process), answers | {"confirm": "1"})
    assert done["Location"] == reverse("admin:process-contribution", args=[process.pk, keep.public_id])
    gone.refresh_from_db()
    assert gone.merged_into == keep
    listed = office.get(reverse("admin:process-contributions", args=[process.pk])).content.decode()
    assert gone.title not in listed
    gathered = office.get(reverse("admin:process-contributions", args=[process.pk]), {"state": "merged"})
    assert gone.title in gathered.content.decode()


def test_split_again_from_the_page_of_the_kept(
    office: Client, process: Process, pair: list[Contribution]
) -> None:
    keep, gone = pair
    answers = ticked(*pair) | {"keep": keep.pk, "reason": "Det er samme bænk.", "confirm": "1"}
    office.post(page_of(process), answers)
    page = office.get(
        reverse("admin:process-contribution", args=[process.pk, keep.public_id])
    ).content.decode()
    split = reverse("admin:contribution-split", args=[process.pk, gone.public_id])
    assert split in page
    there = office.get(reverse("admin:process-contribution", args=[process.pk, gone.public_id]))
    assert keep.title in there.content.decode()
    office.post(split)
    gone.refresh_from_db()
    assert gone.moderation == Moderation.PUBLISHED
    assert office.post(split).status_code == 404


def test_alike_ones_stand_on_the_page_with_the_way_to_gather_them(
    office: Client, process: Process, pair: list[Contribution]
) -> None:
    keep, other = pair
    page = office.get(
        reverse("admin:process-contribution", args=[process.pk, keep.public_id])
    ).content.decode()
    assert other.title in page
    assert page_of(process) in page


@pytest.mark.parametrize("number", [0, 1])
def test_two_at_least(office: Client, process: Process, pair: list[Contribution], number: int) -> None:
    asked = office.get(page_of(process), ticked(*pair[:number]))
    assert asked.status_code == (302 if number == 0 else 200)
    answers = ticked(*pair[:number]) | {"keep": pair[0].pk, "reason": "x", "confirm": "1"}
    office.post(page_of(process), answers)
    assert not Merge.objects.exists()


def test_what_may_not_be_gathered_says_why(
    office: Client, process: Process, pair: list[Contribution]
) -> None:
    Contribution.objects.filter(pk=pair[1].pk).update(outcome="noted", answer="Tak.")
    side = office.get(page_of(process), ticked(*pair))
    assert not side.context["verdict"]
    assert side.context["verdict"].code == "answered"


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"keep": "x"}, {"keep": "999999"}, {"title": "x" * 121}, {"body": "\x00"}]
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    office: Client, process: Process, pair: list[Contribution], wrong: dict[str, str]
) -> None:
    answers = (
        ticked(*pair) | {"keep": pair[0].pk, "title": "Bænke", "reason": "Samme.", "confirm": "1"} | wrong
    )
    asked = office.post(page_of(process), answers)
    assert asked.status_code == 200
    assert asked.context["form"].errors
    assert not Merge.objects.exists()


def test_only_ones_own_units(process: Process, pair: list[Contribution]) -> None:
    stranger = signed_in(make_staff(Role.CASEWORKER, units=[make_unit()]))
    answers = ticked(*pair) | {"keep": pair[0].pk, "reason": "x", "confirm": "1"}
    assert stranger.post(page_of(process), answers).status_code == 403
    assert not Merge.objects.exists()


def test_those_of_another_process_are_left_out(
    office: Client, process: Process, pair: list[Contribution]
) -> None:
    elsewhere = give(make_process(status=Status.OPEN), 3)
    answers = ticked(pair[0], elsewhere) | {"keep": pair[0].pk, "reason": "x", "confirm": "1"}
    office.post(page_of(process), answers)
    assert not Merge.objects.exists()
