"""What runs in the background. Every job looks back instead of assuming that it ran last time."""

import logging
from collections.abc import Callable

from celery import shared_task
from django.db.models import Q

from accounts.verdict import Refused
from audit import clock
from mailouts import actions, post, queue
from mailouts.choices import OVER, PaperRoute, Stage
from mailouts.models import Campaign
from mailouts.sending import Sender

log = logging.getLogger(__name__)
ELSEWHERE = frozenset({"not_approved", "frozen"})  # another worker was first


@shared_task(name="mailouts.send_letters")
def send_letters() -> int:
    """Starts what is approved and due, sends, prints, and ends what is done. Any number of workers may do it at once."""
    queue.give_up_interrupted()
    queue.cancel_stopped()
    start_due()
    with Sender() as sender:
        taken = sender.run()
    finish_done()
    return taken


@shared_task(name="mailouts.send_post")
def send_post() -> int:
    """Letters one at a time: notices and digests that are due. Any number of workers may do it at once."""
    queue.give_up_interrupted()
    return post.send_due()


@shared_task(name="mailouts.build_lists")
def build_lists() -> int:
    """The lists that somebody has asked for."""
    asked = Campaign.objects.filter(stage=Stage.DRAFT, list_asked_at__isnull=False)
    return sum(_done(actions.build_list, campaign) for campaign in asked.order_by("list_asked_at"))


@shared_task(name="mailouts.make_prints")
def make_prints() -> int:
    """Parts of the mailouts that go to our own printer, one at a time, until there are none."""
    made = 0
    for campaign in Campaign.objects.filter(stage=Stage.SENDING, paper_route=PaperRoute.BATCH):
        while _done(actions.make_print_batch, campaign):
            made += 1
    return made


@shared_task(name="mailouts.delete_old_content")
def delete_old_content() -> int:
    """Letters whose time is over, and prints that hold codes and were not fetched in time."""
    actions.forget_prints()
    old = Campaign.objects.filter(stage__in=OVER, content_deleted_at=None)
    return sum(actions.delete_content(campaign=campaign) for campaign in old.iterator())


def start_due() -> int:
    due = Campaign.objects.filter(Q(start_at=None) | Q(start_at__lte=clock.now()), stage=Stage.APPROVED)
    return sum(_done(actions.start, campaign) for campaign in due)


def finish_done() -> int:
    return sum(actions.finish(campaign=campaign) for campaign in Campaign.objects.filter(stage=Stage.SENDING))


def _done(act: Callable[..., object], campaign: Campaign) -> int:
    """One that is refused doesn't hold up the others; why is shown where the mailout is."""
    try:
        done = act(campaign=campaign)
    except Refused as refused:
        if refused.code not in ELSEWHERE:
            log.warning("mailout %s: %s", campaign.pk, refused.code)
        return 0
    return int(done is not None)
