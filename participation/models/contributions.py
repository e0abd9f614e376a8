"""What people give, and what is said back."""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Count, Exists, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from participation.choices import PUBLIC, IntakeChannel, Moderation, NameShown, Outcome
from participation.models.process import Phase, Process

if TYPE_CHECKING:
    from accounts.models import User


class Theme(models.Model):
    """Contributions that say the same, answered together."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="themes")
    title = models.CharField(_("theme"), max_length=160)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("themes")
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["process", "title"], name="theme_once"),
            models.CheckConstraint(name="theme_outcome_has_answer", condition=Q(outcome="") | ~Q(answer="")),
        ]

    def __str__(self) -> str:
        return self.title


STANDING = ~Q(moderation__in=[Moderation.WITHDRAWN, Moderation.REJECTED, Moderation.MERGED])


class Among(Func):
    """`value = ANY(ARRAY(subquery))`: asked once and answered by the index, also beside an OR."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()


def by_author(user: Any, contribution: str = "") -> Q:
    """Rows that have this user among the authors of their `contribution` (the row itself when left out)."""
    from participation.models.team import CoAuthor

    mine = CoAuthor.objects.accepted().filter(user=user).values("contribution")
    author = f"{contribution}__author" if contribution else "author"
    return Q(**{author: user}) | Q(Among(F(contribution or "pk"), ArraySubquery(mine)))


def others(path: str = "pk") -> Coalesce:
    """How many stand behind it besides the author; `path` leads from the row to the contribution."""
    from participation.models.team import CoAuthor

    team = CoAuthor.objects.accepted().filter(contribution=OuterRef(path)).order_by().values("contribution")
    return Coalesce(Subquery(team.annotate(number=Count("pk")).values("number")), 0)


class ContributionQuerySet(models.QuerySet["Contribution"]):
    def public(self) -> Self:
        """What anyone may read."""
        return self.filter(moderation=Moderation.PUBLISHED, process__status__in=PUBLIC)

    def standing(self) -> Self:
        """What was given and is owed an answer of its own: neither withdrawn, turned away nor gathered into another."""
        return self.filter(STANDING)

    def for_list(self, *related: str) -> Self:
        """What a row shows, in one query."""
        from participation.models.files import first_photo

        return (
            self.select_related(
                "process", "author", "organisation", "district", "home_district", "theme", *related
            )
            .defer(
                "process__search_vector",
                "search_vector",
                "author_contact",
                "district__geometry",
                "home_district__geometry",
            )
            .annotate(others=others(), first_photo=first_photo())
        )

    def with_support_of(self, user: Any) -> Self:
        """With `supported`: whether this user supports it."""
        from participation.models import Support

        person_id = user.person_id if user.is_authenticated else None
        if person_id is None:
            return self.annotate(supported=Value(False))
        return self.annotate(
            supported=Exists(Support.objects.filter(contribution=OuterRef("pk"), person=person_id))
        )

    def with_outcome(self, outcome: str) -> Self:
        """With this outcome, of its own or through its theme; "intet": none yet."""
        if outcome == "intet":
            return self.filter(Q(outcome="") & (Q(theme=None) | Q(theme__outcome="")))
        return self.filter(Q(outcome=outcome) | (Q(outcome="") & Q(theme__outcome=outcome)))

    def with_author(self) -> Self:
        """What the names behind it are made of."""
        return self.select_related("process", "author", "organisation", "home_district")

    def of_author(self, user: "User") -> Self:
        """What this user stands behind, as its author or as an accepted co-author (`participation.team`)."""
        return self.filter(by_author(user)).select_related("process", "theme").defer("search_vector")


class Contribution(models.Model):
    """An idea, a response, a proposal: what a format calls it is in the format's OneToOne detail.

    The author is a user, or someone a caseworker recorded it for (`person` where recognised, else only a name and a
    way to answer). Sex, age band and district are frozen at the moment of participation, for breadth.
    `search_vector` is NULL unless the contribution is public; a database trigger keeps it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="contributions")
    phase = models.ForeignKey(Phase, null=True, on_delete=models.SET_NULL, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="contributions",
    )
    person = models.ForeignKey(
        "accounts.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(
        _("name"), max_length=200, blank=True, help_text=_("As given when it was recorded for someone.")
    )
    author_contact = models.CharField(_("where to answer"), max_length=200, blank=True)
    name_shown = models.CharField(
        _("name shown"), max_length=5, choices=NameShown.choices, default=NameShown.FIRST
    )

    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"), max_length=6000)
    place = models.CharField(_("place"), max_length=200, blank=True)
    lat = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=6, null=True, blank=True, help_text=_("Degrees, WGS 84.")
    )
    lng = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    district = models.ForeignKey(
        "accounts.District",
        verbose_name=_("district"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    channel = models.CharField(
        _("how it came"), max_length=13, choices=IntakeChannel.choices, default=IntakeChannel.WEB
    )
    received_on = models.DateField(_("received"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("given"))
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    age_band = models.CharField(max_length=8, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    home_district = models.ForeignKey(
        "accounts.District", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    moderation = models.CharField(
        _("moderation"), max_length=9, choices=Moderation.choices, default=Moderation.PENDING
    )
    moderation_reason = models.TextField(_("reason"), blank=True)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("gathered into"),
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="gathered",
        help_text=_("Never one that is itself gathered into another: a trigger sees to it (migration 0010)."),
    )

    theme = models.ForeignKey(
        Theme,
        verbose_name=_("theme"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="contributions",
    )
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    told_how = models.CharField(
        _("told"),
        max_length=200,
        blank=True,
        help_text=_("How an author without an account was told, or why there was no route."),
    )
    told_at = models.DateTimeField(null=True, blank=True)

    # Counted by the database (models/arguments.py); published arguments, replies left out.
    support_count = models.PositiveIntegerField(_("supporters"), default=0, editable=False)
    arguments_for = models.PositiveIntegerField(_("arguments for"), default=0, editable=False)
    arguments_against = models.PositiveIntegerField(_("arguments against"), default=0, editable=False)

    search_vector = SearchVectorField(null=True, editable=False)

    objects = ContributionQuerySet.as_manager()

    class Meta:
        verbose_name = _("contribution")
        verbose_name_plural = _("contributions")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["process", "moderation", "-created_at"], name="contribution_list"),
            models.Index(fields=["author", "-created_at"], name="contribution_author"),
            GinIndex(fields=["search_vector"], name="contribution_search"),
        ]
        constraints = [
            models.CheckConstraint(
                name="contribution_rejected_has_reason",
                condition=~Q(moderation="rejected") | ~Q(moderation_reason=""),
            ),
            models.CheckConstraint(
                name="contribution_merged_leads_on",
                condition=Q(moderation="merged", merged_into__isnull=False)
                | ~Q(moderation="merged") & Q(merged_into=None),
            ),
            models.CheckConstraint(
                name="contribution_merged_into_another", condition=~Q(merged_into=F("id"))
            ),
            models.CheckConstraint(
                name="contribution_outcome_has_reason", condition=Q(outcome="") | ~Q(answer="")
            ),
            models.CheckConstraint(
                name="contribution_point_whole",
                condition=Q(lat=None, lng=None)
                | Q(lat__range=(-90, 90), lng__range=(-180, 180), lat__isnull=False, lng__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("participation:contribution-detail", args=[self.process.slug, self.public_id])

    @property
    def point(self) -> tuple[Decimal, Decimal] | None:
        """Latitude and longitude, as people say them."""
        return None if self.lat is None or self.lng is None else (self.lat, self.lng)

    @point.setter
    def point(self, value: tuple[Decimal, Decimal] | None) -> None:
        self.lat, self.lng = value or (None, None)

    @property
    def is_public(self) -> bool:
        return self.moderation == Moderation.PUBLISHED and self.process.status in PUBLIC

    @property
    def argument_count(self) -> int:
        return self.arguments_for + self.arguments_against

    @property
    def final_outcome(self) -> str:
        """Its own outcome, or its theme's."""
        return self.outcome or (self.theme.outcome if self.theme else "")

    @property
    def final_answer(self) -> str:
        return self.answer or (self.theme.answer if self.theme else "")

    def get_final_outcome_display(self) -> str:
        return str(Outcome(self.final_outcome).label) if self.final_outcome else ""


class InternalComment(models.Model):
    """Between colleagues; never shown to the public or the author."""

    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="internal_comments")
    text = models.TextField(_("comment"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("internal comment")
        verbose_name_plural = _("internal comments")
        ordering = ["at"]

    def __str__(self) -> str:
        return self.text[:60]


class ContributionReport(models.Model):
    """Someone thinks a contribution breaks the rules of the debate."""

    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="reports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(_("what is wrong"), max_length=1000)
    at = models.DateTimeField()
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    handled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("report of a contribution")
        verbose_name_plural = _("reports of contributions")
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["contribution", "by"], name="contribution_report_once", condition=Q(by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.reason[:60]


class Draft(models.Model):
    """What someone typed before signing in, kept until it is sent or has expired. Found again by its secret token
    (in the address after sign-in, also when MitID came back in another browser) or by its user. Never a ballot."""

    token_hash = models.CharField(max_length=64, unique=True)
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="drafts"
    )
    contribution = models.ForeignKey(
        Contribution,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("What it argues about."),
    )
    argument = models.ForeignKey(
        "participation.Argument",
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("What it replies to."),
    )
    data = models.JSONField(default=dict)
    saved_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("unfinished contribution")
        verbose_name_plural = _("unfinished contributions")
        indexes = [models.Index(fields=["expires_at"], name="draft_expires")]

    def __str__(self) -> str:
        return f"{self.process_id} {self.saved_at:%Y-%m-%d}"


class ProcessQuestion(models.Model):
    """ "Spørg om forløbet": a public question with a deadline for the answer."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="questions")
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="process_questions"
    )
    asker_email = models.EmailField(_("e-mail"), blank=True)
    text = models.TextField(_("question"), max_length=2000)
    asked_at = models.DateTimeField()
    due_on = models.DateField(_("answer by"))
    moderation = models.CharField(max_length=9, choices=Moderation.choices, default=Moderation.PENDING)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("question about a process")
        verbose_name_plural = _("questions about processes")
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return self.text[:60]
