"""What can still be changed after approval: more time, another frame with a public reason, or only the wording."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from accounts.verdict import Refused, Verdict
from participation import formats, frozen, phases
from participation.actions import process as actions
from participation.admin import registry
from participation.admin.fields import (
    DateInput,
    TimeInput,
    as_first_day,
    as_last_day,
    end_moment,
    first_moment,
)
from participation.admin.forms import long_text
from participation.admin.pages import ActPage
from participation.admin.rows import row_sets, rows_for_action
from participation.admin.setup import ProcessForm
from participation.models import Process
from participation.permissions.process import can_amend, can_correct, can_extend

ROWS = ("open_points", "fixed_points", "audiences", "channels", "phases")


class ExtendForm(forms.Form):
    """Each phase that has not ended may end later."""

    use_required_attribute = False
    reason = long_text(
        _("Why is there more time?"), 3, help_text=_("Everyone who follows the process is told.")
    )

    def __init__(
        self, *args: Any, planned: list[phases.Planned], labels: dict[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.planned = planned
        for phase in planned:
            day, hour = as_last_day(phase.ends)
            words = {"phase": labels.get(phase.kind, phase.kind)}
            self.fields[f"day_{phase.kind}"] = forms.DateField(
                label=_("%(phase)s: last day") % words, widget=DateInput(), initial=day
            )
            self.fields[f"hour_{phase.kind}"] = forms.TimeField(
                label=_("%(phase)s: until the hour") % words, widget=TimeInput(), initial=hour, required=False
            )
            self.fields[f"start_{phase.kind}"] = forms.DateField(
                label=_("%(phase)s: first day") % words,
                widget=DateInput(),
                initial=starts_day(phase),
                help_text=_("Moves only when the phase before it ends later."),
            )
        self.order_fields(
            [f"{part}_{phase.kind}" for phase in planned for part in ("start", "day", "hour")] + ["reason"]
        )

    def phases(self) -> list[dict[str, Any]]:
        data = self.cleaned_data
        found = []
        for phase in self.planned:
            first = data[f"start_{phase.kind}"]
            starts = phase.starts if first == starts_day(phase) else first_moment(first, None)
            ends = end_moment(data[f"day_{phase.kind}"], data[f"hour_{phase.kind}"])
            found.append(
                {"kind": phase.kind, "starts": starts, "ends": ends, "description": phase.description}
            )
        return found


def starts_day(phase: phases.Planned) -> Any:
    return as_first_day(phase.starts)[0]


class Extend(ActPage):
    title = _("Give people more time")
    lead = _("Only later, never earlier.")
    button = _("Give more time")
    done = _("There is more time now, and those who follow the process are told.")

    def verdict(self) -> Verdict:
        return can_extend(self.request.user, self.process)

    def form(self, data: Any = None) -> ExtendForm:
        labels = {kind.key: kind.label for kind in formats.get(self.process.format).phase_kinds}
        return ExtendForm(data, planned=phases.stored(self.process), labels=labels)

    def act(self, form: Any) -> None:
        actions.extend(
            process=self.process,
            by=self.request.user,
            phases=form.phases(),
            reason=form.cleaned_data["reason"],
        )


class AmendForm(ProcessForm):
    """The frame as it stands; only what is other than before is changed."""

    reason = long_text(
        _("Why is it changed?"), 3, help_text=_("Everyone can read it, and those who follow are told.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(frozen.COLUMNS) - {"touched_districts", "reason"}:
            del self.fields[name]

    def changed(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "reason"}


class Amend(ActPage):
    """Changing the rules people act under, by the one who may approve them."""

    template_name = "admin/process/amend.html"
    title = _("Change the frame or the dates")
    lead = _(
        "People have taken part under the rules as they are. What you change is shown with what it was before."
    )
    permission = Permission.SET_UP_PROCESS
    button = _("Make the change")
    done = _("Changed. Those who follow the process are told.")

    def verdict(self) -> Verdict:
        return can_amend(self.request.user, self.process)

    @cached_property
    def rows(self) -> dict[str, Any]:
        return row_sets(self.process, self.request.POST if self.request.method == "POST" else None)

    @cached_property
    def detail(self) -> Any:
        data = self.request.POST if self.request.method == "POST" else None
        return registry.get(self.process.format).detail_forms(self.process, data)

    def form(self, data: Any = None) -> AmendForm:
        return AmendForm(data, instance=Process.objects.get(pk=self.process.pk), by=self.request.user)

    def context(self) -> dict[str, Any]:
        return {"rowsets": [self.rows[key] for key in ROWS], "detail": self.detail}

    def post(self, request: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        parts = [form.is_valid(), *(self.rows[key].is_valid() for key in ROWS), self.detail.is_valid()]
        if not all(parts):
            if form.is_valid():
                form.add_error(None, _("Something is wrong further down."))
            return self.page(form)
        return super().post(request, **kwargs)

    def act(self, form: Any) -> None:
        changed = {key for key in ROWS if any(row.has_changed() for row in self._against_stored(key))}
        given = rows_for_action(self.rows)
        rows = {name: given[name] for name in ("audiences", "channels") if name in changed}
        if changed & {"open_points", "fixed_points"}:
            rows["frame_points"] = given["frame_points"]
        actions.amend(
            process=self.process,
            by=self.request.user,
            fields=form.changed(),
            rows=rows,
            phases=given["phases"] if "phases" in changed else None,
            detail=self.detail.changed(),
            reason=form.cleaned_data["reason"],
        )

    def _against_stored(self, key: str) -> list[forms.BaseForm]:
        """The rows as posted, compared with those stored."""
        stored = type(self.rows[key]).initial_rows(self.process)
        rowset = self.rows[key]
        for number, row in enumerate(rowset.forms):
            row.initial = stored[number] if number < len(stored) else {}
            row.__dict__.pop("changed_data", None)
        return rowset.forms


class CorrectForm(ProcessForm):
    reason = long_text(_("What is wrong with the wording?"), 2, help_text=_("Shown with the correction."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(frozen.WORDING) - {"reason"}:
            del self.fields[name]

    def changed(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "reason"}


class Correct(ActPage):
    title = _("Correct the wording")
    lead = _("Only words, not meaning: a colleague confirms it before it is shown. No mail goes out.")
    button = _("Ask a colleague to confirm")
    done = _("A colleague must confirm it before it is shown.")

    def verdict(self) -> Verdict:
        return can_correct(self.request.user, self.process)

    def form(self, data: Any = None) -> CorrectForm:
        return CorrectForm(data, instance=Process.objects.get(pk=self.process.pk), by=self.request.user)

    def act(self, form: Any) -> None:
        changed = form.changed()
        if not changed:
            raise Refused("nothing_changed", _("Nothing is other than before."))
        actions.propose_correction(
            process=self.process, by=self.request.user, fields=changed, reason=form.cleaned_data["reason"]
        )
