""" "Spørg om forløbet": what people have asked, and asking."""

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.verdict import Refused
from dkfds.wording import day
from participation import clock, limits, printing
from participation.actions import contributions as actions
from participation.choices import PUBLIC, Moderation
from participation.forms.contributions import QuestionForm
from participation.models import Process
from participation.page_cache import public_page
from participation.permissions import contributions as may

PER_PAGE = 20


def _process(slug: str) -> Process:
    return get_object_or_404(Process.objects.filter(status__in=PUBLIC).select_related("unit"), slug=slug)


@public_page
@require_safe
def question_list(request: HttpRequest, slug: str) -> HttpResponse:
    process = _process(slug)
    shown = process.questions.filter(moderation=Moderation.PUBLISHED)
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    context = {"process": process, "page": page, "can_ask": may.can_ask(process)}
    return render(request, "participation/question_list.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def question_ask(request: HttpRequest, slug: str) -> HttpResponse:
    process = _process(slug)
    form = QuestionForm(request.POST or None)
    if request.user.is_authenticated:
        del form.fields["email"]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                limits.spend(request, "question", most=10, seconds=3600)
                asked = actions.ask_question(process=process, by=request.user, **form.cleaned_data)
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
                status = 409
            else:
                messages.success(
                    request,
                    _("Thank you. You get an answer no later than %(day)s.")
                    % {"day": day(asked.due_on, clock.today())},
                )
                return redirect("participation:question-list", slug)
    context = {
        "process": process,
        "form": form,
        "verdict": may.can_ask(process),
        "days": actions.QUESTION_DAYS,
    }
    return render(request, "participation/question_ask.html", context, status=status)


@require_safe
def question_form_pdf(request: HttpRequest, slug: str) -> HttpResponse:
    """The same on paper."""
    process = _process(slug)
    content = printing.blank_form(
        QuestionForm(),
        title=process.heading,
        heading=_("Ask about the process"),
        address=settings.SITE_URL + reverse("participation:question-ask", args=[slug]),
        send_to=process.unit.name,
    )
    return printing.pdf_response(content, f"{slug}-spoergsmaal.pdf")
