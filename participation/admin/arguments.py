"""What people argue about the contributions of a process, as staff work with it: the list, and one with all that may be
done to it."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import Permission
from accounts.verdict import Refused
from participation.actions import arguments as actions
from participation.admin.forms import ArgumentFilterForm, CommentInternallyForm, ModerateForm
from participation.admin.pages import back, own_process, show
from participation.choices import Moderation
from participation.models import Argument, ArgumentReport

PER_PAGE = 50
FORMS: dict[str, type[Form]] = {"moderate": ModerateForm, "comment": CommentInternallyForm, "dismiss": Form}
ADDRESSES = {"moderate": "gennemse", "dismiss": "behold", "comment": "kollegaer"}


def for_staff(arguments: QuerySet[Argument]) -> QuerySet[Argument]:
    """All that a line of a list shows, in one query."""
    reports = ArgumentReport.objects.filter(argument=OuterRef("pk"), handled_at=None)
    return (
        arguments.select_related("contribution__process", "author", "organisation", "home_district", "parent")
        .defer(
            "home_district__geometry",
            "contribution__search_vector",
            "contribution__body",
            "contribution__process__search_vector",
        )
        .annotate(reported=Exists(reports))
        .order_by("-created_at", "-pk")
    )


@require_GET
def argument_list(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk, Permission.MODERATE)
    form = ArgumentFilterForm(request.GET)
    found = for_staff(Argument.objects.filter(contribution__process=process))
    if form.is_valid():
        asked = form.cleaned_data
        if asked["q"]:
            found = found.filter(text__icontains=asked["q"])
        if asked["state"] == "reported":
            found = found.filter(reported=True)
        elif asked["state"]:
            found = found.filter(moderation=Moderation(asked["state"]))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request, "admin/process/arguments.html", tab="arguments", process=process, page=page, form=form
    )


def own_argument(request: HttpRequest, pk: int, public_id: UUID) -> Argument:
    process = own_process(request, pk, Permission.MODERATE)
    chosen = Argument.objects.select_related(
        "contribution__process__unit",
        "author",
        "organisation",
        "home_district",
        "moderated_by",
        "parent__author",
    )
    return get_object_or_404(chosen, public_id=public_id, contribution__process=process)


@require_GET
def argument(request: HttpRequest, pk: int, public_id: UUID) -> HttpResponse:
    return _page(request, own_argument(request, pk, public_id))


def _page(request: HttpRequest, found: Argument, wrong: dict[str, Form] | None = None) -> HttpResponse:
    forms = {
        "moderate": ModerateForm(prefix="moderate"),
        "comment": CommentInternallyForm(prefix="comment"),
    } | (wrong or {})
    context = {
        "argument": found,
        "forms": forms,
        "comments": found.internal_comments.select_related("by"),
        "reports": list(found.reports.all()),
        "open_reports": found.reports.filter(handled_at=None).exists(),
    }
    return show(request, "admin/process/argument.html", tab="arguments", process=found.process, **context)


@require_POST
def argument_act(request: HttpRequest, pk: int, public_id: UUID, act: str) -> HttpResponse:
    """The forms on an argument's page."""
    found = own_argument(request, pk, public_id)
    form = FORMS[act](request.POST, prefix=act)
    if form.is_valid():
        try:
            said = _do(act, found, request, form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        else:
            return back(request, "admin:process-argument", pk, public_id, said=said)
    return _page(request, found, {act: form})


def _do(act: str, found: Argument, request: HttpRequest, data: dict[str, Any]) -> Any:
    by = request.user
    match act:
        case "moderate":
            publish = request.POST.get("publish") == "1"
            actions.moderate_argument(argument=found, by=by, publish=publish, reason=data["reason"])
            return _("Published.") if publish else _("Not published. The author is told why.")
        case "dismiss":
            actions.dismiss_argument_reports(argument=found, by=by)
            return _("It stays, and the report is closed.")
        case _:
            actions.comment_on_argument(argument=found, by=by, text=data["text"])
            return _("Your colleagues can see it now.")
