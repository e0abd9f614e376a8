"""Pages for what went wrong. Django draws some of them without a request; ours always say whose portal it is and how
to reach a person, and never touch the database."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    return render(
        request, template, {"municipality": settings.MUNICIPALITY, "plain_page": True}, status=status
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "403.html", 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "404.html", 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, "403_csrf.html", 403)


def too_large(request: HttpRequest) -> HttpResponse:
    return _page(request, "413.html", 413)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "429.html", 429)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: whatever broke may be what the context processors ask."""
    from django.template.loader import render_to_string

    return HttpResponse(render_to_string("500.html", {"municipality": settings.MUNICIPALITY}), status=500)
