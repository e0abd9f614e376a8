"""The ballot as a plain form: each kind of ballot, each mistake, and that choices are left nowhere."""

import re
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.views.debug import ExceptionReporter

from accounts.models import User
from audit.models import Entry
from budgets import actions, results
from budgets.models import Ballot, Began, HowItWas, Roll, Round
from tests.accounts.factories import make_district
from tests.budgets import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


def address(round: Round, name: str = "vote") -> str:
    return reverse(f"budgets:{name}", args=[round.process.slug])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def tracker_in(page: str) -> str:
    return re.search(r'name="tracker"\s+value="([^"]+)"', page)[1]  # type: ignore[index]


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def round(db: None) -> Round:
    return make.make_round()


@pytest.fixture
def voter(round: Round) -> User:
    return make.make_voter()


@pytest.fixture
def client(voter: User) -> Client:
    return signed_in(voter)


def post(client: Client, round: Round, step: str = "review", **body: Any) -> Any:
    return client.post(address(round), {"step": step, **body})


def cast(client: Client, round: Round, **body: Any) -> Any:
    review = post(client, round, "review", **body)
    assert review.status_code == 200, text_of(review)
    return post(client, round, "cast", tracker=tracker_in(review.content.decode()), **body)


def test_whoever_is_not_signed_in_is_asked_to_before_choosing(round: Round) -> None:
    response = Client().get(address(round))
    assert response.status_code == 200
    assert "Log in with MitID" in text_of(response)
    assert 'name="choice"' not in text_of(response)


def test_the_ballot_shows_every_project_with_nothing_chosen(client: Client, round: Round) -> None:
    page = text_of(client.get(address(round)))
    assert page.count('name="choice"') == 4
    assert " checked" not in page
    assert "You have not voted yet" in page


def test_opening_the_ballot_leaves_only_that_it_was_opened(client: Client, round: Round, voter: User) -> None:
    client.get(address(round))
    assert Began.objects.filter(round=round, user=voter).exists()


def test_choose_look_over_cast_and_the_receipt_shows_the_code_once(client: Client, round: Round) -> None:
    review = post(client, round, choice=["1", "4"])
    page = text_of(review)
    assert 'type="hidden" name="choice" value="1"' in page
    assert 'name="choice" value="4"' in page
    assert "300.000" in page or "300,000" in page
    assert Roll.objects.count() == 0
    receipt = post(client, round, "cast", choice=["1", "4"], tracker=tracker_in(page), code="yes")
    assert receipt.status_code == 200
    code = re.search(r'class="tracker-code">([A-Z0-9-]{14})<', text_of(receipt))[1]  # type: ignore[index]
    assert Roll.objects.count() == Ballot.objects.count() == 1
    make.close(round)
    actions.seal_round(round=make.again(round), by=None)
    assert results.tracker_counted(make.again(round), code)


def test_the_code_can_be_declined(client: Client, round: Round) -> None:
    receipt = cast(client, round, choice=["1"], code="no")
    assert "tracker-code" not in text_of(receipt)
    assert Ballot.objects.get().tracker == ""


@pytest.mark.parametrize("name", ["vote", "tracker"])
def test_nothing_of_it_is_kept_by_caches(client: Client, round: Round, name: str) -> None:
    assert "no-store" in client.get(address(round, name))["Cache-Control"]
    assert "no-store" in post(client, round, choice=["1"])["Cache-Control"]
    assert "no-store" in post(client, round, choice=["1", "2", "3", "4"])["Cache-Control"]
    assert "no-store" in cast(client, round, choice=["1"])["Cache-Control"]


@pytest.mark.parametrize(
    ("detail", "body", "words"),
    [
        ({}, {}, "Choose at least 1 project."),
        ({}, {"choice": ["1", "2", "3", "4"]}, "Choose at most 3 projects."),
        ({}, {"choice": ["77"]}, "isn&#x27;t on the ballot"),
        ({}, {"choice": ["1", "77"]}, "isn&#x27;t on the ballot"),
        ({"min_choices": 2}, {"choice": ["1"]}, "Choose at least 2 projects."),
        ({"ballot_type": "choose_one", "max_choices": None}, {}, "Choose at least 1 project."),
        (
            {"ballot_type": "knapsack", "max_choices": None, "total": 300_000},
            {"choice": ["1", "2", "4"]},
            "costs more than the money",
        ),
        ({"ballot_type": "cumulative", "points": 5}, {"points-1": "6"}, "You have 5 points to give."),
        ({"ballot_type": "cumulative", "points": 5}, {"points-1": "-1"}, "in whole numbers"),
        ({"ballot_type": "cumulative", "points": 5}, {"points-1": "mange"}, "in whole numbers"),
        ({"ballot_type": "cumulative", "points": 5}, {"points-1": "0"}, "Choose at least 1 project."),
    ],
)
def test_what_is_wrong_is_said_and_the_choices_are_kept(
    detail: dict[str, Any], body: dict[str, Any], words: str
) -> None:
    round = make.make_round(**detail)
    client = signed_in(make.make_voter())
    for step in ("review", "cast"):
        response = post(client, round, step, code="no", **body)
        page = text_of(response)
        assert response.status_code == 422
        assert words in page
        for number in set(body.get("choice", ())) - {"77"}:
            assert f'id="choice-{number}"' in page
        assert page.count(" checked") == len(set(body.get("choice", ())) - {"77"})
        for name, typed in body.items():
            if name.startswith("points-") and typed != "0":
                assert f'value="{typed}"' in page
    assert Roll.objects.count() == Ballot.objects.count() == 0


def test_points_to_what_is_not_on_the_ballot_are_not_dropped_in_silence() -> None:
    round = make.make_round(ballot_type="cumulative", points=5)
    client = signed_in(make.make_voter())
    for step in ("review", "cast"):
        response = post(client, round, step, code="no", **{"points-1": "1", "points-77": "2"})
        assert response.status_code == 422
        assert "isn&#x27;t on the ballot" in text_of(response)
    assert Roll.objects.count() == 0
    assert post(client, round, "cast", code="no", **{"points-1": "1", "points-77": ""}).status_code == 200


@pytest.mark.parametrize(
    ("detail", "body", "choices"),
    [
        ({"ballot_type": "choose_one", "max_choices": None}, {"choice": ["2"]}, [["2", 1]]),
        ({"ballot_type": "knapsack", "max_choices": None}, {"choice": ["4", "1"]}, [["1", 1], ["4", 1]]),
        (
            {"ballot_type": "cumulative", "points": 5},
            {"points-1": "3", "points-2": "", "points-3": "2"},
            [["1", 3], ["3", 2]],
        ),
        ({}, {"choice": ["3", "1"]}, [["1", 1], ["3", 1]]),
    ],
)
def test_each_kind_of_ballot_reaches_the_urn_as_it_was_filled_in(
    detail: dict[str, Any], body: dict[str, Any], choices: list[list[Any]]
) -> None:
    round = make.make_round(**detail)
    assert "Your vote has been cast" in text_of(cast(signed_in(make.make_voter()), round, **body))
    make.close(round)
    actions.seal_round(round=make.again(round), by=None)
    assert round.counted_ballots.get().choices == choices


def test_searching_never_loses_a_choice(client: Client, round: Round) -> None:
    response = post(client, round, "search", q="findes ikke", choice=["2", "3"])
    page = text_of(response)
    assert "No project fits your search" in page
    assert page.count(" checked") == 2
    assert "You have also chosen" in page
    page = text_of(post(client, round, "search", only_chosen="1", choice=["2", "3"]))
    assert page.count('name="choice"') == 2
    page = text_of(post(client, round, "review", q="findes ikke", choice=["2", "3"]))
    assert page.count('type="hidden" name="choice"') == 2


def test_searching_reads_danish_spelling() -> None:
    process = make.make_budget()
    make.make_project(process, title="Åparken i Aabenraa")
    make.make_project(process, title="Bænke")
    round = actions.open_round(process=process)
    client = signed_in(make.make_voter())
    for words in ("aaparken", "ÅPARKEN", "åbenrå"):
        page = text_of(post(client, round, "search", q=words))
        assert page.count('name="choice"') == 1, words


def test_searching_by_district() -> None:
    process, district = make.make_budget(), make_district()
    make.make_project(process, district=district)
    make.make_project(process, district=make_district())
    round = actions.open_round(process=process)
    page = text_of(post(signed_in(make.make_voter()), round, "search", district=str(district.pk)))
    assert page.count('name="choice"') == 1


def numbers_in(page: str) -> list[str]:
    return re.findall(r'id="choice-(\d+)"', page)


def test_the_order_is_each_voters_own_and_stays(round: Round) -> None:
    round = make.make_round(prices=[50_000] * 12)
    first, second = signed_in(make.make_voter()), signed_in(make.make_voter())
    once = numbers_in(text_of(first.get(address(round))))
    assert once == numbers_in(text_of(first.get(address(round))))
    assert once == numbers_in(text_of(post(first, round, "search")))
    assert sorted(once) == sorted(numbers_in(text_of(second.get(address(round)))))
    assert once != numbers_in(text_of(second.get(address(round))))


def test_a_second_vote_is_told_so_and_shows_no_code(client: Client, round: Round) -> None:
    review = post(client, round, choice=["1"])
    body = {"choice": ["1"], "tracker": tracker_in(review.content.decode()), "code": "yes"}
    assert "tracker-code" in text_of(post(client, round, "cast", **body))
    for step in ("cast", "review", "search"):
        again = post(client, round, step, **body)
        page = text_of(again)
        assert again.status_code == 409
        assert "You have voted" in page
        assert "tracker-code" not in page
        assert "choice" not in page
    assert "You have voted" in text_of(client.get(address(round)))
    assert Ballot.objects.count() == Roll.objects.count() == 1


def test_a_vote_after_closing_by_a_page_opened_before(client: Client, round: Round) -> None:
    review = post(client, round, choice=["1"])
    make.close(round)
    response = post(client, round, "cast", choice=["1"], tracker=tracker_in(review.content.decode()))
    assert response.status_code == 409
    assert "Your vote came too late and has not been cast" in text_of(response)
    assert Ballot.objects.count() == Roll.objects.count() == 0


def test_whoever_was_signed_out_meanwhile_sees_what_was_chosen_and_that_it_did_not_count(
    round: Round,
) -> None:
    response = Client().post(address(round), {"step": "cast", "choice": ["1"], "code": "no"})
    page = text_of(response)
    assert response.status_code == 409
    assert "has not been cast" in page
    assert "You had chosen" in page
    assert Ballot.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"municipality_code": "0101"}, "You must live in"),
        ({"birth_date": "2019-05-05"}, "You must be 15"),
    ],
)
def test_whoever_may_not_vote_is_told_why(round: Round, fields: dict[str, Any], words: str) -> None:
    from datetime import date

    if "birth_date" in fields:
        fields = {"birth_date": date.fromisoformat(fields["birth_date"])}
    client = signed_in(make.make_voter(**fields))
    assert words in text_of(client.get(address(round)))
    response = post(client, round, "cast", choice=["1"], code="no")
    assert response.status_code == 409
    assert words in text_of(response)
    assert Ballot.objects.count() == 0


def test_another_voters_code_is_refused_with_the_choices_kept(client: Client, round: Round) -> None:
    theirs = tracker_in(post(signed_in(make.make_voter()), round, choice=["1"]).content.decode())
    for wrong in (theirs, "AAAA-BBBB-CCCC", ""):
        response = post(client, round, "cast", choice=["2"], tracker=wrong, code="yes")
        page = text_of(response)
        assert response.status_code == 422
        assert 'name="choice" value="2"' in page
    assert Ballot.objects.count() == 0


def rows_with(words: Iterable[str]) -> list[str]:
    """Every table and column that holds any of the words, as text."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" AS line WHERE line::text LIKE %s', [f"%{word}%"]
                )
                if cursor.fetchone()[0]:
                    found.append(f"{table}: {word}")
    return found


def test_choices_and_code_are_left_nowhere(client: Client, round: Round, caplog: Any) -> None:
    canary = "KANARIEFUGL"
    client.get(address(round))
    before = {session.session_key: session.session_data for session in Session.objects.all()}
    review = post(client, round, "search", q=canary, choice=["3", "2"])
    assert canary in text_of(review), "the search itself must see what it is given"
    receipt = cast(client, round, q=canary, choice=["3", "2"], code="yes")
    code = re.search(r'class="tracker-code">([A-Z0-9-]+)<', text_of(receipt))[1]  # type: ignore[index]
    assert {session.session_key: session.session_data for session in Session.objects.all()} == before
    assert rows_with([canary, code, code.replace("-", "")]) == []
    assert canary not in caplog.text
    assert code not in caplog.text
    assert not any("choice" in header or value == "3" for header, value in receipt.headers.items())
    assert canary not in text_of(receipt)
    assert 'name="choice"' not in text_of(receipt)
    assert Entry.objects.filter(action__icontains="cast").count() == 0
    again = text_of(client.get(address(round)))
    assert code not in again
    assert 'name="choice"' not in again


def test_the_address_never_holds_a_choice(client: Client, round: Round) -> None:
    page = text_of(client.get(f"{address(round)}?choice=1&step=cast"))
    assert " checked" not in page
    assert 'method="post"' in page
    assert Ballot.objects.count() == 0


def test_few_queries_and_the_same_at_many_projects() -> None:
    def queries(amount: int) -> tuple[int, int, int]:
        round = make.make_round(prices=[10_000] * amount)
        client = signed_in(make.make_voter())
        client.get(address(round))
        with CaptureQueriesContext(connection) as opened:
            client.get(address(round))
        with CaptureQueriesContext(connection) as reviewed:
            review = post(client, round, choice=["1"])
        with CaptureQueriesContext(connection) as sent:
            post(client, round, "cast", choice=["1"], tracker=tracker_in(review.content.decode()))
        return len(opened), len(reviewed), len(sent)

    few, many = queries(3), queries(60)
    assert few == many
    opened, reviewed, sent = many
    assert opened <= 9
    assert reviewed <= 7
    assert sent <= 8


def test_unexpected_bodies_are_answered_calmly(client: Client, round: Round) -> None:
    bodies: list[dict[str, Any]] = [
        {"step": "cast", "choice": ["\x00", "1" * 5000], "tracker": "\x00"},
        {"step": "x" * 10_000},
        {"choice": ["1", "1", "1"], "step": "cast", "code": "no", "district": "x"},
        {"points-1": "9" * 999, "points-": "1", "step": "review"},
        {"step": "search", "q": "\x00" * 50 + "å" * 5000, "district": "-1"},
    ]
    for body in bodies:
        assert client.post(address(round), body).status_code in {200, 409, 422}


def test_a_receipt_in_large_print_for_whoever_has_voted(client: Client, round: Round) -> None:
    pdf = address(round, "vote-receipt-pdf")
    assert client.post(pdf).status_code == 404
    receipt = cast(client, round, choice=["1"])
    response = client.post(pdf, {"tracker": tracker_in(receipt.content.decode())})
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF")
    assert "no-store" in response["Cache-Control"]
    assert client.post(pdf, {"tracker": "forged:code"}).status_code == 404
    assert client.get(pdf).status_code == 405


def test_can_i_vote_without_sign_in(round: Round) -> None:
    here = address(round, "can-i-vote")
    district = make_district()
    assert "Yes, you can vote." in text_of(Client().get(here, {"age": 40, "lives": district.pk}))
    assert "You must be 15" in text_of(Client().get(here, {"age": 9, "lives": district.pk}))
    assert "No, not in this one" in text_of(Client().get(here, {"age": 40, "lives": "elsewhere"}))
    assert Client().get(here, {"age": "x", "lives": "\x00"}).status_code == 200


def test_a_draft_has_no_voting_page() -> None:
    process = make.make_process(status="draft")
    assert Client().get(reverse("budgets:vote", args=[process.slug])).status_code == 404


def test_how_it_was_is_only_counted_and_only_from_those_who_voted(client: Client, round: Round) -> None:
    after = address(round, "vote-after")
    client.post(after, {"how": "easy"})
    assert not HowItWas.objects.exists()
    before = Entry.objects.count()
    assert "How was it to vote?" in text_of(cast(client, round, choice=["1"]))
    for answer in ("easy", "vrøvl", "hard"):
        assert client.post(after, {"how": answer}).status_code == 302
    for _each in range(3):
        another = signed_in(make.make_voter())
        cast(another, round, choice=["2"])
        another.post(after, {"how": "easy"})
    assert dict(HowItWas.objects.values_list("answer", "times")) == {"easy": 4, "hard": 1}
    assert Entry.objects.count() == before
    assert {field.name for field in HowItWas._meta.get_fields()} == {"id", "round", "answer", "times"}


def test_following_and_being_asked_again_from_the_receipt(client: Client, round: Round, voter: User) -> None:
    cast(client, round, choice=["1"])
    response = client.post(address(round, "vote-after"), {"follow": "1", "ask_again": "1"})
    assert response["Location"] == round.process.get_absolute_url()
    assert round.process.follows.filter(user=voter).exists()
    assert voter.ask_again.filter(topic="citizen_budget").exists()


@pytest.mark.parametrize(
    "breaks", ["budgets.ballots.encrypt", "budgets.ballots.Paper.check", "budgets.choosing._show"]
)
def test_an_error_report_holds_no_choice(breaks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "737373"
    process = make.make_budget()
    make.Project.objects.filter(pk=make.make_project(process).pk).update(number=canary)
    round = actions.open_round(process=process)
    client = signed_in(make.make_voter())
    client.raise_request_exception = False
    body = {"choice": [canary], "code": "no", "q": canary}

    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(breaks, fails)
    reports: list[str] = []
    unprotected: list[str] = []

    def keep(sender: Any, request: Any, **kwargs: Any) -> None:
        request.META.pop("wsgi.input", None)
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())
        with override_settings(DEBUG=True):  # what there would be to find without the protection
            unprotected.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    got_request_exception.connect(keep)
    try:
        for step in ("review", "cast", "search"):
            post(client, round, step, **body)
    finally:
        got_request_exception.disconnect(keep)
    assert reports
    assert all(canary in report for report in unprotected)
    assert all("broken on purpose" in report for report in reports)
    assert not any(canary in report for report in reports)
