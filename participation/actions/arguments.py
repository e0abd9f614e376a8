"""Supporting, arguing, replying and rating; and looking through what was argued.

None of these writes a counter: the database counts (migration 0011).
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import eligibility
from accounts.models import Person, User
from accounts.verdict import Refused
from audit.actions import record
from participation import clock, locks, notices, team
from participation.choices import Moderation, NameShown
from participation.models import (
    Argument,
    ArgumentComment,
    ArgumentRating,
    ArgumentReport,
    CoAuthor,
    Contribution,
    Draft,
    Notice,
    Side,
    Support,
)
from participation.permissions import arguments as may
from participation.permissions.contributions import check_moderate
from participation.texts import clean

TEXT, REASON = 1000, 1000

# Support


@transaction.atomic
def give_support(*, contribution: Contribution, by: User, at: datetime | None = None) -> bool:
    """Stand behind it. Twice is once; whether it is new. Never in the way of anybody else's."""
    at = at or clock.now()
    contribution = _shared(contribution)
    known = eligibility.facts(by, at)
    may.check_support(by, contribution, at=at, known=known)
    with connection.cursor() as cursor:
        # Whoever deleted their account and came back is the same person, and is told of news again.
        cursor.execute(
            "INSERT INTO participation_support AS mine"
            " (contribution_id, person_id, user_id, day, age_band, sex, home_district_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (contribution_id, person_id) DO UPDATE SET user_id = EXCLUDED.user_id"
            " WHERE mine.user_id IS NULL RETURNING id, xmax = 0",
            [
                contribution.pk,
                by.person_id,
                by.pk,
                timezone.localdate(at),
                known.age_band,
                known.sex,
                known.district_id,
            ],
        )
        row = cursor.fetchone()
    if row is None or not row[1]:
        return False
    _record("support.give", by, Support(pk=row[0]), contribution)
    return True


@transaction.atomic
def take_support_back(*, contribution: Contribution, by: User, at: datetime | None = None) -> bool:
    """While support is open; whether there was any. What they had given to something that was gathered into it, and that
    would come back if it were split again, goes too."""
    contribution = _shared(contribution)
    may.check_take_back(by, contribution, at=at)
    mine = Support.objects.filter(contribution=contribution, person=by.person_id).first()
    if mine is None or not Support.objects.filter(pk=mine.pk).delete()[0]:
        return False
    Support.objects.filter(contribution__merged_into=contribution, person=by.person_id).delete()
    _record("support.take_back", by, mine, contribution)
    return True


# Arguments


@transaction.atomic
def write_argument(
    *,
    contribution: Contribution,
    by: User,
    side: str,
    text: str,
    name_shown: str = NameShown.FIRST,
    draft: Draft | None = None,
    at: datetime | None = None,
) -> Argument:
    """For or against. The draft it came from is used up in the same transaction: two clicks give one."""
    at = at or clock.now()
    contribution = _shared(contribution)
    known = eligibility.facts(by, at)
    may.check_argue(by, contribution, at=at, known=known)
    if side not in Side.values:
        raise Refused("unknown_choice", _("Choose whether you are for or against."), "side")
    return _write(
        contribution, None, by, known, side=side, text=text, name_shown=name_shown, draft=draft, at=at
    )


@transaction.atomic
def reply(
    *,
    parent: Argument,
    by: User,
    text: str,
    name_shown: str = NameShown.FIRST,
    draft: Draft | None = None,
    at: datetime | None = None,
) -> Argument:
    at = at or clock.now()
    parent = _shared_argument(parent)
    known = eligibility.facts(by, at)
    may.check_reply(by, parent, at=at, known=known)
    return _write(
        parent.contribution, parent, by, known, side="", text=text, name_shown=name_shown, draft=draft, at=at
    )


def _write(
    contribution: Contribution,
    parent: Argument | None,
    by: User,
    known: eligibility.Facts,
    *,
    side: str,
    text: str,
    name_shown: str,
    draft: Draft | None,
    at: datetime,
) -> Argument:
    if draft is not None and not Draft.objects.select_for_update().filter(pk=draft.pk).exists():
        raise Refused("draft_gone", _("This has already been sent. You find it on My page."))
    _check_name_shown(name_shown)
    first_look = contribution.process.moderate_first
    argument = Argument.objects.create(
        contribution=contribution,
        parent=parent,
        side=side,
        text=clean(text, "text", longest=TEXT),
        author=by,
        person_id=by.person_id,
        organisation_id=by.organisation_id,
        name_shown=name_shown,
        age_band="" if by.organisation_id else known.age_band,
        sex="" if by.organisation_id else known.sex,
        home_district_id=known.district_id,
        created_at=at,
        moderation=Moderation.PENDING if first_look else Moderation.PUBLISHED,
        published_at=None if first_look else at,
    )
    if draft is not None:
        draft.delete()
    _record(
        "argument.reply" if parent else "argument.write",
        by,
        argument,
        contribution,
        values={"moderation": argument.moderation},
    )
    if not first_look:
        _tell_of(argument, by=by)
    return argument


@transaction.atomic
def edit_argument(
    *,
    argument: Argument,
    by: User,
    version: int,
    text: str,
    name_shown: str = NameShown.FIRST,
    at: datetime | None = None,
) -> Argument:
    """Correct the wording within the edit window; the side stays, because others have rated and replied to it."""
    at = at or clock.now()
    argument = _locked(argument)
    may.check_edit(by, argument, at=at)
    if argument.version != version:
        raise Refused(
            "stale",
            _(
                "It has been changed since you opened this page. Your text is below; compare it before you save again."
            ),
        )
    _check_name_shown(name_shown)
    new = {"text": clean(text, "text", longest=TEXT), "name_shown": name_shown}
    changed = [name for name, value in new.items() if getattr(argument, name) != value]
    for name in changed:
        setattr(argument, name, new[name])
    argument.version += 1
    argument.edited_at = at
    written = {*changed, "version", "edited_at"}
    if argument.process.moderate_first and argument.moderation == Moderation.PUBLISHED:
        argument.moderation = Moderation.PENDING
        written.add("moderation")
    argument.save(update_fields=written)
    _record("argument.edit", by, argument, argument.contribution, changed=changed)
    return argument


@transaction.atomic
def withdraw_argument(*, argument: Argument, by: User) -> Argument:
    """Taken back by its author, and its replies are no longer shown either."""
    argument = _locked(argument)
    may.check_withdraw(by, argument)
    argument.moderation = Moderation.WITHDRAWN
    argument.version += 1
    argument.save(update_fields=["moderation", "version"])
    _record("argument.withdraw", by, argument, argument.contribution, changed=["moderation"])
    return argument


@transaction.atomic
def rate(*, argument: Argument, by: User, useful: bool | None, at: datetime | None = None) -> None:
    """Useful or not; None takes it back. The last one said counts."""
    argument = _shared_argument(argument)
    may.check_rate(by, argument, at=at)
    mine = ArgumentRating(argument=argument, person_id=by.person_id, useful=bool(useful))
    if useful is None:
        ArgumentRating.objects.filter(argument=argument, person=by.person_id).delete()
    else:
        ArgumentRating.objects.bulk_create(
            [mine], update_conflicts=True, unique_fields=["argument", "person"], update_fields=["useful"]
        )
    _record("argument.rate", by, argument, argument.contribution)


# Looking through


@transaction.atomic
def report_argument(*, argument: Argument, by: User | None, reason: str) -> ArgumentReport:
    """Someone thinks it breaks the rules of the debate. It stays until a caseworker has looked."""
    user = by if by is not None and by.is_authenticated else None
    may.check_report(user, argument)
    said = {"reason": clean(reason, "reason", longest=REASON), "at": clock.now()}
    if user is None:
        report = ArgumentReport.objects.create(argument=argument, **said)
    else:
        report, new = ArgumentReport.objects.get_or_create(argument=argument, by=user, defaults=said)
        if not new:
            return report
    record(action="argument.report", by=user, obj=report, process_id=argument.process_id)
    process = argument.process
    people = {person.pk: person for person in (process.owner, process.deputy) if person is not None}
    notices.tell(
        users=people.values(),
        event=f"argument-report:{report.pk}",
        kind=Notice.Kind.DUTY,
        title=gettext_lazy("An argument was reported"),
        text=format_lazy("{}: {}", process.title, argument.text),
        url=argument.get_absolute_url(),
        process=process,
    )
    return report


@transaction.atomic
def moderate_argument(*, argument: Argument, by: User, publish: bool, reason: str = "") -> Argument:
    """Let it be shown, or take it down with the reason its author is told. Reports of it are handled thereby."""
    argument = _locked(argument)
    check_moderate(by, argument.process)
    if argument.moderation == Moderation.WITHDRAWN:
        raise Refused("withdrawn", _("Its author has withdrawn it."))
    reason = clean(reason, "reason", longest=REASON, required=not publish)
    now, before, new = clock.now(), argument.moderation, argument.published_at is None
    argument.moderation = Moderation.PUBLISHED if publish else Moderation.REJECTED
    argument.moderation_reason = "" if publish else reason
    argument.moderated_by, argument.moderated_at = by, now
    if publish and new:
        argument.published_at = now
    argument.version += 1
    argument.save(
        update_fields=[
            "moderation",
            "moderation_reason",
            "moderated_by",
            "moderated_at",
            "published_at",
            "version",
        ]
    )
    argument.reports.filter(handled_at=None).update(handled_by=by, handled_at=now)
    _record(
        "argument.moderate",
        by,
        argument,
        argument.contribution,
        changed=["moderation"],
        values={"publish": publish},
    )
    if before != argument.moderation:
        _tell_author(argument, publish=publish, reason=reason, by=by)
        if publish and new:
            _tell_of(argument, by=argument.author)
    return argument


@transaction.atomic
def dismiss_argument_reports(*, argument: Argument, by: User) -> int:
    """Looked at, and nothing wrong: it stays."""
    check_moderate(by, argument.process)
    handled = argument.reports.filter(handled_at=None).update(handled_by=by, handled_at=clock.now())
    _record("argument.dismiss_reports", by, argument, argument.contribution, values={"reports": handled})
    return handled


@transaction.atomic
def comment_on_argument(*, argument: Argument, by: User, text: str) -> ArgumentComment:
    check_moderate(by, argument.process)
    comment = ArgumentComment.objects.create(
        argument=argument, text=clean(text, "text", longest=4000), by=by, at=clock.now()
    )
    _record("argument.comment", by, comment, argument.contribution)
    return comment


# Where two become one


def settle_merged_persons(keep: Person, gone: Person) -> None:
    """Two persons turn out to be one: what both had said stands once, as the one who stays said it; what the one had said
    of the other's own goes."""
    one = [keep.pk, gone.pk]
    for model, of, own in (
        (Support, "contribution", _given_by(one)),
        (ArgumentRating, "argument", Argument.objects.filter(person__in=one)),
    ):
        both = model._default_manager.filter(person=keep).values(of)
        model._default_manager.filter(person=gone, **{f"{of}__in": both}).delete()
        model._default_manager.filter(person__in=one, **{f"{of}__in": own.values("pk")}).delete()


def _given_by(persons: list[Any]) -> Any:
    """What these stand behind."""
    team = CoAuthor.objects.accepted().filter(user__person__in=persons).values("contribution")
    return Contribution.objects.filter(Q(person__in=persons) | Q(author__person__in=persons) | Q(pk__in=team))


def forget_supporter(user: User) -> None:
    """The account is deleted. That the person supported it stays known only so that nobody supports it twice."""
    Support.objects.filter(user=user).update(user=None)


def _shared(contribution: Contribution) -> Contribution:
    """As it is now, with the process FOR SHARE: no phase ends and no step is taken in between."""
    process = locks.share(contribution.process_id)
    contribution = (
        Contribution.objects.defer("search_vector").select_related("author").get(pk=contribution.pk)
    )
    contribution.process = process
    return contribution


def _shared_argument(argument: Argument) -> Argument:
    """The same for an argument, with the contribution it hangs on now: it may have gone along to another, or back."""
    process = locks.share(argument.process_id)
    found = Argument.objects.select_related("author", "parent", "contribution__author")
    argument = found.defer("contribution__search_vector").get(pk=argument.pk)
    argument.contribution.process = process
    return argument


def _locked(argument: Argument) -> Argument:
    """With the process FOR SHARE, then the contribution, whose counters change with it, then itself: the order in which
    everybody takes them, so that nobody waits crosswise."""
    locks.share(argument.process_id)
    about = Contribution.objects.select_for_update(no_key=True, of=("self",)).order_by()
    about.values_list("pk").get(arguments=argument.pk)
    return (
        Argument.objects.select_for_update(of=("self",))
        .select_related("contribution__process", "contribution__author", "parent__author", "author")
        .get(pk=argument.pk)
    )


def _check_name_shown(name_shown: str) -> None:
    if name_shown not in NameShown.values:
        raise Refused("unknown_choice", _("Choose one of those shown."), "name_shown")


def _record(action: str, by: User, obj: Any, contribution: Contribution, **more: Any) -> None:
    record(action=action, by=by, obj=obj, process_id=contribution.process_id, **more)


def _tell_of(argument: Argument, *, by: User | None) -> None:
    """To the one replied to at once; to whoever gave the contribution once a day, however many there were."""
    contribution, process = argument.contribution, argument.process
    if argument.parent is not None:
        if argument.parent.author is not None:
            notices.tell(
                users=[argument.parent.author],
                event=f"argument:{argument.pk}:reply",
                kind=Notice.Kind.NEWS,
                title=gettext_lazy("Somebody replied to your argument"),
                text=format_lazy("{}\n\n{}", contribution.title, argument.text),
                url=argument.get_absolute_url(),
                process=process,
                by=by,
            )
        return
    digest = notices.next_digest(clock.now())
    notices.tell(
        users=team.authors(contribution),
        event=f"contribution:{contribution.pk}:arguments:{digest:%Y%m%d}",
        kind=Notice.Kind.NEWS,
        title=gettext_lazy("There are new arguments about what you have given"),
        text=contribution.title,
        url=contribution.get_absolute_url(),
        process=process,
        by=by,
        at_most_daily=True,
    )


def _tell_author(argument: Argument, *, publish: bool, reason: str, by: User) -> None:
    if argument.author is None:
        return
    notices.tell(
        users=[argument.author],
        event=f"argument:{argument.pk}:moderated:{argument.version}",
        kind=Notice.Kind.MODERATION,
        title=gettext_lazy("Your argument is now shown")
        if publish
        else gettext_lazy("Your argument is not shown"),
        text=argument.text
        if publish
        else format_lazy("{}\n\n{} {}", argument.text, gettext_lazy("The reason:"), reason),
        url=argument.get_absolute_url(),
        process=argument.process,
        by=by,
    )
