"""What may come in, and what is left of it: decided by content, nothing of the camera, nothing that acts."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.test import override_settings
from PIL import ExifTags, Image

from accounts.verdict import Refused
from participation import clock, documents, files, photos
from participation.actions import files as actions
from participation.models import StoredFile
from tests.accounts.factories import make_citizen, make_staff, make_unit
from tests.participation import pictures
from tests.patience import seconds_here


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Any:
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield tmp_path / "media"


def on_disk() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def refusal(call: Any, *args: Any, **kwargs: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.reason
    return caught.value


def opened(picture: photos.Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


# Photos.


def test_a_photo_comes_in_widths_and_is_never_made_wider() -> None:
    found = photos.clean_photo(pictures.jpeg(3000, 2000))
    assert [(one.width, one.height) for one in found] == [(240, 160), (480, 320), (960, 640), (1600, 1067)]
    assert [opened(one).size for one in found] == [(240, 160), (480, 320), (960, 640), (1600, 1067)]
    assert [one.width for one in photos.clean_photo(pictures.jpeg(700, 500))] == [240, 480, 700]
    assert [one.width for one in photos.clean_photo(pictures.png(100, 80))] == [100]
    assert [one.width for one in photos.clean_photo(pictures.jpeg(1600, 900))] == [240, 480, 960, 1600]


def test_nothing_of_the_camera_is_left_and_the_search_would_have_found_it() -> None:
    original = pictures.telltale()
    canaries = [
        pictures.CAMERA,
        pictures.COMMENT,
        pictures.PLACE,
        "kanarie-profil",
        "Exif",
        "xmpmeta",
        "ICC_PROFILE",
    ]
    assert [word for word in canaries if word.encode() in original] == canaries
    before = Image.open(io.BytesIO(original))
    assert before.getexif().get_ifd(ExifTags.IFD.GPSInfo)[29].startswith(pictures.PLACE[:5])
    for one in photos.clean_photo(original):
        assert not [word for word in canaries if word.encode() in one.data]
        after = opened(one)
        assert dict(after.getexif()) == {}
        assert not {"exif", "xmp", "comment", "icc_profile", "photoshop"} & set(after.info)
        # read segment by segment, without Pillow: nothing but JFIF and what draws the picture
        assert segments(one.data) <= {0xE0, 0xDB, 0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xD8, 0xDD}


def segments(data: bytes) -> set[int]:
    """The kinds of segments of a JPEG up to its first scan."""
    found, place = {data[1]}, 2
    while place < len(data) and data[place] == 0xFF:
        kind = data[place + 1]
        found.add(kind)
        if kind == 0xDA:
            break
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return found


def test_the_reader_of_segments_sees_what_the_camera_wrote() -> None:
    assert {0xE1, 0xE2, 0xFE} <= segments(pictures.telltale())


def test_a_photo_held_on_its_side_stands_upright() -> None:
    upright = photos.clean_photo(pictures.telltale(2000, 1500, orientation=6))[-1]
    assert (upright.width, upright.height) == (1500, 2000)
    image = opened(upright).convert("RGB")
    # turned a quarter clockwise, the left half comes to the top
    assert image.getpixel((750, 200))[0] > 200
    assert image.getpixel((750, 1800))[2] > 200


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_of_holding_a_camera(orientation: int) -> None:
    found = photos.clean_photo(pictures.telltale(2000, 1500, orientation))[-1]
    wanted = (1500, 2000) if orientation >= 5 else (1600, 1200)
    assert (found.width, found.height) == wanted == opened(found).size


@pytest.mark.parametrize(
    ("mode", "colour"),
    [
        ("RGBA", (0, 0, 0, 0)),
        ("LA", (0, 0)),
        ("P", 3),
        ("L", 90),
        ("1", 1),
        ("I;16", 900),
        ("CMYK", (1, 2, 3, 4)),
    ],
)
def test_every_kind_of_pixels_becomes_a_plain_jpeg(mode: str, colour: Any) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (300, 200), colour).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    (first, _second) = photos.clean_photo(buffer.getvalue())
    image = opened(first)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (240, 160))
    if mode in {"RGBA", "LA"}:
        assert image.getpixel((5, 5)) == (255, 255, 255), "what was transparent is white, not black"


@pytest.mark.parametrize("width", [256, 2000])
def test_sixteen_bits_of_grey_stay_as_dark_as_they_were(width: int) -> None:
    """As scanners and microscopes make them."""
    image = Image.new("I;16", (256, 64))
    image.putdata([257 * (place % 256) for place in range(256 * 64)])
    buffer = io.BytesIO()
    image.resize((width, 64)).save(buffer, "PNG")
    clean = opened(photos.clean_photo(buffer.getvalue())[-1])
    for share in (0.25, 0.5, 0.75):
        grey = clean.getpixel((int(clean.width * share), 30))[0]
        assert abs(grey - 256 * share) < 8


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
def test_moving_pictures_stand_still(kind: str) -> None:
    frames = [Image.new("RGB", (300, 200), colour) for colour in ("red", "blue", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
    image = opened(photos.clean_photo(buffer.getvalue())[-1])
    assert getattr(image, "n_frames", 1) == 1
    assert image.getpixel((150, 100))[0] > 200


def test_twelve_thousand_by_twelve_thousand_is_refused_before_it_is_unpacked() -> None:
    bomb = pictures.huge_png()
    assert len(bomb) < 200_000
    began = time.process_time()
    refused = refusal(photos.clean_photo, bomb, "photos")
    assert time.process_time() - began < seconds_here(0.5)
    assert (refused.code, refused.field) == ("photo_too_many_pixels", "photos")
    assert refusal(photos.clean_photo, pictures.huge_png(30_000, 30_000)).code == "photo_too_many_pixels"
    assert refusal(photos.clean_photo, pictures.huge_png(40_000, 16)).code == "photo_too_many_pixels"
    assert refusal(photos.clean_photo, pictures.huge_png(5_600, 5_600)).code == "photo_too_many_pixels"


def test_a_photo_that_is_gone_through_thousands_of_times_is_refused() -> None:
    """Each scan is a few bytes and goes through every pixel: a small file that keeps a processor busy for hours."""
    bomb = pictures.endless_jpeg(5000)
    assert len(bomb) < 1_000_000
    began = time.process_time()
    assert refusal(photos.clean_photo, bomb).code == "photo_damaged"
    assert time.process_time() - began < seconds_here(0.5)
    assert photos.clean_photo(pictures.endless_jpeg(0)), "one that sharpens while it loads is no bomb"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_a_header_without_end_is_refused_before_it_is_read(kind: str) -> None:
    """Read one by one, the notes of 20 MB took a minute and half a gigabyte."""
    endless = pictures.with_notes(kind, 100_000)
    began = time.process_time()
    assert refusal(photos.clean_photo, endless).code == "photo_damaged"
    assert time.process_time() - began < seconds_here(0.5)
    assert photos.clean_photo(pictures.with_notes(kind, 500))


def test_what_hangs_behind_a_photo_is_not_taken_for_scans() -> None:
    """Telephones put a short film behind the photo: any bytes at all."""
    film = b"\xff\xda\x00\x02" * 20_000
    assert photos.clean_photo(pictures.jpeg() + film)


def test_the_kind_that_only_some_telephones_show_is_called_by_its_name() -> None:
    for brand in (b"heic", b"heix", b"mif1"):
        refused = refusal(photos.clean_photo, b"\x00\x00\x00\x18ftyp" + brand + bytes(400))
        assert refused.code == "photo_heic"
        assert "HEIC" in refused.reason


def test_what_telephones_make_is_taken() -> None:
    (widest,) = photos.clean_photo(pictures.jpeg(8064, 6048))[-1:]
    assert (widest.width, widest.height) == (1600, 1200)


def test_more_than_twenty_megabytes_is_refused_unread() -> None:
    heavy = pictures.jpeg() + bytes(photos.MOST_BYTES)
    refused = refusal(photos.clean_photo, heavy)
    assert refused.code == "photo_too_heavy"
    assert "20" in refused.reason


@pytest.mark.parametrize(
    "content",
    [
        b"<?php system($_GET['c']); ?>",
        b"#!/bin/sh\nrm -rf /\n",
        b"<script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"<!DOCTYPE html><html><body>hej</body></html>",
        b"MZ\x90\x00" + bytes(200),
        pictures.pdf(),
        b"II*\x00" + bytes(400),  # TIFF
        b"BM" + bytes(400),
        b"\x00\x00\x00\x18ftypheic" + bytes(400),
        b"\x00" * 500,
    ],
)
def test_what_is_no_photo_is_refused_whatever_it_is_called(content: bytes) -> None:
    assert refusal(photos.clean_photo, content).code in {"not_a_photo", "photo_damaged", "photo_heic"}


@pytest.mark.parametrize("whole", [pictures.jpeg(), pictures.png(), pictures.telltale(600, 400)])
def test_half_a_photo_is_refused(whole: bytes) -> None:
    for length in (12, 60, len(whole) // 3, len(whole) - 30):
        assert refusal(photos.clean_photo, whole[:length]).code in {"not_a_photo", "photo_damaged"}


def test_what_hides_behind_a_photo_is_gone() -> None:
    script = b"<script>alert('kanarie-9917')</script>"
    archive = pictures.packed({"kanarie.txt": b"x"})
    for hidden in (script, archive, pictures.pdf()):
        polyglot = pictures.jpeg() + hidden
        for one in photos.clean_photo(polyglot):
            assert hidden not in one.data
            assert b"kanarie" not in one.data
            assert b"PK\x03\x04" not in one.data
    commented = pictures.jpeg(comment=script)
    assert script in commented
    assert all(b"script" not in one.data for one in photos.clean_photo(commented))


# Documents.


@pytest.mark.parametrize(
    ("content", "name", "extension"),
    [
        (pictures.pdf(), "referat.docx", "pdf"),
        (pictures.docx(), "referat.pdf", "docx"),
        (pictures.xlsx(), "regnskab.xlsx", "xlsx"),
        (pictures.odt(), "x", "odt"),
        ("æble;pære\n1;2\n".encode(), "frugt.csv", "csv"),
        ("æble;pære\n1;2\n".encode("cp1252"), "frugt.CSV", "csv"),
        ("Kære alle\r\nTak for i går.\n".encode(), "brev.txt", "txt"),
    ],
)
def test_a_document_is_what_its_content_says(content: bytes, name: str, extension: str) -> None:
    assert documents.recognise(content, name).extension == extension


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (pictures.docx({"word/vbaProject.bin": b"x"}), "a.docx", "file_macros"),
        (pictures.odt({"Basic/Standard/Module1.xml": b"x"}), "a.odt", "file_macros"),
        (pictures.packed({"setup.exe": b"MZ"}), "a.docx", "file_type"),
        (b"MZ" + bytes(100), "a.pdf", "file_type"),
        (b"<html><script>alert(1)</script>", "a.txt", "file_type"),
        (b"<svg onload='alert(1)'/>", "a.csv", "file_type"),
        (b"#!/bin/sh\nrm -rf /", "a.txt", "file_type"),
        (b"hej", "a.html", "file_type"),
        (b"hej\x00med", "a.txt", "file_type"),
        (b"%PDF-1.7 and then nothing", "a.pdf", "file_damaged"),
        (pictures.docx()[:-30], "a.docx", "file_damaged"),
        (
            pictures.packed({"[Content_Types].xml": b"macroEnabled", "word/document.xml": b""}),
            "a.docm",
            "file_type",
        ),
        (b"", "a.pdf", "file_empty"),
    ],
)
def test_what_acts_or_pretends_is_refused(content: bytes, name: str, code: str) -> None:
    assert refusal(documents.recognise, content, name).code == code


@pytest.mark.parametrize(
    ("objects", "code"),
    [
        (b"3 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj\n", "file_acts"),
        (b"3 0 obj<</S/#4aavaScript/#4AS 4 0 R>>endobj\n", "file_acts"),
        (b"3 0 obj<</S/Launch/F(cmd.exe)>>endobj\n", "file_acts"),
        (b"3 0 obj<</Names<</EmbeddedFiles 4 0 R>>>>endobj\n", "file_acts"),
        (pictures.pdf_stream(b"3 0 <</S/JavaScript/JS(1)>>", b"/Type/ObjStm/N 1/First 4"), "file_acts"),
        (
            pictures.pdf_stream(b"Side 1") + pictures.pdf_stream(b"3 0 <</S/Launch>>", b"/Type/ObjStm/N 1"),
            "file_acts",
        ),
        (b"9 0 obj<</Type/ObjStm/N 1>>stream\nno zlib\nendstream endobj\n", "file_damaged"),
        (
            b"9 0 obj<</Type/ObjStm>>stream\nno zlib\nendstream endobj\n4 0 obj<</Encrypt 5 0 R>>",
            "file_locked",
        ),
        (b"trailer<</Encrypt 5 0 R>>\n", "file_locked"),
        (pictures.pdf_stream(bytes(60_000_000), b"/Type/ObjStm/N 1"), "file_unpacks"),
    ],
    ids=[
        *("script", "written otherwise", "launch", "other files", "packed script", "packed after a page"),
        *("not packed", "packed and locked", "locked", "unpacks to everything"),
    ],
)
def test_a_pdf_that_acts_or_hides_is_refused(objects: bytes, code: str) -> None:
    assert refusal(documents.recognise, pictures.pdf(objects), "a.pdf").code == code


@pytest.mark.parametrize(
    "objects",
    [
        b"3 0 obj<</OpenAction[5 0 R/Fit]/Title(JavaScript for alle)>>endobj\n",
        b"3 0 obj<</S/URI/URI(https://example.dk/#4aS)>>endobj\n",
        pictures.pdf_stream(b"BT (/JavaScript /Launch /Encrypt) Tj ET"),
        pictures.pdf_stream(b"3 0 <</Type/Catalog/JSX 1/Pages 2 0 R>>", b"/Type/ObjStm/N 1"),
    ],
)
def test_a_pdf_that_only_speaks_of_it_is_taken(objects: bytes) -> None:
    assert documents.recognise(pictures.pdf(objects), "a.pdf").extension == "pdf"


def test_a_zip_that_unpacks_to_everything_is_refused_unpacked() -> None:
    bomb = pictures.packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": bytes(310_000_000)})
    assert len(bomb) < 1_000_000
    assert refusal(documents.recognise, bomb, "a.docx").code == "file_unpacks"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("..\\..\\x.php.jpg", "x.php.jpg"),
        ("C:\\fakepath\\strand.JPEG", "strand.jpg"),
        ("<script>.png", "script.jpg"),
        ('"; rm -rf.jpg', "rm -rf.jpg"),
        ("linje\r\nSet-Cookie: x.jpg", "linje Set-Cookie x.jpg"),
        ("\u202egpj.exe", "gpj.jpg"),
        ("\x00.jpg", "billede.jpg"),
        (".htaccess", "billede.jpg"),
        ("", "billede.jpg"),
        ("æøå Å.jpg", "æøå Å.jpg"),
        ("a" * 500 + ".jpg", "a" * 96 + ".jpg"),
    ],
)
def test_names_hide_nothing_and_lead_nowhere(given: str, kept: str) -> None:
    assert files.clean_name(given, "jpg", "billede") == kept


# Keeping.


@pytest.mark.django_db
def test_a_stored_photo_is_in_the_storage_in_every_width() -> None:
    citizen = make_citizen()
    stored = actions.store_photo(data=pictures.telltale(), name="../IMG_1.JPG", alt=" En bæk ", by=citizen)
    assert (stored.name, stored.alt, stored.content_type) == ("IMG_1.jpg", "En bæk", "image/jpeg")
    assert stored.widths == [240, 480, 960, 1500]
    assert all(default_storage.exists(name) for name in stored.stored_names())
    assert stored.size == sum(path.stat().st_size for path in on_disk())
    assert len(on_disk()) == 4
    assert not any(pictures.PLACE.encode() in path.read_bytes() for path in on_disk())


@pytest.mark.django_db
def test_a_photographed_receipt_is_cleaned_and_kept_large() -> None:
    stored = actions.store_file(data=pictures.telltale(3000, 2000, 1), name="bilag.pdf", by=make_citizen())
    assert (stored.kind, stored.name, stored.content_type) == ("file", "bilag.jpg", "image/jpeg")
    (path,) = on_disk()
    kept = path.read_bytes()
    assert Image.open(io.BytesIO(kept)).size == (2400, 1600)
    assert pictures.CAMERA.encode() not in kept


@pytest.mark.django_db
@pytest.mark.parametrize("alt", ["", "  ", "\u200b", "\u2800\u00a0", "...", "–"])
def test_a_photo_needs_words(alt: str) -> None:
    refused = refusal(actions.store_photo, data=pictures.jpeg(), name="a.jpg", alt=alt, by=make_citizen())
    assert (refused.code, refused.field) == ("alt_missing", "alt")
    assert on_disk() == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db
def test_a_full_disk_is_said_and_leaves_nothing_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    default_storage.exists("x")  # so that the real storage stands behind the lazy one
    save, calls = default_storage._wrapped.save, []

    def third_fails(name: str, content: Any, *args: Any, **kwargs: Any) -> str:
        calls.append(name)
        if len(calls) == 3:
            (Path(settings.MEDIA_ROOT) / name).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        return save(name, content, *args, **kwargs)

    monkeypatch.setattr(default_storage._wrapped, "save", third_fails)
    refused = refusal(
        actions.store_photo, data=pictures.jpeg(2000, 900), name="a.jpg", alt="x", by=make_citizen()
    )
    assert (refused.code, refused.field) == ("storage", "photo")
    assert len(calls) == 3
    assert on_disk() == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db
def test_a_row_that_can_not_be_written_leaves_no_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: StoredFile, *args: Any, **kwargs: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(StoredFile, "save", fails)
    with pytest.raises(IntegrityError):
        actions.store_photo(data=pictures.jpeg(), name="a.jpg", alt="x", by=None)
    assert on_disk() == []


@pytest.mark.django_db
def test_what_was_on_its_way_in_when_the_process_died_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    default_storage.exists("x")
    save, calls = default_storage._wrapped.save, []

    def dies(name: str, content: Any, *args: Any, **kwargs: Any) -> str:
        if calls:
            raise SystemExit
        calls.append(name)
        return save(name, content, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(default_storage._wrapped, "save", dies)
        with pytest.raises(SystemExit):
            actions.store_photo(data=pictures.jpeg(), name="a.jpg", alt="x", by=None)
    assert len(on_disk()) == 1
    assert not StoredFile.objects.kept().exists()
    actions.sweep(clock.now() + timedelta(minutes=50))
    assert len(on_disk()) == 1, "it might still be arriving"
    actions.sweep(clock.now() + timedelta(minutes=70))
    assert on_disk() == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db
def test_any_storage_of_djangos_will_do() -> None:
    memory = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    with override_settings(STORAGES=settings.STORAGES | memory):
        photo = actions.store_photo(data=pictures.jpeg(2000, 900), name="a.jpg", alt="x", by=None)
        assert files.preview(photo).startswith("data:image/jpeg;base64,")
        with default_storage.open(photo.stored_as(480)) as opened_again:
            assert Image.open(opened_again).size == (480, 216)
        actions.remove_files(StoredFile.objects.filter(pk=photo.pk))
        actions.finish_removed(clock.now() + timedelta(hours=2))
        assert not any(default_storage.exists(name) for name in photo.stored_names())
    assert on_disk() == []


@pytest.mark.django_db
def test_nobody_fills_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "CITIZEN_BYTES", 60_000)
    monkeypatch.setattr(actions, "UNKNOWN_BYTES", 60_000)
    one, other = make_citizen(), make_citizen()
    staff = make_staff(units=[make_unit()])
    actions.store_file(data=pictures.pdf() + b" " * 50_000 + b"%%EOF", name="a.pdf", by=one)
    for by, allowed in ((one, False), (other, True), (staff, True), (None, True), (None, False)):
        call = {"data": pictures.pdf() + b" " * 40_000 + b"%%EOF", "name": "b.pdf", "by": by}
        if allowed:
            actions.store_file(**call)
        else:
            assert refusal(actions.store_file, **call).code == "quota"
    tomorrow = clock.now() + timedelta(days=1, minutes=1)
    actions.store_file(data=pictures.pdf(), name="c.pdf", by=one, at=tomorrow)


@pytest.mark.django_db
def test_the_database_refuses_a_photo_without_measures() -> None:
    stored = actions.store_photo(data=pictures.jpeg(), name="a.jpg", alt="x", by=None)
    for wrong in ({"width": None}, {"widths": []}, {"size": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            StoredFile.objects.filter(pk=stored.pk).update(**wrong)
