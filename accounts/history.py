"""What is done with accounts, people and registers, as the history tells it."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "staff.created": _("An account made for someone who works here"),
    "staff.updated": _("An account of someone who works here changed"),
    "staff.password_link_sent": _("A link to choose a password sent"),
    "staff.second_factor_reset": _("A second factor taken away"),
    "user.signed_up": _("Someone signed in for the first time"),
    "user.settings_changed": _("Someone changed their settings"),
    "user.data_exported": _("Someone fetched their own data"),
    "user.deleted": _("Someone deleted their account"),
    "user.signed_out_everywhere": _("Someone signed out everywhere"),
    "person.cpr_changed": _("A person got a new CPR number"),
    "person.merged": _("Two persons turned out to be the same"),
    "person.merge_refused": _("Two persons could not become one"),
    "unit.created": _("A unit made"),
    "unit.changed": _("A unit changed"),
    "unit.deleted": _("A unit deleted"),
    "organisation.changed": _("An organisation changed"),
    "organisations.imported": _("Businesses and associations imported"),
    "district.changed": _("A district changed"),
    "district.deleted": _("A district deleted"),
    "districts.imported": _("Districts imported"),
    "population.imported": _("Population figures imported"),
    "population.counted": _("Population figures counted from the register"),
    "register.imported": _("A register extract imported"),
    "register.purged": _("The people of a register extract deleted"),
}
