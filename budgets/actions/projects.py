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
from budgets.models import Alternative, Assessment, CitizenBudget, CostLine, Pot, Project
from dkfds.wording import kroner
from participation import clock
from participation.models import Contribution, InternalComment
from participation.texts import clean

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
    pot: int | str | None = None,
) -> Project:
    """The format's row beside a new contribution, in the caller's transaction (`Format.create_contribution_detail`)."""
    budget = CitizenBudget.objects.get(process=contribution.process_id)
    chosen = pot_in(budget, pot)
    lines, cost = check_cost_lines(budget, cost_lines, chosen)
    project = Project.objects.create(
        contribution=contribution,
        pot=chosen,
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
    pot: int | str | None = None,
) -> Project:
    """Its author corrects it within the edit window, or improves it between two rounds
    (`Format.update_contribution_detail`). What was assessed is assessed again. A project that stood on a ballot stays
    in its pot."""
    project = Project.objects.select_for_update(of=("self",)).get(contribution=contribution)
    permissions.check_not_on_ballot(project)
    _change(project, contribution.process_id, why, cost_lines, carried_out_by_citizens, pot)
    if project.assessment != Assessment.UNDECIDED:
        project.assessment, project.price, project.least_price = Assessment.UNDECIDED, None, None
        project.save(update_fields=["assessment", "price", "least_price"])
    return project


def assess_project(
    *,
    project: Project,
    by: "User",
    assessment: str,
    explanation: str = "",
    price: Decimal | int | None = None,
    least_price: Decimal | int | None = None,
    municipal_matter: bool | None = None,
    pot: int | str | None = None,
    alternative: int | str | None = None,
    at: datetime | None = None,
) -> Project:
    """Say whether a project can be done and what it costs, whether it is a matter for the municipality, which pot it
    belongs to (None: as it is) and which others it excludes (the title of a group; the same title is the same group).
    The author is told, and may adjust it once."""
    at = at or clock.now()
    with transaction.atomic():
        project = _locked(project)
        permissions.check_may_assess(by, project, at=at)
        budget = CitizenBudget.objects.get(process=project.contribution.process_id)
        chosen = _pot_assessed(budget, project, pot)
        _check_assessment(budget, chosen, assessment, explanation, price, municipal_matter)
        project.assessment = assessment
        project.explanation = explanation.strip()
        project.price = Decimal(price) if price is not None else None
        project.least_price = _least(budget, project.price, least_price)
        project.municipal_matter = municipal_matter
        project.pot = chosen
        project.alternative = _alternative(project, alternative)
        project.assessed_by, project.assessed_at = by, at
        project.adjust_until = (
            None if assessment == Assessment.UNDECIDED else at + timedelta(days=budget.adjust_days)
        )
        changed = [
            "adjust_until",
            "alternative",
            "assessed_at",
            "assessed_by",
            "assessment",
            "explanation",
            "least_price",
            "municipal_matter",
            "pot",
            "price",
        ]
        project.save(update_fields=changed)
        Alternative.objects.filter(process=project.contribution.process_id, projects=None).delete()
        audit.record(
            action="budgets.assess_project",
            by=by,
            obj=project,
            changed=changed,
            values={"assessment": assessment, "price": price, "municipal_matter": municipal_matter},
            process_id=project.contribution.process_id,
        )
        if assessment != Assessment.UNDECIDED:
            _tell_author(project, at)
    return project


def pot_in(budget: CitizenBudget, pot: int | str | None) -> Pot | None:
    """The pot chosen for a project; None where the money is one sum. Raises `Refused` where one must be chosen."""
    pots = list(budget.pots.all())
    if not pots:
        return None
    chosen = next((one for one in pots if str(one.pk) == str(pot)), None)
    if chosen is None and len(pots) == 1:
        return pots[0]
    if chosen is None:
        raise Refused("pot", _("Choose which pot the project is for."), "pot")
    return chosen


def _pot_assessed(budget: CitizenBudget, project: Project, pot: int | str | None) -> Pot | None:
    if pot in (None, "") and project.pot_id is not None:
        return project.pot
    chosen = pot_in(budget, pot)
    if project.number and chosen != project.pot:
        raise Refused("pot_voted_on", _("It has been voted on in its pot, and stays there."), "pot")
    return chosen


def _least(budget: CitizenBudget, price: Decimal | None, least: Decimal | int | None) -> Decimal | None:
    if least is None or not budget.part_funding or price is None:
        return None
    if not Decimal(least).is_finite() or not 0 < Decimal(least) <= price:
        raise Refused(
            "least_price",
            _("What it can be done for at least lies between zero and its price."),
            "least_price",
        )
    return Decimal(least)


def _alternative(project: Project, title: int | str | None) -> Alternative | None:
    """The group with this title, made when it is new. Its projects are of one pot: each pot is counted for itself."""
    if title in (None, ""):
        return None
    process_id = project.contribution.process_id
    name = clean(str(title), "alternative", longest=120)
    group = Alternative.objects.filter(
        process=process_id, title__iexact=name
    ).first() or Alternative.objects.create(process_id=process_id, title=name)
    others = group.projects.exclude(pk=project.pk)
    if others.exclude(pot=project.pot_id).exists() if project.pot_id else others.exclude(pot=None).exists():
        raise Refused(
            "alternative_pot",
            _("Projects that exclude each other must be in the same pot."),
            "alternative",
        )
    return group


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
        project.assessment, project.price, project.least_price = Assessment.UNDECIDED, None, None
        project.save(update_fields=["adjusted_at", "assessment", "price", "least_price"])
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
    budget: CitizenBudget,
    pot: Pot | None,
    assessment: str,
    explanation: str,
    price: Decimal | int | None,
    municipal_matter: bool | None,
) -> None:
    if assessment not in Assessment.values:
        raise Refused("assessment", _("Choose what the assessment is."), "assessment")
    if municipal_matter is False and assessment == Assessment.FEASIBLE:
        raise Refused(
            "not_municipal",
            _(
                "What is not a matter for the municipality can't be done with its money. Choose “can't be done”, and explain why."
            ),
            "assessment",
        )
    if (assessment == Assessment.NOT_FEASIBLE or municipal_matter is False) and not explanation.strip():
        raise Refused(
            "explanation", _("Explain why it can't be done: the author gets to know."), "explanation"
        )
    if assessment != Assessment.FEASIBLE:
        return
    if municipal_matter is None:
        raise Refused(
            "municipal_matter", _("Say whether it is a matter for the municipality."), "municipal_matter"
        )
    if price is None or not Decimal(price).is_finite() or price <= 0:
        raise Refused("price", _("Write what it costs: it can only be voted on with a price."), "price")
    if Decimal(price) != Decimal(price).quantize(Decimal("0.01")):
        raise Refused("price", _("Write the price in kroner and øre."), "price")
    _check_limits(budget, Decimal(price), "price", pot)


def _check_limits(budget: CitizenBudget, cost: Decimal, field: str, pot: Pot | None = None) -> None:
    if pot is not None and cost > pot.total:
        raise Refused(
            "over_pot",
            _("It costs more than there is in the pot %(pot)s (%(total)s).")
            % {"pot": pot.name, "total": kroner(pot.total)},
            field,
        )
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
    budget: CitizenBudget, cost_lines: Iterable[Mapping[str, Any]], pot: Pot | None = None
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
    _check_limits(budget, Decimal(cost), "cost_lines", pot)
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
    pot: int | str | None = None,
) -> None:
    budget = CitizenBudget.objects.get(process=process_id)
    if pot not in (None, ""):
        project.pot = _pot_assessed(budget, project, pot)
    if why is not None:
        project.why = why.strip()
    if carried_out_by_citizens is not None:
        project.carried_out_by_citizens = carried_out_by_citizens
    if cost_lines is not None:
        lines, project.cost = check_cost_lines(budget, cost_lines, project.pot)
        _write_lines(project, lines)
    project.save(update_fields=["why", "carried_out_by_citizens", "cost", "pot"])


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
