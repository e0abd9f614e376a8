"""Public pages of a citizen budget."""

from django.http import Http404, HttpResponse

from participation.choices import PUBLIC
from participation.models import Process


def budget_process(slug: str) -> Process:
    """A citizen budget that the public may see, with its rules and phases."""
    found = (
        Process.objects.filter(slug=slug, status__in=PUBLIC, citizenbudget__isnull=False)
        .select_related("unit", "meeting", "citizenbudget__vote_rule", "citizenbudget__propose_rule")
        .prefetch_related("phases")
        .first()
    )
    if found is None:
        raise Http404
    return found


def no_store(response: HttpResponse) -> HttpResponse:
    """Kept by no cache, no proxy and not by the browser's own history."""
    response["Cache-Control"] = "no-store, private"
    return response
