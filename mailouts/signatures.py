"""How a receipt proves where it comes from: an HMAC over the moment and the body, under a secret that both ends know.

Needs no Django: the stand-in gateway signs with it too.
"""

import hashlib
import hmac

MOMENT_HEADER = "X-Receipt-Moment"  # seconds since 1970
SIGNATURE_HEADER = "X-Receipt-Signature"
LASTS = 600  # seconds


def signature(body: bytes, *, moment: int, secret: str) -> str:
    """Hex SHA-256 HMAC of "moment.body"."""
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def is_genuine(body: bytes, *, moment: int, signed: str, secret: str) -> bool:
    made = signature(body, moment=moment, secret=secret)
    return hmac.compare_digest(made.encode(), signed.encode("utf-8", "surrogateescape"))
