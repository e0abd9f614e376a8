"""The mail sink, the codes, the stand-in MitID and the generated secrets: what only `make run` and tests use."""

import json
import smtplib
import stat
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests

from config import assets, environment, mail_sink, people, run
from config.services import free_port
from config.translations import faults
from tests.patience import PATIENCE

ANNA = people.Citizen("anna", "Anna Holm", "34 år, Nørreby", {"dk.cpr": "0101010101", "loa": "substantial"})
BO = people.Staff("Bo Lund", "Sagsbehandler", "bo@example.dk", "adgang", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, str]]:
    smtp, page = free_port(), free_port()
    receiver, pages = mail_sink.serve("127.0.0.1", smtp_port=smtp, page_port=page, folder=tmp_path / "mail")
    yield smtp, f"http://127.0.0.1:{page}"
    pages.shutdown()
    pages.server_close()
    receiver.stop()


def send(port: int, to: str, subject: str, text: str = "Hej på dig", html: str = "") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "deltag@example.dk", to, subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        content: str = answer.read().decode()
        return content


def test_mails_are_shown_newest_first_and_by_recipient(sink: tuple[int, str]) -> None:
    smtp, pages = sink
    send(smtp, "anna@example.dk", "Først")
    send(smtp, "bo@example.dk", "Så <b>denne</b>")
    listed = get(pages)
    assert listed.index("Så &lt;b&gt;denne") < listed.index("Først")
    assert "Først" not in get(f"{pages}/?til=bo@example.dk")
    assert [mail["subject"] for mail in json.loads(get(f"{pages}/mails.json?til=ANNA@example.dk"))] == [
        "Først"
    ]


def test_a_mail_is_shown_as_text_and_as_html_that_may_do_nothing(sink: tuple[int, str]) -> None:
    smtp, pages = sink
    send(smtp, "anna@example.dk", "Begge", "Hej på dig", "<p>Hej <script>alert(1)</script></p>")
    (mail,) = json.loads(get(f"{pages}/mails.json"))
    shown = get(f"{pages}/mail/{mail['id']}")
    assert "Hej på dig" in shown
    assert "<script>" not in shown
    with urllib.request.urlopen(f"{pages}/mail/{mail['id']}/html", timeout=PATIENCE) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/mail/1", "/mail/../../etc/passwd", "/mail/00000000000000000001/bilag/x"]
)
def test_what_is_not_there_is_404(sink: tuple[int, str], path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        get(sink[1] + path)
    refused.value.close()


def test_codes_are_those_an_authenticator_shows() -> None:
    """RFC 6238, appendix B, SHA-1, the last six digits."""
    assert people.code(BO.totp_secret, 59) == "287082"
    assert people.code(BO.totp_secret, 1111111109) == "081804"
    assert people.code(BO.totp_secret, 20000000000) == "353130"
    assert people.code(BO.totp_secret) in mail_sink.codes_page(people.People(staff=(BO,)))


def test_people_survive_the_file(tmp_path: Path) -> None:
    everybody = people.People((ANNA,), (BO,))
    people.save(everybody, tmp_path / "people.json")
    assert people.load(tmp_path / "people.json") == everybody
    assert people.load(tmp_path / "none.json") == people.People()
    assert any("bo@example.dk" in line for line in people.lines(everybody))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_stand_in_lets_one_be_a_demo_person_and_learns_new_ones(tmp_path: Path) -> None:
    from config import oidc_stand_in

    file = tmp_path / "people.json"
    with oidc_stand_in.serving(file) as issuer, requests.Session() as session:
        found = session.get(f"{issuer}/.well-known/openid-configuration", timeout=PATIENCE).json()
        assert found["issuer"] == issuer
        people.save(people.People((ANNA,)), file)
        asked = {
            "client_id": "ojenhojde",
            "redirect_uri": "http://localhost/back",
            "response_type": "code",
            "scope": "openid mitid ssn",
            "state": "s",
        }
        chooser = session.get(found["authorization_endpoint"], params=asked, timeout=PATIENCE)
        assert "Anna Holm" in chooser.text
        chosen = session.post(chooser.url, data={"sub": "anna"}, allow_redirects=False, timeout=PATIENCE)
        back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(chosen.headers["Location"]).query))
        token: dict[str, Any] = session.post(
            found["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": back["code"],
                "redirect_uri": asked["redirect_uri"],
            },
            auth=("ojenhojde", "secret"),
            timeout=PATIENCE,
        ).json()
        said = session.get(
            found["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=PATIENCE,
        ).json()
        assert said == {"sub": "anna", **ANNA.claims}
        left = session.get(
            found["end_session_endpoint"],
            params={"post_logout_redirect_uri": "http://localhost/ud", "state": "x"},
            allow_redirects=False,
            timeout=PATIENCE,
        )
        assert left.headers["Location"] == "http://localhost/ud?state=x"


def test_secrets_are_made_once_kept_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.MADE_ONCE:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "env"
    first = environment.development_environment(file)
    assert set(first) == set(environment.MADE_ONCE)
    assert environment.development_environment(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("SECRET_KEY", "ours")
    assert "SECRET_KEY" not in environment.development_environment(file)


def test_a_taken_port_is_named_and_the_next_one_used(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = run.free_port("127.0.0.1", port, "the portal", [])
    assert chosen > port
    assert f"Port {port} is taken; the portal uses {chosen} instead." in capsys.readouterr().out


def test_a_port_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(run.RunError, match="eighty"):
        run.addresses()


def test_the_sheet_loses_its_fonts_and_maps() -> None:
    sheet = (
        "@font-face{src:url(a.woff2)}p{color:red}@font-face { src: url(b) }\n/*# sourceMappingURL=x.css.map*/"
    )
    assert assets.without_fonts_and_maps(sheet).strip() == "p{color:red}"


def test_a_text_nobody_translated_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from babel.messages.catalog import Catalog

    from config import translations

    code, danish = Catalog(), Catalog(locale="da")
    for text in ("Vote", "Answer", "%(count)s votes", "Known"):
        code.add(text, locations=[("x.py", 1)], flags=["python-format"] if "%" in text else [])
    danish.add("Answer", "Svar", flags=["fuzzy"])
    danish.add("%(count)s votes", "%(antal)s stemmer", flags=["python-format"])
    danish.add("Known", "Kendt")
    danish.add("Gone", "Væk")
    danish.add("This field is required.", "Udfyld feltet.", user_comments=["overrides Django"])
    monkeypatch.setattr(translations, "extract", lambda: code)
    monkeypatch.setattr(translations, "translated", lambda: danish)
    found = "\n".join(faults())
    assert "missing: 'Vote'" in found
    assert "fuzzy: 'Answer'" in found
    assert "%(count)s votes" in found
    assert "no longer in the code: 'Gone'" in found
    assert "Known" not in found
    assert "required" not in found
