"""After approval: amending and extending the rules with a public reason, and correcting the wording."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, models, transaction
from django.utils import formats as django_formats
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from participation import announcements, clock, formats, frozen
from participation import phases as plan
from participation.actions.writing import (
    ROWS,
    locked_process,
    set_fields,
    typed_over,
    update_detail,
    write_rows,
)
from participation.models import Audience, Change, FramePoint, Process
from participation.permissions import process as permissions
from participation.principles.base import Gate, label_of
from participation.principles.judging import readiness
from participation.principles.timing import decision_date


def amend(
    *,
    process: Process,
    by: User,
    fields: Mapping[str, Any] | None = None,
    phases: Iterable[Mapping[str, Any]] | None = None,
    rows: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
    reason: str,
) -> Change:
    """Change the rules people act under, with a public reason that reaches everyone who follows."""
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_amend(by, locked)
        return _change(
            locked,
            by=by,
            kind=Change.Kind.AMEND,
            fields=fields or {},
            rows=dict(rows or {}) | ({"phases": phases} if phases is not None else {}),
            detail=detail or {},
            reason=reason,
        )


def extend(
    *,
    process: Process,
    by: User,
    closes_at: datetime | None = None,
    phases: Iterable[Mapping[str, Any]] | None = None,
    reason: str,
) -> Change:
    """Give more time: the last phase ends later, or the phases given each end later. Never less time."""
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_extend(by, locked)
        before = plan.stored(locked)
        if phases is not None:
            after = plan.planned(locked, phases)
        elif closes_at is not None and before:
            last = before[-1]
            after = [*before[:-1], plan.Planned(last.kind, last.starts, closes_at, last.description)]
        else:
            raise Refused("no_dates", _("Say until when."), "phases")
        ends = {phase.kind: phase.ends for phase in before}
        shorter = [phase for phase in after if phase.kind not in ends or phase.ends < ends[phase.kind]]
        if shorter or len(after) != len(before) or after == before:
            raise Refused("not_longer", _("An extension gives more time: choose a later end."), "phases")
        return _change(
            locked,
            by=by,
            kind=Change.Kind.EXTEND,
            fields={},
            rows={"phases": after},
            detail={},
            reason=reason,
        )


def _change(
    locked: Process,
    *,
    by: User,
    kind: str,
    fields: Mapping[str, Any],
    rows: Mapping[str, Any],
    detail: Mapping[str, Any],
    reason: str,
) -> Change:
    if not reason.strip():
        raise Refused("reason_missing", _("Say why: everyone can read the reason."), "reason")
    unknown = set(fields) - set(frozen.COLUMNS) - {"touched_districts"}
    unknown |= set(rows) - {"phases", "touched_districts", "frame_points", "audiences", "channels"}
    unknown |= set(detail) - set(formats.get(locked.format).frozen_fields)
    if unknown:
        raise Refused("unknown_field", _("This can't be changed by an amendment."), min(unknown))
    rows = dict(rows)
    fields = dict(fields)
    if "touched_districts" in fields:
        rows["touched_districts"] = fields.pop("touched_districts")
    if "phases" in rows:
        rows["phases"] = plan.planned(locked, rows["phases"])
        _check_past_stays(locked, rows["phases"])
    stopped_before = {finding.key for finding in readiness(locked, gate=Gate.APPROVE).blocking}
    before = _snapshot(locked, fields, rows, detail)
    with frozen.amending(locked):
        changed = set_fields(locked, fields)
        _check_still_there(locked)
        changed |= typed_over(locked, changed) | set(write_rows(locked, rows))
        locked.version += 1
        locked.updated_at = clock.now()
        locked.save(update_fields=[*changed, "version", "updated_at"])
        if detail:
            _write_detail(locked, detail)
        plan.settle()
    for finding in readiness(locked, gate=Gate.APPROVE).blocking:
        if finding.key not in stopped_before:
            raise Refused("not_ready", finding.message, finding.field)
    after = _snapshot(locked, fields, rows, detail)
    differences = [
        {"field": name, "label": before[name][0], "before": before[name][1], "after": after[name][1]}
        for name in before
        if before[name][1] != after[name][1]
    ]
    if not differences:
        raise Refused("nothing_changed", _("Nothing is different from before."))
    made = Change.objects.create(
        process=locked, kind=kind, changes=differences, reason=reason.strip(), by=by, at=clock.now()
    )
    record(
        action=f"process.{kind}",
        by=by,
        obj=made,
        changed=[difference["field"] for difference in differences],
    )
    announcements.change(change=made, by=by)
    return made


def _write_detail(process: Process, detail: Mapping[str, Any]) -> None:
    """The format's columns; its own triggers may hold some of them even against an amendment (a vote that has begun)."""
    try:
        with transaction.atomic():
            update_detail(process, detail)
    except IntegrityError as error:
        raise Refused("rules_stand", _("These rules can't be changed any more."), min(detail)) from error


def _check_still_there(process: Process) -> None:
    """What the page can't do without is not taken away again."""
    for name in frozen.REQUIRED:
        if not getattr(process, name):
            raise Refused("required", _("The page can't do without it: write something else."), name)
    if decision_date(process) is None:
        raise Refused(
            "required", _("Say when it is decided: a date, or a meeting from the calendar."), "decision_on"
        )


def _check_past_stays(process: Process, new: list[plan.Planned]) -> None:
    """What has begun has begun: an amendment moves only what still lies ahead."""
    now = clock.now()
    after = {phase.kind: phase for phase in new}
    for old in plan.stored(process):
        phase = after.pop(old.kind, None)
        if old.starts <= now and (phase is None or phase.starts != old.starts):
            raise Refused("past", _("A phase that has begun can't get another beginning."), "phases")
        if old.ends <= now and (phase is None or phase.ends != old.ends):
            raise Refused("past", _("A phase that is over stays as it was."), "phases")
        if phase is not None and old.ends > now and phase.ends <= now:
            raise Refused("past", _("A phase can't be made to have ended already."), "phases")
    if any(phase.starts <= now for phase in after.values()):
        raise Refused("past", _("A new phase begins in the future."), "phases")


def _snapshot(
    process: Process, fields: Mapping[str, Any], rows: Mapping[str, Any], detail: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    """The label and the words of what is being changed, as the public reads them."""
    found: dict[str, tuple[str, str]] = {}
    for name in fields:
        found[name] = (label_of(process, name), words(process, name))
    if "phases" in rows:
        for kind in formats.get(process.format).phase_kinds:
            phase = next((p for p in plan.stored(process) if p.kind == kind.key), None)
            text = f"{plan.moment(phase.starts)} – {plan.moment(phase.ends)}" if phase else ""
            found[f"phases.{kind.key}"] = (str(kind.label), text)
    for name in rows:
        if name == "touched_districts":
            found[name] = (
                label_of(process, name),
                ", ".join(str(d) for d in process.touched_districts.all()),
            )
        elif name in ROWS:
            stored = ROWS[name].model._default_manager.filter(process=process)
            text = "; ".join(_row_words(row) for row in stored)
            found[name] = (str(ROWS[name].model._meta.verbose_name_plural), text)
    if detail:
        fmt = formats.get(process.format)
        if fmt.describe_detail is not None:
            return found | fmt.describe_detail(process, detail)
        row = fmt.detail_model._default_manager.get(process=process)
        for name in detail:
            found[name] = (str(row._meta.get_field(name).verbose_name), words(row, name))  # type: ignore[union-attr]
    return found


def _row_words(row: models.Model) -> str:
    if isinstance(row, FramePoint):
        kind = row.get_kind_display()
        return f"{kind}: {row.text} ({row.reason})" if row.reason else f"{kind}: {row.text}"
    if isinstance(row, Audience):
        return f"{row.get_kind_display()}: {row.name}"
    return str(row)


def words(row: models.Model, name: str) -> str:
    """A column's value as people read it."""
    field = row._meta.get_field(name)
    value = getattr(row, name)
    if isinstance(field, ArrayField):
        labels = dict(field.base_field.flatchoices)
        return ", ".join(str(labels.get(item, item)) for item in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return plan.moment(value)
    if isinstance(value, date):
        return django_formats.date_format(value, "j. F Y")
    if value is None:
        return ""
    labels = dict(getattr(field, "flatchoices", []))
    return str(labels.get(value, value))


def propose_correction(*, process: Process, by: User, fields: Mapping[str, Any], reason: str) -> Change:
    """Wording without change of meaning. Nothing happens until a colleague confirms; no mail goes out."""
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_correct(by, locked)
        if not reason.strip():
            raise Refused("reason_missing", _("Say what is wrong with the wording."), "reason")
        for name in fields:
            if name not in frozen.WORDING:
                raise Refused(
                    "not_wording", _("This is a rule, not wording: amend it with a reason instead."), name
                )
        before = {name: getattr(locked, name) for name in fields}
        if not set_fields(locked, fields):
            raise Refused("nothing_changed", _("Nothing is different from before."))
        _check_still_there(locked)
        differences = [
            {
                "field": name,
                "label": label_of(locked, name),
                "before": before[name],
                "after": getattr(locked, name),
            }
            for name in fields
            if before[name] != getattr(locked, name)
        ]
        made = Change.objects.create(
            process=locked,
            kind=Change.Kind.CORRECT,
            changes=differences,
            reason=reason.strip(),
            by=by,
            at=clock.now(),
        )
        record(
            action="process.correction_proposed", by=by, obj=made, changed=[d["field"] for d in differences]
        )
    return made


def confirm_correction(*, change: Change, by: User) -> Change:
    """Another colleague has read it: now the new wording is there, and the correction is shown."""
    with transaction.atomic():
        locked = locked_process(change.process)
        made = Change.objects.select_for_update(of=("self",)).get(pk=change.pk)
        made.process = locked
        permissions.check_confirm_correction(by, made)
        for difference in made.changes:
            if getattr(locked, difference["field"]) != difference["before"]:
                raise Refused("stale", _("The wording has changed meanwhile: propose the correction again."))
        with frozen.amending(locked):
            changed = set_fields(locked, {d["field"]: d["after"] for d in made.changes})
            _check_still_there(locked)
            locked.version += 1
            locked.updated_at = clock.now()
            locked.save(update_fields=[*changed, "version", "updated_at"])
        made.confirmed_by, made.confirmed_at = by, clock.now()
        made.save(update_fields=["confirmed_by", "confirmed_at"])
        record(action="process.correction_confirmed", by=by, obj=made, changed=changed)
    return made
