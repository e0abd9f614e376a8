"""Photos and files as people send them, good and bad; small, although some claim to be huge."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

CAMERA = "Kanarie-Kamera-7319"
COMMENT = "kanarie-kommentar-8204"
PLACE = "kanarie-sted-5531"


def jpeg(width: int = 800, height: int = 600, colour: str = "#2a6f62", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def png(width: int = 400, height: int = 300, mode: str = "RGB", colour: object = "white") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, "PNG")  # type: ignore[arg-type]
    return buffer.getvalue()


def telltale(width: int = 2000, height: int = 1500, orientation: int = 6) -> bytes:
    """A photo that tells where and with what it was taken, four times over; held on its side. Its left half is red."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Kanarie", CAMERA, orientation
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (IFDRational(55), IFDRational(43), IFDRational(917, 100))
    gps[3], gps[4] = "E", (IFDRational(12), IFDRational(21), IFDRational(3311, 100))
    gps[29] = PLACE
    buffer = io.BytesIO()
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><exif:GPSLatitude>{PLACE}</exif:GPSLatitude></x:xmpmeta>"
    image.save(
        buffer,
        "JPEG",
        exif=exif.tobytes(),
        comment=COMMENT.encode(),
        xmp=xmp.encode(),
        icc_profile=b"kanarie-profil-" + bytes(200),
    )
    return buffer.getvalue()


def huge_png(width: int = 12_000, height: int = 12_000) -> bytes:
    """A real PNG of that many pixels in a few hundred kilobytes."""
    line = b"\x00" + bytes(width // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def endless_jpeg(scans: int, width: int = 800, height: int = 600) -> bytes:
    """A photo that sharpens while it loads, whose last scan but one comes that many times more: some 60 bytes each."""
    whole = jpeg(width, height, progressive=True)
    starts = [place for place in range(len(whole)) if whole[place : place + 2] == b"\xff\xda"]
    tables = whole.rindex(b"\xff\xc4", 0, starts[-2])
    ends = min(
        place for place in range(starts[-2] + 2, len(whole)) if whole[place : place + 2] == b"\xff\xc4"
    )
    return whole[:-2] + whole[tables:ends] * scans + whole[-2:]


def with_notes(kind: str, notes: int) -> bytes:
    """A photo with that many notes in its header."""
    buffer = io.BytesIO()
    Image.new("RGB", (100, 80), "green").save(buffer, kind)
    whole = buffer.getvalue()
    note = {
        "JPEG": b"\xff\xfe\x00\x02",
        "PNG": b"\x00\x00\x00\x03tEXta\x00b" + struct.pack(">I", zlib.crc32(b"tEXta\x00b")),
        "GIF": b"!\xfe\x01x\x00",
    }[kind]
    place = {"JPEG": 2, "PNG": 33, "GIF": 13 + (3 << (whole[10] & 7) + 1)}[kind]
    return whole[:place] + note * notes + whole[place:]


def pdf(objects: bytes = b"") -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        + objects
        + b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )


def pdf_stream(content: bytes, words: bytes = b"") -> bytes:
    """An object with something packed in it."""
    body = zlib.compress(content)
    return b"9 0 obj<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream endobj\n" % (
        len(body),
        words,
        body,
    )


def packed(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def docx(more: dict[str, bytes] | None = None) -> bytes:
    types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return packed({"[Content_Types].xml": types, "word/document.xml": b"<w:document/>"} | (more or {}))


def xlsx() -> bytes:
    return packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})


def odt(more: dict[str, bytes] | None = None) -> bytes:
    kind = b"application/vnd.oasis.opendocument.text"
    return packed({"mimetype": kind, "content.xml": b"<office/>"} | (more or {}))
