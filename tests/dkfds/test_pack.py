"""The pack's markup against files that a person has read; compared as parsed HTML.

A deliberate change: `EXPECT=write pytest tests/dkfds/test_pack.py`, then read the difference.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.test.html import parse_html

from tests.dkfds.forms import ChoiceForm, DateForm, LayoutForm, TextForm

pytestmark = pytest.mark.usefixtures("plain_icons")
EXPECTED = Path(__file__).parent / "expected"
FILLED: dict[str, dict[str, Any]] = {
    "text": {
        "title": "Lys <på> stien",
        "email": "karen@example.dk",
        "seats": "3",
        "share": "0.5",
        "cost": "640.000",
        "why": "Fordi & derfor",
    },
    "choice": {"secret": "x", "district": "n", "where": "s", "groups": ["c", "o"], "rules": "on"},
    "date": {
        "ready_day": "6",
        "ready_month": "3",
        "ready_year": "2026",
        "opens_day": "31",
        "opens_month": "2",
        "opens_year": "2026",
        "opens_time": "14.30",
    },
}
FORMS = {"text": TextForm, "choice": ChoiceForm, "date": DateForm, "layout": LayoutForm}
CASES = [
    *((name, "empty", None) for name in FORMS),
    *((name, "errors", {}) for name in ("text", "choice", "date")),
    *((name, "filled", data) for name, data in FILLED.items()),
]


def render(template: str, **context: Any) -> str:
    return Template("{% load crispy_forms_tags dkfds %}" + template).render(Context(context))


@pytest.mark.parametrize(
    ("name", "state", "data"), CASES, ids=[f"{name}-{state}" for name, state, _data in CASES]
)
def test_markup(danish: None, name: str, state: str, data: dict[str, Any] | None) -> None:
    form = FORMS[name](data)
    shown = render(
        "{% error_summary form %}" + ("{% crispy form %}" if name == "layout" else "{{ form|crispy }}"),
        form=form,
    )
    file = EXPECTED / f"{name}_{state}.html"
    if os.environ.get("EXPECT") == "write":
        file.write_text("\n".join(line.rstrip() for line in shown.splitlines() if line.strip()) + "\n")
    assert parse_html(shown) == parse_html(file.read_text())


def test_rendering_changes_nothing_in_the_form(danish: None) -> None:
    form = TextForm({})
    assert render("{{ form|crispy }}", form=form) == render("{{ form|crispy }}", form=form)
    assert "class" not in form.fields["title"].widget.attrs


def ids(html: str) -> list[str]:
    found: list[str] = []

    def walk(element: Any) -> None:
        if not isinstance(element, str):
            found.extend(value for name, value in element.attributes if name == "id")
            for child in element.children:
                walk(child)

    walk(parse_html(html))
    return found


@pytest.mark.parametrize("name", ["text", "choice", "date"])
def test_each_error_leads_to_a_control_that_is_there(danish: None, name: str) -> None:
    form = FORMS[name]({})
    page = ids(render("{{ form|crispy }}", form=form))
    summary = render("{% error_summary form %}", form=form)
    visible = [field for field in form if not field.is_hidden and field.errors]
    links = [part.split('"')[0] for part in summary.split('href="#')[1:]]
    assert len(links) == len(visible) > 1
    assert set(links) <= set(page)
    assert len(page) == len(set(page))


@pytest.mark.parametrize("name", ["text", "choice", "date"])
def test_what_describes_a_control_is_on_the_page(danish: None, name: str) -> None:
    html = render("{{ form|crispy }}", form=FORMS[name]({}))
    described = [one for part in html.split('aria-describedby="')[1:] for one in part.split('"')[0].split()]
    assert described
    assert set(described) <= set(ids(html))


def test_no_summary_where_nothing_is_wrong(danish: None) -> None:
    assert render("{% error_summary form %}", form=TextForm()) == ""
    assert render("{% error_summary form %}", form=TextForm(FILLED["text"])) == ""


def test_what_concerns_the_whole_form_stands_first_without_a_link(danish: None) -> None:
    form = TextForm({})
    form.add_error(None, "Puljen er brugt <op>.")
    shown = render("{% error_summary form %}", form=form)
    assert "<li>Puljen er brugt &lt;op&gt;.</li>" in "".join(line.strip() for line in shown.splitlines())
    assert shown.index("Puljen") < shown.index("#id_title")


def test_formsets_have_one_summary_and_their_own_ids(danish: None) -> None:
    made = forms.formset_factory(LayoutForm, extra=2, min_num=2, validate_min=True)
    formset = made({"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-0-title": "A"})
    html = render("{{ formset|crispy }}", formset=formset)
    assert "form-TOTAL_FORMS" in html
    assert {"id_form-0-title", "id_form-1-title"} <= set(ids(html))
    summary = render("{% error_summary formset %}", formset=formset)
    assert 'href="#id_form-0-text"' in summary
    assert 'href="#id_form-0-title"' not in summary


def test_the_minority_is_marked(danish: None) -> None:
    class Mostly(forms.Form):
        a = forms.CharField(label="A", required=False)
        b = forms.CharField(label="B", required=False)
        c = forms.CharField(label="C")

    html = render("{{ form|crispy }}", form=Mostly())
    assert html.count("(*skal udfyldes)") == 1
    assert "(frivilligt)" not in html
    assert render("{{ form|crispy }}", form=TextForm()).count("(frivilligt)") == 1
    assert "(*skal" not in render("{{ form|crispy }}", form=LayoutForm())


def test_browsers_leave_the_checking_to_us(danish: None) -> None:
    assert "novalidate" in render("{% crispy form %}", form=LayoutForm())


def test_html_in_labels_and_errors_is_escaped(danish: None) -> None:
    class Rude(forms.Form):
        a = forms.ChoiceField(label="<b>A</b>", choices=[("1", "<i>x</i>")], widget=forms.RadioSelect)

    form = Rude({"a": "<script>"})
    html = render("{% error_summary form %}{{ form|crispy }}", form=form)
    assert "<script>" not in html
    assert "<i>x" not in html
    assert "<b>A" not in html
