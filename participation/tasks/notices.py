"""Sending what `participation.notices.tell` has put in the queue.

A row is claimed (state `sending`, committed) before anything leaves the house. The answer decides what it becomes: the
server took it: `sent`; it was certainly not taken: `waiting` again, a little later; it was refused for good: `failed`;
nobody knows (the connection broke in mid-send, or the worker was killed): `uncertain`, shown to staff, never sent again
by itself. E-mail can't be exactly once; this is at most once.
"""

import smtplib
import time as monotonic
from collections.abc import Sequence
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from participation import clock
from participation.models import Notice, NoticePreference, Process
from participation.names import AFTER_THE_END
from participation.notices import MOST_ATTEMPTS, next_digest, unsubscribe_token, verified_addresses

State = Notice.State
# The task limit is 120 s: whoever has claimed a row for longer is dead.
CLAIM_LASTS = timedelta(minutes=5)
WORK_FOR = 80  # seconds per task; the next sweep takes the rest
PERIOD = timedelta(minutes=2)  # before the second attempt; doubled each time


class NotSent(Exception):
    """It was certainly not taken. `final` when trying again is no use."""

    def __init__(self, why: str, *, final: bool) -> None:
        super().__init__(why)
        self.final = final


@shared_task(name="participation.send_due_notices")
def send_due_notices() -> int:
    """Send what is due: each on its own, then the daily digests. Any number of workers may do it at once."""
    give_up_interrupted()
    sent = 0
    until = monotonic.monotonic() + WORK_FOR
    with Mail() as mail:
        while monotonic.monotonic() < until and (claimed := claim_one() or claim_digest()):
            sent += deliver(claimed, mail)
    return sent


def claim_one() -> list[Notice]:
    """The oldest due notice nobody else has, marked as being sent and committed."""
    with transaction.atomic():
        found = list(
            Notice.objects.select_for_update(skip_locked=True)
            .filter(state=State.WAITING, digest=False, due_at__lte=clock.now())
            .order_by("due_at", "pk")[:1]
        )
        _claim(found)
    return found


def claim_digest() -> list[Notice]:
    """Everything due for one person who has asked for one e-mail a day, with the preference row as the lock.

    After downtime the digest goes out right away; whoever has had one today waits until tomorrow's.
    """
    now = clock.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    due = Notice.objects.filter(state=State.WAITING, digest=True, due_at__lte=now)
    had_one = Notice.objects.filter(
        digest=True, claimed_at__gte=midnight, state__in=[State.SENDING, State.SENT, State.UNCERTAIN]
    )
    due.filter(user__in=had_one.values("user")).update(due_at=next_digest(midnight + timedelta(hours=23)))
    with transaction.atomic():
        preference = (
            NoticePreference.objects.select_for_update(skip_locked=True)
            .filter(user__in=due.values("user"))
            .order_by("user")
            .first()
        )
        if preference is None or had_one.filter(user=preference.user_id).exists():
            return []
        found = list(due.filter(user=preference.user_id).select_for_update().order_by("created_at", "pk"))
        _claim(found)
    return found


def deliver(claimed: Sequence[Notice], mail: "Mail") -> int:
    """One e-mail with one notice or a day's; afterwards each row says what came of it. Returns 1 when it was sent."""
    first = claimed[0]
    user = User.objects.filter(pk=first.user_id, is_active=True).first() if first.user_id else None
    address = verified_addresses([user.pk]).get(user.pk, "") if user else first.address
    if not address:
        _end(claimed, State.SHOWN)
        return 0
    try:
        mail.send(message(claimed, user, address))
    except NotSent as not_sent:
        _try_again(claimed, str(not_sent), final=not_sent.final)
        return 0
    except Exception as error:
        _end(claimed, State.UNCERTAIN, failure=type(error).__name__)
        return 0
    _end(claimed, State.SENT, sent=True)
    return 1


def give_up_interrupted() -> int:
    """Claimed long ago and never answered for: the worker was killed in mid-send. Staff sees it and decides."""
    return Notice.objects.filter(state=State.SENDING, claimed_at__lt=clock.now() - CLAIM_LASTS).update(
        state=State.UNCERTAIN, failure="interrupted"
    )


def message(claimed: Sequence[Notice], user: User | None, address: str) -> EmailMultiAlternatives:
    """Text and HTML in the reader's language, with the one-click unsubscribe of RFC 8058 where there is a list."""
    with translation.override(user.language if user else settings.LANGUAGE_CODE):
        context = {
            "notices": [
                {"title": each.title, "text": each.text, "url": f"{settings.SITE_URL}{each.url}"}
                for each in claimed
            ],
            "reader": user,
            "municipality": settings.MUNICIPALITY,
            "site_url": settings.SITE_URL,
        }
        headers = {"Auto-Submitted": "auto-generated"}
        if user is not None:
            stop = settings.SITE_URL + reverse(
                "participation:notices-unsubscribe", args=[unsubscribe_token(user)]
            )
            headers |= {
                "List-Unsubscribe": f"<{stop}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
            context["unsubscribe_url"] = stop
        if len(claimed) == 1:
            subject = claimed[0].title
        else:
            subject = _("%(count)d things have happened since yesterday") % {"count": len(claimed)}
        mail = EmailMultiAlternatives(
            subject=" ".join(subject.split()),
            body=render_to_string("participation/email/notice.txt", context),
            from_email=f"{settings.MUNICIPALITY['name']} <{settings.DEFAULT_FROM_EMAIL}>",
            to=[address],
            headers=headers,
        )
        mail.attach_alternative(render_to_string("participation/email/notice.html", context), "text/html")
    return mail


class Mail:
    """One connection to the mail server for a whole run, opened when the first e-mail goes."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def __enter__(self) -> "Mail":
        return self

    def __exit__(self, *raised: object) -> None:
        self._hang_up()

    def send(self, mail: EmailMultiAlternatives) -> None:
        """Raises NotSent when it certainly was not taken; anything else raised means that nobody knows."""
        if self._connection is None:
            fresh = get_connection()
            try:
                fresh.open()
            except (OSError, smtplib.SMTPException) as error:
                raise NotSent(type(error).__name__, final=False) from error
            self._connection = fresh
        try:
            taken = self._connection.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _words in refused.recipients.values()]
            raise NotSent("recipient refused", final=all(code >= 500 for code in codes)) from refused
        except smtplib.SMTPResponseException as refused:
            self._hang_up()
            raise NotSent(f"SMTP {refused.smtp_code}", final=500 <= refused.smtp_code < 600) from refused
        except Exception:
            self._hang_up()
            raise
        if not taken:
            raise NotSent("not taken", final=False)

    def _hang_up(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except (OSError, smtplib.SMTPException):
                pass  # what was answered was answered before
            self._connection = None


@shared_task(name="participation.delete_expired_drafts")
def delete_expired_drafts() -> int:
    from participation.actions.contributions import delete_expired_drafts as delete

    return delete()


@shared_task(name="participation.forget_expired_invitations")
def forget_expired_invitations() -> int:
    """To be a co-author: the address in an invitation nobody answered is not kept."""
    from participation.actions.team import forget_expired

    return forget_expired()


@shared_task(name="participation.remove_names")
def remove_names() -> int:
    """Looks back: every process whose day has come and that still holds a name."""
    from participation.actions import contributions

    ended = clock.now() - AFTER_THE_END + timedelta(days=1)
    due = Process.objects.filter(
        Q(names_until__lte=clock.today()) | Q(names_until=None, concluded_at__lte=ended)
    )
    return sum(contributions.remove_names(process=process) for process in due.iterator())


def _claim(found: Sequence[Notice]) -> None:
    now = clock.now()
    for each in found:
        each.state, each.claimed_at, each.attempts = State.SENDING, now, each.attempts + 1
    Notice.objects.bulk_update(found, ["state", "claimed_at", "attempts"])


def _end(claimed: Sequence[Notice], state: str, *, failure: str = "", sent: bool = False) -> None:
    """Only what is still ours: a row given up as interrupted stays uncertain."""
    Notice.objects.filter(pk__in=[each.pk for each in claimed], state=State.SENDING).update(
        state=state, failure=failure[:200], sent_at=clock.now() if sent else None
    )


def _try_again(claimed: Sequence[Notice], why: str, *, final: bool) -> None:
    attempts = max(each.attempts for each in claimed)
    if final or attempts >= MOST_ATTEMPTS:
        _end(claimed, State.FAILED, failure=why)
        return
    Notice.objects.filter(pk__in=[each.pk for each in claimed], state=State.SENDING).update(
        state=State.WAITING,
        failure=why[:200],
        due_at=clock.now() + PERIOD * 2 ** (attempts - 1),
        claimed_at=None,
    )
