"""Districts from GeoJSON: a FeatureCollection of areas, each with a code and a name."""

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.imports.files import FileRefused, LineError, decode, is_clean, read_bytes, refuse
from accounts.models import District, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit.actions import record

MAX_BYTES = 20_000_000
MAX_DISTRICTS = 2000
CODE_NAMES = ("code", "kode", "nr", "id", "distriktsnr")
NAME_NAMES = ("name", "navn", "distriktsnavn")
# Denmark with Bornholm, in degrees: west, south, east, north.
DENMARK = (7.5, 54.0, 15.6, 58.5)


@dataclass(frozen=True)
class Area:
    code: str
    name: str
    geometry: dict[str, Any]


def parse(file: BinaryIO | bytes) -> list[Area]:
    content, _sha256 = read_bytes(file, MAX_BYTES)
    try:
        data = json.loads(decode(content), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refuse(_("The file is not GeoJSON.")) from error
    features = data.get("features") if isinstance(data, dict) else None
    if (
        not isinstance(data, dict)
        or data.get("type") != "FeatureCollection"
        or not isinstance(features, list)
    ):
        raise refuse(_("The file must be a GeoJSON FeatureCollection."))
    if not features:
        raise refuse(_("There are no districts in the file."))
    if len(features) > MAX_DISTRICTS:
        raise refuse(_("There are more than %(most)s areas in the file.") % {"most": MAX_DISTRICTS})
    areas: list[Area] = []
    errors: list[LineError] = []
    seen: dict[str, int] = {}
    for number, feature in enumerate(features, start=1):
        try:
            area = _area(feature)
            first = seen.setdefault(area.code, number)
            if first != number:
                raise ValueError(_("Its code is the same as that of area %(first)s.") % {"first": first})
            areas.append(area)
        except ValueError as error:
            errors.append(
                LineError(None, _("Area %(number)s: %(problem)s") % {"number": number, "problem": error})
            )
    if errors:
        raise FileRefused(errors)
    return areas


@transaction.atomic
def import_districts(
    *, by: User, kind: str, file: BinaryIO | bytes | None = None, areas: list[Area] | None = None
) -> list[District]:
    """Adds new districts and renews those with a known code; the others stay as they are."""
    if not by.may(Permission.MANAGE_TEXTS):
        raise Refused("not_yours", _("You may not change the districts."))
    if kind not in District.Kind.values:
        raise Refused("kind", _("Choose what kind of districts it is."), "kind")
    if areas is None:
        assert file is not None
        areas = parse(file)
    made = District.objects.bulk_create(
        [District(kind=kind, code=area.code, name=area.name, geometry=area.geometry) for area in areas],
        update_conflicts=True,
        unique_fields=["kind", "code"],
        update_fields=["name", "geometry"],
    )
    record(action="districts.imported", by=by, obj=made[0], values={"kind": kind, "districts": len(made)})
    return made


def _area(feature: Any) -> Area:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise ValueError(_("It has no properties."))
    properties = {str(name).lower(): value for name, value in feature["properties"].items()}
    code, name = _first(properties, CODE_NAMES), _first(properties, NAME_NAMES)
    if not code or len(code) > 20:
        raise ValueError(_("The property “code” is missing or longer than 20 characters."))
    if not name or len(name) > 120:
        raise ValueError(_("The property “name” is missing or longer than 120 characters."))
    if not is_clean(code) or not is_clean(name):
        raise ValueError(_("There is a character that can't be printed in its code or name."))
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(_("Its border must be a Polygon or a MultiPolygon."))
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        raise ValueError(_("Its border is empty."))
    return Area(code, name, {"type": kind, "coordinates": _checked(polygons, kind)})


def _checked(polygons: list[Any], kind: str) -> list[Any]:
    cleaned = []
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            raise ValueError(_("Its border is empty."))
        rings = []
        for ring in polygon:
            if not isinstance(ring, list) or len(ring) < 4:
                raise ValueError(_("A border needs at least four points."))
            points = [_point(point) for point in ring]
            if points[0] != points[-1]:
                raise ValueError(_("The border does not end where it began."))
            rings.append(points)
        cleaned.append(rings)
    return cleaned if kind == "MultiPolygon" else cleaned[0]


def _point(point: Any) -> list[float]:
    if not isinstance(point, list) or not 2 <= len(point) <= 3:
        raise ValueError(_("A point must be a pair of numbers."))
    east, north = point[0], point[1]
    for value in (east, north):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(_("A point must be a pair of numbers."))
    if not (DENMARK[0] <= east <= DENMARK[2] and DENMARK[1] <= north <= DENMARK[3]):
        raise ValueError(
            _(
                "A point lies outside Denmark. The file must be in degrees (WGS 84, EPSG:4326), longitude first."
            )
        )
    return [round(float(east), 6), round(float(north), 6)]


def _first(properties: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = properties.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value).strip()
    return ""


def _no_constant(name: str) -> None:
    raise ValueError(name)
