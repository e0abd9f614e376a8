"""Real processes beside a test: a worker on the real broker, a web server, both on the test's own database.

What they see is what was committed, so a test that uses them needs `transactional_db` (the fixtures ask for it).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from config.services import ROOT, free_port
from tests.patience import PATIENCE


@dataclass
class Running:
    """A process group of ours; `log` is what it has said so far."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]
    url: str = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return Path(self.output.name).read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """As a power cut would: parent and children at once, nobody gets to tidy up."""
        self.send(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        self.send(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_until(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            if self.process.poll() is not None:
                pytest.fail(f"{what}: the process ended with {self.process.returncode}\n{self.log[-3000:]}")
            if time.monotonic() > deadline:
                pytest.fail(f"{what}: not within {seconds} s\n{self.log[-3000:]}")
            time.sleep(0.05)


@pytest.fixture
def start_process(transactional_db: None) -> Iterator[Callable[..., Running]]:
    """`start_process(["command", …], env={…})`: ended with the test, whatever happens in it."""
    with contextlib.ExitStack() as stack:

        def start(command: list[str], env: dict[str, str] | None = None) -> Running:
            output = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".log"))
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONWARNINGS": "default", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            running = Running(process, output)
            stack.callback(running.kill)
            return running

        yield start


@pytest.fixture
def celery_worker_process(start_process: Callable[..., Running]) -> Callable[..., Running]:
    """`celery_worker_process(concurrency=2)`: a real worker, ready for tasks; `queues` as in Procfile when not the usual one."""

    def start(*, concurrency: int = 1, queues: str = "", env: dict[str, str] | None = None) -> Running:
        program = str(Path(sys.executable).with_name("celery"))
        options = [
            "--concurrency",
            str(concurrency),
            "--without-mingle",
            "--without-gossip",
            "--loglevel",
            "INFO",
            *(["--queues", queues] if queues else []),
        ]
        worker = start_process([program, "--app", "config.celery", "worker", *options], env)
        worker.wait_until(lambda: " ready." in worker.log, "The worker did not get ready")
        return worker

    return start


@pytest.fixture
def web_process(start_process: Callable[..., Running]) -> Callable[..., Running]:
    """`web_process(workers=2)`: gunicorn as in Procfile, answering; `.url` is its address (and SITE_URL, so that links in
    mails lead to it)."""

    def start(*, workers: int = 2, threads: int = 4, env: dict[str, str] | None = None) -> Running:
        port = free_port()
        env = {"SITE_URL": f"http://127.0.0.1:{port}", **(env or {})}
        program = str(Path(sys.executable).with_name("gunicorn"))
        options = ["--no-control-socket", "--bind", f"127.0.0.1:{port}"]
        options += ["--workers", str(workers), "--threads", str(threads)]
        web = start_process([program, "config.wsgi", *options], env)
        web.url = f"http://127.0.0.1:{port}"
        web.wait_until(lambda: _answers(web.url), "The web server did not answer")
        return web

    return start


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
