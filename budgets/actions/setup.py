"""The rules of the money and the vote: written with the process, frozen with it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import EligibilityRule
from accounts.verdict import Refused
from budgets.models import BallotType, CitizenBudget, CountingRule, Round
from participation.actions.changes import words
from participation.models import Process

# What one person may be asked to read and add up.
MOST_POINTS = 1000
MOST_TOTAL = Decimal(10) ** 12

_NUMBERS = ("max_choices", "min_choices", "points", "min_votes", "adjust_days", "publish_ballots_from")
_MONEY = ("total", "min_cost", "max_cost")
_FLAGS = ("winners_carry_out",)
_CHOICES: dict[str, Any] = {"ballot_type": BallotType, "counting_rule": CountingRule}
_RULES = {"propose": "propose_rule", "vote": "vote_rule"}
_RULE_FIELDS = ("min_age", "age_on", "residence", "organisations", "districts")


def create_budget(process: Process, **detail: Any) -> CitizenBudget:
    """The detail row of a new process (`Format.create_detail`). `propose` and `vote` are mappings with the fields of
    an EligibilityRule; everything else is a field of CitizenBudget. Raises `Refused` with the field to mend."""
    budget = CitizenBudget(process=process)
    budget.propose_rule = _write_rule(EligibilityRule(), "propose", detail.pop("propose", {}))
    budget.vote_rule = _write_rule(EligibilityRule(), "vote", detail.pop("vote", {}))
    _fill(budget, detail)
    budget.save(force_insert=True)
    return budget


def update_budget(process: Process, **detail: Any) -> CitizenBudget:
    """Change the rules of a draft, or in an amendment before voting opens (`Format.update_detail`)."""
    budget = (
        CitizenBudget.objects.select_for_update(of=("self",))
        .select_related("propose_rule", "vote_rule")
        .get(process=process)
    )
    if Round.objects.filter(process=process).exists():
        raise Refused("voting_opened", _("Voting has opened, so the rules of the vote can't be changed."))
    for name, attribute in _RULES.items():
        if name in detail:
            _write_rule(getattr(budget, attribute), name, detail.pop(name))
    changed = sorted(detail)
    _fill(budget, detail)
    budget.save(update_fields=changed)
    return budget


def copy_budget(process: Process) -> dict[str, Any]:
    """The detail of an earlier process, as `create_budget` takes it."""
    budget = CitizenBudget.objects.select_related("propose_rule", "vote_rule").get(process=process)
    names = (*_NUMBERS, *_MONEY, *_FLAGS, *_CHOICES)
    detail: dict[str, Any] = {name: getattr(budget, name) for name in names}
    for name, attribute in _RULES.items():
        rule = getattr(budget, attribute)
        detail[name] = {
            "min_age": rule.min_age,
            "residence": rule.residence,
            "organisations": rule.organisations,
            "districts": list(rule.districts.values_list("pk", flat=True)),
        }
    return detail


def describe_budget(process: Process, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The rules named, as people read them (`Format.describe_detail`): what a public notice of a change shows."""
    budget = CitizenBudget.objects.select_related("propose_rule", "vote_rule").get(process=process)
    found = {}
    for name in names:
        field = CitizenBudget._meta.get_field(_RULES.get(name, name))
        text = _rule_words(getattr(budget, _RULES[name])) if name in _RULES else words(budget, name)
        found[name] = (str(field.verbose_name), text)  # type: ignore[union-attr]
    return found


def _rule_words(rule: EligibilityRule) -> str:
    parts = [str(rule.get_residence_display()), _("from %(age)s years") % {"age": rule.min_age}]
    if rule.age_on is not None:
        parts.append(words(rule, "age_on"))
    if rule.residence == EligibilityRule.Residence.DISTRICTS:
        parts += [district.name for district in rule.districts.order_by("name")]
    if rule.organisations:
        parts.append(str(EligibilityRule._meta.get_field("organisations").verbose_name))
    return ", ".join(parts)


def _fill(budget: CitizenBudget, detail: Mapping[str, Any]) -> None:
    for field, value in detail.items():
        setattr(budget, field, _value(field, value))
    _check(budget)


def _value(field: str, value: Any) -> Any:
    if field in _MONEY:
        return _money(field, value)
    if field in _NUMBERS:
        return _whole(field, value)
    if field in _FLAGS:
        return bool(value)
    if field in _CHOICES:
        if value not in _CHOICES[field].values:
            raise Refused("choice", _("Choose one of the possibilities."), field)
        return value
    raise TypeError(f"A citizen budget has no {field}.")


def _money(field: str, value: Any) -> Decimal | None:
    if value in (None, ""):
        if field == "max_cost":
            return None
        if field == "min_cost":
            return Decimal(0)
        raise Refused("missing", _("Write an amount."), field)
    try:
        amount = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise Refused("amount", _("Write the amount as a number."), field) from None
    if not amount.is_finite() or not 0 <= amount < MOST_TOTAL:
        raise Refused("amount", _("The amount is too large or below zero."), field)
    if amount != amount.quantize(Decimal("0.01")):
        raise Refused("amount", _("Write the amount in kroner and øre."), field)
    return amount


def _whole(field: str, value: Any) -> int | None:
    if value in (None, ""):
        if field in {"max_choices", "points"}:
            return None
        return int(CitizenBudget._meta.get_field(field).get_default())  # type: ignore[union-attr]
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused("number", _("Write a whole number."), field)
    try:
        number = int(value)
    except ValueError:
        raise Refused("number", _("Write a whole number."), field) from None
    if not 0 <= number <= 32000:
        raise Refused("number", _("The number is too large or below zero."), field)
    return number


def _check(budget: CitizenBudget) -> None:
    if budget.total is None or budget.total <= 0:
        raise Refused("total", _("Write how much money there is."), "total")
    if budget.max_cost is not None and budget.max_cost > budget.total:
        raise Refused("max_over_total", _("One project can't cost more than all the money."), "max_cost")
    if budget.max_cost is not None and budget.max_cost < budget.min_cost:
        raise Refused(
            "cost_order", _("The largest project must cost at least as much as the smallest."), "max_cost"
        )
    if budget.min_cost > budget.total:
        raise Refused("min_over_total", _("The smallest project costs more than all the money."), "min_cost")
    if budget.min_votes and budget.counting_rule != CountingRule.GREEDY:
        raise Refused(
            "min_votes",
            _("A fewest number of votes goes only with “most votes first; what no longer fits is skipped”."),
            "min_votes",
        )
    _check_ballot(budget)


def _check_ballot(budget: CitizenBudget) -> None:
    if budget.ballot_type == BallotType.ORDINAL:
        raise Refused("ordinal", _("Ranking is only for elections imported from elsewhere."), "ballot_type")
    if budget.ballot_type == BallotType.APPROVAL and not budget.max_choices:
        raise Refused("max_choices", _("Write how many projects a voter may choose."), "max_choices")
    if budget.max_choices is not None and budget.max_choices < max(budget.min_choices, 1):
        raise Refused("choices_order", _("“At most” must not be less than “at least”."), "max_choices")
    if budget.ballot_type != BallotType.CUMULATIVE:
        return
    if not budget.points or budget.points > MOST_POINTS:
        raise Refused(
            "points",
            _("Write how many points each voter has: 1 to %(most)s.") % {"most": MOST_POINTS},
            "points",
        )
    if budget.min_choices > budget.points:
        raise Refused(
            "points", _("There are fewer points than projects a voter must choose at least."), "points"
        )


def _write_rule(rule: EligibilityRule, name: str, fields: Mapping[str, Any]) -> EligibilityRule:
    unknown = fields.keys() - set(_RULE_FIELDS)
    if unknown:
        raise TypeError(f"An eligibility rule has no {', '.join(sorted(unknown))}.")
    if "min_age" in fields:
        age = fields["min_age"]
        if isinstance(age, bool) or not isinstance(age, int) or not 0 <= age <= 120:
            raise Refused("min_age", _("Write an age between 0 and 120."), f"{name}.min_age")
        rule.min_age = age
    if "age_on" in fields:
        rule.age_on = fields["age_on"] or None
    if "residence" in fields:
        if fields["residence"] not in EligibilityRule.Residence.values:
            raise Refused("choice", _("Choose one of the possibilities."), f"{name}.residence")
        rule.residence = fields["residence"]
    if "organisations" in fields:
        rule.organisations = bool(fields["organisations"])
    districts = fields.get("districts")
    in_districts = rule.residence == EligibilityRule.Residence.DISTRICTS
    if in_districts and not (districts if districts is not None or not rule.pk else rule.districts.exists()):
        raise Refused("districts", _("Choose at least one district."), f"{name}.districts")
    rule.save()
    if not in_districts:
        rule.districts.clear()
    elif districts is not None:
        rule.districts.set(districts)
    return rule
