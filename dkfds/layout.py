"""Layout objects of the pack, beside crispy's own Layout, Div, HTML and Field."""

from typing import Any

from crispy_forms import layout as crispy
from crispy_forms.utils import TEMPLATE_PACK
from django.template.loader import render_to_string

__all__ = ["Actions", "Button", "Fieldset", "SaveForLater", "Submit"]


class Submit(crispy.BaseInput):
    """The one thing to do on a form: `Submit(_("Send your response"))`, with a name only where the view reads it."""

    input_type = "submit"
    field_classes = "button button-primary"

    def __init__(self, value: str, name: str = "", **kwargs: Any) -> None:
        super().__init__(name, value, css_id=kwargs.pop("css_id", None) or "-", **kwargs)
        if self.id == "-":
            self.id = f"submit-{name}" if name else ""


class Button(Submit):
    """Another way on from the same form: secondary, and always with a name to be recognised by."""

    field_classes = "button button-secondary"

    def __init__(self, value: str, name: str, **kwargs: Any) -> None:
        super().__init__(value, name, **kwargs)


class SaveForLater(Button):
    """Keeps what is typed without sending it; checks nothing."""

    def __init__(self, value: str, name: str = "save", **kwargs: Any) -> None:
        super().__init__(value, name, formnovalidate=True, **kwargs)


class Fieldset(crispy.Fieldset):
    """`Fieldset(_("When"), "opens", "closes", hint=_("…"))`: fields that answer one question, under a heading legend."""

    def __init__(self, legend: str, *fields: Any, hint: str = "", **kwargs: Any) -> None:
        super().__init__(legend, *fields, **kwargs)
        self.hint = hint


class Actions(crispy.LayoutObject):
    """The row of buttons at the end of a form."""

    template = "%s/layout/actions.html"

    def __init__(self, *fields: Any) -> None:
        self.fields = list(fields)

    def render(self, form: Any, context: Any, template_pack: str = TEMPLATE_PACK, **kwargs: Any) -> str:
        fields = self.get_rendered_fields(form, context, template_pack, **kwargs)
        return render_to_string(self.template % template_pack, {"fields": fields})
