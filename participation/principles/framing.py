"""Principle 1, clear frame: what can be influenced, what can't and why, who decides on what basis.

"Borgere og virksomheder skal vide så tydeligt som muligt, hvad de kan få indflydelse på – og hvad der ikke er til
diskussion. Det, der ikke er til diskussion, bør begrundes." (Ballerup's first principle)
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from participation import clock, lix
from participation.choices import DecisionBasis, LadderStep, Purpose, Size
from participation.principles.base import Finding, Level, Principle, filled_in, label_of

if TYPE_CHECKING:
    from participation.models import Process

FIELDS = (
    "question",
    "purposes",
    "why_this_format",
    "ladder_step",
    "who_decides",
    "decision_basis",
    "promise",
    "politicians_role",
    "blank_sheet",
    "standing_decision_url",
)
# Texts that citizens read, measured when they have a hundred words or more.
READ_BY_CITIZENS = (
    "introduction",
    "promise",
    "politicians_role",
    "willing_to_try",
    "carried_into_decision",
    "preparation",
    "offline_route",
)
LIX_FROM_WORDS = 100
LIX_HARD = 45
LIX_VERY_HARD = 55


class Framing(models.Model):
    question = models.CharField(_("the question"), max_length=200, blank=True)
    purposes = ArrayField(
        models.CharField(max_length=13, choices=Purpose.choices),
        verbose_name=_("why we ask"),
        default=list,
        blank=True,
    )
    why_this_format = models.CharField(_("why this format"), max_length=300, blank=True)
    ladder_step = models.CharField(
        _("step on the ladder"), max_length=16, choices=LadderStep.choices, blank=True
    )
    who_decides = models.CharField(_("who decides"), max_length=200, blank=True)
    decision_basis = ArrayField(
        models.CharField(max_length=12, choices=DecisionBasis.choices),
        verbose_name=_("decided on the basis of"),
        default=list,
        blank=True,
    )
    promise = models.TextField(_("what we promise to do with the result"), blank=True)
    politicians_role = models.TextField(_("the politicians' role"), blank=True)
    blank_sheet = models.BooleanField(_("it is a blank sheet"), default=False)
    standing_decision_url = models.URLField(_("the standing decision behind the frame"), blank=True)

    class Meta:
        abstract = True


def check(process: "Process") -> Iterator[Finding]:
    this = Principle.FRAMING
    yield filled_in(process, this, "question", gettext("Ask the one question."), required=True)
    yield filled_in(
        process, this, "purposes", gettext("Say why you ask: democracy, effectiveness, innovation.")
    )
    yield filled_in(process, this, "why_this_format", gettext("Say in one line why this format fits."))
    yield from _ladder(process)
    yield from _points(process)
    yield filled_in(process, this, "who_decides", gettext("Say who decides in the end."), required=True)
    yield filled_in(
        process,
        this,
        "decision_basis",
        gettext("Say what the decision rests on: law, money, professional view."),
    )
    yield filled_in(
        process, this, "promise", gettext("Say what you promise to do with the result."), required=True
    )
    yield filled_in(process, this, "politicians_role", gettext("Say what role the politicians take."))
    yield from _internal_promises(process)
    yield from _readability(process)


def _ladder(process: "Process") -> Iterator[Finding]:
    from participation import formats

    this = Principle.FRAMING
    yield filled_in(
        process, this, "ladder_step", gettext("Choose the step on the participation ladder."), required=True
    )
    if not process.ladder_step:
        return
    fitting = formats.get(process.format).ladder_steps
    if process.ladder_step in fitting:
        yield Finding(
            "framing.ladder_fits", this, Level.PASSED, gettext("The step fits the format."), "ladder_step"
        )
    else:
        labels = ", ".join(str(step.label) for step in LadderStep if step in fitting)
        yield Finding(
            "framing.ladder_fits",
            this,
            Level.BLOCKING,
            gettext(
                "The step “%(step)s” doesn't fit this format, which gives: %(fitting)s. Choose another step or another format."
            )
            % {"step": process.get_ladder_step_display(), "fitting": labels},
            "ladder_step",
        )


def _points(process: "Process") -> Iterator[Finding]:
    this = Principle.FRAMING
    points = list(process.frame_points.all())
    opens = [point for point in points if point.kind == "open"]
    fixed = [point for point in points if point.kind == "fixed"]
    if opens:
        yield Finding(
            "framing.open_points",
            this,
            Level.PASSED,
            gettext("It says what can be influenced."),
            "frame_points",
        )
    else:
        yield Finding(
            "framing.open_points",
            this,
            Level.BLOCKING,
            gettext(
                "Name at least one thing that people can influence. If there is none, inform instead of asking."
            ),
            "frame_points",
            required=True,
        )
    if fixed:
        without = [point.text for point in fixed if not point.reason.strip()]
        if without:
            message = gettext("Say why this is settled: %(points)s.") % {"points": "; ".join(without)}
            yield Finding("framing.fixed_points", this, Level.BLOCKING, message, "fixed_points")
        else:
            message = gettext("What is settled has its reason.")
            yield Finding("framing.fixed_points", this, Level.PASSED, message, "fixed_points")
    elif process.blank_sheet:
        message = gettext("It is a blank sheet: nothing is settled beforehand.")
        yield Finding("framing.fixed_points", this, Level.PASSED, message, "blank_sheet")
    else:
        message = gettext(
            "Name what is settled, and why: law, money, an earlier decision. Or say that it is a blank sheet."
        )
        yield Finding("framing.fixed_points", this, Level.BLOCKING, message, "fixed_points")


def _internal_promises(process: "Process") -> Iterator[Finding]:
    this, key, field = Principle.FRAMING, "framing.internal_promises", "internal_promises"
    promises = list(process.internal_promises.all())
    today = clock.today()
    waiting = [p for p in promises if p.said_yes_on is None or p.said_yes_on > today]
    if waiting:
        units = ", ".join(sorted({str(promise.unit) for promise in waiting}))
        message = gettext("Get a dated yes from those who must deliver: %(units)s.") % {"units": units}
        yield Finding(key, this, Level.BLOCKING, message, field)
    elif promises:
        yield Finding(key, this, Level.PASSED, gettext("Everyone who must deliver has said yes."), field)
    elif process.size == Size.LARGE:
        message = gettext("Name the units that must deliver, each with a dated yes.")
        yield Finding(key, this, Level.BLOCKING, message, field)
    else:
        yield Finding(key, this, Level.PASSED, gettext("No other unit has to deliver anything."), field)


def _readability(process: "Process") -> Iterator[Finding]:
    names = [district.name for district in process.touched_districts.all()]
    for field in READ_BY_CITIZENS:
        text: str = getattr(process, field)
        if len(text) < LIX_FROM_WORDS:
            continue
        read = lix.reading(text, names)
        if read.words < LIX_FROM_WORDS:
            continue
        facts = {"field": capfirst(label_of(process, field)), "lix": read.lix}
        if read.lix >= LIX_VERY_HARD:
            level = Level.BLOCKING if process.size == Size.LARGE else Level.WARNING
            message = gettext(
                "%(field)s is very hard to read (LIX %(lix)s). Write shorter sentences and words."
            )
        elif read.lix >= LIX_HARD:
            level = Level.WARNING
            message = gettext("%(field)s is hard to read (LIX %(lix)s). Write shorter sentences and words.")
        else:
            level = Level.PASSED
            message = gettext("%(field)s is easy enough to read (LIX %(lix)s).")
        yield Finding(f"framing.lix.{field}", Principle.FRAMING, level, message % facts, field)
