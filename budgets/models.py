"""A citizen budget: the money, the projects, and a vote that nobody can tie to a voter.

Roll and ballot are two tables that nothing ties together: no foreign key, time, sequence or address
(docs/security.md is honest about what the database itself remembers until sealing).
"""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, CharField, DecimalField, F, OuterRef, Q, When
from django.db.models.functions import Cast, Coalesce, JSONObject, Length
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from participation.choices import PUBLIC, IntakeChannel, Moderation
from participation.danish import DaSort
from participation.models import Contribution, Phase, Process, ProcessDetail


class BallotType(models.TextChoices):
    APPROVAL = "approval", _("Choose up to a number of projects")
    CHOOSE_ONE = "choose_one", _("Choose one project")
    CUMULATIVE = "cumulative", _("Give points to projects")
    KNAPSACK = "knapsack", _("Choose projects within the money")
    ORDINAL = "ordinal", _("Rank projects")  # only in imported elections


class CountingRule(models.TextChoices):
    GREEDY = "greedy", _("Most votes first; what no longer fits is skipped")
    GREEDY_NO_SKIP = "greedy-no-skip", _("Most votes first; stop at the first that does not fit")
    EQUAL_SHARES = "equal-shares", _("Equal shares: each voter has an equal part of the money")


class CitizenBudget(ProcessDetail):
    """The rules of the money and the vote. Frozen at approval by a trigger. People enter whole kroner;
    two decimals are there for elections imported from elsewhere."""

    total = models.DecimalField(_("the money"), max_digits=14, decimal_places=2)
    min_cost = models.DecimalField(_("smallest project"), max_digits=14, decimal_places=2, default=0)
    max_cost = models.DecimalField(
        _("largest project"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    currency = models.CharField(max_length=3, default="DKK")
    propose_rule = models.OneToOneField(
        "accounts.EligibilityRule",
        verbose_name=_("who may propose"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    vote_rule = models.OneToOneField(
        "accounts.EligibilityRule", verbose_name=_("who may vote"), on_delete=models.PROTECT, related_name="+"
    )
    ballot_type = models.CharField(
        _("ballot"), max_length=10, choices=BallotType.choices, default=BallotType.APPROVAL
    )
    max_choices = models.PositiveSmallIntegerField(
        _("at most"), null=True, blank=True, help_text=_("How many projects a voter may choose.")
    )
    min_choices = models.PositiveSmallIntegerField(_("at least"), default=1)
    points = models.PositiveSmallIntegerField(_("points to give"), null=True, blank=True)
    counting_rule = models.CharField(
        _("counting rule"), max_length=14, choices=CountingRule.choices, default=CountingRule.GREEDY
    )
    min_votes = models.PositiveIntegerField(_("fewest votes a project must have"), default=0)
    adjust_days = models.PositiveSmallIntegerField(
        _("days to adjust a project after its assessment"), default=7
    )
    publish_ballots_from = models.PositiveIntegerField(
        _("ballots are published from"),
        default=200,
        help_text=_("With fewer ballots only totals are published, because ballots can point people out."),
    )
    winners_carry_out = models.BooleanField(
        _("the winners carry their project out themselves"), default=False
    )

    class Meta:
        verbose_name = _("citizen budget")
        verbose_name_plural = _("citizen budgets")
        constraints = [
            models.CheckConstraint(name="budget_total_positive", condition=Q(total__gt=0)),
            models.CheckConstraint(
                name="budget_costs_in_order",
                condition=Q(max_cost__isnull=True) | Q(max_cost__gte=F("min_cost"), max_cost__lte=F("total")),
            ),
            models.CheckConstraint(
                name="budget_choices_in_order",
                condition=Q(max_choices__isnull=True) | Q(max_choices__gte=F("min_choices")),
            ),
            models.CheckConstraint(
                name="budget_points_given", condition=~Q(ballot_type="cumulative") | Q(points__gt=0)
            ),
            models.CheckConstraint(
                name="budget_min_votes_with_greedy", condition=Q(min_votes=0) | Q(counting_rule="greedy")
            ),
        ]

    def __str__(self) -> str:
        return str(self.process)


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

    def on_ballot(self) -> Self:
        """What stands on the ballot, in the order of their numbers. Whoever has a number keeps it."""
        return self.exclude(number="").order_by(Length("number"), "number")

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
        unnumbered = Case(When(number="", then=1), default=0)
        return self.order_by(unnumbered, Length("number"), "number", "contribution__created_at", "pk")

    def for_list(self) -> Self:
        """What a row of the public list shows, in one query."""
        return self.select_related(
            "contribution__author",
            "contribution__organisation",
            "contribution__district",
            "contribution__home_district",
        ).defer(
            "contribution__search_vector",
            "contribution__author_contact",
            "contribution__district__geometry",
            "contribution__home_district__geometry",
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
        ]

    def __str__(self) -> str:
        return str(self.contribution)


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


class RoundQuerySet(models.QuerySet["Round"]):
    def sealed(self) -> Self:
        """Rounds whose ballots have been opened, counted or not yet."""
        return self.filter(state__in=Round.OPENED)

    def for_voting(self) -> Self:
        """The round with all that a vote is checked against, in one query: rules, phase, and `paper`, the numbers
        and prices that stand on the ballot."""
        paper = (
            Project.objects.on_ballot()
            .filter(contribution__process=OuterRef("process"))
            .values(entry=JSONObject(number="number", price=Cast("price", CharField())))
        )
        return self.select_related("phase", "process__citizenbudget__vote_rule").annotate(
            paper=ArraySubquery(paper)
        )

    def open_at(self, slug: str, at: datetime) -> Self:
        """The round of a public process that takes votes at this moment."""
        return self.filter(
            process__slug=slug,
            process__status__in=PUBLIC,
            phase__interval__contains=at,
            state=self.model.State.VOTING,
        )


class Round(models.Model):
    """One vote with its own roll, ballots and count. The row is made when voting opens; from then on the projects on
    the ballot are frozen by triggers. Counting is a state of the round, not a phase."""

    class State(models.TextChoices):
        VOTING = "voting", _("Voting")
        SEALED = "sealed", _("Sealed")
        COUNTED = "counted", _("Counted")
        DROPPED = "dropped", _("Called off, the ballots destroyed unopened")

    OPENED = frozenset({State.SEALED, State.COUNTED})

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveSmallIntegerField(default=1)
    phase = models.OneToOneField(Phase, null=True, on_delete=models.PROTECT, related_name="round")
    state = models.CharField(max_length=7, choices=State.choices, default=State.VOTING)
    opened_at = models.DateTimeField(_("opened"))
    ballot_bytes = models.PositiveIntegerField(
        help_text=_("How long every ballot is made before it is encrypted, so that length tells nothing.")
    )
    sealed_at = models.DateTimeField(null=True)
    sealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ballots_per_channel = models.JSONField(default=dict)
    ballot_count = models.PositiveIntegerField(default=0)
    pb_sha256 = models.CharField(max_length=64, blank=True)
    roll_anonymised_at = models.DateTimeField(null=True)
    imported_meta = models.JSONField(
        default=dict, help_text=_("What the file said about an election that was held elsewhere.")
    )

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("voting round")
        verbose_name_plural = _("voting rounds")
        constraints = [models.UniqueConstraint(fields=["process", "number"], name="round_number_once")]

    def __str__(self) -> str:
        return f"{self.process} {self.number}"

    @property
    def imported(self) -> bool:
        return bool(self.imported_meta)

    @property
    def backups_to_destroy(self) -> str:
        """What the database's keepers must do after sealing (docs/security.md, "The secret ballot")."""
        if self.sealed_at is None or self.imported:
            return ""
        first, last = (
            formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
            for at in (self.opened_at, self.sealed_at)
        )
        return gettext(
            "Destroy every backup, snapshot and archived write-ahead log of the database made between %(first)s and "
            "%(last)s, and take a new backup now: the old ones could still tell who cast which ballot."
        ) % {"first": first, "last": last}


class Roll(models.Model):
    """Who has voted. Never how: nothing here ties to a ballot."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="roll")
    person = models.ForeignKey("accounts.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.CharField(max_length=13, choices=IntakeChannel.choices, default=IntakeChannel.WEB)
    day = models.DateField()
    age_band = models.CharField(max_length=8, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    district = models.ForeignKey("accounts.District", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("roll entry")
        verbose_name_plural = _("roll")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "person"], name="roll_one_vote_each", condition=Q(person__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Ballot(models.Model):
    """A cast ballot while voting is open: choices sorted, padded and encrypted with AES-GCM under BALLOT_KEY."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="ballots")
    channel = models.CharField(max_length=13, choices=IntakeChannel.choices, default=IntakeChannel.WEB)
    pot = models.CharField(max_length=20, blank=True)
    choices = models.BinaryField()
    tracker = models.CharField(
        max_length=64, blank=True, help_text=_("HMAC of the tracker code; empty when declined.")
    )

    class Meta:
        verbose_name = _("ballot")
        verbose_name_plural = _("ballots")

    def __str__(self) -> str:
        return str(self.id)


class CountedBallot(models.Model):
    """A ballot after sealing: decrypted into a new table in random order."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="counted_ballots")
    channel = models.CharField(max_length=13, choices=IntakeChannel.choices)
    pot = models.CharField(max_length=20, blank=True)
    choices = models.JSONField(help_text=_("A list of [project number, points]."))
    tracker = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("counted ballot")
        verbose_name_plural = _("counted ballots")
        indexes = [models.Index(fields=["round", "tracker"], name="counted_tracker")]

    def __str__(self) -> str:
        return str(self.id)


class Began(models.Model):
    """That someone opened the ballot, and nothing more: they are reminded once if they never finish. Deleted at the close."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="began")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        verbose_name = _("began to vote")
        verbose_name_plural = _("began to vote")
        constraints = [models.UniqueConstraint(fields=["round", "user"], name="began_once")]

    def __str__(self) -> str:
        return str(self.pk)


class HowItWas(models.Model):
    """How it was to vote: only how many gave each answer. No row for a voter, so nothing here tells who or when."""

    class Answer(models.TextChoices):
        EASY = "easy", _("Easy")
        FAIR = "fair", _("Neither easy nor hard")
        HARD = "hard", _("Hard")

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="how_it_was")
    answer = models.CharField(max_length=4, choices=Answer.choices)
    times = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("how it was to vote")
        verbose_name_plural = _("how it was to vote")
        constraints = [models.UniqueConstraint(fields=["round", "answer"], name="how_it_was_once_each")]

    def __str__(self) -> str:
        return f"{self.get_answer_display()}: {self.times}"


class Lot(models.Model):
    """A public lot between tied projects: drawn outside the computer, recorded here."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="lots")
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
    """A count of a sealed round. Stops at a tie that decides until the lot is recorded."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="count")
    rule = models.CharField(max_length=40, choices=CountingRule.choices)
    winners = ArrayField(
        models.CharField(max_length=40),
        null=True,
        help_text=_("Project numbers; empty while a tie waits for its lot."),
    )
    spent = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    outcome = models.JSONField(help_text=_("How each decision of the count came about (budgets.counting)."))
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
