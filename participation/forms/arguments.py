"""What one writes for or against something, and to each other about it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from participation.actions.arguments import TEXT
from participation.choices import NameShown
from participation.forms.fields import PlainTextField
from participation.models import Side


class ArgumentEditForm(forms.Form):
    text = PlainTextField(
        label=_("Your argument"),
        longest=TEXT,
        lines=6,
        help_text=_("One argument at a time. Write about the matter, not about the person."),
    )
    name_shown = forms.ChoiceField(
        label=_("How should your name be shown?"),
        choices=NameShown.choices,
        initial=NameShown.FIRST,
        widget=forms.RadioSelect,
        help_text=_("We always know who you are, but others only see what you choose here."),
    )


class ReplyForm(ArgumentEditForm):
    text = PlainTextField(
        label=_("Your reply"),
        longest=TEXT,
        lines=5,
        help_text=_("Write about the matter, not about the person."),
    )


class ArgumentForm(ArgumentEditForm):
    side = forms.ChoiceField(
        label=_("Are you for or against?"),
        choices=[(Side.FOR, _("I am for it")), (Side.AGAINST, _("I am against it"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether you are for or against.")},
    )

    field_order = ("side", "text", "name_shown")
