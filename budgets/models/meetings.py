"""A meeting that shares the money out ("a bag of money": Orø in Holbæk, Odense): who came, how, and what was given.

The round beside it (`Round.kind` meeting) has no ballots; it stands where a vote would, so that the council's decision,
the answers and the carrying out are the same whichever way the money was shared out.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from budgets.models.projects import Project
from budgets.models.rounds import Round
from participation.models import StoredFile


class Meeting(models.Model):
    """What the caseworker records: when and where, how many took part, how it was decided, and the minutes."""

    round = models.OneToOneField(Round, primary_key=True, on_delete=models.CASCADE, related_name="meeting")
    held_at = models.DateTimeField(_("held"))
    place = models.CharField(_("place"), max_length=200)
    participants = models.PositiveIntegerField(_("how many took part"))
    how = models.TextField(_("how it was decided"), max_length=3000)
    minutes = models.TextField(_("minutes"), max_length=20000, blank=True)
    minutes_file = models.ForeignKey(
        StoredFile,
        verbose_name=_("minutes as a file"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("meeting that shared the money out")
        verbose_name_plural = _("meetings that shared the money out")
        constraints = [
            models.CheckConstraint(name="meeting_somebody_came", condition=Q(participants__gt=0)),
            models.CheckConstraint(name="meeting_says_how", condition=~Q(how="")),
            models.CheckConstraint(
                name="meeting_has_minutes", condition=~Q(minutes="") | Q(minutes_file__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.place


class Grant(models.Model):
    """What the meeting gave to one project: all of its price or a part of it."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="grants")
    project = models.ForeignKey(Project, on_delete=models.RESTRICT, related_name="grants")
    amount = models.DecimalField(_("kroner"), max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["-amount", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "project"], name="grant_once"),
            models.CheckConstraint(name="grant_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.project}: {self.amount}"
