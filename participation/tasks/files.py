"""What nobody put to use, and the bytes of what was taken away."""

from celery import shared_task
from django.db.utils import OperationalError


@shared_task(  # type: ignore[untyped-decorator]
    name="participation.sweep_files",
    autoretry_for=(OperationalError,),
    max_retries=3,
    default_retry_delay=5,
)
def sweep_files() -> int:
    from participation.actions.files import sweep

    return sweep()
