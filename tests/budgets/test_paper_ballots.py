"""Two people read each paper without seeing the other's reading; a third looks at what they saw differently."""

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions, ballot_print, ballots, paper, polling, reconciliation
from budgets.models import Bundle, CountedBallot, Incident, PaperEntry, PaperOrder, Reading, Roll
from participation import clock
from tests.budgets import staged
from tests.budgets.factories import again, make_round, make_staff, make_voter, seal, vote
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

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


def refused(action, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        action(*args, **kwargs)
    return caught.value


def place_after_the_close(marks=0, officers=None, **detail):
    round = make_round(**detail)
    place = make_place(round, officers=officers)
    for _ in range(marks):
        mark(place, resident())
    shut(round)
    return place


# What is typed

RULES = {
    "approval": {"max_choices": 3},
    "choose_one": {"ballot_type": "choose_one", "max_choices": None},
    "cumulative": {"ballot_type": "cumulative", "points": 5},
    "knapsack": {"ballot_type": "knapsack", "max_choices": None},
}
TYPED = [
    ("approval", "1", [("1", 1)], ""),
    ("approval", "  3, 1;02 ", [("1", 1), ("2", 1), ("3", 1)], ""),
    ("approval", "1 2 3 4", [], "too_many"),
    ("approval", "0", [], "blank"),
    ("approval", "b", [], "blank"),
    ("approval", "U", [], "unclear"),
    ("approval", "n", [], "signed"),
    ("choose_one", "2", [("2", 1)], ""),
    ("choose_one", "2 3", [], "too_many"),
    ("cumulative", "3:2 1:3", [("1", 3), ("3", 2)], ""),
    ("cumulative", "3:5 1:1", [], "points"),
    ("knapsack", "4 1 2 3", [("1", 1), ("2", 1), ("3", 1), ("4", 1)], ""),
]
MISTYPED = [
    ("approval", "", "empty"),
    ("approval", "9", "unknown"),
    ("approval", "1 1", "twice"),
    ("approval", "1:2", "points_not_used"),
    ("approval", "drop table", "unknown"),
    ("approval", "1" * 400, "too_long"),
    ("cumulative", "3", "points"),
    ("cumulative", "3:x", "points"),
    ("cumulative", "3:²", "points"),
]


@pytest.mark.parametrize(("rules", "typed", "choices", "spoiled"), TYPED)
def test_what_is_typed_is_read_by_the_rules_of_the_ballot(rules, typed, choices, spoiled):
    found = paper.read_typed(typed, ballots.round_paper(make_round(**RULES[rules])))
    assert (list(found.choices), found.spoiled) == (choices, spoiled)


@pytest.mark.parametrize(("rules", "typed", "code"), MISTYPED)
def test_a_slip_of_the_keyboard_is_not_a_spoiled_ballot(rules, typed, code):
    no = refused(paper.read_typed, typed, ballots.round_paper(make_round(**RULES[rules])))
    assert (no.code, no.field) == (code, "typed")


# Who reads


def test_nobody_opens_the_box_before_voting_has_closed():
    place = make_place()
    no = refused(actions.new_bundle, place=place, by=officer_of(place))
    assert no.code == "still_voting"


def test_two_read_a_third_looks_and_nobody_twice():
    place = place_after_the_close(officers=[make_officer(), make_officer()])
    one, two = place.officers.order_by("pk")
    owner = place.process.owner
    bundle = actions.new_bundle(place=place, by=one)
    first = read(bundle, one, ["1", "2"], finish=False)
    assert actions.begin_reading(bundle=bundle, by=one) == first
    second = read(bundle, two, ["1", "3"])
    assert refused(actions.begin_reading, bundle=bundle, by=owner).code == "not_yet"
    actions.finish_reading(reading=first, by=one)
    third = actions.begin_reading(bundle=bundle, by=owner)
    assert [one.role for one in (first, second, third)] == ["first", "second", "third"]
    for reading, user in ((first, two), (second, one), (third, one)):
        no = refused(actions.enter_paper, reading=reading, by=user, position=2, typed="1")
        assert no.code == "not_yours"
    for reading, user in ((first, one), (second, two)):
        no = refused(actions.enter_paper, reading=reading, by=user, position=2, typed="1")
        assert no.code == "finished"
    assert refused(actions.enter_paper, reading=third, by=owner, position=1, typed="2").code == "agreed"
    actions.enter_paper(reading=third, by=owner, position=2, typed="3")
    (state,) = paper.bundles_of(place)
    assert state.done
    assert [read.choices for read in state.compared.papers] == [(("1", 1),), (("3", 1),)]


def test_the_database_itself_refuses_one_person_in_two_parts():
    place = place_after_the_close()
    bundle = actions.new_bundle(place=place, by=officer_of(place))
    reading = actions.begin_reading(bundle=bundle, by=officer_of(place))
    for role, user in (("second", reading.by), ("third", reading.by), ("first", make_officer())):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reading.objects.create(bundle=bundle, role=role, by=user)
    entry = {"reading": reading, "position": 1}
    for wrong in ({"choices": [], "spoiled": ""}, {"choices": [["1", 1]], "spoiled": "blank"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PaperEntry.objects.create(**entry, **wrong)


def test_agreeing_readings_need_no_third():
    place = place_after_the_close()
    one, other = read_twice(place, ["1 2", "0", "u"])
    bundle = place.bundles.get()
    assert (
        refused(actions.begin_reading, bundle=bundle, by=make_staff(unit=place.process.unit)).code
        == "nothing_open"
    )
    (state,) = paper.bundles_of(place)
    assert [(read.choices, read.spoiled) for read in state.compared.papers] == [
        ((("1", 1), ("2", 1)), ""),
        ((), "blank"),
        ((), "unclear"),
    ]
    assert one != other


def test_how_it_was_typed_does_not_matter_but_what_it_counts_as():
    place = place_after_the_close()
    bundle = actions.new_bundle(place=place, by=officer_of(place))
    read(bundle, officer_of(place), ["1 2", "b", "1 2 3 4"])
    read(bundle, place.process.owner, ["02,1", "0", "4 3 2 1"])
    assert paper.bundles_of(place)[0].done
    bundle = actions.new_bundle(place=place, by=officer_of(place))
    read(bundle, officer_of(place), ["0"])
    read(bundle, place.process.owner, ["u"])
    assert not paper.bundles_of(place)[1].done


def test_a_paper_that_only_one_of_them_has_is_settled_too():
    place = place_after_the_close(officers=[make_officer(), make_officer()])
    one, two = place.officers.order_by("pk")
    owner = place.process.owner
    bundle = actions.new_bundle(place=place, by=one)
    read(bundle, one, ["1", "2", "3"])
    read(bundle, two, ["1", "2"])
    third = actions.begin_reading(bundle=bundle, by=owner)
    actions.enter_paper(reading=third, by=owner, position=3, spoiled="no_paper")
    (state,) = paper.bundles_of(place)
    assert state.done
    assert len(state.compared.papers) == 2


def test_a_reading_has_no_holes():
    place = place_after_the_close()
    officer = officer_of(place)
    bundle = actions.new_bundle(place=place, by=officer)
    reading = actions.begin_reading(bundle=bundle, by=officer)
    assert refused(actions.finish_reading, reading=reading, by=officer).code == "nothing"
    actions.enter_paper(reading=reading, by=officer, position=1, typed="1")
    actions.enter_paper(reading=reading, by=officer, position=3, typed="1")
    no = refused(actions.finish_reading, reading=reading, by=officer)
    assert (no.code, no.reason) == ("gap", "Paper 2 has not been entered.")
    actions.remove_entry(reading=reading, by=officer, position=3)
    actions.finish_reading(reading=reading, by=officer)


def test_a_bundle_made_by_mistake_is_removed_and_holds_nothing_up():
    place = place_after_the_close(marks=1)
    one, other = read_twice(place, ["1"])
    mistake = actions.new_bundle(place=place, by=one)
    fill_in(place, one, received=1)
    assert "Bundle 2" in refused(actions.sign_account, place=place, by=one).reason
    actions.remove_bundle(bundle=mistake, by=one)
    assert not Incident.objects.exists()  # nobody had read it: nothing to tell
    sign_twice(place)
    assert again(place.round).state == "sealed"
    bundle = place.bundles.get()
    assert refused(actions.remove_bundle, bundle=bundle, by=other, reason="For sent").code == "paper_done"


def test_what_has_been_read_is_only_removed_with_a_public_reason():
    place = place_after_the_close(marks=2)
    one, other = read_twice(place, ["1", "2"])
    bundle = place.bundles.get()
    assert refused(actions.remove_bundle, bundle=bundle, by=one, reason=" ").code == "empty"
    assert refused(actions.remove_bundle, bundle=bundle, by=make_officer(), reason="x").code == "other_place"
    assert PaperEntry.objects.count() == 4
    actions.remove_bundle(bundle=bundle, by=one, reason="Sedlerne var fra et andet sted.")
    assert "Sedlerne var fra et andet sted." in Incident.objects.get(place=place).text
    assert [model.objects.exists() for model in (PaperEntry, Reading, Bundle)] == [False] * 3
    entry = Entry.objects.get(action="budgets.remove_bundle")
    assert entry.values == {"bundle": 1, "readings": 2, "papers": 4}
    read_twice(place, ["1", "2"])
    fill_in(place, one, received=2)
    actions.sign_account(place=place, by=other)
    bundle = place.bundles.get()
    assert refused(actions.remove_bundle, bundle=bundle, by=one, reason="Igen").code == "signed"


def test_a_reader_who_went_home_holds_nobody_up():
    place = place_after_the_close(marks=2, officers=[make_officer(), make_officer()])
    gone, here = place.officers.order_by("pk")
    owner = place.process.owner
    bundle = actions.new_bundle(place=place, by=gone)
    reading = read(bundle, gone, ["1"], finish=False)
    read(bundle, here, ["1", "2"])
    assert refused(actions.begin_reading, bundle=bundle, by=owner).code == "not_yet"
    assert refused(actions.give_up_reading, reading=reading, by=here).code == "not_yours"
    actions.give_up_reading(reading=reading, by=owner)
    assert Entry.objects.get(action="budgets.give_up_reading").values["papers"] == 1
    assert read(bundle, owner, ["1", "2"]).role == "first"
    assert paper.bundles_of(place)[0].done
    finished = Reading.objects.get(by=here)
    assert refused(actions.give_up_reading, reading=finished, by=owner).code == "finished"
    actions.give_up_reading(reading=reading, by=owner)  # asked again: it is gone already


def test_one_s_own_reading_can_be_given_up_and_taken_anew():
    place = place_after_the_close()
    officer = officer_of(place)
    bundle = actions.new_bundle(place=place, by=officer)
    reading = read(bundle, officer, ["1", "2"], finish=False)
    actions.give_up_reading(reading=reading, by=officer)
    assert actions.begin_reading(bundle=bundle, by=officer).entries.count() == 0


def test_outsiders_read_nothing():
    place = place_after_the_close()
    for user in (make_officer(), make_staff(), make_voter()):
        assert refused(actions.new_bundle, place=place, by=user).code in {"role", "other_place", "other_unit"}


# A hundred papers with three differences, until they are counted


def test_a_hundred_papers_with_three_differences_are_counted_with_the_votes_of_the_site():
    round = make_round()
    place = make_place(round, officers=[make_officer(), make_officer()])
    one, two = place.officers.order_by("pk")
    owner = place.process.owner
    vote(round, "4", times=2)
    for _ in range(100):
        mark(place, resident(), by=one)
    shut(round)
    chance = random.Random(7)
    seen = [" ".join(chance.sample("1234", chance.randint(1, 3))) for _ in range(97)] + ["0", "u", "1 2 3 4"]
    other = list(seen)
    other[4], other[40], other[99] = "1", "0", "1 2 3"
    seen[4], seen[40] = "2", "3"
    bundle = actions.new_bundle(place=place, by=one)
    read(bundle, one, seen)
    read(bundle, two, other)
    (state,) = paper.bundles_of(place)
    assert [one.position for one in state.compared.open] == [5, 41, 100]
    third = actions.begin_reading(bundle=bundle, by=owner)
    for position, typed in ((5, "1"), (41, "0"), (100, "1 2 3")):
        actions.enter_paper(reading=third, by=owner, position=position, typed=typed)
    settled = [*seen]
    settled[4], settled[40], settled[99] = "1", "0", "1 2 3"
    fill_in(place, one, received=150, left_over=50)
    sign_twice(place)
    round = again(round)
    assert (round.state, round.ballot_count) == ("sealed", 2 + 97)
    assert round.ballots_per_channel == {"web": 2, "polling_place": 97}
    assert round.completed_at
    counted = sorted(
        " ".join(number for number, _points in choices)
        for choices in CountedBallot.objects.filter(channel="polling_place").values_list("choices", flat=True)
    )
    assert counted == sorted(
        " ".join(sorted(typed.split())) for typed in settled if typed not in {"0", "u", "1 2 3 4"}
    )
    assert not CountedBallot.objects.filter(channel="polling_place").exclude(tracker="").exists()
    count = actions.count_round(round=round, by=owner)
    votes = {step["project"]: step["votes"] for step in count.outcome["pots"][0]["steps"]}
    assert votes["4"] == 2 + sum("4" in typed.split() for typed in settled if len(typed.split()) < 4)


# Nothing is public before the papers are in


def test_a_round_with_places_is_not_published_before_they_have_signed():
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=3)
    mark(place)
    round = shut(round)
    assert (round.state, round.files, round.completed_at) == ("paper", [], None)
    no = refused(actions.count_round, round=round, by=place.process.owner)
    assert no.code == "paper_waits"
    one, other = read_twice(place, ["2"])
    fill_in(place, one, received=10, left_over=9)
    actions.sign_account(place=place, by=one)
    assert again(round).state == "paper"
    actions.sign_account(place=place, by=other)
    round = again(round)
    assert round.state == "sealed"
    assert len(round.files[0]["sha256"]) == 64
    assert actions.count_round(round=round, by=other).winners


def test_without_places_the_round_is_sealed_as_ever():
    round = make_round()
    vote(round, "1", times=2)
    round = seal(round)
    assert (round.state, len(round.files[0]["sha256"]), round.completed_at) == ("sealed", 64, None)


def test_the_papers_lie_in_no_order_that_tells_anything():
    """By id they are as mixed as any; the order of the table is not the order of the bundle either."""
    round = make_round([10_000] * 9)
    place = make_place(round)
    for _ in range(60):
        mark(place, resident())
    shut(round)
    papers = [str(number % 9 + 1) for number in range(60)]
    one, _other = read_twice(place, papers)
    fill_in(place, one, received=60)
    sign_twice(place)
    with connection.cursor() as cursor:
        cursor.execute("SELECT choices->0->>0 FROM budgets_countedballot ORDER BY ctid")
        stored = [number for (number,) in cursor.fetchall()]
    assert sorted(stored) == sorted(papers)
    assert stored != papers
    names = {field.name for field in PaperEntry._meta.get_fields()}
    assert names == {"id", "reading", "position", "typed", "choices", "spoiled"}


def test_a_vote_called_off_while_papers_are_read_is_never_counted():
    round = make_round()
    place = make_place(round)
    vote(round, "1", times=3)
    mark(place)
    round = shut(round)
    read_twice(place, ["2"])
    actions.drop_round(round=round, by=place.process.owner)
    assert again(round).state == "dropped"
    assert not CountedBallot.objects.exists()


# Printed order


def test_a_drawn_order_can_be_worked_out_again_from_what_was_drawn():
    round = make_round()
    projects = list(round.ballot_projects.all())
    order = PaperOrder(kind="lot", seed="4711")
    drawn = [one.number for one in paper.in_printed_order(projects, order)]
    assert drawn == [one.number for one in paper.in_printed_order(reversed(projects), order)]
    orders = {
        tuple(one.number for one in paper.in_printed_order(projects, PaperOrder(kind="lot", seed=str(seed))))
        for seed in range(30)
    }
    assert len(orders) > 10


def test_titles_stand_in_danish_order():
    class Project:
        def __init__(self, number, title, price=1):
            self.number, self.title, self.price = number, title, price

    projects = [Project("1", "Ål"), Project("2", "Aal"), Project("3", "Æble"), Project("10", "Bænk", 0)]
    by_title = paper.in_printed_order(projects, PaperOrder(kind="title"))
    assert [one.number for one in by_title] == ["10", "3", "1", "2"]
    assert paper.in_printed_order(projects, PaperOrder(kind="cheapest"))[0].number == "10"
    assert [one.number for one in paper.in_printed_order(projects, None)] == ["1", "2", "3", "10"]


def test_the_printed_order_stands_once_voting_has_opened():
    round = make_round()
    no = refused(actions.choose_order, process=round.process, by=round.process.owner, kind="title")
    assert no.code == "opened"
    assert reconciliation.channel_sums(round) == []


# Pots: one paper holds everyone's part and a district's


def pots_after_the_close():
    process, pots, places = staged.two_rounds(district_vote="home")
    for key in ("hele-byen", "nord", "syd"):
        staged.propose(process, pots[key], key)
    round = actions.open_round(process=process)
    return round, pots, places


def test_the_officer_is_told_which_paper_to_hand_out_and_the_roll_keeps_it():
    round, _pots, places = pots_after_the_close()
    place = make_place(round)
    north = resident(school_district=places["nord"])
    elsewhere = resident()
    for who, pot, name in ((north, "nord", "Nord"), (elsewhere, "", "Only the pot for everyone")):
        known = polling.check_person(who.person, place, place.round, at=clock.now())
        sheets = polling.sheets_for(place.round, known)
        assert (sheets.own, sheets.choices) == (pot, ())
        assert sheets.name == name
        attempt = mark(place, who)
        assert Roll.objects.get(pk=attempt).pot == pot
    no = refused(mark, place, resident(school_district=places["nord"]), pot="syd")
    assert no.code == "other_pot"


def test_papers_of_a_pot_are_read_by_its_rules_and_counted_in_it():
    round, _pots, places = pots_after_the_close()
    place = make_place(round)
    for _ in range(3):
        mark(place, resident(school_district=places["nord"]))
    numbers = dict(round.ballot_projects.values_list("title", "number"))
    closes = round.phase.interval.upper
    actions.seal_round(round=again(round), by=None, at=closes + timedelta(minutes=6))
    officer, owner = officer_of(place), place.process.owner
    assert refused(actions.new_bundle, place=place, by=officer, pot="vest").code == "pot"
    bundle = actions.new_bundle(place=place, by=officer, pot="nord")
    both = f"{numbers['hele-byen']} {numbers['nord']}"
    reading = actions.begin_reading(bundle=bundle, by=officer)
    wrong = refused(actions.enter_paper, reading=reading, by=officer, position=1, typed=numbers["syd"])
    assert wrong.code == "other_pot"
    for user in (officer, owner):
        read(bundle, user, [both, numbers["nord"], "0"])
    fill_in(place, officer, received=3)
    sign_twice(place)
    counted = CountedBallot.objects.filter(channel="polling_place")
    assert sorted((one.pot, len(one.choices)) for one in counted) == [("nord", 1), ("nord", 2)]


def test_more_of_a_pots_papers_than_were_handed_out_are_named_though_the_sums_agree():
    round, _pots, places = pots_after_the_close()
    place = make_place(round)
    for key in ("nord", "nord", "syd"):
        mark(place, resident(school_district=places[key]))
    everyone = dict(round.ballot_projects.values_list("title", "number"))["hele-byen"]
    actions.seal_round(round=again(round), by=None, at=round.phase.interval.upper + timedelta(minutes=6))
    officer, owner = officer_of(place), place.process.owner
    wrong = actions.new_bundle(place=place, by=officer, pot="nord")
    for user in (officer, owner):
        read(wrong, user, [everyone] * 3)  # Syd's paper lies among Nord's
    fill_in(place, officer, received=3)
    sums = reconciliation.place_sums(place, again(round))
    assert all(one.ok for one in sums.sums)
    no = refused(actions.sign_account, place=place, by=officer)
    assert no.code == "does_not_add_up"
    assert "“Nord”: 3 in the box, but only 2 handed out" in no.reason
    actions.remove_bundle(bundle=wrong, by=officer, reason="En seddel lå i et forkert bundt.")
    for key, amount in (("nord", 2), ("syd", 1)):
        bundle = actions.new_bundle(place=place, by=officer, pot=key)
        for user in (officer, owner):
            read(bundle, user, [everyone] * amount)
    sign_twice(place)
    assert CountedBallot.objects.filter(channel="polling_place", pot="syd").count() == 1


# Printed


def test_every_sheet_is_a_tagged_pdf_with_the_numbers_of_the_ballot():
    round, _pots, _places = pots_after_the_close()
    found = {sheet.key: sheet for sheet in ballot_print.sheets(round.process, round.kind)}
    assert set(found) == {"nord", "syd", ""}
    numbers = dict(round.ballot_projects.values_list("title", "number"))
    north = [
        (row["number"], row["title"])
        for part in found["nord"].parts
        for row in ballot_print._part(part, found["nord"], None)["rows"]
    ]
    assert north == [(numbers["hele-byen"], "hele-byen"), (numbers["nord"], "nord")]
    for options in ({}, {"large": True}, {"test": True}):
        content = ballot_print.printed(found["nord"], None, **options)
        assert content.startswith(b"%PDF")
        assert b"/MarkInfo" in content
        assert not found["nord"].draft


def test_before_voting_opens_it_is_a_draft_of_what_is_ready_today():
    process, pots, _places = staged.two_rounds(district_vote="home")
    staged.propose(process, pots["hele-byen"], "En bænk")
    for kind, there in (("shortlist", ["En bænk"]), ("final", [])):
        sheets = ballot_print.sheets(process, kind)
        assert all(sheet.draft for sheet in sheets)
        assert [one.title for one in sheets[-1].projects] == there
