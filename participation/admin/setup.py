"""The one set-up form of a process, in the order a caseworker thinks: what and why, frame, who, when, the format's
rules, practical. Each box belongs to a principle, says why it asks, and shows one good and one bad example.

A small process asks for at most ten things; what is left folded away holds visible defaults.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import District, User
from accounts.permissions import Permission
from accounts.verdict import Refused
from participation import clock, formats
from participation.actions.process import PRACTICAL as PRACTICAL_FIELDS
from participation.admin import registry, rows
from participation.admin.fields import Boxes, DateInput
from participation.choices import DecisionBasis, LadderStep, Purpose, Recruitment, Size
from participation.models import CommitteeMeeting, OpeningMinimum, PrincipleText, Process, Programme
from participation.principles.base import Principle


@dataclass(frozen=True)
class Box:
    """One question of a principle. `typed` is asked of every process; `more` is folded away for a small one."""

    principle: Principle | None
    title: Any
    typed: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    typed_rows: tuple[str, ...] = ()
    more_rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    key: str
    title: Any
    boxes: tuple[Box, ...]


PARTS = (
    Part(
        "what",
        _("What and why"),
        (
            Box(
                None,
                _("What is it about?"),
                typed=("title", "question"),
                more=("introduction", "purposes", "why_this_format", "ladder_step"),
            ),
        ),
    ),
    Part(
        "frame",
        _("The frame"),
        (
            Box(
                Principle.FRAMING,
                _("What can be influenced, and who decides?"),
                typed=("who_decides", "promise"),
                more=(
                    "decision_basis",
                    "politicians_role",
                    "blank_sheet",
                    "standing_decision_url",
                ),
                typed_rows=("open_points", "fixed_points"),
                more_rows=("internal_promises",),
            ),
            Box(
                Principle.LISTENING,
                _("How do we listen and answer?"),
                typed=("who_answers", "answers_due_on"),
                more=("answer_how", "willing_to_try", "carried_into_decision"),
            ),
        ),
    ),
    Part(
        "who",
        _("Who"),
        (
            Box(
                Principle.BREADTH,
                _("Whom does it touch, and how do we reach them?"),
                typed=("touches", "touched_districts"),
                more=("touches_whom", "conflict", "few_but_relevant", "recruitment", "offline_route"),
                more_rows=("audiences", "channels", "councils_heard"),
            ),
        ),
    ),
    Part(
        "when",
        _("When"),
        (
            Box(
                Principle.TIMING,
                _("When is it decided?"),
                typed=("meeting", "decision_on"),
                more=("decision_stage", "frame_adopted_on"),
            ),
            Box(
                Principle.TIME,
                _("When does it open and close?"),
                typed_rows=("phases",),
                more=("legal_basis", "processing_days", "planned_dialogues", "staff_hours", "preparation"),
            ),
        ),
    ),
)
PRACTICAL = Part(
    "practical",
    _("Practical"),
    (
        Box(
            None,
            _("Size, colleagues and how contributions are shown"),
            typed=("size",),
            more=("deputy", "programme", "moderate_first", "edit_minutes", "names_until", "listed"),
            more_rows=("summaries",),
        ),
    ),
)


class Meetings(forms.ModelChoiceField):
    """Choosing the meeting says the last possible closing: the agenda deadline less the days to work on answers."""

    processing_days = 0

    def label_from_instance(self, meeting: CommitteeMeeting) -> str:
        last = meeting.agenda_deadline - timedelta(days=self.processing_days)
        words = {
            "committee": meeting.committee,
            "day": date_format(timezone.localtime(meeting.held_at), "j. F Y"),
            "last": date_format(timezone.localtime(last), "j. F Y"),
        }
        return gettext("%(committee)s, %(day)s – can close %(last)s at the latest") % words


def _area(rows_shown: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows_shown})


class ProcessForm(forms.ModelForm):
    """The process' own columns. Only reads and checks: the action writes."""

    use_required_attribute = False

    purposes = Boxes(label=_("Why do we ask?"), choices=Purpose.choices)
    decision_basis = Boxes(label=_("It is decided on the basis of"), choices=DecisionBasis.choices)
    recruitment = Boxes(label=_("How do people come to take part?"), choices=Recruitment.choices)
    meeting = Meetings(
        label=_("The meeting that treats it"),
        queryset=CommitteeMeeting.objects.none(),
        required=False,
        empty_label=_("Choose the meeting"),
        help_text=_("Choose it, and we tell you the last day it can close."),
    )

    class Meta:
        model = Process
        fields = [
            "title", "question", "introduction", "purposes", "why_this_format", "ladder_step",
            "who_decides", "promise", "decision_basis", "politicians_role", "blank_sheet", "standing_decision_url",
            "who_answers", "answers_due_on", "answer_how", "willing_to_try", "carried_into_decision",
            "touches", "touched_districts", "touches_whom", "conflict", "few_but_relevant", "recruitment",
            "offline_route", "meeting", "decision_on", "decision_stage", "frame_adopted_on", "legal_basis",
            "processing_days", "planned_dialogues", "staff_hours", "preparation",
            "size", "deputy", "programme", "moderate_first", "edit_minutes", "names_until", "listed",
        ]  # fmt: skip
        labels = {
            "title": _("Short title"),
            "question": _("The one question we ask"),
            "introduction": _("What is it about? A short introduction"),
            "why_this_format": _("Why this way of asking?"),
            "ladder_step": _("How much influence do people get?"),
            "who_decides": _("Who decides in the end?"),
            "promise": _("What do we promise to do with the result?"),
            "politicians_role": _("What is the role of the politicians?"),
            "blank_sheet": _("It is a blank sheet: nothing is proposed beforehand"),
            "standing_decision_url": _("The decision the frame rests on (address)"),
            "who_answers": _("Who answers?"),
            "answers_due_on": _("When do people have an answer at the latest?"),
            "answer_how": _("How do we answer?"),
            "willing_to_try": _("What are we ready to try that we usually don't?"),
            "carried_into_decision": _("How do contributions reach those who decide?"),
            "touches": _("Whom does it touch?"),
            "touched_districts": _("Which districts?"),
            "touches_whom": _("More precisely"),
            "conflict": _("There is conflict about it"),
            "few_but_relevant": _("Only few are asked, because"),
            "offline_route": _("How do people without MitID or internet take part?"),
            "decision_on": _("Or the day it is decided"),
            "decision_stage": _("How far is the matter when people are asked?"),
            "frame_adopted_on": _("The day the politicians adopted the frame"),
            "legal_basis": _("How long must it be open?"),
            "processing_days": _("Days to work on the answers afterwards"),
            "planned_dialogues": _("Planned meetings with people"),
            "staff_hours": _("Hours set aside in the house"),
            "preparation": _("What can people read or meet first?"),
            "size": _("How big is the process?"),
            "deputy": _("Who stands in for you?"),
            "programme": _("Part of a larger matter"),
            "moderate_first": _("Look at contributions before they are published"),
            "edit_minutes": _("Minutes in which people can correct what they sent"),
            "names_until": _("Names are removed on"),
            "listed": _("Shown in the public lists"),
        }
        help_texts = {
            "title": _("Used in lists and in the address."),
            "question": _("As you would ask a neighbour. It becomes the heading of the page."),
            "names_until": _("Empty: some months after the end."),
            "answers_due_on": _("The date is shown to everyone, and you are reminded."),
            "few_but_relevant": _("Only where few people can say something that can be used."),
            "standing_decision_url": _("Where the frame was decided once for all, for instance in a policy."),
        }
        widgets = {
            "question": forms.TextInput(),
            "introduction": _area(5),
            "ladder_step": forms.RadioSelect(),
            "promise": _area(),
            "politicians_role": _area(),
            "answers_due_on": DateInput(),
            "answer_how": forms.RadioSelect(),
            "willing_to_try": _area(),
            "carried_into_decision": _area(),
            "touches": forms.RadioSelect(),
            "touched_districts": forms.CheckboxSelectMultiple(),
            "offline_route": _area(),
            "decision_on": DateInput(),
            "decision_stage": forms.RadioSelect(),
            "frame_adopted_on": DateInput(),
            "preparation": _area(),
            "size": forms.RadioSelect(),
            "names_until": DateInput(),
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        process, kind = self.instance, formats.get(self.instance.format)
        steps = [step for step in LadderStep if step in kind.ladder_steps]
        self.fields["ladder_step"].choices = [(step.value, step.label) for step in steps]
        self.fields["size"].choices = Size.choices
        for name in ("answer_how", "touches", "decision_stage"):
            self.fields[name].choices = [choice for choice in self.fields[name].choices if choice[0]]
        self.fields["meeting"].processing_days = process.processing_days or 0
        self.fields["meeting"].queryset = CommitteeMeeting.objects.select_related("committee").filter(
            held_at__gte=clock.now()
        ) | CommitteeMeeting.objects.select_related("committee").filter(pk=process.meeting_id)
        self.fields["touched_districts"].queryset = District.objects.order_by("kind", "name")
        self.fields["touched_districts"].label_from_instance = attrgetter("name_and_kind")
        self.fields["deputy"].queryset = colleagues(process.unit_id).exclude(pk=process.owner_id)
        self.fields["programme"].queryset = Programme.objects.filter(unit_id__in=by.unit_ids())
        self.fields["legal_basis"].queryset = OpeningMinimum.objects.filter(valid_from__lte=clock.today())
        self.fields["deputy"].empty_label = _("Nobody yet")
        self.fields["programme"].empty_label = _("It stands alone")
        self.fields["legal_basis"].empty_label = _("No rule asks for a certain time")

    def action_fields(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fields if name in self.cleaned_data}


class PracticalForm(ProcessForm):
    """The practical things alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - PRACTICAL_FIELDS:
            del self.fields[name]


def colleagues(unit_id: int | None) -> Any:
    """People of a unit who may set processes up."""
    from accounts.permissions import PERMISSIONS_OF

    roles = [role for role, may in PERMISSIONS_OF.items() if Permission.SET_UP_PROCESS in may]
    return User.objects.filter(units=unit_id, role__in=roles, is_active=True).order_by(
        "first_name", "last_name"
    )


class SetUp:
    """Everything on the set-up page: the process' form, its rows and the format's own forms, as one."""

    def __init__(self, process: Process, by: User, data: Any = None) -> None:
        self.process, self.by = process, by
        self.read_version = process.version
        self.form = ProcessForm(data, instance=process, by=by)
        self.rows = rows.row_sets(process, data)
        self.detail = registry.get(process.format).detail_forms(process, data)

    def is_valid(self) -> bool:
        answers = [
            self.form.is_valid(),
            *(rowset.is_valid() for rowset in self.rows.values()),
            self.detail.is_valid(),
        ]
        return all(answers)

    @property
    def all_forms(self) -> list[Any]:
        return [self.form, *self.rows.values(), *self.detail.forms]

    def span(self, found: dict[str, list[dict[str, Any]]]) -> dict[str, datetime | None]:
        """A process opens with its first phase and closes with its last."""
        return {
            "opens_at": min((phase["starts"] for phase in found["phases"]), default=None),
            "closes_at": max((phase["ends"] for phase in found["phases"]), default=None),
        }

    def for_action(self) -> dict[str, Any]:
        return {
            "fields": self.form.action_fields(),
            "rows": rows.rows_for_action(self.rows),
            "detail": self.detail.detail,
        }

    def place(self, refused: Refused) -> bool:
        """Put a refusal at the field it speaks of; False where it speaks of rows or of the whole form."""
        if refused.field in self.form.fields:
            self.form.add_error(refused.field, refused.reason)
            return True
        found = self.detail.place(refused.field or "")
        if found is not None:
            form, field = found
            form.add_error(field, refused.reason)
        return found is not None

    def unsaved(self) -> Process:
        """The process as it stands in the form, for the readiness list while typing."""
        self.is_valid()
        process = self.process
        good = {key: rowset for key, rowset in self.rows.items() if rowset.is_valid()}
        if len(good) == len(self.rows):
            found = rows.rows_for_action(self.rows)
            rows.fill(process, found)
            for name, value in self.span(found).items():
                setattr(process, name, value)
        districts = self.form.cleaned_data.get("touched_districts")
        if districts is not None:
            process._prefetched_objects_cache["touched_districts"] = districts
        self.detail.fill(process)
        return process

    def parts(self) -> list[dict[str, Any]]:
        """What the template draws, in order."""
        texts = {text.key: text for text in PrincipleText.objects.all()}
        return [self._part(part, texts) for part in PARTS]

    def practical(self) -> dict[str, Any]:
        return self._part(PRACTICAL, {})

    def _part(self, part: Part, texts: dict[str, PrincipleText]) -> dict[str, Any]:
        return {"key": part.key, "title": part.title, "boxes": [self._box(box, texts) for box in part.boxes]}

    def _box(self, box: Box, texts: dict[str, PrincipleText]) -> dict[str, Any]:
        more = [self.form[name] for name in box.more] + [self.rows[key] for key in box.more_rows]
        wrong = any(self.form.errors.get(name) for name in box.more) if self.form.is_bound else False
        wrong = wrong or any(
            any(row.errors for row in self.rows[key].forms)
            for key in box.more_rows
            if self.rows[key].is_bound
        )
        return {
            "title": box.title,
            "principle": box.principle,
            "text": texts.get(box.principle.value) if box.principle else None,
            "typed": [self.form[name] for name in box.typed],
            "typed_rows": [self.rows[key] for key in box.typed_rows],
            "more": [self.form[name] for name in box.more],
            "more_rows": [self.rows[key] for key in box.more_rows],
            "folded": self.process.size == Size.SMALL and bool(more),
            "folded_open": wrong,
        }
