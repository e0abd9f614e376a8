"""How one bound field is drawn: which kind of group, which ids, which words.

The pack never changes the widget of a form (two renderings of one form give the same page): attributes are passed
along at rendering.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from dkfds.fields import DateWidget

DJANGO_ROWS = "10"  # what a Textarea has when nobody chose


@dataclass(frozen=True)
class Drawn:
    """What `templates/dkfds/field.html` needs to know of a field.

    kind: hidden, input, select, textarea, radios, checkboxes, checkbox, date or file.
    first_id: the control an error summary leads to.
    """

    kind: str
    id: str
    first_id: str
    hint_id: str
    error_id: str
    limit_id: str
    limit: int | None
    described_by: str
    mark: str
    prefix: str
    suffix: str


def kind_of(field: BoundField) -> str:
    widget = field.field.widget
    if field.is_hidden:
        return "hidden"
    if isinstance(widget, DateWidget):
        return "date"
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "checkboxes"
    if isinstance(widget, forms.RadioSelect):
        return "radios"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    if isinstance(widget, forms.FileInput):
        return "file"
    if isinstance(widget, forms.Textarea):
        return "textarea"
    if isinstance(widget, forms.Select):
        return "select"
    return "input"


def first_id(field: BoundField) -> str:
    """The id of the first control, whatever the widget calls it."""
    base = field.auto_id or field.html_name
    kind = kind_of(field)
    if kind in {"radios", "checkboxes"}:
        return f"{base}_0"
    if kind == "date":
        return f"{base}_day"
    return field.id_for_label or base


def mark_of(field: BoundField) -> str:
    """Which fields carry a mark: the minority, so that most labels stay clean. None where all are alike."""
    visible = [bound for bound in field.form if not bound.is_hidden]
    required = sum(bound.field.required for bound in visible)
    if required in {0, len(visible)}:
        return ""
    if required * 2 >= len(visible):
        return "" if field.field.required else _("(optional)")
    return _("(*must be filled in)") if field.field.required else ""


def draw(field: BoundField, *, prefix: str = "", suffix: str = "") -> Drawn:
    widget = field.field.widget
    kind = kind_of(field)
    base = field.auto_id or field.html_name
    limit = _limit(widget) if kind == "textarea" else None
    hint_id, error_id, limit_id = f"{base}-hint", f"{base}-error", f"{base}-limit-message"
    described = [hint_id] if field.help_text else []
    described += [error_id] if field.errors else []
    described += [limit_id] if limit else []
    return Drawn(
        kind=kind,
        id=base,
        first_id=first_id(field),
        hint_id=hint_id,
        error_id=error_id,
        limit_id=limit_id,
        limit=limit,
        described_by=" ".join(described),
        mark=mark_of(field),
        prefix=prefix or str(getattr(widget, "prefix", "")),
        suffix=suffix or str(getattr(widget, "suffix", "")),
    )


def control(field: BoundField, drawn: Drawn, extra_class: str = "") -> str:
    """The control itself, with the design system's class and what ties it to hint, error and limit."""
    widget = field.field.widget
    css = {"select": "form-select", "checkbox": "form-checkbox"}.get(drawn.kind, "form-input")
    attrs: dict[str, Any] = {"class": _joined(css, widget.attrs.get("class", ""), extra_class)}
    if drawn.described_by:
        attrs["aria-describedby"] = _joined(str(widget.attrs.get("aria-describedby", "")), drawn.described_by)
    if field.errors:
        attrs["aria-invalid"] = "true"
    if drawn.limit:
        attrs["maxlength"] = (
            False  # nothing is cut off while typing or pasting: the counter says it, then the form
        )
        if widget.attrs.get("rows") == DJANGO_ROWS:
            attrs["rows"] = "6"
    if isinstance(widget, forms.NumberInput):
        if "input-" not in str(widget.attrs.get("class", "")):
            attrs["class"] += " input-char-8"
        whole = not isinstance(field.field, (forms.FloatField, forms.DecimalField))
        attrs["inputmode"] = widget.attrs.get("inputmode", "numeric" if whole else "decimal")
    return str(field.as_widget(attrs=attrs))


def boxes(field: BoundField, drawn: Drawn) -> list[dict[str, Any]]:
    """The boxes of a date: label, id, control and which css group each stands in."""
    widget = field.field.widget
    value = field.value()
    values = list(value) if isinstance(value, (list, tuple)) else widget.decompress(value)
    drawn_boxes = []
    for (key, label, _length), sub, text in zip(widget.parts, widget.widgets, values, strict=False):
        attrs: dict[str, Any] = {"class": "form-input", "id": f"{drawn.id}_{key}"}
        if field.errors:
            attrs |= {"aria-invalid": "true", "aria-describedby": drawn.error_id}
        if field.field.required and field.form.use_required_attribute:
            attrs["required"] = True
        if field.field.disabled:
            attrs["disabled"] = True
        control = sub.render(f"{field.html_name}_{key}", text, attrs)
        drawn_boxes.append({"key": key, "label": label, "id": attrs["id"], "control": control})
    return drawn_boxes


def choices(field: BoundField) -> list[dict[str, Any]]:
    """Radio buttons or checkboxes, flat; a choice's `hint` comes from the widget's `hints` {value: text} if it has one."""
    hints = getattr(field.field.widget, "hints", {})
    found = []
    for sub in field.subwidgets:
        data = sub.data
        attrs = {
            key: value
            for key, value in data["attrs"].items()
            if key not in {"id", "class", "aria-describedby", "checked"}
        }
        attrs.pop("required", None) if data["type"] == "checkbox" else None
        value = str(data["value"])
        found.append(
            {
                "id": data["attrs"].get("id") or f"{field.html_name}_{data['index']}",
                "name": data["name"],
                "type": data["type"],
                "value": value,
                "label": data["label"],
                "checked": data["selected"],
                "attrs": attrs,
                "hint": hints.get(value, ""),
            }
        )
    return found


def problems(*forms_and_sets: Any) -> list[dict[str, str]]:
    """Every error of the forms and formsets, in reading order: {"text", "href"}; href is empty for the whole form."""
    found: list[dict[str, str]] = []
    for one in forms_and_sets:
        if isinstance(one, forms.BaseFormSet):
            found += [{"text": text, "href": ""} for text in one.non_form_errors()]
            for form in one.forms:
                found += problems(form)
            continue
        if not one.is_bound:
            continue
        found += [{"text": text, "href": ""} for text in one.non_field_errors()]
        for field in one:
            href = "" if field.is_hidden else f"#{first_id(field)}"
            label = str(field.label)
            named = label if label.endswith("?") else f"{label}:"
            found += [{"text": f"{named} {text}", "href": href} for text in field.errors]
    return found


def _limit(widget: forms.Widget) -> int | None:
    limit = widget.attrs.get("maxlength")
    return int(limit) if limit else None


def _joined(*classes: str) -> str:
    return " ".join(dict.fromkeys(" ".join(classes).split()))


def current_file(field: BoundField) -> dict[str, str] | None:
    """The file already stored, if the widget knows of one: {"url", "name", "clear_name", "clear_id"}."""
    widget = field.field.widget
    value = field.initial
    if not isinstance(widget, forms.ClearableFileInput) or not widget.is_initial(value):
        return None
    clear = "" if field.field.required else widget.clear_checkbox_name(field.html_name)
    return {
        "url": value.url,
        "name": str(value).rsplit("/", 1)[-1],
        "clear_name": clear,
        "clear_id": widget.clear_checkbox_id(clear) if clear else "",
    }
