"""How often one address may do what costs others work. Counted in the cache; without it, nothing is held back."""

import hashlib
import logging

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.verdict import Refused

logger = logging.getLogger(__name__)


def spend(request: HttpRequest, what: str, *, most: int, seconds: int) -> None:
    """`Refused` when this visitor has done it `most` times within the last stretch of `seconds`."""
    if request.user.is_authenticated:
        who = f"user:{request.user.pk}"
    else:
        who = f"ip:{get_adapter(request).get_client_ip(request)}"
    key = "limit:" + hashlib.sha256(f"{what}:{who}".encode()).hexdigest()
    try:
        cache.add(key, 0, timeout=seconds)
        count = cache.incr(key)
    except Exception:
        logger.warning("The cache did not answer; %s is not limited now.", what)
        return
    if count > most:
        raise Refused(
            "too_often", _("You have done this many times in a short while. Wait a little and try again.")
        )
