"""What came of it: questions answered, the decision, what changed, where it was told, and news on the way."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.permissions import Permission
from participation.actions import contributions
from participation.actions import outcomes as actions
from participation.admin import readiness as ready
from participation.admin.forms import (
    AnswerQuestionForm,
    DecisionForm,
    ImpactForm,
    NewsForm,
    NothingChangedForm,
    ToldOutsideForm,
)
from participation.admin.pages import ActPage, own_process, show
from participation.admin.processes import buttons
from participation.choices import BEFORE_DECISION, Status
from participation.models import ProcessQuestion
from participation.principles import Gate, judging

PER_PAGE = 50


@require_GET
def result(request: HttpRequest, pk: int) -> HttpResponse:
    """Decision, impacts, told outside, and whether the process can be concluded."""
    process = own_process(request, pk)
    context = {
        "decisions": process.decisions.select_related("recorded_by", "meeting__committee"),
        "impacts": process.impacts.prefetch_related("contributions"),
        "kept": ready.shown(judging.readiness(process, gate=Gate.CONCLUDE), process, request.user),
        "concluding": process.status in {Status.CLOSED, Status.DECIDED},
        "before_decision": process.status in BEFORE_DECISION,
        "buttons": [one for one in buttons(process, request.user) if one["name"] in {"decide", "conclude"}],
    }
    return show(request, "admin/process/result.html", tab="result", process=process, **context)


class ResultPage(ActPage):
    permission = Permission.RECORD_DECISION
    tab = "result"
    back_to = "admin:process-result"


class Decide(ResultPage):
    title = _("Record the decision")
    lead = _("As the politicians took it. Everyone who took part is told.")
    form_class = DecisionForm
    button = _("Record the decision")
    done = _("The decision is on the public page.")

    def form_kwargs(self) -> dict[str, Any]:
        return {"process": self.process}

    def act(self, form: Any) -> None:
        actions.record_decision(process=self.process, by=self.request.user, **form.cleaned_data)


class RecordImpact(ResultPage):
    title = _("Record what changed")
    lead = _("An impact is a change that came because of what people gave.")
    form_class = ImpactForm
    button = _("Record it")
    done = _("Those whose contribution did it are told.")

    def form_kwargs(self) -> dict[str, Any]:
        return {"process": self.process}

    def act(self, form: Any) -> None:
        data = form.cleaned_data
        actions.record_impact(
            process=self.process,
            by=self.request.user,
            text=data["text"],
            contributions=list(data["contributions"]),
        )


class NothingChanged(ResultPage):
    title = _("Say that nothing changed")
    form_class = NothingChangedForm
    done = _("Said plainly on the public page.")

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"reason": self.process.nothing_changed_because}}

    def act(self, form: Any) -> None:
        actions.state_nothing_changed(process=self.process, by=self.request.user, **form.cleaned_data)


class ToldOutside(ResultPage):
    title = _("Told outside the portal")
    lead = _("Not everyone who took part reads the portal.")
    form_class = ToldOutsideForm
    done = _("Noted.")

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"how": self.process.told_outside_how, "on": self.process.told_outside_on}}

    def act(self, form: Any) -> None:
        actions.state_told_outside(process=self.process, by=self.request.user, **form.cleaned_data)


class News(ActPage):
    template_name = "admin/process/news.html"
    tab = "news"
    title = _("News")
    lead = _("A short word on the way, to everyone who follows the process.")
    form_class = NewsForm
    button = _("Publish")
    done = _("Published. Those who follow the process are told.")
    back_to = "admin:process-news"

    def context(self) -> dict[str, Any]:
        return {"news": self.process.news.select_related("by")}

    def act(self, form: Any) -> None:
        actions.publish_news(process=self.process, by=self.request.user, **form.cleaned_data)


@require_GET
def questions(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk, Permission.ANSWER)
    page = Paginator(process.questions.order_by("answered_at", "due_on"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    return show(request, "admin/process/questions.html", tab="questions", process=process, page=page)


class AnswerQuestion(ActPage):
    permission = Permission.ANSWER
    tab = "questions"
    title = _("Answer the question")
    form_class = AnswerQuestionForm
    button = _("Answer")
    done = _("Answered, and shown on the page of the process.")
    back_to = "admin:process-questions"

    @cached_property
    def question(self) -> ProcessQuestion:
        found: UUID = self.kwargs["public_id"]
        return get_object_or_404(ProcessQuestion, public_id=found, process=self.process)

    def context(self) -> dict[str, Any]:
        return {"quoted": self.question.text}

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"answer": self.question.answer}}

    def act(self, form: Any) -> None:
        contributions.answer_question(question=self.question, by=self.request.user, **form.cleaned_data)


@require_GET
def all_questions(request: HttpRequest) -> HttpResponse:
    """Every question that waits in the user's units, the most urgent first."""
    if not request.user.may(Permission.ANSWER):
        raise PermissionDenied
    found = (
        ProcessQuestion.objects.filter(process__unit_id__in=request.user.unit_ids(), answered_at=None)
        .select_related("process")
        .order_by("due_on", "pk")
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "admin/questions.html", {"page": page})
