"""The registry of formats. A format registers itself in `AppConfig.ready()`; the core never imports one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from participation.choices import LadderStep

if TYPE_CHECKING:
    from participation.models import Process, ProcessDetail
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
class Format:
    """One participation format. Everything the core needs to know about it, and nothing else.

    `extra_checks` are asked beside the principles' own; `process_sections` are template names shown on the public
    process page, each with a function that builds its context; `url_names` maps core places ("contribute", "vote",
    "result", "set-up") to the format's URL names, each taking the process' slug.
    """

    key: str
    label: Any
    label_plural: Any
    detail: str  # "app.Model"
    phase_kinds: tuple[PhaseKind, ...]
    ladder_steps: frozenset[LadderStep]
    contribution_label: Any = ""
    contribution_label_plural: Any = ""
    url_names: dict[str, str] = field(default_factory=dict)
    extra_checks: tuple[Callable[["Process"], Iterable["Finding"]], ...] = ()
    primary_action: Callable[..., Any] | None = None
    process_sections: tuple[tuple[str, Callable[..., dict[str, Any]]], ...] = ()
    after_transition: Callable[..., None] | None = None
    before_transition: Callable[..., None] | None = None
    frozen_fields: tuple[str, ...] = ()

    @property
    def detail_model(self) -> type["ProcessDetail"]:
        return apps.get_model(self.detail)  # type: ignore[return-value]

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
