"""What a page shows of the debate about a contribution: support, and the arguments in two columns.

A fixed number of queries however many there are: how many stands on the contribution, the rows of a page are read
together, and the first replies to them together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.verdict import Verdict
from participation import clock, merging, team
from participation.choices import Moderation
from participation.formats import Act
from participation.models import Argument, Contribution, Side, Support
from participation.models.arguments import BEST_FIRST
from participation.names import shown_name
from participation.permissions import arguments as may

SHOWN = 5  # of each side on the contribution's page
REPLIES = 2  # under each argument, before one asks for more
PER_SIDE = 10  # on the page of all arguments; twice as many of one side alone
PER_PAGE_OF_REPLIES = 50


@dataclass
class Column:
    """One side of the debate: how many there are, and those shown."""

    side: str
    label: Any
    count: int
    arguments: list[Argument] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """What this visitor may do now, and why not. Whoever is not signed in is asked to when they do it."""

    support: Verdict
    argue: Verdict
    rate: Verdict
    supports: bool = False


def standing(user: User, contribution: Contribution, at: datetime) -> Standing:
    """From what a page knows already and the phases. Age and district are asked when someone does it: everybody's every
    page would pay for it, and whoever presses is told why not."""
    prefetch_related_objects([contribution.process], "phases")
    support = may.can_open(contribution, Act.SUPPORT, at=at)
    argue = may.can_open(contribution, Act.ARGUE, at=at)
    if not user.is_authenticated:
        return Standing(support, argue, argue)
    who = may.can_be_citizen(user)
    counted = may.can_be_counted(user)
    own = team.is_author(user, contribution)
    yours = Verdict(False, str(_("This is your own. It is the support of others that counts.")), "own")
    return Standing(
        support=_first_no(support, who, counted, *([yours] if own else [])),
        argue=_first_no(argue, who),
        rate=_first_no(argue, who, counted),
        supports=getattr(contribution, "supported", False),
    )


def _first_no(*verdicts: Verdict) -> Verdict:
    return next((one for one in verdicts if not one), Verdict(True))


def shown(contribution: Contribution, user: User, at: datetime) -> dict[str, Any] | None:
    """The debate on the contribution's own page; None where the format has none and there is none."""
    process = contribution.process
    supported = may.is_part_of(process, Act.SUPPORT) or contribution.support_count > 0
    argued = may.is_part_of(process, Act.ARGUE) or contribution.argument_count > 0
    if not (supported or argued) or not contribution.is_public:
        return None
    return {
        "standing": standing(user, contribution, at),
        "supported": supported,
        "argued": argued,
        "columns": columns(contribution, user, stop=SHOWN) if argued else [],
        "more": contribution.arguments_for > SHOWN or contribution.arguments_against > SHOWN,
    }


def columns(
    contribution: Contribution,
    user: User,
    *,
    sides: Iterable[str] = tuple(Side.values),
    start: int = 0,
    stop: int,
    order: tuple[str, ...] = BEST_FIRST,
) -> list[Column]:
    """Of each side those that stand on places `start` < place ≤ `stop` in that order."""
    counts = {Side.FOR: contribution.arguments_for, Side.AGAINST: contribution.arguments_against}
    made = {side: Column(side, Side(side).label, counts[Side(side)]) for side in sides}
    if any(column.count > start for column in made.values()):
        ranked = Argument.objects.filter(
            contribution=contribution, parent=None, side__in=made, moderation=Moderation.PUBLISHED
        ).ranked(per="side", order=order)
        wanted = ranked.filter(place__gt=start, place__lte=stop).values("pk")
        rows = (
            Argument.objects.filter(pk__in=wanted).with_rating_of(user).for_page().with_first_replies(REPLIES)
        )
        for argument in dress(rows.order_by("side", *order), contribution, user):
            dress(argument.first_replies, contribution, user)
            made[argument.side].arguments.append(argument)
    return list(made.values())


def replies_to(argument: Argument, user: User) -> Any:
    """Every reply that this visitor may read: the public ones, and one's own while it waits."""
    mine = Q(author=user.pk) & ~Q(moderation=Moderation.WITHDRAWN) if user.is_authenticated else Q()
    found = Argument.objects.filter(
        Q(moderation=Moderation.PUBLISHED) | mine if mine else Q(moderation="published")
    )
    return found.filter(parent=argument).for_page().order_by("created_at", "pk")


def dress(arguments: Iterable[Argument], contribution: Contribution, user: User) -> list[Argument]:
    """With their contribution, the name as it may be shown, and whether they are this visitor's own."""
    today, rows = clock.today(), list(arguments)
    for argument in rows:
        argument.contribution = contribution
        argument.shown_name = shown_name(argument, today)  # type: ignore[attr-defined]
        argument.own = user.is_authenticated and argument.author_id == user.pk  # type: ignore[attr-defined]
    return rows


# What goes along when the contribution is gathered into another (participation/merging.py).


def _persons(*contributions: Contribution) -> list[Any]:
    """Who is behind them, as persons, also those they were recorded for: nobody's support of their own counts."""
    users = [user for each in contributions for user in team.authors(each)]
    found = [user.person_id for user in users] + [each.person_id for each in contributions]
    return [person for person in found if person]


@dataclass(frozen=True)
class Supports(merging.Part):
    """Everyone who supports one or the other, but not those who are behind them."""

    def going(self, kept: Contribution, gone: Contribution) -> QuerySet[Any]:
        return super().going(kept, gone).exclude(person__in=_persons(kept, gone))


@dataclass(frozen=True)
class SupportOfThoseWhoJoin(merging.Part):
    """Whoever is behind the gone one and supported the kept: from now on it is their own. Their support waits on the gone
    one, which it comes back from."""

    def going(self, kept: Contribution, gone: Contribution) -> QuerySet[Any]:
        return self.rows(kept).filter(person__in=_persons(gone))

    def move(self, kept: Contribution, gone: Contribution) -> list[Any]:
        keys = list(self.going(kept, gone).values_list("pk", flat=True))
        Support.objects.filter(pk__in=keys).update(contribution=gone)
        return keys

    def back(self, kept: Contribution, gone: Contribution, keys: list[Any]) -> None:
        """Whoever left the kept one meanwhile and supports it anew is there already, and nobody supports their own."""
        waits = Support.objects.filter(pk__in=keys, contribution=gone)
        self.without_like(waits, kept).update(contribution=kept)
        waits.delete()


@dataclass(frozen=True)
class Arguments(merging.Part):
    """An argument takes its replies along, also those given after it had moved once."""

    def back(self, kept: Contribution, gone: Contribution, keys: list[Any]) -> None:
        still = Argument.objects.filter(pk__in=keys, parent=None, contribution=kept)
        with_replies = Q(pk__in=still.values("pk")) | Q(parent__in=still.values("pk"))
        Argument.objects.filter(with_replies).update(contribution=gone)


def supporters(number: int) -> str:
    return ngettext("%(number)d who supports it", "%(number)d who support it", number) % {"number": number}


def arguments(number: int) -> str:
    return ngettext("%(number)d argument or reply", "%(number)d arguments and replies", number) % {
        "number": number
    }
