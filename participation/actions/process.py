"""Setting a process up, and changing it after it was approved. Moving it on is `participation.lifecycle`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Unit, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit.actions import record
from participation import announcements, clock, formats, phases, standards
from participation.actions.changes import amend, confirm_correction, extend, propose_correction
from participation.actions.writing import (
    EDITABLE,
    PRACTICAL,
    ROWS,
    address,
    check_colleague,
    create_detail,
    locked_process,
    replace_rows,
    set_fields,
    typed_over,
    update_detail,
    write_rows,
)
from participation.choices import Size, Touches
from participation.models import Override, Process
from participation.permissions import process as permissions
from participation.principles import preconditions
from participation.principles.judging import readiness

__all__ = [
    "amend",
    "confirm_correction",
    "copy_process",
    "create_process",
    "extend",
    "hand_over",
    "override_check",
    "propose_correction",
    "propose_size",
    "size_from",
    "update_practical",
    "update_process",
]

# Beginning


def create_process(
    *,
    by: User,
    format: str,
    unit: Unit,
    title: str,
    size: str = Size.ORDINARY,
    detail: Mapping[str, Any] | None = None,
    rows: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Process:
    """A draft with the format's detail and the standard answers of its format and size."""
    if not by.may(Permission.SET_UP_PROCESS):
        raise Refused("no_permission", _("Your role doesn't allow this."))
    if unit.pk not in by.unit_ids():
        raise Refused("other_unit", _("Choose one of your own units."), "unit")
    if format not in {known.key for known in formats.all_formats()}:
        raise Refused("unknown_format", _("There is no such format."), "format")
    now = clock.now()
    with transaction.atomic():
        process = Process(
            format=format,
            unit=unit,
            title=title,
            size=size,
            slug=free_slug(title),
            owner=by,
            author=by,
            created_at=now,
            updated_at=now,
        )
        set_fields(process, {"title": title, "size": size} | fields)
        standards.fill(process)
        process.save(force_insert=True)
        _standard_rows(process)
        if rows:
            process.save(update_fields=write_rows(process, rows))
            phases.settle()
        create_detail(process, dict(detail or {}))
        record(
            action="process.created", by=by, obj=process, changed=sorted(fields), values={"format": format}
        )
    return process


def free_slug(title: str) -> str:
    """An address nobody has: Danish letters written out, a number behind when it is taken."""
    base = address(title, "forloeb")
    taken = set(Process.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)


# The draft


def update_process(
    *,
    process: Process,
    by: User,
    version: int,
    fields: Mapping[str, Any] | None = None,
    rows: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Process:
    """Write a draft. `rows` replaces each relation it names with a list of dicts: frame_points, internal_promises,
    audiences, channels, councils_heard, summaries, phases ({kind, starts, ends, description}), touched_districts
    (districts). A form read before somebody else saved is refused as "stale"."""
    fields, rows = dict(fields or {}), dict(rows or {})
    if "touched_districts" in fields:
        rows["touched_districts"] = fields.pop("touched_districts")
    if "phases" in rows:
        for derived in ("opens_at", "closes_at"):
            fields.pop(derived, None)
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_edit(by, locked)
        if version != locked.version:
            raise Refused(
                "stale",
                _("Somebody else has saved meanwhile. Your text is still here: compare and save again."),
            )
        old_size = locked.size
        changed = set_fields(locked, fields)
        changed |= typed_over(locked, changed)
        changed |= set(write_rows(locked, rows))
        if locked.size != old_size:
            changed |= {"from_standard", *standards.fill(locked)}
            _standard_rows(locked)
        if changed & {"opens_at", "closes_at", "size"}:
            changed |= set(standards.fill(locked, only=standards.following_dates(locked)))
        if detail:
            update_detail(locked, detail)
        locked.version += 1
        locked.updated_at = clock.now()
        locked.save(update_fields=[*changed, "version", "updated_at"])
        phases.settle()
        record(
            action="process.updated",
            by=by,
            obj=locked,
            changed=[*changed, *rows, *(detail or {})],
        )
    return locked


def update_practical(*, process: Process, by: User, fields: Mapping[str, Any]) -> Process:
    """What may be set at any time: moderation, how long a contribution can be corrected, lists, names, programme."""
    if not set(fields) <= PRACTICAL:
        raise Refused("unknown_field", _("This can't be changed here."), min(set(fields) - PRACTICAL))
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_act_for(by, locked)
        changed = set_fields(locked, dict(fields))
        if changed:
            locked.save(update_fields=[*changed, "updated_at"])
            record(action="process.practical", by=by, obj=locked, changed=changed)
    return locked


def _standard_rows(process: Process) -> None:
    """The standard audiences and channels, where the process has none."""
    answers = standards.answers_for(process.format, process.size)
    added = []
    for name in standards.ROWS:
        if name in answers and not ROWS[name].model._default_manager.filter(process=process).exists():
            replace_rows(process, name, answers[name])
            added.append(name)
    if added:
        process.from_standard = [*process.from_standard, *added]
        process.save(update_fields=["from_standard"])


# Size


def size_from(
    *, touches_all: bool, touches_few: bool, conflict: bool, reversible: bool, money: Decimal | int | None
) -> Size:
    """A proposal: large where much money, or conflict about what touches everyone or can't be undone; small where it
    touches few, costs little, divides nobody and can be undone."""
    amount = money or 0
    if amount >= settings.SIZE_LARGE_FROM or (conflict and (touches_all or not reversible)):
        return Size.LARGE
    if touches_few and not conflict and reversible and amount <= settings.SIZE_SMALL_UP_TO:
        return Size.SMALL
    return Size.ORDINARY


def propose_size(process: Process) -> Size:
    """The size that fits whom it touches, its money, conflict and whether it can be undone."""
    money = formats.get(process.format).money
    districts = process.touched_districts.count() if process.touches == Touches.DISTRICTS else 0
    return size_from(
        touches_all=process.touches == Touches.MUNICIPALITY,
        touches_few=districts == 1 or process.touches in {Touches.PARENTS, Touches.USERS},
        conflict=process.conflict,
        reversible=process.reversible,
        money=money(process) if money else None,
    )


# Copying


def copy_process(*, source: Process, by: User, title: str) -> Process:
    """A new draft like an earlier one. Dates move by whole years of 52 weeks, so that weekdays and seasons stay;
    what was decided or said yes to last time must be decided and said again."""
    permissions.check_view(by, source)
    fmt = formats.get(source.format)
    if source.unit_id not in by.unit_ids():
        raise Refused("other_unit", _("This process belongs to another unit."))
    shift = _shift(source)
    fields = {
        name: getattr(source, name)
        for name in EDITABLE
        - {"title", "slug", "meeting", "frame_adopted_on", "decision_on", "answers_due_on"}
        if name not in preconditions.FIELDS
    }
    for name in ("decision_on", "answers_due_on"):
        value = getattr(source, name)
        fields[name] = value + shift if value is not None else None
    rows: dict[str, Any] = {
        name: list(kind.model._default_manager.filter(process=source).values(*kind.columns))
        for name, kind in ROWS.items()
    }
    rows["internal_promises"] = [
        {"unit": promise.unit, "what": promise.what}
        for promise in source.internal_promises.select_related("unit")
    ]
    rows["councils_heard"] = [
        {"council": heard.council, "must_be_heard": heard.must_be_heard}
        for heard in source.councils_heard.all()
    ]
    rows["touched_districts"] = list(source.touched_districts.all())
    rows["phases"] = [
        {
            "kind": phase.kind,
            "starts": _wall_clock_later(phase.starts, shift),
            "ends": _wall_clock_later(phase.ends, shift),
            "description": phase.description,
        }
        for phase in phases.stored(source)
    ]
    with transaction.atomic():
        copied = create_process(
            by=by,
            format=source.format,
            unit=source.unit,
            title=title,
            size=source.size,
            detail=fmt.copy_detail(source) if fmt.copy_detail else _detail_of(source),
            rows=rows,
            **{name: value for name, value in fields.items() if name != "size"},
        )
        copied.from_standard = source.from_standard
        copied.save(update_fields=["from_standard"])
        record(action="process.copied", by=by, obj=copied, values={"source": source.pk})
    return copied


def _detail_of(source: Process) -> dict[str, Any]:
    row = formats.get(source.format).detail_model._default_manager.get(process=source)
    return {field.name: getattr(row, field.name) for field in row._meta.fields if not field.primary_key}


def _shift(source: Process) -> timedelta:
    year = timedelta(weeks=52)
    if source.opens_at is None:
        return year
    years = 1
    while _wall_clock_later(source.opens_at, years * year) <= clock.now():
        years += 1
    return years * year


def _wall_clock_later(moment: datetime, shift: timedelta) -> datetime:
    """The same time of day after the shift, also across a change of summer time."""
    local = timezone.localtime(moment)
    return timezone.make_aware(local.replace(tzinfo=None) + shift, local.tzinfo)


# People


def hand_over(
    *, process: Process, by: User, owner: User, deputy: User | None = None, unit: Unit | None = None
) -> Process:
    """Give the process and every duty of it to others, in this unit or another."""
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_hand_over(by, locked)
        unit = unit or locked.unit
        check_colleague(owner, unit.pk, "owner")
        if deputy is not None:
            if deputy.pk == owner.pk:
                raise Refused("same_person", _("The deputy must be somebody else."), "deputy")
            check_colleague(deputy, unit.pk, "deputy")
        locked.owner, locked.deputy, locked.unit = owner, deputy, unit
        locked.updated_at = clock.now()
        locked.save(update_fields=["owner", "deputy", "unit", "updated_at"])
        record(
            action="process.handed_over",
            by=by,
            obj=locked,
            changed=["owner", "deputy", "unit"],
            values={"owner": owner.pk, "deputy": deputy.pk if deputy else None, "unit": unit.pk},
        )
        announcements.handed_over(process=locked, by=by)
    return locked


# Passing over a check


def override_check(*, process: Process, by: User, check_key: str, reason: str) -> Override:
    """A manager lets a blocking check pass. The reason is shown on the process page."""
    with transaction.atomic():
        locked = locked_process(process)
        permissions.check_override(by, locked)
        if not reason.strip():
            raise Refused("reason_missing", _("Say why: everyone can read the reason."), "reason")
        found = next((f for f in readiness(locked).blocking if f.key == check_key), None)
        if found is None:
            raise Refused("not_blocking", _("This check doesn't stop anything."))
        if found.statutory:
            raise Refused("statutory", _("What the law demands can't be passed over."))
        if not found.may_be_overridden:
            raise Refused("required", _("The page can't do without it, so it can't be passed over."))
        made = Override.objects.create(
            process=locked, check_key=check_key, reason=reason.strip(), by=by, at=clock.now()
        )
        record(action="process.check_overridden", by=by, obj=made, values={"check": check_key})
    return made
