"""Who may give, change, take back, report, look through and answer contributions, now.

The process' unit answers for it: whoever works there with the right permission acts. `at` is when the request came in,
so that a page opened before the phase closed doesn't let anyone in afterwards.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts import eligibility
from accounts.models import User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from participation import clock, formats, phases, team
from participation.choices import PUBLIC, Moderation, Status
from participation.formats import Act
from participation.models import Contribution, Process


def check_contribute(user: User | None, process: Process, *, at: datetime | None = None) -> None:
    """Whether this user may give a contribution: the phase first, then who they are."""
    at = at or clock.now()
    check_open_for_contributions(process, at=at)
    if user is None or not user.is_authenticated:
        raise Refused("sign_in", _("Log in with MitID to send it. What you have written is kept."))
    if not user.may(Permission.TAKE_PART):
        raise Refused("staff", _("You are logged in as an employee. Contributions are given as a citizen."))
    chosen = formats.get(process.format)
    rule = chosen.contribution_rule(process) if chosen.contribution_rule else None
    if rule is not None:
        eligibility.check_eligible(rule, user, at=at, act=Act.CONTRIBUTE)
    if chosen.may_contribute is not None:
        chosen.may_contribute(process, user, at)


def can_contribute(user: User | None, process: Process, *, at: datetime | None = None) -> Verdict:
    return verdict(check_contribute, user, process, at=at)


def check_open_for_contributions(process: Process, *, at: datetime) -> None:
    if process.status not in PUBLIC:
        raise Refused("not_public", _("This process is not public yet."))
    phases.check_allows(process, Act.CONTRIBUTE, at=at)


def can_open_for_contributions(process: Process, *, at: datetime) -> Verdict:
    return verdict(check_open_for_contributions, process, at=at)


def check_own(user: User | None, contribution: Contribution) -> None:
    """One of its authors: whoever gave it, and their co-authors."""
    if not team.is_author(user, contribution):
        raise Refused("not_own", _("Only the one who gave it can change it."))


def _check_not_merged(contribution: Contribution) -> None:
    if contribution.moderation == Moderation.MERGED:
        raise Refused("merged", _("It has been gathered into another: change that one instead."))


def editable_until(contribution: Contribution, at: datetime | None = None) -> datetime:
    """For as many minutes as the process gives; and once more, where the format opens for it again."""
    at = at or clock.now()
    until = contribution.created_at + timedelta(minutes=contribution.process.edit_minutes)
    again = formats.get(contribution.process.format).editable_again
    if at < until or again is None:
        return until
    return again(contribution, at) or until


def check_edit(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> None:
    """Its authors, for as many minutes as the process gives, while the phase allows it and before it was answered."""
    at = at or clock.now()
    check_own(user, contribution)
    if contribution.moderation == Moderation.WITHDRAWN:
        raise Refused("withdrawn", _("You have withdrawn this contribution."))
    _check_not_merged(contribution)
    if contribution.final_outcome:
        raise Refused("answered", _("It has been answered and can no longer be changed."))
    if at >= editable_until(contribution, at):
        raise Refused("too_late", _("The time for correcting it is over."))
    phases.check_allows(contribution.process, Act.EDIT, at=at)


def can_edit(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> Verdict:
    return verdict(check_edit, user, contribution, at=at)


def check_withdraw(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> None:
    """Its authors, until the phase that took it has ended: later, others have built on it."""
    at = at or clock.now()
    check_own(user, contribution)
    if contribution.moderation == Moderation.WITHDRAWN:
        raise Refused("withdrawn", _("You have withdrawn this contribution."))
    _check_not_merged(contribution)
    if contribution.final_outcome:
        raise Refused("answered", _("It has been answered. Call us if it should be taken away."))
    if len(team.authors(contribution)) > 1 and contribution.gathered.exists():
        raise Refused(
            "gathered",
            _("Others are gathered here, so it is not one person's to take away. You can leave it to them."),
        )
    if contribution.gathered.filter(author=None, recorded_by__isnull=False).exists():
        raise Refused(
            "gathered",
            _("Others, who wrote to us, are gathered here. Call us if it should be taken away."),
        )
    if contribution.phase is not None and at >= contribution.phase.interval.upper:
        raise Refused("too_late", _("The phase is over. Call us if it should be taken away."))


def can_withdraw(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> Verdict:
    return verdict(check_withdraw, user, contribution, at=at)


def may_see(user: User | None, contribution: Contribution) -> bool:
    """Public, one's own, or of one's own unit; one that was gathered into another as that one. Whoever may not gets a 404."""
    if contribution.is_public:
        return True
    if contribution.merged_into is not None and contribution.merged_into.moderation == Moderation.PUBLISHED:
        return contribution.process.status in PUBLIC
    if user is None or not user.is_authenticated:
        return False
    return team.is_author(user, contribution) or bool(can_moderate(user, contribution.process))


def check_report(user: User | None, contribution: Contribution) -> None:
    if not contribution.is_public:
        raise Refused("not_public", _("This contribution is not shown to the public."))
    if team.is_author(user, contribution):
        raise Refused("own", _("This is your own contribution. You can withdraw it instead."))


def can_report(user: User | None, contribution: Contribution) -> Verdict:
    return verdict(check_report, user, contribution)


def check_follow(user: User | None, process: Process) -> None:
    if process.status not in PUBLIC:
        raise Refused("not_public", _("This process is not public yet."))
    if user is None or not user.is_authenticated:
        raise Refused("sign_in", _("Log in to follow it."))


def check_ask(process: Process) -> None:
    """Questions about the process itself, from it is public until it has ended."""
    if process.status not in PUBLIC:
        raise Refused("not_public", _("This process is not public yet."))
    if process.status in {Status.CONCLUDED, Status.CANCELLED, Status.INFORMED}:
        raise Refused("over", _("This process is over. Call us or write to us instead."))


def can_ask(process: Process) -> Verdict:
    return verdict(check_ask, process)


def _check_unit(user: User | None, process: Process, permission: Permission) -> None:
    if user is None or not user.is_authenticated or not user.may(permission):
        raise Refused("no_permission", _("Your role does not allow this."))
    if process.unit_id not in user.unit_ids():
        raise Refused("other_unit", _("This process belongs to another unit."))


def _check_not_concluded(process: Process) -> None:
    if process.status in {Status.CONCLUDED, Status.CANCELLED}:
        raise Refused("concluded", _("The process is over."))


def check_moderate(user: User | None, process: Process) -> None:
    _check_unit(user, process, Permission.MODERATE)


def can_moderate(user: User | None, process: Process) -> Verdict:
    return verdict(check_moderate, user, process)


def check_answer(user: User | None, process: Process) -> None:
    _check_unit(user, process, Permission.ANSWER)
    _check_not_concluded(process)


def can_answer(user: User | None, process: Process) -> Verdict:
    return verdict(check_answer, user, process)


def check_record_for_someone(user: User | None, process: Process) -> None:
    _check_unit(user, process, Permission.RECORD_FOR_OTHERS)


def can_record_for_someone(user: User | None, process: Process) -> Verdict:
    return verdict(check_record_for_someone, user, process)


def check_record_decision(user: User | None, process: Process, *, at: datetime | None = None) -> None:
    """Once it has closed; also while the worker has not yet written that it has."""
    _check_unit(user, process, Permission.RECORD_DECISION)
    _check_not_concluded(process)
    at = at or clock.now()
    over = process.status in {Status.CLOSED, Status.DECIDED} or (
        process.status in {Status.OPEN, Status.APPROVED}
        and process.closes_at is not None
        and process.closes_at <= at
    )
    if not over:
        raise Refused("still_open", _("A decision is recorded when the process has closed."))


def can_record_decision(user: User | None, process: Process, **kwargs: Any) -> Verdict:
    return verdict(check_record_decision, user, process, **kwargs)


def check_tell_what_changed(user: User | None, process: Process) -> None:
    """Impacts, "nothing changed" and where the result was told: from it opened, and also after it is concluded."""
    _check_unit(user, process, Permission.ANSWER)
    if process.status not in {Status.OPEN, Status.CLOSED, Status.DECIDED, Status.CONCLUDED}:
        raise Refused("too_early", _("There is nothing to tell before the process has opened."))


def can_tell_what_changed(user: User | None, process: Process) -> Verdict:
    return verdict(check_tell_what_changed, user, process)


def check_publish_news(user: User | None, process: Process) -> None:
    _check_unit(user, process, Permission.ANSWER)
    if process.status not in PUBLIC:
        raise Refused("not_public", _("This process is not public yet."))


def can_publish_news(user: User | None, process: Process) -> Verdict:
    return verdict(check_publish_news, user, process)
