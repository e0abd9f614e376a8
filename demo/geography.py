"""An invented municipality with six districts, as GeoJSON. The coordinates lie in the Kattegat, where nobody lives.

The borders are drawn from shared corners, so that neighbours meet exactly.
"""

import json
import random
from dataclasses import dataclass
from decimal import Decimal

WEST, SOUTH = 11.05, 56.35
DEGREES_EAST, DEGREES_NORTH = 0.018, 0.010  # about 1.1 km each way
# Corners by letter, in steps east and north of the south-west.
CORNERS = {
    "a": (0.4, 0.9),
    "b": (4.1, 0.0),
    "c": (7.9, 0.6),
    "d": (10.6, 1.9),
    "e": (0.0, 4.6),
    "f": (3.2, 3.7),
    "g": (5.0, 2.7),
    "h": (7.2, 3.4),
    "i": (10.9, 4.7),
    "j": (3.5, 5.8),
    "k": (5.3, 6.6),
    "l": (7.3, 5.6),
    "m": (0.9, 8.3),
    "n": (3.9, 9.0),
    "o": (7.4, 8.8),
    "p": (10.2, 7.9),
}


@dataclass(frozen=True)
class Area:
    """`people` is how many of the demo's 48,000 live there; `roads` are its invented roads."""

    code: str
    name: str
    corners: str
    people: int
    roads: tuple[str, ...]

    @property
    def geometry(self) -> dict[str, object]:
        ring = [
            [
                round(WEST + CORNERS[corner][0] * DEGREES_EAST, 6),
                round(SOUTH + CORNERS[corner][1] * DEGREES_NORTH, 6),
            ]
            for corner in self.corners
        ]
        return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


AREAS = (
    Area(
        "midt", "Lunde Midtby", "fghlkj", 12_400, ("Kirkevej", "Torvegade", "Stationsvej", "Biblioteksstræde")
    ),
    Area("nord", "Nørrelund", "mejkon", 7_300, ("Søvej", "Skovbrynet", "Badevej", "Hybenvej")),
    Area("oest", "Østerlund", "klipo", 8_900, ("Østergade", "Fælledvej", "Ringvejen", "Møllevej")),
    Area("syd", "Søndervang", "bcdhg", 9_100, ("Søndervangs Allé", "Grønningen", "Hallevej", "Åkandevej")),
    Area("vest", "Vestervang", "eabgfj", 5_600, ("Skolevej", "Bøgeparken", "Mosevej", "Vestre Stationsvej")),
    Area("aaholm", "Åholm", "hdil", 4_700, ("Åholmvej", "Forsamlingshusvej", "Engdraget", "Åbrinken")),
)


def point_in(chance: random.Random, code: str) -> tuple[Decimal, Decimal]:
    """(latitude, longitude) of some place in the district, not too near its border."""
    area = next(area for area in AREAS if area.code == code)
    corners = [CORNERS[corner] for corner in area.corners]
    middle = (sum(x for x, _y in corners) / len(corners), sum(y for _x, y in corners) / len(corners))
    toward, part = chance.choice(corners), chance.uniform(0, 0.6)
    east, north = (m + (t - m) * part for m, t in zip(middle, toward, strict=True))
    return (
        Decimal(f"{SOUTH + north * DEGREES_NORTH:.6f}"),
        Decimal(f"{WEST + east * DEGREES_EAST:.6f}"),
    )


def geojson() -> bytes:
    """What a caseworker would upload."""
    features = [
        {"type": "Feature", "properties": {"code": area.code, "name": area.name}, "geometry": area.geometry}
        for area in AREAS
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()
