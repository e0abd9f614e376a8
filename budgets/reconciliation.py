"""Do the numbers add up? Per channel and polling place: the roll against the ballots, the papers against the account.

A row that doesn't add up says in words what is missing and where; a place with such a row can't be signed.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.verdict import Refused, Verdict, verdict
from budgets import paper, permissions, polling
from budgets.models import (
    CountedBallot,
    PaperEntry,
    PlaceAccount,
    PollingPlace,
    Roll,
    Round,
    VoteChannel,
)
from dkfds.wording import number

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Sum:
    """One equation in words: `left` = `right`, each a list of (what, how many)."""

    title: str
    left: tuple[tuple[str, int], ...]
    right: tuple[tuple[str, int], ...]

    @property
    def is_left(self) -> int:
        return sum(amount for _what, amount in self.left)

    @property
    def is_right(self) -> int:
        return sum(amount for _what, amount in self.right)

    @property
    def ok(self) -> bool:
        return self.is_left == self.is_right

    @property
    def words(self) -> str:
        """What is wrong, as one says it."""
        off = self.is_right - self.is_left
        if off == 0:
            return ""
        values = {"title": self.title, "left": number(self.is_left), "right": number(self.is_right)}
        missing = ngettext("%(off)s is missing", "%(off)s are missing", abs(off)) % {"off": number(abs(off))}
        extra = ngettext("%(off)s is too many", "%(off)s are too many", abs(off)) % {"off": number(abs(off))}
        values["off"] = missing if off < 0 else extra
        return _("%(title)s: %(left)s against %(right)s, so %(off)s.") % values


@dataclass(frozen=True)
class PlaceSums:
    """A place's whole account."""

    place: PollingPlace
    account: PlaceAccount
    sums: tuple[Sum, ...]
    valid: int
    spoiled: dict[str, int]
    marks: int
    undone: int
    waiting: tuple[str, ...] = field(default=())

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self.waiting, *(one.words for one in self.sums if not one.ok))

    @property
    def spoiled_total(self) -> int:
        return sum(self.spoiled.values())

    @property
    def spoiled_rows(self) -> list[tuple[str, int]]:
        labels = dict(PaperEntry.Spoiled.choices)
        return [(str(labels[reason]), amount) for reason, amount in sorted(self.spoiled.items())]


def account_of(place: PollingPlace) -> PlaceAccount:
    return PlaceAccount.objects.filter(place=place).first() or PlaceAccount(place=place)


def place_sums(place: PollingPlace, round: Round) -> PlaceSums:
    account = account_of(place)
    states = paper.bundles_of(place)
    papers = [read for state in states if state.compared for read in state.compared.papers]
    spoiled = Counter(read.spoiled for read in papers if read.spoiled)
    valid = sum(1 for read in papers if not read.spoiled)
    handed_out_of = dict(
        Roll.objects.filter(round=round, place=place)
        .values_list("pot")
        .annotate(voters=Count("pk"))
        .order_by()
    )
    marks = sum(handed_out_of.values())
    handed_out = [(_("marked on the roll"), marks)]
    if account.unmarked:
        handed_out.append((_("in the box without a mark"), account.unmarked))
    in_box = [(_("valid ballots in the box"), valid), (_("spoiled ballots in the box"), spoiled.total())]
    return PlaceSums(
        place=place,
        account=account,
        sums=(
            Sum(
                _("The roll and the box"),
                tuple(handed_out),
                (*in_box, (_("handed out, never put in the box"), account.not_in_box)),
            ),
            Sum(
                _("The ballot papers"),
                ((_("received"), account.received),),
                (
                    (_("handed out and kept"), marks + account.unmarked),
                    (_("exchanged or cancelled"), account.replaced),
                    (_("left over"), account.left_over),
                ),
            ),
        ),
        valid=valid,
        spoiled=dict(spoiled),
        marks=marks,
        undone=place.undone.count(),
        waiting=(*_waiting(states, marks), *_wrong_sheets(states, handed_out_of, account.unmarked, round)),
    )


def _waiting(states: list[paper.BundleState], marks: int) -> tuple[str, ...]:
    words = tuple(
        _("Bundle %(number)s %(what)s.") % {"number": state.bundle.number, "what": state.words}
        for state in states
        if not state.done
    )
    if not states and marks:
        return (_("The ballots have not been entered yet."),)
    return words


def _wrong_sheets(
    states: list[paper.BundleState], handed_out: dict[str, int], unmarked: int, round: Round
) -> tuple[str, ...]:
    """Where districts have ballot papers of their own: more of one in the box than were handed out, which the sums of the
    whole place would not show. Papers without a mark may be of any."""
    names = dict(polling.sheets_of(round))
    if len(names) < 2:
        return ()  # then the sums of the place say it
    in_box: Counter[str] = Counter()
    for state in states:
        in_box[state.bundle.pot] += len(state.compared.papers) if state.compared else 0
    over = {
        pot: (papers, handed_out.get(pot, 0))
        for pot, papers in sorted(in_box.items())
        if papers > handed_out.get(pot, 0)
    }
    if sum(papers - marks for papers, marks in over.values()) <= unmarked:
        return ()
    return tuple(
        _(
            "Ballot paper “%(sheet)s”: %(papers)s in the box, but only %(marks)s handed out. Look whether a bundle was made "
            "under the wrong ballot paper."
        )
        % {"sheet": names.get(pot, pot), "papers": number(papers), "marks": number(marks)}
        for pot, (papers, marks) in over.items()
    )


@dataclass(frozen=True)
class ChannelSum:
    """Roll and ballots of a channel on the site, which the sealing itself has compared."""

    channel: str
    label: str
    on_roll: int
    ballots: int

    @property
    def ok(self) -> bool:
        return self.on_roll == self.ballots

    @property
    def words(self) -> str:
        """What is wrong, as one says it."""
        roll, ballots = ((_("on the roll"), self.on_roll),), ((_("ballots"), self.ballots),)
        return Sum(self.label, roll, ballots).words


def channel_sums(round: Round) -> list[ChannelSum]:
    """Of the channels that vote on the site. Empty until the urn has been opened: before, only the turnout is told."""
    if round.state in {Round.State.VOTING, Round.State.DROPPED}:
        return []
    paper_channel = VoteChannel.POLLING_PLACE
    roll = dict(
        Roll.objects.filter(round=round)
        .exclude(channel=paper_channel)
        .values_list("channel")
        .annotate(voters=Count("pk"))
        .order_by()
    )
    ballots = dict(
        CountedBallot.objects.filter(round=round)
        .exclude(channel=paper_channel)
        .values_list("channel")
        .annotate(cast=Count("pk"))
        .order_by()
    )
    labels = dict(VoteChannel.choices)
    return [
        ChannelSum(channel, str(labels[channel]), roll.get(channel, 0), ballots.get(channel, 0))
        for channel in VoteChannel.values
        if channel in roll or channel in ballots
    ]


def in_the_way(sums: PlaceSums, channels: list[ChannelSum]) -> tuple[str, ...]:
    """What must be right before a place is signed: its own papers, and every way to vote on the site, which was compared when
    the urn was opened and may not have changed since."""
    return (*sums.problems, *(one.words for one in channels if not one.ok))


def check_may_sign(
    user: "User", place: PollingPlace, round: Round | None, *, at: datetime | None = None
) -> None:
    """Two different people, each only when everything adds up."""
    permissions.check_may_handle_paper(user, place)
    if round is None or round.state == Round.State.VOTING:
        raise Refused("still_voting", _("The account is signed when voting has closed everywhere."))
    if round.state != Round.State.PAPER:
        raise Refused("paper_done", _("The paper ballots are counted."))
    found = place_sums(place, round)
    if found.account.signed:
        raise Refused("signed", _("Two people have signed already."))
    if found.account.first_signed_by_id == user.pk:
        raise Refused("four_eyes", _("You have signed. Somebody else must sign too."))
    if found.account.pk is None:
        raise Refused("no_account", _("Fill in the account of the ballot papers first."))
    if problems := in_the_way(found, channel_sums(round)):
        raise Refused("does_not_add_up", " ".join(problems))


def can_sign(
    user: "User", place: PollingPlace, round: Round | None, *, at: datetime | None = None
) -> Verdict:
    return verdict(check_may_sign, user, place, round, at=at)


def check_may_reopen(
    user: "User", place: PollingPlace, round: Round | None, *, at: datetime | None = None
) -> None:
    permissions.check_may_handle_paper(user, place)
    if round is None or round.state != Round.State.PAPER:
        raise Refused("paper_done", _("The round is closed: its paper ballots are among the others."))
    account = account_of(place)
    if account.first_signed_by_id is None:
        raise Refused("not_signed", _("The account is not signed."))


def can_reopen(
    user: "User", place: PollingPlace, round: Round | None, *, at: datetime | None = None
) -> Verdict:
    return verdict(check_may_reopen, user, place, round, at=at)
