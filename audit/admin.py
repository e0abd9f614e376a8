"""The history, read-only, and how Django's admin writes into it instead of keeping a log of its own."""

from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from audit.actions import record
from audit.models import Entry
from audit.words import in_words


class PlainWords:
    """The list is called what it holds, not "choose one to change"."""

    show_facets = admin.ShowFacets.NEVER
    list_title: Any = ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = self.list_title or capfirst(self.model._meta.verbose_name_plural)  # type: ignore[attr-defined]
        shown = {"title": title} | (extra_context or {})
        return super().changelist_view(request, shown)  # type: ignore[misc]


class AuditedAdmin(admin.ModelAdmin):
    """Plain records kept in Django's admin: what is written goes into the one audit table."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        record(action=f"{obj._meta.model_name}.added", by=request.user, obj=obj, changed=_names(message))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        record(action=f"{obj._meta.model_name}.changed", by=request.user, obj=obj, changed=_names(message))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            record(action=f"{obj._meta.model_name}.deleted", by=request.user, obj=obj)

    def log_deletion(self, request: HttpRequest, obj: Model, object_repr: str) -> None:
        record(action=f"{obj._meta.model_name}.deleted", by=request.user, obj=obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The object's lines in the one history."""
        return to_history_of(self.model._meta.label_lower, object_id)


def to_history_of(object_type: str, object_id: str) -> HttpResponse:
    found = {"object_type": object_type, "object_id": object_id}
    return HttpResponseRedirect(f"{reverse('admin:audit_entry_changelist')}?{urlencode(found)}")


def _names(message: Any) -> list[str]:
    """Names of the changed fields in Django's change message; never values."""
    if not isinstance(message, list):
        return []
    found: set[str] = set()
    for part in message:
        for change in part.values():
            found.update(str(name) for name in change.get("fields", ()))
    return sorted(found)


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """Nobody adds, changes or deletes here; the database's own role can't either."""

    list_display = ["at", "what", "role", "kind", "process_id"]
    fields = ["at", "what", "actor_id", "role", "kind", "object_id", "process_id", "changed", "values"]
    list_filter = ["at"]
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return Entry.objects.shown()

    @admin.display(description=_("action"), ordering="action")
    def what(self, entry: Entry) -> Any:
        return in_words(entry.action)

    @admin.display(description=_("role"), ordering="actor_role")
    def role(self, entry: Entry) -> Any:
        roles = dict(get_user_model()._meta.get_field("role").flatchoices)
        return roles.get(entry.actor_role, entry.actor_role) or None

    @admin.display(description=_("kind of object"), ordering="object_type")
    def kind(self, entry: Entry) -> Any:
        try:
            return capfirst(apps.get_model(entry.object_type)._meta.verbose_name)
        except LookupError:  # a kind of record that is no longer here
            return entry.object_type

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = _("History of everything")
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A line has no history of its own: that of what it is about."""
        entry = self.get_object(request, unquote(object_id))
        if entry is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return to_history_of(entry.object_type, entry.object_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
