"""Projects that won, for tests of carrying them out: decided by the real actions."""

from datetime import timedelta
from typing import Any

from accounts.models import User
from accounts.permissions import Role
from budgets import actions
from budgets.actions import implementation as carrying
from budgets.models import Carrier, Implementation, Project
from participation import clock
from participation.actions.files import store_file, store_photo
from participation.choices import Status
from participation.models import Process, StoredFile
from tests.budgets.factories import make_budget, make_project, make_staff, put_in, seal, vote
from tests.participation.pictures import jpeg

__all__ = ["colleague", "decide", "decided", "photo", "planned", "published", "receipt"]


def decided(
    prices: tuple[int, ...] = (100_000, 50_000), *, author: User | None = None, **options: Any
) -> list[Implementation]:
    """A budget whose vote is counted and whose council funded every project."""
    process = make_budget(total=sum(prices) + 1_000, max_cost=None, **options)
    for price in prices:
        make_project(process, price=price, author=author)
    round = actions.open_round(process=process, by=None)
    vote(round, "1")
    actions.count_round(round=seal(round), by=None)
    put_in(Process.objects.get(pk=process.pk), Status.CLOSED)
    decide(process)
    put_in(Process.objects.get(pk=process.pk), Status.DECIDED)
    return list(
        Implementation.objects.filter(project__contribution__process=process)
        .with_project()
        .order_by("project__number")
    )


def decide(
    process: Process, *refused: str, reason: str = "Byrådet ville noget andet.", **amounts: int
) -> None:
    """The council funds all but `refused`; `p1=90_000` gives project 1 another amount."""
    process = Process.objects.get(pk=process.pk)
    on_ballot = list(Project.objects.on_ballot().filter(contribution__process=process))
    won = set(process.rounds.get().count.winners)
    decisions = []
    for project in on_ballot:
        funded = project.number not in refused
        decisions.append(
            {
                "project": project.number,
                "funded": funded,
                "amount": amounts.get(f"p{project.number}"),
                "reason": reason if funded != (project.number in won) else "",
            }
        )
    actions.decide_projects(process=process, by=process.owner, decisions=decisions)


def colleague(one: Implementation, role: str = Role.CASEWORKER) -> User:
    return make_staff(role, unit=one.project.contribution.process.unit)


def planned(one: Implementation, *, by_citizens: bool = False, **fields: Any) -> Implementation:
    """With everything a plan needs, but not published."""
    owner = one.project.contribution.process.owner
    carrying.plan_implementation(
        implementation=one,
        by=owner,
        **{
            "carried_out_by": Carrier.CITIZENS if by_citizens else Carrier.MUNICIPALITY,
            "carrier": "Gruppen bag bænken" if by_citizens else "Park og Vej",
            "agreement_signed_on": clock.today() if by_citizens else None,
            "agreement_signed_by": "Karen Holm" if by_citizens else "",
            "contact_name": "Karen Holm",
            "contact_how": "12 34 56 78",
        }
        | fields,
    )
    carrying.add_milestone(
        implementation=one, by=owner, title="Jorden er købt", planned_on=clock.today() + timedelta(days=30)
    )
    return Implementation.objects.with_project().get(pk=one.pk)


def published(one: Implementation, **options: Any) -> Implementation:
    one = planned(one, **options)
    carrying.publish_plan(implementation=one, by=one.project.contribution.process.owner)
    return Implementation.objects.with_project().get(pk=one.pk)


def receipt(by: User) -> StoredFile:
    return store_file(data=jpeg(), name="bilag.jpg", by=by)


def photo(by: User, alt: str = "Bænken står ved søen") -> StoredFile:
    return store_photo(data=jpeg(), name="baenk.jpg", alt=alt, by=by)
