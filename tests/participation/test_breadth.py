"""Who takes part against whom it touches, and the letter to those who are missing."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import PopulationFigure, User
from accounts.verdict import Refused
from audit import clock
from mailouts import actions as mailing_actions
from mailouts.choices import Stage, State
from mailouts.models import Campaign
from mailouts.tasks import send_letters
from participation import breadth, mailing
from participation.actions import arguments as arguing
from participation.actions import contributions as giving
from participation.actions.mailing import begin_mailout, invite_missing, proposed_amount
from participation.choices import Status
from participation.models import Process, ProcessCampaign
from tests.accounts.factories import make_citizen, make_resident, make_resident_citizen, make_staff, make_unit
from tests.factories import make_process
from tests.mailouts.conftest import gateway  # noqa: F401
from tests.mailouts.factories import Gateway

pytestmark = pytest.mark.django_db
YOUNG, OLD = "age:15-24", "age:65-74"


def population() -> None:
    """Half are young and half are old, women and men alike."""
    PopulationFigure.objects.all().delete()
    for age in (20, 70):
        for sex in "FM":
            PopulationFigure.objects.create(district=None, sex=sex, age=age, people=1000, source="prøve")


def given(process: Process, citizen: User, title: str) -> None:
    giving.give_contribution(
        process=process,
        by=citizen,
        title=title,
        body="Den er god for os alle.",
        detail={"cost_lines": [{"text": "Materialer", "amount": 5000}]},
    )


def give(process: Process, years: int, count: int, sex: str = "F") -> None:
    today = clock.today()
    for number in range(count):
        citizen = make_resident_citizen(birth_date=today.replace(year=today.year - years, day=1), sex=sex)
        given(process, citizen, f"En idé {years} {number}")


@pytest.fixture
def process() -> Process:
    population()
    unit = make_unit()
    made = make_process(status=Status.OPEN, phase="ideas", unit=unit, author=make_staff(units=[unit]))
    breadth.forget(made)
    return made


def test_a_group_under_half_its_share_is_missing(process: Process) -> None:
    give(process, 70, 16, "F")
    give(process, 70, 3, "M")
    give(process, 20, 4, "F")
    found = breadth.measured(process)
    assert (found.participants, found.known) == (23, 23)
    missing = {group.key for group in found.missing()}
    assert missing == {YOUNG, "sex:M"}
    young = found.group(YOUNG)
    assert young is not None
    assert young.participants == 4
    assert round(young.share, 3) == round(4 / 23, 3)
    assert young.reference == 0.5
    assert proposed_amount(young) == 80


def test_with_few_participants_nobody_is_missing(process: Process) -> None:
    give(process, 70, breadth.FEWEST - 1)
    assert breadth.measured(process).missing() == []


def test_someone_who_does_much_counts_once(process: Process) -> None:
    citizen = make_resident_citizen(birth_date=clock.today().replace(year=clock.today().year - 30, day=1))
    for number in range(3):
        given(process, citizen, f"Idé nummer {number} herfra")
    assert breadth.measured(process).participants == 1


def test_the_missing_are_invited_by_lot_and_the_effect_is_shown(
    process: Process,
    gateway: type[Gateway],  # noqa: F811
) -> None:
    give(process, 70, 20)
    today = clock.today()
    young = [make_resident(birth_date=today.replace(year=today.year - 20, day=1)) for _number in range(12)]
    staff, second = process.owner, make_staff(units=[process.unit])

    campaign = invite_missing(process=process, by=staff, key=YOUNG, amount=10)

    tie = ProcessCampaign.objects.get(campaign=campaign)
    assert tie.before["participants"] == 0
    assert "{fornavn}" in campaign.text
    campaign = mailing_actions.build_list(campaign=campaign)
    assert campaign.list_numbers["letters"] == 10
    drawn = set(campaign.deliveries.values_list("person", flat=True))
    assert drawn < {one.person_id for one in young}
    campaign = mailing_actions.send_test(campaign=campaign, by=staff)
    campaign = mailing_actions.freeze(campaign=campaign, by=staff)
    with pytest.raises(Refused) as refused:
        mailing_actions.approve(campaign=campaign, by=staff, typed=10)
    assert refused.value.code == "own_mailout"
    mailing_actions.approve(campaign=campaign, by=second, typed=10)
    assert send_letters() == 10

    came = next(one for one in young if one.person_id in drawn)
    given(process, make_citizen(person=came.person), "Endelig en idé")
    breadth.forget(process)
    effect = mailing.effects(process)[0]
    assert (effect.sent, effect.came, effect.before) == (10, 1, 0.0)
    assert round(effect.now, 4) == round(1 / 21, 4)

    again = invite_missing(process=process, by=staff, key=YOUNG, amount=10)
    again = mailing_actions.build_list(campaign=again)
    assert again.list_numbers["letters"] == 2, "nobody is drawn twice"


def test_a_group_that_is_not_missing_is_not_invited(process: Process) -> None:
    give(process, 70, 20)
    with pytest.raises(Refused) as refused:
        invite_missing(process=process, by=process.owner, key=OLD, amount=10)
    assert refused.value.code == "not_missing"
    assert not Campaign.objects.exists()


def test_letters_to_those_who_took_part_and_those_who_follow(process: Process) -> None:
    give(process, 70, 3)
    supporter = make_resident_citizen()
    contribution = process.contributions.order_by("pk")[0]
    giving.moderate(contribution=contribution, by=process.owner, publish=True)
    arguing.give_support(contribution=contribution, by=supporter)
    from participation.actions.following import follow

    follower = make_resident_citizen()
    follow(process=process, by=follower)
    campaign = begin_mailout(process=process, by=process.owner)
    params = {"process": process.pk, "who": ["took_part"]}
    source = mailing_actions.add_source(campaign=campaign, by=process.owner, kind="process", params=params)
    campaign = mailing_actions.build_list(campaign=campaign)
    assert campaign.list_numbers["letters"] == 4
    mailing_actions.remove_source(source=source, by=process.owner)
    mailing_actions.add_source(
        campaign=campaign, by=process.owner, kind="process", params=params | {"who": ["followers"]}
    )
    campaign = mailing_actions.build_list(campaign=campaign)
    assert [each.person_id for each in campaign.deliveries.all()] == [follower.person_id]
    phase = process.phases.order_by("interval").last()
    mailing_actions.add_source(
        campaign=campaign, by=process.owner, kind="process", params=params | {"phase": phase.pk}
    )
    campaign = mailing_actions.build_list(campaign=campaign)
    assert campaign.list_numbers["letters"] == 1, "nobody has given anything in the last phase"
    assert campaign.stage == Stage.DRAFT
    assert set(campaign.deliveries.values_list("state", flat=True)) == {State.QUEUED}


def test_the_page_shows_it(process: Process, client: Client) -> None:
    give(process, 70, 20)
    client.force_login(process.owner)
    page = client.get(reverse("admin:process-breadth", args=[process.pk]))
    assert page.status_code == 200
    body = page.content.decode()
    assert reverse("admin:process-invite", args=[process.pk, YOUNG]) in body
    invite = client.get(reverse("admin:process-invite", args=[process.pk, YOUNG]))
    assert 'value="100"' in invite.content.decode()
    done = client.post(reverse("admin:process-invite", args=[process.pk, YOUNG]), {"amount": "30"})
    assert done.status_code == 302
    assert Campaign.objects.get().expected == 30
