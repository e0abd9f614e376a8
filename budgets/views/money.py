"""All the money on one page and in one file, and how it went year by year."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from budgets import money, years
from budgets.results import SMALLEST_SHOWN
from dkfds.wording import number, percent
from participation.page_cache import public_page


@public_page
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    found = money.read(request.GET)
    heads = (
        ("titel", _("Project"), False),
        ("aar", _("Year"), False),
        ("status", _("How it goes"), False),
        ("planlagt", _("Planned"), True),
        ("bevilget", _("Granted"), True),
        ("udbetalt", _("Paid"), True),
        ("rest", pgettext("money", "Left"), True),
    )
    current = found.chosen.order
    context = {
        "money": found,
        "chosen": found.chosen,
        "page": found.page,
        "columns": money.COLUMNS,
        "heads": [
            {
                "label": label,
                "number": is_number,
                "order": f"-{key}" if current == key else key,
                "sorted": {key: "ascending", f"-{key}": "descending"}.get(current, ""),
            }
            for key, label, is_number in heads
        ],
        "parts": [
            _part(request, _("Divided by year"), _("Year"), "aar", found.by_year),
            _part(request, _("Divided by district"), _("District"), "distrikt", found.by_district),
            _part(request, _("Divided by citizen budget"), _("Citizen budget"), "forloeb", found.by_process),
            _part(request, _("Divided by how it goes"), _("How it goes"), "status", found.by_status),
        ],
        "filters": [
            _filter(_("Year"), "aar", found.choices["years"], found.chosen.year),
            _filter(
                _("District"),
                "distrikt",
                found.choices["districts"],
                money.NO_DISTRICT if found.chosen.no_district else found.chosen.district,
            ),
            _filter(_("How it goes"), "status", found.choices["statuses"], found.chosen.status),
            _filter(_("Citizen budget"), "forloeb", found.choices["processes"], found.chosen.process),
        ],
        "file_query": _query(request, page=None),
    }
    return render(request, "budgets/money.html", context)


def _part(
    request: HttpRequest, caption: str, head: str, field: str, sums: tuple[money.Sum, ...]
) -> dict[str, Any]:
    """A table of sums; each row leads to the page with only its own projects."""
    for one in sums:
        value = money.NO_DISTRICT if field == "distrikt" and one.key is None else one.key
        one.query = _query(request, **{field: value, "page": None}) or "?"
    return {"caption": caption, "head": head, "sums": sums}


def _filter(label: str, name: str, choices: list[tuple[Any, str]], chosen: Any) -> dict[str, Any]:
    return {"label": label, "name": name, "choices": choices, "chosen": chosen}


def _query(request: HttpRequest, **changed: Any) -> str:
    """The address's own filters with these changed; nothing else that stands in it is carried on."""
    known = ("aar", "distrikt", "status", "forloeb", "sorter")
    values = {name: request.GET[name] for name in known if request.GET.get(name)} | changed
    kept = {name: str(value) for name, value in values.items() if value is not None}
    return f"?{urlencode(kept)}" if kept else ""


@public_page
@require_safe
def file(request: HttpRequest) -> HttpResponse:
    content = money.as_csv(request.GET, request.build_absolute_uri)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="penge.csv"'
    return response


@public_page
@require_safe
def year_by_year(request: HttpRequest) -> HttpResponse:
    found = years.read()
    context = {
        "found": found,
        "panels": _panels(found.whole),
        "places": [
            {"place": place, "panels": [_granted(place, place.name, top=_most(found.districts))]}
            for place in found.districts
        ],
        "smallest_shown": SMALLEST_SHOWN,
    }
    return render(request, "budgets/years.html", context)


def _panels(place: years.Place) -> list[years.Panel]:
    """Small charts of the same shape: money, voters, projects proposed, won and carried out."""
    rows = place.years
    hidden, none = _("not shown"), "–"

    def decided(value: Callable[[years.Year], float], words: Callable[[float], str]) -> list[years.Column]:
        return [
            (one.year, value(one), words(value(one))) if one.decided else (one.year, None, none)
            for one in rows
        ]

    return [
        _granted(place, _("Granted")),
        years.panel(_("Paid"), decided(lambda one: float(one.paid), _thousands)),
        years.panel(
            _("Took part"),
            [
                (one.year, one.voters, none if not one.voted else hidden)
                if not one.voted or one.voters is None
                else (one.year, one.voters, number(one.voters))
                for one in rows
            ],
        ),
        years.panel(_("Projects proposed"), [(one.year, one.proposed, number(one.proposed)) for one in rows]),
        years.panel(_("Projects that won"), decided(lambda one: one.won, lambda won: number(int(won)))),
        years.panel(
            _("Of these carried out"),
            [
                (one.year, one.share_done, none if one.share_done is None else percent(one.share_done, 0))
                for one in rows
            ],
            top=1.0,
        ),
    ]


def _granted(place: years.Place, title: str, top: float | None = None) -> years.Panel:
    columns: list[years.Column] = [
        (one.year, float(one.granted), _thousands(float(one.granted)))
        if one.decided
        else (one.year, None, "–")
        for one in place.years
    ]
    return years.panel(title, columns, top=top)


def _most(places: Iterable[years.Place]) -> float:
    """The same scale for every district."""
    return max((float(one.granted) for place in places for one in place.years), default=0.0)


def _thousands(amount: float) -> str:
    """Short enough to stand above a narrow bar: 1,2 mio., 640.000, 0."""
    if amount >= 1_000_000:
        return _("%(millions)s m") % {"millions": number(amount / 1_000_000, 1)}
    return number(round(amount))
