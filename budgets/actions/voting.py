"""Casting a ballot: the one write in the house that leaves no audit row, because it would tell who voted when."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.verdict import Refused
from budgets import ballots, codes, voting
from budgets.models import Began, HowItWas, Round, VotingCode
from participation import clock

if TYPE_CHECKING:
    from accounts.models import User

# Roll and ballot in one statement: both or neither. The round's row is shared with other voters, and waits for (or is
# refused by) sealing; whoever is on the roll already gets no second ballot, whatever comes at the same moment. No
# error is raised for that, so no server log names the person. A voting code must not have been blocked: blocking waits
# for the vote, or the vote for the block. Bound on the server: the statement that a log may show
# holds no values.
_CAST = """
    WITH open AS MATERIALIZED (
        SELECT id FROM budgets_round WHERE id = %(round)s AND state = 'voting' FOR SHARE
    ), valid AS MATERIALIZED (
        SELECT c.id FROM budgets_votingcode c JOIN budgets_codebatch b ON b.id = c.batch_id
        WHERE c.id = %(valid_code)s::bigint AND NOT c.blocked AND b.blocked_at IS NULL
        FOR SHARE OF c, b
    ), voted AS (
        INSERT INTO budgets_roll (id, round_id, person_id, code_id, channel, pot, day, age_band, sex, district_id)
        SELECT %(roll)s::uuid, id, %(person)s::uuid, %(code)s::bigint, %(channel)s, %(pot)s, %(day)s, %(age_band)s,
               %(sex)s, %(district)s::bigint
        FROM open
        WHERE %(valid_code)s::bigint IS NULL OR EXISTS (SELECT FROM valid)
        ON CONFLICT DO NOTHING
        RETURNING round_id
    )
    INSERT INTO budgets_ballot (id, round_id, channel, pot, choices, tracker)
    SELECT %(ballot)s::uuid, round_id, %(channel)s, %(pot)s, %(choices)s, %(tracker)s FROM voted
"""


@sensitive_variables()
def cast_ballot(
    *,
    round: Round,
    by: "User",
    choices: Iterable[Sequence[object]],
    tracker: str | None,
    pot: str | None = None,
    at: datetime | None = None,
) -> None:
    """Put one ballot in the urn and its voter on the roll. When this returns, both are on disk.

    `round` comes from `Round.objects.for_voting()`; `choices` are (project number, points); `tracker` is a code from
    `ballots.unsign_tracker`, or None when the voter declined one; `pot` is the key of the district's pot voted in, None for the one of the
    voter's own district. Raises `Refused`: then nothing was written.
    """
    at = at or clock.now()
    voter = voting.check_voter(by, round, at=at)
    if not _put_in_urn(round, voter, choices, tracker, pot, at):
        if voting.has_voted(by, round):
            raise Refused("already_voted", voting.already_voted())
        raise Refused("closed", _("Voting is over, and the ballots are sealed."))


@sensitive_variables()
def cast_with_code(
    *,
    round: Round,
    code: VotingCode,
    choices: Iterable[Sequence[object]],
    tracker: str | None,
    pot: str | None = None,
    at: datetime | None = None,
) -> None:
    """As `cast_ballot`, for whoever holds a voting code (`codes.find`). Nobody is signed in, and nothing is written on the
    code: that it has been used stands on the roll alone."""
    at = at or clock.now()
    voter = codes.check_code(code, round, at=at)
    if not _put_in_urn(round, voter, choices, tracker, pot, at):
        code = VotingCode.objects.select_related("batch__phase", "person").get(pk=code.pk)
        codes.check_may_vote(code, round, at=at)
        raise Refused("closed", _("Voting is over, and the ballots are sealed."))


@sensitive_variables()
def _put_in_urn(
    round: Round,
    voter: voting.Voter,
    choices: Iterable[Sequence[object]],
    tracker: str | None,
    pot: str | None,
    at: datetime,
) -> int:
    """1 when voter and ballot are on disk, 0 when the voter is on the roll already or the urn is sealed."""
    paper, facts = ballots.round_paper(round), voter.facts
    pot = voting.pot_of(round, paper, facts, pot)
    chosen = paper.check(choices, pot)
    values = {
        "round": round.pk,
        "roll": uuid.uuid4(),
        "person": voter.person_id,
        "code": voter.code_id,
        "valid_code": voter.valid_code,
        "channel": str(voter.channel),
        "pot": pot,
        "day": timezone.localdate(at),
        "age_band": facts.age_band,
        "sex": facts.sex,
        "district": facts.district_id,
        "ballot": uuid.uuid4(),
        "choices": ballots.encrypt(chosen, round=round, channel=str(voter.channel), pot=pot),
        "tracker": ballots.tracker_hash(tracker, round=round) if tracker else "",
    }
    try:
        return _cast(values)
    except DatabaseError as error:
        # The frames below hold the values: whoever reports this error gets them no further than here.
        raise error.with_traceback(None) from None


def _cast(values: dict[str, object]) -> int:
    with transaction.atomic(durable=True), connection.wrap_database_errors:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(_CAST, values)
            return cursor.rowcount


def begin(*, round: Round, by: "User", at: datetime | None = None) -> None:
    """Remember that someone opened the ballot, and nothing more, so that they can be reminded once."""
    at = at or clock.now()
    voting.check_open(round.process, round.phase, at)
    with transaction.atomic():
        Began.objects.bulk_create(
            [Began(round=round, user=by, day=timezone.localdate(at))], ignore_conflicts=True
        )


def say_how_it_was(*, round: Round, by: "User", answer: str) -> None:
    """Count one more of an answer, for someone who has voted. Like the ballot it leaves no audit row, which would tell
    when they voted; answers are counted, not people."""
    if answer not in HowItWas.Answer.values:
        raise Refused("answer", _("Choose one of the possibilities."), "how")
    if not voting.has_voted(by, round):
        raise Refused("not_voted", _("Only those who have voted can say how it was."), "how")
    with transaction.atomic():
        HowItWas.objects.bulk_create([HowItWas(round=round, answer=answer)], ignore_conflicts=True)
        HowItWas.objects.filter(round=round, answer=answer).update(times=F("times") + 1)
