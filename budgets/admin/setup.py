"""The rules of the money and the vote, as one part of the set-up form."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import District, EligibilityRule
from budgets.models import BallotType, CitizenBudget, CountingRule
from dkfds.fields import KronerField
from participation.admin.fields import DateInput
from participation.models import Process

DEFAULT_CHOICES = 3


class StartBudgetForm(forms.Form):
    """The little a draft needs: how much money there is. Everything else has a default."""

    use_required_attribute = False
    total = KronerField(label=_("How much money is there?"), min_value=1, max_value=10**11)

    def detail(self) -> dict[str, Any]:
        return {"total": self.cleaned_data["total"], "max_choices": DEFAULT_CHOICES}


class RulesForm(forms.ModelForm):
    """The action checks how the rules fit together and says which field to mend."""

    use_required_attribute = False

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
        ]  # fmt: skip
        labels = {
            "max_choices": _("A voter may choose at most"),
            "min_choices": _("A voter must choose at least"),
            "points": _("Points each voter has"),
            "min_votes": _("Fewest votes a project must have to win"),
            "adjust_days": _("Days to adjust a project after its assessment"),
            "publish_ballots_from": _("Ballots are published when there are at least"),
            "winners_carry_out": _("The winners carry their project out themselves"),
        }
        help_texts = {
            "points": _("Only when people give points."),
            "max_choices": _("Number of projects."),
            "publish_ballots_from": _(
                "With fewer ballots only totals are shown, so that nobody can be recognised."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("min_choices", "min_votes", "adjust_days", "publish_ballots_from"):
            self.fields[name].required = False
        for name in ("total", "min_cost", "max_cost"):
            if (value := self.initial.get(name)) is not None and value == int(value):
                self.initial[name] = int(value)

    def _post_clean(self) -> None:
        """The rules are checked together by the action; here only what was typed."""


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
        self.forms: list[forms.BaseForm] = [self.rules, self.propose, self.vote]
        self.small = process.size == "small"

    def is_valid(self) -> bool:
        return all([form.is_valid() for form in self.forms])

    @property
    def detail(self) -> dict[str, Any]:
        return dict(self.rules.cleaned_data) | {
            "propose": dict(self.propose.cleaned_data),
            "vote": dict(self.vote.cleaned_data),
        }

    def changed(self) -> dict[str, Any]:
        """Only what is other than before, for an amendment."""
        found = {name: self.rules.cleaned_data[name] for name in self.rules.changed_data}
        for name, form in (("propose", self.propose), ("vote", self.vote)):
            if form.changed_data:
                found[name] = dict(form.cleaned_data)
        return found

    def place(self, field: str) -> tuple[forms.BaseForm, str] | None:
        """The form and field that a refusal speaks of: "max_cost", "vote.districts"."""
        if field in self.rules.fields:
            return self.rules, field
        name, _dot, inner = field.partition(".")
        form = {"propose": self.propose, "vote": self.vote}.get(name)
        return (form, inner) if form is not None and inner in form.fields else None

    def fill(self, process: Process) -> None:
        """The format's own checks read what is stored, so there is nothing to put on the process."""

    @property
    def groups(self) -> list[dict[str, Any]]:
        rules = self.rules
        return [
            {
                "title": _("The money"),
                "fields": [rules["total"], rules["min_cost"], rules["max_cost"]],
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
                "title": _("The vote"),
                "fields": [rules["ballot_type"], rules["max_choices"], rules["counting_rule"]],
                "more": [
                    rules[name]
                    for name in (
                        "min_choices",
                        "points",
                        "min_votes",
                        "adjust_days",
                        "publish_ballots_from",
                        "winners_carry_out",
                    )
                ],
                "more_title": _("More rules – filled in with the standard"),
                "open": bool(self.rules.errors) or rules.instance.ballot_type == BallotType.CUMULATIVE,
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

    def detail(self) -> dict[str, Any]:
        line = {"text": str(_("Estimate")), "amount": self.cleaned_data["cost"]}
        return {"why": self.cleaned_data["why"], "cost_lines": [line]}
