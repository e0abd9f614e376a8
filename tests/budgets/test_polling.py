"""At the polling place: found by name and birth date, marked once, told why not, and never in doubt."""

import itertools
import threading
import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions, polling
from budgets import codes as codes_
from budgets.models import Ballot, CodeBatch, PollingPlace, Roll, UndoneMark, VotingCode
from participation import clock
from tests.accounts.factories import make_citizen, make_district, make_extract
from tests.budgets.factories import again, close, make_round, make_staff, make_voter, vote
from tests.budgets.places import make_officer, make_place, mark, officer_of, resident
from tests.budgets.test_races import codes, together
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


@pytest.fixture
def place():
    return make_place()


def refused(action, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        action(*args, **kwargs)
    return caught.value


# Looking up


def found(place, name, born=date(1980, 5, 17)):
    return [one.name for one in polling.look_up(place, name=name, birth_date=born)]


def test_people_are_found_by_birth_date_and_the_beginning_of_their_names(place):
    resident(name="Åse-Marie Sørensen")
    resident(name="Aase Søgård", birth_date=date(1980, 5, 18))
    resident(name="Per Hansen")
    for typed in ("åse", "Aase marie", "SØR åse", "marie", "Åse Marie Sørensen"):
        assert found(place, typed) == ["Åse-Marie Sørensen"], typed
    assert found(place, "åse hansen") == []
    assert found(place, "aase", date(1980, 5, 18)) == ["Aase Søgård"]
    assert found(place, "åse", date(1999, 1, 1)) == []


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Åse Holm", "A\u030ase"),  # å in two signs, as some keyboards send it
        ("Kathleen O'Brien", "obrien"),
        ("Kathleen OBrien", "o’brien"),
        ("Holm,Åse Marie", "marie holm"),  # as the register may spell it
        ("Désirée Müller", "desiree muller"),
        ("Æbba Ødegård", "ØDEGAARD æb"),
    ],
)
def test_names_are_found_however_they_are_spelled(place, name, typed):
    resident(name=name)
    assert found(place, typed) == [name]


def test_one_word_of_the_name_does_not_answer_for_two_typed(place):
    resident(name="Hans Olsen")
    assert found(place, "hans hansen") == []
    assert found(place, "hans ol") == ["Hans Olsen"]


def test_too_little_and_too_many_are_said(place):
    for _ in range(7):
        resident(name="Jens Jensen")
    assert refused(found, place, "j").code == "name_short"
    assert refused(found, place, "jens").code == "too_many"


def test_only_the_newest_extract_counts_and_a_protected_address_shows_no_district(place):
    district = make_district(name="Vestervang")
    resident(name="Lise Holm", school_district=district)
    resident(name="Lise Hemmelig", school_district=district, protected=True)
    shown = polling.look_up(place, name="lise", birth_date=date(1980, 5, 17))
    assert {one.name: one.district for one in shown} == {"Lise Holm": "Vestervang", "Lise Hemmelig": ""}
    assert not any(hasattr(one, private) for one in shown for private in ("cpr", "address"))
    make_extract(drawn_on=clock.today() + timedelta(days=1))
    assert found(place, "lise") == []


# The mark


def test_a_mark_is_one_line_of_the_roll_and_no_ballot(place):
    who = resident()
    attempt = mark(place, who)
    roll = Roll.objects.get()
    assert (roll.pk, roll.person_id, roll.channel, roll.place_id) == (
        attempt,
        who.person_id,
        "polling_place",
        place.pk,
    )
    assert (roll.age_band, roll.sex, roll.day) == ("45-54", "F", clock.today())
    assert not Ballot.objects.exists()
    entry = Entry.objects.get(action="budgets.mark_roll")
    assert (entry.object_id, entry.actor_id, entry.values) == (
        str(attempt),
        officer_of(place).pk,
        {"place": place.pk},
    )
    assert str(who.person_id) not in f"{entry.values}{entry.object_id}{entry.changed}"


def test_the_same_attempt_is_the_same_mark_however_often_it_is_sent(place):
    who, attempt = resident(), uuid.uuid4()
    said = [
        actions.mark_roll(
            place=place, round=place.round, person=who.person, attempt=attempt, by=officer_of(place)
        ).again
        for _ in range(3)
    ]
    assert said == [False, True, True]
    assert Roll.objects.count() == 1
    assert Entry.objects.filter(action="budgets.mark_roll").count() == 1


def test_asked_again_after_the_close_the_answer_is_still_yes(place):
    who, round = resident(), place.round
    attempt = mark(place, who)
    close(round)
    assert mark(place, who, attempt=attempt) == attempt
    assert refused(mark, place).code == "closed"


def test_another_attempt_says_that_the_person_is_marked_here(place):
    who = resident()
    mark(place, who)
    no = refused(mark, place, who)
    assert no.code == "already_voted"
    assert "here at this polling place" in no.reason


def test_an_attempt_belongs_to_one_person_and_one_place(place):
    attempt = mark(place)
    assert refused(mark, place, resident(), attempt=attempt).code == "attempt_taken"


def test_the_same_form_sixty_times_at_once_is_one_mark(place):
    who, attempt, round, officer = resident(), uuid.uuid4(), place.round, officer_of(place)

    def send():
        return actions.mark_roll(place=place, round=round, person=who.person, attempt=attempt, by=officer)

    said = together([send for _ in range(60)])
    assert sorted(one.again for one in said) == [False] + [True] * 59
    assert Roll.objects.count() == 1
    assert Entry.objects.filter(action="budgets.mark_roll").count() == 1


@pytest.mark.parametrize("first", ["web", "place"])
def test_by_mitid_and_at_the_place_in_each_order_it_is_one_vote(place, first):
    who = resident()
    user, round = make_citizen(person=who.person), place.round
    by_web = lambda: actions.cast_ballot(round=round, by=user, choices=[("1", 1)], tracker=None)  # noqa: E731
    if first == "web":
        by_web()
        no = refused(mark, place, who)
        assert "with MitID" in no.reason
    else:
        mark(place, who)
        no = refused(by_web)
    assert no.code == "already_voted"
    assert Roll.objects.count() == 1


def test_by_mitid_and_at_two_places_at_once_it_is_one_vote():
    for _ in range(6):
        round = make_round()
        places = [make_place(round), make_place(round)]
        who = resident()
        user = make_citizen(person=who.person)
        officers = [officer_of(one) for one in places]

        def at_place(number, who=who, round=round, places=places, officers=officers):
            return lambda: (
                actions.mark_roll(
                    place=places[number],
                    round=round,
                    person=who.person,
                    attempt=uuid.uuid4(),
                    by=officers[number],
                )
                and None
            )

        web = lambda round=round, user=user: actions.cast_ballot(  # noqa: E731
            round=round, by=user, choices=[("1", 1)], tracker=None
        )
        said = together([web, at_place(0), at_place(1)])
        assert codes(said) == ["None", "already_voted", "already_voted"]
        assert Roll.objects.filter(round=round).count() == 1
        by_web = Roll.objects.get(round=round).channel == "web"
        assert Ballot.objects.filter(round=round).count() == by_web


def test_the_officer_is_told_why_not(place):
    district = make_district(name="Østby")
    place.process.citizenbudget.vote_rule.refresh_from_db()
    young = resident(birth_date=clock.today() - timedelta(days=365 * 14))
    elsewhere = resident(municipality_code="0101")
    assert refused(mark, place, young).code == "too_young"
    assert refused(mark, place, elsewhere).code == "not_resident"
    local = make_place(place.round, district=district)
    no = refused(mark, local, resident())
    assert no.code == "other_place"
    assert "Østby" in no.reason
    assert place.name in no.reason
    mark(local, resident(school_district=district))


def test_ages_that_vote_in_class_are_refused():
    for min_age in (
        12,
        15,
    ):  # also where they are too young to vote in any other way: the officer says how they vote
        place = make_place(make_round(vote={"min_age": min_age}))
        round = place.round
        budget = round.process.citizenbudget
        budget.class_age_from, budget.class_age_to = 12, 14
        pupil = resident(birth_date=clock.today() - timedelta(days=13 * 366))
        assert refused(mark, place, pupil, round=round).code == "votes_in_class"


def test_before_and_after_voting_nobody_is_marked(place):
    round = place.round
    early = round.phase.interval.lower - timedelta(minutes=1)
    assert refused(mark, place, at=early).code == "not_open_yet"
    close(round)
    assert refused(mark, place, round=again(round)).code == "closed"
    actions.seal_round(round=again(round), by=None)
    assert refused(mark, place, round=again(round)).code == "closed"
    assert not Roll.objects.exists()


def test_only_officers_of_the_place_mark(place):
    others = [
        make_officer(),
        place.process.owner,
        make_staff(Role.MANAGER, unit=place.process.unit),
        make_staff(Role.ADMINISTRATOR),
        make_voter(),
    ]
    assert {refused(mark, place, by=user).code for user in others} == {"other_place", "role"}
    assert refused(mark, place, by=others[0]).code == "other_place"


def test_a_mark_waits_for_the_sealing_or_is_refused(place):
    round, officer = place.round, officer_of(place)
    people = [resident() for _ in range(12)]
    in_time, sealing = (
        round.phase.interval.upper - timedelta(seconds=1),
        round.phase.interval.upper + timedelta(minutes=6),
    )
    jobs = [
        lambda who=who: (
            actions.mark_roll(
                place=place, round=round, person=who.person, attempt=uuid.uuid4(), by=officer, at=in_time
            )
            and None
        )
        for who in people
    ]
    jobs.insert(6, lambda: actions.seal_round(round=round, by=None, at=sealing) and None)
    said = together(jobs)
    assert set(codes(said)) <= {"None", "closed"}
    assert Roll.objects.count() == codes(said).count("None") - 1
    assert again(round).state == "paper"


# Taking back


def test_a_mark_taken_back_lets_the_person_vote_and_its_form_never_marks_again(place):
    who = resident()
    user = make_citizen(person=who.person)
    attempt = mark(place, who)
    for _ in range(2):
        actions.undo_mark(place=place, attempt=attempt, reason="wrong_person", by=officer_of(place))
    assert not Roll.objects.exists()
    assert refused(mark, place, who, attempt=attempt).code == "undone"
    assert UndoneMark.objects.get().reason == "wrong_person"
    assert Entry.objects.filter(action="budgets.undo_mark").count() == 1
    actions.cast_ballot(round=place.round, by=user, choices=[("1", 1)], tracker=None)


def test_an_old_form_that_waits_for_the_taking_back_marks_nothing(place):
    """The form is sent again while the mark is being taken back: it waits, and then finds that it was. Red when the second
    look at the table of taken back marks is removed."""
    who, round, officer = resident(), place.round, officer_of(place)
    attempt = mark(place, who)
    said = []

    def send():
        try:
            # As a request that had looked for the mark before it was taken back.
            said.append(
                actions.polling._mark(
                    {
                        "round": round.pk,
                        "roll": attempt,
                        "person": who.person_id,
                        "channel": "polling_place",
                        "place": place.pk,
                        "pot": "",
                        "day": clock.today(),
                        "age_band": "",
                        "sex": "",
                        "district": None,
                    },
                    place,
                    officer,
                )
            )
        except Refused as refused:
            said.append(refused.code)
        finally:
            connection.close()

    with transaction.atomic():
        actions.undo_mark(place=place, attempt=attempt, reason="other", by=officer)
        sending = threading.Thread(target=send)
        sending.start()
        sending.join(1)
        assert not said
    sending.join(PATIENCE)
    assert said == ["undone"]
    assert not Roll.objects.exists()


def test_a_mark_is_not_taken_back_elsewhere_nor_after_the_close(place):
    attempt = mark(place)
    other = make_place(place.round)
    take = {"attempt": attempt, "reason": "other"}
    assert refused(actions.undo_mark, place=other, by=officer_of(other), **take).code == "no_mark"
    assert refused(actions.undo_mark, place=place, by=officer_of(other), **take).code == "other_place"
    assert (
        refused(actions.undo_mark, place=place, by=officer_of(place), attempt=attempt, reason="").code
        == "reason"
    )
    close(place.round)
    actions.seal_round(round=place.round, by=None)
    assert refused(actions.undo_mark, place=place, by=officer_of(place), **take).code == "closed"
    assert Roll.objects.count() == 1


def test_a_voter_by_mitid_cannot_be_taken_off_the_roll(place):
    vote(place.round, "1")
    attempt = Roll.objects.get().pk
    no = refused(actions.undo_mark, place=place, attempt=attempt, reason="other", by=officer_of(place))
    assert no.code == "no_mark"


# What the database itself holds


def test_the_roll_has_a_place_exactly_when_one_voted_there(place):
    line = {"round": place.round, "day": clock.today()}
    for wrong in ({"channel": "polling_place"}, {"channel": "web", "place": place}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Roll.objects.create(**line, **wrong)


# Setting up


def test_caseworkers_of_the_unit_set_places_up(place):
    process = place.process
    fields = {"name": "Skolen", "address": "Skolevej 2", "opening_hours": "Hele dagen"}
    for user in (make_staff(unit=None), officer_of(place), make_voter()):
        assert refused(actions.save_place, process=process, by=user, **fields).code in {"role", "other_unit"}
    no = refused(actions.save_place, process=process, by=process.owner, officers=[process.owner], **fields)
    assert no.field == "officers"
    made = actions.save_place(process=process, by=process.owner, **fields)
    no = refused(actions.save_place, process=process, by=process.owner, **fields)
    assert (no.code, no.field) == ("name_taken", "name")
    actions.remove_place(place=made, by=process.owner)
    assert PollingPlace.objects.get() == place


def test_a_place_where_people_have_voted_stays(place):
    mark(place)
    owner = place.process.owner
    assert refused(actions.remove_place, place=place, by=owner).code == "in_use"
    fields = {"name": place.name, "address": place.address, "opening_hours": "Længere", "access": ""}
    district = make_district()
    no = refused(
        actions.save_place, process=place.process, by=owner, place=place, district=district, **fields
    )
    assert no.code == "in_use"
    actions.save_place(process=place.process, by=owner, place=place, officers=[officer_of(place)], **fields)
    place.refresh_from_db()
    assert place.opening_hours == "Længere"


# By MitID, by a personal code and at the place


def code_for(who, round):
    """A letter with a code has come to this person."""
    batch = CodeBatch.objects.create(
        process=round.process,
        phase=round.phase,
        kind="personal",
        name="Breve",
        amount=1,
        state="ready",
        made_at=clock.now(),
    )
    code = codes_.new_code()
    VotingCode.objects.create(batch=batch, phase=round.phase, hmac=codes_.stored_as(code), person=who.person)
    return code


def ways(place):
    """One person with an account, a code and legs: {way: what casts or marks}."""
    who, round, officer = resident(), place.round, officer_of(place)
    user, code = make_citizen(person=who.person), code_for(who, round)
    return who, {
        "web": lambda: actions.cast_ballot(round=round, by=user, choices=[("1", 1)], tracker=None),
        "code": lambda: actions.cast_with_code(
            round=round, code=codes_.find(code, round.process), choices=[("2", 1)], tracker=None
        ),
        "place": lambda: (
            actions.mark_roll(place=place, round=round, person=who.person, attempt=uuid.uuid4(), by=officer)
            and None
        ),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(["web", "code", "place"])), ids="-".join)
def test_in_every_order_of_the_three_ways_only_the_first_counts(place, order):
    who, vote_by = ways(place)
    vote_by[order[0]]()
    for way in order[1:]:
        assert refused(vote_by[way]).code in {"already_voted", "used"}
    assert Roll.objects.count() == 1
    assert Ballot.objects.count() == (order[0] != "place")
    said = polling.can_vote_here(who.person, place, place.round, at=clock.now())
    words = {"web": "with MitID", "code": "with a voting code", "place": "here at this polling place"}
    assert words[order[0]] in said.reason


def test_by_all_three_ways_at_once_it_is_one_vote():
    for _ in range(6):
        place = make_place()
        _who, vote_by = ways(place)
        told = codes(together(list(vote_by.values())))
        assert told.count("None") == 1
        assert set(told) <= {"None", "already_voted", "used"}
        roll = Roll.objects.get(round=place.round)
        assert Ballot.objects.filter(round=place.round).count() == (roll.channel != "polling_place")
