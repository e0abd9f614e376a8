"""Standing behind a contribution together: who does, asking more, answering an invitation, leaving."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.verdict import Refused
from participation import clock, limits, team
from participation.actions import team as actions
from participation.choices import PUBLIC, Moderation
from participation.forms.team import AcceptForm, InviteForm
from participation.models import CoAuthor, Contribution
from participation.permissions import team as may
from participation.views.contributions import own_contribution


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def contribution_team(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """Who stands behind it and who has been asked; one more by e-mail, or by a link that is shown once."""
    contribution = own_contribution(request, slug, public_id)
    if contribution.merged_into is not None:
        return redirect("participation:contribution-team", slug, contribution.merged_into.public_id)
    form = InviteForm(request.POST if "invite" in request.POST else None, label_suffix="")
    if request.method == "GET" or (form.is_bound and not form.is_valid()):
        return _team_page(request, contribution, form, status=422 if form.is_bound else 200)
    try:
        if "take_back" in request.POST:
            return _take_back(request, contribution)
        limits.spend(request, "invite", most=2 * actions.MOST_A_DAY, seconds=86_400)  # those taken back too
        email = form.cleaned_data["email"] if form.is_bound else ""
        _row, token = actions.invite(contribution=contribution, by=request.user, email=email)
    except Refused as refused:
        if form.is_bound:
            form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        else:
            messages.error(request, refused.reason)
        return _team_page(request, contribution, form, status=409)
    if not email:
        address = settings.SITE_URL + reverse("participation:co-author-invitation", args=[token])
        return _team_page(request, contribution, form, link=address)
    messages.success(request, _("We have written to %(address)s.") % {"address": email})
    return redirect("participation:contribution-team", slug, public_id)


def _take_back(request: HttpRequest, contribution: Contribution) -> HttpResponse:
    chosen = request.POST["take_back"][:18]
    waiting = CoAuthor.objects.invited().filter(contribution=contribution)
    row = waiting.filter(pk=int(chosen)).first() if chosen.isascii() and chosen.isdigit() else None
    if row is not None:
        actions.take_back(invitation=row, by=request.user)
    messages.success(request, _("The invitation no longer holds."))
    return redirect("participation:contribution-team", contribution.process.slug, contribution.public_id)


def _team_page(
    request: HttpRequest, contribution: Contribution, form: InviteForm, *, link: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "process": contribution.process,
        "contribution": contribution,
        "names": team.shown_names(contribution, clock.today()),
        "waiting": CoAuthor.objects.invited()
        .filter(contribution=contribution, expires_at__gt=clock.now())
        .order_by("pk"),
        "form": form,
        "link": link,
        "most": team.MOST,
        "can_invite": may.can_invite(request.user, contribution),
        "can_leave": may.can_leave(request.user, contribution),
    }
    return render(request, "participation/team.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def contribution_leave(request: HttpRequest, slug: str, public_id: Any) -> HttpResponse:
    """A page with one button: no longer one of those behind it."""
    contribution = own_contribution(request, slug, public_id)
    if request.method == "POST":
        try:
            actions.leave(contribution=contribution, by=request.user)
        except Refused as refused:
            messages.error(request, refused.reason)
            return redirect("participation:contribution-team", slug, public_id)
        messages.success(request, _("You no longer stand behind it."))
        return redirect("accounts:my-page")
    context = {
        "process": contribution.process,
        "contribution": contribution,
        "verdict": may.can_leave(request.user, contribution),
    }
    return render(request, "participation/team_leave.html", context)


def _still_there(contribution: Contribution) -> bool:
    """Whoever was invited reads it before it is public, but not what was taken back or taken down."""
    stands = contribution.moderation in {Moderation.PENDING, Moderation.PUBLISHED}
    return stands and contribution.process.status in PUBLIC


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What one is asked to stand behind and what it means. Yes needs MitID; no can be said by whoever has the link."""
    found = actions.by_token(token)
    if found is None or not _still_there(found.contribution):
        return render(request, "participation/team_gone.html", status=404)
    contribution = found.contribution
    form = AcceptForm(request.POST if "accept" in request.POST else None, label_suffix="")
    try:
        if "decline" in request.POST:
            limits.spend(request, "invitation", most=40, seconds=3600)
            actions.decline(token=token, by=request.user)
            return render(request, "participation/team_declined.html", {"contribution": contribution})
        if form.is_bound and form.is_valid():
            actions.accept(token=token, by=request.user, **form.cleaned_data)
            messages.success(request, _("You stand behind it now. You find it on My page."))
            return redirect(contribution)
    except Refused as refused:
        form.add_error(None, refused.reason) if form.is_bound else messages.error(request, refused.reason)
    here = reverse("participation:co-author-invitation", args=[token])
    context = {
        "process": contribution.process,
        "contribution": contribution,
        "names": team.shown_names(contribution, clock.today()),
        "form": form,
        "allowed": may.can_accept(request.user, contribution),
        "sign_in_url": f"{reverse('accounts:mitid-login')}?{urlencode({'next': here})}",
        "expires_at": found.expires_at,
        "edit_minutes": contribution.process.edit_minutes,
    }
    status = 409 if form.is_bound else 200
    return render(request, "participation/team_invitation.html", context, status=status)
