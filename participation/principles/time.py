"""Principle 4, fitting time used well: open long enough, and moving on."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Time(models.Model):
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    legal_basis = models.ForeignKey(
        "participation.OpeningMinimum",
        verbose_name=_("legal basis"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    processing_days = models.PositiveSmallIntegerField(
        _("days to work on the answers"), null=True, blank=True
    )
    planned_dialogues = models.PositiveSmallIntegerField(_("planned dialogues"), null=True, blank=True)
    staff_hours = models.PositiveIntegerField(_("staff hours set aside"), null=True, blank=True)
    preparation = models.TextField(_("what participants can read or meet first"), blank=True)

    class Meta:
        abstract = True
