"""allauth asks for a second factor where there is one; here, those who must have one are sent to make it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

from accounts import factors

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
            return resolve(request.path_info).url_name in OPEN_NAMES
        except Resolver404:
            return False
