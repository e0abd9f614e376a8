"""Gathering contributions that say the same into one, without losing a soul: every author, supporter and argument goes
along, and the old addresses lead on. And splitting again what was gathered by mistake."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.verdict import Refused
from audit.actions import record
from participation import clock, locks, merging, notices, team
from participation.actions.contributions import BODY, REASON, TITLE
from participation.choices import Moderation
from participation.models import CoAuthor, Contribution, Merge, Notice
from participation.permissions.merging import check_merge, check_split
from participation.texts import clean

AUTHORS = "authors"  # beside the registered parts: the places made for those who came along


@transaction.atomic
def merge_contributions(
    *,
    keep: Contribution,
    gone: Iterable[Contribution],
    by: User,
    reason: str,
    title: str = "",
    body: str = "",
    at: datetime | None = None,
) -> Contribution:
    """Gather `gone` into `keep`, with a wording for all of them when one is given.

    Authors and co-authors of `gone` become co-authors of `keep`, beyond the usual number; everything registered in
    `participation.merging` hangs on `keep` from now on. Authors of both are told why. Whoever had no account is still to
    be told another way (`outcomes.untold`).
    """
    at = at or clock.now()
    chosen = {each.pk for each in gone}
    locks.hold(keep.process_id)
    rows = {row.pk: row for row in _locked({keep.pk, *chosen})}
    keep, going = rows[keep.pk], [rows[pk] for pk in sorted(chosen)]
    check_merge(by, keep, going, at=at)
    reason = clean(reason, "reason", longest=REASON)
    wording = _wording(keep, title, body)
    before = team.authors(keep)
    merges = [
        _gather(keep, each, by=by, reason=reason, at=at, wording={} if number else wording)
        for number, each in enumerate(going)
    ]
    _say(keep, merges, before, by)
    return keep


def _gather(
    keep: Contribution, gone: Contribution, *, by: User, reason: str, at: datetime, wording: dict[str, str]
) -> Merge:
    moved = merging.move_all(keep, gone)
    moved[AUTHORS] = _bring_authors(keep, gone, at)
    took_theme = keep.theme_id is None and gone.theme_id is not None
    merge = Merge(
        kept=keep,
        gone=gone,
        reason=reason,
        by=by,
        at=at,
        was=gone.moderation,
        kept_title=keep.title if wording else "",
        kept_body=keep.body if wording else "",
        took_theme=took_theme,
        moved={name: keys for name, keys in moved.items() if keys},
    )
    for name, text in wording.items():
        setattr(keep, name, text)
    if wording:
        keep.edited_at = at
    if took_theme:
        keep.theme = gone.theme
    keep.version += 1
    keep.save(update_fields=["title", "body", "edited_at", "theme", "version"])
    Contribution.objects.filter(merged_into=gone).update(merged_into=keep)
    gone.moderation, gone.merged_into = Moderation.MERGED, keep
    gone.version += 1
    gone.save(update_fields=["moderation", "merged_into", "version"])
    merge.kept_version = keep.version
    merge.save()
    record(
        action="contribution.merge",
        by=by,
        obj=gone,
        changed=["moderation", "merged_into"],
        values={"kept": keep.pk, "moved": {name: len(keys) for name, keys in merge.moved.items()}},
    )
    return merge


@transaction.atomic
def split_contribution(*, merge: Merge, by: User, at: datetime | None = None) -> Contribution:
    """Undo a wrong gathering: what went along goes back to it, as far as it is still there.

    Support and arguments given since then stay where they were given. The old wording comes back unless the one that was
    kept has been changed since.
    """
    at = at or clock.now()
    merge = Merge.objects.select_related("kept").get(pk=merge.pk)
    locks.hold(merge.kept.process_id)
    rows = {row.pk: row for row in _locked({merge.kept_id, merge.gone_id})}
    merge = Merge.objects.select_for_update().get(pk=merge.pk)
    merge.kept, merge.gone = kept, gone = rows[merge.kept_id], rows[merge.gone_id]
    check_split(by, merge, at=at)
    moved = dict(merge.moved)
    _send_authors_back(kept, moved.pop(AUTHORS, []))
    merging.back_all(kept, gone, moved)
    gone.moderation, gone.merged_into = merge.was, None
    gone.version += 1
    gone.save(update_fields=["moderation", "merged_into", "version"])
    Contribution.objects.filter(pk__in=_behind(gone)).update(merged_into=gone)
    if merge.took_theme and kept.theme_id == gone.theme_id:
        kept.theme = None
    if merge.kept_title and kept.version == merge.kept_version:
        kept.title, kept.body = merge.kept_title, merge.kept_body
    kept.version += 1
    kept.save(update_fields=["title", "body", "theme", "version"])
    merge.undone_at, merge.undone_by = at, by
    merge.save(update_fields=["undone_at", "undone_by"])
    record(
        action="contribution.split",
        by=by,
        obj=gone,
        changed=["moderation", "merged_into"],
        values={"kept": kept.pk},
    )
    for contribution in (kept, gone):
        team.forget(contribution)
    everyone = {user.pk: user for each in (kept, gone) for user in team.authors(each)}
    notices.tell(
        users=everyone.values(),
        event=f"merge:{merge.pk}:split",
        kind=Notice.Kind.CHANGE,
        title=gettext_lazy("Two contributions stand on their own again"),
        text=format_lazy("{}\n\n{}", kept.title, gone.title),
        url=gone.get_absolute_url(),
        process=kept.process,
        by=by,
    )
    return gone


def _behind(gone: Contribution) -> set[int]:
    """What was gathered into it before it went on itself, straight or by way of others: it leads to it again."""
    found: set[int] = set()
    new = {gone.pk}
    while new:
        found |= new
        new = set(Merge.objects.standing().filter(kept__in=new).values_list("gone", flat=True)) - found
    return found - {gone.pk}


def _bring_authors(keep: Contribution, gone: Contribution, at: datetime) -> list[int]:
    """Everyone behind `gone` who is not behind `keep` already, named as they chose."""
    there = {user.pk for user in team.authors(keep)}
    facts: list[Any] = [gone] if gone.author is not None else []
    facts += team.members(gone)
    made = []
    for one in facts:
        user = one.author if isinstance(one, Contribution) else one.user
        if user is None or user.pk in there:
            continue
        row = CoAuthor.objects.create(
            contribution=keep,
            user=user,
            organisation_id=one.organisation_id,
            state=CoAuthor.State.ACCEPTED,
            invited_at=at,
            answered_at=at,
            name_shown=one.name_shown,
            age_band=one.age_band,
            sex=one.sex,
            home_district_id=one.home_district_id,
        )
        made.append(row.pk)
    team.forget(keep)
    return made


def _send_authors_back(kept: Contribution, keys: list[int]) -> None:
    """Those who came along leave again: they are behind `gone` as before."""
    CoAuthor.objects.accepted().filter(pk__in=keys, contribution=kept).delete()


def _wording(keep: Contribution, title: str, body: str) -> dict[str, str]:
    """What changes of the kept one's words; nothing where the new ones were left empty or say the same."""
    given = {
        "title": clean(title, "title", longest=TITLE, required=False).replace("\n", " "),
        "body": clean(body, "body", longest=BODY, required=False),
    }
    return {name: text for name, text in given.items() if text and text != getattr(keep, name)}


def _locked(keys: set[int]) -> list[Contribution]:
    found = list(
        Contribution.objects.select_for_update(of=("self",))
        .select_related("process__unit", "phase", "theme", "author", "organisation", "home_district")
        .filter(pk__in=keys)
        .order_by("pk")
    )
    if len(found) != len(keys):
        raise Refused("gone", _("One of them is no longer there."))
    return found


def _say(keep: Contribution, merges: list[Merge], before: list[User], by: User) -> None:
    """To those whose contribution it was, and to those whose has grown: once to each, with the reason."""
    told: set[int] = set()
    why = format_lazy("{} {}", gettext_lazy("The reason:"), merges[0].reason)
    for merge in merges:
        theirs = [user for user in team.authors(merge.gone) if user.pk not in told]
        told |= {user.pk for user in theirs}
        notices.tell(
            users=theirs,
            event=f"merge:{merge.pk}",
            kind=Notice.Kind.CHANGE,
            title=gettext_lazy("Your contribution is gathered with another that says the same"),
            text=format_lazy(
                "{}\n\n{} {}\n\n{}\n\n{}",
                merge.gone.title,
                gettext_lazy("It goes on as:"),
                keep.title,
                why,
                gettext_lazy(
                    "You stand behind it together. Support and arguments go along, and the old address leads to it."
                ),
            ),
            url=keep.get_absolute_url(),
            process=keep.process,
            by=by,
        )
    titles = "\n".join(merge.gone.title for merge in merges)
    notices.tell(
        users=[user for user in before if user.pk not in told],
        event=f"merge:{merges[0].pk}:kept",
        kind=Notice.Kind.CHANGE,
        title=gettext_lazy("Others that say the same are gathered with your contribution"),
        text=format_lazy("{}\n\n{}\n\n{}", keep.title, titles, why),
        url=keep.get_absolute_url(),
        process=keep.process,
        by=by,
    )
