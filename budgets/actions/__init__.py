"""The one door for every write in a citizen budget, one file per subject."""

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
    "cast_ballot",
    "cast_with_code",
    "comment_on_project",
    "compare_count",
    "count_round",
    "decide_projects",
    "drop_round",
    "give_up_comparing",
    "open_round",
    "record_lot",
    "say_how_it_was",
    "seal_round",
]
