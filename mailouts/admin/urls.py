"""Addresses of the staff pages of mailouts; `guard` is the site's own door."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from mailouts.admin import views


def staff_urls(guard: Callable[..., Any]) -> list[URLPattern]:
    def page(address: str, view: Any, name: str) -> URLPattern:
        return path(f"udsendelser/{address}", guard(view), name=name)

    one = "<int:pk>/"
    return [
        page("", views.campaign_list, "mailout-list"),
        page("ny/", views.new, "mailout-new"),
        page(one, views.overview, "mailout"),
        page(one + "stand/", views.progress, "mailout-progress"),
        page(one + "brev/", views.letter, "mailout-letter"),
        page(one + "brev/vis/", views.look, "mailout-look"),
        page(one + "modtagere/", views.who_for, "mailout-recipients"),
        page(one + "modtagere/find/", views.find, "mailout-find"),
        page(one + "modtagere/<slug:kind>/", views.add_source, "mailout-source"),
        page(one + "modtagere/fjern/<int:source>/", views.remove_source, "mailout-source-remove"),
        page(one + "hvordan/", views.how, "mailout-how"),
        page(one + "forhaandsvis/", views.preview, "mailout-preview"),
        page(one + "forhaandsvis/<int:delivery>/", views.preview, "mailout-preview-one"),
        page(one + "forhaandsvis/<int:delivery>/brev.pdf", views.preview_pdf, "mailout-preview-pdf"),
        page(one + "proevebrev/", views.test, "mailout-test"),
        page(one + "frys/", views.freeze, "mailout-freeze"),
        page(one + "toe/", views.thaw, "mailout-thaw"),
        page(one + "godkend/", views.approve, "mailout-approve"),
        page(one + "pause/", views.pause, "mailout-pause"),
        page(one + "fortsaet/", views.resume, "mailout-resume"),
        page(one + "stop/", views.stop, "mailout-stop"),
        page(one + "fejl/", views.failures, "mailout-failures"),
        page(one + "fejl/hvem/", views.failed, "mailout-failed"),
        page(one + "print/<int:number>/", views.fetch_print, "mailout-print"),
        page(one + "print/<int:number>/tabt/", views.lose_print, "mailout-print-lost"),
        page(one + "print/<int:number>/liste.csv", views.print_list, "mailout-print-list"),
        page(one + "kopi/", views.copy, "mailout-copy"),
        page(one + "slet/", views.delete, "mailout-delete"),
    ]
