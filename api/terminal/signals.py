"""Signals that end a command: SIGTERM, and a terminal that closes, stop it just as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from api.terminal.starting import ENDING, USUAL
from engine.stopping import stoppable


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt` where a signal says to end; what is ignored, as under nohup, stays ignored.

    An interrupt may be lost where nothing can be raised, as in what is called while memory is let go. So what runs long
    is told too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        is_over.set()
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in ENDING if signal.getsignal(number) in USUAL}
    try:
        for number in before:
            signal.signal(number, end)
        with stoppable(is_over.is_set):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
