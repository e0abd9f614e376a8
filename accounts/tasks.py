"""What the clock does to personal data."""

from celery import shared_task
from django.core.management import call_command
from django.db import transaction
from django.db.utils import OperationalError

from accounts import imports, persons


@shared_task(autoretry_for=(OperationalError,), max_retries=3)
def purge_personal_data() -> None:
    """Expired and replaced register extracts, persons nobody needs, ended sessions. Looks at what is due, so a day
    without a worker loses nothing; doing it twice does nothing twice."""
    imports.purge_extracts()
    with transaction.atomic():
        persons.purge_unneeded()
    call_command("clearsessions")
