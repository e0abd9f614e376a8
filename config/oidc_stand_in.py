"""A stand-in for a MitID broker in `make run` and the tests: OpenID Connect with a list of invented people. Never in
production: whoever can open it can be anybody on the list.

Its people are read from .local/demo_people.json (config/people.py), again whenever that file changes.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import authlib.deprecate
import flask
import werkzeug.serving
import werkzeug.wrappers

from config import people

warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)  # what the library imports
from oidc_provider_mock import init_app  # noqa: E402

PAGES = Path(__file__).parent / "stand_in_pages"


def make_app(file: Path = people.FILE) -> flask.Flask:
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback only
    app = flask.Flask("config.oidc_stand_in", template_folder=str(PAGES), static_folder=str(PAGES))
    app.secret_key = secrets.token_bytes(16)
    plain = app.wsgi_app
    init_app(app, issue_refresh_token=False)
    app.wsgi_app = plain  # type: ignore[method-assign]  # without the debugger the library puts around it
    app.debug = False
    seen: list[float] = []

    def learn_people() -> None:
        changed = file.stat().st_mtime if file.exists() else 0.0
        if seen[-1:] != [changed]:
            seen[:] = [changed]
            for each in people.load(file).citizens:
                app.test_client().put(f"/users/{quote(each.sub, safe='')}", json=each.claims)

    def leave_at_once() -> werkzeug.wrappers.Response | None:
        """A broker that ends the session sends the person straight back."""
        back = flask.request.values.get("post_logout_redirect_uri", "")
        if flask.request.path != "/oauth2/end_session" or urlsplit(back).scheme not in {"http", "https"}:
            return None
        query = parse_qsl(urlsplit(back).query)
        if state := flask.request.values.get("state"):
            query.append(("state", state))
        return flask.redirect(urlunsplit(urlsplit(back)._replace(query=urlencode(query))))

    app.before_request(learn_people)
    app.before_request(leave_at_once)
    app.context_processor(lambda: {"citizens": people.load(file).citizens})
    return app


@contextmanager
def serving(file: Path = people.FILE, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The stand-in on a thread; gives its issuer address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = werkzeug.serving.make_server(host, port, make_app(file), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["MITID_PORT"])
    werkzeug.serving.make_server(host, port, make_app(), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
