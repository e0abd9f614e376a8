"""The vote as staff see it: numbers only, sealed, counted, a lot where a tie stops it, and the council's word."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from celery.exceptions import SoftTimeLimitExceeded
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from budgets import actions, tasks
from budgets.actions import counting
from budgets.models import Count, Lot, Project, ProjectDecision, Round
from participation import clock
from participation.choices import Status
from tests.accounts.factories import make_staff, make_unit
from tests.budgets.factories import close, make_budget, make_project, make_round, put_in, seal, vote
from tests.filled import form_with

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def at_work(process) -> Client:
    """The caseworker who owns the process, with a second factor."""
    TOTP.activate(process.owner, generate_totp_secret())
    return signed_in(process.owner)


def text(client, name, *args) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def tied():
    """Two projects with the same votes and price, money for one of them; sealed."""
    round = make_round([300_000, 300_000], max_cost=300_000, total=300_000)
    vote(round, "1", times=2)
    vote(round, "2", times=2)
    return seal(round)


def test_while_voting_only_the_number_of_voters_is_shown():
    round = make_round()
    vote(round, "1", times=3)
    client = at_work(round.process)
    html = text(client, "admin:budget-vote", round.process.pk)
    assert "<dd>0</dd>" in html  # the number moves once an hour
    actions.count_turnout(round=round, at=clock.now() + timedelta(hours=1))
    html = text(client, "admin:budget-vote", round.process.pk)
    assert "<dd>3</dd>" in html
    assert not any(p.contribution.title in html for p in Project.objects.select_related("contribution"))
    assert reverse("admin:budget-seal", args=[round.process.pk, 1]) not in html
    assert "step-off-reason" in html
    refused = client.post(reverse("admin:budget-seal", args=[round.process.pk, 1]))
    assert refused.status_code == 200
    assert Round.objects.get().state == Round.State.VOTING


def test_seal_and_count_by_the_buttons():
    round = make_round()
    vote(round, "1", times=3)
    close(round)
    client = at_work(round.process)
    assert client.get(reverse("admin:budget-seal", args=[round.process.pk, 1])).status_code == 200
    assert Round.objects.get().state == Round.State.VOTING  # asking is not doing
    assert client.post(reverse("admin:budget-seal", args=[round.process.pk, 1])).status_code == 302
    assert client.post(reverse("admin:budget-count", args=[round.process.pk, 1])).status_code == 302
    assert Round.objects.get().state == Round.State.COUNTED
    assert text(client, "admin:budget-vote", round.process.pk)


def test_a_tie_stops_the_count_until_the_lot_is_recorded(tied):
    client = at_work(tied.process)
    client.post(reverse("admin:budget-count", args=[tied.process.pk, 1]))
    lot = reverse("admin:budget-lot", args=[tied.process.pk, 1])
    assert lot in text(client, "admin:budget-vote", tied.process.pk)
    local = timezone.localtime(clock.now())
    typed = {
        "place_1": "2",
        "place_2": "1",
        "drawn_on": local.date().isoformat(),
        "drawn_hour": f"{local:%H:%M}",
        "how": "Sedler fra en pose",
        "witnesses": "Borgmesteren og to borgere",
    }
    assert client.post(lot, typed | {"place_2": "2"}).status_code == 200  # each is drawn once
    assert client.post(lot, typed | {"how": ""}).status_code == 200
    assert not Lot.objects.exists()
    Round.objects.update(sealed_at=clock.now() - timedelta(hours=2))
    assert client.post(lot, typed).status_code == 302, "recorded"
    assert Lot.objects.get().order == ["2", "1"]
    assert Round.objects.get().count.winners == ["2"]


@pytest.fixture
def large(monkeypatch):
    """Equal Shares from three ballots on is counted by a task."""
    monkeypatch.setattr(counting, "COUNT_APART_FROM", 3)
    hints = []
    monkeypatch.setattr(tasks.count_rounds, "delay", lambda: hints.append(1))
    return hints


def test_a_large_equal_shares_count_is_left_to_a_task(large, django_capture_on_commit_callbacks):
    round = make_round([300_000, 200_000], counting_rule="equal-shares")
    vote(round, "1", times=3)
    round = seal(round)
    client = at_work(round.process)
    address = reverse("admin:budget-count", args=[round.process.pk, 1])
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(address).status_code == 302
    assert large == [1]
    assert not Count.objects.exists()
    page = text(client, "admin:budget-vote", round.process.pk)
    assert address not in page
    assert "step-off-reason" in page
    assert client.post(address).status_code == 200  # asked for already
    assert tasks.count_rounds() == 1
    assert Count.objects.get().winners == ["1"]
    assert Count.objects.get().counted_by == round.process.owner
    assert Round.objects.get().count_asked_at is None
    assert tasks.count_rounds() == 0


def test_a_count_that_fails_in_the_task_can_be_asked_for_again(large, monkeypatch):
    round = make_round([300_000], counting_rule="equal-shares")
    vote(round, "1", times=3)
    round = seal(round)
    assert counting.ask_for_count(round=round, by=round.process.owner) is None

    def fails(**_asked):
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patch:
        patch.setattr(counting, "count_round", fails)
        assert tasks.count_rounds() == 0
    assert Round.objects.get().count_asked_at is None
    assert counting.ask_for_count(round=round, by=round.process.owner) is None
    assert tasks.count_rounds() == 1


def test_a_small_count_is_made_at_once(large):
    round = make_round([300_000], counting_rule="equal-shares")
    vote(round, "1", times=2)
    assert counting.ask_for_count(round=seal(round), by=round.process.owner).winners == ["1"]


def test_the_council_differs_only_with_a_reason():
    round = make_round([100_000, 100_000])
    vote(round, "1", times=2)
    vote(round, "2", times=1)
    round = seal(round)
    actions.count_round(round=round, by=round.process.owner)
    put_in(round.process, Status.CLOSED)
    client = at_work(round.process)
    address = reverse("admin:budget-decide", args=[round.process.pk])
    form = form_with(text(client, "admin:budget-decide", round.process.pk), "amount_1")
    assert form["funded_1"] == ["on"]
    without = {name: value for name, value in form.items() if name != "funded_1"}
    assert client.post(address, without).status_code == 200
    assert not ProjectDecision.objects.exists()
    assert client.post(address, without | {"reason_1": "Stedet er solgt."}).status_code == 302
    decided = {d.project.number: d.funded for d in ProjectDecision.objects.select_related("project")}
    assert decided == {"1": False, "2": True}


def test_assessing_says_what_is_missing_and_saves_what_is_right():
    process = make_budget()
    project = make_project(process, assessment="undecided")
    client = at_work(process)
    address = reverse("admin:budget-assess", args=[process.pk, project.contribution.public_id])
    assert client.post(address, {"assessment": "feasible", "price": ""}).status_code == 200
    assert client.post(address, {"assessment": "not_feasible", "explanation": ""}).status_code == 200
    assert client.post(address, {"assessment": "feasible", "price": "ti tusind"}).status_code == 200
    assert client.post(address, {"assessment": "feasible", "price": "45.000"}).status_code == 200
    project.refresh_from_db()
    assert project.assessment == "undecided"
    assert (
        client.post(
            address, {"assessment": "feasible", "price": "45.000", "municipal_matter": "yes"}
        ).status_code
        == 302
    )
    project.refresh_from_db()
    assert (project.assessment, int(project.price)) == ("feasible", 45_000)


@pytest.mark.parametrize("name", ["budget-seal", "budget-count", "budget-lot"])
def test_another_units_vote_is_not_touched(name):
    round = make_round()
    close(round)
    stranger = signed_in(make_staff(Role.CASEWORKER, units=[make_unit()]))
    answer = stranger.post(reverse(f"admin:{name}", args=[round.process.pk, 1]))
    assert answer.status_code == 403
    assert Round.objects.get().state == Round.State.VOTING
