"""What people may type: no control characters that a database refuses, no more than fits, not nothing."""

import re

from django.utils.translation import gettext as _

from accounts.verdict import Refused

# Everything below U+0020 but tab and line breaks, and lone surrogates: neither typed nor shown by anything.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def is_printable(text: str) -> bool:
    """No sign that XML, a database or a screen refuses: a feed with one of them in is an error page."""
    return not _UNPRINTABLE.search(text)


def clean(text: str, field: str, *, longest: int, required: bool = True) -> str:
    """The text trimmed, with one kind of line break; `Refused` with its field when it can't be kept."""
    if not isinstance(text, str):
        raise Refused("not_text", _("This must be text."), field)
    if not is_printable(text):
        raise Refused(
            "unprintable",
            _("The text holds characters that can't be shown. Write it again without them."),
            field,
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if required and not text:
        raise Refused("empty", _("Write something here."), field)
    if len(text) > longest:
        raise Refused(
            "too_long",
            _("The text is %(length)d characters; there is room for %(longest)d.")
            % {"length": len(text), "longest": longest},
            field,
        )
    return text
