"""Writing down how a meeting shared the money out, by the procedure that was public before anyone proposed anything."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from audit import actions as audit
from budgets import permissions
from budgets.actions.rounds import number_projects, put_on_ballot
from budgets.models import Count, Grant, Meeting, Pot, Project, Round
from dkfds.wording import kroner
from participation import clock
from participation.actions import files
from participation.models import Process, StoredFile
from participation.texts import clean

if TYPE_CHECKING:
    from accounts.models import User


def record_meeting(
    *,
    process: Process,
    by: "User",
    held_at: datetime,
    place: str,
    participants: int,
    how: str,
    grants: Mapping[int, Decimal | int],
    minutes: str = "",
    minutes_file: tuple[bytes, str] | None = None,
    at: datetime | None = None,
) -> Meeting:
    """What the meeting gave: `grants` are whole or part of the prices by project id (`Project.pk`), within each pot;
    `minutes` as text, as a file (content and name), or both. Until the council has decided it can be recorded again,
    and what is recorded last is shown; a file stays when no other comes."""
    at = at or clock.now()
    with transaction.atomic():
        process = (
            Process.objects.select_for_update(of=("self",)).select_related("citizenbudget").get(pk=process.pk)
        )
        permissions.check_may_record_meeting(by, process, at=at)
        phase = process.phases.get(kind=permissions.MEETING)
        if not phase.interval.lower <= held_at <= at:
            raise Refused(
                "held_at", _("The meeting was held after its phase began, and before now."), "held_on"
            )
        texts = {
            "place": clean(place, "place", longest=200).replace("\n", " "),
            "how": clean(how, "how", longest=3000),
            "minutes": clean(minutes, "minutes", longest=20_000, required=False),
        }
        if isinstance(participants, bool) or not isinstance(participants, int) or participants < 1:
            raise Refused("participants", _("Write how many took part."), "participants")
        round = Round.objects.filter(process=process, kind=Round.Kind.MEETING).first()
        if round is None:
            projects = number_projects(process, Round.Kind.MEETING)
            round = Round.objects.create(
                process=process,
                phase=phase,
                kind=Round.Kind.MEETING,
                state=Round.State.COUNTED,
                number=Round.objects.filter(process=process).count() + 1,
                opened_at=held_at,
                ballot_bytes=0,
            )
            put_on_ballot(round, projects)
        given = _checked(process, round, grants)
        before = Meeting.objects.filter(round=round).first()
        kept = _minutes_file(minutes_file, before, by, at)
        if not texts["minutes"] and kept is None:
            raise Refused("minutes", _("Add the minutes, as text or as a file."), "minutes")
        meeting, _created = Meeting.objects.update_or_create(
            round=round,
            defaults={
                **texts,
                "held_at": held_at,
                "participants": participants,
                "minutes_file": kept,
                "recorded_by": by,
                "recorded_at": at,
            },
        )
        meeting.grants.all().delete()
        Grant.objects.bulk_create(
            Grant(meeting=meeting, project=project, amount=amount) for project, amount in given.items()
        )
        _write_count(round, given, by, at)
        audit.record(
            action="budgets.record_meeting",
            by=by,
            obj=meeting,
            changed=["grants", *texts, "held_at", "participants", "minutes_file"],
            values={"grants": {project.number: str(amount) for project, amount in given.items()}},
            process_id=process.pk,
        )
    return meeting


def _checked(process: Process, round: Round, grants: Mapping[int, Decimal | int]) -> dict[Project, Decimal]:
    """The grants above zero, each within its project's price and all within the money of their pot."""
    projects = {
        project.pk: project
        for project in Project.objects.in_round(round).select_related("contribution", "pot")
    }
    given: dict[Project, Decimal] = {}
    for pk, typed in grants.items():
        project, amount = projects.get(pk), Decimal(typed)
        if project is None:
            raise Refused("unknown_project", _("One of the projects can't be given money."), f"grant_{pk}")
        if not amount.is_finite() or amount < 0 or amount != amount.quantize(Decimal("0.01")):
            raise Refused("amount", _("Write the amount in kroner and øre."), f"grant_{pk}")
        if project.price is not None and amount > project.price:
            raise Refused(
                "over_price",
                _("It costs %(price)s, so it can't be given more.") % {"price": kroner(project.price)},
                f"grant_{pk}",
            )
        if amount:
            given[project] = amount
    if not given:
        raise Refused("no_grants", _("Write what at least one project was given."))
    groups = [project.alternative_id for project in given if project.alternative_id is not None]
    if len(set(groups)) < len(groups):
        raise Refused(
            "alternatives", _("Two of the projects exclude each other: only one can be given money.")
        )
    _check_pots(process, given)
    return given


def _check_pots(process: Process, given: Mapping[Project, Decimal]) -> None:
    pots = list(Pot.objects.filter(budget=process.pk))
    wholes: list[tuple[Pot | None, Decimal]] = [(pot, pot.total) for pot in pots] or [
        (None, process.citizenbudget.total)
    ]
    for pot, total in wholes:
        together = sum(amount for project, amount in given.items() if pot is None or project.pot_id == pot.pk)
        if together <= total:
            continue
        words = {"together": kroner(together), "total": kroner(total), "over": kroner(together - total)}
        text = _("%(together)s is given, but there is %(total)s: that is %(over)s too much.") % words
        raise Refused("over_total", f"{pot.name}: {text}" if pot is not None else text)


def _minutes_file(
    sent: tuple[bytes, str] | None, before: Meeting | None, by: "User", at: datetime
) -> StoredFile | None:
    if sent is None:
        return before.minutes_file if before is not None else None
    data, name = sent
    try:
        return files.store_file(data=data, name=name, by=by, at=at)
    except Refused as refused:
        raise Refused(refused.code, refused.reason, "minutes_file") from refused


def _write_count(round: Round, given: Mapping[Project, Decimal], by: "User", at: datetime) -> None:
    """In the shape of a count (`Count`), so that whatever comes after a vote comes after a meeting too."""
    pots: list[dict[str, Any]] = list(
        dict(pot) for pot in Pot.objects.filter(budget=round.process_id).values("pk", "key", "total")
    )
    pots = pots or [{"pk": None, "key": "", "total": round.process.citizenbudget.total}]
    parts = []
    for pot in pots:
        here = {p.number: str(amount) for p, amount in given.items() if p.pot_id == pot["pk"]}
        parts.append(
            {
                "pot": pot["key"],
                "budget": str(pot["total"]),
                "received": {},
                "waits_for": [],
                "winners": list(here),
                "spent": str(sum(map(Decimal, here.values()), Decimal(0))),
                "amounts": here,
                "ties": [],
                "steps": [],
            }
        )
    Count.objects.update_or_create(
        round=round,
        defaults={
            "rule": "",
            "winners": [project.number for project in given],
            "spent": sum(given.values(), Decimal(0)),
            "outcome": {"pots": parts},
            "comparison": {"pots": []},
            "counted_at": at,
            "counted_by": by,
        },
    )
