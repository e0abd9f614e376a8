"""What was done, in the words of people: each room names what it writes, since this one knows none of them."""

from collections.abc import Iterable, Mapping
from typing import Any

_WORDS: dict[str, Any] = {}
_SHOWN_TO_NOBODY: set[str] = set()


def register_words(words: Mapping[str, Any], *, shown_to_nobody: Iterable[str] = ()) -> None:
    """`words`: the action as it is stored → what a person calls it. `shown_to_nobody`: those of them that no page of the
    history tells, not to those who work here either."""
    _WORDS.update(words)
    _SHOWN_TO_NOBODY.update(shown_to_nobody)


def shown_to_nobody() -> frozenset[str]:
    return frozenset(_SHOWN_TO_NOBODY)


def in_words(action: str) -> Any:
    """What is not named is shown as it is stored; the tests fail on it."""
    return _WORDS.get(action, action)


def is_named(action: str) -> bool:
    return action in _WORDS
