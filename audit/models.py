from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.words import in_words, shown_to_nobody


class EntryQuerySet(models.QuerySet["Entry"]):
    def shown(self) -> "EntryQuerySet":
        """What the history tells: without what people were promised that nobody sees."""
        return self.exclude(action__in=shown_to_nobody())


class Entry(models.Model):
    """One write by someone. Append-only: the application's database role can't change or delete a row.

    Holds ids and names of changed fields; values only of fields that are not personal. Casting a ballot writes none.
    """

    at = models.DateTimeField(_("at"))
    actor_id = models.BigIntegerField(_("actor"), null=True, help_text=_("Empty: the system's own clock."))
    actor_role = models.CharField(_("role"), max_length=20, blank=True)
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(_("kind of object"), max_length=60)
    object_id = models.CharField(_("object"), max_length=40)
    process_id = models.BigIntegerField(_("process"), null=True)
    changed = ArrayField(models.CharField(max_length=60), verbose_name=_("changed fields"), default=list)
    values = models.JSONField(_("values"), default=dict, encoder=DjangoJSONEncoder)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["process_id", "-id"], name="audit_process"),
            models.Index(fields=["actor_id", "-id"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return str(in_words(self.action))
