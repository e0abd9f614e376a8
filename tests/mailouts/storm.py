"""A mailout in a storm: real workers that are killed, a gateway that fails and falls silent, connections cut, a broker emptied.

The test asks it whether anybody got two letters; the benchmark, how fast it was. What happens is by chance, so that the moments
differ from run to run; what must hold afterwards holds for all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis
from django.conf import settings
from django.db import connection

from accounts.fields import cipher
from accounts.imports.register import _copy
from accounts.models import Person, Resident
from audit import clock
from config.services import free_port
from mailouts import queue
from mailouts.choices import WAITING, ActionKind, Policy, Stage, State
from mailouts.models import Campaign, Delivery
from mailouts.tasks import send_letters
from tests.accounts.factories import cpr_for, make_extract
from tests.mailouts.factories import make_campaign
from tests.patience import PATIENCE
from tests.processes import Running
from tests.services import with_path

SENDER = "12345674"
APPLICATION = "letters"  # how PostgreSQL knows the connections of workers that send
BORN = date(1980, 5, 17)
LETTER = """Kære {fornavn}

Kommunen har sat **500.000 kr.** af til forslag fra dem, der bor her. Nu er forslagene vurderet, og du kan stemme om, hvilke
der skal føres ud i livet.

## Sådan stemmer du

1. Gå ind på siden med MitID.
2. Læs forslagene, og vælg dem, du synes bedst om.
3. Stem senest den 1. december. Du kan kun stemme én gang.

## Hvis du ikke har MitID

- Du kan stemme på biblioteket og på rådhuset.
- Tag din pas eller dit sundhedskort med.
- Personalet hjælper dig gerne, også hvis du hellere vil stemme på papir.

Alle, der er fyldt 15 år og bor i kommunen, kan stemme. Resultatet bliver offentliggjort på siden i januar, og derefter går
kommunen i gang med de forslag, der fik flest stemmer.

Venlig hilsen
*Lunde Kommune*
"""


def make_residents(count: int) -> list[str]:
    """So many more people with Digital Post on the newest extract, written in bulk. Returns their CPR numbers."""
    extract = make_extract(rows=count)
    encrypt = cipher().encrypt
    numbers = [cpr_for(date(1940 + n // 10_000, 5, 17), n % 10_000) for n in range(count)]
    people = [uuid.uuid4() for _ in numbers]
    _copy(Person, ("id",), ((person,) for person in people))
    columns = (
        *("extract_id", "person_id", "birth_date", "sex", "status", "municipality_code", "household"),
        *("protected", "digital_post", "cpr", "name", "address"),
    )
    rows = (
        (
            *(extract.pk, person, BORN, "F", "01", settings.MUNICIPALITY["code"], "", False, True),
            encrypt(cpr.encode()),
            encrypt(f"Karen Nummer {place} Jensen".encode()),
            encrypt(f"Ny Vestergade {place}, 2. tv, 9999 Lunde".encode()),
        )
        for place, (person, cpr) in enumerate(zip(people, numbers, strict=True))
    )
    _copy(Resident, columns, rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_person, accounts_resident")
    return numbers


def make_letter(*, stage: str = Stage.APPROVED, **fields: Any) -> Campaign:
    """A letter as they are: a page of text and a button, by Digital Post."""
    return make_campaign(
        stage=stage,
        **{
            "subject": "Stem om borgerbudgettet, {fornavn}",
            "text": LETTER,
            "policy": Policy.DIGITAL,
            "action_kind": ActionKind.LINK,
            "action_label": "Stem her",
            "action_url": "https://deltag.example.dk/borgerbudget/byen/stem",
        }
        | fields,
    )


@dataclass
class StandIn:
    """The stand-in gateway in a process of its own."""

    running: Running
    url: str

    @classmethod
    def start(
        cls, start_process: Callable[..., Running], folder: Path, *, portal: str = "", **control: Any
    ) -> StandIn:
        """`portal` is where its receipts go; without one it sends none."""
        port = free_port()
        running = start_process(
            [sys.executable, "-m", "config.digital_post_stand_in"],
            {
                "POST_PORT": str(port),
                "POST_FOLDER": str(folder),
                "SITE_URL": portal,
                "DIGITAL_POST_RECEIPT_SECRET": settings.DIGITAL_POST["receipt_secret"],
            },
        )
        made = cls(running, f"http://127.0.0.1:{port}")
        running.wait_until(made._answers, "The stand-in did not answer")
        made.control(**control)
        return made

    def _answers(self) -> bool:
        try:
            self.numbers()
        except OSError:
            return False
        return True

    def control(self, **asked: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}/styring", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            answer.read()

    def numbers(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/tal.json", timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def letters_to(self) -> Counter[str]:
        """How many messages it took for each number."""
        found: Counter[str] = Counter()
        after = 0
        while True:
            with urllib.request.urlopen(
                f"{self.url}/breve.json?antal=10000&efter={after}", timeout=PATIENCE
            ) as answer:
                letters = json.load(answer)
            if not letters:
                return found
            found.update(each["number"] for each in letters)
            after = letters[-1]["id"]

    @property
    def settings(self) -> dict[str, str]:
        """What a worker's environment says of it."""
        return {"DIGITAL_POST_URL": self.url, "DIGITAL_POST_CVR": SENDER}


class Watch:
    """CPU and memory of processes that may be killed at any moment: looked at often, the last word counts."""

    def __init__(self) -> None:
        self.cpu: dict[int, float] = {}
        self.peak: dict[int, int] = {}  # bytes
        self._parents: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_again_and_again, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def add(self, worker: Running) -> None:
        self._parents.add(worker.pid)

    def _look_again_and_again(self) -> None:
        while not self._stop.wait(0.1):
            self._look()

    def _look(self) -> None:
        """At those that send: a worker's children, not the parent that hands out tasks."""
        for parent in list(self._parents):
            with contextlib.suppress(psutil.Error, OSError):
                for child in psutil.Process(parent).children():
                    with contextlib.suppress(psutil.Error, OSError):
                        times = child.cpu_times()
                        self.cpu[child.pid] = times.user + times.system
                        self.peak[child.pid] = peak_memory(child.pid)


def peak_memory(pid: int | str = "self") -> int:
    """The most that a process has held, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise OSError("The process is gone.")


@contextlib.contextmanager
def beat(every: float = 0.3) -> Iterator[None]:
    """Asks for letters to be sent, again and again, as beat does; also while the broker has forgotten everything."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(every):
            with contextlib.suppress(OSError):
                send_letters.apply_async(queue="mailouts", expires=5, retry=False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True)
class Weather:
    kills: int = 20
    whole: int = 5  # every so many kills take the worker's parent along, which is started anew
    cuts: int = 5
    flushes: int = 1
    fail: float = 0.05
    time_out: float = 0.02
    deduplicate: bool = True
    pause: tuple[float, float] = (0.05, 0.45)  # seconds between two blows


FAIR = Weather(kills=0, cuts=0, flushes=0, fail=0.0, time_out=0.0)


@dataclass
class Outcome:
    seconds: float  # from the first letter to the last but those of the dead
    states: dict[str, int]
    numbers: dict[str, Any]  # the gateway's own
    letters_to: Counter[str]
    uncertain: set[str] = field(repr=False)  # numbers
    failed: set[str] = field(repr=False)
    kills: int = 0
    cut: int = 0  # connections
    cuts: int = 0
    cpu: float = 0.0  # seconds of all processes that sent
    peak: int = 0  # bytes, of the largest

    @property
    def taken(self) -> int:
        return sum(self.letters_to.values())


def run(
    count: int,
    *,
    start_process: Callable[..., Running],
    celery_worker_process: Callable[..., Running],
    web_process: Callable[..., Running] | None,
    folder: Path,
    weather: Weather,
    env: dict[str, str] | None = None,
    log: Callable[[str], None] = lambda said: None,
) -> Outcome:
    """Sends one letter to each of so many residents. Without a web process there are no receipts to wait for."""
    everyone = make_residents(count)
    campaign = make_letter()
    assert campaign.count == count
    web = web_process(workers=1, threads=4) if web_process else None
    gateway = StandIn.start(
        start_process,
        folder,
        portal=web.url if web else "",
        seed=random.randrange(1_000_000),
        fail=weather.fail,
        time_out=weather.time_out,
        answer_delay=0.002,
        deduplicate=weather.deduplicate,
        keep_contents=False,
        receipts="last",
        receipt_delay=0.2,
    )
    env = {
        **gateway.settings,
        "PGAPPNAME": APPLICATION,
        "DIGITAL_POST_TIMEOUT": "0.5",
        "MAILOUT_RETRY_SECONDS": "0.5",
        **(env or {}),
    }

    def start_worker() -> Running:
        worker = celery_worker_process(queues="mailouts", env=env)
        watch.add(worker)
        return worker

    moved = timedelta()

    def give_up_the_dead() -> None:
        """The clock goes on: whatever they had in their hands is given up."""
        nonlocal moved
        moved += queue.CLAIM_LASTS + timedelta(minutes=1)
        clock.move(f"+{moved.total_seconds():.0f}")

    with Watch() as watch:
        with ThreadPoolExecutor(2) as pool:
            victim, other = pool.map(lambda _: start_worker(), range(2))
        log(f"{count} letters are ready")
        with beat():
            wait_until(lambda: campaign.deliveries.exclude(state=State.QUEUED).exists(), [victim, other])
            began = time.monotonic()
            blows = _blows(weather)
            cut = kills = cuts = 0
            for blow in blows:
                time.sleep(random.uniform(*weather.pause))
                if not campaign.deliveries.filter(state=State.QUEUED).exists():
                    wait_until(lambda: _is_idle(campaign), [victim, other])
                    give_up_the_dead()
                if blow == "flush":
                    redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
                elif blow == "cut":
                    cuts += 1
                    cut += cut_connections()
                else:
                    kills += 1
                    if blow == "kill whole":
                        victim.kill()
                        victim = start_worker()
                    else:
                        kill_child(victim)
            still_queued = campaign.deliveries.filter(state=State.QUEUED).count()
            log(
                f"the storm is over after {time.monotonic() - began:.0f} s, {still_queued} letters are still in the queue"
            )
            wait_until(lambda: _is_idle(campaign), [victim, other])
            seconds = time.monotonic() - began
            give_up_the_dead()
            wait_until(lambda: not campaign.deliveries.filter(state__in=WAITING).exists(), [victim, other])
            wait_until(lambda: _stage(campaign) == Stage.DONE, [victim, other])
            if web:
                wait_until(lambda: gateway.numbers()["receipts_waiting"] == 0, [web, gateway.running])
        for worker in (victim, other):
            worker.stop()
    states: Counter[str] = Counter()
    for (_channel, state), number in campaign.deliveries.numbers().items():
        states[state] += number
    outcome = Outcome(
        seconds=seconds,
        states=dict(states),
        numbers=gateway.numbers(),
        letters_to=gateway.letters_to(),
        uncertain=numbers_of(campaign, State.UNCERTAIN),
        failed=numbers_of(campaign, State.FAILED),
        kills=kills,
        cut=cut,
        cuts=cuts,
        cpu=sum(watch.cpu.values()),
        peak=max(watch.peak.values()),
    )
    assert set(everyone) >= outcome.letters_to.keys()
    gateway.running.stop()
    log(f"{outcome.states}, the gateway {outcome.numbers}, {cut} connections cut, {outcome.seconds:.1f} s")
    return outcome


def _blows(weather: Weather) -> list[str]:
    blows = [
        *(
            "kill whole" if weather.whole and n % weather.whole == 0 else "kill"
            for n in range(1, weather.kills + 1)
        ),
        *["cut"] * weather.cuts,
        *["flush"] * weather.flushes,
    ]
    random.shuffle(blows)
    return blows


def kill_child(worker: Running) -> None:
    """The process that sends, as when memory runs out; its parent starts another."""
    for child in psutil.Process(worker.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            child.send_signal(signal.SIGKILL)


def cut_connections() -> int:
    """All of the workers' connections to the database."""
    database = connection.settings_dict["NAME"]
    with psycopg.connect(with_path(os.environ["MIGRATE_DATABASE_URL"], "postgres"), autocommit=True) as owner:
        return len(
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = %s",
                [database, APPLICATION],
            ).fetchall()
        )


def numbers_of(campaign: Campaign, state: str) -> set[str]:
    people = campaign.deliveries.filter(state=state).values("person")
    return set(Resident.objects.filter(person__in=people).values_list("cpr", flat=True))


def _stage(campaign: Campaign) -> str:
    return Campaign.objects.values_list("stage", flat=True).get(pk=campaign.pk)


def _is_idle(campaign: Campaign) -> bool:
    """Nothing is queued, and nothing leaves any more: what is still claimed belongs to the dead."""
    if campaign.deliveries.filter(state=State.QUEUED).exists():
        return False
    before = _moved_last(campaign)
    time.sleep(0.8)  # longer than a worker waits for an answer
    return before == _moved_last(campaign) and not campaign.deliveries.filter(state=State.QUEUED).exists()


def _moved_last(campaign: Campaign) -> Any:
    return (
        Delivery.objects.filter(campaign=campaign, left_at__isnull=False)
        .order_by("-left_at")
        .values_list("left_at", "state")
        .first()
    )


def wait_until(true: Callable[[], bool], processes: list[Running], seconds: float = 900) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        for each in processes:
            assert each.process.poll() is None, each.log[-3000:]
        assert time.monotonic() < deadline, "\n".join(each.log[-3000:] for each in processes)
        time.sleep(0.1)
