"""Every component and every kind of field on one page, for those who build pages: seen in DEBUG or by staff."""

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

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


def show(request: HttpRequest) -> HttpResponse:
    if not (settings.DEBUG or getattr(getattr(request, "user", None), "is_staff", False)):
        raise Http404
    data = request.GET if "send" in request.GET else None
    return render(request, "dkfds/gallery.html", {"form": GalleryForm(data)})
