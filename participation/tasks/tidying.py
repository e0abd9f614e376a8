"""What nobody keeps any longer: drafts, invitations nobody answered, names when their time is over."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Q

from participation import clock
from participation.models import Process
from participation.names import AFTER_THE_END


@shared_task(name="participation.delete_expired_drafts")
def delete_expired_drafts() -> int:
    from participation.actions.contributions import delete_expired_drafts as delete

    return delete()


@shared_task(name="participation.forget_expired_invitations")
def forget_expired_invitations() -> int:
    """To be a co-author: the address in an invitation nobody answered is not kept."""
    from participation.actions.team import forget_expired

    return forget_expired()


@shared_task(name="participation.remove_names")
def remove_names() -> int:
    """Looks back: every process whose day has come and that still holds a name."""
    from participation.actions import contributions

    ended = clock.now() - AFTER_THE_END + timedelta(days=1)
    due = Process.objects.filter(
        Q(names_until__lte=clock.today()) | Q(names_until=None, concluded_at__lte=ended)
    )
    return sum(contributions.remove_names(process=process) for process in due.iterator())
