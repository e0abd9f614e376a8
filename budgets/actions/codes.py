"""Voting codes: made in batches, printed once, blocked with a reason; and addresses that guess are locked out.

The clear codes are in the memory of whoever makes a batch and in the PDF, nowhere else. The PDF lies encrypted until it is
fetched, once and within a day. A PDF that was lost can't be made again: block the batch, and make a new one. A code in a letter
of a mailout is made when the letter is about to leave, and goes with it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.models import Resident
from accounts.verdict import Refused
from audit import actions as audit
from budgets import cards, codes, permissions
from budgets.models import CodeBatch, CodeLock, CodePrint, Roll, VotingCode
from mailouts.models import Campaign
from participation import clock
from participation.models import Phase, Process
from participation.texts import clean

if TYPE_CHECKING:
    from accounts.models import User

MADE_AT_ONCE = 200  # more are made in the background
MOST_IN_BATCH = 500
MOST_IN_CLASS = 2000
MOST_ATTEMPTS = 3
CLAIMED_FOR = timedelta(minutes=5)
PRINTS_WAIT = timedelta(days=1)
LOCKS_KEPT = timedelta(days=90)


def make_class_codes(
    *, process: Process, phase: Phase, name: str, amount: int, by: "User", at: datetime | None = None
) -> CodeBatch:
    """So many cards for a class. Few are made at once, more by the worker."""
    at = at or clock.now()
    with transaction.atomic():
        process = _locked(process)
        permissions.check_may_make_codes(by, process, phase, at=at)
        codes.check_class_band(process.citizenbudget)
        if not 1 <= amount <= MOST_IN_CLASS:
            raise Refused(
                "amount",
                _("Make between 1 and %(most)s codes at a time.") % {"most": MOST_IN_CLASS},
                "amount",
            )
        batch = _new_batch(process, phase, CodeBatch.Kind.CLASS, name, amount, by, at)
    return _begin(batch, at)


def make_personal_codes(
    *,
    process: Process,
    phase: Phase,
    name: str,
    chosen: codes.Chosen,
    by: "User",
    at: datetime | None = None,
) -> list[CodeBatch]:
    """A letter for everyone chosen who may vote and has no code yet; many of them in several batches."""
    at = at or clock.now()
    with transaction.atomic():
        process = _locked(process)
        permissions.check_may_make_codes(by, process, phase, at=at)
        amount = codes.residents(process.citizenbudget, phase, chosen).count()
        if not amount:
            raise Refused("nobody", _("Nobody who may vote and has no code yet fits this."))
        parts = -(-amount // MOST_IN_BATCH)
        made = []
        for part in range(1, parts + 1):
            of = _("%(name)s (%(part)s of %(parts)s)") % {"name": name, "part": part, "parts": parts}
            size = min(MOST_IN_BATCH, amount - (part - 1) * MOST_IN_BATCH)
            made.append(
                _new_batch(
                    process,
                    phase,
                    CodeBatch.Kind.PERSONAL,
                    of if parts > 1 else name,
                    size,
                    by,
                    at,
                    chosen=chosen.as_json(),
                )
            )
    return [_begin(batch, at, at_once=amount <= MADE_AT_ONCE) for batch in made]


def replace_code(
    *, process: Process, phase: Phase, resident: Resident, by: "User", at: datetime | None = None
) -> CodeBatch:
    """A letter for one person, for instance because the first one was lost. An older code of theirs is blocked."""
    at = at or clock.now()
    with transaction.atomic():
        process = _locked(process)
        permissions.check_may_make_codes(by, process, phase, at=at)
        if (
            not codes.residents(process.citizenbudget, phase, codes.Chosen(), again=True)
            .filter(pk=resident.pk)
            .exists()
        ):
            raise Refused("may_not_vote", _("This person can't vote with a code by the rules of this vote."))
        if Roll.objects.filter(round__phase=phase, person=resident.person_id).exists():
            raise Refused("already_voted", _("This person has already voted."))
        batch = _new_batch(
            process,
            phase,
            CodeBatch.Kind.PERSONAL,
            _("Letter for one person"),
            1,
            by,
            at,
            chosen={"one": True},
        )
        for old in _locked_batches(phase, resident.person_id):
            VotingCode.objects.filter(batch=old, person=resident.person_id).update(blocked=True)
        _fill(batch, at, only=resident)
    batch.refresh_from_db()
    return batch


@sensitive_variables()
def make_mailed_codes(
    *,
    campaign: Campaign,
    process: Process,
    phase: Phase,
    persons: Collection[UUID],
    at: datetime | None = None,
) -> dict[UUID, str]:
    """A new code for each of these persons, in clear, for the letter that is about to leave; an older code of theirs is blocked.
    Whoever calls has asked who may vote.

    The roll isn't asked: what is noted of a letter is kept longer than the roll, and would tell who had voted when it left. Who
    has voted gets a letter like everybody, and the code in it gives no second vote. Votes with the older codes that are under way
    are waited for. Two mailouts at once for the same person: the later one's code counts.
    """
    at = at or clock.now()
    permissions.check_takes_codes(process, phase, at=at)
    clear = {person: codes.new_code() for person in sorted(set(persons))}
    if not clear:
        return {}
    for _attempt in range(MOST_ATTEMPTS):
        try:
            with transaction.atomic():
                _store_mailed(campaign, process, phase, clear, at)
            return clear
        except IntegrityError:  # another worker was first: with this mailout's batch, or with a person's code
            continue
    raise Refused("busy", _("The codes couldn't be made. Try again in a little while."))


def _store_mailed(
    campaign: Campaign, process: Process, phase: Phase, clear: Mapping[UUID, str], at: datetime
) -> None:
    live = VotingCode.objects.filter(phase=phase, person__in=clear, blocked=False)
    own = Q(mailout=campaign, phase=phase, blocked_at=None)
    held = {
        batch.pk: batch
        for batch in CodeBatch.objects.select_for_update(of=("self",))
        .filter(Q(pk__in=live.values("batch")) | own)
        .order_by("pk")
    }
    replaced = live.filter(batch__in=held).update(blocked=True)
    batch = next(
        (each for each in held.values() if each.mailout_id == campaign.pk and not each.blocked_at), None
    )
    if batch is None:
        batch = CodeBatch.objects.create(
            process=process,
            phase=phase,
            kind=CodeBatch.Kind.PERSONAL,
            name=campaign.title,
            amount=len(clear),
            state=CodeBatch.State.READY,
            mailout=campaign,
            made_by=campaign.approved_by,
            made_at=at,
        )
    else:
        CodeBatch.objects.filter(pk=batch.pk).update(amount=F("amount") + len(clear))
    VotingCode.objects.bulk_create(
        VotingCode(batch=batch, phase=phase, hmac=codes.stored_as(code), person_id=person)
        for person, code in clear.items()
    )
    audit.record(
        action="budgets.make_codes",
        by=None,
        obj=batch,
        values={"kind": batch.kind, "amount": len(clear), "mailout": campaign.pk, "replaced": replaced},
    )


def make_due(at: datetime | None = None) -> int:
    """What waits to be made, one batch after the other; the worker's part. What another worker left unfinished is taken up
    again, and given up after some attempts."""
    at = at or clock.now()
    made = 0
    while (batch := _claim(at)) is not None:
        _fill(batch, at)
        made += 1
    return made


def fetch_print(*, batch: CodeBatch, by: "User", at: datetime | None = None) -> bytes:
    """The PDF, once. After this nobody can see the codes here again."""
    at = at or clock.now()
    with transaction.atomic():
        batch = CodeBatch.objects.select_for_update(of=("self",)).select_related("process").get(pk=batch.pk)
        permissions.check_may_handle_codes(by, batch.process)
        waiting = CodePrint.objects.filter(batch=batch).first()
        if waiting is None or batch.blocked_at is not None:
            raise Refused(
                "gone", _("The PDF has been fetched, or its day is over. Codes can't be shown again.")
            )
        content = codes.unlock(bytes(waiting.content), batch=batch)
        waiting.delete()
        batch.printed_at, batch.printed_by = at, by
        batch.save(update_fields=["printed_at", "printed_by"])
        audit.record(action="budgets.print_codes", by=by, obj=batch, changed=["printed_at"])
    return content


def block_batch(*, batch: CodeBatch, reason: str, by: "User", at: datetime | None = None) -> CodeBatch:
    """Codes of this batch that have not been used give no vote any more. Waits for votes under way; later ones see it."""
    at = at or clock.now()
    reason = clean(reason, "reason", longest=300)
    with transaction.atomic():
        batch = CodeBatch.objects.select_for_update(of=("self",)).select_related("process").get(pk=batch.pk)
        permissions.check_may_handle_codes(by, batch.process)
        if batch.blocked_at is not None:
            raise Refused("blocked_already", _("These codes are already blocked."))
        batch.blocked_at, batch.blocked_by, batch.blocked_reason = at, by, reason
        batch.save(update_fields=["blocked_at", "blocked_by", "blocked_reason"])
        voted = Roll.objects.filter(round__phase=batch.phase_id).filter(
            Q(code=OuterRef("pk")) | Q(person=OuterRef("person"))
        )
        unused = VotingCode.objects.filter(~Exists(voted), batch=batch, blocked=False).update(blocked=True)
        CodePrint.objects.filter(batch=batch).delete()
        audit.record(
            action="budgets.block_codes",
            by=by,
            obj=batch,
            changed=["blocked_at", "blocked_reason"],
            values={"reason": batch.blocked_reason, "unused": unused},
        )
    return batch


def lock_out(
    *, address: str, process: Process, guesses: int, until: datetime, at: datetime | None = None
) -> CodeLock:
    """An address that has guessed is refused for a while, whatever it types. No code, typed or right, is written down."""
    at = at or clock.now()
    with transaction.atomic():
        lock, new = CodeLock.objects.select_for_update().get_or_create(
            address=codes.address_key(address),
            defaults={"process": process, "guesses": guesses, "locked_at": at, "until": until},
        )
        if not new:
            if lock.lifted_at is None and lock.until > at:
                return lock  # another request of the same address was first
            lock.process, lock.locked_at, lock.until = process, at, until
            lock.guesses += guesses
            lock.times += 1
            lock.lifted_at = lock.lifted_by = None
            lock.save()
        audit.record(
            action="budgets.lock_guesser",
            by=None,
            obj=lock,
            values={"guesses": guesses, "minutes": round((until - at).total_seconds() / 60)},
        )
    return lock


def refused_while_locked(lock: CodeLock) -> None:
    CodeLock.objects.filter(pk=lock.pk).update(refused=F("refused") + 1)


def lift_lock(*, lock: CodeLock, by: "User", at: datetime | None = None) -> CodeLock:
    at = at or clock.now()
    with transaction.atomic():
        lock = CodeLock.objects.select_for_update(of=("self",)).select_related("process").get(pk=lock.pk)
        permissions.check_may_handle_codes(by, lock.process)
        if lock.lifted_at is not None or lock.until <= at:
            raise Refused("not_locked", _("It is no longer locked."))
        lock.lifted_at, lock.lifted_by = at, by
        lock.save(update_fields=["lifted_at", "lifted_by"])
        audit.record(action="budgets.lift_lock", by=by, obj=lock, changed=["lifted_at"])
    return lock


def tidy_up(at: datetime | None = None) -> int:
    """PDFs nobody fetched within a day are destroyed, and old locks forgotten."""
    at = at or clock.now()
    CodeLock.objects.filter(until__lt=at - LOCKS_KEPT).delete()
    gone, _each = CodePrint.objects.filter(made_at__lt=at - PRINTS_WAIT).delete()
    return gone


def _locked(process: Process) -> Process:
    return (
        Process.objects.select_for_update(of=("self",))
        .select_related("citizenbudget__vote_rule")
        .get(pk=process.pk)
    )


def _locked_batches(phase: Phase, person_id: UUID) -> list[CodeBatch]:
    """The batches in which a person has a code that could be used, held as blocking them would."""
    live = VotingCode.objects.filter(phase=phase, person=person_id, blocked=False).values("batch")
    return list(CodeBatch.objects.select_for_update(of=("self",)).filter(pk__in=live).order_by("pk"))


def _new_batch(
    process: Process,
    phase: Phase,
    kind: str,
    name: str,
    amount: int,
    by: "User",
    at: datetime,
    chosen: dict[str, object] | None = None,
) -> CodeBatch:
    name = clean(name, "name", longest=120)
    batch = CodeBatch.objects.create(
        process=process,
        phase=phase,
        kind=kind,
        name=name,
        amount=amount,
        chosen=chosen or {},
        made_by=by,
        made_at=at,
    )
    audit.record(action="budgets.make_codes", by=by, obj=batch, values={"kind": str(kind), "amount": amount})
    return batch


def _begin(batch: CodeBatch, at: datetime, *, at_once: bool | None = None) -> CodeBatch:
    from budgets import tasks

    if batch.amount <= MADE_AT_ONCE if at_once is None else at_once:
        _fill(batch, at)
        batch.refresh_from_db()
    else:
        transaction.on_commit(tasks.make_codes.delay, robust=True)
    return batch


def _claim(at: datetime) -> CodeBatch | None:
    with transaction.atomic():
        due = (
            CodeBatch.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(
                Q(state=CodeBatch.State.WAITING)
                | Q(state=CodeBatch.State.MAKING, claimed_at__lt=at - CLAIMED_FOR),
                blocked_at=None,
            )
            .order_by("made_at", "pk")
        )
        for batch in due[:1]:
            if batch.attempts >= MOST_ATTEMPTS:
                batch.state = CodeBatch.State.FAILED
                batch.save(update_fields=["state"])
                continue
            batch.state, batch.claimed_at = CodeBatch.State.MAKING, at
            batch.attempts += 1
            batch.save(update_fields=["state", "claimed_at", "attempts"])
            return batch
    return None


def _fill(batch: CodeBatch, at: datetime, *, only: Resident | None = None) -> None:
    """Codes and PDF in memory first, then all that is stored in one transaction: a process that dies leaves nothing, and
    somebody who got a code meanwhile is left out the next time round."""
    batch = CodeBatch.objects.select_related("process__citizenbudget__vote_rule", "phase").get(pk=batch.pk)
    for _attempt in range(MOST_ATTEMPTS):
        people = [only] if only is not None else _people_of(batch)
        clear = [codes.new_code() for _person in people]
        content = b""
        if people:
            with translation.override(settings.LANGUAGE_CODE):
                content = cards.printed(batch, list(zip(clear, people, strict=True)), at=at)
        try:
            return _store(batch, clear, people, content, at)
        except IntegrityError:
            continue


def _people_of(batch: CodeBatch) -> Sequence[Resident | None]:
    """Whom the codes are for; nobody by name for a class. Letters to protected addresses come last."""
    if batch.kind == CodeBatch.Kind.CLASS:
        return [None] * batch.amount
    chosen = codes.Chosen.from_json(batch.chosen)
    found = codes.residents(batch.process.citizenbudget, batch.phase, chosen)
    return list(found.order_by("protected", "pk")[: batch.amount])


def _store(
    batch: CodeBatch, clear: Sequence[str], people: Sequence[Resident | None], content: bytes, at: datetime
) -> None:
    with transaction.atomic():
        batch = CodeBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.state == CodeBatch.State.READY or batch.blocked_at is not None:
            return
        if not people:
            batch.state = CodeBatch.State.FAILED
            batch.save(update_fields=["state"])
            return
        VotingCode.objects.bulk_create(
            [
                VotingCode(
                    batch=batch,
                    phase_id=batch.phase_id,
                    hmac=codes.stored_as(code),
                    person_id=person.person_id if person is not None else None,
                )
                for code, person in zip(clear, people, strict=True)
            ],
            batch_size=1000,
        )
        CodePrint.objects.create(batch=batch, content=codes.lock_up(content, batch=batch), made_at=at)
        batch.state, batch.amount = CodeBatch.State.READY, len(people)
        batch.save(update_fields=["state", "amount"])
