from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BudgetsConfig(AppConfig):
    name = "budgets"
    verbose_name = _("Citizen budgets")

    def ready(self) -> None:
        from budgets import checks  # noqa: F401
        from budgets.format import CITIZEN_BUDGET
        from participation import formats

        formats.register(CITIZEN_BUDGET)
