from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BudgetsConfig(AppConfig):
    name = "budgets"
    verbose_name = _("Citizen budgets")

    def ready(self) -> None:
        from accounts import persons
        from budgets import checks, personal_data  # noqa: F401
        from budgets.format import CITIZEN_BUDGET
        from participation import formats

        formats.register(CITIZEN_BUDGET)
        persons.register_merge_check(personal_data.check_may_merge)
        persons.register_holder(personal_data.still_needed)
