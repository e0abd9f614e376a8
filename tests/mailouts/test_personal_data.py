"""What somebody gets when they ask which letters they were sent, and what stays when they leave."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts import actions as accounts
from accounts import persons
from accounts.models import Person, User
from accounts.personal_data import export
from audit import clock
from mailouts import actions
from mailouts.choices import Stage, State
from mailouts.models import Delivery
from mailouts.permissions import can_hold
from mailouts.tasks import delete_old_content, send_letters
from tests.accounts.factories import make_resident
from tests.mailouts.factories import Gateway, make_campaign
from tests.mailouts.test_building import account

pytestmark = pytest.mark.django_db


def citizen(**fields: Any) -> User:
    found: User = account("karen@example.dk", person=make_resident(**fields).person)
    return found


def test_the_file_says_which_letters_they_were_sent(gateway: type[Gateway]) -> None:
    user = citizen()
    other: User = account("bo@example.dk", person=make_resident().person)
    campaign = make_campaign(stage=Stage.SENDING, subject="Om legepladsen")
    send_letters()
    found = json.dumps(export(user), ensure_ascii=False)
    assert found.count("Om legepladsen") == 1
    assert campaign.title not in found, "only colleagues see it"
    delivery = campaign.deliveries.get(person=user.person)
    for secret in (delivery.recipient_key, str(delivery.message_uuid), str(other.person_id)):
        assert secret not in found
    assert "Om legepladsen" not in json.dumps(export(account("ny@example.dk")))


def test_an_account_without_a_person_finds_its_letters_too(gateway: type[Gateway]) -> None:
    user = account("bo@example.dk")
    campaign = make_campaign(kind="list", policy="email", subject="Om søen")
    actions.add_list(campaign=campaign, by=campaign.created_by, name="x", text="email\nbo@example.dk")
    actions.build_list(campaign=campaign)
    assert "Om søen" in json.dumps(export(user), ensure_ascii=False)


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.FROZEN, Stage.APPROVED, Stage.SENDING, Stage.PAUSED])
def test_whoever_leaves_takes_nothing_of_a_mailout_with_them(stage: str, gateway: type[Gateway]) -> None:
    user = citizen()
    make_resident()
    campaign = make_campaign(stage=stage)
    if stage == Stage.DRAFT:
        campaign = actions.build_list(campaign=campaign)
    accounts.delete_account(user=user, by=user)
    assert campaign.deliveries.count() == 2
    if stage not in {Stage.DRAFT}:
        assert can_hold(campaign)
    if stage == Stage.PAUSED:
        actions.resume(campaign=campaign, by=campaign.created_by)
    if stage in {Stage.APPROVED, Stage.SENDING, Stage.PAUSED}:
        assert send_letters() == 2, "as residents they get it all the same"


def test_an_account_that_is_gone_gets_no_email(gateway: type[Gateway]) -> None:
    user = citizen()
    campaign = make_campaign(stage=Stage.SENDING, policy="email")
    accounts.delete_account(user=user, by=user)
    assert send_letters() == 0
    assert campaign.deliveries.get().state in {State.FAILED, State.LEFT_OUT}


def test_a_person_stays_while_a_letter_to_them_is_under_way_and_goes_after(gateway: type[Gateway]) -> None:
    resident = make_resident()
    person = resident.person
    campaign = make_campaign(stage=Stage.SENDING)
    resident.delete()
    assert persons.purge_unneeded() == 0
    actions.stop(campaign=campaign, by=campaign.created_by, reason="Fejl")
    assert persons.purge_unneeded() == 1
    assert not Person.objects.filter(pk=person.pk).exists()
    assert campaign.deliveries.get().person is None
    with clock.frozen(clock.now() + timedelta(days=200)):
        assert delete_old_content() == 1
    assert not Delivery.objects.exists()


def test_who_wrote_and_approved_can_be_closed_and_it_still_holds() -> None:
    make_resident()
    campaign = make_campaign(stage=Stage.APPROVED)
    author = campaign.created_by
    User.objects.filter(pk=author.pk).update(is_active=False)
    assert can_hold(campaign)
    assert actions.start(campaign=campaign).stage == Stage.SENDING
