"""A budget with two rounds and three pots, whose phases lie around now: the first round is open."""

from datetime import datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import District, RegisterExtract
from budgets import actions
from budgets.actions.setup import create_budget
from budgets.models import Pot, Project, Round
from participation import clock
from participation.choices import Status
from participation.models import Phase, Process
from tests.accounts.factories import make_citizen, make_district, make_extract, make_resident
from tests.budgets import factories as make

# Days from now: (kind, first, last).
PLAN = (
    ("ideas", -20, -10),
    ("shortlist", -3, 4),
    ("improve", 5, 10),
    ("assessment", 10, 15),
    ("vote", 15, 25),
)


def two_rounds(*, city: bool = True, **detail: Any) -> tuple[Process, dict[str, Pot], dict[str, District]]:
    """`city` says whether there is a pot for the whole municipality."""
    if not RegisterExtract.objects.exists():
        make_extract(valid_until=clock.today() + timedelta(days=200))
    places = {"nord": make_district(name="Nordby"), "syd": make_district(name="Sydby")}
    pots = [
        {"name": "Hele byen", "district": None, "total": 300_000},
        {"name": "Nord", "district": places["nord"].pk, "total": 100_000},
        {"name": "Syd", "district": places["syd"].pk, "total": 100_000},
    ]
    process = make.make_process(status=Status.DRAFT, edit_minutes=30)
    create_budget(
        process,
        **{
            "total": 500_000,
            "max_cost": 200_000,
            "ballot_type": "approval",
            "max_choices": 2,
            "publish_ballots_from": 0,
            "shortlist_size": 1,
            "shortlist_choices": 2,
            "propose": {"min_age": 13},
            "vote": {"min_age": 15},
            "pots": pots if city else pots[1:],
        }
        | detail,
    )
    now = clock.now()
    for kind, first, last in PLAN:
        span = (now + timedelta(days=first), now + timedelta(days=last))
        Phase.objects.create(process=process, kind=kind, interval=DateTimeTZRange(*span, "[)"))
    process.opens_at, process.closes_at = now + timedelta(days=PLAN[0][1]), now + timedelta(days=PLAN[-1][2])
    process.save(update_fields=["opens_at", "closes_at"])
    make.put_in(process, Status.OPEN)
    return process, {pot.key: pot for pot in process.citizenbudget.pots.all()}, places


def propose(process: Process, pot: Pot, title: str, price: int = 60_000, **fields: Any) -> Project:
    return make.make_project(
        process,
        pot=pot,
        title=title,
        price=price,
        assessment="undecided",
        **{"author": make_citizen(), "created_at": clock.now() - timedelta(days=15)} | fields,
    )


def voter(district: District | None = None) -> Any:
    extract = RegisterExtract.objects.first()
    return make_citizen(person=make_resident(extract=extract, school_district=district).person)


def on(process: Process, kind: str, part: float = 0.5) -> datetime:
    """A moment within a phase."""
    span = process.phases.get(kind=kind).interval
    return span.lower + (span.upper - span.lower) * part


def after(process: Process, kind: str, **later: float) -> datetime:
    return process.phases.get(kind=kind).interval.upper + timedelta(**later or {"hours": 1})


def cast(round: Round, by: Any, *titles: str, at: datetime, pot: str | None = None) -> None:
    numbers = dict(round.ballot_projects.values_list("title", "number"))
    actions.cast_ballot(
        round=make.again(round),
        by=by,
        choices=[(numbers[title], 1) for title in titles],
        tracker=None,
        pot=pot,
        at=at,
    )


def count(round: Round, at: datetime) -> Round:
    actions.seal_round(round=round, by=None, at=at)
    actions.count_round(round=round, by=None, at=at)
    return make.again(round)
