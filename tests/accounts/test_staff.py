"""Those who work here: passwords, second factors, limits, and how an administrator looks after them."""

import io
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from accounts import actions
from accounts.models import District, Organisation, PopulationFigure, RegisterExtract, Resident, User
from accounts.permissions import STAFF_ROLES, Role
from accounts.verdict import Refused
from audit.models import Entry
from tests.accounts.factories import make_citizen, make_staff, make_unit
from tests.accounts.test_imports import BUSINESSES, FOLK1A, KAREN, collection, feature, file_of

PASSWORD = "en lang og god adgangskode"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english(settings, in_english):
    settings.MUNICIPALITY = settings.MUNICIPALITY | {"code": "9999", "name": "Lunde Kommune"}
    cache.clear()


def code_of(user, drift=0):
    secret = Authenticator.objects.get(user=user, type="totp").wrap()
    from allauth.mfa.utils import decrypt

    return format_hotp_value(
        hotp_value(decrypt(secret.instance.data["secret"]), int(time.time() // 30) + drift)
    )


def log_in(client, user, password=PASSWORD, **more):
    return client.post("/konto/log-ind/", {"login": user.email, "password": password, **more})


def is_in(client):
    return "_auth_user_id" in client.session


class TestSecondFactor:
    def test_password_then_code(self, client):
        user = make_staff(password=PASSWORD)
        response = log_in(client, user, next="/admin/")
        assert response["Location"] == "/konto/to-trin/log-ind/"
        assert not is_in(client)
        assert client.get("/konto/to-trin/log-ind/").status_code == 200
        assert client.post("/konto/to-trin/log-ind/", {"code": "000000"}).status_code == 200
        assert not is_in(client)
        response = client.post("/konto/to-trin/log-ind/", {"code": code_of(user)})
        assert response["Location"] == "/admin/"
        assert client.get("/admin/").status_code == 200

    @pytest.mark.parametrize("role", sorted(STAFF_ROLES))
    def test_without_one_every_page_leads_to_enrolment(self, client, role):
        user = make_staff(role, password=PASSWORD, factor=False)
        log_in(client, user)
        assert is_in(client)
        for address in ("/min-side/", "/admin/", "/stil/", "/en/min-side/", "/findes-ikke/"):
            response = client.get(address)
            assert response.status_code == 302, address
            assert response["Location"].endswith("/konto/to-trin/"), address
        for address in ("/konto/to-trin/", "/konto/to-trin/app/", "/konto/noegle/tilfoej/", "/konto/log-ud/"):
            assert client.get(address).status_code == 200, address

    def test_enrolling_opens_the_door_and_gives_spare_codes(self, client):
        user = make_staff(password=PASSWORD, factor=False)
        log_in(client, user)
        page = client.get("/konto/to-trin/app/").content.decode()
        secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', page)[1]
        code = format_hotp_value(hotp_value(secret, int(time.time() // 30)))
        response = client.post("/konto/to-trin/app/", {"code": code})
        assert response.status_code == 302
        assert set(user.authenticator_set.values_list("type", flat=True)) == {"totp", "recovery_codes"}
        assert client.get("/admin/").status_code == 200

    def test_the_last_one_can_t_be_taken_away_and_the_door_stay_open(self, client):
        user = make_staff(password=PASSWORD)
        log_in(client, user)
        client.post("/konto/to-trin/log-ind/", {"code": code_of(user)})
        client.post("/konto/to-trin/app/fjern/")
        assert not Authenticator.objects.filter(user=user, type="totp").exists()
        assert client.get("/admin/")["Location"] == "/konto/to-trin/"

    def test_citizens_have_no_such_pages(self, client):
        client.force_login(make_citizen())
        for address in ("/konto/to-trin/", "/konto/to-trin/app/", "/konto/noegle/", "/konto/adgangskode/"):
            assert client.get(address).status_code == 404, address
        for address in (
            "/konto/opret/",
            "/konto/adgangskode/foerste/",
            "/konto/andre/",
            "/konto/andre/opret/",
        ):
            assert client.get(address).status_code == 404, address

    def test_visitors_are_asked_to_sign_in(self, client):
        for address in ("/konto/to-trin/", "/min-side/", "/konto/adgangskode/", "/admin/"):
            assert client.get(address)["Location"].startswith(
                ("/konto/log-ind/?next=", "/admin/login/?next=")
            )

    def test_the_admin_has_no_sign_in_of_its_own(self, client):
        response = client.get("/admin/login/?next=/admin/")
        assert response["Location"] == "/konto/log-ind/?next=%2Fadmin%2F"
        response = client.post("/admin/login/", {"username": "x", "password": "y"})
        assert response.status_code == 302

    def test_passkeys_need_no_script_of_ours_in_the_page(self, client):
        """The strict policy runs no inline script: everything between script tags is data."""
        user = make_staff(password=PASSWORD, factor=False)
        pages = [client.get("/konto/log-ind/").content.decode()]
        log_in(client, user)
        pages.append(client.get("/konto/noegle/tilfoej/").content.decode())
        for page in pages:
            found = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S)
            assert any("webauthn.js" in attributes for attributes, _body in found)
            assert all("src=" in a or 'type="application/json"' in a for a, _body in found)
            assert " style=" not in page
            assert not re.search(r"\son\w+=", page)


class TestPasswords:
    def test_a_citizen_can_t_sign_in_with_one(self, client):
        citizen = make_citizen(email="borger@lunde.example", password=PASSWORD)
        response = log_in(client, citizen)
        assert response.status_code == 200
        assert "don&#x27;t fit together" in response.content.decode()
        assert not is_in(client)

    def test_nor_get_one_by_mail(self, client):
        citizen = make_citizen(email="borger@lunde.example")
        staff = make_staff()
        for user, mails in ((citizen, 0), (staff, 1)):
            mail.outbox.clear()
            response = client.post("/konto/adgangskode/ny/", {"email": user.email})
            assert response["Location"] == "/konto/adgangskode/sendt/"
            assert len(mail.outbox) == mails

    @pytest.mark.parametrize("wrong", ["", "x\x00y", "x" * 5000, "forkert"])
    def test_a_wrong_one(self, client, wrong):
        response = log_in(client, make_staff(password=PASSWORD), wrong)
        assert response.status_code == 200
        assert not is_in(client)

    def test_a_closed_account(self, client):
        user = make_staff(password=PASSWORD, is_active=False)
        response = log_in(client, user)
        assert not is_in(client)
        assert response.status_code in {200, 302}

    def test_five_wrong_and_then_wait(self, client):
        user = make_staff(password=PASSWORD)
        for _attempt in range(5):
            assert "don&#x27;t fit together" in log_in(client, user, "forkert").content.decode()
        page = log_in(client, user).content.decode()
        assert "tried too many times" in page
        assert not is_in(client)

    def test_a_flood_from_one_address_is_stopped_with_a_page(self, client):
        for number in range(30):
            client.post("/konto/log-ind/", {"login": f"a{number}@lunde.example", "password": "x"})
        response = client.post("/konto/log-ind/", {"login": "b@lunde.example", "password": "x"})
        assert response.status_code == 429
        assert "many times" in response.content.decode()

    def test_so_are_beginnings_of_mitid(self, client, settings):
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": []}}
        answers = [client.post("/konto/mitid/").status_code for _number in range(31)]
        assert answers == [503] * 30 + [429]


@pytest.fixture
def boss(client):
    boss = make_staff(Role.ADMINISTRATOR)
    client.force_login(boss)
    return boss


class TestAdministration:
    def fields(self, **more):
        return {
            "email": "ny@kommune.example",
            "first_name": "Ny",
            "last_name": "Kollega",
            "role": "caseworker",
            "units": [],
        } | more

    def test_a_new_colleague_chooses_a_password_by_mail(self, client, boss):
        unit = make_unit()
        response = client.post(reverse("admin:accounts_user_add"), self.fields(units=[unit.pk]))
        assert response.status_code == 302, response.context["adminform"].form.errors
        user = User.objects.get(email="ny@kommune.example")
        assert (user.role, list(user.units.all()), user.has_usable_password()) == (
            "caseworker",
            [unit],
            False,
        )
        assert Entry.objects.filter(action="staff.created", object_id=str(user.pk)).count() == 1
        assert mail.outbox[0].to == ["ny@kommune.example"]
        link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
        client.logout()
        page = client.get(link, follow=True)
        assert page.status_code == 200
        chosen = client.post(page.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
        assert chosen.status_code == 302
        log_in(client, user)
        assert is_in(client)
        assert client.get("/admin/")["Location"] == "/konto/to-trin/"

    def test_citizens_are_not_listed_nor_opened(self, client, boss):
        citizen = make_citizen(first_name="Hemmelig", email="borger@lunde.example")
        assert "borger@" not in client.get(reverse("admin:accounts_user_changelist")).content.decode()
        assert client.get(reverse("admin:accounts_user_change", args=[citizen.pk])).status_code == 302

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"role": "citizen"}, "Select a valid choice"),
            ({"email": "nej"}, "valid email"),
            ({"email": "OPTAGET@kommune.example"}, "Somebody else already uses"),
        ],
    )
    def test_what_is_refused(self, client, boss, fields, problem):
        make_staff(email="optaget@kommune.example")
        page = client.post(reverse("admin:accounts_user_add"), self.fields(**fields))
        assert page.status_code == 200
        assert problem in page.content.decode()
        assert User.objects.filter(role__in=STAFF_ROLES).count() == 2

    def test_closing_an_account_ends_its_sessions(self, client, boss):
        user = make_staff(email="ny@kommune.example")
        theirs = client.__class__()
        theirs.force_login(user)
        assert theirs.get("/min-side/").status_code == 200
        address = reverse("admin:accounts_user_change", args=[user.pk])
        assert client.post(address, self.fields()).status_code == 302
        user.refresh_from_db()
        assert not user.is_active
        assert theirs.get("/min-side/").status_code == 302

    def test_nobody_changes_their_own_role(self, client, boss):
        address = reverse("admin:accounts_user_change", args=[boss.pk])
        page = client.post(address, self.fields(email=boss.email, is_active="on"))
        assert "your own role" in page.content.decode()
        with pytest.raises(Refused):
            actions.reset_second_factor(user=boss, by=boss)

    def test_a_lost_telephone(self, client, boss):
        user = make_staff()
        client.post(
            reverse("admin:accounts_user_changelist"),
            {"action": "reset_factor", "_selected_action": [user.pk, boss.pk]},
        )
        assert not Authenticator.objects.filter(user=user).exists()
        assert Authenticator.objects.filter(user=boss).exists()

    @pytest.mark.parametrize("role", sorted(set(STAFF_ROLES) - {Role.ADMINISTRATOR}))
    def test_other_roles_see_none_of_it(self, client, role):
        client.force_login(make_staff(role))
        for model in ("user", "unit", "registerextract", "populationfigure"):
            assert client.get(reverse(f"admin:accounts_{model}_changelist")).status_code in {302, 403}
        for page in ("registerextract_add", "populationfigure_import", "organisation_import"):
            assert client.post(reverse(f"admin:accounts_{page}"), {}).status_code in {302, 403}


class TestUploads:
    def upload(self, client, page, content, **data):
        file = io.BytesIO(content)
        file.name = "fil"
        return client.post(reverse(f"admin:accounts_{page}"), data | {"file": file})

    def dates(self):
        from datetime import timedelta

        from audit import clock

        today = clock.today()
        return {"drawn_on": today.isoformat(), "valid_until": (today + timedelta(days=200)).isoformat()}

    def test_the_register(self, client, boss):
        response = self.upload(client, "registerextract_add", file_of({}), **self.dates())
        assert response.status_code == 302, response.content.decode()
        assert Resident.objects.count() == 1
        pages = [
            client.get(reverse("admin:accounts_registerextract_changelist")),
            client.get(
                reverse("admin:accounts_registerextract_change", args=[RegisterExtract.objects.get().pk])
            ),
        ]
        for page in pages:
            assert page.status_code == 200
            for secret in (KAREN["cpr"], "Karen", "Vestergade"):
                assert secret not in page.content.decode()

    def test_a_wrong_register_names_its_lines(self, client, boss):
        page = self.upload(client, "registerextract_add", file_of({}, {"cpr": "1"}), **self.dates())
        assert page.status_code == 200
        assert "Line 3: cpr: this is not a CPR number" in page.content.decode()
        assert not RegisterExtract.objects.exists()
        again = self.upload(client, "registerextract_add", file_of({}), **self.dates())
        assert again.status_code == 302
        twice = self.upload(client, "registerextract_add", file_of({}), **self.dates())
        assert "already" in twice.content.decode()

    def test_a_register_without_dates_or_file(self, client, boss):
        for data in ({}, self.dates(), {"drawn_on": "i går", "valid_until": "x"}):
            assert client.post(reverse("admin:accounts_registerextract_add"), data).status_code == 200
        empty = self.upload(client, "registerextract_add", b"", **self.dates())
        assert empty.status_code == 200

    def test_businesses_and_associations(self, client, boss):
        start = client.get(reverse("admin:settings")).content.decode()
        listed = reverse("admin:accounts_organisation_changelist")
        assert listed in start
        assert reverse("admin:accounts_organisation_import") in client.get(listed).content.decode()
        page = client.get(reverse("admin:accounts_organisation_import")).content.decode()
        for word in ("industry_code", "virksomhed, forening, bestyrelse, råd"):
            assert word in page
        wrong = self.upload(client, "organisation_import", BUSINESSES.replace("forening", "klub").encode())
        assert "Line 4: kind: write one of these" in wrong.content.decode()
        assert not Organisation.objects.exists()
        done = self.upload(client, "organisation_import", BUSINESSES.encode())
        assert (done.status_code, done["Location"]) == (302, listed)
        page = client.get(listed).content.decode()
        assert "5 lines are imported: 5 new and 0 changed." in page
        assert "Lunde Ungeråd" in page

    def test_districts_and_population(self, client, boss):
        assert client.get(reverse("admin:accounts_district_import")).status_code == 200
        wrong = self.upload(client, "district_import", b"x", kind="school")
        assert "not GeoJSON" in wrong.content.decode()
        assert self.upload(client, "district_import", collection(feature()), kind="school").status_code == 302
        assert District.objects.count() == 1
        wrong = self.upload(client, "populationfigure_import", b"A;B")
        assert "Columns missing" in wrong.content.decode()
        assert self.upload(client, "populationfigure_import", FOLK1A.encode()).status_code == 302
        assert PopulationFigure.objects.count() == 3
        page = client.post(reverse("admin:accounts_populationfigure_count"), follow=True)
        assert "no valid register extract" in page.content.decode()
        assert PopulationFigure.objects.count() == 3
