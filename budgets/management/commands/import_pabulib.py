"""manage.py import_pabulib FILE [--slug SLUG] [--json]: a finished election with its projects and ballots."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Unit, User
from accounts.permissions import Role
from accounts.verdict import Refused
from budgets import pabulib
from budgets.actions.importing import CannotHold, import_election

HANDLE = "import"


class Command(BaseCommand):
    help = (
        "Read a finished election from a Pabulib .pb file: a decided process with its projects and ballots."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the election, in Pabulib's .pb format")
        parser.add_argument("--slug", default="", help="the address of the process; else made from the file")
        parser.add_argument("--title", default="", help="the title; else the file's description")
        parser.add_argument("--unit", default="", help="the unit that owns it; else the first one there is")
        parser.add_argument("--json", action="store_true", help="write the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        try:
            text = Path(name).read_bytes()
        except (OSError, ValueError):
            raise CommandError(f"{name}: the file can't be read.", returncode=1) from None
        try:
            file = pabulib.parse(text)
        except pabulib.ParseError as error:
            raise CommandError(f"{name}:{error.line}: {error.text}", returncode=1) from None
        unit = self._unit(options["unit"])
        try:
            imported = import_election(
                file=file,
                by=importer(unit),
                unit=unit,
                slug=options["slug"],
                title=options["title"],
                project_lines=project_lines(text),
            )
        except CannotHold as error:
            place = f"{name}:{error.line}" if error.line else name
            raise CommandError(f"{place}: {error.text}", returncode=1) from None
        except Refused as refused:
            raise CommandError(f"{name}: {refused.reason}", returncode=1) from None
        winners = None if imported.official is None else list(imported.official)
        if options["json"]:
            answer = {
                "slug": imported.slug,
                "projects": imported.projects,
                "ballots": imported.ballots,
                "winners": winners,
            }
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        for remark in file.remarks:
            self.stderr.write(f"{name}:{remark.line}: {remark.text}")
        self.stdout.write(
            f"{imported.slug}: {imported.projects} projects, {imported.ballots} ballots, "
            + ("no winners in the file" if winners is None else f"{len(winners)} winners")
        )

    def _unit(self, name: str) -> Unit:
        if not name:
            return Unit.objects.first() or Unit.objects.create(name="Import", email="import@example.dk")
        unit = Unit.objects.filter(name=name).first()
        if unit is None:
            raise CommandError(f"There is no unit called {name!r}.", returncode=2)
        return unit


def importer(unit: Unit) -> User:
    """Who stands as the owner of imported elections: nobody can sign in as this user."""
    user = User.objects.filter(handle=HANDLE).first()
    if user is None:
        user = User.objects.create_user(
            handle=HANDLE, last_name="Import", role=Role.CASEWORKER, is_active=False
        )
    user.units.add(unit)
    return user


def project_lines(text: bytes) -> dict[str, int]:
    """On which line of the file each project stands, for messages."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.decode("utf-8-sig").splitlines(), start=1):
        first = line.split(";", 1)[0].strip().strip('"')
        if first.upper() in {"META", "PROJECTS", "VOTES"} and ";" not in line:
            section = first.upper()
        elif section == "PROJECTS":
            lines.setdefault(first, number)
    return lines
