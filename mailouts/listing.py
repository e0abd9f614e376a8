"""A pasted or uploaded list: every line is read and answered for, and nothing is stored while one of them is wrong.

Columns (any of them, in any order, separated by semicolons or tabs): navn, adresse, postnr, by, email, cpr, cvr. Each line
needs one way to reach somebody: a CPR or CVR number, an e-mail, or a name with a whole address. The CPR number is looked up
and forgotten: only the person it belongs to is kept.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from accounts import persons
from accounts.imports.files import FileRefused, LineError, is_clean, refuse
from mailouts.memo_rules import is_cvr

COLUMNS = ("navn", "adresse", "postnr", "by", "email", "cpr", "cvr")
MOST_LINES = 50_000
MOST_BYTES = 10_000_000
LENGTHS = {"navn": 200, "adresse": 120, "postnr": 4, "by": 60, "email": 254, "cpr": 11, "cvr": 8}
_POSTCODE = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that reaches somebody. `key` is who it is (`Delivery.recipient_key`)."""

    line: int
    key: str
    name: str = ""
    address: str = ""
    email: str = ""
    cvr: str = ""
    person_id: UUID | None = None


def read(text: str) -> list[Entry]:
    """Raises `FileRefused` with a sentence for each line that is wrong; the sentences never quote the line."""
    errors: list[LineError] = []
    rows: list[tuple[int, dict[str, str]]] = []
    for place, (number, row) in enumerate(_rows(text), 1):
        if place > MOST_LINES:
            raise refuse(_("A list may have %(most)s lines at most.") % {"most": MOST_LINES})
        problems = _problems(row)
        if problems:
            errors += [LineError(number, problem) for problem in problems]
        elif not errors:
            rows.append((number, row))
    if errors:
        raise FileRefused(errors)
    if not rows:
        raise refuse(_("There are no lines below the names of the columns."))
    numbers = (persons.normal_cpr(row.get("cpr", "")) for _number, row in rows)
    people = persons.people_of_cprs(filter(None, numbers))
    entries = [_entry(number, row, people) for number, row in rows]
    unknown = [
        LineError(number, _("this CPR number has never been in our register."))
        for (number, row), entry in zip(rows, entries, strict=True)
        if row.get("cpr") and entry.person_id is None
    ]
    if unknown:
        raise FileRefused(unknown)
    return entries


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    if len(text) > MOST_BYTES:
        raise refuse(_("The list is too long."))
    first = text.lstrip("﻿\r\n ").partition("\n")[0]
    delimiter = "\t" if "\t" in first else ";"
    reader = csv.reader(io.StringIO(text.lstrip("﻿"), newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for fields in reader:
            if not any(value.strip() for value in fields):
                continue
            if not header:
                header = [name.strip().casefold().replace("e-mail", "email") for name in fields]
                _check_header(header)
                continue
            if len(fields) > len(header):
                yield reader.line_num, {"": "too many"}
                continue
            values = [value.strip() for value in fields] + [""] * (len(header) - len(fields))
            yield reader.line_num, dict(zip(header, values, strict=True))
    except csv.Error as error:
        raise refuse(_("A quotation mark is missing, or a field is too long."), reader.line_num) from error
    if not header:
        raise refuse(_("The list is empty."))


def _check_header(header: list[str]) -> None:
    unknown = [name[:40] for name in header if name not in COLUMNS]
    if unknown or len(set(header)) != len(header):
        raise refuse(
            _("The first line must name the columns: some of %(names)s.") % {"names": ", ".join(COLUMNS)}, 1
        )


def _problems(row: dict[str, str]) -> list[str]:
    if "" in row:
        return [_("there are more fields than columns.")]
    problems = []
    for column, value in row.items():
        if not is_clean(value):
            problems.append(_("%(column)s has a character that can't be printed.") % {"column": column})
        elif len(value) > LENGTHS[column]:
            problems.append(_("%(column)s is longer than it can be.") % {"column": column})
    if problems:
        return problems
    cpr, cvr, email = row.get("cpr", ""), row.get("cvr", ""), row.get("email", "")
    if cpr and persons.normal_cpr(cpr) is None:
        problems.append(_("this is not a CPR number of ten digits."))
    if cvr and not is_cvr(cvr):
        problems.append(_("this is not a CVR number of eight digits."))
    if email and not _is_email(email):
        problems.append(_("this is not an e-mail address."))
    if row.get("postnr") and not _POSTCODE.fullmatch(row["postnr"]):
        problems.append(_("a postcode has four digits."))
    whole_address = all(row.get(part) for part in ("navn", "adresse", "postnr", "by"))
    if not problems and not (cpr or cvr or email or whole_address):
        problems.append(
            _(
                "there is no way to reach anyone: a CPR or CVR number, an e-mail, or a name with a whole address."
            )
        )
    return problems


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _entry(number: int, row: dict[str, str], people: dict[str, UUID]) -> Entry:
    """Who it is, by the surest of what the line has."""
    name, email = row.get("navn", ""), row.get("email", "").casefold()
    street, town = row.get("adresse", ""), f"{row.get('postnr', '')} {row.get('by', '')}".strip()
    address = f"{street}, {town}" if name and street and row.get("postnr") and row.get("by") else ""
    if cpr := row.get("cpr"):
        person = people.get(persons.normal_cpr(cpr) or "")
        return Entry(number, f"p:{person or ''}", person_id=person)
    shared: dict[str, Any] = {"name": name, "address": address, "email": email}
    if cvr := row.get("cvr"):
        return Entry(number, f"c:{cvr}", cvr=cvr, **shared)
    if email:
        return Entry(number, email_key(email), **shared)
    return Entry(number, f"a:{persons.keyed_hash('mail address', _folded(name + address))}", **shared)


def email_key(email: str) -> str:
    return f"e:{persons.keyed_hash('mail e-mail', email.casefold())}"


def _folded(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
