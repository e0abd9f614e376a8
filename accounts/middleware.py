"""What every request of someone signed in must have: a second factor, where one is due, and a session not too old.

allauth asks for a second factor where there is one; here, those who must have one are sent to make it.
"""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.cache import add_never_cache_headers

from accounts import factors

SIGNED_IN_AT = "signed_in_at"
# Where someone without a second factor may still go: to make one, to prove who they are, and out.
OPEN_NAMES = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_list_webauthn",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "account_reauthenticate",
        "account_logout",
        "account_email",
        "account_confirm_email",
        "account_email_verification_sent",
        "set_language",
    }
)


class SecondFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._lacks_it(request) and not self._may_pass(request):
            return redirect("mfa_index")
        return self.get_response(request)

    def _lacks_it(self, request: HttpRequest) -> bool:
        # Visitors without a session cookie are never looked up: their pages come from the cache.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return False
        user = request.user
        return user.is_authenticated and user.needs_second_factor and not factors.has_proof(request, user)

    def _may_pass(self, request: HttpRequest) -> bool:
        if request.path.startswith(f"/{settings.STATIC_URL.lstrip('/')}"):
            return True
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return False
        return match.url_name in OPEN_NAMES or getattr(match.func, "same_for_everyone", False)


class SessionLifeMiddleware:
    """However busy a session is, it ends; and what a signed-in person sees is kept by no cache or browser.

    Real time, not the portal's clock: a demo that jumps a month ahead signs nobody out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return self.get_response(request)
        if time.time() - request.session.get(SIGNED_IN_AT, time.time()) > settings.SESSION_LONGEST:
            logout(request)
            return self.get_response(request)
        response = self.get_response(request)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response


def note_sign_in(sender: object, request: HttpRequest, **kwargs: object) -> None:
    request.session[SIGNED_IN_AT] = int(time.time())
