"""The address that takes receipts in, and nothing else, as gunicorn runs it."""

import os
from datetime import UTC, datetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from django.core.wsgi import get_wsgi_application

get_wsgi_application()

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.verdict import Refused
from mailouts import actions, receipts
from mailouts.actions.after import AlreadyTaken
from mailouts.signatures import MOMENT_HEADER, SIGNATURE_HEADER


@csrf_exempt
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    try:
        receipts.check_signature(
            request.body,
            moment=request.headers.get(MOMENT_HEADER, ""),
            signed=request.headers.get(SIGNATURE_HEADER, ""),
            at=datetime.now(UTC),
        )
    except Refused:
        return HttpResponse(status=403)
    try:
        actions.note_receipt(told=receipts.read(request.body))
    except AlreadyTaken:
        return HttpResponse(status=409)
    except Refused:
        return HttpResponse(status=400)
    return HttpResponse(status=204)


urlpatterns = [path("digital-post/kvitteringer/", take)]


class Only(WSGIHandler):
    def get_response(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__  # type: ignore[attr-defined]
        return super().get_response(request)


application = Only()
