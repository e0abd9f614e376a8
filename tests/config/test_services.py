"""The embedded services: there while somebody holds them, gone when nobody does, whoever is killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import services
from tests.patience import wait_for

KIND = "faults"  # apart from the services this test session itself stands on
HOLDER = (
    "import sys, time; from config.services import hold\n"
    f"with hold({KIND!r}) as env:\n    print(env['DATABASE_URL'], env['REDIS_URL'], flush=True); time.sleep(3600)"
)

pytestmark = [pytest.mark.faults]


@pytest.fixture
def clean_env() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "MIGRATE_DATABASE_URL", "REDIS_URL"}
    }


@pytest.fixture
def holder(clean_env: dict[str, str]) -> Iterator[Callable[[], tuple[subprocess.Popen[str], str, str]]]:
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], str, str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            cwd=services.ROOT,
            env=clean_env,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        database, broker = process.stdout.readline().split()
        return process, database, broker

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert services.stop(KIND)


def running(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if services.started_at(pid)]


def test_they_are_real_have_what_we_need_and_two_roles(
    holder: Callable[..., tuple[object, str, str]],
) -> None:
    _, database, broker = holder()
    owner = database.replace(services.APP_ROLE, services.OWNER_ROLE)
    with psycopg.connect(owner, autocommit=True) as connection:
        for extension in ("pg_trgm", "unaccent", "btree_gist"):
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        connection.execute("CREATE TABLE IF NOT EXISTS owned (id int)")
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DROP TABLE owned")
    with contextlib.closing(redis.from_url(broker)) as client:
        assert client.ping()
    stranger = redis.from_url(broker.replace("redis://:", "redis://:wrong"))
    with contextlib.closing(stranger) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_two_holders_share_them_and_the_last_one_ends_them(
    holder: Callable[..., tuple[subprocess.Popen[str], str, str]],
) -> None:
    first, *urls = holder()
    second, *same = holder()
    assert urls == same
    pids = services.pids(KIND)
    first.terminate()
    first.wait()
    time.sleep(1)
    assert running(pids) == ["postgresql", "valkey"]
    second.terminate()
    wait_for(lambda: not running(pids))


def test_killing_the_holder_leaves_nothing_running(
    holder: Callable[..., tuple[subprocess.Popen[str], str, str]],
) -> None:
    process, *_ = holder()
    pids = services.pids(KIND)
    assert sorted(running(pids)) == ["postgresql", "valkey"]
    process.kill()
    wait_for(lambda: not running(pids))


def test_killing_holder_and_keeper_is_swept_by_the_next_start(
    holder: Callable[..., tuple[subprocess.Popen[str], str, str]],
) -> None:
    process, *_ = holder()
    pids = services.pids(KIND)
    keeper = services._read_json(services.place(KIND).status)["keeper"]
    os.kill(keeper, signal.SIGKILL)
    process.kill()
    holder()
    wait_for(lambda: not running(pids))
    assert sorted(running(services.pids(KIND))) == ["postgresql", "valkey"]


@pytest.mark.parametrize("name", ["postgresql", "valkey"])
def test_a_killed_server_comes_back_with_what_was_committed(
    name: str, holder: Callable[..., tuple[subprocess.Popen[str], str, str]]
) -> None:
    _, database, broker = holder()
    owner = database.replace(services.APP_ROLE, services.OWNER_ROLE)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (at timestamptz)")
        connection.execute("INSERT INTO kept VALUES (now())")
        before = connection.execute("SELECT count(*) FROM kept").fetchone()
    pid = services.pids(KIND)[name]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: services.pids(KIND)[name] != pid)

    def answers() -> bool:
        try:
            with psycopg.connect(owner) as connection, contextlib.closing(redis.from_url(broker)) as client:
                return connection.execute("SELECT count(*) FROM kept").fetchone() == before and bool(
                    client.ping()
                )
        except (psycopg.OperationalError, redis.ConnectionError):
            return False

    wait_for(answers, 30)


def test_a_group_that_joined_is_ended_when_its_holder_is_killed(
    holder: Callable[..., tuple[subprocess.Popen[str], str, str]],
) -> None:
    process, *_ = holder()
    command = [sys.executable, "-m", "config.services", "join", KIND, "sleep", "3600"]
    joined = subprocess.Popen(command, cwd=services.ROOT, start_new_session=True)
    wait_for(lambda: "join" not in services.command_of(joined.pid))  # it has become the command
    process.kill()
    wait_for(lambda: joined.poll() is not None)


def test_nobody_else_may_look_into_the_servers_folder(holder: Callable[..., object]) -> None:
    holder()
    where = services.place(KIND)
    for folder in (where.sockets, where.data, where.broker):
        assert folder.stat().st_mode & 0o077 == 0, folder


def test_a_group_file_of_a_process_id_that_now_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    where = services.Place(KIND, tmp_path)
    where.groups.mkdir()
    other = subprocess.Popen(["sleep", "3600"], start_new_session=True)
    try:
        (where.groups / str(other.pid)).write_text("another start time")
        services.end_groups(where)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(services.ServicesError, match="run, test, faults"):
        services.place("nonsense")
