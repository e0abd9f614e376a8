"""Signing in and out, and my page."""

import logging
from typing import Any

import requests
from allauth.account.views import LogoutView
from allauth.core import ratelimit
from allauth.socialaccount.providers.openid_connect.views import callback as openid_callback
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, my_page, personal_data, sign_in
from accounts.adapters import MITID, SIGNED_IN_WITH, STAFF, explain
from accounts.forms import DeleteAccountForm, SettingsForm
from accounts.models import User
from audit import clock

logger = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mitid_login(request: HttpRequest) -> HttpResponse:
    return _begin(request, MITID)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_login(request: HttpRequest) -> HttpResponse:
    return _begin(request, STAFF)


def _begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    next_url = sign_in.safe_next(request)
    if request.user.is_authenticated:
        return redirect(next_url or "accounts:my-page")
    if request.method != "POST":
        query = f"?{urlencode({'next': next_url})}" if next_url else ""
        return redirect(f"{reverse('account_login')}{query}")
    if refused := ratelimit.consume_or_429(request, action="broker_login"):
        return refused
    url = sign_in.begin(request, provider_id, next_url)
    if url is None:
        return explain(request, "broker", 503, next_url)
    return sign_in.onward(request, url)


@never_cache
def broker_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        return openid_callback(request, provider_id)
    except (requests.RequestException, KeyError, ValueError) as error:
        # It can't be reached, or answered without what every ID token must hold.
        logger.warning("The sign-in broker does not answer: %s", type(error).__name__)
        return explain(request, "broker", 503)


class SignOut(LogoutView):
    """Here, and at the broker that signed them in."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        provider_id = request.session.get(SIGNED_IN_WITH)
        response: HttpResponse = super().post(request, *args, **kwargs)
        url = sign_in.end_session_url(request, provider_id) if provider_id else None
        return sign_in.onward(request, url, leaving=True) if url else response


@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/signed_out.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/privacy.html")


def closed(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Addresses that allauth knows by name and this portal doesn't have."""
    raise Http404


@never_cache
@login_required
@require_safe
def my_page_view(request: HttpRequest) -> HttpResponse:
    context = {"sections": my_page.sections_for(request), "addresses": _addresses(request)}
    return render(request, "accounts/my_page.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_settings(request: HttpRequest) -> HttpResponse:
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=request.user)
    if form.is_valid():
        user = actions.change_settings(user=request.user, by=request.user, **form.cleaned_data)
        name = get_language_info(user.language)["name_local"]
        messages.success(request, _("Saved. Messages to you are in %(language)s.") % {"language": name})
        return redirect("accounts:my-page")
    return render(request, "accounts/settings.html", {"form": form})


@never_cache
@login_required
@require_POST
def download_my_data(request: HttpRequest) -> HttpResponse:
    if refused := ratelimit.consume_or_429(request, action="export", user=request.user):
        return refused
    data = actions.export_data(user=request.user, by=request.user)
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="mine-data-{clock.today():%Y-%m-%d}.json"'
    return response


@never_cache
@login_required
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    provider_id = request.session.get(SIGNED_IN_WITH)
    actions.sign_out_everywhere(user=request.user, by=request.user)
    logout(request)
    url = sign_in.end_session_url(request, provider_id) if provider_id else None
    return sign_in.onward(request, url, leaving=True) if url else redirect("accounts:signed-out")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    form = DeleteAccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        provider_id = request.session.get(SIGNED_IN_WITH)
        actions.delete_account(user=request.user, by=request.user)
        logout(request)
        url = sign_in.end_session_url(request, provider_id) if provider_id else None
        messages.success(request, _("Your account is deleted. Thank you for taking part."))
        return sign_in.onward(request, url, leaving=True) if url else redirect("accounts:signed-out")
    context = {"form": form, "keeps": personal_data.what_stays()}
    return render(request, "accounts/delete_account.html", context)


def _addresses(request: HttpRequest) -> dict[str, Any]:
    from allauth.account.models import EmailAddress

    assert isinstance(request.user, User)
    found = list(EmailAddress.objects.filter(user=request.user))
    return {
        "verified": next((row.email for row in found if row.verified), ""),
        "waiting": next((row.email for row in found if not row.verified), ""),
    }
