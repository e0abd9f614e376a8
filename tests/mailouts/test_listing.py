"""Pasted and uploaded lists: every line answered for, nothing stored while one is wrong, no CPR number kept or told."""

import logging
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.imports.files import FileRefused, decode
from audit.models import Entry
from mailouts import actions, listing
from mailouts.choices import Channel
from mailouts.models import ListedRecipient, Source
from tests.accounts.factories import cpr_for, make_resident
from tests.mailouts.factories import make_campaign
from tests.mailouts.test_afterwards import places

WHOLE = "navn;adresse;postnr;by;email;cpr;cvr\n"


def wrong(text: str) -> list[str]:
    with pytest.raises(FileRefused) as refused:
        listing.read(text)
    return refused.value.lines()


@pytest.mark.django_db
class TestReading:
    @pytest.mark.parametrize(
        ("line", "says"),
        [
            (";;;;;1;", "Line 2: this is not a CPR number"),
            (";;;;;32132-1234;", "Line 2: this is not a CPR number"),
            (";;;;;;12345678", "Line 2: this is not a CVR number"),
            (";;;;;;1015081", "Line 2: this is not a CVR number"),
            (";;;;bo@;;", "Line 2: this is not an e-mail"),
            (";;;;bo@example.dk,ib@example.dk;;", "Line 2: this is not an e-mail"),
            ("Bo;Torvet 1;99;Lunde;;;", "Line 2: a postcode"),
            ("Bo;;;;;;", "Line 2: there is no way"),
            ("Bo;Torvet 1;9999;;;;", "Line 2: there is no way"),
            (";Torvet 1;9999;Lunde;;;", "Line 2: there is no way"),
            ("Bo;Torvet 1;;;;;10150817;x", "Line 2: there are more fields"),
            ("Bo\x07;;;;b@example.dk;;", "Line 2: navn has a character"),
            ("Bo\x00;;;;b@example.dk;;", "Line 2: navn has a character"),
            (f"{'x' * 201};;;;b@example.dk;;", "Line 2: navn is longer"),
            (f";{'x' * 121};;;b@example.dk;;", "Line 2: adresse is longer"),
            (";;;;;0101019999;", "Line 2: this CPR number has never been"),
        ],
    )
    @pytest.mark.usefixtures("english")
    def test_each_thing_that_can_be_wrong_is_said_with_its_line(self, line: str, says: str) -> None:
        (told,) = wrong(WHOLE + line)
        assert told.startswith(says)

    @pytest.mark.usefixtures("english")
    def test_every_line_is_answered_for(self) -> None:
        said = wrong(WHOLE + ";;;;bo@;;\n;;;;bo@example.dk;;\n\n;;;;;1;\nx;;;;;;\n")
        assert [line.split(":")[0] for line in said] == ["Line 2", "Line 5", "Line 6"]

    @pytest.mark.usefixtures("english")
    def test_a_line_with_several_faults_says_all_of_them(self) -> None:
        assert len(wrong(WHOLE + ";;x;;bo@;1;2")) == 4

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " \n \n",
            "navn;email",
            "navn;email\n\n;\n",
            "bo@example.dk\nib@example.dk",
            "navn;telefon\nBo;12345678",
            "navn;navn\nBo;Bo",
            "navn,email\nBo,bo@example.dk",
            "navn;;email\nBo;;b@example.dk",
            'navn;email\n"Bo;b@example.dk\n',
            'navn;email\n"Bo" Holm;b@example.dk\n',
            f"navn;email\n{'x' * 140_000};b@example.dk",
        ],
    )
    def test_a_head_or_a_quote_that_is_wrong(self, text: str) -> None:
        assert len(wrong(text)) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "email\nbo@example.dk",
            "\ufeffemail\nbo@example.dk",
            "email\r\nbo@example.dk\r\n",
            "E-mail\nBO@EXAMPLE.DK",
            "navn\temail\nBo\tbo@example.dk",
            "email;navn\nbo@example.dk",
            '"email"\n"bo@example.dk"',
            "\n\nemail\n\n bo@example.dk ",
            'navn;email\n"Bo; den ""lange""";bo@example.dk',
        ],
    )
    def test_the_ways_a_list_is_written(self, text: str) -> None:
        (entry,) = listing.read(text)
        assert entry.email == "bo@example.dk"
        assert entry.key == listing.email_key("bo@example.dk")

    def test_a_file_as_excel_writes_it(self) -> None:
        text = "navn;adresse;postnr;by\r\nÅse Ørsted;Æblevej 1;9999;Lunde\r\n"
        for raw in (text.encode(), text.encode("utf-8-sig"), text.encode("cp1252")):
            (entry,) = listing.read(decode(raw))
            assert (entry.name, entry.address) == ("Åse Ørsted", "Æblevej 1, 9999 Lunde")

    def test_who_it_is_by_the_surest_of_what_is_there(self) -> None:
        resident = make_resident()
        line = f"Bo;Torvet 1;9999;Lunde;bo@example.dk;{resident.cpr};10150817"
        (entry,) = listing.read(WHOLE + line)
        assert entry.key == f"p:{resident.person_id}"
        assert entry == listing.Entry(2, entry.key, person_id=resident.person_id)
        hyphen = f"{resident.cpr[:6]}-{resident.cpr[6:]}"
        assert listing.read(f"cpr\n{hyphen}")[0].key == entry.key
        assert listing.read(WHOLE + line.replace(resident.cpr, ""))[0].key == "c:10150817"

    def test_formulas_stay_text(self) -> None:
        (entry,) = listing.read(WHOLE + "=HYPERLINK(1);@Torvet 1;9999;+Lunde;;;")
        assert (entry.name, entry.address) == ("=HYPERLINK(1)", "@Torvet 1, 9999 +Lunde")

    def test_fifty_thousand_lines_and_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert listing.MOST_LINES == 50_000
        monkeypatch.setattr(listing, "MOST_LINES", 50)
        lines = [f"b{number}@example.dk" for number in range(50)]
        assert len(listing.read("email\n" + "\n".join(lines))) == 50
        assert len(wrong("email\n" + "\n".join([*lines, "ib@example.dk"]))) == 1
        assert len(wrong("email\n" + "x\n" * 51)) == 1, "wrong lines are counted too"
        assert len(wrong("x" * (listing.MOST_BYTES + 1))) == 1

    @settings(max_examples=150, deadline=None)
    @given(st.text(max_size=200) | st.text(max_size=80).map(lambda text: f"navn;email;cvr\n{text}"))
    def test_nothing_breaks_it(self, text: str) -> None:
        try:
            listing.read(text)
        except FileRefused as refused:
            assert refused.lines()


@pytest.mark.django_db
class TestStoring:
    def test_nothing_is_stored_while_one_line_is_wrong(self) -> None:
        campaign = make_campaign(kind="list")
        with pytest.raises(FileRefused):
            actions.add_list(
                campaign=campaign, by=campaign.created_by, name="x", text="email\nbo@example.dk\nbo@"
            )
        assert not Source.objects.exists()
        assert not ListedRecipient.objects.exists()
        assert not Entry.objects.filter(action="mailouts.add_recipients").exists()

    def test_the_cpr_number_is_looked_up_and_forgotten(self, caplog: pytest.LogCaptureFixture) -> None:
        """The canary first: the search finds it where it is written down."""
        resident = make_resident(birth_date=date(1980, 5, 17))
        cpr = resident.cpr
        hyphen = f"{cpr[:6]}-{cpr[6:]}"
        assert places(cpr) == {"accounts_resident"}
        unknown = cpr_for(date(1981, 5, 17), 9876)
        campaign = make_campaign(kind="list")
        with caplog.at_level(logging.DEBUG):
            actions.add_list(
                campaign=campaign, by=campaign.created_by, name="x", text=f"navn;cpr\nBo;{hyphen}\nIb;{cpr}"
            )
            with pytest.raises(FileRefused) as refused:
                actions.add_list(
                    campaign=campaign, by=campaign.created_by, name="x", text=f"cpr\n{cpr}\n{unknown}"
                )
            campaign = actions.build_list(campaign=campaign)
        assert campaign.deliveries.get().channel == Channel.DIGITAL
        told = f"{refused.value} {refused.value.reason} {refused.value.lines()!r} {caplog.text}"
        for number in (cpr, hyphen, unknown, unknown[6:], cpr[6:]):
            assert number not in told
        assert places(cpr) == {"accounts_resident"}
        assert places(hyphen) == places(unknown) == set()

    def test_what_a_list_says_of_people_is_encrypted(self) -> None:
        from django.db import connection

        campaign = make_campaign(kind="list")
        line = "Kanariefugl;Kanariegade 1;9999;Lunde;kanarie@example.dk;;10150817"
        actions.add_list(campaign=campaign, by=campaign.created_by, name="x", text=WHOLE + line)
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(l::text, '') FROM mailouts_listedrecipient l")
            raw = cursor.fetchone()[0]
            cursor.execute("SELECT string_agg(convert_from(name, 'UTF8'), '') FROM mailouts_listedrecipient")
            assert cursor.fetchone()[0].startswith("gAAAA")
        hexed: Any = b"Kanarie".hex()
        for word in ("Kanarie", "kanarie", hexed):
            assert word not in raw
        assert ListedRecipient.objects.get().name == "Kanariefugl"
