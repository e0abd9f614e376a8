"""Polling places for tests: a round with voting open, a library with an officer, and voters who live there."""

import itertools
import uuid
from datetime import date
from typing import Any

from accounts.models import Resident, User
from accounts.permissions import Role
from budgets import actions
from budgets.models import PollingPlace, Reading, Round
from tests.accounts.factories import make_resident
from tests.budgets.factories import again, close, make_round, make_staff

_numbers = itertools.count(1)


def make_officer(**fields: Any) -> User:
    return make_staff(Role.POLLING_OFFICER, **fields)


def make_place(
    round: Round | None = None, *, officers: list[User] | None = None, **fields: Any
) -> PollingPlace:
    round = round or make_round()
    return actions.save_place(
        process=round.process,
        by=round.process.owner,
        officers=[make_officer()] if officers is None else officers,
        **{
            "name": f"Lunde Bibliotek {next(_numbers)}",
            "address": "Torvet 1",
            "opening_hours": "Lørdag 10-16",
            "round_kind": round.kind,
        }
        | fields,
    )


def officer_of(place: PollingPlace) -> User:
    return place.officers.first()


def resident(**fields: Any) -> Resident:
    return make_resident(**{"birth_date": date(1980, 5, 17)} | fields)


def mark(place: PollingPlace, who: Resident | None = None, **fields: Any) -> uuid.UUID:
    """Somebody comes to the place and gets a ballot paper."""
    who = who or resident()
    attempt = fields.pop("attempt", None) or uuid.uuid4()
    actions.mark_roll(
        place=place,
        round=fields.pop("round", None) or place.round,
        person=who.person,
        attempt=attempt,
        by=fields.pop("by", None) or officer_of(place),
        **fields,
    )
    return attempt


def shut(round: Round) -> Round:
    """Voting has closed and the urn of the site is opened."""
    close(round)
    actions.seal_round(round=again(round), by=None)
    return again(round)


def read(bundle: Any, by: User, papers: list[str], *, finish: bool = True) -> Reading:
    """One person reads a bundle: "3 7", "0" for a blank one."""
    reading = actions.begin_reading(bundle=bundle, by=by)
    for position, typed in enumerate(papers, start=1):
        actions.enter_paper(reading=reading, by=by, position=position, typed=typed)
    return actions.finish_reading(reading=reading, by=by) if finish else reading


def read_twice(place: PollingPlace, papers: list[str]) -> tuple[User, User]:
    """Two people read the same papers the same way."""
    one, other = officer_of(place), place.process.owner
    bundle = actions.new_bundle(place=place, by=one)
    read(bundle, one, papers)
    read(bundle, other, papers)
    return one, other


def fill_in(place: PollingPlace, by: User, **numbers: int) -> None:
    reason = numbers.pop("unmarked_reason", "")
    actions.save_account(place=place, by=by, numbers=numbers, unmarked_reason=reason)


def sign_twice(place: PollingPlace) -> None:
    for user in (officer_of(place), place.process.owner):
        actions.sign_account(place=place, by=user)
