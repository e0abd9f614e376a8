"""The ground the tests stand on: the right role, everywhere, and real time."""

import os
import subprocess
import sys
import threading

import pytest
from django.db import ProgrammingError, connection, connections

from config.services import ROOT
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db


def who() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text, current_database()::text")
        row: tuple[str, str] = cursor.fetchone()
        return row


def test_tests_work_as_the_applications_role() -> None:
    role, database = who()
    assert role == os.environ["DATABASE_APP_ROLE"]
    assert database == os.environ["TESTS_DATABASE"]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET id = id", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
def test_the_audit_table_only_grows(statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_connections_of_other_threads_have_the_role_too() -> None:
    seen: list[tuple[str, str]] = []

    def look() -> None:
        seen.append(who())
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [who()]


@pytest.mark.django_db(transaction=True)
def test_a_process_started_by_a_test_sees_the_same_database() -> None:
    code = (
        "import django; django.setup(); from django.db import connection; cursor = connection.cursor();"
        "cursor.execute('SELECT session_user, current_user, current_database()'); print(*cursor.fetchone())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    role, database = who()
    assert done.stdout.split() == [role, role, database]
