"""What belongs to the demo and may never meet the public: its MitID lets anybody be anybody, its clock can be moved."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def stand_ins(*, demo: bool, clock_file: str, issuers: Mapping[str, str], post: str = "") -> list[str]:
    """A sentence for each that is switched on."""
    found = []
    if demo:
        found.append("DEMO is set: the demo's people and processes are for trying out only.")
    if clock_file:
        found.append("CLOCK_FILE is set: whoever can write that file can move the end of a vote.")
    for name, issuer in issuers.items():
        if issuer and (not issuer.startswith("https://") or is_this_machine(issuer)):
            found.append(
                f"{name} must begin with https:// and not be on this machine: it says who people are."
            )
    if post and (not post.startswith("https://") or is_this_machine(post)):
        found.append(
            "DIGITAL_POST_URL must begin with https:// and not be on this machine: letters would reach nobody."
        )
    return found


def refuse_stand_ins(*, demo: bool, clock_file: str, issuers: Mapping[str, str], post: str = "") -> None:
    """No process of a portal that the public reaches (SITE_URL with https) starts with any of them."""
    found = stand_ins(demo=demo, clock_file=clock_file, issuers=issuers, post=post)
    if found:
        raise ImproperlyConfigured(
            f"SITE_URL begins with https://, so this is for the public. {' '.join(found)}"
        )


def is_this_machine(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
