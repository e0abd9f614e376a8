"""System check: nothing of the demo where the public comes."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

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
