"""The daily work: look through, answer one or many, remember to tell, ask and change, conclude."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from participation import clock
from participation.actions import contributions as giving
from participation.choices import Moderation, Outcome, Status
from participation.models import Change, Contribution, Notice, Theme
from tests.accounts.factories import make_citizen, make_staff, make_unit
from tests.factories import make_process
from tests.filled import form_with
from tests.participation.debate import somebody
from tests.participation.mailed import mailed
from tests.participation.test_admin_pages import give, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit():
    return make_unit()


@pytest.fixture
def worker(unit):
    return make_staff(Role.CASEWORKER, units=[unit])


@pytest.fixture
def manager(unit):
    return make_staff(Role.MANAGER, units=[unit])


@pytest.fixture
def process(unit, worker, manager):
    return make_process(status=Status.OPEN, unit=unit, author=worker, manager=manager)


@pytest.fixture
def office(worker) -> Client:
    return signed_in(worker)


def text(client, name, *args, query="") -> str:
    answer = client.get(reverse(name, args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


# Looking through


def test_the_queue_publishes_many_and_rejects_only_with_a_reason(office, process):
    given = [give(process, number, moderation=Moderation.PENDING) for number in range(3)]
    address = reverse("admin:moderation")
    assert given[0].title in text(office, "admin:moderation")
    office.post(address, {"chosen": [given[0].pk, given[1].pk], "publish": "1", "reason": ""})
    office.post(address, {"chosen": [given[2].pk], "publish": "0", "reason": ""})
    states = list(process.contributions.order_by("pk").values_list("moderation", flat=True))
    assert states == ["published", "published", "pending"]
    office.post(address, {"chosen": [given[2].pk], "publish": "0", "reason": "Nævner en nabo ved navn."})
    given[2].refresh_from_db()
    assert (given[2].moderation, given[2].moderation_reason) == ("rejected", "Nævner en nabo ved navn.")


def test_the_queue_holds_only_my_units_and_takes_no_others(office, process):
    other = make_process(status=Status.OPEN)
    theirs = give(other, 7, moderation=Moderation.PENDING)
    assert theirs.title not in text(office, "admin:moderation")
    office.post(reverse("admin:moderation"), {"chosen": [theirs.pk], "publish": "1"})
    theirs.refresh_from_db()
    assert theirs.moderation == Moderation.PENDING


@pytest.mark.parametrize("chosen", ["x", "-1", "9" * 30, ""])
def test_nonsense_in_the_queue_does_nothing(office, process, chosen):
    give(process, 1, moderation=Moderation.PENDING)
    assert office.post(reverse("admin:moderation"), {"chosen": chosen, "publish": "1"}).status_code == 302
    assert process.contributions.get().moderation == Moderation.PENDING


def test_a_reported_contribution_comes_back_to_the_queue_and_can_stay(office, process):
    found = give(process)
    giving.report_contribution(contribution=found, by=make_citizen(), reason="Det er ikke sandt.")
    assert found.title in text(office, "admin:moderation")
    assert "Det er ikke sandt." in text(office, "admin:process-contribution", process.pk, found.public_id)
    office.post(reverse("admin:contribution-dismiss", args=[process.pk, found.public_id]))
    assert found.title not in text(office, "admin:moderation")
    found.refresh_from_db()
    assert found.moderation == Moderation.PUBLISHED


# Answering


def test_many_are_answered_at_once(office, process):
    given = [give(process, number) for number in range(3)]
    address = reverse("admin:contributions-answer", args=[process.pk])
    html = text(
        office, "admin:contributions-answer", process.pk, query=f"?chosen={given[0].pk}&chosen={given[1].pk}"
    )
    form = form_with(html, "chosen")
    assert form["chosen"] == [str(given[0].pk), str(given[1].pk)]
    assert office.post(address, form | {"outcome": "", "answer": "x"}).status_code == 200
    done = office.post(address, form | {"outcome": Outcome.NOTED, "answer": "Tak, det tager vi med."})
    assert done.status_code == 302
    assert list(process.contributions.order_by("pk").values_list("outcome", flat=True)) == [
        "noted",
        "noted",
        "",
    ]


def test_none_ticked_is_said(office, process):
    answer = office.get(reverse("admin:contributions-answer", args=[process.pk]), follow=True)
    assert "flueben" in answer.content.decode() or "Tick" in answer.content.decode()


def test_a_theme_is_made_gathered_and_answered(office, process):
    given = [give(process, number) for number in range(2)]
    address = reverse("admin:contributions-gather", args=[process.pk])
    ids = [str(one.pk) for one in given]
    assert office.post(address, {"chosen": ids, "theme": "", "new": ""}).status_code == 200
    assert office.post(address, {"chosen": ids, "theme": "", "new": "Siddepladser"}).status_code == 302
    theme = Theme.objects.get(title="Siddepladser")
    assert theme.contributions.count() == 2
    answer = reverse("admin:theme-answer", args=[process.pk, theme.pk])
    assert office.post(answer, {"outcome": "adopted", "answer": "Der kommer fire bænke."}).status_code == 302
    assert "state=unanswered" in text(office, "admin:process-overview", process.pk)
    assert given[0].title not in text(
        office, "admin:process-contributions", process.pk, query="?state=unanswered"
    )
    assert given[0].title in text(office, "admin:process-contributions", process.pk, query="?state=answered")


def test_another_process_theme_is_not_found(office, process):
    other = Theme.objects.create(process=make_process(status=Status.OPEN), title="Andres")
    assert office.get(reverse("admin:theme-answer", args=[process.pk, other.pk])).status_code == 404


def test_filters_take_anything(office, process):
    give(process)
    for query in ("?state=x", "?theme=abc", "?channel=1", "?page=9999", "?q=%00", "?q=" + "a" * 300):
        assert (
            office.get(reverse("admin:process-contributions", args=[process.pk]) + query).status_code == 200
        )


def test_recording_for_someone_keeps_channel_and_day(office, process):
    typed = {
        "channel": "letter",
        "received_on": clock.today().isoformat(),
        "author_name": "Poul Sørensen",
        "author_contact": "Søvej 3",
        "title": "Et drivhus",
        "body": "Til hele vejen.",
        "detail-why": "Vi mangler et sted at mødes.",
        "detail-cost": "30.000",
    }
    address = reverse("admin:process-record", args=[process.pk])
    assert office.post(address, typed | {"detail-cost": ""}).status_code == 200
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    assert office.post(address, typed | {"received_on": tomorrow}).status_code == 200
    assert not Contribution.objects.exists()
    assert office.post(address, typed).status_code == 302
    made = Contribution.objects.get()
    assert (made.channel, made.author_name, made.project.cost) == ("letter", "Poul Sørensen", 30_000)


def test_telling_someone_without_an_account_is_noted(office, process):
    found = give(process)
    address = reverse("admin:contribution-told", args=[process.pk, found.public_id])
    assert office.post(address, {"told-how": ""}).status_code == 200
    assert office.post(address, {"told-how": "Ringet op."}).status_code == 302
    found.refresh_from_db()
    assert found.told_how == "Ringet op."


def test_colleagues_write_to_each_other_and_the_public_never_sees_it(office, process):
    found = give(process)
    office.post(
        reverse("admin:contribution-comment", args=[process.pk, found.public_id]),
        {"comment-text": "Spørg Park."},
    )
    assert "Spørg Park." in text(office, "admin:process-contribution", process.pk, found.public_id)
    assert "Spørg Park." not in Client().get(found.get_absolute_url()).content.decode()


def test_questions_are_answered_and_shown(office, process):
    asked = giving.ask_question(process=process, by=make_citizen(), text="Hvem bestemmer til sidst?")
    assert "Hvem bestemmer til sidst?" in text(office, "admin:questions")
    address = reverse("admin:question-answer", args=[process.pk, asked.public_id])
    assert office.post(address, {"answer": "Byrådet.", "publish": "on"}).status_code == 302
    asked.refresh_from_db()
    assert (asked.answer, asked.moderation) == ("Byrådet.", Moderation.PUBLISHED)
    assert "Hvem bestemmer til sidst?" not in text(office, "admin:questions")


# After approval


def test_more_time_is_given_with_a_reason_and_followers_hear_it(office, process):
    html = text(office, "admin:process-extend", process.pk)
    form = form_with(html, "day_vote")
    later = (process.closes_at + timedelta(days=5)).date().isoformat()
    too_late = (process.closes_at + timedelta(days=200)).date().isoformat()
    address = reverse("admin:process-extend", args=[process.pk])
    assert office.post(address, form | {"day_vote": later, "reason": ""}).status_code == 200
    assert office.post(address, form | {"reason": "Ingen grund."}).status_code == 200  # not longer
    before = process.closes_at
    after_the_decision = office.post(address, form | {"day_vote": too_late, "reason": "Der var ferie."})
    assert after_the_decision.status_code == 200
    assert office.post(address, form | {"day_vote": later, "reason": "Der var ferie."}).status_code == 302
    process.refresh_from_db()
    assert process.closes_at > before
    assert "Der var ferie." in text(office, "admin:process-overview", process.pk)


def test_only_the_one_who_may_approve_amends_and_what_changed_is_shown(office, manager, process):
    address = reverse("admin:process-amend", args=[process.pk])
    office.post(address, {"reason": "x"})
    assert not Change.objects.exists()
    boss = signed_in(manager)
    form = form_with(text(boss, "admin:process-amend", process.pk), "promise")
    assert boss.post(address, form | {"reason": "Intet."}).status_code == 200  # nothing other than before
    changed = form | {"who_decides": "Økonomiudvalget", "reason": "Byrådet har flyttet sagen."}
    assert boss.post(address, changed).status_code == 302
    change = Change.objects.get()
    assert [line["field"] for line in change.changes] == ["who_decides"]


def test_a_correction_waits_for_a_colleague(office, unit, process):
    form = form_with(text(office, "admin:process-correct", process.pk), "introduction")
    typed = form | {
        "introduction": "I Solbyen er der penge til jeres egne gode ideer.",
        "reason": "Et ord manglede.",
    }
    assert office.post(reverse("admin:process-correct", args=[process.pk]), typed).status_code == 302
    change = Change.objects.get()
    confirm = reverse("admin:process-correction-confirm", args=[process.pk, change.pk])
    office.post(confirm)
    change.refresh_from_db()
    assert change.confirmed_at is None
    colleague = signed_in(make_staff(Role.CASEWORKER, units=[unit]))
    assert process.title in text(colleague, "admin:index")
    colleague.post(confirm)
    process.refresh_from_db()
    assert process.introduction.endswith("egne gode ideer.")


def test_practical_things_change_at_any_time(office, process):
    form = form_with(text(office, "admin:process-practical", process.pk), "edit_minutes")
    address = reverse("admin:process-practical", args=[process.pk])
    assert office.post(address, form | {"edit_minutes": "60", "moderate_first": "on"}).status_code == 302
    process.refresh_from_db()
    assert (process.edit_minutes, process.moderate_first) == (60, True)


def test_handing_over_moves_it_to_a_colleague(office, unit, process):
    colleague = make_staff(Role.CASEWORKER, units=[unit], first_name="Bo")
    stranger = make_staff(Role.CASEWORKER, units=[make_unit()])
    address = reverse("admin:process-handover", args=[process.pk])
    assert office.post(address, {"unit": unit.pk, "owner": stranger.pk}).status_code == 200
    assert office.post(address, {"unit": unit.pk, "owner": colleague.pk}).status_code == 302
    process.refresh_from_db()
    assert process.owner == colleague


# The end


def test_from_decision_to_conclusion(unit, worker, manager, office):
    process = make_process(status=Status.CLOSED, unit=unit, author=worker, manager=manager)
    assert "step-off-reason" in text(office, "admin:process-result", process.pk)
    decision = {"decided_on": clock.today().isoformat(), "body": "Byrådet", "text": "Byrådet sagde ja."}
    assert office.post(reverse("admin:process-decide", args=[process.pk]), decision).status_code == 302
    office.post(reverse("admin:process-step", args=[process.pk, "decide"]))
    conclude = reverse("admin:process-step", args=[process.pk, "conclude"])
    office.post(conclude)
    process.refresh_from_db()
    assert process.status == Status.DECIDED  # the promises are not kept yet
    office.post(reverse("admin:process-impact", args=[process.pk]), {"text": "Der kom fire bænke."})
    office.post(
        reverse("admin:process-told-outside", args=[process.pk]),
        {"how": "Lokalavisen", "on": clock.today().isoformat()},
    )
    assert office.post(conclude).status_code == 302
    process.refresh_from_db()
    assert process.status == Status.CONCLUDED


def test_news_reaches_the_page_and_html_in_it_is_text(office, process):
    typed = {"title": "Nyt <b>fra</b> os", "text": "<script>alert(1)</script>"}
    assert office.post(reverse("admin:process-news", args=[process.pk]), typed).status_code == 302
    html = text(office, "admin:process-news", process.pk)
    assert "<script>alert(1)" not in html
    assert "<b>fra</b>" not in html


def test_the_manager_sees_what_is_late_in_the_unit(unit, worker, manager, process):
    found = give(process, 1, moderation=Moderation.PENDING)
    Contribution.objects.filter(pk=found.pk).update(created_at=clock.now() - timedelta(days=60))
    html = text(signed_in(manager), "admin:index")
    assert "is-overdue" in html
    assert process.title in html


# Plain records


def test_texts_are_the_managers_to_write(office, manager):
    from tests.factories import starting_data

    starting_data()
    from participation.models import PrincipleText

    one = PrincipleText.objects.first()
    address = reverse("admin:participation_principletext_change", args=[one.pk])
    typed = {"title": "Tydelige rammer", "body": "Vores egne ord."}
    assert office.post(address, typed).status_code == 403
    assert signed_in(manager).post(address, typed).status_code == 302
    one.refresh_from_db()
    assert one.body == "Vores egne ord."


def test_what_djangos_admin_writes_goes_into_the_one_history(office, worker):
    from audit.models import Entry

    address = reverse("admin:participation_committee_add")
    form = form_with(text(office, "admin:participation_committee_add"), "name")
    meeting = {
        "name": "Kulturudvalget",
        "meetings-0-held_at": "2026-09-01T15:00",
        "meetings-0-agenda_deadline": "2026-08-20T12:00",
    }
    assert office.post(address, form | meeting).status_code == 302
    entry = Entry.objects.filter(action="committee.added").get()
    assert entry.actor_id == worker.pk
    history = reverse("admin:participation_committee_history", args=[entry.object_id])
    shown = office.get(history, follow=True)
    assert shown.status_code == 200
    assert "Et udvalg tilføjet" in shown.content.decode()


def test_the_log_is_read_in_words(office, process, manager):
    """No names of tables, columns, roles or actions as they are stored."""
    from audit.models import Entry

    entry = Entry.objects.filter(process_id=process.pk, action="process.created").latest("pk")
    for shown in (
        text(office, "admin:audit_entry_changelist"),
        text(office, "admin:audit_entry_change", entry.pk),
        text(office, "admin:process-history", process.pk),
    ):
        assert "Begyndt" in shown
        assert "process.created" not in shown
        assert "participation.process" not in shown
    history = office.get(reverse("admin:audit_entry_history", args=[entry.pk]))
    assert f"object_id={process.pk}" in history["Location"]


def test_the_history_does_not_say_who_supports_what(office, process):
    from audit.actions import record

    for action in ("support.give", "support.take_back", "argument.rate", "following.follow"):
        entry = record(action=action, by=somebody("Gunhild"), obj=process)
        for name in ("admin:audit_entry_change", "admin:audit_entry_history"):
            answer = office.get(reverse(name, args=[entry.pk]))
            assert answer.status_code in {302, 404}
            assert str(entry.actor_id) not in answer.headers.get("Location", "")
    shown = text(office, "admin:process-history", process.pk)
    assert "Begyndt" in shown
    assert "Gunhild" not in shown
    log = text(office, "admin:audit_entry_changelist")
    assert "Begyndt" in log
    assert "Et bidrag fik støtte" not in log


def test_a_standard_answer_is_called_by_its_question(manager):
    from participation.models import StandardAnswer

    client = signed_in(manager)
    for field, words in (("ladder_step", "Trin på stigen"), ("audiences", "Målgrupper")):
        one = StandardAnswer.objects.filter(field=field).first()
        shown = text(client, "admin:participation_standardanswer_delete", one.pk)
        assert words in shown
        assert f" {field}" not in shown


def test_failed_mail_is_shown_and_cannot_be_sent_again_from_here(office, process, worker):
    notice = Notice.objects.create(
        user=worker, process=process, event="x", kind="news", title="Nyt fra Solbyen", text="x", url="/",
        created_at=clock.now(),
    )  # fmt: skip
    assert "Nyt fra Solbyen" not in text(office, "admin:participation_notice_changelist")
    mailed([notice], "uncertain")
    html = text(office, "admin:participation_notice_changelist")
    assert "Nyt fra Solbyen" in html
    assert 'name="action"' not in html


# Each step and its verdict

EVERY_STATUS = (
    Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED, Status.DECIDED, Status.CONCLUDED,
    Status.CANCELLED, Status.INFORMED,
)  # fmt: skip


@pytest.mark.parametrize("status", EVERY_STATUS)
@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.MANAGER])
def test_each_step_is_a_link_or_says_why_it_is_off(unit, worker, manager, status, role):
    from django.utils.html import escape
    from django.utils.translation import override

    from participation import lifecycle

    process = make_process(status=status, unit=unit, author=worker, manager=manager)
    user = worker if role == Role.CASEWORKER else manager
    html = text(signed_in(user), "admin:process-overview", process.pk)
    with override("da"):
        for step, verdict in lifecycle.available(process, user):
            address = reverse("admin:process-step", args=[process.pk, step.name])
            assert (f'href="{address}"' in html) is bool(verdict), step.name
            assert verdict or escape(verdict.reason) in html


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_a_step_that_is_off_is_not_taken_by_posting_it(office, unit, worker, manager, status):
    from participation import lifecycle

    process = make_process(status=status, unit=unit, author=worker, manager=manager)
    off = [step.name for step in lifecycle.TRANSITIONS if not lifecycle.can(process, step.name, worker)]
    for name in off:
        office.post(reverse("admin:process-step", args=[process.pk, name]), {"comment": "Alligevel."})
        process.refresh_from_db()
        assert process.status == status, name
    assert off


def test_nobody_approves_what_they_have_not_read(unit, worker, manager, office):
    process = make_process(status=Status.IN_REVIEW, unit=unit, author=worker, manager=manager)
    boss = signed_in(manager)
    form = form_with(text(boss, "admin:process-step", process.pk, "approve"), "version")
    boss.post(reverse("admin:process-step", args=[process.pk, "send_back"]), {"comment": "Ret dato."})
    process.refresh_from_db()
    setup = form_with(text(office, "admin:process-setup", process.pk), "version")
    office.post(reverse("admin:process-setup", args=[process.pk]), setup | {"promise": "Noget helt andet."})
    office.post(reverse("admin:process-step", args=[process.pk, "submit"]))
    answer = boss.post(reverse("admin:process-step", args=[process.pk, "approve"]), form)
    assert answer.status_code == 200
    process.refresh_from_db()
    assert process.status == Status.IN_REVIEW


def test_a_promise_not_kept_is_let_pass_only_with_a_public_reason(unit, worker, manager):
    from participation.principles.judging import readiness

    process = make_process(status=Status.DECIDED, unit=unit, author=worker, manager=manager)
    key = next(found.key for found in readiness(process).blocking if found.may_be_overridden)
    address = reverse("admin:process-override", args=[process.pk, key])
    boss = signed_in(manager)
    assert address in text(boss, "admin:process-overview", process.pk)
    assert boss.post(address, {"reason": "Lokalavisen er lukket."}).status_code == 302
    assert key not in [found.key for found in readiness(process).blocking]
