"""What lies between the door and the urn: choose, look it over, cast. The same pages whoever votes and however they came in.

Nothing here logs, redirects with, or stores a choice. Every answer is `no-store`, and request bodies stay out of error
reports. The receipt is the answer to the cast itself, so the tracker code is shown once and can't be fetched again.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from accounts.verdict import Refused
from budgets import ballots, choosing, voting
from budgets.choosing import Choosing
from budgets.models import Project, Round, VotingCode
from budgets.voting import Voter
from participation.models import Process

CHOOSE, LOOK_OVER, DONE = 1, 2, 3
BACK_TO_CHOOSING = frozenset({"search", "change", "pot"})


class Booth:
    """A subclass says who votes, where the form goes, how the ballot falls, and what the receipt shows. `admission` stands in
    the form where nobody is signed in: it lets the same voter in again."""

    admission = ""

    def __init__(self, request: HttpRequest, round: Round, now: datetime) -> None:
        self.request, self.round, self.now = request, round, now

    @property
    def by(self) -> User | VotingCode:
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    def check(self) -> Voter:
        """`Refused` when this voter may not vote, or has."""
        raise NotImplementedError

    def opened(self) -> None:
        """The ballot paper is shown for the first time."""

    def put_in_urn(self, **ballot: Any) -> None:
        raise NotImplementedError

    def receipt(self, tracker: str | None) -> HttpResponse:
        raise NotImplementedError

    @sensitive_variables()
    def answer(self) -> HttpResponse:
        """The page to choose on; "review" goes on to the next when the choices hold; "cast" puts the ballot in the urn."""
        if self.request.POST.get("step") == "cast":
            return self._cast()
        voter = self.check()
        if self.request.method == "GET":
            self.opened()
        chosen = self._read(voter)
        going_on = self.request.method == "POST" and self.request.POST.get("step") not in BACK_TO_CHOOSING
        if going_on and not chosen.other_pot:
            try:
                chosen.check()
            except Refused:
                return self._choose(chosen, 422)
            return self._review(chosen)
        return self._choose(chosen)

    @sensitive_variables()
    def empty(self) -> HttpResponse:
        """The ballot paper with nothing chosen."""
        return self._choose(self._read(self.check(), with_posted=False))

    @sensitive_variables()
    def _read(self, voter: Voter, *, with_posted: bool = True) -> Choosing:
        round = self.round
        projects = choosing.in_own_order(choosing.projects_of(round), round=round, by=self.by)
        posted = self.request.POST if with_posted and self.request.method == "POST" else None
        return read_ballot(round, voter, projects, posted)

    @sensitive_variables()
    def _choose(self, chosen: Choosing, status: int = 200) -> HttpResponse:
        return self.page("vote_choose", CHOOSE, status, choosing=chosen)

    @sensitive_variables()
    def _review(self, chosen: Choosing, refused: Refused | None = None) -> HttpResponse:
        return self.page(
            "vote_review",
            LOOK_OVER,
            422 if refused else 200,
            choosing=chosen,
            signed_tracker=ballots.sign_tracker(ballots.new_tracker(), round=self.round, by=self.by),
            wants_code=self.request.POST.get("code") != "no",
            refused=refused,
        )

    @sensitive_variables()
    def _cast(self) -> HttpResponse:
        """Into the urn. What is wrong with the ballot is shown with the choices kept; everything else is a plain no."""
        round, posted = self.round, self.request.POST
        paper, tracker = ballots.round_paper(round), None
        pot = posted.get("pot", "") if voting.may_choose_pot(round, paper) else None
        try:
            choices = choosing.choices_in(paper, posted).sure()
            if posted.get("code") != "no":
                tracker = ballots.unsign_tracker(posted.get("tracker", ""), round=round, by=self.by)
            self.put_in_urn(round=round, choices=choices, tracker=tracker, pot=pot, at=self.now)
        except Refused as refused:
            chosen = self._read(self.check())
            if refused.code == "tracker":
                return self._review(chosen, refused)
            if refused.field not in {"choices", "pot"}:
                raise
            with suppress(Refused):
                chosen.check()
            chosen.refused = chosen.refused or refused
            return self._choose(chosen, 422)
        return self.receipt(tracker)

    def page(self, name: str, step: int, status: int = 200, **context: Any) -> HttpResponse:
        context |= {"round": self.round, "ballot_url": self.url, "admission": self.admission}
        return voting_page(self.request, self.round.process, name, step, status, **context)


@sensitive_variables()
def read_ballot(
    round: Round, voter: Voter, projects: list[Project], posted: QueryDict | None = None
) -> Choosing:
    """The ballot of this voter: the pot of their own district, or the one they choose, filled in with what was sent."""
    paper = ballots.round_paper(round)
    own = voting.home_pot(paper, voter.facts)
    return choosing.read(paper, projects, posted, pot=own, may_choose_pot=voting.may_choose_pot(round, paper))


def voting_page(
    request: HttpRequest, process: Process, name: str, step: int, status: int = 200, **context: Any
) -> HttpResponse:
    steps = [_("Choose"), _("Look it over"), _("Voted")]
    context |= {"process": process, "steps": steps, "step": step}
    return render(request, f"budgets/{name}.html", context, status=status)
