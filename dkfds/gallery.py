"""Every component and every kind of field on one page, for those who build pages: seen in DEBUG or by staff."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.clock import now
from dkfds import wording
from dkfds.fields import DateField, DateTimeField, KronerField


class GalleryForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=80, help_text=_("Write it as you would say it."))
    email = forms.EmailField(label=_("E-mail"))
    seats = forms.IntegerField(label=_("Number of seats"), min_value=1, max_value=40)
    cost = KronerField(label=_("What it costs"), help_text=_("Whole kroner, VAT included."))
    why = forms.CharField(label=_("Why is it a good idea?"), max_length=600, widget=forms.Textarea)
    district = forms.ChoiceField(
        label=_("District"), choices=[("", _("Choose a district")), ("n", "Nordby"), ("s", "Søndermarken")]
    )
    who = forms.ChoiceField(
        label=_("Who carries it out?"),
        choices=[("us", _("We do it ourselves")), ("them", _("The municipality does it"))],
        widget=forms.RadioSelect,
    )
    groups = forms.MultipleChoiceField(
        label=_("Whom is it for?"),
        choices=[("c", _("Children")), ("y", _("Young people")), ("o", _("Older people"))],
        widget=forms.CheckboxSelectMultiple,
    )
    ready = DateField(label=_("When can it be ready?"), help_text=_("For example 6 3 2026."))
    opens = DateTimeField(label=_("When does it open?"))
    photo = forms.FileField(label=_("A picture of the place"), required=False)
    rules = forms.BooleanField(label=_("I have read the rules of the debate"))


@dataclass(frozen=True)
class _District:
    name: str
    geometry: dict[str, Any]


def _districts() -> list[_District]:
    """Five made-up districts that share borders."""
    rows = {
        "Nordby": [[9.50, 56.10], [9.62, 56.13], [9.66, 56.05], [9.56, 56.02], [9.48, 56.05]],
        "Strandkvarteret": [[9.62, 56.13], [9.74, 56.11], [9.79, 56.04], [9.66, 56.05]],
        "Midtbyen": [[9.56, 56.02], [9.66, 56.05], [9.79, 56.04], [9.68, 55.99], [9.59, 55.98]],
        "Søndermarken": [[9.59, 55.98], [9.68, 55.99], [9.79, 56.04], [9.80, 55.95], [9.66, 55.92]],
        "Vestereng": [
            [9.48, 56.05],
            [9.56, 56.02],
            [9.59, 55.98],
            [9.66, 55.92],
            [9.52, 55.93],
            [9.45, 55.99],
        ],
    }
    return [
        _District(name, {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}) for name, ring in rows.items()
    ]


def _examples() -> dict[str, Any]:
    """Invented, like every name and number on the page; Danish, because it is the text that is looked at."""
    moment = now()
    soon, later = moment + timedelta(days=6), moment + timedelta(days=40)
    return {
        "soon": soon,
        "later": later,
        "today": timezone.localtime(moment).replace(hour=23, minute=59),
        "districts": _districts(),
        "open_points": [
            {"text": "Hvilke projekter der får penge"},
            {"text": "Hvor i bydelen de skal ligge"},
            {"text": "Om I selv vil være med til at udføre dem"},
        ],
        "fixed_points": [
            {
                "text": "Puljen er på 1.500.000 kr.",
                "reason": "byrådet har vedtaget den i budgettet for 2026.",
            },
            {
                "text": "Et projekt må ikke kræve fast drift",
                "reason": "puljen kun gives én gang, og der ikke er penge til det næste år.",
            },
        ],
        "steps": [
            {"label": "Idéer", "when": "2.–30. september", "state": "past"},
            {"label": "Vurdering", "when": "1.–24. oktober", "state": "past"},
            {"label": "Afstemning", "when": "Lukker om 6 dage", "state": "now"},
            {"label": "Byrådet beslutter", "when": "Mandag den 14. december", "state": "next"},
            {"label": "Vi fortæller, hvad det blev til", "when": "Senest den 15. januar", "state": "next"},
        ],
        "result": [
            {"label": "Skøjtebane på torvet", "value": 1874, "marked": True, "note": "420.000 kr."},
            {
                "label": "Fælles køkkenhave ved biblioteket",
                "value": 1532,
                "marked": True,
                "note": "185.000 kr.",
            },
            {
                "label": "Lys på stien mellem stationen og skolen",
                "value": 1490,
                "marked": True,
                "note": "640.000 kr.",
                "line_below": "Her var puljen brugt: 1.245.000 kr. af 1.500.000 kr.",
            },
            {"label": "Bordtennisborde i parken", "value": 611, "note": "310.000 kr."},
            {"label": "Udendørs scene", "value": 208, "note": "900.000 kr."},
        ],
        "breadth": [
            {
                "label": "16–29 år",
                "value": 0.07,
                "reference": 0.19,
                "marked": True,
                "note": "Under halvdelen af deres andel",
            },
            {"label": "30–49 år", "value": 0.31, "reference": 0.27},
            {"label": "50–64 år", "value": 0.34, "reference": 0.26},
            {"label": "65 år og over", "value": 0.28, "reference": 0.28},
        ],
        "stats": [
            {"value": "14", "label": "forløb i år"},
            {"value": wording.number(8214), "label": "borgere har deltaget"},
            {"value": wording.percent(0.93), "label": "af bidragene har fået svar"},
            {"value": "31", "label": "ting blev lavet om"},
        ],
        "places": [
            {"name": "Biblioteket i Midtbyen", "when": "Mandag–lørdag kl. 10–18, vi hjælper dig"},
            {"name": "Borgerservice, Torvet 1", "when": "Hverdage kl. 10–15"},
        ],
        "findings": [
            {
                "level": "blocking",
                "principle": "Klar ramme",
                "message": "Skriv mindst ét punkt, som ligger fast, og hvorfor.",
                "url": "#forms",
            },
            {"level": "warning", "principle": "Tid", "message": "Perioden er kortere end tre uger."},
            {"level": "passed", "principle": "Bredde", "message": "To kanaler, den ene uden internet."},
        ],
        "principles": [
            {"label": label, "level": level}
            for label, level in zip(
                ("Klar ramme", "Lytter", "Tidligt", "Tid", "Bredde"),
                ("blocking", "passed", "passed", "warning", "passed"),
                strict=True,
            )
        ],
        "step_names": ["Vælg", "Gennemse", "Stem"],
        "takes": ["ca. 5 minutter", "kræver MitID"],
        "facts": [
            {"term": "Puljen", "text": wording.kroner(1500000)},
            {"term": "Hvem kan stemme", "text": "Alle over 13 år, som bor i kommunen"},
            {"term": "Hvem beslutter", "text": "Byrådet, mandag den 14. december"},
        ],
        "openness": [
            {
                "when": moment.date(),
                "what": "Afstemningen blev forlænget med fire dage",
                "reason": "Brevene til borgere uden digital post kom to dage for sent ud. Det beklager vi.",
            },
        ],
    }


def show(request: HttpRequest) -> HttpResponse:
    if not (settings.DEBUG or getattr(getattr(request, "user", None), "is_staff", False)):
        raise Http404
    data = request.GET if "send" in request.GET else None
    return render(request, "dkfds/gallery.html", {"form": GalleryForm(data), **_examples()})
