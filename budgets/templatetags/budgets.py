"""{% load budgets %}: what the pages ask about a project."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from accounts.verdict import Verdict
from budgets import carrying_out, implementation, permissions
from budgets.models import ExtraGrant, Payment, Project, ProjectDecision, Round
from dkfds import wording
from participation.models import Process
from participation.phases import moment
from participation.team import is_author

register = template.Library()


@register.simple_tag(takes_context=True)
def can_adjust(context: template.Context, project: Project) -> Verdict | None:
    """For its author, from the assessment on; nobody else is told anything."""
    user: Any = context["request"].user
    if project.assessed_at is None or not is_author(user, project.contribution):
        return None
    return permissions.can_adjust(user, project)


@register.simple_tag
def decision_on(project: Project) -> ProjectDecision | None:
    return ProjectDecision.objects.filter(project=project).first()


@register.simple_tag
def left_behind(project: Project) -> Round | None:
    """The first round, where this one was voted on in it and did not go on."""
    if not project.number:
        return None
    return (
        Round.objects.filter(
            kind=Round.Kind.SHORTLIST, state=Round.State.COUNTED, ballot_projects__project=project.pk
        )
        .exclude(count__winners__contains=[project.number])
        .first()
    )


@register.simple_tag(takes_context=True)
def how_it_goes(context: template.Context, project: Project) -> dict[str, Any] | None:
    """How a project that got the money is carried out; whoever carries it out is told what they can do. None for others."""
    goes = implementation.how_it_goes(project)
    if goes is None:
        return None
    user: Any = context["request"].user
    carrier = carrying_out.is_carrier(user, goes.implementation)
    return {
        "goes": goes,
        "may_tell": carrying_out.can_report(user, goes.implementation) if carrier else None,
        "may_spend": carrying_out.can_report_spending(user, goes.implementation) if carrier else None,
    }


@register.simple_tag
def carried_out(process: Process) -> implementation.Overview:
    return implementation.overview(process)


@register.filter
def payment_note(payment: Payment) -> str:
    return implementation.payment_note(payment)


@register.filter
def grant_note(extra: ExtraGrant) -> str:
    return implementation.grant_note(extra)


@register.filter
def at_moment(value: datetime | None) -> str:
    """torsdag den 19. november kl. 14.00"""
    return moment(value) if value else ""


@register.filter
def at_clock(value: datetime | None) -> str:
    """14.00"""
    return wording.clock(timezone.localtime(value)) if value else ""
