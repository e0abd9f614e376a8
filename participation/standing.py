"""Where a process stands at a given moment, for the eyes of the public.

Status alone never opens or closes: between two runs of the clock's task the interval says what is true.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dkfds import wording
from participation import formats, phases
from participation.choices import PUBLIC, LadderStep, Status
from participation.formats import Act, NextStep
from participation.models import Process
from participation.principles.timing import decision_date

# What each step of the ladder means to the one who takes part.
MEANINGS = {
    LadderStep.INFORMATION: _("You are told what happens and why."),
    LadderStep.HEARING: _("You say what you think before it is decided, and you get an answer."),
    LadderStep.DIALOGUE: _("You talk with those who decide, and what is said shapes the proposal."),
    LadderStep.INFLUENCE: _("What you say and choose weighs heavily in the decision."),
    LadderStep.CODECISION: _("Citizens choose, the council approves."),
    LadderStep.CORESPONSIBILITY: _("Citizens choose and carry it out together with the municipality."),
}


class Standing(StrEnum):
    PREVIEW = "preview"
    COMING = "coming"
    OPEN = "open"
    WORKING = "working"
    DECIDED = "decided"
    CONCLUDED = "concluded"
    CANCELLED = "cancelled"
    INFORMED = "informed"


LABELS = {
    Standing.PREVIEW: _("Preview"),
    Standing.COMING: _("Opens soon"),
    Standing.OPEN: pgettext_lazy("process", "Open now"),
    Standing.WORKING: _("Being worked on"),
    Standing.DECIDED: pgettext_lazy("process", "Decided"),
    Standing.CONCLUDED: pgettext_lazy("process", "Concluded"),
    Standing.CANCELLED: pgettext_lazy("process", "Cancelled"),
    Standing.INFORMED: _("For information"),
}
_OF_STATUS = {
    Status.CLOSED: Standing.WORKING,
    Status.DECIDED: Standing.DECIDED,
    Status.CONCLUDED: Standing.CONCLUDED,
    Status.CANCELLED: Standing.CANCELLED,
    Status.INFORMED: Standing.INFORMED,
}


def standing(process: Process, at: datetime) -> Standing:
    if process.status not in PUBLIC:
        return Standing.PREVIEW
    if process.status in _OF_STATUS:
        return _OF_STATUS[Status(process.status)]
    if process.opens_at is not None and at < process.opens_at:
        return Standing.COMING
    if process.closes_at is not None and at >= process.closes_at:
        return Standing.WORKING
    return Standing.OPEN


def next_step(process: Process, at: datetime) -> NextStep | None:
    """The one thing to do now, or why there is none yet; None when the process is over."""
    where = standing(process, at)
    if where is Standing.COMING:
        return NextStep(label=_("Opens soon"), until=process.opens_at)
    if where not in {Standing.OPEN, Standing.PREVIEW}:
        return None
    fmt = formats.get(process.format)
    if fmt.next_step is not None:
        step = fmt.next_step(process, at)
        if step is not None:
            return step
    phase = phases.phase_at(process, at)
    kind = fmt.phase_kind(phase.kind) if phase else None
    if phase is not None and kind is not None and Act.CONTRIBUTE in kind.allows:
        return NextStep(
            label=_("Give your contribution"),
            url=reverse("participation:contribute", args=[process.slug]),
            takes=(_("about 10 minutes"), _("needs MitID")),
            until=phase.interval.upper,
        )
    return None


def timeline(process: Process, at: datetime) -> list[dict[str, Any]]:
    """Phases with dates, then the decision and the answers: what is past, now and next."""
    today = timezone.localdate(at)
    steps: list[dict[str, Any]] = []
    for phase in process.phases.all():
        start, end = phase.interval.lower, phase.interval.upper
        steps.append(
            {
                "label": phases.label(phase),
                "when": wording.period(start, end, today),
                "state": "past" if at >= end else "now" if at >= start else "next",
                "text": phase.description,
            }
        )
    decided = process.status in {Status.DECIDED, Status.CONCLUDED}
    decided_on = decision_date(process)
    if decided_on is not None:
        steps.append(
            {
                "label": _("Decision"),
                "when": wording.day(decided_on, today),
                "state": "past" if decided else "next",
                "text": process.who_decides,
            }
        )
    if process.answers_due_on is not None:
        steps.append(
            {
                "label": _("You get an answer"),
                "when": _("at the latest %(day)s") % {"day": wording.day(process.answers_due_on, today)},
                "state": "past" if process.status == Status.CONCLUDED else "next",
                "text": process.who_answers,
            }
        )
    if process.status in {Status.CLOSED, Status.DECIDED} and not any(
        step["state"] == "now" for step in steps
    ):
        waiting = next((step for step in steps if step["state"] == "next"), None)
        if waiting is not None:
            waiting["state"] = "now"
    return steps
