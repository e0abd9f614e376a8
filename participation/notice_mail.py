"""The e-mail of a notice, or of a day's: written when it is about to leave (`mailouts.post`)."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from mailouts.models import Delivery
from mailouts.post import LeftOut
from participation import clock, digests, notices
from participation.models import Notice, NoticePreference


def compose(delivery: Delivery) -> EmailMultiAlternatives | None:
    """What hangs on it, to the address it may go to now. A daily digest takes the day first, and is read after that."""
    address = _address_of(delivery) if delivery.recipient_key.startswith("u:") else ""
    if delivery.purpose.startswith(f"{digests.KIND}:"):
        preference = NoticePreference.objects.filter(user=delivery.user).first() or NoticePreference()
        digests.take_the_day(delivery, hour=preference.digest_hour, at=clock.now())
    told = list(delivery.notices.order_by("created_at", "pk"))  # type: ignore[attr-defined]
    if not told:
        return None
    if delivery.user is None:
        address = told[0].address
        if not notices.in_use([address]):
            raise LeftOut("no_address")
    return message(told, delivery.user, address)


def _address_of(delivery: Delivery) -> str:
    user = delivery.user
    if user is None or not user.is_active:
        raise LeftOut("account_closed")
    if NoticePreference.objects.filter(user=user, rhythm=NoticePreference.Rhythm.NONE).exists():
        raise LeftOut("unsubscribed")
    address = notices.verified_addresses([user.pk]).get(user.pk, "")
    if not address:
        raise LeftOut("no_address")
    return address


def message(told: Sequence[Notice], user: User | None, address: str) -> EmailMultiAlternatives:
    """Text and HTML in the reader's language, with the one-click unsubscribe of RFC 8058 where there is a list."""
    stop = ""
    if user is not None:
        token = notices.unsubscribe_token(user)
        stop = settings.SITE_URL + reverse("participation:notices-unsubscribe", args=[token])
    with translation.override(user.language if user else settings.LANGUAGE_CODE):
        return written(told, name=user.first_name if user else "", address=address, unsubscribe_url=stop)


def written(
    told: Sequence[Notice], *, name: str, address: str, unsubscribe_url: str
) -> EmailMultiAlternatives:
    """In the language of the moment. Without `unsubscribe_url` it is the one answer somebody without an account asked for."""
    if len(told) == 1:
        subject = told[0].title
    else:
        subject = _("%(count)d things have happened since yesterday") % {"count": len(told)}
    context = {
        "subject": subject,
        "notices": [
            {"title": each.title, "text": each.text, "url": f"{settings.SITE_URL}{each.url}"} for each in told
        ],
        "name": name,
        "municipality": settings.MUNICIPALITY,
        "unsubscribe_url": unsubscribe_url,
    }
    headers = {"Auto-Submitted": "auto-generated"}
    if unsubscribe_url:
        headers |= {
            "List-Unsubscribe": f"<{unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=render_to_string("participation/email/notice.txt", context),
        from_email=f"{settings.MUNICIPALITY['name']} <{settings.DEFAULT_FROM_EMAIL}>",
        to=[address],
        headers=headers,
    )
    mail.attach_alternative(render_to_string("participation/email/notice.html", context), "text/html")
    return mail
