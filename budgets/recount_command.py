"""``python recount.py FILE.pb``: count an election again, at home. The pots of one vote are given together where what one
does not use moves to another: ``python recount.py nord.pb syd.pb by.pb``.

Exit codes: 0 counted, 2 something is wrong with the file, the lot or what was asked for, 3 a tie decides and no
lot has been given.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from budgets.counting import (
    Amount,
    CountingError,
    Decision,
    Election,
    LotError,
    Outcome,
    PotCount,
    Rule,
    Step,
    Tie,
    count,
    count_pots,
    exact,
)
from budgets.pabulib import Pabulib, ParseError, number, parse

_RULE_TEXT = {
    Rule.GREEDY: "flest stemmer først; det, der ikke er råd til, springes over",
    Rule.GREEDY_NO_SKIP: "flest stemmer først; optællingen stopper ved det første, der ikke er råd til",
    Rule.GREEDY_THRESHOLD: "flest stemmer først blandt dem, der nåede mindstetallet; det, der ikke er råd til, springes over",
    Rule.EQUAL_SHARES: "lige andele (Equal Shares), fuldført ved at hæve alles andel én krone ad gangen",
    Rule.SHORTLIST: "første runde: dem med flest stemmer går videre, og alle, der står lige med den sidste",
}

_DECISION_TEXT = {
    Decision.FUNDED: "får penge",
    Decision.PART_FUNDED: "får det, der er tilbage",
    Decision.EXCLUDED: "kan ikke få penge sammen med et, der har fået",
    Decision.SHORTLISTED: "går videre",
    Decision.NOT_SHORTLISTED: "går ikke videre",
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
        files = {name: _read(name) for name in asked.files}
        if len(files) != len(asked.files):
            raise _Refused("Den samme fil er nævnt to gange.")
        lot = None if asked.lot is None else _lot(asked.lot)
        received = dict(asked.received)
        if len(files) == 1 and not received:
            ((name, file),) = files.items()
            return _count_one(name, file, lot, asked)
        return _count_several(files, lot, received, asked)
    except (CountingError, _Refused) as error:
        print(error, file=sys.stderr)
        return 2


def _count_one(name: str, file: Pabulib, lot: list[str] | None, asked: argparse.Namespace) -> int:
    _check_all_there(file, [], {})
    rule = _rule(file, asked.rule, asked.threshold)
    election = _with_threshold(file.election, asked.threshold)
    outcome = count(election, rule, lot)
    if asked.json:
        print(json.dumps(_as_json(file, election, outcome), ensure_ascii=False, indent=1))
    else:
        _print_remarks(name, file)
        print("\n".join([*_of_which_pot(file), *_as_text(file, election, outcome)]))
    return 0 if outcome.winners is not None else 3


def _count_several(
    files: Mapping[str, Pabulib],
    lot: list[str] | None,
    received: dict[str, Amount],
    asked: argparse.Namespace,
) -> int:
    """The pots of one vote, each file one of them; ``received`` is money from pots whose ballots are not published."""
    by_pot = _by_pot(files)
    first = next(iter(by_pot.values()))
    last = first.leftover_to
    rule = _rule(first, asked.rule, asked.threshold)
    if last is not None and rule is not Rule.SHORTLIST:
        _check_all_there(first, list(by_pot), received)
    elif received:
        raise _Refused("--received hører til puljer, hvor penge går videre fra den ene til den anden.")
    elections = {pot: _with_threshold(file.election, asked.threshold) for pot, file in by_pot.items()}
    leftover_to = last if last in elections else None
    if leftover_to is not None and received:
        city = elections[leftover_to]
        elections[leftover_to] = replace(city, budget=exact(city.budget + sum(received.values())))
    counted = count_pots(elections, rule, leftover_to=leftover_to, lots=_lots_of_pots(elections, lot))
    counted = {
        pot: replace(one, received={**received, **one.received}) if pot == leftover_to else one
        for pot, one in counted.items()
    }
    if asked.json:
        print(json.dumps(_pots_as_json(files, by_pot, counted, rule), ensure_ascii=False, indent=1))
    else:
        for name, file in files.items():
            _print_remarks(name, file)
        print("\n".join(_pots_as_text(by_pot, counted)))
    return 0 if all(one.outcome and one.outcome.winners is not None for one in counted.values()) else 3


def _by_pot(files: Mapping[str, Pabulib]) -> dict[str, Pabulib]:
    """The files by the pot they are of, in the order that the vote names its pots."""
    found: dict[str, Pabulib] = {}
    first_name, first = next(iter(files.items()))
    for name, file in files.items():
        if not file.pot:
            raise _Refused(f"{name}: filen siger ikke, hvilken pulje den er. Tæl den for sig selv.")
        if file.pot in found:
            raise _Refused(f"{name}: puljen {file.pot} er også en af de andre filer.")
        for key in ("pots", "leftover_to", "rule", "description", "unit", "instance", "date_end"):
            if file.meta.get(key, "").strip() != first.meta.get(key, "").strip():
                raise _Refused(
                    f"{name} og {first_name} er ikke puljer i den samme afstemning: {key} er forskellig."
                )
        found[file.pot] = file
    return {pot: found[pot] for pot in first.pots if pot in found}


def _check_all_there(file: Pabulib, here: list[str], received: Mapping[str, Amount]) -> None:
    """Money moves to a pot: it can't be counted before it is known what every other pot leaves."""
    last, here = file.leftover_to, here or [file.pot]
    if received and last not in here:
        raise _Refused(f"--received hører til puljen {last}, og den fil er ikke givet.")
    unknown = received.keys() - (set(file.pots) - {last})
    if unknown:
        raise _Refused(
            f"--received nævner {', '.join(sorted(unknown))}, som ikke er en pulje, der giver videre."
        )
    if received.keys() & set(here):
        raise _Refused("--received nævner en pulje, hvis fil også er givet.")
    if last is None or last not in here:
        return
    missing = [pot for pot in file.pots if pot not in here and pot not in received]
    if missing:
        raise _Refused(
            f"Puljen {last} får også det, som de andre puljer ikke bruger, så de skal tælles sammen. "
            f"Der mangler: {', '.join(missing)}. Giv alle filerne på én gang, eller skriv --received PULJE=KRONER "
            "for en pulje, hvis stemmesedler ikke er offentliggjort."
        )


def _lots_of_pots(elections: Mapping[str, Election], lot: list[str] | None) -> dict[str, list[list[str]]]:
    """Numbers are each project's own in the whole vote, so one order serves all pots: each takes its own from it."""
    if lot is None:
        return {}
    ids = {pot: {project.id for project in election.projects} for pot, election in elections.items()}
    unknown = set(lot).difference(*ids.values())
    if unknown:
        raise LotError(f"Lodtrækningen nævner projekt {sorted(unknown)[0]}, som ikke findes.")
    return {pot: [own] for pot in elections if (own := [project for project in lot if project in ids[pot]])}


def _with_threshold(election: Election, threshold: int | None) -> Election:
    return election if threshold is None else replace(election, threshold=threshold)


def _print_remarks(name: str, file: Pabulib) -> None:
    for remark in file.remarks:
        print(f"{name}:{remark.line}: bemærk: {remark.text}", file=sys.stderr)


class _Refused(Exception):
    """What was asked for cannot be done; the text says why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.format_usage()}{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="recount.py",
        description="Tæller et borgerbudget op igen ud fra den offentliggjorte .pb-fil. Har afstemningen puljer, er "
        "der en fil for hver; går penge videre fra den ene til den anden, gives alle filerne på én gang. "
        "Uden --rule bruges filens egen regel. Slutkoder: 0 talt op, 2 fejl i filen eller i det, "
        "der blev bedt om, 3 stemmelighed afgør, og der skal trækkes lod.",
    )
    parser.add_argument(
        "files", metavar="FILE.pb", nargs="+", help="afstemningen i Pabulib-format, en fil for hver pulje"
    )
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
    parser.add_argument(
        "--received",
        metavar="PULJE=KRONER",
        type=_received,
        action="append",
        default=[],
        help="det, en pulje lod gå videre, når dens stemmesedler ikke er offentliggjort",
    )
    parser.add_argument("--json", action="store_true", help="skriv resultatet som JSON")
    return parser


def _threshold(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError("mindstetallet skal være et helt tal")
    return int(text)


def _received(text: str) -> tuple[str, Amount]:
    pot, _, amount = text.partition("=")
    if not pot.strip() or not re.fullmatch(r"[0-9]{1,18}([.,][0-9]{1,2})?", amount.strip()):
        raise argparse.ArgumentTypeError("skriv det som PULJE=KRONER, for eksempel nord=88000")
    return pot.strip(), exact(Fraction(amount.strip().replace(",", ".")))


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
        "amounts": {project: _number(amount) for project, amount in outcome.amounts.items()},
        "ties": [tie.as_dict() for tie in outcome.ties],
        "round": outcome.round,
        "steps": [_step_as_json(step) for step in outcome.steps],
        "remarks": [{"line": remark.line, "text": remark.text} for remark in file.remarks],
    }


def _pots_as_json(
    files: Mapping[str, Pabulib], by_pot: Mapping[str, Pabulib], counted: Mapping[str, PotCount], rule: Rule
) -> dict[str, Any]:
    names = {file.pot: name for name, file in files.items()}
    outcomes = [one.outcome for one in counted.values()]
    winners = [outcome.winners for outcome in outcomes if outcome and outcome.winners is not None]
    whole = len(winners) == len(outcomes)
    return {
        "rule": rule,
        "leftover_to": next(iter(by_pot.values())).leftover_to,
        "not_counted": [pot for pot in next(iter(by_pot.values())).pots if pot not in counted],
        "winners": [project for each in winners for project in each] if whole else None,
        "spent": _number(exact(sum(outcome.spent or 0 for outcome in outcomes if outcome)))
        if whole
        else None,
        "pots": [
            {
                "pot": pot,
                "name": by_pot[pot].meta.get("subunit", ""),
                "file": names[pot],
                "received": {other: _number(amount) for other, amount in one.received.items()},
                "waits_for": list(one.waits_for),
                **(
                    _as_json(by_pot[pot], one.election, one.outcome)
                    if one.outcome
                    else {"winners": None, "spent": None}
                ),
            }
            for pot, one in counted.items()
        ],
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


def _pots_as_text(by_pot: Mapping[str, Pabulib], counted: Mapping[str, PotCount]) -> list[str]:
    first = next(iter(by_pot.values()))
    names = {pot: _pot_name(file) for pot, file in by_pot.items()}
    if first.leftover_to is not None and first.leftover_to in counted:
        lines = [
            f"Puljerne er talt sammen: det, de andre ikke bruger, går til {names[first.leftover_to]}, som er talt til sidst."
        ]
    else:
        lines = ["Puljerne er talt hver for sig: ingen penge går fra den ene til den anden."]
        if first.leftover_to is not None:
            lines = [
                f"Puljerne er talt hver for sig. Det, de ikke bruger, går til {first.leftover_to}, hvis fil ikke er givet."
            ]
    if missing := [pot for pot in first.pots if pot not in counted]:
        lines.append(f"Ikke talt her, fordi filen mangler: {', '.join(missing)}.")
    for pot, one in counted.items():
        lines += ["", f"=== Pulje: {names[pot]} ==="]
        for other, amount in one.received.items():
            lines.append(f"Har fået {_money(amount)} fra {names.get(other, other)}.")
        if one.outcome is None:
            waits = ", ".join(names[other] for other in one.waits_for)
            lines.append(
                f"Venter på lodtrækningen i {waits}: først da vides det, hvor meget der er i puljen."
            )
        else:
            lines += _as_text(by_pot[pot], one.election, one.outcome)
    return lines


def _of_which_pot(file: Pabulib) -> list[str]:
    """What one pot's file by itself doesn't tell."""
    if not file.pot or len(file.pots) < 2:
        return []
    lines = [f"Pulje: {_pot_name(file)}, en af {len(file.pots)}, talt for sig selv."]
    if file.leftover_to is not None:
        lines.append(f"Det, den ikke bruger, går til puljen {_printable(file.leftover_to)}.")
    return lines


def _pot_name(file: Pabulib) -> str:
    return _printable(file.meta.get("subunit", "").strip() or file.pot)


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
        decision = _DECISION_TEXT[step.decision]
        if step.decision is Decision.PART_FUNDED:
            decision += f" ({_money(exact(step.before - step.after))})"
        left = "" if outcome.rule is Rule.SHORTLIST else f"; {_money(step.after)} tilbage"
        lines.append(
            f"{step.number:>4}. {_printable(step.project)} {names[step.project]}\n"
            f"      {_money(step.score)} stemmer eller point, pris {_money(step.cost)}: {decision}{tie}{left}"
        )
    lines += ["", *(_tie_text(tie) for tie in outcome.ties)]
    if outcome.winners is None:
        lines.append("Ingen vindere endnu: træk lod mellem dem, der står lige, og tæl igen med --lot.")
    else:
        shortlist = outcome.rule is Rule.SHORTLIST
        lines.append(f"{'Går videre' if shortlist else 'Vindere'}: {', '.join(outcome.winners) or 'ingen'}")
        if not shortlist:
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
