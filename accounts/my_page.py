"""What stands on my page. Upper rooms register their own sections; the order says what matters most.

    my_page.register_section(key="given", order=10, template="participation/my_page/given.html", context=given)

`context(user, request)` returns the template's variables, or None when there is nothing to show. Orders in use: 10 what
I gave and what came of it, 20 what waits for me, 30 what I follow, 40 my notices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.models import User


@dataclass(frozen=True)
class Section:
    key: str
    order: int
    template: str
    context: Callable[[User, HttpRequest], Mapping[str, Any] | None]


_sections: dict[str, Section] = {}


def register_section(
    *,
    key: str,
    order: int,
    template: str,
    context: Callable[[User, HttpRequest], Mapping[str, Any] | None],
) -> None:
    if key in _sections:
        raise ValueError(f"Two sections of my page call themselves {key!r}.")
    _sections[key] = Section(key, order, template, context)


def sections_for(request: HttpRequest) -> list[SafeString]:
    """Each section as HTML, in order."""
    assert isinstance(request.user, User)
    shown = []
    for section in sorted(_sections.values(), key=lambda one: (one.order, one.key)):
        context = section.context(request.user, request)
        if context is not None:
            shown.append(render_to_string(section.template, dict(context), request))
    return shown
