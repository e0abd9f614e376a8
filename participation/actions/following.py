"""Following a process, being asked again, and how often to be written to."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from participation import clock
from participation.models import AskAgain, Follow, Notice, NoticePreference, Process
from participation.notices import next_digest
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
def set_rhythm(*, by: User, rhythm: str) -> NoticePreference:
    """Applies to what still waits as well: nobody gets another e-mail after saying no."""
    if rhythm not in NoticePreference.Rhythm.values:
        raise Refused("unknown_rhythm", _("Choose one of the three."), "rhythm")
    row, _created = NoticePreference.objects.update_or_create(user=by, defaults={"rhythm": rhythm})
    waiting = Notice.objects.filter(user=by, state=Notice.State.WAITING)
    if rhythm == NoticePreference.Rhythm.NONE:
        waiting.update(state=Notice.State.SHOWN)
    elif rhythm == NoticePreference.Rhythm.DAILY:
        waiting.filter(digest=False).update(digest=True, due_at=next_digest(clock.now()))
    else:
        waiting.filter(digest=True).update(digest=False, due_at=clock.now())
    record(action="following.set_rhythm", by=by, obj=row, changed=["rhythm"], values={"rhythm": rhythm})
    return row


@transaction.atomic
def mark_notices_read(*, by: User) -> int:
    """Written without an audit row: reading is nobody's business."""
    return Notice.objects.filter(user=by, read_at=None).update(read_at=clock.now())
