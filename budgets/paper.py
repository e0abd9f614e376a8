"""Paper ballots as data: what a reader types, what two readers saw differently, and what a paper counts as in the end.

The rules that say whether a ballot is valid are the very ones of the ballot on the site (`budgets.ballots.Paper`).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.verdict import Refused
from budgets.ballots import Choices, Paper
from budgets.models import BallotType, Bundle, PaperEntry, PaperOrder, PollingPlace, Reading

Spoiled = PaperEntry.Spoiled

# What the rules of the ballot say no to, and what the paper is counted as then. Anything else is a slip of the keyboard.
BY_THE_RULES = {
    "too_many": Spoiled.TOO_MANY,
    "too_few": Spoiled.TOO_FEW,
    "blank": Spoiled.BLANK,
    "over_budget": Spoiled.TOO_DEAR,
    "alternatives": Spoiled.EXCLUDE,
    "too_many_points": Spoiled.POINTS,
    "no_points": Spoiled.POINTS,
}
# What may be typed instead of numbers.
WORDS = {"0": Spoiled.BLANK, "b": Spoiled.BLANK, "u": Spoiled.UNCLEAR, "n": Spoiled.SIGNED}
LONGEST_TYPED = 300
MOST_IN_BUNDLE = 500
_MANY = re.compile(r"[\s,;.+]+")


@dataclass(frozen=True)
class Read:
    """One paper as it counts: choices, or why it is spoiled."""

    choices: Choices = ()
    spoiled: str = ""


def read_typed(typed: str, paper: Paper, *, pot: str = "") -> Read:
    """ "3 7 12" (with points "3:2 7:1"), or a word for a paper that is not valid. What the rules of the ballot don't allow
    is spoiled; what can't stand on any paper is `Refused`, because the reader mistyped."""
    text = typed.strip().casefold()
    if not text:
        raise Refused(
            "empty", _("Type the numbers that are chosen on the paper, or 0 when it is blank."), "typed"
        )
    if len(text) > LONGEST_TYPED:
        raise Refused("too_long", _("This is longer than any ballot."), "typed")
    if text in WORDS:
        return Read(spoiled=WORDS[text])
    chosen = [_pair(part, paper) for part in _MANY.split(text) if part]
    numbers = Counter(number for number, _points in chosen)
    twice = [number for number, times in numbers.items() if times > 1]
    if twice:
        raise Refused("twice", _("You typed %(number)s twice.") % {"number": twice[0]}, "typed")
    unknown = [number for number in numbers if number not in paper.prices]
    if unknown:
        raise Refused(
            "unknown", _("Number %(number)s isn't on the ballot.") % {"number": unknown[0]}, "typed"
        )
    try:
        return Read(choices=paper.check(chosen, pot))
    except Refused as refused:
        if refused.code in BY_THE_RULES:
            return Read(spoiled=BY_THE_RULES[refused.code])
        raise Refused(refused.code, refused.reason, "typed") from refused


def _pair(part: str, paper: Paper) -> tuple[str, int]:
    number, colon, points = part.partition(":")
    number = number.lstrip("0") or number
    if not colon:
        if paper.ballot_type == BallotType.CUMULATIVE:
            raise Refused(
                "points", _("Type the points too, for example 3:2 for two points to number 3."), "typed"
            )
        return number, 1
    if not (points.isascii() and points.isdigit() and len(points) < 6):
        raise Refused("points", _("Points are whole numbers, for example 3:2."), "typed")
    return number, int(points)


def as_typed(choices: Iterable[Sequence[Any]], *, with_points: bool) -> str:
    """As it could be typed again."""
    return " ".join(f"{number}:{points}" if with_points else str(number) for number, points in choices)


@dataclass(frozen=True)
class Difference:
    """A paper that the two saw differently; `settled` is the third look, when there is one."""

    position: int
    first: PaperEntry | None
    second: PaperEntry | None
    settled: PaperEntry | None


@dataclass(frozen=True)
class Compared:
    """A bundle after two readings. `papers` is what each paper counts as; empty until nothing is open."""

    differences: tuple[Difference, ...]
    papers: tuple[Read, ...]

    @property
    def open(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.settled is None)


def same(one: PaperEntry | None, other: PaperEntry | None) -> bool:
    """Two readings agree when they count as the same; how it was typed doesn't matter."""
    if one is None or other is None:
        return one is other
    return (one.spoiled, _canonical(one)) == (other.spoiled, _canonical(other))


def _canonical(entry: PaperEntry) -> Choices:
    return tuple(sorted((str(number), int(points)) for number, points in entry.choices))


def compare(readings: Iterable[Reading]) -> Compared | None:
    """The readings of one bundle with their entries prefetched; None until two have finished."""
    by_role = {reading.role: reading for reading in readings}
    first, second = by_role.get(Reading.Role.FIRST), by_role.get(Reading.Role.SECOND)
    if first is None or second is None or not (first.finished and second.finished):
        return None
    third = by_role.get(Reading.Role.THIRD)
    seen_first, seen_second = _by_position(first), _by_position(second)
    settled = _by_position(third) if third else {}
    differences, papers = [], []
    for position in sorted(seen_first.keys() | seen_second.keys()):
        one, other = seen_first.get(position), seen_second.get(position)
        counts = one
        if not same(one, other):
            counts = settled.get(position)
            differences.append(Difference(position, one, other, counts))
        if counts is not None and counts.spoiled != Spoiled.NO_PAPER:
            papers.append(Read(_canonical(counts), counts.spoiled))
    compared = Compared(tuple(differences), tuple(papers))
    return compared if not compared.open else Compared(compared.differences, ())


def _by_position(reading: Reading) -> dict[int, PaperEntry]:
    return {entry.position: entry for entry in reading.entries.all()}


@dataclass(frozen=True)
class BundleState:
    """A bundle and how far it is; `words` says what is missing, and is empty when nothing is."""

    bundle: Bundle
    readings: dict[str, Reading]
    compared: Compared | None
    words: str

    @property
    def done(self) -> bool:
        return not self.words


def bundles_of(place: PollingPlace) -> list[BundleState]:
    """In three queries however many papers there are."""
    bundles = place.bundles.prefetch_related("readings__entries", "readings__by").order_by("number")
    return [_state(bundle) for bundle in bundles]


def _state(bundle: Bundle) -> BundleState:
    readings = {reading.role: reading for reading in bundle.readings.all()}
    compared = compare(readings.values())
    words = ""
    finished = [role for role, reading in readings.items() if reading.finished and role != Reading.Role.THIRD]
    if compared is None:
        words = _("waits for its first reading") if not finished else _("waits for its second reading")
    elif compared.open:
        words = _("waits for a third look at what the two saw differently")
    return BundleState(bundle, readings, compared, words)


def papers_of(place: PollingPlace) -> list[tuple[str, Read]]:
    """(pot, paper) of every paper of a place whose bundles are all done."""
    return [
        (state.bundle.pot, read)
        for state in bundles_of(place)
        if state.compared is not None
        for read in state.compared.papers
    ]


def in_printed_order(projects: Iterable[Any], order: PaperOrder | None) -> list[Any]:
    """Projects with `number`, `title` and `price`, in the order chosen for the printed ballot. A drawn order follows from the
    seed: by the SHA-256 of "seed number", so that anyone can work it out again."""
    listed = list(projects)
    match order.kind if order else PaperOrder.Kind.NUMBER:
        case PaperOrder.Kind.TITLE:
            return sorted(listed, key=lambda one: (danish(one.title), _number(one)))
        case PaperOrder.Kind.CHEAPEST:
            return sorted(listed, key=lambda one: (one.price, _number(one)))
        case PaperOrder.Kind.LOT:
            seed = order.seed if order else ""
            return sorted(listed, key=lambda one: hashlib.sha256(f"{seed} {one.number}".encode()).hexdigest())
    return sorted(listed, key=_number)


def _number(project: Any) -> tuple[int, str]:
    return (len(project.number), project.number)


def danish(text: str) -> list[int]:
    """A key in Danish order: … z, æ, ø, å, and aa as å."""
    letters = text.casefold().replace("aa", "å")
    last = {"æ": 0x110000, "ø": 0x110001, "å": 0x110002}
    return [last.get(letter, ord(letter)) for letter in letters]
