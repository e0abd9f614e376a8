"""After approval: amending, extending and correcting, each with its own door."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.verdict import Refused
from participation import clock
from participation.actions import process as actions
from participation.choices import DecisionBasis, Status
from participation.models import Change, Follow, Notice, Process
from tests.accounts.factories import make_citizen, make_unit
from tests.factories import make_manager, make_process, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def process() -> Process:
    return make_process(status=Status.OPEN)


@pytest.fixture
def manager(process: Process) -> Any:
    return make_manager(process.unit)


def refused(act: Any, **arguments: Any) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        act(**arguments)
    assert caught.value.reason
    return caught.value.code, caught.value.field


def planned(process: Process) -> list[dict[str, Any]]:
    return [
        {"kind": p.kind, "starts": p.interval.lower, "ends": p.interval.upper} for p in process.phases.all()
    ]


def test_an_amendment_is_public_and_reaches_followers(process: Process, manager: Any) -> None:
    follower = make_citizen()
    Follow.objects.create(user=follower, process=process, since=clock.now())
    before = process.promise
    change = actions.amend(
        process=process, by=manager, fields={"promise": "Vi lover mere."}, reason="Byrådet gav flere penge."
    )
    process.refresh_from_db()
    assert process.promise == "Vi lover mere."
    assert process.version == 3
    assert [(c["field"], c["before"], c["after"]) for c in change.changes] == [
        ("promise", before, "Vi lover mere.")
    ]
    notice = Notice.objects.get(user=follower)
    assert notice.kind == Notice.Kind.CHANGE
    assert "Byrådet gav flere penge." in notice.text


def test_an_amendment_says_values_as_people_read_them(process: Process, manager: Any) -> None:
    rows = {
        "frame_points": [
            {"kind": "open", "text": "Alt"},
            {"kind": "fixed", "text": "Stedet", "reason": "Lov"},
        ]
    }
    change = actions.amend(
        process=process,
        by=manager,
        fields={"decision_basis": ["law"], "conflict": False},
        rows=rows,
        reason="Nyt.",
    )
    shown = {c["field"]: c for c in change.changes}
    assert set(shown) == {"decision_basis", "frame_points"}
    assert shown["decision_basis"]["after"] == str(DecisionBasis.LAW.label)
    assert "Stedet (Lov)" in shown["frame_points"]["after"]
    assert "Beløbet" in shown["frame_points"]["before"]


def test_the_formats_rules_are_amended_through_the_same_door(process: Process, manager: Any) -> None:
    change = actions.amend(
        process=process, by=manager, detail={"total": 600_000}, reason="Mere at dele ud af."
    )
    process.citizenbudget.refresh_from_db()
    assert process.citizenbudget.total == 600_000
    assert [c["field"] for c in change.changes] == ["total"]


def test_who_may_take_part_is_amended_through_the_same_door(process: Process, manager: Any) -> None:
    change = actions.amend(
        process=process, by=manager, detail={"vote": {"min_age": 13}}, reason="De unge vil med."
    )
    process.citizenbudget.vote_rule.refresh_from_db()
    assert process.citizenbudget.vote_rule.min_age == 13
    (shown,) = change.changes
    assert shown["field"] == "vote"
    assert "15" in shown["before"]
    assert "13" in shown["after"]


def test_rules_of_a_vote_that_has_begun_stand(manager: Any) -> None:
    from budgets.models import Round

    process = make_process(status=Status.OPEN, phase="vote", unit=manager.units.get())
    vote = process.phases.get(kind="vote")
    Round.objects.create(process=process, phase=vote, opened_at=clock.now(), ballot_bytes=64)
    for detail in ({"total": 600_000}, {"vote": {"min_age": 13}}):
        code, _field = refused(actions.amend, process=process, by=manager, detail=detail, reason="Mere.")
        assert code == "voting_opened"
    assert actions.extend(
        process=process,
        by=process.author,
        closes_at=process.closes_at + timedelta(days=1),
        reason="Strømmen.",
    )


def test_extending_moves_only_the_end(process: Process) -> None:
    new = process.closes_at + timedelta(days=5)
    worker = make_worker(process.unit)
    change = actions.extend(process=process, by=worker, closes_at=new, reason="Strømmen var væk.")
    process.refresh_from_db()
    assert process.closes_at == new == process.phases.last().interval.upper
    assert change.kind == Change.Kind.EXTEND
    assert [c["field"] for c in change.changes] == ["phases.vote"]


def test_extending_one_phase_moves_those_behind_it(process: Process) -> None:
    phases = planned(process)
    phases[0]["ends"] += timedelta(days=3)
    for phase in phases[1:]:
        phase["starts"] += timedelta(days=3)
        phase["ends"] += timedelta(days=3)
    actions.extend(process=process, by=process.author, phases=phases, reason="Mere tid til ideer.")
    process.refresh_from_db()
    assert planned(process) == phases


def test_an_extension_never_takes_time_away(process: Process) -> None:
    by, reason = process.author, "Fordi."
    for closes_at in (process.closes_at, process.closes_at - timedelta(days=1)):
        assert (
            refused(actions.extend, process=process, by=by, closes_at=closes_at, reason=reason)[0]
            == "not_longer"
        )
    phases = planned(process)
    assert refused(actions.extend, process=process, by=by, phases=phases, reason=reason)[0] == "not_longer"
    phases.pop()
    assert refused(actions.extend, process=process, by=by, phases=phases, reason=reason)[0] == "not_longer"
    assert refused(actions.extend, process=process, by=by, reason=reason)[0] == "no_dates"


def test_an_extension_past_the_agenda_is_refused_as_a_principle_would(process: Process) -> None:
    code, _field = refused(
        actions.extend,
        process=process,
        by=process.author,
        closes_at=process.closes_at + timedelta(days=60),
        reason="Meget mere tid.",
    )
    assert code == "not_ready"
    process.refresh_from_db()
    assert planned(process)[-1]["ends"] == process.closes_at


def test_what_was_over_when_the_worker_slept_is_not_extended(process: Process) -> None:
    later = process.closes_at + timedelta(days=2)
    with clock.frozen(process.closes_at):
        assert (
            refused(actions.extend, process=process, by=process.author, closes_at=later, reason="x")[0]
            == "past"
        )


def test_the_past_stays(process: Process, manager: Any) -> None:
    for spoil in ({"starts": timedelta(days=1)}, {"starts": -timedelta(days=1)}):
        phases = planned(process)
        for name, by in spoil.items():
            phases[0][name] += by
        assert refused(actions.amend, process=process, by=manager, phases=phases, reason="x") == (
            "past",
            "phases",
        )
    phases = planned(process)
    phases[0]["ends"] = clock.now() - timedelta(hours=1)
    assert refused(actions.amend, process=process, by=manager, phases=phases, reason="x") == (
        "past",
        "phases",
    )
    process = make_process(status=Status.OPEN, phase="vote", unit=process.unit)
    phases = planned(process)
    phases[0]["ends"] -= timedelta(days=1)
    assert refused(actions.amend, process=process, by=manager, phases=phases, reason="x") == (
        "past",
        "phases",
    )
    assert refused(actions.amend, process=process, by=manager, phases=phases[2:], reason="x")[0] == "past"


def test_an_amendment_stops_where_a_principle_would(process: Process, manager: Any) -> None:
    assert refused(
        actions.amend, process=process, by=manager, fields={"ladder_step": "information"}, reason="x"
    ) == (
        "not_ready",
        "ladder_step",
    )
    assert (
        refused(actions.amend, process=process, by=manager, rows={"channels": []}, reason="x")[0]
        == "not_ready"
    )
    assert process.channels.count() == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"fields": {"promise": "Nyt"}, "reason": " "}, ("reason_missing", "reason")),
        ({"fields": {"promise": ""}, "reason": "x"}, ("required", "promise")),
        ({"fields": {"decision_on": None}, "reason": "x"}, ("required", "decision_on")),
        ({"fields": {"slug": "andet"}, "reason": "x"}, ("unknown_field", "slug")),
        ({"fields": {"size": "large"}, "reason": "x"}, ("unknown_field", "size")),
        ({"fields": {"closes_at": clock.now()}, "reason": "x"}, ("derived", "phases")),
        ({"detail": {"currency": "EUR"}, "reason": "x"}, ("unknown_field", "currency")),
        ({"rows": {"summaries": []}, "reason": "x"}, ("unknown_field", "summaries")),
        ({"fields": {"question": "x" * 201}, "reason": "x"}, ("invalid", "question")),
        ({"fields": {"question": "nul\x00"}, "reason": "x"}, ("invalid", "question")),
        ({"fields": {}, "reason": "x"}, ("nothing_changed", None)),
    ],
)
def test_what_an_amendment_refuses(
    process: Process, manager: Any, arguments: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    assert refused(actions.amend, process=process, by=manager, **arguments) == expected
    assert not Change.objects.exists()


def test_before_opening_a_change_means_back_to_draft() -> None:
    process = make_process(status=Status.APPROVED)
    by = make_manager(process.unit)
    assert (
        refused(actions.amend, process=process, by=by, fields={"promise": "x"}, reason="x")[0]
        == "wrong_status"
    )
    assert (
        refused(actions.extend, process=process, by=by, closes_at=clock.now(), reason="x")[0]
        == "wrong_status"
    )
    assert (
        refused(
            actions.update_process, process=process, by=process.author, version=process.version, fields={}
        )[0]
        == "frozen"
    )


# Correcting


def test_a_correction_waits_for_a_colleague_and_sends_no_mail(process: Process) -> None:
    Follow.objects.create(user=make_citizen(), process=process, since=clock.now())
    change = actions.propose_correction(
        process=process,
        by=process.author,
        fields={"introduction": "I Solbyen er der penge."},
        reason="Slåfejl.",
    )
    process.refresh_from_db()
    assert process.introduction != "I Solbyen er der penge."
    assert refused(actions.confirm_correction, change=change, by=process.author)[0] == "four_eyes"
    assert refused(actions.confirm_correction, change=change, by=make_worker(make_unit()))[0] == "other_unit"
    colleague = make_worker(process.unit)
    actions.confirm_correction(change=change, by=colleague)
    process.refresh_from_db()
    change.refresh_from_db()
    assert process.introduction == "I Solbyen er der penge."
    assert change.confirmed_by == colleague
    assert not Notice.objects.filter(kind=Notice.Kind.CHANGE).exists()
    assert refused(actions.confirm_correction, change=change, by=make_worker(process.unit))[0] == "confirmed"


@pytest.mark.parametrize(
    "name",
    [
        "promise",
        "who_decides",
        "decision_on",
        "processing_days",
        "touches",
        "ladder_step",
        "legal_basis",
        "size",
    ],
)
def test_a_rule_is_never_a_correction(process: Process, name: str) -> None:
    expected = ("not_wording", name)
    fields = {name: getattr(process, name)}
    assert (
        refused(actions.propose_correction, process=process, by=process.author, fields=fields, reason="x")
        == expected
    )


def test_a_correction_of_what_has_changed_since_is_refused(process: Process, manager: Any) -> None:
    fields = {"question": "Hvad skal der ske?"}
    change = actions.propose_correction(process=process, by=process.author, fields=fields, reason="Kortere.")
    actions.amend(process=process, by=manager, fields={"question": "Hvad vil I?"}, reason="Nyt.")
    assert refused(actions.confirm_correction, change=change, by=manager)[0] == "stale"


def test_a_correction_must_correct_something(process: Process) -> None:
    same = {"question": process.question}
    by = process.author
    assert (
        refused(actions.propose_correction, process=process, by=by, fields=same, reason="x")[0]
        == "nothing_changed"
    )
    assert refused(
        actions.propose_correction, process=process, by=by, fields={"question": ""}, reason="x"
    ) == (
        "required",
        "question",
    )
    assert refused(actions.propose_correction, process=process, by=by, fields={"question": "Ny"}, reason="")[
        0
    ] == ("reason_missing")
