"""The ballot can't be tied to its voter: not by any column, log, session, mail, audit row or error report.

Each search is shown to find a planted canary first. What the database itself remembers while voting is open (transaction
ids, heap order) is in test_sealing.py, and said in docs/security.md.
"""

import io
import logging
import traceback

import psycopg
import pytest
from django.core import mail
from django.db import connection
from django.db.utils import OperationalError
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from audit.actions import record
from audit.models import Entry
from budgets import actions, ballots
from budgets.models import Ballot, Roll
from config import logs
from participation.models import Notice
from tests.budgets.factories import make_round, make_voter, vote

pytestmark = pytest.mark.django_db(transaction=True)

# A project number that stands nowhere else, so that a choice can be searched for.
CHOICE = "7"


def everything():
    """Every row of every table, as text: {table: [row, …]}."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t")
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def places(needle, rows=None):
    needles = {str(needle), str(needle).replace("-", "")}
    return {
        table
        for table, lines in (rows or everything()).items()
        if any(needle in line for line in lines for needle in needles)
    }


def fresh_vote(tracker="KANA-RIEF-UGL2"):
    round, voter = make_round([10_000] * 9), make_voter()
    vote(round, "1", times=3)
    before = everything()
    actions.cast_ballot(round=round, by=voter, choices=[(CHOICE, 1), ("1", 1)], tracker=tracker)
    return round, voter, before


def test_no_column_ties_roll_to_ballot():
    round, voter, before = fresh_vote()
    opener = ballots.Opener(round)
    ballot = next(
        ballot
        for ballot in Ballot.objects.all()
        if (CHOICE, 1) in opener.open(bytes(ballot.choices), channel="web")
    )
    roll = Roll.objects.get(person=voter.person_id)
    after = everything()

    # the canary: an audit row that names both is found by the same search
    Entry.objects.all()
    record(action="canary", by=voter, obj=roll, values={"ballot": str(ballot.pk)})
    assert places(ballot.pk) == {"budgets_ballot", "audit_entry"}
    assert places(roll.pk) == {"budgets_roll", "audit_entry"}

    assert places(ballot.pk, after) == {"budgets_ballot"}
    assert places(roll.pk, after) == {"budgets_roll"}
    assert places("KANA-RIEF-UGL2", after) == set()
    assert places("KANARIEFUGL2", after) == set()
    assert places(ballot.tracker, after) == {"budgets_ballot"}
    # the person stands on the roll and where people stand; nothing was written anywhere else
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"budgets_roll", "budgets_ballot"}
    (ballot_row,) = set(after["budgets_ballot"]) - set(before["budgets_ballot"])
    for known in (voter.pk, voter.person_id, roll.pk, voter.handle):
        assert f"{known}" not in ballot_row or len(f"{known}") < 8
    assert not mail.outbox
    assert not Notice.objects.exists()


def test_equal_ballots_look_different_and_are_equally_long():
    round = make_round()
    vote(round, "1", times=4)
    vote(round, "1", "2", "3", times=4)
    stored = [bytes(choices) for choices in Ballot.objects.values_list("choices", flat=True)]
    assert len(set(stored)) == 8
    assert len({len(choices) for choices in stored}) == 1


def test_no_log_line_tells_who_or_what(caplog):
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "django.db.backends"):
        logging.getLogger("django.db.backends").debug("canary %s", "KANA-RIEF-UGL2")
        assert "KANA-RIEF-UGL2" in caplog.text
        caplog.clear()
        connection.force_debug_cursor = True
        try:
            connection.queries_log.clear()
            _round, voter, _before = fresh_vote()
            queries = list(connection.queries_log)
        finally:
            connection.force_debug_cursor = False
        roll, tracker = Roll.objects.get(person=voter.person_id), Ballot.objects.exclude(tracker="").get()
    told = caplog.text + "".join(query["sql"] for query in queries)
    for secret in ("KANA-RIEF-UGL2", tracker.tracker, str(tracker.pk), str(roll.pk)):
        assert secret not in told
    assert "INSERT INTO budgets_ballot" not in told


def test_the_statement_the_server_sees_holds_no_values(monkeypatch):
    """`log_statement`, `log_min_error_statement` and pg_stat_activity show the text of a statement; ours has
    placeholders, where Django's own cursor would have written the values into it."""
    round, voter = make_round(), make_voter()
    seen = []
    execute = psycopg.Cursor.execute

    def spy(self, query, params=None, **options):
        result = execute(self, query, params, **options)
        if type(self) is psycopg.Cursor:
            seen.append(self._query.query.decode())
        return result

    monkeypatch.setattr(psycopg.Cursor, "execute", spy)
    actions.cast_ballot(round=round, by=voter, choices=[("1", 1)], tracker="KANA-RIEF-UGL2")
    (statement,) = [query for query in seen if "budgets_ballot" in query]
    assert "$1" in statement
    assert str(voter.person_id) not in statement
    with connection.cursor() as cursor:  # the canary: Django's own cursor does write values into the text
        cursor.execute("SELECT %s, current_query()", ["kanariefugl"])
        assert "kanariefugl" in cursor.fetchone()[1]


@sensitive_variables()  # as the page that casts does
def failing_cast(monkeypatch):
    round, voter = make_round([10_000] * 9), make_voter()
    tracker = "-".join(["KANA", "RIEF", "UGL2"])  # its own text is in the report: reports show lines of code

    real = psycopg.Cursor.execute

    def execute(self, *args, **kwargs):
        if type(self) is psycopg.Cursor:
            raise psycopg.OperationalError("the connection is lost")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    monkeypatch.setattr("budgets.actions.voting.uuid.uuid4", lambda: "-".join(["0b0b0b0b", "kanariefugl"]))
    try:
        actions.cast_ballot(round=round, by=voter, choices=[(CHOICE, 1)], tracker=tracker)
    except OperationalError as error:
        return error, voter
    pytest.fail("the cast did not fail")


def test_no_error_report_tells_who_or_what(monkeypatch):
    error, voter = failing_cast(monkeypatch)
    monkeypatch.undo()
    secrets = ("KANA-RIEF-UGL2", "0b0b0b0b-kanariefugl", str(voter.person_id), f"('{CHOICE}', 1)")

    frames = [frame for frame in traceback.walk_tb(error.__traceback__)]
    variables = " ".join(repr(frame.f_locals) for frame, _line in frames)
    assert [
        secret for secret in secrets if secret not in variables
    ] == []  # the canary: they are there to be told

    request = RequestFactory().post("/borgerbudget/x/stem/", {"choices": CHOICE})
    reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
    told = reporter.get_traceback_text() + reporter.get_traceback_html()
    assert "OperationalError" in told
    for secret in secrets:
        assert secret not in told

    sent = reports(error)
    assert "OperationalError" in sent
    assert "cast_ballot" in sent
    for secret in secrets:
        assert secret not in sent

    stream = io.StringIO()
    handler = logs.DiscreetHandler(stream)
    handler.handle(
        logging.makeLogRecord({"msg": "failed", "exc_info": (type(error), error, error.__traceback__)})
    )
    for secret in secrets:
        assert secret not in stream.getvalue()


def reports(error):
    """The event that Sentry would be sent."""
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    client = sentry_sdk.Client(
        dsn=None, include_local_variables=False, default_integrations=False, auto_enabling_integrations=False
    )
    event, _hint = event_from_exception(
        (type(error), error, error.__traceback__), client_options=client.options
    )
    return repr(logs.before_send(event, {}))
