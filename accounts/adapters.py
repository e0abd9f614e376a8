"""How allauth signs people in here: citizens through a MitID broker, staff with a second factor."""

import logging
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import factors, mitid, persons, sign_in
from accounts.fields import cipher
from accounts.models import Organisation, User
from accounts.permissions import STAFF_ROLES, Role
from accounts.verdict import Refused
from audit import clock
from audit.actions import record

logger = logging.getLogger(__name__)

MITID = "mitid"
STAFF = "medarbejder"
EMAIL_LENGTH = 254
SIGNED_IN_WITH = "signed_in_with"


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("The e-mail address and the password don't fit together."),
        "too_many_login_attempts": _(
            "You have tried too many times. Wait five minutes, or ask for a new password."
        ),
        "account_inactive": _("This account is closed. Ask your administrator."),
    }

    def clean_email(self, email: str) -> str:
        """allauth's form lets pass what its column can't hold."""
        if len(email) > EMAIL_LENGTH:
            raise ValidationError(_("This e-mail address is too long."))
        cleaned: str = super().clean_email(email)
        return cleaned

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account with a password: citizens come with MitID, staff are created in the admin."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Passwords are for staff: a citizen's account opens with MitID alone."""
        user: User | None = super().authenticate(request, **credentials)
        return user if user is not None and user.role in STAFF_ROLES else None

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Only now is the session theirs: what the broker proved is noted in it."""
        login = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
        if login is not None:
            request.session[SIGNED_IN_WITH] = login.account.provider
            if how := login.state.get("second_factor"):
                factors.prove(request, how)
        return super().post_login(request, user, **kwargs)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who signed in a moment ago is not asked again: a new colleague goes straight on to the second factor."""
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        records = get_authentication_records(self.request, self.request.user)
        latest = max((record["at"] for record in records), default=0)
        return bool(time.time() - latest > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        user = request.user
        if isinstance(user, User) and user.is_staff:
            return reverse("admin:index")
        return reverse("accounts:my-page")


class SecondFactorAdapter(DefaultMFAAdapter):
    """What makes the codes lies encrypted: whoever reads the database can't make the next one."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher().decrypt(encrypted_text.encode()).decode()


class BrokerAdapter(DefaultSocialAccountAdapter):
    """Turns what a broker says into a user, and keeps nothing of it that should not be kept."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return sociallogin.account.provider == MITID

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """The earliest hook after the claims are read, and before anything is saved: take what we need, drop the rest.

        allauth would store userinfo and ID token, CPR number and all, in `extra_data`.
        """
        claims, sociallogin.account.extra_data = sociallogin.account.extra_data, {}
        sociallogin.email_addresses = []
        try:
            identity = mitid.read_identity(claims)
        except Refused as refused:
            raise ImmediateHttpResponse(explain(request, "failed", 502)) from refused
        sociallogin.identity = identity
        # A broker that makes the CPR number its subject still leaves no number behind.
        if persons.normal_cpr(identity.subject) or (identity.cpr and identity.cpr in identity.subject):
            sociallogin.account.uid = persons.keyed_hash("subject", identity.subject)
        user: User = sociallogin.user
        user.first_name, user.last_name = identity.first_name, identity.last_name
        user.email = None
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.account.provider == MITID:
            self._citizen(request, sociallogin)
        else:
            self._staff(request, sociallogin)

    def _citizen(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        identity: mitid.Identity = sociallogin.identity
        try:
            mitid.check_assurance(identity)
            if sociallogin.state.get("process") != "login":
                raise Refused("not_a_login", "MitID signs in; it is never added to an account.")
            user = citizen_for(identity, account=sociallogin.account)
        except Refused as refused:
            low = refused.code == "low_assurance"
            raise ImmediateHttpResponse(
                explain(request, "assurance" if low else "unrecognised", 403)
            ) from refused
        sociallogin.user = user
        sociallogin.state["second_factor"] = "mitid"  # Substantial and High are two factors by definition

    def _staff(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Only accounts that an administrator has made: known from before, or by the e-mail the municipality vouches for."""
        identity: mitid.Identity = sociallogin.identity
        user = sociallogin.user if sociallogin.is_existing else None
        if user is None and identity.email and identity.email_verified:
            user = User.objects.filter(
                email__iexact=identity.email, role__in=STAFF_ROLES, is_active=True, deleted_at=None
            ).first()
        if user is None or user.role not in STAFF_ROLES:
            raise ImmediateHttpResponse(explain(request, "no_staff_account", 403))
        if sociallogin.account.pk is None:
            sociallogin.account.user = user
            sociallogin.account.save()
        sociallogin.user = user
        if identity.methods & settings.STAFF_OIDC_SECOND_FACTOR:
            sociallogin.state["second_factor"] = "oidc"

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Cancelled, come back in another browser, or something broken: a page that says which and what to do."""
        context = extra_context or {}
        stashed = context.get("state")
        next_url = (stashed or {}).get("next", "")
        if stashed is None and exception is None:
            # Not begun in this browser (MitID's app opens the default one), or answered twice.
            found = mitid.remembered(request.GET.get("state", ""))
            next_url = found or ""
            if request.GET.get("error") == "access_denied":
                error = AuthError.CANCELLED
                # Some brokers leave the state out when somebody cancels.
                last = statekit.unstash_last_state(request, provider_id=provider.sub_id) or {}
                next_url = next_url or last.get("next", "")
            elif found is not None:
                url = sign_in.begin(request, provider.sub_id, found, again=True)
                if url is not None:
                    raise ImmediateHttpResponse(HttpResponseRedirect(url))
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(explain(request, "cancelled", 200, next_url))
        if exception is not None:
            # The exception's text may hold what the broker answered: only its kind is logged.
            logger.warning("Sign-in failed at the broker: %s", type(exception).__name__)
            refused = isinstance(exception, PermissionDenied)
            raise ImmediateHttpResponse(
                explain(request, "failed" if refused else "broker", 403 if refused else 503, next_url)
            )
        raise ImmediateHttpResponse(explain(request, "failed", 400, next_url))

    def generate_state_param(self, state: dict[str, Any]) -> str:
        """Remembers what the sign-in was for, should it come back in another browser; once."""
        state_id: str = super().generate_state_param(state)
        if not state.get("again"):
            mitid.remember(state_id, state.get("next") or "")
        return state_id


@transaction.atomic
def citizen_for(identity: mitid.Identity, *, account: SocialAccount) -> User:
    """The user this identity signs in as, made when new. One person has one account, also after a change of broker.

    With MitID Erhverv someone acts as their organisation: an account of its own, outside the age and sex figures.
    Two first sign-ins at the same moment wait for each other: `recognise` locks the person it finds, and a new one's
    key is unique.
    """
    if identity.cvr:
        organisation = _organisation(identity)
        known = _user_of(account)
        user = known or User(organisation=organisation)
    else:
        person = persons.recognise(
            cpr=identity.cpr, mitid=identity.mitid_uuid or identity.subject, birth_date=identity.birth_date
        )
        known = _user_of(account)
        if known is not None and known.person_id not in (None, person.pk):
            known = None
        user = User.objects.filter(person=person).first() or known or User()
        user.person = person
    created = user.pk is None
    user.first_name = identity.first_name or user.first_name
    user.last_name = identity.last_name or user.last_name
    if created:
        user.role = Role.CITIZEN
        user.date_joined = clock.now()
        user.set_unusable_password()
        user.save()
    else:
        user.save(update_fields=["first_name", "last_name", "person"])
    kept, _made = SocialAccount.objects.update_or_create(
        provider=account.provider, uid=account.uid, defaults={"user": user, "extra_data": {}}
    )
    account.pk, account.user = kept.pk, user
    if created:
        record(action="user.signed_up", by=user, obj=user)
    return user


def _user_of(account: SocialAccount) -> User | None:
    return User.objects.filter(
        socialaccount__provider=account.provider, socialaccount__uid=account.uid
    ).first()


def _organisation(identity: mitid.Identity) -> Organisation:
    """Locked, so that two first sign-ins of the same at the same moment make one account."""
    organisation, _made = Organisation.objects.select_for_update().get_or_create(
        cvr=identity.cvr, defaults={"name": identity.organisation or f"CVR {identity.cvr}"}
    )
    if identity.organisation and organisation.name != identity.organisation:
        organisation.name = identity.organisation
        organisation.save(update_fields=["name"])
    return organisation


def explain(request: HttpRequest, what: str, status: int, next_url: str = "") -> HttpResponse:
    return render(request, "accounts/sign_in_problem.html", {"what": what, "next": next_url}, status=status)
