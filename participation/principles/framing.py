"""Principle 1, clear frame: what can be influenced, what can't and why, who decides on what basis."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from participation.choices import DecisionBasis, LadderStep, Purpose


class Framing(models.Model):
    question = models.CharField(_("the question"), max_length=200, blank=True)
    purposes = ArrayField(
        models.CharField(max_length=13, choices=Purpose.choices),
        verbose_name=_("why we ask"),
        default=list,
        blank=True,
    )
    why_this_format = models.CharField(_("why this format"), max_length=300, blank=True)
    ladder_step = models.CharField(
        _("step on the ladder"), max_length=16, choices=LadderStep.choices, blank=True
    )
    who_decides = models.CharField(_("who decides"), max_length=200, blank=True)
    decision_basis = ArrayField(
        models.CharField(max_length=12, choices=DecisionBasis.choices),
        verbose_name=_("decided on the basis of"),
        default=list,
        blank=True,
    )
    promise = models.TextField(_("what we promise to do with the result"), blank=True)
    politicians_role = models.TextField(_("the politicians' role"), blank=True)
    blank_sheet = models.BooleanField(_("it is a blank sheet"), default=False)
    standing_decision_url = models.URLField(_("the standing decision behind the frame"), blank=True)

    class Meta:
        abstract = True
