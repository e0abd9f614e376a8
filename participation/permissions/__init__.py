"""Whether someone may do something to this process or contribution, now.

Each rule is a `check_x` that raises `Refused` and a `can_x` that returns the same as a `Verdict`; pages show its reason.
"""

from accounts.verdict import Refused, Verdict, verdict
from participation.permissions.process import (
    can_act_for,
    can_amend,
    can_approve,
    can_cancel,
    can_edit,
    can_extend,
    can_hand_over,
    can_override,
    can_submit,
    can_view,
    check_act_for,
    check_amend,
    check_approve,
    check_cancel,
    check_edit,
    check_extend,
    check_hand_over,
    check_override,
    check_submit,
    check_view,
)

__all__ = [
    "Refused",
    "Verdict",
    "can_act_for",
    "can_amend",
    "can_approve",
    "can_cancel",
    "can_edit",
    "can_extend",
    "can_hand_over",
    "can_override",
    "can_submit",
    "can_view",
    "check_act_for",
    "check_amend",
    "check_approve",
    "check_cancel",
    "check_edit",
    "check_extend",
    "check_hand_over",
    "check_override",
    "check_submit",
    "check_view",
    "verdict",
]
