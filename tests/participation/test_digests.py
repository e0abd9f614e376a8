"""The one e-mail a day, and three weeks of everything."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.verdict import Refused
from mailouts import post, queue
from mailouts.choices import State
from mailouts.models import Delivery, GatewayHealth
from mailouts.tasks import send_post
from participation import clock, digests
from participation.actions import following
from participation.models import Notice, NoticePreference
from tests.participation.test_notices import states, tell

DENMARK = ZoneInfo("Europe/Copenhagen")
MONTH = {"march": 3, "october": 10}


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> Any:
    return clock.frozen(datetime(2026, month, day, hour, minute, tzinfo=DENMARK))


def titles() -> list[list[str]]:
    """What each e-mail that was sent told of, in order."""
    return [[line for line in sent.body.splitlines() if line.startswith("Sag ")] for sent in mail.outbox]


def tell_of(user: User, *events: str) -> None:
    for event in events:
        tell([user], event=event, title=f"Sag {event}")


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("summer", ["march", "october"])
def test_once_a_day_when_the_clock_strikes_also_around_summer_time(hour: int, summer: str) -> None:
    """Followed minute by minute, so that an hour that is skipped or comes twice would show."""
    start = datetime(2026, MONTH[summer], 24 if summer == "october" else 28, 0, 0, tzinfo=DENMARK)
    moment, seen = start.astimezone(UTC) - timedelta(seconds=1), []
    for _digest in range(5):
        moment = digests.next_digest(moment, hour).astimezone(UTC)
        seen.append(moment.astimezone(DENMARK))
    assert len({each.date() for each in seen}) == 5, "one a day"
    assert [(each - seen[0].replace(hour=0)).days for each in seen] == [0, 1, 2, 3, 4], "and none is left out"
    skipped = summer == "march" and hour == 2
    for each in seen:
        assert each.hour == (3 if skipped and each.day == 29 else hour), each
        assert each.fold == 0
    for minutes in range(0, 3 * 24 * 60, 7):
        asked = start.astimezone(UTC) + timedelta(minutes=minutes)
        following_one = digests.next_digest(asked, hour).astimezone(UTC)
        assert asked < following_one <= asked + timedelta(hours=25)
        assert following_one == min(each for each in [e.astimezone(UTC) for e in seen] if each > asked)


@pytest.mark.django_db
class TestTheHour:
    def test_each_has_their_own(self, citizen: User, person: Callable[..., User]) -> None:
        early = person("Bo", email="bo@example.dk")
        following.set_rhythm(by=citizen, rhythm="daily")
        following.set_rhythm(by=early, rhythm="daily", digest_hour=0)
        with at(2, 12):
            tell([citizen, early])
            assert send_post() == 0
        with at(2, 16):
            assert send_post() == 1
        with at(3, 0):
            assert send_post() == 1
        assert [sent.to for sent in mail.outbox] == [["maja@example.dk"], ["bo@example.dk"]]

    def test_what_waits_follows_to_a_new_hour(self, citizen: User) -> None:
        following.set_rhythm(by=citizen, rhythm="daily", digest_hour=20)
        with at(2, 12):
            tell_of(citizen, "a", "b")
            following.set_rhythm(by=citizen, rhythm="daily", digest_hour=13)
            assert send_post() == 0
        with at(2, 13):
            assert send_post() == 1
            following.set_rhythm(by=citizen, rhythm="daily", digest_hour=21)
            tell_of(citizen, "c")
        with at(2, 21):
            assert send_post() == 0, "today has had its e-mail"
        with at(3, 21):
            assert send_post() == 1
        assert titles() == [["Sag a", "Sag b"], ["Sag c"]]

    @pytest.mark.parametrize("hour", [-1, 24, 1000])
    def test_is_one_of_the_day(self, citizen: User, hour: int) -> None:
        with pytest.raises(Refused):
            following.set_rhythm(by=citizen, rhythm="daily", digest_hour=hour)
        with pytest.raises(IntegrityError), transaction.atomic():
            NoticePreference.objects.create(user=citizen, digest_hour=hour)

    def test_stays_when_only_the_rhythm_is_chosen(self, citizen: User) -> None:
        following.set_rhythm(by=citizen, rhythm="daily", digest_hour=0)
        following.set_rhythm(by=citizen, rhythm="none")
        assert following.set_rhythm(by=citizen, rhythm="daily").digest_hour == 0


@pytest.mark.django_db
class TestRhythm:
    def test_what_waits_goes_together_or_on_its_own(self, citizen: User) -> None:
        with at(2, 12):
            tell_of(citizen, "a", "b")
            following.set_rhythm(by=citizen, rhythm="daily")
            assert Delivery.objects.get().purpose == "digest:2026-03-02"
            assert send_post() == 0
            following.set_rhythm(by=citizen, rhythm="each")
            assert send_post() == 2
            following.set_rhythm(by=citizen, rhythm="daily")
            assert send_post() == 0
        assert titles() == [["Sag a"], ["Sag b"]]

    def test_no_means_no_also_for_what_is_in_somebodys_batch(self, citizen: User) -> None:
        with at(2, 12):
            tell([citizen])
            claimed_by, [pk] = queue.claim(None)
            following.set_rhythm(by=citizen, rhythm="none")
            assert not queue.step(claimed_by, note=None, leaves=pk)
            queue.let_go(claimed_by)
            assert send_post() == 0
        assert Delivery.objects.values_list("state", "failure_code").get() == (
            State.CANCELLED,
            "unsubscribed",
        )
        assert Notice.objects.get().user == citizen, "it is still shown"

    def test_no_that_came_while_somebody_was_telling(self, citizen: User) -> None:
        tell([citizen])
        NoticePreference.objects.create(user=citizen, rhythm="none")
        assert send_post() == 0
        assert Delivery.objects.get().failure_code == "unsubscribed"

    def test_one_who_is_told_once_a_day_and_wants_each_gets_one_a_day_of_that(self, citizen: User) -> None:
        with at(2, 12):
            tell([citizen], event="a", at_most_daily=True)
            tell([citizen], event="b", at_most_daily=True)
            tell([citizen], event="c")
            assert send_post() == 1
        with at(2, 16):
            assert send_post() == 1


@pytest.mark.django_db
class TestTheDay:
    @pytest.fixture(autouse=True)
    def _daily(self, citizen: User) -> None:
        following.set_rhythm(by=citizen, rhythm="daily")

    def test_what_happens_during_downtime_goes_along_with_the_late_one(self, citizen: User) -> None:
        for day in (2, 3, 4):
            with at(day, 12):
                tell_of(citizen, f"{day}")
        with at(5, 9):
            assert send_post() == 1
            tell_of(citizen, "5")
            assert Delivery.objects.filter(purpose="digest:2026-03-05", state=State.SENT).exists()
        with at(5, 16):
            assert send_post() == 0
        with at(6, 16):
            assert send_post() == 1
        assert titles() == [["Sag 2", "Sag 3", "Sag 4"], ["Sag 5"]]

    def test_a_late_one_takes_along_what_waits_for_todays(self, citizen: User) -> None:
        """The late one was being tried when today's was begun."""
        with at(2, 15):
            tell_of(citizen, "a")
        with at(2, 16):
            claimed_by, ids = queue.claim(None)
            tell_of(citizen, "b")
            queue.step(claimed_by, note=None, leaves=ids[0])
            note = queue.not_taken(ids[0], clock.now(), "451", attempts=1, final=False)
            queue.step(claimed_by, note=note, leaves=None)
        assert Delivery.objects.filter(state=State.QUEUED).count() == 2
        with at(3, 9):
            assert send_post() == 1
        with at(3, 16):
            assert send_post() == 0
        assert titles() == [["Sag a", "Sag b"]]
        assert Delivery.objects.get().purpose == "digest:2026-03-03"

    def test_a_notice_never_hangs_on_a_digest_that_has_left(self, citizen: User) -> None:
        with at(2, 15):
            tell_of(citizen, "a")
        with at(2, 16):
            queue.claim(None)
            tell_of(citizen, "b")
        first, second = Notice.objects.order_by("pk")
        assert first.delivery != second.delivery
        assert second.delivery is not None
        assert second.delivery.purpose == "digest:2026-03-03"

    def test_the_database_knows_of_one_a_day(self, citizen: User) -> None:
        with at(2, 12):
            tell_of(citizen, "a")
        row = Delivery.objects.get()
        with pytest.raises(IntegrityError, match="delivery_once"), transaction.atomic():
            Delivery.objects.create(
                purpose=row.purpose, recipient_key=row.recipient_key, channel="email", due_at=clock.now()
            )

    def test_a_refused_digest_counts_as_the_days(self, citizen: User) -> None:
        with at(2, 15):
            tell_of(citizen, "a")
        Delivery.objects.update(state=State.FAILED)
        with at(2, 15, 30):
            tell_of(citizen, "b")
        assert set(Delivery.objects.values_list("purpose", flat=True)) == {
            "digest:2026-03-02",
            "digest:2026-03-03",
        }


@pytest.mark.django_db(transaction=True)
def test_a_digest_that_is_being_added_to_does_not_leave(citizen: User) -> None:
    """Two connections: while a notice is being told, the digest it joins is not taken; afterwards it goes whole."""
    following.set_rhythm(by=citizen, rhythm="daily")
    with at(2, 12):
        tell_of(citizen, "a")
    told, go_on = threading.Event(), threading.Event()

    def teller() -> None:
        try:
            with at(2, 16), transaction.atomic():
                tell_of(citizen, "b")
                told.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(teller)
        assert told.wait(10)
        with at(2, 16, 1):
            assert send_post() == 0
        go_on.set()
        done.result()
    with at(2, 16, 2):
        assert send_post() == 1
    assert titles() == [["Sag a", "Sag b"]]


@pytest.mark.django_db(transaction=True)
def test_telling_while_others_send_loses_nothing_and_gives_one_a_day(person: Callable[..., User]) -> None:
    readers = [person(f"N{number}", email=f"n{number}@example.dk") for number in range(6)]
    for reader in readers:
        following.set_rhythm(by=reader, rhythm="daily")
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        chance = random.Random(number)
        barrier.wait()
        try:
            for turn in range(12):
                with at(2, 16, turn):
                    if number < 2:
                        mixed = chance.sample(readers, len(readers))
                        tell(mixed, event=f"{number}-{turn}", title=f"Sag {number}-{turn}")
                    else:
                        send_post()
        finally:
            connection.close()

    with at(2, 15):
        tell(readers, event="first", title="Sag first")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    for day in (3, 4):
        with at(day, 17):
            send_post()
    assert set(states()) == {State.SENT}
    told = Counter(
        (sent.to[0], line) for sent, lines in zip(mail.outbox, titles(), strict=True) for line in lines
    )
    assert set(told.values()) == {1}
    assert len(told) == 6 * 25
    assert at_most_one_a_day(readers)


@pytest.mark.django_db(transaction=True)
def test_two_late_digests_taken_by_two_workers_are_one_a_day(citizen: User) -> None:
    with at(2, 12):
        tell_of(citizen, "a", "b")
    first, second = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(
        purpose="digest:2026-03-01", due_at=clock.now() - timedelta(days=999)
    )
    Delivery.objects.filter(pk=second.pk).update(
        purpose="digest:2026-02-28", due_at=clock.now() - timedelta(days=999)
    )
    barrier = threading.Barrier(2)

    def work(_number: int) -> int:
        barrier.wait()
        try:
            with at(5, 9):
                found = queue.claim(None, most=1)
                barrier.wait()
                queue.let_go(found[0])
                return int(send_post())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, range(2))) == 1
    with at(5, 23):
        assert send_post() == 0
    with at(6, 16):
        assert send_post() == 1
    assert at_most_one_a_day([citizen])


def at_most_one_a_day(readers: Sequence[User]) -> bool:
    left = Delivery.objects.filter(
        purpose__startswith="digest:",
        left_at__isnull=False,
        recipient_key__in=[post.key_of(r.pk) for r in readers],
    )
    days = Counter((row.recipient_key, row.left_at.astimezone(DENMARK).date()) for row in left if row.left_at)
    return set(days.values()) <= {1}


class Breaking(BaseEmailBackend):
    """Takes each e-mail; now and then the connection breaks, before it was taken or after, and nobody knows which."""

    chance = random.Random(0)
    taken: list[tuple[datetime, str, str]] = []

    def open(self) -> None:
        if Breaking.chance.random() < 0.05:
            raise ConnectionRefusedError

    def send_messages(self, messages: Sequence[Any]) -> int:
        for message in messages:
            breaks = Breaking.chance.random()
            if breaks < 0.04:
                raise ConnectionResetError
            Breaking.taken.append((clock.now(), message.to[0], message.body))
            if breaks < 0.08:
                raise TimeoutError
        return len(messages)


@pytest.fixture
def breaking(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.participation.test_digests.Breaking"
    Breaking.chance, Breaking.taken = random.Random(1963), []


@pytest.mark.django_db
@pytest.mark.usefixtures("breaking")
def test_three_weeks_with_the_scheduler_down_in_the_middle(person: Callable[..., User]) -> None:
    """Hour by hour through the night when summer time begins (29 March). For three days nothing is sent."""
    chance = random.Random(7)
    hours = [None, None, None, 16, 16, 0, 2, 3, 8, 23]
    readers = [person(f"N{number}", email=f"n{number}@example.dk") for number in range(len(hours))]
    for reader, hour in zip(readers, hours, strict=True):
        if hour is not None:
            following.set_rhythm(by=reader, rhythm="daily", digest_hour=hour)
    start = datetime(2026, 3, 18, 0, 0, tzinfo=DENMARK).astimezone(UTC)
    told: list[tuple[str, str]] = []
    for hour_number in range(21 * 24):
        with clock.frozen(start + timedelta(hours=hour_number)):
            if chance.random() < 0.4:
                event = f"{hour_number}"
                who = chance.sample(readers, chance.randint(1, len(readers)))
                tell(who, event=event, title=f"Sag {event}.", at_most_daily=chance.random() < 0.2)
                told += [(reader.email or "", f"Sag {event}.") for reader in who]
            if not 9 * 24 <= hour_number < 12 * 24:
                send_post()
    for hour_number in range(21 * 24, 23 * 24):  # what was told in the last hours
        with clock.frozen(start + timedelta(hours=hour_number)):
            send_post()

    assert len(told) > 900
    stands = Counter(states())
    assert stands.keys() == {State.SENT, State.UNCERTAIN}
    assert 0 < stands[State.UNCERTAIN] < stands[State.SENT]
    mailed = Counter(
        (to, line)
        for _at, to, body in Breaking.taken
        for line in body.splitlines()
        if line.startswith("Sag ")
    )
    assert set(mailed.values()) == {1}, "nobody was told anything twice"
    for notice in Notice.objects.select_related("user", "delivery"):
        assert notice.delivery is not None
        if notice.delivery.state == State.SENT:
            assert mailed[notice.user.email, notice.title] == 1
    assert {(notice.user.email, notice.title) for notice in Notice.objects.select_related("user")} == set(
        told
    )
    assert at_most_one_a_day(readers)
    late = Delivery.objects.filter(purpose__startswith="digest:", state=State.SENT)
    for row in late:
        assert row.left_at is not None
        assert row.purpose == f"digest:{row.left_at.astimezone(DENMARK).date()}"
    assert GatewayHealth.objects.exists()
