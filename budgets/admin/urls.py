"""Addresses of the budget's staff pages; `guard` is the site's own door."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from budgets.admin import codes, implementation, meetings, polling, views

_ONE = "forloeb/<int:pk>/gennemfoerelse/<uuid:public_id>"


def staff_urls(guard: Callable[..., Any]) -> list[URLPattern]:
    return [
        path("forloeb/<int:pk>/projekter/", guard(views.project_list), name="budget-projects"),
        path(
            "forloeb/<int:pk>/projekter/<uuid:public_id>/",
            guard(views.Assess.as_view()),
            name="budget-assess",
        ),
        path("forloeb/<int:pk>/afstemning/", guard(views.vote), name="budget-vote"),
        path(
            "forloeb/<int:pk>/afstemning/<int:number>/forsegl/",
            guard(views.Seal.as_view()),
            name="budget-seal",
        ),
        path(
            "forloeb/<int:pk>/afstemning/<int:number>/optael/",
            guard(views.CountNow.as_view()),
            name="budget-count",
        ),
        path(
            "forloeb/<int:pk>/afstemning/<int:number>/lod/",
            guard(views.RecordLot.as_view()),
            name="budget-lot",
        ),
        path(
            "forloeb/<int:pk>/afstemning/<int:number>/lod/<slug:pot>/",
            guard(views.RecordLot.as_view()),
            name="budget-lot-pot",
        ),
        path("forloeb/<int:pk>/koder/", guard(codes.code_list), name="budget-codes"),
        path(
            "forloeb/<int:pk>/koder/klasse/", guard(codes.MakeForClass.as_view()), name="budget-codes-class"
        ),
        path(
            "forloeb/<int:pk>/koder/breve/", guard(codes.MakeLetters.as_view()), name="budget-codes-letters"
        ),
        path("forloeb/<int:pk>/koder/et-brev/", guard(codes.MakeOne.as_view()), name="budget-codes-one"),
        path("forloeb/<int:pk>/koder/<int:batch>/hent/", guard(codes.fetch), name="budget-codes-fetch"),
        path(
            "forloeb/<int:pk>/koder/<int:batch>/spaer/",
            guard(codes.Block.as_view()),
            name="budget-codes-block",
        ),
        path("forloeb/<int:pk>/koder/aabn/<int:lock>/", guard(codes.unlock), name="budget-codes-unlock"),
        path("forloeb/<int:pk>/moedet/", guard(meetings.RecordMeeting.as_view()), name="budget-meeting"),
        path("forloeb/<int:pk>/afstemningssteder/", guard(polling.places), name="budget-places"),
        path(
            "forloeb/<int:pk>/afstemningssteder/nyt/",
            guard(polling.NewPlace.as_view()),
            name="budget-place-new",
        ),
        path(
            "forloeb/<int:pk>/afstemningssteder/<int:place>/",
            guard(polling.ChangePlace.as_view()),
            name="budget-place",
        ),
        path(
            "forloeb/<int:pk>/afstemningssteder/<int:place>/fjern/",
            guard(polling.RemovePlace.as_view()),
            name="budget-place-remove",
        ),
        path(
            "forloeb/<int:pk>/stemmeseddel/<slug:kind>/raekkefoelge/",
            guard(polling.ChooseOrder.as_view()),
            name="budget-paper-order",
        ),
        path(
            "forloeb/<int:pk>/stemmeseddel/<slug:kind>.pdf",
            guard(polling.ballot_pdf),
            name="budget-ballot-pdf",
        ),
        path("forloeb/<int:pk>/haendelse/", guard(polling.RecordIncident.as_view()), name="budget-incident"),
        path(
            "forloeb/<int:pk>/haendelse/<int:incident>/",
            guard(polling.RecordIncident.as_view()),
            name="budget-incident-correct",
        ),
        path("forloeb/<int:pk>/byraadet/", guard(views.CouncilDecides.as_view()), name="budget-decide"),
        path(
            "forloeb/<int:pk>/gennemfoerelse/",
            guard(implementation.implementation_list),
            name="budget-implementations",
        ),
        path(
            f"{_ONE}/",
            guard(implementation.implementation_page),
            name="budget-implementation",
        ),
        path(f"{_ONE}/regnskab/", guard(implementation.accounts), name="budget-implementation-accounts"),
        *(
            path(f"{_ONE}/{address}", guard(page.as_view()), name=f"budget-implementation-{name}")
            for name, (address, page) in implementation.STEPS.items()
        ),
    ]
