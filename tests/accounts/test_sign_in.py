"""Citizens through MitID, against the real stand-in provider."""

import json
import logging

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.apps import apps as installed
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts import persons
from accounts.models import Organisation, Person, User
from config.people import Citizen
from tests.accounts import broker
from tests.accounts.factories import make_citizen, make_resident, make_staff

CANARY = "7705809876"
NO_SIGNATURE_OF_LOA = "https://data.gov.dk/concept/core/nsis/"


def claimant(sub, claims):
    return Citizen(sub=sub, name=sub, claims=claims)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    more = [
        claimant(
            sub="nested",
            claims={
                "loa": NO_SIGNATURE_OF_LOA + "High",
                "mitid": {"uuid": "u-1", "identity_name": "Bo Bo"},
                "dk": {"cpr": CANARY},
            },
        ),
        claimant(sub=f"cpr-{CANARY}", claims={"loa": "Substantial", "dk_ssn": CANARY, "name": "Ib Ib"}),
        claimant(sub="no-loa", claims={"mitid.uuid": "u-2"}),
        claimant(sub="odd-loa", claims={"loa": ["Substantial"], "mitid.uuid": "u-3"}),
        claimant(
            sub="other-broker-karen", claims=broker.BY_NAME["Karen"].claims() | {"mitid.uuid": "another"}
        ),
        claimant(
            sub="staff-mfa",
            claims={"email": "medarbejder@kommune.example", "email_verified": True, "amr": ["pwd", "mfa"]},
        ),
        claimant(
            sub="staff-pwd",
            claims={"email": "medarbejder@kommune.example", "email_verified": True, "amr": ["pwd"]},
        ),
        claimant(
            sub="staff-unverified",
            claims={"email": "medarbejder@kommune.example", "email_verified": False, "amr": ["mfa"]},
        ),
    ]
    with broker.running(tmp_path_factory.mktemp("broker"), *more) as url:
        yield url


@pytest.fixture(autouse=True)
def _broker(settings, issuer, db, in_english):
    settings.SOCIALACCOUNT_PROVIDERS = broker.apps(issuer)
    cache.clear()


def test_a_citizen_signs_in_and_comes_back_to_the_page(client):
    response = broker.sign_in(client, "Karen", "/min-side/?a=1&b=%C3%A6")
    assert (response.status_code, response["Location"]) == (302, "/min-side/?a=1&b=%C3%A6")
    user = User.objects.get()
    karen = broker.BY_NAME["Karen"]
    assert (user.first_name, user.last_name, user.role) == ("Karen", "Jensen", "citizen")
    assert user.person == persons.person_for_cpr(karen.cpr)
    assert user.person.birth_date == karen.birth_date
    assert not user.has_usable_password()
    assert client.get("/min-side/").status_code == 200


def test_the_second_time_is_the_same_account(client):
    for _again in range(2):
        broker.sign_in(client, "Karen")
        client.logout()
    assert User.objects.count() == Person.objects.count() == SocialAccount.objects.count() == 1


def test_the_register_s_person_and_the_one_who_signs_in_are_one(client):
    resident = make_resident(cpr=broker.BY_NAME["Karen"].cpr)
    broker.sign_in(client, "Karen")
    assert User.objects.get().person == resident.person


def test_after_a_change_of_broker_it_is_still_the_same_account(client):
    broker.sign_in(client, "Karen")
    client.logout()
    client.get(broker.approve(broker.begin(client), "other-broker-karen"))
    assert User.objects.count() == Person.objects.count() == 1
    assert SocialAccount.objects.count() == 2


def test_without_a_cpr_number_the_broker_s_id_recognises(client):
    for _again in range(2):
        broker.sign_in(client, "Elena")
        client.logout()
    user = User.objects.get()
    assert [key.kind for key in user.person.keys.all()] == ["mitid"]
    assert user.person.birth_date == broker.BY_NAME["Elena"].birth_date


def test_mitid_erhverv_acts_as_the_organisation(client):
    broker.sign_in(client, "Henrik")
    user = User.objects.get()
    assert user.person is None
    assert user.organisation == Organisation.objects.get(cvr="99001062", name="Lunde Cykler ApS")
    assert "Lunde Cykler" in client.get("/min-side/").content.decode()


@pytest.mark.parametrize("sub", [broker.BY_NAME["Tove"].sub, "no-loa", "odd-loa"])
def test_too_low_assurance_is_refused_on_the_way_back(client, sub):
    response = client.get(broker.approve(broker.begin(client), sub))
    assert response.status_code == 403
    assert "not sure enough" in response.content.decode()
    assert User.objects.count() == 0
    assert "_auth_user_id" not in client.session


def test_an_address_can_t_ask_for_less(client):
    address = broker.onward_address(
        client.post("/konto/mitid/?auth_params=acr_values%3Dlow&scope=evil", {"next": ""})
    )
    asked = broker.query(address)
    assert "acr_values" not in asked
    assert "evil" not in asked["scope"]
    assert client.get("/konto/mitid/begynd/").status_code == 404


def test_beginning_takes_a_click(client):
    response = client.get("/konto/mitid/?next=/min-side/")
    assert (response.status_code, response["Location"]) == (302, "/konto/log-ind/?next=%2Fmin-side%2F")
    page = client.get(response["Location"]).content.decode()
    assert "Sign in with MitID" in page
    assert 'name="next" value="/min-side/"' in page
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/konto/mitid/").status_code == 403


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\x00", "/" * 3000]
)
def test_it_only_comes_back_to_us(client, evil):
    response = broker.sign_in(client, "Karen", evil)
    assert response["Location"] == "/min-side/"


def test_cancelled(client):
    response = client.get(broker.approve(broker.begin(client, "/min-side/"), "", deny=True))
    assert response.status_code == 200
    page = response.content.decode()
    assert "You stopped the sign-in" in page
    assert 'name="next" value="/min-side/"' in page


def test_the_broker_does_not_answer(client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = broker.apps("http://localhost:1")
    response = client.post("/konto/mitid/", {"next": "/min-side/"})
    assert response.status_code == 503
    assert "does not answer" in response.content.decode()


def test_the_broker_falls_over_on_the_way_back(client, settings, caplog):
    back = broker.approve(broker.begin(client), broker.BY_NAME["Karen"].sub)
    settings.SOCIALACCOUNT_PROVIDERS = broker.apps("http://localhost:1")
    response = client.get(back)
    assert response.status_code == 503
    assert User.objects.count() == 0


def test_no_broker_is_configured(client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": []}}
    assert client.post("/konto/mitid/").status_code == 503
    assert client.get("/konto/mitid/tilbage/?code=1&state=2").status_code == 404


class TestAnotherBrowser:
    def test_sign_in_starts_again_and_finds_the_page(self, client):
        back = broker.approve(broker.begin(client, "/min-side/?kladde=abc"), broker.BY_NAME["Karen"].sub)
        other = Client()
        again = other.get(back)
        assert again.status_code == 302
        assert again["Location"].startswith("http://localhost")
        response = other.get(broker.approve(again["Location"], broker.BY_NAME["Karen"].sub))
        assert response["Location"] == "/min-side/?kladde=abc"
        assert other.get("/min-side/").status_code == 200

    def test_only_once(self, client):
        back = broker.approve(broker.begin(client, "/min-side/"), broker.BY_NAME["Karen"].sub)
        assert Client().get(back).status_code == 302
        assert Client().get(back).status_code == 400
        again = broker.approve(broker.begin(client, "/min-side/"), broker.BY_NAME["Karen"].sub)
        second = Client().get(again)["Location"]
        assert Client().get(broker.approve(second, broker.BY_NAME["Karen"].sub)).status_code == 400

    def test_an_invented_state_is_refused(self, client):
        response = client.get("/konto/mitid/tilbage/?code=x&state=invented")
        assert response.status_code == 400
        assert "did not succeed" in response.content.decode()
        assert client.get("/konto/mitid/tilbage/").status_code == 400
        assert client.get("/konto/mitid/tilbage/?state=%00&code=1").status_code == 400


class TestSigningOut:
    def test_at_the_broker_too(self, client, issuer, settings):
        broker.sign_in(client, "Karen")
        address = broker.onward_address(client.post("/konto/log-ud/"))
        assert address.startswith(f"{issuer}/oauth2/end_session?")
        asked = broker.query(address)
        assert asked["client_id"] == "ojenhojde"
        assert asked["post_logout_redirect_uri"] == f"{settings.SITE_URL}/konto/logget-ud/"
        assert "_auth_user_id" not in client.session

    def test_signs_out_here_when_the_broker_is_down(self, client, settings):
        broker.sign_in(client, "Karen")
        settings.SOCIALACCOUNT_PROVIDERS = broker.apps("http://localhost:1")
        assert client.post("/konto/log-ud/").status_code == 302
        assert "_auth_user_id" not in client.session

    def test_takes_a_click(self, client):
        broker.sign_in(client, "Karen")
        assert client.get("/konto/log-ud/").status_code == 200
        assert "_auth_user_id" in client.session


class TestNoNumberIsLeft:
    def everything(self, caplog):
        """Each row of each table as text (bytes decoded, sessions opened), the cache and the log."""
        places = {}
        for model in installed.get_models(include_auto_created=True):
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                rows = [
                    [
                        bytes(value).decode("latin-1") if isinstance(value, memoryview) else value
                        for value in row
                    ]
                    for row in cursor.fetchall()
                ]
            places[model._meta.label] = str(rows)
        places["sessions opened"] = json.dumps([row.get_decoded() for row in Session.objects.all()])
        raw = cache._cache.get_client()
        kept = {}
        for key in raw.keys("*"):
            if raw.type(key) == b"string":
                kept[key] = raw.get(key)
        places["cache"] = str(kept)
        places["log"] = caplog.text + str([record.__dict__ for record in caplog.records])
        return places

    def found(self, caplog, number=CANARY):
        return [
            place
            for place, content in self.everything(caplog).items()
            if number in content or f"{number[:6]}-{number[6:]}" in content
        ]

    def test_the_search_finds_what_is_planted(self, client, caplog):
        user = make_citizen(first_name=CANARY)
        SocialAccount.objects.create(user=user, provider="mitid", uid="1", extra_data={"dk.cpr": CANARY})
        client.force_login(user)
        session = client.session
        session["planted"] = CANARY
        session.save()
        cache.set("planted", CANARY)
        logging.getLogger("planted").warning(CANARY)
        assert {
            "accounts.User",
            "socialaccount.SocialAccount",
            "sessions opened",
            "cache",
            "log",
        } <= set(self.found(caplog))

    @pytest.mark.parametrize("sub", ["nested", f"cpr-{CANARY}"])
    def test_signing_in_leaves_none(self, client, caplog, sub):
        caplog.set_level(logging.DEBUG)
        for _again in range(2):
            response = client.get(broker.approve(broker.begin(client), sub))
            assert response.status_code == 302
            client.get("/min-side/")
            assert [place for place in self.found(caplog) if place != "log"] == []
            ours = [
                r
                for r in caplog.records
                if not r.name.startswith(("authlib", "oidc_provider_mock", "werkzeug"))
            ]
            assert CANARY not in str([record.__dict__ for record in ours])
            client.post("/konto/log-ud/")
        assert User.objects.get().person == persons.person_for_cpr(CANARY)
        assert SocialToken.objects.count() == 0


class TestStaffThroughTheMunicipality:
    def come(self, client, sub):
        return client.get(broker.approve(broker.begin(client, path="/konto/medarbejder/"), sub))

    def test_the_second_factor_is_proven_by_amr(self, client):
        user = make_staff(email="medarbejder@kommune.example", factor=False)
        self.come(client, "staff-mfa")
        assert client.session["_auth_user_id"] == str(user.pk)
        assert client.get("/admin/").status_code == 200

    def test_a_password_alone_leads_to_enrolment(self, client):
        make_staff(email="medarbejder@kommune.example", factor=False)
        self.come(client, "staff-pwd")
        assert client.get("/admin/")["Location"] == "/konto/to-trin/"

    @pytest.mark.parametrize("sub", ["staff-mfa", "staff-unverified"])
    def test_nobody_gets_an_account_by_coming(self, client, sub):
        make_citizen(email="medarbejder@kommune.example")
        response = self.come(client, sub)
        assert response.status_code == 403
        assert "_auth_user_id" not in client.session

    def test_an_unverified_address_opens_nothing(self, client):
        make_staff(email="medarbejder@kommune.example")
        assert self.come(client, "staff-unverified").status_code == 403
