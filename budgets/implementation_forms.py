"""What is asked about a project that is carried out: of the group that does it, and of the caseworker."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.verdict import Refused
from budgets.models import Carrier, Implementation, Milestone, Progress
from dkfds.fields import DateField, KronerOreField
from participation import clock, files
from participation.actions.files import check_alt, store_file, store_photo
from participation.admin.fields import DateInput
from participation.models import StoredFile
from participation.permissions.process import can_act_for


class FileForm(forms.Form):
    """A form with one file. What was sent in is kept when something else is wrong: its handle stands in the page."""

    use_required_attribute = False
    upload = ""
    kind = StoredFile.Kind.FILE
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.order_fields([name for name in self.fields if name != "kept"] + ["kept"])
        self.stored: StoredFile | None = None
        if self.is_bound:
            sent = [one.pk for one in files.from_handles([self.data.get("kept", "")])]
            # One's own, and put to no use yet: its words are written from here.
            mine = StoredFile.objects.filter(pk__in=sent, uploaded_by=by, kind=self.kind)
            self.stored = mine.kept().loose().first()

    def keep(self, stored: StoredFile) -> None:
        """Taken in: whatever else is wrong, it needn't be chosen again."""
        self.stored = stored
        self.data = self.data.copy()
        self.data["kept"] = files.handle(stored)

    def _take_in(self, data: dict[str, Any]) -> None:
        sent = data.get(self.upload)
        if sent is None:
            return
        try:
            self.keep(self._store(sent.read(), sent.name, data))
        except Refused as refused:
            self.add_error(refused.field if refused.field in self.fields else self.upload, refused.reason)

    def _store(self, data: bytes, name: str, cleaned: dict[str, Any]) -> StoredFile:
        return store_file(data=data, name=name, by=self.by)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._take_in(data)
        return data


class NewsForm(FileForm):
    """News with a photo."""

    upload = "photo"
    kind = StoredFile.Kind.PHOTO
    title = forms.CharField(label=_("Headline"), max_length=160)
    text = forms.CharField(
        label=_("What has happened?"), max_length=4000, widget=forms.Textarea(attrs={"rows": 7})
    )
    photo = forms.FileField(
        label=_("A photo"),
        required=False,
        help_text=_("Only of people who have said yes to it."),
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
    alt = forms.CharField(
        label=_("What the photo shows"),
        required=False,
        max_length=250,
        help_text=_("Needed with a photo: for those who can't see it."),
    )

    def _store(self, data: bytes, name: str, cleaned: dict[str, Any]) -> StoredFile:
        return store_photo(data=data, name=name, alt=None, by=self.by)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.stored is not None and "alt" not in self.errors:
            try:
                words = check_alt(data.get("alt", ""))
            except Refused as refused:
                self.add_error("alt", refused.reason)
            else:
                StoredFile.objects.filter(pk=self.stored.pk).update(alt=words)
        return data

    def told(self) -> dict[str, Any]:
        return {
            "title": self.cleaned_data["title"],
            "text": self.cleaned_data["text"],
            "photo": self.stored,
        }


class TellForm(NewsForm):
    """What those who carry it out tell, and whether they have reached a milestone."""

    milestone = forms.ModelChoiceField(
        label=_("Have you reached a milestone?"),
        queryset=Milestone.objects.none(),
        required=False,
        empty_label=_("No, just news"),
    )

    def __init__(self, *args: Any, implementation: Implementation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = implementation.milestones.filter(reached_on=None)
        field: Any = self.fields["milestone"]
        field.queryset = waiting
        if not waiting:
            del self.fields["milestone"]
        self.order_fields(["milestone", "title", "text", "photo", "alt", "kept"])

    def told(self) -> dict[str, Any]:
        return super().told() | {"milestone": self.cleaned_data.get("milestone")}


class SpendForm(FileForm):
    upload = "receipt"
    text = forms.CharField(
        label=_("What did you buy?"), max_length=200, help_text=_("Everyone can read it. Write no names.")
    )
    amount = KronerOreField(
        label=_("What did it cost?"), help_text=_("As on the receipt, for example 1.249,50.")
    )
    spent_on = DateField(label=_("When did you buy it?"))
    receipt = forms.FileField(
        label=_("The receipt"),
        required=False,
        help_text=_(
            "A photo of it, or a PDF. Only the municipality sees it, unless it holds nothing about anybody."
        ),
        error_messages={"required": _("Add the receipt: a photo of it is enough.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["receipt"].required = self.stored is None and not self.by.is_staff

    def entered(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {name: data[name] for name in ("text", "amount", "spent_on")} | {"receipt": self.stored}


# The caseworker's


def day(**kwargs: Any) -> forms.DateField:
    return forms.DateField(widget=DateInput(), **kwargs)


class PlanForm(FileForm):
    upload = "agreement_file"
    carried_out_by = forms.ChoiceField(
        label=_("Who carries it out?"), choices=Carrier.choices, widget=forms.RadioSelect
    )
    carrier = forms.CharField(
        label=_("What they are called"),
        max_length=160,
        help_text=_(
            "As everyone may read it: a unit, or “The group behind the croquet ground”. No private names."
        ),
    )
    expected_on = day(label=_("When is it expected to be done?"), required=False)
    owner = forms.ModelChoiceField(
        label=_("Who in the house answers for it"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("The process's own owner"),
    )
    deputy = forms.ModelChoiceField(
        label=_("Deputy"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("The process's own deputy"),
    )
    agreement = forms.CharField(
        label=_("The agreement with the group"),
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=_("What they do, what we do, and what happens with what is built. Everyone can read it."),
    )
    agreement_file = forms.FileField(
        label=_("The signed agreement"),
        required=False,
        help_text=_("Only colleagues in the unit see it."),
    )
    agreement_signed_on = day(label=_("When was it signed?"), required=False)
    agreement_signed_by = forms.CharField(
        label=_("Who signed for the group?"), required=False, max_length=200, help_text=_("Never shown.")
    )
    contact_name = forms.CharField(
        label=_("The group's contact"), required=False, max_length=200, help_text=_("Never shown.")
    )
    contact_how = forms.CharField(
        label=_("Telephone or e-mail of the contact"),
        required=False,
        max_length=200,
        help_text=_("Never shown. Forgotten a year after the project has ended."),
    )

    FIELDS = (
        *("carried_out_by", "carrier", "expected_on", "owner", "deputy", "agreement", "agreement_signed_on"),
        *("agreement_signed_by", "contact_name", "contact_how"),
    )

    def __init__(self, *args: Any, implementation: Implementation, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(implementation, name) for name in self.FIELDS}
        super().__init__(*args, **kwargs)
        if implementation.day_is_told:
            del self.fields["expected_on"]
        process = implementation.project.contribution.process
        known = User.objects.filter(units=process.unit_id, is_active=True).order_by("first_name", "pk")
        colleagues = [user.pk for user in known if can_act_for(user, process)]
        for name in ("owner", "deputy"):
            field: Any = self.fields[name]
            field.queryset = known.filter(pk__in=colleagues)

    def plan(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name) for name in self.FIELDS} | {"agreement_file": self.stored}


class PromisesForm(forms.Form):
    use_required_attribute = False
    promises = forms.CharField(
        label=_("What is promised, one thing on each line"),
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_(
            "Taken from the proposal's own cost lines to begin with. Write what people will look for: “A bathing beach fit "
            "for children”, not “Sand, 40 m³”. Each line must later be delivered, or dropped with a reason."
        ),
    )


class MilestoneForm(forms.Form):
    use_required_attribute = False
    title = forms.CharField(label=_("Milestone"), max_length=120)
    planned_on = day(label=_("Planned for"))


class MoveMilestoneForm(forms.Form):
    use_required_attribute = False
    planned_on = day(label=_("Moved to"))
    because = forms.CharField(
        label=_("Because"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when the plan is published. Everyone can read it."),
    )


class ReachForm(forms.Form):
    use_required_attribute = False
    on = day(label=_("When was it reached?"), initial=clock.today)
    text = forms.CharField(
        label=_("A few words about it"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class AddPromiseForm(forms.Form):
    use_required_attribute = False
    text = forms.CharField(label=_("What is promised"), max_length=300)
    because = forms.CharField(
        label=_("Why it is added now"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Everyone can read it."),
    )


class SettlePromiseForm(forms.Form):
    use_required_attribute = False
    became = forms.ChoiceField(
        label=_("What became of it?"),
        choices=[
            ("delivered", _("Delivered")),
            ("dropped", _("Dropped, because …")),
            ("taken_out", _("It stood in the list by mistake, because …")),
        ],
        widget=forms.RadioSelect,
    )
    on = day(label=_("When?"), initial=clock.today)
    because = forms.CharField(
        label=_("Because"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Needed when it is dropped or taken out. Everyone can read it: say what happened, in plain words."
        ),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("became") in {"dropped", "taken_out"} and not data.get("because", "").strip():
            self.add_error("because", _("Say why: everyone who was promised it wants to know."))
        return data


class StatusForm(forms.Form):
    use_required_attribute = False
    status = forms.ChoiceField(label=_("How does it go?"), choices=Progress.choices, widget=forms.RadioSelect)
    why = forms.CharField(
        label=_("Why?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Needed when it is delayed or given up. Everyone can read it."),
    )
    expected_on = day(
        label=_("When is it expected to be done?"), required=False, help_text=_("Needed when it is delayed.")
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        status = data.get("status")
        if status in {Progress.DELAYED, Progress.GIVEN_UP} and not data.get("why", "").strip():
            self.add_error("why", _("Say why. Everyone can read it."))
        if status == Progress.DELAYED and not data.get("expected_on") and "expected_on" not in self.errors:
            self.add_error("expected_on", _("Write the new day it is expected to be done."))
        return data


class PaymentForm(forms.Form):
    use_required_attribute = False
    kind = forms.ChoiceField(
        label=_("Which way?"),
        choices=[("payment", _("Paid out")), ("repayment", _("Paid back to us"))],
        widget=forms.RadioSelect,
        initial="payment",
    )
    amount = KronerOreField(label=_("Amount"))
    paid_on = day(label=_("When?"), initial=clock.today)
    text = forms.CharField(
        label=_("To what"), max_length=200, help_text=_("Everyone can read it. Write no private names.")
    )

    def __init__(self, *args: Any, only_back: bool, **kwargs: Any) -> None:
        """`only_back`: the project has ended, so nothing more is paid out."""
        super().__init__(*args, **kwargs)
        if only_back:
            field: Any = self.fields["kind"]
            field.choices = field.choices[1:]
            field.initial = "repayment"


class ExtraGrantForm(forms.Form):
    use_required_attribute = False
    way = forms.ChoiceField(
        label=_("More or less?"),
        choices=[("more", _("More money")), ("less", _("Less money, or a grant written wrongly"))],
        widget=forms.RadioSelect,
        initial="more",
    )
    amount = KronerOreField(label=_("Amount"))
    decided_on = day(label=_("When was it granted?"), initial=clock.today)
    reason = forms.CharField(
        label=_("Because"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who granted it, and why. Everyone can read it."),
    )


class WhyForm(forms.Form):
    """A correction says what was wrong."""

    use_required_attribute = False
    text = forms.CharField(label=_("What was wrong?"), max_length=200, help_text=_("Everyone can read it."))


class TakeDownForm(forms.Form):
    use_required_attribute = False
    because = forms.CharField(
        label=_("Because"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept for colleagues; not shown."),
    )


class ReceiptForm(forms.Form):
    use_required_attribute = False
    public = forms.BooleanField(
        label=_("Everyone may see the receipt"),
        required=False,
        help_text=_("Only when it holds no names, addresses or account numbers."),
    )


class ConfirmForm(forms.Form):
    use_required_attribute = False
    confirm = forms.ChoiceField(
        label=_("May it be shown?"),
        choices=[("yes", _("Yes")), ("no", _("No, because …"))],
        widget=forms.RadioSelect,
        initial="yes",
    )
    because = forms.CharField(
        label=_("Because"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whoever sent it reads this."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("confirm") == "no" and not data.get("because", "").strip():
            self.add_error("because", _("Say why: whoever sent it wants to know."))
        return data


class ConfirmSpendingForm(ConfirmForm):
    receipt_public = forms.BooleanField(
        label=_("Everyone may see the receipt"),
        required=False,
        help_text=_("Only when it holds no names, addresses or account numbers."),
    )


class SendBackForm(forms.Form):
    use_required_attribute = False
    because = forms.CharField(
        label=_("What is missing?"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
