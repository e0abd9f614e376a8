"""The one door for every write in a citizen budget, one file per subject."""

from budgets.actions.codes import (
    block_batch,
    fetch_print,
    lift_lock,
    lock_out,
    make_class_codes,
    make_personal_codes,
    refused_while_locked,
    replace_code,
)
from budgets.actions.codes import make_due as make_due_codes
from budgets.actions.codes import tidy_up as tidy_up_codes
from budgets.actions.counting import (
    compare_count,
    count_round,
    decide_projects,
    give_up_comparing,
    record_lot,
)
from budgets.actions.projects import adjust_project, assess_project, comment_on_project
from budgets.actions.rounds import anonymise_roll, drop_round, open_round, seal_round
from budgets.actions.voting import begin, cast_ballot, cast_with_code, say_how_it_was

__all__ = [
    "adjust_project",
    "anonymise_roll",
    "assess_project",
    "begin",
    "block_batch",
    "cast_ballot",
    "cast_with_code",
    "comment_on_project",
    "compare_count",
    "count_round",
    "decide_projects",
    "drop_round",
    "fetch_print",
    "give_up_comparing",
    "lift_lock",
    "lock_out",
    "make_class_codes",
    "make_due_codes",
    "make_personal_codes",
    "open_round",
    "record_lot",
    "refused_while_locked",
    "replace_code",
    "say_how_it_was",
    "seal_round",
    "tidy_up_codes",
]
