"""Setting a process up, and changing it after it was approved. Moving it on is `participation.lifecycle`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Unit, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit.actions import record
from participation import announcements, clock, formats, frozen, phases, standards
from participation.choices import Size, Touches
from participation.models import (
    Audience,
    Change,
    Channel,
    CouncilHeard,
    FramePoint,
    InternalPromise,
    Override,
    Process,
    Programme,
    Summary,
)
from participation.permissions import process as permissions
from participation.principles import breadth, framing, listening, preconditions, time, timing
from participation.principles.base import Gate, label_of
from participation.principles.judging import readiness

# What `update_process` may set while it is a draft. Opening and closing follow from the phases.
EDITABLE = frozenset(
    {
        "title",
        "slug",
        "introduction",
        "programme",
        "size",
        "reversible",
        *preconditions.FIELDS,
        *framing.FIELDS,
        *listening.FIELDS,
        *timing.FIELDS,
        *time.FIELDS,
        *breadth.FIELDS,
    }
) - {"opens_at", "closes_at", "touched_districts"}
# What no participant acts under, so it may be set at any time.
PRACTICAL = frozenset({"moderate_first", "edit_minutes", "listed", "names_until", "programme", "deputy"})


@dataclass(frozen=True)
class Rows:
    """A relation whose rows are replaced as a whole; `same` are the columns that may not be there twice."""

    model: type[models.Model]
    columns: tuple[str, ...]
    same: tuple[str, ...]


ROWS: dict[str, Rows] = {
    "frame_points": Rows(FramePoint, ("kind", "text", "reason"), ("kind", "text")),
    "internal_promises": Rows(InternalPromise, ("unit", "what", "said_yes_on"), ("unit", "what")),
    "audiences": Rows(Audience, ("kind", "name"), ("kind", "name")),
    "channels": Rows(Channel, ("name", "digital"), ("name",)),
    "councils_heard": Rows(CouncilHeard, ("council", "must_be_heard", "asked_on", "statement"), ("council",)),
    "summaries": Rows(Summary, ("language", "title", "text"), ("language",)),
}


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
        _set_fields(process, {"title": title, "size": size} | fields)
        standards.fill(process)
        process.save(force_insert=True)
        _standard_rows(process)
        if rows:
            process.save(update_fields=_write_rows(process, rows))
        _create_detail(process, dict(detail or {}))
        record(
            action="process.created", by=by, obj=process, changed=sorted(fields), values={"format": format}
        )
    return process


def free_slug(title: str) -> str:
    """An address nobody has: Danish letters written out, a number behind when it is taken."""
    spelled = title.lower().translate(str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"}))
    base = slugify(spelled)[:70].strip("-") or "forloeb"
    taken = set(Process.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)


def _create_detail(process: Process, detail: dict[str, Any]) -> None:
    fmt = formats.get(process.format)
    if fmt.create_detail is not None:
        fmt.create_detail(process, **detail)
        return
    row = fmt.detail_model(process=process)
    _fill_detail(row, detail)
    row.save(force_insert=True)


def _update_detail(process: Process, detail: Mapping[str, Any]) -> None:
    fmt = formats.get(process.format)
    if fmt.update_detail is not None:
        fmt.update_detail(process, **detail)
        return
    row = fmt.detail_model._default_manager.get(process=process)
    _fill_detail(row, detail)
    row.save(update_fields=list(detail))


def _fill_detail(row: models.Model, detail: Mapping[str, Any]) -> None:
    for name, value in detail.items():
        setattr(row, name, value)
    _clean(row, exclude={field.name for field in row._meta.fields} - set(detail))


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
        locked = _locked(process)
        permissions.check_edit(by, locked)
        if version != locked.version:
            raise Refused(
                "stale",
                _("Somebody else has saved meanwhile. Your text is still here: compare and save again."),
            )
        old_size = locked.size
        changed = _set_fields(locked, fields)
        changed |= _answered(locked, changed)
        changed |= set(_write_rows(locked, rows))
        if locked.size != old_size:
            changed |= {"from_standard", *standards.fill(locked)}
            _standard_rows(locked)
        if changed & {"opens_at", "closes_at", "size"}:
            changed |= set(standards.fill(locked, only=standards.following_dates(locked)))
        if detail:
            _update_detail(locked, detail)
        locked.version += 1
        locked.updated_at = clock.now()
        locked.save(update_fields=[*changed, "version", "updated_at"])
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
        locked = _locked(process)
        permissions.check_act_for(by, locked)
        changed = _set_fields(locked, dict(fields))
        if changed:
            locked.save(update_fields=[*changed, "updated_at"])
            record(action="process.practical", by=by, obj=locked, changed=changed)
    return locked


def _locked(process: Process) -> Process:
    return Process.objects.select_for_update(of=("self",)).get(pk=process.pk)


def _set_fields(process: Process, fields: Mapping[str, Any]) -> set[str]:
    """Set and validate on the instance; the names of those that changed."""
    changed = set()
    for name, value in fields.items():
        if name in {"opens_at", "closes_at"}:
            raise Refused("derived", _("Opening and closing follow from the phases: give those."), "phases")
        if name not in EDITABLE | PRACTICAL:
            raise Refused("unknown_field", _("This can't be changed here."), name)
        if getattr(process, name) != value:
            changed.add(name)
        setattr(process, name, value)
    _clean(process, exclude={field.name for field in process._meta.fields} - set(fields))
    if "deputy" in changed and process.deputy is not None:
        check_colleague(process.deputy, process.unit_id, "deputy")
    if "slug" in changed and Process.objects.exclude(pk=process.pk).filter(slug=process.slug).exists():
        raise Refused("slug_taken", _("Another process has this address."), "slug")
    return changed


def _clean(row: models.Model, *, exclude: set[str]) -> None:
    """The model's own validation of some fields, told as `Refused` with the first field it concerns."""
    for field in row._meta.fields:
        if field.name not in exclude and "\x00" in str(getattr(row, field.attname)):
            raise Refused("invalid", _("The text has a character that can't be stored."), field.name)
    try:
        row.clean_fields(exclude=exclude)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise Refused("invalid", messages[0], name) from error


def _answered(process: Process, changed: set[str]) -> set[str]:
    """A field that was typed no longer holds the standard answer."""
    kept = [field for field in process.from_standard if field not in changed]
    if kept == process.from_standard:
        return set()
    process.from_standard = kept
    return {"from_standard"}


def _write_rows(process: Process, rows: Mapping[str, Any]) -> list[str]:
    """Replace the relations named. Returns the columns of the process that changed with them, to be saved."""
    changed: set[str] = set()
    for name, given in rows.items():
        if name == "phases":
            before = (process.opens_at, process.closes_at)
            phases.write(process, phases.planned(process, given))
            phases.settle()
            if before != (process.opens_at, process.closes_at):
                changed |= {"opens_at", "closes_at"}
        elif name == "touched_districts":
            process.touched_districts.set(given)
        elif name in ROWS:
            if _replace(process, name, list(given)) and name in process.from_standard:
                process.from_standard = [field for field in process.from_standard if field != name]
                changed.add("from_standard")
        else:
            raise Refused("unknown_field", _("This can't be changed here."), name)
    return sorted(changed)


def _replace(process: Process, name: str, given: list[Mapping[str, Any]]) -> bool:
    """Whether the rows are other than before; then they are replaced."""
    kind = ROWS[name]
    made, seen = [], set()
    for place, values in enumerate(given):
        row = kind.model(
            process=process, **{column: values[column] for column in kind.columns if column in values}
        )
        if isinstance(row, FramePoint):
            row.position = place
            if row.kind == FramePoint.Kind.FIXED and not row.reason.strip():
                message = _("Say why this is settled: %(point)s.") % {"point": row.text}
                raise Refused("reason_missing", message, name)
        try:
            _clean(row, exclude={"id", "process"})
        except Refused as refused:
            raise Refused(refused.code, refused.reason, name) from refused
        same = tuple(str(getattr(row, column)).strip().lower() for column in kind.same)
        if same in seen:
            raise Refused("twice", _("“%(row)s” is there twice.") % {"row": row}, name)
        seen.add(same)
        made.append(row)
    before = list(kind.model._default_manager.filter(process=process).values_list(*kind.columns))
    after = [tuple(_stored(row, column) for column in kind.columns) for row in made]
    if before == after:
        return False
    kind.model._default_manager.filter(process=process).delete()
    kind.model._default_manager.bulk_create(made)
    getattr(process, "_prefetched_objects_cache", {}).pop(name, None)
    return True


def _stored(row: models.Model, column: str) -> Any:
    value = getattr(row, row._meta.get_field(column).attname)  # type: ignore[union-attr]
    return str(value) if isinstance(value, models.Choices) else value


def _standard_rows(process: Process) -> None:
    """The standard audiences and channels, where the process has none."""
    answers = standards.answers_for(process.format, process.size)
    added = []
    for name in standards.ROWS:
        if name in answers and not ROWS[name].model._default_manager.filter(process=process).exists():
            _replace(process, name, answers[name])
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


def check_colleague(user: User, unit_id: int, field: str) -> None:
    if not user.may(Permission.SET_UP_PROCESS) or unit_id not in user.unit_ids():
        raise Refused("not_a_colleague", _("Choose somebody who works in the unit."), field)


def hand_over(
    *, process: Process, by: User, owner: User, deputy: User | None = None, unit: Unit | None = None
) -> Process:
    """Give the process and every duty of it to others, in this unit or another."""
    with transaction.atomic():
        locked = _locked(process)
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
        locked = _locked(process)
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


# After approval


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
        locked = _locked(process)
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
    from participation import phases as plan

    with transaction.atomic():
        locked = _locked(process)
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
        rows["phases"] = phases.planned(locked, rows["phases"])
        _check_past_stays(locked, rows["phases"])
    stopped_before = {finding.key for finding in readiness(locked, gate=Gate.APPROVE).blocking}
    before = _snapshot(locked, fields, rows, detail)
    with frozen.amending(locked):
        changed = _set_fields(locked, fields) | set(_write_rows(locked, rows))
        locked.version += 1
        locked.updated_at = clock.now()
        locked.save(update_fields=[*changed, "version", "updated_at"])
        if detail:
            _update_detail(locked, detail)
        phases.settle()
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


def _check_past_stays(process: Process, new: list[phases.Planned]) -> None:
    """What has begun has begun: an amendment moves only what still lies ahead."""
    now = clock.now()
    after = {phase.kind: phase for phase in new}
    for old in phases.stored(process):
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
            phase = next((p for p in phases.stored(process) if p.kind == kind.key), None)
            text = f"{phases.moment(phase.starts)} – {phases.moment(phase.ends)}" if phase else ""
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
        row = formats.get(process.format).detail_model._default_manager.get(process=process)
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
    from django.contrib.postgres.fields import ArrayField
    from django.utils import formats as django_formats

    field = row._meta.get_field(name)
    value = getattr(row, name)
    if isinstance(field, ArrayField):
        labels = dict(field.base_field.flatchoices)
        return ", ".join(str(labels.get(item, item)) for item in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return phases.moment(value)
    if isinstance(value, date):
        return django_formats.date_format(value, "j. F Y")
    if value is None:
        return ""
    labels = dict(getattr(field, "flatchoices", []))
    return str(labels.get(value, value))


def propose_correction(*, process: Process, by: User, fields: Mapping[str, Any], reason: str) -> Change:
    """Wording without change of meaning. Nothing happens until a colleague confirms; no mail goes out."""
    with transaction.atomic():
        locked = _locked(process)
        permissions.check_correct(by, locked)
        if not reason.strip():
            raise Refused("reason_missing", _("Say what is wrong with the wording."), "reason")
        for name in fields:
            if name not in frozen.WORDING:
                raise Refused(
                    "not_wording", _("This is a rule, not wording: amend it with a reason instead."), name
                )
        before = {name: getattr(locked, name) for name in fields}
        if not _set_fields(locked, fields):
            raise Refused("nothing_changed", _("Nothing is different from before."))
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
        locked = _locked(change.process)
        made = Change.objects.select_for_update(of=("self",)).get(pk=change.pk)
        made.process = locked
        permissions.check_confirm_correction(by, made)
        for difference in made.changes:
            if getattr(locked, difference["field"]) != difference["before"]:
                raise Refused("stale", _("The wording has changed meanwhile: propose the correction again."))
        with frozen.amending(locked):
            changed = _set_fields(locked, {d["field"]: d["after"] for d in made.changes})
            locked.version += 1
            locked.updated_at = clock.now()
            locked.save(update_fields=[*changed, "version", "updated_at"])
        made.confirmed_by, made.confirmed_at = by, clock.now()
        made.save(update_fields=["confirmed_by", "confirmed_at"])
        record(action="process.correction_confirmed", by=by, obj=made, changed=changed)
    return made


# Programmes


def create_programme(*, by: User, unit: Unit, title: str, introduction: str = "") -> Programme:
    """One matter above several processes; steps are added as it develops."""
    if not by.may(Permission.SET_UP_PROCESS):
        raise Refused("no_permission", _("Your role doesn't allow this."))
    if unit.pk not in by.unit_ids():
        raise Refused("other_unit", _("Choose one of your own units."), "unit")
    base = slugify(title.lower().translate(str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"})))[:70] or "samlet"
    with transaction.atomic():
        taken = set(Programme.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        slug = base if base not in taken else f"{base}-{len(taken) + 1}"
        programme = Programme(slug=slug, title=title, introduction=introduction, unit=unit)
        _clean(programme, exclude={"id"})
        programme.save(force_insert=True)
        record(action="programme.created", by=by, obj=programme)
    return programme


def put_in_programme(*, process: Process, by: User, programme: Programme | None) -> Process:
    """Make the process a step of a programme of the same unit, or let it stand alone."""
    if programme is not None and programme.unit_id != process.unit_id:
        raise Refused("other_unit", _("The programme belongs to another unit."), "programme")
    return update_practical(process=process, by=by, fields={"programme": programme})
