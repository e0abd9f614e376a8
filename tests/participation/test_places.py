"""A place as a point: read, checked against the districts, shown without growing."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.geography import district_at, home_districts, lies_in, thinned
from accounts.models import District, User
from accounts.verdict import Refused
from demo.geography import AREAS, point_in
from dkfds.drawings import district_map
from participation import clock
from participation.actions import contributions as actions
from participation.choices import Moderation, Status
from participation.forms.contributions import ContributionForm
from participation.forms.fields import PointField
from participation.models import Contribution, Process
from tests.accounts.factories import make_staff
from tests.factories import make_process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "fresh_pages")]

RING = [[10.0, 56.0], [10.4, 56.0], [10.4, 56.4], [10.0, 56.4], [10.0, 56.0]]
HOLE = [[10.1, 56.1], [10.2, 56.1], [10.2, 56.2], [10.1, 56.2], [10.1, 56.1]]
ISLAND = [[[10.6, 56.0], [10.7, 56.0], [10.7, 56.1], [10.6, 56.0]]]


@pytest.fixture
def town(db: None) -> list[District]:
    return [
        District.objects.create(kind="school", code=area.code, name=area.name, geometry=area.geometry)
        for area in AREAS
    ]


def test_holes_and_islands() -> None:
    shape = {"type": "MultiPolygon", "coordinates": [[RING, HOLE], ISLAND]}
    assert lies_in(shape, 56.3, 10.3)
    assert not lies_in(shape, 56.15, 10.15)
    assert lies_in(shape, 56.03, 10.66)
    assert not lies_in(shape, 56.09, 10.61)
    assert not lies_in(shape, 56.3, 10.5)
    assert not lies_in(None, 56.3, 10.3)


def test_every_point_lies_in_exactly_one_district_or_outside(town: list[District]) -> None:
    chance = random.Random(4)
    for _time in range(500):
        lat, lng = chance.uniform(56.33, 56.46), chance.uniform(11.0, 11.27)
        assert sum(lies_in(one.geometry, lat, lng) for one in town) <= 1
    for area in AREAS:
        for _time in range(20):
            lat, lng = point_in(chance, area.code)
            found = district_at(float(lat), float(lng), home_districts())
            assert found is not None
            assert found.code == area.code


@pytest.mark.parametrize(
    "text",
    [
        "56.4012, 11.0933",
        "56.4012,11.0933",
        " 56.4012 11.0933 ",
        "56,4012; 11,0933",
        "56,4012 11,0933",
        "56,4012, 11,0933",
    ],
)
def test_points_as_maps_and_telephones_write_them(text: str) -> None:
    assert PointField().clean(text) == (Decimal("56.4012"), Decimal("11.0933"))


@pytest.mark.parametrize(
    "text",
    [
        "11.09, 56.40",
        "torvet",
        "56",
        "NaN, NaN",
        "1e5, 3",
        "56.4, 11.0, 3",
        "²³, 11",
        "-56.4, 11.1",
        "٥٦.٤, 11.0",
    ],
)
def test_what_is_no_point_in_denmark_gets_a_sentence(process: Process, text: str) -> None:
    form = ContributionForm(
        {"title": "T", "body": "B", "name_shown": "first", "point": text}, process=process
    )
    assert not form.is_valid()
    assert list(form.errors) == ["point"]
    assert form["point"].value() == text


def give(process: Process, by: User, **fields: Any) -> Contribution:
    return actions.give_contribution(process=process, by=by, title="Bænk", body="I solen.", **fields)


def test_the_point_gives_the_district_unless_another_was_chosen(
    process: Process, citizen: User, town: list[District]
) -> None:
    north = next(one for one in town if one.code == "nord")
    point = point_in(random.Random(1), "nord")
    given = give(process, citizen, point=point)
    given.refresh_from_db()
    assert (given.district, given.point) == (north, point)
    with pytest.raises(Refused) as caught:
        give(process, citizen, point=point, district=next(one for one in town if one.code == "syd"))
    assert (caught.value.code, caught.value.field) == ("other_district", "district")
    with pytest.raises(Refused) as caught:
        give(process, citizen, point=(Decimal(55), Decimal(9)))
    assert (caught.value.code, caught.value.field) == ("outside", "point")


def test_without_borders_any_point_in_denmark_will_do(process: Process, citizen: User) -> None:
    assert give(process, citizen, point=(Decimal(55), Decimal(9))).point == (Decimal(55), Decimal(9))


def test_a_point_is_whole_or_not_there(process: Process, citizen: User) -> None:
    given = give(process, citizen)
    for wrong in ({"lat": 55}, {"lng": 9}, {"lat": 91, "lng": 9}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Contribution.objects.filter(pk=given.pk).update(**wrong)


def test_correcting_moves_the_point_and_its_district(
    process: Process, citizen: User, town: list[District]
) -> None:
    given = give(process, citizen, point=point_in(random.Random(1), "nord"))
    moved = point_in(random.Random(2), "syd")
    edited = actions.edit_contribution(
        contribution=given, by=citizen, version=given.version, point=moved, district=None
    )
    assert (edited.point, edited.district.code) == (moved, "syd")  # type: ignore[union-attr]
    edited = actions.edit_contribution(contribution=edited, by=citizen, version=edited.version, point=None)
    assert edited.point is None


def test_the_form_holds_the_point_through_draft_review_and_correction(
    process: Process, citizen: User, town: list[District]
) -> None:
    lat, lng = point_in(random.Random(1), "nord")
    client = Client()
    client.force_login(citizen)
    write = reverse("participation:contribute", args=[process.slug])
    data = {
        "title": "Bænk",
        "body": "I solen.",
        "name_shown": "first",
        "point": f"{lat}, {lng}",
        "go_on": "1",
    }
    review = client.post(write, data)
    assert review.status_code == 302
    page = client.get(review.url).content.decode()
    assert f"{lat:.4f}, {lng:.4f}" in page
    client.post(review.url)
    given = Contribution.objects.get()
    assert given.point == (lat, lng)
    edit = client.get(reverse("participation:contribution-edit", args=[process.slug, given.public_id]))
    assert f'value="{lat}, {lng}"' in edit.content.decode()
    outside = client.post(write, data | {"point": "55.0, 9.0"})
    assert outside.status_code == 422
    assert "Punktet ligger uden for kommunen." in outside.content.decode()


def test_what_came_by_letter_is_on_the_map_too(town: list[District]) -> None:
    process = make_process(status=Status.OPEN)
    client = Client()
    client.force_login(make_staff(units=[process.unit]))
    url = reverse("admin:process-record", args=[process.pk])
    lat, lng = point_in(random.Random(1), "nord")
    fields = {
        "channel": "letter",
        "received_on": clock.today().isoformat(),
        "author_name": "Inger Holm",
        "title": "En bænk",
        "body": "Så kan man hvile sig.",
        "detail-cost": "12.000",
    }
    outside = client.post(url, fields | {"point": "55.0, 9.0"})
    assert "Punktet ligger uden for kommunen." in outside.content.decode()
    assert client.post(url, fields | {"point": f"{lat}, {lng}"}).status_code == 302
    given = Contribution.objects.get()
    assert (given.point, given.district.code) == ((lat, lng), "nord")  # type: ignore[union-attr]


def fill(process: Process, amount: int, town: list[District]) -> None:
    chance = random.Random(7)
    now = timezone.now()
    rows = []
    for number in range(amount):
        district = chance.choice(town)
        lat, lng = point_in(chance, district.code)
        rows.append(
            Contribution(
                process=process,
                title=f"Sted {number:05}",
                body="Her.",
                lat=lat,
                lng=lng,
                district=district,
                received_on=now.date(),
                created_at=now,
                moderation=Moderation.PUBLISHED,
                published_at=now,
            )
        )
    Contribution.objects.bulk_create(rows)


def test_the_page_is_as_large_with_two_thousand_places_as_with_thirty(
    client: Client, process: Process, town: list[District]
) -> None:
    address = reverse("participation:contribution-map", args=[process.slug])
    sizes, asked = [], []
    for amount in (30, 1970):
        fill(process, amount, town)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(address)
        sizes.append(len(response.content))
        asked.append(len(queries))
    assert abs(sizes[1] - sizes[0]) < 1500  # more page numbers to choose from
    assert asked[0] == asked[1] <= 8
    with CaptureQueriesContext(connection) as queries:
        points = client.get(reverse("participation:contribution-points", args=[process.slug]))
    assert len(queries) <= 2
    features = json.loads(points.content)["features"]
    assert len(features) == 2000
    assert len(points.content) < 600_000


def test_only_what_is_public_is_on_the_map(
    client: Client, process: Process, citizen: User, town: list[District]
) -> None:
    shown = give(process, citizen, point=point_in(random.Random(1), "nord"))
    hidden = give(process, citizen, point=point_in(random.Random(2), "syd"))
    Contribution.objects.filter(pk=hidden.pk).update(moderation=Moderation.PENDING, title="Hemmelig")
    give(process, citizen)  # without a point: in the list, not among the points
    points = client.get(reverse("participation:contribution-points", args=[process.slug]))
    assert points["Content-Type"] == "application/geo+json"
    features = json.loads(points.content)["features"]
    assert [feature["properties"]["url"] for feature in features] == [shown.get_absolute_url()]
    assert [feature["properties"]["district"] for feature in features] == ["Nørrelund"]
    page = client.get(reverse("participation:contribution-map", args=[process.slug])).content.decode()
    assert "Hemmelig" not in page
    assert page.count("data-lat=") == 1


def test_the_list_is_found_by_district(
    client: Client, process: Process, citizen: User, town: list[District]
) -> None:
    give(process, citizen, point=point_in(random.Random(1), "nord"))
    address = reverse("participation:contribution-map", args=[process.slug])
    for district in town:
        page = client.get(address, {"distrikt": district.pk}).content.decode()
        assert ("Bænk" in page) is (district.code == "nord")
    assert client.get(address, {"distrikt": "x", "page": "x"}).status_code == 200


def test_borders_are_thinned_and_neighbours_still_meet(client: Client, town: list[District]) -> None:
    features = json.loads(client.get(reverse("participation:district-borders")).content)["features"]
    assert {feature["properties"]["name"] for feature in features} == {area.name for area in AREAS}
    many = [[10 + i / 100_000, 56 + (i % 2) / 1_000_000] for i in range(4000)]
    ring = [*many, [10.0, 56.5], many[0]]
    thin = thinned({"type": "Polygon", "coordinates": [ring]})["coordinates"][0]
    assert len(thin) < 500
    assert thin[0] == thin[-1]
    sliver = thinned(
        {
            "type": "MultiPolygon",
            "coordinates": [[ring], [[[10, 56], [10.00001, 56], [10, 56.00001], [10, 56]]]],
        }
    )
    assert len(sliver["coordinates"]) == 1


def test_the_drawing_leaves_out_what_nobody_could_see_and_marks_the_point() -> None:
    many = [[10 + i / 10_000, 56.0] for i in range(4000)]
    shape = {"type": "Polygon", "coordinates": [[*many, [10.2, 56.4], many[0]]]}
    drawn = district_map([("Nord", shape)], point=(Decimal("56.2"), Decimal("10.2")))
    assert drawn is not None
    assert len(drawn.areas[0].path) < 12_000
    assert drawn.dot is not None


def test_the_contribution_shows_its_dot(
    client: Client, process: Process, citizen: User, town: list[District]
) -> None:
    given = give(process, citizen, point=point_in(random.Random(1), "nord"))
    page = client.get(given.get_absolute_url()).content.decode()
    assert 'class="district-map-dot"' in page
    assert "En prik i Nørrelund viser, hvor det er." in page
    without = give(process, citizen)
    assert "district-map-dot" not in client.get(without.get_absolute_url()).content.decode()
