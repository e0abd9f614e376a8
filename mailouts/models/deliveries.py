"""One delivery for each recipient, and what has been heard of it."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from accounts.fields import EncryptedTextField
from accounts.models import Organisation, Person
from mailouts.choices import Channel, State
from mailouts.models.campaigns import Campaign, ListedRecipient


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> Self:
        return self.filter(state=State.QUEUED, due_at__lte=at)

    def numbers(self) -> dict[tuple[str, str], int]:
        """(channel, state) → how many."""
        rows = self.order_by().values_list("channel", "state").annotate(count=Count("pk"))
        return {(channel, state): count for channel, state, count in rows}


class Delivery(models.Model):
    """One letter to one recipient, at most once. The row is the queue: due rows are claimed with SKIP LOCKED.

    `recipient_key` says who, once and for all: "p:" a person, "h:" a household, "c:" a CVR number, "u:" an account, "e:" and
    "a:" the HMAC of an e-mail or postal address. `purpose` is "letter", or names the event or day of a notice. `message_uuid`
    is there before anything leaves the house, and a new one comes only with a new attempt (`Attempt` keeps the old).
    """

    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.CASCADE, related_name="deliveries")
    purpose = models.CharField(max_length=100, default="letter")
    recipient_key = models.CharField(max_length=80)
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.SET_NULL, related_name="+")
    listed = models.ForeignKey(ListedRecipient, null=True, on_delete=models.SET_NULL, related_name="+")
    english = models.BooleanField(default=False)
    protected = models.BooleanField(_("protected address"), default=False)
    channel = models.CharField(_("channel"), max_length=7, choices=Channel.choices)
    message_uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    due_at = models.DateTimeField()
    claim = models.UUIDField(null=True, help_text=_("Whose batch it is in."))
    claimed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True, help_text=_("Written before it leaves the house."))
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure_code = models.CharField(max_length=40, blank=True)
    failure = models.CharField(_("reason"), max_length=300, blank=True)
    print_batch = models.ForeignKey(
        "mailouts.PrintBatch", null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "recipient_key", "purpose"],
                name="delivery_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="delivery_has_a_recipient", condition=~Q(recipient_key="")),
            models.CheckConstraint(
                name="delivery_left_before_answer",
                condition=~Q(state__in=[State.SENDING, State.SENT, State.DELIVERED, State.UNCERTAIN])
                | Q(left_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "due_at", "id"], name="delivery_queue", condition=Q(state=State.QUEUED)
            ),
            models.Index(
                fields=["state", "claimed_at"],
                name="delivery_in_hand",
                condition=Q(state__in=[State.CLAIMED, State.SENDING]),
            ),
            models.Index(fields=["campaign", "state", "channel"], name="delivery_report"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}/{self.pk}"


class Attempt(models.Model):
    """What came of an earlier message of a delivery, when a person or a rule sent it again or another way."""

    message_uuid = models.UUIDField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="earlier_attempts")
    channel = models.CharField(_("channel"), max_length=7, choices=Channel.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    failure_code = models.CharField(max_length=40, blank=True)
    failure = models.CharField(_("reason"), max_length=300, blank=True)
    left_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("earlier attempt")
        verbose_name_plural = _("earlier attempts")

    def __str__(self) -> str:
        return str(self.message_uuid)


class Receipt(models.Model):
    """What the gateway has told of a message, as it came; the same one is taken in once."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("Received")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    digest = models.CharField(max_length=64, unique=True)
    message_uuid = models.UUIDField(db_index=True)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.CASCADE, related_name="receipts")
    status = models.CharField(max_length=9, choices=Status.choices)
    code = models.CharField(max_length=40, blank=True)
    text = models.CharField(max_length=300, blank=True)
    came_at = models.DateTimeField()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")

    def __str__(self) -> str:
        return f"{self.status} {self.message_uuid}"


class GatewayHealth(models.Model):
    """The circuit breaker of a channel: after failures in a row nothing is tried until `open_until`, then one letter."""

    channel = models.CharField(primary_key=True, max_length=7, choices=Channel.choices)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    last_failure = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("health of a channel")
        verbose_name_plural = _("health of channels")

    def __str__(self) -> str:
        return self.channel


class PrintBatch(models.Model):
    """Letters on paper for our own printer: a PDF and a list, encrypted until fetched, gone with the content. `once`: they hold
    what nobody but their recipients may see again, so the PDF is gone when it has been fetched, or has waited too long."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="print_batches")
    number = models.PositiveSmallIntegerField()
    protected = models.BooleanField(_("protected addresses"), default=False)
    letters = models.PositiveIntegerField()
    pages = models.PositiveIntegerField()
    once = models.BooleanField(_("fetched once"), default=False)
    pdf = EncryptedTextField(help_text=_("Base64, encrypted."))
    csv = EncryptedTextField()
    made_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(
        null=True, help_text=_("Fetched once, and nobody did in time: the PDF is destroyed.")
    )
    fetched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("print batch")
        verbose_name_plural = _("print batches")
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="print_batch_once")]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.number}"


class DisabledAddress(models.Model):
    """An e-mail address that the receiving server has refused for good. Nothing is sent to it until it is confirmed anew."""

    email = models.EmailField(unique=True)
    since = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("disabled e-mail address")
        verbose_name_plural = _("disabled e-mail addresses")

    def __str__(self) -> str:
        return str(self.since)
