"""Carrying out: the plan, what became of the promises, how it goes, and what the database itself refuses."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.formats import date_format

from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions
from budgets.actions import implementation as carrying
from budgets.models import (
    AccountEntry,
    ExtraGrant,
    Implementation,
    Payment,
    Progress,
    ProgressNote,
    ProjectDecision,
    Promise,
)
from participation import clock
from participation.actions import following
from participation.choices import Status
from participation.lifecycle import perform
from participation.models import Contribution, Notice, Process
from tests.accounts.factories import make_citizen, make_unit
from tests.budgets.carrying import colleague, decide, decided, photo, planned, published, receipt
from tests.budgets.factories import make_budget, make_project, make_staff, put_in, seal, vote

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def one():
    return decided()[0]


@pytest.fixture
def owner(one):
    return one.project.contribution.process.owner


def refused(action, **arguments):
    with pytest.raises(Refused) as caught:
        action(**arguments)
    assert caught.value.reason
    return caught.value.code


def again(one):
    return Implementation.objects.with_project().get(pk=one.pk)


def pay(one, owner, amount, **options):
    return carrying.record_payment(
        implementation=one,
        by=owner,
        amount=amount,
        paid_on=clock.today(),
        text=options.pop("text", "Materialer"),
        **options,
    )


# From the decision


def test_the_decision_begins_each_project_with_what_it_promised(one):
    assert (one.planned, one.granted, one.left) == (100_000, 100_000, 100_000)
    assert [promise.text for promise in one.promises.all()] == ["Materialer"]
    assert (one.status, one.promised_at) == (Progress.ON_TIME, None)


def test_beginning_again_changes_nothing(one, owner):
    process = one.project.contribution.process
    carrying.write_promises(implementation=one, by=owner, promises=["En bænk", "Et bord"])
    assert carrying.begin_implementations(process=process, by=None) == []
    assert [promise.text for promise in one.promises.all()] == ["En bænk", "Et bord"]


def test_decisions_from_before_are_begun_later(one):
    process = one.project.contribution.process
    Implementation.objects.all().delete()
    assert len(carrying.begin_implementations(process=process, by=None)) == 2
    assert Implementation.objects.count() == ProjectDecision.objects.filter(funded=True).count() == 2


def test_a_new_decision_changes_the_grant_but_never_below_what_is_paid(one, owner):
    process = one.project.contribution.process
    decide(process, p1=80_000)
    assert again(one).granted == 80_000
    pay(published(one), owner, 60_000)
    with pytest.raises(Refused) as caught:
        decide(process, p1=50_000)
    assert caught.value.code == "already_paid"
    assert again(one).granted == 80_000


def test_the_council_takes_a_project_back(one):
    process = one.project.contribution.process
    other = decided_other(process, one)
    published(other)
    decide(process, "1", "2")
    assert not Implementation.objects.filter(pk=one.pk).exists()  # nothing was published
    other = again(other)
    assert (other.status, other.why, other.left) == (Progress.GIVEN_UP, "Byrådet ville noget andet.", 0)


def test_the_council_takes_back_what_it_gave_against_the_vote(one, owner):
    """Then the decision says the same as the vote, and has no reason of its own."""
    process = one.project.contribution.process
    count = process.rounds.get().count
    count.winners = ["2"]
    count.save()
    decide(process)
    published(one)
    decide(process, "1")
    assert again(one).status == Progress.GIVEN_UP
    assert again(one).why


def test_what_was_told_before_the_plan_stays_when_the_council_takes_the_project_back(one, owner):
    process = one.project.contribution.process
    carrying.tell_news(implementation=one, by=owner, title="Vi holder møde", text="På tirsdag.")
    decide(process, "1")
    assert again(one).status == Progress.GIVEN_UP
    assert one.notes.filter(title="Vi holder møde").exists()


def test_a_decision_corrected_after_the_end_changes_what_went_back(one, owner):
    process = one.project.contribution.process
    one = published(one)
    pay(one, owner, 60_000)
    carrying.change_status(implementation=one, by=owner, status=Progress.GIVEN_UP, why="Grunden blev solgt.")
    decide(process, p1=70_000)
    assert (again(one).granted, again(one).returned, again(one).left) == (70_000, 10_000, 0)


def decided_other(process, one):
    return Implementation.objects.exclude(pk=one.pk).get(project__contribution__process=process)


def test_a_process_called_off_after_the_decision_was_written_down_carries_nothing_out():
    process = make_budget(total=200_000, max_cost=None)
    for price in (100_000, 50_000):
        make_project(process, price=price)
    round = actions.open_round(process=process, by=None)
    vote(round, "1")
    actions.count_round(round=seal(round), by=None)
    put_in(Process.objects.get(pk=process.pk), Status.CLOSED)
    decide(process)
    first, second = Implementation.objects.with_project().order_by("project__number")
    pay(published(first), process.owner, 30_000)
    manager = colleague(first, Role.MANAGER)
    perform(
        process=Process.objects.get(pk=process.pk), name="cancel", by=manager, comment="Grunden er solgt."
    )
    assert not Implementation.objects.filter(pk=second.pk).exists()
    first = again(first)
    assert (first.status, first.why, first.returned) == (Progress.GIVEN_UP, "Grunden er solgt.", 70_000)


# Who may


def test_only_the_unit_and_only_casework(one):
    elsewhere = make_staff(unit=make_unit())
    for user in (
        elsewhere,
        make_citizen(),
        colleague(one, Role.COUNCILLOR),
        colleague(one, Role.ADMINISTRATOR),
    ):
        code = refused(carrying.write_promises, implementation=one, by=user, promises=["Guld"])
        assert code in {"role", "other_unit"}
    carrying.write_promises(implementation=one, by=colleague(one), promises=["En bænk"])
    assert not Promise.objects.filter(text="Guld").exists()


# The plan


def test_a_plan_is_published_only_when_it_says_what_who_and_when(one, owner):
    assert refused(carrying.publish_plan, implementation=one, by=owner) == "no_carrier"
    one = planned(one)
    one.milestones.all().delete()
    assert refused(carrying.publish_plan, implementation=one, by=owner) == "no_milestones"
    carrying.add_milestone(implementation=one, by=owner, title="Klar", planned_on=clock.today())
    carrying.publish_plan(implementation=one, by=owner)
    assert refused(carrying.publish_plan, implementation=one, by=owner) == "published"


def test_what_was_published_is_never_rewritten(one, owner):
    one = published(one)
    assert refused(carrying.write_promises, implementation=one, by=owner, promises=["x"]) == "published"
    promise = one.promises.get()
    for attempt in (
        lambda: Promise.objects.filter(pk=promise.pk).update(text="Noget mindre"),
        lambda: Promise.objects.filter(pk=promise.pk).delete(),
        lambda: Implementation.objects.filter(pk=one.pk).update(promised_at=None),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()
    assert one.promises.get().text == "Materialer"


def test_adding_and_taking_out_later_leaves_a_public_trace(one, owner):
    one = published(one)
    added = carrying.add_promise(
        implementation=one, by=owner, text="En rampe", because="Handicaprådet bad om den."
    )
    carrying.take_out_promise(promise=added, by=owner, because="Den findes allerede.")
    kinds = list(one.notes.shown().values_list("kind", "title", "text"))
    assert ("promise_added", "En rampe", "Handicaprådet bad om den.") in kinds
    assert ("taken_out", "En rampe", "Den findes allerede.") in kinds
    assert refused(carrying.add_promise, implementation=one, by=owner, text="Y", because=" ") == "empty"
    assert refused(carrying.deliver_promise, promise=added, by=owner, on=clock.today()) == "settled"


def test_a_moved_milestone_says_why(one, owner):
    one = published(one)
    milestone = one.milestones.get()
    later = clock.today() + timedelta(days=90)
    assert (
        refused(carrying.move_milestone, milestone=milestone, by=owner, planned_on=later, because="")
        == "empty"
    )
    carrying.move_milestone(milestone=milestone, by=owner, planned_on=later, because="Frosten kom.")
    milestone.refresh_from_db()
    assert milestone.planned_on == later
    assert milestone.first_planned_on < later
    assert one.notes.filter(kind="moved", text="Frosten kom.").exists()


def test_contact_and_signature_are_forgotten_a_year_after_the_end(one, owner):
    one = published(one)
    carrying.change_status(implementation=one, by=owner, status=Progress.GIVEN_UP, why="Grunden blev solgt.")
    assert carrying.forget_contacts() == 0
    with clock.frozen(clock.now() + timedelta(days=366)):
        assert carrying.forget_contacts() == 1
        assert carrying.forget_contacts() == 0
    assert again(one).contact_name == ""


# How it goes


def test_done_takes_every_promise_delivered_or_dropped_because(one, owner):
    one = published(one)
    assert (
        refused(carrying.change_status, implementation=one, by=owner, status=Progress.DONE) == "promises_open"
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Implementation.objects.filter(pk=one.pk).update(status="done", ended_on=clock.today())
    promise = one.promises.get()
    assert refused(carrying.drop_promise, promise=promise, by=owner, because="  ") == "empty"
    carrying.drop_promise(promise=promise, by=owner, because="Der var ikke plads.")
    pay(one, owner, 30_000)
    carrying.change_status(implementation=one, by=owner, status=Progress.DONE)
    one = again(one)
    assert (one.returned, one.left, one.ended_on) == (70_000, 0, clock.today())


def test_a_delay_says_why_and_until_when(one, owner):
    one = published(one)
    about = {"implementation": one, "by": owner, "status": Progress.DELAYED}
    soon = clock.today() + timedelta(days=60)
    assert refused(carrying.change_status, **about, why="", expected_on=soon) == "empty"
    assert refused(carrying.change_status, **about, why="Frost", expected_on=None) == "no_date"
    assert refused(carrying.change_status, **about, why="Frost", expected_on=clock.today()) == "in_past"
    carrying.change_status(**about, why="Frosten gik dybt.", expected_on=soon)
    note = one.notes.filter(kind="status").get()
    assert (note.status, note.text, note.expected_on) == ("delayed", "Frosten gik dybt.", soon)
    carrying.change_status(implementation=one, by=owner, status=Progress.ON_TIME, why="Vi har indhentet det.")
    assert [each.status for each in one.notes.filter(kind="status")] == ["on_time", "delayed"]


def test_what_was_given_up_is_taken_up_again_with_its_money(one, owner):
    one = published(one)
    pay(one, owner, 10_000)
    carrying.change_status(implementation=one, by=owner, status=Progress.GIVEN_UP, why="Ingen kræfter.")
    assert refused(pay, one=one, owner=owner, amount=1) == "ended"
    assert again(one).returned == 90_000
    assert refused(carrying.change_status, implementation=one, by=owner, status=Progress.ON_TIME) == "empty"
    carrying.change_status(implementation=one, by=owner, status=Progress.ON_TIME, why="Nye kræfter.")
    assert (again(one).left, again(one).ended_on) == (90_000, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "delayed", "expected_on": "2030-01-01"},
        {"status": "delayed", "why": "Frost", "expected_on": None},
        {"status": "given_up", "ended_on": "2030-01-01"},
        {"status": "on_time", "returned": 5},
        {"granted": -1},
        {"returned": 100_001, "status": "given_up", "why": "x", "ended_on": "2030-01-01"},
    ],
)
def test_the_database_refuses_what_the_actions_would_never_write(one, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Implementation.objects.filter(pk=one.pk).update(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "dropped", "settled_on": "2030-01-01"},
        {"state": "taken_out", "settled_on": "2030-01-01"},
        {"state": "delivered"},
        {"added_late": True},
        {"text": ""},
    ],
)
def test_a_promise_without_its_reason_is_refused_by_the_database(one, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Promise.objects.filter(implementation=one).update(**fields)


# The money


def test_payments_stop_at_the_grant_and_go_on_after_a_later_one(one, owner):
    one = published(one)
    pay(one, owner, 99_999)
    assert refused(pay, one=one, owner=owner, amount=Decimal("1.01")) == "over_grant"
    carrying.grant_extra(
        implementation=one, by=owner, amount=500, reason="Prisen steg.", decided_on=clock.today()
    )
    pay(one, owner, Decimal("501.00"))
    one = again(one)
    assert (one.total_granted, one.paid, one.left) == (100_500, 100_500, 0)
    assert one.notes.filter(kind="extra_grant", text="Prisen steg.").exists()


def test_the_database_itself_stops_a_payment_above_the_grant(one, owner):
    one = published(one)
    line = {"implementation": one, "paid_on": clock.today(), "text": "x", "recorded_by": owner}
    with pytest.raises(IntegrityError, match="within_grant"), transaction.atomic():
        Payment.objects.create(amount=100_001, recorded_at=clock.now(), **line)
    with pytest.raises(IntegrityError, match="kept by the database"), transaction.atomic():
        Implementation.objects.filter(pk=one.pk).update(paid=0, extra=10**6)
    assert again(one).paid == 0


def test_payments_and_grants_are_never_rewritten(one, owner):
    one = published(one)
    payment = pay(one, owner, 100)
    grant = carrying.grant_extra(implementation=one, by=owner, amount=1, reason="x", decided_on=clock.today())
    for rows in (Payment.objects.filter(pk=payment.pk), ExtraGrant.objects.filter(pk=grant.pk)):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(amount=7)
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.delete()


def test_a_wrong_payment_is_met_by_its_opposite_once(one, owner):
    one = published(one)
    wrong = pay(one, owner, 5_000)
    carrying.correct_payment(payment=wrong, by=owner, text="Tastefejl")
    assert refused(carrying.correct_payment, payment=wrong, by=owner, text="Igen") == "corrected"
    assert again(one).paid == 0
    assert list(one.payments.values_list("amount", flat=True)) == [5_000, -5_000]


def test_a_wrong_repayment_is_met_by_its_opposite_too(one, owner):
    one = published(one)
    pay(one, owner, 5_000)
    wrong = carrying.record_repayment(
        implementation=one, by=owner, amount=5_000, paid_on=clock.today(), text="Ikke brugt"
    )
    carrying.change_status(implementation=one, by=owner, status=Progress.GIVEN_UP, why="Ingen kræfter.")
    carrying.correct_payment(payment=wrong, by=owner, text="Der kom kun 500")
    carrying.record_repayment(implementation=one, by=owner, amount=500, paid_on=clock.today(), text="Rest")
    assert (again(one).paid, again(one).returned, again(one).left) == (4_500, 95_500, 0)
    assert sum(one.payments.values_list("amount", flat=True)) == 4_500


def test_no_more_comes_back_than_was_paid_also_after_the_end(one, owner):
    one = published(one)
    pay(one, owner, 5_000)
    carrying.change_status(implementation=one, by=owner, status=Progress.GIVEN_UP, why="Ingen kræfter.")
    back = {"implementation": one, "by": owner, "paid_on": clock.today(), "text": "Rest"}
    assert refused(carrying.record_repayment, amount=5_001, **back) == "over_paid"


def test_a_later_grant_that_was_written_wrongly_is_lowered_again_with_its_reason(one, owner):
    one = published(one)
    about = {"implementation": one, "by": owner, "decided_on": clock.today()}
    carrying.grant_extra(amount=50_000, reason="Prisen steg.", **about)
    carrying.lower_grant(amount=45_000, reason="Der stod et nul for meget.", **about)
    pay(one, owner, 104_000)
    assert (again(one).total_granted, again(one).left) == (105_000, 1_000)
    assert refused(carrying.lower_grant, amount=Decimal("1000.01"), reason="x", **about) == "already_paid"
    assert refused(carrying.lower_grant, amount=1, reason=" ", **about) == "empty"
    assert one.notes.shown().filter(text="Der stod et nul for meget.").exists()


def test_the_day_everyone_was_told_is_only_moved_as_a_delay(one, owner):
    soon = clock.today() + timedelta(days=30)
    one = published(one, expected_on=soon)
    plan = {"implementation": one, "by": owner, "carried_out_by": "municipality", "carrier": "Park og Vej"}
    later = soon + timedelta(days=90)
    assert refused(carrying.plan_implementation, expected_on=later, **plan) == "told"
    carrying.plan_implementation(expected_on=soon, **plan)
    carrying.change_status(
        implementation=one, by=owner, status=Progress.DELAYED, why="Frost", expected_on=later
    )
    assert again(one).expected_on == later


@pytest.mark.parametrize(
    "amount", [0, -5, Decimal("0.001"), Decimal("NaN"), Decimal("Infinity"), 10**13, 10**40]
)
def test_an_amount_that_is_none(one, owner, amount):
    assert refused(pay, one=published(one), owner=owner, amount=amount) == "amount"


def test_a_payment_needs_a_plan_and_a_day_that_has_been(one, owner):
    assert refused(pay, one=one, owner=owner, amount=5) == "no_plan"
    one = published(one)
    tomorrow = clock.today() + timedelta(days=1)
    code = refused(
        carrying.record_payment, implementation=one, by=owner, amount=5, paid_on=tomorrow, text="x"
    )
    assert code == "in_future"


# Citizens who carry it out


@pytest.fixture
def group():
    return make_citizen(first_name="Karen")


@pytest.fixture
def theirs(group):
    return published(decided(author=group)[0], by_citizens=True)


def spend(one, by, amount=400, **options):
    return carrying.enter_spending(
        implementation=one,
        by=by,
        amount=amount,
        spent_on=clock.today(),
        text="Brædder",
        **{"receipt": receipt(by)} | options,
    )


def test_money_goes_to_a_group_only_with_a_signed_agreement(group):
    one = decided(author=group)[0]
    owner = one.project.contribution.process.owner
    one = published(one, by_citizens=True, agreement_signed_on=None)
    assert refused(pay, one=one, owner=owner, amount=5) == "no_agreement"
    with pytest.raises(IntegrityError, match="have_agreement"), transaction.atomic():
        Payment.objects.create(
            implementation=one,
            amount=5,
            paid_on=clock.today(),
            text="x",
            recorded_by=owner,
            recorded_at=clock.now(),
        )


def test_the_group_tells_and_the_caseworker_confirms(theirs, group):
    owner = theirs.project.contribution.process.owner
    milestone = theirs.milestones.get()
    note = carrying.report_news(
        implementation=theirs,
        by=group,
        title="Bænken står",
        text="Kom og sid.",
        photo=photo(group),
        milestone=milestone,
    )
    assert not theirs.notes.shown().filter(pk=note.pk).exists()
    assert again(theirs).milestones.get().reached_on is None
    carrying.settle_note(note=note, by=owner, show=True)
    milestone.refresh_from_db()
    assert milestone.reached_on == clock.today()
    assert theirs.notes.shown().filter(pk=note.pk).exists()
    assert refused(carrying.settle_note, note=note, by=owner, show=True) == "settled"


def test_what_is_not_shown_says_why_to_the_group(theirs, group):
    owner = theirs.project.contribution.process.owner
    note = carrying.report_news(implementation=theirs, by=group, title="Nabo", text="Naboen er sur.")
    assert refused(carrying.settle_note, note=note, by=owner, show=False, because="") == "empty"
    carrying.settle_note(note=note, by=owner, show=False, because="Den handler om en privatperson.")
    told = Notice.objects.get(user=group, event__contains=f":note:{note.pk}")
    assert told.text.endswith("Den handler om en privatperson.")


def test_others_can_neither_tell_nor_spend(theirs):
    stranger = make_citizen()
    assert (
        refused(carrying.report_news, implementation=theirs, by=stranger, title="x", text="x")
        == "not_carrier"
    )
    assert refused(spend, one=theirs, by=stranger) == "role"


def test_where_the_municipality_carries_it_out_the_author_does_not_report(group):
    one = published(decided(author=group)[0])
    assert refused(carrying.report_news, implementation=one, by=group, title="x", text="x") == "not_carrier"


def test_accounts_settle_to_the_krone_with_four_eyes(theirs, group):
    owner = theirs.project.contribution.process.owner
    other = colleague(theirs)
    pay(theirs, owner, 1_000)
    assert refused(spend, one=theirs, by=group, receipt=None) == "no_receipt"
    entry = spend(theirs, group)
    assert refused(carrying.send_accounts, implementation=theirs, by=owner) == "entries_wait"
    carrying.settle_spending(entry=entry, by=owner, confirm=True)
    assert refused(carrying.send_accounts, implementation=theirs, by=owner) == "accounts_differ"
    carrying.record_repayment(
        implementation=theirs, by=owner, amount=600, paid_on=clock.today(), text="Ikke brugt"
    )
    carrying.deliver_promise(promise=theirs.promises.get(), by=owner, on=clock.today())
    done = {"implementation": theirs, "by": owner, "status": Progress.DONE}
    assert refused(carrying.change_status, **done) == "accounts_open"
    carrying.send_accounts(implementation=theirs, by=owner)
    assert refused(spend, one=theirs, by=group) == "accounts_sent"
    assert refused(pay, one=theirs, owner=owner, amount=1) == "accounts_sent"
    assert refused(carrying.approve_accounts, implementation=theirs, by=owner) == "four_eyes"
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        Implementation.objects.filter(pk=theirs.pk).update(accounts_approved_by=owner)
    carrying.approve_accounts(implementation=theirs, by=other)
    carrying.change_status(**done)
    assert again(theirs).status == Progress.DONE


def test_a_caseworker_behind_the_project_decides_nothing_about_it(group):
    """Who stands behind a project can be a colleague who lives there."""
    theirs = decided(author=group)[0]
    mine = colleague(theirs)
    Contribution.objects.filter(pk=theirs.pk).update(author=mine)
    theirs = published(again(theirs), by_citizens=True)
    owner = theirs.project.contribution.process.owner
    entry = spend(theirs, mine)
    note = carrying.report_news(implementation=theirs, by=mine, title="Vi graver", text="Nu.")
    assert entry.state == "waiting"
    assert refused(carrying.settle_spending, entry=entry, by=mine, confirm=True) == "own_project"
    assert refused(carrying.settle_note, note=note, by=mine, show=True) == "own_project"
    assert refused(pay, one=theirs, owner=mine, amount=5) == "own_project"
    carrying.settle_note(note=note, by=owner, show=True)
    carrying.settle_spending(entry=entry, by=owner, confirm=False, because="Forkert bilag")
    carrying.send_accounts(implementation=theirs, by=owner)
    assert refused(carrying.approve_accounts, implementation=theirs, by=mine) == "own_project"


def test_accounts_are_settled_after_a_group_has_given_up(theirs, group):
    owner, other = theirs.project.contribution.process.owner, colleague(theirs)
    pay(theirs, owner, 1_000)
    entry = spend(theirs, group)
    carrying.settle_spending(entry=entry, by=owner, confirm=True)
    carrying.change_status(implementation=theirs, by=owner, status=Progress.GIVEN_UP, why="Ingen kræfter.")
    back = {"by": owner, "paid_on": clock.today(), "text": "Ikke brugt"}
    carrying.record_repayment(implementation=theirs, amount=600, **back)
    carrying.send_accounts(implementation=theirs, by=owner)
    assert refused(carrying.record_repayment, implementation=theirs, amount=1, **back) == "accounts_sent"
    carrying.send_back_accounts(implementation=theirs, by=other, because="Bilaget mangler.")
    carrying.send_accounts(implementation=theirs, by=owner)
    carrying.approve_accounts(implementation=theirs, by=other)
    assert again(theirs).accounts_approved_at is not None


def test_a_confirmed_line_is_never_rewritten_only_corrected(theirs, group):
    owner = theirs.project.contribution.process.owner
    entry = spend(theirs, group)
    carrying.settle_spending(entry=entry, by=owner, confirm=True)
    for attempt in (
        lambda: AccountEntry.objects.filter(pk=entry.pk).update(amount=1),
        lambda: AccountEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()
    carrying.correct_spending(entry=entry, by=owner, text="Forkert bilag")
    assert refused(carrying.correct_spending, entry=entry, by=owner, text="Igen") == "corrected"


def test_accounts_sent_back_are_open_again(theirs, group):
    owner, other = theirs.project.contribution.process.owner, colleague(theirs)
    carrying.send_accounts(implementation=theirs, by=owner)
    carrying.send_back_accounts(implementation=theirs, by=other, because="Der mangler et bilag.")
    assert Notice.objects.filter(user=owner, text__endswith="Der mangler et bilag.").count() == 1
    assert spend(theirs, group).state == "waiting"


def test_who_left_is_forgotten_but_the_accounts_stay(theirs, group):
    from accounts.personal_data import erase, export

    entry = spend(theirs, group)
    carrying.settle_spending(entry=entry, by=theirs.project.contribution.process.owner, confirm=True)
    given = str(export(group))
    assert "Brædder" in given
    assert "Karen Holm" not in given
    assert "12 34 56 78" not in given
    erase(group)
    entry.refresh_from_db()
    assert (entry.author, entry.amount) == (None, 400)
    assert again(theirs).contact_name == ""


# Telling, and the audit


def test_news_reaches_those_behind_it_and_those_who_follow_once(theirs, group):
    owner = theirs.project.contribution.process.owner
    follower = make_citizen()
    following.follow(process=theirs.project.contribution.process, by=follower)
    following.follow(process=theirs.project.contribution.process, by=group)
    Notice.objects.all().delete()
    carrying.tell_news(implementation=theirs, by=owner, title="Nu graver vi", text="På mandag.")
    told = Notice.objects.filter(kind="news")
    assert sorted(told.values_list("user", flat=True)) == sorted([group.pk, follower.pk])
    assert all("#gennemfoerelse" in notice.url for notice in told)


def test_supporters_hear_of_a_delay_once_with_its_why_and_its_new_day(theirs, group):
    owner = theirs.project.contribution.process.owner
    Notice.objects.all().delete()
    later = clock.today() + timedelta(days=90)
    carrying.change_status(
        implementation=theirs, by=owner, status=Progress.DELAYED, why="Frosten gik dybt.", expected_on=later
    )
    told = Notice.objects.get(user=group)
    with translation.override(group.language):
        day = date_format(later, "DATE_FORMAT")
    assert told.title.endswith(": Forsinket")
    assert told.text == f"Frosten gik dybt.\n\nVentes færdigt {day}."


def test_every_write_is_in_the_audit_without_texts_of_people(theirs, group):
    owner = theirs.project.contribution.process.owner
    before = Entry.objects.count()
    pay(theirs, owner, 10)
    carrying.tell_news(implementation=theirs, by=owner, title="Kanariefugl", text="Kanariefugl.")
    note = carrying.report_news(implementation=theirs, by=group, title="Kanariefugl", text="Kanariefugl")
    carrying.settle_note(note=note, by=owner, show=True)
    new = list(Entry.objects.order_by("pk")[before:])
    assert [entry.action for entry in new] == [
        "budgets.record_payment",
        "budgets.tell_news",
        "budgets.report_news",
        "budgets.settle_note",
    ]
    assert all(entry.process_id == theirs.project.contribution.process_id for entry in new)
    assert "Kanarie" not in str([entry.values for entry in new])


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "refused"},
        {"kind": "status"},
        {"kind": "status", "status": "delayed", "text": ""},
        {"title": ""},
    ],
)
def test_a_line_of_the_diary_without_its_reason_is_refused_by_the_database(one, owner, fields):
    note = carrying.tell_news(implementation=one, by=owner, title="x", text="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        ProgressNote.objects.filter(pk=note.pk).update(**fields)
