"""What a citizen fills in. A format subclasses `ContributionForm` and names it in its `Format.contribution_form`.

A subclass adds fields, says where they stand (`sections`), and returns what its `create_contribution_detail` needs from
`detail()`. Everything else is the same for every format: drafts, review, receipt, blank paper form.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import District, User
from accounts.verdict import Refused
from participation.actions.contributions import BODY, PLACE, REASON, TITLE, placed
from participation.actions.files import Hung
from participation.choices import NameShown
from participation.danish import DaSort
from participation.files import preview
from participation.forms.fields import PlainTextField, PointField
from participation.forms.files import FilesField, PhotosField, rows_of
from participation.models import Contribution, NoticePreference, Process

# Names in the address or on buttons, never part of what was written.
NOT_WRITTEN = frozenset(
    {"csrfmiddlewaretoken", "save", "go_on", "more", "remove", "similar", "seen", "version"}
)


class ContributionForm(forms.Form):
    """Title, text, place, district and how the name is shown: what every contribution has."""

    title = PlainTextField(
        label=_("Title"), longest=TITLE, help_text=_("Say in a few words what it is about.")
    )
    body = PlainTextField(
        label=_("What would you like to say?"),
        longest=BODY,
        lines=8,
        help_text=_(
            "Write it as you would say it to a neighbour. Do not write about other people's private life."
        ),
    )
    place = PlainTextField(
        label=_("Where is it?"),
        longest=PLACE,
        required=False,
        help_text=_("For example a street or the name of a place."),
    )
    point = PointField(
        label=_("Point on the map"),
        required=False,
        help_text=_("You can do without it, if the words above say where it is."),
    )
    district = forms.ModelChoiceField(
        label=_("District"),
        queryset=District.objects.none(),
        required=False,
        empty_label=_("The whole municipality"),
    )
    photos = PhotosField()
    documents = FilesField()
    name_shown = forms.ChoiceField(
        label=_("How should your name be shown?"),
        choices=NameShown.choices,
        initial=NameShown.FIRST,
        widget=forms.RadioSelect,
        help_text=_("We always know who you are, but others only see what you choose here."),
    )

    # Fields in the order they are asked; a subclass puts its own where they belong.
    order: tuple[str, ...] = (
        "title",
        "body",
        "place",
        "point",
        "district",
        "photos",
        "documents",
        "name_shown",
    )
    # Words on the review page for what the subclass added: field names among `order` that are shown there.
    core_fields: tuple[str, ...] = ("title", "body", "place", "point", "district", "name_shown")

    def __init__(self, *args: Any, process: Process, user: User | None = None, **kwargs: Any) -> None:
        self.process, self.user = process, user
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        districts = self.fields["district"]
        assert isinstance(districts, forms.ModelChoiceField)
        districts.queryset = districts_to_choose()
        self.order_fields(self.order)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            placed(cleaned.get("point"), cleaned.get("district"))
        except Refused as refused:
            self.add_error(refused.field, refused.reason)
        return cleaned

    @classmethod
    def from_draft(cls, data: Mapping[str, list[str]], **kwargs: Any) -> "ContributionForm":
        """The form as it was left, without complaints about what isn't finished."""
        typed = cls(to_query(data), **kwargs).typed()
        return cls(initial={name: value for name, value in typed.items() if value is not None}, **kwargs)

    def typed(self) -> dict[str, Any]:
        """What stands in each field now, valid or not."""
        return {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }

    @classmethod
    def initial_of(cls, contribution: Contribution) -> dict[str, Any]:
        """What the form holds when a contribution is corrected; a subclass adds its own."""
        return {name: getattr(contribution, name) for name in cls.core_fields} | rows_of(contribution)

    def core(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.core_fields}

    def attached(self) -> list[Hung]:
        """Photos first, then files, in the order they stand."""
        return [one for name in ("photos", "documents") for one in self.cleaned_data.get(name) or ()]

    def previews(self) -> list[tuple[str, str]]:
        """Each photo as a data address with its words, for a page that only its writer sees."""
        return [(preview(one.file), one.alt) for one in self.attached() if one.file.is_photo]

    def file_names(self) -> list[str]:
        return [one.file.name for one in self.attached() if not one.file.is_photo]

    def detail(self) -> dict[str, Any]:
        """Keyword arguments for the format's `create_contribution_detail`."""
        return {}

    def shown(self) -> list[tuple[Any, str]]:
        """Label and answer of everything that was filled in, as the review page and the paper show it."""
        rows = []
        for name, field in self.fields.items():
            value = self.cleaned_data.get(name)
            if value in (None, "", [], False) or isinstance(field, FilesField):
                continue
            if isinstance(field, PointField):
                text = ", ".join(f"{degrees:.4f}" for degrees in value)
            elif isinstance(field, forms.ModelChoiceField):
                text = str(value)
            elif isinstance(field, forms.MultipleChoiceField):
                text = ", ".join(str(dict(field.choices).get(one, one)) for one in value)
            elif isinstance(field, forms.ChoiceField):
                text = str(dict(field.choices).get(value, value))
            elif value is True:
                text = str(_("Yes"))
            else:
                text = str(value)
            rows.append((field.label, text))
        return rows


class EditForm(forms.Form):
    """The version the page showed, so that a stale form is noticed."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2_000_000_000)


class ReportForm(forms.Form):
    reason = PlainTextField(
        label=_("What is wrong with it?"),
        longest=REASON,
        lines=4,
        help_text=_("Say which rule of the debate it breaks."),
    )


class QuestionForm(forms.Form):
    text = PlainTextField(
        label=_("Your question"),
        longest=2000,
        lines=5,
        help_text=_("Ask about the process itself: how it runs, who decides, what happens when."),
    )
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        max_length=254,
        help_text=_("Only if you want the answer by e-mail. It is not shown to anyone."),
    )


class CanITakePartForm(forms.Form):
    age = forms.IntegerField(
        label=_("How old are you?"),
        min_value=0,
        max_value=130,
        widget=forms.NumberInput(attrs={"class": "input-width-xs"}),
    )
    lives = forms.ChoiceField(label=_("Where do you live?"))

    def __init__(self, *args: Any, districts: list[District], municipality: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lives"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((str(district.pk), district.name) for district in districts),
            ("here", _("Somewhere else in %(municipality)s") % {"municipality": municipality}),
            ("elsewhere", _("In another municipality")),
        ]


class RhythmForm(forms.Form):
    rhythm = forms.ChoiceField(
        label=_("How often may we write to you?"),
        choices=NoticePreference.Rhythm.choices,
        widget=forms.RadioSelect,
    )
    digest_hour = forms.TypedChoiceField(
        label=_("When should the daily e-mail come?"),
        choices=[(hour, format_lazy(_("at {hour}.00"), hour=hour)) for hour in range(24)],
        coerce=int,
        empty_value=None,
        required=False,
        help_text=_("Only if you have chosen one e-mail a day."),
    )


def districts_to_choose() -> QuerySet[District]:
    return District.objects.of_home().order_by(DaSort("name"))


def to_query(data: Mapping[str, list[str]]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, values in data.items():
        query.setlist(name, [str(value) for value in values])
    return query


def written(posted: QueryDict) -> dict[str, list[str]]:
    """What was typed, as a draft keeps it."""
    return {name: values for name, values in posted.lists() if name not in NOT_WRITTEN}
