import json
import logging
import subprocess
import sys

import pytest

from config import logs
from config.services import ROOT
from tests.patience import PATIENCE

CPR = "7705801234"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"person {CPR} here", "person [CPR] here"),
        ("770580-1234", "[CPR]"),
        ("010190 1234", "[CPR]"),
        (f"({CPR})", "([CPR])"),
        ("karen@lunde.example wrote", "…@… wrote"),
        ("GET /tilbage/?code=abc&state=def HTTP", "GET /tilbage/?code=…&state=… HTTP"),
        ("/bidrag/nyt/?kladde=tQ_x-1", "/bidrag/nyt/?kladde=…"),
        ('{"id_token": "ey.J.x"}', '{"id_token": "…"}'),
        # what must stay readable
        ("took 1234567890 ns", "took 1234567890 ns"),
        ("order 9999999999", "order 9999999999"),
        ("0b1e77058012340000", "0b1e77058012340000"),
        ("status code 500", "status code 500"),
        ("call 12 34 56 78", "call 12 34 56 78"),
    ],
)
def test_what_is_masked_and_what_is_not(text, masked):
    assert logs.mask(text) == masked


@pytest.mark.parametrize("structured", [True, False])
def test_no_way_into_the_log(structured):
    """Message, arguments, extra, traceback and Django's request: in a process of its own, with the real configuration."""
    script = f"""
import logging, logging.config
from types import SimpleNamespace
from config import logs
logging.config.dictConfig(logs.configuration(structured={structured}))
log = logging.getLogger("some.app")
log.info("number {CPR}")
log.info("number %s and %s", "{CPR}", {{"cpr": {CPR}}})
log.info("extra", extra={{"who": "{CPR}", "deep": {{"list": ["{CPR}", {CPR}]}}, "rows": 48000}})
log.error("request", extra={{"request": SimpleNamespace(body="{CPR}")}})
try:
    raise ValueError("{CPR} karen@lunde.example")
except ValueError:
    log.exception("it failed")
log.info("broken %s %s", "{CPR}")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    lines = done.stderr.splitlines()
    assert CPR not in done.stderr
    assert "karen@" not in done.stderr
    assert done.stderr.count("[CPR]") >= (7 if structured else 4)
    assert "ValueError" in done.stderr
    if structured:
        told = [json.loads(line) for line in lines]
        assert told[2]["rows"] == 48000
        assert told[0]["levelname"] == "INFO"


def test_other_handlers_get_the_record_as_it_was(caplog):
    record = logging.makeLogRecord({"msg": "x %s", "args": (CPR,)})
    assert CPR not in logs.discreet(record).getMessage()
    assert CPR in record.getMessage()


def test_an_error_report_says_where_and_nothing_of_whom():
    event = {
        "message": f"failed for {CPR}",
        "user": {"id": 5, "ip_address": "10.0.0.1"},
        "extra": {"cpr": CPR},
        "breadcrumbs": {"values": [{"message": CPR}]},
        "server_name": "web1",
        "request": {
            "method": "POST",
            "url": f"https://deltag.example/konto/?code=secret&cpr={CPR}",
            "data": {"cpr": CPR},
            "cookies": {"sessionid": "s"},
            "headers": {"Cookie": "sessionid=s", "Authorization": "x"},
            "env": {"REMOTE_ADDR": "10.0.0.1"},
        },
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": f"{CPR} is wrong",
                    "stacktrace": {"frames": [{"function": "cast", "lineno": 7, "vars": {"cpr": CPR}}]},
                }
            ]
        },
    }
    sent = logs.before_send(event, {})
    told = json.dumps(sent)
    for secret in (CPR, "10.0.0.1", "sessionid", "code=", "web1"):
        assert secret not in told
    assert sent["request"] == {"method": "POST", "url": "https://deltag.example/konto/"}
    assert sent["exception"]["values"][0]["stacktrace"]["frames"] == [{"function": "cast", "lineno": 7}]
