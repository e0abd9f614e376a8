"""What one letter costs a worker, against the least it could cost: its content in base64 and one HTTP request of its size.

The yardstick uses the same library on one connection that stays open, to the same stand-in in the same run. `bare` is answered
as soon as the body has been read; `gateway` is the gateway's own address with a real letter, so its waiting is in it.
"""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import urllib3
from django.conf import settings
from django.db import connection

from audit import clock
from mailouts import memo, recipients, sf1601
from mailouts.content import Prepared
from mailouts.gateway import Choice
from mailouts.models import Campaign
from mailouts.sending import Sender
from tests.mailouts.storm import SENDER, StandIn

IN_A_ROW = 100  # letters; then the yardstick's turn, so that a busy moment of the machine meets both
UNDISTURBED = 86_400.0  # seconds


@dataclass(frozen=True)
class Cost:
    """Seconds for one letter or request: the middle of all rounds."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Costs:
    ours: Cost
    bare: Cost
    gateway: Cost
    body: int  # bytes of the request

    @property
    def cpu(self) -> float:
        return self.ours.cpu / self.bare.cpu

    @property
    def wall(self) -> float:
        return self.ours.wall / self.bare.wall


def against(gateway: StandIn) -> dict[str, Any]:
    """DIGITAL_POST for letters that this process sends."""
    return settings.DIGITAL_POST | {"url": gateway.url, "sender_cvr": SENDER}


def measure(campaign: Campaign, gateway: StandIn, *, rounds: int) -> Costs:
    """`campaign` is being sent and has at least (rounds + 1) · IN_A_ROW letters due. The first round warms up."""
    content, body = _example(campaign)
    pool = urllib3.connection_from_url(gateway.url, maxsize=1)
    token = _token(pool)
    headers = {
        "Authorization": f"Holder-of-key {token}",
        "Accept": "application/xml",
        "Content-Type": "application/xml",
    }

    def request(path: str) -> Callable[[], int]:
        def send_all() -> int:
            for _ in range(IN_A_ROW):
                base64.b64encode(content)
                answer = pool.urlopen("POST", path, body=body, headers=headers, retries=False)
                assert answer.status == 200, answer.data
            return IN_A_ROW

        return send_all

    connection.ensure_connection()
    with Sender() as sender:

        def send_letters() -> int:
            done = 0
            while done < IN_A_ROW:
                taken = sender.send_batch(campaign, until=time.monotonic() + UNDISTURBED)
                assert taken
                done += taken
            return done

        found: list[list[Cost]] = [[], [], []]
        for number in range(rounds + 1):
            for place, work in enumerate((send_letters, request("/tom"), request(sf1601.KOMBI))):
                cost = _cost(work)
                if number:
                    found[place].append(cost)
    pool.close()
    ours, bare, whole = (
        Cost(statistics.median(each.cpu for each in costs), statistics.median(each.wall for each in costs))
        for costs in found
    )
    return Costs(ours, bare, whole, len(body))


def _cost(work: Callable[[], int]) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    done = work()
    return Cost((time.process_time() - cpu) / done, (time.perf_counter() - wall) / done)


def _example(campaign: Campaign) -> tuple[bytes, bytes]:
    """A letter's content, and the request's body with it."""
    prepared = Prepared.of(campaign)
    pk = campaign.deliveries.order_by("-pk").values_list("pk", flat=True)[:1]
    who = recipients.read(list(pk), fields=prepared.fields)[0]
    who.uuid = uuid4()
    message = prepared.message(who, at=clock.now())
    assert message.body is not None
    content = message.body.main.files[0].content
    assert content
    return content, sf1601.request_body(memo.write(message, version=prepared.version), Choice.DIGITAL)


def _token(pool: urllib3.HTTPConnectionPool) -> str:
    answer = pool.request("POST", sf1601.TOKEN, fields={"saml-token": "x"}, encode_multipart=False)
    return str(answer.json()["access_token"])
