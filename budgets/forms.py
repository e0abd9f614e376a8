"""What a citizen fills in to propose a project: the contribution's own questions, and what it costs line by line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.verdict import Refused
from budgets.actions.projects import MOST_COST_LINES, check_cost_lines, pot_in
from budgets.models import CitizenBudget, Project
from budgets.sections import limits
from dkfds.fields import KronerField
from dkfds.wording import kroner
from participation.actions.contributions import BODY
from participation.forms.contributions import ContributionForm
from participation.forms.fields import PlainTextField
from participation.models import Contribution

WHY = 3000
ROWS, MORE_ROWS = 4, 3
_amount = KronerField(required=False, min_value=1, max_value=10**12)


@dataclass(frozen=True)
class TypedLine:
    """A cost line as it stands in the form: text and amount as typed."""

    text: str = ""
    amount: str = ""

    @property
    def empty(self) -> bool:
        return not (self.text.strip() or self.amount.strip())

    @property
    def kroner(self) -> int:
        try:
            return max(_amount.clean(self.amount) or 0, 0)
        except ValidationError:
            return 0


class CostLinesInput(forms.Widget):
    """A table of rows. There are always some empty ones at the end; the button gives more, with and without script."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[TypedLine]:
        read = data.getlist if hasattr(data, "getlist") else lambda key: list(data.get(key, ()))
        texts, amounts = read(f"{name}_text"), read(f"{name}_amount")
        longest = min(max(len(texts), len(amounts)), MOST_COST_LINES + 1)
        texts, amounts = (list(row) + [""] * (longest - len(row)) for row in (texts, amounts))
        lines = [TypedLine(texts[place], amounts[place]) for place in range(longest)]
        return [line for line in lines if not line.empty]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_text" not in data

    def render(
        self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        lines = list(value or ())
        rows = min(max(ROWS, len(lines) + MORE_ROWS), MOST_COST_LINES)
        return render_to_string(
            "budgets/fields/cost_lines.html",
            {
                "name": name,
                "id": (attrs or {}).get("id", name),
                "invalid": (attrs or {}).get("aria-invalid"),
                "described_by": (attrs or {}).get("aria-describedby"),
                "lines": lines + [TypedLine()] * (rows - len(lines)),
                "most": MOST_COST_LINES,
                "sum": sum(line.kroner for line in lines),
            },
        )


class CostLinesField(forms.Field):
    widget = CostLinesInput
    max_length = 500  # as much room as a text of that length gets on the paper form

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """[{"text", "amount"}], amounts in whole kroner."""
        found = []
        for place, line in enumerate(value or (), start=1):
            try:
                amount = _amount.clean(line.amount)
            except ValidationError as error:
                raise ValidationError(
                    _("Line %(line)d: %(what)s") % {"line": place, "what": " ".join(error.messages)}
                ) from error
            if not line.text.strip() or not amount:
                raise ValidationError(
                    _("Line %(line)d: write both what it is and what it costs.") % {"line": place}
                )
            found.append({"text": line.text.replace("\x00", "").strip(), "amount": amount})
        return found


class ProjectForm(ContributionForm):
    why = PlainTextField(
        label=gettext_lazy("Why is it a good idea?"),
        longest=WHY,
        lines=4,
        help_text=gettext_lazy("Who will be glad of it, and what becomes better?"),
    )
    cost_lines = CostLinesField(
        label=gettext_lazy("What does it cost?"),
        help_text=gettext_lazy(
            "Write what the money is for, one thing on each line. A rough guess is enough; we reckon it through."
        ),
    )
    carried_out_by_citizens = forms.BooleanField(
        label=gettext_lazy("We carry it out ourselves, if it wins"), required=False
    )

    pot = forms.ChoiceField(
        label=gettext_lazy("Which pot is it for?"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Each pot has its own money and its own vote."),
        error_messages={"required": gettext_lazy("Choose which pot the project is for.")},
    )

    order = (
        "title",
        "body",
        "why",
        "pot",
        "cost_lines",
        "place",
        "point",
        "district",
        "photos",
        "documents",
        "carried_out_by_citizens",
        "name_shown",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = CitizenBudget.objects.get(process=self.process)
        self.fields["title"].label = _("What is your project called?")
        self.fields["title"].help_text = _("A few words that say what it is.")
        self.fields["body"].label = _("What would you like to do?")
        costs = self.fields["cost_lines"]
        costs.help_text = f"{costs.help_text} {limits(self.budget)}"
        if self.budget.winners_carry_out:
            del self.fields["carried_out_by_citizens"]
        choices = pot_choices(self.budget)
        if len(choices) > 1:
            self.fields["pot"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["pot"]

    def clean_cost_lines(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.cleaned_data["cost_lines"]
        chosen = self.cleaned_data.get("pot")
        try:
            check_cost_lines(self.budget, lines, pot_in(self.budget, chosen) if chosen else None)
        except Refused as refused:
            raise ValidationError(refused.reason, code=refused.code) from refused
        return lines

    @classmethod
    def initial_of(cls, contribution: Contribution) -> dict[str, Any]:
        project = Project.objects.prefetch_related("cost_lines").get(contribution=contribution)
        return super().initial_of(contribution) | {
            "why": project.why,
            "pot": str(project.pot_id or ""),
            "carried_out_by_citizens": project.carried_out_by_citizens,
            "cost_lines": [TypedLine(line.text, str(line.amount)) for line in project.cost_lines.all()],
        }

    def detail(self) -> dict[str, Any]:
        return {
            "why": self.cleaned_data["why"],
            "cost_lines": self.cleaned_data["cost_lines"],
            "carried_out_by_citizens": self.cleaned_data.get("carried_out_by_citizens", False),
            **({"pot": self.cleaned_data["pot"]} if "pot" in self.fields else {}),
        }

    def shown(self) -> list[tuple[Any, str]]:
        lines = self.cleaned_data.get("cost_lines") or []
        texts = [f"{line['text']}: {kroner(line['amount'])}" for line in lines]
        texts.append(_("In all: %(sum)s") % {"sum": kroner(sum(line["amount"] for line in lines))})
        label = self.fields["cost_lines"].label
        return [(name, "\n".join(texts) if name == label else text) for name, text in super().shown()]


def pot_choices(budget: CitizenBudget) -> list[tuple[str, str]]:
    """The pots as one chooses among them: what they are for, and how much there is."""
    return [(str(pot.pk), f"{pot.name} ({kroner(pot.total)})") for pot in budget.pots.all()]


class AdjustForm(ProjectForm):
    """After the assessment, once: what the project is and what it costs, not where it lies or whose it is."""

    body = PlainTextField(label=gettext_lazy("What would you like to do?"), longest=BODY, lines=8)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("place", "point", "district", "photos", "documents", "name_shown"):
            del self.fields[name]
        self.fields.pop("pot", None)

    def adjusted(self) -> dict[str, Any]:
        """Keyword arguments for `actions.adjust_project`."""
        detail = {name: value for name, value in self.detail().items() if name != "pot"}
        return {"title": self.cleaned_data["title"], "body": self.cleaned_data["body"], **detail}
