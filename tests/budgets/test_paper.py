"""The ballot paper with pots, held against a check written the other way round: count first, then ask."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.verdict import Refused
from budgets.ballots import Paper, Part

KINDS = ("approval", "choose_one", "cumulative", "knapsack")


@st.composite
def papers(draw):
    """A city-wide part or none, and up to three districts'; numbers run through all of them."""
    kind = draw(st.sampled_from(KINDS))
    rules = {
        "ballot_type": kind,
        "min_choices": draw(st.integers(0, 2)),
        "max_choices": draw(st.integers(2, 4)) if kind == "approval" else draw(st.none() | st.integers(2, 4)),
        "points": draw(st.integers(2, 6)) if kind == "cumulative" else None,
    }
    districts = draw(st.integers(0, 3))
    city = draw(st.booleans()) or not districts
    parts, number = [], 1
    for place in [None] * city + list(range(1, districts + 1)):
        numbers = [str(number + more) for more in range(draw(st.integers(1, 4)))]
        number += len(numbers)
        groups = {one: "same" for one in numbers if draw(st.integers(0, 3)) == 0}
        parts.append(
            Part(
                prices={one: Decimal(draw(st.integers(1, 50))) for one in numbers},
                total=Decimal(draw(st.integers(20, 90))),
                key=f"pot{place or 0}",
                name=f"Pulje {place or 0}",
                district_id=place,
                alternatives=groups,
                **rules,
            )
        )
    return Paper(tuple(parts))


@st.composite
def ballots(draw):
    paper = draw(papers())
    pot = draw(st.sampled_from(["", "pot9", *(part.key for part in paper.parts)]))
    numbers = st.sampled_from([*paper.prices, "77"])
    most = 3 if paper.ballot_type == "cumulative" else 1
    chosen = draw(st.lists(st.tuples(numbers, st.integers(0, most) | st.just(1)), max_size=6))
    return paper, pot, chosen


def holds(paper: Paper, pot: str, chosen: list[tuple[str, int]]) -> bool:
    """Written from the rules as people read them, part by part."""
    districts = {part.key for part in paper.parts if part.district_id is not None}
    if pot and pot not in districts:
        return False
    mine = [part for part in paper.parts if part.district_id is None or part.key == pot]
    here = {number: part for part in mine for number in part.prices}
    counts = Counter(number for number, _points in chosen)
    if set(counts) - set(here) or any(times > 1 for times in counts.values()):
        return False
    if not chosen and len(mine) != 1:
        return False
    for part in mine:
        given = {number: points for number, points in chosen if here[number] is part}
        if not given and len(mine) > 1:
            continue
        if not part_holds(part, given):
            return False
    return True


def part_holds(part: Part, given: dict[str, int]) -> bool:
    numbers = len(part.prices)
    if part.ballot_type == "choose_one":
        return list(given.values()) == [1]
    most = min(filter(None, (numbers, part.max_choices, part.points)))
    if not min(part.min_choices, most) <= len(given) <= most:
        return False
    if part.ballot_type == "cumulative":
        return all(points >= 1 for points in given.values()) and sum(given.values()) <= part.points
    if any(points != 1 for points in given.values()):
        return False
    if part.ballot_type == "knapsack":
        same = [number for number in given if number in part.alternatives]
        return sum(part.prices[number] for number in given) <= part.total and len(same) < 2
    return True


@given(ballots())
@settings(max_examples=600, deadline=None)
def test_a_ballot_holds_exactly_when_the_rules_say_so(case):
    paper, pot, chosen = case
    try:
        checked = paper.check(chosen, pot)
    except Refused as refused:
        assert not holds(paper, pot, chosen), refused.reason
        assert refused.reason
    else:
        assert holds(paper, pot, chosen)
        assert checked == tuple(sorted(chosen))
        longest = len(str([list(entry) for entry in checked]).replace(" ", ""))
        assert longest <= paper.ballot_bytes


def part(key, numbers, district=None, **fields):
    rules = {"ballot_type": "approval", "total": Decimal(100), "max_choices": 2, "name": key.title()}
    return Part(
        **rules | {"key": key, "prices": {n: Decimal(40) for n in numbers}, "district_id": district} | fields
    )


@pytest.fixture
def paper():
    return Paper((part("by", "123"), part("nord", "45", 7), part("syd", "67", 8)))


@pytest.mark.parametrize(
    ("chosen", "pot", "code"),
    [
        ("", "nord", "blank"),
        ("1", "nord", None),
        ("4", "nord", None),
        ("14", "nord", None),
        ("12", "", None),
        ("", "", "too_few"),
        ("6", "nord", "other_pot"),
        ("4", "", "other_pot"),
        ("123", "nord", "too_many"),
        ("1", "by", "unknown_pot"),
        ("1", "vest", "unknown_pot"),
        ("9", "nord", "unknown_project"),
        ("11", "nord", "chosen_twice"),
    ],
)
def test_what_is_wrong_has_its_own_word(paper, chosen, pot, code):
    try:
        paper.check([(number, 1) for number in chosen], pot)
    except Refused as refused:
        assert refused.code == code
    else:
        assert code is None


def test_what_is_wrong_under_a_pot_says_which(paper):
    with pytest.raises(Refused) as caught:
        paper.check([("1", 1), ("2", 1), ("3", 1)], "nord")
    assert caught.value.reason.startswith("By: ")


def test_every_ballot_is_as_long_as_the_longest_over_all_pots():
    short, long = part("nord", "45", 7), part("syd", ["600000001", "600000002"], 8)
    assert Paper((part("by", "1"), short, long)).ballot_bytes == Paper((part("by", "1"), long)).ballot_bytes
    assert Paper((part("by", "1"), short)).ballot_bytes <= Paper((part("by", "1"), long)).ballot_bytes
