"""Writing a mailout: the letter, whom it is for, and the list that comes of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Unit, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit import clock
from audit.actions import record
from mailouts import listing, permissions, sources
from mailouts.building import Builder
from mailouts.choices import ActionKind, Channel, Earlier, PaperRoute, Policy
from mailouts.content import Prepared
from mailouts.email import Mail
from mailouts.gateway import NotTaken
from mailouts.models import Campaign, ListedRecipient, Source
from mailouts.models.campaigns import CONTENT, SENDING_RULES
from mailouts.recipients import Recipient

EDITABLE = frozenset({"title", *CONTENT, *SENDING_RULES})
# What decides who gets the letter and which way: a list that was made before no longer holds.
DECIDES_LIST = frozenset({"policy", "per_household", "earlier", "subject", "text", "sms_text"})
BUILDING_LASTS = timedelta(minutes=10)


def locked(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update().get(pk=campaign.pk)


@transaction.atomic
def create_campaign(*, by: User, unit: Unit, title: str, **fields: Any) -> Campaign:
    if not by.may(Permission.SEND_MAILOUT):
        raise Refused("role", _("Your role doesn't let you send mailouts."))
    if unit.pk not in by.unit_ids():
        raise Refused("other_unit", _("Choose one of your own units."), "unit")
    if not title.strip():
        raise Refused("no_title", _("Give the mailout a name."), "title")
    _check_fields(fields)
    campaign = Campaign.objects.create(
        title=title.strip(), unit=unit, created_by=by, created_at=clock.now(), **fields
    )
    record(action="mailouts.create", by=by, obj=campaign)
    return campaign


@transaction.atomic
def edit_campaign(*, campaign: Campaign, by: User, **fields: Any) -> Campaign:
    """Only a draft. What decides the list throws a list away that was made before."""
    campaign = locked(campaign)
    permissions.check_edit(by, campaign)
    _check_fields(fields)
    changed = [name for name, value in fields.items() if getattr(campaign, name) != value]
    if not changed:
        return campaign
    for name in changed:
        setattr(campaign, name, fields[name])
    saved = list(changed)
    if DECIDES_LIST & set(changed):
        saved += _forget_list(campaign)
    campaign.save(update_fields=saved)
    record(action="mailouts.edit", by=by, obj=campaign, changed=changed)
    return campaign


def _check_fields(fields: Mapping[str, Any]) -> None:
    unknown = fields.keys() - EDITABLE
    if unknown:
        raise TypeError(f"A mailout has no {', '.join(sorted(unknown))} to write.")
    for name, choices in (
        ("policy", Policy),
        ("paper_route", PaperRoute),
        ("action_kind", ActionKind),
        ("earlier", Earlier),
    ):
        if name in fields and fields[name] not in choices.values:
            raise Refused("unknown_choice", _("Choose one of those offered."), name)
    starts, ends = fields.get("meeting_starts"), fields.get("meeting_ends")
    if starts and ends and ends <= starts:
        raise Refused("meeting", _("The meeting must end after it begins."), "meeting_ends")


def _forget_list(campaign: Campaign) -> list[str]:
    campaign.deliveries.all().delete()
    campaign.list_built_at = campaign.list_asked_at = None
    campaign.list_numbers, campaign.list_error = {}, ""
    return ["list_built_at", "list_asked_at", "list_numbers", "list_error"]


@transaction.atomic
def add_source(*, campaign: Campaign, by: User, kind: str, params: dict[str, Any]) -> Source:
    """One more answer to who it is for. The kind's own form has checked the parameters; they must be able to be read."""
    campaign = locked(campaign)
    permissions.check_edit(by, campaign)
    source = Source(campaign=campaign, kind=kind, params=params)
    sources.get(kind).describe(params)
    source.save()
    campaign.save(update_fields=_forget_list(campaign))
    record(action="mailouts.add_recipients", by=by, obj=campaign, values={"kind": kind})
    return source


@transaction.atomic
def add_list(*, campaign: Campaign, by: User, name: str, text: str) -> Source:
    """A pasted or uploaded list, all of it or (with an error for each line) nothing."""
    campaign = locked(campaign)
    permissions.check_edit(by, campaign)
    entries = listing.read(text)
    source = Source.objects.create(
        campaign=campaign, kind="list", params={"name": name.strip()[:80] or "liste", "lines": len(entries)}
    )
    ListedRecipient.objects.bulk_create(
        [
            ListedRecipient(
                source=source,
                line=entry.line,
                key=entry.key,
                name=entry.name,
                address=entry.address,
                email=entry.email,
                number=entry.cvr,
            )
            for entry in entries
        ],
        batch_size=1000,
    )
    campaign.save(update_fields=_forget_list(campaign))
    record(
        action="mailouts.add_recipients",
        by=by,
        obj=campaign,
        values={"kind": "list", "lines": len(entries)},
    )
    return source


@transaction.atomic
def remove_source(*, source: Source, by: User) -> None:
    campaign = locked(source.campaign)
    permissions.check_edit(by, campaign)
    campaign.save(update_fields=_forget_list(campaign))
    record(action="mailouts.remove_recipients", by=by, obj=campaign, values={"kind": source.kind})
    source.delete()


@transaction.atomic
def ask_for_list(*, campaign: Campaign, by: User) -> Campaign:
    """The list is made in the background; asked twice it is made once."""
    campaign = locked(campaign)
    permissions.check_build(by, campaign)
    now = clock.now()
    if campaign.list_asked_at is not None and now - campaign.list_asked_at < BUILDING_LASTS:
        return campaign
    saved = _forget_list(campaign)
    campaign.list_asked_at = now
    campaign.save(update_fields=saved)
    from mailouts.tasks import build_lists

    transaction.on_commit(lambda: build_lists.apply_async(retry=False), robust=True)
    return campaign


@transaction.atomic
def build_list(*, campaign: Campaign) -> Campaign:
    """Makes the list anew from the sources and the newest register. The row stays locked meanwhile."""
    campaign = locked(campaign)
    permissions.check_build(None, campaign)
    try:
        with transaction.atomic():
            numbers = Builder(campaign, at=clock.now()).build().as_json()
        campaign.list_numbers, campaign.list_error = numbers, ""
        campaign.list_built_at = clock.now()
    except Refused as refused:
        campaign.deliveries.all().delete()
        campaign.list_numbers, campaign.list_built_at = {}, None
        campaign.list_error = refused.reason[:300]
    campaign.list_asked_at = None
    campaign.save(update_fields=["list_numbers", "list_error", "list_built_at", "list_asked_at"])
    record(action="mailouts.build_list", by=None, obj=campaign, values=campaign.list_numbers)
    return campaign


def send_test(*, campaign: Campaign, by: User) -> Campaign:
    """The letter to oneself, as e-mail with the paper letter beside it, filled in with examples. It marks the text as seen."""
    permissions.check_edit(by, campaign)
    permissions.check_text(campaign)
    if not by.email:
        raise Refused("no_email", _("You have no e-mail address here."))
    prepared = Prepared.of(campaign)
    examples = prepared.danish.examples()
    who = Recipient(
        delivery_id=0,
        uuid=uuid4(),
        channel=Channel.EMAIL,
        attempts=0,
        name=examples.get("navn") or by.get_full_name() or "Anna Andersen",
        address="Eksempelvej 1, 2. tv, 9999 Lunde",
        email=by.email,
        district=examples.get("distrikt", "Midtby"),
        extra={name: value for name, value in examples.items() if name not in {"navn", "fornavn", "link"}},
    )
    if campaign.policy == Policy.NEMSMS:
        from django.core.mail import EmailMultiAlternatives

        mail = EmailMultiAlternatives(
            subject=" ".join(campaign.title.split()), body=campaign.sms_text, to=[by.email]
        )
    else:
        mail = prepared.email(who)
        mail.attach("brev.pdf", prepared.pdf(who), "application/pdf")
    mail.subject = _("Test: %(subject)s") % {"subject": mail.subject}
    try:
        with Mail() as connection:
            connection.send(mail)
    except (NotTaken, OSError) as error:
        raise Refused(
            "mail_down", _("The mail server didn't take it. Try again in a little while.")
        ) from error
    return note_test(campaign=campaign, by=by, tested=campaign.hash_of_text())


@transaction.atomic
def note_test(*, campaign: Campaign, by: User, tested: str) -> Campaign:
    """Somebody has been sent the text that has this hash."""
    campaign = locked(campaign)
    permissions.check_edit(by, campaign)
    campaign.test_hash, campaign.test_sent_at = tested, clock.now()
    campaign.save(update_fields=["test_hash", "test_sent_at"])
    record(action="mailouts.send_test", by=by, obj=campaign)
    return campaign


@transaction.atomic
def copy_campaign(*, campaign: Campaign, by: User) -> Campaign:
    """The same letter and rules as a new draft; whom it is for is chosen anew, except where it is a rule."""
    permissions.check_work(by, campaign)
    if campaign.content_deleted_at is not None:
        raise Refused("content_gone", _("The letter has been deleted."))
    fields = {name: getattr(campaign, name) for name in (*CONTENT, *SENDING_RULES)}
    fields |= {"start_at": None, "expected": None}
    title = _("%(title)s (copy)") % {"title": campaign.title[:105]}
    return create_campaign(by=by, unit=campaign.unit, title=title, **fields)


@transaction.atomic
def delete_draft(*, campaign: Campaign, by: User) -> None:
    campaign = locked(campaign)
    permissions.check_delete(by, campaign)
    record(action="mailouts.delete_draft", by=by, obj=campaign)
    campaign.deliveries.all().delete()
    campaign.delete()
