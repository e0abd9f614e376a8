"""Principle 2, listening and open: who answers, by when, how; and at the end what it changed.

"Borgerne og virksomhederne bør opleve, at deres input og bidrag har indflydelse på beslutningen." (Ballerup's second
principle). The promises are asked at approval, and must be kept before the process can be concluded.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from participation.choices import AnswerHow, Moderation
from participation.principles.base import Finding, Gate, Level, Principle, filled_in, local_date, shown

if TYPE_CHECKING:
    from participation.models import Process

FIELDS = ("who_answers", "answers_due_on", "answer_how", "willing_to_try", "carried_into_decision")


class Listening(models.Model):
    who_answers = models.CharField(_("who answers"), max_length=200, blank=True)
    answers_due_on = models.DateField(_("answers by"), null=True, blank=True)
    answer_how = models.CharField(_("how we answer"), max_length=5, choices=AnswerHow.choices, blank=True)
    willing_to_try = models.TextField(_("what we are ready to try that we usually don't"), blank=True)
    carried_into_decision = models.TextField(_("how contributions are carried into the decision"), blank=True)
    nothing_changed_because = models.TextField(
        _("nothing changed, because"), blank=True, help_text=_("Only if no impact can be recorded.")
    )
    told_outside_how = models.CharField(_("the result was also told"), max_length=200, blank=True)
    told_outside_on = models.DateField(_("told outside on"), null=True, blank=True)

    class Meta:
        abstract = True


def check(process: "Process") -> Iterator[Finding]:
    this = Principle.LISTENING
    yield filled_in(process, this, "who_answers", gettext("Say who answers people."), required=True)
    yield filled_in(
        process, this, "answers_due_on", gettext("Say by when people get an answer."), required=True
    )
    if process.answers_due_on and process.closes_at:
        closes = local_date(process.closes_at)
        if process.answers_due_on < closes:
            yield Finding(
                "listening.answers_after_close",
                this,
                Level.BLOCKING,
                gettext("The answers are promised for %(due)s, before it closes on %(closes)s.")
                % {"due": shown(process.answers_due_on), "closes": shown(closes)},
                "answers_due_on",
            )
        else:
            message = gettext("The answers come after it has closed.")
            yield Finding("listening.answers_after_close", this, Level.PASSED, message, "answers_due_on")
    yield filled_in(
        process, this, "answer_how", gettext("Say how people are answered: each, or by theme."), required=True
    )
    yield filled_in(
        process, this, "willing_to_try", gettext("Say what you are ready to try that you usually don't.")
    )
    yield filled_in(
        process,
        this,
        "carried_into_decision",
        gettext("Say how contributions are carried into the decision."),
    )


def check_kept(process: "Process") -> Iterator[Finding]:
    """The promises kept: what must be true before a process is concluded."""
    from participation.actions.outcomes import unanswered, untold

    waiting = process.contributions.filter(moderation=Moderation.PENDING).count()
    without, not_told = unanswered(process).count(), untold(process).count()
    yield _kept(
        "listening.moderated",
        not waiting,
        gettext("Every contribution has been looked at."),
        ngettext(
            "%(count)s contribution still waits for a look.",
            "%(count)s contributions still wait for a look.",
            waiting,
        )
        % {"count": waiting},
        "contributions",
    )
    yield _kept(
        "listening.outcomes",
        not without,
        gettext("Every contribution has an outcome with a reason."),
        ngettext(
            "%(count)s contribution has no outcome yet, neither its own nor through a theme.",
            "%(count)s contributions have no outcome yet, neither their own nor through a theme.",
            without,
        )
        % {"count": without},
        "contributions",
    )
    yield _kept(
        "listening.impact",
        bool(process.nothing_changed_because) or process.impacts.exists(),
        gettext("It says what changed, or that nothing did and why."),
        gettext("Record at least one impact, or say plainly that nothing changed and why."),
        "nothing_changed_because",
    )
    yield _kept(
        "listening.told",
        not not_told,
        gettext("Everyone who contributed has been told."),
        ngettext(
            "%(count)s contributor has not been told: send the answer, or record how they were told or why there is no route.",
            "%(count)s contributors have not been told: send the answers, or record how they were told or why there is no route.",
            not_told,
        )
        % {"count": not_told},
        "contributions",
    )
    yield _kept(
        "listening.told_outside",
        bool(process.told_outside_how and process.told_outside_on),
        gettext("The result was told outside the portal."),
        gettext("Tell the result in one channel outside the portal, and record how and when."),
        "told_outside_how",
    )


def _kept(key: str, kept: bool, passed: str, broken: str, field: str) -> Finding:
    level = Level.PASSED if kept else Level.BLOCKING
    return Finding(key, Principle.LISTENING, level, passed if kept else broken, field, gate=Gate.CONCLUDE)
