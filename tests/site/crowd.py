"""A thousand of everything, on each page by other people in other districts, written straight to the tables."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import District, EligibilityRule, Unit, User
from budgets.models import CitizenBudget, Project
from participation import clock
from participation.choices import Status
from participation.models import Contribution, Decision, Impact, NewsItem, Phase, Process, ProcessQuestion
from tests.site.world import World

ROAD = (Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED, Status.DECIDED)
_numbers = itertools.count(1)


def _districts(number: int) -> list[District]:
    """As many as stand on a page are all different; a municipality has no more of them than a hundred."""
    made = District.objects.bulk_create(
        District(kind=District.Kind.SCHOOL, code=f"x{next(_numbers)}", name=f"Distrikt {one}")
        for one in range(min(number, 50))
    )
    return list(itertools.islice(itertools.cycle(made), number))


def processes(world: World, number: int, status: str) -> None:
    """Citizen budgets that stand at `status`, each of its own unit, touching its own district."""
    like = world.processes["open"]
    budget = CitizenBudget.objects.get(process=like)
    now = clock.now()
    units = Unit.objects.bulk_create(Unit(name=f"Enhed {next(_numbers)}") for _one in range(number))
    made = []
    for place, unit in enumerate(units):
        values: dict[str, Any] = {
            field.attname: getattr(like, field.attname)
            for field in Process._meta.concrete_fields
            if field.attname not in {"id", "search_vector", "slug", "title", "programme_id"}
        }
        made.append(
            Process(
                **values
                | {
                    "slug": f"mange-{next(_numbers)}",
                    "title": f"Legeplads {place}",
                    "question": f"Hvad skal der ske på legeplads {place}?",
                    "status": Status.DRAFT,
                    "touches": "districts",
                    "unit_id": unit.pk,
                    "opens_at": now - timedelta(days=20),
                    "closes_at": now + timedelta(days=3 + place % 60),
                }
            )
        )
    made = Process.objects.bulk_create(made)
    Phase.objects.bulk_create(
        Phase(process=one, kind=kind, interval=DateTimeTZRange(start, end, "[)"))
        for one in made
        for kind, start, end in (
            ("ideas", one.opens_at, now + timedelta(days=1)),
            ("vote", now + timedelta(days=1), one.closes_at),
        )
    )
    through = Process.touched_districts.through
    through.objects.bulk_create(
        through(process_id=one.pk, district_id=district.pk)
        for one, district in zip(made, _districts(number), strict=True)
    )
    rules = EligibilityRule.objects.bulk_create(EligibilityRule(min_age=15) for _rule in range(2 * number))
    CitizenBudget.objects.bulk_create(
        CitizenBudget(
            **{
                field.attname: getattr(budget, field.attname)
                for field in CitizenBudget._meta.concrete_fields
                if not field.primary_key
            }
            | {"process_id": one.pk, "propose_rule_id": propose.pk, "vote_rule_id": vote.pk}
        )
        for one, propose, vote in zip(made, rules[::2], rules[1::2], strict=True)
    )
    keys = [one.pk for one in made]
    for step in ROAD[: ROAD.index(Status(status)) + 1]:
        Process.objects.filter(pk__in=keys).update(status=step)
    if status == Status.DECIDED:
        Decision.objects.bulk_create(
            Decision(
                process=one,
                decided_on=clock.today(),
                body="Byrådet",
                text="Ja.",
                recorded_at=now,
                recorded_by=world.people["worker"],
            )
            for one in made
        )
        Impact.objects.bulk_create(
            Impact(process=one, text="Der kom en bænk.", recorded_at=now, recorded_by=world.people["worker"])
            for one in made
        )


def contributions(world: World, number: int, process: Process) -> None:
    """Published projects, each with its own author and district."""
    now = clock.now()
    authors = User.objects.bulk_create(
        User(first_name=f"Borger{place}", role="citizen", date_joined=now) for place in range(number)
    )
    districts = _districts(number)
    made = Contribution.objects.bulk_create(
        Contribution(
            process=process,
            author=author,
            title=f"En legeplads {place}",
            body="Børnene mangler et sted at være, når skolen er forbi.",
            district=district,
            home_district=district,
            received_on=clock.today(),
            created_at=now - timedelta(minutes=place),
            published_at=now,
            moderation="published",
        )
        for place, (author, district) in enumerate(zip(authors, districts, strict=True))
    )
    Project.objects.bulk_create(Project(contribution=one, cost=10_000) for one in made)


def around(world: World, number: int, process: Process) -> None:
    """News and questions of one process."""
    now, worker = clock.now(), world.people["worker"]
    NewsItem.objects.bulk_create(
        NewsItem(process=process, title=f"Nyt {place}", text="Kom og se.", published_at=now, by=worker)
        for place in range(number)
    )
    ProcessQuestion.objects.bulk_create(
        ProcessQuestion(
            process=process,
            text=f"Hvornår {place}?",
            asked_at=now,
            due_on=clock.today(),
            moderation="published",
            answer="I maj.",
            answered_at=now,
        )
        for place in range(number)
    )
