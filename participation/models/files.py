"""Photos and files that people send in. What they hang on points at them; nothing here knows what that may be."""

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery, Sum
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from participation.models.contributions import Contribution, Draft

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def kept(self) -> Self:
        return self.filter(removed_at=None)

    def loose(self, *, but: Contribution | None = None) -> Self:
        """Nothing hangs on to them: whatever room has a foreign key to a file counts, without being named here. With `but`:
        nothing but this contribution and what nobody has sent yet."""
        found = self
        for relation in self.model._meta.related_objects:
            holders = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            if but is not None and relation.related_model is Attachment:
                holders = holders.exclude(contribution=but)
            if but is None or relation.related_model is not DraftFile:
                found = found.exclude(Exists(holders))
        return found

    def orphans(self, before: "datetime") -> Self:
        """Sent in before then and never put to use."""
        return self.kept().filter(uploaded_at__lt=before).loose()

    def bytes_of(self, user: "User | None", since: "datetime") -> int:
        """How much this user has sent since then; None: all that nobody has signed in for."""
        mine = self.filter(uploaded_by=user, uploaded_at__gte=since, removed_at=None)
        return mine.aggregate(sum=Sum("size"))["sum"] or 0


class StoredFile(models.Model):
    """One photo or file, as it was cleaned on its way in; its content never changes.

    A photo is kept in a few widths (`widths`, ascending), each a JPEG without anything the camera noted; `file` names
    the widest, the others lie beside it. `alt` may be empty until the photo is put to use. `removed_at` is set while its
    bytes are on their way in, and again in the transaction that takes it away: nobody sees it then, and its bytes go
    after the commit (or with the next sweep), the row last.
    """

    class Kind(models.TextChoices):
        PHOTO = "photo", _("photo")
        FILE = "file", _("file")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    name = models.CharField(_("file name"), max_length=120, blank=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(_("size"), help_text=_("In bytes, all widths together."))
    sha256 = models.CharField(max_length=64)
    alt = models.CharField(_("description of the photo"), max_length=250, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    widths = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    file = models.FileField(max_length=200, unique=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="stored_files",
    )
    uploaded_at = models.DateTimeField(_("sent"))
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo or file")
        verbose_name_plural = _("photos and files")
        ordering = ["uploaded_at", "id"]
        indexes = [
            models.Index(fields=["uploaded_by", "uploaded_at"], name="stored_file_sender"),
            models.Index(fields=["uploaded_at"], name="stored_file_age"),
            models.Index(
                fields=["removed_at"], name="stored_file_removed", condition=Q(removed_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="stored_photo_has_measures",
                condition=~Q(kind="photo")
                | Q(width__isnull=False, height__isnull=False, width__gt=0, height__gt=0, widths__len__gt=0),
            ),
            models.CheckConstraint(name="stored_file_not_empty", condition=Q(size__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_photo(self) -> bool:
        return self.kind == self.Kind.PHOTO

    @property
    def address(self) -> str:
        return reverse("participation:file", args=[self.pk, self.name or self.kind])

    def address_at(self, width: int) -> str:
        return reverse("participation:photo", args=[self.pk, width, self.name or self.kind])

    @property
    def srcset(self) -> str:
        return ", ".join(f"{self.address_at(width)} {width}w" for width in self.widths)

    @property
    def small(self) -> str:
        """Where a browser that knows no srcset finds it."""
        return self.address_at(next((width for width in self.widths if width >= 480), self.widths[-1]))

    @property
    def tiny(self) -> str:
        return self.address_at(self.widths[0])

    def stored_as(self, width: int | None = None) -> str:
        """The name in the storage of one width."""
        name = str(self.file.name)
        return name if width is None or width == self.width else f"{name.rpartition('/')[0]}/{width}.jpg"

    def stored_names(self) -> list[str]:
        return [self.stored_as(width) for width in self.widths] or [str(self.file.name)]


class Attachment(models.Model):
    """A photo or file of a contribution, in the order its author put them."""

    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("photo or file of a contribution")
        verbose_name_plural = _("photos and files of contributions")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["contribution", "file"], name="attachment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.contribution_id}: {self.file_id}"


_SHOWN = ("id", "kind", "name", "alt", "size", "width", "height", "widths")


def _rows(path: str, **which: Any) -> models.QuerySet[Attachment, Any]:
    row = JSONObject(**{column: f"file__{column}" for column in _SHOWN})
    hung = Attachment.objects.filter(contribution=OuterRef(path), **which).order_by("position", "pk")
    return hung.annotate(row=row).values("row")


def all_attached(path: str = "pk") -> ArraySubquery:
    """What a contribution's page shows of its photos and files, in the page's own query."""
    return ArraySubquery(_rows(path))


def first_photo(path: str = "pk") -> Subquery:
    """The first photo as a list needs it, in the list's own query; `path` leads from the row to the contribution. The
    template tag `photo_of` makes a photo of it again."""
    return Subquery(_rows(path, file__kind=StoredFile.Kind.PHOTO)[:1])


class DraftFile(models.Model):
    """What an unfinished contribution holds on to, so that it is not swept away before it is sent."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="held")
    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="drafts")

    class Meta:
        verbose_name = _("photo or file of an unfinished contribution")
        verbose_name_plural = _("photos and files of unfinished contributions")
        constraints = [models.UniqueConstraint(fields=["draft", "file"], name="draft_file_once")]

    def __str__(self) -> str:
        return f"{self.draft_id}: {self.file_id}"
