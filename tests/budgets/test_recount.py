"""``recount.py`` as anyone runs it: one file, copied alone, in isolated mode, by Python and nothing else."""

import ast
import json
import random
import resource
import shutil
import subprocess
import sys
import time

import pytest

from budgets.assemble_recount import TARGET, assembled
from budgets.counting import Rule, count
from budgets.pabulib import parse, write
from tests.patience import PATIENCE, seconds_here

from .test_pabulib import GOOD, NAMES, REAL, real_elections

TIED = GOOD.replace("1;600", "1;400").replace("2;400.0", "2;400.0").replace("budget;1000", "budget;700")


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    return shutil.copy(TARGET, tmp_path_factory.mktemp("alone") / "recount.py")


@pytest.fixture
def recount(script, tmp_path):
    def run(text, *arguments, lot=None, name="budget.pb"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        extra = []
        if lot is not None:
            (tmp_path / "lot.txt").write_text(lot, encoding="utf-8")
            extra = ["--lot", str(tmp_path / "lot.txt")]
        return subprocess.run(
            [sys.executable, "-I", str(script), str(path), *arguments, *extra],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    return run


def test_it_is_in_step_with_the_modules_the_portal_counts_with():
    assert TARGET.read_text(encoding="utf-8") == assembled(), "run python -m budgets.assemble_recount"


def test_it_needs_only_the_standard_library():
    imported = set()
    for node in ast.walk(ast.parse(TARGET.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.split(".")[0])
    assert imported <= sys.stdlib_module_names


def test_json(recount):
    done = recount(GOOD, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["rule"], told["winners"], told["spent"]) == ("greedy", ["2", "1"], 1000)
    assert told["ties"] == []


def test_people_read_danish(recount):
    done = recount(GOOD)
    assert done.returncode == 0
    assert "Vindere: 2, 1" in done.stdout
    assert "Brugt i alt: 1.000" in done.stdout


def test_an_undrawn_tie_exits_3_and_a_lot_settles_it(recount):
    done = recount(TIED, "--json")
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["winners"] is None
    assert told["ties"] == [{"tied": ["1", "2"], "at": 1, "resolved_by": None}]
    assert "træk lod" in recount(TIED).stdout

    drawn = recount(TIED, "--json", lot="# trukket 1. april\n\n2\n1\n")
    assert drawn.returncode == 0
    told = json.loads(drawn.stdout)
    assert told["winners"] == ["2", "3"]
    assert told["ties"] == [{"tied": ["2", "1"], "at": 1, "resolved_by": "lot"}]


@pytest.mark.parametrize(
    ("lot", "about"), [("2\n", "mangler projekt 1"), ("2\n1\n99\n", "99"), ("2\n1\n2\n", "to gange")]
)
def test_a_lot_that_does_not_fit_exits_2(recount, lot, about):
    done = recount(TIED, lot=lot)
    assert done.returncode == 2
    assert about in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_input_exits_2_and_names_file_and_line(recount, tmp_path):
    text = GOOD.replace("c;1", "c;9")
    done = recount(text)
    line = text[: text.index("c;9")].count("\n") + 1
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path / 'budget.pb'}:{line}: ")
    assert "ukendt" in done.stderr or "findes" in done.stderr


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"\x00" * 50, b"META\n" * 3])
def test_rubbish_exits_2_without_a_traceback(recount, data):
    done = recount(data)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_unknown_rule_must_be_chosen(recount):
    text = GOOD.replace("rule;greedy", "rule;unknown")
    done = recount(text)
    assert done.returncode == 2
    assert "ingen kendt officiel regel" in done.stderr
    assert recount(text, "--rule", "equal-shares", "--json").returncode == 0


def test_threshold_belongs_to_its_rule(recount):
    assert json.loads(recount(GOOD, "--threshold", "3", "--json").stdout)["winners"] == []
    assert recount(GOOD, "--rule", "greedy", "--threshold", "3").returncode == 2
    assert recount(GOOD, "--rule", "greedy-threshold").returncode == 2
    assert recount(GOOD, "--threshold", "-3").returncode == 2


def test_a_file_that_is_not_there(script):
    done = subprocess.run(
        [sys.executable, "-I", str(script), "no-such-file.pb"],
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert "kan ikke læses" in done.stderr


def test_a_name_cannot_steer_the_terminal(recount):
    assert "\x1b" not in recount(GOOD.replace("Æbler", "\x1b[2Jæbler")).stdout


@real_elections
@pytest.mark.parametrize("name", NAMES)
def test_real_elections(recount, name):
    data = (REAL / name).read_bytes()
    done = recount(data, "--json")
    if b"\nrule;unknown" in data:
        assert done.returncode == 2
        return
    told = json.loads(done.stdout)
    assert told["remarks"] == []
    official = parse(data).official_winners()
    if official is not None:
        assert done.returncode == 0
        assert set(told["winners"]) == set(official)


@pytest.mark.load
@pytest.mark.parametrize("rule", [Rule.GREEDY, Rule.EQUAL_SHARES])
def test_a_city_of_158000_ballots_and_100_projects(recount, rule):
    """Paris' year in size: each counted in under 10 seconds of CPU and 1 GB, and recounted equal. The seconds are those of a
    machine that adds ten million squares in 0.3; another one has as many more as it is slower."""
    chance = random.Random(2026)
    ids = [str(project) for project in range(1, 101)]
    liked = [chance.random() ** 2 + 0.02 for _ in ids]
    budget = 10_000_000
    meta = {
        "description": "Borgerbudget",
        "country": "Danmark",
        "unit": "Øjenby",
        "instance": "2026",
        "num_projects": "100",
        "num_votes": "158000",
        "budget": str(budget),
        "vote_type": "approval",
        "rule": "greedy",
        "date_begin": "01.03.2026",
        "date_end": "14.03.2026",
    }
    projects = [(project, str(chance.randint(100, 800) * budget // 10_000)) for project in ids]
    cast = [
        (str(voter), ",".join(sorted(set(chance.choices(ids, liked, k=chance.randint(1, 5))))))
        for voter in range(158_000)
    ]
    text = write(meta, ("project_id", "cost"), projects, ("voter_id", "vote"), cast)

    started = time.process_time()
    outcome = count(parse(text).election, rule)
    assert time.process_time() - started < seconds_here(10)

    told = json.loads(recount(text, "--rule", rule, "--json").stdout)
    assert told["winners"] == list(outcome.winners)
    assert told["spent"] == outcome.spent
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_000_000  # kB
