"""What hangs on a contribution goes along when it is gathered into another.

Whoever adds a table of rows that hang on a contribution registers it here, in `AppConfig.ready()`:

    from participation import merging

    merging.register(merging.Part("participation.Support", once=("person",), words=...))

`once` are the columns that may stand there only once per contribution: a row whose like hangs on the kept one already stays
where it is (who supported both counts once); nothing and empty text are like nothing. Nothing is deleted or copied, so that `back` can undo a wrong merge: it
takes the keys that `move` returned and lets those rows hang on the other again. Rows are moved by one UPDATE of the foreign
key, so a counter kept by triggers must follow an UPDATE of it too. What hangs on a moved row (replies and ratings of an
argument) goes along by itself. Rows that fit no plain `Part` subclass it.

Order of locks: the process against everyone who gives, supports or argues in it (`locks.hold`), then the contributions in the order of their keys; a part takes no other lock first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import CharField, Exists, F, Max, Model, OuterRef, QuerySet
from django.utils.translation import ngettext

from participation.models import Contribution


@dataclass(frozen=True)
class Part:
    """One table. `link` is its foreign key to the contribution, `only` narrows which of its rows go along; `words(number)`
    says to the caseworker what goes along ("12 who support it"), nothing when left out."""

    model: str  # "app.Model" (several parts of one table: "app.Model:word"); "app.Model.many" is the hidden table of a many-to-many
    link: str = "contribution"
    once: tuple[str, ...] = ()
    only: dict[str, Any] = field(default_factory=dict)
    words: Callable[[int], str] | None = None

    @property
    def table(self) -> type[Model]:
        app, model, *many = self.model.partition(":")[0].split(".")
        found = apps.get_model(app, model)
        return getattr(found, many[0]).through if many else found

    def rows(self, contribution: Contribution) -> QuerySet[Any]:
        return self.table._base_manager.filter(**{self.link: contribution}, **self.only)

    def going(self, kept: Contribution, gone: Contribution) -> QuerySet[Any]:
        """The rows of `gone` that have no like on `kept`."""
        return self.without_like(self.rows(gone), kept)

    def without_like(self, rows: QuerySet[Any], there: Contribution) -> QuerySet[Any]:
        """Those of `rows` that may hang there too."""
        if not self.once:
            return rows
        like = self.rows(there).filter(**{name: OuterRef(name) for name in self.once})
        for name in self.once:
            if isinstance(self.table._meta.get_field(name), CharField):
                like = like.exclude(**{name: ""})
        return rows.exclude(Exists(like))

    def number(self, kept: Contribution, gone: Iterable[Contribution]) -> int:
        return sum(self.going(kept, each).count() for each in gone)

    def move(self, kept: Contribution, gone: Contribution) -> list[Any]:
        """The keys of the rows moved, as JSON can hold them."""
        keys = list(self.going(kept, gone).values_list("pk", flat=True))
        self.table._base_manager.filter(pk__in=keys).update(**{self.link: kept})
        return [key if isinstance(key, int) else str(key) for key in keys]

    def back(self, kept: Contribution, gone: Contribution, keys: list[Any]) -> None:
        """Those of them that still hang on `kept`, unless their like has come to hang on `gone` meanwhile."""
        still = self.table._base_manager.filter(pk__in=keys, **{self.link: kept})
        self.without_like(still, gone).update(**{self.link: gone})


@dataclass(frozen=True)
class InOrder(Part):
    """Rows that their owner put in an order (`position`): those that come along stand after those that were there."""

    def move(self, kept: Contribution, gone: Contribution) -> list[Any]:
        last = self.rows(kept).aggregate(last=Max("position"))["last"]
        if last is not None:
            self.going(kept, gone).update(position=F("position") + last + 1)
        return super().move(kept, gone)


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Add a table; called from an app's `ready()`. Twice is an error."""
    if part.model in _parts:
        raise ImproperlyConfigured(f"{part.model!r} is registered twice.")
    _parts[part.model] = part


def parts() -> tuple[Part, ...]:
    return tuple(_parts.values())


def move_all(kept: Contribution, gone: Contribution) -> dict[str, list[Any]]:
    """Everything that goes along; what came of it is kept beside the merge."""
    moved = {name: part.move(kept, gone) for name, part in _parts.items()}
    return {name: keys for name, keys in moved.items() if keys}


def back_all(kept: Contribution, gone: Contribution, moved: dict[str, list[Any]]) -> None:
    for name, keys in moved.items():
        if name in _parts:
            _parts[name].back(kept, gone, keys)


def consequences(kept: Contribution, gone: Iterable[Contribution]) -> list[str]:
    """In words, before it is done: what goes along."""
    rows = list(gone)
    found = []
    for part in _parts.values():
        if part.words is not None and (number := part.number(kept, rows)):
            found.append(str(part.words(number)))
    return found


def photos_and_files(number: int) -> str:
    return ngettext("%(number)d photo or file", "%(number)d photos and files", number) % {"number": number}
