"""Form fields for what people write, under the same rules as the actions hold themselves to."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.verdict import Refused
from participation.texts import clean


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
