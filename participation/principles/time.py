"""Principle 4, fitting time used well: open long enough, and moving on.

"Balancen er, at der skal være nok tid til dialog, og samtidig ske fremdrift i processen." (Ballerup's fourth principle)
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from participation import clock
from participation.choices import FROZEN
from participation.principles.base import Finding, Level, Principle, filled_in, local_date, shown

if TYPE_CHECKING:
    from participation.models import OpeningMinimum, Process

FIELDS = (
    "opens_at",
    "closes_at",
    "legal_basis",
    "processing_days",
    "planned_dialogues",
    "staff_hours",
    "preparation",
)
SUMMER_WEEKS = range(28, 32)
CHRISTMAS = ((12, 24), (1, 1))  # from and to, both included


class Time(models.Model):
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    legal_basis = models.ForeignKey(
        "participation.OpeningMinimum",
        verbose_name=_("legal basis"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    processing_days = models.PositiveSmallIntegerField(
        _("days to work on the answers"), null=True, blank=True
    )
    planned_dialogues = models.PositiveSmallIntegerField(_("planned dialogues"), null=True, blank=True)
    staff_hours = models.PositiveIntegerField(_("staff hours set aside"), null=True, blank=True)
    preparation = models.TextField(_("what participants can read or meet first"), blank=True)

    class Meta:
        abstract = True


def is_holiday(day: date) -> bool:
    """Weeks 28-31 and Christmas: days that don't count where the municipality sets the minimum itself."""
    if day.isocalendar().week in SUMMER_WEEKS:
        return True
    return (day.month, day.day) >= CHRISTMAS[0] or (day.month, day.day) <= CHRISTMAS[1]


def days_open(opens_at: datetime, closes_at: datetime, *, statutory: bool) -> int:
    """Whole days from opening to closing, in the municipality's time; without holidays where it is voluntary."""
    first, last = local_date(opens_at), local_date(closes_at)
    days = (first + timedelta(days=step) for step in range((last - first).days))
    return sum(1 for day in days if statutory or not is_holiday(day))


def earliest_closing(opens_on: date, minimum: "OpeningMinimum") -> date:
    """The first day on which a process opened on that day may close."""
    day, counted = opens_on, 0
    while counted < minimum.days:
        if minimum.statutory or not is_holiday(day):
            counted += 1
        day += timedelta(days=1)
    return day


def check(process: "Process") -> Iterator[Finding]:
    this = Principle.TIME
    yield from _phases(process)
    if process.opens_at is not None and process.closes_at is not None:
        if process.status not in FROZEN and process.opens_at < clock.now():
            yield Finding(
                "time.opens_ahead",
                this,
                Level.BLOCKING,
                gettext("The opening lies in the past: %(date)s.")
                % {"date": shown(local_date(process.opens_at))},
                "phases",
                required=True,
            )
        yield from _long_enough(process, process.opens_at, process.closes_at)
    yield filled_in(
        process, this, "processing_days", gettext("Say how many days you need to work on the answers.")
    )
    yield filled_in(
        process,
        this,
        "planned_dialogues",
        gettext("Say how many dialogues you plan with people, also when there are none."),
        value=None if process.planned_dialogues is None else str(process.planned_dialogues),
    )
    yield filled_in(process, this, "staff_hours", gettext("Say how many hours staff have for it."))
    yield filled_in(process, this, "preparation", gettext("Say what participants can read or meet first."))


def _phases(process: "Process") -> Iterator[Finding]:
    from participation import formats

    this, key = Principle.TIME, "time.phases"
    planned = [phase.kind for phase in process.phases.all()]
    kinds = formats.get(process.format).phase_kinds
    missing = [str(kind.label) for kind in kinds if kind.required and kind.key not in planned]
    order = [kind.key for kind in kinds]
    ranks = [order.index(kind) for kind in planned if kind in order]
    if not planned:
        message = gettext("Say when it opens and closes.")
        yield Finding(key, this, Level.BLOCKING, message, "phases", required=True)
    elif missing:
        message = gettext("These phases have no dates yet: %(phases)s.") % {"phases": ", ".join(missing)}
        yield Finding(key, this, Level.BLOCKING, message, "phases", required=True)
    elif ranks != sorted(ranks):
        message = gettext("The phases come in another order than this format needs.")
        yield Finding(key, this, Level.BLOCKING, message, "phases", required=True)
    else:
        yield Finding(key, this, Level.PASSED, gettext("Every phase has its dates."), "phases")


def _long_enough(process: "Process", opens_at: datetime, closes_at: datetime) -> Iterator[Finding]:
    this, key, field = Principle.TIME, "time.minimum", "legal_basis"
    minimum = process.legal_basis
    if minimum is None:
        message = gettext("Choose the legal basis: it says how long it must be open.")
        yield Finding(key, this, Level.BLOCKING, message, field)
        return
    opens_on = local_date(opens_at)
    outdated = minimum.valid_from > opens_on or (minimum.valid_to is not None and minimum.valid_to < opens_on)
    if outdated or (minimum.formats and process.format not in minimum.formats):
        message = gettext(
            "“%(basis)s” doesn't apply to this format on %(date)s. Choose another legal basis."
        ) % {
            "basis": minimum.name,
            "date": shown(opens_on),
        }
        yield Finding(key, this, Level.BLOCKING, message, field, required=True)
        return
    days = days_open(opens_at, closes_at, statutory=minimum.statutory)
    facts = {
        "days": days,
        "minimum": minimum.days,
        "source": minimum.source,
        "earliest": shown(earliest_closing(opens_on, minimum)),
    }
    if days >= minimum.days:
        message = gettext("Meets the minimum: %(days)s of %(minimum)s days (%(source)s).")
        yield Finding(key, this, Level.PASSED, message % facts, "phases", statutory=minimum.statutory)
    elif minimum.statutory:
        message = gettext(
            "Open for %(days)s days, but the law asks for %(minimum)s (%(source)s). It can close on %(earliest)s at the earliest."
        )
        yield Finding(key, this, Level.BLOCKING, message % facts, "phases", statutory=True)
    else:
        message = gettext(
            "Open for %(days)s days outside summer and Christmas, but %(minimum)s are needed (%(source)s). It can close on %(earliest)s at the earliest."
        )
        yield Finding(key, this, Level.BLOCKING, message % facts, "phases")
    if minimum.longest_days is None:
        return
    calendar_days = days_open(opens_at, closes_at, statutory=True)
    facts = {"days": calendar_days, "longest": minimum.longest_days}
    if calendar_days > minimum.longest_days:
        message = gettext(
            "Open for %(days)s days. After %(longest)s days people lose the thread: let it move on."
        )
        yield Finding("time.moves_on", this, Level.WARNING, message % facts, "phases")
    else:
        message = gettext("Open no longer than sensible (%(longest)s days).")
        yield Finding("time.moves_on", this, Level.PASSED, message % facts, "phases")
