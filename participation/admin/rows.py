"""What a process has many of, each as a set of rows in the same form.

Works without script: there are always empty rows, a row left empty is no row, and "save and add more" gives new empty
ones. The action replaces the whole lot, so a row is removed by emptying it or by ticking "remove".
"""

from typing import Any

from django import forms
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Unit
from participation import formats
from participation.admin.fields import DateInput, SpanForm
from participation.models import Audience, CouncilHeard, FramePoint, InternalPromise, Phase, Process, Summary
from participation.models import Channel as ProcessChannel


class RowForm(forms.Form):
    """One row. `needed` must be there as soon as anything else is; `ignored` never makes a row by itself."""

    use_required_attribute = False
    needed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    remove = forms.BooleanField(label=_("Remove"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            self.fields[name].required = False
        self.order_fields([name for name in self.fields if name != "remove"])

    @property
    def is_there(self) -> bool:
        data = getattr(self, "cleaned_data", {})
        if data.get("remove"):
            return False
        return any(
            value not in (None, "", False, []) for name, value in data.items() if name not in self.ignored
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("remove"):
            self._errors = ErrorDict()
            return data
        if self.is_there or any(name not in self.ignored for name in self.errors):
            for name in self.needed:
                if not self.errors.get(name) and data.get(name) in (None, ""):
                    self.add_error(name, self.fields[name].error_messages["required"])
        return data

    def row(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "remove"}


class RowSet(forms.BaseFormSet):
    """Rows as they stand in the database, with some empty ones after them."""

    key: str
    row_form: type[RowForm]
    extra_rows = 1
    title: Any
    one: Any
    hint: Any = ""

    def rows(self) -> list[dict[str, Any]]:
        return [form.row() for form in self.forms if form.is_there]

    @property
    def anchor(self) -> str:
        return f"rows-{self.key}"


class OpenPointForm(RowForm):
    needed = ("text",)
    text = forms.CharField(label=_("You can influence this"), max_length=300)


class FixedPointForm(RowForm):
    needed = ("text", "reason")
    text = forms.CharField(label=_("This is settled"), max_length=300)
    reason = forms.CharField(
        label=pgettext_lazy("the reason why something is settled", "because"), max_length=300
    )


class InternalPromiseForm(RowForm):
    needed = ("unit", "what")
    unit = forms.TypedChoiceField(label=_("Unit"), empty_value=None)
    what = forms.CharField(label=_("Must deliver"), max_length=200)
    said_yes_on = forms.DateField(label=_("Said yes on"), widget=DateInput())

    def __init__(self, *args: Any, units: dict[str, Unit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = [
            ("", _("Choose a unit")),
            *((pk, unit.name) for pk, unit in units.items()),
        ]
        self.fields["unit"].coerce = units.get


class AudienceForm(RowForm):
    needed = ("kind", "name")
    kind = forms.ChoiceField(label=_("Group"), choices=[("", _("Choose a group")), *Audience.Kind.choices])
    name = forms.CharField(label=_("Who"), max_length=200)


class ChannelForm(RowForm):
    needed = ("name",)
    name = forms.CharField(label=_("Channel"), max_length=120)
    digital = forms.TypedChoiceField(
        label=_("Kind of channel"),
        choices=[("", _("Choose")), ("yes", _("Digital")), ("no", _("Not digital"))],
        coerce=lambda value: value == "yes",
        empty_value=None,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if (
            data.get("name")
            and not data.get("remove")
            and data.get("digital") is None
            and "digital" not in self.errors
        ):
            self.add_error("digital", _("Say whether the channel is digital."))
        return data

    @property
    def is_there(self) -> bool:
        data = getattr(self, "cleaned_data", {})
        return bool(data.get("name")) and not data.get("remove")


class CouncilForm(RowForm):
    needed = ("council",)
    council = forms.CharField(label=_("Council"), max_length=120)
    must_be_heard = forms.BooleanField(label=_("Must be heard by law"))
    asked_on = forms.DateField(label=_("Asked on"), widget=DateInput())
    statement = forms.CharField(label=_("Its statement"), widget=forms.Textarea(attrs={"rows": 2}))


class SummaryForm(RowForm):
    needed = ("language", "title", "text")
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[
            ("", _("Choose a language")),
            ("en", "English"),
            ("ar", "العربية"),
            ("de", "Deutsch"),
            ("fa", "فارسی"),
            ("pl", "Polski"),
            ("ro", "Română"),
            ("so", "Soomaali"),
            ("tr", "Türkçe"),
            ("uk", "Українська"),
            ("ur", "اردو"),
        ],
    )
    title = forms.CharField(label=_("Title"), max_length=200)
    text = forms.CharField(label=_("Summary"), widget=forms.Textarea(attrs={"rows": 3}))


class PhaseForm(SpanForm, RowForm):
    """One phase of the format: always there, empty until it has dates."""

    kind = forms.ChoiceField(widget=forms.HiddenInput)
    description = forms.CharField(label=_("What happens"), max_length=200)
    field_order = ["kind", "first_day", "first_hour", "last_day", "last_hour", "description"]

    def __init__(self, *args: Any, kinds: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["remove"]
        self.fields["kind"].choices = list(kinds.items())
        self.kinds = kinds

    @property
    def heading(self) -> Any:
        return self.kinds.get(self["kind"].value(), "")

    @property
    def is_there(self) -> bool:
        data = getattr(self, "cleaned_data", {})
        return bool(data.get("kind") and (data.get("first_day") or data.get("last_day")))

    def row(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "kind": data["kind"],
            "starts": data["starts"],
            "ends": data["ends"],
            "description": data["description"],
        }


class OpenPointRows(RowSet):
    row_form, extra_rows = OpenPointForm, 2
    key, title, one = "open_points", _("What can people influence?"), _("Point")
    hint = _("At least one. Write it as something people can picture.")

    @staticmethod
    def initial_rows(process: Process) -> list[dict[str, Any]]:
        return [{"text": p.text} for p in process.frame_points.all() if p.kind == FramePoint.Kind.OPEN]


class FixedPointRows(RowSet):
    row_form, extra_rows = FixedPointForm, 2
    key, title, one = "fixed_points", _("What is settled, and why?"), _("Point")
    hint = _("Each with its reason: people accept a limit they understand.")

    @staticmethod
    def initial_rows(process: Process) -> list[dict[str, Any]]:
        points = [p for p in process.frame_points.all() if p.kind == FramePoint.Kind.FIXED]
        return [{"text": p.text, "reason": p.reason} for p in points]


class _FieldRows(RowSet):
    """Rows whose columns are named like the model's."""

    relation: str

    @classmethod
    def initial_rows(cls, process: Process) -> list[dict[str, Any]]:
        names = [name for name in cls.row_form.base_fields if name != "remove"]
        return [{name: getattr(row, name) for name in names} for row in getattr(process, cls.relation).all()]


class InternalPromiseRows(_FieldRows):
    row_form, extra_rows = InternalPromiseForm, 1
    key, relation, title, one = (
        "internal_promises",
        "internal_promises",
        _("Who in the house must deliver?"),
        _("Promise"),
    )
    hint = _("Units that have to do something, and the day they said yes.")

    @classmethod
    def initial_rows(cls, process: Process) -> list[dict[str, Any]]:
        promises = process.internal_promises.all()
        return [{"unit": str(p.unit_id), "what": p.what, "said_yes_on": p.said_yes_on} for p in promises]


class AudienceRows(_FieldRows):
    row_form, extra_rows = AudienceForm, 2
    key, relation, title, one = "audiences", "audiences", _("Whom do we look for?"), _("Group")
    hint = _(
        "At least one group beyond the task itself. Where there is conflict: both those for and those against."
    )


class ChannelRows(_FieldRows):
    row_form, extra_rows = ChannelForm, 2
    key, relation, title, one = "channels", "channels", _("How do people hear about it?"), _("Channel")
    hint = _("At least two channels, and at least one that is not digital.")

    @classmethod
    def initial_rows(cls, process: Process) -> list[dict[str, Any]]:
        return [{"name": c.name, "digital": "yes" if c.digital else "no"} for c in process.channels.all()]


class CouncilRows(_FieldRows):
    row_form, extra_rows = CouncilForm, 1
    key, relation, title, one = (
        "councils_heard",
        "councils_heard",
        _("Which councils are heard?"),
        _("Council"),
    )
    hint = _(
        "The disability council is heard on everything that affects disabled people, the senior council on what concerns the elderly."
    )


class SummaryRows(_FieldRows):
    row_form, extra_rows = SummaryForm, 1
    key, relation, title, one = (
        "summaries",
        "summaries",
        _("A short summary in another language"),
        _("Summary"),
    )


class PhaseRows(RowSet):
    row_form, extra_rows = PhaseForm, 0
    key, title, one = "phases", _("The phases"), _("Phase")
    hint = _("First and last day. Leave the hours empty for whole days.")

    @staticmethod
    def initial_rows(process: Process) -> list[dict[str, Any]]:
        there = {phase.kind: phase for phase in process.phases.all()}
        fmt = formats.get(process.format)
        belongs = {kind.key for kind in fmt.kinds_for(process)}
        found = []
        for kind in fmt.phase_kinds:
            phase = there.get(kind.key)
            if phase is None and kind.key not in belongs:
                continue
            row: dict[str, Any] = {"kind": kind.key}
            if phase is not None:
                row |= {"description": phase.description}
                row |= SpanForm.initial_of(phase.interval.lower, phase.interval.upper)
            found.append(row)
        return found


ROWS: tuple[type[RowSet], ...] = (
    OpenPointRows,
    FixedPointRows,
    InternalPromiseRows,
    AudienceRows,
    ChannelRows,
    CouncilRows,
    PhaseRows,
    SummaryRows,
)
MAX_ROWS = 60


def row_sets(process: Process, data: Any = None) -> dict[str, RowSet]:
    """All row sets of a process, bound when there is data."""
    kinds = {kind.key: kind.label for kind in formats.get(process.format).phase_kinds}
    kwargs = {
        "phases": {"kinds": kinds},
        "internal_promises": {"units": {str(unit.pk): unit for unit in Unit.objects.all()}},
    }
    made = {}
    for base in ROWS:
        initial = base.initial_rows(process) if data is None else None
        cls = forms.formset_factory(
            base.row_form,
            formset=base,
            extra=base.extra_rows,
            max_num=MAX_ROWS,
            absolute_max=MAX_ROWS,
        )
        made[base.key] = cls(data, initial=initial, prefix=base.key, form_kwargs=kwargs.get(base.key, {}))
    return made


def rows_for_action(sets: dict[str, RowSet]) -> dict[str, list[dict[str, Any]]]:
    """Rows as `actions.process.update_process(rows=…)` takes them."""
    points = [{"kind": FramePoint.Kind.OPEN, "reason": ""} | row for row in sets["open_points"].rows()]
    points += [{"kind": FramePoint.Kind.FIXED} | row for row in sets["fixed_points"].rows()]
    rows = {key: rowset.rows() for key, rowset in sets.items() if key not in {"open_points", "fixed_points"}}
    return rows | {"frame_points": [row | {"position": place} for place, row in enumerate(points)]}


MODELS = {
    "frame_points": FramePoint,
    "audiences": Audience,
    "channels": ProcessChannel,
    "councils_heard": CouncilHeard,
    "internal_promises": InternalPromise,
    "phases": Phase,
    "summaries": Summary,
}


def fill(process: Process, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Put unsaved rows where the checks look for them: in the process' prefetched relations."""
    cache = getattr(process, "_prefetched_objects_cache", {})
    for relation, model in MODELS.items():
        found = model._default_manager.none()
        found._result_cache = [model(process=process, **_columns(relation, row)) for row in rows[relation]]
        found._prefetch_done = True
        cache[relation] = found
    process._prefetched_objects_cache = cache


def _columns(relation: str, row: dict[str, Any]) -> dict[str, Any]:
    if relation != "phases":
        return row
    interval = DateTimeTZRange(row["starts"], row["ends"], "[)")
    return {"kind": row["kind"], "interval": interval, "description": row["description"]}
