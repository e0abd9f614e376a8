"""The population register's extract: one CSV file, imported whole, encrypted, expiring.

Columns (docs/privacy.md): what SF1520 gives of everyone who lives in the municipality. The CPR number, name and address
are stored encrypted; everything else that looks someone up goes by `PersonKey`.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import formats
from django.utils.translation import gettext as _
from psycopg import sql

from accounts import persons
from accounts.fields import cipher
from accounts.imports.files import FileRefused, LineError, decode, is_clean, read_bytes, read_rows, refuse
from accounts.models import District, Person, PersonKey, RegisterExtract, Resident, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit import clock
from audit.actions import record

COLUMNS = (
    "cpr",
    "name",
    "birth_date",
    "sex",
    "status",
    "municipality_code",
    "road",
    "house",
    "floor",
    "door",
    "postcode",
    "city",
    "school_district",
    "polling_district",
    "protected",
    "digital_post",
    "household",
)
MAX_BYTES = 150_000_000
LONGEST_VALID = timedelta(days=400)
SUPERSEDED_AFTER = timedelta(days=7)
BATCH = 2000
SEXES = {"k": "F", "f": "F", "m": "M"}
STATUSES = {"01", "03", "05", "07", "20", "30", "50", "60", "70", "80", "90"}
YES = {"1", "ja", "j", "true"}
NO = {"0", "nej", "n", "false", ""}
RESIDENT_COLUMNS = (
    "extract_id",
    "person_id",
    "birth_date",
    "sex",
    "status",
    "municipality_code",
    "school_district_id",
    "polling_district_id",
    "household",
    "protected",
    "digital_post",
    "cpr",
    "name",
    "address",
)
LENGTHS = {
    "name": 200,
    "road": 100,
    "house": 10,
    "floor": 10,
    "door": 10,
    "postcode": 10,
    "city": 60,
    "household": 80,
}


@dataclass(slots=True)
class Line:
    number: int
    cpr: str
    name: str
    birth_date: date
    sex: str
    status: str
    municipality_code: str
    address: str
    school_district: int | None
    polling_district: int | None
    protected: bool
    digital_post: bool
    household: str


@dataclass(frozen=True)
class Parsed:
    lines: list[Line]
    sha256: str


def parse(file: BinaryIO | bytes, *, drawn_on: date) -> Parsed:
    """Reads and checks every line; raises `FileRefused` with all that is wrong, changes nothing."""
    content, sha256 = read_bytes(file, MAX_BYTES)
    text = decode(content)
    del content
    districts = {kind: dict(_codes(kind)) for kind in (District.Kind.SCHOOL, District.Kind.POLLING)}
    lines: list[Line] = []
    errors: list[LineError] = []
    seen: dict[str, int] = {}
    for number, row in read_rows(text, COLUMNS):
        problems: list[str] = []
        line = _line(number, row, districts, drawn_on, problems)
        if line is not None:
            first = seen.setdefault(line.cpr, number)
            if first != number:
                problems.append(_("The same CPR number stands in line %(first)s.") % {"first": first})
        if problems:
            errors += [LineError(number, problem) for problem in problems]
        elif line is not None:
            lines.append(line)
    if errors:
        raise FileRefused(errors)
    if not lines:
        raise refuse(_("There are no people in the file."))
    ours = settings.MUNICIPALITY["code"]
    if not any(line.municipality_code == ours for line in lines):
        raise refuse(
            _("Nobody in the file lives in municipality %(code)s. Is it the right file?") % {"code": ours}
        )
    return Parsed(lines, sha256)


def check_dates(drawn_on: date, valid_until: date) -> None:
    today = clock.today()
    if drawn_on > today:
        raise Refused("drawn_in_future", _("The extract can't be drawn later than today."), "drawn_on")
    if valid_until <= today:
        raise Refused("expired", _("It must be valid longer than today."), "valid_until")
    if valid_until > drawn_on + LONGEST_VALID:
        raise Refused(
            "too_long",
            _("An extract may be used for %(days)s days at most, until %(date)s.")
            % {"days": LONGEST_VALID.days, "date": formats.date_format(drawn_on + LONGEST_VALID)},
            "valid_until",
        )


def check_new(parsed: Parsed) -> None:
    same = RegisterExtract.objects.filter(sha256=parsed.sha256, purged_at=None).first()
    if same is not None:
        raise refuse(
            _("This file was imported on %(date)s already.")
            % {"date": formats.date_format(same.imported_at, "DATE_FORMAT")}
        )


def import_register(
    *,
    by: User,
    file: BinaryIO | bytes | None = None,
    drawn_on: date,
    valid_until: date,
    parsed: Parsed | None = None,
) -> RegisterExtract:
    """Imports the extract: all lines, or none. Persons known from before are found again by their key."""
    if not by.may(Permission.IMPORT_REGISTER):
        raise Refused("not_yours", _("Only an administrator can import the register."))
    check_dates(drawn_on, valid_until)
    if parsed is None:
        assert file is not None
        parsed = parse(file, drawn_on=drawn_on)
    with transaction.atomic():
        check_new(parsed)
        extract = RegisterExtract.objects.create(
            drawn_on=drawn_on,
            valid_until=valid_until,
            imported_at=clock.now(),
            imported_by=by,
            rows=len(parsed.lines),
            sha256=parsed.sha256,
        )
        people = _persons(parsed.lines)
        _copy(Resident, RESIDENT_COLUMNS, _residents(extract, parsed.lines, people))
        record(
            action="register.imported",
            by=by,
            obj=extract,
            values={"rows": extract.rows, "drawn_on": drawn_on, "valid_until": valid_until},
        )
    return extract


def purge_extracts(*, by: User | None = None) -> int:
    """Deletes the lines of what has expired or was replaced a week ago, and the persons nobody needs after that."""
    now = clock.now()
    today = clock.today()
    purged = 0
    current = RegisterExtract.objects.counting_on(today).first()
    for extract in RegisterExtract.objects.filter(purged_at=None).order_by("pk"):
        replaced = (
            current is not None
            and extract.pk != current.pk
            and current.imported_at <= now - SUPERSEDED_AFTER
            and extract.valid_until <= current.valid_until
        )
        if extract.valid_until >= today and not replaced:
            continue
        with transaction.atomic():
            extract = RegisterExtract.objects.select_for_update().get(pk=extract.pk)
            Resident.objects.filter(extract=extract)._raw_delete("default")
            extract.purged_at = now
            extract.save(update_fields=["purged_at"])
            record(action="register.purged", by=by, obj=extract, values={"rows": extract.rows})
        purged += 1
    if purged:
        with transaction.atomic():
            persons.purge_unneeded()
    return purged


def _line(
    number: int,
    row: dict[str, str],
    districts: dict[str, dict[str, int]],
    drawn_on: date,
    problems: list[str],
) -> Line | None:
    def wrong(column: str, message: str) -> None:
        problems.append(f"{column}: {message}")

    for column, value in row.items():
        if not is_clean(value):
            wrong(column, _("there is a character that can't be printed."))
        elif len(value) > LENGTHS.get(column, 40):
            wrong(column, _("this is longer than it can be."))
    if problems:
        return None
    cpr = persons.normal_cpr(row["cpr"])
    if cpr is None:
        wrong("cpr", _("this is not a CPR number of ten digits."))
    if not row["name"]:
        wrong("name", _("this is empty."))
    birth_date = _date(row["birth_date"])
    if birth_date is None:
        wrong("birth_date", _("write the date as 1985-05-17."))
    elif not date(1890, 1, 1) <= birth_date <= drawn_on:
        wrong("birth_date", _("this is not a date someone alive was born on."))
    sex = SEXES.get(row["sex"].lower())
    if sex is None:
        wrong("sex", _("write K or M."))
    status = row["status"].zfill(2)
    if status not in STATUSES:
        wrong("status", _("this is not a CPR status."))
    municipality = row["municipality_code"].zfill(4)
    if len(municipality) != 4 or not (municipality.isascii() and municipality.isdigit()):
        wrong("municipality_code", _("write the four digits of the municipality."))
    found: dict[str, int | None] = {}
    for column, kind in (
        ("school_district", District.Kind.SCHOOL),
        ("polling_district", District.Kind.POLLING),
    ):
        known, code = districts[kind], row[column]
        found[column] = known.get(code)
        # Without any districts of the kind imported, the column is not used.
        if code and known and found[column] is None:
            wrong(
                column, _("there is no district %(code)s. Import the districts first.") % {"code": code[:20]}
            )
    flags: dict[str, bool] = {}
    for column in ("protected", "digital_post"):
        value = row[column].lower()
        if value not in YES | NO:
            wrong(column, _("write 1 for yes or 0 for no."))
        flags[column] = value in YES
    if problems:
        return None
    assert cpr is not None
    assert birth_date is not None
    assert sex is not None
    return Line(
        number=number,
        cpr=cpr,
        name=row["name"],
        birth_date=birth_date,
        sex=sex,
        status=status,
        municipality_code=municipality,
        address=_address(row),
        school_district=found["school_district"],
        polling_district=found["polling_district"],
        protected=flags["protected"],
        digital_post=flags["digital_post"],
        household=row["household"],
    )


def _address(row: dict[str, str]) -> str:
    home = " ".join(filter(None, (row["road"], row["house"])))
    floor = " ".join(filter(None, (row["floor"] and f"{row['floor']}.", row["door"])))
    town = " ".join(filter(None, (row["postcode"], row["city"])))
    return ", ".join(filter(None, (home, floor, town)))


def _date(value: str) -> date | None:
    """ISO, or day-month-year with hyphens, dots or slashes."""
    parts = value.replace("/", "-").replace(".", "-").split("-")
    if len(parts) == 3 and len(parts[2]) == 4:
        parts.reverse()
    if len(parts) != 3 or len(parts[0]) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    try:
        return date(*(int(part) for part in parts))
    except ValueError:
        return None


def _codes(kind: str) -> Iterator[tuple[str, int]]:
    """A code also without its leading zeros, as a spreadsheet leaves it."""
    for code, pk in District.objects.filter(kind=kind).values_list("code", "pk"):
        yield code, pk
        if code.lstrip("0") and code.lstrip("0") != code:
            yield code.lstrip("0"), pk


def _persons(lines: list[Line]) -> dict[str, uuid.UUID]:
    """CPR number → person id for every line; makes those that are new and adds aliases under the newest secret."""
    versions = persons.secrets()
    newest, secret = versions[0]
    kind = PersonKey.Kind.CPR
    key_of = {line.cpr: persons.digest(secret, kind, line.cpr) for line in lines}
    current = _known(key_of.values())
    known = dict(current)
    for _version, older in versions[1:]:
        older_keys = {
            persons.digest(older, kind, cpr): key for cpr, key in key_of.items() if key not in known
        }
        for key, person in _known(older_keys).items():
            known[older_keys[key]] = person
    fresh = {key: uuid.uuid4() for key in key_of.values() if key not in known}
    _copy(Person, ("id",), ((pk,) for pk in fresh.values()))
    people = known | fresh
    _add_keys(newest, {key: pk for key, pk in people.items() if key not in current})
    if fresh:
        # Someone may have signed in for the first time meanwhile: then theirs is the person.
        people |= _known(fresh)
        lost = [pk for key, pk in fresh.items() if people[key] != pk]
        Person.objects.filter(pk__in=lost).delete()
    found: dict[uuid.UUID, int] = {}
    errors = []
    for line in lines:
        first = found.setdefault(people[key_of[line.cpr]], line.number)
        if first != line.number:
            errors.append(
                LineError(line.number, _("This is the same person as in line %(first)s.") % {"first": first})
            )
    if errors:
        raise FileRefused(errors)
    return {cpr: people[key] for cpr, key in key_of.items()}


def _add_keys(version: int, people: dict[str, uuid.UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_personkey (person_id, kind, version, hmac)"
            " SELECT person, %s, %s, hmac FROM unnest(%s::uuid[], %s::text[]) AS t(person, hmac)"
            " ON CONFLICT (hmac) DO NOTHING",
            [PersonKey.Kind.CPR.value, version, list(people.values()), list(people)],
        )


def _known(keys: Any) -> dict[str, uuid.UUID]:
    found: dict[str, uuid.UUID] = {}
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH)):
        found.update(PersonKey.objects.filter(hmac__in=batch).values_list("hmac", "person"))
    return found


def _residents(
    extract: RegisterExtract, lines: list[Line], people: dict[str, uuid.UUID]
) -> Iterator[tuple[Any, ...]]:
    encrypt = cipher().encrypt
    for line in lines:
        yield (
            extract.pk,
            people[line.cpr],
            line.birth_date,
            line.sex,
            line.status,
            line.municipality_code,
            line.school_district,
            line.polling_district,
            persons.keyed_hash("household", line.household) if line.household else "",
            line.protected,
            line.digital_post,
            encrypt(line.cpr.encode()),
            encrypt(line.name.encode()),
            encrypt(line.address.encode()),
        )


def _copy(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """PostgreSQL's COPY: a tenth of the time of INSERT for a whole municipality."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
