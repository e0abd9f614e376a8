"""What a mailout is about, said by the rooms above: a process, a hearing. This room knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from mailouts.models import Campaign


@dataclass(frozen=True)
class About:
    label: str
    url: str


_sources: list[Callable[[Campaign], About | None]] = []


def register(source: Callable[[Campaign], About | None]) -> None:
    if source not in _sources:
        _sources.append(source)


def of(campaign: Campaign) -> list[About]:
    return [found for source in _sources if (found := source(campaign)) is not None]
