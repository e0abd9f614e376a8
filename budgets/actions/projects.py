"""A project from the idea to the ballot: its cost, its assessment, and one chance to adjust it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from audit import actions as audit
from budgets import permissions
from budgets.models import Assessment, CitizenBudget, CostLine, Project
from dkfds.wording import kroner
from participation import clock
from participation.models import Contribution, InternalComment

if TYPE_CHECKING:
    from accounts.models import User

MOST_COST_LINES = 20
LONGEST = {
    field: Contribution._meta.get_field(field).max_length  # type: ignore[union-attr]
    for field in ("title", "body")
}


def create_project(
    contribution: Contribution,
    *,
    why: str = "",
    cost_lines: Iterable[Mapping[str, Any]] = (),
    carried_out_by_citizens: bool = False,
) -> Project:
    """The format's row beside a new contribution, in the caller's transaction (`Format.create_contribution_detail`)."""
    budget = CitizenBudget.objects.get(process=contribution.process_id)
    lines, cost = check_cost_lines(budget, cost_lines)
    project = Project.objects.create(
        contribution=contribution,
        why=why.strip(),
        cost=cost,
        carried_out_by_citizens=carried_out_by_citizens or budget.winners_carry_out,
    )
    _write_lines(project, lines)
    return project


def update_project(
    contribution: Contribution,
    *,
    why: str | None = None,
    cost_lines: Iterable[Mapping[str, Any]] | None = None,
    carried_out_by_citizens: bool | None = None,
) -> Project:
    """Its author corrects it within the edit window (`Format.update_contribution_detail`)."""
    project = Project.objects.select_for_update(of=("self",)).get(contribution=contribution)
    permissions.check_not_on_ballot(project)
    _change(project, contribution.process_id, why, cost_lines, carried_out_by_citizens)
    return project


def assess_project(
    *,
    project: Project,
    by: "User",
    assessment: str,
    explanation: str = "",
    price: Decimal | int | None = None,
    at: datetime | None = None,
) -> Project:
    """Say whether a project can be done and what it costs. The author is told, and may adjust it once."""
    at = at or clock.now()
    with transaction.atomic():
        project = _locked(project)
        permissions.check_may_assess(by, project, at=at)
        budget = CitizenBudget.objects.get(process=project.contribution.process_id)
        _check_assessment(budget, assessment, explanation, price)
        project.assessment = assessment
        project.explanation = explanation.strip()
        project.price = Decimal(price) if price is not None else None
        project.assessed_by, project.assessed_at = by, at
        project.adjust_until = (
            None if assessment == Assessment.UNDECIDED else at + timedelta(days=budget.adjust_days)
        )
        changed = ["adjust_until", "assessed_at", "assessed_by", "assessment", "explanation", "price"]
        project.save(update_fields=changed)
        audit.record(
            action="budgets.assess_project",
            by=by,
            obj=project,
            changed=changed,
            values={"assessment": assessment, "price": price},
            process_id=project.contribution.process_id,
        )
        if assessment != Assessment.UNDECIDED:
            _tell_author(project, at)
    return project


def adjust_project(
    *,
    project: Project,
    by: "User",
    title: str | None = None,
    body: str | None = None,
    why: str | None = None,
    cost_lines: Iterable[Mapping[str, Any]] | None = None,
    carried_out_by_citizens: bool | None = None,
    at: datetime | None = None,
) -> Project:
    """The author adjusts an assessed project, once and within the deadline; it is then assessed again."""
    at = at or clock.now()
    with transaction.atomic():
        project = _locked(project)
        permissions.check_may_adjust(by, project, at=at)
        contribution = project.contribution
        texts = {"title": title, "body": body}
        for field, text in texts.items():
            if text is not None and not text.strip():
                raise Refused("empty", _("Write something here."), field)
            longest = LONGEST[field]
            if text is not None and longest and len(text.strip()) > longest:
                raise Refused("too_long", _("Write at most %(most)s characters.") % {"most": longest}, field)
        for field, text in texts.items():
            if text is not None:
                setattr(contribution, field, text.strip())
        contribution.version += 1
        contribution.edited_at = at
        contribution.save(update_fields=["title", "body", "version", "edited_at"])
        _change(project, contribution.process_id, why, cost_lines, carried_out_by_citizens)
        project.adjusted_at = at
        project.assessment, project.price = Assessment.UNDECIDED, None
        project.save(update_fields=["adjusted_at", "assessment", "price"])
        audit.record(
            action="budgets.adjust_project",
            by=by,
            obj=project,
            changed=["adjusted_at", "assessment", "body", "cost", "price", "title"],
            process_id=contribution.process_id,
        )
    return project


def comment_on_project(
    *, project: Project, by: "User", text: str, at: datetime | None = None
) -> InternalComment:
    """Between colleagues; never shown to the public or the author."""
    with transaction.atomic():
        project = _locked(project)
        permissions.check_may_assess(by, project, at=at)
        if not text.strip():
            raise Refused("empty", _("Write something here."), "text")
        comment = InternalComment.objects.create(
            contribution=project.contribution, text=text.strip(), by=by, at=at or clock.now()
        )
        audit.record(
            action="budgets.comment_on_project",
            by=by,
            obj=comment,
            process_id=project.contribution.process_id,
        )
    return comment


def _check_assessment(
    budget: CitizenBudget, assessment: str, explanation: str, price: Decimal | int | None
) -> None:
    if assessment not in Assessment.values:
        raise Refused("assessment", _("Choose what the assessment is."), "assessment")
    if assessment == Assessment.NOT_FEASIBLE and not explanation.strip():
        raise Refused(
            "explanation", _("Explain why it can't be done: the author gets to know."), "explanation"
        )
    if assessment != Assessment.FEASIBLE:
        return
    if price is None or not Decimal(price).is_finite() or price <= 0:
        raise Refused("price", _("Write what it costs: it can only be voted on with a price."), "price")
    if Decimal(price) != Decimal(price).quantize(Decimal("0.01")):
        raise Refused("price", _("Write the price in kroner and øre."), "price")
    _check_limits(budget, Decimal(price), "price")


def _check_limits(budget: CitizenBudget, cost: Decimal, field: str) -> None:
    if cost > budget.total:
        raise Refused(
            "over_total",
            _("It costs more than all the money there is (%(total)s).") % {"total": kroner(budget.total)},
            field,
        )
    if budget.max_cost is not None and cost > budget.max_cost:
        raise Refused(
            "too_dear",
            _("A project may cost at most %(most)s here.") % {"most": kroner(budget.max_cost)},
            field,
        )
    if cost < budget.min_cost:
        raise Refused(
            "too_cheap",
            _("A project must cost at least %(least)s here.") % {"least": kroner(budget.min_cost)},
            field,
        )


def check_cost_lines(
    budget: CitizenBudget, cost_lines: Iterable[Mapping[str, Any]]
) -> tuple[list[tuple[str, int]], int]:
    """Lines with a text and a whole amount, and their sum within the limits. Empty lines are left out."""
    lines: list[tuple[str, int]] = []
    for line in cost_lines:
        text, amount = str(line.get("text") or "").strip(), line.get("amount")
        if not text and not amount:
            continue
        if not text or len(text) > 120:
            raise Refused(
                "cost_line", _("Write what each amount is for, in 120 characters at most."), "cost_lines"
            )
        if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
            raise Refused("cost_line", _("Write each amount in whole kroner, above zero."), "cost_lines")
        lines.append((text, amount))
    if not lines:
        raise Refused("no_cost", _("Write what your project costs: one line is enough."), "cost_lines")
    if len(lines) > MOST_COST_LINES:
        raise Refused(
            "too_many_lines", _("Use at most %(most)s lines.") % {"most": MOST_COST_LINES}, "cost_lines"
        )
    cost = sum(amount for _text, amount in lines)
    _check_limits(budget, Decimal(cost), "cost_lines")
    return lines, cost


def _write_lines(project: Project, lines: list[tuple[str, int]]) -> None:
    CostLine.objects.filter(project=project).delete()
    CostLine.objects.bulk_create(
        CostLine(project=project, text=text, amount=amount, position=position)
        for position, (text, amount) in enumerate(lines)
    )


def _change(
    project: Project,
    process_id: int,
    why: str | None,
    cost_lines: Iterable[Mapping[str, Any]] | None,
    carried_out_by_citizens: bool | None,
) -> None:
    if why is not None:
        project.why = why.strip()
    if carried_out_by_citizens is not None:
        project.carried_out_by_citizens = carried_out_by_citizens
    if cost_lines is not None:
        lines, project.cost = check_cost_lines(CitizenBudget.objects.get(process=process_id), cost_lines)
        _write_lines(project, lines)
    project.save(update_fields=["why", "carried_out_by_citizens", "cost"])


def _tell_author(project: Project, at: datetime) -> None:
    from participation import notices
    from participation.team import authors

    contribution = project.contribution
    texts = {
        Assessment.FEASIBLE: _("Your project can be done, and it can be voted on."),
        Assessment.NOT_FEASIBLE: _("Your project can't be done as it is."),
    }
    notices.tell(
        users=authors(contribution),
        event=f"project:{project.pk}:assessed:{at.timestamp():.6f}",
        kind="answer",
        title=_("Your project has been assessed: %(title)s") % {"title": contribution.title},
        text="\n\n".join(filter(None, [texts[Assessment(project.assessment)], project.explanation])),
        url=contribution.get_absolute_url(),
        process=contribution.process,
    )


def _locked(project: Project) -> Project:
    return (
        Project.objects.select_for_update(of=("self",))
        .select_related("contribution__process", "contribution__author")
        .get(pk=project.pk)
    )
