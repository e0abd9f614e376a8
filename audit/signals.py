"""Told after an audited write was committed: `recorded` with `entry`. Rooms above drop what they had cached."""

from django.dispatch import Signal

recorded = Signal()
