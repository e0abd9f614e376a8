"""The stand-in Digital Post: as strict as the real one, as bad as asked, and telling what it has."""

import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page

from config import digital_post_pages, digital_post_stand_in, production
from config.digital_post_stand_in import STATUSES, StandIn, changed
from mailouts.gateway import Choice, NotTaken, Paper, Service, Unanswered
from mailouts.sf1601 import KombiPost
from mailouts.signatures import MOMENT_HEADER, SIGNATURE_HEADER, is_genuine
from tests.letters import ANNA, BO, PDF, letter, text_message
from tests.patience import PATIENCE, wait_for

SECRET = "hemmeligt"
NS = "{http://serviceplatformen.dk/xml/print/PKO_PostStatus/1/types}"


class Portal(ThreadingHTTPServer):
    """Takes receipts, and answers as told."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(inner) -> None:
                body = inner.rfile.read(int(inner.headers["Content-Length"]))
                assert inner.path == "/digital-post/kvitteringer/"
                self.got.append((dict(inner.headers), body))
                inner.send_response(self.statuses.pop(0) if self.statuses else 204)
                inner.send_header("Content-Length", "0")
                inner.end_headers()

            def log_message(inner, *_: Any) -> None: ...

        super().__init__(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def receipts(self) -> list[dict[str, str]]:
        return [
            {each.tag.removeprefix(NS): each.text or "" for each in ElementTree.fromstring(body).iter()}
            for _, body in list(self.got)
        ]

    def statuses_of(self, uuid: UUID) -> list[str]:
        names = {code: name for name, (code, _) in STATUSES.items()}
        return [
            names[each["TransaktionsStatusKode"]]
            for each in self.receipts()
            if each["MessageUUID"] == str(uuid)
        ]


@pytest.fixture
def portal() -> Iterator[Portal]:
    made = Portal()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def stand_in(tmp_path: Path, portal: Portal) -> Iterator[StandIn]:
    made = digital_post_stand_in.serve(
        "127.0.0.1", 0, tmp_path / "post", portal=f"http://127.0.0.1:{portal.server_port}", secret=SECRET
    )
    made.change({"receipt_delay": 0.05})
    yield made
    made.stop()


@pytest.fixture
def gateway(stand_in: StandIn, settings: Any) -> Iterator[KombiPost]:
    settings.DIGITAL_POST = {**settings.DIGITAL_POST, "url": stand_in.url, "timeout": 0.5}
    made = KombiPost()
    yield made
    made.close()


def send(gateway: KombiPost, number: str = BO, uuid: UUID | None = None, **more: Any) -> UUID:
    uuid = uuid or uuid4()
    gateway.send(letter(number, uuid=uuid, **more), uuid=uuid, choice=Choice.DIGITAL)
    return uuid


def get(stand_in: StandIn, path: str) -> Any:
    return json.loads(see(stand_in, path)[1])


def see(stand_in: StandIn, path: str) -> tuple[Any, str]:
    request = urllib.request.Request(stand_in.url + path, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.headers, answer.read().decode()


def post(stand_in: StandIn, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(stand_in.url + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


# Taking letters


def test_letters_are_taken_kept_and_counted(gateway: KombiPost, stand_in: StandIn) -> None:
    first = send(gateway, BO)
    send(gateway, ANNA)
    send(gateway, BO, label="Nummer to")
    sms = uuid4()
    gateway.send(text_message(BO, uuid=sms), uuid=sms, choice=Choice.NEMSMS)
    found = get(stand_in, "/tal.json")
    assert (found["letters"], found["uuids"], found["recipients"], found["recipients_with_several"]) == (
        4,
        4,
        2,
        1,
    )
    assert found["channels"] == {"digital": 3, "nemsms": 1}
    listed = get(stand_in, f"/breve.json?modtager={BO}&antal=2")
    assert [each["label"] for each in listed] == ["Stem om budgettet", "Nummer to"]
    assert listed[0]["uuid"] == str(first)
    assert [each["channel"] for each in get(stand_in, f"/breve.json?efter={listed[1]['id']}")] == ["nemsms"]
    assert post(stand_in, "/glem", b"")[0] == 200
    assert get(stand_in, "/tal.json")["letters"] == 0


def test_what_it_took_is_there_after_another_start(
    gateway: KombiPost, stand_in: StandIn, tmp_path: Path, settings: Any
) -> None:
    send(gateway)
    again = digital_post_stand_in.serve("127.0.0.1", 0, tmp_path / "post")
    assert get(again, "/tal.json")["letters"] == 1
    again.stop()


@pytest.mark.parametrize(("deduplicate", "letters"), [(True, 1), (False, 2)])
def test_the_same_message_twice(
    gateway: KombiPost, stand_in: StandIn, deduplicate: bool, letters: int
) -> None:
    stand_in.change({"deduplicate": deduplicate})
    uuid = send(gateway)
    send(gateway, uuid=uuid)
    found = get(stand_in, "/tal.json")
    assert (found["letters"], found["uuids"], found["recipients_with_several"]) == (letters, 1, letters - 1)


def test_a_message_that_breaks_the_facts_is_refused_with_the_reasons(gateway: KombiPost) -> None:
    bad = letter("9999999999").replace(b"brev.html", b"brev?.html")
    with pytest.raises(NotTaken, match=r"400: BELD-400.*Recipient.*\|.*filename") as told:
        gateway.send(bad, uuid=uuid4(), choice=Choice.DIGITAL)
    assert told.value.final
    assert "9999999999" not in str(told.value)
    with pytest.raises(NotTaken, match="messageType"):
        gateway.send(text_message(), uuid=uuid4(), choice=Choice.DIGITAL)
    with pytest.raises(NotTaken, match="XML"):
        gateway.send(b"<memo:Message>", uuid=uuid4(), choice=Choice.DIGITAL)


def test_paper_is_taken_for_those_without_digital_post(gateway: KombiPost, stand_in: StandIn) -> None:
    stand_in.change({"unregistered": [BO]})
    for number in (ANNA, BO):
        uuid = uuid4()
        gateway.send(
            letter(number, uuid=uuid), uuid=uuid, choice=Choice.AUTOMATIC, paper=Paper(uuid.hex, PDF)
        )
    assert get(stand_in, "/tal.json")["channels"] == {"digital": 1, "paper": 1}
    with pytest.raises(NotTaken, match="PDF") as told:
        gateway.send(letter(), uuid=uuid4(), choice=Choice.PHYSICAL, paper=Paper("x", b"hej"))
    assert told.value.final


def test_who_is_registered_can_be_chosen(gateway: KombiPost, stand_in: StandIn) -> None:
    stand_in.change({"unregistered": [ANNA], "no_sms": ["0303030304"]})
    assert gateway.is_registered(BO, Service.DIGITAL_POST)
    assert not gateway.is_registered(ANNA, Service.DIGITAL_POST)
    assert gateway.is_registered(BO, Service.NEMSMS)
    assert not gateway.is_registered(ANNA, Service.NEMSMS)
    assert not gateway.is_registered("0303030304", Service.NEMSMS)


def test_a_token_that_it_forgot_is_renewed(gateway: KombiPost, stand_in: StandIn) -> None:
    send(gateway)
    stand_in.tokens.clear()
    send(gateway)
    found = get(stand_in, "/tal.json")
    assert (found["letters"], found["counts"]) == (2, {"unauthorised": 1})


# Mishaps


@pytest.mark.parametrize(
    ("mishap", "raised", "letters"),
    [
        ({"fail": 1}, NotTaken, 0),
        ({"busy": True}, NotTaken, 0),
        ({"lose": 1}, Unanswered, 0),
        ({"time_out": 1}, Unanswered, 1),
        ({"cut": 1}, Unanswered, 1),
        ({"answer_delay": 0.8}, Unanswered, 1),
        ({"lose": 1, "hold": 0.1}, Unanswered, 0),
    ],
)
def test_a_bad_day(
    gateway: KombiPost, stand_in: StandIn, mishap: dict[str, Any], raised: type[Exception], letters: int
) -> None:
    send(gateway, ANNA)
    stand_in.change(mishap)
    with pytest.raises(raised) as told:
        send(gateway, BO)
    if isinstance(told.value, NotTaken):
        assert (told.value.final, told.value.gateway) == (False, "busy" in mishap)
    wait_for(lambda: get(stand_in, "/tal.json")["letters"] == 1 + letters)
    stand_in.change(dict.fromkeys(mishap, 0.0) | {"busy": False, "hold": 60.0})
    send(gateway, ANNA)


def test_chances_are_the_same_for_the_same_seed(stand_in: StandIn) -> None:
    def chances() -> list[str]:
        stand_in.change({"seed": 7, "fail": 0.3, "cut": 0.3})
        return [stand_in.mishap() for _ in range(200)]

    first = chances()
    assert chances() == first
    assert {name: 40 < first.count(name) < 100 for name in ("fail", "cut", "")} == dict.fromkeys(
        ("fail", "cut", ""), True
    )


@pytest.mark.parametrize(
    "asked", [{"ukendt": 1}, {"fail": "1"}, {"fail": -1}, {"fail": 0.6, "cut": 0.6}, {"busy": 1}, {"receipts": "x"}, []]
)  # fmt: skip
def test_what_it_cannot_be_asked(stand_in: StandIn, asked: Any) -> None:
    before = get_json(stand_in, "/styring")
    assert post(stand_in, "/styring", json.dumps(asked).encode())[0] == 400
    assert get_json(stand_in, "/styring") == before


def get_json(stand_in: StandIn, path: str) -> Any:
    with urllib.request.urlopen(stand_in.url + path, timeout=PATIENCE) as answer:
        return json.load(answer)


def test_it_is_steered_by_json_and_by_the_form(stand_in: StandIn) -> None:
    status, said = post(stand_in, "/styring", b'{"fail": 0.25, "fail_recipients": {"0101010101": "Lukket"}}')
    assert status == 200
    assert json.loads(said)["fail"] == 0.25
    shown = see(stand_in, "/styring")[1]
    assert 'value="0,25"' in shown
    assert "0101010101 Lukket" in shown
    form = {
        "fail": "0,5",
        "busy": "on",
        "unregistered": "0101010101\r\n0202020202",
        "fail_recipients": "0202020202",
    }
    values = {
        **{name: "0" for name in digital_post_pages.FIELDS},
        "receipts": "last",
        "status_as": "uuid",
        "fail_reason": "Væk",
    }
    values |= {"unregistered": "", "no_sms": "", "fail_recipients": ""} | form
    del values["deduplicate"]
    kind = "application/x-www-form-urlencoded"
    assert (
        post(stand_in, "/styring", urllib.parse.urlencode(values).encode(), **{"Content-Type": kind})[0]
        == 200
    )
    found = get_json(stand_in, "/styring")
    assert (found["fail"], found["busy"], found["deduplicate"], found["receipts"]) == (
        0.5,
        True,
        False,
        "last",
    )
    assert found["unregistered"] == ["0101010101", "0202020202"]
    values["fail"] = "meget"
    status, said = post(
        stand_in, "/styring", urllib.parse.urlencode(values).encode(), **{"Content-Type": kind}
    )
    assert (status, b"fail skal v\xc3\xa6re et tal" in said) == (400, True)
    assert post(stand_in, "/glem", b"", Origin="https://andre.example.dk")[0] == 403


def test_every_wish_is_in_the_form() -> None:
    assert set(digital_post_pages.FIELDS) == set(digital_post_stand_in.Control.__dataclass_fields__)
    assert changed(digital_post_stand_in.Control(), {"hold": 1}).hold == 1.0


# Receipts


def test_receipts_are_signed_and_say_how_it_went(
    gateway: KombiPost, stand_in: StandIn, portal: Portal
) -> None:
    stand_in.change({"fail_recipients": {ANNA: "Modtageren er fritaget"}})
    well, badly = send(gateway, BO), send(gateway, ANNA)
    wait_for(lambda: len(portal.got) == 4)
    assert portal.statuses_of(well) == ["received", "delivered"]
    assert portal.statuses_of(badly) == ["received", "failed"]
    last = next(each for each in portal.receipts() if each["TransaktionsStatusKode"] == STATUSES["failed"][0])
    assert (last["FejlKode"], last["FejlTekst"]) == ("100", "Modtageren er fritaget")
    assert len({each["TransaktionsId"] for each in portal.receipts()}) == 4
    for headers, body in portal.got:
        moment, signed = int(headers[MOMENT_HEADER]), headers[SIGNATURE_HEADER]
        assert is_genuine(body, moment=moment, signed=signed, secret=SECRET)
        assert not is_genuine(body + b" ", moment=moment, signed=signed, secret=SECRET)
    wait_for(lambda: get(stand_in, "/tal.json")["receipts_waiting"] == 0)
    assert get(stand_in, "/tal.json")["failed"] == 1


def test_a_receipt_comes_again_until_the_portal_has_it(
    gateway: KombiPost, stand_in: StandIn, portal: Portal
) -> None:
    stand_in.change({"receipts": "last"})
    portal.statuses = [503, 302, 409]
    send(gateway)
    wait_for(lambda: get(stand_in, "/tal.json")["receipts_waiting"] == 0)
    assert len(portal.got) == 3
    assert len({each["TransaktionsId"] for each in portal.receipts()}) == 1


def test_receipts_come_twice_late_out_of_order_or_not(
    gateway: KombiPost, stand_in: StandIn, portal: Portal
) -> None:
    stand_in.change({"twice": 1, "receipts": "last", "receipt_delay": 0.0})
    twice = send(gateway)
    wait_for(lambda: len(portal.got) == 2)
    assert len({each["TransaktionsId"] for each in portal.receipts()}) == 1
    stand_in.change({"twice": 0, "receipts": "both", "out_of_order": 1, "receipt_delay": 0.15})
    swapped = send(gateway)
    wait_for(lambda: len(portal.got) == 4)
    assert portal.statuses_of(twice) == ["delivered", "delivered"]
    assert portal.statuses_of(swapped) == ["delivered", "received"]
    stand_in.change({"late": 1, "late_by": 60})
    send(gateway)
    assert get(stand_in, "/tal.json")["receipts_waiting"] == 2
    stand_in.change({"receipts": "none"})
    send(gateway)
    assert get(stand_in, "/tal.json")["receipts_waiting"] == 2


def test_text_messages_to_those_without_fail_in_the_end(
    gateway: KombiPost, stand_in: StandIn, portal: Portal
) -> None:
    stand_in.change({"receipts": "last", "status_as": "text"})
    uuid = uuid4()
    gateway.send(text_message(ANNA, uuid=uuid), uuid=uuid, choice=Choice.NEMSMS)
    wait_for(lambda: len(portal.got) == 1)
    (receipt,) = portal.receipts()
    assert (receipt["TransaktionsStatusKode"], receipt["KanalKode"]) == ("Fejlet", "NemSMS")


# Pages


def test_a_letter_is_shown_as_its_recipient_sees_it(gateway: KombiPost, stand_in: StandIn) -> None:
    stand_in.portal = "http://localhost:8000"
    send(gateway, BO, rich=True, label="Stem <nu>")
    front = see(stand_in, "/")[1]
    assert "Stem &lt;nu&gt;" in front
    assert "020202-xxxx" in front
    inbox = re.search(r"/indbakke/\d+", front)
    assert inbox
    assert "Ulæst" in see(stand_in, inbox[0])[1]
    which = re.search(r"/brev/\d+", front)
    assert which
    headers, shown = see(stand_in, which[0])
    assert headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'self'; frame-src 'self'"
    )
    assert 'href="http://localhost:8000/budget/stem/"' in shown
    assert "Møde om havnen" in shown
    assert "03.02.2027 kl. 18.00 til 20.00" in shown
    assert "Rådhuset, lokale 2" in shown
    assert "allow-scripts" not in shown
    assert "Ulæst" not in see(stand_in, inbox[0])[1]
    headers, document = see(stand_in, f"{which[0]}/dokument/0")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert '<base target="_top">' in document
    assert 'href="http://localhost:8000/b"' in document
    headers, attached = see(stand_in, f"{which[0]}/fil/1")
    assert attached.encode() == PDF
    assert headers["Content-Disposition"].startswith("attachment")
    calendar = see(stand_in, f"{which[0]}/kalender/1")[1]
    assert "DTSTART:20270203T170000Z" in calendar
    for path in ("/", inbox[0], which[0], "/styring"):
        headers, shown = see(stand_in, path)
        assert BO not in shown
        assert "<script" not in shown
        assert '<html lang="da">' in shown
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_text_message_is_a_bubble_and_paper_a_pdf(gateway: KombiPost, stand_in: StandIn) -> None:
    sms, paper = uuid4(), uuid4()
    gateway.send(text_message(uuid=sms, text="Husk <3"), uuid=sms, choice=Choice.NEMSMS)
    gateway.send(letter(uuid=paper), uuid=paper, choice=Choice.PHYSICAL, paper=Paper("A1", PDF))
    assert '<p class="bubble">Husk &lt;3</p>' in see(stand_in, "/brev/1")[1]
    assert "/brev/2/papir" in see(stand_in, "/brev/2")[1]
    assert see(stand_in, "/brev/2/papir")[1].encode() == PDF


def test_an_inbox_is_found_by_number_and_named_by_none(gateway: KombiPost, stand_in: StandIn) -> None:
    send(gateway, BO)
    request = urllib.request.Request(f"{stand_in.url}/indbakke", data=b"nummer=020202-0202")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.url == f"{stand_in.url}/indbakke/1"


@pytest.mark.parametrize(
    "path", ["/ingen", "/brev/1", "/brev/x", "/indbakke/9", "/brev/1/fil/0", "/service/x"]
)
def test_what_is_not_there_is_404(stand_in: StandIn, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        see(stand_in, path)
    refused.value.close()


def test_letters_can_be_kept_without_their_contents(gateway: KombiPost, stand_in: StandIn) -> None:
    stand_in.change({"keep_contents": False})
    send(gateway)
    assert "Indholdet er ikke gemt" in see(stand_in, "/brev/1")[1]


def test_the_demos_clock_is_followed(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("2031-02-03T10:00:00+00:00")
    assert digital_post_stand_in.moved_now(str(tmp_path / "clock")).year == 2031


@pytest.mark.parametrize(
    ("url", "refused"),
    [("", False), ("https://exttest.serviceplatformen.dk", False), ("http://post.example.dk", True), ("https://localhost:9500", True)],
)  # fmt: skip
def test_a_public_portal_refuses_a_stand_in(url: str, refused: bool) -> None:
    found = production.stand_ins(demo=False, clock_file="", issuers={}, post=url)
    assert bool(found) is refused


def test_the_pages_are_for_everybody_and_a_letters_links_lead_out_of_it(
    page: Page, axe: Callable[..., None], gateway: KombiPost, stand_in: StandIn
) -> None:
    stand_in.portal = stand_in.url
    here = stand_in.url.replace("http://", "https://")
    send(
        gateway,
        BO,
        rich=True,
        html=f'<!doctype html><html lang="da"><p><a href="{here}/styring">Se mere</a></p>',
    )
    sms, paper = uuid4(), uuid4()
    gateway.send(text_message(uuid=sms), uuid=sms, choice=Choice.NEMSMS)
    gateway.send(letter(uuid=paper), uuid=paper, choice=Choice.PHYSICAL, paper=Paper("A1", PDF))
    for path in ("/", "/indbakke/1", "/brev/1", "/brev/2", "/brev/3", "/styring", "/ingen"):
        page.goto(stand_in.url + path)
        axe(page)
    page.goto(f"{stand_in.url}/brev/1")
    page.frame_locator("iframe").get_by_role("link", name="Se mere").click()
    page.wait_for_url("**/styring")
    page.get_by_label("Svar 503 på alt").check()
    page.get_by_role("button", name="Gem").click()
    assert stand_in.control.busy
