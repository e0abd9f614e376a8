"""Letters on paper for our own printer: made in parts, kept encrypted until fetched. A part with what exists on paper only (voting
codes) is fetched once, within a week; nobody can make the same one again, so what is lost is sent anew."""

from base64 import b64decode, b64encode
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from audit import clock
from audit.actions import record
from mailouts import paper, permissions, recipients
from mailouts.actions.campaigns import locked
from mailouts.choices import Channel, PaperRoute, Stage, State
from mailouts.content import Prepared
from mailouts.models import Campaign, Delivery, PrintBatch
from mailouts.recipients import Recipient

PART = paper.PART  # letters in one PDF
ONCE_WAITS = timedelta(days=7)  # a print begins when it is due, which may be at a weekend
LOST, NOT_FETCHED = "print_lost", "print_not_fetched"


@transaction.atomic
def make_print_batch(*, campaign: Campaign) -> PrintBatch | None:
    """The next part of a mailout's letters, protected addresses in parts of their own. None when there are no more.

    All of it is one transaction: a worker that dies leaves the letters in the queue, and nothing has left the house.
    """
    campaign = locked(campaign)
    if campaign.stage != Stage.SENDING or campaign.paper_route != PaperRoute.BATCH:
        return None
    waiting = Delivery.objects.due(clock.now()).filter(campaign=campaign, channel=Channel.PAPER)
    first = waiting.order_by("protected", "english", "pk").first()
    if first is None:
        return None
    rows = list(
        waiting.filter(protected=first.protected, english=first.english)
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .values_list("pk", flat=True)[:PART]
    )
    if not rows:
        return None  # somebody else holds them for a moment
    prepared = Prepared.of(campaign)
    people = recipients.read(rows, fields=prepared.fields)
    if not first.protected and (hidden := [who.delivery_id for who in people if who.protected]):
        # Protected since the list was made: they wait for a part of their own.
        Delivery.objects.filter(pk__in=hidden).update(protected=True)
        people = [who for who in people if not who.protected]
    here = [who for who in people if not who.gone and who.name and who.address]
    gone = [who.delivery_id for who in people if who.gone]
    lost = [who.delivery_id for who in people if not who.gone and not (who.name and who.address)]
    Delivery.objects.filter(pk__in=gone).update(state=State.LEFT_OUT, failure_code="gone")
    Delivery.objects.filter(pk__in=lost).update(state=State.FAILED, failure_code="no_address")
    if not here:
        return make_print_batch(campaign=campaign)
    batch = _printed(prepared, here, protected=first.protected)
    Delivery.objects.filter(pk__in=[who.delivery_id for who in here]).update(
        state=State.PRINTED, print_batch=batch
    )
    record(action="mailouts.print", by=None, obj=campaign, values={"letters": batch.letters})
    return batch


def _printed(prepared: Prepared, people: list[Recipient], *, protected: bool) -> PrintBatch:
    pdf, pages = paper.batch_pdf(prepared.letter_to(people[0]), [prepared.sheet(who) for who in people])
    number = prepared.campaign.print_batches.aggregate(most=Max("number"))["most"] or 0
    rows = [
        paper.Row(place, 1 + sum(pages[: place - 1]), count, *_town(who), protected=who.protected)
        for place, (who, count) in enumerate(zip(people, pages, strict=True), 1)
    ]
    return PrintBatch.objects.create(
        campaign=prepared.campaign,
        number=number + 1,
        protected=protected,
        letters=len(people),
        pages=sum(pages),
        once=bool(prepared.fields & recipients.given_when_leaving()),
        pdf=b64encode(pdf).decode(),
        csv=paper.batch_csv(rows).decode("utf-8-sig"),
        made_at=clock.now(),
    )


def _town(who: Recipient) -> tuple[str, str]:
    postcode, _space, city = who.address.rpartition(",")[2].strip().partition(" ")
    return postcode, city


@transaction.atomic
def fetch_print(*, batch: PrintBatch, by: User) -> bytes:
    """Fetching a part is what sends it: from then on its letters are at the printer's. It may be fetched again, unless it is
    one that is fetched once."""
    campaign = locked(batch.campaign)
    permissions.check_work(by, campaign)
    batch = PrintBatch.objects.select_for_update().get(pk=batch.pk)
    if campaign.stage == Stage.STOPPED and batch.fetched_at is None:
        raise Refused("stopped", _("The mailout was stopped. These letters must not be sent."))
    if campaign.stage == Stage.PAUSED and batch.fetched_at is None:
        raise Refused("paused", _("The mailout is paused. Let it go on before you fetch letters."))
    if batch.forgotten_at is not None:
        raise gone()
    now = clock.now()
    if batch.fetched_at is None:
        batch.fetched_at, batch.fetched_by = now, by
        batch.save(update_fields=["fetched_at", "fetched_by"])
        batch.deliveries.filter(state=State.PRINTED).update(state=State.SENT, left_at=now, sent_at=now)
    elif batch.once:
        raise gone()
    content = b64decode(batch.pdf)
    if batch.once:
        batch.pdf = ""
        batch.save(update_fields=["pdf"])
    record(action="mailouts.fetch_print", by=by, obj=campaign, values={"part": batch.number})
    return content


def gone() -> Refused:
    return Refused(
        "gone",
        _("The PDF has been fetched, or its time is over. The codes in it can't be shown again."),
    )


@transaction.atomic
def lose_print(*, batch: PrintBatch, by: User) -> int:
    """The PDF was fetched and is lost, or its letters are: they have failed, and can be sent again with new codes. Returns how
    many."""
    campaign = locked(batch.campaign)
    permissions.check_again(by, campaign)
    batch = PrintBatch.objects.select_for_update().get(pk=batch.pk)
    if not batch.once or batch.fetched_at is None:
        raise Refused("not_fetched", _("Only a part that can be fetched once, and has been, can be lost."))
    lost = batch.deliveries.filter(state=State.SENT).update(state=State.FAILED, failure_code=LOST)
    if not lost:
        raise Refused("lost_already", _("Its letters are reported as lost already."))
    record(action="mailouts.lose_print", by=by, obj=campaign, values={"part": batch.number, "letters": lost})
    return lost


def forget_prints() -> int:
    """Parts that are fetched once and were not within a week, or never will be as the mailout was stopped: the PDF is destroyed.
    Returns how many."""
    due = PrintBatch.objects.filter(
        Q(made_at__lt=clock.now() - ONCE_WAITS) | Q(campaign__stage=Stage.STOPPED),
        once=True,
        fetched_at=None,
        forgotten_at=None,
    )
    return sum(_forget(batch) for batch in due.defer("pdf", "csv"))


@transaction.atomic
def _forget(batch: PrintBatch) -> bool:
    campaign = locked(batch.campaign)
    batch = PrintBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.fetched_at is not None or batch.forgotten_at is not None:
        return False
    batch.pdf, batch.forgotten_at = "", clock.now()
    batch.save(update_fields=["pdf", "forgotten_at"])
    batch.deliveries.filter(state=State.PRINTED).update(state=State.FAILED, failure_code=NOT_FETCHED)
    record(action="mailouts.forget_print", by=None, obj=campaign, values={"part": batch.number})
    return True
