"""Two persons who turn out to be one, and an account that is deleted, when votes and contributions hang on them."""

import json

import pytest
from django.utils import translation

from accounts import actions, persons
from accounts.models import Person
from accounts.personal_data import export
from accounts.verdict import Refused
from budgets.models import Ballot, Roll
from participation.models import Contribution, Draft, Follow
from tests.budgets import factories
from tests.budgets.factories import make_round, make_voter, vote

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def voters(count=2):
    round = make_round()
    before = set(Roll.objects.values_list("person", flat=True))
    vote(round, "1", times=count)
    after = [pk for pk in Roll.objects.values_list("person", flat=True) if pk not in before]
    return round, [Person.objects.get(pk=pk) for pk in after]


def test_two_who_both_voted_in_an_open_round_stay_two():
    _round, (one, other) = voters()
    with pytest.raises(Refused) as refused:
        persons.merge(keep=one, gone=other, by=None)
    assert refused.value.code == "both_voted"
    assert Roll.objects.filter(person__isnull=False).count() == 2


def test_when_the_round_is_sealed_they_become_one_and_both_votes_stay_counted():
    round, (one, other) = voters()
    factories.close(round)
    factories.seal(round)
    persons.merge(keep=one, gone=other, by=None)
    assert Roll.objects.count() == 2
    assert Roll.objects.filter(person=one).count() == 1
    assert not Person.objects.filter(pk=other.pk).exists()


def test_one_vote_follows_the_person():
    _round, (voted,) = voters(1)
    newer = persons.recognise(mitid="newer")
    persons.merge(keep=newer, gone=voted, by=None)
    assert Roll.objects.get().person == newer


def test_deleting_the_account_keeps_the_vote_and_never_gives_a_second():
    round, (person,) = voters(1)
    user = person.user
    person.residences.all().delete()
    ballots = list(Ballot.objects.values_list("pk", "choices"))
    actions.delete_account(user=user, by=user)
    assert persons.purge_unneeded() == 0, "the roll of an open round still needs the person"
    assert Roll.objects.get().person == person
    assert list(Ballot.objects.values_list("pk", "choices")) == ballots
    Roll.objects.update(person=None)
    type(round).objects.filter(pk=round.pk).update(roll_anonymised_at="2026-11-21T00:00Z")
    assert persons.purge_unneeded() == 1


def test_one_s_data_tell_that_one_voted_and_never_what():
    _round, (person,) = voters(1)
    told = json.dumps(export(person.user), ensure_ascii=False)
    rolls = export(person.user)["roll"]
    assert len(rolls) == 1
    assert set(rolls[0]) & {"choices", "tracker"} == set()
    for ballot in Ballot.objects.all():
        assert str(ballot.pk) not in told
        assert ballot.tracker == "" or ballot.tracker not in told


def test_contributions_stay_without_a_name_and_drafts_go():
    user = make_voter()
    process = make_round().process
    project = factories.make_project(process)
    Contribution.objects.filter(pk=project.pk).update(
        author=user, person=user.person, age_band="35-44", sex="F"
    )
    other = Contribution.objects.exclude(pk=project.pk).first()
    Draft.objects.create(
        token_hash="x",
        process=process,
        user=user,
        data={"title": "half"},
        saved_at=process.created_at,
        expires_at=process.created_at,
    )
    Follow.objects.create(user=user, process=process, since=process.created_at)
    kept = Contribution.objects.get(pk=project.pk)
    told = json.dumps(export(user), ensure_ascii=False)
    assert kept.title in told
    assert "half" in told
    actions.delete_account(user=user, by=user)
    after = Contribution.objects.get(pk=project.pk)
    assert (after.author, after.person, after.author_name, after.author_contact) == (None, None, "", "")
    assert (after.title, after.body, after.age_band, after.sex) == (kept.title, kept.body, "35-44", "F")
    assert not Draft.objects.exists()
    assert not Follow.objects.exists()
    other_after = Contribution.objects.get(pk=other.pk)
    assert other_after.author_id == other.author_id
