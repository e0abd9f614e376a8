"""Principle 3, early and relevant: asked while it can change something, after the frame and before the decision."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from participation.choices import DecisionStage


class Timing(models.Model):
    decision_stage = models.CharField(
        _("when citizens are asked"), max_length=5, choices=DecisionStage.choices, blank=True
    )
    frame_adopted_on = models.DateField(_("the frame was adopted on"), null=True, blank=True)
    meeting = models.ForeignKey(
        "participation.CommitteeMeeting",
        verbose_name=_("the meeting that treats it"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="processes",
    )
    decision_on = models.DateField(_("decision on"), null=True, blank=True)

    class Meta:
        abstract = True
