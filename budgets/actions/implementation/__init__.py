"""Carrying out a project that got the money: the plan, what became of each promise, the money, and telling about it.

What the public was told is never rewritten: each change of a published plan is a new line of the project's diary
(`ProgressNote`), and money is corrected by counter-entries. Every function locks the project's row first, so that two
colleagues, or two payments, at once are one after the other.
"""

from budgets.actions.implementation.accounts import (
    approve_accounts,
    correct_spending,
    enter_spending,
    send_accounts,
    send_back_accounts,
    settle_spending,
    show_receipt,
)
from budgets.actions.implementation.deciding import begin_implementations, take_back_all
from budgets.actions.implementation.diary import supporters
from budgets.actions.implementation.following import (
    add_promise,
    change_status,
    deliver_promise,
    drop_promise,
    reach_milestone,
    take_out_promise,
)
from budgets.actions.implementation.money import (
    correct_payment,
    grant_extra,
    lower_grant,
    record_payment,
    record_repayment,
)
from budgets.actions.implementation.plan import (
    add_milestone,
    forget_contacts,
    move_milestone,
    plan_implementation,
    publish_plan,
    remove_milestone,
    write_promises,
)
from budgets.actions.implementation.telling import report_news, settle_note, take_down_note, tell_news

__all__ = [
    "add_milestone",
    "add_promise",
    "approve_accounts",
    "begin_implementations",
    "change_status",
    "correct_payment",
    "correct_spending",
    "deliver_promise",
    "drop_promise",
    "enter_spending",
    "forget_contacts",
    "grant_extra",
    "lower_grant",
    "move_milestone",
    "plan_implementation",
    "publish_plan",
    "reach_milestone",
    "record_payment",
    "record_repayment",
    "remove_milestone",
    "report_news",
    "send_accounts",
    "send_back_accounts",
    "settle_note",
    "settle_spending",
    "show_receipt",
    "supporters",
    "take_back_all",
    "take_down_note",
    "take_out_promise",
    "tell_news",
    "write_promises",
]
