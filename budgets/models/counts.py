"""What the count gave, and the lots that ties asked for."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from budgets.models.rounds import Round
from budgets.models.rules import CountingRule


class Lot(models.Model):
    """A public lot between tied projects: drawn outside the computer, recorded here."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="lots")
    pot = models.CharField(max_length=20, blank=True, help_text=_("The key of the pot; empty without pots."))
    order = ArrayField(models.CharField(max_length=40), help_text=_("Project numbers in the order drawn."))
    drawn_at = models.DateTimeField(_("drawn"))
    how = models.CharField(_("how it was drawn"), max_length=300)
    witnesses = models.CharField(_("who saw it"), max_length=300)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        ordering = ["recorded_at"]

    def __str__(self) -> str:
        return ", ".join(self.order)


class Count(models.Model):
    """A count of a sealed round. A pot stops at a tie that decides until its lot is recorded, and the city-wide one waits for
    those whose money it may get.

    `outcome` is `{"rule", "pots": [{"pot", "budget", "received": {pot: amount}, "waits_for": [pot], …}]}`, in the order of the pots
    (one with the key "" where there are none), each with what `actions.counting.outcome_as_json` tells, or only with
    `"winners": null` while it waits for others. `comparison` has the same shape for the other rule, `"gave_up": true`
    where that took too long, and is empty until it is reckoned. `winners` are those of all pots; in a first round, who goes
    on.
    """

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="count")
    rule = models.CharField(max_length=40, choices=CountingRule.choices)
    winners = ArrayField(
        models.CharField(max_length=40),
        null=True,
        help_text=_("Project numbers; empty while a tie waits for its lot."),
    )
    spent = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    outcome = models.JSONField(
        help_text=_("How each decision of the count came about, pot by pot (budgets.counting).")
    )
    comparison = models.JSONField(default=dict, help_text=_("The other rule's outcome."))
    counted_at = models.DateTimeField()
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("count")
        verbose_name_plural = _("counts")

    def __str__(self) -> str:
        return str(self.round)
