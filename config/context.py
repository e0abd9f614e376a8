"""What every page knows: whose portal this is."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {"municipality": settings.MUNICIPALITY, "site_url": settings.SITE_URL}
