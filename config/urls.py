"""Danish addresses for people, stable forever; English under /en/."""

from allauth.account.decorators import secure_admin_login
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from accounts.sign_in_urls import callback_urlpatterns

# One way in: the admin has no sign-in of its own, so nobody passes the second factor by.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("digital-post/", include("mailouts.urls")),
    *callback_urlpatterns,
    *i18n_patterns(
        path("konto/", include("accounts.sign_in_urls")),
        path("", include("accounts.urls")),
        path("stil/", include("dkfds.urls")),
        path("", include("participation.urls")),
        path("afstemningssted/", include("budgets.polling_urls")),
        path("", include("budgets.site_urls")),
        path("borgerbudget/<slug:slug>/", include("budgets.urls")),
        prefix_default_language=False,
    ),
]

handler400 = "dkfds.errors.bad_request"
handler403 = "dkfds.errors.permission_denied"
handler404 = "dkfds.errors.not_found"
handler500 = "dkfds.errors.server_error"
