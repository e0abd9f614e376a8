"""Carrying out what won: who does it, what was promised, when, for how much money, and how it goes.

What the public was told stays: a payment, an extra grant and a confirmed line of the accounts are never changed, only met
by a counter-entry, and a promise that was published is delivered, dropped or taken out, each with its date. The database
holds that, and the sums of the money too (migration 0012), so that two payments at once can't pass what was granted.
"""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Coalesce, ExtractYear
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from budgets.models.projects import Project
from participation.choices import PUBLIC, Moderation
from participation.models import StoredFile


class Progress(models.TextChoices):
    """How it goes."""

    ON_TIME = "on_time", _("On time")
    DELAYED = "delayed", _("Delayed")
    DONE = "done", pgettext_lazy("a project", "Done")
    GIVEN_UP = "given_up", _("Given up")


ENDED = frozenset({Progress.DONE, Progress.GIVEN_UP})


class Carrier(models.TextChoices):
    MUNICIPALITY = "municipality", _("The municipality")
    CITIZENS = "citizens", _("Those who proposed it")


class ImplementationQuerySet(models.QuerySet["Implementation"]):
    def public(self) -> Self:
        """What anyone may read about: its project and its process are public."""
        return self.filter(
            project__contribution__moderation=Moderation.PUBLISHED,
            project__contribution__process__status__in=PUBLIC,
        )

    def listed(self) -> Self:
        """What the lists and sums of all the money take in: not what is kept out of the lists. A project whose text a moderator
        took off the page is there without its words: the money was granted, and an account that forgets it is wrong."""
        return self.filter(
            project__contribution__process__status__in=PUBLIC,
            project__contribution__process__listed=True,
        )

    def running(self) -> Self:
        return self.exclude(status__in=ENDED)

    def with_project(self) -> Self:
        """With what names it: project, contribution, district and process, without the long texts."""
        return self.select_related("project__contribution__process", "project__contribution__district").defer(
            "project__contribution__search_vector",
            "project__contribution__author_contact",
            "project__contribution__process__search_vector",
            "project__contribution__district__geometry",
        )

    def with_promises(self) -> Self:
        """How many promises stand, and how many of them are delivered."""
        stands = ~Q(promises__state=Promise.State.TAKEN_OUT)
        return self.annotate(
            promised=Count("promises", filter=stands),
            delivered=Count("promises", filter=Q(promises__state=Promise.State.DELIVERED)),
            dropped=Count("promises", filter=Q(promises__state=Promise.State.DROPPED)),
        )

    def money_by_group(self) -> models.QuerySet["Implementation", dict[str, object]]:
        """Sums for each year, district, process and status: what every total of the money pages is added up from."""
        return (
            self.order_by()
            .values(
                "status",
                year=ExtractYear("granted_on"),
                district=F("project__contribution__district"),
                process=F("project__contribution__process"),
            )
            .annotate(
                projects=Count("pk"),
                planned_sum=models.Sum("planned"),
                granted_sum=models.Sum(F("granted") + F("extra")),
                paid_sum=models.Sum("paid"),
                returned_sum=models.Sum("returned"),
            )
        )

    def quiet_since(self, moment: datetime) -> Self:
        """Still to be done, and nothing was told after this moment."""
        return self.running().filter(told_at__lte=moment)


class Implementation(models.Model):
    """How one project that got the money is carried out. `owner` and `deputy` answer for it in the house; where they are
    empty it is the process's own, so that handing over the process hands over this too.

    `extra` and `paid` are the sums of their rows, kept by triggers. `returned` is what went back when it ended.
    """

    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="implementation"
    )
    created_at = models.DateTimeField()
    granted_on = models.DateField(_("granted"))
    planned = models.DecimalField(
        _("planned"), max_digits=14, decimal_places=2, help_text=_("The price it was voted on with.")
    )
    granted = models.DecimalField(_("granted"), max_digits=14, decimal_places=2)
    extra = models.DecimalField(_("granted later"), max_digits=14, decimal_places=2, default=0)
    paid = models.DecimalField(_("paid"), max_digits=14, decimal_places=2, default=0)
    returned = models.DecimalField(_("gone back"), max_digits=14, decimal_places=2, default=0)

    carried_out_by = models.CharField(
        _("who carries it out"), max_length=12, choices=Carrier.choices, default=Carrier.MUNICIPALITY
    )
    carrier = models.CharField(
        _("called"),
        max_length=160,
        blank=True,
        help_text=_("The unit or the group, as everyone may read it."),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("deputy"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    agreement = models.TextField(_("the agreement"), max_length=6000, blank=True)
    agreement_file = models.ForeignKey(
        StoredFile,
        verbose_name=_("the signed agreement"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="agreements",
        help_text=_("Never shown: it holds names."),
    )
    agreement_signed_on = models.DateField(_("signed"), null=True, blank=True)
    agreement_signed_by = models.CharField(
        _("who signed for the group"), max_length=200, blank=True, help_text=_("Never shown.")
    )
    contact_name = models.CharField(_("contact"), max_length=200, blank=True, help_text=_("Never shown."))
    contact_how = models.CharField(
        _("how to reach the contact"), max_length=200, blank=True, help_text=_("Never shown.")
    )

    promised_at = models.DateTimeField(_("plan published"), null=True)
    status = models.CharField(
        _("how it goes"), max_length=8, choices=Progress.choices, default=Progress.ON_TIME
    )
    why = models.TextField(_("why"), max_length=2000, blank=True)
    expected_on = models.DateField(_("expected to be done"), null=True, blank=True)
    ended_on = models.DateField(_("ended"), null=True)
    told_at = models.DateTimeField(
        _("last told"), help_text=_("When the public last heard how it goes; a reminder after three months.")
    )
    accounts_sent_at = models.DateTimeField(null=True)
    accounts_sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    accounts_approved_at = models.DateTimeField(null=True)
    accounts_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ImplementationQuerySet.as_manager()

    class Meta:
        verbose_name = _("project being carried out")
        verbose_name_plural = _("projects being carried out")
        indexes = [
            models.Index(fields=["granted_on"], name="implementation_year"),
            models.Index(fields=["status", "told_at"], name="implementation_quiet"),
        ]
        constraints = [
            models.CheckConstraint(
                name="implementation_money_not_negative",
                condition=Q(planned__gte=0, granted__gte=0, paid__gte=0, returned__gte=0),
            ),
            models.CheckConstraint(
                name="implementation_within_grant",
                condition=Q(granted__gte=F("paid") + F("returned") - F("extra")),
            ),
            models.CheckConstraint(
                name="implementation_status_says_why",
                condition=~Q(status__in=["delayed", "given_up"]) | ~Q(why=""),
            ),
            models.CheckConstraint(
                name="implementation_delay_has_date",
                condition=~Q(status="delayed") | Q(expected_on__isnull=False),
            ),
            models.CheckConstraint(
                name="implementation_ended_has_day",
                condition=Q(status__in=["done", "given_up"], ended_on__isnull=False)
                | (~Q(status__in=["done", "given_up"]) & Q(ended_on=None, returned=0)),
            ),
            models.CheckConstraint(
                name="implementation_citizens_have_agreement",
                condition=~Q(carried_out_by="citizens") | Q(paid=0) | Q(agreement_signed_on__isnull=False),
            ),
            models.CheckConstraint(
                name="implementation_citizens_done_with_accounts",
                condition=~Q(carried_out_by="citizens")
                | ~Q(status="done")
                | Q(accounts_approved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="implementation_accounts_four_eyes",
                condition=Q(accounts_approved_by=None) | ~Q(accounts_approved_by=F("accounts_sent_by")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.project)

    @property
    def public_title(self) -> str:
        """What the account calls it: no words that a moderator took off the page."""
        contribution = self.project.contribution
        return (
            contribution.title if contribution.is_public else gettext("A project whose text is off the page")
        )

    @property
    def total_granted(self) -> Decimal:
        return self.granted + self.extra

    @property
    def left(self) -> Decimal:
        """What may still be paid out."""
        return self.granted + self.extra - self.paid - self.returned

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def day_is_told(self) -> bool:
        """Everyone has been told when it is expected to be done: another day is a delay, which says why."""
        return self.expected_on is not None and (
            self.promised_at is not None or self.status == Progress.DELAYED
        )

    @property
    def by_citizens(self) -> bool:
        return self.carried_out_by == Carrier.CITIZENS


class Promise(models.Model):
    """One thing that the project was to give. Published promises are never rewritten: only delivered, dropped because, or
    taken out because it stood there by mistake."""

    class State(models.TextChoices):
        PROMISED = "promised", _("Promised")
        DELIVERED = "delivered", _("Delivered")
        DROPPED = "dropped", _("Dropped")
        TAKEN_OUT = "taken_out", _("Taken out")

    implementation = models.ForeignKey(Implementation, on_delete=models.CASCADE, related_name="promises")
    text = models.CharField(_("what was promised"), max_length=300)
    position = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PROMISED)
    settled_on = models.DateField(_("on"), null=True)
    reason = models.TextField(_("because"), max_length=1000, blank=True)
    added_on = models.DateField(_("added"))
    added_late = models.BooleanField(default=False, help_text=_("After the list was published."))
    added_because = models.TextField(_("added because"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(name="promise_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="promise_settled_has_day",
                condition=Q(state="promised", settled_on=None)
                | (~Q(state="promised") & Q(settled_on__isnull=False)),
            ),
            models.CheckConstraint(
                name="promise_dropped_says_why",
                condition=~Q(state__in=["dropped", "taken_out"]) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="promise_late_says_why", condition=Q(added_late=False) | ~Q(added_because="")
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Milestone(models.Model):
    implementation = models.ForeignKey(Implementation, on_delete=models.CASCADE, related_name="milestones")
    title = models.CharField(_("milestone"), max_length=120)
    planned_on = models.DateField(_("planned"))
    first_planned_on = models.DateField(_("first planned"))
    reached_on = models.DateField(_("reached"), null=True, blank=True)

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["planned_on", "pk"]
        constraints = [models.CheckConstraint(name="milestone_has_title", condition=~Q(title=""))]

    def __str__(self) -> str:
        return self.title


class ExtraGrant(models.Model):
    """Money granted after the council's decision, each time with its reason. Never changed; a mistake is met by a negative
    one."""

    implementation = models.ForeignKey(Implementation, on_delete=models.CASCADE, related_name="extra_grants")
    amount = models.DecimalField(_("kroner"), max_digits=14, decimal_places=2)
    reason = models.TextField(_("because"), max_length=1000)
    decided_on = models.DateField(_("granted"))
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("later grant")
        verbose_name_plural = _("later grants")
        ordering = ["decided_on", "pk"]
        constraints = [
            models.CheckConstraint(name="extra_grant_says_why", condition=~Q(amount=0) & ~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.amount}"


class Payment(models.Model):
    """Money that left the grant. Never changed and never deleted: a correction is its exact opposite, and what comes back
    is a line of its own."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("Payment")
        CORRECTION = "correction", _("Correction")
        REPAYMENT = "repayment", _("Paid back")

    implementation = models.ForeignKey(Implementation, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PAYMENT)
    amount = models.DecimalField(_("kroner"), max_digits=14, decimal_places=2)
    paid_on = models.DateField(_("day"))
    text = models.CharField(_("to what"), max_length=200)
    corrects = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by"
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["paid_on", "pk"]
        constraints = [
            models.CheckConstraint(name="payment_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="payment_sign",
                condition=Q(kind="payment", amount__gt=0, corrects=None)
                | Q(kind="correction", corrects__isnull=False) & ~Q(amount=0)
                | Q(kind="repayment", amount__lt=0, corrects=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.paid_on} {self.amount}"


class AccountEntry(models.Model):
    """What the citizens who carry it out spent the money on, line by line with its receipt. What they enter counts when a
    caseworker has confirmed it; a confirmed line is never changed."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for the municipality")
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Not accepted")

    implementation = models.ForeignKey(Implementation, on_delete=models.CASCADE, related_name="entries")
    amount = models.DecimalField(_("kroner"), max_digits=14, decimal_places=2)
    spent_on = models.DateField(_("day"))
    text = models.CharField(_("for what"), max_length=200)
    receipt = models.ForeignKey(
        StoredFile,
        verbose_name=_("receipt"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="account_entries",
    )
    receipt_public = models.BooleanField(
        _("everyone may see the receipt"),
        default=False,
        help_text=_("Only when it holds no names, addresses or account numbers."),
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    refused_because = models.CharField(_("not accepted because"), max_length=500, blank=True)
    corrects = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    recorded_at = models.DateTimeField()
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("line of the accounts")
        verbose_name_plural = _("lines of the accounts")
        ordering = ["spent_on", "pk"]
        constraints = [
            models.CheckConstraint(name="entry_has_text", condition=~Q(text="") & ~Q(amount=0)),
            models.CheckConstraint(
                name="entry_sign", condition=Q(corrects=None, amount__gt=0) | Q(corrects__isnull=False)
            ),
            models.CheckConstraint(
                name="entry_refused_says_why", condition=~Q(state="refused") | ~Q(refused_because="")
            ),
            models.CheckConstraint(
                name="entry_settled_by_someone",
                condition=Q(state="waiting", settled_by=None)
                | (~Q(state="waiting") & Q(settled_by__isnull=False, settled_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spent_on} {self.amount}"


class ProgressNoteQuerySet(models.QuerySet["ProgressNote"]):
    def shown(self) -> Self:
        return self.filter(state=ProgressNote.State.SHOWN)


class ProgressNote(models.Model):
    """The public diary of a project: news, and every change of what was promised, when, and how it goes. What citizens
    tell is shown when a caseworker has confirmed it; it never carries their names."""

    class Kind(models.TextChoices):
        NEWS = "news", _("News")
        PLAN = "plan", _("The plan was published")
        PROMISE_ADDED = "promise_added", _("Added to what was promised")
        PROMISE_DELIVERED = "delivered", _("Delivered")
        PROMISE_DROPPED = "dropped", _("Dropped")
        PROMISE_TAKEN_OUT = "taken_out", _("Taken out of what was promised")
        MILESTONE = "milestone", _("Milestone reached")
        MILESTONE_MOVED = "moved", _("Milestone moved")
        EXTRA_GRANT = "extra_grant", _("More money granted")
        ACCOUNTS = "accounts", _("Accounts approved")
        CARRIER = "carrier", _("Somebody else carries it out")
        STATUS = "status", _("How it goes")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for the municipality")
        SHOWN = "shown", _("Shown")
        REFUSED = "refused", _("Not shown")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    implementation = models.ForeignKey(Implementation, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=13, choices=Kind.choices, default=Kind.NEWS)
    title = models.CharField(_("title"), max_length=300)
    text = models.TextField(_("text"), max_length=4000, blank=True)
    status = models.CharField(max_length=8, choices=Progress.choices, blank=True)
    expected_on = models.DateField(_("expected to be done"), null=True, blank=True)
    milestone = models.ForeignKey(
        Milestone, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    photo = models.ForeignKey(
        StoredFile,
        verbose_name=_("photo"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="progress_notes",
    )
    state = models.CharField(max_length=7, choices=State.choices, default=State.SHOWN)
    refused_because = models.CharField(_("not shown because"), max_length=500, blank=True)
    at = models.DateTimeField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ProgressNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("news of a project")
        verbose_name_plural = _("news of projects")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(name="note_has_title", condition=~Q(title="")),
            models.CheckConstraint(
                name="note_refused_says_why", condition=~Q(state="refused") | ~Q(refused_because="")
            ),
            models.CheckConstraint(
                name="note_of_status_has_status", condition=Q(kind="status") ^ Q(status="")
            ),
            models.CheckConstraint(
                name="note_of_trouble_says_why",
                condition=~Q(status__in=["delayed", "given_up"]) | ~Q(text=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title


NO_MONEY = Value(Decimal(0), output_field=models.DecimalField(max_digits=14, decimal_places=2))


def confirmed_sum() -> Coalesce:
    """What the confirmed lines of the accounts come to, for `annotate`/`aggregate` over entries."""
    return Coalesce(models.Sum("amount", filter=Q(state=AccountEntry.State.CONFIRMED)), NO_MONEY)
