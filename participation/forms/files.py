"""The two fields of a form that takes photos and files; participation/uploads.py tells how they get there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.verdict import Refused
from participation import files
from participation.actions.files import ALT, MOST_FILES, MOST_PHOTOS, Hung, check_alt
from participation.models import Contribution, StoredFile

LONGEST_LIST = 100
ACCEPT_PHOTOS = "image/jpeg,image/png,image/webp,image/gif"
ACCEPT_FILES = ".pdf,.docx,.xlsx,.pptx,.odt,.ods,.odp,.txt,.csv,.jpg,.jpeg,.png"


@dataclass(frozen=True)
class Row:
    """A photo or file that has arrived: its handle and the words typed for it."""

    handle: str
    alt: str = ""


class ArrivedInput(forms.Widget):
    """What has arrived, each with a button to take it off; and the browser's own box for choosing more."""

    needs_multipart_form = True
    template = "participation/fields/files.html"
    most = MOST_FILES
    accept = ACCEPT_FILES
    first_wrong = 0  # the first of them that lacks something, counted from 1, when it is time to say so

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        read = data.getlist if hasattr(data, "getlist") else lambda key: list(data.get(key, ()))
        handles, alts = read(f"{name}_kept")[:LONGEST_LIST], read(f"{name}_alt")
        alts = [*alts, *[""] * len(handles)]
        return [Row(handle, alts[place]) for place, handle in enumerate(handles)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_kept" not in data

    def render(
        self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        attrs = attrs or {}
        rows = list(value or ())
        found = {files.handle(one): one for one in files.from_handles(row.handle for row in rows)}
        drawn = [self.drawn(row, found[row.handle]) for row in rows if row.handle in found]
        for place, one in enumerate(drawn, start=1):
            one["alt_id"] = f"{attrs.get('id', name)}_alt_{place}"
        return render_to_string(
            self.template,
            {
                "name": name,
                "id": attrs.get("id", name),
                "invalid": attrs.get("aria-invalid"),
                "described_by": attrs.get("aria-describedby"),
                "rows": drawn,
                "full": len(rows) >= self.most,
                "accept": self.accept,
                "longest": ALT,
            },
        )

    def drawn(self, row: Row, file: StoredFile) -> dict[str, Any]:
        return {"handle": row.handle, "file": file}


class PhotosInput(ArrivedInput):
    template = "participation/fields/photos.html"
    most = MOST_PHOTOS
    accept = ACCEPT_PHOTOS

    def id_for_label(self, id_: str) -> str:
        """Where the list of problems leads: to the words that are missing, else to the box for choosing."""
        return f"{id_}_alt_{self.first_wrong}" if self.first_wrong else id_

    def drawn(self, row: Row, file: StoredFile) -> dict[str, Any]:
        wrong = ""
        if self.first_wrong:
            try:
                check_alt(row.alt)
            except Refused as refused:
                wrong = refused.reason
        drawn = {"alt": row.alt, "wrong": wrong, "preview": files.preview(file)}
        return super().drawn(row, file) | drawn


class FilesField(forms.Field):
    """Gives a list of `Hung`. `paper` is a box to tick on the blank form."""

    widget = ArrivedInput
    paper = ""
    full = gettext_lazy("There is room for %(most)d files.")

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Files"))
        kwargs.setdefault(
            "help_text",
            gettext_lazy(
                "PDF, Word, Excel, OpenDocument, text or CSV; at most 20 MB each. They are shown as they are, so look whether they name anybody."
            ),
        )
        super().__init__(**({"required": False} | kwargs))

    def clean(self, value: Any) -> list[Hung]:
        rows = list(value or ())
        if self.required and not rows:
            raise ValidationError(self.error_messages["required"], code="required")
        found = {files.handle(one): one for one in files.from_handles(row.handle for row in rows)}
        if len(rows) > self.widget.most and any(not one.attachments.exists() for one in found.values()):
            raise ValidationError(self.full % {"most": self.widget.most}, code="too_many")
        wrong = []
        if any(row.handle not in found for row in rows):
            wrong.append(_("A photo or file is no longer here. Add it again."))
        hung = [Hung(found[row.handle], row.alt) for row in rows if row.handle in found]
        wrong += self.complaints(hung)
        if wrong:
            raise ValidationError(wrong)
        return hung

    def complaints(self, hung: list[Hung]) -> list[str]:
        return []


class PhotosField(FilesField):
    widget = PhotosInput
    paper = gettext_lazy("I have enclosed photos or drawings")
    full = gettext_lazy("There is room for %(most)d photos.")

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Photos"))
        kwargs.setdefault(
            "help_text",
            gettext_lazy(
                "Up to 6 photos of at most 20 MB. Use your own, and ask those who can be recognised. We remove what the camera notes, for example where it was taken."
            ),
        )
        super().__init__(**kwargs)

    def complaints(self, hung: list[Hung]) -> list[str]:
        wrong: dict[str, str] = {}
        for place, one in enumerate(hung, start=1):
            try:
                check_alt(one.alt)
            except Refused as refused:
                wrong[str(place)] = refused.reason
        self.widget.first_wrong = int(next(iter(wrong), 0))
        if not wrong:
            return []
        return [
            ngettext(
                "Photo %(numbers)s must be described.", "Photos %(numbers)s must be described.", len(wrong)
            )
            % {"numbers": get_text_list(list(wrong), _("and"))}
        ]


def rows_of(contribution: Contribution) -> dict[str, list[Row]]:
    """What a form holds when a contribution is corrected."""
    held = files.attached_to(contribution)
    return {name: [Row(files.handle(one), one.alt) for one in found] for name, found in held.items()}
