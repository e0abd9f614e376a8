"""Danish addresses for people, stable forever."""

from django.urls import path

from participation.views import (
    arguments,
    contributions,
    files,
    following,
    places,
    public,
    questions,
    search,
    syndication,
    team,
)

app_name = "participation"

_BID = "forloeb/<slug:slug>/bidrag/"
_ARGUMENTS = f"{_BID}<uuid:public_id>/argumenter/"
_ARGUMENT = f"{_ARGUMENTS}<uuid:argument>/"

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
    path("debatregler/", public.debate_rules, name="debate-rules"),
    path("aabne-data/", public.open_data, name="open-data"),
    path("distrikter.geojson", places.district_borders, name="district-borders"),
    path("soeg/", search.search_page, name="search"),
    path("forloeb/<slug:slug>/foelg/", following.follow, name="follow"),
    path("forloeb/<slug:slug>/kan-jeg-vaere-med/", contributions.can_i_take_part, name="can-i-take-part"),
    path(_BID, contributions.contribution_list, name="contribution-list"),
    path(f"{_BID}kort/", places.contribution_map, name="contribution-map"),
    path(f"{_BID}kort.geojson", places.contribution_points, name="contribution-points"),
    path(f"{_BID}nyt/", contributions.contribute, name="contribute"),
    path(f"{_BID}nyt/gennemse/", contributions.contribute_review, name="contribute-review"),
    path(f"{_BID}nyt/ligner/", contributions.contribute_similar, name="contribute-similar"),
    path(f"{_BID}nyt/slet/", contributions.forget_draft, name="contribute-forget"),
    path(f"{_BID}blanket.pdf", contributions.contribution_form_pdf, name="contribution-form-pdf"),
    path(f"{_BID}<uuid:public_id>/", contributions.contribution_detail, name="contribution-detail"),
    path(f"{_BID}<uuid:public_id>/ret/", contributions.contribution_edit, name="contribution-edit"),
    path(
        f"{_BID}<uuid:public_id>/traek-tilbage/",
        contributions.contribution_withdraw,
        name="contribution-withdraw",
    ),
    path(f"{_BID}<uuid:public_id>/anmeld/", contributions.contribution_report, name="contribution-report"),
    path(
        f"{_BID}<uuid:public_id>/kvittering/", contributions.contribution_receipt, name="contribution-receipt"
    ),
    path(
        f"{_BID}<uuid:public_id>/kvittering.pdf",
        contributions.contribution_receipt_pdf,
        name="contribution-receipt-pdf",
    ),
    path(
        f"{_BID}<uuid:public_id>/kvittering/valg/",
        contributions.after_receipt,
        name="contribution-after-receipt",
    ),
    path(f"{_BID}<uuid:public_id>/stillere/", team.contribution_team, name="contribution-team"),
    path(f"{_BID}<uuid:public_id>/stillere/forlad/", team.contribution_leave, name="contribution-leave"),
    path("medforslagsstiller/<str:token>/", team.invitation, name="co-author-invitation"),
    path(f"{_BID}<uuid:public_id>/stoet/", arguments.support, name="support"),
    path(_ARGUMENTS, arguments.argument_list, name="argument-list"),
    path(f"{_ARGUMENTS}nyt/", arguments.argument_write, name="argument-write"),
    path(_ARGUMENT, arguments.argument_detail, name="argument-detail"),
    path(f"{_ARGUMENT}svar/", arguments.argument_write, name="argument-reply"),
    path(f"{_ARGUMENT}nyttigt/", arguments.argument_rate, name="argument-rate"),
    path(f"{_ARGUMENT}ret/", arguments.argument_edit, name="argument-edit"),
    path(f"{_ARGUMENT}traek-tilbage/", arguments.argument_withdraw, name="argument-withdraw"),
    path(f"{_ARGUMENT}anmeld/", arguments.argument_report, name="argument-report"),
    path("forloeb/<slug:slug>/spoergsmaal/", questions.question_list, name="question-list"),
    path("forloeb/<slug:slug>/spoergsmaal/nyt/", questions.question_ask, name="question-ask"),
    path(
        "forloeb/<slug:slug>/spoergsmaal/blanket.pdf", questions.question_form_pdf, name="question-form-pdf"
    ),
    path("filer/<uuid:public_id>/<int:width>/<str:name>", files.photo, name="photo"),
    path("filer/<uuid:public_id>/<str:name>", files.file, name="file"),
    path("beskeder/hvor-tit/", following.set_rhythm, name="notices-rhythm"),
    path("beskeder/bekraeft-igen/", following.confirm_address_again, name="notices-confirm-again"),
    path("beskeder/laest/", following.notices_read, name="notices-read"),
    path("beskeder/spoerg-ikke/", following.stop_asking, name="stop-asking"),
    path("beskeder/afmeld/<str:token>/", following.unsubscribe, name="notices-unsubscribe"),
]
