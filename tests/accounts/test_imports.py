import json
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.utils import translation

from accounts import eligibility, persons
from accounts.imports import (
    FileRefused,
    import_districts,
    import_organisations,
    import_population,
    import_register,
    population_from_register,
    purge_extracts,
)
from accounts.imports.organisations import Imported, is_cvr
from accounts.imports.register import COLUMNS
from accounts.models import (
    District,
    EligibilityRule,
    Organisation,
    Person,
    PopulationFigure,
    RegisterExtract,
    Resident,
)
from accounts.permissions import Role
from accounts.verdict import Refused
from audit import clock
from audit.models import Entry
from mailouts import memo_rules
from tests.accounts.factories import cpr_for, make_citizen, make_district, make_staff

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DRAWN, UNTIL = date(2026, 11, 1), date(2027, 6, 1)
BORN = date(1985, 5, 17)
KAREN = {
    "cpr": cpr_for(BORN, 1),
    "name": "Karen Ærø Jensen",
    "birth_date": "1985-05-17",
    "sex": "K",
    "status": "01",
    "municipality_code": "9999",
    "road": "Ny Vestergade",
    "house": "7B",
    "floor": "2",
    "door": "tv",
    "postcode": "9999",
    "city": "Lunde",
    "school_district": "",
    "polling_district": "",
    "protected": "0",
    "digital_post": "1",
    "household": "H1",
}


@pytest.fixture(autouse=True)
def _standing_still(settings):
    settings.MUNICIPALITY = settings.MUNICIPALITY | {"code": "9999", "name": "Lunde Kommune"}
    with clock.frozen(NOW), translation.override("en"):
        yield


@pytest.fixture
def admin(db):
    return make_staff(Role.ADMINISTRATOR)


def file_of(*rows, columns=COLUMNS, encoding="utf-8", newline="\r\n"):
    lines = [";".join(columns)] + [";".join((KAREN | row)[name] for name in columns) for row in rows]
    return newline.join(lines).encode(encoding)


def someone(serial, **fields):
    return {"cpr": cpr_for(BORN, serial)} | fields


def bring(admin, content, **more):
    return import_register(**{"by": admin, "file": content, "drawn_on": DRAWN, "valid_until": UNTIL} | more)


def refusal(admin, content, **more):
    with pytest.raises(FileRefused) as refused:
        bring(admin, content, **more)
    assert Resident.objects.count() == Person.objects.count() == RegisterExtract.objects.count() == 0
    return refused.value.lines()


class TestRegister:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
    @pytest.mark.parametrize("newline", ["\r\n", "\n"])
    def test_a_line_becomes_a_resident_found_by_key(self, admin, encoding, newline):
        bring(admin, file_of({}, encoding=encoding, newline=newline))
        resident = Resident.objects.get()
        assert resident.person == persons.person_for_cpr(KAREN["cpr"])
        assert (resident.name, resident.cpr) == ("Karen Ærø Jensen", KAREN["cpr"])
        assert resident.address == "Ny Vestergade 7B, 2. tv, 9999 Lunde"
        assert (resident.sex, resident.birth_date, resident.digital_post) == ("F", BORN, True)
        assert Entry.objects.get(action="register.imported").values["rows"] == 1

    def test_nothing_readable_stands_in_the_table(self, admin):
        bring(
            admin, file_of({"household": "husstand-4711"})
        )  # long enough not to stand in a ciphertext by chance
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_resident")
            row = str([bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()])
        for readable in (KAREN["cpr"], "Karen", "Vestergade", "husstand-4711"):
            assert readable not in row

    def test_columns_in_any_order_and_danish_dates(self, admin):
        bring(admin, file_of({"birth_date": "17-05-1985"}, columns=tuple(reversed(COLUMNS))))
        assert Resident.objects.get().birth_date == BORN

    def test_districts_by_code_also_without_leading_zeros(self, admin):
        school = make_district(code="0012")
        polling = make_district(kind=District.Kind.POLLING, code="3")
        bring(admin, file_of({"school_district": "12", "polling_district": "3"}))
        resident = Resident.objects.get()
        assert (resident.school_district, resident.polling_district) == (school, polling)

    def test_a_second_extract_finds_the_same_people(self, admin):
        bring(admin, file_of({}))
        person = Person.objects.get()
        bring(admin, file_of({"city": "Nordby"}), drawn_on=date(2026, 11, 2))
        assert Person.objects.get() == person
        assert eligibility.can_be_eligible(EligibilityRule.objects.create(), person)

    def test_after_rotation_of_the_secret_too(self, admin, settings):
        old, new = "1:" + "a" * 32, "2:" + "b" * 32
        settings.PERSON_KEY_SECRETS = [old]
        bring(admin, file_of({}))
        person = Person.objects.get()
        settings.PERSON_KEY_SECRETS = [new, old]
        bring(admin, file_of({"city": "Nordby"}, someone(2)))
        assert set(person.keys.values_list("version", flat=True)) == {1, 2}
        assert Person.objects.count() == 2

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"cpr": "123"}, "Line 3: cpr: this is not a CPR number of ten digits."),
            ({"cpr": "9905851234"}, "Line 3: cpr: this is not a CPR number of ten digits."),
            ({"name": ""}, "Line 3: name: this is empty."),
            ({"name": "x" * 201}, "Line 3: name: this is longer than it can be."),
            ({"name": "a\x00b"}, "Line 3: name: there is a character that can't be printed."),
            ({"birth_date": "31-02-1985"}, "Line 3: birth_date: write the date as 1985-05-17."),
            ({"birth_date": "17/5"}, "Line 3: birth_date: write the date as 1985-05-17."),
            (
                {"birth_date": "2027-01-01"},
                "Line 3: birth_date: this is not a date someone alive was born on.",
            ),
            (
                {"birth_date": "1785-01-01"},
                "Line 3: birth_date: this is not a date someone alive was born on.",
            ),
            ({"sex": "X"}, "Line 3: sex: write K or M."),
            ({"status": "99"}, "Line 3: status: this is not a CPR status."),
            (
                {"municipality_code": "Lund"},
                "Line 3: municipality_code: write the four digits of the municipality.",
            ),
            ({"protected": "maybe"}, "Line 3: protected: write 1 for yes or 0 for no."),
            ({"cpr": KAREN["cpr"]}, "Line 3: The same CPR number stands in line 2."),
            (
                {"school_district": "77"},
                "Line 3: school_district: there is no district 77. Import the districts first.",
            ),
        ],
    )
    def test_a_wrong_line_is_named_and_nothing_is_imported(self, admin, fields, message):
        make_district(code="1")
        assert refusal(admin, file_of({}, someone(2) | fields)) == [message]

    def test_every_wrong_line_is_told_and_none_is_quoted(self, admin):
        bad = "0000000000"
        lines = refusal(admin, file_of(*(someone(number, cpr=bad, sex="") for number in range(40))))
        assert len(lines) == 31
        assert lines[0].startswith("Line 2: cpr")
        assert lines[-1] == "… and 50 errors more."
        assert bad not in "".join(lines)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "The file is empty."),
            (b"  \n \n", "The file is empty."),
            (";".join(COLUMNS).encode(), "There are no people in the file."),
            (b"PK\x03\x04 a spreadsheet", "This is a spreadsheet or a zip file. Save it as CSV."),
            (file_of({}).decode().encode("utf-16"), "The file is saved as UTF-16. Save it as CSV UTF-8."),
            (
                b"\x81\x8d\x8f\x90\x9d",
                "The file is not text: neither UTF-8 nor Windows-1252. Save it as CSV UTF-8.",
            ),
            (
                ",".join(COLUMNS).encode(),
                "Line 1: The columns are separated by commas. Separate them by semicolons.",
            ),
            (b"cpr;name\n1;2", "Line 1: Columns missing: birth_date, sex"),
            (
                file_of({}).replace(b"household", b"hushold"),
                "Line 1: Columns missing: household. Columns that don't",
            ),
            (file_of({}).replace(b"household", b"cpr"), "Line 1: Columns missing: household."),
            (file_of({}) + b";more", "Line 2: There are 18 fields, and there must be 17."),
            (file_of({}, someone(2)) + b'\r\n"open', "Line 4: A quotation mark is missing"),
            (file_of({"municipality_code": "0101"}), "Nobody in the file lives in municipality 9999."),
        ],
    )
    def test_a_wrong_file_says_what_is_wrong(self, admin, content, message):
        lines = refusal(admin, content)
        assert lines[0].startswith(message)

    def test_too_large(self, admin, monkeypatch):
        monkeypatch.setattr("accounts.imports.register.MAX_BYTES", 2_000_000)
        assert refusal(admin, b"x" * 2_000_001) == ["The file is larger than 2 MB."]

    def test_the_same_file_twice(self, admin):
        bring(admin, file_of({}))
        with pytest.raises(FileRefused, match=r"imported on Nov. 20, 2026 already"):
            bring(admin, file_of({}))
        assert RegisterExtract.objects.count() == 1

    def test_two_numbers_of_one_person(self, admin):
        persons.change_cpr(person=persons.recognise(cpr=KAREN["cpr"]), cpr=cpr_for(BORN, 2), by=admin)
        with pytest.raises(FileRefused, match="Line 3: This is the same person as in line 2"):
            bring(admin, file_of({}, someone(2)))
        assert Resident.objects.count() == 0

    @pytest.mark.parametrize(
        ("dates", "field"),
        [
            ({"drawn_on": date(2026, 11, 21)}, "drawn_on"),
            ({"valid_until": date(2026, 11, 20)}, "valid_until"),
            ({"valid_until": DRAWN + timedelta(days=401)}, "valid_until"),
        ],
    )
    def test_dates(self, admin, dates, field):
        with pytest.raises(Refused) as refused:
            bring(admin, file_of({}), **dates)
        assert refused.value.field == field

    @pytest.mark.parametrize("role", [Role.CASEWORKER, Role.MANAGER, Role.COUNCILLOR, Role.POLLING_OFFICER])
    def test_only_administrators(self, admin, role):
        for user in (make_staff(role), make_citizen()):
            with pytest.raises(Refused):
                bring(user, file_of({}))
            with pytest.raises(Refused):
                population_from_register(by=user)


class TestPurging:
    def test_what_has_expired_goes_with_the_people_nobody_needs(self, admin):
        bring(admin, file_of({}, someone(2)))
        account = make_citizen(person=persons.person_for_cpr(KAREN["cpr"]))
        with clock.frozen(NOW.replace(year=2027, month=6, day=1)):
            assert purge_extracts() == 0
        with clock.frozen(NOW.replace(year=2027, month=6, day=2)):
            assert purge_extracts() == 1
            assert purge_extracts() == 0
        assert Resident.objects.count() == 0
        assert list(Person.objects.all()) == [account.person]
        assert RegisterExtract.objects.get().purged_at is not None
        assert Entry.objects.filter(action="register.purged").count() == 1

    def test_what_was_replaced_goes_after_a_week(self, admin):
        first = bring(admin, file_of({}))
        bring(admin, file_of({"city": "Nordby"}), drawn_on=date(2026, 11, 2))
        assert purge_extracts() == 0
        with clock.frozen(NOW + timedelta(days=7)):
            assert purge_extracts() == 1
        first.refresh_from_db()
        assert first.purged_at is not None

    def test_a_purged_file_may_be_imported_again(self, admin):
        extract = bring(admin, file_of({}))
        extract.purged_at = NOW
        extract.save()
        bring(admin, file_of({}))


def feature(code="1", name="Vest", geometry=None):
    square = [[10.0, 56.0], [10.1, 56.0], [10.1, 56.1], [10.0, 56.0]]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": name},
        "geometry": geometry or {"type": "Polygon", "coordinates": [square]},
    }


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


class TestDistricts:
    def test_new_and_known(self, admin):
        old = make_district(code="1", name="Vester")
        kept = make_district(code="9")
        import_districts(by=admin, kind="school", file=collection(feature(), feature("2", "Øst")))
        old.refresh_from_db()
        assert old.name == "Vest"
        assert old.geometry["type"] == "Polygon"
        assert set(District.objects.values_list("code", flat=True)) == {"1", "2", kept.code}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"not json", "The file is not GeoJSON."),
            (b"[" * 100_000, "The file is not GeoJSON."),
            (b'{"type": "FeatureCollection", "features": NaN}', "The file is not GeoJSON."),
            (b"[]", "The file must be a GeoJSON FeatureCollection."),
            (b'{"type": "FeatureCollection"}', "The file must be a GeoJSON FeatureCollection."),
            (collection(), "There are no districts in the file."),
            (collection(5), "Area 1: It has no properties."),
            (collection(feature(code="")), "Area 1: The property “code” is missing"),
            (collection(feature(name="x" * 121)), "Area 1: The property “name” is missing or longer"),
            (collection(feature(name="a\x00")), "Area 1: There is a character that can't be printed"),
            (collection(feature(), feature()), "Area 2: Its code is the same as that of area 1."),
            (
                collection(feature(geometry={"type": "Point", "coordinates": [10, 56]})),
                "Area 1: Its border must be",
            ),
            (
                collection(feature(geometry={"type": "Polygon", "coordinates": []})),
                "Area 1: Its border is empty.",
            ),
            (
                collection(feature(geometry={"type": "Polygon", "coordinates": [[[10, 56]] * 3]})),
                "Area 1: A border needs at least four points.",
            ),
            (
                collection(
                    feature(
                        geometry={
                            "type": "Polygon",
                            "coordinates": [[[10, 56], [10, 57], [11, 57], [11, 56]]],
                        }
                    )
                ),
                "Area 1: The border does not end where it began.",
            ),
            (
                collection(feature(geometry={"type": "Polygon", "coordinates": [[[570000, 6220000]] * 4]})),
                "Area 1: A point lies outside Denmark.",
            ),
            (
                collection(feature(geometry={"type": "Polygon", "coordinates": [[["a", "b"]] * 4]})),
                "Area 1: A point must be a pair of numbers.",
            ),
        ],
    )
    def test_a_wrong_file_changes_nothing(self, admin, content, message):
        with pytest.raises(FileRefused) as refused:
            import_districts(by=admin, kind="school", file=content)
        assert refused.value.lines()[0].startswith(message)
        assert District.objects.count() == 0

    def test_permission_and_kind(self, admin):
        with pytest.raises(Refused):
            import_districts(by=make_citizen(), kind="school", file=collection(feature()))
        with pytest.raises(Refused):
            import_districts(by=admin, kind="planet", file=collection(feature()))


FOLK1A = """OMRÅDE;KØN;ALDER;CIVILSTAND;TID;INDHOLD
Lunde;I alt;Alder i alt;I alt;2026K4;999
Lunde;Mænd;0 år;I alt;2026K4;100
Lunde;Mænd;0 år;Ugift;2026K4;100
Lunde;Kvinder;0 år;I alt;2026K4;110
Lunde;Kvinder;105 år og derover;I alt;2026K4;1.002
Lunde;Mænd;0 år;I alt;2026K3;7
København;Mænd;0 år;I alt;2026K4;5000
"""


class TestPopulation:
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
    def test_folk1a(self, admin, encoding):
        PopulationFigure.objects.create(sex="M", age=3, people=1, source="old")
        assert import_population(by=admin, file=FOLK1A.encode(encoding)) == 1212
        figures = {(one.sex, one.age): one.people for one in PopulationFigure.objects.all()}
        assert figures == {("M", 0): 100, ("F", 0): 110, ("F", 105): 1002}
        assert PopulationFigure.objects.first().source == "Danmarks Statistik FOLK1A 2026K4"

    def test_folk1a_in_codes(self, admin):
        content = b"OMR\xc3\x85DE;K\xc3\x98N;ALDER;TID;INDHOLD\n9999;1;IALT;2026K4;9\n9999;1;15;2026K4;9\n9999;2;15;2026K4;8"
        assert import_population(by=admin, file=content) == 17

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("A;B\n1;2", "Line 1: Columns missing: KØN, ALDER, INDHOLD."),
            (FOLK1A.replace("Lunde", "Aarhus"), "There is nothing about Lunde Kommune"),
            (FOLK1A.replace("0 år", "nul år"), "Line 3: The sex or the age can't be read."),
            (FOLK1A.replace("110", "-110"), "Line 5: The number of people can't be read."),
            (
                FOLK1A.replace("Lunde;Mænd;0 år;I alt;2026K4;100", "Lunde;Mænd"),
                "Line 3: The number of fields",
            ),
            ("", "The file is empty."),
        ],
    )
    def test_a_wrong_file_changes_nothing(self, admin, content, message):
        with pytest.raises(FileRefused) as refused:
            import_population(by=admin, file=content.encode())
        assert refused.value.lines()[0].startswith(message)
        assert PopulationFigure.objects.count() == 0

    def test_counted_from_the_register(self, admin):
        home = make_district(code="1")
        bring(
            admin,
            file_of(
                {"school_district": "1"},
                someone(2, school_district="1"),
                someone(3, sex="M"),
                someone(4, municipality_code="0101"),
                someone(5, status="90"),
            ),
        )
        assert population_from_register(by=admin) == 3
        found = set(PopulationFigure.objects.values_list("district", "sex", "age", "people"))
        assert found == {(None, "F", 41, 2), (None, "M", 41, 1), (home.pk, "F", 41, 2)}


BUSINESSES = """cvr;name;kind;industry_code;industry
99001062;Lunde Cykler ApS;virksomhed;47.64.20;Detailhandel med cykler
DK 99 00 63 90;Engdal Mælk I/S;Virksomhed;14100;Avl af malkekvæg
99006501;Lunde Boldklub;forening;931200;Sportsklubber
99009276;Bestyrelsen;bestyrelse;;
99009683;Lunde Ungeråd;RÅD;;
"""


class TestOrganisations:
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
    def test_a_file(self, admin, encoding):
        assert import_organisations(by=admin, file=BUSINESSES.encode(encoding)) == Imported(5, 0, 0)
        rows = Organisation.objects.order_by("cvr").values_list("cvr", "name", "kind", "industry_code")
        assert list(rows) == [
            ("99001062", "Lunde Cykler ApS", "business", "476420"),
            ("99006390", "Engdal Mælk I/S", "business", "014100"),
            ("99006501", "Lunde Boldklub", "association", "931200"),
            ("99009276", "Bestyrelsen", "board", ""),
            ("99009683", "Lunde Ungeråd", "council", ""),
        ]
        entry = Entry.objects.get(action="organisations.imported")
        assert entry.values == {"lines": 5, "new": 5, "changed": 0}

    def test_a_known_number_is_renewed_and_keeps_its_users(self, admin):
        known = Organisation.objects.create(cvr="99001062", name="Lunde Cykler")
        unnumbered = Organisation.objects.create(cvr=None, name="Beboergruppen")
        other = Organisation.objects.create(cvr="99002468", name="Fjordblik", kind="board")
        user = make_citizen(organisation=known)
        assert import_organisations(by=admin, file=BUSINESSES.encode()) == Imported(4, 1, 0)
        assert import_organisations(by=admin, file=BUSINESSES.encode()) == Imported(0, 0, 5)
        user.refresh_from_db()
        assert user.organisation == Organisation.objects.get(pk=known.pk, name="Lunde Cykler ApS")
        assert Organisation.objects.filter(pk__in=[unnumbered.pk, other.pk]).count() == 2
        assert Organisation.objects.get(pk=other.pk).kind == "board"

    @pytest.mark.parametrize(
        ("was", "becomes", "message"),
        [
            ("99006501", "99006502", "Line 4: cvr: this is not a CVR number"),
            ("99006501", "99001062", "Line 4: The same CVR number stands in line 2."),
            ("Lunde Boldklub", "", "Line 4: name: this is empty."),
            ("Lunde Boldklub", "L" * 201, "Line 4: name: this is longer than it can be."),
            ("Lunde Boldklub", "Lunde\x07", "Line 4: name: there is a character"),
            ("forening", "klub", "Line 4: kind: write one of these: virksomhed, forening, bestyrelse, råd."),
            ("931200", "9312", "Line 4: industry_code: write the six digits"),
            ("931200", "93120²", "Line 4: industry_code: write the six digits"),
            (";industry\n", ";branche\n", "Line 1: Columns missing: industry."),
            (BUSINESSES[BUSINESSES.index("\n") :], "", "There are no organisations in the file."),
        ],
    )
    def test_a_wrong_line_changes_nothing(self, admin, was, becomes, message):
        with pytest.raises(FileRefused) as refused:
            import_organisations(by=admin, file=BUSINESSES.replace(was, becomes, 1).encode())
        assert refused.value.lines()[0].startswith(message)
        assert not Organisation.objects.exists()
        assert not Entry.objects.filter(action="organisations.imported").exists()

    def test_every_line_has_its_error(self, admin):
        wrong = BUSINESSES.replace("99001062", "1").replace("forening", "klub")
        with pytest.raises(FileRefused) as refused:
            import_organisations(by=admin, file=wrong.encode())
        assert [line.split(":")[0] for line in refused.value.lines()] == ["Line 2", "Line 4"]

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
    def test_permission(self, db, role):
        by = make_citizen() if role == Role.CITIZEN else make_staff(role)
        with pytest.raises(Refused):
            import_organisations(by=by, file=BUSINESSES.encode())

    def test_the_rule_for_a_cvr_number_is_the_letters_own(self):
        numbers = ["", "1234567", "123456789", "1234567²", "x2345674"] + [
            f"{number:08}" for number in range(0, 100_000_000, 9973)
        ]
        assert [is_cvr(number) for number in numbers] == [memo_rules.is_cvr(number) for number in numbers]


@pytest.mark.load
def test_48_000_people_within_a_minute(admin):
    make_district(code="1")
    births = [date(1935, 1, 1) + timedelta(days=number * 7 % 32000) for number in range(48_000)]
    rows = (
        {"cpr": cpr_for(born, number % 10000), "birth_date": born.isoformat(), "school_district": "1"}
        for number, born in enumerate(births)
    )
    unique = {row["cpr"]: row for row in rows}
    content = file_of(*unique.values())
    began = time.perf_counter()
    bring(admin, content)
    seconds = time.perf_counter() - began
    assert Resident.objects.count() == len(unique) > 40_000
    assert seconds < 60, seconds
    print(f"{len(unique)} people in {seconds:.1f} s")
