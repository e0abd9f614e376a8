"""Where things are: a map with the list beside it, and the two addresses that the map reads (open data as well)."""

import json
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import same_for_everyone
from accounts.geography import home_districts, thinned
from participation import formats
from participation.choices import PUBLIC, Moderation
from participation.danish import DaSort
from participation.forms.contributions import districts_to_choose
from participation.models import Contribution, Process
from participation.page_cache import public_page
from participation.views.public import contributions_url

PER_PAGE = 20


@public_page
@require_safe
def contribution_map(request: HttpRequest, slug: str) -> HttpResponse:
    """A map, and beside it the same as a list by district and words. The page is as large with 2,000 places as with 20:
    what the map draws comes from `contribution_points`."""
    process = get_object_or_404(Process.objects.filter(status__in=PUBLIC), slug=slug)
    districts = list(districts_to_choose().defer(None))
    chosen = next((one for one in districts if str(one.pk) == request.GET.get("distrikt")), None)
    rows = _public(process).select_related("district").defer("search_vector", "district__geometry")
    if chosen is not None:
        rows = rows.filter(district=chosen)
    rows = rows.order_by(DaSort("title"), "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    for contribution in page:
        contribution.process = process
    context = {
        "process": process,
        "format": formats.get(process.format),
        "page": page,
        "districts": districts,
        "chosen": chosen,
        "list_url": contributions_url(process),
    }
    return render(request, "participation/contribution_map.html", context)


@same_for_everyone
@public_page
@require_safe
def contribution_points(request: HttpRequest, slug: str) -> HttpResponse:
    """GeoJSON: every public contribution of the process that has a point, with its title, district (by name, and `in` as the borders
    know it) and address."""
    process = get_object_or_404(Process.objects.filter(status__in=PUBLIC).only("pk", "slug"), slug=slug)
    rows = (
        _public(process)
        .exclude(lat=None)
        .order_by("pk")
        .values_list("public_id", "title", "lat", "lng", "district", "district__name")
    )
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(lng), float(lat)]},
            "properties": {
                "title": title,
                "district": name or "",
                "in": district,
                "url": reverse("participation:contribution-detail", args=[process.slug, public_id]),
            },
        }
        for public_id, title, lat, lng, district, name in rows
    ]
    return _geojson(features)


@same_for_everyone
@public_page
@require_safe
def district_borders(request: HttpRequest) -> HttpResponse:
    """GeoJSON: the districts people live in, thinned to what a screen can show."""
    features = [
        {
            "type": "Feature",
            "geometry": thinned(district.geometry),
            "properties": {"id": district.pk, "name": district.name},
        }
        for district in home_districts()
    ]
    return _geojson(features)


def _public(process: Process) -> Any:
    return Contribution.objects.filter(process=process, moderation=Moderation.PUBLISHED)


def _geojson(features: list[dict[str, Any]]) -> HttpResponse:
    content = json.dumps(
        {"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":")
    )
    return HttpResponse(content, content_type="application/geo+json")
