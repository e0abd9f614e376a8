"""Assessing projects, following the vote in numbers only, sealing, counting, and the council's decision."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count as CountOf
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.permissions import Permission
from accounts.verdict import Verdict
from budgets import permissions, turnout, voting
from budgets.actions import counting, projects, rounds
from budgets.election import pots_of
from budgets.forms import pot_choices
from budgets.models import Alternative, Assessment, CitizenBudget, Count, DecidedBy, Project, Round
from budgets.results import in_kroner
from dkfds.fields import KronerField
from participation import clock, phases
from participation.admin.fields import DateInput, TimeInput, first_moment
from participation.admin.pages import ActPage, own_process, show
from participation.choices import Moderation

PER_PAGE = 50


class AssessForm(forms.Form):
    """The assessor's answers. Whether it is a matter for the municipality comes first: if not, nothing else matters."""

    use_required_attribute = False
    municipal_matter = forms.TypedChoiceField(
        label=_("Is it a matter for the municipality?"),
        choices=[("yes", _("Yes")), ("no", _("No"))],
        widget=forms.RadioSelect,
        coerce=lambda value: value == "yes",
        empty_value=None,
        required=False,
        help_text=_(
            "The unwritten rules of what a municipality may do (kommunalfuldmagten): it must serve those who live here, and be "
            "open to all of them alike. No money to a single person or a single firm, and no competing with business. What "
            "an act regulates follows that act. The rules are described by Ankestyrelsen, which supervises municipalities "
            "(ast.dk). In doubt, ask your lawyer."
        ),
    )
    assessment = forms.ChoiceField(
        label=_("Can it be done?"), choices=Assessment.choices, widget=forms.RadioSelect
    )
    price = KronerField(
        label=_("What does it cost?"),
        required=False,
        min_value=1,
        max_value=10**11,
        help_text=_("Needed when it can be done. This is the price on the ballot."),
    )
    least_price = KronerField(
        label=_("Can it be done for less? Then for how much at least?"),
        required=False,
        min_value=1,
        max_value=10**11,
        help_text=_(
            "When the money left isn't enough for all of it, the first project that can be done for what is left gets that. "
            "Empty: only for the whole price."
        ),
    )
    pot = forms.ChoiceField(label=_("Which pot does it belong to?"), widget=forms.RadioSelect, required=False)
    alternative = forms.CharField(
        label=_("Does it exclude others?"),
        max_length=120,
        required=False,
        help_text=_(
            "Write what they compete for, for instance “The square in front of the station”. Projects with the same words "
            "here exclude each other: at most one of them can win. Empty: it excludes none."
        ),
    )
    explanation = forms.CharField(
        label=_("Explanation"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Needed when it can't be done. The author and everyone else can read it."),
    )

    def __init__(
        self, *args: Any, budget: CitizenBudget, voted_on: bool, groups: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = pot_choices(budget)
        if len(choices) > 1 and not voted_on:
            self.fields["pot"].choices = choices
        else:
            del self.fields["pot"]
        if not budget.part_funding:
            del self.fields["least_price"]
        if groups:
            self.fields["alternative"].widget = SuggestedInput(groups)


class SuggestedInput(forms.TextInput):
    """A text with the words already in use to choose among."""

    def __init__(self, suggestions: list[str]) -> None:
        super().__init__()
        self.suggestions = suggestions

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        list_id = f"{(attrs or {}).get('id', name)}-list"
        field = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((one,) for one in self.suggestions))
        return format_html('{}<datalist id="{}">{}</datalist>', field, list_id, options)


@require_GET
def project_list(request: HttpRequest, pk: int) -> HttpResponse:
    process = own_process(request, pk, Permission.ASSESS)
    mine = Project.objects.filter(
        contribution__process=process, contribution__moderation=Moderation.PUBLISHED
    )
    state = request.GET.get("state", "")
    found = mine.filter(assessment=state) if state in Assessment.values else mine
    page = Paginator(
        found.select_related("contribution__home_district", "assessed_by", "pot", "alternative").order_by(
            "contribution__created_at", "pk"
        ),
        PER_PAGE,
    ).get_page(request.GET.get("page"))
    numbers = mine.aggregate(
        **{value: CountOf("pk", filter=Q(assessment=value)) for value in Assessment.values}
    )
    states = [(value, label, numbers[value]) for value, label in Assessment.choices]
    context = {"page": page, "state": state, "states": states}
    return show(request, "admin/budgets/projects.html", tab="projects", process=process, **context)


class Assess(ActPage):
    template_name = "admin/budgets/project.html"
    permission = Permission.ASSESS
    tab = "projects"
    title = _("Assess the project")
    form_class = AssessForm
    button = _("Save the assessment")
    done = _("Saved. The author is told.")
    back_to = "admin:budget-projects"

    @cached_property
    def project(self) -> Project:
        public_id: UUID = self.kwargs["public_id"]
        return get_object_or_404(
            Project.objects.for_pages().select_related(
                "contribution__process", "assessed_by", "pot", "alternative"
            ),
            contribution__public_id=public_id,
            contribution__process=self.process,
        )

    def verdict(self) -> Verdict:
        return permissions.can_assess(self.request.user, self.project)

    def form_kwargs(self) -> dict[str, Any]:
        project = self.project
        known = {True: "yes", False: "no", None: ""}
        groups = Alternative.objects.filter(process=self.process).values_list("title", flat=True)
        return {
            "budget": CitizenBudget.objects.get(process=self.process),
            "voted_on": bool(project.number),
            "groups": list(groups),
            "initial": {
                "municipal_matter": known[project.municipal_matter],
                "assessment": "" if project.assessment == Assessment.UNDECIDED else project.assessment,
                "price": _kroner(project.price),
                "least_price": _kroner(project.least_price),
                "pot": str(project.pot_id or ""),
                "alternative": project.alternative.title if project.alternative else "",
                "explanation": project.explanation,
            },
        }

    def context(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "contribution": self.project.contribution,
            "comments": self.project.contribution.internal_comments.select_related("by"),
        }

    def act(self, form: Any) -> None:
        projects.assess_project(project=self.project, by=self.request.user, **form.cleaned_data)


def _kroner(amount: Any) -> int | None:
    return int(amount) if amount is not None else None


@require_GET
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Numbers only: nobody sees how anyone votes, nor how it goes, before the ballots are sealed."""
    process = own_process(request, pk, Permission.COUNT_VOTES)
    known = list(
        Round.objects.for_voting()
        .filter(process=process)
        .select_related("phase", "count", "sealed_by", "process__citizenbudget__vote_rule")
        .annotate(voted=turnout.shown_voters())
        .order_by("-number")
    )
    lines = [round_line(request.user, one) for one in known]
    context = {
        "lines": lines,
        "tie_text": _("The count has stopped at a tie that only a public lot can decide."),
        "decide": permissions.can_decide_projects(request.user, process),
        "vote_phases": [
            {"label": phases.label(phase), "interval": phase.interval}
            for phase in process.phases.select_related("process")
            if phase.kind in {*voting.KINDS, permissions.MEETING}
        ],
        "by_meeting": process.citizenbudget.decided_by == DecidedBy.MEETING,
        "record_meeting": permissions.can_record_meeting(request.user, process),
    }
    return show(request, "admin/budgets/vote.html", tab="vote", process=process, **context)


def round_line(user: Any, one: Round) -> dict[str, Any]:
    count = getattr(one, "count", None)
    return {
        "round": one,
        "voted": one.voted,
        "channels": one.ballots_per_channel,
        "count": count,
        "tied": _tied(one, count),
        "pots": _of_pots(one, count),
        "seal": permissions.can_seal(user, one),
        "count_now": permissions.can_ask_for_count(user, one),
        "result_url": reverse("budgets:result-round", args=[one.process.slug, one.number]),
        "files": [
            {
                "url": reverse("budgets:votes-file-pot", args=[one.process.slug, one.number, file["pot"]])
                if file["pot"]
                else reverse("budgets:votes-file-round", args=[one.process.slug, one.number]),
                "name": file["name"],
            }
            for file in one.files
        ],
    }


def _tied(one: Round, count: Count | None) -> list[dict[str, Any]]:
    """The pots whose count waits for a lot."""
    if count is None or count.winners is not None:
        return []
    names = {pot.key: pot.name for pot in pots_of(one)}
    return [{"key": pot, "name": names.get(pot, pot)} for pot in counting.waiting_for_lots(count)]


def _of_pots(one: Round, count: Count | None) -> list[dict[str, Any]]:
    """Each pot in a line, once there are several and they have been counted."""
    if count is None or len(count.outcome["pots"]) < 2:
        return []
    names = {pot.key: pot.name for pot in pots_of(one)}
    return [
        {
            "name": names.get(part["pot"], part["pot"]),
            "winners": None if part["winners"] is None else len(part["winners"]),
            "spent": None if part.get("spent") is None else in_kroner(part["spent"]),
            "budget": in_kroner(part["budget"]),
            "waits_for": [names.get(pot, pot) for pot in part["waits_for"]],
        }
        for part in count.outcome["pots"]
    ]


class RoundPage(ActPage):
    permission = Permission.COUNT_VOTES
    tab = "vote"
    back_to = "admin:budget-vote"

    @cached_property
    def round(self) -> Round:
        return get_object_or_404(
            Round.objects.for_voting().select_related("count"),
            process=self.process,
            number=self.kwargs["number"],
        )


class Seal(RoundPage):
    title = _("Seal the ballots")
    lead = _(
        "The ballots are opened into a new list in random order, and everything that could tie them to the voters is "
        "emptied. It can't be undone."
    )
    button = _("Seal the ballots")
    done = _("Sealed. Now the votes can be counted.")

    def verdict(self) -> Verdict:
        return permissions.can_seal(self.request.user, self.round)

    def act(self, form: Any) -> None:
        rounds.seal_round(round=self.round, by=self.request.user)


class CountNow(RoundPage):
    title = _("Count the votes")
    lead = _("Counted by the rule that was published before voting. The result is public at once.")
    button = _("Count the votes")
    done = _("Counted.")

    def verdict(self) -> Verdict:
        return permissions.can_ask_for_count(self.request.user, self.round)

    def act(self, form: Any) -> None:
        if counting.ask_for_count(round=self.round, by=self.request.user) is None:
            self.done = _("The votes are being counted. Look here again in a minute or two.")


class LotForm(forms.Form):
    """The tied projects in the order they were drawn, first drawn first."""

    use_required_attribute = False
    drawn_on = forms.DateField(label=_("When was it drawn?"), widget=DateInput())
    drawn_hour = forms.TimeField(label=_("At what time?"), widget=TimeInput())
    how = forms.CharField(
        label=_("How was it drawn?"), max_length=300, help_text=_("For instance notes from a bag.")
    )
    witnesses = forms.CharField(label=_("Who saw it?"), max_length=300)

    def __init__(self, *args: Any, tied: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = [f"place_{place}" for place in range(1, len(tied) + 1)]
        for place, name in enumerate(self.places, start=1):
            self.fields[name] = forms.ChoiceField(
                label=_("Drawn as number %(place)s") % {"place": place},
                choices=[("", _("Choose a project")), *tied],
            )
        self.order_fields([*self.places, "drawn_on", "drawn_hour", "how", "witnesses"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        order = [data[name] for name in self.places if data.get(name)]
        if len(order) == len(self.places) and len(set(order)) != len(order):
            self.add_error(self.places[-1], _("Each project is drawn once."))
        data["order"] = order
        return data


class RecordLot(RoundPage):
    """The lot of one pot; the address names it where there are several."""

    lead = _(
        "These projects have the same number of votes and cost the same. Draw between them in public, then write the order here."
    )
    button = _("Record the lot and count on")
    done = _("Recorded, and counted on.")

    @cached_property
    def pot(self) -> str:
        pot: str = self.kwargs.get("pot", "")
        if pot not in {each.key for each in pots_of(self.round)}:
            raise Http404
        return pot

    @property
    def title(self) -> str:  # type: ignore[override]
        name = next(each.name for each in pots_of(self.round) if each.key == self.pot)
        return _("Record the lot in %(pot)s") % {"pot": name} if name else _("Record the lot")

    def verdict(self) -> Verdict:
        return permissions.can_record_lot(self.request.user, self.round, self.pot)

    def form(self, data: Any = None) -> LotForm:
        count = getattr(self.round, "count", None)
        waiting = counting.waiting_for_lots(count) if count is not None and count.winners is None else {}
        numbers = waiting.get(self.pot, [])
        titles = dict(self.round.ballot_projects.filter(number__in=numbers).values_list("number", "title"))
        tied = [(number, f"{number}: {titles.get(number, '')}") for number in numbers]
        local = timezone.localtime(clock.now())
        return LotForm(data, tied=tied, initial={"drawn_on": local.date()})

    def act(self, form: Any) -> None:
        data = form.cleaned_data
        counting.record_lot(
            round=self.round,
            by=self.request.user,
            pot=self.pot,
            order=data["order"],
            drawn_at=first_moment(data["drawn_on"], data["drawn_hour"]),
            how=data["how"],
            witnesses=data["witnesses"],
        )


class CouncilForm(forms.Form):
    """One line per project on the ballot: does it get the money, and why where that differs from the vote."""

    use_required_attribute = False

    def __init__(self, *args: Any, lines: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        for line in lines:
            number = line["project"].number
            decided = line["decision"]
            self.fields[f"funded_{number}"] = forms.BooleanField(
                label=_("Gets the money"),
                required=False,
                initial=decided.funded if decided else line["won"],
            )
            self.fields[f"amount_{number}"] = KronerField(
                label=_("Amount"),
                required=False,
                min_value=0,
                max_value=10**11,
                initial=int(decided.amount) if decided and decided.amount is not None else line["price"],
            )
            self.fields[f"reason_{number}"] = forms.CharField(
                label=_("Why, if it differs from the vote"),
                required=False,
                initial=decided.reason if decided else "",
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """What the template draws: the project with its three fields."""
        return [
            line | {name: self[f"{name}_{line['project'].number}"] for name in ("funded", "amount", "reason")}
            for line in self.lines
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for line in self.lines:
            number = line["project"].number
            if data.get(f"funded_{number}") != line["won"] and not data.get(f"reason_{number}", "").strip():
                self.add_error(
                    f"reason_{number}", _("Say why it differs from the vote. The reason is public.")
                )
        return data

    def decisions(self) -> list[dict[str, Any]]:
        data = self.cleaned_data
        return [
            {
                "project": number,
                "funded": data[f"funded_{number}"],
                "amount": data[f"amount_{number}"] if data[f"funded_{number}"] else None,
                "reason": data[f"reason_{number}"],
            }
            for number in (line["project"].number for line in self.lines)
        ]


class CouncilDecides(ActPage):
    template_name = "admin/budgets/decide.html"
    permission = Permission.RECORD_DECISION
    tab = "vote"
    title = _("The council's decision, project by project")
    lead = _("The vote is filled in. Where the council decided otherwise, say why: everyone can read it.")
    button = _("Record the decision")
    done = _("Recorded. It is on the result page.")
    back_to = "admin:budget-vote"

    def verdict(self) -> Verdict:
        return permissions.can_decide_projects(self.request.user, self.process)

    def form(self, data: Any = None) -> CouncilForm:
        return CouncilForm(data, lines=self.lines)

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        counted = (
            Round.objects.filter(process=self.process, state=Round.State.COUNTED)
            .exclude(kind=Round.Kind.SHORTLIST)
            .select_related("count")
            .order_by("-number")
            .first()
        )
        if counted is None:
            return []
        winners = set(counted.count.winners or ())
        given = counting.granted(counted.count)
        return [
            {
                "project": project,
                "won": project.number in winners,
                "decision": getattr(project, "decision", None),
                "price": _kroner(given.get(project.number, project.ballot_price)),
            }
            for project in Project.objects.in_round(counted).select_related("contribution", "decision")
        ]

    def act(self, form: Any) -> None:
        counting.decide_projects(process=self.process, by=self.request.user, decisions=form.decisions())
