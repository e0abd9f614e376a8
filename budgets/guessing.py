"""Guessing at voting codes: counted for each address in a sliding window, then locked out for a while.

Codes are 59 bits, so nobody finds one by guessing; the lock keeps those who try from being a nuisance, and tells staff that
somebody tries. A slip of the finger is no guess (`codes.is_well_formed`), so a class behind one address can mistype as it
likes. What is counted lies in the cache, and where the cache is down in the memory of each web process. The lock itself lies in
the database: all processes see it, and it outlives the cache.
"""

import ipaddress
import logging
import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.verdict import Refused
from budgets import actions, codes
from budgets.models import CodeLock
from dkfds import wording

if TYPE_CHECKING:
    from participation.models import Process

MOST = 20  # guesses within the window
WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=30)
REMEMBERED = 5_000  # addresses that a process counts by itself while the cache is down
_MINUTE = 60

logger = logging.getLogger(__name__)


class _Memory:
    """The last guesses of the addresses seen last: never more than `REMEMBERED` of them, nor more than `MOST` of each."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def count(self, who: str, now: float) -> int:
        with self._lock:
            times = self._seen.setdefault(who, deque(maxlen=MOST + 1))
            self._seen.move_to_end(who)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            times.append(now)
            while times[0] <= now - WINDOW.total_seconds():
                times.popleft()
            return len(times)

    def forget(self, who: str) -> None:
        with self._lock:
            self._seen.pop(who, None)


memory = _Memory()


def address_of(request: HttpRequest) -> str:
    """The visitor's address as the proxies in front tell it; of IPv6 the network, which one subscriber has all of."""
    told = get_adapter(request).get_client_ip(request)
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return str(told)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def check_not_locked(address: str, *, at: datetime) -> None:
    """`Refused` while the address is locked out, with the number to say on the telephone."""
    lock = CodeLock.objects.filter(address=codes.address_key(address), lifted_at=None, until__gt=at).first()
    if lock is not None:
        actions.refused_while_locked(lock)
        raise _locked(lock)


def guessed(address: str, process: "Process", *, at: datetime) -> None:
    """A well-formed code that doesn't exist. `Refused` when that was one too many."""
    count = _count(codes.address_key(address), at)
    if count < MOST:
        return
    lock = actions.lock_out(address=address, process=process, guesses=count, until=at + LOCKED_FOR, at=at)
    _forget(codes.address_key(address), at)
    if lock.locked_at == at:  # else another request of the same address was first, and said so
        logger.warning(
            "Voting codes were guessed, and the address is locked out.",
            extra={
                "lock": lock.reference,
                "guesses": lock.guesses,
                "times": lock.times,
                "slug": process.slug,
            },
        )
    raise _locked(lock)


def _locked(lock: CodeLock) -> Refused:
    return Refused(
        "locked",
        _("Too many wrong codes have been tried from here. You can try again at %(time)s.")
        % {"time": wording.clock(timezone.localtime(lock.until))},
        field=lock.reference,
    )


def _keys(who: str, at: datetime) -> list[str]:
    """One for each minute of the window, the newest first."""
    minute = int(at.timestamp()) // _MINUTE
    return [f"code-guess:{who}:{minute - ago}" for ago in range(int(WINDOW.total_seconds()) // _MINUTE)]


def _count(who: str, at: datetime) -> int:
    """This guess and those of the window before it."""
    keys = _keys(who, at)
    try:
        cache.add(keys[0], 0, timeout=int(WINDOW.total_seconds()) + _MINUTE)
        cache.incr(keys[0])
        return sum(cache.get_many(keys).values())
    except Exception:
        logger.warning("The cache did not answer; guesses at voting codes are counted in each process.")
        return memory.count(who, at.timestamp())


def _forget(who: str, at: datetime) -> None:
    memory.forget(who)
    try:
        cache.delete_many(_keys(who, at))
    except Exception:
        logger.warning("The cache did not answer; it will forget the guesses by itself.")
