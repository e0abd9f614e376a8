"""How much a request may carry. Files are taken from staff, and from anyone where a page asks for them: nobody else may
fill the disk with them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from accounts.verdict import Refused
from dkfds.errors import too_large, too_many
from participation import limits
from participation.uploads import BoundedUploadHandler

FORM_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
# Six photos as telephones make them, and one that is far too large: then the page says which, with all that was typed.
FILES_BYTES = 130_000_000
LARGE_HOURLY = 300  # large bodies that one visitor, or one school behind one address, may send in an hour
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
        takes_files = self._takes_files(request)
        if length > self._most(request, takes_files, length):
            return too_large(request)
        if takes_files and length > FORM_BYTES:
            try:
                limits.spend(request, "large-body", most=LARGE_HOURLY, seconds=3600)
            except Refused:
                return too_many(request)
        if takes_files:
            request.upload_handlers = [BoundedUploadHandler(request)]
        return self.get_response(request)

    @staticmethod
    def _most(request: HttpRequest, takes_files: bool, length: int) -> int:
        if length <= FORM_BYTES:
            return FORM_BYTES
        if request.user.is_authenticated and request.user.is_staff:
            return STAFF_BYTES
        return FILES_BYTES if takes_files else FORM_BYTES

    @staticmethod
    def _takes_files(request: HttpRequest) -> bool:
        if request.method != "POST" or request.content_type != "multipart/form-data":
            return False
        try:
            return getattr(resolve(request.path_info).func, "takes_files", False)
        except Resolver404:
            return False
