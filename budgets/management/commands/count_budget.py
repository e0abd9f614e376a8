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
from budgets.actions.counting import count_pots_of
from budgets.counting import Amount, CountingError, PotCount, Rule, exact
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
            rule = _rule(round, options["rule"])
            counted = count_pots_of(round, rule)
        except Refused as refused:
            raise CommandError(f"{options['slug']}: {refused.reason}", returncode=1) from None
        except CountingError as error:
            raise CommandError(f"{options['slug']}: {error}", returncode=1) from None
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(rule, counted), ensure_ascii=False))
        else:
            for pot, one in counted.items():
                self.stdout.write(_as_text(rule, pot, one))
        if any(one.outcome is None or one.outcome.winners is None for one in counted.values()):
            sys.exit(3)


def find_round(slug: str) -> Round:
    """The newest round of the process at that address."""
    round = Round.objects.for_voting().filter(process__slug=slug).order_by("-number").first()
    if round is None:
        raise CommandError(f"There is no vote at the address {slug!r}.", returncode=1)
    return round


def _rule(round: Round, asked: str | None) -> Rule:
    rule = Rule(asked) if asked else election.rule_of(round)
    if rule is None:
        raise Refused("no_rule", "The file names no counting rule that is known: choose one with --rule.")
    if round.state not in Round.OPENED:
        raise Refused("not_sealed", "The ballots must be sealed before they can be counted.")
    return rule


def _number(value: Amount | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _as_json(rule: Rule, counted: dict[str, PotCount]) -> dict[str, Any]:
    """The whole vote; where there are pots, each of them too."""
    outcomes = [one.outcome for one in counted.values()]
    won = [outcome.winners for outcome in outcomes if outcome and outcome.winners is not None]
    whole = len(won) == len(outcomes)
    answer = {
        "rule": rule.value,
        "winners": [winner for each in won for winner in each] if whole else None,
        "spent": _number(exact(sum(outcome.spent or 0 for outcome in outcomes if outcome)))
        if whole
        else None,
        "ties": [tie.as_dict() for outcome in outcomes if outcome for tie in outcome.ties],
    }
    if list(counted) == [""]:
        return answer
    return answer | {
        "pots": {
            pot: {
                "winners": None
                if one.outcome is None or one.outcome.winners is None
                else list(one.outcome.winners),
                "spent": None if one.outcome is None else _number(one.outcome.spent),
                "budget": _number(one.election.budget),
                "received": {other: _number(amount) for other, amount in one.received.items()},
                "waits_for": list(one.waits_for),
            }
            for pot, one in counted.items()
        }
    }


def _as_text(rule: Rule, pot: str, one: PotCount) -> str:
    name = f"{pot}: " if pot else ""
    if one.outcome is None:
        return f"{name}waits for the lot of {', '.join(one.waits_for)}"
    if one.outcome.winners is None:
        tied = ", ".join(one.outcome.undecided[0].tied)
        return f"{name}{rule.value}: a tie decides: draw lots between {tied}, and record the lot."
    winners = ", ".join(one.outcome.winners) or "none"
    return f"{name}{rule.value}: winners {winners}; spent {_number(one.outcome.spent)}"
