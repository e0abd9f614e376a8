"""The caseworker's side of the polling places: where they are, who stands there, the printed ballot, what happened."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.models import District, User
from accounts.permissions import Permission, Role
from accounts.verdict import Verdict
from budgets import ballot_print, permissions, polling, reconciliation
from budgets.actions import paper as paper_actions
from budgets.actions import polling as actions
from budgets.models import Incident, PaperOrder, PollingPlace, Round
from participation import clock
from participation.admin.fields import DateInput, TimeInput, first_moment
from participation.admin.pages import ActPage, own_process, show
from participation.printing import pdf_response

KINDS = [choice for choice in Round.Kind.choices if choice[0] != Round.Kind.MEETING]


def kinds_of(process: Any) -> list[tuple[str, Any]]:
    """The votes that this budget has: one, or a first round too."""
    if process.citizenbudget.shortlist_size is None:
        return [choice for choice in KINDS if choice[0] == Round.Kind.FINAL]
    return KINDS


@require_GET
def places(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk, Permission.COUNT_VOTES)
    rounds = {one.kind: one for one in Round.objects.for_voting().filter(process=process)}
    found = (
        PollingPlace.objects.filter(process=process)
        .select_related("district", "account")
        .prefetch_related("officers")
    )
    rows = []
    for place in found:
        round = rounds.get(place.round_kind)
        opened = round is not None and round.state not in {Round.State.VOTING, Round.State.DROPPED}
        sums = reconciliation.place_sums(place, round) if round is not None and opened else None
        rows.append({"place": place, "round": round, "sums": sums})
    context = {
        "rows": rows,
        "may_set_up": permissions.can_set_up_places(request.user, process),
        "may_tell": permissions.can_record_incident(request.user, process),
        "papers": [
            {
                "kind": kind,
                "label": label,
                "order": ballot_print.order_of(process, kind),
                "sheets": ballot_print.sheets(process, kind),
                "opened": kind in rounds,
            }
            for kind, label in kinds_of(process)
        ],
        "two_rounds": len(kinds_of(process)) > 1,
        "incidents": polling.incidents_of(process),
    }
    return show(request, "admin/budgets/places.html", tab="places", process=process, **context)


class PlaceForm(forms.Form):
    use_required_attribute = False
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As people call it: Lunde Library."))
    address = forms.CharField(label=_("Address"), max_length=200)
    opening_hours = forms.CharField(
        label=_("Opening hours"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    access = forms.CharField(
        label=_("How one gets in"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Step-free way in, parking, the nearest bus, help to see or to write."),
    )
    district = forms.ModelChoiceField(
        label=_("For whom"),
        queryset=District.objects.none(),
        required=False,
        empty_label=_("Everyone who may vote"),
    )
    round_kind = forms.ChoiceField(label=_("In which vote"), choices=KINDS)
    officers = forms.ModelMultipleChoiceField(
        label=_("Polling officers"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Two or more, so that two can read the ballots. Who is missing is made by an administrator."
        ),
    )

    def __init__(self, *args: Any, kinds: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["district"].queryset = District.objects.of_home().order_by("name")  # type: ignore[attr-defined]
        self.fields["officers"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            role=Role.POLLING_OFFICER, is_active=True
        ).order_by("first_name", "last_name")
        if len(kinds) == 1:
            self.fields["round_kind"].widget = forms.HiddenInput()
            self.fields["round_kind"].initial = kinds[0][0]
        self.fields["round_kind"].choices = kinds  # type: ignore[attr-defined]


class NewPlace(ActPage):
    tab = "places"
    title = _("A polling place")
    lead = _("Where people vote on paper. It is public at once.")
    done = _("Saved.")
    back_to = "admin:budget-places"

    @cached_property
    def place(self) -> PollingPlace | None:
        return None

    def verdict(self) -> Verdict:
        return permissions.can_set_up_places(self.request.user, self.process)

    def form(self, data: Any = None) -> PlaceForm:
        place, initial = self.place, {}
        if place is not None:
            names = ("name", "address", "opening_hours", "access", "district", "round_kind")
            initial = {name: getattr(place, name) for name in names}
            initial["officers"] = list(place.officers.all())
        return PlaceForm(data, kinds=kinds_of(self.process), initial=initial)

    def act(self, form: Any) -> None:
        actions.save_place(process=self.process, by=self.request.user, place=self.place, **form.cleaned_data)


class ChangePlace(NewPlace):
    @cached_property
    def place(self) -> PollingPlace:
        return get_object_or_404(PollingPlace, process=self.process, pk=self.kwargs["place"])


class RemovePlace(ChangePlace):
    title = _("Remove the polling place")
    lead = _("Only as long as nobody has voted there.")
    button = _("Remove it")
    done = _("Removed.")

    def form(self, data: Any = None) -> Any:
        return forms.Form(data)

    def context(self) -> dict[str, Any]:
        return {"quoted": f"{self.place.name}, {self.place.address}"}

    def act(self, form: Any) -> None:
        actions.remove_place(place=self.place, by=self.request.user)


class OrderForm(forms.Form):
    use_required_attribute = False
    kind = forms.ChoiceField(
        label=_("In which order do the projects stand on the paper?"),
        choices=PaperOrder.Kind.choices,
        widget=forms.RadioSelect,
    )
    seed = forms.CharField(
        label=_("What was drawn, for a lot"),
        required=False,
        max_length=64,
        help_text=_(
            "A number drawn in public, for instance with dice. Leave it empty, and one is drawn here. The order follows from "
            "it, and anyone can work it out again."
        ),
    )


class ChooseOrder(ActPage):
    tab = "places"
    title = _("The order on the printed ballot")
    form_class = OrderForm
    done = _("Saved.")
    back_to = "admin:budget-places"

    @property
    def round_kind(self) -> str:
        kind = self.kwargs["kind"]
        if kind not in {key for key, _label in kinds_of(self.process)}:
            raise Http404
        return str(kind)

    def verdict(self) -> Verdict:
        verdict = permissions.can_set_up_places(self.request.user, self.process)
        if verdict and Round.objects.filter(process=self.process, kind=self.round_kind).exists():
            return Verdict(
                False, str(_("Voting has opened, so the printed ballot stays as it is.")), "opened"
            )
        return verdict

    def form_kwargs(self) -> dict[str, Any]:
        order = ballot_print.order_of(self.process, self.round_kind)
        kind = order.kind if order else PaperOrder.Kind.NUMBER
        return {"initial": {"kind": kind, "seed": order.seed if order else ""}}

    def act(self, form: Any) -> None:
        paper_actions.choose_order(
            process=self.process, by=self.request.user, round_kind=self.round_kind, **form.cleaned_data
        )


@require_GET
def ballot_pdf(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """?pulje= which paper, ?stor=1 in large print, ?proeve=1 stamped as a test."""
    process = own_process(request, pk, Permission.SET_UP_PROCESS)
    if kind not in {key for key, _label in kinds_of(process)}:
        raise Http404
    asked = request.GET.get("pulje", "")
    sheet = next((one for one in ballot_print.sheets(process, kind) if one.key == asked), None)
    if sheet is None or not sheet.projects:
        raise Http404
    large, test = "stor" in request.GET, "proeve" in request.GET
    content = ballot_print.printed(sheet, ballot_print.order_of(process, kind), large=large, test=test)
    name = "-".join(
        part
        for part in (
            "stemmeseddel",
            process.slug,
            sheet.key,
            "stor" if large else "",
            "proeve" if test else "",
        )
        if part
    )
    return pdf_response(content, f"{name}.pdf")


class StaffIncidentForm(forms.Form):
    use_required_attribute = False
    place = forms.ModelChoiceField(
        label=_("Where"),
        queryset=PollingPlace.objects.none(),
        required=False,
        empty_label=_("The whole vote"),
    )
    day = forms.DateField(label=_("On which day"), widget=DateInput())
    hour = forms.TimeField(label=_("At what time"), widget=TimeInput())
    text = forms.CharField(
        label=_("What happened?"),
        max_length=actions.INCIDENT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "Everyone can read it at once. Write no names, and nothing that tells who somebody is or what they voted. It "
            "can't be edited afterwards, only corrected by a new line."
        ),
    )

    def __init__(self, *args: Any, process: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = PollingPlace.objects.filter(process=process)  # type: ignore[attr-defined]


class RecordIncident(ActPage):
    permission = Permission.COUNT_VOTES
    tab = "places"
    title = _("Tell of an incident")
    lead = _("What went otherwise than it should, told at once and in plain words, keeps trust in the vote.")
    button = _("Tell everyone")
    done = _("It is told. Everyone can read it on the page of the vote.")
    back_to = "admin:budget-places"

    @cached_property
    def corrects(self) -> Incident | None:
        asked = self.kwargs.get("incident")
        return get_object_or_404(Incident, process=self.process, pk=asked, corrects=None) if asked else None

    def verdict(self) -> Verdict:
        return permissions.can_record_incident(self.request.user, self.process)

    def form(self, data: Any = None) -> StaffIncidentForm:
        local = timezone.localtime(clock.now())
        initial = {"day": local.date(), "hour": local.time(), "place": self.corrects and self.corrects.place}
        return StaffIncidentForm(data, process=self.process, initial=initial)

    def context(self) -> dict[str, Any]:
        return {"quoted": self.corrects.text if self.corrects else ""}

    def act(self, form: Any) -> None:
        data = form.cleaned_data
        actions.record_incident(
            process=self.process,
            by=self.request.user,
            place=data["place"],
            happened_at=first_moment(data["day"], data["hour"]),
            text=data["text"],
            corrects=self.corrects,
        )
