"""Pages about every citizen budget at once: the money, and year by year."""

from django.urls import path

from budgets.views import money

app_name = "money"

urlpatterns = [
    path("penge/", money.overview, name="overview"),
    path("penge/penge.csv", money.file, name="file"),
    path("aar-for-aar/", money.year_by_year, name="years"),
]
