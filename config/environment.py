"""What `make run` and the tests put into the environment when nobody else has: secrets made once on this machine.

Production sets these itself (docs/operations.md) and never comes here.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from config.services import LOCAL

FILE = LOCAL / "env"


def _key() -> str:
    """32 random bytes in URL-safe base64: what both Fernet and AES-256 take."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


MADE_ONCE: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "PERSON_KEY_SECRETS": lambda: (
        f"1:{secrets.token_hex(32)}"
    ),  # version:secret, the first one is used for new keys
    "BALLOT_KEY": _key,
    "CODE_KEY": _key,
    "FIELD_KEYS": _key,  # several, separated by commas, when rotating; the first encrypts
    "MITID_CLIENT_ID": lambda: "ojenhojde",
    "MITID_CLIENT_SECRET": lambda: secrets.token_urlsafe(24),
    "DIGITAL_POST_RECEIPT_SECRET": lambda: secrets.token_urlsafe(24),
}


def development_environment(file: Path = FILE) -> dict[str, str]:
    """Values for the names above that the environment leaves unset; kept in a file only its owner can read."""
    known = read(file)
    missing = {name: make() for name, make in MADE_ONCE.items() if name not in known}
    if missing:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        unfinished.touch(mode=0o600)
        unfinished.write_text("".join(f"{name}={value}\n" for name, value in (known | missing).items()))
        with contextlib.suppress(FileExistsError):
            if known:
                unfinished.replace(file)
            else:
                os.link(
                    unfinished, file
                )  # fails when another process was first: then its secrets are the ones
        unfinished.unlink(missing_ok=True)
        known = read(file)
    return {name: known[name] for name in MADE_ONCE if name not in os.environ}


def read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
