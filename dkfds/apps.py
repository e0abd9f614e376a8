from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DkfdsConfig(AppConfig):
    name = "dkfds"
    verbose_name = _("The look")
