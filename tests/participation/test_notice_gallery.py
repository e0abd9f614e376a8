"""Every kind of e-mail to look at: made up, complete, and in a frame that can do nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from participation.admin.notice_gallery import WORDS, samples
from participation.models import Notice
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(db: None) -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def test_every_kind_is_there_alone_and_in_the_daily_e_mail() -> None:
    assert set(WORDS) == set(Notice.Kind)
    assert set(samples()) == {
        *(kind.value for kind in Notice.Kind),
        *(f"{kind.value}-samlet" for kind in Notice.Kind),
        "uden-konto",
    }


def test_the_list_leads_to_all_of_them(office: Client) -> None:
    assert reverse("admin:notice-gallery") in office.get(reverse("admin:settings")).content.decode()
    page = office.get(reverse("admin:notice-gallery")).content.decode()
    for key in samples():
        assert reverse("admin:notice-sample", args=[key]) in page


@pytest.mark.parametrize("key", sorted(samples()))
def test_each_is_shown_as_text_and_in_a_frame(office: Client, key: str) -> None:
    mail = samples()[key].mail()
    shown = office.get(reverse("admin:notice-sample", args=[key]))
    page = shown.content.decode()
    address = reverse("admin:notice-sample-html", args=[key])
    assert f'src="{address}"' in page
    assert " sandbox" in page[page.index("<iframe") : page.index("</iframe>")]
    assert "frame-src 'self'" in shown["Content-Security-Policy"]
    framed = office.get(address)
    assert "sandbox;" in framed["Content-Security-Policy"]
    assert "default-src 'none'" in framed["Content-Security-Policy"]
    assert ("List-Unsubscribe" in mail.extra_headers) == (key != "uden-konto")
    for kind in samples()[key].kinds:
        assert str(WORDS[kind][0]) in framed.content.decode()


def test_nothing_is_read_and_nothing_sent(office: Client, mailoutbox: list[object]) -> None:
    Notice.objects.all().delete()
    for key in samples():
        office.get(reverse("admin:notice-sample", args=[key]))
    assert mailoutbox == []
    assert office.get(reverse("admin:notice-sample", args=["findes-ikke"])).status_code == 404
