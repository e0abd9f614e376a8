"""A finished election from elsewhere, as a process with its projects and its opened ballots."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.validators import slug_re
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import EligibilityRule
from accounts.verdict import Refused
from audit import actions as audit
from budgets import election
from budgets.actions.counting import count_round
from budgets.actions.projects import LONGEST
from budgets.actions.rounds import put_on_ballot, write_counted
from budgets.counting import Amount, Ballot, Rule
from budgets.format import KEY, VOTE
from budgets.models import (
    Alternative,
    Assessment,
    BallotType,
    CitizenBudget,
    CountingRule,
    Project,
    Round,
    VoteChannel,
)
from budgets.pabulib import Pabulib, VoteType, cell, number
from participation import clock
from participation.choices import (
    AnswerHow,
    DecisionStage,
    IntakeChannel,
    LadderStep,
    Moderation,
    Status,
    Touches,
)
from participation.models import Contribution, Phase, Process

if TYPE_CHECKING:
    from accounts.models import Unit, User

_BALLOT_TYPES = {
    VoteType.APPROVAL: BallotType.APPROVAL,
    VoteType.CHOOSE_ONE: BallotType.CHOOSE_ONE,
    VoteType.CUMULATIVE: BallotType.CUMULATIVE,
    VoteType.ORDINAL: BallotType.ORDINAL,
}
_COUNTING_RULES = {
    Rule.GREEDY: CountingRule.GREEDY,
    Rule.GREEDY_THRESHOLD: CountingRule.GREEDY,
    Rule.GREEDY_NO_SKIP: CountingRule.GREEDY_NO_SKIP,
    Rule.EQUAL_SHARES: CountingRule.EQUAL_SHARES,
}
# The database lets a status move only along the lifecycle, and rows be written only in a draft.
_THE_WAY_TO_DECIDED = (Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED, Status.DECIDED)
LONGEST_SLUG = 80
_DAY_FORMATS = ("%d.%m.%Y", "%Y-%m-%d", "%Y")
_ALTERNATIVE = 120
_TITLE = LONGEST["title"] or 120


@dataclass(frozen=True)
class Imported:
    round: Round
    projects: int
    ballots: int
    official: tuple[str, ...] | None

    @property
    def slug(self) -> str:
        return self.round.process.slug


class CannotHold(Exception):
    """The file is right, but something in it is more than the tables hold. `line` where it is known."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text, self.line = text, line


def import_election(
    *,
    file: Pabulib,
    by: "User",
    unit: "Unit",
    slug: str = "",
    title: str = "",
    project_lines: dict[str, int] | None = None,
    at: datetime | None = None,
) -> Imported:
    """Write an election that was held elsewhere: a decided process, its projects, and its ballots in random order as if
    just sealed. It is counted when the file names a rule we know. All or nothing."""
    at = at or clock.now()
    lines = project_lines or {}
    _check_can_hold(file)
    first, last = _days(file)
    with transaction.atomic():
        process = _write_process(file, by, unit, slug, title, first, last, at)
        _write_budget(file, process)
        phase = Phase.objects.create(
            process=process, kind=VOTE.key, interval=DateTimeTZRange(first, last, "[)")
        )
        _write_projects(file, process, by, first, at, lines)
        round = Round.objects.create(
            process=process,
            phase=phase,
            state=Round.State.SEALED,
            opened_at=first,
            sealed_at=last,
            ballot_bytes=0,
            ballot_count=sum(file.election.ballots.values()),
            imported_meta=dict(file.meta),
        )
        put_on_ballot(round, Project.objects.on_ballot().filter(contribution__process=process))
        write_counted(round, _opened(file))
        for status in _THE_WAY_TO_DECIDED:
            process.status = status
            process.save(update_fields=["status"])
        round = Round.objects.for_voting().get(pk=round.pk)
        round.files = election.listed(election.published_files(round).values())
        round.save(update_fields=["files"])
        audit.record(
            action="budgets.import_election", by=by, obj=round, values={"ballots": round.ballot_count}
        )
        if file.rule is not None:
            count_round(round=round, by=None, at=at)
    return Imported(round, len(file.projects), round.ballot_count, file.official_winners())


def _write_process(
    file: Pabulib,
    by: "User",
    unit: "Unit",
    slug: str,
    title: str,
    first: datetime,
    last: datetime,
    at: datetime,
) -> Process:
    place = cell(" ".join(file.meta.get(key, "") for key in ("unit", "subunit", "instance")))
    title = (title or cell(file.meta["description"]) or place)[:120]
    if slug and (len(slug) > LONGEST_SLUG or not slug_re.match(slug)):
        raise Refused("slug", _("An address has letters, figures and hyphens only, 80 at most."))
    slug = slug or _free_slug(slugify(place) or "election")
    if Process.objects.filter(slug=slug).exists():
        raise Refused(
            "slug_taken", _("There is already a process at the address “%(slug)s”.") % {"slug": slug}
        )
    return Process.objects.create(
        format=KEY,
        slug=slug,
        title=title,
        introduction=_("An election held elsewhere, read from its published ballots."),
        status=Status.DRAFT,
        unit=unit,
        owner=by,
        author=by,
        created_at=at,
        updated_at=at,
        opens_at=first,
        closes_at=last,
        closed_at=last,
        question=title,
        ladder_step=LadderStep.CODECISION,
        who_decides=cell(file.meta["unit"])[:200] or place,
        promise=_("Held elsewhere: see who held it."),
        who_answers=cell(file.meta["unit"])[:200] or place,
        answers_due_on=timezone.localdate(last),
        answer_how=AnswerHow.THEME,
        decision_stage=DecisionStage.FINAL,
        decision_on=timezone.localdate(last),
        touches=Touches.MUNICIPALITY,
        offline_route=_("Held elsewhere: see who held it."),
    )


def _free_slug(wanted: str) -> str:
    wanted = wanted[:70]
    taken = set(Process.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _check_can_hold(file: Pabulib) -> None:
    """One file is one whole election: a first round leads to another, and a pot that gets money from others isn't whole."""
    if file.rule is Rule.SHORTLIST:
        raise CannotHold(_("This is a first round. Read the file of the final round instead."))
    if file.pot and file.leftover_to == file.pot:
        raise CannotHold(
            _("This pot also got what other pots didn't use, so it can't be counted without their files.")
        )


def _write_budget(file: Pabulib, process: Process) -> None:
    rule, meta, cast = file.rule or Rule.GREEDY, file.meta, file.election
    threshold = cast.threshold if rule is Rule.GREEDY_THRESHOLD else None
    if threshold is not None and threshold.denominator != 1:
        raise CannotHold(_("The threshold must be a whole number."))
    points = max((sum(int(points) for _id, points in ballot) for ballot in cast.ballots), default=1)
    CitizenBudget.objects.create(
        process=process,
        total=_money(cast.budget, _("The budget"), None),
        currency=(meta.get("currency", "").strip() or "DKK")[:3],
        propose_rule=EligibilityRule.objects.create(min_age=0, residence=EligibilityRule.Residence.ANYONE),
        vote_rule=EligibilityRule.objects.create(min_age=0, residence=EligibilityRule.Residence.ANYONE),
        ballot_type=_BALLOT_TYPES[file.vote_type],
        min_choices=0,
        max_choices=None,
        points=max(min(points, 32000), 1) if file.vote_type is VoteType.CUMULATIVE else None,
        counting_rule=_COUNTING_RULES[rule],
        min_votes=int(threshold or 0),
        publish_ballots_from=0,
        part_funding=cast.part_funding and rule is not Rule.EQUAL_SHARES,
    )


def _write_projects(
    file: Pabulib, process: Process, by: "User", first: datetime, at: datetime, lines: dict[str, int]
) -> None:
    contributions, projects = [], []
    groups = _alternatives(file, process, lines)
    for project in file.election.projects:
        line = lines.get(project.id)
        if len(project.id) > 40:
            raise CannotHold(_("A project's id can be 40 characters at most."), line)
        name = cell(project.name) or project.id
        contributions.append(
            Contribution(
                process=process,
                title=name if len(name) <= _TITLE else name[: _TITLE - 1] + "…",
                body=name,
                received_on=timezone.localdate(first),
                created_at=first,
                published_at=first,
                channel=IntakeChannel.WEB,
                moderation=Moderation.PUBLISHED,
                recorded_by=by,
            )
        )
        projects.append(
            Project(
                number=project.id,
                price=_money(project.cost, _("The cost"), line),
                cost=int(project.cost),
                alternative=groups.get(project.alternative),
                least_price=None
                if project.least is None
                else _money(project.least, _("The least cost"), line),
                assessment=Assessment.FEASIBLE,
                municipal_matter=True,  # so its own municipality found
                assessed_at=at,
            )
        )
    Contribution.objects.bulk_create(contributions)
    for row, contribution in zip(projects, contributions, strict=True):
        row.contribution = contribution
    Project.objects.bulk_create(projects)


def _alternatives(file: Pabulib, process: Process, lines: dict[str, int]) -> dict[str, Alternative]:
    groups: dict[str, Alternative] = {}
    for project in file.election.projects:
        title = project.alternative
        if len(title) > _ALTERNATIVE:
            raise CannotHold(
                _("What excludes others can be called 120 characters at most."), lines.get(project.id)
            )
        if title and title not in groups:
            groups[title] = Alternative.objects.create(process=process, title=title)
    return groups


def _opened(file: Pabulib) -> list[tuple[str, str, list[tuple[str, int | str]], str]]:
    out = []
    for ballot, times in file.election.ballots.items():
        choices = _stored(ballot)
        out += [(VoteChannel.WEB.value, "", choices, "")] * times
    return out


def _stored(ballot: Ballot) -> list[tuple[str, int | str]]:
    return [
        (project, int(points) if points.denominator == 1 else number(points)) for project, points in ballot
    ]


def _money(value: Amount, what: Any, line: int | None) -> Decimal:
    if value.denominator > 100 or 100 % value.denominator or value >= 10**12:
        raise CannotHold(_("%(what)s can have 12 figures and two decimals at most.") % {"what": what}, line)
    return Decimal(number(value))


def _days(file: Pabulib) -> tuple[datetime, datetime]:
    """From the first day's midnight to the one after the last, in our own time zone."""
    days = []
    for key in ("date_begin", "date_end"):
        text = file.meta[key].strip()
        day = None
        for pattern in _DAY_FORMATS:
            try:
                day = datetime.strptime(text, pattern).replace(tzinfo=UTC)
                break
            except ValueError:
                continue
        if day is None or not 1900 <= day.year <= 2200:
            raise CannotHold(_("%(key)s must be a day, such as 31.12.2026.") % {"key": key})
        days.append(timezone.make_aware(day.replace(tzinfo=None)))
    if days[1] < days[0]:
        raise CannotHold(_("date_end lies before date_begin."))
    return days[0], days[1] + timedelta(days=1)
