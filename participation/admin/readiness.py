"""The readiness list as staff see it: each finding with its word and a link to the place where it is mended."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from participation.admin.setup import ProcessForm
from participation.models import Process
from participation.permissions.process import can_override
from participation.principles import Level, Readiness
from participation.principles.preconditions import QUESTIONS

ROWS = {
    "frame_points": "rows-open_points",
    "fixed_points": "rows-fixed_points",
    "internal_promises": "rows-internal_promises",
    "audiences": "rows-audiences",
    "channels": "rows-channels",
    "councils_heard": "rows-councils_heard",
    "phases": "rows-phases",
    "opens_at": "rows-phases",
    "closes_at": "rows-phases",
    "summaries": "rows-summaries",
}
GROUPED = {
    "ladder_step", "answer_how", "touches", "touched_districts", "decision_stage", "size", "purposes",
    "decision_basis", "recruitment",
}  # fmt: skip
WORDS = {
    Level.BLOCKING: _("Must be fixed"),
    Level.WARNING: _("Think about"),
    Level.PASSED: _("In order"),
}
PLAIN_WORDS = {
    Level.BLOCKING: _("Something is missing"),
    Level.WARNING: _("Think about it"),
    Level.PASSED: _("In order"),
}


def url_of(process: Process, field: str | None, *, on_form: bool) -> str:
    """Where a finding is mended: a field of the set-up form, or one of the other pages."""
    if not field:
        return ""
    if field in QUESTIONS or field == "went_on_because":
        return reverse("admin:process-preconditions", args=[process.pk])
    if field == "contributions":
        return reverse("admin:process-contributions", args=[process.pk])
    if field in {"nothing_changed_because", "told_outside_how", "told_outside_on", "decisions", "impacts"}:
        return reverse("admin:process-result", args=[process.pk])
    page = "" if on_form else reverse("admin:process-setup", args=[process.pk])
    if field in ROWS:
        return f"{page}#{ROWS[field]}"
    if field in ProcessForm.base_fields:
        return f"{page}#id_{field}{'_0' if field in GROUPED else ''}"
    return f"{page}#id_detail-{field}"


def shown(readiness: Readiness, process: Process, user: Any, *, on_form: bool = False) -> dict[str, Any]:
    """What the template draws: groups by principle, worst first, with the counts and the five marks."""
    may_override = bool(can_override(user, process))
    order = list(Level)
    groups: list[dict[str, Any]] = []
    for group in readiness:
        lines = [
            {
                "level": judged.level,
                "word": _("Overridden") if judged.override else WORDS[judged.level],
                "tone": "warning" if judged.override else judged.level.value,
                "message": judged.finding.message,
                "url": url_of(process, judged.finding.field, on_form=on_form),
                "override": judged.override,
                "override_url": reverse("admin:process-override", args=[process.pk, judged.finding.key])
                if may_override and judged.stops and judged.finding.may_be_overridden
                else "",
                "stops": judged.stops,
            }
            for judged in sorted(group.judged, key=lambda judged: -order.index(judged.level))
        ]
        marked = mark(group)
        first = marked["level"] is Level.BLOCKING and not any(one["first"] for one in groups)
        groups.append(
            {"principle": group.principle, "label": group.label, "lines": lines, "first": first} | marked
        )
    return {
        "groups": groups,
        "blocking": len(readiness.blocking),
        "warnings": len(readiness.warnings),
        "passed": len(readiness.passed),
        "ready": readiness.ready,
    }


def mark(group: Any) -> dict[str, Any]:
    """One principle in one mark: its worst level, with a word."""
    if group.stops:
        level = Level.BLOCKING
    elif any(judged.level is not Level.PASSED for judged in group.judged):
        level = Level.WARNING
    else:
        level = Level.PASSED
    return {"level": level, "tone": level.value, "word": PLAIN_WORDS[level]}
