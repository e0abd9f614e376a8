"""manage.py export_pabulib SLUG [--pot KEY] [--output FILE]: what is published of a sealed vote.

The ballots as a .pb file, or only totals (CSV) where there are fewer ballots than the municipality publishes. A vote with
pots has a file for each: name the pot, or give a folder as --output for all of them.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets import election
from budgets.management.commands.count_budget import find_round
from budgets.models import Round


class Command(BaseCommand):
    help = (
        "Write what is published of a sealed vote: a Pabulib .pb file, or totals where there are few ballots."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the address of the process")
        parser.add_argument("--pot", default="", help="the key of the pot, where there are several")
        parser.add_argument(
            "--output", default="-", help="a file to write, or a folder for all pots; else standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        round = find_round(options["slug"])
        if round.state not in Round.OPENED:
            raise CommandError("The ballots must be sealed before anything is published.", returncode=1)
        files = election.published_files(round)
        output, pot = options["output"], options["pot"]
        if pot or len(files) == 1:
            file = files.get(pot or next(iter(files)))
            if file is None:
                raise CommandError(f"There is no pot {pot!r}; there are {', '.join(files)}.", returncode=1)
            self._write(round, file, output)
        elif Path(output).is_dir():
            for file in files.values():
                self._write(round, file, str(Path(output) / file.name))
        else:
            raise CommandError(
                f"There is a file for each pot: choose one with --pot ({', '.join(files)}), or give a folder.",
                returncode=1,
            )

    def _write(self, round: Round, file: election.File, output: str) -> None:
        if not file.with_ballots:
            self.stderr.write(
                f"Only totals: {file.ballots} ballots, and ballots are published from "
                f"{round.process.citizenbudget.publish_ballots_from}."
            )
        if output == "-":
            self.stdout.write(file.content.decode(), ending="")
            return
        try:
            Path(output).write_bytes(file.content)
        except (OSError, ValueError):
            raise CommandError(f"{output}: can't be written.", returncode=1) from None
