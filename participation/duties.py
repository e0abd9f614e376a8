"""What somebody must do, by when. A duty belongs to the owner of its process, the deputy and the unit's inbox; handing
the process over moves all of them, and what is overdue goes to the manager.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Role
from participation import clock, formats
from participation.choices import AnswerHow, Moderation, Status
from participation.models import Argument, Change, Contribution, Process, ProcessQuestion, Transition
from participation.principles.base import local_date
from participation.principles.timing import decision_date

if TYPE_CHECKING:
    from accounts.models import User

LABELS = {
    "approve": _("Approve or send back"),
    "moderate": _("Look at new contributions"),
    "moderate_arguments": _("Look at new arguments"),
    "answer": _("Answer contributions"),
    "assess": _("Assess projects"),
    "count_first_round": _("Count the first round"),
    "record_meeting": _("Write down how the meeting shared the money out"),
    "decide": _("Record the decision"),
    "report_back": _("Tell what it changed, and conclude"),
    "question": _("Answer questions about the process"),
    "confirm_correction": _("Confirm a corrected wording"),
    "plan_project": _("Plan a project that got money"),
    "confirm_told": _("Look at what a group has told or spent"),
    "approve_accounts": _("Approve the accounts of a project"),
    "tell_project": _("Tell how a project goes"),
}


@dataclass(frozen=True)
class Duty:
    """Something to do on a process (its owner, deputy and unit say whose it is, unless somebody else in the unit answers
    for this part of it); `count` of them, the first due on `due_on`."""

    kind: str
    process: Process
    due_on: date
    count: int = 1
    answerable: "User | None" = None
    stand_in: "User | None" = None

    @property
    def label(self) -> Any:
        return LABELS[self.kind]

    @property
    def owner(self) -> "User":
        return self.answerable or self.process.owner

    @property
    def deputy(self) -> "User | None":
        return self.stand_in or self.process.deputy

    @property
    def overdue(self) -> bool:
        return self.due_on < clock.today()


def for_user(user: "User") -> list[Duty]:
    """The duties of what this user owns or stands in for, and for a manager what waits for approval; soonest first.
    A constant number of queries."""
    mine = Q(owner=user) | Q(deputy=user)
    processes = Process.objects.filter(mine | Q(unit_id__in=user.unit_ids()))
    found = _duties(processes)
    return [duty for duty in found if _is_for(duty, user)]


def of_unit(unit_id: int) -> list[Duty]:
    """Everything in the unit's inbox."""
    return _duties(Process.objects.filter(unit_id=unit_id))


def overdue() -> list[Duty]:
    """Every duty whose day has passed, in all units."""
    return [duty for duty in _duties(Process.objects.all()) if duty.overdue]


def _is_for(duty: Duty, user: "User") -> bool:
    if duty.kind == "approve":
        return user.role == Role.MANAGER and duty.process.author_id != user.pk
    if duty.kind == "confirm_correction":
        return True
    if duty.kind == "approve_accounts":  # anyone in the unit but whoever sent them
        return duty.answerable is None or duty.answerable.pk != user.pk
    return user.pk in {person.pk for person in (duty.owner, duty.deputy) if person is not None}


def _duties(processes: Any) -> list[Duty]:
    active = {
        process.pk: process
        for process in processes.exclude(
            status__in=[Status.DRAFT, Status.CANCELLED, Status.CONCLUDED, Status.INFORMED]
        ).select_related("owner", "deputy", "unit", "meeting__committee")
    }
    found = [
        *_approve(active),
        *_contributions(active),
        *_arguments(active),
        *_decide(active),
        *_report_back(active),
        *_questions(processes),
        *_corrections(processes),
    ]
    for fmt in formats.all_formats():
        if fmt.duties is not None:
            own = [process for process in active.values() if process.format == fmt.key]
            if own:
                found += fmt.duties(own)
        if fmt.lasting_duties is not None:
            found += fmt.lasting_duties(processes)
    return sorted(found, key=lambda duty: (duty.due_on, duty.process.pk, duty.kind))


def _after(moment: datetime, kind: str) -> date:
    return local_date(moment) + timedelta(days=settings.DUTY_DAYS[kind])


def _approve(active: dict[int, Process]) -> Iterable[Duty]:
    waiting = [pk for pk, process in active.items() if process.status == Status.IN_REVIEW]
    if not waiting:
        return
    sent = (
        Transition.objects.filter(process__in=waiting, name="submit")
        .order_by()
        .values("process")
        .annotate(last=Max("at"))
    )
    for row in sent:
        yield Duty("approve", active[row["process"]], _after(row["last"], "approve"))


def _contributions(active: dict[int, Process]) -> Iterable[Duty]:
    """To look at: since the oldest came. To answer: by the day promised, once it has closed (each: at any time)."""
    rows = (
        Contribution.objects.filter(process__in=active)
        .order_by()
        .values("process")
        .annotate(
            waiting=Count("pk", filter=Q(moderation=Moderation.PENDING)),
            oldest=Min("created_at", filter=Q(moderation=Moderation.PENDING)),
            unanswered=Count(
                "pk",
                filter=Q(moderation=Moderation.PUBLISHED, outcome="")
                & (Q(theme=None) | Q(theme__outcome="")),
            ),
        )
    )
    for row in rows:
        process = active[row["process"]]
        if row["waiting"]:
            yield Duty("moderate", process, _after(row["oldest"], "moderate"), row["waiting"])
        answering = process.status in {Status.CLOSED, Status.DECIDED} or process.answer_how == AnswerHow.EACH
        if row["unanswered"] and answering and process.answers_due_on:
            yield Duty("answer", process, process.answers_due_on, row["unanswered"])


def _arguments(active: dict[int, Process]) -> Iterable[Duty]:
    """To look at: since the oldest came."""
    rows = (
        Argument.objects.filter(contribution__process__in=active, moderation=Moderation.PENDING)
        .order_by()
        .values("contribution__process")
        .annotate(waiting=Count("pk"), oldest=Min("created_at"))
    )
    for row in rows:
        process = active[row["contribution__process"]]
        yield Duty("moderate_arguments", process, _after(row["oldest"], "moderate"), row["waiting"])


def _decide(active: dict[int, Process]) -> Iterable[Duty]:
    for process in active.values():
        due = decision_date(process)
        if process.status == Status.CLOSED and due is not None:
            yield Duty("decide", process, due)


def _report_back(active: dict[int, Process]) -> Iterable[Duty]:
    decided = [pk for pk, process in active.items() if process.status == Status.DECIDED]
    if not decided:
        return
    for transition in Transition.objects.filter(process__in=decided, name="decide"):
        yield Duty("report_back", active[transition.process_id], _after(transition.at, "report_back"))


def _questions(processes: Any) -> Iterable[Duty]:
    open_questions = (
        ProcessQuestion.objects.filter(process__in=processes, answered_at=None)
        .exclude(moderation__in=[Moderation.REJECTED, Moderation.WITHDRAWN])
        .order_by()
        .values("process")
        .annotate(due=Min("due_on"), number=Count("pk"))
    )
    rows = {row["process"]: row for row in open_questions}
    for process in _with_people(rows):
        yield Duty("question", process, rows[process.pk]["due"], rows[process.pk]["number"])


def _corrections(processes: Any) -> Iterable[Duty]:
    waiting = (
        Change.objects.filter(process__in=processes, kind=Change.Kind.CORRECT, confirmed_at=None)
        .order_by()
        .values("process")
        .annotate(oldest=Min("at"), number=Count("pk"))
    )
    rows = {row["process"]: row for row in waiting}
    for process in _with_people(rows):
        row = rows[process.pk]
        yield Duty("confirm_correction", process, _after(row["oldest"], "confirm_correction"), row["number"])


def _with_people(ids: Iterable[int]) -> Iterable[Process]:
    ids = list(ids)
    return Process.objects.filter(pk__in=ids).select_related("owner", "deputy", "unit") if ids else []
