"""Files on their way in: known by their content, never by the name or what the browser says.

They are kept as they came and given out as downloads only. What can act by itself (macros, programs, web pages, archives)
is refused.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import puremagic
from django.utils.translation import gettext as _

from accounts.verdict import Refused

MOST_BYTES = 20_000_000
MOST_ENTRIES = 5_000
MOST_UNPACKED = 300_000_000
MOST_OBJECTS = 50_000_000  # of a PDF, unpacked

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_OOXML = {  # what must be inside, by type
    "word/document.xml": ("docx", f"{_OFFICE}wordprocessingml.document"),
    "xl/workbook.xml": ("xlsx", f"{_OFFICE}spreadsheetml.sheet"),
    "ppt/presentation.xml": ("pptx", f"{_OFFICE}presentationml.presentation"),
}
_ODF = {
    f"{_OPEN}text": "odt",
    f"{_OPEN}spreadsheet": "ods",
    f"{_OPEN}presentation": "odp",
}
_ACTIVE = re.compile(
    r"vbaproject|vbadata|activex|oleobject|^basic/|^scripts/|\.(exe|dll|js|vbs|jar|class)$", re.I
)
# What lets a PDF run script, start programs and carry files along. A name may be written with #xx for a letter.
_PDF_ACTS = re.compile(rb"/(JavaScript|JS|Launch|RichMedia|EmbeddedFiles?)(?![A-Za-z0-9])")
_PDF_LOCKED = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
_PDF_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_ADDRESS = re.compile(rb"/URI\s*\((?:[^()\\]|\\.)*\)", re.S)
_PDF_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_MARKUP = re.compile(rb"^\s*(<!doctype|<html|<svg|<\?|<script|<x:|#!|%!ps|\{\\rtf)", re.I)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
# What puremagic may call a text file that is nothing for us to pass on.
_NO_TEXT = re.compile(r"html|xml|svg|executable|script|java|msdownload|x-sh|rtf|vcard|rfc822", re.I)


@dataclass(frozen=True)
class Known:
    """What a file is: its extension and the type it is served as."""

    extension: str
    content_type: str


def recognise(data: bytes, name: str, field: str | None = None) -> Known:
    """What it is by its content; `Refused` with a plain sentence for everything we don't take."""
    check_bytes(len(data), field)
    known = _pdf(data, field) or _packed(data, field) or _text(data, name)
    if known is None:
        raise Refused(
            "file_type",
            _("We can't take this type of file. Use PDF, Word, Excel, OpenDocument, text or CSV."),
            field,
        )
    return known


def check_bytes(size: int, field: str | None = None) -> None:
    if size > MOST_BYTES:
        raise Refused(
            "file_too_heavy",
            _("The file is larger than %(limit)d MB. Make it smaller, or send it in parts.")
            % {"limit": MOST_BYTES // 1_000_000},
            field,
        )
    if not size:
        raise Refused("file_empty", _("The file is empty. Choose it again."), field)


def _damaged(field: str | None) -> Refused:
    return Refused("file_damaged", _("The file can't be read. It may be damaged; choose another."), field)


def _locked(field: str | None) -> Refused:
    return Refused("file_locked", _("The file is locked with a password. Remove it first."), field)


def _unpacks(field: str | None) -> Refused:
    return Refused("file_unpacks", _("The file unpacks to more than we can take."), field)


def _pdf(data: bytes, field: str | None) -> Known | None:
    if not data.startswith(b"%PDF-"):
        return None
    if b"%%EOF" not in data[-2048:]:
        raise _damaged(field)
    for objects in _pdf_objects(data, field):
        named = _PDF_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), _PDF_ADDRESS.sub(b"", objects))
        if _PDF_LOCKED.search(named):
            raise _locked(field)
        if _PDF_ACTS.search(named):
            raise Refused(
                "file_acts",
                _("The PDF holds other files, or content that runs. Print it as a new PDF and choose that."),
                field,
            )
    return Known("pdf", "application/pdf")


def _pdf_objects(data: bytes, field: str | None) -> Iterator[bytes]:
    """Everything that says what the PDF does: what stands between its streams, and the objects packed into some of them.
    Pages, pictures and fonts are left alone."""
    room, place = MOST_OBJECTS, 0
    for found in _PDF_STREAM.finditer(data):
        if found.start() < place:
            continue  # inside another
        between = data[place : found.start()]
        yield between
        ends = data.find(b"endstream", found.end())
        place = ends if ends >= 0 else len(data)
        if b"/ObjStm" not in between[-2000:]:
            continue
        try:
            objects = zlib.decompressobj().decompress(data[found.end() : place], room)
        except zlib.error as error:
            raise (_locked(field) if _PDF_LOCKED.search(data) else _damaged(field)) from error
        room -= len(objects)
        if room <= 0:
            raise _unpacks(field)
        yield objects
    yield data[place:]


def _packed(data: bytes, field: str | None) -> Known | None:
    """Word, Excel, PowerPoint and OpenDocument are zip files. Nothing is unpacked but one small entry."""
    if not data.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = packed.infolist()
            if len(entries) > MOST_ENTRIES or sum(one.file_size for one in entries) > MOST_UNPACKED:
                raise _unpacks(field)
            names = [one.filename for one in entries]
            if any(one.flag_bits & 1 for one in entries):
                raise _locked(field)
            if not entries or min(one.header_offset for one in entries):
                return None
            known = _open_document(packed, names) or _office(packed, names)
            if known and any(_ACTIVE.search(name) for name in names):
                raise Refused(
                    "file_macros",
                    _("The file holds macros or other content that runs. Save it without them, or as PDF."),
                    field,
                )
            return known
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise _damaged(field) from error


def _open_document(packed: zipfile.ZipFile, names: list[str]) -> Known | None:
    if names[0] != "mimetype":
        return None
    kind = _small(packed, "mimetype").decode("ascii", "replace").strip()
    return Known(_ODF[kind], kind) if kind in _ODF and "content.xml" in names else None


def _office(packed: zipfile.ZipFile, names: list[str]) -> Known | None:
    if "[Content_Types].xml" not in names:
        return None
    told = _small(packed, "[Content_Types].xml").lower()
    for inside, (extension, content_type) in _OOXML.items():
        if inside in names:
            return Known(extension, content_type) if b"macroenabled" not in told else None
    return None


def _small(packed: zipfile.ZipFile, name: str) -> bytes:
    with packed.open(name) as entry:
        return entry.read(1_000_000)


def _text(data: bytes, name: str) -> Known | None:
    """Text is what its name says is text, reads as text, and is not the source of something that acts."""
    extension = name.rpartition(".")[2].lower()
    if extension not in {"txt", "csv"} or _CONTROL.search(data) or _MARKUP.search(data[:1024]):
        return None
    try:
        guesses = puremagic.magic_string(data[:4096])
    except (puremagic.PureError, ValueError):
        guesses = []
    if any(_NO_TEXT.search(guess.mime_type or "") for guess in guesses):
        return None
    try:
        data.decode("utf-8")
        charset = "utf-8"
    except UnicodeDecodeError:
        charset = "windows-1252"
    return Known(extension, f"text/{'csv' if extension == 'csv' else 'plain'}; charset={charset}")
