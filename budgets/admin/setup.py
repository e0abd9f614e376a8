"""The rules of the money and the vote, as one part of the set-up form."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import District, EligibilityRule
from budgets.forms import pot_choices
from budgets.models import BallotType, CitizenBudget, CountingRule, DecidedBy, DistrictVote, Leftover
from dkfds.fields import KronerField
from participation.admin.fields import DateInput
from participation.admin.rows import MAX_ROWS, RowForm, RowSet
from participation.models import Process

DEFAULT_CHOICES = 3
ONE, SEVERAL = "one", "several"
EVERYWHERE = "all"
MORE = (
    "min_choices",
    "points",
    "min_votes",
    "part_funding",
    "adjust_days",
    "publish_ballots_from",
    "winners_carry_out",
    "class_age_from",
    "class_age_to",
)


class StartBudgetForm(forms.Form):
    """The little a draft needs: how much money there is. Everything else has a default."""

    use_required_attribute = False
    total = KronerField(label=_("How much money is there?"), min_value=1, max_value=10**11)

    def detail(self) -> dict[str, Any]:
        return {"total": self.cleaned_data["total"], "max_choices": DEFAULT_CHOICES}


class PotForm(RowForm):
    """One pot: whose it is and what is in it."""

    needed = ("district", "total")
    district = forms.ChoiceField(label=_("For whom?"))
    name = forms.CharField(
        label=_("What is it called?"), max_length=80, help_text=_("Empty: the name of the district.")
    )
    total = KronerField(label=_("How much is in it?"), min_value=1, max_value=10**11)

    def __init__(self, *args: Any, districts: list[District], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["district"].choices = [
            ("", _("Choose")),
            (EVERYWHERE, _("The whole municipality")),
            *((str(district.pk), district.name_and_kind) for district in districts),
        ]

    def row(self) -> dict[str, Any]:
        data = self.cleaned_data
        everywhere = data["district"] == EVERYWHERE
        return {
            "district": None if everywhere else int(data["district"]),
            "name": data["name"] or (str(_("The whole municipality")) if everywhere else ""),
            "total": data["total"],
        }


class PotRows(RowSet):
    row_form, extra_rows = PotForm, 3
    key, title, one = "pots", _("The pots"), _("Pot")
    hint = _(
        "Together they hold all the money. One for the whole municipality at most, and one for each district."
    )

    @staticmethod
    def initial_rows(budget: CitizenBudget) -> list[dict[str, Any]]:
        return [
            {
                "district": str(pot.district_id or EVERYWHERE),
                "name": pot.name,
                "total": int(pot.total) if pot.total == int(pot.total) else pot.total,
            }
            for pot in budget.pots.all()
        ]


class RulesForm(forms.ModelForm):
    """The action checks how the rules fit together and says which field to mend. What stands behind a plain choice (one
    pot, one round, a vote) counts only when it is chosen."""

    use_required_attribute = False

    several_pots = forms.ChoiceField(
        label=_("One pot or several?"),
        choices=[
            (ONE, _("One pot for all the money")),
            (SEVERAL, _("Several pots: for the whole municipality and for districts")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    decided_by = forms.ChoiceField(
        label=_("Who chooses the projects?"), choices=DecidedBy.choices, widget=forms.RadioSelect
    )
    rounds = forms.ChoiceField(
        label=_("One round or two?"),
        choices=[
            (ONE, _("One round")),
            (SEVERAL, _("Two rounds: some go on from the first, and may be improved before the last")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    district_vote = forms.ChoiceField(
        label=_("Which district's pot does one vote in?"),
        choices=DistrictVote.choices,
        widget=forms.RadioSelect,
    )
    leftover = forms.ChoiceField(
        label=_("What becomes of money that a district's pot doesn't use?"),
        choices=Leftover.choices,
        widget=forms.RadioSelect,
    )

    total = KronerField(label=_("How much money is there?"), min_value=1, max_value=10**11)
    min_cost = KronerField(
        label=_("The smallest project may cost"), required=False, min_value=0, max_value=10**11
    )
    max_cost = KronerField(
        label=_("The largest project may cost"),
        required=False,
        min_value=1,
        max_value=10**11,
        help_text=_("Leave room for more than one project. Empty: all the money."),
    )
    ballot_type = forms.ChoiceField(
        label=_("How do people vote?"),
        choices=[choice for choice in BallotType.choices if choice[0] != BallotType.ORDINAL],
        widget=forms.RadioSelect,
    )
    counting_rule = forms.ChoiceField(
        label=_("How are the votes counted?"),
        choices=CountingRule.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "Explained to everyone before voting opens. A tie goes to the cheaper project, then to a public lot."
        ),
    )

    class Meta:
        model = CitizenBudget
        fields = [
            "total", "min_cost", "max_cost", "ballot_type", "max_choices", "min_choices", "points",
            "counting_rule", "min_votes", "adjust_days", "publish_ballots_from", "winners_carry_out",
            "decided_by", "procedure", "shortlist_size", "shortlist_choices", "district_vote", "leftover",
            "part_funding", "class_age_from", "class_age_to",
        ]  # fmt: skip
        widgets = {"procedure": forms.Textarea(attrs={"rows": 5})}
        labels = {
            "max_choices": _("A voter may choose at most"),
            "min_choices": _("A voter must choose at least"),
            "points": _("Points each voter has"),
            "min_votes": _("Fewest votes a project must have to win"),
            "adjust_days": _("Days to adjust a project after its assessment"),
            "publish_ballots_from": _("Ballots are published when there are at least"),
            "winners_carry_out": _("The winners carry their project out themselves"),
            "procedure": _("How does the meeting share the money out?"),
            "shortlist_size": _("How many projects go on from the first round?"),
            "shortlist_choices": _("In the first round a voter may choose at most"),
            "part_funding": _("The first project that there isn't money enough for may get what is left"),
            "class_age_from": _("Vote in class: from which age?"),
            "class_age_to": _("Vote in class: to which age?"),
        }
        help_texts = {
            "points": _("Only when people give points."),
            "max_choices": _("Number of projects."),
            "min_votes": _(
                "Fewest points, where people give points. With 0 a project that nobody chose can win, if there is money left."
            ),
            "publish_ballots_from": _(
                "With fewer ballots only totals are shown, so that nobody can be recognised."
            ),
            "procedure": _(
                "Who may come, how one is heard, and how it is decided. It is public from the beginning and can't be "
                "changed while it runs."
            ),
            "shortlist_size": _(
                "In each pot, where there are several. If some stand equal for the last place, all of them go on."
            ),
            "shortlist_choices": _("Empty: as many as in the last round."),
            "part_funding": _(
                "Only a project that can be done for less, and where the assessment says for how much at least."
            ),
            "class_age_from": _(
                "Empty when nobody does. Those of these ages vote with a code from their school, and neither with MitID nor "
                "at a polling place. Say above on which day the age counts."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("min_choices", "min_votes", "adjust_days", "publish_ballots_from"):
            self.fields[name].required = False
        budget = self.instance
        self.initial["several_pots"] = SEVERAL if budget.pots.exists() else ONE
        self.initial["rounds"] = ONE if budget.shortlist_size is None else SEVERAL
        for name in ("total", "min_cost", "max_cost"):
            if (value := self.initial.get(name)) is not None and value == int(value):
                self.initial[name] = int(value)

    def _post_clean(self) -> None:
        """The rules are checked together by the action; here only what was typed."""

    def clean(self) -> dict[str, Any]:
        """What was not chosen doesn't count, whatever stands in its fields."""
        data = super().clean() or {}
        if data.get("rounds") != SEVERAL or data.get("decided_by") == DecidedBy.MEETING:
            data["shortlist_size"] = data["shortlist_choices"] = None
        elif data.get("shortlist_size") is None and "shortlist_size" not in self.errors:
            self.add_error("shortlist_size", _("Write how many projects go on from the first round."))
        if data.get("decided_by") == DecidedBy.VOTE:
            data["procedure"] = ""
        if data.get("several_pots") != SEVERAL:
            data["district_vote"], data["leftover"] = DistrictVote.HOME, Leftover.STAYS
        return data

    @property
    def rules(self) -> dict[str, Any]:
        """The fields of the budget, without the choices that only open a part of the form."""
        return {name: value for name, value in self.cleaned_data.items() if name in self._meta.fields}


class EligibilityForm(forms.ModelForm):
    use_required_attribute = False

    min_age = forms.IntegerField(label=_("From which age?"), min_value=0, max_value=120)

    class Meta:
        model = EligibilityRule
        fields = ["min_age", "residence", "districts", "age_on", "organisations"]
        labels = {
            "residence": _("Who?"),
            "districts": _("Which districts?"),
            "age_on": _("The age on a certain day"),
            "organisations": _("Businesses and associations too"),
        }
        help_texts = {"districts": _("Only where those who live in certain districts are meant.")}
        widgets = {
            "residence": forms.RadioSelect(),
            "districts": forms.CheckboxSelectMultiple(),
            "age_on": DateInput(),
        }

    def __init__(self, *args: Any, districts: list[District], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["residence"].choices = EligibilityRule.Residence.choices
        self.fields["districts"] = forms.TypedMultipleChoiceField(
            label=self.fields["districts"].label,
            help_text=self.fields["districts"].help_text,
            required=False,
            coerce=int,
            choices=[(district.pk, district.name_and_kind) for district in districts],
            widget=forms.CheckboxSelectMultiple,
        )
        self.initial["districts"] = [d.pk for d in self.initial.get("districts", [])]

    def _post_clean(self) -> None:
        """The rule is written by the action."""


def _plain(value: Any) -> Any:
    """As it is stored: a browser sends other line breaks."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


class BudgetForms:
    """The rules, who may propose and who may vote, as `actions.process.update_process(detail=…)` takes them."""

    def __init__(self, process: Process, data: Any = None) -> None:
        budget = CitizenBudget.objects.select_related("propose_rule", "vote_rule").get(process=process)
        districts = list(District.objects.order_by("kind", "name"))
        self.rules = RulesForm(data, instance=budget, prefix="detail")
        self.propose = EligibilityForm(
            data, instance=budget.propose_rule, prefix="detail-propose", districts=districts
        )
        self.vote = EligibilityForm(
            data, instance=budget.vote_rule, prefix="detail-vote", districts=districts
        )
        pot_rows = forms.formset_factory(
            PotForm, formset=PotRows, extra=PotRows.extra_rows, max_num=MAX_ROWS, absolute_max=MAX_ROWS
        )
        self.stored_pots = PotRows.initial_rows(budget)
        self.pots = pot_rows(
            data,
            initial=self.stored_pots if data is None else None,
            prefix="pots",
            form_kwargs={"districts": districts},
        )
        self.forms: list[Any] = [self.rules, self.propose, self.vote, self.pots]
        self.small = process.size == "small"

    def is_valid(self) -> bool:
        return all([form.is_valid() for form in self.forms])

    @property
    def detail(self) -> dict[str, Any]:
        return self.rules.rules | {
            "pots": self._pots(),
            "propose": dict(self.propose.cleaned_data),
            "vote": dict(self.vote.cleaned_data),
        }

    def _pots(self) -> list[dict[str, Any]]:
        return self.pots.rows() if self.rules.cleaned_data.get("several_pots") == SEVERAL else []

    def changed(self) -> dict[str, Any]:
        """Only what is other than before, for an amendment."""
        budget = self.rules.instance
        found = {
            name: value for name, value in self.rules.rules.items() if _plain(value) != getattr(budget, name)
        }
        before = [
            {"district": pot.district_id, "name": pot.name, "total": pot.total} for pot in budget.pots.all()
        ]
        if self._pots() != before:
            found["pots"] = self._pots()
        for name, form in (("propose", self.propose), ("vote", self.vote)):
            if form.changed_data:
                found[name] = dict(form.cleaned_data)
        return found

    def place(self, field: str) -> tuple[forms.BaseForm, str] | None:
        """The form and field that a refusal speaks of: "max_cost", "vote.districts", "pots"."""
        if field == "pots":
            return self.rules, "several_pots"
        if field in self.rules.fields:
            return self.rules, field
        name, _dot, inner = field.partition(".")
        form = {"propose": self.propose, "vote": self.vote}.get(name)
        return (form, inner) if form is not None and inner in form.fields else None

    def fill(self, process: Process) -> None:
        """The format's own checks read what is stored, so there is nothing to put on the process."""

    def _wrong(self, *names: str) -> bool:
        return any(name in self.rules.errors for name in names)

    @property
    def groups(self) -> list[dict[str, Any]]:
        rules = self.rules
        return [
            {
                "title": _("The money"),
                "fields": [rules["total"], rules["min_cost"], rules["max_cost"], rules["several_pots"]],
                "rowsets": [self.pots],
                "more": [rules["district_vote"], rules["leftover"]],
                "more_title": _("The pots, where there are several"),
                "open": rules["several_pots"].value() == SEVERAL,
            },
            {
                "title": _("Who may propose?"),
                "anchor": "id_detail-propose",
                "fields": [self.propose[name] for name in ("residence", "districts", "min_age")],
                "more": [self.propose[name] for name in ("age_on", "organisations")],
                "more_title": _("More about who may propose"),
                "open": bool(self.propose.errors),
            },
            {
                "title": _("Who may vote?"),
                "anchor": "id_detail-vote",
                "fields": [self.vote[name] for name in ("residence", "districts", "min_age")],
                "more": [self.vote[name] for name in ("age_on", "organisations")],
                "more_title": _("More about who may vote"),
                "open": bool(self.vote.errors),
            },
            {
                "title": _("Who chooses the projects?"),
                "fields": [rules["decided_by"]],
                "more": [rules["procedure"]],
                "more_title": _("How the meeting shares the money out, where a meeting does"),
                "open": rules["decided_by"].value() == DecidedBy.MEETING or self._wrong("procedure"),
            },
            {
                "title": _("The vote"),
                "fields": [
                    rules["ballot_type"],
                    rules["max_choices"],
                    rules["counting_rule"],
                    rules["rounds"],
                ],
                "more": [rules["shortlist_size"], rules["shortlist_choices"]],
                "more_title": _("The first round, where there are two"),
                "open": rules["rounds"].value() == SEVERAL
                or self._wrong("shortlist_size", "shortlist_choices"),
            },
            {
                "title": _("More rules"),
                "fields": [],
                "more": [rules[name] for name in MORE],
                "more_title": _("More rules – filled in with the standard"),
                "open": self._wrong(*MORE) or rules.instance.ballot_type == BallotType.CUMULATIVE,
            },
        ]


class RecordProjectForm(forms.Form):
    """What a project has beside its text, when it is recorded for someone."""

    use_required_attribute = False
    why = forms.CharField(
        label=_("Why is it a good idea?"),
        max_length=3000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    cost = KronerField(label=_("What does it cost?"), min_value=1, max_value=10**11)
    pot = forms.ChoiceField(label=_("Which pot is it for?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = pot_choices(CitizenBudget.objects.get(process=process))
        if len(choices) > 1:
            self.fields["pot"].choices = choices
        else:
            del self.fields["pot"]

    def detail(self) -> dict[str, Any]:
        line = {"text": str(_("Estimate")), "amount": self.cleaned_data["cost"]}
        return {
            "why": self.cleaned_data["why"],
            "cost_lines": [line],
            **({"pot": self.cleaned_data["pot"]} if "pot" in self.fields else {}),
        }
