"""The small forms of staff pages: each asks for what one action needs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import District, Unit
from participation import clock
from participation.actions.files import Hung
from participation.admin.fields import DateInput
from participation.admin.setup import colleagues
from participation.choices import IntakeChannel, Moderation, Outcome
from participation.forms.fields import PointField
from participation.forms.files import FilesField, PhotosField
from participation.models import CommitteeMeeting, Contribution, Process, Theme
from participation.principles import preconditions


def long_text(label: Any, rows: int = 4, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class ReasonForm(forms.Form):
    use_required_attribute = False
    reason = long_text(_("Why?"), help_text=_("Shown to the public."))


class CommentForm(forms.Form):
    use_required_attribute = False
    comment = long_text(_("A word on the way"), required=False)

    def __init__(
        self, *args: Any, required: bool = False, label: Any = "", hint: Any = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].required = required
        self.fields["comment"].label = label or self.fields["comment"].label
        self.fields["comment"].help_text = hint


class StartForm(forms.Form):
    """What a draft needs to exist. The four questions propose its size."""

    use_required_attribute = False
    title = forms.CharField(
        label=_("What do you call it?"),
        max_length=120,
        help_text=_("A short title. You can change it later."),
    )
    unit = forms.ModelChoiceField(label=_("Which unit does it belong to?"), queryset=Unit.objects.none())
    touches = forms.ChoiceField(
        label=_("Whom does it touch?"),
        choices=[
            ("few", _("One street, one school or one district")),
            ("district", _("Several districts")),
            ("all", _("The whole municipality")),
        ],
        widget=forms.RadioSelect,
    )
    conflict = forms.ChoiceField(
        label=_("Do people disagree about it?"),
        choices=[("no", _("Not much")), ("yes", _("Yes, there is conflict"))],
        widget=forms.RadioSelect,
    )
    reversible = forms.ChoiceField(
        label=_("Can it be undone afterwards?"),
        choices=[("yes", _("Yes, without much trouble")), ("no", _("No, or only at great cost"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units
        found = list(units)
        if len(found) == 1:
            self.fields["unit"].initial = found[0].pk


YES_NO = [("yes", _("Yes")), ("no", _("No"))]


class PreconditionsForm(forms.Form):
    """The catalogue's five questions. One no advises against."""

    use_required_attribute = False
    size = forms.ChoiceField(label=_("How big is the process?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        said = {True: "yes", False: "no", None: ""}
        initial = {name: said[getattr(process, name)] for name in preconditions.QUESTIONS}
        super().__init__(*args, initial=initial | {"size": process.size}, **kwargs)
        self.fields["size"].choices = Process._meta.get_field("size").choices
        labels = {
            "will_listen": (_("Will we listen to what people say?"), _("And can it still change something?")),
            "timing_is_right": (
                _("Is the timing right?"),
                _("After the frame is adopted and before anything is decided."),
            ),
            "there_is_time": (
                _("Is there time for it?"),
                _("For people to take part, and for us to answer."),
            ),
            "frame_is_clear": (
                _("Is the frame clear?"),
                _("We can say what can be influenced and what is settled."),
            ),
            "willing_to_try_new": (
                _("Are we willing to try something new?"),
                _("Also when it is not what we had in mind."),
            ),
        }
        for name in preconditions.QUESTIONS:
            label, hint = labels[name]
            self.fields[name] = forms.ChoiceField(
                label=label, help_text=hint, choices=YES_NO, widget=forms.RadioSelect
            )
        self.order_fields([*preconditions.QUESTIONS, "size"])

    def answers(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] == "yes" for name in preconditions.QUESTIONS}


class GoOnForm(forms.Form):
    use_required_attribute = False
    went_on_because = forms.CharField(
        label=_("Why do we go on all the same?"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


class CopyForm(forms.Form):
    use_required_attribute = False
    title = forms.CharField(label=_("What do you call the new one?"), max_length=120)


class HandOverForm(forms.Form):
    """Everything moves along: what waits to be answered, assessed, decided and told."""

    use_required_attribute = False
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.all())
    owner = forms.ModelChoiceField(label=_("New owner"), queryset=None)
    deputy = forms.ModelChoiceField(
        label=_("Stands in"), queryset=None, required=False, empty_label=_("Nobody yet")
    )

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        initial = {"unit": process.unit_id, "owner": process.owner_id, "deputy": process.deputy_id}
        super().__init__(*args, initial=initial, **kwargs)
        everyone = (
            colleagues(None)
            .model.objects.filter(is_active=True, role__in=["caseworker", "manager"])
            .order_by("first_name", "last_name")
        )
        self.fields["owner"].queryset = everyone
        self.fields["deputy"].queryset = everyone


class ArgumentFilterForm(forms.Form):
    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            ("", _("All")),
            ("pending", _("Waiting for a look")),
            ("reported", _("Reported by someone")),
            ("rejected", _("Not published")),
        ],
    )


class ModerateForm(forms.Form):
    use_required_attribute = False
    reason = long_text(
        _("Why is it not published?"),
        required=False,
        help_text=_("Needed when you don't publish. The author is told these words."),
    )


class TakeDownFileForm(forms.Form):
    use_required_attribute = False
    reason = long_text(_("Why is it removed?"), help_text=_("The author is told these words."))


class AnswerForm(forms.Form):
    use_required_attribute = False
    outcome = forms.ChoiceField(
        label=_("What comes of it?"), choices=Outcome.choices, widget=forms.RadioSelect
    )
    answer = long_text(
        _("The answer"),
        6,
        help_text=_("Say what you do and why. Everyone can read it, and the author is told."),
    )


class ThemeForm(forms.Form):
    use_required_attribute = False
    title = forms.CharField(label=_("What do they have in common?"), max_length=160)


class InThemeForm(forms.Form):
    """Which theme the chosen contributions say together: one that is there, or a new one."""

    use_required_attribute = False
    theme = forms.ModelChoiceField(
        label=_("Theme"), queryset=Theme.objects.none(), required=False, empty_label=_("A new theme")
    )
    new = forms.CharField(label=_("Name of the new theme"), max_length=160, required=False)

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["theme"].queryset = process.themes.all()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("theme") and not data.get("new"):
            self.add_error("new", _("Choose a theme, or write the name of a new one."))
        return data


class GatherForm(forms.Form):
    """Which of the chosen stays, in which words, and why they are gathered."""

    use_required_attribute = False
    keep = forms.ModelChoiceField(
        label=_("Which one stays?"),
        queryset=Contribution.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        help_text=_("The others lead to it."),
    )
    title = forms.CharField(
        label=_("A title for all of them"),
        max_length=120,
        required=False,
        help_text=_("Leave it empty to keep the title of the one that stays."),
    )
    body = long_text(
        _("A text for all of them"),
        6,
        required=False,
        help_text=_("Leave it empty to keep the text of the one that stays. Use people's own words."),
    )
    reason = long_text(
        _("Why are they gathered?"), 3, help_text=_("Everyone behind them is told these words.")
    )

    def __init__(self, *args: Any, contributions: list[Contribution], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        public = [one for one in contributions if one.moderation == Moderation.PUBLISHED]
        choices = self.fields["keep"]
        choices.queryset = Contribution.objects.filter(pk__in=[one.pk for one in public]).order_by("pk")
        if public:
            self.initial.setdefault("keep", max(public, key=lambda one: (one.support_count, -one.pk)).pk)


class CommentInternallyForm(forms.Form):
    use_required_attribute = False
    text = long_text(
        _("A word to your colleagues"), 3, help_text=_("Never shown to the public or the author.")
    )


class ToldForm(forms.Form):
    use_required_attribute = False
    how = forms.CharField(
        label=_("How was the author told?"),
        max_length=200,
        help_text=_("For instance by telephone or by letter. If there was no way to tell them, say why."),
    )


AGE_BANDS = [
    (band, band.replace("-", "–"))
    for band in ("0-14", "15-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+")
]


class RecordForm(forms.Form):
    """A contribution that came by telephone, letter, at the library or at a stall."""

    use_required_attribute = False
    channel = forms.ChoiceField(
        label=_("How did it come?"),
        choices=[c for c in IntakeChannel.choices if c[0] not in {"web", "polling_place"}],
        widget=forms.RadioSelect,
    )
    received_on = forms.DateField(label=_("When did we get it?"), widget=DateInput())
    author_name = forms.CharField(
        label=_("Whose is it?"), max_length=200, help_text=_("The name, as it was given.")
    )
    author_contact = forms.CharField(
        label=_("Where can we answer?"),
        max_length=200,
        required=False,
        help_text=_("Telephone, address or e-mail. Only staff see it."),
    )
    title = forms.CharField(label=_("Title"), max_length=120)
    body = forms.CharField(
        label=_("What was said"), max_length=6000, widget=forms.Textarea(attrs={"rows": 8, "maxlength": 6000})
    )
    photos = PhotosField()
    documents = FilesField(
        help_text=_("For instance a scan of the letter. Look whether it may be shown to everybody.")
    )
    place = forms.CharField(label=_("Where is it about?"), max_length=200, required=False)
    point = PointField(label=_("Point on the map"), required=False)
    district = forms.ModelChoiceField(
        label=_("Which district is it about?"), queryset=District.objects.of_home().order_by("name"), required=False,
        empty_label=_("Not one district"),
    )  # fmt: skip
    home_district = forms.ModelChoiceField(
        label=_("Where does the author live?"), queryset=District.objects.of_home().order_by("name"), required=False,
        empty_label=_("Not known"), help_text=_("Only for seeing who takes part."),
    )  # fmt: skip
    age_band = forms.ChoiceField(
        label=_("How old is the author?"), required=False, choices=[("", _("Not known")), *AGE_BANDS]
    )

    def attached(self) -> list[Hung]:
        return [*self.cleaned_data.pop("photos"), *self.cleaned_data.pop("documents")]

    def clean_received_on(self) -> Any:
        day = self.cleaned_data["received_on"]
        if day > clock.today():
            raise forms.ValidationError(_("That day has not been yet."))
        return day


class AnswerQuestionForm(forms.Form):
    use_required_attribute = False
    answer = long_text(_("The answer"), 5)
    publish = forms.BooleanField(
        label=_("Show question and answer on the page of the process"),
        required=False,
        initial=True,
        help_text=_("Leave it out only when the question is personal."),
    )


class NewsForm(forms.Form):
    use_required_attribute = False
    title = forms.CharField(label=_("Title"), max_length=160)
    text = long_text(_("What is new?"), 6, help_text=_("Everyone who follows the process is told."))


class DecisionForm(forms.Form):
    use_required_attribute = False
    decided_on = forms.DateField(label=_("When was it decided?"), widget=DateInput())
    body = forms.CharField(label=_("Who decided it?"), max_length=160)
    text = long_text(_("What was decided?"), 5)
    differs_because = long_text(
        _("If it differs from what people said: why?"), 3, required=False, help_text=_("Shown to the public.")
    )
    meeting = forms.ModelChoiceField(
        label=_("At which meeting?"), queryset=CommitteeMeeting.objects.none(), required=False,
        empty_label=_("None of those in the calendar"),
    )  # fmt: skip
    url = forms.URLField(label=_("Address of the minutes"), required=False, assume_scheme="https")

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        initial = {
            "decided_on": process.decision_on,
            "body": process.who_decides[:160],
            "meeting": process.meeting_id,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["meeting"].queryset = CommitteeMeeting.objects.select_related("committee").order_by(
            "-held_at"
        )


class ImpactForm(forms.Form):
    use_required_attribute = False
    text = long_text(
        _("What changed?"),
        4,
        help_text=_("One change at a time, in words that those who gave can recognise."),
    )
    contributions = forms.ModelMultipleChoiceField(
        label=_("Because of which contributions?"),
        queryset=Contribution.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contributions"].queryset = process.contributions.filter(moderation="published").order_by(
            "title"
        )


class NothingChangedForm(forms.Form):
    use_required_attribute = False
    reason = long_text(
        _("Nothing changed, because"), 4, help_text=_("Said plainly, and shown to the public.")
    )


class ToldOutsideForm(forms.Form):
    use_required_attribute = False
    how = forms.CharField(
        label=_("Where else was the result told?"),
        max_length=200,
        help_text=_("For instance in the local paper, at a meeting or on a poster at the library."),
    )
    on = forms.DateField(label=_("When?"), widget=DateInput())


class FilterForm(forms.Form):
    """The filters of the list of contributions."""

    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            ("", _("All")),
            ("pending", _("Waiting for a look")),
            ("unanswered", _("Without an answer")),
            ("answered", _("Answered")),
            ("untold", _("Answered, but not told")),
            ("rejected", _("Not published")),
            ("reported", _("Reported by someone")),
            ("merged", _("Gathered into others")),
        ],
    )
    theme = forms.ModelChoiceField(
        label=_("Theme"), queryset=Theme.objects.none(), required=False, empty_label=_("All themes")
    )
    channel = forms.ChoiceField(
        label=_("How it came"), required=False, choices=[("", _("All ways")), *IntakeChannel.choices]
    )

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["theme"].queryset = process.themes.all()
