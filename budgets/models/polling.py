"""Voting on paper where people live: the polling place, what its officers mark, and what is told while voting is open."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import Permission, Role
from budgets.models.rounds import Round
from participation.models import Process


class PollingPlaceQuerySet(models.QuerySet["PollingPlace"]):
    def for_pages(self) -> Self:
        return self.select_related("process__citizenbudget__vote_rule", "district").defer(
            "district__geometry"
        )

    def of_officer(self, user: User) -> Self:
        """Where this polling officer stands: only there may they look people up and mark the roll."""
        if not user.is_authenticated or not user.may(Permission.MARK_ROLL):
            return self.none()
        return self.filter(officers=user)

    def counted_by(self, user: User) -> Self:
        """Where this user may enter and reconcile the paper ballots: its officers, and caseworkers of the unit."""
        if not user.is_authenticated:
            return self.none()
        if user.may(Permission.MARK_ROLL):
            return self.filter(officers=user)
        if user.may(Permission.COUNT_VOTES):
            return self.filter(process__unit__in=user.unit_ids())
        return self.none()

    def of_round(self, round: Round) -> Self:
        return self.filter(process=round.process_id, round_kind=round.kind)


class PollingPlace(models.Model):
    """A room where one votes on paper in one round of a budget: the library, a school. Its officers find people in the
    register extract, mark the roll and hand out the ballot paper."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="polling_places")
    round_kind = models.CharField(
        _("in which vote"),
        max_length=9,
        choices=[choice for choice in Round.Kind.choices if choice[0] != "meeting"],
        default=Round.Kind.FINAL,
    )
    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(_("address"), max_length=200)
    opening_hours = models.TextField(
        _("opening hours"), max_length=500, help_text=_("As people read it: the days and the hours.")
    )
    access = models.TextField(
        _("how one gets in"),
        max_length=500,
        blank=True,
        help_text=_("Step-free way in, parking, the nearest bus, help to see or to write."),
    )
    district = models.ForeignKey(
        "accounts.District",
        verbose_name=_("district"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: everyone who may vote can vote here."),
    )
    officers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("polling officers"),
        blank=True,
        related_name="polling_places",
        limit_choices_to={"role": Role.POLLING_OFFICER},
    )

    objects = PollingPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("polling place")
        verbose_name_plural = _("polling places")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["process", "round_kind", "name"], name="polling_place_name_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def round(self) -> Round | None:
        """The round that is voted in here, once it has opened."""
        return Round.objects.for_voting().filter(process=self.process_id, kind=self.round_kind).first()


class UndoneMark(models.Model):
    """A mark on the roll that was taken back before the ballot was in the box. Keeps the mark's own id, so that the same
    attempt sent again can't mark anew, and nothing about whom it was."""

    class Reason(models.TextChoices):
        WRONG_PERSON = "wrong_person", _("The wrong person was marked")
        CHANGED_MIND = "changed_mind", _("The voter gave the ballot paper back")
        OTHER = "other", _("Something else")

    id = models.UUIDField(primary_key=True, editable=False)
    place = models.ForeignKey(PollingPlace, on_delete=models.PROTECT, related_name="undone")
    reason = models.CharField(_("why"), max_length=12, choices=Reason.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("undone mark")
        verbose_name_plural = _("undone marks")

    def __str__(self) -> str:
        return str(self.pk)


class Incident(models.Model):
    """Something that happened while people voted, told to everyone. A correction is a new line; nothing is edited."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="incidents")
    place = models.ForeignKey(
        PollingPlace,
        verbose_name=_("where"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="incidents",
    )
    happened_at = models.DateTimeField(_("when"))
    text = models.TextField(_("what happened"), max_length=2000)
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-happened_at", "-pk"]
        constraints = [models.CheckConstraint(name="incident_says_what", condition=~Q(text=""))]

    def __str__(self) -> str:
        return self.text[:80]


class TurnoutHour(models.Model):
    """How many had voted at a full hour, as it is shown while voting is open: numbers only, and never fewer than three
    more than was shown before (`budgets.turnout`)."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="turnout_hours")
    hour = models.DateTimeField(help_text=_("The full hour it counts for."))
    shown = models.JSONField(default=dict, help_text=_("Voters per channel, as shown."))
    voters = models.PositiveIntegerField(default=0, help_text=_("Together, as shown."))

    class Meta:
        verbose_name = _("turnout at an hour")
        verbose_name_plural = _("turnout by the hour")
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["round", "hour"], name="turnout_once_an_hour")]

    def __str__(self) -> str:
        return f"{self.hour}: {self.voters}"
