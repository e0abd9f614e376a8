"""Another try, another way, and forgetting: a person decides, and what is deleted is gone."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from accounts.verdict import Refused
from audit import clock
from mailouts import actions, queue
from mailouts.choices import Channel, Stage, State
from mailouts.models import Attempt, Campaign, Delivery, ListedRecipient, PrintBatch, Receipt, Source
from mailouts.receipts import Told
from mailouts.report import failures, report_of
from mailouts.tasks import delete_old_content, make_prints, send_letters
from tests.accounts.factories import make_resident
from tests.mailouts.factories import Gateway, bring_to, make_campaign

pytestmark = pytest.mark.django_db


def failing(gateway: type[Gateway], answers: list[str], **fields: Any) -> Campaign:
    for _answer in answers:
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING, **fields)
    gateway.answers = answers
    send_letters()
    return Campaign.objects.get(pk=campaign.pk)


def again(campaign: Campaign, state: str = State.FAILED, **more: Any) -> int:
    return actions.send_again(campaign=campaign, by=campaign.created_by, state=state, **more)


def test_what_is_uncertain_needs_somebody_who_knows(gateway: type[Gateway]) -> None:
    campaign = failing(gateway, ["silent", "ok"])
    assert campaign.stage == Stage.DONE
    for more in ({}, {"other_way": True}):
        with pytest.raises(Refused) as refused:
            again(campaign, State.UNCERTAIN, **more)
        assert (refused.value.code, refused.value.field) == ("unsure", "uncertain_checked")
    before = campaign.deliveries.get(state=State.UNCERTAIN)
    assert again(campaign, State.UNCERTAIN, uncertain_checked=True) == 1
    after = Delivery.objects.get(pk=before.pk)
    assert after.message_uuid != before.message_uuid
    assert (after.state, after.attempts, after.left_at) == (State.QUEUED, 0, None)
    attempt = Attempt.objects.get()
    assert (attempt.message_uuid, attempt.state) == (before.message_uuid, State.UNCERTAIN)
    assert attempt.by == campaign.created_by
    campaign.refresh_from_db()
    assert (campaign.stage, campaign.ended_at) == (Stage.SENDING, None)
    assert send_letters() == 1
    campaign.refresh_from_db()
    assert campaign.stage == Stage.DONE


@pytest.mark.parametrize("state", sorted(set(State.values) - {"failed", "uncertain"} | {"", "x", "\x00"}))
def test_nothing_else_is_sent_again(state: str, gateway: type[Gateway]) -> None:
    campaign = failing(gateway, ["ok"])
    with pytest.raises(Refused) as refused:
        again(campaign, state, uncertain_checked=True)
    assert refused.value.code == "not_these"


def test_one_line_of_the_failures_at_a_time(gateway: type[Gateway]) -> None:
    """By reason and by way: the button under one reason doesn't send what failed for another."""
    make_resident(digital_post=False)
    for _number in range(4):
        make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    gateway.answers = ["final"] * 5
    send_letters()
    digital = campaign.deliveries.filter(channel="digital", state=State.FAILED)
    assert digital.count() >= 2
    campaign.deliveries.filter(pk=digital[0].pk).update(failure_code="gave_up")
    found = {(line["failure_code"], line["channel"]): line["count"] for line in failures(campaign)}
    assert found == {("refused", "paper"): 1, ("refused", "digital"): 3, ("gave_up", "digital"): 1}
    assert again(campaign, code="refused", channel="paper") == 1
    assert campaign.deliveries.get(state=State.QUEUED).channel == Channel.PAPER
    assert again(campaign, code="gave_up") == 1
    assert again(campaign, code="findes ikke") == 0


def test_the_same_way_or_another(gateway: type[Gateway]) -> None:
    campaign = failing(gateway, ["final", "final"])
    assert again(campaign, other_way=True) == 2
    assert set(campaign.deliveries.values_list("channel", "state")) == {("paper", "queued")}
    gateway.answers = ["final", "final"]
    send_letters()
    assert again(campaign, other_way=True) == 0, "both ways have been tried"
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.FAILED}
    assert again(campaign) == 2
    assert set(campaign.deliveries.values_list("channel", flat=True)) == {"paper"}
    assert Attempt.objects.count() == 4


@pytest.mark.parametrize("policy", ["digital", "paper"])
def test_only_an_automatic_mailout_has_another_way(policy: str, gateway: type[Gateway]) -> None:
    campaign = failing(gateway, ["final"], policy=policy)
    assert again(campaign, other_way=True) == 0


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.FROZEN, Stage.APPROVED])
def test_not_before_it_has_begun(stage: str) -> None:
    make_resident()
    campaign = make_campaign(stage=stage)
    with pytest.raises(Refused):
        again(campaign)


def test_not_of_a_stopped_one_nor_when_the_content_is_gone(gateway: type[Gateway]) -> None:
    campaign = failing(gateway, ["final"])
    with clock.frozen(clock.now() + timedelta(days=200)):
        assert actions.delete_content(campaign=campaign)
        with pytest.raises(Refused) as refused:
            again(campaign)
    assert refused.value.code == "content_gone"
    with pytest.raises(Refused) as refused:
        actions.copy_campaign(campaign=Campaign.objects.get(), by=campaign.created_by)
    assert refused.value.code == "content_gone"
    other = failing(gateway, ["final", "lost"])
    Campaign.objects.filter(pk=other.pk, stage=Stage.DONE).update(stage=Stage.SENDING)
    actions.stop(campaign=other, by=other.created_by, reason="Fejl")
    with pytest.raises(Refused) as refused:
        again(other)
    assert refused.value.code == "not_sent"


# Forgetting

CANARY = "Kanariefugl"


def everything() -> dict[str, str]:
    """Every table as text; encrypted columns decrypted, as whoever has the keys could."""
    from accounts.fields import EncryptedTextField

    found = {}
    for model in apps.get_models():
        if not model._meta.managed or model._meta.proxy:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{model._meta.db_table}" t')
            found[model._meta.db_table] = cursor.fetchone()[0] or ""
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                values = model._base_manager.values_list(field.attname, flat=True)
                found[model._meta.db_table] += "\n".join(str(value) for value in values)
    return found


def places(word: str) -> set[str]:
    return {table for table, text in everything().items() if word in text}


def with_canaries(gateway: type[Gateway]) -> Campaign:
    """A mailout that has left a trace in each of its tables."""
    campaign = make_campaign(
        kind="list",
        policy="paper",
        paper_route="batch",
        text=f"Kære {{navn}}\n\n{CANARY} i teksten.",
        english_text=f"{CANARY} in English",
        action_kind="link",
        action_label="Se",
        action_url=f"https://example.dk/{CANARY}",
    )
    by = campaign.created_by
    lines = f"navn;adresse;postnr;by\n{CANARY} Jensen;{CANARY}vej 1;9999;Lunde\nBo Holm;Torvet 2;9999;Lunde"
    actions.add_list(campaign=campaign, by=by, name=f"{CANARY}liste", text=lines)
    actions.add_source(campaign=campaign, by=by, kind="addresses", params={"lines": [f"{CANARY}vej 1-9"]})
    make_resident()
    campaign = bring_to(campaign, Stage.SENDING, by=by)
    make_prints()
    return Campaign.objects.get(pk=campaign.pk)


def test_when_its_time_has_come_nothing_tells_who_got_it(gateway: type[Gateway]) -> None:
    campaign = with_canaries(gateway)
    for batch in PrintBatch.objects.all():
        actions.fetch_print(batch=batch, by=campaign.created_by)
    actions.finish(campaign=campaign)
    one = campaign.deliveries.first()
    assert one is not None
    campaign.deliveries.filter(pk=one.pk).update(state=State.FAILED)
    again(campaign)
    one.refresh_from_db()
    actions.note_receipt(told=Told("d" * 64, one.message_uuid, Receipt.Status.FAILED, "", CANARY))
    first = Attempt.objects.get()
    actions.note_receipt(told=Told("e" * 64, first.message_uuid, Receipt.Status.FAILED, "", CANARY))
    make_prints()
    assert PrintBatch.objects.count() == 2
    actions.fetch_print(batch=PrintBatch.objects.latest("number"), by=campaign.created_by)
    actions.finish(campaign=campaign)
    campaign.refresh_from_db()
    assert campaign.stage == Stage.DONE
    before = places(CANARY)
    assert before >= {
        "mailouts_campaign",
        "mailouts_source",
        "mailouts_listedrecipient",
        "mailouts_receipt",
        "mailouts_attempt",
    }, "the search finds what is there"
    assert PrintBatch.objects.get(number=1).pdf
    numbers = report_of(campaign)
    ended = campaign.ended_at
    assert ended is not None

    with clock.frozen(ended + timedelta(days=campaign.keep_days) - timedelta(seconds=1)):
        assert delete_old_content() == 0
        assert not actions.delete_content(campaign=campaign)
    assert places(CANARY) == before
    with clock.frozen(ended + timedelta(days=campaign.keep_days)):
        assert delete_old_content() == 1
        assert delete_old_content() == 0
    assert places(CANARY) == set()
    for model in (Delivery, Attempt, Receipt, PrintBatch, ListedRecipient, Source):
        assert not model._base_manager.exists(), model
    campaign.refresh_from_db()
    kept = report_of(campaign)
    assert (kept.total, kept.arrived, kept.rows) == (numbers.total, numbers.arrived, numbers.rows)
    assert kept.total == 2


def test_a_stopped_one_is_deleted_too_and_nothing_before_it_is_over(gateway: type[Gateway]) -> None:
    make_resident()
    late = clock.now() + timedelta(days=2000)
    for stage in (Stage.DRAFT, Stage.FROZEN, Stage.APPROVED, Stage.SENDING, Stage.PAUSED):
        campaign = make_campaign(stage=stage, earlier="include")
        with clock.frozen(late):
            assert not actions.delete_content(campaign=campaign)
    actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl")
    with clock.frozen(late):
        assert actions.delete_content(campaign=campaign)
    campaign.refresh_from_db()
    assert campaign.totals == {"states": [["digital", "cancelled", 1]]}


def test_days_count_from_the_last_end(gateway: type[Gateway]) -> None:
    campaign = failing(gateway, ["final"], keep_days=10)
    with clock.frozen(clock.now() + timedelta(days=8)):
        again(campaign)
        send_letters()
    with clock.frozen(clock.now() + timedelta(days=12)):
        assert delete_old_content() == 0
    with clock.frozen(clock.now() + timedelta(days=19)):
        assert delete_old_content() == 1


# The register


def test_without_a_register_letters_wait_and_go_on_when_there_is_one(gateway: type[Gateway]) -> None:
    """Nobody has moved because an extract is too old."""
    from accounts.models import RegisterExtract
    from mailouts.report import troubles

    make_resident()
    campaign = make_campaign(stage=Stage.SENDING)
    until = RegisterExtract.objects.get().valid_until
    RegisterExtract.objects.update(valid_until=clock.today())
    late = clock.now() + timedelta(days=3)
    with clock.frozen(late):
        assert send_letters() == 0
        assert set(campaign.deliveries.values_list("state", flat=True)) == {State.QUEUED}
        assert len(troubles(campaign)) == 1
        RegisterExtract.objects.update(valid_until=until)
        assert troubles(campaign) == []
        assert send_letters() == 1
    assert len(gateway.taken) == 1


def test_without_a_register_nothing_is_printed_either(gateway: type[Gateway]) -> None:
    from accounts.models import RegisterExtract

    make_resident()
    campaign = make_campaign(stage=Stage.SENDING, policy="paper", paper_route="batch")
    RegisterExtract.objects.update(valid_until=clock.today())
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert make_prints() == 0
    assert campaign.deliveries.get().state == State.QUEUED
    assert make_prints() == 1


def test_the_queue_is_left_alone_by_what_belongs_to_no_mailout() -> None:
    assert queue.claim(None)[1] == []
