"""A bag of money: a meeting shares it out by a procedure that was public beforehand, and it is written down."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from accounts.verdict import Refused
from budgets import actions, permissions
from budgets.assessing import duties
from budgets.models import Count, Grant, Meeting, Project, Round
from participation import clock
from participation.actions import files
from participation.choices import Status
from participation.files import is_public
from participation.frozen import amending
from participation.models import Process
from tests.accounts.factories import make_district
from tests.budgets import factories as make
from tests.budgets.test_admin_vote import at_work
from tests.filled import form_with

pytestmark = pytest.mark.django_db

PROCEDURE = "Alle over 15 år på øen kan komme. Hver får tre mærker at sætte."


@pytest.fixture
def process():
    process = make.make_budget(
        decided_by="meeting", procedure=PROCEDURE, total=100_000, max_cost=60_000, last="meeting"
    )
    for price in (60_000, 40_000, 30_000):
        make.make_project(process, price=price)
    make.make_project(process, price=20_000, assessment="not_feasible")
    return process


def ids(process):
    ready = Project.objects.ready().filter(contribution__process=process)
    return list(ready.order_by("contribution__published_at", "pk").values_list("pk", flat=True))


def record(process, *amounts, **fields):
    return actions.record_meeting(
        process=process,
        **{
            "by": process.owner,
            "held_at": clock.now() - timedelta(hours=2),
            "place": "Orø Forsamlingshus",
            "participants": 84,
            "how": "Tre mærker til hver. De to med flest fik penge.",
            "minutes": "Der var kaffe.",
            "grants": dict(zip(ids(process), amounts, strict=False)),
        }
        | fields,
    )


def code_of(*args, **kwargs):
    with pytest.raises(Refused) as caught, transaction.atomic():
        record(*args, **kwargs)
    return caught.value.code


def test_what_the_meeting_gave_stands_where_a_vote_would(process):
    record(process, 60_000, 0, 25_000)
    round = Round.objects.get()
    assert (round.kind, round.state, round.ballot_count) == ("meeting", "counted", 0)
    assert sorted(round.ballot_projects.values_list("number", flat=True)) == ["1", "2", "3"]
    assert round.count.winners == ["1", "3"]
    assert round.count.spent == 85_000
    (pot,) = round.count.outcome["pots"]
    assert {number: Decimal(amount) for number, amount in pot["amounts"].items()} == {
        "1": 60_000,
        "3": 25_000,
    }
    assert set(Grant.objects.values_list("amount", flat=True)) == {60_000, 25_000}


@pytest.mark.parametrize(
    ("amounts", "fields", "code"),
    [
        ((60_000, 40_000, 1), {}, "over_total"),
        ((60_001,), {}, "over_price"),
        ((-1,), {}, "amount"),
        ((Decimal("0.001"),), {}, "amount"),
        ((Decimal("NaN"),), {}, "amount"),
        ((), {}, "no_grants"),
        ((0, 0), {}, "no_grants"),
        ((1,), {"grants": {10**9: 5}}, "unknown_project"),
        ((1,), {"participants": 0}, "participants"),
        ((1,), {"participants": True}, "participants"),
        ((1,), {"how": " "}, "empty"),
        ((1,), {"place": ""}, "empty"),
        ((1,), {"minutes": ""}, "minutes"),
        ((1,), {"minutes": "x" * 20_001}, "too_long"),
        ((1,), {"held_at": clock.now() + timedelta(days=1)}, "held_at"),
        ((1,), {"held_at": clock.now() - timedelta(days=9)}, "held_at"),
        ((1,), {"minutes": "", "minutes_file": (b"\x00\x01", "referat.exe")}, None),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(process, amounts, fields, code):
    assert code_of(process, *amounts, **fields) == code or code is None
    assert not Round.objects.exists()
    assert not Meeting.objects.exists()
    assert not Project.objects.exclude(number="").exists()


def test_each_pot_holds_its_own_and_the_tables_keep_it():
    north = make_district(name="Nordby")
    pots = [
        {"name": "Hele øen", "district": None, "total": 60_000},
        {"name": "Nord", "district": north.pk, "total": 40_000},
    ]
    process = make.make_budget(
        decided_by="meeting", procedure=PROCEDURE, total=100_000, max_cost=60_000, pots=pots, last="meeting"
    )
    city, nord = process.citizenbudget.pots.all()
    for pot in (city, nord, nord):
        make.make_project(process, price=30_000, pot=pot)
    assert code_of(process, 30_000, 30_000, 15_000) == "over_total"
    meeting = record(process, 30_000, 30_000, 10_000)
    parts = {part["pot"]: part["spent"] for part in Count.objects.get().outcome["pots"]}
    assert {key: Decimal(spent) for key, spent in parts.items()} == {"hele-oeen": 30_000, "nord": 40_000}

    def give_more():
        meeting.grants.filter(project__pot=nord).update(amount=30_000)
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="more than there is"), transaction.atomic():
        give_more()


def test_projects_that_exclude_each_other_are_not_both_given_money(process):
    for project in Project.objects.filter(pk__in=ids(process)[:2]):
        actions.assess_project(
            project=project,
            by=process.owner,
            assessment="feasible",
            price=30_000,
            municipal_matter=True,
            alternative="Havnen",
        )
    assert code_of(process, 30_000, 30_000) == "alternatives"
    record(process, 30_000, 0, 30_000)


def test_it_is_recorded_from_the_meeting_until_the_council_has_decided(process):
    assert code_of(process, 1, by=make.make_staff()) == "other_unit"
    assert code_of(process, 1, by=make.make_staff(Role.COUNCILLOR, unit=process.unit)) == "role"
    early = process.phases.get(kind="meeting").interval.lower - timedelta(seconds=1)
    assert permissions.can_record_meeting(process.owner, process, at=early).code == "too_early"
    record(process, 60_000)
    record(process, 0, 40_000, participants=85)  # written down wrong the first time
    assert Round.objects.get().count.winners == ["2"]
    assert Meeting.objects.get().participants == 85
    make.put_in(process, Status.CLOSED)
    assert not permissions.can_assess(process.owner, Project.objects.get(number="1"))
    actions.decide_projects(
        process=process,
        by=process.owner,
        decisions=[
            {"project": number, "funded": number == "2", "amount": None, "reason": ""}
            for number in ("1", "2", "3")
        ],
    )
    assert code_of(process, 60_000) == "decided"


def test_a_budget_decided_by_vote_has_no_meeting_to_write_down():
    process = make.make_round().process
    assert permissions.can_record_meeting(process.owner, process).code == "by_vote"


def test_the_council_waits_for_the_meeting(process):
    make.put_in(process, Status.CLOSED)
    assert permissions.can_decide_projects(process.owner, process).code == "no_meeting"
    record(process, 60_000)
    assert permissions.can_decide_projects(process.owner, process)


def test_writing_it_down_is_a_duty_until_done(process):
    assert [duty.kind for duty in duties([process])] == ["record_meeting"]
    record(process, 60_000)
    assert list(duties([process])) == []


def test_the_procedure_stands_fast_from_approval(process):
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        type(process.citizenbudget).objects.update(procedure="Vi bestemmer selv")
    record(process, 60_000)
    with transaction.atomic(), amending(process), pytest.raises(IntegrityError):
        type(process.citizenbudget).objects.update(procedure="Vi bestemmer selv")


def test_minutes_as_a_file_are_public_with_the_result(process, tmp_path, settings):
    meeting = record(process, 60_000, minutes="", minutes_file=(b"Referat af moedet.\n", "referat.txt"))
    assert meeting.minutes_file is not None
    assert is_public(meeting.minutes_file)
    again = record(process, 0, 40_000, minutes="Rettet.")
    assert again.minutes_file == meeting.minutes_file
    loose = files.store_file(data=b"Noget andet.\n", name="andet.txt", by=process.owner)
    assert not is_public(loose)


def test_written_down_through_the_page(process):
    client = at_work(process)
    address = reverse("admin:budget-meeting", args=[process.pk])
    page = client.get(address).content.decode()
    assert PROCEDURE in page
    first, second, third = ids(process)
    now = clock.now() - timedelta(hours=1)
    typed = form_with(page, "place") | {
        "held_on": now.date().isoformat(),
        "held_hour": now.astimezone().strftime("%H:%M"),
        "place": "Forsamlingshuset",
        "participants": "84",
        "how": "Med mærker.",
        "minutes": "Der var kaffe.",
        f"grant_{first}": "60.000",
        f"grant_{second}": "40.001",
    }
    assert client.post(address, typed).status_code == 200
    assert not Meeting.objects.exists()
    answer = client.post(address, typed | {f"grant_{second}": "40.000", f"grant_{third}": ""})
    assert answer.status_code == 302, answer.content.decode()
    assert Count.objects.get().winners == ["1", "2"]
    assert "60.000" in client.get(address).content.decode()
    assert Process.objects.get().rounds.count() == 1


def test_the_result_page_says_who_came_how_and_what_was_given(process, in_english):
    record(process, 60_000, 0, 25_000)
    answer = Client().get(reverse("budgets:result", args=[process.slug]))
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 200
    for words in (PROCEDURE, "Tre mærker til hver.", "Orø Forsamlingshus", "84", "Der var kaffe."):
        assert words in page
    assert page.count("A part of the") == 1  # the third got less than it costs
    assert "Got no money at the meeting" in page
    assert Project.objects.get(number="2").contribution.title in page
    assert "projects won" not in page
    assert "25.000" in page or "25,000" in page
    assert "people voted" not in page
    assert "Count it again yourself" not in page
    front = Client().get(process.get_absolute_url())
    assert front.status_code == 200
    assert "A meeting shares the money out like this" in " ".join(front.content.decode().split())
