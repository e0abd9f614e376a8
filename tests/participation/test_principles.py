"""Every check of the five principles, seen to pass and seen to stop."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.verdict import Refused
from participation import clock, lifecycle
from participation.actions import process as actions
from participation.choices import FROZEN, Size, Status
from participation.models import CouncilHeard, InternalPromise, OpeningMinimum, Process
from participation.principles import Gate, Level, findings, judge, readiness
from participation.principles.time import days_open, earliest_closing, is_holiday
from participation.principles.timing import last_closing
from tests.accounts.factories import make_district, make_unit
from tests.factories import ROWS, make_manager, make_meeting, make_process, phases_from

pytestmark = pytest.mark.django_db

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
EASY = "Vi bor her. Du kan se det. Det er godt. Kom og vær med nu. " * 9
HARD = (
    "Kommunalbestyrelsens beslutningsgrundlag forudsætter tilstrækkelig dokumentation vedrørende borgernes "
    "prioriteringer samt administrationens efterfølgende konsekvensvurderinger inden endelig stillingtagen. "
) * 9
MIDDLING = (
    "Vi samler alle forslag fra borgerne i området og lægger dem ved sagen, når udvalget skal behandle den "
    "til efteråret, så politikerne kender jeres ønsker. "
) * 6


def level_of(process: Process, key: str, gate: Gate = Gate.APPROVE) -> Level | None:
    return next((f.level for f in findings(process, gate=gate) if f.key == key), None)


def change(process: Process, **fields: Any) -> None:
    Process.objects.filter(pk=process.pk).update(**fields)


# key, size, what spoils it, the level it then has. The unspoilt process passes the check.
SPOILT: list[tuple[str, str, dict[str, Any], Level]] = [
    ("preconditions.will_listen", "small", {"will_listen": None}, Level.BLOCKING),
    ("preconditions.will_listen", "small", {"will_listen": False}, Level.BLOCKING),
    ("preconditions.timing_is_right", "small", {"timing_is_right": False}, Level.BLOCKING),
    ("preconditions.there_is_time", "small", {"there_is_time": False}, Level.BLOCKING),
    ("preconditions.frame_is_clear", "small", {"frame_is_clear": False}, Level.BLOCKING),
    ("preconditions.willing_to_try_new", "small", {"willing_to_try_new": False}, Level.BLOCKING),
    (
        "preconditions.will_listen",
        "small",
        {"will_listen": False, "went_on_because": "Vi skal."},
        Level.WARNING,
    ),
    ("framing.question", "small", {"question": ""}, Level.BLOCKING),
    ("framing.purposes", "ordinary", {"purposes": []}, Level.WARNING),
    ("framing.purposes", "large", {"purposes": []}, Level.BLOCKING),
    ("framing.why_this_format", "ordinary", {"why_this_format": ""}, Level.WARNING),
    ("framing.why_this_format", "large", {"why_this_format": ""}, Level.BLOCKING),
    ("framing.ladder_step", "small", {"ladder_step": ""}, Level.BLOCKING),
    ("framing.ladder_fits", "small", {"ladder_step": "information"}, Level.BLOCKING),
    ("framing.who_decides", "small", {"who_decides": ""}, Level.BLOCKING),
    ("framing.decision_basis", "large", {"decision_basis": []}, Level.BLOCKING),
    ("framing.promise", "small", {"promise": ""}, Level.BLOCKING),
    ("framing.politicians_role", "ordinary", {"politicians_role": ""}, Level.WARNING),
    ("framing.politicians_role", "large", {"politicians_role": ""}, Level.BLOCKING),
    ("listening.who_answers", "small", {"who_answers": ""}, Level.BLOCKING),
    ("listening.answers_due_on", "small", {"answers_due_on": None}, Level.BLOCKING),
    ("listening.answers_after_close", "small", {"answers_due_on": date(2020, 1, 1)}, Level.BLOCKING),
    ("listening.answer_how", "small", {"answer_how": ""}, Level.BLOCKING),
    ("listening.willing_to_try", "large", {"willing_to_try": ""}, Level.BLOCKING),
    ("listening.carried_into_decision", "large", {"carried_into_decision": ""}, Level.BLOCKING),
    ("timing.decision_stage", "small", {"decision_stage": ""}, Level.BLOCKING),
    ("timing.decision_on", "small", {"decision_on": None, "meeting": None}, Level.BLOCKING),
    ("timing.frame_before_opening", "small", {"frame_adopted_on": None}, Level.WARNING),
    ("timing.frame_before_opening", "ordinary", {"frame_adopted_on": None}, Level.BLOCKING),
    ("timing.frame_before_opening", "small", {"frame_adopted_on": date(2090, 1, 1)}, Level.BLOCKING),
    ("timing.before_decision", "small", {"decision_on": date(2020, 1, 1)}, Level.BLOCKING),
    ("timing.within_term", "small", {"decision_on": date(2090, 1, 1)}, Level.WARNING),
    ("timing.councils_early", "ordinary", {"decision_stage": "draft"}, Level.WARNING),
    ("timing.reaches_agenda", "small", {"processing_days": 300}, Level.BLOCKING),
    ("time.minimum", "small", {"legal_basis": None}, Level.BLOCKING),
    ("time.processing_days", "large", {"processing_days": None}, Level.BLOCKING),
    ("time.planned_dialogues", "large", {"planned_dialogues": None}, Level.BLOCKING),
    ("time.staff_hours", "large", {"staff_hours": None}, Level.BLOCKING),
    ("time.preparation", "large", {"preparation": ""}, Level.BLOCKING),
    ("breadth.touches", "small", {"touches": ""}, Level.BLOCKING),
    ("breadth.recruitment", "large", {"recruitment": []}, Level.BLOCKING),
    ("breadth.offline_route", "small", {"offline_route": ""}, Level.BLOCKING),
]


@pytest.mark.parametrize(("key", "size", "spoil", "level"), SPOILT)
def test_a_field_that_is_missing_or_wrong(key: str, size: str, spoil: dict[str, Any], level: Level) -> None:
    process = make_process(size=size)
    assert level_of(process, key) == Level.PASSED
    change(process, **spoil)
    assert level_of(process, key) == level


def rows_without(relation: str, **match: Any) -> Callable[[Process], None]:
    def spoil(process: Process) -> None:
        assert getattr(process, relation).filter(**match).delete()[0]

    return spoil


SPOILT_ROWS: list[tuple[str, str, Callable[[Process], None], Level]] = [
    ("framing.open_points", "small", rows_without("frame_points", kind="open"), Level.BLOCKING),
    ("framing.fixed_points", "small", rows_without("frame_points", kind="fixed"), Level.BLOCKING),
    ("breadth.beyond", "small", rows_without("audiences", kind="beyond"), Level.BLOCKING),
    ("breadth.families", "ordinary", rows_without("audiences", kind="families"), Level.WARNING),
    ("breadth.families", "large", rows_without("audiences", kind="families"), Level.BLOCKING),
    ("breadth.young", "ordinary", rows_without("audiences", kind="young"), Level.WARNING),
    ("breadth.young", "large", rows_without("audiences", kind="young"), Level.BLOCKING),
    ("breadth.channels", "small", rows_without("channels", digital=True), Level.BLOCKING),
    ("breadth.channel_not_digital", "small", rows_without("channels", digital=False), Level.BLOCKING),
    ("breadth.councils", "ordinary", rows_without("councils_heard"), Level.WARNING),
    ("breadth.councils", "large", rows_without("councils_heard"), Level.BLOCKING),
    ("framing.internal_promises", "large", rows_without("internal_promises"), Level.BLOCKING),
    ("time.phases", "small", rows_without("phases"), Level.BLOCKING),
    ("time.phases", "small", rows_without("phases", kind="assessment"), Level.BLOCKING),
]


@pytest.mark.parametrize(("key", "size", "spoil", "level"), SPOILT_ROWS)
def test_a_row_that_is_missing(key: str, size: str, spoil: Callable[[Process], None], level: Level) -> None:
    process = make_process(size=size)
    assert level_of(process, key) == Level.PASSED
    spoil(process)
    assert level_of(process, key) == level


def test_every_finding_of_a_ready_process_has_been_spoilt_somewhere() -> None:
    """A new check without a test that makes it fail is found here."""
    elsewhere = {
        "time.moves_on",  # test_open_too_long
        "framing.internal_promises",
        "breadth.both_sides",
        "breadth.districts",
    }
    spoilt = {key for key, *_rest in SPOILT} | {key for key, *_rest in SPOILT_ROWS} | elsewhere
    of_the_format = {f.key for f in findings(make_process(size="large")) if f.principle == "format"}
    found = {f.key for size in Size for f in findings(make_process(size=size))}
    assert found - of_the_format - {"time.opens_ahead"} <= spoilt


@pytest.mark.parametrize("size", list(Size))
def test_what_the_factory_fills_in_is_ready(size: str) -> None:
    ready = readiness(make_process(size=size))
    assert ready.ready
    assert not ready.blocking
    assert ready.passed


def test_a_blank_sheet_needs_nothing_settled() -> None:
    process = make_process(blank_sheet=True, rows={"frame_points": [{"kind": "open", "text": "Alt"}]})
    assert level_of(process, "framing.fixed_points") == Level.PASSED


def test_a_promise_inside_the_house_needs_a_dated_yes() -> None:
    process = make_process()
    promise = InternalPromise.objects.create(process=process, unit=make_unit(), what="Ground")
    assert level_of(process, "framing.internal_promises") == Level.BLOCKING
    promise.said_yes_on = clock.today() + timedelta(days=1)
    promise.save()
    assert level_of(process, "framing.internal_promises") == Level.BLOCKING
    promise.said_yes_on = clock.today()
    promise.save()
    assert level_of(process, "framing.internal_promises") == Level.PASSED


@pytest.mark.parametrize(
    ("text", "size", "level"),
    [
        (EASY, "large", Level.PASSED),
        (MIDDLING, "large", Level.WARNING),
        (HARD, "ordinary", Level.WARNING),
        (HARD, "large", Level.BLOCKING),
        ("Kommunalbestyrelsens beslutningsgrundlag forudsætter dokumentation.", "large", None),
    ],
)
def test_hard_texts(text: str, size: str, level: Level | None) -> None:
    process = make_process(size=size)
    change(process, promise=text)
    assert level_of(process, "framing.lix.promise") == level


def test_conflict_names_both_sides() -> None:
    process = make_process(conflict=True)
    assert level_of(process, "breadth.both_sides") == Level.BLOCKING
    sides = [{"kind": "supporters", "name": "Cyklister"}, {"kind": "opponents", "name": "Bilister"}]
    process = make_process(conflict=True, rows={"audiences": ROWS["audiences"] + sides})
    assert level_of(process, "breadth.both_sides") == Level.PASSED


def test_districts_are_named() -> None:
    process = make_process(touches="districts")
    assert level_of(process, "breadth.districts") == Level.BLOCKING
    process.touched_districts.add(make_district())
    assert level_of(process, "breadth.districts") is None


def test_few_but_relevant_may_pass_but_always_beyond_the_task() -> None:
    few = "Kun de fem, der har en have ud til stien, ved noget om den."
    rows = {
        "audiences": [{"kind": "touched", "name": "Haveejerne"}],
        "channels": [{"name": "Brev", "digital": False}],
    }
    process = make_process(size="large", few_but_relevant=few, rows=rows)
    for key in ("breadth.families", "breadth.young", "breadth.channels"):
        assert level_of(process, key) == Level.PASSED
    assert level_of(process, "breadth.beyond") == Level.BLOCKING


def test_councils_the_law_names_are_heard_before_the_decision_and_nobody_overrides_it() -> None:
    process = make_process()
    council = CouncilHeard.objects.create(process=process, council="Ældrerådet", must_be_heard=True)
    for asked_on in (None, process.decision_on, process.decision_on + timedelta(days=1)):
        council.asked_on = asked_on
        council.save()
        finding = next(f for f in findings(process) if f.key == "breadth.councils")
        assert (finding.level, finding.statutory) == (Level.BLOCKING, True)
    council.asked_on = timezone.localdate(process.closes_at) + timedelta(days=1)
    council.save()
    assert level_of(process, "breadth.councils") == Level.WARNING
    council.asked_on = timezone.localdate(process.opens_at)
    council.save()
    assert level_of(process, "breadth.councils") == Level.PASSED


# Time


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=COPENHAGEN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        (date(2027, 7, 11), False),  # Sunday of week 27
        (date(2027, 7, 12), True),  # Monday of week 28
        (date(2027, 8, 8), True),  # Sunday of week 31
        (date(2027, 8, 9), False),
        (date(2026, 12, 23), False),
        (date(2026, 12, 24), True),
        (date(2027, 1, 1), True),
        (date(2027, 1, 2), False),
    ],
)
def test_holidays(day: date, holiday: bool) -> None:
    assert is_holiday(day) is holiday


def test_days_are_counted_in_the_municipalitys_time_and_summer_only_counts_for_the_law() -> None:
    assert days_open(local(2027, 3, 1), local(2027, 3, 29), statutory=True) == 28
    assert days_open(local(2027, 3, 1), local(2027, 4, 1), statutory=False) == 31  # across summer time
    assert days_open(local(2027, 7, 5), local(2027, 8, 16), statutory=True) == 42
    assert days_open(local(2027, 7, 5), local(2027, 8, 16), statutory=False) == 14


@pytest.mark.parametrize("statutory", [True, False])
def test_the_earliest_closing_is_the_first_that_meets_the_minimum(statutory: bool) -> None:
    minimum = OpeningMinimum(
        name="Prøve", days=28, statutory=statutory, source="x", valid_from=date(2020, 1, 1)
    )
    for opens in (date(2027, 3, 1), date(2027, 6, 28), date(2026, 12, 10)):
        first = earliest_closing(opens, minimum)
        at = datetime.combine(opens, datetime.min.time(), COPENHAGEN)
        last = datetime.combine(first, datetime.min.time(), COPENHAGEN)
        assert days_open(at, last, statutory=statutory) == 28
        assert days_open(at, last - timedelta(days=1), statutory=statutory) == 27


def short(process: Process, days: int) -> None:
    """The phases squeezed into so many days."""
    starts = process.opens_at.replace(year=process.opens_at.year)
    actions.update_process(
        process=process,
        by=process.author,
        version=Process.objects.get(pk=process.pk).version,
        rows={"phases": phases_from(starts, {"ideas": days - 2, "assessment": 1, "vote": 1})},
    )


@pytest.fixture
def march() -> Any:
    with clock.frozen(local(2027, 2, 15, 12)):
        yield local(2027, 3, 1)


def test_a_voluntary_minimum_may_be_overridden_and_a_statutory_one_never(march: datetime) -> None:
    process = make_process(opens_at=march)
    short(process, 27)
    finding = next(f for f in findings(process) if f.key == "time.minimum")
    assert (finding.level, finding.statutory, finding.may_be_overridden) == (Level.BLOCKING, False, True)
    short(process, 28)
    assert level_of(process, "time.minimum") == Level.PASSED
    OpeningMinimum.objects.filter(pk=process.legal_basis_id).update(statutory=True)
    assert level_of(process, "time.minimum") == Level.PASSED
    short(process, 27)
    finding = next(f for f in findings(process) if f.key == "time.minimum")
    assert (finding.level, finding.statutory, finding.may_be_overridden) == (Level.BLOCKING, True, False)
    with pytest.raises(Refused) as refused:
        actions.override_check(
            process=process, by=make_manager(process.unit), check_key="time.minimum", reason="Vi har travlt."
        )
    assert refused.value.code == "statutory"


def test_passing_a_minimum_never_says_lawful(march: datetime) -> None:
    from django.utils import translation

    process = make_process(opens_at=march)
    with translation.override("en"):
        finding = next(f for f in findings(process) if f.key == "time.minimum")
        assert str(finding.message).startswith("Meets the minimum")
        assert "lawful" not in str(finding.message).lower()


def test_open_too_long(march: datetime) -> None:
    process = make_process(opens_at=march)
    assert level_of(process, "time.moves_on") == Level.PASSED
    OpeningMinimum.objects.filter(pk=process.legal_basis_id).update(longest_days=57)
    assert level_of(process, "time.moves_on") == Level.WARNING


@pytest.mark.parametrize(
    "wrong",
    [{"formats": ["hearing"]}, {"valid_from": date(2090, 1, 1)}, {"valid_to": date(2020, 1, 1)}],
)
def test_a_legal_basis_that_does_not_apply(wrong: dict[str, Any]) -> None:
    process = make_process()
    OpeningMinimum.objects.filter(pk=process.legal_basis_id).update(**wrong)
    assert level_of(process, "time.minimum") == Level.BLOCKING


def test_opening_in_the_past_stops_approval_but_is_no_reproach_later() -> None:
    process = make_process(status=Status.IN_REVIEW)
    with clock.frozen(process.opens_at + timedelta(minutes=1)):
        assert level_of(process, "time.opens_ahead") == Level.BLOCKING
        assert lifecycle.can(process, "approve", make_manager(process.unit)).code == "not_ready"
    assert level_of(make_process(status=Status.OPEN), "time.opens_ahead") is None


# Timing


def test_the_meeting_chosen_says_the_last_possible_closing(march: datetime) -> None:
    process = make_process(opens_at=march)
    meeting = make_meeting(local(2027, 5, 27, 17), deadline_days=10)
    assert last_closing(meeting, 14) == local(2027, 5, 3, 17)
    change(process, meeting=meeting, decision_on=None)
    assert level_of(process, "timing.decision_on") == Level.PASSED
    assert timezone.localdate(process.closes_at) == date(2027, 4, 28)
    assert level_of(process, "timing.reaches_agenda") == Level.PASSED
    change(process, processing_days=19)
    assert level_of(process, "timing.reaches_agenda") == Level.PASSED
    change(process, processing_days=20)
    assert level_of(process, "timing.reaches_agenda") == Level.BLOCKING


def test_closing_on_the_day_of_the_decision_is_too_late_and_nobody_overrides_it(march: datetime) -> None:
    process = make_process(opens_at=march)
    closes = timezone.localdate(process.closes_at)
    change(process, decision_on=closes + timedelta(days=1))
    assert level_of(process, "timing.before_decision") == Level.PASSED
    change(process, decision_on=closes)
    finding = next(f for f in findings(process) if f.key == "timing.before_decision")
    assert (finding.level, finding.may_be_overridden) == (Level.BLOCKING, False)


def test_a_standing_decision_is_a_frame() -> None:
    process = make_process(frame_adopted_on=None, standing_decision_url="https://lunde.example/politik")
    assert level_of(process, "timing.frame_before_opening") == Level.PASSED


# Judging


def test_an_override_lets_it_pass_and_is_shown(march: datetime) -> None:
    process = make_process(opens_at=march)
    short(process, 20)
    manager = make_manager(process.unit)
    assert not readiness(process).ready
    actions.override_check(process=process, by=manager, check_key="time.minimum", reason="Pengene udløber.")
    ready = readiness(process)
    assert ready.ready
    assert [judged.override.reason for judged in ready.overridden] == ["Pengene udløber."]


def test_an_override_is_no_way_past_what_the_page_needs() -> None:
    process = make_process()
    change(process, promise="")
    manager = make_manager(process.unit)
    for key, code in [
        ("framing.promise", "required"),
        ("framing.question", "not_blocking"),
        ("x", "not_blocking"),
    ]:
        with pytest.raises(Refused) as refused:
            actions.override_check(process=process, by=manager, check_key=key, reason="Jo.")
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        actions.override_check(process=process, by=manager, check_key="framing.promise", reason=" ")
    assert refused.value.code == "reason_missing"


def test_queries_are_constant() -> None:
    process = make_process(size="large")
    with CaptureQueriesContext(
        connection,
    ) as few:
        readiness(process)
    unit = process.unit
    for number in range(40):
        InternalPromise.objects.create(process=process, unit=make_unit(), what=f"{number}")
        process.frame_points.create(kind="fixed", text=f"{number}", reason="Lov", position=number)
        process.audiences.create(kind="beyond", name=f"{number}")
        process.channels.create(name=f"{number}")
        process.councils_heard.create(council=f"{number}", must_be_heard=True)
        process.touched_districts.add(make_district())
    with CaptureQueriesContext(connection) as many:
        readiness(process)
    assert unit is not None
    assert len(many) == len(few) <= 16


def test_what_is_typed_and_not_saved_can_be_judged() -> None:
    process = Process.objects.for_checks().get(pk=make_process().pk)
    assert judge(process).ready
    process.question = ""
    assert [finding.key for finding in judge(process).blocking] == ["framing.question"]
    assert readiness(process).ready


def test_frozen_statuses_are_judged_at_the_gate_ahead() -> None:
    assert readiness(make_process(status=Status.DECIDED)).gate is Gate.CONCLUDE
    assert readiness(make_process(status=Status.OPEN)).gate is Gate.APPROVE
    assert Status.OPEN in FROZEN
