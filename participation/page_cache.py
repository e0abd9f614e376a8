"""Whole pages kept for anonymous visitors, for as short as it stays right.

A cached page has no form with a token, no session, no message and no nonce. Any session cookie bypasses the cache, and
so does a message that waits in a cookie of its own; but not for what maps read, which is data and the same for everyone.
What changed invalidates: every audited write moves the generation on. Nothing is older than `SECONDS`, so counts of
votes, which write no audit row, are never staler than that. Without a working cache every page is simply built.
"""

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, set_response_etag

SECONDS = 10
DATA = ".geojson"  # addresses that end so hold data and nothing personal: the same for whoever is signed in
PERSONAL_COOKIES = frozenset({settings.SESSION_COOKIE_NAME, CookieStorage.cookie_name})
# Each answer's own, or added again by what stands outside this middleware.
NOT_KEPT = frozenset({"ETag", "Date"})
GENERATION = "page-generation"
# Audited, but on no public page, or only as a count that may be that old; on a busy day there are thousands of them.
QUIET = frozenset(
    {
        "user.signed_up",
        "user.settings_changed",
        "user.data_exported",
        "user.signed_out_everywhere",
        "support.give",
        "support.take_back",
        "argument.rate",
        "budgets.look_up",
        "budgets.mark_roll",
        "budgets.undo_mark",
    }
)
logger = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


def public_page(view: View) -> View:
    """Mark a view's pages as the same for every anonymous visitor."""

    @wraps(view)
    def marked(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response.public_page = True  # type: ignore[attr-defined]
        return response

    return marked


def forget_pages() -> None:
    """Something public changed: pages kept so far are not used again."""
    try:
        try:
            cache.incr(GENERATION)
        except ValueError:
            cache.set(GENERATION, 1, timeout=None)
    except Exception:
        logger.warning("The page cache did not answer; pages may be %s seconds old.", SECONDS)


class PageCacheMiddleware:
    """Answers anonymous visitors from the cache. Stands outside the session, so that a hit asks no database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        personal = PERSONAL_COOKIES & set(request.COOKIES) and not request.path_info.endswith(DATA)
        if request.method not in {"GET", "HEAD"} or personal:
            return self.get_response(request)
        key = self._key(request)
        generation, kept = self._get(key)
        if kept is not None:
            body, headers, etag = kept
            response = HttpResponse(body, headers=headers | {"ETag": etag})
            return get_conditional_response(request, etag=etag, response=response)
        response = self.get_response(request)
        if not self._may_be_kept(request, response):
            return response
        response["Cache-Control"] = "no-cache"
        response["Vary"] = "Cookie"
        set_response_etag(response)
        headers = {name: value for name, value in response.headers.items() if name not in NOT_KEPT}
        self._set(key, (generation, (response.content, headers, response["ETag"])))
        return get_conditional_response(request, etag=response["ETag"], response=response)

    @staticmethod
    def _may_be_kept(request: HttpRequest, response: HttpResponseBase) -> bool:
        return (
            getattr(response, "public_page", False)
            and response.status_code == 200
            and not response.streaming
            and not response.cookies
            and getattr(request, "_csp_nonce", None) is None
        )

    @staticmethod
    def _key(request: HttpRequest) -> str:
        address = f"{request.scheme}://{request.get_host()}{request.get_full_path()}"
        return hashlib.sha256(address.encode()).hexdigest()

    @staticmethod
    def _get(key: str) -> tuple[int, Any]:
        """The generation as it is before the page is built, and the page if it was kept in that generation."""
        try:
            found = cache.get_many([GENERATION, key])
        except Exception:
            return 0, None
        generation, kept = found.get(GENERATION, 0), found.get(key)
        return generation, kept[1] if kept is not None and kept[0] == generation else None

    @staticmethod
    def _set(key: str, kept: tuple[int, Any]) -> None:
        try:
            cache.set(key, kept, timeout=SECONDS)
        except Exception:
            logger.warning("The page cache did not answer; the page is built again next time.")
