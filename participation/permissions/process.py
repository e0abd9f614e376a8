"""Who may do what to this process, now. The role says what at all; the unit says to which; the status says when."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.permissions import EVERY_UNIT, Permission
from accounts.verdict import Refused, Verdict, verdict
from participation.choices import BEFORE_DECISION, PUBLIC, UNPUBLISHED, Status

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User
    from participation.models import Change, Process

    Anyone = User | AnonymousUser | None

AMENDABLE = frozenset({Status.OPEN, Status.CLOSED, Status.DECIDED})
CORRECTABLE = frozenset({Status.APPROVED, Status.OPEN, Status.CLOSED, Status.DECIDED, Status.CONCLUDED})
OVERRIDABLE = frozenset({Status.DRAFT, Status.IN_REVIEW, Status.DECIDED})


def _check_permission(user: "Anyone", permission: Permission) -> "User":
    from accounts.models import User

    if not isinstance(user, User) or not user.may(permission):
        raise Refused("no_permission", _("Your role doesn't allow this."))
    return user


def check_act_for(
    user: "Anyone",
    process: "Process",
    *,
    permission: Permission = Permission.SET_UP_PROCESS,
    at: datetime | None = None,
) -> None:
    """Acting on a process takes the permission and belonging to the unit that owns it."""
    person = _check_permission(user, permission)
    if process.unit_id not in person.unit_ids():
        raise Refused("other_unit", _("This process belongs to another unit."))


def can_act_for(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_act_for, user, process, at=at)


def check_view(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    """Anyone sees what is public; drafts are for the unit, councillors and administrators. Views make it a 404."""
    if process.status in PUBLIC:
        return
    try:
        person = _check_permission(user, Permission.READ_DRAFTS)
    except Refused:
        raise Refused("not_public", _("The process is not public yet.")) from None
    if person.role not in EVERY_UNIT and process.unit_id not in person.unit_ids():
        raise Refused("not_public", _("The process is not public yet."))


def can_view(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_view, user, process, at=at)


def check_edit(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    check_act_for(user, process)
    if process.status == Status.DRAFT:
        return
    if process.status == Status.IN_REVIEW:
        raise Refused("in_review", _("It is in review: ask for it to be sent back before you change it."))
    if process.status == Status.APPROVED:
        raise Refused("frozen", _("It is approved: before it opens a change means sending it back to draft."))
    if process.status in AMENDABLE:
        raise Refused(
            "frozen",
            _("People act under these rules: amend or extend with a reason, or correct the wording."),
        )
    raise Refused("frozen", _("The process is over and can't be changed."))


def can_edit(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_edit, user, process, at=at)


def check_submit(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    check_act_for(user, process)


def can_submit(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_submit, user, process, at=at)


def check_approve(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    """Four eyes: neither who wrote it nor who sent it to review."""
    check_act_for(user, process, permission=Permission.APPROVE_PROCESS)
    _check_other_eyes(user, process)


def can_approve(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_approve, user, process, at=at)


def check_send_back(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    """A manager sends it back from review; what is approved and not yet open its own people may take back."""
    if process.status == Status.APPROVED:
        check_act_for(user, process)
    else:
        check_act_for(user, process, permission=Permission.APPROVE_PROCESS)


def can_send_back(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_send_back, user, process, at=at)


def check_override(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    """A manager who did not write it; which checks may be passed over is asked of the check itself."""
    check_act_for(user, process, permission=Permission.OVERRIDE_CHECK)
    _check_other_eyes(user, process)
    if process.status not in OVERRIDABLE:
        raise Refused("wrong_status", _("A check is passed over before approval or before conclusion."))


def can_override(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_override, user, process, at=at)


def _check_other_eyes(user: "Anyone", process: "Process") -> None:
    from participation.models import Transition

    person = getattr(user, "pk", None)
    if process.author_id == person:
        raise Refused("four_eyes", _("You wrote it: another pair of eyes must approve."))
    if process.status in {Status.IN_REVIEW, Status.APPROVED}:
        last = Transition.objects.filter(process_id=process.pk, name="submit").order_by("-pk").first()
        if last is not None and last.by_id == person:
            raise Refused("four_eyes", _("You sent it to review: another pair of eyes must approve."))


def check_cancel(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    """Its own people may drop a draft; what the public knows only a manager cancels."""
    if process.status in UNPUBLISHED:
        check_act_for(user, process)
    else:
        check_act_for(user, process, permission=Permission.APPROVE_PROCESS)
    if process.status not in BEFORE_DECISION:
        raise Refused("wrong_status", _("What is decided can't be cancelled."))


def can_cancel(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_cancel, user, process, at=at)


def check_amend(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    """Changing the rules people act under takes the one who may approve them."""
    check_act_for(user, process, permission=Permission.APPROVE_PROCESS)
    if process.status not in AMENDABLE:
        raise Refused(
            "wrong_status", _("Only what has opened is amended; before that it is sent back to draft.")
        )


def can_amend(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_amend, user, process, at=at)


def check_extend(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    check_act_for(user, process)
    if process.status != Status.OPEN:
        raise Refused("wrong_status", _("Only what is open can be extended."))


def can_extend(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_extend, user, process, at=at)


def check_correct(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    check_act_for(user, process)
    if process.status not in CORRECTABLE:
        raise Refused("wrong_status", _("A draft is simply edited."))


def can_correct(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_correct, user, process, at=at)


def check_confirm_correction(user: "Anyone", change: "Change", *, at: datetime | None = None) -> None:
    check_act_for(user, change.process)
    if change.confirmed_at is not None:
        raise Refused("confirmed", _("The correction is already confirmed."))
    if change.by_id == getattr(user, "pk", None):
        raise Refused("four_eyes", _("You proposed it: a colleague must confirm."))


def can_confirm_correction(user: "Anyone", change: "Change", *, at: datetime | None = None) -> Verdict:
    return verdict(check_confirm_correction, user, change, at=at)


def check_hand_over(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    check_act_for(user, process)


def can_hand_over(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_hand_over, user, process, at=at)


def check_decide(user: "Anyone", process: "Process", *, at: datetime | None = None) -> None:
    check_act_for(user, process, permission=Permission.RECORD_DECISION)


def can_decide(user: "Anyone", process: "Process", *, at: datetime | None = None) -> Verdict:
    return verdict(check_decide, user, process, at=at)
