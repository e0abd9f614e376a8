"""The actions: who may, when, and what two at once come to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from accounts.models import EligibilityRule, Organisation, User
from accounts.permissions import Role
from accounts.verdict import Refused
from audit.models import Entry
from participation import clock
from participation.actions import contributions as actions
from participation.actions import following, outcomes
from participation.choices import Moderation, Outcome, Status
from participation.models import Contribution, Draft, Impact, Process
from participation.names import shown_name
from participation.permissions import contributions as may
from tests.accounts.factories import make_resident_citizen
from tests.participation.conftest import NOW
from tests.patience import PATIENCE

MAY = "ok"
# Per action: what each of these meets. In the order of WHO.
WHO = ("anyone", "author", "citizen", "caseworker", "other_unit", "manager", "councillor", "administrator")
EXPECTED: dict[str, tuple[str, ...]] = {
    "give": ("sign_in", MAY, MAY, "staff", "staff", "staff", "staff", "staff"),
    "edit": ("not_own", MAY, *["not_own"] * 6),
    "withdraw": ("not_own", MAY, *["not_own"] * 6),
    "report": (MAY, "own", *[MAY] * 6),
    "moderate": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "comment": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "answer": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "theme": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "told": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "record": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "impact": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "news": (*["no_permission"] * 3, MAY, "other_unit", MAY, "no_permission", "no_permission"),
    "decision": (
        *["no_permission"] * 3,
        "still_open",
        "other_unit",
        "still_open",
        "no_permission",
        "no_permission",
    ),
    "follow": ("sign_in", *[MAY] * 7),
    "ask": (MAY,) * 8,
}
# Per status: what the author, the citizen and the caseworker meet when giving, editing, answering and deciding.
BY_STATUS: dict[str, dict[str, str]] = {
    Status.APPROVED: {
        "give": MAY,
        "edit": MAY,
        "answer": MAY,
        "decision": "still_open",
        "impact": "too_early",
        "ask": MAY,
    },
    Status.OPEN: {
        "give": MAY,
        "edit": MAY,
        "answer": MAY,
        "decision": "still_open",
        "impact": MAY,
        "ask": MAY,
    },
    Status.CLOSED: {"give": MAY, "edit": MAY, "answer": MAY, "decision": MAY, "impact": MAY, "ask": MAY},
    Status.DECIDED: {
        "give": "over",
        "edit": "over",
        "answer": MAY,
        "decision": MAY,
        "impact": MAY,
        "ask": MAY,
    },
    Status.CONCLUDED: {
        "give": "over",
        "edit": "over",
        "answer": "concluded",
        "decision": "concluded",
        "impact": MAY,
        "ask": "over",
    },
    Status.CANCELLED: {
        "give": "cancelled",
        "edit": "cancelled",
        "answer": "concluded",
        "decision": "concluded",
        "impact": "too_early",
        "ask": "over",
    },
}


@pytest.fixture
def given(process: Process, citizen: User) -> Contribution:
    return actions.give_contribution(process=process, by=citizen, title="Træer", body="Flere træer", at=NOW)


def acts(process: Process, given: Contribution, by: User | None) -> dict[str, Callable[[], Any]]:
    told = {"process": process, "by": by}
    return {
        "give": lambda: actions.give_contribution(**told, title="a", body="b"),
        "edit": lambda: actions.edit_contribution(
            contribution=given, by=by, version=given.version, title="c"
        ),
        "withdraw": lambda: actions.withdraw_contribution(contribution=given, by=by),
        "report": lambda: actions.report_contribution(contribution=given, by=by, reason="x"),
        "moderate": lambda: actions.moderate(contribution=given, by=by, publish=True),
        "comment": lambda: actions.comment_internally(contribution=given, by=by, text="x"),
        "answer": lambda: actions.answer_contributions(
            contributions=[given], by=by, outcome=Outcome.NOTED, answer="x"
        ),
        "theme": lambda: actions.create_theme(**told, title="x"),
        "told": lambda: actions.mark_told(contribution=given, by=by, how="x"),
        "record": lambda: actions.record_for_someone(
            **told, channel="letter", received_on=NOW.date(), author_name="E", title="a", body="b"
        ),
        "impact": lambda: outcomes.record_impact(**told, text="x"),
        "news": lambda: outcomes.publish_news(**told, title="a", text="b"),
        "decision": lambda: outcomes.record_decision(**told, decided_on=NOW.date(), body="Byrådet", text="x"),
        "follow": lambda: following.follow(**told),
        "ask": lambda: actions.ask_question(**told, text="x"),
    }


def outcome_of(act: Callable[[], Any]) -> str:
    """What it came to, undone again."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except Refused as refused:
        return refused.code
    return MAY


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
class TestWhoAndWhen:
    @pytest.fixture
    def people(
        self, person: Callable[..., User], citizen: User, caseworker: User, manager: User
    ) -> dict[str, User | None]:
        made = {
            "anyone": None,
            "author": citizen,
            "citizen": person("Bo"),
            "caseworker": caseworker,
            "other_unit": person("Ib", role=Role.CASEWORKER),
            "manager": manager,
            "councillor": person("Ulla", role=Role.COUNCILLOR),
            "administrator": person("Kaj", role=Role.ADMINISTRATOR),
        }
        assert tuple(made) == WHO
        return made

    @pytest.mark.parametrize("who", WHO)
    def test_each_action_for_each_role(
        self, process: Process, given: Contribution, people: dict[str, User | None], who: str
    ) -> None:
        place = WHO.index(who)
        seen = {name: outcome_of(act) for name, act in acts(process, given, people[who]).items()}
        assert seen == {name: row[place] for name, row in EXPECTED.items()}

    @pytest.mark.parametrize("status", list(BY_STATUS))
    def test_each_rule_in_each_status(
        self, process: Process, given: Contribution, citizen: User, caseworker: User, status: str
    ) -> None:
        process.status = given.process.status = status
        verdicts = {
            "give": may.can_contribute(citizen, process),
            "edit": may.can_edit(citizen, given),
            "answer": may.can_answer(caseworker, process),
            "decision": may.can_record_decision(caseworker, process),
            "impact": may.can_tell_what_changed(caseworker, process),
            "ask": may.can_ask(process),
        }
        assert {name: verdict.code or MAY for name, verdict in verdicts.items()} == BY_STATUS[status]
        assert all(verdict.ok or verdict.reason for verdict in verdicts.values())

    def test_nothing_is_given_to_a_draft(self, process: Process, citizen: User) -> None:
        for status in (Status.DRAFT, Status.IN_REVIEW):
            process.status = status
            assert may.can_contribute(citizen, process).code == "not_public"
            assert may.can_ask(process).code == "not_public"

    def test_each_write_leaves_one_audit_row_without_words(
        self, process: Process, given: Contribution, caseworker: User
    ) -> None:
        for name, act in acts(process, given, caseworker).items():
            if EXPECTED[name][WHO.index("caseworker")] != MAY:
                continue
            before = Entry.objects.count()
            act()
            assert Entry.objects.count() == before + 1, name
        said = " ".join(str(entry.values) for entry in Entry.objects.all())
        assert "Flere træer" not in said


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
class TestWhatIsKept:
    def test_age_sex_and_district_are_frozen_when_given(
        self, process: Process, adults_only: EligibilityRule
    ) -> None:
        citizen = make_resident_citizen()
        given = actions.give_contribution(process=process, by=citizen, title="a", body="b")
        assert (given.age_band, given.sex, given.person) == ("45-54", "F", citizen.person)

    def test_a_business_is_shown_as_what_it_is_and_never_in_the_figures(
        self, process: Process, person: Callable[..., User]
    ) -> None:
        shop = Organisation.objects.create(name="Bageren", cvr="12345678")
        given = actions.give_contribution(
            process=process, by=person("Bo", organisation=shop), title="a", body="b"
        )
        assert (given.age_band, given.sex) == ("", "")
        assert shown_name(given, NOW.date()) == "Bageren"

    def test_a_format_is_asked_and_writes_its_part_or_nothing_is_given(
        self, process: Process, citizen: User, idea_box: Callable[..., Any]
    ) -> None:
        kept: list[Any] = []

        def refuse(process: Process, user: User, at: Any) -> None:
            raise Refused("full", "Der er ikke plads til flere.")

        idea_box(create_contribution_detail=lambda contribution, **detail: kept.append(detail))
        actions.give_contribution(process=process, by=citizen, title="a", body="b", detail={"cost": 5})
        assert kept == [{"cost": 5}]
        idea_box(may_contribute=refuse)
        with pytest.raises(Refused) as refused:
            actions.give_contribution(process=process, by=citizen, title="a", body="b")
        assert refused.value.code == "full"
        assert Contribution.objects.count() == 1

    def test_an_edit_of_what_was_looked_at_first_is_looked_at_again(
        self, make_process: Callable[..., Process], citizen: User, caseworker: User
    ) -> None:
        given = actions.give_contribution(
            process=make_process(moderate_first=True), by=citizen, title="a", body="b"
        )
        given = actions.moderate(contribution=given, by=caseworker, publish=True)
        given = actions.edit_contribution(
            contribution=given, by=citizen, version=given.version, body="Noget andet"
        )
        assert (given.moderation, given.published_at) == (Moderation.PENDING, None)

    @pytest.mark.parametrize(
        "broken",
        [{"moderation": "rejected"}, {"outcome": "adopted"}],
    )
    def test_the_database_wants_reasons(self, given: Contribution, broken: dict[str, str]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Contribution.objects.filter(pk=given.pk).update(**broken)

    def test_an_impact_names_only_contributions_of_its_own_process(
        self, make_process: Callable[..., Process], given: Contribution, caseworker: User
    ) -> None:
        other = make_process("andet")
        with pytest.raises(Refused) as refused:
            outcomes.record_impact(process=other, by=caseworker, text="x", contributions=[given])
        assert refused.value.code == "other_process"
        assert not Impact.objects.exists()

    def test_drafts_expire(self, process: Process) -> None:
        token = actions.save_draft(process=process, by=None, data={"title": ["a"]})
        assert actions.draft_by_token(token, None) is not None
        with clock.frozen(NOW + timedelta(days=actions.DRAFT_DAYS)):
            assert actions.draft_by_token(token, None) is None
            assert actions.delete_expired_drafts() == 1
        assert not Draft.objects.exists()

    def test_the_token_itself_is_not_in_the_database(self, process: Process) -> None:
        token = actions.save_draft(process=process, by=None, data={"title": ["a"]})
        assert token not in str(list(Draft.objects.values()))


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @staticmethod
    def at_once(count: int, act: Callable[[], Any]) -> list[str]:
        barrier = threading.Barrier(count)

        def one(_number: int) -> str:
            barrier.wait()
            try:
                act()
            except Refused as refused:
                return refused.code
            finally:
                connection.close()
            return MAY

        with ThreadPoolExecutor(count) as pool:
            return sorted(pool.map(one, range(count)))

    @pytest.fixture(autouse=True)
    def _clock(self) -> Any:
        clock.move(NOW.isoformat())
        yield
        clock.move("")

    def test_one_draft_sent_many_times_gives_one_contribution(self, process: Process, citizen: User) -> None:
        token = actions.save_draft(process=process, by=citizen, data={"title": ["a"]})
        draft = actions.draft_by_token(token, citizen)
        came_to = self.at_once(
            8,
            lambda: actions.give_contribution(process=process, by=citizen, title="a", body="b", draft=draft),
        )
        assert came_to == ["draft_gone"] * 7 + [MAY]
        assert Contribution.objects.count() == 1

    def test_two_corrections_from_the_same_page_keep_one(self, process: Process, citizen: User) -> None:
        given = actions.give_contribution(process=process, by=citizen, title="a", body="b")
        came_to = self.at_once(
            4, lambda: actions.edit_contribution(contribution=given, by=citizen, version=1, body="c")
        )
        assert came_to == [MAY] + ["stale"] * 3

    def test_nobody_gets_in_behind_a_closing_that_has_begun(
        self, process: Process, citizen: User, caseworker: User
    ) -> None:
        """The transition holds the process FOR UPDATE; whoever gives waits for it and then sees what it decided."""
        started, result = threading.Event(), []

        def give() -> None:
            started.set()
            try:
                actions.give_contribution(process=process, by=citizen, title="a", body="b")
                result.append(MAY)
            except Refused as refused:
                result.append(refused.code)
            finally:
                connection.close()

        with transaction.atomic():
            Process.objects.select_for_update().get(pk=process.pk)
            thread = threading.Thread(target=give)
            thread.start()
            started.wait()
            thread.join(0.5)
            assert result == []
            Process.objects.filter(pk=process.pk).update(status=Status.CANCELLED, public_note="Aflyst")
        thread.join(PATIENCE)
        assert result == ["cancelled"]
        assert not Contribution.objects.exists()

    def test_those_who_give_do_not_wait_for_each_other(
        self, process: Process, person: Callable[..., User]
    ) -> None:
        first, second = person("Bo"), person("Ida")
        done: list[str] = []

        def give() -> None:
            actions.give_contribution(process=process, by=second, title="c", body="d")
            done.append(MAY)
            connection.close()

        with transaction.atomic():
            actions.give_contribution(process=process, by=first, title="a", body="b")
            thread = threading.Thread(target=give)
            thread.start()
            thread.join(PATIENCE)
            assert done == [MAY]
