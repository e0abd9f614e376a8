"""Where staff work. Django's admin for the plain records, our own pages for processes and what people give.

Signing in is allauth's, with its second factor; someone who is signed in but has no business here gets a 403 and not
another sign-in page. Colleagues whose work is elsewhere (councillors, polling officers) come to the start page when they
sign in, and are shown on to their own page.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Role

OWN = frozenset({"accounts", "audit", "mailouts", "participation", "budgets"})


def _works_elsewhere(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.role in (Role.COUNCILLOR, Role.POLLING_OFFICER)


class StaffSite(AdminSite):
    site_header = site_title = _("For staff")
    index_title = _("What needs you today")
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only our own records have pages: nobody edits what Django and allauth keep."""
        models = model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        own = [model for model in models if model._meta.app_label in OWN]
        super().register(own, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., Any]:
        guarded = super().admin_view(view, cacheable)

        def only_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                if request.path == resolve_url("admin:index") and _works_elsewhere(request):
                    return HttpResponseRedirect(resolve_url("accounts:my-page"))
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return only_staff

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(
                request.GET.get("next") or resolve_url("admin:index"), resolve_url("account_login")
            )
        if not self.has_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(resolve_url("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(resolve_url("account_logout"))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(resolve_url("account_change_password"))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from budgets.admin.urls import staff_urls as budget_urls
        from mailouts.admin.urls import staff_urls as mailout_urls
        from participation.admin.urls import staff_urls as process_urls

        # Django's way from a record to its public page asks nobody who they are, and none of ours needs it.
        plain = [one for one in super().get_urls() if getattr(one, "name", "") != "view_on_site"]
        ours = [urls(self.admin_view) for urls in (process_urls, budget_urls, mailout_urls)]
        return [*(one for urls in ours for one in urls), *plain]
