"""My page, e-mail and settings, as a plain browser meets them; the checks and the command beside."""

import io
import json
import re
from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.template import engines

from accounts import checks, my_page
from accounts.models import Resident
from audit import clock
from tests.accounts.factories import make_citizen, make_district, make_staff
from tests.accounts.test_imports import file_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english(settings, in_english):
    settings.MUNICIPALITY = settings.MUNICIPALITY | {"code": "9999", "name": "Lunde Kommune"}
    cache.clear()


class TestMyPage:
    def test_sections_stand_in_order_and_silent_ones_are_left_out(self, client, monkeypatch):
        monkeypatch.setattr(my_page, "_sections", {})
        monkeypatch.setattr(
            my_page,
            "render_to_string",
            lambda name, context, request: (
                engines["django"].from_string("<p>{{ word }}</p>").render(context, request)
            ),
        )
        for key, order, context in (
            ("b", 20, {"word": "given-next"}),
            ("a", 10, {"word": "<first>"}),
            ("c", 5, None),
        ):
            my_page.register_section(
                key=key, order=order, template="x", context=lambda user, request, context=context: context
            )
        client.force_login(make_citizen())
        page = client.get("/min-side/").content.decode()
        assert page.index("&lt;first&gt;") < page.index("given-next")
        with pytest.raises(ValueError, match="'a'"):
            my_page.register_section(key="a", order=1, template="x", context=lambda user, request: None)

    def test_says_where_we_write(self, client):
        user = make_citizen()
        client.force_login(user)
        assert "no e-mail address" in client.get("/min-side/").content.decode()
        waiting = EmailAddress.objects.create(user=user, email="ny@lunde.example", primary=True)
        assert "sent a link to ny@lunde.example" in client.get("/min-side/").content.decode()
        waiting.verified = True
        waiting.save()
        assert "We write to ny@lunde.example" in client.get("/min-side/").content.decode()

    def test_language_and_district(self, client):
        home = make_district(name="Vest")
        user = make_citizen()
        client.force_login(user)
        assert "Vest" in client.get("/min-side/indstillinger/").content.decode()
        assert (
            client.post("/min-side/indstillinger/", {"language": "en", "district": home.pk}).status_code
            == 302
        )
        user.refresh_from_db()
        assert (user.language, user.district) == ("en", home)
        for wrong in ({}, {"language": "xx"}, {"language": "da", "district": "x"}, {"language": "\x00"}):
            assert client.post("/min-side/indstillinger/", wrong).status_code == 200
        user.refresh_from_db()
        assert (user.language, user.district) == ("en", home)


class TestEmail:
    def test_is_ours_only_when_its_owner_has_said_so(self, client):
        user = make_citizen()
        client.force_login(user)
        assert client.get("/konto/e-mail/").status_code == 200
        client.post("/konto/e-mail/", {"email": "karen@lunde.example", "action_add": ""})
        user.refresh_from_db()
        assert not EmailAddress.objects.filter(verified=True).exists()
        message = mail.outbox[0]
        assert message.to == ["karen@lunde.example"]
        assert message.alternatives[0][1] == "text/html"
        link = re.search(r"http://testserver(/\S+)", message.body)[1]
        assert link in message.alternatives[0][0]
        assert client.get(link).status_code == 200
        assert not EmailAddress.objects.filter(verified=True).exists(), "looking is not confirming"
        client.post(link)
        user.refresh_from_db()
        assert user.email == "karen@lunde.example"
        assert EmailAddress.objects.get().verified

    @pytest.mark.parametrize("wrong", ["", "x", "a@b", "a\x00@lunde.example", "x" * 300 + "@lunde.example"])
    def test_what_is_no_address(self, client, wrong):
        client.force_login(make_citizen())
        assert client.post("/konto/e-mail/", {"email": wrong, "action_add": ""}).status_code == 200
        assert not EmailAddress.objects.exists()

    def test_an_invented_link(self, client):
        for key in ("x", "MQ:1abc:xyz", "a" * 300):
            assert client.get(f"/konto/e-mail/{key}/").status_code == 200
            assert client.post(f"/konto/e-mail/{key}/").status_code in {200, 302, 404}


class TestChecks:
    def test_good_settings_pass(self, settings):
        settings.MITID_ISSUER = "https://broker.example"
        settings.MUNICIPALITY = settings.MUNICIPALITY | {"code": "0101"}
        assert checks.keys_can_be_read() == checks.sign_in_is_safe() == []

    @pytest.mark.parametrize(
        ("name", "value", "check_id"),
        [
            ("PERSON_KEY_SECRETS", ["1:short"], "accounts.E001"),
            ("FIELD_KEYS", [], "accounts.E002"),
            ("FIELD_KEYS", ["x"], "accounts.E002"),
            ("MITID_ISSUER", "", "accounts.W001"),
            ("MITID_ISSUER", "http://broker.example", "accounts.E003"),
            ("MITID_ASSURANCE", frozenset({"Low"}), "accounts.E004"),
        ],
    )
    def test_bad_ones_are_named(self, settings, name, value, check_id):
        setattr(settings, name, value)
        found = [one.id for one in (*checks.keys_can_be_read(), *checks.sign_in_is_safe())]
        assert check_id in found


class TestCommand:
    def run(self, tmp_path, content, **more):
        file = tmp_path / "udtraek.csv"
        file.write_bytes(content)
        out = io.StringIO()
        today = clock.today()
        options = {
            "by": "boss@kommune.example",
            "drawn_on": today,
            "valid_until": today + timedelta(days=200),
        }
        call_command("import_register", str(file), json=True, stdout=out, **options | more)
        return json.loads(out.getvalue())

    def test_imports(self, tmp_path):
        make_staff("administrator", email="boss@kommune.example")
        assert self.run(tmp_path, file_of({}))["rows"] == 1
        assert Resident.objects.count() == 1

    @pytest.mark.parametrize("wrong", [{"by": "nobody@kommune.example"}, {"valid_until": date(2020, 1, 1)}])
    def test_says_why_not(self, tmp_path, wrong):
        make_staff("administrator", email="boss@kommune.example")
        with pytest.raises(CommandError):
            self.run(tmp_path, file_of({}), **wrong)
        with pytest.raises(CommandError, match="Line 2: cpr"):
            self.run(tmp_path, file_of({"cpr": "1"}))
        assert Resident.objects.count() == 0
