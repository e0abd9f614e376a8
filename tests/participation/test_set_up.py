"""A draft: standard answers, sizes, stale forms, bad input, copies, handing over."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock, lifecycle
from participation.actions import process as actions
from participation.actions import programmes
from participation.choices import Size, Status
from participation.models import OpeningMinimum, Process, StandardAnswer
from participation.principles import breadth, framing, listening, readiness, time, timing
from tests.accounts.factories import make_citizen, make_district, make_extract, make_staff, make_unit
from tests.factories import (
    DETAIL,
    PRECONDITIONS,
    make_manager,
    make_process,
    make_worker,
    phases_from,
    starting_data,
)

pytestmark = pytest.mark.django_db


def refused(act: Any, **arguments: Any) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        act(**arguments)
    assert caught.value.reason
    return caught.value.code, caught.value.field


def create(by: Any, **more: Any) -> Process:
    arguments = {
        "format": "citizen_budget",
        "unit": by.units.get(),
        "title": "Søens penge",
        "detail": DETAIL["citizen_budget"],
    } | more
    return actions.create_process(by=by, **arguments)


def test_a_small_budget_is_approved_with_at_most_ten_typed_answers() -> None:
    """mission.md: question, one open point, one fixed point with its reason, who decides, the promise, who answers and
    when, dates, whom it touches."""
    starting_data()
    make_extract(valid_until=clock.today() + timedelta(days=800))
    by = make_worker()
    starts = timezone.localtime(clock.now()).replace(minute=0, second=0, microsecond=0) + timedelta(days=20)
    typed = {
        "question": "Hvad skal der ske ved søen?",
        "who_decides": "Kulturudvalget",
        "promise": "Det, der får flest stemmer, laver vi.",
        "who_answers": "Anne fra Park og Vej",
        "answers_due_on": timezone.localdate(starts) + timedelta(days=70),
        "touches": "municipality",
    }
    point = {"kind": "fixed", "text": "Beløbet", "reason": "Det er afsat i budgettet."}
    rows = {
        "frame_points": [{"kind": "open", "text": "Hvad vi bygger"}, point],
        "phases": phases_from(starts),
    }
    answers = [*typed, "one open point", "one fixed point", "its reason", "dates"]
    assert len(answers) <= 10
    process = create(by, size=Size.SMALL)
    process = actions.update_process(
        process=process, by=by, version=1, fields=PRECONDITIONS | typed, rows=rows
    )
    assert not readiness(process).blocking
    process = lifecycle.perform(process=process, name="submit", by=by)
    process = lifecycle.perform(process=process, name="approve", by=make_manager(process.unit))
    assert process.status == Status.APPROVED
    asked = {*framing.FIELDS, *listening.FIELDS, *timing.FIELDS, *time.FIELDS, *breadth.FIELDS}
    left_out = asked - set(typed) - {"opens_at", "closes_at"}
    on_standard = set(process.from_standard) & left_out
    assert {"ladder_step", "answer_how", "offline_route", "decision_on", "legal_basis"} <= on_standard
    assert {"audiences", "channels"} <= set(process.from_standard)


def test_a_large_process_has_no_standard_and_asks_for_all() -> None:
    starting_data()
    by = make_worker()
    process = create(by, size=Size.LARGE)
    assert process.from_standard == []
    blocking = {finding.key for finding in readiness(process).blocking}
    for field in ("purposes", "why_this_format", "decision_basis", "politicians_role"):
        assert f"framing.{field}" in blocking
    assert {
        "listening.willing_to_try",
        "time.staff_hours",
        "time.preparation",
        "breadth.recruitment",
    } <= blocking


def test_a_small_process_made_large_must_answer_in_its_own_words() -> None:
    process = make_process(size="small", ready=False)
    assert "offline_route" in process.from_standard
    process = actions.update_process(process=process, by=process.author, version=1, fields={"size": "large"})
    finding = next(f for f in readiness(process).blocking if f.key == "breadth.offline_route")
    assert finding.field == "offline_route"
    process = actions.update_process(
        process=process, by=process.author, version=2, fields={"offline_route": "Kom på rådhuset."}
    )
    assert "offline_route" not in process.from_standard
    assert "breadth.offline_route" not in {f.key for f in readiness(process).blocking}


def test_the_most_particular_standard_answer_wins() -> None:
    StandardAnswer.objects.create(
        format="citizen_budget", size="small", field="who_answers", value="Borgerbudgettet"
    )
    StandardAnswer.objects.create(format="", size="", field="who_answers", value="Alle")
    process = make_process(size="small", ready=False)
    assert process.who_answers == "Borgerbudgettet"
    assert make_process(size="ordinary", ready=False).who_answers == "Alle"


def test_a_standard_date_follows_the_phases_until_somebody_types_one() -> None:
    process = make_process(size="small", ready=False)
    by, starts = process.author, clock.now().replace(microsecond=0) + timedelta(days=30)
    assert process.decision_on is None
    process = actions.update_process(process=process, by=by, version=1, rows={"phases": phases_from(starts)})
    assert process.decision_on == timezone.localdate(process.closes_at) + timedelta(days=28)
    later = phases_from(starts + timedelta(days=7))
    process = actions.update_process(process=process, by=by, version=2, rows={"phases": later})
    assert process.decision_on == timezone.localdate(process.closes_at) + timedelta(days=28)
    own = process.decision_on + timedelta(days=5)
    process = actions.update_process(process=process, by=by, version=3, fields={"decision_on": own})
    process = actions.update_process(process=process, by=by, version=4, rows={"phases": phases_from(starts)})
    assert process.decision_on == own


def test_addresses_are_danish_and_never_shared() -> None:
    by = make_worker()
    assert create(by, title="Ærø & Ålborg: Søen!").slug == "aeroe-aalborg-soeen"
    assert create(by, title="Ærø & Ålborg: Søen!").slug == "aeroe-aalborg-soeen-2"
    assert create(by, title="???").slug == "forloeb"
    assert create(by, title="???").slug == "forloeb-2"


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.COUNCILLOR, Role.POLLING_OFFICER, Role.ADMINISTRATOR])
def test_who_may_not_begin_one(role: str) -> None:
    unit = make_unit()
    by = make_citizen() if role == Role.CITIZEN else make_staff(role, units=[unit], factor=False)
    assert (
        refused(actions.create_process, by=by, format="citizen_budget", unit=unit, title="x")[0]
        == "no_permission"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"format": "nonsense"}, ("unknown_format", "format")),
        ({"title": ""}, ("invalid", "title")),
        ({"title": "x" * 121}, ("invalid", "title")),
        ({"title": "nul\x00"}, ("invalid", "title")),
        ({"size": "huge"}, ("invalid", "size")),
        ({"question": "x" * 201}, ("invalid", "question")),
        ({"purposes": ["nonsense"]}, ("invalid", "purposes")),
        ({"standing_decision_url": "javascript:alert(1)"}, ("invalid", "standing_decision_url")),
        ({"processing_days": -1}, ("invalid", "processing_days")),
        ({"status": "open"}, ("unknown_field", "status")),
        ({"opens_at": datetime(2027, 1, 1, tzinfo=UTC)}, ("derived", "phases")),
        ({"detail": {"total": "-5"}}, ("amount", "total")),
    ],
)
def test_bad_input_is_refused_with_its_field(arguments: dict[str, Any], expected: tuple[str, str]) -> None:
    by = make_worker()
    assert refused(create, by=by, **arguments) == expected
    assert not Process.objects.exists()


def test_another_units_draft_is_not_touched() -> None:
    assert refused(create, by=make_worker(), unit=make_unit())[0] == "other_unit"
    process = make_process()
    stranger = make_worker()
    assert (
        refused(actions.update_process, process=process, by=stranger, version=process.version)[0]
        == "other_unit"
    )


def test_a_stale_form_is_told_and_loses_nothing() -> None:
    process = make_process()
    old = process.version
    actions.update_process(process=process, by=process.author, version=old, fields={"title": "Ny"})
    assert refused(
        actions.update_process, process=process, by=process.author, version=old, fields={"title": "Gammel"}
    )[0] == ("stale")
    process.refresh_from_db()
    assert process.title == "Ny"


def phase(kind: str, start: int, end: int, **more: Any) -> dict[str, Any]:
    begin = datetime(2027, 3, 1, tzinfo=UTC)
    return {"kind": kind, "starts": begin + timedelta(days=start), "ends": begin + timedelta(days=end)} | more


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"phases": [phase("ideas", 5, 3)]}, ("closes_before_opening", "phases")),
        ({"phases": [phase("ideas", 5, 5)]}, ("closes_before_opening", "phases")),
        ({"phases": [phase("ideas", 0, 9), phase("vote", 8, 20)]}, ("phases_overlap", "phases")),
        ({"phases": [phase("ideas", 0, 9), phase("ideas", 9, 20)]}, ("phase_twice", "phases")),
        ({"phases": [phase("nonsense", 0, 9)]}, ("unknown_phase", "phases")),
        ({"phases": [{"kind": "ideas"}]}, ("phase_without_dates", "phases")),
        (
            {"phases": [{"kind": "ideas", "starts": "i morgen", "ends": None}]},
            ("phase_without_dates", "phases"),
        ),
        (
            {"phases": [phase("ideas", 0, 9, starts=datetime(2027, 3, 1))]},
            ("no_time_zone", "phases"),
        ),
        ({"phases": [phase("ideas", 0, 9, description="x" * 201)]}, ("invalid", "phases")),
        (
            {"frame_points": [{"kind": "fixed", "text": "Beløbet", "reason": " "}]},
            ("reason_missing", "frame_points"),
        ),
        ({"frame_points": [{"kind": "nonsense", "text": "x"}]}, ("invalid", "frame_points")),
        ({"frame_points": [{"kind": "open", "text": ""}]}, ("invalid", "frame_points")),
        ({"channels": [{"name": "Brev"}, {"name": "brev "}]}, ("twice", "channels")),
        ({"audiences": [{"kind": "young", "name": "x" * 201}]}, ("invalid", "audiences")),
        ({"nonsense": []}, ("unknown_field", "nonsense")),
    ],
)
def test_bad_rows_are_refused_and_nothing_is_half_written(
    rows: dict[str, Any], expected: tuple[str, str]
) -> None:
    process = make_process()
    before = (process.phases.count(), process.frame_points.count(), process.channels.count())
    fields = {"title": "Ny titel"}
    act = actions.update_process
    assert (
        refused(act, process=process, by=process.author, version=process.version, fields=fields, rows=rows)
        == expected
    )
    process.refresh_from_db()
    assert process.title != "Ny titel"
    assert (process.phases.count(), process.frame_points.count(), process.channels.count()) == before


def test_opening_and_closing_follow_from_the_phases() -> None:
    process = make_process(ready=False)
    rows = {"phases": [phase("vote", 20, 30), phase("ideas", 0, 9)]}
    process = actions.update_process(process=process, by=process.author, version=1, rows=rows)
    process.refresh_from_db()
    assert (process.opens_at, process.closes_at) == (phase("x", 0, 1)["starts"], phase("x", 0, 30)["ends"])
    kept = process.phases.get(kind="vote").pk
    process = actions.update_process(
        process=process, by=process.author, version=2, rows={"phases": [phase("vote", 21, 40)]}
    )
    assert process.phases.get().pk == kept
    process = actions.update_process(process=process, by=process.author, version=3, rows={"phases": []})
    assert (process.opens_at, process.closes_at) == (None, None)


def test_every_write_is_audited_with_names_of_fields_only() -> None:
    process = make_process()
    entry = Entry.objects.filter(process_id=process.pk, action="process.updated").latest("pk")
    assert {"question", "phases"} <= set(entry.changed)
    assert entry.values == {}


# Size


@pytest.mark.parametrize(
    ("touches_all", "touches_few", "conflict", "reversible", "money", "size"),
    [
        (False, True, False, True, 100_000, Size.SMALL),  # Orø
        (False, True, False, True, 250_000, Size.SMALL),
        (False, True, False, True, 250_001, Size.ORDINARY),
        (False, True, True, True, 100_000, Size.ORDINARY),
        (False, True, False, False, 100_000, Size.ORDINARY),
        (True, False, False, True, 100_000, Size.ORDINARY),
        (True, False, False, True, 1_000_000, Size.ORDINARY),  # Borgermillionen
        (True, False, True, True, 0, Size.LARGE),
        (False, True, True, False, 0, Size.LARGE),
        (False, True, False, True, 5_000_000, Size.LARGE),
        (False, False, False, True, None, Size.ORDINARY),
    ],
)
def test_the_size_is_proposed(
    touches_all: bool, touches_few: bool, conflict: bool, reversible: bool, money: int | None, size: str
) -> None:
    assert size == actions.size_from(
        touches_all=touches_all,
        touches_few=touches_few,
        conflict=conflict,
        reversible=reversible,
        money=money,
    )


def test_the_size_of_a_process_reads_its_money_and_districts() -> None:
    process = make_process(touches="districts", detail={"total": Decimal(100_000), "max_cost": None})
    process.touched_districts.set([make_district()])
    assert actions.propose_size(process) == Size.SMALL
    process.touched_districts.add(make_district())
    assert actions.propose_size(process) == Size.ORDINARY
    assert actions.propose_size(make_process(detail={"total": Decimal(9_000_000)})) == Size.LARGE


# Copying


def test_a_copy_moves_a_year_and_must_be_decided_anew() -> None:
    source = make_process(status=Status.CONCLUDED)
    copied = actions.copy_process(source=source, by=source.author, title="Søens penge, igen")
    assert copied.status == Status.DRAFT
    assert copied.question == source.question
    assert copied.citizenbudget.total == source.citizenbudget.total
    assert copied.citizenbudget.vote_rule_id != source.citizenbudget.vote_rule_id
    assert copied.opens_at > clock.now()
    assert (timezone.localtime(copied.opens_at).weekday(), timezone.localtime(copied.opens_at).hour) == (
        timezone.localtime(source.opens_at).weekday(),
        timezone.localtime(source.opens_at).hour,
    )
    assert (copied.decision_on - source.decision_on).days % 364 == 0
    assert copied.frame_adopted_on is None
    assert copied.will_listen is None
    assert copied.overrides.count() == copied.decisions.count() == 0
    assert list(copied.frame_points.values_list("text")) == list(source.frame_points.values_list("text"))


def test_only_the_own_units_process_is_copied() -> None:
    source = make_process(status=Status.OPEN)
    assert refused(actions.copy_process, source=source, by=make_worker(), title="Min")[0] == "other_unit"


# People


def test_handing_over_moves_owner_deputy_and_unit() -> None:
    process = make_process(status=Status.OPEN)
    unit = make_unit()
    owner, deputy = make_worker(unit), make_worker(unit)
    process = actions.hand_over(process=process, by=process.author, owner=owner, deputy=deputy, unit=unit)
    process.refresh_from_db()
    assert (process.owner, process.deputy, process.unit) == (owner, deputy, unit)
    for person, field in ((make_citizen(), "owner"), (make_worker(), "owner")):
        assert refused(actions.hand_over, process=process, by=owner, owner=person) == (
            "not_a_colleague",
            field,
        )
    assert refused(actions.hand_over, process=process, by=owner, owner=owner, deputy=owner) == (
        "same_person",
        "deputy",
    )


def test_practical_things_may_change_at_any_time_and_nothing_else() -> None:
    process = make_process(status=Status.OPEN)
    act = actions.update_practical
    process = act(process=process, by=process.author, fields={"moderate_first": True, "edit_minutes": 10})
    assert process.moderate_first
    assert refused(act, process=process, by=process.author, fields={"promise": "x"}) == (
        "unknown_field",
        "promise",
    )
    assert refused(act, process=process, by=make_worker(), fields={"listed": False})[0] == "other_unit"


def test_a_programme_gathers_steps_of_its_unit() -> None:
    process = make_process(status=Status.OPEN)
    programme = programmes.create_programme(by=process.author, unit=process.unit, title="Stålsat by")
    assert programme.slug == "staalsat-by"
    programmes.put_in_programme(process=process, by=process.author, programme=programme)
    assert list(programme.processes.all()) == [process]
    other = make_process()
    assert (
        refused(programmes.put_in_programme, process=other, by=other.author, programme=programme)[0]
        == "other_unit"
    )


# Starting data


def test_the_law_is_there_with_its_source() -> None:
    law = {(m.name, m.days) for m in OpeningMinimum.objects.filter(statutory=True)}
    assert {("Kommuneplan", 56), ("Lokalplan af mindre betydning", 14), ("Nedlæggelse af skole", 56)} <= law
    assert not OpeningMinimum.objects.filter(source="").exists()
    assert not OpeningMinimum.objects.filter(statutory=True, source__startswith="Kommunens").exists()


def test_the_principles_are_there_in_plain_words() -> None:
    from participation import lix
    from participation.models import PrincipleText

    texts = PrincipleText.objects.all()
    assert {text.key for text in texts} == {"framing", "listening", "timing", "time", "breadth"}
    for text in texts:
        assert lix.reading(f"{text.body} {text.why_we_ask}").lix < 40, text.key


def test_each_standard_answer_is_one_the_field_takes() -> None:
    starting_data()
    for size in (Size.SMALL, Size.ORDINARY):
        process = make_process(size=size, ready=False)
        process.clean_fields(
            exclude=[f.name for f in Process._meta.fields if f.name not in process.from_standard]
        )
        names = {a.field for a in StandardAnswer.objects.filter(size__in=["", size])}
        assert names == set(process.from_standard)
