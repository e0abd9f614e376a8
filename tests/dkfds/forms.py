"""Forms that the pack is tried on: one per kind of field."""

from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms

from dkfds.fields import DateField, DateTimeField, KronerField
from dkfds.layout import Actions, Fieldset, SaveForLater, Submit

DISTRICTS = [("n", "Nordby"), ("s", "Søndermarken")]


class TextForm(forms.Form):
    title = forms.CharField(label="Titel", max_length=80, help_text="Kort og klart.")
    nickname = forms.CharField(label="Kaldenavn", required=False)
    email = forms.EmailField(label="E-mail")
    seats = forms.IntegerField(label="Pladser", min_value=1)
    share = forms.DecimalField(label="Andel")
    cost = KronerField(label="Pris")
    why = forms.CharField(label="Hvorfor", max_length=600, widget=forms.Textarea)


class ChoiceForm(forms.Form):
    secret = forms.CharField(widget=forms.HiddenInput)
    district = forms.ChoiceField(label="Distrikt", choices=[("", "Vælg"), *DISTRICTS])
    where = forms.ChoiceField(
        label="Hvor", choices=DISTRICTS, widget=forms.RadioSelect, help_text="Vælg ét sted."
    )
    groups = forms.MultipleChoiceField(
        label="Hvem", choices=[("c", "Børn"), ("o", "Ældre")], widget=forms.CheckboxSelectMultiple
    )
    rules = forms.BooleanField(label="Jeg har læst reglerne")


class DateForm(forms.Form):
    ready = DateField(label="Færdigt", help_text="For eksempel 6 3 2026.", initial=date(2026, 3, 6))
    opens = DateTimeField(label="Åbner")
    photo = forms.FileField(label="Billede", required=False)


class LayoutForm(forms.Form):
    title = forms.CharField(label="Titel")
    text = forms.CharField(label="Tekst")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.layout = Layout(
            Fieldset("Dit forslag", "title", "text", hint="Det tager fem minutter."),
            Actions(Submit("Send forslaget"), SaveForLater("Gem og fortsæt senere")),
        )
