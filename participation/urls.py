"""Danish addresses for people, stable forever."""

from django.urls import path

from participation.views import public, syndication

app_name = "participation"

urlpatterns = [
    path("", public.front, name="front"),
    path("forloeb/", public.process_list, name="process-list"),
    path("forloeb.atom", syndication.ProcessesFeed(), name="process-feed"),
    path("forloeb/<slug:slug>/", public.process_detail, name="process-detail"),
    path("forloeb/<slug:slug>/nyt.atom", syndication.ProcessNewsFeed(), name="process-news-feed"),
    path("forloeb/<slug:slug>/kalender.ics", syndication.calendar, name="process-calendar"),
    path("samlet/<slug:slug>/", public.programme_detail, name="programme-detail"),
    path("resultater/", public.results, name="results"),
    path("har-du-en-ide/", public.have_an_idea, name="have-an-idea"),
    path("om/", public.about, name="about"),
    path("was/", public.accessibility, name="accessibility"),
    path("persondata/", public.privacy, name="privacy"),
    path("debatregler/", public.debate_rules, name="debate-rules"),
    path("aabne-data/", public.open_data, name="open-data"),
]
