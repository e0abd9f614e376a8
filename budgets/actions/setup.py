"""The rules of the money and the vote: written with the process, frozen with it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import District, EligibilityRule
from accounts.verdict import Refused
from budgets.format import MEETING, SHORTLIST, VOTE
from budgets.models import (
    BallotType,
    CitizenBudget,
    CountingRule,
    DecidedBy,
    DistrictVote,
    Leftover,
    Pot,
    Project,
    Round,
)
from dkfds.wording import kroner
from participation import clock
from participation.actions.changes import words
from participation.actions.writing import address
from participation.choices import FROZEN
from participation.models import Process
from participation.texts import clean

# What one person may be asked to read and add up.
MOST_POINTS = 1000
MOST_TOTAL = Decimal(10) ** 12

MOST_POTS = 40
MOST_SHORTLISTED = 200

_NUMBERS = (
    "max_choices",
    "min_choices",
    "points",
    "min_votes",
    "adjust_days",
    "publish_ballots_from",
    "shortlist_size",
    "shortlist_choices",
    "class_age_from",
    "class_age_to",
)
_MAY_BE_EMPTY = frozenset(
    {"max_choices", "points", "shortlist_size", "shortlist_choices", "class_age_from", "class_age_to"}
)
_MONEY = ("total", "min_cost", "max_cost")
_FLAGS = ("winners_carry_out", "part_funding")
_TEXTS = ("procedure",)
_CHOICES: dict[str, Any] = {
    "ballot_type": BallotType,
    "counting_rule": CountingRule,
    "decided_by": DecidedBy,
    "district_vote": DistrictVote,
    "leftover": Leftover,
}
_RULES = {"propose": "propose_rule", "vote": "vote_rule"}
_TOLD_BEFOREHAND = ("decided_by", "procedure")
_CHOOSING = tuple(kind.key for kind in (SHORTLIST, VOTE, MEETING))
_RULE_FIELDS = ("min_age", "age_on", "residence", "organisations", "districts")


def create_budget(process: Process, **detail: Any) -> CitizenBudget:
    """The detail row of a new process (`Format.create_detail`). `propose` and `vote` are mappings with the fields of
    an EligibilityRule, `pots` a list of {name, district (or None: the whole municipality), total}; everything else is a
    field of CitizenBudget. Raises `Refused` with the field to mend."""
    budget = CitizenBudget(process=process)
    pots = detail.pop("pots", ())
    budget.propose_rule = _write_rule(EligibilityRule(), "propose", detail.pop("propose", {}))
    budget.vote_rule = _write_rule(EligibilityRule(), "vote", detail.pop("vote", {}))
    _fill(budget, detail)
    budget.save(force_insert=True)
    _write_pots(budget, pots)
    return budget


def update_budget(process: Process, **detail: Any) -> CitizenBudget:
    """Change the rules of a draft, or in an amendment before voting opens (`Format.update_detail`)."""
    budget = (
        CitizenBudget.objects.select_for_update(of=("self",))
        .select_related("propose_rule", "vote_rule")
        .get(process=process)
    )
    _check_not_begun(process, budget, detail)
    for name, attribute in _RULES.items():
        if name in detail:
            _write_rule(getattr(budget, attribute), name, detail.pop(name))
    pots = detail.pop("pots", None)
    changed = sorted(detail)
    _fill(budget, detail)
    budget.save(update_fields=changed)
    _write_pots(budget, pots)
    return budget


def _check_not_begun(process: Process, budget: CitizenBudget, detail: Mapping[str, Any]) -> None:
    """What people act under stands: who chooses and by which procedure from the first phase began, all of the rules from
    the choosing itself began, whether or not anybody has opened its round yet."""
    if Round.objects.filter(process=process).exists():
        raise Refused("voting_opened", _("Voting has opened, so the rules of the vote can't be changed."))
    if process.status not in FROZEN:
        return
    begun = set(process.phases.filter(interval__startswith__lte=clock.now()).values_list("kind", flat=True))
    if MEETING.key in begun:
        raise Refused("meeting_begun", _("The time of the meeting has come, so its rules can't be changed."))
    if begun.intersection(_CHOOSING):
        raise Refused("voting_opened", _("Voting has opened, so the rules of the vote can't be changed."))
    for field in _TOLD_BEFOREHAND if begun else ():
        if field in detail and _value(field, detail[field]) != getattr(budget, field):
            raise Refused(
                "told_beforehand",
                _(
                    "How the projects are chosen was told before anyone proposed one, so it can't be changed now."
                ),
                field,
            )


def copy_budget(process: Process) -> dict[str, Any]:
    """The detail of an earlier process, as `create_budget` takes it."""
    budget = CitizenBudget.objects.select_related("propose_rule", "vote_rule").get(process=process)
    names = (*_NUMBERS, *_MONEY, *_FLAGS, *_TEXTS, *_CHOICES)
    detail: dict[str, Any] = {name: getattr(budget, name) for name in names}
    detail["pots"] = [
        {"name": pot.name, "district": pot.district_id, "total": pot.total} for pot in budget.pots.all()
    ]
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
        if name == "pots":
            found[name] = (str(Pot._meta.verbose_name_plural), _pot_words(budget))
            continue
        field = CitizenBudget._meta.get_field(_RULES.get(name, name))
        text = _rule_words(getattr(budget, _RULES[name])) if name in _RULES else words(budget, name)
        found[name] = (str(field.verbose_name), text)  # type: ignore[union-attr]
    return found


def _pot_words(budget: CitizenBudget) -> str:
    return ", ".join(f"{pot.name}: {kroner(pot.total)}" for pot in budget.pots.all())


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
    if field in _TEXTS:
        longest = CitizenBudget._meta.get_field(field).max_length  # type: ignore[union-attr]
        return clean(value or "", field, longest=int(longest or 0), required=False)
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
        if field in _MAY_BE_EMPTY:
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
    if budget.part_funding and budget.counting_rule == CountingRule.EQUAL_SHARES:
        raise Refused(
            "part_funding",
            _(
                "With equal shares a project gets all it costs or nothing: choose “most votes first” to give part of it."
            ),
            "part_funding",
        )
    if budget.decided_by == DecidedBy.MEETING:
        _check_meeting(budget)
    else:
        _check_ballot(budget)
        _check_rounds(budget)
        _check_class(budget)


def _check_meeting(budget: CitizenBudget) -> None:
    """A local group may share the money out only by a procedure that everyone can read beforehand."""
    if not budget.procedure:
        raise Refused(
            "procedure",
            _(
                "Write how the meeting shares the money out: who may come, how one is heard, how it is decided."
            ),
            "procedure",
        )
    if budget.shortlist_size is not None:
        raise Refused("rounds", _("A meeting has no first round of voting."), "shortlist_size")


def _check_rounds(budget: CitizenBudget) -> None:
    size = budget.shortlist_size
    if size is None:
        if budget.shortlist_choices is not None:
            raise Refused(
                "shortlist_size", _("Write how many projects go on from the first round."), "shortlist_size"
            )
        return
    if not 1 <= size <= MOST_SHORTLISTED:
        raise Refused(
            "shortlist_size",
            _("Write how many projects go on: 1 to %(most)s.") % {"most": MOST_SHORTLISTED},
            "shortlist_size",
        )
    if budget.shortlist_choices is not None and budget.shortlist_choices < 1:
        raise Refused("shortlist_choices", _("A voter must be able to choose one."), "shortlist_choices")
    if (
        budget.shortlist_choices is None
        and budget.max_choices is None
        and budget.ballot_type != BallotType.CHOOSE_ONE
    ):
        raise Refused(
            "shortlist_choices",
            _("Write how many projects a voter may choose in the first round."),
            "shortlist_choices",
        )


def _check_class(budget: CitizenBudget) -> None:
    first, last = budget.class_age_from, budget.class_age_to
    if first is None and last is None:
        return
    if first is None or last is None:
        field = "class_age_from" if first is None else "class_age_to"
        raise Refused("class_ages", _("Write both the youngest and the oldest age."), field)
    if last < first:
        raise Refused("class_ages", _("The oldest can't be younger than the youngest."), "class_age_to")
    if last > 120:
        raise Refused("class_ages", _("Write an age between 0 and 120."), "class_age_to")
    if first < budget.vote_rule.min_age:
        raise Refused(
            "class_ages",
            _("Nobody under %(age)s may vote here, so nobody that young votes in class.")
            % {"age": budget.vote_rule.min_age},
            "class_age_from",
        )


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


def _write_pots(budget: CitizenBudget, rows: Iterable[Mapping[str, Any]] | None) -> None:
    """Make these the pots: together all the money, the whole municipality once, each district once. A pot keeps its
    key and its projects as long as its district stays. None: only ask whether they still fit."""
    there = {pot.district_id: pot for pot in budget.pots.all()}
    if rows is None:
        _check_pots(budget, list(there.values()))
        return
    pots, keys = [], {pot.key for pot in there.values()}
    for position, row in enumerate(rows):
        district = _district(row.get("district"))
        name = clean(str(row.get("name") or (district.name if district else "")), "pots", longest=80)
        pot = there.pop(district.pk if district else None, None) or Pot(budget=budget, district=district)
        pot.name, pot.total, pot.position = name, _money("pots", row.get("total")) or Decimal(0), position
        if not pot.key:
            pot.key = _free_key(name, keys)
            keys.add(pot.key)
        pots.append(pot)
    _check_pots(budget, pots)
    gone = [pot.pk for pot in there.values()]
    held = Project.objects.filter(pot__in=gone).select_related("pot").first()
    if held is not None and held.pot is not None:
        raise Refused(
            "pot_in_use",
            _("There are projects in the pot %(pot)s. Move them to another before you take it away.")
            % {"pot": held.pot.name},
            "pots",
        )
    Pot.objects.filter(pk__in=gone).delete()
    for pot in pots:
        pot.save()


def _check_pots(budget: CitizenBudget, pots: list[Pot]) -> None:
    if not pots:
        return
    if len(pots) > MOST_POTS:
        raise Refused("too_many_pots", _("Use at most %(most)s pots.") % {"most": MOST_POTS}, "pots")
    places = [pot.district_id for pot in pots]
    if places.count(None) > 1:
        raise Refused("pot_twice", _("There can be one pot for the whole municipality."), "pots")
    if len(set(places)) < len(places):
        raise Refused("pot_twice", _("Each district has one pot at most."), "pots")
    if len({pot.name for pot in pots}) < len(pots):
        raise Refused("pot_name_twice", _("Give each pot its own name."), "pots")
    if len({pot.district.kind for pot in pots if pot.district is not None}) > 1:
        raise Refused(
            "pot_kinds",
            _("Use districts of one kind, so that everyone lives in one of them."),
            "pots",
        )
    if any(pot.total is None or pot.total <= 0 for pot in pots):
        raise Refused("pot_total", _("Write how much money there is in each pot."), "pots")
    together = sum(pot.total for pot in pots)
    if together != budget.total:
        difference = {
            "together": kroner(together),
            "total": kroner(budget.total),
            "difference": kroner(abs(together - budget.total)),
        }
        text = (
            _(
                "The pots hold %(together)s together, and there is %(total)s: %(difference)s too little in the pots."
            )
            if together < budget.total
            else _(
                "The pots hold %(together)s together, and there is %(total)s: %(difference)s too much in the pots."
            )
        )
        raise Refused("pots_sum", text % difference, "pots")
    if budget.leftover == Leftover.TO_CITY and None not in places:
        raise Refused(
            "no_city_pot",
            _("Money that is left can't go to the pot for the whole municipality, because there is none."),
            "leftover",
        )
    if budget.min_cost > max(pot.total for pot in pots):
        raise Refused("min_over_pots", _("The smallest project costs more than any pot holds."), "min_cost")


def _district(value: Any) -> District | None:
    if value in (None, ""):
        return None
    if isinstance(value, District):
        return value
    found = District.objects.filter(pk=value).first() if str(value).isdecimal() else None
    if found is None:
        raise Refused("district", _("Choose one of the districts."), "pots")
    return found


def _free_key(name: str, taken: set[str]) -> str:
    """A short name of letters and figures that nobody has: it stands beside ballots and in the name of a file."""
    base = address(name, "pulje")[:16].strip("-")
    return next(key for key in (base, *(f"{base}-{n}" for n in range(2, MOST_POTS + 2))) if key not in taken)
