"""Who may support, argue, reply and rate, now. The phase first, then who they are: support and rating are counted by
person, so they need MitID; businesses, associations and councils argue as what they are, and support nothing.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts import eligibility
from accounts.eligibility import Facts
from accounts.models import User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from participation import clock, formats, phases, team
from participation.choices import OVER, Moderation
from participation.formats import Act
from participation.models import Argument, Contribution, Process
from participation.permissions.contributions import can_moderate


def is_part_of(process: Process, act: Act) -> bool:
    """Whether the format ever lets people do this."""
    return any(act in kind.allows for kind in formats.get(process.format).phase_kinds)


def check_open(contribution: Contribution, act: Act, *, at: datetime | None = None) -> None:
    """Whether anybody may do this to the contribution at that moment."""
    if not contribution.is_public:
        raise Refused("not_public", _("This contribution is not shown to the public."))
    phases.check_allows(contribution.process, act, at=at or clock.now())


def can_open(contribution: Contribution, act: Act, *, at: datetime | None = None) -> Verdict:
    return verdict(check_open, contribution, act, at=at)


def check_citizen(user: User | None) -> None:
    if user is None or not user.is_authenticated:
        raise Refused("sign_in", _("Log in with MitID first."))
    if not user.may(Permission.TAKE_PART):
        raise Refused("staff", _("You are logged in as an employee. Only citizens take part here."))


def can_be_citizen(user: User | None) -> Verdict:
    return verdict(check_citizen, user)


def check_takes_part(
    user: User | None, process: Process, *, at: datetime | None = None, known: Facts | None = None
) -> None:
    """Signed in, as a citizen or an organisation, and within the rule of the process. `known` are the facts of the
    person, where they have been asked for already."""
    check_citizen(user)
    assert user is not None
    fmt = formats.get(process.format)
    rule = fmt.contribution_rule(process) if fmt.contribution_rule and not user.organisation_id else None
    if rule is not None:
        eligibility.check_eligible(rule, user, at=at, known=known)


def check_counted(user: User) -> None:
    """One person, once: who that is must be known."""
    if user.organisation_id is not None:
        raise Refused(
            "organisation",
            _("Only people are counted here. Your organisation can write an argument for or against."),
        )
    if user.person_id is None:
        raise Refused("no_person", _("Log in with MitID, so that each of us counts once."))


def can_be_counted(user: User) -> Verdict:
    return verdict(check_counted, user)


def check_support(
    user: User | None, contribution: Contribution, *, at: datetime | None = None, known: Facts | None = None
) -> None:
    check_open(contribution, Act.SUPPORT, at=at)
    check_takes_part(user, contribution.process, at=at, known=known)
    assert user is not None
    check_counted(user)
    if contribution.person_id == user.person_id or team.is_author(user, contribution):
        raise Refused("own", _("This is your own. It is the support of others that counts."))


def can_support(
    user: User | None, contribution: Contribution, *, at: datetime | None = None, known: Facts | None = None
) -> Verdict:
    return verdict(check_support, user, contribution, at=at, known=known)


def check_take_back(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> None:
    """What one has given one may take back while support is open, also when one could no longer give it."""
    check_open(contribution, Act.SUPPORT, at=at)
    check_citizen(user)
    assert user is not None
    check_counted(user)


def can_take_back(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> Verdict:
    return verdict(check_take_back, user, contribution, at=at)


def check_argue(
    user: User | None, contribution: Contribution, *, at: datetime | None = None, known: Facts | None = None
) -> None:
    check_open(contribution, Act.ARGUE, at=at)
    check_takes_part(user, contribution.process, at=at, known=known)


def can_argue(user: User | None, contribution: Contribution, *, at: datetime | None = None) -> Verdict:
    return verdict(check_argue, user, contribution, at=at)


def check_reply(
    user: User | None, parent: Argument, *, at: datetime | None = None, known: Facts | None = None
) -> None:
    if not parent.is_public:
        raise Refused("not_public", _("This argument is not shown to the public."))
    if parent.is_reply:
        raise Refused("reply", _("Reply to the argument itself instead."))
    check_argue(user, parent.contribution, at=at, known=known)


def can_reply(user: User | None, parent: Argument, *, at: datetime | None = None) -> Verdict:
    return verdict(check_reply, user, parent, at=at)


def check_rate(user: User | None, argument: Argument, *, at: datetime | None = None) -> None:
    """Arguments are rated, replies are not."""
    if not argument.is_public:
        raise Refused("not_public", _("This argument is not shown to the public."))
    if argument.is_reply:
        raise Refused("reply", _("Only arguments are rated, not replies."))
    check_argue(user, argument.contribution, at=at)
    assert user is not None
    check_counted(user)
    if argument.author_id == user.pk or argument.person_id == user.person_id:
        raise Refused("own", _("This is your own argument."))


def can_rate(user: User | None, argument: Argument, *, at: datetime | None = None) -> Verdict:
    return verdict(check_rate, user, argument, at=at)


def editable_until(argument: Argument) -> datetime:
    return argument.created_at + timedelta(minutes=argument.process.edit_minutes)


def check_own(user: User | None, argument: Argument) -> None:
    if user is None or not user.is_authenticated or argument.author_id != user.pk:
        raise Refused("not_own", _("Only the one who wrote it can change it."))
    if argument.moderation == Moderation.WITHDRAWN:
        raise Refused("withdrawn", _("You have withdrawn it."))


def check_edit(user: User | None, argument: Argument, *, at: datetime | None = None) -> None:
    """Its author, for as many minutes as the process gives and while people may argue."""
    at = at or clock.now()
    check_own(user, argument)
    if argument.moderation == Moderation.REJECTED:
        raise Refused("rejected", _("It was not published. Write a new one that keeps to the rules."))
    if at >= editable_until(argument):
        raise Refused("too_late", _("The time for correcting it is over."))
    phases.check_allows(argument.process, Act.ARGUE, at=at)


def can_edit(user: User | None, argument: Argument, *, at: datetime | None = None) -> Verdict:
    return verdict(check_edit, user, argument, at=at)


def check_withdraw(user: User | None, argument: Argument) -> None:
    """Its author, until the process has been decided."""
    check_own(user, argument)
    if argument.process.status in OVER:
        raise Refused("over", _("The process is over. Call us if it should be taken away."))


def can_withdraw(user: User | None, argument: Argument) -> Verdict:
    return verdict(check_withdraw, user, argument)


def may_see(user: User | None, argument: Argument) -> bool:
    """Public, one's own, or of one's own unit; only under a contribution that one may see."""
    if argument.is_public:
        return True
    if user is None or not user.is_authenticated:
        return False
    return argument.author_id == user.pk or bool(can_moderate(user, argument.process))


def check_report(user: User | None, argument: Argument) -> None:
    if not argument.is_public:
        raise Refused("not_public", _("This argument is not shown to the public."))
    if user is not None and user.is_authenticated and argument.author_id == user.pk:
        raise Refused("own", _("This is your own argument. You can withdraw it instead."))


def can_report(user: User | None, argument: Argument) -> Verdict:
    return verdict(check_report, user, argument)
