"""Who may see a file, and how a file is named in a form before it hangs on anything.

A room that points at `StoredFile` registers an `Owner` in its `AppConfig.ready()`: whether what it hangs on is public, and
whether a user may see it anyway. Several may hold the same file; one that says yes is enough. A file that hangs on
nothing is seen by nobody: its preview is drawn into the page of whoever is filling in the form.
"""

import base64
import logging
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.apps import apps
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage

from accounts.models import User
from participation.models import Contribution, StoredFile

logger = logging.getLogger(__name__)

LONGEST_NAME = 100
_SALT = "participation.files"


@dataclass(frozen=True)
class Owner:
    """`public(file)`: anyone may see it now. `seen_by(file, user)`: this signed-in user may. Both may ask the database."""

    key: str
    public: Callable[[StoredFile], bool]
    seen_by: Callable[[StoredFile, User], bool]


_owners: dict[str, Owner] = {}


def register(owner: Owner) -> None:
    """Called from an app's `ready()`; twice, or after start-up, is an error."""
    if apps.ready:
        raise ImproperlyConfigured(f"Owner {owner.key!r} of files is registered too late.")
    if owner.key in _owners:
        raise ImproperlyConfigured(f"Owner {owner.key!r} of files is registered twice.")
    _owners[owner.key] = owner


def is_public(file: StoredFile) -> bool:
    return file.removed_at is None and any(owner.public(file) for owner in _owners.values())


def may_see(file: StoredFile, user: User | None) -> bool:
    """Whoever may not gets a 404."""
    if file.removed_at is not None or user is None or not user.is_authenticated:
        return False
    return any(owner.seen_by(file, user) for owner in _owners.values())


def attached_to(contribution: Contribution) -> dict[str, list[StoredFile]]:
    """What partials/attached.html shows: read with the contribution (`all_attached`), or in a query of its own."""
    rows = getattr(contribution, "attached", None)
    if rows is None:
        held = [one.file for one in contribution.attachments.select_related("file")]
    else:
        held = [StoredFile(**row) for row in rows]
    return {
        "photos": [file for file in held if file.is_photo],
        "documents": [file for file in held if not file.is_photo],
    }


# Handles: what a form carries from page to page. Only whoever sent the file in ever gets one, so a number that was
# guessed or read off a page attaches nothing.


def handle(file: StoredFile) -> str:
    return signing.Signer(salt=_SALT).sign(str(file.pk))


def from_handles(handles: Iterable[str]) -> list[StoredFile]:
    """The files that are still there, in the order given; what is no handle of ours is left out."""
    keys = [key for key in map(_key, handles) if key is not None]
    found = StoredFile.objects.kept().in_bulk(keys)
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def _key(handle: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(signing.Signer(salt=_SALT).unsign(handle[:200]))
    except (signing.BadSignature, ValueError, UnicodeError):
        return None


def preview(photo: StoredFile) -> str:
    """The smallest width as a data address, for pages that are never cached; empty when the storage does not answer."""
    try:
        with default_storage.open(photo.stored_as(photo.widths[0])) as stored:
            return "data:image/jpeg;base64," + base64.b64encode(stored.read()).decode("ascii")
    except Exception:
        logger.warning("The storage did not give the preview of a photo.")
        return ""


def clean_name(name: str, extension: str, otherwise: str) -> str:
    """A name that is no path, hides nothing and is what its content says it is: "../../x.exe" becomes "x.jpg"."""
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in name)
    name = re.sub(r"[<>:\"|?*%#;&]+", " ", name)
    stem = re.sub(r"\.\w{1,8}$", "", " ".join(name.split())).strip(" .-_")
    return f"{stem[: LONGEST_NAME - len(extension) - 1].rstrip(' .') or otherwise}.{extension}"
