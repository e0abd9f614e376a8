"""Asking others to stand behind a contribution, and answering."""

from django import forms
from django.utils.translation import gettext_lazy as _

from participation.choices import NameShown


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("Their e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("We write to it once and forget it when they have answered."),
    )


class AcceptForm(forms.Form):
    name_shown = forms.ChoiceField(
        label=_("How should your name be shown?"),
        choices=NameShown.choices,
        initial=NameShown.FIRST,
        widget=forms.RadioSelect,
    )
