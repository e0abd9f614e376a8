"""Counting a sealed round pot by pot, the lots that ties ask for, and what the council decided."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from audit import actions as audit
from budgets import counting, election, permissions
from budgets.actions.implementation import begin_implementations
from budgets.counting import CountingError, Outcome, PotCount, Rule, joined_lots
from budgets.models import Count, Lot, Project, ProjectDecision, Round
from participation import clock
from participation.models import Process

if TYPE_CHECKING:
    from accounts.models import User

COUNT_APART_FROM = 1_000
"""Ballots from which Equal Shares is counted by a task."""


def count_round(
    *, round: Round, by: "User | None", rule: Rule | None = None, at: datetime | None = None
) -> Count:
    """Count a sealed round by the rule published before voting (`rule` only where an imported file names none).
    A tie that decides in any pot leaves `winners` empty until its lot is recorded."""
    at = at or clock.now()
    with transaction.atomic():
        round = _locked(round)
        permissions.check_may_count(by, round, at=at)
        count = _count(round, by, rule, at)
    return count


def ask_for_count(*, round: Round, by: "User", at: datetime | None = None) -> Count | None:
    """Count at once; or, where that would keep the asker waiting, have a task do it and return None."""
    at = at or clock.now()
    with transaction.atomic():
        round = _locked(round)
        permissions.check_may_ask_for_count(by, round, at=at)
        if not takes_long(round):
            return _count(round, by, None, at)
        _ask(round, by, at)
    return None


def takes_long(round: Round) -> bool:
    """Equal Shares takes seconds where ballots are many, and more where prices are nearly equal: no page waits for that."""
    return election.rule_of(round) is Rule.EQUAL_SHARES and round.ballot_count >= COUNT_APART_FROM


def _ask(round: Round, by: "User", at: datetime) -> None:
    from budgets import tasks

    round.count_asked_at, round.count_asked_by = at, by
    round.save(update_fields=["count_asked_at", "count_asked_by"])
    audit.record(action="budgets.ask_for_count", by=by, obj=round, changed=["count_asked_at"])
    transaction.on_commit(tasks.count_rounds.delay, robust=True)


def count_asked_round(*, at: datetime | None = None) -> bool:
    """Count one round that somebody asked for, if no other task is at it. What goes wrong is told by the exception, and
    the round is no longer asked for, so that a person looks at it before it is tried again."""
    at = at or clock.now()
    asked = Round.objects.filter(count_asked_at__isnull=False).order_by("count_asked_at")
    with transaction.atomic():
        taken = asked.select_for_update(of=("self",), skip_locked=True).first()
        if taken is None:
            return False
        failed: Exception | None = None
        try:
            with transaction.atomic():
                count_round(round=taken, by=taken.count_asked_by, at=at)
        except Exception as error:
            failed = error
        taken.count_asked_at = taken.count_asked_by = None
        taken.save(update_fields=["count_asked_at", "count_asked_by"])
    if failed is not None:
        raise failed
    return True


def record_lot(
    *,
    round: Round,
    by: "User",
    order: Sequence[str],
    drawn_at: datetime,
    how: str,
    witnesses: str,
    pot: str = "",
    at: datetime | None = None,
) -> Count:
    """Record a public lot, drawn outside the computer, and go on with the count. `order` names the tied projects of that
    pot in the order they were drawn."""
    at = at or clock.now()
    with transaction.atomic():
        round = _locked(round)
        permissions.check_may_record_lot(by, round, pot, at=at)
        order = [number.strip() for number in order]
        tied = waiting_for_lots(round.count)[pot]
        if len(set(order)) != len(order) or set(order) != set(tied):
            raise Refused(
                "lot_order",
                _("Name each of the tied projects once, in the order they were drawn: %(tied)s.")
                % {"tied": ", ".join(tied)},
                "order",
            )
        try:
            joined_lots([*_lots(round).get(pot, []), order])
        except CountingError as error:
            raise Refused("lot_order", str(error), "order") from error
        if round.sealed_at is None or not round.sealed_at <= drawn_at <= at:
            raise Refused("lot_time", _("The lot is drawn after the sealing, and before now."), "drawn_at")
        for field, text in (("how", how), ("witnesses", witnesses)):
            if not text.strip():
                raise Refused(
                    "lot_incomplete", _("Say how the lot was drawn and who saw it: both are public."), field
                )
        lot = Lot.objects.create(
            round=round,
            pot=pot,
            order=order,
            drawn_at=drawn_at,
            how=how.strip(),
            witnesses=witnesses.strip(),
            recorded_by=by,
            recorded_at=at,
        )
        audit.record(
            action="budgets.record_lot",
            by=by,
            obj=lot,
            values={"pot": pot, "order": order},
            process_id=round.process_id,
        )
        if takes_long(round):
            _ask(round, by, at)
            return round.count
        return _count(round, by, Rule(round.count.rule), at)


def waiting_for_lots(count: Count) -> dict[str, list[str]]:
    """By pot, the projects of the first tie that waits for its lot."""
    waiting = {}
    for part in count.outcome["pots"]:
        open_ties = [tie for tie in part.get("ties", ()) if tie["resolved_by"] is None]
        if part["winners"] is None and open_ties:
            waiting[part["pot"]] = list(open_ties[0]["tied"])
    return waiting


def _lots(round: Round) -> dict[str, list[list[str]]]:
    """The lots recorded so far, by pot, in the order they were recorded."""
    lots: dict[str, list[list[str]]] = {}
    for pot, order in round.lots.values_list("pot", "order"):
        lots.setdefault(pot, []).append(order)
    return lots


def granted(count: Count) -> dict[str, Decimal]:
    """What each winner gets by the vote: its price, or the part that was left."""
    return {
        project: Decimal(amount)
        for part in count.outcome["pots"]
        for project, amount in part.get("amounts", {}).items()
    }


def decide_projects(
    *,
    process: Process,
    by: "User",
    decisions: Iterable[Mapping[str, Any]],
    at: datetime | None = None,
) -> list[ProjectDecision]:
    """What the council decided, for every project on the last ballot: `{"project": number, "funded": bool, "amount":
    Decimal | None, "reason": str}`. Without an amount a winner gets what the vote gave it. Where it differs from the vote,
    the reason is public and can't be left out."""
    with transaction.atomic():
        process = Process.objects.select_for_update().get(pk=process.pk)
        permissions.check_may_decide_projects(by, process, at=at)
        count = last_count(process)
        winners = set(count.winners or ()) if count else set()
        gets = granted(count) if count else {}
        projects = {
            project.number: project
            for project in Project.objects.filter(on_ballots__round=count.round_id if count else None)
            .order_by(Length("number"), "number")
            .select_related("contribution")
        }
        rows = [_decision(decision, projects, winners, gets) for decision in decisions]
        decided = {row.project.number for row in rows}
        if len(decided) != len(rows) or decided != projects.keys():
            raise Refused(
                "not_all_decided", _("Say for each project on the ballot whether it gets the money.")
            )
        ProjectDecision.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["project"],
            update_fields=["funded", "amount", "voted_in", "reason"],
        )
        audit.record(
            action="budgets.decide_projects",
            by=by,
            obj=process,
            values={
                "funded": sorted(row.project.number for row in rows if row.funded),
                "differs": sorted(row.project.number for row in rows if row.funded != row.voted_in),
            },
        )
        begin_implementations(process=process, by=by, at=at)
    return rows


def last_count(process: Process) -> Count | None:
    """The count that the council decides on: of the newest round that is more than a shortlist."""
    return (
        Count.objects.filter(round__process=process, winners__isnull=False)
        .exclude(round__kind=Round.Kind.SHORTLIST)
        .order_by("-round__number")
        .first()
    )


def _decision(
    decision: Mapping[str, Any],
    projects: Mapping[str, Project],
    winners: set[str],
    gets: Mapping[str, Decimal],
) -> ProjectDecision:
    number = str(decision["project"])
    if number not in projects:
        raise Refused("unknown_project", _("Project %(number)s isn't on the ballot.") % {"number": number})
    funded, reason = bool(decision["funded"]), str(decision.get("reason") or "").strip()
    amount = decision.get("amount")
    if amount is not None and Decimal(amount) < 0:
        raise Refused("amount", _("An amount can't be below zero."), f"amount-{number}")
    if funded != (number in winners) and not reason:
        raise Refused(
            "reason_missing",
            _("The decision on “%(project)s” differs from the vote. Write why: the reason is public.")
            % {"project": projects[number].contribution.title},
            f"reason-{number}",
        )
    return ProjectDecision(
        project=projects[number],
        funded=funded,
        amount=(amount if amount is not None else gets.get(number, projects[number].price))
        if funded
        else None,
        voted_in=number in winners,
        reason=reason if funded != (number in winners) else "",
    )


def _locked(round: Round) -> Round:
    Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    return Round.objects.for_voting().select_related("count").get(pk=round.pk)


def _count(round: Round, by: "User | None", rule: Rule | None, at: datetime) -> Count:
    official = election.rule_of(round)
    if official is None and rule is None:
        raise Refused("no_rule", _("The file names no counting rule that is known. Choose one."), "rule")
    used = official or rule
    assert used is not None
    try:
        counted = count_pots_of(round, used)
    except CountingError as error:
        raise Refused("count", str(error)) from error
    outcomes = [one.outcome for one in counted.values() if one.outcome and one.outcome.winners is not None]
    whole = len(outcomes) == len(counted)
    winners = [winner for outcome in outcomes for winner in outcome.winners or ()] if whole else None
    spent = counting.exact(sum(outcome.spent or 0 for outcome in outcomes)) if whole else None
    count, _created = Count.objects.update_or_create(
        round=round,
        defaults={
            "rule": used.value,
            "winners": winners,
            "spent": None if spent is None else Decimal(counting_number(spent)),
            "outcome": pots_as_json(used, counted),
            "comparison": {},
            "counted_at": at,
            "counted_by": by,
        },
    )
    round.state = Round.State.COUNTED if whole else Round.State.SEALED
    round.save(update_fields=["state"])
    audit.record(
        action="budgets.count_round",
        by=by,
        obj=round,
        changed=["state"],
        values={"rule": used.value, "winners": count.winners},
    )
    return count


def count_pots_of(round: Round, rule: Rule) -> dict[str, PotCount]:
    """Count every pot of a round read by `for_voting()`, with the lots recorded so far."""
    return counting.count_pots(
        election.elections_of(round),
        rule,
        leftover_to=election.leftover_to(round),
        lots=_lots(round),
    )


def compare_count(*, count: Count) -> Count:
    """What the other rule would have chosen, for the result page. Apart from the count, because Equal Shares can take
    its time on a large election; a task comes back to counts that have none yet. Lots were drawn for the rule that counts,
    so the other is told without them, and only for the pots where it needs none."""
    round = Round.objects.for_voting().get(pk=count.round_id)
    other = election.other_rule(Rule(count.rule))
    if other is None:
        return _keep_comparison(count, {"pots": []})
    compared = counting.count_pots(
        election.elections_of(round), other, leftover_to=election.leftover_to(round)
    )
    return _keep_comparison(count, pots_as_json(other, compared, steps=False))


def give_up_comparing(*, count: Count) -> Count:
    """The other rule took too long: the result stands without a comparison."""
    other = election.other_rule(Rule(count.rule))
    return _keep_comparison(count, {"rule": other, "gave_up": True})


def _keep_comparison(count: Count, comparison: dict[str, Any]) -> Count:
    with transaction.atomic():
        count = Count.objects.select_for_update(of=("self",)).select_related("round").get(pk=count.pk)
        count.comparison = comparison
        count.save(update_fields=["comparison"])
        audit.record(
            action="budgets.compare_count",
            by=None,
            obj=count,
            changed=["comparison"],
            process_id=count.round.process_id,
        )
    return count


def counting_number(value: counting.Amount) -> str:
    """An amount of money as exact text, to the hundredth."""
    return str(Decimal(int(value * 100)).scaleb(-2))


def pots_as_json(rule: Rule, counted: Mapping[str, PotCount], *, steps: bool = True) -> dict[str, Any]:
    """What `Count` keeps: each pot's outcome with the money it had, its own and what it received from others."""
    pots = []
    for pot, one in counted.items():
        stored: dict[str, Any] = {
            "pot": pot,
            "budget": str(one.election.budget),
            "received": {other: str(amount) for other, amount in one.received.items()},
            "waits_for": list(one.waits_for),
        }
        stored |= {"winners": None} if one.outcome is None else outcome_as_json(one.outcome, steps=steps)
        pots.append(stored)
    return {"rule": rule.value, "pots": pots}


def outcome_as_json(outcome: Outcome, *, steps: bool = True) -> dict[str, Any]:
    """An outcome as it is stored: amounts as text, so that no decimal is lost."""

    def text(value: counting.Amount | None) -> str | None:
        return None if value is None else str(value)

    stored: dict[str, Any] = {
        "rule": outcome.rule.value,
        "winners": None if outcome.winners is None else list(outcome.winners),
        "spent": text(outcome.spent),
        "amounts": {project: counting_number(amount) for project, amount in outcome.amounts.items()},
        "ties": [tie.as_dict() for tie in outcome.ties],
        "round": outcome.round,
        "share": text(outcome.share),
        "overrun": text(outcome.overrun),
    }
    if steps:
        stored["steps"] = [
            {
                "number": step.number,
                "project": step.project,
                "decision": step.decision.value,
                "score": text(step.score),
                "votes": step.votes,
                "cost": text(step.cost),
                "before": text(step.before),
                "after": text(step.after),
                "tie": step.tie,
                "price": text(step.price),
                "payers": step.payers,
                "emptied": step.emptied,
            }
            for step in outcome.steps
        ]
    return stored
