"""All checks of a process together, and what a manager let pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from participation import formats
from participation.choices import Status
from participation.principles import breadth, framing, listening, preconditions, time, timing
from participation.principles.base import Finding, Gate, Level, Principle, label_of

if TYPE_CHECKING:
    from participation.models import Override, Process

CHECKS = (preconditions.check, framing.check, listening.check, timing.check, time.check, breadth.check)
CHECKS_KEPT = (listening.check_kept,)


def findings(process: "Process", *, gate: Gate = Gate.APPROVE) -> list[Finding]:
    """What the checks say of the process as it is stored, in the order of the principles. Constant in queries."""
    from participation.models import Process

    return _findings(Process.objects.for_checks().get(pk=process.pk), gate)


def _findings(process: "Process", gate: Gate) -> list[Finding]:
    checks = CHECKS_KEPT if gate is Gate.CONCLUDE else CHECKS
    found = [finding for check in checks for finding in check(process)]
    for extra in formats.get(process.format).extra_checks:
        found += [finding for finding in extra(process) if finding.gate is gate]
    order = list(Principle)
    return sorted(found, key=lambda finding: order.index(finding.principle))


@dataclass(frozen=True)
class Judged:
    """A finding and, where a manager let it pass, the override with its public reason."""

    finding: Finding
    override: "Override | None" = None

    @property
    def level(self) -> Level:
        return self.finding.level

    @property
    def stops(self) -> bool:
        return self.finding.level is Level.BLOCKING and self.override is None


@dataclass(frozen=True)
class Group:
    principle: Principle
    judged: tuple[Judged, ...]

    @property
    def label(self) -> Any:
        return self.principle.label

    @property
    def stops(self) -> bool:
        return any(judged.stops for judged in self.judged)


@dataclass(frozen=True)
class Readiness:
    """Whether the process may pass the gate, grouped by principle."""

    gate: Gate
    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[Group]:
        return iter(self.groups)

    @property
    def judged(self) -> list[Judged]:
        return [judged for group in self.groups for judged in group.judged]

    @property
    def blocking(self) -> list[Finding]:
        """What stops it: blocking and not overridden."""
        return [judged.finding for judged in self.judged if judged.stops]

    @property
    def overridden(self) -> list[Judged]:
        return [j for j in self.judged if j.level is Level.BLOCKING and j.override is not None]

    @property
    def warnings(self) -> list[Finding]:
        return [judged.finding for judged in self.judged if judged.level is Level.WARNING]

    @property
    def passed(self) -> list[Finding]:
        return [judged.finding for judged in self.judged if judged.level is Level.PASSED]

    @property
    def ready(self) -> bool:
        return not self.blocking


def check_label(key: str) -> str:
    """What an overridden check is about, as the public reads it: "Clear frame: what is settled"."""
    principle, _dot, rest = key.partition(".")
    if principle == "preconditions":
        return str(label_of_field(rest))
    label = str(Principle(principle).label) if principle in set(Principle) else principle
    field = rest.partition(".")[2] or rest
    about = CHECK_LABELS.get(key) or label_of_field(field)
    return f"{label}: {about}" if about else label


def label_of_field(name: str) -> str:
    from participation.models import Process

    label = label_of(Process(), name)
    return "" if label == name else label


CHECK_LABELS = {
    "framing.ladder_fits": _("the step on the ladder and the format"),
    "framing.fixed_points": _("what is settled, and why"),
    "framing.internal_promises": _("promises inside the house"),
    "listening.answers_after_close": _("answers after it has closed"),
    "listening.moderated": _("contributions that wait for a look"),
    "listening.outcomes": _("an outcome for every contribution"),
    "listening.impact": _("what it changed"),
    "listening.told": _("telling everyone who contributed"),
    "listening.told_outside": _("telling the result outside the portal"),
    "timing.frame_before_opening": _("the frame before the opening"),
    "timing.reaches_agenda": _("time to work on the answers"),
    "time.minimum": _("open long enough"),
    "breadth.beyond": _("someone beyond the task itself"),
    "breadth.both_sides": _("those for and those against"),
    "breadth.families": _("families with children"),
    "breadth.young": _("the young"),
    "breadth.channels": _("more than one channel"),
    "breadth.channel_not_digital": _("a channel that is not digital"),
    "breadth.councils": _("the councils that are heard"),
    "breadth.audiences": _("the audiences in own words"),
    "breadth.channels_own": _("the channels in own words"),
}


def gate_ahead(status: str) -> Gate:
    """The gate a process of this status comes to next."""
    return Gate.CONCLUDE if status in {Status.DECIDED, Status.CONCLUDED} else Gate.APPROVE


def readiness(process: "Process", *, gate: Gate | None = None) -> Readiness:
    """The findings at the gate ahead (or the one asked for) of the process as it is stored."""
    from participation.models import Process

    return judge(Process.objects.for_checks().get(pk=process.pk), gate=gate)


def judge(process: "Process", *, gate: Gate | None = None) -> Readiness:
    """The same of the process in hand, also one that is typed and not saved; what a manager let pass is marked."""
    gate = gate or gate_ahead(process.status)
    overrides = {override.check_key: override for override in process.overrides.all()}
    judged = [
        Judged(finding, overrides.get(finding.key) if finding.may_be_overridden else None)
        for finding in _findings(process, gate)
    ]
    groups = (
        Group(principle, tuple(j for j in judged if j.finding.principle is principle))
        for principle in Principle
    )
    return Readiness(gate, tuple(group for group in groups if group.judged))
