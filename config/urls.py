"""Danish addresses for people, stable forever; English under /en/."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("konto/", include("allauth.urls")),
    *i18n_patterns(
        path("stil/", include("dkfds.urls")),
        prefix_default_language=False,
    ),
]

handler400 = "dkfds.errors.bad_request"
handler403 = "dkfds.errors.permission_denied"
handler404 = "dkfds.errors.not_found"
handler500 = "dkfds.errors.server_error"
