"""What a polling officer does: marks the roll, takes a mark back. And what is told of the vote while it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.permissions import Role
from accounts.verdict import Refused
from audit import actions as audit
from budgets import ballots, permissions, polling, turnout, voting
from budgets.models import (
    Incident,
    PollingPlace,
    Roll,
    Round,
    TurnoutHour,
    UndoneMark,
    VoteChannel,
)
from participation import clock, texts
from participation.models import Process

if TYPE_CHECKING:
    from accounts.models import Person, User

INCIDENT = 2000
PLACE_TEXTS = {"name": 120, "address": 200, "opening_hours": 500}

# As in a cast: waits for (or is refused by) sealing, and whoever is on the roll already gets no second line, whatever
# comes at the same moment by whatever way. Bound on the server, so that no log of statements holds a person.
_MARK = """
    WITH open AS MATERIALIZED (
        SELECT id FROM budgets_round WHERE id = %(round)s AND state = 'voting' FOR SHARE
    )
    INSERT INTO budgets_roll
        (id, round_id, person_id, channel, place_id, pot, day, age_band, sex, district_id)
    SELECT %(roll)s::uuid, id, %(person)s::uuid, %(channel)s, %(place)s, %(pot)s, %(day)s, %(age_band)s, %(sex)s,
        %(district)s::bigint
    FROM open
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Marked:
    """The mark is on disk. `again`: it was already, from this same attempt."""

    roll_id: UUID
    again: bool


@sensitive_variables()
def mark_roll(
    *,
    place: PollingPlace,
    round: Round,
    person: "Person",
    attempt: UUID,
    by: "User",
    pot: str | None = None,
    at: datetime | None = None,
) -> Marked:
    """Mark a person on the roll and hand out a ballot paper: when this returns, the mark is on disk.

    `attempt` was made with the form and becomes the roll line's own id. So the same form sent again, whatever happened to
    the answer, says that this very attempt is marked, and never that somebody has voted already. Raises `Refused`: then
    this attempt has marked nothing.
    """
    at = at or clock.now()
    polling.check_officer(by, place)
    if _is_marked(place, person, attempt):
        return Marked(attempt, again=True)
    if UndoneMark.objects.filter(pk=attempt).exists():
        raise Refused("undone", _undone())
    try:
        known = polling.check_person(person, place, round, at=at)
    except Refused:
        if _is_marked(place, person, attempt):  # the same form, sent twice at once
            return Marked(attempt, again=True)
        raise
    sheets = {key for key, _name in polling.sheets_for(round, known).choices}
    if sheets and pot not in sheets:
        raise Refused("pot", _("Choose which ballot paper is handed out."), "pot")
    pot = voting.pot_of(round, ballots.round_paper(round), known, pot)
    values = {
        "round": round.pk,
        "roll": attempt,
        "person": person.pk,
        "channel": str(VoteChannel.POLLING_PLACE),
        "place": place.pk,
        "pot": pot,
        "day": timezone.localdate(at),
        "age_band": known.age_band,
        "sex": known.sex,
        "district": known.district_id,
    }
    try:
        written = _mark(values, place, by)
    except DatabaseError as error:
        # The frames below hold the values: whoever reports this error gets them no further than here.
        raise error.with_traceback(None) from None
    if written:
        return Marked(attempt, again=False)
    if _is_marked(place, person, attempt):
        return Marked(attempt, again=True)
    polling.check_person(person, place, Round.objects.for_voting().get(pk=round.pk), at=at)
    raise Refused("closed", _("Voting is over, and the ballots are sealed."))


@sensitive_variables()
def _mark(values: dict[str, Any], place: PollingPlace, by: "User") -> int:
    with transaction.atomic(durable=True):
        with connection.wrap_database_errors:
            connection.ensure_connection()
            with psycopg.Cursor(connection.connection) as cursor:
                cursor.execute(_MARK, values)
                written = cursor.rowcount
        if written and UndoneMark.objects.filter(pk=values["roll"]).exists():
            # Taken back by another connection while this one waited for it.
            raise Refused("undone", _undone())
        if written:
            audit.record(
                action="budgets.mark_roll",
                by=by,
                obj=Roll(pk=values["roll"]),
                values={"place": place.pk},
                process_id=place.process_id,
            )
        return written


def _is_marked(place: PollingPlace, person: "Person", attempt: UUID) -> bool:
    roll = Roll.objects.filter(pk=attempt).first()
    if roll is None:
        return False
    if roll.place_id != place.pk or roll.person_id != person.pk:
        raise Refused("attempt_taken", _("This page belongs to another mark. Look the person up again."))
    return True


def _undone() -> str:
    return _("This mark was taken back. Look the person up again if they are to vote after all.")


def undo_mark(
    *, place: PollingPlace, attempt: UUID, reason: str, by: "User", at: datetime | None = None
) -> None:
    """Take a mark back before the ballot is in the box: then the person can vote, here or in another way. Asked again it
    changes nothing."""
    polling.check_officer(by, place)
    if reason not in UndoneMark.Reason.values:
        raise Refused("reason", _("Say why the mark is taken back."), "reason")
    with transaction.atomic():
        roll = Roll.objects.select_for_update().filter(pk=attempt, place=place).first()
        if roll is None:
            if UndoneMark.objects.filter(pk=attempt, place=place).exists():
                return
            raise Refused("no_mark", _("There is no such mark at this polling place."))
        round = Round.objects.select_for_update(of=("self",), no_key=True).get(pk=roll.round_id)
        if round.state != Round.State.VOTING:
            raise Refused(
                "closed", _("Voting is over. Say in the account of the place what became of the paper.")
            )
        UndoneMark.objects.create(pk=attempt, place=place, reason=reason, by=by)
        roll.delete()
        audit.record(
            action="budgets.undo_mark",
            by=by,
            obj=Roll(pk=attempt),
            values={"place": place.pk, "reason": reason},
            process_id=place.process_id,
        )


def log_look_up(*, place: PollingPlace, found: int, by: "User") -> None:
    """That an officer looked somebody up, and how many were shown: never whom."""
    with transaction.atomic():
        audit.record(
            action="budgets.look_up", by=by, obj=place, values={"found": found}, process_id=place.process_id
        )


def save_place(
    *,
    process: Process,
    by: "User",
    place: PollingPlace | None = None,
    officers: Iterable["User"] = (),
    **fields: Any,
) -> PollingPlace:
    """Make or change a polling place. Once somebody has been marked there, it stays in its vote and keeps its district."""
    permissions.check_may_set_up_places(by, process)
    officers = list(officers)
    if any(officer.role != Role.POLLING_OFFICER for officer in officers):
        raise Refused("not_officer", _("Only polling officers can be put at a polling place."), "officers")
    for name, longest in PLACE_TEXTS.items():
        fields[name] = texts.clean(fields.get(name, ""), name, longest=longest)
    fields["access"] = texts.clean(fields.get("access", ""), "access", longest=500, required=False)
    with transaction.atomic():
        Process.objects.select_for_update().get(pk=process.pk)
        _hold_rounds(process)
        before = PollingPlace.objects.select_for_update().filter(pk=place.pk).first() if place else None
        kind, district = fields.get("round_kind", Round.Kind.FINAL), fields.get("district")
        _check_place_can_be(process, before, fields["name"], str(kind), district)
        saved = before or PollingPlace(process=process)
        changed = [name for name, value in fields.items() if getattr(saved, name) != value]
        for name in changed:
            setattr(saved, name, fields[name])
        saved.save()
        known = set(saved.officers.values_list("pk", flat=True))
        if known != {officer.pk for officer in officers}:
            saved.officers.set(officers)
            changed.append("officers")
        audit.record(
            action="budgets.save_place" if before else "budgets.create_place",
            by=by,
            obj=saved,
            changed=changed,
        )
    return saved


def _check_place_can_be(
    process: Process, before: PollingPlace | None, name: str, kind: str, district: Any
) -> None:
    same = PollingPlace.objects.filter(process=process, round_kind=kind, name=name)
    if same.exclude(pk=before.pk if before else 0).exists():
        raise Refused("name_taken", _("There is already a polling place with that name."), "name")
    if before is not None and Roll.objects.filter(place=before).exists():
        if before.round_kind != kind:
            raise Refused("in_use", _("People have already voted here: it stays in its vote."), "round_kind")
        if before.district_id != getattr(district, "pk", None):
            raise Refused("in_use", _("People have already voted here: its district stays."), "district")
    if before is None or before.round_kind != kind:
        _check_still_voting(process, {kind, before.round_kind} if before else {kind})


def _hold_rounds(process: Process) -> None:
    """So that no round is sealed while its places change: it goes by the places it has at that moment."""
    list(Round.objects.select_for_update(of=("self",), no_key=True).filter(process=process).order_by("pk"))


def _check_still_voting(process: Process, kinds: Iterable[str]) -> None:
    """Once the urn is open its places are the ones that must sign. One less, and nobody's signature would be the last."""
    over = Round.objects.filter(process=process, kind__in=kinds).exclude(state=Round.State.VOTING)
    if over.exists():
        raise Refused("over", _("That vote is over."), "round_kind")


def remove_place(*, place: PollingPlace, by: "User") -> None:
    """Only as long as its vote isn't over, nobody has been marked there, and nothing has been told of it."""
    permissions.check_may_set_up_places(by, place.process)
    with transaction.atomic():
        _hold_rounds(place.process)
        place = PollingPlace.objects.select_for_update(of=("self",)).get(pk=place.pk)
        _check_still_voting(place.process, {place.round_kind})
        used: list[Any] = [place.roll, place.undone, place.incidents, place.bundles]
        if any(rows.exists() for rows in used) or hasattr(place, "account"):
            raise Refused("in_use", _("The polling place has been used, so it can't be removed."))
        audit.record(action="budgets.remove_place", by=by, obj=place)
        place.delete()


def record_incident(
    *,
    process: Process,
    by: "User",
    text: str,
    happened_at: datetime,
    place: PollingPlace | None = None,
    corrects: Incident | None = None,
    at: datetime | None = None,
) -> Incident:
    """Tell everyone what happened, at once. A correction is a new line beside the old one."""
    at = at or clock.now()
    permissions.check_may_record_incident(by, process, place)
    text = texts.clean(text, "text", longest=INCIDENT)
    if happened_at > at + timedelta(minutes=1):
        raise Refused("future", _("It can't have happened yet."), "happened_at")
    if corrects is not None and corrects.process_id != process.pk:
        raise Refused("other_process", _("The incident belongs to another process."))
    with transaction.atomic():
        incident = Incident.objects.create(
            process=process,
            place=place,
            happened_at=happened_at,
            text=text,
            corrects=corrects,
            recorded_by=by,
            recorded_at=at,
        )
        audit.record(action="budgets.record_incident", by=by, obj=incident)
    return incident


def count_turnout(*, round: Round, at: datetime | None = None) -> TurnoutHour | None:
    """Keep the number of voters of the last full hour, once. Numbers of hours that were missed can't be found any more: the
    roll knows the day, never the hour."""
    hour = turnout.full_hour(at or clock.now())
    with transaction.atomic():
        round = Round.objects.select_for_update(of=("self",), no_key=True).get(pk=round.pk)
        if round.state != Round.State.VOTING:
            return None
        last = TurnoutHour.objects.filter(round=round).order_by("-hour").first()
        if last is not None and last.hour >= hour:
            return None
        shown = turnout.step(turnout.on_roll(round), last.shown if last else {})
        return TurnoutHour.objects.create(round=round, hour=hour, shown=shown, voters=sum(shown.values()))
