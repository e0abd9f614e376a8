"""The queue over all processes: contributions and arguments together, oldest first."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import CharField, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission
from accounts.verdict import Refused
from participation.actions import arguments as arguing
from participation.actions import contributions as giving
from participation.admin import arguments, contributions
from participation.admin.forms import ModerateForm
from participation.admin.pages import back
from participation.choices import Moderation
from participation.models import Argument, Contribution

PER_PAGE = 50
WAITS = Q(moderation=Moderation.PENDING) | Q(reported=True, moderation=Moderation.PUBLISHED)


def waiting_contributions(request: HttpRequest) -> QuerySet[Contribution]:
    """What waits for a look in the user's units, and what someone has reported."""
    mine = Contribution.objects.filter(process__unit_id__in=request.user.unit_ids())
    return contributions.for_staff(mine).filter(WAITS)


def waiting_arguments(request: HttpRequest) -> QuerySet[Argument]:
    mine = Argument.objects.filter(contribution__process__unit_id__in=request.user.unit_ids())
    return arguments.for_staff(mine).filter(WAITS)


@require_http_methods(["GET", "POST"])
def moderation(request: HttpRequest) -> HttpResponse:
    if not request.user.may(Permission.MODERATE):
        raise PermissionDenied
    form = ModerateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _moderate_chosen(request, form.cleaned_data["reason"])
    found = _keys(waiting_contributions(request), "contribution").union(
        _keys(waiting_arguments(request), "argument"), all=True
    )
    page = Paginator(found.order_by("created_at", "kind", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "admin/moderation.html", {"page": page, "rows": _rows(page.object_list), "form": form}
    )


def _keys(waiting: QuerySet[Any], kind: str) -> QuerySet[Any]:
    named = waiting.order_by().annotate(kind=Value(kind, output_field=CharField()))
    return named.values_list("created_at", "kind", "pk")


def _rows(keys: Any) -> list[dict[str, Any]]:
    """The contributions and arguments of one page, in its order."""
    wanted = list(keys)
    found: dict[tuple[str, int], Any] = {}
    for kind, model, read in (
        ("contribution", Contribution, contributions.for_staff),
        ("argument", Argument, arguments.for_staff),
    ):
        rows = model._default_manager.filter(pk__in=[pk for _at, one, pk in wanted if one == kind])
        found |= {(kind, row.pk): row for row in read(rows)}  # type: ignore[operator]
    return [{kind: found[kind, pk]} for _at, kind, pk in wanted if (kind, pk) in found]


def _moderate_chosen(request: HttpRequest, reason: str) -> HttpResponse:
    """Each is its own decision: what can't be done is said, the rest goes through."""
    publish = request.POST.get("publish") == "1"
    ids, argument_ids = _ticked(request, "chosen"), _ticked(request, "argument")
    acts: list[Callable[..., Any]] = []
    acts += [
        _act(giving.moderate, contribution=one) for one in waiting_contributions(request).filter(pk__in=ids)
    ]
    acts += [
        _act(arguing.moderate_argument, argument=one)
        for one in waiting_arguments(request).filter(pk__in=argument_ids)
    ]
    done, refusals = 0, set()
    for act in acts:
        try:
            act(by=request.user, publish=publish, reason=reason)
            done += 1
        except Refused as refused:
            refusals.add(refused.reason)
    for text in refusals:
        messages.error(request, text)
    if not ids and not argument_ids:
        messages.error(request, _("Tick at least one in the list first."))
    if done:
        messages.success(
            request, ngettext("%(count)d handled.", "%(count)d handled.", done) % {"count": done}
        )
    return back(request, "admin:moderation")


def _act(action: Callable[..., Any], **what: Any) -> Callable[..., Any]:
    return lambda **how: action(**what, **how)


def _ticked(request: HttpRequest, name: str) -> list[int]:
    return [
        int(one)
        for one in request.POST.getlist(name)[:500]
        if one.isascii() and one.isdigit() and len(one) < 18
    ]
