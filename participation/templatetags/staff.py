"""{% load staff %}: where staff can go, and the errors of the whole set-up form at once."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from audit.words import in_words
from dkfds import rendering

register = template.Library()


@register.filter
def action_words(action: str) -> Any:
    return in_words(action)


@register.filter
def field_words(names: list[str]) -> str:
    """Names of changed fields as the set-up form calls them; what has no word of its own is left out."""
    from participation.admin.rows import ROWS
    from participation.admin.setup import ProcessForm

    known = {name: str(field.label) for name, field in ProcessForm.base_fields.items()}
    known |= {rowset.key: str(rowset.title) for rowset in ROWS}
    known["frame_points"] = f"{known.pop('open_points')} {known.pop('fixed_points')}"
    return " · ".join(known[name] for name in names if name in known)


PLACES = (
    (_("Today"), "admin:index", None),
    (_("Processes"), "admin:process-list", None),
    (_("To look through"), "admin:moderation", Permission.MODERATE),
    (_("Questions"), "admin:questions", Permission.ANSWER),
    (_("Mailouts"), "admin:mailout-list", Permission.SEND_MAILOUT),
    (_("Committee meetings"), "admin:participation_committee_changelist", None),
    (_("Settings and texts"), "admin:settings", None),
)


@register.simple_tag(takes_context=True)
def staff_places(context: template.Context) -> list[dict[str, Any]]:
    """The navigation of staff, with `current` on the place this page lies under."""
    request = context["request"]
    start = reverse("admin:index")
    found = []
    for label, name, permission in PLACES:
        if permission is None or request.user.may(permission):
            url = reverse(name)
            here = request.path == url or (url != start and request.path.startswith(url))
            found.append({"label": label, "url": url, "current": here})
    return found


@register.simple_tag
def setup_errors(setup: Any) -> str:
    """The error summary of a form with many forms in it."""
    problems = rendering.problems(*setup.all_forms)
    return render_to_string("dkfds/error_summary.html", {"problems": problems}) if problems else ""
