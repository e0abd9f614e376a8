"""Every staff page opens for those who work there, and only for them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from participation import clock
from participation.actions import contributions as giving
from participation.choices import Status
from participation.models import Contribution
from tests.accounts.factories import make_district, make_staff, make_unit
from tests.factories import make_process

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def give(process, number=1, **fields) -> Contribution:
    """A project with its row, as it came in."""
    made = giving.record_for_someone(
        process=process,
        by=process.owner,
        channel="telephone",
        received_on=clock.today(),
        author_name="Inger Holm",
        title=f"En bænk ved søen {number}",
        body="Så kan man hvile sig på vejen hjem.",
        detail={"why": "Der er langt.", "cost_lines": [{"text": "Bænk", "amount": 12000}]},
    )
    if fields:
        Contribution.objects.filter(pk=made.pk).update(**fields)
        made.refresh_from_db()
    return made


@pytest.fixture
def unit():
    return make_unit()


@pytest.fixture
def worker(unit):
    return make_staff(Role.CASEWORKER, units=[unit])


@pytest.fixture
def manager(unit):
    return make_staff(Role.MANAGER, units=[unit])


@pytest.fixture
def open_process(unit, worker, manager):
    return make_process(status=Status.OPEN, unit=unit, author=worker, manager=manager)


UNDER_A_PROCESS = (
    "process-overview", "process-setup", "process-preview", "process-copy", "process-handover", "process-history",
    "process-preconditions", "process-amend", "process-extend", "process-correct", "process-contributions",
    "process-record", "process-questions", "process-result", "process-decide", "process-impact",
    "process-nothing-changed", "process-told-outside", "process-news", "budget-projects", "budget-vote",
    "budget-decide",
)  # fmt: skip
ABOVE = ("index", "settings", "moderation", "questions", "process-list", "process-new")


@pytest.mark.parametrize("name", ABOVE)
def test_the_pages_above_open_for_a_caseworker(worker, open_process, name):
    assert signed_in(worker).get(reverse(f"admin:{name}")).status_code == 200


@pytest.mark.parametrize("name", UNDER_A_PROCESS)
@pytest.mark.parametrize("status", [Status.DRAFT, Status.OPEN, Status.DECIDED])
def test_the_pages_of_a_process_open_for_its_caseworker(unit, worker, manager, status, name):
    process = make_process(status=status, unit=unit, author=worker, manager=manager)
    answer = signed_in(worker).get(reverse(f"admin:{name}", args=[process.pk]))
    assert answer.status_code == 200


def test_the_pages_of_a_contribution_open(worker, open_process):
    given = give(open_process)
    client = signed_in(worker)
    for name in ("process-contribution", "budget-assess"):
        answer = client.get(reverse(f"admin:{name}", args=[open_process.pk, given.public_id]))
        assert answer.status_code == 200
        assert "En bænk ved søen" in answer.content.decode()


@pytest.mark.parametrize("name", UNDER_A_PROCESS)
def test_another_units_draft_does_not_exist(name, open_process):
    stranger = make_staff(Role.CASEWORKER, units=[make_unit()])
    draft = make_process(status=Status.DRAFT)
    assert signed_in(stranger).get(reverse(f"admin:{name}", args=[draft.pk])).status_code == 404
    public = signed_in(stranger).get(reverse(f"admin:{name}", args=[open_process.pk])).status_code
    assert public == (200 if name in {"process-overview", "process-history", "process-preview"} else 403)


@pytest.mark.parametrize("role", [Role.COUNCILLOR, Role.POLLING_OFFICER])
def test_some_staff_have_no_business_here(role, open_process):
    client = signed_in(make_staff(role))
    start = client.get(reverse("admin:index"))
    assert (start.status_code, start.url) == (302, reverse("accounts:my-page"))
    for name in set(ABOVE) - {"index"}:
        assert client.get(reverse(f"admin:{name}")).status_code == 403
    for name in UNDER_A_PROCESS:
        assert client.get(reverse(f"admin:{name}", args=[open_process.pk])).status_code == 403


def test_nobody_is_let_in_without_signing_in(open_process):
    answer = Client().get(reverse("admin:process-overview", args=[open_process.pk]))
    assert answer.status_code == 302
    assert "/konto/" in answer.url or "login" in answer.url


@pytest.mark.parametrize("name", ["process-check", "process-go-on"])
def test_what_writes_is_post_only(worker, open_process, name):
    assert signed_in(worker).get(reverse(f"admin:{name}", args=[open_process.pk])).status_code == 405


def test_a_forged_post_is_refused(worker, unit):
    process = make_process(unit=unit, author=worker)
    client = Client(enforce_csrf_checks=True)
    client.force_login(worker)
    for name in ("process-setup", "process-go-on", "process-copy", "process-news"):
        assert client.post(reverse(f"admin:{name}", args=[process.pk])).status_code == 403


@pytest.mark.parametrize("rows", [10, 1000])
def test_lists_ask_the_same_however_long_they_are(rows, worker, open_process, django_assert_max_num_queries):
    first = give(open_process)
    now = clock.now()
    Contribution.objects.bulk_create(
        Contribution(
            process=open_process,
            author_name=f"Person {number}",
            title=f"Idé {number}",
            body="Den er god.",
            channel="letter",
            received_on=clock.today(),
            created_at=now - timedelta(minutes=number),
            moderation="pending",
        )
        for number in range(rows - 1)
    )
    client = signed_in(worker)
    assert first.pk
    for name, args, most in (
        ("admin:process-contributions", [open_process.pk], 16),
        ("admin:moderation", [], 9),
        ("admin:index", [], 26),
        ("admin:process-list", [], 9),
        ("admin:budget-projects", [open_process.pk], 13),
    ):
        with django_assert_max_num_queries(most):
            assert client.get(reverse(name, args=args)).status_code == 200


def queries(client, address) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_the_start_page_asks_the_same_for_few_and_many_processes(unit, worker, manager):
    client = signed_in(worker)
    for status in (Status.DRAFT, Status.IN_REVIEW, Status.OPEN, Status.DECIDED):
        make_process(status=status, unit=unit, author=worker, manager=manager)
    few = queries(client, reverse("admin:index"))
    for status in (Status.DRAFT, Status.IN_REVIEW, Status.OPEN, Status.DECIDED) * 2:
        make_process(status=status, unit=unit, author=worker, manager=manager)
    assert queries(client, reverse("admin:index")) == few


def test_the_set_up_form_asks_the_same_for_few_and_many_rows(unit, worker):
    from participation.actions.process import update_process

    process = make_process(unit=unit, author=worker)
    client = signed_in(worker)
    address = reverse("admin:process-setup", args=[process.pk])
    promise = {"unit": unit, "what": "Levere", "said_yes_on": None}
    process = update_process(
        process=process, by=worker, version=process.version, rows={"internal_promises": [promise]}
    )
    few = queries(client, address)
    points = [{"kind": "open", "text": f"Punkt {number}"} for number in range(30)]
    promises = [{"unit": unit, "what": f"Levere {number}", "said_yes_on": None} for number in range(20)]
    update_process(
        process=process,
        by=worker,
        version=process.version,
        rows={"frame_points": points, "internal_promises": promises},
    )
    assert queries(client, address) == few


def test_districts_of_the_same_name_are_told_apart(db):
    school, polling = (make_district(name="Åholm", kind=kind) for kind in ("school", "polling"))
    draft = make_process(status=Status.DRAFT)
    client = signed_in(make_staff(Role.CASEWORKER, units=[draft.unit]))
    page = client.get(reverse("admin:process-setup", args=[draft.pk])).content.decode()
    assert school.name_and_kind != polling.name_and_kind
    assert (
        page.count(school.name_and_kind) == page.count(polling.name_and_kind) == 6
    )  # touches, propose, vote, three pots
