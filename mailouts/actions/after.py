"""After a letter has left: receipts, another try, the end, and forgetting."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from accounts.models import RegisterExtract, Resident, User
from accounts.verdict import Refused
from audit import clock
from audit.actions import record
from mailouts import channels, permissions
from mailouts.actions.campaigns import locked
from mailouts.channels import Reach
from mailouts.choices import OVER, WAITING, Stage, State
from mailouts.models import Attempt, Campaign, Delivery, PrintBatch, Receipt
from mailouts.receipts import Told

# Where a letter may go into the queue again; what was stopped stays stopped.
GOES_ON = frozenset({Stage.SENDING, Stage.PAUSED, Stage.DONE})
# What the gateway calls it when somebody gets no Digital Post; then paper is the road, and nobody has to decide it.
NOT_REGISTERED = frozenset({"not_registered", "ikke_tilmeldt"})
AT_ONCE = 1_000
EXEMPT_WORDS = ("ikke tilmeldt", "fritaget", "not registered")


class AlreadyTaken(Refused):
    """This receipt has been taken in before."""

    def __init__(self) -> None:
        super().__init__("replayed", _("This receipt has been taken in before."))


@transaction.atomic
def note_receipt(*, told: Told) -> Receipt:
    """What the gateway tells of a message. Later words win over earlier ones only when they know more: delivered is the end,
    and one that comes late or in another order changes nothing."""
    now = clock.now()
    try:
        with transaction.atomic():
            receipt = Receipt.objects.create(
                digest=told.digest,
                message_uuid=told.message_uuid,
                status=told.status,
                code=told.code[:40],
                text=told.text[:300],
                came_at=now,
            )
    except IntegrityError as error:
        raise AlreadyTaken from error
    delivery = Delivery.objects.select_for_update().filter(message_uuid=told.message_uuid).first()
    if delivery is None:
        earlier = Attempt.objects.select_for_update().filter(message_uuid=told.message_uuid).first()
        if earlier is not None:
            _note_earlier(earlier, receipt)
        return receipt
    receipt.delivery = delivery
    receipt.save(update_fields=["delivery"])
    _note(delivery, receipt, now)
    return receipt


ON_ITS_WAY = frozenset({State.SENDING, State.UNCERTAIN, State.SENT})
# Taken for not sent although it once left: what the gateway says it has got is not sent again.
THOUGHT_LOST = frozenset({State.QUEUED, State.CLAIMED, State.FAILED, State.CANCELLED})


def _note(delivery: Delivery, receipt: Receipt, now: datetime) -> None:
    if delivery.state in THOUGHT_LOST:
        proven = receipt.status == Receipt.Status.DELIVERED or (
            receipt.status == Receipt.Status.RECEIVED and delivery.state != State.FAILED
        )
        if delivery.left_at is None or not proven:
            return
    elif delivery.state not in ON_ITS_WAY:
        return
    fields = ["state", "failure_code", "failure"]
    if receipt.status == Receipt.Status.FAILED:
        delivery.state = State.FAILED
        delivery.failure_code, delivery.failure = receipt.code or "failed", receipt.text
    else:
        if receipt.status == Receipt.Status.DELIVERED:
            delivery.state, delivery.delivered_at = State.DELIVERED, now
            fields.append("delivered_at")
        else:
            delivery.state = State.SENT
        delivery.failure_code = delivery.failure = ""
        delivery.claim = None
        fields.append("claim")
        if delivery.sent_at is None:
            delivery.sent_at = now
            fields.append("sent_at")
    delivery.save(update_fields=fields)
    if delivery.state == State.FAILED and delivery.campaign_id is not None and is_exempt(receipt):
        # Afterwards, in a transaction that takes the mailout before the letter, as all others do.
        transaction.on_commit(lambda: go_another_way(delivery=delivery, by=None), robust=True)


def _note_earlier(earlier: Attempt, receipt: Receipt) -> None:
    """A word of a message that was given up and sent anew. When it did arrive and the new one has not left, the new one
    doesn't; else it is kept where it can be seen that both arrived."""
    receipt.delivery_id = earlier.delivery_id
    receipt.save(update_fields=["delivery"])
    known = earlier.state
    if known == State.DELIVERED or (known == State.SENT and receipt.status == Receipt.Status.RECEIVED):
        return
    if receipt.status == Receipt.Status.FAILED:
        earlier.state, earlier.failure_code, earlier.failure = State.FAILED, receipt.code, receipt.text
    else:
        delivered = receipt.status == Receipt.Status.DELIVERED
        earlier.state = State.DELIVERED if delivered else State.SENT
        earlier.failure_code = earlier.failure = ""
    earlier.save(update_fields=["state", "failure_code", "failure"])
    if earlier.state == State.DELIVERED:
        Delivery.objects.filter(
            pk=earlier.delivery_id, state__in=[State.QUEUED, State.CLAIMED], left_at=None
        ).update(
            state=State.DELIVERED,
            left_at=earlier.left_at or receipt.came_at,
            delivered_at=receipt.came_at,
            claim=None,
        )


def is_exempt(receipt: Receipt) -> bool:
    words = receipt.text.casefold()
    return receipt.code.casefold() in NOT_REGISTERED or any(each in words for each in EXEMPT_WORDS)


@transaction.atomic
def go_another_way(*, delivery: Delivery, by: User | None) -> bool:
    """Failed for good on one channel: the next that the mailout allows and they can be reached by. Returns whether there was
    one."""
    if delivery.campaign is None:
        return False
    campaign = locked(delivery.campaign)
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("listed").get(pk=delivery.pk)
    if delivery.state != State.FAILED or campaign.stage not in GOES_ON:
        return False
    if by is not None:
        permissions.check_again(by, campaign)
    tried = {delivery.channel, *delivery.earlier_attempts.values_list("channel", flat=True)}
    channel = channels.next_way(campaign.policy, tried, _reach(delivery))
    if channel is None or campaign.content_deleted_at is not None:
        return False
    _anew(delivery, by=by, channel=channel)
    _under_way_again(campaign)
    return True


def _reach(delivery: Delivery) -> Reach:
    if delivery.person_id is not None:
        extract = RegisterExtract.objects.counting_on(clock.today()).first()
        home = Resident.objects.filter(extract=extract, person=delivery.person_id).first()
        return Reach(digital=home is not None and home.digital_post, address=home is not None)
    if delivery.listed is not None:
        return Reach(address=bool(delivery.listed.address), email=bool(delivery.listed.email))
    return Reach(email=delivery.user_id is not None)


def _anew(delivery: Delivery, *, by: User | None, channel: str) -> None:
    """A new message with a UUID of its own; what came of the one before is kept."""
    now = clock.now()
    Attempt.objects.create(
        message_uuid=delivery.message_uuid,
        delivery=delivery,
        channel=delivery.channel,
        state=delivery.state,
        failure_code=delivery.failure_code,
        failure=delivery.failure,
        left_at=delivery.left_at,
        ended_at=now,
        by=by,
    )
    delivery.message_uuid, delivery.channel, delivery.state = uuid4(), channel, State.QUEUED
    delivery.due_at, delivery.attempts = now, 0
    delivery.claim = delivery.claimed_at = delivery.left_at = delivery.sent_at = None
    delivery.failure_code = delivery.failure = ""
    delivery.save(
        update_fields=[
            *("message_uuid", "channel", "state", "due_at", "attempts", "claim", "claimed_at"),
            *("left_at", "sent_at", "failure_code", "failure"),
        ]
    )


def _under_way_again(campaign: Campaign) -> None:
    if campaign.stage == Stage.DONE:
        campaign.stage, campaign.ended_at = Stage.SENDING, None
        campaign.save(update_fields=["stage", "ended_at"])


@transaction.atomic
def send_again(
    *,
    campaign: Campaign,
    by: User,
    state: str,
    code: str = "",
    channel: str = "",
    other_way: bool = False,
    uncertain_checked: bool = False,
) -> int:
    """A person sends what failed again, or another way. What is uncertain goes again only when they say that they know it did
    not arrive. `code` and `channel` narrow it to one line of the failures. Returns how many."""
    campaign = locked(campaign)
    permissions.check_again(by, campaign)
    if state not in {State.FAILED, State.UNCERTAIN}:
        raise Refused("not_these", _("Only failed and uncertain letters can be sent again."))
    if state == State.UNCERTAIN and not uncertain_checked:
        raise Refused(
            "unsure",
            _(
                "These may have arrived. Say that you have made sure that they have not: else somebody gets two."
            ),
            "uncertain_checked",
        )
    found = campaign.deliveries.filter(state=state)
    if code:
        found = found.filter(failure_code=code)
    if channel:
        found = found.filter(channel=channel)
    count = _another_way(campaign, found, by) if other_way else _all_anew(found, by)
    if count:
        _under_way_again(campaign)
    record(
        action="mailouts.send_again",
        by=by,
        obj=campaign,
        values={"state": state, "code": code, "other_way": other_way, "letters": count},
    )
    return count


def _another_way(campaign: Campaign, found: QuerySet[Delivery], by: User) -> int:
    """At most `AT_ONCE`: each is asked how they can be reached. What is left stands on the page and is taken next."""
    count = 0
    waiting = found.select_for_update(of=("self",)).select_related("listed").order_by("pk")
    for delivery in waiting[:AT_ONCE]:
        tried = {delivery.channel, *delivery.earlier_attempts.values_list("channel", flat=True)}
        way = channels.next_way(campaign.policy, tried, _reach(delivery))
        if way is not None:
            _anew(delivery, by=by, channel=way)
            count += 1
    return count


def _all_anew(found: QuerySet[Delivery], by: User) -> int:
    """As `_anew` for however many, in two statements."""
    now = clock.now()
    ids = list(found.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO mailouts_attempt
                (message_uuid, delivery_id, channel, state, failure_code, failure, left_at, ended_at, by_id)
            SELECT message_uuid, id, channel, state, failure_code, failure, left_at, %s, %s
            FROM mailouts_delivery WHERE id = ANY (%s)
            """,
            [now, by.pk, ids],
        )
        cursor.execute(
            """
            UPDATE mailouts_delivery SET message_uuid = gen_random_uuid(), state = 'queued', due_at = %s, attempts = 0,
                claim = NULL, claimed_at = NULL, left_at = NULL, sent_at = NULL, failure_code = '', failure = ''
            WHERE id = ANY (%s)
            """,
            [now, ids],
        )
    return len(ids)


@transaction.atomic
def finish(*, campaign: Campaign) -> bool:
    """When nothing is on its way any more."""
    campaign = locked(campaign)
    if campaign.stage != Stage.SENDING:
        return False
    if campaign.deliveries.filter(state__in=[*WAITING, State.PRINTED]).exists():
        return False
    campaign.stage, campaign.ended_at = Stage.DONE, clock.now()
    campaign.save(update_fields=["stage", "ended_at"])
    record(action="mailouts.finish", by=None, obj=campaign)
    return True


@transaction.atomic
def delete_content(*, campaign: Campaign) -> bool:
    """The letter, the lists, the prints and who got it are deleted when their time has come; the numbers stay. Nobody can do it
    before."""
    campaign = locked(campaign)
    if campaign.content_deleted_at is not None or campaign.stage not in OVER:
        return False
    ended = campaign.ended_at or campaign.created_at
    if clock.now() < ended + timedelta(days=campaign.keep_days):
        return False
    campaign.totals = {
        "states": [
            [channel, state, count]
            for channel, state, count in campaign.deliveries.order_by("channel", "state")
            .values_list("channel", "state")
            .annotate(count=Count("pk"))
        ]
    }
    campaign.content_deleted_at = clock.now()
    for name in ("text", "english_subject", "english_text", "sms_text", "action_url", "meeting_place"):
        setattr(campaign, name, "")
    campaign.save(
        update_fields=[
            *("totals", "content_deleted_at", "text", "english_subject", "english_text"),
            *("sms_text", "action_url", "meeting_place"),
        ]
    )
    PrintBatch.objects.filter(campaign=campaign).delete()
    with connection.cursor() as cursor:
        for statement in (
            "DELETE FROM mailouts_receipt r USING mailouts_delivery d WHERE r.delivery_id = d.id AND d.campaign_id = %s",
            "DELETE FROM mailouts_attempt a USING mailouts_delivery d WHERE a.delivery_id = d.id AND d.campaign_id = %s",
            "DELETE FROM mailouts_delivery WHERE campaign_id = %s",
            "DELETE FROM mailouts_listedrecipient l USING mailouts_source s WHERE l.source_id = s.id AND s.campaign_id = %s",
            "DELETE FROM mailouts_source WHERE campaign_id = %s",  # names of lists, addresses, CVR numbers
        ):
            cursor.execute(statement, [campaign.pk])
    record(action="mailouts.delete_content", by=None, obj=campaign)
    return True
