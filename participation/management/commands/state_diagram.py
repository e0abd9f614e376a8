from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from participation.lifecycle import TRANSITIONS, Step

PATH = Path("docs/states.md")
HEAD = """# How a process moves

Drawn from `participation/lifecycle.py` by `manage.py state_diagram`; `--check` fails when the two differ.

"""


class Command(BaseCommand):
    help = "Draw docs/states.md from the table of transitions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only say whether the drawing is in step.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / PATH
        drawn = diagram()
        if not options["check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(drawn)
            self.stdout.write(f"{PATH} is drawn.")
        elif not path.exists() or path.read_text() != drawn:
            raise CommandError(f"{PATH} is out of step with the transitions: run manage.py state_diagram.")


def diagram() -> str:
    with translation.override("en"):
        lines = [
            f"    {source} --> {step.target}: {step.name}"
            for step in TRANSITIONS
            for source in sorted(step.sources)
        ]
        targets = {step.target for step in TRANSITIONS}
        ends = sorted(target for target in targets if not any(target in step.sources for step in TRANSITIONS))
        rows = [_row(step) for step in TRANSITIONS]
    mermaid = [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> draft",
        *lines,
        *(f"    {e} --> [*]" for e in ends),
        "```",
    ]
    table = ["| step | from | to | asked of | comment | audit |", "|---|---|---|---|---|---|", *rows]
    return HEAD + "\n".join(mermaid) + "\n\n" + "\n".join(table) + "\n"


def _row(step: Step) -> str:
    asked = f"`{step.permission.__name__}`" + (" or the clock" if step.clock else "")
    sources = ", ".join(sorted(step.sources))
    return f"| {step.label} (`{step.name}`) | {sources} | {step.target} | {asked} | {step.comment or '–'} | `{step.audit_action}` |"
