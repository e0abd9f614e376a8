"""How a process and its rows are written and validated: shared by setting up, amending and correcting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission
from accounts.verdict import Refused
from participation import formats, phases
from participation.models import (
    Audience,
    Channel,
    CouncilHeard,
    FramePoint,
    InternalPromise,
    Process,
    Summary,
)
from participation.principles import breadth, framing, listening, preconditions, time, timing
from participation.texts import is_printable

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


def create_detail(process: Process, detail: dict[str, Any]) -> None:
    fmt = formats.get(process.format)
    if fmt.create_detail is not None:
        fmt.create_detail(process, **detail)
        return
    row = fmt.detail_model(process=process)
    _fill_detail(row, detail)
    row.save(force_insert=True)


def update_detail(process: Process, detail: Mapping[str, Any]) -> None:
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
    clean(row, exclude={field.name for field in row._meta.fields} - set(detail))


def locked_process(process: Process) -> Process:
    return Process.objects.select_for_update(of=("self",)).get(pk=process.pk)


def set_fields(process: Process, fields: Mapping[str, Any]) -> set[str]:
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
    clean(process, exclude={field.name for field in process._meta.fields} - set(fields))
    if "deputy" in changed and process.deputy is not None:
        check_colleague(process.deputy, process.unit_id, "deputy")
    if "slug" in changed and Process.objects.exclude(pk=process.pk).filter(slug=process.slug).exists():
        raise Refused("slug_taken", _("Another process has this address."), "slug")
    return changed


def clean(row: models.Model, *, exclude: set[str]) -> None:
    """The model's own validation of some fields, told as `Refused` with the first field it concerns."""
    for field in row._meta.fields:
        if field.name not in exclude and not is_printable(str(getattr(row, field.attname))):
            raise Refused("invalid", _("The text has a character that can't be stored."), field.name)
    try:
        row.clean_fields(exclude=exclude)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise Refused("invalid", messages[0], name) from error


def typed_over(process: Process, changed: set[str]) -> set[str]:
    """A field that was typed no longer holds the standard answer."""
    kept = [field for field in process.from_standard if field not in changed]
    if kept == process.from_standard:
        return set()
    process.from_standard = kept
    return {"from_standard"}


def write_rows(process: Process, rows: Mapping[str, Any]) -> list[str]:
    """Replace the relations named. Returns the columns of the process that changed with them, to be saved."""
    changed: set[str] = set()
    for name, given in rows.items():
        if name == "phases":
            before = (process.opens_at, process.closes_at)
            phases.write(process, phases.planned(process, given))
            if before != (process.opens_at, process.closes_at):
                changed |= {"opens_at", "closes_at"}
        elif name == "touched_districts":
            process.touched_districts.set(given)
        elif name in ROWS:
            if replace_rows(process, name, list(given)) and name in process.from_standard:
                process.from_standard = [field for field in process.from_standard if field != name]
                changed.add("from_standard")
        else:
            raise Refused("unknown_field", _("This can't be changed here."), name)
    return sorted(changed)


def replace_rows(process: Process, name: str, given: list[Mapping[str, Any]]) -> bool:
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
            clean(row, exclude={"id", "process"})
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


def check_colleague(user: User, unit_id: int, field: str) -> None:
    if not user.may(Permission.SET_UP_PROCESS) or unit_id not in user.unit_ids():
        raise Refused("not_a_colleague", _("Choose somebody who works in the unit."), field)


def address(title: str, otherwise: str) -> str:
    """A title as an address: Danish letters written out."""
    letters: dict[str, str | int | None] = {"æ": "ae", "ø": "oe", "å": "aa"}
    return slugify(title.lower().translate(str.maketrans(letters)))[:70].strip("-") or otherwise
