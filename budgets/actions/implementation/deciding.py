"""What the council's decision begins, and what a decision recorded anew changes."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from budgets.actions.implementation.following import set_status
from budgets.actions.implementation.plan import replace_promises
from budgets.actions.implementation.row import log
from budgets.models import Carrier, Implementation, Progress, ProjectDecision
from dkfds.wording import kroner
from participation import clock
from participation.models import Process


def begin_implementations(
    *, process: Process, by: User | None, at: datetime | None = None
) -> list[Implementation]:
    """An implementation for each project that got the money, with what it promised as a first list. May run again: what
    is there stays, and follows a decision that was recorded anew. Returns the new ones."""
    at = at or clock.now()
    with transaction.atomic():
        Process.objects.select_for_update().get(pk=process.pk)
        decisions = list(
            ProjectDecision.objects.filter(project__contribution__process=process).select_related(
                "project__contribution"
            )
        )
        there = Implementation.objects.select_for_update(of=("self",)).in_bulk(
            [decision.project_id for decision in decisions]
        )
        new = []
        for decision in decisions:
            known = there.get(decision.project_id)
            if known is not None:
                _follow_decision(known, decision, by, at)
            elif decision.funded:
                new.append(_begin(decision, process, by, at))
    return new


def _begin(decision: ProjectDecision, process: Process, by: User | None, at: datetime) -> Implementation:
    project = decision.project
    granted = decision.amount if decision.amount is not None else project.price or Decimal(0)
    implementation = Implementation.objects.create(
        project=project,
        created_at=at,
        granted_on=_decided_on(process, at),
        planned=project.price if project.price is not None else granted,
        granted=granted,
        carried_out_by=Carrier.CITIZENS if project.carried_out_by_citizens else Carrier.MUNICIPALITY,
        told_at=at,
    )
    lines = list(project.cost_lines.values_list("text", flat=True)) or [project.contribution.title]
    replace_promises(implementation, [line[:300] for line in lines if line.strip()], at)
    log("begin_implementation", by, implementation, values={"granted": granted})
    return implementation


def _decided_on(process: Process, at: datetime) -> date:
    known = process.decisions.order_by("-decided_on").values_list("decided_on", flat=True).first()
    decided = process.transitions.filter(name="decide").values_list("at", flat=True).first()
    return known or timezone.localdate(decided or at)


def _follow_decision(
    implementation: Implementation, decision: ProjectDecision, by: User | None, at: datetime
) -> None:
    """The council's decision was recorded again."""
    if not decision.funded:
        # a decision that says the same as the vote has no reason of its own
        why = decision.reason or _("The council has decided that it doesn't get the money after all.")
        _take_back(implementation, why, by, at)
        return
    granted = decision.amount if decision.amount is not None else implementation.granted
    if granted == implementation.granted:
        return
    if granted + implementation.extra < implementation.paid:
        raise Refused(
            "already_paid",
            _("%(paid)s has already been paid for “%(project)s”.")
            % {"paid": kroner(implementation.paid), "project": decision.project.contribution.title},
        )
    implementation.granted = granted
    if implementation.ended:
        implementation.returned = implementation.total_granted - implementation.paid
    implementation.save(update_fields=["granted", "returned"])
    log("follow_decision", by, implementation, changed=["granted"], values={"granted": granted})


def take_back_all(*, process: Process, by: User | None, why: str, at: datetime | None = None) -> None:
    """The process is called off after the council's decision was written down: nothing of it is carried out."""
    at = at or clock.now()
    with transaction.atomic():
        Process.objects.select_for_update().get(pk=process.pk)
        mine = Implementation.objects.filter(project__contribution__process=process)
        for implementation in mine.select_for_update(of=("self",)).with_project():
            _take_back(implementation, why, by, at)


def _take_back(implementation: Implementation, why: str, by: User | None, at: datetime) -> None:
    """Gone where nobody was told anything of it, given up where they were."""
    if implementation.promised_at is None and not implementation.notes.exists():
        log("drop_implementation", by, implementation)
        implementation.delete()
    elif not implementation.ended:
        set_status(implementation, Progress.GIVEN_UP, why, None, by, at)
