"""Shapes of charts and maps: pure arithmetic from numbers to what an SVG attribute holds.

Lengths are text with a point for decimals, whatever the language of the page.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LADDER = ("information", "hearing", "dialogue", "influence", "codecision", "coresponsibility")


@dataclass(frozen=True)
class Step:
    """One step of the ladder: a bar in a drawing 120 wide and 48 high."""

    key: str
    number: int
    current: bool
    x: int
    y: int
    height: int


def ladder(current: str) -> list[Step]:
    """The six steps of the participation ladder, each a little higher; an unknown key marks none."""
    return [
        Step(key, index + 1, key == current, x=index * 20, y=40 - index * 7, height=8 + index * 7)
        for index, key in enumerate(LADDER)
    ]


@dataclass(frozen=True)
class Bar:
    """label, value as given; `length` and, for a reference, `reference_at` in per cent of the widest."""

    label: str
    value: float
    length: str
    marked: bool
    note: str
    line_below: str
    reference: float | None = None
    reference_at: str = ""


def bars(rows: Iterable[Mapping[str, Any]], *, widest: float | None = None) -> list[Bar]:
    """Rows {"label", "value", "marked"?, "note"?, "line_below"?, "reference"?} drawn against the widest value.

    `marked` rows are drawn in the strong tone (funded, chosen); `line_below` is a sentence on a line after the row.
    """
    rows = list(rows)
    values = [float(row["value"]) for row in rows] + [
        float(row["reference"]) for row in rows if row.get("reference")
    ]
    top = widest or max(values, default=0) or 1
    return [
        Bar(
            label=str(row["label"]),
            value=row["value"],
            length=share(float(row["value"]), top),
            marked=bool(row.get("marked")),
            note=str(row.get("note", "")),
            line_below=str(row.get("line_below", "")),
            reference=row.get("reference"),
            reference_at=share(float(row["reference"]), top) if row.get("reference") is not None else "",
        )
        for row in rows
    ]


def share(value: float, top: float) -> str:
    """Per cent of `top`, kept within the drawing."""
    return f"{min(max(value / top * 100, 0), 100):.2f}%"


@dataclass(frozen=True)
class Area:
    name: str
    path: str
    selected: bool
    label_x: str
    label_y: str


@dataclass(frozen=True)
class Map:
    view_box: str
    areas: list[Area]
    dot: tuple[str, str] | None = None


SMALLEST = 0.5  # of the drawing's units


def district_map(
    districts: Iterable[tuple[str, Mapping[str, Any] | None]],
    selected: Sequence[str] = (),
    *,
    width: int = 320,
    point: tuple[Any, Any] | None = None,
) -> Map | None:
    """(name, GeoJSON Polygon or MultiPolygon in WGS 84) of each district → one drawing; None without any border.
    `point` (latitude, longitude) is marked with a dot.

    Longitudes are shrunk by the cosine of the middle latitude, which at the size of a municipality is as good as a
    projection.
    """
    shapes = [(name, rings(geometry)) for name, geometry in districts if geometry]
    points = [corner for _name, borders in shapes for ring in borders for corner in ring]
    if not points:
        return None
    west, east = min(corner[0] for corner in points), max(corner[0] for corner in points)
    south, north = min(corner[1] for corner in points), max(corner[1] for corner in points)
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = width / (max((east - west) * squeeze, north - south) or 1)

    def place(corner: Sequence[float]) -> tuple[float, float]:
        return (corner[0] - west) * squeeze * scale, (north - corner[1]) * scale

    areas = []
    for name, borders in shapes:
        placed = [_drawn(map(place, ring)) for ring in borders]
        path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z" for ring in placed)
        widest = max(placed, key=len)
        areas.append(
            Area(
                name=name,
                path=path,
                selected=name in selected,
                label_x=f"{sum(x for x, _y in widest) / len(widest):.1f}",
                label_y=f"{sum(y for _x, y in widest) / len(widest):.1f}",
            )
        )
    wide, high = (east - west) * squeeze * scale, (north - south) * scale
    dot = None
    if point is not None:
        x, y = place((float(point[1]), float(point[0])))
        dot = (f"{x:.1f}", f"{y:.1f}")
    return Map(view_box=f"-4 -4 {wide + 8:.1f} {high + 8:.1f}", areas=areas, dot=dot)


def _drawn(corners: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the corners that nobody could see at this size."""
    kept: list[tuple[float, float]] = []
    for x, y in corners:
        if not kept or abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= SMALLEST:
            kept.append((x, y))
    return kept


def rings(geometry: Mapping[str, Any]) -> list[Sequence[Sequence[float]]]:
    """Every border line of a GeoJSON Polygon or MultiPolygon, outer and inner."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates", [])
    if kind == "Polygon":
        return [ring for ring in coordinates if ring]
    if kind == "MultiPolygon":
        return [ring for polygon in coordinates for ring in polygon if ring]
    raise ValueError(f"A district's border is a Polygon or a MultiPolygon, not {kind!r}.")


@dataclass(frozen=True)
class Tone:
    """How a state is shown: a css tone and an icon, always beside its word."""

    tone: str
    icon: str


TONES = {
    # a process
    "draft": Tone("quiet", "edit"),
    "in_review": Tone("wait", "visibility"),
    "approved": Tone("wait", "calendar-month"),
    "open": Tone("now", "how-to-reg"),
    "closed": Tone("quiet", "hourglass"),
    "decided": Tone("good", "success"),
    "concluded": Tone("good", "flag"),
    "cancelled": Tone("stop", "close"),
    "informed": Tone("quiet", "info"),
    # what came of a contribution
    "adopted": Tone("good", "success"),
    "partly": Tone("good", "check"),
    "not_adopted": Tone("quiet", "minus"),
    "noted": Tone("quiet", "document"),
    # moderation
    "pending": Tone("wait", "hourglass"),
    "published": Tone("good", "visibility"),
    "rejected": Tone("stop", "visibility-off"),
    "withdrawn": Tone("quiet", "reply"),
    "merged": Tone("quiet", "subdirectory-arrow-right"),
    # a project's assessment
    "undecided": Tone("wait", "hourglass"),
    "feasible": Tone("good", "success"),
    "not_feasible": Tone("stop", "close"),
    # how a project is carried out, and what became of a promise
    "on_time": Tone("now", "calendar-month"),
    "delayed": Tone("wait", "hourglass"),
    "done": Tone("good", "success"),
    "given_up": Tone("stop", "close"),
    "promised": Tone("quiet", "hourglass"),
    "delivered": Tone("good", "check"),
    "dropped": Tone("stop", "close"),
    "taken_out": Tone("quiet", "minus"),
    # what a group told or spent
    "waiting": Tone("wait", "hourglass"),
    "confirmed": Tone("good", "check"),
    "shown": Tone("good", "visibility"),
    "refused": Tone("stop", "close"),
    # a check
    "passed": Tone("good", "success"),
    "warning": Tone("wait", "warning"),
    "blocking": Tone("stop", "error"),
}
PLAIN = Tone("quiet", "info")


def tone(state: str) -> Tone:
    return TONES.get(str(state), PLAIN)
