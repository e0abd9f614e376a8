"""What was decided, what it changed, and where it was told."""

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from mailouts.choices import ARRIVED, State
from participation import clock, notices
from participation.choices import Moderation
from participation.models import (
    CoAuthor,
    CommitteeMeeting,
    Contribution,
    Decision,
    Impact,
    NewsItem,
    Notice,
    NoticePreference,
    Process,
)
from participation.models.contributions import STANDING, ContributionQuerySet
from participation.permissions.contributions import (
    check_publish_news,
    check_record_decision,
    check_tell_what_changed,
)
from participation.texts import clean


@transaction.atomic
def record_decision(
    *,
    process: Process,
    by: User,
    decided_on: date,
    body: str,
    text: str,
    differs_because: str = "",
    url: str = "",
    meeting: CommitteeMeeting | None = None,
) -> Decision:
    """What the council or committee decided. Told to everyone who follows or took part."""
    process = Process.objects.select_for_update().get(pk=process.pk)
    check_record_decision(by, process)
    if decided_on > clock.today():
        raise Refused("in_future", _("The day of the decision can't be in the future."), "decided_on")
    decision = Decision.objects.create(
        process=process,
        decided_on=decided_on,
        body=clean(body, "body", longest=160),
        text=clean(text, "text", longest=6000),
        differs_because=clean(differs_because, "differs_because", longest=3000, required=False),
        url=_address(url),
        meeting=meeting,
        recorded_by=by,
        recorded_at=clock.now(),
    )
    record(action="process.record_decision", by=by, obj=decision, values={"decided_on": decided_on})
    notices.tell_about(
        process=process,
        event=f"decision:{decision.pk}",
        kind=Notice.Kind.DECISION,
        title=format_lazy("{}: {}", gettext_lazy("It has been decided"), process.title),
        text=_with_reason(decision),
        by=by,
    )
    return decision


@transaction.atomic
def record_impact(
    *, process: Process, by: User, text: str, contributions: Iterable[Contribution] = ()
) -> Impact:
    """Aftryk: what changed, because of which contributions."""
    process = Process.objects.select_for_update().get(pk=process.pk)
    check_tell_what_changed(by, process)
    because = list(contributions)
    if any(each.process_id != process.pk for each in because):
        raise Refused("other_process", _("A contribution belongs to another process."), "contributions")
    impact = Impact.objects.create(
        process=process, text=clean(text, "text", longest=3000), recorded_by=by, recorded_at=clock.now()
    )
    impact.contributions.set(because)
    record(
        action="process.record_impact",
        by=by,
        obj=impact,
        values={"contributions": [each.pk for each in because]},
    )
    notices.tell_about(
        process=process,
        event=f"impact:{impact.pk}",
        kind=Notice.Kind.IMPACT,
        title=format_lazy("{}: {}", gettext_lazy("This is what you changed"), process.title),
        text=impact.text,
        by=by,
    )
    return impact


@transaction.atomic
def state_nothing_changed(*, process: Process, by: User, reason: str) -> Process:
    process = Process.objects.select_for_update().get(pk=process.pk)
    check_tell_what_changed(by, process)
    process.nothing_changed_because = clean(reason, "reason", longest=3000)
    process.updated_at = clock.now()
    process.save(update_fields=["nothing_changed_because", "updated_at"])
    record(action="process.state_nothing_changed", by=by, obj=process, changed=["nothing_changed_because"])
    notices.tell_about(
        process=process,
        event=f"process:{process.pk}:nothing-changed",
        kind=Notice.Kind.IMPACT,
        title=format_lazy("{}: {}", gettext_lazy("What came of it"), process.title),
        text=process.nothing_changed_because,
        by=by,
    )
    return process


@transaction.atomic
def state_told_outside(*, process: Process, by: User, how: str, on: date) -> Process:
    """The result was told in one channel outside the portal."""
    process = Process.objects.select_for_update().get(pk=process.pk)
    check_tell_what_changed(by, process)
    if on > clock.today():
        raise Refused("in_future", _("The day can't be in the future."), "told_outside_on")
    process.told_outside_how, process.told_outside_on = clean(how, "told_outside_how", longest=200), on
    process.updated_at = clock.now()
    process.save(update_fields=["told_outside_how", "told_outside_on", "updated_at"])
    record(
        action="process.state_told_outside",
        by=by,
        obj=process,
        changed=["told_outside_how", "told_outside_on"],
    )
    return process


@transaction.atomic
def publish_news(*, process: Process, by: User, title: str, text: str) -> NewsItem:
    check_publish_news(by, process)
    news = NewsItem.objects.create(
        process=process,
        title=clean(title, "title", longest=160),
        text=clean(text, "text", longest=6000),
        published_at=clock.now(),
        by=by,
    )
    record(action="process.publish_news", by=by, obj=news)
    notices.tell_about(
        process=process,
        event=f"news:{news.pk}",
        kind=Notice.Kind.NEWS,
        title=news.title,
        text=news.text,
        by=by,
    )
    return news


def unanswered(process: Process) -> QuerySet[Contribution]:
    """What still lacks an outcome with a reason, of its own or through its theme."""
    return process.contributions.standing().filter(Q(outcome="") & (Q(theme=None) | Q(theme__outcome="")))


def untold(process: Process) -> QuerySet[Contribution]:
    return untold_among(process.contributions.all())


def untold_among(contributions: ContributionQuerySet) -> ContributionQuerySet:
    """Those with an author or co-author who has not been told: no delivered notice and no recorded route or "no route".

    Delivered is sent, or read on My page, or shown there to someone who has chosen to have no e-mail. An author whose
    account is gone, with no address left behind, has no route: nobody can be told. Who has an account and whose
    contribution was gathered into another hears with the one it went on as; who has none must still be told.
    """
    only_shown = Q(delivery=None) | Q(delivery__state__in=[State.LEFT_OUT, State.CANCELLED])
    delivered = (
        Q(delivery__state__in=ARRIVED)
        | Q(read_at__isnull=False)
        | (only_shown & Q(user__notice_preference__rhythm=NoticePreference.Rhythm.NONE))
    )

    def answered(user: str, contribution: str, theme: str) -> Q:
        answers = Notice.objects.filter(delivered, user=OuterRef(user), kind=Notice.Kind.ANSWER)
        own = Concat(Value("contribution:"), Cast(OuterRef(contribution), CharField()), Value(":answer:"))
        together = Concat(Value("theme:"), Cast(OuterRef(theme), CharField()), Value(":answer:"))
        return Q(Exists(answers.filter(event__startswith=own))) | Q(
            Exists(answers.filter(event__startswith=together))
        )

    gone = Q(author=None, recorded_by=None)
    author_unheard = ~gone & ~answered("author", "pk", "theme")
    unheard = (
        CoAuthor.objects.accepted()
        .filter(contribution=OuterRef("pk"))
        .exclude(answered("user", "contribution", "contribution__theme"))
    )
    gathered = Q(moderation=Moderation.MERGED, author=None, recorded_by__isnull=False)
    return contributions.filter(STANDING & (author_unheard | Q(Exists(unheard))) | gathered, told_at=None)


def _address(url: str) -> str:
    url = clean(url, "url", longest=200, required=False)
    if url:
        try:
            URLValidator(schemes=["https", "http"])(url)
        except ValidationError as error:
            raise Refused("not_an_address", _("This is not a web address."), "url") from error
    return url


def _with_reason(decision: Decision) -> str:
    return "\n\n".join(part for part in (decision.text, decision.differs_because) if part)
