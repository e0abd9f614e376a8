"""Whose name stands beside a contribution, and until when."""

from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from participation.choices import NameShown
from participation.models import Contribution, Process

AFTER_THE_END = timedelta(days=180)


def shown_until(process: Process) -> date | None:
    """The first day without names: the day set on the process, else half a year after it was concluded."""
    if process.names_until is not None or process.concluded_at is None:
        return process.names_until
    return timezone.localdate(process.concluded_at + AFTER_THE_END)


def shown_name(contribution: Contribution, today: date) -> str:
    """First name and district unless the writer chose otherwise; nothing but the district when names are gone.

    A business, association or council is shown as what it is. Never empty.
    """
    if contribution.organisation is not None:
        return contribution.organisation.name
    until = shown_until(contribution.process)
    where = contribution.home_district.name if contribution.home_district else ""
    author = contribution.author
    given = author.get_full_name() if author is not None else contribution.author_name
    if (
        contribution.name_shown == NameShown.NONE
        or not given.strip()
        or (until is not None and today >= until)
    ):
        who = _("A citizen")
    elif contribution.name_shown == NameShown.FIRST:
        who = given.split()[0]
    else:
        who = given
    return f"{who}, {where}" if where else who
