"""My page and the two buttons to sign in. Under /en/ in English."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("min-side/", views.my_page_view, name="my-page"),
    path("min-side/indstillinger/", views.my_settings, name="my-settings"),
    path("min-side/mine-data/", views.download_my_data, name="my-data"),
    path("min-side/slet/", views.delete_account, name="delete-account"),
    path("min-side/log-ud-overalt/", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("konto/mitid/", views.mitid_login, name="mitid-login"),
    path("konto/medarbejder/", views.staff_login, name="staff-login"),
    path("konto/logget-ud/", views.signed_out, name="signed-out"),
    path("om/persondata/", views.privacy, name="privacy"),
]
