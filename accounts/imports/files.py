"""Reading what someone uploads: bounded, in the encodings that Danish systems write, with an error for each line."""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.verdict import Refused

SHOWN = 30  # errors listed; more than that are counted


@dataclass(frozen=True)
class LineError:
    """`line` as a text editor numbers them, None when it concerns the whole file. Never quotes personal data."""

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else _("Line %(line)s: %(message)s") % vars(self)


class FileRefused(Refused):
    """Nothing of the file was imported, and why: line by line."""

    def __init__(self, errors: Iterable[LineError]) -> None:
        self.errors = list(errors)
        super().__init__("file", "", "file")

    @property
    def reason(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        shown = [str(error) for error in self.errors[:SHOWN]]
        more = len(self.errors) - SHOWN
        if more > 0:
            shown.append(
                ngettext("… and %(more)s error more.", "… and %(more)s errors more.", more) % {"more": more}
            )
        return shown


def refuse(message: str, line: int | None = None) -> FileRefused:
    return FileRefused([LineError(line, message)])


def read_bytes(file: BinaryIO | bytes, limit: int) -> tuple[bytes, str]:
    """The content and its SHA-256."""
    content = file if isinstance(file, bytes) else file.read(limit + 1)
    if len(content) > limit:
        raise refuse(_("The file is larger than %(limit)s MB.") % {"limit": limit // 1_000_000})
    if not content.strip():
        raise refuse(_("The file is empty."))
    return content, hashlib.sha256(content).hexdigest()


def decode(content: bytes) -> str:
    """UTF-8 with or without a mark, else Windows-1252 (what Excel writes)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse(_("The file is saved as UTF-16. Save it as CSV UTF-8."))
    if content.startswith(b"PK\x03\x04"):
        raise refuse(_("This is a spreadsheet or a zip file. Save it as CSV."))
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refuse(_("The file is not text: neither UTF-8 nor Windows-1252. Save it as CSV UTF-8."))


def read_rows(text: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields of each line. The columns may stand in any order; all must be there, and no others."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    try:
        header = [name.strip().lower() for name in next(reader)]
    except (StopIteration, csv.Error) as error:
        raise refuse(_("The first line must name the columns."), 1) from error
    if len(header) == 1 and "," in header[0]:
        raise refuse(_("The columns are separated by commas. Separate them by semicolons."), 1)
    missing = [name for name in columns if name not in header]
    unknown = [name[:40] for name in header if name not in columns]
    if missing or unknown or len(set(header)) != len(header):
        problems = []
        if missing:
            problems.append(_("Columns missing: %(names)s.") % {"names": ", ".join(missing)})
        if unknown:
            problems.append(_("Columns that don't belong here: %(names)s.") % {"names": ", ".join(unknown)})
        if not problems:
            problems.append(_("A column stands there twice."))
        raise refuse(" ".join(problems), 1)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise refuse(
                _("A quotation mark is missing, or a field is too long."), reader.line_num
            ) from error
        if not fields or not any(value.strip() for value in fields):
            continue
        if len(fields) != len(header):
            raise refuse(
                _("There are %(found)s fields, and there must be %(wanted)s.")
                % {"found": len(fields), "wanted": len(header)},
                reader.line_num,
            )
        yield reader.line_num, dict(zip(header, (value.strip() for value in fields), strict=True))


def is_clean(value: Any) -> bool:
    """Text without control characters (a zero byte can't be stored)."""
    if not isinstance(value, str):
        return False
    return value.isprintable() or not any(unicodedata.category(char) in {"Cc", "Cs"} for char in value)
