"""Those who carry a project out tell how it goes and enter what they spend; everyone else gets a 404."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.verdict import Refused, Verdict
from budgets import carrying_out
from budgets.actions import implementation as actions
from budgets.implementation_forms import FileForm, SpendForm, TellForm
from budgets.models import Implementation
from budgets.views import budget_process


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def tell(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """News, a photo, a milestone reached: shown when a caseworker has looked at it."""
    one = _own(request, slug, public_id)
    verdict = carrying_out.can_report(request.user, one)
    form = TellForm(request.POST or None, request.FILES or None, by=request.user, implementation=one)
    if verdict and form.is_bound and form.is_valid():
        try:
            actions.report_news(implementation=one, by=request.user, **form.told())
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        else:
            messages.success(
                request, _("Thank you. We look at it, and then everyone who follows the project is told.")
            )
            return redirect(one.project.contribution)
    return _page(request, "budgets/project_tell.html", one, form, verdict)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def spend(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """A line of the accounts with its receipt."""
    one = _own(request, slug, public_id)
    verdict = carrying_out.can_report_spending(request.user, one)
    form = SpendForm(request.POST or None, request.FILES or None, by=request.user)
    if verdict and form.is_bound and form.is_valid():
        try:
            actions.enter_spending(implementation=one, by=request.user, **form.entered())
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        else:
            messages.success(
                request, _("Entered. We look at the receipt, and then it stands in the accounts.")
            )
            return redirect(request.path)
    lines = one.entries.order_by("-recorded_at").select_related("receipt")
    return _page(request, "budgets/project_spend.html", one, form, verdict, lines=lines)


def _own(request: HttpRequest, slug: str, public_id: Any) -> Implementation:
    process = budget_process(slug)
    one = get_object_or_404(
        Implementation.objects.public().with_project(),
        project__contribution__public_id=public_id,
        project__contribution__process=process,
    )
    if not carrying_out.is_carrier(request.user, one):
        raise Http404
    return one


def _page(
    request: HttpRequest, template: str, one: Implementation, form: FileForm, verdict: Verdict, **more: Any
) -> HttpResponse:
    contribution = one.project.contribution
    context = {
        "process": contribution.process,
        "contribution": contribution,
        "one": one,
        "form": form,
        "verdict": verdict,
    }
    refused = request.method == "POST" and not verdict
    wrong = form.is_bound and form.errors
    return render(request, template, context | more, status=409 if refused else 422 if wrong else 200)
