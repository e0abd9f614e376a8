"""The pages of a mailout: write, choose, look, freeze, approve, send, and see how it goes."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.imports.files import FileRefused, decode, read_bytes
from accounts.models import User
from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict
from dkfds.wording import number
from mailouts import about, actions, content, listing, permissions, recipients, report, sources
from mailouts.admin.forms import (
    AgainForm,
    ApproveForm,
    HowForm,
    LetterForm,
    ListSourceForm,
    NewForm,
    StopForm,
)
from mailouts.choices import BEGUN, Channel, Policy, Stage, State
from mailouts.letters import example_of
from mailouts.models import Campaign
from mailouts.recipients import Recipient

PER_PAGE = 50
SAMPLE = 10


def own_campaign(request: HttpRequest, pk: int) -> Campaign:
    """The mailout of one of the user's units; of others it is not told that they exist."""
    found = get_object_or_404(
        Campaign.objects.select_related("unit", "created_by", "frozen_by", "approved_by"), pk=pk
    )
    if not request.user.may(Permission.SEND_MAILOUT) or found.unit_id not in request.user.unit_ids():
        raise Http404
    return found


def show(request: HttpRequest, template: str, campaign: Campaign, tab: str, **context: Any) -> HttpResponse:
    response = render(
        request,
        f"admin/mailouts/{template}",
        context | {"campaign": campaign, "tabs": tabs(campaign, tab), "tab": tab},
    )
    response["Cache-Control"] = "no-store"
    return response


def tabs(campaign: Campaign, current: str) -> list[dict[str, Any]]:
    places = [("overview", _("Overview"), "admin:mailout")]
    if campaign.stage == Stage.DRAFT:
        places += [
            ("letter", _("The letter"), "admin:mailout-letter"),
            ("recipients", _("Who it is for"), "admin:mailout-recipients"),
            ("how", _("How it is sent"), "admin:mailout-how"),
        ]
    if campaign.content_deleted_at is None:
        places.append(("preview", _("Read it as they will"), "admin:mailout-preview"))
    if campaign.stage in BEGUN and campaign.content_deleted_at is None:
        places.append(("failures", _("What didn't get through"), "admin:mailout-failures"))
    return [
        {"label": label, "url": reverse(name, args=[campaign.pk]), "current": key == current}
        for key, label, name in places
    ]


def refuse(form: forms.BaseForm, refused: Refused) -> None:
    if isinstance(refused, FileRefused):
        for line in refused.lines():
            form.add_error("pasted", line)
        return
    form.add_error(refused.field if refused.field in form.fields else None, refused.reason)


def act(
    request: HttpRequest, campaign: Campaign, do: Callable[..., Any], said: Any, *, to: str = "admin:mailout"
) -> HttpResponse:
    """One button, one action; a refusal is said and nothing has happened."""
    try:
        do(campaign=campaign, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, said)
    return redirect(to, campaign.pk)


# All of them


@require_GET
def campaign_list(request: HttpRequest) -> HttpResponse:
    if not request.user.may(Permission.SEND_MAILOUT):
        raise Http404
    found = Campaign.objects.filter(unit__in=request.user.unit_ids()).select_related("unit", "created_by")
    stage = request.GET.get("stand", "")
    if stage in Stage.values:
        found = found.filter(stage=stage)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "stages": Stage.choices, "stage": stage}
    return render(request, "admin/mailouts/list.html", context)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if not request.user.may(Permission.SEND_MAILOUT):
        raise Http404
    form = NewForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = actions.create_campaign(by=request.user, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            return redirect("admin:mailout-letter", campaign.pk)
    return render(request, "admin/mailouts/new.html", {"form": form})


# One of them


@require_GET
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    user = request.user
    context: dict[str, Any] = {"numbers": campaign.list_numbers, "about": about.of(campaign)}
    if campaign.stage == Stage.DRAFT:
        context |= {"steps": steps(user, campaign), "freeze": permissions.can_freeze(user, campaign)}
    elif campaign.stage in {Stage.FROZEN, Stage.APPROVED}:
        approve = permissions.can_approve(user, campaign)
        context |= {
            "approve": approve,
            "thaw": permissions.can_thaw(user, campaign),
            "stop": permissions.can_stop(user, campaign),
            "holds": approve or permissions.can_hold(campaign),
            "starting": campaign.stage == Stage.APPROVED and permissions.is_due(campaign),
            "sources": described(campaign),
        }
    if campaign.stage in BEGUN:
        context |= reported(campaign) | {
            "pause": permissions.can_pause(user, campaign),
            "resume": permissions.can_resume(user, campaign),
            "stop": permissions.can_stop(user, campaign),
            "batches": campaign.print_batches.order_by("number")
            .defer("pdf", "csv")
            .select_related("fetched_by"),
        }
    return show(request, "overview.html", campaign, "overview", **context)


@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that moves, for the script that asks for it."""
    campaign = own_campaign(request, pk)
    response = render(request, "admin/mailouts/progress.html", {"campaign": campaign} | reported(campaign))
    response["Cache-Control"] = "no-store"
    return response


def reported(campaign: Campaign) -> dict[str, Any]:
    return {"report": report.report_of(campaign), "troubles": report.troubles(campaign)}


def steps(user: User, campaign: Campaign) -> list[dict[str, Any]]:
    """What is left before it can be frozen, in the order it is done."""
    wrong = content.problems(campaign)
    letters = campaign.list_numbers.get("letters")
    plausible = permissions.can_be_plausible(campaign)
    tested = permissions.can_be_tested(campaign)
    named = campaign.sources.exists()

    def line(title: Any, done: bool, text: Any, name: str) -> dict[str, Any]:
        return {"title": title, "done": done, "text": text, "url": reverse(name, args=[campaign.pk])}

    if campaign.list_asked_at is not None:
        found = _("The recipients are being found.")
    elif letters is None:
        found = campaign.list_error or _("The recipients have not been found yet.")
    else:
        found = ngettext("%(letters)s letter.", "%(letters)s letters.", letters) % {
            "letters": number(letters)
        }
    return [
        line(_("Write the letter"), not wrong, wrong[0] if wrong else campaign.subject or campaign.sms_text, "admin:mailout-letter"),
        line(
            _("Choose who it is for"),
            named,
            "; ".join(described(campaign)) if named else _("Nobody has been chosen."),
            "admin:mailout-recipients",
        ),
        line(
            _("Say how it is sent, and how many you expect"),
            campaign.expected is not None,
            campaign.get_policy_display()
            if campaign.expected is not None
            else _("Say how many letters you expect."),
            "admin:mailout-how",
        ),
        line(_("Find the recipients"), letters is not None and bool(plausible), found if letters is None else plausible.reason or found, "admin:mailout-recipients"),
        line(
            _("Send the letter to yourself"),
            bool(tested),
            tested.reason or _("You have seen the letter as it is now."),
            "admin:mailout-preview",
        ),
    ]  # fmt: skip


def described(campaign: Campaign) -> list[str]:
    return [sources.get(source.kind).describe(source.params) for source in campaign.sources.all()]


def last_campaign(campaign: Campaign) -> dict[str, Any] | None:
    """The unit's latest that was sent, to hold this one's number against."""
    last = (
        Campaign.objects.filter(unit=campaign.unit_id, stage__in=BEGUN)
        .exclude(pk=campaign.pk)
        .order_by("-started_at")
        .first()
    )
    if last is None or not last.count:
        return None
    return {"campaign": last, "far": campaign.count >= 3 * last.count}


def sample(campaign: Campaign) -> list[Recipient]:
    """Ten of the list, picked by their random UUIDs: the same ten each time one looks."""
    ids = campaign.deliveries.order_by("message_uuid").values_list("pk", flat=True)[:SAMPLE]
    return shown(list(ids))


def shown(ids: list[int]) -> list[Recipient]:
    """Who they are, but for those whose address is protected: of them nothing is on any page."""
    try:
        found = recipients.read(ids)
    except Refused:  # no register extract counts today
        return []
    for who in found:
        if who.protected:
            who.name = who.address = who.email = ""
    return found


# The letter


@require_http_methods(["GET", "POST"])
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    editable = permissions.can_edit(request.user, campaign)
    form = LetterForm(request.POST or None, initial=LetterForm.initial_of(campaign))
    if request.method == "POST" and form.is_valid() and "look" not in request.POST:
        try:
            actions.edit_campaign(campaign=campaign, by=request.user, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The letter is saved."))
            return redirect("admin:mailout", pk)
    drawn = looked(campaign, form)
    return show(request, "letter.html", campaign, "letter", form=form, verdict=editable, **drawn)


@require_POST
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """What is typed, as it will look; nothing is saved."""
    campaign = own_campaign(request, pk)
    form = LetterForm(request.POST)
    form.is_valid()
    return render(request, "admin/mailouts/look.html", looked(campaign, form))


def looked(campaign: Campaign, form: LetterForm) -> dict[str, Any]:
    """The letter of a form, filled in with examples; of an untouched form the one that is saved."""
    typed = Campaign(pk=campaign.pk, policy=campaign.policy)
    for name in LetterForm.FIELDS:
        value = form.cleaned_data.get(name) if form.is_bound and hasattr(form, "cleaned_data") else None
        if value is None and (not form.is_bound or name.startswith("meeting_")):
            value = getattr(campaign, name)
        setattr(typed, name, value if value is not None else "")
    for name in ("meeting_starts", "meeting_ends"):
        if getattr(typed, name) == "":
            setattr(typed, name, None)
    danish, english = content.letters_of(typed)
    found = [(danish, _("Danish"))] + ([(english, _("English"))] if english else [])
    letters = []
    for one, language in found:
        examples = one.examples()
        if "link" in examples and typed.action_url.startswith(("https://", "http://")):
            examples["link"] = typed.action_url
        letters.append(
            {
                "heading": one.heading(examples),
                "body": one.fragment(examples),
                "language": language,
                "code": one.language,
            }
        )
    wrong = content.problems(typed) if typed.text or typed.sms_text else []
    return {"letters": letters, "typed": typed, "wrong": wrong}


# Who it is for


@require_GET
def who_for(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    numbers = campaign.list_numbers
    why = LEFT_OUT | recipients.reasons()
    context = {
        "sources": [
            {"pk": source.pk, "label": sources.get(source.kind).label, "text": sources.get(source.kind).describe(source.params)}
            for source in campaign.sources.all()
        ],
        "kinds": sources.with_form(),
        "verdict": permissions.can_edit(request.user, campaign),
        "build": permissions.can_build(request.user, campaign),
        "numbers": numbers,
        "channels": [
            {"label": Channel(channel).label, "value": count}
            for channel, count in sorted(numbers.get("channels", {}).items())
        ],
        "left_out": [
            {"label": why.get(reason, reason), "count": count}
            for reason, count in numbers.get("left_out", {}).items()
        ],
        "sample": sample(campaign) if campaign.list_built_at else [],
    }  # fmt: skip
    return show(request, "recipients.html", campaign, "recipients", **context)


LEFT_OUT = {
    "overlap": gettext_lazy("named more than once"),
    "gone": gettext_lazy("died or moved away, by the newest register"),
    "earlier": gettext_lazy("have had exactly this letter before"),
    "household": gettext_lazy("live with somebody who gets it"),
    "no_way": gettext_lazy("can't be reached the way that is chosen"),
}


@require_POST
def find(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    said = _("The recipients are being found. With many it takes a minute: load the page again.")
    return act(request, campaign, actions.ask_for_list, said, to="admin:mailout-recipients")


@require_http_methods(["GET", "POST"])
def add_source(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    campaign = own_campaign(request, pk)
    try:
        chosen = sources.get(kind)
    except KeyError:
        raise Http404 from None
    if not chosen.form:
        raise Http404
    form_class: type[Any] = import_string(chosen.form)
    asks = {"user": request.user} if getattr(form_class, "wants_user", False) else {}
    form = form_class(request.POST or None, request.FILES or None, **asks)
    if request.method == "POST" and form.is_valid():
        try:
            _add(campaign, request, kind, form)
        except Refused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The recipients are added."))
            return redirect("admin:mailout-recipients", pk)
    context = {"form": form, "kind": chosen, "verdict": permissions.can_edit(request.user, campaign)}
    return show(request, "source.html", campaign, "recipients", **context)


def _add(campaign: Campaign, request: HttpRequest, kind: str, form: Any) -> None:
    if isinstance(form, ListSourceForm):
        data = form.cleaned_data
        text = data["pasted"]
        if data["file"]:
            raw, _digest = read_bytes(data["file"], listing.MOST_BYTES)
            text = decode(raw)
        actions.add_list(campaign=campaign, by=request.user, name=data["name"], text=text)
    else:
        actions.add_source(campaign=campaign, by=request.user, kind=kind, params=form.params())


@require_POST
def remove_source(request: HttpRequest, pk: int, source: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    found = get_object_or_404(campaign.sources, pk=source)
    try:
        actions.remove_source(source=found, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, _("They are taken out."))
    return redirect("admin:mailout-recipients", pk)


@require_http_methods(["GET", "POST"])
def how(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    form = HowForm(request.POST or None, initial=HowForm.initial_of(campaign))
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_campaign(campaign=campaign, by=request.user, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("admin:mailout", pk)
    verdict = permissions.can_edit(request.user, campaign)
    return show(request, "how.html", campaign, "how", form=form, verdict=verdict)


# Look at it


@require_GET
def preview(request: HttpRequest, pk: int, delivery: int | None = None) -> HttpResponse:
    """The letter as one recipient gets it: with examples, or of one of the ten. Who has a protected address is not shown."""
    campaign = own_campaign(request, pk)
    if campaign.content_deleted_at is not None:
        raise Http404
    prepared = content.Prepared.of(campaign)
    who = _one(campaign, delivery, prepared.fields) if delivery is not None else None
    if campaign.policy == Policy.NEMSMS:
        shown = None
    elif who is not None:
        letter, values = prepared.letter_to(who), prepared.values(who)
        shown = {"heading": letter.heading(values), "body": letter.fragment(values), "code": letter.language}
    else:
        letter = prepared.danish
        values = letter.examples() | ({"link": campaign.action_url} if campaign.action_url else {})
        shown = {"heading": letter.heading(values), "body": letter.fragment(values), "code": letter.language}
    context = {
        "shown": shown,
        "who": who,
        "sample": [each for each in sample(campaign) if not each.protected and not each.gone],
        "tested": permissions.can_be_tested(campaign),
        "editable": permissions.can_edit(request.user, campaign),
        "wrong": content.problems(campaign),
    }
    return show(request, "preview.html", campaign, "preview", **context)


def _one(campaign: Campaign, delivery: int, fields: frozenset[str]) -> Recipient:
    get_object_or_404(campaign.deliveries, pk=delivery)
    try:
        (who,) = recipients.read([delivery], fields=fields - recipients.given_when_leaving())
    except Refused:
        raise Http404 from None
    if who.protected or who.gone:
        raise Http404
    for name in fields & recipients.given_when_leaving():
        who.extra[name] = example_of(name)
    return who


@require_GET
def preview_pdf(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    if campaign.content_deleted_at is not None or campaign.policy == Policy.NEMSMS:
        raise Http404
    prepared = content.Prepared.of(campaign)
    if wrong := content.problems(campaign):
        messages.error(request, wrong[0])
        return redirect("admin:mailout-preview", pk)
    who = _one(campaign, delivery, prepared.fields)
    return _download(prepared.pdf(who), "brev.pdf", "application/pdf")


def _download(body: bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    said = _("The letter is on its way to %(email)s. Read it there.") % {"email": request.user.email}
    return act(request, campaign, actions.send_test, said)


# Four eyes


@require_POST
def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    said = _("The mailout is frozen. Ask a colleague to look it through and approve it.")
    return act(request, campaign, actions.freeze, said)


@require_POST
def thaw(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    return act(request, campaign, actions.thaw, _("The mailout is a draft again."))


@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    form = ApproveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.approve(campaign=campaign, by=request.user, typed=form.cleaned_data["number"])
        except Refused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The mailout is approved."))
            return redirect("admin:mailout", pk)
    prepared = content.Prepared.of(campaign)
    values = prepared.danish.examples() | ({"link": campaign.action_url} if campaign.action_url else {})
    context = {
        "form": form,
        "verdict": permissions.can_approve(request.user, campaign),
        "shown": {
            "heading": prepared.danish.heading(values),
            "body": prepared.danish.fragment(values),
            "code": "da",
        }
        if campaign.policy != Policy.NEMSMS
        else None,
        "sample": sample(campaign),
        "sources": described(campaign),
        "last": last_campaign(campaign),
        "numbers": campaign.list_numbers,
    }
    return show(request, "approve.html", campaign, "overview", **context)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, own_campaign(request, pk), actions.pause, _("Paused. Nothing more leaves."))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, own_campaign(request, pk), actions.resume, _("It goes on."))


@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.stop(campaign=campaign, by=request.user, reason=form.cleaned_data["reason"])
        except Refused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("The mailout is stopped for good."))
            return redirect("admin:mailout", pk)
    verdict = permissions.can_stop(request.user, campaign)
    return show(request, "stop.html", campaign, "overview", form=form, verdict=verdict, **reported(campaign))


# Afterwards


@require_http_methods(["GET", "POST"])
def failures(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    if campaign.content_deleted_at is not None:
        raise Http404
    if request.method == "POST":
        form = AgainForm(request.POST)
        if not form.is_valid():
            raise Http404
        try:
            count = actions.send_again(campaign=campaign, by=request.user, **form.cleaned_data)
        except Refused as refused:
            messages.error(request, refused.reason)
        else:
            said = ngettext(
                "%(count)s letter is in the queue again.", "%(count)s letters are in the queue again.", count
            )
            messages.success(request, said % {"count": number(count)})
        return redirect("admin:mailout-failures", pk)
    context = {
        "failures": [
            line
            | {
                "form": AgainForm(auto_id=f"{line['state']}-{line['failure_code']}-{line['channel']}-%s"),
                "uncertain": line["state"] == State.UNCERTAIN,
                "other_way": campaign.policy == Policy.AUTOMATIC and line["channel"] == Channel.DIGITAL,
            }
            for line in report.failures(campaign)
        ],
        "left_out": report.left_out(campaign),
        "again": permissions.can_again(request.user, campaign),
    }
    return show(request, "failures.html", campaign, "failures", **context)


@require_GET
def failed(request: HttpRequest, pk: int) -> HttpResponse:
    """Who stands behind one line of what didn't get through, so that a colleague can call them."""
    campaign = own_campaign(request, pk)
    state = request.GET.get("stand", "")
    if campaign.content_deleted_at is not None or state not in {State.FAILED, State.UNCERTAIN}:
        raise Http404
    found = campaign.deliveries.filter(
        state=state,
        failure_code=request.GET.get("grund", "")[:40],
        channel=request.GET.get("kanal", "")[:7],
    )
    page = Paginator(found.order_by("pk").values_list("pk", flat=True), PER_PAGE).get_page(
        request.GET.get("page")
    )
    meaning, advice = report.meaning_of(request.GET.get("grund", ""))
    context = {"page": page, "people": shown(list(page)), "meaning": meaning, "advice": advice}
    return show(request, "failed.html", campaign, "failures", **context)


@require_POST
def fetch_print(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    batch = get_object_or_404(campaign.print_batches, number=number)
    try:
        pdf = actions.fetch_print(batch=batch, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
        return redirect("admin:mailout", pk)
    return _download(pdf, f"breve-{campaign.pk}-{number}.pdf", "application/pdf")


@require_POST
def lose_print(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    batch = get_object_or_404(campaign.print_batches, number=number)
    try:
        actions.lose_print(batch=batch, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
        return redirect("admin:mailout", pk)
    return redirect("admin:mailout-failures", pk)


@require_GET
def print_list(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    batch = get_object_or_404(campaign.print_batches, number=number)
    return _download(
        batch.csv.encode("utf-8-sig"), f"breve-{campaign.pk}-{number}.csv", "text/csv; charset=utf-8"
    )


@require_POST
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    try:
        made = actions.copy_campaign(campaign=campaign, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
        return redirect("admin:mailout", pk)
    messages.success(request, _("Here is a copy. Choose who it is for."))
    return redirect("admin:mailout", made.pk)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    verdict: Verdict = permissions.can_delete(request.user, campaign)
    if request.method == "POST":
        try:
            actions.delete_draft(campaign=campaign, by=request.user)
        except Refused as refused:
            messages.error(request, refused.reason)
            return redirect("admin:mailout", pk)
        messages.success(request, _("The draft is deleted."))
        return HttpResponseRedirect(reverse("admin:mailout-list"))
    return show(request, "delete.html", campaign, "overview", verdict=verdict)
