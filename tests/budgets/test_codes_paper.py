"""Cards and letters: what is on them, that they are tagged, how long they take, and that they are fetched once."""

import io
import re
import time
from datetime import timedelta

import pytest
import segno
from django.db import connection
from pypdf import PdfReader

from accounts.verdict import Refused
from budgets import actions, cards, codes
from budgets.actions.codes import MADE_AT_ONCE
from budgets.models import CodeBatch, CodePrint, VotingCode
from participation import clock
from tests.accounts.factories import make_resident
from tests.budgets import factories as make
from tests.budgets.code_factories import caught, class_round
from tests.patience import seconds_here

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]


def cards_for(round, amount):
    with caught(draw=True) as clear:
        batch = actions.make_class_codes(
            process=round.process,
            phase=round.phase,
            name="Lunde Skole, 6.B",
            amount=amount,
            by=round.process.owner,
        )
    return batch, clear


def letters_for(round, **chosen):
    with caught(draw=True) as clear:
        batches = actions.make_personal_codes(
            process=round.process,
            phase=round.phase,
            name="Breve",
            chosen=codes.Chosen(**chosen),
            by=round.process.owner,
        )
    return batches, clear


def fetched(batch):
    return actions.fetch_print(batch=batch, by=batch.process.owner)


def pages(content):
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_every_card_has_its_code_a_qr_and_three_steps():
    round = class_round()
    batch, clear = cards_for(round, 30)
    content = fetched(batch)
    text = "\n".join(pages(content))
    for code in clear:
        assert text.count(codes.shown(code)) == 1
        assert codes.find(code, round.process) is not None
    assert len(set(clear)) == 30
    assert text.count("Your voting code") == 30
    assert f"/borgerbudget/{round.process.slug}/kode/" in text.replace("\n", "")
    assert len(pages(content)) == 1 + 4  # a page for the teacher, then eight to a page
    assert text.count("6.B") >= 1


def test_nothing_runs_over_the_cut_however_long_question_and_address_are():
    round = class_round()
    round.process.question, round.process.slug = "Hvad skal pengene " * 11, "a" * 80
    batch = CodeBatch(
        process=round.process, phase=round.phase, kind=CodeBatch.Kind.CLASS, name="6.B", amount=8
    )
    content = cards.printed(batch, [(codes.new_code(), None) for _ in range(8)], at=clock.now())
    page = PdfReader(io.BytesIO(content)).pages[1]
    lines = []

    def seen(text, cm, tm, *_font):
        if text.strip():
            lines.append((text, tm[4] * cm[1] + tm[5] * cm[3] + cm[5]))

    page.extract_text(visitor_text=seen)
    card, top = 6.7 / 2.54 * 72, float(page.mediabox.height) - 1.1 / 2.54 * 72
    assert len(lines) > 8 * 8
    for text, height in lines:
        assert 12 < (top - height) % card < card - 4, text


def test_the_qr_leads_to_the_page_with_the_code_after_the_hash(monkeypatch):
    drawn = []
    make_qr = segno.make

    def make_one(address, **options):
        drawn.append(address)
        return make_qr(address, **options)

    monkeypatch.setattr(segno, "make", make_one)
    round = class_round()
    _batch, (code,) = cards_for(round, 1)
    (address,) = drawn
    assert address.startswith("http")
    assert address.endswith(f"/borgerbudget/{round.process.slug}/kode/#{codes.shown(code)}")


def test_letters_carry_name_and_address_and_protected_ones_come_last():
    round = make.make_round()
    make_resident(name="Aksel Beskyttet", address="Hemmelig Vej 1, 9999 Lunde", protected=True)
    make_resident(name="Karen Jensen", address="Ny Vestergade 7, 2. tv., 9999 Lunde")
    (batch,), clear = letters_for(round)
    first, divider, last = pages(fetched(batch))
    assert "Karen Jensen" in first
    assert "2. tv." in first
    assert codes.shown(clear[0]) in first
    assert "protected addresses" in divider
    assert "Aksel" in last
    assert "Hemmelig Vej 1" in last
    assert codes.shown(clear[1]) in last


@pytest.mark.parametrize("kind", ["cards", "letters"])
def test_the_pdf_is_tagged_and_says_what_its_pictures_are(kind):
    round = class_round()
    make_resident()
    batch = cards_for(round, 3)[0] if kind == "cards" else letters_for(round)[0][0]
    root = PdfReader(io.BytesIO(fetched(batch))).root_object
    assert root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).startswith("en")
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    kinds, alts = seen_in(root["/StructTreeRoot"].get_object())
    assert "/H1" in kinds
    assert kinds.count("/Figure") == len(alts) == (3 if kind == "cards" else 1)
    assert all("QR" in alt for alt in alts)


def seen_in(node):
    """The kinds of the structure tree, and the alternative texts."""
    kinds, alts = [str(node["/S"])] if "/S" in node else [], [str(node["/Alt"])] if "/Alt" in node else []
    children = node.get("/K", [])
    for child in children if isinstance(children, list) else [children]:
        child = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(child, dict):
            below = seen_in(child)
            kinds, alts = kinds + below[0], alts + below[1]
    return kinds, alts


def test_it_is_fetched_once_and_then_nowhere():
    round = class_round()
    batch, _clear = cards_for(round, 2)
    assert fetched(batch).startswith(b"%PDF-")
    with pytest.raises(Refused) as refused:
        fetched(batch)
    assert refused.value.code == "gone"
    assert not CodePrint.objects.exists()
    batch.refresh_from_db()
    assert batch.printed_by == round.process.owner


def test_what_waits_is_encrypted_and_goes_after_a_day():
    round = class_round()
    batch, (code, _other) = cards_for(round, 2)
    stored = bytes(CodePrint.objects.get().content)
    for sign in (code.encode(), codes.shown(code).encode(), b"%PDF"):
        assert sign not in stored
    with pytest.raises(codes.Unreadable):
        codes.unlock(stored, batch=CodeBatch(pk=batch.pk + 1))
    assert actions.tidy_up_codes(at=clock.now() + timedelta(hours=23)) == 0
    assert actions.tidy_up_codes(at=clock.now() + timedelta(hours=25)) == 1


def test_many_are_made_by_the_worker_in_parts_and_one_that_died_is_taken_up():
    round = class_round()
    with caught() as clear:
        batch = actions.make_class_codes(
            process=round.process,
            phase=round.phase,
            name="Alle 6. klasser",
            amount=300,
            by=round.process.owner,
        )
        assert batch.state == CodeBatch.State.WAITING
        assert not VotingCode.objects.exists()
        CodeBatch.objects.update(state="making", claimed_at=clock.now() - timedelta(minutes=1), attempts=1)
        assert actions.make_due_codes() == 0  # another worker is at it
        assert actions.make_due_codes(at=clock.now() + timedelta(minutes=6)) == 1
    batch.refresh_from_db()
    assert (batch.state, VotingCode.objects.count(), len(set(clear))) == ("ready", 300, 300)


def test_after_three_attempts_it_is_given_up():
    round = class_round()
    with caught():
        batch = actions.make_class_codes(
            process=round.process, phase=round.phase, name="x", amount=300, by=round.process.owner
        )
    CodeBatch.objects.update(state="making", claimed_at=clock.now() - timedelta(minutes=9), attempts=3)
    assert actions.make_due_codes() == 0
    batch.refresh_from_db()
    assert batch.state == "failed"


def test_thirty_cards_and_two_thousand_are_made_in_reasonable_time(record_property):
    round = class_round()
    for amount, most_seconds, most_bytes in ((30, 5, 300_000), (2000, 90, 12_000_000)):
        started = time.monotonic()
        batch, clear = cards_for(round, amount)
        if amount > MADE_AT_ONCE:
            with caught(draw=True) as clear:
                actions.make_due_codes()
        took = time.monotonic() - started
        content = fetched(batch)
        print(f"{amount} cards: {took:.1f} s, {len(content) / 1e6:.2f} MB, {len(clear)} codes")
        assert (took < seconds_here(most_seconds), len(content) < most_bytes, len(clear)) == (
            True,
            True,
            amount,
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT hmac) FROM budgets_votingcode")
        assert cursor.fetchone() == (2030,)


def test_the_numbers_on_the_paper_are_plain():
    round = class_round()
    batch, _clear = cards_for(round, 1)
    assert not re.search(r"None|\{|\}", "\n".join(pages(fetched(batch))))
