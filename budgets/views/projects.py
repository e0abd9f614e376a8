"""The projects of a citizen budget: the list, and one adjustment by its author after the assessment."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.verdict import Refused, Verdict
from budgets import actions, permissions, voting
from budgets.actions.rounds import went_on
from budgets.forms import AdjustForm
from budgets.models import Assessment, Pot, Project
from budgets.views import budget_process
from participation import clock, search
from participation.choices import Moderation
from participation.forms.contributions import districts_to_choose, written
from participation.models import Process
from participation.page_cache import public_page
from participation.permissions import contributions as may
from participation.team import by_author, shown_together

PER_PAGE = 20


@public_page
@require_safe
def project_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Every public project: found by words, district and assessment. As many queries at 10 as at 1,000."""
    process = budget_process(slug)
    districts, pots = list(districts_to_choose()), list(process.citizenbudget.pots.all())
    chosen = _chosen(request, districts, pots)
    page = Paginator(_rows(process.pk, chosen), PER_PAGE).get_page(request.GET.get("page"))
    now, today = clock.now(), clock.today()
    ahead = shortlisted(process)
    for project in page:
        project.left_behind = ahead is not None and project.number not in ahead
        project.contribution.process, project.contribution.others = process, project.others
        project.contribution.shown_name = shown_together(project.contribution, today)
    context = {
        "process": process,
        "budget": process.citizenbudget,
        "page": page,
        "chosen": chosen,
        "districts": districts,
        "pots": pots,
        "assessments": Assessment.choices,
        "orders": Project.Order.choices,
        "filtered": any(chosen[name] for name in ("q", "district", "pot", "assessment")),
        "may_propose": may.can_open_for_contributions(process, at=now),
        "may_vote": voting.can_open(process, at=now),
    }
    return render(request, "budgets/project_list.html", context)


def shortlisted(process: Process) -> set[str] | None:
    """The numbers that went on from the first round; None before it is counted, and where there is only one round."""
    if process.citizenbudget.shortlist_size is None:
        return None
    try:
        return set(went_on(process))
    except Refused:
        return None


def _rows(process_id: int, chosen: dict[str, Any]) -> QuerySet[Project]:
    rows = Project.objects.filter(
        contribution__process=process_id, contribution__moderation=Moderation.PUBLISHED
    )
    if chosen["q"]:
        wanted = search.to_tsquery(chosen["q"])
        rows = rows.filter(contribution__search_vector=wanted) if wanted is not None else rows.none()
    if chosen["district"]:
        rows = rows.filter(contribution__district=chosen["district"])
    if chosen["pot"]:
        rows = rows.filter(pot=chosen["pot"])
    if chosen["assessment"]:
        rows = rows.filter(assessment=chosen["assessment"])
    return rows.in_order(chosen["order"]).for_list()


def _chosen(request: HttpRequest, districts: list[Any], pots: list[Pot]) -> dict[str, Any]:
    """The filters that make sense; the rest of what an address may hold is left out."""
    asked = request.GET
    assessment, order = asked.get("vurdering", ""), asked.get("sorter", "")
    return {
        "q": asked.get("q", "").replace("\x00", "").strip()[: search.LONGEST],
        "district": next((one for one in districts if str(one.pk) == asked.get("distrikt")), None),
        "pot": next((one for one in pots if one.key == asked.get("pulje")), None),
        "assessment": assessment if assessment in Assessment.values else "",
        "order": order if order in Project.Order.values else Project.Order.NUMBER,
    }


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def project_adjust(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """By its author, once and within the deadline; what was typed stays when something is wrong."""
    process = budget_process(slug)
    project = get_object_or_404(
        Project.objects.select_related("contribution__process"),
        by_author(request.user, "contribution"),
        contribution__public_id=public_id,
        contribution__process=process,
    )
    verdict = permissions.can_adjust(request.user, project)
    about = {"process": process, "user": request.user}
    if request.method == "GET" or not verdict:
        form = AdjustForm(initial=AdjustForm.initial_of(project.contribution), **about)
        return _adjust_page(request, project, form, verdict, 200 if request.method == "GET" else 409)
    if "more" in request.POST:
        return _adjust_page(request, project, AdjustForm.from_draft(written(request.POST), **about), verdict)
    form = AdjustForm(request.POST, **about)
    if not form.is_valid():
        return _adjust_page(request, project, form, verdict, 422)
    try:
        actions.adjust_project(project=project, by=request.user, **form.adjusted())
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        return _adjust_page(request, project, form, verdict, 409)
    messages.success(request, _("Your project has been adjusted. We assess it again and tell you."))
    return redirect(project.contribution)


def _adjust_page(
    request: HttpRequest, project: Project, form: AdjustForm, verdict: Verdict, status: int = 200
) -> HttpResponse:
    context = {
        "process": project.contribution.process,
        "project": project,
        "form": form,
        "verdict": verdict,
    }
    return render(request, "budgets/project_adjust.html", context, status=status)
