"""The meeting that shared the money out, as everyone may read it."""

from budgets.models import Meeting
from participation.choices import PUBLIC
from participation.files import Owner
from participation.models import Process, StoredFile


def meeting_of(process: Process) -> Meeting | None:
    return (
        Meeting.objects.filter(round__process=process)
        .select_related("minutes_file", "round__process")
        .first()
    )


def _public(file: StoredFile) -> bool:
    return Meeting.objects.filter(minutes_file=file, round__process__status__in=PUBLIC).exists()


def _seen_by(file: StoredFile, user: object) -> bool:
    """The minutes are public from the moment they are recorded: nobody needs to see them before the others."""
    return False


FILES = Owner("meetings", _public, _seen_by)
