"""Test databases: each session (and xdist worker) has its own, copied from one that was migrated once.

The migrated copy is kept on the embedded server under a name made of what it was made from, so that a second run
doesn't migrate again. Creating and migrating is done as the owner; after that connections work as the application's
role, so that a missing grant or a forbidden write shows in the tests.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from config.services import ROOT
from tests.services import app_role, with_path

MADE_FROM = (
    "models.py",
    "models/*.py",
    "migrations/*.py",
    "apps.py",
    "permissions.py",
    "principles/*.py",
    "sql/*",
)
KEPT_TEMPLATES = 3
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}
STARTING_ROWS: dict[str, list[bytes]] = {}
"""What migrations filled in: table, and its rows as COPY gives them."""
TEMPLATES_LOCK = 20261120  # any number; one session migrates, the others wait for its copy


def fingerprint() -> str:
    files = {ROOT / "config" / "settings.py", Path(__file__)}
    for config in apps.get_app_configs():
        folder = Path(config.path)
        if folder.is_relative_to(ROOT) and ".venv" not in folder.parts:
            files |= {path for pattern in MADE_FROM for path in folder.glob(pattern) if path.is_file()}
            if config.label == "audit":
                files |= set(folder.rglob("*.py"))
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(str(path).encode() + path.read_bytes())
    for package in ("Django", "django-allauth"):
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def test_database(name: str) -> Iterator[None]:
    connection = connections[DEFAULT_DB_ALIAS]
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATES_LOCK])
        _sweep(server)
        template = f"migrated_{fingerprint()}"
        if not _exists(server, template):
            _migrate(server, template)
        _forget_old_templates(server, template)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    _use(name)
    os.environ["DATABASE_URL"] = with_path(os.environ["DATABASE_URL"], name)
    os.environ["MIGRATE_DATABASE_URL"] = with_path(os.environ["MIGRATE_DATABASE_URL"], name)
    os.environ["TESTS_DATABASE"] = name
    _work_as(app_role())
    _read_starting_rows(connection)
    try:
        yield
    finally:
        connections.close_all()
        connection.close_pool()
        with _server() as server:
            _drop(server, name)


@contextlib.contextmanager
def as_owner(connection: Any) -> Iterator[bool]:
    """For emptying tables: the application's role may not, and triggers refuse it. Gives whether triggers are off."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        unhindered = cursor.fetchone()[0]
        if unhindered:
            cursor.execute("SET session_replication_role = replica")
    try:
        yield unhindered
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET session_replication_role")
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(app_role())))


def empty(connection: Any) -> None:
    """Delete what a test has committed, with triggers off. Emptying all hundred tables takes half a second, and what Django
    keeps of models and permissions is the same for every test."""
    with connection.cursor() as cursor:
        for table in _with_rows(connection):
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def put_back_starting_rows(connection: Any) -> None:
    with connection.cursor() as cursor:
        for table, rows in STARTING_ROWS.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                for row in rows:
                    copy.write(row)


def _read_starting_rows(connection: Any) -> None:
    with connection.cursor() as cursor:
        for table in _with_rows(connection):
            with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
                STARTING_ROWS[table] = [bytes(row) for row in copy]


def _with_rows(connection: Any) -> list[str]:
    one_row = sql.SQL("(SELECT {} FROM {} LIMIT 1)")
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - KEPT_TABLES
        cursor.execute(
            sql.SQL(" UNION ALL ").join(
                one_row.format(sql.Literal(table), sql.Identifier(table)) for table in sorted(tables)
            )
        )
        return [table for (table,) in cursor.fetchall()]


def waiting_for_locks() -> int:
    """How many connections of this database wait right now; also of those that came after this transaction began to ask."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN"
            " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        return int(cursor.fetchone()[0])


def _server() -> psycopg.Connection[Any]:
    return psycopg.connect(with_path(os.environ["MIGRATE_DATABASE_URL"], "postgres"), autocommit=True)


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    """FORCE ends whoever is connected, but an owner may not end PostgreSQL's own vacuum; a plain DROP ends that by itself."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        server.execute(drop + sql.SQL(" WITH (FORCE)"))
    except psycopg.errors.InsufficientPrivilege:
        server.execute(drop)


def _exists(server: psycopg.Connection[Any], name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _use(name: str) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = name


def _work_as(role: str) -> None:
    """For every connection from now on, pooled and in threads too (Django's `assume_role` never ends with a pool)."""
    options = connections[DEFAULT_DB_ALIAS].settings_dict["OPTIONS"]
    options["options"] = f"{options.get('options', '')} -c role={role}".strip()


def _migrate(server: psycopg.Connection[Any], template: str) -> None:
    from django.core.management import call_command

    unfinished = f"{template}_unfinished"
    _drop(server, unfinished)
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    _use(unfinished)
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()
    connections[DEFAULT_DB_ALIAS].close_pool()
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(template))
    )


def _forget_old_templates(server: psycopg.Connection[Any], current: str) -> None:
    rows = server.execute(
        r"SELECT datname FROM pg_database WHERE datname LIKE 'migrated\_%' ORDER BY oid DESC"
    )
    for (name,) in [row for row in rows if row[0] != current][KEPT_TEMPLATES - 1 :]:
        with contextlib.suppress(psycopg.errors.ObjectInUse):
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _sweep(server: psycopg.Connection[Any]) -> None:
    """Databases of sessions that were killed: test_<pid of the session>_<worker>."""
    for (name,) in server.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_%'").fetchall():
        pid = name.split("_")[1]
        if pid.isdigit() and not _alive(int(pid)):
            with contextlib.suppress(psycopg.errors.ObjectInUse):
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
