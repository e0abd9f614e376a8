"""The line is cut between the mark and its answer: against a real server, through a line that swallows answers."""

import http.client
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from budgets.models import Roll
from tests.accounts.factories import make_staff
from tests.budgets.places import make_place, resident
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
CSRF = "a" * 32


class Line(ThreadingHTTPServer):
    """Passes everything on to the server; of marks it swallows as many requests or answers as it is told."""

    daemon_threads = True

    def __init__(self, upstream):
        self.upstream = urlsplit(upstream)
        self.swallow_answers = self.swallow_requests = 0
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def pass_on(self):
        line = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_mark = self.command == "POST" and self.path.endswith("/kryds/")
        if is_mark and line.swallow_requests:
            line.swallow_requests -= 1
            return self.cut()
        upstream = http.client.HTTPConnection(line.upstream.hostname, line.upstream.port, timeout=PATIENCE)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if is_mark and line.swallow_answers:
            line.swallow_answers -= 1
            return self.cut()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    def cut(self):
        self.close_connection = True
        self.connection.close()

    def finish(self):
        if not self.wfile.closed:
            try:
                super().finish()
            except OSError:
                pass

    do_GET = do_POST = pass_on

    def log_message(self, *args):
        pass


@pytest.fixture
def line(web_process):
    line = Line(web_process(workers=2, threads=4).url)
    thread = threading.Thread(target=line.serve_forever)
    thread.start()
    yield line
    line.shutdown()
    line.server_close()
    thread.join(PATIENCE)


@pytest.fixture
def place():
    return make_place(officers=[make_staff("polling_officer")])


def said(words):
    """In whichever language the server answers."""
    found = []
    for language in ("da", "en"):
        with translation.override(language):
            found.append(gettext(words))
    return found


MARKED = "Hand out the ballot paper now."
AGAIN = "It was marked in this very attempt: hand out the ballot paper if you haven't done it."
VOTED = "Can't vote here now"


def session_of(user):
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def post(line, cookie, path, data):
    """What the officer sees: the page, or None when no answer came."""
    request = urllib.request.Request(
        line.url + path,
        urlencode(data | {"csrfmiddlewaretoken": CSRF}, doseq=True).encode(),
        {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}; csrftoken={CSRF}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except (OSError, http.client.HTTPException):
        return None


def form_for(line, cookie, place, who):
    born = who.birth_date
    page = post(
        line,
        cookie,
        reverse("polling:place", args=[place.pk]),
        {
            "by": "name",
            "name": who.name,
            "birth_date_day": born.day,
            "birth_date_month": born.month,
            "birth_date_year": born.year,
        },
    )
    person = re.search(r'name="person" value="([^"]+)"', page)[1]
    page = post(line, cookie, reverse("polling:voter", args=[place.pk]), {"person": person})
    attempt = re.search(r'name="attempt" value="([^"]+)"', page)[1]
    return {"person": person, "attempt": attempt}


def test_whatever_is_swallowed_sending_again_tells_the_truth(line, place):
    """Twenty voters over a line that loses the request, the answer, or both, one after the other."""
    cookie = session_of(place.officers.get())
    url = reverse("polling:mark", args=[place.pk])
    cuts = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 3)] * 4
    for number, (requests, answers) in enumerate(cuts):
        who = resident(name=f"Vælger {number}")
        form = form_for(line, cookie, place, who)
        line.swallow_requests, line.swallow_answers = requests, answers
        for _attempt in range(requests + answers):
            assert post(line, cookie, url, form) is None
            # in doubt on this side of the line, never on the other
            assert Roll.objects.filter(pk=form["attempt"]).exists() == (
                line.swallow_requests == 0 and answers > line.swallow_answers
            )
        page = post(line, cookie, url, form)
        words = AGAIN if answers else MARKED
        assert any(each in page.replace("&#x27;", "'") for each in said(words))
        assert not any(each in page.replace("&#x27;", "'") for each in said(VOTED))
        assert Roll.objects.get(pk=form["attempt"]).person_id == who.person_id
    assert Roll.objects.count() == len(cuts)


@pytest.mark.parametrize("swallowed", ["swallow_answers", "swallow_requests"])
def test_the_officer_is_told_that_nobody_knows_yet_and_asks_again(line, place, browser, swallowed):
    who = resident(name="Ida Holm")
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="da-DK")
    context.set_default_timeout(PATIENCE * 1000)
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session_of(place.officers.get()), "url": line.url}]
    )
    page = context.new_page()
    page.goto(line.url + reverse("polling:place", args=[place.pk]))
    for part, value in (("day", 17), ("month", 5), ("year", 1980)):
        page.fill(f"[name=birth_date_{part}]", str(value))
    page.fill("[name=name]", "Ida")
    page.locator("main form button").first.click()
    page.locator(".candidate button").click()
    page.wait_for_selector(".mark-button")
    setattr(line, swallowed, 2)
    page.locator(".mark-button").click()
    for _ in range(2):
        page.wait_for_selector("[data-doubt]:not([hidden]) button:enabled")
        assert not page.locator(".mark-button").is_visible()
        assert page.evaluate("document.activeElement.hasAttribute('data-ask-again')")
        assert page.inner_text("h1") in said("Not known yet")  # and no longer that the voter may vote
        page.locator("[data-ask-again]").click()
    page.wait_for_selector(".mark-done")
    shown = page.inner_text(".mark-done")
    words = AGAIN if swallowed == "swallow_answers" else MARKED
    assert any(each in shown for each in said(words))
    assert Roll.objects.get().person_id == who.person_id
    context.close()
