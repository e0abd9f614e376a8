"""What was decided and what it changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from participation.models.contributions import Contribution
from participation.models.process import CommitteeMeeting, Process


class Decision(models.Model):
    """What the council decided. `differs_because` says why, where it differs from what citizens said or voted."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="decisions")
    decided_on = models.DateField(_("decided on"))
    body = models.CharField(_("decided by"), max_length=160)
    text = models.TextField(_("the decision"))
    differs_because = models.TextField(_("differs from what citizens said, because"), blank=True)
    meeting = models.ForeignKey(
        CommitteeMeeting, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    url = models.URLField(_("minutes"), blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-decided_on", "-pk"]

    def __str__(self) -> str:
        return self.text[:80]


class Impact(models.Model):
    """Aftryk: what changed, because of which contributions."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="impacts")
    text = models.TextField(_("what changed"))
    contributions = models.ManyToManyField(
        Contribution, verbose_name=_("because of"), blank=True, related_name="impacts"
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("impact")
        verbose_name_plural = _("impacts")
        ordering = ["-recorded_at", "-pk"]

    def __str__(self) -> str:
        return self.text[:80]


class NewsItem(models.Model):
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="news")
    title = models.CharField(_("title"), max_length=160)
    text = models.TextField(_("text"))
    published_at = models.DateTimeField(_("published"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("news")
        verbose_name_plural = _("news")
        ordering = ["-published_at", "-pk"]
        constraints = [models.CheckConstraint(name="news_has_text", condition=~Q(text=""))]

    def __str__(self) -> str:
        return self.title
