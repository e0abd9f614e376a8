"""Photos and files on their way through a form, with and without script.

What was chosen is kept the moment it arrives, whatever else the form lacks; from then on the page carries a handle
(participation/files.py) and the photo's words, like any other field. So nothing has to be chosen twice: not when
something is missing, not after signing in. A view that takes files is marked `takes_files`; `settle` is the first thing it does
with what was posted, and a form with a `PhotosField` or `FilesField` reads the rest.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from participation import documents, files, limits, photos
from participation.actions import files as actions

logger = logging.getLogger(__name__)

PHOTOS, FILES = "photos", "documents"
ADD, REMOVE = "more", "remove"  # names of the buttons
MOST_AT_ONCE = 20
# How often in an hour: strangers by their address, which many may share at a school or a library.
HOURLY, HOURLY_UNKNOWN = 120, 200

View = Callable[..., HttpResponseBase]


def takes_files(view: View) -> View:
    """Anyone may send photos and files to this view, as much as `config.uploads` lets through."""

    @wraps(view)
    def marked(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(*args, **kwargs)

    marked.takes_files = True  # type: ignore[attr-defined]
    return marked


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Lets go of a file the moment it is too large or the disk is full, and reads on: the words in the form are not lost
    with it. What was let go stands in `request.let_go` as (field, name, why)."""

    MOST_BYTES = max(photos.MOST_BYTES, documents.MOST_BYTES)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.begun = 0
        request.let_go = []  # type: ignore[attr-defined]

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.arrived = 0
        self.begun += 1
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            raise self._let_go("storage") from error
        if self.begun > MOST_AT_ONCE:
            raise self._let_go("too_many")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.arrived += len(raw_data)
        if self.arrived > self.MOST_BYTES:
            raise self._let_go("too_heavy")
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            raise self._let_go("storage") from error

    def _let_go(self, why: str) -> SkipFile:
        if why == "storage":
            logger.error("There is no room for what people send: the disk of temporary files is full.")
        self.request.let_go.append((self.field_name, self.file_name or "", why))
        temporary = getattr(self, "file", None)
        if temporary is not None:
            temporary.close()
        return SkipFile()


@dataclass
class Settled:
    """What was posted, with handles in place of files and without what was taken off; and what could not be kept."""

    posted: QueryDict
    problems: list[tuple[str, str]] = field(default_factory=list)
    place: str = ""  # which of them a button was pressed for: where the page goes on
    changed: bool = False  # a photo or file came or went

    def tell(self, form: Any, *, only: bool = False) -> None:
        """Say it in the form; `only` this, not what else is missing, as long as nobody asked to go on."""
        if only:
            form.errors.clear()
            for name in {PHOTOS, FILES} & set(form.fields):
                form.fields[name].widget.first_wrong = 0
        for name, problem in self.problems:
            form.add_error(name if name in form.fields else None, problem)


def settle(request: HttpRequest, *, taking: bool = True) -> Settled:
    """Keep what was sent and take off what should go. `taking` False: nothing new is kept just now."""
    settled = Settled(request.POST.copy())
    if (pressed := request.POST.get(ADD, "")) in {PHOTOS, FILES}:
        settled.place = pressed
    _take_off(settled)
    for name, filename, why in getattr(request, "let_go", ()):
        if name in {PHOTOS, FILES}:
            settled.problems.append((name, _named(filename, _why(why, name))))
    for name in (PHOTOS, FILES) if taking else ():
        room = actions.MOST_PHOTOS if name == PHOTOS else actions.MOST_FILES
        for sent in request.FILES.getlist(name):
            if len(settled.posted.getlist(f"{name}_kept")) >= room:
                settled.problems.append((name, _full(name)))
                break
            _take(request, settled, name, sent)
    return settled


def _take(request: HttpRequest, settled: Settled, name: str, sent: UploadedFile) -> None:
    by = request.user if request.user.is_authenticated else None
    called = sent.name or ""
    try:
        limits.spend(request, "upload", most=HOURLY if by else HOURLY_UNKNOWN, seconds=3600)
        (photos if name == PHOTOS else documents).check_bytes(sent.size or 0)
        data = sent.read()
        if name == PHOTOS:
            stored = actions.store_photo(data=data, name=called, alt=None, by=by)
        else:
            stored = actions.store_file(data=data, name=called, by=by)
    except Refused as refused:
        settled.problems.append((name, _named(called, refused.reason)))
        return
    settled.changed = True
    settled.posted.appendlist(f"{name}_kept", files.handle(stored))
    if name == PHOTOS:
        settled.posted.appendlist(f"{name}_alt", "")


def _take_off(settled: Settled) -> None:
    going = settled.posted.get(REMOVE, "")
    if not going:
        return
    settled.changed = True
    for name in (PHOTOS, FILES):
        kept, alts = settled.posted.getlist(f"{name}_kept"), settled.posted.getlist(f"{name}_alt")
        alts += [""] * (len(kept) - len(alts))
        rows = [row for row in zip(kept, alts, strict=False) if row[0] != going]
        if len(rows) != len(kept):
            settled.place = name
        settled.posted.setlist(f"{name}_kept", [row[0] for row in rows])
        settled.posted.setlist(f"{name}_alt", [row[1] for row in rows])


def _why(why: str, name: str) -> str:
    if why == "storage":
        return _("We can't keep the file right now. What you have written is kept; try again in a while.")
    if why == "too_many":
        return _full(name)
    try:
        (photos if name == PHOTOS else documents).check_bytes(BoundedUploadHandler.MOST_BYTES + 1)
    except Refused as refused:
        return refused.reason
    return ""


def _full(name: str) -> str:
    if name == PHOTOS:
        return _("There is room for %(most)d photos.") % {"most": actions.MOST_PHOTOS}
    return _("There is room for %(most)d files.") % {"most": actions.MOST_FILES}


def _named(filename: str, problem: str) -> str:
    """Which of several it was, by the name they know it by."""
    shown = files.clean_name(filename, filename.rpartition(".")[2][:8] or "?", "?")
    return f"{shown}: {problem}" if filename else problem
