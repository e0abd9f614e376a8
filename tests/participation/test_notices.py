from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from django.core import mail, signing
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.actions import delete_account
from accounts.models import User
from mailouts import bounces, queue
from mailouts.actions import addresses
from mailouts.choices import State
from mailouts.email import RecipientRefused
from mailouts.models import Delivery, DisabledAddress
from mailouts.tasks import send_post
from participation import announcements, clock, notice_mail, notices
from participation.actions import contributions, following, outcomes
from participation.models import Notice, NoticePreference, Process, Programme
from tests.mailouts.bounced import report
from tests.participation.conftest import NOW
from tests.processes import Running

DENMARK = ZoneInfo("Europe/Copenhagen")


def tell(users: list[User], event: str = "process:1:opened", **more: Any) -> int:
    words = {
        "kind": Notice.Kind.PHASE,
        "title": "Torvet er åbent",
        "text": "Sig, hvad du mener.",
        "url": "/forloeb/torvet/",
    }
    return notices.tell(users=users, event=event, **{**words, **more})


SHOWN = "only shown"


def states() -> list[str]:
    return sorted(state or SHOWN for state in Notice.objects.values_list("delivery__state", flat=True))


class Sink:
    """A mail server that keeps what it took, and can refuse, hang up, or hold its answer back."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answer = "250 OK"
        self.drop = False
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self.let_go.set()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        import asyncio

        self.reached.set()
        while not self.let_go.is_set():
            await asyncio.sleep(0.02)
        if self.drop:
            server.transport.abort()
            return "421 gone"
        if self.answer.startswith("2"):
            self.taken.append(envelope)
        return self.answer


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    handler = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    handler.port = port  # type: ignore[attr-defined]
    yield handler
    handler.let_go.set()
    controller.stop()


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
class TestTelling:
    def test_once_per_person_and_event(self, citizen: User) -> None:
        assert tell([citizen, citizen]) == 1
        assert tell([citizen]) == 0
        assert tell([citizen], event="process:1:closed") == 1
        assert send_post() == 2
        assert send_post() == 0
        assert len(mail.outbox) == 2

    def test_many_notices_of_one_transaction_wake_the_worker_once(
        self, citizen: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks() as callbacks:
            for number in range(5):
                tell([citizen], event=f"event:{number}")
        assert len(callbacks) == 1

    def test_quiet_for_the_sender_and_for_closed_accounts(
        self, citizen: User, caseworker: User, person: Callable[..., User]
    ) -> None:
        gone = person("Bo", email="bo@example.dk", is_active=False)
        tell([citizen, caseworker, gone], by=caseworker)
        assert [row.user for row in Notice.objects.all()] == [citizen]

    def test_only_to_a_verified_address(self, person: Callable[..., User]) -> None:
        from allauth.account.models import EmailAddress

        unverified, none = person("Bo"), person("Ida")
        EmailAddress.objects.create(user=unverified, email="bo@example.dk", verified=False, primary=True)
        tell([unverified, none])
        assert states() == [SHOWN, SHOWN]
        send_post()
        assert mail.outbox == []

    def test_an_address_that_is_no_longer_verified_gets_nothing(self, citizen: User) -> None:
        tell([citizen])
        citizen.emailaddress_set.update(verified=False)
        send_post()
        assert (states(), mail.outbox) == ([State.LEFT_OUT], [])

    def test_each_in_their_own_language(self, citizen: User, person: Callable[..., User]) -> None:
        english = person("Ann", email="ann@example.com", language="en")
        tell([citizen, english], title=gettext_lazy("January"))
        assert {row.user_id: row.title for row in Notice.objects.all()} == {
            citizen.pk: "januar",
            english.pk: "January",
        }

    def test_the_e_mail_has_text_html_and_one_click_unsubscribe(self, citizen: User) -> None:
        tell([citizen], title="Nyt & <b>vigtigt</b>\nom torvet", text="<script>x</script> & mere")
        send_post()
        sent = mail.outbox[0]
        html, kind = sent.alternatives[0]
        assert kind == "text/html"
        assert sent.to == ["maja@example.dk"]
        assert "\n" not in sent.subject
        assert "<script>x</script> & mere" in sent.body
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert 'lang="da"' in html
        assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = sent.extra_headers["List-Unsubscribe"].strip("<>")
        assert link in sent.body
        path = link.removeprefix("http://testserver")
        mail_program = Client(enforce_csrf_checks=True)
        assert mail_program.get(path).status_code == 200
        assert not NoticePreference.objects.exists()
        assert mail_program.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert citizen.notice_preference.rhythm == "none"
        assert mail_program.post(path[:-4] + "x/").status_code == 404

    def test_saying_no_stops_what_still_waits(self, citizen: User) -> None:
        tell([citizen])
        following.set_rhythm(by=citizen, rhythm="none")
        tell([citizen], event="process:1:closed")
        send_post()
        assert (states(), mail.outbox) == ([State.CANCELLED, SHOWN], [])

    def test_one_e_mail_a_day_at_four_and_right_after_downtime(self, citizen: User) -> None:
        following.set_rhythm(by=citizen, rhythm="daily")

        def at(day: int, hour: int, minute: int = 0) -> Any:
            return clock.frozen(datetime(2026, 3, day, hour, minute, tzinfo=DENMARK))

        with at(2, 12):
            tell([citizen], event="a")
            tell([citizen], event="b")
        with at(2, 15, 59):
            assert send_post() == 0
        with at(2, 16):
            assert send_post() == 1
            tell([citizen], event="c")
            assert send_post() == 0
        with at(4, 9, 30):  # two days without a worker
            assert send_post() == 1
            tell([citizen], event="d")
        with at(4, 16, 1):  # the day has had its e-mail
            assert send_post() == 0
        with at(5, 0, 1):
            assert send_post() == 0
        with at(5, 16, 1):
            assert send_post() == 1
        assert [len(sent.body.split("/forloeb/torvet/")) - 1 for sent in mail.outbox] == [2, 1, 1]

    def test_at_four_in_summer_time_too(self) -> None:
        saturday = datetime(2026, 3, 28, 16, 0, tzinfo=DENMARK)
        assert notices.next_digest(saturday).astimezone(UTC) - saturday.astimezone(UTC) == timedelta(hours=23)

    def test_someone_without_an_account_gets_the_one_answer(self, process: Process, caseworker: User) -> None:
        question = contributions.ask_question(
            process=process, by=None, text="Hvornår?", email="ida@example.dk"
        )
        for _twice in range(2):
            contributions.answer_question(question=question, by=caseworker, answer="I marts.")
        send_post()
        to_ida = [sent for sent in mail.outbox if sent.to == ["ida@example.dk"]]
        assert len(to_ida) == 1
        assert "I marts." in to_ida[0].body
        assert "List-Unsubscribe" not in to_ida[0].extra_headers


@pytest.mark.django_db
class TestAddresses:
    def test_one_that_does_not_work_is_left_alone_and_the_notice_shown(self, citizen: User) -> None:
        tell([citizen])
        addresses.disable(email="MAJA@example.dk", reason="bounced 5.1.1")
        tell([citizen], event="process:1:closed")
        assert notices.verified_addresses([citizen.pk]) == {}
        assert send_post() == 0
        assert states() == [State.LEFT_OUT, SHOWN]
        assert Delivery.objects.get().failure_code == "no_address"

    def test_another_confirmed_one_is_used_instead(self, citizen: User) -> None:
        citizen.emailaddress_set.create(email="anden@example.dk", verified=True, primary=False)
        addresses.disable(email="maja@example.dk", reason="bounced 5.1.1")
        tell([citizen])
        assert send_post() == 1
        assert mail.outbox[0].to == ["anden@example.dk"]
        assert notices.came_back(citizen) == ""

    def test_a_bounce_untells(self, citizen: User, process: Process, caseworker: User) -> None:
        with clock.frozen(NOW):
            given = contributions.give_contribution(process=process, by=citizen, title="a", body="x")
            contributions.answer_contributions(
                contributions=[given], by=caseworker, outcome="noted", answer="Tak."
            )
            send_post()
            assert not outcomes.untold(process).exists()
            assert bounces.take_in(report(Delivery.objects.get(user=citizen).message_uuid))
            assert list(outcomes.untold(process)) == [given]

    def test_the_message_id_is_the_deliverys(self, citizen: User) -> None:
        tell([citizen])
        send_post()
        uuid = Delivery.objects.get().message_uuid
        assert mail.outbox[0].extra_headers["Message-ID"] == f"<{uuid}@example.dk>"

    def test_without_an_account_once_however_the_address_is_written(self, process: Process) -> None:
        for email in ("ida@example.dk", "Ida@Example.dk"):
            notices.tell_address(
                email=email, event="x", kind="answer", title="Svar", text="Ja", url="/", process=process
            )
        assert send_post() == 1
        assert "@" not in Delivery.objects.get().recipient_key

    def test_what_nobody_wrote_is_left_out(self, citizen: User) -> None:
        tell([citizen])
        Notice.objects.all().delete()
        assert send_post() == 0
        assert Delivery.objects.values_list("state", "failure_code").get() == (State.LEFT_OUT, "nothing_left")

    def test_what_cannot_be_written_fails_alone(
        self, citizen: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        other = person("Bo", email="bo@example.dk")
        tell([citizen, other], title="Hemmeligt navn")
        whole = notice_mail.written
        with monkeypatch.context() as patch:

            def breaks(told: Any, **more: Any) -> Any:
                if more["address"] == "maja@example.dk":
                    raise ValueError("maja@example.dk")
                return whole(told, **more)

            patch.setattr(notice_mail, "written", breaks)
            assert send_post() == 1
        assert states() == [State.FAILED, State.SENT]
        assert "maja@example.dk" not in caplog.text
        assert "Hemmeligt" not in caplog.text

    def test_when_the_account_goes_what_was_sent_goes(self, citizen: User) -> None:
        tell([citizen])
        send_post()
        tell([citizen], event="process:1:closed")
        addresses.disable(email="maja@example.dk", reason="bounced 5.1.1")
        delete_account(user=citizen, by=citizen)
        assert not DisabledAddress.objects.exists()
        assert not Delivery.objects.exists()
        assert not Notice.objects.exists()
        assert send_post() == 0


@pytest.mark.django_db
class TestUnsubscribing:
    def test_a_link_made_for_one_cannot_be_altered_to_another(
        self, citizen: User, person: Callable[..., User]
    ) -> None:
        other = person("Bo", email="bo@example.dk")
        mine, theirs = notices.unsubscribe_token(citizen), notices.unsubscribe_token(other)
        parts, others = mine.split(":"), theirs.split(":")
        mixed = [
            ":".join([others[0], *parts[1:]]),
            ":".join([others[0], others[1], parts[2]]),
            ":".join([*parts[:2], others[2]]),
            signing.dumps(other.pk),
            signing.dumps(other.pk, salt="other"),
            str(other.pk),
        ]
        client = Client(enforce_csrf_checks=True)
        for token in mixed:
            assert notices.user_of_token(token) != other
            path = reverse("participation:notices-unsubscribe", args=[token])
            assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 404
        assert not NoticePreference.objects.exists()


@pytest.mark.usefixtures("noon")
class TestWhatIsTold:
    def test_answer_decision_impact_and_news_reach_contributors_and_followers(
        self, process: Process, citizen: User, caseworker: User, person: Callable[..., User]
    ) -> None:
        follower, stranger = person("Bo", email="bo@example.dk"), person("Ida", email="ida@example.dk")
        following.follow(process=process, by=follower)
        given = contributions.give_contribution(process=process, by=citizen, title="Træer", body="Flere")
        contributions.answer_contributions(
            contributions=[given], by=caseworker, outcome="adopted", answer="Ja."
        )
        Process.objects.filter(pk=process.pk).update(status="closed")
        outcomes.record_decision(
            process=process, by=caseworker, decided_on=NOW.date(), body="Byrådet", text="Der plantes træer."
        )
        outcomes.record_impact(process=process, by=caseworker, text="Ti træer.", contributions=[given])
        outcomes.publish_news(process=process, by=caseworker, title="Nyt", text="Vi planter.")
        kinds = lambda user: sorted(user.notices.values_list("kind", flat=True))  # noqa: E731
        assert kinds(citizen) == ["answer", "decision", "impact", "news"]
        assert kinds(follower) == ["decision", "impact", "news"]
        assert kinds(stranger) == kinds(caseworker) == []

    def test_opening_reaches_those_who_asked_to_be_asked_again_and_the_earlier_steps(
        self, make_process: Callable[..., Process], unit: Any, citizen: User, person: Callable[..., User]
    ) -> None:
        matter = Programme.objects.create(slug="torvet", title="Torvet", unit=unit)
        first = make_process("foerste", programme=matter)
        contributions.give_contribution(process=first, by=citizen, title="Træer", body="Flere")
        again, stranger = person("Bo", email="bo@example.dk"), person("Ida", email="ida@example.dk")
        following.ask_again(by=again, topic=first.format)
        following.ask_again(by=stranger, topic="noget andet")
        second = make_process("anden", programme=matter)
        assert set(notices.opening_audience(second)) == {citizen, again}
        announcements.transition(process=second, name="open", transition_id=1, comment="", by=None)
        assert {row.user for row in Notice.objects.filter(event="transition:1")} == {citizen, again}

    def test_an_answer_is_told_again_only_when_it_is_another(
        self, process: Process, citizen: User, caseworker: User
    ) -> None:
        given = contributions.give_contribution(process=process, by=citizen, title="Træer", body="Flere")
        for answer in ("Ja.", "Ja.", "Nej alligevel."):
            contributions.answer_contributions(
                contributions=[given], by=caseworker, outcome="noted", answer=answer
            )
        assert citizen.notices.count() == 2

    def test_a_theme_is_answered_once_per_person_and_late_comers_hear_it_too(
        self, process: Process, citizen: User, caseworker: User, person: Callable[..., User]
    ) -> None:
        theme = contributions.create_theme(process=process, by=caseworker, title="Træer")
        mine = [
            contributions.give_contribution(process=process, by=citizen, title=f"Træ {i}", body="x")
            for i in (1, 2)
        ]
        late_author = person("Bo", email="bo@example.dk")
        late = contributions.give_contribution(process=process, by=late_author, title="Ege", body="x")
        contributions.put_in_theme(contributions=mine, by=caseworker, theme=theme)
        contributions.answer_theme(theme=theme, by=caseworker, outcome="partly", answer="Nogle af dem.")
        assert (citizen.notices.count(), late_author.notices.count()) == (1, 0)
        contributions.put_in_theme(contributions=[late], by=caseworker, theme=theme)
        assert (citizen.notices.count(), late_author.notices.count()) == (1, 1)

    def test_everyone_told_is_what_concluding_asks(
        self, process: Process, citizen: User, caseworker: User, person: Callable[..., User]
    ) -> None:
        silent = person("Ida")  # no address at all
        rows = [
            contributions.give_contribution(process=process, by=citizen, title="a", body="x"),
            contributions.give_contribution(process=process, by=silent, title="b", body="x"),
            contributions.record_for_someone(
                process=process,
                by=caseworker,
                channel="telephone",
                received_on=NOW.date(),
                author_name="Ejnar",
                title="c",
                body="x",
            ),
        ]
        assert outcomes.unanswered(process).count() == 3
        contributions.answer_contributions(contributions=rows, by=caseworker, outcome="noted", answer="Tak.")
        assert outcomes.unanswered(process).count() == 0
        assert outcomes.untold(process).count() == 3
        send_post()
        assert [row.title for row in outcomes.untold(process).order_by("title")] == ["b", "c"]
        contributions.mark_told(contribution=rows[2], by=caseworker, how="Ringet op den 3. marts")
        following.mark_notices_read(by=silent)
        assert not outcomes.untold(process).exists()


@pytest.mark.django_db
class TestWhatTheMailServerSays:
    def test_taken_is_sent(self, citizen: User, sink: Sink) -> None:
        tell([citizen])
        assert send_post() == 1
        assert (states(), len(sink.taken)) == ([State.SENT], 1)

    @pytest.mark.parametrize(("answer", "state"), [("550 no", State.FAILED), ("451 later", State.QUEUED)])
    def test_refused_is_not_sent(self, citizen: User, sink: Sink, answer: str, state: str) -> None:
        sink.answer = answer
        tell([citizen])
        assert send_post() == 0
        assert states() == [state]

    def test_a_recipient_the_server_does_not_know_is_not_written_to_again(
        self, citizen: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(mail: Any, message: Any) -> None:
            raise RecipientRefused("recipient refused", final=True)

        monkeypatch.setattr("mailouts.email.Mail.send", refuse)
        tell([citizen])
        send_post()
        assert Delivery.objects.values_list("state", "failure_code").get() == (
            State.FAILED,
            "recipient_refused",
        )
        assert notices.verified_addresses([citizen.pk]) == {}
        assert notices.came_back(citizen) == "maja@example.dk"

    def test_one_that_does_not_answer_is_left_alone_after_five(
        self, person: Callable[..., User], sink: Sink
    ) -> None:
        people = [person(f"N{i}", email=f"n{i}@example.dk") for i in range(8)]
        sink.drop = True
        now = clock.now()
        with clock.frozen(now):
            tell(people)
            send_post()
            assert states().count(State.UNCERTAIN) == 5
            send_post()
            assert states().count(State.UNCERTAIN) == 5
        with clock.frozen(now + timedelta(seconds=30)):
            send_post()
            assert states().count(State.UNCERTAIN) == 6, "one on trial"
        sink.drop = False
        with clock.frozen(now + timedelta(minutes=10)):
            assert send_post() == 2
        assert sorted(states()) == [State.SENT] * 2 + [State.UNCERTAIN] * 6

    def test_nobody_home_is_tried_again_with_longer_and_longer_pauses_and_then_given_up(
        self, citizen: User, sink: Sink, settings: Any
    ) -> None:
        settings.EMAIL_PORT = 1
        now = clock.now()
        with clock.frozen(now):
            tell([citizen])
        for minutes, attempts, state in (
            (0, 1, State.QUEUED),
            (1, 1, State.QUEUED),
            (2, 2, State.QUEUED),
            (10, 3, State.QUEUED),
            (30, 4, State.QUEUED),
            (60, 5, State.FAILED),
            (90, 5, State.FAILED),
        ):
            with clock.frozen(now + timedelta(minutes=minutes)):
                send_post()
            row = Delivery.objects.get()
            assert (row.attempts, row.state) == (attempts, state)

    def test_a_connection_that_breaks_in_mid_send_is_uncertain_and_never_sent_again(
        self, citizen: User, sink: Sink
    ) -> None:
        sink.drop = True
        tell([citizen])
        send_post()
        assert states() == [State.UNCERTAIN]
        sink.drop = False
        with clock.frozen(clock.now() + timedelta(days=2)):
            send_post()
        assert (states(), sink.taken) == ([State.UNCERTAIN], [])


@pytest.mark.django_db(transaction=True)
def test_many_tellers_of_one_event_tell_once(citizen: User) -> None:
    barrier = threading.Barrier(8)

    def one(_n: int) -> None:
        barrier.wait()
        tell([citizen])
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert Notice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_each_e_mail_once(person: Callable[..., User], sink: Sink) -> None:
    people = [person(f"N{i}", email=f"n{i}@example.dk") for i in range(30)]
    daily = people[:5]
    for user in daily:
        following.set_rhythm(by=user, rhythm="daily")
    tell(people, event="a")
    tell(people, event="b")
    Delivery.objects.filter(purpose__startswith="digest:").update(due_at=clock.now())
    barrier = threading.Barrier(6)

    def work(_n: int) -> int:
        barrier.wait()
        try:
            return int(send_post())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        total = sum(pool.map(work, range(6)))
    assert total == len(sink.taken) == 25 * 2 + 5
    assert set(states()) == {State.SENT}


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_mid_send_leaves_it_uncertain_and_loses_nothing_else(
    person: Callable[..., User], sink: Sink, celery_worker_process: Callable[..., Running], settings: Any
) -> None:
    first, second = person("A", email="a@example.dk"), person("B", email="b@example.dk")
    env = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(sink.port), "EMAIL_TIMEOUT": "30"}  # type: ignore[attr-defined]
    sink.let_go.clear()
    worker = celery_worker_process(env=env)
    tell([first])
    worker.wait_until(sink.reached.is_set, "Nothing was sent")
    assert states() == [State.SENDING]
    worker.kill()
    sink.drop = True  # the killed worker's connection never gets its answer
    sink.let_go.set()
    tell([second], event="process:1:closed")
    sink.drop = False
    clock.move("+420")
    next_worker = celery_worker_process(env=env)
    send_post.delay()
    next_worker.wait_until(
        lambda: Delivery.objects.filter(user=second, state=State.SENT).exists(), "The other one was not sent"
    )
    next_worker.wait_until(
        lambda: Delivery.objects.filter(user=first, state=State.UNCERTAIN).exists(), "Not seen as uncertain"
    )
    next_worker.stop()
    assert [envelope.rcpt_tos for envelope in sink.taken if envelope.rcpt_tos != ["a@example.dk"]] == [
        ["b@example.dk"]
    ]
    assert Delivery.objects.get(user=first).failure_code == "interrupted"


@pytest.mark.django_db
def test_a_row_given_up_as_interrupted_is_not_claimed_as_sent_afterwards(citizen: User, sink: Sink) -> None:
    tell([citizen])
    claimed_by, [pk] = queue.claim(None)
    assert queue.step(claimed_by, note=None, leaves=pk)
    Delivery.objects.update(state=State.UNCERTAIN)
    queue.step(claimed_by, note=queue.sent(pk, clock.now()), leaves=None)
    assert states() == [State.UNCERTAIN]
