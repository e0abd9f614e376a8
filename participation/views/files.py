"""Photos and files, from their own path: whoever may not see what they hang on gets a 404.

Nothing here runs as a page of ours: documents are downloads, photos were written anew, and both come with a policy that
lets nothing load or run should a browser show them anyway.
"""

import hashlib
import logging
from typing import Any

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.views.decorators.http import require_safe

from participation import files
from participation.models import StoredFile

logger = logging.getLogger(__name__)

# The content of an address never changes. A day, so that what is taken down does not live on in browsers for longer.
PUBLIC = "public, max-age=86400, s-maxage=300, immutable"
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


@require_safe
def photo(request: HttpRequest, public_id: Any, width: int, name: str) -> HttpResponseBase:
    stored = _visible(request, public_id)
    if width not in stored.widths:
        raise Http404
    return _serve(request, stored, width)


@require_safe
def file(request: HttpRequest, public_id: Any, name: str) -> HttpResponseBase:
    return _serve(request, _visible(request, public_id), None)


def _visible(request: HttpRequest, public_id: Any) -> StoredFile:
    stored = get_object_or_404(StoredFile.objects.kept(), pk=public_id)
    stored.open_to_all = files.is_public(stored)
    if not stored.open_to_all and not files.may_see(stored, request.user):
        raise Http404
    return stored


def _serve(request: HttpRequest, stored: StoredFile, width: int | None) -> HttpResponseBase:
    name = stored.stored_as(width)
    etag = quote_etag(hashlib.sha256(f"{stored.sha256}:{width or 0}".encode()).hexdigest()[:32])
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None or response.status_code != 304:
        try:
            with default_storage.open(name) as opened:
                content = opened.read()  # at most 20 MB: whole or not at all, never cut off half way
        except FileNotFoundError:
            raise Http404 from None
        except Exception:
            logger.exception("The storage did not give a file.")
            return HttpResponse(status=503, headers={"Retry-After": "60", "Cache-Control": "no-store"})
        response = HttpResponse(content, content_type=stored.content_type)
        response["Content-Disposition"] = content_disposition_header(
            not stored.is_photo, stored.name or stored.kind
        )
        response["ETag"] = etag
    response["Cache-Control"] = PUBLIC if stored.open_to_all else "private, no-store"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
