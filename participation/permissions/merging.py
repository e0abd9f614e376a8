"""Who may gather contributions that say the same into one, and split them again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused, Verdict, verdict
from participation import clock, formats
from participation.choices import OVER, Moderation
from participation.formats import Act
from participation.models import Contribution, Merge, Process
from participation.permissions.contributions import check_moderate

SPLIT_WITHIN = timedelta(days=30)
MOST = 20  # in one go


def check_before_vote(process: Process, *, at: datetime) -> None:
    """What people vote on stays as it is."""
    fmt = formats.get(process.format)
    for phase in process.phases.all():
        kind = fmt.phase_kind(phase.kind)
        if kind is not None and Act.VOTE in kind.allows and phase.interval.lower <= at:
            raise Refused("voting", _("Voting has opened, so nothing can be gathered or split any more."))


def check_merge(
    user: User | None, kept: Contribution, gone: Sequence[Contribution], *, at: datetime | None = None
) -> None:
    """By the unit's caseworkers, in one process, before it is voted on and before any of them was answered."""
    at = at or clock.now()
    process = kept.process
    check_moderate(user, process)
    if process.status in OVER:
        raise Refused("over", _("The process is over."))
    if not gone:
        raise Refused("too_few", _("Choose at least two that say the same."))
    if len(gone) > MOST:
        raise Refused("too_many", _("Gather at most %(most)d at a time.") % {"most": MOST + 1})
    if any(each.process_id != kept.process_id for each in gone):
        raise Refused("other_process", _("They belong to different processes."))
    if any(each.pk == kept.pk for each in gone):
        raise Refused("itself", _("The one that stays can't also be gathered into itself."), "keep")
    check_before_vote(process, at=at)
    if kept.moderation != Moderation.PUBLISHED:
        raise Refused("keep_not_public", _("The one that stays must be published."), "keep")
    for each in gone:
        if each.moderation not in {Moderation.PUBLISHED, Moderation.PENDING}:
            raise Refused(
                "not_standing",
                _("“%(title)s” no longer stands (%(state)s).")
                % {"title": each.title, "state": each.get_moderation_display().lower()},
            )
    for each in (kept, *gone):
        if each.final_outcome:
            raise Refused("answered", _("“%(title)s” has been answered already.") % {"title": each.title})
    may_merge = formats.get(process.format).may_merge
    if may_merge is not None:
        may_merge(kept, list(gone), at)


def can_merge(user: User | None, kept: Contribution, gone: Sequence[Contribution], **kwargs: Any) -> Verdict:
    return verdict(check_merge, user, kept, gone, **kwargs)


def check_split(user: User | None, merge: Merge, *, at: datetime | None = None) -> None:
    """While the mistake is fresh: later, others have built on what was gathered."""
    at = at or clock.now()
    check_moderate(user, merge.kept.process)
    if merge.undone_at is not None:
        raise Refused("split_already", _("They have been split already."))
    if merge.kept.merged_into_id is not None:
        raise Refused("gathered_on", _("It was gathered into a third since then: split that first."))
    if merge.kept.process.status in OVER:
        raise Refused("over", _("The process is over."))
    if at >= merge.at + SPLIT_WITHIN:
        raise Refused("too_late", _("They can be split for %(days)d days.") % {"days": SPLIT_WITHIN.days})
    if merge.kept.final_outcome:
        raise Refused("answered", _("It has been answered, and everyone behind it was told."))
    check_before_vote(merge.kept.process, at=at)


def can_split(user: User | None, merge: Merge, **kwargs: Any) -> Verdict:
    return verdict(check_split, user, merge, **kwargs)
