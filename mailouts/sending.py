"""What a worker does: takes a batch, lets one letter leave at a time, and notes what came of it.

Nobody gets two: a letter is written down as leaving before it leaves (`mailouts.queue.step`), and what nobody answers for is
uncertain. Memory is that of one batch.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from accounts.verdict import Refused
from audit import clock
from mailouts import health, memo, queue, recipients, stopping
from mailouts.choices import Channel, PaperRoute, State
from mailouts.content import Prepared
from mailouts.email import Mail, RecipientRefused
from mailouts.gateway import Choice, Gateway, NotTaken, Paper, Service, Unanswered, open_gateway
from mailouts.models import Campaign
from mailouts.queue import Note
from mailouts.recipients import Recipient

T = TypeVar("T")
log = logging.getLogger(__name__)

REGISTERED_FOR_NOTHING = "not_registered"


class Sender:
    """One worker's run: its connections and the mailouts it has made ready."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None
        self._mail = Mail()
        self._prepared: dict[tuple[int, str], Prepared] = {}
        self._asked_at = -60.0
        self._on_trial: frozenset[str] = frozenset()

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *raised: object) -> None:
        if self._gateway is not None:
            self._gateway.close()
        self._mail.close()

    @property
    def gateway(self) -> Gateway:
        if self._gateway is None:
            self._gateway = open_gateway()
        return self._gateway

    def run(self, seconds: float = queue.WORK_FOR) -> int:
        """Sends what is due until there is nothing more, the time is up or the worker is asked to stop. Returns how many
        were taken."""
        with stopping.heeded():
            return self._run(time.monotonic() + seconds)

    def _run(self, until: float) -> int:
        taken = 0
        while time.monotonic() < until and not stopping.asked():
            claimed = False
            campaigns = queue.under_way()
            for campaign in campaigns:
                done = self.send_batch(campaign, until=until)
                if done is not None:
                    claimed = True
                    taken += done
            if not claimed:
                if not any(campaign.per_minute for campaign in campaigns):
                    break
                time.sleep(0.5)  # the speed limit: soon there is a letter again
        return taken

    def send_batch(self, campaign: Campaign, *, until: float) -> int | None:
        """How many of one batch were taken; None when there was nothing to claim."""
        now = clock.now()
        open_ways = self._open_ways(campaign, now)
        if not open_ways:
            return None
        trial = {health.circuit(channel, campaign.paper_route) for channel in open_ways} & health.on_trial()
        claimed_by, ids = queue.claim(
            campaign, most=1 if trial else queue.BATCH, channels=frozenset(open_ways)
        )
        if not ids:
            return None
        prepared = self._prepare(campaign)
        try:
            people = queue.patiently(lambda: recipients.read(ids, fields=prepared.fields, numbers=True))
        except Refused as refused:  # no register: they wait, and the mailout's page says why
            log.warning("mailout %s waits: %s", campaign.pk, refused.code)
            queue.let_go(claimed_by)
            return None
        return self._send(prepared, claimed_by, people, until=until)

    def _open_ways(self, campaign: Campaign, now: datetime) -> set[str]:
        resting = health.resting(now)
        return {
            channel
            for channel in Channel.values
            if health.circuit(channel, campaign.paper_route) not in resting
            and not (channel == Channel.PAPER and campaign.paper_route == PaperRoute.BATCH)
        }

    def _prepare(self, campaign: Campaign) -> Prepared:
        key = (campaign.pk, campaign.text_hash)
        if key not in self._prepared:
            self._prepared[key] = Prepared.of(campaign)
        return self._prepared[key]

    def _send(self, prepared: Prepared, claimed_by: UUID, people: list[Recipient], *, until: float) -> int:
        note: Note | None = None
        taken = 0
        stopped = False
        troubled: set[str] = set()
        for who in people:
            if stopped or time.monotonic() > until or stopping.asked():
                break
            refusal = self._cannot(who)
            may_leave = queue.step(claimed_by, note=note, leaves=who.delivery_id)
            note = None
            if not may_leave:
                # Paused or stopped, or given up as dead by others: whatever it is, nothing more leaves here.
                break
            if refusal is not None:
                note = refusal
                continue
            on = health.circuit(who.channel, prepared.campaign.paper_route)
            try:
                self._leave(prepared, who)
            except NotTaken as error:
                note = self._not_taken(prepared, who, error)
                if error.gateway:
                    health.failed(on, str(error), clock.now())
                    stopped = True
            except Unanswered as error:
                note = queue.unanswered(who.delivery_id, clock.now(), str(error))
                health.failed(on, str(error), clock.now())
                troubled.add(on)
                stopped = on in health.resting(clock.now())
            except Exception as error:
                # Nobody knows whether it left. What went wrong is named by its kind alone: a text could hold a name.
                log.error("nobody knows whether a letter left: %s", type(error).__name__)
                note = queue.unanswered(who.delivery_id, clock.now(), type(error).__name__)
            else:
                note = queue.sent(who.delivery_id, clock.now())
                taken += 1
                if on in troubled or self._was_troubled(on):
                    health.worked(on, clock.now())
                    troubled.discard(on)
        if note is not None:
            queue.step(claimed_by, note=note, leaves=None)
        queue.let_go(claimed_by)
        return taken

    def _was_troubled(self, on: str) -> bool:
        """Asked of the database seldom: only while it says that the circuit is on trial."""
        now = time.monotonic()
        if now - self._asked_at > 2:
            self._asked_at = now
            self._on_trial = health.on_trial()
        return on in self._on_trial

    def _cannot(self, who: Recipient) -> Note | None:
        """What stands in the way of sending this one at all."""
        if who.gone:
            return Note(who.delivery_id, State.LEFT_OUT, clock.now(), "gone")
        match who.channel:
            case Channel.EMAIL:
                missing = not who.email
            case Channel.PAPER:
                missing = not (who.name and who.address)
            case _:
                missing = not (who.cpr or who.cvr)
        return Note(who.delivery_id, State.FAILED, clock.now(), "no_address") if missing else None

    def _leave(self, prepared: Prepared, who: Recipient) -> None:
        match who.channel:
            case Channel.EMAIL:
                mail = _made(lambda: prepared.email(who))
                self._mail.send(mail)
            case Channel.NEMSMS:
                xml = _made(lambda: memo.write(prepared.sms(who), version=prepared.version))
                if not self.gateway.is_registered(who.cpr or who.cvr, Service.NEMSMS):
                    raise NotRegistered("not registered for NemSMS")
                self.gateway.send(xml, uuid=who.uuid, choice=Choice.NEMSMS)
            case Channel.PAPER:
                xml, pdf = _made(lambda: self._with_pdf(prepared, who))
                printed = Paper(identifier=who.uuid.hex, pdf=pdf)
                self.gateway.send(xml, uuid=who.uuid, choice=Choice.PHYSICAL, paper=printed)
            case _:
                xml = _made(lambda: prepared.written(who, at=clock.now()))
                self.gateway.send(xml, uuid=who.uuid, choice=Choice.DIGITAL)

    def _with_pdf(self, prepared: Prepared, who: Recipient) -> tuple[bytes, bytes]:
        return prepared.written(who, at=clock.now()), prepared.pdf(who)

    def _not_taken(self, prepared: Prepared, who: Recipient, error: NotTaken) -> Note:
        code = ""
        if isinstance(error, NotRegistered):
            code = REGISTERED_FOR_NOTHING
        elif isinstance(error, RecipientRefused):
            from mailouts.actions.addresses import disable

            disable(email=who.email, reason=str(error))
            code = "recipient_refused"
        return queue.not_taken(
            who.delivery_id,
            clock.now(),
            str(error),
            attempts=who.attempts + 1,
            final=error.final,
            code=code,
        )


class NotRegistered(NotTaken):
    """The gateway knows that this channel doesn't reach them."""

    def __init__(self, why: str) -> None:
        super().__init__(why, final=True)


def _made(make: Callable[[], T]) -> T:
    """Writing a letter sends nothing: whatever goes wrong in it, the letter has certainly not left."""
    try:
        return make()
    except Exception as error:
        raise NotTaken(f"could not be written: {type(error).__name__}", final=True) from error
