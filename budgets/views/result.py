"""The result: who won and why, who voted, what the council decided; the file of votes, and the means to count it again."""

from functools import cache
from pathlib import Path

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts.verdict import Refused
from budgets import charts, election, polling, results, voting
from budgets.models import Round
from budgets.views import budget_process, no_store
from participation import clock, limits
from participation.models import Process
from participation.page_cache import public_page

LOOK_UPS = 60  # an hour from one address: a library's patrons, and nobody's list of guesses


class TrackerForm(forms.Form):
    code = forms.CharField(
        label=_("Your tracker code"),
        max_length=40,
        strip=True,
        help_text=_("Three groups of four letters and figures, for example ABCD-2345-EFGH."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@public_page
@require_safe
def result(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest round that has been sealed."""
    process = budget_process(slug)
    return _result(request, process, results.result_for(process))


@public_page
@require_safe
def round_result(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One round's own result: the first one's stays to be read when the final has its own."""
    process = budget_process(slug)
    found = results.result_for(process, number=number)
    if found is None:
        raise Http404
    return _result(request, process, found)


def _result(request: HttpRequest, process: Process, found: results.Result | None) -> HttpResponse:
    context = {
        "process": process,
        "result": found,
        "pots": charts.by_pot(found) if found else [],
        "by_age": charts.of_turnout(found.by_age) if found else [],
        "by_district": charts.of_turnout(found.by_district) if found else [],
        "by_pot": charts.of_turnout(found.by_pot) if found else [],
        "how_it_was": charts.of_how_it_was(found.round) if found else [],
        "may_vote": voting.can_open(process, at=clock.now()),
        "tie_rule": results.tie_rule_text(),
        "smallest_shown": results.SMALLEST_SHOWN,
        "recount_name": recount_file().name,
    }
    context["incidents"] = polling.incidents_of(process)
    return render(request, "budgets/result.html", context)


def _sealed_round(slug: str, number: int | None = None) -> Round:
    process = budget_process(slug)
    sealed = Round.objects.for_voting().sealed().filter(process=process)
    if number is not None:
        sealed = sealed.filter(number=number)
    round = sealed.order_by("-number").first()
    if round is None:
        raise Http404
    return round


@require_safe
def votes_file(request: HttpRequest, slug: str, number: int | None = None, pot: str = "") -> HttpResponse:
    """All ballots of a pot without anything about who cast them, or only totals where there are few."""
    try:
        file = election.served_file(_sealed_round(slug, number), pot)
    except KeyError:
        raise Http404 from None
    kind = "text/plain" if file.with_ballots else "text/csv"
    return _attachment(file.content, file.name, f"{kind}; charset=utf-8")


def recount_file() -> Path:
    return Path(election.__file__).with_name("recount.py")


@cache
def _recount() -> bytes:
    return recount_file().read_bytes()


@require_safe
def recount(request: HttpRequest, slug: str) -> HttpResponse:
    """The count as one file of plain Python, for anyone's own machine."""
    budget_process(slug)
    return _attachment(_recount(), recount_file().name, "text/x-python; charset=utf-8")


def _attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def tracker(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether the ballot with this code was counted. The code is asked for in a POST body and shown to nobody."""
    process = budget_process(slug)
    sealed = list(Round.objects.sealed().filter(process=process).order_by("-number"))
    round = sealed[0] if sealed else None
    form = TrackerForm(request.POST if request.method == "POST" and round else None)
    answer = None
    if round is not None and form.is_bound and form.is_valid():
        try:
            limits.spend(request, "tracker", most=LOOK_UPS, seconds=3600)
            answer = any(results.tracker_counted(one, form.cleaned_data["code"]) for one in sealed)
        except Refused as refused:
            form.add_error("code", refused.reason)
    context = {
        "process": process,
        "round": round,
        "form": form,
        "answer": answer,
        "may_vote": voting.can_open(process, at=clock.now()),
    }
    return no_store(render(request, "budgets/tracker.html", context))
