"""Businesses, associations, boards and councils from CSV, recognised by their CVR number."""

from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.imports.files import FileRefused, LineError, decode, is_clean, read_bytes, read_rows, refuse
from accounts.models import Organisation, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit.actions import record

COLUMNS = ("cvr", "name", "kind", "industry_code", "industry")
MAX_BYTES = 20_000_000
BATCH = 2000
KINDS = {
    "virksomhed": Organisation.Kind.BUSINESS,
    "forening": Organisation.Kind.ASSOCIATION,
    "bestyrelse": Organisation.Kind.BOARD,
    "råd": Organisation.Kind.COUNCIL,
}
LENGTHS = {"name": 200, "industry": 120}
WRITTEN = ("name", "kind", "industry_code", "industry")
CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 1)


@dataclass(frozen=True)
class Imported:
    """How many lines were new, differed from what was known, or said nothing new."""

    new: int
    changed: int
    same: int

    @property
    def all(self) -> int:
        return self.new + self.changed + self.same


def parse(file: BinaryIO | bytes) -> list[Organisation]:
    """Reads and checks every line; raises `FileRefused` with all that is wrong, changes nothing."""
    content, _sha256 = read_bytes(file, MAX_BYTES)
    found: list[Organisation] = []
    errors: list[LineError] = []
    seen: dict[str, int] = {}
    for number, row in read_rows(decode(content), COLUMNS):
        problems: list[str] = []
        organisation = _organisation(row, problems)
        if organisation.cvr is not None:
            first = seen.setdefault(organisation.cvr, number)
            if first != number:
                problems.append(_("The same CVR number stands in line %(first)s.") % {"first": first})
        errors += [LineError(number, problem) for problem in problems]
        found.append(organisation)
    if errors:
        raise FileRefused(errors)
    if not found:
        raise refuse(_("There are no organisations in the file."))
    return found


@transaction.atomic
def import_organisations(
    *, by: User, file: BinaryIO | bytes | None = None, parsed: list[Organisation] | None = None
) -> Imported:
    """Adds those that are new and renews those whose CVR number is known; their users and all others stay as they are."""
    if not by.may(Permission.IMPORT_REGISTER):
        raise Refused("not_yours", _("Only an administrator can import businesses and associations."))
    if parsed is None:
        assert file is not None
        parsed = parse(file)
    known = {
        cvr: tuple(rest)
        for cvr, *rest in Organisation.objects.filter(cvr__isnull=False).values_list("cvr", *WRITTEN)
    }
    came = Counter(
        "new"
        if one.cvr not in known
        else "same"
        if known[one.cvr] == tuple(getattr(one, name) for name in WRITTEN)
        else "changed"
        for one in parsed
    )
    parsed = sorted(parsed, key=lambda one: one.cvr or "")  # two imports at once take the rows in one order
    # Somebody may sign in for one of them meanwhile: then that row is renewed.
    made = Organisation.objects.bulk_create(
        parsed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["cvr"],
        update_fields=WRITTEN,
    )
    imported = Imported(came["new"], came["changed"], came["same"])
    record(
        action="organisations.imported",
        by=by,
        obj=made[0],
        values={"lines": imported.all, "new": imported.new, "changed": imported.changed},
    )
    return imported


def is_cvr(number: str) -> bool:
    """Eight digits whose sum, weighted, is divisible by 11. The letters' own rule (`mailouts.memo_rules`) knows no room below
    it, so the rule is written twice, and a test holds them together."""
    if not (len(number) == 8 and number.isascii() and number.isdigit()):
        return False
    return sum(weight * int(digit) for weight, digit in zip(CVR_WEIGHTS, number, strict=True)) % 11 == 0


def _organisation(row: dict[str, str], problems: list[str]) -> Organisation:
    """As far as it can be read; without a CVR number where that can't be."""

    def wrong(column: str, message: str) -> None:
        problems.append(f"{column}: {message}")

    for column, value in row.items():
        if not is_clean(value):
            wrong(column, _("there is a character that can't be printed."))
        elif len(value) > LENGTHS.get(column, 40):
            wrong(column, _("this is longer than it can be."))
    cvr = row["cvr"].replace(" ", "").upper().removeprefix("DK")
    if not is_cvr(cvr):
        wrong("cvr", _("this is not a CVR number: eight digits that check."))
    if not row["name"]:
        wrong("name", _("this is empty."))
    kind = KINDS.get(row["kind"].casefold())
    if kind is None:
        wrong("kind", _("write one of these: %(kinds)s.") % {"kinds": ", ".join(KINDS)})
    code = row["industry_code"].replace(".", "").replace(" ", "")
    if len(code) == 5:
        code = f"0{code}"  # a spreadsheet takes the zero away
    if code and not (len(code) == 6 and code.isascii() and code.isdigit()):
        wrong("industry_code", _("write the six digits of the CVR register, or nothing."))
    return Organisation(
        cvr=cvr if is_cvr(cvr) else None,
        name=row["name"],
        kind=kind or Organisation.Kind.BUSINESS,
        industry_code=code,
        industry=row["industry"],
    )
