"""The register extract from a file on the server, for municipalities too large for an upload in the browser."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.imports import import_register
from accounts.models import User
from accounts.verdict import Refused


class Command(BaseCommand):
    help = "Imports a register extract (CSV): all of it, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="e-mail of the administrator who answers for it")
        parser.add_argument("--drawn-on", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--valid-until", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(email__iexact=options["by"], deleted_at=None).exclude(role="citizen").first()
        if by is None:
            raise CommandError(f"Nobody who works here has the e-mail {options['by']}.")
        try:
            with options["file"].open("rb") as file:
                extract = import_register(
                    by=by, file=file, drawn_on=options["drawn_on"], valid_until=options["valid_until"]
                )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except Refused as refused:
            raise CommandError(refused.reason) from refused
        told = {
            "rows": extract.rows,
            "drawn_on": str(extract.drawn_on),
            "valid_until": str(extract.valid_until),
        }
        self.stdout.write(json.dumps(told) if options["json"] else f"{extract.rows} people imported.")
