"""Voting with a code: for those without MitID, and for a class that shares a tablet. No account, no session.

The code comes in the body of a request. A QR's address carries it after the #, which browsers send to nobody; a script puts it
into the form. After it is accepted once, the form carries it signed: a signature can't be guessed, so a neighbour who
guesses at codes locks nobody out of the booth.
"""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.verdict import Refused
from budgets import actions, codes, guessing, voting
from budgets.models import Round, VotingCode
from budgets.views import budget_process, no_store
from budgets.views.booth import DONE, Booth
from budgets.views.voting import what_happens_next
from budgets.voting import Voter
from participation import clock
from participation.models import Process


class CodeForm(forms.Form):
    """One field: the code as it stands on the paper."""

    use_required_attribute = False
    voting_code = forms.CharField(
        label=gettext_lazy("Your voting code"),
        help_text=gettext_lazy(
            "It stands on your card or letter. Big or small letters and hyphens don't matter."
        ),
        max_length=codes.LONGEST_TYPED,
        error_messages={"required": gettext_lazy("Type the code.")},
        widget=forms.TextInput(
            attrs={
                "class": "code-input",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
    )

    @sensitive_variables()
    def clean_voting_code(self) -> str:
        code = codes.plain(self.cleaned_data["voting_code"])
        if not codes.is_well_formed(code):
            raise forms.ValidationError(_("There is a typo in the code. Look at the card, and try again."))
        return code


class CodeBooth(Booth):
    """Whoever holds a code."""

    @sensitive_variables()
    def __init__(
        self, request: HttpRequest, round: Round, now: datetime, code: VotingCode, clear: str
    ) -> None:
        super().__init__(request, round, now)
        self.code = code
        self.admission = _signer(round.process).sign(clear)

    @property
    def by(self) -> VotingCode:
        return self.code

    @property
    def url(self) -> str:
        return reverse("budgets:code", args=[self.round.process.slug])

    def check(self) -> Voter:
        return codes.check_may_vote(self.code, self.round, at=self.now)

    @sensitive_variables()
    def put_in_urn(self, **ballot: Any) -> None:
        actions.cast_with_code(code=self.code, **ballot)

    @sensitive_variables()
    def receipt(self, tracker: str | None) -> HttpResponse:
        self.admission = ""
        next_steps = what_happens_next(self.round, self.now)
        return self.page("code_receipt", DONE, tracker=tracker, next_steps=next_steps)


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    """Type the code, and then the same pages as everyone."""
    now = clock.now()
    process = budget_process(slug)
    try:
        round = voting.round_at(process, now) or actions.open_round(process=process, at=now)
        if request.method == "GET":
            return no_store(_door(request, process, CodeForm()))
        if "admission" in request.POST:
            return no_store(_inside(request, round, now))
        return no_store(_at_the_door(request, round, now))
    except Refused as refused:
        return no_store(_may_not(request, process, refused))


@sensitive_variables()
def _at_the_door(request: HttpRequest, round: Round, now: datetime) -> HttpResponse:
    """A typed code. A typo costs nothing; a code that doesn't exist is a guess."""
    address = guessing.address_of(request)
    guessing.check_not_locked(address, at=now)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _door(request, round.process, form, 422)
    clear = form.cleaned_data["voting_code"]
    code = codes.find(clear, round.process)
    if code is None:
        guessing.guessed(address, round.process, at=now)
        form.add_error("voting_code", _("We don't know this code. Look at the card, and try again."))
        return _door(request, round.process, form, 422)
    booth = CodeBooth(request, round, now, code, clear)
    booth.check()
    if request.user.is_authenticated:
        logout(request)
        messages.info(request, _("You have been logged out here, because you vote with a code."))
    return booth.empty()


@sensitive_variables()
def _inside(request: HttpRequest, round: Round, now: datetime) -> HttpResponse:
    """A code that was let in before."""
    try:
        clear = _signer(round.process).unsign(request.POST["admission"])
    except BadSignature:
        return _door(request, round.process, CodeForm(), 409)
    code = codes.find(clear, round.process)
    if code is None:
        return _door(request, round.process, CodeForm(), 409)
    return CodeBooth(request, round, now, code, clear).answer()


@sensitive_variables()
def _door(request: HttpRequest, process: Process, form: CodeForm, status: int = 200) -> HttpResponse:
    phase = voting.vote_phase(process, clock.now())
    context = {"process": process, "form": form, "phase": phase}
    return render(request, "budgets/code_door.html", context, status=status)


def _may_not(request: HttpRequest, process: Process, refused: Refused) -> HttpResponse:
    status = 429 if refused.code == "locked" else 200 if request.method == "GET" else 409
    was_voting = "admission" in request.POST
    context = {"process": process, "refused": refused, "was_voting": was_voting}
    return render(request, "budgets/code_may_not.html", context, status=status)


def _signer(process: Process) -> Signer:
    return Signer(salt=f"budgets.admission:{process.pk}")
