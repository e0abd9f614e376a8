"""What lies in Redis, signed: only what this portal put there is unpacked.

Pickle runs code when it is read. Without a signature whoever can write to Redis could run theirs in the web process, or
change a kept page; with it, what isn't ours counts as not kept.
"""

import hashlib
import hmac
import logging
import pickle
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)
SIZE = hashlib.sha256().digest_size


class SignedSerializer:
    """Whole numbers stay plain, so that Redis can count; everything else is a signature and what it vouches for."""

    def __init__(self) -> None:
        self._key = hashlib.sha256(b"config.cache:" + settings.SECRET_KEY.encode()).digest()

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")

    def dumps(self, value: Any) -> int | bytes:
        if type(value) is int:
            return value
        content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        return self._sign(content) + content

    def loads(self, data: bytes) -> Any:
        try:
            return int(data)
        except ValueError:
            pass
        signature, content = data[:SIZE], data[SIZE:]
        if not hmac.compare_digest(signature, self._sign(content)):
            logger.warning("Something in the cache was not put there by this portal; it is left out.")
            return None
        return pickle.loads(content)  # noqa: S301 ours: see the signature
