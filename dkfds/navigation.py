"""What stands in the header and the footer: each room tells its own places from `AppConfig.ready()`.

A room that isn't built registers nothing, so no page links to what isn't there.

    navigation.register(Place("deltag", _("Take part"), "participation:process-list", order=10))
"""

from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse


class Area(StrEnum):
    MAIN = "main"  # the navigation under the header
    FOOTER = "footer"  # accessibility, privacy, open data, rules of the debate
    SEARCH = "search"  # one place: the search form's address, a GET form with `q`
    ACCOUNT = "account"  # one place: my page
    WORK = "work"  # one place: where staff work
    RESULTS = "results"  # pages of figures, linked from the results
    DATA = "data"  # files that anyone may use, on the page of open data


@dataclass(frozen=True)
class Place:
    """`url_name` is reversed on each page, so that /en/ stays in English."""

    key: str
    label: str
    url_name: str
    order: int = 100
    area: Area = Area.MAIN

    @property
    def url(self) -> str:
        return reverse(self.url_name)


_places: dict[str, Place] = {}


def register(place: Place) -> None:
    if place.key in _places:
        raise ValueError(f"Two places call themselves {place.key!r}.")
    _places[place.key] = place


def places(area: Area | str) -> list[Place]:
    return sorted(
        (place for place in _places.values() if place.area == area),
        key=lambda place: (place.order, place.key),
    )
