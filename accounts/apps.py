from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import checks  # noqa: F401
        from dkfds.navigation import Area, Place, register

        register(Place("my-page", _("My page"), "accounts:my-page", area=Area.ACCOUNT))
        register(Place("privacy", _("Personal data"), "accounts:privacy", order=20, area=Area.FOOTER))
