"""Voting codes: their form, who may vote with one, that each gives one vote, and that blocking holds."""

import functools
import itertools
import string
import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from accounts.verdict import Refused
from budgets import actions, codes
from budgets.models import Ballot, CodeBatch, Roll, VotingCode
from participation import clock
from tests.accounts.factories import make_resident
from tests.budgets import factories as make
from tests.budgets.code_factories import caught, class_round, codes_for_class, letter_for
from tests.budgets.test_races import background, together
from tests.databases import waiting_for_locks
from tests.patience import PATIENCE, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def not_drawn():
    with caught():
        yield


def test_a_code_is_thirteen_easy_signs_of_more_than_55_bits():
    made = {codes.new_code() for _ in range(500)}
    assert len(made) == 500
    for code in made:
        assert len(code) == 13
        assert not set(code) & set("ILO01")
        assert codes.is_well_formed(code)
        assert codes.plain(codes.shown(code).lower().replace("-", " ")) == code
    assert len(codes.LETTERS) == len(set(codes.LETTERS)) == 31
    assert 31**codes.RANDOM > 2**55
    assert [len(group) for group in codes.shown(code).split("-")] == [4, 4, 5]


@given(st.data())
def test_one_wrong_sign_or_two_exchanged_is_always_seen_as_a_typo(data):
    code = codes.new_code()
    place = data.draw(st.integers(0, 12))
    other = data.draw(st.sampled_from([letter for letter in codes.LETTERS if letter != code[place]]))
    assert not codes.is_well_formed(code[:place] + other + code[place + 1 :])
    first, second = sorted(data.draw(st.lists(st.integers(0, 12), min_size=2, max_size=2, unique=True)))
    if code[first] != code[second]:
        signs = list(code)
        signs[first], signs[second] = signs[second], signs[first]
        assert not codes.is_well_formed("".join(signs))


@given(st.text(max_size=200))
def test_whatever_is_typed_is_read_without_an_error(typed):
    code = codes.plain(typed)
    assert len(code) <= 3 * codes.LONGEST_TYPED
    assert codes.is_well_formed(code) in {True, False}
    assert not codes.is_well_formed(code + "0")


def test_only_the_hmac_is_stored_and_another_key_knows_no_code(settings):
    round = class_round()
    (code, *_rest) = codes_for_class(round, 3)
    stored = VotingCode.objects.values_list("hmac", flat=True)
    assert codes.stored_as(code) in stored
    assert len(set(stored)) == 3
    assert codes.find(code, round.process) is not None
    settings.CODE_KEY = "A" * 43 + "="
    assert codes.find(code, round.process) is None


def cast(round, code, *numbers, **options):
    actions.cast_with_code(
        round=make.again(round),
        code=codes.find(code, round.process),
        choices=[(number, 1) for number in numbers or ("1",)],
        tracker=None,
        **options,
    )


def refused(work):
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


def test_a_class_code_votes_once_and_leaves_the_age_band_alone():
    round = class_round()
    (code,) = codes_for_class(round, 1)
    cast(round, code, "1", "2")
    on_roll = Roll.objects.get()
    assert (on_roll.person, on_roll.channel, on_roll.age_band) == (None, "code", "0-14")
    assert (on_roll.sex, on_roll.district, on_roll.pot) == ("", None, "")
    assert on_roll.code == codes.find(code, round.process)
    assert refused(lambda: cast(round, code)) == "used"
    assert (Roll.objects.count(), Ballot.objects.count()) == (1, 1)


def test_casting_changes_nothing_on_the_code_and_writes_no_audit_row():
    from audit.models import Entry

    round = class_round()
    code, _other = codes_for_class(round, 2)
    before = list(VotingCode.objects.order_by("pk").values()), list(CodeBatch.objects.values())
    rows = Entry.objects.count()
    cast(round, code)
    assert (list(VotingCode.objects.order_by("pk").values()), list(CodeBatch.objects.values())) == before
    assert Entry.objects.count() == rows


def test_a_personal_code_puts_the_person_on_the_roll_with_the_registers_facts():
    round = make.make_round()
    resident = make_resident(birth_date=date(1950, 1, 2), sex="M")
    code = letter_for(round, resident)
    cast(round, code)
    on_roll = Roll.objects.get()
    assert (on_roll.person_id, on_roll.code, on_roll.channel) == (resident.person_id, None, "code")
    assert (on_roll.age_band, on_roll.sex) == ("75+", "M")
    assert refused(lambda: cast(round, code)) == "used"


def test_mitid_and_personal_code_in_both_orders_are_one_vote():
    round = make.make_round()
    for order in itertools.permutations(("web", "code")):
        voter = make.make_voter()
        code = letter_for(round, voter.person.residences.get())
        ways = {
            "web": lambda voter=voter: actions.cast_ballot(
                round=make.again(round), by=voter, choices=[("1", 1)], tracker=None
            ),
            "code": lambda code=code: cast(round, code),
        }
        ways[order[0]]()
        assert refused(ways[order[1]]) in {"already_voted", "used"}
        assert Roll.objects.filter(person=voter.person_id).get().channel == order[0]
    assert Ballot.objects.count() == 2


def test_the_same_person_at_once_by_every_way_is_one_vote():
    round = make.make_round()
    for _again in range(4):
        voter = make.make_voter()
        code = letter_for(round, voter.person.residences.get())
        by_mitid = functools.partial(
            actions.cast_ballot, round=make.again(round), by=voter, choices=[("1", 1)], tracker=None
        )
        jobs = [by_mitid, functools.partial(cast, round, code)] * 2
        said = together(jobs)
        assert [one for one in said if one is not None and not isinstance(one, Refused)] == []
        assert said.count(None) == 1
        assert Roll.objects.filter(person=voter.person_id).count() == 1
    assert Ballot.objects.count() == 4


def test_a_hundred_attempts_with_one_class_code_are_one_vote():
    round = class_round()
    (code,) = codes_for_class(round, 1)
    said = together([lambda: cast(round, code) for _ in range(60)])
    assert said.count(None) == 1
    assert {one.code for one in said if one is not None} == {"used"}
    assert (Roll.objects.count(), Ballot.objects.count()) == (1, 1)


def test_a_blocked_batch_gives_no_vote_and_what_it_gave_stays():
    round = class_round()
    used, unused = codes_for_class(round, 2)
    cast(round, used)
    batch = CodeBatch.objects.get()
    actions.block_batch(batch=batch, reason="Arket er blevet væk", by=round.process.owner)
    with pytest.raises(Refused) as caught:
        cast(round, unused)
    assert caught.value.code == "blocked"
    assert "Arket er blevet væk" in caught.value.reason
    (tally,) = codes.tally(round)
    assert (tally.made, tally.used, tally.blocked, tally.unused) == (2, 1, 1, 0)


def test_blocking_needs_a_reason_and_is_for_good():
    round = class_round()
    codes_for_class(round, 1)
    batch = CodeBatch.objects.get()
    by = round.process.owner
    assert refused(lambda: actions.block_batch(batch=batch, reason="  ", by=by)) == "empty"
    actions.block_batch(batch=batch, reason="Væk", by=by)
    assert refused(lambda: actions.block_batch(batch=batch, reason="Væk", by=by)) == "blocked_already"
    with pytest.raises(DatabaseError), transaction.atomic():
        CodeBatch.objects.update(blocked_at=None, blocked_reason="")
    with pytest.raises(DatabaseError), transaction.atomic():
        VotingCode.objects.update(blocked=False)


def test_blocking_waits_for_a_vote_under_way():
    """Red when the cast doesn't hold the batch: then the block returns before the vote, which still falls after it."""
    round = class_round()
    (code,) = codes_for_class(round, 1)
    batch = CodeBatch.objects.get()
    found = codes.find(code, round.process)
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(  # the same code on the roll, not committed: the cast waits to see what becomes of it
                "INSERT INTO budgets_roll (id, round_id, code_id, channel, pot, day, age_band, sex)"
                " VALUES (gen_random_uuid(), %s, %s, 'code', '', '2026-01-01', '', '')",
                [round.pk, found.pk],
            )
            casting, said = background(lambda: cast(round, code))
            wait_for(lambda: waiting_for_locks() == 1)
            blocking, blocked = background(
                lambda: actions.block_batch(batch=batch, reason="Væk", by=round.process.owner).pk
            )
            wait_for(lambda: waiting_for_locks() == 2)
            assert not blocked
            cursor.execute("ROLLBACK")
    finally:
        holder.close()
    casting.join(PATIENCE)
    blocking.join(PATIENCE)
    assert said == [None]
    assert blocked == [batch.pk]
    assert Ballot.objects.count() == 1


def test_a_vote_waits_for_a_block_under_way_and_sees_it():
    """Red when the cast doesn't lock what it reads: then it votes by what it saw before it waited."""
    round = class_round()
    (code,) = codes_for_class(round, 1)
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE budgets_codebatch SET blocked_at = now(), blocked_reason = 'Væk'")
            casting, said = background(lambda: cast(round, code))
            wait_for(lambda: waiting_for_locks() == 1)
            cursor.execute("COMMIT")
    finally:
        holder.close()
    casting.join(PATIENCE)
    assert [one.code for one in said] == ["blocked"]
    assert Ballot.objects.count() == Roll.objects.count() == 0


@pytest.mark.parametrize("what", ["blocked batch", "blocked code", "another round"])
def test_the_database_itself_refuses_a_code_that_may_not_vote(what):
    round, other = class_round(), class_round()
    (code,) = codes_for_class(round, 1)
    found = codes.find(code, round.process)
    if what == "blocked batch":
        CodeBatch.objects.update(blocked_at=clock.now(), blocked_reason="Væk")
    if what == "blocked code":
        VotingCode.objects.update(blocked=True)
    into = other if what == "another round" else round
    with pytest.raises(IntegrityError, match="No code of this round"), transaction.atomic():
        Roll.objects.create(round=into, code=found, channel="code", day=clock.today())
    with pytest.raises(IntegrityError), transaction.atomic():
        Roll.objects.create(round=round, person=make.make_voter().person, channel="code", day=clock.today())


def test_a_code_of_another_round_or_budget():
    round, other = class_round(), class_round()
    (code,) = codes_for_class(round, 1)
    assert codes.find(code, other.process) is None
    found = codes.find(code, round.process)
    with pytest.raises(Refused) as caught:
        codes.check_code(found, other, at=clock.now())
    assert caught.value.code == "other_round"


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"class_age_from": None, "class_age_to": None}, "no_class_band"),
        ({"vote": {"min_age": 15}}, "birthdays"),
        ({"vote": {"min_age": 0}}, "birthdays"),
    ],
)
def test_class_codes_only_where_those_ages_vote_in_no_other_way(rules, reason):
    round = class_round(**rules)
    process = round.process
    make_them = lambda: actions.make_class_codes(  # noqa: E731
        process=process, phase=round.phase, name="6.B", amount=3, by=process.owner
    )
    assert refused(make_them) == reason
    assert not CodeBatch.objects.exists()


def test_without_a_day_for_ages_a_band_that_nobody_grows_out_of_into_a_vote_is_fine():
    round = class_round(vote={"min_age": 16})
    assert len(codes_for_class(round, 2)) == 2


def test_those_of_the_class_ages_vote_neither_with_mitid_nor_by_letter():
    round = class_round()
    child = make_resident(birth_date=date(clock.today().year - 13, 1, 1))
    voter = make.make_citizen(person=child.person)
    by_mitid = lambda: actions.cast_ballot(round=round, by=voter, choices=[("1", 1)], tracker=None)  # noqa: E731
    assert refused(by_mitid) == "votes_in_class"
    by_letter = lambda: actions.replace_code(  # noqa: E731
        process=round.process, phase=round.phase, resident=child, by=round.process.owner
    )
    assert refused(by_letter) == "may_not_vote"


def test_a_new_letter_blocks_the_old_one():
    round = make.make_round()
    resident = make_resident()
    old = letter_for(round, resident)
    new = letter_for(round, resident)
    assert refused(lambda: cast(round, old)) == "replaced"
    cast(round, new)
    again = lambda: letter_for(round, resident)  # noqa: E731
    assert refused(again) == "already_voted"
    assert sum(tally.blocked for tally in codes.tally(round)) == 1
    assert sum(tally.used for tally in codes.tally(round)) == 1


def test_the_roll_forgets_codes_too_and_the_numbers_stay():
    round = class_round()
    used, _unused = codes_for_class(round, 2)
    cast(round, used)
    make.close(round)
    sealed = actions.seal_round(round=make.again(round), by=None)
    assert sealed.ballots_per_channel == {"code": 1}
    actions.anonymise_roll(round=sealed)
    assert Roll.objects.get().code is None
    (tally,) = codes.tally(sealed)
    assert (tally.used, tally.unused) == (1, 1)


def test_a_vote_called_off_forgets_codes():
    round = class_round()
    (code,) = codes_for_class(round, 1)
    cast(round, code)
    actions.drop_round(round=round, by=None)
    assert Roll.objects.get().code is None
    assert Ballot.objects.count() == 0


def test_after_the_close_a_code_comes_too_late():
    round = class_round()
    (code,) = codes_for_class(round, 1)
    late = round.phase.interval.upper
    assert refused(lambda: cast(round, code, at=late)) == "closed"
    cast(round, code, at=late - timedelta(seconds=1))


@pytest.mark.usefixtures("not_drawn")
def test_letters_for_those_chosen_each_person_once():
    round = make.make_round()
    for year in (1940, 1950, 1980):
        make_resident(birth_date=date(year, 3, 4), digital_post=year != 1940)
    make_resident(birth_date=date(clock.today().year - 10, 1, 1))
    make_resident(birth_date=date(1950, 1, 1), municipality_code="0101")
    by, process = round.process.owner, round.process

    def letters(**chosen):
        made = actions.make_personal_codes(
            process=process, phase=round.phase, name="Breve", chosen=codes.Chosen(**chosen), by=by
        )
        return sum(batch.amount for batch in made)

    assert letters(without_digital_post=True) == 1
    assert letters(age_from=60) == 1  # the oldest has a code already
    assert letters() == 1
    assert refused(letters) == "nobody"
    assert VotingCode.objects.values("person").distinct().count() == 3


def test_who_may_make_and_block_codes():
    round = class_round()
    process = round.process
    stranger = make.make_staff(unit=make.make_unit())
    for act in (
        lambda: actions.make_class_codes(
            process=process, phase=round.phase, name="6.B", amount=1, by=stranger
        ),
        lambda: actions.make_class_codes(
            process=process, phase=round.phase, name="6.B", amount=1, by=make.make_voter()
        ),
    ):
        assert refused(act) in {"other_unit", "role"}
    codes_for_class(round, 1)
    batch = CodeBatch.objects.get()
    assert refused(lambda: actions.block_batch(batch=batch, reason="x", by=stranger)) == "other_unit"


def test_letters_have_only_letters():
    assert set(codes.LETTERS) <= set(string.ascii_uppercase + string.digits)


@pytest.mark.usefixtures("not_drawn")
def test_two_letters_to_one_person_made_at_once_are_one_code():
    round = make.make_round()
    for _ in range(5):
        make_resident()
    jobs = [
        lambda: (
            actions.make_personal_codes(
                process=round.process,
                phase=round.phase,
                name="Breve",
                chosen=codes.Chosen(),
                by=round.process.owner,
            )
            and None
        )
        for _ in range(3)
    ]
    said = together(jobs)
    assert [one for one in said if one is not None and not isinstance(one, Refused)] == []
    assert VotingCode.objects.filter(blocked=False).count() == 5
    assert threading.active_count() >= 1


def test_in_public_letters_stand_together_and_nobodys_by_itself():
    round = class_round()
    for _ in range(3):
        letter_for(round, make_resident())
    code = letter_for(round, make_resident())
    cast(round, code)
    codes_for_class(round, 2)
    shown = [(one.batch.kind, one.made, one.used, one.unused) for one in codes.tally_by_kind(round)]
    assert sorted(shown) == [("class", 2, 0, 2), ("personal", 4, 1, 3)]
