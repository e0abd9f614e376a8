"""A contribution and the people who talk about it."""

from __future__ import annotations

import itertools
from typing import Any

from django.db import connection

from accounts.models import District, Organisation, Person, User
from participation.actions import contributions as giving
from participation.models import Argument, ArgumentRating, Contribution, Process, Support

_numbers = itertools.count(1)


def somebody(first_name: str = "Asta", **fields: Any) -> User:
    """A citizen whom MitID has told us apart from others."""
    number = next(_numbers)
    person = Person.objects.create()
    return User.objects.create_user(first_name=first_name, last_name=f"Nr{number}", person=person, **fields)


def an_organisation() -> User:
    number = next(_numbers)
    house = Organisation.objects.create(
        cvr=f"{30_000_000 + number}", name=f"Cykelklubben {number}", kind="association"
    )
    return User.objects.create_user(first_name="Ib", organisation=house)


def idea(process: Process, by: User | None = None, title: str = "Bænke på torvet") -> Contribution:
    return giving.give_contribution(
        process=process, by=by or somebody("Bodil"), title=title, body="Man skal kunne sidde ned."
    )


def counters(contribution: Contribution) -> dict[str, int]:
    """What stands on the contribution now."""
    row = Contribution.objects.get(pk=contribution.pk)
    return {"support": row.support_count, "for": row.arguments_for, "against": row.arguments_against}


def counted(contribution: Contribution) -> dict[str, int]:
    """The same, counted from the rows."""
    shown = Argument.objects.filter(contribution=contribution, moderation="published", parent=None)
    return {
        "support": Support.objects.filter(contribution=contribution).count(),
        "for": shown.filter(side="for").count(),
        "against": shown.filter(side="against").count(),
    }


def drifted() -> list[str]:
    """Every counter that is not what its rows say."""
    wrong = [
        f"contribution {one.pk}: {counters(one)} but {counted(one)}"
        for one in Contribution.objects.all()
        if counters(one) != counted(one)
    ]
    for one in Argument.objects.all():
        said = ArgumentRating.objects.filter(argument=one)
        found = (
            said.filter(useful=True).count(),
            said.filter(useful=False).count(),
            Argument.objects.filter(parent=one, moderation="published").count(),
        )
        if found != (one.useful, one.not_useful, one.reply_count):
            wrong.append(f"argument {one.pk}: {(one.useful, one.not_useful, one.reply_count)} but {found}")
    return wrong


def many_arguments(contribution: Contribution, number: int, districts: list[District]) -> None:
    """So many, by as many people from the districts in turn, with replies and ratings; straight into the tables."""
    people = Person.objects.bulk_create(Person() for _each in range(number))
    users = User.objects.bulk_create(
        User(
            first_name=f"Navn{place}",
            last_name="Holm",
            handle=f"debat-{next(_numbers)}",
            person=person,
            date_joined=contribution.created_at,
        )
        for place, person in enumerate(people)
    )
    rows = Argument.objects.bulk_create(
        Argument(
            contribution=contribution,
            side="for" if place % 2 else "against",
            text=f"Argument nummer {place}. " + "Det er vigtigt for os, der bor her. " * 3,
            author=user,
            person=user.person,
            home_district=districts[place % len(districts)],
            created_at=contribution.created_at,
            moderation="published",
        )
        for place, user in enumerate(users)
    )
    ArgumentRating.objects.bulk_create(
        ArgumentRating(argument=row, person=people[(place + step) % number], useful=step % 3 != 0)
        for place, row in enumerate(rows)
        for step in range(1, 1 + place % 5)
    )
    Argument.objects.bulk_create(
        Argument(
            contribution=contribution,
            parent=row,
            text=f"Svar {step}",
            author=users[(place + step) % number],
            home_district=districts[step % len(districts)],
            created_at=contribution.created_at,
            moderation="published",
        )
        for place, row in enumerate(rows)
        for step in range(place % 4)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE participation_argument")
