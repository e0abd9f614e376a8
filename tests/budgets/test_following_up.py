"""What carrying out asks of caseworkers: duties, and the reminder after three silent months, also when the clock was down."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from budgets import following_up, tasks
from budgets.actions import implementation as carrying
from budgets.models import Implementation, Progress
from participation import clock, duties
from participation.actions import process as processes
from participation.choices import Status
from participation.models import Notice, Process
from participation.tasks.clock import remind_of_overdue
from tests.accounts.factories import make_citizen
from tests.budgets.carrying import colleague, decided, planned, published, receipt
from tests.budgets.factories import make_staff, put_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def one():
    first, second = decided()
    carrying.change_status(
        implementation=second,
        by=second.project.contribution.process.owner,
        status=Progress.GIVEN_UP,
        why="Kun ét projekt i denne prøve.",
    )
    Notice.objects.all().delete()
    return published(first)


@pytest.fixture
def process(one):
    return one.project.contribution.process


def later(**days):
    return clock.frozen(clock.now() + timedelta(**days))


def kinds_of(user):
    """Those of carrying out; answering the contributions is another matter."""
    ours = {"plan_project", "confirm_told", "approve_accounts", "tell_project"}
    return {duty.kind for duty in duties.for_user(user)} & ours


def reminded():
    return list(Notice.objects.filter(event__contains=":quiet:").order_by("pk"))


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (date(2026, 1, 31), date(2026, 4, 30)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 10, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 3, 31)),
    ],
)
def test_three_months_after(day, after):
    assert following_up.months_after(day, 3) == after


def test_the_owner_is_reminded_once_after_three_silent_months(one, process):
    with later(days=80):
        assert tasks.remind_of_quiet_projects() == 0
    with later(days=93):
        assert tasks.remind_of_quiet_projects() == 1
        assert tasks.remind_of_quiet_projects() == 0
    (notice,) = reminded()
    assert notice.user == process.owner
    assert str(one.project.contribution.public_id) in notice.url


def test_it_looks_back_when_the_clock_was_down_for_long(one, process):
    with later(days=400):
        assert tasks.remind_of_quiet_projects() == 1
        assert tasks.remind_of_quiet_projects() == 0
    assert len(reminded()) == 1


def test_then_the_deputy_and_then_the_manager(one, process):
    deputy = colleague(one)
    manager = colleague(one, "manager")
    processes.hand_over(process=process, by=process.owner, owner=process.owner, deputy=deputy)
    with later(days=93):
        tasks.remind_of_quiet_projects()
        assert [notice.user for notice in reminded()] == [process.owner]
    with later(days=110):
        tasks.remind_of_quiet_projects()
        assert {notice.user for notice in reminded()} == {process.owner, deputy}
        remind_of_overdue()
        assert Notice.objects.filter(user=manager, event__startswith="duty:tell_project").count() == 1


def test_the_deputy_is_reminded_at_once_when_the_owner_has_left(one, process):
    deputy = colleague(one)
    processes.hand_over(process=process, by=process.owner, owner=process.owner, deputy=deputy)
    User.objects.filter(pk=process.owner.pk).update(is_active=False)
    with later(days=93):
        assert tasks.remind_of_quiet_projects() == 1
        assert tasks.remind_of_quiet_projects() == 0
    assert [notice.user for notice in reminded()] == [deputy]


def test_news_begins_the_three_months_anew(one, process):
    with later(days=60):
        carrying.tell_news(implementation=one, by=process.owner, title="Vi graver", text="Nu.")
    with later(days=100):
        assert tasks.remind_of_quiet_projects() == 0
    with later(days=160):
        assert tasks.remind_of_quiet_projects() == 1


def test_nobody_is_reminded_of_what_has_ended(one, process):
    carrying.drop_promise(promise=one.promises.get(), by=process.owner, because="x")
    carrying.change_status(implementation=one, by=process.owner, status=Progress.DONE)
    with later(days=200):
        assert tasks.remind_of_quiet_projects() == 0
        assert kinds_of(process.owner) == set()


def test_the_one_who_answers_for_the_project_is_reminded_in_place_of_the_owner(one, process):
    builder = colleague(one)
    carrying.plan_implementation(
        implementation=one,
        by=process.owner,
        carried_out_by="municipality",
        carrier="Park og Vej",
        owner=builder,
    )
    with later(days=95):
        tasks.remind_of_quiet_projects()
        assert [duty.kind for duty in duties.for_user(builder)] == ["tell_project"]
        assert "tell_project" not in [duty.kind for duty in duties.for_user(process.owner)]
    assert [notice.user for notice in reminded()] == [builder]


def test_a_stranger_to_the_unit_cant_answer_for_it(one, process):
    from accounts.verdict import Refused

    with pytest.raises(Refused) as refused:
        carrying.plan_implementation(
            implementation=one,
            by=process.owner,
            carried_out_by="municipality",
            carrier="x",
            owner=make_staff(),
        )
    assert refused.value.field == "owner"


def test_handing_the_process_over_hands_over_the_projects(one, process):
    heir = colleague(one)
    processes.hand_over(process=process, by=process.owner, owner=heir)
    with later(days=95):
        assert kinds_of(heir) == {"tell_project"}


def test_duties_go_on_after_the_process_is_concluded(one, process):
    put_in(Process.objects.get(pk=process.pk), Status.DECIDED)
    Process.objects.filter(pk=process.pk).update(status=Status.CONCLUDED)
    with later(days=95):
        kinds = [duty.kind for duty in duties.for_user(process.owner)]
    assert "tell_project" in kinds


def test_a_plan_a_look_and_four_eyes_are_duties():
    group = make_citizen()
    first, second = decided(author=group)
    owner = first.project.contribution.process.owner
    other = colleague(first)
    mine = {duty.kind: duty.count for duty in duties.for_user(owner)}
    assert mine["plan_project"] == 2
    theirs = published(first, by_citizens=True)
    carrying.report_news(implementation=theirs, by=group, title="x", text="x")
    entry = carrying.enter_spending(
        implementation=theirs, by=group, amount=1, spent_on=clock.today(), text="x", receipt=receipt(group)
    )
    mine = {duty.kind: duty.count for duty in duties.for_user(owner)}
    assert (mine["plan_project"], mine["confirm_told"]) == (1, 2)
    carrying.settle_spending(entry=entry, by=owner, confirm=False, because="Forkert")
    carrying.send_accounts(implementation=theirs, by=owner)
    assert "approve_accounts" in [duty.kind for duty in duties.for_user(other)]
    assert "approve_accounts" not in [duty.kind for duty in duties.for_user(owner)]
    assert planned(second).promised_at is None


def test_duties_take_as_many_queries_for_many_projects(django_assert_max_num_queries):
    decided(prices=(50_000,) * 12)
    with django_assert_max_num_queries(2):
        assert len(list(following_up.duties(Process.objects.all()))) == 1


def test_decisions_from_before_are_begun_by_the_clock():
    one, _other = decided()
    Implementation.objects.all().delete()
    assert tasks.begin_carrying_out() == 1
    assert tasks.begin_carrying_out() == 0
    assert Implementation.objects.count() == 2
    assert one.granted_on == timezone.localdate()
