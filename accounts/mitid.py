"""What a MitID broker tells about someone, read from its claims and then forgotten.

Claims come in the ID token and from userinfo, flat with dots ("dk.cpr") or nested ({"dk": {"cpr": …}}), and brokers
name them differently. What is signed in the ID token wins. Nothing in an `Identity` is ever stored as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.core.cache import cache

from accounts.persons import normal_cpr
from accounts.verdict import Refused

CPR = ("dk.cpr", "cpr", "dk_ssn", "ssn", "dk:gov:saml:attribute:CprNumberIdentifier")
MITID_UUID = ("mitid.uuid", "mitid_uuid")
NAME = ("mitid.identity_name", "name", "nemlogin.name")
BIRTH_DATE = ("mitid.date_of_birth", "birthdate")
CVR = ("nemlogin.cvr", "dk.cvr", "cvr")
ORGANISATION = ("nemlogin.org_name", "organization_name", "org_name")
ASSURANCE = ("loa", "nsis.loa", "acr")
LEVELS = "https://data.gov.dk/concept/core/nsis/"


@dataclass(frozen=True)
class Identity:
    subject: str
    assurance: str = ""
    cpr: str | None = field(default=None, repr=False)
    mitid_uuid: str | None = None
    first_name: str = ""
    last_name: str = ""
    birth_date: date | None = None
    cvr: str | None = None
    organisation: str = ""
    methods: frozenset[str] = frozenset()
    email: str = ""
    email_verified: bool = False


def read_identity(data: Mapping[str, Any]) -> Identity:
    """`data` as allauth hands it over: {"userinfo": {…}, "id_token": {…}}."""
    id_token, userinfo = data.get("id_token") or {}, data.get("userinfo") or {}
    subjects = {str(claims["sub"]) for claims in (id_token, userinfo) if claims.get("sub")}
    if len(subjects) != 1:
        raise Refused("subject_differs", "The ID token and userinfo are not about the same person.")
    claims = {**userinfo, **{name: value for name, value in id_token.items() if value not in (None, "")}}
    full_name = _text(claims, NAME)
    first, _, last = full_name.rpartition(" ") if full_name else ("", "", "")
    given, family = _text(claims, ("given_name",)), _text(claims, ("family_name",))
    cvr = _text(claims, CVR)
    return Identity(
        subject=subjects.pop(),
        # The level counts only where the broker signed it, never from userinfo.
        assurance=_text(id_token, ASSURANCE).removeprefix(LEVELS),
        cpr=normal_cpr(_text(claims, CPR)),
        mitid_uuid=_text(claims, MITID_UUID) or None,
        first_name=(given or first or last)[:80],
        last_name=(family or (last if first else ""))[:120],
        birth_date=_date(_text(claims, BIRTH_DATE)),
        cvr=cvr if len(cvr) == 8 and cvr.isascii() and cvr.isdigit() else None,
        organisation=_text(claims, ORGANISATION)[:200],
        methods=_words(id_token.get("amr")) | _words(id_token.get("acr")),
        email=_text(claims, ("email",)),
        email_verified=claims.get("email_verified") is True,
    )


def check_assurance(identity: Identity) -> None:
    """Asked on the way back, whatever was asked for on the way out: the address of a sign-in can be changed."""
    if identity.assurance.capitalize() not in settings.MITID_ASSURANCE:
        raise Refused("low_assurance", "The level of assurance is too low.")


def value_of(claims: Mapping[str, Any], name: str) -> Any:
    """The claim by its flat name, else by its path."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def end_session_url(issuer_config: Mapping[str, Any]) -> str:
    return str(issuer_config.get("end_session_endpoint") or "")


# Sign-in may come back in another browser than it began in: what it was for is kept here under its state.
REMEMBER_SECONDS = 15 * 60


def remember(state: str, next_url: str) -> None:
    cache.set(f"signin:{state}", next_url, REMEMBER_SECONDS)


def remembered(state: str) -> str | None:
    """Where the sign-in was going; told once."""
    if not state.isalnum() or len(state) > 64:
        return None
    key = f"signin:{state}"
    next_url: str | None = cache.get(key)
    # The one that deletes it is the one that may use it.
    return next_url if next_url is not None and cache.delete(key) else None


def _text(claims: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = value_of(claims, name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _words(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(str(word) for word in value) if isinstance(value, list) else frozenset()
