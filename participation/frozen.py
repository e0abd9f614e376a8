"""The rules people act under: which columns freeze at approval, and the only way past the trigger that holds them.

The trigger (migration frozen_rules) refuses an update of these columns and of the rows that describe a process whose status
is in FROZEN, unless `amending` has named that process in the session for the length of the action.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from participation.models import Process

SETTING = "ojenhojde.amending"

# Changed only by `amend` (and, for the dates, `extend`) once approved.
COLUMNS = (
    "title",
    "introduction",
    "question",
    "purposes",
    "why_this_format",
    "ladder_step",
    "who_decides",
    "decision_basis",
    "promise",
    "politicians_role",
    "blank_sheet",
    "standing_decision_url",
    "who_answers",
    "answers_due_on",
    "answer_how",
    "willing_to_try",
    "carried_into_decision",
    "decision_stage",
    "frame_adopted_on",
    "meeting",
    "decision_on",
    "opens_at",
    "closes_at",
    "legal_basis",
    "processing_days",
    "planned_dialogues",
    "staff_hours",
    "preparation",
    "touches",
    "touches_whom",
    "conflict",
    "few_but_relevant",
    "recruitment",
    "offline_route",
)
# Never changed once approved, not even by an amendment.
FIXED_COLUMNS = ("format", "slug", "size", "author", "from_standard")
# What the page can't do without: never emptied again (the CHECK constraints of Process say the same).
REQUIRED = (
    "title",
    "question",
    "ladder_step",
    "who_decides",
    "promise",
    "who_answers",
    "answers_due_on",
    "answer_how",
    "decision_stage",
    "touches",
    "offline_route",
)
# Wording whose correction changes no rule: no dates, money, eligibility, promise or who decides.
WORDING = (
    "title",
    "introduction",
    "question",
    "why_this_format",
    "politicians_role",
    "willing_to_try",
    "carried_into_decision",
    "preparation",
    "touches_whom",
    "offline_route",
)


@contextmanager
def amending(process: Process) -> Iterator[None]:
    """The trigger lets changes of this one process through inside the block. Inside a transaction only."""
    if not connection.in_atomic_block:
        raise RuntimeError("An amendment is one transaction.")
    _set(str(process.pk))
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _set("")


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])
