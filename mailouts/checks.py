"""System checks: sending letters needs a gateway, our CVR number and a secret for receipts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from mailouts.memo_rules import is_cvr


@register(Tags.compatibility, deploy=True)
def letters_can_be_sent(**kwargs: Any) -> list[CheckMessage]:
    known = settings.DIGITAL_POST
    if not known["url"]:
        return []  # a portal without Digital Post
    found: list[CheckMessage] = []
    if not is_cvr(known["sender_cvr"]):
        found.append(
            Warning(
                "DIGITAL_POST_CVR is not a CVR number.",
                hint="Set it to the municipality's own, eight digits: it stands as the sender of every letter.",
                id="mailouts.W001",
            )
        )
    if len(known["receipt_secret"]) < 24:
        found.append(
            Warning(
                "DIGITAL_POST_RECEIPT_SECRET is missing or short, so no receipts are taken in.",
                hint="Set at least 24 random characters, the same where receipts are signed (docs/operations.md).",
                id="mailouts.W002",
            )
        )
    if known["memo_version"] not in {"1.1", "1.2"}:
        found.append(
            Warning("DIGITAL_POST_MEMO is neither 1.1 nor 1.2.", id="mailouts.W003"),
        )
    return found
