"""Principle 5, broad and relevant: whom it touches, whom we look for, and the way in for those not online."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from participation.choices import Recruitment, Touches


class Breadth(models.Model):
    touches = models.CharField(_("whom it touches"), max_length=12, choices=Touches.choices, blank=True)
    touches_whom = models.CharField(_("more precisely"), max_length=200, blank=True)
    touched_districts = models.ManyToManyField(
        "accounts.District", verbose_name=_("districts touched"), blank=True, related_name="+"
    )
    conflict = models.BooleanField(_("there is conflict about it"), default=False)
    few_but_relevant = models.CharField(_("few but relevant, because"), max_length=300, blank=True)
    recruitment = ArrayField(
        models.CharField(max_length=8, choices=Recruitment.choices),
        verbose_name=_("how participants are found"),
        default=list,
        blank=True,
    )
    offline_route = models.TextField(_("the way in for those not online"), blank=True)

    class Meta:
        abstract = True
