"""A voting round: who has voted, the ballots, and nothing that ties the two.

Roll and ballot are two tables that nothing ties together: no foreign key, time, sequence or address
(docs/security.md is honest about what the database itself remembers until sealing).
"""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import CharField, OuterRef, Q
from django.db.models.functions import Cast, JSONObject, Length
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from budgets.models.projects import Project
from budgets.models.rules import Pot
from participation.choices import PUBLIC
from participation.models import Phase, Process


class VoteChannel(models.TextChoices):
    """How a vote was given. Roll and ballots are reconciled for each."""

    WEB = "web", _("With MitID here on the site")
    CODE = "code", _("With a voting code here on the site")
    POLLING_PLACE = "polling_place", _("At a polling place")


class RoundQuerySet(models.QuerySet["Round"]):
    def sealed(self) -> Self:
        """Rounds whose ballots have been opened, counted or not yet."""
        return self.filter(state__in=Round.OPENED)

    def for_voting(self) -> Self:
        """The round with all that a vote is checked against, in one query: rules, phase, `paper` (number, price, pot and
        alternative of each project on the ballot) and `pots` (key, name, money and district of each, in order)."""
        paper = (
            BallotProject.objects.filter(round=OuterRef("pk"))
            .order_by()
            .values(
                entry=JSONObject(
                    number="number", price=Cast("price", CharField()), pot="pot", alternative="alternative"
                )
            )
        )
        pots = (
            Pot.objects.filter(budget=OuterRef("process"))
            .order_by("position", "pk")
            .values(
                pot=JSONObject(key="key", name="name", total=Cast("total", CharField()), district="district")
            )
        )
        return self.select_related("phase", "process__citizenbudget__vote_rule").annotate(
            paper=ArraySubquery(paper), pots=ArraySubquery(pots)
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
    the ballot are frozen by triggers. Counting is a state of the round, not a phase.

    With polling places the urn is opened at the close, but the round is only sealed when every place has entered its paper
    ballots and signed its account: until then it is `PAPER`, nothing is published and nothing can be counted."""

    class State(models.TextChoices):
        VOTING = "voting", _("Voting")
        PAPER = "paper", _("The paper ballots are being entered")
        SEALED = "sealed", _("Sealed")
        COUNTED = "counted", _("Counted")
        DROPPED = "dropped", _("Called off, the ballots destroyed unopened")

    class Kind(models.TextChoices):
        SHORTLIST = "shortlist", _("First round")
        FINAL = "final", _("Vote")
        MEETING = "meeting", _("Meeting")

    OPENED = frozenset({State.SEALED, State.COUNTED})

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.FINAL)
    phase = models.OneToOneField(Phase, null=True, on_delete=models.PROTECT, related_name="round")
    state = models.CharField(max_length=7, choices=State.choices, default=State.VOTING)
    opened_at = models.DateTimeField(_("opened"))
    ballot_bytes = models.PositiveIntegerField(
        help_text=_("How long every ballot is made before it is encrypted, so that length tells nothing.")
    )
    sealed_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(
        null=True, help_text=_("When the paper ballots had come in too; empty where there are none.")
    )
    sealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ballots_per_channel = models.JSONField(default=dict)
    ballot_count = models.PositiveIntegerField(default=0)
    files = models.JSONField(
        default=list,
        help_text=_(
            "What is published, one for each pot: [{pot, name, ballots, with_ballots, sha256}]. Written at sealing."
        ),
    )
    count_asked_at = models.DateTimeField(
        null=True, help_text=_("While a task counts a vote that would keep the asker waiting; else empty.")
    )
    count_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
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
    def shown_kind(self) -> str:
        """What people call it: where there are two rounds, the last is the final round."""
        if self.kind == self.Kind.FINAL and self.number > 1:
            return gettext("Final round")
        return str(self.get_kind_display())

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


class BallotProjectQuerySet(models.QuerySet["BallotProject"]):
    def in_order(self) -> Self:
        """By number as they count: 10 after 9."""
        return self.order_by(Length("number"), "number")


class BallotProject(models.Model):
    """A project as it stood on the ballot of one round: written when the round opens, never changed. What is voted
    on, counted and published is read here, so that a project can be improved between two rounds."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="ballot_projects")
    project = models.ForeignKey(Project, on_delete=models.RESTRICT, related_name="on_ballots")
    number = models.CharField(_("number"), max_length=40)
    title = models.CharField(_("title"), max_length=120)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2)
    least_price = models.DecimalField(
        _("can be done for at least"),
        max_digits=14,
        decimal_places=2,
        null=True,
        help_text=_("Empty: only for the whole price."),
    )
    pot = models.CharField(max_length=20, blank=True, help_text=_("The key of its pot; empty without pots."))
    alternative = models.CharField(
        max_length=20, blank=True, help_text=_("The same for those that exclude each other; else empty.")
    )

    objects = BallotProjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("project on a ballot")
        verbose_name_plural = _("projects on ballots")
        constraints = [
            models.UniqueConstraint(fields=["round", "number"], name="ballot_project_number_once"),
            models.UniqueConstraint(fields=["round", "project"], name="ballot_project_once"),
            models.CheckConstraint(
                name="ballot_project_least_below_price",
                condition=Q(least_price=None) | Q(least_price__gt=0, least_price__lte=models.F("price")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class Roll(models.Model):
    """Who has voted. Never how: nothing here ties to a ballot."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="roll")
    person = models.ForeignKey("accounts.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    code = models.ForeignKey(
        "budgets.VotingCode",
        null=True,
        on_delete=models.RESTRICT,
        related_name="+",
        help_text=_(
            "A code handed out in class, which is tied to nobody. Of a personal code the person stands here."
        ),
    )
    channel = models.CharField(max_length=13, choices=VoteChannel.choices, default=VoteChannel.WEB)
    pot = models.CharField(
        max_length=20,
        blank=True,
        help_text=_("The district's pot that was voted in, beside the city-wide one."),
    )
    place = models.ForeignKey(
        "budgets.PollingPlace", null=True, on_delete=models.PROTECT, related_name="roll"
    )
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
            models.CheckConstraint(
                name="roll_place_with_its_channel",
                condition=Q(channel="polling_place", place__isnull=False)
                | (~Q(channel="polling_place") & Q(place=None)),
            ),
            models.UniqueConstraint(
                fields=["round", "code"], name="roll_one_vote_a_code", condition=Q(code__isnull=False)
            ),
            models.CheckConstraint(
                name="roll_person_or_code",
                condition=Q(code=None) | Q(person=None, channel=VoteChannel.CODE),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Ballot(models.Model):
    """A cast ballot while voting is open: choices sorted, padded and encrypted with AES-GCM under BALLOT_KEY."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="ballots")
    channel = models.CharField(max_length=13, choices=VoteChannel.choices, default=VoteChannel.WEB)
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
    channel = models.CharField(max_length=13, choices=VoteChannel.choices)
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
