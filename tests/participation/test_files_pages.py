"""Photos and files on contributions: from the first choice through signing in to the page, for everyone who may see them and
nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse

from accounts import personal_data
from accounts.models import User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, files, limits, photos, uploads
from participation.actions import contributions as giving
from participation.actions import files as actions
from participation.choices import Moderation, Status
from participation.models import Attachment, Contribution, Draft, DraftFile, Notice, Process, StoredFile
from participation.tasks.files import sweep_files
from tests.accounts.factories import make_resident_citizen, make_staff, make_unit
from tests.factories import make_process
from tests.participation import pictures
from tests.participation.conftest import NOW
from tests.participation.test_races import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "fresh_pages")]

WRITTEN = {"title": "Flere træer", "body": "Træer giver skygge.", "name_shown": "first"}


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield tmp_path / "media"


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Tests come from one address; what is counted there is tried in a test of its own."""
    if "limited" not in request.fixturenames:
        monkeypatch.setattr(limits, "spend", lambda *args, **kwargs: None)


@pytest.fixture
def worker(process: Process) -> User:
    return make_staff(units=[process.unit])


@pytest.fixture
def limited() -> None:
    """This test counts."""


def address(name: str, *args: Any) -> str:
    return reverse(f"participation:{name}", args=args)


def sent(name: str, content: bytes, kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def on_disk() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def kept(page: str, name: str = "photos") -> list[str]:
    return re.findall(rf'name="{name}_kept" value="([^"]+)"', page)


def text(response: Any) -> str:
    return response.content.decode()


def write(client: Client, process: Process, **fields: Any) -> Any:
    """As from the page as it stands now."""
    page = text(client.get(address("contribute", process.slug)))
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    return client.post(
        address("contribute", process.slug), WRITTEN | {"seen": seen[1] if seen else ""} | fields
    )


def stored(by: User | None, alt: str = "En bæk", **size: int) -> StoredFile:
    return actions.store_photo(
        data=pictures.jpeg(**(size or {"width": 700, "height": 500})), name="bæk.jpg", alt=alt, by=by
    )


def given_with_photo(process: Process, by: User, **fields: Any) -> tuple[Contribution, StoredFile]:
    photo = stored(by)
    contribution = giving.give_contribution(
        process=process,
        by=by,
        title="Ved bækken",
        body="Tekst",
        attached=[actions.Hung(photo, photo.alt)],
        **fields,
    )
    return contribution, photo


# Writing, with and without script: the same buttons.


def test_a_photo_chosen_before_signing_in_is_on_the_page_afterwards(process: Process, citizen: User) -> None:
    anyone = Client()
    added = write(anyone, process, photos=[sent("Stranden.jpg", pictures.telltale())], more="photos")
    assert added.status_code == 302
    assert added["Location"].endswith("#div_id_photos")
    page = text(anyone.get(added["Location"]))
    (handle,) = kept(page)
    assert "Flere træer" in page
    assert page.count("data:image/jpeg;base64,") == 1
    assert 'enctype="multipart/form-data"' in page

    missing = write(anyone, process, photos_kept=[handle], photos_alt=[""], go_on="1")
    assert missing.status_code == 422
    assert "Billede 1 mangler en beskrivelse." in text(missing)
    assert 'href="#id_photos_alt_1"' in text(missing)
    assert 'aria-invalid="true" aria-describedby="id_photos_alt_1-error"' in re.sub(
        r"\s+", " ", text(missing)
    )
    assert kept(text(missing)) == [handle]

    review = write(
        anyone,
        process,
        photos_kept=[handle],
        photos_alt=["Stranden en morgen"],
        documents=[sent("Tilbud.pdf", pictures.pdf(), "application/pdf")],
        go_on="1",
    )
    assert review.status_code == 302
    shown = text(anyone.get(review["Location"]))
    assert "Stranden en morgen" in shown
    assert "Tilbud.pdf" in shown
    assert "data:image/jpeg;base64," in shown

    elsewhere = Client()  # MitID came back in another browser
    elsewhere.force_login(citizen)
    assert "Stranden en morgen" in text(elsewhere.get(review["Location"]))
    assert elsewhere.post(review["Location"]).status_code == 302
    contribution = Contribution.objects.get()
    photo, document = [one.file for one in contribution.attachments.select_related("file")]
    assert (photo.alt, photo.uploaded_by, document.name) == ("Stranden en morgen", citizen, "Tilbud.pdf")
    assert not Draft.objects.exists()
    page = text(Client().get(contribution.get_absolute_url()))
    assert f'srcset="{photo.address_at(240)} 240w, {photo.address_at(480)} 480w' in page
    assert 'alt="Stranden en morgen"' in page
    assert 'width="1500"' in page
    assert document.address in page
    assert Client().get(photo.address_at(960)).status_code == 200


def test_a_draft_keeps_its_photos_for_as_long_as_it_lives(
    process: Process, django_capture_on_commit_callbacks: Any
) -> None:
    client = Client()
    write(client, process, photos=[sent("a.jpg", pictures.jpeg())], more="photos")
    photo, draft = StoredFile.objects.get(), Draft.objects.get()
    with clock.frozen(NOW + timedelta(days=20)):
        assert sweep_files() == 0
        assert photo.pk in [one.pk for one in StoredFile.objects.kept()]
    with clock.frozen(NOW + timedelta(days=31)):
        giving.delete_expired_drafts()
        assert not Draft.objects.filter(pk=draft.pk).exists()
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep_files() == 1
    assert on_disk() == []


def test_what_is_deleted_with_the_draft_is_gone_at_once(
    process: Process, django_capture_on_commit_callbacks: Any
) -> None:
    client = Client()
    write(client, process, photos=[sent("a.jpg", pictures.jpeg())], more="photos")
    assert on_disk()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address("contribute-forget", process.slug))
    assert not StoredFile.objects.exists()
    assert on_disk() == []


def test_a_photo_is_taken_off_again(process: Process) -> None:
    client = Client()
    write(
        client, process, photos=[sent("a.jpg", pictures.jpeg()), sent("b.jpg", pictures.png())], more="photos"
    )
    first, second = kept(text(client.get(address("contribute", process.slug))))
    both = {"photos_kept": [first, second], "photos_alt": ["En", "To"]}
    off = write(client, process, **both, remove=first)
    assert off.status_code == 302
    page = text(client.get(off["Location"]))
    assert kept(page) == [second]
    assert 'value="To"' in page
    assert 'value="En"' not in page
    assert DraftFile.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<script>alert(1)</script>", "Det er ikke et billede, vi kan vise."),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
            "Det er ikke et billede, vi kan vise.",
        ),
        (pictures.huge_png(), "Billedet har for mange pixels. Vi kan tage op til 25 millioner."),
        (pictures.jpeg() + bytes(photos.MOST_BYTES), "Billedet fylder mere end 20 MB."),
        (pictures.jpeg()[:700], "Billedet kan ikke læses."),
        (b"", None),
    ],
    ids=["script", "svg", "12000x12000", "20MB", "half", "empty"],
)
def test_a_bad_photo_gets_a_message_and_nothing_typed_is_lost(
    process: Process, content: bytes, said: str | None
) -> None:
    client = Client()
    answer = write(
        client, process, photos=[sent("strand.jpg", content), sent("god.jpg", pictures.jpeg())], more="photos"
    )
    page = text(answer)
    if said is not None:
        assert answer.status_code == 422
        assert said in page
        assert "strand.jpg" in page
        assert "Flere træer" in page
        assert len(kept(page)) == 1, "the good one beside it is kept"
    # and it was kept as a draft too
    again = text(client.get(address("contribute", process.slug)))
    assert "Træer giver skygge." in again
    assert len(kept(again)) == 1
    assert StoredFile.objects.count() == 1


def test_a_file_that_is_too_large_is_let_go_while_it_arrives(process: Process, monkeypatch: Any) -> None:
    written: list[int] = []
    really = uploads.TemporaryFileUploadHandler.receive_data_chunk

    def counted(self: Any, raw: bytes, start: int) -> None:
        written.append(len(raw))
        really(self, raw, start)

    monkeypatch.setattr(uploads.TemporaryFileUploadHandler, "receive_data_chunk", counted)
    page = write(Client(), process, photos=[sent("stor.jpg", bytes(45_000_000))], go_on="1")
    assert page.status_code == 422
    assert "Billedet fylder mere end 20 MB." in text(page)
    assert sum(written) <= 20_100_000


def test_no_more_than_there_is_room_for(process: Process) -> None:
    client = Client()
    page = write(
        client, process, photos=[sent(f"{i}.jpg", pictures.jpeg(60 + i)) for i in range(9)], more="photos"
    )
    assert page.status_code == 422
    assert "Der er plads til 6 billeder." in text(page)
    assert len(kept(text(page))) == 6 == StoredFile.objects.count()
    assert 'type="file"' in text(page), "files still have room"
    assert 'name="photos"' not in text(page)


def test_a_number_that_was_guessed_or_read_attaches_nothing(process: Process, citizen: User) -> None:
    _, photo = given_with_photo(process, citizen)
    client = Client()
    for handle in (str(photo.pk), f"{photo.pk}:x", files.handle(photo)[:-1], "\x00", "x" * 4000, "æ:ø"):
        page = write(client, process, photos_kept=[handle], photos_alt=["Min"], go_on="1")
        assert page.status_code in {422, 302}
        assert kept(text(page)) == []
    assert Attachment.objects.count() == 1


def test_the_two_windows_of_one_draft_can_both_be_sent(process: Process, citizen: User) -> None:
    client = Client()
    client.force_login(citizen)
    write(client, process, photos=[sent("a.jpg", pictures.jpeg())], more="photos")
    (handle,) = kept(text(client.get(address("contribute", process.slug))))
    for number in range(2):
        fields = {
            "photos_kept": [handle],
            "photos_alt": ["En bæk"],
            "title": f"Nummer {number}",
            "go_on": "1",
        }
        review = Client()
        review.force_login(citizen)
        location = write(review, process, **fields)["Location"]
        assert review.post(location).status_code == 302
    assert Attachment.objects.count() == 2
    assert StoredFile.objects.count() == 1


def test_nobody_writes_new_words_under_a_photo_that_stands_elsewhere(process: Process, citizen: User) -> None:
    """Its author still has the handle when the time for correcting is over, or when a caseworker has looked at it."""
    given, photo = given_with_photo(process, citizen)
    other = giving.give_contribution(process=process, by=citizen, title="En anden", body="Tekst")
    with pytest.raises(Refused) as caught:
        actions.hang(contribution=other, hung=[actions.Hung(photo, "Noget grimt")], by=citizen)
    assert (caught.value.code, caught.value.field) == ("shown_elsewhere", "photos")
    photo.refresh_from_db()
    assert photo.alt == "En bæk"
    actions.hang(contribution=other, hung=[actions.Hung(photo, "En bæk")], by=citizen)
    actions.hang(contribution=other, hung=[], by=citizen)
    actions.hang(contribution=given, hung=[actions.Hung(photo, "Bækken ved broen")], by=citizen)
    photo.refresh_from_db()
    assert photo.alt == "Bækken ved broen", "where it alone stands its words are corrected as before"


def test_one_that_a_form_names_twice_hangs_once(process: Process, citizen: User) -> None:
    client = Client()
    client.force_login(citizen)
    write(client, process, photos=[sent("a.jpg", pictures.jpeg())], more="photos")
    (handle,) = kept(text(client.get(address("contribute", process.slug))))
    twice = {"photos_kept": [handle, handle], "photos_alt": ["En bæk", "En å"], "documents_kept": [handle]}
    review = write(client, process, **twice, documents_alt=["En å"], go_on="1")
    assert client.post(review["Location"]).status_code == 302
    assert Attachment.objects.count() == 1


def test_a_full_disk_is_said_in_the_form(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    default_storage.exists("x")

    def full(name: str, content: Any, *args: Any, **kwargs: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage._wrapped, "save", full)
    page = write(Client(), process, photos=[sent("a.jpg", pictures.jpeg())], go_on="1")
    assert page.status_code == 422
    assert "Vi kan ikke gemme filen lige nu." in text(page)
    assert "Flere træer" in text(page)
    assert on_disk() == []


def test_a_full_disk_of_temporary_files_is_said_in_the_form(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, raw: bytes, start: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads.TemporaryFileUploadHandler, "receive_data_chunk", full)
    page = write(Client(), process, photos=[sent("a.jpg", pictures.jpeg())], go_on="1")
    assert page.status_code == 422
    assert "Vi kan ikke gemme filen lige nu." in text(page)
    assert "Flere træer" in text(page)


def test_only_where_a_page_asks_for_them(process: Process, citizen: User) -> None:
    """2.5 MB is all that anybody may send to any other address, and 130 MB to these."""
    client = Client()

    def heavy() -> dict[str, Any]:
        return {"photos": [sent("a.jpg", bytes(3_000_000))]}

    for name in ("contribute-forget", "contribute-review", "question-ask"):
        assert client.post(address(name, process.slug), heavy()).status_code == 413
    assert client.post(reverse("participation:notices-read"), heavy()).status_code == 413
    assert client.post("/findes/ikke/", heavy()).status_code == 413
    assert write(client, process, **heavy(), go_on="1").status_code == 422
    assert client.post(address("contribute", process.slug), CONTENT_LENGTH="130000001").status_code == 413


def test_nothing_is_taken_when_it_is_not_open(process: Process) -> None:
    with clock.frozen(NOW + timedelta(days=11)):
        page = write(Client(), process, photos=[sent("a.jpg", pictures.jpeg())], go_on="1")
    assert page.status_code == 409
    assert not StoredFile.objects.exists()


def test_one_address_sends_so_many_in_an_hour(
    process: Process, monkeypatch: pytest.MonkeyPatch, limited: None
) -> None:
    monkeypatch.setattr(uploads, "HOURLY_UNKNOWN", 2)
    client = Client(REMOTE_ADDR="203.0.113.77")
    page = write(
        client, process, photos=[sent(f"{i}.jpg", pictures.jpeg(60 + i)) for i in range(4)], more="photos"
    )
    assert page.status_code == 422
    assert "Vent lidt" in text(page)
    assert StoredFile.objects.count() == 2


# Correcting and recording for someone.


def test_the_author_puts_on_and_takes_off_afterwards(
    process: Process, citizen: User, django_capture_on_commit_callbacks: Any
) -> None:
    contribution, photo = given_with_photo(process, citizen)
    client = Client()
    client.force_login(citizen)
    url = address("contribution-edit", process.slug, contribution.public_id)
    page = text(client.get(url))
    (handle,) = kept(page)
    assert 'value="En bæk"' in page
    added = client.post(
        url,
        WRITTEN
        | {"version": 1, "photos_kept": [handle], "photos_alt": ["En bæk"], "more": "photos"}
        | {"photos": [sent("ny.jpg", pictures.jpeg())]},
    )
    _, new = kept(text(added))
    assert "Flere træer" in text(added)
    with django_capture_on_commit_callbacks(execute=True):
        saved = client.post(
            url, WRITTEN | {"version": 1, "photos_kept": [new], "photos_alt": ["Den nye"], "more_": "1"}
        )
    assert saved.status_code == 302
    (one,) = contribution.attachments.select_related("file")
    assert one.file.alt == "Den nye"
    assert not StoredFile.objects.filter(pk=photo.pk).exists()
    assert len(on_disk()) == len(one.file.widths)
    assert "attachments" in Entry.objects.filter(action="contribution.edit").latest("pk").changed


def test_more_than_there_is_room_for_came_together_and_stays(process: Process, citizen: User) -> None:
    contribution, _ = given_with_photo(process, citizen)
    more = [stored(citizen, width=600 + number, height=400) for number in range(7)]
    Attachment.objects.bulk_create(
        Attachment(contribution=contribution, file=one, position=9) for one in more
    )
    client = Client()
    client.force_login(citizen)
    url = address("contribution-edit", process.slug, contribution.public_id)
    page = text(client.get(url))
    handles = kept(page)
    assert len(handles) == 8
    assert 'name="photos"' not in page
    fields = WRITTEN | {"photos_kept": handles, "photos_alt": ["Ny tekst"] * 8, "version": "1"}
    assert client.post(url, fields).status_code == 302
    assert {one.file.alt for one in contribution.attachments.select_related("file")} == {"Ny tekst"}
    extra = files.handle(stored(citizen))
    fields |= {"photos_kept": [*handles, extra], "photos_alt": ["Ny tekst"] * 9, "version": "2"}
    assert "Der er plads til 6 billeder." in text(client.post(url, fields))
    assert contribution.attachments.count() == 8


def test_staff_attach_a_scan_when_they_record_for_someone() -> None:
    process = make_process(status=Status.OPEN)
    client = Client()
    client.force_login(make_staff(units=[process.unit]))
    url = reverse("admin:process-record", args=[process.pk])
    fields = {
        "channel": "letter",
        "received_on": clock.today().isoformat(),
        "author_name": "Inger Holm",
        "title": "En bænk",
        "body": "Så kan man hvile sig.",
        "detail-cost": "12.000",
    }
    scan = sent("brev.jpg", pictures.jpeg(1200, 1700))
    added = client.post(
        url, fields | {"documents": [scan], "photos": [sent("b.jpg", pictures.jpeg())], "more": "photos"}
    )
    assert added.status_code == 200
    assert 'value="Inger Holm"' in text(added)
    assert "Der er problemer" not in text(added)
    (handle,), (document,) = kept(text(added)), kept(text(added), "documents")
    again = fields | {"documents_kept": [document], "photos_kept": [handle]}
    assert "Billede 1 mangler en beskrivelse." in text(client.post(url, again | {"photos_alt": [""]}))
    assert client.post(url, again | {"photos_alt": ["Bænken"]}).status_code == 302
    contribution = Contribution.objects.get()
    assert [one.file.kind for one in contribution.attachments.select_related("file")] == ["photo", "file"]


# Who sees them.


def test_whoever_may_see_the_contribution_and_nobody_else(
    process: Process, citizen: User, worker: User, person: Callable[..., User]
) -> None:
    _, photo = given_with_photo(process, citizen)
    people = {"anyone": None, "author": citizen, "neighbour": person("Bo"), "own unit": worker}
    people["other unit"] = make_staff(Role.CASEWORKER, units=[make_unit()])

    def seen() -> set[str]:
        found = set()
        for name, user in people.items():
            client = Client()
            if user is not None:
                client.force_login(user)
            answers = {client.get(photo.address).status_code, client.get(photo.address_at(240)).status_code}
            assert answers in ({200}, {404}), name
            found |= {name} if answers == {200} else set()
        return found

    assert seen() == set(people)
    for hidden in (Moderation.PENDING, Moderation.REJECTED, Moderation.WITHDRAWN):
        Contribution.objects.update(moderation=hidden, moderation_reason="x")
        assert seen() == {"author", "own unit"}


def test_what_hangs_on_nothing_is_seen_by_nobody(process: Process, citizen: User, worker: User) -> None:
    photo = stored(citizen)
    for user in (None, citizen, worker):
        client = Client()
        if user is not None:
            client.force_login(user)
        assert client.get(photo.address).status_code == 404


def test_how_they_are_served(process: Process, citizen: User) -> None:
    contribution, photo = given_with_photo(process, citizen)
    document = actions.store_file(data=pictures.pdf(), name="<script>.pdf", by=citizen)
    actions.hang(
        contribution=contribution, hung=[actions.Hung(photo, "En bæk"), actions.Hung(document)], by=citizen
    )
    for one, disposition in ((photo, "inline"), (document, "attachment")):
        served = Client().get(one.address)
        assert served["Content-Type"] == one.content_type
        assert served["Content-Disposition"].startswith(disposition)
        assert served["X-Content-Type-Options"] == "nosniff"
        assert served["Content-Security-Policy"].endswith("sandbox")
        assert "default-src 'none'" in served["Content-Security-Policy"]
        assert served["Cache-Control"] == "public, max-age=86400, s-maxage=300, immutable"
        assert not served.cookies
        again = Client().get(one.address, headers={"if-none-match": served["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "max-age=86400" in again["Cache-Control"]
    assert Client().get(photo.address_at(240))["ETag"] != Client().get(photo.address_at(480))["ETag"]
    assert Client().get(photo.address_at(241)).status_code == 404
    Contribution.objects.update(moderation=Moderation.PENDING)
    author = Client()
    author.force_login(citizen)
    assert author.get(photo.address)["Cache-Control"] == "private, no-store"


def test_a_storage_that_does_not_answer_is_no_error_page(
    process: Process, citizen: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, photo = given_with_photo(process, citizen)
    default_storage.exists("x")

    def down(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(default_storage._wrapped, "open", down)
        answer = Client().get(photo.address)
        assert (answer.status_code, answer["Cache-Control"]) == (503, "no-store")
    for path in on_disk():
        path.unlink()
    assert Client().get(photo.address).status_code == 404


# Taken away.


def test_a_caseworker_removes_a_photo_with_a_reason_that_its_author_hears(
    django_capture_on_commit_callbacks: Any,
) -> None:
    process = make_process(status=Status.OPEN)
    citizen, worker = make_resident_citizen(), make_staff(units=[process.unit])
    detail = {"why": "Der er langt.", "cost_lines": [{"text": "Bænk", "amount": 12000}]}
    contribution, photo = given_with_photo(process, citizen, detail=detail)
    (attachment,) = contribution.attachments.all()
    client = Client()
    client.force_login(worker)
    page = text(client.get(reverse("admin:process-contribution", args=[process.pk, contribution.public_id])))
    url = reverse(
        "admin:contribution-take-down-file", args=[process.pk, contribution.public_id, attachment.pk]
    )
    assert url in page
    assert photo.small in page
    assert text(client.post(url, {"reason": ""})).count("form-error-message") >= 1
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url, {"reason": "Naboens børn kan genkendes."}).status_code == 302
    assert not StoredFile.objects.exists()
    assert on_disk() == []
    assert Client().get(photo.address).status_code == 404
    notice = Notice.objects.get(user=citizen, kind=Notice.Kind.MODERATION)
    assert "Naboens børn kan genkendes." in notice.text
    assert Entry.objects.filter(action="contribution.take_down_file", object_id=str(contribution.pk)).exists()
    assert Contribution.objects.get().moderation == Moderation.PUBLISHED
    assert client.post(url, {"reason": "Igen"}).status_code == 404


def test_bytes_that_were_left_when_the_process_died_go_with_the_next_sweep(
    process: Process, citizen: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = stored(citizen)
    actions.remove_files(StoredFile.objects.filter(pk=photo.pk))  # and nothing happens on commit in a test
    photo.refresh_from_db()
    assert (photo.name, photo.alt, photo.uploaded_by) == ("", "", None)
    assert photo.removed_at is not None
    assert on_disk()
    default_storage.exists("x")
    with monkeypatch.context() as patch:

        def stuck(name: str) -> None:
            raise ConnectionError

        patch.setattr(default_storage._wrapped, "delete", stuck)
        with clock.frozen(NOW + timedelta(hours=2)):
            sweep_files()
        assert StoredFile.objects.filter(pk=photo.pk).exists(), "the row stays as long as its bytes"
    with clock.frozen(NOW + timedelta(hours=2)):
        sweep_files()
    assert not StoredFile.objects.filter(pk=photo.pk).exists()
    assert on_disk() == []


def test_only_what_nobody_put_to_use_is_swept(process: Process, citizen: User) -> None:
    _, hung = given_with_photo(process, citizen)
    stored(citizen)
    stored(None)
    with clock.frozen(NOW + timedelta(hours=23)):
        assert sweep_files() == 0
    with clock.frozen(NOW + timedelta(hours=25)):
        assert sweep_files() == 2
    assert [one.pk for one in StoredFile.objects.kept()] == [hung.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(4))
def test_swept_while_it_is_hung_up_is_one_or_the_other(process: Process, citizen: User, turn: int) -> None:
    photo = stored(citizen)
    contribution = giving.give_contribution(process=process, by=citizen, title="Et", body="To")
    results = at_once(
        lambda: actions.hang(contribution=contribution, hung=[actions.Hung(photo, "En bæk")], by=citizen),
        lambda: actions.remove_files(StoredFile.objects.filter(pk=photo.pk)),
    )
    assert results in (["done", "done"], ["done", "file_gone"])
    hangs = contribution.attachments.exists()
    assert hangs is StoredFile.objects.kept().filter(pk=photo.pk).exists()
    assert hangs is bool(on_disk())
    assert hangs is ("file_gone" not in results)


def test_whoever_leaves_takes_their_photos_along(
    process: Process, citizen: User, person: Callable[..., User], django_capture_on_commit_callbacks: Any
) -> None:
    contribution, _ = given_with_photo(process, citizen)
    other, others_photo = given_with_photo(process, person("Bo"))
    client = Client()
    client.force_login(citizen)
    write(client, process, photos=[sent("kladde.jpg", pictures.jpeg())], more="photos")
    told = personal_data.export(citizen)
    assert {row["filnavn"] for row in told["billeder og filer"]} == {"bæk.jpg", "kladde.jpg"}
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(citizen)
    assert [one.pk for one in StoredFile.objects.all()] == [others_photo.pk]
    assert len(on_disk()) == len(others_photo.widths)
    assert Contribution.objects.filter(pk=contribution.pk).exists()
    assert other.attachments.count() == 1


# Lists.


@pytest.mark.parametrize("count", [10, 200])
def test_as_many_queries_with_photos_at_ten_as_at_two_hundred(
    process: Process, citizen: User, django_assert_num_queries: Any, count: int
) -> None:
    rows = Contribution.objects.bulk_create(
        Contribution(
            process=process,
            author=citizen,
            title=f"Idé {i}",
            body="Tekst",
            received_on=NOW.date(),
            created_at=NOW + timedelta(seconds=i),
            moderation=Moderation.PUBLISHED,
        )
        for i in range(count)
    )
    seen = StoredFile.objects.bulk_create(
        StoredFile(
            kind="photo",
            name="a.jpg",
            content_type="image/jpeg",
            size=1,
            alt=f"Foto {i}",
            width=480,
            height=320,
            widths=[240, 480],
            file=f"photo/{i}.jpg",
            uploaded_at=NOW,
        )
        for i in range(count * 2)
    )
    Attachment.objects.bulk_create(
        Attachment(contribution=rows[i % count], file=one, position=1 - i // count)
        for i, one in enumerate(seen)
    )
    with django_assert_num_queries(6):
        page = text(Client().get(address("contribution-list", process.slug)))
    rows_shown = min(count, 20)
    assert page.count('class="row-photo"') == rows_shown
    assert page.count('loading="lazy"') >= rows_shown
    assert f'alt="Foto {2 * count - 1}"' in page, "the first of two is the one its author put first"
    assert f'alt="Foto {count - 1}"' not in page
