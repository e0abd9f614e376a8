"""{% load budgets %}: what the pages ask about a project."""

from typing import Any

from django import template

from accounts.verdict import Verdict
from budgets import permissions
from budgets.models import Project, ProjectDecision
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
