"""`manage.py demo_clock`: move time for every process of the demo, to show a process in each of its phases."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime

from demo import story
from participation import clock, lifecycle
from participation.choices import Status
from participation.models import Process


class Command(BaseCommand):
    help = "Move the demo's clock: to a phase of a process, by days, to a moment, or back to now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("to", help="ideas, assessment, vote, closed, now, +DAYS, or an ISO time")
        parser.add_argument("slug", nargs="?", help="Which process (left out: the one collecting ideas).")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CLOCK_FILE:
            raise CommandError("The clock can only be moved in the demo: CLOCK_FILE is not set.")
        clock.move(self._target(options["to"], options["slug"]))
        for process in Process.objects.filter(status=Status.OPEN):
            story.live_through(process, clock.now())
        self._turn()
        local = timezone.localtime(clock.now())
        self.stdout.write(f"It is now {formats.date_format(local, 'j. F Y')} {local:%H:%M} for everybody.")

    def _target(self, to: str, slug: str | None) -> str:
        if to == "now":
            return ""
        if to.startswith("+"):
            try:
                days = float(to)
            except ValueError:
                raise CommandError(f"{to} is not a number of days.") from None
            return self._offset(clock.now() + timedelta(days=days))
        if to in {"ideas", "assessment", "vote", "closed"}:
            process = self._process(slug)
            if to == "closed":
                return self._offset(process.closes_at + timedelta(minutes=5))
            phase = process.phases.filter(kind=to).first()
            if phase is None:
                raise CommandError(f"{process} has no phase called {to}.")
            return self._offset(phase.interval.lower + timedelta(hours=1))
        moment = parse_datetime(to)
        if moment is None:
            raise CommandError(
                "Say ideas, assessment, vote, closed, now, +DAYS, or a time such as 2027-03-01T12:00."
            )
        return self._offset(moment if timezone.is_aware(moment) else timezone.make_aware(moment))

    @staticmethod
    def _offset(moment: Any) -> str:
        """Time goes on from there, so that sessions and codes still work."""
        return f"{moment.timestamp() - time.time():+.0f}"

    @staticmethod
    def _process(slug: str | None) -> Process:
        found = (
            Process.objects.filter(slug=slug)
            if slug
            else Process.objects.filter(status=Status.OPEN).order_by("-opens_at")
        )
        process = found.first()
        if process is None:
            raise CommandError("There is no such process.")
        return process

    @staticmethod
    def _turn() -> None:
        """What the scheduler would do within a minute."""
        at = clock.now()
        for process in Process.objects.filter(status=Status.APPROVED, opens_at__lte=at):
            lifecycle.perform(process=process, name="open", by=None, at=at)
        for process in Process.objects.filter(status=Status.OPEN, closes_at__lte=at):
            lifecycle.perform(process=process, name="close", by=None, at=at)
