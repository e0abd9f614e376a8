"""What is personal, in every table; what someone gets when asking for their data; what goes when they leave.

Each app classifies its tables in its own `personal_data.py` as `PERSONAL = {"app.Model": Table(…)}`; a test fails on a
field that is missing. Export and erasure are built from that. What the classification can't say, an app adds with
`register_exporter` and `register_eraser`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Kind(StrEnum):
    PLAIN = "plain"  # says nothing about a person
    OWN = "own"  # about the owner: exported; emptied when the owner leaves
    TEXT = "text"  # the owner's words to the public: exported; stays, without a name, when the owner leaves
    LINK = "link"  # which person it is about: emptied when the owner leaves
    STAFF = "staff"  # who did it on the municipality's behalf: kept, as the law on records asks
    SECRET = "secret"  # noqa: S105 - personal, but never exported: keys, hashes, passwords, encrypted columns


class OnErase(StrEnum):
    KEEP = "keep"
    DELETE = "delete"
    ANONYMISE = "anonymise"


@dataclass(frozen=True)
class Table:
    """One table. `owner` names the lookups that lead to the user it is about; without one it belongs to nobody."""

    fields: Mapping[str, Kind]
    owner: tuple[str, ...] = ()
    on_erase: OnErase = OnErase.KEEP
    exported: bool = True
    stays: Any = field(default="", compare=False)

    @property
    def personal(self) -> bool:
        return any(kind is not Kind.PLAIN for kind in self.fields.values())


def plain(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, Kind.PLAIN)


def own(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, Kind.OWN)


def text(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, Kind.TEXT)


def link(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, Kind.LINK)


def staff(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, Kind.STAFF)


def secret(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, Kind.SECRET)


PERSONAL: dict[str, Table] = {
    "accounts.Person": Table(
        plain("id") | own("birth_date"), owner=("user",), stays=_("Only while the register needs it.")
    ),
    "accounts.PersonKey": Table(plain("id", "kind", "version") | link("person") | secret("hmac")),
    "accounts.Organisation": Table(plain("id", "cvr", "name", "kind", "industry_code", "industry")),
    "accounts.Unit": Table(plain("id", "name", "email")),
    "accounts.User": Table(
        plain("id", "role", "units", "is_active", "deleted_at")
        | own("email", "first_name", "last_name", "language", "district", "date_joined", "last_login")
        | link("person", "organisation")
        | secret("handle", "password"),
        owner=("pk",),
    ),
    "accounts.District": Table(plain("id", "kind", "code", "name", "geometry")),
    "accounts.RegisterExtract": Table(
        plain("id", "drawn_on", "imported_at", "valid_until", "purged_at", "rows", "sha256")
        | staff("imported_by")
    ),
    "accounts.Resident": Table(
        plain("id", "extract")
        | own("birth_date", "sex", "status", "municipality_code", "school_district", "polling_district")
        | own("protected", "digital_post", "name", "address")
        | link("person")
        | secret("household", "cpr"),
        owner=("person__user",),
        stays=_("Lines of the population register, until the extract is purged."),
    ),
    "accounts.EligibilityRule": Table(
        plain("id", "min_age", "age_on", "residence", "districts", "organisations")
    ),
    "accounts.PopulationFigure": Table(plain("id", "district", "sex", "age", "people", "source")),
    "audit.Entry": Table(
        plain(
            "id", "at", "actor_role", "action", "object_type", "object_id", "process_id", "changed", "values"
        )
        | link("actor_id"),
        stays=_("The log of what was changed keeps a number instead of your name."),
    ),
    # Tables of others
    "account.EmailAddress": Table(
        plain("id", "verified", "primary") | own("email") | link("user"),
        owner=("user",),
        on_erase=OnErase.DELETE,
    ),
    "account.EmailConfirmation": Table(
        plain("id", "created", "sent") | link("email_address") | secret("key"),
        owner=("email_address__user",),
        on_erase=OnErase.DELETE,
    ),
    "socialaccount.SocialAccount": Table(
        plain("id", "provider")
        | own("last_login", "date_joined")
        | link("user")
        | secret("uid", "extra_data"),
        owner=("user",),
        on_erase=OnErase.DELETE,
    ),
    "socialaccount.SocialApp": Table(
        plain("id", "provider", "provider_id", "name", "client_id", "secret", "key", "settings")
    ),
    "socialaccount.SocialToken": Table(
        plain("id", "app", "expires_at") | link("account") | secret("token", "token_secret"),
        owner=("account__user",),
        on_erase=OnErase.DELETE,
    ),
    "mfa.Authenticator": Table(
        plain("id", "type") | own("created_at", "last_used_at") | link("user") | secret("data"),
        owner=("user",),
        on_erase=OnErase.DELETE,
    ),
    "sessions.Session": Table(plain("expire_date") | secret("session_key", "session_data")),
    "admin.LogEntry": Table(
        plain(
            "id", "action_time", "content_type", "object_id", "object_repr", "action_flag", "change_message"
        )
        | staff("user")
    ),
    "auth.Permission": Table(plain("id", "name", "content_type", "codename")),
    "auth.Group": Table(plain("id", "name", "permissions")),
    "contenttypes.ContentType": Table(plain("id", "app_label", "model")),
}

_exporters: dict[str, list[Callable[["User"], Mapping[str, Any]]]] = {}
_erasers: dict[str, list[Callable[["User"], None]]] = {}


def register_exporter(app: str, exporter: Callable[["User"], Mapping[str, Any]]) -> None:
    """`exporter(user)` returns {heading: rows} beyond what the classification gives."""
    _exporters.setdefault(app, []).append(exporter)


def register_eraser(app: str, eraser: Callable[["User"], None]) -> None:
    """`eraser(user)` runs before the classification's own erasure, in the same transaction."""
    _erasers.setdefault(app, []).append(eraser)


@lru_cache(maxsize=1)
def classification() -> dict[str, Table]:
    """Every app's tables. A table classified twice is an error."""
    found = dict(PERSONAL)
    for config in apps.get_app_configs():
        if config.name == "accounts" or not module_has_submodule(config.module, "personal_data"):
            continue
        for label, table in import_module(f"{config.name}.personal_data").PERSONAL.items():
            if label in found:
                raise ValueError(f"{label} is classified twice.")
            found[label] = table
    return found


def unclassified() -> list[str]:
    """`app.Model.field` of whatever is missing, and of what is classified but doesn't exist."""
    tables, wrong = classification(), []
    for model in apps.get_models():
        label = model._meta.label
        names = {one.name for one in (*model._meta.concrete_fields, *model._meta.many_to_many)}
        table = tables.get(label)
        if model._meta.proxy or not model._meta.managed:
            continue
        if table is None:
            wrong.append(label)
            continue
        wrong += [f"{label}.{name}" for name in sorted(names ^ set(table.fields))]
    known = {model._meta.label for model in apps.get_models()}
    return wrong + [label for label in tables if label not in known]


def export(user: "User") -> dict[str, Any]:
    """All that is stored of this user: {table: [rows]}, ready for JSON."""
    found: dict[str, Any] = {}
    for label, table in classification().items():
        names = [name for name, kind in table.fields.items() if kind in {Kind.OWN, Kind.TEXT}]
        if not table.owner or not table.exported or not names:
            continue
        model = apps.get_model(label)
        context = [
            name
            for name, kind in table.fields.items()
            if kind is Kind.PLAIN and name not in {"id", "public_id"}
        ]
        rows = [
            {_label(model, name): _value(row, name) for name in (*names, *context)}
            for row in _rows(model, table, user)
        ]
        if rows:
            found[str(model._meta.verbose_name_plural)] = rows
    for exporters in _exporters.values():
        for exporter in exporters:
            found.update(exporter(user))
    return found


def erase(user: "User") -> None:
    """Runs what apps registered, then deletes or anonymises each table's rows as classified."""
    for erasers in _erasers.values():
        for eraser in erasers:
            eraser(user)
    for label, table in classification().items():
        if not table.owner or table.on_erase is OnErase.KEEP:
            continue
        model = apps.get_model(label)
        rows = model._base_manager.filter(pk__in=[row.pk for row in _rows(model, table, user)])
        if table.on_erase is OnErase.DELETE:
            rows.delete()
            continue
        emptied = {
            name: _empty(model, name) for name, kind in table.fields.items() if kind in {Kind.OWN, Kind.LINK}
        }
        rows.update(**emptied)


def what_stays() -> list[str]:
    return [str(table.stays) for table in classification().values() if table.stays]


def _rows(model: type[models.Model], table: Table, user: "User") -> Iterable[models.Model]:
    query = models.Q()
    for lookup in table.owner:
        query |= models.Q(**{lookup: user.pk})
    return model._base_manager.filter(query).distinct()


def _label(model: type[models.Model], name: str) -> str:
    return str(getattr(model._meta.get_field(name), "verbose_name", name))


def _value(row: models.Model, name: str) -> Any:
    one = row._meta.get_field(name)
    if one.many_to_many:
        return [str(other) for other in getattr(row, name).all()]
    display = getattr(row, f"get_{name}_display", None)
    value = display() if display is not None else getattr(row, name)
    if isinstance(value, models.Model):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)


def _empty(model: type[models.Model], name: str) -> Any:
    one = model._meta.get_field(name)
    if getattr(one, "null", False):
        return None
    if isinstance(one, models.CharField | models.TextField):
        return ""
    raise TypeError(f"{model._meta.label}.{name} can't be emptied: classify it otherwise.")
