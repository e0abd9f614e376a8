"""The pair of commands in docs/operations.md: what was dumped and restored is the same, and so are the rights on it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from config.services import ROOT, postgres_bin
from tests.services import app_role, with_path


def content(url: str) -> dict[str, tuple[int, str]]:
    """Each table's number of rows and their checksum."""
    with psycopg.connect(url) as database:
        tables = database.execute(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        query = "SELECT count(*), coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {} t"
        return {
            name: database.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone() or (0, "")
            for (name,) in tables
        }


@pytest.fixture
def restored() -> Iterator[str]:
    name = f"{os.environ['TESTS_DATABASE']}_restored"
    owner = os.environ["MIGRATE_DATABASE_URL"]
    with psycopg.connect(with_path(owner, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield with_path(owner, name)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def documented(name: str) -> list[str]:
    """The command as the page gives it, so that what is tested is what is read."""
    text = (ROOT / "docs" / "operations.md").read_text()
    (line,) = [line.strip() for line in text.splitlines() if line.strip().startswith(f"{name} ")]
    return line.split()


def run(command: list[str], url: str, folder: Path) -> None:
    filled = [part.replace('"', "").replace("$MIGRATE_DATABASE_URL", url) for part in command]
    done = subprocess.run(
        [str(postgres_bin() / filled[0]), *filled[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
def test_dump_and_restore_give_the_same_rows_and_rights(restored: str, tmp_path: Path) -> None:
    from django.contrib.auth import get_user_model

    get_user_model().objects.create(first_name="Åse", last_name="Øst")
    connection.close()
    source = os.environ["MIGRATE_DATABASE_URL"]
    before = content(source)
    run(documented("pg_dump"), source, tmp_path)
    run(documented("pg_restore"), restored, tmp_path)
    assert before["accounts_user"][0] == 1
    assert content(restored) == before
    with psycopg.connect(restored) as database:
        database.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(app_role())))
        assert database.execute("SELECT last_name FROM accounts_user").fetchone() == ("Øst",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("DELETE FROM audit_entry")
