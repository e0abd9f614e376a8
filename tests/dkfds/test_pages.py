"""The base page as people meet it: without an account, when something is wrong, on a phone, without script."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import override_settings

from dkfds import errors

GALLERY = "/stil/"
WEIGHT_OF_THE_REST = 25_000  # bytes that a page's own HTML may weigh, compressed


def anonymous(path: str = GALLERY) -> HttpRequest:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    return request


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (errors.bad_request, 400),
        (errors.permission_denied, 403),
        (errors.not_found, 404),
        (errors.csrf_failure, 403),
        (errors.too_many, 429),
        (errors.server_error, 500),
    ],
)
def test_a_page_for_what_went_wrong_tells_how_to_reach_us(danish: None, view: Any, status: int) -> None:
    response = view(anonymous())
    html = response.content.decode()
    assert response.status_code == status
    assert 'lang="da"' in html
    assert settings.MUNICIPALITY["phone"] in html
    assert settings.MUNICIPALITY["name"] in html
    assert "<h1>" in html
    assert 'content="noindex"' in html


def test_an_unknown_address_gets_our_page_without_asking_the_database(client: Client, danish: None) -> None:
    response = client.get("/findes-ikke/")
    assert response.status_code == 404
    assert "Vi kan ikke finde siden" in response.content.decode()


@pytest.mark.django_db
def test_the_gallery_is_for_those_who_build(client: Client) -> None:
    assert client.get(GALLERY).status_code == 404


@pytest.fixture
def gallery(client: Client, db: None) -> str:
    with override_settings(DEBUG=True):
        return client.get(GALLERY).content.decode()


def test_the_header_is_the_same_for_everybody_who_is_not_signed_in(gallery: str) -> None:
    header = gallery[: gallery.index("<main")]
    assert "csrfmiddlewaretoken" not in header
    assert "nonce" not in header
    assert 'method="post"' not in header


def test_no_cookie_is_set_by_looking(client: Client, db: None) -> None:
    with override_settings(DEBUG=True):
        assert not client.get(GALLERY).cookies


def test_ids_are_only_used_once(gallery: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', gallery)
    assert len(ids) > 30
    assert sorted(one for one in set(ids) if ids.count(one) > 1) == []


def test_english_lies_under_its_own_address(client: Client, db: None) -> None:
    with override_settings(DEBUG=True):
        danish, english = client.get(GALLERY).content.decode(), client.get(f"/en{GALLERY}").content.decode()
    assert '<html lang="da">' in danish
    assert '<html lang="en">' in english
    assert f'href="/en{GALLERY}"' in danish
    assert f'href="{GALLERY}"' in english
    assert 'class="brand" href="/en/"' in english


def test_a_page_of_one_language_offers_no_other(client: Client, danish: None) -> None:
    header = render_to_string("partials/header.html", {"plain_page": True}, request=anonymous("/metrics/"))
    assert "site-language" not in header
    header = render_to_string("partials/header.html", {"plain_page": True}, request=anonymous())
    assert header.count('hreflang="en"') == 2  # the wide header and the menu of a phone


def test_a_first_visit_is_light(gallery: str) -> None:
    """Everything a first page fetches, compressed as it is served; fonts are compressed already."""
    head = gallery[: gallery.index("</head>")]
    files = set(re.findall(r'(?:href|src)="/static/([^"]+)"', head))
    # A page with a form fetches the design system's script; the gallery is such a page.
    assert {"dkfds/dkfds.css", "dkfds/dkfds.js", "css/ojenhojde.css", "js/ojenhojde.js"} <= files
    assert sum(file.endswith(".woff2") for file in files) == 2
    weight = {}
    for file in files:
        found = finders.find(file)
        assert found, file
        body = Path(found).read_bytes()
        weight[file] = len(body) if file.endswith(".woff2") else len(gzip.compress(body, 9))
    print(weight, sum(weight.values()))
    assert sum(weight.values()) + WEIGHT_OF_THE_REST <= 120_000
