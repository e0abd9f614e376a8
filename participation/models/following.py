"""Who wants to hear, and what was told."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mailouts.models import Delivery
from participation.models.process import Process


class Follow(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows")
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="follows")
    since = models.DateTimeField()

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        constraints = [models.UniqueConstraint(fields=["user", "process"], name="follow_once")]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.process_id}"


class AskAgain(models.Model):
    """ "Spørg mig igen om …": the receipt's one box."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ask_again")
    topic = models.CharField(_("about"), max_length=120)
    since = models.DateTimeField()

    class Meta:
        verbose_name = _("ask me again")
        verbose_name_plural = _("ask me again")
        constraints = [models.UniqueConstraint(fields=["user", "topic"], name="ask_again_once")]

    def __str__(self) -> str:
        return self.topic


class NoticePreference(models.Model):
    class Rhythm(models.TextChoices):
        EACH = "each", _("An e-mail each time")
        DAILY = "daily", _("One e-mail a day at most")
        NONE = "none", _("No e-mail")

    DIGEST_HOUR = 16

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="notice_preference"
    )
    rhythm = models.CharField(_("notices"), max_length=5, choices=Rhythm.choices, default=Rhythm.EACH)
    digest_hour = models.PositiveSmallIntegerField(
        _("when the daily e-mail comes"), default=DIGEST_HOUR, help_text=_("The hour of the day in Denmark.")
    )

    class Meta:
        verbose_name = _("notice preference")
        verbose_name_plural = _("notice preferences")
        constraints = [
            models.CheckConstraint(name="digest_hour_of_the_day", condition=Q(digest_hour__lte=23)),
        ]

    def __str__(self) -> str:
        return self.get_rhythm_display()


class Notice(models.Model):
    """One thing told to one person, at most once.

    `event` names what happened once and for all, for instance "process:12:opened" or "contribution:88:answered".
    `delivery` is the e-mail it goes with, its own or the day's; without one it is only shown on My page.
    """

    class Kind(models.TextChoices):
        PHASE = "phase", _("A process moves on")
        ANSWER = "answer", _("An answer")
        DECISION = "decision", _("A decision")
        IMPACT = "impact", _("An impact")
        CHANGE = "change", _("A change")
        NEWS = "news", _("News")
        MODERATION = "moderation", _("Moderation")
        REMINDER = "reminder", _("A reminder")
        DUTY = "duty", _("A duty")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="notices"
    )
    address = models.EmailField(
        blank=True, help_text=_("Only for someone without an account who asked for this one answer.")
    )
    process = models.ForeignKey(Process, null=True, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=200)
    text = models.TextField()
    url = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="notices")
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "event"], name="notice_once"),
            models.UniqueConstraint(
                fields=["address", "event"], name="notice_once_per_address", condition=~Q(address="")
            ),
            models.CheckConstraint(
                name="notice_has_one_reader", condition=Q(user__isnull=False) ^ ~Q(address="")
            ),
        ]

    def __str__(self) -> str:
        return self.title
