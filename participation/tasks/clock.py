"""What the clock does: opening, closing, telling that a phase has begun, and reminding managers of what is overdue.

Each looks at what is due now, however long ago that was, so a worker that was down makes up for it at once. Running
twice does nothing twice: a step needs its status, and a notice exists once per person and event.
"""

import logging
from datetime import timedelta

from celery import shared_task
from django.core.mail import send_mail
from django.db import transaction
from django.db.utils import OperationalError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.verdict import Refused
from audit.actions import record
from audit.models import Entry
from participation import announcements, clock, duties, lifecycle, notices, phases
from participation.choices import Status
from participation.models import Notice, Phase, Process
from participation.principles.base import shown

logger = logging.getLogger(__name__)
# How long after its beginning a phase is still news.
NEWS_FOR = timedelta(days=2)
# A process that was never opened is opened and then closed in the same run.
MOST_STEPS = 2


@shared_task(  # type: ignore[untyped-decorator]
    name="participation.move_by_the_clock",
    autoretry_for=(OperationalError,),
    max_retries=3,
    default_retry_delay=5,
)
def move_by_the_clock() -> int:
    """Open and close what is due. Returns how many steps were taken."""
    taken = 0
    for pk in Process.objects.due(clock.now()).values_list("pk", flat=True):
        for _step in range(MOST_STEPS):
            if not _move(pk):
                break
            taken += 1
    return taken


def _move(pk: int) -> bool:
    """One step of one process, unless another worker has it or it is refused."""
    now = clock.now()
    with transaction.atomic():
        process = (
            Process.objects.due(now).select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
        )
        if process is None:
            return False
        name = "open" if process.status == Status.APPROVED else "close"
        try:
            with transaction.atomic():
                lifecycle.perform(process=process, name=name, by=None, at=now)
        except Refused as refused:
            logger.warning("process %s could not %s by the clock: %s", pk, name, refused.code)
            day = clock.today().isoformat()
            announcements.could_not(process=process, name=name, reason=refused.reason, day=day)
            return False
    return True


@shared_task(  # type: ignore[untyped-decorator]
    name="participation.tell_of_phases",
    autoretry_for=(OperationalError,),
    max_retries=3,
    default_retry_delay=5,
)
def tell_of_phases() -> int:
    """Tell followers that a phase inside an open process has begun (the first is told when the process opens)."""
    now = clock.now()
    begun = (
        Phase.objects.filter(
            process__status=Status.OPEN,
            interval__startswith__gt=now - NEWS_FOR,
            interval__startswith__lte=now,
        )
        .exclude(interval__startswith=_opening())
        .select_related("process")
    )
    told = 0
    for phase in begun:
        title = format_lazy(_("“{title}”: {phase} has begun"), title=phase.process.title, phase=_label(phase))
        text = format_lazy(
            _("Until {when}. {question}"),
            when=phases.closing_moment(phase.interval.upper),
            question=phase.process.heading,
        )
        with transaction.atomic():
            told += notices.tell_about(
                process=phase.process,
                event=f"phase:{phase.pk}:began",
                kind=Notice.Kind.PHASE,
                title=title,
                text=text,
            )
    return told


def _opening() -> object:
    from django.db.models import F

    return F("process__opens_at")


def _label(phase: Phase) -> object:
    from participation import formats

    kind = formats.get(phase.process.format).phase_kind(phase.kind)
    return kind.label if kind else phase.kind


@shared_task(  # type: ignore[untyped-decorator]
    name="participation.remind_of_overdue",
    autoretry_for=(OperationalError,),
    max_retries=3,
    default_retry_delay=60,
)
def remind_of_overdue() -> int:
    """Each overdue duty reaches the managers of its unit once; where there is none, the unit's own inbox."""
    told = 0
    for duty in duties.overdue():
        event = f"duty:{duty.kind}:{duty.process.pk}:{duty.due_on.isoformat()}"
        managers = announcements.managers_of(duty.process)
        if managers:
            with transaction.atomic():
                told += notices.tell(
                    users=managers,
                    event=event,
                    kind=Notice.Kind.DUTY,
                    title=format_lazy(
                        _("Overdue: {duty} – {title}"), duty=duty.label, title=duty.process.title
                    ),
                    text=format_lazy(
                        _("It was due on {date}. The owner is {owner}."),
                        date=shown(duty.due_on),
                        owner=str(duty.owner),
                    ),
                    url=duty.process.get_absolute_url(),
                    process=duty.process,
                )
        else:
            told += _mail_unit(duty, event)
    return told


def _mail_unit(duty: duties.Duty, event: str) -> int:
    """The audit row is the fact that it was sent: written first, so that a broken send is not repeated daily."""
    with transaction.atomic():
        Process.objects.select_for_update(of=("self",)).get(pk=duty.process.pk)
        if Entry.objects.filter(
            action="duty.overdue", process_id=duty.process.pk, values__event=event
        ).exists():
            return 0
        record(action="duty.overdue", by=None, obj=duty.process, values={"event": event})
    subject = format_lazy(_("Overdue: {duty} – {title}"), duty=duty.label, title=duty.process.title)
    send_mail(str(subject), str(subject), None, [duty.process.unit.email])
    return 1
