"""How a rule answers: it raises `Refused`, or its twin returns a `Verdict` with the reason to show."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """Something may not be done now. `reason` is shown to people as it stands; `code` is for code and tests."""

    def __init__(self, code: str, reason: Any, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self._reason = reason
        self.field = field

    @property
    def reason(self) -> str:
        return str(self._reason)

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done and, when not, why: the text a page shows beside the button that is off."""

    ok: bool
    reason: str = ""
    code: str = ""
    field: str | None = None

    def __bool__(self) -> bool:
        return self.ok


def verdict(check: Callable[..., object], /, *args: Any, **kwargs: Any) -> Verdict:
    """The `can_x` of a `check_x`."""
    try:
        check(*args, **kwargs)
    except Refused as refused:
        return Verdict(False, refused.reason, refused.code, refused.field)
    return Verdict(True)
