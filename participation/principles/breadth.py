"""Principle 5, broad and relevant: whom it touches, whom we look for, and the way in for those not online.

"Kredsen af deltagere skal altid se ud over den konkrete opgave." (Ballerup's fifth principle). The catalogue adds the
question that decides how wide: can people's contributions be used for anything? So few but relevant may pass.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from participation.choices import Recruitment, Size, Touches
from participation.principles.base import Finding, Level, Principle, filled_in, local_date
from participation.principles.timing import decision_date

if TYPE_CHECKING:
    from participation.models import Process

FIELDS = (
    "touches",
    "touches_whom",
    "touched_districts",
    "conflict",
    "few_but_relevant",
    "recruitment",
    "offline_route",
)


class Breadth(models.Model):
    touches = models.CharField(_("whom it touches"), max_length=12, choices=Touches.choices, blank=True)
    touches_whom = models.CharField(_("more precisely"), max_length=200, blank=True)
    touched_districts = models.ManyToManyField(
        "accounts.District", verbose_name=_("districts touched"), blank=True, related_name="+"
    )
    conflict = models.BooleanField(_("there is conflict about it"), default=False)
    few_but_relevant = models.CharField(_("few but relevant, because"), max_length=300, blank=True)
    recruitment = ArrayField(
        models.CharField(max_length=8, choices=Recruitment.choices),
        verbose_name=_("how participants are found"),
        default=list,
        blank=True,
    )
    offline_route = models.TextField(_("the way in for those not online"), blank=True)

    class Meta:
        abstract = True


def check(process: "Process") -> Iterator[Finding]:
    this = Principle.BREADTH
    yield filled_in(process, this, "touches", gettext("Say whom it touches."), required=True)
    if process.touches == Touches.DISTRICTS and not process.touched_districts.all():
        message = gettext("Choose the districts it touches.")
        yield Finding("breadth.districts", this, Level.BLOCKING, message, "touched_districts", required=True)
    elif process.touches in {Touches.PARENTS, Touches.USERS} and not process.touches_whom:
        message = gettext("Say more precisely whom it touches, such as which school or service.")
        yield Finding("breadth.touches_whom", this, Level.WARNING, message, "touches_whom")
    yield from _audiences(process)
    yield from _channels(process)
    yield filled_in(process, this, "recruitment", gettext("Say how participants are found."))
    yield filled_in(
        process,
        this,
        "offline_route",
        gettext("Describe the way in for those who are not online."),
        required=True,
    )
    yield from _councils(process)


def _audiences(process: "Process") -> Iterator[Finding]:
    this, field = Principle.BREADTH, "audiences"
    kinds = {audience.kind for audience in process.audiences.all()}
    large = process.size == Size.LARGE
    if large and field in process.from_standard:
        message = gettext("Name the audiences in your own words: a large process doesn't use the standard.")
        yield Finding("breadth.audiences", this, Level.BLOCKING, message, field)
    if "beyond" in kinds:
        message = gettext("Someone beyond the task itself is invited.")
        yield Finding("breadth.beyond", this, Level.PASSED, message, field)
    else:
        message = gettext("Name at least one audience beyond the task itself.")
        yield Finding("breadth.beyond", this, Level.BLOCKING, message, field)
    if process.conflict:
        named = {"supporters", "opponents"} <= kinds
        message = (
            gettext("Those for and those against are both named.")
            if named
            else gettext("There is conflict about it: name those in favour and those against.")
        )
        yield Finding("breadth.both_sides", this, Level.PASSED if named else Level.BLOCKING, message, field)
    for kind, key, there, missing in (
        (
            "families",
            "breadth.families",
            gettext("Families with children are a group of their own."),
            gettext("Say how families with children are reached."),
        ),
        (
            "young",
            "breadth.young",
            gettext("The young are a group of their own."),
            gettext("Say how the young are reached."),
        ),
    ):
        if kind in kinds:
            yield Finding(key, this, Level.PASSED, there, field)
        elif process.few_but_relevant:
            yield _few(process, key)
        else:
            yield Finding(key, this, Level.BLOCKING if large else Level.WARNING, missing, field)


def _few(process: "Process", key: str) -> Finding:
    message = gettext("Few but relevant: %(reason)s") % {"reason": process.few_but_relevant}
    return Finding(key, Principle.BREADTH, Level.PASSED, message, "few_but_relevant")


def _channels(process: "Process") -> Iterator[Finding]:
    this, field = Principle.BREADTH, "channels"
    channels = list(process.channels.all())
    if process.size == Size.LARGE and field in process.from_standard:
        message = gettext("Choose the channels yourselves: a large process doesn't use the standard.")
        yield Finding("breadth.channels_own", this, Level.BLOCKING, message, field)
    if len(channels) >= 2:
        message = gettext("People are reached through more than one channel.")
        yield Finding("breadth.channels", this, Level.PASSED, message, field)
    elif process.few_but_relevant:
        yield _few(process, "breadth.channels")
    else:
        message = gettext("Use at least two channels.")
        yield Finding("breadth.channels", this, Level.BLOCKING, message, field)
    if any(not channel.digital for channel in channels):
        message = gettext("At least one channel is not digital.")
        yield Finding("breadth.channel_not_digital", this, Level.PASSED, message, field)
    else:
        message = gettext("Use at least one channel that is not digital.")
        yield Finding("breadth.channel_not_digital", this, Level.BLOCKING, message, field)


def _councils(process: "Process") -> Iterator[Finding]:
    """Retssikkerhedsloven §§ 30-32 (ældreråd) and 37 a (handicapråd)."""
    this, key, field = Principle.BREADTH, "breadth.councils", "councils_heard"
    councils = list(process.councils_heard.all())
    decided = decision_date(process)
    not_asked = [c.council for c in councils if c.must_be_heard and c.asked_on is None]
    too_late = [
        c.council
        for c in councils
        if c.must_be_heard and c.asked_on is not None and decided is not None and c.asked_on >= decided
    ]
    if not_asked:
        message = gettext("The law says these must be heard; say when: %(names)s.")
        facts = {"names": ", ".join(not_asked)}
        yield Finding(key, this, Level.BLOCKING, message % facts, field, statutory=True)
    elif too_late:
        message = gettext("These must be heard before the decision: %(names)s.")
        facts = {"names": ", ".join(too_late)}
        yield Finding(key, this, Level.BLOCKING, message % facts, field, statutory=True)
    elif councils:
        after_close = [
            c.council
            for c in councils
            if c.asked_on is not None
            and process.closes_at is not None
            and c.asked_on > local_date(process.closes_at)
        ]
        if after_close:
            message = gettext("Asked only after it has closed: %(names)s.")
            yield Finding(key, this, Level.WARNING, message % {"names": ", ".join(after_close)}, field)
        else:
            message = gettext("The councils that must be heard are asked in time.")
            yield Finding(key, this, Level.PASSED, message, field)
    else:
        message = gettext(
            "Name the councils that are heard: the disability council on all that touches disabled people, the senior citizens' council on all that touches the elderly."
        )
        level = Level.BLOCKING if process.size == Size.LARGE else Level.WARNING
        yield Finding(key, this, level, message, field)
