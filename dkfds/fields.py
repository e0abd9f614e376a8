"""Form fields that ask the way people answer: a date as day, month and year; money as people write it."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PARTS = (
    ("day", gettext_lazy("Day"), 2),
    ("month", gettext_lazy("Month"), 2),
    ("year", gettext_lazy("Year"), 4),
)
TIME_PART = ("time", gettext_lazy("Time"), 5)


class DateWidget(forms.MultiWidget):
    """Three short boxes in one group; the pack draws them with their own labels."""

    use_fieldset = True
    parts = PARTS

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        widgets = {key: forms.TextInput(attrs=self._box(key, length)) for key, _label, length in self.parts}
        super().__init__(widgets, attrs)

    @staticmethod
    def _box(key: str, length: int) -> dict[str, Any]:
        mode = "text" if key == "time" else "numeric"
        return {"inputmode": mode, "maxlength": length, "autocomplete": "off"}

    def decompress(self, value: date | None) -> list[str]:
        if value is None:
            return [""] * len(self.parts)
        return [str(value.day), str(value.month), str(value.year)]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return all(f"{name}{suffix}" not in data for suffix in self.widgets_names)


class DateTimeWidget(DateWidget):
    parts = (*PARTS, TIME_PART)

    def decompress(self, value: date | None) -> list[str]:
        if value is None:
            return [""] * len(self.parts)
        if isinstance(value, datetime):
            local = timezone.localtime(value) if timezone.is_aware(value) else value
            return [*super().decompress(local), f"{local:%H.%M}"]
        return [*super().decompress(value), ""]


def _given(value: Any) -> list[str]:
    return [str(part or "").strip() for part in value]


def _date(parts: list[str]) -> date:
    parts = parts + [""] * (len(PARTS) - len(parts))
    missing = [
        str(label).lower() for (_key, label, _length), part in zip(PARTS, parts, strict=False) if not part
    ]
    if missing:
        raise ValidationError(
            _("The date lacks: %(parts)s.") % {"parts": ", ".join(missing)}, code="incomplete"
        )
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValidationError(_("Write the date in numbers, for example 6 3 2026."), code="invalid")
    day, month, year = (int(part) for part in parts)
    if not 1000 <= year <= 9999:
        raise ValidationError(_("Write the year with four digits, for example 2026."), code="invalid")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValidationError(
            _("There is no such date. Check the day and the month."), code="invalid"
        ) from None


class DateField(forms.DateField):
    widget = DateWidget

    def to_python(self, value: Any) -> date | None:
        if not isinstance(value, (list, tuple)):
            return super().to_python(value)
        parts = _given(value)[:3]
        return _date(parts) if any(parts) else None


class DateTimeField(forms.DateTimeField):
    """An aware moment in the municipality's time zone; the time may be written 14.30, 14:30 or 14."""

    widget = DateTimeWidget

    def to_python(self, value: Any) -> datetime | None:
        if not isinstance(value, (list, tuple)):
            return super().to_python(value)
        parts = (_given(value) + [""] * 4)[:4]
        if not any(parts):
            return None
        day = _date(parts[:3])
        found = re.fullmatch(r"([01]?\d|2[0-4])(?:[.:]([0-5]\d))?", parts[3], re.ASCII)
        if not found or (found[1] == "24"):
            raise ValidationError(
                _("Write the time as hours and minutes, for example 14.30."), code="invalid"
            )
        clock = time(int(found[1]), int(found[2] or 0))
        return forms.utils.from_current_timezone(datetime.combine(day, clock))


class KronerInput(forms.TextInput):
    suffix = gettext_lazy("kr.")

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {"inputmode": "numeric", "autocomplete": "off", "class": "input-char-11"} | (attrs or {})
        )

    def format_value(self, value: Any) -> str | None:
        from dkfds.wording import number

        if isinstance(value, int):
            return number(value)
        if isinstance(value, Decimal):
            return number(value, 0 if value == int(value) else 2)
        return super().format_value(value)


class KronerField(forms.IntegerField):
    """Whole kroner, written 640000, 640.000, 640 000 or 640.000 kr."""

    widget = KronerInput

    def to_python(self, value: Any) -> int | None:
        if not isinstance(value, str):
            return super().to_python(value)
        text = re.sub(r"(?i)\s*kr\.?$", "", value.strip()).replace("\N{NO-BREAK SPACE}", " ")
        text = re.sub(r"(,00|,-)$", "", text)
        if re.fullmatch(r"-?\d{1,3}([. ]\d{3})+", text, re.ASCII):
            text = re.sub(r"[. ]", "", text)
        if not text:
            return None
        if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
            raise ValidationError(_("Write the amount in whole kroner, for example 640.000."), code="invalid")
        return int(text)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class KronerOreField(forms.DecimalField):
    """Kroner and øre, written 1249,50, 1.249,50, 1 249,5 or 1.249,50 kr."""

    widget = KronerInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 2, "min_value": Decimal("0.01")} | kwargs)

    def to_python(self, value: Any) -> Decimal | None:
        if not isinstance(value, str):
            return super().to_python(value)
        text = re.sub(r"(?i)\s*kr\.?$", "", value.strip()).replace("\N{NO-BREAK SPACE}", " ")
        text = re.sub(r",-$", "", text)
        if not text:
            return None
        found = re.fullmatch(r"(-?\d{1,12}|-?\d{1,3}(?:[. ]\d{3})+)(?:,(\d{1,2}))?", text, re.ASCII)
        if not found:
            raise ValidationError(
                _("Write the amount in kroner and øre, for example 1.249,50."), code="invalid"
            )
        return Decimal(re.sub(r"[. ]", "", found[1]) + "." + (found[2] or "0"))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%H:%M")


class Boxes(forms.TypedMultipleChoiceField):
    """Several of a few choices, each a box to tick; the value is a list of keys."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)


def first_moment(day: date, at: time | None) -> datetime:
    """When a day begins, or the given hour of it, in the municipality's time."""
    return timezone.make_aware(datetime.combine(day, at or time.min))
