"""Four eyes: freeze, approve with the number typed, start, pause, stop."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit import clock
from audit.actions import record
from mailouts import permissions
from mailouts.actions.campaigns import locked
from mailouts.choices import Stage, State
from mailouts.freezing import hash_of_list
from mailouts.models import Campaign

LONGEST_REASON = 300


@transaction.atomic
def freeze(*, campaign: Campaign, by: User) -> Campaign:
    """From here on text and list are bound to their hashes; the database refuses a change of either."""
    campaign = locked(campaign)
    permissions.check_freeze(by, campaign)
    campaign.stage = Stage.FROZEN
    campaign.text_hash = campaign.hash_of_text()
    campaign.list_hash = hash_of_list(campaign)
    campaign.count = campaign.deliveries.count()
    campaign.frozen_by, campaign.frozen_at = by, clock.now()
    campaign.save(update_fields=["stage", "text_hash", "list_hash", "count", "frozen_by", "frozen_at"])
    record(
        action="mailouts.freeze",
        by=by,
        obj=campaign,
        values={"letters": campaign.count, "text": campaign.text_hash, "list": campaign.list_hash},
    )
    return campaign


@transaction.atomic
def thaw(*, campaign: Campaign, by: User) -> Campaign:
    """Back to a draft: the approval is gone, and what was frozen must be frozen and approved anew."""
    campaign = locked(campaign)
    permissions.check_thaw(by, campaign)
    campaign.stage = Stage.DRAFT
    campaign.text_hash = campaign.list_hash = ""
    campaign.count = 0
    campaign.frozen_by = campaign.frozen_at = campaign.approved_by = campaign.approved_at = None
    campaign.save(
        update_fields=[
            *("stage", "text_hash", "list_hash", "count"),
            *("frozen_by", "frozen_at", "approved_by", "approved_at"),
        ]
    )
    record(action="mailouts.thaw", by=by, obj=campaign)
    return campaign


@transaction.atomic
def approve(*, campaign: Campaign, by: User, typed: int) -> Campaign:
    """The second person has seen the letter and the list, and types how many letters there are."""
    campaign = locked(campaign)
    permissions.check_approve(by, campaign, typed=typed)
    campaign.stage = Stage.APPROVED
    campaign.approved_by, campaign.approved_at = by, clock.now()
    campaign.save(update_fields=["stage", "approved_by", "approved_at"])
    record(action="mailouts.approve", by=by, obj=campaign, values={"letters": campaign.count})
    if permissions.is_due(campaign):
        _hint()
    return campaign


@transaction.atomic
def start(*, campaign: Campaign) -> Campaign:
    """The clock's own: what was frozen is looked at once more, then letters may leave."""
    campaign = locked(campaign)
    permissions.check_start(campaign)
    now = clock.now()
    if not permissions.is_due(campaign):
        raise Refused("not_yet", _("It is not time yet."))
    campaign.stage, campaign.started_at = Stage.SENDING, now
    campaign.save(update_fields=["stage", "started_at"])
    record(action="mailouts.start", by=None, obj=campaign)
    _hint()
    return campaign


@transaction.atomic
def pause(*, campaign: Campaign, by: User) -> Campaign:
    """Nothing more leaves after this is committed, but for the one letter each worker has in its hand."""
    campaign = locked(campaign)
    permissions.check_pause(by, campaign)
    campaign.stage = Stage.PAUSED
    campaign.save(update_fields=["stage"])
    record(action="mailouts.pause", by=by, obj=campaign)
    return campaign


@transaction.atomic
def resume(*, campaign: Campaign, by: User) -> Campaign:
    campaign = locked(campaign)
    permissions.check_resume(by, campaign)
    campaign.stage = Stage.SENDING
    campaign.save(update_fields=["stage"])
    record(action="mailouts.resume", by=by, obj=campaign)
    _hint()
    return campaign


@transaction.atomic
def stop(*, campaign: Campaign, by: User, reason: str) -> Campaign:
    """For good. What has not left is cancelled, printed but not fetched too; what is in a worker's hand is answered for by it."""
    campaign = locked(campaign)
    permissions.check_stop(by, campaign)
    reason = reason.strip()
    if not reason:
        raise Refused("no_reason", _("Say why it is stopped."), "reason")
    campaign.stage, campaign.stop_reason, campaign.ended_at = (
        Stage.STOPPED,
        reason[:LONGEST_REASON],
        clock.now(),
    )
    campaign.save(update_fields=["stage", "stop_reason", "ended_at"])
    kept_back = campaign.deliveries.filter(state__in=[State.QUEUED, State.CLAIMED, State.PRINTED]).update(
        state=State.CANCELLED, claim=None
    )
    record(action="mailouts.stop", by=by, obj=campaign, values={"kept_back": kept_back})
    return campaign


def _hint() -> None:
    """Speeds things up; the sweep is what makes sure."""
    from mailouts.tasks import send_letters

    transaction.on_commit(lambda: send_letters.apply_async(retry=False), robust=True)
