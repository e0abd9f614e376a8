"""The worker's way in. Scheduled jobs look back instead of assuming that they ran last time."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("ojenhojde")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
