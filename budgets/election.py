"""A sealed round as an election to count, and as the file that anyone can count again."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone
from redis.exceptions import RedisError

from budgets import counting, pabulib
from budgets.ballots import Paper, round_paper
from budgets.counting import Amount, Election, Rule
from budgets.models import BallotProject, BallotType, CitizenBudget, CountedBallot, CountingRule, Round
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
    """What is published: the ballots without anything about who cast them, or only totals where there are few."""

    name: str
    content: bytes
    with_ballots: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def rule_of(round: Round) -> Rule | None:
    """The rule published before voting; None for an imported file whose rule nobody knows."""
    if round.imported:
        return RULES.get(round.imported_meta["rule"].strip())
    return rule_in(round.process.citizenbudget, round.process.citizenbudget.counting_rule)


def rule_in(budget: CitizenBudget, chosen: str) -> Rule:
    """A budget's rule as the count knows it: the most votes among those with enough is a rule of its own."""
    if chosen == CountingRule.GREEDY and budget.min_votes:
        return Rule.GREEDY_THRESHOLD
    return Rule(chosen)


def other_rule(rule: Rule) -> Rule:
    """What the result is compared with: an equal part each against the most votes first."""
    return Rule.GREEDY if rule is Rule.EQUAL_SHARES else Rule.EQUAL_SHARES


def election_of(round: Round) -> Election:
    """The projects on the ballot and the opened ballots, equal ones counted together by the database."""
    budget = round.process.citizenbudget
    projects = tuple(
        counting.Project(number, counting.exact(Fraction(price)), title)
        for number, price, title in BallotProject.objects.in_order()
        .filter(round=round)
        .values_list("number", "price", "title")
    )
    cast = (
        CountedBallot.objects.filter(round=round)
        .values_list("choices")
        .annotate(times=Count("pk"))
        .order_by()
    )
    ballots: dict[counting.Ballot, int] = {}
    for choices, times in cast.iterator():
        ballot = tuple(sorted((project, points_of(stored)) for project, stored in choices))
        ballots[ballot] = ballots.get(ballot, 0) + times
    return Election(projects, ballots, counting.exact(Fraction(budget.total)), budget.min_votes or None)


def points_of(stored: int | str) -> Amount:
    """Points are stored as whole numbers; parts of a point (only in imported elections) as text."""
    return stored if isinstance(stored, int) else counting.exact(Fraction(stored))


def file_name(round: Round) -> str:
    slug = round.process.slug
    return f"{slug}.pb" if round.number == 1 else f"{slug}-{round.number}.pb"


def published_file(round: Round) -> File:
    """The same bytes every time, so that their SHA-256 can be published at sealing, before anyone has counted."""
    election = election_of(round)
    name = file_name(round).removesuffix(".pb")
    if sum(election.ballots.values()) < round.process.citizenbudget.publish_ballots_from:
        return File(f"{name}-totals.csv", _totals(round, election).encode(), with_ballots=False)
    return File(f"{name}.pb", _pb(round, election).encode(), with_ballots=True)


def served_file(round: Round) -> File:
    """The published file for download: made once and kept in the cache, and never another than the one whose SHA-256 was
    published at sealing. Raises ValueError if the ballots no longer give that."""
    key = f"budgets:published:{round.pb_sha256}"
    kept: File | None = None
    with suppress(RedisError, OSError):  # without the cache it is made each time
        kept = cache.get(key)
    if kept is None:
        kept = published_file(round)
        if kept.sha256 != round.pb_sha256:
            raise ValueError(f"The ballots of round {round.pk} no longer give the file that was published.")
        with suppress(RedisError, OSError):
            cache.set(key, kept, KEEP_FILE_SECONDS)
    return kept


def _pb(round: Round, election: Election) -> str:
    kind = VOTE_TYPES[BallotType(round.process.citizenbudget.ballot_type)]
    header = ("voter_id", "vote", "points") if kind is VoteType.CUMULATIVE else ("voter_id", "vote")
    return pabulib.write(
        _meta(round, election, kind), *_projects(election, kind), header, _votes(election, kind)
    )


def _meta(round: Round, election: Election, kind: VoteType) -> dict[str, str]:
    counts = {
        "num_projects": str(len(election.projects)),
        "num_votes": str(sum(election.ballots.values())),
    }
    if round.imported:
        return {**round.imported_meta, **counts}
    budget, paper = round.process.citizenbudget, _paper(round).parts[0]
    rule = rule_in(budget, budget.counting_rule)
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
        "min_length": str(paper.least),
        "max_length": str(paper.most),
        "language": "da",
        "currency": budget.currency,
    }
    if budget.ballot_type == BallotType.KNAPSACK:
        meta["max_sum_cost"] = number(election.budget)
    if kind is VoteType.CUMULATIVE:
        meta |= {"min_points": "1", "max_sum_points": str(budget.points)}
    if rule is Rule.GREEDY_THRESHOLD:
        meta["min_project_score_threshold"] = str(budget.min_votes)
    return meta


def _paper(round: Round) -> Paper:
    if not hasattr(round, "paper"):
        round = Round.objects.for_voting().get(pk=round.pk)
    return round_paper(round)


def _projects(election: Election, kind: VoteType) -> tuple[tuple[str, ...], Iterable[tuple[str, ...]]]:
    votes, scores = counting.votes(election), counting.scores(election)
    with_score = kind in _WITH_POINTS
    rows: list[tuple[str, ...]] = []
    for project in election.projects:
        score = (number(scores[project.id]),) if with_score else ()
        rows.append((project.id, number(project.cost), str(votes[project.id]), *score, cell(project.name)))
    fields = ("project_id", "cost", "votes", *(("score",) if with_score else ()), "name")
    return fields, rows


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
    fields, projects = _projects(election, VOTE_TYPES[BallotType(round.process.citizenbudget.ballot_type)])
    rows.writerow(fields)
    rows.writerows((*numbers, _as_text(name)) for *numbers, name in projects)
    return out.getvalue()


def _as_text(cell: str) -> str:
    """A title that begins as a formula is still a title when a spreadsheet opens the file."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
