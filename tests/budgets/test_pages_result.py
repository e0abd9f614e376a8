"""The result page at each stage, the file and its fingerprint, the recount, and the tracker code."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from budgets import actions, ballots
from budgets.models import Round
from participation import clock
from tests.budgets import factories as make
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


def get(round: Round, name: str = "result") -> Any:
    return Client().get(reverse(f"budgets:{name}", args=[round.process.slug]))


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def counted(round: Round) -> Round:
    round = make.seal(round)
    actions.count_round(round=round, by=round.process.owner)
    return Round.objects.get(pk=round.pk)


def test_nothing_is_told_while_voting_is_open() -> None:
    round = make.make_round()
    make.vote(round, "1", times=3)
    page = text_of(get(round))
    assert "Nobody can see how the votes fall" in page
    assert "Projekt" not in page
    assert get(round, "votes-file").status_code == 404


def test_sealed_but_not_counted_says_so() -> None:
    round = make.make_round()
    make.vote(round, "1", times=3)
    make.seal(round)
    page = text_of(get(round))
    assert "wait to be counted" in page
    assert "Who voted" in page
    assert "The projects that won the vote" not in page


def test_winners_the_decisions_the_chart_and_the_other_rule() -> None:
    round = make.make_round([300_000, 250_000, 200_000])
    make.vote(round, "1", times=4)
    make.vote(round, "2", times=3)
    make.vote(round, "3", "2", times=2)
    round = counted(round)
    actions.compare_count(count=round.count)
    page = text_of(get(round))
    assert "9 people voted. 2 projects won, for DKK 450,000 of DKK 500,000." in page
    assert "DKK 50,000 is left." in page
    assert "The money reached this far: DKK 450,000 of DKK 500,000." in page
    assert "There was DKK 500,000 left. It costs DKK 250,000, so it wins" in page
    assert "There was only DKK 250,000 left, and it costs DKK 300,000." in page
    assert "With another counting rule" in page
    assert "The council has not decided yet" in page
    process_page = text_of(Client().get(round.process.get_absolute_url()))
    assert "The projects that won the vote" in process_page


@pytest.mark.django_db(transaction=True)  # pages are forgotten when what changed is committed
def test_a_tie_waits_for_its_lot_and_the_lot_is_shown() -> None:
    round = make.make_round([300_000, 300_000, 100_000])
    make.vote(round, "1", times=3)
    make.vote(round, "2", times=3)
    make.vote(round, "3", times=4)
    round = counted(round)
    page = text_of(get(round))
    assert "The count waits for a public lot" in page
    assert "The projects that won the vote" not in page
    actions.record_lot(
        round=round,
        by=round.process.owner,
        order=["2", "1"],
        drawn_at=clock.now(),
        how="Kugler i en pose",
        witnesses="Borgmesteren",
    )
    page = text_of(get(round))
    assert "Kugler i en pose" in page
    assert "waits for a public lot" not in page
    assert "--lot lod.txt" in page
    assert "one on each line: 2, 1" in page


def test_the_councils_decision_with_its_reason_for_each_project() -> None:
    round = make.make_round([300_000, 100_000])
    make.vote(round, "1", times=4)
    make.vote(round, "2", times=3)
    round = counted(round)
    make.put_in(round.process, "closed")
    actions.decide_projects(
        process=round.process,
        by=make.make_staff("manager", unit=round.process.unit),
        decisions=[
            {"project": "1", "funded": False, "amount": None, "reason": "Grunden er <b>solgt</b>."},
            {"project": "2", "funded": True, "amount": 90_000, "reason": ""},
        ],
    )
    page = text_of(get(round))
    assert "Won the vote, but gets no money" in page
    assert "Grunden er &lt;b&gt;solgt&lt;/b&gt;." in page
    assert "DKK 90,000" in page
    assert "The council has not decided yet" not in page
    loser = round.process.contributions.get(project__number="1")
    page = text_of(Client().get(loser.get_absolute_url()))
    assert "The project gets no money." in page
    assert "It differs from the vote, because" in page


def test_the_file_has_the_fingerprint_that_was_published_and_recounts(tmp_path: Path) -> None:
    round = make.make_round([300_000, 250_000, 200_000])
    make.vote(round, "1", times=4)
    make.vote(round, "2", "3", times=5)
    round = counted(round)
    file, program = get(round, "votes-file"), get(round, "recount")
    assert file["Content-Disposition"] == f'attachment; filename="{round.process.slug}.pb"'
    assert hashlib.sha256(file.content).hexdigest() == round.files[0]["sha256"]
    page = text_of(get(round))
    assert round.files[0]["sha256"] in page
    assert f"python recount.py {round.process.slug}.pb" in page
    assert program["Content-Type"].startswith("text/x-python")
    (tmp_path / "recount.py").write_bytes(program.content)
    (tmp_path / "stemmer.pb").write_bytes(file.content)
    done = subprocess.run(
        [sys.executable, "-I", "recount.py", "stemmer.pb", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["winners"]) == ["2", "3"]


def test_few_ballots_are_published_as_totals_only() -> None:
    round = make.make_round(publish_ballots_from=200)
    make.vote(round, "1", times=5)
    round = counted(round)
    page = text_of(get(round))
    assert "There are fewer than 200 ballots" in page
    assert "recount.py" not in page
    file = get(round, "votes-file")
    assert file["Content-Type"].startswith("text/csv")
    assert b"voter" not in file.content


def test_small_numbers_in_turnout_are_hidden_and_said_so() -> None:
    round = make.make_round()
    for _each in range(4):
        make.vote(round, "1")
    make.seal(round)
    page = text_of(get(round))
    assert "Numbers under 3 are not shown" in page
    assert "not shown" in page


def test_the_tracker_is_looked_up_after_sealing_and_never_in_an_address() -> None:
    round = make.make_round()
    code = ballots.new_tracker()
    actions.cast_ballot(round=make.again(round), by=make.make_voter(), choices=[("1", 1)], tracker=code)
    address = reverse("budgets:tracker", args=[round.process.slug])
    client = Client()
    assert "not been counted yet" in text_of(client.post(address, {"code": code}))
    make.seal(round)
    for typed in (code, code.lower().replace("-", " "), f" {code} "):
        page = text_of(client.post(address, {"code": typed}))
        assert "Your ballot was counted." in page
    assert "Your ballot was counted." not in text_of(client.get(address, {"code": code}))
    wrong = client.post(address, {"code": "AAAA-BBBB-CCCC"})
    assert "We found no ballot with that code" in text_of(wrong)
    for odd in ("", "\x00", "æ" * 5000, "<b>"):
        response = client.post(address, {"code": odd})
        assert response.status_code == 200
        assert "<b>" not in text_of(response)
        assert "no-store" in response["Cache-Control"]


def test_as_many_queries_whatever_the_number_of_projects() -> None:
    def queries(amount: int) -> int:
        round = make.make_round([10_000] * amount)
        make.vote(round, "1", times=3)
        counted(round)
        get(round)
        with CaptureQueriesContext(connection) as captured:
            Client().get(reverse("budgets:result", args=[round.process.slug]), {"x": amount})
        return len(captured)

    assert queries(3) == queries(40) <= 14
