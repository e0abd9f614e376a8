"""What a citizen budget is, told to the core."""

from django.utils.translation import gettext_lazy as _

from participation.choices import LadderStep
from participation.formats import Act, Format, PhaseKind

KEY = "citizen_budget"

IDEAS = PhaseKind("ideas", _("Ideas"), frozenset({Act.CONTRIBUTE, Act.EDIT}))
ASSESSMENT = PhaseKind("assessment", _("Assessment"), frozenset({Act.ASSESS}))
VOTE = PhaseKind("vote", _("Voting"), frozenset({Act.VOTE}))

CITIZEN_BUDGET = Format(
    key=KEY,
    label=_("Citizen budget"),
    label_plural=_("Citizen budgets"),
    detail="budgets.CitizenBudget",
    phase_kinds=(IDEAS, ASSESSMENT, VOTE),
    ladder_steps=frozenset({LadderStep.INFLUENCE, LadderStep.CODECISION, LadderStep.CORESPONSIBILITY}),
    contribution_label=_("Project"),
    contribution_label_plural=_("Projects"),
)
