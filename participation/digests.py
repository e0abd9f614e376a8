"""The one e-mail a day: notices that share a delivery.

Its purpose is "digest:" and a day: the day it is meant for until it leaves, and the day it left on ever after. So the
constraint that nobody gets two letters of one purpose says that nobody gets two digests on one day.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from mailouts import post
from mailouts.choices import Channel, State
from mailouts.models import Delivery
from mailouts.post import Later
from participation.models import Notice, NoticePreference

KIND = "digest"
A_MOMENT = timedelta(minutes=1)


def next_digest(after: datetime, hour: int = NoticePreference.DIGEST_HOUR) -> datetime:
    """The next time the clock strikes `hour` in Denmark, strictly after this moment. An hour that summer time skips comes when
    the clock has jumped, and one that comes twice is the first of them."""
    zone = timezone.get_default_timezone()
    day = timezone.localtime(after, zone).date()
    while True:
        moment = datetime.combine(day, time(hour), tzinfo=zone)
        if moment.astimezone(UTC) > after.astimezone(UTC):
            return moment
        day += timedelta(days=1)


def for_next(hours: Mapping[int, int], at: datetime) -> dict[int, int]:
    """Account → the delivery that its next digest is, which can't leave before this transaction has ended. What waits already
    is joined, also when it is late; `hours` says when each likes it."""
    found: dict[int, int] = {}
    missing = {pk: next_digest(at, hour) for pk, hour in hours.items()}
    waiting = post.waiting_of_kind(KIND, map(post.key_of, missing))
    while True:
        found |= {pk: waiting[post.key_of(pk)] for pk in missing if post.key_of(pk) in waiting}
        missing = {pk: due for pk, due in missing.items() if pk not in found}
        if not missing:
            return found
        post.put(
            Delivery(
                purpose=_purpose(due),
                recipient_key=post.key_of(pk),
                user_id=pk,
                channel=Channel.EMAIL,
                due_at=due,
            )
            for pk, due in missing.items()
        )
        waiting = post.waiting_of_kind(KIND, map(post.key_of, missing))
        # That day's has been taken up already: the day after.
        missing = {pk: next_digest(due, hours[pk]) for pk, due in missing.items()}


def gather(user_id: int, *, hour: int, at: datetime) -> None:
    """What waits goes together from now on, at that hour."""
    notices = _take_off(post.hold_waiting(user_id))
    if notices:
        Notice.objects.filter(pk__in=notices).update(delivery=for_next({user_id: hour}, at)[user_id])


def scatter(user_id: int, *, at: datetime) -> None:
    """What waits for a digest goes now, each on its own."""
    notices = _take_off([row for row in post.hold_waiting(user_id) if row.purpose.startswith(f"{KIND}:")])
    events = dict(Notice.objects.filter(pk__in=notices).values_list("pk", "event"))
    post.put(single(event, post.key_of(user_id), at, user_id) for event in events.values())
    found = Delivery.objects.filter(
        campaign=None,
        recipient_key=post.key_of(user_id),
        purpose__in=[f"notice:{event}" for event in events.values()],
    )
    deliveries = dict(found.values_list("purpose", "pk"))
    rows = [Notice(pk=pk, delivery_id=deliveries[f"notice:{event}"]) for pk, event in events.items()]
    Notice.objects.bulk_update(rows, ["delivery"])
    if rows:
        post.hint()


def single(event: str, key: str, at: datetime, user_id: int | None = None) -> Delivery:
    return Delivery(
        purpose=f"notice:{event}", recipient_key=key, user_id=user_id, channel=Channel.EMAIL, due_at=at
    )


def take_the_day(delivery: Delivery, *, hour: int, at: datetime) -> None:
    """The digest is about to leave: it becomes the one of today. One that is late takes along what waits for today's. Raises
    `Later` when today has had its own."""
    purpose = _purpose(at)
    if delivery.purpose == purpose:
        return
    own = Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim, state=State.CLAIMED)
    try:
        with transaction.atomic():
            if own.select_for_update().first() is None:
                return  # no longer ours, so it won't leave from here
            todays = (
                Delivery.objects.select_for_update(skip_locked=True)
                .filter(campaign=None, recipient_key=delivery.recipient_key, purpose=purpose)
                .first()
            )
            if todays is not None:
                if todays.state == State.CLAIMED:
                    raise Later(at + A_MOMENT)
                if todays.state != State.QUEUED:
                    raise Later(next_digest(_end_of_day(at), hour))
                Notice.objects.filter(delivery=todays).update(delivery=delivery)
                todays.delete()
            own.update(purpose=purpose)
    except IntegrityError:  # somebody is adding to today's at this moment
        raise Later(at + A_MOMENT) from None
    delivery.purpose = purpose


def _take_off(rows: list[Delivery]) -> list[int]:
    """The notices of deliveries that are held, and the deliveries gone: they never left."""
    notices = list(Notice.objects.filter(delivery__in=rows).values_list("pk", flat=True))
    Notice.objects.filter(pk__in=notices).update(delivery=None)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return notices


def _purpose(at: datetime) -> str:
    return f"{KIND}:{timezone.localtime(at, timezone.get_default_timezone()):%Y-%m-%d}"


def _end_of_day(at: datetime) -> datetime:
    zone = timezone.get_default_timezone()
    tomorrow = timezone.localtime(at, zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), tzinfo=zone) - timedelta(microseconds=1)
