"""The five principles of Ballerup Kommune, one file each: its columns beside its checks.

Source: "Fem principper for inddragelse af borgerne" and the inspiration catalogue of 25 May 2020. `readiness(process)`
is what pages show and what `approve` and `conclude` ask.
"""

from participation.principles.base import Finding, Gate, Level, Principle

__all__ = [
    "Finding",
    "Gate",
    "Group",
    "Judged",
    "Level",
    "Principle",
    "Readiness",
    "check_label",
    "findings",
    "judge",
    "readiness",
]


def __getattr__(name: str) -> object:
    """The judging needs the models, and the models need the columns in this package."""
    if name in {"Group", "Judged", "Readiness", "check_label", "findings", "judge", "readiness"}:
        from participation.principles import judging

        return getattr(judging, name)
    raise AttributeError(name)
