"""Addresses of the polling places, under /afstemningssted/: for their officers, and for those who count the papers."""

from django.urls import path

from budgets.views import papers, polling

app_name = "polling"

urlpatterns = [
    path("", polling.places, name="places"),
    path("<int:pk>/", polling.place, name="place"),
    path("<int:pk>/vaelger/", polling.voter, name="voter"),
    path("<int:pk>/kryds/", polling.mark, name="mark"),
    path("<int:pk>/fortryd/", polling.undo, name="undo"),
    path("<int:pk>/haendelse/", polling.incident, name="incident"),
    path("<int:pk>/sedler/", papers.bundles, name="bundles"),
    path("<int:pk>/sedler/<int:number>/", papers.bundle, name="bundle"),
    path("<int:pk>/opgoerelse/", papers.account, name="account"),
]
