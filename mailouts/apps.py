from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailoutsConfig(AppConfig):
    name = "mailouts"
    verbose_name = _("mailouts")
