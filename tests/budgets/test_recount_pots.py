"""Pots, alternatives, part funding and shortlists as files: what is written is read again as the same election, pabutools
reads it too, and ``recount.py`` counts it as the portal does and as a count by hand does."""

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from pabutools.election.pabulib import parse_pabulib_from_string

from budgets.counting import Rule, count_pots
from budgets.pabulib import RULE_NAMES, ParseError, parse, rewrite, write
from tests.budgets.brute import RULES, Case, random_case
from tests.patience import PATIENCE

SCRIPT = Path(__file__).resolve().parents[2] / "budgets" / "recount.py"


@pytest.fixture(scope="module")
def recount_main():
    spec = importlib.util.spec_from_file_location("recount_alone", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["recount_alone"] = module
    spec.loader.exec_module(module)
    yield module.main
    del sys.modules["recount_alone"]


def text_of(case: Case, *, pot="", pots=(), leftover_to=None):
    cumulative = any(points != 1 for ballot in case.ballots for points in ballot.values())
    meta = {
        "description": "Borgerbudget",
        "country": "Denmark",
        "unit": "Øjenby",
        "instance": "2026",
        "num_projects": str(len(case.projects)),
        "num_votes": str(len(case.ballots)),
        "budget": str(case.budget),
        "vote_type": "cumulative" if cumulative else "approval",
        "rule": RULE_NAMES[Rule(case.rule)],
        "date_begin": "01.03.2026",
        "date_end": "14.03.2026",
    }
    if case.threshold is not None:
        meta["min_project_score_threshold"] = str(case.threshold)
    if case.part:
        meta["part_funding"] = "1"
    if case.size:
        meta["shortlist_size"] = str(case.size)
    if pot:
        meta |= {"subunit": f"Pulje {pot}", "pot": pot, "pots": ",".join(pots)}
    if leftover_to:
        meta["leftover_to"] = leftover_to
    projects = [
        (project, str(cost), group, "" if least is None else str(least))
        for project, cost, group, least in case.projects
    ]
    votes = [
        (str(voter), ",".join(ballot), ",".join(map(str, ballot.values())))[: 3 if cumulative else 2]
        for voter, ballot in enumerate(case.ballots)
    ]
    fields = ("voter_id", "vote", "points") if cumulative else ("voter_id", "vote")
    return write(meta, ("project_id", "cost", "alternative", "least_cost"), projects, fields, votes)


def told(capsys, recount_main, *arguments):
    code = recount_main([*map(str, arguments), "--json"])
    answer = capsys.readouterr()
    return code, json.loads(answer.out) if answer.out else answer.err


def drawn(lot, folder):
    file = folder / "lod.txt"
    file.write_text("\n".join(lot), encoding="utf-8")
    return file


@pytest.mark.parametrize("rule", RULES)
def test_a_file_is_recounted_as_by_hand(rule, recount_main, capsys, tmp_path):
    chance = random.Random(f"files {rule}")
    file = tmp_path / "valg.pb"
    for _ in range(200):
        case = random_case(chance, rule)
        text = text_of(case)
        read = parse(text)
        assert rewrite(read) == text
        file.write_text(text, encoding="utf-8")
        lots = list(case.lots())
        lot = chance.choice(lots)
        code, answer = told(capsys, recount_main, file, "--lot", drawn(lot, tmp_path))
        assert code == 0
        by_hand = case.winners(lot)
        assert set(answer["winners"]) == set(by_hand)
        assert rule == "shortlist" or answer["amounts"] == by_hand
        code, answer = told(capsys, recount_main, file)
        different = {frozenset(case.winners(lot).items()) for lot in lots}
        assert (code, answer["winners"] is None) == ((0, False) if len(different) == 1 else (3, True))


def renamed(case, prefix):
    """Numbers are each project's own in the whole vote."""
    projects = [(prefix + project[0], *project[1:]) for project in case.projects]
    ballots = [{prefix + project: points for project, points in ballot.items()} for ballot in case.ballots]
    return Case(
        projects,
        ballots,
        case.budget,
        rule=case.rule,
        threshold=case.threshold,
        part=case.part,
        size=case.size,
    )


@pytest.mark.parametrize("rule", RULES)
def test_pots_are_recounted_together_as_by_hand(rule, recount_main, capsys, tmp_path):
    chance, moved = random.Random(f"pots as files {rule}"), 0
    for _ in range(100):
        pots = ("nord", "by", "syd")[: chance.randint(2, 3)]
        cases = {pot: renamed(random_case(chance, rule), pot[0]) for pot in pots}
        first = cases["nord"]
        for case in cases.values():
            case.part, case.threshold, case.size = first.part, first.threshold, first.size
        leftover_to = chance.choice([None, "by"])
        files = []
        for pot, case in cases.items():
            files.append(tmp_path / f"{pot}.pb")
            files[-1].write_text(text_of(case, pot=pot, pots=pots, leftover_to=leftover_to), encoding="utf-8")
        lot = [project[0] for case in cases.values() for project in case.projects]
        chance.shuffle(lot)
        chance.shuffle(files)
        code, answer = told(capsys, recount_main, *files, "--lot", drawn(lot, tmp_path))
        assert code == 0, answer
        own = {pot: [p for p in lot if p[0] == pot[0]] for pot in pots}
        by_hand = {pot: case.winners(own[pot]) for pot, case in cases.items() if pot != leftover_to}
        if leftover_to:
            left = sum(cases[pot].budget - sum(got.values()) for pot, got in by_hand.items())
            more = left if rule != "shortlist" else 0
            moved += more > 0
            by_hand["by"] = cases["by"].with_budget(cases["by"].budget + more).winners(own["by"])
        assert [one["pot"] for one in answer["pots"]] == list(pots)
        for one in answer["pots"]:
            assert set(one["winners"]) == set(by_hand[one["pot"]])
            assert rule == "shortlist" or one["amounts"] == by_hand[one["pot"]]
        assert set(answer["winners"]) == {project for got in by_hand.values() for project in got}
        ours = count_pots(
            {pot: parse((tmp_path / f"{pot}.pb").read_bytes()).election for pot in pots},
            Rule(rule),
            leftover_to=leftover_to,
            lots={pot: [order] for pot, order in own.items()},
        )
        assert [list(one.outcome.winners) for one in ours.values()] == [
            one["winners"] for one in answer["pots"]
        ]
    assert rule == "shortlist" or moved > 20


NORD = Case([("1", 60, "", None), ("2", 50, "", None)], [{"1": 1}, {"1": 1, "2": 1}], 100, rule="greedy")
BY = Case([("3", 120, "x", None), ("4", 110, "x", 40)], [{"3": 1, "4": 1}, {"3": 1}], 100, rule="greedy")
TIED = Case([("5", 60, "", None), ("6", 60, "", None)], [{"5": 1, "6": 1}], 100, rule="greedy")


@pytest.fixture
def written(tmp_path):
    def write_files(leftover_to="by", **cases):
        for pot, case in cases.items():
            text = text_of(case, pot=pot, pots=tuple(cases), leftover_to=leftover_to)
            (tmp_path / f"{pot}.pb").write_text(text, encoding="utf-8")
        return tmp_path

    return write_files


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_the_pot_that_gets_more_is_not_counted_without_the_others(written):
    folder = written(nord=NORD, by=BY, syd=TIED)
    done = run(folder, "by.pb", "nord.pb")
    assert done.returncode == 2
    assert "Der mangler: syd" in done.stderr
    assert run(folder, "by.pb").returncode == 2
    assert run(folder, "nord.pb").returncode == 0


def test_says_what_moved_and_waits_for_a_lot_in_another_pot(written):
    folder = written(nord=NORD, by=BY, syd=TIED)
    done = run(folder, "by.pb", "nord.pb", "syd.pb")
    assert done.returncode == 3
    assert "Venter på lodtrækningen i Pulje syd" in done.stdout
    (folder / "lod.txt").write_text("6\n5\n", encoding="utf-8")
    done = run(folder, "by.pb", "nord.pb", "syd.pb", "--lot", "lod.txt")
    assert done.returncode == 0, done.stderr
    assert "Har fået 40 fra Pulje nord." in done.stdout
    assert "Har fået 40 fra Pulje syd." in done.stdout
    assert "Vindere: 3" in done.stdout
    assert "kan ikke få penge sammen med et, der har fået" in done.stdout


def test_money_from_a_pot_whose_ballots_are_not_published_can_be_told(written):
    folder = written(nord=NORD, by=BY, syd=TIED)
    done = run(folder, "by.pb", "nord.pb", "--received", "syd=40", "--json")
    assert json.loads(done.stdout)["pots"][1]["received"] == {"syd": 40, "nord": 40}
    for wrong in (("syd",), ("syd=x",), ("øst=4", "syd=3"), ("nord=4", "syd=3"), ("by=4", "syd=3")):
        told = [part for amount in wrong for part in ("--received", amount)]
        assert run(folder, "by.pb", "nord.pb", *told).returncode == 2
    assert run(folder, "nord.pb", "--received", "syd=40").returncode == 2


def test_pots_that_keep_their_money_are_counted_one_by_one(written):
    folder = written(None, nord=NORD, by=BY, syd=TIED)
    done = run(folder, "by.pb", "nord.pb")
    assert done.returncode == 0
    assert "hver for sig" in done.stdout
    assert "Ikke talt her, fordi filen mangler: syd" in done.stdout
    assert "en af 3, talt for sig selv" in run(folder, "by.pb").stdout


def test_files_that_do_not_belong_together(written, tmp_path):
    folder = written(nord=NORD, by=BY)
    (folder / "andet.pb").write_text(text_of(TIED), encoding="utf-8")
    other = text_of(TIED, pot="by", pots=("nord", "by"), leftover_to="by").replace("14.03", "15.03")
    (folder / "fremmed.pb").write_text(other, encoding="utf-8")
    for files in (
        ("nord.pb", "andet.pb"),
        ("nord.pb", "fremmed.pb"),
        ("nord.pb", "nord.pb"),
        ("nord.pb", "./nord.pb"),
    ):
        done = run(folder, *files)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert done.stderr


def test_pabutools_reads_our_own_words():
    case = Case(
        [("1", 60, "x", 20), ("2", 50, "x", None)], [{"1": 1}, {"2": 1}], 100, rule="greedy", part=True
    )
    text = text_of(case, pot="nord", pots=("nord", "by"), leftover_to="by")
    instance, profile = parse_pabulib_from_string(text)
    assert {project.name: project.cost for project in instance} == {"1": 60, "2": 50}
    assert instance.meta["leftover_to"] == "by"
    assert instance.project_meta[instance.get_project("1")]["least_cost"] == "20"
    assert len(profile) == 2


@pytest.mark.parametrize(
    ("change", "code", "row"),
    [
        (("leftover_to;by", "leftover_to;øst"), "unknown-pot", "leftover_to;"),
        (("pot;nord", "pot;øst"), "unknown-pot", "pot;"),
        (("\npot;nord", ""), "pot-missing", "pots;"),
        (("pots;nord,by", "pots;nord,nord"), "pot-twice", "pots;"),
        (("part_funding;1", "part_funding;ja"), "not-a-flag", "part_funding;"),
        (("1;60;x;20", "1;60;x;61"), "least-cost", "1;60"),
        (("1;60;x;20", "1;60;x;0"), "least-cost", "1;60"),
        (("1;60;x;20", "1;60;x;meget"), "not-a-number", "1;60"),
        (("rule;greedy", "rule;shortlist"), "shortlist-size", "rule;"),
        (("rule;greedy", "rule;shortlist\nshortlist_size;0"), "shortlist-size", "shortlist_size;"),
        (("part_funding;1", "shortlist_size;-1"), "not-a-number", "shortlist_size;"),
    ],
)
def test_nonsense_is_refused_with_its_line(change, code, row):
    case = Case([("1", 60, "x", 20), ("2", 50, "x", None)], [{"1": 1}], 100, rule="greedy", part=True)
    text = text_of(case, pot="nord", pots=("nord", "by"), leftover_to="by")
    assert parse(text).pots == ("nord", "by")
    changed = text.replace(*change)
    assert changed != text
    with pytest.raises(ParseError) as error:
        parse(changed)
    assert error.value.code == code
    assert changed.splitlines()[error.value.line - 1].startswith(row)
