"""A worker that is asked to stop finishes the letter in its hand and lets go of the rest, within one letter's time.

Celery's parent would else wait for the whole run, and a service manager that waits less kills it between a letter and its
answer. The parent tells its children through memory they share; where SIGTERM goes to every process of a group, as from
systemd and in a terminal, the child hears it itself.
"""

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery.signals import worker_shutting_down

# Without a lock: a child that is killed while it looks would hold it for ever.
_told = multiprocessing.RawValue("b", 0)
_heard = False


def _tell(*args: object, **kwargs: object) -> None:
    _told.value = 1


worker_shutting_down.connect(_tell, weak=False)


def asked() -> bool:
    return _heard or bool(_told.value)


@contextmanager
def heeded() -> Iterator[None]:
    """SIGTERM is a wish while letters leave; afterwards it does to this process what it did before."""
    global _heard
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if _heard:
            _heard = False
            signal.raise_signal(signal.SIGTERM)


def _hear(number: int, frame: object) -> None:
    global _heard
    _heard = True
