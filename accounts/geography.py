"""Where a point lies. Degrees in WGS 84; GeoJSON puts longitude first, people put latitude first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts.models import District
from dkfds.drawings import rings

WEST, SOUTH, EAST, NORTH = 7.5, 54.3, 15.5, 58.0
"""Denmark, with room to spare."""


def home_districts() -> list[District]:
    """The districts people live in (`District.objects.of_home`) that have a border, with it."""
    return list(District.objects.of_home().exclude(geometry=None).defer(None))


def district_at(lat: float, lng: float, districts: Iterable[District]) -> District | None:
    """The one of them that the point lies in."""
    return next((one for one in districts if lies_in(one.geometry, lat, lng)), None)


def lies_in(geometry: Mapping[str, Any] | None, lat: float, lng: float) -> bool:
    """Whether a ray from the point crosses the borders an odd number of times: holes and several parts come right too."""
    return geometry is not None and sum(_crossings(ring, lat, lng) for ring in rings(geometry)) % 2 == 1


def _crossings(ring: Sequence[Sequence[float]], lat: float, lng: float) -> int:
    crossed = 0
    for (x1, y1, *_a), (x2, y2, *_b) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > lat) != (y2 > lat) and lng < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            crossed += 1
    return crossed


def thinned(geometry: Mapping[str, Any], decimals: int = 4) -> dict[str, Any]:
    """The same border for a screen: points on a grid (four decimals are about 10 m), so that neighbours still meet, and
    none twice in a row. What is left of a ring that shrinks to a line is dropped."""

    def thin(ring: Sequence[Sequence[float]]) -> list[list[float]]:
        points: list[list[float]] = []
        for point in ring:
            rounded = [round(point[0], decimals), round(point[1], decimals)]
            if not points or rounded != points[-1]:
                points.append(rounded)
        return points

    def polygon(coordinates: Sequence[Any]) -> list[list[list[float]]]:
        return [ring for ring in map(thin, coordinates) if len(ring) >= 4]

    if geometry["type"] == "Polygon":
        return {"type": "Polygon", "coordinates": polygon(geometry["coordinates"])}
    parts = [part for part in map(polygon, geometry["coordinates"]) if part]
    return {"type": "MultiPolygon", "coordinates": parts}
