from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import checks, sign_in_log  # noqa: F401
        from accounts.history import ACTIONS
        from accounts.middleware import note_sign_in
        from audit.words import register_words
        from dkfds.navigation import Area, Place, register

        register_words(ACTIONS)
        sign_in_log.connect()
        user_logged_in.connect(note_sign_in, dispatch_uid="accounts.note_sign_in")
        register(Place("my-page", _("My page"), "accounts:my-page", area=Area.ACCOUNT))
        register(Place("privacy", _("Personal data"), "accounts:privacy", order=20, area=Area.FOOTER))
