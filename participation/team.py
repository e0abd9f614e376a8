"""Who a contribution belongs to: its author, and the co-authors who accepted.

The one place that answers "is this person one of its authors?". Permissions, pages, notices and My page ask here;
queries of many rows use `Contribution.objects.of_author` and `by_author`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from accounts.models import User
from participation import clock, merging
from participation.choices import NameShown
from participation.models import CoAuthor, Contribution
from participation.models.contributions import by_author, others
from participation.names import name_of, shown_name

MOST = 8  # who stand behind one contribution, those still invited counted

__all__ = [
    "MOST",
    "Invitations",
    "among_authors",
    "authors",
    "by_author",
    "forget",
    "gathered_into",
    "is_author",
    "members",
    "name_choice",
    "others",
    "shown_names",
    "shown_together",
]


def members(contribution: Contribution) -> list[CoAuthor]:
    """The accepted co-authors in the order they joined; asked once per contribution."""
    if not hasattr(contribution, "_members"):
        contribution._members = list(contribution.team.accepted().with_names())  # type: ignore[attr-defined]
    return contribution._members  # type: ignore[attr-defined,no-any-return]


def forget(contribution: Contribution) -> None:
    """The team was changed: whoever asks next gets it as it is now."""
    contribution.__dict__.pop("_members", None)


def is_author(user: Any, contribution: Contribution) -> bool:
    """Whether this user is its author or one of its accepted co-authors."""
    if user is None or not user.is_authenticated:
        return False
    return contribution.author_id == user.pk or any(each.user_id == user.pk for each in members(contribution))


def authors(contribution: Contribution) -> list[User]:
    """Everyone behind it who has an account, the author first."""
    team = [each.user for each in members(contribution) if each.user is not None]
    return [contribution.author, *team] if contribution.author is not None else team


def among_authors(contributions: QuerySet[Contribution]) -> Q:
    """A condition on users: they are behind one of these contributions."""
    team = CoAuthor.objects.accepted().filter(contribution__in=contributions.values("pk"))
    return Q(pk__in=contributions.exclude(author=None).values("author")) | Q(pk__in=team.values("user"))


def shown_names(contribution: Contribution, today: date) -> list[str]:
    """Every author's name as each chose to have it shown; those who stay nameless are "A citizen" each."""
    names = [shown_name(contribution, today)]
    for each in members(contribution):
        given = each.user.get_full_name() if each.user is not None else ""
        names.append(
            name_of(
                given,
                each.name_shown,
                contribution.process,
                today,
                organisation=each.organisation,
                home=each.home_district,
            )
        )
    return names


def shown_together(contribution: Contribution, today: date) -> str:
    """One line for a list: the author, and how many stand behind it besides (`others` of `for_list`, no query)."""
    name = shown_name(contribution, today)
    number = getattr(contribution, "others", 0)
    if not number:
        return name
    more = ngettext("%(name)s, and %(number)d other", "%(name)s, and %(number)d others", number)
    return more % {"name": name, "number": number}


def name_choice(user: User, contribution: Contribution) -> str:
    """How this author has chosen to be shown."""
    if contribution.author_id == user.pk:
        return contribution.name_shown
    return next((one.name_shown for one in members(contribution) if one.user_id == user.pk), NameShown.FIRST)


@dataclass(frozen=True)
class Invitations(merging.Part):
    """Those that wait go along when the contribution is gathered into another (participation/merging.py), and come back also
    when they were answered meanwhile."""

    def back(self, kept: Contribution, gone: Contribution, keys: list[Any]) -> None:
        """Whoever is behind `gone` already stays where they said yes."""
        rows = CoAuthor.objects.filter(pk__in=keys, contribution=kept)
        rows.exclude(user__in=authors(gone)).update(contribution=gone)


def gathered_into(contribution: Contribution) -> list[Contribution]:
    """The contributions that were gathered into this one, oldest first, each with its `shown_name`."""
    today = clock.today()
    found = list(
        contribution.gathered.annotate(others=others())
        .with_author()
        .defer("search_vector", "author_contact")
        .order_by("created_at", "pk")
    )
    for each in found:
        each.process = contribution.process
        each.shown_name = shown_together(each, today)  # type: ignore[attr-defined]
    return found
