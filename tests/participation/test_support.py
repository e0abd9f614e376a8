from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import EligibilityRule, User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, notices
from participation.actions import arguments as actions
from participation.actions import contributions as giving
from participation.formats import Act
from participation.models import Contribution, Notice, Process, Support
from participation.permissions import arguments as may
from tests.accounts.factories import make_district, make_extract, make_resident, make_staff
from tests.participation.conftest import NOW
from tests.participation.debate import an_organisation, counters, drifted, idea, somebody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "fresh_pages")]


@pytest.fixture
def contribution(process: Process) -> Contribution:
    return idea(process)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(contribution: Contribution) -> str:
    return reverse("participation:support", args=[contribution.process.slug, contribution.public_id])


def refused(code: str, contribution: Contribution, by: User, **kwargs: object) -> None:
    with pytest.raises(Refused) as found, transaction.atomic():
        actions.give_support(contribution=contribution, by=by, **kwargs)
    assert found.value.code == code


def test_support_is_one_per_person_and_can_be_taken_back(contribution: Contribution) -> None:
    by = somebody()
    assert actions.give_support(contribution=contribution, by=by)
    assert not actions.give_support(contribution=contribution, by=by)
    assert counters(contribution)["support"] == 1
    assert Entry.objects.filter(action="support.give").count() == 1
    assert actions.take_support_back(contribution=contribution, by=by)
    assert not actions.take_support_back(contribution=contribution, by=by)
    assert counters(contribution)["support"] == 0
    assert Entry.objects.get(action="support.take_back").values == {}
    row = {"contribution": contribution, "person": by.person, "day": NOW.date()}
    Support.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Support.objects.create(**row)


def test_who_they_are_is_frozen_that_day(contribution: Contribution) -> None:
    district = make_district()
    make_extract(valid_until=date(2027, 1, 1), drawn_on=date(2026, 1, 1))
    resident = make_resident(birth_date=date(1990, 3, 3), sex="F", school_district=district)
    by = User.objects.create_user(first_name="Eva", person=resident.person)
    actions.give_support(contribution=contribution, by=by)
    support = Support.objects.get()
    assert (support.age_band, support.sex, support.home_district) == ("35-44", "F", district)
    assert support.day == clock.today()


def test_who_may_support(contribution: Contribution, caseworker: User, adults_only: EligibilityRule) -> None:
    refused("staff", contribution, caseworker)
    refused("organisation", contribution, an_organisation())
    refused("age_unknown", contribution, somebody())
    adults_only.min_age = 0
    adults_only.save()
    refused("no_person", contribution, User.objects.create_user())
    refused("own", contribution, contribution.author)
    refused(
        "not_public", Contribution.objects.create(**_like(contribution, moderation="pending")), somebody()
    )
    assert not Support.objects.exists()


def _like(contribution: Contribution, **fields: object) -> dict[str, object]:
    return {
        "process": contribution.process,
        "title": "a",
        "body": "b",
        "received_on": NOW.date(),
        "created_at": NOW,
        **fields,
    }


def test_the_phase_decides_to_the_microsecond(contribution: Contribution) -> None:
    ends = contribution.process.phases.get(kind="ideas").interval.upper
    by = somebody()
    assert actions.give_support(contribution=contribution, by=by, at=ends - timedelta(microseconds=1))
    refused("closed", contribution, somebody(), at=ends)
    with pytest.raises(Refused):
        actions.take_support_back(contribution=contribution, by=by, at=ends)
    assert may.can_open(contribution, Act.SUPPORT, at=ends).reason


def test_what_one_has_given_one_may_take_back_also_when_one_could_not_give_it_now(
    contribution: Contribution, adults_only: EligibilityRule
) -> None:
    adults_only.min_age = 0
    adults_only.save()
    by = somebody()
    actions.give_support(contribution=contribution, by=by)
    adults_only.min_age = 15  # as when someone moves away: they no longer may
    adults_only.save()
    refused("age_unknown", contribution, by)
    page = client_of(by).get(address(contribution))
    assert 'name="stop"' in page.content.decode()
    assert client_of(by).post(address(contribution), {"stop": "1"}).status_code == 302
    assert counters(contribution)["support"] == 0


def test_one_support_costs_no_more_than_eight_questions(contribution: Contribution) -> None:
    by = somebody()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        actions.give_support(contribution=contribution, by=by)
    work = [one["sql"] for one in asked if "SAVEPOINT" not in one["sql"]]
    assert len(work) <= 8, work


def test_supporters_hear_what_becomes_of_it(contribution: Contribution, caseworker: User) -> None:
    one, gone = somebody(), somebody()
    for by in (one, gone):
        actions.give_support(contribution=contribution, by=by)
    actions.take_support_back(contribution=contribution, by=gone)
    assert list(notices.supporters(contribution)) == [one]
    giving.answer_contributions(
        contributions=[contribution], by=caseworker, outcome="adopted", answer="Bænkene kommer i maj."
    )
    told = Notice.objects.get(user=one)
    assert "Bænkene kommer i maj." in told.text
    assert told.kind == "news"  # an answer is only what tells an author
    assert not Notice.objects.filter(user=gone).exists()
    theme = giving.create_theme(process=contribution.process, by=caseworker, title="Bænke")
    giving.put_in_theme(contributions=[contribution], by=caseworker, theme=theme)
    giving.answer_theme(theme=theme, by=caseworker, outcome="noted", answer="Alle bænke samles.")
    assert Notice.objects.filter(user=one, text__contains="Alle bænke samles.").count() == 1


# Pages


def test_from_the_page_through_mitid_to_support_and_back(contribution: Contribution) -> None:
    page = contribution.get_absolute_url()
    anonymous = Client().get(page).content.decode()
    assert f'href="{address(contribution)}"' in anonymous
    assert "csrfmiddlewaretoken" not in anonymous
    way_in = Client().get(address(contribution)).content.decode()
    assert "next=" + address(contribution).replace("/", "%2F") in way_in
    assert Client().post(address(contribution)).status_code == 409
    client = client_of(somebody())
    there = client.get(address(contribution)).content.decode()  # MitID came back here
    assert "csrfmiddlewaretoken" in there
    done = client.post(address(contribution), follow=True)
    assert done.redirect_chain == [(page, 302)]
    html = done.content.decode()
    assert "1 støtter det" in html
    assert "Du støtter det" in html
    back = client.post(address(contribution), {"stop": "1"}, follow=True).content.decode()
    assert "Ingen støtter det endnu." in back
    assert drifted() == []


@pytest.mark.parametrize("who", ["staff", "own", "organisation"])
def test_a_button_that_is_off_says_why(
    contribution: Contribution, who: str, adults_only: EligibilityRule
) -> None:
    adults_only.min_age = 0
    adults_only.save()
    employee = make_staff(Role.CASEWORKER)
    user = {"staff": employee, "own": contribution.author, "organisation": an_organisation()}[who]
    client = client_of(user)
    html = client.get(contribution.get_absolute_url()).content.decode()
    assert "Støt idéen" not in html
    reason = may.can_support(user, contribution).reason
    assert reason in html
    late = client.post(address(contribution))
    assert late.status_code == 409
    assert reason in late.content.decode()


def test_closed_says_when_it_closed(contribution: Contribution) -> None:
    with clock.frozen(NOW + timedelta(days=11)):
        for client in (Client(), client_of(somebody())):
            html = client.get(contribution.get_absolute_url()).content.decode()
            assert "Idéer lukkede" in html
            assert "Støt idéen" not in html


def test_a_format_without_support_or_arguments_shows_nothing_of_them(
    contribution: Contribution, idea_box: Callable[..., object]
) -> None:
    from participation.formats import PhaseKind

    idea_box(
        phase_kinds=(PhaseKind("ideas", "Idéer", frozenset({Act.CONTRIBUTE})), PhaseKind("work", "Arbejde"))
    )
    html = Client().get(contribution.get_absolute_url()).content.decode()
    assert "support-box" not in html
    assert "Argumenter" not in html


def test_the_list_is_sorted_by_support(process: Process) -> None:
    ideas = [idea(process, title=f"Idé {number}") for number in range(3)]
    for by in (somebody(), somebody()):
        actions.give_support(contribution=ideas[1], by=by)
    actions.give_support(contribution=ideas[2], by=somebody())
    page = Client().get(
        reverse("participation:contribution-list", args=[process.slug]), {"sorter": "stoette"}
    )
    assert [one.title for one in page.context["page"]] == ["Idé 1", "Idé 2", "Idé 0"]
    assert "2 støtter det" in page.content.decode()


def test_my_page_says_what_i_support(contribution: Contribution) -> None:
    by = somebody()
    actions.give_support(contribution=contribution, by=by)
    html = client_of(by).get(reverse("accounts:my-page")).content.decode()
    assert "Jeg støtter" in html
    assert contribution.get_absolute_url() in html


def test_my_page_keeps_what_was_taken_down_to_itself(contribution: Contribution, caseworker: User) -> None:
    by, whose = somebody(), somebody()
    actions.give_support(contribution=contribution, by=by)
    argument = actions.write_argument(contribution=contribution, by=whose, side="for", text="Ja tak.")
    actions.reply(parent=argument, by=by, text="Mit svar til det.")
    mine = reverse("accounts:my-page")
    page = client_of(by).get(mine).content.decode()
    assert argument.get_absolute_url() in page
    actions.moderate_argument(argument=argument, by=caseworker, publish=False, reason="Nej.")
    page = client_of(by).get(mine).content.decode()
    assert argument.get_absolute_url() not in page  # it would lead nowhere
    way_out = next(one for one in re.findall(r'href="([^"]+)"', page) if one.endswith("/traek-tilbage/"))
    assert client_of(by).get(way_out).status_code == 200
    giving.moderate(
        contribution=contribution, by=caseworker, publish=False, reason="Der står et navn i titlen."
    )
    page = client_of(by).get(mine).content.decode()
    assert contribution.title not in page
    assert contribution.get_absolute_url() not in page
    assert "Mit svar til det." in page
