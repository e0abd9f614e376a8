"""The officer's pages: who gets in, what they say, and that a form sent again tells of the same mark."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from budgets import actions, codes
from budgets.models import Incident, Reading, Roll
from participation import clock
from participation.actions import process as processes
from participation.models import Notice
from tests.accounts.factories import make_citizen, make_district, make_staff
from tests.budgets.factories import again, close, make_round, vote
from tests.budgets.places import (
    fill_in,
    make_officer,
    make_place,
    mark,
    officer_of,
    read_twice,
    resident,
    shut,
    sign_twice,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


@pytest.fixture
def place():
    return make_place(officers=[make_staff("polling_officer")])


@pytest.fixture
def officer(client, place):
    client.force_login(officer_of(place))
    return client


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    return " ".join(response.content.decode().split())


def field(response, name):
    return re.search(rf'name="{name}" value="([^"]+)"', response.content.decode())[1]


def find(client, place, who, name=""):
    born = who.birth_date
    return client.post(
        reverse("polling:place", args=[place.pk]),
        {
            "by": "name",
            "name": name or who.name,
            "birth_date_day": born.day,
            "birth_date_month": born.month,
            "birth_date_year": born.year,
        },
    )


def choose(client, place, who):
    person = field(find(client, place, who), "person")
    return client.post(reverse("polling:voter", args=[place.pk]), {"person": person})


def send(client, place, form, **more):
    data = {name: field(form, name) for name in ("person", "attempt")} | more
    return client.post(reverse("polling:mark", args=[place.pk]), data)


def test_from_the_name_to_the_mark(officer, place):
    who = resident(name="Åse Holm")
    form = choose(officer, place, who)
    assert "May vote here" in text_of(form)
    answer = send(officer, place, form)
    assert answer.status_code == 200
    assert "The roll is marked." in text_of(answer)
    assert "Hand out the ballot paper now." in text_of(answer)
    assert "no-store" in answer["Cache-Control"]
    assert Roll.objects.get().person_id == who.person_id


def test_the_same_form_sent_again_is_marked_in_this_attempt_and_never_voted_already(officer, place):
    form = choose(officer, place, resident())
    send(officer, place, form)
    for _ in range(3):
        said = text_of(send(officer, place, form))
        assert "marked in this very attempt" in said
        assert "already" not in said.lower()
    assert Roll.objects.count() == 1


def test_the_page_is_small(officer, place):
    """A poor line: every page of the table is a few kilobytes beside what the browser keeps."""
    who = resident()
    form = choose(officer, place, who)
    sizes = [
        len(page.content)
        for page in (
            officer.get(reverse("polling:place", args=[place.pk])),
            find(officer, place, who),
            form,
            send(officer, place, form),
        )
    ]
    assert max(sizes) < 16_000, sizes


def test_why_not_is_said_at_once(officer, place):
    who = resident()
    user = make_citizen(person=who.person)
    actions.cast_ballot(round=place.round, by=user, choices=[("1", 1)], tracker=None)
    page = choose(officer, place, who)
    assert "Can't vote here now" in text_of(page)
    assert "with MitID" in text_of(page)
    assert 'name="attempt"' not in page.content.decode()
    young = resident(name="Ida", birth_date=clock.today() - timedelta(days=3650))
    assert "You must be 15" in text_of(choose(officer, place, young))


def test_two_who_look_the_same_are_told_apart_by_a_code_and_never_by_a_guess(officer, place):
    here, there = make_district(name="Østby"), make_district(name="Vestby")
    one = resident(name="Jens Hansen", school_district=here)
    resident(name="Jens Hansen", school_district=there)
    assert "can't be told apart" not in text_of(find(officer, place, one))
    resident(name="Jens Hansen", school_district=here)
    said = text_of(find(officer, place, one))
    assert "can't be told apart" in said
    assert "by the code in their letter" in said


def test_by_a_personal_code_the_person_is_found_and_a_class_code_is_sent_to_the_site(officer, place):
    from budgets.models import CodeBatch, VotingCode

    who, phase = resident(name="Bo Kode"), place.round.phase
    letters = CodeBatch.objects.create(
        process=place.process,
        phase=phase,
        kind="personal",
        name="Breve",
        amount=1,
        state="ready",
        made_at=clock.now(),
    )
    cards = CodeBatch.objects.create(
        process=place.process,
        phase=phase,
        kind="class",
        name="7. A",
        amount=1,
        state="ready",
        made_at=clock.now(),
    )
    own, class_code = codes.new_code(), codes.new_code()
    VotingCode.objects.create(batch=letters, phase=phase, hmac=codes.stored_as(own), person=who.person)
    VotingCode.objects.create(batch=cards, phase=phase, hmac=codes.stored_as(class_code))
    url = reverse("polling:place", args=[place.pk])
    ask = lambda typed: officer.post(url, {"by": "code", "code": typed})  # noqa: E731
    for typed in (codes.shown(own), own.lower(), f"https://deltag.example/x/#{codes.shown(own)}"):
        assert "Bo Kode" in text_of(ask(typed))
    assert "handed out in class" in text_of(ask(class_code))
    assert "no such voting code" in text_of(ask(codes.new_code()))
    assert "not a voting code" in text_of(ask("hej"))
    form = officer.post(reverse("polling:voter", args=[place.pk]), {"person": field(ask(own), "person")})
    assert "The roll is marked." in text_of(send(officer, place, form))
    with pytest.raises(codes.Refused) as refused:
        actions.cast_with_code(
            round=place.round,
            code=codes.find(own, place.process),
            choices=[("1", 1)],
            tracker=None,
        )
    assert refused.value.code in {"used", "already_voted"}
    assert Roll.objects.count() == 1


def test_a_mark_is_taken_back_and_the_old_form_marks_nothing(officer, place):
    who = resident()
    form = choose(officer, place, who)
    answer = send(officer, place, form)
    undo = reverse("polling:undo", args=[place.pk])
    assert officer.post(undo, {"attempt": field(answer, "attempt")}).status_code == 409
    gone = officer.post(undo, {"attempt": field(answer, "attempt"), "reason": "changed_mind"})
    assert "taken back" in str(next(iter(get_messages(gone.wsgi_request))))
    assert not Roll.objects.exists()
    again_ = send(officer, place, form)
    assert again_.status_code == 409
    assert "don't hand out" in text_of(again_)
    assert "May vote here" in text_of(choose(officer, place, who))


def test_a_person_is_only_taken_from_a_page_of_this_officer_at_this_place(officer, place, client):
    who = resident()
    form = choose(officer, place, who)
    other = make_place(place.round, officers=[make_staff("polling_officer")])
    stolen = {name: field(form, name) for name in ("person", "attempt")}
    client.force_login(officer_of(other))
    answer = client.post(reverse("polling:mark", args=[other.pk]), stolen)
    assert answer.status_code == 409
    assert "no longer valid" in text_of(answer)
    for person in ("", "x", str(who.person_id), f"{who.person_id}:x"):
        answer = client.post(reverse("polling:mark", args=[other.pk]), stolen | {"person": person})
        assert answer.status_code == 409
    assert not Roll.objects.exists()


def test_nobody_else_gets_in(client, place):
    pages = ["place", "voter", "mark", "undo", "incident", "bundles", "account"]
    caseworker = place.process.owner
    strangers = [make_officer(), make_staff("caseworker"), make_staff("councillor"), make_citizen()]
    for user in (*strangers, caseworker):
        client.force_login(user)
        for page in pages:
            if user == caseworker and page in {"incident", "bundles", "account"}:
                continue
            url = reverse(f"polling:{page}", args=[place.pk])
            assert client.get(url).status_code in ({302, 404, 405} if page == "undo" else {302, 404}), (
                user,
                page,
            )
            assert client.post(url, {}).status_code in {302, 404}, (user, page)
    assert not Roll.objects.exists()


def test_the_name_is_in_no_address_no_session_and_no_audit(officer, place):
    who = resident(name="Kanariefugl Hansen")
    form = choose(officer, place, who)
    send(officer, place, form)
    assert "Kanariefugl" in form.content.decode()  # the search finds what is there
    told = [f"{entry.values}{entry.object_id}{entry.changed}" for entry in Entry.objects.all()]
    assert Entry.objects.filter(action="budgets.look_up").exists()
    assert not any("Kanariefugl" in line or str(who.person_id) in line for line in told)
    assert "Kanariefugl" not in str(dict(officer.session))


def test_looking_up_costs_the_same_however_many_were_born_that_day(
    officer, place, django_assert_max_num_queries
):
    who = resident()
    with django_assert_max_num_queries(30) as captured:
        find(officer, place, who)
    few = len(captured)
    for number in range(40):
        resident(name=f"Anden {number}")
    with django_assert_max_num_queries(few):
        find(officer, place, who)


# Incidents and more time


def test_an_incident_is_told_to_everyone_at_once_and_corrected_beside(officer, place, client):
    now = clock.now()
    officer.post(
        reverse("polling:incident", args=[place.pk]),
        {
            "happened_at_day": now.day,
            "happened_at_month": now.month,
            "happened_at_year": now.year,
            "happened_at_time": "0.01",
            "text": "Strømmen gik.",
        },
    )
    incident = Incident.objects.get()
    actions.record_incident(
        process=place.process,
        by=place.process.owner,
        text="Kun lyset gik.",
        happened_at=incident.happened_at,
        corrects=incident,
    )
    client.logout()
    for url in (reverse("budgets:voting-day", args=[place.process.slug]), place.process.get_absolute_url()):
        said = text_of(client.get(url))
        assert "Strømmen gik." in said
        assert "Kun lyset gik." in said


def test_an_incident_cannot_be_edited_or_removed_in_the_database_either(place):
    from django.db import IntegrityError, transaction

    incident = actions.record_incident(
        process=place.process, by=place.process.owner, text="Sådan.", happened_at=clock.now()
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(text="Anderledes.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).delete()
    assert Incident.objects.get().text == "Sådan."


def test_more_time_while_voting_is_open_is_public_and_reaches_the_places(client):
    from tests.factories import make_process

    process = make_process(status="open", phase="vote")
    officer = make_officer()
    actions.save_place(
        process=process,
        by=process.owner,
        officers=[officer],
        name="Skolen",
        address="Skolevej 1",
        opening_hours="10-16",
    )
    until = process.closes_at + timedelta(days=1)
    processes.extend(process=process, by=process.owner, closes_at=until, reason="Strømmen gik i en time.")
    assert Notice.objects.filter(user=officer, kind="change", text__contains="Strømmen gik").count() == 1
    assert "Strømmen gik i en time." in text_of(client.get(process.get_absolute_url()))


def test_after_more_time_the_same_round_takes_marks(place):
    from django.db import transaction
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from participation.frozen import amending
    from participation.models import Phase, Process

    round = place.round
    late = round.phase.interval.upper + timedelta(hours=1)
    with transaction.atomic(), amending(round.process):
        Phase.objects.filter(pk=round.phase_id).update(
            interval=DateTimeTZRange(round.phase.interval.lower, late + timedelta(hours=1), "[)")
        )
        Process.objects.filter(pk=round.process_id).update(closes_at=late + timedelta(hours=1))
    mark(place, at=late)
    assert Roll.objects.count() == 1


# Reading


def test_a_number_typed_again_a_reading_given_up_and_a_bundle_removed(officer, place):
    shut(place.round)
    bundles = reverse("polling:bundles", args=[place.pk])
    officer.post(bundles)
    url = reverse("polling:bundle", args=[place.pk, 1])
    officer.post(url, {"step": "begin"})
    officer.post(url, {"position": "1", "typed": "1"})
    said = text_of(officer.post(url, {"position": "1", "typed": "2"}, follow=True))
    assert "Paper 1 was entered before. What you typed now counts instead." in said
    desk = signed_in(make_staff(units=[place.process.unit]))
    assert "gone home?" not in text_of(officer.get(bundles))
    assert f"Has {officer_of(place)} gone home?" in text_of(desk.get(bundles))
    said = text_of(desk.post(url, {"step": "give_up", "role": "first"}, follow=True))
    assert "nobody yet" in said
    assert not Reading.objects.exists()
    desk.post(url, {"step": "begin"})
    assert "Only its reader or a caseworker" in text_of(
        officer.post(url, {"step": "give_up", "role": "first"}, follow=True)
    )
    desk.post(url, {"step": "give_up"})
    said = text_of(officer.post(url, {"step": "remove_bundle"}, follow=True))
    assert "Bundle 1 is removed." in said
    assert not place.bundles.exists()


# The sums, for everyone


def test_when_the_round_is_complete_everyone_can_see_that_the_numbers_add_up(client):
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=4)
    for _ in range(3):
        mark(place, resident())
    url = reverse("budgets:voting-day", args=[round.process.slug])
    shut(round)
    said = text_of(client.get(url))
    assert "The roll and the box" not in said
    assert "Here one could vote on paper." in said
    assert "Here you can vote" not in said
    one, _other = read_twice(place, ["1", "2", "0"])
    fill_in(place, one, received=10, left_over=7)
    sign_twice(place)
    said = text_of(client.get(url))
    assert "The roll and the box" in said
    assert "1 blank" in said
    assert "adds up" in said
    assert "doesn't add up" not in said


def test_the_result_waits_for_the_papers(client):
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=4)
    mark(place, resident())
    shut(round)
    result = reverse("budgets:result", args=[round.process.slug])
    assert "There is no result yet" in text_of(client.get(result))
    assert client.get(reverse("budgets:votes-file", args=[round.process.slug])).status_code == 404
    one, _other = read_twice(place, ["1"])
    fill_in(place, one, received=1)
    sign_twice(place)
    actions.count_round(round=again(round), by=place.process.owner)
    assert client.get(reverse("budgets:votes-file", args=[round.process.slug])).status_code == 200
    close(round)
