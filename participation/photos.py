"""Photos on their way in: known by their content, turned upright, shrunk, and written anew.

What comes out holds pixels and nothing else: no place where it was taken, no camera, no comment, no colour profile, and
nothing of another kind of file that was hidden in it. The size is read from the header and refused before anything
is unpacked.
"""

import io
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.verdict import Refused

logger = logging.getLogger(__name__)

MOST_BYTES = 20_000_000
# The biggest cameras of telephones give 50 million; formats that can't be read at a smaller scale are held to half.
MOST_PIXELS = {
    "JPEG": 50_000_000,
    "MPO": 50_000_000,
    "PNG": 25_000_000,
    "WEBP": 25_000_000,
    "GIF": 25_000_000,
}
WIDTHS = (240, 480, 960, 1600)  # a preview; telephones; telephones with dense screens; desktops
PAPER_WIDTHS = (2400,)  # letters and receipts that someone photographed must stay readable
SMALLEST_SIDE = 16
LONGEST_SIDE = 30_000
QUALITY = 82
# A photo that sharpens while it loads is gone through ten times, and its header has some hundred parts. Whoever makes one
# with thousands of them keeps a processor busy for minutes or hours with a file that looks small.
MOST_SCANS = 50
MOST_PARTS = 20_000
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.S)
_START_OF_SCAN, _END = 0xDA, 0xD9
# What telephones and cameras make besides JPEG, by the name in its first box.
_HEIC = re.compile(rb"....ftyp(hei[cfmsx]|hev[cmsx]|mif1|msf1)", re.S)
# The largest takes some 400 MB while it is read: that much for each process, however many threads it has.
_one_at_a_time = threading.Lock()

# Our own limit is asked before anything is decoded; Pillow's is for sizes beyond any camera, and its warning is enough.
Image.MAX_IMAGE_PIXELS = 1_000_000_000
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """One width of a cleaned photo."""

    width: int
    height: int
    data: bytes


def clean_photo(data: bytes, field: str | None = None, widths: tuple[int, ...] = WIDTHS) -> list[Picture]:
    """The photo in each width (never wider than it came), smallest first; or `Refused` with a plain sentence."""
    check_bytes(len(data), field)
    with _one_at_a_time, _opened(data, field) as image:
        try:
            pixels = _upright(image, max(widths))
        except Exception as error:  # whatever a parser of strangers' bytes comes up with
            logger.info("A photo could not be decoded: %s", type(error).__name__)
            raise _damaged(field) from error
    chosen = [width for width in widths if width < pixels.width]
    if len(chosen) < len(widths):
        chosen.append(min(pixels.width, max(widths)))
    pictures: list[Picture] = []
    for width in sorted(set(chosen), reverse=True):
        height = max(1, round(pixels.height * width / pixels.width))
        if width != pixels.width:
            pixels = pixels.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        buffer = io.BytesIO()
        pixels.save(buffer, "JPEG", quality=QUALITY, optimize=True, progressive=True)
        pictures.insert(0, Picture(width, height, buffer.getvalue()))
    return pictures


def check_bytes(size: int, field: str | None = None) -> None:
    if size > MOST_BYTES:
        raise Refused(
            "photo_too_heavy",
            _("The photo is larger than %(limit)d MB. Choose a smaller one.")
            % {"limit": MOST_BYTES // 1_000_000},
            field,
        )
    if not size:
        raise Refused("photo_empty", _("The file is empty. Choose the photo again."), field)


def _opened(data: bytes, field: str | None) -> Image.Image:
    """The image with its header read, nothing decoded yet."""
    if _HEIC.match(data):
        raise Refused(
            "photo_heic",
            _(
                "The photo is of the type HEIC, which only some telephones can show. Save it as JPEG, or take a picture of the screen with it, and choose that one."
            ),
            field,
        )
    if _is_endless(data):
        logger.info("A photo with more scans or parts than any camera makes was refused.")
        raise _damaged(field)
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "GIF"))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels(MOST_PIXELS["JPEG"], field) from error
    except UnidentifiedImageError as error:
        raise Refused(
            "not_a_photo",
            _("This is not a photo we can show. Use JPEG, PNG, WebP or GIF."),
            field,
        ) from error
    except Exception as error:
        logger.info("A photo could not be opened: %s", type(error).__name__)
        raise _damaged(field) from error
    width, height = image.size
    most = MOST_PIXELS.get(image.format or "", 0)
    if width * height > most or max(width, height) > LONGEST_SIDE:
        raise _too_many_pixels(most, field)
    if min(width, height) < SMALLEST_SIDE:
        raise Refused("photo_too_small", _("The photo is too small to show anything."), field)
    return image


def _is_endless(data: bytes) -> bool:
    """Whether it has more scans or parts than any camera or program makes."""
    kinds = {b"\xff\xd8": _jpeg_parts, b"\x89P": _png_parts, b"GI": _gif_parts}
    walk = kinds.get(data[:2])
    scans = 0
    for parts, is_scan in enumerate(walk(data) if walk is not None else (), start=1):
        scans += is_scan
        if scans > MOST_SCANS or parts > MOST_PARTS:
            return True
    return False


def _jpeg_parts(data: bytes) -> Iterator[bool]:
    """Each segment up to the end of the photo, and whether it is a scan. What hangs behind it doesn't count."""
    place = 2
    while found := _MARKER.search(data, place):
        kind, place = found[1][0], found.end()
        if kind == _END:
            return
        yield kind == _START_OF_SCAN
        place += int.from_bytes(data[place : place + 2], "big")


def _png_parts(data: bytes) -> Iterator[bool]:
    place = 8
    while place < len(data):
        yield False
        place += 12 + int.from_bytes(data[place : place + 4], "big")


def _gif_parts(data: bytes) -> Iterator[bool]:
    """Every piece of what stands before the first picture: no more than that is read."""
    place = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 0x80 else 0)
    while data[place : place + 1] == b"!":
        place += 2
        while length := int.from_bytes(data[place : place + 1], "big"):
            yield False
            place += 1 + length
        yield False
        place += 1


def _upright(image: Image.Image, widest: int) -> Image.Image:
    """The first frame, turned as the camera was held, no wider than asked, on white, in a fresh image."""
    orientation = image.getexif().get(0x0112, 1)
    lying = orientation in {5, 6, 7, 8}
    width, height = image.size[::-1] if lying else image.size
    scale = min(1.0, widest / width)
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    if image.format in {"JPEG", "MPO"}:
        image.draft(image.mode, wanted[::-1] if lying else wanted)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    kept: Image.Image = image
    if kept.mode.startswith("I"):  # 16 bits of grey: as they stand, all but the darkest would come out white
        kept = kept.point(lambda grey: grey * (1 / 257)).convert("L")
    if kept.size != wanted:
        if kept.mode not in {"RGB", "L", "RGBA", "CMYK"}:
            kept = kept.convert("RGBA" if _see_through(kept) else "RGB")
        kept = kept.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=3.0)
    fresh = Image.new("RGB", wanted, "white")
    if _see_through(kept):
        kept = kept.convert("RGBA")
        fresh.paste(kept, mask=kept.getchannel("A"))
    else:
        fresh.paste(kept.convert("RGB"))
    return fresh


def _see_through(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def _too_many_pixels(most: int, field: str | None) -> Refused:
    return Refused(
        "photo_too_many_pixels",
        _("The photo has too many pixels. We take up to %(most)d million; make it smaller and try again.")
        % {"most": most // 1_000_000},
        field,
    )


def _damaged(field: str | None) -> Refused:
    return Refused("photo_damaged", _("The photo can't be read. It may be damaged; choose another."), field)
