"""{% load dkfds %}: the form pack's tags, and numbers, moments and drawings for pages."""

from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.urls import translate_url
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.clock import now
from dkfds import drawings, icons, navigation, rendering, wording

register = template.Library()


# Forms


@register.simple_tag
def error_summary(*forms_and_sets: Any) -> str:
    """{% error_summary form %}, or several forms and formsets in reading order. Nothing when nothing is wrong."""
    problems = rendering.problems(*(one for one in forms_and_sets if one))
    return render_to_string("dkfds/error_summary.html", {"problems": problems}) if problems else ""


@register.simple_tag
def draw_field(field: BoundField, prefix: str = "", suffix: str = "") -> rendering.Drawn:
    return rendering.draw(field, prefix=prefix or "", suffix=suffix or "")


@register.simple_tag
def field_control(field: BoundField, drawn: rendering.Drawn) -> str:
    return mark_safe(rendering.control(field, drawn))


@register.simple_tag
def field_choices(field: BoundField, drawn: rendering.Drawn) -> list[dict[str, Any]]:
    return rendering.choices(field)


@register.simple_tag
def field_boxes(field: BoundField, drawn: rendering.Drawn) -> list[dict[str, Any]]:
    return rendering.boxes(field, drawn)


@register.simple_tag
def html_attributes(attrs: dict[str, Any]) -> str:
    return flatatt(attrs)


@register.simple_tag
def current_file(field: BoundField) -> dict[str, str] | None:
    return rendering.current_file(field)


# Words


@register.filter
def number(value: Any, decimals: int | None = None) -> str:
    return wording.number(value, decimals) if value is not None and value != "" else ""


@register.filter
def percent(share: Any, decimals: int | None = None) -> str:
    return wording.percent(share, decimals) if share is not None and share != "" else ""


@register.filter
def kroner(amount: Any) -> str:
    return wording.kroner(amount) if amount is not None and amount != "" else ""


@register.filter
def deadline(moment: datetime | date | None) -> str:
    """When it ends: "i dag kl. 23.59", "om 3 dage (fredag den 6. marts)"."""
    return wording.deadline(moment, now()) if moment else ""


@register.filter
def opening(moment: datetime | date | None) -> str:
    """When it begins, in the same words."""
    return wording.opening(moment, now()) if moment else ""


@register.filter
def days_away(moment: datetime | date | None) -> str:
    """Only the near part: "om 6 dage"; empty beyond two weeks."""
    if not moment:
        return ""
    value = wording.closing(moment).date() if isinstance(moment, datetime) else moment
    return wording.days_away(value, timezone.localdate(now()))


@register.filter
def day(moment: datetime | date | None) -> str:
    """fredag den 6. marts"""
    if not moment:
        return ""
    value = wording.closing(moment).date() if isinstance(moment, datetime) else moment
    return wording.day(value, timezone.localdate(now()))


@register.filter
def closes(moment: datetime | date | None) -> str:
    """Lukker om 6 dage (fredag den 6. marts)"""
    return _("Closes %(when)s") % {"when": deadline(moment)} if moment else ""


@register.filter
def opens(moment: datetime | date | None) -> str:
    return _("Opens %(when)s") % {"when": opening(moment)} if moment else ""


@register.filter
def taking_part(count: int) -> str:
    words = ngettext("%(shown)s person takes part", "%(shown)s people take part", count)
    return words % {"shown": wording.number(count)}


@register.filter
def supporting(count: int) -> str:
    words = ngettext("%(shown)s supports it", "%(shown)s support it", count)
    return words % {"shown": wording.number(count)}


@register.simple_tag
def period(start: datetime | date, end: datetime | date) -> str:
    return wording.period(start, end, timezone.localdate(now()))


@register.filter
def unlocal(value: Any) -> str:
    """As a machine reads it: no thousands separator, point for decimals."""
    return str(value)


# Drawings


@register.simple_tag
def icon(name: str, extra_class: str = "", label: str = "") -> SafeString:
    return icons.icon(name, extra_class, label)


@register.simple_tag
def draw_ladder(current: str) -> list[drawings.Step]:
    return drawings.ladder(str(current))


@register.simple_tag
def draw_bars(rows: Any, widest: float | None = None) -> list[drawings.Bar]:
    return drawings.bars(rows or [], widest=widest)


@register.simple_tag
def draw_map(districts: Any, selected: Any = (), point: Any = None) -> drawings.Map | None:
    """`districts`: objects with `name` and `geometry`; `selected`: one of them, its name, or several; `point`: (lat, lng)."""
    chosen = [selected] if isinstance(selected, str) or hasattr(selected, "name") else list(selected or [])
    names = [one if isinstance(one, str) else one.name for one in chosen]
    return drawings.district_map([(one.name, one.geometry) for one in districts], names, point=point or None)


@register.simple_tag
def map_tiles() -> dict[str, str]:
    """The address of the map's tiles and whose they are; empty where the municipality has chosen none."""
    return settings.MAP_TILES


@register.filter
def tone(state: Any) -> drawings.Tone:
    return drawings.tone(state)


@register.filter
def shown_as(value: Any, form: str) -> str:
    """A chart's number in words: "number", "kroner" or "percent"."""
    return {"kroner": wording.kroner, "percent": wording.percent}.get(form, wording.number)(value)


# The page


@register.simple_tag(takes_context=True)
def nav_places(context: template.Context, area: str) -> list[dict[str, Any]]:
    """The places of one area, with `current` on the one this page lies under."""
    request = context.get("request")
    path = request.path if request else ""
    found = []
    for place in navigation.places(area):
        url = place.url
        here = path == url or (url not in {"/", "/en/"} and path.startswith(url))
        found.append(
            {"key": place.key, "label": place.label, "url": url, "current": here, "exact": path == url}
        )
    return found


@register.simple_tag
def front_page() -> str:
    """The front page in the language of this page."""
    language = (translation.get_language() or settings.LANGUAGE_CODE).split("-")[0]
    return "/" if language == settings.LANGUAGE_CODE else f"/{language}/"


@register.simple_tag(takes_context=True)
def language_links(context: template.Context) -> list[dict[str, Any]]:
    """This same page in each language: Danish without prefix, English under /en/. Empty where it has only one."""
    request = context.get("request")
    here = request.get_full_path() if request else "/"
    current = translation.get_language() or settings.LANGUAGE_CODE
    links = []
    for code, _name in settings.LANGUAGES:
        info = translation.get_language_info(code)
        links.append(
            {
                "code": code,
                "name": info["name_local"].capitalize(),
                "url": translate_url(here, code),
                "current": current.split("-")[0] == code,
            }
        )
    return links if len({link["url"] for link in links}) == len(links) else []
