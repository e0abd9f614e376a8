"""What machines ask: is the process alive, may it have traffic, how is it doing.

Answered before hosts are checked and HTTPS is asked for, because a load balancer asks by number and inside its network.
None of it says anything about people: a name of a service and "ok" or "failing".
"""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView
from health_check.checks import Database
from health_check.exceptions import HealthCheckException
from redis.exceptions import RedisError

PROBE = "readyz"


def alive() -> HttpResponse:
    """The process answers; nothing else is asked, so that a database that is away restarts nobody."""
    return JsonResponse({"process": "ok"})


def ready() -> HttpResponse:
    """Database and cache answer; 503 takes the machine out of the load balancer until they do."""
    found = {"database": "ok", "cache": "ok"}
    try:
        Database().run()
    except HealthCheckException:
        found["database"] = "failing"
    try:
        cache.set(PROBE, "ok", 5)
        found["cache"] = cache.get(PROBE, "failing")
    except (RedisError, OSError):
        found["cache"] = "failing"
    return JsonResponse(found, status=200 if set(found.values()) == {"ok"} else 503)


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            response = alive()
        elif request.path_info == "/readyz":
            response = ready()
        elif request.path_info == "/metrics" and _may_see_metrics(request):
            response = ExportToDjangoView(request)
        else:
            return self.get_response(request)
        response["Cache-Control"] = "no-store"
        return response


def _may_see_metrics(request: HttpRequest) -> bool:
    """Whoever has METRICS_TOKEN; for everybody else the address doesn't exist."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(
        given.encode(), settings.METRICS_TOKEN.encode()
    )
