"""What one letter costs a worker, against the least it could cost: its content in base64 and one HTTP request of its size.

The yardstick uses the same library on one connection that stays open, to the same stand-in, and takes turns with the letters:
after each letter one request, so that both find the machine as the other left it. `gateway` is the gateway's own address with a
real letter, whose answer takes the stand-in as long as ours; `bare` is answered as soon as the body has been read.
"""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import urllib3
from django.conf import settings

from audit import clock
from mailouts import memo, queue, recipients, sf1601
from mailouts.content import Prepared
from mailouts.gateway import Choice, Gateway, Paper, Service, open_gateway
from mailouts.models import Campaign
from mailouts.sending import Sender
from tests.mailouts.storm import SENDER, StandIn

UNDISTURBED = 86_400.0  # seconds


@dataclass(frozen=True)
class Cost:
    """Seconds for one letter or request."""

    cpu: float
    wall: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.cpu - other.cpu, self.wall - other.wall)

    def __truediv__(self, letters: int) -> Cost:
        return Cost(self.cpu / letters, self.wall / letters)


@dataclass(frozen=True)
class Costs:
    """A list for each, of as many rounds. A ratio is the middle of those of the rounds, since the machine changes its pace."""

    ours: list[Cost]
    bare: list[Cost]
    gateway: list[Cost]
    body: int  # bytes of the request

    def times(self, against: str, what: str) -> float:
        """How many times a request costs what a letter costs: against "bare" or "gateway", in "cpu" or "wall"."""
        pairs = zip(self.ours, getattr(self, against), strict=True)
        return statistics.median(getattr(mine, what) / getattr(other, what) for mine, other in pairs)

    def middle(self, whose: str, what: str) -> float:
        return statistics.median(getattr(each, what) for each in getattr(self, whose))


def against(gateway: StandIn) -> dict[str, Any]:
    """DIGITAL_POST for letters that this process sends."""
    return settings.DIGITAL_POST | {"url": gateway.url, "sender_cvr": SENDER}


class Turns:
    """A worker's gateway that lets the yardstick have its turn after each letter."""

    def __init__(self, real: Gateway, yardsticks: dict[str, Callable[[], None]]) -> None:
        self.real = real
        self.yardsticks = yardsticks
        self.spent: dict[str, Cost] = {}

    def send(self, xml: bytes, *, uuid: UUID, choice: Choice, paper: Paper | None = None) -> None:
        self.real.send(xml, uuid=uuid, choice=choice, paper=paper)
        for name, request in self.yardsticks.items():
            self.spent[name] = self.spent.get(name, Cost(0, 0)) + _cost(request)

    def is_registered(self, number: str, service: Service) -> bool:
        return self.real.is_registered(number, service)

    def close(self) -> None:
        self.real.close()


def measure(campaign: Campaign, gateway: StandIn, *, rounds: int) -> Costs:
    """`campaign` is being sent and has rounds + 1 batches due. The first round warms up."""
    content, body = _example(campaign)
    pool = urllib3.connection_from_url(gateway.url, maxsize=1)
    headers = {
        "Authorization": f"Holder-of-key {_token(pool)}",
        "Accept": "application/xml",
        "Content-Type": "application/xml",
    }

    def request(path: str) -> Callable[[], None]:
        def send() -> None:
            base64.b64encode(content)
            answer = pool.urlopen("POST", path, body=body, headers=headers, retries=False)
            assert answer.status == 200, answer.data

        return send

    costs = Costs([], [], [], body=len(body))
    with Sender() as sender:
        sender._gateway = turns = Turns(
            open_gateway(), {"gateway": request(sf1601.KOMBI), "bare": request("/tom")}
        )

        def send_batch() -> None:
            (campaign,) = queue.under_way()  # as `Sender.run` does
            assert sender.send_batch(campaign, until=time.monotonic() + UNDISTURBED) == queue.BATCH

        for number in range(rounds + 1):
            turns.spent.clear()
            whole = _cost(send_batch)
            if number:
                bare, real = turns.spent["bare"], turns.spent["gateway"]
                costs.ours.append((whole - bare - real) / queue.BATCH)
                costs.bare.append(bare / queue.BATCH)
                costs.gateway.append(real / queue.BATCH)
    pool.close()
    return costs


def _cost(work: Callable[[], None]) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def _example(campaign: Campaign) -> tuple[bytes, bytes]:
    """A letter's content, and the request's body with it."""
    prepared = Prepared.of(campaign)
    pk = campaign.deliveries.order_by("-pk").values_list("pk", flat=True)[:1]
    who = recipients.read(list(pk), fields=prepared.fields, numbers=True)[0]
    who.uuid = uuid4()
    message = prepared.message(who, at=clock.now())
    assert message.body is not None
    content = message.body.main.files[0].content
    assert content
    return content, sf1601.request_body(memo.write(message, version=prepared.version), Choice.DIGITAL)


def _token(pool: urllib3.HTTPConnectionPool) -> str:
    answer = pool.request("POST", sf1601.TOKEN, fields={"saml-token": "x"}, encode_multipart=False)
    return str(answer.json()["access_token"])
