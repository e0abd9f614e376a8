"""What the application's database role can't do, whoever makes it send SQL."""

import pytest
from django.db import ProgrammingError, connection, transaction

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DROP TABLE audit_entry",
        "ALTER TABLE audit_entry ADD COLUMN x integer",
        "SELECT setval('audit_entry_id_seq', 1)",
        "INSERT INTO audit_entry (id, at, actor_role, action, object_type, object_id, changed, values)"
        " VALUES (1, now(), '', 'a', 'b', 'c', '{}', '{}') ON CONFLICT (id) DO UPDATE SET action = 'x'",
        # the triggers that freeze rules and rounds
        "ALTER TABLE participation_process DISABLE TRIGGER ALL",
        "ALTER TABLE budgets_round DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION da_fold(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "CREATE TABLE mine (a integer)",
        # the machine below
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "CREATE EXTENSION file_fdw",
        "CREATE ROLE another SUPERUSER",
    ],
)
def test_refused(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be (owner|superuser)"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_it_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole AND relpersistence = 'p'"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)
