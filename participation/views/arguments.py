"""Supporting, arguing, replying and rating; and reading what others have argued."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.verdict import Refused, Verdict
from participation import clock, debate, limits
from participation.actions import arguments as actions
from participation.actions.contributions import (
    DRAFT_DAYS,
    delete_draft,
    draft_by_token,
    latest_draft,
    renew_token,
    save_draft,
)
from participation.choices import Moderation
from participation.forms.arguments import ArgumentEditForm, ArgumentForm, ReplyForm
from participation.forms.contributions import EditForm, ReportForm, written
from participation.models import Argument, Contribution, Draft, Side
from participation.models.arguments import BEST_FIRST, NEWEST_FIRST
from participation.page_cache import public_page
from participation.permissions import arguments as may
from participation.views.contributions import DRAFT, KEEP_COOKIE, _contribution, _page, _seen, _sign_in

SORTS = {"bedste": BEST_FIRST, "nyeste": NEWEST_FIRST}
SIDES = {"for": Side.FOR, "imod": Side.AGAINST}
SAYS = {"ja": True, "nej": False, "fortryd": None}


class _GoesOn(Exception):
    """It hangs on another contribution since they were gathered, or split again."""

    def __init__(self, contribution: Contribution) -> None:
        super().__init__()
        self.contribution = contribution


def about_contribution(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view gets the contribution. Where its debate has gone along to another, an old address leads on, and what is sent
    from a page that was open meanwhile goes with it."""

    @wraps(view)
    def leading(request: HttpRequest, slug: str, public_id: Any, **more: Any) -> HttpResponse:
        try:
            contribution = _contribution(request, slug, public_id)
            if contribution.merged_into is not None:
                raise _GoesOn(contribution.merged_into)
            return view(request, contribution, **more)
        except _GoesOn as on:
            match = request.resolver_match
            assert match is not None
            there = match.kwargs | {"public_id": on.contribution.public_id}
            address, query = reverse(match.view_name, kwargs=there), request.META["QUERY_STRING"]
            return redirect(
                f"{address}?{query}" if query else address, preserve_request=request.method == "POST"
            )

    return leading


def _argument(request: HttpRequest, contribution: Contribution, argument: Any) -> Argument:
    """Whoever may not see it gets the same 404 as for one that isn't there."""
    chosen = Argument.objects.for_page().select_related("parent").with_rating_of(request.user)
    found = get_object_or_404(chosen, public_id=argument, contribution__process=contribution.process_id)
    elsewhere = found.contribution_id != contribution.pk
    if not elsewhere:
        found.contribution = contribution
    if not may.may_see(request.user, found):
        raise Http404
    if elsewhere:
        raise _GoesOn(found.contribution)
    debate.dress([found], contribution, request.user)
    return found


def _own(request: HttpRequest, contribution: Contribution, argument: Any) -> Argument:
    found = _argument(request, contribution, argument)
    if found.author_id != request.user.pk:
        raise Http404
    return found


def _show(request: HttpRequest, contribution: Contribution, name: str, /, **context: Any) -> HttpResponse:
    status = context.pop("status", 200)
    response = _page(request, contribution.process, name, contribution=contribution, **context)
    response.status_code = status
    return response


def _back(request: HttpRequest, otherwise: str) -> str:
    """Where one was, when that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    good = ours and wanted.startswith("/") and wanted.isprintable()
    return wanted.split("#")[0][:500] if good else otherwise


# Reading


@public_page
@require_safe
@about_contribution
def argument_list(request: HttpRequest, contribution: Contribution) -> HttpResponse:
    """Every argument, two columns side by side or one side alone; as many queries at 10 as at 1,000."""
    if not contribution.is_public:
        raise Http404
    side, sort = request.GET.get("side", ""), request.GET.get("sorter", "")
    chosen = {"side": side if side in SIDES else "", "sort": sort if sort in SORTS else "bedste"}
    sides = [SIDES[chosen["side"]]] if chosen["side"] else list(Side)
    per_page = debate.PER_SIDE * (2 if chosen["side"] else 1)
    counts = {Side.FOR: contribution.arguments_for, Side.AGAINST: contribution.arguments_against}
    page = Paginator(range(max(counts[one] for one in sides)), per_page).get_page(request.GET.get("page"))
    start = (page.number - 1) * per_page
    columns = debate.columns(
        contribution,
        request.user,
        sides=sides,
        start=start,
        stop=start + per_page,
        order=SORTS[chosen["sort"]],
    )
    return _show(
        request,
        contribution,
        "argument_list",
        page=page,
        columns=columns,
        chosen=chosen,
        standing=debate.standing(request.user, contribution, clock.now()),
    )


@public_page
@require_safe
@about_contribution
def argument_detail(request: HttpRequest, contribution: Contribution, argument: Any) -> HttpResponse:
    """One argument with all its replies; a reply stands on the page of what it replies to."""
    found = _argument(request, contribution, argument)
    if found.parent is not None:
        found.parent.contribution = contribution
        if not may.may_see(request.user, found.parent):
            raise Http404
        return redirect(found)
    replies = debate.replies_to(found, request.user)
    page = Paginator(replies, debate.PER_PAGE_OF_REPLIES).get_page(request.GET.get("page"))
    debate.dress(page.object_list, contribution, request.user)
    now = clock.now()
    return _show(
        request,
        contribution,
        "argument_detail",
        argument=found,
        page=page,
        standing=debate.standing(request.user, contribution, now),
        can_edit=may.can_edit(request.user, found, at=now) if found.own else None,
        can_withdraw=may.can_withdraw(request.user, found) if found.own else None,
    )


# Support


@never_cache
@require_http_methods(["GET", "POST"])
@about_contribution
def support(request: HttpRequest, contribution: Contribution) -> HttpResponse:
    """One button. Whoever comes here to sign in finds it again afterwards."""
    supports = getattr(contribution, "supported", False)
    verdict = (may.can_take_back if supports else may.can_support)(request.user, contribution)
    refused = None
    if request.method == "POST":
        try:
            limits.spend(request, "support", most=300, seconds=3600)
            _support(request, contribution)
        except Refused as why:
            refused = why
        else:
            return redirect(_back(request, contribution.get_absolute_url()))
    here = reverse("participation:support", args=[contribution.process.slug, contribution.public_id])
    return _show(
        request,
        contribution,
        "support",
        verdict=verdict,
        refused=refused,
        supports=supports,
        sign_in_url=_sign_in(here),
        status=409 if refused else 200,
    )


def _support(request: HttpRequest, contribution: Contribution) -> None:
    if "stop" in request.POST:
        if actions.take_support_back(contribution=contribution, by=request.user):
            messages.success(request, _("You no longer support it."))
    elif actions.give_support(contribution=contribution, by=request.user):
        messages.success(request, _("Thank you. You support it now, and we tell you what becomes of it."))
    else:
        messages.info(request, _("You support it already."))


# Rating


@never_cache
@require_http_methods(["GET", "POST"])
@about_contribution
def argument_rate(request: HttpRequest, contribution: Contribution, argument: Any) -> HttpResponse:
    """Useful or not, or neither again; back to where one was."""
    found = _argument(request, contribution, argument)
    verdict = may.can_rate(request.user, found)
    back = _back(request, contribution.get_absolute_url())
    refused = None
    if request.method == "POST":
        try:
            if request.POST.get("useful") not in SAYS:
                raise Refused("unknown_choice", _("Choose one of those shown."))
            limits.spend(request, "rate", most=600, seconds=3600)
            actions.rate(argument=found, by=request.user, useful=SAYS[request.POST["useful"]])
        except Refused as why:
            refused = why
        else:
            return redirect(f"{back}#{found.anchor}")
    about = [contribution.process.slug, contribution.public_id, argument]
    here = reverse("participation:argument-rate", args=about)
    return _show(
        request,
        contribution,
        "argument_rate",
        argument=found,
        verdict=verdict,
        refused=refused,
        back=back,
        sign_in_url=_sign_in(f"{here}?{urlencode({'next': back})}"),
        status=409 if refused else 200,
    )


# Writing


def _cookie(contribution: Contribution, parent: Argument | None) -> str:
    return f"{DRAFT}-a{contribution.pk}" + (f"-{parent.pk}" if parent else "")


def _token(request: HttpRequest, contribution: Contribution, parent: Argument | None) -> str:
    """The draft's secret: in the address (after MitID, also in another browser), else in the cookie."""
    return (request.GET.get(DRAFT) or request.COOKIES.get(_cookie(contribution, parent)) or "")[:100]


def _draft(
    token: str, request: HttpRequest, contribution: Contribution, parent: Argument | None
) -> Draft | None:
    draft = draft_by_token(token, request.user, process=contribution.process)
    about = (contribution.pk, parent.pk if parent else None)
    return draft if draft is not None and (draft.contribution_id, draft.argument_id) == about else None


def _here(contribution: Contribution, parent: Argument | None, token: str = "") -> str:
    slug, key = contribution.process.slug, contribution.public_id
    if parent is None:
        address = reverse("participation:argument-write", args=[slug, key])
    else:
        address = reverse("participation:argument-reply", args=[slug, key, parent.public_id])
    return f"{address}?{urlencode({DRAFT: token})}" if token else address


def _remember(response: HttpResponse, name: str, token: str, *, for_days: bool = False) -> HttpResponse:
    """Until the browser closes, so that the next one at a library computer finds nothing; longer when asked to."""
    response.set_cookie(
        name,
        token,
        max_age=KEEP_COOKIE if for_days else None,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@about_contribution
def argument_write(request: HttpRequest, contribution: Contribution, argument: Any = None) -> HttpResponse:
    """One page: what was typed is kept whatever happens, through MitID too. With an `argument`, a reply to it."""
    parent = _argument(request, contribution, argument) if argument else None
    if parent is not None and parent.is_reply:
        raise Http404
    form_class = ReplyForm if parent else ArgumentForm
    if request.method == "POST":
        return _write(request, contribution, parent, form_class(request.POST, label_suffix=""))
    token = _token(request, contribution, parent)
    draft = _draft(token, request, contribution, parent)
    if draft is None and request.user.is_authenticated:
        mine = latest_draft(
            process=contribution.process, user=request.user, contribution=contribution, argument=parent
        )
        if mine is not None:  # begun in another browser
            token = renew_token(draft=mine)
            name = _cookie(contribution, parent)
            return _remember(redirect(_here(contribution, parent, token)), name, token)
    side = SIDES.get(request.GET.get("side", ""), "")
    initial = {name: values[0] for name, values in draft.data.items() if values} if draft else {"side": side}
    form = form_class(initial=initial, label_suffix="")
    return _write_page(request, contribution, parent, form, draft, token if draft else "")


def _write(
    request: HttpRequest, contribution: Contribution, parent: Argument | None, form: forms.Form
) -> HttpResponse:
    old, name = _token(request, contribution, parent), _cookie(contribution, parent)
    if "forget" in request.POST:
        draft = _draft(old, request, contribution, parent)
        if draft is not None:
            delete_draft(draft=draft)
        messages.success(request, _("What you had written is deleted."))
        response = redirect(contribution)
        response.delete_cookie(name)
        return response
    try:
        limits.spend(request, "draft", most=600, seconds=3600)
        token = save_draft(
            process=contribution.process,
            contribution=contribution,
            argument=parent,
            by=request.user,
            data=written(request.POST),
            token=old,
            seen=_seen(request),
        )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        return _write_page(request, contribution, parent, form, None, "", status=422)
    draft = _draft(token, request, contribution, parent)
    if "X-Keep" in request.headers:
        kept = {
            "address": _here(contribution, parent, token),
            "seen": draft.saved_at.isoformat() if draft else "",
        }
        return _remember(JsonResponse(kept), name, token)
    if "save" in request.POST:
        messages.success(
            request,
            _(
                "It is kept for %(days)d days. Come back here in this browser, or keep the address of this page."
            )
            % {"days": DRAFT_DAYS},
        )
        return _remember(redirect(_here(contribution, parent, token)), name, token, for_days=True)
    if not form.is_valid():
        page = _write_page(request, contribution, parent, form, draft, token, status=422)
        return _remember(page, name, token)
    if not request.user.is_authenticated:
        return _remember(redirect(_sign_in(_here(contribution, parent, token))), name, token)
    try:
        limits.spend(request, "argument", most=30, seconds=3600)
        if parent is not None:
            new = actions.reply(parent=parent, by=request.user, draft=draft, **form.cleaned_data)
        else:
            new = actions.write_argument(
                contribution=contribution, by=request.user, draft=draft, **form.cleaned_data
            )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        return _remember(
            _write_page(request, contribution, parent, form, draft, token, status=409), name, token
        )
    messages.success(
        request,
        _("Thank you. A caseworker reads it before it is shown to others.")
        if new.moderation == Moderation.PENDING
        else _("Thank you. It is shown to everyone now."),
    )
    response = redirect(new)
    response.delete_cookie(name)
    return response


def _write_page(
    request: HttpRequest,
    contribution: Contribution,
    parent: Argument | None,
    form: forms.Form,
    draft: Draft | None,
    token: str,
    *,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    verdict = may.can_reply(user, parent) if parent else may.can_argue(user, contribution)
    waits = verdict.code == "sign_in"
    return _show(
        request,
        contribution,
        "argument_write",
        parent=parent,
        form=form,
        draft=draft,
        seen=draft.saved_at.isoformat() if draft else "",
        verdict=Verdict(True) if waits else verdict,
        signed_in=user.is_authenticated,
        here=_here(contribution, parent, token),
        status=status,
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@about_contribution
def argument_edit(request: HttpRequest, contribution: Contribution, argument: Any) -> HttpResponse:
    """Correct the wording within the edit window. A stale form is told so, with what was typed still there."""
    found = _own(request, contribution, argument)
    form = ArgumentEditForm(
        request.POST or None,
        initial={"text": found.text, "name_shown": found.name_shown},
        label_suffix="",
    )
    verdict, status = may.can_edit(request.user, found), 200
    if request.method == "POST":
        version, status = EditForm(request.POST), 422
        if form.is_valid() and version.is_valid():
            try:
                changed = actions.edit_argument(
                    argument=found, by=request.user, **version.cleaned_data, **form.cleaned_data
                )
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
                status = 409
            else:
                messages.success(request, _("It is corrected."))
                return redirect(changed)
    return _show(
        request,
        contribution,
        "argument_edit",
        argument=found,
        form=form,
        verdict=verdict,
        until=may.editable_until(found),
        status=status,
    )


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@about_contribution
def argument_withdraw(request: HttpRequest, contribution: Contribution, argument: Any) -> HttpResponse:
    found = _own(request, contribution, argument)
    if request.method == "POST":
        try:
            actions.withdraw_argument(argument=found, by=request.user)
        except Refused as refused:
            messages.error(request, refused.reason)
        else:
            messages.success(request, _("You have withdrawn it. It is no longer shown."))
        return redirect(contribution)
    verdict = may.can_withdraw(request.user, found)
    return _show(request, contribution, "argument_withdraw", argument=found, verdict=verdict)


@never_cache
@require_http_methods(["GET", "POST"])
@about_contribution
def argument_report(request: HttpRequest, contribution: Contribution, argument: Any) -> HttpResponse:
    """Anyone may say that something breaks the rules; a caseworker looks."""
    found = _argument(request, contribution, argument)
    form, status = ReportForm(request.POST or None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                limits.spend(request, "report", most=10, seconds=3600)
                actions.report_argument(argument=found, by=request.user, reason=form.cleaned_data["reason"])
            except Refused as refused:
                form.add_error(None, refused.reason)
                status = 409
            else:
                messages.success(request, _("Thank you. A caseworker will look at it."))
                return redirect(found)
    verdict = may.can_report(request.user, found)
    return _show(
        request, contribution, "argument_report", argument=found, form=form, verdict=verdict, status=status
    )
