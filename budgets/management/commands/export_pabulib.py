"""manage.py export_pabulib SLUG [--output FILE]: what is published of a sealed vote.

The ballots as a .pb file, or only totals (CSV) where there are fewer ballots than the municipality publishes.
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
        parser.add_argument("--output", default="-", help="a file to write; else standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        round = find_round(options["slug"])
        if round.state not in Round.OPENED:
            raise CommandError("The ballots must be sealed before anything is published.", returncode=1)
        file = election.published_file(round)
        if not file.with_ballots:
            self.stderr.write(
                f"Only totals: {round.ballot_count} ballots, and ballots are published from "
                f"{round.process.citizenbudget.publish_ballots_from}."
            )
        if options["output"] == "-":
            self.stdout.write(file.content.decode(), ending="")
            return
        try:
            Path(options["output"]).write_bytes(file.content)
        except (OSError, ValueError):
            raise CommandError(f"{options['output']}: can't be written.", returncode=1) from None
