"""`manage.py demo_fill`: the story, once, into an empty portal."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from config import people
from config.demo_mitid import PEOPLE
from demo import staff, story


class Command(BaseCommand):
    help = "Fill an empty portal with the demo: an invented municipality and three citizen budgets."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CLOCK_FILE:
            raise CommandError("The demo belongs to development: set CLOCK_FILE (make run does).")
        if User.objects.exists():
            raise CommandError("There are people here already. Empty the portal first: make reset.")
        begun = time.monotonic()
        town = story.tell(lambda line: self.stdout.write(f"  {line} …"))
        homes = {line.cpr: line.area.name for line in town.lines[: len(PEOPLE)]}
        citizens = tuple(
            person.citizen(f"{person.about}, {homes[person.cpr]}" if person.cpr in homes else person.about)
            for person in PEOPLE
        )
        people.save(people.People(citizens, staff.listed()))
        self.stdout.write(f"  filled in {time.monotonic() - begun:.0f} seconds")
