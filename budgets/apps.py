from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BudgetsConfig(AppConfig):
    name = "budgets"
    verbose_name = _("Citizen budgets")

    def ready(self) -> None:
        from accounts import persons
        from accounts.personal_data import register_eraser
        from budgets import checks, personal_data  # noqa: F401
        from budgets.format import CITIZEN_BUDGET
        from budgets.implementation import FILES
        from budgets.meetings import FILES as MINUTES
        from participation import files, formats

        formats.register(CITIZEN_BUDGET)
        files.register(FILES)
        files.register(MINUTES)
        register_eraser("budgets", personal_data.forget_contact)
        persons.register_merge_check(personal_data.check_may_merge)
        persons.register_holder(personal_data.still_needed)
