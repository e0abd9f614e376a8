"""Counting the papers of a polling place: bundles, two readings and a third look, and the account that two people sign.

Nobody sees another's reading before both have finished, and nobody enters anything before voting has closed everywhere.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.decorators import staff_only
from accounts.permissions import Permission
from accounts.verdict import Refused
from budgets import actions, ballots, paper, permissions, polling, reconciliation
from budgets.models import BallotProject, BallotType, Bundle, PaperEntry, PollingPlace, Reading, Round
from budgets.views import no_store
from participation.choices import PUBLIC


class EntryForm(forms.Form):
    use_required_attribute = False
    position = forms.IntegerField(
        label=gettext_lazy("Paper number"),
        min_value=1,
        max_value=paper.MOST_IN_BUNDLE,
        help_text=gettext_lazy("The number you have written on the paper."),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": "input-char-5"}
        ),
    )
    typed = forms.CharField(
        label=gettext_lazy("What is chosen on it?"),
        max_length=paper.LONGEST_TYPED,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}),
    )

    def __init__(self, *args: Any, with_points: bool, no_paper: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed"].required = not no_paper
        self.fields["typed"].help_text = (
            _("Numbers and points, for example 3:2 7:1. Not valid: 0 blank, u unclear, n name or mark.")
            if with_points
            else _("The numbers, for example 3 7 12. Not valid: 0 blank, u unclear, n name or mark.")
        )


class AccountForm(forms.Form):
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model = reconciliation.PlaceAccount
        for name in actions.paper.NUMBERS:
            field = model._meta.get_field(name)
            self.fields[name] = forms.IntegerField(
                label=str(field.verbose_name).capitalize(),
                help_text=field.help_text,
                min_value=0,
                max_value=actions.paper.MOST_PAPERS,
                widget=forms.TextInput(
                    attrs={"inputmode": "numeric", "autocomplete": "off", "class": "input-char-5"}
                ),
            )
        self.fields["unmarked_reason"] = forms.CharField(
            label=_("How did papers come into the box without a mark?"),
            required=False,
            max_length=1000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Only when the number above isn't 0. Everyone can read it."),
        )


def counted_place(request: HttpRequest, pk: int) -> PollingPlace:
    """The place, for its officers and the unit's caseworkers; nobody else is told that it exists."""
    return get_object_or_404(
        PollingPlace.objects.counted_by(request.user)
        .for_pages()
        .select_related("account__first_signed_by", "account__second_signed_by")
        .filter(process__status__in=PUBLIC),
        pk=pk,
    )


@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def bundles(request: HttpRequest, pk: int) -> HttpResponse:
    here = counted_place(request, pk)
    round = here.round
    if request.method == "POST":
        try:
            made = actions.new_bundle(place=here, by=request.user, pot=request.POST.get("pot", ""))
            return redirect("polling:bundle", pk=here.pk, number=made.number)
        except Refused as refused:
            messages.error(request, refused.reason)
            return redirect("polling:bundles", pk=here.pk)
    sheets = polling.sheets_of(round) if round else []
    context = {
        "rows": [_bundle_row(state, request.user, dict(sheets)) for state in paper.bundles_of(here)],
        "sheets": sheets,
        "may_enter": permissions.can_enter_paper(request.user, here, round),
        "round": round,
    }
    return _page(request, "bundles", here, **context)


def _bundle_row(state: paper.BundleState, user: Any, sheets: dict[str, str]) -> dict[str, Any]:
    """Who reads what; numbers only of readings that can be seen."""
    mine = next((one for one in state.readings.values() if one.by_id == user.pk), None)
    compared = state.compared
    return {
        "bundle": state.bundle,
        "sheet": sheets.get(state.bundle.pot, ""),
        "readings": [
            {"label": role.label, "reading": state.readings.get(role.value)}
            for role in list(Reading.Role)[:2]
        ],
        "third": state.readings.get(Reading.Role.THIRD),
        "stuck": [
            one
            for one in state.readings.values()
            if not one.finished and one.by_id != user.pk and user.may(Permission.COUNT_VOTES)
        ],
        "mine": mine,
        "words": state.words,
        "papers": len(compared.papers) if compared and not compared.open else None,
        "differences": len(compared.differences) if compared else None,
        "open": len(compared.open) if compared else 0,
        "can_take": mine is None and _free_part(state),
    }


def _free_part(state: paper.BundleState) -> bool:
    if len(state.readings) < 2:
        return True
    return bool(state.compared and state.compared.open and Reading.Role.THIRD not in state.readings)


@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def bundle(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One's own part of a bundle. A GET shows; taking the part, entering, and finishing are POSTs."""
    here = counted_place(request, pk)
    found = get_object_or_404(Bundle.objects.select_related("place"), place=here, number=number)
    reading = Reading.objects.filter(bundle=found, by=request.user).first()
    step = request.POST.get("step", "")
    round = here.round
    if round is None:
        raise Http404
    form = _entry_form(round, reading)
    if request.method == "POST":
        try:
            if step == "begin":
                actions.begin_reading(bundle=found, by=request.user)
                return redirect("polling:bundle", pk=here.pk, number=number)
            if step == "remove_bundle":
                actions.remove_bundle(bundle=found, by=request.user, reason=request.POST.get("reason", ""))
                messages.success(request, _("Bundle %(number)s is removed.") % {"number": number})
                return redirect("polling:bundles", pk=here.pk)
            if step == "give_up":
                role = request.POST.get("role", "")
                given_up = reading if not role else found.readings.filter(role=role).first()
                if given_up is not None:
                    actions.give_up_reading(reading=given_up, by=request.user)
                messages.success(request, _("The reading is given up. Somebody else can take it."))
                return redirect("polling:bundles", pk=here.pk)
            if reading is None:
                raise Refused("no_part", _("Take a part of the bundle first."))
            if step == "finish":
                actions.finish_reading(reading=reading, by=request.user)
                messages.success(request, _("You are finished with bundle %(number)s.") % {"number": number})
                return redirect("polling:bundles", pk=here.pk)
            if step == "remove":
                actions.remove_entry(
                    reading=reading, by=request.user, position=_whole(request.POST.get("position", ""))
                )
                return redirect("polling:bundle", pk=here.pk, number=number)
            form = _entry_form(round, reading, request.POST)
            if form.is_valid():
                data = form.cleaned_data
                no_paper = step == "no_paper"
                again = reading.entries.filter(position=data["position"]).exists()
                entry = actions.enter_paper(
                    reading=reading,
                    by=request.user,
                    position=data["position"],
                    typed="" if no_paper else data["typed"],
                    spoiled=PaperEntry.Spoiled.NO_PAPER if no_paper else "",
                )
                if again and reading.role != Reading.Role.THIRD:
                    messages.warning(
                        request,
                        _("Paper %(position)s was entered before. What you typed now counts instead.")
                        % {"position": entry.position},
                    )
                if entry.spoiled:
                    messages.warning(
                        request,
                        _("Paper %(position)s is noted as not valid: %(why)s.")
                        % {"position": entry.position, "why": entry.get_spoiled_display().lower()},
                    )
                return redirect("polling:bundle", pk=here.pk, number=number)
        except Refused as refused:
            if refused.field in form.fields and form.is_bound:
                form.add_error(refused.field, refused.reason)
            else:
                messages.error(request, refused.reason)
                return redirect("polling:bundle", pk=here.pk, number=number)
    return _bundle_page(request, here, found, reading, round, form)


def _bundle_page(
    request: HttpRequest,
    here: PollingPlace,
    found: Bundle,
    reading: Reading | None,
    round: Round,
    form: EntryForm,
) -> HttpResponse:
    state = next(one for one in paper.bundles_of(here) if one.bundle.pk == found.pk)
    third = reading is not None and reading.role == Reading.Role.THIRD
    entries = list(reading.entries.order_by("-position")) if reading else []
    differences = list(state.compared.differences) if state.compared else []
    context = {
        "bundle": found,
        "sheet": dict(polling.sheets_of(round)).get(found.pot, ""),
        "reading": reading,
        "third": third,
        "form": form,
        "entries": [] if third else entries,
        "differences": [_difference_row(one, round) for one in differences] if third else [],
        "is_open": bool(state.compared and state.compared.open),
        "found": len(differences),
        "agree": state.compared is not None and not differences,
        "can_take": reading is None and _free_part(state),
        "begun": bool(state.readings),
        "may_enter": permissions.can_enter_paper(request.user, here, round),
        "projects": BallotProject.objects.in_order().filter(round=round),
    }
    return _page(request, "bundle", here, 422 if form.errors else 200, **context)


def _difference_row(one: paper.Difference, round: Round) -> dict[str, Any]:
    return {
        "position": one.position,
        "first": _as_words(one.first),
        "second": _as_words(one.second),
        "settled": _as_words(one.settled) if one.settled else "",
    }


def _as_words(entry: PaperEntry | None) -> str:
    if entry is None:
        return _("no paper with this number")
    if entry.spoiled:
        return str(entry.get_spoiled_display())
    return paper.as_typed(entry.choices, with_points=any(points != 1 for _number, points in entry.choices))


def _entry_form(round: Round, reading: Reading | None, data: Any = None) -> EntryForm:
    with_points = ballots.round_paper(round).ballot_type == BallotType.CUMULATIVE
    initial = {}
    if reading is not None and reading.role != Reading.Role.THIRD:
        last = reading.entries.order_by("-position").values_list("position", flat=True).first()
        initial["position"] = (last or 0) + 1
    elif reading is not None:
        compared = paper.compare(Reading.objects.filter(bundle=reading.bundle).prefetch_related("entries"))
        if compared is not None and compared.open:
            initial["position"] = compared.open[0].position
    no_paper = data is not None and data.get("step") == "no_paper"
    return EntryForm(data, with_points=with_points, no_paper=no_paper, initial=initial)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


@never_cache
@staff_only
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """Do the numbers add up? Filled in, signed by two, opened again with a reason."""
    here = counted_place(request, pk)
    round = here.round
    if round is None or round.state in {Round.State.VOTING, Round.State.DROPPED}:
        return _page(request, "account", here, sums=None, round=round)
    form = AccountForm(initial=_account_initial(here))
    step = request.POST.get("step", "")
    if request.method == "POST":
        try:
            if step == "sign":
                actions.sign_account(place=here, by=request.user)
                messages.success(request, _("You have signed the account."))
            elif step == "reopen":
                actions.reopen_account(place=here, by=request.user, reason=request.POST.get("reason", ""))
                messages.success(request, _("The account is open again. The reason is public."))
            else:
                form = AccountForm(request.POST)
                if not form.is_valid():
                    return _account_page(request, here, round, form)
                reason = form.cleaned_data.pop("unmarked_reason")
                actions.save_account(
                    place=here, by=request.user, numbers=form.cleaned_data, unmarked_reason=reason
                )
                messages.success(request, _("Saved. Look below whether the numbers add up."))
            return redirect("polling:account", pk=here.pk)
        except Refused as refused:
            if form.is_bound and refused.field in form.fields:
                form.add_error(refused.field, refused.reason)
                return _account_page(request, here, round, form)
            messages.error(request, refused.reason)
            return redirect("polling:account", pk=here.pk)
    return _account_page(request, here, round, form)


def _account_initial(here: PollingPlace) -> dict[str, Any]:
    stored = reconciliation.account_of(here)
    return {name: getattr(stored, name) for name in (*actions.paper.NUMBERS, "unmarked_reason")}


def _account_page(request: HttpRequest, here: PollingPlace, round: Round, form: AccountForm) -> HttpResponse:
    sums, channels = reconciliation.place_sums(here, round), reconciliation.channel_sums(round)
    context = {
        "round": round,
        "form": form,
        "sums": sums,
        "channels": channels,
        "problems": reconciliation.in_the_way(sums, channels),
        "may_enter": permissions.can_enter_paper(request.user, here, round),
        "may_sign": reconciliation.can_sign(request.user, here, round),
        "may_reopen": reconciliation.can_reopen(request.user, here, round),
    }
    return _page(request, "account", here, 422 if form.errors else 200, **context)


def _page(
    request: HttpRequest, name: str, here: PollingPlace, status: int = 200, /, **context: Any
) -> HttpResponse:
    context |= {"place": here, "process": here.process}
    return no_store(render(request, f"budgets/polling/{name}.html", context, status=status))
