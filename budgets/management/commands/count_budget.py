"""manage.py count_budget SLUG [--rule RULE] [--json]: count a sealed round.

Without --rule it is the rule published before voting, and the count is stored; with --rule the ballots are only counted.
Exit codes: 0 counted, 1 it can't be counted, 3 a tie decides and waits for its lot.
"""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.verdict import Refused
from budgets import election
from budgets.actions import count_round
from budgets.counting import Amount, CountingError, Outcome, Rule, count_with_lots
from budgets.models import Round


class Command(BaseCommand):
    help = (
        "Count a sealed vote. Without --rule: by the rule published before voting, and the count is stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the address of the process")
        parser.add_argument("--rule", choices=[rule.value for rule in Rule], help="another rule, only to see")
        parser.add_argument("--json", action="store_true", help="write the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        round = find_round(options["slug"])
        try:
            if options["rule"] is None and round.state != Round.State.COUNTED:
                count_round(round=round, by=None)
            outcome = _outcome(round, options["rule"])
        except Refused as refused:
            raise CommandError(f"{options['slug']}: {refused.reason}", returncode=1) from None
        except CountingError as error:
            raise CommandError(f"{options['slug']}: {error}", returncode=1) from None
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(outcome), ensure_ascii=False))
        else:
            self.stdout.write(_as_text(outcome))
        if outcome.winners is None:
            sys.exit(3)


def find_round(slug: str) -> Round:
    """The newest round of the process at that address."""
    round = Round.objects.for_voting().filter(process__slug=slug).order_by("-number").first()
    if round is None:
        raise CommandError(f"There is no vote at the address {slug!r}.", returncode=1)
    return round


def _outcome(round: Round, asked: str | None) -> Outcome:
    rule = Rule(asked) if asked else election.rule_of(round)
    if rule is None:
        raise Refused("no_rule", "The file names no counting rule that is known: choose one with --rule.")
    if round.state not in Round.OPENED:
        raise Refused("not_sealed", "The ballots must be sealed before they can be counted.")
    lots = list(round.lots.values_list("order", flat=True))
    return count_with_lots(election.election_of(round), rule, lots)


def _number(value: Amount | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule.value,
        "winners": None if outcome.winners is None else list(outcome.winners),
        "spent": _number(outcome.spent),
        "ties": [tie.as_dict() for tie in outcome.ties],
    }


def _as_text(outcome: Outcome) -> str:
    if outcome.winners is None:
        tied = ", ".join(outcome.undecided[0].tied)
        return f"{outcome.rule.value}: a tie decides: draw lots between {tied}, and record the lot."
    return f"{outcome.rule.value}: winners {', '.join(outcome.winners) or 'none'}; spent {_number(outcome.spent)}"
