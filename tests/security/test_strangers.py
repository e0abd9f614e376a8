"""Other people's things, reached by their addresses and tokens; and what people write, read as code by nobody."""

import csv
import io
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.verdict import Refused
from budgets import ballots, election
from participation import notices
from participation.actions import contributions as giving
from participation.actions import outcomes
from participation.actions import process as setting_up
from participation.models import Draft, NoticePreference
from participation.notice_mail import message
from tests.accounts.factories import make_citizen, make_staff, make_unit
from tests.budgets.factories import make_project, make_round, make_voter
from tests.factories import make_process, make_worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "{{ 7|add:7 }}{% debug %}",
    '#eval("1+1")',
    'http://a.example/"onmouseover=alert(1)',
    "data:text/html;base64,PHNjcmlwdD4=",
]


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def process() -> Any:
    return make_process(status="open", phase="ideas")


def test_a_signed_in_person_s_draft_opens_for_nobody_else(process: Any) -> None:
    author, stranger = make_citizen(), make_citizen()
    token = giving.save_draft(process=process, by=author, data={"title": ["Hemmelig bænk"]})
    address = reverse("participation:contribute", args=[process.slug])
    for other in (Client(), client_of(stranger)):
        assert "Hemmelig" not in other.get(f"{address}?kladde={token}").content.decode()
        other.post(reverse("participation:contribute-forget", args=[process.slug]) + f"?kladde={token}")
        other.post(f"{address}?kladde={token}", {"title": "Overtaget", "save": "1"})
    assert Draft.objects.get(token_hash=giving.token_hash(token)).data == {"title": ["Hemmelig bænk"]}
    assert "Hemmelig" in client_of(author).get(f"{address}?kladde={token}").content.decode()


def test_the_database_holds_no_draft_s_key(process: Any) -> None:
    token = giving.save_draft(process=process, by=None, data={"title": ["Bænk"]})
    assert len(token) >= 32
    assert token not in str(list(Draft.objects.values()))


def test_a_draft_opens_only_its_own_process(process: Any) -> None:
    token = giving.save_draft(process=process, by=None, data={"title": ["Bænk"]})
    other = make_process(status="open", phase="ideas")
    assert giving.draft_by_token(token, None, process=other) is None


@pytest.mark.parametrize(
    "name", ["contribution-receipt", "contribution-receipt-pdf", "contribution-edit", "contribution-withdraw"]
)
def test_what_only_the_author_has_is_missing_for_others(name: str) -> None:
    project = make_project(
        make_process(status="open", phase="ideas"), author=make_citizen(), assessment="undecided"
    )
    contribution = project.contribution
    address = reverse(f"participation:{name}", args=[contribution.process.slug, contribution.public_id])
    assert client_of(contribution.author).get(address).status_code == 200
    assert client_of(make_citizen()).get(address).status_code == 404
    elsewhere = make_process(status="open", phase="ideas")
    assert (
        client_of(contribution.author)
        .get(address.replace(contribution.process.slug, elsewhere.slug))
        .status_code
        == 404
    )


def test_stopping_e_mails_takes_this_person_s_own_signature() -> None:
    user, other = make_citizen(), make_citizen()
    token = notices.unsubscribe_token(user)
    assert notices.user_of_token(token) == user
    forged = [
        signing.dumps(user.pk),
        signing.dumps(user.pk, salt="another"),
        signing.dumps(user.pk, key="guess", salt="participation.notices.unsubscribe"),
        notices.unsubscribe_token(other).split(":", 1)[0] + ":" + token.split(":", 1)[1],
        str(user.pk),
        token[:-1],
        "",
    ]
    for attempt in forged:
        assert notices.user_of_token(attempt) != user
        response = Client().post(f"/beskeder/afmeld/{attempt or 'x'}/")
        assert response.status_code in {200, 404}
    assert not NoticePreference.objects.filter(user=user).exists()


def test_a_tracker_code_of_another_voter_or_round_is_refused() -> None:
    round, other_round = make_round(), make_round()
    voter, other = make_voter(), make_voter()
    signed = ballots.sign_tracker(ballots.new_tracker(), round=round, by=voter)
    assert ballots.unsign_tracker(signed, round=round, by=voter)
    for by, where in ((other, round), (voter, other_round)):
        with pytest.raises(Refused):
            ballots.unsign_tracker(signed, round=where, by=by)


def test_codes_can_t_be_guessed_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from budgets.views import result

    monkeypatch.setattr(result, "LOOK_UPS", 3)
    round = make_round()
    monkeypatch.setattr(result.Round.objects.__class__, "sealed", lambda self: self.all(), raising=False)
    address = reverse("budgets:tracker", args=[round.process.slug])
    client = Client()
    said = [client.post(address, {"code": ballots.new_tracker()}).content.decode() for _attempt in range(4)]
    assert "many times" not in said[2]
    assert "many times" in said[3]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_write_is_text_everywhere(hostile: str) -> None:
    author = make_citizen(first_name=hostile[:40])
    project = make_project(
        make_process(status="open", phase="ideas"),
        author=author,
        title=hostile,
        body=hostile * 2,
        assessment="undecided",
    )
    process = project.contribution.process
    worker = process.author
    outcomes.publish_news(process=process, by=worker, title=hostile, text=hostile)
    pages = [
        project.contribution.get_absolute_url(),
        reverse("participation:contribution-list", args=[process.slug]),
        process.get_absolute_url(),
        reverse("budgets:projects", args=[process.slug]),
        f"/admin/forloeb/{process.pk}/bidrag/",
        f"/admin/forloeb/{process.pk}/nyt/",
    ]
    client = client_of(make_staff("caseworker", units=[process.unit]))
    for page in pages:
        response = client.get(page)
        if response.status_code == 404 and page.startswith("/admin/"):
            continue
        assert response.status_code == 200, page
        body = response.content.decode()
        for live in (
            "<script>alert",
            "<img src=x",
            'href="javascript:',
            "href='javascript:",
            'href="data:',
            '"onmouseover=',
        ):
            assert live not in body, page
        assert not re.search(r"<[^>]+\son\w+=", body), page
    feed = client.get(reverse("participation:process-news-feed", args=[process.slug]))
    ElementTree.fromstring(feed.content)


def test_a_sign_that_xml_refuses_never_reaches_a_feed() -> None:
    """Word's own line break is one (U+000B): pasted into a form it would take the feed down."""
    unit = make_unit()
    worker = make_worker(unit)
    process = make_process(status="draft", unit=unit, author=worker)
    with pytest.raises(Refused):
        setting_up.update_process(
            process=process, by=worker, version=process.version, fields={"introduction": "To\x0blinjer"}
        )
    with pytest.raises(Refused):
        outcomes.publish_news(
            process=make_process(status="open", unit=unit, author=worker),
            by=worker,
            title="To\x0blinjer",
            text="x",
        )


def test_a_subject_can_t_carry_another_header() -> None:
    process = make_process(status="open", phase="ideas")
    user = make_citizen()
    notices.tell(
        users=[user],
        event="x",
        kind="news",
        title="Nyt\r\nBcc: all@evil.example",
        text="x",
        url="/",
        process=process,
    )
    from participation.models import Notice

    mail = message(list(Notice.objects.filter(user=user)), user, "karen@example.dk")
    sent = mail.message()
    assert sent["Bcc"] is None
    assert sent["Subject"] == "Nyt Bcc: all@evil.example"


@pytest.mark.parametrize("title", ['=HYPERLINK("https://evil.example")', "+1+1", "-1+1", "@SUM(1)"])
def test_a_title_is_no_formula_in_a_spreadsheet(title: str) -> None:
    round = make_round()
    counted = election.elections_of(round)[""]
    renamed = replace(counted, projects=[replace(project, name=title) for project in counted.projects])
    rows = list(csv.reader(io.StringIO(election._totals(round, renamed)), delimiter=";"))
    assert {row[-1] for row in rows[1:]} == {f"'{title}"}
