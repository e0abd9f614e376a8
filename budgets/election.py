"""A sealed round as elections to count, one for each pot, and as the files that anyone can count again.

A ballot's choices in the city-wide pot go to that pot's election, those in its district's pot to that one's. A part left
blank is no ballot there. Nothing in one pot's file leads to another's: each is sorted by what it says, on its own, and no
file says which district a city-wide ballot came from.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone
from redis.exceptions import RedisError

from budgets import counting, pabulib
from budgets.ballots import round_paper
from budgets.counting import Amount, Election, Rule
from budgets.models import BallotProject, BallotType, CitizenBudget, CountedBallot, CountingRule, Round
from budgets.models.rules import Leftover
from budgets.pabulib import RULE_NAMES, RULES, VoteType, cell, number

VOTE_TYPES = {
    BallotType.APPROVAL: VoteType.APPROVAL,
    BallotType.KNAPSACK: VoteType.APPROVAL,
    BallotType.CHOOSE_ONE: VoteType.CHOOSE_ONE,
    BallotType.CUMULATIVE: VoteType.CUMULATIVE,
    BallotType.ORDINAL: VoteType.ORDINAL,
}
KEEP_FILE_SECONDS = 60 * 60 * 24
_WITH_POINTS = frozenset({VoteType.CUMULATIVE, VoteType.ORDINAL})


@dataclass(frozen=True)
class File:
    """What is published of one pot: the ballots without anything about who cast them, or only totals where there are
    few."""

    name: str
    content: bytes
    with_ballots: bool
    pot: str = ""
    ballots: int = 0

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def rule_of(round: Round) -> Rule | None:
    """The rule published before voting; None for an imported file whose rule nobody knows."""
    if round.imported:
        return RULES.get(round.imported_meta["rule"].strip())
    if round.kind == Round.Kind.SHORTLIST:
        return Rule.SHORTLIST
    return rule_in(round.process.citizenbudget, round.process.citizenbudget.counting_rule)


def rule_in(budget: CitizenBudget, chosen: str) -> Rule:
    """A budget's rule as the count knows it: the most votes among those with enough is a rule of its own."""
    if chosen == CountingRule.GREEDY and budget.min_votes:
        return Rule.GREEDY_THRESHOLD
    return Rule(chosen)


def other_rule(rule: Rule) -> Rule | None:
    """What the result is compared with: an equal part each against the most votes first. Nothing beside a first round."""
    if rule is Rule.SHORTLIST:
        return None
    return Rule.GREEDY if rule is Rule.EQUAL_SHARES else Rule.EQUAL_SHARES


@dataclass(frozen=True)
class PotOf:
    """A pot as a round knows it; without pots the whole budget is one, with no key and no name."""

    key: str
    name: str
    total: Decimal
    district_id: int | None = None


def pots_of(round: Round) -> tuple[PotOf, ...]:
    """The pots of a round read by `Round.objects.for_voting()`, in order."""
    rows = round.pots  # type: ignore[attr-defined]
    if not rows:
        return (PotOf("", "", round.process.citizenbudget.total),)
    return tuple(PotOf(row["key"], row["name"], Decimal(row["total"]), row["district"]) for row in rows)


def leftover_to(round: Round) -> str | None:
    """The key of the city-wide pot, where it gets what the districts' pots do not use."""
    budget = round.process.citizenbudget
    pots = pots_of(round)
    if len(pots) < 2 or budget.leftover != Leftover.TO_CITY or round.kind == Round.Kind.SHORTLIST:
        return None
    return next((pot.key for pot in pots if pot.district_id is None), None)


def elections_of(round: Round) -> dict[str, Election]:
    """The projects on the ballot and the opened ballots, pot by pot; equal ballots are counted together by the database.
    A project whose pot is none of the budget's would be lost, so it raises KeyError."""
    budget, pots = round.process.citizenbudget, pots_of(round)
    projects: dict[str, list[counting.Project]] = {pot.key: [] for pot in pots}
    pot_of: dict[str, str] = {}
    groups: dict[str, str] = {}
    for row in BallotProject.objects.in_order().filter(round=round):
        least = row.least_price if budget.part_funding else None
        group = groups.setdefault(row.alternative, str(len(groups) + 1)) if row.alternative else ""
        projects[row.pot].append(
            counting.Project(
                row.number,
                counting.exact(Fraction(row.price)),
                row.title,
                group,
                None if least is None else counting.exact(Fraction(least)),
            )
        )
        pot_of[row.number] = row.pot
    cast = (
        CountedBallot.objects.filter(round=round)
        .values_list("choices")
        .annotate(times=Count("pk"))
        .order_by()
    )
    ballots: dict[str, dict[counting.Ballot, int]] = {pot.key: {} for pot in pots}
    alone = len(pots) == 1
    for choices, times in cast.iterator():
        parts: dict[str, list[tuple[str, Amount]]] = {pots[0].key: []} if alone else {}
        for project, stored in choices:
            parts.setdefault(pot_of[project], []).append((project, points_of(stored)))
        for pot, part in parts.items():
            ballot = tuple(sorted(part))
            ballots[pot][ballot] = ballots[pot].get(ballot, 0) + times
    shortlist = budget.shortlist_size if round.kind == Round.Kind.SHORTLIST else None
    return {
        pot.key: Election(
            tuple(projects[pot.key]),
            ballots[pot.key],
            counting.exact(Fraction(pot.total)),
            budget.min_votes or None,
            budget.part_funding,
            shortlist,
        )
        for pot in pots
    }


def points_of(stored: int | str) -> Amount:
    """Points are stored as whole numbers; parts of a point (only in imported elections) as text."""
    return stored if isinstance(stored, int) else counting.exact(Fraction(stored))


def file_name(round: Round, pot: str = "", *, with_ballots: bool = True) -> str:
    parts = [round.process.slug, "" if round.number == 1 else str(round.number), pot]
    return "-".join(part for part in parts if part) + (".pb" if with_ballots else "-totals.csv")


def published_files(round: Round) -> dict[str, File]:
    """By pot, the same bytes every time, so that their SHA-256 can be published at sealing, before anyone has counted."""
    return {pot: _published(round, pot, cast) for pot, cast in elections_of(round).items()}


def listed(files: Iterable[File]) -> list[dict[str, Any]]:
    """What a round remembers of its files (`Round.files`)."""
    return [
        {
            "pot": file.pot,
            "name": file.name,
            "ballots": file.ballots,
            "with_ballots": file.with_ballots,
            "sha256": file.sha256,
        }
        for file in files
    ]


def _published(round: Round, pot: str, cast: Election) -> File:
    ballots = sum(cast.ballots.values())
    with_ballots = ballots >= round.process.citizenbudget.publish_ballots_from
    content = _pb(round, pot, cast) if with_ballots else _totals(round, cast)
    return File(
        file_name(round, pot, with_ballots=with_ballots), content.encode(), with_ballots, pot, ballots
    )


def served_file(round: Round, pot: str = "") -> File:
    """The published file for download: made once and kept in the cache, and never another than the one whose SHA-256 was
    published at sealing. Raises ValueError if the ballots no longer give that, KeyError if there is none of that pot."""
    wanted = {row["pot"]: row["sha256"] for row in round.files}[pot]
    key = f"budgets:published:{wanted}"
    kept: File | None = None
    with suppress(RedisError, OSError):  # without the cache it is made each time
        kept = cache.get(key)
    if kept is None:
        kept = published_files(round)[pot]
        if kept.sha256 != wanted:
            raise ValueError(f"The ballots of round {round.pk} no longer give the file that was published.")
        with suppress(RedisError, OSError):
            cache.set(key, kept, KEEP_FILE_SECONDS)
    return kept


def _pb(round: Round, pot: str, election: Election) -> str:
    kind = vote_type(round)
    header = ("voter_id", "vote", "points") if kind is VoteType.CUMULATIVE else ("voter_id", "vote")
    return pabulib.write(
        _meta(round, pot, election, kind),
        *_projects(election, kind, of_count=True),
        header,
        _votes(election, kind),
    )


def vote_type(round: Round) -> VoteType:
    """In a first round projects are only chosen, whatever the last round asks (`ballots.round_paper`)."""
    if round.kind == Round.Kind.SHORTLIST:
        return VoteType.APPROVAL
    return VOTE_TYPES[BallotType(round.process.citizenbudget.ballot_type)]


def _meta(round: Round, pot: str, election: Election, kind: VoteType) -> dict[str, str]:
    counts = {
        "num_projects": str(len(election.projects)),
        "num_votes": str(sum(election.ballots.values())),
    }
    if round.imported:
        return {**round.imported_meta, **counts}
    budget = round.process.citizenbudget
    part = next((part for part in round_paper(round).parts if part.key == pot), None)
    rule = rule_of(round)
    assert rule is not None
    first, last = round.opened_at, round.opened_at
    if round.phase is not None:
        first, last = round.phase.interval.lower, round.phase.interval.upper - timedelta(microseconds=1)
    meta = {
        "description": cell(round.process.title),
        "country": "Denmark",
        "unit": cell(settings.MUNICIPALITY["name"]),
        "instance": f"{timezone.localtime(first):%Y}",
        **counts,
        "budget": number(election.budget),
        "vote_type": kind.value,
        "rule": RULE_NAMES[rule],
        "date_begin": f"{timezone.localtime(first):%d.%m.%Y}",
        "date_end": f"{timezone.localtime(last):%d.%m.%Y}",
        "min_length": str(part.least if part else 0),
        "max_length": str(part.most if part else 0),
        "language": "da",
        "currency": budget.currency,
    }
    if part is not None and part.ballot_type == BallotType.KNAPSACK:
        meta["max_sum_cost"] = number(election.budget)
    if kind is VoteType.CUMULATIVE:
        meta |= {"min_points": "1", "max_sum_points": str(budget.points)}
    if rule is Rule.GREEDY_THRESHOLD:
        meta["min_project_score_threshold"] = str(budget.min_votes)
    if rule is Rule.SHORTLIST:
        meta[pabulib.SHORTLIST_SIZE] = str(budget.shortlist_size)
    elif budget.part_funding:
        meta[pabulib.PART_FUNDING] = "1"
    return meta | _pot_meta(round, pot, election)


def _pot_meta(round: Round, pot: str, election: Election) -> dict[str, str]:
    """What a file says of its pot, and of the others that it belongs together with."""
    pots = {one.key: one for one in pots_of(round)}
    if not pot:
        return {}
    own = pots[pot]
    meta = {"subunit": cell(own.name)}
    if own.district_id is not None:
        meta["district"] = cell(own.name)
    everything = sum(project.cost for project in election.projects)
    meta |= {
        "fully_funded": "1" if everything <= election.budget else "0",
        pabulib.POT: pot,
        pabulib.POTS: ",".join(pots),
    }
    to = leftover_to(round)
    return meta if to is None else {**meta, pabulib.LEFTOVER_TO: to}


def _projects(
    election: Election, kind: VoteType, *, of_count: bool
) -> tuple[tuple[str, ...], Iterable[tuple[str, ...]]]:
    """The fields and the rows; those that only a count needs are left out where nothing is in them."""
    votes, scores = counting.votes(election), counting.scores(election)
    columns: dict[str, Callable[[counting.Project], str]] = {
        "project_id": lambda project: project.id,
        "cost": lambda project: number(project.cost),
        "votes": lambda project: str(votes[project.id]),
    }
    if kind in _WITH_POINTS:
        columns["score"] = lambda project: number(scores[project.id])
    if of_count and any(project.alternative for project in election.projects):
        columns[pabulib.ALTERNATIVE] = lambda project: project.alternative
    if of_count and any(project.least is not None for project in election.projects):
        columns[pabulib.LEAST_COST] = lambda project: "" if project.least is None else number(project.least)
    columns["name"] = lambda project: cell(project.name)
    rows = (tuple(column(project) for column in columns.values()) for project in election.projects)
    return tuple(columns), rows


def _votes(election: Election, kind: VoteType) -> Iterator[tuple[str, ...]]:
    """Sorted by what they say, so that their order tells nothing; the voter's id is only a place in that order."""
    voter = 0
    for ballot in sorted(election.ballots):
        named = sorted(ballot, key=lambda entry: -entry[1]) if kind is VoteType.ORDINAL else ballot
        cells = [",".join(project for project, _points in named)]
        if kind is VoteType.CUMULATIVE:
            cells.append(",".join(number(points) for _project, points in named))
        for _copy in range(election.ballots[ballot]):
            voter += 1
            yield (str(voter), *cells)


def _totals(round: Round, election: Election) -> str:
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", lineterminator="\n")
    fields, projects = _projects(election, vote_type(round), of_count=False)
    rows.writerow(fields)
    rows.writerows((*numbers, _as_text(name)) for *numbers, name in projects)
    return out.getvalue()


def _as_text(cell: str) -> str:
    """A title that begins as a formula is still a title when a spreadsheet opens the file."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
