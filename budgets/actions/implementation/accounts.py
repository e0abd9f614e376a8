"""The accounts of those who carry a project out themselves, line by line with receipts, approved by four eyes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.verdict import Refused
from budgets import carrying_out as may
from budgets.actions.implementation.diary import tell_author, write_note
from budgets.actions.implementation.row import above_zero, check_day, locked, log
from budgets.models import AccountEntry, Implementation, Progress, ProgressNote
from participation import clock
from participation.models import StoredFile
from participation.texts import clean

State = AccountEntry.State


def enter_spending(
    *,
    implementation: Implementation,
    by: User,
    amount: Decimal | int,
    spent_on: date,
    text: str,
    receipt: StoredFile | None = None,
    at: datetime | None = None,
) -> AccountEntry:
    """A line with its receipt: from the group it waits for a caseworker, from a caseworker it counts at once."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        from_group = may.is_carrier(by, one)
        if from_group:
            may.check_report_spending(by, one)
        else:
            may.check_keep_accounts(by, one)
        if from_group and receipt is None:
            raise Refused("no_receipt", _("Add the receipt: a photo of it is enough."), "receipt")
        check_day(spent_on, "spent_on", at)
        entry = AccountEntry.objects.create(
            implementation=one,
            amount=above_zero(amount),
            spent_on=spent_on,
            text=clean(text, "text", longest=200),
            receipt=receipt,
            author=by if from_group else None,
            recorded_at=at,
            **{} if from_group else _settled(State.CONFIRMED, by, at),
        )
        _log_entry("enter_spending", by, entry, one)
    return entry


def settle_spending(
    *,
    entry: AccountEntry,
    by: User,
    confirm: bool,
    because: str = "",
    receipt_public: bool = False,
    at: datetime | None = None,
) -> AccountEntry:
    """A caseworker confirms what the group entered, or says why not. The group is told when it is not."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(entry.implementation)
        entry = AccountEntry.objects.select_related("author").get(pk=entry.pk, implementation=one)
        entry.implementation = one
        may.check_settle_entry(by, entry)
        entry.refused_because = "" if confirm else clean(because, "because", longest=500)
        state = State.CONFIRMED if confirm else State.REFUSED
        for name, value in _settled(state, by, at).items():
            setattr(entry, name, value)
        entry.receipt_public = confirm and receipt_public and entry.receipt_id is not None
        entry.save(update_fields=["refused_because", "state", "settled_by", "settled_at", "receipt_public"])
        _log_entry("settle_spending", by, entry, one)
        if not confirm:
            tell_author(entry.author, one, f"entry:{entry.pk}", entry.text, entry.refused_because, by)
    return entry


def correct_spending(*, entry: AccountEntry, by: User, text: str, at: datetime | None = None) -> AccountEntry:
    """A confirmed line that is wrong is met by its exact opposite."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(entry.implementation)
        may.check_keep_accounts(by, one)
        entry = AccountEntry.objects.get(pk=entry.pk, implementation=one)
        done = entry.corrects_id is not None or AccountEntry.objects.filter(corrects=entry).exists()
        if entry.state != State.CONFIRMED or done:
            raise Refused("corrected", _("Only a confirmed line is corrected, and only once."))
        correction = AccountEntry.objects.create(
            implementation=one,
            amount=-entry.amount,
            spent_on=timezone.localdate(at),
            text=clean(text, "text", longest=200),
            corrects=entry,
            recorded_at=at,
            **_settled(State.CONFIRMED, by, at),
        )
        _log_entry("correct_spending", by, correction, one)
    return correction


def show_receipt(*, entry: AccountEntry, by: User, public: bool) -> AccountEntry:
    """Everyone may see the receipt of a confirmed line, or no longer: it can be hidden at any time, also afterwards."""
    with transaction.atomic():
        one = locked(entry.implementation)
        entry = AccountEntry.objects.get(pk=entry.pk, implementation=one)
        entry.implementation = one
        may.check_show_receipt(by, entry)
        entry.receipt_public = public
        entry.save(update_fields=["receipt_public"])
        values = {"public": public, "project": one.pk}
        log("show_receipt", by, one, obj=entry, changed=["receipt_public"], values=values)
    return entry


def _settled(state: str, by: User, at: datetime) -> dict[str, Any]:
    return {"state": state, "settled_by": by, "settled_at": at}


def _log_entry(action: str, by: User, entry: AccountEntry, one: Implementation) -> None:
    values = {"amount": entry.amount, "state": str(entry.state), "project": one.pk}
    log(action, by, one, obj=entry, changed=["state"], values=values)


def send_accounts(*, implementation: Implementation, by: User, at: datetime | None = None) -> Implementation:
    """Everything is in: a colleague approves."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_send_accounts(by, one)
        one.accounts_sent_at, one.accounts_sent_by = at, by
        one.save(update_fields=["accounts_sent_at", "accounts_sent_by"])
        log("send_accounts", by, one, changed=["accounts_sent_at"])
    return one


def approve_accounts(
    *, implementation: Implementation, by: User, at: datetime | None = None
) -> Implementation:
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_approve_accounts(by, one)
        one.accounts_approved_at, one.accounts_approved_by = at, by
        one.save(update_fields=["accounts_approved_at", "accounts_approved_by"])
        log("approve_accounts", by, one, changed=["accounts_approved_at"])
        write_note(one, ProgressNote.Kind.ACCOUNTS, str(_("The accounts are approved")), by=by, at=at)
    return one


def send_back_accounts(
    *, implementation: Implementation, by: User, because: str, at: datetime | None = None
) -> Implementation:
    """Something is missing: the accounts are open again, and whoever sent them reads why in the history."""
    with transaction.atomic():
        one = locked(implementation)
        may.check_work(by, one)
        if one.accounts_sent_at is None or one.status == Progress.DONE:
            raise Refused("accounts_not_sent", _("The accounts have not been sent to approval yet."))
        because = clean(because, "because", longest=500)
        sender = one.accounts_sent_by
        one.accounts_sent_at = one.accounts_sent_by = None
        one.accounts_approved_at = one.accounts_approved_by = None
        changed = ["accounts_approved_at", "accounts_approved_by", "accounts_sent_at", "accounts_sent_by"]
        one.save(update_fields=changed)
        log("send_back_accounts", by, one, changed=changed)
        tell_author(sender, one, f"accounts:{clock.now().timestamp():.6f}", _("The accounts"), because, by)
    return one
