"""Follow a process, and how often we may write."""

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from participation import notices
from participation.actions import following as actions
from participation.choices import PUBLIC
from participation.forms.contributions import RhythmForm
from participation.models import NoticePreference, Process


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest, slug: str) -> HttpResponse:
    """A page with one button, because the process page is the same for everyone."""
    process = get_object_or_404(Process.objects.filter(status__in=PUBLIC), slug=slug)
    if request.method == "POST":
        if "stop" in request.POST:
            actions.unfollow(process=process, by=request.user)
            messages.success(request, _("You no longer follow it."))
        else:
            actions.follow(process=process, by=request.user)
            messages.success(request, _("You follow it now. We tell you when something happens."))
        return redirect(process)
    follows = process.follows.filter(user=request.user).exists()
    return render(
        request,
        "participation/follow.html",
        {
            "process": process,
            "follows": follows,
            "address": notices.verified_addresses([request.user.pk]).get(request.user.pk),
        },
    )


@require_POST
@login_required
def set_rhythm(request: HttpRequest) -> HttpResponse:
    form = RhythmForm(request.POST)
    if form.is_valid():
        actions.set_rhythm(by=request.user, **form.cleaned_data)
        messages.success(request, _("We have noted how often you want to hear from us."))
    else:
        messages.error(request, _("Choose how often, and an hour of the day."))
    return redirect("accounts:my-page")


@require_POST
@login_required
def confirm_address_again(request: HttpRequest) -> HttpResponse:
    """To whom our e-mails came back: one goes there once more, with the link that proves that it works."""
    address = actions.doubt_address(by=request.user)
    if address is not None:
        send_verification_email_to_address(request, address)
    return redirect("account_email")


@require_POST
@login_required
def notices_read(request: HttpRequest) -> HttpResponse:
    actions.mark_notices_read(by=request.user)
    return redirect("accounts:my-page")


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Signed link in every e-mail. A mail program's one-click POST (RFC 8058) carries no cookie and no CSRF token: the
    signature is what proves it. A GET changes nothing, because programs follow links to look at them."""
    user = notices.user_of_token(token)
    if user is None:
        raise Http404
    done = ""
    if request.method == "POST":
        rhythm = request.POST.get("rhythm", NoticePreference.Rhythm.NONE)
        done = rhythm if rhythm in NoticePreference.Rhythm.values else NoticePreference.Rhythm.NONE
        actions.set_rhythm(by=user, rhythm=done)
    chosen = NoticePreference.objects.filter(user=user).first()
    context = {"done": NoticePreference.Rhythm(done).label if done else "", "chosen": chosen}
    return render(request, "participation/unsubscribe.html", context)


@require_POST
@login_required
def stop_asking(request: HttpRequest) -> HttpResponse:
    actions.stop_asking(by=request.user, topic=request.POST.get("topic", "").replace("\x00", "")[:120])
    messages.success(request, _("We no longer ask you about it."))
    return redirect("accounts:my-page")
