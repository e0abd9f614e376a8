"""A mail server's pipe: `take_in_bounce < mail`. It says nothing, because what it says would be sent to somebody."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError

from mailouts import bounces

TRY_AGAIN = 75  # EX_TEMPFAIL in sysexits.h: the mail server keeps the mail and comes back


class Command(BaseCommand):
    help = "Takes in one e-mail that came back, from standard input."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(bounces.MOST_BYTES + 1)
        try:
            bounces.take_in(raw)
        except (OperationalError, InterfaceError):
            sys.exit(TRY_AGAIN)
