"""Search over everything public."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from participation import clock, search
from participation.forms.contributions import districts_to_choose
from participation.page_cache import public_page
from participation.team import shown_together

PER_PAGE = 20
KINDS = {"forloeb": search.PROCESS, "bidrag": search.CONTRIBUTION}


@public_page
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\x00", "").strip()[: search.LONGEST]
    kind = request.GET.get("slags", "")
    districts = list(districts_to_choose())
    district = next((one for one in districts if str(one.pk) == request.GET.get("distrikt")), None)
    filters = {"kind": KINDS.get(kind), "district": district}
    rows, only_like = search.find(query, user=request.user, filters=filters)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    today = clock.today()
    hits = search.hits(page)
    for hit in hits:
        if hit.kind == search.CONTRIBUTION:
            hit.obj.shown_name = shown_together(hit.obj, today)
    context = {
        "query": query,
        "asked": bool(search.words(query)),
        "page": page,
        "hits": hits,
        "only_like": only_like,
        "kind": kind if kind in KINDS else "",
        "district": district,
        "districts": districts,
    }
    return render(request, "participation/search.html", context)
