"""Addresses as caseworkers write them, held against addresses as the register has them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.verdict import Refused
from mailouts.places import Span, is_at
from tests.patience import seconds_here

# what is written | an address | whether it is meant
CASES = """
Nørregade 12 | Nørregade 12, 2. tv, 9999 Lunde | x
Nørregade 12 | Nørregade 12B, 9999 Lunde | x
Nørregade 12B | Nørregade 12B, st., 9999 Lunde | x
Nørregade 12b | Nørregade 12B, 9999 Lunde | x
Nørregade 12B | Nørregade 12, 9999 Lunde |
Nørregade 12B | Nørregade 12C, 9999 Lunde |
Nørregade 12 | Nørregade 112, 9999 Lunde |
Nørregade 12 | Nørregade 1, 2., 9999 Lunde |
Nørregade 1 | Nørregade 12, 9999 Lunde |
Nørregade 1-15 | Nørregade 1, 9999 Lunde | x
Nørregade 1-15 | Nørregade 15C, 9999 Lunde | x
Nørregade 1-15 | Nørregade 16, 9999 Lunde |
Nørregade 1 - 15 | Nørregade 8, 9999 Lunde | x
Nørregade 1–15 | Nørregade 8, 9999 Lunde | x
Nørregade 1-15 ulige | Nørregade 7, 9999 Lunde | x
Nørregade 1-15 ulige | Nørregade 8, 9999 Lunde |
Nørregade 1-15 Lige | Nørregade 8, 9999 Lunde | x
Nørregade 1-15 lige | Nørregade 7, 9999 Lunde |
Nørregade | Nørregade 7, 9999 Lunde | x
NØRREGADE | Nørregade 7A, 9999 Lunde | x
nørregade 7, 9999 Lunde | Nørregade 7A, 9999 Lunde | x
Nørregade, 7 | Nørregade 7, 9999 Lunde | x
Nørregade | Nørregades Allé 7, 9999 Lunde |
Nørregade | Nørregade Vest 7, 9999 Lunde |
Nørre | Nørregade 7, 9999 Lunde |
Vestergade 7 | Ny Vestergade 7, 9999 Lunde |
Ny Vestergade 7 | Ny Vestergade 7, 9999 Lunde | x
Gl. Kongevej 12 | Gl. Kongevej 12, 9999 Lunde | x
Gl Kongevej 12 | Gl. Kongevej 12, 9999 Lunde | x
Gl.  Kongevej   12 | Gl. Kongevej 12, 9999 Lunde | x
Kongevej 12 | Gl. Kongevej 12, 9999 Lunde |
Aagade 3 | Ågade 3, 9999 Lunde | x
Ågade 3 | Aagade 3, 9999 Lunde | x
Ågade 3 | Ågade 3, 9999 Lunde | x
Ågade 3 | Agade 3, 9999 Lunde |
10. Februar Vej 4 | 10. Februar Vej 4, 9999 Lunde | x
10. Februar Vej | 10. Februar Vej 4, 9999 Lunde | x
2. Tværgade | 2. Tværgade 3, 9999 Lunde | x
2. Tværgade | 3. Tværgade 3, 9999 Lunde |
Nørregade 12 | Nørregade, 9999 Lunde |
Nørregade | Ukendt adresse |
Nørregade |  |
"""


@pytest.mark.parametrize("line", CASES.strip("\n").splitlines())
def test_what_is_written_is_what_is_meant(line: str) -> None:
    written, address, meant = (part.strip() for part in line.split("|"))
    assert is_at(address, [Span.read(written)]) is (meant == "x")


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "12",
        "1-15",
        "Nørregade 15-1",
        "Nørregade 12A-14",
        "Nørregade 12345",
        "Nørregade 1-15 ulige lige",
        "Nørregade 1,3,5",
        "9999 Lunde",
        "Nørregade 12 og 14",
        "!!!",
        "\x00",
        "10.",
        "x" * 151,
    ],
)
def test_what_cant_be_read_is_asked_for_again(line: str) -> None:
    with pytest.raises(Refused) as refused:
        Span.read(line)
    assert refused.value.code == "address"
    assert len(refused.value.reason) < 250


def test_a_road_typed_with_a_loose_ring_is_the_same() -> None:
    assert is_at("Ågade 3, 9999 Lunde", [Span.read("A\u030agade 3")])
    assert is_at("A\u030agade 3, 9999 Lunde", [Span.read("Ågade 3")])


def test_a_long_line_takes_no_time() -> None:
    started = time.process_time()
    for line in ("a " * 30_000, "a," * 30_000, "a" * 60_000, "a" + " " * 59_000 + "x", "1 " * 30_000 + "a"):
        with pytest.raises(Refused):
            Span.read(line)
        is_at(line, [Span("a")])
    assert time.process_time() - started < seconds_here(1)


ROADS = st.from_regex(r"[A-ZÆØÅ][a-zæøå]{1,10}( [A-ZÆØÅ][a-zæøå]{1,8})?", fullmatch=True)


@settings(max_examples=200, deadline=None)
@given(
    ROADS, st.integers(1, 999), st.integers(0, 50), st.integers(1, 999), st.sampled_from(["", "A", "b", "Å"])
)
def test_a_span_holds_its_numbers_and_no_others(
    road: str, low: int, more: int, number: int, letter: str
) -> None:
    address = f"{road} {number}{letter}, 1. th, 9999 Lunde"
    inside = low <= number <= low + more
    assert is_at(address, [Span.read(f"{road} {low}-{low + more}")]) is inside
    assert is_at(address, [Span.read(f"{road} {low}-{low + more} lige")]) is (inside and number % 2 == 0)
    assert is_at(address, [Span.read(f"{road} {low}-{low + more} ulige")]) is (inside and number % 2 == 1)
    assert is_at(address, [Span.read(f"{road} {number}{letter}")])
    assert is_at(address, [Span.read(road.upper())])
    assert not is_at(address, [Span.read(f"{road}x {number}")])
    assert not is_at(f"X{address}", [Span.read(road)])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_nothing_breaks_it(line: str, address: str) -> None:
    try:
        span = Span.read(line)
    except Refused:
        return
    assert is_at(address, [span]) in {True, False}
