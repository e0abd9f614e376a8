"""A format of the tests' own, so that what the core does with contributions is tried without any real format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import District, EligibilityRule, Unit, User
from accounts.permissions import Role
from participation import clock, formats
from participation.choices import LadderStep, Status
from participation.formats import Act, Format, PhaseKind
from participation.models import Phase, Process
from participation.page_cache import PageCacheMiddleware

KEY = "idea_box"
NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # a Monday, 12.00 in Denmark

IDEA_BOX = Format(
    key=KEY,
    label="Idékasse",
    label_plural="Idékasser",
    detail="",
    phase_kinds=(
        PhaseKind("ideas", "Idéer", frozenset({Act.CONTRIBUTE, Act.EDIT, Act.SUPPORT, Act.ARGUE})),
        PhaseKind("work", "Arbejde"),
    ),
    ladder_steps=frozenset(LadderStep),
    contribution_label="Idé",
    contribution_label_plural="Idéer",
)


@pytest.fixture
def noon() -> Iterator[None]:
    """This thread's clock stands still at noon on a Monday."""
    with clock.frozen(NOW):
        yield


@pytest.fixture
def fresh_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page is built: nothing kept for anonymous visitors hides a query or a change."""
    monkeypatch.setattr(PageCacheMiddleware, "_get", staticmethod(lambda key: (0, None)))


@pytest.fixture
def idea_box(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Format]:
    """The format, registered for this test; with keyword arguments, a variant of it."""

    def put(**changes: Any) -> Format:
        chosen = Format(**{**vars(IDEA_BOX), **changes})
        monkeypatch.setitem(formats._formats, KEY, chosen)
        return chosen

    put()
    return put


@pytest.fixture
def unit(db: None) -> Unit:
    return Unit.objects.create(name="Byliv", email="byliv@example.dk")


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """A citizen; with `email`, one whose address is verified."""

    def make(first_name: str = "Maja", email: str | None = None, **fields: Any) -> User:
        fields.setdefault("last_name", "Holm")
        user = User.objects.create_user(first_name=first_name, email=email, **fields)
        if email:
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    return make


@pytest.fixture
def citizen(person: Callable[..., User]) -> User:
    return person(email="maja@example.dk")


@pytest.fixture
def caseworker(unit: Unit, person: Callable[..., User]) -> User:
    user = person("Karen", email="karen@lunde.dk", role=Role.CASEWORKER)
    user.units.add(unit)
    return user


@pytest.fixture
def manager(unit: Unit, person: Callable[..., User]) -> User:
    user = person("Lise", email="lise@lunde.dk", role=Role.MANAGER)
    user.units.add(unit)
    return user


@pytest.fixture
def make_process(
    idea_box: Callable[..., Format], unit: Unit, caseworker: User, manager: User
) -> Callable[..., Process]:
    """An open process that takes ideas from yesterday to in ten days, then is worked on for twenty."""

    def make(slug: str = "torvet", **fields: Any) -> Process:
        starts, ends = NOW - timedelta(days=1), NOW + timedelta(days=10)
        values: dict[str, Any] = {
            "format": KEY,
            "slug": slug,
            "title": "Torvet i Lunde",
            "question": "Hvad skal der ske på torvet?",
            "introduction": "Torvet skal laves om.",
            "status": Status.DRAFT,
            "unit": unit,
            "owner": caseworker,
            "author": caseworker,
            "approved_by": manager,
            "created_at": NOW,
            "updated_at": NOW,
            "ladder_step": LadderStep.INFLUENCE,
            "who_decides": "Byrådet",
            "promise": "Vi svarer på alle idéer.",
            "who_answers": "Karen Holm",
            "answers_due_on": (NOW + timedelta(days=40)).date(),
            "answer_how": "each",
            "decision_stage": "idea",
            "decision_on": (NOW + timedelta(days=30)).date(),
            "opens_at": starts,
            "closes_at": ends + timedelta(days=20),
            "touches": "municipality",
            "offline_route": "Ring til os.",
        }
        status = fields.pop("status", Status.OPEN)
        process = Process.objects.create(**{**values, **fields})
        Phase.objects.create(process=process, kind="ideas", interval=DateTimeTZRange(starts, ends, "[)"))
        Phase.objects.create(
            process=process, kind="work", interval=DateTimeTZRange(ends, ends + timedelta(days=20), "[)")
        )
        for step in (Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED):
            process.status = step
            process.save(update_fields=["status"])
            if step == status:
                break
        return process

    return make


@pytest.fixture
def process(make_process: Callable[..., Process]) -> Process:
    return make_process()


@pytest.fixture
def districts(db: None) -> list[District]:
    return [
        District.objects.create(kind=District.Kind.SCHOOL, code=str(place), name=name)
        for place, name in enumerate(["Nordby", "Aaby", "Østerlund"])
    ]


@pytest.fixture
def adults_only(idea_box: Callable[..., Format], db: None) -> EligibilityRule:
    """The format with a rule: 15 years or older, wherever one lives."""
    rule = EligibilityRule.objects.create(min_age=15, residence=EligibilityRule.Residence.ANYONE)
    idea_box(contribution_rule=lambda process: rule)
    return rule
