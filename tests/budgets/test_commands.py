"""The operators' commands: a file in, the official winners out, and the same again after a round trip."""

import hashlib
import json
import os
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budgets import election, pabulib
from budgets.counting import Rule, count
from budgets.models import Count, CountedBallot, Project, Round
from participation.models import Process
from tests.patience import PATIENCE, seconds_here

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "pabulib"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real elections are not on this machine")
FILES = sorted(REAL.glob("*.pb")) if REAL.is_dir() else []

SMALL = '''META
key;value
description;Borgerbudget i Lunde
country;Denmark
unit;Lunde
instance;2026
num_projects;4
num_votes;5
budget;100
vote_type;approval
rule;greedy
date_begin;01.03.2026
date_end;14.03.2026
PROJECTS
project_id;cost;name;selected
A;60;Bænke;1
B;50;Træer;0
C;40;Lys;1
10;10;"Cykler; og ""mere""";0
VOTES
voter_id;vote
1;A,B
2;A,C
3;A
4;C,B
5;10
'''


def run(command, *args):
    out = StringIO()
    try:
        call_command(command, *args, stdout=out, stderr=StringIO())
    except SystemExit as stop:
        return stop.code, out.getvalue()
    return 0, out.getvalue()


def import_text(tmp_path, text, *args):
    file = tmp_path / "election.pb"
    file.write_text(text)
    return json.loads(run("import_pabulib", str(file), "--json", *args)[1])


def test_a_file_becomes_a_decided_process_with_its_count(tmp_path):
    answer = import_text(tmp_path, SMALL.replace("4;C,B\n", "4;C\n"), "--slug", "lunde-2026")
    assert answer == {"slug": "lunde-2026", "projects": 4, "ballots": 5, "winners": ["A", "C"]}
    process = Process.objects.get(slug="lunde-2026")
    assert process.status == "decided"
    assert Project.objects.filter(contribution__process=process).count() == 4
    assert CountedBallot.objects.count() == 5
    assert Count.objects.get().winners == ["A", "C"]
    code, out = run("count_budget", "lunde-2026", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"rule": "greedy", "winners": ["A", "C"], "spent": 100, "ties": []},
    )


def test_another_rule_is_only_to_see(tmp_path):
    import_text(tmp_path, SMALL, "--slug", "lunde")
    before = Count.objects.get().outcome
    for rule in ("greedy-no-skip", "equal-shares"):
        code, out = run("count_budget", "lunde", "--rule", rule, "--json")
        assert code == 0
        assert json.loads(out)["rule"] == rule
    assert Count.objects.get().outcome == before


def test_a_tie_that_decides_ends_with_code_3(tmp_path):
    tied = (
        SMALL.replace("B;50", "B;60").replace("1;A,B", "1;B").replace("4;C,B", "4;B").replace("2;A,C", "2;A")
    )
    tied = tied.replace("3;A\n", "3;A\n").replace("5;10\n", "5;\n")
    answer = import_text(tmp_path, tied, "--slug", "lunde")
    assert answer["ballots"] == 5
    code, out = run("count_budget", "lunde", "--json")
    assert code == 3
    answer = json.loads(out)
    assert answer["winners"] is None
    assert answer["ties"][0] == {"tied": ["A", "B"], "at": 1, "resolved_by": None}
    assert Round.objects.get().state == Round.State.SEALED


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("1;A,B", "1;A,X", 22),  # unknown project
        ("1;A,B", "1;A,A", 22),  # twice the same
        ("vote_type;approval", "vote_type;approval\nmax_sum_cost;100", 23),  # over budget
        ("B;50;", "A;50;", 17),  # the same project twice
        ("B;50;", "B;fifty;", 17),
        ("B;50;", "B;50.123;", 17),
        ("B;50;", "B;9999999999999;", 17),
        ("B;50;", "B" * 41 + ";50;", None),
        ("num_votes;5", "num_votes;6", 8),
        ("date_end;14.03.2026", "date_end;soon", None),
        ("date_end;14.03.2026", "date_end;14.02.2026", None),
        ("VOTES", "VOICES", None),
        ("budget;100", "budget;-1", None),
        ("rule;greedy", "rule;greedy-threshold\nmin_project_score_threshold;1.5", None),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(tmp_path, old, new, line):
    file = tmp_path / "bad.pb"
    text = SMALL.replace("1;A,B\n", "1;A\n") if old != "1;A,B" else SMALL
    text = text.replace(old, new) if old in text else text
    if len(new) > 40:
        text = text.replace("1;A\n", "1;A\n").replace("4;C,B", "4;C")
    if "max_sum_cost" in new:
        text = text.replace("\n1;A\n", "\n1;A,B\n")
    file.write_text(text)
    with pytest.raises(CommandError) as caught:
        call_command("import_pabulib", str(file), stdout=StringIO())
    assert caught.value.returncode == 1
    if line is not None:
        assert f"bad.pb:{line}:" in str(caught.value)
    assert not Process.objects.exists()
    assert not CountedBallot.objects.exists()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"META\n" * 3, b"\0" * 100])
def test_what_is_no_election_is_refused_in_a_sentence(tmp_path, content):
    file = tmp_path / "bad.pb"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError):
        call_command("import_pabulib", str(file), stdout=StringIO())


def test_a_taken_address_is_refused(tmp_path):
    import_text(tmp_path, SMALL, "--slug", "lunde")
    with pytest.raises(CommandError, match="lunde"):
        import_text(tmp_path, SMALL, "--slug", "lunde")
    assert import_text(tmp_path, SMALL)["slug"] == "lunde-2026"
    assert import_text(tmp_path, SMALL)["slug"] == "lunde-2026-2"


def test_an_unknown_address_is_refused():
    for command in ("count_budget", "export_pabulib"):
        with pytest.raises(CommandError, match="nowhere"):
            call_command(command, "nowhere", stdout=StringIO())


def test_few_ballots_are_published_as_totals_only(tmp_path):
    import_text(tmp_path, SMALL, "--slug", "lunde")
    round = Round.objects.for_voting().get()
    assert election.published_files(round)[""].with_ballots
    round.process.citizenbudget.publish_ballots_from = 6
    file = election.published_files(round)[""]
    assert not file.with_ballots
    assert file.name.endswith(".csv")
    assert file.content.decode().splitlines()[:2] == ["project_id;cost;votes;name", "A;60;3;Bænke"]


@pytest.mark.parametrize("slug", ["a b", "a/b", "x" * 81, "æble", "'; DROP TABLE"])
def test_an_address_that_is_none_is_refused(tmp_path, slug):
    with pytest.raises(CommandError):
        import_text(tmp_path, SMALL, "--slug", slug)
    assert not Process.objects.exists()


CELLS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e9",
        "999999999999",
        "0.01",
        "A",
        "A,B",
        "æ",
        '"',
        "x" * 200,
        "31.12.9999",
        "01.01.0001",
        "NaN",
        "1,5",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_in_the_file_the_answer_is_a_sentence_or_an_election(tmp_path, data):
    lines = SMALL.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.integers(0, len(lines) - 1))
        cells = lines[line].split(";")
        cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(CELLS)
        lines[line] = ";".join(cells)
    file = tmp_path / "fuzzed.pb"
    file.write_text("\n".join(lines) + "\n")
    before = CountedBallot.objects.count(), Process.objects.count()
    try:
        call_command("import_pabulib", str(file), stdout=StringIO(), stderr=StringIO())
    except CommandError as error:
        told = str(error)
    else:
        told = ""
    after = CountedBallot.objects.count(), Process.objects.count()
    assert (after == before) == bool(told) or "num_votes;0" in file.read_text()


@pytest.mark.django_db(transaction=True)
def test_at_the_command_line_json_alone_and_no_traceback(tmp_path):
    def manage(*args):
        return subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    file = tmp_path / "election.pb"
    file.write_text(SMALL.replace("4;C,B\n", "4;C\n"))
    done = manage("import_pabulib", str(file), "--slug", "lunde", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["winners"] == ["A", "C"]
    counted = manage("count_budget", "lunde", "--rule", "greedy-no-skip", "--json")
    assert (counted.returncode, json.loads(counted.stdout)["rule"]) == (0, "greedy-no-skip")
    exported = manage("export_pabulib", "lunde")
    assert hashlib.sha256(exported.stdout.encode()).hexdigest() == Round.objects.get().files[0]["sha256"]
    file.write_text(SMALL.replace("1;A,B", "1;A,X"))
    for bad in (
        ("import_pabulib", str(file), "--json"),
        ("import_pabulib", str(tmp_path / "nowhere")),
        ("count_budget", "nowhere"),
    ):
        done = manage(*bad)
        assert done.returncode == 1
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()


def round_trip(tmp_path, file):
    """Import, export, import the export: the same election, the same count, the same bytes."""
    first = json.loads(run("import_pabulib", str(file), "--json")[1])
    out = tmp_path / f"{first['slug']}.pb"
    run("export_pabulib", first["slug"], "--output", str(out))
    one, two = pabulib.parse(file.read_bytes()), pabulib.parse(out.read_bytes())
    assert dict(one.election.ballots) == dict(two.election.ballots)
    assert {(p.id, p.cost) for p in one.election.projects} == {(p.id, p.cost) for p in two.election.projects}
    assert (one.election.budget, one.election.threshold, one.rule) == (
        two.election.budget,
        two.election.threshold,
        two.rule,
    )
    rule = one.rule or Rule.GREEDY
    winners = count(one.election, rule).winners
    assert winners is not None
    assert set(winners) == set(count(two.election, rule).winners)
    second = json.loads(run("import_pabulib", str(out), "--json")[1])
    again = tmp_path / "again.pb"
    run("export_pabulib", second["slug"], "--output", str(again))
    assert again.read_bytes() == out.read_bytes()
    round = Round.objects.get(process__slug=first["slug"])
    assert round.files[0]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    return first


def test_round_trip(tmp_path):
    file = tmp_path / "small.pb"
    file.write_text(SMALL)
    round_trip(tmp_path, file)


@needs_real
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_real_elections_give_the_official_winners_and_come_back_whole(tmp_path, file):
    started = time.monotonic()
    official = pabulib.parse(file.read_bytes()).official_winners()
    answer = round_trip(tmp_path, file)
    assert answer["winners"] == (None if official is None else list(official))
    rule = pabulib.parse(file.read_bytes()).rule
    args = [] if rule else ["--rule", "greedy"]
    counting = time.process_time()
    code, out = run("count_budget", answer["slug"], "--json", *args)
    assert time.process_time() - counting < seconds_here(2)
    if official is not None:
        assert code == 0
        assert set(json.loads(out)["winners"]) == set(official)
    assert time.monotonic() - started < seconds_here(30)
