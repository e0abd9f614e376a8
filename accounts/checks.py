"""Settings without which people can't sign in, or should not."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured


@register()
def keys_can_be_read(**kwargs: Any) -> list[CheckMessage]:
    from accounts import persons

    found: list[CheckMessage] = []
    try:
        persons.secrets()
    except ImproperlyConfigured as error:
        found.append(Error(str(error), hint="For instance 1:<64 random characters>.", id="accounts.E001"))
    try:
        if not settings.FIELD_KEYS:
            raise ValueError("none")
        for key in settings.FIELD_KEYS:
            Fernet(key)
    except (ValueError, TypeError):
        found.append(
            Error(
                "FIELD_KEYS must hold one or more Fernet keys, newest first: without them the register can't be read.",
                hint="python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
                id="accounts.E002",
            )
        )
    return found


@register(Tags.security, deploy=True)
def sign_in_is_safe(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.MITID_ISSUER:
        found.append(
            Warning(
                "MITID_ISSUER is not set: citizens can't sign in.",
                hint="Set MITID_ISSUER, MITID_CLIENT_ID and MITID_CLIENT_SECRET (docs/operations.md).",
                id="accounts.W001",
            )
        )
    for name in ("MITID_ISSUER", "STAFF_OIDC_ISSUER"):
        if getattr(settings, name) and not getattr(settings, name).startswith("https://"):
            found.append(Error(f"{name} must begin with https://.", id="accounts.E003"))
    if not {"Substantial", "High"} >= settings.MITID_ASSURANCE:
        found.append(
            Error("MITID_ASSURANCE may hold Substantial and High, nothing lower.", id="accounts.E004")
        )
    if settings.MUNICIPALITY["code"] == "9999":
        found.append(
            Warning(
                "MUNICIPALITY_CODE is the demo's: nobody will count as living here.",
                hint="Set it to the municipality's four digits.",
                id="accounts.W002",
            )
        )
    return found
