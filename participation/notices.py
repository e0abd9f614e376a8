"""Telling people: one row per person and event, and the delivery its e-mail goes with.

`tell` writes both in the caller's transaction, so that nobody is told of what was rolled back, and what was
committed is told even if the broker loses the hint. The queue and the sending are `mailouts.post`.
"""

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation

from accounts.models import User
from mailouts import post
from mailouts.listing import email_key
from mailouts.models import Delivery, DisabledAddress
from participation import clock
from participation.choices import Moderation
from participation.digests import for_next, next_digest, single
from participation.models import AskAgain, Contribution, Follow, Notice, NoticePreference, Process
from participation.team import among_authors

__all__ = ["next_digest"]

_UNSUBSCRIBE = "participation.notices.unsubscribe"
_BATCH = 2000

Kind = Notice.Kind
Rhythm = NoticePreference.Rhythm


@transaction.atomic
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
    created = 0
    for batch in _batches(sorted(people), _BATCH):
        known = set(Notice.objects.filter(event=event, user__in=batch).values_list("user", flat=True))
        new = [pk for pk in batch if pk not in known]
        deliveries = _deliveries(new, event, at_most_daily=at_most_daily)
        words: dict[str, tuple[str, str]] = {}
        rows = []
        for pk in new:
            language = people[pk].language
            if language not in words:
                with translation.override(language):
                    words[language] = str(title)[:200], str(text)
            rows.append(
                Notice(
                    user_id=pk,
                    process=process,
                    event=event,
                    kind=kind,
                    title=words[language][0],
                    text=words[language][1],
                    url=url,
                    created_at=clock.now(),
                    delivery_id=deliveries.get(pk),
                )
            )
        Notice.objects.bulk_create(rows, ignore_conflicts=True)
        created += Notice.objects.filter(event=event, user__in=batch).count() - len(known)
    if created:
        post.hint()
    return created


def _deliveries(users: list[int], event: str, *, at_most_daily: bool) -> dict[int, int]:
    """Account → the delivery its e-mail goes with; nothing for those who are only shown it."""
    now = clock.now()
    preferences = NoticePreference.objects.in_bulk(users)
    default = NoticePreference()
    each: list[int] = []
    daily: dict[int, int] = {}
    for pk in verified_addresses(users):
        preference = preferences.get(pk, default)
        if preference.rhythm == Rhythm.NONE:
            continue
        if preference.rhythm == Rhythm.DAILY or at_most_daily:
            daily[pk] = preference.digest_hour
        else:
            each.append(pk)
    post.put(single(event, post.key_of(pk), now, pk) for pk in each)
    found = Delivery.objects.filter(
        campaign=None, recipient_key__in=[post.key_of(pk) for pk in each], purpose=f"notice:{event}"
    )
    return dict(found.values_list("user", "pk")) | for_next(daily, now)


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


@transaction.atomic
def tell_address(
    *, email: str, event: str, kind: str, title: str, text: str, url: str, process: Process
) -> None:
    """One e-mail to someone without an account who asked for exactly this answer; no list, nothing to unsubscribe."""
    if Notice.objects.filter(address=email, event=event).exists():
        return
    now, key = clock.now(), email_key(email)
    post.put([single(event, key, now)])
    delivery = Delivery.objects.get(campaign=None, recipient_key=key, purpose=f"notice:{event}")
    notice = Notice(
        address=email,
        process=process,
        event=event,
        kind=kind,
        title=str(title)[:200],
        text=str(text),
        url=url,
        created_at=now,
        delivery=delivery,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    post.hint()


def forget_address(*, email: str, event: str) -> None:
    """What was to be told there is not told any more; the address goes, and with it what waited to leave."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(
            campaign=None, recipient_key=email_key(email), purpose=f"notice:{event}"
        )
        waiting.delete()
        Notice.objects.filter(event=event, address=email).delete()


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
    """The address each may be written to: verified, not sent back to us, the primary one first."""
    rows = list(EmailAddress.objects.filter(user__in=list(user_ids), verified=True).order_by("primary"))
    usable = in_use(row.email for row in rows)
    return {row.user_id: row.email for row in rows if row.email in usable}


def in_use(emails: Iterable[str]) -> set[str]:
    """Those that our e-mails have not come back from."""
    asked = set(emails)
    disabled = DisabledAddress.objects.filter(email__in=[email.casefold() for email in asked])
    gone = set(disabled.values_list("email", flat=True))
    return {email for email in asked if email.casefold() not in gone}


def came_back(user: User) -> str:
    """Their confirmed address that our e-mails come back from, when they have no other; else nothing."""
    emails = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary")
    confirmed = list(emails.values_list("email", flat=True))
    return confirmed[0] if confirmed and not in_use(confirmed) else ""


def unread(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user, read_at=None)


def mark_read(user: User) -> int:
    return unread(user).update(read_at=clock.now())


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
