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
from participation import documents, limits, uploads


@uploads.takes_files
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def tell(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """News, a photo, a milestone reached: shown when a caseworker has looked at it."""
    one = _own(request, slug, public_id)
    verdict = carrying_out.can_report(request.user, one)
    form = TellForm(request.POST or None, request.FILES or None, by=request.user, implementation=one)
    if verdict and form.is_bound and _arrived(request, form) and form.is_valid():
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


@uploads.takes_files
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def spend(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """A line of the accounts with its receipt."""
    one = _own(request, slug, public_id)
    verdict = carrying_out.can_report_spending(request.user, one)
    form = SpendForm(request.POST or None, request.FILES or None, by=request.user)
    if verdict and form.is_bound and _arrived(request, form) and form.is_valid():
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


def _arrived(request: HttpRequest, form: FileForm) -> bool:
    """Whether the file came through. One that was too heavy, or one too many in an hour, is said at its field."""
    try:
        if request.FILES:
            limits.spend(request, "upload", most=uploads.HOURLY, seconds=3600)
        if any(name == form.upload for name, _called, _why in getattr(request, "let_go", ())):
            documents.check_bytes(uploads.BoundedUploadHandler.MOST_BYTES + 1)
    except Refused as refused:
        form.add_error(form.upload, refused.reason)
        return False
    return True


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
