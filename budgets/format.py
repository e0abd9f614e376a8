"""What a citizen budget is, told to the core."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from participation.choices import LadderStep
from participation.formats import Act, Format, NextStep, PhaseKind, Section

if TYPE_CHECKING:
    from accounts.models import EligibilityRule, User
    from participation.models import Contribution, Process, ProcessDetail

KEY = "citizen_budget"

IDEAS = PhaseKind("ideas", _("Ideas"), frozenset({Act.CONTRIBUTE, Act.EDIT, Act.SUPPORT, Act.ARGUE}))
SHORTLIST = PhaseKind(
    "shortlist", _("First round of voting"), frozenset({Act.VOTE, Act.ARGUE}), required=False
)
IMPROVE = PhaseKind(
    "improve", _("Improving the projects"), frozenset({Act.EDIT, Act.SUPPORT, Act.ARGUE}), required=False
)
ASSESSMENT = PhaseKind("assessment", _("Assessment"), frozenset({Act.ASSESS, Act.SUPPORT, Act.ARGUE}))
VOTE = PhaseKind("vote", _("Voting"), frozenset({Act.VOTE, Act.ARGUE}), required=False)
MEETING = PhaseKind("meeting", _("Meeting that shares the money out"), frozenset({Act.ARGUE}), required=False)


def _create_detail(process: "Process", **detail: Any) -> "ProcessDetail":
    from budgets.actions.setup import create_budget

    return create_budget(process, **detail)


def _update_detail(process: "Process", **detail: Any) -> None:
    from budgets.actions.setup import update_budget

    update_budget(process, **detail)


def _copy_detail(process: "Process") -> dict[str, Any]:
    from budgets.actions.setup import copy_budget

    return copy_budget(process)


def kinds_in(decided_by: str, shortlist_size: int | None) -> tuple[PhaseKind, ...]:
    """What the rules ask for: a vote or a meeting, a first round and a time to improve only where there are two."""
    from budgets.models import DecidedBy

    if decided_by == DecidedBy.MEETING:
        return (IDEAS, ASSESSMENT, replace(MEETING, required=True))
    vote = replace(VOTE, required=True)
    if shortlist_size is not None:
        return (IDEAS, replace(SHORTLIST, required=True), IMPROVE, ASSESSMENT, vote)
    return (IDEAS, ASSESSMENT, vote)


def _kinds(process: "Process") -> tuple[PhaseKind, ...]:
    from budgets.models import CitizenBudget, DecidedBy

    rules = CitizenBudget.objects.filter(process=process).values_list("decided_by", "shortlist_size").first()
    return kinds_in(*(rules or (DecidedBy.VOTE, None)))


def _editable_again(contribution: "Contribution", at: datetime) -> datetime | None:
    from budgets.permissions import improvable_until

    return improvable_until(contribution, at)


def _money(process: "Process") -> Decimal | None:
    from budgets.models import CitizenBudget

    return CitizenBudget.objects.filter(process=process).values_list("total", flat=True).first()


def _participants(process_ids: Iterable[int]) -> dict[int, int]:
    from budgets.turnout import participants

    return participants(process_ids)


def _create_project(contribution: "Contribution", **detail: Any) -> None:
    from budgets.actions.projects import create_project

    create_project(contribution, **detail)


def _update_project(contribution: "Contribution", **detail: Any) -> None:
    from budgets.actions.projects import update_project

    update_project(contribution, **detail)


def _who_may_propose(process: "Process") -> "EligibilityRule | None":
    from budgets.models import CitizenBudget

    budget = CitizenBudget.objects.select_related("propose_rule").filter(process=process).first()
    return budget.propose_rule if budget else None


def _before_transition(process: "Process", *, name: str, by: "User | None", at: datetime) -> None:
    from budgets.principle_checks import check_register_lasts

    if name == "open":
        check_register_lasts(process, at=at)


def _after_transition(process: "Process", *, name: str, by: "User | None", at: datetime) -> None:
    from budgets.actions import drop_round
    from budgets.actions.implementation import take_back_all
    from budgets.models import Round

    if name == "cancel":
        take_back_all(process=process, by=by, why=process.public_note, at=at)
        for round in Round.objects.filter(process=process, state__in=[Round.State.VOTING, Round.State.PAPER]):
            drop_round(round=round, by=by, at=at)


def _may_merge(kept: "Contribution", gone: "list[Contribution]", at: datetime) -> None:
    from budgets.permissions import check_may_gather

    check_may_gather(kept, gone)


def _duties(processes: "Iterable[Process]") -> "Iterable[Any]":
    from budgets.assessing import duties

    return duties(processes)


def _lasting_duties(processes: "Any") -> "Iterable[Any]":
    from budgets.following_up import duties

    return duties(processes)


def _next_step(process: "Process", at: datetime) -> NextStep | None:
    from budgets.sections import next_step

    return next_step(process, at)


def _rules(process: "Process", at: datetime) -> dict[str, Any] | None:
    from budgets.sections import rules

    return rules(process, at)


def _result(process: "Process", at: datetime) -> dict[str, Any] | None:
    from budgets.sections import result

    return result(process, at)


def _describe_detail(process: "Process", names: Iterable[str]) -> dict[str, tuple[str, str]]:
    from budgets.actions.setup import describe_budget

    return describe_budget(process, names)


def _checks(process: "Process") -> "Iterable[Any]":
    from budgets.principle_checks import findings

    return findings(process)


def _voting_day(process: "Process", at: datetime) -> dict[str, Any] | None:
    from budgets.sections import voting_day

    return voting_day(process, at)


def _openness(process: "Process") -> list[dict[str, Any]]:
    from budgets.polling import openness

    return openness(process)


def _also_told(process: "Process") -> "Iterable[User]":
    from budgets.polling import officers_of

    return officers_of(process)


CITIZEN_BUDGET = Format(
    key=KEY,
    label=_("Citizen budget"),
    label_plural=_("Citizen budgets"),
    detail="budgets.CitizenBudget",
    phase_kinds=(IDEAS, SHORTLIST, IMPROVE, ASSESSMENT, VOTE, MEETING),
    ladder_steps=frozenset({LadderStep.INFLUENCE, LadderStep.CODECISION, LadderStep.CORESPONSIBILITY}),
    contribution_label=_("Project"),
    contribution_label_plural=_("Projects"),
    contribution_action=_("Propose a project"),
    contribution_form="budgets.forms.ProjectForm",
    contribution_parts="budgets/partials/project_parts.html",
    contribution_row="budgets/partials/contribution_row.html",
    hue=KEY,
    url_names={"contributions": "budgets:projects", "vote": "budgets:vote", "result": "budgets:result"},
    next_step=_next_step,
    sections=(
        Section("budgets/sections/rules.html", _rules),
        Section("budgets/sections/voting_day.html", _voting_day),
        Section("budgets/sections/result.html", _result, place="result"),
    ),
    extra_checks=(_checks,),
    participants=_participants,
    create_detail=_create_detail,
    update_detail=_update_detail,
    copy_detail=_copy_detail,
    describe_detail=_describe_detail,
    money=_money,
    create_contribution_detail=_create_project,
    update_contribution_detail=_update_project,
    contribution_rule=_who_may_propose,
    contribution_related=("project__pot", "project__alternative"),
    before_transition=_before_transition,
    after_transition=_after_transition,
    may_merge=_may_merge,
    duties=_duties,
    kinds_of=_kinds,
    editable_again=_editable_again,
    openness=_openness,
    also_told=_also_told,
    lasting_duties=_lasting_duties,
    frozen_fields=(
        "propose",
        "vote",
        "total",
        "min_cost",
        "max_cost",
        "ballot_type",
        "max_choices",
        "min_choices",
        "points",
        "counting_rule",
        "min_votes",
        "adjust_days",
        "publish_ballots_from",
        "winners_carry_out",
        "pots",
        "district_vote",
        "leftover",
        "part_funding",
        "decided_by",
        "procedure",
        "shortlist_size",
        "shortlist_choices",
        "class_age_from",
        "class_age_to",
    ),
)
