"""The whole house for a story: web and worker in processes of their own, a mail server, a stand-in MitID, a register, and
a clock that all of them read. Nothing in a story is done but through a browser or by the clock."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import BrowserContext

from accounts.models import District, RegisterExtract
from config import mail_sink
from config.celery import app as celery
from config.demo_mitid import PEOPLE
from config.services import free_port
from demo import staff
from mailouts.choices import WAITING
from participation import clock
from participation.models import Notice
from tests.accounts import broker
from tests.accounts.factories import make_resident
from tests.factories import starting_data
from tests.patience import PATIENCE
from tests.processes import Running
from tests.story.people import Visitor


@dataclass
class House:
    url: str
    box: mail_sink.Box
    worker: Running
    new_context: Callable[..., BrowserContext]
    axe: Callable[..., Any]
    visitors: list[Visitor] = field(default_factory=list)

    def visitor(self, name: str, **options: Any) -> Visitor:
        context = self.new_context(base_url=self.url, **options)
        visitor = Visitor(context.new_page(), name, self.axe, options.get("java_script_enabled", True))
        self.visitors.append(visitor)
        return visitor

    def at(self, moment: str) -> None:
        """Move every process's clock there, and let everything that the beat starts have its turn in the worker: twice,
        since what waits for another job (sealing for the close) has its turn a minute later."""
        clock.move(moment)
        self.clock_strikes()
        self.clock_strikes()

    def clock_strikes(self) -> None:
        for entry in settings.CELERY_BEAT_SCHEDULE.values():
            celery.send_task(entry["task"])
        before = self.worker.log.count("participation.remove_names")
        celery.send_task("participation.remove_names")
        self.until(lambda: self._done() and self.worker.log.count("participation.remove_names") > before)
        cache.clear()

    def _done(self) -> bool:
        log = self.worker.log
        received = len(re.findall(r"Task \S+ received", log))
        ended = len(re.findall(r"Task \S+ (?:succeeded|raised)", log))
        return received > 0 and received == ended

    def mails(self, to: str, words: str = "") -> list[mail_sink.Mail]:
        return [mail for mail in self.box.mails(to) if words in mail.header("Subject")]

    def mail(self, to: str, words: str) -> mail_sink.Mail:
        """The one mail about it; two would be one too many."""
        self.until(lambda: bool(self.mails(to, words)), lambda: f"{words!r} among {self.subjects(to)}")
        found = self.mails(to, words)
        assert len(found) == 1, self.subjects(to)
        return found[0]

    def subjects(self, to: str) -> list[str]:
        return [mail.header("Subject") for mail in self.box.mails(to)]

    def all_sent(self) -> None:
        celery.send_task("mailouts.send_post")
        self.until(
            lambda: (
                not Notice.objects.filter(
                    delivery__state__in=WAITING, delivery__purpose__startswith="notice:"
                ).exists()
            ),
            lambda: (
                f"sent: {list(Notice.objects.values_list('title', 'delivery__state', 'delivery__failure'))}"
            ),
        )

    def until(self, true: Callable[[], bool], what: Callable[[], str] = lambda: "it did not happen") -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > deadline:
                pytest.fail(f"{what()}\n{self.worker.log[-3000:]}")
            time.sleep(0.05)


@pytest.fixture(scope="module")
def mitid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with broker.running(tmp_path_factory.mktemp("mitid")) as issuer:
        yield issuer


@pytest.fixture
def box(tmp_path: Path) -> Iterator[tuple[mail_sink.Box, int]]:
    smtp, pages = free_port(), free_port()
    receiver, server = mail_sink.serve("127.0.0.1", smtp_port=smtp, page_port=pages, folder=tmp_path / "mail")
    yield mail_sink.Box(tmp_path / "mail"), smtp
    server.shutdown()
    server.server_close()
    receiver.stop()


@pytest.fixture
def house(
    transactional_db: None,
    box: tuple[mail_sink.Box, int],
    mitid: str,
    web_process: Callable[..., Running],
    celery_worker_process: Callable[..., Running],
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
) -> Iterator[House]:
    """Staff are hired and the register is there; everything else is for the story to do."""
    cache.clear()
    starting_data()
    staff.hire()
    districts = [
        District.objects.create(kind=District.Kind.SCHOOL, code=code, name=name)
        for code, name in (("0001", "Nørreby"), ("0002", "Søby"), ("0003", "Aaby"))
    ]
    extract = RegisterExtract.objects.create(
        drawn_on=date(2026, 12, 1),
        imported_at=clock.now(),
        valid_until=date(2028, 1, 1),
        sha256="0" * 64,
    )
    for number, person in enumerate(one for one in PEOPLE if one.lives_here):
        make_resident(
            extract=extract,
            birth_date=person.birth_date,
            cpr=person.cpr,
            sex=person.sex,
            name=person.name,
            school_district=districts[number % 3],
        )
    mails, port = box
    env = {"MITID_ISSUER": mitid, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
    web = web_process(workers=1, threads=6, env=env)
    worker = celery_worker_process(env=env | {"SITE_URL": web.url})
    yield House(web.url, mails, worker, new_context, axe)
    assert "Traceback" not in web.log, web.log[-4000:]
    assert "Traceback" not in worker.log, worker.log[-4000:]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A story that broke off says where each of its people stood."""
    report = yield
    house = getattr(item, "funcargs", {}).get("house")
    if house is not None and call.when == "call" and report.failed:
        for visitor in house.visitors:
            report.sections.append((f"{visitor.name} at {visitor.path}", visitor.text[-2500:]))
    return report
