"""Paper ballots: their printed order, two independent readings and a third look, the account of each place, and the moment
when all of them are among the others."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.verdict import Refused
from audit import actions as audit
from budgets import ballots, paper, permissions, polling, reconciliation
from budgets.actions.polling import record_incident
from budgets.models import (
    Bundle,
    CountedBallot,
    PaperEntry,
    PaperOrder,
    PlaceAccount,
    PollingPlace,
    Reading,
    Round,
    VoteChannel,
)
from participation import clock, texts
from participation.models import Process

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from accounts.models import User

NUMBERS = ("received", "left_over", "replaced", "not_in_box", "unmarked")
MOST_PAPERS = 1_000_000


def choose_order(
    *,
    process: Process,
    by: "User",
    kind: str,
    seed: str = "",
    round_kind: str = Round.Kind.FINAL,
    at: datetime | None = None,
) -> PaperOrder:
    """The order of the printed ballot. For a lot the seed is drawn here, or typed in when it was drawn in public. Once
    voting has opened the order stays: papers are already in people's hands."""
    permissions.check_may_set_up_places(by, process)
    if kind not in PaperOrder.Kind.values:
        raise Refused("order", _("Choose one of the orders."), "kind")
    seed = texts.clean(seed, "seed", longest=64, required=False)
    with transaction.atomic():
        Process.objects.select_for_update().get(pk=process.pk)
        if Round.objects.filter(process=process, kind=round_kind).exists():
            raise Refused("opened", _("Voting has opened, so the printed ballot stays as it is."))
        order = PaperOrder.objects.create(
            process=process,
            round_kind=round_kind,
            kind=kind,
            seed=(seed or secrets.token_hex(8)) if kind == PaperOrder.Kind.LOT else "",
            chosen_by=by,
            chosen_at=at or clock.now(),
        )
        audit.record(
            action="budgets.choose_paper_order", by=by, obj=order, values={"kind": kind, "seed": order.seed}
        )
    return order


def new_bundle(*, place: PollingPlace, by: "User", pot: str = "", at: datetime | None = None) -> Bundle:
    """One more pile of papers, with the next number."""
    with transaction.atomic():
        place, round = _locked(place)
        permissions.check_may_enter_paper(by, place, round, at=at)
        assert round is not None
        if pot not in {key for key, _name in polling.sheets_of(round)}:
            raise Refused("pot", _("Choose which ballot paper the bundle holds."), "pot")
        last = Bundle.objects.filter(place=place).order_by("-number").values_list("number", flat=True).first()
        bundle = Bundle.objects.create(place=place, number=(last or 0) + 1, pot=pot)
        audit.record(
            action="budgets.new_bundle",
            by=by,
            obj=bundle,
            values={"place": place.pk, "bundle": bundle.number},
            process_id=place.process_id,
        )
    return bundle


def begin_reading(*, bundle: Bundle, by: "User", at: datetime | None = None) -> Reading:
    """Take the first free part: the first reading, the second, or the third look when the two have finished and differ.
    Nobody takes two parts of the same bundle."""
    with transaction.atomic():
        place, round = _locked(bundle.place)
        permissions.check_may_enter_paper(by, place, round, at=at)
        readings = {one.role: one for one in Reading.objects.filter(bundle=bundle)}
        mine = next((one for one in readings.values() if one.by_id == by.pk), None)
        if mine is not None:
            return mine
        role = next((role for role in Reading.Role.values if role not in readings), None)
        if role is None:
            raise Refused("all_taken", _("Others have read this bundle."))
        if role == Reading.Role.THIRD:
            compared = paper.compare(_with_entries(bundle))
            if compared is None:
                raise Refused("not_yet", _("Two others are reading this bundle. Take another one."))
            if not compared.open:
                raise Refused("nothing_open", _("The two readings agree: there is nothing to look at."))
        try:
            with transaction.atomic():
                reading = Reading.objects.create(bundle=bundle, role=role, by=by)
        except IntegrityError:
            raise Refused("all_taken", _("Others have read this bundle.")) from None
        audit.record(
            action="budgets.begin_reading",
            by=by,
            obj=reading,
            values={"bundle": bundle.pk, "role": str(role)},
            process_id=place.process_id,
        )
    return reading


def give_up_reading(*, reading: Reading, by: "User", at: datetime | None = None) -> None:
    """Somebody else reads the bundle instead: what was entered is thrown away, and the part is free again. By the reader, or
    by a caseworker when the reader has gone home. What is finished stands."""
    with transaction.atomic():
        place, round = _locked(reading.bundle.place)
        permissions.check_may_enter_paper(by, place, round, at=at)
        found = Reading.objects.select_for_update(of=("self",)).filter(pk=reading.pk).first()
        if found is None:
            return
        if found.by_id != by.pk and not by.may(Permission.COUNT_VOTES):
            raise Refused("not_yours", _("Only its reader or a caseworker can give the reading up."))
        if found.finished:
            raise Refused("finished", _("The reading is finished, so it stands."))
        thrown, _each = PaperEntry.objects.filter(reading=found).delete()
        audit.record(
            action="budgets.give_up_reading",
            by=by,
            obj=found,
            values={"bundle": found.bundle_id, "role": found.role, "papers": thrown},
            process_id=place.process_id,
        )
        found.delete()


def remove_bundle(*, bundle: Bundle, by: "User", reason: str = "", at: datetime | None = None) -> None:
    """A bundle that was made by mistake, or under the wrong ballot paper. When somebody has begun to read it, all that was
    read goes with it, and everyone is told the reason."""
    at = at or clock.now()
    with transaction.atomic():
        place, round = _locked(bundle.place)
        permissions.check_may_enter_paper(by, place, round, at=at)
        readings = Reading.objects.filter(bundle=bundle)
        begun = readings.count()
        if begun:
            reason = _public(reason)
            _tell(
                place,
                gettext_lazy(
                    "Bundle %(number)s was taken out of the count with all that was read of it. The reason: %(reason)s"
                ),
                {"number": bundle.number, "reason": reason},
                by=by,
                at=at,
            )
        thrown, _each = PaperEntry.objects.filter(reading__bundle=bundle).delete()
        readings.delete()
        audit.record(
            action="budgets.remove_bundle",
            by=by,
            obj=bundle,
            values={"bundle": bundle.number, "readings": begun, "papers": thrown},
            process_id=place.process_id,
        )
        bundle.delete()


def enter_paper(
    *,
    reading: Reading,
    by: "User",
    position: int,
    typed: str = "",
    spoiled: str = "",
    at: datetime | None = None,
) -> PaperEntry:
    """What the reader sees on the paper with this number. Entered again it replaces what the same reader entered before. A
    ballot that breaks the rules is spoiled, with the reason; a slip of the keyboard is `Refused`."""
    with transaction.atomic():
        reading, round = _own(reading, by, at)
        if not 1 <= position <= paper.MOST_IN_BUNDLE:
            raise Refused(
                "position",
                _("A bundle has at most %(most)s papers. Begin a new one.") % {"most": paper.MOST_IN_BUNDLE},
                "position",
            )
        third = reading.role == Reading.Role.THIRD
        if third:
            compared = paper.compare(_with_entries(reading.bundle))
            if compared is None or position not in {one.position for one in compared.differences}:
                raise Refused("agreed", _("The two readings agree on this paper."), "position")
        if spoiled:
            seen = [*PaperEntry.SEEN, *([PaperEntry.Spoiled.NO_PAPER] if third else [])]
            if spoiled not in seen:
                raise Refused("spoiled", _("Choose one of the reasons."), "spoiled")
            read, typed = paper.Read(spoiled=spoiled), ""
        else:
            read = paper.read_typed(typed, ballots.round_paper(round), pot=reading.bundle.pot)
        entry, _made = PaperEntry.objects.update_or_create(
            reading=reading,
            position=position,
            defaults={
                "typed": typed.strip()[: paper.LONGEST_TYPED],
                "choices": [list(pair) for pair in read.choices],
                "spoiled": read.spoiled,
            },
        )
    return entry


def remove_entry(*, reading: Reading, by: "User", position: int, at: datetime | None = None) -> None:
    """One entry too many, while the reading isn't finished."""
    with transaction.atomic():
        reading, _round = _own(reading, by, at)
        PaperEntry.objects.filter(reading=reading, position=position).delete()


def finish_reading(*, reading: Reading, by: "User", at: datetime | None = None) -> Reading:
    """The reader has entered every paper of the bundle. A third look is finished by itself when nothing is open."""
    with transaction.atomic():
        reading, _round = _own(reading, by, at)
        positions = list(reading.entries.order_by("position").values_list("position", flat=True))
        if not positions:
            raise Refused("nothing", _("No paper has been entered yet."))
        missing = sorted(set(range(1, positions[-1] + 1)) - set(positions))
        if reading.role != Reading.Role.THIRD and missing:
            raise Refused(
                "gap", _("Paper %(position)s has not been entered.") % {"position": missing[0]}, "position"
            )
        reading.finished = True
        reading.save(update_fields=["finished"])
        audit.record(
            action="budgets.finish_reading",
            by=by,
            obj=reading,
            changed=["finished"],
            values={"papers": len(positions)},
            process_id=reading.bundle.place.process_id,
        )
    return reading


def save_account(
    *,
    place: PollingPlace,
    by: "User",
    numbers: Mapping[str, int],
    unmarked_reason: str = "",
    at: datetime | None = None,
) -> PlaceAccount:
    """The papers of a place as its officers counted them. May be filled in little by little until it is signed."""
    with transaction.atomic():
        place, round = _locked(place)
        permissions.check_may_enter_paper(by, place, round, at=at)
        for name in NUMBERS:
            if not 0 <= numbers.get(name, 0) <= MOST_PAPERS:
                raise Refused("number", _("Write how many papers: a whole number."), name)
        reason = texts.clean(unmarked_reason, "unmarked_reason", longest=1000, required=False)
        if numbers.get("unmarked", 0) and not reason:
            raise Refused(
                "no_reason",
                _("Say how papers came into the box without a mark. Everyone can read it."),
                "unmarked_reason",
            )
        account, _made = PlaceAccount.objects.update_or_create(
            place=place,
            defaults={name: numbers.get(name, 0) for name in NUMBERS}
            | {"unmarked_reason": reason if numbers.get("unmarked", 0) else ""},
        )
        audit.record(
            action="budgets.save_account",
            by=by,
            obj=account,
            changed=NUMBERS,
            values={name: numbers.get(name, 0) for name in NUMBERS},
            process_id=place.process_id,
        )
    return account


def sign_account(*, place: PollingPlace, by: "User", at: datetime | None = None) -> PlaceAccount:
    """The first or the second of two signatures. With the last one of all places the round is complete."""
    at = at or clock.now()
    with transaction.atomic():
        place, round = _locked(place)
        reconciliation.check_may_sign(by, place, round, at=at)
        assert round is not None
        account = PlaceAccount.objects.select_for_update(of=("self",)).get(place=place)
        which = "first" if account.first_signed_by_id is None else "second"
        setattr(account, f"{which}_signed_by", by)
        setattr(account, f"{which}_signed_at", at)
        account.save(update_fields=[f"{which}_signed_by", f"{which}_signed_at"])
        audit.record(
            action="budgets.sign_account",
            by=by,
            obj=account,
            changed=[f"{which}_signed_by"],
            process_id=place.process_id,
        )
        unsigned = PollingPlace.objects.of_round(round).exclude(account__second_signed_by__isnull=False)
        if not unsigned.exists():
            _complete(round, by, at)
    return account


def reopen_account(
    *, place: PollingPlace, by: "User", reason: str, at: datetime | None = None
) -> PlaceAccount:
    """Take the signatures off again, before the round is complete. The reason is public."""
    at = at or clock.now()
    reason = _public(reason)
    with transaction.atomic():
        place, round = _locked(place)
        reconciliation.check_may_reopen(by, place, round, at=at)
        account = PlaceAccount.objects.select_for_update(of=("self",)).get(place=place)
        account.first_signed_by = account.first_signed_at = None
        account.second_signed_by = account.second_signed_at = None
        account.save(
            update_fields=["first_signed_by", "first_signed_at", "second_signed_by", "second_signed_at"]
        )
        audit.record(
            action="budgets.reopen_account",
            by=by,
            obj=account,
            changed=["first_signed_by", "second_signed_by"],
            process_id=place.process_id,
        )
        _tell(
            place,
            gettext_lazy("The account was signed, and has been opened again. The reason: %(reason)s"),
            {"reason": reason},
            by=by,
            at=at,
        )
    return account


def _complete(round: Round, by: "User | None", at: datetime) -> None:
    """Every place has signed: the valid papers are put among the other ballots, in random order and without a tracker, and
    the round is sealed as one without polling places was at the close."""
    from budgets.actions.rounds import publish_sealed, write_counted

    places = PollingPlace.objects.of_round(round)
    valid = [
        (str(VoteChannel.POLLING_PLACE), pot, read.choices, "")
        for place in places
        for pot, read in paper.papers_of(place)
        if not read.spoiled
    ]
    write_counted(round, valid)
    round.state = Round.State.SEALED
    round.completed_at = at
    counted = CountedBallot.objects.filter(round=round)
    round.ballots_per_channel |= {str(VoteChannel.POLLING_PLACE): len(valid)}
    round.ballot_count = counted.count()
    round.save(update_fields=["state", "completed_at", "ballots_per_channel", "ballot_count"])
    publish_sealed(round)
    audit.record(
        action="budgets.complete_round",
        by=by,
        obj=round,
        changed=["state"],
        values={
            "ballots": round.ballot_count,
            "paper": len(valid),
            "sha256": [file["sha256"] for file in round.files],
        },
    )


def _locked(place: PollingPlace) -> tuple[PollingPlace, Round | None]:
    """The round first, then the place: two who sign two places at once wait for each other here, so that the last one sees
    that all have signed."""
    round = place.round
    if round is not None:
        Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
        round = Round.objects.for_voting().get(pk=round.pk)
    locked = PollingPlace.objects.select_for_update(of=("self",)).select_related("process").get(pk=place.pk)
    return locked, round


def _own(reading: Reading, by: "User", at: datetime | None) -> tuple[Reading, Round]:
    place, round = _locked(reading.bundle.place)
    permissions.check_may_enter_paper(by, place, round, at=at)
    assert round is not None
    reading = (
        Reading.objects.select_for_update(of=("self",)).select_related("bundle__place").get(pk=reading.pk)
    )
    if reading.by_id != by.pk:
        raise Refused("not_yours", _("Somebody else reads this part."))
    if reading.finished:
        raise Refused("finished", _("You have said that you are finished with this bundle."))
    return reading, round


def _public(reason: str) -> str:
    if not reason.strip():
        raise Refused("empty", _("Say why: everyone can read the reason."), "reason")
    return texts.clean(reason, "reason", longest=1000)


def _tell(
    place: PollingPlace, words: "_StrPromise", values: dict[str, object], *, by: "User", at: datetime
) -> None:
    """A public incident, in the language of the site whoever's screen it was done on."""
    with translation.override(settings.LANGUAGE_CODE):
        text = str(words) % values
    record_incident(process=place.process, by=by, place=place, happened_at=at, at=at, text=text)


def _with_entries(bundle: Bundle) -> list[Reading]:
    return list(Reading.objects.filter(bundle=bundle).prefetch_related("entries"))
