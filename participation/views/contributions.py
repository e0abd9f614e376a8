"""Giving a contribution, from the first word to the receipt; and reading what others have given."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import eligibility, geography
from accounts.models import EligibilityRule
from accounts.verdict import Refused, Verdict
from dkfds.wording import deadline
from participation import clock, debate, formats, limits, printing, search, team, uploads
from participation.actions import contributions as actions
from participation.actions import following
from participation.choices import PUBLIC, Moderation, Outcome
from participation.files import attached_to
from participation.forms.contributions import (
    CanITakePartForm,
    ContributionForm,
    EditForm,
    ReportForm,
    districts_to_choose,
    to_query,
    written,
)
from participation.models import Contribution, Draft, Process
from participation.models.files import all_attached
from participation.page_cache import public_page
from participation.permissions import contributions as may
from participation.similar import similar_to

PER_PAGE = 20
DRAFT = "kladde"
ALIKE = "ligner"
KEEP_COOKIE = 60 * 60 * 24 * actions.DRAFT_DAYS
SORTS = {
    "nyeste": ["-created_at", "-pk"],
    "aeldste": ["created_at", "pk"],
    "titel": ["title", "pk"],
    "stoette": ["-support_count", "-created_at", "-pk"],
}


def _process(slug: str) -> Process:
    return get_object_or_404(Process.objects.filter(status__in=PUBLIC).select_related("unit"), slug=slug)


def _contribution(request: HttpRequest, slug: str, public_id: Any) -> Contribution:
    """Whoever may not see it gets the same 404 as for one that isn't there."""
    chosen = Contribution.objects.select_related(
        *("process__unit", "phase", "theme", "author", "organisation", "district", "home_district"),
        "merged_into",
    )
    chosen = chosen.with_support_of(request.user)
    chosen = chosen.annotate(attached=all_attached())
    contribution = get_object_or_404(chosen, public_id=public_id, process__slug=slug)
    if contribution.process.status not in PUBLIC or not may.may_see(request.user, contribution):
        raise Http404
    return contribution


def _leading_to(contribution: Contribution) -> Contribution:
    """Where a gathered one's address leads: the one it went on as."""
    found = contribution.merged_into
    assert found is not None
    found.process = contribution.process
    return found


def _token(request: HttpRequest, process: Process) -> str:
    """The draft's secret: in the address (after MitID, also in another browser), else in the cookie."""
    return (request.GET.get(DRAFT) or request.COOKIES.get(_cookie(process)) or "")[:100]


def _cookie(process: Process) -> str:
    return f"{DRAFT}-{process.pk}"


def _draft(request: HttpRequest, process: Process) -> Draft | None:
    """By its token; a page that only shows may also find what its user wrote elsewhere. What is sent is only ever the
    draft that was looked at."""
    draft = actions.draft_by_token(_token(request, process), request.user, process=process)
    if draft is None and request.method == "GET" and request.user.is_authenticated:
        draft = actions.latest_draft(process=process, user=request.user)
        if draft is not None:
            raise _FoundElsewhere(actions.renew_token(draft=draft))
    return draft


class _FoundElsewhere(Exception):
    """The user's own draft from another browser, with a token to go on with here."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token


def _go(name: str, process: Process, token: str, field: str = "") -> HttpResponseRedirect:
    place = f"#div_id_{field}" if field else ""
    return redirect(f"{reverse(name, args=[process.slug])}?{urlencode({DRAFT: token})}{place}")


def _remember(
    response: HttpResponse, process: Process, token: str, *, for_days: bool = False
) -> HttpResponse:
    """Until the browser closes, so that the next one at a library computer finds nothing; longer when asked to."""
    response.set_cookie(
        _cookie(process),
        token,
        max_age=KEEP_COOKIE if for_days else None,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


def _sign_in(address: str) -> str:
    return f"{reverse('accounts:mitid-login')}?{urlencode({'next': address})}"


def _seen(request: HttpRequest) -> datetime | None:
    try:
        seen = datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        return None
    return seen if seen.tzinfo else None


def _steps() -> list[str]:
    return [_("Write"), _("Look it over"), _("Send")]


def _page(request: HttpRequest, process: Process, name: str, /, **context: Any) -> HttpResponse:
    fmt = formats.get(process.format)
    return render(
        request,
        f"participation/{name}.html",
        {"process": process, "format": fmt, "what": str(fmt.contribution_label).lower(), **context},
    )


@uploads.takes_files
@never_cache
@require_http_methods(["GET", "POST"])
def contribute(request: HttpRequest, slug: str) -> HttpResponse:
    """The first step: write. Nothing asks who you are, and everything typed is kept whatever happens."""
    process = _process(slug)
    form_class = formats.get(process.format).contribution_form_class
    open_now = may.can_open_for_contributions(process, at=clock.now())
    about = {"process": process, "user": request.user}
    if request.method == "POST":
        sent = uploads.settle(request, taking=bool(open_now))
        return _write(request, process, form_class(sent.posted, **about), open_now, sent)
    try:
        draft = _draft(request, process)
    except _FoundElsewhere as found:
        return _remember(_go("participation:contribute", process, found.token), process, found.token)
    form = form_class.from_draft(draft.data, **about) if draft else form_class(**about)
    return _write_page(request, process, form, open_now, draft)


def _write(
    request: HttpRequest,
    process: Process,
    form: ContributionForm,
    open_now: Verdict,
    sent: uploads.Settled,
) -> HttpResponse:
    seen, old = _seen(request), _token(request, process)
    try:
        limits.spend(request, "draft", most=600, seconds=3600)
        token = actions.save_draft(
            process=process, by=request.user, data=written(sent.posted), token=old, seen=seen
        )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        return _write_page(request, process, form, open_now, None, status=422)
    if "X-Keep" in request.headers:
        return _kept(request, process, token)
    apart = seen is not None and token != old
    if apart:
        messages.warning(
            request,
            _(
                "You have also been writing in another window. This is kept as a text of its own; nothing is lost."
            ),
        )
    asked = {"more", "remove", "similar", "save"} & set(request.POST)
    if sent.problems:
        sent.tell(form, only=bool(asked))
    elif "similar" in asked:
        to = _go("participation:contribute", process, token)
        return _remember(redirect(f"{to.url}&{ALIKE}=1#similar"), process, token)
    elif asked - {"save"}:  # a photo came or went, or a format's own button for more room to write in
        return _remember(_go("participation:contribute", process, token, sent.place), process, token)
    elif asked:
        messages.success(
            request,
            _(
                "It is kept for %(days)d days. Come back here in this browser, or keep the address of this page."
            )
            % {"days": actions.DRAFT_DAYS},
        )
        return _remember(_go("participation:contribute", process, token), process, token, for_days=True)
    if form.is_valid() and open_now:
        return _remember(_go("participation:contribute-review", process, token), process, token)
    draft = actions.draft_by_token(token, request.user, process=process)
    response = _write_page(
        request, process, form, open_now, draft, status=422 if form.errors else 409, token=token
    )
    return _remember(response, process, token)


def _kept(request: HttpRequest, process: Process, token: str) -> HttpResponse:
    """To the script that saves while one writes: where the draft is now, and since when."""
    draft = actions.draft_by_token(token, request.user, process=process)
    address = _go("participation:contribute", process, token).url
    saved = {"address": address, "seen": draft.saved_at.isoformat() if draft else ""}
    return _remember(JsonResponse(saved), process, token)


def _write_page(
    request: HttpRequest,
    process: Process,
    form: ContributionForm,
    open_now: Verdict,
    draft: Draft | None,
    *,
    status: int = 200,
    token: str = "",
) -> HttpResponse:
    token = token or (_token(request, process) if draft else "")
    rule = _rule(process)
    response = _page(
        request,
        process,
        "contribution_write",
        form=form,
        open_now=open_now,
        draft=draft,
        token=token,
        seen=draft.saved_at.isoformat() if draft else "",
        rule=rule,
        allowed=may.can_contribute(request.user, process) if request.user.is_authenticated else None,
        steps=_steps(),
        similar=_similar(process, draft.data) if draft and ALIKE in request.GET else None,
    )
    response.status_code = status
    return response


def _similar(process: Process, data: Mapping[str, Any]) -> list[Contribution]:
    """What others have given that looks like it, each with its name as a list shows it."""
    typed = to_query(data)
    found = similar_to(process=process, title=typed.get("title", ""), body=typed.get("body", ""))
    today = clock.today()
    for one in found:
        one.process = process
        one.shown_name = team.shown_together(one, today)
    return found


@never_cache
@require_POST
def contribute_similar(request: HttpRequest, slug: str) -> HttpResponse:
    """To the script that looks while one writes: {"piece": HTML for the page}, empty when nothing looks alike. What is typed comes
    in the body, never in an address, and is not kept."""
    process = _process(slug)
    try:
        limits.spend(request, "similar", most=240, seconds=3600)
    except Refused:
        return HttpResponse(status=204)
    found = _similar(process, {name: [request.POST.get(name, "")[:7000]] for name in ("title", "body")})
    piece = render_to_string("participation/partials/similar.html", {"similar": found}, request)
    return JsonResponse({"piece": piece.strip()})


@never_cache
@require_http_methods(["GET", "POST"])
def contribute_review(request: HttpRequest, slug: str) -> HttpResponse:
    """The second and third step: look it over, sign in, send. The draft is in the address, so it survives MitID."""
    process = _process(slug)
    try:
        draft = _draft(request, process)
    except _FoundElsewhere as found:
        return _remember(_go("participation:contribute-review", process, found.token), process, found.token)
    if draft is None:
        messages.info(
            request, _("There is nothing here to send. If you have sent it already, you find it on My page.")
        )
        return redirect("participation:contribute", slug)
    form = formats.get(process.format).contribution_form_class(
        to_query(draft.data), process=process, user=request.user
    )
    token = _token(request, process)
    if not form.is_valid():
        return _go("participation:contribute", process, token)
    refused = None
    if request.method == "POST":
        try:
            limits.spend(request, "contribution", most=30, seconds=3600)
            given = actions.give_contribution(
                process=process,
                by=request.user,
                **form.core(),
                detail=form.detail(),
                attached=form.attached(),
                draft=draft,
            )
        except Refused as why:
            refused = why
        else:
            response = redirect("participation:contribution-receipt", slug, given.public_id)
            response.delete_cookie(_cookie(process))
            return response
    here = f"{reverse('participation:contribute-review', args=[slug])}?{urlencode({DRAFT: token})}"
    response = _page(
        request,
        process,
        "contribution_review",
        form=form,
        token=token,
        refused=refused,
        allowed=may.can_contribute(request.user, process),
        sign_in_url=_sign_in(here),
        steps=_steps(),
        similar=_similar(process, draft.data),
    )
    response.status_code = 409 if refused else 200
    return response


@require_POST
def forget_draft(request: HttpRequest, slug: str) -> HttpResponse:
    process = _process(slug)
    draft = _draft(request, process)
    if draft is not None:
        actions.delete_draft(draft=draft)
    messages.success(request, _("What you had written is deleted."))
    response = redirect("participation:process-detail", slug)
    response.delete_cookie(_cookie(process))
    return response


def _rule(process: Process) -> EligibilityRule | None:
    fmt = formats.get(process.format)
    return fmt.contribution_rule(process) if fmt.contribution_rule else None


@require_safe
def can_i_take_part(request: HttpRequest, slug: str) -> HttpResponse:
    """ "Kan jeg være med?": age and district, without sign-in; nothing is kept."""
    process = _process(slug)
    districts = list(districts_to_choose())
    form = CanITakePartForm(
        request.GET if "age" in request.GET else None,
        districts=districts,
        municipality=settings.MUNICIPALITY["name"],
    )
    answer = None
    if form.is_bound and form.is_valid():
        lives = form.cleaned_data["lives"]
        district = next((one for one in districts if str(one.pk) == lives), None)
        answer = can_from_age(_rule(process), form.cleaned_data["age"], district, lives != "elsewhere")
    open_now = may.can_open_for_contributions(process, at=clock.now())
    return _page(request, process, "contribution_can_i", form=form, answer=answer, open_now=open_now)


def can_from_age(rule: EligibilityRule | None, age: int, district: Any, lives_here: bool) -> Verdict:
    """From an age in whole years the birthday is not known: a yes that hangs on it is said as such."""
    if rule is None:
        return Verdict(True)
    today = clock.today()
    oldest, youngest = _years_before(today, age + 1) + timedelta(days=1), _years_before(today, age)
    best = eligibility.answer_for(rule, oldest, district, lives_here=lives_here)
    worst = eligibility.answer_for(rule, youngest, district, lives_here=lives_here)
    if best and not worst:
        return Verdict(False, _("It depends on when your birthday is.") + " " + _age_needed(rule), "birthday")
    if worst.code == "too_young":  # its words give a birthday that was never asked for
        return Verdict(False, _age_needed(rule), worst.code)
    return worst


def _age_needed(rule: EligibilityRule) -> str:
    if rule.age_on is None:
        return _("You must be %(age)d years old.") % {"age": rule.min_age}
    return _("You must be %(age)d years old %(day)s.") % {
        "age": rule.min_age,
        "day": deadline(rule.age_on, clock.now()),
    }


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=max(day.year - years, 1))
    except ValueError:
        return day.replace(year=max(day.year - years, 1), day=28)


@never_cache
@login_required
@require_safe
def contribution_receipt(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """What was sent, what happens next and when, and what one can do meanwhile. Only for its authors."""
    contribution = own_contribution(request, slug, public_id)
    process, now = contribution.process, clock.now()
    fmt = formats.get(process.format)
    return _page(
        request,
        process,
        "contribution_receipt",
        contribution=contribution,
        next_steps=printing.what_happens_next(contribution, now),
        can_edit=may.can_edit(request.user, contribution, at=now),
        editable_until=may.editable_until(contribution),
        follows=process.follows.filter(user=request.user).exists(),
        asked_again=request.user.ask_again.filter(topic=fmt.key).exists(),
        ask_again_about=fmt.label_plural,
    )


@never_cache
@login_required
@require_safe
def contribution_receipt_pdf(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    contribution = own_contribution(request, slug, public_id)
    return printing.pdf_response(
        printing.receipt(contribution, clock.now()), f"kvittering-{contribution.public_id}.pdf"
    )


def own_contribution(request: HttpRequest, slug: str, public_id: Any) -> Contribution:
    """One of the user's own; anyone else's is not there."""
    contribution = _contribution(request, slug, public_id)
    if not team.is_author(request.user, contribution):
        raise Http404
    return contribution


@require_safe
def contribution_form_pdf(request: HttpRequest, slug: str) -> HttpResponse:
    """The blank form on paper, with its QR code: the same questions, for those not online."""
    process = _process(slug)
    form = formats.get(process.format).contribution_form_class(process=process)
    address = settings.SITE_URL + reverse("participation:contribute", args=[slug])
    content = printing.blank_form(
        form,
        title=process.heading,
        heading=str(formats.get(process.format).contribution_label),
        address=address,
        send_to=process.unit.name,
        deadline=printing.send_before(process),
    )
    return printing.pdf_response(content, f"{slug}-blanket.pdf")


@require_POST
@login_required
def after_receipt(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """The receipt's boxes: follow it, ask me again."""
    contribution = own_contribution(request, slug, public_id)
    topic = contribution.process.format
    if "follow" in request.POST:
        following.follow(process=contribution.process, by=request.user)
    if "ask_again" in request.POST:
        following.ask_again(by=request.user, topic=topic)
    else:
        following.stop_asking(by=request.user, topic=topic)
    messages.success(request, _("We have noted it."))
    return redirect("participation:contribution-receipt", slug, public_id)


@uploads.takes_files
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def contribution_edit(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """Correct it within the edit window. A stale form is told so, with what was typed still there."""
    contribution = own_contribution(request, slug, public_id)
    form_class = formats.get(contribution.process.format).contribution_form_class
    about = {"process": contribution.process, "user": request.user}
    verdict = may.can_edit(request.user, contribution)
    if request.method == "GET":
        given = form_class.initial_of(contribution)
        given["name_shown"] = team.name_choice(request.user, contribution)
        form = form_class(initial=given, **about)
        return _edit_page(request, contribution, form, verdict)
    sent = uploads.settle(request, taking=bool(verdict))
    more = bool({"more", "remove"} & set(request.POST))
    if more and not sent.problems:
        return _edit_page(
            request, contribution, form_class.from_draft(written(sent.posted), **about), verdict
        )
    form, version = form_class(sent.posted, **about), EditForm(request.POST)
    sent.tell(form, only=more)
    if not (form.is_valid() and version.is_valid()):
        return _edit_page(request, contribution, form, verdict, status=422)
    try:
        actions.edit_contribution(
            contribution=contribution,
            by=request.user,
            version=version.cleaned_data["version"],
            detail=form.detail(),
            attached=form.attached(),
            **form.core(),
        )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        return _edit_page(request, contribution, form, verdict, status=409)
    messages.success(request, _("It has been corrected."))
    return redirect(contribution)


def _edit_page(
    request: HttpRequest,
    contribution: Contribution,
    form: ContributionForm,
    verdict: Verdict,
    status: int = 200,
) -> HttpResponse:
    response = _page(
        request,
        contribution.process,
        "contribution_edit",
        contribution=contribution,
        form=form,
        verdict=verdict,
        until=may.editable_until(contribution),
    )
    response.status_code = status
    return response


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def contribution_withdraw(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    contribution = own_contribution(request, slug, public_id)
    if request.method == "POST":
        try:
            actions.withdraw_contribution(contribution=contribution, by=request.user)
        except Refused as refused:
            messages.error(request, refused.reason)
        else:
            messages.success(request, _("You have withdrawn it. It is no longer shown."))
        return redirect(contribution)
    return _page(
        request,
        contribution.process,
        "contribution_withdraw",
        contribution=contribution,
        verdict=may.can_withdraw(request.user, contribution),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def contribution_report(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """Anyone may say that something breaks the rules; a caseworker looks."""
    contribution = _contribution(request, slug, public_id)
    if contribution.merged_into is not None:
        return redirect(_leading_to(contribution))
    form = ReportForm(request.POST or None)
    verdict = may.can_report(request.user, contribution)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                limits.spend(request, "report", most=10, seconds=3600)
                actions.report_contribution(
                    contribution=contribution, by=request.user, reason=form.cleaned_data["reason"]
                )
            except Refused as refused:
                form.add_error(None, refused.reason)
                status = 409
            else:
                messages.success(request, _("Thank you. A caseworker will look at it."))
                return redirect(contribution)
    response = _page(
        request,
        contribution.process,
        "contribution_report",
        contribution=contribution,
        form=form,
        verdict=verdict,
    )
    response.status_code = status
    return response


@public_page
@require_safe
def contribution_detail(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    contribution = _contribution(request, slug, public_id)
    if contribution.merged_into is not None:
        return redirect(_leading_to(contribution))
    now, own = clock.now(), team.is_author(request.user, contribution)
    return _page(
        request,
        contribution.process,
        "contribution_detail",
        contribution=contribution,
        names=team.shown_names(contribution, clock.today()),
        own=own,
        can_edit=may.can_edit(request.user, contribution, at=now) if own else None,
        can_withdraw=may.can_withdraw(request.user, contribution, at=now) if own else None,
        impacts=list(contribution.impacts.all()),
        **_gathered(contribution),
        debate=debate.shown(contribution, request.user, now),
        districts=geography.home_districts() if contribution.point else [],
        **attached_to(contribution),
    )


def _gathered(contribution: Contribution) -> dict[str, Any]:
    """What was gathered into it, and the title it had itself before."""
    found = team.gathered_into(contribution)
    before = contribution.merges.standing().exclude(kept_title="").first() if found else None
    return {"gathered": found, "gathered_first": before.kept_title if before else contribution.title}


@public_page
@require_safe
def contribution_list(request: HttpRequest, slug: str) -> HttpResponse:
    """What people have given: found by words, district, outcome and theme. As many queries at 10 as at 1,000."""
    process = _process(slug)
    fmt = formats.get(process.format)
    districts, themes = list(districts_to_choose()), list(process.themes.all())
    chosen = _chosen(request, districts, themes)
    rows = Contribution.objects.filter(process=process, moderation=Moderation.PUBLISHED)
    if chosen["q"]:
        rows = search.matching(rows, chosen["q"])
    if chosen["district"]:
        rows = rows.filter(district=chosen["district"])
    if chosen["theme"]:
        rows = rows.filter(theme=chosen["theme"])
    if chosen["outcome"]:
        rows = rows.with_outcome(chosen["outcome"])
    rows = rows.order_by(*SORTS[chosen["sort"]])
    page = Paginator(rows.for_list(*fmt.contribution_related), PER_PAGE).get_page(request.GET.get("page"))
    today = clock.today()
    for contribution in page:
        contribution.process = process
        contribution.shown_name = team.shown_together(contribution, today)
    return _page(
        request,
        process,
        "contribution_list",
        page=page,
        chosen=chosen,
        districts=districts,
        themes=themes,
        outcomes=Outcome.choices,
        open_now=may.can_open_for_contributions(process, at=clock.now()),
        filtered=any(chosen[name] for name in ("q", "district", "theme", "outcome")),
    )


def _chosen(request: HttpRequest, districts: list[Any], themes: list[Any]) -> dict[str, Any]:
    """The filters that make sense; the rest of what an address may hold is left out."""
    asked = request.GET
    outcome, sort = asked.get("udfald", ""), asked.get("sorter", "")
    return {
        "q": asked.get("q", "").replace("\x00", "").strip()[: search.LONGEST],
        "district": next((one for one in districts if str(one.pk) == asked.get("distrikt")), None),
        "theme": next((one for one in themes if str(one.pk) == asked.get("tema")), None),
        "outcome": outcome if outcome in {*Outcome.values, "intet"} else "",
        "sort": sort if sort in SORTS else "nyeste",
    }
