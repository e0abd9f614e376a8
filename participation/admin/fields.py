"""Controls that staff meet in many forms: native dates, boxes to tick, and the last day as people say it."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dkfds.fields import Boxes, DateInput, TimeInput, first_moment

__all__ = [
    "Boxes",
    "DateInput",
    "SpanForm",
    "TimeInput",
    "as_first_day",
    "as_last_day",
    "end_moment",
    "first_moment",
]


def end_moment(day: date, at: time | None) -> datetime:
    """The end of a half-open stretch: an hour of the last day, or the midnight after it."""
    if at is None:
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return timezone.make_aware(datetime.combine(day, at))


def as_first_day(moment: datetime) -> tuple[date, time | None]:
    local = timezone.localtime(moment)
    return local.date(), None if local.time() == time.min else local.time()


def as_last_day(moment: datetime) -> tuple[date, time | None]:
    """Midnight is said as the whole day before it."""
    local = timezone.localtime(moment)
    if local.time() == time.min:
        return local.date() - timedelta(days=1), None
    return local.date(), local.time()


class SpanForm(forms.Form):
    """From and to and including: the hours are left empty for whole days."""

    first_day = forms.DateField(label=_("First day"), required=False, widget=DateInput())
    first_hour = forms.TimeField(label=_("From the hour"), required=False, widget=TimeInput())
    last_day = forms.DateField(label=_("Last day"), required=False, widget=DateInput())
    last_hour = forms.TimeField(label=_("Until the hour"), required=False, widget=TimeInput())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        first, last = data.get("first_day"), data.get("last_day")
        if bool(first) != bool(last):
            self.add_error("last_day" if first else "first_day", _("Give both the first and the last day."))
        elif first and last:
            data["starts"] = first_moment(first, data.get("first_hour"))
            data["ends"] = end_moment(last, data.get("last_hour"))
            if data["starts"] >= data["ends"]:
                self.add_error("last_day", _("The last day comes before the first."))
        return data

    @staticmethod
    def initial_of(starts: datetime | None, ends: datetime | None) -> dict[str, Any]:
        first_day, first_hour = as_first_day(starts) if starts else (None, None)
        last_day, last_hour = as_last_day(ends) if ends else (None, None)
        return {
            "first_day": first_day,
            "first_hour": first_hour,
            "last_day": last_day,
            "last_hour": last_hour,
        }
