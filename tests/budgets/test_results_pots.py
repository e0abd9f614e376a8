"""Pots, alternatives and part funding all the way: from the ballots to the files, the count, the lots, the council and the
pages; and a first round with its own result."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from accounts.verdict import Refused
from budgets import actions, election, pabulib, results, tasks
from budgets.actions.counting import waiting_for_lots
from budgets.models import Count, CountedBallot, Pot, ProjectDecision, Round
from participation import clock
from participation.choices import Status
from participation.frozen import amending
from participation.models import Phase
from tests.accounts.factories import make_district
from tests.filled import form_with
from tests.patience import PATIENCE

from .factories import again, make_budget, make_project, make_staff, put_in, seal, vote

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(election.__file__).with_name("recount.py")


def make_pots(*, south=80_000, prices=None, **detail):
    """Three pots and five projects: 1 and 2 in the whole city, 3 and 4 in Nord, 5 (and 6) in Syd."""
    pots = [
        {"name": "Hele byen", "district": None, "total": 300_000},
        {"name": "Nord", "district": make_district(name="Nordby").pk, "total": 120_000},
        {"name": "Syd", "district": make_district(name="Sydby").pk, "total": south},
    ]
    process = make_budget(
        **{
            "pots": pots,
            "total": 420_000 + south,
            "max_cost": 300_000,
            "district_vote": "chosen",
            "leftover": "to_city",
            "part_funding": True,
        }
        | detail
    )
    city, north, south_pot = Pot.objects.filter(budget=process.pk)
    for pot, price in prices or [
        (city, 200_000),
        (city, 180_000),
        (north, 70_000),
        (north, 60_000),
        (south_pot, 80_000),
    ]:
        pot = {"hele-byen": city, "nord": north, "syd": south_pot}.get(pot, pot)
        make_project(process, price=price, pot=pot)
    return process


def opened(process):
    return actions.open_round(process=process, by=None)


def cast(round):
    """Nine voters: six in Nord, three in Syd."""
    vote(round, "1", "3", times=4, pot="nord")
    vote(round, "2", "4", times=2, pot="nord")
    vote(round, "2", "5", times=1, pot="syd")
    vote(round, "1", times=1, pot="syd")
    vote(round, "5", times=1, pot="syd")


def files_in(folder, round):
    for file in election.published_files(again(round)).values():
        (folder / file.name).write_bytes(file.content)
    return [file for file in election.published_files(again(round)).values()]


def recount(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *arguments, "--json"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_each_pot_is_an_election_and_what_is_left_moves(tmp_path):
    round = opened(make_pots())
    cast(round)
    round = seal(round)
    elections = election.elections_of(again(round))
    assert [(pot, sum(one.ballots.values())) for pot, one in elections.items()] == [
        ("hele-byen", 8),
        ("nord", 6),
        ("syd", 2),
    ]
    count = actions.count_round(round=round, by=None)
    assert (count.winners, count.spent) == (["1", "3", "5"], 350_000)
    city, north, south = count.outcome["pots"]
    assert (north["winners"], north["spent"], city["received"]) == (["3"], "70000", {"nord": "50000"})
    assert (city["budget"], south["spent"]) == ("350000", "80000")
    written = files_in(tmp_path, round)
    assert [file.name.rpartition("-")[2] for file in written] == ["byen.pb", "nord.pb", "syd.pb"]
    code, told = recount(tmp_path, *(file.name for file in written))
    assert (code, told["winners"], told["spent"]) == (0, count.winners, 350_000)
    code, told = recount(tmp_path, written[0].name)
    assert code == 2
    assert "nord" in told


def test_nothing_in_a_file_tells_of_another_pot():
    round = opened(make_pots())
    cast(round)
    round = seal(round)
    files = {pot: pabulib.parse(file.content) for pot, file in election.published_files(again(round)).items()}
    numbers = {pot: {row[0] for row in file.projects} for pot, file in files.items()}
    assert numbers == {"hele-byen": {"1", "2"}, "nord": {"3", "4"}, "syd": {"5"}}
    for pot, file in files.items():
        assert file.vote_fields == ("voter_id", "vote")
        votes = [row[1] for row in file.votes]
        assert votes == sorted(votes)
        assert {number for row in votes for number in row.split(",")} <= numbers[pot]
        assert (file.pot, file.pots, file.leftover_to) == (pot, ("hele-byen", "nord", "syd"), "hele-byen")
    assert "district" not in files["hele-byen"].meta
    assert (files["nord"].meta["subunit"], files["nord"].meta["district"]) == ("Nord", "Nord")


def test_a_pot_with_few_ballots_is_published_as_totals_only(tmp_path):
    round = opened(make_pots(publish_ballots_from=3))
    cast(round)
    round = seal(round)
    assert [(row["pot"], row["ballots"], row["with_ballots"]) for row in round.files] == [
        ("hele-byen", 8, True),
        ("nord", 6, True),
        ("syd", 2, False),
    ]
    written = files_in(tmp_path, round)
    assert b"voter_id" not in written[2].content
    actions.count_round(round=round, by=None)
    result = results.result_for(round.process)
    assert result.received_unpublished == ("syd=0",)
    code, told = recount(tmp_path, written[0].name, written[1].name, "--received", "syd=0")
    assert (code, told["pots"][0]["winners"]) == (0, ["1"])


def test_the_command_of_a_recount_works_when_few_voted_in_the_citys_pot(tmp_path):
    round = opened(make_pots(publish_ballots_from=3))
    vote(round, "3", times=4, pot="nord")
    vote(round, "1", "5", times=2, pot="syd")
    round = seal(round)
    assert [row["with_ballots"] for row in round.files] == [False, True, False]
    count = actions.count_round(round=round, by=None)
    files_in(tmp_path, round)
    page = Client().get(reverse("budgets:result", args=[round.process.slug])).content.decode()
    _python, script, *command = re.search(r"<code>(python [^<]*)</code>", page).group(1).split()
    code, told = recount(tmp_path, *command)
    assert (script, code) == (SCRIPT.name, 0), told
    assert told["winners"] == [number for number in count.winners if number in {"3", "4"}]


def test_part_funding_and_alternatives_are_counted_published_and_decided():
    process = make_pots(
        prices=[("hele-byen", 200_000), ("hele-byen", 180_000), ("nord", 100_000), ("nord", 90_000)]
    )
    for project, changes in zip(
        process.contributions.order_by("pk"),
        (
            {},
            {"least_price": 60_000},
            {"alternative": "Grunden ved søen"},
            {"alternative": "Grunden ved søen"},
        ),
        strict=True,
    ):
        actions.assess_project(
            project=project.project,
            by=process.owner,
            assessment="feasible",
            price=project.project.price,
            municipal_matter=True,
            **changes,
        )
    round = opened(process)
    vote(round, "1", "2", "3", "4", times=2, pot="nord")
    vote(round, "1", "3", times=2, pot="nord")
    round = seal(round)
    file = pabulib.parse(election.published_files(again(round))["nord"].content)
    assert [project.alternative for project in file.election.projects] == ["1", "1"]
    count = actions.count_round(round=round, by=None)
    assert count.winners == ["1", "2", "3"]
    # 300.000 + 20.000 left in Nord + 80.000 that nobody could use in Syd
    assert actions.counting.granted(count) == {"1": 200_000, "2": 180_000, "3": 100_000}
    result = results.result_for(process)
    excluded = result.pots[1].projects[1]
    assert "3" in excluded.why
    assert excluded.alternatives
    put_in(process, Status.CLOSED)
    decisions = [{"project": number, "funded": number != "4"} for number in "1234"]
    manager = make_staff(Role.MANAGER, unit=process.unit)
    actions.decide_projects(process=process, by=manager, decisions=decisions)
    assert ProjectDecision.objects.get(project__number="2").amount == 180_000


def test_a_part_is_what_the_winner_gets():
    process = make_pots(
        leftover="stays",
        prices=[("hele-byen", 200_000), ("hele-byen", 180_000), ("nord", 100_000), ("syd", 80_000)],
    )
    second = process.contributions.order_by("pk")[1].project
    actions.assess_project(
        project=second,
        by=process.owner,
        assessment="feasible",
        price=180_000,
        least_price=60_000,
        municipal_matter=True,
    )
    round = opened(process)
    vote(round, "1", "3", times=2, pot="nord")
    vote(round, "2", "3", times=1, pot="nord")
    count = actions.count_round(round=seal(round), by=None)
    assert count.winners == ["1", "2", "3", "4"]
    assert actions.counting.granted(count)["2"] == 100_000
    put_in(process, Status.CLOSED)
    manager = make_staff(Role.MANAGER, unit=process.unit)
    actions.decide_projects(
        process=process, by=manager, decisions=[{"project": number, "funded": True} for number in "1234"]
    )
    assert ProjectDecision.objects.get(project=second).amount == 100_000
    page = Client().get(reverse("budgets:result", args=[process.slug])).content.decode()
    assert "180.000" in page
    assert "100.000" in page


def tied(**detail):
    """Syd has two equal projects and money for one: its lot comes first, and the whole city waits for it."""
    process = make_pots(
        prices=[
            ("hele-byen", 250_000),
            ("hele-byen", 200_000),
            ("nord", 70_000),
            ("syd", 50_000),
            ("syd", 50_000),
        ],
        **detail,
    )
    round = opened(process)
    vote(round, "1", "4", "5", times=3, pot="syd")
    vote(round, "2", "3", times=1, pot="nord")
    return seal(round)


def draw(round, pot, order):
    manager = make_staff(Role.MANAGER, unit=round.process.unit)
    return actions.record_lot(
        round=again(round),
        by=manager,
        pot=pot,
        order=order,
        drawn_at=clock.now(),
        how="Sedler i en pose",
        witnesses="To borgere",
    )


def test_a_pot_waits_for_its_lot_and_the_city_for_the_pot():
    round = tied()
    count = actions.count_round(round=round, by=None)
    assert (count.winners, waiting_for_lots(count)) == (None, {"syd": ["4", "5"]})
    result = results.result_for(round.process)
    assert [(pot.key, pot.counted, pot.waits_for) for pot in result.pots] == [
        ("hele-byen", False, ("Syd",)),
        ("nord", True, ()),
        ("syd", False, ()),
    ]
    page = Client().get(reverse("budgets:result", args=[round.process.slug])).content.decode()
    assert "Syd" in page
    for pot in ("nord", "hele-byen", ""):
        with pytest.raises(Refused) as refused:
            draw(round, pot, ["4", "5"])
        assert refused.value.code == "no_tie"
    count = draw(round, "syd", ["5", "4"])
    assert count.winners == ["1", "3", "5"]
    assert [(lot.pot, lot.order) for lot in again(round).lots.all()] == [("syd", ["5", "4"])]
    result = results.result_for(round.process)
    assert result.pots[0].budget == 300_000 + 50_000 + 30_000
    assert [each.pot for each in result.pots[0].received] == ["Nord", "Syd"]


def test_the_lot_is_recorded_on_the_page_of_its_pot():
    round = tied()
    actions.count_round(round=round, by=None)
    process = round.process
    TOTP.activate(process.owner, generate_totp_secret())
    client = Client()
    client.force_login(process.owner)
    lot = reverse("admin:budget-lot-pot", args=[process.pk, round.number, "syd"])
    assert lot in client.get(reverse("admin:budget-vote", args=[process.pk])).content.decode()
    elsewhere = reverse("admin:budget-lot-pot", args=[process.pk, round.number, "findes-ikke"])
    assert client.get(elsewhere).status_code == 404
    drawn = {"place_1": "5", "place_2": "4", "how": "Sedler", "witnesses": "To borgere"}
    filled = form_with(client.get(lot).content.decode(), "witnesses") | drawn
    at = timezone.localtime(clock.now() + timedelta(minutes=1))
    filled["drawn_hour"] = f"{at:%H:%M}"
    with clock.frozen(at + timedelta(minutes=2)):
        answer = client.post(lot, filled)
    assert answer.status_code == 302, answer.content.decode()
    assert Count.objects.get().winners == ["1", "3", "5"]


def test_the_page_says_in_words_what_moved(settings):
    round = opened(make_pots())
    cast(round)
    actions.count_round(round=seal(round), by=None)
    page = Client().get(reverse("budgets:result", args=[round.process.slug])).content.decode()
    text = " ".join(page.replace("\xa0", " ").split())
    assert "Nord brugte 70.000 kr. af 120.000 kr." in text
    assert "50.000 kr." in text
    for row in round.__class__.objects.get(pk=round.pk).files:
        assert row["sha256"] in page
        url = reverse("budgets:votes-file-pot", args=[round.process.slug, 1, row["pot"]])
        assert url in page
        got = Client().get(url)
        assert got.status_code == 200
        assert row["name"] in got["Content-Disposition"]
    for wrong in (
        reverse("budgets:votes-file-pot", args=[round.process.slug, 1, "vest"]),
        reverse("budgets:votes-file-pot", args=[round.process.slug, 7, "nord"]),
        reverse("budgets:votes-file", args=[round.process.slug]),
        reverse("budgets:result-round", args=[round.process.slug, 7]),
    ):
        assert Client().get(wrong).status_code == 404


@pytest.mark.parametrize("projects", [3, 40])
def test_queries_do_not_grow_with_pots_and_projects(projects, django_assert_max_num_queries):
    process = make_pots(
        prices=[(pot, 10_000) for _ in range(projects) for pot in ("hele-byen", "nord", "syd")]
    )
    round = opened(process)
    vote(round, "1", "2", pot="nord")
    actions.count_round(round=seal(round), by=None)
    with django_assert_max_num_queries(12):
        assert len(results.result_for(process).projects) == 3 * projects


def test_the_other_rule_is_compared_pot_by_pot():
    round = opened(make_pots())
    cast(round)
    actions.count_round(round=seal(round), by=None)
    assert tasks.compare_counts() == 1
    assert tasks.compare_counts() == 0
    comparison = Count.objects.get().comparison
    assert comparison["rule"] == "equal-shares"
    assert [part["pot"] for part in comparison["pots"]] == ["hele-byen", "nord", "syd"]


def test_commands_count_and_write_every_pot(tmp_path, capsys):
    round = opened(make_pots())
    cast(round)
    slug = seal(round).process.slug
    call_command("count_budget", slug, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["winners"], told["pots"]["hele-byen"]["received"]) == (["1", "3", "5"], {"nord": 50_000})
    call_command("export_pabulib", slug, "--output", str(tmp_path))
    assert len(list(tmp_path.glob("*.pb"))) == 3
    call_command("export_pabulib", slug, "--pot", "nord")
    assert "pot;nord" in capsys.readouterr().out
    for wrong in ([slug], [slug, "--pot", "vest"]):
        with pytest.raises(CommandError):
            call_command("export_pabulib", *wrong)


def test_a_pot_of_its_own_can_be_read_in_again(tmp_path, capsys):
    """With the alternatives and least costs that its count hangs on; a pot that got money from others can't."""
    process = make_pots(
        leftover="stays", prices=[("nord", 70_000), ("nord", 60_000), ("nord", 90_000), ("hele-byen", 10_000)]
    )
    changes = ({"alternative": "Grunden"}, {"alternative": "Grunden"}, {"least_price": 40_000}, {})
    for contribution, change in zip(process.contributions.order_by("pk"), changes, strict=True):
        project = contribution.project
        actions.assess_project(
            project=project,
            by=process.owner,
            assessment="feasible",
            price=project.price,
            municipal_matter=True,
            **change,
        )
    round = opened(process)
    vote(round, "1", "2", times=3, pot="nord")
    vote(round, "1", "3", "4", times=2, pot="nord")
    round = seal(round)
    count = actions.count_round(round=round, by=None)
    assert count.winners == ["4", "1", "3"]
    out = tmp_path / "nord.pb"
    call_command("export_pabulib", process.slug, "--pot", "nord", "--output", str(out))
    call_command("import_pabulib", str(out), "--slug", "laest-ind", "--json")
    imported = Count.objects.get(round__process__slug="laest-ind")
    assert (imported.winners, actions.counting.granted(imported)) == (
        ["1", "3"],
        {"1": 70_000, "3": 50_000},
    )
    again_out = tmp_path / "igen.pb"
    call_command("export_pabulib", "laest-ind", "--output", str(again_out))
    assert pabulib.parse(again_out.read_bytes()).election == pabulib.parse(out.read_bytes()).election

    for wrong in ("leftover_to;nord\nrule;greedy", "shortlist_size;2\nrule;shortlist"):
        (tmp_path / "andet.pb").write_text(out.read_text().replace("rule;greedy", wrong))
        with pytest.raises(CommandError):
            call_command("import_pabulib", str(tmp_path / "andet.pb"))


def two_rounds(**detail):
    """A first round now, and a final in a month."""
    now = clock.now()
    process = make_budget(
        vote_from=now + timedelta(days=30), vote_to=now + timedelta(days=40), **{"shortlist_size": 2} | detail
    )
    with transaction.atomic(), amending(process):
        Phase.objects.create(
            process=process,
            kind="shortlist",
            interval=DateTimeTZRange(now - timedelta(days=1), now + timedelta(days=5), "[)"),
        )
        process.__class__.objects.filter(pk=process.pk).update(opens_at=now - timedelta(days=1))
    return process


@pytest.mark.parametrize("tie", [False, True])
def test_a_first_round_has_its_own_result(tie, tmp_path):
    process = two_rounds()
    for price in (100_000, 150_000, 200_000, 120_000):
        make_project(process, price=price)
    round = opened(process)
    assert round.kind == Round.Kind.SHORTLIST
    vote(round, "2", "3", times=3)
    vote(round, "1", times=3 if tie else 1)
    with clock.frozen(clock.now() + timedelta(days=6)):
        round = actions.seal_round(round=round, by=None)
        count = actions.count_round(round=round, by=None)
        assert (count.rule, count.spent) == ("shortlist", 0)
        assert count.winners == (["1", "2", "3"] if tie else ["2", "3"])
        assert round.__class__.objects.get(pk=round.pk).state == Round.State.COUNTED
        assert tasks.compare_counts() == 0
        file = pabulib.parse(election.published_files(again(round))[""].content)
        assert (file.meta["rule"], file.meta["shortlist_size"]) == ("shortlist", "2")
        written = files_in(tmp_path, round)
        assert recount(tmp_path, written[0].name)[1]["winners"] == count.winners
        page = Client().get(reverse("budgets:result", args=[process.slug])).content.decode()
        assert "første runde" in page.lower()
    with clock.frozen(clock.now() + timedelta(days=31)):
        final = opened(process)
        assert set(final.ballot_projects.values_list("number", flat=True)) == set(count.winners)
        vote(final, "2")
    with clock.frozen(clock.now() + timedelta(days=41)):
        final = actions.seal_round(round=final, by=None)
        actions.count_round(round=final, by=None)
        newest = results.result_for(process)
        assert (newest.round.number, [each.number for each in newest.earlier]) == (2, [1])
        assert set(row.number for row in newest.projects) == set(count.winners)
        pages = {
            number: Client().get(reverse("budgets:result-round", args=[process.slug, number]))
            for number in (1, 2)
        }
        assert {page.status_code for page in pages.values()} == {200}
        assert reverse("budgets:result-round", args=[process.slug, 1]) in pages[2].content.decode()
        assert Client().get(reverse("budgets:votes-file-round", args=[process.slug, 1])).status_code == 200
        assert CountedBallot.objects.filter(round=round).exists()
