"""The personal voting code in a letter: on paper only, one that counts for each person, gone from here when it has left."""

import io
import logging
import re
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import Resident
from accounts.verdict import Refused
from audit import clock
from audit.models import Entry
from budgets import actions as budget_actions
from budgets import codes
from budgets.models import Ballot, CodeBatch, Round, VotingCode
from mailouts import actions, content, queue, recipients, tasks
from mailouts.choices import PaperRoute, Policy, Stage, State
from mailouts.memo_rules import problems_in
from mailouts.models import Campaign, Delivery, PrintBatch
from participation.models import ProcessCampaign
from tests.accounts.factories import make_organisation_user, make_resident
from tests.budgets import factories as make
from tests.budgets.code_factories import letter_for
from tests.budgets.test_races import together
from tests.budgets.test_secrecy import everything, places
from tests.mailouts.factories import Gateway, bring_to, make_campaign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("english")]
TEXT = "Kære {fornavn}\n\nDu kan stemme nu: {kode}"
CODE = re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{5}\b")
EXAMPLE = "K7QM-4X2P-9RTBA"


@pytest.fixture(autouse=True)
def _pages_in_english(settings: Any) -> None:
    """They say what the code says, whether or not the catalogue has been compiled."""
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def round() -> Round:
    made = make.make_round()
    TOTP.activate(made.process.owner, generate_totp_secret())
    return made


def mailout(round: Round, *, stage: str = Stage.SENDING, **fields: Any) -> Campaign:
    process = round.process
    kind, source = fields.pop("kind", "register"), fields.pop("source", {})
    campaign = make_campaign(
        by=process.owner, unit=process.unit, kind=kind, source=source, **{"text": TEXT} | fields
    )
    ProcessCampaign.objects.create(campaign=campaign, process=process)
    return bring_to(campaign, stage, by=process.owner)


def on_paper(**fields: Any) -> Resident:
    return make_resident(**{"digital_post": False} | fields)


def words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def code_in(pdf: bytes) -> str:
    """The one code of a letter, as it is typed."""
    (found,) = set(CODE.findall(words(pdf)))
    return str(found)


def cast(round: Round, code: str) -> None:
    found = codes.find(codes.plain(code), round.process)
    assert found is not None
    budget_actions.cast_with_code(round=make.again(round), code=found, choices=[("1", 1)], tracker=None)


def refusal(round: Round, code: str) -> str:
    with pytest.raises(Refused) as refused:
        cast(round, code)
    return refused.value.code


def print_route(round: Round, **fields: Any) -> PrintBatch:
    """One part, made ready for our own printer."""
    campaign = mailout(round, policy=Policy.PAPER, paper_route=PaperRoute.BATCH, **fields)
    assert tasks.make_prints() == 1
    return campaign.print_batches.get()


def test_the_code_on_paper_opens_the_door_and_gives_one_vote(gateway: type[Gateway], round: Round) -> None:
    resident = on_paper()
    mailout(round)
    assert tasks.send_letters() == 1
    (pdf,) = gateway.papers
    code = code_in(pdf)
    assert words(pdf).count(code) == 2  # where the letter says it, and in large print beside the square
    assert f"/borgerbudget/{round.process.slug}/kode/" in words(pdf).replace("\n", "")

    door = Client().post(
        reverse("budgets:code", args=[round.process.slug]), {"step": "enter", "voting_code": code}
    )
    assert door.status_code == 200
    assert 'name="admission"' in door.content.decode()
    cast(round, code)
    assert Ballot.objects.count() == 1
    assert refusal(round, code) == "used"
    found = VotingCode.objects.get()
    assert found.person_id == resident.person_id
    assert found.hmac == codes.stored_as(codes.plain(code))


def test_the_square_leads_to_the_door_with_the_code_after_the_hash(
    gateway: type[Gateway], round: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailouts import paper

    drawn = []
    qr = paper.qr
    monkeypatch.setattr(paper, "qr", lambda address: drawn.append(address) or qr(address))
    on_paper()
    mailout(round, action_kind="link", action_label="Se mere", action_url="https://deltag.example.dk/x/")
    drawn.clear()  # the test letter had an example
    tasks.send_letters()
    door = reverse("budgets:code", args=[round.process.slug])
    assert [address.partition(door)[2] for address in drawn] == [f"#{code_in(gateway.papers[0])}"]


def test_digital_post_and_email_say_to_vote_with_mitid(gateway: type[Gateway], round: Round) -> None:
    make_resident()
    paper_letter = on_paper()
    mailout(round)
    tasks.send_letters()
    assert len(gateway.taken) == 2
    for _uuid, _choice, xml in gateway.taken:  # also the message that goes beside a letter on paper
        message, wrong = problems_in(xml, now=clock.now())
        assert wrong == []
        assert message is not None
        assert message.body is not None
        text = message.body.main.files[0].decoded().decode()
        assert "MitID" in text
        assert not CODE.search(text)
    assert list(VotingCode.objects.values_list("person", flat=True)) == [paper_letter.person_id]


def test_the_words_in_place_of_the_code_are_in_the_letters_own_language(round: Round) -> None:
    campaign = mailout(round, stage=Stage.DRAFT, english_text="Dear {fornavn}\n\nVote: {kode}")
    prepared = content.Prepared.of(campaign)
    assert prepared.off_paper["en"] == {"kode": "Vote with MitID"}
    assert prepared.off_paper["da"] == {"kode": "Stem med MitID"}
    who = recipients.Recipient(1, campaign.pk, "email", 0, english=True, name="A B", email="a@b.dk")
    assert "Vote: Vote with MitID" in prepared.email(who).body


def test_the_code_is_nowhere_but_on_the_paper(
    gateway: type[Gateway], round: Round, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    on_paper()
    campaign = mailout(round)
    tasks.send_letters()
    code = code_in(gateway.papers[0])
    assert places(code) == set()
    assert code not in caplog.text
    assert code.replace("-", "") not in caplog.text
    person = recipients.Recipient(1, campaign.pk, "paper", 0, extra={"kode": code})
    assert code not in repr(person)
    assert code not in repr(recipients.Filled(code))
    on_paper()
    batch = print_route(round, earlier="include")
    rows = everything()
    actions.fetch_print(batch=batch, by=round.process.owner)
    for each in CODE.findall(words(gateway.papers[0])):
        assert places(each, rows) == set()


def test_who_may_not_vote_is_left_out_and_the_reason_is_shown(
    gateway: type[Gateway], client: Client, round: Round
) -> None:
    on_paper()
    on_paper(birth_date=clock.today() - timedelta(days=14 * 365))
    campaign = mailout(round, stage=Stage.DRAFT, source={"age_from": 10})
    make_organisation_user()
    actions.add_source(campaign=campaign, by=round.process.owner, kind="organisations", params={})
    campaign = actions.build_list(campaign=campaign)
    assert campaign.list_numbers["letters"] == 1
    assert campaign.list_numbers["left_out"] == {"may_not_vote": 2}
    client.force_login(round.process.owner)
    page = client.get(reverse("admin:mailout-recipients", args=[campaign.pk])).content.decode()
    assert "2 may not vote by the rules of this vote" in page


def test_who_may_vote_no_longer_when_the_letter_leaves_gets_none(
    gateway: type[Gateway], client: Client, round: Round
) -> None:
    stays, other = on_paper(), on_paper()
    campaign = mailout(round)
    Resident.objects.filter(pk=other.pk).update(birth_date=date(clock.today().year - 3, 1, 1))
    assert tasks.send_letters() == 1
    assert len(gateway.papers) == 1
    left = campaign.deliveries.get(person=other.person_id)
    assert (left.state, left.failure_code) == (State.LEFT_OUT, "may_not_vote")
    assert list(VotingCode.objects.values_list("person", flat=True)) == [stays.person_id]
    campaign.refresh_from_db()
    assert campaign.stage == Stage.DONE
    client.force_login(round.process.owner)
    page = client.get(reverse("admin:mailout-failures", args=[campaign.pk])).content.decode()
    assert "1 may not vote by the rules of this vote" in page


def test_one_who_has_voted_gets_a_letter_like_everybody_and_no_second_vote(
    gateway: type[Gateway], round: Round
) -> None:
    """What is noted of a letter outlives the roll: it must not tell who had voted."""
    resident = on_paper()
    first = letter_for(round, resident)
    cast(round, first)
    mailout(round)
    assert tasks.send_letters() == 1
    assert refusal(round, code_in(gateway.papers[0])) == "used"
    assert Ballot.objects.count() == 1
    sums = codes.tally_by_kind(round)
    assert [(one.made, one.used, one.blocked, one.unused) for one in sums] == [(2, 1, 1, 0)]


def test_sent_again_it_has_a_new_code_and_the_old_one_is_blocked(
    gateway: type[Gateway], round: Round
) -> None:
    on_paper()
    campaign = mailout(round)
    gateway.answers = ["silent"]  # it took the letter, and we never heard
    tasks.send_letters()
    assert campaign.deliveries.get().state == State.UNCERTAIN
    actions.send_again(campaign=campaign, by=round.process.owner, state="uncertain", uncertain_checked=True)
    assert tasks.send_letters() == 1
    old, new = (code_in(pdf) for pdf in gateway.papers)
    assert refusal(round, old) == "replaced"
    cast(round, new)
    batch = CodeBatch.objects.get()
    assert (batch.amount, batch.mailout, batch.name) == (2, campaign, campaign.title)
    assert [
        entry.values["replaced"] for entry in Entry.objects.filter(action="budgets.make_codes").order_by("pk")
    ] == [0, 1]


def test_a_worker_that_dies_after_the_code_was_made(gateway: type[Gateway], round: Round) -> None:
    on_paper()
    campaign = mailout(round)
    _claim, ids = queue.claim(campaign)
    (lost,) = recipients.read(ids, fields=frozenset({"kode"}))
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        assert tasks.send_letters() == 1
    assert VotingCode.objects.filter(blocked=False).count() == 1
    assert refusal(round, lost.extra["kode"]) == "replaced"
    cast(round, code_in(gateway.papers[0]))


def test_an_older_letter_of_the_budget_is_replaced_too(gateway: type[Gateway], round: Round) -> None:
    resident = on_paper()
    older = letter_for(round, resident)
    mailout(round)
    tasks.send_letters()
    assert refusal(round, older) == "replaced"
    cast(round, code_in(gateway.papers[0]))


def test_a_code_of_a_blocked_batch_is_followed_by_one_in_a_new_batch(
    gateway: type[Gateway], round: Round
) -> None:
    on_paper()
    campaign = mailout(round)
    gateway.answers = ["silent"]
    tasks.send_letters()
    budget_actions.block_batch(batch=CodeBatch.objects.get(), reason="Tabt i posten", by=round.process.owner)
    actions.send_again(campaign=campaign, by=round.process.owner, state="uncertain", uncertain_checked=True)
    tasks.send_letters()
    assert CodeBatch.objects.filter(mailout=campaign).count() == 2
    cast(round, code_in(gateway.papers[-1]))


def test_a_code_each_however_many_make_them_at_once(round: Round) -> None:
    people = {on_paper().person_id for _number in range(6)}
    campaigns = [mailout(round), mailout(round, subject="Et andet brev")]

    def make_them(campaign: Campaign, persons: set[Any]) -> Any:
        return lambda: budget_actions.make_mailed_codes(
            campaign=campaign, process=round.process, phase=round.phase, persons=persons
        )

    some = set(sorted(people)[:3])
    said = together(
        [
            make_them(campaigns[0], some),
            make_them(campaigns[0], people - some),
            make_them(campaigns[1], people),
        ]
    )
    assert [one for one in said if not isinstance(one, dict)] == []
    live = VotingCode.objects.filter(blocked=False)
    assert sorted(live.values_list("person", flat=True)) == sorted(people)
    assert set(live.values_list("hmac", flat=True)) <= {
        codes.stored_as(c) for one in said for c in one.values()
    }
    made = dict(CodeBatch.objects.values_list("mailout", "amount"))
    assert made == {campaigns[0].pk: 6, campaigns[1].pk: 6}
    assert VotingCode.objects.count() == 12


def test_the_database_holds_one_open_batch_for_a_mailout_and_a_round(round: Round) -> None:
    on_paper()
    campaign = mailout(round)
    row = {
        "process": round.process,
        "phase": round.phase,
        "kind": "personal",
        "name": "x",
        "amount": 1,
        "mailout": campaign,
        "made_at": clock.now(),
    }
    CodeBatch.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        CodeBatch.objects.create(**row)


def test_our_own_print_is_fetched_once(gateway: type[Gateway], round: Round) -> None:
    on_paper()
    on_paper()
    batch = print_route(round)
    assert batch.once
    pdf = actions.fetch_print(batch=batch, by=round.process.owner)
    found = set(CODE.findall(words(pdf)))
    assert len(found) == 2
    for code in found:
        cast(round, code)
    batch.refresh_from_db()
    assert batch.pdf == ""
    with pytest.raises(Refused) as refused:
        actions.fetch_print(batch=batch, by=round.process.owner)
    assert refused.value.code == "gone"
    assert Ballot.objects.count() == 2


def test_a_print_without_codes_may_be_fetched_again(gateway: type[Gateway], round: Round) -> None:
    on_paper()
    batch = print_route(round, text="Kære {navn}")
    assert not batch.once
    by = round.process.owner
    assert actions.fetch_print(batch=batch, by=by) == actions.fetch_print(batch=batch, by=by)
    with pytest.raises(Refused):
        actions.lose_print(batch=batch, by=by)


def test_a_print_that_was_lost_is_made_anew_with_new_codes(
    gateway: type[Gateway], client: Client, round: Round
) -> None:
    on_paper()
    batch = print_route(round)
    by, campaign = round.process.owner, batch.campaign
    with pytest.raises(Refused):
        actions.lose_print(batch=batch, by=by)
    old = code_in(actions.fetch_print(batch=batch, by=by))
    client.force_login(by)
    page = client.get(reverse("admin:mailout", args=[campaign.pk])).content.decode()
    assert "The letters are lost" in page
    answer = client.post(reverse("admin:mailout-print-lost", args=[campaign.pk, batch.number]), follow=True)
    assert "Fetched for printing, and lost" in answer.content.decode()
    with pytest.raises(Refused):
        actions.lose_print(batch=batch, by=by)
    assert actions.send_again(campaign=campaign, by=by, state="failed", code="print_lost") == 1
    assert tasks.make_prints() == 1
    new = code_in(actions.fetch_print(batch=campaign.print_batches.get(number=2), by=by))
    assert refusal(round, old) == "replaced"
    cast(round, new)


def test_a_print_that_nobody_fetches_is_destroyed_after_a_week(
    gateway: type[Gateway], client: Client, round: Round
) -> None:
    on_paper()
    batch = print_route(round)
    now = clock.now()
    with clock.frozen(now + timedelta(days=6, hours=23)):
        assert actions.forget_prints() == 0
    with clock.frozen(now + timedelta(days=7, hours=1)):
        tasks.delete_old_content()
    batch.refresh_from_db()
    assert batch.pdf == ""
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.failure_code) == (State.FAILED, "print_not_fetched")
    with pytest.raises(Refused) as refused:
        actions.fetch_print(batch=batch, by=round.process.owner)
    assert refused.value.code == "gone"
    assert actions.forget_prints() == 0
    client.force_login(round.process.owner)
    assert "Nobody fetched it in time" in client.get(batch.campaign.get_absolute_url()).content.decode()


def test_a_stopped_mailouts_print_is_destroyed(gateway: type[Gateway], round: Round) -> None:
    on_paper()
    batch = print_route(round)
    actions.stop(campaign=batch.campaign, by=round.process.owner, reason="Forkert brev")
    assert actions.forget_prints() == 1
    batch.refresh_from_db()
    assert batch.pdf == ""
    assert Delivery.objects.get().state == State.CANCELLED


def test_fetching_twice_at_once_gives_the_pdf_to_one(gateway: type[Gateway], round: Round) -> None:
    on_paper()
    batch = print_route(round)
    by = round.process.owner
    said = together([lambda: actions.fetch_print(batch=batch, by=by)] * 3)
    assert sum(isinstance(one, bytes) for one in said) == 1
    assert [one.code for one in said if not isinstance(one, bytes)] == ["gone", "gone"]


def test_when_the_vote_is_over_no_letter_leaves_and_the_reason_stands(
    gateway: type[Gateway], client: Client, round: Round
) -> None:
    on_paper()
    make_resident()
    campaign = mailout(round)
    make.close(round)
    assert tasks.send_letters() == 0
    assert set(campaign.deliveries.values_list("state", "failure_code")) == {("failed", "not_filled")}
    assert gateway.taken == []
    assert not VotingCode.objects.exists()
    client.force_login(round.process.owner)
    page = client.get(reverse("admin:mailout-failures", args=[campaign.pk])).content.decode()
    assert "This vote is over." in page


def test_the_letter_is_refused_where_there_is_no_vote(round: Round) -> None:
    process = round.process
    loose = make_campaign(by=process.owner, unit=process.unit, text=TEXT)
    (problem,) = content.problems(loose)
    assert "is about no vote" in problem
    with pytest.raises(Refused):
        actions.send_test(campaign=loose, by=process.owner)
    tied = mailout(round, stage=Stage.DRAFT)
    assert content.problems(tied) == []
    tied.english_text = "Dear {fornavn}"
    assert [problem.partition(" ")[0] for problem in content.problems(tied)] == ["{kode}"]
    tied.english_text = ""
    make.close(round)
    assert content.problems(tied) == ["This vote is over."]
    without = make_campaign(by=process.owner, unit=process.unit)
    assert content.problems(without) == []


def test_previews_and_the_test_letter_show_an_example_and_make_no_code(
    gateway: type[Gateway], client: Client, mailoutbox: list[Any], round: Round
) -> None:
    on_paper()
    make_resident(name="Ditte Digital")
    campaign = mailout(round, stage=Stage.FROZEN)
    (letter,) = mailoutbox
    assert "MitID" in letter.body
    assert EXAMPLE not in letter.body
    assert words(letter.attachments[0][1]).count(EXAMPLE) == 2
    client.force_login(round.process.owner)
    for delivery in campaign.deliveries.all():
        page = client.get(reverse("admin:mailout-preview-one", args=[campaign.pk, delivery.pk]))
        assert (EXAMPLE in page.content.decode()) == (delivery.channel == "paper")
        pdf = client.get(reverse("admin:mailout-preview-pdf", args=[campaign.pk, delivery.pk]))
        assert EXAMPLE in words(pdf.content)
    assert not VotingCode.objects.exists()
    assert not CodeBatch.objects.exists()


def test_the_budgets_own_page_tells_of_the_batch_and_that_it_needs_no_fetching(
    gateway: type[Gateway], client: Client, round: Round
) -> None:
    on_paper()
    campaign = mailout(round)
    tasks.send_letters()
    client.force_login(round.process.owner)
    page = client.get(reverse("admin:budget-codes", args=[round.process.pk])).content.decode()
    assert campaign.get_absolute_url() in page
    assert "never fetched" not in page


def test_a_short_text_on_the_phone_asks_for_no_code(gateway: type[Gateway], round: Round) -> None:
    on_paper()
    mailout(round, policy=Policy.NEMSMS, sms_text="Husk at stemme")
    assert tasks.send_letters() == 1
    assert not VotingCode.objects.exists()


def test_queries_stay_the_same_for_a_larger_batch(gateway: type[Gateway], round: Round) -> None:
    def queries(campaign: Campaign) -> int:
        _claim, ids = queue.claim(campaign)
        with CaptureQueriesContext(connection) as seen:
            recipients.read(ids, fields=frozenset({"kode"}))
        return len(seen)

    on_paper()
    few = queries(mailout(round))
    for _number in range(20):
        on_paper()
    assert queries(mailout(round, subject="Et brev til mange")) <= few + 1
