"""A voting round: opened with its projects numbered and frozen, sealed when voting is over, anonymised in the end."""

import json
import secrets
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from audit import actions as audit
from budgets import ballots, codes, election, permissions, voting
from budgets.models import (
    Ballot,
    BallotProject,
    Began,
    CodeBatch,
    CountedBallot,
    PollingPlace,
    Pot,
    Project,
    Roll,
    Round,
    VotingCode,
)
from participation import clock
from participation.models import Contribution, Process

if TYPE_CHECKING:
    from accounts.models import User

_random = secrets.SystemRandom()
_READ_AT_A_TIME = 5000


def open_round(*, process: Process, by: "User | None" = None, at: datetime | None = None) -> Round:
    """Open the round of the voting phase that runs at `at`: give each project that is ready its number on the ballot,
    for good. Asked by the clock, or by the first visitor when the clock is late; asked again it changes nothing."""
    at = at or clock.now()
    known = voting.round_at(process, at)
    if known is not None:
        return known
    with transaction.atomic():
        process = (
            Process.objects.select_for_update(of=("self",))
            .select_related("citizenbudget__vote_rule")
            .get(pk=process.pk)
        )
        phase = voting.vote_phase(process, at)
        voting.check_open(process, phase, at)
        assert phase is not None
        if not Round.objects.filter(phase=phase).exists():
            kind = voting.KINDS[phase.kind]
            projects = number_projects(process, kind)
            round = Round.objects.create(
                process=process,
                phase=phase,
                kind=kind,
                number=Round.objects.filter(process=process).count() + 1,
                opened_at=at,
                ballot_bytes=0,
            )
            put_on_ballot(round, projects)
            paper = ballots.round_paper(Round.objects.for_voting().get(pk=round.pk))
            round.ballot_bytes = paper.ballot_bytes
            round.save(update_fields=["ballot_bytes"])
            audit.record(
                action="budgets.open_round",
                by=by,
                obj=round,
                values={"kind": str(kind), "projects": len(projects)},
            )
    opened = voting.round_at(process, at)
    if opened is None:
        raise Refused("closed", _("Voting is over, and the ballots are sealed."))
    return opened


def number_projects(process: Process, kind: str) -> list[Project]:
    """1, 2, 3 … in the order they were published; who has a number from an earlier round keeps it."""
    mine = Project.objects.filter(contribution__process=process)
    found = mine.may_be_shortlisted() if kind == Round.Kind.SHORTLIST else mine.ready()
    if kind == Round.Kind.FINAL and process.citizenbudget.shortlist_size is not None:
        found = found.filter(number__in=went_on(process))
    ready = list(found.select_for_update(of=("self",)).order_by("contribution__published_at", "pk"))
    if not ready:
        raise Refused("no_projects", _("No project is ready to be voted on yet."))
    if Pot.objects.filter(budget=process.pk).exists() and any(project.pot_id is None for project in ready):
        raise Refused("no_pot", _("Some projects are in no pot yet. Voting can open when each has got one."))
    last = max(
        (int(number) for number in mine.values_list("number", flat=True) if number.isdecimal()), default=0
    )
    unnumbered = [project for project in ready if not project.number]
    for number, project in enumerate(unnumbered, start=last + 1):
        project.number = str(number)
    Project.objects.bulk_update(unnumbered, ["number"])
    return ready


def went_on(process: Process) -> list[str]:
    """The numbers of the projects that go on from the first round. Raises `Refused` until it has been counted."""
    counted = (
        Round.objects.filter(process=process, kind=Round.Kind.SHORTLIST, state=Round.State.COUNTED)
        .values_list("count__winners", flat=True)
        .first()
    )
    if counted is None:
        raise Refused(
            "shortlist_not_counted",
            _(
                "The first round has not been counted yet, so nobody knows which projects go on. The final round opens when it has."
            ),
        )
    return list(counted)


def put_on_ballot(round: Round, projects: Iterable[Project]) -> None:
    """Write down how each project stands on the ballot of this round: what is voted on, counted and published. In a
    first round the proposer's own reckoning is the price of what nobody has assessed yet."""
    titles = dict(Contribution.objects.filter(process=round.process_id).values_list("pk", "title"))
    pots = dict(Pot.objects.filter(budget=round.process_id).values_list("pk", "key"))
    BallotProject.objects.bulk_create(
        BallotProject(
            round=round,
            project=project,
            number=project.number,
            title=titles[project.pk],
            price=project.price if project.price is not None else project.cost,
            least_price=project.least_price,
            pot=pots.get(project.pot_id or 0, ""),
            alternative=str(project.alternative_id or ""),
        )
        for project in projects
    )


def seal_round(*, round: Round, by: "User | None", at: datetime | None = None) -> Round:
    """Open the urn: decrypt every ballot into a new table in random order, and leave nothing that ties it to the roll.

    Waits for the votes under way and keeps later ones out. The table is locked before the round, in the order that
    a cast takes them, so that the two can't wait for each other. The old table is
    emptied by TRUNCATE, which leaves no dead rows with their transaction ids; ballots of other rounds are put back in
    random order. Roll and ballots must agree per channel and pot, or nothing happens. Where there are polling places,
    nothing is published until their papers have come in too (`budgets.actions.paper`).
    """
    at = at or clock.now()
    with transaction.atomic(durable=True):
        round = Round.objects.for_voting().get(pk=round.pk)
        permissions.check_may_seal(by, round, at=at)
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE budgets_ballot IN ACCESS EXCLUSIVE MODE")
        Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
        round = Round.objects.for_voting().get(pk=round.pk)
        permissions.check_may_seal(by, round, at=at)
        opened = list(_open_ballots(round))
        in_urn = Counter((channel, pot) for channel, pot, *_rest in opened)
        on_roll = {
            (channel, pot): voters
            for channel, pot, voters in Roll.objects.filter(round=round, place=None)
            .values_list("channel", "pot")
            .annotate(voters=Count("pk"))
            .order_by()
        }
        if in_urn != on_roll:
            raise Refused(
                "roll_and_ballots_differ",
                _(
                    "The roll and the ballots don't agree (%(roll)s on the roll, %(ballots)s ballots), so nothing was "
                    "sealed. Keep the database as it is and have it looked into."
                )
                % {"roll": sum(on_roll.values()), "ballots": len(opened)},
            )
        write_counted(round, opened)
        _empty_urn(round)
        Began.objects.filter(round=round).delete()
        waits = PollingPlace.objects.of_round(round).exists()
        round.state = Round.State.PAPER if waits else Round.State.SEALED
        round.sealed_at, round.sealed_by = at, by
        round.ballots_per_channel = dict(Counter(channel for channel, *_rest in opened))
        round.ballot_count = len(opened)
        round.save(update_fields=["state", "sealed_at", "sealed_by", "ballots_per_channel", "ballot_count"])
        if not waits:
            publish_sealed(round)
        audit.record(
            action="budgets.seal_round",
            by=by,
            obj=round,
            changed=["state"],
            values={"ballots": round.ballot_count, "sha256": [file["sha256"] for file in round.files]},
        )
    return round


def publish_sealed(round: Round) -> None:
    """Publish the SHA-256 of each pot's ballot file before anyone has counted; called in the transaction that seals."""
    round.files = election.listed(election.published_files(round).values())
    round.save(update_fields=["files"])


def drop_round(*, round: Round, by: "User | None", at: datetime | None = None) -> Round:
    """A vote that is called off is never counted: its ballots are destroyed unopened, and the roll forgets who."""
    at = at or clock.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE budgets_ballot IN ACCESS EXCLUSIVE MODE")
        round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
        if round.state not in {Round.State.VOTING, Round.State.PAPER}:
            raise Refused("already_sealed", _("The ballots are already sealed."))
        _empty_urn(round)
        CountedBallot.objects.filter(round=round).delete()
        Began.objects.filter(round=round).delete()
        forget_codes(round)
        Roll.objects.filter(round=round).update(person=None, code=None)
        round.state = Round.State.DROPPED
        round.roll_anonymised_at = at
        round.save(update_fields=["state", "roll_anonymised_at"])
        audit.record(
            action="budgets.drop_round",
            by=by,
            obj=round,
            changed=["roll_anonymised_at", "state"],
        )
    return round


def _open_ballots(round: Round) -> Iterator[tuple[str, str, ballots.Choices, str]]:
    """(channel, pot, choices, tracker hash) of each ballot, checked against the paper once more."""
    opener, paper = ballots.Opener(round), ballots.round_paper(round)
    stored = Ballot.objects.filter(round=round).values_list("channel", "pot", "choices", "tracker")
    for channel, pot, choices, tracker in stored.iterator(_READ_AT_A_TIME):
        try:
            plain = paper.check(opener.open(bytes(choices), channel=channel, pot=pot), pot)
        except (ballots.UnreadableBallot, Refused):
            raise Refused(
                "unreadable_ballot",
                _(
                    "A ballot can't be opened: the ballot key is not the one that voting began with, or a ballot was "
                    "changed. Nothing was sealed."
                ),
            ) from None
        yield channel, pot, plain, tracker


def write_counted(round: Round, opened: Iterable[tuple[str, str, Iterable[tuple[str, Any]], str]]) -> None:
    """Write opened ballots in random order, all in this transaction."""
    rows = list(opened)
    _random.shuffle(rows)
    _copy(
        CountedBallot,
        ("id", "round_id", "channel", "pot", "choices", "tracker"),
        (
            (uuid.uuid4(), round.pk, channel, pot, json.dumps(choices), tracker)
            for channel, pot, choices, tracker in rows
        ),
    )


def _empty_urn(round: Round) -> None:
    columns = ("id", "round_id", "channel", "pot", "choices", "tracker")
    others = list(Ballot.objects.exclude(round=round).values_list(*columns))
    _random.shuffle(others)
    with connection.cursor() as cursor:
        # TRUNCATE waits for no check that is still due on the table's rows (foreign keys are checked late).
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE budgets_ballot")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    _copy(Ballot, columns, others)


def _copy(
    model: type[Ballot] | type[CountedBallot], columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> None:
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def forget_codes(round: Round) -> None:
    """Before the roll forgets: how many of each batch voted is kept as a number, which codes or for whom is not."""
    for batch in CodeBatch.objects.with_numbers().filter(phase=round.phase_id):
        CodeBatch.objects.filter(pk=batch.pk).update(used_in_the_end=codes.numbers(batch).used)
    VotingCode.objects.filter(phase=round.phase_id).update(person=None)


def anonymise_roll(*, round: Round, by: "User | None" = None, at: datetime | None = None) -> int:
    """At the end of the complaint period the roll forgets who: only channel, age band, sex and district are left."""
    at = at or clock.now()
    with transaction.atomic():
        round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
        if round.state == Round.State.VOTING:
            raise Refused("still_voting", _("The roll is needed as long as people can vote."))
        forget_codes(round)
        forgotten = (
            Roll.objects.filter(round=round)
            .filter(Q(person__isnull=False) | Q(code__isnull=False))
            .update(person=None, code=None)
        )
        round.roll_anonymised_at = at
        round.save(update_fields=["roll_anonymised_at"])
        audit.record(
            action="budgets.anonymise_roll",
            by=by,
            obj=round,
            changed=["roll_anonymised_at"],
            values={"roll": forgotten},
        )
    return forgotten
