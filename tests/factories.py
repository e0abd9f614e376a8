"""Processes for tests. A status is reached by calling the real actions, each at the moment it belongs to."""

import importlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.utils import timezone

from accounts.models import RegisterExtract, Unit, User
from accounts.permissions import Role
from participation import clock, lifecycle
from participation.actions import outcomes
from participation.actions import process as actions
from participation.choices import Size, Status
from participation.models import Committee, CommitteeMeeting, OpeningMinimum, Process
from tests.accounts.factories import make_extract, make_staff, make_unit

__all__ = [
    "approve",
    "conclude_ready",
    "fill_in",
    "make_manager",
    "make_meeting",
    "make_process",
    "make_worker",
    "phases_from",
    "starting_data",
]

_numbers = itertools.count(1)

# How long each phase of a budget lasts.
DAYS = {"ideas": 30, "assessment": 14, "vote": 14}
PRECONDITIONS = {
    "will_listen": True,
    "timing_is_right": True,
    "there_is_time": True,
    "frame_is_clear": True,
    "willing_to_try_new": True,
}
ANSWERS: dict[str, Any] = PRECONDITIONS | {
    "question": "Hvad skal pengene i Solbyen gå til?",
    "introduction": "I Solbyen er der penge til jeres egne ideer.",
    "purposes": ["democracy", "innovation"],
    "why_this_format": "De, der bor her, ved bedst, hvad der mangler.",
    "ladder_step": "codecision",
    "who_decides": "Byrådet",
    "decision_basis": ["money"],
    "promise": "De projekter, der får flest stemmer, får pengene.",
    "politicians_role": "De sætter rammen og siger ja til sidst.",
    "who_answers": "Anne fra Park og Vej",
    "answer_how": "theme",
    "willing_to_try": "Vi lader jer selv bygge det.",
    "carried_into_decision": "Resultatet ligger ved sagen i byrådet.",
    "decision_stage": "idea",
    "processing_days": 14,
    "planned_dialogues": 2,
    "staff_hours": 120,
    "preparation": "Kom til møde på skolen.",
    "touches": "municipality",
    "recruitment": ["open", "outreach"],
    "offline_route": "Ring til os eller kom på biblioteket.",
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "frame_points": [
        {"kind": "open", "text": "Hvad der skal laves"},
        {"kind": "fixed", "text": "Beløbet", "reason": "Byrådet har afsat det i budgettet."},
    ],
    "audiences": [
        {"kind": "touched", "name": "Alle i Solbyen"},
        {"kind": "beyond", "name": "Cykelklubben"},
        {"kind": "families", "name": "Børnehaven Solen"},
        {"kind": "young", "name": "Ungdomsklubben"},
    ],
    "channels": [
        {"name": "Portalen her", "digital": True},
        {"name": "Opslag i Brugsen", "digital": False},
    ],
    "councils_heard": [{"council": "Handicaprådet", "must_be_heard": False}],
}
DETAIL: dict[str, dict[str, Any]] = {
    "citizen_budget": {
        "total": Decimal(500_000),
        "max_cost": Decimal(200_000),
        "ballot_type": "approval",
        "max_choices": 3,
        "propose": {"min_age": 13},
        "vote": {"min_age": 15},
    }
}
# How far along each status is.
ROAD = (
    Status.DRAFT,
    Status.IN_REVIEW,
    Status.APPROVED,
    Status.OPEN,
    Status.CLOSED,
    Status.DECIDED,
    Status.CONCLUDED,
)


def starting_data() -> None:
    """What the migrations filled in, again: a test with real transactions empties the tables after itself."""
    if not OpeningMinimum.objects.exists():
        importlib.import_module("participation.migrations.0007_starting_data").fill(apps, None)


def make_worker(unit: Unit | None = None, **fields: Any) -> User:
    return make_staff(Role.CASEWORKER, units=[unit or make_unit()], factor=False, **fields)


def make_manager(unit: Unit | None = None, **fields: Any) -> User:
    return make_staff(Role.MANAGER, units=[unit or make_unit()], factor=False, **fields)


def make_meeting(held_at: datetime, *, deadline_days: int = 10) -> CommitteeMeeting:
    committee, _made = Committee.objects.get_or_create(name="Økonomiudvalget")
    return CommitteeMeeting.objects.create(
        committee=committee, held_at=held_at, agenda_deadline=held_at - timedelta(days=deadline_days)
    )


def phases_from(starts: datetime, days: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """The phases of a budget, one after the other."""
    phases = []
    for kind, length in (days or DAYS).items():
        ends = starts + timedelta(days=length)
        phases.append({"kind": kind, "starts": starts, "ends": ends})
        starts = ends
    return phases


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with clock.frozen(moment):
        yield


def make_process(
    *,
    status: str = Status.DRAFT,
    phase: str = "ideas",
    format: str = "citizen_budget",
    size: str = Size.ORDINARY,
    unit: Unit | None = None,
    author: User | None = None,
    manager: User | None = None,
    detail: dict[str, Any] | None = None,
    rows: dict[str, Any] | None = None,
    days: dict[str, int] | None = None,
    opens_at: datetime | None = None,
    ready: bool = True,
    comment: str = "Pengene er brugt.",
    **fields: Any,
) -> Process:
    """A process that came to `status` by the real actions; an open one is in the middle of `phase`.

    `ready=False`: a draft with nothing but its title. `fields`, `rows` and `detail` replace what the factory would answer.
    """
    starting_data()
    if not RegisterExtract.objects.exists():
        make_extract(valid_until=clock.today() + timedelta(days=800))
    unit = unit or make_unit()
    author = author or make_worker(unit)
    manager = manager or make_manager(unit)
    number = next(_numbers)
    starts = opens_at or _opening(status, phase, days or DAYS)
    with at(min(starts - timedelta(days=14), clock.now())):
        process = actions.create_process(
            by=author,
            format=format,
            unit=unit,
            title=fields.pop("title", f"Solbyens penge {number}"),
            size=size,
            detail=DETAIL.get(format, {}) | (detail or {}),
        )
        if ready:
            process = fill_in(process, by=author, starts=starts, days=days, rows=rows, **fields)
        elif fields or rows:
            process = actions.update_process(process=process, by=author, version=1, fields=fields, rows=rows)
        if status == Status.INFORMED:
            return lifecycle.perform(process=process, name="inform", by=author, comment=comment)
        if status == Status.CANCELLED:
            return lifecycle.perform(process=process, name="cancel", by=author, comment=comment)
        if status == Status.DRAFT:
            return process
        process = lifecycle.perform(process=process, name="submit", by=author)
        if status == Status.IN_REVIEW:
            return process
        process = lifecycle.perform(process=process, name="approve", by=manager)
    return _move_on(process, status, author)


def _opening(status: str, phase: str, days: dict[str, int]) -> datetime:
    """When it opens, so that it is where it should be now: on the hour, as people set it."""
    now = timezone.localtime(clock.now()).replace(minute=0, second=0, microsecond=0)
    if status in {Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.CANCELLED, Status.INFORMED}:
        return now + timedelta(days=14)
    if status == Status.OPEN:
        before = list(itertools.takewhile(lambda kind: kind != phase, days))
        return now - timedelta(days=sum(days[kind] for kind in before) + days[phase] // 2)
    return now - timedelta(days=sum(days.values()) + 40)


def fill_in(
    process: Process,
    *,
    by: User,
    starts: datetime,
    days: dict[str, int] | None = None,
    rows: dict[str, Any] | None = None,
    **fields: Any,
) -> Process:
    """Answer every principle so that the process can be approved."""
    phases = phases_from(starts, days)
    closes = phases[-1]["ends"]
    answers = ANSWERS | {
        "frame_adopted_on": timezone.localdate(starts) - timedelta(days=30),
        "decision_on": timezone.localdate(closes) + timedelta(days=21),
        "answers_due_on": timezone.localdate(closes) + timedelta(days=14),
        "legal_basis": OpeningMinimum.objects.get(name="Borgerbudget"),
    }
    given = ROWS | {"phases": phases}
    if process.size == Size.LARGE:
        promises = [{"unit": process.unit, "what": "Assess the projects", "said_yes_on": clock.today()}]
        given = given | {"internal_promises": promises}
    return actions.update_process(
        process=process, by=by, version=process.version, fields=answers | fields, rows=given | (rows or {})
    )


def approve(process: Process, *, manager: User | None = None) -> Process:
    process = lifecycle.perform(process=process, name="submit", by=process.author)
    return lifecycle.perform(process=process, name="approve", by=manager or make_manager(process.unit))


def _move_on(process: Process, status: str, author: User) -> Process:
    if status == Status.APPROVED:
        return process
    with at(process.opens_at):
        process = lifecycle.perform(process=process, name="open", by=None)
    if status == Status.OPEN:
        return process
    with at(process.closes_at):
        process = lifecycle.perform(process=process, name="close", by=None)
    if status == Status.CLOSED:
        return process
    with at(process.closes_at + timedelta(days=22)):
        outcomes.record_decision(
            process=process, by=author, decided_on=clock.today(), body="Byrådet", text="Byrådet sagde ja."
        )
        process.refresh_from_db()
        if process.status == Status.CLOSED:
            process = lifecycle.perform(process=process, name="decide", by=author)
        if status == Status.DECIDED:
            return process
        conclude_ready(process, by=author)
        return lifecycle.perform(process=process, name="conclude", by=author)


def conclude_ready(process: Process, *, by: User) -> None:
    """Keep the promises of a process without contributions."""
    outcomes.record_impact(process=process, by=by, text="Der kom en bænk ved søen.")
    outcomes.state_told_outside(process=process, by=by, how="Lokalavisen", on=clock.today())
