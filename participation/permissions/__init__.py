"""Whether someone may do something to this process or contribution, now.

Each rule is a `check_x` that raises `Refused` and a `can_x` that returns the same as a `Verdict`; pages show its reason.
"""

from accounts.verdict import Refused, Verdict, verdict

__all__ = ["Refused", "Verdict", "verdict"]
