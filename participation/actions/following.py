"""Following a process, being asked again, and how often to be written to."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from mailouts import post
from participation import clock, digests, notices
from participation.models import AskAgain, Follow, Notice, NoticePreference, Process
from participation.permissions.contributions import check_follow
from participation.texts import clean


@transaction.atomic
def follow(*, process: Process, by: User) -> Follow:
    """Twice is once."""
    check_follow(by, process)
    row, created = Follow.objects.get_or_create(user=by, process=process, defaults={"since": clock.now()})
    if created:
        record(action="following.follow", by=by, obj=row)
    return row


@transaction.atomic
def unfollow(*, process: Process, by: User) -> None:
    for row in Follow.objects.select_for_update().filter(user=by, process=process):
        record(action="following.unfollow", by=by, obj=row)
        row.delete()


@transaction.atomic
def ask_again(*, by: User, topic: str) -> AskAgain:
    topic = clean(topic, "topic", longest=120)
    row, created = AskAgain.objects.get_or_create(user=by, topic=topic, defaults={"since": clock.now()})
    if created:
        record(action="following.ask_again", by=by, obj=row)
    return row


@transaction.atomic
def stop_asking(*, by: User, topic: str) -> None:
    for row in AskAgain.objects.filter(user=by, topic=topic):
        record(action="following.stop_asking", by=by, obj=row)
        row.delete()


@transaction.atomic
def set_rhythm(*, by: User, rhythm: str, digest_hour: int | None = None) -> NoticePreference:
    """Applies to what still waits as well: nobody gets another e-mail after saying no. Without `digest_hour` it stays."""
    if rhythm not in NoticePreference.Rhythm.values:
        raise Refused("unknown_rhythm", _("Choose one of the three."), "rhythm")
    if digest_hour is not None and digest_hour not in range(24):
        raise Refused("unknown_hour", _("Choose one of the hours of the day."), "digest_hour")
    chosen: dict[str, Any] = {"rhythm": rhythm} | (
        {"digest_hour": digest_hour} if digest_hour is not None else {}
    )
    row, _created = NoticePreference.objects.update_or_create(user=by, defaults=chosen)
    if rhythm == NoticePreference.Rhythm.NONE:
        post.withdraw(by.pk, code="unsubscribed")
    elif rhythm == NoticePreference.Rhythm.DAILY:
        digests.gather(by.pk, hour=row.digest_hour, at=clock.now())
    else:
        digests.scatter(by.pk, at=clock.now())
    record(action="following.set_rhythm", by=by, obj=row, changed=sorted(chosen), values=chosen)
    return row


@transaction.atomic
def doubt_address(*, by: User) -> EmailAddress | None:
    """Our e-mails come back from the address they once confirmed: it counts as unconfirmed, so that it can be confirmed
    again. None when there is no such address."""
    email = notices.came_back(by)
    row = EmailAddress.objects.select_for_update().filter(user=by, email=email, verified=True).first()
    if not email or row is None:
        return None
    row.verified = False
    row.save(update_fields=["verified"])
    record(action="following.doubt_address", by=by, obj=by)
    return row


@transaction.atomic
def mark_notices_read(*, by: User) -> int:
    """Written without an audit row: reading is nobody's business."""
    return Notice.objects.filter(user=by, read_at=None).update(read_at=clock.now())
