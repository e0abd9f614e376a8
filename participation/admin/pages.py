"""What every staff page of a process shares: finding it, saying no in words, and one form that calls one action."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views import View

from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict
from participation import formats
from participation.admin import registry
from participation.formats import Act
from participation.models import Process
from participation.permissions.arguments import is_part_of
from participation.permissions.process import can_act_for, can_view


def seen_process(request: HttpRequest, pk: int) -> Process:
    """The process, if this user may see it; whoever may not is told nothing, not even that it exists."""
    process = get_object_or_404(Process.objects.select_related("unit", "owner", "deputy", "meeting"), pk=pk)
    if not can_view(request.user, process):
        raise Http404
    return process


def own_process(request: HttpRequest, pk: int, permission: Permission = Permission.SET_UP_PROCESS) -> Process:
    """The process, if it belongs to one of the user's units and the role may do this."""
    process = seen_process(request, pk)
    if not can_act_for(request.user, process):
        raise PermissionDenied
    if not request.user.may(permission):
        raise PermissionDenied
    return process


def words_of(process: Process) -> dict[str, Any]:
    kind = formats.get(process.format)
    return {
        "one": kind.contribution_label or _("Contribution"),
        "many": kind.contribution_label_plural or _("Contributions"),
    }


def tabs(process: Process, user: Any, current: str) -> list[dict[str, Any]]:
    """The pages under a process. What only the unit may do is left out for others."""
    places = [("overview", _("Overview"), "admin:process-overview")]
    if can_act_for(user, process):
        places += [
            ("setup", _("Set-up"), "admin:process-setup"),
            (
                "contributions",
                formats.get(process.format).contribution_label_plural,
                "admin:process-contributions",
            ),
        ]
        if is_part_of(process, Act.ARGUE):
            places.append(("arguments", _("Arguments"), "admin:process-arguments"))
        places += [(tab.key, tab.label, tab.url_name) for tab in registry.get(process.format).tabs]
        places += [
            ("questions", _("Questions"), "admin:process-questions"),
            ("result", _("Decision and result"), "admin:process-result"),
            ("news", _("News"), "admin:process-news"),
            ("breadth", _("Who is missing?"), "admin:process-breadth"),
        ]
    places.append(("history", _("History"), "admin:process-history"))
    return [
        {"label": label, "url": reverse(name, args=[process.pk]), "current": key == current}
        for key, label, name in places
    ]


def show(
    request: HttpRequest, template: str, *, tab: str = "", process: Process | None = None, **context: Any
) -> HttpResponse:
    if process is not None:
        context |= {
            "process": process,
            "format": formats.get(process.format),
            "tabs": tabs(process, request.user, tab),
        }
    return render(request, template, context)


def refuse(form: forms.BaseForm, refused: Refused) -> None:
    """Put a refusal where it belongs: at the field, or above the form."""
    fields = getattr(form, "fields", {})
    form.add_error(refused.field if refused.field in fields else None, refused.reason)


class ActPage(View):
    """A page with one form and one button that calls one action. POST only does it; GET asks."""

    template_name = "admin/process/act.html"
    form_class: type[forms.BaseForm] = forms.Form
    permission: Permission = Permission.SET_UP_PROCESS
    tab: ClassVar[str] = "overview"
    title: Any = ""
    lead: Any = ""
    button: Any = _("Save")
    tone: ClassVar[str] = "primary"
    done: Any = _("Saved.")
    back_to: ClassVar[str] = "admin:process-overview"

    @cached_property
    def process(self) -> Process:
        return own_process(self.request, self.kwargs["pk"], self.permission)

    def verdict(self) -> Verdict:
        return Verdict(True)

    def form_kwargs(self) -> dict[str, Any]:
        return {}

    def form(self, data: Any = None) -> forms.BaseForm:
        return self.form_class(data, **self.form_kwargs())

    def act(self, form: Any) -> Any:
        raise NotImplementedError

    def url(self) -> str:
        return reverse(self.back_to, args=[self.process.pk])

    def context(self) -> dict[str, Any]:
        return {}

    def page(self, form: forms.BaseForm | None) -> HttpResponse:
        words = {
            "title": self.title,
            "lead": self.lead,
            "button": self.button,
            "tone": self.tone,
            "back": self.url(),
        }
        context = words | {"form": form, "verdict": self.verdict()} | self.context()
        return show(self.request, self.template_name, tab=self.tab, process=self.process, **context)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(self.form())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go_on(self.form(request.POST))

    def go_on(self, form: forms.BaseForm) -> HttpResponse:
        if not form.is_valid():
            return self.page(form)
        try:
            self.act(form)
        except Refused as refused:
            refuse(form, refused)
            return self.page(form)
        messages.success(self.request, self.done)
        return HttpResponseRedirect(self.url())


def back(request: HttpRequest, name: str, *args: Any, said: Any = "", anchor: str = "") -> HttpResponse:
    """Say what happened and go on."""
    if said:
        messages.success(request, said)
    response = redirect(name, *args)
    if anchor:
        response["Location"] += f"#{anchor}"
    return response
