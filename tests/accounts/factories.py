"""People for tests, made by the real actions where there are some."""

import itertools
from datetime import date, timedelta
from typing import Any

from accounts import persons
from accounts.models import District, Organisation, Person, RegisterExtract, Resident, Unit, User
from accounts.permissions import Role
from audit import clock

_numbers = itertools.count(1)


def cpr_for(birth_date: date, serial: int) -> str:
    """A synthetic number: day + 60, so it can never be anybody's CPR number."""
    return f"{birth_date.day + 60:02}{birth_date:%m%y}{serial:04}"


def make_unit(**fields: Any) -> Unit:
    number = next(_numbers)
    return Unit.objects.create(
        **{"name": f"Center {number}", "email": f"center{number}@kommune.example"} | fields
    )


def make_district(**fields: Any) -> District:
    number = next(_numbers)
    return District.objects.create(
        **{"kind": District.Kind.SCHOOL, "code": f"{number:04}", "name": f"Skoledistrikt {number}"} | fields
    )


def make_citizen(*, first_name: str = "Karen", person: Person | None = None, **fields: Any) -> User:
    return User.objects.create_user(first_name=first_name, person=person, **fields)


def make_staff(
    role: str = Role.CASEWORKER,
    *,
    units: list[Unit] | None = None,
    password: str | None = None,
    factor: bool = True,
    **fields: Any,
) -> User:
    """Staff with a TOTP authenticator, unless `factor=False`."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    number = next(_numbers)
    user = User.objects.create_user(
        password=password,
        **{
            "email": f"medarbejder{number}@kommune.example",
            "first_name": "Mette",
            "last_name": f"Medarbejder {number}",
            "role": role,
        }
        | fields,
    )
    user.units.set(units or [])
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if factor:
        TOTP.activate(user, generate_totp_secret())
    return user


def make_extract(**fields: Any) -> RegisterExtract:
    today = clock.today()
    return RegisterExtract.objects.create(
        **{
            "drawn_on": today,
            "imported_at": clock.now(),
            "valid_until": today + timedelta(days=400),
            "sha256": f"{next(_numbers):064}",
        }
        | fields
    )


def make_resident(
    *,
    extract: RegisterExtract | None = None,
    birth_date: date = date(1980, 5, 17),
    cpr: str | None = None,
    **fields: Any,
) -> Resident:
    """A line in the extract that counts (made when there is none), with its person."""
    from django.conf import settings

    extract = extract or RegisterExtract.objects.counting_on(clock.today()).first() or make_extract()
    cpr = cpr or cpr_for(birth_date, next(_numbers) % 10000)
    return Resident.objects.create(
        extract=extract,
        person=persons.recognise(cpr=cpr),
        birth_date=birth_date,
        **{
            "sex": "F",
            "status": "01",
            "municipality_code": settings.MUNICIPALITY["code"],
            "household": "",
            "protected": False,
            "digital_post": True,
            "cpr": cpr,
            "name": "Karen Jensen",
            "address": "Ny Vestergade 7, 9999 Lunde",
        }
        | fields,
    )


def make_resident_citizen(**fields: Any) -> User:
    """A citizen who has signed in with MitID and lives in the municipality."""
    return make_citizen(person=make_resident(**fields).person)


def make_organisation_user(**fields: Any) -> User:
    number = next(_numbers)
    organisation = Organisation.objects.create(cvr=f"{number:08}", name=f"Forening {number}")
    return make_citizen(organisation=organisation, **fields)
