"""An account that doesn't add up can't be signed, and says in words where; two different people sign it."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions, reconciliation
from budgets.models import Incident, PlaceAccount, PollingPlace, Roll
from tests.budgets.factories import again, close, make_round, make_staff, vote
from tests.budgets.places import (
    fill_in,
    make_officer,
    make_place,
    mark,
    officer_of,
    read,
    read_twice,
    resident,
    shut,
    sign_twice,
)
from tests.budgets.test_races import codes, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


def refused(action, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        action(*args, **kwargs)
    return caught.value


@pytest.fixture
def place():
    """Five marked, one who gave the paper back, voting closed, and four papers in the box of which one is blank."""
    round = make_round()
    place = make_place(round)
    for _ in range(5):
        mark(place, resident())
    undone = mark(place, resident())
    actions.undo_mark(place=place, attempt=undone, reason="changed_mind", by=officer_of(place))
    shut(round)
    read_twice(place, ["1", "2", "0", "3"])
    return place


RIGHT = {"received": 20, "left_over": 14, "replaced": 1, "not_in_box": 1}


def test_what_adds_up_is_signed_by_two_and_the_round_is_complete(place):
    fill_in(place, officer_of(place), **RIGHT)
    found = reconciliation.place_sums(place, place.round)
    assert not found.problems
    assert (found.valid, found.spoiled, found.marks, found.undone) == (3, {"blank": 1}, 5, 1)
    sign_twice(place)
    account = PlaceAccount.objects.get()
    assert (account.first_signed_by, account.second_signed_by) == (officer_of(place), place.process.owner)
    assert account.signed
    assert again(place.round).state == "sealed"
    assert Entry.objects.filter(action="budgets.sign_account").count() == 2
    assert Entry.objects.filter(action="budgets.complete_round").count() == 1


WRONG = {
    "not_in_box": ({"not_in_box": 0}, ["The roll and the box: 5 against 4, so 1 is missing."]),
    "two too many": ({"not_in_box": 3}, ["The roll and the box: 5 against 7, so 2 are too many."]),
    "received": ({"received": 25}, ["The ballot papers: 25 against 20, so 5 are missing."]),
    "left over": ({"left_over": 15}, ["The ballot papers: 20 against 21, so 1 is too many."]),
    "both": (
        {"not_in_box": 0, "replaced": 0},
        [
            "The roll and the box: 5 against 4, so 1 is missing.",
            "The ballot papers: 20 against 19, so 1 is missing.",
        ],
    ),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_does_not_add_up_is_not_signed_and_says_where(place, name):
    change, words = WRONG[name]
    fill_in(place, officer_of(place), **(RIGHT | change))
    no = refused(actions.sign_account, place=place, by=officer_of(place))
    assert no.code == "does_not_add_up"
    assert no.reason == " ".join(words)
    assert not PlaceAccount.objects.get().first_signed_by
    assert again(place.round).state == "paper"


def test_papers_without_a_mark_are_accounted_for_with_a_public_reason(place):
    officer = officer_of(place)
    bundle = actions.new_bundle(place=place, by=officer)
    read(bundle, officer, ["1", "1"])
    read(bundle, place.process.owner, ["1", "1"])
    numbers = {"received": 20, "left_over": 13, "replaced": 1, "unmarked": 1}
    no = refused(actions.save_account, place=place, by=officer, numbers=numbers)
    assert (no.code, no.field) == ("no_reason", "unmarked_reason")
    fill_in(place, officer, **numbers, unmarked_reason="Strømmen gik, og et kryds blev glemt.")
    assert not reconciliation.place_sums(place, place.round).problems
    with pytest.raises(IntegrityError), transaction.atomic():
        PlaceAccount.objects.update(unmarked_reason="")


def test_unfinished_bundles_are_named(place):
    fill_in(place, officer_of(place), **RIGHT)
    bundle = actions.new_bundle(place=place, by=officer_of(place))
    assert (
        "Bundle 2 waits for its first reading."
        in refused(actions.sign_account, place=place, by=officer_of(place)).reason
    )
    read(bundle, officer_of(place), ["1"])
    assert (
        "Bundle 2 waits for its second reading."
        in refused(actions.sign_account, place=place, by=officer_of(place)).reason
    )
    read(bundle, place.process.owner, ["2"])
    assert "third look" in refused(actions.sign_account, place=place, by=officer_of(place)).reason


def test_nobody_signs_twice_nor_without_being_part_of_it(place):
    officer = officer_of(place)
    fill_in(place, officer, **RIGHT)
    for user in (make_officer(), make_staff()):
        assert refused(actions.sign_account, place=place, by=user).code in {"other_place", "other_unit"}
    actions.sign_account(place=place, by=officer)
    assert refused(actions.sign_account, place=place, by=officer).code == "four_eyes"
    with pytest.raises(IntegrityError), transaction.atomic():
        PlaceAccount.objects.update(second_signed_by=officer, second_signed_at="2026-01-01T00:00Z")
    with pytest.raises(IntegrityError), transaction.atomic():
        PlaceAccount.objects.update(first_signed_by=None, first_signed_at=None, second_signed_by=officer)


def test_two_at_once_both_sign_and_the_round_is_completed_once(place):
    fill_in(place, officer_of(place), **RIGHT)
    users = [officer_of(place), place.process.owner]
    said = together([lambda user=user: actions.sign_account(place=place, by=user) and None for user in users])
    assert codes(said) == ["None", "None"]
    assert again(place.round).state == "sealed"


def test_two_places_signed_at_once_complete_the_round():
    round = make_round()
    places = [make_place(round), make_place(round)]
    for place in places:
        mark(place, resident())
    shut(round)
    for place in places:
        one, _other = read_twice(place, ["1"])
        fill_in(place, one, received=1)
        actions.sign_account(place=place, by=one)
    assert again(round).state == "paper"
    owner = round.process.owner
    said = together(
        [lambda place=place: actions.sign_account(place=place, by=owner) and None for place in places]
    )
    assert codes(said) == ["None", "None"]
    round = again(round)
    assert (round.state, round.ballots_per_channel) == ("sealed", {"polling_place": 2})


def test_what_is_signed_stands_until_it_is_opened_with_a_public_reason(place):
    officer, owner = officer_of(place), place.process.owner
    fill_in(place, officer, **RIGHT)
    assert refused(actions.reopen_account, place=place, by=owner, reason="Fejl").code == "not_signed"
    actions.sign_account(place=place, by=officer)
    for act in (
        lambda: actions.new_bundle(place=place, by=owner),
        lambda: fill_in(place, owner, **RIGHT),
    ):
        assert refused(act).code == "signed"
    assert refused(actions.reopen_account, place=place, by=owner, reason=" ").code == "empty"
    actions.reopen_account(place=place, by=owner, reason="Et bundt lå under bordet.")
    assert not PlaceAccount.objects.get().first_signed_by
    assert "Et bundt lå under bordet." in Incident.objects.get().text
    fill_in(place, owner, **RIGHT)
    sign_twice(place)
    no = refused(actions.reopen_account, place=place, by=owner, reason="For sent")
    assert no.code == "paper_done"


def test_what_everyone_reads_is_in_the_language_of_the_site(place, settings):
    settings.LANGUAGE_CODE = "da"
    fill_in(place, officer_of(place), **RIGHT)
    actions.sign_account(place=place, by=officer_of(place))
    with translation.override("en"):  # whoever does it
        actions.reopen_account(place=place, by=officer_of(place), reason="Et bundt lå under bordet.")
    assert Incident.objects.get().text.startswith("Opgørelsen var underskrevet og er åbnet igen.")


def test_a_place_where_nobody_came_is_signed_too():
    round = make_round()
    place = make_place(round)
    shut(round)
    assert refused(actions.sign_account, place=place, by=officer_of(place)).code == "no_account"
    fill_in(place, officer_of(place), received=50, left_over=50)
    sign_twice(place)
    assert again(round).state == "sealed"


def test_once_voting_is_over_its_places_are_the_ones_that_sign():
    """A place less would leave the round waiting for a last signature that never comes."""
    round = make_round()
    used, empty = make_place(round), make_place(round)
    mark(used, resident())
    shut(round)
    owner = round.process.owner
    fields = {name: getattr(empty, name) for name in ("name", "address", "opening_hours")}
    for act in (
        lambda: actions.remove_place(place=empty, by=owner),
        lambda: actions.save_place(
            process=round.process, by=owner, place=empty, round_kind="shortlist", **fields
        ),
        lambda: make_place(round),
    ):
        assert refused(act).code == "over"
    one, _other = read_twice(used, ["1"])
    fill_in(used, one, received=1)
    sign_twice(used)
    assert again(round).state == "paper"
    fill_in(empty, officer_of(empty), received=10, left_over=10)
    sign_twice(empty)
    assert again(round).state == "sealed"


def test_a_place_is_not_removed_while_the_round_is_being_sealed():
    round = make_round()
    place = make_place(round)
    close(round)
    owner = round.process.owner
    said = together(
        [
            lambda: actions.seal_round(round=again(round), by=None) and None,
            lambda: actions.remove_place(place=place, by=owner),
        ]
    )
    left = PollingPlace.objects.filter(pk=place.pk).exists()
    assert again(round).state == ("paper" if left else "sealed"), said


def test_the_channels_of_the_site_are_compared_too():
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=3)
    mark(place, resident())
    assert reconciliation.channel_sums(again(round)) == []
    round = shut(round)
    (web,) = reconciliation.channel_sums(round)
    assert (web.channel, web.on_roll, web.ballots, web.ok) == ("web", 3, 3, True)


def test_a_ballot_of_the_site_that_is_gone_keeps_the_places_from_being_signed(place):
    """The ways to vote on the site are compared once more by whoever signs, and named where they don't add up."""
    round = place.round
    one = resident().person
    Roll.objects.create(round=round, channel="web", person=one, day="2026-03-02", age_band="15-17", sex="K")
    fill_in(place, officer_of(place), **RIGHT)
    no = refused(actions.sign_account, place=place, by=officer_of(place))
    assert (no.code, no.reason) == (
        "does_not_add_up",
        "With MitID here on the site: 1 against 0, so 1 is missing.",
    )
    assert again(round).state == "paper"
