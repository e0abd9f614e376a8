"""A real worker and a real web server stand on the test's own database and broker."""

import time
import urllib.request
from collections.abc import Callable

import pytest
from django.core.cache import cache

from config.celery import app
from tests.patience import PATIENCE
from tests.processes import Running


def test_a_worker_answers_and_dies_when_it_is_killed(celery_worker_process: Callable[..., Running]) -> None:
    before = app.control.ping(timeout=0.2)
    worker = celery_worker_process()
    answers = app.control.ping(timeout=2)
    assert len(answers) == len(before) + 1
    worker.kill()
    assert worker.process.poll() is not None


@pytest.mark.django_db(transaction=True)
def test_a_task_runs_in_the_worker(celery_worker_process: Callable[..., Running]) -> None:
    worker = celery_worker_process()
    app.send_task("celery.accumulate", args=[1, 2])
    worker.wait_until(lambda: "celery.accumulate" in worker.log, "The task did not run", 15)


def test_a_web_server_answers_from_the_tests_database(web_process: Callable[..., Running]) -> None:
    web = web_process(workers=1)
    with urllib.request.urlopen(f"{web.url}/static/css/ojenhojde.css", timeout=PATIENCE) as answer:
        assert answer.status == 200
    web.stop()
    assert web.process.returncode == 0


def test_the_cache_is_this_test_processs_own() -> None:
    key = f"own-{time.time_ns()}"
    cache.set(key, 1, 5)
    assert cache.get(key) == 1
