"""Who an address is for."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

View = TypeVar("View", bound=Callable[..., HttpResponse])


def same_for_everyone(view: View) -> View:
    """Data with nothing personal in it, given out before anybody's second factor is asked for: caches keep it for all."""
    view.same_for_everyone = True  # type: ignore[attr-defined]
    return view


def staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Signed in and working here; for a citizen the address does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.needs_second_factor:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
