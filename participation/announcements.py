"""What a step of a process tells, and whom. The words lie beside the transitions; the sending is `notices`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import Role
from participation import formats, notices
from participation.models import Notice, Process

if TYPE_CHECKING:
    from participation.models import Change


def managers_of(process: Process) -> list[User]:
    """Those who may approve in the unit."""
    return list(User.objects.filter(role=Role.MANAGER, is_active=True, units=process.unit_id))


def people_of(process: Process) -> list[User]:
    """Owner and deputy."""
    return list(User.objects.filter(Q(pk=process.owner_id) | Q(pk=process.deputy_id), is_active=True))


@dataclass(frozen=True)
class Announcement:
    """`to` None: everyone who follows the process or contributed."""

    kind: str
    title: Any
    text: Any
    to: Callable[[Process], list[User]] | None = None


ANNOUNCED: dict[str, Announcement] = {
    "submit": Announcement(
        Notice.Kind.DUTY,
        _("“{title}” waits for approval"),
        _("Read it and approve it, or send it back."),
        managers_of,
    ),
    "send_back": Announcement(
        Notice.Kind.DUTY, _("“{title}” was sent back"), _("The reason: {comment}"), people_of
    ),
    "approve": Announcement(
        Notice.Kind.DUTY, _("“{title}” is approved"), _("It opens by itself at the time you set."), people_of
    ),
    "open": Announcement(
        Notice.Kind.PHASE,
        _("“{title}” is open"),
        _("You can take part now: {question}"),
        lambda process: list(notices.opening_audience(process)),
    ),
    "close": Announcement(
        Notice.Kind.PHASE,
        _("“{title}” is closed"),
        _("Thank you to everyone who took part. We tell you when there is an answer and a decision."),
    ),
    "conclude": Announcement(
        Notice.Kind.IMPACT,
        _("“{title}” is concluded"),
        _("Every contribution has its answer. See what was decided and what it changed."),
    ),
    "cancel": Announcement(Notice.Kind.PHASE, _("“{title}” was cancelled"), _("The reason: {comment}")),
}


def transition(*, process: Process, name: str, transition_id: int, comment: str, by: User | None) -> None:
    said = ANNOUNCED.get(name)
    if said is None:
        return
    words = {"title": process.title, "comment": comment, "question": process.heading}
    _tell(
        process,
        event=f"transition:{transition_id}",
        kind=said.kind,
        title=format_lazy(said.title, **words),
        text=format_lazy(said.text, **words),
        to=said.to,
        by=by,
    )


def change(*, change: "Change", by: User | None) -> None:
    """An amendment or extension reaches everyone who follows, and those whom the format counts on that day; a corrected
    wording is only shown."""
    also = formats.get(change.process.format).also_told
    audiences = [None, *([lambda process: list(also(process))] if also else [])]
    for to in audiences:
        _tell(
            change.process,
            event=f"change:{change.pk}",
            kind=Notice.Kind.CHANGE,
            title=format_lazy(_("“{title}” has changed"), title=change.process.title),
            text=format_lazy(_("The reason: {reason}"), reason=change.reason),
            to=to,
            by=by,
        )


def handed_over(*, process: Process, by: User | None) -> None:
    from participation import clock

    _tell(
        process,
        event=f"process:{process.pk}:handed-over:{process.owner_id}:{clock.now():%Y%m%d%H%M}",
        kind=Notice.Kind.DUTY,
        title=format_lazy(_("“{title}” is now yours"), title=process.title),
        text=_("It was handed over to you with everything that must be done."),
        to=people_of,
        by=by,
    )


def could_not(*, process: Process, name: str, reason: str, day: str) -> None:
    """The clock was refused: those who own the process hear it, once a day."""
    _tell(
        process,
        event=f"process:{process.pk}:{name}-refused:{day}",
        kind=Notice.Kind.DUTY,
        title=format_lazy(_("“{title}” could not move on by itself"), title=process.title),
        text=format_lazy(_("The reason: {reason}"), reason=reason),
        to=lambda process: people_of(process) + managers_of(process),
    )


def _tell(
    process: Process,
    *,
    event: str,
    kind: str,
    title: Any,
    text: Any,
    to: Callable[[Process], list[User]] | None = None,
    by: User | None = None,
) -> None:
    if to is None:
        notices.tell_about(process=process, event=event, kind=kind, title=title, text=text, by=by)
    else:
        url = process.get_absolute_url()
        notices.tell(
            users=to(process), event=event, kind=kind, title=title, text=text, url=url, process=process, by=by
        )
