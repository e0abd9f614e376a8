"""The small forms of a mailout: each asks for what one action needs."""

import re
import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import District, Organisation, Unit, User
from accounts.verdict import Refused
from dkfds.fields import Boxes, DateTimeField
from mailouts import letters, places
from mailouts.choices import ActionKind, Earlier, PaperRoute, Policy
from mailouts.memo_rules import is_cvr
from mailouts.models import Campaign
from mailouts.sources import OLDEST, YOUNGEST

SMS_LENGTH = 150
LONGEST_LETTER = 20_000


class Form(forms.Form):
    use_required_attribute = False


class CountField(forms.IntegerField):
    """A number typed as the pages show it: 1.200 is 1200 (read as a decimal number it would be 1)."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "input-char-11"})

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = " ".join(value.split())
            if re.fullmatch(r"\d{1,3}([., ]\d{3})+", value, re.ASCII):
                value = re.sub(r"[., ]", "", value)
            elif value and not re.fullmatch(r"\d{1,15}", value, re.ASCII):
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class NewForm(Form):
    title = forms.CharField(
        label=_("What do you call the mailout?"),
        max_length=120,
        help_text=_("Only you and your colleagues see the name."),
    )
    unit = forms.ModelChoiceField(label=_("Which unit does it belong to?"), queryset=Unit.objects.none())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = Unit.objects.filter(pk__in=user.unit_ids())
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        if len(units) == 1:
            self.fields["unit"].initial = units[0].pk


class LetterForm(Form):
    """The letter in Danish and, if wanted, in English; the button; the NemSMS."""

    title = forms.CharField(label=_("Name of the mailout"), max_length=120)
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    text = forms.CharField(
        label=_("The letter"),
        required=False,
        max_length=LONGEST_LETTER,
        widget=forms.Textarea(attrs={"rows": 16, "data-marks": "1"}),
        help_text=_("An empty line begins a new paragraph. The buttons put in headings, lists and fields."),
    )
    english_subject = forms.CharField(label=_("Subject in English"), max_length=200, required=False)
    english_text = forms.CharField(
        label=_("The letter in English"),
        required=False,
        max_length=LONGEST_LETTER,
        widget=forms.Textarea(attrs={"rows": 8, "data-marks": "1"}),
        help_text=_("For those who use the portal in English. Empty: everyone gets the Danish letter."),
    )
    sms_text = forms.CharField(
        label=_("Text of the NemSMS"),
        required=False,
        max_length=SMS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only used when the mailout is a NemSMS. At most 150 characters."),
    )
    action_kind = forms.ChoiceField(
        label=_("Button in the letter"), choices=ActionKind.choices, widget=forms.RadioSelect
    )
    action_label = forms.CharField(
        label=_("Words on the button"), max_length=60, required=False, help_text=_("For instance: Vote here")
    )
    action_url = forms.CharField(
        label=_("Where the button leads"),
        max_length=256,
        required=False,
        help_text=_("An address that begins with https://"),
    )
    meeting_starts = DateTimeField(label=_("The meeting begins"), required=False)
    meeting_ends = DateTimeField(label=_("The meeting ends"), required=False)
    meeting_place = forms.CharField(label=_("Where the meeting is"), max_length=200, required=False)
    case_number = forms.CharField(label=_("Case number"), max_length=50, required=False)
    kle = forms.RegexField(
        label=_("KLE subject"),
        regex=r"^\d\d\.\d\d\.\d\d$",
        required=False,
        help_text=_("For instance 01.05.05"),
        error_messages={"invalid": _("Write the number as 01.05.05.")},
    )
    FIELDS = (
        *("title", "subject", "text", "english_subject", "english_text", "sms_text", "action_kind"),
        *("action_label", "action_url", "meeting_starts", "meeting_ends", "meeting_place"),
        *("case_number", "kle"),
    )

    @classmethod
    def initial_of(cls, campaign: Campaign) -> dict[str, Any]:
        return {name: getattr(campaign, name) for name in cls.FIELDS}

    def clean_text(self) -> str:
        return _one_line_end(self.cleaned_data["text"])

    def clean_english_text(self) -> str:
        return _one_line_end(self.cleaned_data["english_text"])

    def clean_sms_text(self) -> str:
        return _one_line_end(self.cleaned_data["sms_text"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        starts, ends = data.get("meeting_starts"), data.get("meeting_ends")
        if starts and ends and ends <= starts:
            self.add_error("meeting_ends", _("The meeting must end after it begins."))
        return data

    @property
    def merge_fields(self) -> list[letters.MergeField]:
        return letters.fields()


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class HowForm(Form):
    """The road, the speed, and what is expected."""

    policy = forms.ChoiceField(label=_("How is it sent?"), choices=Policy.choices, widget=forms.RadioSelect)
    paper_route = forms.ChoiceField(
        label=_("Letters on paper"), choices=PaperRoute.choices, widget=forms.RadioSelect
    )
    per_household = forms.BooleanField(
        label=_("One letter to each household"),
        required=False,
        help_text=_("The oldest of those chosen gets it."),
    )
    earlier = forms.ChoiceField(
        label=_("Those who have had exactly the same letter before"),
        choices=Earlier.choices,
        widget=forms.RadioSelect,
    )
    expected = CountField(
        label=_("How many letters do you expect?"),
        min_value=1,
        max_value=10_000_000,
        required=False,
        help_text=_("Write it before you look. A list that is more than a tenth off stops the mailout."),
    )
    start_at = DateTimeField(
        label=_("Not before"), required=False, help_text=_("Empty: as soon as it is approved.")
    )
    per_minute = CountField(
        label=_("Letters a minute at most"),
        min_value=1,
        max_value=100_000,
        required=False,
        help_text=_("Empty: as fast as it goes. A limit lets your phones keep up with those who call."),
    )
    keep_days = forms.IntegerField(
        label=_("Days until letter and list are deleted"),
        min_value=1,
        max_value=1825,
        help_text=_("Counted from the end. The numbers stay."),
    )
    FIELDS = (
        *("policy", "paper_route", "per_household", "earlier"),
        *("expected", "start_at", "per_minute", "keep_days"),
    )

    @classmethod
    def initial_of(cls, campaign: Campaign) -> dict[str, Any]:
        return {name: getattr(campaign, name) for name in cls.FIELDS}


# Who it is for


class SourceForm(Form):
    """`params()` is what the source keeps."""

    def params(self) -> dict[str, Any]:
        raise NotImplementedError


class GroupForm(SourceForm):
    age_from = forms.IntegerField(label=_("Age from"), min_value=YOUNGEST, max_value=OLDEST, initial=YOUNGEST)
    age_to = forms.IntegerField(
        label=_("to and including"), min_value=YOUNGEST, max_value=OLDEST, required=False
    )
    districts = forms.ModelMultipleChoiceField(
        label=_("Districts"),
        queryset=District.objects.order_by("kind", "name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: the whole municipality."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["districts"].label_from_instance = lambda one: one.name_and_kind  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        low, high = data.get("age_from"), data.get("age_to")
        if low is not None and high is not None and high < low:
            self.add_error("age_to", _("The last age is below the first."))
        return data

    def params(self) -> dict[str, Any]:
        data = self.cleaned_data
        found: dict[str, Any] = {"age_from": data["age_from"], "age_to": data["age_to"]}
        if data["districts"]:
            found["districts"] = sorted(one.pk for one in data["districts"])
        return found


class RegisterSourceForm(GroupForm):
    pass


class LotSourceForm(GroupForm):
    amount = CountField(label=_("How many are drawn?"), min_value=1, max_value=1_000_000)
    sex = forms.ChoiceField(
        label=_("Sex"),
        choices=[("", _("All")), ("F", _("Women")), ("M", _("Men"))],
        required=False,
        widget=forms.RadioSelect,
    )
    field_order = ("amount", "age_from", "age_to", "sex", "districts")

    def params(self) -> dict[str, Any]:
        data = self.cleaned_data
        found = super().params() | {"amount": data["amount"], "seed": secrets.token_hex(16)}
        return found | ({"sex": data["sex"]} if data["sex"] else {})


class AddressSourceForm(SourceForm):
    lines = forms.CharField(
        label=_("Addresses"),
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_(
            "One on each line: Nørregade 12, Nørregade 1-15, Nørregade 1-15 ulige, or the whole Nørregade."
        ),
        max_length=60_000,
    )
    age_from = forms.IntegerField(label=_("Age from"), min_value=YOUNGEST, max_value=OLDEST, initial=18)

    def clean_lines(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["lines"].splitlines() if line.strip()]
        if len(lines) > places.MOST_LINES:
            raise forms.ValidationError(_("Write at most %(most)s lines.") % {"most": places.MOST_LINES})
        errors = []
        for line in lines:
            try:
                places.Span.read(line)
            except Refused as refused:
                errors.append(forms.ValidationError(refused.reason))
        if errors:
            raise forms.ValidationError(errors)
        return lines

    def params(self) -> dict[str, Any]:
        return {"lines": self.cleaned_data["lines"], "age_from": self.cleaned_data["age_from"]}


class OrganisationSourceForm(SourceForm):
    kinds = Boxes(label=_("Kind"), choices=Organisation.Kind.choices)
    industries = forms.CharField(
        label=_("Industry codes"),
        required=False,
        max_length=400,
        help_text=_("The first digits are enough: 47 is retail. Several with commas between."),
    )
    cvrs = forms.CharField(
        label=_("Only these CVR numbers"),
        required=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One on each line. Empty: all of those above."),
    )

    def clean_industries(self) -> list[str]:
        codes = [code.strip() for code in self.cleaned_data["industries"].split(",") if code.strip()]
        if any(not (code.isascii() and code.isdigit() and len(code) <= 6) for code in codes):
            raise forms.ValidationError(_("An industry code has up to six digits."))
        return codes

    def clean_cvrs(self) -> list[str]:
        numbers = self.cleaned_data["cvrs"].replace(",", " ").replace(";", " ").split()
        wrong = [str(place) for place, number in enumerate(numbers, 1) if not is_cvr(number)]
        if wrong:
            raise forms.ValidationError(
                _("Not CVR numbers: those in place %(places)s.") % {"places": ", ".join(wrong[:20])}
            )
        return numbers

    def params(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value}


class ListSourceForm(SourceForm):
    """Pasted or uploaded; the view reads it, since each line is answered for."""

    name = forms.CharField(label=_("What is the list called?"), max_length=80)
    pasted = forms.CharField(
        label=_("Paste the list"),
        required=False,
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("The first line names the columns, some of: navn; adresse; postnr; by; email; cpr; cvr."),
    )
    file = forms.FileField(label=_("Or choose a CSV file"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and bool(data.get("pasted", "").strip()) == bool(data.get("file")):
            self.add_error("pasted", _("Paste the list or choose a file: one of the two."))
        return data


# Four eyes


class ApproveForm(Form):
    number = CountField(
        label=_("How many letters are sent?"),
        min_value=0,
        help_text=_("Type the number that you have seen in the list."),
    )


class StopForm(Form):
    reason = forms.CharField(
        label=_("Why is it stopped?"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


class AgainForm(Form):
    """Hidden fields say which; a box says that one knows."""

    state = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(widget=forms.HiddenInput, required=False)
    channel = forms.CharField(widget=forms.HiddenInput, required=False)
    other_way = forms.BooleanField(widget=forms.HiddenInput, required=False)
    uncertain_checked = forms.BooleanField(
        label=_("I have made sure that they have not arrived"), required=False
    )
