"""Who may do what about a project that is carried out, now: pairs of `check_x` and `can_x`."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict, verdict
from budgets.models import AccountEntry, Implementation, ProgressNote, Promise
from budgets.models.implementation import confirmed_sum
from budgets.permissions import check_own_work
from dkfds.wording import kroner
from participation import team

if TYPE_CHECKING:
    from accounts.models import User

# What is told in free words; every other line of the diary is a fact that stays.
NEWS = frozenset({ProgressNote.Kind.NEWS, ProgressNote.Kind.MILESTONE})


def check_work(user: "User | None", implementation: Implementation, *, at: datetime | None = None) -> None:
    """The role may, and the process belongs to the user's unit."""
    check_own_work(user, implementation.project.contribution.process, Permission.CARRY_OUT)


def can_work(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_work, user, implementation)


def _check_running(implementation: Implementation) -> None:
    if implementation.ended:
        raise Refused("ended", _("The project has ended. Change how it goes first."))


def _check_published(implementation: Implementation) -> None:
    if implementation.promised_at is None:
        raise Refused("no_plan", _("Publish the plan first, so that everyone knows what was promised."))


def check_plan(user: "User | None", implementation: Implementation) -> None:
    """Who carries it out, the agreement and the milestones: as long as it runs."""
    check_work(user, implementation)
    _check_running(implementation)


def can_plan(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_plan, user, implementation)


def check_write_promises(user: "User | None", implementation: Implementation) -> None:
    """The list is free to edit until it is published."""
    check_plan(user, implementation)
    if implementation.promised_at is not None:
        raise Refused(
            "published",
            _("The list is published. Promises are added, dropped or taken out one by one, with a reason."),
        )


def can_write_promises(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_write_promises, user, implementation)


def check_publish_plan(user: "User | None", implementation: Implementation) -> None:
    check_write_promises(user, implementation)
    if not implementation.promises.exists():
        raise Refused("no_promises", _("Write what is promised first."))
    if not implementation.carrier:
        raise Refused("no_carrier", _("Write who carries it out first."))
    if not implementation.milestones.exists():
        raise Refused("no_milestones", _("Plan at least one milestone first."))


def can_publish_plan(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_publish_plan, user, implementation)


def check_follow_up(user: "User | None", implementation: Implementation) -> None:
    """Delivering, dropping, adding and reaching: on a published plan that still runs."""
    check_work(user, implementation)
    _check_published(implementation)
    _check_running(implementation)


def can_follow_up(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_follow_up, user, implementation)


def check_pay(user: "User | None", implementation: Implementation) -> None:
    check_follow_up(user, implementation)
    if not implementation.by_citizens:
        return
    if implementation.agreement_signed_on is None:
        raise Refused("no_agreement", _("Write when the agreement with the group was signed first."))
    _check_accounts_open(implementation)
    _check_not_own(user, implementation)


def can_pay(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_pay, user, implementation)


def check_pay_back(user: "User | None", implementation: Implementation) -> None:
    """What was paid comes back or was written wrongly: also when the project has ended, as long as its accounts are
    open."""
    check_work(user, implementation)
    _check_published(implementation)
    if implementation.by_citizens:
        _check_accounts_open(implementation)


def can_pay_back(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_pay_back, user, implementation)


def _check_not_own(user: "User | None", implementation: Implementation) -> None:
    """Nobody decides on what they themselves stand behind (forvaltningsloven, section 3)."""
    if team.is_author(user, implementation.project.contribution):
        raise Refused("own_project", _("You stand behind this project yourself: a colleague must do it."))


def _check_accounts_open(implementation: Implementation) -> None:
    if implementation.accounts_sent_at is not None:
        raise Refused(
            "accounts_sent", _("The accounts are sent to approval. Have them sent back to change them.")
        )


def check_change_status(user: "User | None", implementation: Implementation) -> None:
    check_work(user, implementation)


def can_change_status(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_change_status, user, implementation)


def check_done(implementation: Implementation) -> None:
    """Done takes every promise delivered or dropped because and, where citizens carry it out, approved accounts."""
    _check_published(implementation)
    open_promises = implementation.promises.filter(state=Promise.State.PROMISED).values_list(
        "text", flat=True
    )
    if open_promises:
        raise Refused(
            "promises_open",
            _("Say of each promise whether it is delivered or dropped first: %(open)s.")
            % {"open": "; ".join(open_promises)},
            "status",
        )
    if implementation.by_citizens and implementation.accounts_approved_at is None:
        raise Refused("accounts_open", _("The group's accounts must be approved first."), "status")


def check_tell(user: "User | None", implementation: Implementation) -> None:
    """News may be told before the plan and after the end."""
    check_work(user, implementation)


def can_tell(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_tell, user, implementation)


def check_keep_accounts(user: "User | None", implementation: Implementation) -> None:
    """A caseworker enters or settles a line."""
    check_work(user, implementation)
    _check_has_accounts(implementation)
    _check_accounts_open(implementation)


def can_keep_accounts(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_keep_accounts, user, implementation)


def _check_has_accounts(implementation: Implementation) -> None:
    if not implementation.by_citizens:
        raise Refused("no_accounts", _("Only those who carry a project out themselves keep accounts of it."))
    _check_published(implementation)


def check_send_accounts(user: "User | None", implementation: Implementation) -> None:
    """Ready when nothing waits and the lines come to exactly what was paid: the rest has been paid back."""
    check_keep_accounts(user, implementation)
    if implementation.entries.filter(state=AccountEntry.State.WAITING).exists():
        raise Refused("entries_wait", _("Some lines of the accounts still wait to be confirmed."))
    spent = implementation.entries.aggregate(spent=confirmed_sum())["spent"]
    if spent != implementation.paid:
        raise Refused(
            "accounts_differ",
            _(
                "The accounts come to %(spent)s, but %(paid)s was paid. What was not spent is recorded as paid back; "
                "what is missing is entered with its receipt."
            )
            % {"spent": kroner(spent), "paid": kroner(implementation.paid)},
        )


def can_send_accounts(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_send_accounts, user, implementation)


def check_approve_accounts(user: "User", implementation: Implementation) -> None:
    """Four eyes: not the colleague who sent them, and nobody who stands behind the project."""
    check_work(user, implementation)
    _check_has_accounts(implementation)
    if implementation.accounts_sent_at is None:
        raise Refused("accounts_not_sent", _("The accounts have not been sent to approval yet."))
    if implementation.accounts_approved_at is not None:
        raise Refused("accounts_approved", _("The accounts are approved."))
    if implementation.accounts_sent_by_id == user.pk:
        raise Refused("four_eyes", _("You sent them: a colleague must approve."))
    _check_not_own(user, implementation)


def can_approve_accounts(user: "User", implementation: Implementation) -> Verdict:
    return verdict(check_approve_accounts, user, implementation)


def check_settle_note(user: "User", note: ProgressNote) -> None:
    check_work(user, note.implementation)
    if note.state != ProgressNote.State.WAITING:
        raise Refused("settled", _("It has already been looked at."))
    _check_not_own(user, note.implementation)


def can_settle_note(user: "User", note: ProgressNote) -> Verdict:
    return verdict(check_settle_note, user, note)


def check_settle_entry(user: "User", entry: AccountEntry) -> None:
    check_keep_accounts(user, entry.implementation)
    if entry.state != AccountEntry.State.WAITING:
        raise Refused("settled", _("It has already been looked at."))
    _check_not_own(user, entry.implementation)


def can_settle_entry(user: "User", entry: AccountEntry) -> Verdict:
    return verdict(check_settle_entry, user, entry)


def check_show_receipt(user: "User", entry: AccountEntry) -> None:
    """Who may see a receipt can be changed at any time: what should have been hidden must be hidden."""
    check_work(user, entry.implementation)
    if entry.receipt_id is None or entry.state != AccountEntry.State.CONFIRMED:
        raise Refused("no_receipt", _("There is no confirmed receipt."))


def can_show_receipt(user: "User", entry: AccountEntry) -> Verdict:
    return verdict(check_show_receipt, user, entry)


def check_take_down(user: "User", note: ProgressNote) -> None:
    check_work(user, note.implementation)
    if note.state != ProgressNote.State.SHOWN or note.kind not in NEWS:
        raise Refused("not_news", _("Only news can be taken down: what was promised and decided stays."))


def can_take_down(user: "User", note: ProgressNote) -> Verdict:
    return verdict(check_take_down, user, note)


def is_carrier(user: "User | None", implementation: Implementation) -> bool:
    """One of those who proposed it, where they carry it out. Whoever is not gets a 404."""
    return implementation.by_citizens and team.is_author(user, implementation.project.contribution)


def check_report(user: "User | None", implementation: Implementation) -> None:
    """Those who carry it out tell how it goes, from the plan is published until it has ended."""
    if not is_carrier(user, implementation):
        raise Refused("not_carrier", _("Only those who carry the project out can tell this way."))
    _check_published(implementation)
    if implementation.ended:
        raise Refused("ended", _("The project has ended. Call us if something should be added."))


def can_report(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_report, user, implementation)


def check_report_spending(user: "User | None", implementation: Implementation) -> None:
    check_report(user, implementation)
    if implementation.accounts_sent_at is not None:
        raise Refused("accounts_sent", _("The accounts are closed. Call us if something should be added."))


def can_report_spending(user: "User | None", implementation: Implementation) -> Verdict:
    return verdict(check_report_spending, user, implementation)
