"""Photos on their way in: known by their content, turned upright, shrunk, and written anew.

What comes out holds pixels and nothing else: no place where it was taken, no camera, no comment, no colour profile, and
nothing of another kind of file that was hidden in it. The size is read from the header and refused before anything
is unpacked.
"""

import io
import logging
import threading
import warnings
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
# The largest takes some 300 MB while it is read: that much for each process, however many threads it has.
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
