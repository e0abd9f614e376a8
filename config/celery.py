"""The worker's way in. What runs when is CELERY_BEAT_SCHEDULE in the settings, and nowhere else."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("ojenhojde")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
