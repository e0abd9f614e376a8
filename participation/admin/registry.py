"""What a format adds to the staff pages. A format's own admin registers itself; this room never imports one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django import forms

from participation.models import Process


class DetailForms(Protocol):
    """The format's own part of the set-up form, one or several forms drawn as one section.

    `groups` are shown in order: each has a `title`, `fields` (bound fields) and, folded, `more`; `detail` is what
    `actions.process.update_process(detail=…)` takes, `changed()` what `amend` takes; `place(field)` is the form and
    field that a refusal speaks of; `fill(process)` puts the unsaved values on the process, so that the readiness list
    can speak of what is typed.
    """

    groups: list[dict[str, Any]]
    detail: dict[str, Any]
    forms: list[forms.BaseForm]

    def changed(self) -> dict[str, Any]: ...

    def place(self, field: str) -> tuple[forms.BaseForm, str] | None: ...

    def is_valid(self) -> bool: ...

    def fill(self, process: Process) -> None: ...


@dataclass(frozen=True)
class Tab:
    """A page of the format under each process: its word and URL name (taking the process' id)."""

    key: str
    label: Any
    url_name: str


@dataclass(frozen=True)
class StaffFormat:
    """`start_form` asks for the little that a draft needs to exist, `record_form` for what a contribution has beside its
    text when it is recorded for someone (made with `process=`); their `detail()` goes to the action. `duty_pages` says where the format's own
    duties are done: kind → (URL name, query)."""

    key: str
    start_form: type[forms.Form]
    detail_forms: Callable[..., DetailForms]
    record_form: type[forms.Form] | None = None
    tabs: tuple[Tab, ...] = ()
    duty_pages: dict[str, tuple[str, str]] = field(default_factory=dict)


_formats: dict[str, StaffFormat] = {}


def register(staff_format: StaffFormat) -> None:
    if staff_format.key in _formats:
        raise ValueError(f"The staff pages of {staff_format.key!r} are registered twice.")
    _formats[staff_format.key] = staff_format


def get(key: str) -> StaffFormat:
    return _formats[key]


def known() -> tuple[str, ...]:
    return tuple(_formats)
