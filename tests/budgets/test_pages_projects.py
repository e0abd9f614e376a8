"""Proposing a project with its cost lines, the list, the project's own page and the one adjustment."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from budgets.models import Assessment, Project
from participation import clock
from participation.models import Contribution, Process
from tests.accounts.factories import make_district
from tests.budgets import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]

TYPED = {
    "title": "Bænke ved søen",
    "body": "Tre bænke i solen.",
    "why": "Så man kan sidde ned.",
    "cost_lines_text": ["Bænke", "Fliser", ""],
    "cost_lines_amount": ["60.000", "15000 kr.", ""],
    "place": "Ved søen",
    "district": "",
    "name_shown": "first",
    "carried_out_by_citizens": "on",
    "go_on": "1",
}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def process() -> Process:
    """Collecting ideas."""
    later = clock.now() + timedelta(days=15)
    return make.make_budget(vote_from=later, vote_to=later + timedelta(days=5), min_cost=10_000)


def write(client: Client, process: Process, **changes: Any) -> Any:
    return client.post(reverse("participation:contribute", args=[process.slug]), TYPED | changes)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_project_from_the_form_to_the_list(process: Process) -> None:
    client = signed_in(make.make_voter())
    review = write(client, process)
    assert review.status_code == 302
    page = text_of(client.get(review["Location"]))
    assert "In all: DKK 75,000" in page
    assert "Fliser: DKK 15,000" in page
    sent = client.post(review["Location"])
    assert sent.status_code == 302, text_of(sent)
    project = Project.objects.get()
    assert project.cost == 75_000
    assert project.why == "Så man kan sidde ned."
    assert project.carried_out_by_citizens
    assert [(line.text, line.amount) for line in project.cost_lines.all()] == [
        ("Bænke", 60_000),
        ("Fliser", 15_000),
    ]
    detail = text_of(client.get(project.contribution.get_absolute_url()))
    assert "DKK 75,000" in detail
    assert "Not assessed yet" in detail


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cost_lines_amount": ["60.000", "mange", ""]}, "Line 2"),
        ({"cost_lines_amount": ["60.000", "", ""]}, "Line 2: write both"),
        ({"cost_lines_text": ["Bænke", "", ""]}, "Line 2: write both"),
        ({"cost_lines_amount": ["-5", "15000", ""]}, "Line 1"),
        ({"cost_lines_amount": ["400.000", "15000", ""]}, "A project may cost at most DKK 300,000 here."),
        ({"cost_lines_amount": ["600.000", "15000", ""]}, "more than all the money"),
        ({"cost_lines_amount": ["60", "15", ""]}, "at least DKK 10,000"),
        ({"cost_lines_text": [""], "cost_lines_amount": [""]}, "one line is enough"),
        ({"cost_lines_text": ["x"] * 30, "cost_lines_amount": ["1000"] * 30}, "at most 20 lines"),
    ],
)
def test_what_is_wrong_with_the_costs_is_said_in_the_form(
    process: Process, changes: dict[str, Any], words: str
) -> None:
    client = Client()
    response = write(client, process, **changes)
    assert response.status_code == 422
    page = text_of(response)
    assert words in page
    assert "Bænke ved søen" in page
    assert 'href="#id_cost_lines"' in page


def test_more_lines_without_script_keeps_what_was_typed(process: Process) -> None:
    client = Client()
    texts, amounts = ["a", "b", "c", "d"], ["1", "2", "3", "4"]
    response = write(client, process, cost_lines_text=texts, cost_lines_amount=amounts, more="1")
    page = text_of(client.get(response["Location"]))
    assert page.count('name="cost_lines_text"') == 7
    assert 'value="c"' in page
    assert "DKK 10" in page


def test_the_winners_carry_it_out_where_the_rules_say_so() -> None:
    later = clock.now() + timedelta(days=15)
    process = make.make_budget(vote_from=later, vote_to=later + timedelta(days=5), winners_carry_out=True)
    page = text_of(Client().get(reverse("participation:contribute", args=[process.slug])))
    assert "carried_out_by_citizens" not in page


def test_the_form_on_paper_asks_for_the_costs(process: Process) -> None:
    response = Client().get(reverse("participation:contribution-form-pdf", args=[process.slug]))
    assert response.content.startswith(b"%PDF")


def test_the_list_finds_by_words_district_and_assessment() -> None:
    process, district = make.make_budget(), make_district()
    make.make_project(process, title="Åparken", district=district)
    make.make_project(process, title="Bænke", assessment=Assessment.NOT_FEASIBLE)
    make.make_project(process, title="Træer", assessment=Assessment.UNDECIDED)
    address = reverse("budgets:projects", args=[process.slug])

    def found(**asked: Any) -> list[str]:
        page = text_of(Client().get(address, asked))
        return [title for title in ("Åparken", "Bænke", "Træer") if title in page]

    assert found() == ["Åparken", "Bænke", "Træer"]
    assert found(q="aaparken") == ["Åparken"]
    assert found(distrikt=district.pk) == ["Åparken"]
    assert found(vurdering="not_feasible") == ["Bænke"]
    assert found(vurdering="vrøvl", distrikt="\x00", sorter="x", page="sidste", q="\x00")
    assert found(q="findesikke") == []
    for order in Project.Order.values:
        assert found(sorter=order) == ["Åparken", "Bænke", "Træer"]


def test_the_order_of_the_list() -> None:
    process = make.make_budget()
    for price, title in ((200_000, "Zebra"), (100_000, "Ås"), (300_000, "Bro")):
        make.make_project(process, price=price, title=title)

    def titles(order: str) -> list[str]:
        return [str(row) for row in Project.objects.in_order(order).select_related("contribution")]

    assert titles(Project.Order.CHEAPEST) == ["Ås", "Zebra", "Bro"]
    assert titles(Project.Order.DEAREST) == ["Bro", "Zebra", "Ås"]
    assert titles(Project.Order.TITLE) == ["Bro", "Zebra", "Ås"]
    assert titles(Project.Order.NEWEST) == ["Bro", "Ås", "Zebra"]


def test_numbers_come_as_they_count_and_the_unnumbered_last() -> None:
    process = make.make_budget()
    for number in ("10", "", "9"):
        make.make_project(process, title=f"nr {number}", assessment=Assessment.UNDECIDED)
        Project.objects.filter(contribution__title=f"nr {number}").update(number=number)
    assert [row.number for row in Project.objects.in_order(Project.Order.NUMBER)] == ["9", "10", ""]


def test_as_many_queries_at_ten_as_at_a_thousand() -> None:
    def queries(amount: int) -> int:
        process = make.make_budget()
        authors = [make.make_voter() for _each in range(3)]
        districts = [make_district() for _each in range(3)]
        now = clock.now()
        rows = Contribution.objects.bulk_create(
            Contribution(
                process=process,
                author=authors[place % 3],
                title=f"Projekt {place}",
                body="En bænk.",
                district=districts[place % 3],
                received_on=clock.today(),
                created_at=now,
                published_at=now,
                moderation="published",
            )
            for place in range(amount)
        )
        Project.objects.bulk_create(Project(contribution=row, cost=10_000) for row in rows)
        address = reverse("budgets:projects", args=[process.slug])
        client = signed_in(authors[0])
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).content.count(b"<article") == min(amount, 20)
        return len(captured)

    few, many = queries(10), queries(1000)
    assert few == many
    assert many <= 8


def adjustable(**fields: Any) -> tuple[Project, Client]:
    later = clock.now() + timedelta(days=5)
    author = make.make_voter() if make.RegisterExtract.objects.exists() else None
    process = make.make_budget(vote_from=later, vote_to=later + timedelta(days=5))
    author = author or make.make_voter()
    return make.make_project(process, author=author, **fields), signed_in(author)


def adjust_address(project: Project) -> str:
    return reverse(
        "budgets:project-adjust", args=[project.contribution.process.slug, project.contribution.public_id]
    )


def test_its_author_adjusts_it_once() -> None:
    project, client = adjustable(assessment=Assessment.NOT_FEASIBLE)
    address = adjust_address(project)
    assert address in text_of(client.get(project.contribution.get_absolute_url()))
    assert "Vi har set på det." in text_of(client.get(address))
    wrong = client.post(address, TYPED | {"cost_lines_amount": ["x", "1", ""]})
    assert wrong.status_code == 422
    assert 'value="x"' in text_of(wrong)
    more = client.post(address, TYPED | {"more": "1"})
    assert text_of(more).count('name="cost_lines_text"') == 5
    assert client.post(address, TYPED).status_code == 302
    project.refresh_from_db()
    assert project.cost == 75_000
    assert project.assessment == Assessment.UNDECIDED
    assert project.contribution.title != ""
    again = client.post(address, TYPED)
    assert again.status_code == 409
    assert "already adjusted" in text_of(again)


def test_nobody_else_adjusts_it() -> None:
    project, _client = adjustable()
    assert signed_in(make.make_voter()).get(adjust_address(project)).status_code == 404
    assert Client().get(adjust_address(project)).status_code == 302


def test_html_stays_text(process: Process) -> None:
    page = text_of(write(Client(), process, title="<b>x</b>", cost_lines_text=["<script>x</script>", "", ""]))
    assert "<script>x" not in page
    assert "<b>x</b>" not in page
