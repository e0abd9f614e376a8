"""The registry of formats. A format registers itself in `AppConfig.ready()`; the core never imports one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from participation.choices import LadderStep

if TYPE_CHECKING:
    from accounts.models import EligibilityRule, User
    from participation.duties import Duty
    from participation.forms.contributions import ContributionForm
    from participation.models import Contribution, Process, ProcessDetail
    from participation.principles.base import Finding


class Act(StrEnum):
    """What a phase may allow people to do."""

    CONTRIBUTE = "contribute"
    EDIT = "edit"
    SUPPORT = "support"
    ARGUE = "argue"
    ASSESS = "assess"
    VOTE = "vote"


@dataclass(frozen=True)
class PhaseKind:
    """A kind of phase: `key` is stored, `label` shown, `allows` asked by permissions."""

    key: str
    label: Any
    allows: frozenset[Act] = frozenset()
    required: bool = True


@dataclass(frozen=True)
class NextStep:
    """The one thing to do now: a button with what it takes, or (without an address) why there is none yet."""

    label: Any
    url: str = ""
    takes: tuple[Any, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class Section:
    """A part of the public process page that the format fills: `build(process, at)` gives the template's context,
    or None to leave the section out. `place` is "rules" (before the contributions) or "result" (what came of it)."""

    template: str
    build: Callable[["Process", datetime], dict[str, Any] | None]
    place: str = "rules"


@dataclass(frozen=True)
class Format:
    """One participation format. Everything the core needs to know about it, and nothing else.

    `extra_checks` are asked beside the principles' own. `url_names` maps core places ("contribute", "vote", "result")
    to the format's URL names, each taking the process' slug. `next_step(process, at)` says what a visitor does now in a
    phase that the core has no button for; `participants(process_ids)` counts those who took part in the format's own
    way (voted), beside the contributors that the core counts.

    What citizens give: `contribution_form` is the dotted name of a subclass of
    `participation.forms.contributions.ContributionForm` that adds the format's fields (its `detail()` is handed to the two
    next); `create_contribution_detail(contribution, **detail)` writes the format's OneToOne row in the same transaction and
    `update_contribution_detail(contribution, **detail)` changes it; both may raise `Refused`. `contribution_parts` is a
    template shown on the contribution's page with `contribution` in its context, `contribution_row` the same for a row of
    the list; `contribution_related` are the relations those need (given to `select_related`), so that lists stay at a
    constant number of queries. `contribution_rule(process)` is the rule that "Kan jeg være med?" answers from and that is
    checked when something is given; `may_contribute(process, user, at)` raises `Refused` for whatever more there is.

    Called by the core's actions in their transaction, with the process row locked: `before_transition(process, *, name,
    by, at)` raises `Refused` when the format is not ready for the step (also asked to say why a button is off, so it
    writes nothing), `after_transition` does the format's part of it. `create_detail(process, **detail)` makes the
    OneToOne row, `update_detail(process, **detail)` writes it, `copy_detail(source)` gives what `create_detail` needs for a
    copy, `money(process)` what is at stake. `frozen_fields` are what of the detail `amend` may change once approved;
    `describe_detail(process, names)` says each of them as people read it, `{name: (label, words)}` (default: the columns);
    `may_merge(kept, gone, at)` raises `Refused` where these of its contributions can't be
    gathered into one; `duties(processes)` yields what must be done, in a constant number of queries. `kinds_of(process)` are the
    phases that this process has by its own rules, among all `phase_kinds`, in the order they come.
    `editable_again(contribution, at)` says until when its author may change it now, though the minutes for correcting it are
    over; None: no more.
    """

    key: str
    label: Any
    label_plural: Any
    detail: str  # "app.Model"
    phase_kinds: tuple[PhaseKind, ...]
    ladder_steps: frozenset[LadderStep]
    contribution_label: Any = ""
    contribution_label_plural: Any = ""
    contribution_action: Any = ""  # the button and heading of giving one; "Give your contribution" when empty
    url_names: dict[str, str] = field(default_factory=dict)
    extra_checks: tuple[Callable[["Process"], Iterable["Finding"]], ...] = ()
    next_step: Callable[["Process", datetime], NextStep | None] | None = None
    sections: tuple[Section, ...] = ()
    participants: Callable[[Iterable[int]], dict[int, int]] | None = None
    contribution_form: str = "participation.forms.contributions.ContributionForm"
    contribution_parts: str = ""
    contribution_row: str = ""
    contribution_related: tuple[str, ...] = ()
    contribution_rule: Callable[["Process"], "EligibilityRule | None"] | None = None
    support_action: Any = ""  # the button of supporting one; "Support the idea" when empty
    hue: str = "information"
    after_transition: Callable[..., None] | None = None
    before_transition: Callable[..., None] | None = None
    frozen_fields: tuple[str, ...] = ()
    # The format's own columns: created with the process, written by the same actions, copied with it.
    create_detail: Callable[..., "ProcessDetail"] | None = None
    update_detail: Callable[..., None] | None = None
    copy_detail: Callable[["Process"], dict[str, Any]] | None = None
    money: Callable[["Process"], Decimal | None] | None = None
    describe_detail: Callable[["Process", Iterable[str]], dict[str, tuple[str, str]]] | None = None
    # What people give.
    may_contribute: Callable[["Process", "User", datetime], None] | None = None
    create_contribution_detail: Callable[..., None] | None = None
    update_contribution_detail: Callable[..., None] | None = None
    may_merge: Callable[["Contribution", "list[Contribution]", datetime], None] | None = None
    duties: Callable[..., "Iterable[Duty]"] | None = None
    lasting_duties: Callable[..., "Iterable[Duty]"] | None = None
    kinds_of: Callable[["Process"], tuple[PhaseKind, ...]] | None = None
    editable_again: Callable[["Contribution", datetime], datetime | None] | None = None
    # Lines of "Open about the process" ({"when", "what", "reason"}), and who besides the followers hears of a change.
    openness: Callable[["Process"], list[dict[str, Any]]] | None = None
    also_told: Callable[["Process"], "Iterable[User]"] | None = None

    def kinds_for(self, process: "Process") -> tuple[PhaseKind, ...]:
        """The phases that this process has by its own rules, in the order they come."""
        return self.kinds_of(process) if self.kinds_of is not None else self.phase_kinds

    @property
    def detail_model(self) -> type["ProcessDetail"]:
        return apps.get_model(self.detail)  # type: ignore[return-value]

    @property
    def contribution_form_class(self) -> type["ContributionForm"]:
        return import_string(self.contribution_form)

    def phase_kind(self, key: str) -> PhaseKind | None:
        return next((kind for kind in self.phase_kinds if kind.key == key), None)


_formats: dict[str, Format] = {}


def register(new: Format) -> None:
    """Add a format; called from an app's `ready()`. A key registered twice, or after start-up, is an error."""
    if apps.ready:
        raise ImproperlyConfigured(f"Format {new.key!r} is registered too late: do it in AppConfig.ready().")
    if new.key in _formats:
        raise ImproperlyConfigured(f"Format {new.key!r} is registered twice.")
    _formats[new.key] = new


def get(key: str) -> Format:
    return _formats[key]


def all_formats() -> tuple[Format, ...]:
    return tuple(_formats.values())
