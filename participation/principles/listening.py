"""Principle 2, listening and open: who answers, by when, how; and at the end what it changed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from participation.choices import AnswerHow


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
