"""Support, and arguments for and against.

How many there are stands on the contribution and on the argument. The database counts (migration 0011): a trigger adds and
subtracts with each row, and what anything else writes into a counter is put aside, so that none drifts.
"""

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Case, F, Q, Value, When, Window
from django.db.models.functions import Cast, JSONObject, RowNumber, Sqrt
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from participation.choices import PUBLIC, Moderation, NameShown
from participation.models.contributions import Contribution
from participation.models.process import Process

if TYPE_CHECKING:
    from accounts.models import User

# The 95 % point of the normal distribution, squared.
_Z = 1.96
_Z2 = _Z**2


def wilson(useful: str, not_useful: str) -> models.Expression:
    """The lower bound of the interval that the true share of "useful" lies in with 95 % confidence, 0 without ratings.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), pp. 209-212; as a way to sort by ratings: E. Miller, "How not to sort by average
    rating" (2009). Two of two is less certain than 90 of 100. Rounded, so that equals are equal.
    """
    yes, no = Cast(F(useful), models.FloatField()), Cast(F(not_useful), models.FloatField())
    number = yes + no
    spread = Sqrt(yes * no / number + Value(_Z2 / 4)) * Value(_Z)
    bound = (yes + Value(_Z2 / 2) - spread) / (number + Value(_Z2))
    share = models.DecimalField(max_digits=10, decimal_places=9)
    return Case(
        When(Q(**{useful: 0}), then=Value(0, output_field=share)),
        default=Cast(bound, share),
        output_field=share,
    )


class Support(models.Model):
    """A person stands behind a contribution; once. Sex, age band and home district are frozen, for breadth."""

    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="supports")
    person = models.ForeignKey("accounts.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="supports"
    )
    day = models.DateField(_("day"))
    age_band = models.CharField(_("age band"), max_length=8, blank=True)
    sex = models.CharField(_("sex"), max_length=1, blank=True)
    home_district = models.ForeignKey(
        "accounts.District",
        verbose_name=_("home district"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = pgettext_lazy("noun", "support")
        verbose_name_plural = pgettext_lazy("noun, plural", "support")
        constraints = [models.UniqueConstraint(fields=["contribution", "person"], name="support_once")]
        indexes = [models.Index(fields=["user"], name="support_user")]

    def __str__(self) -> str:
        return f"{self.contribution_id} {self.day}"


class Side(models.TextChoices):
    FOR = "for", pgettext_lazy("argument", "For")
    AGAINST = "against", pgettext_lazy("argument", "Against")


BEST_FIRST = ("-score", "not_useful", "created_at", "pk")
NEWEST_FIRST = ("-created_at", "-pk")


# Of the author, organisation and district of a reply: what a name is made of.
_REPLY_NAMES = (
    "author__first_name",
    "author__last_name",
    "organisation__name",
    "organisation__kind",
    "home_district__name",
)


def _reply_fields() -> list[Any]:
    return [field for field in Argument._meta.concrete_fields if not field.generated]


class ArgumentQuerySet(models.QuerySet["Argument"]):
    def public(self) -> Self:
        """What anyone may read: published itself, on what is public, under what is published."""
        return self.filter(
            Q(parent=None) | Q(parent__moderation=Moderation.PUBLISHED),
            moderation=Moderation.PUBLISHED,
            contribution__moderation=Moderation.PUBLISHED,
            contribution__process__status__in=PUBLIC,
        )

    def for_page(self) -> Self:
        """What an argument shows beside its contribution, in one query."""
        return self.select_related("author", "organisation", "home_district").defer("home_district__geometry")

    def ranked(self, *, per: str, order: tuple[str, ...]) -> Self:
        """With `place`: 1 for the first within its side or parent."""
        by = [F(name[1:]).desc() if name.startswith("-") else F(name).asc() for name in order]
        return self.annotate(place=Window(RowNumber(), partition_by=[F(per)], order_by=by))

    def with_rating_of(self, user: "User") -> Self:
        """With `my_rating`: what this user said of it; None when nothing."""
        person_id = user.person_id if user.is_authenticated else None
        if person_id is None:
            return self.annotate(my_rating=Value(None, output_field=models.BooleanField()))
        mine = ArgumentRating.objects.filter(argument=models.OuterRef("pk"), person=person_id)
        return self.annotate(my_rating=models.Subquery(mine.values("useful")[:1]))

    def with_first_replies(self, number: int) -> Self:
        """With the first public replies to each, read along: `first_replies` makes arguments of them."""
        fields = {field.attname: field.attname for field in _reply_fields()}
        names = {name: name for name in _REPLY_NAMES}
        replies = self.model.objects.filter(parent=models.OuterRef("pk"), moderation=Moderation.PUBLISHED)
        rows = replies.order_by("created_at", "pk").values(row=JSONObject(**fields, **names))
        return self.annotate(_first_replies=ArraySubquery(rows[:number]))

    def of_author(self, user: "User") -> Self:
        return self.filter(author=user).select_related("contribution__process", "parent")


class Argument(models.Model):
    """For or against a contribution, or (with a parent) a reply to an argument. A reply has no replies of its own: the
    database refuses it, and a reply under another contribution than its parent's."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="arguments")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="replies"
    )
    side = models.CharField(_("for or against"), max_length=7, choices=Side.choices, blank=True)
    text = models.TextField(_("text"), max_length=1000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="arguments",
    )
    person = models.ForeignKey(
        "accounts.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    name_shown = models.CharField(
        _("name shown"), max_length=5, choices=NameShown.choices, default=NameShown.FIRST
    )
    age_band = models.CharField(_("age band"), max_length=8, blank=True)
    sex = models.CharField(_("sex"), max_length=1, blank=True)
    home_district = models.ForeignKey(
        "accounts.District",
        verbose_name=_("home district"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("given"))
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    moderation = models.CharField(
        _("moderation"), max_length=9, choices=Moderation.choices, default=Moderation.PENDING
    )
    moderation_reason = models.TextField(_("reason"), blank=True)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    moderated_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    useful = models.PositiveIntegerField(_("useful"), default=0, editable=False)
    not_useful = models.PositiveIntegerField(_("not useful"), default=0, editable=False)
    reply_count = models.PositiveIntegerField(_("replies"), default=0, editable=False)
    score = models.GeneratedField(
        expression=wilson("useful", "not_useful"),
        output_field=models.DecimalField(max_digits=10, decimal_places=9),
        db_persist=True,
    )

    objects = ArgumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("argument")
        verbose_name_plural = _("arguments")
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(
                fields=["contribution", "side", "-score", "not_useful", "created_at"],
                condition=Q(moderation="published", parent=None),
                name="argument_best",
            ),
            models.Index(fields=["parent", "created_at"], name="argument_replies"),
            models.Index(fields=["author", "-created_at"], name="argument_author"),
            models.Index(fields=["created_at"], condition=Q(moderation="pending"), name="argument_pending"),
        ]
        constraints = [
            models.CheckConstraint(
                name="argument_has_side_or_parent",
                condition=Q(parent=None, side__in=["for", "against"]) | Q(parent__isnull=False, side=""),
            ),
            models.CheckConstraint(
                name="argument_rejected_has_reason",
                condition=~Q(moderation="rejected") | ~Q(moderation_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    def get_absolute_url(self) -> str:
        """Its own page; a reply stands on its parent's."""
        from django.urls import reverse

        contribution = self.contribution
        main = self.parent if self.parent is not None else self
        page = reverse(
            "participation:argument-detail",
            args=[contribution.process.slug, contribution.public_id, main.public_id],
        )
        return page if self.parent_id is None else f"{page}#{self.anchor}"

    @cached_property
    def first_replies(self) -> list["Argument"]:
        """Those that `with_first_replies` read along; none without it."""
        found = []
        for row in getattr(self, "_first_replies", ()):
            fields = _reply_fields()
            values = [field.to_python(row[field.attname]) for field in fields]
            reply = Argument.from_db(self._state.db, [field.attname for field in fields], values)
            reply.parent = self
            for link in ("author", "organisation", "home_district"):
                key = row[f"{link}_id"]
                known = {
                    name.partition("__")[2]: row[name]
                    for name in _REPLY_NAMES
                    if name.startswith(f"{link}__")
                }
                model = Argument._meta.get_field(link).related_model
                setattr(reply, link, model(pk=key, **known) if key is not None else None)
            found.append(reply)
        return found

    @property
    def more_replies(self) -> bool:
        return self.reply_count > len(self.first_replies) > 0

    @property
    def anchor(self) -> str:
        return f"argument-{self.public_id}"

    @property
    def author_name(self) -> str:
        """As on a contribution; nobody writes an argument down for somebody else."""
        return ""

    @property
    def process(self) -> Process:
        return self.contribution.process

    @property
    def process_id(self) -> int:
        return self.contribution.process_id

    @property
    def is_reply(self) -> bool:
        return self.parent_id is not None

    @property
    def under_what_is_hidden(self) -> bool:
        """A reply to what is not shown is not shown either."""
        return self.parent is not None and self.parent.moderation != Moderation.PUBLISHED

    @property
    def is_public(self) -> bool:
        published = self.moderation == Moderation.PUBLISHED and not self.under_what_is_hidden
        return published and self.contribution.is_public


class ArgumentRating(models.Model):
    """Whether a person found an argument useful; once, changed and taken back as they like."""

    argument = models.ForeignKey(Argument, on_delete=models.CASCADE, related_name="ratings")
    person = models.ForeignKey("accounts.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    useful = models.BooleanField(_("useful"))

    class Meta:
        verbose_name = _("rating of an argument")
        verbose_name_plural = _("ratings of arguments")
        constraints = [models.UniqueConstraint(fields=["argument", "person"], name="argument_rating_once")]

    def __str__(self) -> str:
        return f"{self.argument_id}: {self.useful}"


class ArgumentReport(models.Model):
    """Someone thinks an argument breaks the rules of the debate."""

    argument = models.ForeignKey(Argument, on_delete=models.CASCADE, related_name="reports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(_("what is wrong"), max_length=1000)
    at = models.DateTimeField()
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    handled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("report of an argument")
        verbose_name_plural = _("reports of arguments")
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["argument", "by"], name="argument_report_once", condition=Q(by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.reason[:60]


class ArgumentComment(models.Model):
    """What staff say to each other about an argument; never shown to the public."""

    argument = models.ForeignKey(Argument, on_delete=models.CASCADE, related_name="internal_comments")
    text = models.TextField(_("internal comment"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("internal comment on an argument")
        verbose_name_plural = _("internal comments on arguments")
        ordering = ["at"]

    def __str__(self) -> str:
        return self.text[:60]
