"""Reading and writing .pb files: the real ones, every kind of bad line, and whatever a fuzzer thinks of."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from budgets.counting import Rule, approval, cumulative, ordinal, scores, votes
from budgets.pabulib import ParseError, cell, number, parse, rewrite, write

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "pabulib"
real_elections = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real elections (../shared/data) are not here"
)
NAMES = sorted(path.name for path in REAL.glob("*.pb")) if REAL.is_dir() else ["none"]

GOOD = """META
key;value
description;Et budget
country;Danmark
unit;Øjenby
instance;2026
num_projects;3
num_votes;3
budget;1000
vote_type;approval
rule;greedy
date_begin;01.03.2026
date_end;14.03.2026
max_length;2
max_sum_cost;1000
PROJECTS
project_id;cost;name;votes
1;600;"Bænke; og borde";2
2;400.0;Et \"\"godt\"\" træ;2
3;250,50;Æbler;0
VOTES
voter_id;vote
a;1,2
b;2
c;1
"""

POINTS = (
    GOOD.replace(
        "vote_type;approval", "vote_type;cumulative\nmax_points;2\nmin_sum_points;2\nmax_sum_points;3"
    )
    .replace("voter_id;vote", "voter_id;vote;points")
    .replace("a;1,2", "a;1,2;2,1")
    .replace("b;2", "b;2;2")
    .replace("c;1", "c;1;2")
)


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


def refused(text):
    with pytest.raises(ParseError) as caught:
        parse(text)
    return caught.value


def test_reads_projects_ballots_and_rules():
    file = parse(GOOD)
    assert [(project.id, project.cost) for project in file.election.projects] == [
        ("1", 600),
        ("2", 400),
        ("3", Fraction(501, 2)),
    ]
    assert file.election.projects[0].name == "Bænke; og borde"
    assert file.election.ballots == {approval("12"): 1, approval("2"): 1, approval("1"): 1}
    assert file.rule is Rule.GREEDY
    assert file.official_winners() is None
    assert file.remarks == ()


def test_tolerates_byte_order_mark_windows_lines_and_blank_lines():
    odd = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").replace("PROJECTS", "\r\nPROJECTS").encode()
    assert parse(odd) == parse(GOOD)


def test_points_and_ranks():
    assert parse(POINTS).election.ballots[cumulative({"1": 2, "2": 1})] == 1
    ranked = GOOD.replace("vote_type;approval", "vote_type;ordinal")
    assert parse(ranked).election.ballots[ordinal(["1", "2"], 2)] == 1
    assert scores(parse(ranked).election) == {"1": 4, "2": 3, "3": 0}


def test_selected_of_two_is_not_a_winner():
    marked = GOOD.replace(";name;votes", ";name;selected").replace("Æbler;0", "Æbler;1")
    assert parse(marked).official_winners() == ("3",)


def test_a_wrong_tally_is_remarked_with_its_line():
    wrong = GOOD.replace("Æbler;0", "Æbler;7")
    (remark,) = parse(wrong).remarks
    assert remark.line == line_of(wrong, "3;250,50")


@pytest.mark.parametrize("rule", ["unknown", "greedy-custom"])
def test_an_unknown_rule_is_no_rule(rule):
    assert parse(GOOD.replace("rule;greedy", f"rule;{rule}")).rule is None


@pytest.mark.parametrize(
    ("code", "old", "new", "at"),
    [
        ("unknown-project", "c;1", "c;9", "c;9"),
        ("voter-twice", "c;1", "a;1", "a;1\n"),
        ("voter-id", "c;1", " ;1", " ;1"),
        ("same-project-twice", "b;2", "b;2,2", "b;2,2"),
        ("max-length", "b;2", "b;1,2,3", "b;1,2,3"),
        ("min-length", "max_length;2", "min_length;2", "b;2"),
        ("max-sum-cost", "a;1,2", "a;1,3\nd;2,1", "d;2,1"),
        ("min-sum-cost", "max_sum_cost;1000", "min_sum_cost;500", "b;2"),
        ("meta-missing", "unit;Øjenby\n", "", "META"),
        ("meta-missing", "unit;Øjenby", "unit; ", "unit; "),
        ("meta-twice", "unit;Øjenby", "unit;Øjenby\nunit;X", "unit;X"),
        ("num-projects", "num_projects;3", "num_projects;4", "num_projects"),
        ("num-votes", "num_votes;3", "num_votes;2", "num_votes"),
        ("not-a-number", "num_votes;3", "num_votes;three", "num_votes"),
        ("not-a-number", "num_votes;3", f"num_votes;{'9' * 5000}", "num_votes"),
        ("not-a-number", "num_votes;3", "num_votes;³", "num_votes"),
        ("negative", "budget;1000", "budget;-1", "budget;-1"),
        ("negative", "1;600", "1;-600", "1;-600"),
        ("not-a-number", "budget;1000", "budget;NaN", "budget;NaN"),
        ("not-a-number", "1;600", "1;Infinity", "1;Inf"),
        ("not-a-number", "1;600", "1;1e5", "1;1e5"),
        ("not-a-number", "1;600", f"1;{'9' * 5000}", "1;999"),
        ("not-a-number", "1;600", "1;", "1;;"),
        ("not-a-number", "max_length;2", "max_length;-2", "max_length"),
        ("vote-type", "approval", "smiley", "vote_type"),
        ("project-twice", "3;250", "2;250", "2;250"),
        ("project-id", "3;250", ";250", ";250"),
        ("project-id", "3;250", '"3,4";250', '"3,4"'),
        ("cells", "c;1", "c;1;2", "c;1;2"),
        ("cells", "c;1", "c", "c\n"),
        ("quotes", '"Bænke; og borde"', '"Bænke\nog borde"', '1;600;"B'),
        ("quotes", "Æbler", '"Æbler"x', "3;250"),
        ("line-break", "Æbler", "Æb\rler", "3;250"),
        ("null", "Æbler", "Æb\0ler", "3;250"),
        ("section-twice", "VOTES\n", "VOTES\nvoter_id;vote\nVOTES\n", "VOTES\nvoter_id;vote\na"),
        ("section-order", "META\n", "VOTES\n", "VOTES"),
        ("no-section", "META\n", "key;value\n", "key"),
        ("header", "voter_id;vote", "voter_id;ballot", "voter_id;b"),
        ("header", "project_id;cost", "cost;project_id", "cost;p"),
        ("column-twice", "cost;name;votes", "cost;name;name", "project_id"),
    ],
)
def test_bad_lines_are_named(code, old, new, at):
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if code == "max-sum-cost":
        text = text.replace("num_votes;3", "num_votes;4").replace("max_sum_cost;1000", "max_sum_cost;900")
    error = refused(text)
    assert (error.code, error.line) == (code, line_of(text, at))


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("points", "b;2;2", "b;2;2,1"),
        ("points", "b;2;2", "b;2;"),
        ("not-a-number", "b;2;2", "b;2;to"),
        ("negative", "b;2;2", "b;2;-2"),
        ("max-points", "b;2;2", "b;2;3"),
        ("min-sum-points", "b;2;2", "b;2;1"),
        ("max-sum-points", "a;1,2;2,1", "a;1,2;2,2"),
    ],
)
def test_bad_points_are_named(code, old, new):
    text = POINTS.replace(old, new)
    error = refused(text)
    assert (error.code, error.line) == (code, line_of(text, new))


def test_sections_must_be_there():
    assert refused("").code == "section-missing"
    assert refused(GOOD.split("VOTES")[0]).code == "section-missing"
    assert refused(GOOD.replace("vote_type;approval", "vote_type;cumulative")).code == "header"


def test_bytes_that_are_not_utf8_name_their_line():
    with pytest.raises(ParseError) as caught:
        parse(GOOD.encode("latin-1"))
    assert (caught.value.code, caught.value.line) == ("encoding", line_of(GOOD, "unit"))


def test_writing_refuses_what_would_be_read_as_something_else():
    for text in ("to\nlinjer", "to\rlinjer", "nul\0"):
        with pytest.raises(ValueError, match="line break"):
            write({"description": text}, ("project_id", "cost"), [], ("voter_id", "vote"), [])
        assert "\n" not in cell(text)
    assert cell(" to\n\u2028 linjer\0") == "to linjer"


def test_numbers_as_a_file_writes_them():
    assert [number(value) for value in (5, Fraction(501, 2), Fraction(1, 1000), Fraction(-1, 4))] == [
        "5",
        "250.5",
        "0.001",
        "-0.25",
    ]
    with pytest.raises(ValueError, match="decimal"):
        number(Fraction(1, 3))


cells = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\n\r\0"), max_size=12)


@settings(deadline=None)
@given(names=st.lists(cells, max_size=5), description=cells.filter(str.strip), data=st.data())
def test_what_is_written_reads_back_equal(names, description, data):
    ids = [str(place) for place in range(len(names))]
    ballots = data.draw(
        st.lists(st.lists(st.sampled_from(ids), unique=True) if ids else st.just([]), max_size=5)
    )
    meta = {
        "description": description,
        "country": "Danmark",
        "unit": "Øjenby",
        "instance": "2026",
        "num_projects": str(len(ids)),
        "num_votes": str(len(ballots)),
        "budget": "100",
        "vote_type": "approval",
        "rule": "greedy",
        "date_begin": "01.03.2026",
        "date_end": "14.03.2026",
    }
    projects = [(project, "5", name) for project, name in zip(ids, names, strict=True)]
    cast = [(f"v{place}", ",".join(ballot)) for place, ballot in enumerate(ballots)]
    text = write(meta, ("project_id", "cost", "name"), projects, ("voter_id", "vote"), cast)
    file = parse(text)
    assert file.meta == meta
    assert file.projects == tuple(projects)
    assert file.votes == tuple(cast)
    assert parse(rewrite(file)) == file
    assert rewrite(file) == text


def read_or_refused(data):
    """The file, or the line it is refused for; any other exception fails the test."""
    try:
        return parse(data), None
    except ParseError as error:
        return None, error.line


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
@example("META\nkey;value\n" * 2)
@example(b"\xff\xfe")
def test_anything_is_read_or_refused(data):
    file, line = read_or_refused(data)
    assert file is not None or line >= 1


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from([GOOD, POINTS, GOOD.replace("vote_type;approval", "vote_type;ordinal")]),
    st.lists(
        st.tuples(
            st.integers(0, 700),
            st.integers(0, 12),
            st.one_of(
                st.sampled_from(
                    ['"', ";", "\n", ",", "-", "9" * 30, "META\n", "VOTES", "\r", "\0", "1/0", "²"]
                ),
                st.text(max_size=5),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_a_mangled_file_is_read_or_refused(text, changes):
    for at, cut, put in changes:
        text = text[:at] + put + text[at + cut :]
    file, line = read_or_refused(text)
    if file is None:
        assert 1 <= line <= text.count("\n") + 1
    else:
        assert parse(rewrite(file)) == file


@real_elections
@pytest.mark.parametrize("name", NAMES)
def test_real_files_parse_write_back_and_tally_as_they_say(name):
    data = (REAL / name).read_bytes()
    file = parse(data)
    assert file.remarks == ()
    assert parse(rewrite(file)) == file
    for column, tally in (("votes", votes(file.election)), ("score", scores(file.election))):
        if column in file.project_fields:
            place = file.project_fields.index(column)
            assert {row[0].strip(): int(row[place]) for row in file.projects} == tally
