"""From draft to answer: everything that is written about a contribution."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import eligibility, geography
from accounts.models import District, Organisation, Person, User
from accounts.verdict import Refused
from audit.actions import record
from participation import clock, files, formats, locks, notices, phases, team
from participation.actions.files import Hung, hang, hold, remove_files
from participation.actions.team import choose_name
from participation.choices import IntakeChannel, Moderation, NameShown, Outcome
from participation.models import (
    Argument,
    CoAuthor,
    Contribution,
    ContributionReport,
    Draft,
    InternalComment,
    Notice,
    Process,
    ProcessQuestion,
    StoredFile,
    Theme,
)
from participation.names import shown_until
from participation.permissions.contributions import (
    check_answer,
    check_ask,
    check_contribute,
    check_edit,
    check_moderate,
    check_record_for_someone,
    check_report,
    check_withdraw,
)
from participation.texts import clean

TITLE, BODY, PLACE, REASON, ANSWER = 120, 6000, 200, 1000, 6000
DRAFT_DAYS = 30
DRAFT_BYTES = 100_000
QUESTION_DAYS = 7


# Drafts: kept before anyone has signed in, found again by a secret token or by their user.


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@transaction.atomic
def save_draft(
    *,
    process: Process,
    by: User | None,
    data: dict[str, list[str]],
    token: str | None = None,
    seen: datetime | None = None,
    at: datetime | None = None,
    contribution: Contribution | None = None,
    argument: Argument | None = None,
) -> str:
    """Keep what was typed and return the token it is found by. With a `contribution` it is an argument about it, with an
    `argument` as well a reply to that.

    With a token that is still one's own, that draft is written over, unless the page did not show it or it was saved
    again since it was `seen` (in another window): then this becomes a draft of its own and nothing is lost. No audit row:
    nobody has said anything yet.
    """
    at = at or clock.now()
    size = sum(len(name) + sum(map(len, values)) for name, values in data.items())
    if size > DRAFT_BYTES:
        raise Refused("too_long", _("This is more than we can keep. Make it shorter."))
    if any("\x00" in value for values in data.values() for value in values):
        raise Refused(
            "unprintable", _("The text holds characters that can't be shown. Write it again without them.")
        )
    user = by if by is not None and by.is_authenticated else None
    draft = draft_by_token(token, user, process=process, at=at, lock=True) if token else None
    about = (contribution.pk if contribution else None, argument.pk if argument else None)
    if draft is not None and (draft.contribution_id, draft.argument_id) != about:
        draft = None
    if draft is not None and (seen is None or draft.saved_at > seen):
        draft = None
    if draft is None:
        token = secrets.token_urlsafe(24)
        draft = Draft(
            process=process, contribution=contribution, argument=argument, token_hash=token_hash(token)
        )
    draft.user = user or draft.user
    draft.data, draft.saved_at, draft.expires_at = data, at, at + timedelta(days=DRAFT_DAYS)
    draft.save()
    hold(draft=draft, held=files.from_handles(data.get("photos_kept", []) + data.get("documents_kept", [])))
    assert token is not None
    return token


def draft_by_token(
    token: str | None,
    user: User | None,
    *,
    process: Process | None = None,
    at: datetime | None = None,
    lock: bool = False,
) -> Draft | None:
    """The draft, unless it has expired or belongs to somebody else: a shared computer gives nobody away."""
    if not token:
        return None
    drafts = Draft.objects.select_for_update() if lock else Draft.objects.all()
    draft = drafts.filter(token_hash=token_hash(token), expires_at__gt=at or clock.now()).first()
    if draft is None or (process is not None and draft.process_id != process.pk):
        return None
    owner = user.pk if user is not None and user.is_authenticated else None
    return draft if draft.user_id in {None, owner} else None


def latest_draft(
    *,
    process: Process,
    user: User,
    contribution: Contribution | None = None,
    argument: Argument | None = None,
) -> Draft | None:
    return (
        Draft.objects.filter(
            process=process,
            contribution=contribution,
            argument=argument,
            user=user,
            expires_at__gt=clock.now(),
        )
        .order_by("-saved_at")
        .first()
    )


@transaction.atomic
def renew_token(*, draft: Draft) -> str:
    """A new secret for one's own draft, found by being signed in; the old address no longer leads to it."""
    token = secrets.token_urlsafe(24)
    draft.token_hash = token_hash(token)
    draft.save(update_fields=["token_hash"])
    return token


@transaction.atomic
def delete_draft(*, draft: Draft) -> None:
    held = list(draft.held.values_list("file", flat=True))
    draft.delete()
    remove_files(StoredFile.objects.filter(pk__in=held))


@transaction.atomic
def delete_expired_drafts() -> int:
    return Draft.objects.filter(expires_at__lte=clock.now()).delete()[0]


# Giving.


def texts(*, title: str, body: str, place: str = "") -> dict[str, str]:
    """The three texts, cleaned, or `Refused` at the first that can't be kept."""
    return {
        "title": clean(title, "title", longest=TITLE).replace("\n", " "),
        "body": clean(body, "body", longest=BODY),
        "place": clean(place, "place", longest=PLACE, required=False).replace("\n", " "),
    }


Point = tuple[Decimal, Decimal]
"""Latitude and longitude in degrees, WGS 84."""


def placed(point: Point | None, district: District | None) -> dict[str, Any]:
    """The point and the district it lies in. `Refused` where it lies outside the municipality, or in another district
    than the one that was chosen."""
    if point is None:
        return {"lat": None, "lng": None, "district": district}
    lat, lng = (degrees.quantize(Decimal("0.000001")) for degrees in point)
    districts = geography.home_districts()
    found = geography.district_at(float(lat), float(lng), districts)
    if found is None and districts:
        raise Refused("outside", _("The point lies outside the municipality."), "point")
    if found is not None and district is not None and found != district:
        raise Refused(
            "other_district",
            _("The point lies in %(there)s, but you have chosen %(chosen)s.")
            % {"there": found.name, "chosen": district.name},
            "district",
        )
    return {"lat": lat, "lng": lng, "district": district or found}


@transaction.atomic
def give_contribution(
    *,
    process: Process,
    by: User,
    title: str,
    body: str,
    place: str = "",
    point: Point | None = None,
    district: District | None = None,
    name_shown: str = NameShown.FIRST,
    detail: dict[str, Any] | None = None,
    attached: Sequence[Hung] = (),
    draft: Draft | None = None,
    at: datetime | None = None,
) -> Contribution:
    """Send it. The draft it came from is used up in the same transaction: two clicks, or two browsers, give one."""
    at = at or clock.now()
    process = locks.share(process.pk)
    if draft is not None and not Draft.objects.select_for_update().filter(pk=draft.pk).exists():
        raise Refused("draft_gone", _("This has already been sent. You find it on My page."))
    check_contribute(by, process, at=at)
    _check_choice(name_shown, NameShown.values, "name_shown")
    facts = eligibility.facts(by, at)
    phase = phases.phase_at(process, at)
    first_look = process.moderate_first
    contribution = Contribution.objects.create(
        process=process,
        phase=phase,
        author=by,
        person_id=by.person_id,
        organisation_id=by.organisation_id,
        **texts(title=title, body=body, place=place),
        **placed(point, district),
        name_shown=name_shown,
        channel=IntakeChannel.WEB,
        received_on=clock.today(),
        created_at=at,
        age_band="" if by.organisation_id else facts.age_band,
        sex="" if by.organisation_id else facts.sex,
        home_district_id=facts.district_id,
        moderation=Moderation.PENDING if first_look else Moderation.PUBLISHED,
        published_at=None if first_look else at,
    )
    _create_detail(contribution, detail)
    if attached:
        hang(contribution=contribution, hung=attached, by=by)
    if draft is not None:
        draft.delete()
    record(
        action="contribution.give",
        by=by,
        obj=contribution,
        values={"channel": contribution.channel, "moderation": contribution.moderation},
    )
    return contribution


@transaction.atomic
def record_for_someone(
    *,
    process: Process,
    by: User,
    channel: str,
    received_on: date,
    author_name: str,
    author_contact: str = "",
    person: Person | None = None,
    organisation: Organisation | None = None,
    title: str,
    body: str,
    place: str = "",
    point: Point | None = None,
    district: District | None = None,
    home_district: District | None = None,
    age_band: str = "",
    sex: str = "",
    name_shown: str = NameShown.FIRST,
    detail: dict[str, Any] | None = None,
    attached: Sequence[Hung] = (),
    at: datetime | None = None,
) -> Contribution:
    """What came by telephone, letter, at the library or at a stall. It counts by the day it was received, so that a
    letter in time is not late because it was typed in afterwards."""
    process = locks.share(process.pk)
    check_record_for_someone(by, process)
    at = at or clock.now()
    offline = [value for value in IntakeChannel.values if value != IntakeChannel.WEB]
    _check_choice(channel, offline, "channel")
    _check_choice(name_shown, NameShown.values, "name_shown")
    if received_on > clock.today():
        raise Refused("in_future", _("The day it was received can't be in the future."), "received_on")
    received_at = _moment_received(process, received_on, at)
    phases.check_allows(process, formats.Act.CONTRIBUTE, at=received_at)
    contribution = Contribution.objects.create(
        process=process,
        phase=phases.phase_at(process, received_at),
        author=getattr(person, "user", None) if person is not None else None,
        person=person,
        organisation=organisation,
        author_name=clean(author_name, "author_name", longest=200, required=False),
        author_contact=clean(author_contact, "author_contact", longest=200, required=False),
        **texts(title=title, body=body, place=place),
        **placed(point, district),
        home_district=home_district,
        age_band=age_band,
        sex=sex,
        name_shown=name_shown,
        channel=channel,
        received_on=received_on,
        recorded_by=by,
        created_at=at,
        moderation=Moderation.PUBLISHED,
        moderated_by=by,
        published_at=at,
    )
    _create_detail(contribution, detail)
    if attached:
        hang(contribution=contribution, hung=attached, by=by)
    record(
        action="contribution.record_for_someone",
        by=by,
        obj=contribution,
        values={"channel": channel, "received_on": received_on},
    )
    return contribution


@transaction.atomic
def edit_contribution(
    *,
    contribution: Contribution,
    by: User,
    version: int,
    at: datetime | None = None,
    detail: dict[str, Any] | None = None,
    attached: Sequence[Hung] | None = None,
    **fields: Any,
) -> Contribution:
    """Correct it within the edit window. `version` is what the page showed: someone who has it open twice is told."""
    unknown = set(fields) - {"title", "body", "place", "point", "district", "name_shown"}
    if unknown:
        raise TypeError(f"These are not the author's to change: {sorted(unknown)}")
    at = at or clock.now()
    locks.share(contribution.process_id)
    contribution = _locked(contribution)
    check_edit(by, contribution, at=at)
    if contribution.version != version:
        raise Refused(
            "stale",
            _(
                "It has been changed since you opened this page. Your text is below; compare it before you save again."
            ),
        )
    for field, longest, required in (("title", TITLE, True), ("body", BODY, True), ("place", PLACE, False)):
        if field in fields:
            fields[field] = clean(fields[field], field, longest=longest, required=required)
    if "name_shown" in fields:
        _check_choice(fields["name_shown"], NameShown.values, "name_shown")
        if contribution.author_id != by.pk:
            choose_name(contribution=contribution, by=by, name_shown=fields.pop("name_shown"))
    if "point" in fields or "district" in fields:
        district = fields.get("district", contribution.district)
        fields |= placed(fields.pop("point", contribution.point), district)
    changed = [name for name, value in fields.items() if getattr(contribution, name) != value]
    for name in changed:
        setattr(contribution, name, fields[name])
    contribution.version += 1
    contribution.edited_at = at
    written = {*changed, "version", "edited_at"}
    if contribution.process.moderate_first and contribution.moderation == Moderation.PUBLISHED:
        contribution.moderation, contribution.published_at = Moderation.PENDING, None
        written |= {"moderation", "published_at"}
    contribution.save(update_fields=written)
    update = formats.get(contribution.process.format).update_contribution_detail
    if detail is not None and update is not None:
        update(contribution, **detail)
        changed.append("detail")
    if attached is not None and hang(contribution=contribution, hung=attached, by=by):
        changed.append("attachments")
    record(action="contribution.edit", by=by, obj=contribution, changed=changed)
    return contribution


@transaction.atomic
def withdraw_contribution(
    *, contribution: Contribution, by: User, at: datetime | None = None
) -> Contribution:
    """Taken back by its author: it is no longer shown, searched or owed an answer. Asked again, it stays so."""
    locks.share(contribution.process_id)
    contribution = _locked(contribution)
    check_withdraw(by, contribution, at=at)
    contribution.moderation, contribution.published_at = Moderation.WITHDRAWN, None
    contribution.version += 1
    contribution.save(update_fields=["moderation", "published_at", "version"])
    record(action="contribution.withdraw", by=by, obj=contribution, changed=["moderation"])
    return contribution


# Looking through.


@transaction.atomic
def report_contribution(*, contribution: Contribution, by: User | None, reason: str) -> ContributionReport:
    """Someone thinks it breaks the rules of the debate. It stays until a caseworker has looked."""
    user = by if by is not None and by.is_authenticated else None
    check_report(user, contribution)
    said = {"reason": clean(reason, "reason", longest=REASON), "at": clock.now()}
    if user is None:
        report = ContributionReport.objects.create(contribution=contribution, **said)
    else:
        report, new = ContributionReport.objects.get_or_create(
            contribution=contribution, by=user, defaults=said
        )
        if not new:
            return report
    record(action="contribution.report", by=user, obj=report, process_id=contribution.process_id)
    _tell_caseworkers(
        contribution.process,
        event=f"report:{report.pk}",
        title=gettext_lazy("A contribution was reported"),
        text=format_lazy("{}: {}", contribution.process.title, contribution.title),
        url=contribution.get_absolute_url(),
    )
    return report


@transaction.atomic
def moderate(*, contribution: Contribution, by: User, publish: bool, reason: str = "") -> Contribution:
    """Let it be shown, or take it down with the reason its author is told. Reports of it are handled thereby."""
    contribution = _locked(contribution)
    check_moderate(by, contribution.process)
    if contribution.moderation == Moderation.WITHDRAWN:
        raise Refused("withdrawn", _("Its author has withdrawn it."))
    if contribution.moderation == Moderation.MERGED:
        raise Refused("merged", _("It has been gathered into another."))
    reason = clean(reason, "reason", longest=REASON, required=not publish)
    now = clock.now()
    before = contribution.moderation
    contribution.moderation = Moderation.PUBLISHED if publish else Moderation.REJECTED
    contribution.moderation_reason = "" if publish else reason
    contribution.moderated_by = by
    contribution.published_at = (contribution.published_at or now) if publish else None
    contribution.version += 1
    contribution.save(
        update_fields=["moderation", "moderation_reason", "moderated_by", "published_at", "version"]
    )
    contribution.reports.filter(handled_at=None).update(handled_by=by, handled_at=now)
    record(
        action="contribution.moderate",
        by=by,
        obj=contribution,
        changed=["moderation"],
        values={"publish": publish},
    )
    if before != contribution.moderation:
        _tell_author(
            contribution,
            event=f"contribution:{contribution.pk}:moderated:{contribution.version}",
            kind=Notice.Kind.MODERATION,
            title=gettext_lazy("Your contribution is now shown")
            if publish
            else gettext_lazy("Your contribution is not shown"),
            text=contribution.title
            if publish
            else format_lazy("{}\n\n{} {}", contribution.title, gettext_lazy("The reason:"), reason),
            by=by,
        )
    return contribution


@transaction.atomic
def dismiss_reports(*, contribution: Contribution, by: User) -> int:
    """Looked at, and nothing wrong: the contribution stays."""
    check_moderate(by, contribution.process)
    handled = contribution.reports.filter(handled_at=None).update(handled_by=by, handled_at=clock.now())
    record(action="contribution.dismiss_reports", by=by, obj=contribution, values={"reports": handled})
    return handled


@transaction.atomic
def comment_internally(*, contribution: Contribution, by: User, text: str) -> InternalComment:
    check_moderate(by, contribution.process)
    comment = InternalComment.objects.create(
        contribution=contribution, text=clean(text, "text", longest=4000), by=by, at=clock.now()
    )
    record(action="contribution.comment", by=by, obj=comment, process_id=contribution.process_id)
    return comment


# Answering.


@transaction.atomic
def create_theme(*, process: Process, by: User, title: str) -> Theme:
    check_answer(by, process)
    title = clean(title, "title", longest=160)
    theme, created = Theme.objects.get_or_create(process=process, title=title)
    if created:
        record(action="theme.create", by=by, obj=theme)
    return theme


@transaction.atomic
def put_in_theme(*, contributions: Iterable[Contribution], by: User, theme: Theme | None) -> int:
    """Group what says the same (None: take it out of its theme). If the theme is answered, their authors hear it now."""
    if theme is not None:
        theme = _locked_theme(theme)
    locked = _locked_many(contributions)
    for process in {each.process_id: each.process for each in locked}.values():
        check_answer(by, process)
        if theme is not None and theme.process_id != process.pk:
            raise Refused("other_process", _("The theme belongs to another process."), "theme")
    Contribution.objects.filter(pk__in=[each.pk for each in locked]).update(theme=theme)
    for each in locked:
        record(
            action="contribution.put_in_theme",
            by=by,
            obj=each,
            changed=["theme"],
            values={"theme": theme.pk if theme else None},
        )
    if theme is not None and theme.outcome:
        _tell_theme(theme, by=by)
    return len(locked)


@transaction.atomic
def answer_contributions(
    *, contributions: Iterable[Contribution], by: User, outcome: str, answer: str
) -> int:
    """One answer to one or many. Each author is told once; an answer that is changed is told again."""
    _check_choice(outcome, Outcome.values, "outcome")
    answer = clean(answer, "answer", longest=ANSWER)
    now = clock.now()
    locked = _locked_many(contributions)
    for process in {each.process_id: each.process for each in locked}.values():
        check_answer(by, process)
    for each in locked:
        if each.moderation == Moderation.WITHDRAWN:
            raise Refused("withdrawn", _("“%(title)s” was withdrawn by its author.") % {"title": each.title})
        if each.moderation == Moderation.MERGED:
            raise Refused(
                "merged",
                _("“%(title)s” has been gathered into another: answer that one.") % {"title": each.title},
            )
    for each in locked:
        each.outcome, each.answer, each.answered_by, each.answered_at = outcome, answer, by, now
        each.version += 1
        each.save(update_fields=["outcome", "answer", "answered_by", "answered_at", "version"])
        record(
            action="contribution.answer",
            by=by,
            obj=each,
            changed=["outcome", "answer"],
            values={"outcome": outcome},
        )
        _tell_author(
            each,
            event=f"contribution:{each.pk}:answer:{_digest(outcome, answer)}",
            kind=Notice.Kind.ANSWER,
            title=gettext_lazy("Your contribution has been answered"),
            text=format_lazy("{}\n\n{}\n\n{}", each.title, Outcome(outcome).label, answer),
            by=by,
        )
        if each.support_count:
            _tell_supporters(notices.supporters(each), each, each.process, outcome, answer)
    return len(locked)


@transaction.atomic
def answer_theme(*, theme: Theme, by: User, outcome: str, answer: str) -> Theme:
    """One answer to everything in the theme."""
    theme = _locked_theme(theme)
    check_answer(by, theme.process)
    _check_choice(outcome, Outcome.values, "outcome")
    theme.outcome, theme.answer = outcome, clean(answer, "answer", longest=ANSWER)
    theme.answered_by, theme.answered_at = by, clock.now()
    theme.save(update_fields=["outcome", "answer", "answered_by", "answered_at"])
    record(
        action="theme.answer", by=by, obj=theme, changed=["outcome", "answer"], values={"outcome": outcome}
    )
    _tell_theme(theme, by=by)
    return theme


@transaction.atomic
def mark_told(*, contribution: Contribution, by: User, how: str) -> Contribution:
    """How an author without an account was told, or why there was no route to them."""
    contribution = _locked(contribution)
    check_answer(by, contribution.process)
    contribution.told_how, contribution.told_at = clean(how, "how", longest=200), clock.now()
    contribution.save(update_fields=["told_how", "told_at"])
    record(action="contribution.mark_told", by=by, obj=contribution, changed=["told_how"])
    return contribution


# "Spørg om forløbet".


@transaction.atomic
def ask_question(
    *, process: Process, by: User | None, text: str, email: str = "", at: datetime | None = None
) -> ProcessQuestion:
    """A question about the process itself; a caseworker looks before it is shown, and it has a day to be answered by."""
    check_ask(process)
    at = at or clock.now()
    user = by if by is not None and by.is_authenticated else None
    question = ProcessQuestion.objects.create(
        process=process,
        asker=user,
        asker_email="" if user else clean(email, "email", longest=254, required=False),
        text=clean(text, "text", longest=2000),
        asked_at=at,
        due_on=clock.today() + timedelta(days=QUESTION_DAYS),
    )
    record(action="question.ask", by=user, obj=question)
    _tell_caseworkers(
        process,
        event=f"question:{question.pk}:asked",
        title=gettext_lazy("A question about a process"),
        text=format_lazy("{}: {}", process.title, question.text),
        url=process.get_absolute_url(),
    )
    return question


@transaction.atomic
def answer_question(
    *, question: ProcessQuestion, by: User, answer: str, publish: bool = True
) -> ProcessQuestion:
    """Answered to the one who asked and, unless it is personal, on the page."""
    question = (
        ProcessQuestion.objects.select_for_update(of=("self",)).select_related("process").get(pk=question.pk)
    )
    check_answer(by, question.process)
    question.answer = clean(answer, "answer", longest=ANSWER)
    question.answered_by, question.answered_at = by, clock.now()
    question.moderation = Moderation.PUBLISHED if publish else Moderation.REJECTED
    question.save(update_fields=["answer", "answered_by", "answered_at", "moderation"])
    record(
        action="question.answer",
        by=by,
        obj=question,
        changed=["answer", "moderation"],
        values={"publish": publish},
    )
    words: dict[str, Any] = {
        "event": f"question:{question.pk}:answer:{_digest(question.answer)}",
        "kind": Notice.Kind.ANSWER,
        "title": gettext_lazy("Your question has been answered"),
        "text": format_lazy("{}\n\n{}", question.text, question.answer),
        "url": reverse("participation:question-list", args=[question.process.slug]),
        "process": question.process,
    }
    asker = question.asker
    if asker is not None:
        notices.tell(users=[asker], by=by, **words)
    elif question.asker_email:
        notices.tell_address(email=question.asker_email, **words)
    return question


@transaction.atomic
def moderate_question(*, question: ProcessQuestion, by: User, publish: bool) -> ProcessQuestion:
    """Show a question before it is answered, or leave it out."""
    check_moderate(by, question.process)
    question.moderation = Moderation.PUBLISHED if publish else Moderation.REJECTED
    question.save(update_fields=["moderation"])
    record(
        action="question.moderate", by=by, obj=question, changed=["moderation"], values={"publish": publish}
    )
    return question


# Names.


@transaction.atomic
def remove_names(*, process: Process) -> int:
    """The day has come when names disappear: what was typed for someone is emptied, and nothing shows a name again."""
    process = locks.hold(process.pk)
    until = shown_until(process)
    if until is None or until > clock.today():
        return 0
    removed = (
        process.contributions.exclude(name_shown=NameShown.NONE, author_name="", author_contact="")
        .order_by()
        .update(name_shown=NameShown.NONE, author_name="", author_contact="")
    )
    removed += (
        Argument.objects.filter(contribution__process=process)
        .exclude(name_shown=NameShown.NONE)
        .order_by()
        .update(name_shown=NameShown.NONE)
    )
    behind = CoAuthor.objects.filter(contribution__process=process).exclude(name_shown=NameShown.NONE)
    removed += behind.update(name_shown=NameShown.NONE)
    if removed:
        record(action="process.remove_names", by=None, obj=process, values={"contributions": removed})
    return removed


def _create_detail(contribution: Contribution, detail: dict[str, Any] | None) -> None:
    create = formats.get(contribution.process.format).create_contribution_detail
    if create is not None:
        create(contribution, **(detail or {}))


def _locked(contribution: Contribution) -> Contribution:
    return (
        Contribution.objects.select_for_update(of=("self",))
        .select_related("process", "phase", "theme", "author")
        .get(pk=contribution.pk)
    )


def _locked_theme(theme: Theme) -> Theme:
    """Not against what only points at it: whoever gathers has the contributions already, and one of them takes the theme
    of another."""
    chosen = Theme.objects.select_for_update(of=("self",), no_key=True).select_related("process")
    return chosen.get(pk=theme.pk)


def _locked_many(contributions: Iterable[Contribution]) -> list[Contribution]:
    """In the order of their keys, so that two who answer overlapping heaps wait instead of meeting head on."""
    return list(
        Contribution.objects.select_for_update(of=("self",))
        .select_related("process", "theme", "author")
        .filter(pk__in={each.pk for each in contributions})
        .order_by("pk")
    )


def _moment_received(process: Process, day: date, now: datetime) -> datetime:
    """The last moment of the day it was received on, but not after now."""
    from django.utils import timezone

    end = datetime.combine(day, datetime.max.time(), tzinfo=timezone.get_default_timezone())
    return min(end, now)


def _check_choice(value: str, allowed: list[str], field: str) -> None:
    if value not in allowed:
        raise Refused("unknown_choice", _("Choose one of those shown."), field)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def _tell_author(
    contribution: Contribution, *, event: str, kind: str, title: Any, text: Any, by: User
) -> None:
    """Everyone behind it who has an account."""
    notices.tell(
        users=team.authors(contribution),
        event=event,
        kind=kind,
        title=title,
        text=text,
        url=contribution.get_absolute_url(),
        process=contribution.process,
        by=by,
    )


def _tell_supporters(
    users: QuerySet[User], of: Contribution | Theme, process: Process, outcome: str, answer: str
) -> None:
    """What became of it, to those who support it. Not as an answer: that would count as having told an author."""
    url = (
        of.get_absolute_url()
        if isinstance(of, Contribution)
        else reverse("participation:contribution-list", args=[process.slug]) + f"?tema={of.pk}"
    )
    notices.tell(
        users=users,
        event=f"{of._meta.model_name}:{of.pk}:supported:{_digest(outcome, answer)}",
        kind=Notice.Kind.NEWS,
        title=gettext_lazy("What you support has been answered"),
        text=format_lazy("{}\n\n{}\n\n{}", of.title, Outcome(outcome).label, answer),
        url=url,
        process=process,
    )


def _tell_theme(theme: Theme, *, by: User) -> None:
    """Once per person, however many of theirs are in the theme."""
    authors = User.objects.filter(team.among_authors(theme.contributions.standing()))
    notices.tell(
        users=authors,
        event=f"theme:{theme.pk}:answer:{_digest(theme.outcome, theme.answer)}",
        kind=Notice.Kind.ANSWER,
        title=gettext_lazy("Your contribution has been answered"),
        text=format_lazy("{}\n\n{}\n\n{}", theme.title, Outcome(theme.outcome).label, theme.answer),
        url=reverse("participation:contribution-list", args=[theme.process.slug]) + f"?tema={theme.pk}",
        process=theme.process,
        by=by,
    )
    among = team.among_authors(theme.contributions.standing())
    supporting = User.objects.filter(supports__contribution__theme=theme, is_active=True).exclude(among)
    _tell_supporters(supporting.distinct(), theme, theme.process, theme.outcome, theme.answer)


def _tell_caseworkers(process: Process, *, event: str, title: Any, text: Any, url: str) -> None:
    people = {person.pk: person for person in (process.owner, process.deputy) if person is not None}
    notices.tell(
        users=people.values(),
        event=event,
        kind=Notice.Kind.DUTY,
        title=title,
        text=text,
        url=url,
        process=process,
    )
