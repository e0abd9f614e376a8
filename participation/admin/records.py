"""The plain records around the processes, in Django's own admin: calendar, texts, law as data, e-mails."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from audit.admin import AuditedAdmin, PlainWords
from mailouts.choices import State
from participation.models import (
    Committee,
    CommitteeMeeting,
    Notice,
    OpeningMinimum,
    PrincipleText,
    Programme,
    StandardAnswer,
)


class Kept(PlainWords, AuditedAdmin):
    """Everyone in the admin may read; who may write is one permission."""

    written_with: ClassVar[Permission] = Permission.MANAGE_TEXTS

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.may(self.written_with)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.may(self.written_with)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.may(self.written_with)


class MomentInput(forms.DateTimeInput):
    """Day and hour in one native control."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%dT%H:%M")


class MeetingForm(forms.ModelForm):
    held_at = forms.DateTimeField(label=_("The meeting is held"), widget=MomentInput())
    agenda_deadline = forms.DateTimeField(label=_("The agenda closes"), widget=MomentInput())

    class Meta:
        model = CommitteeMeeting
        fields = ["held_at", "agenda_deadline"]


class MeetingLines(admin.StackedInline):
    model = CommitteeMeeting
    form = MeetingForm
    extra = 3
    ordering = ["held_at"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _keeps_calendar(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _keeps_calendar(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _keeps_calendar(request)


def _keeps_calendar(request: HttpRequest) -> bool:
    return request.user.may(Permission.SET_UP_PROCESS) or request.user.may(Permission.MANAGE_TEXTS)


@admin.register(Committee)
class CommitteeAdmin(Kept):
    """The political calendar: a committee with its meetings and agenda deadlines."""

    inlines = [MeetingLines]
    search_fields = ["name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _keeps_calendar(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _keeps_calendar(request)


@admin.register(Programme)
class ProgrammeAdmin(Kept):
    written_with = Permission.SET_UP_PROCESS
    list_display = ["title", "unit"]
    search_fields = ["title"]
    prepopulated_fields = {"slug": ["title"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Programme]:
        return super().get_queryset(request).select_related("unit")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "unit":
            kwargs["queryset"] = db_field.remote_field.model.objects.filter(pk__in=request.user.unit_ids())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        own = obj is None or obj.unit_id in request.user.unit_ids()
        return own and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        own = obj is None or obj.unit_id in request.user.unit_ids()
        return own and super().has_delete_permission(request, obj)


@admin.register(OpeningMinimum)
class OpeningMinimumAdmin(Kept):
    """Law as dated data: a new rule is a new line, and the old one gets an end."""

    list_display = ["name", "days", "longest_days", "statutory", "valid_from", "valid_to"]
    list_filter = ["statutory"]
    fields = ["name", "days", "longest_days", "statutory", "source", "formats", "valid_from", "valid_to"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "formats":
            from participation import formats

            return forms.MultipleChoiceField(
                label=_("Formats"),
                help_text=_("None ticked: every format."),
                required=False,
                choices=[(one.key, one.label) for one in formats.all_formats()],
                widget=forms.CheckboxSelectMultiple,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(PrincipleText)
class PrincipleTextAdmin(Kept):
    """The municipality's own words. The checks stay whatever is written."""

    list_display = ["title"]
    fields = ["title", "body", "why_we_ask", "good_example", "bad_example"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StandardAnswerForm(forms.ModelForm):
    """A standard answer is one of a few kinds of value; most are text, and text is typed as it stands."""

    value = forms.CharField(
        label=_("Standard answer"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("For several boxes or rows: keep the form it has."),
    )

    class Meta:
        model = StandardAnswer
        fields = ["format", "size", "field", "value"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        import json

        from participation import formats
        from participation.admin.setup import ProcessForm

        stored = self.instance.value if self.instance.pk else ""
        self.plain = isinstance(stored, str)
        self.initial["value"] = stored if self.plain else json.dumps(stored, ensure_ascii=False, indent=1)
        if "format" in self.fields:
            every = [("", _("Every format"))]
            kinds = [(one.key, one.label) for one in formats.all_formats()]
            self.fields["format"] = forms.ChoiceField(
                label=_("Format"), choices=every + kinds, required=False
            )
            labels = ProcessForm.base_fields
            names = sorted(labels, key=lambda name: str(labels[name].label))
            choices = [(name, labels[name].label) for name in names]
            choices += [
                ("audiences", _("Whom do we look for?")),
                ("channels", _("How do people hear about it?")),
            ]
            self.fields["field"] = forms.ChoiceField(label=_("Question"), choices=choices)

    def clean_value(self) -> Any:
        import json

        text = self.cleaned_data["value"]
        if self.plain:
            return text
        try:
            return json.loads(text)
        except ValueError:
            raise forms.ValidationError(_("Keep the form it had: brackets, quotes and commas.")) from None


@admin.register(StandardAnswer)
class StandardAnswerAdmin(Kept):
    form = StandardAnswerForm
    list_display = ["question", "format_label", "size_label"]
    list_filter = ["size"]

    @admin.display(description=_("Question"), ordering="field")
    def question(self, answer: StandardAnswer) -> str:
        from participation.admin.setup import ProcessForm

        found = ProcessForm.base_fields.get(answer.field)
        return str(found.label if found is not None else answer.field)

    @admin.display(description=_("Format"))
    def format_label(self, answer: StandardAnswer) -> str:
        from participation import formats

        return str(formats.get(answer.format).label if answer.format else _("Every format"))

    @admin.display(description=_("Size"))
    def size_label(self, answer: StandardAnswer) -> str:
        return str(answer.get_size_display() or _("Every size"))


# Why an e-mail did not get through, in words; what is not named here is shown as the mail server said it.
WHY = {
    "interrupted": _("The program was stopped in the middle of sending it."),
    "unanswered": _("The mail server did not answer, so nobody knows."),
    "bounced": _("It came back: the address does not work."),
    "recipient_refused": _("The address does not exist."),
    "gave_up": _("It was tried many times."),
    "unwritten": _("It could not be written."),
}


@admin.register(Notice)
class NoticeAdmin(PlainWords, admin.ModelAdmin):
    """E-mails that may not have got through. They are shown, never sent again by themselves."""

    list_display = ["title", "state", "process", "created_at", "why"]
    list_select_related = ["process", "delivery"]
    list_per_page = 50
    fields = ["title", "kind", "state", "process", "created_at", "due_at", "attempts", "why"]
    readonly_fields = ["state", "due_at", "attempts", "why"]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        found = super().get_queryset(request).filter(delivery__state__in=[State.UNCERTAIN, State.FAILED])
        if request.user.may(Permission.MANAGE_PEOPLE):
            return found
        return found.filter(process__unit_id__in=request.user.unit_ids())

    @admin.display(description=_("State"), ordering="delivery__state")
    def state(self, notice: Notice) -> str:
        return str(notice.delivery.get_state_display())

    @admin.display(description=_("Reason"))
    def why(self, notice: Notice) -> str:
        return str(WHY.get(notice.delivery.failure_code, notice.delivery.failure))

    @admin.display(description=_("When it was to be sent"))
    def due_at(self, notice: Notice) -> datetime:
        return notice.delivery.due_at

    @admin.display(description=_("Attempts"))
    def attempts(self, notice: Notice) -> int:
        return notice.delivery.attempts

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
