"""Staff pages of a citizen budget: its rules in the set-up form, assessment, the vote and what the council decided."""

from django.utils.translation import gettext_lazy as _

from budgets.admin.setup import BudgetForms, RecordProjectForm, StartBudgetForm
from budgets.format import KEY
from participation.admin import registry

registry.register(
    registry.StaffFormat(
        key=KEY,
        start_form=StartBudgetForm,
        detail_forms=BudgetForms,
        record_form=RecordProjectForm,
        duty_pages={
            "assess": ("admin:budget-projects", "?state=undecided"),
            "count_first_round": ("admin:budget-vote", ""),
            "record_meeting": ("admin:budget-meeting", ""),
            "tell_project": ("admin:budget-implementations", ""),
            "confirm_told": ("admin:budget-implementations", ""),
            "approve_accounts": ("admin:budget-implementations", ""),
            "plan_project": ("admin:budget-implementations", ""),
        },
        tabs=(
            registry.Tab("projects", _("Assessment"), "admin:budget-projects"),
            registry.Tab("codes", _("Voting codes"), "admin:budget-codes"),
            registry.Tab("vote", _("The vote"), "admin:budget-vote"),
            registry.Tab("places", _("Polling places"), "admin:budget-places"),
            registry.Tab("carrying", _("Carrying out"), "admin:budget-implementations"),
        ),
    )
)
