"""Addresses of a citizen budget, under /borgerbudget/<slug>/."""

from django.urls import path

from budgets.views import codes, implementation, projects, result, voting, voting_day

app_name = "budgets"

urlpatterns = [
    path("stem/", voting.vote, name="vote"),
    path("stem/kvittering.pdf", voting.receipt_pdf, name="vote-receipt-pdf"),
    path("kode/", codes.vote, name="code"),
    path("stem/bagefter/", voting.after_vote, name="vote-after"),
    path("projekter/", projects.project_list, name="projects"),
    path("projekter/<uuid:public_id>/ret-til/", projects.project_adjust, name="project-adjust"),
    path("projekter/<uuid:public_id>/fortael/", implementation.tell, name="project-tell"),
    path("projekter/<uuid:public_id>/bilag/", implementation.spend, name="project-spend"),
    path("resultat/", result.result, name="result"),
    path("resultat/runde/<int:number>/", result.round_result, name="result-round"),
    path("resultat/stemmer.pb", result.votes_file, name="votes-file"),
    path("resultat/runde/<int:number>/stemmer.pb", result.votes_file, name="votes-file-round"),
    path("resultat/runde/<int:number>/stemmer-<slug:pot>.pb", result.votes_file, name="votes-file-pot"),
    path("resultat/recount.py", result.recount, name="recount"),
    path("kontrolkode/", result.tracker, name="tracker"),
    path("afstemningen/", voting_day.voting_day, name="voting-day"),
    path("kan-jeg-stemme/", voting.can_i_vote, name="can-i-vote"),
]
