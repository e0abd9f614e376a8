"""The one source of time (audit/clock.py says how it is moved in the demo and in tests)."""

from audit.clock import frozen, move, now, today

__all__ = ["frozen", "move", "now", "today"]
