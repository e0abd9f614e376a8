"""allauth's views under our own addresses. What it knows by name but we don't have answers 404."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, re_path

from accounts import views
from accounts.decorators import staff_only

urlpatterns = [
    path("log-ind/", account.login, name="account_login"),
    path("log-ud/", views.SignOut.as_view(), name="account_logout"),
    path("lukket/", account.account_inactive, name="account_inactive"),
    path("bekraeft/", account.reauthenticate, name="account_reauthenticate"),
    # E-mail: everyone
    path("e-mail/", account.email, name="account_email"),
    path("e-mail/sendt/", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^e-mail/(?P<key>[-:\w]+)/$", account.confirm_email, name="account_confirm_email"),
    # Passwords and second factors: staff
    path("adgangskode/", staff_only(account.password_change), name="account_change_password"),
    path("adgangskode/ny/", account.password_reset, name="account_reset_password"),
    path("adgangskode/sendt/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^adgangskode/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "adgangskode/valgt/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("to-trin/", staff_only(mfa.index), name="mfa_index"),
    path("to-trin/log-ind/", mfa.authenticate, name="mfa_authenticate"),
    path("to-trin/bekraeft/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("to-trin/app/", staff_only(totp.activate_totp), name="mfa_activate_totp"),
    path("to-trin/app/fjern/", staff_only(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("to-trin/koder/", staff_only(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("to-trin/koder/nye/", staff_only(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path(
        "to-trin/koder/hent/", staff_only(codes.download_recovery_codes), name="mfa_download_recovery_codes"
    ),
    path("noegle/", staff_only(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("noegle/tilfoej/", staff_only(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("noegle/log-ind/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("noegle/bekraeft/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("noegle/<int:pk>/fjern/", staff_only(webauthn.remove_webauthn), name="mfa_remove_webauthn"),
    path("noegle/<int:pk>/ret/", staff_only(webauthn.edit_webauthn), name="mfa_edit_webauthn"),
    # Not here: sign-up, passwords for citizens, several sign-ins on one account
    path("opret/", views.closed, name="account_signup"),
    path("adgangskode/foerste/", views.closed, name="account_set_password"),
    path("andre/opret/", views.closed, name="socialaccount_signup"),
    path("andre/", views.closed, name="socialaccount_connections"),
    path("andre/afbrudt/", views.closed, name="socialaccount_login_cancelled"),
    path("andre/fejl/", views.closed, name="socialaccount_login_error"),
]

# The brokers know this address, so it is the same in every language.
callback_urlpatterns = [
    path("konto/<slug:provider_id>/tilbage/", views.broker_callback, name="openid_connect_callback"),
    path("konto/<slug:provider_id>/begynd/", views.closed, name="openid_connect_login"),
]
