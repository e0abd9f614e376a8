"""A mailout: the letter, whom it is for, and the four eyes on it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.fields import EncryptedTextField
from accounts.models import Unit
from mailouts.choices import ActionKind, Earlier, PaperRoute, Policy, Stage

# What the recipients read and how it reaches them: part of the hash, and frozen by a trigger.
CONTENT = (
    "subject",
    "text",
    "english_subject",
    "english_text",
    "sms_text",
    "policy",
    "paper_route",
    "action_kind",
    "action_label",
    "action_url",
    "meeting_starts",
    "meeting_ends",
    "meeting_place",
    "case_number",
    "kle",
)
# Who it is for, besides the sources; when and how fast. Frozen too.
SENDING_RULES = ("per_household", "earlier", "start_at", "per_minute", "expected", "keep_days")


class Campaign(models.Model):
    """One letter to many. Its deliveries are the list; `stage` says whether they may leave."""

    title = models.CharField(_("name of the mailout"), max_length=120, help_text=_("Only colleagues see it."))
    unit = models.ForeignKey(Unit, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("the letter"), blank=True)
    english_subject = models.CharField(_("subject in English"), max_length=200, blank=True)
    english_text = models.TextField(
        _("the letter in English"),
        blank=True,
        help_text=_("For those who use the portal in English. Leave it empty to send Danish to everyone."),
    )
    sms_text = models.CharField(_("text of the NemSMS"), max_length=150, blank=True)
    policy = models.CharField(_("how"), max_length=10, choices=Policy.choices, default=Policy.AUTOMATIC)
    paper_route = models.CharField(
        _("letters on paper"), max_length=6, choices=PaperRoute.choices, default=PaperRoute.REMOTE
    )
    action_kind = models.CharField(
        _("button in the letter"), max_length=7, choices=ActionKind.choices, default=ActionKind.NONE
    )
    action_label = models.CharField(_("words on the button"), max_length=60, blank=True)
    action_url = models.CharField(_("where it leads"), max_length=256, blank=True)
    meeting_starts = models.DateTimeField(_("the meeting begins"), null=True, blank=True)
    meeting_ends = models.DateTimeField(_("the meeting ends"), null=True, blank=True)
    meeting_place = models.CharField(_("where the meeting is"), max_length=200, blank=True)
    case_number = models.CharField(_("case number"), max_length=50, blank=True)
    kle = models.CharField(_("KLE subject"), max_length=8, blank=True)

    per_household = models.BooleanField(_("one letter to each household"), default=False)
    earlier = models.CharField(
        _("those who have had the same letter before"),
        max_length=9,
        choices=Earlier.choices,
        default=Earlier.LEAVE_OUT,
    )
    expected = models.PositiveIntegerField(
        _("how many letters do you expect?"),
        null=True,
        blank=True,
        help_text=_("About how many. Too large a difference stops the mailout."),
    )
    start_at = models.DateTimeField(
        _("not before"), null=True, blank=True, help_text=_("Empty: as soon as it is approved.")
    )
    per_minute = models.PositiveIntegerField(
        _("letters a minute at most"), null=True, blank=True, help_text=_("Empty: as fast as it goes.")
    )
    keep_days = models.PositiveSmallIntegerField(_("days until the content is deleted"), default=180)

    list_asked_at = models.DateTimeField(null=True)
    list_built_at = models.DateTimeField(null=True)
    list_numbers = models.JSONField(default=dict)
    list_error = models.CharField(max_length=300, blank=True)
    test_hash = models.CharField(max_length=64, blank=True, help_text=_("The text that was sent as a test."))
    test_sent_at = models.DateTimeField(null=True)

    stage = models.CharField(_("stage"), max_length=8, choices=Stage.choices, default=Stage.DRAFT)
    text_hash = models.CharField(max_length=64, blank=True)
    list_hash = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(default=0)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    frozen_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(_("why it was stopped"), max_length=300, blank=True)
    next_free_at = models.DateTimeField(null=True, help_text=_("Speed limit: no letter before this."))
    content_deleted_at = models.DateTimeField(null=True)
    totals = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("mailout")
        verbose_name_plural = _("mailouts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="campaign_two_people_approve",
                condition=~Q(approved_by=F("created_by")) & ~Q(approved_by=F("frozen_by")),
            ),
            models.CheckConstraint(
                name="campaign_draft_is_not_frozen",
                condition=~Q(stage=Stage.DRAFT)
                | Q(frozen_at=None, approved_at=None, text_hash="", list_hash=""),
            ),
            models.CheckConstraint(
                name="campaign_frozen_has_hashes",
                condition=Q(stage=Stage.DRAFT)
                | (Q(frozen_at__isnull=False) & ~Q(text_hash="") & ~Q(list_hash="")),
            ),
            models.CheckConstraint(
                name="campaign_leaves_only_approved",
                condition=Q(stage__in=[Stage.DRAFT, Stage.FROZEN]) | Q(approved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="campaign_meeting_has_length",
                condition=Q(meeting_starts=None)
                | Q(meeting_ends=None)
                | Q(meeting_ends__gt=F("meeting_starts")),
            ),
            models.CheckConstraint(
                name="campaign_speed_sane", condition=Q(per_minute=None) | Q(per_minute__gte=1)
            ),
            models.CheckConstraint(
                name="campaign_kept_a_while", condition=Q(keep_days__gte=1, keep_days__lte=1825)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("admin:mailout", args=[self.pk])

    def content(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in CONTENT}

    def hash_of_text(self) -> str:
        """SHA-256 of what the recipients read and how it reaches them."""
        written = json.dumps(self.content(), sort_keys=True, ensure_ascii=False, default=_as_text)
        return hashlib.sha256(written.encode()).hexdigest()


def _as_text(value: Any) -> str:
    """A moment in UTC: typed in local time it is the same as read from the database."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


class Source(models.Model):
    """One answer to "who is it for?": the kind is registered (`mailouts.sources`), `params` are its own."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=30)
    params = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("recipients of a mailout")
        verbose_name_plural = _("recipients of mailouts")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.kind


class ListedRecipient(models.Model):
    """A line of a pasted or uploaded list. Who it is lies encrypted, and goes with the mailout's content."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="listed")
    line = models.PositiveIntegerField()
    key = models.CharField(max_length=80)
    name = EncryptedTextField()
    address = EncryptedTextField()
    email = EncryptedTextField()
    number = EncryptedTextField(help_text=_("CPR or CVR number."))

    class Meta:
        verbose_name = _("line of a list")
        verbose_name_plural = _("lines of lists")
        constraints = [models.UniqueConstraint(fields=["source", "line"], name="listed_line_once")]

    def __str__(self) -> str:
        return str(self.line)
