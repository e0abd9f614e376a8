"""How a process moves: one table of transitions, beside it what each writes to the audit and tells people
(`announcements.ANNOUNCED`). docs/states.md is drawn from it.

draft → in review → approved → open → closed → decided → concluded; back to draft with a comment; cancelled with a
public reason from any state before decided; or closed as "we inform instead" with a public note.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction as db_transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from accounts.verdict import Refused, Verdict, verdict
from audit.actions import record
from participation import announcements, clock, formats, phases
from participation.choices import UNPUBLISHED, Status
from participation.models import Process, Transition
from participation.permissions import process as permissions
from participation.principles.base import Gate
from participation.principles.judging import readiness


@dataclass(frozen=True)
class Step:
    """One kind of transition. `clock`: the clock may do it (`by` None). `comment`: why it takes one, when it must."""

    name: str
    sources: frozenset[Status]
    target: Status
    label: Any
    permission: Callable[..., None]
    check: Callable[[Process, datetime], None] | None = None
    comment: Any = ""
    clock: bool = False
    audit_action: str = ""


def _check_submittable(process: Process, at: datetime) -> None:
    """What the page can't do without must be there; the rest a manager may judge."""
    for finding in readiness(process, gate=Gate.APPROVE).blocking:
        if not finding.may_be_overridden:
            raise Refused("not_ready", finding.message, finding.field)


def _check_approvable(process: Process, at: datetime) -> None:
    _check_gate(process, Gate.APPROVE)


def _check_concludable(process: Process, at: datetime) -> None:
    _check_gate(process, Gate.CONCLUDE)


def _check_gate(process: Process, gate: Gate) -> None:
    blocking = readiness(process, gate=gate).blocking
    if blocking:
        raise Refused("not_ready", blocking[0].message, blocking[0].field)


def _check_opens_now(process: Process, at: datetime) -> None:
    if process.opens_at is None or process.opens_at > at:
        when = phases.moment(process.opens_at) if process.opens_at else ""
        raise Refused("not_yet", _("It opens by itself %(when)s.") % {"when": when}, "phases")


def _check_closes_now(process: Process, at: datetime) -> None:
    if process.closes_at is None or process.closes_at > at:
        when = phases.closing_moment(process.closes_at) if process.closes_at else ""
        raise Refused("not_yet", _("It closes by itself %(when)s.") % {"when": when}, "phases")


def _check_decided(process: Process, at: datetime) -> None:
    if not process.decisions.exists():
        raise Refused("no_decision", _("Record the decision first."), "decisions")


TRANSITIONS: tuple[Step, ...] = (
    Step(
        "submit",
        frozenset({Status.DRAFT}),
        Status.IN_REVIEW,
        gettext_lazy("Send to review"),
        permissions.check_submit,
        _check_submittable,
        audit_action="process.submitted",
    ),
    Step(
        "send_back",
        frozenset({Status.IN_REVIEW, Status.APPROVED}),
        Status.DRAFT,
        gettext_lazy("Send back to draft"),
        permissions.check_send_back,
        comment=gettext_lazy("Say what must be changed."),
        audit_action="process.sent_back",
    ),
    Step(
        "approve",
        frozenset({Status.IN_REVIEW}),
        Status.APPROVED,
        gettext_lazy("Approve"),
        permissions.check_approve,
        _check_approvable,
        audit_action="process.approved",
    ),
    Step(
        "open",
        frozenset({Status.APPROVED}),
        Status.OPEN,
        pgettext_lazy("step", "Open now"),
        permissions.check_act_for,
        _check_opens_now,
        clock=True,
        audit_action="process.opened",
    ),
    Step(
        "close",
        frozenset({Status.OPEN}),
        Status.CLOSED,
        gettext_lazy("Close now"),
        permissions.check_act_for,
        _check_closes_now,
        clock=True,
        audit_action="process.closed",
    ),
    Step(
        "decide",
        frozenset({Status.CLOSED}),
        Status.DECIDED,
        gettext_lazy("Mark as decided"),
        permissions.check_decide,
        _check_decided,
        audit_action="process.decided",
    ),
    Step(
        "conclude",
        frozenset({Status.DECIDED}),
        Status.CONCLUDED,
        gettext_lazy("Conclude"),
        permissions.check_act_for,
        _check_concludable,
        audit_action="process.concluded",
    ),
    Step(
        "cancel",
        frozenset({Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED}),
        Status.CANCELLED,
        gettext_lazy("Call it off"),
        permissions.check_cancel,
        comment=gettext_lazy("Say why: everyone can read the reason."),
        audit_action="process.cancelled",
    ),
    Step(
        "inform",
        frozenset({Status.DRAFT}),
        Status.INFORMED,
        gettext_lazy("Inform instead"),
        permissions.check_act_for,
        comment=gettext_lazy("Write the note that everyone can read."),
        audit_action="process.informed",
    ),
)
BY_NAME = {step.name: step for step in TRANSITIONS}


def check(process: Process, name: str, by: User | None, *, at: datetime | None = None) -> None:
    """Raise `Refused` unless `by` (None: the clock) may take this step now."""
    step, at = BY_NAME[name], at or clock.now()
    if by is None:
        if not step.clock:
            raise Refused("no_permission", _("Only a person can do this."))
    else:
        permissions.check_act_for(by, process, permission=_least(step))
    if process.status not in step.sources:
        raise Refused(
            "wrong_status",
            _("Not possible while it is “%(status)s”.") % {"status": process.get_status_display()},
        )
    if by is not None:
        step.permission(by, process, at=at)
    if step.check is not None:
        step.check(process, at)
    before = formats.get(process.format).before_transition
    if before is not None:
        before(process, name=name, by=by, at=at)


def can(process: Process, name: str, by: User | None, *, at: datetime | None = None) -> Verdict:
    return verdict(check, process, name, by, at=at)


def available(process: Process, by: User, *, at: datetime | None = None) -> list[tuple[Step, Verdict]]:
    """The steps that lead on from here, each with whether `by` may take it now and, if not, why."""
    steps = [step for step in TRANSITIONS if process.status in step.sources]
    return [(step, can(process, step.name, by, at=at)) for step in steps]


def perform(
    *,
    process: Process,
    name: str,
    by: User | None,
    comment: str = "",
    at: datetime | None = None,
    version: int | None = None,
) -> Process:
    """Take the step. `version`: what the page showed, so that nobody approves what they have not read."""
    step, at, comment = BY_NAME[name], at or clock.now(), comment.strip()
    with db_transaction.atomic():
        locked = Process.objects.select_for_update(of=("self",)).get(pk=process.pk)
        check(locked, name, by, at=at)
        if version is not None and version != locked.version:
            raise Refused("stale", _("Somebody changed it meanwhile. Read it again first."))
        if step.comment and not comment:
            raise Refused("comment_missing", step.comment, "comment")
        source = Status(locked.status)
        changed = _apply(locked, step, by=by, comment=comment, at=at)
        locked.save(update_fields=changed)
        made = Transition.objects.create(
            process=locked,
            name=name,
            from_status=source,
            to_status=step.target,
            comment=comment,
            by=by,
            at=at,
        )
        record(
            action=step.audit_action,
            by=by,
            obj=locked,
            changed=changed,
            values={"from": source, "to": step.target},
        )
        after = formats.get(locked.format).after_transition
        if after is not None:
            after(locked, name=name, by=by, at=at)
        announcements.transition(process=locked, name=name, transition_id=made.pk, comment=comment, by=by)
    return locked


def _apply(process: Process, step: Step, *, by: User | None, comment: str, at: datetime) -> list[str]:
    changed = {"status", "updated_at"}
    was_unpublished = process.status in UNPUBLISHED
    process.status, process.updated_at = step.target, clock.now()
    match step.name:
        case "approve":
            process.approved_by = by
            changed.add("approved_by")
        case "send_back":
            process.approved_by = None
            changed.add("approved_by")
        case "close":
            process.closed_at = at
            changed.add("closed_at")
        case "conclude":
            process.concluded_at = at
            changed.add("concluded_at")
        case "cancel" | "inform":
            process.public_note = comment
            changed.add("public_note")
            if step.name == "cancel" and was_unpublished:
                # Nobody outside has heard of it: the reason can be read, but no list leads there.
                process.listed = False
                changed.add("listed")
    return sorted(changed)


def _least(step: Step) -> Any:
    """The permission without which the status need not be mentioned."""
    from accounts.permissions import Permission

    return Permission.RECORD_DECISION if step.name == "decide" else Permission.SET_UP_PROCESS
