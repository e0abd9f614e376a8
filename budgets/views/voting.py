"""Voting: choose, look it over, cast, receipt. One address, one form; choices live in POST bodies and nowhere else.

Nothing here logs, redirects with, or stores a choice. Every answer is `no-store`, and request bodies stay out of error
reports. The receipt is the answer to the cast itself, so the tracker code is shown once and can't be fetched again.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.verdict import Refused
from budgets import actions, ballots, choosing, voting
from budgets.choosing import Choosing
from budgets.models import HowItWas, Project, Round
from budgets.views import budget_process, no_store
from budgets.voting import Voter
from dkfds.wording import day, deadline
from participation import clock, printing
from participation.actions import following
from participation.forms.contributions import CanITakePartForm, districts_to_choose
from participation.models import Process
from participation.principles.timing import decision_date
from participation.views.contributions import can_from_age

CHOOSE, LOOK_OVER, DONE = 1, 2, 3


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    """Whoever may not vote gets the reason; whoever may gets the ballot, and each press of a button the next answer."""
    now = clock.now()
    round = Round.objects.for_voting().open_at(slug, now).first()
    process = round.process if round else budget_process(slug)
    try:
        round = round or actions.open_round(process=process, at=now)
        if request.POST.get("step") == "cast" and request.user.is_authenticated:
            return no_store(_cast(request, round, now))
        voter = voting.check_may_vote(request.user, round, at=now)
    except Refused as refused:
        return no_store(_may_not(request, process, refused, now))
    if request.method == "GET":
        actions.begin(round=round, by=request.user, at=now)
    return no_store(_ballot(request, round, voter))


@sensitive_variables()
def _read(request: HttpRequest, round: Round, voter: Voter) -> Choosing:
    projects = choosing.in_own_order(choosing.projects_of(round), round=round, by=request.user)
    posted = request.POST if request.method == "POST" else None
    return read_ballot(round, voter, projects, posted)


@sensitive_variables()
def read_ballot(
    round: Round, voter: Voter, projects: list[Project], posted: QueryDict | None = None
) -> Choosing:
    """The ballot of this voter: the pot of their own district, or the one they choose, filled in with what was sent."""
    paper = ballots.round_paper(round)
    own = voting.home_pot(paper, voter.facts)
    return choosing.read(paper, projects, posted, pot=own, may_choose_pot=voting.may_choose_pot(round, paper))


@sensitive_variables()
def _ballot(request: HttpRequest, round: Round, voter: Voter) -> HttpResponse:
    """The page to choose on; "review" goes on to the next when the choices hold."""
    chosen = _read(request, round, voter)
    going_on = request.method == "POST" and request.POST.get("step") not in {"search", "change", "pot"}
    if going_on and not chosen.other_pot:
        try:
            chosen.check()
        except Refused:
            return _page(request, round.process, "vote_choose", CHOOSE, 422, round=round, choosing=chosen)
        return _review(request, round, chosen)
    return _page(request, round.process, "vote_choose", CHOOSE, round=round, choosing=chosen)


@sensitive_variables()
def _review(
    request: HttpRequest, round: Round, chosen: Choosing, refused: Refused | None = None
) -> HttpResponse:
    signed = ballots.sign_tracker(ballots.new_tracker(), round=round, by=request.user)
    return _page(
        request,
        round.process,
        "vote_review",
        LOOK_OVER,
        422 if refused else 200,
        round=round,
        choosing=chosen,
        signed_tracker=signed,
        wants_code=request.POST.get("code") != "no",
        refused=refused,
    )


@sensitive_variables()
def _cast(request: HttpRequest, round: Round, now: datetime) -> HttpResponse:
    """Into the urn. What is wrong with the ballot is shown with the choices kept; everything else is a plain no."""
    paper, tracker = ballots.round_paper(round), None
    pot = request.POST.get("pot", "") if voting.may_choose_pot(round, paper) else None
    try:
        choices = choosing.choices_in(paper, request.POST).sure()
        if request.POST.get("code") != "no":
            tracker = ballots.unsign_tracker(request.POST.get("tracker", ""), round=round, by=request.user)
        actions.cast_ballot(round=round, by=request.user, choices=choices, tracker=tracker, pot=pot, at=now)
    except Refused as refused:
        voter = voting.check_may_vote(request.user, round, at=now)
        chosen = _read(request, round, voter)
        if refused.code == "tracker":
            return _review(request, round, chosen, refused)
        if refused.field not in {"choices", "pot"}:
            raise
        with suppress(Refused):
            chosen.check()
        chosen.refused = chosen.refused or refused
        return _page(request, round.process, "vote_choose", CHOOSE, 422, round=round, choosing=chosen)
    return _receipt(request, round, tracker, now)


@sensitive_variables()
def _receipt(request: HttpRequest, round: Round, tracker: str | None, now: datetime) -> HttpResponse:
    process = round.process
    return _page(
        request,
        process,
        "vote_receipt",
        DONE,
        round=round,
        tracker=tracker,
        signed_tracker=ballots.sign_tracker(tracker, round=round, by=request.user) if tracker else "",
        next_steps=what_happens_next(round, now),
        follows=process.follows.filter(user=request.user).exists(),
        asked_again=request.user.ask_again.filter(topic=process.format).exists(),
        how_answers=HowItWas.Answer.choices,
    )


@sensitive_variables()
def _may_not(request: HttpRequest, process: Process, refused: Refused, now: datetime) -> HttpResponse:
    """Why not, and what one can do instead. A ballot that was being filled in is shown, so that it can be found again."""
    kept: list[Any] = []
    round = voting.round_at(process, now)
    if request.method == "POST" and round is not None and refused.code == "sign_in":
        kept = choosing.kept(ballots.round_paper(round), choosing.projects_of(round), request.POST)
    phase = voting.vote_phase(process, now)
    return _page(
        request,
        process,
        "vote_may_not",
        CHOOSE,
        200 if request.method == "GET" else 409,
        refused=refused,
        was_voting=request.method == "POST",
        kept=kept,
        phase=phase,
        sign_in_url=f"{reverse('accounts:mitid-login')}?{urlencode({'next': request.path})}",
        next_steps=what_happens_next(round, now) if round and refused.code == "already_voted" else [],
    )


def _page(
    request: HttpRequest, process: Process, name: str, step: int, status: int = 200, /, **context: Any
) -> HttpResponse:
    steps = [_("Choose"), _("Look it over"), _("Voted")]
    ballot_url = reverse("budgets:vote", args=[process.slug])
    context |= {"process": process, "steps": steps, "step": step, "ballot_url": ballot_url}
    return render(request, f"budgets/{name}.html", context, status=status)


def what_happens_next(round: Round, now: datetime) -> list[dict[str, str]]:
    """We promise only what the process promises."""
    process, today = round.process, timezone.localdate(now)
    steps = []
    if round.phase is not None:
        steps.append(
            {
                "label": _("Voting closes"),
                "when": deadline(round.phase.interval.upper, now),
                "text": _("Until then nobody can see how the votes fall, not the municipality either."),
            }
        )
    steps.append(
        {
            "label": _("The votes are counted"),
            "when": "",
            "text": _("The result is shown here, with a file of all votes that anyone can count again."),
        }
    )
    decided_on = decision_date(process)
    if decided_on is not None:
        steps.append({"label": _("Decision"), "when": day(decided_on, today), "text": process.who_decides})
    return steps


@sensitive_variables()
@sensitive_post_parameters()
@require_POST
@login_required
def receipt_pdf(request: HttpRequest, slug: str) -> HttpResponse:
    """The receipt in large print, for whoever is on the roll. The code, if any, comes from the page that showed it."""
    process = budget_process(slug)
    round = _round_voted_in(request, process)
    if round is None:
        raise Http404
    parts = []
    signed = request.POST.get("tracker", "")
    if signed:
        try:
            code = ballots.unsign_tracker(signed, round=round, by=request.user)
        except Refused:
            raise Http404 from None
        parts.append({"label": _("Your tracker code"), "text": code})
    parts.append({"label": _("Your vote can't be changed"), "text": _("Not by us either.")})
    parts += [
        {"label": step["label"], "text": f"{step['when']}\n{step['text']}".strip()}
        for step in what_happens_next(round, clock.now())
    ]
    intro = _("Your vote has been cast in: %(process)s") % {"process": process.heading}
    content = printing.large_print(title=_("Receipt for your vote"), intro=intro, parts=parts)
    return no_store(printing.pdf_response(content, f"kvittering-{process.slug}.pdf"))


def _round_voted_in(request: HttpRequest, process: Process) -> Round | None:
    """The round that the receipt is for, if this user is on its roll: there may be two, each with its own. The last one
    voted in, where the form names none."""
    rounds = Round.objects.for_voting().filter(process=process).order_by("-number")
    number = request.POST.get("round", "")
    if number.isascii() and number.isdecimal() and len(number) <= 4:
        rounds = rounds.filter(number=int(number))
    return next((round for round in rounds if voting.has_voted(request.user, round)), None)


@require_POST
@login_required
def after_vote(request: HttpRequest, slug: str) -> HttpResponse:
    """The receipt's boxes: how it was, follow it, ask me again."""
    process = budget_process(slug)
    round = _round_voted_in(request, process)
    if round is not None and request.POST.get("how"):
        try:
            actions.say_how_it_was(round=round, by=request.user, answer=request.POST["how"])
        except Refused as refused:
            messages.error(request, refused.reason)
            return redirect(process)
    if "follow" in request.POST:
        following.follow(process=process, by=request.user)
    if "ask_again" in request.POST:
        following.ask_again(by=request.user, topic=process.format)
    messages.success(request, _("We have noted it."))
    return redirect(process)


@require_safe
def can_i_vote(request: HttpRequest, slug: str) -> HttpResponse:
    """ "Kan jeg stemme?": age and district, without sign-in; nothing is kept."""
    process = budget_process(slug)
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
        rule = process.citizenbudget.vote_rule
        answer = can_from_age(rule, form.cleaned_data["age"], district, lives != "elsewhere")
    now = clock.now()
    phase = voting.vote_phase(process, now)
    context = {
        "process": process,
        "form": form,
        "answer": answer,
        "phase": phase,
        "is_open": phase is not None and phase.interval.lower <= now < phase.interval.upper,
    }
    return render(request, "budgets/can_i_vote.html", context)
