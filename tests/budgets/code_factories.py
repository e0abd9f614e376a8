"""Rounds with voting codes. The clear codes are caught on their way to the printer, as nothing keeps them."""

from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

from django.db import transaction

from accounts.models import Resident
from budgets import actions, cards
from budgets.models import CitizenBudget, Round
from participation import clock
from participation.frozen import amending
from tests.budgets import factories as make


def class_round(**rules: Any) -> Round:
    """Voting is open; those of 12 to 14 vote in class, reckoned on the first of January."""
    band = {name: rules.pop(name, age) for name, age in (("class_age_from", 12), ("class_age_to", 14))}
    process = make.make_budget(**{"vote": {"min_age": 15, "age_on": date(clock.today().year, 1, 1)}} | rules)
    with transaction.atomic(), amending(process):
        CitizenBudget.objects.filter(process=process).update(**band)
    for price in (100_000, 100_000, 100_000, 200_000):
        make.make_project(process, price=price)
    return actions.open_round(process=process)


@contextmanager
def caught(*, draw: bool = False):
    """The clear codes of batches made inside; the PDF is drawn only when asked for."""
    found: list[str] = []
    printed = cards.printed

    def catch(batch: Any, entries: Any, *, at: Any) -> bytes:
        found.extend(code for code, _who in entries)
        return printed(batch, entries, at=at) if draw else b"%PDF-"

    with patch.object(cards, "printed", catch):
        yield found


def codes_for_class(round: Round, amount: int) -> list[str]:
    with caught() as found:
        actions.make_class_codes(
            process=round.process, phase=round.phase, name="6.B", amount=amount, by=round.process.owner
        )
    return found


def letter_for(round: Round, resident: Resident) -> str:
    with caught() as found:
        actions.replace_code(
            process=round.process, phase=round.phase, resident=resident, by=round.process.owner
        )
    return found[-1]
