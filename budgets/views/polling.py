"""The polling officer's pages: find the person, see whether they may vote, mark the roll, hand out the paper.

Names are only in the bodies of POST requests and of their answers: never in an address, a session or a log. Every answer is
`no-store`. The mark's own form carries the mark's id, so that sending it again always tells of this very mark.
"""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import staff_only
from accounts.models import Person
from accounts.permissions import Permission
from accounts.verdict import Refused
from budgets import actions, permissions, polling
from budgets.models import PollingPlace, Roll, Round, UndoneMark
from budgets.views import no_store
from dkfds.fields import DateField, DateTimeField
from participation import clock, limits
from participation.choices import PUBLIC

LOOK_UPS = 400  # an hour: a table with a queue, and nobody's way through the register


class LookUpForm(forms.Form):
    use_required_attribute = False
    birth_date = DateField(label=gettext_lazy("Birth date"))
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("The beginning of the first or last name is enough."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    use_required_attribute = False
    code = forms.CharField(
        label=gettext_lazy("Voting code"),
        max_length=300,
        help_text=gettext_lazy("From the letter: scan it, or type it with or without hyphens."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )


class UndoForm(forms.Form):
    use_required_attribute = False
    reason = forms.ChoiceField(
        label=gettext_lazy("Why is the mark taken back?"),
        choices=UndoneMark.Reason.choices,
        widget=forms.RadioSelect,
    )


class IncidentForm(forms.Form):
    use_required_attribute = False
    happened_at = DateTimeField(label=gettext_lazy("When did it happen?"))
    text = forms.CharField(
        label=gettext_lazy("What happened?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "Everyone can read it at once. Write no names, and nothing that tells who somebody is or what they voted. It "
            "can't be edited afterwards, only corrected by a new line."
        ),
    )


def officers_place(request: HttpRequest, pk: int) -> PollingPlace:
    """The place, if this officer stands there; whoever doesn't is told nothing, not even that it exists."""
    return get_object_or_404(
        PollingPlace.objects.of_officer(request.user)
        .for_pages()
        .filter(process__status__in=PUBLIC)
        .prefetch_related("process__phases"),
        pk=pk,
    )


def round_of(place: PollingPlace) -> Round:
    """The round that is voted in here now; opened by the first visitor when the clock is late. Raises `Refused`."""
    round = place.round
    if round is None:
        round = actions.open_round(process=place.process, at=clock.now())
    if round.kind != place.round_kind:
        raise Refused("other_round", _("This polling place is not open in the vote that runs now."))
    return round


@never_cache
@staff_only
@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """Where I stand today: to mark the roll as an officer, to count papers as an officer or a caseworker."""
    mine = (
        PollingPlace.objects.counted_by(request.user)
        .for_pages()
        .filter(process__status__in=PUBLIC)
        .prefetch_related("process__phases", "process__rounds")
    )
    if not (request.user.may(Permission.MARK_ROLL) or request.user.may(Permission.COUNT_VOTES)):
        raise Http404
    now = clock.now()
    rows = [_row(place, now) for place in mine]
    context = {"rows": rows, "marks": request.user.may(Permission.MARK_ROLL)}
    return no_store(render(request, "budgets/polling/places.html", context))


def _row(place: PollingPlace, now: Any) -> dict[str, Any]:
    phase = next(
        (
            phase
            for phase in place.process.phases.all()
            if phase.kind == ("vote" if place.round_kind == Round.Kind.FINAL else "shortlist")
        ),
        None,
    )
    round = next((one for one in place.process.rounds.all() if one.kind == place.round_kind), None)
    return {
        "place": place,
        "phase": phase,
        "round": round,
        "is_open": phase is not None and phase.interval.lower <= now < phase.interval.upper,
        "is_coming": phase is not None and now < phase.interval.lower,
    }


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Find the person. What is found is the answer to the POST, and is kept nowhere."""
    here = officers_place(request, pk)
    by_code = request.POST.get("by") == "code"
    posted = request.POST if request.method == "POST" else None
    form, code_form = LookUpForm(None if by_code else posted), CodeForm(posted if by_code else None)
    found: list[dict[str, Any]] | None = None
    no: Refused | None = None
    try:
        round = round_of(here)
        polling.check_open_here(round, at=clock.now())
        asked = code_form if by_code else form
        if posted is not None and asked.is_valid():
            found = _found(request, here, round, asked)
    except Refused as refused:
        if refused.field is None:
            no = refused
        else:
            (code_form if by_code else form).add_error(refused.field, refused.reason)
    shown = [(one["who"].name, one["who"].birth_date, one["who"].district) for one in found or ()]
    alike = len(set(shown)) < len(shown)
    context = {"place": here, "form": form, "code_form": code_form, "found": found, "no": no, "alike": alike}
    return _page(request, "place", here, 422 if (form.errors or code_form.errors) else 200, **context)


@sensitive_variables()
def _found(request: HttpRequest, here: PollingPlace, round: Round, form: Any) -> list[dict[str, Any]]:
    limits.spend(request, "polling-look-up", most=LOOK_UPS, seconds=3600)
    if isinstance(form, CodeForm):
        candidates = [polling.by_code(form.cleaned_data["code"], round, at=clock.now())]
    else:
        candidates = polling.look_up(here, **form.cleaned_data)
    actions.log_look_up(place=here, found=len(candidates), by=request.user)
    signer = _signer(request, here)
    return [{"who": one, "token": signer.sign(str(one.person_id))} for one in candidates]


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def voter(request: HttpRequest, pk: int) -> HttpResponse:
    """The person before the table: may they vote here, and when not, why."""
    here = officers_place(request, pk)
    if request.method == "GET":
        return redirect("polling:place", pk=here.pk)
    try:
        round, person, token = round_of(here), *_person(request, here)
        return _voter_page(request, here, round, person, token, uuid4())
    except Refused as refused:
        return _page(request, "not_marked", here, 409, refused=refused)


@sensitive_variables()
def _voter_page(
    request: HttpRequest,
    here: PollingPlace,
    round: Round,
    person: Person,
    token: str,
    attempt: UUID,
    refused: Refused | None = None,
) -> HttpResponse:
    now, sheets = clock.now(), None
    verdict = polling.can_vote_here(person, here, round, at=now)
    if verdict:
        sheets = polling.sheets_for(round, polling.check_person(person, here, round, at=now))
    marked = Roll.objects.filter(round=round, person=person, place=here).first()
    context = {
        "who": polling.candidate_of(person.pk),
        "token": token,
        "attempt": attempt,
        "verdict": verdict,
        "sheets": sheets,
        "refused": refused,
        "marked": marked,
        "undo_form": UndoForm() if marked and round.state == Round.State.VOTING else None,
    }
    return _page(request, "voter", here, 422 if refused else 200, **context)


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """The mark. Sent again (a cut line, a double click, a reload) it tells of this same mark."""
    here = officers_place(request, pk)
    if request.method == "GET":
        return redirect("polling:place", pk=here.pk)
    try:
        attempt = _attempt(request)
        person, token = _person(request, here)
        round = here.round or round_of(here)
        marked = actions.mark_roll(
            place=here,
            round=round,
            person=person,
            attempt=attempt,
            by=request.user,
            pot=request.POST.get("pot"),
        )
    except Refused as refused:
        if refused.code == "pot":
            return _voter_page(request, here, round, person, token, attempt, refused)
        return _page(request, "not_marked", here, 409, refused=refused)
    pot = Roll.objects.filter(pk=marked.roll_id).values_list("pot", flat=True).first() or ""
    context = {
        "who": polling.candidate_of(person.pk),
        "marked": marked,
        "sheet": polling.sheet_name(round, pot),
        "undo_form": UndoForm() if round.state == Round.State.VOTING else None,
        "attempt": marked.roll_id,
    }
    return _page(request, "marked", here, **context)


@sensitive_variables()
@never_cache
@staff_only
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    here = officers_place(request, pk)
    form = UndoForm(request.POST)
    try:
        attempt = _attempt(request)
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        actions.undo_mark(place=here, attempt=attempt, reason=reason, by=request.user)
    except Refused as refused:
        return _page(
            request,
            "not_undone",
            here,
            409,
            refused=refused,
            undo_form=form,
            attempt=request.POST.get("attempt", "")[:36],
        )
    messages.success(
        request,
        _("The mark is taken back. The person can vote again; keep the ballot paper apart as cancelled."),
    )
    return redirect("polling:place", pk=here.pk)


@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Something happened here: told to everyone at once."""
    here = get_object_or_404(
        PollingPlace.objects.counted_by(request.user).for_pages().filter(process__status__in=PUBLIC), pk=pk
    )
    verdict = permissions.can_record_incident(request.user, here.process, here)
    initial = {"happened_at": timezone.localtime(clock.now())}
    form = IncidentForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_incident(process=here.process, by=request.user, place=here, **form.cleaned_data)
            messages.success(request, _("It is told. Everyone can read it on the page of the vote."))
            return redirect("polling:places")
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
    context = {"form": form, "verdict": verdict}
    return _page(request, "incident", here, 422 if form.errors else 200, **context)


def _page(
    request: HttpRequest, name: str, here: PollingPlace, status: int = 200, /, **context: Any
) -> HttpResponse:
    context |= {"place": here, "process": here.process}
    return no_store(render(request, f"budgets/polling/{name}.html", context, status=status))


def _signer(request: HttpRequest, here: PollingPlace) -> Signer:
    """Whom an officer found: nobody can ask for another person by their id, nor at another place."""
    return Signer(salt=f"budgets.polling:{here.pk}:{request.user.pk}")


@sensitive_variables()
def _person(request: HttpRequest, here: PollingPlace) -> tuple[Person, str]:
    token = request.POST.get("person", "")
    try:
        person = Person.objects.filter(pk=_signer(request, here).unsign(token)).first()
    except (BadSignature, ValueError):
        person = None
    if person is None:
        raise Refused("no_person", _("The page is no longer valid. Look the person up again."))
    return person, token


def _attempt(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("attempt", ""))
    except ValueError:
        raise Refused("no_attempt", _("The page is no longer valid. Look the person up again.")) from None
