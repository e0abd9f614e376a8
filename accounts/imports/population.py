"""The reference population: Statistics Denmark's FOLK1A as CSV, or counted from the register extract."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.eligibility import LIVES_HERE, age_on
from accounts.imports.files import FileRefused, LineError, decode, read_bytes, refuse
from accounts.models import PopulationFigure, RegisterExtract, Resident, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit import clock
from audit.actions import record

MAX_BYTES = 20_000_000
VALUE = "INDHOLD"
TOTALS = {"TOT", "IALT", "I ALT", "ALDER I ALT", "KØN I ALT", "0000"}
SEXES = {"1": "M", "M": "M", "MÆND": "M", "2": "F", "K": "F", "KVINDER": "F"}
AGE = re.compile(r"([0-9]{1,3})(?: ?ÅR)?(?: OG DEROVER| ?\+|-)?")


@dataclass(frozen=True)
class Folk1A:
    figures: Counter[tuple[str, int]]
    period: str


def parse(file: BinaryIO | bytes) -> Folk1A:
    """Men and women by age in this municipality, of the newest period in the file."""
    content, _sha256 = read_bytes(file, MAX_BYTES)
    reader = csv.reader(io.StringIO(decode(content), newline=""), delimiter=";", strict=True)
    rows: list[tuple[str, str, str, str, int]] = []
    errors: list[LineError] = []
    try:
        header = [name.strip().upper() for name in next(reader)]
        missing = [name for name in ("KØN", "ALDER", VALUE) if name not in header]
        if missing:
            raise refuse(_("Columns missing: %(names)s.") % {"names": ", ".join(missing)}, 1)
        place = {name: header.index(name) for name in header}
        for fields in reader:
            if not any(fields):
                continue
            if len(fields) != len(header):
                errors.append(LineError(reader.line_num, _("The number of fields is wrong.")))
                continue
            row = {name: fields[index].strip() for name, index in place.items()}
            if not _is_ours(row.get("OMRÅDE")):
                continue
            sex, age = row["KØN"].upper(), row["ALDER"].upper()
            if sex in TOTALS or age in TOTALS:
                continue
            found = AGE.fullmatch(age)
            if sex not in SEXES or found is None or int(found[1]) > 130:
                errors.append(LineError(reader.line_num, _("The sex or the age can't be read.")))
                continue
            amount = row[VALUE].replace(".", "").replace(" ", "")
            if not (amount.isascii() and amount.isdigit()) or len(amount) > 8:
                errors.append(LineError(reader.line_num, _("The number of people can't be read.")))
                continue
            rows.append(
                (
                    row.get("TID", ""),
                    SEXES[sex],
                    found[1],
                    row.get("CIVILSTAND", "").upper(),
                    int(amount),
                )
            )
    except StopIteration as error:
        raise refuse(_("The first line must name the columns."), 1) from error
    except csv.Error as error:
        raise refuse(_("A quotation mark is missing, or a field is too long."), reader.line_num) from error
    if errors:
        raise FileRefused(errors)
    if not rows:
        raise refuse(
            _("There is nothing about %(municipality)s by sex and age in the file.")
            % {"municipality": settings.MUNICIPALITY["name"]}
        )
    period = max(row[0] for row in rows)
    newest = [row for row in rows if row[0] == period]
    # With a total over marital status in the file the parts would be counted twice.
    if any(row[3] in TOTALS for row in newest):
        newest = [row for row in newest if row[3] in TOTALS]
    figures: Counter[tuple[str, int]] = Counter()
    for _period, sex, age, _civil, people in newest:
        figures[sex, int(age)] += people
    return Folk1A(figures, period)


@transaction.atomic
def import_population(*, by: User, file: BinaryIO | bytes | None = None, parsed: Folk1A | None = None) -> int:
    """Replaces the figures of the whole municipality; those by district come from the register. Returns the people."""
    _check(by)
    if parsed is None:
        assert file is not None
        parsed = parse(file)
    source = f"Danmarks Statistik FOLK1A {parsed.period}".strip()
    PopulationFigure.objects.filter(district=None).delete()
    made = PopulationFigure.objects.bulk_create(
        [
            PopulationFigure(sex=sex, age=age, people=people, source=source)
            for (sex, age), people in sorted(parsed.figures.items())
        ]
    )
    people = sum(figure.people for figure in made)
    record(action="population.imported", by=by, obj=made[0], values={"people": people, "source": source})
    return people


@transaction.atomic
def population_from_register(*, by: User) -> int:
    """Counts the extract that counts today, for the municipality and for each district. Replaces all figures."""
    _check(by)
    today = clock.today()
    extract = RegisterExtract.objects.counting_on(today).first()
    if extract is None:
        raise Refused("no_register", _("There is no valid register extract. Import one first."))
    counted: Counter[tuple[int | None, str, int]] = Counter()
    lines = Resident.objects.filter(
        extract=extract, status__in=LIVES_HERE, municipality_code=settings.MUNICIPALITY["code"]
    ).values_list("school_district", "polling_district", "sex", "birth_date")
    for school, polling, sex, born in lines.iterator(chunk_size=5000):
        age = age_on(born, today)
        for district in {None, school, polling}:
            counted[district, sex, age] += 1
    PopulationFigure.objects.all().delete()
    source = f"Registerudtræk {extract.drawn_on:%Y-%m-%d}"
    PopulationFigure.objects.bulk_create(
        (
            PopulationFigure(district_id=district, sex=sex, age=age, people=people, source=source)
            for (district, sex, age), people in counted.items()
        ),
        batch_size=2000,
    )
    people = sum(amount for (district, _sex, _age), amount in counted.items() if district is None)
    record(action="population.counted", by=by, obj=extract, values={"people": people, "source": source})
    return people


def _check(by: User) -> None:
    if not by.may(Permission.IMPORT_REGISTER):
        raise Refused("not_yours", _("Only an administrator can change the population figures."))


def _is_ours(area: str | None) -> bool:
    if area is None:
        return True
    name = settings.MUNICIPALITY["name"].removesuffix(" Kommune").casefold()
    code = settings.MUNICIPALITY["code"].lstrip("0")
    first, _space, rest = area.partition(" ")
    return (
        area.casefold() == name
        or area.lstrip("0") == code
        or (first.lstrip("0") == code and rest.casefold() == name)
    )
