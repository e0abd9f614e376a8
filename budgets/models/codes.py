"""Voting codes, for those without MitID: printed on paper, used once.

The code itself is never stored: only its HMAC under a key that lies outside the database (`budgets.codes`). That a code
has been used stands on the roll and nowhere else, so nothing here tells when, or by whom.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from mailouts.models import Campaign
from participation.models import Phase, Process


class CodeBatchQuerySet(models.QuerySet["CodeBatch"]):
    def with_numbers(self) -> Self:
        """`used` and `replaced`: how many of the batch's codes have voted, and how many were blocked one by one."""
        from budgets.models.rounds import Roll

        codes = VotingCode.objects.filter(batch=OuterRef("pk")).order_by().values("batch")
        on_roll = Q(Exists(Roll.objects.filter(code=OuterRef("pk")))) | Q(
            Exists(
                Roll.objects.filter(round__phase=OuterRef("phase"), person=OuterRef("person"), channel="code")
            ),
            blocked=False,
        )
        return self.annotate(
            used=Coalesce(
                "used_in_the_end", Subquery(codes.filter(on_roll).annotate(n=Count("pk")).values("n")), 0
            ),
            replaced=Coalesce(Subquery(codes.filter(blocked=True).annotate(n=Count("pk")).values("n")), 0),
        )


class CodeBatch(models.Model):
    """Codes made together for one round of voting: for a class, or each for a person of the register. Blocked as a whole,
    with a reason. Those of a mailout grow by each letter that leaves, and have no PDF of their own."""

    class Kind(models.TextChoices):
        PERSONAL = "personal", _("Personal letters")
        CLASS = "class", _("Cards for a class")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be made")
        MAKING = "making", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Could not be made")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="code_batches")
    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="code_batches")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    name = models.CharField(
        _("name"), max_length=120, help_text=_("The school and the class, or who the letters are for.")
    )
    amount = models.PositiveIntegerField(_("codes"))
    chosen = models.JSONField(
        _("chosen by"), default=dict, help_text=_("Ages, districts and so on; never who they are.")
    )
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    mailout = models.ForeignKey(
        Campaign,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The mailout in whose letters they stand."),
    )
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    printed_at = models.DateTimeField(_("fetched for printing"), null=True)
    printed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    blocked_at = models.DateTimeField(_("blocked"), null=True)
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    blocked_reason = models.CharField(_("why it was blocked"), max_length=300, blank=True)

    used_in_the_end = models.PositiveIntegerField(
        null=True, help_text=_("How many had voted when the roll forgot who.")
    )

    objects = CodeBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch of voting codes")
        verbose_name_plural = _("batches of voting codes")
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="code_batch_not_empty", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="code_batch_blocked_with_reason",
                condition=Q(blocked_at=None, blocked_reason="")
                | Q(blocked_at__isnull=False) & ~Q(blocked_reason=""),
            ),
            models.UniqueConstraint(
                fields=["mailout", "phase"],
                name="code_batch_one_for_a_mailout",
                condition=Q(mailout__isnull=False, blocked_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VotingCode(models.Model):
    """One code. Of a personal code the person goes on the roll; of a class code the code itself. Blocked by itself only when
    its letter was lost and another one made."""

    batch = models.ForeignKey(CodeBatch, on_delete=models.CASCADE, related_name="codes")
    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="+")
    hmac = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey("accounts.Person", null=True, on_delete=models.CASCADE, related_name="+")
    blocked = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("voting code")
        verbose_name_plural = _("voting codes")
        constraints = [
            models.UniqueConstraint(
                fields=["phase", "person"],
                name="code_one_each",
                condition=Q(person__isnull=False, blocked=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CodePrint(models.Model):
    """The PDF with the clear codes, encrypted, until it is fetched: once, and within a day. Then the row is deleted."""

    batch = models.OneToOneField(
        CodeBatch, primary_key=True, on_delete=models.CASCADE, related_name="waiting_print"
    )
    content = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("codes to print")
        verbose_name_plural = _("codes to print")

    def __str__(self) -> str:
        return str(self.pk)


class CodeLock(models.Model):
    """An address that guessed at codes. The address is stored as an HMAC; what was typed is stored nowhere."""

    address = models.CharField(max_length=64, unique=True)
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="code_locks")
    guesses = models.PositiveIntegerField(_("guesses before the lock"), default=0)
    refused = models.PositiveIntegerField(_("attempts while locked"), default=0)
    times = models.PositiveIntegerField(_("times locked"), default=1)
    locked_at = models.DateTimeField(_("locked"))
    until = models.DateTimeField(_("locked until"))
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("lock after guessing")
        verbose_name_plural = _("locks after guessing")
        ordering = ["-locked_at", "-pk"]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What is read out on the telephone, so that the right lock is lifted."""
        return f"{self.pk:04}"
