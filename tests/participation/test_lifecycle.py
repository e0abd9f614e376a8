"""Who may take which step from where: one generated matrix against one literal table."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, lifecycle
from participation.actions import outcomes
from participation.actions import process as actions
from participation.choices import Status
from participation.models import Notice, Process, Transition
from participation.permissions import process as permissions
from tests.accounts.factories import make_citizen, make_staff, make_unit
from tests.factories import ROAD, conclude_ready, make_manager, make_process, make_worker

pytestmark = pytest.mark.django_db

OWN = "author worker boss writing_boss"  # caseworkers and managers of the unit
BOSSES = "boss writing_boss"
CLOCK = f"{OWN} clock"
EVERYBODY = f"{OWN} stranger strange_boss citizen councillor officer administrator nobody"
INSIDERS = f"{OWN} councillor administrator"

# Who may, where everything else is in order. What is not named is refused. In this table `author` wrote the process that a
# caseworker set up; `writing_boss` is a manager asked about a process of their own writing.
EXPECTED = {
    "submit": {"draft": OWN},
    "send_back": {"in_review": BOSSES, "approved": OWN},
    "approve": {"in_review": "boss"},
    "open": {"approved": CLOCK},
    "close": {"open": CLOCK},
    "decide": {"closed": OWN},
    "conclude": {"decided": OWN},
    "cancel": {"draft": OWN, "in_review": OWN, "approved": BOSSES, "open": BOSSES, "closed": BOSSES},
    "inform": {"draft": OWN},
    "view": {
        "draft": INSIDERS,
        "in_review": INSIDERS,
        "approved": EVERYBODY,
        "open": EVERYBODY,
        "closed": EVERYBODY,
        "decided": EVERYBODY,
        "concluded": EVERYBODY,
        "cancelled": EVERYBODY,
        "informed": EVERYBODY,
    },
    "edit": {"draft": OWN},
    "override": {"draft": "boss", "in_review": "boss", "decided": "boss"},
    "amend": {"open": BOSSES, "closed": BOSSES, "decided": BOSSES},
    "extend": {"open": OWN},
    "correct": {"approved": OWN, "open": OWN, "closed": OWN, "decided": OWN, "concluded": OWN},
    "hand_over": {status: OWN for status in Status.values},
}
WHO = f"{CLOCK} stranger strange_boss citizen councillor officer administrator nobody".split()
STATUSES = [*ROAD, Status.CANCELLED, Status.INFORMED]


def asked(name: str, process: Process, user: User | None, at: object) -> bool:
    if name in lifecycle.BY_NAME:
        return bool(lifecycle.can(process, name, user, at=at))
    return bool(getattr(permissions, f"can_{name}")(user, process, at=at))


@pytest.mark.parametrize("status", STATUSES)
def test_status_by_action_by_role(status: str) -> None:
    unit, other = make_unit(), make_unit()
    author, boss, writing_boss = make_worker(unit), make_manager(unit), make_manager(unit)
    people = {
        "author": author,
        "worker": make_worker(unit),
        "boss": boss,
        "writing_boss": writing_boss,
        "stranger": make_worker(other),
        "strange_boss": make_manager(other),
        "citizen": make_citizen(),
        "councillor": make_staff(Role.COUNCILLOR, factor=False),
        "officer": make_staff(Role.POLLING_OFFICER, factor=False),
        "administrator": make_staff(Role.ADMINISTRATOR, factor=False, units=[unit]),
        "nobody": None,
        "clock": None,
    }
    by_author = make_process(status=status, unit=unit, author=author, manager=boss)
    by_boss = make_process(status=status, unit=unit, author=writing_boss, manager=boss)
    at = clock.now()
    for process in (by_author, by_boss):
        if status == Status.APPROVED:
            at = process.opens_at
        elif status == Status.OPEN:
            at = process.closes_at
        elif status == Status.CLOSED:
            outcomes.record_decision(
                process=process, by=author, decided_on=clock.today(), body="Byrådet", text="Ja."
            )
        elif status == Status.DECIDED:
            conclude_ready(process, by=author)
        process.refresh_from_db()
    seen, wanted = {}, {}
    for name, table in EXPECTED.items():
        allowed = table.get(str(status), "").split()
        for who in WHO:
            if (who == "clock" and name not in lifecycle.BY_NAME) or (
                who == "nobody" and name in lifecycle.BY_NAME
            ):
                continue  # the clock only takes steps, and nobody is a visitor of pages
            process = by_boss if who == "writing_boss" else by_author
            seen[name, who] = asked(name, process, people[who], at)
            wanted[name, who] = who in allowed
    assert seen == wanted


def test_the_table_names_every_step() -> None:
    assert {step.name for step in lifecycle.TRANSITIONS} <= set(EXPECTED)
    for step in lifecycle.TRANSITIONS:
        assert set(EXPECTED[step.name]) == {str(source) for source in step.sources}


def test_the_reason_is_one_people_understand() -> None:
    process = make_process(status=Status.APPROVED, opens_at=clock.now() + timedelta(days=30))
    refused = lifecycle.can(process, "open", process.author)
    assert (refused.ok, refused.code) == (False, "not_yet")
    assert lifecycle.can(process, "submit", process.author).code == "wrong_status"
    assert lifecycle.can(process, "submit", make_citizen()).code == "no_permission"
    assert lifecycle.can(process, "submit", make_worker()).code == "other_unit"


def test_available_says_why_a_button_is_off() -> None:
    process = make_process(ready=False)
    shown = {step.name: verdict for step, verdict in lifecycle.available(process, process.author)}
    assert set(shown) == {"submit", "cancel", "inform"}
    assert not shown["submit"]
    assert shown["submit"].reason
    assert shown["submit"].field
    assert shown["cancel"]


@pytest.mark.parametrize(
    ("name", "status"), [("send_back", "in_review"), ("cancel", "draft"), ("inform", "draft")]
)
def test_a_reason_is_required(name: str, status: str) -> None:
    process = make_process(status=status)
    by = make_manager(process.unit)
    with pytest.raises(Refused) as refused:
        lifecycle.perform(process=process, name=name, by=by, comment="  ")
    assert (refused.value.code, refused.value.field) == ("comment_missing", "comment")
    process.refresh_from_db()
    assert process.status == status
    moved = lifecycle.perform(process=process, name=name, by=by, comment="Fordi.")
    assert moved.transitions.first().comment == "Fordi."
    if name != "send_back":
        assert moved.public_note == "Fordi."


def test_who_sent_it_to_review_may_not_approve_it() -> None:
    process = make_process(status=Status.DRAFT)
    manager = make_manager(process.unit)
    process = lifecycle.perform(process=process, name="submit", by=manager)
    assert lifecycle.can(process, "approve", manager).code == "four_eyes"
    assert lifecycle.can(process, "approve", make_manager(process.unit))


def test_nobody_approves_what_they_have_not_read() -> None:
    process = make_process(status=Status.IN_REVIEW)
    with pytest.raises(Refused) as refused:
        lifecycle.perform(
            process=process, name="approve", by=make_manager(process.unit), version=process.version - 1
        )
    assert refused.value.code == "stale"


def test_sent_back_it_is_a_draft_again_and_needs_a_new_approval() -> None:
    process = make_process(status=Status.APPROVED)
    assert process.approved_by is not None
    process = lifecycle.perform(
        process=process, name="send_back", by=process.author, comment="Datoen er forkert."
    )
    assert (process.status, process.approved_by) == (Status.DRAFT, None)
    process = actions.update_process(
        process=process, by=process.author, version=process.version, fields={"title": "Nyt navn"}
    )
    assert process.title == "Nyt navn"


def test_each_step_is_written_down() -> None:
    process = make_process(status=Status.CONCLUDED)
    steps = list(Transition.objects.filter(process=process).order_by("pk").values_list("name", "by__role"))
    assert steps == [
        ("submit", "caseworker"),
        ("approve", "manager"),
        ("open", None),
        ("close", None),
        ("decide", "caseworker"),
        ("conclude", "caseworker"),
    ]
    written = set(Entry.objects.filter(process_id=process.pk).values_list("action", flat=True))
    assert {step.audit_action for step in lifecycle.TRANSITIONS if step.name in dict(steps)} <= written


def test_a_cancelled_draft_is_in_no_list() -> None:
    draft = make_process(status=Status.CANCELLED)
    assert not draft.listed
    approved = make_process(status=Status.APPROVED)
    lifecycle.perform(process=approved, name="cancel", by=make_manager(approved.unit), comment="Aflyst.")
    approved.refresh_from_db()
    assert approved.listed
    assert list(Process.objects.public()) == [approved]


def test_followers_hear_that_it_opens_and_staff_that_it_waits() -> None:
    from participation.models import Follow

    process = make_process(status=Status.APPROVED)
    follower = make_citizen()
    Follow.objects.create(user=follower, process=process, since=clock.now())
    manager = process.transitions.get(name="approve").by
    assert Notice.objects.filter(user=manager, kind=Notice.Kind.DUTY).count() == 1
    with clock.frozen(process.opens_at):
        lifecycle.perform(process=process, name="open", by=None)
    notice = Notice.objects.get(user=follower)
    assert (notice.kind, process.title in notice.title) == (Notice.Kind.PHASE, True)


def test_decided_takes_a_decision_and_concluded_takes_kept_promises() -> None:
    process = make_process(status=Status.CLOSED)
    assert lifecycle.can(process, "decide", process.author).code == "no_decision"
    process = make_process(status=Status.DECIDED)
    refused = lifecycle.can(process, "conclude", process.author)
    assert refused.code == "not_ready"


def test_the_drawing_is_in_step(tmp_path, settings) -> None:
    call_command("state_diagram", "--check")
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError):
        call_command("state_diagram", "--check")
    call_command("state_diagram")
    call_command("state_diagram", "--check")
