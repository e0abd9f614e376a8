"""Voting with a code in plain HTTP: from the card to the receipt, what is said when it can't be, guessing, and that the code is
left nowhere."""

import io
import logging
import re
import sys
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.views.debug import ExceptionReporter

from accounts.verdict import Refused
from audit.models import Entry
from budgets import actions, codes, guessing, results
from budgets.models import Ballot, CodeBatch, CodeLock, Incident, Roll, Round
from config import logs
from participation import clock
from tests.accounts.factories import make_resident
from tests.budgets import factories as make
from tests.budgets.code_factories import class_round, codes_for_class, letter_for
from tests.budgets.test_pages_voting import rows_with, text_of, tracker_in
from tests.budgets.test_secrecy import everything, places, reports

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
SCHOOL, GUESSER = "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()
    guessing.memory.__init__()
    yield
    cache.clear()


@pytest.fixture
def round(db: None) -> Round:
    return class_round()


def address(round: Round) -> str:
    return reverse("budgets:code", args=[round.process.slug])


def tablet(at: str = SCHOOL) -> Client:
    return Client(REMOTE_ADDR=at)


def enter(client: Client, round: Round, code: str) -> Any:
    return client.post(address(round), {"step": "enter", "voting_code": code})


def admission_in(page: str) -> str:
    return re.search(r'name="admission"\s+value="([^"]+)"', page)[1]  # type: ignore[index]


def cast(client: Client, round: Round, code: str, *numbers: str, **body: Any) -> Any:
    door = enter(client, round, codes.shown(code))
    assert door.status_code == 200, text_of(door)
    inside = {"admission": admission_in(door.content.decode()), "choice": list(numbers or ("1",))} | body
    review = client.post(address(round), {"step": "review", **inside})
    assert review.status_code == 200, text_of(review)
    page = review.content.decode()
    assert admission_in(page) == inside["admission"]
    return client.post(address(round), {"step": "cast", "tracker": tracker_in(page), **inside})


def another() -> str:
    """A code that looks right and was never made."""
    return codes.new_code()


def test_from_the_card_to_the_receipt_and_the_vote_is_counted(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    client = tablet()
    assert "Your voting code" in text_of(client.get(address(round)))
    receipt = cast(client, round, code, "2", "3")
    page = text_of(receipt)
    assert receipt.status_code == 200
    assert "Your vote has been cast" in page
    assert "The next one can vote" in page
    tracker = re.search(r'class="tracker-code">([A-Z0-9-]{14})<', page)[1]  # type: ignore[index]
    assert (Roll.objects.get().channel, Ballot.objects.count()) == ("code", 1)
    make.close(round)
    actions.seal_round(round=make.again(round), by=None)
    assert results.tracker_counted(make.again(round), tracker)
    assert round.counted_ballots.get().choices == [["2", 1], ["3", 1]]


def test_as_it_is_typed_by_children(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    for typed in (code.lower(), codes.shown(code).replace("-", " "), f"  {codes.shown(code)} .", code):
        assert 'name="choice"' in text_of(enter(tablet(), round, typed)), typed


def test_the_next_child_on_the_same_tablet_finds_nothing_of_the_first(round: Round) -> None:
    first, second = codes_for_class(round, 2)
    client = tablet()
    receipt = cast(client, round, first, "1")
    assert first not in text_of(receipt)
    assert codes.shown(first) not in text_of(receipt)
    assert "admission" not in receipt.content.decode()
    assert not Session.objects.exists()
    assert "sessionid" not in client.cookies
    page = text_of(client.get(address(round)))
    assert "Logged" not in page
    assert "Your vote has been cast" in text_of(cast(client, round, second, "1"))
    assert Roll.objects.count() == 2


def test_whoever_was_signed_in_is_signed_out_when_a_code_is_let_in(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    client = tablet()
    client.force_login(make.make_voter())
    enter(client, round, "nonsense")
    assert "_auth_user_id" in client.session
    page = text_of(enter(client, round, code))
    assert "You have been logged out here" in page
    assert 'name="choice"' in page
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("status", ["used", "blocked", "replaced", "voted with MitID"])
def test_a_code_that_gives_no_vote_is_told_why(round: Round, status: str) -> None:
    if status in {"replaced", "voted with MitID"}:
        voter = make.make_voter()
        code = letter_for(round, voter.person.residences.get())
        if status == "replaced":
            letter_for(round, voter.person.residences.get())
        else:
            actions.cast_ballot(round=round, by=voter, choices=[("1", 1)], tracker=None)
    else:
        (code,) = codes_for_class(round, 1)
        if status == "used":
            cast(tablet(), round, code)
        else:
            actions.block_batch(
                batch=CodeBatch.objects.get(), reason="Kortene er tabt i posten", by=round.process.owner
            )
    response = enter(tablet(), round, code)
    words = {
        "used": "This code has been used",
        "blocked": "Kortene er tabt i posten",
        "replaced": "replaced by a newer one",
        "voted with MitID": "You have already voted",
    }
    assert response.status_code == 409
    assert words[status] in text_of(response)
    assert 'name="choice"' not in text_of(response)
    assert code not in text_of(response)


def test_a_code_blocked_between_choosing_and_casting(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    client = tablet()
    inside = {
        "admission": admission_in(enter(client, round, code).content.decode()),
        "choice": "1",
        "code": "no",
    }
    actions.block_batch(batch=CodeBatch.objects.get(), reason="Stjålet", by=round.process.owner)
    response = client.post(address(round), {"step": "cast", **inside})
    assert response.status_code == 409
    assert "What you just sent was not counted" in text_of(response)
    assert Ballot.objects.count() == 0


def test_before_and_after_the_vote() -> None:
    early = class_round()
    process = make.make_budget(vote_from=clock.now() + timedelta(days=2))
    page = text_of(Client().get(reverse("budgets:code", args=[process.slug])))
    assert "Voting opens" in page
    assert "Keep your code until then" in page
    (code,) = codes_for_class(early, 1)
    make.close(early)
    response = enter(tablet(), early, code)
    assert response.status_code == 409
    assert "Voting closed" in text_of(response)


def test_a_forged_admission_leads_back_to_the_door(round: Round) -> None:
    other = class_round()
    (code,) = codes_for_class(round, 1)
    (theirs,) = codes_for_class(other, 1)
    for forged in (
        code,
        f"{code}:xxxx",
        admission_in(enter(tablet(), other, theirs).content.decode()),
        "",
    ):
        response = tablet().post(
            address(round), {"step": "cast", "admission": forged, "choice": "1", "code": "no"}
        )
        assert response.status_code == 409
        assert 'name="voting_code"' in text_of(response)
    assert Ballot.objects.count() == 0


def test_mistakes_on_the_ballot_are_said_and_the_choices_kept(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    client = tablet()
    inside = {"admission": admission_in(enter(client, round, code).content.decode())}
    for step in ("review", "cast"):
        response = client.post(
            address(round), {"step": step, "choice": ["1", "2", "3", "4"], "code": "no", **inside}
        )
        assert response.status_code == 422
        page = text_of(response)
        assert "Choose at most 3 projects." in page
        assert page.count(" checked") == 4
        assert admission_in(response.content.decode()) == inside["admission"]
    wrong = client.post(address(round), {"step": "cast", "choice": "1", "tracker": "AAAA", **inside})
    assert wrong.status_code == 422
    assert Ballot.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_kept_by_no_cache_and_told_to_no_other_site(round: Round, method: str) -> None:
    (code,) = codes_for_class(round, 1)
    response = tablet().get(address(round)) if method == "get" else enter(tablet(), round, code)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert code not in str(response.headers)
    assert 'content="noindex"' in response.content.decode()


# Guessing


def test_a_thousand_guesses_lock_that_address_and_nobody_else(round: Round, caplog: Any) -> None:
    (code, other) = codes_for_class(round, 2)
    client = tablet(GUESSER)
    with caplog.at_level(logging.WARNING, "budgets.guessing"):
        said = [enter(client, round, another()).status_code for _ in range(1000)]
    assert said == [422] * (guessing.MOST - 1) + [429] * (1000 - guessing.MOST + 1)
    # the right code doesn't help whoever is locked out, nor tells that it was right
    response = enter(client, round, code)
    assert response.status_code == 429
    lock = CodeLock.objects.get()
    assert (lock.guesses, lock.refused) == (guessing.MOST, 1000 - guessing.MOST + 1)
    assert f"say number {lock.reference}" in text_of(response)
    # logged, for operations and for staff, without codes and addresses
    (line,) = [record for record in caplog.records if record.name == "budgets.guessing"]
    assert (line.guesses, line.slug) == (guessing.MOST, round.process.slug)
    assert GUESSER not in caplog.text
    entry = Entry.objects.get(action="budgets.lock_guesser")
    assert (entry.process_id, entry.values["guesses"]) == (round.process_id, guessing.MOST)
    assert rows_with([GUESSER]) == []
    # another address votes meanwhile, at once
    assert "Your vote has been cast" in text_of(cast(tablet(SCHOOL), round, other))
    assert Roll.objects.count() == 1
    # what is kept doesn't grow
    client_keys = cache._cache.get_client(None, write=False)  # type: ignore[attr-defined]
    assert len(list(client_keys.scan_iter("*code-guess*"))) <= 15
    assert len(guessing.memory) == 0
    assert CodeLock.objects.count() == 1
    assert Entry.objects.filter(action="budgets.lock_guesser").count() == 1


def test_a_child_already_in_the_booth_votes_though_the_address_is_locked(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    client = tablet()
    inside = {
        "admission": admission_in(enter(client, round, code).content.decode()),
        "choice": "1",
        "code": "no",
    }
    for _ in range(guessing.MOST):
        enter(tablet(), round, another())
    assert enter(tablet(), round, code).status_code == 429
    assert "Your vote has been cast" in text_of(client.post(address(round), {"step": "cast", **inside}))


def test_a_class_behind_one_address_may_mistype(round: Round) -> None:
    clear = codes_for_class(round, 28)
    for code in clear:
        for place in (0, 5, 12):
            wrong = codes.LETTERS[(codes.LETTERS.index(code[place]) + 1) % 31]
            response = enter(tablet(), round, code[:place] + wrong + code[place + 1 :])
            assert response.status_code == 422
            assert "There is a typo in the code" in text_of(response)
            assert wrong in text_of(response)  # what was typed stays, to be mended
        assert "Your vote has been cast" in text_of(cast(tablet(), round, code))
    assert Roll.objects.count() == 28
    assert not CodeLock.objects.exists()


def test_the_window_slides(round: Round) -> None:
    now = clock.now()
    for minute in range(0, 60, 2):  # a guess every other minute: never 20 within 15
        with clock.frozen(now + timedelta(minutes=minute)):
            assert enter(tablet(), round, another()).status_code == 422
    assert not CodeLock.objects.exists()
    later = now + timedelta(minutes=70)
    for count in range(guessing.MOST):  # half at the end of one quarter, half at the start of the next
        with clock.frozen(later + timedelta(minutes=14 if count % 2 else 2)):
            enter(tablet(), round, another())
    assert CodeLock.objects.exists()


def test_a_lock_ends_by_itself_and_staff_can_open_before(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    for _ in range(guessing.MOST):
        enter(tablet(), round, another())
    assert enter(tablet(), round, code).status_code == 429
    with clock.frozen(clock.now() + guessing.LOCKED_FOR + timedelta(seconds=1)):
        assert enter(tablet(), round, code).status_code == 200
    actions.lift_lock(lock=CodeLock.objects.get(), by=round.process.owner)
    assert enter(tablet(), round, code).status_code == 200
    assert enter(tablet(), round, another()).status_code == 422  # and counting begins anew
    assert Entry.objects.filter(action="budgets.lift_lock").exists()


def test_locked_twice_is_one_row_that_counts(round: Round) -> None:
    now = clock.now()
    for hours in (0, 2):
        with clock.frozen(now + timedelta(hours=hours)):
            for _ in range(guessing.MOST):
                enter(tablet(), round, another())
    lock = CodeLock.objects.get()
    assert (lock.times, lock.guesses) == (2, 2 * guessing.MOST)


def test_one_lock_is_logged_once_however_many_requests_were_under_way(round: Round, caplog: Any) -> None:
    now = clock.now()
    with caplog.at_level(logging.WARNING, "budgets.guessing"):
        for late in (0, 1):  # both let in before the lock was there
            for _ in range(guessing.MOST):
                with suppress(Refused):
                    guessing.guessed(GUESSER, round.process, at=now + timedelta(milliseconds=late))
    assert CodeLock.objects.get().times == 1
    assert len([one for one in caplog.records if one.name == "budgets.guessing"]) == 1


def test_without_the_cache_each_process_counts_by_itself(round: Round, monkeypatch: Any) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no cache")

    names = ("add", "incr", "get_many", "delete_many")
    monkeypatch.setattr(guessing, "cache", SimpleNamespace(**dict.fromkeys(names, down)))
    (code,) = codes_for_class(round, 1)
    said = [enter(tablet(GUESSER), round, another()).status_code for _ in range(guessing.MOST + 5)]
    assert said == [422] * (guessing.MOST - 1) + [429] * 6
    assert CodeLock.objects.count() == 1
    assert "Your vote has been cast" in text_of(cast(tablet(SCHOOL), round, code))


def test_what_a_process_remembers_is_bounded() -> None:
    for number in range(guessing.REMEMBERED + 500):
        guessing.memory.count(f"address {number}", 0.0)
    assert len(guessing.memory) == guessing.REMEMBERED
    for _ in range(1000):
        assert guessing.memory.count("one", 1.0) <= guessing.MOST + 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_who_counts_as_the_same_address(rf: Any, one: str, other: str, same: bool) -> None:
    first, second = (guessing.address_of(rf.get("/", REMOTE_ADDR=address)) for address in (one, other))
    assert (first == second) is same


def test_a_used_or_blocked_code_is_no_guess(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    cast(tablet(), round, code)
    for _ in range(guessing.MOST + 5):
        assert enter(tablet(), round, code).status_code == 409
    assert not CodeLock.objects.exists()


def test_unknown_and_blocked_codes_are_looked_up_alike(round: Round) -> None:
    """By an HMAC in a unique index: the same query, whatever the code says. Nothing is compared sign by sign."""
    (code,) = codes_for_class(round, 1)
    CodeBatch.objects.update(blocked_at=clock.now(), blocked_reason="Væk")
    asked = []
    for typed in (code, another()):
        enter(tablet(), round, typed)
        with CaptureQueriesContext(connection) as captured:
            enter(tablet(), round, typed)
        asked.append([q["sql"][:40] for q in captured if "votingcode" in q["sql"]])
    assert asked[0] == asked[1]
    assert len(asked[0]) == 1


# Secrecy


def test_the_code_is_left_nowhere(round: Round, caplog: Any) -> None:
    code, canary = codes_for_class(round, 2)
    signs = [code, codes.shown(code), code.lower()]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("budgets").debug("canary %s", canary)
        assert canary in caplog.text
        before = everything()
        receipt = cast(tablet(), round, code, "2", "3")
        told = caplog.text
    after = everything()
    for sign in signs:
        assert sign not in told
        assert places(sign, after) == set()
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"budgets_roll", "budgets_ballot"}
    assert not mail.outbox
    assert not Session.objects.exists()
    assert not any(sign in str(receipt.headers) for sign in signs)
    # the canary: the same search finds a code that is written down
    from audit.actions import record

    record(action="canary", by=None, obj=round.process, values={"code": canary})
    assert places(canary) == {"audit_entry"}


def test_no_row_of_the_ballot_leads_to_the_code(round: Round) -> None:
    (code,) = codes_for_class(round, 1)
    cast(tablet(), round, code, "2")
    found, ballot = codes.find(code, round.process), Ballot.objects.get()
    rows = everything()
    assert places(ballot.pk, rows) == {"budgets_ballot"}
    assert places(found.hmac, rows) == {"budgets_votingcode"}
    assert places(Roll.objects.get().pk, rows) == {"budgets_roll"}


def test_an_error_while_casting_tells_neither_code_nor_choice(round: Round, monkeypatch: Any) -> None:
    (code,) = codes_for_class(round, 1)
    client = tablet()
    client.raise_request_exception = False
    caught: list[Any] = []

    def report(sender: Any, request: Any = None, **kwargs: Any) -> None:
        kind, error, trace = sys.exc_info()
        frames, told = trace, []
        while frames is not None:
            told.append(repr(frames.tb_frame.f_locals))
            frames = frames.tb_next
        reporter = ExceptionReporter(request, kind, error, trace)
        stream = io.StringIO()
        logs.DiscreetHandler(stream).handle(
            logging.makeLogRecord({"msg": "failed", "exc_info": (kind, error, trace)})
        )
        caught.append(
            (
                " ".join(told),
                reporter.get_traceback_text()
                + reporter.get_traceback_html()
                + reports(error)
                + stream.getvalue(),
            )
        )

    got_request_exception.connect(report)
    try:
        admission = admission_in(enter(client, round, code).content.decode())
        broken = RuntimeError("the database is gone")

        def fail(*args: Any, **kwargs: Any) -> None:
            raise broken

        monkeypatch.setattr("budgets.actions.voting._cast", fail)
        response = client.post(
            address(round), {"step": "cast", "admission": admission, "choice": "3", "code": "no"}
        )
        monkeypatch.setattr("budgets.codes.find", fail)
        second = enter(client, round, code)
    finally:
        got_request_exception.disconnect(report)
    assert (response.status_code, second.status_code, len(caught)) == (500, 500, 2)
    for variables, told in caught:
        assert code in variables  # the canary: it is there to be told
        assert "RuntimeError" in told
        assert code not in told
        assert codes.shown(code) not in told


# Staff


@pytest.fixture
def desk(round: Round) -> Client:
    from tests.site.world import session_of

    client = Client()
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(round.process.owner, generate_totp_secret())
    from django.conf import settings

    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(round.process.owner)
    return client


def staff(round: Round, name: str = "", **arguments: Any) -> str:
    return reverse(f"admin:budget-codes{name}", kwargs={"pk": round.process_id, **arguments})


def test_a_class_gets_its_cards_and_the_pdf_is_fetched_once(desk: Client, round: Round) -> None:
    made = desk.post(staff(round, "-class"), {"name": "Lunde Skole, 6.B", "amount": "28"}, follow=True)
    assert "Lunde Skole, 6.B" in text_of(made)
    batch = CodeBatch.objects.get()
    pdf = desk.post(staff(round, "-fetch", batch=batch.pk))
    assert pdf.content.startswith(b"%PDF")
    assert "no-store" in pdf["Cache-Control"]
    again = desk.post(staff(round, "-fetch", batch=batch.pk), follow=True)
    assert "can&#x27;t be shown again" in text_of(again)
    assert "Fetch the PDF" not in text_of(desk.get(staff(round)))
    actions_told = set(Entry.objects.filter(object_type="budgets.codebatch").values_list("action", flat=True))
    assert actions_told == {"budgets.make_codes", "budgets.print_codes"}


def test_letters_are_counted_first_and_made_when_one_is_sure(desk: Client, round: Round) -> None:
    for _ in range(3):
        make_resident(digital_post=False)
    make_resident()
    body = {"name": "Uden Digital Post", "without_digital_post": "on"}
    asked = desk.post(staff(round, "-letters"), body)
    assert "3 people fit" in text_of(asked)
    assert not CodeBatch.objects.exists()
    desk.post(staff(round, "-letters"), body | {"sure": "3"})
    assert CodeBatch.objects.get().amount == 3


def test_one_letter_by_name_and_birth_date_and_a_protected_address_is_not_shown(
    desk: Client, round: Round
) -> None:
    from datetime import date

    born = date(1950, 1, 2)
    hidden = make_resident(birth_date=born, name="Aksel Hansen", address="Hemmelig Vej 1", protected=True)
    make_resident(birth_date=born, name="Aksel Hansen", address="Torvet 1")
    make_resident(birth_date=born, name="Birthe Holm")
    body = {"name": "aksel hansen", "birth_date": "1950-01-02"}
    page = text_of(desk.post(staff(round, "-one"), body))
    assert "Torvet 1" in page
    assert "the address is protected" in page
    assert "Hemmelig" not in page
    assert "Birthe" not in page
    desk.post(staff(round, "-one"), body | {"resident": str(hidden.pk)})
    batch = CodeBatch.objects.get()
    assert batch.codes.get().person_id == hidden.person_id
    told = text_of(desk.get(staff(round)))
    assert "Aksel" not in told
    assert "Have voted" not in told  # of one person it isn't shown
    assert "Torvet 1" in text_of(desk.post(staff(round, "-one"), body | {"name": "HANSEN Áksel"}))
    nobody = desk.post(staff(round, "-one"), {"name": "Ukendt", "birth_date": "1950-01-02"})
    assert "Nobody with this name" in text_of(nobody)


def test_blocking_asks_for_a_reason_and_says_so_on_the_list(desk: Client, round: Round) -> None:
    codes_for_class(round, 6)
    batch = CodeBatch.objects.get()
    assert desk.post(staff(round, "-block", batch=batch.pk), {"reason": ""}).status_code == 200
    page = text_of(
        desk.post(staff(round, "-block", batch=batch.pk), {"reason": "Tabt i posten"}, follow=True)
    )
    assert "Tabt i posten" in page
    batch.refresh_from_db()
    assert batch.blocked_at is not None
    assert not Incident.objects.exists()  # only when it is ticked


def test_a_block_can_be_told_in_public_without_the_name_of_the_class(desk: Client, round: Round) -> None:
    codes_for_class(round, 6)
    batch = CodeBatch.objects.get()
    desk.post(staff(round, "-block", batch=batch.pk), {"reason": "Tabt i posten", "public": "on"})
    assert Incident.objects.get().text == "6 voting codes were blocked: Tabt i posten"
    assert batch.name not in Incident.objects.get().text


def test_staff_see_how_many_and_open_for_a_school(desk: Client, round: Round) -> None:
    clear = codes_for_class(round, 6)
    cast(tablet(), round, clear[0])
    for _ in range(guessing.MOST + 3):
        enter(tablet(), round, another())
    page = text_of(desk.get(staff(round)))
    assert f"{guessing.MOST} guesses" in page
    assert "3 attempts while locked" in page
    lock = CodeLock.objects.get()
    desk.post(staff(round, "-unlock", lock=lock.pk))
    assert enter(tablet(), round, clear[1]).status_code == 200
    assert CodeLock.objects.aggregate(all=Sum("refused"))["all"] == 3


def test_the_list_asks_as_much_at_two_batches_as_at_twenty(desk: Client, round: Round) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(staff(round)).status_code == 200
        return len(captured)

    for _ in range(2):
        codes_for_class(round, 5)
    few = asked()
    for _ in range(18):
        codes_for_class(round, 5)
    assert asked() == few
