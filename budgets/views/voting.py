"""Voting with MitID: one address, one form, the pages of `budgets.views.booth`. What follows the vote; and who may vote."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.verdict import Refused
from budgets import actions, ballots, choosing, sections, voting
from budgets.models import HowItWas, Round
from budgets.views import budget_process, no_store
from budgets.views.booth import CHOOSE, DONE, Booth, voting_page
from budgets.voting import Voter
from dkfds.wording import day, deadline
from participation import clock, printing
from participation.actions import following
from participation.forms.contributions import CanITakePartForm, districts_to_choose
from participation.models import Process
from participation.principles.timing import decision_date
from participation.views.contributions import can_from_age


class MitidBooth(Booth):
    """Whoever is signed in with MitID."""

    @property
    def by(self) -> User:
        return self.request.user

    @property
    def url(self) -> str:
        return reverse("budgets:vote", args=[self.round.process.slug])

    def check(self) -> Voter:
        return voting.check_may_vote(self.request.user, self.round, at=self.now)

    def opened(self) -> None:
        actions.begin(round=self.round, by=self.by, at=self.now)

    @sensitive_variables()
    def put_in_urn(self, **ballot: Any) -> None:
        actions.cast_ballot(by=self.by, **ballot)

    @sensitive_variables()
    def receipt(self, tracker: str | None) -> HttpResponse:
        process, user = self.round.process, self.by
        return self.page(
            "vote_receipt",
            DONE,
            tracker=tracker,
            signed_tracker=ballots.sign_tracker(tracker, round=self.round, by=user) if tracker else "",
            next_steps=what_happens_next(self.round, self.now),
            follows=process.follows.filter(user=user).exists(),
            asked_again=user.ask_again.filter(topic=process.format).exists(),
            how_answers=HowItWas.Answer.choices,
        )


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
        booth = MitidBooth(request, round, now)
        if not request.user.is_authenticated:
            booth.check()
        return no_store(booth.answer())
    except Refused as refused:
        return no_store(_may_not(request, process, refused, now))


@sensitive_variables()
def _may_not(request: HttpRequest, process: Process, refused: Refused, now: datetime) -> HttpResponse:
    """Why not, and what one can do instead. A ballot that was being filled in is shown, so that it can be found again."""
    kept: list[Any] = []
    round = voting.round_at(process, now)
    if request.method == "POST" and round is not None and refused.code == "sign_in":
        kept = choosing.kept(ballots.round_paper(round), choosing.projects_of(round), request.POST)
    phase = voting.vote_phase(process, now)
    return voting_page(
        request,
        process,
        "vote_may_not",
        CHOOSE,
        200 if request.method == "GET" else 409,
        refused=refused,
        was_voting=request.method == "POST",
        kept=kept,
        phase=phase,
        with_codes=process.code_batches.exists() if refused.code == "sign_in" else False,
        sign_in_url=f"{reverse('accounts:mitid-login')}?{urlencode({'next': request.path})}",
        next_steps=what_happens_next(round, now) if round and refused.code == "already_voted" else [],
    )


def what_happens_next(round: Round, now: datetime) -> list[dict[str, str]]:
    """We promise only what the process promises."""
    process, today = round.process, timezone.localdate(now)
    first = round.kind == Round.Kind.SHORTLIST
    steps = []
    if round.phase is not None:
        steps.append(
            {
                "label": _("The first round closes") if first else _("Voting closes"),
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
    final = process.phases.filter(kind=voting.VOTE).first() if first else None
    if final is not None:
        steps.append(
            {
                "label": _("The final round"),
                "when": day(timezone.localdate(final.interval.lower), today),
                "text": _("Then you can vote again, on the projects that went on."),
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
    answer, how = None, ""
    if form.is_bound and form.is_valid():
        lives = form.cleaned_data["lives"]
        district = next((one for one in districts if str(one.pk) == lives), None)
        rule = process.citizenbudget.vote_rule
        answer = can_from_age(rule, form.cleaned_data["age"], district, lives != "elsewhere")
        how = sections.how_you_vote(process.citizenbudget, form.cleaned_data["age"], district)
    now = clock.now()
    phase = voting.vote_phase(process, now)
    context = {
        "process": process,
        "form": form,
        "answer": answer,
        "how": how,
        "phase": phase,
        "is_open": phase is not None and phase.interval.lower <= now < phase.interval.upper,
    }
    return render(request, "budgets/can_i_vote.html", context)
