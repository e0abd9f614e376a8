"""``python recount.py FILE.pb``: count an election again, at home.

Exit codes: 0 counted, 2 something is wrong with the file, the lot or what was asked for, 3 a tie decides and no
lot has been given.
"""

import argparse
import json
import sys
from fractions import Fraction
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from budgets.counting import (
    Amount,
    CountingError,
    Decision,
    Election,
    Outcome,
    Rule,
    Step,
    Tie,
    count,
)
from budgets.pabulib import Pabulib, ParseError, number, parse

_RULE_TEXT = {
    Rule.GREEDY: "flest stemmer først; det, der ikke er råd til, springes over",
    Rule.GREEDY_NO_SKIP: "flest stemmer først; optællingen stopper ved det første, der ikke er råd til",
    Rule.GREEDY_THRESHOLD: "flest stemmer først blandt dem, der nåede mindstetallet; det, der ikke er råd til, springes over",
    Rule.EQUAL_SHARES: "lige andele (Equal Shares), fuldført ved at hæve alles andel én krone ad gangen",
}

_DECISION_TEXT = {
    Decision.FUNDED: "får penge",
    Decision.DOES_NOT_FIT: "er der ikke råd til",
    Decision.AFTER_STOP: "kommer efter stoppet",
    Decision.BELOW_THRESHOLD: "nåede ikke mindstetallet",
    Decision.TOO_LITTLE_SUPPORT: "kunne dets vælgere ikke betale",
    Decision.UNDECIDED: "afventer lodtrækning",
}


def main(arguments: list[str] | None = None) -> int:
    """Count as asked, print, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    asked = _parser().parse_args(arguments)
    try:
        file = _read(asked.file)
        rule = _rule(file, asked.rule, asked.threshold)
        election = file.election
        if asked.threshold is not None:
            election = Election(election.projects, election.ballots, election.budget, asked.threshold)
        lot = None if asked.lot is None else _lot(asked.lot)
        outcome = count(election, rule, lot)
    except (CountingError, _Refused) as error:
        print(error, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(_as_json(file, election, outcome), ensure_ascii=False, indent=1))
    else:
        for remark in file.remarks:
            print(f"{asked.file}:{remark.line}: bemærk: {remark.text}", file=sys.stderr)
        print("\n".join(_as_text(file, election, outcome)))
    return 0 if outcome.winners is not None else 3


class _Refused(Exception):
    """What was asked for cannot be done; the text says why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.format_usage()}{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="recount.py",
        description="Tæller et borgerbudget op igen ud fra den offentliggjorte .pb-fil. "
        "Uden --rule bruges filens egen regel. Slutkoder: 0 talt op, 2 fejl i filen eller i det, "
        "der blev bedt om, 3 stemmelighed afgør, og der skal trækkes lod.",
    )
    parser.add_argument("file", metavar="FILE.pb", help="afstemningen i Pabulib-format")
    parser.add_argument("--rule", choices=[str(rule) for rule in Rule], help="en anden regel end filens egen")
    parser.add_argument(
        "--threshold",
        type=_threshold,
        metavar="N",
        help="mindste antal stemmer eller point (greedy-threshold)",
    )
    parser.add_argument(
        "--lot",
        metavar="FILE",
        help="lodtrækningen: projekternes numre i den trukne rækkefølge, ét pr. linje",
    )
    parser.add_argument("--json", action="store_true", help="skriv resultatet som JSON")
    return parser


def _threshold(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError("mindstetallet skal være et helt tal")
    return int(text)


def _read(name: str) -> Pabulib:
    try:
        data = Path(name).read_bytes()
    except (OSError, ValueError):
        raise _Refused(f"{name}: filen kan ikke læses.") from None
    try:
        return parse(data)
    except ParseError as error:
        raise _Refused(f"{name}:{error.line}: {error.text}") from None


def _rule(file: Pabulib, asked: str | None, threshold: int | None) -> Rule:
    if asked is not None:
        rule = Rule(asked)
    elif threshold is not None:
        rule = Rule.GREEDY_THRESHOLD
    elif file.rule is not None:
        rule = file.rule
    else:
        raise _Refused(
            f"Filen nævner reglen {file.meta['rule'].strip()!r}, som vi ikke kender: der er ingen kendt officiel regel. "
            f"Vælg en med --rule ({', '.join(Rule)})."
        )
    if threshold is not None and rule is not Rule.GREEDY_THRESHOLD:
        raise _Refused(f"--threshold hører til reglen greedy-threshold, ikke {rule}.")
    return rule


def _lot(name: str) -> list[str]:
    try:
        lines = Path(name).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise _Refused(f"{name}: lodtrækningen kan ikke læses som tekst i UTF-8.") from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def _number(value: Amount | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _as_json(file: Pabulib, election: Election, outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "file_rule": file.meta["rule"].strip(),
        "winners": None if outcome.winners is None else list(outcome.winners),
        "spent": _number(outcome.spent),
        "budget": _number(election.budget),
        "threshold": _number(election.threshold) if outcome.rule is Rule.GREEDY_THRESHOLD else None,
        "ballots": sum(election.ballots.values()),
        "ties": [tie.as_dict() for tie in outcome.ties],
        "round": outcome.round,
        "steps": [_step_as_json(step) for step in outcome.steps],
        "remarks": [{"line": remark.line, "text": remark.text} for remark in file.remarks],
    }


def _step_as_json(step: Step) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "project": step.project,
        "decision": step.decision,
        "score": _number(step.score),
        "votes": step.votes,
        "cost": _number(step.cost),
        "before": _number(step.before),
        "after": _number(step.after),
        "tie": step.tie,
    }
    if step.rho is not None:
        entry |= {"rho": str(step.rho), "payers": step.payers, "emptied": step.emptied}
    return entry


def _as_text(file: Pabulib, election: Election, outcome: Outcome) -> list[str]:
    names = {project.id: _printable(project.name) for project in election.projects}
    lines = [
        f"Regel: {outcome.rule} ({_RULE_TEXT[outcome.rule]})",
        f"Stemmesedler: {sum(election.ballots.values())}. Budget: {_money(election.budget)}.",
    ]
    if outcome.round is not None and outcome.share is not None and outcome.winners is not None:
        lines.append(
            f"Alles andel blev hævet {outcome.round} gange, til {_money(outcome.share)}. "
            + (
                "Alt, som nogen stemte på, er der råd til."
                if outcome.overrun is None
                else f"Én gang til ville have kostet {_money(outcome.overrun)}."
            )
        )
    lines.append("")
    for step in outcome.steps:
        tie = {"cost": " (stod lige: laveste pris)", "lot": " (stod lige: lodtrækning)"}.get(
            step.tie or "", ""
        )
        lines.append(
            f"{step.number:>4}. {_printable(step.project)} {names[step.project]}\n"
            f"      {_money(step.score)} stemmer eller point, pris {_money(step.cost)}: "
            f"{_DECISION_TEXT[step.decision]}{tie}; {_money(step.after)} tilbage"
        )
    lines += ["", *(_tie_text(tie) for tie in outcome.ties)]
    if outcome.winners is None:
        lines.append("Ingen vindere endnu: træk lod mellem dem, der står lige, og tæl igen med --lot.")
    else:
        lines.append(f"Vindere: {', '.join(outcome.winners) or 'ingen'}")
        lines.append(f"Brugt i alt: {_money(outcome.spent or 0)}")
        official = file.official_winners()
        if official is not None and outcome.rule is file.rule:
            same = set(official) == set(outcome.winners)
            lines.append("Det er de samme som i filen." if same else f"Filen siger: {', '.join(official)}")
    return lines


def _printable(text: str) -> str:
    """A name from the file, without characters that could steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _tie_text(tie: Tie) -> str:
    settled = {
        "cost": "afgjort ved laveste pris",
        "lot": "afgjort ved lodtrækning",
        None: "der skal trækkes lod",
    }
    where = f"trin {tie.at}" if tie.round is None else f"trin {tie.at}, hævning {tie.round}"
    return f"Stod lige ({where}): {', '.join(tie.tied)}: {settled[tie.resolved_by]}."


def _money(value: Amount) -> str:
    """A number in Danish form: 158.000 and 12,5."""
    try:
        whole, _, decimals = number(value).partition(".")
    except ValueError:
        whole, _, decimals = number(Fraction(round(value * 100), 100)).partition(".")
    grouped = f"{int(whole):,}".replace(",", ".")
    return f"{grouped},{decimals}" if decimals else grouped
