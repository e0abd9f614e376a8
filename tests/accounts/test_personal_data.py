"""The classification itself, and what is built from it."""

import json
from datetime import date

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.sessions.models import Session

from accounts import personal_data, persons
from accounts.models import Person, User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from tests.accounts.factories import (
    cpr_for,
    make_citizen,
    make_district,
    make_resident,
    make_resident_citizen,
    make_staff,
)

pytestmark = pytest.mark.usefixtures("in_english")


def test_every_field_of_every_table_is_classified():
    assert personal_data.unclassified() == []


def test_a_field_that_is_missing_is_found(monkeypatch):
    table = personal_data.PERSONAL["accounts.Unit"]
    fewer = dict(table.fields)
    del fewer["email"]
    more = personal_data.classification() | {
        "accounts.Unit": personal_data.Table(fewer),
        "accounts.Gone": personal_data.Table({}),
    }
    del more["accounts.District"]
    monkeypatch.setattr(personal_data, "classification", lambda: more)
    assert set(personal_data.unclassified()) == {"accounts.Unit.email", "accounts.District", "accounts.Gone"}


def test_what_is_emptied_can_be_emptied():
    """A table that is anonymised has only columns that take an empty value, and one that links to a user has an owner."""
    for label, table in personal_data.classification().items():
        model = apps.get_model(label)
        if table.on_erase is personal_data.OnErase.ANONYMISE:
            for name, kind in table.fields.items():
                if kind in {personal_data.Kind.OWN, personal_data.Kind.LINK}:
                    personal_data._empty(model, name)
        for lookup in table.owner:
            model._base_manager.filter(**{lookup: 0 if lookup != "pk" else None})


def test_every_link_to_a_user_or_a_person_is_a_link_or_staff():
    kinds = personal_data.Kind
    for label, table in personal_data.classification().items():
        for one in apps.get_model(label)._meta.concrete_fields:
            if one.is_relation and one.related_model in {User, Person}:
                assert table.fields[one.name] in {kinds.LINK, kinds.STAFF}, f"{label}.{one.name}"


@pytest.mark.django_db
class TestDownload:
    def test_a_file_with_all_of_it(self, client):
        home = make_district(name="Vest")
        user = make_resident_citizen(school_district=home, cpr=cpr_for(date(1980, 5, 17), 77))
        user.first_name = "Kirsten"
        user.save()
        EmailAddress.objects.create(user=user, email="kirsten@lunde.example", verified=True, primary=True)
        client.force_login(user)
        response = client.post("/min-side/mine-data/")
        assert response["Content-Type"] == "application/json"
        assert response["Content-Disposition"].startswith('attachment; filename="mine-data-')
        data = json.loads(response.content)
        text = json.dumps(data, ensure_ascii=False)
        for ours in ("Kirsten", "kirsten@lunde.example", "Ny Vestergade 7", "Vest", "1980-05-17"):
            assert ours in text
        for secret in ("7705800077", user.handle, user.password, user.person.keys.get().hmac):
            assert secret not in text
        assert Entry.objects.filter(action="user.data_exported", actor_id=user.pk).count() == 1

    def test_nobody_else_s(self, client):
        make_resident_citizen(first_name="Other") if False else make_citizen(first_name="Fremmed")
        client.force_login(make_citizen())
        assert "Fremmed" not in client.post("/min-side/mine-data/").content.decode()

    def test_a_protected_address_is_in_one_s_own_file_alone(self, client):
        user = make_citizen(person=make_resident(protected=True, address="Hemmelig Vej 1").person)
        client.force_login(user)
        assert "Hemmelig Vej 1" in client.post("/min-side/mine-data/").content.decode()
        client.force_login(make_citizen())
        assert "Hemmelig" not in client.post("/min-side/mine-data/").content.decode()

    def test_only_by_a_click_and_only_signed_in(self, client):
        assert client.post("/min-side/mine-data/").status_code == 302
        client.force_login(make_citizen())
        assert client.get("/min-side/mine-data/").status_code == 405

    def test_what_a_room_adds(self, monkeypatch):
        monkeypatch.setattr(personal_data, "_exporters", {})
        personal_data.register_exporter("somewhere", lambda user: {"More": [{"of": user.first_name}]})
        assert personal_data.export(make_citizen(first_name="Ib"))["More"] == [{"of": "Ib"}]


@pytest.mark.django_db
class TestDeleting:
    def account(self, **fields):
        user = make_citizen(
            first_name="Kirsten",
            last_name="Holm",
            email="k@lunde.example",
            district=make_district(),
            **fields,
        )
        EmailAddress.objects.create(user=user, email="k@lunde.example", verified=True, primary=True)
        SocialAccount.objects.create(user=user, provider="mitid", uid="1")
        return user

    def test_takes_a_tick_and_a_click(self, client):
        user = self.account()
        client.force_login(user)
        page = client.get("/min-side/slet/").content.decode()
        assert "This stays" in page
        response = client.post("/min-side/slet/")
        assert response.status_code == 200
        assert "Tick the box" in response.content.decode()
        user.refresh_from_db()
        assert user.is_active

    def test_nothing_tells_who_it_was(self, client):
        user = self.account(person=persons.recognise(mitid="u"))
        client.force_login(user)
        assert client.post("/min-side/slet/", {"sure": "on"}).status_code == 302
        user.refresh_from_db()
        assert (user.first_name, user.last_name, user.email, user.person, user.district) == (
            "",
            "",
            None,
            None,
            None,
        )
        assert not user.is_active
        assert user.deleted_at is not None
        assert not EmailAddress.objects.exists()
        assert not SocialAccount.objects.exists()
        assert not [
            one for one in Session.objects.all() if one.get_decoded().get("_auth_user_id") == str(user.pk)
        ]
        assert client.get("/min-side/").status_code == 302
        assert persons.purge_unneeded() == 1
        assert not Person.objects.exists()

    def test_whoever_is_in_the_register_stays_known_there(self):
        from accounts import actions

        user = make_resident_citizen()
        person = user.person
        actions.delete_account(user=user, by=user)
        assert persons.purge_unneeded() == 0
        assert Person.objects.get() == person

    def test_coming_back_is_a_new_account_of_the_same_person(self, client):
        from accounts import actions, adapters, mitid

        identity = mitid.Identity(subject="s", assurance="Substantial", cpr=cpr_for(date(1980, 5, 17), 1))
        first = adapters.citizen_for(identity, account=SocialAccount(provider="mitid", uid="s"))
        person = first.person
        make_resident(cpr=identity.cpr)
        actions.delete_account(user=first, by=first)
        again = adapters.citizen_for(identity, account=SocialAccount(provider="mitid", uid="s"))
        assert again != first
        assert again.person == person

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.CITIZEN}))
    def test_staff_are_closed_by_an_administrator(self, role):
        from accounts import actions

        user = make_staff(role)
        with pytest.raises(Refused):
            actions.delete_account(user=user, by=user)
