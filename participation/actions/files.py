"""Taking photos and files in, hanging them on contributions, and taking them away for good."""

import hashlib
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from participation import clock, documents, files, notices, photos, team
from participation.models import Attachment, Contribution, Draft, DraftFile, Notice, StoredFile
from participation.permissions.contributions import check_moderate
from participation.texts import clean

logger = logging.getLogger(__name__)

ALT, REASON = 250, 1000
MOST_PHOTOS, MOST_FILES = 6, 4
# Whatever was sent in and hangs on nothing goes after this long.
ORPHANS_GO_AFTER = timedelta(hours=24)
ARRIVES_WITHIN = timedelta(hours=1)
# How much one user may send in a day; and how much all who haven't signed in may have lying here together.
CITIZEN_BYTES, STAFF_BYTES, UNKNOWN_BYTES = 200_000_000, 2_000_000_000, 2_000_000_000


@dataclass(frozen=True)
class Hung:
    """A file to hang on something, with the words that stand for it."""

    file: StoredFile
    alt: str = ""


def store_photo(
    *, data: bytes, name: str, alt: str | None, by: User | None, at: datetime | None = None
) -> StoredFile:
    """Keep a photo: known by its content, without what the camera noted, in widths for telephone and desktop.

    `alt` None: it is asked for before the photo is put to use (`check_alt`). `by` None: nobody has signed in yet. Raises
    `Refused` with field "photo" or "alt"; then nothing is kept. Hang it on something within a day, or it is swept away.
    """
    described = "" if alt is None else check_alt(alt)
    _check_quota(by, len(data), at, "photo")
    pictures = photos.clean_photo(data, "photo")
    widest = pictures[-1]
    return _keep(
        StoredFile(
            kind=StoredFile.Kind.PHOTO,
            name=files.clean_name(name, "jpg", _("photo")),
            content_type="image/jpeg",
            alt=described,
            width=widest.width,
            height=widest.height,
            widths=[picture.width for picture in pictures],
        ),
        {picture.width: picture.data for picture in pictures},
        by=by,
        at=at,
        field="photo",
    )


def store_file(*, data: bytes, name: str, by: User | None, at: datetime | None = None) -> StoredFile:
    """Keep a document as it came. A photographed letter or receipt is cleaned like a photo and kept large.

    Raises `Refused` with field "file"; then nothing is kept. Hang it on something within a day, or it is swept away.
    """
    documents.check_bytes(len(data), "file")
    _check_quota(by, len(data), at, "file")
    try:
        picture = photos.clean_photo(data, "file", photos.PAPER_WIDTHS)[-1]
    except Refused as refused:
        if refused.code != "not_a_photo":
            raise
        known, content = documents.recognise(data, name, "file"), data
    else:
        known, content = documents.Known("jpg", "image/jpeg"), picture.data
    return _keep(
        StoredFile(
            kind=StoredFile.Kind.FILE,
            name=files.clean_name(name, known.extension, _("file")),
            content_type=known.content_type,
        ),
        {0: content},
        by=by,
        at=at,
        field="file",
    )


def check_alt(alt: str, field: str = "alt") -> str:
    """What the photo shows, for those who can't see it."""
    described = clean(alt, field, longest=ALT, required=False).replace("\n", " ")
    if not any(map(str.isalnum, described)):  # nor do dots and signs that nobody sees
        raise Refused(
            "alt_missing", _("Write what the photo shows, so that those who can't see it know too."), field
        )
    return described


def _check_quota(by: User | None, size: int, at: datetime | None, field: str) -> None:
    at = at or clock.now()
    if by is None:
        if StoredFile.objects.bytes_of(None, at - timedelta(days=31)) + size > UNKNOWN_BYTES:
            raise Refused("quota", _("Log in first to add photos and files."), field)
        return
    most = STAFF_BYTES if by.is_staff else CITIZEN_BYTES
    if StoredFile.objects.bytes_of(by, at - timedelta(days=1)) + size > most:
        raise Refused(
            "quota", _("You have sent more than we can take in a day. Go on tomorrow, or call us."), field
        )


def _keep(
    stored: StoredFile, contents: dict[int, bytes], *, by: User | None, at: datetime | None, field: str
) -> StoredFile:
    """The row first, as one that is taken away: should the process die now, the sweep finds the bytes by it. Then the
    bytes, and only then does it count. Whatever goes wrong before that leaves neither."""
    widest = max(contents)
    now = at or clock.now()
    stored.uploaded_by, stored.uploaded_at, stored.removed_at = by, now, now
    stored.size = sum(map(len, contents.values()))
    stored.sha256 = hashlib.sha256(contents[widest]).hexdigest()
    folder = f"{stored.kind}/{stored.pk.hex[:2]}/{stored.pk}"
    extension = stored.name.rpartition(".")[2]
    names = {width: f"{folder}/{width or 'file'}.{extension}" for width in contents}
    stored.file.name = names[widest]
    stored.save(force_insert=True)
    try:
        for width, content in contents.items():
            if default_storage.save(names[width], ContentFile(content)) != names[width]:
                raise FileExistsError(names[width])
    except Exception as error:  # a full disk, or whatever an S3 client raises
        logger.exception("The storage did not take a file.")
        _finish([stored.pk])
        raise Refused(
            "storage",
            _("We can't keep the file right now. What you have written is kept; try again in a while."),
            field,
        ) from error
    stored.removed_at = None
    stored.save(update_fields=["removed_at"])
    return stored


# Contributions.


def check_hung(hung: Sequence[Hung], there: Collection[UUID] = ()) -> None:
    """As many as there is room for, and each photo with its words. What hangs there already stays, also where gathering two
    contributions brought more together than one may have."""
    shown = [one for one in hung if one.file.is_photo]
    others = [one for one in hung if not one.file.is_photo]
    if len(shown) > MOST_PHOTOS and any(one.file.pk not in there for one in shown):
        raise Refused(
            "too_many_photos", _("There is room for %(most)d photos.") % {"most": MOST_PHOTOS}, "photos"
        )
    if len(others) > MOST_FILES and any(one.file.pk not in there for one in others):
        raise Refused(
            "too_many_files", _("There is room for %(most)d files.") % {"most": MOST_FILES}, "documents"
        )
    for one in shown:
        check_alt(one.alt, "photos")


@transaction.atomic
def hang(*, contribution: Contribution, hung: Sequence[Hung], by: User | None) -> bool:
    """Let the contribution have exactly these, in this order. Called by the actions that give and correct it, with its row
    locked; what it no longer has and nothing else holds is taken away. Returns whether anything changed."""
    hung = list({one.file.pk: one for one in hung}.values())  # a form can name one twice
    there = {one.file_id: one for one in contribution.attachments.select_related("file")}
    check_hung(hung, there)
    wanted = {one.file.pk: place for place, one in enumerate(hung)}
    chosen = StoredFile.objects.kept().filter(pk__in=wanted).order_by("pk")
    said = dict(chosen.select_for_update().values_list("pk", "alt"))
    if missing := [one for one in hung if one.file.pk not in said]:
        field = "photos" if missing[0].file.is_photo else "documents"
        raise Refused("file_gone", _("A photo or file is no longer here. Add it again."), field)
    words = {one.file.pk: check_alt(one.alt, "photos") if one.file.is_photo else "" for one in hung}
    new_words = {key for key, alt in words.items() if alt != said[key]}
    ours = StoredFile.objects.filter(pk__in=new_words).loose(but=contribution)
    if ours.count() < len(new_words):
        # What is shown elsewhere was perhaps looked through there, and nobody changes it from here.
        raise Refused(
            "shown_elsewhere",
            _("A photo is shown in another place with other words. Add it again, and describe it here."),
            "photos",
        )
    StoredFile.objects.filter(pk__in=words, uploaded_by=None).update(uploaded_by=by)
    changed = bool(new_words)
    for key in new_words:
        StoredFile.objects.filter(pk=key).update(alt=words[key])
    for one in hung:
        old = there.pop(one.file.pk, None)
        place = wanted[one.file.pk]
        if old is None:
            Attachment.objects.create(contribution=contribution, file=one.file, position=place)
            changed = True
        elif old.position != place:
            Attachment.objects.filter(pk=old.pk).update(position=place)
            changed = True
    if there:
        Attachment.objects.filter(pk__in=[old.pk for old in there.values()]).delete()
        remove_files(StoredFile.objects.filter(pk__in=there))
        changed = True
    return changed


@transaction.atomic
def hold(*, draft: Draft, held: Iterable[StoredFile]) -> None:
    """The unfinished contribution keeps exactly these from being swept away."""
    chosen = StoredFile.objects.kept().filter(pk__in={file.pk for file in held}).order_by("pk")
    keys = set(chosen.select_for_update().values_list("pk", flat=True))
    DraftFile.objects.filter(draft=draft).exclude(file__in=keys).delete()
    DraftFile.objects.bulk_create(
        [DraftFile(draft=draft, file_id=key) for key in sorted(keys)], ignore_conflicts=True
    )


@transaction.atomic
def take_down(*, attachment: Attachment, by: User, reason: str) -> None:
    """A caseworker removes one photo or file; its author is told which and why, and the bytes are gone for good."""
    attachment = (
        Attachment.objects.select_for_update(of=("self",))
        .select_related("file", "contribution__process", "contribution__author")
        .get(pk=attachment.pk)
    )
    contribution = attachment.contribution
    check_moderate(by, contribution.process)
    reason = clean(reason, "reason", longest=REASON)
    file = attachment.file
    what = file.alt or file.name
    attachment.delete()
    record(
        action="contribution.take_down_file",
        by=by,
        obj=contribution,
        changed=["attachments"],
        values={"kind": file.kind},
    )
    notices.tell(
        users=team.authors(contribution),
        event=f"contribution:{contribution.pk}:file:{file.pk}",
        kind=Notice.Kind.MODERATION,
        title=gettext_lazy("A photo was removed from your contribution")
        if file.is_photo
        else gettext_lazy("A file was removed from your contribution"),
        text=format_lazy("{}\n\n{}\n\n{} {}", contribution.title, what, gettext_lazy("The reason:"), reason),
        url=contribution.get_absolute_url(),
        process=contribution.process,
        by=by,
    )
    remove_files(StoredFile.objects.filter(pk=file.pk))


# Away for good.


@transaction.atomic
def remove_files(chosen: QuerySet[StoredFile]) -> int:
    """Take away those of them that nothing hangs on to. At once nobody sees them and nothing personal is left in the
    row; the bytes go after the commit, and the row when they have gone."""
    locked = list(chosen.order_by("pk").select_for_update().values_list("pk", flat=True))
    # Asked once they are locked: whoever hung one on something in the meantime has committed by now.
    keys = list(StoredFile.objects.filter(pk__in=locked).loose().values_list("pk", flat=True))
    StoredFile.objects.filter(pk__in=keys).update(
        removed_at=clock.now(), uploaded_by=None, name="", alt="", sha256=""
    )
    transaction.on_commit(partial(_finish, keys), robust=True)
    return len(keys)


@transaction.atomic
def forget_files_of(*, user: User) -> None:
    """Somebody leaves: what they sent leaves their contributions and drafts and is taken away. What an account or a record
    of the municipality still points at stays, without who sent it."""
    keys = set(StoredFile.objects.filter(uploaded_by=user).values_list("pk", flat=True))
    keys |= set(DraftFile.objects.filter(draft__user=user).values_list("file", flat=True))
    Attachment.objects.filter(file__in=keys).delete()
    DraftFile.objects.filter(file__in=keys).delete()
    remove_files(StoredFile.objects.filter(pk__in=keys))
    StoredFile.objects.filter(pk__in=keys).update(uploaded_by=None)


def finish_removed(at: datetime) -> int:
    """The bytes of what was taken away, also when the process died between the commit and this, and of what was on its
    way in when it died. What is on its way now is left alone."""
    left = StoredFile.objects.filter(removed_at__lt=at - ARRIVES_WITHIN)
    return _finish(list(left.values_list("pk", flat=True)[:1000]))


def sweep(at: datetime | None = None) -> int:
    """What was sent in and never put to use."""
    at = at or clock.now()
    keys = list(StoredFile.objects.orphans(at - ORPHANS_GO_AFTER).values_list("pk", flat=True)[:1000])
    removed = remove_files(StoredFile.objects.filter(pk__in=keys))
    finish_removed(at)
    return removed


def _finish(keys: Sequence[UUID]) -> int:
    gone = 0
    for stored in StoredFile.objects.filter(pk__in=keys).exclude(removed_at=None):
        if _delete_bytes(stored.stored_names()):
            gone += StoredFile.objects.filter(pk=stored.pk).delete()[0]
    return gone


def _delete_bytes(names: Iterable[str]) -> bool:
    """Whether all are gone. A name that isn't there counts as gone."""
    gone = True
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:
            gone = False
            logger.exception("Bytes of a removed file could not be deleted; the next sweep tries again.")
    return gone
