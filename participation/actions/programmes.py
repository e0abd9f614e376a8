"""Samlet forløb: one matter above several processes."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Unit, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from audit.actions import record
from participation.actions.process import update_practical
from participation.actions.writing import address, clean
from participation.models import Process, Programme


def create_programme(*, by: User, unit: Unit, title: str, introduction: str = "") -> Programme:
    """One matter above several processes; steps are added as it develops."""
    if not by.may(Permission.SET_UP_PROCESS):
        raise Refused("no_permission", _("Your role doesn't allow this."))
    if unit.pk not in by.unit_ids():
        raise Refused("other_unit", _("Choose one of your own units."), "unit")
    base = address(title, "samlet")
    with transaction.atomic():
        taken = set(Programme.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        slug = base if base not in taken else f"{base}-{len(taken) + 1}"
        programme = Programme(slug=slug, title=title, introduction=introduction, unit=unit)
        clean(programme, exclude={"id"})
        programme.save(force_insert=True)
        record(action="programme.created", by=by, obj=programme)
    return programme


def put_in_programme(*, process: Process, by: User, programme: Programme | None) -> Process:
    """Make the process a step of a programme of the same unit, or let it stand alone."""
    if programme is not None and programme.unit_id != process.unit_id:
        raise Refused("other_unit", _("The programme belongs to another unit."), "programme")
    return update_practical(process=process, by=by, fields={"programme": programme})
