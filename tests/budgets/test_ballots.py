"""The ballot as bytes: what goes in comes out, and nothing of it shows from outside."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.verdict import Refused
from budgets import ballots
from budgets.ballots import NONCE_BYTES, TAG_BYTES, Paper, Part, UnreadableBallot

NUMBERS = st.lists(
    st.text('0123456789ABCÆØÅ-"\\', min_size=1, max_size=12), min_size=1, max_size=30, unique=True
)


@st.composite
def papers(draw):
    numbers = draw(NUMBERS)
    kind = draw(st.sampled_from(["approval", "choose_one", "cumulative", "knapsack"]))
    part = Part(
        ballot_type=kind,
        prices={number: Decimal(draw(st.integers(1, 100))) for number in numbers},
        total=Decimal(draw(st.integers(1, 400))),
        min_choices=0,
        max_choices=draw(st.none() | st.integers(1, 40)),
        points=draw(st.integers(1, 30)) if kind == "cumulative" else None,
    )
    return Paper((part,))


@st.composite
def filled(draw):
    """A paper and two ballots that it accepts."""
    paper = draw(papers())
    (part,) = paper.parts

    def ballot():
        chosen, money, points = [], part.total, part.points or 0
        for number in draw(st.permutations(sorted(paper.prices))):
            if len(chosen) == part.most or not (paper.ballot_type == "choose_one" or draw(st.booleans())):
                break
            if paper.ballot_type == "knapsack":
                if paper.prices[number] > money:
                    break
                money -= paper.prices[number]
            given_points = 1
            if paper.ballot_type == "cumulative":
                if not points:
                    break
                given_points = draw(st.integers(1, points))
                points -= given_points
            chosen.append((number, given_points))
        return chosen

    return paper, ballot(), ballot()


def round_of(paper, pk=7):
    return SimpleNamespace(pk=pk, ballot_bytes=paper.ballot_bytes)


@given(filled())
@settings(max_examples=200, deadline=None)
def test_every_ballot_of_a_round_is_as_long_and_opens_to_what_was_chosen(case):
    paper, one, other = case
    round = round_of(paper)
    stored = [ballots.encrypt(paper.check(choices), round=round, channel="web") for choices in (one, other)]
    assert {len(each) for each in stored} == {NONCE_BYTES + paper.ballot_bytes + TAG_BYTES}
    for choices, each in zip((one, other), stored, strict=True):
        assert ballots.Opener(round).open(each, channel="web") == tuple(sorted(choices))


@given(filled())
@settings(max_examples=50, deadline=None)
def test_the_order_of_choosing_does_not_show(case):
    paper, one, _other = case
    assert paper.check(one) == paper.check(list(reversed(one)))


@pytest.fixture
def round():
    return SimpleNamespace(pk=7, ballot_bytes=64)


def test_the_same_choices_never_look_the_same(round):
    assert len({ballots.encrypt((("1", 1),), round=round, channel="web") for _ in range(100)}) == 100


def test_a_ballot_belongs_to_its_round_channel_and_pot(round):
    stored = ballots.encrypt((("1", 1),), round=round, channel="web")
    for opener, channel, pot in (
        (ballots.Opener(SimpleNamespace(pk=8, ballot_bytes=64)), "web", ""),
        (ballots.Opener(round), "library", ""),
        (ballots.Opener(round), "web", "north"),
    ):
        with pytest.raises(UnreadableBallot):
            opener.open(stored, channel=channel, pot=pot)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_garbage_does_not_open(data):
    with pytest.raises(UnreadableBallot):
        ballots.Opener(SimpleNamespace(pk=7, ballot_bytes=64)).open(data, channel="web")


def test_a_tracker_belongs_to_one_voter_and_round(round):
    voter, other = SimpleNamespace(pk=1), SimpleNamespace(pk=2)
    code = ballots.new_tracker()
    signed = ballots.sign_tracker(code, round=round, by=voter)
    assert ballots.unsign_tracker(signed, round=round, by=voter) == code
    for round_, by, text in (
        (round, other, signed),
        (SimpleNamespace(pk=8), voter, signed),
        (round, voter, signed[:-1]),
        (round, voter, code),
        (round, voter, ""),
    ):
        with pytest.raises(Refused):
            ballots.unsign_tracker(text, round=round_, by=by)


def test_trackers_are_many_and_easy_to_read():
    codes = {ballots.new_tracker() for _ in range(2000)}
    assert len(codes) == 2000
    assert not set("".join(codes)) & set("IL10O")


def test_a_typed_tracker_is_found_without_hyphens_and_capitals(round):
    code = ballots.new_tracker()
    assert ballots.tracker_hash(code, round=round) == ballots.tracker_hash(
        f" {code.lower().replace('-', ' ')} ", round=round
    )
    assert ballots.tracker_hash(code, round=round) != ballots.tracker_hash(code, round=SimpleNamespace(pk=8))
