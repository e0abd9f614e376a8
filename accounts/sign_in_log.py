"""Signing in and out, told to the log for whoever watches over the portal.

Staff are named by their number, citizens not at all, and a failed attempt never by what was typed: people type their
password where the e-mail address belongs.
"""

import logging

from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from accounts.models import User

logger = logging.getLogger(__name__)


def _tell(what: str, user: User | None) -> None:
    staff = user is not None and user.needs_second_factor
    logger.info("%s", what, extra={"role": user.role, "staff_id": user.pk} if user and staff else {})


def signed_in(sender: object, user: User, **kwargs: object) -> None:
    _tell("Signed in", user)


def signed_out(sender: object, user: User | None, **kwargs: object) -> None:
    _tell("Signed out", user)


def failed(sender: object, **kwargs: object) -> None:
    logger.warning("A sign-in with a password failed")


def factor_changed(sender: object, user: User, **kwargs: object) -> None:
    _tell("A second factor was changed", user)


def connect() -> None:
    user_logged_in.connect(signed_in, dispatch_uid="accounts.signed_in")
    user_logged_out.connect(signed_out, dispatch_uid="accounts.signed_out")
    user_login_failed.connect(failed, dispatch_uid="accounts.sign_in_failed")
    for signal in (authenticator_added, authenticator_removed, authenticator_reset):
        signal.connect(factor_changed, dispatch_uid="accounts.factor_changed")
