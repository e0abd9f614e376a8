"""The plan: who carries it out, what is promised and when; free to edit until it is published."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.verdict import Refused
from budgets import carrying_out as may
from budgets.actions.implementation.diary import tell_supporters, write_note
from budgets.actions.implementation.row import check_day, locked, log
from budgets.models import Carrier, Implementation, Milestone, ProgressNote, Promise
from budgets.models.implementation import ENDED
from participation import clock
from participation.actions.writing import check_colleague
from participation.models import StoredFile
from participation.texts import clean

MOST_PROMISES, MOST_MILESTONES = 60, 30
FORGET_CONTACT_AFTER = timedelta(days=365)
Kind = ProgressNote.Kind


def plan_implementation(
    *,
    implementation: Implementation,
    by: User,
    carried_out_by: str,
    carrier: str,
    owner: User | None = None,
    deputy: User | None = None,
    agreement: str = "",
    agreement_file: StoredFile | None = None,
    agreement_signed_on: date | None = None,
    agreement_signed_by: str = "",
    contact_name: str = "",
    contact_how: str = "",
    expected_on: date | None = None,
    at: datetime | None = None,
) -> Implementation:
    """Who carries it out, the agreement with a group, and who answers for it in the house (none: the process's own)."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_plan(by, one)
        if carried_out_by not in Carrier.values:
            raise Refused("carried_out_by", _("Choose who carries it out."), "carried_out_by")
        _check_answerable(one, owner, deputy)
        before = (one.carried_out_by, one.carrier)
        one.carried_out_by = carried_out_by
        one.carrier = clean(carrier, "carrier", longest=160)
        one.owner, one.deputy = owner, deputy
        one.agreement = clean(agreement, "agreement", longest=6000, required=False)
        if agreement_file is not None:
            one.agreement_file = agreement_file
        if agreement_signed_on is not None:
            check_day(agreement_signed_on, "agreement_signed_on", at)
        if one.by_citizens and one.paid and agreement_signed_on is None:
            raise Refused(
                "no_agreement", _("Money is paid: the agreement must be signed."), "agreement_signed_on"
            )
        if carried_out_by != before[0] and one.paid:
            raise Refused(
                "already_paid",
                _("Money is paid to the one who carries it out now. Have it paid back first."),
                "carried_out_by",
            )
        one.agreement_signed_on = agreement_signed_on
        one.agreement_signed_by = clean(
            agreement_signed_by, "agreement_signed_by", longest=200, required=False
        )
        if agreement_signed_on is not None and not one.agreement_signed_by:
            raise Refused("signed_by", _("Write who signed for the group."), "agreement_signed_by")
        one.contact_name = clean(contact_name, "contact_name", longest=200, required=False)
        one.contact_how = clean(contact_how, "contact_how", longest=200, required=False)
        _set_expected(one, expected_on)
        changed = [
            *("agreement", "agreement_file", "agreement_signed_by", "agreement_signed_on", "carried_out_by"),
            *("carrier", "contact_how", "contact_name", "deputy", "expected_on", "owner"),
        ]
        one.save(update_fields=changed)
        log("plan_implementation", by, one, changed=changed, values={"carried_out_by": carried_out_by})
        if one.promised_at is not None and before != (one.carried_out_by, one.carrier):
            write_note(one, Kind.CARRIER, one.carrier, by=by, at=at)
    return one


def _set_expected(one: Implementation, on: date | None) -> None:
    if not one.day_is_told:
        one.expected_on = on
    elif on not in {None, one.expected_on}:
        raise Refused(
            "told",
            _("Everyone has been told another day. Say under “How it goes” that it is delayed, and why."),
            "expected_on",
        )


def _check_answerable(one: Implementation, owner: User | None, deputy: User | None) -> None:
    unit = one.project.contribution.process.unit_id
    for field, user in (("owner", owner), ("deputy", deputy)):
        if user is not None:
            check_colleague(user, unit, field)
    if deputy is not None and owner is not None and deputy.pk == owner.pk:
        raise Refused("same_person", _("The deputy must be somebody else."), "deputy")


def write_promises(
    *, implementation: Implementation, by: User, promises: Iterable[str], at: datetime | None = None
) -> Implementation:
    """The whole list, one line each, until it is published."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_write_promises(by, one)
        lines = [clean(line, "promises", longest=300) for line in promises if line.strip()]
        if not lines:
            raise Refused("no_promises", _("Write at least one thing that is promised."), "promises")
        if len(lines) > MOST_PROMISES:
            raise Refused("too_many", _("Use at most %(most)s lines.") % {"most": MOST_PROMISES}, "promises")
        replace_promises(one, lines, at)
        log("write_promises", by, one, changed=["promises"], values={"number": len(lines)})
    return one


def replace_promises(one: Implementation, lines: list[str], at: datetime) -> None:
    one.promises.all().delete()
    Promise.objects.bulk_create(
        Promise(implementation=one, text=line, position=position, added_on=timezone.localdate(at))
        for position, line in enumerate(lines)
    )


def add_milestone(
    *, implementation: Implementation, by: User, title: str, planned_on: date, at: datetime | None = None
) -> Milestone:
    with transaction.atomic():
        one = locked(implementation)
        may.check_plan(by, one)
        if one.milestones.count() >= MOST_MILESTONES:
            raise Refused("too_many", _("Use at most %(most)s lines.") % {"most": MOST_MILESTONES}, "title")
        milestone = Milestone.objects.create(
            implementation=one,
            title=clean(title, "title", longest=120),
            planned_on=planned_on,
            first_planned_on=planned_on,
        )
        log("add_milestone", by, one, changed=["milestones"], values={"planned_on": planned_on})
    return milestone


def remove_milestone(*, milestone: Milestone, by: User) -> None:
    """Only before the plan is published; later it is moved."""
    with transaction.atomic():
        one = locked(milestone.implementation)
        may.check_write_promises(by, one)
        one.milestones.filter(pk=milestone.pk).delete()
        log("remove_milestone", by, one, changed=["milestones"])


def move_milestone(
    *, milestone: Milestone, by: User, planned_on: date, because: str, at: datetime | None = None
) -> Milestone:
    """To another day. Once the plan is published it leaves a trace with its reason."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(milestone.implementation)
        may.check_plan(by, one)
        milestone = Milestone.objects.get(pk=milestone.pk, implementation=one)
        if milestone.reached_on is not None:
            raise Refused("reached", _("The milestone has been reached."))
        published = one.promised_at is not None
        because = clean(because, "because", longest=1000, required=published)
        milestone.planned_on = planned_on
        milestone.save(update_fields=["planned_on"])
        log("move_milestone", by, one, changed=["milestones"], values={"planned_on": planned_on})
        if published:
            write_note(one, Kind.MILESTONE_MOVED, milestone.title, because, by=by, at=at, milestone=milestone)
    return milestone


def publish_plan(*, implementation: Implementation, by: User, at: datetime | None = None) -> Implementation:
    """From here everyone can read what is promised, and nothing of it is rewritten."""
    at = at or clock.now()
    with transaction.atomic():
        one = locked(implementation)
        may.check_publish_plan(by, one)
        one.promised_at = at
        one.save(update_fields=["promised_at"])
        log("publish_plan", by, one, changed=["promised_at"])
        text = "\n".join(f"– {promise.text}" for promise in one.promises.all())
        note = write_note(one, Kind.PLAN, str(_("The plan is ready")), text, by=by, at=at)
        tell_supporters(note, gettext_lazy("The plan is ready"), by)
    return one


def forget_contacts(*, at: datetime | None = None) -> int:
    """A year after a project has ended, nobody needs the group's contact and who signed any more."""
    at = at or clock.now()
    named = ~Q(contact_name="", contact_how="", agreement_signed_by="")
    old = Implementation.objects.filter(
        named, status__in=ENDED, ended_on__lte=timezone.localdate(at - FORGET_CONTACT_AFTER)
    ).select_related("project__contribution")
    forgotten = 0
    for one in old:
        with transaction.atomic():
            one.contact_name = one.contact_how = one.agreement_signed_by = ""
            changed = ["agreement_signed_by", "contact_how", "contact_name"]
            one.save(update_fields=changed)
            log("forget_contact", None, one, changed=changed)
            forgotten += 1
    return forgotten
