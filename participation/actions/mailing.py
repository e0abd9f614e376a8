"""Letters about a process: begun from its page, and to a group that is missing."""

import math
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from mailouts.actions import add_source, create_campaign
from mailouts.choices import ActionKind
from mailouts.models import Campaign
from participation import breadth
from participation.breadth import Group
from participation.choices import Status
from participation.models import Process, ProcessCampaign
from participation.permissions.process import check_act_for

# Of those who get a letter about one in ten takes part (Odense's picture swipe: 33 %; letters on paper far fewer).
ANSWER_RATE = 0.1
FEWEST_DRAWN, MOST_DRAWN = 50, 5_000


def check_invite(user: User, process: Process, group: Group | None) -> None:
    check_act_for(user, process)
    if process.status != Status.OPEN:
        raise Refused("not_open", _("People can be invited while the process is open."))
    if group is None or not group.missing:
        raise Refused("not_missing", _("This group isn't missing any more."))


def proposed_amount(group: Group) -> int:
    """So many letters that the group may come to its share, in tens."""
    lacking = max(group.expected - group.participants, 1)
    wanted = math.ceil(lacking / ANSWER_RATE / 10) * 10
    return max(FEWEST_DRAWN, min(wanted, MOST_DRAWN))


@transaction.atomic
def begin_mailout(*, process: Process, by: User, title: str = "") -> Campaign:
    """A mailout about this process; the letter begins with what everybody should know."""
    check_act_for(by, process)
    campaign = create_campaign(
        by=by,
        unit=process.unit,
        title=(title or process.title)[:120],
        subject=process.heading[:200],
        action_kind=ActionKind.LINK,
        action_label=_("See more and take part"),
        action_url=settings.SITE_URL + process.get_absolute_url(),
    )
    ProcessCampaign.objects.create(campaign=campaign, process=process)
    return campaign


@transaction.atomic
def invite_missing(*, process: Process, by: User, key: str, amount: int) -> Campaign:
    """Draws so many of a group from the register by lot and begins the letter to them. It is frozen and approved by two
    people like any other. Who has been drawn for this process before is not drawn again."""
    group = breadth.measured(process).group(key)
    check_invite(by, process, group)
    assert group is not None
    if not 1 <= amount <= MOST_DRAWN:
        raise Refused("amount", _("Draw between 1 and %(most)s people.") % {"most": MOST_DRAWN}, "amount")
    before = list(
        ProcessCampaign.objects.filter(process=process).exclude(group="").values_list("campaign", flat=True)
    )
    campaign = create_campaign(
        by=by,
        unit=process.unit,
        title=_("Who is missing: %(group)s") % {"group": group.label[:90]},
        subject=_("You are invited: %(question)s") % {"question": process.heading[:170]},
        text=invitation(process),
        action_kind=ActionKind.LINK,
        action_label=_("Take part"),
        action_url=settings.SITE_URL + process.get_absolute_url(),
        expected=amount,
    )
    params: dict[str, Any] = dict(group.params) | {
        "amount": amount,
        "seed": secrets.token_hex(16),
        "without": before,
    }
    add_source(campaign=campaign, by=by, kind="lot", params=params)
    ProcessCampaign.objects.create(
        campaign=campaign,
        process=process,
        group=key,
        before={
            "label": group.label,
            "participants": group.participants,
            "share": group.share,
            "reference": group.reference,
        },
    )
    record(
        action="mailouts.invite_group",
        by=by,
        obj=campaign,
        values={"group": key, "amount": amount},
        process_id=process.pk,
    )
    return campaign


def invitation(process: Process) -> str:
    """The letter as it is filled in beforehand; the caseworker changes it as they like."""
    parts = [
        _("Dear {fornavn}"),
        _("We would like to hear from you. You have been drawn by lot among those we hear too little from."),
        f"## {process.heading}",
        process.introduction.strip(),
        _("You can read more and take part here: {link}"),
        _("You decide whether you want to. If you would rather not use the web, call %(phone)s.")
        % {"phone": settings.MUNICIPALITY["phone"]},
    ]
    return "\n\n".join(part for part in parts if part)
