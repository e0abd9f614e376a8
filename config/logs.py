"""Logs are for operating the portal, never for knowing who did what: nothing personal goes into them.

Each line passes one handler on its way out, whoever wrote it. It takes away what looks like a CPR number, an e-mail
address, a token in an address or a header with a secret. Error reports leave this machine, so they keep only where it
happened: no variables, bodies, headers, cookies or users.
"""

import copy
import logging
import re
from collections.abc import Mapping
from typing import Any

CPR = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-2]\d|3[01]|[6-8]\d|9[01])(?:0[1-9]|1[0-2])\d{2}[- ]?\d{4}(?![0-9A-Za-z])"
)
# It begins where a word begins: tried at every letter, a long word without an @ would take time by its square.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
SECRETS = re.compile(
    r"(?i)\b(code|state|token|key|kladde|kontrolkode|voting_code|admission|id_token|access_token|client_secret|password|csrfmiddlewaretoken|sessionid)"
    r"(=|%3D|\": ?\")[^&\s\"',;}]+"
)


def mask(text: str) -> str:
    text = SECRETS.sub(r"\1\2…", text)
    return EMAIL.sub("…@…", CPR.sub("[CPR]", text))


def _masked(value: Any) -> Any:
    """The same value without what must not be told; numbers and dates as they are unless they look like a CPR number."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return "[CPR]" if mask(f"{value:010}") != f"{value:010}" and value > 10_000_000 else value
    if isinstance(value, Mapping):
        return {_masked(key): _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(inner) for inner in value]
    return value


# What every record has by itself; anything else came with `extra=`.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# Django hangs the request on its records: it holds everything that must not be told.
_DROPPED = frozenset({"request"})


def discreet(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record without anything personal, its message and traceback already written out."""
    record = copy.copy(record)
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = str(record.msg)
    record.msg, record.args = mask(message), ()
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    record.exc_text = mask(record.exc_text) if record.exc_text else None
    record.exc_info = None
    record.stack_info = mask(record.stack_info) if record.stack_info else None
    for name in [name for name in record.__dict__ if name not in _STANDARD]:
        if name in _DROPPED:
            delattr(record, name)
        else:
            setattr(record, name, _masked(record.__dict__[name]))
    return record


class DiscreetHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Standard error, with nothing personal in it."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(discreet(record))


def configuration(*, level: str = "INFO", structured: bool = True) -> dict[str, Any]:
    """Django's LOGGING: one handler to standard error, JSON lines in production, plain text at the desk."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            },
            "plain": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
        },
        "handlers": {
            "stderr": {
                "class": "config.logs.DiscreetHandler",
                "formatter": "json" if structured else "plain",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Warns of every missing page with its address: the web server's own log has them.
            "django.request": {"level": "ERROR", "propagate": True},
            # Anybody who tries our number under another name would be an error report.
            "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": True},
        },
    }


_KEPT_OF_REQUEST = frozenset({"method"})


def before_send(event: dict[str, Any], hint: Mapping[str, Any]) -> dict[str, Any]:
    """Sentry's last hook: where it happened and what kind of error, nothing of whom."""
    event.pop("user", None)
    event.pop("extra", None)
    event.pop("server_name", None)
    event.pop("breadcrumbs", None)
    request = event.get("request")
    if isinstance(request, dict):
        path = str(request.get("url", "")).partition("?")[0]
        event["request"] = {name: request[name] for name in _KEPT_OF_REQUEST & set(request)} | {
            "url": mask(path)
        }
    for frame in _frames(event):
        frame.pop("vars", None)
    return dict(_masked(event))


def _frames(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    for kind in ("exception", "threads"):
        for value in (event.get(kind) or {}).get("values") or []:
            frames += ((value or {}).get("stacktrace") or {}).get("frames") or []
    return frames


def start_error_reports(dsn: str, release: str = "") -> None:
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        release=release or None,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=before_send,  # type: ignore[arg-type]
        traces_sample_rate=0,
    )
