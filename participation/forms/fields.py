"""Form fields for what people write, under the same rules as the actions hold themselves to."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.geography import EAST, NORTH, SOUTH, WEST
from accounts.verdict import Refused
from participation.texts import clean

_PAIRS = (
    re.compile(r"(-?[0-9]{1,2}(?:[.,][0-9]{1,15})?)\s*(?:;|,\s|\s)\s*(-?[0-9]{1,3}(?:[.,][0-9]{1,15})?)"),
    re.compile(r"(-?[0-9]{1,2}\.[0-9]{1,15}),(-?[0-9]{1,3}\.[0-9]{1,15})"),
)


class PointInput(forms.TextInput):
    """Coordinates as text, and a map to choose them on where there is script (static/js/map.js)."""

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, tuple):
            return ", ".join(f"{degrees:.6f}" for degrees in value)
        return super().format_value(value)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        control = super().render(name, value, attrs, renderer)
        return render_to_string(
            "participation/fields/point.html", {"control": control, "id": (attrs or {}).get("id", name)}
        )


class PointField(forms.CharField):
    """A point as (latitude, longitude) in degrees, or None. Reads what maps and telephones write: "56.4012, 11.0933"."""

    widget = PointInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(", ".join(map(str, value)) if isinstance(value, tuple) else value)
        if not text:
            return None
        found = next((match for pair in _PAIRS if (match := pair.fullmatch(text.strip()))), None)
        if found is None:
            raise ValidationError(
                _("Write the point as two numbers, latitude first, for instance 56.4012, 11.0933."),
                code="point",
            )
        lat, lng = (Decimal(number.replace(",", ".")) for number in found.groups())
        if not (SOUTH <= lat <= NORTH and WEST <= lng <= EAST):
            raise ValidationError(_("This point lies outside Denmark. Write latitude first."), code="point")
        return lat, lng


class PlainTextField(forms.CharField):
    """One or more lines of plain text; a message where the text can't be kept."""

    def __init__(self, *, longest: int, lines: int = 1, **kwargs: Any) -> None:
        self.longest = longest
        if lines > 1:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": lines}))
        super().__init__(max_length=longest, **kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if isinstance(text, str):
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return clean(text, "", longest=self.longest, required=False) if text else text
        except Refused as refused:
            raise ValidationError(refused.reason, code=refused.code) from refused
