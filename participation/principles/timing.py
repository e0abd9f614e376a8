"""Principle 3, early and relevant: asked while it can change something, after the frame and before the decision.

"Inddragelse sker på de tidspunkter i processerne, hvor det kan påvirke de endelige løsninger … Men også langt nok inde i
processen i forhold til at de overordnede rammer er tilstrækkelig tydelige" (Ballerup's third principle).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from participation.choices import DecisionStage, Size
from participation.principles.base import Finding, Level, Principle, filled_in, local_date, shown

if TYPE_CHECKING:
    from participation.models import CommitteeMeeting, Process

FIELDS = ("decision_stage", "frame_adopted_on", "meeting", "decision_on")


class Timing(models.Model):
    decision_stage = models.CharField(
        _("when citizens are asked"), max_length=5, choices=DecisionStage.choices, blank=True
    )
    frame_adopted_on = models.DateField(_("the frame was adopted on"), null=True, blank=True)
    meeting = models.ForeignKey(
        "participation.CommitteeMeeting",
        verbose_name=_("the meeting that treats it"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="processes",
    )
    decision_on = models.DateField(_("decision on"), null=True, blank=True)

    class Meta:
        abstract = True


def decision_date(process: "Process") -> date | None:
    """The day it is decided: the date given, else that of the meeting chosen."""
    if process.decision_on is not None:
        return process.decision_on
    return local_date(process.meeting.held_at) if process.meeting is not None else None


def last_closing(meeting: "CommitteeMeeting", processing_days: int) -> datetime:
    """The last moment a process can close and still reach this meeting's agenda."""
    return meeting.agenda_deadline - timedelta(days=processing_days)


def check(process: "Process") -> Iterator[Finding]:
    this = Principle.TIMING
    yield filled_in(
        process,
        this,
        "decision_stage",
        gettext("Say when citizens are asked: with ideas, a draft or a final proposal."),
        required=True,
    )
    yield filled_in(
        process,
        this,
        "decision_on",
        gettext("Say when it is decided: a date, or a meeting from the calendar."),
        value=decision_date(process),
        required=True,
    )
    yield from _frame_first(process)
    yield from _reaches_the_decision(process)
    yield from _councils_early(process)
    decided = decision_date(process)
    if decided is not None and decided > settings.COUNCIL_TERM_ENDS:
        message = gettext("The decision falls after the council's term, which ends on %(date)s.") % {
            "date": shown(settings.COUNCIL_TERM_ENDS)
        }
        yield Finding("timing.within_term", this, Level.WARNING, message, "decision_on")
    elif decided is not None:
        message = gettext("The same council asks and decides.")
        yield Finding("timing.within_term", this, Level.PASSED, message, "decision_on")


def _frame_first(process: "Process") -> Iterator[Finding]:
    this, key, field = Principle.TIMING, "timing.frame_before_opening", "frame_adopted_on"
    adopted = process.frame_adopted_on
    if adopted is None:
        if process.standing_decision_url:
            yield Finding(key, this, Level.PASSED, gettext("The frame rests on a standing decision."), field)
            return
        message = gettext(
            "Say when the political frame was adopted, or link to the standing decision it rests on."
        )
        level = Level.WARNING if process.size == Size.SMALL else Level.BLOCKING
        yield Finding(key, this, level, message, field)
    elif process.opens_at is not None and adopted > local_date(process.opens_at):
        message = gettext("The frame is adopted on %(adopted)s, after it opens on %(opens)s.") % {
            "adopted": shown(adopted),
            "opens": shown(local_date(process.opens_at)),
        }
        yield Finding(key, this, Level.BLOCKING, message, field)
    else:
        yield Finding(key, this, Level.PASSED, gettext("The frame comes before the opening."), field)


def _reaches_the_decision(process: "Process") -> Iterator[Finding]:
    this = Principle.TIMING
    decided = decision_date(process)
    if process.closes_at is None or decided is None:
        return
    closes = local_date(process.closes_at)
    if closes >= decided:
        message = gettext(
            "It closes on %(closes)s, but is decided on %(decided)s: asking after the decision is too late."
        )
        yield Finding(
            "timing.before_decision",
            this,
            Level.BLOCKING,
            message % {"closes": shown(closes), "decided": shown(decided)},
            "phases",
            required=True,
        )
        return
    yield Finding(
        "timing.before_decision", this, Level.PASSED, gettext("It closes before the decision."), "phases"
    )
    days = process.processing_days or 0
    deadline = local_date(process.meeting.agenda_deadline) if process.meeting is not None else decided
    last = deadline - timedelta(days=days)
    facts = {"days": days, "deadline": shown(deadline), "last": shown(last)}
    if closes > last:
        message = gettext(
            "With %(days)s days to work on the answers before %(deadline)s it must close on %(last)s at the latest."
        )
        yield Finding("timing.reaches_agenda", this, Level.BLOCKING, message % facts, "phases")
    else:
        message = gettext("There are %(days)s days to work on the answers before %(deadline)s.")
        yield Finding("timing.reaches_agenda", this, Level.PASSED, message % facts, "phases")


def _councils_early(process: "Process") -> Iterator[Finding]:
    heard = list(process.councils_heard.all())
    if not heard:
        return
    this, key = Principle.TIMING, "timing.councils_early"
    if process.decision_stage == DecisionStage.IDEA:
        message = gettext("The councils are asked while there are only ideas.")
        yield Finding(key, this, Level.PASSED, message, "councils_heard")
    else:
        names = ", ".join(council.council for council in heard)
        message = gettext("Ask the councils while there are only ideas: %(names)s.") % {"names": names}
        yield Finding(key, this, Level.WARNING, message, "councils_heard")
