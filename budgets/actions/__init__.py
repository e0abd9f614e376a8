"""The one door for every write in a citizen budget, one file per subject."""

from budgets.actions.codes import (
    MOST_IN_CLASS,
    block_batch,
    fetch_print,
    lift_lock,
    lock_out,
    make_class_codes,
    make_mailed_codes,
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
from budgets.actions.meetings import record_meeting
from budgets.actions.paper import (
    begin_reading,
    choose_order,
    enter_paper,
    finish_reading,
    give_up_reading,
    new_bundle,
    remove_bundle,
    remove_entry,
    reopen_account,
    save_account,
    sign_account,
)
from budgets.actions.polling import (
    count_turnout,
    log_look_up,
    mark_roll,
    record_incident,
    remove_place,
    save_place,
    undo_mark,
)
from budgets.actions.projects import adjust_project, assess_project, comment_on_project
from budgets.actions.rounds import anonymise_roll, drop_round, open_round, seal_round
from budgets.actions.voting import begin, cast_ballot, cast_with_code, say_how_it_was

__all__ = [
    "MOST_IN_CLASS",
    "adjust_project",
    "anonymise_roll",
    "assess_project",
    "begin",
    "begin_reading",
    "block_batch",
    "cast_ballot",
    "cast_with_code",
    "choose_order",
    "comment_on_project",
    "compare_count",
    "count_round",
    "count_turnout",
    "decide_projects",
    "drop_round",
    "enter_paper",
    "fetch_print",
    "finish_reading",
    "give_up_comparing",
    "give_up_reading",
    "lift_lock",
    "lock_out",
    "log_look_up",
    "make_class_codes",
    "make_due_codes",
    "make_mailed_codes",
    "make_personal_codes",
    "mark_roll",
    "new_bundle",
    "open_round",
    "record_incident",
    "record_lot",
    "record_meeting",
    "refused_while_locked",
    "remove_bundle",
    "remove_entry",
    "remove_place",
    "reopen_account",
    "replace_code",
    "save_account",
    "save_place",
    "say_how_it_was",
    "seal_round",
    "sign_account",
    "tidy_up_codes",
    "undo_mark",
]
