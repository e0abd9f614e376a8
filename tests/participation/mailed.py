"""Notices whose e-mail stands somewhere, without sending anything."""

from __future__ import annotations

from collections.abc import Iterable

from mailouts import post
from mailouts.choices import State
from mailouts.models import Delivery
from participation import clock
from participation.digests import single
from participation.models import Notice


def mailed(notices: Iterable[Notice], state: str = State.SENT) -> None:
    """Also for those who were only shown it."""
    now = clock.now()
    for notice in notices:
        if notice.delivery is None:
            notice.delivery = single(notice.event, post.key_of(notice.user_id), now, notice.user_id)
            notice.delivery.save()
            notice.save(update_fields=["delivery"])
        Delivery.objects.filter(pk=notice.delivery.pk).update(state=state, left_at=now, sent_at=now)
