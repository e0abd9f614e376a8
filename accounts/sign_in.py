"""Begins and ends a sign-in at a broker.

Browsers apply `form-action` to every redirect of a form's answer, and brokers redirect on to addresses we can't know.
So a button posts here, and the answer is a page that goes on by itself; the policy can stay strict.
"""

import logging
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

logger = logging.getLogger(__name__)
CONFIGURATION_SECONDS = 60 * 60


def safe_next(request: HttpRequest) -> str:
    """The page to come back to, if it is one of ours."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if ours and len(url) <= 2000 and "\x00" not in url else ""


def provider(request: HttpRequest, provider_id: str) -> Any | None:
    try:
        return get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist:
        return None


def begin(request: HttpRequest, provider_id: str, next_url: str, *, again: bool = False) -> str | None:
    """The broker's address to send the browser to, or None when the broker can't be reached.

    Scope and parameters come from settings alone, never from the address. `again`: restarted, once, because the first
    one came back in another browser.
    """
    chosen = provider(request, provider_id)
    if chosen is None:
        return None
    try:
        response = chosen.redirect(request, process="login", next_url=next_url or None, again=again)
    except (requests.RequestException, KeyError, ValueError) as error:
        logger.warning("The sign-in broker does not answer: %s", type(error).__name__)
        return None
    return str(response["Location"]) if response.status_code == 302 else None


def end_session_url(request: HttpRequest, provider_id: str) -> str | None:
    """Where to sign out at the broker too, so that the next one at a shared computer is not signed in by itself."""
    chosen = provider(request, provider_id)
    if chosen is None:
        return None
    endpoint = cache.get(f"end-session:{provider_id}")
    if endpoint is None:
        try:
            with get_adapter().get_requests_session() as session:
                answer = session.get(chosen.server_url)
                answer.raise_for_status()
                endpoint = str(answer.json().get("end_session_endpoint") or "")
        except (requests.RequestException, ValueError) as error:
            logger.warning("Signing out at the broker failed: %s", type(error).__name__)
            return None
        cache.set(f"end-session:{provider_id}", endpoint, CONFIGURATION_SECONDS)
    if not endpoint:
        return None
    back = f"{settings.SITE_URL}{reverse('accounts:signed-out')}"
    joint = "&" if "?" in endpoint else "?"
    query = urlencode({"client_id": chosen.app.client_id, "post_logout_redirect_uri": back})
    return f"{endpoint}{joint}{query}"


def onward(request: HttpRequest, url: str, *, leaving: bool = False) -> HttpResponse:
    return render(request, "accounts/onward.html", {"url": url, "leaving": leaving})
