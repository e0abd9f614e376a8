"""Pages kept for anonymous visitors: fast, never anybody's own, never older than ten seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from csp.middleware import CSPMiddleware
from django.conf import settings as configured
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from participation.actions import outcomes
from participation.page_cache import SECONDS, PageCacheMiddleware, forget_pages, public_page
from tests.site.addresses import behind, every_address, path_of
from tests.site.world import World


@pytest.fixture
def queries(world: World) -> Callable[[], CaptureQueriesContext]:
    from django.db import connection

    return lambda: CaptureQueriesContext(connection)


def counting(view: Callable[[HttpRequest], HttpResponse] | None = None, **marks: Any) -> Any:
    """A site of one page behind the cache; `built` says how often the page was really made."""

    @public_page
    def page(request: HttpRequest) -> HttpResponse:
        site.built += 1
        return view(request) if view else HttpResponse(f"page {site.built}")

    site = PageCacheMiddleware(page)
    site.built = 0  # type: ignore[attr-defined]
    return site


get = RequestFactory().get


@pytest.fixture
def fresh() -> None:
    cache.clear()


# A hit


def test_a_second_visitor_costs_no_query(world: World, queries: Any) -> None:
    for path in public_paths(world):
        first = Client().get(path)
        with queries() as asked:
            second = Client().get(path)
        assert len(asked) == 0, (path, [one["sql"] for one in asked])
        assert second.content == first.content, path
        assert dict(second.headers) == dict(first.headers), path


def test_what_maps_read_is_kept_for_those_signed_in_too(world: World, queries: Any) -> None:
    for path in (path for path in public_paths(world) if path.endswith(".geojson")):
        first = world.client("citizen").get(path)
        with queries() as asked:
            again = world.client("citizen").get(path, headers={"if-none-match": first["ETag"]})
            other = Client().get(path)
        assert (again.status_code, other.content, len(asked)) == (304, first.content, 0)
        assert first["Cache-Control"] == "no-cache"
        assert not first.cookies


def public_paths(world: World) -> list[str]:
    names = {
        "participation:front",
        "participation:process-list",
        "participation:process-detail",
        "participation:programme-detail",
        "participation:results",
        "participation:have-an-idea",
        "participation:about",
        "participation:accessibility",
        "participation:search",
        "participation:contribution-list",
        "participation:contribution-map",
        "participation:contribution-points",
        "participation:district-borders",
        "participation:contribution-detail",
        "participation:question-list",
        "budgets:projects",
        "budgets:result",
    }
    values = behind(world)
    return [path_of(one, values(one)) for one in every_address() if one.name in names]


def test_whoever_has_the_page_is_told_that_it_is_still_good(world: World, queries: Any) -> None:
    path = reverse("participation:front")
    tag = Client().get(path)["ETag"]
    with queries() as asked:
        again = Client().get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, len(asked)) == (304, b"", 0)
    cache.clear()  # also when the page is built anew and is the same
    assert Client().get(path, headers={"If-None-Match": tag}).status_code == 304
    assert Client().get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_browsers_ask_each_time(world: World) -> None:
    for _time in ("built", "kept"):
        response = Client().get("/")
        assert response["Cache-Control"] == "no-cache"
        assert "Cookie" in {part.strip() for part in response["Vary"].split(",")}


def test_asking_for_the_head_alone_keeps_the_whole(world: World) -> None:
    head = Client().head("/")
    assert (head.status_code, head.content) == (200, b"")
    whole = Client().get("/")
    assert b"</html>" in whole.content
    assert Client().head("/")["ETag"] == whole["ETag"]


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    "other",
    [
        {"path": "/en/"},
        {"path": "/?side=2"},
        {"headers": {"host": "127.0.0.1"}},
        {"secure": True},
    ],
)
def test_language_host_scheme_and_query_are_told_apart(other: dict[str, Any]) -> None:
    site = counting()
    site(get("/"))
    site(get(**({"path": "/"} | other)))
    assert site.built == 2
    site(get("/"))
    assert site.built == 2


# What is never kept


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("cookie", [configured.SESSION_COOKIE_NAME, CookieStorage.cookie_name])
def test_whoever_has_a_session_or_a_message_waiting_gets_their_own(cookie: str) -> None:
    site = counting()
    site(get("/"))
    mine = get("/")
    mine.COOKIES[cookie] = "anything"
    for _time in range(2):
        site(mine)
    assert site.built == 3
    site(get("/"))
    assert site.built == 3


def test_a_message_to_somebody_not_signed_in_is_shown_on_a_kept_page(world: World) -> None:
    """Asking about a process says thank you on the list of questions, which is kept for everybody else."""
    slug = world.processes["open"].slug
    shown = reverse("participation:question-list", args=[slug])
    Client().get(shown)
    client = Client()
    asked = client.post(reverse("participation:question-ask", args=[slug]), {"text": "Hvor mange er vi?"})
    assert (asked.status_code, asked["Location"]) == (302, shown)
    assert 'class="alert' in client.get(shown).content.decode()
    assert 'class="alert' not in Client().get(shown).content.decode()


@pytest.mark.usefixtures("fresh")
def test_a_page_with_a_form_s_token_is_not_kept() -> None:
    inner = counting(lambda request: HttpResponse(get_token(request)))
    site = PageCacheMiddleware(CsrfViewMiddleware(lambda request: inner.get_response(request)))
    for visitor in (get("/"), get("/", headers={"cookie": "csrftoken=" + "a" * 32})):
        for _time in range(2):
            site(visitor)
    assert inner.built == 4


@pytest.mark.usefixtures("fresh")
def test_a_page_with_a_nonce_is_not_kept() -> None:
    inner = counting(lambda request: HttpResponse(str(request.csp_nonce)))
    site = CSPMiddleware(inner)
    assert site(get("/")).content != site(get("/")).content
    assert inner.built == 2


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("status", [301, 302, 403, 404, 500])
def test_only_what_went_well_is_kept(status: int) -> None:
    site = counting(lambda request: HttpResponse(status=status))
    site(get("/"))
    site(get("/"))
    assert site.built == 2


@pytest.mark.usefixtures("fresh")
def test_what_is_not_marked_as_the_same_for_all_is_not_kept() -> None:
    calls = []
    site = PageCacheMiddleware(lambda request: calls.append(1) or HttpResponse("mine"))  # type: ignore[func-returns-value]
    site(get("/"))
    site(get("/"))
    assert len(calls) == 2


@pytest.mark.usefixtures("fresh")
def test_posting_passes_it_by() -> None:
    site = counting()
    site(get("/"))
    site(RequestFactory().post("/"))
    assert site.built == 2


def test_the_pages_of_a_vote_are_stored_nowhere(world: World) -> None:
    slug = world.processes["vote"].slug
    for role in ("anonymous", "citizen", "worker"):
        for name in ("vote", "tracker"):
            response = world.client(role).get(reverse(f"budgets:{name}", args=[slug]))
            assert "no-store" in response["Cache-Control"], (role, name)
    assert kept_pages() == []


def kept_pages() -> list[str]:
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    found = [cache.get(key.decode().removeprefix(":1:")) for key in client.keys(":1:*")]
    return [one[1][0].decode() for one in found if isinstance(one, tuple)]


def test_forms_messages_and_names_are_in_no_kept_page(world: World) -> None:
    """What is in the cache after everybody has been everywhere holds no token and nobody's session."""
    values = behind(world)
    for address in every_address():
        with contextlib.suppress(KeyError):
            path = path_of(address, values(address))
            for role in ("anonymous", "citizen"):
                world.client(role).get(path)
    pages = kept_pages()
    assert len(pages) > 10
    for page in pages:
        assert "csrfmiddlewaretoken" not in page
        assert "nonce=" not in page
        assert world.people["citizen"].handle not in page


# How long


@pytest.mark.usefixtures("fresh")
def test_nothing_is_kept_longer_than_ten_seconds() -> None:
    counting()(get("/"))
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    pages = [key for key in client.keys("*") if b"generation" not in key]
    assert len(pages) == 1
    assert 0 < client.ttl(pages[0]) <= SECONDS <= 10


@pytest.mark.usefixtures("fresh")
def test_what_changed_is_not_shown_as_it_was() -> None:
    site = counting()
    assert site(get("/")).content == site(get("/")).content == b"page 1"
    forget_pages()
    assert site(get("/")).content == b"page 2"


@pytest.mark.usefixtures("fresh")
def test_a_change_while_the_page_was_being_built_counts_too() -> None:
    """The page was read before the change and is kept after it."""
    site = counting(lambda request: forget_pages() or HttpResponse("as it was"))  # type: ignore[func-returns-value]
    site(get("/"))
    site(get("/"))
    assert site.built == 2


def test_every_audited_write_forgets_the_pages(world: World, django_capture_on_commit_callbacks: Any) -> None:
    process = world.processes["open"]
    assert "Hegnet er væk" not in Client().get(process.get_absolute_url()).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        outcomes.publish_news(
            process=process, by=world.people["worker"], title="Hegnet er væk", text="Nu kan man gå igennem."
        )
    assert "Hegnet er væk" in Client().get(process.get_absolute_url()).content.decode()


# Without a cache


def test_without_a_cache_every_page_is_built(world: World, settings: Any) -> None:
    settings.CACHES = {
        "default": configured.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"},
    }
    for path in public_paths(world):
        assert Client().get(path).status_code == 200, path
    forget_pages()
    site = counting()
    site(get("/"))
    site(get("/"))
    assert site.built == 2


def test_a_cache_that_hangs_is_not_waited_for() -> None:
    options = configured.CACHES["default"]["OPTIONS"]
    assert options["socket_timeout"] <= 1
    assert options["socket_connect_timeout"] <= 1
