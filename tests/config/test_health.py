"""What load balancers and monitoring ask, from any host and without HTTPS."""

import pytest
from django.db import connection
from django.test import Client


@pytest.fixture
def probe() -> Client:
    return Client(SERVER_NAME="10.0.0.7")  # a number that ALLOWED_HOSTS doesn't name


def test_alive_asks_nothing_of_the_database(probe: Client) -> None:
    answer = probe.get("/healthz")  # without the database: this test may not use it
    assert (answer.status_code, answer.json()) == (200, {"process": "ok"})


@pytest.mark.django_db
def test_ready_when_database_and_cache_answer(probe: Client, settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = probe.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "cache": "ok"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_not_ready_without_a_cache(probe: Client, settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    answer = probe.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "cache": "failing"})


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_a_database(probe: Client) -> None:
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "nowhere"
    try:
        answer = probe.get("/readyz")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
    assert (answer.status_code, answer.json()) == (503, {"database": "failing", "cache": "ok"})


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [("", "", 404), ("", "Bearer ", 404), ("secret", "Bearer wrong", 404), ("secret", "Bearer secret", 200)],
)
@pytest.mark.django_db
def test_metrics_exist_only_for_whoever_has_the_token(client: Client, settings, token, given, status) -> None:
    settings.METRICS_TOKEN = token
    answer = client.get("/metrics", headers={"Authorization": given})
    assert answer.status_code == status
    assert (b"django_http_requests" in answer.content) is (status == 200)
