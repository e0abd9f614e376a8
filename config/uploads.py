"""How much a request may carry. Nobody but staff sends files, so nobody else may fill the disk with them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from dkfds.errors import too_large

FORM_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
STAFF_BYTES = 160_000_000  # a register extract: accounts/imports/register.py


class BodyLimitMiddleware:
    """Asked before anything reads the body. Without a Content-Length Django reads nothing at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > FORM_BYTES and not (request.user.is_authenticated and request.user.is_staff):
            return too_large(request)
        if length > STAFF_BYTES:
            return too_large(request)
        return self.get_response(request)
