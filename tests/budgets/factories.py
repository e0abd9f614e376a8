"""Citizen budgets for tests. Processes are written straight to the table: how they get there is the core's to test."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import RegisterExtract, Unit, User
from accounts.permissions import Role
from budgets import actions
from budgets.actions.projects import create_project
from budgets.actions.setup import create_budget
from budgets.models import Assessment, Pot, Project, Round
from participation import clock
from participation.choices import Moderation, Status
from participation.frozen import amending
from participation.models import Contribution, Phase, Process
from tests.accounts.factories import make_citizen, make_extract, make_resident, make_unit

_numbers = itertools.count(1)

FRAME = {
    "question": "Hvad skal pengene gå til?",
    "ladder_step": "codecision",
    "who_decides": "Byrådet",
    "promise": "De projekter, der vinder, får pengene.",
    "who_answers": "Center for Borgere",
    "answers_due_on": date(2030, 1, 1),
    "answer_how": "each",
    "decision_stage": "idea",
    "decision_on": date(2030, 1, 1),
    "touches": "municipality",
    "offline_route": "Ring eller kom på biblioteket.",
}


def make_staff(role: str = Role.CASEWORKER, unit: Unit | None = None, **fields: Any) -> User:
    number = next(_numbers)
    user = User.objects.create_user(
        **{"email": f"ansat{number}@kommune.example", "first_name": "Mette", "role": role} | fields
    )
    user.units.set([unit] if unit else [])
    return user


def make_process(*, status: str = Status.OPEN, unit: Unit | None = None, **fields: Any) -> Process:
    number = next(_numbers)
    unit = unit or make_unit()
    owner = make_staff(unit=unit)
    now = clock.now()
    return Process.objects.create(
        **FRAME
        | {
            "format": "citizen_budget",
            "slug": f"borgerbudget-{number}",
            "title": f"Borgerbudget {number}",
            "status": status,
            "unit": unit,
            "owner": owner,
            "author": owner,
            "opens_at": now - timedelta(days=30),
            "closes_at": now + timedelta(days=7),
            "created_at": now,
            "updated_at": now,
        }
        | fields
    )


def make_budget(
    *,
    vote_from: datetime | None = None,
    vote_to: datetime | None = None,
    process: Process | None = None,
    extract: bool = True,
    last: str = "vote",
    **detail: Any,
) -> Process:
    """A process whose voting is open now: ideas and assessment are over. `last` is the kind of its last phase."""
    if extract and not RegisterExtract.objects.exists():
        make_extract()
    process = process or make_process(status=Status.DRAFT)
    now = clock.now()
    vote_from = vote_from or now - timedelta(days=1)
    vote_to = vote_to or now + timedelta(days=7)
    create_budget(
        process,
        **{
            "total": Decimal(500_000),
            "max_cost": Decimal(300_000),
            "ballot_type": "approval",
            "max_choices": 3,
            "publish_ballots_from": 0,
            "propose": {"min_age": 13},
            "vote": {"min_age": 15},
        }
        | detail,
    )
    for kind, start, end in (
        ("ideas", vote_from - timedelta(days=20), vote_from - timedelta(days=10)),
        ("assessment", vote_from - timedelta(days=10), vote_from),
        (last, vote_from, vote_to),
    ):
        Phase.objects.create(process=process, kind=kind, interval=DateTimeTZRange(start, end, "[)"))
    process.opens_at, process.closes_at = vote_from - timedelta(days=20), vote_to
    process.save(update_fields=["opens_at", "closes_at"])
    put_in(process, Status.OPEN)
    return process


def put_in(process: Process, status: str) -> None:
    """Along the road that the database allows, without the actions and their checks."""
    road = [Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED, Status.DECIDED]
    for step in road[road.index(Status(process.status)) + 1 : road.index(Status(status)) + 1]:
        process.status = step
        process.save(update_fields=["status"])


def make_project(
    process: Process,
    *,
    price: int = 100_000,
    assessment: str = Assessment.FEASIBLE,
    author: User | None = None,
    pot: Pot | None = None,
    **fields: Any,
) -> Project:
    number = next(_numbers)
    now = clock.now()
    contribution = Contribution.objects.create(
        **{
            "process": process,
            "author": author,
            "title": f"Projekt {number}",
            "body": "En bænk i solen.",
            "received_on": clock.today(),
            "created_at": now,
            "published_at": now,
            "moderation": Moderation.PUBLISHED,
        }
        | fields
    )
    project = create_project(
        contribution,
        cost_lines=[{"text": "Materialer", "amount": price}],
        **{"pot": pot.pk} if pot is not None else {},
    )
    if assessment != Assessment.UNDECIDED:
        actions.assess_project(
            project=project,
            by=process.owner,
            assessment=assessment,
            explanation="Vi har set på det.",
            price=price,
            municipal_matter=assessment == Assessment.FEASIBLE or None,
        )
        project.refresh_from_db()
    return project


def make_round(prices: Sequence[int] = (100_000, 100_000, 100_000, 200_000), **detail: Any) -> Round:
    """A round with voting open now and projects "1", "2", "3" … on the ballot."""
    process = make_budget(**detail)
    for price in prices:
        make_project(process, price=price)
    return actions.open_round(process=process, by=None)


def make_voter(**fields: Any) -> User:
    resident = make_resident(extract=RegisterExtract.objects.first(), **fields)
    return make_citizen(person=resident.person)


def again(round: Round) -> Round:
    return Round.objects.for_voting().get(pk=round.pk)


def close(round: Round) -> None:
    """Voting ended an hour ago."""
    end = clock.now() - timedelta(hours=1)
    phase = Phase.objects.get(pk=round.phase_id)
    phase.interval = DateTimeTZRange(phase.interval.lower, end, "[)")
    with transaction.atomic(), amending(round.process):
        phase.save(update_fields=["interval"])
        Process.objects.filter(pk=round.process_id).update(closes_at=end)


def vote(round: Round, *numbers: str, times: int = 1, **options: Any) -> None:
    """`times` new voters, each with this ballot."""
    for _ in range(times):
        actions.cast_ballot(
            round=round, by=make_voter(), choices=[(number, 1) for number in numbers], tracker=None, **options
        )


def seal(round: Round) -> Round:
    close(round)
    return actions.seal_round(round=round, by=None)
