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
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict
from participation import clock, formats, merging, team, uploads
from participation.actions import contributions as actions
from participation.actions import files as storing
from participation.actions.merging import merge_contributions, split_contribution
from participation.actions.outcomes import untold, untold_among
from participation.admin import registry
from participation.admin.forms import (
    AnswerForm,
    CommentInternallyForm,
    FilterForm,
    GatherForm,
    InThemeForm,
    ModerateForm,
    RecordForm,
    TakeDownFileForm,
    ToldForm,
)
from participation.admin.pages import ActPage, back, own_process, show, words_of
from participation.choices import Moderation
from participation.models import Attachment, Contribution, ContributionReport, Merge, Process, Theme
from participation.models.contributions import ContributionQuerySet
from participation.permissions.merging import SPLIT_WITHIN, can_merge, can_split
from participation.similar import similar_to

PER_PAGE = 50
PUBLISHED = Q(moderation=Moderation.PUBLISHED)
GATHERED = Q(moderation=Moderation.MERGED)
ANSWERED = ~Q(outcome="") | (Q(theme__isnull=False) & ~Q(theme__outcome=""))
THERE_ANSWERED = ~Q(merged_into__outcome="") | (
    Q(merged_into__theme__isnull=False) & ~Q(merged_into__theme__outcome="")
)


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
        case "merged":
            return found.filter(moderation=Moderation.MERGED)
        case "pending":
            found = found.filter(moderation=Moderation.PENDING)
        case "rejected":
            found = found.filter(moderation=Moderation.REJECTED)
        case "unanswered":
            found = found.filter(PUBLISHED).exclude(ANSWERED)
        case "answered":
            found = found.filter(PUBLISHED & ANSWERED)
        case "untold":
            return untold_among(found.filter(PUBLISHED & ANSWERED | GATHERED & THERE_ANSWERED))
        case "reported":
            found = found.filter(reported=True)
    return found.exclude(GATHERED)


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


def chosen(request: HttpRequest, process: Process) -> ContributionQuerySet:
    """The contributions ticked in the list; ids that are not this process' are left out."""
    source = request.POST if request.method == "POST" else request.GET
    ids = [
        int(one)
        for one in source.getlist("chosen")[:500]
        if one.isascii() and one.isdigit() and len(one) < 18
    ]
    return process.contributions.filter(pk__in=ids).order_by("pk")


class Chosen(ActPage):
    """Something done to the contributions ticked in the list; they come along in the address of the page."""

    template_name = "admin/process/chosen.html"
    permission = Permission.ANSWER
    tab = "contributions"
    back_to = "admin:process-contributions"

    @cached_property
    def contributions(self) -> list[Contribution]:
        return list(chosen(self.request, self.process).select_related("author"))

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


class Gather(Chosen):
    """Several that say the same become one: side by side, which one stays and in which words; then what comes of it, and
    only then is it done."""

    permission = Permission.MODERATE
    template_name = "admin/process/gather.html"
    title = _("Gather into one")
    lead = _(
        "For contributions that want the same. Nobody is lost: everyone behind them stands behind the one that stays."
    )
    form_class = GatherForm
    button = _("Go on")
    kept: Contribution | None = None
    done = _("Gathered. Everyone behind them is told.")

    @cached_property
    def contributions(self) -> list[Contribution]:
        found = chosen(self.request, self.process).with_author().defer("search_vector")
        return list(
            found.select_related("process", "author", "organisation", "home_district", "district", "theme")
        )

    def form_kwargs(self) -> dict[str, Any]:
        return {"contributions": self.contributions}

    def pair(self, keep: Contribution | None) -> tuple[Contribution, list[Contribution]]:
        first = keep or max(self.contributions, key=lambda one: (one.support_count, -one.pk))
        return first, [one for one in self.contributions if one.pk != first.pk]

    def verdict(self) -> Verdict:
        """Whichever stays, the rest of the rules are the same; that the one that stays is published is the form's."""
        public = [one for one in self.contributions if one.moderation == Moderation.PUBLISHED]
        kept, gone = self.pair(public[0] if public else None)
        return can_merge(self.request.user, kept, gone)

    def context(self) -> dict[str, Any]:
        today = clock.today()
        for one in self.contributions:
            one.process = self.process
            one.names = team.shown_names(one, today)
        return {"contributions": self.contributions, "format": formats.get(self.process.format)}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        if self.contributions and "change" in request.POST:
            return self.page(form)
        if not self.contributions or not form.is_valid() or "confirm" in request.POST:
            return super().post(request, **kwargs)
        kept, gone = self.pair(form.cleaned_data["keep"])
        context = {
            "title": self.title,
            "kept": kept,
            "gone": gone,
            "form": form,
            "contributions": self.contributions,
            "verdict": can_merge(request.user, kept, gone),
            "consequences": what_follows(kept, gone),
            "wording": {name: form.cleaned_data[name] or getattr(kept, name) for name in ("title", "body")},
        }
        return show(
            request, "admin/process/gather_confirm.html", tab=self.tab, process=self.process, **context
        )

    def act(self, form: Any) -> None:
        data = dict(form.cleaned_data)
        kept, gone = self.pair(data.pop("keep"))
        merge_contributions(keep=kept, gone=gone, by=self.request.user, **data)
        self.kept = kept

    def url(self) -> str:
        return contribution_url(self.kept) if self.kept is not None else super().url()


def what_follows(kept: Contribution, gone: list[Contribution]) -> list[str]:
    """What gathering them does, in plain words."""
    joins = {user.pk for one in gone for user in team.authors(one)} - {one.pk for one in team.authors(kept)}
    lines = []
    if joins:
        words = ngettext(
            "%(number)d more person stands behind it, gets its answer and can correct it.",
            "%(number)d more people stand behind it, get its answer and can correct it.",
            len(joins),
        )
        lines.append(words % {"number": len(joins)})
    along = merging.consequences(kept, gone)
    if along:
        lines.append(_("Along with it come: %(what)s.") % {"what": ", ".join(along)})
    lines.append(_("Whoever supports more than one of them counts once."))
    lines.append(_("The addresses of the others lead to it, and they disappear from lists and search."))
    lines.append(_("Place, district, money and assessment are those of the one that stays."))
    lines.append(_("Everyone behind them is told now, with your reason."))
    for one in gone:
        if one.author_id is None and one.recorded_by_id is not None:
            lines.append(
                _("%(name)s has no account here: tell them yourself, and note it on “%(title)s”.")
                % {"name": one.author_name or _("Someone"), "title": one.title}
            )
    lines.append(_("You can split them again for %(days)d days.") % {"days": SPLIT_WITHIN.days})
    return [str(line) for line in lines]


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
            *("author", "theme", "home_district", "district", "recorded_by", "moderated_by"),
            "merged_into__theme",
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
    "split": (Form, Permission.MODERATE),
}


ADDRESSES = {
    "moderate": "gennemse",
    "dismiss": "behold",
    "answer": "svar",
    "told": "fortalt",
    "comment": "kollegaer",
    "split": "skil-ad",
}


def not_reached(found: Contribution) -> bool:
    """Answered, but no mail has gone out and nobody has read it on My page: someone must tell the author another way."""
    there = found.merged_into or found
    answered = there.outcome or (there.theme is not None and there.theme.outcome)
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
        "team": team.members(found),
        "gathered": _gathered(request, found),
        "alike": _alike(found),
    }
    return show(
        request, "admin/process/contribution.html", tab="contributions", process=found.process, **context
    )


def _gathered(request: HttpRequest, found: Contribution) -> list[dict[str, Any]]:
    """What was gathered into it, with whether each may be split off again."""
    merges = (
        Merge.objects.standing()
        .filter(kept=found)
        .select_related("kept__process", "kept__theme", "gone", "by")
        .defer("gone__search_vector", "kept__search_vector")
    )
    return [{"merge": merge, "can_split": can_split(request.user, merge)} for merge in merges]


def _alike(found: Contribution) -> list[Contribution]:
    """What looks like it, also what waits for a look, while they can still be gathered."""
    if found.moderation not in {Moderation.PUBLISHED, Moderation.PENDING} or found.final_outcome:
        return []
    return similar_to(
        process=found.process, title=found.title, body=found.body, leave_out=found, unpublished=True
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
        case "split":
            split_contribution(merge=get_object_or_404(Merge.objects.standing(), gone=found), by=by)
            return _("They stand on their own again. Everyone behind them is told.")
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
