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


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


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
