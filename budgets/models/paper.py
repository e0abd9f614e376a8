"""Paper ballots: how they are printed, read by two people who don't see each other's reading, and accounted for."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from budgets.models.polling import PollingPlace
from budgets.models.rounds import Round
from participation.models import Process


class PaperOrder(models.Model):
    """The order in which the projects stand on the printed ballot, and how it came about. The newest row counts."""

    class Kind(models.TextChoices):
        NUMBER = "number", _("By number")
        TITLE = "title", _("By title")
        CHEAPEST = "cheapest", _("Cheapest first")
        LOT = "lot", _("Drawn by lot")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="paper_orders")
    round_kind = models.CharField(max_length=9, choices=Round.Kind.choices, default=Round.Kind.FINAL)
    kind = models.CharField(_("order"), max_length=8, choices=Kind.choices, default=Kind.NUMBER)
    seed = models.CharField(
        _("what was drawn"),
        max_length=64,
        blank=True,
        help_text=_("Decides the drawn order: anyone can work it out again from this."),
    )
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("order of the printed ballot")
        verbose_name_plural = _("orders of the printed ballot")
        ordering = ["-chosen_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="paper_order_lot_has_seed", condition=~Q(kind="lot") | ~Q(seed=""))
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Bundle(models.Model):
    """A pile of papers from one place's box, at most a hundred or so, tied together. Each paper has its number in the pile
    written on it."""

    place = models.ForeignKey(PollingPlace, on_delete=models.PROTECT, related_name="bundles")
    number = models.PositiveSmallIntegerField(_("bundle"))
    pot = models.CharField(
        max_length=20,
        blank=True,
        help_text=_("The district's pot that its papers are for; empty without pots."),
    )

    class Meta:
        verbose_name = _("bundle of ballots")
        verbose_name_plural = _("bundles of ballots")
        ordering = ["place", "number"]
        constraints = [models.UniqueConstraint(fields=["place", "number"], name="bundle_number_once")]

    def __str__(self) -> str:
        return f"{self.place} {self.number}"


class Reading(models.Model):
    """One person's reading of a bundle. Two read all of it, a third only what the two saw differently; nobody reads the
    same bundle in two roles."""

    class Role(models.TextChoices):
        FIRST = "first", _("First reading")
        SECOND = "second", _("Second reading")
        THIRD = "third", _("Third look")

    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="readings")
    role = models.CharField(max_length=6, choices=Role.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    finished = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("reading of a bundle")
        verbose_name_plural = _("readings of bundles")
        constraints = [
            models.UniqueConstraint(fields=["bundle", "role"], name="reading_each_role_once"),
            models.UniqueConstraint(fields=["bundle", "by"], name="reading_one_role_each"),
        ]

    def __str__(self) -> str:
        return f"{self.bundle} {self.role}"


class PaperEntry(models.Model):
    """What one reader saw on one paper. Never a person, never a time: the papers were mixed in the box."""

    class Spoiled(models.TextChoices):
        """Why a paper is not a valid ballot; by the rules of the ballot, or by what the reader saw."""

        BLANK = "blank", _("Blank")
        UNCLEAR = "unclear", _("Can't be read for certain")
        SIGNED = "signed", _("Carries a name or a mark that tells who voted")
        TOO_MANY = "too_many", _("Too many chosen")
        TOO_FEW = "too_few", _("Too few chosen")
        POINTS = "points", _("The points don't add up")
        TOO_DEAR = "too_dear", _("Costs more than there is")
        EXCLUDE = "exclude", _("Projects that exclude each other")
        NO_PAPER = "no_paper", _("There is no paper with this number")

    # What a reader chooses; the others come from the rules of the ballot.
    SEEN = (Spoiled.BLANK, Spoiled.UNCLEAR, Spoiled.SIGNED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveSmallIntegerField(_("paper"), help_text=_("The number written on the paper."))
    typed = models.CharField(_("what stands on the paper"), max_length=300, blank=True)
    choices = models.JSONField(default=list, help_text=_("A list of [project number, points]."))
    spoiled = models.CharField(_("not valid, because"), max_length=8, choices=Spoiled.choices, blank=True)

    class Meta:
        verbose_name = _("paper ballot as read")
        verbose_name_plural = _("paper ballots as read")
        constraints = [
            models.UniqueConstraint(fields=["reading", "position"], name="paper_entry_once"),
            models.CheckConstraint(name="paper_entry_position_from_one", condition=Q(position__gte=1)),
            models.CheckConstraint(
                name="paper_entry_valid_or_spoiled",
                condition=(Q(spoiled="") & ~Q(choices=[])) | (~Q(spoiled="") & Q(choices=[])),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.typed or self.spoiled}"


class PlaceAccount(models.Model):
    """A polling place's account of its papers, signed by two people when it adds up (`budgets.reconciliation`)."""

    place = models.OneToOneField(PollingPlace, on_delete=models.PROTECT, related_name="account")
    received = models.PositiveIntegerField(_("ballot papers received"), default=0)
    left_over = models.PositiveIntegerField(_("left over, never handed out"), default=0)
    replaced = models.PositiveIntegerField(
        _("handed in again and exchanged or cancelled"),
        default=0,
        help_text=_("Papers that a voter spoiled or gave back before they were in the box."),
    )
    not_in_box = models.PositiveIntegerField(
        _("handed out, but never put in the box"),
        default=0,
        help_text=_("Voters who left with their paper."),
    )
    unmarked = models.PositiveIntegerField(
        _("in the box without a mark on the roll"),
        default=0,
        help_text=_("Only when it can't be found out otherwise. The reason is public."),
    )
    unmarked_reason = models.TextField(_("how that came about"), max_length=1000, blank=True)
    first_signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    first_signed_at = models.DateTimeField(null=True)
    second_signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    second_signed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("account of a polling place")
        verbose_name_plural = _("accounts of polling places")
        constraints = [
            models.CheckConstraint(
                name="account_signed_by_two",
                condition=Q(second_signed_by=None) | ~Q(second_signed_by=F("first_signed_by")),
            ),
            models.CheckConstraint(
                name="account_signed_in_order",
                condition=Q(second_signed_by=None) | Q(first_signed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="account_signed_with_time",
                condition=(
                    Q(first_signed_by=None, first_signed_at=None)
                    | Q(first_signed_by__isnull=False, first_signed_at__isnull=False)
                )
                & (
                    Q(second_signed_by=None, second_signed_at=None)
                    | Q(second_signed_by__isnull=False, second_signed_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="account_unmarked_with_reason", condition=Q(unmarked=0) | ~Q(unmarked_reason="")
            ),
        ]

    def __str__(self) -> str:
        return str(self.place)

    @property
    def signed(self) -> bool:
        return self.second_signed_by_id is not None
