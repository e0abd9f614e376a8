"""What people propose to spend the money on, and what the council decided about it."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, DecimalField, F, Q, When
from django.db.models.functions import Coalesce, Length
from django.utils.translation import gettext_lazy as _

from budgets.models.rules import Alternative, Pot
from participation.choices import Moderation
from participation.danish import DaSort
from participation.models import Contribution
from participation.models.contributions import others
from participation.models.files import first_photo

if TYPE_CHECKING:
    from budgets.models.rounds import Round


class Assessment(models.TextChoices):
    UNDECIDED = "undecided", _("Not assessed yet")
    FEASIBLE = "feasible", _("Can be done")
    NOT_FEASIBLE = "not_feasible", _("Can't be done")


class ProjectQuerySet(models.QuerySet["Project"]):
    def ready(self) -> Self:
        """What may be voted on when voting opens: public, and found feasible."""
        return self.filter(
            contribution__moderation=Moderation.PUBLISHED, assessment=Assessment.FEASIBLE, price__isnull=False
        )

    def may_be_shortlisted(self) -> Self:
        """What a first round is about: public, and not found impossible."""
        return self.filter(contribution__moderation=Moderation.PUBLISHED).exclude(
            assessment=Assessment.NOT_FEASIBLE
        )

    def on_ballot(self) -> Self:
        """What has stood on a ballot, in the order of their numbers. Whoever has a number keeps it."""
        return self.exclude(number="").order_by(Length("number"), "number")

    def in_round(self, round: "Round") -> Self:
        """What stands on the ballot of this round, each with the price it stood there with: `ballot_price`."""
        return (
            self.filter(on_ballots__round=round)
            .annotate(ballot_price=F("on_ballots__price"))
            .order_by(Length("number"), "number")
        )

    def in_order(self, order: str) -> Self:
        """As a list is sorted: `Project.Order`. Numbers come as they count, 10 after 9, unnumbered last."""
        match order:
            case Project.Order.NEWEST:
                return self.order_by("-contribution__created_at", "-pk")
            case Project.Order.CHEAPEST:
                return self.order_by(Coalesce("price", "cost", output_field=DecimalField()), "pk")
            case Project.Order.DEAREST:
                return self.order_by(Coalesce("price", "cost", output_field=DecimalField()).desc(), "pk")
            case Project.Order.TITLE:
                return self.order_by(DaSort("contribution__title"), "pk")
            case Project.Order.SUPPORT:
                return self.order_by("-contribution__support_count", "contribution__created_at", "pk")
        unnumbered = Case(When(number="", then=1), default=0)
        return self.order_by(unnumbered, Length("number"), "number", "contribution__created_at", "pk")

    def for_list(self) -> Self:
        """What a row of the public list shows, in one query."""
        return (
            self.select_related(
                "pot",
                "alternative",
                "contribution__author",
                "contribution__organisation",
                "contribution__district",
                "contribution__home_district",
            )
            .defer(
                "contribution__search_vector",
                "contribution__author_contact",
                "contribution__district__geometry",
                "contribution__home_district__geometry",
            )
            .annotate(others=others("contribution"), first_photo=first_photo("contribution"))
        )

    def for_pages(self) -> Self:
        return self.select_related("contribution__author", "contribution__district").prefetch_related(
            "cost_lines"
        )


class Project(models.Model):
    """A contribution that costs money. `price` is the assessor's, `cost` the proposer's own estimate."""

    class Order(models.TextChoices):
        """The orders of the public list, as they stand in its address."""

        NUMBER = "nummer", _("By number")
        NEWEST = "nyeste", _("Newest first")
        CHEAPEST = "billigst", _("Cheapest first")
        DEAREST = "dyrest", _("Dearest first")
        TITLE = "titel", _("By title")
        SUPPORT = "stoette", _("Most supported first")

    contribution = models.OneToOneField(
        Contribution, primary_key=True, on_delete=models.CASCADE, related_name="project"
    )
    number = models.CharField(
        _("number"), max_length=40, blank=True, help_text=_("Its id on the ballot and in the .pb file.")
    )
    why = models.TextField(_("why"), max_length=3000, blank=True)
    cost = models.PositiveBigIntegerField(
        _("estimated cost"), default=0, help_text=_("The sum of the cost lines, whole kroner.")
    )
    carried_out_by_citizens = models.BooleanField(_("we carry it out ourselves"), default=False)
    assessment = models.CharField(
        _("assessment"), max_length=12, choices=Assessment.choices, default=Assessment.UNDECIDED
    )
    explanation = models.TextField(_("explanation"), blank=True)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    least_price = models.DecimalField(
        _("can be done for at least"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    municipal_matter = models.BooleanField(
        _("a matter for the municipality"),
        null=True,
        blank=True,
        help_text=_("The municipality may not support single persons or firms (kommunalfuldmagten)."),
    )
    pot = models.ForeignKey(
        Pot, verbose_name=_("pot"), null=True, blank=True, on_delete=models.PROTECT, related_name="projects"
    )
    alternative = models.ForeignKey(
        Alternative,
        verbose_name=_("excludes others"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="projects",
    )
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    assessed_at = models.DateTimeField(null=True)
    adjust_until = models.DateTimeField(_("may be adjusted until"), null=True)
    adjusted_at = models.DateTimeField(null=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        constraints = [
            models.CheckConstraint(
                name="project_not_feasible_says_why",
                condition=~Q(assessment="not_feasible") | ~Q(explanation=""),
            ),
            models.CheckConstraint(
                name="project_feasible_has_price",
                condition=~Q(assessment="feasible") | Q(price__isnull=False, price__gte=0),
            ),
            models.CheckConstraint(
                name="project_feasible_is_municipal",
                condition=~Q(assessment="feasible")
                | Q(municipal_matter__isnull=False, municipal_matter=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.contribution)

    @property
    def excludes(self) -> "ProjectQuerySet":
        """The other public projects of its group: at most one of them can win."""
        others = Project.objects.filter(
            alternative=self.alternative_id, contribution__moderation=Moderation.PUBLISHED
        )
        return others.exclude(pk=self.pk).select_related("contribution__process").order_by("pk")


class CostLine(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cost_lines")
    text = models.CharField(_("what"), max_length=120)
    amount = models.PositiveBigIntegerField(_("kroner"))
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("cost line")
        verbose_name_plural = _("cost lines")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.text}: {self.amount}"


class ProjectDecision(models.Model):
    """What the council decided about one project. Differs from the vote only with a public reason."""

    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="decision"
    )
    funded = models.BooleanField(_("gets the money"))
    amount = models.DecimalField(_("kroner"), max_digits=14, decimal_places=2, null=True, blank=True)
    voted_in = models.BooleanField(_("won the vote"))
    reason = models.TextField(_("differs from the vote, because"), blank=True)

    class Meta:
        verbose_name = _("decision on a project")
        verbose_name_plural = _("decisions on projects")
        constraints = [
            models.CheckConstraint(
                name="project_decision_differs_with_reason", condition=Q(funded=F("voted_in")) | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return str(self.project_id)
