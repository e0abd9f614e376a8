"""Whether something may be done asks the phase's interval at the moment the request came in."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from accounts.verdict import Refused
from participation import clock, formats, lifecycle, phases
from participation.choices import Status
from participation.formats import Act
from participation.models import Process
from tests.factories import make_manager, make_process

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("Europe/Copenhagen")
SECOND = timedelta(microseconds=1)


@pytest.fixture
def process() -> Process:
    with clock.frozen(datetime(2027, 2, 1, 12, tzinfo=ZONE)):
        return make_process(status=Status.APPROVED, opens_at=datetime(2027, 3, 1, 9, tzinfo=ZONE))


def allowed(process: Process, act: Act, at: datetime) -> str:
    verdict = phases.can_allows(process, act, at=at)
    return "yes" if verdict else verdict.code


def test_half_open_to_the_microsecond(process: Process) -> None:
    ideas, _assessment, vote = phases.stored(process)
    assert allowed(process, Act.CONTRIBUTE, ideas.starts - SECOND) == "not_yet"
    assert allowed(process, Act.CONTRIBUTE, ideas.starts) == "yes"
    assert allowed(process, Act.CONTRIBUTE, ideas.ends - SECOND) == "yes"
    assert allowed(process, Act.CONTRIBUTE, ideas.ends) == "closed"
    assert allowed(process, Act.VOTE, vote.starts - SECOND) == "not_yet"
    assert allowed(process, Act.VOTE, vote.starts) == "yes"
    assert allowed(process, Act.VOTE, vote.ends) == "closed"
    assert allowed(process, Act.ASSESS, ideas.starts) == "not_yet"


def test_status_alone_neither_opens_nor_closes(process: Process) -> None:
    """The worker was down: nothing has been opened or closed, and the interval still decides."""
    ideas, _assessment, vote = phases.stored(process)
    assert process.status == Status.APPROVED
    assert allowed(process, Act.CONTRIBUTE, ideas.starts) == "yes"
    with clock.frozen(process.opens_at):
        process = lifecycle.perform(process=process, name="open", by=None)
    assert allowed(process, Act.VOTE, ideas.starts) == "not_yet"
    with clock.frozen(process.closes_at):
        process = lifecycle.perform(process=process, name="close", by=None)
    assert allowed(process, Act.VOTE, vote.ends - SECOND) == "yes"  # it came in before the close


def test_what_stops_the_opening_stops_what_it_would_allow(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ready(process: Process, *, name: str, by: object, at: datetime) -> None:
        raise Refused("no_register", "Der mangler et registerudtræk.")

    from dataclasses import replace

    stopped = replace(formats.get("citizen_budget"), before_transition=not_ready)
    monkeypatch.setitem(formats._formats, "citizen_budget", stopped)
    assert allowed(process, Act.CONTRIBUTE, process.opens_at) == "no_register"


def test_nothing_in_a_draft_or_after_the_end(process: Process) -> None:
    at = process.opens_at
    assert allowed(make_process(), Act.CONTRIBUTE, at) == "not_public"
    with clock.frozen(at - timedelta(days=1)):
        cancelled = lifecycle.perform(
            process=process, name="cancel", by=make_manager(process.unit), comment="Aflyst."
        )
    assert allowed(cancelled, Act.CONTRIBUTE, at) == "cancelled"
    decided = make_process(status=Status.DECIDED)
    assert allowed(decided, Act.VOTE, decided.closes_at - SECOND) == "over"


def test_the_reason_says_when(process: Process) -> None:
    with translation.override("en"):
        reason = phases.can_allows(process, Act.CONTRIBUTE, at=clock.now()).reason
        assert reason.startswith("Ideas opens Monday")
        assert "09:00" in reason or "9" in reason


def test_midnight_is_the_day_that_ends(process: Process) -> None:
    midnight = datetime(2027, 3, 8, tzinfo=ZONE)
    with translation.override("en"):
        assert phases.closing_moment(midnight) == phases.moment(midnight - timedelta(days=1))
        assert "Sunday" in phases.closing_moment(midnight)
        assert "Monday" in phases.moment(midnight)


def test_now_and_next(process: Process) -> None:
    ideas, assessment, vote = phases.stored(process)
    found = phases.phase_at(process, ideas.starts)
    assert found is not None
    assert found.kind == "ideas"
    following = phases.next_phase(process, ideas.starts)
    assert following is not None
    assert following.kind == "assessment"
    assert phases.phase_at(process, vote.ends) is None
    assert phases.next_phase(process, vote.starts) is None
    assert assessment.ends == vote.starts
