"""A caseworker sets a citizen budget up through the pages alone: stopped by each principle, helped on, approved."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from budgets.models import CitizenBudget
from participation import clock
from participation.choices import Size, Status
from participation.models import Process
from participation.principles.judging import readiness
from tests.accounts.factories import make_district, make_extract, make_staff, make_unit
from tests.factories import PRECONDITIONS, make_process, starting_data
from tests.filled import form_with

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def unit():
    return make_unit(name="Byliv")


@pytest.fixture
def worker(unit):
    return make_staff(Role.CASEWORKER, units=[unit])


@pytest.fixture
def manager(unit):
    return make_staff(Role.MANAGER, units=[unit])


@pytest.fixture
def office(worker):
    """A caseworker at a desk, with a register extract and a district to choose."""
    starting_data()
    make_extract(valid_until=clock.today() + timedelta(days=800))
    make_district(name="Nordby")
    return signed_in(worker)


def page(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def day(after: int) -> str:
    return (clock.today() + timedelta(days=after)).isoformat()


def begin(client: Client, **typed: Any) -> Process:
    form = form_with(page(client, "admin:process-start", "citizen_budget"), "title")
    typed = {
        "title": "Brændkjær bestemmer",
        "detail-total": "100.000",
        "touches": "few",
        "conflict": "no",
        "reversible": "yes",
    } | typed
    answer = client.post(reverse("admin:process-start", args=["citizen_budget"]), form | typed)
    assert answer.status_code == 302, answer.content.decode()
    return Process.objects.get()


def say_yes(client: Client, process: Process, **answers: str) -> Any:
    data = {name: "yes" for name in PRECONDITIONS} | {"size": process.size} | answers
    return client.post(reverse("admin:process-preconditions", args=[process.pk]), data)


# What a small process asks to be typed: ten answers.
TYPED = {
    "question": "Hvad skal de 100.000 kr. i Brændkjær gå til?",
    "open_points-0-text": "Hvad der skal laves",
    "fixed_points-0-text": "Beløbet",
    "fixed_points-0-reason": "Byrådet har afsat det i budgettet.",
    "who_decides": "Byrådet",
    "promise": "De projekter, der får flest stemmer, får pengene.",
    "who_answers": "Anne fra Byliv",
}


def dates() -> dict[str, str]:
    return {
        "phases-0-first_day": day(20),
        "phases-0-last_day": day(50),
        "phases-1-first_day": day(51),
        "phases-1-last_day": day(65),
        "phases-2-first_day": day(66),
        "phases-2-last_day": day(80),
        "answers_due_on": day(95),
        "decision_on": day(120),
        "frame_adopted_on": day(-10),
    }


def save(client: Client, process: Process, **typed: Any) -> Any:
    html = page(client, "admin:process-setup", process.pk)
    return client.post(reverse("admin:process-setup", args=[process.pk]), form_with(html, "version") | typed)


def test_a_small_budget_is_set_up_approved_and_opens_with_at_most_ten_typed_answers(office, worker, manager):
    process = begin(office)
    assert process.size == Size.SMALL
    assert say_yes(office, process).status_code == 302
    district = page(office, "admin:process-setup", process.pk).count('name="touched_districts"')
    assert district == 1
    choices = {"touched_districts": [str(pk) for pk in process_districts()]}
    answer = save(office, process, **TYPED, **dates(), **choices)
    assert answer.status_code == 302, answer.content.decode()
    process.refresh_from_db()
    assert process.question == TYPED["question"]
    assert {(p.kind, p.text) for p in process.frame_points.all()} == {
        ("open", "Hvad der skal laves"),
        ("fixed", "Beløbet"),
    }
    assert process.phases.count() == 3
    # day, hour and the last day as people say it: the midnight after it
    assert process.phases.first().interval.upper - process.phases.first().interval.lower >= timedelta(days=30)
    left = [str(finding.message) for finding in readiness(process).blocking]
    assert left == []

    assert office.post(reverse("admin:process-step", args=[process.pk, "submit"])).status_code == 302
    approving = signed_in(manager)
    assert process.title in page(approving, "admin:index")  # waits for the manager's approval
    assert approving.post(reverse("admin:process-step", args=[process.pk, "approve"])).status_code == 302
    process.refresh_from_db()
    assert process.status == Status.APPROVED


def process_districts():
    from accounts.models import District

    return District.objects.values_list("pk", flat=True)


def test_the_size_is_proposed_from_the_answers(office):
    assert begin(office, touches="all", conflict="yes", **{"detail-total": "900000"}).size == Size.LARGE


@pytest.mark.parametrize(
    ("left_out", "found"),
    [
        ({"open_points-0-text": ""}, "rows-open_points"),
        ({"promise": ""}, "id_promise"),
        ({"who_answers": ""}, "id_who_answers"),
        ({"decision_on": day(-5)}, "rows-phases"),
        ({"phases-0-first_day": "", "phases-0-last_day": ""}, "rows-phases"),
        ({"channels-0-name": "", "channels-1-name": "", "channels-2-name": ""}, "rows-channels"),
    ],
)
def test_each_principle_stops_it_and_points_at_the_field(office, left_out, found):
    process = begin(office)
    say_yes(office, process)
    choices = {"touched_districts": [str(pk) for pk in process_districts()]}
    typed = TYPED | dates() | choices | left_out
    assert save(office, process, **typed).status_code == 302
    html = page(office, "admin:process-setup", process.pk)
    assert f'href="#{found}"' in html
    assert f'id="{found}"' in html
    answer = office.post(reverse("admin:process-step", args=[process.pk, "submit"]))
    process.refresh_from_db()
    approvable = not readiness(process).blocking
    assert not approvable
    assert answer.status_code in {200, 302}


def test_a_no_advises_against_and_offers_two_ways(office, worker):
    process = begin(office)
    answer = say_yes(office, process, will_listen="no")
    assert answer.url.endswith("#advice")
    html = page(office, "admin:process-preconditions", process.pk)
    assert reverse("admin:process-step", args=[process.pk, "inform"]) in html
    went_on = office.post(
        reverse("admin:process-go-on", args=[process.pk]), {"went_on_because": "Byrådet har bedt om det."}
    )
    assert went_on.url == reverse("admin:process-setup", args=[process.pk])
    process.refresh_from_db()
    assert process.went_on_because == "Byrådet har bedt om det."


def test_we_inform_instead(office):
    process = begin(office)
    say_yes(office, process, timing_is_right="no")
    address = reverse("admin:process-step", args=[process.pk, "inform"])
    assert office.post(address, {"comment": ""}).status_code == 200
    process.refresh_from_db()
    assert process.status == Status.DRAFT
    assert office.post(address, {"comment": "Legepladsen lukkes til foråret."}).status_code == 302
    process.refresh_from_db()
    assert (process.status, process.public_note) == (Status.INFORMED, "Legepladsen lukkes til foråret.")


def test_a_stale_form_says_so_and_keeps_what_was_typed(office, unit):
    process = begin(office)
    html = page(office, "admin:process-setup", process.pk)
    colleague = signed_in(make_staff(Role.CASEWORKER, units=[unit]))
    assert save(colleague, process, question="Kollegaens spørgsmål?").status_code == 302
    mine = form_with(html, "version") | {"question": "Mit spørgsmål?", "open_points-0-text": "Mit punkt"}
    answer = office.post(reverse("admin:process-setup", args=[process.pk]), mine)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Mit spørgsmål?" in text
    assert "Mit punkt" in text
    assert 'role="alert"' in text or "alert-error" in text
    process.refresh_from_db()
    assert process.question == "Kollegaens spørgsmål?"
    # sent again as it stands, it is still stale: nobody overwrites a colleague by pressing twice
    again = office.post(reverse("admin:process-setup", args=[process.pk]), form_with(text, "version"))
    assert again.status_code == 200


def test_closing_before_opening_is_said_at_the_phase(office):
    process = begin(office)
    answer = save(office, process, **{"phases-0-first_day": day(30), "phases-0-last_day": day(20)})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Den sidste dag ligger før den første." in html


def test_cost_over_the_total_is_said_at_the_field(office):
    process = begin(office)
    answer = save(office, process, **{"detail-max_cost": "900.000"})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="id_detail-max_cost-error"' in html
    assert 'href="#id_detail-max_cost"' in html
    assert CitizenBudget.objects.get(process=process).max_cost is None


def test_rows_are_added_and_removed_without_script(office):
    process = begin(office)
    answer = save(
        office, process, **{"open_points-0-text": "Et", "open_points-1-text": "To", "add_open_points": "1"}
    )
    assert answer.url.endswith("#rows-open_points")
    html = page(office, "admin:process-setup", process.pk)
    assert 'name="open_points-3-text"' in html  # two that are there, two empty
    save(office, process, **{"open_points-0-remove": "on"})
    assert [point.text for point in process.frame_points.all()] == ["To"]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"version": "x"},
        {"version": "9" * 40},
        {"open_points-TOTAL_FORMS": "9999999"},
        {"open_points-TOTAL_FORMS": "x"},
        {"size": "enormous"},
        {"meeting": "abc"},
        {"touched_districts": ["x", "99999999999999999999"]},
        {"detail-total": "10" * 30},
        {"detail-vote-min_age": "-4"},
        {"phases-0-kind": "party", "phases-0-first_day": "2026-13-45"},
        {"title": "<script>alert(1)</script>" * 20},
        {"question": "a\x00b"},
        {"answers_due_on": "ikke en dato"},
    ],
)
def test_nonsense_gets_a_message_and_changes_nothing(office, nonsense):
    process = begin(office)
    before = process.version
    answer = save(office, process, **nonsense)
    assert answer.status_code == 200
    process.refresh_from_db()
    assert process.version == before


def test_html_in_every_text_field_is_shown_as_text(office):
    process = begin(office)
    bad = "<img src=x onerror=alert(1)>"
    typed = {
        name: bad
        for name in (
            "question",
            "promise",
            "who_decides",
            "who_answers",
            "introduction",
            "open_points-0-text",
        )
    }
    assert save(office, process, **typed).status_code == 302
    for name in (
        "admin:process-setup",
        "admin:process-overview",
        "admin:process-preview",
        "admin:process-history",
    ):
        assert bad not in page(office, name, process.pk)


def test_the_readiness_list_follows_what_is_typed_and_writes_nothing(office):
    process = begin(office)
    form = form_with(page(office, "admin:process-setup", process.pk), "version")
    address = reverse("admin:process-check", args=[process.pk])
    without = office.post(address, form).content.decode()
    with_point = office.post(address, form | {"open_points-0-text": "Hvad der skal laves"}).content.decode()
    assert 'href="#rows-open_points"' in without
    assert without.count('href="#rows-open_points"') > with_point.count('href="#rows-open_points"')
    assert not process.frame_points.exists()
    process.refresh_from_db()
    assert process.version == 1


def test_the_meeting_chosen_says_the_last_possible_closing(office):
    from tests.factories import make_meeting

    meeting = make_meeting(clock.now() + timedelta(days=200), deadline_days=20)
    process = begin(office)
    save(office, process, meeting=str(meeting.pk), processing_days="14")
    html = page(office, "admin:process-setup", process.pk)
    assert 'class="last-closing"' in html
    assert "kan senest lukke" in html


def test_a_copy_brings_the_frame_along(office, worker, unit):
    source = make_process(unit=unit, author=worker)
    answer = office.post(reverse("admin:process-copy", args=[source.pk]), {"title": "Solbyen igen"})
    copied = Process.objects.get(title="Solbyen igen")
    assert answer.url == reverse("admin:process-preconditions", args=[copied.pk])
    assert copied.question == source.question


def test_a_sent_back_comment_meets_the_caseworker(office, worker, manager, unit):
    process = make_process(status=Status.IN_REVIEW, unit=unit, author=worker, manager=manager)
    sent = signed_in(manager).post(
        reverse("admin:process-step", args=[process.pk, "send_back"]), {"comment": "Skriv løftet tydeligere."}
    )
    assert sent.status_code == 302
    assert "Skriv løftet tydeligere." in page(office, "admin:process-overview", process.pk)


def test_four_eyes_and_the_reason_stands_at_the_button(office, worker, manager, unit):
    process = make_process(status=Status.IN_REVIEW, unit=unit, author=worker, manager=manager)
    html = page(office, "admin:process-overview", process.pk)
    assert reverse("admin:process-step", args=[process.pk, "approve"]) not in html
    assert "step-off-reason" in html
    office.post(reverse("admin:process-step", args=[process.pk, "approve"]))
    process.refresh_from_db()
    assert process.status == Status.IN_REVIEW


def test_a_manager_lets_a_check_pass_with_a_public_reason(office, worker, manager, unit):
    process = make_process(unit=unit, author=worker, manager=manager, rows={"channels": []})
    key = next(f.key for f in readiness(process).blocking if f.may_be_overridden)
    address = reverse("admin:process-override", args=[process.pk, key])
    assert office.get(address).status_code == 403
    boss = signed_in(manager)
    assert address in page(boss, "admin:process-overview", process.pk)
    assert boss.post(address, {"reason": ""}).status_code == 200
    assert boss.post(address, {"reason": "Alle naboer er spurgt på gaden."}).status_code == 302
    assert "Alle naboer er spurgt på gaden." in page(boss, "admin:process-overview", process.pk)


@pytest.mark.parametrize(
    "data", [{}, {"phases-TOTAL_FORMS": "x"}, {"question": "\x00", "touched_districts": "x"}]
)
def test_the_readiness_list_takes_anything(office, data):
    process = begin(office)
    answer = office.post(reverse("admin:process-check", args=[process.pk]), data)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "typed",
    [
        {"title": ""},
        {"title": "x" * 500},
        {"detail-total": ""},
        {"detail-total": "0"},
        {"detail-total": "9" * 40},
        {"touches": "moon"},
        {"unit": "999999"},
    ],
)
def test_nonsense_begins_nothing(office, typed):
    form = form_with(page(office, "admin:process-start", "citizen_budget"), "title")
    good = {
        "title": "Brændkjær",
        "detail-total": "100.000",
        "touches": "few",
        "conflict": "no",
        "reversible": "yes",
    }
    answer = office.post(reverse("admin:process-start", args=["citizen_budget"]), form | good | typed)
    assert answer.status_code == 200
    assert not Process.objects.exists()


def test_an_unknown_format_or_step_does_not_exist(office):
    process = begin(office)
    assert office.get(reverse("admin:process-start", args=["party"])).status_code == 404
    assert office.get(reverse("admin:process-step", args=[process.pk, "dance"])).status_code == 404


def test_pots_rounds_and_meetings_stand_behind_one_choice_each(office):
    process = begin(office)
    say_yes(office, process)
    html = page(office, "admin:process-setup", process.pk)
    assert 'name="phases-2-kind" value="vote"' in " ".join(html.split())
    assert "phases-3-kind" not in html  # nothing of a first round or a meeting
    district = str(next(iter(process_districts())))
    rules = {
        "detail-several_pots": "several",
        "pots-0-district": "all",
        "pots-0-total": "60.000",
        "pots-1-district": district,
        "pots-1-total": "30.000",
        "detail-rounds": "several",
        "detail-shortlist_size": "3",
    }
    answer = save(office, process, **rules)
    assert answer.status_code == 200
    assert "10.000" in answer.content.decode()  # what is missing in the pots
    assert save(office, process, **rules | {"pots-1-total": "40.000"}).status_code == 302
    budget = CitizenBudget.objects.get()
    assert [(pot.name, int(pot.total)) for pot in budget.pots.all()] == [
        ("Hele kommunen", 60_000),
        ("Nordby", 40_000),
    ]
    assert budget.shortlist_size == 3
    html = " ".join(page(office, "admin:process-setup", process.pk).split())
    for kind in ("ideas", "shortlist", "improve", "assessment", "vote"):
        assert f'value="{kind}"' in html
    assert 'value="meeting" id' not in html
    # one round and one pot again: what stands in the folded part doesn't count
    back = {"detail-rounds": "one", "detail-several_pots": "one"}
    assert save(office, process, **back).status_code == 302
    budget = CitizenBudget.objects.get()
    assert (budget.shortlist_size, budget.pots.count()) == (None, 0)
    meeting = {"detail-decided_by": "meeting", "detail-procedure": ""}
    assert save(office, process, **meeting).status_code == 200
    assert save(office, process, **meeting | {"detail-procedure": "Alle kan komme."}).status_code == 302
    html = " ".join(page(office, "admin:process-setup", process.pk).split())
    assert 'value="meeting"' in html
