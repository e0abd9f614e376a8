"""A process and what describes it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Deferrable, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from participation.choices import OVER, PUBLIC, Moderation, Size, Status, Touches
from participation.principles.breadth import Breadth
from participation.principles.framing import Framing
from participation.principles.listening import Listening
from participation.principles.time import Time
from participation.principles.timing import Timing

if TYPE_CHECKING:
    from accounts.models import District

TITLES_NAMED = 3  # of the contributions behind a change, where a card tells of it
# Statuses in which the promises of the principles need not be there yet.
_MAY_BE_INCOMPLETE = Q(status__in=[Status.DRAFT, Status.IN_REVIEW, Status.CANCELLED, Status.INFORMED])


class Programme(models.Model):
    """Samlet forløb: one matter, one page and timeline, steps of any format added as it develops."""

    slug = models.SlugField(_("address"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    introduction = models.TextField(_("introduction"), blank=True)
    unit = models.ForeignKey(
        "accounts.Unit", verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Committee(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)

    class Meta:
        verbose_name = _("political committee")
        verbose_name_plural = _("political committees")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CommitteeMeeting(models.Model):
    """A meeting in the political calendar: choose it, and the last possible closing follows."""

    committee = models.ForeignKey(
        Committee, verbose_name=_("committee"), on_delete=models.CASCADE, related_name="meetings"
    )
    held_at = models.DateTimeField(_("held"))
    agenda_deadline = models.DateTimeField(_("agenda deadline"))

    class Meta:
        verbose_name = _("committee meeting")
        verbose_name_plural = _("committee meetings")
        ordering = ["held_at"]
        constraints = [
            models.UniqueConstraint(fields=["committee", "held_at"], name="meeting_once"),
            models.CheckConstraint(
                name="meeting_deadline_before", condition=Q(agenda_deadline__lte=models.F("held_at"))
            ),
        ]

    def __str__(self) -> str:
        from django.utils import formats, timezone

        return f"{self.committee}, {formats.date_format(timezone.localtime(self.held_at), 'j. F Y')}"


class OpeningMinimum(models.Model):
    """Law and practice as dated data: how long a process of a kind must be open, and where that is written."""

    name = models.CharField(_("legal basis"), max_length=160)
    formats = ArrayField(
        models.CharField(max_length=20),
        verbose_name=_("formats"),
        default=list,
        blank=True,
        help_text=_("Empty: every format."),
    )
    days = models.PositiveSmallIntegerField(_("days open at least"))
    longest_days = models.PositiveSmallIntegerField(_("days open at most"), null=True, blank=True)
    statutory = models.BooleanField(_("required by law"), default=False)
    source = models.CharField(_("source"), max_length=200)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)

    class Meta:
        verbose_name = _("opening minimum")
        verbose_name_plural = _("opening minimums")
        ordering = ["name", "-valid_from"]

    def __str__(self) -> str:
        return self.name


class PrincipleText(models.Model):
    """The municipality's own words for a principle. The checks stay whatever is written here."""

    key = models.CharField(max_length=10, unique=True)
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"))
    why_we_ask = models.TextField(_("why we ask"), blank=True)
    good_example = models.TextField(_("a good example"), blank=True)
    bad_example = models.TextField(_("a bad example"), blank=True)

    class Meta:
        verbose_name = _("principle")
        verbose_name_plural = _("principles")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title


class StandardAnswer(models.Model):
    """A visible default ("standard – ret") for a principle field, by format and size. Empty format or size: all."""

    format = models.CharField(_("format"), max_length=20, blank=True)
    size = models.CharField(_("size"), max_length=8, choices=Size.choices, blank=True)
    field = models.CharField(_("field"), max_length=40)
    value = models.JSONField(_("value"))

    class Meta:
        verbose_name = _("standard answer")
        verbose_name_plural = _("standard answers")
        constraints = [
            models.UniqueConstraint(fields=["format", "size", "field"], name="standard_answer_once")
        ]

    def __str__(self) -> str:
        asked = {one.name: one for one in Process._meta.get_fields()}.get(self.field)
        if asked is None:
            return self.field
        words = getattr(asked, "verbose_name", "") or asked.related_model._meta.verbose_name_plural
        return capfirst(str(words))


def _number_of(rows: models.QuerySet[Any]) -> Subquery:
    """How many of these belong to the process, NULL for none; counted beside it and never by a join."""
    return Subquery(rows.order_by().values("process").annotate(number=models.Count("pk")).values("number"))


class ProcessQuerySet(models.QuerySet["Process"]):
    def public(self) -> Self:
        """What anyone may see."""
        return self.filter(status__in=PUBLIC, listed=True)

    def running(self, at: datetime) -> Self:
        """Public and open at this moment, whatever the worker has had time to write."""
        return self.public().filter(
            status__in=[Status.APPROVED, Status.OPEN], opens_at__lte=at, closes_at__gt=at
        )

    def coming(self, at: datetime) -> Self:
        return self.public().filter(status=Status.APPROVED, opens_at__gt=at)

    def working(self, at: datetime) -> Self:
        """Closed, and waiting for the count, the answers or the decision."""
        return self.public().filter(
            Q(status=Status.CLOSED) | Q(status__in=[Status.APPROVED, Status.OPEN], closes_at__lte=at)
        )

    def over(self) -> Self:
        return self.public().filter(status__in=OVER)

    def touching(self, district: "District") -> Self:
        """What touches this district: chosen for it, or for the whole municipality."""
        return self.filter(
            ~Q(touches=Touches.DISTRICTS)
            | Exists(
                Process.touched_districts.through.objects.filter(process=OuterRef("pk"), district=district)
            )
        )

    def for_cards(self) -> Self:
        """What a card shows, without the long texts: `places` and `contributors` come along, phases are one query more."""
        from participation.models import Contribution

        touched = Process.touched_districts.through.objects.filter(process=OuterRef("pk"))
        given = Contribution.objects.filter(process=OuterRef("pk"), moderation=Moderation.PUBLISHED)
        return (
            self.select_related("unit")
            .prefetch_related("phases")
            .defer(
                "search_vector", "willing_to_try", "carried_into_decision", "preparation", "politicians_role"
            )
            .annotate(
                places=ArraySubquery(touched.order_by("district__name").values("district__name")),
                contributors=Coalesce(_number_of(given), 0),
            )
        )

    def with_result(self) -> Self:
        """Cards of what is over also say what was decided and what it changed, the latest of each, and some of the titles
        behind that change."""
        from participation.models import Contribution, Decision, Impact

        latest = Impact.objects.filter(process=OuterRef(OuterRef("pk"))).values("pk")[:1]
        behind = Contribution.objects.filter(
            impacts=Subquery(latest), moderation=Moderation.PUBLISHED, merged_into=None
        )
        decided, changed = (model.objects.filter(process=OuterRef("pk")) for model in (Decision, Impact))
        return self.for_cards().annotate(
            decided_text=Coalesce(
                Subquery(decided.values("text")[:1]), Value("", output_field=models.TextField())
            ),
            impact_text=Coalesce(
                Subquery(changed.values("text")[:1]), Value("", output_field=models.TextField())
            ),
            behind=ArraySubquery(behind.order_by("pk").values("title")[: TITLES_NAMED + 1]),
        )

    def in_numbers(self, year: int) -> dict[str, int]:
        """What these came to in a year: how many opened and were decided, what was given, and what it changed."""
        from participation.models import Contribution, Decision, Impact

        own = {"process": OuterRef("pk")}
        given = Contribution.objects.filter(**own, moderation=Moderation.PUBLISHED, received_on__year=year)
        changed = Impact.objects.filter(**own, recorded_at__year=year)
        return self.annotate(
            given=_number_of(given),
            changed_things=_number_of(changed),
            was_decided=Exists(Decision.objects.filter(**own, decided_on__year=year)),
        ).aggregate(
            processes=models.Count("pk", filter=Q(opens_at__year=year)),
            decided=models.Count("pk", filter=Q(was_decided=True)),
            contributions=Coalesce(models.Sum("given"), 0),
            changed=Coalesce(models.Sum("changed_things"), 0),
        )

    def for_checks(self) -> Self:
        """Everything the principles' checks read, in a constant number of queries."""
        return self.select_related("unit", "legal_basis", "meeting__committee").prefetch_related(
            "frame_points",
            "internal_promises__unit",
            "audiences",
            "channels",
            "councils_heard",
            "touched_districts",
            "phases",
            "overrides",
        )

    def due(self, at: datetime) -> Self:
        """What the clock should have opened or closed by now."""
        return self.filter(
            Q(status=Status.APPROVED, opens_at__lte=at) | Q(status=Status.OPEN, closes_at__lte=at)
        ).order_by("pk")

    def editable_by(self, user: "settings.AUTH_USER_MODEL") -> Self:  # type: ignore[valid-type]
        """What belongs to the user's own units."""
        return self.filter(unit_id__in=user.unit_ids())


class Process(Framing, Listening, Timing, Time, Breadth):
    """One participation process of any format. The format's own columns are in its OneToOne detail.

    Written only by `participation.actions` and `participation.lifecycle`. `version` rises with every write to the
    frame, so that a stale form is noticed.
    """

    format = models.CharField(_("format"), max_length=20)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=120)
    introduction = models.TextField(_("introduction"), blank=True)
    programme = models.ForeignKey(
        Programme,
        verbose_name=_("programme"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="processes",
    )
    size = models.CharField(_("size"), max_length=8, choices=Size.choices, default=Size.ORDINARY)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.DRAFT)
    reversible = models.BooleanField(
        _("it can be undone"), default=True, help_text=_("One of the things the size is proposed from.")
    )
    listed = models.BooleanField(_("shown in lists"), default=True)
    version = models.PositiveIntegerField(default=1)

    unit = models.ForeignKey(
        "accounts.Unit", verbose_name=_("unit"), on_delete=models.PROTECT, related_name="processes"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="owned_processes",
    )
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("deputy"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="deputy_processes",
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("changed"))

    # The five preconditions (catalogue, p. 1): asked before the form; one no advises against.
    will_listen = models.BooleanField(_("will we listen?"), null=True)
    timing_is_right = models.BooleanField(_("is the timing right?"), null=True)
    there_is_time = models.BooleanField(_("is there time?"), null=True)
    frame_is_clear = models.BooleanField(_("is the frame clear?"), null=True)
    willing_to_try_new = models.BooleanField(_("are we willing to try something new?"), null=True)
    went_on_because = models.CharField(_("we go on although, because"), max_length=300, blank=True)

    from_standard = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text=_("Fields that still hold the standard answer."),
    )
    moderate_first = models.BooleanField(_("look at contributions before they are published"), default=False)
    edit_minutes = models.PositiveSmallIntegerField(
        _("minutes in which a contribution can be corrected"), default=30
    )
    names_until = models.DateField(_("names are removed on"), null=True, blank=True)
    public_note = models.TextField(
        _("public note"), blank=True, help_text=_("Why it was cancelled, or why we inform instead.")
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    concluded_at = models.DateTimeField(null=True, blank=True)
    search_vector = SearchVectorField(null=True, editable=False)

    objects = ProcessQuerySet.as_manager()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["status", "closes_at"], name="process_status_closes"),
            GinIndex(fields=["search_vector"], name="process_search"),
        ]
        constraints = [
            models.CheckConstraint(name="process_status_known", condition=Q(status__in=list(Status))),
            models.CheckConstraint(
                name="process_framing_there",
                condition=_MAY_BE_INCOMPLETE
                | (~Q(question="") & ~Q(ladder_step="") & ~Q(who_decides="") & ~Q(promise="")),
            ),
            models.CheckConstraint(
                name="process_listening_there",
                condition=_MAY_BE_INCOMPLETE
                | (~Q(who_answers="") & Q(answers_due_on__isnull=False) & ~Q(answer_how="")),
            ),
            models.CheckConstraint(
                name="process_timing_there",
                condition=_MAY_BE_INCOMPLETE
                | (~Q(decision_stage="") & (Q(decision_on__isnull=False) | Q(meeting__isnull=False))),
            ),
            models.CheckConstraint(
                name="process_time_there",
                condition=_MAY_BE_INCOMPLETE
                | Q(opens_at__isnull=False, closes_at__isnull=False, opens_at__lt=models.F("closes_at")),
            ),
            models.CheckConstraint(
                name="process_breadth_there",
                condition=_MAY_BE_INCOMPLETE | (~Q(touches="") & ~Q(offline_route="")),
            ),
            models.CheckConstraint(
                name="process_four_eyes",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=models.F("author")),
            ),
            models.CheckConstraint(
                name="process_cancelled_says_why",
                condition=~Q(status__in=[Status.CANCELLED, Status.INFORMED]) | ~Q(public_note=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("participation:process-detail", args=[self.slug])

    @property
    def heading(self) -> str:
        """The title as the question, where there is one."""
        return self.question or self.title


class ProcessDetail(models.Model):
    """A format's own columns. OneToOne with primary_key=True: no multi-table inheritance, because saving a stale
    child would silently write an old status back into the parent."""

    process = models.OneToOneField(
        Process, primary_key=True, on_delete=models.CASCADE, related_name="%(class)s"
    )

    class Meta:
        abstract = True

    @classmethod
    def with_process(cls) -> "models.QuerySet[Self]":
        """Details with their process in the same query."""
        return cls._default_manager.select_related("process", "process__unit")


class Summary(models.Model):
    """A short summary in another language than Danish."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="summaries")
    language = models.CharField(
        _("language"), max_length=10, help_text=_("Language code, such as en, ar, uk.")
    )
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("summary"))

    class Meta:
        verbose_name = _("summary in another language")
        verbose_name_plural = _("summaries in other languages")
        constraints = [
            models.UniqueConstraint(fields=["process", "language"], name="summary_once_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.title}"


class FramePoint(models.Model):
    """Something open to influence, or something that is settled, with its reason."""

    class Kind(models.TextChoices):
        OPEN = "open", _("You can influence this")
        FIXED = "fixed", _("This is settled")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="frame_points")
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    text = models.CharField(_("point"), max_length=300)
    reason = models.CharField(_("because"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("frame point")
        verbose_name_plural = _("frame points")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="frame_point_fixed_has_reason", condition=Q(kind="open") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return self.text


class InternalPromise(models.Model):
    """A unit inside the house that must deliver, and its dated yes."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="internal_promises")
    unit = models.ForeignKey(
        "accounts.Unit", verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+"
    )
    what = models.CharField(_("must deliver"), max_length=200)
    said_yes_on = models.DateField(_("said yes on"), null=True, blank=True)

    class Meta:
        verbose_name = _("promise inside the house")
        verbose_name_plural = _("promises inside the house")
        constraints = [
            models.UniqueConstraint(fields=["process", "unit", "what"], name="internal_promise_once")
        ]

    def __str__(self) -> str:
        return f"{self.unit}: {self.what}"


class Audience(models.Model):
    class Kind(models.TextChoices):
        TOUCHED = "touched", _("Touched by it")
        BEYOND = "beyond", _("Beyond the task itself")
        FAMILIES = "families", _("Families with children")
        YOUNG = "young", _("The young")
        SUPPORTERS = "supporters", _("Those in favour")
        OPPONENTS = "opponents", _("Those against")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="audiences")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("who"), max_length=200)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        constraints = [models.UniqueConstraint(fields=["process", "kind", "name"], name="audience_once")]

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="channels")
    name = models.CharField(_("channel"), max_length=120)
    digital = models.BooleanField(_("digital"), default=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [models.UniqueConstraint(fields=["process", "name"], name="channel_once")]

    def __str__(self) -> str:
        return self.name


class CouncilHeard(models.Model):
    """A council that must or should be asked (handicapråd, ældreråd; retssikkerhedsloven §§ 30-32, 37 a)."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="councils_heard")
    council = models.CharField(_("council"), max_length=120)
    must_be_heard = models.BooleanField(_("must be heard by law"), default=False)
    asked_on = models.DateField(_("asked on"), null=True, blank=True)
    statement = models.TextField(_("its statement"), blank=True)

    class Meta:
        verbose_name = _("council heard")
        verbose_name_plural = _("councils heard")
        constraints = [models.UniqueConstraint(fields=["process", "council"], name="council_once")]

    def __str__(self) -> str:
        return self.council


class Phase(models.Model):
    """A half-open stretch of time in which the format allows certain things (`participation.formats`)."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="phases")
    kind = models.CharField(_("phase"), max_length=20)
    interval = DateTimeRangeField(_("from and to"))
    description = models.CharField(_("what happens"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        ordering = ["interval"]
        constraints = [
            ExclusionConstraint(
                name="phase_no_overlap",
                expressions=[("process", RangeOperators.EQUAL), ("interval", RangeOperators.OVERLAPS)],
                deferrable=Deferrable.DEFERRED,
            ),
            models.CheckConstraint(name="phase_not_empty", condition=Q(interval__isempty=False)),
        ]

    def __str__(self) -> str:
        return self.kind


class Override(models.Model):
    """A blocking check that a manager let pass, with the reason the public sees."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="overrides")
    check_key = models.CharField(max_length=60)
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("overridden check")
        verbose_name_plural = _("overridden checks")
        constraints = [
            models.UniqueConstraint(fields=["process", "check_key"], name="override_once"),
            models.CheckConstraint(name="override_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return self.check_key


class Change(models.Model):
    """A change after approval, shown under "Åbent om forløbet". A correction waits for a colleague."""

    class Kind(models.TextChoices):
        AMEND = "amend", _("Changed")
        EXTEND = "extend", _("Extended")
        CORRECT = "correct", _("Corrected wording")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    changes = models.JSONField(default=list, help_text=_("A list of {field, label, before, after}."))
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(name="change_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="change_confirmed_by_another",
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=models.F("by")),
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Transition(models.Model):
    """How the process came to where it is: one row per change of status, with the comment that came with it."""

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="transitions")
    name = models.CharField(max_length=20)
    from_status = models.CharField(max_length=9, choices=Status.choices)
    to_status = models.CharField(max_length=9, choices=Status.choices)
    comment = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
