"""{% load files %}: the photo of a row that was read with `first_photo`."""

from typing import Any

from django import template

from participation.models import StoredFile

register = template.Library()


@register.simple_tag
def photo_of(row: Any) -> StoredFile | None:
    return StoredFile(**row) if isinstance(row, dict) else None
