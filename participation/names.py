"""Whose name stands beside a contribution, and until when."""

from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import District, Organisation
from participation.choices import NameShown
from participation.models import Argument, Contribution, Process

AFTER_THE_END = timedelta(days=180)


def shown_until(process: Process) -> date | None:
    """The first day without names: the day set on the process, else half a year after it was concluded."""
    if process.names_until is not None or process.concluded_at is None:
        return process.names_until
    return timezone.localdate(process.concluded_at + AFTER_THE_END)


def shown_name(contribution: Contribution | Argument, today: date) -> str:
    """First name and district unless the writer chose otherwise; nothing but the district when names are gone.

    A business, association or council is shown as what it is. Never empty.
    """
    author = contribution.author
    return name_of(
        author.get_full_name() if author is not None else contribution.author_name,
        contribution.name_shown,
        contribution.process,
        today,
        organisation=contribution.organisation,
        home=contribution.home_district,
    )


def name_of(
    given: str,
    choice: str,
    process: Process,
    today: date,
    *,
    organisation: Organisation | None = None,
    home: District | None = None,
) -> str:
    """One author's or co-author's name by their own choice, as `shown_name` says."""
    if organisation is not None:
        return organisation.name
    until = shown_until(process)
    where = home.name if home else ""
    if choice == NameShown.NONE or not given.strip() or (until is not None and today >= until):
        who = _("A citizen")
    elif choice == NameShown.FIRST:
        who = given.split()[0]
    else:
        who = given
    return f"{who}, {where}" if where else who
