"""Standing behind a contribution together: inviting, saying yes or no, leaving.

Everything that changes a team locks the contribution first, so that two who accept one link, or the last two who leave
at once, come one after the other.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import eligibility
from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from participation import clock, locks, notices, team
from participation.choices import NameShown
from participation.models import Argument, CoAuthor, Contribution, Notice, Support
from participation.permissions.contributions import check_own
from participation.permissions.team import check_accept, check_invite, check_leave
from participation.texts import clean

DAYS = 30  # an invitation lasts
MOST_A_DAY = 20  # by one person, over all contributions
State = CoAuthor.State


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def by_token(token: str, *, at: datetime | None = None) -> CoAuthor | None:
    """The invitation this secret leads to, while it waits."""
    return (
        CoAuthor.objects.invited()
        .select_related("contribution__process", "contribution__author", "contribution__theme", "invited_by")
        .filter(token_hash=token_hash(token), expires_at__gt=at or clock.now())
        .first()
    )


@transaction.atomic
def invite(*, contribution: Contribution, by: User, email: str = "") -> tuple[CoAuthor, str]:
    """Ask one more to stand behind it: by e-mail, or (without an address) by a link to pass on.

    Returns the invitation and its secret, which is kept only as a hash. Nothing here looks at who has an account, so
    nothing tells it.
    """
    contribution = _locked(contribution)
    check_invite(by, contribution)
    now = clock.now()
    if email:
        email = _address(email)
        CoAuthor.objects.invited().filter(
            contribution=contribution, email=email, expires_at__lte=now
        ).delete()
        if CoAuthor.objects.invited().filter(contribution=contribution, email=email).exists():
            raise Refused("invited_already", _("You have already invited this address."), "email")
    lately = CoAuthor.objects.filter(invited_by=by, invited_at__gt=now - timedelta(days=1)).count()
    if lately >= MOST_A_DAY:
        raise Refused("too_often", _("You have invited many today. Wait until tomorrow."))
    token = secrets.token_urlsafe(24)
    invitation = CoAuthor.objects.create(
        contribution=contribution,
        email=email,
        token_hash=token_hash(token),
        invited_by=by,
        invited_at=now,
        expires_at=now + timedelta(days=DAYS),
    )
    record(
        action="team.invite",
        by=by,
        obj=invitation,
        process_id=contribution.process_id,
        values={"by_email": bool(email)},
    )
    if email:
        _write_to(invitation, token, by)
    return invitation, token


@transaction.atomic
def take_back(*, invitation: CoAuthor, by: User) -> None:
    """The invitation is gone, with its address and its secret."""
    contribution = _locked(invitation.contribution)
    check_own(by, contribution)
    found = CoAuthor.objects.invited().filter(pk=invitation.pk, contribution=contribution).first()
    if found is not None:
        _forget_letter(found)
        record(action="team.take_back", by=by, obj=found, process_id=contribution.process_id)
        found.delete()


@transaction.atomic
def accept(
    *, token: str, by: User, name_shown: str = NameShown.FIRST, at: datetime | None = None
) -> Contribution:
    """Stand behind it from now on. Two who use one link: the first is in, the second is told."""
    at = at or clock.now()
    invitation, contribution = _held(token, at)
    check_accept(by, contribution, at=at)
    if name_shown not in NameShown.values:
        raise Refused("unknown_choice", _("Choose one of those shown."), "name_shown")
    _forget_letter(invitation)
    facts = eligibility.facts(by, at)
    invitation.state, invitation.user, invitation.answered_at = State.ACCEPTED, by, at
    invitation.organisation_id = by.organisation_id
    invitation.email = invitation.token_hash = ""
    invitation.expires_at = None
    invitation.name_shown = name_shown
    invitation.age_band = "" if by.organisation_id else facts.age_band
    invitation.sex = "" if by.organisation_id else facts.sex
    invitation.home_district_id = facts.district_id
    invitation.save()
    if by.person_id:
        Support.objects.filter(contribution=contribution, person=by.person_id).delete()  # it is their own now
    others = team.authors(contribution)
    record(action="team.accept", by=by, obj=invitation, process_id=contribution.process_id)
    _tell(contribution, others, invitation, gettext_lazy("One more stands behind your contribution"), by)
    team.forget(contribution)
    return contribution


@transaction.atomic
def decline(*, token: str, by: User | None = None, at: datetime | None = None) -> None:
    """No, thank you: the address is forgotten, and nobody is told who said it."""
    at = at or clock.now()
    invitation, _contribution = _held(token, at)
    _forget_letter(invitation)
    _end(invitation, State.DECLINED, at)
    record(
        action="team.decline",
        by=by if by is not None and by.is_authenticated else None,
        obj=invitation,
        process_id=invitation.contribution.process_id,
    )


@transaction.atomic
def leave(*, contribution: Contribution, by: User) -> Contribution:
    """No longer one of its authors. When the one who gave it leaves, the co-author who joined first takes over."""
    contribution = _locked(contribution)
    check_leave(by, contribution)
    if contribution.author_id == by.pk:
        successor = _hand_on(contribution)
        record(
            action="team.leave",
            by=by,
            obj=contribution,
            changed=["author"],
            values={"handed_on": successor is not None},
        )
    else:
        row = CoAuthor.objects.accepted().get(contribution=contribution, user=by)
        _end(row, State.LEFT, clock.now())
        record(action="team.leave", by=by, obj=contribution, changed=["team"])
    team.forget(contribution)
    notices.tell(
        users=team.authors(contribution),
        event=f"contribution:{contribution.pk}:left:{secrets.token_hex(4)}",
        kind=Notice.Kind.CHANGE,
        title=gettext_lazy("One has left your contribution"),
        text=contribution.title,
        url=contribution.get_absolute_url(),
        process=contribution.process,
        by=by,
    )
    return contribution


@transaction.atomic
def choose_name(*, contribution: Contribution, by: User, name_shown: str) -> None:
    """How a co-author's own name is shown; the author's is on the contribution."""
    if name_shown not in NameShown.values:
        raise Refused("unknown_choice", _("Choose one of those shown."), "name_shown")
    CoAuthor.objects.accepted().filter(contribution=contribution, user=by).update(name_shown=name_shown)
    team.forget(contribution)


@transaction.atomic
def forget_expired() -> int:
    """Invitations nobody answered, with the addresses in them."""
    gone = list(CoAuthor.objects.select_for_update().invited().filter(expires_at__lte=clock.now()))
    for invitation in gone:
        _forget_letter(invitation)
        invitation.delete()
    return len(gone)


def pass_on(user: User) -> None:
    """An account is erased: what they gave with others goes on as the others'.

    The first of all that is erased here, so it takes the locks, in the order of everybody else: the processes, then what
    the user gave or argued about.
    """
    theirs = Q(author=user) | Q(pk__in=Argument.objects.filter(author=user).values("contribution"))
    touched = theirs
    for model in (CoAuthor, Support):
        touched |= Q(pk__in=model._default_manager.filter(user=user).values("contribution"))
    processes = Contribution.objects.filter(touched).order_by("process_id")
    for process_id in processes.values_list("process_id", flat=True).distinct():
        locks.share(process_id)
    held = Contribution.objects.select_for_update(no_key=True, of=("self",)).filter(theirs).order_by("pk")
    for contribution in held.defer("search_vector"):
        if contribution.author_id == user.pk and _hand_on(contribution) is not None:
            record(action="team.leave", by=user, obj=contribution, changed=["author"])


def be_one(keep: User, gone: User) -> None:
    """Two accounts turn out to be one person's: nobody is an author twice of the same."""
    theirs = CoAuthor.objects.accepted().filter(user=gone)
    theirs.filter(contribution__author=keep).delete()
    theirs.filter(
        contribution__in=CoAuthor.objects.accepted().filter(user=keep).values("contribution")
    ).delete()
    CoAuthor.objects.accepted().filter(user=keep, contribution__author=gone).delete()


def _hand_on(contribution: Contribution) -> CoAuthor | None:
    """The co-author who joined first becomes the author, with the facts that were frozen when they joined."""
    first = contribution.team.accepted().with_names().first()
    if first is None or first.user is None:
        return None
    contribution.author, contribution.person_id = first.user, first.user.person_id
    contribution.organisation_id = first.organisation_id
    contribution.author_name = contribution.author_contact = ""
    contribution.name_shown = first.name_shown
    contribution.age_band, contribution.sex = first.age_band, first.sex
    contribution.home_district_id = first.home_district_id
    contribution.save(
        update_fields=[
            *("author", "person", "organisation", "author_name", "author_contact", "name_shown"),
            *("age_band", "sex", "home_district"),
        ]
    )
    first.delete()
    return first


def _end(row: CoAuthor, state: str, at: datetime) -> None:
    row.state, row.answered_at = state, at
    row.user = row.organisation = row.home_district = row.expires_at = None
    row.email = row.token_hash = row.age_band = row.sex = ""
    row.save()


def _locked(contribution: Contribution) -> Contribution:
    return (
        Contribution.objects.select_for_update(of=("self",))
        .select_related("process", "phase", "theme", "author", "organisation", "home_district")
        .get(pk=contribution.pk)
    )


def _waiting(token: str, at: datetime) -> CoAuthor:
    invitation = by_token(token, at=at)
    if invitation is None:
        raise Refused(
            "gone", _("The invitation no longer holds: it has been answered, taken back or expired.")
        )
    return invitation


class _Moved(Exception):
    """The contribution was gathered into another while we waited for it, and the invitation went along."""


def _held(token: str, at: datetime) -> tuple[CoAuthor, Contribution]:
    """The invitation with its contribution locked, and the process against everyone who supports: nobody supports what
    they have just become an author of. One that moved on is let go before the next is locked, so that nobody waits
    crosswise."""
    for _attempt in range(3):
        try:
            with transaction.atomic():
                asked = _waiting(token, at).contribution
                locks.hold(asked.process_id)
                contribution = _locked(asked)
                invitation = _waiting(token, at)
                if invitation.contribution_id != contribution.pk:
                    raise _Moved
                return invitation, contribution
        except _Moved:
            continue
    raise Refused("busy", _("It is being gathered with others just now. Try again in a moment."))


def _address(email: str) -> str:
    email = clean(email, "email", longest=254).lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("not_an_address", _("This is not an e-mail address."), "email") from error
    return email


def _event(invitation: CoAuthor) -> str:
    return f"co-author:{invitation.pk}:invited"


def _write_to(invitation: CoAuthor, token: str, by: User) -> None:
    contribution = invitation.contribution
    with translation.override(settings.LANGUAGE_CODE):
        notices.tell_address(
            email=invitation.email,
            event=_event(invitation),
            kind=Notice.Kind.CHANGE,
            title=_("%(name)s asks if you will stand behind “%(title)s” too")
            % {"name": by.get_short_name() or _("A citizen"), "title": contribution.title},
            text="\n\n".join(
                [
                    _(
                        "Follow the link to read it, see what it means to be a co-author, and say yes or no. You log in "
                        "with MitID to say yes."
                    ),
                    _("If you do nothing, nothing happens, and we forget your address after %(days)d days.")
                    % {"days": DAYS},
                ]
            ),
            url=reverse("participation:co-author-invitation", args=[token]),
            process=contribution.process,
        )


def _forget_letter(invitation: CoAuthor) -> None:
    """The notice held the address and the link."""
    if invitation.email:
        notices.forget_address(email=invitation.email, event=_event(invitation))


def _tell(contribution: Contribution, users: Any, row: CoAuthor, title: Any, by: User) -> None:
    notices.tell(
        users=users,
        event=f"co-author:{row.pk}:accepted",
        kind=Notice.Kind.CHANGE,
        title=title,
        text=format_lazy("{}", contribution.title),
        url=contribution.get_absolute_url(),
        process=contribution.process,
        by=by,
    )
