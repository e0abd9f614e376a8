"""The design system's icons (Apache-2.0), drawn into the page: no request for a sprite, and the text's own colour.

Read once from the sprite of the asset build. Where it was not built the page still works: an icon only repeats a
word beside it.
"""

import re
from functools import cache, lru_cache

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

SPRITE = "dkfds/all-svg-icons.svg"
SYMBOL = re.compile(r'<symbol\b([^>]*)\bid="([a-z0-9-]+)"([^>]*)>(.*?)</symbol>', re.DOTALL)
VIEW_BOX = re.compile(r'viewBox="([^"]+)"')


@cache
def sprite() -> dict[str, tuple[str, str]]:
    """Icon name → (view box, drawing)."""
    found = finders.find(SPRITE)
    if found:
        with open(found, encoding="utf-8") as file:
            return parse(file.read())
    if staticfiles_storage.exists(SPRITE):
        with staticfiles_storage.open(SPRITE) as file:
            return parse(file.read().decode())
    return {}


def parse(text: str) -> dict[str, tuple[str, str]]:
    found = {}
    for before, name, after, body in SYMBOL.findall(text):
        box = VIEW_BOX.search(before + after)
        drawing = re.sub(r"\s*\n\s*", "", body).strip()
        found[name] = (box[1] if box else "0 0 24 24", drawing)
    return found


def icon(name: str, extra_class: str = "", label: str = "") -> SafeString:
    """Hidden from screen readers unless it has a label of its own."""
    return _drawn(name, extra_class, str(label)) if sprite() else _draw(name, extra_class, str(label))


def _draw(name: str, extra_class: str, label: str) -> SafeString:
    box, drawing = sprite().get(name, ("0 0 24 24", ""))
    css = f"icon-svg {extra_class}".strip()
    heard = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" viewBox="{}" {} focusable="false">{}</svg>', css, box, heard, mark_safe(drawing)
    )


_drawn = lru_cache(maxsize=512)(_draw)
