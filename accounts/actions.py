"""What is done to accounts: staff are made by an administrator, citizens look after their own."""

from collections.abc import Iterable
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import personal_data
from accounts.models import District, Unit, User
from accounts.permissions import STAFF_ROLES, Permission, Role
from accounts.verdict import Refused
from audit import clock
from audit.actions import record


def _check_manages_people(by: User) -> None:
    if not by.may(Permission.MANAGE_PEOPLE):
        raise Refused("not_yours", _("Only an administrator can change who works here."))


def _check_email_free(email: str, user: User | None = None) -> None:
    taken = User.objects.filter(email__iexact=email, deleted_at=None).exclude(role=Role.CITIZEN)
    verified = EmailAddress.objects.filter(email__iexact=email, verified=True)
    if user is not None:
        taken, verified = taken.exclude(pk=user.pk), verified.exclude(user=user)
    if taken.exists() or verified.exists():
        raise Refused("email_taken", _("Somebody else already uses this e-mail address."), "email")


def check_new_staff(*, email: str, role: str) -> None:
    if role not in STAFF_ROLES:
        raise Refused("citizen_role", _("Citizens sign in with MitID; no account is made for them."), "role")
    _check_email_free(email)


def check_staff_change(*, user: User, by: User, email: str, role: str, is_active: bool) -> None:
    if role not in STAFF_ROLES:
        raise Refused("citizen_role", _("Close the account instead of making it a citizen's."), "role")
    stored = User.objects.get(pk=user.pk)
    if user.pk == by.pk and (role != stored.role or not is_active):
        raise Refused("yourself", _("You can't change your own role or close your own account."), "role")
    _check_email_free(email, user)


@transaction.atomic
def create_staff(
    *,
    by: User,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    units: Iterable[Unit] = (),
) -> User:
    """An account for a colleague, without a password: they choose it by the link that `send_password_link` mails."""
    _check_manages_people(by)
    check_new_staff(email=email, role=role)
    user = User.objects.create_user(email=email, first_name=first_name, last_name=last_name, role=role)
    user.units.set(units)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    record(action="staff.created", by=by, obj=user, values={"role": role})
    return user


@transaction.atomic
def update_staff(
    *,
    user: User,
    by: User,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    units: Iterable[Unit],
    is_active: bool,
) -> User:
    """Another role, unit, name or address; closing an account ends its sessions."""
    _check_manages_people(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    check_staff_change(user=user, by=by, email=email, role=role, is_active=is_active)
    new = {
        "email": User.objects.normalize_email(email),
        "first_name": first_name,
        "last_name": last_name,
        "role": role,
        "is_active": is_active,
    }
    changed = [name for name, value in new.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, new[name])
    user.save(update_fields=changed)
    units = list(units)
    if {unit.pk for unit in units} != set(user.units.values_list("pk", flat=True)):
        user.units.set(units)
        changed.append("units")
    if "email" in changed:
        EmailAddress.objects.filter(user=user).delete()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if {"role", "is_active"} & set(changed):
        end_sessions(user)
    record(action="staff.updated", by=by, obj=user, changed=changed, values={"role": role})
    return user


def send_password_link(*, user: User, by: User, request: HttpRequest) -> None:
    """Mails the link by which a colleague chooses a password."""
    _check_manages_people(by)
    if user.role not in STAFF_ROLES or not user.is_active or not user.email:
        raise Refused("no_password_account", _("This account has no password to choose."))
    record(action="staff.password_link_sent", by=by, obj=user)
    request_password_reset(request, user.email, [user], default_token_generator)


@transaction.atomic
def reset_second_factor(*, user: User, by: User) -> None:
    """A lost telephone: the next sign-in asks them to set up a new second factor."""
    _check_manages_people(by)
    if user.pk == by.pk:
        raise Refused("yourself", _("Ask another administrator to do this for you."))
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    record(action="staff.second_factor_reset", by=by, obj=user)


@transaction.atomic
def change_settings(*, user: User, by: User, language: str, district: District | None) -> User:
    user = User.objects.select_for_update().get(pk=user.pk)
    changed = []
    if user.language != language:
        user.language = language
        changed.append("language")
    if user.district_id != (district.pk if district else None):
        user.district = district
        changed.append("district")
    if changed:
        user.save(update_fields=changed)
        record(action="user.settings_changed", by=by, obj=user, changed=changed)
    return user


@transaction.atomic
def export_data(*, user: User, by: User) -> dict[str, Any]:
    """Everything we know of the person who asks, built from the classification; noted in the audit."""
    record(action="user.data_exported", by=by, obj=user)
    return personal_data.export(user)


@transaction.atomic
def delete_account(*, user: User, by: User) -> None:
    """Takes away what tells who it was. Contributions stay without a name, cast votes stay counted and unknown.

    The person's keys stay only as long as something else needs them: the register, or the roll of an open round, so
    that nobody votes twice by deleting an account in between.
    """
    # Not against what only points at the user: whoever holds something of theirs may be about to tell them of it.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.role in STAFF_ROLES:
        raise Refused("staff", _("An administrator closes the accounts of those who work here."))
    record(action="user.deleted", by=by, obj=user)
    personal_data.erase(user)
    SocialAccount.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    user.units.clear()
    user.email = user.person = user.organisation = user.district = None
    user.first_name = user.last_name = ""
    user.is_active = False
    user.deleted_at = clock.now()
    user.set_unusable_password()
    user.save()


@transaction.atomic
def sign_out_everywhere(*, user: User, by: User) -> None:
    """From every browser, this one too: for whoever forgot to at the library, or has lost a telephone."""
    record(action="user.signed_out_everywhere", by=by, obj=user)
    end_sessions(user)


def end_sessions(user: User) -> None:
    """Signs someone out everywhere. Sessions don't name their user, so the live ones are read."""
    ours = str(user.pk)
    for session in Session.objects.filter(expire_date__gte=clock.now()).iterator(chunk_size=500):
        if session.get_decoded().get("_auth_user_id") == ours:
            session.delete()
