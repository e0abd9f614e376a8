"""What the pages say about a project that is carried out, read in as few queries as there are tables; and who may see the
files that hang on it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from budgets import carrying_out as may
from budgets.models import (
    AccountEntry,
    ExtraGrant,
    Implementation,
    Milestone,
    Payment,
    Progress,
    ProgressNote,
    Project,
    Promise,
)
from dkfds.drawings import share
from dkfds.wording import kroner, number
from participation import clock
from participation.files import Owner
from participation.models import Process, StoredFile

NEWS_SHOWN = 60


@dataclass(frozen=True)
class Bar:
    """The money of one or several projects as parts of a bar: lengths and places in per cent of the widest."""

    granted: Decimal
    paid: Decimal
    returned: Decimal
    left: Decimal
    paid_length: str
    returned_at: str
    returned_length: str
    whole_length: str

    @property
    def paid_share(self) -> float:
        return float(self.paid / self.granted) if self.granted else 0.0


def money_bar(granted: Decimal, paid: Decimal, returned: Decimal, *, widest: Decimal | None = None) -> Bar:
    """Paid first, then what may still be paid, then what went back."""
    top = float(widest or granted) or 1.0
    left = granted - paid - returned
    return Bar(
        granted,
        paid,
        returned,
        left,
        paid_length=share(float(paid), top),
        returned_at=share(float(paid + left), top),
        returned_length=share(float(returned), top),
        whole_length=share(float(granted), top),
    )


@dataclass(frozen=True)
class HowItGoes:
    """All that everyone may read about one project. `balance` runs through the payments beside each of them."""

    implementation: Implementation
    promises: tuple[Promise, ...]
    taken_out: tuple[Promise, ...]
    steps: tuple[dict[str, Any], ...]
    bar: Bar
    payments: tuple[dict[str, Any], ...]
    extra_grants: tuple[ExtraGrant, ...]
    entries: tuple[AccountEntry, ...]
    spent: Decimal
    notes: tuple[ProgressNote, ...]

    @property
    def published(self) -> bool:
        return self.implementation.promised_at is not None

    @property
    def delivered(self) -> int:
        return sum(promise.state == Promise.State.DELIVERED for promise in self.promises)

    @property
    def in_words(self) -> str:
        """2 of 3 promises are delivered."""
        return ngettext(
            "%(delivered)s of %(all)s promise is delivered",
            "%(delivered)s of %(all)s promises are delivered",
            len(self.promises),
        ) % {"delivered": number(self.delivered), "all": number(len(self.promises))}


def how_it_goes(project: Project) -> HowItGoes | None:
    """Six queries, however much has happened. None where nothing is carried out."""
    one = Implementation.objects.filter(project=project).first()
    if one is None:
        return None
    one.project = project
    entries = tuple(
        one.entries.filter(state=AccountEntry.State.CONFIRMED).select_related("receipt")
        if one.by_citizens
        else ()
    )
    promises = tuple(one.promises.all())
    return HowItGoes(
        implementation=one,
        promises=tuple(each for each in promises if each.state != Promise.State.TAKEN_OUT),
        taken_out=tuple(each for each in promises if each.state == Promise.State.TAKEN_OUT),
        steps=tuple(steps_of(one, list(one.milestones.all()))),
        bar=money_bar(one.total_granted, one.paid, one.returned),
        payments=tuple(with_balance(one.payments.select_related("corrects"))),
        extra_grants=tuple(one.extra_grants.all()) if one.extra else (),
        entries=entries,
        spent=sum((entry.amount for entry in entries), Decimal(0)),
        notes=tuple(one.notes.shown().select_related("photo")[:NEWS_SHOWN]),
    )


def with_balance(payments: Any) -> list[dict[str, Any]]:
    total, rows = Decimal(0), []
    for payment in payments:
        total += payment.amount
        rows.append({"payment": payment, "balance": total})
    return rows


def steps_of(one: Implementation, milestones: list[Milestone]) -> list[dict[str, Any]]:
    """The milestones as a line of steps: reached ones in the past, the first that isn't is now."""
    today = clock.today()
    steps: list[dict[str, Any]] = []
    now_given = one.ended
    for milestone in sorted(milestones, key=lambda each: (each.reached_on or each.planned_on, each.pk)):
        text = ""
        if milestone.reached_on:
            state, when = "past", _day(milestone.reached_on)
        else:
            state = "next" if now_given else "now"
            now_given = True
            when = _("planned for %(day)s") % {"day": _day(milestone.planned_on)}
            if milestone.planned_on < today and not one.ended:
                text = _("Not reached yet.")
        if milestone.planned_on != milestone.first_planned_on:
            text = " ".join(
                filter(
                    None, [text, _("First planned for %(day)s.") % {"day": _day(milestone.first_planned_on)}]
                )
            )
        steps.append({"label": milestone.title, "when": when, "state": state, "text": text})
    return steps


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


@dataclass(frozen=True)
class Overview:
    """All the projects of one budget that got the money."""

    rows: tuple[dict[str, Any], ...]
    counts: tuple[dict[str, Any], ...]
    bar: Bar

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def in_words(self) -> str:
        """3 done, 4 on time, 1 delayed."""
        return ", ".join(
            f"{number(one['number'])} {str(one['label']).lower()}" for one in self.counts if one["number"]
        )


def overview(process: Process) -> Overview:
    """One query: each project with its state, its promises and its money."""
    found = list(
        Implementation.objects.filter(project__contribution__process=process)
        .public()
        .with_project()
        .with_promises()
        .order_by("project__number", "pk")
    )
    found.sort(key=lambda one: (len(one.project.number), one.project.number, one.pk))
    widest = max((one.total_granted for one in found), default=Decimal(0))
    sums = [
        sum((getattr(one, name) for one in found), Decimal(0))
        for name in ("total_granted", "paid", "returned")
    ]
    return Overview(
        rows=tuple(
            {"one": one, "bar": money_bar(one.total_granted, one.paid, one.returned, widest=widest)}
            for one in found
        ),
        counts=tuple(
            {"state": state, "label": state.label, "number": sum(one.status == state for one in found)}
            for state in Progress
        ),
        bar=money_bar(*sums),
    )


def waiting(process: Process) -> dict[int, dict[str, int]]:
    """What waits for a caseworker, by project: what the groups told, and lines of their accounts."""
    found = (
        Implementation.objects.filter(project__contribution__process=process)
        .annotate(
            told=Count("notes", filter=Q(notes__state=ProgressNote.State.WAITING), distinct=True),
            entered=Count("entries", filter=Q(entries__state=AccountEntry.State.WAITING), distinct=True),
        )
        .values("pk", "told", "entered")
    )
    return {row["pk"]: {"told": row["told"], "entered": row["entered"]} for row in found}


def payment_note(payment: Payment) -> str:
    """What a line that is no ordinary payment is."""
    if payment.kind == Payment.Kind.CORRECTION and payment.corrects is not None:
        return _("Corrects the line of %(day)s.") % {"day": _day(payment.corrects.paid_on)}
    return _("Paid back.") if payment.kind == Payment.Kind.REPAYMENT else ""


def grant_note(extra: ExtraGrant) -> str:
    """When and why the grant was raised or lowered."""
    told = {"money": kroner(abs(extra.amount)), "day": _day(extra.decided_on), "why": extra.reason}
    if extra.amount < 0:
        return _("It was lowered by %(money)s on %(day)s, because %(why)s") % told
    return _("%(money)s of it was granted later, on %(day)s, because %(why)s") % told


def left_in_words(one: Implementation) -> str:
    return _("%(left)s is left of %(granted)s.") % {
        "left": kroner(one.left),
        "granted": kroner(one.total_granted),
    }


# Who may see what hangs on it


def _public(file: StoredFile) -> bool:
    shown = Q(notes__photo=file, notes__state=ProgressNote.State.SHOWN)
    shown |= Q(
        entries__receipt=file, entries__receipt_public=True, entries__state=AccountEntry.State.CONFIRMED
    )
    return Implementation.objects.public().filter(shown).exists()


def _seen_by(file: StoredFile, user: User) -> bool:
    """Its own unit, and whoever sent it in."""
    mine = Q(author=user)
    if (
        ProgressNote.objects.filter(mine, photo=file).exists()
        or AccountEntry.objects.filter(mine, receipt=file).exists()
    ):
        return True
    held = Q(notes__photo=file) | Q(entries__receipt=file) | Q(agreement_file=file)
    holders = Implementation.objects.filter(held).select_related("project__contribution__process").distinct()
    return any(may.can_work(user, one) for one in holders)


FILES = Owner("implementations", _public, _seen_by)
