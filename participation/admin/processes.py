"""A process from its first question to its last: begin, set up, see whether it is ready, and move it on."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Unit, User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict
from audit.models import Entry
from participation import clock, formats, lifecycle
from participation.actions import process as actions
from participation.admin import readiness as ready
from participation.admin import registry
from participation.admin.forms import (
    CommentForm,
    CopyForm,
    GoOnForm,
    HandOverForm,
    PreconditionsForm,
    ReasonForm,
    StartForm,
)
from participation.admin.pages import ActPage, back, own_process, refuse, seen_process, show, words_of
from participation.admin.setup import PracticalForm, SetUp
from participation.choices import LadderStep, Moderation, Status, Touches
from participation.models import Change, Process
from participation.permissions.process import (
    AMENDABLE,
    CORRECTABLE,
    can_act_for,
    can_amend,
    can_correct,
    can_edit,
    can_extend,
    can_hand_over,
    can_override,
)
from participation.principles import Gate, judging, preconditions

PER_PAGE = 50


@require_GET
def process_list(request: HttpRequest) -> HttpResponse:
    """What belongs to the user's units; an administrator sees every unit's."""
    found = Process.objects.select_related("unit", "owner").order_by("-updated_at")
    if not request.user.may(Permission.MANAGE_PEOPLE):
        found = found.editable_by(request.user)
    words, status = request.GET.get("q", "").strip()[:100], request.GET.get("status", "")
    if words:
        found = found.filter(Q(title__icontains=words) | Q(question__icontains=words))
    if status in Status.values:
        found = found.filter(status=status)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "may_set_up": request.user.may(Permission.SET_UP_PROCESS),
        "page": page,
        "q": words,
        "status": status,
        "statuses": Status.choices,
        "formats": formats_by_key(),
    }
    return render(request, "admin/process/list.html", context)


def formats_by_key() -> dict[str, Any]:
    return {one.key: one.label for one in formats.all_formats()}


# Beginning


@require_GET
def choose_format(request: HttpRequest) -> HttpResponse:
    may_set_up(request)
    known = [one for one in formats.all_formats() if one.key in registry.known()]
    own = Process.objects.editable_by(request.user).order_by("-updated_at")[:5]
    return render(
        request,
        "admin/process/choose_format.html",
        {"formats": [_choice(one) for one in known], "earlier": own},
    )


def _choice(one: formats.Format) -> dict[str, Any]:
    """A format with how far people can go in it, in the order of the ladder."""
    steps = [step.label for step in LadderStep if step in one.ladder_steps]
    return {"key": one.key, "label": one.label, "steps": steps}


def may_set_up(request: HttpRequest) -> None:
    if not request.user.may(Permission.SET_UP_PROCESS):
        raise PermissionDenied


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, format_key: str) -> HttpResponse:
    """Title, unit, money and four questions: the draft exists from here, so that nothing typed is lost."""
    may_set_up(request)
    if format_key not in registry.known():
        raise Http404
    data = request.POST if request.method == "POST" else None
    units = Unit.objects.filter(pk__in=request.user.unit_ids())
    form = StartForm(data, units=units)
    more = registry.get(format_key).start_form(data, prefix="detail")
    if data is not None and form.is_valid() & more.is_valid():
        try:
            process = begin(request, format_key, form.cleaned_data, more.detail())
        except Refused as refused:
            refuse(more if refused.field in more.fields else form, refused)
        else:
            return back(request, "admin:process-preconditions", process.pk)
    return render(
        request, "admin/process/start.html", {"form": form, "more": more, "format": formats.get(format_key)}
    )


# What was said of whom it touches, as the field of the form that follows.
TOUCHES = {"few": Touches.DISTRICTS, "district": Touches.DISTRICTS, "all": Touches.MUNICIPALITY}


def begin(request: HttpRequest, format_key: str, asked: dict[str, Any], detail: dict[str, Any]) -> Process:
    size = actions.size_from(
        touches_all=asked["touches"] == "all",
        touches_few=asked["touches"] == "few",
        conflict=asked["conflict"] == "yes",
        reversible=asked["reversible"] == "yes",
        money=detail.get("total"),
    )
    return actions.create_process(
        by=request.user,
        format=format_key,
        unit=asked["unit"],
        title=asked["title"],
        size=size,
        detail=detail,
        conflict=asked["conflict"] == "yes",
        reversible=asked["reversible"] == "yes",
        touches=TOUCHES[asked["touches"]],
    )


class Preconditions(ActPage):
    """ "Er vi klar?" A no advises against; the caseworker informs instead, or goes on with a reason."""

    template_name = "admin/process/preconditions.html"
    tab = "setup"
    title = _("Are we ready?")
    button = _("Go on")
    done = _("Saved. Now describe the process.")
    back_to = "admin:process-setup"

    def form(self, data: Any = None) -> PreconditionsForm:
        return PreconditionsForm(data, process=self.process)

    def verdict(self) -> Verdict:
        return can_edit(self.request.user, self.process)

    def context(self) -> dict[str, Any]:
        advised = preconditions.advised_against(self.process)
        initial = {"went_on_because": self.process.went_on_because}
        return {"advised_against": advised, "go_on": GoOnForm(initial=initial)}

    def act(self, form: Any) -> None:
        fields = form.answers() | {"size": form.cleaned_data["size"]}
        if all(form.answers().values()):
            fields["went_on_because"] = ""
        process = self.process
        actions.update_process(process=process, by=self.request.user, version=process.version, fields=fields)

    def url(self) -> str:
        self.process.refresh_from_db()
        if preconditions.advised_against(self.process) and not self.process.went_on_because:
            return reverse("admin:process-preconditions", args=[self.process.pk]) + "#advice"
        return super().url()


@require_POST
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    """ "Gå videre alligevel", with the reason the public sees."""
    process = own_process(request, pk)
    form = GoOnForm(request.POST)
    if form.is_valid():
        try:
            actions.update_process(
                process=process, by=request.user, version=process.version, fields=form.cleaned_data
            )
        except Refused as refused:
            messages.error(request, refused.reason)
        return back(request, "admin:process-setup", pk)
    messages.error(request, _("Say why you go on all the same."))
    return back(request, "admin:process-preconditions", pk, anchor="advice")


# Setting up


@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk)
    verdict = can_edit(request.user, process)
    if not verdict:
        others = other_steps(process, request.user)
        context = {"verdict": verdict, "others": others}
        return show(request, "admin/process/setup_closed.html", tab="setup", process=process, **context)
    if request.method == "GET":
        stored = _again(pk)
        return _setup_page(request, stored, SetUp(stored, request.user))
    form = SetUp(process, request.user, request.POST)
    if form.is_valid():
        try:
            saved = actions.update_process(
                process=process, by=request.user, version=_version(request.POST), **form.for_action()
            )
        except Refused as refused:
            return _setup_page(request, _again(pk), form, None if form.place(refused) else refused)
        return _after_saving(request, saved)
    return _setup_page(request, _again(pk), form)


def _version(data: QueryDict) -> int:
    """The version the form was opened with; nonsense is as stale as can be."""
    found = data.get("version", "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 9 else 0


def _again(pk: int) -> Process:
    """The process as it is stored, with its rows: the form puts what is typed on its own copy."""
    return (
        Process.objects.for_checks()
        .select_related("owner", "deputy")
        .prefetch_related("summaries")
        .get(pk=pk)
    )


def _after_saving(request: HttpRequest, process: Process) -> HttpResponse:
    add = next((key.removeprefix("add_") for key in request.POST if key.startswith("add_")), "")
    if add:
        return back(
            request,
            "admin:process-setup",
            process.pk,
            said=_("Saved. Here is room for more."),
            anchor=f"rows-{add}",
        )
    if "preview" in request.POST:
        return back(request, "admin:process-preview", process.pk)
    if "go_on" in request.POST:
        return back(request, "admin:process-step", process.pk, "submit", said=_("Saved."))
    return back(request, "admin:process-setup", process.pk, said=_("Saved."), anchor="readiness")


def _setup_page(
    request: HttpRequest, process: Process, form: SetUp, refused: Refused | None = None
) -> HttpResponse:
    """What was typed stays in the form; the readiness list speaks of what is stored."""
    context = {
        "setup": form,
        "parts": form.parts(),
        "practical": form.practical(),
        "form_version": request.POST.get("version") or process.version,
        "refused": refused,
        "stale": refused is not None and refused.code == "stale",
        "refused_at": ready.url_of(process, refused.field, on_form=True) if refused else "",
        "readiness": ready.shown(judging.judge(process), process, request.user, on_form=True),
        "buttons": buttons(process, request.user),
        "last_closing": last_closing(process),
    }
    return show(request, "admin/process/setup.html", tab="setup", process=process, **context)


def last_closing(process: Process) -> Any:
    """The last possible closing for the meeting chosen: its agenda deadline less the days to work on answers."""
    if process.meeting is None:
        return None
    return process.meeting.agenda_deadline - timedelta(days=process.processing_days or 0)


@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """The readiness list of what is typed but not saved, for the small script beside the form. Writes nothing."""
    process = own_process(request, pk)
    form = SetUp(Process.objects.for_checks().get(pk=process.pk), request.user, request.POST)
    unsaved = form.unsaved()
    context = {
        "readiness": ready.shown(judging.judge(unsaved), unsaved, request.user, on_form=True),
        "unsaved": True,
        "process": process,
    }
    return render(request, "admin/process/readiness.html", context)


# Moving on


def buttons(process: Process, user: Any) -> list[dict[str, Any]]:
    """The steps of the lifecycle from here, each with why it is off."""
    return [
        {
            "name": transition.name,
            "label": transition.label,
            "verdict": verdict,
            "url": reverse("admin:process-step", args=[process.pk, transition.name]),
        }
        for transition, verdict in lifecycle.available(process, user)
    ]


def other_steps(process: Process, user: Any) -> list[dict[str, Any]]:
    """What else can be done from here, each with why it is off; what never fits the status is left out."""
    allowed = Verdict(True)
    known = [
        (
            "process-extend",
            _("Give people more time"),
            can_extend(user, process),
            process.status == Status.OPEN,
        ),
        (
            "process-amend",
            _("Change the frame or the dates"),
            can_amend(user, process),
            process.status in AMENDABLE,
        ),
        (
            "process-correct",
            _("Correct the wording"),
            can_correct(user, process),
            process.status in CORRECTABLE,
        ),
        ("process-practical", _("Change practical things"), allowed, process.status != Status.DRAFT),
        ("process-preview", _("See it as people do"), allowed, True),
        ("process-copy", _("Make a copy"), allowed, True),
        ("process-handover", _("Hand over"), can_hand_over(user, process), True),
    ]
    return [
        {"label": label, "verdict": verdict, "url": reverse(f"admin:{name}", args=[process.pk])}
        for name, label, verdict, fits in known
        if fits
    ]


@require_GET
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    process = seen_process(request, pk)
    context = {
        "readiness": ready.shown(judging.readiness(process), process, request.user),
        "buttons": buttons(process, request.user),
        "transitions": process.transitions.select_related("by"),
        "changes": process.changes.select_related("by", "confirmed_by"),
        "phases": phases_of(process),
        "waiting": waiting(process),
        "words": words_of(process),
        "sent_back": process.transitions.select_related("by").filter(name="send_back").first(),
        "own": bool(can_act_for(request.user, process)),
        "others": other_steps(process, request.user),
    }
    return show(request, "admin/process/overview.html", tab="overview", process=process, **context)


def phases_of(process: Process) -> list[dict[str, Any]]:
    kind = formats.get(process.format)
    labels = {one.key: one.label for one in kind.phase_kinds}
    return [
        {
            "label": labels.get(phase.kind, phase.kind),
            "from": phase.interval.lower,
            "to": phase.interval.upper,
        }
        for phase in process.phases.all()
    ]


def waiting(process: Process) -> dict[str, int]:
    """Numbers of what waits, in one query."""
    published = Q(moderation=Moderation.PUBLISHED)
    return process.contributions.aggregate(
        given=Count("pk"),
        to_moderate=Count("pk", filter=Q(moderation=Moderation.PENDING)),
        to_answer=Count("pk", filter=published & Q(outcome="") & (Q(theme=None) | Q(theme__outcome=""))),
    )


# What the confirmation page asks for: (a comment is needed, its label, its hint).
WORDS_OF_STEP: dict[str, tuple[bool, Any, Any]] = {
    "submit": (False, _("A word to the one who approves"), ""),
    "send_back": (True, _("What must be mended?"), _("The caseworker reads it on the page of the process.")),
    "approve": (False, _("A word on the way"), ""),
    "cancel": (True, _("Why is it cancelled?"), _("Shown to the public.")),
    "inform": (
        True,
        _("What do we tell people instead?"),
        _("Shown to the public as a note. Nobody is asked for anything."),
    ),
    "open": (False, _("Why now?"), ""),
    "close": (False, _("Why now?"), ""),
    "decide": (False, _("A word on the way"), ""),
    "conclude": (False, _("A word on the way"), ""),
}


class Step(ActPage):
    """One step of the lifecycle: says what it means, asks once more, and does it on POST only."""

    template_name = "admin/process/step.html"
    done = _("Done.")

    @property
    def transition(self) -> Any:
        found = next((one for one in lifecycle.TRANSITIONS if one.name == self.kwargs["name"]), None)
        if found is None:
            raise Http404
        return found

    @property
    def title(self) -> Any:  # type: ignore[override]
        return self.transition.label

    @property
    def button(self) -> Any:  # type: ignore[override]
        return self.transition.label

    def verdict(self) -> Verdict:
        return lifecycle.can(self.process, self.kwargs["name"], self.request.user)

    def form(self, data: Any = None) -> CommentForm:
        needed, label, hint = WORDS_OF_STEP.get(self.transition.name, (False, "", ""))
        return CommentForm(data, required=needed, label=label, hint=hint)

    def context(self) -> dict[str, Any]:
        gate = Gate.CONCLUDE if self.transition.name == "conclude" else None
        return {
            "name": self.transition.name,
            "readiness": ready.shown(
                judging.readiness(self.process, gate=gate), self.process, self.request.user
            ),
        }

    def act(self, form: Any) -> None:
        lifecycle.perform(
            process=self.process,
            name=self.transition.name,
            by=self.request.user,
            comment=form.cleaned_data["comment"],
            version=_version(self.request.POST) if "version" in self.request.POST else None,
        )


class Practical(ActPage):
    """What nobody acts under may be set at any time."""

    tab = "setup"
    title = _("Practical")
    lead = _("These can be changed at any time. Nobody is told.")
    form_class = PracticalForm

    def form(self, data: Any = None) -> PracticalForm:
        process = Process.objects.get(pk=self.process.pk)
        return PracticalForm(data, instance=process, by=self.request.user)

    def act(self, form: Any) -> None:
        actions.update_practical(process=self.process, by=self.request.user, fields=form.action_fields())


class OverrideCheck(ActPage):
    permission = Permission.OVERRIDE_CHECK
    title = _("Let it pass all the same")
    lead = _("The public sees that you did, and why.")
    form_class = ReasonForm
    button = _("Let it pass")
    done = _("Let through. The reason is shown on the public page.")

    def verdict(self) -> Verdict:
        return can_override(self.request.user, self.process)

    def context(self) -> dict[str, Any]:
        judged = judging.readiness(self.process).judged
        found = next((one.finding for one in judged if one.finding.key == self.kwargs["key"]), None)
        if found is None:
            raise Http404
        return {"quoted": found.message}

    def act(self, form: Any) -> None:
        actions.override_check(
            process=self.process,
            by=self.request.user,
            check_key=self.kwargs["key"],
            reason=form.cleaned_data["reason"],
        )


@require_GET
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The public page as people would see it, marked as a preview."""
    from participation.views.public import process_context

    seen_process(request, pk)
    process = Process.objects.for_checks().prefetch_related("summaries").get(pk=pk)
    context = process_context(process, clock.now(), request)
    return render(request, "admin/process/preview.html", context)


class Copy(ActPage):
    title = _("Make a copy")
    lead = _("The frame, the rules and the texts come along. Dates, contributions and results don't.")
    form_class = CopyForm
    button = _("Make the copy")
    done = _("Here is the copy. Go through it before you send it on.")
    copied: Process

    def form_kwargs(self) -> dict[str, Any]:
        return {"initial": {"title": self.process.title}}

    def act(self, form: Any) -> None:
        self.copied = actions.copy_process(
            source=self.process, by=self.request.user, title=form.cleaned_data["title"]
        )

    def url(self) -> str:
        if hasattr(self, "copied"):
            return reverse("admin:process-preconditions", args=[self.copied.pk])
        return super().url()


class HandOver(ActPage):
    title = _("Hand over")
    lead = _("Everything that waits moves along: what is to be answered, assessed, decided and told.")
    button = _("Hand over")
    done = _("Handed over.")

    def verdict(self) -> Verdict:
        return can_hand_over(self.request.user, self.process)

    def form(self, data: Any = None) -> HandOverForm:
        return HandOverForm(data, process=self.process)

    def act(self, form: Any) -> None:
        actions.hand_over(process=self.process, by=self.request.user, **form.cleaned_data)

    def url(self) -> str:
        return super().url() if can_act_for(self.request.user, self.process) else reverse("admin:index")


@require_GET
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every write to the process, from the audit table, but for what people do for themselves."""
    if not request.user.may(Permission.READ_AUDIT):
        raise PermissionDenied
    process = seen_process(request, pk)
    entries = Entry.objects.shown().filter(process_id=process.pk)
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    names = people(entry.actor_id for entry in page)
    lines = [{"entry": entry, "who": names.get(entry.actor_id)} for entry in page]
    return show(request, "admin/process/history.html", tab="history", process=process, page=page, lines=lines)


def people(ids: Any) -> dict[int, User]:
    return User.objects.in_bulk({pk for pk in ids if pk is not None})


@require_POST
def confirm_correction(request: HttpRequest, pk: int, change: int) -> HttpResponse:
    process = own_process(request, pk)
    found = get_object_or_404(Change, pk=change, process=process)
    try:
        actions.confirm_correction(change=found, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
        return redirect("admin:process-overview", pk)
    return back(
        request, "admin:process-overview", pk, said=_("Confirmed. The correction is on the page now.")
    )
