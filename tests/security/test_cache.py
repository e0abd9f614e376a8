"""What somebody else puts into Redis is neither run nor shown."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from config.cache import SIZE, SignedSerializer
from participation.page_cache import PageCacheMiddleware


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def planted(key: str, raw: bytes) -> None:
    cache._cache.get_client(key, write=True).set(cache.make_and_validate_key(key), raw)


@pytest.mark.parametrize("value", [1, True, 1.5, "bænk", None, [1, "2"], {"a": (1, b"x")}])
def test_what_is_put_in_comes_out(value: Any) -> None:
    cache.set("mine", value)
    assert cache.get("mine") == value
    assert type(cache.get("mine")) is type(value)


def test_counting_still_works() -> None:
    cache.set("count", 1)
    assert cache.incr("count") == 2


def test_what_somebody_else_put_there_is_not_run(tmp_path: Path) -> None:
    hostile = pickle.dumps(Hostile(tmp_path / "harm"))
    pickle.loads(hostile)
    assert (tmp_path / "harm").exists(), "it would do harm"
    hostile = pickle.dumps(Hostile(tmp_path / "more"))
    for raw in (hostile, bytes(SIZE) + hostile, b"", b"\x80", SignedSerializer().dumps("x")[:SIZE] + hostile):
        planted("mine", raw)
        assert cache.get("mine") is None
        assert cache.get_many(["mine"]) in ({}, {"mine": None})
    assert not (tmp_path / "more").exists()


@pytest.mark.django_db
def test_a_page_somebody_else_put_there_is_not_shown(rf: Any) -> None:
    key = PageCacheMiddleware._key(rf.get("/", HTTP_HOST="testserver"))
    client = Client()
    assert client.get("/").status_code == 200
    assert cache.get(key) is not None
    planted(key, pickle.dumps((0, (b"<h1>evil</h1>", {}, '"x"'))))
    response = client.get("/")
    assert response.status_code == 200
    assert b"evil" not in response.content
