"""Row locks that Django's `select_for_update` has no word for."""

from django.db import connection

from participation.models import Process


def hold(process_id: int) -> Process:
    """The process as it is now, against everyone who holds it FOR SHARE: nobody gives, supports or argues in between. Rows
    that only point at it (a notice, an audit entry) are written all the same."""
    return Process.objects.select_for_update(no_key=True).get(pk=process_id)


def share(process_id: int) -> Process:
    """The process as it is now, FOR SHARE: whoever gives or votes never queues behind each other, only behind a
    transition, and no transition slips in before the caller has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM participation_process WHERE id = %s FOR SHARE", [process_id])
    return Process.objects.get(pk=process_id)
