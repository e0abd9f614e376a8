"""Who may do what at all. Whether it may be done now, and to this process, is asked in each app's own permissions."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    CITIZEN = "citizen", _("Citizen")
    CASEWORKER = "caseworker", _("Caseworker")
    MANAGER = "manager", _("Manager")
    COUNCILLOR = "councillor", _("Councillor")
    POLLING_OFFICER = "polling_officer", _("Polling officer")
    ADMINISTRATOR = "administrator", _("Administrator")


class Permission(StrEnum):
    TAKE_PART = "take_part"
    ENTER_ADMIN = "enter_admin"
    SET_UP_PROCESS = "set_up_process"
    APPROVE_PROCESS = "approve_process"
    OVERRIDE_CHECK = "override_check"
    MODERATE = "moderate"
    ANSWER = "answer"
    ASSESS = "assess"
    COUNT_VOTES = "count_votes"
    RECORD_DECISION = "record_decision"
    CARRY_OUT = "carry_out"
    RECORD_FOR_OTHERS = "record_for_others"
    MARK_ROLL = "mark_roll"
    READ_DRAFTS = "read_drafts"
    READ_AUDIT = "read_audit"
    IMPORT_REGISTER = "import_register"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_TEXTS = "manage_texts"
    SEND_MAILOUT = "send_mailout"
    APPROVE_MAILOUT = "approve_mailout"


_CASEWORK = frozenset(
    {
        Permission.ENTER_ADMIN,
        Permission.SET_UP_PROCESS,
        Permission.MODERATE,
        Permission.ANSWER,
        Permission.ASSESS,
        Permission.COUNT_VOTES,
        Permission.RECORD_DECISION,
        Permission.CARRY_OUT,
        Permission.RECORD_FOR_OTHERS,
        Permission.READ_DRAFTS,
        Permission.READ_AUDIT,
        Permission.SEND_MAILOUT,
        Permission.APPROVE_MAILOUT,  # of a colleague's, never of one's own
    }
)

PERMISSIONS_OF: dict[str, frozenset[Permission]] = {
    Role.CITIZEN: frozenset({Permission.TAKE_PART}),
    Role.CASEWORKER: _CASEWORK,
    Role.MANAGER: _CASEWORK
    | {Permission.APPROVE_PROCESS, Permission.OVERRIDE_CHECK, Permission.MANAGE_TEXTS},
    Role.COUNCILLOR: frozenset({Permission.READ_DRAFTS}),
    Role.POLLING_OFFICER: frozenset({Permission.MARK_ROLL}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.ENTER_ADMIN,
            Permission.READ_DRAFTS,
            Permission.READ_AUDIT,
            Permission.IMPORT_REGISTER,
            Permission.MANAGE_PEOPLE,
            Permission.MANAGE_TEXTS,
        }
    ),
}

# Whose permissions reach beyond their own unit.
EVERY_UNIT = frozenset({Role.ADMINISTRATOR, Role.COUNCILLOR})
# Who must have a second factor: every role beyond citizen.
STAFF_ROLES = frozenset(Role) - {Role.CITIZEN}
