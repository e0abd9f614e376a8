"""The rules of the money and the vote. Frozen at approval by triggers."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from participation.models import Process, ProcessDetail


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


class DecidedBy(models.TextChoices):
    VOTE = "vote", _("Those who may vote choose by ballot")
    MEETING = "meeting", _("A local group shares the money out at a meeting")


class Leftover(models.TextChoices):
    """What becomes of money that a district's pot does not use."""

    STAYS = "stays", _("It goes back to the municipality")
    TO_CITY = "to_city", _("It is added to the city-wide pot, which is counted last")


class DistrictVote(models.TextChoices):
    """Which district's pot one votes in, beside the city-wide one."""

    HOME = "home", _("The district one lives in")
    CHOSEN = "chosen", _("One district of one's own choice")


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
    decided_by = models.CharField(
        _("who chooses"), max_length=7, choices=DecidedBy.choices, default=DecidedBy.VOTE
    )
    procedure = models.TextField(
        _("how the meeting shares the money out"),
        max_length=3000,
        blank=True,
        help_text=_("Who may come, how one is heard, how it is decided. Public before anything is proposed."),
    )
    shortlist_size = models.PositiveSmallIntegerField(
        _("projects that go on from the first round"),
        null=True,
        blank=True,
        help_text=_("In each pot. Empty: there is only one round."),
    )
    shortlist_choices = models.PositiveSmallIntegerField(
        _("at most in the first round"),
        null=True,
        blank=True,
        help_text=_("How many projects a voter may choose in the first round. Empty: as in the last."),
    )
    district_vote = models.CharField(
        _("which district's pot"), max_length=6, choices=DistrictVote.choices, default=DistrictVote.HOME
    )
    leftover = models.CharField(
        _("money left over"), max_length=7, choices=Leftover.choices, default=Leftover.STAYS
    )
    part_funding = models.BooleanField(
        _("the first project that doesn't fit may get what is left"),
        default=False,
        help_text=_("Only a project that can be done for less, and says for how much at least."),
    )
    class_age_from = models.PositiveSmallIntegerField(
        _("vote in class from"),
        null=True,
        blank=True,
        help_text=_(
            "Those of these ages vote with a code handed out in class, and neither with MitID nor at a polling place."
        ),
    )
    class_age_to = models.PositiveSmallIntegerField(_("vote in class to"), null=True, blank=True)

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
            models.CheckConstraint(
                name="budget_meeting_has_procedure", condition=~Q(decided_by="meeting") | ~Q(procedure="")
            ),
            models.CheckConstraint(
                name="budget_part_funding_with_most_votes",
                condition=Q(part_funding=False) | ~Q(counting_rule="equal-shares"),
            ),
            models.CheckConstraint(
                name="budget_class_ages_in_order",
                condition=Q(class_age_from=None, class_age_to=None)
                | Q(class_age_from__isnull=False, class_age_to__gte=F("class_age_from")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.process)


class Pot(models.Model):
    """A part of the money with its own projects, votes and winners: one for the whole municipality (no district), the
    others each for a district. A budget without pots is one sum. A voter votes in the city-wide pot and in one of the
    districts'. The pots' money is together the budget's total (`budgets.actions.setup`)."""

    budget = models.ForeignKey(CitizenBudget, on_delete=models.CASCADE, related_name="pots")
    key = models.SlugField(
        _("key"), max_length=20, help_text=_("Stands beside each ballot and in the name of the file.")
    )
    name = models.CharField(_("name"), max_length=80)
    district = models.ForeignKey(
        "accounts.District",
        verbose_name=_("district"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: the whole municipality."),
    )
    total = models.DecimalField(_("the money"), max_digits=14, decimal_places=2)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("pot")
        verbose_name_plural = _("pots")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["budget", "key"], name="pot_key_once"),
            models.UniqueConstraint(
                fields=["budget", "district"], name="pot_district_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="pot_total_positive", condition=Q(total__gt=0)),
            models.CheckConstraint(name="pot_has_key", condition=~Q(key="")),
        ]

    def __str__(self) -> str:
        return self.name


class Alternative(models.Model):
    """Projects that exclude each other (the same ground, the same house): at most one of them can win."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="alternatives")
    title = models.CharField(_("what they compete for"), max_length=120)

    class Meta:
        verbose_name = _("alternative")
        verbose_name_plural = _("alternatives")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["process", "title"], name="alternative_once")]

    def __str__(self) -> str:
        return self.title
