"""The demo's people, as the stand-in MitID, the mail page and the last lines of `make run` show them.

The demo writes .local/demo_people.json: its own invented people, never anybody real.

    {"citizens": [{"sub": "…", "name": "Anna Holm", "about": "34 år, Nørreby", "claims": {"dk.cpr": "…", …}}],
     "staff": [{"name": "…", "role": "Sagsbehandler", "email": "…", "password": "…", "totp_secret": "BASE32"}]}
"""

from __future__ import annotations

import base64
import hmac
import json
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.services import LOCAL

FILE = LOCAL / "demo_people.json"


@dataclass(frozen=True)
class Citizen:
    sub: str
    name: str
    about: str = ""
    claims: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Staff:
    name: str
    role: str
    email: str
    password: str
    totp_secret: str = ""


@dataclass(frozen=True)
class People:
    citizens: tuple[Citizen, ...] = ()
    staff: tuple[Staff, ...] = ()


def load(file: Path = FILE) -> People:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return People()
    return People(
        tuple(Citizen(**each) for each in known.get("citizens", [])),
        tuple(Staff(**each) for each in known.get("staff", [])),
    )


def save(people: People, file: Path = FILE) -> None:
    known = {
        "citizens": [vars(each) for each in people.citizens],
        "staff": [vars(each) for each in people.staff],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")


def code(secret: str, at: float | None = None) -> str:
    """The six digits an authenticator app would show (RFC 6238: SHA-1, 30 seconds)."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    step = int((time.time() if at is None else at) // 30)
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0x0F
    number: int = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def lines(people: People) -> list[str]:
    """For the terminal."""
    found = []
    if people.citizens:
        found += ["  Citizens sign in with MitID and choose who they are:"]
        found += [f"    {each.name:<26} {each.about}" for each in people.citizens]
        found += [""]
    if people.staff:
        found += ["  Staff sign in with e-mail, password and a code from the page above:"]
        found += [f"    {each.role:<26} {each.email:<36} {each.password}" for each in people.staff]
        found += [""]
    return found
