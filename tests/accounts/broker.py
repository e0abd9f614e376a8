"""The stand-in MitID in a process, and a browser that follows its pages without script."""

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.conf import settings

from config import people
from config.demo_mitid import PEOPLE
from config.services import ROOT
from tests.patience import PATIENCE

BY_NAME = {person.first_name: person for person in PEOPLE}


RUN = """
import sys
from pathlib import Path
import werkzeug.serving
from config import oidc_stand_in
app = oidc_stand_in.make_app(Path(sys.argv[1]))
server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def running(folder: Path, *extra: people.Citizen) -> Iterator[str]:
    """A process of its own, as in `make run`: its warnings and its clock are not the test's."""
    file = folder / "people.json"
    people.save(people.People((*(person.citizen() for person in PEOPLE), *extra)), file)
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(file)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://localhost:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def apps(issuer: str) -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS with this issuer for citizens and for staff."""
    common = {"client_id": "ojenhojde", "secret": "not a secret"}
    ours = {"server_url": issuer, "oauth_pkce_enabled": True, "fetch_userinfo": True}
    return {
        "openid_connect": {
            "APPS": [
                {"provider_id": "mitid", "name": "MitID", "settings": ours | {"scope": settings.MITID_SCOPES}}
                | common,
                {
                    "provider_id": "medarbejder",
                    "name": "Kommunens login",
                    "settings": ours | {"scope": ["openid", "profile", "email"]},
                }
                | common,
            ]
        }
    }


def onward_address(response: Any) -> str:
    """Where the page that goes on by itself goes to."""
    assert response.status_code == 200, response
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', response.content.decode())
    assert found, response.content.decode()
    return html.unescape(found[1])


def begin(client: Any, next_url: str = "", *, path: str = "/konto/mitid/") -> str:
    return onward_address(client.post(path, {"next": next_url}))


def approve(address: str, sub: str, *, deny: bool = False) -> str:
    """At the broker: choose who to be. Returns the path and query that the browser comes back with."""
    answer = requests.post(
        address,
        data={"action": "deny"} if deny else {"sub": sub},
        allow_redirects=False,
        timeout=PATIENCE,
    )
    assert answer.status_code in {302, 303}, answer.text
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def sign_in(client: Any, name: str, next_url: str = "") -> Any:
    person = BY_NAME[name]
    return client.get(approve(begin(client, next_url), person.sub))


def query(address: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
