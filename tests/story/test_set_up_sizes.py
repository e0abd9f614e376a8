"""In proportion: a small budget takes at most ten typed answers, a large one asks for all of them, in own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from accounts.models import District, Unit
from demo import staff
from participation import clock
from participation.choices import Status
from participation.models import OpeningMinimum, Process
from tests.accounts.factories import make_extract
from tests.factories import starting_data
from tests.story.people import Visitor, sign_in_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_TYPED = 10
# What no size can do without.
SMALL = {
    "question": "Hvad skal pengene i Søby gå til?",
    "open_points-0-text": "Hvad pengene skal bruges til",
    "fixed_points-0-text": "Beløbet",
    "fixed_points-0-reason": "Byrådet har afsat det i budgettet.",
    "who_decides": "Byrådet",
    "promise": "De projekter, der får flest stemmer, får pengene.",
    "who_answers": "Kirsten Vang",
    "answers_due_on": "2027-04-20",
}
DATES = (("2027-02-01", "2027-02-21"), ("2027-02-22", "2027-03-07"), ("2027-03-08", "2027-03-21"))
# What a large process answers in its own words.
LARGE = SMALL | {
    "introduction": "Lunde har penge til jeres egne idéer. Alle kan være med.",
    "why_this_format": "Borgerne ved bedst, hvad der mangler, hvor de bor.",
    "politicians_role": "De har sat rammen og siger ja til sidst.",
    "internal_promises-0-what": "Vurderer projekterne",
    "internal_promises-0-said_yes_on": "2027-01-05",
    "willing_to_try": "Vi lader jer selv bygge det.",
    "carried_into_decision": "Resultatet ligger ved sagen i byrådet.",
    "offline_route": "Ring til os, eller kom på biblioteket.",
    "audiences-0-name": "Alle, der bor i Lunde",
    "audiences-1-name": "Cykelklubben",
    "decision_on": "2027-04-27",
    "frame_adopted_on": "2026-12-15",
    "processing_days": "14",
    "planned_dialogues": "3",
    "staff_hours": "400",
    "preparation": "Kom til møde i forsamlingshuset.",
    "channels-0-name": "Portalen her",
    "channels-1-name": "Plakater i byen",
    "councils_heard-0-council": "Handicaprådet",
    "councils_heard-0-asked_on": "2027-01-05",
}


@dataclass
class Typist:
    """Types in the form and counts every field; only the dates of the phases count as one."""

    visitor: Visitor
    typed: set[str] = field(default_factory=set)

    def types(self, answers: dict[str, str], *, as_one: str = "") -> Typist:
        for name, value in answers.items():
            self.visitor.fill(**{name: value})
            self.typed.add(as_one or name)
        return self

    def types_dates(self) -> Typist:
        for place, (first, last) in enumerate(DATES):
            days = {f"phases-{place}-first_day": first, f"phases-{place}-last_day": last}
            self.types(days, as_one="phases")
        return self

    def chooses(self, name: str, value: str) -> Typist:
        self.visitor.tick(name, value)
        self.typed.add(name)
        return self


@pytest.fixture
def kirsten_and_bo(
    live_server: Any,
    settings: Any,
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
) -> tuple[Visitor, Visitor]:
    clock.move("2027-01-11T10:00:00+01:00")
    settings.SITE_URL = live_server.url
    starting_data()
    staff.hire()
    make_extract()
    for number, name in enumerate(("Nørreby", "Søby")):
        District.objects.create(kind=District.Kind.SCHOOL, code=f"{number:04}", name=name)
    people = [Visitor(new_context().new_page(), name, axe) for name in ("Kirsten", "Bo")]
    return sign_in_staff(people[0]), sign_in_staff(people[1])


def begin(visitor: Visitor, *, total: str, touches: str, size: str) -> None:
    visitor.goto("/admin/forloeb/nyt/citizen_budget/")
    visitor.fill(title="Søbyens penge", **{"detail-total": total})
    visitor.tick("touches", touches).tick("conflict", "no").tick("reversible", "yes")
    visitor.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
    for question in (
        "will_listen",
        "timing_is_right",
        "there_is_time",
        "frame_is_clear",
        "willing_to_try_new",
    ):
        visitor.tick(question, "yes")
    expect(visitor.page.locator(f"input[name=size][value={size}]")).to_be_checked()  # as proposed
    visitor.page.locator("main form button[type=submit]:not(.sr-only)").last.click()
    visitor.page.wait_for_url("**/opsaetning/")


def saved_and_approved(kirsten: Visitor, bo: Visitor) -> Process:
    base = kirsten.path.removesuffix("opsaetning/")
    kirsten.page.locator(".setup-save button").first.click()
    kirsten.page.wait_for_load_state()
    expect(kirsten.page.locator(".error-summary")).to_have_count(0)
    kirsten.look("udfyldt")
    for visitor, step in ((kirsten, "submit"), (bo, "approve")):
        visitor.goto(f"{base}skridt/{step}/").look(step)
        visitor.page.locator("main form button[type=submit]:not(.sr-only)").first.click()
        visitor.page.wait_for_url(f"**{base}")
    return Process.objects.get()


def test_a_small_budget_of_one_district_takes_at_most_ten_typed_answers(
    kirsten_and_bo: tuple[Visitor, Visitor],
) -> None:
    kirsten, bo = kirsten_and_bo
    begin(kirsten, total="100.000", touches="few", size="small")
    kirsten.look("lille")
    typist = Typist(kirsten).types(SMALL).types_dates()
    typist.chooses("touched_districts", str(District.objects.get(name="Søby").pk))
    process = saved_and_approved(kirsten, bo)
    assert len(typist.typed) <= MOST_TYPED, sorted(typist.typed)
    assert process.status == Status.APPROVED
    assert {"offline_route", "decision_on", "ladder_step", "audiences"} <= set(process.from_standard)


def test_a_large_budget_answers_everything_in_its_own_words(kirsten_and_bo: tuple[Visitor, Visitor]) -> None:
    kirsten, bo = kirsten_and_bo
    begin(kirsten, total="6.000.000", touches="all", size="large")
    kirsten.look("stor")
    base = kirsten.path.removesuffix("opsaetning/")
    typist = Typist(kirsten).types(SMALL).types_dates()
    kirsten.page.locator(".setup-save button").first.click()
    kirsten.goto(f"{base}skridt/submit/")
    expect(kirsten.page.locator("main form button[type=submit]:not(.sr-only)")).to_have_count(0)
    kirsten.goto(f"{base}opsaetning/")
    choose_all(typist)
    process = saved_and_approved(kirsten, bo)
    assert process.status == Status.APPROVED
    assert process.from_standard == []
    assert len(typist.typed) > 2 * MOST_TYPED


def choose_all(typist: Typist) -> None:
    rows = {
        "audiences-0-kind": "touched",
        "audiences-1-kind": "beyond",
        "audiences-2-kind": "families",
        "audiences-3-kind": "young",
        "channels-0-digital": "yes",
        "channels-1-digital": "no",
        "internal_promises-0-unit": str(Unit.objects.get(name="Teknik og Miljø").pk),
        "legal_basis": str(OpeningMinimum.objects.get(name="Borgerbudget").pk),
    }
    page = typist.visitor.page
    while not page.locator("#id_audiences-3-kind").count():
        page.locator("button[name=add_audiences]").click()
    for name, value in rows.items():
        page.locator(f"#id_{name}").select_option(value)
    typist.types(LARGE)
    typist.types({"audiences-2-name": "Børnehaverne", "audiences-3-name": "Ungdomsklubben"})
    for name, value in (
        ("purposes", "democracy"),
        ("purposes", "innovation"),
        ("ladder_step", "codecision"),
        ("decision_basis", "money"),
        ("answer_how", "theme"),
        ("decision_stage", "idea"),
        ("recruitment", "open"),
        ("recruitment", "outreach"),
    ):
        typist.chooses(name, value)
