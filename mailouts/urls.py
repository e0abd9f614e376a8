from django.urls import path

from mailouts import views

app_name = "mailouts"

urlpatterns = [path("kvitteringer/", views.take_receipt, name="take-receipt")]
