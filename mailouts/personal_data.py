"""What is personal in mailouts: who is on a list, and what came of their letter (accounts/personal_data.py explains)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.personal_data import Table, link, own, plain, secret, staff
from mailouts.choices import WAITING, State
from mailouts.models import Delivery

_CAMPAIGN = (
    *("id", "title", "unit", "created_at", "subject", "text", "english_subject", "english_text", "sms_text"),
    *("policy", "paper_route", "action_kind", "action_label", "action_url", "meeting_starts", "meeting_ends"),
    *(
        "meeting_place",
        "case_number",
        "kle",
        "per_household",
        "earlier",
        "expected",
        "start_at",
        "per_minute",
    ),
    *(
        "keep_days",
        "list_asked_at",
        "list_built_at",
        "list_numbers",
        "list_error",
        "test_hash",
        "test_sent_at",
    ),
    *("stage", "text_hash", "list_hash", "count", "frozen_at", "approved_at", "started_at", "ended_at"),
    *("stop_reason", "next_free_at", "content_deleted_at", "totals"),
)

PERSONAL: dict[str, Table] = {
    "mailouts.Campaign": Table(plain(*_CAMPAIGN) | staff("created_by", "frozen_by", "approved_by")),
    "mailouts.Source": Table(plain("id", "campaign", "kind", "params")),
    "mailouts.ListedRecipient": Table(
        plain("id", "source", "line") | secret("key", "name", "address", "email", "number")
    ),
    "mailouts.Delivery": Table(
        plain("id", "campaign", "purpose", "organisation", "english", "channel", "message_uuid", "due_at")
        | plain("claim", "claimed_at", "attempts", "print_batch", "failure_code")
        | own("state", "left_at", "sent_at", "delivered_at", "protected", "failure")
        | link("person", "user")
        | secret("recipient_key", "listed"),
        owner=("user", "person__user"),
        exported=False,  # by `exported` below: a mailout's name is for colleagues, its subject for whoever got it
        stays=_("Which letters we have sent, until the letter itself is deleted."),
    ),
    "mailouts.Attempt": Table(
        plain("message_uuid", "channel", "failure_code")
        | own("state", "left_at", "ended_at", "failure")
        | link("delivery")
        | staff("by"),
        owner=("delivery__user", "delivery__person__user"),
        exported=False,
    ),
    "mailouts.Receipt": Table(
        plain("id", "digest", "message_uuid", "code") | own("status", "text", "came_at") | link("delivery"),
        owner=("delivery__user", "delivery__person__user"),
        exported=False,
    ),
    "mailouts.GatewayHealth": Table(plain("channel", "failures", "open_until", "last_failure", "changed_at")),
    "mailouts.PrintBatch": Table(
        plain("id", "campaign", "number", "protected", "letters", "pages", "once", "made_at", "fetched_at")
        | plain("forgotten_at")
        | secret("pdf", "csv")
        | staff("fetched_by")
    ),
    "mailouts.DisabledAddress": Table(plain("id", "since", "reason") | secret("email")),
}


def exported(user: User) -> dict[str, Any]:
    """Which letters somebody was sent, by the subject they read."""
    mine = Q(user=user)
    if user.person_id is not None:
        mine |= Q(person=user.person_id)
    rows = [
        {
            str(_("subject")): row.campaign.subject or row.campaign.sms_text if row.campaign else row.purpose,
            str(_("channel")): row.get_channel_display(),
            str(_("state")): row.get_state_display(),
            str(_("reason")): row.failure,
            str(_("sent")): row.sent_at.isoformat() if row.sent_at else None,
            str(_("delivered")): row.delivered_at.isoformat() if row.delivered_at else None,
        }
        for row in Delivery.objects.filter(mine).select_related("campaign").order_by("pk")
    ]
    return {str(_("letters")): rows} if rows else {}


def still_needed(person_ids: Sequence[Any]) -> Iterable[object]:
    """Those whose letter is on its way."""
    waiting = [*WAITING, State.PRINTED, State.UNCERTAIN]
    return (
        Delivery.objects.filter(person__in=person_ids, state__in=waiting)
        .values_list("person", flat=True)
        .distinct()
    )


def erase_post(user: Any) -> None:
    """What was written to them one letter at a time, and that their address does not work. A mailout's list is kept as it was
    sent, until its content goes."""
    from allauth.account.models import EmailAddress

    from mailouts import post
    from mailouts.actions.addresses import enable

    post.forget(user.pk)
    for email in EmailAddress.objects.filter(user=user).values_list("email", flat=True):
        enable(email=email)
