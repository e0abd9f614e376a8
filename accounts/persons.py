"""Who is the same human being.

A person is recognised by aliases: an HMAC of the CPR number, or of the broker's own id where there is none, under a
versioned secret from the environment. The number itself never leaves this module's callers. A key is pseudonymous, not
anonymous: there are so few CPR numbers that whoever has the secret can try them all.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, PersonKey, User
from accounts.verdict import Refused
from audit.actions import record

CPR = re.compile(r"([0-9]{6})[- ]?([0-9]{4})")

# Upper rooms say when two persons may not become one: each raises `Refused` (budgets: both voted in one open round).
_merge_checks: list[Callable[[Person, Person], None]] = []
# Upper rooms settle what both have before they become one, so that nothing is there twice.
_before_merge: list[Callable[[Person, Person], None]] = []
# Upper rooms say whom they still need without an account or a register line (budgets: the roll of an open round).
_holders: list[Callable[[Sequence[object]], Iterable[object]]] = []


# Upper rooms say what two accounts can't both have once they are one person's (participation: a place among the authors).
_tidiers: list[Callable[[User, User], None]] = []


def register_tidier(tidier: Callable[[User, User], None]) -> None:
    """`tidier(keep, gone)` runs before what points at the one account is made to point at the other."""
    if tidier not in _tidiers:
        _tidiers.append(tidier)


def register_merge_check(check: Callable[[Person, Person], None]) -> None:
    if check not in _merge_checks:
        _merge_checks.append(check)


def register_before_merge(settle: Callable[[Person, Person], None]) -> None:
    if settle not in _before_merge:
        _before_merge.append(settle)


def register_holder(holder: Callable[[Sequence[object]], Iterable[object]]) -> None:
    """`holder(person_ids)` returns those ids that must stay because a person without an account still counts there."""
    if holder not in _holders:
        _holders.append(holder)


def normal_cpr(text: str) -> str | None:
    """Ten digits, or None when it can't be a CPR number. Days 61 to 91 are replacement numbers (day + 60)."""
    match = CPR.fullmatch(text.strip())
    if match is None:
        return None
    day, month = int(match[1][:2]), int(match[1][2:4])
    if not (1 <= day <= 31 or 61 <= day <= 91) or not 1 <= month <= 12:
        return None
    return match[1] + match[2]


@lru_cache(maxsize=4)
def _parse(secrets: tuple[str, ...]) -> tuple[tuple[int, bytes], ...]:
    parsed = []
    for entry in secrets:
        version, colon, secret = entry.partition(":")
        if not colon or not version.isdigit() or len(secret) < 16:
            raise ImproperlyConfigured(
                "PERSON_KEY_SECRETS is a list of version:secret, newest first; each secret 16 characters or more."
            )
        parsed.append((int(version), secret.encode()))
    if not parsed or len({version for version, _secret in parsed}) != len(parsed):
        raise ImproperlyConfigured(
            "PERSON_KEY_SECRETS must hold at least one version:secret, each version once."
        )
    return tuple(parsed)


def secrets() -> tuple[tuple[int, bytes], ...]:
    """(version, secret), newest first; the first makes new keys, the others still recognise old ones."""
    return _parse(tuple(settings.PERSON_KEY_SECRETS))


def digest(secret: bytes, kind: str, value: str) -> str:
    return hmac.new(secret, f"{kind}:{value}".encode(), sha256).hexdigest()


def keyed_hash(purpose: str, value: str) -> str:
    """A value that may be compared but not read, under the newest secret (household keys, for instance)."""
    return digest(secrets()[0][1], purpose, value)


def person_key(cpr: str) -> str:
    """The HMAC under the newest secret. `cpr` is ten digits, with or without a hyphen."""
    number = normal_cpr(cpr)
    if number is None:
        raise Refused("cpr_malformed", _("This is not a CPR number: it has ten digits."))
    return digest(secrets()[0][1], PersonKey.Kind.CPR, number)


def _keys(kind: str, value: str) -> dict[int, str]:
    return {version: digest(secret, kind, value) for version, secret in secrets()}


def person_for_cpr(cpr: str) -> Person | None:
    number = normal_cpr(cpr)
    if number is None:
        return None
    return Person.objects.filter(keys__hmac__in=_keys(PersonKey.Kind.CPR, number).values()).distinct().first()


def people_of_cprs(numbers: Iterable[str]) -> dict[str, UUID]:
    """Of many CPR numbers (as `normal_cpr` gives them) the persons that are known, in a query for a thousand of them."""
    found: dict[str, UUID] = {}
    waiting = iter(set(numbers))
    while some := list(islice(waiting, 1000)):
        of_key = {key: number for number in some for key in _keys(PersonKey.Kind.CPR, number).values()}
        for key, person in PersonKey.objects.filter(hmac__in=list(of_key)).values_list("hmac", "person_id"):
            found[of_key[key]] = person
    return found


@transaction.atomic
def recognise(
    *,
    cpr: str | None = None,
    mitid: str | None = None,
    birth_date: date | None = None,
    by: User | None = None,
) -> Person:
    """The person with this CPR number or broker id, made if new; adds the alias under the newest secret.

    When the two point at different persons they become one, unless that is refused: then the CPR number decides and
    the other stays apart.
    """
    found: list[Person] = []
    values = [(PersonKey.Kind.CPR, normal_cpr(cpr) if cpr else None), (PersonKey.Kind.MITID, mitid)]
    given = [(kind, value) for kind, value in values if value]
    if not given:
        raise Refused("unrecognisable", _("MitID did not tell us who you are, so we can't know you again."))
    for kind, value in given:
        person = (
            Person.objects.select_for_update(of=("self",))
            .filter(pk__in=PersonKey.objects.filter(hmac__in=_keys(kind, value).values()).values("person"))
            .first()
        )
        if person is not None and person not in found:
            found.append(person)
    if not found:
        person = _create(*given[0], birth_date=birth_date)
    else:
        person = found[0]
        if len(found) > 1:
            try:
                with transaction.atomic():
                    merge(keep=person, gone=found[1], by=by)
            except Refused as refused:
                record(action="person.merge_refused", by=by, obj=person, values={"because": refused.code})
                given = given[:1]
    if birth_date is not None and person.birth_date != birth_date:
        person.birth_date = birth_date
        person.save(update_fields=["birth_date"])
    for kind, value in given:
        _add_key(person, kind, value)
    return person


def _create(kind: str, value: str, *, birth_date: date | None) -> Person:
    """A new person; the one that somebody else made in the same moment when they were first."""
    person = Person.objects.create(birth_date=birth_date)
    _add_key(person, kind, value)
    first = PersonKey.objects.select_related("person").get(hmac=digest(secrets()[0][1], kind, value)).person
    if first.pk != person.pk:
        person.delete()
    return first


def _add_key(person: Person, kind: str, value: str) -> None:
    version, secret = secrets()[0]
    PersonKey.objects.bulk_create(
        [PersonKey(person=person, kind=kind, version=version, hmac=digest(secret, kind, value))],
        ignore_conflicts=True,
    )


@transaction.atomic
def change_cpr(*, person: Person, cpr: str, by: User | None) -> Person:
    """The register office gave this person a new number: one more alias, so that nobody becomes two."""
    number = normal_cpr(cpr)
    if number is None:
        raise Refused("cpr_malformed", _("This is not a CPR number: it has ten digits."), "cpr")
    other = person_for_cpr(number)
    if other is not None and other != person:
        merge(keep=person, gone=other, by=by)
    _add_key(person, PersonKey.Kind.CPR, number)
    record(action="person.cpr_changed", by=by, obj=person, changed=["keys"])
    return person


@transaction.atomic
def merge(*, keep: Person, gone: Person, by: User | None) -> Person:
    """Two persons turn out to be one: everything that pointed at `gone` points at `keep`.

    Refused by any room that registered a check, for instance where both have voted in one open round.
    """
    if keep.pk == gone.pk:
        raise Refused("same_person", _("This is the same person already."))
    ids = sorted([keep.pk, gone.pk])
    list(Person.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    for check in _merge_checks:
        check(keep, gone)
    for settle in _before_merge:
        settle(keep, gone)
    keep_user = User.objects.select_for_update().filter(person=keep).first()
    gone_user = User.objects.select_for_update().filter(person=gone).first()
    if keep_user is not None and gone_user is not None:
        for tidy in _tidiers:
            tidy(keep_user, gone_user)
        point_at(keep_user, gone_user)
        gone_user.is_active = False
        gone_user.person = None
        gone_user.save(update_fields=["is_active", "person"])
    point_at(keep, gone)
    if keep.birth_date is None and gone.birth_date is not None:
        keep.birth_date = gone.birth_date
        keep.save(update_fields=["birth_date"])
    gone_id = str(gone.pk)
    gone.delete()
    record(action="person.merged", by=by, obj=keep, values={"from": gone_id})
    return keep


def point_at(keep: models.Model, gone: models.Model) -> None:
    """Moves every foreign key from one row to another of the same model. What would then be there twice stays where it
    is, and follows the old row's fate."""
    for relation in gone._meta.get_fields(include_hidden=True):
        # Relations without a name backwards (the roll's) are hidden, and just as much theirs.
        if not isinstance(relation, models.ManyToOneRel):
            continue
        manager = relation.related_model._base_manager
        name = relation.field.name
        rows = manager.filter(**{name: gone})
        try:
            with transaction.atomic():
                rows.update(**{name: keep})
        except IntegrityError:
            for pk in list(rows.values_list("pk", flat=True)):
                try:
                    with transaction.atomic():
                        manager.filter(pk=pk).update(**{name: keep})
                except IntegrityError:
                    continue


def purge_unneeded() -> int:
    """Deletes persons that no account, register line or open roll needs any more; returns how many."""
    idle = list(Person.objects.filter(user=None, residences=None).order_by("pk").values_list("pk", flat=True))
    held: set[object] = set()
    for holder in _holders:
        held.update(holder(idle))
    unneeded = [pk for pk in idle if pk not in held]
    for start in range(0, len(unneeded), 1000):
        Person.objects.filter(pk__in=unneeded[start : start + 1000]).delete()
    return len(unneeded)
