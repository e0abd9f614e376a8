"""The catalogue's five preconditions, asked before the form.

"Dette skal derfor være afklaret inden inddragelsen sættes i gang, hvis dette ikke er på plads vil det ofte være bedre
ikke at inddrage." One no advises against: the caseworker informs instead, or goes on with a reason.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.text import capfirst
from django.utils.translation import gettext

from participation.principles.base import Finding, Level, Principle, label_of

if TYPE_CHECKING:
    from participation.models import Process

PRINCIPLE_OF = {
    "will_listen": Principle.LISTENING,
    "timing_is_right": Principle.TIMING,
    "there_is_time": Principle.TIME,
    "frame_is_clear": Principle.FRAMING,
    "willing_to_try_new": Principle.LISTENING,
}
QUESTIONS = tuple(PRINCIPLE_OF)
FIELDS = (*QUESTIONS, "went_on_because")


def advised_against(process: "Process") -> bool:
    """Whether one of the five was answered with a no."""
    return any(getattr(process, question) is False for question in QUESTIONS)


def check(process: "Process") -> Iterator[Finding]:
    for question, principle in PRINCIPLE_OF.items():
        answer = getattr(process, question)
        key, facts = f"preconditions.{question}", {"question": capfirst(label_of(process, question))}
        if answer is None:
            message = gettext("Answer before you begin: %(question)s")
            yield Finding(key, principle, Level.BLOCKING, message % facts, question)
        elif answer:
            yield Finding(key, principle, Level.PASSED, gettext("%(question)s Yes.") % facts, question)
        elif process.went_on_because:
            facts["reason"] = process.went_on_because
            message = gettext("%(question)s No, but: %(reason)s")
            yield Finding(key, principle, Level.WARNING, message % facts, question)
        else:
            message = gettext(
                "%(question)s No. Then it is often better not to ask: inform instead, or say why you go on."
            )
            yield Finding(key, principle, Level.BLOCKING, message % facts, "went_on_because")
