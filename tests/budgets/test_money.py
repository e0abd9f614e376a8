"""All the money: sums against a count by hand, filters, the file, hostile titles, and as many queries at 1,000 as at 10."""

import csv
import io
import itertools
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import District
from accounts.verdict import Refused
from budgets import money, years
from budgets.actions import implementation as carrying
from budgets.models import CostLine, Implementation, Meeting, Payment, Progress, Project, Roll, Round
from participation import clock
from participation.choices import Moderation, Status
from participation.models import Contribution, Process
from tests.accounts.factories import make_district
from tests.budgets.carrying import decided, published
from tests.budgets.factories import make_budget, put_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _no_kept_pages():
    cache.clear()


def crowd(number, *, seed=1, title="Projekt", budgets=3, districts=4):
    """Projects with money of all kinds, written straight to the tables."""
    chance = random.Random(seed)
    places = [None, *(make_district(name=f"Distrikt {next(_numbers)}") for _one in range(districts))]
    processes = []
    for _one in range(budgets):
        process = make_budget()
        put_in(process, Status.CLOSED)
        put_in(process, Status.DECIDED)
        processes.append(process)
    now = clock.now()
    contributions = Contribution.objects.bulk_create(
        Contribution(
            process=chance.choice(processes),
            district=chance.choice(places),
            title=f"{title} {place}",
            body="x",
            received_on=clock.today(),
            created_at=now,
            published_at=now,
            moderation=Moderation.PUBLISHED,
        )
        for place in range(number)
    )
    Project.objects.bulk_create(
        Project(contribution=one, cost=1, number=str(place)) for place, one in enumerate(contributions)
    )
    rows = []
    for one in contributions:
        granted = Decimal(chance.randrange(1, 10**8)) / 100
        status = chance.choice(Progress.values)
        ended = status in {"done", "given_up"}
        paid = (granted * chance.randrange(0, 101) / 100).quantize(Decimal("0.01"))
        rows.append(
            Implementation(
                project_id=one.pk,
                created_at=now,
                granted_on=date(chance.choice((2024, 2025, 2026)), 3, 1),
                planned=Decimal(chance.randrange(1, 10**8)) / 100,
                granted=granted,
                paid=paid,
                returned=granted - paid if ended else 0,
                status=status,
                why="x",
                expected_on=date(2030, 1, 1),
                ended_on=date(2026, 5, 1) if ended else None,
                told_at=now,
            )
        )
    Implementation.objects.bulk_create(rows)
    return processes, places


def by_hand(**wanted):
    """Every number from the rows, one by one, in Python."""
    found = [
        one
        for one in Implementation.objects.select_related("project__contribution")
        if wanted.get("aar") in {None, one.granted_on.year}
        and wanted.get("status") in {None, one.status}
        and wanted.get("forloeb") in {None, one.project.contribution.process_id}
        and ("distrikt" not in wanted or one.project.contribution.district_id == wanted["distrikt"])
    ]
    sums = {
        name: sum((getattr(one, name) for one in found), Decimal(0))
        for name in ("planned", "total_granted", "paid", "returned", "left")
    }
    return len(found), sums


def read(**asked):
    return money.read(QueryDict("&".join(f"{name}={value}" for name, value in asked.items())))


def assert_equal_to_hand(found, **wanted):
    number, sums = by_hand(**wanted)
    total = found.total
    assert (total.projects, total.planned, total.granted, total.paid, total.returned, total.left) == (
        number,
        sums["planned"],
        sums["total_granted"],
        sums["paid"],
        sums["returned"],
        sums["left"],
    )
    for part in (found.by_year, found.by_district, found.by_process, found.by_status):
        for name in ("projects", "planned", "granted", "paid", "returned", "left"):
            assert sum(getattr(one, name) for one in part) == getattr(total, name), name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_sum_is_the_sum_of_its_parts_and_of_the_rows(seed):
    processes, places = crowd(120, seed=seed)
    assert_equal_to_hand(read())
    for year in (2024, 2025, 2026):
        assert_equal_to_hand(read(aar=year), aar=year)
    for status in Progress.values:
        assert_equal_to_hand(read(status=status, aar=2025), status=status, aar=2025)
    assert_equal_to_hand(read(distrikt=places[1].pk), distrikt=places[1].pk)
    assert_equal_to_hand(read(distrikt=money.NO_DISTRICT), distrikt=None)
    assert_equal_to_hand(read(forloeb=processes[0].pk, aar=2024), forloeb=processes[0].pk, aar=2024)


def test_sums_follow_real_payments_grants_and_corrections():
    one, other = decided()
    for each in (one, other):
        published(each)
    owner = one.project.contribution.process.owner
    wrong = carrying.record_payment(
        implementation=one, by=owner, amount=700, paid_on=clock.today(), text="Forkert"
    )
    carrying.correct_payment(payment=wrong, by=owner, text="Tastefejl")
    carrying.record_payment(
        implementation=one, by=owner, amount=Decimal("99.50"), paid_on=clock.today(), text="x"
    )
    carrying.grant_extra(implementation=one, by=owner, amount=25, reason="x", decided_on=clock.today())
    carrying.change_status(implementation=other, by=owner, status="given_up", why="x")
    assert_equal_to_hand(read())
    total = read().total
    assert (total.granted, total.paid, total.returned) == (150_025, Decimal("99.50"), 50_000)


@pytest.mark.parametrize("seed", range(2))
def test_a_year_of_bookkeeping_agrees_with_a_ledger_kept_beside_it(client, seed):
    """Everything that moves money, at random, against a ledger that knows only what each of it means."""
    chance = random.Random(seed)
    projects = [published(one) for one in decided(prices=(1_000, 700, 300))]
    owner, today = projects[0].project.contribution.process.owner, clock.today()
    granted = {one.pk: one.granted for one in projects}
    lines = {one.pk: {} for one in projects}  # payment: [its amount, whether it can be corrected]
    running = {one.pk: True for one in projects}
    tried = Counter()
    for _turn in range(160):
        one = chance.choice(projects)
        paid = sum(amount for amount, _open in lines[one.pk].values())
        left = granted[one.pk] - paid
        amount = Decimal(chance.randrange(1, 60_000)) / 100
        about = {"implementation": one, "by": owner}
        money = about | {"amount": amount, "paid_on": today, "text": "x"}
        change = about | {"amount": amount, "decided_on": today, "reason": "x"}
        what = chance.choice(("pay", "pay", "back", "correct", "more", "less", "end"))
        fits, runs = False, running[one.pk]
        try:
            match what:
                case "pay":
                    fits = runs and amount <= left
                    lines[one.pk][carrying.record_payment(**money).pk] = [amount, True]
                case "back":
                    fits = amount <= paid
                    lines[one.pk][carrying.record_repayment(**money).pk] = [-amount, True]
                case "correct":
                    pk = chance.choice(list(lines[one.pk]) or [None])
                    if pk is None:
                        continue
                    opposite, can = -lines[one.pk][pk][0], lines[one.pk][pk][1]
                    fits = can and 0 <= paid + opposite <= granted[one.pk]
                    made = carrying.correct_payment(payment=Payment.objects.get(pk=pk), by=owner, text="x")
                    lines[one.pk][made.pk], lines[one.pk][pk][1] = [opposite, False], False
                case "more":
                    fits = runs
                    carrying.grant_extra(**change)
                    granted[one.pk] += amount
                case "less":
                    fits = runs and amount <= left
                    carrying.lower_grant(**change)
                    granted[one.pk] -= amount
                case "end":
                    fits = True
                    carrying.change_status(**about, status="given_up" if runs else "on_time", why="x")
                    running[one.pk] = not runs
        except Refused:
            assert not fits, what
            tried[f"{what} refused"] += 1
        else:
            assert fits, what
            tried[what] += 1
    assert len(tried) == 11  # everything was tried, and all that can be refused was
    paid = {pk: sum(amount for amount, _open in rows.values()) for pk, rows in lines.items()}
    left = {pk: granted[pk] - paid[pk] if running[pk] else 0 for pk in granted}
    back = {pk: 0 if running[pk] else granted[pk] - paid[pk] for pk in granted}
    total = read().total
    assert (total.granted, total.paid, total.left, total.returned) == tuple(
        sum(each.values()) for each in (granted, paid, left, back)
    )
    file = {line["adresse"]: line for line in lines_of(client.get(reverse("money:file")))}
    for one in projects:
        (line,) = [
            line for address, line in file.items() if str(one.project.contribution.public_id) in address
        ]
        written = [
            Decimal(line[name].replace(",", ".")) for name in ("bevilget_kr", "udbetalt_kr", "rest_kr")
        ]
        assert written == [granted[one.pk], paid[one.pk], left[one.pk]]


@pytest.mark.parametrize(
    "query",
    [
        "aar=1",
        "aar=x",
        "aar=²",
        "aar=99999999999999999999",
        "aar=00000000000000202699999999",
        "aar=0002026",
        "distrikt=-1",
        "status=alt",
        "forloeb=0",
        "sorter=drop",
        "page=x",
    ],
)
def test_what_makes_no_sense_in_the_address_is_left_out(client, query):
    crowd(5)
    response = client.get(f"{reverse('money:overview')}?{query}")
    assert response.status_code == 200
    assert response.context["money"].total.projects == 5
    assert client.get(f"{reverse('money:file')}?{query}").status_code == 200


@pytest.mark.parametrize("order", [*money.ORDERS, *(f"-{name}" for name in money.ORDERS)])
def test_the_list_comes_in_each_order(client, order):
    crowd(8)
    rows = list(client.get(reverse("money:overview"), {"sorter": order}).context["page"])
    assert len(rows) == 8
    if order.endswith("udbetalt"):
        paid = [one.paid for one in rows]
        assert paid == sorted(paid, reverse=order.startswith("-"))


@pytest.mark.parametrize("number", [10, 1000])
def test_the_page_asks_as_much_at_10_as_at_1000(number, django_assert_num_queries):
    crowd(number)
    with django_assert_num_queries(5):
        assert Client().get(reverse("money:overview")).status_code == 200
    cache.clear()
    with django_assert_num_queries(5):  # and one for the roll, where votes were cast
        assert Client().get(reverse("money:years")).status_code == 200


def test_anonymous_visitors_share_one_page(django_assert_num_queries):
    crowd(3)
    for name in ("money:overview", "money:years", "money:file"):
        Client().get(reverse(name))
        with django_assert_num_queries(0):
            assert Client().get(reverse(name)).status_code == 200


# The file


def lines_of(response):
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";"))


def test_the_file_holds_the_same_projects_as_the_page(client):
    processes, _places = crowd(60)
    for query in ("", "?aar=2025", f"?forloeb={processes[1].pk}&sorter=-bevilget", "?status=delayed"):
        lines = lines_of(client.get(reverse("money:file") + query))
        found = money.read(QueryDict(query.removeprefix("?")))
        assert len(lines) == found.total.projects
        for column, name in (
            ("planlagt_kr", "planned"),
            ("bevilget_kr", "granted"),
            ("udbetalt_kr", "paid"),
            ("tilbagefoert_kr", "returned"),
            ("rest_kr", "left"),
        ):
            assert sum(Decimal(line[column].replace(",", ".")) for line in lines) == getattr(
                found.total, name
            )
        shown = [one.project.contribution.title for one in found.page]
        assert [line["projekt"] for line in lines][: len(shown)] == shown


def test_every_column_is_told_of_on_the_page(client):
    crowd(1)
    header = client.get(reverse("money:file")).content.decode("utf-8-sig").splitlines()[0].split(";")
    page = client.get(reverse("money:overview")).content.decode()
    assert header == [name for name, _about in money.COLUMNS]
    assert all(f"<dt>{name}</dt>" in page for name in header)


@pytest.mark.parametrize(
    "title",
    [
        '=HYPERLINK("http://ondt.example";"Klik")',
        "+45 12 34 56 78",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "  =1+1",
        "\uff1d1+1",
        'Citat " og ; semikolon',
        "To\r\nlinjer",
        "Ærlig talt: 100 % økologi, 🌱",
    ],
)
def test_a_hostile_title_stays_a_text_in_one_cell(client, title):
    crowd(1)
    Contribution.objects.update(title=title)
    (line,) = lines_of(client.get(reverse("money:file")))
    assert len(line) == len(money.COLUMNS)
    assert None not in line.values()
    shown = line["projekt"]
    assert not shown.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))
    assert shown.removeprefix("'").split() == title.split()


def test_a_project_taken_off_the_page_keeps_its_money_and_loses_its_words(client):
    crowd(4)
    granted, hidden = read().total.granted, Contribution.objects.first()
    Contribution.objects.filter(pk=hidden.pk).update(
        title="Køb hos Kanariefugl", moderation=Moderation.REJECTED, moderation_reason="Reklame."
    )
    assert (read().total.projects, read().total.granted) == (4, granted)
    page, lines = client.get(reverse("money:overview")), lines_of(client.get(reverse("money:file")))
    assert [
        line["adresse"] for line in lines if line["projekt"] == "A project whose text is off the page"
    ] == [""]
    for response in (page, client.get(reverse("money:file"))):
        content = response.content.decode()
        assert "Kanariefugl" not in content
        assert str(hidden.public_id) not in content


def test_what_is_kept_out_of_the_lists_is_kept_out_of_the_money_and_the_years(client):
    processes, _places = crowd(30)
    Process.objects.filter(pk=processes[0].pk).update(listed=False)
    found = read()
    hidden = Implementation.objects.filter(project__contribution__process=processes[0])
    assert hidden.exists()
    assert found.total.projects == 30 - hidden.count()
    assert len(lines_of(client.get(reverse("money:file")))) == found.total.projects
    assert processes[0].pk not in [one.key for one in found.by_process]
    assert sum(year.granted for year in years.read().whole.years) == found.total.granted
    page = client.get(hidden[0].project.contribution.get_absolute_url()).content.decode()
    assert "?forloeb=" not in page  # it leads to nothing there


def test_districts_stand_in_danish_order_and_those_of_one_name_say_their_kind():
    crowd(20, districts=0)
    names = ["Årslev", "Zenit", "Ærø", "Ødis", "Aarup", "Birk", "Birk"]
    kinds = ["school"] * 6 + ["local"]
    made = [make_district(name=name, kind=kind) for name, kind in zip(names, kinds, strict=True)]
    for contribution, district in zip(Contribution.objects.all(), made, strict=False):
        Contribution.objects.filter(pk=contribution.pk).update(district=district)
    in_order = ["Birk (local area)", "Birk (school district)", "Zenit", "Ærø", "Ødis", "Årslev", "Aarup"]
    found = read()
    shown = [one.label for one in found.by_district]
    assert shown == [*in_order, "Whole municipality"]
    assert [label for _key, label in found.choices["districts"]] == shown
    assert [place.name for place in years.read().districts] == [*in_order, "Not in one district"]


# Year by year


def test_the_years_add_up_and_the_small_are_hidden():
    one, _other = decided(prices=(100_000, 50_000))
    published(one)
    process = one.project.contribution.process
    carrying.drop_promise(promise=one.promises.get(), by=process.owner, because="x")
    carrying.change_status(implementation=one, by=process.owner, status="done")
    found = years.read()
    year = found.whole.years[-1]
    assert year.year == clock.today().year
    assert (year.proposed, year.on_ballot, year.won, year.done, year.share_done) == (2, 2, 2, 1, 0.5)
    assert (year.granted, year.paid) == (150_000, 0)
    assert year.voters is None  # one voter is too few to show
    for name in ("proposed", "on_ballot", "won", "done", "granted", "paid"):
        parts = [place.years[-1] for place in found.districts]
        assert sum(getattr(part, name) for part in parts) == getattr(year, name)


def test_a_budget_that_is_still_voted_on_counts_in_the_year_it_closes_and_shows_no_voters(client):
    later = clock.now() + timedelta(days=800)
    make_budget(vote_from=later, vote_to=later + timedelta(days=5))
    year = years.read().whole.years[-1]
    assert (year.year, year.voted, year.decided, year.share_done) == (later.year, False, False, None)
    assert client.get(reverse("money:years")).status_code == 200


def test_a_first_round_decides_nothing_and_its_voters_are_not_counted():
    process = make_budget()
    Round.objects.create(
        process=process,
        kind="shortlist",
        state="counted",
        opened_at=clock.now(),
        ballot_bytes=0,
        ballot_count=70,
    )
    assert not years.read().whole.years[-1].voted
    Round.objects.create(
        process=process, number=2, state="counted", opened_at=clock.now(), ballot_bytes=0, ballot_count=40
    )
    year = years.read().whole.years[-1]
    assert (year.voted, year.voters) == (True, 40)


def test_those_who_came_to_the_meeting_took_part_and_count_in_no_district():
    process = make_budget()
    round = Round.objects.create(
        process=process, kind="meeting", state="counted", opened_at=clock.now(), ballot_bytes=0
    )
    Meeting.objects.create(
        round=round, held_at=clock.now(), place="Forsamlingshuset", participants=45, how="Ved håndsoprækning",
        minutes="x", recorded_by=process.owner, recorded_at=clock.now(),
    )  # fmt: skip
    district = make_district()
    Contribution.objects.create(
        process=process, district=district, title="x", body="x", received_on=clock.today(),
        created_at=clock.now(), published_at=clock.now(), moderation=Moderation.PUBLISHED,
    )  # fmt: skip
    Project.objects.create(contribution=Contribution.objects.get(), cost=1)
    found = years.read()
    assert found.whole.years[-1].voters == 45
    (place, nowhere) = found.districts
    assert (place.name, place.years[-1].voted) == (district.name, False)
    assert nowhere.years[-1].voters == 45


def test_everyone_on_the_roll_took_part_also_whose_paper_was_spoiled():
    """As many in all as in the districts together: a spoiled ballot is no ballot, but its voter was there."""
    round = Round.objects.create(
        process=make_budget(), state="counted", opened_at=clock.now(), ballot_bytes=0, ballot_count=7
    )
    districts = [make_district(), make_district()]
    Roll.objects.bulk_create(
        Roll(round=round, day=clock.today(), district=districts[number % 2]) for number in range(9)
    )
    found = years.read()
    assert found.whole.years[-1].voters == 9
    assert sorted(place.years[-1].voters for place in found.districts) == [4, 5]


def test_the_years_by_hand():
    crowd(80, seed=9)
    found = years.read()
    assert CostLine.objects.count() == 0
    assert sum(one.granted for one in found.whole.years) == by_hand()[1]["total_granted"]
    assert sum(one.done for one in found.whole.years) == Implementation.objects.filter(status="done").count()
    assert {place.name for place in found.districts} >= set(District.objects.values_list("name", flat=True))


def test_empty_pages_say_what_will_be_here(client):
    assert "Nothing has been granted yet." in client.get(reverse("money:overview")).content.decode()
    assert "There is no year to show yet." in client.get(reverse("money:years")).content.decode()
