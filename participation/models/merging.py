"""Contributions that said the same and were gathered into one."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from participation.models.contributions import Contribution


class MergeQuerySet(models.QuerySet["Merge"]):
    def standing(self) -> Self:
        return self.filter(undone_at=None)


class Merge(models.Model):
    """One contribution gathered into another, with what it takes to split them again.

    `Contribution.merged_into` leads straight to where it ended, also when that was gathered into a third; `kept` here is
    the one it was gathered into at the time. `moved` holds the keys of the rows that went along (participation.merging).
    """

    kept = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="merges")
    gone = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="merged_by")
    reason = models.TextField(_("reason"), max_length=1000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    was = models.CharField(max_length=9, help_text=_("How the gone one stood before."))
    kept_title = models.CharField(max_length=120, blank=True, help_text=_("The wording that was replaced."))
    kept_body = models.TextField(blank=True)
    kept_version = models.PositiveIntegerField(help_text=_("Of the kept one, just after."))
    took_theme = models.BooleanField(default=False)
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("gathering of contributions")
        verbose_name_plural = _("gatherings of contributions")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["gone"], name="merge_once", condition=Q(undone_at=None)),
            models.CheckConstraint(name="merge_of_two", condition=~Q(kept=F("gone"))),
        ]

    def __str__(self) -> str:
        return f"{self.gone_id} → {self.kept_id}"
