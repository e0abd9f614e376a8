"""Mailouts for tests, brought to their stage by the real actions."""

import itertools
from typing import Any
from uuid import UUID

from accounts.models import Unit, User
from mailouts import actions
from mailouts.choices import Stage
from mailouts.gateway import Choice, NotTaken, Paper, Service, Unanswered
from mailouts.models import Campaign
from tests.accounts.factories import make_staff, make_unit

_numbers = itertools.count(1)


class Gateway:
    """A gateway in this process: what it took, and what it is to answer next ("ok", "fail", "final", "down", "silent",
    "lost"). It never drops a message for having seen its UUID before."""

    taken: list[tuple[UUID, str, bytes]] = []
    papers: list[bytes] = []
    answers: list[str] = []
    registered = True

    @classmethod
    def forget(cls) -> None:
        cls.taken, cls.papers, cls.answers, cls.registered = [], [], [], True

    def send(self, memo: bytes, *, uuid: UUID, choice: Choice, paper: Paper | None = None) -> None:
        answer = self.answers.pop(0) if self.answers else "ok"
        match answer:
            case "fail":
                raise NotTaken("busy with something else")
            case "final":
                raise NotTaken("not like this", final=True)
            case "down":
                raise NotTaken("no connection", gateway=True)
            case "lost":
                raise Unanswered("no answer")
        type(self).taken.append((uuid, choice, memo))
        type(self).papers += [paper.pdf] if paper else []
        if answer == "silent":
            raise Unanswered("no answer")

    def is_registered(self, number: str, service: Service) -> bool:
        return self.registered

    def close(self) -> None:
        pass


def make_campaign(
    *,
    stage: str = Stage.DRAFT,
    by: User | None = None,
    second: User | None = None,
    unit: Unit | None = None,
    source: dict[str, Any] | None = None,
    kind: str = "register",
    **fields: Any,
) -> Campaign:
    """A mailout to everyone on the register, unless told otherwise."""
    unit = unit or (by.units.get() if by else make_unit())
    by = by or make_staff(units=[unit])
    number = next(_numbers)
    campaign = actions.create_campaign(
        by=by,
        unit=unit,
        title=f"Udsendelse {number}",
        **{"subject": f"Et brev til {{fornavn}} ({number})", "text": "Kære {navn}\n\nSådan er det."} | fields,
    )
    if source is None and kind == "register":
        source = {}
    if source is not None:
        actions.add_source(campaign=campaign, by=by, kind=kind, params=source)
    return bring_to(campaign, stage, by=by, second=second)


def bring_to(campaign: Campaign, stage: str, *, by: User, second: User | None = None) -> Campaign:
    if stage == Stage.DRAFT:
        return Campaign.objects.get(pk=campaign.pk)
    campaign = actions.build_list(campaign=campaign)
    campaign = actions.edit_campaign(campaign=campaign, by=by, expected=campaign.list_numbers["letters"])
    campaign = actions.send_test(campaign=campaign, by=by)
    campaign = actions.freeze(campaign=campaign, by=by)
    if stage == Stage.FROZEN:
        return campaign
    second = second or make_staff(units=[campaign.unit])
    campaign = actions.approve(campaign=campaign, by=second, typed=campaign.count)
    if stage == Stage.APPROVED:
        return campaign
    campaign = actions.start(campaign=campaign)
    if stage == Stage.PAUSED:
        campaign = actions.pause(campaign=campaign, by=by)
    return campaign
