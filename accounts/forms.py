"""Forms of my page and of sign-in."""

from typing import Any

from allauth.account.forms import ResetPasswordForm
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import District, User
from accounts.permissions import STAFF_ROLES
from dkfds.layout import Actions, Submit


class StaffResetPasswordForm(ResetPasswordForm):
    """Only staff have passwords. The answer on screen is the same for everyone, so it tells nobody who works here."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.role in STAFF_ROLES]
        return email


class SettingsForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["language", "district"]
        widgets = {"language": forms.RadioSelect}

    language = forms.ChoiceField(
        label=_("Language of messages to you"), choices=settings.LANGUAGES, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        district = self.fields["district"]
        assert isinstance(district, forms.ModelChoiceField)
        district.queryset = District.objects.of_home()
        district.empty_label = str(_("The whole municipality"))
        district.label = _("Show me first what concerns")
        district.help_text = ""
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout("language", "district", Actions(Submit(_("Save"))))


class DeleteAccountForm(forms.Form):
    sure = forms.BooleanField(
        label=_("I understand that this can't be undone"),
        error_messages={"required": _("Tick the box to show that you are sure.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout("sure", Actions(Submit(_("Delete my account"))))
