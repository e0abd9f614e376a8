"""What people give, as staff work with it: look, answer one or many, gather in themes, and remember to tell."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import Permission
from accounts.verdict import Refused
from participation import uploads
from participation.actions import contributions as actions
from participation.actions import files as storing
from participation.actions.outcomes import untold, untold_among
from participation.admin import registry
from participation.admin.forms import (
    AnswerForm,
    CommentInternallyForm,
    FilterForm,
    InThemeForm,
    ModerateForm,
    RecordForm,
    TakeDownFileForm,
    ToldForm,
)
from participation.admin.pages import ActPage, back, own_process, show, words_of
from participation.choices import Moderation
from participation.models import Attachment, Contribution, ContributionReport, Process, Theme
from participation.models.contributions import ContributionQuerySet

PER_PAGE = 50
PUBLISHED = Q(moderation=Moderation.PUBLISHED)
ANSWERED = ~Q(outcome="") | (Q(theme__isnull=False) & ~Q(theme__outcome=""))


def for_staff(contributions: ContributionQuerySet) -> ContributionQuerySet:
    """All that a line of a list shows, in one query."""
    reports = ContributionReport.objects.filter(contribution=OuterRef("pk"), handled_at=None)
    return (
        contributions.select_related("process", "author", "theme", "home_district")
        .prefetch_related("attachments__file")
        .defer("search_vector", "process__search_vector")
        .annotate(reported=Exists(reports))
        .order_by("-created_at", "-pk")
    )


def filtered(found: ContributionQuerySet, asked: dict[str, Any]) -> ContributionQuerySet:
    if asked.get("q"):
        found = found.filter(Q(title__icontains=asked["q"]) | Q(body__icontains=asked["q"]))
    if asked.get("theme"):
        found = found.filter(theme=asked["theme"])
    if asked.get("channel"):
        found = found.filter(channel=asked["channel"])
    match asked.get("state"):
        case "pending":
            found = found.filter(moderation=Moderation.PENDING)
        case "rejected":
            found = found.filter(moderation=Moderation.REJECTED)
        case "unanswered":
            found = found.filter(PUBLISHED).exclude(ANSWERED)
        case "answered":
            found = found.filter(PUBLISHED & ANSWERED)
        case "untold":
            found = untold_among(found.filter(PUBLISHED & ANSWERED))
        case "reported":
            found = found.filter(reported=True)
    return found


@require_GET
def contribution_list(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk, Permission.ANSWER)
    form = FilterForm(request.GET, process=process)
    found = for_staff(process.contributions.all())
    if form.is_valid():
        found = filtered(found, form.cleaned_data)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    themes = process.themes.annotate(number=Count("contributions")).order_by("title")
    context = {"page": page, "form": form, "themes": themes, "words": words_of(process)}
    return show(request, "admin/process/contributions.html", tab="contributions", process=process, **context)


def chosen(request: HttpRequest, process: Process) -> list[Contribution]:
    """The contributions ticked in the list; ids that are not this process' are left out."""
    source = request.POST if request.method == "POST" else request.GET
    ids = [
        int(one)
        for one in source.getlist("chosen")[:500]
        if one.isascii() and one.isdigit() and len(one) < 18
    ]
    return list(process.contributions.filter(pk__in=ids).select_related("author").order_by("pk"))


class Chosen(ActPage):
    """Something done to the contributions ticked in the list; they come along in the address of the page."""

    template_name = "admin/process/chosen.html"
    permission = Permission.ANSWER
    tab = "contributions"
    back_to = "admin:process-contributions"

    @cached_property
    def contributions(self) -> list[Contribution]:
        return chosen(self.request, self.process)

    def context(self) -> dict[str, Any]:
        return {"contributions": self.contributions}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.contributions:
            messages.error(request, _("Tick at least one in the list first."))
            return back(request, self.back_to, self.process.pk)
        return super().post(request, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.contributions:
            messages.error(request, _("Tick at least one in the list first."))
            return back(request, self.back_to, self.process.pk)
        return super().get(request, **kwargs)


class AnswerMany(Chosen):
    title = _("Answer")
    lead = _("The same answer goes to everyone you ticked.")
    form_class = AnswerForm
    button = _("Send the answer")
    done = _("Answered. The authors are told.")

    def act(self, form: Any) -> None:
        actions.answer_contributions(
            contributions=self.contributions, by=self.request.user, **form.cleaned_data
        )


class GatherInTheme(Chosen):
    title = _("Gather in a theme")
    lead = _("Contributions that say the same can be answered together.")
    button = _("Gather them")
    done = _("Gathered.")

    def form_kwargs(self) -> dict[str, Any]:
        return {"process": self.process}

    form_class = InThemeForm

    def act(self, form: Any) -> None:
        theme = form.cleaned_data["theme"] or actions.create_theme(
            process=self.process, by=self.request.user, title=form.cleaned_data["new"]
        )
        actions.put_in_theme(contributions=self.contributions, by=self.request.user, theme=theme)


class AnswerTheme(ActPage):
    permission = Permission.ANSWER
    tab = "contributions"
    title = _("Answer the theme")
    lead = _("The answer goes to everyone whose contribution is in the theme.")
    form_class = AnswerForm
    button = _("Send the answer")
    done = _("Answered. The authors are told.")
    back_to = "admin:process-contributions"

    @cached_property
    def theme(self) -> Theme:
        return get_object_or_404(Theme, pk=self.kwargs["theme"], process=self.process)

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"outcome": self.theme.outcome, "answer": self.theme.answer}}

    def context(self) -> dict[str, Any]:
        return {"quoted": self.theme.title}

    def act(self, form: Any) -> None:
        actions.answer_theme(theme=self.theme, by=self.request.user, **form.cleaned_data)


def own_contribution(request: HttpRequest, pk: int, public_id: UUID, permission: Permission) -> Contribution:
    process = own_process(request, pk, permission)
    return get_object_or_404(
        Contribution.objects.select_related(
            "author", "theme", "home_district", "district", "recorded_by", "moderated_by"
        ),
        public_id=public_id,
        process=process,
    )


@require_GET
def contribution(request: HttpRequest, pk: int, public_id: UUID) -> HttpResponse:
    """One contribution with all that staff may do to it."""
    found = own_contribution(request, pk, public_id, Permission.ANSWER)
    return _contribution_page(request, found)


FORMS: dict[str, tuple[type, Permission]] = {
    "moderate": (ModerateForm, Permission.MODERATE),
    "answer": (AnswerForm, Permission.ANSWER),
    "told": (ToldForm, Permission.ANSWER),
    "comment": (CommentInternallyForm, Permission.MODERATE),
    "dismiss": (Form, Permission.MODERATE),
}


ADDRESSES = {
    "moderate": "gennemse",
    "dismiss": "behold",
    "answer": "svar",
    "told": "fortalt",
    "comment": "kollegaer",
}


def not_reached(found: Contribution) -> bool:
    """Answered, but no mail has gone out and nobody has read it on My page: someone must tell the author another way."""
    answered = found.outcome or (found.theme is not None and found.theme.outcome)
    return bool(answered) and untold(found.process).filter(pk=found.pk).exists()


def _contribution_page(
    request: HttpRequest, found: Contribution, wrong: dict[str, Any] | None = None
) -> HttpResponse:
    forms = {
        "moderate": ModerateForm(prefix="moderate"),
        "answer": AnswerForm(prefix="answer", initial={"outcome": found.outcome, "answer": found.answer}),
        "told": ToldForm(prefix="told", initial={"how": found.told_how}),
        "comment": CommentInternallyForm(prefix="comment"),
    } | (wrong or {})
    context = {
        "contribution": found,
        "forms": forms,
        "comments": found.internal_comments.select_related("by"),
        "reports": found.reports.select_related("by"),
        "impacts": found.impacts.all(),
        "attachments": found.attachments.select_related("file"),
        "public": found.moderation == Moderation.PUBLISHED,
        "to_tell": not_reached(found),
    }
    return show(
        request, "admin/process/contribution.html", tab="contributions", process=found.process, **context
    )


@require_POST
def contribution_act(request: HttpRequest, pk: int, public_id: UUID, act: str) -> HttpResponse:
    """The forms on a contribution's page: moderate, answer, told, comment."""
    form_class, permission = FORMS[act]
    found = own_contribution(request, pk, public_id, permission)
    form = form_class(request.POST, prefix=act)
    if form.is_valid():
        try:
            said = _do(act, found, request, form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        else:
            return back(request, "admin:process-contribution", pk, public_id, said=said)
    return _contribution_page(request, found, {act: form})


def _do(act: str, found: Contribution, request: HttpRequest, data: dict[str, Any]) -> Any:
    by = request.user
    match act:
        case "moderate":
            publish = request.POST.get("publish") == "1"
            actions.moderate(contribution=found, by=by, publish=publish, reason=data["reason"])
            return _("Published.") if publish else _("Not published. The author is told why.")
        case "answer":
            actions.answer_contributions(contributions=[found], by=by, **data)
            return _("Answered. The author is told.")
        case "dismiss":
            actions.dismiss_reports(contribution=found, by=by)
            return _("It stays, and the report is closed.")
        case "told":
            actions.mark_told(contribution=found, by=by, how=data["how"])
            return _("Noted.")
        case _:
            actions.comment_internally(contribution=found, by=by, text=data["text"])
            return _("Your colleagues can see it now.")


class Record(ActPage):
    """Recording for someone who telephoned, wrote, or came by."""

    takes_files = True
    permission = Permission.RECORD_FOR_OTHERS
    tab = "contributions"
    title = _("Record for someone")
    template_name = "admin/process/record.html"
    lead = _("It counts like any other, and it says how it came and when.")
    form_class = RecordForm
    button = _("Record it")
    done = _("Recorded.")
    back_to = "admin:process-contributions"

    @cached_property
    def more(self) -> Form | None:
        """What the format asks besides."""
        form_class = registry.get(self.process.format).record_form
        data = self.request.POST if self.request.method == "POST" else None
        return form_class(data, prefix="detail", process=self.process) if form_class else None

    def context(self) -> dict[str, Any]:
        return {"more": self.more}

    def form(self, data: Any = None) -> RecordForm:
        form = RecordForm(data)
        if data is not None and self.more is not None and not self.more.is_valid():
            form.is_valid()
            form.add_error(None, _("Something is missing further down."))
        return form

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        sent = uploads.settle(request)
        form, only = self.form(sent.posted), bool({"more", "remove"} & set(request.POST))
        if not (only or sent.problems):
            return self.go_on(form)
        sent.tell(form, only=only)
        if only and self.more is not None:
            self.more.errors.clear()
        return self.page(form)

    def act(self, form: Any) -> None:
        detail = self.more.detail() if self.more is not None else None
        attached = form.attached()
        actions.record_for_someone(
            process=self.process,
            by=self.request.user,
            detail=detail,
            attached=attached,
            **form.cleaned_data,
        )


class TakeDownFile(ActPage):
    """One photo or file away from a contribution, with the reason its author is told."""

    permission = Permission.MODERATE
    tab = "contributions"
    title = _("Remove a photo or file")
    lead = _("It is removed for good. The contribution itself stays.")
    template_name = "admin/process/take_down_file.html"
    form_class = TakeDownFileForm
    button = _("Remove it")
    tone = "warning"
    done = _("Removed. The author is told why.")

    @cached_property
    def attachment(self) -> Attachment:
        return get_object_or_404(
            Attachment.objects.select_related("file", "contribution"),
            pk=self.kwargs["attachment"],
            contribution__public_id=self.kwargs["public_id"],
            contribution__process=self.process,
        )

    def url(self) -> str:
        return contribution_url(self.attachment.contribution)

    def context(self) -> dict[str, Any]:
        return {"attachment": self.attachment, "quoted": self.attachment.contribution.title}

    def act(self, form: Any) -> None:
        storing.take_down(attachment=self.attachment, by=self.request.user, **form.cleaned_data)


def contribution_url(found: Contribution) -> str:
    return reverse("admin:process-contribution", args=[found.process_id, found.public_id])
