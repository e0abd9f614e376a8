"""What everyone sees of a vote while it runs: where one can vote on paper, how many have voted, what happened, and, when it
is over, whether the numbers add up."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from budgets import codes, polling, reconciliation, turnout, voting
from budgets.models import PollingPlace, Round
from budgets.views import budget_process
from participation import clock
from participation.models import Process
from participation.page_cache import public_page


@public_page
@require_safe
def voting_day(request: HttpRequest, slug: str) -> HttpResponse:
    process = budget_process(slug)
    now = clock.now()
    round = Round.objects.for_voting().filter(process=process).order_by("-number").first()
    places = (
        PollingPlace.objects.filter(process=process).select_related("district").defer("district__geometry")
    )
    if round is not None:
        places = places.filter(round_kind=round.kind)
    context = {
        "process": process,
        "round": round,
        "phase": voting.vote_phase(process, now),
        "is_open": voting.can_open(process, at=now),
        "places": list(places),
        "turnout": turnout.turnout_of(process),
        "smallest_step": turnout.SMALLEST_STEP,
        "incidents": polling.incidents_of(process),
        "sums": sums_of(process, round),
    }
    return render(request, "budgets/voting_day.html", context)


def sums_of(process: Process, round: Round | None) -> dict[str, Any] | None:
    """Per channel and place, from the moment the round is complete."""
    if round is None or round.imported or round.state not in Round.OPENED:
        return None
    places = PollingPlace.objects.of_round(round).select_related("account")
    return {
        "channels": reconciliation.channel_sums(round),
        "codes": codes.tally_by_kind(round),
        "places": [reconciliation.place_sums(place, round) for place in places],
    }
