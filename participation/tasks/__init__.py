"""Background work, one file per subject. Tasks take ids, look back instead of assuming that they ran last time, and are
idempotent because of a stored fact."""

from participation.tasks.clock import move_by_the_clock, remind_of_overdue, tell_of_phases
from participation.tasks.files import sweep_files
from participation.tasks.tidying import delete_expired_drafts, forget_expired_invitations, remove_names

__all__ = [
    "delete_expired_drafts",
    "forget_expired_invitations",
    "move_by_the_clock",
    "remind_of_overdue",
    "remove_names",
    "sweep_files",
    "tell_of_phases",
]
