from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.permissions import Role
from mailouts.actions import addresses
from mailouts.models import DisabledAddress
from participation.actions import contributions, following
from participation.models import Process
from tests.factories import make_staff
from tests.participation.conftest import NOW

pytestmark = pytest.mark.usefixtures("noon", "fresh_pages")


def test_what_i_gave_and_what_came_of_it_first(process: Process, citizen: User, caseworker: User) -> None:
    given = contributions.give_contribution(process=process, by=citizen, title="Træer", body="Flere")
    contributions.answer_contributions(
        contributions=[given], by=caseworker, outcome="adopted", answer="Ja tak."
    )
    contributions.save_draft(process=process, by=citizen, data={"title": ["Halvt skrevet"]})
    following.follow(process=process, by=citizen)
    following.ask_again(by=citizen, topic=process.format)
    client = Client()
    client.force_login(citizen)
    page = client.get(reverse("accounts:my-page")).content.decode()
    places = [page.index(words) for words in ("Ja tak.", "Halvt skrevet", "spoerg-ikke", "beskeder/laest")]
    assert places == sorted(places)
    client.post(reverse("participation:notices-read"))
    assert not citizen.notices.filter(read_at=None).exists()
    client.post(reverse("participation:stop-asking"), {"topic": process.format})
    assert not citizen.ask_again.exists()
    for rhythm in ("daily", "none", "nonsense", "\x00"):
        client.post(reverse("participation:notices-rhythm"), {"rhythm": rhythm})
    assert citizen.notice_preference.rhythm == "none"


def test_nobody_sees_what_is_others(process: Process, citizen: User, person: Callable[..., User]) -> None:
    contributions.give_contribution(process=process, by=citizen, title="Træer", body="Flere")
    client = Client()
    client.force_login(person("Bo"))
    page = client.get(reverse("accounts:my-page")).content.decode()
    assert "Træer" not in page


@pytest.mark.parametrize("count", [2, 20])
def test_as_many_queries_for_many(
    process: Process, citizen: User, django_assert_max_num_queries: Any, count: int
) -> None:
    for number in range(count):
        contributions.give_contribution(process=process, by=citizen, title=f"Idé {number}", body="x", at=NOW)
    client = Client()
    client.force_login(citizen)
    with django_assert_max_num_queries(14):
        client.get(reverse("accounts:my-page"))


def test_follow_and_stop(process: Process, citizen: User) -> None:
    client = Client()
    url = reverse("participation:follow", args=[process.slug])
    assert client.get(url).status_code == 302  # sign in first, then back here
    client.force_login(citizen)
    for _twice in range(2):
        client.post(url)
    assert citizen.follows.count() == 1
    client.post(url, {"stop": "1"})
    assert citizen.follows.count() == 0


def test_a_question_is_shown_with_the_day_it_is_answered_by(
    process: Process, citizen: User, caseworker: User
) -> None:
    anyone = Client()
    asked = anyone.post(
        reverse("participation:question-ask", args=[process.slug]), {"text": "Hvem bestemmer?", "email": "x"}
    )
    assert asked.status_code == 422
    asked = anyone.post(
        reverse("participation:question-ask", args=[process.slug]), {"text": "Hvem bestemmer?"}
    )
    assert asked.status_code == 302
    listing = reverse("participation:question-list", args=[process.slug])
    question = process.questions.get()
    assert (question.due_on - NOW.date()).days == 7
    assert "Hvem bestemmer?" not in anyone.get(listing).content.decode()
    contributions.moderate_question(question=question, by=caseworker, publish=True)
    page = anyone.get(f"{listing}?2").content.decode()
    assert "Hvem bestemmer?" in page
    contributions.answer_question(question=question, by=caseworker, answer="Byrådet.")
    assert "Byrådet." in anyone.get(f"{listing}?3").content.decode()
    with pytest.raises(contributions.Refused):
        contributions.answer_question(question=question, by=citizen, answer="Mig.")


def test_a_councillor_reads_what_is_to_be_decided_and_a_polling_officer_what_is_open(
    process: Process, citizen: User
) -> None:
    seen = {}
    for who in (make_staff(Role.COUNCILLOR), make_staff(Role.POLLING_OFFICER), citizen):
        client = Client()
        client.force_login(who)
        seen[who.role] = client.get(reverse("accounts:my-page")).content.decode()
    council, polling = seen[Role.COUNCILLOR], seen[Role.POLLING_OFFICER]
    assert council.count(process.title) == 2  # to be decided, and open
    assert polling.count(process.title) == 1
    assert "council-decides" not in polling
    assert "polling-help" not in council
    assert process.title not in seen[Role.CITIZEN]


def test_the_hour_of_the_daily_e_mail(citizen: User) -> None:
    client = Client()
    client.force_login(citizen)
    page = client.get(reverse("accounts:my-page")).content.decode()
    assert '<option value="16" selected>' in page
    client.post(reverse("participation:notices-rhythm"), {"rhythm": "daily", "digest_hour": "7"})
    assert (citizen.notice_preference.rhythm, citizen.notice_preference.digest_hour) == ("daily", 7)
    assert '<option value="7" selected>' in client.get(reverse("accounts:my-page")).content.decode()
    for wrong in ("24", "-1", "x", "7.5", "\x00"):
        client.post(reverse("participation:notices-rhythm"), {"rhythm": "each", "digest_hour": wrong})
    citizen.notice_preference.refresh_from_db()
    assert (citizen.notice_preference.rhythm, citizen.notice_preference.digest_hour) == ("daily", 7)
    client.post(reverse("participation:notices-rhythm"), {"rhythm": "daily"})
    citizen.notice_preference.refresh_from_db()
    assert citizen.notice_preference.digest_hour == 7


def test_an_address_that_our_mails_came_back_from_is_said_and_can_be_confirmed_again(citizen: User) -> None:
    client = Client()
    client.force_login(citizen)
    words = "Din e-mailadresse virker ikke"
    again = reverse("participation:notices-confirm-again")
    assert words not in client.get(reverse("accounts:my-page")).content.decode()
    client.post(again)
    assert mail.outbox == [], "an address that works needs no new proof"
    assert citizen.emailaddress_set.get().verified
    addresses.disable(email="Maja@example.dk", reason="bounced 5.1.1")
    assert words in client.get(reverse("accounts:my-page")).content.decode()
    assert client.get(again).status_code == 405
    page = client.post(again, follow=True)
    assert not citizen.emailaddress_set.get().verified
    assert "maja@example.dk" in page.content.decode()
    assert mail.outbox[0].to == ["maja@example.dk"]
    link = next(line.strip() for line in mail.outbox[0].body.splitlines() if "http" in line)
    client.post(link[link.index("/", 10) :])
    assert citizen.emailaddress_set.get().verified
    assert not DisabledAddress.objects.exists()
    assert words not in client.get(reverse("accounts:my-page")).content.decode()
