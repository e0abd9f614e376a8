"""System check: nothing of the demo where the public comes."""

from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from config import production


@register(Tags.security, deploy=True)
def nothing_of_the_demo(**kwargs: Any) -> list[CheckMessage]:
    found = production.stand_ins(
        demo=apps.is_installed("demo"),
        clock_file=settings.CLOCK_FILE,
        issuers={  # without https they are accounts.E003
            name: issuer
            for name in ("MITID_ISSUER", "STAFF_OIDC_ISSUER")
            if (issuer := getattr(settings, name)).startswith("https://")
        },
    )
    hint = "It belongs to make run, never to the public."
    return [Error(sentence, hint=hint, id="config.E001") for sentence in found]


@register(Tags.security, deploy=True)
def what_leaves_this_machine_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """Names, contributions and sessions go to the database, the cache and the mail server."""
    database = settings.DATABASES["default"]
    mode = database.get("OPTIONS", {}).get("sslmode", "")
    redis = urlsplit(settings.REDIS_URL)
    found = []
    if _elsewhere(database["HOST"]) and mode not in {"require", "verify-ca", "verify-full"}:
        found.append(("DATABASE_URL names another machine without TLS.", "End it in ?sslmode=verify-full."))
    if redis.scheme == "redis" and _elsewhere(redis.hostname or ""):
        found.append(("REDIS_URL names another machine without TLS.", "Begin it with rediss://."))
    if _elsewhere(settings.EMAIL_HOST) and not settings.EMAIL_USE_TLS:
        found.append(("E-mail leaves without TLS.", "Set EMAIL_USE_TLS to 1."))
    return [Warning(sentence, hint=hint, id="config.W001") for sentence, hint in found]


def _elsewhere(host: str) -> bool:
    """Another machine: neither a socket nor this one."""
    return bool(host) and not host.startswith("/") and not production.is_this_machine(f"//{host}")
