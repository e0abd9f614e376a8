"""The history, read-only, and how Django's admin writes into it instead of keeping a log of its own."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst

from audit.actions import record
from audit.models import Entry


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
        found = {"object_type": self.model._meta.label_lower, "object_id": object_id}
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

    list_display = ["at", "action", "actor_role", "object_type", "process_id"]
    list_filter = ["at"]
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = capfirst(Entry._meta.verbose_name_plural)
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
