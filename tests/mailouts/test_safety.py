"""A mailout goes to the people it was approved for, with the text it was approved with, or it doesn't go."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit import clock
from audit.models import Entry
from mailouts import actions, queue
from mailouts.choices import MOVES, Stage, State
from mailouts.models import Campaign, ListedRecipient
from tests.accounts.factories import make_resident, make_staff
from tests.mailouts import tampering
from tests.mailouts.factories import Gateway, bring_to, make_campaign
from tests.mailouts.tampering import triggers_off

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def residents() -> list[Any]:
    return [make_resident(name=f"Borger Nummer{number}") for number in range(3)]


def colleague(campaign: Campaign, role: str = Role.CASEWORKER) -> User:
    return make_staff(role, units=[campaign.unit])


def refused(code: str, do: Any, **arguments: Any) -> str:
    with pytest.raises(Refused) as found:
        do(**arguments)
    assert found.value.code == code
    return str(found.value.reason)


# Who approves


def test_the_author_does_not_approve_their_own() -> None:
    campaign = make_campaign(stage=Stage.FROZEN)
    refused("own_mailout", actions.approve, campaign=campaign, by=campaign.created_by, typed=campaign.count)
    campaign.refresh_from_db()
    assert campaign.stage == Stage.FROZEN


def test_whoever_froze_it_does_not_approve_it() -> None:
    campaign = make_campaign(stage=Stage.FROZEN)
    other = colleague(campaign)
    actions.thaw(campaign=campaign, by=other)
    campaign = actions.freeze(campaign=campaign, by=other)
    refused("own_mailout", actions.approve, campaign=campaign, by=other, typed=campaign.count)
    refused("own_mailout", actions.approve, campaign=campaign, by=campaign.created_by, typed=campaign.count)
    third = colleague(campaign)
    assert actions.approve(campaign=campaign, by=third, typed=campaign.count).approved_by == third


@pytest.mark.parametrize(
    ("role", "code"),
    [
        (Role.CASEWORKER, None),
        (Role.MANAGER, None),
        (Role.ADMINISTRATOR, "role"),
        (Role.COUNCILLOR, "role"),
        (Role.POLLING_OFFICER, "role"),
        (Role.CITIZEN, "role"),
    ],
)
def test_only_those_who_send_mailouts_approve_them(role: str, code: str | None) -> None:
    campaign = make_campaign(stage=Stage.FROZEN)
    by = colleague(campaign, role)
    if code is None:
        assert actions.approve(campaign=campaign, by=by, typed=campaign.count).stage == Stage.APPROVED
    else:
        refused(code, actions.approve, campaign=campaign, by=by, typed=campaign.count)


ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "edit_campaign": (Stage.DRAFT, {"subject": "Andet"}),
    "add_source": (Stage.DRAFT, {"kind": "register", "params": {}}),
    "add_list": (Stage.DRAFT, {"name": "x", "text": "email\na@example.dk"}),
    "ask_for_list": (Stage.DRAFT, {}),
    "send_test": (Stage.DRAFT, {}),
    "copy_campaign": (Stage.DRAFT, {}),
    "delete_draft": (Stage.DRAFT, {}),
    "freeze": (Stage.DRAFT, {}),
    "thaw": (Stage.FROZEN, {}),
    "approve": (Stage.FROZEN, {"typed": 3}),
    "pause": (Stage.SENDING, {}),
    "resume": (Stage.PAUSED, {}),
    "stop": (Stage.SENDING, {"reason": "Fejl"}),
    "send_again": (Stage.SENDING, {"state": State.FAILED}),
}


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_another_unit_and_another_role_do_nothing_to_it(name: str) -> None:
    stage, more = ACTIONS[name]
    campaign = make_campaign(stage=stage)
    for by, code in (
        (make_staff(units=[make_campaign().unit]), "other_unit"),
        (make_staff(Role.ADMINISTRATOR), "role"),
    ):
        refused(code, getattr(actions, name), campaign=campaign, by=by, **more)
    assert Campaign.objects.get(pk=campaign.pk).stage == stage


def test_nobody_makes_one_for_another_unit() -> None:
    unit = make_campaign().unit
    refused("other_unit", actions.create_campaign, by=make_staff(), unit=unit, title="Min")
    refused("no_title", actions.create_campaign, by=make_staff(units=[unit]), unit=unit, title=" \n")


@pytest.mark.parametrize("typed", [0, 1, 2, 4, 30, -3, 10**12])
def test_a_wrong_number_approves_nothing(typed: int) -> None:
    campaign = make_campaign(stage=Stage.FROZEN)
    assert campaign.count == 3
    refused("wrong_number", actions.approve, campaign=campaign, by=colleague(campaign), typed=typed)
    assert Campaign.objects.get(pk=campaign.pk).approved_at is None


# What was frozen is what is there


@pytest.mark.parametrize("what", sorted(tampering.EVERY_WAY))
@pytest.mark.parametrize("stage", [Stage.FROZEN, Stage.APPROVED, Stage.PAUSED])
def test_a_statement_that_changes_it_is_refused_by_the_database(what: str, stage: str) -> None:
    campaign = make_campaign(stage=stage)
    before = list(campaign.deliveries.order_by("pk").values_list("recipient_key", "person"))
    with pytest.raises(IntegrityError), transaction.atomic():
        tampering.EVERY_WAY[what][0](campaign)
    assert list(campaign.deliveries.order_by("pk").values_list("recipient_key", "person")) == before
    assert Campaign.objects.get(pk=campaign.pk).text == campaign.text


@pytest.mark.parametrize("what", sorted(tampering.EVERY_WAY))
@pytest.mark.parametrize("stage", [Stage.FROZEN, Stage.APPROVED, Stage.PAUSED])
def test_and_if_it_happened_all_the_same_it_is_not_sent(
    what: str, stage: str, gateway: type[Gateway]
) -> None:
    """With triggers off. Asked when it is approved, when it begins and when it goes on."""
    campaign = make_campaign(stage=stage)
    change, code = tampering.EVERY_WAY[what]
    with triggers_off():
        change(campaign)
    by = colleague(campaign)
    match stage:
        case Stage.FROZEN:
            reason = refused(code, actions.approve, campaign=campaign, by=by, typed=campaign.count)
        case Stage.APPROVED:
            reason = refused(code, actions.start, campaign=campaign)
        case _:
            reason = refused(code, actions.resume, campaign=campaign, by=by)
    assert reason
    assert Campaign.objects.get(pk=campaign.pk).stage == stage
    from mailouts.tasks import send_letters

    assert send_letters() == 0
    assert gateway.taken == []


def test_how_much_the_list_has_grown_is_told() -> None:
    campaign = make_campaign(stage=Stage.APPROVED)
    with triggers_off():
        for _number in range(4):
            tampering.grow(campaign)
    assert "4" in refused("list_grown", actions.start, campaign=campaign)


def test_who_has_become_one_with_another_is_no_stranger(gateway: type[Gateway], residents: list[Any]) -> None:
    """Two persons turn out to be one while their letters wait: one letter, and the list still holds."""
    from accounts import persons

    campaign = make_campaign(stage=Stage.PAUSED)
    keep, gone = residents[0].person, residents[1].person
    residents[1].delete()
    persons.merge(keep=keep, gone=gone, by=None)
    campaign = actions.resume(campaign=campaign, by=campaign.created_by)
    from mailouts.tasks import send_letters

    assert send_letters() == 2
    assert sorted(campaign.deliveries.values_list("state", flat=True)) == ["left_out", "sent", "sent"]


def test_what_is_listed_can_not_be_rewritten_once_frozen() -> None:
    campaign = make_campaign(kind="list", policy="email")
    actions.add_list(campaign=campaign, by=campaign.created_by, name="x", text="email\na@example.dk")
    campaign = bring_to(campaign, Stage.FROZEN, by=campaign.created_by)
    line = ListedRecipient.objects.get()
    for change in (
        lambda: ListedRecipient.objects.update(email="b@example.dk"),
        lambda: ListedRecipient.objects.all().delete(),
        lambda: ListedRecipient.objects.create(
            source=line.source, line=9, key="e:x", name="", address="", email="", number=""
        ),
        lambda: line.source.delete(),
        lambda: campaign.sources.create(kind="register", params={}),
        lambda: campaign.sources.update(params={}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


FROZEN_COLUMNS: dict[str, Any] = {
    "subject": "x",
    "text": "x",
    "english_subject": "x",
    "english_text": "x",
    "sms_text": "x",
    "policy": "email",
    "paper_route": "batch",
    "action_kind": "link",
    "action_label": "x",
    "action_url": "https://x.dk/",
    "meeting_starts": "2026-01-01T10:00Z",
    "meeting_ends": "2099-01-01T10:00Z",
    "meeting_place": "x",
    "case_number": "x",
    "kle": "01.00.00",
    "per_household": True,
    "earlier": "include",
    "start_at": "2026-01-01T10:00Z",
    "per_minute": 7,
    "expected": 1,
    "keep_days": 1,
    "text_hash": "x",
    "list_hash": "x",
    "count": 1,
    "frozen_at": "2026-01-01T10:00Z",
}


@pytest.mark.parametrize("stage", [Stage.FROZEN, Stage.APPROVED, Stage.SENDING])
def test_every_column_that_decides_what_is_sent_is_frozen(stage: str) -> None:
    campaign = make_campaign(stage=stage)
    for name, value in FROZEN_COLUMNS.items():
        for more in (
            {},
            {"content_deleted_at": clock.now()},
            {"created_by": None},
            {"frozen_by": None},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                Campaign.objects.filter(pk=campaign.pk).update(**{name: value} | more)
    from mailouts.models.campaigns import CONTENT, SENDING_RULES

    assert {*CONTENT, *SENDING_RULES} <= FROZEN_COLUMNS.keys()
    if stage == Stage.SENDING:
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(content_deleted_at=clock.now())


def test_who_wrote_froze_and_approved_can_leave_but_nobody_takes_their_place() -> None:
    campaign = make_campaign(stage=Stage.APPROVED)
    stranger = make_staff()
    for name in ("created_by", "frozen_by", "approved_by"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(**{name: stranger})
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(approved_at=clock.now())
    assert Campaign.objects.filter(pk=campaign.pk).update(created_by=None, frozen_by=None, approved_by=None)


# Freezing


@pytest.mark.parametrize("stage", [Stage.FROZEN, Stage.APPROVED, Stage.SENDING, Stage.PAUSED])
def test_nothing_is_changed_by_an_action_once_frozen(stage: str) -> None:
    campaign = make_campaign(stage=stage)
    by = campaign.created_by
    for do, more in (
        (actions.edit_campaign, {"text": "Andet"}),
        (actions.edit_campaign, {"expected": 4}),
        (actions.add_source, {"kind": "register", "params": {}}),
        (actions.add_list, {"name": "x", "text": "email\na@example.dk"}),
        (actions.ask_for_list, {}),
        (actions.send_test, {}),
        (actions.delete_draft, {}),
        (actions.freeze, {}),
    ):
        refused("frozen", do, campaign=campaign, by=by, **more)
    refused("frozen", actions.remove_source, source=campaign.sources.get(), by=by)
    refused("frozen", actions.build_list, campaign=campaign)


def ready(**fields: Any) -> Campaign:
    """All but frozen."""
    campaign = actions.build_list(campaign=make_campaign(**fields))
    campaign = actions.edit_campaign(campaign=campaign, by=campaign.created_by, expected=3)
    return actions.send_test(campaign=campaign, by=campaign.created_by)


def test_not_frozen_without_a_test_letter() -> None:
    campaign = actions.build_list(campaign=make_campaign(expected=3))
    refused("not_tested", actions.freeze, campaign=campaign, by=campaign.created_by)


@pytest.mark.parametrize(
    "change",
    [
        {"english_text": "Dear {navn}"},
        {"action_kind": "link", "action_label": "Se", "action_url": "https://x.dk/"},
        {"case_number": "2026-17"},
        {"paper_route": "batch"},
    ],
)
def test_not_frozen_when_changed_since_the_test_letter(change: dict[str, Any]) -> None:
    campaign = ready()
    actions.edit_campaign(campaign=campaign, by=campaign.created_by, **change)
    refused("not_tested", actions.freeze, campaign=campaign, by=campaign.created_by)


def test_a_changed_text_asks_for_list_and_test_again() -> None:
    campaign = ready()
    actions.edit_campaign(campaign=campaign, by=campaign.created_by, text="Kære {navn}\n\nNyt.")
    refused("no_list", actions.freeze, campaign=campaign, by=campaign.created_by)
    campaign = actions.build_list(campaign=campaign)
    refused("not_tested", actions.freeze, campaign=campaign, by=campaign.created_by)


def test_not_frozen_without_an_expectation_a_list_or_a_text() -> None:
    campaign = ready()
    by = campaign.created_by
    actions.edit_campaign(campaign=campaign, by=by, expected=None)
    refused("no_expectation", actions.freeze, campaign=campaign, by=by)
    fresh = make_campaign(expected=3)
    refused("no_list", actions.freeze, campaign=fresh, by=fresh.created_by)
    empty = make_campaign(text="")
    refused("text", actions.freeze, campaign=empty, by=empty.created_by)


@pytest.mark.parametrize(
    ("found", "expected", "fits"),
    [(3, 8, True), (3, 9, False), (3, 1, True), (1000, 1100, True), (1000, 1112, False), (1000, 909, False), (1000, 910, True), (30_000, 3000, False), (0, 5, False)],
)  # fmt: skip
def test_a_number_too_far_from_the_expected_stops_it(found: int, expected: int, fits: bool) -> None:
    from mailouts import permissions

    campaign = Campaign(list_numbers={"letters": found}, expected=expected)
    assert bool(permissions.can_be_plausible(campaign)) is fits


def test_the_number_is_asked_when_it_is_frozen() -> None:
    campaign = ready()
    actions.edit_campaign(campaign=campaign, by=campaign.created_by, expected=40)
    reason = refused("unexpected_number", actions.freeze, campaign=campaign, by=campaign.created_by)
    assert "40" in reason


def test_a_list_that_is_not_the_one_that_was_found_is_not_frozen() -> None:
    """Somebody added to the draft behind the actions' back: the number that was looked at is another."""
    campaign = ready()
    tampering.grow(campaign)
    refused("list_changed", actions.freeze, campaign=campaign, by=campaign.created_by)


def test_a_moment_typed_and_read_back_is_the_same_text() -> None:
    from zoneinfo import ZoneInfo

    starts = (clock.now() + timedelta(days=9)).astimezone(ZoneInfo("Europe/Copenhagen"))
    campaign = make_campaign(meeting_starts=starts)
    typed = campaign.hash_of_text()
    campaign.meeting_starts = starts
    assert campaign.hash_of_text() == typed


def test_thawing_takes_approval_and_hashes_away() -> None:
    campaign = make_campaign(stage=Stage.APPROVED)
    campaign = actions.thaw(campaign=campaign, by=colleague(campaign))
    campaign.refresh_from_db()
    assert (campaign.stage, campaign.text_hash, campaign.list_hash, campaign.count) == ("draft", "", "", 0)
    assert {campaign.frozen_by, campaign.frozen_at, campaign.approved_by, campaign.approved_at} == {None}
    refused("not_approved", actions.start, campaign=campaign)
    refused("not_frozen", actions.approve, campaign=campaign, by=colleague(campaign), typed=3)


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.SENDING, Stage.PAUSED])
def test_only_what_is_frozen_thaws(stage: str) -> None:
    campaign = make_campaign(stage=stage)
    refused("not_frozen", actions.thaw, campaign=campaign, by=campaign.created_by)


# Stages

# from \ to:      draft frozen approved sending paused done stopped
ALLOWED = """
draft      . x . . . . .
frozen     x . x . . . .
approved   x . . x . . x
sending    . . . . x x x
paused     . . . x . . x
done       . . . x . . .
stopped    . . . . . . .
"""
TABLE = {
    (line.split()[0], to): mark == "x"
    for line in ALLOWED.strip().splitlines()
    for to, mark in zip(Stage.values, line.split()[1:], strict=True)
}


def test_the_table_and_the_moves_agree() -> None:
    assert {pair for pair, may in TABLE.items() if may} == {
        (str(one), str(to)) for one, all_to in MOVES.items() for to in all_to
    }


@pytest.mark.parametrize("stage", Stage.values)
def test_the_database_lets_a_stage_move_only_along_the_table(stage: str) -> None:
    campaign = make_campaign(stage=Stage.APPROVED)
    with triggers_off():
        fields: dict[str, Any] = {"stage": stage}
        if stage == Stage.DRAFT:
            fields |= {"text_hash": "", "list_hash": "", "frozen_at": None, "approved_at": None}
        Campaign.objects.filter(pk=campaign.pk).update(**fields)
    for to in Stage.values:
        if to == stage:
            continue
        fields = {"stage": to}
        if to == Stage.DRAFT:
            fields |= {"text_hash": "", "list_hash": "", "frozen_at": None, "approved_at": None}
        elif stage == Stage.DRAFT:
            fields |= {"text_hash": "x", "list_hash": "x", "frozen_at": clock.now()}
            fields |= {"approved_at": clock.now()} if to != Stage.FROZEN else {}
        try:
            with transaction.atomic():
                Campaign.objects.filter(pk=campaign.pk).update(**fields)
                moved = True
                raise RuntimeError  # and back
        except IntegrityError as error:
            assert "does not go from" in str(error)
            moved = False
        except RuntimeError:
            pass
        assert moved is TABLE[stage, to], (stage, to)


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "campaign_draft_is_not_frozen": (Stage.DRAFT, {"text_hash": "x"}),
    "campaign_frozen_has_hashes": (
        Stage.DRAFT,
        {"stage": Stage.FROZEN, "frozen_at": "2026-01-01T10:00Z", "list_hash": "x"},
    ),
    "campaign_leaves_only_approved": (Stage.FROZEN, {"stage": Stage.APPROVED}),
    "campaign_meeting_has_length": (
        Stage.DRAFT,
        {"meeting_starts": "2026-01-01T10:00Z", "meeting_ends": "2026-01-01T10:00Z"},
    ),
    "campaign_speed_sane": (Stage.DRAFT, {"per_minute": 0}),
    "campaign_kept_a_while": (Stage.DRAFT, {"keep_days": 0}),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_each_constraint_holds(name: str) -> None:
    stage, fields = BROKEN[name]
    campaign = make_campaign(stage=stage)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**fields)


@pytest.mark.parametrize("who", ["created_by", "frozen_by"])
def test_the_database_wants_two_people(who: str) -> None:
    campaign = make_campaign(stage=Stage.FROZEN)
    if who == "frozen_by":
        actions.thaw(campaign=campaign, by=campaign.created_by)
        campaign = actions.freeze(campaign=campaign, by=colleague(campaign))
    fields = {
        "stage": Stage.APPROVED,
        "approved_at": clock.now(),
        "approved_by": getattr(campaign, f"{who}_id"),
    }
    with pytest.raises(IntegrityError, match="campaign_two_people_approve"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**fields)


def test_every_constraint_is_broken_once_above() -> None:
    names = {constraint.name for constraint in Campaign._meta.constraints}
    assert names == {*BROKEN, "campaign_two_people_approve"}


# Start, pause, stop


def test_nothing_begins_before_its_time(gateway: type[Gateway]) -> None:
    from mailouts.tasks import send_letters

    at = clock.now() + timedelta(hours=5)
    campaign = make_campaign(stage=Stage.APPROVED, start_at=at)
    refused("not_yet", actions.start, campaign=campaign)
    assert send_letters() == 0
    with clock.frozen(at - timedelta(seconds=1)):
        assert send_letters() == 0
    with clock.frozen(at):
        assert send_letters() == 3
    campaign.refresh_from_db()
    assert campaign.started_at == at


def test_what_is_not_approved_never_leaves(gateway: type[Gateway]) -> None:
    from mailouts.tasks import send_letters

    for stage in (Stage.DRAFT, Stage.FROZEN, Stage.PAUSED):
        make_campaign(stage=stage)
    stopped = make_campaign(stage=Stage.SENDING)
    actions.stop(campaign=stopped, by=stopped.created_by, reason="Fejl")
    assert send_letters() == 0
    assert gateway.taken == []


def test_stop_cancels_what_has_not_left_and_what_is_claimed(gateway: type[Gateway]) -> None:
    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign, most=2)
    assert queue.step(claimed_by, note=None, leaves=ids[0])
    refused("no_reason", actions.stop, campaign=campaign, by=campaign.created_by, reason=" ")
    campaign = actions.stop(campaign=campaign, by=campaign.created_by, reason="Forkert liste")
    assert not queue.step(claimed_by, note=queue.sent(ids[0], clock.now()), leaves=ids[1])
    assert sorted(campaign.deliveries.values_list("state", flat=True)) == ["cancelled", "cancelled", "sent"]
    assert campaign.stop_reason == "Forkert liste"
    for do in (actions.resume, actions.pause, actions.thaw):
        with pytest.raises(Refused):
            do(campaign=campaign, by=campaign.created_by)


def test_a_letter_in_hand_that_is_not_taken_is_cancelled_after_a_stop(gateway: type[Gateway]) -> None:
    from mailouts.tasks import send_letters

    campaign = make_campaign(stage=Stage.SENDING)
    claimed_by, ids = queue.claim(campaign, most=1)
    queue.step(claimed_by, note=None, leaves=ids[0])
    actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl")
    note = queue.not_taken(ids[0], clock.now(), "busy", attempts=1, final=False)
    queue.step(claimed_by, note=note, leaves=None)
    send_letters()
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.CANCELLED}
    from mailouts.personal_data import still_needed

    persons = list(campaign.deliveries.values_list("person", flat=True))
    assert list(still_needed(persons)) == []


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.FROZEN])
def test_there_is_nothing_to_stop_before_it_is_approved(stage: str) -> None:
    campaign = make_campaign(stage=stage)
    refused("not_under_way", actions.stop, campaign=campaign, by=campaign.created_by, reason="x")


def test_pause_and_resume(gateway: type[Gateway]) -> None:
    from mailouts.tasks import send_letters

    campaign = make_campaign(stage=Stage.SENDING)
    refused("not_paused", actions.resume, campaign=campaign, by=campaign.created_by)
    actions.pause(campaign=campaign, by=campaign.created_by)
    refused("not_sending", actions.pause, campaign=campaign, by=campaign.created_by)
    assert send_letters() == 0
    actions.resume(campaign=campaign, by=campaign.created_by)
    assert send_letters() == 3
    refused("not_sending", actions.pause, campaign=campaign, by=campaign.created_by)


# What is sent is not sent again

BACK = [State.QUEUED, State.CLAIMED, State.SENDING, State.PRINTED, State.CANCELLED, State.LEFT_OUT]


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED])
@pytest.mark.parametrize("back", BACK)
def test_the_database_lets_nothing_that_was_sent_go_back(state: str, back: str) -> None:
    campaign = make_campaign(stage=Stage.SENDING)
    campaign.deliveries.update(state=state, left_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        campaign.deliveries.update(state=back)


def test_a_letter_leaves_only_from_a_claim_and_keeps_uuid_and_channel() -> None:
    from uuid import uuid4

    campaign = make_campaign(stage=Stage.SENDING)
    one = campaign.deliveries.filter(pk=campaign.deliveries.earliest("pk").pk)
    with pytest.raises(IntegrityError, match="only what is claimed leaves"), transaction.atomic():
        one.update(state=State.SENDING, left_at=clock.now())
    with pytest.raises(IntegrityError, match="keeps its UUID"), transaction.atomic():
        one.update(message_uuid=uuid4())
    one.update(state=State.CLAIMED)
    with pytest.raises(IntegrityError, match="delivery_left_before_answer"), transaction.atomic():
        one.update(state=State.SENDING)
    with pytest.raises(IntegrityError, match="keeps its channel"), transaction.atomic():
        one.update(channel="paper")


# History


def test_every_step_stands_in_the_history_with_who_took_it(gateway: type[Gateway]) -> None:
    from audit.words import is_named
    from mailouts.tasks import send_letters

    campaign = make_campaign()
    author, second = campaign.created_by, colleague(campaign)
    source = actions.add_source(campaign=campaign, by=author, kind="register", params={"age_from": 18})
    actions.add_list(campaign=campaign, by=author, name="x", text="email\na@example.dk")
    actions.remove_source(source=source, by=author)
    actions.ask_for_list(campaign=campaign, by=author)
    campaign = bring_to(campaign, Stage.FROZEN, by=author)
    actions.thaw(campaign=campaign, by=second)
    campaign = actions.freeze(campaign=campaign, by=author)
    actions.approve(campaign=campaign, by=second, typed=campaign.count)
    actions.start(campaign=campaign)
    actions.pause(campaign=campaign, by=second)
    actions.resume(campaign=campaign, by=author)
    gateway.answers = ["final"]
    send_letters()
    actions.send_again(campaign=campaign, by=second, state=State.FAILED)
    send_letters()
    other = make_campaign(stage=Stage.SENDING)
    actions.stop(campaign=other, by=other.created_by, reason="Fejl")
    draft = make_campaign()
    actions.delete_draft(campaign=draft, by=draft.created_by)
    told = {
        (action, actor)
        for action, actor in Entry.objects.filter(action__startswith="mailouts.").values_list(
            "action", "actor_id"
        )
        if actor in {None, author.pk, second.pk}
    }
    assert told >= {
        ("mailouts.create", author.pk),
        ("mailouts.edit", author.pk),
        ("mailouts.add_recipients", author.pk),
        ("mailouts.remove_recipients", author.pk),
        ("mailouts.build_list", None),
        ("mailouts.send_test", author.pk),
        ("mailouts.freeze", author.pk),
        ("mailouts.thaw", second.pk),
        ("mailouts.approve", second.pk),
        ("mailouts.start", None),
        ("mailouts.pause", second.pk),
        ("mailouts.resume", author.pk),
        ("mailouts.finish", None),
        ("mailouts.send_again", second.pk),
    }
    all_told = set(Entry.objects.values_list("action", flat=True))
    assert {"mailouts.stop", "mailouts.delete_draft"} <= all_told
    assert all(is_named(action) for action in all_told)
    frozen = Entry.objects.filter(action="mailouts.freeze", object_id=str(campaign.pk)).latest("pk")
    campaign.refresh_from_db()
    assert frozen.values == {
        "letters": campaign.count,
        "text": campaign.text_hash,
        "list": campaign.list_hash,
    }
