from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BudgetsConfig(AppConfig):
    name = "budgets"
    verbose_name = _("Citizen budgets")

    def ready(self) -> None:
        from accounts import my_page, persons
        from accounts.personal_data import register_eraser
        from audit.words import register_words
        from budgets import checks, personal_data  # noqa: F401
        from budgets.format import CITIZEN_BUDGET
        from budgets.history import ACTIONS
        from budgets.implementation import FILES
        from budgets.mailed_codes import register_code_field
        from budgets.meetings import FILES as MINUTES
        from budgets.polling import on_my_page
        from budgets.turnout import took_part
        from dkfds.navigation import Area, Place, register
        from participation import breadth, files, formats

        register_words(ACTIONS)
        formats.register(CITIZEN_BUDGET)
        breadth.register_participants(took_part, only_counted=True)
        files.register(FILES)
        files.register(MINUTES)
        for area in (Area.FOOTER, Area.RESULTS):
            register(
                Place(f"money-{area}", _("All the money of the citizen budgets"), "money:overview", 5, area)
            )
            register(Place(f"years-{area}", _("Citizen budgets year by year"), "money:years", 6, area))
        register(
            Place("money-file", _("All the money of the citizen budgets"), "money:overview", 5, Area.DATA)
        )
        register_code_field()
        register_eraser("budgets", personal_data.forget_contact)
        my_page.register_section(
            key="polling-places", order=4, template="budgets/polling/my_page.html", context=on_my_page
        )
        persons.register_merge_check(personal_data.check_may_merge)
        persons.register_holder(personal_data.still_needed)
