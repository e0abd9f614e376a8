"""The public diary of a project, and who is told of its lines."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from accounts.models import User
from budgets.models import Implementation, Milestone, ProgressNote, Project
from participation import notices, team
from participation.models import Contribution, Notice, StoredFile, Support

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def supporters(project: Project) -> QuerySet[User]:
    """Who hears news of a project: those behind it, those who support it, and those who follow the process."""
    wanted = team.among_authors(Contribution.objects.filter(pk=project.pk))
    wanted |= Q(pk__in=Support.objects.filter(contribution=project.pk).exclude(user=None).values("user"))
    wanted |= Q(pk__in=project.contribution.process.follows.values("user"))
    return User.objects.filter(wanted, is_active=True)


def write_note(
    one: Implementation,
    kind: str,
    title: str,
    text: str = "",
    *,
    by: User | None,
    at: datetime,
    status: str = "",
    expected_on: date | None = None,
    milestone: Milestone | None = None,
    photo: StoredFile | None = None,
) -> ProgressNote:
    """A line of the public diary: from this moment nobody can say that nothing was told."""
    note = ProgressNote.objects.create(
        implementation=one,
        kind=kind,
        title=title[:300],
        text=text,
        status=status,
        expected_on=expected_on,
        milestone=milestone,
        photo=photo,
        at=at,
        by=by,
    )
    mark_told(one, at)
    return note


def mark_told(one: Implementation, at: datetime) -> None:
    one.told_at = at
    one.save(update_fields=["told_at"])


def tell_supporters(note: ProgressNote, what: "_StrPromise | str | None", by: User | None) -> None:
    """Each of them once about each line; `what` stands in the subject, without it the line's own title."""
    project = note.implementation.project
    parts: list[_StrPromise | str] = [note.text] if note.text else []
    if what is not None and note.kind not in {ProgressNote.Kind.PLAN, ProgressNote.Kind.STATUS}:
        parts.insert(0, note.title)
    if note.expected_on is not None:
        day = lazy(date_format, str)(note.expected_on, "DATE_FORMAT")
        parts.append(format_lazy(gettext_lazy("Expected to be done {day}."), day=day))
    title = project.contribution.title
    notices.tell(
        users=supporters(project),
        event=f"implementation:{project.pk}:note:{note.pk}",
        kind=Notice.Kind.NEWS,
        title=format_lazy("{}: {}", title, what if what is not None else note.title),
        text=format_lazy("\n\n".join(["{}"] * len(parts)), *parts),
        url=f"{project.contribution.get_absolute_url()}#gennemfoerelse",
        process=project.contribution.process,
        by=by,
    )


def tell_author(
    user: User | None, one: Implementation, event: str, what: str, because: str, by: User
) -> None:
    if user is None:
        return
    contribution = one.project.contribution
    notices.tell(
        users=[user],
        event=f"implementation:{one.pk}:{event}",
        kind=Notice.Kind.ANSWER,
        title=format_lazy("{}: {}", gettext_lazy("Something must be changed"), contribution.title),
        text=format_lazy("{}\n\n{}", what, because),
        url=f"{contribution.get_absolute_url()}#gennemfoerelse",
        process=contribution.process,
        by=by,
    )
