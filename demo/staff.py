"""The demo's staff: invented, with passwords and authenticator secrets that everybody knows. Never in production."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP

from accounts.models import Unit, User
from accounts.permissions import Role
from config.people import Staff

PASSWORD = "ojenhojde-demo-2026"  # noqa: S105 - shown on screen, for the demo alone


@dataclass(frozen=True)
class Colleague:
    first_name: str
    last_name: str
    role: str
    email: str
    secret: str
    units: tuple[str, ...] = ()


UNITS = (("Kultur og Fritid", "kultur@lunde.example"), ("Teknik og Miljø", "teknik@lunde.example"))
COLLEAGUES = (
    Colleague(
        "Kirsten", "Vang", Role.CASEWORKER, "kirsten@lunde.example", "JBSWY3DPEHPK3PXP", ("Kultur og Fritid",)
    ),
    Colleague(
        "Amir", "Holst", Role.CASEWORKER, "amir@lunde.example", "JBSWY3DPEHPK3PXQ", ("Kultur og Fritid",)
    ),
    Colleague(
        "Pernille",
        "Toft",
        Role.CASEWORKER,
        "pernille@lunde.example",
        "JBSWY3DPEHPK3PXR",
        ("Teknik og Miljø",),
    ),
    Colleague("Bo", "Lindgaard", Role.MANAGER, "bo@lunde.example", "JBSWY3DPEHPK3PXS", ("Kultur og Fritid",)),
    Colleague("Inger", "Ravn", Role.COUNCILLOR, "inger@lunde.example", "JBSWY3DPEHPK3PXT"),
    Colleague("Søren", "Brink", Role.POLLING_OFFICER, "soeren@lunde.example", "JBSWY3DPEHPK3PXU"),
    Colleague("Hanne", "Kjær", Role.POLLING_OFFICER, "hanne@lunde.example", "JBSWY3DPEHPK3PXW"),
    Colleague("Lis", "Agger", Role.ADMINISTRATOR, "lis@lunde.example", "JBSWY3DPEHPK3PXV"),
)


def hire(colleagues: Iterable[Colleague] = COLLEAGUES) -> dict[str, User]:
    """The colleagues by first name, each able to sign in with password and code."""
    units = {
        name: Unit.objects.get_or_create(name=name, defaults={"email": email})[0] for name, email in UNITS
    }
    hired = {}
    for colleague in colleagues:
        user = User.objects.create_user(
            email=colleague.email,
            password=PASSWORD,
            first_name=colleague.first_name,
            last_name=colleague.last_name,
            role=colleague.role,
        )
        user.units.set(units[name] for name in colleague.units)
        EmailAddress.objects.create(user=user, email=colleague.email, verified=True, primary=True)
        TOTP.activate(user, colleague.secret)
        hired[colleague.first_name] = user
    assert Authenticator.objects.filter(user__in=hired.values()).count() == len(hired)
    return hired


def listed() -> tuple[Staff, ...]:
    """As `make run` prints them."""
    return tuple(
        Staff(
            f"{one.first_name} {one.last_name}",
            str(Role(one.role).label),
            one.email,
            PASSWORD,
            one.secret,
        )
        for one in COLLEAGUES
    )
