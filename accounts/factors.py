"""The second factor: who must have one, and what proves it in this session."""

from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from accounts.models import User

PROVEN = "second_factor"
TYPES = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def prove(request: HttpRequest, how: str) -> None:
    """Someone else has asked for the second factor: MitID, or the municipality's sign-in (`amr`, `acr`)."""
    request.session[PROVEN] = how


def has_proof(request: HttpRequest, user: User) -> bool:
    """Proven elsewhere in this session, or by an authenticator here: allauth's sign-in never passes it by."""
    if request.session.get(PROVEN):
        return True
    return Authenticator.objects.filter(user=user, type__in=TYPES).exists()
