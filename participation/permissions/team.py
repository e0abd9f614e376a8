"""Who may ask others to stand behind a contribution with them, say yes, and leave.

`at` is when the request came in. Who an author is: `participation.team`.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts import eligibility
from accounts.models import User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from participation import clock, formats, team
from participation.choices import OVER, Moderation
from participation.formats import Act
from participation.models import CoAuthor, Contribution
from participation.permissions.contributions import check_own


def check_can_grow(contribution: Contribution) -> None:
    """While it stands and nothing has been decided about it."""
    if contribution.moderation not in {Moderation.PUBLISHED, Moderation.PENDING}:
        raise Refused("not_standing", _("It no longer stands, so nobody can join it."))
    if contribution.final_outcome:
        raise Refused("answered", _("It has been answered, so nobody can join it any more."))
    if contribution.process.status in OVER:
        raise Refused("over", _("The process is over."))


def check_invite(user: User | None, contribution: Contribution) -> None:
    check_own(user, contribution)
    check_can_grow(contribution)
    waiting = CoAuthor.objects.invited().filter(contribution=contribution, expires_at__gt=clock.now()).count()
    if 1 + len(team.members(contribution)) + waiting >= team.MOST:
        raise Refused(
            "full",
            _("%(most)d can stand behind it together, those you have invited counted.") % {"most": team.MOST},
        )


def can_invite(user: User | None, contribution: Contribution) -> Verdict:
    return verdict(check_invite, user, contribution)


def check_accept(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> None:
    """Whoever stands behind it must be one who could have given it."""
    at = at or clock.now()
    check_can_grow(contribution)
    if user is None or not user.is_authenticated:
        raise Refused("sign_in", _("Log in with MitID to say yes."))
    if not user.may(Permission.TAKE_PART):
        raise Refused("staff", _("You are logged in as an employee. Contributions are given as a citizen."))
    if team.is_author(user, contribution):
        raise Refused("already", _("You stand behind it already."))
    chosen = formats.get(contribution.process.format)
    rule = chosen.contribution_rule(contribution.process) if chosen.contribution_rule else None
    if rule is not None:
        eligibility.check_eligible(rule, user, at=at, act=Act.CONTRIBUTE)


def can_accept(user: User | None, contribution: Contribution, **kwargs: Any) -> Verdict:
    return verdict(check_accept, user, contribution, **kwargs)


def check_leave(user: User | None, contribution: Contribution) -> None:
    """Any of them at any time, but never the last one."""
    check_own(user, contribution)
    if contribution.moderation in {Moderation.WITHDRAWN, Moderation.MERGED}:
        raise Refused("not_standing", _("It no longer stands."))
    alone = len(team.authors(contribution)) < 2
    if alone and (contribution.author_id is not None or contribution.recorded_by_id is None):
        raise Refused("last", _("You are the only one behind it. You can withdraw it instead."))


def can_leave(user: User | None, contribution: Contribution) -> Verdict:
    return verdict(check_leave, user, contribution)
