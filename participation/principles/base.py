"""How a check answers: passed, a warning, or blocking, with the reason and the field to mend."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from participation.choices import Size

if TYPE_CHECKING:
    from participation.models import Process


class Level(StrEnum):
    PASSED = "passed"
    WARNING = "warning"
    BLOCKING = "blocking"


class Principle(StrEnum):
    FRAMING = "framing"
    LISTENING = "listening"
    TIMING = "timing"
    TIME = "time"
    BREADTH = "breadth"
    FORMAT = "format"

    @property
    def label(self) -> Any:
        return _LABELS[self]


_LABELS = {
    Principle.FRAMING: gettext_lazy("Clear frame"),
    Principle.LISTENING: gettext_lazy("We listen"),
    Principle.TIMING: gettext_lazy("Early and relevant"),
    Principle.TIME: gettext_lazy("Fitting time"),
    Principle.BREADTH: gettext_lazy("Broad and relevant"),
    Principle.FORMAT: gettext_lazy("The format's own rules"),
}


class Gate(StrEnum):
    """Which step the finding speaks to: `approve` needs promises, `conclude` needs them kept."""

    APPROVE = "approve"
    CONCLUDE = "conclude"


@dataclass(frozen=True)
class Finding:
    """One check's answer. `key` is stable (overrides refer to it).

    `required`: without it the page would be empty or untrue, so it can't be overridden; `statutory`: law, never
    overridden.
    """

    key: str
    principle: Principle
    level: Level
    message: Any
    field: str | None = None
    gate: Gate = Gate.APPROVE
    required: bool = False
    statutory: bool = False

    @property
    def may_be_overridden(self) -> bool:
        return self.level is Level.BLOCKING and not self.required and not self.statutory


def filled_in(
    process: "Process",
    principle: Principle,
    field: str,
    missing: str,
    *,
    value: Any = None,
    required: bool = False,
    key: str | None = None,
) -> Finding:
    """Whether a field was answered, in proportion to the size.

    What the page can't do without always blocks. Of the rest a large process must answer everything in its own words;
    others are only warned, and may keep the standard answer.
    """
    value = getattr(process, field) if value is None else value
    key = key or f"{principle}.{field}"
    large = process.size == Size.LARGE
    label = capfirst(label_of(process, field))
    if value in (None, "", [], 0) and value is not False:
        level = Level.BLOCKING if required or large else Level.WARNING
        return Finding(key, principle, level, missing, field, required=required)
    if field in process.from_standard:
        if large:
            message = _("%(field)s: a large process answers in its own words, not with the standard.")
            return Finding(key, principle, Level.BLOCKING, message % {"field": label}, field)
        return Finding(key, principle, Level.PASSED, _("%(field)s: standard.") % {"field": label}, field)
    return Finding(key, principle, Level.PASSED, _("%(field)s: answered.") % {"field": label}, field)


def label_of(process: "Process", field: str) -> str:
    from django.core.exceptions import FieldDoesNotExist

    try:
        meta = process._meta.get_field(field)
    except FieldDoesNotExist:
        return field
    label = getattr(meta, "verbose_name", None)
    if label is None and meta.related_model is not None:
        label = meta.related_model._meta.verbose_name_plural  # type: ignore[union-attr]
    return str(label)


def local_date(moment: datetime) -> date:
    """The municipality's date of a moment."""
    return timezone.localtime(moment).date()


def shown(day: date) -> str:
    """A date as people read it."""
    from django.utils import formats

    return formats.date_format(day, "j. F Y")
