from datetime import date

import pytest

from accounts import persons
from accounts.models import Person, PersonKey, User
from accounts.verdict import Refused
from audit.models import Entry
from tests.accounts.factories import cpr_for, make_citizen, make_resident

CPR = cpr_for(date(1980, 5, 17), 1234)
OLD, NEW = "1:" + "a" * 32, "2:" + "b" * 32


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("770580-1234", "7705801234"),
        (" 7705801234 ", "7705801234"),
        ("770580 1234", "7705801234"),
        ("010180-1234", "0101801234"),
        ("770580123", None),
        ("77058012345", None),
        ("990580-1234", None),
        ("771380-1234", None),
        ("000580-1234", None),
        ("", None),
        ("７705801234", None),
    ],
)
def test_what_can_be_a_cpr_number(text, number):
    assert persons.normal_cpr(text) == number


@pytest.mark.django_db
class TestRecognising:
    def test_the_same_number_is_the_same_person(self):
        person = persons.recognise(cpr=CPR)
        assert persons.recognise(cpr=CPR[:6] + "-" + CPR[6:]) == person == persons.person_for_cpr(CPR)
        assert Person.objects.count() == PersonKey.objects.count() == 1

    def test_no_number_is_kept(self):
        persons.recognise(cpr=CPR)
        assert CPR not in str(list(PersonKey.objects.values()))
        assert PersonKey.objects.get().hmac == persons.person_key(CPR)

    def test_a_cpr_number_and_a_broker_id_never_collide(self):
        assert persons.recognise(cpr=CPR) != persons.recognise(mitid=CPR)

    def test_rotation_recognises_the_old_and_adds_the_new(self, settings):
        settings.PERSON_KEY_SECRETS = [OLD]
        person = persons.recognise(cpr=CPR)
        settings.PERSON_KEY_SECRETS = [NEW, OLD]
        assert persons.person_for_cpr(CPR) == person
        assert persons.recognise(cpr=CPR) == person
        assert set(person.keys.values_list("version", flat=True)) == {1, 2}
        settings.PERSON_KEY_SECRETS = [NEW]
        assert persons.person_for_cpr(CPR) == person

    def test_without_the_secret_nobody_is_known(self, settings):
        settings.PERSON_KEY_SECRETS = [OLD]
        persons.recognise(cpr=CPR)
        settings.PERSON_KEY_SECRETS = [NEW]
        assert persons.person_for_cpr(CPR) is None

    @pytest.mark.parametrize("wrong", [[], ["secret"], ["1:short"], [OLD, OLD]])
    def test_wrong_secrets_say_so(self, settings, wrong):
        from django.core.exceptions import ImproperlyConfigured

        settings.PERSON_KEY_SECRETS = wrong
        with pytest.raises(ImproperlyConfigured, match="PERSON_KEY_SECRETS"):
            persons.person_key(CPR)

    def test_nothing_to_recognise_by(self):
        with pytest.raises(Refused) as refused:
            persons.recognise()
        assert refused.value.code == "unrecognisable"

    def test_who_had_only_mitid_and_then_shows_a_number_becomes_the_register_s_person(self):
        listed = make_resident(cpr=CPR).person
        user = make_citizen(person=persons.recognise(mitid="uuid-1"))
        assert persons.recognise(cpr=CPR, mitid="uuid-1") == listed
        user.refresh_from_db()
        assert user.person == listed
        assert persons.recognise(mitid="uuid-1") == listed
        assert Entry.objects.filter(action="person.merged").count() == 1


@pytest.mark.django_db
class TestMerging:
    def two(self):
        return persons.recognise(cpr=CPR), persons.recognise(mitid="uuid-1")

    def test_refused_by_a_registered_check(self, monkeypatch):
        def both_voted(keep, gone):
            raise Refused("both_voted", "Both have voted.")

        monkeypatch.setattr(persons, "_merge_checks", [both_voted])
        keep, gone = self.two()
        with pytest.raises(Refused, match="Both have voted"):
            persons.merge(keep=keep, gone=gone, by=None)
        assert Person.objects.count() == 2
        assert persons.recognise(cpr=CPR, mitid="uuid-1") == keep
        assert Person.objects.count() == 2
        assert Entry.objects.filter(action="person.merge_refused").count() == 1

    def test_two_accounts_become_one(self):
        keep, gone = self.two()
        kept, closed = make_citizen(person=keep), make_citizen(person=gone)
        persons.merge(keep=keep, gone=gone, by=None)
        closed.refresh_from_db()
        assert (closed.is_active, closed.person) == (False, None)
        assert User.objects.get(person=keep) == kept

    def test_a_changed_number_is_one_more_alias(self):
        person = persons.recognise(cpr=CPR)
        other = cpr_for(date(1980, 5, 17), 4321)
        persons.change_cpr(person=person, cpr=other, by=None)
        assert persons.person_for_cpr(other) == persons.person_for_cpr(CPR) == person
        with pytest.raises(Refused):
            persons.change_cpr(person=person, cpr="12", by=None)


@pytest.mark.django_db
def test_persons_nobody_needs_are_purged(monkeypatch):
    listed = make_resident().person
    account = make_citizen(person=persons.recognise(mitid="account")).person
    voter, nobody = persons.recognise(mitid="voter"), persons.recognise(mitid="nobody")
    monkeypatch.setattr(persons, "_holders", [lambda ids: [voter.pk] if voter.pk in ids else []])
    assert persons.purge_unneeded() == 1
    assert set(Person.objects.all()) == {listed, account, voter}
    assert nobody not in Person.objects.all()
