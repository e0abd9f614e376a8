"""Addresses of the staff pages, Danish and stable; `guard` is the site's own door."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from participation.admin import (
    arguments,
    changes,
    contributions,
    mailing,
    moderation,
    notice_gallery,
    outcomes,
    processes,
    start,
)
from participation.uploads import takes_files


def staff_urls(guard: Callable[..., Any]) -> list[URLPattern]:
    def page(address: str, view: Any, name: str, **kwargs: Any) -> URLPattern:
        guarded = guard(view.as_view() if isinstance(view, type) else view)
        if getattr(view, "takes_files", False):
            guarded = takes_files(guarded)
        return path(address, guarded, kwargs, name=name)

    one = "forloeb/<int:pk>/"
    given = one + "bidrag/"
    argued = one + "argumenter/"
    return [
        page("", start.start, "index"),
        page("opsaetning/", start.settings_page, "settings"),
        page("opsaetning/e-mails/", notice_gallery.gallery, "notice-gallery"),
        page("opsaetning/e-mails/<slug:sample>/", notice_gallery.sample, "notice-sample"),
        page("opsaetning/e-mails/<slug:sample>/html/", notice_gallery.sample_html, "notice-sample-html"),
        page("gennemse/", moderation.moderation, "moderation"),
        page("spoergsmaal/", outcomes.all_questions, "questions"),
        page("forloeb/", processes.process_list, "process-list"),
        page("forloeb/nyt/", processes.choose_format, "process-new"),
        page("forloeb/nyt/<slug:format_key>/", processes.start, "process-start"),
        page(one, processes.overview, "process-overview"),
        page(one + "er-vi-klar/", processes.Preconditions, "process-preconditions"),
        page(one + "er-vi-klar/alligevel/", processes.go_on, "process-go-on"),
        page(one + "opsaetning/", processes.setup, "process-setup"),
        page(one + "opsaetning/klar/", processes.check, "process-check"),
        page(one + "skridt/<slug:name>/", processes.Step, "process-step"),
        page(one + "lad-passere/<str:key>/", processes.OverrideCheck, "process-override"),
        page(one + "vis/", processes.preview, "process-preview"),
        page(one + "kopi/", processes.Copy, "process-copy"),
        page(one + "overdrag/", processes.HandOver, "process-handover"),
        page(one + "historik/", processes.history, "process-history"),
        page(one + "praktisk/", processes.Practical, "process-practical"),
        page(one + "aendr/", changes.Amend, "process-amend"),
        page(one + "forlaeng/", changes.Extend, "process-extend"),
        page(one + "ret/", changes.Correct, "process-correct"),
        page(one + "rettelse/<int:change>/", processes.confirm_correction, "process-correction-confirm"),
        page(given, contributions.contribution_list, "process-contributions"),
        page(given + "svar/", contributions.AnswerMany, "contributions-answer"),
        page(given + "saml/", contributions.GatherInTheme, "contributions-gather"),
        page(given + "saml-til-et/", contributions.Gather, "contributions-merge"),
        page(given + "tema/<int:theme>/", contributions.AnswerTheme, "theme-answer"),
        page(given + "for-andre/", contributions.Record, "process-record"),
        page(given + "<uuid:public_id>/", contributions.contribution, "process-contribution"),
        *(
            page(
                f"{given}<uuid:public_id>/{address}/",
                contributions.contribution_act,
                f"contribution-{act}",
                act=act,
            )
            for act, address in contributions.ADDRESSES.items()
        ),
        page(
            given + "<uuid:public_id>/fjern/<int:attachment>/",
            contributions.TakeDownFile,
            "contribution-take-down-file",
        ),
        page(argued, arguments.argument_list, "process-arguments"),
        page(argued + "<uuid:public_id>/", arguments.argument, "process-argument"),
        *(
            page(f"{argued}<uuid:public_id>/{address}/", arguments.argument_act, f"argument-{act}", act=act)
            for act, address in arguments.ADDRESSES.items()
        ),
        page(one + "spoergsmaal/", outcomes.questions, "process-questions"),
        page(one + "spoergsmaal/<uuid:public_id>/", outcomes.AnswerQuestion, "question-answer"),
        page(one + "resultat/", outcomes.result, "process-result"),
        page(one + "resultat/beslutning/", outcomes.Decide, "process-decide"),
        page(one + "resultat/aftryk/", outcomes.RecordImpact, "process-impact"),
        page(one + "resultat/intet-aendret/", outcomes.NothingChanged, "process-nothing-changed"),
        page(one + "resultat/fortalt/", outcomes.ToldOutside, "process-told-outside"),
        page(one + "nyheder/", outcomes.News, "process-news"),
        page(one + "hvem-mangler/", mailing.breadth_page, "process-breadth"),
        page(one + "hvem-mangler/<str:group>/", mailing.Invite, "process-invite"),
        page(one + "brev/", mailing.begin, "process-mailout"),
    ]
