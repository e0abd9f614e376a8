"""Telling people: one row per person and event, and the row is the queue.

`tell` writes the rows in the caller's transaction, so that nobody is told of what was rolled back, and what was
committed is told even if the broker loses the hint. The sending is `participation.tasks.notices`.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone, translation

from accounts.models import User
from participation import clock
from participation.choices import Moderation
from participation.models import AskAgain, Contribution, Follow, Notice, NoticePreference, Process
from participation.team import among_authors

DIGEST_AT = time(16)  # Danish time
MOST_ATTEMPTS = 5
_UNSUBSCRIBE = "participation.notices.unsubscribe"
_BATCH = 2000

Kind, State = Notice.Kind, Notice.State
Rhythm = NoticePreference.Rhythm


def tell(
    *,
    users: Iterable[User],
    event: str,
    kind: str,
    title: Any,
    text: Any,
    url: str,
    process: Process | None = None,
    by: User | None = None,
    at_most_daily: bool = False,
) -> int:
    """Tell each of the users once about `event` ("contribution:88:answered"); who did it (`by`) hears nothing.

    `at_most_daily` puts it in the day's one e-mail also for those who like one each time. `title` and `text` may be lazy translations: each person reads their own language. Returns how many rows are new.
    """
    people = {user.pk: user for user in users if user.is_active and (by is None or user.pk != by.pk)}
    now = clock.now()
    created = 0
    for batch in _batches(list(people), _BATCH):
        rhythms = dict(NoticePreference.objects.filter(user__in=batch).values_list("user", "rhythm"))
        reachable = set(verified_addresses(batch))
        words: dict[str, tuple[str, str]] = {}
        rows = []
        for pk in batch:
            language = people[pk].language
            if language not in words:
                with translation.override(language):
                    words[language] = str(title)[:200], str(text)
            rhythm = rhythms.get(pk, Rhythm.EACH)
            quiet = rhythm == Rhythm.NONE or pk not in reachable
            daily = (rhythm == Rhythm.DAILY or at_most_daily) and not quiet
            rows.append(
                Notice(
                    user_id=pk,
                    process=process,
                    event=event,
                    kind=kind,
                    title=words[language][0],
                    text=words[language][1],
                    url=url,
                    created_at=now,
                    due_at=next_digest(now) if daily else now,
                    digest=daily,
                    state=State.SHOWN if quiet else State.WAITING,
                )
            )
        before = Notice.objects.filter(event=event, user__in=batch).count()
        Notice.objects.bulk_create(rows, ignore_conflicts=True)
        created += Notice.objects.filter(event=event, user__in=batch).count() - before
    if created:
        hint()
    return created


def tell_about(
    *,
    process: Process,
    event: str,
    kind: str,
    title: Any,
    text: Any,
    url: str = "",
    by: User | None = None,
) -> int:
    """Tell everyone who follows the process or has contributed to it."""
    return tell(
        users=audience(process),
        event=event,
        kind=kind,
        title=title,
        text=text,
        url=url or process.get_absolute_url(),
        process=process,
        by=by,
    )


def tell_address(
    *, email: str, event: str, kind: str, title: str, text: str, url: str, process: Process
) -> None:
    """One e-mail to someone without an account who asked for exactly this answer; no list, nothing to unsubscribe."""
    now = clock.now()
    Notice.objects.bulk_create(
        [
            Notice(
                address=email,
                process=process,
                event=event,
                kind=kind,
                title=str(title)[:200],
                text=str(text),
                url=url,
                created_at=now,
                due_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    hint()


def audience(process: Process) -> QuerySet[User]:
    """Followers, and those who have given something that still stands."""
    return User.objects.filter(
        Q(pk__in=process.follows.values("user"))
        | among_authors(process.contributions.exclude(moderation=Moderation.WITHDRAWN)),
        is_active=True,
    )


def supporters(contribution: Contribution) -> QuerySet[User]:
    """Those who support it, and so follow what becomes of it."""
    return User.objects.filter(supports__contribution=contribution, is_active=True)


def opening_audience(process: Process) -> QuerySet[User]:
    """Who hears that it opens: besides its followers those who asked to be asked again about such a process, and those
    who follow or took part in another step of the same matter."""
    asked = AskAgain.objects.filter(topic=process.format)
    wanted = Q(pk__in=audience(process).values("pk")) | Q(pk__in=asked.values("user"))
    if process.programme_id is not None:
        steps = Process.objects.filter(programme=process.programme_id)
        given = Contribution.objects.filter(process__in=steps).exclude(moderation=Moderation.WITHDRAWN)
        wanted |= Q(pk__in=Follow.objects.filter(process__in=steps).values("user"))
        wanted |= among_authors(given)
    return User.objects.filter(wanted, is_active=True)


def verified_addresses(user_ids: Iterable[int]) -> dict[int, str]:
    """The address each may be written to: verified, the primary one first."""
    rows = EmailAddress.objects.filter(user__in=list(user_ids), verified=True).order_by("primary")
    return {row.user_id: row.email for row in rows}


def next_digest(after: datetime) -> datetime:
    """The next 16.00 in Denmark strictly after this moment."""
    local = timezone.localtime(after)
    day = local.date()
    while True:
        moment = datetime.combine(day, DIGEST_AT, tzinfo=timezone.get_default_timezone())
        if moment > local:
            return moment
        day += timedelta(days=1)


def unread(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user, read_at=None)


def mark_read(user: User) -> int:
    return unread(user).update(read_at=clock.now())


def hint() -> None:
    """Speeds things up, once per transaction; the sweep every minute is what makes sure."""
    if not any(
        func is _send_soon for _savepoints, func, _robust in transaction.get_connection().run_on_commit
    ):
        transaction.on_commit(_send_soon, robust=True)


def _send_soon() -> None:
    from participation.tasks.notices import send_due_notices

    send_due_notices.apply_async(retry=False)


def unsubscribe_token(user: User) -> str:
    return signing.dumps(user.pk, salt=_UNSUBSCRIBE)


def user_of_token(token: str) -> User | None:
    """Whose e-mails the signed link stops; None when it is not one of ours."""
    try:
        pk = signing.loads(token, salt=_UNSUBSCRIBE)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=pk, is_active=True).first()


def _batches(keys: list[int], size: int) -> Iterable[list[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def count_by_state(process: Process) -> dict[str, int]:
    """How many notices of this process stand where: staff sees the uncertain and the failed."""
    rows = Notice.objects.filter(process=process).order_by().values_list("state").annotate(count=Count("pk"))
    return dict(rows)
