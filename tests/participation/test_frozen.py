"""Each invariant that the database holds, and an attempt to break it past all code."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, connection, models, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import EligibilityRule
from participation import clock, frozen, phases
from participation.actions import process as actions
from participation.actions.writing import EDITABLE, PRACTICAL
from participation.choices import FROZEN, Status
from participation.models import Audience, Change, Channel, FramePoint, Override, Phase, Process
from tests.accounts.factories import make_district, make_staff
from tests.factories import make_manager, make_process, make_worker

pytestmark = pytest.mark.django_db


def another(process: Process, name: str) -> Any:
    """Some other value that the column could hold."""
    field = Process._meta.get_field(name)
    value = getattr(process, name)
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.ForeignKey):
        if name == "author":
            return make_worker(process.unit)
        return None if value is not None else _any_of(field)
    if isinstance(field, models.DateTimeField):
        return value + timedelta(hours=1)
    if isinstance(field, models.DateField):
        return (value or clock.today()) + timedelta(days=1)
    if isinstance(field, models.IntegerField):
        return (value or 0) + 1
    if field.choices:
        return next(choice for choice, _label in field.choices if choice != value)
    return f"{value}x"


def _any_of(field: models.ForeignKey) -> models.Model:
    from tests.factories import make_meeting

    return make_meeting(clock.now() + timedelta(days=200))


def breaks(write: Any) -> bool:
    try:
        with transaction.atomic():
            write()
            phases_hold()
    except IntegrityError:
        return True
    return False


def phases_hold() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.parametrize("name", [*frozen.COLUMNS, *frozen.FIXED_COLUMNS])
def test_each_column_is_frozen_from_approval(name: str) -> None:
    process = make_process(status=Status.APPROVED)
    other = another(process, name)
    assert breaks(lambda: Process.objects.filter(pk=process.pk).update(**{name: other}))
    process.refresh_from_db()
    assert getattr(process, name) != other


def test_the_migration_and_the_code_freeze_the_same_columns() -> None:
    import importlib

    migration = importlib.import_module("participation.migrations.0006_frozen_rules")
    columns = {Process._meta.get_field(name).column for name in frozen.COLUMNS} | {"from_standard"}
    assert set(migration.COLUMNS) == columns
    assert set(migration.FIXED_COLUMNS) == {
        Process._meta.get_field(name).column for name in frozen.FIXED_COLUMNS if name != "from_standard"
    }
    assert "('" + "', '".join(s for s in Status if s in FROZEN) + "')" == migration.FROZEN


def test_every_principle_field_is_either_frozen_or_practical() -> None:
    """A new field of a principle is not forgotten."""
    from participation.principles import preconditions

    loose = EDITABLE - PRACTICAL - set(frozen.COLUMNS) - set(frozen.FIXED_COLUMNS) - set(preconditions.FIELDS)
    assert loose == {"reversible"}
    assert set(frozen.WORDING) <= set(frozen.COLUMNS)


@pytest.mark.parametrize("status", sorted(FROZEN))
def test_all_frozen_statuses_hold(status: str) -> None:
    process = make_process(status=status)
    assert breaks(lambda: Process.objects.filter(pk=process.pk).update(promise="Noget andet"))


def test_a_draft_is_free() -> None:
    process = make_process()
    assert not breaks(lambda: Process.objects.filter(pk=process.pk).update(promise="Noget andet"))


@pytest.mark.parametrize("model", [FramePoint, Audience, Channel])
def test_rows_are_frozen(model: Any) -> None:
    process = make_process(status=Status.OPEN)
    rows = model.objects.filter(process=process)
    name = "text" if model is FramePoint else "name"
    extra = {} if model is Channel else {"kind": rows[0].kind}
    assert breaks(lambda: rows.update(**{name: "Andet"}))
    assert breaks(lambda: rows.filter(pk=rows[0].pk).delete())
    assert breaks(lambda: model.objects.create(process=process, **{name: "Nyt"}, **extra))
    draft = make_process()
    theirs = model.objects.filter(process=draft)
    assert breaks(lambda: theirs.filter(pk=theirs[0].pk).update(process=process, **{name: "Sneget ind"}))
    assert breaks(lambda: rows.filter(pk=rows[0].pk).update(process=draft, **{name: "Sneget ud"}))
    assert not breaks(lambda: theirs.filter(pk=theirs[0].pk).update(**{name: "Andet"}))


def test_phases_are_frozen() -> None:
    process = make_process(status=Status.OPEN)
    phase = process.phases.last()
    later = DateTimeTZRange(phase.interval.lower, phase.interval.upper + timedelta(days=1), "[)")
    assert breaks(lambda: Phase.objects.filter(pk=phase.pk).update(interval=later))
    assert breaks(lambda: Phase.objects.filter(pk=phase.pk).delete())
    new = DateTimeTZRange(phase.interval.upper, phase.interval.upper + timedelta(days=1), "[)")
    assert breaks(lambda: Phase.objects.create(process=process, kind="more", interval=new))


def test_districts_touched_are_frozen() -> None:
    process = make_process(status=Status.APPROVED)
    assert breaks(lambda: process.touched_districts.add(make_district()))


def test_the_budgets_rules_and_eligibility_are_frozen() -> None:
    process = make_process(status=Status.APPROVED)
    budget = process.citizenbudget
    assert breaks(lambda: type(budget).objects.filter(pk=budget.pk).update(total=1_000_000))
    assert breaks(lambda: EligibilityRule.objects.filter(pk=budget.vote_rule_id).update(min_age=1))
    assert breaks(lambda: budget.propose_rule.districts.add(make_district()))


def test_naming_one_process_opens_no_other_and_only_for_a_while() -> None:
    one, other = make_process(status=Status.OPEN), make_process(status=Status.OPEN)
    with frozen.amending(one):
        assert not breaks(lambda: Process.objects.filter(pk=one.pk).update(promise="Lovligt"))
        assert breaks(lambda: Process.objects.filter(pk=other.pk).update(promise="Ulovligt"))
        assert breaks(lambda: Process.objects.filter(pk=one.pk).update(slug="ny-adresse"))
    assert breaks(lambda: Process.objects.filter(pk=one.pk).update(promise="For sent"))


@pytest.mark.django_db(transaction=True)
def test_an_amendment_needs_a_transaction() -> None:
    process = make_process(status=Status.OPEN)
    with pytest.raises(RuntimeError), frozen.amending(process):
        pass


def test_no_way_round_the_lifecycle() -> None:
    process = make_process(status=Status.OPEN)
    for target in ("draft", "in_review", "approved", "decided", "concluded", "informed"):
        assert breaks(
            lambda target=target: Process.objects.filter(pk=process.pk).update(status=target, public_note="x")
        )
    assert not breaks(lambda: Process.objects.filter(pk=process.pk).update(status="closed"))


def test_opening_and_closing_are_those_of_the_phases() -> None:
    process = make_process(status=Status.OPEN)
    with transaction.atomic(), frozen.amending(process):
        assert breaks(
            lambda: Process.objects.filter(pk=process.pk).update(
                closes_at=process.closes_at + timedelta(days=1)
            )
        )
        assert breaks(lambda: process.phases.last().delete())


# CHECK and exclusion constraints


@pytest.mark.parametrize(
    "missing",
    [
        {"question": ""}, {"ladder_step": ""}, {"who_decides": ""}, {"promise": ""}, {"who_answers": ""},
        {"answers_due_on": None}, {"answer_how": ""}, {"decision_stage": ""}, {"decision_on": None},
        {"opens_at": None}, {"closes_at": None}, {"touches": ""}, {"offline_route": ""},
    ],
)  # fmt: skip
def test_each_principle_is_there_from_approval(missing: dict[str, Any]) -> None:
    process = make_process(status=Status.IN_REVIEW)
    manager = make_manager(process.unit)
    assert not breaks(lambda: Process.objects.filter(pk=process.pk).update(**missing))
    assert breaks(
        lambda: Process.objects.filter(pk=process.pk).update(
            status="approved", approved_by=manager, **missing
        )
    )


def test_other_checks_of_a_process() -> None:
    process = make_process(status=Status.IN_REVIEW)
    assert breaks(lambda: Process.objects.filter(pk=process.pk).update(approved_by=process.author))
    assert breaks(lambda: Process.objects.filter(pk=process.pk).update(status="cancelled"))
    assert breaks(lambda: Process.objects.filter(pk=process.pk).update(status="nonsense"))
    assert breaks(lambda: process.frame_points.filter(kind="fixed").update(reason=""))
    assert breaks(
        lambda: Override.objects.create(
            process=process, check_key="x", reason="", by=process.author, at=clock.now()
        )
    )
    assert breaks(
        lambda: Change.objects.create(
            process=process,
            kind="correct",
            reason="x",
            by=process.author,
            confirmed_by=process.author,
            at=clock.now(),
        )
    )


def test_phases_neither_overlap_nor_are_empty() -> None:
    process = make_process()
    first = process.phases.first()
    start = first.interval.lower
    for interval in (
        DateTimeTZRange(start, start + timedelta(days=1), "[)"),
        DateTimeTZRange(start - timedelta(days=2), start - timedelta(days=2), "[)"),
    ):
        assert breaks(lambda i=interval: Phase.objects.create(process=process, kind="more", interval=i))
    touching = DateTimeTZRange(start - timedelta(days=2), start, "[)")
    assert not breaks(lambda: Phase.objects.create(process=process, kind="more", interval=touching))


def test_settle_tells_an_overlap_as_a_refusal() -> None:
    from accounts.verdict import Refused

    process = make_process()
    first = process.phases.first()
    Phase.objects.create(process=process, kind="more", interval=first.interval)
    with pytest.raises(Refused) as refused:
        phases.settle()
    Phase.objects.filter(kind="more").delete()
    assert refused.value.field == "phases"


def test_a_process_without_its_detail_is_reported() -> None:
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    process = make_process()
    call_command("check", databases=["default"])
    process.citizenbudget.delete()
    with pytest.raises(SystemCheckError, match=process.slug):
        call_command("check", databases=["default"])


def test_a_refused_amendment_leaves_the_door_shut() -> None:
    from accounts.verdict import Refused

    process = make_process(status=Status.OPEN)
    manager = make_staff("manager", units=[process.unit], factor=False)
    with pytest.raises(Refused):
        actions.amend(process=process, by=manager, fields={"promise": ""}, reason="Vi fortrød.")
    assert breaks(lambda: Process.objects.filter(pk=process.pk).update(promise="Noget andet"))
    process.refresh_from_db()
    assert process.promise
